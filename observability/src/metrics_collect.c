/* Collections: all series as plain data in one arena, made under the lock and handed out without it. */
#include "engine_internal.h"
#include "metrics_collect_internal.h"
#include <math.h>
#include <string.h>

#define CHUNK_BYTES 65536

static bool is_delta(const struct reader *reader, const struct instrument *instrument) {
    if (!reader || reader->temporality == PAWL_TEMPORALITY_CUMULATIVE)
        return false;
    if (instrument->kind == PAWL_UP_DOWN_COUNTER || instrument->kind == PAWL_GAUGE)
        return false;
    return reader->temporality == PAWL_TEMPORALITY_DELTA || !instrument->is_observed;
}

/* Things that are counted are whole, until one is not. */
static bool is_integer(struct instrument *instrument, const pawl_metric_data *metric) {
    if (instrument->kind > PAWL_UP_DOWN_COUNTER || (instrument->unit[0] != '{' && strcmp(instrument->unit, "By") != 0))
        return false;
    for (uint64_t i = 0; i < metric->point_count; i++)
        if (metric->points[i].value != trunc(metric->points[i].value) || fabs(metric->points[i].value) > 0x1p53)
            instrument->has_fractions = true;
    return !instrument->has_fractions;
}

static size_t series_in(const struct instrument *instrument) {
    return instrument->series_count + (instrument->overflow ? 1 : 0);
}

/* Leaves out a metric without points. False without memory. */
static bool add_metric(struct collection *c, struct instrument *instrument) {
    pawl_metric_data *metric = &c->items[c->count];
    bool delta = is_delta(c->reader, instrument);
    pawl_point_data *points = pawl_arena_items(&c->arena, series_in(instrument), sizeof *points);
    if (!points)
        return false;
    *metric = (pawl_metric_data){.name = instrument->name,
                                 .unit = instrument->unit,
                                 .description = instrument->description,
                                 .kind = instrument->kind,
                                 .is_delta = delta,
                                 .bounds = instrument->bounds.values,
                                 .bound_count = instrument->bounds.count,
                                 .points = points};
    for (const pawl_series *series = instrument->first; series; series = series->next) {
        enum point made = pawl_collection_point(c, series, delta, &points[metric->point_count]);
        if (made == POINT_NO_MEMORY)
            return false;
        metric->point_count += made == POINT_MADE;
    }
    metric->is_integer = is_integer(instrument, metric);
    c->count += metric->point_count > 0;
    return true;
}

/* As many executions as durations; before them, since that is what people look for. */
static bool add_executions(struct collection *c) {
    if (c->count == 0)
        return true;
    pawl_metric_data *durations = &c->items[c->count - 1];
    pawl_point_data *points = pawl_arena_items(&c->arena, durations->point_count, sizeof *points);
    if (!points)
        return false;
    for (uint64_t i = 0; i < durations->point_count; i++) {
        const pawl_point_data *from = &durations->points[i];
        points[i] = (pawl_point_data){.attributes = from->attributes,
                                      .attribute_count = from->attribute_count,
                                      .start_unix_ns = from->start_unix_ns,
                                      .time_unix_ns = from->time_unix_ns,
                                      .value = (double)from->count,
                                      .min = NAN,
                                      .max = NAN};
    }
    c->items[c->count] = *durations;
    c->count++;
    *durations = (pawl_metric_data){.name = "pawl.primitive.executions",
                                    .unit = "{execution}",
                                    .description = "Nodes of pipelines that have run",
                                    .kind = PAWL_COUNTER,
                                    .is_delta = durations->is_delta,
                                    .is_integer = 1,
                                    .points = points,
                                    .point_count = durations->point_count};
    return true;
}

/* ---- the whole ---- */

static bool gather(struct collection *c) {
    pawl_metrics *metrics = c->metrics;
    c->now_unix_ns = pawl_metrics_now(metrics);
    c->items = pawl_arena_items(&c->arena, metrics->instrument_count + 1 + SEED_METRICS, sizeof *c->items);
    if (!c->items)
        return false;
    for (struct instrument *i = metrics->instruments; i; i = i->next)
        if (!add_metric(c, i) || (i == metrics->own.duration && !add_executions(c)))
            return false;
    metrics->collected_unix_ns = c->now_unix_ns;
    return !metrics->options.seed_names || pawl_metrics_add_seed_names(c);
}

static void keep(const struct commit *commit) {
    struct before *before = commit->before;
    before->sum = commit->sum;
    if (commit->bucket_count)
        memcpy(before->counts, commit->counts, commit->bucket_count * sizeof *commit->counts);
    if (commit->exponential)
        before->exponential[0] = *commit->exponential;
}

static bool gather_locked(struct collection *c) {
    pawl_metrics *metrics = c->metrics;
    pthread_mutex_lock(&metrics->collecting);
    pawl_metrics_run_observed(metrics);
    pthread_mutex_lock(&metrics->lock);
    if (metrics->clock)
        pawl_runtime_refresh_wall_offset(metrics->clock);
    bool whole = gather(c);
    pthread_mutex_unlock(&metrics->lock);
    atomic_fetch_add_explicit(&metrics->epoch, 2, memory_order_relaxed);
    pthread_mutex_unlock(&metrics->collecting);
    return whole;
}

pawl_status pawl_metrics_collect_for(pawl_metrics *metrics, struct reader *reader, pawl_metrics_visit visit, void *user,
                                     pawl_error **err) {
    struct collection c = {.metrics = metrics, .reader = reader, .arena.chunk_bytes = CHUNK_BYTES};
    pawl_status status = PAWL_OK;
    if (gather_locked(&c)) {
        for (const struct commit *commit = c.commits; commit; commit = commit->next)
            keep(commit);
        if (reader)
            reader->last_unix_ns = c.now_unix_ns;
        visit(user, c.items, c.count);
    } else
        status = pawl_error_set(err, PAWL_E_NOMEM, "metrics: out of memory while they were read");
    pawl_arena_free(&c.arena);
    return status;
}

pawl_status pawl_metrics_collect(pawl_metrics *metrics, pawl_metrics_visit visit, void *user, pawl_error **err) {
    if (!pawl_metrics_is_usable(metrics, err))
        return PAWL_E_INVALID;
    if (!visit)
        return pawl_error_set(err, PAWL_E_INVALID, "metrics: visit is NULL; pass a function that takes the data");
    return pawl_metrics_collect_for(metrics, NULL, visit, user, err);
}
