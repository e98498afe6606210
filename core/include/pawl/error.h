/** @file pawl/error.h  @brief Status codes to branch on, and an error object with the sentence, the path and the cause.
 *
 * An error is immutable and counted: it may cross threads and be kept. It is never thread-local and never printed by
 * the library. Running out of memory while an error is made yields a static error that needs none.
 */
#ifndef PAWL_ERROR_H
#define PAWL_ERROR_H

#include <pawl/base.h>
#include <stdarg.h>

PAWL_BEGIN_DECLS

typedef enum pawl_status {
    PAWL_OK = 0,
    PAWL_E_FAILED,       /**< A user's node says it failed; retryable as it says. */
    PAWL_E_UNAVAILABLE,  /**< Transient: connection refused or lost, helper or sandbox lost before anything ran. */
    PAWL_E_RATE_LIMITED, /**< The other side asks for patience; carries retry-after. */
    PAWL_E_REJECTED,     /**< A limiter, breaker, bulkhead or budget said no: nothing started. */
    PAWL_E_TIMEOUT,      /**< This scope's own limit passed, and the work has ended. */
    PAWL_E_DEADLINE,     /**< An outer limit; the last error is the cause. */
    PAWL_E_CANCELLED,    /**< Cancelled, with a reason. */
    PAWL_E_EXHAUSTED,    /**< Attempts or rounds used up; the last error is the cause. */
    PAWL_E_INVALID,      /**< Bad argument, option, input or pipeline. */
    PAWL_E_DENIED,       /**< Credentials or policy. */
    PAWL_E_NOT_FOUND,    /**< No such thing. */
    PAWL_E_PROTOCOL,     /**< The other side sent nonsense or stopped in the middle. */
    PAWL_E_LIMIT,        /**< A bound on size, depth or count. */
    PAWL_E_UNSUPPORTED,  /**< This machine or provider lacks it; the message says what. */
    PAWL_E_NOMEM,        /**< Out of memory. */
    PAWL_E_INTERNAL,     /**< Our bug, or a status that is none. */
} pawl_status;

/** How a failure behaves over time; policies judge by it. PAWL_CLASS_DEFAULT: what the status implies. */
typedef enum pawl_class {
    PAWL_CLASS_DEFAULT = 0,
    PAWL_CLASS_TRANSIENT, /**< May pass by itself: worth a retry. */
    PAWL_CLASS_THROTTLED, /**< Asked to slow down: worth a retry, later. */
    PAWL_CLASS_SERVER,    /**< The other side broke: worth a retry. */
    PAWL_CLASS_PERMANENT, /**< The same again would fail the same way. */
} pawl_class;

/** Whether the failed work may have had effects. */
typedef enum pawl_started {
    PAWL_STARTED_MAYBE = 0,
    PAWL_STARTED_NO,
    PAWL_STARTED_YES,
} pawl_started;

/** Why a scope was cancelled. The first reason wins. */
typedef enum pawl_cancel_reason {
    PAWL_CANCEL_NONE = 0,
    PAWL_CANCEL_USER,
    PAWL_CANCEL_TIMEOUT,        /**< An own limit inside. */
    PAWL_CANCEL_DEADLINE,       /**< An outer limit. */
    PAWL_CANCEL_SIBLING_FAILED, /**< A branch beside it failed. */
    PAWL_CANCEL_LOST_RACE,      /**< A branch beside it won. */
    PAWL_CANCEL_SHUTDOWN,       /**< The runtime is being destroyed. */
    PAWL_CANCEL_QUOTA,          /**< A budget is used up. */
} pawl_cancel_reason;

typedef struct pawl_error pawl_error;

/** Everything an error may carry beside its sentence. Zero means "not said". A chain of causes longer than 32 loses the
 *  newest causes, never the root one. */
typedef struct pawl_error_info {
    size_t size;        /**< sizeof(pawl_error_info). */
    pawl_status status; /**< Required, not PAWL_OK. */
    pawl_class failure_class;
    pawl_started started;
    pawl_cancel_reason reason;
    uint64_t retry_after_ns; /**< Lower bound of the wait before another try. */
    pawl_error *cause;       /**< Taken. */
} pawl_error_info;

/** @return Static name of the code as written in C, e.g. "PAWL_E_TIMEOUT"; "PAWL_E_?" for an unknown number. */
PAWL_API const char *pawl_status_name(pawl_status status);
/** @return Static lower-case word for spans, metrics and JSON, e.g. "timeout"; "ok" for PAWL_OK; "unknown" for an
 * unknown number. */
PAWL_API const char *pawl_status_word(pawl_status status);
/** @return Static lower-case word, e.g. "sibling_failed"; "none" and "unknown" likewise. */
PAWL_API const char *pawl_cancel_reason_word(pawl_cancel_reason reason);

/**
 * Makes an error with a message and stores it: `return pawl_error_set(err, PAWL_E_INVALID, "...")`.
 * @param err     NULL: nothing is made. An error already there is released and replaced.
 * @param status  Not PAWL_OK (it and unknown numbers are taken as PAWL_E_INTERNAL).
 * @param format  printf format; the message is copied and cut at 1,023 bytes, never inside a UTF-8 character. Bytes
 * that are no UTF-8 become U+FFFD. Arguments may point into the error that is replaced.
 * @return status (as taken), so that it can be returned at once.
 */
PAWL_API pawl_status pawl_error_set(pawl_error **err, pawl_status status, const char *format, ...) PAWL_PRINTF(3, 4);
/** The same with a cause. @param cause Taken, also when err is NULL; NULL allowed. It may be *err, which moves then. */
PAWL_API pawl_status pawl_error_wrap(pawl_error **err, pawl_status status, pawl_error *cause, const char *format, ...)
    PAWL_PRINTF(4, 5);
/** The same with everything an error can carry. @param info Copied; info->cause is taken. */
PAWL_API pawl_status pawl_error_set_info(pawl_error **err, const pawl_error_info *info, const char *format, ...)
    PAWL_PRINTF(3, 4);

/** @return error, a new reference. NULL allowed. Any thread. */
PAWL_API pawl_error *pawl_error_ref(pawl_error *error);
/** Gives one reference back. NULL allowed. Any thread. @return NULL, to be assigned. */
PAWL_API pawl_error *pawl_error_unref(pawl_error *error);

/* Readers. Strings and causes are borrowed and live as long as the error. A NULL error reads as PAWL_OK and "". */
PAWL_API pawl_status pawl_error_status(const pawl_error *error);
PAWL_API const char *pawl_error_message(const pawl_error *error);
/** @return Names of the nodes from the pipeline's root to the one that failed, joined by '/'; "" when made outside a
 * run. */
PAWL_API const char *pawl_error_path(const pawl_error *error);
PAWL_API const pawl_error *pawl_error_cause(const pawl_error *error);
/** @return The class given, or the status's own (docs/errors.md); PAWL_CLASS_DEFAULT only for NULL. */
PAWL_API pawl_class pawl_error_class(const pawl_error *error);
PAWL_API pawl_started pawl_error_started(const pawl_error *error);
PAWL_API pawl_cancel_reason pawl_error_cancel_reason(const pawl_error *error);
PAWL_API uint64_t pawl_error_retry_after_ns(const pawl_error *error);
/** @return Whether trying again can help: by class, where none was said by status (docs/errors.md); never for a
 * cancelled scope or an outer deadline. */
PAWL_API bool pawl_error_is_retryable(const pawl_error *error);
/**
 * Writes "path: message; caused by: ..." with all causes.
 * @return Length of the whole text in bytes; what does not fit is cut and the buffer always ends in NUL (snprintf's
 * rule).
 */
PAWL_API size_t pawl_error_describe(const pawl_error *error, char *buffer, size_t size);

PAWL_END_DECLS
#endif
