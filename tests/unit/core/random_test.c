#include "random_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* From the authors' xoshiro256starstar.c, run with this state. */
static void gives_the_reference_sequence(void **state) {
    (void)state;
    struct pawl_random random = {{1, 2, 3, 4}};
    static const uint64_t expected[] = {UINT64_C(11520),
                                        UINT64_C(0),
                                        UINT64_C(1509978240),
                                        UINT64_C(1215971899390074240),
                                        UINT64_C(1216172134540287360),
                                        UINT64_C(607988272756665600)};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        assert_true(pawl_random_next(&random) == expected[i]);
}

/* The first outputs of the reference splitmix64 for the seed 1234567. */
static void seeds_by_splitmix64(void **state) {
    (void)state;
    struct pawl_random random;
    pawl_random_seed(&random, 1234567);
    assert_true(random.s[0] == UINT64_C(6457827717110365317));
    assert_true(random.s[1] == UINT64_C(3203168211198807973));
    assert_true(random.s[2] == UINT64_C(9817491932198370423));
    assert_true(random.s[3] == UINT64_C(4593380528125082431));
}

static void one_seed_gives_one_sequence_and_near_seeds_unlike_ones(void **state) {
    (void)state;
    struct pawl_random a;
    struct pawl_random b;
    struct pawl_random c;
    pawl_random_seed(&a, 0);
    pawl_random_seed(&b, 0);
    pawl_random_seed(&c, 1);
    for (int i = 0; i < 100; i++) {
        uint64_t drawn = pawl_random_next(&a);
        uint64_t other = pawl_random_next(&c);
        assert_true(drawn == pawl_random_next(&b));
        int unlike = __builtin_popcountll(drawn ^ other);
        assert_in_range(unlike, 8, 56);
    }
}

static void a_state_is_never_all_zero(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 1000; seed++) {
        struct pawl_random random;
        pawl_random_seed(&random, seed);
        assert_true(random.s[0] | random.s[1] | random.s[2] | random.s[3]);
    }
}

static void draws_below_a_bound_evenly(void **state) {
    (void)state;
    struct pawl_random random;
    pawl_random_seed(&random, 42);
    unsigned counts[10] = {0};
    for (int i = 0; i < 100000; i++)
        counts[pawl_random_below(&random, 10)]++;
    for (int i = 0; i < 10; i++)
        assert_in_range(counts[i], 9600, 10400); /* 4 standard deviations, and the seed is fixed */
}

/* 2^64 holds this bound one and a third times: a plain remainder would draw the lowest third half of the time. */
static void a_large_bound_is_drawn_without_bias(void **state) {
    (void)state;
    struct pawl_random random;
    const uint64_t third = UINT64_C(1) << 62;
    unsigned lowest = 0;
    pawl_random_seed(&random, 42);
    for (int i = 0; i < 30000; i++)
        lowest += pawl_random_below(&random, 3 * third) < third;
    assert_in_range(lowest, 9600, 10400);
}

static void the_bounds_ends_are_right(void **state) {
    (void)state;
    struct pawl_random random;
    pawl_random_seed(&random, 7);
    assert_int_equal(pawl_random_below(&random, 0), 0);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(pawl_random_below(&random, 1), 0);
        assert_true(pawl_random_below(&random, UINT64_MAX) < UINT64_MAX);
        /* Half of all draws must be thrown away here. */
        assert_true(pawl_random_below(&random, (UINT64_C(1) << 63) + 1) <= UINT64_C(1) << 63);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_the_reference_sequence),
        cmocka_unit_test(seeds_by_splitmix64),
        cmocka_unit_test(one_seed_gives_one_sequence_and_near_seeds_unlike_ones),
        cmocka_unit_test(a_state_is_never_all_zero),
        cmocka_unit_test(draws_below_a_bound_evenly),
        cmocka_unit_test(a_large_bound_is_drawn_without_bias),
        cmocka_unit_test(the_bounds_ends_are_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
