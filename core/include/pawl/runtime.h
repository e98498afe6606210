/** @file pawl/runtime.h  @brief Everything a process-wide global would have been: clock, random numbers, loops, pool,
 * observers.
 *
 * Two runtimes in one process do not notice each other. A runtime belongs to the process that made it: in a forked
 * child each call returns PAWL_E_INVALID. Threads are made on demand and only for pawl_submit(), blocking leaves that
 * must not hold a loop, and the watchdog of cancel callbacks under a deadline. A NULL runtime is refused by functions
 * with an err (PAWL_E_INVALID) and has nothing to tell or do for the others.
 */
#ifndef PAWL_RUNTIME_H
#define PAWL_RUNTIME_H

#include <pawl/error.h>

PAWL_BEGIN_DECLS

typedef struct pawl_runtime pawl_runtime;
struct pawl_runtime_hooks; /* pawl/unstable/hooks.h: virtual time for tests */

typedef enum pawl_log_level {
    PAWL_LOG_DEBUG = 1,
    PAWL_LOG_INFO,
    PAWL_LOG_WARN,
    PAWL_LOG_ERROR,
} pawl_log_level;

/** Any thread, several at once; must not block and must not call into pawl. @param text Borrowed, one line without
 * end-of-line. */
typedef void (*pawl_log_fn)(void *user, pawl_log_level level, const char *text);

/** Zero means the default. */
typedef struct pawl_runtime_options {
    size_t size;             /**< sizeof(pawl_runtime_options); set by the macro. */
    pawl_log_fn log;         /**< NULL: no log. */
    void *log_user;          /**< Borrowed, must outlive the runtime. */
    uint64_t log_level;      /**< Least pawl_log_level that is logged. Default PAWL_LOG_WARN; PAWL_ZERO all. */
    uint64_t loop_threads;   /**< For pawl_submit(). Default 1, at most 64. */
    uint64_t pool_threads;   /**< Bound of the pool for blocking leaves; one that waits in a pawl_run() of its own does
                                not count. Default 256, at most 4,096. */
    uint64_t pool_idle_ns;   /**< An idle pool thread ends after this. Default 10 s; PAWL_ZERO at once, PAWL_UNLIMITED
                                never. */
    uint64_t seed;           /**< Of the random numbers; 0: from the kernel. Any other number is a seed. */
    const char *helper_path; /**< Copied. Of the sandbox helper; NULL: beside the library, then libexec, then beside the
                                executable. */
    const struct pawl_runtime_hooks *hooks; /**< Borrowed, must outlive the runtime. NULL: real time. */
    uint64_t no_tsc; /**< Not 0: times are always read from CLOCK_MONOTONIC. 0: from the processor's counter too, which
                        takes half as long, held within 50 us of CLOCK_MONOTONIC and never going back; only where the
                        kernel itself relies on that counter, and only until the two disagree. */
} pawl_runtime_options;

/** @return New runtime with keyword options, or none; see pawl_runtime_new(). */
#define pawl_runtime_with(...)                                                                                         \
    pawl_runtime_new(&(pawl_runtime_options){.size = sizeof(pawl_runtime_options), __VA_ARGS__}, NULL)

/**
 * @param options  Copied. NULL for the defaults.
 * @param err      PAWL_E_INVALID (a bound is passed, a field this library does not know is set), PAWL_E_NOMEM,
 * PAWL_E_UNSUPPORTED (no descriptors or random bytes to be had). NULL when not wanted.
 * @return New reference, or NULL.
 */
PAWL_API PAWL_NODISCARD pawl_runtime *pawl_runtime_new(const pawl_runtime_options *options, pawl_error **err);
/** @return runtime, a new reference. NULL allowed. */
PAWL_API pawl_runtime *pawl_runtime_ref(pawl_runtime *runtime);
/** Gives one reference back; the last one shuts the runtime down. Contexts that still exist stay valid to release.
 * @return NULL. */
PAWL_API pawl_runtime *pawl_runtime_unref(pawl_runtime *runtime);
/**
 * Cancels all live runs (reason shutdown), waits for their end and stops every thread. Afterwards runs are refused.
 * Idempotent. PAWL_E_INVALID inside a leaf or a callback, which would wait for itself.
 */
PAWL_API pawl_status pawl_runtime_shutdown(pawl_runtime *runtime, pawl_error **err);

/* ---- The embedded loop: one per runtime, made by the first of these calls, driven by the host. ---- */

/** @return Descriptor that becomes readable when pump has something to do (for epoll, libuv, GLib); the runtime's own.
 * -1 when it cannot be made. */
PAWL_API int pawl_runtime_fd(pawl_runtime *runtime);
/** @return Time until the next timer, 0 when something is ready, PAWL_NEVER when only the descriptor counts. */
PAWL_API uint64_t pawl_runtime_next_timeout(pawl_runtime *runtime);
/**
 * Does everything that is ready, then returns; callbacks and inline leaves run inside, on this thread. Not re-entrant,
 * one thread at a time: PAWL_E_INVALID else.
 */
PAWL_API pawl_status pawl_runtime_pump(pawl_runtime *runtime, pawl_error **err);

/** What is alive and what went wrong quietly; each a moment's figure. */
typedef struct pawl_runtime_stats {
    size_t size; /**< sizeof(pawl_runtime_stats); set by the caller. */
    uint64_t live_runs;
    uint64_t live_frames; /**< Nodes that have started and not ended. */
    uint64_t pool_threads;
    uint64_t pool_queued;
    uint64_t refused_completions; /**< Late or double pawl_op_complete() calls. */
    uint64_t abandoned;           /**< Detached leaves that still run. */
} pawl_runtime_stats;

/** @param ret_stats Its size is read, its other fields are set. NULL: nothing happens. */
PAWL_API void pawl_runtime_get_stats(pawl_runtime *runtime, pawl_runtime_stats *ret_stats);

/** Writes a line to the log callback if level is enabled. Any thread. */
PAWL_API void pawl_runtime_log(pawl_runtime *runtime, pawl_log_level level, const char *format, ...) PAWL_PRINTF(3, 4);
/** @return Borrowed helper_path option, NULL when not given. */
PAWL_API const char *pawl_runtime_helper_path(const pawl_runtime *runtime);

PAWL_END_DECLS
#endif
