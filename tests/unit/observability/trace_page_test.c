/* The trace page: its data is what was read, nothing in it ends its element, and without spans there is no page. */
#include "failing_malloc.h"
#include "values.h"
#include <cjson/cJSON.h>
#include <pawl/observability/trace_page.h>
#include <pawl/value.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define IDS "\"traceId\":\"101112131415161718191a1b1c1d1e1f\",\"spanId\":\"a0a1a2a3a4a5a6a7\""
#define TIMES "\"startTimeUnixNano\":\"1700000000000000001\",\"endTimeUnixNano\":\"1700000000250000000\""
#define REQUEST(spans) "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[" spans "]}]}]}\n"
#define SPAN "{" IDS "," TIMES ",\"name\":\"run\"}"

struct page {
    char *text;
    size_t length, most; /* most: write says false there */
};

static bool keep(void *user, const char *bytes, size_t length) {
    struct page *page = user;
    if (page->most && page->length + length > page->most)
        return false;
    char *more = realloc(page->text, page->length + length + 1);
    memcpy(more + page->length, bytes, length);
    page->text = more;
    page->length += length;
    more[page->length] = '\0';
    return true;
}

static struct page make_page(const char *text, pawl_trace_page_options options, pawl_trace_page_summary *summary) {
    struct page page = {.text = NULL};
    options.size = sizeof options;
    assert_int_equal(pawl_trace_page_write(text, strlen(text), &options, keep, &page, summary, NULL), PAWL_OK);
    assert_true(pawl_is_trace_page(page.text, page.length < 256 ? page.length : 256));
    return page;
}

/* The page's data: a value, which the caller gives back. The page is freed. */
static pawl_value *data_of(struct page *page) {
    const char mark[] = "id=\"data\">";
    char *begin = strstr(page->text, mark) + sizeof mark - 1;
    char *end = strchr(begin, '<');
    assert_int_equal(strncmp(end, "</script>", 9), 0);
    assert_null(memchr(begin, '&', (size_t)(end - begin)));
    assert_null(memchr(begin, '>', (size_t)(end - begin)));
    pawl_value *value = NULL;
    assert_int_equal(pawl_value_parse(begin, (size_t)(end - begin), NULL, &value, NULL), PAWL_OK);
    free(page->text);
    return value;
}

static const cJSON *first_span(const pawl_value *data) {
    const cJSON *group = cJSON_GetArrayItem(pawl_value_get(data, "groups"), 0);
    return cJSON_GetArrayItem(cJSON_GetObjectItem(group, "spans"), 0);
}

static void assert_json(const cJSON *json, const char *name, const char *wanted) {
    char *text = cJSON_PrintUnformatted(cJSON_GetObjectItemCaseSensitive(json, name));
    assert_string_equal(text, wanted);
    cJSON_free(text);
}

static const char span_of_everything[] =
    "{'resourceSpans':[{'scopeSpans':[{'spans':[{" IDS "," TIMES ",'name':'run','kind':3,"
    "'parentSpanId':'0102030405060708','status':{'code':2,'message':'no'},'attributes':["
    "{'key':'s','value':{'stringValue':'x'}},"
    "{'key':'big','value':{'intValue':'9007199254740993'}},"
    "{'key':'n','value':{'intValue':'-7'}},"
    "{'key':'d','value':{'doubleValue':0.1}},"
    "{'key':'nan','value':{'doubleValue':'NaN'}},"
    "{'key':'b','value':{'bytesValue':'AAE='}},"
    "{'key':'l','value':{'arrayValue':{'values':[{'boolValue':true},{}]}}},"
    "{'key':'m','value':{'kvlistValue':{'values':[{'key':'k','value':{'intValue':1}}]}}}],"
    "'events':[{'name':'e','timeUnixNano':'5'},{}],'links':[{" IDS "},{}],'droppedEventsCount':2}]}]}]}";

static void holds_the_spans_as_data(void **state) {
    (void)state;
    pawl_trace_page_summary summary = {.size = sizeof summary};
    struct page page =
        make_page(double_quoted(span_of_everything), (pawl_trace_page_options){.title = "run.jsonl"}, &summary);
    assert_int_equal(summary.spans, 1);
    pawl_value *data = data_of(&page);
    const cJSON *span = first_span(data);
    assert_string_equal(pawl_value_get_string(data, "title", ""), "run.jsonl");
    assert_json(span, "trace", "\"101112131415161718191a1b1c1d1e1f\"");
    assert_json(span, "parent", "\"0102030405060708\"");
    assert_json(span, "start", "\"1700000000000000001\"");
    assert_json(span, "kind", "\"client\"");
    assert_json(span, "code", "2");
    assert_json(span, "message", "\"no\"");
    assert_json(span, "dropped", "[0,2,0]");
    assert_json(
        span, "attributes",
        "[[\"s\",\"x\"],[\"big\",{\"i\":\"9007199254740993\"}],[\"n\",-7],[\"d\",0.1],[\"nan\",{\"d\":\"NaN\"}],"
        "[\"b\",{\"b\":\"AAE=\"}],[\"l\",[true,null]],[\"m\",{\"m\":[[\"k\",1]]}]]");
    assert_json(span, "events", "[{\"name\":\"e\",\"time\":\"5\"}]");
    assert_json(span, "links", "[{\"trace\":\"101112131415161718191a1b1c1d1e1f\",\"id\":\"a0a1a2a3a4a5a6a7\"}]");
    pawl_value_unref(data);
}

static void escapes_what_could_end_its_element(void **state) {
    (void)state;
    const char evil[] = "</script><!--<script>&amp;\\u2028\\u2029\\u0001\\\"\\\\\\u007f\xe2\x80\xa8\xe2\x80\xaa";
    char text[2048];
    const char *format = "{\"resourceSpans\":[{\"resource\":{\"attributes\":[{\"key\":\"%s\",\"value\":{"
                         "\"stringValue\":\"%s\"}}]},\"scopeSpans\":[{\"scope\":{\"name\":\"%s\"},\"spans\":[{" IDS
                         "," TIMES ",\"name\":\"%s\",\"traceState\":\"%s\"}]}]}]}\n";
    snprintf(text, sizeof text, format, evil, evil, evil, evil, evil);
    struct page page = make_page(text, (pawl_trace_page_options){.title = "</script>&"}, NULL);
    pawl_value *data = data_of(&page); /* asserts that no < > & is in it */
    assert_string_equal(pawl_value_get_string(data, "title", ""), "</script>&");
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(first_span(data), "name")),
                        "</script><!--<script>&amp;\xe2\x80\xa8\xe2\x80\xa9\x01\"\\\x7f\xe2\x80\xa8\xe2\x80\xaa");
    pawl_value_unref(data);
}

static void names_style_and_script_by_their_hashes(void **state) {
    (void)state;
    struct page page = make_page(REQUEST(SPAN), (pawl_trace_page_options){0}, NULL);
    assert_non_null(strstr(page.text, "default-src 'none'; script-src 'sha256-"));
    assert_null(strstr(page.text, "{{"));
    assert_null(strstr(page.text, "unsafe-inline"));
    assert_null(strstr(page.text, "http:"));
    assert_null(strstr(page.text, "https:"));
    free(page.text);
}

static const char span_of_secrets[] = "{'resourceSpans':[{'scopeSpans':[{'spans':[{" IDS "," TIMES ",'name':'run',"
                                      "'status':{'code':2,'message':'secret'},'attributes':["
                                      "{'key':'pawl.code.text','value':{'stringValue':'secret'}},"
                                      "{'key':'pawl.code.stdout','value':{'stringValue':'secret'}},"
                                      "{'key':'pawl.code.outcome','value':{'stringValue':'ok'}}],"
                                      "'events':[{'name':'exception','timeUnixNano':'5','attributes':["
                                      "{'key':'exception.message','value':{'stringValue':'secret'}},"
                                      "{'key':'exception.type','value':{'stringValue':'E'}}]}]}]}]}]}";

static void leaves_out_content_when_asked(void **state) {
    (void)state;
    struct page page = make_page(double_quoted(span_of_secrets), (pawl_trace_page_options){.without_content = 1}, NULL);
    assert_null(strstr(page.text, "secret"));
    pawl_value *data = data_of(&page);
    assert_json(first_span(data), "attributes", "[[\"pawl.code.outcome\",\"ok\"]]");
    pawl_value_unref(data);
}

static void counts_what_it_left_out(void **state) {
    (void)state;
    pawl_trace_page_summary summary = {.size = sizeof summary};
    struct page page = make_page(REQUEST(SPAN "," SPAN) "<bad>\n" REQUEST(SPAN ",{}") "{\"res",
                                 (pawl_trace_page_options){.max_spans = 2}, &summary);
    assert_int_equal(summary.spans, 2);
    assert_int_equal(summary.left_out, 1);
    assert_int_equal(summary.bad_lines, 1);
    assert_int_equal(summary.bad_spans, 1);
    assert_int_equal(summary.first_bad, 2);
    assert_int_equal(summary.is_cut_off, 1);
    pawl_value *data = data_of(&page);
    const cJSON *notes = pawl_value_get(data, "notes");
    assert_json(notes, "leftOut", "1");
    assert_json(notes, "cutOff", "true");
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(notes, "faults")), 2);
    pawl_value_unref(data);
}

static void writes_nothing_when_there_is_no_span(void **state) {
    (void)state;
    static const char *const none[][2] = {{"", "nothing was traced"},
                                          {"nonsense\n", "line 1"},
                                          {"nonsense", "no JSON"},
                                          {"{\"resourceMetrics\":[]}\n", "metrics"},
                                          {REQUEST("{}"), "traceId"}};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        struct page page = {.text = NULL};
        pawl_error *err = NULL;
        assert_int_equal(pawl_trace_page_write(none[i][0], strlen(none[i][0]), NULL, keep, &page, NULL, &err),
                         PAWL_E_NOT_FOUND);
        assert_non_null(strstr(pawl_error_message(err), none[i][1]));
        assert_null(page.text);
        pawl_error_unref(err);
    }
}

static void refuses_what_makes_no_sense(void **state) {
    (void)state;
    struct page page = {.text = NULL};
    pawl_trace_page_summary unset = {.size = 0};
    pawl_trace_page_options bad = {.size = sizeof bad, .title = "\xff"};
    assert_int_equal(pawl_trace_page_write(NULL, 1, NULL, keep, &page, NULL, NULL), PAWL_E_INVALID);
    assert_int_equal(pawl_trace_page_write("", 0, NULL, NULL, NULL, NULL, NULL), PAWL_E_INVALID);
    assert_int_equal(pawl_trace_page_write("", 0, NULL, keep, &page, &unset, NULL), PAWL_E_INVALID);
    assert_int_equal(pawl_trace_page_write("", 0, &bad, keep, &page, NULL, NULL), PAWL_E_INVALID);
    bad.size = 3;
    assert_int_equal(pawl_trace_page_write("", 0, &bad, keep, &page, NULL, NULL), PAWL_E_INVALID);
}

static void stops_when_nobody_takes_the_page(void **state) {
    (void)state;
    for (size_t most = 1; most < 60000; most += 15000) {
        struct page page = {.most = most};
        pawl_error *err = NULL;
        assert_int_equal(pawl_trace_page(REQUEST(SPAN), strlen(REQUEST(SPAN)), keep, &page, NULL, &err, .title = "t"),
                         PAWL_E_FAILED);
        pawl_error_unref(err);
        free(page.text);
    }
}

static void tells_its_pages_from_others(void **state) {
    (void)state;
    assert_false(pawl_is_trace_page("", 0));
    assert_false(pawl_is_trace_page("<!doctype html>\n<!-- pawl trace", 32));
    assert_false(pawl_is_trace_page("<!doctype html>\n<html lang=\"en\"><head></head></html>", 50));
}

static bool forget(void *user, const char *bytes, size_t length) {
    (void)user, (void)bytes, (void)length;
    return true;
}

static void says_that_memory_ran_out(void **state) {
    (void)state;
    for_each_failing_allocation(n) {
        pawl_error *err = NULL;
        const char *text = REQUEST("{" IDS "," TIMES "}");
        pawl_status status = pawl_trace_page_write(text, strlen(text), NULL, forget, NULL, NULL, &err);
        assert_int_equal(status, allocations_failed() > 0 ? PAWL_E_NOMEM : PAWL_OK);
        pawl_error_unref(err);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holds_the_spans_as_data),
        cmocka_unit_test(escapes_what_could_end_its_element),
        cmocka_unit_test(names_style_and_script_by_their_hashes),
        cmocka_unit_test(leaves_out_content_when_asked),
        cmocka_unit_test(counts_what_it_left_out),
        cmocka_unit_test(writes_nothing_when_there_is_no_span),
        cmocka_unit_test(refuses_what_makes_no_sense),
        cmocka_unit_test(stops_when_nobody_takes_the_page),
        cmocka_unit_test(tells_its_pages_from_others),
        cmocka_unit_test(says_that_memory_ran_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
