/* The page's data, piece by piece. */
#include "trace_page_internal.h"

#include <inttypes.h>
#include <math.h>
#include <pawl/value.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LARGEST_INTEGER INT64_C(9007199254740992) /* 2^53: JavaScript's numbers are doubles */

/* ---- bytes ---- */

void pawl_page_flush(struct pawl_page_out *out) {
    if (out->used > 0 && !out->failed)
        out->failed = !out->write(out->user, out->bytes, out->used);
    out->used = 0;
}

void pawl_page_put(struct pawl_page_out *out, const void *bytes, size_t length) {
    if (length > sizeof out->bytes - out->used)
        pawl_page_flush(out);
    if (length > sizeof out->bytes) {
        if (!out->failed)
            out->failed = !out->write(out->user, bytes, length);
        return;
    }
    memcpy(out->bytes + out->used, bytes, length);
    out->used += length;
}

void pawl_page_raw(struct pawl_page_out *out, const char *json) {
    pawl_page_put(out, json, strlen(json));
}

/* ---- scalars ---- */

/* Length of the character at text that must be escaped, 0 for one that stands for itself; its code point. */
static size_t special(const char *text, unsigned *ret_code) {
    unsigned char c = (unsigned char)*text;
    *ret_code = c;
    if (c < 0x20 || c == 0x7F || strchr("\"\\<>&", c))
        return 1;
    if (c == 0xE2 && (unsigned char)text[1] == 0x80 && ((unsigned char)text[2] & 0xFE) == 0xA8) {
        *ret_code = 0x2000 | (unsigned char)(text[2] - 0x80);
        return 3;
    }
    return 0;
}

void pawl_page_string(struct pawl_page_out *out, const char *text) {
    pawl_page_raw(out, "\"");
    const char *plain = text;
    while (*text) {
        unsigned code;
        size_t length = special(text, &code);
        if (length > 0) {
            char escape[8];
            snprintf(escape, sizeof escape, "\\u%04x", code);
            pawl_page_put(out, plain, (size_t)(text - plain));
            pawl_page_put(out, escape, 6);
            plain = text + length;
        }
        text += length > 0 ? length : 1;
    }
    pawl_page_put(out, plain, (size_t)(text - plain));
    pawl_page_raw(out, "\"");
}

void pawl_page_number(struct pawl_page_out *out, uint64_t number) {
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, number);
    pawl_page_raw(out, text);
}

static void put_integer(struct pawl_page_out *out, int64_t number) {
    bool is_exact = number >= -LARGEST_INTEGER && number <= LARGEST_INTEGER;
    char text[40];
    snprintf(text, sizeof text, is_exact ? "%" PRId64 : "{\"i\":\"%" PRId64 "\"}", number);
    pawl_page_raw(out, text);
}

static void put_double(struct pawl_page_out *out, double number) {
    if (!isfinite(number)) {
        pawl_page_raw(out, isnan(number) ? "{\"d\":\"NaN\"}"
                           : number > 0  ? "{\"d\":\"Infinity\"}"
                                         : "{\"d\":\"-Infinity\"}");
        return;
    }
    pawl_value *value = pawl_value_number(number); /* knows how to print one in any locale */
    char *text = value ? pawl_value_print(value) : NULL;
    pawl_page_raw(out, text ? text : "null");
    free(text);
    pawl_value_unref(value);
}

static void put_time(struct pawl_page_out *out, const char *name, uint64_t time_ns) {
    char text[64];
    snprintf(text, sizeof text, ",\"%s\":\"%" PRIu64 "\"", name, time_ns);
    pawl_page_raw(out, text);
}

static void put_id(struct pawl_page_out *out, const char *name, const uint8_t *id, size_t bytes) {
    char text[2 * 16 + 1] = "";
    for (size_t i = 0; i < bytes; i++)
        snprintf(text + i * 2, 3, "%02x", id[i]);
    pawl_page_raw(out, name);
    pawl_page_string(out, text);
}

/* ---- attributes; recursion is bounded by the reader's max_depth ---- */

static void put_any(struct pawl_page_out *out, const struct pawl_otlp_any *any);

static void put_list(struct pawl_page_out *out, const cJSON *items) {
    pawl_page_raw(out, "[");
    for (const cJSON *item = pawl_otlp_first(items); item; item = item->next) {
        struct pawl_otlp_any any = pawl_otlp_any(item);
        put_any(out, &any);
        pawl_page_raw(out, item->next ? "," : "");
    }
    pawl_page_raw(out, "]");
}

static void put_any(struct pawl_page_out *out, const struct pawl_otlp_any *any) {
    switch (any->type) {
    case PAWL_OTLP_STRING:
        pawl_page_string(out, any->string);
        break;
    case PAWL_OTLP_BOOL:
        pawl_page_raw(out, any->boolean ? "true" : "false");
        break;
    case PAWL_OTLP_INT:
        put_integer(out, any->integer);
        break;
    case PAWL_OTLP_DOUBLE:
        put_double(out, any->number);
        break;
    case PAWL_OTLP_BYTES:
        pawl_page_raw(out, "{\"b\":");
        pawl_page_string(out, any->string);
        pawl_page_raw(out, "}");
        break;
    case PAWL_OTLP_ARRAY:
        put_list(out, any->items);
        break;
    case PAWL_OTLP_MAP:
        pawl_page_raw(out, "{\"m\":");
        pawl_page_attributes(out, any->items, false);
        pawl_page_raw(out, "}");
        break;
    default:
        pawl_page_raw(out, "null");
    }
}

bool pawl_page_is_content(const char *key) {
    static const char *const keys[] = {"pawl.code.text",       "pawl.code.stdout",           "pawl.code.stderr",
                                       "pawl.candidate.text",  "pawl.fix.program",           "exception.message",
                                       "exception.stacktrace", "gen_ai.tool.call.arguments", "gen_ai.tool.call.result"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strcmp(key, keys[i]) == 0)
            return true;
    return false;
}

void pawl_page_attributes(struct pawl_page_out *out, const cJSON *attributes, bool without_content) {
    const char *comma = "";
    pawl_page_raw(out, "[");
    for (const cJSON *item = pawl_otlp_first(attributes); item; item = item->next) {
        const char *key;
        struct pawl_otlp_any value;
        if (!pawl_otlp_attribute(item, &key, &value) || (without_content && pawl_page_is_content(key)))
            continue;
        pawl_page_raw(out, comma);
        pawl_page_raw(out, "[");
        pawl_page_string(out, key);
        pawl_page_raw(out, ",");
        put_any(out, &value);
        pawl_page_raw(out, "]");
        comma = ",";
    }
    pawl_page_raw(out, "]");
}

static void put_named_attributes(struct pawl_page_out *out, const cJSON *attributes, bool without_content) {
    if (!pawl_otlp_first(attributes))
        return;
    pawl_page_raw(out, ",\"attributes\":");
    pawl_page_attributes(out, attributes, without_content);
}

/* ---- spans ---- */

static void put_events(struct pawl_page_out *out, const cJSON *events, bool without_content) {
    const char *comma = "";
    pawl_page_raw(out, ",\"events\":[");
    for (const cJSON *item = pawl_otlp_first(events); item; item = item->next) {
        struct pawl_trace_event event;
        if (!pawl_otlp_event(item, &event))
            continue;
        pawl_page_raw(out, comma);
        pawl_page_raw(out, "{\"name\":");
        pawl_page_string(out, event.name);
        put_time(out, "time", event.time_ns);
        put_named_attributes(out, event.attributes, without_content);
        pawl_page_raw(out, "}");
        comma = ",";
    }
    pawl_page_raw(out, "]");
}

static void put_links(struct pawl_page_out *out, const cJSON *links, bool without_content) {
    const char *comma = "";
    pawl_page_raw(out, ",\"links\":[");
    for (const cJSON *item = pawl_otlp_first(links); item; item = item->next) {
        struct pawl_trace_link link;
        if (!pawl_otlp_link(item, &link))
            continue;
        pawl_page_raw(out, comma);
        put_id(out, "{\"trace\":", link.trace_id, sizeof link.trace_id);
        put_id(out, ",\"id\":", link.span_id, sizeof link.span_id);
        put_named_attributes(out, link.attributes, without_content);
        pawl_page_raw(out, "}");
        comma = ",";
    }
    pawl_page_raw(out, "]");
}

static void put_status(struct pawl_page_out *out, const struct pawl_trace_span *span, bool without_content) {
    static const char *const kinds[] = {"", "internal", "server", "client", "producer", "consumer"};
    if (span->kind > 1)
        pawl_page_raw(out, ",\"kind\":"), pawl_page_string(out, kinds[span->kind]);
    if (span->status.code)
        pawl_page_raw(out, ",\"code\":"), pawl_page_number(out, span->status.code);
    if (*span->status.message && !without_content)
        pawl_page_raw(out, ",\"message\":"), pawl_page_string(out, span->status.message);
    if (*span->trace_state)
        pawl_page_raw(out, ",\"state\":"), pawl_page_string(out, span->trace_state);
    if (span->dropped_attributes || span->dropped_events || span->dropped_links) {
        char text[64];
        snprintf(text, sizeof text, ",\"dropped\":[%u,%u,%u]", span->dropped_attributes, span->dropped_events,
                 span->dropped_links);
        pawl_page_raw(out, text);
    }
}

void pawl_page_span(struct pawl_page_out *out, const struct pawl_trace_span *span, bool without_content) {
    static const uint8_t none[8];
    put_id(out, "{\"trace\":", span->trace_id, sizeof span->trace_id);
    put_id(out, ",\"id\":", span->span_id, sizeof span->span_id);
    if (memcmp(span->parent_span_id, none, sizeof none) != 0)
        put_id(out, ",\"parent\":", span->parent_span_id, sizeof span->parent_span_id);
    pawl_page_raw(out, ",\"name\":");
    pawl_page_string(out, span->name);
    put_time(out, "start", span->start_ns);
    put_time(out, "end", span->end_ns);
    put_status(out, span, without_content);
    put_named_attributes(out, span->attributes, without_content);
    if (pawl_otlp_first(span->events))
        put_events(out, span->events, without_content);
    if (pawl_otlp_first(span->links))
        put_links(out, span->links, without_content);
    pawl_page_raw(out, "}");
}
