/* One execution as an audit record; pawl/integrations/audit.h says what is in it. */
#include "audit_internal.h"
#include "engine_internal.h"
#include "execution/digest_internal.h"
#include "execution/json_writer_internal.h"
#include "redact_internal.h"
#include "utf8_internal.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void hex(const uint8_t *bytes, size_t length, char *ret_text) {
    for (size_t i = 0; i < length; i++)
        snprintf(ret_text + 2 * i, 3, "%02x", bytes[i]);
}

void pawl_audit_time_text(uint64_t unix_ns, char ret_text[PAWL_AUDIT_TIME_BYTES]) {
    time_t seconds = (time_t)(unix_ns / PAWL_S(1));
    struct tm utc;
    char date[20];
    gmtime_r(&seconds, &utc);
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(ret_text, PAWL_AUDIT_TIME_BYTES, "%s.%09uZ", date, (unsigned)(unix_ns % PAWL_S(1)));
}

/* ---- parts ---- */

/* Requests may come from C, where nobody checked that they are UTF-8, or there at all. */
static cJSON *text(const char *bytes, size_t length) {
    char *clean = pawl_utf8_lossy(bytes, length, NULL);
    cJSON *item = clean ? cJSON_CreateString(clean) : NULL;
    free(clean);
    return item;
}

static cJSON *text_to(const char *bytes, const char *stop) {
    return text(bytes ? bytes : "", bytes ? strcspn(bytes, stop) : 0);
}

static cJSON *hex_or_null(const uint8_t *bytes, size_t length) {
    char digits[33] = "";
    bool any = false;
    for (size_t i = 0; i < length; i++)
        any |= bytes[i] != 0;
    hex(bytes, length, digits);
    return any ? cJSON_CreateString(digits) : cJSON_CreateNull();
}

static void add_time(struct json_writer *w, cJSON *root, pawl_runtime *runtime) {
    char time[PAWL_AUDIT_TIME_BYTES];
    pawl_runtime_refresh_wall_offset(runtime);
    pawl_audit_time_text(pawl_runtime_now(runtime) + (uint64_t)pawl_runtime_wall_offset(runtime), time);
    json_add(w, root, "time", cJSON_CreateString(time));
}

static void add_ids(struct json_writer *w, cJSON *root, pawl_context *ctx) {
    uint8_t trace[16], span[8];
    pawl_context_trace_id(ctx, trace);
    pawl_context_span_id(ctx, span);
    json_add(w, root, "trace_id", hex_or_null(trace, sizeof trace));
    json_add(w, root, "span_id", hex_or_null(span, sizeof span));
    json_add(w, root, "correlation_id", json_text_or_null(pawl_context_id(ctx, PAWL_ID_CORRELATION)));
    json_add(w, root, "causation_id", json_text_or_null(pawl_context_id(ctx, PAWL_ID_CAUSATION)));
    json_add(w, root, "workflow_id", json_text_or_null(pawl_context_id(ctx, PAWL_ID_WORKFLOW)));
    json_add(w, root, "session_id", json_text_or_null(pawl_context_id(ctx, PAWL_ID_SESSION)));
}

static void add_code(struct json_writer *w, cJSON *root, const pawl_execution_request *request) {
    char digest[PAWL_SHA256_HEX_BYTES];
    cJSON *code = json_add_object(w, root, "code");
    uint64_t length = request->code ? request->code_length : 0;
    pawl_sha256_hex(length ? request->code : "", (size_t)length, digest);
    json_add(w, code, "sha256", cJSON_CreateString(digest));
    json_add(w, code, "bytes", json_number(length));
}

/* Each up to a character of stop. */
static void add_texts(struct json_writer *w, cJSON *root, const char *name, const char *const *texts, uint64_t count,
                      const char *stop) {
    cJSON *array = json_add_array(w, root, name);
    for (uint64_t i = 0; texts && i < count; i++)
        json_append(w, array, text_to(texts[i], stop));
}

static void add_request(struct json_writer *w, cJSON *root, const pawl_execution_request *request) {
    json_add(w, root, "language", text_to(request->language, ""));
    add_code(w, root, request);
    cJSON *files = json_add_array(w, root, "files");
    for (uint64_t i = 0; request->files && i < request->file_count; i++)
        json_append(w, files, text_to(request->files[i].path, ""));
    add_texts(w, root, "env", request->env, request->env_count, "=");
    add_texts(w, root, "install", request->install, request->install_count, "");
}

static void add_result(struct json_writer *w, cJSON *root, const pawl_execution_result *result) {
    bool exited = result && result->exit_status >= 0, signalled = result && result->signal != 0;
    json_add(w, root, "exit_status", exited ? cJSON_CreateNumber((double)result->exit_status) : cJSON_CreateNull());
    json_add(w, root, "signal", signalled ? cJSON_CreateNumber((double)result->signal) : cJSON_CreateNull());
    json_add(w, root, "tier", json_text_or_null(result ? result->tier : NULL));
    json_add(w, root, "sandbox_id", json_text_or_null(result ? result->sandbox_id : NULL));
    if (result)
        pawl_execution_add_limits(w, root, result);
    else
        json_add(w, root, "limits", cJSON_CreateNull());
}

static void add_ending(struct json_writer *w, cJSON *root, const struct pawl_execution *execution,
                       const struct pawl_audit_ending *ending) {
    const pawl_execution_result *result = ending->result;
    const char *outcome = ending->is_end ? pawl_execution_ending_word(ending->status, result) : NULL;
    const char *error = ending->error ? pawl_error_message(ending->error) : NULL;
    json_add(w, root, "outcome", json_text_or_null(outcome));
    json_add(w, root, "error", json_text_or_null(error));
    add_result(w, root, result);
    uint64_t took = pawl_context_now(execution->ctx) - execution->start_ns;
    json_add(w, root, "duration", ending->is_end ? json_seconds(took) : cJSON_CreateNull());
    json_add(w, root, "cpu",
             result ? json_seconds(result->resources.user_cpu_ns + result->resources.system_cpu_ns)
                    : cJSON_CreateNull());
}

static void add_all(struct json_writer *w, cJSON *root, const struct pawl_execution *execution,
                    const struct pawl_audit_ending *ending, const char *subject_tag) {
    char id[17];
    snprintf(id, sizeof id, "%016" PRIx64, execution->id);
    json_add(w, root, "version", json_number(1));
    json_add(w, root, "event", cJSON_CreateString(ending->is_end ? "end" : "begin"));
    json_add(w, root, "execution", cJSON_CreateString(id));
    add_time(w, root, pawl_context_runtime(execution->ctx));
    json_add(w, root, "subject", json_text_or_null(pawl_context_tag(execution->ctx, subject_tag)));
    add_ids(w, root, execution->ctx);
    json_add(w, root, "node", json_text_or_null(*execution->node ? execution->node : NULL));
    json_add(w, root, "provider", cJSON_CreateString(execution->provider));
    add_request(w, root, execution->request);
    add_ending(w, root, execution, ending);
}

char *pawl_audit_record(const struct pawl_execution *execution, const struct pawl_audit_ending *ending,
                        const char *subject_tag) {
    struct json_writer w = {false};
    cJSON *root = cJSON_CreateObject();
    if (!root)
        return NULL;
    add_all(&w, root, execution, ending, subject_tag);
    if (w.failed) {
        cJSON_Delete(root);
        return NULL;
    }
    const struct pawl_redaction redaction = pawl_redaction_of(pawl_context_runtime(execution->ctx), true);
    pawl_value *record = pawl_value_take(root), *clean = pawl_redact_value(&redaction, record);
    char *line = clean ? pawl_value_print(clean) : NULL;
    pawl_value_unref(clean);
    pawl_value_unref(record);
    return line;
}
