/* Exports as a whole: options, begin, flush, end. In virtual time there is no thread: whoever finds out that it is time
 * exports. */
#include "engine_internal.h"
#include "metrics_export_internal.h"
#include <stdlib.h>

static void free_export(struct metrics_export *e) {
    for (uint64_t i = 0; i < EXPORTERS; i++)
        pawl_exporter_unref(e->exporters[i]);
    pawl_resource_unref(e->resource);
    pawl_error_unref(e->error);
    pawl_arena_free(&e->reader.arena);
    pthread_cond_destroy(&e->changed);
    pthread_mutex_destroy(&e->lock);
    free(e);
}

static pawl_status set_options(pawl_metrics_export_options *set, const pawl_metrics_export_options *given,
                               pawl_error **err) {
    if (pawl_options_copy(set, sizeof *set, given, "metrics: export", err) != PAWL_OK)
        return PAWL_E_INVALID;
    if (!set->exporters || set->exporter_count == 0 || set->exporter_count > EXPORTERS)
        return pawl_error_set(err, PAWL_E_INVALID, "metrics: export takes 1 to %d exporters", EXPORTERS);
    for (uint64_t i = 0; i < set->exporter_count; i++)
        if (!set->exporters[i])
            return pawl_error_set(err, PAWL_E_INVALID, "metrics: exporter %llu is NULL", (unsigned long long)i);
    if (!set->resource)
        return pawl_error_set(err, PAWL_E_INVALID,
                              "metrics: export needs a resource; make one with "
                              "pawl_resource_new()");
    if (set->temporality > PAWL_TEMPORALITY_LOW_MEMORY)
        return pawl_error_set(err, PAWL_E_INVALID, "metrics: unknown temporality %llu",
                              (unsigned long long)set->temporality);
    if (set->interval_ns == PAWL_ZERO || (set->interval_ns > 0 && set->interval_ns < PAWL_MS(1)))
        return pawl_error_set(err, PAWL_E_INVALID, "metrics: interval_ns is under 1 ms");
    if (set->timeout_ns == PAWL_ZERO)
        return pawl_error_set(err, PAWL_E_INVALID, "metrics: timeout_ns is 0: nothing could be exported");
    set->interval_ns = pawl_option(set->interval_ns, PAWL_S(60));
    set->timeout_ns = pawl_option(set->timeout_ns, PAWL_S(30));
    set->end_timeout_ns = pawl_option(set->end_timeout_ns, PAWL_S(5));
    return PAWL_OK;
}

static struct metrics_export *new_export(pawl_metrics *metrics, const pawl_metrics_export_options *options) {
    struct metrics_export *e = calloc(1, sizeof *e);
    if (!e)
        return NULL;
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&e->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_mutex_init(&e->lock, NULL);
    e->metrics = metrics;
    e->options = *options;
    e->reader.temporality = options->temporality;
    for (uint64_t i = 0; i < options->exporter_count; i++)
        e->exporters[i] = pawl_exporter_ref(options->exporters[i]);
    e->resource = pawl_resource_ref(options->resource);
    return e;
}

static pawl_status start(pawl_metrics *metrics, struct metrics_export *e, pawl_error **err) {
    if (atomic_load(&metrics->export_count) == EXPORTS)
        return pawl_error_set(err, PAWL_E_LIMIT, "metrics: they are exported %d times already", EXPORTS);
    if (metrics->is_virtual)
        e->due_ns = metrics_after(pawl_runtime_now(metrics->clock), e->options.interval_ns);
    else if (pawl_thread_start(&e->thread, pawl_metrics_work, e) == 0)
        e->has_thread = true;
    else
        return pawl_error_set(err, PAWL_E_UNSUPPORTED, "metrics: no thread to be had for the export");
    metrics->exports[atomic_load(&metrics->export_count)] = e;
    atomic_fetch_add(&metrics->export_count, 1);
    return PAWL_OK;
}

pawl_status pawl_metrics_export_start(pawl_metrics *metrics, const pawl_metrics_export_options *options,
                                      pawl_error **err) {
    pawl_metrics_export_options set;
    if (!pawl_metrics_is_usable(metrics, err) || set_options(&set, options, err) != PAWL_OK)
        return PAWL_E_INVALID;
    struct metrics_export *e = new_export(metrics, &set);
    if (!e)
        return pawl_error_set(err, PAWL_E_NOMEM, "metrics: out of memory");
    pthread_mutex_lock(&metrics->exporting);
    pawl_status status = start(metrics, e, err);
    pthread_mutex_unlock(&metrics->exporting);
    if (status != PAWL_OK)
        free_export(e);
    return status;
}

pawl_status pawl_metrics_flush(pawl_metrics *metrics, uint64_t timeout_ns, pawl_error **err) {
    if (!pawl_metrics_is_usable(metrics, err))
        return PAWL_E_INVALID;
    uint64_t end = metrics_after(pawl_metrics_monotonic(), timeout_ns);
    pawl_status first = PAWL_OK;
    for (uint32_t i = 0; i < atomic_load(&metrics->export_count); i++) {
        pawl_status status = pawl_metrics_ask(metrics->exports[i], end, timeout_ns, first == PAWL_OK ? err : NULL);
        first = first == PAWL_OK ? status : first;
    }
    return first;
}

void pawl_metrics_export_due(pawl_metrics *metrics, uint64_t now_ns) {
    for (uint32_t i = 0; i < atomic_load(&metrics->export_count); i++) {
        struct metrics_export *e = metrics->exports[i];
        if (e->has_thread || now_ns < e->due_ns)
            continue;
        pthread_mutex_lock(&e->lock);
        if (now_ns >= e->due_ns && !e->ended) {
            e->due_ns = metrics_after(now_ns, e->options.interval_ns);
            (void)pawl_metrics_deliver(e, e->options.timeout_ns, NULL);
        }
        pthread_mutex_unlock(&e->lock);
    }
}

void pawl_metrics_end_exports(pawl_metrics *metrics) {
    pthread_mutex_lock(&metrics->exporting);
    for (uint32_t i = 0; i < atomic_load(&metrics->export_count); i++)
        pawl_metrics_end(metrics->exports[i]);
    pthread_mutex_unlock(&metrics->exporting);
}

void pawl_metrics_free_exports(pawl_metrics *metrics) {
    for (uint32_t i = 0; i < atomic_load(&metrics->export_count); i++)
        free_export(metrics->exports[i]);
}
