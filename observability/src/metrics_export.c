/* Exports as a whole: options, begin, flush, end. In virtual time there is no thread: whoever finds out that it is time
 * exports. */
#include "engine_internal.h"
#include "metrics_export_internal.h"
#include <stdlib.h>

static void free_export(struct metrics_export *e) {
    for (uint64_t i = 0; i < EXPORTERS; i++)
        pawl_exporter_unref(e->exporters[i]);
    pawl_resource_unref(e->resource);
    pawl_arena_free(&e->reader.arena);
    pawl_export_worker_finish(&e->worker);
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

static pawl_status deliver(void *user, bool all, pawl_error **err) {
    struct metrics_export *e = user;
    if (all && pawl_export_worker_time(&e->worker, PAWL_NEVER) == 0)
        return PAWL_E_TIMEOUT;
    return all ? pawl_metrics_deliver(e, err) : PAWL_OK;
}

static void left(void *user) {
    pawl_metrics_let_go(((struct metrics_export *)user)->metrics);
}

static struct metrics_export *new_export(pawl_metrics *metrics, const pawl_metrics_export_options *options) {
    struct metrics_export *e = calloc(1, sizeof *e);
    if (!e)
        return NULL;
    e->metrics = metrics;
    e->options = *options;
    e->reader.temporality = options->temporality;
    for (uint64_t i = 0; i < options->exporter_count; i++)
        e->exporters[i] = pawl_exporter_ref(options->exporters[i]);
    e->resource = pawl_resource_ref(options->resource);
    pawl_export_worker_init(&e->worker, &(struct pawl_export_job){.who = "metrics",
                                                                  .user = e,
                                                                  .exporters = e->exporters,
                                                                  .exporter_count = options->exporter_count,
                                                                  .delay_ns = options->interval_ns,
                                                                  .run = deliver,
                                                                  .left = left});
    return e;
}

static pawl_status start(pawl_metrics *metrics, struct metrics_export *e, pawl_error **err) {
    if (atomic_load(&metrics->export_count) == EXPORTS)
        return pawl_error_set(err, PAWL_E_LIMIT, "metrics: they are exported %d times already", EXPORTS);
    pawl_status status = metrics->is_virtual ? PAWL_OK : pawl_export_worker_start(&e->worker, err);
    if (status != PAWL_OK)
        return status;
    if (metrics->is_virtual)
        atomic_store(&e->last_ns, pawl_runtime_now(metrics->clock));
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
    uint64_t end_ns = pawl_export_after(timeout_ns);
    pawl_status first = PAWL_OK;
    for (uint32_t i = 0; i < atomic_load(&metrics->export_count); i++) {
        struct metrics_export *e = metrics->exports[i];
        pawl_status status = pawl_export_worker_flush(&e->worker, end_ns, first == PAWL_OK ? err : NULL);
        first = first == PAWL_OK ? status : first;
    }
    return first;
}

void pawl_metrics_export_due(pawl_metrics *metrics, uint64_t now_ns) {
    for (uint32_t i = 0; i < atomic_load(&metrics->export_count); i++) {
        struct metrics_export *e = metrics->exports[i];
        uint64_t last_ns = atomic_load(&e->last_ns);
        bool is_due = now_ns > last_ns && now_ns - last_ns >= e->options.interval_ns;
        if (!e->worker.has_thread && is_due && atomic_compare_exchange_strong(&e->last_ns, &last_ns, now_ns))
            (void)pawl_export_worker_flush(&e->worker, pawl_export_after(e->options.timeout_ns), NULL);
    }
}

void pawl_metrics_prepare_flush(pawl_metrics *metrics, uint64_t timeout_ns) {
    for (uint32_t i = 0; i < atomic_load(&metrics->export_count); i++)
        pawl_export_worker_prepare_flush(&metrics->exports[i]->worker, pawl_export_after(timeout_ns / 4));
}

void pawl_metrics_prepare_last_exports(pawl_metrics *metrics) {
    for (uint32_t i = 0; i < atomic_load(&metrics->export_count); i++) {
        struct metrics_export *e = metrics->exports[i];
        uint64_t most_ns = e->options.end_timeout_ns;
        pawl_export_worker_prepare_stop(&e->worker, pawl_export_after(most_ns / 4), pawl_export_after(most_ns));
    }
}

static void end_export(struct metrics_export *e) {
    atomic_fetch_add(&e->metrics->holders, 1); /* for its thread, should that be left */
    if (pawl_export_worker_stop(&e->worker, pawl_export_after(e->options.end_timeout_ns)))
        pawl_metrics_let_go(e->metrics);
}

void pawl_metrics_end_exports(pawl_metrics *metrics) {
    pthread_mutex_lock(&metrics->exporting);
    for (uint32_t i = 0; i < atomic_load(&metrics->export_count); i++)
        end_export(metrics->exports[i]);
    pthread_mutex_unlock(&metrics->exporting);
}

void pawl_metrics_free_exports(pawl_metrics *metrics) {
    for (uint32_t i = 0; i < atomic_load(&metrics->export_count); i++)
        free_export(metrics->exports[i]);
}
