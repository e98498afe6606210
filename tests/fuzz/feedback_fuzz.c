/* What a hostile program prints, through everything that words it: feedback, signature, hints, diff, judge. */
#include "engine_internal.h"
#include "fix/fix_internal.h"
#include "fuzz.h"
#include "utf8_internal.h"

static cJSON *add_object(cJSON *json, const char *key) {
    cJSON *object = cJSON_CreateObject();
    cJSON_AddItemToObject(json, key, object);
    return object;
}

static void add_log(cJSON *logs, const char *key, const char *text) {
    cJSON *list = cJSON_AddArrayToObject(logs, key);
    cJSON_AddItemToArray(list, cJSON_CreateString(text));
}

/* One text is the message, the traceback and both streams. */
static pawl_value *execution(const char *text) {
    cJSON *json = cJSON_CreateObject(), *error = add_object(json, "error"), *logs = add_object(json, "logs");
    cJSON_AddStringToObject(json, "outcome", "exception");
    cJSON_AddStringToObject(error, "name", "Error");
    cJSON_AddStringToObject(error, "value", strlen(text) % 3 ? text : "");
    cJSON_AddStringToObject(error, "traceback", text);
    add_log(logs, "stdout", text);
    add_log(logs, "stderr", text);
    return pawl_value_take(json);
}

static void check_feedback(const pawl_value *result) {
    for (uint64_t most = 512; most < 2048; most += 511) {
        pawl_feedback_options options = {.size = sizeof options, .max_bytes = most};
        char *text = pawl_feedback_text(result, &options);
        require(text && strlen(text) <= most && pawl_utf8_valid(text, strlen(text)) == strlen(text));
        require(strncmp(text, "outcome: exception", 18) == 0);
        free(text);
    }
}

static void check_signature(const pawl_value *result) {
    char text[PAWL_SIGNATURE_BYTES];
    memset(text, 'x', sizeof text);
    pawl_error_signature(result, text);
    require(memchr(text, '\0', sizeof text) != NULL && pawl_utf8_valid(text, strlen(text)) == strlen(text));
}

static void check_judge(pawl_value *result) {
    pawl_judge *judge = pawl_judge_all(PAWL_JUDGES(pawl_judge_test("test"), pawl_judge_output("prints", "x\ny\n")));
    struct pawl_outcome outcome = {.status = PAWL_OK, .value = result};
    pawl_attempt attempt = {.size = sizeof attempt};
    require(pawl_judge_run(judge, result, &outcome, &attempt.verdict, NULL) == PAWL_OK && !attempt.verdict.pass);
    cJSON *json = pawl_attempt_json(&attempt);
    require(json != NULL);
    cJSON_Delete(json);
    pawl_value_unref(attempt.verdict.output);
    pawl_judge_unref(judge);
}

static void check_diff(const char *text, size_t length) {
    char *other = strdup(text + length / 2), *diff = pawl_unified_diff(text, other, "a", "b");
    require(diff && (diff[0] == '\0') == (strcmp(text, other) == 0));
    free(diff);
    free(other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    size_t length = 0;
    char *text = pawl_utf8_lossy((const char *)data, size, &length);
    if (!text)
        return 0;
    pawl_value *result = execution(text);
    check_feedback(result);
    check_signature(result);
    check_judge(result);
    check_diff(text, length);
    cJSON_Delete(pawl_fix_hints(text, "program.py"));
    pawl_value_unref(result);
    free(text);
    return 0;
}
