/* What waiting costs: many sleeping runs, timers, completions from other threads, cancels. */
#include "bench.h"
#include <pawl/op.h>
#include <pawl/primitives/function.h>
#include <pawl/primitives/retry.h>
#include <pawl/primitives/timeout.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define WAITS 3
#define WAIT_NS PAWL_MS(200)
#define SAMPLES 1000

/* ---- runs that back off three times below timeout(retry(...)) ---- */

struct crowd {
    atomic_size_t done;
    sem_t all_done;
    size_t count;
};

static pawl_status unavailable(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    (void)user, (void)ctx, (void)in, (void)ret_out;
    return pawl_error_set(err, PAWL_E_UNAVAILABLE, "not yet");
}

static void count_done(void *user, pawl_status status, pawl_value *value, pawl_error *error) {
    struct crowd *crowd = user;
    pawl_value_unref(value);
    pawl_error_unref(error);
    if (status != PAWL_E_EXHAUSTED)
        abort();
    if (atomic_fetch_add(&crowd->done, 1) + 1 == crowd->count)
        sem_post(&crowd->all_done);
}

static pawl_primitive *sleeper(void) {
    return pawl_timeout("limit",
                        pawl_retry("again", pawl_inline("fail", unavailable, NULL), .max_attempts = WAITS + 1,
                                   .base_delay_ns = WAIT_NS, .max_delay_ns = WAIT_NS, .jitter = PAWL_JITTER_NONE),
                        .after_ns = PAWL_S(60));
}

/* Extra memory at the peak and CPU of one run, in bytes and ns. */
static void sleep_together(size_t count, double *ret_bytes, double *ret_cpu_ns) {
    pawl_runtime *runtime = pawl_runtime_new(NULL, NULL);
    pawl_primitive *node = sleeper();
    struct crowd crowd = {.count = count};
    sem_init(&crowd.all_done, 0, 0);
    pawl_context **contexts = malloc(count * sizeof *contexts);
    for (size_t i = 0; contexts && i < count; i++)
        contexts[i] = pawl_context_new(runtime);
    uint64_t rss = bench_rss(), cpu = bench_cpu();
    for (size_t i = 0; contexts && i < count; i++)
        if (pawl_submit(node, contexts[i], NULL, count_done, &crowd, NULL) != PAWL_OK)
            abort();
    struct timespec half = {.tv_nsec = (long)WAIT_NS / 2};
    nanosleep(&half, NULL);
    uint64_t peak = bench_rss();
    sem_wait(&crowd.all_done);
    *ret_bytes = peak > rss ? (double)(peak - rss) : 0;
    *ret_cpu_ns = (double)(bench_cpu() - cpu) / (double)count;
    for (size_t i = 0; contexts && i < count; i++)
        pawl_context_unref(contexts[i]);
    free(contexts);
    sem_destroy(&crowd.all_done);
    pawl_primitive_unref(node);
    pawl_runtime_unref(runtime);
}

static void sleeping_runs(struct bench *bench) {
    double bytes[5], cpu[5], many_bytes, many_cpu;
    for (int i = 0; i < 5; i++)
        sleep_together(10000, &bytes[i], &cpu[i]);
    bench_row(bench, "sleeping_10000_rss_mib", bench_percentile(bytes, 5, 100) / (double)PAWL_MIB(1), "MiB", 24);
    bench_row(bench, "sleeping_10000_cpu_us", bench_median(cpu, 5) / 1e3, "us", 2);
    sleep_together(100000, &many_bytes, &many_cpu);
    bench_row(bench, "sleeping_100000_cpu_us", many_cpu / 1e3, "us", 3);
    bench_row(bench, "sleeping_100000_rss_mib", many_bytes / (double)PAWL_MIB(1), "MiB", -1);
}

/* ---- timers ---- */

static pawl_status note_time(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    uint64_t *times = user;
    (void)ctx, (void)in, (void)ret_out;
    if (!times[0]) {
        times[0] = bench_now();
        return pawl_error_set(err, PAWL_E_UNAVAILABLE, "again");
    }
    times[1] = bench_now();
    return PAWL_OK;
}

static void timers(struct bench *bench) {
    static double late[SAMPLES];
    pawl_runtime *runtime = pawl_runtime_new(NULL, NULL);
    pawl_context *ctx = pawl_context_new(runtime);
    uint64_t times[2];
    pawl_primitive *node = pawl_retry("wait", pawl_inline("note", note_time, times), .max_attempts = 2,
                                      .base_delay_ns = PAWL_MS(1), .jitter = PAWL_JITTER_NONE);
    for (size_t i = 0; i < SAMPLES; i++) {
        times[0] = times[1] = 0;
        if (pawl_run(node, ctx, NULL, NULL, NULL) != PAWL_OK)
            abort();
        late[i] = ((double)(times[1] - times[0]) - 1e6) / 1e3;
    }
    bench_row(bench, "timer_to_step_p50_us", bench_percentile(late, SAMPLES, 50), "us", 150);
    bench_row(bench, "timer_to_step_p99_us", bench_percentile(late, SAMPLES, 99), "us", 2000);
    pawl_primitive_unref(node);
    pawl_context_unref(ctx);
    pawl_runtime_unref(runtime);
}

/* ---- completion from another thread ---- */

struct completer {
    pawl_op op;
    sem_t started;
    uint64_t completed_ns;
    bool spin, stop;
};

static void hand_over(void *user, pawl_op op, pawl_context *ctx, pawl_value *in, void **ret_op_data) {
    struct completer *c = user;
    (void)ctx, (void)in, (void)ret_op_data;
    c->op = op;
    sem_post(&c->started);
}

static void *complete_ops(void *user) {
    struct completer *c = user;
    struct timespec pause = {.tv_nsec = 300000}; /* so that the other side has gone to sleep */
    for (;;) {
        sem_wait(&c->started);
        if (c->stop)
            return NULL;
        if (!c->spin)
            nanosleep(&pause, NULL);
        c->completed_ns = bench_now();
        pawl_op_complete(c->op, PAWL_OK, NULL, NULL);
    }
}

static void completions(struct bench *bench, bool spin, const char *metric, double target) {
    static const pawl_async_vtable vtable = {.size = sizeof vtable, .start = hand_over};
    static double delays[SAMPLES];
    struct completer c = {.spin = spin};
    pthread_t thread;
    sem_init(&c.started, 0, 0);
    if (pthread_create(&thread, NULL, complete_ops, &c) != 0)
        abort();
    pawl_runtime *runtime = pawl_runtime_new(NULL, NULL);
    pawl_context *ctx = pawl_context_new(runtime);
    pawl_primitive *node = pawl_async("op", &vtable, &c);
    for (size_t i = 0; i < SAMPLES; i++) {
        if (pawl_run(node, ctx, NULL, NULL, NULL) != PAWL_OK)
            abort();
        delays[i] = (double)(bench_now() - c.completed_ns) / 1e3;
    }
    bench_row(bench, metric, bench_percentile(delays, SAMPLES, 50), "us", target);
    c.stop = true;
    sem_post(&c.started);
    pthread_join(thread, NULL);
    sem_destroy(&c.started);
    pawl_primitive_unref(node);
    pawl_context_unref(ctx);
    pawl_runtime_unref(runtime);
}

/* ---- cancel ---- */

struct canceller {
    pawl_context *ctx;
    sem_t go;
    atomic_bool asleep;
    uint64_t cancelled_ns;
    bool stop;
};

static void *cancel_runs(void *user) {
    struct canceller *c = user;
    struct timespec pause = {.tv_nsec = 200000};
    for (;;) {
        sem_wait(&c->go);
        if (c->stop)
            return NULL;
        nanosleep(&pause, NULL);
        c->cancelled_ns = bench_now();
        pawl_context_cancel(c->ctx, PAWL_CANCEL_USER, NULL);
    }
}

static pawl_status sleep_long(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    (void)user, (void)in, (void)ret_out;
    return pawl_context_sleep(ctx, PAWL_S(60), err);
}

/* Runs node and cancels it from another thread; p99 of the time from the cancel to pawl_run's return. Takes the node.
 */
static void cancels(struct bench *bench, pawl_primitive *node, const char *metric, double target) {
    static double delays[SAMPLES];
    struct canceller c = {.stop = false};
    pthread_t thread;
    pawl_runtime *runtime = pawl_runtime_new(NULL, NULL);
    sem_init(&c.go, 0, 0);
    if (pthread_create(&thread, NULL, cancel_runs, &c) != 0)
        abort();
    for (size_t i = 0; i < SAMPLES; i++) {
        c.ctx = pawl_context_new(runtime);
        sem_post(&c.go);
        if (pawl_run(node, c.ctx, NULL, NULL, NULL) != PAWL_E_CANCELLED)
            abort();
        delays[i] = (double)(bench_now() - c.cancelled_ns) / 1e3;
        pawl_context_unref(c.ctx);
    }
    bench_row(bench, metric, bench_percentile(delays, SAMPLES, 99), "us", target);
    c.stop = true;
    sem_post(&c.go);
    pthread_join(thread, NULL);
    sem_destroy(&c.go);
    pawl_primitive_unref(node);
    pawl_runtime_unref(runtime);
}

void bench_concurrency(struct bench *bench) {
    timers(bench);
    completions(bench, true, "completion_busy_p50_us", 5);
    completions(bench, false, "completion_idle_p50_us", 45);
    cancels(bench, pawl_function("sleep", sleep_long, NULL), "cancel_to_helper_p99_us", 1000);
    cancels(bench,
            pawl_retry("again", pawl_inline("fail", unavailable, NULL), .base_delay_ns = PAWL_S(60),
                       .max_delay_ns = PAWL_S(60), .jitter = PAWL_JITTER_NONE),
            "cancel_to_backoff_p99_us", 200);
    sleeping_runs(bench);
}
