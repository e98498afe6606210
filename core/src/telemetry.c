/* Measurements and log records: handed to whoever listens. */
#include "observe_internal.h"
#include "redact_internal.h"
#include <stdio.h>
#include <string.h>

#define LOG_BYTES 1024

/* ---- measurements ---- */

static void tell_measurement(pawl_runtime *runtime, pawl_context *ctx, const pawl_instrument *instrument, double value,
                             const pawl_attribute *attributes, size_t count) {
    count = attributes ? count : 0;
    for (size_t i = 0; i < runtime->observer_count; i++)
        if (runtime->observers[i].vtable.measure)
            runtime->observers[i].vtable.measure(runtime->observers[i].self, ctx, instrument, value, attributes, count);
}

void pawl_context_measure(pawl_context *ctx, const pawl_instrument *instrument, double value,
                          const pawl_attribute *attributes, size_t attribute_count) {
    if (ctx->root->runtime->measurers)
        tell_measurement(ctx->root->runtime, ctx, instrument, value, attributes, attribute_count);
}

void pawl_runtime_measure(pawl_runtime *runtime, const pawl_instrument *instrument, double value,
                          const pawl_attribute *attributes, size_t attribute_count) {
    if (runtime && runtime->measurers && !pawl_runtime_is_forked(runtime))
        tell_measurement(runtime, NULL, instrument, value, attributes, attribute_count);
}

/* ---- log ---- */

bool pawl_runtime_logs(const pawl_runtime *runtime, pawl_log_level level) {
    return runtime && (runtime->options.log || runtime->loggers) && (uint64_t)level >= runtime->options.log_level;
}

static void tell_log(pawl_runtime *runtime, const pawl_log_record *record) {
    if (runtime->options.log)
        runtime->options.log(runtime->options.log_user, (pawl_log_level)record->level, record->text);
    for (size_t i = 0; i < runtime->observer_count; i++)
        if (runtime->observers[i].vtable.log)
            runtime->observers[i].vtable.log(runtime->observers[i].self, record);
}

/* A span is the place where attributes are copied and cleaned. */
static void clean_and_tell_log(pawl_runtime *runtime, const pawl_log_record *said, const char *text) {
    const struct pawl_redaction redaction = pawl_redaction_of(runtime, true);
    char clean[LOG_BYTES];
    pawl_span scratch;
    pawl_redact_into(&redaction, text, strlen(text), clean, sizeof clean);
    pawl_span_reset(&scratch, NULL, "", "");
    for (uint64_t i = 0; i < said->attribute_count; i++)
        pawl_span_set(&scratch, &said->attributes[i]);
    pawl_span_redact(runtime, &scratch);
    pawl_log_record record = *said;
    record.size = sizeof record;
    record.text = clean;
    record.attributes = scratch.attributes;
    record.attribute_count = scratch.attribute_count;
    record.time_ns = pawl_runtime_now(runtime);
    tell_log(runtime, &record);
    pawl_span_release_grown(&scratch);
}

void pawl_runtime_log(pawl_runtime *runtime, pawl_log_level level, const char *format, ...) {
    if (!pawl_runtime_logs(runtime, level))
        return;
    char text[LOG_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    clean_and_tell_log(runtime, &(pawl_log_record){.level = (uint32_t)level}, text);
}

void pawl_context_log(pawl_context *ctx, pawl_log_level level, const pawl_attribute *attributes, size_t attribute_count,
                      const char *format, ...) {
    pawl_runtime *runtime = ctx->root->runtime;
    if (!pawl_runtime_logs(runtime, level))
        return;
    char text[LOG_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    pawl_log_record record = {.attributes = attributes,
                              .attribute_count = attributes ? attribute_count : 0,
                              .ctx = ctx,
                              .trace_flags = ctx->root->trace_flags,
                              .level = (uint32_t)level};
    pawl_context_trace_id(ctx, record.trace_id);
    pawl_context_span_id(ctx, record.span_id);
    clean_and_tell_log(runtime, &record, text);
}

pawl_status pawl_runtime_flush(pawl_runtime *runtime, uint64_t timeout_ns, pawl_error **err) {
    if (!pawl_runtime_is_usable(runtime, err))
        return PAWL_E_INVALID;
    if (pawl_driving || pawl_cancel_callbacks)
        return pawl_error_set(err, PAWL_E_INVALID,
                              "runtime: flush inside an inline leaf or a callback would block the loop");
    uint64_t now = pawl_runtime_now(runtime), end = timeout_ns > PAWL_NEVER - now ? PAWL_NEVER : now + timeout_ns;
    pawl_status first = PAWL_OK;
    for (size_t i = 0; i < runtime->observer_count; i++) {
        struct observer *observer = &runtime->observers[i];
        now = pawl_runtime_now(runtime);
        pawl_status status = !observer->vtable.flush ? PAWL_OK
                                                     : observer->vtable.flush(observer->self, now < end ? end - now : 0,
                                                                              first == PAWL_OK ? err : NULL);
        first = first == PAWL_OK ? status : first;
    }
    return first;
}
