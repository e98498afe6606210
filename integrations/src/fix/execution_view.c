/* Reads an execution value (pawl_code_execution()'s output) once, so that judges and feedback need not know JSON. */
#include "execution_view_internal.h"
#include <stdlib.h>
#include <string.h>

static const char *member_text(const cJSON *object, const char *key) {
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
    return text ? text : "";
}

static double member_number(const cJSON *object, const char *key, double fallback) {
    const cJSON *number = cJSON_GetObjectItemCaseSensitive(object, key);
    return cJSON_IsNumber(number) ? number->valuedouble : fallback;
}

static uint64_t whole(double number) {
    return number > 0 && number < 9e15 ? (uint64_t)number : 0;
}

static void read_bytes(const cJSON *json, const char *stream, pawl_stream_record *record) {
    const cJSON *bytes = cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(json, "bytes"), stream);
    record->seen_bytes = whole(member_number(bytes, "seen", 0));
    record->kept_bytes = whole(member_number(bytes, "kept", 0));
    record->truncated = record->seen_bytes > record->kept_bytes;
}

static uint64_t nanoseconds(const cJSON *timings, const char *key) {
    return whole(member_number(timings, key, 0) * 1e9);
}

static const cJSON *log_of(const cJSON *json, const char *stream) {
    return cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(json, "logs"), stream);
}

bool pawl_execution_view_read(const pawl_value *result, struct execution_view *ret_view) {
    const cJSON *json = pawl_value_json(result), *outcome = cJSON_GetObjectItemCaseSensitive(json, "outcome");
    if (!cJSON_IsObject(json) || !cJSON_IsString(outcome) || !outcome->valuestring)
        return false;
    const cJSON *error = cJSON_GetObjectItemCaseSensitive(json, "error");
    const cJSON *timings = cJSON_GetObjectItemCaseSensitive(json, "timings");
    *ret_view = (struct execution_view){
        .outcome = outcome->valuestring,
        .error_name = member_text(error, "name"),
        .error_value = member_text(error, "value"),
        .traceback = member_text(error, "traceback"),
        .out = log_of(json, "stdout"),
        .err = log_of(json, "stderr"),
        .exit_status = (int64_t)member_number(json, "exit_status", -1),
        .signal = (int64_t)member_number(json, "signal", 0),
        .seconds = member_number(json, "execution_time", 0),
        .queue_ns = nanoseconds(timings, "queue"),
        .create_ns = nanoseconds(timings, "create"),
        .run_ns = nanoseconds(timings, "run"),
        .unended = cJSON_IsFalse(cJSON_GetObjectItemCaseSensitive(json, "completed")),
    };
    read_bytes(json, "stdout", &ret_view->out_bytes);
    read_bytes(json, "stderr", &ret_view->err_bytes);
    return true;
}

static size_t log_length(const cJSON *log) {
    size_t length = 0;
    for (const cJSON *piece = cJSON_IsArray(log) ? log->child : NULL; piece; piece = piece->next)
        if (cJSON_IsString(piece) && piece->valuestring)
            length += strlen(piece->valuestring);
    return length;
}

char *pawl_execution_log_text(const cJSON *log, size_t *ret_length) {
    size_t length = log_length(log), used = 0;
    char *text = malloc(length + 1);
    if (!text)
        return NULL;
    for (const cJSON *piece = cJSON_IsArray(log) ? log->child : NULL; piece; piece = piece->next) {
        size_t bytes = cJSON_IsString(piece) && piece->valuestring ? strlen(piece->valuestring) : 0;
        if (bytes)
            memcpy(text + used, piece->valuestring, bytes);
        used += bytes;
    }
    text[used] = '\0';
    *ret_length = used;
    return text;
}

bool pawl_execution_is_infrastructure(const char *outcome) {
    static const char *const words[] = {"spawn_error",  "sandbox_lost", "sandbox_not_ready", "transport_error",
                                        "rate_limited", "quota",        "internal"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(outcome, words[i]) == 0)
            return true;
    return false;
}

bool pawl_execution_ran(const char *outcome) {
    static const char *const words[] = {"ok", "check_failed", "nonzero_exit", "exception", "signalled"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(outcome, words[i]) == 0)
            return true;
    return false;
}
