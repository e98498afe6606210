/** @file pawl/primitives/parallel.h  @brief Children side by side on the same input. */
#ifndef PAWL_PRIMITIVES_PARALLEL_H
#define PAWL_PRIMITIVES_PARALLEL_H

#include <pawl/primitive.h>

PAWL_BEGIN_DECLS

typedef enum pawl_parallel_mode {
    PAWL_PARALLEL_ALL = 0, /**< All must succeed; the first failure cancels the rest. */
    PAWL_PARALLEL_SETTLE,  /**< All run to their end; the result tells each outcome. */
} pawl_parallel_mode;

typedef struct pawl_parallel_options {
    size_t size;              /**< sizeof(pawl_parallel_options); set by the macro. */
    uint64_t mode;            /**< pawl_parallel_mode. Default PAWL_PARALLEL_ALL. */
    uint64_t max_concurrency; /**< How many run at once. Default: all, as with PAWL_UNLIMITED; PAWL_ZERO is refused. */
} pawl_parallel_options;

/** `pawl_parallel("both", PAWL_CHILDREN(a, b), .max_concurrency = 1)` */
#define pawl_parallel(name, ...) PAWL_PARALLEL_(name, __VA_ARGS__, .size = sizeof(pawl_parallel_options))
#define PAWL_PARALLEL_(name, children, ...) pawl_parallel_new(name, children, &(pawl_parallel_options){__VA_ARGS__})

/**
 * Runs its children at once, each with the node's input and a scope of its own, and joins them all.
 * @param children  Each taken over; ends with PAWL_END; 1 to 4,096.
 * @param options   Copied. NULL for the defaults.
 * @return New reference, never NULL: a failed primitive without children, with too many, with an unknown mode, or when
 * the memory of those that may run at once is beyond all bounds (PAWL_E_LIMIT).
 *
 * A run gives a list value with the children's values in their order. Mode all: the first failure cancels the others
 * (reason sibling_failed), waits for their end and is returned, the failing child's own error; siblings that ended
 * because of it are not causes, others that failed by themselves are told in the message. Mode settle: an array of
 * {"status": "ok", "value": ...} or {"status": word, "error": {"message", "path", "retryable"}}, PAWL_OK whatever they
 * were; the values in it are copies. In both modes PAWL_E_CANCELLED or PAWL_E_DEADLINE when the node's scope is over
 * before all have succeeded (cause: the first failure), no further child being started; PAWL_E_LIMIT when the result
 * would nest deeper than 1,000; PAWL_E_NOMEM. One allocation in mode all: the list. Each child's span has the attribute
 * pawl.branch (from 0). Threads: create, run and release on any thread; several may run it at once.
 */
PAWL_API PAWL_NODISCARD pawl_primitive *pawl_parallel_new(const char *name, pawl_primitive *const *children,
                                                          const pawl_parallel_options *options);

PAWL_END_DECLS
#endif
