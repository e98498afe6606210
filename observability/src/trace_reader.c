/* The trace file, line by line: parse, walk resourceSpans / scopeSpans / spans, hand out what is right. */
#include "options_internal.h"
#include "trace_reader_internal.h"

#include <pawl/value.h>
#include <string.h>

struct reader {
    struct pawl_trace_limits limits;
    const struct pawl_trace_sink *sink;
    struct pawl_trace_reading *reading;
    struct pawl_trace_span span; /* what the spans of one scope have in common stays in it */
    uint64_t line;
    bool stopped;
};

static void tell(const struct reader *r, const char *what) {
    if (r->sink->fault)
        r->sink->fault(r->sink->user, r->line, what);
}

static void bad_line(struct reader *r, const char *what) {
    r->reading->bad_lines++;
    tell(r, what);
}

/* ---- one span ---- */

static uint32_t small(const cJSON *json, const char *name, uint32_t most) {
    uint64_t number;
    return pawl_otlp_uint(json, name, most, &number) ? (uint32_t)number : 0;
}

static const cJSON *list_of(const cJSON *object, const char *name) {
    const cJSON *list = pawl_otlp_get(object, name);
    return cJSON_IsArray(list) ? list : NULL;
}

static bool read_parent(const cJSON *json, struct pawl_trace_span *span) {
    memset(span->parent_span_id, 0, sizeof span->parent_span_id);
    const char *text = pawl_otlp_text(json, "parentSpanId");
    if (!*text || strspn(text, "0") == 2 * sizeof span->parent_span_id)
        return true;
    return pawl_otlp_read_id(json, "parentSpanId", span->parent_span_id, sizeof span->parent_span_id);
}

/* Returns what is wrong, NULL for nothing. */
static const char *read_identity(const cJSON *json, struct pawl_trace_span *span) {
    if (!cJSON_IsObject(json))
        return "a span is no object";
    if (!pawl_otlp_read_id(json, "traceId", span->trace_id, sizeof span->trace_id))
        return "a span's traceId is not 32 hexadecimal digits";
    if (!pawl_otlp_read_id(json, "spanId", span->span_id, sizeof span->span_id))
        return "a span's spanId is not 16 hexadecimal digits";
    if (!read_parent(json, span))
        return "a span's parentSpanId is not 16 hexadecimal digits";
    if (!pawl_otlp_uint(json, "startTimeUnixNano", UINT64_MAX, &span->start_ns) || span->start_ns == 0)
        return "a span's startTimeUnixNano is no time";
    if (!pawl_otlp_uint(json, "endTimeUnixNano", UINT64_MAX, &span->end_ns))
        return "a span's endTimeUnixNano is no time";
    return NULL;
}

static void read_rest(const cJSON *json, struct pawl_trace_span *span) {
    const cJSON *status = pawl_otlp_get(json, "status");
    span->name = pawl_otlp_text(json, "name");
    span->trace_state = pawl_otlp_text(json, "traceState");
    span->kind = small(json, "kind", 5);
    span->flags = small(json, "flags", UINT32_MAX);
    span->dropped_attributes = small(json, "droppedAttributesCount", UINT32_MAX);
    span->dropped_events = small(json, "droppedEventsCount", UINT32_MAX);
    span->dropped_links = small(json, "droppedLinksCount", UINT32_MAX);
    span->status.code = small(status, "code", 2);
    span->status.message = pawl_otlp_text(status, "message");
    span->attributes = list_of(json, "attributes");
    span->events = list_of(json, "events");
    span->links = list_of(json, "links");
}

static void read_span(struct reader *r, const cJSON *json) {
    const char *wrong = read_identity(json, &r->span);
    if (wrong) {
        r->reading->bad_spans++;
        tell(r, wrong);
        return;
    }
    if (r->reading->spans >= r->limits.max_spans) {
        r->reading->over_limit++;
        return;
    }
    read_rest(json, &r->span);
    r->reading->spans++;
    r->stopped = !r->sink->span(r->sink->user, &r->span);
}

/* ---- one line ---- */

static void read_scope(struct reader *r, const cJSON *scope_spans) {
    const cJSON *scope = pawl_otlp_get(scope_spans, "scope");
    r->span.group++;
    r->span.scope_name = pawl_otlp_text(scope, "name");
    r->span.scope_version = pawl_otlp_text(scope, "version");
    r->span.scope_attributes = list_of(scope, "attributes");
    for (const cJSON *span = pawl_otlp_first(pawl_otlp_get(scope_spans, "spans")); span && !r->stopped;
         span = span->next)
        read_span(r, span);
}

static void read_request(struct reader *r, const cJSON *request) {
    const cJSON *resources = pawl_otlp_get(request, "resourceSpans");
    if (!cJSON_IsObject(request)) {
        bad_line(r, "no JSON object: a line holds one export request");
        return;
    }
    r->reading->other_lines += !resources;
    for (const cJSON *resource = pawl_otlp_first(resources); resource && !r->stopped; resource = resource->next) {
        r->span.resource_attributes = list_of(pawl_otlp_get(resource, "resource"), "attributes");
        for (const cJSON *scope = pawl_otlp_first(pawl_otlp_get(resource, "scopeSpans")); scope && !r->stopped;
             scope = scope->next)
            read_scope(r, scope);
    }
}

static pawl_status parse_line(struct reader *r, const char *text, size_t length, bool is_last, pawl_error **err) {
    pawl_parse_limits limits = {
        .size = sizeof limits, .max_bytes = r->limits.max_line_bytes, .max_depth = r->limits.max_depth};
    pawl_value *value = NULL;
    pawl_error *error = NULL;
    pawl_status status = pawl_value_parse(text, length, &limits, &value, &error);
    if (status == PAWL_E_NOMEM) {
        pawl_error_set(err, status, "trace file: no memory for line %llu", (unsigned long long)r->line);
    } else if (status != PAWL_OK && is_last) {
        r->reading->cut_off = true;
    } else if (status != PAWL_OK) {
        bad_line(r, pawl_error_message(error));
    } else {
        read_request(r, pawl_value_json(value));
    }
    pawl_error_unref(error);
    pawl_value_unref(value);
    return status == PAWL_E_NOMEM ? status : PAWL_OK;
}

static bool is_blank(const char *text, size_t length) {
    for (size_t i = 0; i < length; i++)
        if (text[i] != ' ' && text[i] != '\t' && text[i] != '\r')
            return false;
    return true;
}

static pawl_status read_lines(struct reader *r, const char *text, size_t length, pawl_error **err) {
    for (size_t at = 0; at < length && !r->stopped;) {
        const char *feed = memchr(text + at, '\n', length - at);
        size_t bytes = feed ? (size_t)(feed - (text + at)) : length - at;
        r->line = r->span.line = r->line + 1;
        if (!is_blank(text + at, bytes)) {
            r->reading->lines++;
            pawl_status status = parse_line(r, text + at, bytes, !feed, err);
            if (status != PAWL_OK)
                return status;
        }
        at += bytes + (feed ? 1 : 0);
    }
    return PAWL_OK;
}

pawl_status pawl_trace_read(const char *text, size_t length, const struct pawl_trace_limits *limits,
                            const struct pawl_trace_sink *sink, struct pawl_trace_reading *ret_reading,
                            pawl_error **err) {
    static const struct pawl_trace_limits defaults = {0};
    struct reader r = {.limits = limits ? *limits : defaults, .sink = sink, .reading = ret_reading};
    memset(ret_reading, 0, sizeof *ret_reading);
    r.limits.max_bytes = pawl_option(r.limits.max_bytes, PAWL_MIB(1024));
    r.limits.max_line_bytes = pawl_option(r.limits.max_line_bytes, PAWL_MIB(64));
    r.limits.max_spans = pawl_option(r.limits.max_spans, 1000000);
    r.limits.max_depth = pawl_option(r.limits.max_depth, 256);
    if (r.limits.max_depth > 1000)
        return pawl_error_set(err, PAWL_E_INVALID, "trace file: max_depth is %llu; at most 1000 is possible",
                              (unsigned long long)r.limits.max_depth);
    if (length > r.limits.max_bytes) {
        ret_reading->unread = length - r.limits.max_bytes;
        length = (size_t)r.limits.max_bytes;
    }
    return read_lines(&r, text, length, err);
}
