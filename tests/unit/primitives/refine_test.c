/* refine: why it stops, what it executes, and which failures end it. */
#include "leaves.h"
#include "refine_play.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- stop reasons ---- */

static void stops_at_the_first_full_pass(void **state) {
    (void)state;
    struct play play = {.answers = {"{\"n\": 1}", "{\"n\": 42}", "{\"n\": 42}"}};
    pawl_value *out = play_run(&play, refining(&play, .max_rounds = 9), PAWL_OK);
    expect_stop(out, "accepted", 2, 2);
    assert_float_equal(candidate_of(out), 42, 0);
    assert_int_equal(play.asked, 2);
    assert_int_equal(play.reports, 1);
    play_drop(&play, out);
}

static void gives_the_best_after_the_last_round(void **state) {
    (void)state;
    struct play play = {.answers = {"{\"n\": 10}", "{\"n\": 30}", "{\"n\": 20}"}};
    pawl_value *out = play_run(&play, refining(&play, .max_rounds = 3), PAWL_OK);
    expect_stop(out, "rounds", 3, 3);
    assert_float_equal(candidate_of(out), 30, 0);
    assert_float_equal(cJSON_GetNumberValue(cJSON_GetObjectItem(pawl_value_get(out, "attempt"), "number")), 2, 0);
    play_drop(&play, out);
}

static void does_five_rounds_unless_told(void **state) {
    (void)state;
    struct play play = {0};
    pawl_value *out = play_run(&play, refining(&play, .max_same_errors = PAWL_UNLIMITED), PAWL_OK);
    expect_stop(out, "rounds", 5, 5);
    play_drop(&play, out);
}

static void max_attempts_counts_executions_over_all_rounds(void **state) {
    (void)state;
    struct play play = {.answers = {"{\"candidates\": [{\"n\": 1}, {\"n\": 1}, {\"n\": 2}]}",
                                    "{\"candidates\": [{\"n\": 3}, {\"n\": 4, \"ms\": 5}, {\"n\": 5}, {\"n\": 6}]}"}};
    pawl_value *out = play_run(&play, refining(&play, .max_attempts = 4), PAWL_OK);
    expect_stop(out, "attempts", 2, 4);
    assert_float_equal(candidate_of(out), 4, 0); /* what ran when the budget was used up was waited for */
    assert_int_equal(play.cancelled, 0);
    play_drop(&play, out);
}

static void a_pass_among_those_that_run_when_attempts_are_used_up_is_accepted(void **state) {
    (void)state;
    struct play play = {.answers = {"{\"candidates\": [{\"n\": 42, \"ms\": 5}, {\"n\": 1}, {\"n\": 2}]}"}};
    pawl_value *out = play_run(&play, refining(&play, .max_attempts = 2), PAWL_OK);
    expect_stop(out, "accepted", 1, 2);
    play_drop(&play, out);
}

static void max_elapsed_ends_what_runs_and_keeps_the_best(void **state) {
    (void)state;
    struct play play = {.answers = {"{\"n\": 7, \"ms\": 10}", "{\"n\": 8, \"ms\": 1000}"}};
    pawl_value *out = play_run(&play, refining(&play, .max_elapsed_ns = PAWL_MS(50)), PAWL_OK);
    expect_stop(out, "elapsed", 2, 2);
    assert_float_equal(candidate_of(out), 7, 0);
    assert_int_equal(play_time.slept_ns, PAWL_MS(50));
    assert_int_equal(play.cancelled, 1);
    play_drop(&play, out);
}

static void cost_of_verdicts_and_answers_is_one_budget(void **state) {
    (void)state;
    struct play play = {.answers = {"{\"candidates\": [{\"n\": 1, \"cost\": 2}], \"cost\": 3}",
                                    "{\"n\": 2, \"cost\": 2.5}", "{\"n\": 3}"}};
    pawl_value *out = play_run(&play, refining(&play, .max_cost = 7.5), PAWL_OK);
    expect_stop(out, "budget", 2, 2);
    assert_float_equal(pawl_value_get_number(out, "cost", 0), 7.5, 0);
    play_drop(&play, out);
}

static void a_generator_may_have_no_more_ideas(void **state) {
    (void)state;
    static const char *const ends[] = {"null", "{\"done\": true}", "{\"candidates\": []}"};
    for (size_t i = 0; i < 3; i++) {
        struct play play = {.answers = {"{\"n\": 1}", ends[i]}};
        pawl_value *out = play_run(&play, refining(&play, .max_rounds = 9), PAWL_OK);
        expect_stop(out, "generator_done", 2, 1);
        play_drop(&play, out);
    }
}

static void candidates_beside_done_are_tried_first(void **state) {
    (void)state;
    struct play play = {.answers = {"{\"candidates\": [{\"n\": 1}, {\"n\": 2}], \"done\": true}"}};
    pawl_value *out = play_run(&play, refining(&play, .max_rounds = 9), PAWL_OK);
    expect_stop(out, "generator_done", 1, 2);
    play_drop(&play, out);
}

static void no_idea_at_all_is_a_result_without_candidate(void **state) {
    (void)state;
    struct play play = {.answers = {"null"}};
    pawl_value *out = play_run(&play, refining(&play, .max_rounds = 9), PAWL_OK);
    expect_stop(out, "generator_done", 1, 0);
    assert_true(cJSON_IsNull(pawl_value_get(out, "candidate")));
    assert_true(cJSON_IsNull(pawl_value_get(out, "attempt")));
    play_drop(&play, out);
}

static void failing_unless_accepted_is_an_option(void **state) {
    (void)state;
    struct play play = {.answers = {"{\"n\": 1}"}};
    pawl_value *out = play_run(&play, refining(&play, .max_rounds = 1, .fail_unless_accepted = 1), PAWL_E_EXHAUSTED);
    assert_null(out);
    assert_string_equal(play.stop_reason, "rounds"); /* the report still came */
    play_drop(&play, out);
}

/* ---- duplicates and stalls ---- */

static void a_known_candidate_is_not_executed_again(void **state) {
    (void)state;
    struct play play = {.answers = {"{\"candidates\": [{\"n\": 1, \"x\": 2}, {\"x\": 2, \"n\": 1}, {\"n\": 2}]}",
                                    "{\"candidates\": [{\"n\": 2}, {\"n\": 3}]}"}};
    pawl_value *out = play_run(&play, refining(&play, .max_rounds = 2), PAWL_OK);
    expect_stop(out, "rounds", 2, 3);
    assert_int_equal(play.executions, 3);
    assert_float_equal(pawl_value_get_number(out, "duplicates", 0), 2, 0);
    const cJSON *records = pawl_value_get(out, "attempts");
    assert_int_equal(cJSON_GetArraySize(records), 5);
    const cJSON *again = cJSON_GetArrayItem(records, 0); /* told before the first one has ended */
    assert_float_equal(cJSON_GetNumberValue(cJSON_GetObjectItem(again, "duplicate_of")), 1, 0);
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(again, "outcome")), "duplicate");
    play_drop(&play, out);
}

static void key_by_n(void *user, const pawl_value *candidate, pawl_digest *digest) {
    (void)user;
    double n = candidate_number(candidate);
    pawl_digest_add(digest, &n, sizeof n);
}

static void a_key_says_what_is_the_same(void **state) {
    (void)state;
    struct play play = {.answers = {"{\"n\": 1, \"note\": \"a\"}", "{\"n\": 1, \"note\": \"b\"}"}};
    pawl_value *out = play_run(&play, refining(&play, .max_rounds = 2, .key = key_by_n), PAWL_OK);
    expect_stop(out, "rounds", 2, 1);
    play_drop(&play, out);
}

static void a_digest_is_fnv_1a_of_128_bits(void **state) {
    (void)state;
    struct play play = {.answers = {"{\"n\": 42}"}};
    pawl_value *out = play_run(&play, refining(&play, .key = key_by_n), PAWL_OK);
    /* 42.0 is the bytes 00 00 00 00 00 00 45 40; the digest was computed with arbitrary-precision integers. */
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(pawl_value_get(out, "attempt"), "digest")),
                        "9d30c14df665995be47dda5e4de64e70");
    play_drop(&play, out);
}

static void stops_at_the_second_repeated_program(void **state) {
    (void)state;
    struct play play = {.answers = {"{\"n\": 1}", "{\"n\": 1}", "{\"n\": 2}", "{\"n\": 1}", "{\"n\": 42}"}};
    pawl_value *out = play_run(&play, refining(&play, .max_rounds = 9), PAWL_OK);
    expect_stop(out, "stalled_program", 4, 2);
    play_drop(&play, out);
}

static void repeats_may_be_allowed(void **state) {
    (void)state;
    struct play play = {.answers = {"{\"n\": 1}", "{\"n\": 1}", "{\"n\": 1}", "{\"n\": 42}"}};
    pawl_value *out = play_run(&play, refining(&play, .max_rounds = 9, .max_repeats = PAWL_UNLIMITED), PAWL_OK);
    expect_stop(out, "accepted", 4, 2);
    play_drop(&play, out);
}

static void stops_when_the_same_error_came_four_times_running(void **state) {
    (void)state;
    struct play play = {.answers = {"{\"n\": 9}", "{\"n\": 8}", "{\"n\": 7}", "{\"n\": 6}", "{\"n\": 42}"}};
    pawl_value *out = play_run(&play, refining(&play, .max_rounds = 9), PAWL_OK);
    expect_stop(out, "stalled_error", 4, 4);
    play_drop(&play, out);
}

static void a_cycle_of_errors_is_a_stall_too(void **state) {
    (void)state;
    struct play play = {.answers = {"{\"n\": 9, \"sig\": \"a\"}", "{\"n\": 8, \"sig\": \"b\"}",
                                    "{\"n\": 7, \"sig\": \"a\"}", "{\"n\": 6, \"sig\": \"b\"}",
                                    "{\"n\": 5, \"sig\": \"a\"}", "{\"n\": 42}"}};
    pawl_value *out = play_run(&play, refining(&play, .max_rounds = 9), PAWL_OK);
    expect_stop(out, "stalled_error", 5, 5); /* b was the last news; three rounds without any follow */
    play_drop(&play, out);
}

static void a_better_score_is_no_stall(void **state) {
    (void)state;
    struct play play = {
        .answers = {"{\"n\": 1}", "{\"n\": 2}", "{\"n\": 3}", "{\"n\": 4}", "{\"n\": 5}", "{\"n\": 42}"}};
    pawl_value *out = play_run(&play, refining(&play, .max_rounds = 9), PAWL_OK);
    expect_stop(out, "accepted", 6, 6);
    play_drop(&play, out);
}

static void an_attempt_without_signature_counts_for_no_stall(void **state) {
    (void)state;
    struct play play = {.answers = {"{\"n\": 9, \"sig\": \"\"}", "{\"n\": 8, \"sig\": \"\"}",
                                    "{\"n\": 7, \"sig\": \"\"}", "{\"n\": 6, \"sig\": \"\"}",
                                    "{\"n\": 5, \"sig\": \"\"}", "{\"n\": 42}"}};
    pawl_value *out = play_run(&play, refining(&play, .max_rounds = 9), PAWL_OK);
    expect_stop(out, "accepted", 6, 6);
    play_drop(&play, out);
}

/* ---- side by side ---- */

static void the_first_pass_cancels_and_joins_the_rest(void **state) {
    (void)state;
    struct play play = {.answers = {"{\"candidates\": [{\"n\": 1, \"ms\": 900}, {\"n\": 42, \"ms\": 20}, {\"n\": 2, "
                                    "\"ms\": 900}, {\"n\": 3, \"ms\": 900}]}"}};
    pawl_value *out = play_run(&play, refining(&play, .max_concurrency = 3), PAWL_OK);
    expect_stop(out, "accepted", 1, 3); /* the fourth never began */
    assert_int_equal(play_time.slept_ns, PAWL_MS(20));
    assert_int_equal(play.cancelled, 2);
    assert_int_equal(play.attempts, 3);
    assert_float_equal(candidate_of(out), 42, 0);
    play_drop(&play, out);
}

static void max_concurrency_bounds_what_runs_at_once(void **state) {
    (void)state;
    struct play play = {.answers = {"{\"candidates\": [{\"n\": 1, \"ms\": 10}, {\"n\": 2, \"ms\": 10}, {\"n\": 3, "
                                    "\"ms\": 10}, {\"n\": 4, \"ms\": 10}, {\"n\": 5, \"ms\": 10}]}",
                                    "null"}};
    pawl_value *out = play_run(&play, refining(&play, .max_concurrency = 2), PAWL_OK);
    assert_int_equal(play_time.slept_ns, PAWL_MS(30));
    play_drop(&play, out);
}

static void a_list_value_is_several_candidates(void **state) {
    (void)state;
    struct play play = {0};
    pawl_primitive *node = pawl_refine("fix", pawl_inline("generate", play_generate_list, NULL), play_trying(&play),
                                       .judge = play_judge, .user = &play);
    pawl_value *out = play_run(&play, node, PAWL_OK);
    expect_stop(out, "accepted", 1, 2);
    play_drop(&play, out);
}

static void async_executors_have_their_slots(void **state) {
    (void)state;
    struct play play = {.answers = {"{\"candidates\": [{\"n\": 1}, {\"n\": 2}, {\"n\": 3}]}", "null"}};
    struct manual_op op = {.completes = COMPLETES_AT_ONCE};
    pawl_primitive *node = pawl_refine("fix", pawl_inline("generate", play_generate, &play),
                                       manual_primitive("op", &op), .judge = play_judge, .user = &play);
    pawl_value *out = play_run(&play, node, PAWL_OK);
    expect_stop(out, "generator_done", 2, 3);
    assert_int_equal(op.starts, 3);
    play_drop(&play, out);
}

/* ---- failures ---- */

static void a_failing_candidate_is_judged_and_no_error(void **state) {
    (void)state;
    struct play play = {
        .answers = {"{\"n\": 42, \"fails\": \"failed\"}", "{\"n\": 41, \"fails\": \"timeout\"}", "{\"n\": 42}"}};
    pawl_value *out = play_run(&play, refining(&play, .max_rounds = 3), PAWL_OK);
    expect_stop(out, "accepted", 3, 3);
    play_drop(&play, out);
}

static void a_permanent_failure_of_the_executor_ends_the_node(void **state) {
    (void)state;
    struct play play = {.answers = {"{\"candidates\": [{\"n\": 1, \"ms\": 900}, {\"n\": 2, \"fails\": \"denied\"}]}"}};
    pawl_value *out = play_run(&play, refining(&play, .max_rounds = 3), PAWL_E_DENIED);
    assert_int_equal(play_time.slept_ns, 0); /* the other one was cancelled */
    assert_string_equal(play.stop_reason, "failed");
    play_drop(&play, out);
}

static void a_transient_failure_lets_the_candidate_come_again(void **state) {
    (void)state;
    struct play play = {.answers = {"{\"n\": 1}", "{\"n\": 2, \"fails\": \"unavailable\"}",
                                    "{\"n\": 2, \"fails\": \"unavailable\"}", "{\"n\": 2, \"fails\": \"unavailable\"}",
                                    "{\"n\": 2, \"fails\": \"unavailable\"}", "{\"n\": 42}"}};
    pawl_value *out = play_run(&play, refining(&play, .max_rounds = 6), PAWL_OK);
    expect_stop(out, "accepted", 6, 6); /* neither a repeat nor the same error */
    assert_float_equal(pawl_value_get_number(out, "duplicates", -1), 0, 0);
    play_drop(&play, out);
}

static void a_lost_sandbox_is_no_verdict_on_the_candidate(void **state) {
    (void)state;
    struct play play = {.answers = {"{\"n\": 41, \"lost\": true}", "{\"n\": 41, \"lost\": true}", "{\"n\": 1}"}};
    pawl_value *out = play_run(&play, refining(&play, .max_rounds = 3), PAWL_OK);
    expect_stop(out, "rounds", 3, 3);
    assert_float_equal(candidate_of(out), 1, 0);
    play_drop(&play, out);
}

static void nothing_but_transient_failures_is_an_error(void **state) {
    (void)state;
    struct play play = {.answers = {"{\"n\": 2, \"fails\": \"unavailable\"}", "!unavailable"}};
    pawl_value *out = play_run(&play, refining(&play, .max_rounds = 2), PAWL_E_EXHAUSTED);
    play_drop(&play, out);
}

static void a_transient_failure_of_the_generator_costs_a_round(void **state) {
    (void)state;
    struct play play = {.answers = {"!unavailable", "{\"n\": 1}", "!rate_limited", "{\"n\": 42}"}};
    pawl_value *out = play_run(&play, refining(&play, .max_rounds = 4), PAWL_OK);
    expect_stop(out, "accepted", 4, 2);
    play_drop(&play, out);
}

static void a_permanent_failure_of_the_generator_ends_the_node(void **state) {
    (void)state;
    struct play play = {.answers = {"{\"n\": 1}", "!protocol"}};
    pawl_value *out = play_run(&play, refining(&play, .max_rounds = 4), PAWL_E_PROTOCOL);
    play_drop(&play, out);
}

static bool never(const pawl_outcome *outcome, void *user) {
    (void)outcome, (void)user;
    return false;
}

static void which_failures_end_the_node_is_an_option(void **state) {
    (void)state;
    struct play play = {.answers = {"!protocol", "{\"n\": 1, \"fails\": \"denied\"}", "{\"n\": 42}"}};
    pawl_value *out = play_run(&play, refining(&play, .max_rounds = 4, .ends_run = never), PAWL_OK);
    expect_stop(out, "accepted", 3, 2);
    play_drop(&play, out);
}

/* The goal of the node's input beside the candidate; refuses candidate 3. */
static pawl_status prepare(void *user, pawl_value *input, pawl_value *candidate, pawl_value **ret_input,
                           pawl_error **err) {
    (void)user;
    if (candidate_number(candidate) == 3)
        return pawl_error_set(err, PAWL_E_PROTOCOL, "3 is no candidate");
    if (candidate_number(candidate) == 2)
        return PAWL_OK;
    cJSON *json = cJSON_CreateObject();
    cJSON_AddNumberToObject(json, "n", pawl_value_get_number(input, "goal", 0));
    *ret_input = pawl_value_take(json);
    return *ret_input ? PAWL_OK : pawl_error_set(err, PAWL_E_NOMEM, "no input");
}

static pawl_status judge_value(void *user, pawl_value *candidate, const pawl_outcome *outcome,
                               pawl_verdict *ret_verdict, pawl_error **err) {
    (void)user, (void)err;
    assert_true(candidate_number(candidate) != 42);
    ret_verdict->pass = candidate_number(pawl_outcome_value(outcome)) == 42;
    return PAWL_OK;
}

static void the_executors_input_can_be_made_of_input_and_candidate(void **state) {
    (void)state;
    struct play play = {.answers = {"{\"n\": 2}", "{\"n\": 1}"}};
    pawl_primitive *node = pawl_refine("fix", pawl_inline("generate", play_generate, &play), play_trying(&play),
                                       .judge = judge_value, .prepare = prepare);
    pawl_value *out = play_run(&play, node, PAWL_OK);
    expect_stop(out, "accepted", 2, 2);
    assert_float_equal(candidate_of(out), 1, 0);
    play_drop(&play, out);
}

static void a_candidate_that_cannot_be_prepared_ends_the_node(void **state) {
    (void)state;
    struct play play = {.answers = {"{\"candidates\": [{\"n\": 2, \"ms\": 900}, {\"n\": 3}]}"}};
    pawl_value *out = play_run(&play, refining(&play, .prepare = prepare), PAWL_E_PROTOCOL);
    assert_int_equal(play.executions, 0); /* the first was cancelled before its first step */
    play_drop(&play, out);
}

static void a_failing_judge_ends_the_node(void **state) {
    (void)state;
    struct play play = {.answers = {"{\"candidates\": [{\"n\": 1}, {\"n\": 2, \"ms\": 900}]}"}, .judge_fails = true};
    pawl_value *out = play_run(&play, refining(&play, .max_rounds = 4), PAWL_E_INTERNAL);
    assert_int_equal(play_time.slept_ns, 0);
    play_drop(&play, out);
}

static void failing_feedback_ends_the_node(void **state) {
    (void)state;
    struct play play = {.feedback_fails = true};
    pawl_value *out = play_run(&play, refining(&play, .feedback = play_feedback), PAWL_E_INTERNAL);
    play_drop(&play, out);
}

static void a_wild_judge_is_tamed(void **state) {
    (void)state;
    struct play play = {.answers = {"{\"n\": 1}", "{\"n\": 3}", "{\"n\": 2}"}};
    pawl_value *out = play_run(&play,
                               pawl_refine("fix", pawl_inline("generate", play_generate, &play), play_trying(&play),
                                           .judge = play_judge_wildly, .max_rounds = 3),
                               PAWL_OK);
    expect_stop(out, "rounds", 3, 3);
    assert_float_equal(candidate_of(out), 2, 0);
    const cJSON *first = cJSON_GetArrayItem(pawl_value_get(out, "attempts"), 0);
    assert_true(cJSON_IsNull(cJSON_GetObjectItem(first, "score")));
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(first, "checks")), PAWL_VERDICT_CHECKS);
    char *text = pawl_value_print(out);
    assert_non_null(text);
    free(text);
    play_drop(&play, out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stops_at_the_first_full_pass),
        cmocka_unit_test(gives_the_best_after_the_last_round),
        cmocka_unit_test(does_five_rounds_unless_told),
        cmocka_unit_test(max_attempts_counts_executions_over_all_rounds),
        cmocka_unit_test(a_pass_among_those_that_run_when_attempts_are_used_up_is_accepted),
        cmocka_unit_test(max_elapsed_ends_what_runs_and_keeps_the_best),
        cmocka_unit_test(cost_of_verdicts_and_answers_is_one_budget),
        cmocka_unit_test(a_generator_may_have_no_more_ideas),
        cmocka_unit_test(candidates_beside_done_are_tried_first),
        cmocka_unit_test(no_idea_at_all_is_a_result_without_candidate),
        cmocka_unit_test(failing_unless_accepted_is_an_option),
        cmocka_unit_test(a_known_candidate_is_not_executed_again),
        cmocka_unit_test(a_key_says_what_is_the_same),
        cmocka_unit_test(a_digest_is_fnv_1a_of_128_bits),
        cmocka_unit_test(stops_at_the_second_repeated_program),
        cmocka_unit_test(repeats_may_be_allowed),
        cmocka_unit_test(stops_when_the_same_error_came_four_times_running),
        cmocka_unit_test(a_cycle_of_errors_is_a_stall_too),
        cmocka_unit_test(a_better_score_is_no_stall),
        cmocka_unit_test(an_attempt_without_signature_counts_for_no_stall),
        cmocka_unit_test(the_first_pass_cancels_and_joins_the_rest),
        cmocka_unit_test(max_concurrency_bounds_what_runs_at_once),
        cmocka_unit_test(a_list_value_is_several_candidates),
        cmocka_unit_test(async_executors_have_their_slots),
        cmocka_unit_test(a_failing_candidate_is_judged_and_no_error),
        cmocka_unit_test(a_permanent_failure_of_the_executor_ends_the_node),
        cmocka_unit_test(a_transient_failure_lets_the_candidate_come_again),
        cmocka_unit_test(a_lost_sandbox_is_no_verdict_on_the_candidate),
        cmocka_unit_test(nothing_but_transient_failures_is_an_error),
        cmocka_unit_test(a_transient_failure_of_the_generator_costs_a_round),
        cmocka_unit_test(a_permanent_failure_of_the_generator_ends_the_node),
        cmocka_unit_test(which_failures_end_the_node_is_an_option),
        cmocka_unit_test(the_executors_input_can_be_made_of_input_and_candidate),
        cmocka_unit_test(a_candidate_that_cannot_be_prepared_ends_the_node),
        cmocka_unit_test(a_failing_judge_ends_the_node),
        cmocka_unit_test(failing_feedback_ends_the_node),
        cmocka_unit_test(a_wild_judge_is_tamed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
