#include "failing_malloc.h"
#include "utf8_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define U "\xef\xbf\xbd" /* U+FFFD */

static size_t valid(const char *text) {
    return pawl_utf8_valid(text, strlen(text));
}

/* Encodes without any check, also what is no character. */
static size_t encode(uint32_t code, char text[5]) {
    size_t length = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const uint8_t leads[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = length - 1; i > 0; i--, code >>= 6)
        text[i] = (char)(0x80 | (code & 0x3f));
    text[0] = (char)(leads[length] | code);
    text[length] = '\0';
    return length;
}

static void every_code_point_is_valid_but_surrogates(void **state) {
    (void)state;
    for (uint32_t code = 0; code < 0x110100; code++) {
        char text[5];
        size_t length = encode(code, text);
        bool is_character = code < 0x110000 && !(code >= 0xd800 && code <= 0xdfff);
        if (pawl_utf8_valid(text, length) != (is_character ? length : 0))
            fail_msg("U+%04X", code);
    }
}

static void every_pair_of_bytes_is_judged_as_the_standard_says(void **state) {
    (void)state;
    for (unsigned first = 0; first < 256; first++) {
        for (unsigned second = 0; second < 256; second++) {
            const char text[2] = {(char)first, (char)second};
            bool continues = second >= 0x80 && second <= 0xbf;
            size_t expected = first >= 0xc2 && first <= 0xdf && continues ? 2
                              : first >= 0x80                             ? 0
                              : second < 0x80                             ? 2
                                                                          : 1;
            if (pawl_utf8_valid(text, 2) != expected)
                fail_msg("%02x %02x", first, second);
        }
    }
}

static void finds_the_first_bad_byte(void **state) {
    (void)state;
    assert_int_equal(valid(""), 0);
    assert_int_equal(valid("plain ascii, longer than a word"), 31);
    assert_int_equal(valid("caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"), 14);
    assert_int_equal(valid("caf\xc3"), 3);
    assert_int_equal(valid("12345678\xff"), 8);
    assert_int_equal(valid("123456789\xe2\x82"), 9);
    assert_int_equal(valid("a\x80"), 1);
    assert_int_equal(valid("\xc0\xaf"), 0);         /* overlong */
    assert_int_equal(valid("\xe0\x9f\xbf"), 0);     /* overlong */
    assert_int_equal(valid("\xf0\x8f\xbf\xbf"), 0); /* overlong */
    assert_int_equal(valid("\xed\xa0\x80"), 0);     /* surrogate */
    assert_int_equal(valid("\xf4\x90\x80\x80"), 0); /* over U+10FFFF */
    assert_int_equal(valid("\xf5\x80\x80\x80"), 0);
    assert_int_equal(pawl_utf8_valid("a\0b", 3), 3);
    assert_int_equal(pawl_utf8_valid(NULL, 0), 0);
}

static void cuts_only_an_unfinished_character(void **state) {
    (void)state;
    assert_int_equal(pawl_utf8_cut("", 0), 0);
    assert_int_equal(pawl_utf8_cut("abc", 3), 3);
    assert_int_equal(pawl_utf8_cut("a\xc3\xa9", 3), 3);
    assert_int_equal(pawl_utf8_cut("a\xc3", 2), 1);
    assert_int_equal(pawl_utf8_cut("a\xe2\x82\xac", 4), 4);
    assert_int_equal(pawl_utf8_cut("a\xe2\x82", 3), 1);
    assert_int_equal(pawl_utf8_cut("a\xe2", 2), 1);
    assert_int_equal(pawl_utf8_cut("a\xf0\x9f\x98\x80", 5), 5);
    assert_int_equal(pawl_utf8_cut("a\xf0\x9f\x98", 4), 1);
    assert_int_equal(pawl_utf8_cut("a\xf0\x9f", 3), 1);
    assert_int_equal(pawl_utf8_cut("a\xf0", 2), 1);
    assert_int_equal(pawl_utf8_cut("\xf0\x9f\x98", 3), 0);
    assert_int_equal(pawl_utf8_cut("a\xff", 2), 2); /* no beginning of anything */
    assert_int_equal(pawl_utf8_cut("\x80\x80\x80\x80\x80", 5), 5);
}

static void assert_lossy(const char *bytes, size_t length, const char *expected) {
    size_t copied = 0;
    char *text = pawl_utf8_lossy(bytes, length, &copied);
    assert_non_null(text);
    assert_string_equal(text, expected);
    assert_int_equal(copied, strlen(expected));
    free(text);
}

static void replaces_each_maximal_subpart(void **state) {
    (void)state;
    assert_lossy("", 0, "");
    assert_lossy("a\xc3\xa9\xf0\x9f\x98\x80", 7, "a\xc3\xa9\xf0\x9f\x98\x80");
    /* The examples of the Unicode standard 15, tables 3-8 to 3-11. */
    assert_lossy("\xc0\xaf\xe0\x80\xbf\xf0\x81\x82\x41", 9, U U U U U U U U "A");
    assert_lossy("\xed\xa0\x80\xed\xbf\xbf\xed\xaf\x41", 9, U U U U U U U U "A");
    assert_lossy("\xf4\x91\x92\x93\xff\x41\x80\xbf\x42", 9, U U U U U "A" U U "B");
    assert_lossy("\xe1\x80\xe2\xf0\x91\x92\xf1\xbf\x41", 9, U U U U "A");
    assert_lossy("ab\xe2\x82", 4, "ab" U);
}

static void replaces_nul_so_that_nothing_is_cut(void **state) {
    (void)state;
    assert_lossy("a\0b", 3, "a" U "b");
    assert_lossy("\0", 1, U);
    assert_lossy("\xe2\0\x82", 3, U U U);
}

static void writes_whole_characters_into_a_small_buffer(void **state) {
    (void)state;
    static const char bytes[] = "a\xc3\xa9\xff"
                                "b\xf0\x9f\x98\x80";
    static const char whole[] = "a\xc3\xa9" U "b\xf0\x9f\x98\x80";
    static const size_t kept[] = {0, 0, 1, 1, 3, 3, 3, 6, 7, 7, 7, 7, 11};
    for (size_t size = 0; size < sizeof kept / sizeof *kept; size++) {
        char buffer[16];
        memset(buffer, '#', sizeof buffer);
        assert_int_equal(pawl_utf8_lossy_into(bytes, sizeof bytes - 1, size ? buffer : NULL, size), sizeof whole - 1);
        assert_int_equal(buffer[size], '#');
        if (size > 0) {
            assert_int_equal(strlen(buffer), kept[size]);
            assert_memory_equal(buffer, whole, kept[size]);
        }
    }
}

static void what_is_copied_is_always_valid_text(void **state) {
    (void)state;
    uint32_t random = 1;
    for (int round = 0; round < 20000; round++) {
        char bytes[12];
        for (size_t i = 0; i < sizeof bytes; i++) {
            random = random * 1664525 + 1013904223;
            uint8_t byte = (uint8_t)(random >> 24);
            bytes[i] = (char)(random & 0x10000 ? byte | 0x80 : byte); /* more of the interesting ones */
        }
        size_t length;
        char *text = pawl_utf8_lossy(bytes, sizeof bytes, &length);
        assert_non_null(text);
        assert_int_equal(strlen(text), length);
        assert_int_equal(pawl_utf8_valid(text, length), length);
        if (pawl_utf8_valid(bytes, sizeof bytes) == sizeof bytes && !memchr(bytes, 0, sizeof bytes))
            assert_memory_equal(text, bytes, sizeof bytes);
        free(text);
    }
}

static void the_copy_is_null_without_memory(void **state) {
    (void)state;
    size_t length = 7;
    fail_allocation_at(1);
    assert_null(pawl_utf8_lossy("abc", 3, &length));
    assert_int_equal(allow_allocations(), 1);
    assert_int_equal(length, 7);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_point_is_valid_but_surrogates),
        cmocka_unit_test(every_pair_of_bytes_is_judged_as_the_standard_says),
        cmocka_unit_test(finds_the_first_bad_byte),
        cmocka_unit_test(cuts_only_an_unfinished_character),
        cmocka_unit_test(replaces_each_maximal_subpart),
        cmocka_unit_test(replaces_nul_so_that_nothing_is_cut),
        cmocka_unit_test(writes_whole_characters_into_a_small_buffer),
        cmocka_unit_test(what_is_copied_is_always_valid_text),
        cmocka_unit_test(the_copy_is_null_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
