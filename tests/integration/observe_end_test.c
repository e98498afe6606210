/* How long the end of everything that pawl_observe() set up takes, and what still goes out, when collectors are not
 * there, silent or slow. In real time. */
#include "http_bed.h"
#include "observed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define TIME_NS PAWL_S(2)
#define AT_MOST_NS (TIME_NS + PAWL_S(1))

static struct http_server *server;

static int set_up(void **state) {
    (void)state;
    unsetenv("http_proxy");
    unsetenv("all_proxy");
    server = http_server_new();
    return server ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    http_server_free(server);
    return 0;
}

static int clear(void **state) {
    (void)state;
    unsetenv("OTEL_EXPORTER_OTLP_TRACES_COMPRESSION");
    unsetenv("OTEL_EXPORTER_OTLP_LOGS_PROTOCOL");
    http_server_reset(server);
    return 0;
}

/* ---- a program that is observed ---- */

static atomic_int warnings;

static void count_warning(void *user, const char *text) {
    (void)user, (void)text;
    atomic_fetch_add(&warnings, 1);
}

/* All three go to port, but traces, when traces_port is not 0. */
static pawl_observability *observe(pawl_runtime *runtime, int port, int traces_port) {
    char base[64], traces[64];
    snprintf(base, sizeof base, "http://127.0.0.1:%d", port);
    snprintf(traces, sizeof traces, "http://127.0.0.1:%d/v1/traces", traces_port);
    const pawl_otlp_options otlp = {
        .size = sizeof otlp, .endpoint = base, .traces_endpoint = traces_port ? traces : NULL};
    const pawl_logs_options logs = {.size = sizeof logs};
    pawl_observability *made = pawl_observe(runtime, NULL, .otlp = &otlp, .logs = &logs, .shutdown_timeout_ns = TIME_NS,
                                            .warn = count_warning, .read_environment = 1);
    assert_non_null(made);
    return made;
}

/* How long the end of a runtime took that was observed. */
static uint64_t time_end(int port, int traces_port) {
    pawl_runtime *runtime = pawl_runtime_new(NULL, NULL);
    pawl_observability *o = observe(runtime, port, traces_port);
    pawl_observability_unref(o);
    run_worker(runtime);
    uint64_t begin = clock_ns();
    pawl_runtime_unref(runtime);
    return clock_ns() - begin;
}

/* When the first request for that path came; 0: none has. */
static uint64_t came_ns(const char *path) {
    struct http_seen seen;
    for (size_t i = 0; http_server_seen(server, i, &seen); i++)
        if (strstr(seen.head, path))
            return seen.at_ns;
    return 0;
}

static void serve_all(struct http_answer answer) {
    serve(server, "/v1/traces", answer);
    serve(server, "/v1/metrics", answer);
    serve(server, "/v1/logs", answer);
}

/* ---- the runtime's end ---- */

static void the_end_takes_no_longer_than_its_time_when_nobody_listens(void **state) {
    (void)state;
    assert_true(time_end(http_closed_port(), 0) < AT_MOST_NS);
}

static void the_end_takes_no_longer_than_its_time_when_nobody_takes_connections(void **state) {
    (void)state;
    int fds[BLACK_HOLE_FDS];
    assert_true(time_end(http_black_hole(fds), 0) < AT_MOST_NS);
    for (size_t i = 0; i < BLACK_HOLE_FDS; i++)
        close(fds[i]);
}

static void the_end_takes_no_longer_than_its_time_when_nobody_answers(void **state) {
    (void)state;
    serve_all(NEVER_ANSWERS);
    assert_true(time_end(http_server_port(server), 0) < AT_MOST_NS);
    setenv("OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "gzip", 1); /* so that each has an exporter of its own */
    setenv("OTEL_EXPORTER_OTLP_LOGS_PROTOCOL", "http/json", 1);
    assert_true(time_end(http_server_port(server), 0) < AT_MOST_NS);
}

static void a_dead_collector_of_traces_costs_neither_metrics_nor_logs(void **state) {
    (void)state;
    struct http_server *silent = http_server_new();
    assert_non_null(silent);
    serve(silent, "/v1/traces", NEVER_ANSWERS);
    serve_all((struct http_answer){.status = 200});
    assert_true(time_end(http_server_port(server), http_server_port(silent)) < AT_MOST_NS);
    assert_true(came_ns("/v1/metrics") > 0);
    assert_true(came_ns("/v1/logs") > 0);
    http_server_free(silent);
}

static void a_slow_collector_gets_its_time(void **state) {
    (void)state;
    atomic_store(&warnings, 0);
    serve_all((struct http_answer){.status = 200, .delay_ms = 800});
    assert_in_range(time_end(http_server_port(server), 0), PAWL_MS(800), AT_MOST_NS);
    assert_int_equal(http_server_requests(server), 3);
    assert_int_equal(atomic_load(&warnings), 0);
}

static void the_last_metrics_tell_of_the_last_spans(void **state) {
    (void)state;
    serve(server, "/v1/traces", {.status = 200, .delay_ms = 200});
    serve(server, "/v1/metrics", {.status = 200});
    serve(server, "/v1/logs", {.status = 200});
    time_end(http_server_port(server), 0);
    assert_true(came_ns("/v1/metrics") >= came_ns("/v1/traces") + PAWL_MS(200));
}

/* ---- before it ---- */

static void a_flush_gives_each_kind_of_data_its_time(void **state) {
    (void)state;
    pawl_runtime *runtime = pawl_runtime_new(NULL, NULL);
    serve_all((struct http_answer){.status = 200});
    pawl_observability *o = observe(runtime, http_server_port(server), http_closed_port());
    run_worker(runtime);
    uint64_t begin = clock_ns();
    assert_int_not_equal(pawl_observability_shutdown(o, TIME_NS, NULL), PAWL_OK);
    assert_true(came_ns("/v1/metrics") > 0);
    assert_true(came_ns("/v1/logs") > 0);
    pawl_observability_unref(o);
    pawl_runtime_unref(runtime);
    assert_true(clock_ns() - begin < AT_MOST_NS);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(the_end_takes_no_longer_than_its_time_when_nobody_listens, clear),
        cmocka_unit_test_teardown(the_end_takes_no_longer_than_its_time_when_nobody_takes_connections, clear),
        cmocka_unit_test_teardown(the_end_takes_no_longer_than_its_time_when_nobody_answers, clear),
        cmocka_unit_test_teardown(a_dead_collector_of_traces_costs_neither_metrics_nor_logs, clear),
        cmocka_unit_test_teardown(a_slow_collector_gets_its_time, clear),
        cmocka_unit_test_teardown(the_last_metrics_tell_of_the_last_spans, clear),
        cmocka_unit_test_teardown(a_flush_gives_each_kind_of_data_its_time, clear),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
