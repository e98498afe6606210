/** @file pawl/observability/trace_page.h  @brief One self-contained HTML page of a trace file: waterfall, attempts with
 * the differences between their programs, output, search. It opens from disk and fetches nothing. */
#ifndef PAWL_OBSERVABILITY_TRACE_PAGE_H
#define PAWL_OBSERVABILITY_TRACE_PAGE_H

#include <pawl/error.h>

PAWL_BEGIN_DECLS

/** Gets the page in pieces, in order. @return False to stop, e.g. when the disk is full. */
typedef bool (*pawl_trace_page_sink)(void *user, const char *bytes, size_t length);

/** Zero means the default. Fields are only ever appended. */
typedef struct pawl_trace_page_options {
    size_t size;              /**< sizeof(pawl_trace_page_options); set by the macro. */
    const char *title;        /**< Shown above, e.g. the file's name. Borrowed. Default "trace". */
    uint64_t max_spans;       /**< Further spans are left out and counted on the page. Default 100,000. */
    uint64_t without_content; /**< Not 0: programs, their output and their messages (what --trace-content records)
                                 are left out, so that the page can be given away. */
} pawl_trace_page_options;

/** What was found in the file; numbers. */
typedef struct pawl_trace_page_summary {
    size_t size;         /**< Set by the caller: sizeof(pawl_trace_page_summary). */
    uint64_t spans;      /**< On the page. */
    uint64_t left_out;   /**< Beyond max_spans. */
    uint64_t bad_lines;  /**< That could not be read. */
    uint64_t bad_spans;  /**< Of lines that could. */
    uint64_t first_bad;  /**< Number of the first line with something bad, from 1; 0 for none. */
    uint64_t is_cut_off; /**< Not 0: the last line is incomplete; its writer may be at work. */
} pawl_trace_page_summary;

/** `pawl_trace_page(text, length, write, file, &summary, &err, .title = "run.jsonl")` */
#define pawl_trace_page(text, length, write, user, ret_summary, ...)                                                   \
    PAWL_TRACE_PAGE_(text, length, write, user, ret_summary, __VA_ARGS__, .size = sizeof(pawl_trace_page_options))
#define PAWL_TRACE_PAGE_(text, length, write, user, ret_summary, err, ...)                                             \
    pawl_trace_page_write(text, length, &(pawl_trace_page_options){__VA_ARGS__}, write, user, ret_summary, err)

/**
 * Makes the page of a trace file: OTLP/JSON, one ExportTraceServiceRequest a line, by any OpenTelemetry file exporter.
 * Lines and spans that are wrong are left out, and the page says so with their numbers. Names, programs and output are
 * data in it, whatever they hold: they cannot become part of its markup or its script.
 * @param text         length bytes; borrowed. The first GiB is read.
 * @param options      NULL for the defaults.
 * @param write        Called on this thread only; user is handed to it.
 * @param ret_summary  Caller's, its size set; may be NULL. Also set on failure, but for PAWL_E_INVALID.
 * @return PAWL_OK; PAWL_E_NOT_FOUND when there is no span (nothing was written; the message says why); PAWL_E_INVALID
 *         (NULL text with a length, no write, a title that is no UTF-8, a bad option); PAWL_E_FAILED when write said
 *         false; PAWL_E_NOMEM, and then part of a page may have been written.
 */
PAWL_API pawl_status pawl_trace_page_write(const char *text, size_t length, const pawl_trace_page_options *options,
                                           pawl_trace_page_sink write, void *user, pawl_trace_page_summary *ret_summary,
                                           pawl_error **err);

/** @return Whether bytes begin as such a page does, of any version; its first 256 bytes are enough. */
PAWL_API bool pawl_is_trace_page(const char *bytes, size_t length);

PAWL_END_DECLS
#endif
