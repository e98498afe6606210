/* What an execution hides: values of its environment that are secret, and both in its result. */
#ifndef PAWL_EXECUTION_REDACTION_H
#define PAWL_EXECUTION_REDACTION_H

#include <pawl/integrations/sandbox.h>

#include "redact_internal.h"

/* Adds the values of the variables that have one of these names. *secrets is made when the first is found. who begins
 * the messages. */
pawl_status pawl_secret_env_add(const pawl_execution_request *request, const char *const *names, uint64_t count,
                                const char *who, struct pawl_secrets **secrets, pawl_error **err);

/* As the sandbox kept them, before anything was hidden. */
struct pawl_kept_bytes {
    uint64_t out, err;
};

static inline struct pawl_kept_bytes pawl_kept_bytes_of(const pawl_execution_result *result) {
    return (struct pawl_kept_bytes){result->stdout_stream.bytes_kept, result->stderr_stream.bytes_kept};
}

/* pawl_execution_result_value() of a result in which something was hidden. */
pawl_value *pawl_execution_value(const pawl_execution_result *result, const struct pawl_kept_bytes *kept);

/* Hides in streams, error and files; files that are no text stay. False without memory: the result must not be shown.
 */
bool pawl_execution_result_redact(pawl_execution_result *result, const struct pawl_redaction *redaction);

/* The last bytes of a stream, at most `most`, with everything hidden; released with free(), NULL without memory. */
char *pawl_redacted_tail(const pawl_execution_stream *stream, const struct pawl_redaction *redaction, size_t most);

#endif
