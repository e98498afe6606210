#include "base64_internal.h"
#include "failing_malloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void assert_both_ways(const char *bytes, size_t length, const char *text) {
    char *encoded = pawl_base64_encode_new(bytes, length);
    assert_string_equal(encoded, text);
    assert_int_equal(strlen(text), pawl_base64_length(length));
    char decoded[64];
    size_t got = 99;
    assert_true(pawl_base64_decode(text, strlen(text), decoded, &got));
    assert_int_equal(got, length);
    assert_memory_equal(decoded, bytes, length);
    free(encoded);
}

static void encodes_and_decodes_the_vectors_of_rfc_4648(void **state) {
    (void)state;
    static const char *const vectors[][2] = {{"", ""},
                                             {"f", "Zg=="},
                                             {"fo", "Zm8="},
                                             {"foo", "Zm9v"},
                                             {"foob", "Zm9vYg=="},
                                             {"fooba", "Zm9vYmE="},
                                             {"foobar", "Zm9vYmFy"}};
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++)
        assert_both_ways(vectors[i][0], strlen(vectors[i][0]), vectors[i][1]);
    assert_both_ways("\0\xff\xfb\xef\xbe", 5, "AP/7774=");
}

static void uses_the_whole_alphabet(void **state) {
    (void)state;
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint8_t bytes[48];
    size_t length;
    assert_true(pawl_base64_decode(alphabet, 64, bytes, &length));
    assert_int_equal(length, 48);
    char *again = pawl_base64_encode_new(bytes, length);
    assert_string_equal(again, alphabet);
    free(again);
}

static void refuses_what_is_not_canonical(void **state) {
    (void)state;
    static const char *const bad[] = {"Z",    "Zg",       "Zg=",  "Zg===", "=",      "====",       "Zh==",
                                      "Zm9=", "Zg==Zg==", "Z===", "Zm 9v", "Zm9v\n", "Zm9v\nZm9v", "Zm9-",
                                      "Zm9_", "Zm9\x80",  "=Zm9", "Z=m9",  "Zm=9",   "Zm9v====",   "\xff\xff\xff\xff"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char decoded[16];
        size_t length;
        if (pawl_base64_decode(bad[i], strlen(bad[i]), decoded, &length))
            fail_msg("'%s' was accepted", bad[i]);
    }
    char decoded[4];
    size_t length;
    assert_false(pawl_base64_decode("Zg\0=", 4, decoded, &length));
}

static void decodes_in_place(void **state) {
    (void)state;
    char text[] = "Zm9vYmE=";
    size_t length;
    assert_true(pawl_base64_decode(text, strlen(text), text, &length));
    assert_int_equal(length, 5);
    assert_memory_equal(text, "fooba", 5);
}

static void any_bytes_come_back(void **state) {
    (void)state;
    uint8_t bytes[300];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 7 + i / 256);
    for (size_t length = 0; length <= sizeof bytes; length++) {
        char *text = pawl_base64_encode_new(bytes, length);
        uint8_t *decoded = malloc(strlen(text) / 4 * 3 + 1); /* exact, for the sanitizer; + 1 since it may be 0 */
        size_t got;
        assert_true(pawl_base64_decode(text, strlen(text), decoded, &got));
        assert_int_equal(got, length);
        assert_memory_equal(decoded, bytes, length);
        free(decoded);
        free(text);
    }
}

static void the_new_text_is_null_without_memory_or_for_too_much(void **state) {
    (void)state;
    fail_allocation_at(1);
    assert_null(pawl_base64_encode_new("abc", 3));
    assert_int_equal(allow_allocations(), 1);
    assert_null(pawl_base64_encode_new("", SIZE_MAX));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encodes_and_decodes_the_vectors_of_rfc_4648),
        cmocka_unit_test(uses_the_whole_alphabet),
        cmocka_unit_test(refuses_what_is_not_canonical),
        cmocka_unit_test(decodes_in_place),
        cmocka_unit_test(any_bytes_come_back),
        cmocka_unit_test(the_new_text_is_null_without_memory_or_for_too_much),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
