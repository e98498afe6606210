/** @file pawl/observability/export.h  @brief What leaves the process: spans, metrics and log records as plain data, the
 * resource they are about, and the interface of an exporter.
 *
 * Processors (tracer, metrics reader, log processor) make this data and call exporters; the exporters of this library
 * are in otlp.h, trace_file.h, trace_memory.h and chrome_trace.h, and you can write your own. Times are nanoseconds
 * since the Unix epoch. All strings are UTF-8 and free of secrets known to the runtime.
 */
#ifndef PAWL_OBSERVABILITY_EXPORT_H
#define PAWL_OBSERVABILITY_EXPORT_H

#include <pawl/observer.h>

PAWL_BEGIN_DECLS

/* ---- Resource: who speaks. Immutable and counted. ---- */

typedef struct pawl_resource pawl_resource;

typedef struct pawl_resource_options {
    size_t size;                      /**< sizeof(pawl_resource_options); set by the macro. */
    const char *service_name;         /**< Default: "unknown_service:" and the program's name. */
    const char *service_version;      /**< Default: none. */
    const pawl_attribute *attributes; /**< Further ones; of one key the last counts. */
    uint64_t attribute_count;         /**< At most 128. */
    uint64_t read_environment; /**< Not 0: OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES fill what is not set here. */
    uint64_t no_detection;     /**< Not 0: nothing about host, operating system and process is added. */
} pawl_resource_options;

/** `pawl_resource_with(&err, .service_name = "fixer")` */
#define pawl_resource_with(...) PAWL_RESOURCE_(__VA_ARGS__, .size = sizeof(pawl_resource_options))
#define PAWL_RESOURCE_(err, ...) pawl_resource_new(&(pawl_resource_options){__VA_ARGS__}, err)

/**
 * Always has service.name, service.instance.id (a random UUID), telemetry.sdk.name ("pawl"), .language ("c") and
 * .version; detected: host.name, os.type, process.pid, process.executable.name.
 * @param options  Copied. NULL for the defaults.
 * @return New reference, NULL with PAWL_E_INVALID, PAWL_E_LIMIT or PAWL_E_NOMEM in err.
 */
PAWL_API PAWL_NODISCARD pawl_resource *pawl_resource_new(const pawl_resource_options *options, pawl_error **err);
PAWL_API pawl_resource *pawl_resource_ref(pawl_resource *resource);
/** NULL allowed. @return NULL. */
PAWL_API pawl_resource *pawl_resource_unref(pawl_resource *resource);
/** @return Borrowed, as long as the resource; sorted by key. NULL, and a count of 0, for NULL. */
PAWL_API const pawl_attribute *pawl_resource_attributes(const pawl_resource *resource, size_t *ret_count);

/* ---- Data. Borrowed, valid only during the exporter's call. ---- */

typedef struct pawl_event_data {
    const char *name;
    uint64_t time_unix_ns;
    const pawl_attribute *attributes;
    uint32_t attribute_count, dropped_attributes;
} pawl_event_data;

typedef struct pawl_link_data {
    uint8_t trace_id[16], span_id[8];
    const pawl_attribute *attributes;
    uint32_t attribute_count, dropped_attributes;
} pawl_link_data;

typedef struct pawl_span_data {
    const char *name;
    const char *tracestate;     /**< "" for none. */
    const char *status_message; /**< "" for none. */
    uint64_t start_unix_ns, end_unix_ns;
    uint8_t trace_id[16], span_id[8], parent_span_id[8]; /**< A parent of zeroes is none. */
    uint32_t kind;                                       /**< pawl_span_kind. */
    uint32_t flags;    /**< OTLP: W3C flags, 0x100 "remote is known", 0x200 "the parent is remote". */
    uint32_t is_error; /**< Not 0: status ERROR; else UNSET. */
    uint32_t attribute_count, event_count, link_count;
    uint32_t dropped_attributes, dropped_events, dropped_links;
    uint32_t reserved;
    const pawl_attribute *attributes;
    const pawl_event_data *events;
    const pawl_link_data *links;
} pawl_span_data;

typedef struct pawl_log_data {
    const char *text;
    uint64_t time_unix_ns, observed_unix_ns;
    uint8_t trace_id[16], span_id[8]; /**< Zeroes for none. */
    const pawl_attribute *attributes;
    uint32_t attribute_count, dropped_attributes;
    uint32_t level; /**< pawl_log_level. */
    uint32_t flags; /**< W3C. */
} pawl_log_data;

typedef struct pawl_exemplar_data {
    double value;
    uint64_t time_unix_ns;
    uint8_t trace_id[16], span_id[8];
} pawl_exemplar_data;

/** One side of an exponential histogram: bucket i of counts holds (base^(offset+i), base^(offset+i+1)]. */
typedef struct pawl_exponential_buckets {
    const uint64_t *counts;
    uint64_t count;
    int64_t offset;
} pawl_exponential_buckets;

/** One series. Which fields count follows from the metric's kind. */
typedef struct pawl_point_data {
    const pawl_attribute *attributes; /**< Sorted by key. */
    uint64_t attribute_count;
    uint64_t start_unix_ns, time_unix_ns;
    double value;                  /**< Of counters and gauges. */
    uint64_t count;                /**< Of histograms, as the rest. */
    double sum, min, max;          /**< min and max are NaN when not known, as in a delta; sum in a delta in which some
                                        values may be negative. */
    const uint64_t *bucket_counts; /**< bound_count + 1 of them, not cumulative. */
    uint64_t zero_count;
    int64_t scale;
    pawl_exponential_buckets positive, negative;
    const pawl_exemplar_data *exemplars;
    uint64_t exemplar_count;
} pawl_point_data;

typedef struct pawl_metric_data {
    const char *name, *unit, *description; /**< "" for none. */
    uint64_t kind;                         /**< pawl_instrument_kind. */
    uint64_t is_delta;                     /**< Not 0: since the last collection; else since the start. */
    uint64_t is_integer;                   /**< Not 0: values are whole numbers. */
    const double *bounds;                  /**< Of a histogram with explicit bounds. */
    uint64_t bound_count;
    const pawl_point_data *points;
    uint64_t point_count;
} pawl_metric_data;

/* ---- Exporters ---- */

/**
 * Any slot may be NULL: such data is not for this exporter. Called on a processor's thread; a processor never makes two
 * calls at once of one signal, but two signals, and two processors that share the exporter, may call at once. A call
 * ends within timeout_ns (retries included) or soon after cancel, and returns PAWL_OK, or why the data was not
 * delivered; the processor then drops and counts it and does not try again.
 */
typedef struct pawl_exporter_vtable {
    size_t size;      /**< sizeof(pawl_exporter_vtable). */
    const char *name; /**< Static; component type in self-metrics, e.g. "otlp_http_span_exporter". */
    pawl_status (*spans)(void *self, const pawl_resource *resource, const pawl_span_data *spans, size_t count,
                         uint64_t timeout_ns, pawl_error **err);
    pawl_status (*metrics)(void *self, const pawl_resource *resource, const pawl_metric_data *metrics, size_t count,
                           uint64_t timeout_ns, pawl_error **err);
    pawl_status (*logs)(void *self, const pawl_resource *resource, const pawl_log_data *logs, size_t count,
                        uint64_t timeout_ns, pawl_error **err);
    /** Makes calls that are under way, and all later ones, end soon. Any thread. */
    void (*cancel)(void *self);
    void (*destroy)(void *self); /**< Once, when the last reference goes. */
} pawl_exporter_vtable;

/** Counted, so that one exporter can serve several processors. */
typedef struct pawl_exporter pawl_exporter;

/**
 * @param vtable  Borrowed, must outlive the exporter.
 * @param self    Given up with destroy; also on failure.
 * @return New reference, NULL with PAWL_E_INVALID or PAWL_E_NOMEM in err.
 */
PAWL_API PAWL_NODISCARD pawl_exporter *pawl_exporter_new(const pawl_exporter_vtable *vtable, void *self,
                                                         pawl_error **err);
PAWL_API pawl_exporter *pawl_exporter_ref(pawl_exporter *exporter);
/** NULL allowed. @return NULL. */
PAWL_API pawl_exporter *pawl_exporter_unref(pawl_exporter *exporter);

PAWL_END_DECLS
#endif
