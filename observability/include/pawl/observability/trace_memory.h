/** @file pawl/observability/trace_memory.h  @brief An exporter that keeps spans in memory, for tests and for hosts that
 * show traces themselves. */
#ifndef PAWL_OBSERVABILITY_TRACE_MEMORY_H
#define PAWL_OBSERVABILITY_TRACE_MEMORY_H

#include <pawl/observability/export.h>

PAWL_BEGIN_DECLS

/** Counted; any thread. */
typedef struct pawl_trace_memory pawl_trace_memory;

/** Zero means the default. */
typedef struct pawl_trace_memory_options {
    size_t size;        /**< sizeof(pawl_trace_memory_options); set by the macro. */
    uint64_t max_spans; /**< Further ones are refused. Default 10,000, at most 1,000,000. */
    uint64_t max_bytes; /**< What they hold together. Default 64 MiB. */
} pawl_trace_memory_options;

/** `pawl_trace_memory_with(&err, .max_spans = 100)` */
#define pawl_trace_memory_with(...) PAWL_TRACE_MEMORY_(__VA_ARGS__, .size = sizeof(pawl_trace_memory_options))
#define PAWL_TRACE_MEMORY_(err, ...) pawl_trace_memory_new(&(pawl_trace_memory_options){__VA_ARGS__}, err)

/** @param options Copied. NULL for the defaults. @return New reference, NULL with PAWL_E_INVALID or PAWL_E_NOMEM. */
PAWL_API PAWL_NODISCARD pawl_trace_memory *pawl_trace_memory_new(const pawl_trace_memory_options *options,
                                                                 pawl_error **err);
/** Gives one reference back; exporters made of it hold their own. NULL allowed. @return NULL. */
PAWL_API pawl_trace_memory *pawl_trace_memory_unref(pawl_trace_memory *memory);
/** Makes an exporter that fills it. A batch that does not fit is kept in part, and PAWL_E_LIMIT (or PAWL_E_NOMEM) the
 * exporter's answer. @return New reference, NULL with PAWL_E_INVALID (NULL) or PAWL_E_NOMEM. */
PAWL_API PAWL_NODISCARD pawl_exporter *pawl_trace_memory_exporter(pawl_trace_memory *memory, pawl_error **err);

/* NULL has no spans and nothing to forget. */

/** @return How many spans it has. */
PAWL_API size_t pawl_trace_memory_count(pawl_trace_memory *memory);
/** @return How many it had no room for. */
PAWL_API uint64_t pawl_trace_memory_refused(pawl_trace_memory *memory);
/** @return The span of that index, in the order of their export; borrowed until the next clear or the last unref. NULL
 * beyond the last. */
PAWL_API const pawl_span_data *pawl_trace_memory_span(pawl_trace_memory *memory, size_t index);
/** Forgets all spans, and how many were refused. */
PAWL_API void pawl_trace_memory_clear(pawl_trace_memory *memory);

PAWL_END_DECLS
#endif
