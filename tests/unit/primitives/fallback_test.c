#include "bed.h"

#include <pawl/primitives/fallback.h>
#include <pawl/primitives/function.h>
#include <pawl/primitives/retry.h>
#include <pawl/primitives/sequential.h>
#include <pawl/primitives/timeout.h>
#include <pawl/run.h>
#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

#define CLAIM(name) static void name(void **state)

/* ---- options ---- */

CLAIM(needs_two_children) {
    (void)state;
    expect_broken(pawl_fallback_new("f", PAWL_CHILDREN(passing("a")), NULL), PAWL_E_INVALID,
                  "f: fallback 'f': it has 1 children and needs at least two");
    expect_broken(pawl_fallback_new("f", NULL, NULL), PAWL_E_INVALID, "it has 0 children");
}

CLAIM(refuses_a_null_child) {
    (void)state;
    expect_broken(pawl_fallback_new("f", PAWL_CHILDREN(passing("a"), NULL), NULL), PAWL_E_INVALID, "child 2 is NULL");
}

CLAIM(refuses_a_reserve_without_limit) {
    (void)state;
    expect_broken(pawl_fallback("f", PAWL_CHILDREN(passing("a"), passing("b")), .reserve_ns = PAWL_UNLIMITED),
                  PAWL_E_INVALID, "reserve_ns without limit");
    give_back_after(pawl_fallback("f", PAWL_CHILDREN(passing("a"), passing("b")), .reserve_ns = PAWL_ZERO),
                    sound(made_));
}

CLAIM(refuses_options_it_does_not_know) {
    (void)state;
    struct {
        pawl_fallback_options known;
        uint64_t unknown;
    } options = {.known.size = sizeof options, .unknown = 1};
    expect_broken(pawl_fallback_new("f", PAWL_CHILDREN(passing("a"), passing("b")), &options.known), PAWL_E_INVALID,
                  "does not know");
    options.known.size = 1;
    expect_broken(pawl_fallback_new("f", PAWL_CHILDREN(passing("a"), passing("b")), &options.known), PAWL_E_INVALID,
                  "options.size is 1");
}

/* ---- runs ---- */

CLAIM(asks_nobody_else_when_the_first_answers) {
    (void)state;
    struct bed bed;
    atomic_size_t calls = 0;
    make_bed(&bed);
    expect_output_of(pawl_fallback_new("f", PAWL_CHILDREN(constant("a", "1"), counting("b", &calls)), NULL), bed.ctx,
                     NULL, "1");
    assert_int_equal(calls, 0);
    clear_bed(&bed);
}

CLAIM(asks_the_next_with_the_same_input) {
    (void)state;
    struct bed bed;
    struct flaky first = {.failures_left = 1}, second = {.failures_left = 1};
    make_bed(&bed);
    expect_output_of(
        pawl_fallback_new("f", PAWL_CHILDREN(flaky_primitive(&first), flaky_primitive(&second), passing("c")), NULL),
        bed.ctx, "{\"a\":[1]}", "{\"a\":[1]}");
    assert_ptr_equal(first.seen, second.seen);
    clear_bed(&bed);
}

CLAIM(keeps_both_errors_when_all_fail) {
    (void)state;
    struct bed bed;
    pawl_error *err = NULL;
    struct flaky first = {.failures_left = 1, .retry_after_ns = PAWL_S(7)};
    make_bed(&bed);
    pawl_primitive *node = pawl_fallback_new(
        "f", PAWL_CHILDREN(flaky_primitive(&first), failing("b", PAWL_E_DENIED), failing("c", PAWL_E_PROTOCOL)), NULL);
    assert_int_equal(pawl_run(node, bed.ctx, NULL, NULL, &err), PAWL_E_UNAVAILABLE);
    assert_string_equal(pawl_error_message(err),
                        "fallback 'f': none of its 3 children gave an answer; the last said: failed on purpose");
    assert_string_equal(pawl_error_path(err), "f");
    assert_string_equal(pawl_error_message(pawl_error_cause(err)), "flaky: call 1");
    assert_string_equal(pawl_error_path(pawl_error_cause(err)), "f/flaky");
    assert_int_equal(pawl_error_retry_after_ns(err), PAWL_S(7));
    assert_true(pawl_error_is_retryable(err));
    pawl_error_unref(err), pawl_primitive_unref(node);
    clear_bed(&bed);
}

CLAIM(a_cancelled_child_is_not_replaced) {
    (void)state;
    struct bed bed;
    atomic_size_t calls = 0;
    make_bed(&bed);
    expect_failure_of(
        pawl_fallback_new("f", PAWL_CHILDREN(failing("a", PAWL_E_CANCELLED), counting("b", &calls)), NULL), bed.ctx,
        NULL, PAWL_E_CANCELLED, "f/a: failed on purpose");
    assert_int_equal(calls, 0);
    clear_bed(&bed);
}

CLAIM(the_predicate_decides_about_successes_too) {
    (void)state;
    struct bed bed;
    size_t questions = 0;
    make_bed(&bed);
    expect_output_of(pawl_fallback("f", PAWL_CHILDREN(constant("a", "1"), constant("b", "2"), constant("c", "3")),
                                   .should_fall_back = whatever_succeeded, .user = &questions),
                     bed.ctx, NULL, "3"); /* nobody liked it, but it is the last */
    assert_int_equal(questions, 3);
    expect_failure_of(pawl_fallback("f", PAWL_CHILDREN(failing("a", PAWL_E_FAILED), constant("b", "2")),
                                    .should_fall_back = whatever_succeeded),
                      bed.ctx, NULL, PAWL_E_FAILED, "f/a: failed on purpose");
    expect_failure_of(pawl_fallback("f", PAWL_CHILDREN(constant("a", "1"), failing("b", PAWL_E_DENIED)),
                                    .should_fall_back = whatever_succeeded),
                      bed.ctx, NULL, PAWL_E_DENIED, "f/b: failed on purpose");
    clear_bed(&bed);
}

/* ---- time ---- */

CLAIM(starts_nobody_once_the_scope_is_over) {
    (void)state;
    struct bed bed;
    atomic_size_t calls = 0;
    make_bed(&bed);
    pawl_context_set_timeout(bed.ctx, PAWL_S(1), NULL);
    expect_failure_of(pawl_fallback_new("f", PAWL_CHILDREN(pausing("a", PAWL_S(5)), counting("b", &calls)), NULL),
                      bed.ctx, NULL, PAWL_E_DEADLINE, "f/a");
    assert_int_equal(calls, 0);
    clear_bed(&bed);
}

static pawl_status fail_late(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    (void)ctx, (void)in, (void)ret_out;
    struct fake_clock *time = user;
    time->now_ns += PAWL_S(2);
    return pawl_error_set(err, PAWL_E_UNAVAILABLE, "too late and wrong");
}

CLAIM(a_failure_that_comes_after_the_deadline_is_the_cause_of_one) {
    (void)state;
    struct bed bed;
    make_bed(&bed);
    pawl_context_set_timeout(bed.ctx, PAWL_S(1), NULL);
    expect_failure_of(
        pawl_fallback_new("f", PAWL_CHILDREN(pawl_function("a", fail_late, &bed.time), passing("b")), NULL), bed.ctx,
        NULL, PAWL_E_DEADLINE, "too late and wrong");
    clear_bed(&bed);
}

CLAIM(keeps_time_back_for_those_who_come_after) {
    (void)state;
    struct bed bed;
    make_bed(&bed);
    pawl_context_set_timeout(bed.ctx, PAWL_S(10), NULL);
    expect_output_of(
        pawl_fallback("f", PAWL_CHILDREN(pausing("a", PAWL_MIN(1)), constant("b", "2")), .reserve_ns = PAWL_S(3)),
        bed.ctx, NULL, "2");
    assert_int_equal(bed.time.now_ns, PAWL_S(7));
    clear_bed(&bed);
}

CLAIM(a_reserve_without_a_deadline_changes_nothing) {
    (void)state;
    struct bed bed;
    make_bed(&bed);
    expect_output_of(
        pawl_fallback("f", PAWL_CHILDREN(pausing("a", PAWL_MIN(1)), constant("b", "2")), .reserve_ns = PAWL_S(3)),
        bed.ctx, "1", "1");
    clear_bed(&bed);
}

CLAIM(the_last_child_has_all_the_time_there_is) {
    (void)state;
    struct bed bed;
    make_bed(&bed);
    pawl_context_set_timeout(bed.ctx, PAWL_S(10), NULL);
    expect_output_of(pawl_fallback("f", PAWL_CHILDREN(failing("a", PAWL_E_FAILED), pausing("b", PAWL_S(9))),
                                   .reserve_ns = PAWL_S(3)),
                     bed.ctx, "1", "1");
    clear_bed(&bed);
}

CLAIM(a_child_without_time_before_the_reserve_is_not_started) {
    (void)state;
    struct bed bed;
    atomic_size_t first = 0, second = 0;
    make_bed(&bed);
    bed.time.now_ns = PAWL_S(100);
    pawl_context_set_timeout(bed.ctx, PAWL_S(2), NULL);
    const uint64_t reserves[] = {PAWL_S(3), PAWL_S(1000), PAWL_UNLIMITED - 2}; /* some longer than all time so far */
    for (size_t i = 0; i < 3; i++)
        expect_output_of(
            pawl_fallback("f", PAWL_CHILDREN(counting("a", &first), counting("b", &second)), .reserve_ns = reserves[i]),
            bed.ctx, "1", "1");
    assert_int_equal(first, 0);
    assert_int_equal(second, 3);
    clear_bed(&bed);
}

static pawl_status dawdle(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    (void)ctx, (void)in, (void)ret_out, (void)err;
    ((struct fake_clock *)user)->now_ns += PAWL_S(1);
    return PAWL_OK;
}

CLAIM(looks_at_the_clock_before_it_starts_a_child_with_a_reserve) {
    (void)state;
    struct bed bed;
    atomic_size_t first = 0;
    make_bed(&bed);
    pawl_context_set_timeout(bed.ctx, PAWL_S(3), NULL);
    pawl_primitive *node =
        pawl_fallback("f", PAWL_CHILDREN(counting("a", &first), constant("b", "2")), .reserve_ns = PAWL_S(2));
    expect_output_of(pawl_sequential("s", pawl_inline("slow", dawdle, &bed.time), node), bed.ctx, "1", "2");
    assert_int_equal(first, 0);
    clear_bed(&bed);
}

CLAIM(who_used_up_the_time_before_the_reserve_has_timed_out) {
    (void)state;
    struct bed bed;
    make_bed(&bed);
    pawl_context_set_timeout(bed.ctx, PAWL_S(10), NULL);
    expect_failure_of(pawl_fallback("f", PAWL_CHILDREN(pausing("a", PAWL_MIN(1)), failing("b", PAWL_E_DENIED)),
                                    .reserve_ns = PAWL_S(3)),
                      bed.ctx, NULL, PAWL_E_TIMEOUT, "'a' used up the time before reserve_ns");
    clear_bed(&bed);
}

CLAIM(who_gave_up_before_the_reserve_is_not_said_to_have_used_it) {
    (void)state;
    struct bed bed;
    make_bed(&bed);
    pawl_context_set_timeout(bed.ctx, PAWL_S(5), NULL);
    pawl_primitive *again =
        pawl_retry("again", failing("a", PAWL_E_UNAVAILABLE), .jitter = PAWL_JITTER_NONE, .base_delay_ns = PAWL_S(3));
    expect_failure_of(pawl_fallback("f", PAWL_CHILDREN(again, failing("b", PAWL_E_FAILED)), .reserve_ns = PAWL_S(3)),
                      bed.ctx, NULL, PAWL_E_TIMEOUT,
                      "'again' gave up, since it would have passed the time before reserve_ns");
    assert_int_equal(bed.time.slept_ns, 0);
    clear_bed(&bed);
}

CLAIM(B19_a_timeout_around_it_is_told_from_its_reserve) {
    (void)state;
    struct bed bed;
    make_bed(&bed);
    pawl_primitive *inner = pawl_fallback("f", PAWL_CHILDREN(pausing("a", PAWL_MIN(1)), pausing("b", PAWL_MIN(1))),
                                          .reserve_ns = PAWL_S(3));
    expect_failure_of(pawl_timeout("limit", inner, .after_ns = PAWL_S(10)), bed.ctx, NULL, PAWL_E_TIMEOUT,
                      "limit: timeout 'limit'");
    assert_int_equal(bed.time.now_ns, PAWL_S(10));
    clear_bed(&bed);
}

CLAIM(B19_a_child_that_gave_up_for_a_timeout_around_it_makes_one) {
    (void)state;
    struct bed bed;
    make_bed(&bed);
    pawl_primitive *again =
        pawl_retry("again", failing("a", PAWL_E_UNAVAILABLE), .jitter = PAWL_JITTER_NONE, .base_delay_ns = PAWL_S(5));
    pawl_primitive *node = pawl_fallback_new("f", PAWL_CHILDREN(again, failing("b", PAWL_E_DENIED)), NULL);
    expect_failure_of(pawl_timeout("limit", node, .after_ns = PAWL_S(2)), bed.ctx, NULL, PAWL_E_TIMEOUT,
                      "limit: timeout 'limit'");
    clear_bed(&bed);
}

static pawl_status cancel_and_answer(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out,
                                     pawl_error **err) {
    (void)ctx, (void)in, (void)ret_out, (void)err;
    pawl_context_cancel(user, PAWL_CANCEL_USER, NULL);
    return PAWL_OK;
}

CLAIM(a_success_nobody_liked_is_kept_when_there_is_no_time_for_another) {
    (void)state;
    struct bed bed;
    make_bed(&bed);
    expect_output_of(pawl_fallback("f", PAWL_CHILDREN(pawl_inline("a", cancel_and_answer, bed.ctx), passing("b")),
                                   .should_fall_back = whatever_succeeded),
                     bed.ctx, "1", "1");
    clear_bed(&bed);
}

CLAIM(numbers_its_children_in_the_trace) {
    (void)state;
    struct bed bed;
    make_observed_bed(&bed);
    expect_output_of(pawl_fallback_new("f", PAWL_CHILDREN(failing("a", PAWL_E_FAILED), constant("b", "2")), NULL),
                     bed.ctx, NULL, "2");
    assert_string_equal(span_named(bed.recorder, "a")->attributes, "pawl.fallback=0");
    assert_string_equal(span_named(bed.recorder, "b")->attributes, "pawl.fallback=1");
    assert_int_equal(span_named(bed.recorder, "f")->status, PAWL_OK);
    assert_string_equal(span_named(bed.recorder, "f")->type, "fallback");
    clear_bed(&bed);
}

CLAIM(takes_no_memory_when_the_first_answers) {
    (void)state;
    give_back_after(pawl_fallback_new("f", PAWL_CHILDREN(passing("a"), passing("b")), NULL),
                    expect_no_allocation(made_, NULL));
}

/* ---- every boundary, and without memory ---- */

static pawl_primitive *make_swept(void *user, struct fake_clock *time) {
    (void)time;
    struct manual_op *op = user;
    *op = (struct manual_op){.completes = COMPLETES_ON_CANCEL};
    return pawl_fallback("f",
                         PAWL_CHILDREN(pawl_sequential("s", pausing("a", PAWL_MS(1)), failing("b", PAWL_E_FAILED)),
                                       pawl_timeout("t", manual_primitive("c", op), .after_ns = PAWL_MS(5)),
                                       sleeper("d", PAWL_MS(1))),
                         .reserve_ns = PAWL_MS(1));
}

CLAIM(B3_a_cancel_or_a_deadline_at_any_boundary_ends_it_at_once) {
    (void)state;
    struct manual_op op;
    struct sweep sweep = {.make = make_swept, .user = &op};
    sweep_cancel_and_deadline(&sweep);
}

static pawl_primitive *make_without_memory(void *user) {
    struct flaky *flaky = user;
    flaky[0] = flaky[1] = (struct flaky){.failures_left = 1};
    return pawl_fallback_new("f", PAWL_CHILDREN(flaky_primitive(&flaky[0]), flaky_primitive(&flaky[1])), NULL);
}

CLAIM(survives_every_allocation_that_fails) {
    (void)state;
    struct flaky flaky[2];
    survive_without_memory(make_without_memory, flaky, "{\"n\": 1}");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(needs_two_children),
        cmocka_unit_test(refuses_a_null_child),
        cmocka_unit_test(refuses_a_reserve_without_limit),
        cmocka_unit_test(refuses_options_it_does_not_know),
        cmocka_unit_test(asks_nobody_else_when_the_first_answers),
        cmocka_unit_test(asks_the_next_with_the_same_input),
        cmocka_unit_test(keeps_both_errors_when_all_fail),
        cmocka_unit_test(a_cancelled_child_is_not_replaced),
        cmocka_unit_test(the_predicate_decides_about_successes_too),
        cmocka_unit_test(starts_nobody_once_the_scope_is_over),
        cmocka_unit_test(a_failure_that_comes_after_the_deadline_is_the_cause_of_one),
        cmocka_unit_test(keeps_time_back_for_those_who_come_after),
        cmocka_unit_test(a_reserve_without_a_deadline_changes_nothing),
        cmocka_unit_test(the_last_child_has_all_the_time_there_is),
        cmocka_unit_test(a_child_without_time_before_the_reserve_is_not_started),
        cmocka_unit_test(who_used_up_the_time_before_the_reserve_has_timed_out),
        cmocka_unit_test(who_gave_up_before_the_reserve_is_not_said_to_have_used_it),
        cmocka_unit_test(B19_a_timeout_around_it_is_told_from_its_reserve),
        cmocka_unit_test(numbers_its_children_in_the_trace),
        cmocka_unit_test(takes_no_memory_when_the_first_answers),
        cmocka_unit_test(B3_a_cancel_or_a_deadline_at_any_boundary_ends_it_at_once),
        cmocka_unit_test(survives_every_allocation_that_fails),
        cmocka_unit_test(B19_a_child_that_gave_up_for_a_timeout_around_it_makes_one),
        cmocka_unit_test(a_success_nobody_liked_is_kept_when_there_is_no_time_for_another),
        cmocka_unit_test(looks_at_the_clock_before_it_starts_a_child_with_a_reserve),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
