/* The observer of log records: a queue that many threads fill without a lock and one empties. */
#include "logs_internal.h"
#include "engine_internal.h"
#include "export_worker_internal.h"
#include "options_internal.h"
#include <stdlib.h>
#include <string.h>

struct pawl_logs {
    pawl_logs_options options;
    pawl_exporter *exporters[PAWL_LOGS_EXPORTERS + 1]; /* the lines' first */
    size_t exporter_count;
    struct pawl_log_limits limits;
    pawl_runtime *runtime; /* it is attached to, borrowed */
    atomic_uint refs;
    atomic_bool attached;
    struct pawl_export_worker worker;

    /* The queue: the newest first, taken as a whole. */
    _Atomic(struct pawl_held_log *) newest;
    _Atomic uint64_t count, bytes; /* of records that wait */
    uint64_t full;                 /* so many are exported at once */
    _Atomic uint64_t processed, dropped_full, dropped_no_memory, dropped_shutdown, exported, failed;

    /* Of whoever drains. */
    struct pawl_held_log *oldest; /* in order */
    struct pawl_held_log **batch;
    pawl_log_data *data;
};

/* ---- putting records into the queue: the threads of runs ---- */

static bool reserve(_Atomic uint64_t *used, uint64_t more, uint64_t most, uint64_t *ret_before) {
    *ret_before = atomic_fetch_add_explicit(used, more, memory_order_relaxed);
    if (*ret_before + more <= most)
        return true;
    atomic_fetch_sub_explicit(used, more, memory_order_relaxed);
    return false;
}

static void push(struct pawl_logs *logs, struct pawl_held_log *held) {
    held->next = atomic_load_explicit(&logs->newest, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(&logs->newest, &held->next, held, memory_order_release,
                                                  memory_order_relaxed)) {
    }
}

static void put(struct pawl_logs *logs, const pawl_log_record *record) {
    uint64_t before, ignored, bytes = pawl_held_log_bytes(record, &logs->limits);
    if (!reserve(&logs->count, 1, logs->options.max_queue_size, &before)) {
        atomic_fetch_add(&logs->dropped_full, 1);
        return;
    }
    bool fits = reserve(&logs->bytes, bytes, logs->options.max_queue_bytes, &ignored);
    struct pawl_held_log *held =
        fits ? pawl_held_log_new(record, &logs->limits, (size_t)bytes, pawl_runtime_wall_offset(logs->runtime)) : NULL;
    if (held) {
        push(logs, held);
    } else {
        atomic_fetch_add(fits ? &logs->dropped_no_memory : &logs->dropped_full, 1);
        atomic_fetch_sub(&logs->bytes, fits ? bytes : 0);
        atomic_fetch_sub(&logs->count, 1);
    }
    if (before + 1 == logs->full)
        pawl_export_worker_ring(&logs->worker);
}

static void take_record(void *self, const pawl_log_record *record) {
    struct pawl_logs *logs = self;
    if (record->level >= logs->options.level && !pawl_runtime_is_forked(logs->runtime))
        put(logs, record);
}

/* ---- taking them out: one thread at a time ---- */

static bool is_full(void *user) {
    struct pawl_logs *logs = user;
    return atomic_load(&logs->count) >= logs->full;
}

/* Puts what came since in order behind the rest. */
static void sort_in(struct pawl_logs *logs) {
    struct pawl_held_log *newest = atomic_exchange_explicit(&logs->newest, NULL, memory_order_acquire),
                         *in_order = NULL;
    while (newest) {
        struct pawl_held_log *next = newest->next;
        newest->next = in_order;
        in_order = newest;
        newest = next;
    }
    struct pawl_held_log **end = &logs->oldest;
    while (*end)
        end = &(*end)->next;
    *end = in_order;
}

static size_t take_batch(struct pawl_logs *logs) {
    size_t taken = 0;
    if (!logs->oldest)
        sort_in(logs);
    for (; taken < logs->options.max_batch_size && logs->oldest; taken++) {
        struct pawl_held_log *held = logs->oldest;
        logs->oldest = held->next;
        logs->batch[taken] = held;
        logs->data[taken] = held->data;
        atomic_fetch_sub(&logs->bytes, held->bytes);
        atomic_fetch_sub(&logs->count, 1);
        if (!logs->oldest && taken + 1 < logs->options.max_batch_size)
            sort_in(logs);
    }
    return taken;
}

static void release(struct pawl_logs *logs, size_t count) {
    for (size_t i = 0; i < count; i++)
        free(logs->batch[i]);
}

static pawl_status export_batch(struct pawl_logs *logs, size_t count, pawl_error **err) {
    pawl_status first = PAWL_OK;
    for (size_t i = 0; i < logs->exporter_count; i++) {
        uint64_t timeout = pawl_export_worker_time(&logs->worker, logs->options.export_timeout_ns);
        pawl_status status = pawl_exporter_logs(logs->exporters[i], logs->options.resource, logs->data, count, timeout,
                                                first == PAWL_OK ? err : NULL);
        atomic_fetch_add(status == PAWL_OK ? &logs->exported : &logs->failed, count);
        first = first == PAWL_OK ? status : first;
    }
    atomic_fetch_add(&logs->processed, count);
    return first;
}

static void throw_away(void *user) {
    struct pawl_logs *logs = user;
    for (size_t count; (count = take_batch(logs)) > 0; release(logs, count))
        atomic_fetch_add(&logs->dropped_shutdown, count);
}

static pawl_status drain(void *user, bool all, pawl_error **err) {
    struct pawl_logs *logs = user;
    pawl_status first = PAWL_OK;
    while (atomic_load(&logs->count) >= (all ? 1 : logs->full)) {
        if (pawl_export_worker_time(&logs->worker, PAWL_NEVER) == 0)
            return first == PAWL_OK ? PAWL_E_TIMEOUT : first;
        size_t count = take_batch(logs);
        if (count == 0)
            break; /* counted, and not there yet */
        pawl_status status = export_batch(logs, count, first == PAWL_OK ? err : NULL);
        first = first == PAWL_OK ? status : first;
        release(logs, count);
    }
    return first;
}

/* ---- its thread: export_worker_internal.h ---- */

static void left(void *user) {
    pawl_logs_unref(user);
}

static pawl_status flush(void *self, uint64_t timeout_ns, pawl_error **err) {
    return pawl_export_worker_flush(&((struct pawl_logs *)self)->worker, pawl_export_after(timeout_ns), err);
}

static void end(void *self) {
    struct pawl_logs *logs = self;
    if (!pawl_export_worker_stop(&logs->worker, pawl_export_after(logs->options.shutdown_timeout_ns)))
        return;
    throw_away(logs); /* what came after an end that was prepared */
    pawl_logs_unref(logs);
}

void pawl_logs_prepare_flush(pawl_logs *logs) {
    pawl_export_worker_prepare_flush(&logs->worker, pawl_export_now());
}

void pawl_logs_prepare_end(pawl_logs *logs) {
    uint64_t now = pawl_export_now();
    pawl_export_worker_prepare_stop(&logs->worker, now, pawl_export_after(logs->options.shutdown_timeout_ns));
}

static const pawl_observer_vtable observer = {
    .size = sizeof observer, .destroy = end, .log = take_record, .flush = flush};

/* ---- life ---- */

static void init_worker(struct pawl_logs *logs) {
    const pawl_logs_options *o = &logs->options;
    bool at_once = o->schedule_delay_ns == 0;
    logs->full = at_once ? 1 : o->max_batch_size;
    logs->exporter_count = (size_t)o->exporter_count + (o->write ? 1 : 0);
    pawl_export_worker_init(&logs->worker,
                            &(struct pawl_export_job){.who = "logs",
                                                      .user = logs,
                                                      .exporters = logs->exporters,
                                                      .exporter_count = logs->exporter_count,
                                                      .delay_ns = at_once ? PAWL_UNLIMITED : o->schedule_delay_ns,
                                                      .is_full = is_full,
                                                      .run = drain,
                                                      .discard = throw_away,
                                                      .left = left});
}

static pawl_status make_exporters(struct pawl_logs *logs, pawl_error **err) {
    pawl_logs_options *o = &logs->options;
    pawl_exporter **next = logs->exporters;
    if (o->write && !(*next++ = pawl_log_lines_new(o->write, o->user, o->format, err)))
        return PAWL_E_NOMEM;
    for (uint64_t i = 0; i < o->exporter_count; i++)
        *next++ = pawl_exporter_ref(o->exporters[i]);
    o->exporters = NULL;
    return PAWL_OK;
}

static pawl_status fill(struct pawl_logs *logs, pawl_error **err) {
    pawl_logs_options *o = &logs->options;
    init_worker(logs);
    logs->limits = (struct pawl_log_limits){o->attribute_count_limit, o->attribute_value_length_limit};
    o->resource = o->resource ? pawl_resource_ref(o->resource) : pawl_resource_new(NULL, err);
    if (!o->resource)
        return PAWL_E_NOMEM;
    logs->batch = malloc((size_t)o->max_batch_size * sizeof(struct pawl_held_log *));
    logs->data = malloc((size_t)o->max_batch_size * sizeof *logs->data);
    if (!logs->batch || !logs->data)
        return pawl_error_set(err, PAWL_E_NOMEM, "logs: out of memory");
    return make_exporters(logs, err);
}

pawl_logs *pawl_logs_new(const pawl_logs_options *options, pawl_error **err) {
    pawl_logs_options known;
    if (pawl_options_copy(&known, sizeof known, options, "logs", err) != PAWL_OK ||
        pawl_logs_check(&known, err) != PAWL_OK)
        return NULL;
    struct pawl_logs *logs = calloc(1, sizeof *logs);
    if (!logs) {
        pawl_error_set(err, PAWL_E_NOMEM, "logs: out of memory");
        return NULL;
    }
    atomic_init(&logs->refs, 1);
    logs->options = known;
    return fill(logs, err) == PAWL_OK ? logs : pawl_logs_unref(logs);
}

pawl_logs *pawl_logs_ref(pawl_logs *logs) {
    if (logs)
        atomic_fetch_add_explicit(&logs->refs, 1, memory_order_relaxed);
    return logs;
}

pawl_logs *pawl_logs_unref(pawl_logs *logs) {
    if (!logs || atomic_fetch_sub_explicit(&logs->refs, 1, memory_order_acq_rel) != 1)
        return NULL;
    pawl_export_worker_finish(&logs->worker);
    for (size_t i = 0; i < logs->exporter_count; i++)
        pawl_exporter_unref(logs->exporters[i]);
    pawl_resource_unref(logs->options.resource);
    free(logs->batch);
    free(logs->data);
    free(logs);
    return NULL;
}

static pawl_status attach(struct pawl_logs *logs, pawl_runtime *runtime, pawl_error **err) {
    logs->runtime = runtime;
    pawl_status status = runtime->hooks ? PAWL_OK : pawl_export_worker_start(&logs->worker, err);
    if (status != PAWL_OK)
        return status;
    status = pawl_runtime_add_observer(runtime, &observer, pawl_logs_ref(logs), err);
    if (status != PAWL_OK)
        end(logs);
    return status;
}

pawl_status pawl_logs_attach(pawl_logs *logs, pawl_runtime *runtime, pawl_error **err) {
    if (!logs)
        return pawl_error_set(err, PAWL_E_INVALID, "logs: it is NULL; pass what pawl_logs_new() gave");
    if (!pawl_runtime_is_usable(runtime, err))
        return PAWL_E_INVALID;
    if (atomic_exchange(&logs->attached, true))
        return pawl_error_set(err, PAWL_E_INVALID, "logs: it was attached before; make one for each runtime");
    return attach(logs, runtime, err);
}

void pawl_logs_get_stats(pawl_logs *logs, pawl_logs_stats *ret_stats) {
    if (!logs || !ret_stats)
        return;
    pawl_logs_stats stats = {.size = ret_stats->size,
                             .queue_size = atomic_load(&logs->count),
                             .queue_capacity = logs->options.max_queue_size,
                             .processed = atomic_load(&logs->processed),
                             .dropped_full = atomic_load(&logs->dropped_full),
                             .dropped_no_memory = atomic_load(&logs->dropped_no_memory),
                             .dropped_shutdown = atomic_load(&logs->dropped_shutdown),
                             .exported = atomic_load(&logs->exported),
                             .failed = atomic_load(&logs->failed)};
    memcpy(ret_stats, &stats, stats.size < sizeof stats ? stats.size : sizeof stats);
}
