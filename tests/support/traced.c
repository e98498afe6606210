#include "traced.h"

#include <pawl/observer.h>
#include <pawl/primitives/function.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

void make_traced(struct traced *t, pawl_tracer_options options) {
    *t = (struct traced){0};
    t->runtime = virtual_runtime(&t->time);
    t->memory = pawl_trace_memory_new(NULL, NULL);
    assert_non_null(t->memory);
    pawl_exporter *exporter = pawl_trace_memory_exporter(t->memory, NULL);
    pawl_error *err = NULL;
    options.size = sizeof options;
    options.exporters = &exporter;
    options.exporter_count = 1;
    t->tracer = pawl_tracer_new(&options, &err);
    if (!t->tracer)
        fail_msg("%s", pawl_error_message(err));
    pawl_exporter_unref(exporter);
    assert_int_equal(pawl_tracer_attach(t->tracer, t->runtime, NULL), PAWL_OK);
    t->ctx = pawl_context_new(t->runtime);
}

void end_traced(struct traced *t) {
    pawl_context_unref(t->ctx);
    pawl_runtime_unref(t->runtime);
    pawl_tracer_unref(t->tracer);
    pawl_trace_memory_unref(t->memory);
}

pawl_status trace_run(struct traced *t, pawl_primitive *node) {
    pawl_status status = pawl_run(node, t->ctx, NULL, NULL, NULL);
    pawl_primitive_unref(node);
    assert_int_equal(pawl_runtime_flush(t->runtime, PAWL_S(5), NULL), PAWL_OK);
    return status;
}

static const pawl_span_data *find(const struct traced *t, const char *name, size_t n) {
    const pawl_span_data *span;
    for (size_t i = 0; (span = pawl_trace_memory_span(t->memory, i)); i++)
        if (strcmp(span->name, name) == 0 && n-- == 0)
            return span;
    return NULL;
}

const pawl_span_data *traced_span(const struct traced *t, const char *name, size_t n) {
    const pawl_span_data *span = find(t, name, n);
    if (!span)
        fail_msg("no span %zu named '%s' among %zu", n, name, pawl_trace_memory_count(t->memory));
    return span;
}

size_t traced_spans(const struct traced *t, const char *name) {
    size_t count = 0;
    while (find(t, name, count))
        count++;
    return count;
}

pawl_tracer_stats traced_stats(const struct traced *t) {
    pawl_tracer_stats stats = {.size = sizeof stats};
    pawl_tracer_get_stats(t->tracer, &stats);
    return stats;
}

static void write_value(char *text, size_t size, const pawl_attribute *attribute) {
    switch ((pawl_attribute_type)attribute->type) {
    case PAWL_ATTRIBUTE_STRING:
        (void)snprintf(text, size, "%s", attribute->value.string);
        break;
    case PAWL_ATTRIBUTE_INT:
        (void)snprintf(text, size, "%lld", (long long)attribute->value.integer);
        break;
    case PAWL_ATTRIBUTE_DOUBLE:
        (void)snprintf(text, size, "%g", attribute->value.number);
        break;
    case PAWL_ATTRIBUTE_BOOL:
        (void)snprintf(text, size, "%s", attribute->value.boolean ? "true" : "false");
        break;
    }
}

const char *attribute_of(const pawl_attribute *attributes, size_t count, const char *key) {
    static char text[4096];
    for (size_t i = 0; i < count; i++)
        if (strcmp(attributes[i].key, key) == 0) {
            write_value(text, sizeof text, &attributes[i]);
            return text;
        }
    return NULL;
}

const char *span_attribute(const pawl_span_data *span, const char *key) {
    return attribute_of(span->attributes, span->attribute_count, key);
}

/* ---- the tree as text ---- */

static uint64_t first_start(const struct traced *t) {
    uint64_t first = UINT64_MAX;
    const pawl_span_data *span;
    for (size_t i = 0; (span = pawl_trace_memory_span(t->memory, i)); i++)
        if (span->start_unix_ns < first)
            first = span->start_unix_ns;
    return first;
}

static void print_attributes(FILE *out, const pawl_attribute *attributes, size_t count) {
    char text[4096];
    for (size_t i = 0; i < count; i++) {
        write_value(text, sizeof text, &attributes[i]);
        (void)fprintf(out, " %s=%s", attributes[i].key, text);
    }
}

static double ms(uint64_t ns, uint64_t origin) {
    return (double)(ns - origin) / 1e6;
}

static void print_span(FILE *out, const pawl_span_data *span, uint64_t origin, int depth) {
    (void)fprintf(out, "%*s%s %g..%g%s%s", 2 * depth, "", span->name, ms(span->start_unix_ns, origin),
                  ms(span->end_unix_ns, origin), span->is_error ? " ERROR " : "", span->status_message);
    print_attributes(out, span->attributes, span->attribute_count);
    (void)fputc('\n', out);
    for (uint32_t i = 0; i < span->event_count; i++) {
        (void)fprintf(out, "%*s! %s %g", 2 * depth + 2, "", span->events[i].name,
                      ms(span->events[i].time_unix_ns, origin));
        print_attributes(out, span->events[i].attributes, span->events[i].attribute_count);
        (void)fputc('\n', out);
    }
}

static void print_children(const struct traced *t, FILE *out, const uint8_t parent[8], uint64_t origin, int depth) {
    const pawl_span_data *span;
    for (size_t i = 0; (span = pawl_trace_memory_span(t->memory, i)); i++)
        if (memcmp(span->parent_span_id, parent, 8) == 0) {
            print_span(out, span, origin, depth);
            print_children(t, out, span->span_id, origin, depth + 1);
        }
}

char *trace_text(const struct traced *t) {
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    assert_non_null(out);
    print_children(t, out, (const uint8_t[8]){0}, first_start(t), 0);
    (void)fclose(out);
    return text;
}

/* ---- leaves ---- */

static pawl_status set_many(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    (void)user, (void)in, (void)ret_out, (void)err;
    static char keys[200][8];
    const pawl_attribute two[] = {pawl_attribute_int("x", 1), pawl_attribute_int("y", 2)};
    pawl_span *span = pawl_context_span_of(ctx);
    for (int i = 0; i < 200; i++) {
        snprintf(keys[i], sizeof keys[i], "k%d", i);
        pawl_context_set_int(ctx, keys[i], i);
        pawl_span_add_event(span, keys[i], 0, two, 2);
        pawl_span_add_link(span, (const uint8_t[16]){1}, (const uint8_t[8]){2}, two, 2);
    }
    return PAWL_OK;
}

pawl_primitive *setting_many(const char *name) {
    return pawl_inline(name, set_many, NULL);
}

static pawl_status set_a_megabyte(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out,
                                  pawl_error **err) {
    (void)user, (void)in, (void)ret_out, (void)err;
    char *text = malloc(PAWL_MIB(1) + 1);
    memset(text, 'x', PAWL_MIB(1));
    text[PAWL_MIB(1)] = '\0';
    pawl_context_set_string(ctx, "big", text);
    free(text);
    return PAWL_OK;
}

pawl_primitive *setting_a_megabyte(const char *name) {
    return pawl_inline(name, set_a_megabyte, NULL);
}
