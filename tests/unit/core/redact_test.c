#include "failing_malloc.h"
#include "redact_internal.h"
#include "values.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define R PAWL_REDACTED
#define COUNT(list) (sizeof(list) / sizeof *(list))

/* A runtime that knows these and no shapes. */
static pawl_runtime *knowing(const char *first, const char *second) {
    pawl_runtime *runtime = pawl_runtime_new(NULL, NULL);
    assert_non_null(runtime);
    assert_int_equal(pawl_runtime_redaction(runtime, NULL, .no_shapes = 1), PAWL_OK);
    assert_int_equal(pawl_runtime_add_secret(runtime, first, strlen(first), NULL), PAWL_OK);
    if (second)
        assert_int_equal(pawl_runtime_add_secret(runtime, second, strlen(second), NULL), PAWL_OK);
    return runtime;
}

static void assert_shows(const pawl_runtime *runtime, const char *text, const char *expected) {
    char *shown = pawl_runtime_redact(runtime, text);
    assert_non_null(shown);
    assert_string_equal(shown, expected);
    free(shown);
}

static void hides_a_known_value_wherever_it_is(void **state) {
    (void)state;
    pawl_runtime *runtime = knowing("hunter2", NULL);
    assert_shows(runtime, "hunter2", R);
    assert_shows(runtime, "xhunter2y", "x" R "y");
    assert_shows(runtime, "hunter", "hunter");
    assert_shows(runtime, "hunter2hunter2 and hunter2", R " and " R);
    assert_shows(runtime, "\xc3\xa9hunter2\xc3\xa9", "\xc3\xa9" R "\xc3\xa9");
    assert_shows(runtime, "password=other", "password=other");
    assert_null(pawl_runtime_redact(runtime, NULL));
    pawl_runtime_unref(runtime);
}

static void of_overlapping_values_nothing_is_left(void **state) {
    (void)state;
    pawl_runtime *runtime = knowing("abcdef", "abcdefghij");
    assert_shows(runtime, "-abcdefghij-", "-" R "-");
    assert_shows(runtime, "-abcdefghi-", "-" R "ghi-");
    pawl_runtime_unref(runtime);
    runtime = knowing("12345678", "5678abcd");
    assert_shows(runtime, "x12345678abcdy", "x" R "y");
    pawl_runtime_unref(runtime);
    runtime = knowing("aaaa", NULL);
    assert_shows(runtime, "aaaaaa b aaa", R " b aaa");
    pawl_runtime_unref(runtime);
}

static void hides_other_forms_of_a_value(void **state) {
    (void)state;
    pawl_runtime *runtime = knowing("p&ss w/rd\"\xc3\xa9?>", NULL);
    assert_shows(runtime, "cCZzcyB3L3JkIsOpPz4=", R);
    assert_shows(runtime, "p%26ss%20w%2Frd%22%C3%A9%3F%3E", R);
    assert_shows(runtime, "p%26ss%20w%2frd%22%c3%a9%3f%3e", R);
    assert_shows(runtime, "p%26ss+w%2Frd%22%C3%A9%3F%3E", R);
    assert_shows(runtime, "p%26ss%20w/rd%22%C3%A9%3F%3E", R);
    assert_shows(runtime, "\"p&ss w/rd\\\"\xc3\xa9?>\"", "\"" R "\"");
    assert_shows(runtime, "\"p&ss w/rd\\\"\\u00e9?>\"", "\"" R "\"");
    pawl_runtime_unref(runtime);
    runtime = knowing("correct-horse", NULL);
    assert_shows(runtime, "dTpjb3JyZWN0LWhvcnNl", "dTp" R);                 /* u:correct-horse */
    assert_shows(runtime, "dXM6Y29ycmVjdC1ob3JzZQ==", "dXM6" R);            /* us: */
    char *shown = pawl_runtime_redact(runtime, "dXNlOmNvcnJlY3QtaG9yc2U="); /* use: */
    assert_null(strstr(shown, "vcnJlY3QtaG9yc2"));
    free(shown);
    pawl_runtime_unref(runtime);
    runtime = knowing("line one\nline two", NULL);
    assert_shows(runtime, "\"line one\\nline two\"", "\"" R "\"");
    pawl_runtime_unref(runtime);
}

static void white_space_around_a_value_does_not_count(void **state) {
    (void)state;
    pawl_runtime *runtime = knowing(" hunter2\n", NULL);
    assert_shows(runtime, "=hunter2=", "=" R "=");
    pawl_runtime_unref(runtime);
}

static void says_why_a_value_is_refused_without_telling_it(void **state) {
    (void)state;
    static const struct {
        const char *value, *why;
    } rows[] = {
        {"abc",
         "runtime: a secret of 3 bytes is too short to be hidden, since it would be found in ordinary words; use "
         "one of at least 4"},
        {"  ab \n",
         "runtime: a secret of 2 bytes is too short to be hidden, since it would be found in ordinary words; "
         "use one of at least 4"},
        {"abcd\xff", "runtime: a secret is no UTF-8; add its base64 or hexadecimal text, whichever is printed"},
        {"REDACTED", "runtime: a secret is part of '[REDACTED]', which replaces it"},
    };
    pawl_runtime *runtime = pawl_runtime_new(NULL, NULL);
    pawl_error *err = NULL;
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(pawl_runtime_add_secret(runtime, rows[i].value, strlen(rows[i].value), &err), PAWL_E_INVALID);
        assert_string_equal(pawl_error_message(err), rows[i].why);
    }
    char *longest = calloc(1, PAWL_SECRET_MOST + 1);
    memset(longest, 'x', PAWL_SECRET_MOST + 1);
    assert_int_equal(pawl_runtime_add_secret(runtime, longest, PAWL_SECRET_MOST + 1, &err), PAWL_E_INVALID);
    assert_int_equal(pawl_runtime_add_secret(runtime, longest, PAWL_SECRET_MOST, &err), PAWL_OK);
    assert_int_equal(pawl_runtime_add_secret(runtime, NULL, 4, &err), PAWL_E_INVALID);
    assert_int_equal(pawl_runtime_add_secret(NULL, "abcd", 4, &err), PAWL_E_INVALID);
    free(longest);
    pawl_error_unref(err);
    pawl_runtime_unref(runtime);
}

static void takes_as_many_values_as_it_says(void **state) {
    (void)state;
    pawl_runtime *runtime = pawl_runtime_new(NULL, NULL);
    pawl_error *err = NULL;
    char value[32];
    for (unsigned i = 0; i < PAWL_SECRETS; i++) {
        snprintf(value, sizeof value, "value-%u!", i);
        assert_int_equal(pawl_runtime_add_secret(runtime, value, strlen(value), NULL), PAWL_OK);
        assert_int_equal(pawl_runtime_add_secret(runtime, value, strlen(value), NULL), PAWL_OK);
    }
    assert_int_equal(pawl_runtime_add_secret(runtime, "one more", 8, &err), PAWL_E_LIMIT);
    assert_shows(runtime, "a value-0! b value-255! c", "a " R " b " R " c");
    pawl_error_unref(err);
    pawl_runtime_unref(runtime);
}

static void values_go_before_shapes_and_shapes_take_the_rest(void **state) {
    (void)state;
    pawl_runtime *runtime = pawl_runtime_new(NULL, NULL);
    assert_int_equal(pawl_runtime_add_secret(runtime, "hunter2", 7, NULL), PAWL_OK);
    assert_shows(runtime, "PASSWORD=xhunter2y z", "PASSWORD=" R " z");
    assert_shows(runtime, "PASSWORD=hunter2 z", "PASSWORD=" R " z");
    assert_shows(runtime, "n=hunter2", "n=" R);
    pawl_runtime_unref(runtime);
}

static void of_a_cut_text_the_beginning_of_a_value_goes_too(void **state) {
    (void)state;
    pawl_runtime *runtime = knowing("correct-horse-battery", NULL);
    struct pawl_redaction redaction = pawl_redaction_of(runtime, false);
    char *shown;
    size_t length;
    assert_true(pawl_redact_text(&redaction, "it is correct-ho", 16, &shown, &length));
    assert_null(shown);
    redaction.cut = true;
    assert_true(pawl_redact_text(&redaction, "it is correct-ho", 16, &shown, &length));
    assert_string_equal(shown, "it is " R);
    assert_int_equal(length, strlen(shown));
    free(shown);
    pawl_runtime_unref(runtime);
}

static void into_a_buffer_it_hides_before_it_cuts(void **state) {
    (void)state;
    pawl_runtime *runtime = knowing("correct-horse-battery", NULL);
    const struct pawl_redaction redaction = pawl_redaction_of(runtime, false);
    char buffer[16];
    const char *text = "is correct-horse-battery";
    assert_int_equal(pawl_redact_into(&redaction, text, strlen(text), buffer, sizeof buffer), 13);
    assert_string_equal(buffer, "is " R);
    text = "0123456789 correct-horse-battery";
    assert_int_equal(pawl_redact_into(&redaction, text, strlen(text), buffer, sizeof buffer), 15);
    assert_string_equal(buffer, "0123456789 [RED");
    assert_int_equal(pawl_redact_into(&redaction, "a\xc3\xa9", 3, buffer, 3), 1);
    assert_string_equal(buffer, "a");
    fail_allocations_from(1);
    text = "is correct-horse-battery";
    size_t length = pawl_redact_into(&redaction, text, strlen(text), buffer, sizeof buffer);
    allow_allocations();
    assert_string_equal(buffer, R);
    assert_int_equal(length, 10);
    pawl_runtime_unref(runtime);
}

/* ---- values and errors ---- */

static void a_value_without_secrets_is_handed_on_itself(void **state) {
    (void)state;
    pawl_runtime *runtime = knowing("hunter2", NULL);
    const struct pawl_redaction redaction = pawl_redaction_of(runtime, true);
    pawl_value *value = parsed("{\"a\":[\"x\",1,null],\"b\":\"hunter\"}"),
               *shown = pawl_redact_value(&redaction, value);
    assert_ptr_equal(shown, value);
    pawl_value_unref(shown);
    pawl_value *list = list_of(value, pawl_value_string("y"));
    shown = pawl_redact_value(&redaction, list);
    assert_ptr_equal(shown, list);
    pawl_value_unref(shown);
    pawl_value_unref(list);
    assert_null(pawl_redact_value(&redaction, NULL));
    pawl_runtime_unref(runtime);
}

static void texts_and_names_of_a_value_are_hidden(void **state) {
    (void)state;
    pawl_runtime *runtime = pawl_runtime_new(NULL, NULL);
    assert_int_equal(pawl_runtime_add_secret(runtime, "hunter2", 7, NULL), PAWL_OK);
    struct pawl_redaction redaction = pawl_redaction_of(runtime, true);
    pawl_value *value =
        parsed("{\"a\":[\"xhunter2\",{\"hunter2\":1}],\"token\":\"abc\",\"key\":\"Enter\",\"tokens\":\"ab\"}");
    pawl_value *shown = pawl_redact_value(&redaction, value);
    assert_prints(shown, "{\"a\":[\"x" R "\",{\"" R "\":1}],\"token\":\"" R "\",\"key\":\"Enter\",\"tokens\":\"ab\"}");
    pawl_value_unref(shown);
    redaction.shapes = false;
    shown = pawl_redact_value(&redaction, value);
    assert_prints(shown, "{\"a\":[\"x" R "\",{\"" R "\":1}],\"token\":\"abc\",\"key\":\"Enter\",\"tokens\":\"ab\"}");
    pawl_value_unref(shown);
    pawl_value *list = list_of(value, pawl_value_string("y"));
    shown = pawl_redact_value(&redaction, list);
    assert_true(pawl_value_is_list(shown));
    assert_ptr_equal(pawl_value_item(shown, 1), pawl_value_item(list, 1));
    pawl_value_unref(shown);
    pawl_value_unref(list);
    pawl_runtime_unref(runtime);
}

static void an_error_keeps_all_but_its_words(void **state) {
    (void)state;
    pawl_runtime *runtime = knowing("hunter2", NULL);
    const struct pawl_redaction redaction = pawl_redaction_of(runtime, false);
    pawl_error *cause = NULL, *error = NULL;
    pawl_error_set(&cause, PAWL_E_DENIED, "no hunter2");
    pawl_error_info info = {.size = sizeof info,
                            .status = PAWL_E_UNAVAILABLE,
                            .failure_class = PAWL_CLASS_THROTTLED,
                            .started = PAWL_STARTED_NO,
                            .retry_after_ns = 7,
                            .cause = cause};
    pawl_error_set_info(&error, &info, "plain");
    pawl_redact_error(&redaction, &error);
    assert_string_equal(pawl_error_message(error), "plain");
    assert_string_equal(pawl_error_message(pawl_error_cause(error)), "no " R);
    assert_int_equal(pawl_error_status(error), PAWL_E_UNAVAILABLE);
    assert_int_equal(pawl_error_class(error), PAWL_CLASS_THROTTLED);
    assert_int_equal(pawl_error_started(error), PAWL_STARTED_NO);
    assert_int_equal(pawl_error_retry_after_ns(error), 7);
    pawl_error *same = error;
    pawl_redact_error(&redaction, &error);
    assert_ptr_equal(error, same);
    pawl_error_unref(error);
    error = NULL;
    pawl_redact_error(&redaction, &error);
    assert_null(error);
    pawl_error_set(&error, PAWL_E_FAILED, "%1018shunter2", "");
    assert_int_equal(strlen(pawl_error_message(error)), 1023);
    pawl_redact_error(&redaction, &error);
    assert_null(strstr(pawl_error_message(error), "hunt"));
    pawl_error_unref(error);
    pawl_runtime_unref(runtime);
}

/* ---- streams ---- */

struct sink {
    char text[512];
    size_t length;
};

static void take(void *user, const void *bytes, size_t length) {
    struct sink *sink = user;
    assert_true(length > 0 && sink->length + length < sizeof sink->text);
    memcpy(sink->text + sink->length, bytes, length);
    sink->length += length;
    sink->text[sink->length] = '\0';
}

/* In pieces cut at i and j. */
static void assert_streams(const struct pawl_redaction *redaction, const char *text, const char *expected) {
    size_t length = strlen(text);
    for (size_t i = 0; i <= length; i++) {
        for (size_t j = i; j <= length; j++) {
            struct sink sink = {.length = 0};
            struct pawl_redact_stream stream = {.redaction = *redaction, .emit = take, .user = &sink};
            pawl_redact_push(&stream, text, i);
            pawl_redact_push(&stream, text + i, j - i);
            pawl_redact_push(&stream, text + j, length - j);
            assert_true(pawl_redact_finish(&stream));
            if (strcmp(sink.text, expected) != 0)
                fail_msg("%s cut at %zu and %zu gives %s, not %s", text, i, j, sink.text, expected);
        }
    }
}

static void a_value_is_found_across_pieces(void **state) {
    (void)state;
    pawl_runtime *runtime = knowing("12345678", "5678abcd");
    const struct pawl_redaction redaction = pawl_redaction_of(runtime, false);
    assert_streams(&redaction, "x12345678y", "x" R "y");
    assert_streams(&redaction, "x12345678abcdy12345678", "x" R "y" R);
    assert_streams(&redaction, "1234567812345678", R);
    assert_streams(&redaction, "1234567 5678abc 1234", "1234567 5678abc 1234");
    assert_streams(&redaction, "", "");
    pawl_runtime_unref(runtime);
}

static void only_what_may_be_a_beginning_is_held_back(void **state) {
    (void)state;
    pawl_runtime *runtime = knowing("hunter2!", NULL);
    struct sink sink = {.length = 0};
    struct pawl_redact_stream stream = {.redaction = pawl_redaction_of(runtime, false), .emit = take, .user = &sink};
    pawl_redact_push(&stream, "progress 50 %", 13);
    assert_string_equal(sink.text, "progress 50 %");
    pawl_redact_push(&stream, " hunt", 5);
    assert_string_equal(sink.text, "progress 50 % ");
    pawl_redact_push(&stream, "ing", 3);
    assert_string_equal(sink.text, "progress 50 % hunting");
    pawl_redact_push(&stream, " hunter2", 8);
    assert_string_equal(sink.text, "progress 50 % hunting ");
    pawl_redact_push(&stream, "!", 1);
    assert_string_equal(sink.text, "progress 50 % hunting " R);
    assert_true(pawl_redact_finish(&stream));
    pawl_runtime_unref(runtime);
}

static void without_memory_a_stream_falls_silent(void **state) {
    (void)state;
    pawl_runtime *runtime = knowing("hunter2!", NULL);
    struct sink sink = {.length = 0};
    struct pawl_redact_stream stream = {.redaction = pawl_redaction_of(runtime, false), .emit = take, .user = &sink};
    fail_allocations_from(1);
    pawl_redact_push(&stream, "a hunt", 6);
    allow_allocations();
    pawl_redact_push(&stream, "er2! b", 6);
    assert_string_equal(sink.text, "a ");
    assert_false(pawl_redact_finish(&stream));
    pawl_runtime_unref(runtime);
}

/* ---- threads and memory ---- */

struct race {
    pawl_runtime *runtime;
    atomic_uint added;
};

static void *read_always(void *user) {
    struct race *race = user;
    char text[64];
    for (unsigned seen = 0; seen < 64;) {
        seen = atomic_load(&race->added);
        if (seen == 0)
            continue;
        snprintf(text, sizeof text, "a value-%u! b", seen - 1);
        char *shown = pawl_runtime_redact(race->runtime, text);
        assert_string_equal(shown, "a " R " b");
        free(shown);
    }
    return NULL;
}

static void values_are_added_while_others_read(void **state) {
    (void)state;
    struct race race = {.runtime = pawl_runtime_new(NULL, NULL)};
    pthread_t readers[2];
    char value[32];
    for (size_t i = 0; i < COUNT(readers); i++)
        assert_int_equal(pthread_create(&readers[i], NULL, read_always, &race), 0);
    for (unsigned i = 0; i < 64; i++) {
        snprintf(value, sizeof value, "value-%u!", i);
        assert_int_equal(pawl_runtime_add_secret(race.runtime, value, strlen(value), NULL), PAWL_OK);
        atomic_store(&race.added, i + 1);
    }
    for (size_t i = 0; i < COUNT(readers); i++)
        pthread_join(readers[i], NULL);
    pawl_runtime_unref(race.runtime);
}

static void without_memory_nothing_is_shown_and_nothing_leaks(void **state) {
    (void)state;
    pawl_value *value = parsed("[\"a hunter2\",{\"password\":\"x\"},\"https://u:p@h/\"]");
    pawl_value *expected = parsed("[\"a " R "\",{\"password\":\"" R "\"},\"https://u:" R "@h/\"]");
    for_each_failing_allocation(n) {
        pawl_runtime *runtime = pawl_runtime_new(NULL, NULL);
        if (!runtime)
            continue;
        pawl_error *err = NULL;
        pawl_status status = pawl_runtime_add_secret(runtime, "hunter2", 7, &err);
        assert_true(status == PAWL_OK || status == PAWL_E_NOMEM);
        pawl_status set = pawl_runtime_redaction(runtime, NULL, .names = (const char *const[]){"pin", NULL});
        assert_true(set == PAWL_OK || set == PAWL_E_NOMEM);
        const struct pawl_redaction redaction = pawl_redaction_of(runtime, true);
        pawl_value *shown = pawl_redact_value(&redaction, value);
        char *text = pawl_runtime_redact(runtime, "PASSWORD=abc hunter2 pin=1");
        if (status == PAWL_OK && set == PAWL_OK && shown)
            assert_true(pawl_value_equal(shown, expected));
        if (status == PAWL_OK && set == PAWL_OK && text)
            assert_string_equal(text, "PASSWORD=" R " " R " pin=" R);
        free(text);
        pawl_value_unref(shown);
        pawl_error_unref(err);
        pawl_runtime_unref(runtime);
    }
    pawl_value_unref(value);
    pawl_value_unref(expected);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hides_a_known_value_wherever_it_is),
        cmocka_unit_test(of_overlapping_values_nothing_is_left),
        cmocka_unit_test(hides_other_forms_of_a_value),
        cmocka_unit_test(white_space_around_a_value_does_not_count),
        cmocka_unit_test(says_why_a_value_is_refused_without_telling_it),
        cmocka_unit_test(takes_as_many_values_as_it_says),
        cmocka_unit_test(values_go_before_shapes_and_shapes_take_the_rest),
        cmocka_unit_test(of_a_cut_text_the_beginning_of_a_value_goes_too),
        cmocka_unit_test(into_a_buffer_it_hides_before_it_cuts),
        cmocka_unit_test(a_value_without_secrets_is_handed_on_itself),
        cmocka_unit_test(texts_and_names_of_a_value_are_hidden),
        cmocka_unit_test(an_error_keeps_all_but_its_words),
        cmocka_unit_test(a_value_is_found_across_pieces),
        cmocka_unit_test(only_what_may_be_a_beginning_is_held_back),
        cmocka_unit_test(without_memory_a_stream_falls_silent),
        cmocka_unit_test(values_are_added_while_others_read),
        cmocka_unit_test(without_memory_nothing_is_shown_and_nothing_leaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
