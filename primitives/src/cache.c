/* START -> hit: finish | miss: a flight of its own begins | flight up: join it; both park.
 * WAKE -> finish with the flight's outcome; CANCEL -> leave the flight.
 * Without single-flight, or for an input without a key: START -> child; CHILD_DONE -> store and finish. */
#include "cache_internal.h"
#include <stdlib.h>
#include <string.h>

#define MOST_ENTRIES (1u << 24)

enum found { FOUND_HIT, FOUND_FLIGHT, FOUND_OWN_FLIGHT, FOUND_NOTHING };

/* ---- looking ---- */

/* What the key has: a fresh value or a flight to join. What is neither goes. Under the lock. */
static struct cache_entry *find_good(struct cache *cache, const struct cache_key *key, uint64_t now_ns,
                                     struct cache_entry **garbage) {
    struct cache_entry *entry = pawl_cache_find(&cache->store, key->bytes, key->length, key->hash);
    if (!entry || likely(entry->value && now_ns < entry->expires_ns))
        return entry;
    if (entry->value) {
        cache->store.expired++;
        pawl_cache_remove(&cache->store, entry);
        *garbage = entry;
        return NULL;
    }
    if (entry->clears == cache->clears)
        return entry;
    pawl_cache_unlist_flight(entry->flight);
    return NULL;
}

static enum found look_locked(struct cache *cache, struct cache_frame *f, pawl_frame *frame,
                              const struct cache_key *key, uint64_t now_ns, pawl_value **ret_value,
                              struct cache_entry **garbage) {
    struct cache_entry *entry = find_good(cache, key, now_ns, garbage);
    if (!entry)
        return FOUND_NOTHING;
    if (likely(entry->value != NULL)) {
        pawl_cache_touch(&cache->store, entry);
        *ret_value = pawl_value_ref(entry->value);
        cache->hits++;
        return FOUND_HIT;
    }
    if (pawl_cache_is_inside(entry->flight, pawl_frame_context(frame)))
        return FOUND_OWN_FLIGHT;
    cache->shared++;
    pawl_cache_join(entry->flight, f, frame);
    return FOUND_FLIGHT;
}

/* @param offered  A flight to show when nothing is found; NULL none. */
static enum found look(struct cache *cache, struct cache_frame *f, pawl_frame *frame, const struct cache_key *key,
                       uint64_t now_ns, struct flight *offered, pawl_value **ret_value) {
    struct cache_entry *garbage = NULL;
    pthread_mutex_lock(&cache->lock);
    enum found found = look_locked(cache, f, frame, key, now_ns, ret_value, &garbage);
    if (found == FOUND_NOTHING && offered) {
        cache->misses++;
        pawl_cache_show_flight(offered, frame);
        pawl_cache_join(offered, f, frame);
    }
    pthread_mutex_unlock(&cache->lock);
    if (unlikely(garbage != NULL))
        pawl_cache_free_entries(garbage);
    return found;
}

/* ---- answering ---- */

static pawl_step fail(pawl_frame *frame, pawl_event *event, pawl_status status, const char *what) {
    pawl_failure failure = {.size = sizeof failure, .status = status, .what = what};
    return pawl_step_fail(frame, event, &failure);
}

static pawl_step run_child(pawl_frame *frame) {
    return pawl_step_run(frame, pawl_frame_node(frame)->children[0], pawl_frame_input(frame), NULL);
}

static const pawl_instrument lookups = {.size = sizeof lookups,
                                        .name = "pawl.cache.lookups",
                                        .unit = "{lookup}",
                                        .description = "Questions to caches, by what was found.",
                                        .kind = PAWL_COUNTER};

static void note(pawl_frame *frame, const char *found) {
    pawl_context *ctx = pawl_frame_context(frame);
    pawl_frame_set_string(frame, "pawl.cache", found);
    if (likely(!ctx->root->runtime->measurers))
        return;
    const pawl_attribute attributes[] = {pawl_attribute_string("pawl.node.name", pawl_frame_node(frame)->name),
                                         pawl_attribute_string("pawl.cache.result", found)};
    pawl_context_measure(ctx, &lookups, 1, attributes, 2);
}

static pawl_step run_uncached(struct cache *cache, pawl_frame *frame) {
    pthread_mutex_lock(&cache->lock);
    cache->bypassed++;
    pthread_mutex_unlock(&cache->lock);
    note(frame, "bypass");
    return run_child(frame);
}

/* Without single-flight: the entry waits in the frame for its value. */
static pawl_step run_alone(struct cache *cache, struct cache_frame *f, pawl_frame *frame, pawl_event *event,
                           const struct cache_key *key) {
    f->entry = pawl_cache_new_entry(key);
    if (!f->entry)
        return fail(frame, event, PAWL_E_NOMEM, "no memory for an entry");
    pthread_mutex_lock(&cache->lock);
    cache->misses++;
    f->entry->clears = cache->clears;
    pthread_mutex_unlock(&cache->lock);
    note(frame, "miss");
    return run_child(frame);
}

static pawl_step answer(enum found found, struct cache_frame *f, pawl_frame *frame, pawl_event *event,
                        pawl_value *value) {
    switch (found) {
    case FOUND_HIT:
        note(frame, "hit");
        return pawl_step_succeed(frame, event, value);
    case FOUND_OWN_FLIGHT:
        return fail(frame, event, PAWL_E_INVALID,
                    "its child asked for the same key again, which would wait for itself; make the keys differ");
    case FOUND_FLIGHT:
        note(frame, "shared");
        pawl_cache_link(f, frame);
        return pawl_step_park(frame, PAWL_NEVER);
    default:
        note(frame, "miss");
        return pawl_step_park(frame, PAWL_NEVER);
    }
}

/* All memory is taken before the flight is shown; somebody may have come first meanwhile. */
static pawl_step start_flight(struct cache *cache, struct cache_frame *f, pawl_frame *frame, pawl_event *event,
                              const struct cache_key *key, uint64_t now_ns) {
    pawl_value *value = NULL;
    struct flight *flight = pawl_cache_new_flight(cache, frame, key);
    if (!flight)
        return fail(frame, event, PAWL_E_NOMEM, "no memory for a flight");
    enum found found = look(cache, f, frame, key, now_ns, flight, &value);
    if (found == FOUND_NOTHING)
        pawl_cache_begin_flight(flight);
    else
        pawl_cache_drop_flight(flight);
    return answer(found, f, frame, event, value);
}

static pawl_step serve(struct cache *cache, struct cache_frame *f, pawl_frame *frame, pawl_event *event,
                       const struct cache_key *key) {
    pawl_value *value = NULL;
    uint64_t now = cache->ttl_ns == PAWL_UNLIMITED ? 0 : pawl_frame_now(frame);
    if (now > 0 && unlikely(pawl_frame_cancelled(frame) != PAWL_CANCEL_NONE))
        return pawl_step_fail_over(frame, event, NULL); /* a hit after the deadline is late too */
    enum found found = look(cache, f, frame, key, now, NULL, &value);
    if (found != FOUND_NOTHING)
        return answer(found, f, frame, event, value);
    return cache->single_flight ? start_flight(cache, f, frame, event, key, now)
                                : run_alone(cache, f, frame, event, key);
}

static pawl_step begin(struct cache *cache, struct cache_frame *f, pawl_frame *frame, pawl_event *event) {
    struct cache_key key;
    pawl_step step;
    switch (pawl_cache_make_key(&cache->keying, pawl_frame_input(frame), &key)) {
    case CACHE_KEY_MADE:
        step = serve(cache, f, frame, event, &key);
        break;
    case CACHE_KEY_NONE:
        step = run_uncached(cache, frame);
        break;
    default:
        step = fail(frame, event, PAWL_E_NOMEM, "no memory for a long key");
    }
    pawl_cache_release_key(&key);
    return step;
}

/* ---- storing without single-flight ---- */

static void store(struct cache *cache, struct cache_frame *f, pawl_value *value, uint64_t now_ns) {
    struct cache_entry *entry = f->entry, *garbage = NULL;
    f->entry = NULL;
    pthread_mutex_lock(&cache->lock);
    if (!value || entry->clears != cache->clears) {
        garbage = entry;
    } else {
        garbage = pawl_cache_find(&cache->store, entry->key, entry->key_bytes, entry->hash);
        if (garbage)
            pawl_cache_remove(&cache->store, garbage);
        pawl_cache_await(&cache->store, entry);
        pawl_cache_fill(&cache->store, entry, value, now_ns, pawl_cache_expiry(cache, now_ns), &garbage);
        value = NULL;
    }
    pthread_mutex_unlock(&cache->lock);
    pawl_value_unref(value);
    pawl_cache_free_entries(garbage);
}

static pawl_step end_alone(struct cache *cache, struct cache_frame *f, pawl_frame *frame, pawl_event *event) {
    if (f->entry)
        store(cache, f, pawl_cache_value_to_store(cache, pawl_event_outcome(event)), pawl_frame_now(frame));
    return pawl_step_finish(frame, event);
}

/* ---- the step ---- */

static pawl_step leave(struct cache *cache, struct cache_frame *f, pawl_frame *frame, pawl_event *event) {
    if (!pawl_cache_leave(cache, f, pawl_context_cancelled(pawl_frame_context(frame))))
        return pawl_step_park(frame, PAWL_NEVER); /* the outcome is on its way */
    return pawl_step_fail_over(frame, event, NULL);
}

static pawl_step cache_step(const void *state, pawl_frame *frame, pawl_event *event) {
    struct cache *cache = (struct cache *)state; /* guarded by its lock */
    struct cache_frame *f = pawl_frame_memory(frame);
    pawl_step step;
    switch (pawl_event_kind_of(event)) {
    case PAWL_EVENT_START:
        return begin(cache, f, frame, event);
    case PAWL_EVENT_CHILD_DONE:
        return end_alone(cache, f, frame, event);
    case PAWL_EVENT_CANCEL:
        return leave(cache, f, frame, event);
    default:
        return pawl_cache_land(f, frame, event, &step) ? step : begin(cache, f, frame, event);
    }
}

static void destroy(void *state) {
    struct cache *cache = state;
    pawl_cache_release_store(&cache->store);
    pawl_cache_release_keying(&cache->keying);
    pthread_mutex_destroy(&cache->lock);
    free(cache);
}

static const pawl_primitive_vtable cache_vtable = {.size = sizeof cache_vtable,
                                                   .type_name = "cache",
                                                   .step = cache_step,
                                                   .destroy = destroy,
                                                   .wants_cancel = PAWL_WANTS_CANCEL_IN_WAITS};

/* ---- making ---- */

static pawl_status set_up(struct cache *cache, const pawl_cache_options *o, const char *name, pawl_error **err) {
    if (o->ttl_ns == 0 || o->ttl_ns == PAWL_ZERO)
        return pawl_error_set(err, PAWL_E_INVALID,
                              "cache '%s': ttl_ns is required and is 0; set how long a value stays good, or "
                              "PAWL_UNLIMITED for ever",
                              name);
    if (o->max_entries > MOST_ENTRIES)
        return pawl_error_set(err, PAWL_E_INVALID, "cache '%s': max_entries is %llu, between 1 and %u are allowed",
                              name, (unsigned long long)o->max_entries, MOST_ENTRIES);
    cache->ttl_ns = o->ttl_ns;
    cache->single_flight = o->no_single_flight == 0;
    cache->should_store = o->should_store;
    cache->user = o->user;
    pawl_status status = pawl_cache_init_keying(&cache->keying, o, name, err);
    if (status != PAWL_OK)
        return status;
    if (!pawl_cache_init_store(&cache->store, o->max_entries ? (size_t)o->max_entries : 1024))
        return pawl_error_set(err, PAWL_E_NOMEM, "cache '%s': out of memory", name);
    return PAWL_OK;
}

pawl_primitive *pawl_cache_new(const char *name, pawl_primitive *child, const pawl_cache_options *options) {
    pawl_cache_options set;
    pawl_primitive_spec spec = {.size = sizeof spec,
                                .vtable = &cache_vtable,
                                .name = name,
                                .children = PAWL_CHILDREN(child),
                                .frame_bytes = sizeof(struct cache_frame)};
    struct cache *cache = calloc(1, sizeof *cache);
    spec.state = cache;
    if (!cache) {
        pawl_error_set(&spec.failure, PAWL_E_NOMEM, "cache '%s': out of memory", name ? name : "");
        return pawl_primitive_new(&spec);
    }
    pthread_mutex_init(&cache->lock, NULL);
    if (pawl_options_copy(&set, sizeof set, options, "cache", &spec.failure) == PAWL_OK)
        set_up(cache, &set, name ? name : "", &spec.failure);
    return pawl_primitive_new(&spec);
}

/* ---- for the owner ---- */

static struct cache *cache_of(const pawl_primitive *node, pawl_error **err) {
    if (node && node->vtable == &cache_vtable && !node->failure)
        return node->state;
    pawl_error_set(err, PAWL_E_INVALID, "'%s' (%s) is no cache; pass the node that pawl_cache() made",
                   pawl_primitive_name(node), pawl_primitive_type(node));
    return NULL;
}

static pawl_cache_stats read_stats(struct cache *cache) {
    pthread_mutex_lock(&cache->lock);
    pawl_cache_stats stats = {.hits = cache->hits,
                              .misses = cache->misses,
                              .shared = cache->shared,
                              .stored = cache->store.stored,
                              .expired = cache->store.expired,
                              .evicted = cache->store.evicted,
                              .entries = cache->store.count,
                              .bypassed = cache->bypassed};
    pthread_mutex_unlock(&cache->lock);
    return stats;
}

pawl_status pawl_cache_get_stats(const pawl_primitive *node, pawl_cache_stats *ret_stats, pawl_error **err) {
    struct cache *cache = cache_of(node, err);
    if (!cache)
        return PAWL_E_INVALID;
    size_t size = ret_stats ? ret_stats->size : 0;
    if (size < sizeof size)
        return pawl_error_set(err, PAWL_E_INVALID, "cache '%s': stats.size is %zu; set it to sizeof(pawl_cache_stats)",
                              node->name, size);
    pawl_cache_stats stats = read_stats(cache);
    stats.size = size;
    memset(ret_stats, 0, size);
    memcpy(ret_stats, &stats, size < sizeof stats ? size : sizeof stats);
    return PAWL_OK;
}

pawl_status pawl_cache_clear(pawl_primitive *node, pawl_error **err) {
    struct cache *cache = cache_of(node, err);
    if (!cache)
        return PAWL_E_INVALID;
    pthread_mutex_lock(&cache->lock);
    cache->clears++;
    struct cache_entry *garbage = pawl_cache_empty(&cache->store);
    pthread_mutex_unlock(&cache->lock);
    pawl_cache_free_entries(garbage);
    return PAWL_OK;
}
