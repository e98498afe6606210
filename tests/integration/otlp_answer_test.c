/* The OTLP exporter and what the server answers: what is asked again, refused, counted and told. */
#include "http_bed.h"
#include "otlp_play.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

static void expect_tries(struct otlp_play *play, size_t tries, uint64_t least_ns, uint64_t most_ns) {
    assert_int_equal(export_spans(play, 2, PAWL_S(10), NULL), PAWL_OK);
    pawl_otlp_counts counts = counts_of(play);
    assert_int_equal(counts.sent, 2);
    assert_int_equal(counts.requests, tries);
    assert_int_equal(counts.retries, tries - 1);
    assert_int_equal(http_server_requests(play->server), tries);
    assert_in_range(play->time.skipped_ns, least_ns, most_ns);
}

static void asks_again_for_the_four_answers_that_allow_it(void **state) {
    struct otlp_play *play = *state;
    serve(play->server, "/v1/traces", {.status = 429}, {.status = 502}, {.status = 503}, {.status = 504},
          {.status = 200});
    OPEN(play, .gzip = 0);
    expect_tries(play, 5, PAWL_MS(6400), PAWL_MS(9750));
}

static void asks_again_when_the_connection_broke(void **state) {
    struct otlp_play *play = *state;
    serve(play->server, "/v1/traces", {.raw = "", .then = THEN_RESET}, {.raw = "", .then = THEN_CLOSE},
          {.raw = "HTTP/1.1 200 OK\r\nContent-Le", .then = THEN_CLOSE}, {.status = 200});
    OPEN(play, .gzip = 0);
    assert_int_equal(export_spans(play, 2, PAWL_S(10), NULL), PAWL_OK);
    assert_int_equal(counts_of(play).sent, 2);
    assert_in_range(play->time.skipped_ns, PAWL_MS(3750), PAWL_MS(5700));
}

static void asks_again_when_nobody_listens(void **state) {
    struct otlp_play *play = *state;
    char base[64];
    pawl_error *error = NULL;
    (void)snprintf(base, sizeof base, "http://127.0.0.1:%d", http_closed_port());
    OPEN(play, .endpoint = base);
    assert_int_equal(export_spans(play, 2, PAWL_S(10), &error), PAWL_E_EXHAUSTED);
    assert_int_equal(pawl_error_status(pawl_error_cause(error)), PAWL_E_UNAVAILABLE);
    assert_int_equal(counts_of(play).requests, 5);
    assert_int_equal(counts_of(play).dropped_unavailable, 2);
    assert_true(play->time.skipped_ns < PAWL_S(10));
    pawl_error_unref(error);
}

static void honours_retry_after_in_seconds(void **state) {
    struct otlp_play *play = *state;
    serve(play->server, "/v1/traces", {.status = 503, .headers = "Retry-After: 2\r\n"},
          {.status = 429, .headers = "Retry-After: 3\r\n"}, {.status = 200});
    OPEN(play, .gzip = 0);
    expect_tries(play, 3, PAWL_MS(4900), PAWL_S(5));
}

static void honours_retry_after_as_a_date(void **state) {
    struct otlp_play *play = *state;
    char header[128];
    time_t then = time(NULL) + 4;
    struct tm parts;
    (void)strftime(header, sizeof header, "Retry-After: %a, %d %b %Y %H:%M:%S GMT\r\n", gmtime_r(&then, &parts));
    serve(play->server, "/v1/traces", {.status = 503, .headers = header}, {.status = 200});
    OPEN(play, .gzip = 0);
    expect_tries(play, 2, PAWL_S(2), PAWL_S(5));
}

static void does_not_wait_longer_than_its_time(void **state) {
    struct otlp_play *play = *state;
    pawl_error *error = NULL;
    serve(play->server, "/v1/traces", {.status = 503, .headers = "Retry-After: 3600\r\n"});
    OPEN(play, .gzip = 0);
    assert_int_equal(export_spans(play, 2, PAWL_S(30), &error), PAWL_E_DEADLINE);
    assert_int_equal(play->time.skipped_ns, 0);
    assert_int_equal(counts_of(play).dropped_unavailable, 2);
    pawl_error_unref(error);
}

static void takes_every_other_answer_as_final(void **state) {
    struct otlp_play *play = *state;
    static const struct {
        int code;
        pawl_status status;
        const char *advice;
    } answers[] = {{400, PAWL_E_INVALID, ""},
                   {401, PAWL_E_DENIED, "; check the headers"},
                   {403, PAWL_E_DENIED, "; check the headers"},
                   {404, PAWL_E_NOT_FOUND, "; check the endpoint"},
                   {408, PAWL_E_INVALID, ""},
                   {413, PAWL_E_LIMIT, "; export smaller batches"},
                   {500, PAWL_E_FAILED, ""},
                   {501, PAWL_E_FAILED, ""},
                   {301, PAWL_E_INVALID, "; redirects are not followed, check the endpoint"},
                   {505, PAWL_E_FAILED, ""}};
    OPEN(play, .gzip = 0);
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        pawl_error *error = NULL;
        http_server_reset(play->server);
        serve(play->server, "/v1/traces",
              {.status = answers[i].code, .headers = "Retry-After: 1\r\n", .body = "{\"message\":\"because\"}"});
        assert_int_equal(export_spans(play, 2, PAWL_S(10), &error), answers[i].status);
        char said[256];
        (void)snprintf(said, sizeof said, "the collector answered %d: because (127.0.0.1:%d/v1/traces)%s",
                       answers[i].code, http_server_port(play->server), answers[i].advice);
        assert_string_equal(pawl_error_message(error), said);
        pawl_error_unref(error);
    }
    assert_int_equal(counts_of(play).dropped_refused, 20);
    assert_int_equal(counts_of(play).retries, 0);
    assert_int_equal(play->time.skipped_ns, 0);
}

static void counts_what_a_partial_success_rejects_and_does_not_ask_again(void **state) {
    struct otlp_play *play = *state;
    serve(play->server, "/v1/traces",
          {.status = 200, .body = "{\"partialSuccess\":{\"rejectedSpans\":\"2\",\"errorMessage\":\"too old\"}}"});
    OPEN(play, .gzip = 0);
    assert_int_equal(export_spans(play, 5, PAWL_S(10), NULL), PAWL_OK);
    assert_int_equal(counts_of(play).rejected, 2);
    assert_int_equal(counts_of(play).sent, 3);
    assert_int_equal(counts_of(play).requests, 1);
    assert_string_equal(play->told.last, "otlp traces: the collector rejected 2 items: too old");
}

static void a_lying_count_rejects_no_more_than_was_sent(void **state) {
    struct otlp_play *play = *state;
    serve(play->server, "/v1/traces",
          {.status = 200, .body = "{\"partialSuccess\":{\"rejectedSpans\":\"9223372036854775807\"}}"});
    OPEN(play, .gzip = 0);
    assert_int_equal(export_spans(play, 5, PAWL_S(10), NULL), PAWL_OK);
    assert_int_equal(counts_of(play).rejected, 5);
    assert_int_equal(counts_of(play).sent, 0);
}

static void does_not_take_a_web_page_for_a_collector(void **state) {
    struct otlp_play *play = *state;
    pawl_error *error = NULL;
    serve(play->server, "/v1/traces", {.status = 200, .body = "<html>sign in"});
    OPEN(play, .gzip = 0);
    assert_int_equal(export_spans(play, 5, PAWL_S(10), &error), PAWL_E_PROTOCOL);
    assert_non_null(strstr(pawl_error_message(error), "<html>sign in"));
    assert_int_equal(counts_of(play).dropped_refused, 5);
    assert_int_equal(counts_of(play).requests, 1);
    pawl_error_unref(error);
}

static void reads_no_more_than_four_megabytes(void **state) {
    struct otlp_play *play = *state;
    serve(play->server, "/v1/traces", {.status = 200, .filler = (4 << 20) + 1});
    OPEN(play, .gzip = 0);
    assert_int_equal(export_spans(play, 5, PAWL_S(10), NULL), PAWL_E_LIMIT);
    assert_int_equal(counts_of(play).dropped_refused, 5);
    assert_int_equal(counts_of(play).requests, 1);
}

static void tells_at_most_one_error_a_second(void **state) {
    struct otlp_play *play = *state;
    serve(play->server, "/v1/traces", {.status = 400});
    OPEN(play, .gzip = 0);
    uint64_t begin = clock_ns();
    for (int i = 0; i < 5; i++)
        (void)export_spans(play, 1, PAWL_S(10), NULL);
    assert_in_range(play->told.times, 1, 1 + (clock_ns() - begin) / PAWL_S(1));
}

static void tells_the_address_without_its_secrets(void **state) {
    struct otlp_play *play = *state;
    char url[128];
    serve(play->server, "/secret/v1/traces?key=secret", {.status = 404});
    (void)snprintf(url, sizeof url, "http://me:secret@127.0.0.1:%d/secret/v1/traces?key=secret",
                   http_server_port(play->server));
    OPEN(play, .traces_endpoint = url);
    assert_int_equal(export_spans(play, 1, PAWL_S(10), NULL), PAWL_E_NOT_FOUND);
    assert_null(strstr(play->told.last, "secret"));
    assert_non_null(strstr(play->told.last, "/.../v1/traces)"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(asks_again_for_the_four_answers_that_allow_it, clear_play),
        cmocka_unit_test_teardown(asks_again_when_the_connection_broke, clear_play),
        cmocka_unit_test_teardown(asks_again_when_nobody_listens, clear_play),
        cmocka_unit_test_teardown(honours_retry_after_in_seconds, clear_play),
        cmocka_unit_test_teardown(honours_retry_after_as_a_date, clear_play),
        cmocka_unit_test_teardown(does_not_wait_longer_than_its_time, clear_play),
        cmocka_unit_test_teardown(takes_every_other_answer_as_final, clear_play),
        cmocka_unit_test_teardown(counts_what_a_partial_success_rejects_and_does_not_ask_again, clear_play),
        cmocka_unit_test_teardown(a_lying_count_rejects_no_more_than_was_sent, clear_play),
        cmocka_unit_test_teardown(does_not_take_a_web_page_for_a_collector, clear_play),
        cmocka_unit_test_teardown(reads_no_more_than_four_megabytes, clear_play),
        cmocka_unit_test_teardown(tells_at_most_one_error_a_second, clear_play),
        cmocka_unit_test_teardown(tells_the_address_without_its_secrets, clear_play),
    };
    return cmocka_run_group_tests(tests, make_play, end_play);
}
