/* The HTTP node against a real server, by all three drivers: what is asked and sent. */
#include "http_bed.h"
#include "leaves.h"
#include "recorder.h"
#include "virtual_runtime.h"

#include <pawl/primitives/retry.h>
#include <pawl/primitives/sequential.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <cmocka.h>

/* ---- requests ---- */

static void gets_a_page_with_every_driver(void **state) {
    struct http_bed *bed = *state;
    serve(bed->server, "/page", {.body = "hello", .headers = "X-Kind: plain\r\n"});
    for_each_driver(driver) {
        struct ended ended = ask(bed, driver, "/page", "");
        expect_answer(&ended, 200, "hello");
        assert_string_equal(answer_header(&ended, "x-kind"), "plain");
        assert_string_equal(answer_header(&ended, "content-length"), "5");
        expect_request(bed, driver, "GET /page HTTP/1.1");
        assert_null(sent_header(bed, driver, "Expect"));
        assert_null(sent_header(bed, driver, "Content-Type"));
        assert_null(sent_header(bed, driver, "Content-Length"));
        assert_string_equal(sent_header(bed, driver, "User-Agent"), "pawl/" PAWL_VERSION_STRING);
        forget(&ended);
    }
}

static void sends_every_method(void **state) {
    struct http_bed *bed = *state;
    static const struct {
        const char *json, *line, *length;
    } methods[] = {
        {"", "GET /m HTTP/1.1", NULL},
        {", \"body\": \"four\"", "POST /m HTTP/1.1", "4"},
        {", \"method\": \"GET\", \"body\": \"four\"", "GET /m HTTP/1.1", "4"},
        {", \"method\": \"POST\"", "POST /m HTTP/1.1", "0"},
        {", \"method\": \"PUT\"", "PUT /m HTTP/1.1", "0"},
        {", \"method\": \"PATCH\", \"body\": \"four\"", "PATCH /m HTTP/1.1", "4"},
        {", \"method\": \"DELETE\"", "DELETE /m HTTP/1.1", NULL},
        {", \"method\": \"OPTIONS\"", "OPTIONS /m HTTP/1.1", NULL},
        {", \"method\": \"PURGE\"", "PURGE /m HTTP/1.1", NULL},
        {", \"method\": \"HEAD\"", "HEAD /m HTTP/1.1", NULL},
    };
    serve(bed->server, "/m", {.body = "seen"});
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        struct ended ended = ask(bed, BY_RUN, "/m", methods[i].json);
        bool is_head = strstr(methods[i].json, "HEAD") != NULL;
        expect_answer(&ended, 200, is_head ? "" : "seen");
        assert_string_equal(answer_header(&ended, "content-length"), "4");
        expect_request(bed, i, methods[i].line);
        const char *length = sent_header(bed, i, "Content-Length");
        if (methods[i].length)
            assert_string_equal(length, methods[i].length);
        else
            assert_null(length);
        forget(&ended);
    }
}

static void sends_headers_as_they_are(void **state) {
    struct http_bed *bed = *state;
    serve(bed->server, "/h", {.status = 204});
    struct ended ended = ask(bed, BY_RUN, "/h",
                             ", \"headers\": {\"X-One\": \"a: b; c\", \"x-empty\": \"\", \"X-Blank\": \"  \","
                             " \"Content-Type\": \"application/json\", \"User-Agent\": \"mine\"}, \"body\": \"{}\"");
    expect_answer(&ended, 204, "");
    assert_string_equal(sent_header(bed, 0, "x-one"), "a: b; c");
    assert_string_equal(sent_header(bed, 0, "X-Empty"), "");
    assert_string_equal(sent_header(bed, 0, "X-Blank"), "");
    assert_string_equal(sent_header(bed, 0, "Content-Type"), "application/json");
    assert_string_equal(sent_header(bed, 0, "User-Agent"), "mine");
    forget(&ended);
}

/* What prepare gives, and what it counts. */
struct prepared {
    pawl_http_request request;
    size_t releases;
    pawl_status status;
    const char *error;
    const char *said_although_ok;
};

static void count_release(void *user) {
    ((struct prepared *)user)->releases++;
}

static pawl_status prepare(void *user, pawl_context *ctx, pawl_value *in, pawl_http_request *request,
                           pawl_error **err) {
    struct prepared *prepared = user;
    (void)ctx, (void)in;
    assert_int_equal(request->size, sizeof *request);
    assert_null(request->url);
    *request = prepared->request;
    request->size = sizeof *request;
    request->release = count_release;
    request->release_user = prepared;
    if (prepared->error)
        return pawl_error_set(err, prepared->status, "%s", prepared->error);
    if (prepared->said_although_ok)
        pawl_error_set(err, PAWL_E_FAILED, "%s", prepared->said_although_ok);
    return prepared->status;
}

static struct ended ask_prepared(struct http_bed *bed, enum driver driver, struct prepared *prepared) {
    pawl_primitive *node = pawl_http_new("ask", prepare, NULL, prepared);
    struct ended ended = drive(bed, driver, node, NULL, NULL);
    pawl_primitive_unref(node);
    return ended;
}

static void refuses_headers_that_would_break_the_request(void **state) {
    struct http_bed *bed = *state;
    static const pawl_http_header bad[] = {
        {"X", "a\r\nEvil: 1"},   {"X", "a\n"},       {"X", "a\rb"},
        {"X", "\x01"},           {"X\r\nEvil", "1"}, {"X\n", "1"},
        {"X: Y", "1"},           {"X Y", "1"},       {"", "1"},
        {"X\x7f", "1"},          {"X", NULL},        {NULL, "1"},
        {"Content-Length", "3"}, {"X", "\x7f"},      {"transfer-encoding", "chunked"},
        {"\xc3\xbc", "1"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct prepared prepared = {.request = {.url = url_of(bed, "/h"), .headers = &bad[i], .header_count = 1}};
        struct ended ended = ask_prepared(bed, BY_RUN, &prepared);
        expect_end(&ended, PAWL_E_INVALID, "http 'ask'");
        assert_int_equal(prepared.releases, 1);
    }
    struct ended ended = ask(bed, BY_RUN, "/h", ", \"headers\": {\"X\": \"a\\r\\nEvil: 1\"}");
    expect_end(&ended, PAWL_E_INVALID, "header 'X' has a line end");
    static const char *const methods[] = {"", "GET\r\nEvil: 1", "GET /other HTTP/1.1", "G\x01T"};
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        struct prepared prepared = {.request = {.url = url_of(bed, "/h"), .method = methods[i]}};
        ended = ask_prepared(bed, BY_RUN, &prepared);
        expect_end(&ended, PAWL_E_INVALID, "is no method");
    }
    assert_int_equal(http_server_connections(bed->server), 0);
}

static void refuses_counts_without_what_they_count(void **state) {
    struct http_bed *bed = *state;
    struct prepared bodies = {.request = {.url = url_of(bed, "/h"), .body_bytes = 3}};
    struct prepared headers = {.request = {.url = url_of(bed, "/h"), .header_count = 3}};
    struct ended ended = ask_prepared(bed, BY_RUN, &bodies);
    expect_end(&ended, PAWL_E_INVALID, "NULL");
    ended = ask_prepared(bed, BY_RUN, &headers);
    expect_end(&ended, PAWL_E_INVALID, "NULL");
}

static void sends_bytes_of_any_value_and_number(void **state) {
    struct http_bed *bed = *state;
    size_t length = 3 << 20;
    unsigned char *bytes = malloc(length);
    uint32_t sum = 0;
    for (size_t i = 0; bytes && i < length; i++)
        sum += bytes[i] = (unsigned char)(i * 7 + i / 256);
    serve(bed->server, "/up", {.body = "thanks"});
    for_each_driver(driver) {
        struct prepared prepared = {
            .request = {.url = url_of(bed, "/up"), .body = bytes, .body_bytes = length, .method = "PUT"}};
        struct ended ended = ask_prepared(bed, driver, &prepared);
        expect_answer(&ended, 200, "thanks");
        forget(&ended);
        assert_int_equal(prepared.releases, 1);
        struct http_seen seen;
        assert_true(http_server_seen(bed->server, driver, &seen));
        assert_int_equal(seen.body_bytes, length);
        assert_int_equal(seen.body_sum, sum);
        assert_memory_equal(seen.body, bytes, sizeof seen.body);
    }
    free(bytes);
}

/* ---- input ---- */

static void names_what_is_wrong_with_its_input(void **state) {
    struct http_bed *bed = *state;
    static const struct {
        const char *in, *part;
    } bad[] = {
        {NULL, "the input is no object"},
        {"[]", "the input is no object"},
        {"\"http://127.0.0.1/\"", "the input is no object"},
        {"{}", "the input has no url"},
        {"{\"url\": 3}", "there is no text in url"},
        {"{\"url\": \"http://127.0.0.1/\", \"methods\": \"GET\"}", "it has no member methods"},
        {"{\"url\": \"http://127.0.0.1/\", \"method\": null}", "there is no text in method"},
        {"{\"url\": \"http://127.0.0.1/\", \"body\": {}}", "there is no text in body"},
        {"{\"url\": \"http://127.0.0.1/\", \"headers\": []}", "there is no object in headers"},
        {"{\"url\": \"http://127.0.0.1/\", \"headers\": {\"a\": 1}}", "there is no text in header a"},
    };
    pawl_primitive *node = pawl_http_new("ask", NULL, NULL, NULL);
    pawl_context *ctx = pawl_context_new(bed->runtime);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        expect_failure(node, ctx, bad[i].in, PAWL_E_INVALID, bad[i].part);
    char many[4096] = "{\"url\": \"http://127.0.0.1/\", \"headers\": {\"a\": \"1\"";
    for (int i = 0; i < 128; i++)
        (void)snprintf(many + strlen(many), sizeof many - strlen(many), ", \"a%d\": \"1\"", i);
    strcat(many, "}}");
    expect_failure(node, ctx, many, PAWL_E_LIMIT, "more than 128 headers");
    pawl_context_unref(ctx);
    pawl_primitive_unref(node);
}

static void refuses_urls_that_are_none(void **state) {
    struct http_bed *bed = *state;
    static const char *const bad[] = {
        "",
        "example.com",
        "ftp://127.0.0.1/x",
        "file:///etc/passwd",
        "http:/x",
        "http://",
        "http:///x",
        "http://[::1/x",
        "http://127.0.0.1 x",
        "http://127.0.0.1:99999/x",
        "http:x",
        "gopher://127.0.0.1/x",
        "http://127.0.0.1/\r\nX: y",
        "http://127.0.0.1/a b",
        "httpx://127.0.0.1/",
        " http://127.0.0.1/",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct prepared prepared = {.request = {.url = bad[i]}};
        struct ended ended = ask_prepared(bed, BY_RUN, &prepared);
        expect_end(&ended, PAWL_E_INVALID, "url");
    }
    char *url = malloc(70000);
    memset(url, 'a', 70000);
    memcpy(url, "http://127.0.0.1/", 17);
    url[69999] = '\0';
    struct prepared prepared = {.request = {.url = url}};
    struct ended ended = ask_prepared(bed, BY_RUN, &prepared);
    expect_end(&ended, PAWL_E_LIMIT, "longer than 65535");
    free(url);
}

/* ---- callbacks ---- */

static void passes_on_what_prepare_says(void **state) {
    struct http_bed *bed = *state;
    for_each_driver(driver) {
        struct prepared silent = {.status = PAWL_E_DENIED}, loud = {.status = PAWL_E_REJECTED, .error = "no budget"};
        struct ended ended = ask_prepared(bed, driver, &silent);
        expect_end(&ended, PAWL_E_DENIED, NULL);
        assert_int_equal(silent.releases, 1);
        ended = ask_prepared(bed, driver, &loud);
        expect_end(&ended, PAWL_E_REJECTED, "ask: no budget");
        struct prepared confused = {.request = {.url = url_of(bed, "/none")}, .said_although_ok = "no matter"};
        ended = ask_prepared(bed, driver, &confused);
        expect_end(&ended, PAWL_E_NOT_FOUND, "nothing here");
    }
}

struct mapped {
    size_t calls;
    uint64_t status, headers, body_bytes, retry_after_ns, connect_ns, first_byte_ns, total_ns;
    char header[64], body[64];
    pawl_status gives;
    bool leaves_value;
};

static pawl_status map(void *user, const pawl_http_response *response, pawl_value **ret_out, pawl_error **err) {
    struct mapped *mapped = user;
    mapped->calls++;
    assert_int_equal(response->size, sizeof *response);
    mapped->status = response->status;
    mapped->headers = response->header_count;
    mapped->body_bytes = response->body_bytes;
    mapped->retry_after_ns = response->retry_after_ns;
    mapped->connect_ns = response->connect_ns;
    mapped->first_byte_ns = response->first_byte_ns;
    mapped->total_ns = response->total_ns;
    (void)snprintf(mapped->header, sizeof mapped->header, "%s=%s", response->headers[1].name,
                   response->headers[1].value);
    (void)snprintf(mapped->body, sizeof mapped->body, "%s", (const char *)response->body);
    if (mapped->gives != PAWL_OK)
        return pawl_error_set(err, mapped->gives, "not to my taste");
    if (!mapped->leaves_value)
        *ret_out = pawl_value_take(cJSON_CreateNumber(7));
    return PAWL_OK;
}

static struct ended ask_mapped(struct http_bed *bed, enum driver driver, struct mapped *mapped) {
    pawl_primitive *node = pawl_http_new("ask", NULL, map, mapped);
    pawl_value *in = request_for(bed, "/mapped", "");
    struct ended ended = drive(bed, driver, node, NULL, in);
    if (mapped->leaves_value)
        assert_ptr_equal(ended.value, in);
    pawl_value_unref(in);
    pawl_primitive_unref(node);
    return ended;
}

static void lets_map_decide(void **state) {
    struct http_bed *bed = *state;
    serve(bed->server, "/mapped", {.status = 503, .headers = "RETRY-After: 7\r\n", .body = "later", .delay_ms = 5});
    for_each_driver(driver) {
        struct mapped mapped = {.gives = PAWL_OK};
        struct ended ended = ask_mapped(bed, driver, &mapped);
        assert_int_equal(ended.status, PAWL_OK);
        assert_int_equal(pawl_value_json(ended.value)->valueint, 7);
        forget(&ended);
        assert_int_equal(mapped.calls, 1);
        assert_int_equal(mapped.status, 503);
        assert_int_equal(mapped.headers, 2);
        assert_string_equal(mapped.header, "retry-after=7");
        assert_string_equal(mapped.body, "later");
        assert_int_equal(mapped.body_bytes, 5);
        assert_int_equal(mapped.retry_after_ns, PAWL_S(7));
        assert_true(mapped.first_byte_ns >= PAWL_MS(5) && mapped.connect_ns <= mapped.first_byte_ns);
        assert_true(mapped.total_ns >= mapped.first_byte_ns && mapped.total_ns < PAWL_S(30));

        mapped = (struct mapped){.leaves_value = true};
        ended = ask_mapped(bed, driver, &mapped);
        assert_int_equal(ended.status, PAWL_OK);
        forget(&ended);
        mapped = (struct mapped){.gives = PAWL_E_EXHAUSTED};
        ended = ask_mapped(bed, driver, &mapped);
        expect_end(&ended, PAWL_E_EXHAUSTED, "ask: not to my taste");
    }
}

static void exchanges_also_in_virtual_time(void **state) {
    struct http_bed *bed = *state;
    struct fake_clock time = {.other_threads = true};
    pawl_runtime *runtime = virtual_runtime(&time);
    pawl_context *ctx = pawl_context_new(runtime);
    pawl_primitive *node = pawl_http_new("ask", NULL, NULL, NULL);
    pawl_value *in = request_for(bed, "/v", ""), *out = NULL;
    serve(bed->server, "/v", {.body = "v", .delay_ms = 20});
    assert_int_equal(pawl_run(node, ctx, in, &out, NULL), PAWL_OK);
    pawl_value_unref(out);
    pawl_value_unref(in);
    pawl_primitive_unref(node);
    pawl_context_unref(ctx);
    pawl_runtime_unref(runtime);
}

/* ---- retry ---- */

static uint64_t pause_between(struct http_bed *bed, size_t first) {
    struct http_seen one, two;
    assert_true(http_server_seen(bed->server, first, &one) && http_server_seen(bed->server, first + 1, &two));
    return two.at_ns - one.at_ns;
}

static void expect_a_patient_retry(struct http_bed *bed, enum driver driver, const char *path) {
    pawl_primitive *node =
        pawl_retry("again", pawl_http_new("ask", NULL, NULL, NULL), .base_delay_ns = 1, .jitter = PAWL_JITTER_NONE);
    pawl_value *in = request_for(bed, path, "");
    struct ended ended = drive(bed, driver, node, NULL, in);
    expect_answer(&ended, 200, "at last");
    forget(&ended);
    assert_int_equal(http_server_requests(bed->server), 2);
    assert_in_range(pause_between(bed, 0), PAWL_S(1), PAWL_S(20));
    pawl_value_unref(in);
    pawl_primitive_unref(node);
}

static void retries_not_before_the_seconds_of_retry_after(void **state) {
    struct http_bed *bed = *state;
    serve(bed->server, "/r", {.status = 429, .headers = "Retry-After: 1\r\n"}, {.body = "at last"});
    expect_a_patient_retry(bed, BY_SUBMIT, "/r");
}

static void retries_not_before_the_date_of_retry_after(void **state) {
    struct http_bed *bed = *state;
    char date[64], header[96];
    time_t then = time(NULL) + 2;
    struct tm parts;
    (void)strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&then, &parts));
    (void)snprintf(header, sizeof header, "Retry-After: %s\r\n", date);
    serve(bed->server, "/r", {.status = 503, .headers = header}, {.body = "at last"});
    expect_a_patient_retry(bed, BY_RUN, "/r");
    assert_true(time(NULL) >= then);
}

/* ---- trace ---- */

static void carries_the_trace_of_its_run(void **state) {
    struct http_bed *bed = *state;
    serve(bed->server, "/t", {.body = "t"});
    pawl_context *ctx = pawl_context_new(bed->runtime);
    pawl_value *in = request_for(bed, "/t", "");
    assert_true(pawl_context_extract(ctx, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "a=1,b=2", "k=v"));
    pawl_primitive *node = pawl_http_new("ask", NULL, NULL, NULL);
    struct ended ended = drive(bed, BY_RUN, node, ctx, in);
    expect_answer(&ended, 200, "t");
    forget(&ended);
    assert_memory_equal(sent_header(bed, 0, "traceparent"), "00-0af7651916cd43dd8448eb211c80319c-", 36);
    assert_string_equal(sent_header(bed, 0, "tracestate"), "a=1,b=2");
    assert_null(sent_header(bed, 0, "baggage"));
    pawl_context_unref(ctx);

    ended = ask(bed, BY_RUN, "/t", "");
    expect_answer(&ended, 200, "t");
    forget(&ended);
    assert_int_equal(strlen(sent_header(bed, 1, "traceparent")), 55);
    assert_null(sent_header(bed, 1, "tracestate"));

    ended = ask(bed, BY_RUN, "/t", ", \"headers\": {\"TraceParent\": \"mine\"}");
    expect_answer(&ended, 200, "t");
    forget(&ended);
    assert_string_equal(sent_header(bed, 2, "traceparent"), "mine"); /* and not twice */

    struct prepared prepared = {.request = {.url = url_of(bed, "/t"), .no_trace_headers = 1}};
    ended = ask_prepared(bed, BY_RUN, &prepared);
    expect_answer(&ended, 200, "t");
    forget(&ended);
    assert_null(sent_header(bed, 3, "traceparent"));
    assert_null(sent_header(bed, 3, "tracestate"));
    pawl_value_unref(in);
    pawl_primitive_unref(node);
}

static void gives_each_exchange_the_id_of_its_own_span(void **state) {
    struct http_bed *bed = *state;
    static struct recorder recorder;
    record(bed->runtime, &recorder);
    serve(bed->server, "/t", {.status = 500}, {.body = "t"});
    pawl_primitive *node =
        pawl_retry("again", pawl_http_new("ask", NULL, NULL, NULL), .base_delay_ns = 1, .jitter = PAWL_JITTER_NONE);
    pawl_value *in = request_for(bed, "/t", "");
    for_each_driver(driver) {
        struct ended ended = drive(bed, driver, node, NULL, in);
        expect_answer(&ended, 200, "t");
        forget(&ended);
    }
    assert_int_equal(spans_named(&recorder, "ask"), 4);
    for (size_t i = 0; i < 4; i++) {
        const struct recorded_span *span = nth_span_named(&recorder, "ask", i);
        char trace[33], id[17], expected[64];
        for (int k = 0; k < 16; k++)
            (void)snprintf(trace + 2 * k, 3, "%02x", span->trace_id[k]);
        for (int k = 0; k < 8; k++)
            (void)snprintf(id + 2 * k, 3, "%02x", span->span_id[k]);
        (void)snprintf(expected, sizeof expected, "00-%s-%s-", trace, id);
        assert_memory_equal(sent_header(bed, i, "traceparent"), expected, 53);
    }
    assert_memory_not_equal(nth_span_named(&recorder, "ask", 0)->span_id, nth_span_named(&recorder, "ask", 1)->span_id,
                            8);
    pawl_value_unref(in);
    pawl_primitive_unref(node);
    bed->runtime = pawl_runtime_unref(bed->runtime); /* before the recorder's next use */
}

#define test_on_bed(test) cmocka_unit_test_setup(test, reset_bed)

int main(void) {
    const struct CMUnitTest tests[] = {
        test_on_bed(gets_a_page_with_every_driver),
        test_on_bed(sends_every_method),
        test_on_bed(sends_headers_as_they_are),
        test_on_bed(refuses_headers_that_would_break_the_request),
        test_on_bed(refuses_counts_without_what_they_count),
        test_on_bed(sends_bytes_of_any_value_and_number),
        test_on_bed(names_what_is_wrong_with_its_input),
        test_on_bed(refuses_urls_that_are_none),
        test_on_bed(passes_on_what_prepare_says),
        test_on_bed(lets_map_decide),
        test_on_bed(exchanges_also_in_virtual_time),
        test_on_bed(retries_not_before_the_seconds_of_retry_after),
        test_on_bed(retries_not_before_the_date_of_retry_after),
        test_on_bed(carries_the_trace_of_its_run),
        test_on_bed(gives_each_exchange_the_id_of_its_own_span),
    };
    return cmocka_run_group_tests(tests, set_up_bed, tear_down_bed);
}
