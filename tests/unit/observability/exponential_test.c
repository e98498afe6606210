/* Exponential histograms: the table of the reference, ranges, scales, sums and differences. */
#include "exponential_internal.h"
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

static struct exponential_cell *new_cell(void) {
    struct exponential_cell *cell = calloc(1, sizeof *cell);
    assert_non_null(cell);
    pawl_exponential_cell_init(cell);
    return cell;
}

static struct exponential of(const double *values, size_t count) {
    struct exponential_cell *cell = new_cell();
    struct exponential data;
    for (size_t i = 0; i < count; i++)
        pawl_exponential_record(cell, values[i]);
    pawl_exponential_read(cell, &data);
    free(cell);
    return data;
}
#define OF(...) of((double[]){__VA_ARGS__}, sizeof((double[]){__VA_ARGS__}) / sizeof(double))

static uint64_t at(const struct exponential_side *side, int32_t index) {
    return index < side->low || index > side->high ? 0 : side->counts[exponential_place(index)];
}

static void finds_the_bucket_of_a_value(void **state) {
    (void)state;
    static const struct {
        double value;
        int32_t at[4]; /* scales -1, 0, 3, 20 */
    } rows[] = {
        {0.25, {-2, -3, -17, -2097153}}, {0.5, {-1, -2, -9, -1048577}}, {1, {-1, -1, -1, -1}},
        {1.5, {0, 0, 4, 613377}},        {2, {0, 0, 7, 1048575}},       {3, {0, 1, 12, 1661953}},
        {10, {1, 3, 26, 3483294}},       {1000, {4, 9, 79, 10449882}},
    };
    static const int32_t scales[] = {-1, 0, 3, 20};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t s = 0; s < 4; s++)
            assert_int_equal(pawl_exponential_index(rows[i].value, scales[s]), rows[i].at[s]);
    assert_int_equal(pawl_exponential_index(DBL_MAX, 0), 1023);
    assert_int_equal(pawl_exponential_index(DBL_MIN, 0), -1023);
    assert_int_equal(pawl_exponential_index(DBL_MAX, -10), 0);
    assert_int_equal(pawl_exponential_index(DBL_MIN, -10), -1);
}

static void a_single_value_keeps_the_finest_scale(void **state) {
    (void)state;
    struct exponential data = OF(1.5);
    assert_int_equal(data.scale, 20);
    assert_int_equal(data.sides[POSITIVE_SIDE].low, 613377);
    assert_int_equal(data.sides[POSITIVE_SIDE].high, 613377);
    assert_int_equal(pawl_exponential_count(&data), 1);
    assert_true(data.sum == 1.5 && data.min == 1.5 && data.max == 1.5);
}

static void lowers_the_scale_until_the_range_fits_160_buckets(void **state) {
    (void)state;
    struct exponential data = OF(1, 2, 4, 8); /* 3 doublings: 2^5 = 32 buckets each are 97, 2^6 would be 193 */
    assert_int_equal(data.scale, 5);
    assert_int_equal(at(&data.sides[POSITIVE_SIDE], -1), 1);
    assert_int_equal(at(&data.sides[POSITIVE_SIDE], 31), 1);
    assert_int_equal(at(&data.sides[POSITIVE_SIDE], 63), 1);
    assert_int_equal(at(&data.sides[POSITIVE_SIDE], 95), 1);
    assert_int_equal(pawl_exponential_count(&data), 4);
    data = OF(DBL_MAX, DBL_MIN);
    assert_int_equal(pawl_exponential_count(&data), 2);
    assert_true(data.sides[POSITIVE_SIDE].high - data.sides[POSITIVE_SIDE].low < EXPONENTIAL_BUCKETS);
    assert_int_equal(data.scale, -4);
}

static void zero_and_subnormals_have_their_own_count_and_negative_values_their_side(void **state) {
    (void)state;
    struct exponential data = OF(0, -0.0, DBL_MIN / 4, -1.5, -1.5, 1.5);
    assert_int_equal(data.zero_count, 3);
    assert_int_equal(at(&data.sides[NEGATIVE_SIDE], 613377), 2);
    assert_int_equal(at(&data.sides[POSITIVE_SIDE], 613377), 1);
    assert_int_equal(pawl_exponential_count(&data), 6);
    assert_true(data.min == -1.5 && data.max == 1.5);
}

static void whatever_order_values_come_in_the_data_is_the_same(void **state) {
    (void)state;
    double up[200], down[200];
    for (int i = 0; i < 200; i++)
        up[i] = down[199 - i] = pow(1.07, i - 100);
    struct exponential a = of(up, 200), b = of(down, 200);
    assert_int_equal(a.scale, b.scale);
    for (int32_t i = a.sides[0].low; i <= a.sides[0].high; i++)
        assert_int_equal(at(&a.sides[0], i), at(&b.sides[0], i));
    assert_int_equal(pawl_exponential_count(&a), 200);
}

static void a_sum_is_what_one_histogram_of_all_would_be(void **state) {
    (void)state;
    struct exponential a = OF(1, 2), b = OF(4, 8, -3, 0), all = OF(1, 2, 4, 8, -3, 0);
    pawl_exponential_add(&a, &b);
    assert_int_equal(a.scale, all.scale);
    for (int side = 0; side < 2; side++)
        for (int32_t i = all.sides[side].low; i <= all.sides[side].high; i++)
            assert_int_equal(at(&a.sides[side], i), at(&all.sides[side], i));
    assert_int_equal(pawl_exponential_count(&a), 6);
    assert_true(a.sum == 12 && a.min == -3 && a.max == 8);
    struct exponential none;
    pawl_exponential_clear(&none);
    pawl_exponential_add(&none, &a);
    assert_int_equal(pawl_exponential_count(&none), 6);
    pawl_exponential_clear(&none);
    pawl_exponential_add(&a, &none);
    assert_int_equal(pawl_exponential_count(&a), 6);
    assert_true(a.max == 8);
}

static void a_difference_is_what_came_since_even_over_a_change_of_scale(void **state) {
    (void)state;
    struct exponential_cell *cell = new_cell();
    struct exponential before, after;
    pawl_exponential_record(cell, 1.5);
    pawl_exponential_record(cell, 0);
    pawl_exponential_read(cell, &before);
    pawl_exponential_record(cell, 1000);
    pawl_exponential_record(cell, 1.5);
    pawl_exponential_read(cell, &after);
    assert_int_equal(before.scale, 20);
    assert_int_equal(after.scale, 4); /* 9.4 doublings: 16 buckets each are 150 */
    pawl_exponential_subtract(&after, &before);
    assert_int_equal(pawl_exponential_count(&after), 2);
    assert_int_equal(after.zero_count, 0);
    assert_int_equal(at(&after.sides[POSITIVE_SIDE], pawl_exponential_index(1.5, 4)), 1);
    assert_int_equal(at(&after.sides[POSITIVE_SIDE], pawl_exponential_index(1000, 4)), 1);
    assert_true(after.sum == 1001.5 && isnan(after.min));
    free(cell);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_bucket_of_a_value),
        cmocka_unit_test(a_single_value_keeps_the_finest_scale),
        cmocka_unit_test(lowers_the_scale_until_the_range_fits_160_buckets),
        cmocka_unit_test(zero_and_subnormals_have_their_own_count_and_negative_values_their_side),
        cmocka_unit_test(whatever_order_values_come_in_the_data_is_the_same),
        cmocka_unit_test(a_sum_is_what_one_histogram_of_all_would_be),
        cmocka_unit_test(a_difference_is_what_came_since_even_over_a_change_of_scale),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
