/* How long a retry waits, and when it does not. */
#include "probe.h"

#include <pawl/primitives/retry.h>
#include <pawl/run.h>
#include <setjmp.h>

#include <cmocka.h>

#define CLAIM(name) static void name(void **state)

/* ---- how long it waits ---- */

CLAIM(doubles_from_the_base_up_to_the_bound) {
    (void)state;
    struct bed bed;
    make_bed(&bed);
    struct probe probe = probe_in(&bed);
    expect_failure_of(pawl_retry("again", probing(&probe), .jitter = PAWL_JITTER_NONE, .max_attempts = 10), bed.ctx,
                      NULL, PAWL_E_EXHAUSTED, NULL);
    const uint64_t expected[] = {PAWL_MS(100),  PAWL_MS(200),  PAWL_MS(400), PAWL_MS(800), PAWL_MS(1600),
                                 PAWL_MS(3200), PAWL_MS(6400), PAWL_S(10),   PAWL_S(10)};
    assert_memory_equal(probe.waits, expected, sizeof expected);
    clear_bed(&bed);
}

CLAIM(zero_base_does_not_wait) {
    (void)state;
    struct bed bed;
    make_bed(&bed);
    struct probe probe = probe_in(&bed);
    expect_failure_of(pawl_retry("again", probing(&probe), .base_delay_ns = PAWL_ZERO, .max_attempts = 99), bed.ctx,
                      NULL, PAWL_E_EXHAUSTED, NULL);
    assert_int_equal(bed.time.slept_ns, 0);
    clear_bed(&bed);
}

static void expect_waits_between(uint64_t jitter, uint64_t min_delay_ns, uint64_t least, uint64_t most) {
    struct bed bed;
    make_bed(&bed);
    struct probe probe = probe_in(&bed);
    expect_failure_of(pawl_retry("again", probing(&probe), .jitter = jitter, .base_delay_ns = PAWL_S(1),
                                 .max_delay_ns = PAWL_S(1), .min_delay_ns = min_delay_ns, .max_attempts = 2000),
                      bed.ctx, NULL, PAWL_E_EXHAUSTED, NULL);
    assert_in_range(probe.least_ns, least, least + PAWL_MS(5)); /* with 2,000 draws both ends are met */
    assert_in_range(probe.most_ns, most - PAWL_MS(5), most);
    clear_bed(&bed);
}

CLAIM(full_jitter_is_anything_up_to_the_delay) {
    (void)state;
    expect_waits_between(PAWL_JITTER_FULL, 0, 0, PAWL_S(1));
}

CLAIM(equal_jitter_is_at_least_half_the_delay) {
    (void)state;
    expect_waits_between(PAWL_JITTER_EQUAL, 0, PAWL_MS(500), PAWL_S(1));
}

CLAIM(min_delay_bounds_the_jitter_from_below) {
    (void)state;
    expect_waits_between(PAWL_JITTER_FULL, PAWL_MS(300), PAWL_MS(300), PAWL_S(1));
}

CLAIM(never_comes_before_retry_after_and_starts_doubling_anew) {
    (void)state;
    struct bed bed;
    make_bed(&bed);
    struct probe probe = probe_in(&bed);
    probe.retry_after_ns = PAWL_S(3);
    expect_failure_of(pawl_retry("again", probing(&probe), .jitter = PAWL_JITTER_NONE, .max_attempts = 4), bed.ctx,
                      NULL, PAWL_E_EXHAUSTED, NULL);
    for (int i = 0; i < 3; i++)
        assert_int_equal(probe.waits[i], PAWL_S(3) + PAWL_MS(100));
    clear_bed(&bed);
}

CLAIM(tells_the_last_retry_after_when_it_gives_up) {
    (void)state;
    struct bed bed;
    pawl_error *err = NULL;
    make_bed(&bed);
    struct probe probe = probe_in(&bed);
    probe.retry_after_ns = PAWL_S(3);
    pawl_primitive *node = pawl_retry("again", probing(&probe), .max_attempts = 2);
    assert_int_equal(pawl_run(node, bed.ctx, NULL, NULL, &err), PAWL_E_EXHAUSTED);
    assert_int_equal(pawl_error_retry_after_ns(err), PAWL_S(3));
    pawl_error_unref(err), pawl_primitive_unref(node);
    clear_bed(&bed);
}

/* ---- B9: a million attempts, extreme bases ---- */

static void expect_bounded(uint64_t base, uint64_t most, uint64_t min, uint64_t jitter, uint64_t pushback,
                           uint64_t attempts) {
    struct bed bed;
    make_bed(&bed);
    struct probe probe = probe_in(&bed);
    probe.retry_after_ns = pushback;
    expect_failure_of(pawl_retry("again", probing(&probe), .base_delay_ns = base, .max_delay_ns = most,
                                 .min_delay_ns = min, .jitter = jitter, .max_attempts = attempts),
                      bed.ctx, NULL, PAWL_E_EXHAUSTED, NULL);
    assert_int_equal(probe.calls, attempts);
    assert_true(probe.least_ns >= pushback);
    assert_true(probe.most_ns - pushback <= most);
    clear_bed(&bed);
}

CLAIM(B9_no_delay_overflows_in_a_million_attempts) {
    (void)state;
    for (uint64_t jitter = PAWL_JITTER_FULL; jitter <= PAWL_JITTER_NONE; jitter++) {
        expect_bounded(1, PAWL_S(10), 0, jitter, 0, 1000000);
        expect_bounded(PAWL_S(10), PAWL_S(10), 0, jitter, PAWL_S(1), 10000);
        expect_bounded(3, UINT64_C(1) << 50, 7, jitter, 0, 1000);
        expect_bounded(UINT64_C(1) << 55, UINT64_C(1) << 57, 0, jitter, 0, 60);
        expect_bounded((UINT64_C(1) << 56) + 1, (UINT64_C(1) << 57) - 1, 0, jitter, UINT64_C(1) << 56, 60);
    }
}

CLAIM(B9_a_wait_beyond_all_time_ends_it_instead_of_wrapping) {
    (void)state;
    struct bed bed;
    make_bed(&bed);
    bed.time.now_ns = PAWL_S(5);
    struct probe probe = probe_in(&bed);
    expect_failure_of(pawl_retry("again", probing(&probe), .base_delay_ns = PAWL_UNLIMITED,
                                 .max_delay_ns = PAWL_UNLIMITED, .jitter = PAWL_JITTER_NONE),
                      bed.ctx, NULL, PAWL_E_EXHAUSTED, "the next attempt would never come");
    probe = probe_in(&bed);
    probe.retry_after_ns = UINT64_MAX;
    expect_failure_of(pawl_retry("again", probing(&probe), .max_attempts = 9), bed.ctx, NULL, PAWL_E_EXHAUSTED,
                      "the next attempt would never come");
    assert_int_equal(probe.calls, 1);
    assert_int_equal(bed.time.slept_ns, 0);
    clear_bed(&bed);
}

/* ---- B10: no overshoot ---- */

CLAIM(B10_gives_up_at_once_when_the_next_wait_would_pass_the_deadline) {
    (void)state;
    struct bed bed;
    make_bed(&bed);
    struct probe probe = probe_in(&bed);
    pawl_context_set_timeout(bed.ctx, PAWL_MS(300), NULL); /* 100 + 200: the third attempt has no time left */
    expect_failure_of(pawl_retry("again", probing(&probe), .jitter = PAWL_JITTER_NONE, .max_attempts = 9), bed.ctx,
                      NULL, PAWL_E_DEADLINE, "no time before the deadline for another attempt after 200 ms");
    assert_int_equal(probe.calls, 2);
    assert_int_equal(bed.time.now_ns, PAWL_MS(100));
    clear_bed(&bed);
}

CLAIM(B10_starts_no_attempt_after_max_elapsed) {
    (void)state;
    struct bed bed;
    make_bed(&bed);
    struct probe probe = probe_in(&bed);
    expect_failure_of(pawl_retry("again", probing(&probe), .jitter = PAWL_JITTER_NONE, .max_attempts = 9,
                                 .max_elapsed_ns = PAWL_MS(300)),
                      bed.ctx, NULL, PAWL_E_EXHAUSTED, "max_elapsed of 300 ms is used up");
    assert_int_equal(probe.calls, 3); /* at 0, 100 and exactly 300 ms */
    assert_int_equal(bed.time.now_ns, PAWL_MS(300));
    clear_bed(&bed);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(doubles_from_the_base_up_to_the_bound),
        cmocka_unit_test(zero_base_does_not_wait),
        cmocka_unit_test(full_jitter_is_anything_up_to_the_delay),
        cmocka_unit_test(equal_jitter_is_at_least_half_the_delay),
        cmocka_unit_test(min_delay_bounds_the_jitter_from_below),
        cmocka_unit_test(never_comes_before_retry_after_and_starts_doubling_anew),
        cmocka_unit_test(tells_the_last_retry_after_when_it_gives_up),
        cmocka_unit_test(B9_no_delay_overflows_in_a_million_attempts),
        cmocka_unit_test(B9_a_wait_beyond_all_time_ends_it_instead_of_wrapping),
        cmocka_unit_test(B10_gives_up_at_once_when_the_next_wait_would_pass_the_deadline),
        cmocka_unit_test(B10_starts_no_attempt_after_max_elapsed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
