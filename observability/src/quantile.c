/* Quantiles of histograms. Source of the rule: Prometheus, promql/quantile.go (bucketQuantile), for q from 0 to 1. */
#include <math.h>
#include <pawl/observability/metrics_report.h>

static double total(const uint64_t *counts, size_t count) {
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += counts[i];
    return (double)sum;
}

double pawl_histogram_quantile(const double *bounds, size_t bound_count, const uint64_t *bucket_counts, double q) {
    double count = bound_count ? total(bucket_counts, bound_count + 1) : 0, before = 0;
    if (count == 0 || !(q >= 0 && q <= 1))
        return NAN;
    double rank = q * count;
    size_t bucket = 0;
    while (bucket < bound_count && before + (double)bucket_counts[bucket] < rank)
        before += (double)bucket_counts[bucket++];
    if (bucket == bound_count)
        return bounds[bound_count - 1];
    if (bucket == 0 && bounds[0] <= 0)
        return bounds[0];
    double low = bucket ? bounds[bucket - 1] : 0, inside = (double)bucket_counts[bucket];
    return inside > 0 ? low + (bounds[bucket] - low) * ((rank - before) / inside) : low;
}
