/* The trace file reader: what other exporters write, what liars write, and where it stops. */
#include "failing_malloc.h"
#include "trace_reader_internal.h"
#include "values.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define IDS "\"traceId\":\"101112131415161718191a1b1c1d1e1f\",\"spanId\":\"a0a1a2a3a4a5a6a7\""
#define TIMES "\"startTimeUnixNano\":\"1700000000000000000\",\"endTimeUnixNano\":\"1700000000250000000\""
#define REQUEST(spans) "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[" spans "]}]}]}"
#define SPAN "{" IDS "," TIMES ",\"name\":\"run\"}"

struct seen {
    size_t spans, faults, stop_after;
    uint64_t lines[8], groups[8]; /* of the spans */
    uint64_t bad_line;            /* of the last fault */
    char what[256];
    void (*look)(const struct pawl_trace_span *span);
};

static bool take_span(void *user, const struct pawl_trace_span *span) {
    struct seen *seen = user;
    if (seen->spans < 8) {
        seen->lines[seen->spans] = span->line;
        seen->groups[seen->spans] = span->group;
    }
    if (seen->look)
        seen->look(span);
    return ++seen->spans != seen->stop_after;
}

static void take_fault(void *user, uint64_t line, const char *what) {
    struct seen *seen = user;
    seen->faults++;
    seen->bad_line = line;
    snprintf(seen->what, sizeof seen->what, "%s", what);
}

static struct pawl_trace_reading read_within(struct seen *seen, const char *text,
                                             const struct pawl_trace_limits *limits) {
    struct pawl_trace_sink sink = {.user = seen, .span = take_span, .fault = take_fault};
    struct pawl_trace_reading reading;
    assert_int_equal(pawl_trace_read(text, strlen(text), limits, &sink, &reading, NULL), PAWL_OK);
    assert_int_equal(reading.spans, seen->spans);
    assert_int_equal(reading.bad_lines + reading.bad_spans, seen->faults);
    return reading;
}

static struct pawl_trace_reading read_all(struct seen *seen, const char *text) {
    return read_within(seen, text, NULL);
}

/* ---- what is in a span ---- */

static void look_at_everything(const struct pawl_trace_span *span) {
    static const uint8_t trace_id[] = {0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17,
                                       0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f};
    static const uint8_t parent_id[] = {1, 2, 3, 4, 5, 6, 7, 8};
    assert_memory_equal(span->trace_id, trace_id, 16);
    assert_int_equal(span->span_id[7], 0xa7);
    assert_memory_equal(span->parent_span_id, parent_id, 8);
    assert_string_equal(span->name, "run");
    assert_string_equal(span->scope_name, "wf");
    assert_string_equal(span->scope_version, "3");
    assert_string_equal(span->trace_state, "ot=th:8");
    assert_int_equal(span->start_ns, UINT64_C(1700000000000000001));
    assert_int_equal(span->end_ns, UINT64_C(1700000000000000000));
    assert_int_equal(span->kind, 3);
    assert_int_equal(span->flags, 0x101);
    assert_int_equal(span->status.code, 2);
    assert_string_equal(span->status.message, "no");
    assert_int_equal(span->dropped_attributes, 7);
    const char *key;
    struct pawl_otlp_any value;
    assert_true(pawl_otlp_attribute(pawl_otlp_first(span->resource_attributes), &key, &value));
    assert_string_equal(key, "service.name");
    assert_string_equal(value.string, "shop");
    struct pawl_trace_event event;
    assert_true(pawl_otlp_event(pawl_otlp_first(span->events), &event));
    assert_string_equal(event.name, "exception");
    assert_int_equal(event.time_ns, 1700000000100000000);
    struct pawl_trace_link link;
    assert_true(pawl_otlp_link(pawl_otlp_first(span->links), &link));
    assert_int_equal(link.trace_id[0], 0xff);
    assert_int_equal(link.span_id[7], 9);
}

static const char span_of_everything[] =
    "{'resourceSpans':[{'resource':{'attributes':[{'key':'service.name','value':{'stringValue':'shop'}}]},"
    "'scopeSpans':[{'scope':{'name':'wf','version':'3'},'spans':[{"
    "'traceId':'101112131415161718191A1B1C1D1E1F','spanId':'A0a1a2a3a4a5a6a7','parentSpanId':'0102030405060708',"
    "'traceState':'ot=th:8','name':'run','kind':3,'flags':257,'unheardOf':[{}],"
    "'startTimeUnixNano':'1700000000000000001','endTimeUnixNano':1.7e18,'status':{'code':2,'message':'no'},"
    "'droppedAttributesCount':7,'events':[{'timeUnixNano':'1700000000100000000','name':'exception'}],"
    "'links':[{'traceId':'ff000000000000000000000000000000','spanId':'0000000000000009'}]}]}]}]}\n";

static void reads_every_part_of_a_span(void **state) {
    (void)state;
    struct seen seen = {.look = look_at_everything};
    read_all(&seen, double_quoted(span_of_everything));
    assert_int_equal(seen.spans, 1);
}

static void check_values(const struct pawl_trace_span *span) {
    static const enum pawl_otlp_type types[] = {PAWL_OTLP_STRING, PAWL_OTLP_BOOL,   PAWL_OTLP_INT,    PAWL_OTLP_INT,
                                                PAWL_OTLP_INT,    PAWL_OTLP_DOUBLE, PAWL_OTLP_DOUBLE, PAWL_OTLP_BYTES,
                                                PAWL_OTLP_MAP,    PAWL_OTLP_ARRAY,  PAWL_OTLP_EMPTY,  PAWL_OTLP_EMPTY,
                                                PAWL_OTLP_EMPTY};
    const cJSON *item = pawl_otlp_first(span->attributes);
    struct pawl_otlp_any any[sizeof types / sizeof *types];
    const char *key;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++, item = item->next) {
        assert_true(pawl_otlp_attribute(item, &key, &any[i]));
        assert_int_equal(any[i].type, types[i]);
    }
    assert_null(item);
    assert_true(any[1].boolean);
    assert_int_equal(any[2].integer, INT64_MIN);
    assert_int_equal(any[3].integer, 42);
    assert_int_equal(any[4].integer, INT64_MAX);
    assert_true(any[5].number == 0.5);
    assert_true(any[6].number < 0 && any[6].number * 2 == any[6].number);
    assert_string_equal(any[7].string, "AAE=");
    assert_true(pawl_otlp_attribute(pawl_otlp_first(any[8].items), &key, &any[0]));
    assert_int_equal(pawl_otlp_any(pawl_otlp_first(any[9].items)).integer, 1);
}

static const char span_of_values[] = "{'resourceSpans':[{'scopeSpans':[{'spans':[{" IDS "," TIMES ",'attributes':["
                                     "{'key':'k','value':{'stringValue':''}},"
                                     "{'key':'k','value':{'boolValue':true}},"
                                     "{'key':'k','value':{'intValue':'-9223372036854775808'}},"
                                     "{'key':'k','value':{'intValue':42}},"
                                     "{'key':'k','value':{'intValue':'9223372036854775807'}},"
                                     "{'key':'k','value':{'doubleValue':0.5}},"
                                     "{'key':'k','value':{'doubleValue':'-Infinity'}},"
                                     "{'key':'k','value':{'bytesValue':'AAE='}},"
                                     "{'key':'k','value':{'kvlistValue':{'values':[{'key':'k'}]}}},"
                                     "{'key':'k','value':{'arrayValue':{'values':[{'intValue':1}]}}},"
                                     "{'key':'k','value':{}},"
                                     "{'key':'k','value':{'intValue':'9223372036854775808'}},"
                                     "{'key':'k','value':{'intValue':0.5}}]}]}]}]}";

static void reads_integers_as_strings_and_numbers_and_all_other_values(void **state) {
    (void)state;
    struct seen seen = {.look = check_values};
    read_all(&seen, double_quoted(span_of_values));
    assert_int_equal(seen.spans, 1);
}

/* ---- what is wrong ---- */

static void leaves_out_a_bad_line_and_says_which(void **state) {
    (void)state;
    struct seen seen = {0};
    struct pawl_trace_reading reading =
        read_all(&seen, REQUEST(SPAN) "\n\n  \r\n{\"resourceSpans\":\n" REQUEST(SPAN) "\r\n[]\n");
    assert_int_equal(seen.spans, 2);
    assert_int_equal(seen.lines[1], 5);
    assert_int_equal(reading.lines, 4);
    assert_int_equal(reading.bad_lines, 2);
    assert_int_equal(seen.bad_line, 6);
    assert_non_null(strstr(seen.what, "export request"));
    assert_false(reading.cut_off);
}

static void takes_a_last_line_that_is_whole_and_forgives_one_that_is_not(void **state) {
    (void)state;
    struct seen seen = {0};
    assert_false(read_all(&seen, REQUEST(SPAN) "\n" REQUEST(SPAN)).cut_off);
    assert_int_equal(seen.spans, 2);
    const char *whole = REQUEST(SPAN) "\n" REQUEST("{" IDS "," TIMES ",\"name\":\"\xc3\xa9\"}");
    size_t first = strlen(REQUEST(SPAN)) + 1;
    for (size_t length = first + 1; length < strlen(whole); length++) {
        char text[1024];
        snprintf(text, sizeof text, "%.*s", (int)length, whole);
        struct seen cut = {0};
        struct pawl_trace_reading reading = read_all(&cut, text);
        assert_true(reading.cut_off);
        assert_int_equal(cut.spans, 1);
        assert_int_equal(cut.faults, 0);
    }
}

static void refuses_spans_without_proper_ids_or_times(void **state) {
    (void)state;
    static const char *const bad[] = {
        "7",
        "{}",
        "{\"traceId\":\"00000000000000000000000000000000\",\"spanId\":\"a0a1a2a3a4a5a6a7\"," TIMES "}",
        "{\"traceId\":\"EBESExQVFhcYGRobHB0eHw==\",\"spanId\":\"a0a1a2a3a4a5a6a7\"," TIMES "}",
        "{\"traceId\":\"101112131415161718191a1b1c1d1e1f\",\"spanId\":\"a0a1a2a3a4a5a6a\"," TIMES "}",
        "{\"traceId\":\"101112131415161718191a1b1c1d1e1f\",\"spanId\":\"a0a1a2a3a4a5a6ag\"," TIMES "}",
        "{" IDS "," TIMES ",\"parentSpanId\":\"1\"}",
        "{" IDS ",\"endTimeUnixNano\":\"1\"}",
        "{" IDS ",\"startTimeUnixNano\":\"-1\"}",
        "{" IDS ",\"startTimeUnixNano\":\"18446744073709551616\"}",
        "{" IDS ",\"startTimeUnixNano\":1e20}",
        "{" IDS ",\"startTimeUnixNano\":\"1\",\"endTimeUnixNano\":\"1 s\"}",
        "{" IDS ",\"start_time_unix_nano\":\"1\"}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[1024];
        struct seen seen = {0};
        snprintf(text, sizeof text, "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[%s,%s]}]}]}\n", bad[i], SPAN);
        assert_int_equal(read_all(&seen, text).bad_spans, 1);
        assert_int_equal(seen.spans, 1);
    }
}

static void looks_away_from_shapes_that_are_none(void **state) {
    (void)state;
    static const char *const odd[] = {
        "{}",
        "{\"resourceSpans\":{}}",
        "{\"resourceSpans\":[1,null,[],{}]}",
        "{\"resourceSpans\":[{\"resource\":[],\"scopeSpans\":[[],{\"scope\":1,\"spans\":{}}]}]}",
        "{\"resource_spans\":[]}",
        "{\"resourceMetrics\":[]}"};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        struct seen seen = {0};
        read_all(&seen, odd[i]);
        assert_int_equal(seen.spans + seen.faults, 0);
    }
    struct seen seen = {0};
    assert_int_equal(read_all(&seen, "{\"resourceMetrics\":[]}\n").other_lines, 1);
}

static void keeps_a_span_whose_lesser_parts_are_wrong(void **state) {
    (void)state;
    struct seen seen = {0};
    read_all(&seen, REQUEST("{" IDS "," TIMES ",\"name\":7,\"kind\":\"SPAN_KIND_CLIENT\",\"flags\":-1,\"status\":[],"
                            "\"attributes\":{},\"events\":3,\"links\":\"\",\"parentSpanId\":\"0000000000000000\"}"));
    assert_int_equal(seen.spans, 1);
}

/* ---- bounds ---- */

static void stops_at_each_of_its_limits(void **state) {
    (void)state;
    const char *text = REQUEST(SPAN "," SPAN) "\n" REQUEST(SPAN) "\n";
    struct seen few = {0};
    assert_int_equal(read_within(&few, text, &(struct pawl_trace_limits){.max_spans = 2}).over_limit, 1);
    assert_int_equal(few.spans, 2);

    struct seen start = {0};
    struct pawl_trace_reading reading =
        read_within(&start, text, &(struct pawl_trace_limits){.max_bytes = strlen(text) - 5});
    assert_int_equal(reading.unread, 5);
    assert_true(reading.cut_off);
    assert_int_equal(start.spans, 2);

    struct seen narrow = {0};
    read_within(&narrow, text, &(struct pawl_trace_limits){.max_line_bytes = strlen(REQUEST(SPAN))});
    assert_int_equal(narrow.spans, 1);
    assert_int_equal(narrow.faults, 1);

    struct seen flat = {0};
    read_within(&flat, text, &(struct pawl_trace_limits){.max_depth = 5});
    assert_int_equal(flat.faults, 2);
}

static void refuses_a_depth_it_cannot_walk(void **state) {
    (void)state;
    struct pawl_trace_reading reading;
    struct seen seen = {0};
    struct pawl_trace_sink sink = {.user = &seen, .span = take_span};
    assert_int_equal(pawl_trace_read("", 0, &(struct pawl_trace_limits){.max_depth = 1001}, &sink, &reading, NULL),
                     PAWL_E_INVALID);
}

static void stops_when_its_reader_has_enough(void **state) {
    (void)state;
    struct seen seen = {.stop_after = 2};
    read_all(&seen, REQUEST(SPAN "," SPAN "," SPAN) "\n" REQUEST(SPAN) "\n");
    assert_int_equal(seen.spans, 2);
}

static void tells_which_spans_share_a_resource(void **state) {
    (void)state;
    struct seen seen = {0};
    read_all(&seen, "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[" SPAN "," SPAN "]},{\"spans\":[" SPAN
                    "]}]}]}\n" REQUEST(SPAN));
    assert_int_equal(seen.spans, 4);
    assert_int_equal(seen.groups[0], seen.groups[1]);
    assert_int_not_equal(seen.groups[1], seen.groups[2]);
    assert_int_not_equal(seen.groups[2], seen.groups[3]);
}

static void reads_an_empty_file(void **state) {
    (void)state;
    struct seen seen = {0};
    struct pawl_trace_sink sink = {.user = &seen, .span = take_span};
    struct pawl_trace_reading reading;
    assert_int_equal(pawl_trace_read(NULL, 0, NULL, &sink, &reading, NULL), PAWL_OK);
    assert_int_equal(reading.lines, 0);
}

static void says_that_memory_ran_out(void **state) {
    (void)state;
    const char *text = REQUEST(SPAN) "\n";
    for_each_failing_allocation(n) {
        struct seen seen = {0};
        struct pawl_trace_sink sink = {.user = &seen, .span = take_span, .fault = take_fault};
        struct pawl_trace_reading reading;
        pawl_error *err = NULL;
        pawl_status status = pawl_trace_read(text, strlen(text), NULL, &sink, &reading, &err);
        assert_int_equal(status, allocations_failed() > 0 ? PAWL_E_NOMEM : PAWL_OK);
        assert_int_equal(seen.faults, 0);
        pawl_error_unref(err);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_part_of_a_span),
        cmocka_unit_test(reads_integers_as_strings_and_numbers_and_all_other_values),
        cmocka_unit_test(leaves_out_a_bad_line_and_says_which),
        cmocka_unit_test(takes_a_last_line_that_is_whole_and_forgives_one_that_is_not),
        cmocka_unit_test(refuses_spans_without_proper_ids_or_times),
        cmocka_unit_test(looks_away_from_shapes_that_are_none),
        cmocka_unit_test(keeps_a_span_whose_lesser_parts_are_wrong),
        cmocka_unit_test(stops_at_each_of_its_limits),
        cmocka_unit_test(refuses_a_depth_it_cannot_walk),
        cmocka_unit_test(stops_when_its_reader_has_enough),
        cmocka_unit_test(tells_which_spans_share_a_resource),
        cmocka_unit_test(reads_an_empty_file),
        cmocka_unit_test(says_that_memory_ran_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
