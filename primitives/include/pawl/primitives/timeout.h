/** @file pawl/primitives/timeout.h  @brief A child with a limit of its own. */
#ifndef PAWL_PRIMITIVES_TIMEOUT_H
#define PAWL_PRIMITIVES_TIMEOUT_H

#include <pawl/primitive.h>

PAWL_BEGIN_DECLS

typedef struct pawl_timeout_options {
    size_t size;       /**< sizeof(pawl_timeout_options); set by the macro. */
    uint64_t after_ns; /**< The limit, from the node's start. Required; PAWL_UNLIMITED for none, PAWL_ZERO: the child is
                            never started. */
} pawl_timeout_options;

/** `pawl_timeout("limit", child, .after_ns = PAWL_S(30))` */
#define pawl_timeout(name, ...) PAWL_TIMEOUT_(name, __VA_ARGS__, .size = sizeof(pawl_timeout_options))
#define PAWL_TIMEOUT_(name, child, ...) pawl_timeout_new(name, child, &(pawl_timeout_options){__VA_ARGS__})

/**
 * Runs its child in a scope with the deadline min(outer, now + after_ns). When the limit passes the child is cancelled,
 * and the node ends as soon as the child has: no work survives it.
 * @param child    Taken over.
 * @param options  Copied. NULL is a failed primitive, since after_ns is required; so is after_ns 0.
 *
 * A run returns the child's outcome; PAWL_E_TIMEOUT (cause: what the child said, if it said something) when this limit
 * ended it, or when the child gave up at once because it would have passed it, as retry does (started is "no" when the
 * limit is PAWL_ZERO); PAWL_E_DEADLINE when an outer one did; PAWL_E_CANCELLED when it was cancelled. A success that
 * came before the limit is delivered. Reads the clock once; arms no timer while the child completes inline. No
 * allocation. Threads: create, run and release on any thread; several may run it at once.
 */
PAWL_API PAWL_NODISCARD pawl_primitive *pawl_timeout_new(const char *name, pawl_primitive *child,
                                                         const pawl_timeout_options *options);

PAWL_END_DECLS
#endif
