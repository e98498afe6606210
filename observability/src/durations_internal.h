/* Histograms of the primitives' durations: counted in whole nanoseconds, since between two readings of the clock every
 * step of the computation is waited for; seconds are made of them when they are read. */
#ifndef PAWL_DURATIONS_INTERNAL_H
#define PAWL_DURATIONS_INTERNAL_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define DURATION_BOUNDS 18 /* at most */

struct durations {
    uint64_t bounds[DURATION_BOUNDS + 1]; /* ascending, and UINT64_MAX behind them */
    uint8_t first[65];                    /* [i]: how many bounds lie below all numbers of i binary digits */
};

/* One thread writes, others read. */
struct duration_cell {
    _Atomic uint64_t sum_ns, min_ns, max_ns; /* min over max: nothing yet */
    _Atomic uint64_t counts[];
};

/* Of bounds in seconds. */
void pawl_durations_init(struct durations *durations, const double *seconds, size_t count);

static inline size_t durations_bucket(const struct durations *durations, uint64_t ns) {
    if (ns <= durations->bounds[0]) /* nodes that do little */
        return 0;
    size_t low = durations->first[ns ? 64 - __builtin_clzll(ns) : 0];
    low += durations->bounds[low] < ns;
    while (__builtin_expect(durations->bounds[low] < ns, 0))
        low++;
    return low;
}

static inline void duration_observe(struct duration_cell *cell, size_t bucket, uint64_t ns) {
#define OWN_(field) atomic_load_explicit(&(field), memory_order_relaxed)
    atomic_store_explicit(&cell->counts[bucket], OWN_(cell->counts[bucket]) + 1, memory_order_relaxed);
    atomic_store_explicit(&cell->sum_ns, OWN_(cell->sum_ns) + ns, memory_order_relaxed);
    if (__builtin_expect(ns < OWN_(cell->min_ns), 0))
        atomic_store_explicit(&cell->min_ns, ns, memory_order_relaxed);
    if (__builtin_expect(ns > OWN_(cell->max_ns), 0))
        atomic_store_explicit(&cell->max_ns, ns, memory_order_relaxed);
#undef OWN_
}

#endif
