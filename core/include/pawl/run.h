/** @file pawl/run.h  @brief The three ways to drive a run; the semantics are the same. */
#ifndef PAWL_RUN_H
#define PAWL_RUN_H

#include <pawl/primitive.h>

PAWL_BEGIN_DECLS

/**
 * Runs a pipeline on this thread until its end.
 * @param node     Borrowed.
 * @param ctx      Borrowed. A root context: the run's root scope (PAWL_E_INVALID while another run has it). A leaf's
 * context, inside a blocking leaf: a child run (same trace and cancellation). NULL: a temporary runtime for this call.
 * A context that was cancelled, or whose deadline passed, stays so and runs nothing again: make a child per request
 * (pawl_context_child()) and cancel that.
 * @param in       Borrowed; NULL stands for JSON null.
 * @param ret_out  New reference, set only on success; NULL when not wanted.
 * @param err      New reference, set only on failure; NULL when not wanted.
 * @return The pipeline's outcome, or PAWL_E_INVALID: failed pipeline, busy context, called in an inline leaf or a
 * pump's callback, in a forked child, or after the runtime was shut down.
 */
PAWL_API pawl_status pawl_run(pawl_primitive *node, pawl_context *ctx, pawl_value *in, pawl_value **ret_out,
                              pawl_error **err);

/** The same with JSON text. @param in NUL-terminated JSON, NULL stands for null. @param ret_out New text, released with
 * free(). */
PAWL_API pawl_status pawl_run_text(pawl_primitive *node, pawl_context *ctx, const char *in, char **ret_out,
                                   pawl_error **err);

/**
 * Called exactly once for each accepted pawl_submit() or pawl_start(), on the loop's thread, never from inside the call
 * that started it. Must not block.
 * @param value  New reference for the callee on success, NULL else.
 * @param error  New reference for the callee on failure, NULL else.
 */
typedef void (*pawl_done)(void *user, pawl_status status, pawl_value *value, pawl_error *error);

/**
 * Runs a pipeline on one of the runtime's own loop threads.
 * @param ctx  Referenced until the end; a root context, not NULL.
 * @param in   Referenced until the end; NULL stands for JSON null.
 * @return PAWL_OK: accepted, done will be called. Else nothing started and done is not called.
 */
PAWL_API pawl_status pawl_submit(pawl_primitive *node, pawl_context *ctx, pawl_value *in, pawl_done done, void *user,
                                 pawl_error **err);

/**
 * Starts a pipeline on the runtime's embedded loop, which the host drives with pawl_runtime_pump(). Same arguments and
 * answers as pawl_submit(). Any thread.
 */
PAWL_API pawl_status pawl_start(pawl_primitive *node, pawl_context *ctx, pawl_value *in, pawl_done done, void *user,
                                pawl_error **err);

PAWL_END_DECLS
#endif
