/* Histograms as fixed buckets. */
#include "prometheus_internal.h"
#include <math.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Powers of two are bounds of an exponential histogram of every scale from 0 on, so that counting into them is exact.
 * Seconds from 61 us to 68 minutes; anything else in powers of four from a thousandth to 10^12. */
static const double second_bounds[] = {0x1p-14, 0x1p-13, 0x1p-12, 0x1p-11, 0x1p-10, 0x1p-9, 0x1p-8, 0x1p-7, 0x1p-6,
                                       0x1p-5,  0x1p-4,  0x1p-3,  0x1p-2,  0x1p-1,  0x1p0,  0x1p1,  0x1p2,  0x1p3,
                                       0x1p4,   0x1p5,   0x1p6,   0x1p7,   0x1p8,   0x1p9,  0x1p10, 0x1p11, 0x1p12};
static const double other_bounds[] = {0x1p-10, 0x1p-8, 0x1p-6, 0x1p-4, 0x1p-2, 0x1p0,  0x1p2,  0x1p4,  0x1p6,
                                      0x1p8,   0x1p10, 0x1p12, 0x1p14, 0x1p16, 0x1p18, 0x1p20, 0x1p22, 0x1p24,
                                      0x1p26,  0x1p28, 0x1p30, 0x1p32, 0x1p34, 0x1p36, 0x1p38, 0x1p40};

const double *pawl_prom_bounds(const pawl_metric_data *metric, size_t *ret_count) {
    if (metric->kind != PAWL_EXPONENTIAL_HISTOGRAM || metric->bound_count > 0) {
        *ret_count = metric->bound_count;
        return metric->bounds;
    }
    bool is_seconds = metric->unit[0] == 's' && metric->unit[1] == '\0';
    *ret_count = is_seconds ? COUNT(second_bounds) : COUNT(other_bounds);
    return is_seconds ? second_bounds : other_bounds;
}

static void add_explicit(const pawl_point_data *point, size_t bound_count, uint64_t *counts) {
    if (!point->bucket_counts) {
        counts[bound_count] += point->count;
        return;
    }
    for (size_t i = 0; i <= bound_count; i++)
        counts[i] += point->bucket_counts[i];
}

/* The bucket that surely holds all up to value: one that lies across a bound counts behind it. */
static size_t first_from(double value, const double *bounds, size_t bound_count) {
    size_t i = 0;
    while (i < bound_count && !(value <= bounds[i]))
        i++;
    return i;
}

/* base^index, where base is 2^(2^-scale). */
static double power(int64_t index, int64_t scale) {
    return exp2(ldexp((double)index, scale > 1024 ? -1024 : scale < -1024 ? 1024 : (int)-scale));
}

static void add_exponential(const pawl_point_data *point, const double *bounds, size_t bound_count, uint64_t *counts) {
    const pawl_exponential_buckets *above = &point->positive, *below = &point->negative;
    counts[first_from(0, bounds, bound_count)] += point->zero_count;
    for (uint64_t i = 0; i < above->count; i++)
        if (above->counts[i])
            counts[first_from(power(above->offset + (int64_t)i + 1, point->scale), bounds, bound_count)] +=
                above->counts[i];
    for (uint64_t i = 0; i < below->count; i++)
        if (below->counts[i])
            counts[first_from(-power(below->offset + (int64_t)i, point->scale), bounds, bound_count)] +=
                below->counts[i];
}

void pawl_prom_add_buckets(const pawl_metric_data *metric, const pawl_point_data *point, const double *bounds,
                           size_t bound_count, uint64_t *counts) {
    if (metric->kind == PAWL_EXPONENTIAL_HISTOGRAM)
        add_exponential(point, bounds, bound_count, counts);
    else
        add_explicit(point, bound_count, counts);
}
