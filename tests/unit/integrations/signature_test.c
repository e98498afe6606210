#include <pawl/integrations/fix.h>

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static pawl_value *execution(const char *outcome, const char *name, const char *value, const char *traceback) {
    cJSON *json = cJSON_CreateObject(), *error = cJSON_AddObjectToObject(json, "error");
    cJSON_AddStringToObject(json, "outcome", outcome);
    cJSON_AddStringToObject(error, "name", name);
    cJSON_AddStringToObject(error, "value", value);
    if (traceback)
        cJSON_AddStringToObject(error, "traceback", traceback);
    pawl_value *result = pawl_value_take(json);
    assert_non_null(result);
    return result;
}

static void sign(const char *value, char text[PAWL_SIGNATURE_BYTES]) {
    pawl_value *result = execution("exception", "E", value, NULL);
    pawl_error_signature(result, text);
    pawl_value_unref(result);
}

static void assert_signature(const char *value, const char *expected) {
    char text[PAWL_SIGNATURE_BYTES];
    sign(value, text);
    assert_string_equal(text, expected);
}

static void assert_same(const char *a, const char *b) {
    char first[PAWL_SIGNATURE_BYTES], second[PAWL_SIGNATURE_BYTES];
    sign(a, first);
    sign(b, second);
    assert_string_equal(first, second);
}

static void assert_different(const char *a, const char *b) {
    char first[PAWL_SIGNATURE_BYTES], second[PAWL_SIGNATURE_BYTES];
    sign(a, first);
    sign(b, second);
    assert_string_not_equal(first, second);
}

static void says_outcome_name_and_message(void **state) {
    (void)state;
    assert_signature("division by zero", "exception E: division by zero");
    pawl_value *result = execution("check_failed", "AssertionError", "3 is not 4", NULL);
    char text[PAWL_SIGNATURE_BYTES];
    pawl_error_signature(result, text);
    assert_string_equal(text, "check_failed AssertionError: 3 is not 4");
    pawl_value_unref(result);
}

static void success_and_what_is_no_execution_have_none(void **state) {
    (void)state;
    char text[PAWL_SIGNATURE_BYTES] = "x";
    pawl_value *result = execution("ok", "", "", NULL);
    pawl_error_signature(result, text);
    assert_string_equal(text, "");
    pawl_value_unref(result);
    text[0] = 'x';
    pawl_error_signature(pawl_value_null(), text);
    assert_string_equal(text, "");
    text[0] = 'x';
    pawl_error_signature(NULL, text);
    assert_string_equal(text, "");
}

static void addresses_do_not_count(void **state) {
    (void)state;
    assert_same("<Account object at 0x7f3a5c1d2e90> is odd", "<Account object at 0x7fffDEADBEEF> is odd");
}

static void paths_are_their_last_part(void **state) {
    (void)state;
    assert_signature("no file /tmp/run-81/work/data.csv here", "exception E: no file data.csv here");
    assert_same("cannot open '/a/b/c.txt'", "cannot open '/x/c.txt'");
    assert_different("cannot open '/a/b.txt'", "cannot open '/a/c.txt'");
}

static void times_dates_and_durations_do_not_count(void **state) {
    (void)state;
    assert_same("at 12:34:56.789 it broke", "at 01:02:03 it broke");
    assert_same("since 2031-02-03T04:05:06Z", "since 2029-12-31T00:00:00Z");
    assert_same("took 1.53s", "took 12 ms");
    assert_same("killed after 30 seconds", "killed after 2 seconds");
}

static void process_ids_and_long_numbers_do_not_count(void **state) {
    (void)state;
    assert_same("process 12 died", "process 7 died");
    assert_same("pid=345 gone", "pid=9 gone");
    assert_same("id 123456", "id 99999999");
}

static void small_numbers_and_words_with_digits_do(void **state) {
    (void)state;
    assert_different("expected 3, got 4", "expected 3, got 5");
    assert_different("value1 missing", "value2 missing");
    assert_signature("a1234567 is a name", "exception E: a1234567 is a name");
    assert_signature("1/2 and 3.5", "exception E: 1/2 and 3.5");
}

static void white_space_is_one_space(void **state) {
    (void)state;
    assert_signature("  two\n\n\tlines \r\n", "exception E: two lines");
}

static void a_bare_assert_is_told_by_its_source_line(void **state) {
    (void)state;
    char first[PAWL_SIGNATURE_BYTES], second[PAWL_SIGNATURE_BYTES];
    pawl_value *result = execution("check_failed", "AssertionError", "",
                                   "Traceback (most recent call last):\n  File \"test.py\", line 3, in <module>\n"
                                   "    assert median([1, 2]) == 1.5\n           ^^^^^^^^^^^^^\nAssertionError\n");
    pawl_error_signature(result, first);
    assert_string_equal(first, "check_failed AssertionError: assert median([1, 2]) == 1.5");
    pawl_value_unref(result);
    result = execution("check_failed", "AssertionError", "", "AssertionError");
    pawl_error_signature(result, second);
    assert_string_equal(second, "check_failed AssertionError:");
    pawl_value_unref(result);
}

static void a_long_message_ends_in_a_hash_of_the_whole(void **state) {
    (void)state;
    char a[1000], b[1000], text[PAWL_SIGNATURE_BYTES];
    for (size_t shift = 0; shift < 4; shift++) { /* the cut falls inside a character at some of them */
        memset(a, 'x', shift);
        a[shift] = '\0';
        while (strlen(a) < 900)
            strcat(a, "\xe2\x82\xac");
        strcpy(b, a);
        strcat(b, "!");
        sign(a, text);
        assert_true(strlen(text) < PAWL_SIGNATURE_BYTES);
        assert_non_null(strchr(text, '~'));
        assert_different(a, b);
        pawl_value *value = NULL;
        char json[PAWL_SIGNATURE_BYTES + 2];
        snprintf(json, sizeof json, "\"%s\"", text);
        assert_int_equal(pawl_value_parse(json, strlen(json), NULL, &value, NULL), PAWL_OK); /* valid UTF-8 */
        pawl_value_unref(value);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_outcome_name_and_message),
        cmocka_unit_test(success_and_what_is_no_execution_have_none),
        cmocka_unit_test(addresses_do_not_count),
        cmocka_unit_test(paths_are_their_last_part),
        cmocka_unit_test(times_dates_and_durations_do_not_count),
        cmocka_unit_test(process_ids_and_long_numbers_do_not_count),
        cmocka_unit_test(small_numbers_and_words_with_digits_do),
        cmocka_unit_test(white_space_is_one_space),
        cmocka_unit_test(a_bare_assert_is_told_by_its_source_line),
        cmocka_unit_test(a_long_message_ends_in_a_hash_of_the_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
