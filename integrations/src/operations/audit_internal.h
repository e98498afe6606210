/* Between the files of the audit log. */
#ifndef PAWL_AUDIT_INTERNAL_H
#define PAWL_AUDIT_INTERNAL_H

#include "execution/watch_internal.h"

#define PAWL_AUDIT_TIME_BYTES 32 /* "2026-11-29T20:50:48.123456789Z" and NUL */

/* RFC 3339 in UTC, nanoseconds since the Unix epoch. */
void pawl_audit_time_text(uint64_t unix_ns, char ret_text[PAWL_AUDIT_TIME_BYTES]);

/* How an execution ended; of a begin record status is PAWL_OK and result NULL. */
struct pawl_audit_ending {
    bool is_end;
    pawl_status status;
    const pawl_execution_result *result;
    const pawl_error *error;
};
/* The record without seq: "{...}", secrets hidden; released with free(). NULL without memory. */
char *pawl_audit_record(const struct pawl_execution *execution, const struct pawl_audit_ending *ending,
                        const char *subject_tag);

#endif
