/* Spans: what happens to few of them; observe_internal.h has what happens to each. */
#include "observe_internal.h"
#include <string.h>

void pawl_observe_place_at_root(struct root *root, pawl_span *span) {
    pawl_root_need_trace_id(root);
    memcpy(span->trace_id, root->trace_id, 16);
    memcpy(span->parent_span_id, root->parent_span_id, 8);
    span->trace_flags = root->trace_flags;
    span->observers = atomic_load_explicit(&root->observers, memory_order_relaxed);
    span->parent_is_remote = root->parent_is_remote;
}

void pawl_observe_tell_described(const pawl_runtime *runtime, pawl_span *span) {
    pawl_error *error = pawl_span_redact(runtime, span);
    pawl_observe_tell(&runtime->span_ends, span);
    pawl_error_unref(error);
}

void pawl_observe_end_failed(pawl_span *span, struct pawl_outcome *outcome) {
    span->described = 1;
    span->status = (uint32_t)outcome->status;
    span->error = pawl_outcome_error(outcome);
    span->cancel_reason = (uint32_t)pawl_error_cancel_reason(span->error);
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

static uint64_t new_span_id(pawl_context *ctx) {
    uint64_t id = 0;
    while (id == 0) /* all zero is no id */
        id = pawl_runtime_random(ctx->root->runtime);
    return id;
}

void pawl_span_init(pawl_context *ctx, pawl_span *span, const char *name) {
    pawl_span_reset(span, NULL, name && *name ? name : PAWL_UNNAMED, "");
    pawl_observe_place(ctx, span, new_span_id(ctx)); /* outside a run all are told, when nobody was asked yet */
    span->described = 1;
    span->start_ns = 0;
}

void pawl_span_open(pawl_context *ctx, pawl_span *span, const char *name) {
    pawl_span_init(ctx, span, name);
    span->start_ns = pawl_context_now(ctx);
    pawl_observe_tell(&ctx->root->runtime->span_starts, span);
}

void pawl_span_close(pawl_context *ctx, pawl_span *span, pawl_status status, const pawl_error *error) {
    span->end_ns = pawl_context_now(ctx);
    span->status = (uint32_t)status;
    span->error = error;
    span->cancel_reason = (uint32_t)pawl_error_cancel_reason(error);
    pawl_observe_tell_described(ctx->root->runtime, span);
    pawl_span_release_grown(span);
}

/* What was set by hand may be nonsense that a collector refuses, and then the whole batch with it. */
static void mend(pawl_context *ctx, pawl_span *span) {
    static const uint8_t none[16] = {0};
    if (memcmp(span->trace_id, none, 16) == 0)
        memcpy(span->trace_id, ctx->root->trace_id, 16);
    if (memcmp(span->span_id, none, 8) == 0)
        memcpy(span->span_id, &(uint64_t){new_span_id(ctx)}, 8);
    pawl_span_set_kind(span, (pawl_span_kind)span->kind);
    if (span->end_ns < span->start_ns)
        span->end_ns = span->start_ns;
}

void pawl_span_tell(pawl_context *ctx, pawl_span *span) {
    mend(ctx, span);
    pawl_observe_tell(&ctx->root->runtime->span_starts, span);
    pawl_observe_tell_described(ctx->root->runtime, span);
    pawl_span_release_grown(span);
}
