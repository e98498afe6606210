/* How the engine tells observers, beside what the public header says. What happens at each span is here, inline: a node
 * that does little should not cost much more when it is observed. */
#ifndef PAWL_OBSERVE_INTERNAL_H
#define PAWL_OBSERVE_INTERNAL_H

#include "engine_internal.h"
#include <string.h>

#define HOT static inline __attribute__((always_inline)) /* on every step */

/* ---- span.c ---- */
#define SPAN_SLOTS(span, slots) ((uint32_t)(sizeof(span)->slots / sizeof *(span)->slots))

#define PAWL_UNNAMED "unnamed" /* collectors refuse a span, and a batch with it, that has no name */

/* Makes it an empty span; ids, start, parent and observers stay as they are. */
static inline void pawl_span_reset(pawl_span *span, const pawl_primitive *node, const char *name, const char *type) {
    span->node = node;
    span->name = name;
    span->type = type;
    span->kind = PAWL_SPAN_INTERNAL;
    /* in two pieces, since for a longer one gcc takes an instruction that is slow to start */
    memset(&span->end_ns, 0, offsetof(pawl_span, error) - offsetof(pawl_span, end_ns));
    memset(&span->error, 0, offsetof(pawl_span, attribute_slots) - offsetof(pawl_span, error));
}

/* The first attribute of a span that was just reset, which does not make it a described one. */
static inline void pawl_span_first_int(pawl_span *span, const char *key, int64_t number) {
    span->attribute_slots[0] = pawl_attribute_int(key, number);
    span->attributes = span->attribute_slots;
    span->attribute_room = SPAN_SLOTS(span, attribute_slots);
    span->attribute_count = 1;
}

/* The same of a span that has such a one; without a number nobody looks there. */
static inline void pawl_span_renumber(pawl_span *span, const char *key, int64_t number) {
    span->attribute_slots[0].key = key;
    span->attribute_slots[0].value.integer = number;
}

void pawl_span_release_grown(pawl_span *span);
void pawl_span_add_event_at(pawl_span *span, const char *name, uint64_t time_ns, const pawl_attribute *attributes,
                            size_t attribute_count);
/* Sets an attribute of any type. */
void pawl_span_set(pawl_span *span, const pawl_attribute *attribute);
/* Copies a string to where the span's are; NULL without memory. */
const char *pawl_span_keep_text(pawl_span *span, const char *text);

/* ---- observe_redact.c ---- */
/* Hides secrets in all texts of the span. Returns the error that it points to then, to be released after it was told;
 * NULL for none. */
pawl_error *pawl_span_redact(const pawl_runtime *runtime, pawl_span *span);

/* ---- telling ---- */

/* Of a span that somebody set something on, to be released then. */
void pawl_observe_tell_described(const pawl_runtime *runtime, pawl_span *span);

HOT void pawl_observe_tell_one(const struct span_call *call, const pawl_span *span) {
    if (likely(span->observers & call->bit))
        call->fn(call->self, span);
}

/* The first two, a tracer and metrics, are called from places of their own, so that the processor knows where to. */
HOT void pawl_observe_tell(const struct span_calls *calls, const pawl_span *span) {
    size_t count = atomic_load_explicit(&calls->count, memory_order_relaxed);
    if (count > 0)
        pawl_observe_tell_one(&calls->items[0], span);
    if (count > 1)
        pawl_observe_tell_one(&calls->items[1], span);
    for (size_t i = 2; unlikely(i < count); i++)
        pawl_observe_tell_one(&calls->items[i], span);
}

/* ---- a node's span ---- */

/* Hooks may move their clock between any two events. */
HOT uint64_t pawl_observe_now(struct loop *loop) {
    if (!loop->clock_is_fresh) {
        pawl_loop_read_clock(loop);
        loop->clock_is_fresh = !loop->runtime->hooks;
    }
    return loop->now_ns;
}

/* A Weyl sequence with a random beginning for each loop: no id twice in 2^64, and those of two loops (or processes)
 * meet as rarely as random ones would. The step is odd, about 2^64 over the golden ratio, so that ids look unlike each
 * other.
 */
HOT uint64_t pawl_observe_span_id(struct loop *loop) {
    do /* all zero is no id */
        loop->last_span_id += UINT64_C(0x9E3779B97F4A7C15);
    while (unlikely(loop->last_span_id == 0));
    return loop->last_span_id;
}

void pawl_observe_place_at_root(struct root *root, pawl_span *span);

/* Beneath the span that is open in ctx. */
HOT void pawl_observe_place(pawl_context *ctx, pawl_span *span, uint64_t id) {
    const pawl_span *parent = ctx->span;
    span->parent = parent;
    span->ctx = ctx;
    memcpy(span->span_id, &id, 8);
    if (unlikely(!parent)) {
        pawl_observe_place_at_root(ctx->root, span);
        return;
    }
    memcpy(span->trace_id, parent->trace_id, 16);
    memcpy(span->parent_span_id, parent->span_id, 8);
    span->trace_flags = parent->trace_flags;
    span->observers = parent->observers;
    span->parent_is_remote = 0;
}

/* For the next leaf in the place of one whose span was not described: what is the same beneath one parent stays. */
HOT void pawl_observe_reopen(struct loop *loop, pawl_context *ctx, pawl_span *span, const pawl_primitive *node) {
    uint64_t id = pawl_observe_span_id(loop);
    memcpy(span->span_id, &id, 8);
    span->ctx = ctx;
    span->node = node;
    span->name = node->name;
    span->type = node->type;
    span->end_ns = 0;
    span->start_ns = pawl_observe_now(loop);
    ctx->span = span;
}

/* The node's span is the one that is open in ctx from here on; what is known of it can be set before it is told. */
HOT void pawl_observe_open(struct loop *loop, pawl_context *ctx, pawl_span *span, const pawl_primitive *node,
                           bool is_instant) {
    pawl_span_reset(span, node, node->name, node->type);
    if (is_instant)
        span->is_instant = 1;
    pawl_observe_place(ctx, span, pawl_observe_span_id(loop));
    span->start_ns = pawl_observe_now(loop);
    ctx->span = span;
}

HOT void pawl_observe_start(const pawl_runtime *runtime, const pawl_span *span, bool is_instant) {
    pawl_observe_tell(is_instant ? &runtime->instant_starts : &runtime->span_starts, span);
}

void pawl_observe_end_failed(pawl_span *span, struct pawl_outcome *outcome);

/* pawl_observe_release() must follow. */
HOT void pawl_observe_end(struct loop *loop, pawl_span *span, struct pawl_outcome *outcome) {
    span->end_ns = pawl_observe_now(loop);
    if (unlikely(outcome->status != PAWL_OK))
        pawl_observe_end_failed(span, outcome);
    if (likely(!span->described))
        pawl_observe_tell(&loop->runtime->span_ends, span);
    else
        pawl_observe_tell_described(loop->runtime, span);
}

/* Releases what was set on a span that was told; also by those whom it was told. */
HOT void pawl_observe_release(pawl_span *span) {
    if (unlikely(span->described))
        pawl_span_release_grown(span);
}

#endif
