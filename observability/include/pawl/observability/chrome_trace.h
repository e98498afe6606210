/** @file pawl/observability/chrome_trace.h  @brief Spans as a trace-event file for Perfetto (ui.perfetto.dev), Chrome's
 * about:tracing and speedscope.
 *
 * A span is a complete event with its attributes as args; its events are instants. Spans of one lane (a "thread" of the
 * viewer) never overlap but for a child inside its parent: a branch that runs beside another has a lane of its own. A
 * trace is written when its root span has ended, so up to then its spans are kept: 100,000 at
 * most, of 4,096 traces and 64 MiB; then the trace that came first is written as it is. The file can be opened at any
 * time: the format does not need its end. Source: "Trace Event Format", Google, JSON array form.
 */
#ifndef PAWL_OBSERVABILITY_CHROME_TRACE_H
#define PAWL_OBSERVABILITY_CHROME_TRACE_H

#include <pawl/observability/export.h>

PAWL_BEGIN_DECLS

typedef struct pawl_chrome_trace_options {
    size_t size;        /**< sizeof(pawl_chrome_trace_options); set by the macro. */
    uint64_t max_bytes; /**< Of the file; further spans are dropped and counted. Default 256 MiB; PAWL_UNLIMITED. */
} pawl_chrome_trace_options;

/** `pawl_chrome_trace_with("trace.json", &err, .max_bytes = PAWL_MIB(16))` */
#define pawl_chrome_trace_with(path, ...)                                                                              \
    PAWL_CHROME_TRACE_(path, __VA_ARGS__, .size = sizeof(pawl_chrome_trace_options))
#define PAWL_CHROME_TRACE_(path, err, ...) pawl_chrome_trace_new(path, &(pawl_chrome_trace_options){__VA_ARGS__}, err)

/**
 * Makes the file, with mode 0600; one that is there is emptied.
 * @param path     Copied.
 * @param options  Copied. NULL for the defaults.
 * @return New reference, or NULL: PAWL_E_INVALID (an option; no regular file), PAWL_E_DENIED, PAWL_E_NOT_FOUND,
 * PAWL_E_UNAVAILABLE (it cannot be written), PAWL_E_NOMEM.
 *
 * An export's errors, of spans that could not be written: PAWL_E_LIMIT, PAWL_E_UNAVAILABLE, PAWL_E_NOMEM.
 */
PAWL_API PAWL_NODISCARD pawl_exporter *pawl_chrome_trace_new(const char *path, const pawl_chrome_trace_options *options,
                                                             pawl_error **err);

typedef struct pawl_chrome_trace_stats {
    size_t size;      /**< sizeof(pawl_chrome_trace_stats); set by the caller. */
    uint64_t written; /**< Spans. */
    uint64_t dropped; /**< Spans that could not be kept or written. */
    uint64_t waiting; /**< Spans kept for their root. */
} pawl_chrome_trace_stats;

/** @param exporter Made by pawl_chrome_trace_new(), else PAWL_E_INVALID. @param ret_stats Its size is read, its other
 * fields are set. Any thread. */
PAWL_API pawl_status pawl_chrome_trace_get_stats(const pawl_exporter *exporter, pawl_chrome_trace_stats *ret_stats,
                                                 pawl_error **err);

PAWL_END_DECLS
#endif
