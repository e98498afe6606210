/** @file pawl/observability/observability.h  @brief All of observability, and one call that sets it up: in code, by the
 * OTEL_* variables, or both.
 *
 *     pawl_observability *telemetry = pawl_observe(runtime, &err, .service_name = "fixer", .read_environment = 1);
 *
 * Variables, read only with read_environment, and only for what code leaves open (a zero field):
 *
 *   OTEL_SDK_DISABLED  true: nothing is exported and no endpoint opened, also not what code asks for; files that code
 *     asks for are still written
 *   OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES
 *   OTEL_TRACES_EXPORTER, OTEL_METRICS_EXPORTER, OTEL_LOGS_EXPORTER  lists of otlp, console, otlp/stdout, none, and of
 *     metrics prometheus. Unset: otlp when an endpoint is set that counts for the signal, else none
 *   OTEL_EXPORTER_OTLP_ENDPOINT, _PROTOCOL (http/protobuf, http/json), _HEADERS, _COMPRESSION, _TIMEOUT, _CERTIFICATE,
 *     _CLIENT_KEY, _CLIENT_CERTIFICATE, and the same of one signal: OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ...
 *   OTEL_TRACES_SAMPLER, OTEL_TRACES_SAMPLER_ARG
 *   OTEL_BSP_SCHEDULE_DELAY, _EXPORT_TIMEOUT, _MAX_QUEUE_SIZE, _MAX_EXPORT_BATCH_SIZE; OTEL_BLRP_... of log records
 *   OTEL_ATTRIBUTE_COUNT_LIMIT, OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT, and of spans OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT,
 *     OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT, OTEL_SPAN_EVENT_COUNT_LIMIT, OTEL_SPAN_LINK_COUNT_LIMIT,
 *     OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT, OTEL_LINK_ATTRIBUTE_COUNT_LIMIT
 *   OTEL_METRIC_EXPORT_INTERVAL, OTEL_METRIC_EXPORT_TIMEOUT, OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE,
 *     OTEL_METRICS_EXEMPLAR_FILTER (trace_based, always_off)
 *   OTEL_EXPORTER_PROMETHEUS_HOST, OTEL_EXPORTER_PROMETHEUS_PORT
 *   OTEL_PROPAGATORS  tracecontext, baggage, none: pawl_runtime_set_propagation(). Unset: that stays as it is
 *   OTEL_LOG_LEVEL  none or error: nobody is told what is wrong with the variables or was lost
 *
 * A value that is wrong or not supported is told (see warn) and counts as unset. OTEL_CONFIG_FILE is refused.
 * OTEL_SEMCONV_STABILITY_OPT_IN changes nothing: names are the newest. Histograms keep their own buckets, whatever
 * OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION says, which is told.
 * Source: OpenTelemetry specification 1.60, "Environment Variable Specification".
 */
#ifndef PAWL_OBSERVABILITY_OBSERVABILITY_H
#define PAWL_OBSERVABILITY_OBSERVABILITY_H

#include <pawl/observability/chrome_trace.h>
#include <pawl/observability/export.h>
#include <pawl/observability/logs.h>
#include <pawl/observability/metrics.h>
#include <pawl/observability/metrics_report.h>
#include <pawl/observability/otlp.h>
#include <pawl/observability/prometheus.h>
#include <pawl/observability/sampler.h>
#include <pawl/observability/self_metrics.h>
#include <pawl/observability/trace_file.h>
#include <pawl/observability/trace_memory.h>
#include <pawl/observability/trace_page.h>
#include <pawl/observability/trace_tree.h>
#include <pawl/observability/tracer.h>

PAWL_BEGIN_DECLS

/** What observes one runtime: tracer, metrics, log processor and their exporters. Counted. */
typedef struct pawl_observability pawl_observability;

/** Gets text that ends with '\n'; for console, otlp/stdout. @param text Borrowed, length bytes. */
typedef void (*pawl_console_fn)(void *user, const char *text, size_t length);

/** Zero means the default. In the options structs that are pointed to, exporters, resource and runtime are set by
 * pawl_observe(); everything is copied or referenced. */
typedef struct pawl_observe_options {
    size_t size; /**< sizeof(pawl_observe_options); set by the macro. */

    /* Who speaks. */
    const char *service_name;         /**< Default: "unknown_service:" and the program's name. */
    const char *service_version;      /**< Default: none. */
    const pawl_attribute *attributes; /**< Further ones of the resource. */
    uint64_t attribute_count;         /**< At most 128. */
    pawl_resource *resource;          /**< Instead of all of these. */
    uint64_t read_environment;        /**< Not 0: the variables above. */

    /* Where to. Without any of these, and nothing in the environment, nothing is recorded. */
    pawl_exporter *const *exporters;           /**< Each gets spans and metrics, with logs also log records. */
    uint64_t exporter_count;                   /**< At most 4. */
    const pawl_otlp_options *otlp;             /**< A collector. NULL: none by code. */
    const char *trace_file;                    /**< Spans as OTLP JSON lines: pawl_trace_file_new(). */
    const char *chrome_trace;                  /**< Spans for Perfetto: pawl_chrome_trace_new(). */
    const pawl_metrics_listen_options *listen; /**< Prometheus's endpoint. NULL: none by code. */

    /* What, and how. */
    const pawl_tracer_options *tracer;   /**< Sampler, limits, batches. NULL: the defaults. */
    const pawl_metrics_options *metrics; /**< Not NULL: metrics are kept, also when nothing exports them. The tracer's
                                            own figures are among them. */
    const pawl_metrics_export_options *metrics_export; /**< Interval, temporality. NULL: the defaults. */
    const pawl_logs_options *logs; /**< Not NULL: log records are handed on. NULL: only when the environment says so. */
    uint64_t no_traces, no_metrics, no_logs; /**< Not 0: nothing of that kind, whatever else is set. */
    uint64_t no_listen;                      /**< Not 0: no endpoint by the environment; for programs that soon end. */
    uint64_t shutdown_timeout_ns; /**< When the runtime ends: for spans, metrics and log records together, which go out
                                     at the same time, metrics when the spans are out or a quarter of it is over. Where
                                     their options say another, the longest counts. Then exporters are cancelled, and
                                     one that does not end within another second is left. Default 5 s. */

    pawl_console_fn console; /**< What the environment sends to the console: the trace tree, metrics as Prometheus text,
                                log records as text. NULL: standard output, since the environment asks for it. */
    void *console_user;      /**< Borrowed, must outlive the runtime. */
    void (*warn)(void *user, const char *text); /**< What is wrong with the variables, and that data was lost: one
                                                   line. Any thread. NULL: the runtime's log callback, as a warning. */
    void *warn_user;                            /**< Borrowed, must outlive the runtime. */
} pawl_observe_options;

/** `pawl_observe(runtime, &err, .trace_file = "trace.jsonl")` */
#define pawl_observe(runtime, ...) PAWL_OBSERVE_(runtime, __VA_ARGS__, .size = sizeof(pawl_observe_options))
#define PAWL_OBSERVE_(runtime, err, ...) pawl_observability_new(runtime, &(pawl_observe_options){__VA_ARGS__}, err)

/**
 * Sets up what the options and the environment ask for and attaches it, before the runtime's first run. It takes up to
 * 6 of the runtime's 8 places for observers.
 * @param options  Copied. NULL for the defaults: nothing is recorded.
 * @return New reference; the runtime holds another until it ends, so that it may be given back at once. NULL: what the
 * parts' constructors say of options in code, PAWL_E_UNSUPPORTED (OTEL_CONFIG_FILE), PAWL_E_INVALID (a run has
 * started), PAWL_E_LIMIT, PAWL_E_NOMEM. What was attached before the failure stays so: end the runtime then.
 */
PAWL_API PAWL_NODISCARD pawl_observability *
pawl_observability_new(pawl_runtime *runtime, const pawl_observe_options *options, pawl_error **err);
/** @return observability, a new reference. NULL allowed. */
PAWL_API pawl_observability *pawl_observability_ref(pawl_observability *observability);
/** Gives one reference back. NULL allowed. @return NULL. */
PAWL_API pawl_observability *pawl_observability_unref(pawl_observability *observability);

/**
 * Exports what waits, within the time-out: spans, metrics and log records at the same time, so that a collector which
 * is dead for one of them costs the others nothing. Blocks; not inside an inline leaf or a callback.
 * @return PAWL_OK (also when there is nothing to export, or the runtime has ended), PAWL_E_TIMEOUT, the first failure,
 * PAWL_E_INVALID (NULL).
 */
PAWL_API pawl_status pawl_observability_flush(pawl_observability *observability, uint64_t timeout_ns, pawl_error **err);
/**
 * The same for the last time: afterwards exporters, those of code too, are cancelled, so that the runtime's end does
 * not wait for them. Files are written to the end. For programs that must end in time.
 */
PAWL_API pawl_status pawl_observability_shutdown(pawl_observability *observability, uint64_t timeout_ns,
                                                 pawl_error **err);

/* The parts: borrowed, NULL when there is none. */

PAWL_API pawl_tracer *pawl_observability_tracer(const pawl_observability *observability);
PAWL_API pawl_metrics *pawl_observability_metrics(const pawl_observability *observability);
PAWL_API pawl_logs *pawl_observability_logs(const pawl_observability *observability);
PAWL_API pawl_metrics_listener *pawl_observability_listener(const pawl_observability *observability);
PAWL_API pawl_resource *pawl_observability_resource(const pawl_observability *observability);

/**
 * Goes on with the trace of the process that started this one: TRACEPARENT, TRACESTATE and BAGGAGE of the environment,
 * as pawl_context_extract() takes them.
 * @return Whether the trace was joined.
 */
PAWL_API bool pawl_context_extract_environment(pawl_context *ctx);

PAWL_END_DECLS
#endif
