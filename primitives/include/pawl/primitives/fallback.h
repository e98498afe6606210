/** @file pawl/primitives/fallback.h  @brief The next child when one fails. */
#ifndef PAWL_PRIMITIVES_FALLBACK_H
#define PAWL_PRIMITIVES_FALLBACK_H

#include <pawl/primitive.h>

PAWL_BEGIN_DECLS

typedef struct pawl_fallback_options {
    size_t size; /**< sizeof(pawl_fallback_options); set by the macro. */
    /** Whether an outcome (also a successful one) is answered by the next child. NULL: every failure but
     * PAWL_E_CANCELLED. */
    pawl_outcome_predicate should_fall_back;
    void *user; /**< Of should_fall_back. Borrowed, must outlive the node. */
    /** Time kept back from all but the last child for the ones after it, when the scope has a deadline: a child that
     * has none left is not started, one that uses it up has timed out. Default 0, as with PAWL_ZERO; PAWL_UNLIMITED is
     * refused. */
    uint64_t reserve_ns;
} pawl_fallback_options;

/** `pawl_fallback("answer", PAWL_CHILDREN(cloud, local), .reserve_ns = PAWL_S(5))` */
#define pawl_fallback(name, ...) PAWL_FALLBACK_(name, __VA_ARGS__, .size = sizeof(pawl_fallback_options))
#define PAWL_FALLBACK_(name, children, ...) pawl_fallback_new(name, children, &(pawl_fallback_options){__VA_ARGS__})

/**
 * Runs its first child and, while the outcome asks for it, the next one with the same input.
 * @param children  Each taken over; ends with PAWL_END; at least two.
 * @param options   Copied. NULL for the defaults.
 * @return New reference, never NULL: a failed primitive with fewer than two children, or a reserve without limit.
 *
 * A run returns the first outcome that asks for no fallback. After the last child: its outcome if it is a success,
 * also one that asked for more; else the status, class and retry-after of the first failure, with an error whose cause
 * is the first error and which tells the last one in its message. Nothing is started once the scope is over:
 * PAWL_E_CANCELLED or PAWL_E_DEADLINE, whose cause is the first failure. No allocation when the first child succeeds.
 * Each child's span has the attribute pawl.fallback (0 for the first child). Threads: create, run and release on any
 * thread; several may run it at once.
 */
PAWL_API PAWL_NODISCARD pawl_primitive *pawl_fallback_new(const char *name, pawl_primitive *const *children,
                                                          const pawl_fallback_options *options);

PAWL_END_DECLS
#endif
