/* The code-execution node: JSON in and out, trace and spans, streams, failing as an error. */
#include "programs.h"

#include <pawl/primitives/retry.h>
#include <pawl/primitives/timeout.h>
#include <pawl/run.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "recorder.h"

struct heard {
    char out[64], err[64];
};

static void hear_out(void *user, const void *bytes, size_t length) {
    struct heard *heard = user;
    strncat(heard->out, bytes, length < 40 ? length : 40);
}

static void hear_err(void *user, const void *bytes, size_t length) {
    strncat(((struct heard *)user)->err, bytes, length < 40 ? length : 40);
}

static void the_node_gives_json_and_passes_the_trace_on(void **state) {
    (void)state;
    pawl_primitive *node = pawl_code_execution("run", .timeout_ns = PAWL_S(20));
    pawl_error *error = NULL;
    pawl_value *out =
        run_node(node, "{\"code\":\"import os\\nprint(os.environ['TRACEPARENT'])\\n1/0\",\"collect\":[\"x\"]}", &error);
    assert_null(error);
    assert_string_equal(pawl_value_get_string(out, "outcome", ""), "exception");
    assert_memory_equal(pawl_value_get_string(out, "output", ""), "00-", 3);
    assert_int_equal(strlen(pawl_value_get_string(out, "output", "")), 56);
    assert_string_equal(cJSON_GetObjectItem(pawl_value_get(out, "error"), "name")->valuestring, "ZeroDivisionError");
    pawl_value_unref(out);
    out = run_node(node,
                   "{\"code\":\"import os\\nprint(os.environ['TRACEPARENT'])\",\"env_vars\":{\"TRACEPARENT\":\"own\"}}",
                   &error);
    assert_string_equal(pawl_value_get_string(out, "output", ""), "own\n");
    pawl_value_unref(out);
    pawl_primitive_unref(node);
}

static void a_mistake_in_the_input_names_the_node_whoever_finds_it(void **state) {
    (void)state;
    static const char *const list[][2] = {
        {"{\"code\":\"\",\"files\":{\"../x\":\"\"}}", "code execution 'run': files: path '../x' has"},
        {"{\"code\":\"\",\"working_directory\":\"/tmp\"}", "code execution 'run': working_directory: path '/tmp' is"},
        {"{\"code\":\"\",\"limits\":{\"memory_bytes\":0}}", "code execution 'run': limits.memory_bytes is 0;"}};
    pawl_primitive *node = pawl_code_execution("run");
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        pawl_error *error = NULL;
        assert_null(run_node(node, list[i][0], &error));
        assert_int_equal(pawl_error_status(error), PAWL_E_INVALID);
        if (!strstr(pawl_error_message(error), list[i][1]))
            print_message("%s\n", pawl_error_message(error));
        assert_non_null(strstr(pawl_error_message(error), list[i][1]));
        pawl_error_unref(error);
    }
    pawl_primitive_unref(node);
}

static void fail_on_error_makes_a_permanent_error_of_a_failing_program(void **state) {
    (void)state;
    pawl_primitive *node = pawl_retry("again", pawl_code_execution("run", .fail_on_error = 5), .max_attempts = 5);
    pawl_error *error = NULL;
    assert_null(run_node(node, "{\"code\":\"raise ValueError('no')\"}", &error));
    assert_int_equal(pawl_error_status(error), PAWL_E_FAILED);
    assert_false(pawl_error_is_retryable(error));
    assert_non_null(strstr(pawl_error_message(error), "ValueError: no"));
    pawl_error_unref(error);
    pawl_primitive_unref(node);
}

static void a_node_streams_and_takes_a_provider(void **state) {
    (void)state;
    struct heard heard = {{0}, {0}};
    pawl_error *error = NULL;
    pawl_primitive *node = pawl_code_execution("run", .provider = programs_provider(), .language = "bash",
                                               .on_stdout = hear_out, .on_stderr = hear_err, .user = &heard);
    pawl_value *out = run_node(node, "{\"code\":\"echo a; echo b >&2\"}", &error);
    assert_non_null(out);
    assert_string_equal(heard.out, "a\n");
    assert_string_equal(heard.err, "b\n");
    pawl_value_unref(out);
    pawl_primitive_unref(node);
}

static void a_node_without_helper_fails_and_names_the_remedy(void **state) {
    (void)state;
    pawl_primitive *node = pawl_code_execution("run");
    pawl_runtime *runtime = pawl_runtime_with(.helper_path = "/nowhere");
    pawl_context *ctx = pawl_context_new(runtime);
    pawl_value *in = NULL;
    pawl_error *error = NULL;
    assert_int_equal(pawl_value_parse("{\"code\":\"\"}", 11, NULL, &in, NULL), PAWL_OK);
    assert_int_equal(pawl_run(node, ctx, in, NULL, &error), PAWL_E_NOT_FOUND);
    assert_string_equal(pawl_error_path(error), "run");
    pawl_error_unref(error), pawl_value_unref(in);
    pawl_primitive_unref(node), pawl_context_unref(ctx), pawl_runtime_unref(runtime);
}

static struct recorder recorder;

static void run_recorded(pawl_primitive *node, const char *input) {
    pawl_runtime *runtime = pawl_runtime_with(.helper_path = getenv("PAWL_HELPER"));
    record(runtime, &recorder);
    pawl_context *ctx = pawl_context_new(runtime);
    pawl_value *in = NULL;
    assert_int_equal(pawl_value_parse(input, strlen(input), NULL, &in, NULL), PAWL_OK);
    pawl_run(node, ctx, in, NULL, NULL);
    pawl_value_unref(in);
    pawl_context_unref(ctx);
    pawl_runtime_unref(runtime);
}

static void spans_tell_of_the_program_and_nothing_of_its_secrets(void **state) {
    (void)state;
    pawl_primitive *node = pawl_code_execution("run", .language = "bash");
    run_recorded(node, "{\"code\":\"sleep 0.05; exit 3 # hush\",\"env_vars\":{\"TOKEN\":\"hush\"}}");
    const struct recorded_span *own = span_named(&recorder, "run"), *create = span_named(&recorder, "sandbox.create"),
                               *run = span_named(&recorder, "sandbox.run");
    assert_string_equal(own->type, "code_execution");
    assert_non_null(strstr(own->attributes, "pawl.code.language=bash"));
    assert_non_null(strstr(own->attributes, "pawl.code.bytes=25"));
    assert_non_null(
        strstr(own->attributes, "pawl.code.digest=15a4be7bf8b33a8761682788c0d08a7b825ca73453f589c84193412632f2819b"));
    assert_non_null(strstr(own->attributes, "pawl.code.outcome=nonzero_exit"));
    assert_non_null(strstr(own->attributes, "pawl.code.exit_status=3"));
    assert_non_null(strstr(own->attributes, "pawl.sandbox.tier=local"));
    assert_null(strstr(own->attributes, "hush"));
    assert_int_equal(own->status, PAWL_OK);
    assert_string_equal(create->parent, "run");
    assert_string_equal(run->parent, "run");
    assert_true(create->end_ns <= run->start_ns);
    assert_true(run->end_ns - run->start_ns >= PAWL_MS(45));
    assert_non_null(strstr(run->attributes, "pawl.code.outcome=nonzero_exit"));
    pawl_primitive_unref(node);
}

static void a_sandbox_that_is_not_made_has_no_run_span(void **state) {
    (void)state;
    pawl_primitive *node = pawl_code_execution("run");
    run_recorded(node, "{\"code\":\"\",\"files\":{\"../x\":\"\"}}");
    assert_int_equal(span_named(&recorder, "sandbox.create")->status, PAWL_E_INVALID);
    assert_int_equal(spans_named(&recorder, "sandbox.run"), 0);
    assert_int_equal(span_named(&recorder, "run")->status, PAWL_E_INVALID);
    pawl_primitive_unref(node);
}

static void a_timeout_around_the_node_ends_the_program(void **state) {
    (void)state;
    pawl_primitive *node =
        pawl_timeout("limit", pawl_code_execution("run", .provider = programs_provider()), .after_ns = PAWL_MS(150));
    pawl_error *error = NULL;
    uint64_t start = now_ns();
    assert_null(run_node(node, "{\"code\":\"while True: pass\"}", &error));
    assert_int_equal(pawl_error_status(error), PAWL_E_TIMEOUT);
    assert_true(now_ns() - start < PAWL_S(2));
    pawl_error_unref(error);
    pawl_primitive_unref(node);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_node_gives_json_and_passes_the_trace_on),
        cmocka_unit_test(a_mistake_in_the_input_names_the_node_whoever_finds_it),
        cmocka_unit_test(fail_on_error_makes_a_permanent_error_of_a_failing_program),
        cmocka_unit_test(a_node_streams_and_takes_a_provider),
        cmocka_unit_test(a_node_without_helper_fails_and_names_the_remedy),
        cmocka_unit_test(spans_tell_of_the_program_and_nothing_of_its_secrets),
        cmocka_unit_test(a_sandbox_that_is_not_made_has_no_run_span),
        cmocka_unit_test(a_timeout_around_the_node_ends_the_program),
    };
    return cmocka_run_group_tests(tests, start_programs, stop_programs);
}
