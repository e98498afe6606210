/* Exponential histograms while one thread writes. Counts only grow, the range only widens: a reader that sees a little
 * less sees an earlier moment. Only a lowered scale moves counts, and a reader begins again then: the version is odd
 * meanwhile. Source: H. Boehm, "Can seqlocks get along with programming language memory models?", 2012. */
#include "exponential_internal.h"
#include <float.h>
#include <math.h>
#include <sched.h>

void pawl_exponential_cell_init(struct exponential_cell *cell) {
    atomic_store_explicit(&cell->min, INFINITY, memory_order_relaxed);
    atomic_store_explicit(&cell->max, -INFINITY, memory_order_relaxed);
    atomic_store_explicit(&cell->scale, EXPONENTIAL_SCALE, memory_order_relaxed);
    for (int side = POSITIVE_SIDE; side <= NEGATIVE_SIDE; side++)
        atomic_store_explicit(&cell->sides[side].high, -1, memory_order_relaxed);
}

/* ---- writing ---- */

#define OWN(field) atomic_load_explicit(&(field), memory_order_relaxed) /* nobody else writes it */

static void lower_side(struct exponential_cell *cell, int which, int32_t by) {
    uint64_t lower[EXPONENTIAL_BUCKETS] = {0};
    int32_t low = OWN(cell->sides[which].low), high = OWN(cell->sides[which].high);
    if (high < low)
        return;
    for (int32_t i = low; i <= high; i++)
        lower[exponential_place(i >> by)] += OWN(cell->sides[which].counts[exponential_place(i)]);
    for (size_t i = 0; i < EXPONENTIAL_BUCKETS; i++)
        atomic_store_explicit(&cell->sides[which].counts[i], lower[i], memory_order_release);
    atomic_store_explicit(&cell->sides[which].low, low >> by, memory_order_release);
    atomic_store_explicit(&cell->sides[which].high, high >> by, memory_order_release);
}

static void lower(struct exponential_cell *cell, int32_t by) {
    uint32_t version = OWN(cell->version);
    atomic_store_explicit(&cell->version, version + 1, memory_order_relaxed);
    lower_side(cell, POSITIVE_SIDE, by);
    lower_side(cell, NEGATIVE_SIDE, by);
    atomic_store_explicit(&cell->scale, OWN(cell->scale) - by, memory_order_release);
    atomic_store_explicit(&cell->version, version + 2, memory_order_release);
}

/* Makes room for the bucket. How far the scale had to be lowered. */
static int32_t widen(struct exponential_cell *cell, int which, int32_t index) {
    int32_t low = OWN(cell->sides[which].low), high = OWN(cell->sides[which].high), by = 0;
    bool empty = high < low;
    low = empty || index < low ? index : low;
    high = empty || index > high ? index : high;
    while ((int64_t)(high >> by) - (low >> by) >= EXPONENTIAL_BUCKETS)
        by++;
    if (by > 0)
        lower(cell, by);
    atomic_store_explicit(&cell->sides[which].low, low >> by, memory_order_release);
    atomic_store_explicit(&cell->sides[which].high, high >> by, memory_order_release);
    return by;
}

static void count_into(struct exponential_cell *cell, int which, double size) {
    int32_t index = pawl_exponential_index(size, OWN(cell->scale));
    if (index < OWN(cell->sides[which].low) || index > OWN(cell->sides[which].high))
        index >>= widen(cell, which, index);
    _Atomic uint64_t *count = &cell->sides[which].counts[exponential_place(index)];
    atomic_store_explicit(count, OWN(*count) + 1, memory_order_relaxed);
}

void pawl_exponential_record(struct exponential_cell *cell, double value) {
    if (fabs(value) < DBL_MIN)
        atomic_store_explicit(&cell->zero_count, OWN(cell->zero_count) + 1, memory_order_relaxed);
    else
        count_into(cell, value > 0 ? POSITIVE_SIDE : NEGATIVE_SIDE, fabs(value));
    atomic_store_explicit(&cell->sum, OWN(cell->sum) + value, memory_order_relaxed);
    if (value < OWN(cell->min))
        atomic_store_explicit(&cell->min, value, memory_order_relaxed);
    if (value > OWN(cell->max))
        atomic_store_explicit(&cell->max, value, memory_order_relaxed);
}

/* ---- reading ---- */

#define READ(field) atomic_load_explicit(&(field), memory_order_acquire)

static void read_side(const struct exponential_cell *cell, int which, struct exponential *data) {
    struct exponential_side *side = &data->sides[which];
    side->low = READ(cell->sides[which].low);
    side->high = READ(cell->sides[which].high);
    if ((int64_t)side->high - side->low >= EXPONENTIAL_BUCKETS) /* between two versions: it will be read again */
        side->high = side->low - 1;
    for (int32_t i = side->low; i <= side->high; i++)
        side->counts[exponential_place(i)] = READ(cell->sides[which].counts[exponential_place(i)]);
}

static bool try_to_read(const struct exponential_cell *cell, struct exponential *data) {
    uint32_t version = READ(cell->version);
    pawl_exponential_clear(data);
    data->scale = READ(cell->scale);
    read_side(cell, POSITIVE_SIDE, data);
    read_side(cell, NEGATIVE_SIDE, data);
    return version % 2 == 0 && version == atomic_load_explicit(&cell->version, memory_order_relaxed);
}

void pawl_exponential_read(const struct exponential_cell *cell, struct exponential *ret_data) {
    while (!try_to_read(cell, ret_data))
        sched_yield(); /* at most once for each of some thirty scales */
    ret_data->zero_count = READ(cell->zero_count);
    ret_data->sum = READ(cell->sum);
    if (pawl_exponential_count(ret_data) > 0) {
        ret_data->min = READ(cell->min);
        ret_data->max = READ(cell->max);
    }
}
