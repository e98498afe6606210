/* Attribute sets: sorted, each key once, valid and bounded, and equal when they mean the same. */
#include "attribute_set_internal.h"
#include "failing_malloc.h"
#include "redact_internal.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct attribute_set set_of(const pawl_attribute *attributes, size_t count) {
    struct attribute_set set;
    assert_int_equal(pawl_attribute_set_make(&set, attributes, count, NULL, NULL), PAWL_OK);
    return set;
}

static bool are_equal(const struct attribute_set *a, const struct attribute_set *b) {
    return a->hash == b->hash && a->count == b->count && pawl_attribute_set_equal(a->items, b->items, a->count);
}

static void keys_are_sorted_and_the_last_value_counts(void **state) {
    (void)state;
    const pawl_attribute given[] = {pawl_attribute_int("b", 1), pawl_attribute_int("c", 2), pawl_attribute_int("a", 3),
                                    pawl_attribute_int("c", 4), pawl_attribute_int("a", 5)};
    struct attribute_set set = set_of(given, 5);
    assert_int_equal(set.count, 3);
    assert_string_equal(set.items[0].key, "a");
    assert_string_equal(set.items[1].key, "b");
    assert_string_equal(set.items[2].key, "c");
    assert_int_equal(set.items[0].value.integer, 5);
    assert_int_equal(set.items[2].value.integer, 4);
    free(set.items);
}

static void sets_are_equal_whatever_order_they_came_in(void **state) {
    (void)state;
    const pawl_attribute ab[] = {pawl_attribute_string("a", "x"), pawl_attribute_bool("b", true)};
    const pawl_attribute ba[] = {pawl_attribute_bool("b", true), pawl_attribute_string("a", "x")};
    struct attribute_set one = set_of(ab, 2), two = set_of(ba, 2), none = set_of(NULL, 0);
    assert_true(are_equal(&one, &two));
    assert_false(are_equal(&one, &none));
    free(one.items);
    free(two.items);
    free(none.items);
}

static void a_value_differs_by_its_type_too(void **state) {
    (void)state;
    const pawl_attribute values[] = {pawl_attribute_int("k", 1),    pawl_attribute_bool("k", true),
                                     pawl_attribute_double("k", 1), pawl_attribute_string("k", "1"),
                                     pawl_attribute_int("k", 2),    pawl_attribute_string("k", "longer than 8 bytes")};
    for (size_t i = 0; i < 6; i++)
        for (size_t j = 0; j < 6; j++)
            assert_int_equal(pawl_attribute_equal(&values[i], &values[j]), i == j);
}

static void texts_are_copied_made_valid_and_cut_between_characters(void **state) {
    (void)state;
    char text[1100], key[8] = "key";
    memset(text, 'x', sizeof text);
    text[1022] = '\xC3'; /* a character that does not fit as a whole */
    text[1023] = '\xA4';
    text[1099] = '\0';
    const pawl_attribute given = pawl_attribute_string(key, text);
    struct attribute_set set = set_of(&given, 1);
    key[0] = text[0] = '!';
    assert_string_equal(set.items[0].key, "key");
    assert_int_equal(strlen(set.items[0].value.string), 1022);
    assert_int_equal(set.items[0].value.string[0], 'x');
    free(set.items);
}

static void the_fingerprint_tells_values_and_their_order(void **state) {
    (void)state;
    const char *a = "a", *b = "b";
    const pawl_attribute ab[] = {pawl_attribute_string(a, "x"), pawl_attribute_string(b, "y")};
    const pawl_attribute ba[] = {pawl_attribute_string(b, "y"), pawl_attribute_string(a, "x")};
    const pawl_attribute other[] = {pawl_attribute_string(a, "y"), pawl_attribute_string(b, "x")};
    uint64_t print = pawl_attributes_fingerprint(ab, 2, 7);
    assert_true(print == pawl_attributes_fingerprint(ab, 2, 7));
    assert_true(print != pawl_attributes_fingerprint(ab, 2, 8));
    assert_true(print != pawl_attributes_fingerprint(ab, 1, 7));
    assert_true(print != pawl_attributes_fingerprint(ba, 2, 7));
    assert_true(print != pawl_attributes_fingerprint(other, 2, 7));
}

static void hashes_of_texts_differ_in_every_part(void **state) {
    (void)state;
    const char *const texts[] = {"", "a", "b", "ab", "12345678", "123456789", "12345678\1", "x2345678", "1234567x"};
    for (size_t i = 0; i < 9; i++)
        for (size_t j = 0; j < 9; j++)
            assert_int_equal(pawl_hash_text(texts[i], 0) == pawl_hash_text(texts[j], 0), i == j);
}

static void a_secret_is_not_cut_out_of_sight(void **state) {
    (void)state;
    struct pawl_secrets *secrets = pawl_secrets_new();
    const struct pawl_redaction redaction = {.sets = {secrets}};
    char text[1100], expected[SET_TEXT + 1];
    assert_int_equal(pawl_secrets_add(secrets, "swordfish", 9, "", NULL), PAWL_OK);
    memset(text, 'x', sizeof text);
    memcpy(text + SET_TEXT - 5, "swordfish", 10);
    memset(expected, 'x', sizeof expected);
    memcpy(expected + SET_TEXT - 5, "[REDA", 6);
    const pawl_attribute attribute = pawl_attribute_string("k", text);
    struct attribute_set set;
    assert_int_equal(pawl_attribute_set_make(&set, &attribute, 1, &redaction, NULL), PAWL_OK);
    assert_string_equal(set.items[0].value.string, expected);
    free(set.items);
    pawl_secrets_free(secrets);
}

static void refuses_too_many_and_nameless_ones(void **state) {
    (void)state;
    pawl_attribute many[65];
    struct attribute_set set;
    for (size_t i = 0; i < 65; i++)
        many[i] = pawl_attribute_int("same", (int64_t)i);
    assert_int_equal(pawl_attribute_set_make(&set, many, 65, NULL, NULL), PAWL_E_LIMIT);
    many[3].key = NULL;
    assert_int_equal(pawl_attribute_set_make(&set, many, 64, NULL, NULL), PAWL_E_INVALID);
    many[3].key = "";
    assert_int_equal(pawl_attribute_set_make(&set, many, 64, NULL, NULL), PAWL_E_INVALID);
    many[3].key = "same";
    many[3].type = 9;
    assert_int_equal(pawl_attribute_set_make(&set, many, 64, NULL, NULL), PAWL_E_INVALID);
    for_each_failing_allocation(n) {
        const pawl_attribute one = pawl_attribute_int("k", 1);
        pawl_status status = pawl_attribute_set_make(&set, &one, 1, NULL, NULL);
        assert_int_equal(status, allocations_failed() ? PAWL_E_NOMEM : PAWL_OK);
        if (status == PAWL_OK)
            free(set.items);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_sorted_and_the_last_value_counts),
        cmocka_unit_test(sets_are_equal_whatever_order_they_came_in),
        cmocka_unit_test(a_value_differs_by_its_type_too),
        cmocka_unit_test(texts_are_copied_made_valid_and_cut_between_characters),
        cmocka_unit_test(the_fingerprint_tells_values_and_their_order),
        cmocka_unit_test(hashes_of_texts_differ_in_every_part),
        cmocka_unit_test(a_secret_is_not_cut_out_of_sight),
        cmocka_unit_test(refuses_too_many_and_nameless_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
