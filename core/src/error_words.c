/* What each status and reason is called, and what a status says about time. */
#include "error_internal.h"

#define STATUSES(X)                                                                                                    \
    X(PAWL_OK, "ok", DEFAULT)                                                                                          \
    X(PAWL_E_FAILED, "failed", PERMANENT)                                                                              \
    X(PAWL_E_UNAVAILABLE, "unavailable", TRANSIENT)                                                                    \
    X(PAWL_E_RATE_LIMITED, "rate_limited", THROTTLED)                                                                  \
    X(PAWL_E_REJECTED, "rejected", TRANSIENT)                                                                          \
    X(PAWL_E_TIMEOUT, "timeout", TRANSIENT)                                                                            \
    X(PAWL_E_DEADLINE, "deadline", PERMANENT)                                                                          \
    X(PAWL_E_CANCELLED, "cancelled", PERMANENT)                                                                        \
    X(PAWL_E_EXHAUSTED, "exhausted", PERMANENT)                                                                        \
    X(PAWL_E_INVALID, "invalid", PERMANENT)                                                                            \
    X(PAWL_E_DENIED, "denied", PERMANENT)                                                                              \
    X(PAWL_E_NOT_FOUND, "not_found", PERMANENT)                                                                        \
    X(PAWL_E_PROTOCOL, "protocol", PERMANENT)                                                                          \
    X(PAWL_E_LIMIT, "limit", PERMANENT)                                                                                \
    X(PAWL_E_UNSUPPORTED, "unsupported", PERMANENT)                                                                    \
    X(PAWL_E_NOMEM, "nomem", PERMANENT)                                                                                \
    X(PAWL_E_INTERNAL, "internal", PERMANENT)

static const struct status_row {
    const char *name, *word;
    pawl_class failure_class;
} rows[] = {
#define ROW(status, word, failure_class) [status] = {#status, word, PAWL_CLASS_##failure_class},
    STATUSES(ROW)
#undef ROW
};
#define ROWS (sizeof rows / sizeof *rows)

_Static_assert(ROWS == PAWL_E_INTERNAL + 1, "a status has no row");

static bool is_known(pawl_status status) {
    return (unsigned)status < ROWS;
}

const char *pawl_status_name(pawl_status status) {
    return is_known(status) ? rows[status].name : "PAWL_E_?";
}

const char *pawl_status_word(pawl_status status) {
    return is_known(status) ? rows[status].word : "unknown";
}

pawl_class pawl_status_class(pawl_status status) {
    return is_known(status) ? rows[status].failure_class : PAWL_CLASS_PERMANENT;
}

const char *pawl_cancel_reason_word(pawl_cancel_reason reason) {
    static const char *const words[] = {
        [PAWL_CANCEL_NONE] = "none",
        [PAWL_CANCEL_USER] = "user",
        [PAWL_CANCEL_TIMEOUT] = "timeout",
        [PAWL_CANCEL_DEADLINE] = "deadline",
        [PAWL_CANCEL_SIBLING_FAILED] = "sibling_failed",
        [PAWL_CANCEL_LOST_RACE] = "lost_race",
        [PAWL_CANCEL_SHUTDOWN] = "shutdown",
        [PAWL_CANCEL_QUOTA] = "quota",
    };
    return (unsigned)reason < sizeof words / sizeof *words ? words[reason] : "unknown";
}

pawl_class pawl_failure_class(pawl_status status, pawl_class given, pawl_started started) {
    if (given != PAWL_CLASS_DEFAULT)
        return given;
    if (status == PAWL_E_PROTOCOL && started == PAWL_STARTED_NO)
        return PAWL_CLASS_TRANSIENT;
    return pawl_status_class(status);
}

bool pawl_failure_is_retryable(pawl_status status, pawl_class given, pawl_started started) {
    switch (status) {
    case PAWL_OK:
    case PAWL_E_CANCELLED: /* the scope is over, whatever the class says */
    case PAWL_E_DEADLINE:
        return false;
    default:
        return pawl_failure_class(status, given, started) != PAWL_CLASS_PERMANENT;
    }
}
