/* Secrets of an execution: in its result, its streams, its files, its errors. */
#include "programs.h"

#include <pawl/integrations/execution.h>
#include <pawl/integrations/fix.h>
#include <pawl/primitives/function.h>
#include <pawl/redact.h>
#include <pawl/run.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define R PAWL_REDACTED

struct heard {
    char text[512];
};

static void hear(void *user, const void *bytes, size_t length) {
    struct heard *heard = user;
    assert_true(strlen(heard->text) + length < sizeof heard->text);
    strncat(heard->text, bytes, length);
}

/* Runs in a runtime that knows "runtime-secret". Returns the output or NULL with *err. */
static pawl_value *run_knowing(pawl_primitive *node, const char *input, pawl_error **err) {
    pawl_runtime *runtime = pawl_runtime_with(.helper_path = getenv("PAWL_HELPER"));
    pawl_context *ctx = pawl_context_new(runtime);
    pawl_value *in = NULL, *out = NULL;
    assert_int_equal(pawl_runtime_add_secret(runtime, "runtime-secret", 14, NULL), PAWL_OK);
    assert_int_equal(pawl_value_parse(input, strlen(input), NULL, &in, NULL), PAWL_OK);
    pawl_run(node, ctx, in, &out, err);
    pawl_value_unref(in);
    pawl_primitive_unref(node);
    pawl_context_unref(ctx);
    pawl_runtime_unref(runtime);
    return out;
}

static const char *text_of(const pawl_value *out, const char *first, const char *second, const char *third) {
    const cJSON *json = cJSON_GetObjectItem(pawl_value_get(out, first), second);
    return cJSON_GetStringValue(third ? cJSON_GetObjectItem(json, third) : json);
}

static void the_environment_that_a_program_prints_is_hidden(void **state) {
    (void)state;
    pawl_error *err = NULL;
    struct heard heard = {{0}};
    pawl_value *out = run_knowing(
        pawl_code_execution("run", .language = "bash", .on_stdout = hear, .user = &heard,
                            .secret_env = (const char *const[]){"DB", "OTHER", NULL}),
        "{\"code\":\"echo $DB $API $MODE runtime-secret; printf '%s' \\\"$API\\\" | base64; printf db-; sleep "
        "0.05; echo value-1\",\"env_vars\":{\"DB\":\"db-value-1\",\"API\":\"api-value-2\",\"MODE\":\"fast "
        "mode\"},\"secret_env\":[\"API\"]}",
        &err);
    assert_null(err);
    assert_string_equal(pawl_value_get_string(out, "output", ""), R " " R " fast mode " R "\n" R "\n" R "\n");
    assert_string_equal(heard.text, R " " R " fast mode " R "\n" R "\n" R "\n");
    const cJSON *bytes = cJSON_GetObjectItem(pawl_value_get(out, "bytes"), "stdout");
    assert_int_equal(cJSON_GetObjectItem(bytes, "kept")->valueint, cJSON_GetObjectItem(bytes, "seen")->valueint);
    char *printed = pawl_value_print(out);
    assert_null(strstr(printed, "-value-"));
    assert_null(strstr(printed, "runtime-secret"));
    free(printed);
    pawl_value_unref(out);
}

static void errors_and_files_are_hidden_in_too(void **state) {
    (void)state;
    pawl_error *err = NULL;
    pawl_value *out =
        run_knowing(pawl_code_execution("run"),
                    "{\"code\":\"open('a','w').write('x runtime-secret TOKEN=abc');open('b','wb').write(b'\\\\xff"
                    "runtime-secret')\\nraise ValueError('no runtime-secret')\",\"collect\":[\"a\",\"b\"]}",
                    &err);
    assert_null(err);
    assert_string_equal(text_of(out, "error", "value", NULL), "no " R);
    assert_null(strstr(text_of(out, "error", "traceback", NULL), "runtime-secret"));
    assert_string_equal(text_of(out, "files", "a", "text"), "x " R " TOKEN=abc");
    assert_string_equal(text_of(out, "files", "b", "base64"), "/3J1bnRpbWUtc2VjcmV0"); /* no text: as it is */
    pawl_value_unref(out);
    out = run_knowing(pawl_code_execution("run", .fail_on_error = 1),
                      "{\"code\":\"raise ValueError('no runtime-secret, PASSWORD=hunter2')\"}", &err);
    assert_null(out);
    assert_int_equal(pawl_error_status(err), PAWL_E_FAILED);
    assert_non_null(strstr(pawl_error_message(err), "ValueError: no " R ", PASSWORD=" R));
    assert_null(strstr(pawl_error_message(err), "runtime-secret"));
    assert_null(strstr(pawl_error_message(err), "hunter2"));
    pawl_error_unref(err);
}

static void shapes_are_hidden_when_asked_for_and_nothing_when_asked_for(void **state) {
    (void)state;
    static const char input[] = "{\"code\":\"print('PASSWORD=hunter2 runtime-secret')\"}";
    static const struct {
        pawl_execution_redaction redaction;
        const char *output;
    } rows[] = {{PAWL_REDACT_VALUES, "PASSWORD=hunter2 " R "\n"},
                {PAWL_REDACT_SHAPES, "PASSWORD=" R " " R "\n"},
                {PAWL_REDACT_NOTHING, "PASSWORD=hunter2 runtime-secret\n"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        pawl_error *err = NULL;
        pawl_value *out = run_knowing(pawl_code_execution("run", .redaction = rows[i].redaction), input, &err);
        assert_null(err);
        assert_string_equal(pawl_value_get_string(out, "output", ""), rows[i].output);
        pawl_value_unref(out);
    }
    pawl_error *err = NULL;
    assert_null(run_knowing(pawl_code_execution("run", .redaction = 3), input, &err));
    assert_int_equal(pawl_error_status(err), PAWL_E_INVALID);
    pawl_error_unref(err);
}

static void a_stream_that_was_cut_shows_no_beginning_of_a_secret(void **state) {
    (void)state;
    pawl_error *err = NULL;
    pawl_value *out =
        run_knowing(pawl_code_execution("run"),
                    "{\"code\":\"print('12345 runtime-secret')\",\"limits\":{\"output_bytes\":14}}", &err);
    assert_null(err);
    assert_string_equal(pawl_value_get_string(out, "output", ""), "12345 " R);
    pawl_value_unref(out);
}

static void a_secret_that_cannot_be_hidden_is_refused(void **state) {
    (void)state;
    static const char *const list[][2] = {
        {"{\"code\":\"\",\"env_vars\":{\"PIN\":\"123\"},\"secret_env\":[\"PIN\"]}",
         "code execution 'run': secret_env names 'PIN', which cannot be hidden: a secret of 3 bytes is too short"},
        {"{\"code\":\"\",\"env_vars\":{\"A\":\"123\"},\"secret_env\":[\"B\"]}",
         "code execution 'run': secret_env names 'B', which env_vars does not have; remove it or add the variable"},
        {"{\"code\":\"\",\"secret_env\":[1]}", "code execution 'run': secret_env[0] is a number; give a string"}};
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        pawl_error *err = NULL;
        assert_null(run_knowing(pawl_code_execution("run"), list[i][0], &err));
        assert_int_equal(pawl_error_status(err), PAWL_E_INVALID);
        assert_memory_equal(pawl_error_message(err), list[i][1], strlen(list[i][1]));
        pawl_error_unref(err);
    }
    pawl_error *err = NULL;
    pawl_value *out = run_knowing(pawl_code_execution("run"),
                                  "{\"code\":\"\",\"env_vars\":{\"A\":\"\"},\"secret_env\":[\"A\"]}", &err);
    assert_non_null(out);
    pawl_value_unref(out);
}

static pawl_status keep_input(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    char **kept = user;
    (void)ctx, (void)err;
    free(*kept);
    *kept = pawl_value_print(in);
    *ret_out = pawl_value_string("print('runtime-secret')");
    return PAWL_OK;
}

static void a_judge_sees_what_was_printed_and_nobody_else(void **state) {
    (void)state;
    pawl_error *err = NULL;
    char *kept = NULL;
    pawl_value *out =
        run_knowing(pawl_fix("fix", pawl_function("generate", keep_input, &kept), NULL, .max_attempts = 2,
                             .timeout_ns = PAWL_S(20), .judge = pawl_judge_output("prints", "runtime-secret")),
                    "{\"program\":\"print('no runtime-secret TOKEN=abc')\",\"test\":\"import program\"}", &err);
    assert_null(err);
    assert_string_equal(pawl_value_get_string(out, "outcome", ""), "passed_checks"); /* judged by the true output */
    assert_non_null(kept);
    const char *feedback = strstr(kept, "\"feedback\":\"outcome");
    assert_non_null(feedback);
    assert_non_null(strstr(feedback, "no " R " TOKEN=" R));
    assert_null(strstr(feedback, "runtime-secret"));
    cJSON *json = cJSON_Duplicate(pawl_value_json(out), true);
    cJSON_DeleteItemFromObject(json, "program"); /* which is to be run */
    cJSON_DeleteItemFromObject(json, "diff");
    char *printed = cJSON_PrintUnformatted(json);
    assert_null(strstr(printed, "runtime-secret"));
    assert_non_null(strstr(printed, R));
    free(printed);
    cJSON_Delete(json);
    free(kept);
    pawl_value_unref(out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_environment_that_a_program_prints_is_hidden),
        cmocka_unit_test(errors_and_files_are_hidden_in_too),
        cmocka_unit_test(shapes_are_hidden_when_asked_for_and_nothing_when_asked_for),
        cmocka_unit_test(a_stream_that_was_cut_shows_no_beginning_of_a_secret),
        cmocka_unit_test(a_secret_that_cannot_be_hidden_is_refused),
        cmocka_unit_test(a_judge_sees_what_was_printed_and_nobody_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
