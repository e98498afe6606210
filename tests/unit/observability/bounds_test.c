/* Which bucket a value belongs to: the fast way agrees with the plain one everywhere. */
#include "bounds_internal.h"
#include "failing_malloc.h"
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static size_t plainly(const double *bounds, size_t count, double value) {
    size_t bucket = 0;
    while (bucket < count && bounds[bucket] < value)
        bucket++;
    return bucket;
}

static void compare(const struct bounds *bounds, double value) {
    assert_int_equal(bounds_bucket(bounds, value), plainly(bounds->values, bounds->count, value));
}

static void agree_around(const double *values, size_t count) {
    struct bounds bounds;
    assert_true(pawl_bounds_init(&bounds, values, count));
    for (size_t i = 0; i < count; i++) {
        compare(&bounds, values[i]);
        compare(&bounds, nextafter(values[i], INFINITY));
        compare(&bounds, nextafter(values[i], -INFINITY));
    }
    for (int exponent = -1080; exponent <= 1023; exponent++)
        for (int step = 0; step < 8; step++) {
            compare(&bounds, ldexp(1 + step / 8.0, exponent));
            compare(&bounds, -ldexp(1 + step / 8.0, exponent));
        }
    const double odd[] = {0, -0.0, DBL_MAX, -DBL_MAX, DBL_MIN, DBL_TRUE_MIN, -DBL_TRUE_MIN};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
        compare(&bounds, odd[i]);
    pawl_bounds_finish(&bounds);
}

#define AGREE(...)                                                                                                     \
    do {                                                                                                               \
        const double values[] = {__VA_ARGS__};                                                                         \
        agree_around(values, sizeof values / sizeof *values);                                                          \
    } while (0)

static void a_value_is_in_the_first_bucket_whose_bound_is_not_below_it(void **state) {
    (void)state;
    AGREE(0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10000);
    AGREE(1e-6, 1e-5, 1e-4, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300);
    AGREE(1);
    AGREE(-5, -1, 0);
    AGREE(-1, 1);
    AGREE(1, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7, 1.8, 1.9);
    AGREE(DBL_TRUE_MIN, 4 * DBL_TRUE_MIN, DBL_MIN / 2, DBL_MIN);
    AGREE(-DBL_MAX, DBL_MAX);
    agree_around(NULL, 0);
}

static void many_bounds_within_one_power_of_two_are_searched(void **state) {
    (void)state;
    double values[BOUNDS_MOST];
    for (size_t i = 0; i < BOUNDS_MOST; i++)
        values[i] = 512 + (double)i * 4;
    agree_around(values, BOUNDS_MOST);
}

static void tells_what_is_wrong_with_bounds(void **state) {
    (void)state;
    double many[BOUNDS_MOST + 1];
    for (size_t i = 0; i <= BOUNDS_MOST; i++)
        many[i] = (double)i;
    assert_null(pawl_bounds_fault(many, BOUNDS_MOST));
    assert_non_null(pawl_bounds_fault(many, BOUNDS_MOST + 1));
    assert_non_null(pawl_bounds_fault((double[]){1, 1}, 2));
    assert_non_null(pawl_bounds_fault((double[]){2, 1}, 2));
    assert_non_null(pawl_bounds_fault((double[]){1, NAN}, 2));
    assert_non_null(pawl_bounds_fault((double[]){1, INFINITY}, 2));
    assert_null(pawl_bounds_fault(NULL, 0));
}

static void lacks_memory_without_harm(void **state) {
    (void)state;
    for_each_failing_allocation(n) {
        struct bounds bounds;
        bool made = pawl_bounds_init(&bounds, (double[]){1, 2}, 2);
        assert_int_equal(made, allocations_failed() == 0);
        if (made)
            pawl_bounds_finish(&bounds);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_is_in_the_first_bucket_whose_bound_is_not_below_it),
        cmocka_unit_test(many_bounds_within_one_power_of_two_are_searched),
        cmocka_unit_test(tells_what_is_wrong_with_bounds),
        cmocka_unit_test(lacks_memory_without_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
