/** @file pawl/primitives/retry.h  @brief Runs a child again while its outcomes ask for it. */
#ifndef PAWL_PRIMITIVES_RETRY_H
#define PAWL_PRIMITIVES_RETRY_H

#include <pawl/primitive.h>

PAWL_BEGIN_DECLS

typedef enum pawl_jitter {
    PAWL_JITTER_FULL = 0, /**< A uniform part of the delay. */
    PAWL_JITTER_EQUAL,    /**< Half the delay and a uniform part of the other half. */
    PAWL_JITTER_NONE,
} pawl_jitter;

/** Zero means the default. Fields are only ever appended. */
typedef struct pawl_retry_options {
    size_t size;           /**< sizeof(pawl_retry_options); set by the macro. */
    uint64_t max_attempts; /**< The first try included. Default 3; PAWL_UNLIMITED for no bound; PAWL_ZERO is refused. */
    uint64_t base_delay_ns; /**< Before the second attempt; doubles each time. Default 100 ms; PAWL_ZERO for none. */
    uint64_t max_delay_ns;  /**< Bound of one wait. Default 10 s; PAWL_UNLIMITED for none, PAWL_ZERO only with a base of
                               PAWL_ZERO. */
    uint64_t min_delay_ns;  /**< Least wait, jitter included. Default 0, as with PAWL_ZERO; at most max_delay_ns. */
    uint64_t max_elapsed_ns; /**< No attempt starts later than this after the node's start. Default: no bound, as with
                                PAWL_UNLIMITED; PAWL_ZERO: only while no time has passed. */
    uint64_t jitter;         /**< pawl_jitter. Default PAWL_JITTER_FULL. */
    /** Whether an outcome (also a successful one) is to be tried again. NULL: pawl_outcome_is_retryable(). Cancellation
     * never is. */
    pawl_outcome_predicate should_retry;
    void *user; /**< Of should_retry. Borrowed, must outlive the node. */
} pawl_retry_options;

/** `pawl_retry("again", child, .max_attempts = 5)` */
#define pawl_retry(name, ...) PAWL_RETRY_(name, __VA_ARGS__, .size = sizeof(pawl_retry_options))
#define PAWL_RETRY_(name, child, ...) pawl_retry_new(name, child, &(pawl_retry_options){__VA_ARGS__})

/**
 * Runs its child until its outcome needs no retry, max_attempts is reached, or there is no time for another one.
 * Attempt n+1 waits min(max_delay, base * 2^(n-1)) with jitter. A retry-after in the failure is a lower bound of the
 * wait: the computed jitter is added to it, and the doubling starts anew. The wait holds no thread and ends at once on
 * cancel.
 * @param name      Copied.
 * @param child     Taken over. Each attempt gets the node's input, unchanged.
 * @param options   Copied. NULL for the defaults.
 * @return New reference, never NULL: a failed primitive when an option is out of range (base over max, min over max, an
 * unknown jitter).
 *
 * A run returns the child's outcome when it asks for no retry; an outcome that asked for one but was a success is
 * returned as it is when attempts are used up. Otherwise PAWL_E_EXHAUSTED (cause: the last error; attempts or
 * max_elapsed used up), PAWL_E_DEADLINE (cause: the last error) at once when the next wait would pass the deadline, or
 * PAWL_E_CANCELLED (cause: the last error when cancelled in a wait). No allocation if the first try succeeds. Each
 * attempt's span has the attribute pawl.attempt (from 1). Threads: create, run and release on any thread; several may
 * run it at once. Source: M. Brooker, "Exponential Backoff And Jitter", 2015 (full and equal jitter).
 */
PAWL_API PAWL_NODISCARD pawl_primitive *pawl_retry_new(const char *name, pawl_primitive *child,
                                                       const pawl_retry_options *options);

PAWL_END_DECLS
#endif
