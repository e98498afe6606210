#include "bag_internal.h"
#include "failing_malloc.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void keeps_order_and_counts_bytes(void **state) {
    (void)state;
    struct pawl_bag bag = {0};
    static const char *const keys[] = {"c", "a", "b", "e", "d", "f"};
    for (size_t i = 0; i < 6; i++)
        assert_true(pawl_bag_put(&bag, keys[i], "v", "", 10));
    assert_true(pawl_bag_put(&bag, "a", "other", "p", 3));
    assert_int_equal(bag.count, 6);
    assert_int_equal(bag.bytes, 53);
    for (size_t i = 0; i < 6; i++)
        assert_string_equal(bag.entries[i]->key, keys[i]);
    assert_string_equal(pawl_bag_find(&bag, "a")->value, "other");
    assert_string_equal(pawl_bag_find(&bag, "a")->properties, "p");
    pawl_bag_remove(&bag, "a");
    pawl_bag_remove(&bag, "a");
    pawl_bag_remove(&bag, "f");
    assert_null(pawl_bag_find(&bag, "a"));
    assert_int_equal(bag.count, 4);
    assert_int_equal(bag.bytes, 40);
    assert_string_equal(bag.entries[1]->key, "b");
    pawl_bag_clear(&bag);
    assert_int_equal(bag.count + bag.bytes + bag.capacity, 0);
}

static void sets_gets_and_removes_tags(void **state) {
    (void)state;
    struct pawl_bag *tags = NULL;
    assert_int_equal(pawl_tags_set(&tags, "x", NULL, NULL), PAWL_OK);
    assert_null(tags);
    assert_null(pawl_tags_get(NULL, "x"));
    assert_int_equal(pawl_tags_set(&tags, "team", "a\xc3\xa9", NULL), PAWL_OK);
    assert_int_equal(pawl_tags_set(&tags, "empty", "", NULL), PAWL_OK);
    assert_string_equal(pawl_tags_get(tags, "team"), "a\xc3\xa9");
    assert_string_equal(pawl_tags_get(tags, "empty"), "");
    assert_null(pawl_tags_get(tags, NULL));
    assert_int_equal(pawl_tags_set(&tags, "team", NULL, NULL), PAWL_OK);
    assert_null(pawl_tags_get(tags, "team"));
    pawl_tags_free(tags);
    pawl_tags_free(NULL);
}

static void refuses_bad_tags_and_says_why(void **state) {
    (void)state;
    struct pawl_bag *tags = NULL;
    pawl_error *err = NULL;
    char longest[258];
    memset(longest, 'x', sizeof longest);
    longest[257] = '\0';
    assert_int_equal(pawl_tags_set(&tags, NULL, "v", &err), PAWL_E_INVALID);
    assert_int_equal(pawl_tags_set(&tags, "", "v", &err), PAWL_E_INVALID);
    assert_int_equal(pawl_tags_set(&tags, "k", "\xff", &err), PAWL_E_INVALID);
    assert_int_equal(pawl_tags_set(&tags, "\xff", "v", &err), PAWL_E_INVALID);
    assert_int_equal(pawl_tags_set(&tags, longest, "v", &err), PAWL_E_LIMIT);
    assert_int_equal(pawl_tags_set(&tags, "k", longest, &err), PAWL_E_LIMIT);
    assert_non_null(strstr(pawl_error_message(err), "257 of value"));
    assert_null(tags);
    assert_int_equal(pawl_tags_set(&tags, longest + 1, longest + 1, &err), PAWL_OK);
    pawl_tags_free(tags);
    pawl_error_unref(err);
}

static void holds_64_tags(void **state) {
    (void)state;
    struct pawl_bag *tags = NULL;
    pawl_error *err = NULL;
    char key[16];
    for (int i = 0; i < 64; i++) {
        (void)snprintf(key, sizeof key, "k%d", i);
        assert_int_equal(pawl_tags_set(&tags, key, "v", NULL), PAWL_OK);
    }
    assert_int_equal(pawl_tags_set(&tags, "more", "v", &err), PAWL_E_LIMIT);
    assert_int_equal(pawl_tags_set(&tags, "k7", "w", NULL), PAWL_OK);
    assert_int_equal(pawl_tags_set(&tags, "k8", NULL, NULL), PAWL_OK);
    assert_int_equal(pawl_tags_set(&tags, "more", "v", NULL), PAWL_OK);
    pawl_tags_free(tags);
    pawl_error_unref(err);
}

static void survives_a_failed_allocation_anywhere(void **state) {
    (void)state;
    for_each_failing_allocation(n) {
        struct pawl_bag *tags = NULL;
        struct pawl_bag *copy = NULL;
        static const char *const keys[] = {"a", "b", "c", "d", "e", "a"};
        size_t kept = 0;
        for (size_t i = 0; i < 6; i++)
            kept += pawl_tags_set(&tags, keys[i], "v", NULL) == PAWL_OK;
        bool copied = pawl_tags_copy(tags, &copy);
        assert_int_equal((6 - kept) + !copied, allocations_failed());
        assert_int_equal(copy != NULL, copied);
        if (copied)
            assert_int_equal(copy->count, tags->count);
        pawl_tags_free(copy);
        pawl_tags_free(tags);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_order_and_counts_bytes),          cmocka_unit_test(sets_gets_and_removes_tags),
        cmocka_unit_test(refuses_bad_tags_and_says_why),         cmocka_unit_test(holds_64_tags),
        cmocka_unit_test(survives_a_failed_allocation_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
