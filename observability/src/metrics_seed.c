/* The metrics that dashboards of the seed project ask for, made of ours when they are handed out: points are mapped to
 * the labels known there, and those that then have the same ones are added up. */
#include "metrics_collect_internal.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LABELS 3

static const double tta_bounds[] = {0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30};
static const double e2b_bounds[] = {0.1, 0.5, 1, 5, 10, 30, 60};

struct rule {
    const char *name, *unit, *description, *source;
    /* Writes the labels, in the order of their keys; how many, -1 to leave the point out. */
    int (*map)(const pawl_point_data *from, pawl_attribute labels[LABELS]);
    const double *bounds; /* NULL: a counter of executions */
    uint64_t bound_count;
};

/* ---- labels ---- */

static const char *text_of(const pawl_point_data *point, const char *key) {
    for (uint64_t i = 0; i < point->attribute_count; i++)
        if (point->attributes[i].type == PAWL_ATTRIBUTE_STRING && strcmp(point->attributes[i].key, key) == 0)
            return point->attributes[i].value.string;
    return "";
}

static pawl_attribute status_label(bool success) {
    return pawl_attribute_string("status", success ? "success" : "failure");
}

static int map_workflow(const pawl_point_data *from, pawl_attribute labels[LABELS]) {
    labels[0] = status_label(*text_of(from, "error.type") == '\0');
    labels[1] = pawl_attribute_string("workflow_name", text_of(from, "gen_ai.workflow.name"));
    return 2;
}

static int map_primitive(const pawl_point_data *from, pawl_attribute labels[LABELS]) {
    labels[0] = pawl_attribute_string("primitive_name", text_of(from, "pawl.node.name"));
    labels[1] = pawl_attribute_string("primitive_type", text_of(from, "pawl.primitive.type"));
    labels[2] = status_label(strcmp(text_of(from, "pawl.outcome"), "ok") == 0);
    return 3;
}

static int map_type(const pawl_point_data *from, pawl_attribute labels[LABELS]) {
    labels[0] = pawl_attribute_string("primitive_type", text_of(from, "pawl.primitive.type"));
    return 1;
}

static int map_cache(const pawl_point_data *from, pawl_attribute labels[LABELS]) {
    labels[0] = pawl_attribute_string("cache_type", "memory");
    labels[1] = pawl_attribute_string("primitive_name", text_of(from, "pawl.node.name"));
    return 2;
}

/* A caller that was given another's result did not have to work for it. */
static int map_hit(const pawl_point_data *from, pawl_attribute labels[LABELS]) {
    const char *how = text_of(from, "pawl.cache.result");
    return strcmp(how, "hit") == 0 || strcmp(how, "shared") == 0 ? map_cache(from, labels) : -1;
}

static int map_miss(const pawl_point_data *from, pawl_attribute labels[LABELS]) {
    return strcmp(text_of(from, "pawl.cache.result"), "miss") == 0 ? map_cache(from, labels) : -1;
}

/* A program that ended by itself, well or not, is no error there. */
static int map_e2b(const pawl_point_data *from, pawl_attribute labels[LABELS]) {
    const char *outcome = text_of(from, "pawl.outcome");
    bool ok = strcmp(outcome, "ok") == 0;
    labels[0] = pawl_attribute_string("has_error", ok || strcmp(outcome, "nonzero_exit") == 0 ? "false" : "true");
    labels[1] = status_label(ok);
    return 2;
}

static int map_none(const pawl_point_data *from, pawl_attribute labels[LABELS]) {
    (void)from, (void)labels;
    return 0;
}

/* tta-dev's metric catalogue and its guide to E2B; job is what Prometheus adds itself. */
static const struct rule rules[SEED_METRICS] = {
    {"tta_workflow_executions_total", "", "Workflow executions", "gen_ai.workflow.duration", map_workflow, NULL, 0},
    {"tta_primitive_executions_total", "", "Primitive executions", "pawl.primitive.duration", map_primitive, NULL, 0},
    {"tta_execution_duration_seconds", "s", "Primitive durations", "pawl.primitive.duration", map_type, tta_bounds,
     sizeof tta_bounds / sizeof *tta_bounds},
    {"tta_cache_hits_total", "", "Cache hits", "pawl.cache.lookups", map_hit, NULL, 0},
    {"tta_cache_misses_total", "", "Cache misses", "pawl.cache.lookups", map_miss, NULL, 0},
    {"e2b_executions_total", "", "Code executions", "pawl.execution.duration", map_e2b, NULL, 0},
    {"e2b_execution_duration_seconds", "s", "Code execution durations", "pawl.execution.duration", map_none, e2b_bounds,
     sizeof e2b_bounds / sizeof *e2b_bounds},
};

/* ---- points ---- */

/* Ours have every bound of theirs, so that each bucket belongs into one of theirs as a whole. */
static bool rebin(struct arena *arena, const struct rule *rule, const pawl_metric_data *source,
                  const pawl_point_data *from, pawl_point_data *point) {
    uint64_t *counts = pawl_arena_items(arena, rule->bound_count + 1, sizeof *counts);
    if (!counts)
        return false;
    for (uint64_t i = 0, to = 0; i <= source->bound_count; i++) {
        double above = i < source->bound_count ? source->bounds[i] : INFINITY;
        while (to < rule->bound_count && rule->bounds[to] < above)
            to++;
        counts[to] += from->bucket_counts[i];
    }
    point->bucket_counts = counts;
    point->count = from->count;
    point->sum = from->sum;
    point->min = from->min;
    point->max = from->max;
    return true;
}

static bool map_point(struct arena *arena, const struct rule *rule, const pawl_metric_data *source,
                      const pawl_point_data *from, pawl_metric_data *metric) {
    pawl_point_data *point = (pawl_point_data *)&metric->points[metric->point_count];
    pawl_attribute *labels = pawl_arena_items(arena, LABELS, sizeof *labels);
    int count = labels ? rule->map(from, labels) : -1;
    if (!labels || count < 0)
        return labels != NULL;
    *point = (pawl_point_data){.attributes = labels,
                               .attribute_count = (uint64_t)count,
                               .start_unix_ns = from->start_unix_ns,
                               .time_unix_ns = from->time_unix_ns,
                               .min = NAN,
                               .max = NAN};
    point->value = source->kind == PAWL_COUNTER ? from->value : (double)from->count;
    metric->point_count++;
    return !rule->bounds || rebin(arena, rule, source, from, point);
}

static int by_labels(const void *a, const void *b) {
    const pawl_point_data *left = a, *right = b;
    int order = 0;
    for (uint64_t i = 0; i < left->attribute_count && order == 0; i++)
        order = strcmp(left->attributes[i].value.string, right->attributes[i].value.string);
    return order;
}

static void add_up(pawl_point_data *into, const pawl_point_data *more, uint64_t bound_count) {
    uint64_t *counts = (uint64_t *)into->bucket_counts;
    into->value += more->value;
    into->count += more->count;
    into->sum += more->sum;
    into->min = fmin(into->min, more->min);
    into->max = fmax(into->max, more->max);
    if (more->start_unix_ns < into->start_unix_ns)
        into->start_unix_ns = more->start_unix_ns;
    for (uint64_t i = 0; counts && i <= bound_count; i++)
        counts[i] += more->bucket_counts[i];
}

static void merge_equal(pawl_metric_data *metric) {
    pawl_point_data *points = (pawl_point_data *)metric->points;
    uint64_t kept = 0;
    qsort(points, metric->point_count, sizeof *points, by_labels);
    for (uint64_t i = 0; i < metric->point_count; i++)
        if (kept > 0 && by_labels(&points[kept - 1], &points[i]) == 0)
            add_up(&points[kept - 1], &points[i], metric->bound_count);
        else
            points[kept++] = points[i];
    metric->point_count = kept;
}

static bool apply(struct collection *c, const struct rule *rule, const pawl_metric_data *source) {
    pawl_metric_data *metric = &c->items[c->count];
    pawl_point_data *points = pawl_arena_items(&c->arena, source->point_count, sizeof *points);
    if (!points)
        return false;
    *metric = (pawl_metric_data){.name = rule->name,
                                 .unit = rule->unit,
                                 .description = rule->description,
                                 .kind = rule->bounds ? PAWL_HISTOGRAM : PAWL_COUNTER,
                                 .is_delta = source->is_delta,
                                 .is_integer = !rule->bounds,
                                 .bounds = rule->bounds,
                                 .bound_count = rule->bound_count,
                                 .points = points};
    for (uint64_t i = 0; i < source->point_count; i++)
        if (!map_point(&c->arena, rule, source, &source->points[i], metric))
            return false;
    merge_equal(metric);
    c->count += metric->point_count > 0;
    return true;
}

bool pawl_metrics_add_seed_names(struct collection *c) {
    size_t ours = c->count;
    for (size_t r = 0; r < SEED_METRICS; r++)
        for (size_t i = 0; i < ours; i++) {
            bool is_histogram = c->items[i].kind == PAWL_HISTOGRAM;
            if (strcmp(c->items[i].name, rules[r].source) == 0 &&
                (is_histogram || (!rules[r].bounds && c->items[i].kind == PAWL_COUNTER)) &&
                !apply(c, &rules[r], &c->items[i]))
                return false;
        }
    return true;
}
