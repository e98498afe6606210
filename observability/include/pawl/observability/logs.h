/** @file pawl/observability/logs.h  @brief Hands log records to exporters, or as lines of text or JSON to a callback:
 * a bounded queue, batches, a thread of its own.
 *
 * What pawl_context_log() and pawl_runtime_log() say arrives here with its trace and span ids. The runtime filters
 * first: records below its log_level (default: warnings) reach nobody.
 *
 * Whoever logs never waits for telemetry: what the queue cannot hold is dropped and counted. In a forked child nothing
 * is exported; what waited there is sent by the parent alone.
 */
#ifndef PAWL_OBSERVABILITY_LOGS_H
#define PAWL_OBSERVABILITY_LOGS_H

#include <pawl/observability/export.h>

PAWL_BEGIN_DECLS

/** Counted; any thread. */
typedef struct pawl_logs pawl_logs;

typedef enum pawl_log_format {
    PAWL_LOG_TEXT = 0, /**< `2026-11-29T20:51:13.123456Z WARN  text key=value trace_id=... span_id=...`; control bytes
                          are shown as `?`, texts with blanks, quotes or `=` in quotes. */
    PAWL_LOG_JSON      /**< `{"time":"...","level":"WARN","text":"...","trace_id":"...","span_id":"...",
                          "attributes":{...}}`; ids are left out outside a run, empty attributes too. */
} pawl_log_format;

/** Gets whole lines, each ended by '\n'. One call at a time, on the thread that exports; may block, which holds up
 * other exporters of log records and nothing else. @param lines Borrowed, length bytes of UTF-8 and a NUL. */
typedef void (*pawl_log_write_fn)(void *user, const char *lines, size_t length);

/** Zero means the default; bounds are between 1 and what is told, PAWL_E_INVALID else. */
typedef struct pawl_logs_options {
    size_t size;                     /**< sizeof(pawl_logs_options); set by the macro. */
    uint64_t level;                  /**< Least pawl_log_level. Default: what the runtime lets through. */
    pawl_exporter *const *exporters; /**< Each is referenced. */
    uint64_t exporter_count;         /**< At most 8; none only with write. They are called one after the other. */
    pawl_resource *resource;         /**< Referenced. NULL: the default one. */
    pawl_log_write_fn write;         /**< NULL: none. Called before the exporters. */
    void *user;                      /**< Borrowed, must outlive the runtime. */
    uint64_t format;                 /**< pawl_log_format of what write gets. */

    uint64_t max_queue_size;      /**< Records that may wait. Default 2,048, at most 1,000,000. */
    uint64_t max_queue_bytes;     /**< Of all of them. Default 8 MiB. */
    uint64_t max_batch_size;      /**< Exported at once; at most max_queue_size. Default 512, or the queue's size. */
    uint64_t schedule_delay_ns;   /**< A batch that is not full is exported after this. Default 1 s; PAWL_ZERO: records
                                     are exported at once. */
    uint64_t export_timeout_ns;   /**< Of one exporter's call. Default 30 s. */
    uint64_t shutdown_timeout_ns; /**< When the runtime ends: for all that waits; then exporters are cancelled. Default
                                     5 s, at most 60 minutes. */

    uint64_t attribute_count_limit; /**< Of one record; further ones are dropped and counted in it. Default 128, at most
                                       1,024; PAWL_ZERO: none. */
    uint64_t attribute_value_length_limit; /**< Characters of a text; PAWL_ZERO: none. Default unlimited. */
} pawl_logs_options;

/** `pawl_logs_with(&err, .write = to_stderr, .level = PAWL_LOG_ERROR)` */
#define pawl_logs_with(...) PAWL_LOGS_(__VA_ARGS__, .size = sizeof(pawl_logs_options))
#define PAWL_LOGS_(err, ...) pawl_logs_new(&(pawl_logs_options){__VA_ARGS__}, err)

/** @param options Copied. @return New reference, NULL with PAWL_E_INVALID or PAWL_E_NOMEM in err. */
PAWL_API PAWL_NODISCARD pawl_logs *pawl_logs_new(const pawl_logs_options *options, pawl_error **err);
/** @return logs, a new reference. NULL allowed. */
PAWL_API pawl_logs *pawl_logs_ref(pawl_logs *logs);
/** Gives one reference back. NULL allowed. @return NULL. */
PAWL_API pawl_logs *pawl_logs_unref(pawl_logs *logs);

/**
 * Makes it an observer of one runtime, before the runtime's first run, and starts its thread (in virtual time there is
 * none: then only pawl_runtime_flush() and the end export). The runtime references it until it ends, which exports what
 * waits and takes at most shutdown_timeout_ns and a second.
 * @return PAWL_OK, PAWL_E_INVALID (attached already), PAWL_E_UNSUPPORTED (no thread to be had), PAWL_E_NOMEM, or what
 * pawl_runtime_add_observer() says.
 */
PAWL_API pawl_status pawl_logs_attach(pawl_logs *logs, pawl_runtime *runtime, pawl_error **err);

/** Numbers of records; each a moment's figure. Behind each the name of OpenTelemetry's conventions. */
typedef struct pawl_logs_stats {
    size_t size;                /**< Set by the caller: sizeof(pawl_logs_stats). */
    uint64_t queue_size;        /**< otel.sdk.processor.log.queue.size. */
    uint64_t queue_capacity;    /**< otel.sdk.processor.log.queue.capacity. */
    uint64_t processed;         /**< Handed to write and the exporters: otel.sdk.processor.log.processed, as the next
                                   three, */
    uint64_t dropped_full;      /**< with error.type queue_full, */
    uint64_t dropped_no_memory; /**< no_memory, */
    uint64_t dropped_shutdown;  /**< already_shutdown: what still waited at the end. */
    uint64_t exported;          /**< By all exporters together: otel.sdk.exporter.log.exported, */
    uint64_t failed;            /**< the same with an error.type. */
} pawl_logs_stats;

/** @param ret_stats Its size is read, its other fields are set. NULL logs or stats: nothing happens. */
PAWL_API void pawl_logs_get_stats(pawl_logs *logs, pawl_logs_stats *ret_stats);

PAWL_END_DECLS
#endif
