/** @file pawl/observability/metrics_report.h  @brief What metrics say about the nodes: how many, how fast, how well,
 * and how much of an error budget is left.
 *
 * A report is an object of its own, so that it knows what was new since it was brought up to date before. One thread at
 * a time.
 */
#ifndef PAWL_OBSERVABILITY_METRICS_REPORT_H
#define PAWL_OBSERVABILITY_METRICS_REPORT_H

#include <pawl/observability/metrics.h>

PAWL_BEGIN_DECLS

/** An objective: of all executions of these nodes the share `target` is to be good. */
typedef struct pawl_slo {
    const char *name;    /**< Copied. Required. */
    const char *type;    /**< Copied. Of the primitive; NULL: any. */
    const char *node;    /**< Copied. The node's name; NULL: any. */
    double target;       /**< Over 0 and under 1, e.g. 0.99: with 1 there would be no budget. */
    uint64_t latency_ns; /**< 0: good is what ended well. Else: what ended well within this time. Best one of the bounds
                            of pawl.primitive.duration (1 us to 300 s); within a bucket executions are taken as spread
                            evenly, and beyond the last bound none is good. */
} pawl_slo;

/** Cancelled executions do not count: they say nothing about the node. */
typedef struct pawl_slo_window {
    uint64_t executions;
    double good;        /**< Of them; a fraction where latency_ns lies within a bucket. */
    double share;       /**< good / executions; NaN without any. */
    double budget_left; /**< Of the failures that the target allows: 1 untouched (also without executions), 0 used up,
                           negative when overspent. */
    double burn_rate; /**< Failures, as a multiple of what the target allows: at 1 the budget lasts just as long as the
                         window, at 10 a tenth of it; 0 without executions. */
} pawl_slo_window;

typedef struct pawl_slo_report {
    const char *name;
    double target;
    pawl_slo_window whole;  /**< Since the metrics began. */
    pawl_slo_window recent; /**< Since the report was brought up to date before; the first time since the beginning. */
} pawl_slo_report;

typedef struct pawl_node_report {
    const char *type, *name; /**< Both "" in the row of all nodes beyond max_series. */
    uint64_t executions, succeeded, failed, cancelled;
    uint64_t active;
    double success_rate;               /**< succeeded / (succeeded + failed); NaN without any. */
    double mean_s, min_s, max_s;       /**< Over all executions. */
    double p50_s, p90_s, p95_s, p99_s; /**< pawl_histogram_quantile() over all executions. */
    double per_second;                 /**< Executions since the metrics began; NaN when no time has passed. */
    double recent_per_second;          /**< Since the report was brought up to date before. */
} pawl_node_report;

typedef struct pawl_report_options {
    size_t size;          /**< sizeof(pawl_report_options); set by the macro. */
    const pawl_slo *slos; /**< Copied. */
    uint64_t slo_count;   /**< At most 64. */
} pawl_report_options;

typedef struct pawl_report pawl_report;

/** `pawl_report_with(metrics, &err, .slos = slos, .slo_count = 2)` */
#define pawl_report_with(metrics, ...) PAWL_REPORT_(metrics, __VA_ARGS__, .size = sizeof(pawl_report_options))
#define PAWL_REPORT_(metrics, err, ...) pawl_report_new(metrics, &(pawl_report_options){__VA_ARGS__}, err)

/**
 * Makes an empty report.
 * @param metrics  Referenced.
 * @param options  Copied. NULL: no objectives.
 * @return New, released with pawl_report_free(); NULL with PAWL_E_INVALID or PAWL_E_NOMEM.
 */
PAWL_API PAWL_NODISCARD pawl_report *pawl_report_new(pawl_metrics *metrics, const pawl_report_options *options,
                                                     pawl_error **err);
/** NULL allowed. */
PAWL_API void pawl_report_free(pawl_report *report);
/** Brings it up to date. @return PAWL_OK, PAWL_E_INVALID (NULL, a forked child) or PAWL_E_NOMEM, and then it is as
 * before. */
PAWL_API pawl_status pawl_report_update(pawl_report *report, pawl_error **err);

/* A report that is NULL has no rows and no value. */

/** @return Borrowed until the next update; in the order of first executions. @param ret_count Required. */
PAWL_API const pawl_node_report *pawl_report_nodes(const pawl_report *report, size_t *ret_count);
/** @return Borrowed until the next update; in the order of the options. @param ret_count Required. */
PAWL_API const pawl_slo_report *pawl_report_slos(const pawl_report *report, size_t *ret_count);
/**
 * The same as a value: {"seconds", "recent_seconds", "nodes": [{"type", "name", "executions", ...}], "slos": [{"name",
 * "target", "whole": {...}, "recent": {...}}]} with the names of the fields above; null for NaN.
 * @return New reference, NULL without memory.
 */
PAWL_API PAWL_NODISCARD pawl_value *pawl_report_value(const pawl_report *report);

/**
 * A quantile of a histogram, by the rule of Prometheus' histogram_quantile(): the bucket in which the q-th part of the
 * count is reached, and within it in proportion (from 0 in the first, unless its bound is not positive: then that
 * bound); the last finite bound when it lies beyond.
 * @param bounds         Ascending upper bounds.
 * @param bucket_counts  bound_count + 1 of them, not cumulative.
 * @param q              Between 0 and 1.
 * @return NaN without counts or bounds, or when q is out of range.
 */
PAWL_API double pawl_histogram_quantile(const double *bounds, size_t bound_count, const uint64_t *bucket_counts,
                                        double q);

PAWL_END_DECLS
#endif
