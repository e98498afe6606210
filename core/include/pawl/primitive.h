/** @file pawl/primitive.h  @brief The node: immutable once made, counted, tied to no runtime, run by many threads at
 * once.
 *
 * Constructors take over their children (also when they fail) and never return NULL. A bad option or a failed child
 * makes a failed primitive: parents remember only that one failed, and one check at the end, pawl_primitive_error() or
 * the run itself, reports it with the node's path.
 */
#ifndef PAWL_PRIMITIVE_H
#define PAWL_PRIMITIVE_H

#include <pawl/context.h>
#include <pawl/error.h>
#include <pawl/value.h>

PAWL_BEGIN_DECLS

typedef struct pawl_primitive pawl_primitive;

/** Ends a list of children: a distinct address, so that a NULL child is an error and not an end. */
#define PAWL_END (pawl_primitive_end())
PAWL_API pawl_primitive *pawl_primitive_end(void);
/** The children of a combinator that also takes options: `pawl_parallel("both", PAWL_CHILDREN(a, b), .max_concurrency =
 * 1)`. For C only, as are all macros with keyword options (compound literals); in C++ pass an array and a struct to the
 * function the macro is made of:
 *
 *     pawl_primitive *const children[] = {a, b, PAWL_END};
 *     pawl_parallel_options options = {};
 *     options.size = sizeof options;
 *     options.max_concurrency = 1;
 *     pawl_primitive *both = pawl_parallel_new("both", children, &options);
 */
#define PAWL_CHILDREN(...) ((pawl_primitive *const[]){__VA_ARGS__, PAWL_END})

/** @return node, a new reference. NULL allowed. Any thread. */
PAWL_API pawl_primitive *pawl_primitive_ref(pawl_primitive *node);
/** Gives one reference back; the last one destroys the node and gives back its children. NULL allowed. Any thread.
 * @return NULL. */
PAWL_API pawl_primitive *pawl_primitive_unref(pawl_primitive *node);
/** @return Borrowed; "" for NULL. */
PAWL_API const char *pawl_primitive_name(const pawl_primitive *node);
/** @return Static type name, e.g. "retry"; "" for NULL. */
PAWL_API const char *pawl_primitive_type(const pawl_primitive *node);
/** @return Number of direct children. */
PAWL_API size_t pawl_primitive_child_count(const pawl_primitive *node);
/** @return Borrowed child, NULL out of range. */
PAWL_API pawl_primitive *pawl_primitive_child(const pawl_primitive *node, size_t index);
/** @return NULL for a sound pipeline, else a new reference to the first failure found, with its path. */
PAWL_API PAWL_NODISCARD pawl_error *pawl_primitive_error(const pawl_primitive *node);
/** Prints the tree, one node a line, indented: "name (type)". @return New text, released with free(); NULL without
 * memory. */
PAWL_API PAWL_NODISCARD char *pawl_primitive_describe(const pawl_primitive *node);

/**
 * How one try ended, as policies see it: the status and the value. Borrowed, valid only during the call that hands it
 * out.
 */
typedef struct pawl_outcome pawl_outcome;

PAWL_API pawl_status pawl_outcome_status(const pawl_outcome *outcome);
/** @return Borrowed; NULL when it failed. */
PAWL_API pawl_value *pawl_outcome_value(const pawl_outcome *outcome);
/** @return Borrowed; NULL when it succeeded. Made at the first call. */
PAWL_API const pawl_error *pawl_outcome_error(const pawl_outcome *outcome);
/** @return By what the failure says, else by status; PAWL_CLASS_DEFAULT for success. */
PAWL_API pawl_class pawl_outcome_class(const pawl_outcome *outcome);
PAWL_API uint64_t pawl_outcome_retry_after_ns(const pawl_outcome *outcome);
PAWL_API bool pawl_outcome_is_retryable(const pawl_outcome *outcome);

/** A policy's question about an outcome. Any thread, several at once; must not block. */
typedef bool (*pawl_outcome_predicate)(const pawl_outcome *outcome, void *user);

/**
 * A leaf's work.
 * @param in       Borrowed.
 * @param ret_out  New reference, set only on success. Left alone: the input passes on.
 * @param err      New reference, set only on failure.
 * @return PAWL_OK or why it failed. An unknown number is PAWL_E_INTERNAL; the status of *err goes before it.
 */
typedef pawl_status (*pawl_leaf_fn)(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out,
                                    pawl_error **err);

PAWL_END_DECLS
#endif
