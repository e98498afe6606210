#include "failing_malloc.h"
#include <pawl/integrations/fix.h>

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LAST_LINE "ValueError: the last line of all"

static void add_stream(cJSON *json, const char *key, const char *text, size_t seen) {
    cJSON *logs = cJSON_GetObjectItem(json, "logs"), *bytes = cJSON_GetObjectItem(json, "bytes");
    logs = logs ? logs : cJSON_AddObjectToObject(json, "logs");
    bytes = bytes ? bytes : cJSON_AddObjectToObject(json, "bytes");
    cJSON *list = cJSON_AddArrayToObject(logs, key), *stream = cJSON_AddObjectToObject(bytes, key);
    if (text[0])
        cJSON_AddItemToArray(list, cJSON_CreateString(text));
    cJSON_AddNumberToObject(stream, "seen", (double)seen);
    cJSON_AddNumberToObject(stream, "kept", (double)strlen(text));
}

static pawl_value *execution(const char *out, const char *err) {
    cJSON *json = cJSON_CreateObject(), *error = cJSON_AddObjectToObject(json, "error");
    cJSON_AddStringToObject(json, "outcome", "exception");
    cJSON_AddStringToObject(error, "name", "ValueError");
    cJSON_AddStringToObject(error, "value", "the last line of all");
    cJSON_AddNumberToObject(json, "exit_status", 1);
    cJSON_AddNumberToObject(json, "execution_time", 0.25);
    add_stream(json, "stdout", out, strlen(out));
    add_stream(json, "stderr", err, strlen(err));
    pawl_value *result = pawl_value_take(json);
    assert_non_null(result);
    return result;
}

static char *feedback(pawl_value *result, uint64_t most) { /* takes result */
    pawl_feedback_options options = {.size = sizeof options, .max_bytes = most};
    char *text = pawl_feedback_text(result, &options);
    assert_non_null(text);
    assert_true(strlen(text) <= most);
    pawl_value_unref(result);
    return text;
}

static void assert_has(const char *text, const char *part) {
    if (!strstr(text, part))
        fail_msg("'%s' is not in:\n%s", part, text);
}

static char *repeated(const char *text, size_t times) {
    char *all = calloc(times, strlen(text) + 1);
    for (size_t i = 0, used = 0; i < times; i++, used += strlen(text))
        strcpy(all + used, text);
    return all;
}

static void short_output_is_given_whole(void **state) {
    (void)state;
    char *text = feedback(execution("hello\n", "Traceback\n" LAST_LINE "\n"), 4000);
    assert_string_equal(text, "outcome: exception, exit status 1, ran 0.250 s\nerror: " LAST_LINE
                              "\nstderr (43 bytes):\nTraceback\n" LAST_LINE "\nstdout (6 bytes):\nhello\n");
    free(text);
}

static void outcome_status_and_exception_survive_any_cut(void **state) {
    (void)state;
    char *noise = repeated("all work and no play makes a dull log, line after line\n", 5000);
    for (uint64_t most = 512; most < 3000; most += 97) {
        char *text = feedback(execution(noise, noise), most);
        assert_has(text, "outcome: exception, exit status 1");
        assert_has(text, "error: " LAST_LINE "\n");
        free(text);
    }
    free(noise);
}

static void head_and_tail_are_kept_on_line_ends(void **state) {
    (void)state;
    char log[40000] = "";
    for (int i = 0; i < 2000; i++)
        snprintf(log + strlen(log), sizeof log - strlen(log), "line %d.\n", i);
    char *text = feedback(execution("", log), 1000);
    assert_has(text, "\nline 0.\nline 1.\n");
    assert_has(text, "line 1998.\nline 1999.\n");
    char *gap = strstr(text, "[... ");
    assert_non_null(gap);
    assert_memory_equal(gap - 2, ".\n", 2);
    assert_memory_equal(strchr(gap, '\n') + 1, "line ", 5);
    free(text);
}

static size_t left_out(const char *text) {
    size_t bytes = 0;
    char *gap = strstr(text, "[... ");
    assert_non_null(gap);
    assert_int_equal(sscanf(gap, "[... %zu bytes left out ...]", &bytes), 1);
    return bytes;
}

static void the_bytes_left_out_are_counted(void **state) {
    (void)state;
    char log[20000] = "";
    for (int i = 0; i < 1000; i++)
        snprintf(log + strlen(log), sizeof log - strlen(log), "row %d\n", i);
    char *text = feedback(execution("", log), 900);
    char *begin = strstr(text, "row 0\n"), *gap = strstr(text, "[... "), *rest = strchr(gap, '\n') + 1;
    assert_int_equal((size_t)(gap - begin) + strlen(rest) + left_out(text), strlen(log));
    free(text);
}

static void what_the_sandbox_did_not_keep_is_told(void **state) {
    (void)state;
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "outcome", "output_limit");
    add_stream(json, "stdout", "some\n", 123456);
    add_stream(json, "stderr", "", 0);
    char *text = feedback(pawl_value_take(json), 1000);
    assert_has(text, "outcome: output_limit, no exit status");
    assert_has(text, "stdout (123456 bytes, the sandbox kept 5):\nsome\n");
    free(text);
}

static void a_character_is_never_cut(void **state) {
    (void)state;
    char *wide = repeated("\xe2\x82\xac", 5000), *four = repeated("\xf0\x9f\xa6\x89", 5000);
    for (uint64_t most = 512; most < 600; most++) {
        char *text = feedback(execution(wide, four), most), *json = NULL;
        pawl_value *value = NULL;
        for (char *c = text; *c; c++)
            *c = *c == '\n' ? ' ' : *c;
        assert_true(asprintf(&json, "\"%s\"", text) > 0);
        assert_int_equal(pawl_value_parse(json, strlen(json), NULL, &value, NULL), PAWL_OK);
        pawl_value_unref(value);
        free(json);
        free(text);
    }
    free(wide);
    free(four);
}

static void repeated_frames_become_one_and_a_count(void **state) {
    (void)state;
    char *frames = repeated("  File \"program.py\", line 7, in walk\n    return walk(node)\n", 900), *log = NULL;
    assert_true(asprintf(&log, "Traceback (most recent call last):\n%sRecursionError: too deep\n", frames) > 0);
    char *text = feedback(execution("", log), 4000);
    assert_has(text,
               "in walk\n    return walk(node)\n[the 2 lines above 899 more times, 53041 bytes]\nRecursionError: too "
               "deep\n");
    assert_true(strlen(text) < 400);
    free(text);
    free(log);
    free(frames);
}

static void frames_of_mutual_recursion_too(void **state) {
    (void)state;
    char *frames = repeated("  in a\n    b()\n  in b\n    c()\n  in c\n    a()\n", 300);
    char *text = feedback(execution("", frames), 4000);
    assert_has(text, "[the 6 lines above 299 more times");
    free(text);
    free(frames);
}

static void few_and_short_repeats_stay(void **state) {
    (void)state;
    char *text = feedback(execution("x\nx\nx\nx\n", ""), 4000);
    assert_has(text, "x\nx\nx\nx\n");
    free(text);
}

static void one_stream_may_use_what_the_other_leaves(void **state) {
    (void)state;
    char log[6000] = "";
    for (int i = 0; i < 600; i++)
        snprintf(log + strlen(log), sizeof log - strlen(log), "n %d\n", i);
    char *text = feedback(execution(log, "short\n"), 4000);
    assert_true(strlen(text) > 3500);
    free(text);
}

static void other_values_are_given_as_json(void **state) {
    (void)state;
    char *text = pawl_feedback_text(pawl_value_null(), NULL);
    assert_string_equal(text, "null");
    free(text);
}

static void a_book_of_an_exception_is_cut_in_the_middle(void **state) {
    (void)state;
    char *book = repeated("word after word after word ", 1000);
    cJSON *json = cJSON_CreateObject(), *error = cJSON_AddObjectToObject(json, "error");
    cJSON_AddStringToObject(json, "outcome", "exception");
    cJSON_AddStringToObject(error, "name", "TypeError");
    cJSON_AddStringToObject(error, "value", book);
    add_stream(json, "stderr", "the stream\n", 11);
    char *text = feedback(pawl_value_take(json), 2000);
    assert_has(text, "error: TypeError: word after");
    assert_has(text, "bytes left out");
    assert_has(text, "the stream\n");
    free(text);
    free(book);
}

static void secrets_are_hidden_before_anything_is_cut(void **state) {
    (void)state;
    char *text = feedback(execution("API_KEY=abc123\n", "ValueError: Authorization: Bearer abcdef\n"), 4000);
    assert_has(text, "API_KEY=[REDACTED]\n");
    assert_has(text, "ValueError: Authorization: [REDACTED]\n");
    free(text);
    char key[2000] = "PASSWORD=";
    memset(key + 9, 'x', sizeof key - 10);
    text = feedback(execution(key, ""), 512);
    assert_has(text, "PASSWORD=[REDACTED]");
    assert_null(strstr(text, "xx"));
    free(text);
}

static void running_out_of_memory_gives_none(void **state) {
    (void)state;
    pawl_value *result = execution("out\n", "err\n");
    for_each_failing_allocation(n) {
        char *text = pawl_feedback_text(result, NULL);
        assert_int_equal(text == NULL, allocations_failed() > 0);
        free(text);
    }
    pawl_value_unref(result);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_output_is_given_whole),
        cmocka_unit_test(outcome_status_and_exception_survive_any_cut),
        cmocka_unit_test(head_and_tail_are_kept_on_line_ends),
        cmocka_unit_test(the_bytes_left_out_are_counted),
        cmocka_unit_test(what_the_sandbox_did_not_keep_is_told),
        cmocka_unit_test(a_character_is_never_cut),
        cmocka_unit_test(repeated_frames_become_one_and_a_count),
        cmocka_unit_test(frames_of_mutual_recursion_too),
        cmocka_unit_test(few_and_short_repeats_stay),
        cmocka_unit_test(one_stream_may_use_what_the_other_leaves),
        cmocka_unit_test(other_values_are_given_as_json),
        cmocka_unit_test(a_book_of_an_exception_is_cut_in_the_middle),
        cmocka_unit_test(secrets_are_hidden_before_anything_is_cut),
        cmocka_unit_test(running_out_of_memory_gives_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
