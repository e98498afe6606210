/* The time of day of a runtime's clock. */
#include "virtual_runtime.h"

#include "engine_internal.h"
#include <setjmp.h>
#include <time.h>

#include <cmocka.h>

static int64_t wall_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void clock_and_offset_give_the_time_of_day(void **state) {
    (void)state;
    pawl_runtime *runtime = pawl_runtime_with(.seed = 1);
    int64_t before = wall_now();
    int64_t between = (int64_t)pawl_runtime_now(runtime) + pawl_runtime_wall_offset(runtime);
    int64_t after = wall_now();
    assert_in_range(between - before + 10000000, 0, after - before + 20000000); /* the two may differ by 10 ms */
    pawl_runtime_unref(runtime);
}

static void an_offset_that_has_moved_little_stays(void **state) {
    (void)state;
    assert_int_equal(pawl_wall_offset_choose(1000, 10001000), 1000);
    assert_int_equal(pawl_wall_offset_choose(1000, 10001001), 10001001);
    assert_int_equal(pawl_wall_offset_choose(1000, -9999000), 1000);
    assert_int_equal(pawl_wall_offset_choose(1000, -9999001), -9999001);
}

static void a_refresh_takes_a_date_that_was_set_over(void **state) {
    (void)state;
    pawl_runtime *runtime = pawl_runtime_with(.seed = 1);
    int64_t right = pawl_runtime_wall_offset(runtime);
    pawl_runtime_refresh_wall_offset(runtime);
    assert_true(pawl_runtime_wall_offset(runtime) == right);
    runtime->wall_offset_ns = right - INT64_C(3600000000000);
    pawl_runtime_refresh_wall_offset(runtime);
    assert_in_range(pawl_runtime_wall_offset(runtime) - right + 10000000, 0, 20000000);
    pawl_runtime_unref(runtime);
}

static void virtual_time_begins_on_one_fixed_day(void **state) {
    (void)state;
    struct fake_clock time = {0};
    pawl_runtime *runtime = virtual_runtime(&time);
    assert_true(pawl_runtime_wall_offset(runtime) == PAWL_VIRTUAL_EPOCH_NS);
    pawl_runtime_refresh_wall_offset(runtime);
    assert_true(pawl_runtime_wall_offset(runtime) == PAWL_VIRTUAL_EPOCH_NS);
    pawl_runtime_unref(runtime);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clock_and_offset_give_the_time_of_day),
        cmocka_unit_test(an_offset_that_has_moved_little_stays),
        cmocka_unit_test(a_refresh_takes_a_date_that_was_set_over),
        cmocka_unit_test(virtual_time_begins_on_one_fixed_day),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
