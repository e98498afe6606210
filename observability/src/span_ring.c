#include "span_ring_internal.h"
#include <stdlib.h>
#include <string.h>

#define MOST_LEASED 16u

/* ---- chunks ---- */

static void give_chunk(struct pawl_span_rings *rings, struct pawl_span_chunk *chunk) {
    pthread_mutex_lock(&rings->free_lock);
    bool kept = rings->free_count < rings->most_free;
    if (kept) {
        chunk->next_free = rings->free_chunks;
        rings->free_chunks = chunk;
        rings->free_count++;
    }
    pthread_mutex_unlock(&rings->free_lock);
    if (!kept)
        free(chunk);
}

/* NULL when there is none, or somebody else is about to take one. */
static struct pawl_span_chunk *take_chunk(struct pawl_span_rings *rings) {
    if (pthread_mutex_trylock(&rings->free_lock) != 0)
        return NULL;
    struct pawl_span_chunk *chunk = rings->free_chunks;
    if (chunk) {
        rings->free_chunks = chunk->next_free;
        rings->free_count--;
    }
    pthread_mutex_unlock(&rings->free_lock);
    return chunk;
}

static struct pawl_span_chunk *new_chunk(struct pawl_span_rings *rings) {
    struct pawl_span_chunk *chunk = take_chunk(rings);
    if (!chunk)
        chunk = aligned_alloc(PAWL_CACHE_LINE, sizeof *chunk);
    if (chunk)
        chunk->next = chunk->next_free = NULL;
    return chunk;
}

/* ---- writing ---- */

static void wake_if_due(struct pawl_span_rings *rings, int64_t credits) {
    if (credits <= atomic_load_explicit(&rings->wake_below, memory_order_relaxed) &&
        atomic_exchange_explicit(&rings->wake_below, INT64_MIN, memory_order_relaxed) != INT64_MIN)
        rings->wake(rings->user);
}

/* False: the queue is full. */
bool pawl_span_ring_lease(struct pawl_span_ring *ring) {
    struct pawl_span_rings *rings = ring->rings;
    int64_t left = atomic_load_explicit(&rings->credits, memory_order_relaxed), taken;
    do {
        taken = left < rings->lease ? left : rings->lease;
        if (taken <= 0) {
            wake_if_due(rings, left);
            return false;
        }
    } while (!atomic_compare_exchange_weak_explicit(&rings->credits, &left, left - taken, memory_order_relaxed,
                                                    memory_order_relaxed));
    ring->lease = (uint64_t)taken;
    wake_if_due(rings, left - taken);
    return true;
}

static struct pawl_span_record *record_at(struct pawl_span_line *line) {
    return (struct pawl_span_record *)(void *)line;
}

/* The chunk has too little room, or there is none yet. */
bool pawl_span_ring_extend(struct pawl_span_ring *ring) {
    struct pawl_span_chunk *chunk = new_chunk(ring->rings);
    if (!chunk)
        return false;
    if (ring->at != ring->stop)
        record_at(ring->at)->bits = PAWL_RECORD_NONE;
    if (ring->chunk)
        ring->chunk->next = chunk;
    else
        atomic_store_explicit(&ring->begin, chunk, memory_order_relaxed);
    ring->chunk = chunk;
    ring->at = chunk->lines;
    ring->stop = chunk->lines + PAWL_CHUNK_LINES;
    return true;
}

/* ---- reading ---- */

static bool is_read(const struct pawl_span_ring *ring) {
    return ring->line == PAWL_CHUNK_LINES || record_at(&ring->first->lines[ring->line])->bits & PAWL_RECORD_NONE;
}

/* The next record, which must be there: the reader does not follow to a chunk before. */
static struct pawl_span_record *step(struct pawl_span_ring *ring) {
    if (!ring->first)
        ring->first = atomic_load_explicit(&ring->begin, memory_order_relaxed);
    if (is_read(ring)) {
        struct pawl_span_chunk *done = ring->first;
        ring->first = done->next;
        ring->line = 0;
        give_chunk(ring->rings, done);
    }
    struct pawl_span_record *record = record_at(&ring->first->lines[ring->line]);
    ring->line += pawl_record_lines(pawl_record_is_plain(record));
    return record;
}

static size_t take_from(struct pawl_span_ring *ring, struct pawl_span_record *to, size_t most) {
    uint64_t taken = atomic_load_explicit(&ring->taken, memory_order_relaxed);
    uint64_t waiting = atomic_load_explicit(&ring->recorded, memory_order_acquire) - taken;
    size_t count = waiting < most ? (size_t)waiting : most;
    for (size_t i = 0; i < count; i++) {
        const struct pawl_span_record *record = step(ring);
        memcpy(&to[i], record, pawl_record_size(record));
    }
    atomic_store_explicit(&ring->taken, taken + count, memory_order_relaxed);
    return count;
}

/* Goes on where it stopped the last time: no busy thread keeps the others waiting. */
size_t pawl_span_rings_take(struct pawl_span_rings *rings, struct pawl_span_record *to, size_t most) {
    struct pawl_span_ring *first = atomic_load_explicit(&rings->first, memory_order_acquire);
    struct pawl_span_ring *begin = rings->cursor ? rings->cursor : first, *ring = begin;
    size_t count = 0;
    while (ring && count < most) {
        count += take_from(ring, to + count, most - count);
        ring = ring->next ? ring->next : first;
        if (ring == begin)
            break;
    }
    rings->cursor = ring;
    atomic_fetch_add_explicit(&rings->credits, (int64_t)count, memory_order_relaxed);
    return count;
}

uint64_t pawl_span_rings_waiting(struct pawl_span_rings *rings) {
    struct pawl_span_ring_totals totals;
    pawl_span_rings_totals(rings, &totals);
    return totals.waiting;
}

bool pawl_span_rings_are_due(struct pawl_span_rings *rings, uint64_t most) {
    uint64_t waiting = pawl_span_rings_waiting(rings);
    bool is_leased_out = atomic_load_explicit(&rings->credits, memory_order_relaxed) <= 0;
    return waiting >= most || (waiting > 0 && is_leased_out);
}

void pawl_span_rings_wake_at(struct pawl_span_rings *rings, uint64_t more) {
    int64_t below = atomic_load_explicit(&rings->credits, memory_order_relaxed) - (int64_t)more;
    atomic_store_explicit(&rings->wake_below, below > 0 ? below : 0, memory_order_relaxed);
}

void pawl_span_rings_totals(struct pawl_span_rings *rings, struct pawl_span_ring_totals *ret_totals) {
    *ret_totals = (struct pawl_span_ring_totals){0};
    ret_totals->failed = atomic_load_explicit(&rings->lost, memory_order_relaxed);
    uint64_t opened = 0, closed = 0;
    struct pawl_span_ring *ring = atomic_load_explicit(&rings->first, memory_order_acquire);
    for (; ring; ring = ring->next) {
        /* In this order, so that no difference of two of them comes out below zero. */
        uint64_t taken = atomic_load_explicit(&ring->taken, memory_order_acquire);
        uint64_t recorded = atomic_load_explicit(&ring->recorded, memory_order_acquire);
        ret_totals->waiting += recorded - taken;
        ret_totals->recorded += recorded;
        ret_totals->dropped += atomic_load_explicit(&ring->dropped, memory_order_relaxed);
        ret_totals->failed += atomic_load_explicit(&ring->failed, memory_order_relaxed);
        closed += atomic_load_explicit(&ring->closed, memory_order_acquire);
        opened += atomic_load_explicit(&ring->opened, memory_order_relaxed);
    }
    ret_totals->live = opened > closed ? opened - closed : 0;
    ret_totals->ended = ret_totals->recorded + ret_totals->dropped + ret_totals->failed;
}

/* ---- life ---- */

static void destroy(struct pawl_span_rings *rings) {
    struct pawl_span_ring *ring = atomic_load(&rings->first);
    while (ring) {
        struct pawl_span_ring *next = ring->next;
        free(ring);
        ring = next;
    }
    pthread_mutex_destroy(&rings->lock);
    pthread_mutex_destroy(&rings->free_lock);
    free(rings);
}

void pawl_span_rings_unref(struct pawl_span_rings *rings) {
    if (atomic_fetch_sub_explicit(&rings->refs, 1, memory_order_acq_rel) == 1)
        destroy(rings);
}

struct pawl_span_rings *pawl_span_rings_new(uint64_t capacity, void (*wake)(void *user), void *user) {
    static _Atomic uint64_t serials;
    struct pawl_span_rings *rings = aligned_alloc(PAWL_CACHE_LINE, sizeof *rings);
    if (!rings)
        return NULL;
    memset(rings, 0, sizeof *rings);
    rings->serial = atomic_fetch_add(&serials, 1) + 1;
    rings->capacity = capacity;
    uint64_t share = capacity / 64;
    rings->lease = share > MOST_LEASED ? MOST_LEASED : share > 0 ? (uint32_t)share : 1;
    rings->wake = wake;
    rings->user = user;
    atomic_init(&rings->credits, (int64_t)capacity);
    atomic_init(&rings->wake_below, INT64_MIN);
    atomic_init(&rings->refs, 1);
    pthread_mutex_init(&rings->lock, NULL);
    pthread_mutex_init(&rings->free_lock, NULL);
    rings->most_free = (size_t)(capacity / PAWL_CHUNK_LINES) + 2;
    return rings;
}

static struct pawl_span_ring *add_ring(struct pawl_span_rings *rings) {
    struct pawl_span_ring *ring = aligned_alloc(PAWL_CACHE_LINE, sizeof *ring);
    if (!ring)
        return NULL;
    memset(ring, 0, sizeof *ring);
    ring->rings = rings;
    ring->next = atomic_load_explicit(&rings->first, memory_order_relaxed);
    if (rings->count++ > 0)
        atomic_fetch_add_explicit(&rings->credits, rings->lease - 1, memory_order_relaxed);
    atomic_store_explicit(&rings->first, ring, memory_order_release);
    return ring;
}

/* One whose thread has ended, or a new one. */
struct pawl_span_ring *pawl_span_rings_adopt(struct pawl_span_rings *rings) {
    pthread_mutex_lock(&rings->lock);
    struct pawl_span_ring *ring = atomic_load_explicit(&rings->first, memory_order_relaxed);
    while (ring && atomic_load_explicit(&ring->in_use, memory_order_acquire))
        ring = ring->next;
    if (!ring)
        ring = add_ring(rings);
    if (ring) {
        atomic_store_explicit(&ring->in_use, true, memory_order_relaxed);
        atomic_fetch_add_explicit(&rings->refs, 1, memory_order_relaxed);
    }
    pthread_mutex_unlock(&rings->lock);
    return ring;
}

static void free_chain(struct pawl_span_ring *ring, struct pawl_heap_budget *budget) {
    struct pawl_span_record record;
    while (take_from(ring, &record, 1) > 0)
        pawl_record_release(&record, budget);
    struct pawl_span_chunk *chunk = ring->first ? ring->first : atomic_load(&ring->begin);
    while (chunk) {
        struct pawl_span_chunk *next = chunk->next;
        free(chunk);
        chunk = next;
    }
    ring->first = ring->chunk = NULL;
    pawl_arena_free(&ring->places.arena);
}

void pawl_span_rings_close(struct pawl_span_rings *rings) {
    struct pawl_heap_budget none = {0};
    for (struct pawl_span_ring *ring = atomic_load(&rings->first); ring; ring = ring->next)
        free_chain(ring, &none);
    struct pawl_span_chunk *chunk;
    while ((chunk = take_chunk(rings)))
        free(chunk);
    atomic_store(&rings->closed, true);
    pawl_span_rings_leave_closed();
    pawl_span_rings_unref(rings);
}
