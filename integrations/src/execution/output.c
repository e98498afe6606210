/* A result as the node's output: see execution.h for its shape. */
#include <cjson/cJSON.h>
#include <pawl/integrations/execution.h>
#include <stdlib.h>
#include <string.h>

#include "base64_internal.h"
#include "json_writer_internal.h"
#include "redaction_internal.h"
#include "sandbox_internal.h"
#include "utf8_internal.h"

/* A JSON string that takes over text; a stream may be large, and cJSON would copy it. */
static cJSON *string_taking(char *text) {
    cJSON *item = text ? cJSON_CreateNull() : NULL;
    if (!item) {
        free(text);
        return NULL;
    }
    item->type = cJSON_String;
    item->valuestring = text;
    return item;
}

static cJSON *lossy(const char *bytes, uint64_t length) {
    return string_taking(pawl_utf8_lossy(bytes, (size_t)length, NULL));
}

static cJSON *base64(const char *bytes, uint64_t length) {
    return string_taking(pawl_base64_encode_new(bytes, (size_t)length));
}

static bool is_text(const char *bytes, uint64_t length) {
    return pawl_utf8_valid(bytes, (size_t)length) == length && !memchr(bytes, 0, (size_t)length);
}

/* ---- parts ---- */

void pawl_execution_add_names(struct json_writer *w, cJSON *object, const char *name, const char *names) {
    cJSON *array = json_add_array(w, object, name);
    while (names && *names) {
        size_t length = strcspn(names, ",");
        json_append(w, array, lossy(names, length));
        names += length;
        names += strspn(names, ", ");
    }
}

static void add_logs(struct json_writer *w, cJSON *root, const pawl_execution_result *result) {
    cJSON *logs = json_add_object(w, root, "logs");
    cJSON *out = json_add_array(w, logs, "stdout"), *err = json_add_array(w, logs, "stderr");
    if (result->stdout_stream.bytes_kept > 0)
        json_append(w, out, lossy(result->stdout_stream.bytes, result->stdout_stream.bytes_kept));
    if (result->stderr_stream.bytes_kept > 0)
        json_append(w, err, lossy(result->stderr_stream.bytes, result->stderr_stream.bytes_kept));
}

static void add_error(struct json_writer *w, cJSON *root, const pawl_execution_result *result) {
    const char *word = pawl_execution_outcome_word((pawl_execution_outcome)result->outcome);
    if (result->outcome == PAWL_EXECUTION_OK) {
        json_add(w, root, "error", cJSON_CreateNull());
        return;
    }
    bool uncaught = result->error_name &&
                    (result->outcome == PAWL_EXECUTION_EXCEPTION || result->outcome == PAWL_EXECUTION_CHECK_FAILED);
    const char *detail = result->detail ? result->detail : "";
    cJSON *error = json_add_object(w, root, "error");
    json_add(w, error, "name", cJSON_CreateString(uncaught ? result->error_name : word));
    json_add(w, error, "value",
             cJSON_CreateString(uncaught ? (result->error_value ? result->error_value : "") : detail));
    json_add(w, error, "traceback", json_text_or_null(result->traceback));
}

static void add_timings(struct json_writer *w, cJSON *root, const pawl_execution_timings *timings) {
    cJSON *object = json_add_object(w, root, "timings");
    json_add(w, object, "queue", json_seconds(timings->queue_ns));
    json_add(w, object, "create", json_seconds(timings->create_ns));
    json_add(w, object, "run", json_seconds(timings->run_ns));
    json_add(w, object, "collect", json_seconds(timings->collect_ns));
    json_add(w, object, "total", json_seconds(timings->total_ns));
}

static void add_resources(struct json_writer *w, cJSON *root, const pawl_execution_resources *resources) {
    cJSON *object = json_add_object(w, root, "resources");
    json_add(w, object, "user_cpu", json_seconds(resources->user_cpu_ns));
    json_add(w, object, "system_cpu", json_seconds(resources->system_cpu_ns));
    json_add(w, object, "max_rss_bytes", json_number(resources->max_rss_bytes));
    json_add(w, object, "processes", json_number(resources->processes));
}

static void add_stream(struct json_writer *w, cJSON *bytes, const char *name, const pawl_execution_stream *stream,
                       uint64_t kept) {
    cJSON *object = json_add_object(w, bytes, name);
    json_add(w, object, "seen", json_number(stream->bytes_seen));
    json_add(w, object, "kept", json_number(kept));
    if (!is_text(stream->bytes, stream->bytes_kept))
        json_add(w, object, "base64", base64(stream->bytes, stream->bytes_kept));
}

static void add_file(struct json_writer *w, cJSON *files, const pawl_collected_file *file) {
    cJSON *object = json_add_object(w, files, file->path);
    json_add(w, object, "kind", cJSON_CreateString(pawl_collected_kind_word((pawl_collected_kind)file->kind)));
    json_add(w, object, "size", json_number(file->size));
    json_add(w, object, "mode", json_number(file->mode));
    if (file->kind != PAWL_COLLECTED_FILE && file->kind != PAWL_COLLECTED_SYMLINK)
        return;
    if (is_text(file->bytes, file->length))
        json_add(w, object, "text", lossy(file->bytes, file->length));
    else
        json_add(w, object, "base64", base64(file->bytes, file->length));
}

void pawl_execution_add_limits(struct json_writer *w, cJSON *root, const pawl_execution_result *result) {
    pawl_execution_limits limits = result->limits;
    cJSON *object = json_add_object(w, root, "limits");
    for (pawl_limit i = 0; i < PAWL_LIMIT_COUNT_; i++) {
        uint64_t value = *pawl_limits_at(&limits, i);
        bool in_seconds = i == PAWL_LIMIT_WALL || i == PAWL_LIMIT_CPU;
        cJSON *limit = json_add_object(w, object, pawl_limit_name(i));
        json_add(w, limit, "limit",
                 value == PAWL_UNLIMITED ? cJSON_CreateNull()
                 : in_seconds            ? json_seconds(value)
                                         : json_number(value));
        json_add(w, limit, "enforced",
                 cJSON_CreateString(pawl_enforcement_word((pawl_enforcement)result->enforced[i])));
    }
}

static void add_all(struct json_writer *w, cJSON *root, const pawl_execution_result *result,
                    const struct pawl_kept_bytes *kept) {
    json_add(w, root, "success", cJSON_CreateBool(result->outcome == PAWL_EXECUTION_OK));
    json_add(w, root, "outcome",
             cJSON_CreateString(pawl_execution_outcome_word((pawl_execution_outcome)result->outcome)));
    json_add(w, root, "output", lossy(result->stdout_stream.bytes, result->stdout_stream.bytes_kept));
    add_logs(w, root, result);
    add_error(w, root, result);
    json_add_array(w, root, "results");
    json_add(w, root, "exit_status",
             result->exit_status < 0 ? cJSON_CreateNull() : cJSON_CreateNumber((double)result->exit_status));
    json_add(w, root, "signal", result->signal == 0 ? cJSON_CreateNull() : cJSON_CreateNumber((double)result->signal));
    json_add(w, root, "execution_time", json_seconds(result->timings.run_ns));
    json_add(w, root, "sandbox_id", json_text_or_null(result->sandbox_id));
    json_add(w, root, "tier", cJSON_CreateString(result->tier));
    pawl_execution_add_names(w, root, "mechanisms", result->mechanisms);
    add_timings(w, root, &result->timings);
    add_resources(w, root, &result->resources);
    cJSON *bytes = json_add_object(w, root, "bytes");
    add_stream(w, bytes, "stdout", &result->stdout_stream, kept->out);
    add_stream(w, bytes, "stderr", &result->stderr_stream, kept->err);
    json_add(w, root, "truncated", cJSON_CreateBool(result->truncated != 0));
    cJSON *files = json_add_object(w, root, "files");
    for (uint64_t i = 0; i < result->file_count; i++)
        add_file(w, files, &result->files[i]);
    pawl_execution_add_limits(w, root, result);
    json_add(w, root, "version", json_number(1));
}

pawl_value *pawl_execution_value(const pawl_execution_result *result, const struct pawl_kept_bytes *kept) {
    struct json_writer writer = {false};
    cJSON *root = cJSON_CreateObject();
    if (!root)
        return NULL;
    add_all(&writer, root, result, kept);
    if (!writer.failed)
        return pawl_value_take(root);
    cJSON_Delete(root);
    return NULL;
}

pawl_value *pawl_execution_result_value(const pawl_execution_result *result) {
    if (!result)
        return NULL;
    const struct pawl_kept_bytes kept = pawl_kept_bytes_of(result);
    return pawl_execution_value(result, &kept);
}
