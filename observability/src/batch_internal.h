/* Takes finished spans out of the queue and calls the exporters with them, on a thread of its own or on request. */
#ifndef PAWL_BATCH_INTERNAL_H
#define PAWL_BATCH_INTERNAL_H

#include "export_worker_internal.h"
#include "span_ring_internal.h"
#include "tail_internal.h"
#include <pawl/observability/tracer.h>

#define PAWL_TRACER_EXPORTERS 8u

struct pawl_batch;

/* What a batch works with; it owns all of it but the resource and the exporters. */
struct pawl_batch_setup {
    pawl_runtime *runtime; /* for the time of day and secrets; NULL once it has ended */
    pawl_resource *resource;
    pawl_exporter *const *exporters;
    size_t exporter_count;
    uint64_t max_queue_size, max_queue_bytes, max_batch_size;
    uint64_t schedule_delay_ns, export_timeout_ns;
    const struct pawl_tail_rules *tail; /* NULL: none is held */
    void (*left)(void *user);           /* its thread, left alone by pawl_batch_stop(), ends after all */
    void *user;
};

/* NULL with PAWL_E_NOMEM or PAWL_E_UNSUPPORTED. */
struct pawl_batch *pawl_batch_new(const struct pawl_batch_setup *setup, pawl_error **err);
/* Nobody writes any more, and its thread has ended, or never was. */
void pawl_batch_free(struct pawl_batch *batch);

struct pawl_span_rings *pawl_batch_rings(struct pawl_batch *batch);
struct pawl_heap_budget *pawl_batch_budget(struct pawl_batch *batch);
struct pawl_tail *pawl_batch_tail(struct pawl_batch *batch); /* NULL for none */

void pawl_batch_stats(struct pawl_batch *batch, pawl_tracer_stats *stats);
bool pawl_batch_exporter_stats(struct pawl_batch *batch, size_t index, pawl_tracer_exporter_stats *stats);

struct pawl_batch_exporter_figures {
    _Atomic uint64_t inflight, exported, failed, last_status, operations, operation_ns;
};

struct pawl_batch {
    struct pawl_batch_setup setup;
    struct pawl_batch_exporter_figures figures[PAWL_TRACER_EXPORTERS];
    struct pawl_span_rings *rings;
    struct pawl_heap_budget budget;
    struct pawl_tail *tail;
    _Atomic uint64_t processed, dropped_shutdown, no_memory;

    struct pawl_export_worker worker;
    pthread_mutex_t runtime_lock; /* of setup.runtime: it may end before a thread that was left alone */
    /* Of whoever exports. */
    struct pawl_span_record *slots;
    pawl_span_data *data;
    struct arena arena;
    uint64_t offset_seen_ns; /* when the time of day was looked at */
};

/* ---- its thread: export_worker_internal.h ---- */

static inline pawl_status pawl_batch_start(struct pawl_batch *batch, pawl_error **err) {
    return pawl_export_worker_start(&batch->worker, err);
}
static inline pawl_status pawl_batch_flush(struct pawl_batch *batch, uint64_t timeout_ns, pawl_error **err) {
    return pawl_export_worker_flush(&batch->worker, pawl_export_after(timeout_ns), err);
}
/* See pawl_export_worker_stop(); the caller keeps the batch for as long. From here on the runtime is not needed. */
bool pawl_batch_stop(struct pawl_batch *batch, uint64_t timeout_ns);

#endif
