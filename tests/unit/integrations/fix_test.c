/* pawl_fix(): how it ends, and what its parts are told. */
#include "fix_play.h"

#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* ---- how it ends ---- */

static void a_repair_that_passes_both_tests_is_a_success(void **state) {
    (void)state;
    struct fix_play play = {
        .answers = {"\"a\\nx\\n\"", "{\"program\": \"a\\ncd\\n\", \"description\": \"b became cd\"}"}};
    pawl_value *out = run_fix(fixing(&play, .max_rounds = 9), TASK, PAWL_OK, NULL);
    assert_number(out, "version", 1);
    assert_flag(out, "success", true);
    assert_word(out, "outcome", "passed_holdout");
    assert_word(out, "stop_reason", "accepted");
    assert_flag(out, "ran", true);
    assert_flag(out, "passed_checks", true);
    assert_flag(out, "passed_holdout", true);
    assert_word(out, "language", "python");
    assert_word(out, "file", "program.py");
    assert_word(out, "program", "a\ncd\n");
    assert_word(out, "description", "b became cd");
    assert_word(out, "diff", "--- program.py\n+++ program.py\n@@ -1,2 +1,2 @@\n a\n-b\n+cd\n");
    assert_number(out, "executions", 2);
    assert_int_equal(play.executions, 4); /* the original and the held-back test too */
    assert_int_equal(play.attempts, 2);
    end_fix(&play, out);
}

static void a_repair_that_fails_the_held_back_test_is_none(void **state) {
    (void)state;
    struct fix_play play = {.answers = {"\"c\""}};
    pawl_value *out = run_fix(fixing(&play, .max_rounds = 9), TASK, PAWL_OK, NULL);
    assert_flag(out, "success", false);
    assert_word(out, "outcome", "passed_checks");
    assert_flag(out, "passed_checks", true);
    assert_flag(out, "passed_holdout", false);
    assert_int_equal(play.asked, 1); /* it judges once, at the end, and guides nothing */
    end_fix(&play, out);
}

static void without_a_held_back_test_the_visible_one_decides(void **state) {
    (void)state;
    struct fix_play play = {.answers = {"\"c\""}};
    pawl_value *out = run_fix(fixing(&play, .max_rounds = 9), "{\"program\": \"a\", \"test\": \"c\"}", PAWL_OK, NULL);
    assert_flag(out, "success", true);
    assert_word(out, "outcome", "passed_checks");
    assert_true(cJSON_IsNull(pawl_value_get(out, "passed_holdout")));
    assert_true(cJSON_IsNull(pawl_value_get(out, "holdout")));
    end_fix(&play, out);
}

static void a_program_that_passes_already_is_not_touched(void **state) {
    (void)state;
    struct fix_play play = {0};
    pawl_value *out = run_fix(fixing(&play, .max_rounds = 9),
                              "{\"program\": \"abc\", \"test\": \"c\", \"holdout\": \"z\"}", PAWL_OK, NULL);
    assert_word(out, "outcome", "already_passes");
    assert_word(out, "stop_reason", "already_passes");
    assert_flag(out, "passed_holdout", false);
    assert_flag(out, "success", false);
    assert_word(out, "diff", "");
    assert_number(out, "executions", 0);
    assert_int_equal(play.asked, 0);
    end_fix(&play, out);
}

static void what_could_not_be_repaired_is_a_result(void **state) {
    (void)state;
    struct fix_play play = {.answers = {"\"x\"", "\"y\"", "null"}};
    pawl_value *out = run_fix(fixing(&play, .max_rounds = 9), TASK, PAWL_OK, NULL);
    assert_flag(out, "success", false);
    assert_word(out, "outcome", "ran");
    assert_word(out, "stop_reason", "generator_done");
    assert_word(out, "program", "x"); /* the best, for want of a better one */
    assert_true(cJSON_IsNull(pawl_value_get(out, "passed_holdout")));
    end_fix(&play, out);
}

static void a_generator_without_ideas_leaves_no_program(void **state) {
    (void)state;
    struct fix_play play = {.answers = {"null"}};
    pawl_value *out = run_fix(fixing(&play, .max_rounds = 9), TASK, PAWL_OK, NULL);
    assert_word(out, "outcome", "not_run");
    assert_true(cJSON_IsNull(pawl_value_get(out, "program")));
    assert_true(cJSON_IsNull(pawl_value_get(out, "diff")));
    end_fix(&play, out);
}

/* ---- what the parts are told ---- */

static void the_generator_is_told_all_but_the_held_back_test(void **state) {
    (void)state;
    struct fix_play play = {.answers = {"null"}};
    pawl_value *out = run_fix(fixing(&play, .max_rounds = 9),
                              "{\"program\": \"a\", \"test\": \"c\", \"holdout\": \"secret\", \"files\": {\"d.csv\": "
                              "\"1,2\"}}",
                              PAWL_OK, NULL);
    assert_null(strstr(play.told, "secret"));
    assert_null(strstr(play.told, "holdout"));
    assert_non_null(
        strstr(play.told, "\"program\":\"a\",\"test\":\"c\",\"file\":\"program.py\",\"language\":\"python\""));
    assert_non_null(strstr(play.told, "\"signature\":\"check_failed AssertionError: no\""));
    assert_non_null(strstr(play.told, "\"feedback\":\"outcome: check_failed, exit status 1"));
    assert_non_null(strstr(play.told, "\"hints\":[{\"line\":2,\"weight\":1},{\"line\":3,\"weight\":2}]"));
    end_fix(&play, out);
}

static void a_test_finds_the_program_beside_it(void **state) {
    (void)state;
    struct fix_play play = {.answers = {"\"c\""}};
    pawl_value *out =
        run_fix(fixing(&play, .timeout_ns = PAWL_MS(1500)),
                "{\"program\": \"a\", \"test\": \"c\", \"file\": \"median.py\", \"files\": {\"d.csv\": \"1\", "
                "\"median.py\": \"not this one\"}}",
                PAWL_OK, NULL);
    assert_non_null(strstr(play.ran, "{\"language\":\"python\",\"timeout\":1.5,\"files\":{\"d.csv\":\"1\","
                                     "\"median.py\":\"c\",\"pawl_test.py\":\"c\"},\"code\":\""));
    assert_null(strstr(play.ran, "\"program\""));
    end_fix(&play, out);
}

static void a_test_that_did_not_run_to_its_end_does_not_pass(void **state) {
    (void)state;
    struct fix_play play = {.answers = {"\"cd\"", "null"}, .cheats = true};
    pawl_value *out = run_fix(fixing(&play, .max_rounds = 9), TASK, PAWL_OK, NULL);
    assert_flag(out, "success", false);
    assert_flag(out, "passed_checks", false);
    const cJSON *attempt = pawl_value_get(out, "attempt");
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(attempt, "outcome")), "check_failed");
    assert_float_equal(cJSON_GetNumberValue(cJSON_GetObjectItem(attempt, "score")), 0, 0);
    const cJSON *check = cJSON_GetObjectItem(cJSON_GetObjectItem(attempt, "checks"), "test");
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(check, "message")), "the test did not run to its end");
    end_fix(&play, out);
    play = (struct fix_play){.answers = {"\"cd\"", "null"}, .cheats = true};
    out = run_fix(fixing(&play, .judge = pawl_judge_outcome("any")), TASK, PAWL_OK, NULL);
    assert_flag(out, "passed_checks", false);
    end_fix(&play, out);
}

static void every_execution_has_a_number_of_its_own(void **state) {
    (void)state;
    char numbers[2][33] = {"", ""};
    for (int i = 0; i < 2; i++) {
        struct fix_play play = {.answers = {"\"c\""}};
        pawl_value *out =
            run_fix(fixing(&play, .max_rounds = 1), i ? TASK : "{\"program\": \"a\", \"test\": \"c\"}", PAWL_OK, NULL);
        snprintf(numbers[i], sizeof numbers[i], "%.32s", nonce_of(play.ran));
        assert_int_equal(strlen(numbers[i]), 32);
        end_fix(&play, out);
    }
    assert_string_not_equal(numbers[0], numbers[1]);
}

static void the_language_names_the_file(void **state) {
    (void)state;
    struct fix_play play = {.answers = {"\"c\""}};
    pawl_value *out =
        run_fix(fixing(&play, .language = "javascript"), "{\"program\": \"a\", \"test\": \"c\"}", PAWL_OK, NULL);
    assert_word(out, "file", "program.js");
    end_fix(&play, out);
    play = (struct fix_play){.answers = {"\"c\""}};
    out = run_fix(fixing(&play, .language = "javascript"),
                  "{\"program\": \"a\", \"test\": \"c\", \"language\": \"bash\"}", PAWL_OK, NULL);
    assert_word(out, "file", "program.sh");
    assert_word(out, "language", "bash");
    end_fix(&play, out);
}

static void programs_that_differ_at_line_ends_only_are_one(void **state) {
    (void)state;
    struct fix_play play = {
        .answers = {"{\"candidates\": [\"x\\ny\", \"x  \\ny\\n\", {\"program\": \"x\\r\\ny\\r\\n\"}]}", "null"}};
    pawl_value *out = run_fix(fixing(&play, .max_rounds = 9), TASK, PAWL_OK, NULL);
    assert_number(out, "executions", 1);
    assert_number(out, "duplicates", 2);
    end_fix(&play, out);
}

static bool likes_all(void *user, const pawl_value *candidate, const pawl_value *result, char ret_message[96]) {
    (void)candidate, (void)result, (void)ret_message;
    ++*(size_t *)user;
    return true;
}

static void a_judge_of_ones_own_decides(void **state) {
    (void)state;
    size_t asked = 0;
    struct fix_play play = {0};
    pawl_value *out =
        run_fix(fixing(&play, .judge = pawl_judge_callback("like", likes_all, &asked)), TASK, PAWL_OK, NULL);
    assert_word(out, "outcome", "already_passes");
    assert_int_equal(asked, 2);
    end_fix(&play, out);
}

static void the_mutator_is_the_generator_when_none_is_given(void **state) {
    (void)state;
    struct fix_play play = {0};
    pawl_value *out =
        run_fix(pawl_fix("fix", NULL, play_executor(&play), .max_concurrency = 1),
                "{\"program\": \"def less(a, b):\\n    return a > b\\n\", \"test\": \"a < b\"}", PAWL_OK, NULL);
    assert_flag(out, "success", true);
    assert_word(out, "program", "def less(a, b):\n    return a < b\n");
    assert_word(out, "description", "line 2: > became <");
    end_fix(&play, out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_repair_that_passes_both_tests_is_a_success),
        cmocka_unit_test(a_repair_that_fails_the_held_back_test_is_none),
        cmocka_unit_test(without_a_held_back_test_the_visible_one_decides),
        cmocka_unit_test(a_program_that_passes_already_is_not_touched),
        cmocka_unit_test(what_could_not_be_repaired_is_a_result),
        cmocka_unit_test(a_generator_without_ideas_leaves_no_program),
        cmocka_unit_test(the_generator_is_told_all_but_the_held_back_test),
        cmocka_unit_test(a_test_finds_the_program_beside_it),
        cmocka_unit_test(a_test_that_did_not_run_to_its_end_does_not_pass),
        cmocka_unit_test(every_execution_has_a_number_of_its_own),
        cmocka_unit_test(the_language_names_the_file),
        cmocka_unit_test(programs_that_differ_at_line_ends_only_are_one),
        cmocka_unit_test(a_judge_of_ones_own_decides),
        cmocka_unit_test(the_mutator_is_the_generator_when_none_is_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
