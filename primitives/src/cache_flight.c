/* Flights: a miss runs the child as a run of its own, which belongs to those who wait for it.
 *
 *   a flight is | in the table | has waiters | what moves it
 *   ------------+--------------+-------------+----------------------------------------------------------------
 *   up          | yes          | yes         | newcomers join; the last to leave takes it down
 *   overtaken   | no           | yes         | came before a clear: newcomers start another, its outcome is not stored
 *   taken down  | no           | no          | cancelled; ends by itself, its outcome is dropped
 *   ended       | no           | woken       | each waiter takes the outcome at its WAKE and gives its reference back
 *
 * All of it under the cache's lock; waking, cancelling and releasing happen outside. */
#include "cache_internal.h"
#include "error_internal.h"
#include <stdlib.h>
#include <string.h>

struct flight {
    atomic_uint refs; /* of its run, and one per waiter */
    struct cache *cache;
    const pawl_primitive *node; /* the cache's; a reference from when it is shown to its end */
    struct run *run;            /* until it begins */
    pawl_context *root;         /* a reference */
    struct cache_entry *entry;  /* the table's when listed, else its own; NULL once stored */
    bool listed, ended;
    struct cache_frame *waiters;
    /* Once ended: */
    pawl_status status;
    bool grounded; /* its run was cancelled from outside while others waited: the runtime it was on goes away, and
                      those of another one start again */
    pawl_value *value;
    pawl_error *error;
};

static void release(struct flight *flight) {
    if (atomic_fetch_sub_explicit(&flight->refs, 1, memory_order_acq_rel) != 1)
        return;
    pawl_value_unref(flight->value);
    pawl_error_unref(flight->error);
    pawl_cache_free_entries(flight->entry);
    pawl_context_unref(flight->root);
    free(flight);
}

/* ---- its end ---- */

pawl_value *pawl_cache_value_to_store(const struct cache *cache, const pawl_outcome *outcome) {
    if (pawl_outcome_status(outcome) != PAWL_OK || (cache->should_store && !cache->should_store(outcome, cache->user)))
        return NULL;
    return pawl_value_ref(pawl_outcome_value(outcome));
}

void pawl_cache_unlist_flight(struct flight *flight) {
    pawl_cache_remove(&flight->cache->store, flight->entry);
    flight->entry->flight = NULL;
    flight->listed = false;
}

/* Out of the table, or stored in it. Returns those who wait. */
static struct cache_frame *settle(struct flight *flight, pawl_value *value) {
    struct cache *cache = flight->cache;
    struct cache_entry *garbage = NULL;
    uint64_t now = pawl_context_now(flight->root);
    pthread_mutex_lock(&cache->lock);
    if (flight->listed && value && flight->entry->clears == cache->clears) {
        pawl_cache_fill(&cache->store, flight->entry, value, now, pawl_cache_expiry(cache, now), &garbage);
        flight->entry = NULL;
        flight->listed = false;
        value = NULL;
    } else if (flight->listed) {
        pawl_cache_unlist_flight(flight);
    }
    flight->ended = true;
    struct cache_frame *waiters = flight->waiters;
    flight->waiters = NULL;
    pthread_mutex_unlock(&cache->lock);
    pawl_cache_free_entries(garbage);
    pawl_value_unref(value);
    return waiters;
}

/* A success counts for a waiter only if it came before the end of its scope. Once woken a waiter may be gone. */
static void wake_all(struct cache_frame *waiter) {
    while (waiter) {
        struct cache_frame *next = waiter->next;
        waiter->over = pawl_context_cancelled(waiter->ctx);
        pawl_waker_wake(&waiter->waker);
        waiter = next;
    }
}

static void on_end(void *user, struct pawl_outcome *outcome) {
    struct flight *flight = user;
    const pawl_primitive *node = flight->node;
    pawl_value *stored = pawl_cache_value_to_store(flight->cache, outcome);
    if (outcome->status != PAWL_OK)
        pawl_outcome_passed(outcome, node); /* so that the error's path begins with the cache */
    flight->status = outcome->status;
    flight->value = pawl_outcome_take_value(outcome);
    flight->error = pawl_outcome_take_error(outcome);
    flight->grounded = outcome->status != PAWL_OK && pawl_scope_reason(flight->root) != PAWL_CANCEL_NONE;
    wake_all(settle(flight, stored));
    release(flight);
    pawl_primitive_unref((pawl_primitive *)node);
}

/* ---- its start ---- */

struct flight *pawl_cache_new_flight(struct cache *cache, pawl_frame *frame, const struct cache_key *key) {
    struct flight *flight = calloc(1, sizeof *flight);
    if (!flight)
        return NULL;
    atomic_init(&flight->refs, 1);
    flight->cache = cache;
    flight->node = pawl_frame_node(frame);
    flight->entry = pawl_cache_new_entry(key);
    flight->root = pawl_context_detach(pawl_frame_context(frame));
    if (flight->entry && flight->root)
        flight->run = pawl_engine_new_flight(frame->run->loop, flight->node->children[0], flight->root->root,
                                             pawl_frame_input(frame), on_end, flight);
    if (flight->run)
        return flight;
    release(flight);
    return NULL;
}

void pawl_cache_drop_flight(struct flight *flight) {
    if (!flight)
        return;
    pawl_engine_drop_flight(flight->run);
    release(flight);
}

void pawl_cache_show_flight(struct flight *flight, pawl_frame *frame) {
    pawl_primitive_ref((pawl_primitive *)pawl_frame_node(frame));
    flight->listed = true;
    flight->entry->flight = flight;
    flight->entry->clears = flight->cache->clears;
    pawl_cache_await(&flight->cache->store, flight->entry);
}

void pawl_cache_link(const struct cache_frame *f, pawl_frame *frame) {
    pawl_span *span = pawl_context_span_of(pawl_frame_context(frame));
    const struct root *root = f->flight->root->root;
    if (span && memcmp(root->parent_span_id, (uint8_t[8]){0}, 8) != 0) /* that caller may not be observed */
        pawl_span_add_link(span, root->trace_id, root->parent_span_id, NULL, 0);
}

void pawl_cache_begin_flight(struct flight *flight) {
    struct run *run = flight->run;
    flight->run = NULL;
    pawl_engine_begin_flight(run);
}

/* ---- its waiters ---- */

bool pawl_cache_is_inside(const struct flight *flight, const pawl_context *ctx) {
    for (; ctx; ctx = ctx->parent)
        if (ctx->root == flight->root->root)
            return true;
    return false;
}

void pawl_cache_join(struct flight *flight, struct cache_frame *f, pawl_frame *frame) {
    atomic_fetch_add_explicit(&flight->refs, 1, memory_order_relaxed);
    f->flight = flight;
    f->ctx = pawl_frame_context(frame);
    pawl_waker_init(&f->waker, frame);
    f->prev = NULL;
    f->next = flight->waiters;
    if (flight->waiters)
        flight->waiters->prev = f;
    flight->waiters = f;
}

static void unlink_waiter(struct flight *flight, struct cache_frame *f) {
    if (f->prev)
        f->prev->next = f->next;
    else
        flight->waiters = f->next;
    if (f->next)
        f->next->prev = f->prev;
}

bool pawl_cache_leave(struct cache *cache, struct cache_frame *f, pawl_cancel_reason reason) {
    struct flight *flight = f->flight;
    pthread_mutex_lock(&cache->lock);
    bool ended = flight->ended;
    if (!ended)
        unlink_waiter(flight, f);
    bool last = !ended && !flight->waiters;
    if (last && flight->listed)
        pawl_cache_unlist_flight(flight);
    pthread_mutex_unlock(&cache->lock);
    if (ended)
        return false;
    if (last)
        pawl_context_cancel(flight->root, reason, "everyone who waited for this flight has left");
    f->flight = NULL;
    release(flight);
    return true;
}

bool pawl_cache_land(struct cache_frame *f, pawl_frame *frame, pawl_event *event, pawl_step *ret_step) {
    struct flight *flight = f->flight;
    f->flight = NULL;
    bool again = flight->grounded && f->over == PAWL_CANCEL_NONE &&
                 pawl_context_runtime(flight->root) != frame->run->loop->runtime;
    if (f->over != PAWL_CANCEL_NONE)
        *ret_step = pawl_step_fail_over(frame, event, flight->grounded ? NULL : pawl_error_ref(flight->error));
    else if (flight->status == PAWL_OK)
        *ret_step = pawl_step_succeed(frame, event, pawl_value_ref(flight->value));
    else if (!again)
        *ret_step = pawl_step_fail_with(frame, event, pawl_error_ref(flight->error));
    release(flight);
    return !again;
}
