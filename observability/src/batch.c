/* From the queue to the exporters. */
#include "batch_internal.h"
#include "engine_internal.h"
#include <stdlib.h>

#define LOOK_AT_DATE_NS PAWL_MIN(1)
#define ARENA_BYTES 65536
#define LOOKS 4  /* enough to decide about all traces that were complete when it began */
#define TAKES 64 /* then what is there goes, though it may be little */

/* ---- exporting ---- */

/* The date is looked at again when no trace would be torn by a new one, or after a while. */
static int64_t wall_offset(struct pawl_batch *batch) {
    struct pawl_span_ring_totals totals;
    uint64_t now = pawl_export_now();
    pawl_span_rings_totals(batch->rings, &totals);
    if (totals.live == 0 || now - batch->offset_seen_ns > LOOK_AT_DATE_NS) {
        pawl_runtime_refresh_wall_offset(batch->setup.runtime);
        batch->offset_seen_ns = now;
    }
    return pawl_runtime_wall_offset(batch->setup.runtime);
}

static pawl_status call(struct pawl_batch *batch, size_t exporter, size_t count, pawl_error **err) {
    struct pawl_batch_exporter_figures *figures = &batch->figures[exporter];
    uint64_t timeout_ns = pawl_export_worker_time(&batch->worker, batch->setup.export_timeout_ns);
    uint64_t start = pawl_export_now();
    atomic_store(&figures->inflight, count);
    pawl_status status = pawl_exporter_spans(batch->setup.exporters[exporter], batch->setup.resource, batch->data,
                                             count, timeout_ns, err);
    atomic_store(&figures->inflight, 0);
    atomic_fetch_add(status == PAWL_OK ? &figures->exported : &figures->failed, count);
    atomic_fetch_add(&figures->operations, 1);
    atomic_fetch_add(&figures->operation_ns, pawl_export_now() - start);
    if (status != PAWL_OK)
        atomic_store(&figures->last_status, (uint64_t)status);
    return status;
}

static pawl_status call_all(struct pawl_batch *batch, size_t count, pawl_error **err) {
    pawl_status first = PAWL_OK;
    for (size_t i = 0; i < batch->setup.exporter_count; i++) {
        pawl_status status = call(batch, i, count, first == PAWL_OK ? err : NULL);
        first = first == PAWL_OK ? status : first;
    }
    return first;
}

static size_t decode_all(struct pawl_batch *batch, size_t count) {
    int64_t offset = wall_offset(batch);
    const struct pawl_redaction redaction = pawl_redaction_of(batch->setup.runtime, true);
    size_t good = 0;
    for (size_t i = 0; i < count; i++)
        if (pawl_record_decode(&batch->slots[i], offset, &redaction, &batch->arena, &batch->data[good]))
            good++;
    atomic_fetch_add(&batch->no_memory, count - good);
    return good;
}

static size_t decode(struct pawl_batch *batch, size_t count) {
    size_t good = 0;
    pthread_mutex_lock(&batch->runtime_lock);
    if (likely(batch->setup.runtime != NULL))
        good = decode_all(batch, count);
    else
        atomic_fetch_add(&batch->dropped_shutdown, count);
    pthread_mutex_unlock(&batch->runtime_lock);
    return good;
}

static void release(struct pawl_batch *batch, size_t count) {
    for (size_t i = 0; i < count; i++)
        pawl_record_release(&batch->slots[i], &batch->budget);
    pawl_arena_free(&batch->arena);
}

static pawl_status export_slots(struct pawl_batch *batch, size_t count, pawl_error **err) {
    size_t good = decode(batch, count);
    pawl_status status = good > 0 ? call_all(batch, good, err) : PAWL_OK;
    atomic_fetch_add(&batch->processed, good);
    release(batch, count);
    return status;
}

/* ---- collecting ---- */

/* Fills the rest of the slots from the queue; *ret_looked: all rings are empty. */
static size_t collect_from_rings(struct pawl_batch *batch, size_t used, bool *ret_looked) {
    size_t room = (size_t)batch->setup.max_batch_size - used;
    size_t taken = pawl_span_rings_take(batch->rings, batch->slots + used, room);
    *ret_looked = taken < room;
    if (!batch->tail)
        return used + taken;
    used += pawl_tail_pass(batch->tail, batch->slots + used, taken);
    if (*ret_looked)
        pawl_tail_looked(batch->tail);
    return used;
}

/* The next batch: what was held and is kept first. *ret_more: there may be more. */
static size_t collect(struct pawl_batch *batch, bool *ret_more) {
    size_t most = (size_t)batch->setup.max_batch_size, used = 0;
    *ret_more = true;
    for (int looks = 0, takes = 0; used < most && looks < LOOKS && takes < TAKES; takes++) {
        if (batch->tail)
            used += pawl_tail_take(batch->tail, batch->slots + used, most - used);
        bool looked = false;
        if (used < most)
            used = collect_from_rings(batch, used, &looked);
        looks += looked;
        *ret_more = !looked || (batch->tail && pawl_tail_has_more(batch->tail));
        if (!*ret_more)
            break;
    }
    return used;
}

static void throw_away(void *user) {
    struct pawl_batch *batch = user;
    for (bool more = true; more;) {
        size_t count = collect(batch, &more);
        atomic_fetch_add(&batch->dropped_shutdown, count);
        release(batch, count);
    }
}

/* Batches that what is there now can make: who goes on ending spans must not keep a flush for ever. */
static uint64_t most_batches(struct pawl_batch *batch) {
    uint64_t spans = pawl_span_rings_waiting(batch->rings);
    if (batch->tail)
        spans += atomic_load(&pawl_tail_figures(batch->tail)->spans);
    return spans / batch->setup.max_batch_size + LOOKS;
}

static pawl_status drain(void *user, bool all, pawl_error **err) {
    struct pawl_batch *batch = user;
    pawl_status first = PAWL_OK;
    bool more = true;
    for (uint64_t left = most_batches(batch); more && left > 0; left--) {
        if (!all && !pawl_span_rings_are_due(batch->rings, batch->setup.max_batch_size))
            break;
        if (pawl_export_worker_time(&batch->worker, PAWL_NEVER) == 0)
            return first == PAWL_OK ? PAWL_E_TIMEOUT : first;
        size_t count = collect(batch, &more);
        pawl_status status = count > 0 ? export_slots(batch, count, first == PAWL_OK ? err : NULL) : PAWL_OK;
        first = first == PAWL_OK ? status : first;
    }
    return first;
}

/* ---- ringing ---- */

static void ring(void *user) {
    pawl_export_worker_ring(&((struct pawl_batch *)user)->worker);
}

static bool is_full(void *user) {
    struct pawl_batch *batch = user;
    uint64_t waiting = pawl_span_rings_waiting(batch->rings), most = batch->setup.max_batch_size;
    pawl_span_rings_wake_at(batch->rings, waiting < most ? most - waiting : 0);
    return pawl_span_rings_are_due(batch->rings, most); /* some may have come before it was set */
}

/* ---- life ---- */

static bool allocate(struct pawl_batch *batch) {
    const struct pawl_batch_setup *setup = &batch->setup;
    batch->budget.most = setup->max_queue_bytes;
    batch->slots = malloc((size_t)setup->max_batch_size * sizeof *batch->slots);
    batch->data = malloc((size_t)setup->max_batch_size * sizeof *batch->data);
    batch->rings = pawl_span_rings_new(setup->max_queue_size, ring, batch);
    if (setup->tail)
        batch->tail = pawl_tail_new(setup->tail, &batch->budget);
    return batch->slots && batch->data && batch->rings && (batch->tail || !setup->tail);
}

static void left(void *user) {
    struct pawl_batch *batch = user;
    batch->setup.left(batch->setup.user);
}

struct pawl_batch *pawl_batch_new(const struct pawl_batch_setup *setup, pawl_error **err) {
    struct pawl_batch *batch = calloc(1, sizeof *batch);
    if (batch) {
        batch->setup = *setup;
        batch->arena.chunk_bytes = ARENA_BYTES;
        pthread_mutex_init(&batch->runtime_lock, NULL);
        pawl_export_worker_init(&batch->worker, &(struct pawl_export_job){.who = "tracer",
                                                                          .user = batch,
                                                                          .exporters = setup->exporters,
                                                                          .exporter_count = setup->exporter_count,
                                                                          .delay_ns = setup->schedule_delay_ns,
                                                                          .is_full = is_full,
                                                                          .run = drain,
                                                                          .discard = throw_away,
                                                                          .left = left});
    }
    if (batch && allocate(batch))
        return batch;
    pawl_batch_free(batch);
    pawl_error_set(err, PAWL_E_NOMEM, "tracer: out of memory");
    return NULL;
}

void pawl_batch_free(struct pawl_batch *batch) {
    if (!batch)
        return;
    if (batch->rings)
        pawl_span_rings_close(batch->rings);
    pawl_tail_free(batch->tail);
    pawl_arena_free(&batch->arena);
    free(batch->slots);
    free(batch->data);
    pawl_export_worker_finish(&batch->worker);
    pthread_mutex_destroy(&batch->runtime_lock);
    free(batch);
}

bool pawl_batch_stop(struct pawl_batch *batch, uint64_t timeout_ns) {
    bool ended = pawl_export_worker_stop(&batch->worker, pawl_export_after(timeout_ns));
    pthread_mutex_lock(&batch->runtime_lock);
    batch->setup.runtime = NULL;
    pthread_mutex_unlock(&batch->runtime_lock);
    return ended;
}

struct pawl_span_rings *pawl_batch_rings(struct pawl_batch *batch) {
    return batch->rings;
}

struct pawl_heap_budget *pawl_batch_budget(struct pawl_batch *batch) {
    return &batch->budget;
}

struct pawl_tail *pawl_batch_tail(struct pawl_batch *batch) {
    return batch->tail;
}

/* ---- figures ---- */

void pawl_batch_stats(struct pawl_batch *batch, pawl_tracer_stats *stats) {
    struct pawl_span_ring_totals totals;
    pawl_span_rings_totals(batch->rings, &totals);
    stats->started = totals.ended + totals.live;
    stats->live = totals.live;
    stats->queue_size = totals.waiting;
    stats->queue_capacity = batch->setup.max_queue_size;
    stats->processed = atomic_load(&batch->processed);
    stats->dropped_full = totals.dropped;
    stats->dropped_no_memory = totals.failed + atomic_load(&batch->no_memory);
    stats->dropped_shutdown = atomic_load(&batch->dropped_shutdown);
    if (!batch->tail)
        return;
    struct pawl_tail_figures *figures = pawl_tail_figures(batch->tail);
    stats->dropped_no_memory += atomic_load(&figures->no_memory);
    stats->dropped_undecided = atomic_load(&figures->given_up);
    stats->not_kept = atomic_load(&figures->not_kept);
    stats->held = atomic_load(&figures->spans);
    stats->held_traces = atomic_load(&figures->traces);
}

bool pawl_batch_exporter_stats(struct pawl_batch *batch, size_t index, pawl_tracer_exporter_stats *stats) {
    if (index >= batch->setup.exporter_count)
        return false;
    struct pawl_batch_exporter_figures *from = &batch->figures[index];
    stats->name = pawl_exporter_name(batch->setup.exporters[index], PAWL_EXPORTED_SPANS);
    stats->inflight = atomic_load(&from->inflight);
    stats->exported = atomic_load(&from->exported);
    stats->failed = atomic_load(&from->failed);
    stats->last_status = atomic_load(&from->last_status);
    stats->operations = atomic_load(&from->operations);
    stats->operation_ns = atomic_load(&from->operation_ns);
    return true;
}
