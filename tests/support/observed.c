#include "observed.h"

#include "leaves.h"
#include <pawl/primitives/function.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const char *const variables[] = {"OTEL_SDK_DISABLED",
                                        "OTEL_SERVICE_NAME",
                                        "OTEL_RESOURCE_ATTRIBUTES",
                                        "OTEL_TRACES_EXPORTER",
                                        "OTEL_METRICS_EXPORTER",
                                        "OTEL_LOGS_EXPORTER",
                                        "OTEL_EXPORTER_OTLP_ENDPOINT",
                                        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
                                        "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION",
                                        "OTEL_TRACES_SAMPLER",
                                        "OTEL_TRACES_SAMPLER_ARG",
                                        "OTEL_BSP_MAX_QUEUE_SIZE",
                                        "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT",
                                        "OTEL_PROPAGATORS",
                                        "OTEL_LOG_LEVEL",
                                        "OTEL_CONFIG_FILE",
                                        "OTEL_METRICS_EXEMPLAR_FILTER",
                                        "OTEL_EXPORTER_PROMETHEUS_PORT",
                                        "OTEL_EXPORTER_PROMETHEUS_HOST",
                                        "TRACEPARENT",
                                        "TRACESTATE",
                                        "BAGGAGE"};

int forget_environment(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
        unsetenv(variables[i]);
    return 0;
}

void say(const char *name, const char *value) {
    setenv(name, value, 1);
}

void hear(void *user, const char *text, size_t length) {
    struct heard *heard = user;
    size_t used = strlen(heard->text);
    snprintf(heard->text + used, sizeof heard->text - used, "%.*s", (int)length, text);
}

void hear_warning(void *user, const char *text) {
    struct heard *heard = user;
    heard->warnings++;
    hear(user, text, strlen(text));
    hear(user, "\n", 1);
}

static pawl_status work(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    (void)user, (void)in, (void)ret_out, (void)err;
    pawl_context_set_int(ctx, "one", 1);
    pawl_context_log(ctx, PAWL_LOG_WARN, NULL, 0, "something");
    return PAWL_OK;
}

void run_worker(pawl_runtime *runtime) {
    assert_int_equal(run_once(runtime, pawl_inline("worker", work, NULL)), PAWL_OK);
}

struct observed *new_observed(void) {
    struct observed *observed = calloc(1, sizeof *observed);
    assert_non_null(observed);
    observed->runtime = virtual_runtime(&observed->time);
    observed->memory = pawl_trace_memory_new(NULL, NULL);
    observed->exporter = pawl_trace_memory_exporter(observed->memory, NULL);
    return observed;
}

void free_observed(struct observed *observed) {
    pawl_runtime_unref(observed->runtime);
    pawl_exporter_unref(observed->exporter);
    pawl_trace_memory_unref(observed->memory);
    free(observed);
}
