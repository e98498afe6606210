/* What metrics cost: one measurement, a node that is measured by metrics alone, and reading the cells of 64 threads. */
#include "bench.h"
#include <pawl/observability/metrics.h>
#include <pawl/primitives/function.h>
#include <pawl/primitives/sequential.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define TIMES 20000 /* short rounds, so that few of them are interrupted */
#define RUNS 3500
#define THREADS 64
#define NODES 30

static const double bounds[] = {1e-6, 1e-5, 1e-4, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1,
                                0.25, 0.5,  1,    2.5,   5,     10,   30,    60,   300};
static const pawl_instrument waits = {.size = sizeof waits,
                                      .name = "bench.wait",
                                      .unit = "s",
                                      .kind = PAWL_HISTOGRAM,
                                      .bounds = bounds,
                                      .bound_count = sizeof bounds / sizeof *bounds};
static const pawl_instrument usual = {.size = sizeof usual, .name = "bench.usual", .kind = PAWL_HISTOGRAM};
static const pawl_instrument sizes = {
    .size = sizeof sizes, .name = "bench.size", .unit = "By", .kind = PAWL_EXPONENTIAL_HISTOGRAM};
static const pawl_instrument orders = {
    .size = sizeof orders, .name = "bench.orders", .unit = "{order}", .kind = PAWL_COUNTER};

/* ---- measurements ---- */

struct subject {
    pawl_metrics *metrics;
    pawl_runtime *runtime;
    pawl_series *series;
    uint64_t number; /* of the next value */
};

/* Values from a microsecond to minutes, in an order that no branch predictor learns. */
static double next_value(struct subject *s) {
    s->number = s->number * 6364136223846793005u + 1442695040888963407u;
    return (double)(1u << (s->number >> 59)) * 1e-7;
}

static void draw(void *user) {
    volatile double value = next_value(user);
    (void)value;
}

static void record_random(void *user) {
    struct subject *s = user;
    pawl_series_record(s->series, next_value(s), NULL);
}

static void record_same(void *user) {
    pawl_series_record(((struct subject *)user)->series, 0.003, NULL);
}

static void add(void *user) {
    pawl_series_add(((struct subject *)user)->series, 1, NULL);
}

static void measure(void *user) {
    const pawl_attribute attributes[] = {pawl_attribute_string("shop", "north"),
                                         pawl_attribute_string("article", "bread"), pawl_attribute_int("size", 3)};
    pawl_runtime_measure(((struct subject *)user)->runtime, &waits, 0.003, attributes, 3);
}

static void measurements(struct bench *bench, struct subject *s) {
    s->series = pawl_metrics_series(s->metrics, &waits, NULL, 0, NULL);
    double drawing = bench_time(draw, s, TIMES);
    bench_row(bench, "histogram_observe_ns", bench_time(record_same, s, TIMES), "ns", 10);
    bench_row(bench, "histogram_observe_random_ns", bench_time(record_random, s, TIMES) - drawing, "ns", 10);
    s->series = pawl_metrics_series(s->metrics, &usual, NULL, 0, NULL);
    bench_row(bench, "histogram_observe_default_bounds_ns", bench_time(record_random, s, TIMES) - drawing, "ns", 10);
    s->series = pawl_metrics_series(s->metrics, &sizes, NULL, 0, NULL);
    bench_row(bench, "exponential_observe_ns", bench_time(record_random, s, TIMES) - drawing, "ns", -1);
    s->series = pawl_metrics_series(s->metrics, &orders, NULL, 0, NULL);
    bench_row(bench, "counter_add_ns", bench_time(add, s, TIMES), "ns", 10);
    bench_row(bench, "measure_3_attributes_ns", bench_time(measure, s, TIMES), "ns", 150);
}

/* ---- nodes ---- */

static pawl_status no_op(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    (void)user, (void)ctx, (void)in, (void)ret_out, (void)err;
    return PAWL_OK;
}

struct run {
    pawl_primitive *node;
    pawl_context *ctx;
};

static void run_once(void *user) {
    const struct run *r = user;
    if (pawl_run(r->node, r->ctx, NULL, NULL, NULL) != PAWL_OK)
        abort();
}

#define NO_OP pawl_inline("no-op", no_op, NULL)

/* One more node in a sequence, measured between two of different length, round by round. */
static double node_ns(pawl_runtime *runtime) {
    struct run one = {.node = pawl_sequential("one", NO_OP), .ctx = pawl_context_new(runtime)}, ten = one;
    ten.node = pawl_sequential("ten", NO_OP, NO_OP, NO_OP, NO_OP, NO_OP, NO_OP, NO_OP, NO_OP, NO_OP, NO_OP);
    double rounds[BENCH_ROUNDS];
    for (size_t i = 0; i < BENCH_ROUNDS; i++)
        rounds[i] =
            (bench_time(run_once, &ten, RUNS / BENCH_ROUNDS) - bench_time(run_once, &one, RUNS / BENCH_ROUNDS)) / 9;
    pawl_primitive_unref(one.node);
    pawl_primitive_unref(ten.node);
    pawl_context_unref(one.ctx);
    return bench_median(rounds, BENCH_ROUNDS);
}

static void see_nothing(void *self, const pawl_span *span) {
    (void)self, (void)span;
}

static void nodes(struct bench *bench, const struct subject *s) {
    static const pawl_observer_vtable blind = {
        .size = sizeof blind, .span_start = see_nothing, .span_end = see_nothing};
    pawl_runtime *runtime = pawl_runtime_new(NULL, NULL);
    if (pawl_runtime_add_observer(runtime, &blind, NULL, NULL) != PAWL_OK)
        abort();
    double without = node_ns(runtime), with = node_ns(s->runtime);
    bench_row(bench, "primitive_metrics_ns", with, "ns", 65);
    bench_row(bench, "span_to_metrics_ns", with - without, "ns", -1);
    pawl_runtime_unref(runtime);
}

/* ---- reading ---- */

struct crowd {
    pawl_metrics *metrics;
    pawl_series *series[NODES];
    pthread_barrier_t wrote, read;
};

static void *write_and_wait(void *user) {
    struct crowd *c = user;
    for (size_t i = 0; i < NODES; i++)
        for (int j = 0; j < 20; j++)
            pawl_series_record(c->series[i], j * 0.1, NULL);
    pthread_barrier_wait(&c->wrote);
    pthread_barrier_wait(&c->read);
    return NULL;
}

static void look(void *user, const pawl_metric_data *metrics, size_t count) {
    *(uint64_t *)user += count + metrics[0].point_count;
}

static void collect(void *user) {
    uint64_t seen = 0;
    if (pawl_metrics_collect(((struct crowd *)user)->metrics, look, &seen, NULL) != PAWL_OK || seen == 0)
        abort();
}

static void scrape(struct bench *bench) {
    static struct crowd c;
    pthread_t threads[THREADS];
    c.metrics = pawl_metrics_new(NULL, NULL);
    for (int i = 0; i < NODES; i++) {
        pawl_attribute attribute = pawl_attribute_int("node", i);
        c.series[i] = pawl_metrics_series(c.metrics, &waits, &attribute, 1, NULL);
    }
    pthread_barrier_init(&c.wrote, NULL, THREADS + 1);
    pthread_barrier_init(&c.read, NULL, THREADS + 1);
    for (size_t i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, write_and_wait, &c) != 0)
            abort();
    pthread_barrier_wait(&c.wrote);
    bench_row(bench, "scrape_64_threads_30_histograms_us", bench_time(collect, &c, 100) / 1000, "us", 1000);
    pthread_barrier_wait(&c.read);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    pawl_metrics_unref(c.metrics);
}

void bench_metrics(struct bench *bench) {
    struct subject s = {.metrics = pawl_metrics_new(NULL, NULL), .runtime = pawl_runtime_new(NULL, NULL)};
    if (pawl_metrics_attach(s.metrics, s.runtime, NULL) != PAWL_OK)
        abort();
    measurements(bench, &s);
    nodes(bench, &s);
    scrape(bench);
    bench_otel(bench, "metrics");
    pawl_runtime_unref(s.runtime);
    pawl_metrics_unref(s.metrics);
}
