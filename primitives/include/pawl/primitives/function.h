/** @file pawl/primitives/function.h  @brief The three kinds of leaf: your own C functions as nodes. */
#ifndef PAWL_PRIMITIVES_FUNCTION_H
#define PAWL_PRIMITIVES_FUNCTION_H

#include <pawl/op.h>
#include <pawl/primitive.h>

PAWL_BEGIN_DECLS

/**
 * A leaf that may block: the usual kind. In pawl_run() it is called on the caller's thread when the run has nothing
 * else to wait for, else on a thread of the runtime's pool. It should end soon after its scope is over: use
 * pawl_context_sleep(), _wait_fd(), _curl_perform(), or look at pawl_context_cancelled(); the scope waits for it in any
 * case.
 * @param name  Copied.
 * @param fn    Called once per run of the node, any thread, several at once.
 * @param user  Borrowed, must outlive the node.
 * @return New reference, never NULL: a failed primitive when the name is none (empty, over 255 bytes, no UTF-8, a
 * control character in it) or fn is NULL.
 *
 * A run's errors: what fn returns; PAWL_E_CANCELLED or PAWL_E_DEADLINE when its scope was over before it ended, with
 * its own error as the cause; PAWL_E_UNAVAILABLE when no thread could be started.
 */
PAWL_API PAWL_NODISCARD pawl_primitive *pawl_function(const char *name, pawl_leaf_fn fn, void *user);
/** The same, giving up user with the node. @param destroy Called once with user, on any thread, also when this fails.
 */
PAWL_API PAWL_NODISCARD pawl_primitive *pawl_function_owning(const char *name, pawl_leaf_fn fn, void *user,
                                                             void (*destroy)(void *user));

typedef struct pawl_function_options {
    size_t size;                 /**< sizeof(pawl_function_options); set by the macro. */
    void (*destroy)(void *user); /**< As for pawl_function_owning(). NULL: user is borrowed. */
    /** Not 0: when its scope is over and grace_ns has passed, the node ends without waiting for the work, which goes on
     * in the pool until it ends by itself; it is counted (pawl_runtime_stats.abandoned) and its late result is dropped.
     * For work that cannot be told to stop. It always runs on a pool thread, with a context of its own (same ids, its
     * scope's cancellation, no span). Ending the runtime waits for it. */
    uint64_t abandonable;
    /** Default 1 s; PAWL_ZERO none, PAWL_UNLIMITED waits for its end. Without abandonable it must be 0. */
    uint64_t grace_ns;
} pawl_function_options;

/** `pawl_function_with("legacy", call_it, user, .abandonable = 1)` */
#define pawl_function_with(name, fn, ...) PAWL_FUNCTION_(name, fn, __VA_ARGS__, .size = sizeof(pawl_function_options))
#define PAWL_FUNCTION_(name, fn, user, ...) pawl_function_new(name, fn, user, &(pawl_function_options){__VA_ARGS__})
/** pawl_function() with options. @param options Copied. NULL for the defaults. A failed primitive also for a bad
 * option. */
PAWL_API PAWL_NODISCARD pawl_primitive *pawl_function_new(const char *name, pawl_leaf_fn fn, void *user,
                                                          const pawl_function_options *options);

/** A leaf that promises not to block and to return within microseconds: called directly by the loop, costs a few
 * nanoseconds. Waiting helpers and pawl_run() are refused inside it. Otherwise as pawl_function(). */
PAWL_API PAWL_NODISCARD pawl_primitive *pawl_inline(const char *name, pawl_leaf_fn fn, void *user);
PAWL_API PAWL_NODISCARD pawl_primitive *pawl_inline_owning(const char *name, pawl_leaf_fn fn, void *user,
                                                           void (*destroy)(void *user));

/** A leaf that is started on the loop and completed from anywhere; it costs no thread while it waits. @param vtable
 * Borrowed, must outlive the node. @param user Borrowed, must outlive the node. Otherwise as pawl_function(). */
PAWL_API PAWL_NODISCARD pawl_primitive *pawl_async(const char *name, const pawl_async_vtable *vtable, void *user);
PAWL_API PAWL_NODISCARD pawl_primitive *pawl_async_owning(const char *name, const pawl_async_vtable *vtable, void *user,
                                                          void (*destroy)(void *user));

PAWL_END_DECLS
#endif
