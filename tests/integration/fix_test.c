/* Repairs of real programs in the real sandbox: the mutator, an external command, a held-back test, a deadline. */
#include "leaves.h"
#include "programs.h"
#include <pawl/pawl.h>

#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *read_file(const char *folder, const char *name) {
    char path[512], *text = NULL;
    size_t size = 0;
    const char *root = getenv("PAWL_SOURCE_DIR");
    snprintf(path, sizeof path, "%s/examples/programs/%s/%s", root ? root : ".", folder, name);
    FILE *in = fopen(path, "r");
    if (!in)
        fail_msg("cannot read %s", path);
    assert_true(getdelim(&text, &size, '\0', in) > 0);
    fclose(in);
    return text;
}

static pawl_value *task(const char *folder) {
    cJSON *json = cJSON_CreateObject();
    static const char *const members[] = {"program", "test", "holdout"};
    for (int i = 0; i < 3; i++) {
        char name[32], *text = (snprintf(name, sizeof name, "%s.py", members[i]), read_file(folder, name));
        cJSON_AddStringToObject(json, members[i], text);
        free(text);
    }
    return pawl_value_take(json);
}

static pawl_value *repair(pawl_primitive *fix, pawl_value *in) { /* takes both */
    pawl_context *ctx = pawl_context_new(programs_runtime());
    pawl_value *out = NULL;
    pawl_error *err = NULL;
    if (pawl_run(fix, ctx, in, &out, &err) != PAWL_OK)
        fail_msg("%s", pawl_error_message(err));
    pawl_value_unref(in);
    pawl_primitive_unref(fix);
    pawl_context_unref(ctx);
    return out;
}

static void expect_word(const pawl_value *out, const char *key, const char *word) {
    assert_string_equal(pawl_value_get_string(out, key, "?"), word);
}

static void the_mutator_repairs_a_wrong_operator(void **state) {
    (void)state;
    pawl_value *out = repair(pawl_fix("fix", NULL, NULL, .max_attempts = 400), task("roman_numerals"));
    expect_word(out, "outcome", "passed_holdout");
    expect_word(out, "stop_reason", "accepted");
    const cJSON *original = pawl_value_get(out, "original");
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(original, "outcome")), "check_failed");
    const char *diff = pawl_value_get_string(out, "diff", "");
    assert_non_null(strstr(diff, "--- program.py\n+++ program.py\n@@ "));
    pawl_value_unref(out);
}

static void a_program_beyond_one_edit_is_not_repaired(void **state) {
    (void)state;
    pawl_value *out = repair(pawl_fix("fix", NULL, NULL, .max_attempts = 60), task("csv_line"));
    assert_false(pawl_value_get_bool(out, "success", true));
    expect_word(out, "outcome", "ran");
    expect_word(out, "stop_reason", "attempts");
    assert_float_equal(pawl_value_get_number(out, "executions", 0), 60, 0);
    pawl_value_unref(out);
}

/* Answers once with nonsense, then, when told of the failure, with the right program. */
static const char *const model[] = {
    "python3", "-u", "-c",
    "import json, sys\n"
    "for line in sys.stdin:\n"
    "    told = json.loads(line)\n"
    "    assert told['version'] == 1 and 'holdout' not in told['input']\n"
    "    program = told['input']['program']\n"
    "    if told['round'] == 1:\n"
    "        answer = {'program': program + '\\nraise ValueError(\"not yet\")\\n'}\n"
    "    else:\n"
    "        assert 'ValueError: not yet' in told['feedback'], told['feedback']\n"
    "        assert 'not yet' in told['attempts'][0]['candidate']['program']\n"
    "        answer = {'program': program.replace(']) // 2', ']) / 2'), 'description': 'divide truly'}\n"
    "    print(json.dumps(answer))\n",
    NULL};

static void an_external_command_learns_from_feedback(void **state) {
    (void)state;
    pawl_value *out =
        repair(pawl_fix("fix", pawl_command_generator("model", .argv = model), NULL, .max_rounds = 3), task("median"));
    expect_word(out, "outcome", "passed_holdout");
    expect_word(out, "description", "divide truly");
    assert_float_equal(pawl_value_get_number(out, "rounds", 0), 2, 0);
    const cJSON *first = cJSON_GetArrayItem(pawl_value_get(out, "attempts"), 0);
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(first, "outcome")), "exception");
    pawl_value_unref(out);
}

static void a_right_program_is_left_alone(void **state) {
    (void)state;
    pawl_value *in = NULL;
    const char *text =
        "{\"program\": \"def f():\\n    return 1\\n\", \"test\": \"from program import f\\nassert f() == 1\\n\"}";
    assert_int_equal(pawl_value_parse(text, strlen(text), NULL, &in, NULL), PAWL_OK);
    pawl_value *out = repair(pawl_fix("fix", NULL, NULL, .max_attempts = 5), in);
    expect_word(out, "outcome", "already_passes");
    pawl_value_unref(out);
}

static void javascript_that_only_prints_its_failed_assertion_is_repaired(void **state) {
    (void)state;
    pawl_value *in = NULL;
    const char *text = "{\"language\": \"javascript\", \"program\": \"function less(a, b) {\\n    return a > "
                       "b;\\n}\\nmodule.exports = less;\\n\", \"test\": \"const less = "
                       "require('./program.js');\\nconsole.assert(less(1, 2));\\nconsole.assert(!less(2, "
                       "1));\\nconsole.assert(!less(1, 1));\\n\"}";
    assert_int_equal(pawl_value_parse(text, strlen(text), NULL, &in, NULL), PAWL_OK);
    pawl_value *out = repair(pawl_fix("fix", NULL, NULL, .max_attempts = 100), in);
    expect_word(out, "outcome", "passed_checks");
    assert_non_null(strstr(pawl_value_get_string(out, "diff", ""), "+    return a < b;\n"));
    pawl_value_unref(out);
}

static void loops_that_never_end_are_cut_off_and_a_deadline_ends_it_all(void **state) {
    (void)state;
    pawl_value *in = task("binary_search");
    pawl_context *ctx = pawl_context_new(programs_runtime());
    pawl_primitive *fix = pawl_fix("fix", NULL, NULL, .timeout_ns = PAWL_S(20));
    assert_int_equal(pawl_context_set_timeout(ctx, PAWL_S(1), NULL), PAWL_OK);
    uint64_t began = pawl_context_now(ctx);
    assert_int_equal(pawl_run(fix, ctx, in, NULL, NULL), PAWL_E_DEADLINE);
    assert_true(pawl_context_now(ctx) - began < PAWL_S(8));
    pawl_primitive_unref(fix);
    pawl_context_unref(ctx);
    pawl_value_unref(in);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_mutator_repairs_a_wrong_operator),
        cmocka_unit_test(a_program_beyond_one_edit_is_not_repaired),
        cmocka_unit_test(an_external_command_learns_from_feedback),
        cmocka_unit_test(a_right_program_is_left_alone),
        cmocka_unit_test(javascript_that_only_prints_its_failed_assertion_is_repaired),
        cmocka_unit_test(loops_that_never_end_are_cut_off_and_a_deadline_ends_it_all),
    };
    return cmocka_run_group_tests(tests, start_programs, stop_programs);
}
