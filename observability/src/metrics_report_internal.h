/* A report inside: rows keep what they had before, so that each update tells the difference. */
#ifndef PAWL_METRICS_REPORT_INTERNAL_H
#define PAWL_METRICS_REPORT_INTERNAL_H

#include "durations_internal.h"
#include <pawl/observability/metrics_report.h>

#define REPORT_BUCKETS (DURATION_BOUNDS + 1)

/* Beside the row that is shown: its histograms, of all executions and of those that ended well. */
struct report_node {
    uint64_t hash;
    uint64_t counts[REPORT_BUCKETS], good[REPORT_BUCKETS];
    double sum_s;
    uint64_t executions_before;
};

struct report_slo {
    pawl_slo slo;
    uint64_t executions_before;
    double good_before;
};

struct pawl_report {
    pawl_metrics *metrics;
    struct report_slo *slos;
    pawl_slo_report *slo_rows;
    size_t slo_count;
    struct report_node *nodes;
    pawl_node_report *rows; /* as many */
    size_t node_count, node_room;
    const double *bounds; /* of the durations; live as long as the metrics */
    size_t bound_count;
    uint64_t start_unix_ns, last_unix_ns; /* 0: never updated */
    double seconds, recent_seconds;
};

/* ---- metrics_report_slo.c ---- */
pawl_status pawl_report_copy_slos(pawl_report *report, const pawl_slo *slos, size_t count, pawl_error **err);
void pawl_report_free_slos(pawl_report *report);
void pawl_report_update_slos(pawl_report *report);

#endif
