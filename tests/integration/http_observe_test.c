/* What spans and measurements say of HTTP exchanges. */
#include "http_bed.h"
#include "leaves.h"
#include "recorder.h"

#include <curl/curl.h>
#include <pawl/primitives/function.h>
#include <pawl/primitives/retry.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct recorder recorder;
static char measured[256];

static void keep_measurement(void *self, pawl_context *ctx, const pawl_instrument *instrument, double value,
                             const pawl_attribute *attributes, size_t count) {
    (void)self;
    int used = snprintf(measured, sizeof measured, "%s%s", instrument->name, value > 0 && ctx ? "" : " ?");
    for (size_t i = 0; i < count; i++)
        if (attributes[i].type == PAWL_ATTRIBUTE_INT)
            used += snprintf(measured + used, sizeof measured - (size_t)used, " %s=%lld", attributes[i].key,
                             (long long)attributes[i].value.integer);
        else
            used += snprintf(measured + used, sizeof measured - (size_t)used, " %s=%s", attributes[i].key,
                             attributes[i].value.string);
}

static const pawl_observer_vtable meter = {.size = sizeof meter, .measure = keep_measurement};

static int reset(void **state) {
    if (reset_bed(state) != 0)
        return -1;
    struct http_bed *bed = *state;
    record(bed->runtime, &recorder);
    measured[0] = '\0';
    return pawl_runtime_add_observer(bed->runtime, &meter, NULL, NULL) == PAWL_OK ? 0 : -1;
}

static void expect_part(const char *text, const char *part) {
    if (!strstr(text, part))
        fail_msg("there is no '%s' in '%s'", part, text);
}

/* Drives a node of the test's own; takes it and the input. */
static struct ended drive_own(struct http_bed *bed, pawl_primitive *node, pawl_context *ctx, pawl_value *in) {
    struct ended ended = drive(bed, BY_RUN, node, ctx, in);
    pawl_primitive_unref(node);
    pawl_value_unref(in);
    return ended;
}

static void an_exchange_is_described_on_its_span(void **state) {
    struct http_bed *bed = *state;
    for_each_driver(driver) {
        reset(state);
        serve(bed->server, "/hello", {.body = "hi"});
        struct ended ended = ask(bed, driver, "/hello?a=1&sig=abc", "");
        expect_answer(&ended, 200, "hi");
        forget(&ended);
        const struct recorded_span *span = span_named(&recorder, "ask");
        assert_int_equal(span->kind, PAWL_SPAN_CLIENT);
        expect_part(span->attributes, "http.request.method=GET");
        expect_part(span->attributes, "server.address=127.0.0.1");
        expect_part(span->attributes, "/hello?a=1&sig=REDACTED");
        expect_part(span->attributes, "http.response.status_code=200");
        expect_part(span->attributes, "network.protocol.version=1.1");
        expect_part(span->attributes, "network.peer.address=127.0.0.1");
        assert_null(strstr(span->attributes, "error.type"));
        assert_string_equal(measured,
                            "http.client.request.duration http.request.method=GET http.response.status_code=200");
    }
}

static void credentials_in_the_url_are_not_told(void **state) {
    struct http_bed *bed = *state;
    char url[128];
    serve(bed->server, "/", {.body = "hi"});
    snprintf(url, sizeof url, "http://me:hunter2@127.0.0.1:%d/", http_server_port(bed->server));
    struct ended ended = ask(bed, BY_RUN, url, "");
    expect_answer(&ended, 200, "hi");
    forget(&ended);
    const struct recorded_span *span = span_named(&recorder, "ask");
    expect_part(span->attributes, "url.full=http://REDACTED:REDACTED@127.0.0.1");
    assert_null(strstr(span->attributes, "hunter2"));
}

static void each_attempt_has_a_span_and_its_error_type(void **state) {
    struct http_bed *bed = *state;
    serve(bed->server, "/flaky", {.status = 503}, {.status = 429}, {.body = "hi"});
    pawl_primitive *node = pawl_retry("again", pawl_http_new("ask", NULL, NULL, NULL), .base_delay_ns = PAWL_ZERO);
    struct ended ended = drive_own(bed, node, NULL, request_for(bed, "/flaky", ""));
    expect_answer(&ended, 200, "hi");
    forget(&ended);
    assert_int_equal(spans_named(&recorder, "ask"), 3);
    expect_part(nth_span_named(&recorder, "ask", 0)->attributes, "error.type=503");
    expect_part(nth_span_named(&recorder, "ask", 1)->attributes, "error.type=429");
    expect_part(nth_span_named(&recorder, "ask", 1)->attributes, "http.request.resend_count=1");
    expect_part(nth_span_named(&recorder, "ask", 2)->attributes, "http.request.resend_count=2");
    assert_null(strstr(nth_span_named(&recorder, "ask", 2)->attributes, "error.type"));
}

static void a_connection_that_is_refused_is_measured(void **state) {
    struct http_bed *bed = *state;
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", http_closed_port());
    struct ended ended = ask(bed, BY_RUN, url, ", \"method\": \"BREW\"");
    expect_end(&ended, PAWL_E_UNAVAILABLE, NULL);
    assert_string_equal(measured, "http.client.request.duration http.request.method=_OTHER error.type=unavailable");
    expect_part(span_named(&recorder, "ask")->attributes, "http.request.method_original=BREW");
}

static void what_the_context_sends_along_is_the_runtimes_choice(void **state) {
    struct http_bed *bed = *state;
    static const struct {
        uint32_t what;
        bool trace, baggage;
    } cases[] = {{PAWL_PROPAGATE_TRACE, true, false},
                 {PAWL_PROPAGATE_BAGGAGE, false, true},
                 {PAWL_PROPAGATE_TRACE | PAWL_PROPAGATE_BAGGAGE, true, true},
                 {0, false, false}};
    serve(bed->server, "/", {.body = "hi"});
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        pawl_context *ctx = pawl_context_new(bed->runtime);
        assert_int_equal(pawl_context_set_baggage(ctx, "user", "a b", NULL), PAWL_OK);
        pawl_runtime_set_propagation(bed->runtime, cases[i].what);
        struct ended ended = drive_own(bed, pawl_http_new("ask", NULL, NULL, NULL), ctx, request_for(bed, "/", ""));
        expect_answer(&ended, 200, "hi");
        forget(&ended);
        assert_int_equal(sent_header(bed, i, "traceparent") != NULL, cases[i].trace);
        const char *baggage = sent_header(bed, i, "baggage");
        assert_int_equal(baggage != NULL, cases[i].baggage);
        if (baggage)
            assert_string_equal(baggage, "user=a%20b");
        pawl_context_unref(ctx);
    }
}

static void a_request_keeps_its_own_headers(void **state) {
    struct http_bed *bed = *state;
    serve(bed->server, "/", {.body = "hi"});
    pawl_context *ctx = pawl_context_new(bed->runtime);
    assert_int_equal(pawl_context_set_baggage(ctx, "user", "x", NULL), PAWL_OK);
    pawl_runtime_set_propagation(bed->runtime, PAWL_PROPAGATE_BAGGAGE);
    struct ended ended = drive_own(bed, pawl_http_new("ask", NULL, NULL, NULL), ctx,
                                   request_for(bed, "/", ", \"headers\": {\"Baggage\": \"mine=1\"}"));
    expect_answer(&ended, 200, "hi");
    forget(&ended);
    assert_string_equal(sent_header(bed, 0, "baggage"), "mine=1");
    pawl_context_unref(ctx);
}

static pawl_status perform(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    (void)in, (void)ret_out;
    CURL *easy = curl_easy_init();
    curl_easy_setopt(easy, CURLOPT_URL, user);
    curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    pawl_status status = pawl_context_curl_perform(ctx, easy, NULL, err);
    curl_easy_cleanup(easy);
    return status;
}

static void a_handle_of_ones_own_has_a_span_beneath_the_leafs(void **state) {
    struct http_bed *bed = *state;
    serve(bed->server, "/", {.status = 404});
    struct ended ended =
        drive_own(bed, pawl_function("leaf", perform, (void *)url_of(bed, "/")), NULL, pawl_value_null());
    assert_int_equal(ended.status, PAWL_OK);
    forget(&ended);
    const struct recorded_span *span = span_named(&recorder, "HEAD");
    assert_string_equal(span->parent, "leaf");
    assert_int_equal(span->kind, PAWL_SPAN_CLIENT);
    expect_part(span->attributes, "http.response.status_code=404");
    expect_part(span->attributes, "server.address=127.0.0.1");
    assert_string_equal(measured, "http.client.request.duration http.request.method=HEAD "
                                  "http.response.status_code=404 error.type=404");
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", http_closed_port());
    ended = drive_own(bed, pawl_function("leaf", perform, url), NULL, pawl_value_null());
    expect_end(&ended, PAWL_E_UNAVAILABLE, NULL);
    expect_part(nth_span_named(&recorder, "HEAD", 1)->attributes, "error.type=unavailable");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_exchange_is_described_on_its_span, reset),
        cmocka_unit_test_setup(credentials_in_the_url_are_not_told, reset),
        cmocka_unit_test_setup(each_attempt_has_a_span_and_its_error_type, reset),
        cmocka_unit_test_setup(a_connection_that_is_refused_is_measured, reset),
        cmocka_unit_test_setup(what_the_context_sends_along_is_the_runtimes_choice, reset),
        cmocka_unit_test_setup(a_request_keeps_its_own_headers, reset),
        cmocka_unit_test_setup(a_handle_of_ones_own_has_a_span_beneath_the_leafs, reset),
    };
    return cmocka_run_group_tests(tests, set_up_bed, tear_down_bed);
}
