#include "engine_internal.h"
#include "failing_malloc.h"
#include "leaves.h"
#include <pawl/integrations/fix.h>

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static pawl_value *execution(const char *outcome, int status, const char *out, const char *err) {
    char *text = NULL;
    pawl_value *result = NULL;
    assert_true(
        asprintf(&text,
                 "{\"outcome\": \"%s\", \"exit_status\": %d, \"logs\": {\"stdout\": [\"%s\"], \"stderr\": "
                 "[\"%s\"]}, \"bytes\": {\"stdout\": {\"seen\": 70, \"kept\": 7}, \"stderr\": {\"seen\": 5, "
                 "\"kept\": 5}}, \"timings\": {\"queue\": 0.001, \"create\": 0.25, \"run\": 1.5}, \"error\": "
                 "%s}",
                 outcome, status, out, err,
                 strcmp(outcome, "ok") == 0 ? "null" : "{\"name\": \"E\", \"value\": \"wrong\", \"traceback\": null}") >
        0);
    assert_int_equal(pawl_value_parse(text, strlen(text), NULL, &result, NULL), PAWL_OK);
    free(text);
    return result;
}

/* Judges a value (taken); the verdict's output is given back. */
static pawl_verdict judged(pawl_judge *judge, pawl_value *result, pawl_status expected, const char *part) {
    struct pawl_outcome outcome = {.status = PAWL_OK, .value = result};
    pawl_verdict verdict = {.size = sizeof verdict, .exit_status = -1};
    pawl_error *err = NULL;
    pawl_status status = pawl_judge_run(judge, pawl_value_null(), &outcome, &verdict, &err);
    assert_int_equal(status, expected);
    if (expected != PAWL_OK)
        expect_error(err, expected, part);
    pawl_value_unref(verdict.output);
    pawl_value_unref(result);
    return verdict;
}

static void expect_pass(pawl_judge *judge, pawl_value *result) {
    pawl_verdict verdict = judged(judge, result, PAWL_OK, NULL);
    assert_true(verdict.pass);
    assert_float_equal(verdict.score, 1, 0);
    assert_string_equal(verdict.checks[0].message, "");
}

static void expect_fail(pawl_judge *judge, pawl_value *result, const char *message) {
    pawl_verdict verdict = judged(judge, result, PAWL_OK, NULL);
    assert_false(verdict.pass);
    assert_string_equal(verdict.checks[0].message, message);
    assert_true(verdict.signature[0] != '\0');
}

static void outcome_ok_passes(void **state) {
    (void)state;
    pawl_judge *judge = pawl_judge_outcome("runs");
    expect_pass(judge, execution("ok", 0, "", ""));
    expect_fail(judge, execution("exception", 1, "", ""), "outcome is exception");
    expect_fail(judge, execution("wall_timeout", 0, "", ""), "outcome is wall_timeout");
    pawl_judge_unref(judge);
}

static void an_exit_status_is_compared(void **state) {
    (void)state;
    pawl_judge *judge = pawl_judge_exit_status("exits", 3);
    expect_pass(judge, execution("nonzero_exit", 3, "", ""));
    expect_fail(judge, execution("ok", 0, "", ""), "expected exit status 3, got 0");
    expect_fail(judge, execution("signalled", -1, "", ""), "expected exit status 3, it did not end by itself");
    pawl_judge_unref(judge);
}

static void output_is_compared_without_white_space_at_line_ends(void **state) {
    (void)state;
    pawl_judge *judge = pawl_judge_output("prints", "one\ntwo\n");
    expect_pass(judge, execution("ok", 0, "one\\ntwo\\n", ""));
    expect_pass(judge, execution("ok", 0, "one  \\r\\ntwo", ""));
    expect_pass(judge, execution("ok", 0, "one\\ntwo\\n\\n\\n", ""));
    expect_fail(judge, execution("ok", 0, "one\\ntoo\\n", ""), "line 2: expected 'two', got 'too'");
    expect_fail(judge, execution("ok", 0, "one\\n", ""), "line 2: expected 'two', got ''");
    expect_fail(judge, execution("ok", 0, " one\\ntwo", ""), "line 1: expected 'one', got ' one'");
    expect_fail(judge, execution("ok", 0, "", ""), "line 1: expected 'one', got ''");
    pawl_judge_unref(judge);
}

static void the_true_output_is_judged_and_told_without_secrets(void **state) {
    (void)state;
    pawl_judge *judge = pawl_judge_output("prints", "PASSWORD=hunter2");
    expect_pass(judge, execution("ok", 0, "PASSWORD=hunter2", ""));
    expect_fail(judge, execution("ok", 0, "PASSWORD=hunter3", ""),
                "line 1: expected 'PASSWORD=[REDACTED]', got 'PASSWORD=[REDACTED]'");
    struct pawl_outcome outcome = {.status = PAWL_OK, .value = execution("ok", 0, "API_KEY=abc", "https://u:pass@h/")};
    pawl_verdict verdict = {.size = sizeof verdict};
    assert_int_equal(pawl_judge_run(judge, pawl_value_null(), &outcome, &verdict, NULL), PAWL_OK);
    assert_string_equal(pawl_value_get_string(verdict.output, "stdout", ""), "API_KEY=[REDACTED]");
    assert_string_equal(pawl_value_get_string(verdict.output, "stderr", ""), "https://u:[REDACTED]@h/");
    pawl_value_unref(verdict.output);
    pawl_value_unref(outcome.value);
    pawl_judge_unref(judge);
}

static void stderr_is_matched_by_a_pattern(void **state) {
    (void)state;
    pawl_judge *judge = pawl_judge_stderr("warns", "^warning: .*unused", false);
    pawl_judge *quiet = pawl_judge_stderr("quiet", "warning", true);
    expect_pass(judge, execution("ok", 0, "", "x\\nwarning: it is unused\\n"));
    expect_fail(judge, execution("ok", 0, "", "no"), "stderr does not match '^warning: .*unused'");
    expect_pass(quiet, execution("ok", 0, "", "no"));
    expect_fail(quiet, execution("ok", 0, "", "a warning"), "stderr matches 'warning'");
    pawl_judge_unref(judge);
    pawl_judge_unref(quiet);
}

static void a_test_that_only_prints_its_failure_has_failed(void **state) {
    (void)state;
    pawl_judge *judge = pawl_judge_test("test");
    expect_pass(judge, execution("ok", 0, "Assertion failed", ""));
    pawl_verdict verdict = judged(judge, execution("ok", 0, "", "x\\nAssertion failed: no\\n"), PAWL_OK, NULL);
    assert_false(verdict.pass);
    assert_string_equal(verdict.outcome, "check_failed");
    expect_fail(judge, execution("check_failed", 1, "", ""), "outcome is check_failed");
    pawl_judge_unref(judge);
}

static bool is_seven(void *user, const pawl_value *candidate, const pawl_value *result, char ret_message[96]) {
    assert_ptr_equal(candidate, pawl_value_null());
    assert_string_equal(user, "seven");
    if (pawl_value_get_number(result, "exit_status", 0) == 7)
        return true;
    memset(ret_message, '\xff', 96); /* neither UTF-8 nor an end */
    return false;
}

static void a_c_function_may_judge(void **state) {
    (void)state;
    pawl_judge *judge = pawl_judge_callback("seven", is_seven, (void *)"seven");
    expect_pass(judge, execution("nonzero_exit", 7, "", ""));
    pawl_verdict verdict = judged(judge, execution("ok", 0, "", ""), PAWL_OK, NULL);
    assert_false(verdict.pass);
    assert_memory_equal(verdict.checks[0].message, "\xef\xbf\xbd\xef\xbf\xbd", 6);
    assert_true(strlen(verdict.checks[0].message) < sizeof verdict.checks[0].message);
    pawl_judge_unref(judge);
}

static void all_must_pass_and_the_score_is_their_part(void **state) {
    (void)state;
    pawl_judge *judge = pawl_judge_all(
        PAWL_JUDGES(pawl_judge_outcome("runs"), pawl_judge_output("prints", "hi"), pawl_judge_exit_status("ends", 0)));
    expect_pass(judge, execution("ok", 0, "hi", ""));
    pawl_verdict verdict = judged(judge, execution("ok", 0, "ho", ""), PAWL_OK, NULL);
    assert_false(verdict.pass);
    assert_int_equal(verdict.check_count, 3);
    assert_string_equal(verdict.checks[1].name, "prints");
    assert_true(verdict.checks[0].pass && !verdict.checks[1].pass && verdict.checks[2].pass);
    assert_float_equal(verdict.score, 2.0 / 3, 1e-12);
    assert_string_equal(verdict.signature, "prints: line 1: expected 'hi', got 'ho'");
    pawl_judge_unref(judge);
}

static void a_failed_check_is_better_than_a_crash(void **state) {
    (void)state;
    pawl_judge *judge = pawl_judge_test("test");
    double failed = judged(judge, execution("check_failed", 1, "", ""), PAWL_OK, NULL).score;
    double crashed = judged(judge, execution("exception", 1, "", ""), PAWL_OK, NULL).score;
    assert_true(failed > crashed);
    assert_true(failed < 1);
    pawl_judge_unref(judge);
}

static void the_record_is_filled_from_the_execution(void **state) {
    (void)state;
    pawl_judge *judge = pawl_judge_outcome("runs");
    pawl_verdict verdict = judged(judge, execution("exception", 1, "hello", ""), PAWL_OK, NULL);
    assert_string_equal(verdict.outcome, "exception");
    assert_string_equal(verdict.signature, "exception E: wrong");
    assert_int_equal(verdict.exit_status, 1);
    assert_int_equal(verdict.out.seen_bytes, 70);
    assert_int_equal(verdict.out.kept_bytes, 7);
    assert_true(verdict.out.truncated);
    assert_false(verdict.err.truncated);
    assert_int_equal(verdict.queue_ns, PAWL_MS(1));
    assert_int_equal(verdict.create_ns, PAWL_MS(250));
    assert_int_equal(verdict.run_ns, PAWL_MS(1500));
    pawl_judge_unref(judge);
}

static void a_lost_sandbox_is_infrastructure(void **state) {
    (void)state;
    pawl_judge *judge = pawl_judge_test("test");
    assert_true(judged(judge, execution("sandbox_lost", -1, "", ""), PAWL_OK, NULL).is_infrastructure);
    assert_true(judged(judge, execution("quota", -1, "", ""), PAWL_OK, NULL).is_infrastructure);
    assert_false(judged(judge, execution("memory_limit", -1, "", ""), PAWL_OK, NULL).is_infrastructure);
    assert_false(judged(judge, execution("denied", -1, "", ""), PAWL_OK, NULL).is_infrastructure);
    pawl_judge_unref(judge);
}

static void a_failed_executor_passes_nothing(void **state) {
    (void)state;
    pawl_judge *judge = pawl_judge_outcome("runs");
    struct pawl_outcome outcome = {.status = PAWL_E_TIMEOUT, .what = "took longer than 3 s", .amount = 0};
    pawl_verdict verdict = {.size = sizeof verdict, .exit_status = -1};
    assert_int_equal(pawl_judge_run(judge, pawl_value_null(), &outcome, &verdict, NULL), PAWL_OK);
    assert_false(verdict.pass);
    assert_string_equal(verdict.outcome, "timeout");
    assert_non_null(strstr(verdict.signature, "took longer than <duration>"));
    pawl_outcome_release(&outcome);
    pawl_judge_unref(judge);
}

static void failed_judges_say_so_when_they_judge(void **state) {
    (void)state;
    pawl_judge *bad[] = {pawl_judge_stderr("p", "([", false), pawl_judge_stderr("p", NULL, false),
                         pawl_judge_callback("c", NULL, NULL), pawl_judge_all(NULL),
                         pawl_judge_all(PAWL_JUDGES(pawl_judge_all(PAWL_JUDGES(pawl_judge_test("t")))))};
    static const char *const parts[] = {"'([' is no extended regular expression", "no extended", "function is NULL",
                                        "takes 1 to 8 judges", "none of them a list"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        judged(bad[i], execution("ok", 0, "", ""), PAWL_E_INVALID, parts[i]);
        pawl_judge_unref(bad[i]);
    }
    pawl_judge *many[PAWL_VERDICT_CHECKS + 2] = {NULL};
    for (size_t i = 0; i <= PAWL_VERDICT_CHECKS; i++)
        many[i] = pawl_judge_test("t");
    pawl_judge *all = pawl_judge_all(many);
    judged(all, execution("ok", 0, "", ""), PAWL_E_INVALID, "takes 1 to 8");
    pawl_judge_unref(all);
}

static void a_value_that_is_no_execution_is_refused(void **state) {
    (void)state;
    pawl_judge *judge = pawl_judge_test("test");
    judged(judge, pawl_value_null(), PAWL_E_PROTOCOL, "has no outcome");
    pawl_judge_unref(judge);
}

static void names_are_cut_at_characters(void **state) {
    (void)state;
    pawl_judge *judge = pawl_judge_outcome("0123456789012345678901234567890\xe2\x82\xac");
    pawl_verdict verdict = judged(judge, execution("ok", 0, "", ""), PAWL_OK, NULL);
    assert_string_equal(verdict.checks[0].name, "0123456789012345678901234567890");
    pawl_judge_unref(judge);
}

static void running_out_of_memory_is_an_error(void **state) {
    (void)state;
    pawl_value *result = execution("check_failed", 1, "out", "err");
    for_each_failing_allocation(n) {
        pawl_judge *judge = pawl_judge_all(PAWL_JUDGES(pawl_judge_test("test"), pawl_judge_output("prints", "x")));
        struct pawl_outcome outcome = {.status = PAWL_OK, .value = result};
        pawl_verdict verdict = {.size = sizeof verdict};
        pawl_error *err = NULL;
        pawl_status status = pawl_judge_run(judge, pawl_value_null(), &outcome, &verdict, &err);
        if (allocations_failed() == 0)
            assert_int_equal(status, PAWL_OK);
        else
            assert_true(status == PAWL_E_NOMEM || status == PAWL_E_INVALID);
        pawl_error_unref(err);
        pawl_value_unref(verdict.output);
        pawl_judge_unref(judge);
    }
    pawl_value_unref(result);
}

static void a_test_that_was_to_prove_its_end_must(void **state) {
    (void)state;
    static const char *const said[] = {"true", "false"};
    for (int i = 0; i < 2; i++) {
        pawl_judge *judge = pawl_judge_test("test");
        char text[80];
        pawl_value *result = NULL;
        snprintf(text, sizeof text, "{\"outcome\": \"ok\", \"exit_status\": 0, \"completed\": %s}", said[i]);
        assert_int_equal(pawl_value_parse(text, strlen(text), NULL, &result, NULL), PAWL_OK);
        pawl_verdict verdict = judged(judge, result, PAWL_OK, NULL);
        assert_int_equal(verdict.pass, i == 0);
        assert_float_equal(verdict.score, i == 0, 0);
        assert_string_equal(verdict.outcome, i == 0 ? "ok" : "check_failed");
        assert_string_equal(verdict.checks[0].message, i == 0 ? "" : "the test did not run to its end");
        pawl_judge_unref(judge);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_test_that_was_to_prove_its_end_must),
        cmocka_unit_test(outcome_ok_passes),
        cmocka_unit_test(an_exit_status_is_compared),
        cmocka_unit_test(output_is_compared_without_white_space_at_line_ends),
        cmocka_unit_test(the_true_output_is_judged_and_told_without_secrets),
        cmocka_unit_test(stderr_is_matched_by_a_pattern),
        cmocka_unit_test(a_test_that_only_prints_its_failure_has_failed),
        cmocka_unit_test(a_c_function_may_judge),
        cmocka_unit_test(all_must_pass_and_the_score_is_their_part),
        cmocka_unit_test(a_failed_check_is_better_than_a_crash),
        cmocka_unit_test(the_record_is_filled_from_the_execution),
        cmocka_unit_test(a_lost_sandbox_is_infrastructure),
        cmocka_unit_test(a_failed_executor_passes_nothing),
        cmocka_unit_test(failed_judges_say_so_when_they_judge),
        cmocka_unit_test(a_value_that_is_no_execution_is_refused),
        cmocka_unit_test(names_are_cut_at_characters),
        cmocka_unit_test(running_out_of_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
