/* Spans: when they begin and end, where they belong, and who is told. Ids come from the loop's generator. */
#include "observe_internal.h"
#include <string.h>

static void make_span_id(struct loop *loop, pawl_context *ctx, uint8_t id[8]) {
    uint64_t number = 0;
    while (number == 0) /* all zero is no id */
        number = loop ? pawl_random_next(&loop->random) : pawl_runtime_random(ctx->root->runtime);
    memcpy(id, &number, 8);
}

/* Hooks may move their clock between any two events. */
static inline uint64_t read_once(struct loop *loop) {
    if (!loop->clock_is_fresh || loop->runtime->hooks)
        pawl_loop_read_clock(loop);
    loop->clock_is_fresh = true;
    return loop->now_ns;
}

static inline void place_span(struct loop *loop, pawl_context *ctx, pawl_span *span) {
    struct root *root = ctx->root;
    pawl_root_need_trace_id(root);
    span->parent = ctx->span;
    span->ctx = ctx;
    memcpy(span->trace_id, root->trace_id, 16);
    make_span_id(loop, ctx, span->span_id);
    memcpy(span->parent_span_id, ctx->span ? ctx->span->span_id : root->parent_span_id, 8);
    span->parent_is_remote = !ctx->span && root->parent_is_remote;
    span->trace_flags = root->trace_flags;
}

static inline void tell_start(const pawl_runtime *runtime, const pawl_span *span) {
    for (uint32_t left = span->observers & atomic_load_explicit(&runtime->hear_start, memory_order_relaxed); left;
         left &= left - 1) {
        const struct observer *observer = &runtime->observers[__builtin_ctz(left)];
        observer->vtable.span_start(observer->self, span);
    }
}

static inline void tell_end(const pawl_runtime *runtime, pawl_span *span) {
    pawl_error *error = pawl_span_redact(runtime, span);
    for (uint32_t left = span->observers & atomic_load_explicit(&runtime->hear_end, memory_order_relaxed); left;
         left &= left - 1) {
        const struct observer *observer = &runtime->observers[__builtin_ctz(left)];
        observer->vtable.span_end(observer->self, span);
    }
    if (unlikely(error != NULL))
        pawl_error_unref(error);
    pawl_span_release_grown(span);
}

void pawl_observe_start(struct loop *loop, pawl_context *ctx, pawl_span *span, const pawl_primitive *node) {
    pawl_span_reset(span, node, node->name, node->type);
    place_span(loop, ctx, span);
    span->observers = atomic_load_explicit(&ctx->root->observers, memory_order_relaxed);
    span->start_ns = read_once(loop);
    ctx->span = span;
    tell_start(loop->runtime, span);
}

void pawl_observe_end(struct loop *loop, pawl_span *span, struct pawl_outcome *outcome) {
    span->end_ns = read_once(loop);
    span->status = (uint32_t)outcome->status;
    if (outcome->status != PAWL_OK) {
        span->error = pawl_outcome_error(outcome);
        span->cancel_reason = (uint32_t)pawl_error_cancel_reason(span->error);
    }
    tell_end(loop->runtime, span);
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
    if (ctx->span)
        pawl_span_add_event_at(ctx->span, name, pawl_context_now(ctx), NULL, 0);
}

void pawl_runtime_set_content(pawl_runtime *runtime, bool recorded) {
    if (runtime)
        atomic_store(&runtime->records_content, recorded);
}

bool pawl_context_records_content(const pawl_context *ctx) {
    return ctx->span && atomic_load(&ctx->root->runtime->records_content);
}

pawl_span *pawl_context_span_of(const pawl_context *ctx) {
    return ctx->span;
}

void pawl_span_add_event(pawl_span *span, const char *name, uint64_t time_ns, const pawl_attribute *attributes,
                         size_t attribute_count) {
    uint64_t now = time_ns || !span->ctx ? time_ns : pawl_context_now(span->ctx);
    pawl_span_add_event_at(span, name, now, attributes, attribute_count);
}

/* ---- spans opened by hand ---- */

void pawl_span_init(pawl_context *ctx, pawl_span *span, const char *name) {
    pawl_span_reset(span, NULL, name && *name ? name : PAWL_UNNAMED, "");
    place_span(NULL, ctx, span);
    span->observers = atomic_load(&ctx->root->observers); /* outside a run all, when nobody was asked yet */
    span->start_ns = 0;
}

void pawl_span_open(pawl_context *ctx, pawl_span *span, const char *name) {
    pawl_span_init(ctx, span, name);
    span->start_ns = pawl_context_now(ctx);
    tell_start(ctx->root->runtime, span);
}

void pawl_span_close(pawl_context *ctx, pawl_span *span, pawl_status status, const pawl_error *error) {
    span->end_ns = pawl_context_now(ctx);
    span->status = (uint32_t)status;
    span->error = error;
    span->cancel_reason = (uint32_t)pawl_error_cancel_reason(error);
    tell_end(ctx->root->runtime, span);
}

/* What was set by hand may be nonsense that a collector refuses, and then the whole batch with it. */
static void mend(pawl_context *ctx, pawl_span *span) {
    static const uint8_t none[16] = {0};
    if (memcmp(span->trace_id, none, 16) == 0)
        memcpy(span->trace_id, ctx->root->trace_id, 16);
    if (memcmp(span->span_id, none, 8) == 0)
        make_span_id(NULL, ctx, span->span_id);
    pawl_span_set_kind(span, (pawl_span_kind)span->kind);
    if (span->end_ns < span->start_ns)
        span->end_ns = span->start_ns;
}

void pawl_span_tell(pawl_context *ctx, pawl_span *span) {
    mend(ctx, span);
    tell_start(ctx->root->runtime, span);
    tell_end(ctx->root->runtime, span);
}
