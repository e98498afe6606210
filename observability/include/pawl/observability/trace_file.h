/** @file pawl/observability/trace_file.h  @brief Telemetry as lines of JSON: OTLP requests of spans, metrics and log
 * records, one a line, into a file of bounded size or to a callback.
 *
 * This is OpenTelemetry's file format ("OTLP JSON lines"), which its collector and `pawl trace view` read. A full disk
 * or a file that cannot be written costs telemetry, which is counted, and nothing else.
 */
#ifndef PAWL_OBSERVABILITY_TRACE_FILE_H
#define PAWL_OBSERVABILITY_TRACE_FILE_H

#include <pawl/observability/export.h>

PAWL_BEGIN_DECLS

typedef struct pawl_trace_file_options {
    size_t size;        /**< sizeof(pawl_trace_file_options); set by the macro. */
    uint64_t max_bytes; /**< Of one file, at least 1 KiB. A line that would pass it begins a new file. Default 64 MiB;
                           PAWL_UNLIMITED. */
    uint64_t max_files; /**< Kept: PATH, and older ones as PATH.1, PATH.2 and so on. Default 2, at most 1,000. */
} pawl_trace_file_options;

/** `pawl_trace_file_with("trace.jsonl", &err, .max_files = 5)` */
#define pawl_trace_file_with(path, ...) PAWL_TRACE_FILE_(path, __VA_ARGS__, .size = sizeof(pawl_trace_file_options))
#define PAWL_TRACE_FILE_(path, err, ...) pawl_trace_file_new(path, &(pawl_trace_file_options){__VA_ARGS__}, err)

/**
 * Appends to a file, which is made with mode 0600 when it is not there. Whole lines are written, each at once, so that
 * several processes may share the file; one that is moved away is opened anew.
 * @param path     Copied. A regular file, or a character device or symbolic link, which are never rotated: a linked
 * file is full at max_bytes.
 * @param options  Copied. NULL for the defaults.
 * @return New reference, or NULL: PAWL_E_INVALID (an option; no such kind of file), PAWL_E_DENIED, PAWL_E_NOT_FOUND,
 * PAWL_E_UNAVAILABLE (it cannot be opened), PAWL_E_NOMEM.
 *
 * An export's errors: PAWL_E_UNAVAILABLE (the disk is full, the file cannot be written), PAWL_E_LIMIT (a single item is
 * larger than a file may be, or a linked file is full), PAWL_E_NOMEM.
 */
PAWL_API PAWL_NODISCARD pawl_exporter *pawl_trace_file_new(const char *path, const pawl_trace_file_options *options,
                                                           pawl_error **err);

/** Gets one line, ended by '\n'; one call at a time. @param text Borrowed. */
typedef void (*pawl_trace_lines_write)(void *user, const char *text, size_t length);
/**
 * The same lines to a callback: OpenTelemetry's "otlp/stdout" when it writes to standard output.
 * @param write  Required. On the thread that exports.
 * @param user   Borrowed, must outlive the exporter.
 * @return New reference, or NULL: PAWL_E_INVALID, PAWL_E_NOMEM.
 */
PAWL_API PAWL_NODISCARD pawl_exporter *pawl_trace_lines_new(pawl_trace_lines_write write, void *user, pawl_error **err);

typedef struct pawl_trace_file_stats {
    size_t size;      /**< sizeof(pawl_trace_file_stats); set by the caller. */
    uint64_t lines;   /**< Written. */
    uint64_t bytes;   /**< Of them. */
    uint64_t written; /**< Spans, data points and log records in them. */
    uint64_t dropped; /**< Those that could not be written. */
    uint64_t rotated; /**< How often a new file was begun. */
} pawl_trace_file_stats;

/** @param exporter Of either kind above, else PAWL_E_INVALID. @param ret_stats Its size is read, its other fields are
 * set. Any thread. */
PAWL_API pawl_status pawl_trace_file_get_stats(const pawl_exporter *exporter, pawl_trace_file_stats *ret_stats,
                                               pawl_error **err);

PAWL_END_DECLS
#endif
