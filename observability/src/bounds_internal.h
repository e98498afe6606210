/* Which bucket of a histogram a value belongs to, in constant time: the value's exponent says where to begin. */
#ifndef PAWL_BOUNDS_INTERNAL_H
#define PAWL_BOUNDS_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define BOUNDS_MOST 128

struct bounds {
    double *values; /* ascending, and infinity behind them */
    uint8_t *first; /* [i]: how many bounds lie below every value of step i */
    int32_t lowest; /* biased exponent of the positive values of step 0, and of all that are smaller */
    uint32_t steps; /* the last stands for all that are larger */
    uint32_t count, reserved;
};

/* Why they are none, NULL when they are good: finite and ascending. */
const char *pawl_bounds_fault(const double *values, uint64_t count);
/* False without memory. */
bool pawl_bounds_init(struct bounds *bounds, const double *values, size_t count);
void pawl_bounds_finish(struct bounds *bounds);
/* The first of the bounds from `low` on that is not below value. */
size_t pawl_bounds_search(const struct bounds *bounds, size_t low, double value);

/* value is finite; bounds are inclusive above. */
static inline size_t bounds_bucket(const struct bounds *bounds, double value) {
    int64_t bits;
    memcpy(&bits, &value, sizeof bits);
    if (__builtin_expect(bits <= 0, 0)) /* negative, or zero */
        return pawl_bounds_search(bounds, 0, value);
    int64_t step = (bits >> 52) - bounds->lowest, last = (int64_t)bounds->steps - 1;
    step = step < last ? step : last; /* two conditional moves: nothing to mispredict */
    step = step > 0 ? step : 0;
    size_t low = bounds->first[step];
    low += bounds->values[low] < value;
    return __builtin_expect(bounds->values[low] < value, 0) ? pawl_bounds_search(bounds, low + 1, value) : low;
}

#endif
