/** @file pawl/context.h  @brief What goes down the tree with a run: ids, deadline, cancellation, state, checkpoints.
 *
 * A context made with pawl_context_new() or pawl_context_child() is counted and is the root scope of one run at a time.
 * The context a leaf receives is part of its frame: valid until the leaf returns (an async leaf: completes), never
 * kept, never released; pawl_context_detach() copies what may live longer. Once a run has started only cancellation,
 * state and checkpoints change. Unless said otherwise functions may be called from any thread. Those with an err refuse
 * a NULL ctx, callback or storage with PAWL_E_INVALID; for those without one ctx and what they write to must not be
 * NULL, unless they say so.
 */
#ifndef PAWL_CONTEXT_H
#define PAWL_CONTEXT_H

#include <pawl/error.h>
#include <pawl/runtime.h>
#include <pawl/value.h>
#include <sys/types.h>

PAWL_BEGIN_DECLS

typedef struct pawl_context pawl_context;

/* ---- Life ---- */

/** @param runtime Referenced. @return New reference, NULL without memory or when runtime is NULL. */
PAWL_API PAWL_NODISCARD pawl_context *pawl_context_new(pawl_runtime *runtime);
/**
 * Makes a context for one more run beneath parent: same trace, ids, baggage, tags, metadata, deadline and cancellation,
 * own state and checkpoints; its causation id is the parent's span id. A frame's context gives a child of the run's
 * root with the frame's deadline.
 * @return New reference, NULL without memory.
 */
PAWL_API PAWL_NODISCARD pawl_context *pawl_context_child(pawl_context *parent);
/** Copies ids, baggage, tags and metadata into a new root without deadline and cancellation. @return New reference or
 * NULL. */
PAWL_API PAWL_NODISCARD pawl_context *pawl_context_detach(const pawl_context *ctx);
/** @return A new reference: to ctx, for a frame's context to the context its run was given (in a child run: the
 * outermost one, which outlives it). NULL allowed. */
PAWL_API pawl_context *pawl_context_ref(pawl_context *ctx);
/** Gives one reference back. NULL allowed. @return NULL. */
PAWL_API pawl_context *pawl_context_unref(pawl_context *ctx);
/** @return Borrowed. */
PAWL_API pawl_runtime *pawl_context_runtime(const pawl_context *ctx);

/* ---- Identity. Strings given are copied (at most 256 bytes, else PAWL_E_LIMIT), strings returned are borrowed and
 * live as long as the context; NULL when never set. Setters are for before the run: PAWL_E_INVALID once it has started.
 * ---- */

typedef enum pawl_id {
    PAWL_ID_WORKFLOW = 0,
    PAWL_ID_SESSION,
    PAWL_ID_CORRELATION, /**< Never NULL when read: a random UUID unless set; children inherit it. */
    PAWL_ID_CAUSATION,
    PAWL_ID_COUNT_
} pawl_id;

PAWL_API pawl_status pawl_context_set_id(pawl_context *ctx, pawl_id which, const char *text, pawl_error **err);
PAWL_API const char *pawl_context_id(pawl_context *ctx, pawl_id which);

/** W3C trace id of the run, 16 bytes, made at the first need. */
PAWL_API void pawl_context_trace_id(pawl_context *ctx, uint8_t ret_id[16]);
/** Span id of the node that runs (zero when nothing observes and none came from outside), 8 bytes. */
PAWL_API void pawl_context_span_id(pawl_context *ctx, uint8_t ret_id[8]);
/** Span id of that span's parent; zero for none. */
PAWL_API void pawl_context_parent_span_id(pawl_context *ctx, uint8_t ret_id[8]);
/** W3C trace flags: bit 0 sampled (set by default), bit 1 random (set in a trace that began here). */
PAWL_API uint8_t pawl_context_trace_flags(const pawl_context *ctx);

/** Sets one baggage entry. PAWL_E_INVALID for a key that is no HTTP token or a value that is no UTF-8, PAWL_E_LIMIT
 * over 180 entries, 4,096 bytes an entry or 8,192 bytes in all. A NULL value removes the entry. */
PAWL_API pawl_status pawl_context_set_baggage(pawl_context *ctx, const char *key, const char *value, pawl_error **err);
PAWL_API const char *pawl_context_baggage(const pawl_context *ctx, const char *key);
/** Tags are short labels for spans and logs: at most 64, 256 bytes each. */
PAWL_API pawl_status pawl_context_set_tag(pawl_context *ctx, const char *key, const char *value, pawl_error **err);
PAWL_API const char *pawl_context_tag(const pawl_context *ctx, const char *key);
/** Metadata are values for the nodes themselves: at most 64. @param value Referenced; NULL removes. */
PAWL_API pawl_status pawl_context_set_metadata(pawl_context *ctx, const char *key, pawl_value *value, pawl_error **err);
/** @return Borrowed. */
PAWL_API pawl_value *pawl_context_metadata(const pawl_context *ctx, const char *key);

/* ---- W3C propagation (Trace Context level 2, Baggage). Bad input is ignored as the standards say: no error. ---- */

/**
 * Takes over trace id, parent span id, flags, tracestate and baggage from headers, before the run.
 * @param traceparent, tracestate, baggage  Header values, each may be NULL. Several headers of one name: joined with
 * ',' for tracestate and baggage; two traceparent headers count as none.
 * @return Whether the trace was joined (a valid traceparent).
 */
PAWL_API bool pawl_context_extract(pawl_context *ctx, const char *traceparent, const char *tracestate,
                                   const char *baggage);
#define PAWL_TRACEPARENT_BYTES 56 /**< Text and NUL. */
/** Writes the traceparent for a call made by the node that runs. @param ret_text At least PAWL_TRACEPARENT_BYTES. */
PAWL_API void pawl_context_traceparent(pawl_context *ctx, char *ret_text);
/** @return Borrowed tracestate header text, "" for none. */
PAWL_API const char *pawl_context_tracestate(const pawl_context *ctx);
/** @return New text of the baggage header, released with free(); "" for none; NULL without memory. */
PAWL_API PAWL_NODISCARD char *pawl_context_baggage_header(const pawl_context *ctx);

/* ---- Time and cancellation ---- */

/** @return Now on the runtime's monotonic clock. */
PAWL_API uint64_t pawl_context_now(const pawl_context *ctx);
/** @return Uniform 64 random bits from the runtime's generator. */
PAWL_API uint64_t pawl_context_random(pawl_context *ctx);
/** Shortens the deadline of a root context before its run; a later one than there is changes nothing. */
PAWL_API pawl_status pawl_context_set_deadline(pawl_context *ctx, uint64_t deadline_ns, pawl_error **err);
/** The same, counted from now. */
PAWL_API pawl_status pawl_context_set_timeout(pawl_context *ctx, uint64_t timeout_ns, pawl_error **err);
/** @return Absolute deadline, PAWL_NEVER for none. */
PAWL_API uint64_t pawl_context_deadline(const pawl_context *ctx);
/** @return Time left, 0 when passed, PAWL_NEVER without a deadline. */
PAWL_API uint64_t pawl_context_remaining(const pawl_context *ctx);

/**
 * Cancels the scope and everything beneath it up to the next shield: sticky, the first reason wins. Wakes what waits
 * and calls the callbacks, on this thread.
 * @param text  Copied and kept for the error's message (a root's scope only); NULL allowed.
 */
PAWL_API void pawl_context_cancel(pawl_context *ctx, pawl_cancel_reason reason, const char *text);
/** @return Reason, PAWL_CANCEL_DEADLINE when the deadline has passed (reads the clock), PAWL_CANCEL_NONE while it may
 * go on. */
PAWL_API pawl_cancel_reason pawl_context_cancelled(const pawl_context *ctx);
/** @return PAWL_OK, or PAWL_E_CANCELLED / PAWL_E_DEADLINE with an error that says why. */
PAWL_API pawl_status pawl_context_check(const pawl_context *ctx, pawl_error **err);

/** Runs at most once, on the cancelling thread (the watchdog's for a deadline), or at once in the registering call when
 * the scope is already cancelled. Must not block. May call any function here, pawl_context_off_cancel() of itself
 * included. */
typedef void (*pawl_cancel_callback)(void *user, pawl_cancel_reason reason);

/** Storage of one registration: the caller's, untouched until pawl_context_off_cancel() has returned. Fields are
 * private. */
typedef struct pawl_cancel_registration {
    struct pawl_cancel_registration *prev_, *next_;
    pawl_context *ctx_;
    pawl_cancel_callback callback_;
    void *user_;
    uint64_t thread_; /**< Which thread runs the callback now. */
    uint64_t state_;
    struct pawl_cancel_registration *watch_prev_, *watch_next_;
} pawl_cancel_registration;

/**
 * Asks for a call when the scope is cancelled or its deadline passes. Race-free.
 * @param user  Borrowed until unregistered.
 * @return PAWL_E_UNSUPPORTED when a deadline needs the watchdog thread and it cannot be started, PAWL_E_INVALID when it
 * would need it after the runtime was shut down, or for a NULL argument other than user; nothing is registered then.
 */
PAWL_API pawl_status pawl_context_on_cancel(pawl_context *ctx, pawl_cancel_registration *registration,
                                            pawl_cancel_callback callback, void *user, pawl_error **err);
/** Takes the registration back and waits for a callback that is running, unless called from inside it. Once per
 * registration; NULL and one that was refused are allowed. */
PAWL_API void pawl_context_off_cancel(pawl_cancel_registration *registration);

/* ---- Waiting inside a blocking leaf. All end within about a millisecond of a cancel, with PAWL_E_CANCELLED or
 * PAWL_E_DEADLINE. In an inline leaf or on the loop's thread they return PAWL_E_INVALID at once. ---- */

PAWL_API pawl_status pawl_context_sleep(pawl_context *ctx, uint64_t duration_ns, pawl_error **err);
/**
 * Waits until a descriptor is ready.
 * @param events      POLLIN, POLLOUT, ... as for poll().
 * @param timeout_ns  Own limit: PAWL_E_TIMEOUT when it passes; PAWL_UNLIMITED for the scope's alone.
 * @param ret_events  What poll() reported; may be NULL.
 */
PAWL_API pawl_status pawl_context_wait_fd(pawl_context *ctx, int fd, short events, uint64_t timeout_ns,
                                          short *ret_events, pawl_error **err);
/**
 * Waits for a child process of the caller's and reaps it. The process is not killed: on PAWL_E_CANCELLED and
 * PAWL_E_DEADLINE it still runs. PAWL_E_NOT_FOUND when it is no child, or reaped already.
 * @param ret_status  As from waitpid().
 */
PAWL_API pawl_status pawl_context_wait_child(pawl_context *ctx, pid_t pid, int *ret_status, pawl_error **err);

/* ---- Shared state of the run: one map, immutable values, last write wins, at most 1,024 keys (PAWL_E_LIMIT). ---- */

/** @param value Referenced; NULL removes the key. */
PAWL_API pawl_status pawl_context_set_state(pawl_context *ctx, const char *key, pawl_value *value, pawl_error **err);
/** @return New reference, NULL when absent. */
PAWL_API PAWL_NODISCARD pawl_value *pawl_context_state(pawl_context *ctx, const char *key);
/** @param current Borrowed, NULL when absent. @return New reference to the new value, NULL to leave it. Called under
 * the state's lock: short, and it must not touch the state. */
typedef pawl_value *(*pawl_state_update)(void *user, pawl_value *current);
PAWL_API pawl_status pawl_context_state_update(pawl_context *ctx, const char *key, pawl_state_update update, void *user,
                                               pawl_error **err);

/* ---- Checkpoints: the last 256, by explicit call only. ---- */

typedef struct pawl_checkpoint {
    uint64_t time_ns; /**< Monotonic. */
    char name[56];    /**< Cut to 55 bytes. */
} pawl_checkpoint;

PAWL_API void pawl_context_checkpoint(pawl_context *ctx, const char *name);
/** Copies the newest checkpoints, oldest first. @return How many were ever made; at most capacity are copied. */
PAWL_API size_t pawl_context_checkpoints(pawl_context *ctx, pawl_checkpoint *ret_items, size_t capacity);

PAWL_END_DECLS
#endif
