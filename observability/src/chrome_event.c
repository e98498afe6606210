/* A span in the Trace Event Format, written backwards like everything that is exported. */
#include "chrome_trace_internal.h"
#include "otlp_writer_internal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST_BYTES PAWL_MIB(64)

/* Keys are the user's: written as text, which repairs and escapes them. */
static void put_key(struct pawl_otlp_writer *w, const char *key) {
    pawl_otlp_raw(w, ":", 1);
    pawl_otlp_put_text(w, key);
}

static void put_attribute(struct pawl_otlp_writer *w, const pawl_attribute *attribute) {
    pawl_json_separate(w);
    int64_t integer = attribute->value.integer;
    switch (attribute->type) {
    case PAWL_ATTRIBUTE_INT:
        pawl_json_integer(w, integer < 0, integer < 0 ? 0 - (uint64_t)integer : (uint64_t)integer, false);
        break;
    case PAWL_ATTRIBUTE_DOUBLE:
        pawl_json_double(w, attribute->value.number);
        break;
    case PAWL_ATTRIBUTE_BOOL:
        pawl_otlp_raw(w, attribute->value.boolean ? "true" : "false", attribute->value.boolean ? 4 : 5);
        break;
    default:
        pawl_otlp_put_text(w, attribute->value.string);
        break;
    }
    put_key(w, attribute->key);
}

static void put_attributes(struct pawl_otlp_writer *w, const pawl_attribute *attributes, size_t count) {
    for (size_t i = count; i-- > 0;)
        put_attribute(w, &attributes[i]);
}

/* Microseconds, with the nanoseconds behind the point. */
static void put_us(struct pawl_otlp_writer *w, struct pawl_otlp_field field, bool negative, uint64_t ns) {
    char text[40];
    int length = snprintf(text, sizeof text, "%s%llu.%03u", negative ? "-" : "", (unsigned long long)(ns / 1000),
                          (unsigned)(ns % 1000));
    pawl_json_separate(w);
    pawl_otlp_raw(w, text, (size_t)length);
    pawl_json_name(w, field);
}

static void put_time(struct pawl_otlp_writer *w, uint64_t unix_ns, uint64_t base) {
    put_us(w, FIELD(0, "ts"), unix_ns < base, unix_ns < base ? base - unix_ns : unix_ns - base);
}

static void put_instant(struct pawl_otlp_writer *w, const pawl_event_data *event, uint64_t base) {
    pawl_otlp_raw(w, "\n", 1);
    pawl_otlp_raw(w, "}", 1);
    size_t args = pawl_otlp_open(w);
    put_attributes(w, event->attributes, event->attribute_count);
    pawl_otlp_close(w, args, FIELD(0, "args"));
    pawl_otlp_put_string_always(w, FIELD(0, "s"), "t"); /* drawn in its thread alone */
    put_time(w, event->time_unix_ns, base);
    pawl_otlp_put_string_always(w, FIELD(0, "name"), event->name);
    pawl_otlp_put_string_always(w, FIELD(0, "ph"), "i");
}

static const char *category_of(const pawl_span_data *span) {
    for (uint32_t i = 0; i < span->attribute_count; i++)
        if (span->attributes[i].key && strcmp(span->attributes[i].key, "pawl.primitive.type") == 0 &&
            span->attributes[i].type == PAWL_ATTRIBUTE_STRING)
            return span->attributes[i].value.string;
    return "span";
}

static void put_args(struct pawl_otlp_writer *w, const pawl_span_data *span) {
    size_t args = pawl_otlp_open(w);
    put_attributes(w, span->attributes, span->attribute_count);
    pawl_otlp_put_id(w, FIELD(0, "parent_span_id"), span->parent_span_id, 8);
    pawl_otlp_put_id(w, FIELD(0, "span_id"), span->span_id, 8);
    pawl_otlp_put_id(w, FIELD(0, "trace_id"), span->trace_id, 16);
    if (span->is_error)
        pawl_otlp_put_string_always(w, FIELD(0, "error"), span->status_message);
    pawl_otlp_close(w, args, FIELD(0, "args"));
}

static void put_complete(struct pawl_otlp_writer *w, const pawl_span_data *span, uint64_t base) {
    uint64_t end = span->end_unix_ns > span->start_unix_ns ? span->end_unix_ns : span->start_unix_ns;
    pawl_otlp_raw(w, "\n", 1);
    pawl_otlp_raw(w, "}", 1);
    put_args(w, span);
    if (span->is_error)
        pawl_otlp_put_string_always(w, FIELD(0, "cname"), "terrible"); /* red */
    put_us(w, FIELD(0, "dur"), false, end - span->start_unix_ns);
    put_time(w, span->start_unix_ns, base);
    pawl_otlp_put_string_always(w, FIELD(0, "cat"), category_of(span));
    pawl_otlp_put_string_always(w, FIELD(0, "name"), span->name);
    pawl_otlp_put_string_always(w, FIELD(0, "ph"), "X");
}

/* What is written, as a string. */
static char *take_text(struct pawl_otlp_writer *w) {
    char *text = w->status == PAWL_OK ? malloc(w->length + 1) : NULL;
    if (text) {
        memcpy(text, pawl_otlp_written(w), w->length);
        text[w->length] = '\0';
    }
    pawl_otlp_writer_finish(w);
    return text;
}

char *pawl_chrome_event(const pawl_span_data *span, uint64_t base_unix_ns) {
    struct pawl_otlp_writer w;
    pawl_otlp_writer_init(&w, true, MOST_BYTES);
    for (uint32_t i = span->event_count; i-- > 0;)
        put_instant(&w, &span->events[i], base_unix_ns);
    put_complete(&w, span, base_unix_ns);
    return take_text(&w);
}

static void put_metadata(struct pawl_otlp_writer *w, const char *name, const char *key, const char *value) {
    pawl_otlp_raw(w, "\n", 1);
    pawl_otlp_raw(w, "}", 1);
    size_t args = pawl_otlp_open(w);
    pawl_json_separate(w);
    pawl_otlp_put_text(w, value);
    put_key(w, key);
    pawl_otlp_close(w, args, FIELD(0, "args"));
    pawl_otlp_put_string_always(w, FIELD(0, "name"), name);
    pawl_otlp_put_string_always(w, FIELD(0, "ph"), "M");
}

char *pawl_chrome_header(const pawl_resource *resource, uint64_t base_unix_ns) {
    struct pawl_otlp_writer w;
    char since[64];
    const char *service = "pawl";
    size_t count = 0;
    const pawl_attribute *attributes = resource ? pawl_resource_attributes(resource, &count) : NULL;
    for (size_t i = 0; i < count; i++)
        if (strcmp(attributes[i].key, "service.name") == 0 && attributes[i].type == PAWL_ATTRIBUTE_STRING)
            service = attributes[i].value.string;
    snprintf(since, sizeof since, "times count from %llu s since 1970", (unsigned long long)(base_unix_ns / PAWL_S(1)));
    pawl_otlp_writer_init(&w, true, MOST_BYTES);
    put_metadata(&w, "process_labels", "labels", since);
    put_metadata(&w, "process_name", "name", service);
    return take_text(&w);
}
