/* Log records as lines, for people and for programs. */
#include "failing_malloc.h"
#include "logs_internal.h"
#include "virtual_runtime.h"
#include <pawl/primitives/primitives.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void add_line(void *user, const char *lines, size_t length) {
    assert_int_equal(strlen(lines), length);
    assert_int_equal(lines[length - 1], '\n');
    strncat(user, lines, 4095 - strlen(user));
}

static pawl_status speak(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    const pawl_attribute attributes[] = {pawl_attribute_string("file", "a \"b\"\n\x1b[31m"),
                                         pawl_attribute_string("plain", "x-1"),
                                         pawl_attribute_int("size", INT64_C(9007199254740993)),
                                         pawl_attribute_bool("ok", true), pawl_attribute_double("share", 0.25)};
    (void)user, (void)in, (void)ret_out, (void)err;
    pawl_context_log(ctx, PAWL_LOG_ERROR, attributes, 5, "cannot read\t%s", "it");
    return PAWL_OK;
}

static void run_speaker(char text[4096], uint64_t format, char trace_id[33], char span_id[17]) {
    struct fake_clock time = {.now_ns = PAWL_MS(1500)};
    pawl_runtime *runtime = virtual_runtime(&time);
    uint8_t id[16];
    text[0] = '\0';
    pawl_logs *logs = pawl_logs_with(NULL, .write = add_line, .user = text, .format = format);
    assert_int_equal(pawl_logs_attach(logs, runtime, NULL), PAWL_OK);
    pawl_context *ctx = pawl_context_new(runtime);
    assert_true(pawl_context_extract(ctx, "00-0123456789abcdef0123456789abcdef-00f067aa0ba902b7-01", NULL, NULL));
    pawl_primitive *node = pawl_inline("speaker", speak, NULL);
    pawl_runtime_log(runtime, PAWL_LOG_WARN, "before");
    assert_int_equal(pawl_run(node, ctx, NULL, NULL, NULL), PAWL_OK);
    assert_string_equal(text, "");
    assert_int_equal(pawl_runtime_flush(runtime, PAWL_S(1), NULL), PAWL_OK);
    pawl_context_trace_id(ctx, id);
    for (size_t i = 0; i < 16; i++)
        snprintf(trace_id + 2 * i, 3, "%02x", id[i]);
    const char *span = strstr(text, "span_id");
    assert_non_null(span);
    snprintf(span_id, 17, "%.16s", span + (format == PAWL_LOG_JSON ? 10 : 8));
    pawl_primitive_unref(node);
    pawl_context_unref(ctx);
    pawl_runtime_unref(runtime);
    pawl_logs_unref(logs);
}

static void writes_lines_a_person_reads(void **state) {
    (void)state;
    char text[4096], trace_id[33], span_id[17], expected[4096];
    run_speaker(text, PAWL_LOG_TEXT, trace_id, span_id);
    const char *time = strchr(text, ' ');
    assert_non_null(time);
    snprintf(expected, sizeof expected,
             "%.27s WARN  before\n"
             "%.27s ERROR cannot read?it file=\"a \\\"b\\\"??[31m\" plain=x-1 size=9007199254740993 ok=true share=0.25 "
             "trace_id=%s span_id=%s\n",
             text, text, trace_id, span_id);
    assert_string_equal(text, expected);
    assert_string_equal(trace_id, "0123456789abcdef0123456789abcdef");
    assert_int_equal(text[26], 'Z');
    assert_memory_equal(text + 19, ".500000", 7);
}

static void writes_lines_a_program_reads(void **state) {
    (void)state;
    char text[4096], trace_id[33], span_id[17], expected[4096];
    run_speaker(text, PAWL_LOG_JSON, trace_id, span_id);
    snprintf(
        expected, sizeof expected,
        "{\"time\":\"%.27s\",\"level\":\"WARN\",\"text\":\"before\"}\n"
        "{\"time\":\"%.27s\",\"level\":\"ERROR\",\"text\":\"cannot read\\tit\",\"trace_id\":\"%s\",\"span_id\":\"%s\","
        "\"attributes\":{\"file\":\"a \\\"b\\\"\\n\\u001b[31m\",\"plain\":\"x-1\",\"size\":9007199254740993,"
        "\"ok\":true,\"share\":0.25}}\n",
        text + 9, text + 9, trace_id, span_id);
    assert_string_equal(text, expected);
}

static void writes_utf8_whatever_it_is_told(void **state) {
    (void)state;
    size_t length;
    const pawl_log_data data = {.text = "caf\xe9 \xff", .time_unix_ns = 0, .level = 99};
    for (uint64_t format = PAWL_LOG_TEXT; format <= PAWL_LOG_JSON; format++) {
        char *line = pawl_log_line_new(&data, format, &length);
        assert_non_null(strstr(line, "caf\xef\xbf\xbd \xef\xbf\xbd"));
        assert_non_null(strstr(line, "1970-01-01T00:00:00.000000Z"));
        assert_int_equal(strlen(line), length);
        free(line);
    }
}

static void survives_any_allocation_failing(void **state) {
    (void)state;
    char text[4096];
    const pawl_attribute attribute = pawl_attribute_string("k", "v");
    for_each_failing_allocation(n) {
        text[0] = '\0';
        struct fake_clock time = {.now_ns = 0};
        pawl_runtime *runtime = virtual_runtime_or_null(&time);
        pawl_logs *logs = pawl_logs_with(NULL, .write = add_line, .user = text, .format = n % 2);
        bool attached = runtime && logs && pawl_logs_attach(logs, runtime, NULL) == PAWL_OK;
        pawl_context *ctx = runtime ? pawl_context_new(runtime) : NULL;
        if (ctx)
            pawl_context_log(ctx, PAWL_LOG_WARN, &attribute, 1, "said");
        bool flushed = attached && ctx && pawl_runtime_flush(runtime, PAWL_S(1), NULL) == PAWL_OK;
        assert_true(allocations_failed() > 0 || (flushed && strstr(text, "said")));
        pawl_context_unref(ctx);
        pawl_runtime_unref(runtime);
        pawl_logs_unref(logs);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_lines_a_person_reads),
        cmocka_unit_test(writes_lines_a_program_reads),
        cmocka_unit_test(writes_utf8_whatever_it_is_told),
        cmocka_unit_test(survives_any_allocation_failing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
