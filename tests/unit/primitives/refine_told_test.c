/* refine: what its generator is told, what is kept, and what cancel, deadline and a lack of memory do to it. */
#include "bed.h"
#include "failing_malloc.h"
#include "refine_play.h"

#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- what the generator is told ---- */

static void assert_told(const struct play *play, size_t round, const char *part) {
    if (!strstr(play->inputs[round - 1], part))
        fail_msg("round %zu: '%s' is not in %s", round, part, play->inputs[round - 1]);
}

static void the_generator_learns_from_the_attempts_before(void **state) {
    (void)state;
    struct play play = {.answers = {"{\"n\": 9, \"description\": \"nine\"}",
                                    "{\"candidates\": [{\"n\": 3}, {\"n\": 4}]}", "{\"n\": 42}"}};
    pawl_value *out = play_run(&play, refining(&play, .max_rounds = 3, .feedback = play_feedback), PAWL_OK);
    assert_told(&play, 1, "\"input\":{\"goal\":42}");
    assert_told(&play, 1, "\"round\":1,\"attempts\":[],\"feedback\":null,\"best\":null");
    assert_told(&play, 2, "\"feedback\":\"attempt 1 is not 42\"");
    assert_told(&play, 2, "\"best\":{\"n\":9,");
    assert_told(&play, 2, "\"description\":\"nine\"");
    assert_told(&play, 3, "\"feedback\":\"attempt 3 is not 42\""); /* of the round's best */
    assert_told(&play, 3, "\"parent\":1");
    assert_told(&play, 3, "\"candidate\":{\"n\":3}");
    assert_told(&play, 3, "\"checks\":{\"is 42\":{\"pass\":false");
    assert_told(&play, 3, "\"output\":\"some output\"");
    play_drop(&play, out);
}

static void feedback_has_a_default(void **state) {
    (void)state;
    struct play play = {.answers = {"{\"n\": 9, \"sig\": \"off by 33\"}", "null"}};
    pawl_value *out = play_run(&play, refining(&play, .max_rounds = 3), PAWL_OK);
    assert_told(&play, 2, "\"feedback\":\"check_failed: off by 33\"");
    play_drop(&play, out);
}

static void a_repeating_generator_keeps_the_last_feedback(void **state) {
    (void)state;
    struct play play = {.answers = {"{\"n\": 9}", "{\"n\": 9}", "null"}};
    pawl_value *out = play_run(&play, refining(&play, .max_rounds = 3), PAWL_OK);
    assert_told(&play, 3, "\"feedback\":\"check_failed: wrong\"");
    assert_told(&play, 3, "\"outcome\":\"duplicate\"");
    play_drop(&play, out);
}

static void the_history_is_a_window(void **state) {
    (void)state;
    struct play play = {0};
    pawl_value *out = play_run(&play, refining(&play, .max_rounds = 6, .history = 2), PAWL_OK);
    assert_told(&play, 6, "\"attempts\":[{\"number\":4,");
    assert_told(&play, 6, "\"candidate\":{\"n\":4,");
    assert_null(strstr(play.inputs[5], "\"number\":3,"));
    play_drop(&play, out);
}

static void the_history_may_be_none(void **state) {
    (void)state;
    struct play play = {0};
    pawl_value *out = play_run(&play, refining(&play, .max_rounds = 3, .history = PAWL_ZERO), PAWL_OK);
    assert_told(&play, 3, "\"attempts\":[],");
    play_drop(&play, out);
}

static void candidates_that_do_not_fit_are_left_out_of_the_history(void **state) {
    (void)state;
    struct play play = {.answers = {"{\"n\": 1, \"text\": \"short\"}",
                                    "{\"n\": 2, \"text\": \"0123456789012345678901234567890123456789\"}", "null"}};
    pawl_value *out = play_run(&play, refining(&play, .history_bytes = 60), PAWL_OK);
    assert_told(&play, 2, "\"candidate\":{\"n\":1,");
    assert_told(&play, 3, "\"candidate\":null}],");
    play_drop(&play, out);
}

static void records_are_bounded_and_the_dropped_ones_counted(void **state) {
    (void)state;
    struct play play = {0};
    pawl_value *out = play_run(&play, refining(&play, .max_rounds = 20, .max_records = 7), PAWL_OK);
    const cJSON *records = pawl_value_get(out, "attempts");
    assert_int_equal(cJSON_GetArraySize(records), 7);
    assert_float_equal(pawl_value_get_number(out, "attempts_dropped", 0), 13, 0);
    for (int i = 0; i < 7; i++)
        assert_float_equal(cJSON_GetNumberValue(cJSON_GetObjectItem(cJSON_GetArrayItem(records, i), "number")), 14 + i,
                           0);
    play_drop(&play, out);
}

static void records_may_be_fewer_than_the_history(void **state) {
    (void)state;
    struct play play = {0};
    pawl_value *out = play_run(&play, refining(&play, .max_rounds = 9, .max_records = 1, .history = 4), PAWL_OK);
    assert_told(&play, 9, "\"attempts\":[{\"number\":5,");
    assert_int_equal(cJSON_GetArraySize(pawl_value_get(out, "attempts")), 1);
    assert_float_equal(pawl_value_get_number(out, "attempts_dropped", 0), 8, 0);
    play_drop(&play, out);
}

static void digests_are_bounded_too(void **state) {
    (void)state;
    struct play play = {.answers = {"{\"n\": 1}", "{\"n\": 2}", "{\"n\": 2}", "{\"n\": 1}", "null"}};
    pawl_value *out = play_run(&play, refining(&play, .max_known = 1), PAWL_OK);
    expect_stop(out, "generator_done", 5, 3); /* 2 was not remembered, 1 was */
    play_drop(&play, out);
}

static void more_candidates_than_a_table_begins_with_are_told_apart(void **state) {
    (void)state;
    char answer[20000] = "{\"candidates\": [";
    for (int i = 0; i < 1000; i++)
        snprintf(answer + strlen(answer), sizeof answer - strlen(answer), "%s%d", i ? "," : "", i % 500 + 100);
    strcat(answer, "]}");
    struct play play = {.answers = {answer, "null"}};
    pawl_value *out = play_run(&play, refining(&play, .max_rounds = 2), PAWL_OK);
    expect_stop(out, "generator_done", 2, 500);
    assert_float_equal(pawl_value_get_number(out, "duplicates", 0), 500, 0);
    play_drop(&play, out);
}

static void an_endless_answer_is_refused(void **state) {
    (void)state;
    size_t count = 65537;
    char *answer = malloc(2 * count + 40);
    strcpy(answer, "{\"candidates\": [");
    char *at = answer + strlen(answer);
    for (size_t i = 0; i < count; i++)
        *at++ = '1', *at++ = ',';
    strcpy(at - 1, "]}");
    struct play play = {.answers = {answer}};
    pawl_value *out = play_run(&play, refining(&play, .max_rounds = 2), PAWL_E_LIMIT);
    assert_int_equal(play.executions, 0);
    free(answer);
    play_drop(&play, out);
}

static void an_answer_may_name_its_parent(void **state) {
    (void)state;
    struct play play = {.answers = {"{\"n\": 5}", "{\"n\": 4}", "{\"candidates\": [{\"n\": 3}], \"parent\": 2}",
                                    "{\"candidates\": [{\"n\": 42}], \"parent\": 77}"}};
    pawl_value *out = play_run(&play, refining(&play, .max_rounds = 4), PAWL_OK);
    const cJSON *records = pawl_value_get(out, "attempts");
    assert_float_equal(cJSON_GetNumberValue(cJSON_GetObjectItem(cJSON_GetArrayItem(records, 2), "parent")), 2, 0);
    assert_float_equal(cJSON_GetNumberValue(cJSON_GetObjectItem(cJSON_GetArrayItem(records, 3), "parent")), 1, 0);
    play_drop(&play, out);
}

/* ---- cancel, deadline, memory ---- */

#define WIDE                                                                                                           \
    "{\"candidates\": [{\"n\": 1, \"ms\": 10}, {\"n\": 2, \"ms\": 20}, {\"n\": 3, \"ms\": 5}, {\"n\": 3}, {\"n\": "    \
    "4}]}"

static struct play swept;

static pawl_primitive *make_swept(void *user, struct fake_clock *time) {
    struct play *play = user;
    (void)time;
    for (size_t i = 0; i < PLAY_ROUNDS; i++)
        free(play->inputs[i]);
    *play = (struct play){.answers = {WIDE, "{\"candidates\": [{\"n\": 5, \"ms\": 7}, {\"n\": 42, \"ms\": 9}, {\"n\": "
                                            "6, \"ms\": 900}]}"}};
    return refining(play, .max_concurrency = 3, .feedback = play_feedback);
}

static void check_swept(void *user, pawl_status status, const struct fake_clock *time) {
    struct play *play = user;
    (void)time;
    if (play->asked == 0)
        return; /* over before it began */
    assert_int_equal(play->reports, 1);
    assert_string_equal(play->stop_reason, status == PAWL_OK           ? "accepted"
                                           : status == PAWL_E_DEADLINE ? "deadline"
                                                                       : "cancelled");
    if (play->asked > 1 && status != PAWL_OK)
        assert_true(play->best >= 4); /* the best so far reached the report */
}

static void cancel_and_deadline_end_it_at_every_boundary(void **state) {
    (void)state;
    struct sweep sweep = {.make = make_swept, .check = check_swept, .user = &swept};
    sweep_cancel_and_deadline(&sweep);
    play_drop(&swept, NULL);
}

static void running_out_of_memory_anywhere_is_an_error_and_leaks_nothing(void **state) {
    (void)state;
    for_each_failing_allocation(n) {
        struct play play = {
            .answers = {"{\"candidates\": [{\"n\": 1}, {\"n\": 2}, {\"n\": 3}, {\"n\": 3}, {\"n\": 4}]}",
                        "{\"n\": 5, \"fails\": \"unavailable\"}", "{\"n\": 6}", "null"}};
        pawl_runtime *runtime = pawl_runtime_with(.seed = 1);
        pawl_context *ctx = pawl_context_new(runtime);
        pawl_primitive *node = refining(&play, .max_concurrency = 3, .feedback = play_feedback, .history = 2);
        pawl_value *out = NULL;
        pawl_error *err = NULL;
        if (ctx) {
            pawl_status status = pawl_run(node, ctx, NULL, &out, &err);
            if (allocations_failed() == 0)
                assert_int_equal(status, PAWL_OK);
            else if (status != PAWL_OK && status != PAWL_E_UNSUPPORTED) /* that is a loop without memory */
                assert_int_equal(status, PAWL_E_NOMEM);
            assert_int_equal(status == PAWL_OK, out != NULL);
        }
        pawl_error_unref(err);
        pawl_primitive_unref(node);
        pawl_context_unref(ctx);
        pawl_runtime_unref(runtime);
        play_drop(&play, out);
    }
}

/* ---- spans and options ---- */

static void spans_say_round_candidate_and_why_it_stopped(void **state) {
    (void)state;
    static struct recorder recorder;
    struct fake_clock time = {0};
    struct play play = {.answers = {"{\"n\": 1}", "{\"candidates\": [{\"n\": 2}, {\"n\": 42}]}"}};
    pawl_runtime *runtime = virtual_runtime(&time);
    record(runtime, &recorder);
    pawl_context *ctx = pawl_context_new(runtime);
    pawl_primitive *node = refining(&play, .max_rounds = 3);
    pawl_value *out = NULL;
    assert_int_equal(pawl_run(node, ctx, NULL, &out, NULL), PAWL_OK);
    assert_string_equal(nth_span_named(&recorder, "generate", 1)->attributes, "pawl.round=2");
    assert_string_equal(nth_span_named(&recorder, "try", 2)->attributes, "pawl.candidate=3 pawl.round=2");
    assert_non_null(
        strstr(span_named(&recorder, "fix")->attributes, "pawl.stop_reason=accepted pawl.rounds=2 pawl.executions=3"));
    const cJSON *record = pawl_value_get(out, "attempt");
    assert_int_equal(strlen(cJSON_GetStringValue(cJSON_GetObjectItem(record, "span_id"))), 16);
    assert_int_equal(strlen(cJSON_GetStringValue(cJSON_GetObjectItem(record, "trace_id"))), 32);
    pawl_primitive_unref(node);
    pawl_context_unref(ctx);
    pawl_runtime_unref(runtime);
    play_drop(&play, out);
}

static void spans_hold_what_was_tried_where_content_is_recorded(void **state) {
    (void)state;
    for (int recorded = 0; recorded < 2; recorded++) {
        static struct recorder recorder;
        struct fake_clock time = {0};
        struct play play = {.answers = {"{\"candidates\": [\"text\", {\"n\": 42, \"program\": \"six * 7\"}]}"}};
        pawl_runtime *runtime = virtual_runtime(&time);
        record(runtime, &recorder);
        pawl_runtime_set_content(runtime, recorded);
        pawl_context *ctx = pawl_context_new(runtime);
        pawl_primitive *node = refining(&play, .max_rounds = 1);
        pawl_value *out = NULL;
        assert_int_equal(pawl_run(node, ctx, NULL, &out, NULL), PAWL_OK);
        assert_string_equal(nth_span_named(&recorder, "try", 0)->attributes,
                            recorded ? "pawl.candidate=1 pawl.round=1 pawl.candidate.text=text"
                                     : "pawl.candidate=1 pawl.round=1");
        assert_string_equal(nth_span_named(&recorder, "try", 1)->attributes,
                            recorded ? "pawl.candidate=2 pawl.round=1 pawl.candidate.text=six * 7"
                                     : "pawl.candidate=2 pawl.round=1");
        pawl_primitive_unref(node);
        pawl_context_unref(ctx);
        pawl_runtime_unref(runtime);
        play_drop(&play, out);
    }
}

#define refused(part, ...)                                                                                             \
    expect_broken(pawl_refine("fix", passing("g"), passing("e"), .judge = play_judge_wildly, __VA_ARGS__),             \
                  PAWL_E_INVALID, part)

static void bad_options_name_the_remedy(void **state) {
    (void)state;
    expect_broken(pawl_refine_new("fix", passing("g"), passing("e"), NULL), PAWL_E_INVALID, "judge is required");
    expect_broken(pawl_refine("fix", NULL, passing("e"), .judge = play_judge_wildly), PAWL_E_INVALID,
                  "child 1 is NULL");
    expect_broken(pawl_refine("", passing("g"), passing("e"), .judge = play_judge_wildly), PAWL_E_INVALID,
                  "needs a name");
    refused("max_rounds is 0", .max_rounds = PAWL_ZERO);
    refused("max_attempts is 0", .max_attempts = PAWL_ZERO);
    refused("max_elapsed_ns is 0", .max_elapsed_ns = PAWL_ZERO);
    refused("max_concurrency is 4097; set at most 4096", .max_concurrency = 4097);
    refused("max_concurrency", .max_concurrency = PAWL_UNLIMITED);
    refused("history is 257", .history = 257);
    refused("max_records", .max_records = 65537);
    refused("max_known", .max_known = PAWL_UNLIMITED);
    refused("max_cost is -1", .max_cost = -1);
    refused("max_cost is", .max_cost = NAN);
}

static void huge_budgets_do_not_wrap(void **state) {
    (void)state;
    struct play play = {.answers = {"{\"n\": 42}"}};
    pawl_value *out =
        play_run(&play,
                 refining(&play, .max_elapsed_ns = PAWL_UNLIMITED - 2, .max_rounds = PAWL_UNLIMITED,
                          .max_attempts = PAWL_UNLIMITED, .max_cost = INFINITY, .history_bytes = PAWL_UNLIMITED),
                 PAWL_OK);
    expect_stop(out, "accepted", 1, 1);
    play_drop(&play, out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_generator_learns_from_the_attempts_before),
        cmocka_unit_test(feedback_has_a_default),
        cmocka_unit_test(a_repeating_generator_keeps_the_last_feedback),
        cmocka_unit_test(the_history_is_a_window),
        cmocka_unit_test(the_history_may_be_none),
        cmocka_unit_test(candidates_that_do_not_fit_are_left_out_of_the_history),
        cmocka_unit_test(records_are_bounded_and_the_dropped_ones_counted),
        cmocka_unit_test(records_may_be_fewer_than_the_history),
        cmocka_unit_test(digests_are_bounded_too),
        cmocka_unit_test(more_candidates_than_a_table_begins_with_are_told_apart),
        cmocka_unit_test(an_endless_answer_is_refused),
        cmocka_unit_test(an_answer_may_name_its_parent),
        cmocka_unit_test(cancel_and_deadline_end_it_at_every_boundary),
        cmocka_unit_test(running_out_of_memory_anywhere_is_an_error_and_leaks_nothing),
        cmocka_unit_test(spans_say_round_candidate_and_why_it_stopped),
        cmocka_unit_test(spans_hold_what_was_tried_where_content_is_recorded),
        cmocka_unit_test(bad_options_name_the_remedy),
        cmocka_unit_test(huge_budgets_do_not_wrap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
