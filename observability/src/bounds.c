/* One step stands for one power of two: within it there are few bounds, mostly one or none. */
#include "bounds_internal.h"
#include <math.h>
#include <stdlib.h>

const char *pawl_bounds_fault(const double *values, uint64_t count) {
    if (count > BOUNDS_MOST)
        return "has more than 128 bounds";
    for (uint64_t i = 0; i < count; i++)
        if (!isfinite(values[i]))
            return "has a bound that is not finite; the last bucket goes to infinity by itself";
        else if (i > 0 && !(values[i - 1] < values[i]))
            return "has bounds that do not ascend";
    return NULL;
}

static int32_t exponent_of(double positive) {
    int64_t bits;
    memcpy(&bits, &positive, sizeof bits);
    return (int32_t)(bits >> 52);
}

/* Those below 2^exponent; exponent is biased, and what has 0 begins at zero itself. */
static uint8_t count_below(const struct bounds *bounds, int exponent, uint32_t positive) {
    uint32_t count = positive;
    double edge = exponent > 0 ? ldexp(1, exponent - 1023) : 0;
    while (count < bounds->count && bounds->values[count] < edge)
        count++;
    return (uint8_t)count;
}

static bool make_steps(struct bounds *bounds) {
    uint32_t positive = 0;
    while (positive < bounds->count && bounds->values[positive] <= 0)
        positive++;
    bool some = positive < bounds->count;
    bounds->lowest = some ? exponent_of(bounds->values[positive]) - 1 : 0;
    bounds->steps = some ? (uint32_t)(exponent_of(bounds->values[bounds->count - 1]) - bounds->lowest + 2) : 1;
    bounds->first = malloc(bounds->steps);
    if (!bounds->first)
        return false;
    bounds->first[0] = (uint8_t)positive;
    for (uint32_t i = 1; i < bounds->steps; i++)
        bounds->first[i] = count_below(bounds, bounds->lowest + (int)i, positive);
    return true;
}

bool pawl_bounds_init(struct bounds *bounds, const double *values, size_t count) {
    memset(bounds, 0, sizeof *bounds);
    bounds->values = malloc((count + 1) * sizeof *values);
    if (!bounds->values)
        return false;
    if (count)
        memcpy(bounds->values, values, count * sizeof *values);
    bounds->values[count] = INFINITY;
    bounds->count = (uint32_t)count;
    if (make_steps(bounds))
        return true;
    pawl_bounds_finish(bounds);
    return false;
}

void pawl_bounds_finish(struct bounds *bounds) {
    free(bounds->values);
    free(bounds->first);
    bounds->values = NULL;
    bounds->first = NULL;
}

size_t pawl_bounds_search(const struct bounds *bounds, size_t low, double value) {
    size_t high = bounds->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (bounds->values[middle] < value)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}
