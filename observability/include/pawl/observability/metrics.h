/** @file pawl/observability/metrics.h  @brief Keeps what is measured as series, hands them out, and measures every
 * primitive.
 *
 * A pawl_metrics attached to a runtime hears pawl_context_measure() and pawl_runtime_measure() and adds metrics of each
 * primitive that runs, sampled or not:
 *
 *   pawl.primitive.executions  counter    {execution}  pawl.primitive.type, pawl.node.name, pawl.outcome (status word)
 *   pawl.primitive.duration    histogram  s            the same
 *   pawl.primitive.active      up-down    {execution}  pawl.primitive.type, pawl.node.name
 *   gen_ai.workflow.duration   histogram  s            gen_ai.workflow.name, error.type (of a failed one): whole runs
 *
 * (an inline leaf that another node runs alone does not count as active: it is over before anybody could read that),
 * figures of the runtimes themselves, of several together, once one has run anything; up-down counters without
 * attributes:
 *
 *   pawl.runtime.runs, pawl.runtime.nodes      {run}, {node}     under way
 *   pawl.runtime.pool.threads                  {thread}          for blocking leaves
 *   pawl.runtime.pool.queue                    {node}            blocking leaves that wait for a thread
 *   pawl.runtime.abandoned                     {node}            detached leaves that still run
 *   pawl.runtime.completions.refused           {completion}      late or double ones; a counter
 *
 * and about itself pawl.metrics.dropped (counter, {measurement}, attribute pawl.drop.reason: not_finite, negative,
 * invalid, no_memory), once something was dropped, and otel.sdk.exporter.metric_data_point.exported, once it exports.
 *
 * Measuring takes no lock after a thread's first measurement of a series, and reading does not disturb it; only what is
 * beyond max_series, has more than 8 attributes, one key twice or a secret in it is looked up under a lock each time.
 * Any thread. In a forked child nothing is handed out: make another one there.
 *
 * Secrets (pawl/redact.h) in texts of attributes and names of nodes are hidden when their series is made: those of the
 * runtime that measures; pawl_metrics_series() and observed values know those of the run that the calling thread is in,
 * outside of one those of the runtime that was attached first.
 */
#ifndef PAWL_OBSERVABILITY_METRICS_H
#define PAWL_OBSERVABILITY_METRICS_H

#include <pawl/observability/export.h>

PAWL_BEGIN_DECLS

/** Counted. */
typedef struct pawl_metrics pawl_metrics;

typedef struct pawl_metrics_options {
    size_t size;         /**< sizeof(pawl_metrics_options); set by the macro. */
    uint64_t max_series; /**< Of one instrument, 1 to 100,000; what has other attributes is one further series with the
                            attribute otel.metric.overflow=true. Default 2,000. */
    uint64_t seed_names; /**< Not 0: the metrics of the seed project's dashboards are handed out as well, made of ours:
                            tta_workflow_executions_total{workflow_name,status},
                            tta_primitive_executions_total{primitive_type,primitive_name,status},
                            tta_execution_duration_seconds{primitive_type}, tta_cache_hits_total and
                            tta_cache_misses_total{primitive_name,cache_type}, e2b_executions_total{status,has_error},
                            e2b_execution_duration_seconds. status is "success" or "failure". The last four need
                            pawl.cache.lookups and pawl.execution.duration to be measured. */
    uint64_t no_exemplars; /**< Not 0: no measurement is remembered with its trace. */
} pawl_metrics_options;

/** `pawl_metrics_with(&err, .seed_names = 1)` */
#define pawl_metrics_with(...) PAWL_METRICS_(__VA_ARGS__, .size = sizeof(pawl_metrics_options))
#define PAWL_METRICS_(err, ...) pawl_metrics_new(&(pawl_metrics_options){__VA_ARGS__}, err)

/** @param options Copied. NULL for the defaults. @return New reference, NULL with PAWL_E_INVALID or PAWL_E_NOMEM. */
PAWL_API PAWL_NODISCARD pawl_metrics *pawl_metrics_new(const pawl_metrics_options *options, pawl_error **err);
/** @return metrics, a new reference. NULL allowed. */
PAWL_API pawl_metrics *pawl_metrics_ref(pawl_metrics *metrics);
/** Gives one reference back; the last one exports once more and ends the threads of pawl_metrics_export(). NULL
 * allowed. @return NULL. */
PAWL_API pawl_metrics *pawl_metrics_unref(pawl_metrics *metrics);

/**
 * Makes it an observer of the runtime, before the runtime's first run; of several runtimes the series are shared. The
 * runtime references it until it ends.
 * @return PAWL_OK, PAWL_E_INVALID (attached to it already), or what pawl_runtime_add_observer() says.
 */
PAWL_API pawl_status pawl_metrics_attach(pawl_metrics *metrics, pawl_runtime *runtime, pawl_error **err);

/* ---- Series of one's own: an instrument with fixed attributes, found once and then measured at about 5 ns ---- */

typedef struct pawl_series pawl_series;

/**
 * Finds or makes a series.
 * @param instrument  Copied.
 * @param attributes  Copied; of one key the last counts; at most 64 (PAWL_E_LIMIT); texts are cut at 1,023 bytes.
 * @return Borrowed, as long as metrics. NULL with PAWL_E_INVALID (name, unit, kind or bounds are wrong), PAWL_E_LIMIT
 * (1,000 instruments there are) or PAWL_E_NOMEM.
 */
PAWL_API pawl_series *pawl_metrics_series(pawl_metrics *metrics, const pawl_instrument *instrument,
                                          const pawl_attribute *attributes, size_t attribute_count, pawl_error **err);
/**
 * Measures. What is not finite, and a negative value of a counter, is not taken but counted (pawl.metrics.dropped).
 * @param series  NULL: nothing happens.
 * @param ctx     Its span becomes an exemplar when it is sampled. NULL for none.
 */
PAWL_API void pawl_series_record(pawl_series *series, double value, pawl_context *ctx);
/** The same; the word for counters. */
static inline void pawl_series_add(pawl_series *series, double value, pawl_context *ctx) {
    pawl_series_record(series, value, ctx);
}

/* ---- Asking for values only when somebody reads ---- */

typedef struct pawl_observation pawl_observation;
/** Called at each collection, one call at a time, by the thread that collects: reports what there is now. Must not
 * block and not call pawl_metrics functions. */
typedef void (*pawl_observe_fn)(void *user, pawl_observation *observation);
/** Reports one series' value: of counters the total so far. @param attributes Copied. NULL for none. */
PAWL_API void pawl_observation_report(pawl_observation *observation, double value, const pawl_attribute *attributes,
                                      size_t attribute_count);
/**
 * @param instrument  Copied; a counter, an up-down counter or a gauge (PAWL_E_INVALID else).
 * @param user        Borrowed until pawl_metrics_unobserve().
 * @return PAWL_OK, PAWL_E_INVALID, PAWL_E_LIMIT (1,000 of them there are), PAWL_E_NOMEM.
 */
PAWL_API pawl_status pawl_metrics_observe(pawl_metrics *metrics, const pawl_instrument *instrument,
                                          pawl_observe_fn observe, void *user, pawl_error **err);
/** Forgets all callbacks registered with these two; when it returns none of them runs. */
PAWL_API void pawl_metrics_unobserve(pawl_metrics *metrics, pawl_observe_fn observe, void *user);

/* ---- Reading ---- */

/** @param metrics Borrowed, valid only during the call; instruments in the order of their first use, names of our own
 * first; those without a point are left out. */
typedef void (*pawl_metrics_visit)(void *user, const pawl_metric_data *metrics, size_t count);
/**
 * Hands out all that was measured since the start (cumulative), with one call of visit, on this thread. Writers are not
 * disturbed, and nothing is locked during the call.
 * @return PAWL_OK, PAWL_E_INVALID (NULL, a forked child), PAWL_E_NOMEM (then without a call).
 */
PAWL_API pawl_status pawl_metrics_collect(pawl_metrics *metrics, pawl_metrics_visit visit, void *user,
                                          pawl_error **err);

typedef enum pawl_temporality {
    PAWL_TEMPORALITY_CUMULATIVE = 0, /**< Everything since the start. */
    PAWL_TEMPORALITY_DELTA,          /**< Counters and histograms since the last export, those that changed; the rest is
                                        cumulative. */
    PAWL_TEMPORALITY_LOW_MEMORY      /**< The same, but counters that are observed stay cumulative. */
} pawl_temporality;

typedef struct pawl_metrics_export_options {
    size_t size;                     /**< sizeof(pawl_metrics_export_options); set by the macro. */
    pawl_exporter *const *exporters; /**< Required; each is referenced. */
    uint64_t exporter_count;         /**< 1 to 8. */
    pawl_resource *resource;         /**< Referenced. Required. */
    uint64_t interval_ns;            /**< Default 60 s, at least 1 ms; PAWL_UNLIMITED: only on flush and at the end. */
    uint64_t timeout_ns;             /**< Of one exporter's call. Default 30 s. */
    uint64_t temporality;            /**< pawl_temporality. */
    uint64_t end_timeout_ns;         /**< Of the last export, after which what is under way is cancelled and, if it does
                                        not end within a second, left. Default 5 s; PAWL_ZERO: no last export. */
} pawl_metrics_export_options;

/** `pawl_metrics_export(metrics, &err, .exporters = &otlp, .exporter_count = 1, .resource = resource)` */
#define pawl_metrics_export(metrics, ...)                                                                              \
    PAWL_METRICS_EXPORT_(metrics, __VA_ARGS__, .size = sizeof(pawl_metrics_export_options))
#define PAWL_METRICS_EXPORT_(metrics, err, ...)                                                                        \
    pawl_metrics_export_start(metrics, &(pawl_metrics_export_options){__VA_ARGS__}, err)

/**
 * Begins to export: every interval on a thread of its own, on pawl_runtime_flush() and pawl_metrics_flush(), and a last
 * time when the last runtime it is attached to ends, or at the last unref. Never two exports at once; a failed one is
 * counted and not repeated (in delta its measurements are lost). Of a runtime in virtual time that was attached before
 * there is no thread: it exports when a node ends after the interval has passed. At most 8 times for one pawl_metrics.
 * @return PAWL_OK, PAWL_E_INVALID, PAWL_E_LIMIT, PAWL_E_NOMEM, PAWL_E_UNSUPPORTED (no thread to be had).
 */
PAWL_API pawl_status pawl_metrics_export_start(pawl_metrics *metrics, const pawl_metrics_export_options *options,
                                               pawl_error **err);
/** Exports now, everywhere. Blocks. @return PAWL_OK, PAWL_E_TIMEOUT, or the first exporter's failure. */
PAWL_API pawl_status pawl_metrics_flush(pawl_metrics *metrics, uint64_t timeout_ns, pawl_error **err);

PAWL_END_DECLS
#endif
