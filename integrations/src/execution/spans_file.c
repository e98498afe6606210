/* Spans that the program wrote join the trace: it finds the file's name in PAWL_SPANS_FILE, and the file comes back
 * like any other it made. Nothing in it is trusted: it is bounded, has to name this very trace, and each span is
 * marked. */
#include "spans_file_internal.h"
#include "clock_internal.h"
#include "observe_internal.h"
#include "spans_budget_internal.h"
#include "trace_reader_internal.h"
#include <pawl/observer.h>
#include <stdlib.h>
#include <string.h>

#define MOST_BYTES PAWL_MIB(1)
#define MOST_SPANS 1000u
#define MOST_ITEMS 128u /* attributes, events and links of one span, each */
#define MOST_DEPTH 32u

struct reading {
    pawl_context *ctx;
    struct pawl_redaction redaction;
    uint8_t trace_id[16], own_span_id[8];
    uint64_t earliest_ns, latest_ns; /* monotonic: a program may tell no other times */
    int64_t wall_offset_ns;
    int64_t told, refused, dropped; /* dropped: for want of budget */
};

/* ---- one span ---- */

/* Keys and names of the host's own spans are its program's text; these may be anything. */
static const char *clean_name(const struct reading *r, pawl_span *span, const char *name) {
    char *made;
    const char *shown = pawl_redact_shown(&r->redaction, NULL, name, strlen(name), &made);
    const char *kept = made ? pawl_span_keep_text(span, made) : shown;
    free(made);
    return kept ? kept : PAWL_REDACTED;
}

static uint64_t to_monotonic(const struct reading *r, uint64_t unix_ns) {
    int64_t offset = r->wall_offset_ns;
    uint64_t ns = offset > 0 && unix_ns < (uint64_t)offset ? 0 : unix_ns - (uint64_t)offset;
    return ns < r->earliest_ns ? r->earliest_ns : ns > r->latest_ns ? r->latest_ns : ns;
}

/* A list as its JSON. */
static void set_items(pawl_span *span, const char *key, const cJSON *items) {
    char *text = items ? cJSON_PrintUnformatted(items) : NULL;
    pawl_span_set_string(span, key, text ? text : "");
    cJSON_free(text);
}

static void set_attribute(pawl_span *span, const char *key, const struct pawl_otlp_any *value) {
    switch (value->type) {
    case PAWL_OTLP_BOOL:
        pawl_span_set_bool(span, key, value->boolean);
        break;
    case PAWL_OTLP_INT:
        pawl_span_set_int(span, key, value->integer);
        break;
    case PAWL_OTLP_DOUBLE:
        pawl_span_set_double(span, key, value->number);
        break;
    case PAWL_OTLP_ARRAY:
    case PAWL_OTLP_MAP:
        set_items(span, key, value->items);
        break;
    default:
        pawl_span_set_string(span, key, value->string);
    }
}

static void take_attributes(const struct reading *r, pawl_span *span, const cJSON *list) {
    for (const cJSON *item = pawl_otlp_first(list); item && span->attribute_count < MOST_ITEMS; item = item->next) {
        const char *key;
        struct pawl_otlp_any value;
        if (pawl_otlp_attribute(item, &key, &value))
            set_attribute(span, clean_name(r, span, key), &value);
    }
}

/* Plain values only: an event's attributes are a note, not a document. */
static size_t read_attributes(const struct reading *r, pawl_span *span, const cJSON *list, pawl_attribute *attributes,
                              size_t most) {
    size_t count = 0;
    for (const cJSON *item = pawl_otlp_first(list); item && count < most; item = item->next) {
        const char *key;
        struct pawl_otlp_any value;
        if (!pawl_otlp_attribute(item, &key, &value))
            continue;
        key = clean_name(r, span, key);
        if (value.type == PAWL_OTLP_STRING)
            attributes[count++] = pawl_attribute_string(key, value.string);
        else if (value.type == PAWL_OTLP_INT)
            attributes[count++] = pawl_attribute_int(key, value.integer);
        else if (value.type == PAWL_OTLP_DOUBLE)
            attributes[count++] = pawl_attribute_double(key, value.number);
        else if (value.type == PAWL_OTLP_BOOL)
            attributes[count++] = pawl_attribute_bool(key, value.boolean);
    }
    return count;
}

static void take_events(const struct reading *r, pawl_span *span, const cJSON *list) {
    pawl_attribute attributes[16];
    for (const cJSON *item = pawl_otlp_first(list); item && span->event_count < MOST_ITEMS; item = item->next) {
        struct pawl_trace_event event;
        if (!pawl_otlp_event(item, &event))
            continue;
        size_t count = read_attributes(r, span, event.attributes, attributes, sizeof attributes / sizeof *attributes);
        pawl_span_add_event(span, clean_name(r, span, event.name), to_monotonic(r, event.time_ns), attributes, count);
    }
}

static void take_links(pawl_span *span, const cJSON *list) {
    for (const cJSON *item = pawl_otlp_first(list); item && span->link_count < MOST_ITEMS; item = item->next) {
        struct pawl_trace_link link;
        if (pawl_otlp_link(item, &link))
            pawl_span_add_link(span, link.trace_id, link.span_id, NULL, 0);
    }
}

static void place(const struct reading *r, pawl_span *span, const struct pawl_trace_span *from) {
    static const uint8_t none[8] = {0};
    memcpy(span->span_id, from->span_id, 8);
    if (memcmp(from->parent_span_id, none, 8) != 0)
        memcpy(span->parent_span_id, from->parent_span_id, 8);
    span->start_ns = to_monotonic(r, from->start_ns);
    span->end_ns = to_monotonic(r, from->end_ns);
    if (span->end_ns < span->start_ns)
        span->end_ns = span->start_ns;
    span->kind = from->kind >= PAWL_SPAN_INTERNAL && from->kind <= PAWL_SPAN_CONSUMER ? from->kind : PAWL_SPAN_INTERNAL;
}

/* With the id of its own execution, which it knows, a program could stand before what really happened. */
static bool may_join(const struct reading *r, const struct pawl_trace_span *from) {
    return memcmp(from->trace_id, r->trace_id, 16) == 0 && memcmp(from->span_id, r->own_span_id, 8) != 0;
}

static struct pawl_spans_amount take_budget(const struct reading *r, uint64_t spans, uint64_t bytes) {
    return pawl_spans_budget_take(pawl_context_runtime(r->ctx), r->trace_id,
                                  (struct pawl_spans_amount){.spans = spans, .bytes = bytes});
}

static bool take_span(void *user, const struct pawl_trace_span *from) {
    struct reading *r = user;
    pawl_span span;
    pawl_error *error = NULL;
    if (!may_join(r, from)) {
        r->refused++;
        return true;
    }
    if (!take_budget(r, 1, 0).spans) {
        r->dropped++;
        return true;
    }
    pawl_span_init(r->ctx, &span, from->name);
    span.name = clean_name(r, &span, from->name);
    place(r, &span, from);
    pawl_span_set_string(&span, "pawl.span.source", "sandbox");
    take_attributes(r, &span, from->attributes);
    pawl_span_set_string(&span, "pawl.span.source", "sandbox"); /* whatever the program says */
    take_events(r, &span, from->events);
    take_links(&span, from->links);
    if (from->status.code == 2)
        span.status = (uint32_t)pawl_error_set(&error, PAWL_E_FAILED, "%s", from->status.message);
    span.error = error;
    pawl_span_tell(r->ctx, &span);
    pawl_error_unref(error);
    r->told++;
    return true;
}

/* ---- the file ---- */

static int64_t count_lines(const char *text, size_t length) {
    int64_t lines = 0;
    for (size_t i = 0; i < length; i++)
        lines += text[i] == '\n' || i + 1 == length;
    return lines;
}

static void read_spans(struct reading *r, const char *text, size_t length) {
    size_t readable = length < MOST_BYTES ? length : MOST_BYTES;
    size_t paid = (size_t)take_budget(r, 0, readable).bytes;
    const struct pawl_trace_limits limits = {
        .max_bytes = MOST_BYTES, .max_line_bytes = MOST_BYTES, .max_spans = MOST_SPANS, .max_depth = MOST_DEPTH};
    const struct pawl_trace_sink sink = {.user = r, .span = take_span};
    struct pawl_trace_reading found = {0};
    pawl_trace_read(text, paid, &limits, &sink, &found, NULL);
    bool is_cut = length > readable || (found.cut_off && paid == readable);
    r->refused += (int64_t)(found.bad_spans + found.bad_lines + found.over_limit + is_cut);
    r->dropped += count_lines(text + paid, readable - paid); /* a span each, as a rule */
}

static void tell_count(pawl_context *ctx, const char *key, int64_t count) {
    if (count)
        pawl_context_set_int(ctx, key, count);
}

static void tell_spans(pawl_context *ctx, const char *text, size_t length) {
    struct reading reading = {.ctx = ctx,
                              .redaction = pawl_redaction_of(pawl_context_runtime(ctx), true),
                              .earliest_ns = pawl_context_span_of(ctx)->start_ns,
                              .latest_ns = pawl_context_now(ctx),
                              .wall_offset_ns = pawl_runtime_wall_offset(pawl_context_runtime(ctx))};
    pawl_context_trace_id(ctx, reading.trace_id);
    pawl_context_span_id(ctx, reading.own_span_id);
    read_spans(&reading, text, length);
    tell_count(ctx, "pawl.sandbox.spans", reading.told);
    tell_count(ctx, "pawl.sandbox.spans_refused", reading.refused);
    tell_count(ctx, "pawl.sandbox.spans_dropped", reading.dropped);
}

/* Values that only this execution knows as secret are hidden here; what all know goes with the rest of the spans. */
static void tell_clean_spans(pawl_context *ctx, const pawl_collected_file *file,
                             const struct pawl_redaction *redaction) {
    struct pawl_redaction values = *redaction;
    size_t length = (size_t)file->length, clean_length = 0;
    char *clean = NULL;
    values.shapes = false; /* they would break the JSON */
    if (!pawl_redact_text(&values, file->bytes, length, &clean, &clean_length))
        return;
    tell_spans(ctx, clean ? clean : file->bytes, clean ? clean_length : length);
    free(clean);
}

static void release(pawl_collected_file *file) {
    free(file->path);
    free(file->bytes);
}

void pawl_spans_file_take(pawl_context *ctx, pawl_execution_result *result, const struct pawl_redaction *redaction) {
    if (result->file_count == 0)
        return;
    pawl_collected_file *last = &result->files[result->file_count - 1];
    if (!last->path || strcmp(last->path, PAWL_SPANS_FILE_NAME) != 0)
        return;
    if (last->kind == PAWL_COLLECTED_FILE)
        tell_clean_spans(ctx, last, redaction);
    else if (last->kind != PAWL_COLLECTED_ABSENT)
        pawl_context_set_int(ctx, "pawl.sandbox.spans_refused", 1);
    release(last);
    result->file_count--;
}
