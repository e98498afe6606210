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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_the_reference_sequence),
        cmocka_unit_test(seeds_by_splitmix64),
        cmocka_unit_test(one_seed_gives_one_sequence_and_near_seeds_unlike_ones),
        cmocka_unit_test(a_state_is_never_all_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
