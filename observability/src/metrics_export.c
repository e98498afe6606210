/* Periodic readers: one thread each collects and exports, every interval and when asked. In virtual time there is no
 * thread: whoever finds out that it is time exports. */
#include "engine_internal.h"
#include "export_internal.h"
#include "metrics_internal.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define EXPORTERS 8

struct metrics_export {
    pawl_metrics *metrics;
    pawl_metrics_export_options options;
    pawl_exporter *exporters[EXPORTERS];
    pawl_resource *resource;
    struct reader reader; /* of whoever exports */
    uint64_t due_ns;      /* virtual time */
    pthread_t thread;
    bool has_thread;
    pthread_mutex_t lock; /* guards the rest */
    pthread_cond_t changed;
    bool stop, ended;
    uint64_t asked, done; /* flushes */
    uint64_t timeout_ns;  /* of the flush that is asked for */
    pawl_status status;   /* of the last export */
    pawl_error *error;
};

/* ---- one export ---- */

struct delivery {
    struct metrics_export *e;
    uint64_t timeout_ns;
    pawl_status status;
    pawl_error *error;
};

static uint64_t count_points(const pawl_metric_data *metrics, size_t count) {
    uint64_t points = 0;
    for (size_t i = 0; i < count; i++)
        points += metrics[i].point_count;
    return points;
}

static void count_exported(pawl_metrics *metrics, const pawl_exporter *exporter, uint64_t points, pawl_status status) {
    pawl_attribute attributes[] = {
        pawl_attribute_string("otel.component.type", pawl_exporter_name(exporter, PAWL_EXPORTED_METRICS)),
        pawl_attribute_string("error.type", pawl_status_word(status))};
    struct attribute_set set;
    if (pawl_attribute_set_make(&set, attributes, status == PAWL_OK ? 1 : 2, NULL) != PAWL_OK)
        return;
    pthread_mutex_lock(&metrics->lock);
    pawl_series *series = pawl_metrics_series_of(metrics, metrics->own.exported, &set, NULL);
    if (series)
        series->storage = STORED_SHARED;
    pthread_mutex_unlock(&metrics->lock);
    if (series)
        pawl_series_add_shared(series, (double)points);
}

static void deliver(void *user, const pawl_metric_data *metrics, size_t count) {
    struct delivery *d = user;
    uint64_t points = count_points(metrics, count);
    for (uint64_t i = 0; i < d->e->options.exporter_count && points > 0; i++) {
        pawl_error *error = NULL;
        pawl_status status =
            pawl_exporter_metrics(d->e->exporters[i], d->e->resource, metrics, count, d->timeout_ns, &error);
        count_exported(d->e->metrics, d->e->exporters[i], points, status);
        if (d->status == PAWL_OK) {
            d->status = status;
            d->error = error;
        } else
            pawl_error_unref(error);
    }
}

static pawl_status export_once(struct metrics_export *e, uint64_t timeout_ns, pawl_error **err) {
    struct delivery d = {.e = e, .timeout_ns = timeout_ns};
    pawl_status status = pawl_metrics_collect_for(e->metrics, &e->reader, deliver, &d, &d.error);
    if (err)
        *err = d.error;
    else
        pawl_error_unref(d.error);
    return status == PAWL_OK ? d.status : status;
}

/* ---- the thread ---- */

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * PAWL_S(1) + (uint64_t)time.tv_nsec;
}

static uint64_t after(uint64_t start, uint64_t more) {
    return more > PAWL_NEVER - start ? PAWL_NEVER : start + more;
}

/* Under the lock. False: the time is up. */
static bool wait_until(struct metrics_export *e, uint64_t end_ns) {
    if (end_ns == PAWL_NEVER)
        return pthread_cond_wait(&e->changed, &e->lock) == 0;
    struct timespec end = {.tv_sec = (time_t)(end_ns / PAWL_S(1)), .tv_nsec = (long)(end_ns % PAWL_S(1))};
    return pthread_cond_timedwait(&e->changed, &e->lock, &end) != ETIMEDOUT;
}

static void *work(void *user) {
    struct metrics_export *e = user;
    uint64_t due = after(now(), e->options.interval_ns);
    pthread_mutex_lock(&e->lock);
    for (bool stop = false; !stop;) {
        while (!e->stop && e->asked == e->done && wait_until(e, due)) {
        }
        stop = e->stop;
        uint64_t asked = e->asked, timeout_ns = asked > e->done ? e->timeout_ns : e->options.timeout_ns;
        timeout_ns = stop ? e->options.end_timeout_ns : timeout_ns;
        pthread_mutex_unlock(&e->lock);
        pawl_error *error = NULL;
        pawl_status status = timeout_ns > 0 ? export_once(e, timeout_ns, &error) : PAWL_OK;
        due = after(now(), e->options.interval_ns);
        pthread_mutex_lock(&e->lock);
        pawl_error_unref(e->error);
        e->error = error;
        e->status = status;
        e->done = asked;
        pthread_cond_broadcast(&e->changed);
    }
    e->ended = true;
    pthread_cond_broadcast(&e->changed);
    pthread_mutex_unlock(&e->lock);
    return NULL;
}

static void cancel_exporters(struct metrics_export *e) {
    for (uint64_t i = 0; i < e->options.exporter_count; i++)
        pawl_exporter_cancel(e->exporters[i]);
}

/* The last export has its time; then what is under way is ended. Under the lock, which is given up meanwhile. */
static void end_thread(struct metrics_export *e) {
    uint64_t end = after(now(), e->options.end_timeout_ns);
    e->stop = true;
    pthread_cond_broadcast(&e->changed);
    while (!e->ended && wait_until(e, end)) {
    }
    bool late = !e->ended;
    pthread_mutex_unlock(&e->lock);
    if (late)
        cancel_exporters(e);
    pthread_join(e->thread, NULL);
    pthread_mutex_lock(&e->lock);
}

static void end_export(struct metrics_export *e) {
    pthread_mutex_lock(&e->lock);
    if (e->has_thread && !e->stop)
        end_thread(e);
    else if (!e->ended && e->options.end_timeout_ns > 0)
        (void)export_once(e, e->options.end_timeout_ns, NULL);
    e->ended = true;
    pthread_mutex_unlock(&e->lock);
}

/* ---- flush ---- */

static pawl_status ask_thread(struct metrics_export *e, uint64_t end_ns, pawl_error **err) {
    pawl_status status = PAWL_OK;
    pthread_mutex_lock(&e->lock);
    uint64_t start = now(), mine = ++e->asked;
    e->timeout_ns = end_ns > start && end_ns - start < e->options.timeout_ns ? end_ns - start : e->options.timeout_ns;
    pthread_cond_broadcast(&e->changed);
    while (e->done < mine && !e->ended && wait_until(e, end_ns)) {
    }
    if (e->done < mine && !e->ended)
        status = pawl_error_set(err, PAWL_E_TIMEOUT, "metrics: the export goes on, but the time to wait for it is up");
    else if ((status = e->status) != PAWL_OK && err)
        *err = pawl_error_ref(e->error);
    pthread_mutex_unlock(&e->lock);
    return status;
}

static pawl_status flush_one(struct metrics_export *e, uint64_t end_ns, uint64_t timeout_ns, pawl_error **err) {
    if (e->has_thread)
        return ask_thread(e, end_ns, err);
    uint64_t most = timeout_ns < e->options.timeout_ns ? timeout_ns : e->options.timeout_ns;
    pthread_mutex_lock(&e->lock);
    pawl_status status = e->ended ? PAWL_OK : export_once(e, most, err);
    pthread_mutex_unlock(&e->lock);
    return status;
}

pawl_status pawl_metrics_flush(pawl_metrics *metrics, uint64_t timeout_ns, pawl_error **err) {
    if (!pawl_metrics_is_usable(metrics, err))
        return PAWL_E_INVALID;
    uint64_t end = after(now(), timeout_ns);
    pawl_status first = PAWL_OK;
    for (uint32_t i = 0; i < atomic_load(&metrics->export_count); i++) {
        pawl_status status = flush_one(metrics->exports[i], end, timeout_ns, first == PAWL_OK ? err : NULL);
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
            e->due_ns = after(now_ns, e->options.interval_ns);
            (void)export_once(e, e->options.timeout_ns, NULL);
        }
        pthread_mutex_unlock(&e->lock);
    }
}

/* ---- life ---- */

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
        e->due_ns = after(pawl_runtime_now(metrics->clock), e->options.interval_ns);
    else if (pawl_thread_start(&e->thread, work, e) == 0)
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
