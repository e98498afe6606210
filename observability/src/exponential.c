/* Exponential histograms as plain numbers: indexes, scales, sums and differences. */
#include "exponential_internal.h"
#include <math.h>
#include <string.h>

/* The exponent of the power of two that is next below value, an exact power one lower. */
static int32_t exponent_below(double value, bool *ret_exact) {
    int exponent;
    *ret_exact = frexp(value, &exponent) == 0.5;
    return exponent - 1 - *ret_exact;
}

int32_t pawl_exponential_index(double value, int32_t scale) {
    bool exact;
    int32_t exponent = exponent_below(value, &exact);
    if (scale <= 0)
        return exponent >> -scale;
    if (exact) /* the logarithm would be rounded to either side */
        return (int32_t)((uint32_t)(exponent + 1) << scale) - 1;
    return (int32_t)floor(log(value) * ldexp(1.4426950408889634, scale)); /* 1/ln 2 */
}

static void clear_side(struct exponential_side *side) {
    memset(side, 0, sizeof *side);
    side->high = -1;
}

void pawl_exponential_clear(struct exponential *data) {
    data->sum = 0;
    data->min = data->max = NAN;
    data->zero_count = 0;
    data->scale = EXPONENTIAL_SCALE;
    data->reserved = 0;
    clear_side(&data->sides[POSITIVE_SIDE]);
    clear_side(&data->sides[NEGATIVE_SIDE]);
}

static uint64_t count_side(const struct exponential_side *side) {
    uint64_t count = 0;
    for (size_t i = 0; i < EXPONENTIAL_BUCKETS; i++)
        count += side->counts[i];
    return count;
}

uint64_t pawl_exponential_count(const struct exponential *data) {
    return data->zero_count + count_side(&data->sides[POSITIVE_SIDE]) + count_side(&data->sides[NEGATIVE_SIDE]);
}

/* ---- scales ---- */

static void lower_side(struct exponential_side *side, int32_t by) {
    if (by == 0 || side->high < side->low)
        return;
    struct exponential_side lower = {.low = side->low >> by, .high = side->high >> by};
    for (int32_t i = side->low; i <= side->high; i++)
        lower.counts[exponential_place(i >> by)] += side->counts[exponential_place(i)];
    *side = lower;
}

static void lower_to(struct exponential *data, int32_t scale) {
    lower_side(&data->sides[POSITIVE_SIDE], data->scale - scale);
    lower_side(&data->sides[NEGATIVE_SIDE], data->scale - scale);
    data->scale = scale;
}

/* How far both must be lowered, beyond the scale they have, until they fit into one. */
static int32_t excess(const struct exponential_side *a, const struct exponential_side *b) {
    if (a->high < a->low || b->high < b->low)
        return 0;
    int32_t low = a->low < b->low ? a->low : b->low, high = a->high > b->high ? a->high : b->high, by = 0;
    while ((int64_t)(high >> by) - (low >> by) >= EXPONENTIAL_BUCKETS)
        by++;
    return by;
}

static void add_side(struct exponential_side *side, const struct exponential_side *more) {
    if (more->high < more->low)
        return;
    if (side->high < side->low) {
        *side = *more;
        return;
    }
    side->low = side->low < more->low ? side->low : more->low;
    side->high = side->high > more->high ? side->high : more->high;
    for (size_t i = 0; i < EXPONENTIAL_BUCKETS; i++)
        side->counts[i] += more->counts[i];
}

void pawl_exponential_add(struct exponential *data, const struct exponential *given) {
    struct exponential more = *given;
    int32_t scale = data->scale < more.scale ? data->scale : more.scale;
    lower_to(data, scale);
    lower_to(&more, scale);
    int32_t positive = excess(&data->sides[POSITIVE_SIDE], &more.sides[POSITIVE_SIDE]);
    int32_t negative = excess(&data->sides[NEGATIVE_SIDE], &more.sides[NEGATIVE_SIDE]);
    scale -= positive > negative ? positive : negative;
    lower_to(data, scale);
    lower_to(&more, scale);
    add_side(&data->sides[POSITIVE_SIDE], &more.sides[POSITIVE_SIDE]);
    add_side(&data->sides[NEGATIVE_SIDE], &more.sides[NEGATIVE_SIDE]);
    data->zero_count += more.zero_count;
    data->sum += more.sum;
    data->min = fmin(data->min, more.min); /* of a NaN and a number the number */
    data->max = fmax(data->max, more.max);
}

/* ---- differences ---- */

static void subtract_side(struct exponential_side *side, const struct exponential_side *before) {
    for (size_t i = 0; i < EXPONENTIAL_BUCKETS; i++)
        side->counts[i] -= before->counts[i];
    while (side->low <= side->high && side->counts[exponential_place(side->low)] == 0)
        side->low++;
    while (side->low <= side->high && side->counts[exponential_place(side->high)] == 0)
        side->high--;
}

void pawl_exponential_subtract(struct exponential *data, const struct exponential *given) {
    struct exponential before = *given; /* earlier, so its scale is not lower */
    lower_to(&before, data->scale);
    subtract_side(&data->sides[POSITIVE_SIDE], &before.sides[POSITIVE_SIDE]);
    subtract_side(&data->sides[NEGATIVE_SIDE], &before.sides[NEGATIVE_SIDE]);
    data->zero_count -= before.zero_count;
    data->sum -= before.sum;
    data->min = data->max = NAN;
}
