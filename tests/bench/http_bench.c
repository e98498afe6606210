/* What HTTP costs: processor time and descriptors of an exchange with many live, and how soon a cancel ends one. */
#include "bench.h"
#include "http_peer.h"
#include <curl/curl.h>
#include <dirent.h>
#include <poll.h>
#include <pawl/primitives/function.h>
#include <pawl/primitives/sequential.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define LIVE 1000
#define EXCHANGES 5 /* of a run, one after another */
#define ROUNDS 5
#define CANCELS 1000

static size_t open_descriptors(void) {
    DIR *folder = opendir("/proc/self/fd");
    size_t count = 0;
    while (folder && readdir(folder))
        count++;
    if (folder)
        closedir(folder);
    return count;
}

static void allow_descriptors(void) {
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
}

static uint64_t thread_cpu(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * PAWL_S(1) + (uint64_t)now.tv_nsec;
}

/* ---- exchanges on one loop, which this thread drives ---- */

static void count_end(void *user, pawl_status status, pawl_value *value, pawl_error *error) {
    size_t *left = user;
    if (status != PAWL_OK) {
        fprintf(stderr, "http bench: %s\n", pawl_error_message(error));
        abort();
    }
    pawl_value_unref(value);
    --*left;
}

static void pump_until(pawl_runtime *runtime, const size_t *left, struct http_peer *peer, size_t requests) {
    while (*left > 0 && http_peer_requests(peer) < requests) {
        struct pollfd fd = {.fd = pawl_runtime_fd(runtime), .events = POLLIN};
        uint64_t wait = pawl_runtime_next_timeout(runtime), most = PAWL_MS(100);
        struct timespec timeout = {.tv_nsec = (long)(wait < most ? wait : most)};
        ppoll(&fd, 1, &timeout, NULL);
        if (pawl_runtime_pump(runtime, NULL) != PAWL_OK)
            abort();
    }
}

/* CPU of this thread for each exchange of so many runs, ns; and the descriptors while all are live. */
static double exchange_together(size_t live, pawl_runtime *runtime, pawl_primitive *node, struct http_peer *peer,
                                size_t *ret_descriptors) {
    size_t left = live, seen = http_peer_requests(peer);
    uint64_t cpu = thread_cpu();
    for (size_t i = 0; i < live; i++) {
        pawl_context *ctx = pawl_context_new(runtime);
        if (pawl_start(node, ctx, NULL, count_end, &left, NULL) != PAWL_OK)
            abort();
        pawl_context_unref(ctx);
    }
    pump_until(runtime, &left, peer, seen + live);
    cpu = thread_cpu() - cpu;
    *ret_descriptors = open_descriptors();
    uint64_t rest = thread_cpu();
    pump_until(runtime, &left, peer, SIZE_MAX);
    return (double)(cpu + thread_cpu() - rest) / (double)(live * EXCHANGES);
}

static pawl_status prepare(void *user, pawl_context *ctx, pawl_value *in, pawl_http_request *request,
                           pawl_error **err) {
    static const char body[] = "{\"code\":\"print(1)\",\"timeout\":30}";
    static const pawl_http_header type = {"Content-Type", "application/json"};
    (void)ctx, (void)in, (void)err;
    request->url = user;
    request->headers = &type;
    request->header_count = 1;
    request->body = body;
    request->body_bytes = sizeof body - 1;
    return PAWL_OK;
}

static void many_exchanges(struct bench *bench) {
    double cpu[ROUNDS];
    size_t one, all, ignored;
    char url[64];
    struct http_peer *peer = http_peer_new(PAWL_MS(200));
    pawl_runtime *runtime = pawl_runtime_new(NULL, NULL);
    pawl_primitive *post = pawl_http_new("post", prepare, NULL, url);
    pawl_primitive *again[EXCHANGES + 1];
    snprintf(url, sizeof url, "http://127.0.0.1:%d/execute", http_peer_port(peer));
    for (size_t i = 0; i < EXCHANGES; i++)
        again[i] = i ? pawl_primitive_ref(post) : post;
    again[EXCHANGES] = PAWL_END;
    pawl_primitive *node = pawl_sequential_new("five", again);
    if (pawl_runtime_fd(runtime) < 0)
        abort();
    (void)exchange_together(1, runtime, node, peer, &one);
    (void)exchange_together(LIVE, runtime, node, peer, &all); /* makes the connections */
    for (size_t i = 0; i < ROUNDS; i++)
        cpu[i] = exchange_together(LIVE, runtime, node, peer, &ignored);
    bench_row(bench, "http_cpu_per_request_us", bench_median(cpu, ROUNDS) / 1e3, "us", 40);
    bench_row(bench, "http_descriptors_per_run", ((double)all - (double)one) / (2.0 * (LIVE - 1)), "",
              1); /* half are the peer's */
    pawl_primitive_unref(node);
    pawl_runtime_unref(runtime);
    http_peer_free(peer);
}

/* ---- cancel of curl_perform ---- */

struct call {
    CURL *easy;
    uint64_t end_ns;
    sem_t done;
};

static pawl_status perform(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    struct call *call = user;
    (void)in, (void)ret_out;
    pawl_status status = pawl_context_curl_perform(ctx, call->easy, NULL, err);
    call->end_ns = bench_now();
    return status;
}

static void note_end(void *user, pawl_status status, pawl_value *value, pawl_error *error) {
    struct call *call = user;
    pawl_value_unref(value);
    pawl_error_unref(error);
    if (status != PAWL_E_CANCELLED)
        abort();
    sem_post(&call->done);
}

static double cancel_once(pawl_runtime *runtime, pawl_primitive *node, struct http_peer *peer, struct call *call) {
    struct timespec soon = {.tv_nsec = 200000};
    pawl_context *ctx = pawl_context_new(runtime);
    size_t seen = http_peer_requests(peer);
    if (pawl_submit(node, ctx, NULL, note_end, call, NULL) != PAWL_OK)
        abort();
    while (http_peer_requests(peer) == seen)
        nanosleep(&soon, NULL);
    nanosleep(&soon, NULL); /* it waits for the answer now */
    uint64_t start = bench_now();
    pawl_context_cancel(ctx, PAWL_CANCEL_USER, NULL);
    while (sem_wait(&call->done) != 0)
        ;
    pawl_context_unref(ctx);
    return (double)(call->end_ns - start) / 1e3;
}

static void cancels(struct bench *bench) {
    static double took[CANCELS];
    char url[64];
    struct http_peer *peer = http_peer_new(UINT64_MAX);
    pawl_runtime *runtime = pawl_runtime_new(NULL, NULL);
    struct call call = {.easy = curl_easy_init()};
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", http_peer_port(peer));
    curl_easy_setopt(call.easy, CURLOPT_URL, url);
    sem_init(&call.done, 0, 0);
    pawl_primitive *node = pawl_function("hang", perform, &call);
    for (size_t i = 0; i < CANCELS; i++)
        took[i] = cancel_once(runtime, node, peer, &call);
    bench_row(bench, "cancel_http_p99_us", bench_percentile(took, CANCELS, 99), "us", 1000);
    pawl_primitive_unref(node);
    pawl_runtime_unref(runtime);
    curl_easy_cleanup(call.easy);
    sem_destroy(&call.done);
    http_peer_free(peer);
}

void bench_http(struct bench *bench) {
    allow_descriptors();
    many_exchanges(bench);
    cancels(bench);
}
