/* The write path: one measurement into this thread's cell. */
#include "metrics_internal.h"
#include <math.h>

void pawl_series_add_shared(pawl_series *series, double value) {
    double now = atomic_load_explicit(&series->shared, memory_order_relaxed), then;
    do
        then = isnan(now) ? value : now + value;
    while (!atomic_compare_exchange_weak_explicit(&series->shared, &now, then, memory_order_relaxed,
                                                  memory_order_relaxed));
}

void pawl_metrics_drop(pawl_metrics *metrics, enum drop why) {
    pawl_series_add_shared(metrics->dropped[why], 1);
}

static size_t store(void *cell, const pawl_series *series, double value) {
    if (likely(series->storage == STORED_HISTOGRAM)) {
        size_t bucket = bounds_bucket(&series->instrument->bounds, value);
        cell_observe(cell, bucket, value);
        return bucket;
    }
    if (series->storage == STORED_DURATION) { /* somebody else measures for us */
        uint64_t ns = value > 0 && value < 1e9 ? (uint64_t)(value * 1e9 + 0.5) : 0;
        size_t bucket = durations_bucket(series->instrument->durations, ns);
        duration_observe(cell, bucket, ns);
        return bucket;
    }
    if (series->storage == STORED_COUNT)
        cell_count(&((struct count_cell *)cell)->count, fabs(value) < 1e18 ? llround(value) : 0);
    else if (series->storage == STORED_SUM)
        cell_add(&((struct sum_cell *)cell)->sum, value);
    else
        pawl_exponential_record(cell, value);
    return 0;
}

void pawl_metrics_record(struct shard *shard, pawl_series *series, double value, pawl_context *ctx) {
    size_t slot = 0;
    if (unlikely(!isfinite(value))) {
        pawl_metrics_drop(series->metrics, DROP_NOT_FINITE);
        return;
    }
    if (unlikely(value < 0 && series->is_counter)) {
        pawl_metrics_drop(series->metrics, DROP_NEGATIVE);
        return;
    }
    if (series->storage == STORED_SHARED) { /* a gauge: who comes last has said the last word */
        atomic_store_explicit(&series->shared, value, memory_order_relaxed);
    } else {
        void *cell = shard ? metrics_cell(shard, series) : NULL;
        if (unlikely(!cell)) {
            pawl_metrics_drop(series->metrics, DROP_NO_MEMORY);
            return;
        }
        slot = store(cell, series, value);
    }
    const pawl_span *span = ctx ? pawl_context_span_of(ctx) : NULL;
    if (exemplar_wanted(series, slot, span))
        pawl_exemplar_take(series, slot, value, span, ctx);
}

void pawl_series_record(pawl_series *series, double value, pawl_context *ctx) {
    if (likely(series != NULL))
        pawl_metrics_record(metrics_shard(series->metrics), series, value, ctx);
}
