/* The node's JSON: what is read, what is refused and how that is said, and the shape of what comes back. */
#include "execution/input_internal.h"
#include <pawl/integrations/execution.h>
#include <pawl/primitive.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "failing_malloc.h"

static struct pawl_input_defaults usual(void) {
    return (struct pawl_input_defaults){.node = "run", .language = "python"};
}

static pawl_value *parse(const char *text) {
    pawl_value *value = NULL;
    assert_int_equal(pawl_value_parse(text, strlen(text), NULL, &value, NULL), PAWL_OK);
    return value;
}

static void every_field_becomes_part_of_the_request(void **state) {
    (void)state;
    pawl_value *json =
        parse("{\"code\":\"print()\",\"language\":\"js\",\"timeout\":1.5,"
              "\"files\":{\"a/b\":\"text\",\"c\":{\"base64\":\"AP8=\",\"mode\":493},\"d\":{\"text\":\"t\"}},"
              "\"args\":[\"one\",\"\"],\"stdin\":{\"base64\":\"AAE=\"},\"env_vars\":{\"A\":\"x=y\",\"B\":\"\"},"
              "\"working_directory\":\"w\",\"install\":[\"numpy\"],\"collect\":[\"r\"],"
              "\"limits\":{\"cpu\":2,\"memory_bytes\":1048576,\"output_bytes\":0}}");
    struct pawl_input_defaults defaults = usual();
    struct pawl_input input;
    assert_int_equal(pawl_input_read(&defaults, pawl_value_json(json), &input, NULL), PAWL_OK);
    const pawl_execution_request *r = &input.request;
    assert_string_equal(r->language, "js");
    assert_memory_equal(r->code, "print()", r->code_length);
    assert_int_equal(r->file_count, 3);
    assert_string_equal(r->files[0].path, "a/b");
    assert_int_equal(r->files[0].length, 4);
    assert_int_equal(r->files[1].length, 2);
    assert_memory_equal(r->files[1].bytes, "\0\xff", 2);
    assert_int_equal(r->files[1].mode, 0755);
    assert_memory_equal(r->files[2].bytes, "t", 1);
    assert_int_equal(r->arg_count, 2);
    assert_string_equal(r->args[0], "one");
    assert_string_equal(r->args[1], "");
    assert_int_equal(r->stdin_length, 2);
    assert_int_equal(r->env_count, 2);
    assert_string_equal(r->env[0], "A=x=y");
    assert_string_equal(r->env[1], "B=");
    assert_string_equal(r->working_directory, "w");
    assert_int_equal(r->install_count, 1);
    assert_string_equal(r->collect[0], "r");
    assert_int_equal(r->limits->wall_ns, 1500000000);
    assert_int_equal(r->limits->cpu_ns, PAWL_S(2));
    assert_int_equal(r->limits->memory_bytes, PAWL_MIB(1));
    assert_int_equal(r->limits->output_bytes, PAWL_ZERO);
    assert_int_equal(r->limits->processes, 0); /* the provider's default */
    pawl_input_finish(&input);
    pawl_value_unref(json);
}

static void what_an_input_leaves_out_comes_from_the_node(void **state) {
    (void)state;
    pawl_value *json = parse("{\"code\":\"\",\"timeout\":null,\"language\":null,\"args\":null}");
    struct pawl_input_defaults defaults = usual();
    struct pawl_input input;
    defaults.language = "bash";
    defaults.timeout_ns = PAWL_S(7);
    defaults.limits.processes = 3;
    assert_int_equal(pawl_input_read(&defaults, pawl_value_json(json), &input, NULL), PAWL_OK);
    assert_string_equal(input.request.language, "bash");
    assert_int_equal(input.limits.wall_ns, PAWL_S(7));
    assert_int_equal(input.limits.processes, 3);
    assert_int_equal(input.request.arg_count, 0);
    pawl_input_finish(&input);
    pawl_value_unref(json);
}

static uint64_t timeout_of(const char *text) {
    pawl_value *json = parse(text);
    struct pawl_input_defaults defaults = usual();
    struct pawl_input input;
    assert_int_equal(pawl_input_read(&defaults, pawl_value_json(json), &input, NULL), PAWL_OK);
    uint64_t timeout = input.limits.wall_ns;
    pawl_input_finish(&input);
    pawl_value_unref(json);
    return timeout;
}

static void a_timeout_of_zero_is_zero_and_a_huge_one_is_none(void **state) {
    (void)state;
    assert_int_equal(timeout_of("{\"code\":\"\",\"timeout\":0}"), PAWL_ZERO);
    assert_int_equal(timeout_of("{\"code\":\"\",\"timeout\":-0.0}"), PAWL_ZERO);
    assert_int_equal(timeout_of("{\"code\":\"\",\"timeout\":0.001}"), PAWL_MS(1));
    assert_int_equal(timeout_of("{\"code\":\"\",\"timeout\":1e300}"), PAWL_UNLIMITED);
    assert_int_equal(timeout_of("{\"code\":\"\",\"timeout\":18446744072}"), UINT64_C(18446744072000000000));
}

struct refusal {
    const char *json;
    const char *says; /* part of the message */
};

static void assert_refused(const struct pawl_input_defaults *defaults, const struct refusal *refusal,
                           pawl_status status) {
    pawl_value *json = parse(refusal->json);
    struct pawl_input input;
    pawl_error *error = NULL;
    pawl_status got = pawl_input_read(defaults, pawl_value_json(json), &input, &error);
    if (got != status || !strstr(pawl_error_message(error), refusal->says))
        print_message("%s: %s\n", refusal->json, pawl_error_message(error));
    assert_int_equal(got, status);
    assert_non_null(strstr(pawl_error_message(error), "'run'"));
    assert_non_null(strstr(pawl_error_message(error), refusal->says));
    pawl_error_unref(error);
    pawl_value_unref(json);
}

static void bad_inputs_are_refused_by_node_field_and_remedy(void **state) {
    (void)state;
    static const struct refusal list[] = {
        {"null", "give an object"},
        {"[]", "an array"},
        {"\"print()\"", "a string"},
        {"{}", "no code"},
        {"{\"code\":null}", "no code"},
        {"{\"code\":5}", "code is a number; give a string"},
        {"{\"code\":\"\",\"cod\":1}", "field 'cod' that is not known; use code"},
        {"{\"code\":\"\",\"language\":\"cobol\"}", "language is 'cobol'; use python"},
        {"{\"code\":\"\",\"language\":7}", "language is a number"},
        {"{\"code\":\"\",\"timeout\":-1}", "timeout is negative"},
        {"{\"code\":\"\",\"timeout\":\"1\"}", "timeout is no number"},
        {"{\"code\":\"\",\"files\":[]}", "files is an array"},
        {"{\"code\":\"\",\"files\":{\"a\":1}}", "files.a is a number"},
        {"{\"code\":\"\",\"files\":{\"a\":{}}}", "files.a needs exactly one"},
        {"{\"code\":\"\",\"files\":{\"a\":{\"text\":\"\",\"base64\":\"\"}}}", "exactly one"},
        {"{\"code\":\"\",\"files\":{\"a\":{\"base64\":\"A\"}}}", "cannot be decoded"},
        {"{\"code\":\"\",\"files\":{\"a\":{\"text\":\"\",\"mode\":512}}}", "mode"},
        {"{\"code\":\"\",\"files\":{\"a\":{\"text\":\"\",\"mode\":1.5}}}", "mode"},
        {"{\"code\":\"\",\"files\":{\"a\":{\"text\":\"\",\"x\":1}}}", "member 'x'"},
        {"{\"code\":\"\",\"args\":\"a\"}", "args is a string; give an array"},
        {"{\"code\":\"\",\"args\":[\"a\",1]}", "args[1] is a number"},
        {"{\"code\":\"\",\"stdin\":1}", "stdin is a number"},
        {"{\"code\":\"\",\"stdin\":{\"text\":\"\",\"mode\":1}}", "member 'mode'"},
        {"{\"code\":\"\",\"env_vars\":[]}", "env_vars is an array"},
        {"{\"code\":\"\",\"env_vars\":{\"A\":1}}", "env_vars.A is a number"},
        {"{\"code\":\"\",\"env_vars\":{\"\":\"x\"}}", "not empty"},
        {"{\"code\":\"\",\"env_vars\":{\"A=B\":\"x\"}}", "no '='"},
        {"{\"code\":\"\",\"working_directory\":1}", "working_directory is a number"},
        {"{\"code\":\"\",\"install\":{}}", "install is an object"},
        {"{\"code\":\"\",\"collect\":[null]}", "collect[0] is null"},
        {"{\"code\":\"\",\"limits\":[]}", "limits is no object"},
        {"{\"code\":\"\",\"limits\":{\"wall\":1}}", "limits.wall is not known; use cpu"},
        {"{\"code\":\"\",\"limits\":{\"timeout\":1}}", "limits.timeout is not known"},
        {"{\"code\":\"\",\"limits\":{\"cpu\":-1}}", "limits.cpu is negative"},
        {"{\"code\":\"\",\"limits\":{\"processes\":1.5}}", "limits.processes is 1.5; give a whole number"},
        {"{\"code\":\"\",\"limits\":{\"processes\":\"8\"}}", "limits.processes is no number"},
        {"{\"code\":\"\",\"limits\":{\"work_bytes\":1e300}}", "work_bytes is unlimited"},
        {"{\"code\":\"\",\"limits\":{\"output_bytes\":2147483648}}", "output_bytes is too large"},
    };
    struct pawl_input_defaults defaults = usual();
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++)
        assert_refused(&defaults, &list[i], PAWL_E_INVALID);
}

static void what_the_node_sets_is_the_most_an_input_may_ask_for(void **state) {
    (void)state;
    static const struct refusal over[] = {
        {"{\"code\":\"\",\"timeout\":10.5}", "timeout is over 10,"},
        {"{\"code\":\"\",\"timeout\":1e300}", "timeout is over 10,"},
        {"{\"code\":\"\",\"limits\":{\"processes\":9}}", "limits.processes is over 8,"},
        {"{\"code\":\"\",\"limits\":{\"memory_bytes\":1}}", "limits.memory_bytes is over 0,"},
    };
    struct pawl_input_defaults defaults = usual();
    defaults.limits = (pawl_execution_limits){.wall_ns = PAWL_S(10), .processes = 8, .memory_bytes = PAWL_ZERO};
    for (size_t i = 0; i < sizeof over / sizeof over[0]; i++)
        assert_refused(&defaults, &over[i], PAWL_E_LIMIT);
    pawl_value *json = parse("{\"code\":\"\",\"timeout\":10,\"limits\":{\"processes\":8,\"open_files\":9999}}");
    struct pawl_input input;
    assert_int_equal(pawl_input_read(&defaults, pawl_value_json(json), &input, NULL), PAWL_OK);
    pawl_input_finish(&input);
    pawl_value_unref(json);
}

static void without_memory_reading_fails_and_leaks_nothing(void **state) {
    (void)state;
    pawl_value *json = parse("{\"code\":\"x\",\"files\":{\"c\":{\"base64\":\"AP8=\"}},\"env_vars\":{\"A\":\"1\"},"
                             "\"args\":[\"a\"],\"stdin\":{\"base64\":\"AAE=\"}}");
    struct pawl_input_defaults defaults = usual();
    for_each_failing_allocation(n) {
        struct pawl_input input;
        pawl_status status = pawl_input_read(&defaults, pawl_value_json(json), &input, NULL);
        assert_int_equal(status, allocations_failed() ? PAWL_E_NOMEM : PAWL_OK);
        if (status == PAWL_OK)
            pawl_input_finish(&input);
    }
    pawl_value_unref(json);
}

/* ---- the node as a primitive ---- */

static void assert_broken(pawl_primitive *node, const char *says) {
    pawl_error *error = pawl_primitive_error(node);
    assert_int_equal(pawl_error_status(error), PAWL_E_INVALID);
    if (!strstr(pawl_error_message(error), says))
        print_message("%s\n", pawl_error_message(error));
    assert_non_null(strstr(pawl_error_message(error), says));
    pawl_error_unref(error);
    pawl_primitive_unref(node);
}

static void bad_options_make_a_failed_primitive(void **state) {
    (void)state;
    const pawl_execution_limits unbounded = {.size = sizeof unbounded, .work_bytes = PAWL_UNLIMITED};
    const pawl_execution_limits short_wall = {.size = sizeof short_wall, .wall_ns = PAWL_S(1)};
    const pawl_execution_limits sizeless = {.wall_ns = PAWL_S(1)};
    const pawl_code_execution_options small = {.size = 3};
    assert_broken(pawl_code_execution("run", .limits = &sizeless), "code execution 'run': limits.size is 0; set it to");
    assert_broken(pawl_code_execution("run", .language = "cobol"), "language is 'cobol'");
    assert_broken(pawl_code_execution("run", .limits = &unbounded),
                  "code execution 'run': limit work_bytes is unlimited");
    assert_broken(pawl_code_execution("run", .limits = &short_wall, .timeout_ns = PAWL_S(2)), "over limits.wall_ns");
    assert_broken(pawl_code_execution_new("run", &small), "code execution 'run': options.size is 3");
    assert_broken(pawl_code_execution_new("", NULL), "name");
    assert_broken(pawl_code_execution_new(NULL, NULL), "name");
}

static void a_node_is_made_without_a_sandbox(void **state) {
    (void)state;
    pawl_primitive *node = pawl_code_execution("run", .timeout_ns = PAWL_S(10), .language = "js");
    assert_null(pawl_primitive_error(node));
    assert_string_equal(pawl_primitive_type(node), "code_execution");
    assert_string_equal(pawl_primitive_name(node), "run");
    pawl_primitive_unref(node);
}

static void without_memory_making_a_node_fails_and_leaks_nothing(void **state) {
    (void)state;
    for_each_failing_allocation(n) {
        pawl_primitive *node = pawl_code_execution("run", .language = "js");
        pawl_error *error = pawl_primitive_error(node);
        assert_true(!error == (allocations_failed() == 0));
        pawl_error_unref(error);
        pawl_primitive_unref(node);
    }
}

/* ---- what comes back ---- */

static pawl_execution_result *sample(void) {
    pawl_execution_result *result = pawl_execution_result_new();
    if (!result)
        return NULL;
    result->outcome = PAWL_EXECUTION_EXCEPTION;
    result->exit_status = 1;
    result->tier = "local";
    result->timings.run_ns = PAWL_MS(1500);
    result->limits.cpu_ns = PAWL_UNLIMITED;
    free(result->stdout_stream.bytes);
    result->stdout_stream = (pawl_execution_stream){4, 3, NULL};
    result->stdout_stream.bytes = calloc(1, 4);
    result->error_name = strdup("KeyError");
    result->error_value = strdup("'a'");
    result->mechanisms = strdup("user namespace, seccomp");
    result->files = calloc(1, sizeof *result->files);
    if (result->files) {
        result->file_count = 1;
        result->files[0] = (pawl_collected_file){.path = strdup("r"), .length = 1, .size = 1, .bytes = strdup("r")};
    }
    if (result->stdout_stream.bytes)
        memcpy(result->stdout_stream.bytes, "a\xff\0", 3);
    return result;
}

static void the_output_has_every_member(void **state) {
    (void)state;
    static const char *const members[] = {"version",    "success",   "outcome",     "output",  "logs",
                                          "error",      "results",   "exit_status", "signal",  "execution_time",
                                          "sandbox_id", "tier",      "mechanisms",  "timings", "resources",
                                          "bytes",      "truncated", "files",       "limits"};
    pawl_execution_result *result = sample();
    pawl_value *value = pawl_execution_result_value(result);
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        assert_non_null(pawl_value_get(value, members[i]));
    assert_int_equal(cJSON_GetArraySize(pawl_value_json(value)), sizeof members / sizeof members[0]);
    assert_true(pawl_value_get_number(value, "version", 0) == 1);
    assert_string_equal(pawl_value_get_string(value, "outcome", ""), "exception");
    assert_true(pawl_value_get_number(value, "execution_time", 0) == 1.5);
    assert_string_equal(cJSON_GetObjectItem(pawl_value_get(value, "error"), "name")->valuestring, "KeyError");
    assert_true(cJSON_IsNull(pawl_value_get(value, "signal")));
    assert_int_equal(cJSON_GetArraySize(pawl_value_get(value, "mechanisms")), 2);
    pawl_value_unref(value);
    pawl_execution_result_free(result);
}

static void bytes_that_are_no_text_stand_beside_it_in_base64(void **state) {
    (void)state;
    pawl_execution_result *result = sample();
    pawl_value *value = pawl_execution_result_value(result);
    assert_string_equal(pawl_value_get_string(value, "output", ""), "a\xef\xbf\xbd\xef\xbf\xbd");
    const cJSON *out = cJSON_GetObjectItem(pawl_value_get(value, "bytes"), "stdout");
    assert_string_equal(cJSON_GetObjectItem(out, "base64")->valuestring, "Yf8A");
    assert_int_equal(cJSON_GetObjectItem(out, "seen")->valueint, 4);
    assert_null(cJSON_GetObjectItem(cJSON_GetObjectItem(pawl_value_get(value, "bytes"), "stderr"), "base64"));
    pawl_value_unref(value);
    pawl_execution_result_free(result);
}

static void error_is_null_exactly_when_all_is_well(void **state) {
    (void)state;
    for (unsigned i = 0; i < PAWL_EXECUTION_OUTCOME_COUNT_; i++) {
        pawl_execution_result *result = pawl_execution_result_new();
        assert_non_null(result);
        result->outcome = i;
        pawl_value *value = pawl_execution_result_value(result);
        const cJSON *error = pawl_value_get(value, "error");
        assert_true(pawl_value_get_bool(value, "success", false) == (i == PAWL_EXECUTION_OK));
        assert_true(cJSON_IsNull(error) == (i == PAWL_EXECUTION_OK));
        if (i != PAWL_EXECUTION_OK)
            assert_string_equal(cJSON_GetObjectItem(error, "name")->valuestring,
                                pawl_execution_outcome_word((pawl_execution_outcome)i));
        pawl_value_unref(value);
        pawl_execution_result_free(result);
    }
}

static void without_memory_there_is_no_output_and_no_leak(void **state) {
    (void)state;
    pawl_execution_result *result = sample();
    for_each_failing_allocation(n) {
        pawl_value *value = pawl_execution_result_value(result);
        assert_true(!value == (allocations_failed() > 0));
        pawl_value_unref(value);
    }
    pawl_execution_result_free(result);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_becomes_part_of_the_request),
        cmocka_unit_test(what_an_input_leaves_out_comes_from_the_node),
        cmocka_unit_test(a_timeout_of_zero_is_zero_and_a_huge_one_is_none),
        cmocka_unit_test(bad_inputs_are_refused_by_node_field_and_remedy),
        cmocka_unit_test(what_the_node_sets_is_the_most_an_input_may_ask_for),
        cmocka_unit_test(without_memory_reading_fails_and_leaks_nothing),
        cmocka_unit_test(bad_options_make_a_failed_primitive),
        cmocka_unit_test(a_node_is_made_without_a_sandbox),
        cmocka_unit_test(without_memory_making_a_node_fails_and_leaks_nothing),
        cmocka_unit_test(the_output_has_every_member),
        cmocka_unit_test(bytes_that_are_no_text_stand_beside_it_in_base64),
        cmocka_unit_test(error_is_null_exactly_when_all_is_well),
        cmocka_unit_test(without_memory_there_is_no_output_and_no_leak),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
