/** @file pawl/observability/tracer.h  @brief Records spans and hands them to exporters: sampling, limits, a bounded
 * queue, batches.
 *
 * Each node's span bears the node's name. Beside what the node and its parent say about it, it has these attributes:
 *
 *   pawl.primitive.type, pawl.primitive.path (names from the root joined by '/', at most 256 bytes; nodes only)
 *   on a local root: gen_ai.operation.name = invoke_workflow, gen_ai.workflow.name (nodes only), pawl.workflow.id,
 *     pawl.session.id, pawl.correlation.id (set, or read by somebody), pawl.tag.<key>
 *   error.type (status word), of a failure; pawl.cancel_reason, of a cancelled one
 *
 * A failed span has status ERROR with the error's message, except what was cancelled because it lost a race or a
 * sibling failed. Where the error arose the span has an event "exception" with exception.type (status word),
 * exception.message and, when there are causes, exception.stacktrace (all of them).
 *
 * A traced run never waits for telemetry: what the queue cannot hold is dropped and counted. In a forked child nothing
 * is exported; what waited there is sent by the parent alone. Each thread remembers names and paths of up to 1,024
 * places in pipelines until the runtime ends (some 400 bytes each, 1.4 MiB in all at most); what comes then takes more
 * of the queue. No secret is in a name that was told before the span ended.
 */
#ifndef PAWL_OBSERVABILITY_TRACER_H
#define PAWL_OBSERVABILITY_TRACER_H

#include <pawl/observability/export.h>
#include <pawl/observability/sampler.h>

PAWL_BEGIN_DECLS

/** Counted; any thread. */
typedef struct pawl_tracer pawl_tracer;

/** Zero means the default; bounds are between 1 and what is told, PAWL_E_INVALID else. */
typedef struct pawl_tracer_options {
    size_t size;                     /**< sizeof(pawl_tracer_options); set by the macro. */
    pawl_exporter *const *exporters; /**< Required; each is referenced. */
    uint64_t exporter_count;         /**< 1 to 8. They are called one after the other. */
    pawl_resource *resource;         /**< Referenced. Default: that of pawl_resource_new() without options. */
    pawl_sampler *sampler;           /**< Referenced. Default: parent-based, and always for a root. */

    /* Processing. */
    uint64_t simple; /**< Not 0: each span is exported when it ends, on its thread, one at a time: for tests and short
                        programs. */
    uint64_t max_queue_size;      /**< Spans of all threads that may wait; each further thread may add up to 15. Default
                                     2,048, at most 1,000,000. */
    uint64_t max_queue_bytes;     /**< What they may allocate beside 64 or 256 bytes each. Default 32 MiB. */
    uint64_t max_batch_size;      /**< Exported at once; at most max_queue_size. Default 512, or the queue's size. */
    uint64_t schedule_delay_ns;   /**< A batch that is not full is exported after this. Default 5 s. */
    uint64_t export_timeout_ns;   /**< Of one exporter's call. Default 30 s. */
    uint64_t shutdown_timeout_ns; /**< When the runtime ends: for all that waits; then exporters are cancelled. Default
                                     5 s. */

    /* Limits of one span, applied when it ends; what is beyond is dropped and counted in the span. PAWL_ZERO: none. */
    uint64_t attribute_count_limit;        /**< Default 128, at most 1,024, as all of these. */
    uint64_t event_count_limit;            /**< Default 128. */
    uint64_t link_count_limit;             /**< Default 128. */
    uint64_t event_attribute_count_limit;  /**< Default 128. */
    uint64_t link_attribute_count_limit;   /**< Default 128. */
    uint64_t attribute_value_length_limit; /**< Characters of a text. Default unlimited (1 MiB). */

    /* Keeping what matters though the sampler drops it: all spans of such a trace are recorded and held until its last
     * open span here ends. Then they are exported, all or none. */
    uint64_t keep_failed;     /**< Not 0: when a span failed. */
    uint64_t keep_slow_ns;    /**< Not 0: when a local root took longer. */
    uint64_t max_held_traces; /**< Then the oldest is given up. Default 1,024, at most 1,000,000. */
    uint64_t max_held_spans;  /**< Of all of them. Default 16,384, at most 10,000,000. */
    uint64_t max_held_bytes;  /**< Default 32 MiB. */
} pawl_tracer_options;

/** `pawl_tracer_with(&err, .exporters = &otlp, .exporter_count = 1, .resource = resource)` */
#define pawl_tracer_with(...) PAWL_TRACER_(__VA_ARGS__, .size = sizeof(pawl_tracer_options))
#define PAWL_TRACER_(err, ...) pawl_tracer_new(&(pawl_tracer_options){__VA_ARGS__}, err)

/** @param options Copied. @return New reference, NULL with PAWL_E_INVALID or PAWL_E_NOMEM. */
PAWL_API PAWL_NODISCARD pawl_tracer *pawl_tracer_new(const pawl_tracer_options *options, pawl_error **err);
/** @return tracer, a new reference. NULL allowed. */
PAWL_API pawl_tracer *pawl_tracer_ref(pawl_tracer *tracer);
/** Gives one reference back. NULL allowed. @return NULL. */
PAWL_API pawl_tracer *pawl_tracer_unref(pawl_tracer *tracer);

/**
 * Makes it an observer of one runtime, before the runtime's first run, and starts its thread (with simple, or in
 * virtual time, there is none: then only pawl_runtime_flush() and the end export). The runtime references it until it
 * ends, which exports what waits and takes at most shutdown_timeout_ns and a second.
 * @return PAWL_OK, PAWL_E_INVALID (attached before; tried to be counts), PAWL_E_UNSUPPORTED (no thread to be had),
 * PAWL_E_NOMEM, or what pawl_runtime_add_observer() says.
 */
PAWL_API pawl_status pawl_tracer_attach(pawl_tracer *tracer, pawl_runtime *runtime, pawl_error **err);

/* ---- Its own health ---- */

/** Numbers of spans; each a moment's figure. Behind each the name of OpenTelemetry's conventions. */
typedef struct pawl_tracer_stats {
    size_t size;                /**< Set by the caller: sizeof(pawl_tracer_stats). */
    uint64_t started;           /**< Recorded ones: otel.sdk.span.started. */
    uint64_t live;              /**< Not ended: otel.sdk.span.live. */
    uint64_t queue_size;        /**< otel.sdk.processor.span.queue.size. */
    uint64_t queue_capacity;    /**< otel.sdk.processor.span.queue.capacity. */
    uint64_t processed;         /**< Handed to the exporters: otel.sdk.processor.span.processed, as the next four, */
    uint64_t dropped_full;      /**< with error.type queue_full, */
    uint64_t dropped_no_memory; /**< no_memory, */
    uint64_t dropped_shutdown;  /**< already_shutdown: what still waited at the end, */
    uint64_t dropped_undecided; /**< held_full: of traces that were held and then given up. */
    uint64_t held;              /**< Of traces that are held. */
    uint64_t held_traces;
    uint64_t not_kept; /**< Of traces that were neither failed nor slow. */
} pawl_tracer_stats;

/** @param ret_stats Its size is read, its other fields are set. NULL tracer or stats: nothing happens. */
PAWL_API void pawl_tracer_get_stats(pawl_tracer *tracer, pawl_tracer_stats *ret_stats);

typedef struct pawl_tracer_exporter_stats {
    size_t size;          /**< Set by the caller: sizeof(pawl_tracer_exporter_stats). */
    const char *name;     /**< otel.component.type; borrowed, as long as the tracer. */
    uint64_t inflight;    /**< Spans: otel.sdk.exporter.span.inflight. */
    uint64_t exported;    /**< Spans: otel.sdk.exporter.span.exported. */
    uint64_t failed;      /**< The same with an error.type: */
    uint64_t last_status; /**< pawl_status of the last failure, 0 for none. */
    uint64_t operations;  /**< Calls, and how long they took together: otel.sdk.exporter.operation.duration. */
    uint64_t operation_ns;
} pawl_tracer_exporter_stats;

/** @return Whether there is an exporter of that index. */
PAWL_API bool pawl_tracer_get_exporter_stats(pawl_tracer *tracer, size_t index, pawl_tracer_exporter_stats *ret_stats);

PAWL_END_DECLS
#endif
