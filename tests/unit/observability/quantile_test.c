/* Quantiles, by hand and by the rule of histogram_quantile(). */
#include <math.h>
#include <pawl/observability/metrics_report.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void a_quantile_lies_in_proportion_within_its_bucket(void **state) {
    (void)state;
    static const struct {
        double bounds[3];
        uint64_t counts[4];
        double q, expected;
    } rows[] = {
        {{1, 2, 4}, {10, 0, 0, 0}, 0.5, 0.5},        /* 5 of 10 from 0 to 1 */
        {{1, 2, 4}, {10, 0, 0, 0}, 1, 1},            /* the bucket's end */
        {{1, 2, 4}, {10, 0, 0, 0}, 0, 0},            /* and its beginning */
        {{1, 2, 4}, {5, 5, 0, 0}, 0.5, 1},           /* just the first bucket */
        {{1, 2, 4}, {5, 5, 0, 0}, 0.75, 1.5},        /* 2.5 of 5 from 1 to 2 */
        {{1, 2, 4}, {1, 1, 8, 0}, 0.9, 3.75},        /* rank 9: 7 of 8 from 2 to 4 */
        {{1, 2, 4}, {1, 1, 8, 0}, 0.99, 3.975},      /* rank 9.9: 7.9 of 8 */
        {{1, 2, 4}, {0, 0, 1, 0}, 0.5, 3},           /* one alone: the middle */
        {{1, 2, 4}, {0, 0, 0, 7}, 0.5, 4},           /* beyond: the last finite bound */
        {{1, 2, 4}, {5, 0, 0, 5}, 0.5, 1},           /* rank 5 is reached in the first */
        {{1, 2, 4}, {5, 0, 0, 5}, 0.51, 4},          /* rank 5.1 only beyond */
        {{1, 2, 4}, {0, 10, 0, 0}, 0, 0},            /* rank 0 is reached in the first, which is empty */
        {{-1, 0, 1}, {10, 0, 0, 0}, 0.5, -1},        /* nothing is known below a bound that is not positive */
        {{-1, 0, 1}, {0, 10, 0, 0}, 0.5, -0.5},      /* 5 of 10 from -1 to 0 */
        {{0.25, 0.5, 1}, {2, 6, 2, 0}, 0.95, 0.875}, /* rank 9.5: 1.5 of 2 from 0.5 to 1 */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double got = pawl_histogram_quantile(rows[i].bounds, 3, rows[i].counts, rows[i].q);
        if (fabs(got - rows[i].expected) > 1e-12)
            fail_msg("row %zu: %g instead of %g", i, got, rows[i].expected);
    }
}

static void there_is_none_without_counts_bounds_or_a_quantile(void **state) {
    (void)state;
    const double bounds[] = {1, 2};
    assert_true(isnan(pawl_histogram_quantile(bounds, 2, (uint64_t[]){0, 0, 0}, 0.5)));
    assert_true(isnan(pawl_histogram_quantile(NULL, 0, (uint64_t[]){3}, 0.5)));
    assert_true(isnan(pawl_histogram_quantile(bounds, 2, (uint64_t[]){1, 1, 1}, -0.1)));
    assert_true(isnan(pawl_histogram_quantile(bounds, 2, (uint64_t[]){1, 1, 1}, 1.1)));
    assert_true(isnan(pawl_histogram_quantile(bounds, 2, (uint64_t[]){1, 1, 1}, NAN)));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_quantile_lies_in_proportion_within_its_bucket),
        cmocka_unit_test(there_is_none_without_counts_bounds_or_a_quantile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
