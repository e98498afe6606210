#include "failing_malloc.h"
#include <pawl/value.h>

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Copies the text into memory of exactly its length, so that a sanitizer sees one byte too many being read. */
static pawl_status parse_exactly(const char *text, size_t length, const pawl_parse_limits *limits,
                                 pawl_value **ret_value, pawl_error **err) {
    char *copy = malloc(length > 0 ? length : 1);
    assert_non_null(copy);
    memcpy(copy, text, length);
    pawl_status status = pawl_value_parse(copy, length, limits, ret_value, err);
    free(copy);
    return status;
}

static void assert_accepted_bytes(const char *text, size_t length, const char *printed) {
    pawl_value *value = NULL;
    pawl_error *err = NULL;
    if (parse_exactly(text, length, NULL, &value, &err) != PAWL_OK)
        fail_msg("'%s' was refused: %s", text, pawl_error_message(err));
    char *again = pawl_value_print(value);
    assert_string_equal(again, printed);
    assert_null(err);
    free(again);
    pawl_value_unref(value);
}

static void assert_accepted(const char *text, const char *printed) {
    assert_accepted_bytes(text, strlen(text), printed);
}

static void assert_refused_bytes(const char *text, size_t length, const pawl_parse_limits *limits, pawl_status status,
                                 const char *words) {
    pawl_value *value = NULL;
    pawl_error *err = NULL;
    pawl_status got = parse_exactly(text, length, limits, &value, &err);
    assert_null(value);
    if (got != status || !strstr(pawl_error_message(err), words))
        fail_msg("'%s' gave %s '%s', not %s '%s'", text, pawl_status_name(got), pawl_error_message(err),
                 pawl_status_name(status), words);
    assert_int_equal(parse_exactly(text, length, limits, &value, NULL), status);
    pawl_error_unref(err);
}

static void assert_refused(const char *text, const char *words) {
    assert_refused_bytes(text, strlen(text), NULL, PAWL_E_INVALID, words);
}

static void accepts_json(void **state) {
    (void)state;
    assert_accepted("null", "null");
    assert_accepted(" \t\r\n[ ] \n", "[]");
    assert_accepted("{ }", "{}");
    assert_accepted("[true,false,null,\"\",0]", "[true,false,null,\"\",0]");
    assert_accepted("{\"a\":{\"b\":[{},[[]],1]},\"c\":\"d\"}", "{\"a\":{\"b\":[{},[[]],1]},\"c\":\"d\"}");
    assert_accepted("{\"a\":1,\"a\":2}", "{\"a\":1,\"a\":2}");
    assert_accepted("{\"\":1}", "{\"\":1}");
    assert_accepted("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\\"\\\\/\\b\\f\\n\\r\\t\"");
    assert_accepted("\"\x7f\"", "\"\x7f\"");
    assert_accepted("\xef\xbb\xbf[1]", "[1]");
    assert_accepted("\xef\xbb\xbf"
                    "1",
                    "1"); /* cJSON alone would not skip the mark before so short a text */
}

static void accepts_numbers_as_the_grammar_says(void **state) {
    (void)state;
    assert_accepted("[0,-0,-1,10,1.5,-0.25,1e3,1E+3,1e-3,0e0,0.0,1.25e2]",
                    "[0,-0,-1,10,1.5,-0.25,1000,1000,0.001,0,0,125]");
    assert_accepted("1e308", "1e+308");
    assert_accepted("1e-400", "0");
    assert_accepted("100000000000000000000000000000000000000000000000000000000000000", "1e+62");
    assert_refused("01", "byte 0: a number begins with 0");
    assert_refused("-01", "byte 1: a number begins with 0");
    assert_refused("[00]", "byte 1: a number begins with 0");
    assert_refused("+1", "byte 0: no JSON value");
    assert_refused(".5", "byte 0: no JSON value");
    assert_refused("[1.]", "byte 3: a digit is missing");
    assert_refused("[-]", "byte 2: a digit is missing");
    assert_refused("[1e]", "byte 3: a digit is missing");
    assert_refused("[1e+]", "byte 4: a digit is missing");
    assert_refused("[1.e1]", "byte 3: a digit is missing");
    assert_refused("[-a]", "byte 2: a digit is missing");
    assert_refused("0x10", "byte 1: something follows");
    assert_refused("1_0", "byte 1: something follows");
    assert_refused("NaN", "no JSON value");
    assert_refused("Infinity", "no JSON value");
    assert_refused("-Infinity", "byte 1: a digit is missing");
}

static void refuses_numbers_that_no_double_holds(void **state) {
    (void)state;
    static const char *const texts[] = {"1e309", "[0,-1e999999999999]", "{\"a\":[{\"b\":1.8e308}]}"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_refused_bytes(texts[i], strlen(texts[i]), NULL, PAWL_E_LIMIT, "beyond the range of a double");
    static const char digits[] = "[1234567890123456789012345678901234567890123456789012345678901234]";
    assert_refused_bytes(digits, strlen(digits), NULL, PAWL_E_LIMIT, "byte 1: a number of more than 63 characters");
}

static void refuses_broken_structure_and_says_where(void **state) {
    (void)state;
    assert_refused("", "byte 0: the text ends");
    assert_refused("  ", "byte 2: the text ends");
    assert_refused("[1,", "byte 3: the text ends");
    assert_refused("{\"1\":1,", "byte 7: the text ends"); /* old cJSON reads past the end here */
    assert_refused("[1,]", "byte 3: no JSON value");
    assert_refused("[,1]", "byte 1: no JSON value");
    assert_refused("[1 2]", "byte 3: ',' or ']'");
    assert_refused("[1}", "byte 2: ',' or ']'");
    assert_refused("{\"a\":1]", "byte 6: ',' or '}'");
    assert_refused("[{\"a\":[1}]", "byte 8: ',' or ']'");
    assert_refused("{\"a\":1,}", "byte 7: a member's name");
    assert_refused("{a:1}", "byte 1: a member's name");
    assert_refused("{\"a\"}", "byte 4: ':'");
    assert_refused("{\"a\" 1}", "byte 5: ':'");
    assert_refused("{\"a\":}", "byte 5: no JSON value");
    assert_refused("]", "byte 0: no JSON value");
    assert_refused("tru", "byte 0: no JSON value");
    assert_refused("True", "byte 0: no JSON value");
    assert_refused("nul", "byte 0: no JSON value");
    assert_refused("'a'", "byte 0: no JSON value");
    assert_refused("[1]//x", "byte 3: something follows");
    assert_refused("[1] [2]", "byte 4: something follows");
    assert_refused("nullnull", "byte 4: something follows");
    assert_refused("\xef\xbb\xbf\xef\xbb\xbf[]", "byte 3: no JSON value");
    assert_refused("\f[]", "byte 0: no JSON value"); /* cJSON takes any control character as white space */
    assert_refused("[\v1]", "byte 1: no JSON value");
    assert_refused_bytes("[1]\0", 4, NULL, PAWL_E_INVALID, "byte 3: something follows");
    assert_refused_bytes("[\0]", 3, NULL, PAWL_E_INVALID, "byte 1: no JSON value");
}

static void refuses_text_that_would_be_cut_or_kept_broken(void **state) {
    (void)state;
    assert_refused_bytes("\"a\0b\"", 5, NULL, PAWL_E_INVALID, "byte 2: a control character");
    assert_refused("\"a\\u0000b\"", "byte 2: \\u0000 is refused");
    assert_refused("{\"a\\u0000\":1}", "byte 3: \\u0000 is refused");
    assert_refused("\"a\nb\"", "byte 2: a control character");
    assert_refused("\"\x1f\"", "byte 1: a control character");
    for (size_t at = 1; at < 40; at++) { /* at every place in and around eight bytes */
        char text[] = "\"0123456789 0123456789 0123456789 0123456789\"";
        text[at] = '\x01';
        char words[64];
        (void)snprintf(words, sizeof words, "byte %zu: a control character", at);
        assert_refused(text, words);
        text[at] = '"';
        (void)snprintf(words, sizeof words, "byte %zu: something follows", text[at + 1] == ' ' ? at + 2 : at + 1);
        assert_refused(text, words);
    }
    assert_refused("\"\\a\"", "byte 2: an unknown escape");
    assert_refused("\"\\U0041\"", "byte 2: an unknown escape");
    assert_refused_bytes("\"\\\0\"", 4, NULL, PAWL_E_INVALID, "byte 2: an unknown escape");
    assert_refused("\"\\u12g4\"", "byte 5: \\u needs four");
    assert_refused("\"\\u12\"", "byte 5: \\u needs four");
    assert_refused("\"\\u00", "byte 5: the text ends");
    assert_refused("\"\\", "byte 2: the text ends");
    assert_refused("\"abc", "byte 4: the text ends");
    assert_accepted("\"\\u0041\\u00e9\\u20AC\"", "\"A\xc3\xa9\xe2\x82\xac\"");
}

static void refuses_half_a_surrogate_pair(void **state) {
    (void)state;
    assert_accepted("\"\\ud83d\\uDE00\"", "\"\xf0\x9f\x98\x80\"");
    assert_accepted("\"\\udbff\\udfff\"", "\"\xf4\x8f\xbf\xbf\"");
    assert_refused("\"\\ud83d\"", "byte 1: a high surrogate");
    assert_refused("\"x\\ud83dx\"", "byte 2: a high surrogate");
    assert_refused("\"\\ud83d\\n\"", "byte 1: a high surrogate");
    assert_refused("\"\\ud83d\\u0041\"", "byte 1: a high surrogate");
    assert_refused("\"\\ud83d\\ud83d\\ude00\"", "byte 1: a high surrogate");
    assert_refused("\"\\ude00\"", "byte 1: a low surrogate");
    assert_refused("\"\\ude00\\ud83d\"", "byte 1: a low surrogate");
    assert_refused("\"\\ud83d\\u12\"", "\\u needs four");
    assert_refused("\"\\ud83d\\u", "the text ends");
    assert_refused("\"\\ud83d\\", "byte 1: a high surrogate");
}

static void refuses_invalid_utf8_and_says_where(void **state) {
    (void)state;
    assert_refused("\"\xff\"", "byte 1: no UTF-8");
    assert_refused("\"ab\xc3\"", "byte 3: no UTF-8");
    assert_refused("\"\xed\xa0\x80\"", "byte 1: no UTF-8"); /* a surrogate */
    assert_refused("\"\xc0\x80\"", "byte 1: no UTF-8");     /* an overlong NUL */
    assert_refused("\"\xf4\x90\x80\x80\"", "byte 1: no UTF-8");
    assert_refused("\"\xe2\x82", "byte 1: no UTF-8");
    assert_refused("[\xc3\xa9]", "byte 1: no JSON value");
}

static void bounds_the_size(void **state) {
    (void)state;
    pawl_parse_limits limits = {.size = sizeof limits, .max_bytes = 4};
    pawl_value *value = NULL;
    assert_int_equal(pawl_value_parse("[12]", 4, &limits, &value, NULL), PAWL_OK);
    pawl_value_unref(value);
    assert_refused_bytes("[123]", 5, &limits, PAWL_E_LIMIT, "5 bytes are over max_bytes, which is 4");
    limits.max_bytes = PAWL_ZERO;
    assert_refused_bytes("1", 1, &limits, PAWL_E_LIMIT, "which is 0");
    limits.max_bytes = PAWL_UNLIMITED;
    assert_int_equal(pawl_value_parse("[1]", 3, &limits, &value, NULL), PAWL_OK);
    pawl_value_unref(value);
}

static char *nested(size_t depth) {
    char *text = malloc(2 * depth + 1);
    assert_non_null(text);
    memset(text, '[', depth);
    memset(text + depth, ']', depth);
    text[2 * depth] = '\0';
    return text;
}

static void assert_depth(size_t depth, const pawl_parse_limits *limits, pawl_status status) {
    char *text = nested(depth);
    pawl_value *value = NULL;
    assert_int_equal(parse_exactly(text, strlen(text), limits, &value, NULL), status);
    pawl_value_unref(value);
    free(text);
}

static void bounds_the_depth(void **state) {
    (void)state;
    assert_depth(128, NULL, PAWL_OK);
    assert_depth(129, NULL, PAWL_E_LIMIT);
    assert_depth(5000000, NULL, PAWL_E_LIMIT);
    pawl_parse_limits limits = {.size = sizeof limits, .max_depth = 1000};
    assert_depth(1000, &limits, PAWL_OK);
    assert_depth(1001, &limits, PAWL_E_LIMIT);
    limits.max_depth = 1;
    assert_refused_bytes("[{}]", 4, &limits, PAWL_E_LIMIT, "byte 1: nested deeper than max_depth");
    limits.max_depth = PAWL_ZERO;
    assert_depth(1, &limits, PAWL_E_LIMIT);
    limits.max_depth = 1001;
    assert_refused_bytes("1", 1, &limits, PAWL_E_INVALID, "max_depth is 1001; at most 1000");
    limits.max_depth = PAWL_UNLIMITED;
    assert_refused_bytes("1", 1, &limits, PAWL_E_INVALID, "at most 1000");
}

static void remembers_objects_and_arrays_at_every_depth(void **state) {
    (void)state;
    char text[4096] = "";
    char *at = text;
    for (int i = 0; i < 60; i++)
        at += sprintf(at, i % 3 ? "[1," : "{\"a\":1,\"b\":");
    at += sprintf(at, "0");
    for (int i = 59; i >= 0; i--)
        at += sprintf(at, i % 3 ? ",2]" : ",\"c\":2}");
    pawl_value *value = NULL;
    assert_int_equal(parse_exactly(text, strlen(text), NULL, &value, NULL), PAWL_OK);
    char *printed = pawl_value_print(value);
    assert_string_equal(printed, text);
    free(printed);
    pawl_value_unref(value);
    char *close = strchr(text, '}');
    *close = ']';
    assert_refused(text, "',' or '}'");
}

static void a_parsed_depth_counts_in_lists(void **state) {
    (void)state;
    pawl_parse_limits limits = {.size = sizeof limits, .max_depth = 1000};
    char *text = nested(999);
    pawl_value *value = NULL;
    assert_int_equal(pawl_value_parse(text, strlen(text), &limits, &value, NULL), PAWL_OK);
    pawl_value *list = pawl_value_list(&value, 1);
    assert_non_null(list);
    assert_null(pawl_value_list(&list, 1));
    pawl_value_unref(list);
    pawl_value_unref(value);
    free(text);
}

static void refuses_limits_it_does_not_know(void **state) {
    (void)state;
    struct {
        pawl_parse_limits known;
        uint64_t unknown;
    } newer = {.known = {.size = sizeof newer}};
    pawl_value *value = NULL;
    assert_int_equal(pawl_value_parse("1", 1, &newer.known, &value, NULL), PAWL_OK);
    pawl_value_unref(value);
    newer.unknown = 1;
    assert_refused_bytes("1", 1, &newer.known, PAWL_E_INVALID, "parse limits");
}

static void refuses_null_arguments(void **state) {
    (void)state;
    pawl_value *value = NULL;
    pawl_error *err = NULL;
    assert_int_equal(pawl_value_parse(NULL, 0, NULL, &value, &err), PAWL_E_INVALID);
    assert_int_equal(pawl_value_parse("1", 1, NULL, NULL, &err), PAWL_E_INVALID);
    assert_non_null(strstr(pawl_error_message(err), "ret_value"));
    pawl_error_unref(err);
}

static const char sample[] =
    "{\"code\":\"print(\\\"\\u20ac\\ud83d\\ude00\\\")\",\"n\":[-1.5e3,0,true,null,{}],\"\xc3\xa9\":\"\"}";

static void refuses_every_prefix_of_a_document(void **state) {
    (void)state;
    for (size_t length = 0; length < sizeof sample - 1; length++) {
        pawl_value *value = NULL;
        assert_int_equal(parse_exactly(sample, length, NULL, &value, NULL), PAWL_E_INVALID);
        assert_null(value);
    }
}

static void answers_any_changed_byte_with_a_value_or_an_error(void **state) {
    (void)state;
    static const char others[] = "\"\\{}[],:0-+.eEut\x01\x80\xe2\xff ";
    for (size_t at = 0; at < sizeof sample - 1; at++) {
        for (const char *other = others; *other; other++) {
            char text[sizeof sample];
            memcpy(text, sample, sizeof sample);
            text[at] = *other;
            pawl_value *value = NULL;
            pawl_error *err = NULL;
            pawl_status status = parse_exactly(text, sizeof sample - 1, NULL, &value, &err);
            assert_true(status == PAWL_OK || status == PAWL_E_INVALID || status == PAWL_E_LIMIT);
            assert_int_equal(status == PAWL_OK, value != NULL);
            assert_int_equal(status, pawl_error_status(err));
            pawl_value_unref(value);
            pawl_error_unref(err);
        }
    }
}

static void fails_cleanly_at_every_allocation(void **state) {
    (void)state;
    for_each_failing_allocation(n) {
        pawl_value *value = NULL;
        pawl_error *err = NULL;
        pawl_status status = pawl_value_parse(sample, sizeof sample - 1, NULL, &value, &err);
        assert_int_equal(status, allocations_failed() ? PAWL_E_NOMEM : PAWL_OK);
        assert_int_equal(pawl_error_status(err), status);
        assert_int_equal(value != NULL, status == PAWL_OK);
        pawl_value_unref(value);
        pawl_error_unref(err);
    }
    for_each_run_without_memory(n) {
        pawl_value *value = NULL;
        pawl_error *err = NULL;
        pawl_status status = pawl_value_parse(sample, sizeof sample - 1, NULL, &value, &err);
        assert_int_equal(status, allocations_failed() ? PAWL_E_NOMEM : PAWL_OK);
        assert_int_equal(pawl_error_status(err), status);
        pawl_value_unref(value);
        pawl_error_unref(err);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts_json),
        cmocka_unit_test(accepts_numbers_as_the_grammar_says),
        cmocka_unit_test(refuses_numbers_that_no_double_holds),
        cmocka_unit_test(refuses_broken_structure_and_says_where),
        cmocka_unit_test(refuses_text_that_would_be_cut_or_kept_broken),
        cmocka_unit_test(refuses_half_a_surrogate_pair),
        cmocka_unit_test(refuses_invalid_utf8_and_says_where),
        cmocka_unit_test(bounds_the_size),
        cmocka_unit_test(bounds_the_depth),
        cmocka_unit_test(remembers_objects_and_arrays_at_every_depth),
        cmocka_unit_test(a_parsed_depth_counts_in_lists),
        cmocka_unit_test(refuses_limits_it_does_not_know),
        cmocka_unit_test(refuses_null_arguments),
        cmocka_unit_test(refuses_every_prefix_of_a_document),
        cmocka_unit_test(answers_any_changed_byte_with_a_value_or_an_error),
        cmocka_unit_test(fails_cleanly_at_every_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
