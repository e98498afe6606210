/* pawl_context_curl_perform(): like curl_easy_perform(), but a cancel and the deadline end it. */
#include "http_bed.h"
#include "leaves.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <pawl/primitives/function.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define SAMPLES 300

struct call {
    CURL *easy;
    int result;
    uint64_t end_ns; /* when perform returned */
    char body[64];
    size_t body_bytes;
    bool refuse_body;
};

static size_t take(char *bytes, size_t size, size_t count, void *user) {
    struct call *call = user;
    if (call->refuse_body)
        return 0;
    for (size_t i = 0; i < size * count && call->body_bytes < sizeof call->body - 1; i++)
        call->body[call->body_bytes++] = bytes[i];
    return size * count;
}

static CURL *easy_for(struct call *call, const char *url) {
    *call = (struct call){.easy = curl_easy_init(), .result = -1};
    curl_easy_setopt(call->easy, CURLOPT_URL, url);
    curl_easy_setopt(call->easy, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(call->easy, CURLOPT_WRITEDATA, call);
    return call->easy;
}

static pawl_status perform(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    struct call *call = user;
    (void)in, (void)ret_out;
    pawl_status status = pawl_context_curl_perform(ctx, call->easy, &call->result, err);
    call->end_ns = clock_ns();
    return status;
}

static struct ended run_call(struct http_bed *bed, enum driver driver, struct call *call, pawl_context *ctx) {
    pawl_primitive *node = pawl_function("leaf", perform, call);
    struct ended ended = drive(bed, driver, node, ctx, NULL);
    pawl_primitive_unref(node);
    return ended;
}

static void does_what_curl_easy_perform_does(void **state) {
    struct http_bed *bed = *state;
    serve(bed->server, "/p", {.body = "page", .delay_ms = 5});
    for_each_driver(driver) {
        struct call call;
        long status = 0;
        easy_for(&call, url_of(bed, "/p"));
        for (int i = 0; i < 2; i++) { /* and once more with the same handle */
            call.body_bytes = 0;
            struct ended ended = run_call(bed, driver, &call, NULL);
            assert_int_equal(ended.status, PAWL_OK);
            assert_int_equal(call.result, CURLE_OK);
            assert_string_equal(call.body, "page");
            curl_easy_getinfo(call.easy, CURLINFO_RESPONSE_CODE, &status);
            assert_int_equal(status, 200);
            forget(&ended);
        }
        call.body_bytes = 0;
        assert_int_equal(curl_easy_perform(call.easy), CURLE_OK); /* and without us */
        assert_string_equal(call.body, "page");
        curl_easy_cleanup(call.easy);
    }
}

static void keeps_connections_for_the_next_leaf(void **state) {
    struct http_bed *bed = *state;
    serve(bed->server, "/p", {.body = "page"});
    for (int i = 0; i < 6; i++) {
        struct call call;
        easy_for(&call, url_of(bed, "/p"));
        struct ended ended = run_call(bed, (enum driver)(i % DRIVERS), &call, NULL);
        assert_int_equal(ended.status, PAWL_OK);
        forget(&ended);
        curl_easy_cleanup(call.easy);
    }
    assert_int_equal(http_server_requests(bed->server), 6);
    assert_int_equal(http_server_connections(bed->server), 1);
}

static void says_why_a_transfer_failed(void **state) {
    struct http_bed *bed = *state;
    char closed[64];
    (void)snprintf(closed, sizeof closed, "http://127.0.0.1:%d/", http_closed_port());
    serve(bed->server, "/none", {.status = 404});
    serve(bed->server, "/busy", {.status = 429, .headers = "Retry-After: 9\r\n"});
    serve(bed->server, "/page", {.body = "page"});
    serve(bed->server, "/half", {.raw = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", .then = THEN_CLOSE});
    const struct {
        const char *url;
        bool refuse;
        CURLcode code;
        pawl_status status;
        uint64_t retry_after_ns;
    } calls[] = {
        {closed, false, CURLE_COULDNT_CONNECT, PAWL_E_UNAVAILABLE, 0},
        {url_of(bed, "/none"), false, CURLE_HTTP_RETURNED_ERROR, PAWL_E_NOT_FOUND, 0},
        {url_of(bed, "/busy"), false, CURLE_HTTP_RETURNED_ERROR, PAWL_E_RATE_LIMITED, PAWL_S(9)},
        {url_of(bed, "/page"), true, CURLE_WRITE_ERROR, PAWL_E_FAILED, 0},
        {url_of(bed, "/half"), false, CURLE_PARTIAL_FILE, PAWL_E_UNAVAILABLE, 0},
        {"nonsense://127.0.0.1/", false, CURLE_UNSUPPORTED_PROTOCOL, PAWL_E_INVALID, 0},
        {"http://", false, CURLE_URL_MALFORMAT, PAWL_E_INVALID, 0},
    };
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        struct call call;
        easy_for(&call, calls[i].url);
        call.refuse_body = calls[i].refuse;
        curl_easy_setopt(call.easy, CURLOPT_FAILONERROR, 1L);
        struct ended ended = run_call(bed, BY_RUN, &call, NULL);
        assert_int_equal(call.result, calls[i].code);
        assert_int_equal(pawl_error_retry_after_ns(ended.error), calls[i].retry_after_ns);
        expect_end(&ended, calls[i].status, "leaf: curl_perform: ");
        curl_easy_cleanup(call.easy);
    }
}

/* ---- cancel and deadline ---- */

struct canceller {
    struct http_bed *bed;
    pawl_context *ctx;
    size_t requests;
    uint64_t cancelled_ns;
};

static void *cancel_soon(void *user) {
    struct canceller *c = user;
    (void)http_server_await_requests(c->bed->server, c->requests);
    usleep(500); /* it waits now */
    c->cancelled_ns = clock_ns();
    pawl_context_cancel(c->ctx, PAWL_CANCEL_USER, NULL);
    return NULL;
}

static uint64_t cancel_once(struct http_bed *bed, enum driver driver, size_t n) {
    struct call call;
    easy_for(&call, url_of(bed, "/hangs"));
    struct canceller c = {.bed = bed, .ctx = pawl_context_new(bed->runtime), .requests = n + 1};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, cancel_soon, &c), 0);
    struct ended ended = run_call(bed, driver, &call, c.ctx);
    pthread_join(thread, NULL);
    expect_end(&ended, PAWL_E_CANCELLED, "user");
    assert_int_equal(call.result, -1);
    assert_true(http_server_await_open(bed->server, 0));
    curl_easy_cleanup(call.easy);
    pawl_context_unref(c.ctx);
    return call.end_ns - c.cancelled_ns;
}

static int by_number(const void *a, const void *b) {
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

static void a_cancel_ends_it_at_once(void **state) {
    struct http_bed *bed = *state;
    static uint64_t took[SAMPLES];
    serve(bed->server, "/hangs", NEVER_ANSWERS);
    for (size_t i = 0; i < SAMPLES; i++)
        took[i] = cancel_once(bed, (enum driver)(i % DRIVERS), i);
    qsort(took, SAMPLES, sizeof *took, by_number);
    print_message("cancel of curl_perform, %d samples: p50 %.3f ms, p99 %.3f ms, slowest %.3f ms\n", SAMPLES,
                  (double)took[SAMPLES / 2] / 1e6, (double)took[SAMPLES * 99 / 100] / 1e6,
                  (double)took[SAMPLES - 1] / 1e6);
    assert_true(took[SAMPLES / 2] < PAWL_MS(20)); /* loosely: the machine may be busy */
    assert_true(took[SAMPLES * 99 / 100] < PAWL_MS(500));
}

static void a_handle_works_after_a_cancel(void **state) {
    struct http_bed *bed = *state;
    serve(bed->server, "/hangs", NEVER_ANSWERS, {.body = "page"});
    struct call call;
    easy_for(&call, url_of(bed, "/hangs"));
    pawl_context *ctx = pawl_context_new(bed->runtime);
    pawl_context_set_timeout(ctx, PAWL_MS(30), NULL);
    struct ended ended = run_call(bed, BY_RUN, &call, ctx);
    expect_end(&ended, PAWL_E_DEADLINE, NULL);
    ended = run_call(bed, BY_RUN, &call, NULL);
    assert_int_equal(ended.status, PAWL_OK);
    assert_string_equal(call.body, "page");
    forget(&ended);
    curl_easy_cleanup(call.easy);
    pawl_context_unref(ctx);
}

static void the_deadline_ends_it(void **state) {
    struct http_bed *bed = *state;
    int fds[BLACK_HOLE_FDS];
    char hole[64];
    (void)snprintf(hole, sizeof hole, "http://127.0.0.1:%d/", http_black_hole(fds));
    serve(bed->server, "/hangs", NEVER_ANSWERS);
    serve(bed->server, "/drip", {.filler = 10000, .drip_ms = 5});
    const char *const urls[] = {hole, url_of(bed, "/hangs"), url_of(bed, "/drip")};
    for_each_driver(driver) {
        for (size_t i = 0; i < 3; i++) {
            struct call call;
            easy_for(&call, urls[i]);
            pawl_context *ctx = pawl_context_new(bed->runtime);
            uint64_t start = clock_ns();
            pawl_context_set_timeout(ctx, PAWL_MS(40), NULL);
            struct ended ended = run_call(bed, driver, &call, ctx);
            assert_in_range(clock_ns() - start, PAWL_MS(40), PAWL_MS(1040));
            expect_end(&ended, PAWL_E_DEADLINE, NULL);
            curl_easy_cleanup(call.easy);
            pawl_context_unref(ctx);
        }
    }
    for (int i = 0; i < BLACK_HOLE_FDS; i++)
        close(fds[i]);
}

static void nothing_is_asked_once_the_scope_is_over(void **state) {
    struct http_bed *bed = *state;
    struct call call;
    easy_for(&call, url_of(bed, "/p"));
    pawl_context *ctx = pawl_context_new(bed->runtime);
    pawl_context_cancel(ctx, PAWL_CANCEL_USER, "too late");
    pawl_error *error = NULL;
    assert_int_equal(pawl_context_curl_perform(ctx, call.easy, &call.result, &error), PAWL_E_CANCELLED);
    expect_error(error, PAWL_E_CANCELLED, "too late");
    assert_int_equal(http_server_connections(bed->server), 0);
    pawl_context_unref(ctx);
    curl_easy_cleanup(call.easy);
}

/* ---- the host's signals: libcurl's calls of sigaction come here ---- */

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) /* which have their own in this place */
static atomic_size_t changes;

__attribute__((visibility("default"))) int sigaction(int number, const struct sigaction *new, struct sigaction *old) {
    int (*real)(int, const struct sigaction *, struct sigaction *);
    *(void **)&real = dlsym(RTLD_NEXT, "sigaction");
    atomic_fetch_add(&changes, new != NULL);
    return real(number, new, old);
}

static void touches_no_signal_handler(void **state) {
    struct http_bed *bed = *state;
    serve(bed->server, "/p", {.body = "page"}, {.body = "page"}, {.body = "page"}, NEVER_ANSWERS);
    atomic_store(&changes, 0);
    for_each_driver(driver) {
        struct call call;
        struct ended ended = ask(bed, driver, "/p", "");
        expect_answer(&ended, 200, "page");
        forget(&ended);
        easy_for(&call, url_of(bed, "/none"));
        ended = run_call(bed, driver, &call, NULL);
        assert_int_equal(ended.status, PAWL_OK);
        forget(&ended);
        curl_easy_cleanup(call.easy);
    }
    pawl_context *ctx = pawl_context_new(bed->runtime);
    struct call call;
    easy_for(&call, url_of(bed, "/p"));
    pawl_context_set_timeout(ctx, PAWL_MS(20), NULL);
    struct ended ended = run_call(bed, BY_RUN, &call, ctx);
    expect_end(&ended, PAWL_E_DEADLINE, NULL);
    curl_easy_cleanup(call.easy);
    pawl_context_unref(ctx);
    bed->runtime = pawl_runtime_unref(bed->runtime);
    assert_int_equal(changes, 0);
}
#endif

/* ---- misuse ---- */

static void refuses_to_block_an_inline_leaf(void **state) {
    struct http_bed *bed = *state;
    for_each_driver(driver) {
        struct call call;
        easy_for(&call, url_of(bed, "/p"));
        pawl_primitive *node = pawl_inline("leaf", perform, &call);
        struct ended ended = drive(bed, driver, node, NULL, NULL);
        expect_end(&ended, PAWL_E_INVALID, "call it in a pawl_function() leaf");
        pawl_primitive_unref(node);
        curl_easy_cleanup(call.easy);
    }
    assert_int_equal(http_server_connections(bed->server), 0);
}

static void refuses_a_handle_that_is_none_or_in_use(void **state) {
    struct http_bed *bed = *state;
    struct call call = {.easy = NULL};
    struct ended ended = run_call(bed, BY_RUN, &call, NULL);
    expect_end(&ended, PAWL_E_INVALID, "give it a CURL *");
    CURLM *multi = curl_multi_init();
    easy_for(&call, url_of(bed, "/p"));
    curl_multi_add_handle(multi, call.easy);
    ended = run_call(bed, BY_RUN, &call, NULL);
    expect_end(&ended, PAWL_E_INVALID, "give it a CURL *");
    curl_multi_remove_handle(multi, call.easy);
    curl_multi_cleanup(multi);
    curl_easy_cleanup(call.easy);
    pawl_error *error = NULL;
    assert_int_equal(pawl_context_curl_perform(NULL, NULL, NULL, &error), PAWL_E_INVALID);
    expect_error(error, PAWL_E_INVALID, NULL);
}

#define test_on_bed(test) cmocka_unit_test_setup(test, reset_bed)

int main(void) {
    const struct CMUnitTest tests[] = {
        test_on_bed(does_what_curl_easy_perform_does),
        test_on_bed(keeps_connections_for_the_next_leaf),
        test_on_bed(says_why_a_transfer_failed),
        test_on_bed(a_cancel_ends_it_at_once),
        test_on_bed(a_handle_works_after_a_cancel),
        test_on_bed(the_deadline_ends_it),
        test_on_bed(nothing_is_asked_once_the_scope_is_over),
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
        test_on_bed(touches_no_signal_handler),
#endif
        test_on_bed(refuses_to_block_an_inline_leaf),
        test_on_bed(refuses_a_handle_that_is_none_or_in_use),
    };
    return cmocka_run_group_tests(tests, set_up_bed, tear_down_bed);
}
