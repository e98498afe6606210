/* Reports: rows made of the primitives' durations, which have all that is asked. */
#include "attribute_set_internal.h"
#include "metrics_internal.h"
#include "metrics_report_internal.h"
#include "options_internal.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- life ---- */

pawl_report *pawl_report_new(pawl_metrics *metrics, const pawl_report_options *options, pawl_error **err) {
    pawl_report_options set;
    if (!pawl_metrics_is_usable(metrics, err) || pawl_options_copy(&set, sizeof set, options, "report", err) != PAWL_OK)
        return NULL;
    pawl_report *report = calloc(1, sizeof *report);
    if (!report) {
        pawl_error_set(err, PAWL_E_NOMEM, "report: out of memory");
        return NULL;
    }
    report->metrics = pawl_metrics_ref(metrics);
    if (pawl_report_copy_slos(report, set.slos, set.slo_count, err) != PAWL_OK) {
        pawl_report_free(report);
        return NULL;
    }
    pawl_report_update_slos(report);
    return report;
}

void pawl_report_free(pawl_report *report) {
    if (!report)
        return;
    pawl_report_free_slos(report);
    free(report->nodes);
    free(report->rows);
    pawl_metrics_unref(report->metrics);
    free(report);
}

/* ---- rows ---- */

static const char *text_of(const pawl_point_data *point, const char *key) {
    for (uint64_t i = 0; i < point->attribute_count; i++)
        if (point->attributes[i].type == PAWL_ATTRIBUTE_STRING && strcmp(point->attributes[i].key, key) == 0)
            return point->attributes[i].value.string;
    return "";
}

static size_t find_row(const pawl_report *report, const char *type, const char *name, uint64_t hash) {
    size_t i = 0;
    while (i < report->node_count && (report->nodes[i].hash != hash || strcmp(report->rows[i].name, name) != 0 ||
                                      strcmp(report->rows[i].type, type) != 0))
        i++;
    return i;
}

/* Room for count more rows. */
static bool make_room(pawl_report *report, size_t count) {
    size_t room = report->node_count + count;
    if (room <= report->node_room)
        return true;
    struct report_node *nodes = realloc(report->nodes, room * sizeof *nodes);
    report->nodes = nodes ? nodes : report->nodes;
    pawl_node_report *rows = realloc(report->rows, room * sizeof *rows);
    report->rows = rows ? rows : report->rows;
    if (nodes && rows)
        report->node_room = room;
    return nodes && rows;
}

static size_t row_of(pawl_report *report, const pawl_point_data *point) {
    const char *type = text_of(point, "pawl.primitive.type"), *name = text_of(point, "pawl.node.name");
    uint64_t hash = pawl_hash_text(name, pawl_hash_text(type, 0));
    size_t i = find_row(report, type, name, hash);
    if (i == report->node_count) {
        report->nodes[i] = (struct report_node){.hash = hash};
        report->rows[i] = (pawl_node_report){.type = type, .name = name, .min_s = NAN, .max_s = NAN};
        report->node_count++;
    }
    return i;
}

static void start_anew(pawl_report *report) {
    for (size_t i = 0; i < report->node_count; i++) {
        report->nodes[i] =
            (struct report_node){.hash = report->nodes[i].hash, .executions_before = report->rows[i].executions};
        report->rows[i] =
            (pawl_node_report){.type = report->rows[i].type, .name = report->rows[i].name, .min_s = NAN, .max_s = NAN};
    }
}

static void add_point(pawl_report *report, const pawl_point_data *point) {
    size_t i = row_of(report, point);
    struct report_node *node = &report->nodes[i];
    pawl_node_report *row = &report->rows[i];
    const char *outcome = text_of(point, "pawl.outcome");
    bool ok = strcmp(outcome, "ok") == 0;
    row->executions += point->count;
    if (ok)
        row->succeeded += point->count;
    else if (strcmp(outcome, "cancelled") == 0)
        row->cancelled += point->count;
    else
        row->failed += point->count;
    for (size_t bucket = 0; bucket <= report->bound_count; bucket++) {
        node->counts[bucket] += point->bucket_counts[bucket];
        node->good[bucket] += ok ? point->bucket_counts[bucket] : 0;
    }
    node->sum_s += point->sum;
    row->min_s = row->executions > point->count ? fmin(row->min_s, point->min) : point->min;
    row->max_s = row->executions > point->count ? fmax(row->max_s, point->max) : point->max;
}

static double share(double part, double whole) {
    return whole > 0 ? part / whole : NAN;
}

static void finish_row(const pawl_report *report, size_t i) {
    const struct report_node *node = &report->nodes[i];
    pawl_node_report *row = &report->rows[i];
    double executions = (double)row->executions, fresh = (double)(row->executions - node->executions_before);
    row->success_rate = share((double)row->succeeded, (double)(row->succeeded + row->failed));
    row->mean_s = share(node->sum_s, executions);
    row->p50_s = pawl_histogram_quantile(report->bounds, report->bound_count, node->counts, 0.5);
    row->p90_s = pawl_histogram_quantile(report->bounds, report->bound_count, node->counts, 0.9);
    row->p95_s = pawl_histogram_quantile(report->bounds, report->bound_count, node->counts, 0.95);
    row->p99_s = pawl_histogram_quantile(report->bounds, report->bound_count, node->counts, 0.99);
    row->per_second = share(executions, report->seconds);
    row->recent_per_second = share(fresh, report->recent_seconds);
}

/* ---- bringing up to date ---- */

struct update {
    pawl_report *report;
    bool failed;
};

static const pawl_metric_data *find_metric(const pawl_metric_data *metrics, size_t count, const char *name,
                                           uint64_t kind) {
    for (size_t i = 0; i < count; i++)
        if (metrics[i].kind == kind && strcmp(metrics[i].name, name) == 0)
            return &metrics[i];
    return NULL;
}

static void add_active(pawl_report *report, const pawl_metric_data *active) {
    for (uint64_t p = 0; active && p < active->point_count; p++) {
        const pawl_point_data *point = &active->points[p];
        if (point->value > 0)
            report->rows[row_of(report, point)].active = (uint64_t)point->value;
    }
}

static void take(void *user, const pawl_metric_data *metrics, size_t count) {
    struct update *update = user;
    pawl_report *report = update->report;
    const pawl_metric_data *durations = find_metric(metrics, count, "pawl.primitive.duration", PAWL_HISTOGRAM),
                           *active = find_metric(metrics, count, "pawl.primitive.active", PAWL_UP_DOWN_COUNTER);
    size_t most = (durations ? durations->point_count : 0) + (active ? active->point_count : 0);
    update->failed = !make_room(report, most);
    if (update->failed)
        return;
    start_anew(report);
    for (uint64_t p = 0; durations && p < durations->point_count; p++) {
        report->bounds = durations->bounds;
        report->bound_count = durations->bound_count;
        add_point(report, &durations->points[p]);
    }
    add_active(report, active);
}

static uint64_t read_clock(pawl_report *report) {
    pthread_mutex_lock(&report->metrics->lock);
    uint64_t now = pawl_metrics_now(report->metrics);
    report->start_unix_ns = report->metrics->start_unix_ns < now ? report->metrics->start_unix_ns : now;
    pthread_mutex_unlock(&report->metrics->lock);
    return now;
}

static void finish(pawl_report *report) {
    uint64_t now = read_clock(report), last = report->last_unix_ns ? report->last_unix_ns : report->start_unix_ns;
    report->seconds = (double)(now - report->start_unix_ns) / 1e9;
    report->recent_seconds = now > last ? (double)(now - last) / 1e9 : 0;
    report->last_unix_ns = now;
    for (size_t i = 0; i < report->node_count; i++)
        finish_row(report, i);
    pawl_report_update_slos(report);
}

pawl_status pawl_report_update(pawl_report *report, pawl_error **err) {
    if (!report)
        return pawl_error_set(err, PAWL_E_INVALID, "report: it is NULL; pass what pawl_report_new() gave");
    struct update update = {.report = report};
    pawl_status status = pawl_metrics_collect(report->metrics, take, &update, err);
    if (status != PAWL_OK)
        return status;
    if (update.failed)
        return pawl_error_set(err, PAWL_E_NOMEM, "report: out of memory");
    finish(report);
    return PAWL_OK;
}

const pawl_node_report *pawl_report_nodes(const pawl_report *report, size_t *ret_count) {
    *ret_count = report ? report->node_count : 0;
    return report ? report->rows : NULL;
}

const pawl_slo_report *pawl_report_slos(const pawl_report *report, size_t *ret_count) {
    *ret_count = report ? report->slo_count : 0;
    return report ? report->slo_rows : NULL;
}
