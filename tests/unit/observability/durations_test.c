/* Buckets of whole nanoseconds agree with those of seconds. */
#include "durations_internal.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static const double seconds[] = {1e-6, 1e-5, 1e-4, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1,
                                 0.25, 0.5,  1,    2.5,   5,     10,   30,    60,   300};
#define COUNT (sizeof seconds / sizeof *seconds)

static void compare(const struct durations *durations, uint64_t ns) {
    size_t plainly = 0;
    while (plainly < COUNT && seconds[plainly] < (double)ns / 1e9)
        plainly++;
    assert_int_equal(durations_bucket(durations, ns), plainly);
}

static void a_duration_is_in_the_bucket_of_its_seconds(void **state) {
    (void)state;
    struct durations durations;
    pawl_durations_init(&durations, seconds, COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        compare(&durations, durations.bounds[i] - 1);
        compare(&durations, durations.bounds[i]);
        compare(&durations, durations.bounds[i] + 1);
    }
    for (unsigned digit = 0; digit < 64; digit++) {
        compare(&durations, (uint64_t)1 << digit);
        compare(&durations, ((uint64_t)1 << digit) - 1);
        compare(&durations, (uint64_t)3 << digit);
    }
    compare(&durations, UINT64_MAX);
}

static void many_bounds_within_one_power_of_two_are_passed(void **state) {
    (void)state;
    struct durations durations;
    pawl_durations_init(&durations, (double[]){5e-9, 6e-9, 7e-9}, 3);
    for (uint64_t ns = 0; ns < 10; ns++)
        assert_int_equal(durations_bucket(&durations, ns), ns <= 5 ? 0 : ns - 5 < 3 ? ns - 5 : 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_duration_is_in_the_bucket_of_its_seconds),
        cmocka_unit_test(many_bounds_within_one_power_of_two_are_passed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
