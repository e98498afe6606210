/* The OTLP exporter: what it sends, and how exporting ends. */
#include "export_internal.h"
#include "failing_malloc.h"
#include "http_bed.h"
#include "otlp_exporter_internal.h"
#include "otlp_play.h"
#include "telemetry_data.h"

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

/* ---- what is sent ---- */

static void sends_protobuf_with_the_headers_of_the_protocol(void **state) {
    struct otlp_play *play = *state;
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
    struct otlp_play *play = *state;
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
    struct otlp_play *play = *state;
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
    struct otlp_play *play = *state;
    serve(play->server, "/v1/traces", {.status = 200});
    OPEN(play, .gzip = 0);
    for (int i = 0; i < 5; i++)
        assert_int_equal(export_spans(play, 1, PAWL_S(10), NULL), PAWL_OK);
    assert_int_equal(http_server_connections(play->server), 1);
}

static void halves_a_batch_that_is_too_large(void **state) {
    struct otlp_play *play = *state;
    serve(play->server, "/v1/traces", {.status = 200});
    OPEN(play, .max_request_bytes = 2000);
    assert_int_equal(export_spans(play, 16, PAWL_S(10), NULL), PAWL_OK);
    assert_int_equal(counts_of(play).sent, 16);
    assert_int_equal(counts_of(play).requests, 4);
    assert_int_equal(http_server_requests(play->server), 4);
}

/* OpenTelemetry's collector takes 20 MiB, unless it is told otherwise. */
static void a_request_is_no_larger_than_collectors_take(void **state) {
    struct otlp_play *play = *state;
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
    stop_skipping(play);
    assert_int_equal(pawl_exporter_spans(play->exporter, NULL, spans, SPANS, PAWL_S(10), NULL), PAWL_OK);
    assert_int_equal(counts_of(play).sent, SPANS);
    for (size_t i = 0; i < http_server_requests(play->server); i++)
        assert_true(http_server_seen(play->server, i, &seen) && seen.body_bytes < MOST);
    free(large);
}

static void drops_and_counts_an_item_that_is_too_large(void **state) {
    struct otlp_play *play = *state;
    pawl_error *error = NULL;
    serve(play->server, "/v1/traces", {.status = 200});
    OPEN(play, .max_request_bytes = 100);
    assert_int_equal(export_spans(play, 3, PAWL_S(10), &error), PAWL_E_LIMIT);
    assert_non_null(strstr(pawl_error_message(error), "larger than a request may be"));
    assert_int_equal(counts_of(play).dropped_too_large, 3);
    assert_int_equal(http_server_requests(play->server), 0);
    pawl_error_unref(error);
}

/* ---- ends ---- */

static void a_silent_collector_costs_no_more_than_the_time_out(void **state) {
    struct otlp_play *play = *state;
    serve(play->server, "/v1/traces", NEVER_ANSWERS);
    OPEN(play, .timeout_ns = PAWL_MS(100));
    stop_skipping(play);
    uint64_t begin = clock_ns();
    assert_int_equal(export_spans(play, 1, PAWL_S(30), NULL), PAWL_E_DEADLINE);
    assert_in_range(clock_ns() - begin, PAWL_MS(90), PAWL_MS(100) + AT_ONCE_NS);
    assert_int_equal(counts_of(play).dropped_unavailable, 1);
    begin = clock_ns();
    assert_int_equal(export_spans(play, 1, PAWL_MS(20), NULL), PAWL_E_DEADLINE);
    assert_true(clock_ns() - begin < PAWL_MS(20) + AT_ONCE_NS);
}

static void *cancel_soon(void *user) {
    struct otlp_play *play = user;
    (void)http_server_await_requests(play->server, 1);
    pawl_exporter_cancel(play->exporter);
    return NULL;
}

static void a_cancel_ends_an_exchange_and_all_later_ones(void **state) {
    struct otlp_play *play = *state;
    pthread_t thread;
    serve(play->server, "/v1/traces", NEVER_ANSWERS);
    OPEN(play, .timeout_ns = PAWL_S(60));
    stop_skipping(play);
    assert_int_equal(pthread_create(&thread, NULL, cancel_soon, play), 0);
    assert_int_equal(export_spans(play, 1, PAWL_S(60), NULL), PAWL_E_CANCELLED);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(export_spans(play, 2, PAWL_S(60), NULL), PAWL_E_CANCELLED);
    assert_int_equal(counts_of(play).dropped_cancelled, 3);
    assert_int_equal(http_server_requests(play->server), 1);
    assert_int_equal(play->told.times, 0);
}

static void a_cancel_ends_a_wait(void **state) {
    struct otlp_play *play = *state;
    pthread_t thread;
    serve(play->server, "/v1/traces", {.status = 503, .headers = "Retry-After: 30\r\n"});
    OPEN(play, .timeout_ns = PAWL_S(60));
    stop_skipping(play);
    uint64_t begin = clock_ns();
    assert_int_equal(pthread_create(&thread, NULL, cancel_soon, play), 0);
    assert_int_equal(export_spans(play, 1, PAWL_S(60), NULL), PAWL_E_CANCELLED);
    assert_true(clock_ns() - begin < PAWL_S(15));
    assert_int_equal(pthread_join(thread, NULL), 0);
}

static void *cancel_the_wait(void *user) {
    static const struct timespec moment = {.tv_nsec = 200000};
    struct otlp_play *play = user;
    (void)http_server_await_requests(play->server, 1);
    atomic_store(&play->time.is_waited_for, false); /* those for the answer */
    while (!atomic_load(&play->time.is_waited_for))
        nanosleep(&moment, NULL);
    pawl_exporter_cancel(play->exporter);
    return NULL;
}

static void a_cancelled_wait_tells_what_it_waited_for(void **state) {
    struct otlp_play *play = *state;
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
    struct otlp_play *play;
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
    struct otlp_play *play = *state;
    struct sender senders[4];
    serve(play->server, "/v1/traces", {.status = 200});
    OPEN(play, .gzip = 1);
    stop_skipping(play);
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
    struct otlp_play *play = *state;
    int status;
    serve(play->server, "/v1/traces", {.status = 200});
    OPEN(play, .gzip = 0);
    stop_skipping(play);
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
    struct otlp_play *play = *state;
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
        cmocka_unit_test_teardown(sends_protobuf_with_the_headers_of_the_protocol, clear_play),
        cmocka_unit_test_teardown(sends_each_signal_to_its_place_in_json, clear_play),
        cmocka_unit_test_teardown(compresses_when_told, clear_play),
        cmocka_unit_test_teardown(keeps_the_connection_between_requests, clear_play),
        cmocka_unit_test_teardown(halves_a_batch_that_is_too_large, clear_play),
        cmocka_unit_test_teardown(a_request_is_no_larger_than_collectors_take, clear_play),
        cmocka_unit_test_teardown(drops_and_counts_an_item_that_is_too_large, clear_play),
        cmocka_unit_test_teardown(a_silent_collector_costs_no_more_than_the_time_out, clear_play),
        cmocka_unit_test_teardown(a_cancel_ends_an_exchange_and_all_later_ones, clear_play),
        cmocka_unit_test_teardown(a_cancel_ends_a_wait, clear_play),
        cmocka_unit_test_teardown(a_cancelled_wait_tells_what_it_waited_for, clear_play),
        cmocka_unit_test_teardown(several_threads_may_export_at_once, clear_play),
        cmocka_unit_test_teardown(a_forked_child_exports_by_itself, clear_play),
        cmocka_unit_test_teardown(every_allocation_may_fail, clear_play),
    };
    return cmocka_run_group_tests(tests, make_play, end_play);
}
