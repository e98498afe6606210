/* Options structs of older and newer callers. */
#include "leaves.h"
#include "options_internal.h"

#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

struct options {
    size_t size;
    uint64_t a, b;
};

struct newer {
    struct options known;
    uint64_t c;
};

static void null_gives_all_defaults(void **state) {
    (void)state;
    struct options set = {.size = 1, .a = 2, .b = 3};
    assert_int_equal(pawl_options_copy(&set, sizeof set, NULL, "x", NULL), PAWL_OK);
    assert_true(set.size == 0 && set.a == 0 && set.b == 0);
}

static void an_older_caller_leaves_the_rest_at_its_default(void **state) {
    (void)state;
    struct options set, given = {.size = offsetof(struct options, b), .a = 5, .b = 6};
    assert_int_equal(pawl_options_copy(&set, sizeof set, &given, "x", NULL), PAWL_OK);
    assert_true(set.a == 5 && set.b == 0);
}

static void a_newer_caller_may_leave_what_is_unknown_unset(void **state) {
    (void)state;
    struct options set;
    struct newer given = {.known = {.size = sizeof given, .a = 5}};
    assert_int_equal(pawl_options_copy(&set, sizeof set, &given, "x", NULL), PAWL_OK);
    assert_int_equal(set.a, 5);
    given.c = 1;
    pawl_error *err = NULL;
    assert_int_equal(pawl_options_copy(&set, sizeof set, &given, "retry 'r'", &err), PAWL_E_INVALID);
    expect_error(err, PAWL_E_INVALID, "retry 'r': an option is set that this library (24 bytes");
}

static void a_size_that_was_not_set_is_refused(void **state) {
    (void)state;
    struct options set, given = {.size = 0};
    for (given.size = 0; given.size < sizeof given.size; given.size++) {
        pawl_error *err = NULL;
        assert_int_equal(pawl_options_copy(&set, sizeof set, &given, "x", &err), PAWL_E_INVALID);
        expect_error(err, PAWL_E_INVALID, "x: options.size is");
    }
}

static void zero_is_the_default_and_pawl_zero_is_zero(void **state) {
    (void)state;
    assert_int_equal(pawl_option(0, 7), 7);
    assert_int_equal(pawl_option(PAWL_ZERO, 7), 0);
    assert_int_equal(pawl_option(PAWL_UNLIMITED, 7), PAWL_UNLIMITED);
    assert_int_equal(pawl_option(5, 7), 5);
}

static void a_table_resolves_options_and_names_the_one_out_of_bounds(void **state) {
    (void)state;
    uint64_t few = 0, many = 7, none = PAWL_ZERO;
    const struct pawl_option_bound table[] = {
        {"few", &few, 3, 1, 9}, {"many", &many, 1, 1, 9}, {"none", &none, 5, 0, 9}};
    pawl_error *error = NULL;
    assert_int_equal(pawl_options_bound(table, 3, "thing", &error), PAWL_OK);
    assert_int_equal(few, 3);
    assert_int_equal(many, 7);
    assert_int_equal(none, 0);
    many = 10;
    assert_int_equal(pawl_options_bound(table, 3, "thing", &error), PAWL_E_INVALID);
    assert_string_equal(pawl_error_message(error), "thing: many is 10; between 1 and 9 are allowed");
    many = PAWL_ZERO;
    assert_int_equal(pawl_options_bound(table, 3, "thing", NULL), PAWL_E_INVALID);
    pawl_error_unref(error);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_resolves_options_and_names_the_one_out_of_bounds),
        cmocka_unit_test(null_gives_all_defaults),
        cmocka_unit_test(an_older_caller_leaves_the_rest_at_its_default),
        cmocka_unit_test(a_newer_caller_may_leave_what_is_unknown_unset),
        cmocka_unit_test(a_size_that_was_not_set_is_refused),
        cmocka_unit_test(zero_is_the_default_and_pawl_zero_is_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
