/* The queue between the threads that end spans and the one that exports them: a chain of chunks for each thread, which
 * it alone writes and the exporter alone reads. Writing takes no lock and never waits.
 *
 * The queue's bound is kept by credits: a thread leases a few at a time, and one span uses one up until it was taken
 * out. Each thread after the first adds what another may have leased and not used, so that nothing is lost while less
 * than the capacity waits; at most 15 spans a thread more may wait. */
#ifndef PAWL_SPAN_RING_INTERNAL_H
#define PAWL_SPAN_RING_INTERNAL_H

#include "span_record_internal.h"
#include <pthread.h>
#include <stdalign.h>

#define PAWL_CACHE_LINE 64
#define PAWL_CHUNK_LINES 128u

/* A record takes one or four. */
struct pawl_span_line {
    alignas(PAWL_CACHE_LINE) char bytes[PAWL_RECORD_LINE];
};

struct pawl_span_chunk {
    struct pawl_span_line lines[PAWL_CHUNK_LINES];
    struct pawl_span_chunk *next; /* in the chain, set before the first record behind it is published */
    struct pawl_span_chunk *next_free;
};

struct pawl_span_rings;

struct pawl_span_ring {
    /* Its thread's alone. */
    alignas(PAWL_CACHE_LINE) struct pawl_span_line *at, *stop; /* where the next record goes; the chunk's end */
    uint64_t lease;                                            /* credits left: records it may publish */
    struct pawl_span_chunk *chunk;                             /* NULL before the first span */
    struct pawl_span_ring *next_of_thread;
    struct pawl_places places;
    /* Written by its thread alone, read by all. */
    alignas(PAWL_CACHE_LINE) _Atomic uint64_t recorded; /* published records */
    _Atomic uint64_t opened, closed; /* spans whose start was told, and how many of them have ended */
    _Atomic uint64_t dropped, failed;
    /* The reader's. */
    alignas(PAWL_CACHE_LINE) _Atomic uint64_t taken;
    struct pawl_span_chunk *first;           /* where the next record is; NULL before the first */
    uint64_t line;                           /* and which of its lines it begins with */
    _Atomic(struct pawl_span_chunk *) begin; /* the first chunk of all, told to the reader */
    /* Fixed, or guarded by rings->lock. */
    struct pawl_span_rings *rings;
    struct pawl_span_ring *next;
    atomic_bool in_use; /* by a thread */
};

struct pawl_span_rings {
    uint64_t serial; /* no two in a process have the same */
    uint64_t capacity;
    uint32_t lease;           /* credits taken at a time */
    void (*wake)(void *user); /* enough spans wait; any thread, must not block */
    void *user;
    alignas(PAWL_CACHE_LINE) _Atomic int64_t credits;
    _Atomic int64_t wake_below; /* wakes once when there are fewer credits; INT64_MIN: no more */
    pthread_mutex_t free_lock;  /* of the next three; a writer only tries it */
    struct pawl_span_chunk *free_chunks;
    size_t free_count, most_free;
    _Atomic uint64_t lost; /* spans that ended on threads that have no ring, for want of memory */
    _Atomic(struct pawl_span_ring *) first;
    struct pawl_span_ring *cursor; /* the reader's */
    atomic_uint refs;              /* the owner's, and one of each thread that has a ring */
    atomic_bool closed;
    pthread_mutex_t lock; /* of the list, for writing */
    size_t count;
};

/* NULL without memory, or when there are no thread-specific keys any more. */
struct pawl_span_rings *pawl_span_rings_new(uint64_t capacity, void (*wake)(void *user), void *user);
/* Nobody writes or reads any more. What waits is thrown away, its heap memory too. */
void pawl_span_rings_close(struct pawl_span_rings *rings);

/* ---- writing ---- */

struct pawl_span_ring_here {
    uint64_t serial;
    struct pawl_span_ring *ring;
};
/* The ring this thread used last. */
extern _Thread_local struct pawl_span_ring_here pawl_span_ring_here __attribute__((tls_model("initial-exec")));
struct pawl_span_ring *pawl_span_rings_look(struct pawl_span_rings *rings);
/* This thread's ring, made at its first need; NULL without memory. */
static inline struct pawl_span_ring *pawl_span_rings_mine(struct pawl_span_rings *rings) {
    return __builtin_expect(pawl_span_ring_here.serial == rings->serial, 1) ? pawl_span_ring_here.ring
                                                                            : pawl_span_rings_look(rings);
}

/* Adds to a counter that this thread alone writes. */
static inline void pawl_count_own(_Atomic uint64_t *counter) {
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + 1, memory_order_relaxed);
}

bool pawl_span_ring_lease(struct pawl_span_ring *ring);
bool pawl_span_ring_extend(struct pawl_span_ring *ring);

static inline bool pawl_span_ring_has_room(const struct pawl_span_ring *ring, size_t lines) {
    return ring->lease > 0 && (size_t)(ring->stop - ring->at) >= lines;
}
/* Where to write the next record; NULL when the queue is full (there is no lease then), or without memory. */
static inline struct pawl_span_record *pawl_span_ring_reserve(struct pawl_span_ring *ring, size_t lines) {
    if (__builtin_expect(!pawl_span_ring_has_room(ring, lines), 0) &&
        !((ring->lease > 0 || pawl_span_ring_lease(ring)) &&
          ((size_t)(ring->stop - ring->at) >= lines || pawl_span_ring_extend(ring))))
        return NULL;
    return (struct pawl_span_record *)(void *)ring->at;
}
/* Hands it over. */
static inline void pawl_span_ring_publish(struct pawl_span_ring *ring, size_t lines) {
    ring->at += lines;
    ring->lease--;
    uint64_t recorded = atomic_load_explicit(&ring->recorded, memory_order_relaxed);
    atomic_store_explicit(&ring->recorded, recorded + 1, memory_order_release);
}

/* ---- reading: one thread at a time ---- */

/* Moves at most `most` records out. Their heap memory goes with them. Fewer: every ring was empty when looked at. */
size_t pawl_span_rings_take(struct pawl_span_rings *rings, struct pawl_span_record *to, size_t most);
uint64_t pawl_span_rings_waiting(struct pawl_span_rings *rings);
/* Whether so many wait; also when all places are leased, which is all but full: then nobody will wake for more. */
bool pawl_span_rings_are_due(struct pawl_span_rings *rings, uint64_t most);
/* Wakes when so many more spans than now may wait, or when all places are leased. */
void pawl_span_rings_wake_at(struct pawl_span_rings *rings, uint64_t more);

/* ---- between span_ring.c and span_ring_thread.c ---- */

struct pawl_span_ring *pawl_span_rings_adopt(struct pawl_span_rings *rings); /* with a reference; NULL without memory */
void pawl_span_rings_unref(struct pawl_span_rings *rings);
/* Lets go of what this thread has of tracers that are gone. */
void pawl_span_rings_leave_closed(void);

/* ---- figures ---- */

struct pawl_span_ring_totals {
    uint64_t live, ended, recorded, dropped, failed, waiting;
};
/* Any thread. */
void pawl_span_rings_totals(struct pawl_span_rings *rings, struct pawl_span_ring_totals *ret_totals);

#endif
