/* Spans: what observers are told. Ids come from the loop's generator; strings are copied into the span's own bounded
 * text. */
#include "engine_internal.h"
#include <string.h>

static void make_span_id(struct loop *loop, pawl_context *ctx, uint8_t id[8]) {
    uint64_t number = 0;
    while (number == 0) /* all zero is no id */
        number = loop ? pawl_random_next(&loop->random) : pawl_runtime_random(ctx->root->runtime);
    memcpy(id, &number, 8);
}

/* Hooks may move their clock between any two events. */
static uint64_t read_once(struct loop *loop) {
    if (!loop->clock_is_fresh || loop->runtime->hooks)
        pawl_loop_read_clock(loop);
    loop->clock_is_fresh = true;
    return loop->now_ns;
}

static uint64_t start_time(struct loop *loop, const pawl_context *ctx) {
    if (!loop)
        return pawl_context_now(ctx);
    return read_once(loop);
}

static void init_span(struct loop *loop, pawl_context *ctx, pawl_span *span, const char *name, const char *type) {
    struct root *root = ctx->root;
    pawl_root_need_trace_id(root);
    span->parent = ctx->span;
    span->name = name;
    span->type = type;
    span->start_ns = start_time(loop, ctx);
    span->end_ns = 0;
    memcpy(span->trace_id, root->trace_id, 16);
    make_span_id(loop, ctx, span->span_id);
    memcpy(span->parent_span_id, ctx->span ? ctx->span->span_id : root->parent_span_id, 8);
    span->status = span->cancel_reason = 0;
    span->error = NULL;
    span->observer_data[0] = span->observer_data[1] = NULL;
    span->attribute_count = span->event_count = span->dropped = span->text_used = 0;
}

static void tell_start(pawl_runtime *runtime, const pawl_span *span) {
    for (size_t i = 0; i < runtime->observer_count; i++)
        if (runtime->observers[i].vtable->span_start)
            runtime->observers[i].vtable->span_start(runtime->observers[i].self, span);
}

static void tell_end(pawl_runtime *runtime, const pawl_span *span) {
    for (size_t i = 0; i < runtime->observer_count; i++)
        if (runtime->observers[i].vtable->span_end)
            runtime->observers[i].vtable->span_end(runtime->observers[i].self, span);
}

void pawl_observe_start(struct loop *loop, pawl_context *ctx, pawl_span *span, const char *name, const char *type) {
    init_span(loop, ctx, span, name, type);
    ctx->span = span;
    tell_start(loop->runtime, span);
}

void pawl_observe_end(struct loop *loop, pawl_context *ctx, pawl_span *span, struct pawl_outcome *outcome) {
    (void)ctx;
    span->end_ns = read_once(loop);
    span->status = (uint32_t)outcome->status;
    if (outcome->status != PAWL_OK) {
        span->error = pawl_outcome_error(outcome);
        span->cancel_reason = (uint32_t)pawl_error_cancel_reason(span->error);
    }
    tell_end(loop->runtime, span);
}

/* ---- attributes ---- */

static pawl_attribute *add_attribute(pawl_span *span, const char *key, pawl_attribute_type type) {
    for (uint32_t i = 0; i < span->attribute_count; i++)
        if (strcmp(span->attributes[i].key, key) == 0) {
            span->attributes[i].type = type;
            return &span->attributes[i];
        }
    if (span->attribute_count == PAWL_SPAN_ATTRIBUTES) {
        span->dropped++;
        return NULL;
    }
    pawl_attribute *attribute = &span->attributes[span->attribute_count++];
    attribute->key = key;
    attribute->type = type;
    return attribute;
}

/* Copies what fits; a cut never leaves half a UTF-8 character. */
static const char *keep_text(pawl_span *span, const char *text) {
    size_t room = PAWL_SPAN_TEXT - span->text_used, length = strlen(text);
    if (room <= 1)
        return "";
    if (length >= room) {
        length = room - 1;
        while (length > 0 && ((unsigned char)text[length] & 0xC0) == 0x80)
            length--;
    }
    char *copy = span->text + span->text_used;
    memcpy(copy, text, length);
    copy[length] = '\0';
    span->text_used += (uint32_t)length + 1;
    return copy;
}

void pawl_span_set_string(pawl_span *span, const char *key, const char *text) {
    pawl_attribute *attribute = add_attribute(span, key, PAWL_ATTRIBUTE_STRING);
    if (attribute)
        attribute->value.string = keep_text(span, text ? text : "");
}

void pawl_span_set_int(pawl_span *span, const char *key, int64_t number) {
    pawl_attribute *attribute = add_attribute(span, key, PAWL_ATTRIBUTE_INT);
    if (attribute)
        attribute->value.integer = number;
}

void pawl_span_set_double(pawl_span *span, const char *key, double number) {
    pawl_attribute *attribute = add_attribute(span, key, PAWL_ATTRIBUTE_DOUBLE);
    if (attribute)
        attribute->value.number = number;
}

void pawl_span_set_bool(pawl_span *span, const char *key, bool flag) {
    pawl_attribute *attribute = add_attribute(span, key, PAWL_ATTRIBUTE_BOOL);
    if (attribute)
        attribute->value.boolean = flag;
}

/* ---- from inside a node ---- */

bool(pawl_context_is_observed)(const pawl_context *ctx) {
    return ctx->span != NULL;
}

void pawl_context_set_string(pawl_context *ctx, const char *key, const char *text) {
    if (ctx->span)
        pawl_span_set_string(ctx->span, key, text);
}

void pawl_context_set_int(pawl_context *ctx, const char *key, int64_t number) {
    if (ctx->span)
        pawl_span_set_int(ctx->span, key, number);
}

void pawl_context_set_double(pawl_context *ctx, const char *key, double number) {
    if (ctx->span)
        pawl_span_set_double(ctx->span, key, number);
}

void pawl_context_set_bool(pawl_context *ctx, const char *key, bool flag) {
    if (ctx->span)
        pawl_span_set_bool(ctx->span, key, flag);
}

void pawl_context_add_event(pawl_context *ctx, const char *name) {
    pawl_span *span = ctx->span;
    if (!span)
        return;
    if (span->event_count == PAWL_SPAN_EVENTS)
        span->dropped++;
    else
        span->events[span->event_count++] = (pawl_span_event){.name = name, .time_ns = pawl_context_now(ctx)};
}

/* ---- spans opened by hand ---- */

void pawl_span_open(pawl_context *ctx, pawl_span *span, const char *name) {
    init_span(NULL, ctx, span, name, "");
    tell_start(ctx->root->runtime, span);
}

void pawl_span_close(pawl_context *ctx, pawl_span *span, pawl_status status, const pawl_error *error) {
    span->end_ns = pawl_context_now(ctx);
    span->status = (uint32_t)status;
    span->error = error;
    span->cancel_reason = (uint32_t)pawl_error_cancel_reason(error);
    tell_end(ctx->root->runtime, span);
}
