#include "fix_play.h"

#include "leaves.h"
#include <math.h>
#include <pawl/primitives/function.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void set_text(char **text, pawl_value *value) {
    free(*text);
    *text = pawl_value_print(value);
}

static pawl_status generate(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    struct fix_play *play = user;
    (void)ctx;
    set_text(&play->told, in);
    const char *answer = play->answers[play->asked < 7 ? play->asked : 7];
    play->asked++;
    return pawl_value_parse(answer ? answer : "null", strlen(answer ? answer : "null"), NULL, ret_out, err);
}

pawl_primitive *play_generator(struct fix_play *play) {
    return pawl_inline("generate", generate, play);
}

/* The test of an execution, which lies beside its driver. */
static const char *test_of(const pawl_value *in) {
    const cJSON *files = pawl_value_get(in, "files");
    for (const cJSON *file = files ? files->child : NULL; file; file = file->next)
        if (strncmp(file->string, "pawl_test.", 10) == 0)
            return file->valuestring;
    return "?";
}

static const char *program_of(const pawl_value *in) {
    const cJSON *files = pawl_value_get(in, "files");
    for (const cJSON *file = files ? files->child : NULL; file; file = file->next)
        if (strncmp(file->string, "program", 7) == 0 || strcmp(file->string, "median.py") == 0)
            return file->valuestring;
    return "";
}

#define PASSED "{\"outcome\": \"ok\", \"exit_status\": 0, \"error\": null, \"files\": {\"%s\": {\"text\": \"%.*s\"}}}"
#define FAILED                                                                                                         \
    "{\"outcome\": \"check_failed\", \"exit_status\": 1, \"error\": {\"name\": \"AssertionError\", \"value\": "        \
    "\"no\", "                                                                                                         \
    "\"traceback\": \"Traceback (most recent call last):\\n  File \\\"/w/test.py\\\", line 9, in <module>\\n  File "   \
    "\\\"/w/program.py\\\", line 2, in f\\n  File \\\"/w/program.py\\\", line 3, in g\\nAssertionError: no\\n\"}}"

const char *nonce_of(const char *driver) {
    while (*driver && strspn(driver, "0123456789abcdef") != 32)
        driver++;
    return driver;
}

static pawl_status execute(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    struct fix_play *play = user;
    (void)ctx;
    play->executions++;
    set_text(&play->ran, in);
    const cJSON *collect = pawl_value_get(in, "collect");
    const char *nonce = nonce_of(pawl_value_get_string(in, "code", "")), *text = play->says ? play->says : FAILED;
    char passed[300];
    snprintf(passed, sizeof passed, PASSED, collect->child->valuestring, play->cheats ? 3 : 32, nonce);
    if (!play->says && strstr(program_of(in), test_of(in)))
        text = passed;
    return pawl_value_parse(text, strlen(text), NULL, ret_out, err);
}

pawl_primitive *play_executor(struct fix_play *play) {
    return pawl_inline("execute", execute, play);
}

void count_attempt(void *user, const pawl_attempt *attempt, pawl_value *candidate) {
    struct fix_play *play = user;
    (void)attempt, (void)candidate;
    play->attempts++;
}

pawl_value *run_fix(pawl_primitive *node, const char *in, pawl_status expected, const char *part) {
    struct fake_clock time = {0};
    pawl_runtime *runtime = virtual_runtime(&time);
    pawl_context *ctx = pawl_context_new(runtime);
    pawl_value *input = NULL, *out = NULL;
    pawl_error *err = NULL;
    assert_int_equal(pawl_value_parse(in, strlen(in), NULL, &input, NULL), PAWL_OK);
    pawl_status status = pawl_run(node, ctx, input, &out, &err);
    if (status != expected)
        fail_msg("expected %s, got %s: %s", pawl_status_name(expected), pawl_status_name(status),
                 pawl_error_message(err));
    if (status != PAWL_OK)
        expect_error(pawl_error_ref(err), expected, part);
    expect_nothing_alive(runtime);
    pawl_error_unref(err);
    pawl_value_unref(input);
    pawl_primitive_unref(node);
    pawl_context_unref(ctx);
    pawl_runtime_unref(runtime);
    return out;
}

void end_fix(struct fix_play *play, pawl_value *out) {
    pawl_value_unref(out);
    free(play->told);
    free(play->ran);
}

void assert_word(const pawl_value *out, const char *key, const char *word) {
    assert_string_equal(pawl_value_get_string(out, key, "?"), word);
}

void assert_flag(const pawl_value *out, const char *key, bool expected) {
    const cJSON *flag = pawl_value_get(out, key);
    assert_true(cJSON_IsBool(flag));
    assert_int_equal(cJSON_IsTrue(flag), expected);
}

void assert_number(const pawl_value *out, const char *key, double expected) {
    assert_float_equal(pawl_value_get_number(out, key, -1), expected, 0);
}
