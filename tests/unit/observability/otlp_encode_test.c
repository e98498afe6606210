/* OTLP requests: the golden vector byte for byte, the same data as JSON, and what may never reach the wire. Official
 * schemas judge the rest in tests/conformance/observability. */
#include "failing_malloc.h"
#include "json_scan_internal.h"
#include "otlp_encode_internal.h"
#include "telemetry_data.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define MOST PAWL_MIB(64)

static const pawl_attribute service = {.key = "service.name", .value.string = "wf", .type = PAWL_ATTRIBUTE_STRING};
static const struct pawl_otlp_source wf = {.attributes = &service, .attribute_count = 1, .scope_name = "wf"};

static const pawl_attribute n = {.key = "n", .value.integer = 42, .type = PAWL_ATTRIBUTE_INT};
static const pawl_span_data golden = {
    .name = "run",
    .tracestate = "",
    .status_message = "",
    .start_unix_ns = UINT64_C(1700000000000000000),
    .end_unix_ns = UINT64_C(1700000000250000000),
    .trace_id = {0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f},
    .span_id = {0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7},
    .kind = PAWL_SPAN_INTERNAL,
    .flags = 0x101,
    .attribute_count = 1,
    .attributes = &n};

static void expect_written(struct pawl_otlp_writer *w, const char *expected, size_t length) {
    assert_int_equal(w->status, PAWL_OK);
    assert_int_equal(w->length, length);
    assert_memory_equal(pawl_otlp_written(w), expected, length);
    pawl_otlp_writer_finish(w);
}

static void writes_the_golden_vector_of_a_span(void **state) {
    (void)state;
    static const char bytes[] =
        "\x0a\x66\x0a\x16\x0a\x14\x0a\x0c\x73\x65\x72\x76\x69\x63\x65\x2e\x6e\x61\x6d\x65\x12\x04\x0a\x02\x77\x66\x12"
        "\x4c\x0a\x04\x0a\x02\x77\x66\x12\x44\x0a\x10\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f"
        "\x12\x08\xa0\xa1\xa2\xa3\xa4\xa5\xa6\xa7\x2a\x03\x72\x75\x6e\x30\x01\x39\x00\x00\x2a\x36\xfe\x9c\x97\x17\x41"
        "\x80\xb2\x10\x45\xfe\x9c\x97\x17\x4a\x07\x0a\x01\x6e\x12\x02\x18\x2a\x85\x01\x01\x01\x00\x00";
    struct pawl_otlp_writer w;
    pawl_otlp_writer_init(&w, false, MOST);
    pawl_otlp_traces(&w, &wf, &golden, 1);
    expect_written(&w, bytes, 104);
}

static void writes_the_same_span_as_json(void **state) {
    (void)state;
    static const char text[] =
        "{\"resourceSpans\":[{\"resource\":{\"attributes\":[{\"key\":\"service.name\",\"value\":{\"stringValue\":"
        "\"wf\"}}]},\"scopeSpans\":[{\"scope\":{\"name\":\"wf\"},\"spans\":[{\"traceId\":"
        "\"101112131415161718191a1b1c1d1e1f\",\"spanId\":\"a0a1a2a3a4a5a6a7\",\"name\":\"run\",\"kind\":1,"
        "\"startTimeUnixNano\":\"1700000000000000000\",\"endTimeUnixNano\":\"1700000000250000000\",\"attributes\":[{"
        "\"key\":\"n\",\"value\":{\"intValue\":\"42\"}}],\"flags\":257}]}]}]}";
    struct pawl_otlp_writer w;
    pawl_otlp_writer_init(&w, true, MOST);
    pawl_otlp_traces(&w, &wf, &golden, 1);
    expect_written(&w, text, sizeof text - 1);
}

/* Writes one request about everything; 0 traces, 1 metrics, 2 logs. */
static void write_all(struct pawl_otlp_writer *w, int signal) {
    size_t count;
    if (signal == 0) {
        pawl_otlp_traces(w, &wf, full_span(), 1);
    } else if (signal == 1) {
        const pawl_metric_data *metrics = all_metrics(&count);
        pawl_otlp_metrics(w, &wf, metrics, count);
    } else {
        const pawl_log_data *logs = all_logs(&count);
        pawl_otlp_logs(w, &wf, logs, count);
    }
}

static char *json_of(int signal) {
    struct pawl_otlp_writer w;
    pawl_otlp_writer_init(&w, true, MOST);
    write_all(&w, signal);
    assert_int_equal(w.status, PAWL_OK);
    char *text = malloc(w.length + 1);
    memcpy(text, pawl_otlp_written(&w), w.length);
    text[w.length] = '\0';
    pawl_otlp_writer_finish(&w);
    struct pawl_json_scan scan = pawl_json_scan(text, strlen(text), 100);
    if (scan.status != PAWL_OK)
        fail_msg("%s at %zu: %s", scan.what, scan.offset, text + scan.offset);
    return text;
}

static void expect_part(const char *text, const char *part) {
    if (!strstr(text, part))
        fail_msg("there is no %s in %s", part, text);
}

static void writes_every_value_as_json_wants_it(void **state) {
    (void)state;
    char *text = json_of(0);
    expect_part(text,
                "{\"key\":\"text\",\"value\":{\"stringValue\":\"quote \\\" backslash \\\\ line\\nbell\\u0007 end\"}}");
    expect_part(text, "{\"key\":\"bad\",\"value\":{\"stringValue\":\"" MENDED_UTF8 "\"}}");
    expect_part(text, "{\"key\":\"null\",\"value\":{\"stringValue\":\"\"}}");
    expect_part(text, "{\"intValue\":\"-9223372036854775808\"}");
    expect_part(text, "{\"intValue\":\"9223372036854775807\"}");
    expect_part(text, "{\"intValue\":\"0\"}");
    expect_part(text, "{\"doubleValue\":\"NaN\"}");
    expect_part(text, "{\"doubleValue\":\"-Infinity\"}");
    expect_part(text, "{\"doubleValue\":0.333333333333333");
    expect_part(text, "{\"boolValue\":false}");
    expect_part(text, "\"status\":{\"message\":\"it broke: " MENDED_UTF8 "\",\"code\":2}");
    expect_part(text, "\"parentSpanId\":\"0909090909090909\"");
    expect_part(text, "\"traceState\":\"ot=th:8,vendor=x\"");
    expect_part(text, "\"droppedLinksCount\":4294967295");
    expect_part(text, "\"flags\":771");
    free(text);
}

static void writes_every_kind_of_metric(void **state) {
    (void)state;
    char *text = json_of(1);
    expect_part(text, "\"sum\":{\"dataPoints\":[{\"startTimeUnixNano\":\"1700000000000000000\"");
    expect_part(text, "\"asInt\":\"42\"");
    expect_part(text, "\"aggregationTemporality\":2,\"isMonotonic\":true}");
    expect_part(text, "\"asDouble\":42");
    expect_part(text, "\"aggregationTemporality\":1,\"isMonotonic\":true}");
    expect_part(text, "\"aggregationTemporality\":2}}");
    expect_part(text, "\"gauge\":{\"dataPoints\":[");
    expect_part(text, "\"asDouble\":-1.25");
    expect_part(
        text,
        "\"count\":\"303\",\"sum\":601.5,\"bucketCounts\":[\"1\",\"0\",\"300\",\"2\"],\"explicitBounds\":[0.5,1,2.5]");
    expect_part(text, "\"min\":0.25,\"max\":9}");
    expect_part(text, "\"count\":\"620\",\"scale\":-2,\"zeroCount\":\"4\",\"positive\":{\"offset\":-7,\"bucketCounts\":"
                      "[\"1\",\"300\",\"0\",\"7\"]},\"negative\":{\"offset\":9,");
    expect_part(text, "\"exemplars\":[{\"timeUnixNano\":\"1700000000000000009\",\"spanId\":\"0a0b0c0d0e0f0102\","
                      "\"traceId\":\"0102030405060708090a0b0c0d0e0f10\",\"asDouble\":2}]");
    free(text);
}

static void writes_log_records_without_event_name(void **state) {
    (void)state;
    char *text = json_of(2);
    expect_part(text,
                "\"severityNumber\":13,\"severityText\":\"WARN\",\"body\":{\"stringValue\":\"hello " MENDED_UTF8 "\"}");
    expect_part(text, "\"severityNumber\":5,\"severityText\":\"DEBUG\",\"body\":{\"stringValue\":\"\"}");
    expect_part(text, "\"flags\":1,\"traceId\":\"0102030405060708090a0b0c0d0e0f10\"");
    assert_null(strstr(text, "eventName"));
    free(text);
}

/* Whether the text is there as a whole string of a field: its length before it. */
static bool has_field(const struct pawl_otlp_writer *w, const char *text) {
    size_t length = strlen(text);
    const uint8_t *bytes = pawl_otlp_written(w);
    for (size_t i = 1; i + length <= w->length; i++)
        if (bytes[i - 1] == length && memcmp(bytes + i, text, length) == 0)
            return true;
    return false;
}

static void never_sends_what_is_no_utf8(void **state) {
    (void)state;
    for (int signal = 0; signal < 3; signal++) {
        struct pawl_otlp_writer w;
        pawl_otlp_writer_init(&w, false, MOST);
        write_all(&w, signal);
        assert_int_equal(w.status, PAWL_OK);
        for (size_t i = 0; i + 2 < w.length; i++)
            assert_memory_not_equal(pawl_otlp_written(&w) + i, "\xff\xfe", 2);
        assert_true(has_field(&w, signal == 0   ? MENDED_UTF8
                                  : signal == 1 ? "What came in " MENDED_UTF8
                                                : "hello " MENDED_UTF8));
        pawl_otlp_writer_finish(&w);
    }
}

static void mends_text_at_the_very_end_of_the_buffer(void **state) {
    (void)state;
    struct pawl_otlp_writer w;
    pawl_otlp_writer_init(&w, false, MOST);
    pawl_otlp_put_string(&w, FIELD(1, "x"), "\xff");
    expect_written(&w, "\x0a\x03\xef\xbf\xbd", 5);
    pawl_otlp_writer_init(&w, false, MOST);
    pawl_otlp_put_string(&w, FIELD(2, "y"), "kept");
    pawl_otlp_put_string(&w, FIELD(1, "x"), "\xff");
    expect_written(&w, "\x0a\x03\xef\xbf\xbd\x12\x04kept", 11);
}

static void writes_varints_of_every_length(void **state) {
    (void)state;
    struct pawl_otlp_writer w;
    static const uint64_t numbers[] = {0, 127, 128, 16384, UINT64_MAX};
    pawl_otlp_writer_init(&w, false, MOST);
    pawl_otlp_put_uint64s(&w, FIELD(2, "x"), numbers, 5);
    expect_written(&w, "\x12\x11\x00\x7f\x80\x01\x80\x80\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 19);
    pawl_otlp_writer_init(&w, false, MOST);
    pawl_otlp_put_sint32(&w, FIELD(1, "x"), -7);
    pawl_otlp_put_sint32(&w, FIELD(1, "x"), 7);
    pawl_otlp_put_sint32(&w, FIELD(1, "x"), INT32_MIN);
    expect_written(&w, "\x08\xff\xff\xff\xff\x0f\x08\x0e\x08\x0d", 10);
    pawl_otlp_writer_init(&w, false, MOST);
    pawl_otlp_put_int64_always(&w, FIELD(3, "x"), -1);
    expect_written(&w, "\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11);
}

static void leaves_out_a_sum_that_could_shrink(void **state) {
    (void)state;
    char *text = json_of(1);
    assert_null(strstr(text, "\"sum\":12"));
    free(text);
}

static void stops_at_its_bound(void **state) {
    (void)state;
    for (int signal = 0; signal < 3; signal++)
        for (int json = 0; json < 2; json++) {
            struct pawl_otlp_writer w;
            pawl_otlp_writer_init(&w, json, MOST);
            write_all(&w, signal);
            size_t length = w.length;
            pawl_otlp_writer_finish(&w);
            pawl_otlp_writer_init(&w, json, length);
            write_all(&w, signal);
            assert_int_equal(w.status, PAWL_OK);
            w.most = length - 1;
            pawl_otlp_writer_reset(&w);
            write_all(&w, signal);
            assert_int_equal(w.status, PAWL_E_LIMIT);
            pawl_otlp_writer_finish(&w);
        }
}

static void writes_a_megabyte_and_hundreds_of_attributes(void **state) {
    (void)state;
    static pawl_attribute many[1000];
    static char large[1 << 20];
    memset(large, 'x', sizeof large - 1);
    for (size_t i = 0; i < 1000; i++)
        many[i] = pawl_attribute_int("k", (int64_t)i);
    many[500] = pawl_attribute_string("large", large);
    pawl_span_data span = golden;
    span.attributes = many;
    span.attribute_count = 1000;
    struct pawl_otlp_writer w;
    pawl_otlp_writer_init(&w, false, MOST);
    pawl_otlp_traces(&w, &wf, &span, 1);
    assert_int_equal(w.status, PAWL_OK);
    assert_in_range(w.length, sizeof large + 999 * 9, sizeof large + 1000 * 16);
    pawl_otlp_writer_finish(&w);
}

static void tells_when_there_is_no_memory(void **state) {
    (void)state;
    for (int signal = 0; signal < 3; signal++)
        for_each_failing_allocation(at) {
            struct pawl_otlp_writer w;
            pawl_otlp_writer_init(&w, true, MOST);
            write_all(&w, signal);
            assert_int_equal(w.status, allocations_failed() > 0 ? PAWL_E_NOMEM : PAWL_OK);
            pawl_otlp_writer_finish(&w);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_the_golden_vector_of_a_span),
        cmocka_unit_test(writes_the_same_span_as_json),
        cmocka_unit_test(writes_every_value_as_json_wants_it),
        cmocka_unit_test(writes_every_kind_of_metric),
        cmocka_unit_test(writes_log_records_without_event_name),
        cmocka_unit_test(never_sends_what_is_no_utf8),
        cmocka_unit_test(mends_text_at_the_very_end_of_the_buffer),
        cmocka_unit_test(writes_varints_of_every_length),
        cmocka_unit_test(leaves_out_a_sum_that_could_shrink),
        cmocka_unit_test(stops_at_its_bound),
        cmocka_unit_test(writes_a_megabyte_and_hundreds_of_attributes),
        cmocka_unit_test(tells_when_there_is_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
