/* The HTTP node when things go wrong: limits, time-outs, cancels in each phase, lost connections, no memory. */
#include "failing_malloc.h"
#include "http_bed.h"
#include "leaves.h"
#include "virtual_runtime.h"

#include <dlfcn.h>
#include <netdb.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

/* An end that must come at once has come by then, on a machine busy with other tests. */
#define AT_ONCE_NS PAWL_MS(1000)

/* ---- names: the resolver's function is this one, also for libcurl ---- */

static sem_t asked, released; /* somebody resolves "slow.test"; it may answer now */

static bool wait_for(sem_t *semaphore) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 20;
    return sem_timedwait(semaphore, &until) == 0;
}

__attribute__((visibility("default"))) int getaddrinfo(const char *name, const char *service,
                                                       const struct addrinfo *hints, struct addrinfo **result) {
    if (strcmp(name, "nowhere.test") == 0)
        return EAI_NONAME;
    if (strcmp(name, "slow.test") == 0) {
        sem_post(&asked);
        (void)wait_for(&released);
        return EAI_AGAIN;
    }
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    return real(name, service, hints, result);
}

static void says_that_a_name_is_unknown(void **state) {
    struct http_bed *bed = *state;
    struct ended ended = ask(bed, BY_RUN, "http://nowhere.test/x", "");
    assert_int_equal(pawl_error_started(ended.error), PAWL_STARTED_NO);
    assert_true(pawl_error_is_retryable(ended.error));
    expect_end(&ended, PAWL_E_UNAVAILABLE, "nowhere.test");
}

/* ---- connections that fail ---- */

static void says_that_nobody_listens(void **state) {
    struct http_bed *bed = *state;
    char url[64];
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%d/x?secret=1", http_closed_port());
    for_each_driver(driver) {
        struct ended ended = ask(bed, driver, url, "");
        assert_int_equal(pawl_error_started(ended.error), PAWL_STARTED_NO);
        assert_true(pawl_error_is_retryable(ended.error));
        assert_null(strstr(pawl_error_message(ended.error), "secret"));
        expect_end(&ended, PAWL_E_UNAVAILABLE, "http 'ask'");
    }
}

#define HALF "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"

static void tells_lost_connections_from_nonsense(void **state) {
    struct http_bed *bed = *state;
    static const struct {
        const char *path;
        struct http_answer answer;
        pawl_status status;
    } faults[] = {
        {"/closes", {.raw = "", .then = THEN_CLOSE}, PAWL_E_UNAVAILABLE},
        {"/resets", {.raw = "", .then = THEN_RESET}, PAWL_E_UNAVAILABLE},
        {"/half-head", {.raw = "HTTP/1.1 200 OK\r\nContent-Le", .then = THEN_CLOSE}, PAWL_E_UNAVAILABLE},
        {"/half-body", {.raw = HALF, .then = THEN_CLOSE}, PAWL_E_UNAVAILABLE},
        {"/half-reset", {.raw = HALF, .then = THEN_RESET}, PAWL_E_UNAVAILABLE},
        {"/half-chunk",
         {.raw = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\nabc", .then = THEN_CLOSE},
         PAWL_E_UNAVAILABLE},
        {"/bad-chunk",
         {.raw = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzzz\r\nabc", .then = THEN_CLOSE},
         PAWL_E_UNAVAILABLE},
        {"/garbage", {.raw = "SSH-2.0-OpenSSH_9.2\r\n", .then = THEN_CLOSE}, PAWL_E_PROTOCOL},
        {"/nul", {.raw = "HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n", .raw_bytes = 27, .then = THEN_CLOSE}, PAWL_E_PROTOCOL},
        {"/bad-length",
         {.raw = "HTTP/1.1 200 OK\r\nContent-Length: -4\r\n\r\nabc", .then = THEN_CLOSE},
         PAWL_E_PROTOCOL},
    };
    for_each_driver(driver) {
        for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
            if (driver == BY_RUN)
                http_server_script(bed->server, faults[i].path, &faults[i].answer, 1);
            struct ended ended = ask(bed, driver, faults[i].path, ", \"body\": \"paid order\"");
            if (ended.status != faults[i].status)
                print_error("%s: %s\n", faults[i].path, pawl_error_message(ended.error));
            assert_int_equal(pawl_error_started(ended.error), PAWL_STARTED_MAYBE);
            expect_end(&ended, faults[i].status, "127.0.0.1:");
        }
    }
}

/* A gRPC server greets with a SETTINGS frame of HTTP/2. */
static void names_the_port_of_another_protocol(void **state) {
    struct http_bed *bed = *state;
    static const struct http_answer settings = {
        .raw = "\0\0\6\4\0\0\0\0\0\0\5\0\0\x40\0", .raw_bytes = 15, .then = THEN_CLOSE};
    for_each_driver(driver) {
        if (driver == BY_RUN)
            http_server_script(bed->server, "/grpc", &settings, 1);
        struct ended ended = ask(bed, driver, "/grpc", "");
        expect_end(&ended, PAWL_E_PROTOCOL, "is it a gRPC port?");
    }
}

/* ---- limits ---- */

struct limits {
    const char *url;
    uint64_t most_bytes, timeout_ns, connect_timeout_ns;
};

static pawl_status prepare_limits(void *user, pawl_context *ctx, pawl_value *in, pawl_http_request *request,
                                  pawl_error **err) {
    const struct limits *limits = user;
    (void)ctx, (void)in, (void)err;
    request->url = limits->url;
    request->max_response_bytes = limits->most_bytes;
    request->timeout_ns = limits->timeout_ns;
    request->connect_timeout_ns = limits->connect_timeout_ns;
    return PAWL_OK;
}

static struct ended ask_within(struct http_bed *bed, enum driver driver, struct limits limits) {
    pawl_primitive *node = pawl_http_new("ask", prepare_limits, NULL, &limits);
    struct ended ended = drive(bed, driver, node, NULL, NULL);
    pawl_primitive_unref(node);
    return ended;
}

static void takes_no_more_than_it_may(void **state) {
    struct http_bed *bed = *state;
    serve(bed->server, "/big", {.filler = 1 << 20});
    serve(bed->server, "/endless", {.raw = "HTTP/1.1 200 OK\r\n\r\n", .filler = (size_t)1 << 40});
    serve(bed->server, "/empty", {.status = 200});
    for_each_driver(driver) {
        struct ended ended = ask_within(bed, driver, (struct limits){url_of(bed, "/big"), 1 << 20, 0, 0});
        expect_answer(&ended, 200, NULL);
        forget(&ended);
        ended = ask_within(bed, driver, (struct limits){url_of(bed, "/big"), (1 << 20) - 1, 0, 0});
        expect_end(&ended, PAWL_E_LIMIT, "over max_response_bytes (1048575); raise it");
        ended = ask_within(bed, driver, (struct limits){url_of(bed, "/endless"), 0, 0, 0});
        assert_int_equal(pawl_error_started(ended.error), PAWL_STARTED_MAYBE);
        expect_end(&ended, PAWL_E_LIMIT, "max_response_bytes (67108864)");
        ended = ask_within(bed, driver, (struct limits){url_of(bed, "/empty"), PAWL_ZERO, 0, 0});
        expect_answer(&ended, 200, "");
        forget(&ended);
        ended = ask_within(bed, driver, (struct limits){url_of(bed, "/big"), PAWL_ZERO, 0, 0});
        expect_end(&ended, PAWL_E_LIMIT, "max_response_bytes (0)");
    }
}

static void takes_no_flood_of_headers(void **state) {
    struct http_bed *bed = *state;
    size_t size = 400000;
    char *many = calloc(1, size), *large = calloc(1, size), *interim = calloc(1, size);
    assert_true(many && large && interim);
    strcpy(many, "HTTP/1.1 200 OK\r\n");
    for (int i = 0, at = 17; i < 257; i++)
        at += sprintf(many + at, "X-%d: 1\r\n", i);
    strcat(many, "Content-Length: 0\r\n\r\n");
    strcpy(large, "HTTP/1.1 200 OK\r\n");
    for (int i = 0, at = 17; i < 4; i++)
        at += sprintf(large + at, "X-%d: %080000d\r\n", i, 1);
    strcat(large, "Content-Length: 0\r\n\r\n");
    for (int i = 0, at = 0; i < 50; i++)
        at += sprintf(interim + at, "HTTP/1.1 103 Early\r\nA: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\nE: 5\r\nF: 6\r\n\r\n");
    strcat(interim, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    serve(bed->server, "/many", {.raw = many});
    serve(bed->server, "/large", {.raw = large});
    serve(bed->server, "/interim", {.raw = interim});
    struct ended ended = ask(bed, BY_RUN, "/many", "");
    expect_end(&ended, PAWL_E_LIMIT, "more than 256 headers");
    ended = ask(bed, BY_RUN, "/large", "");
    expect_end(&ended, PAWL_E_LIMIT, "262144 bytes");
    ended = ask(bed, BY_RUN, "/interim", "");
    expect_answer(&ended, 200, "");
    forget(&ended);
    free(many), free(large), free(interim);
}

/* ---- phases: where an exchange is when its time is over ---- */

struct phase {
    const char *name;
    char url[256];
    bool sent, named;
};
enum { PHASES = 5 };

static struct phase *make_phases(struct http_bed *bed, int fds[BLACK_HOLE_FDS]) {
    static struct phase phases[PHASES];
    memset(phases, 0, sizeof phases);
    static const char *const names[] = {"resolve", "connect", "wait", "head", "body"};
    static const char *const paths[] = {NULL, NULL, "/wait", "/head", "/body"};
    serve(bed->server, "/wait", NEVER_ANSWERS);
    serve(bed->server, "/head", {.raw = "HTTP/1.1 200 OK\r\nContent-Le", .then = THEN_HANG});
    serve(bed->server, "/body", {.raw = HALF, .then = THEN_HANG});
    for (int i = 0; i < PHASES; i++) {
        phases[i].name = names[i];
        phases[i].sent = paths[i] != NULL;
        phases[i].named = i == 0;
        if (paths[i])
            (void)snprintf(phases[i].url, sizeof phases[i].url, "%s", url_of(bed, paths[i]));
    }
    (void)snprintf(phases[0].url, sizeof phases[0].url, "http://slow.test/");
    (void)snprintf(phases[1].url, sizeof phases[1].url, "http://127.0.0.1:%d/", http_black_hole(fds));
    return phases;
}

static void close_hole(const int fds[BLACK_HOLE_FDS]) {
    for (int i = 0; i < BLACK_HOLE_FDS; i++)
        close(fds[i]);
}

static void ends_at_its_own_time_limit_in_every_phase(void **state) {
    struct http_bed *bed = *state;
    int fds[BLACK_HOLE_FDS];
    struct phase *phases = make_phases(bed, fds);
    for_each_driver(driver) {
        for (int i = 0; i < PHASES; i++) {
            uint64_t start = clock_ns();
            struct ended ended = ask_within(bed, driver, (struct limits){phases[i].url, 0, PAWL_MS(60), 0});
            assert_in_range(clock_ns() - start, PAWL_MS(60), PAWL_MS(60) + AT_ONCE_NS);
            assert_int_equal(pawl_error_started(ended.error), phases[i].sent ? PAWL_STARTED_MAYBE : PAWL_STARTED_NO);
            expect_end(&ended, PAWL_E_TIMEOUT, "give it more time");
            if (phases[i].named)
                sem_post(&released);
        }
        struct ended ended = ask_within(bed, driver, (struct limits){phases[1].url, 0, 0, PAWL_MS(60)});
        expect_end(&ended, PAWL_E_TIMEOUT, NULL);
        assert_true(http_server_await_open(bed->server, 0));
    }
    close_hole(fds);
}

static void a_slow_drip_is_no_excuse(void **state) {
    struct http_bed *bed = *state;
    serve(bed->server, "/drip", {.filler = 1000, .drip_ms = 10});
    uint64_t start = clock_ns();
    struct ended ended = ask_within(bed, BY_SUBMIT, (struct limits){url_of(bed, "/drip"), 0, PAWL_MS(200), 0});
    assert_in_range(clock_ns() - start, PAWL_MS(200), PAWL_MS(200) + AT_ONCE_NS);
    expect_end(&ended, PAWL_E_TIMEOUT, NULL);
}

static void ends_at_the_deadline_of_its_run_in_every_phase(void **state) {
    struct http_bed *bed = *state;
    int fds[BLACK_HOLE_FDS];
    struct phase *phases = make_phases(bed, fds);
    pawl_primitive *node = pawl_http_new("ask", NULL, NULL, NULL);
    for_each_driver(driver) {
        for (int i = 0; i < PHASES; i++) {
            pawl_context *ctx = pawl_context_new(bed->runtime);
            pawl_value *in = request_for(bed, phases[i].url, "");
            uint64_t start = clock_ns();
            assert_int_equal(pawl_context_set_timeout(ctx, PAWL_MS(50), NULL), PAWL_OK);
            struct ended ended = drive(bed, driver, node, ctx, in);
            assert_in_range(clock_ns() - start, PAWL_MS(50), PAWL_MS(50) + AT_ONCE_NS);
            expect_end(&ended, PAWL_E_DEADLINE, "ask");
            assert_true(http_server_await_open(bed->server, 0));
            if (phases[i].named)
                sem_post(&released);
            pawl_value_unref(in);
            pawl_context_unref(ctx);
        }
    }
    pawl_primitive_unref(node);
    close_hole(fds);
}

struct canceller {
    struct http_bed *bed;
    const struct phase *phase;
    pawl_context *ctx;
    size_t requests; /* seen when the phase has begun */
    uint64_t cancelled_ns;
};

static void *cancel_in_phase(void *user) {
    struct canceller *c = user;
    if (c->phase->named)
        (void)wait_for(&asked);
    if (c->phase->sent)
        (void)http_server_await_requests(c->bed->server, c->requests);
    pause_ms(20);
    c->cancelled_ns = clock_ns();
    pawl_context_cancel(c->ctx, PAWL_CANCEL_USER, "no longer wanted");
    return NULL;
}

static void ends_at_once_when_cancelled_in_every_phase(void **state) {
    struct http_bed *bed = *state;
    int fds[BLACK_HOLE_FDS];
    struct phase *phases = make_phases(bed, fds);
    pawl_primitive *node = pawl_http_new("ask", NULL, NULL, NULL);
    uint64_t slowest = 0;
    while (sem_trywait(&asked) == 0)
        ;
    for_each_driver(driver) {
        for (int i = 0; i < PHASES; i++) {
            pawl_value *in = request_for(bed, phases[i].url, "");
            struct canceller c = {.bed = bed, .phase = &phases[i], .ctx = pawl_context_new(bed->runtime)};
            c.requests = http_server_requests(bed->server) + 1;
            pthread_t thread;
            assert_int_equal(pthread_create(&thread, NULL, cancel_in_phase, &c), 0);
            struct ended ended = drive(bed, driver, node, c.ctx, in);
            uint64_t end = clock_ns();
            pthread_join(thread, NULL);
            assert_true(end >= c.cancelled_ns);
            slowest = end - c.cancelled_ns > slowest ? end - c.cancelled_ns : slowest;
            assert_int_equal(pawl_error_cancel_reason(ended.error), PAWL_CANCEL_USER);
            expect_end(&ended, PAWL_E_CANCELLED, "no longer wanted");
            assert_true(http_server_await_open(bed->server, 0)); /* the server is told by a closed connection */
            expect_nothing_alive(bed->runtime);
            if (phases[i].named)
                sem_post(&released);
            pawl_value_unref(in);
            pawl_context_unref(c.ctx);
        }
    }
    print_message("slowest of %d cancels: %.3f ms\n", DRIVERS * PHASES, (double)slowest / 1e6);
    assert_in_range(slowest, 0, AT_ONCE_NS);
    pawl_runtime_stats stats = {.size = sizeof stats};
    pawl_runtime_get_stats(bed->runtime, &stats);
    assert_int_equal(stats.refused_completions, 0); /* each op was completed once, by the cancel */
    pawl_primitive_unref(node);
    close_hole(fds);
}

static void a_run_that_is_cancelled_already_asks_nobody(void **state) {
    struct http_bed *bed = *state;
    pawl_primitive *node = pawl_http_new("ask", NULL, NULL, NULL);
    pawl_value *in = request_for(bed, "/x", "");
    for_each_driver(driver) {
        pawl_context *ctx = pawl_context_new(bed->runtime);
        pawl_context_cancel(ctx, PAWL_CANCEL_QUOTA, NULL);
        struct ended ended = drive(bed, driver, node, ctx, in);
        expect_end(&ended, PAWL_E_CANCELLED, "quota");
        pawl_context_unref(ctx);
    }
    assert_int_equal(http_server_connections(bed->server), 0);
    pawl_value_unref(in);
    pawl_primitive_unref(node);
}

/* ---- memory ---- */

static void survives_a_lack_of_memory_at_any_point(void **state) {
    struct http_bed *bed = *state;
    serve(bed->server, "/page", {.body = "page", .headers = "X-A: 1\r\nx-a: 2\r\n"});
    serve(bed->server, "/fails", {.status = 500, .body = "page"});
    pawl_value *in = request_for(bed, "/page", ", \"body\": \"x\", \"headers\": {\"X-B\": \"c\"}");
    pawl_value *bad = request_for(bed, "/fails", "");
    pawl_context *ctx = pawl_context_new(bed->runtime);
    expect_output_of(passing("makes the loop"), ctx, "1", "1");
    size_t rounds = 0, lacked = 0;
    for_each_failing_allocation(n) {
        pawl_primitive *node = pawl_http_new("ask", NULL, NULL, NULL);
        struct ended ended = {.status = pawl_run(node, ctx, in, &ended.value, &ended.error)};
        pawl_status status = ended.status;
        struct ended failed = {.status = pawl_run(node, ctx, bad, &failed.value, &failed.error)};
        pawl_primitive_unref(node);
        bool short_of_memory = allocations_failed() > 0;
        if (status == PAWL_OK)
            expect_answer(&ended, 200, "page");
        assert_true(status == PAWL_OK || (short_of_memory && status == PAWL_E_NOMEM));
        assert_true(failed.status == PAWL_E_UNAVAILABLE || (short_of_memory && failed.status == PAWL_E_NOMEM));
        lacked += status == PAWL_E_NOMEM;
        rounds++;
        forget(&ended);
        forget(&failed);
        expect_nothing_alive(bed->runtime);
    }
    print_message("%zu allocations, %zu of them needed for success\n", rounds - 1, lacked);
    assert_true(lacked > 10);
    pawl_context_unref(ctx);
    pawl_value_unref(in);
    pawl_value_unref(bad);
}

static int set_up(void **state) {
    sem_init(&asked, 0, 0);
    sem_init(&released, 0, 0);
    return set_up_bed(state);
}

#define test_on_bed(test) cmocka_unit_test_setup(test, reset_bed)

int main(void) {
    const struct CMUnitTest tests[] = {
        test_on_bed(says_that_a_name_is_unknown),
        test_on_bed(says_that_nobody_listens),
        test_on_bed(names_the_port_of_another_protocol),
        test_on_bed(tells_lost_connections_from_nonsense),
        test_on_bed(takes_no_more_than_it_may),
        test_on_bed(takes_no_flood_of_headers),
        test_on_bed(ends_at_its_own_time_limit_in_every_phase),
        test_on_bed(a_slow_drip_is_no_excuse),
        test_on_bed(ends_at_the_deadline_of_its_run_in_every_phase),
        test_on_bed(ends_at_once_when_cancelled_in_every_phase),
        test_on_bed(a_run_that_is_cancelled_already_asks_nobody),
        test_on_bed(survives_a_lack_of_memory_at_any_point),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down_bed);
}
