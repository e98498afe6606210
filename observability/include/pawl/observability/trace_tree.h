/** @file pawl/observability/trace_tree.h  @brief The trace tree a person reads: one line a node, printed when a run has
 * ended. */
#ifndef PAWL_OBSERVABILITY_TRACE_TREE_H
#define PAWL_OBSERVABILITY_TRACE_TREE_H

#include <pawl/observer.h>

PAWL_BEGIN_DECLS

/** Gets the finished text of one trace, lines ended by '\n'. Called on the thread that ended the trace's last span, one
 * call at a time. @param text Borrowed, length bytes and a NUL. */
typedef void (*pawl_trace_tree_write)(void *user, const char *text, size_t length);

typedef struct pawl_trace_tree_options {
    size_t size;                 /**< sizeof(pawl_trace_tree_options); set by the macro. */
    pawl_trace_tree_write write; /**< Required. */
    void *user;                  /**< Borrowed, must outlive the runtime. */
    uint64_t max_spans; /**< Kept of one trace; of further ones only those above kept ones, and the rest is counted in a
                           line. Of a sandboxed program half as many. Default 1,000, at most 100,000. */
    uint64_t colour;    /**< Not 0: ANSI colours for outcomes. The caller knows whether it writes to a terminal. */
    uint64_t max_siblings; /**< Of one parent so many are shown, half of them the first, half the last; one line counts
                              those between. Default: all; at least 2. */
    uint64_t sampled_only; /**< Not 0: only traces that count as sampled, by what the runtime's samplers say. */
    uint64_t min_duration_ns; /**< Spans that ended well and faster than this are left out. Default 0,
                                as with PAWL_ZERO. */
} pawl_trace_tree_options;

/** `pawl_trace_tree(runtime, &err, .write = to_stderr)` */
#define pawl_trace_tree(runtime, ...) PAWL_TRACE_TREE_(runtime, __VA_ARGS__, .size = sizeof(pawl_trace_tree_options))
#define PAWL_TRACE_TREE_(runtime, err, ...)                                                                            \
    pawl_trace_tree_attach(runtime, &(pawl_trace_tree_options){__VA_ARGS__}, err)

/**
 * Attaches an observer that writes each trace as an indented tree once its last open span has ended:
 * name, outcome, time, and what its parent knows about it (attempt, step, branch, cache). Names are cleaned of control
 * bytes.
 * @param options  Copied.
 * @return PAWL_OK, PAWL_E_INVALID (no write, max_spans out of range, a run has started), PAWL_E_LIMIT, PAWL_E_NOMEM.
 */
PAWL_API pawl_status pawl_trace_tree_attach(pawl_runtime *runtime, const pawl_trace_tree_options *options,
                                            pawl_error **err);

PAWL_END_DECLS
#endif
