/* Single-flight: one run for all who wait for the same, which belongs to those who wait. */
#include "callers.h"

#include <pawl/primitives/cache.h>
#include <pawl/primitives/function.h>
#include <pawl/primitives/sequential.h>
#include <pawl/primitives/timeout.h>
#include <pawl/run.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CLAIM(name) static void name(void **state)

/* ---- one for all ---- */

CLAIM(B14_a_thousand_callers_share_one_flight) {
    (void)state;
    struct callers *callers = make_callers(0);
    for (int i = 0; i < 1000; i++)
        call(callers, 0);
    pump(callers);
    assert_int_equal(callers->child.starts, 1);
    assert_true(land(callers, 0, PAWL_OK, "answer"));
    pump(callers);
    for (size_t i = 0; i < 1000; i++) {
        expect_ended(callers, i, PAWL_OK, "answer");
        assert_ptr_equal(callers->ended[i].value, callers->ended[0].value);
    }
    pawl_cache_stats stats = stats_of(callers);
    assert_int_equal(stats.misses, 1);
    assert_int_equal(stats.shared, 999);
    assert_int_equal(stats.stored, 1);
    clear_callers(callers);
}

CLAIM(B15_all_get_its_failure_which_is_not_stored) {
    (void)state;
    struct callers *callers = make_callers(0);
    for (int i = 0; i < 3; i++)
        call(callers, 0);
    pump(callers);
    land(callers, 0, PAWL_E_UNAVAILABLE, NULL);
    pump(callers);
    for (size_t i = 0; i < 3; i++) {
        expect_ended(callers, i, PAWL_E_UNAVAILABLE, NULL);
        assert_string_equal(pawl_error_path(callers->ended[i].error), "c/child");
    }
    call(callers, 0);
    pump(callers);
    assert_int_equal(callers->child.starts, 2);
    land(callers, 1, PAWL_OK, "answer");
    pump(callers);
    expect_ended(callers, 3, PAWL_OK, "answer");
    clear_callers(callers);
}

static pawl_status cancelled_by_itself(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out,
                                       pawl_error **err) {
    (void)user, (void)ctx, (void)in, (void)ret_out;
    return pawl_error_set(err, PAWL_E_CANCELLED, "the user pressed no");
}

CLAIM(a_child_that_says_cancelled_says_so_to_its_waiters) {
    (void)state;
    struct bed bed;
    make_bed(&bed);
    expect_failure_of(pawl_cache("c", pawl_function("no", cancelled_by_itself, NULL), .ttl_ns = 1), bed.ctx, "1",
                      PAWL_E_CANCELLED, "the user pressed no");
    clear_bed(&bed);
}

CLAIM(different_keys_fly_apart) {
    (void)state;
    struct bed bed;
    struct ended ended[2] = {{0}};
    make_bed(&bed);
    pawl_primitive *cache = pawl_cache("c", pausing("a", PAWL_S(1)), .ttl_ns = PAWL_S(10));
    pawl_context *other = pawl_context_new(bed.runtime);
    pawl_value *one = pawl_value_number(1), *two = pawl_value_number(2);
    pawl_start(cache, bed.ctx, one, note_end, &ended[0], NULL);
    pawl_start(cache, other, two, note_end, &ended[1], NULL);
    pawl_runtime_pump(bed.runtime, NULL);
    bed.time.now_ns = PAWL_S(1);
    pawl_runtime_pump(bed.runtime, NULL);
    assert_true(pawl_value_equal(ended[0].value, one));
    assert_true(pawl_value_equal(ended[1].value, two));
    release_end(&ended[0]), release_end(&ended[1]);
    pawl_value_unref(one), pawl_value_unref(two);
    pawl_context_unref(other), pawl_primitive_unref(cache);
    clear_bed(&bed);
}

/* ---- leaving ---- */

CLAIM(B14_a_leader_that_leaves_takes_nobody_along) {
    (void)state;
    struct callers *callers = make_callers(0);
    size_t leader = call(callers, 0), other = call(callers, 0);
    pump(callers);
    leave(callers, leader);
    pump(callers);
    expect_ended(callers, leader, PAWL_E_CANCELLED, NULL);
    assert_int_equal(callers->ended[other].times, 0);
    assert_int_equal(callers->child.cancels, 0);
    size_t late = call(callers, 0); /* joins it still */
    pump(callers);
    land(callers, 0, PAWL_OK, "answer");
    pump(callers);
    expect_ended(callers, other, PAWL_OK, "answer");
    expect_ended(callers, late, PAWL_OK, "answer");
    assert_int_equal(callers->child.starts, 1);
    clear_callers(callers);
}

CLAIM(each_waiter_leaves_at_its_own_deadline) {
    (void)state;
    struct callers *callers = make_callers(0);
    size_t first = call(callers, PAWL_S(2)), second = call(callers, PAWL_S(1)), third = call(callers, 0);
    pump(callers);
    assert_int_equal(callers->child.deadline_ns, PAWL_NEVER); /* nobody's deadline is the flight's */
    callers->bed.time.now_ns = PAWL_S(1);
    pump(callers);
    expect_ended(callers, second, PAWL_E_DEADLINE, NULL);
    assert_int_equal(callers->ended[first].times, 0);
    callers->bed.time.now_ns = PAWL_S(2);
    pump(callers);
    expect_ended(callers, first, PAWL_E_DEADLINE, NULL);
    land(callers, 0, PAWL_OK, "answer");
    pump(callers);
    expect_ended(callers, third, PAWL_OK, "answer");
    clear_callers(callers);
}

CLAIM(B14_the_last_to_leave_cancels_the_flight) {
    (void)state;
    struct callers *callers = make_callers(0);
    callers->child.ends_on_cancel = true;
    size_t first = call(callers, 0), second = call(callers, PAWL_S(1));
    pump(callers);
    leave(callers, first);
    pump(callers);
    assert_int_equal(callers->child.cancels, 0);
    callers->bed.time.now_ns = PAWL_S(1);
    pump(callers);
    expect_ended(callers, second, PAWL_E_DEADLINE, NULL);
    assert_int_equal(callers->child.cancels, 1);
    expect_nothing_alive(callers->bed.runtime);
    clear_callers(callers);
}

CLAIM(B14_nobody_joins_a_cancelled_flight) {
    (void)state;
    struct callers *callers = make_callers(0);
    size_t first = call(callers, 0);
    pump(callers);
    leave(callers, first);
    pump(callers);
    assert_int_equal(callers->child.cancels, 1); /* but it does not end yet */
    size_t second = call(callers, 0);
    pump(callers);
    assert_int_equal(callers->child.starts, 2);
    land(callers, 1, PAWL_OK, "new");
    pump(callers);
    expect_ended(callers, second, PAWL_OK, "new");
    land(callers, 0, PAWL_OK, "old"); /* at last, and for nobody */
    pump(callers);
    size_t third = call(callers, 0);
    pump(callers);
    expect_ended(callers, third, PAWL_OK, "new");
    assert_int_equal(stats_of(callers).stored, 1);
    clear_callers(callers);
}

/* ---- the leader is cancelled at every boundary ---- */

static void leader_leaves(void *user) {
    leave(user, 0);
}

static size_t fly_with_leader_leaving_at(size_t n, uint64_t seed) {
    struct callers *callers = make_callers(seed);
    for (int i = 0; i < 4; i++)
        call(callers, 0);
    if (n)
        at_boundary(&callers->bed.time, n, leader_leaves, callers);
    pump(callers);
    assert_int_equal(callers->child.starts, 1);
    land(callers, 0, PAWL_OK, "answer");
    pump(callers);
    for (size_t i = 1; i < 4; i++)
        expect_ended(callers, i, PAWL_OK, "answer");
    assert_true(callers->ended[0].status == PAWL_OK || callers->ended[0].status == PAWL_E_CANCELLED);
    assert_int_equal(stats_of(callers).entries, 1);
    size_t boundaries = callers->bed.time.boundaries;
    clear_callers(callers);
    return boundaries;
}

CLAIM(B14_a_leader_cancelled_at_any_boundary_poisons_nobody) {
    (void)state;
    for (uint64_t seed = 0; seed < 8; seed++)
        for (size_t n = 1, boundaries = fly_with_leader_leaving_at(0, seed); n <= boundaries; n++)
            fly_with_leader_leaving_at(n, seed);
}

static pawl_primitive *make_swept(void *user, struct fake_clock *time) {
    (void)time;
    struct manual_op *op = user;
    *op = (struct manual_op){.completes = COMPLETES_ON_CANCEL};
    return pawl_sequential(
        "s", passing("a"),
        pawl_cache("c", pawl_sequential("t", pausing("b", PAWL_MS(1)), manual_primitive("d", op)), .ttl_ns = 1));
}

CLAIM(B3_a_cancel_or_a_deadline_at_any_boundary_ends_it_and_its_flight) {
    (void)state;
    struct manual_op op;
    struct sweep sweep = {.make = make_swept, .user = &op, .when_idle = complete_when_idle};
    sweep_cancel_and_deadline(&sweep);
}

/* ---- B19: the end of the flight and of a waiter's scope, before the loop looks again ---- */

CLAIM(B19_a_success_after_a_waiters_end_does_not_count_for_it) {
    (void)state;
    struct callers *callers = make_callers(0);
    size_t first = call(callers, PAWL_S(1)), second = call(callers, 0), third = call(callers, 0);
    pump(callers);
    callers->bed.time.now_ns = PAWL_S(1);
    leave(callers, second);
    land(callers, 0, PAWL_OK, "answer");
    pump(callers);
    expect_ended(callers, first, PAWL_E_DEADLINE, NULL);
    expect_ended(callers, second, PAWL_E_CANCELLED, NULL);
    expect_ended(callers, third, PAWL_OK, "answer");
    clear_callers(callers);
}

CLAIM(B19_a_timeout_around_the_cache_is_a_timeout) {
    (void)state;
    struct bed bed;
    struct manual_op op = {.completes = COMPLETES_ON_CANCEL};
    make_bed(&bed);
    expect_failure_of(
        pawl_timeout("limit", pawl_cache("c", manual_primitive("op", &op), .ttl_ns = 1), .after_ns = PAWL_S(1)),
        bed.ctx, NULL, PAWL_E_TIMEOUT, "limit: timeout 'limit'");
    assert_int_equal(op.cancels, 1);
    clear_bed(&bed);
}

/* ---- clearing ---- */

CLAIM(a_clear_overtakes_the_flights_that_are_up) {
    (void)state;
    struct callers *callers = make_callers(0);
    size_t before = call(callers, 0);
    pump(callers);
    assert_int_equal(pawl_cache_clear(callers->cache, NULL), PAWL_OK);
    size_t after = call(callers, 0);
    pump(callers);
    assert_int_equal(callers->child.starts, 2);
    land(callers, 1, PAWL_OK, "new");
    pump(callers);
    land(callers, 0, PAWL_OK, "old");
    pump(callers);
    expect_ended(callers, before, PAWL_OK, "old");
    expect_ended(callers, after, PAWL_OK, "new");
    size_t later = call(callers, 0);
    pump(callers);
    expect_ended(callers, later, PAWL_OK, "new");
    clear_callers(callers);
}

CLAIM(a_flight_that_nobody_overtook_after_a_clear_is_not_stored) {
    (void)state;
    struct callers *callers = make_callers(0);
    size_t before = call(callers, 0);
    pump(callers);
    pawl_cache_clear(callers->cache, NULL);
    land(callers, 0, PAWL_OK, "old");
    pump(callers);
    expect_ended(callers, before, PAWL_OK, "old");
    assert_int_equal(stats_of(callers).stored, 0);
    clear_callers(callers);
}

CLAIM(the_last_to_leave_an_overtaken_flight_leaves_the_new_one_alone) {
    (void)state;
    struct callers *callers = make_callers(0);
    size_t before = call(callers, 0);
    pump(callers);
    pawl_cache_clear(callers->cache, NULL);
    size_t after = call(callers, 0);
    pump(callers);
    leave(callers, before);
    pump(callers);
    assert_int_equal(callers->child.cancels, 1);
    land(callers, 0, PAWL_OK, "old");
    land(callers, 1, PAWL_OK, "new");
    pump(callers);
    expect_ended(callers, after, PAWL_OK, "new");
    clear_callers(callers);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(B14_a_thousand_callers_share_one_flight),
        cmocka_unit_test(B15_all_get_its_failure_which_is_not_stored),
        cmocka_unit_test(a_child_that_says_cancelled_says_so_to_its_waiters),
        cmocka_unit_test(different_keys_fly_apart),
        cmocka_unit_test(B14_a_leader_that_leaves_takes_nobody_along),
        cmocka_unit_test(each_waiter_leaves_at_its_own_deadline),
        cmocka_unit_test(B14_the_last_to_leave_cancels_the_flight),
        cmocka_unit_test(B14_nobody_joins_a_cancelled_flight),
        cmocka_unit_test(B14_a_leader_cancelled_at_any_boundary_poisons_nobody),
        cmocka_unit_test(B3_a_cancel_or_a_deadline_at_any_boundary_ends_it_and_its_flight),
        cmocka_unit_test(B19_a_success_after_a_waiters_end_does_not_count_for_it),
        cmocka_unit_test(B19_a_timeout_around_the_cache_is_a_timeout),
        cmocka_unit_test(a_clear_overtakes_the_flights_that_are_up),
        cmocka_unit_test(a_flight_that_nobody_overtook_after_a_clear_is_not_stored),
        cmocka_unit_test(the_last_to_leave_an_overtaken_flight_leaves_the_new_one_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
