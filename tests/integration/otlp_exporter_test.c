/* The OTLP exporter against a server that answers in every right and wrong way. Exchanges take real time; waits between
 * tries are skipped. */
#include "export_internal.h"
#include "failing_malloc.h"
#include "http_bed.h"
#include "otlp_encode_internal.h"
#include "otlp_exporter_internal.h"
#include "telemetry_data.h"

#include <pawl/unstable/hooks.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>
#include <cmocka.h>

#define AT_ONCE_NS PAWL_MS(1000)

struct told {
    size_t times;
    char last[1024];
};

/* A clock that goes with the real one and skips what is waited for longer than HTTP does, up to a deadline. */
struct skipping_clock {
    uint64_t skipped_ns, deadline_ns;
    bool stands;               /* nothing is skipped */
    atomic_bool is_waited_for; /* for long */
    pawl_runtime_hooks hooks;
};
#define SHORT_NS PAWL_MS(600)

static uint64_t read_clock(void *user) {
    const struct skipping_clock *clock = user;
    return clock_ns() + clock->skipped_ns;
}

static bool advance(void *user, uint64_t until_ns) {
    struct skipping_clock *clock = user;
    uint64_t now = read_clock(clock);
    static const struct timespec moment = {.tv_nsec = 200000};
    if (until_ns > now + SHORT_NS)
        atomic_store(&clock->is_waited_for, true);
    if (!clock->stands && until_ns < clock->deadline_ns && until_ns > now + SHORT_NS)
        clock->skipped_ns += until_ns - now;
    else
        nanosleep(&moment, NULL);
    return true;
}

static pawl_runtime *make_skipping(void *user) {
    struct skipping_clock *clock = user;
    clock->hooks =
        (pawl_runtime_hooks){.size = sizeof clock->hooks, .user = clock, .now = read_clock, .advance = advance};
    return pawl_runtime_with(.seed = 1, .hooks = &clock->hooks);
}

struct play {
    struct http_server *server;
    struct skipping_clock time;
    struct told told;
    char base[64];
    pawl_otlp_options options;
    pawl_exporter *exporter;
};

static void keep_told(void *user, const char *text) {
    struct told *told = user;
    told->times++;
    (void)snprintf(told->last, sizeof told->last, "%s", text);
}

static int set_up(void **state) {
    struct play *play = calloc(1, sizeof *play);
    *state = play;
    play->server = http_server_new();
    (void)snprintf(play->base, sizeof play->base, "http://127.0.0.1:%d", http_server_port(play->server));
    unsetenv("http_proxy");
    unsetenv("all_proxy");
    return 0;
}

static int tear_down(void **state) {
    struct play *play = *state;
    http_server_free(play->server);
    free(play);
    return 0;
}

static int clear(void **state) {
    struct play *play = *state;
    play->exporter = pawl_exporter_unref(play->exporter);
    http_server_reset(play->server);
    memset(&play->told, 0, sizeof play->told);
    memset(&play->time, 0, sizeof play->time);
    return 0;
}

static pawl_exporter *open_exporter(struct play *play, pawl_otlp_options options) {
    options.size = sizeof options;
    options.endpoint = options.endpoint ? options.endpoint : play->base;
    options.on_error = keep_told;
    options.user = &play->told;
    play->exporter = pawl_otlp_exporter_new(&options, NULL);
    assert_non_null(play->exporter);
    pawl_otlp_transport_of(play->exporter)->make_runtime = make_skipping;
    pawl_otlp_transport_of(play->exporter)->make_user = &play->time;
    return play->exporter;
}
#define OPEN(play, ...) open_exporter(play, (pawl_otlp_options){__VA_ARGS__})

static pawl_status export_spans(struct play *play, size_t count, uint64_t timeout_ns, pawl_error **err) {
    pawl_span_data *spans = calloc(count, sizeof *spans);
    for (size_t i = 0; i < count; i++)
        spans[i] = usual_span((uint32_t)i + 1);
    play->time.deadline_ns = read_clock(&play->time) + (timeout_ns < PAWL_S(10) ? timeout_ns : PAWL_S(10));
    pawl_status status = pawl_exporter_spans(play->exporter, NULL, spans, count, timeout_ns, err);
    free(spans);
    return status;
}

static pawl_otlp_counts counts_of(struct play *play) {
    pawl_otlp_stats stats = {.size = sizeof stats};
    assert_int_equal(pawl_otlp_exporter_get_stats(play->exporter, &stats, NULL), PAWL_OK);
    return stats.traces;
}

/* ---- what is sent ---- */

static void sends_protobuf_with_the_headers_of_the_protocol(void **state) {
    struct play *play = *state;
    pawl_http_header key = {"x-api-key", "k"};
    struct http_seen seen;
    char text[256];
    serve(play->server, "/v1/traces", {.status = 200});
    OPEN(play, .headers = &key, .header_count = 1);
    assert_int_equal(export_spans(play, 3, PAWL_S(10), NULL), PAWL_OK);
    assert_true(http_server_seen(play->server, 0, &seen));
    assert_memory_equal(seen.head, "POST /v1/traces HTTP/1.1", 24);
    assert_string_equal(http_seen_header(&seen, "Content-Type", text, sizeof text), "application/x-protobuf");
    assert_string_equal(http_seen_header(&seen, "User-Agent", text, sizeof text),
                        "pawl/0.1.0 OTel-OTLP-Exporter-C/0.1.0");
    assert_string_equal(http_seen_header(&seen, "x-api-key", text, sizeof text), "k");
    assert_null(http_seen_header(&seen, "Content-Encoding", text, sizeof text));
    assert_null(http_seen_header(&seen, "traceparent", text, sizeof text));
    assert_null(http_seen_header(&seen, "Expect", text, sizeof text));
    assert_int_equal((unsigned char)seen.body[0], 0x0a);
    pawl_otlp_counts counts = counts_of(play);
    assert_int_equal(counts.sent, 3);
    assert_int_equal(counts.requests, 1);
    assert_int_equal(play->told.times, 0);
}

static void sends_each_signal_to_its_place_in_json(void **state) {
    struct play *play = *state;
    struct http_seen seen;
    size_t count;
    char own[96], text[128];
    (void)snprintf(own, sizeof own, "%s/logs/here", play->base);
    serve(play->server, "/x/v1/metrics", {.status = 200, .body = "{}"});
    serve(play->server, "/logs/here", {.status = 204});
    char base[96];
    (void)snprintf(base, sizeof base, "%s/x/", play->base);
    OPEN(play, .endpoint = base, .logs_endpoint = own, .protocol = PAWL_OTLP_JSON);
    const pawl_metric_data *metrics = all_metrics(&count);
    assert_int_equal(pawl_exporter_metrics(play->exporter, NULL, metrics, count, PAWL_S(10), NULL), PAWL_OK);
    const pawl_log_data *logs = all_logs(&count);
    assert_int_equal(pawl_exporter_logs(play->exporter, NULL, logs, count, PAWL_S(10), NULL), PAWL_OK);
    assert_true(http_server_seen(play->server, 0, &seen));
    assert_string_equal(http_seen_header(&seen, "content-type", text, sizeof text), "application/json");
    assert_memory_equal(seen.body, "{\"resourceMetrics\":[", 20);
    assert_true(http_server_seen(play->server, 1, &seen));
    assert_memory_equal(seen.body, "{\"resourceLogs\":[", 17);
    pawl_otlp_stats stats = {.size = sizeof stats};
    assert_int_equal(pawl_otlp_exporter_get_stats(play->exporter, &stats, NULL), PAWL_OK);
    assert_int_equal(stats.metrics.sent, 11);
    assert_int_equal(stats.logs.sent, 5);
}

static void compresses_when_told(void **state) {
    struct play *play = *state;
    struct http_seen seen;
    char text[64];
    static unsigned char plain[65536];
    serve(play->server, "/v1/traces", {.status = 200});
    OPEN(play, .gzip = 1);
    assert_int_equal(export_spans(play, 20, PAWL_S(10), NULL), PAWL_OK);
    assert_true(http_server_seen(play->server, 0, &seen));
    assert_string_equal(http_seen_header(&seen, "content-encoding", text, sizeof text), "gzip");
    assert_true(seen.body_bytes <= sizeof seen.body);
    z_stream stream = {.next_in = (unsigned char *)seen.body, .avail_in = (unsigned)seen.body_bytes};
    stream.next_out = plain, stream.avail_out = sizeof plain;
    assert_int_equal(inflateInit2(&stream, 15 + 16), Z_OK);
    assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
    assert_true(stream.total_out > 20 * 400 && seen.body_bytes < stream.total_out / 4);
    inflateEnd(&stream);
}

static void keeps_the_connection_between_requests(void **state) {
    struct play *play = *state;
    serve(play->server, "/v1/traces", {.status = 200});
    OPEN(play, .gzip = 0);
    for (int i = 0; i < 5; i++)
        assert_int_equal(export_spans(play, 1, PAWL_S(10), NULL), PAWL_OK);
    assert_int_equal(http_server_connections(play->server), 1);
}

static void halves_a_batch_that_is_too_large(void **state) {
    struct play *play = *state;
    serve(play->server, "/v1/traces", {.status = 200});
    OPEN(play, .max_request_bytes = 2000);
    assert_int_equal(export_spans(play, 16, PAWL_S(10), NULL), PAWL_OK);
    assert_int_equal(counts_of(play).sent, 16);
    assert_int_equal(counts_of(play).requests, 4);
    assert_int_equal(http_server_requests(play->server), 4);
}

/* OpenTelemetry's collector takes 20 MiB, unless it is told otherwise. */
static void a_request_is_no_larger_than_collectors_take(void **state) {
    struct play *play = *state;
    enum { SPANS = 24, BYTES = 1 << 20, MOST = 20 << 20 };
    struct http_seen seen;
    char *large = malloc(BYTES);
    assert_non_null(large);
    memset(large, 'x', BYTES - 1);
    large[BYTES - 1] = '\0';
    const pawl_attribute attribute = pawl_attribute_string("large", large);
    pawl_span_data spans[SPANS];
    for (uint32_t i = 0; i < SPANS; i++) {
        spans[i] = usual_span(i + 1);
        spans[i].attributes = &attribute;
        spans[i].attribute_count = 1;
    }
    serve(play->server, "/v1/traces", {.status = 200});
    OPEN(play, .gzip = 0);
    pawl_otlp_transport_of(play->exporter)->make_runtime = NULL;
    assert_int_equal(pawl_exporter_spans(play->exporter, NULL, spans, SPANS, PAWL_S(10), NULL), PAWL_OK);
    assert_int_equal(counts_of(play).sent, SPANS);
    for (size_t i = 0; i < http_server_requests(play->server); i++)
        assert_true(http_server_seen(play->server, i, &seen) && seen.body_bytes < MOST);
    free(large);
}

static void drops_and_counts_an_item_that_is_too_large(void **state) {
    struct play *play = *state;
    pawl_error *error = NULL;
    serve(play->server, "/v1/traces", {.status = 200});
    OPEN(play, .max_request_bytes = 100);
    assert_int_equal(export_spans(play, 3, PAWL_S(10), &error), PAWL_E_LIMIT);
    assert_non_null(strstr(pawl_error_message(error), "larger than a request may be"));
    assert_int_equal(counts_of(play).dropped_too_large, 3);
    assert_int_equal(http_server_requests(play->server), 0);
    pawl_error_unref(error);
}

/* ---- what comes back ---- */

static void expect_tries(struct play *play, size_t tries, uint64_t least_ns, uint64_t most_ns) {
    assert_int_equal(export_spans(play, 2, PAWL_S(10), NULL), PAWL_OK);
    pawl_otlp_counts counts = counts_of(play);
    assert_int_equal(counts.sent, 2);
    assert_int_equal(counts.requests, tries);
    assert_int_equal(counts.retries, tries - 1);
    assert_int_equal(http_server_requests(play->server), tries);
    assert_in_range(play->time.skipped_ns, least_ns, most_ns);
}

static void asks_again_for_the_four_answers_that_allow_it(void **state) {
    struct play *play = *state;
    serve(play->server, "/v1/traces", {.status = 429}, {.status = 502}, {.status = 503}, {.status = 504},
          {.status = 200});
    OPEN(play, .gzip = 0);
    expect_tries(play, 5, PAWL_MS(6400), PAWL_MS(9750));
}

static void asks_again_when_the_connection_broke(void **state) {
    struct play *play = *state;
    serve(play->server, "/v1/traces", {.raw = "", .then = THEN_RESET}, {.raw = "", .then = THEN_CLOSE},
          {.raw = "HTTP/1.1 200 OK\r\nContent-Le", .then = THEN_CLOSE}, {.status = 200});
    OPEN(play, .gzip = 0);
    assert_int_equal(export_spans(play, 2, PAWL_S(10), NULL), PAWL_OK);
    assert_int_equal(counts_of(play).sent, 2);
    assert_in_range(play->time.skipped_ns, PAWL_MS(3750), PAWL_MS(5700));
}

static void asks_again_when_nobody_listens(void **state) {
    struct play *play = *state;
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
    struct play *play = *state;
    serve(play->server, "/v1/traces", {.status = 503, .headers = "Retry-After: 2\r\n"},
          {.status = 429, .headers = "Retry-After: 3\r\n"}, {.status = 200});
    OPEN(play, .gzip = 0);
    expect_tries(play, 3, PAWL_MS(4900), PAWL_S(5));
}

static void honours_retry_after_as_a_date(void **state) {
    struct play *play = *state;
    char header[128];
    time_t then = time(NULL) + 4;
    struct tm parts;
    (void)strftime(header, sizeof header, "Retry-After: %a, %d %b %Y %H:%M:%S GMT\r\n", gmtime_r(&then, &parts));
    serve(play->server, "/v1/traces", {.status = 503, .headers = header}, {.status = 200});
    OPEN(play, .gzip = 0);
    expect_tries(play, 2, PAWL_S(2), PAWL_S(5));
}

static void does_not_wait_longer_than_its_time(void **state) {
    struct play *play = *state;
    pawl_error *error = NULL;
    serve(play->server, "/v1/traces", {.status = 503, .headers = "Retry-After: 3600\r\n"});
    OPEN(play, .gzip = 0);
    assert_int_equal(export_spans(play, 2, PAWL_S(30), &error), PAWL_E_DEADLINE);
    assert_int_equal(play->time.skipped_ns, 0);
    assert_int_equal(counts_of(play).dropped_unavailable, 2);
    pawl_error_unref(error);
}

static void takes_every_other_answer_as_final(void **state) {
    struct play *play = *state;
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
    struct play *play = *state;
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
    struct play *play = *state;
    serve(play->server, "/v1/traces",
          {.status = 200, .body = "{\"partialSuccess\":{\"rejectedSpans\":\"9223372036854775807\"}}"});
    OPEN(play, .gzip = 0);
    assert_int_equal(export_spans(play, 5, PAWL_S(10), NULL), PAWL_OK);
    assert_int_equal(counts_of(play).rejected, 5);
    assert_int_equal(counts_of(play).sent, 0);
}

static void does_not_take_a_web_page_for_a_collector(void **state) {
    struct play *play = *state;
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
    struct play *play = *state;
    serve(play->server, "/v1/traces", {.status = 200, .filler = (4 << 20) + 1});
    OPEN(play, .gzip = 0);
    assert_int_equal(export_spans(play, 5, PAWL_S(10), NULL), PAWL_E_LIMIT);
    assert_int_equal(counts_of(play).dropped_refused, 5);
    assert_int_equal(counts_of(play).requests, 1);
}

static void tells_at_most_one_error_a_second(void **state) {
    struct play *play = *state;
    serve(play->server, "/v1/traces", {.status = 400});
    OPEN(play, .gzip = 0);
    uint64_t begin = clock_ns();
    for (int i = 0; i < 5; i++)
        (void)export_spans(play, 1, PAWL_S(10), NULL);
    assert_in_range(play->told.times, 1, 1 + (clock_ns() - begin) / PAWL_S(1));
}

static void tells_the_address_without_its_secrets(void **state) {
    struct play *play = *state;
    char url[128];
    serve(play->server, "/secret/v1/traces?key=secret", {.status = 404});
    (void)snprintf(url, sizeof url, "http://me:secret@127.0.0.1:%d/secret/v1/traces?key=secret",
                   http_server_port(play->server));
    OPEN(play, .traces_endpoint = url);
    assert_int_equal(export_spans(play, 1, PAWL_S(10), NULL), PAWL_E_NOT_FOUND);
    assert_null(strstr(play->told.last, "secret"));
    assert_non_null(strstr(play->told.last, "/.../v1/traces)"));
}

/* ---- ends ---- */

static void a_silent_collector_costs_no_more_than_the_time_out(void **state) {
    struct play *play = *state;
    serve(play->server, "/v1/traces", NEVER_ANSWERS);
    OPEN(play, .timeout_ns = PAWL_MS(100));
    pawl_otlp_transport_of(play->exporter)->make_runtime = NULL;
    uint64_t begin = clock_ns();
    assert_int_equal(export_spans(play, 1, PAWL_S(30), NULL), PAWL_E_DEADLINE);
    assert_in_range(clock_ns() - begin, PAWL_MS(90), PAWL_MS(100) + AT_ONCE_NS);
    assert_int_equal(counts_of(play).dropped_unavailable, 1);
    begin = clock_ns();
    assert_int_equal(export_spans(play, 1, PAWL_MS(20), NULL), PAWL_E_DEADLINE);
    assert_true(clock_ns() - begin < PAWL_MS(20) + AT_ONCE_NS);
}

static void *cancel_soon(void *user) {
    struct play *play = user;
    (void)http_server_await_requests(play->server, 1);
    pawl_exporter_cancel(play->exporter);
    return NULL;
}

static void a_cancel_ends_an_exchange_and_all_later_ones(void **state) {
    struct play *play = *state;
    pthread_t thread;
    serve(play->server, "/v1/traces", NEVER_ANSWERS);
    OPEN(play, .timeout_ns = PAWL_S(60));
    pawl_otlp_transport_of(play->exporter)->make_runtime = NULL;
    assert_int_equal(pthread_create(&thread, NULL, cancel_soon, play), 0);
    assert_int_equal(export_spans(play, 1, PAWL_S(60), NULL), PAWL_E_CANCELLED);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(export_spans(play, 2, PAWL_S(60), NULL), PAWL_E_CANCELLED);
    assert_int_equal(counts_of(play).dropped_cancelled, 3);
    assert_int_equal(http_server_requests(play->server), 1);
    assert_int_equal(play->told.times, 0);
}

static void a_cancel_ends_a_wait(void **state) {
    struct play *play = *state;
    pthread_t thread;
    serve(play->server, "/v1/traces", {.status = 503, .headers = "Retry-After: 30\r\n"});
    OPEN(play, .timeout_ns = PAWL_S(60));
    pawl_otlp_transport_of(play->exporter)->make_runtime = NULL;
    uint64_t begin = clock_ns();
    assert_int_equal(pthread_create(&thread, NULL, cancel_soon, play), 0);
    assert_int_equal(export_spans(play, 1, PAWL_S(60), NULL), PAWL_E_CANCELLED);
    assert_true(clock_ns() - begin < PAWL_S(15));
    assert_int_equal(pthread_join(thread, NULL), 0);
}

static void *cancel_the_wait(void *user) {
    static const struct timespec moment = {.tv_nsec = 200000};
    struct play *play = user;
    (void)http_server_await_requests(play->server, 1);
    atomic_store(&play->time.is_waited_for, false); /* those for the answer */
    while (!atomic_load(&play->time.is_waited_for))
        nanosleep(&moment, NULL);
    pawl_exporter_cancel(play->exporter);
    return NULL;
}

static void a_cancelled_wait_tells_what_it_waited_for(void **state) {
    struct play *play = *state;
    pthread_t thread;
    serve(play->server, "/v1/traces", {.status = 503, .headers = "Retry-After: 30\r\n", .body = "full"});
    OPEN(play, .timeout_ns = PAWL_S(60));
    play->time.stands = true;
    assert_int_equal(pthread_create(&thread, NULL, cancel_the_wait, play), 0);
    assert_int_equal(export_spans(play, 1, PAWL_S(60), NULL), PAWL_E_CANCELLED);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(play->told.times, 1);
    assert_non_null(strstr(play->told.last, "the collector answered 503: full"));
}

struct sender {
    struct play *play;
    pthread_t thread;
    pawl_status status;
};

static void *send_many(void *user) {
    struct sender *sender = user;
    for (int i = 0; i < 10 && sender->status == PAWL_OK; i++)
        sender->status = export_spans(sender->play, 10, PAWL_S(30), NULL);
    return NULL;
}

static void several_threads_may_export_at_once(void **state) {
    struct play *play = *state;
    struct sender senders[4];
    serve(play->server, "/v1/traces", {.status = 200});
    OPEN(play, .gzip = 1);
    pawl_otlp_transport_of(play->exporter)->make_runtime = NULL;
    for (size_t i = 0; i < 4; i++) {
        senders[i] = (struct sender){.play = play};
        assert_int_equal(pthread_create(&senders[i].thread, NULL, send_many, &senders[i]), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(senders[i].thread, NULL), 0);
        assert_int_equal(senders[i].status, PAWL_OK);
    }
    assert_int_equal(counts_of(play).sent, 400);
}

static void a_forked_child_exports_by_itself(void **state) {
    struct play *play = *state;
    int status;
    serve(play->server, "/v1/traces", {.status = 200});
    OPEN(play, .gzip = 0);
    pawl_otlp_transport_of(play->exporter)->make_runtime = NULL;
    assert_int_equal(export_spans(play, 1, PAWL_S(10), NULL), PAWL_OK);
    pawl_fork_lock_take(&pawl_otlp_transport_of(play->exporter)->lock); /* by a thread that the child does not have */
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        _exit(export_spans(play, 1, PAWL_S(10), NULL) == PAWL_OK ? 0 : 1);
    pawl_fork_lock_give(&pawl_otlp_transport_of(play->exporter)->lock);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(export_spans(play, 1, PAWL_S(10), NULL), PAWL_OK);
    assert_int_equal(http_server_requests(play->server), 3);
    assert_int_equal(http_server_connections(play->server), 2); /* the parent's is still its own */
}

static void every_allocation_may_fail(void **state) {
    struct play *play = *state;
    pawl_http_header key = {"x-api-key", "k"};
    serve(play->server, "/v1/traces", {.status = 200});
    for_each_failing_allocation(n) {
        pawl_error *error = NULL;
        pawl_exporter *exporter = pawl_otlp_exporter_with(&error, .endpoint = play->base, .gzip = 1, .headers = &key,
                                                          .header_count = 1, .ca_file = "x");
        pawl_span_data span = usual_span(1);
        pawl_status status =
            exporter ? pawl_exporter_spans(exporter, NULL, &span, 1, PAWL_S(10), &error) : PAWL_E_NOMEM;
        assert_true(status == PAWL_OK || (allocations_failed() > 0 && error));
        pawl_exporter_unref(exporter);
        pawl_error_unref(error);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(sends_protobuf_with_the_headers_of_the_protocol, clear),
        cmocka_unit_test_teardown(sends_each_signal_to_its_place_in_json, clear),
        cmocka_unit_test_teardown(compresses_when_told, clear),
        cmocka_unit_test_teardown(keeps_the_connection_between_requests, clear),
        cmocka_unit_test_teardown(halves_a_batch_that_is_too_large, clear),
        cmocka_unit_test_teardown(a_request_is_no_larger_than_collectors_take, clear),
        cmocka_unit_test_teardown(drops_and_counts_an_item_that_is_too_large, clear),
        cmocka_unit_test_teardown(asks_again_for_the_four_answers_that_allow_it, clear),
        cmocka_unit_test_teardown(asks_again_when_the_connection_broke, clear),
        cmocka_unit_test_teardown(asks_again_when_nobody_listens, clear),
        cmocka_unit_test_teardown(honours_retry_after_in_seconds, clear),
        cmocka_unit_test_teardown(honours_retry_after_as_a_date, clear),
        cmocka_unit_test_teardown(does_not_wait_longer_than_its_time, clear),
        cmocka_unit_test_teardown(takes_every_other_answer_as_final, clear),
        cmocka_unit_test_teardown(counts_what_a_partial_success_rejects_and_does_not_ask_again, clear),
        cmocka_unit_test_teardown(a_lying_count_rejects_no_more_than_was_sent, clear),
        cmocka_unit_test_teardown(does_not_take_a_web_page_for_a_collector, clear),
        cmocka_unit_test_teardown(reads_no_more_than_four_megabytes, clear),
        cmocka_unit_test_teardown(tells_at_most_one_error_a_second, clear),
        cmocka_unit_test_teardown(tells_the_address_without_its_secrets, clear),
        cmocka_unit_test_teardown(a_silent_collector_costs_no_more_than_the_time_out, clear),
        cmocka_unit_test_teardown(a_cancel_ends_an_exchange_and_all_later_ones, clear),
        cmocka_unit_test_teardown(a_cancel_ends_a_wait, clear),
        cmocka_unit_test_teardown(a_cancelled_wait_tells_what_it_waited_for, clear),
        cmocka_unit_test_teardown(several_threads_may_export_at_once, clear),
        cmocka_unit_test_teardown(a_forked_child_exports_by_itself, clear),
        cmocka_unit_test_teardown(every_allocation_may_fail, clear),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
