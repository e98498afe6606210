/* One point: a series merged over all shards and, for a reader that wants differences, less what it had before. */
#include "metrics_collect_internal.h"
#include <math.h>
#include <string.h>

/* ---- what a reader had ---- */

static struct before *before_of(struct reader *reader, const pawl_series *series) {
    struct before *before = table_get(&reader->befores, series->index);
    bool is_histogram = series->storage == STORED_HISTOGRAM || series->storage == STORED_DURATION;
    size_t buckets = is_histogram ? series->instrument->bounds.count + 1 : 0;
    size_t room = series->storage == STORED_EXPONENTIAL ? sizeof *before->exponential : 0;
    if (before)
        return before;
    before = pawl_arena_take(&reader->arena, sizeof *before + room);
    if (!before)
        return NULL;
    before->counts = pawl_arena_items(&reader->arena, buckets, sizeof *before->counts);
    if (room)
        pawl_exponential_clear(before->exponential);
    return before->counts && pawl_table_put(&reader->befores, &reader->arena, series->index, before) ? before : NULL;
}

/* Notes what the reader has seen, to be kept when the whole collection has gone well. */
static struct commit *note(struct collection *c, const pawl_series *series) {
    struct commit *commit = pawl_arena_take(&c->arena, sizeof *commit);
    struct before *before = commit ? before_of(c->reader, series) : NULL;
    if (!before)
        return NULL;
    commit->before = before;
    commit->next = c->commits;
    c->commits = commit;
    return commit;
}

/* ---- frame of a point ---- */

static void begin(struct collection *c, const pawl_series *series, bool is_delta, pawl_point_data *point) {
    memset(point, 0, sizeof *point);
    point->attributes = series->attributes.items;
    point->attribute_count = series->attributes.count;
    point->start_unix_ns = is_delta
                               ? pawl_metrics_possible_since(c->metrics, series->instrument, c->reader->last_unix_ns)
                               : series->start_unix_ns;
    point->time_unix_ns = c->now_unix_ns;
    if (point->start_unix_ns > point->time_unix_ns) /* made before there was the runtime's clock */
        point->start_unix_ns = point->time_unix_ns;
    point->min = point->max = NAN;
}

static enum point add_exemplars(struct collection *c, const pawl_series *series, bool is_delta,
                                pawl_point_data *point) {
    if (!atomic_load_explicit(&series->exemplars, memory_order_acquire))
        return POINT_MADE;
    pawl_exemplar_data *data = pawl_arena_items(&c->arena, series->exemplar_slots, sizeof *data);
    if (!data)
        return POINT_NO_MEMORY;
    point->exemplar_count = pawl_exemplars_read(series, is_delta ? point->start_unix_ns : 0, data);
    point->exemplars = data;
    return POINT_MADE;
}

/* ---- sums and gauges ---- */

static double cell_sum(const pawl_series *series, const void *cell) {
    if (series->storage == STORED_COUNT)
        return (double)atomic_load_explicit(&((const struct count_cell *)cell)->count, memory_order_relaxed);
    return atomic_load_explicit(&((const struct sum_cell *)cell)->sum, memory_order_relaxed);
}

static bool merge_sum(const pawl_metrics *metrics, const pawl_series *series, double *ret_sum) {
    bool some = false;
    *ret_sum = 0;
    for (const struct shard *shard = metrics->shards; shard; shard = shard->next) {
        const void *cell = table_get(&shard->cells, series->index);
        if (cell)
            *ret_sum += cell_sum(series, cell);
        some = some || cell;
    }
    return some;
}

static bool read_shared(const pawl_metrics *metrics, const pawl_series *series, double *ret_value) {
    *ret_value = atomic_load_explicit(&series->shared, memory_order_relaxed);
    return !isnan(*ret_value) && (!series->instrument->is_observed || series->round == metrics->round);
}

static enum point make_sum(struct collection *c, const pawl_series *series, bool is_delta, pawl_point_data *point) {
    bool some = series->storage == STORED_SHARED ? read_shared(c->metrics, series, &point->value)
                                                 : merge_sum(c->metrics, series, &point->value);
    if (!some)
        return POINT_NONE;
    if (series->instrument == c->metrics->own.active && point->value < 0)
        point->value = 0; /* an end was seen whose start was not yet */
    if (!is_delta)
        return POINT_MADE;
    struct commit *commit = note(c, series);
    if (!commit)
        return POINT_NO_MEMORY;
    commit->sum = point->value;
    point->value -= commit->before->sum;
    if (point->value < 0) { /* an observed total that began anew */
        point->value = commit->sum;
    }
    return point->value == 0 ? POINT_NONE : POINT_MADE;
}

/* ---- histograms ---- */

static void add_cell(const struct histogram_cell *cell, size_t buckets, uint64_t *counts, pawl_point_data *point) {
    for (size_t i = 0; i < buckets; i++)
        counts[i] += atomic_load_explicit(&cell->counts[i], memory_order_relaxed);
    point->sum += atomic_load_explicit(&cell->sum, memory_order_relaxed);
    double min = atomic_load_explicit(&cell->min, memory_order_relaxed),
           max = atomic_load_explicit(&cell->max, memory_order_relaxed);
    if (min <= max) {
        point->min = fmin(point->min, min); /* of a NaN and a number the number */
        point->max = fmax(point->max, max);
    }
}

static void add_cells(const struct collection *c, const pawl_series *series, size_t buckets, uint64_t *counts,
                      pawl_point_data *point) {
    for (const struct shard *shard = c->metrics->shards; shard; shard = shard->next) {
        const struct histogram_cell *cell = table_get(&shard->cells, series->index);
        if (cell)
            add_cell(cell, buckets, counts, point);
    }
}

static void add_durations(const struct collection *c, const pawl_series *series, size_t buckets, uint64_t *counts,
                          pawl_point_data *point) {
    uint64_t sum = 0, min = UINT64_MAX, max = 0;
    for (const struct shard *shard = c->metrics->shards; shard; shard = shard->next) {
        const struct duration_cell *cell = table_get(&shard->cells, series->index);
        if (!cell)
            continue;
        for (size_t i = 0; i < buckets; i++)
            counts[i] += atomic_load_explicit(&cell->counts[i], memory_order_relaxed);
        uint64_t least = atomic_load_explicit(&cell->min_ns, memory_order_relaxed),
                 most = atomic_load_explicit(&cell->max_ns, memory_order_relaxed);
        sum += atomic_load_explicit(&cell->sum_ns, memory_order_relaxed);
        min = least < min ? least : min;
        max = most > max ? most : max;
    }
    point->sum = (double)sum / 1e9;
    if (min <= max) {
        point->min = (double)min / 1e9;
        point->max = (double)max / 1e9;
    }
}

static bool subtract_histogram(struct collection *c, const pawl_series *series, size_t buckets, uint64_t *counts,
                               pawl_point_data *point) {
    struct commit *commit = note(c, series);
    uint64_t *seen = commit ? pawl_arena_items(&c->arena, buckets, sizeof *seen) : NULL;
    if (!seen)
        return false;
    commit->sum = point->sum;
    commit->counts = memcpy(seen, counts, buckets * sizeof *seen);
    commit->bucket_count = buckets;
    point->sum = point->min < 0 ? NAN : point->sum - commit->before->sum; /* a sum has to grow */
    for (size_t i = 0; i < buckets; i++)
        counts[i] -= commit->before->counts[i];
    point->min = point->max = NAN;
    return true;
}

static enum point make_histogram(struct collection *c, const pawl_series *series, bool is_delta,
                                 pawl_point_data *point) {
    size_t buckets = series->instrument->bounds.count + 1;
    uint64_t *counts = pawl_arena_items(&c->arena, buckets, sizeof *counts);
    if (!counts)
        return POINT_NO_MEMORY;
    if (series->storage == STORED_DURATION)
        add_durations(c, series, buckets, counts, point);
    else
        add_cells(c, series, buckets, counts, point);
    if (is_delta && !subtract_histogram(c, series, buckets, counts, point))
        return POINT_NO_MEMORY;
    for (size_t i = 0; i < buckets; i++)
        point->count += counts[i];
    point->bucket_counts = counts;
    return point->count == 0 ? POINT_NONE : POINT_MADE;
}

/* ---- exponential histograms ---- */

static bool write_side(struct arena *arena, const struct exponential_side *side, pawl_exponential_buckets *ret) {
    ret->count = side->high < side->low ? 0 : (uint64_t)((int64_t)side->high - side->low + 1);
    ret->offset = ret->count ? side->low : 0;
    uint64_t *counts = pawl_arena_items(arena, ret->count, sizeof *counts);
    if (!counts)
        return false;
    for (uint64_t i = 0; i < ret->count; i++)
        counts[i] = side->counts[exponential_place(side->low + (int32_t)i)];
    ret->counts = counts;
    return true;
}

static bool write_exponential(struct arena *arena, const struct exponential *data, pawl_point_data *point) {
    point->count = pawl_exponential_count(data);
    point->sum = data->sum;
    point->min = data->min;
    point->max = data->max;
    point->zero_count = data->zero_count;
    point->scale = data->scale;
    return write_side(arena, &data->sides[POSITIVE_SIDE], &point->positive) &&
           write_side(arena, &data->sides[NEGATIVE_SIDE], &point->negative);
}

static enum point make_exponential(struct collection *c, const pawl_series *series, bool is_delta,
                                   pawl_point_data *point) {
    struct exponential merged, one;
    pawl_exponential_clear(&merged);
    for (const struct shard *shard = c->metrics->shards; shard; shard = shard->next) {
        const struct exponential_cell *cell = table_get(&shard->cells, series->index);
        if (!cell)
            continue;
        pawl_exponential_read(cell, &one);
        pawl_exponential_add(&merged, &one);
    }
    if (is_delta) {
        struct commit *commit = note(c, series);
        struct exponential *seen = commit ? pawl_arena_take(&c->arena, sizeof *seen) : NULL;
        if (!seen)
            return POINT_NO_MEMORY;
        *seen = merged;
        commit->exponential = seen;
        pawl_exponential_subtract(&merged, commit->before->exponential);
    }
    if (!write_exponential(&c->arena, &merged, point))
        return POINT_NO_MEMORY;
    if (is_delta && point->negative.count)
        point->sum = NAN;
    return point->count == 0 ? POINT_NONE : POINT_MADE;
}

enum point pawl_collection_point(struct collection *c, const pawl_series *series, bool is_delta,
                                 pawl_point_data *ret_point) {
    begin(c, series, is_delta, ret_point);
    bool is_histogram = series->storage == STORED_HISTOGRAM || series->storage == STORED_DURATION;
    enum point made = is_histogram                            ? make_histogram(c, series, is_delta, ret_point)
                      : series->storage == STORED_EXPONENTIAL ? make_exponential(c, series, is_delta, ret_point)
                                                              : make_sum(c, series, is_delta, ret_point);
    return made == POINT_MADE ? add_exemplars(c, series, is_delta, ret_point) : made;
}
