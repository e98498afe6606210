/* A result as the node's output: see execution.h for its shape. */
#include <cjson/cJSON.h>
#include <pawl/integrations/execution.h>
#include <stdlib.h>
#include <string.h>

#include "base64_internal.h"
#include "redaction_internal.h"
#include "sandbox_internal.h"
#include "utf8_internal.h"

/* Everything is added to one tree; what fails to be made is remembered and the tree thrown away at the end. */
struct writer {
    bool failed;
};

static cJSON *made(struct writer *w, cJSON *item) {
    w->failed |= !item;
    return item;
}

static void add(struct writer *w, cJSON *object, const char *name, cJSON *item) {
    if (!made(w, item))
        return;
    if (!object || !cJSON_AddItemToObject(object, name, item)) {
        w->failed = true;
        cJSON_Delete(item);
    }
}

static void append(struct writer *w, cJSON *array, cJSON *item) {
    if (!made(w, item))
        return;
    if (!array || !cJSON_AddItemToArray(array, item)) {
        w->failed = true;
        cJSON_Delete(item);
    }
}

static cJSON *add_object(struct writer *w, cJSON *object, const char *name) {
    cJSON *item = cJSON_CreateObject();
    add(w, object, name, item);
    return w->failed ? NULL : item;
}

static cJSON *add_array(struct writer *w, cJSON *object, const char *name) {
    cJSON *item = cJSON_CreateArray();
    add(w, object, name, item);
    return w->failed ? NULL : item;
}

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

static cJSON *seconds(uint64_t ns) {
    return cJSON_CreateNumber((double)ns / 1e9);
}

static cJSON *number(uint64_t value) {
    return cJSON_CreateNumber((double)value);
}

static cJSON *text_or_null(const char *text) {
    return text ? cJSON_CreateString(text) : cJSON_CreateNull();
}

static bool is_text(const char *bytes, uint64_t length) {
    return pawl_utf8_valid(bytes, (size_t)length) == length && !memchr(bytes, 0, (size_t)length);
}

/* "a, b, c" as an array. */
static void add_names(struct writer *w, cJSON *object, const char *name, const char *names) {
    cJSON *array = add_array(w, object, name);
    while (names && *names) {
        size_t length = strcspn(names, ",");
        append(w, array, lossy(names, length));
        names += length;
        names += strspn(names, ", ");
    }
}

/* ---- parts ---- */

static void add_logs(struct writer *w, cJSON *root, const pawl_execution_result *result) {
    cJSON *logs = add_object(w, root, "logs");
    cJSON *out = add_array(w, logs, "stdout"), *err = add_array(w, logs, "stderr");
    if (result->stdout_stream.bytes_kept > 0)
        append(w, out, lossy(result->stdout_stream.bytes, result->stdout_stream.bytes_kept));
    if (result->stderr_stream.bytes_kept > 0)
        append(w, err, lossy(result->stderr_stream.bytes, result->stderr_stream.bytes_kept));
}

static void add_error(struct writer *w, cJSON *root, const pawl_execution_result *result) {
    const char *word = pawl_execution_outcome_word((pawl_execution_outcome)result->outcome);
    if (result->outcome == PAWL_EXECUTION_OK) {
        add(w, root, "error", cJSON_CreateNull());
        return;
    }
    bool uncaught = result->error_name &&
                    (result->outcome == PAWL_EXECUTION_EXCEPTION || result->outcome == PAWL_EXECUTION_CHECK_FAILED);
    const char *detail = result->detail ? result->detail : "";
    cJSON *error = add_object(w, root, "error");
    add(w, error, "name", cJSON_CreateString(uncaught ? result->error_name : word));
    add(w, error, "value", cJSON_CreateString(uncaught ? (result->error_value ? result->error_value : "") : detail));
    add(w, error, "traceback", text_or_null(result->traceback));
}

static void add_timings(struct writer *w, cJSON *root, const pawl_execution_timings *timings) {
    cJSON *object = add_object(w, root, "timings");
    add(w, object, "queue", seconds(timings->queue_ns));
    add(w, object, "create", seconds(timings->create_ns));
    add(w, object, "run", seconds(timings->run_ns));
    add(w, object, "collect", seconds(timings->collect_ns));
    add(w, object, "total", seconds(timings->total_ns));
}

static void add_resources(struct writer *w, cJSON *root, const pawl_execution_resources *resources) {
    cJSON *object = add_object(w, root, "resources");
    add(w, object, "user_cpu", seconds(resources->user_cpu_ns));
    add(w, object, "system_cpu", seconds(resources->system_cpu_ns));
    add(w, object, "max_rss_bytes", number(resources->max_rss_bytes));
    add(w, object, "processes", number(resources->processes));
}

static void add_stream(struct writer *w, cJSON *bytes, const char *name, const pawl_execution_stream *stream,
                       uint64_t kept) {
    cJSON *object = add_object(w, bytes, name);
    add(w, object, "seen", number(stream->bytes_seen));
    add(w, object, "kept", number(kept));
    if (!is_text(stream->bytes, stream->bytes_kept))
        add(w, object, "base64", base64(stream->bytes, stream->bytes_kept));
}

static void add_file(struct writer *w, cJSON *files, const pawl_collected_file *file) {
    cJSON *object = add_object(w, files, file->path);
    add(w, object, "kind", cJSON_CreateString(pawl_collected_kind_word((pawl_collected_kind)file->kind)));
    add(w, object, "size", number(file->size));
    add(w, object, "mode", number(file->mode));
    if (file->kind != PAWL_COLLECTED_FILE && file->kind != PAWL_COLLECTED_SYMLINK)
        return;
    if (is_text(file->bytes, file->length))
        add(w, object, "text", lossy(file->bytes, file->length));
    else
        add(w, object, "base64", base64(file->bytes, file->length));
}

static void add_limits(struct writer *w, cJSON *root, const pawl_execution_result *result) {
    pawl_execution_limits limits = result->limits;
    cJSON *object = add_object(w, root, "limits");
    for (pawl_limit i = 0; i < PAWL_LIMIT_COUNT_; i++) {
        uint64_t value = *pawl_limits_at(&limits, i);
        bool in_seconds = i == PAWL_LIMIT_WALL || i == PAWL_LIMIT_CPU;
        cJSON *limit = add_object(w, object, pawl_limit_name(i));
        add(w, limit, "limit",
            value == PAWL_UNLIMITED ? cJSON_CreateNull()
            : in_seconds            ? seconds(value)
                                    : number(value));
        add(w, limit, "enforced", cJSON_CreateString(pawl_enforcement_word((pawl_enforcement)result->enforced[i])));
    }
}

static void add_all(struct writer *w, cJSON *root, const pawl_execution_result *result,
                    const struct pawl_kept_bytes *kept) {
    add(w, root, "success", cJSON_CreateBool(result->outcome == PAWL_EXECUTION_OK));
    add(w, root, "outcome", cJSON_CreateString(pawl_execution_outcome_word((pawl_execution_outcome)result->outcome)));
    add(w, root, "output", lossy(result->stdout_stream.bytes, result->stdout_stream.bytes_kept));
    add_logs(w, root, result);
    add_error(w, root, result);
    add_array(w, root, "results");
    add(w, root, "exit_status",
        result->exit_status < 0 ? cJSON_CreateNull() : cJSON_CreateNumber((double)result->exit_status));
    add(w, root, "signal", result->signal == 0 ? cJSON_CreateNull() : cJSON_CreateNumber((double)result->signal));
    add(w, root, "execution_time", seconds(result->timings.run_ns));
    add(w, root, "sandbox_id", text_or_null(result->sandbox_id));
    add(w, root, "tier", cJSON_CreateString(result->tier));
    add_names(w, root, "mechanisms", result->mechanisms);
    add_timings(w, root, &result->timings);
    add_resources(w, root, &result->resources);
    cJSON *bytes = add_object(w, root, "bytes");
    add_stream(w, bytes, "stdout", &result->stdout_stream, kept->out);
    add_stream(w, bytes, "stderr", &result->stderr_stream, kept->err);
    add(w, root, "truncated", cJSON_CreateBool(result->truncated != 0));
    cJSON *files = add_object(w, root, "files");
    for (uint64_t i = 0; i < result->file_count; i++)
        add_file(w, files, &result->files[i]);
    add_limits(w, root, result);
    add(w, root, "version", number(1));
}

pawl_value *pawl_execution_value(const pawl_execution_result *result, const struct pawl_kept_bytes *kept) {
    struct writer writer = {false};
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
