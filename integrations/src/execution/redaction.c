/* Hides secrets in what came of an execution. */
#include "redaction_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "utf8_internal.h"

#define TAIL_LOOKED_AT (64u << 10) /* enough to know that a line belongs to a private key */

/* ---- the environment ---- */

static bool is_named(const char *variable, size_t length, const char *const *names, uint64_t count) {
    for (uint64_t i = 0; i < count; i++)
        if (strlen(names[i]) == length && memcmp(names[i], variable, length) == 0)
            return true;
    return false;
}

pawl_status pawl_secret_env_add(const pawl_execution_request *request, const char *const *names, uint64_t count,
                                const char *who, struct pawl_secrets **secrets, pawl_error **err) {
    char text[512];
    for (uint64_t i = 0; i < request->env_count; i++) {
        const char *variable = request->env[i], *value = strchr(variable, '=');
        size_t length = value ? (size_t)(value - variable) : 0;
        if (!value || value[1] == '\0' || !is_named(variable, length, names, count))
            continue;
        if (!*secrets)
            *secrets = pawl_secrets_new();
        if (!*secrets)
            return pawl_error_set(err, PAWL_E_NOMEM, "%s: out of memory", who);
        snprintf(text, sizeof text, "%s: secret_env names '%.*s', which cannot be hidden", who,
                 length < 64 ? (int)length : 64, variable);
        pawl_status status = pawl_secrets_add(*secrets, value + 1, strlen(value + 1), text, err);
        if (status != PAWL_OK)
            return status;
    }
    return PAWL_OK;
}

/* ---- the result ---- */

static bool redact_bytes(const struct pawl_redaction *redaction, char **bytes, uint64_t *length) {
    char *hidden;
    size_t hidden_length = 0;
    if (!pawl_redact_text(redaction, *bytes, (size_t)*length, &hidden, &hidden_length))
        return false;
    if (!hidden)
        return true;
    free(*bytes);
    *bytes = hidden;
    *length = hidden_length;
    return true;
}

static bool redact_text(const struct pawl_redaction *redaction, char **text) {
    uint64_t length = *text ? strlen(*text) : 0;
    return !*text || redact_bytes(redaction, text, &length);
}

static bool redact_stream(const struct pawl_redaction *redaction, pawl_execution_stream *stream) {
    struct pawl_redaction with_cut = *redaction;
    with_cut.cut = stream->bytes_seen > stream->bytes_kept;
    return redact_bytes(&with_cut, &stream->bytes, &stream->bytes_kept);
}

static bool is_text(const pawl_collected_file *file) {
    return file->bytes && pawl_utf8_valid(file->bytes, (size_t)file->length) == file->length &&
           !memchr(file->bytes, 0, (size_t)file->length);
}

static bool redact_files(const struct pawl_redaction *redaction, pawl_execution_result *result) {
    struct pawl_redaction values = *redaction;
    values.shapes = false;
    for (uint64_t i = 0; i < result->file_count; i++) {
        pawl_collected_file *file = &result->files[i];
        if (is_text(file) && !redact_bytes(&values, &file->bytes, &file->length))
            return false;
    }
    return true;
}

bool pawl_execution_result_redact(pawl_execution_result *result, const struct pawl_redaction *redaction) {
    struct pawl_redaction with_cut = *redaction;
    with_cut.cut = true; /* these texts have bounds of their own */
    return redact_stream(redaction, &result->stdout_stream) && redact_stream(redaction, &result->stderr_stream) &&
           redact_text(&with_cut, &result->detail) && redact_text(&with_cut, &result->error_name) &&
           redact_text(&with_cut, &result->error_value) && redact_text(&with_cut, &result->traceback) &&
           redact_files(redaction, result);
}

char *pawl_redacted_tail(const pawl_execution_stream *stream, const struct pawl_redaction *redaction, size_t most) {
    size_t length = stream->bytes_kept < TAIL_LOOKED_AT ? (size_t)stream->bytes_kept : TAIL_LOOKED_AT;
    const char *from = stream->bytes + stream->bytes_kept - length;
    char *hidden;
    if (!pawl_redact_text(redaction, from, length, &hidden, &length))
        return NULL;
    from = hidden ? hidden : from;
    size_t shown = length < most ? length : most;
    char *tail = pawl_utf8_lossy(from + length - shown, shown, NULL);
    free(hidden);
    return tail;
}
