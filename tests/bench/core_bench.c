/* What a node costs: untraced, traced, and what it allocates. Increments are over a bare run of one no-op. */
#include "bench.h"
#include "engine_internal.h"
#include <pawl/primitives/cache.h>
#include <pawl/primitives/function.h>
#include <pawl/primitives/parallel.h>
#include <pawl/primitives/retry.h>
#include <pawl/primitives/sequential.h>
#include <pawl/primitives/timeout.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIMES 100000
#define KEYS 10000

struct subject {
    pawl_primitive *node;
    pawl_context *ctx;
    pawl_runtime *runtime;
    pawl_value *input;
};

static pawl_status no_op(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    (void)user, (void)ctx, (void)in, (void)ret_out, (void)err;
    return PAWL_OK;
}

static pawl_status counted(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    (void)user, (void)ctx, (void)err;
    *ret_out = pawl_value_ref(in);
    return PAWL_OK;
}

#define NO_OP pawl_inline("no-op", no_op, NULL)
#define COUNTED pawl_inline("counted", counted, NULL)

static void run_once(void *user) {
    struct subject *s = user;
    if (pawl_run(s->node, s->ctx, s->input, NULL, NULL) != PAWL_OK)
        abort();
}

static void new_context_and_run(void *user) {
    struct subject *s = user;
    pawl_context *ctx = pawl_context_new(s->runtime);
    if (!ctx || pawl_run(s->node, ctx, NULL, NULL, NULL) != PAWL_OK)
        abort();
    pawl_context_unref(ctx);
}

/* What a run costs more than one of the base: both measured in turn, round by round, so that a slow moment hits both.
 * Takes both. */
static double time_over(struct subject s, pawl_primitive *base, pawl_primitive *node) {
    double rounds[BENCH_ROUNDS];
    struct subject b = s;
    b.node = base;
    s.node = node;
    for (size_t round = 0; round < BENCH_ROUNDS; round++)
        rounds[round] = bench_time(run_once, &s, TIMES / BENCH_ROUNDS) - bench_time(run_once, &b, TIMES / BENCH_ROUNDS);
    pawl_primitive_unref(base);
    pawl_primitive_unref(node);
    return bench_median(rounds, BENCH_ROUNDS);
}

static double time_run(struct subject s, pawl_primitive *node) {
    s.node = node;
    double ns = bench_time(run_once, &s, TIMES);
    pawl_primitive_unref(node);
    return ns;
}

static double mallocs_per_run(struct subject s, pawl_primitive *node) {
    s.node = node;
    for (int i = 0; i < 100; i++)
        run_once(&s);
    uint64_t before = bench_mallocs();
    for (int i = 0; i < 1000; i++)
        run_once(&s);
    uint64_t made = bench_mallocs() - before;
    pawl_primitive_unref(node);
    return (double)made / 1000;
}

static pawl_primitive *ten_no_ops(void) {
    return pawl_sequential("ten", NO_OP, NO_OP, NO_OP, NO_OP, NO_OP, NO_OP, NO_OP, NO_OP, NO_OP, NO_OP);
}

static pawl_primitive *ten_counted(void) {
    return pawl_sequential("ten", COUNTED, COUNTED, COUNTED, COUNTED, COUNTED, COUNTED, COUNTED, COUNTED, COUNTED,
                           COUNTED);
}

static pawl_primitive *ten_at_once(void) {
    return pawl_parallel("ten", PAWL_CHILDREN(NO_OP, NO_OP, NO_OP, NO_OP, NO_OP, NO_OP, NO_OP, NO_OP, NO_OP, NO_OP),
                         .mode = 0);
}

static pawl_primitive *nested(int depth) {
    pawl_primitive *node = NO_OP;
    for (int i = 0; i < depth; i++)
        node = pawl_retry("again", node, .max_attempts = 3);
    return node;
}

/* ---- the cache: 10,000 entries, keys of 80 bytes, in an order that no prefetcher knows ---- */

struct cache_subject {
    struct subject s;
    pawl_value *inputs[KEYS];
    size_t next;
};

static void run_next(void *user) {
    struct cache_subject *c = user;
    c->s.input = c->inputs[c->next = (c->next + 7919) % KEYS];
    run_once(&c->s);
}

/* The base: a run that reads its input once, as whoever made it has just done. */
static pawl_status read_input(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    (void)user, (void)ctx, (void)ret_out, (void)err;
    return strlen(cJSON_GetStringValue(pawl_value_json(in))) == 80 ? PAWL_OK : PAWL_E_INVALID;
}

static void fill_cache(struct cache_subject *c) {
    for (int i = 0; i < KEYS; i++) {
        char key[81];
        snprintf(key, sizeof key, "%080d", i);
        c->inputs[i] = pawl_value_string(key);
        c->s.input = c->inputs[i];
        run_once(&c->s);
    }
}

static double time_cache_hit(struct subject s) {
    struct cache_subject *c = calloc(1, sizeof *c);
    if (!c)
        abort();
    double rounds[BENCH_ROUNDS];
    pawl_primitive *base = pawl_inline("read", read_input, NULL);
    pawl_primitive *cache =
        pawl_cache("cache", NO_OP, .ttl_ns = PAWL_UNLIMITED, .max_entries = KEYS * 2, .no_single_flight = 1);
    c->s = s;
    c->s.node = cache;
    fill_cache(c);
    for (size_t round = 0; round < BENCH_ROUNDS; round++) {
        c->s.node = cache;
        rounds[round] = bench_time(run_next, c, TIMES / BENCH_ROUNDS);
        c->s.node = base;
        rounds[round] -= bench_time(run_next, c, TIMES / BENCH_ROUNDS);
    }
    for (int i = 0; i < KEYS; i++)
        pawl_value_unref(c->inputs[i]);
    pawl_primitive_unref(base);
    pawl_primitive_unref(cache);
    free(c);
    return bench_median(rounds, BENCH_ROUNDS);
}

/* ---- rows ---- */

static void untraced(struct bench *bench, struct subject s) {
    bench_row(bench, "run_bare_ns", time_run(s, NO_OP), "ns", 100);
    bench_row(bench, "primitive_off_ns", time_over(s, pawl_sequential("one", NO_OP), ten_no_ops()) / 9, "ns", 12);
    bench_row(bench, "sequence_10_off_ns", time_over(s, NO_OP, ten_no_ops()), "ns", 120);
    bench_row(bench, "sequence_10_counted_ns", time_over(s, NO_OP, ten_counted()), "ns", 220);
    bench_row(bench, "retry_off_ns", time_over(s, NO_OP, nested(1)), "ns", 20);
    bench_row(bench, "retry_nested_10_off_ns", time_over(s, NO_OP, nested(10)), "ns", -1);
    bench_row(bench, "timeout_off_ns", time_over(s, NO_OP, pawl_timeout("limit", NO_OP, .after_ns = PAWL_S(1))), "ns",
              40);
    bench_row(bench, "parallel_10_off_ns", time_over(s, NO_OP, ten_at_once()), "ns", 300);
    bench_row(bench, "cache_hit_off_ns", time_cache_hit(s), "ns", 70);
    s.node = NO_OP;
    bench_row(bench, "context_new_run_unref_ns", bench_time(new_context_and_run, &s, TIMES), "ns", -1);
    pawl_primitive_unref(s.node);
}

static void allocations(struct bench *bench, struct subject s) {
    bench_row(bench, "malloc_per_run", mallocs_per_run(s, NO_OP), "", 0);
    bench_row(bench, "malloc_per_sequence_10", mallocs_per_run(s, ten_no_ops()), "", 0);
    bench_row(bench, "malloc_per_retry_timeout",
              mallocs_per_run(s, pawl_timeout("t", nested(1), .after_ns = PAWL_S(1))), "", 0);
    bench_row(bench, "malloc_per_parallel_10", mallocs_per_run(s, ten_at_once()), "", -1); /* the list of results */
    pawl_primitive *deep = nested(10);
    bench_row(bench, "idle_run_depth_10_bytes", (double)(deep->bytes[0] + RUN_BYTES), "B", 2048);
    pawl_primitive_unref(deep);
}

static void see_nothing(void *self, const pawl_span *span) {
    (void)self, (void)span;
}

static void traced(struct bench *bench) {
    static const pawl_observer_vtable blind = {.size = sizeof blind, .span_end = see_nothing};
    pawl_runtime *runtime = pawl_runtime_new(NULL, NULL);
    pawl_runtime_add_observer(runtime, &blind, NULL, NULL);
    struct subject s = {.runtime = runtime, .ctx = pawl_context_new(runtime)};
    bench_row(bench, "run_bare_traced_ns", time_run(s, NO_OP), "ns", -1);
    bench_row(bench, "primitive_traced_ns", time_over(s, pawl_sequential("one", NO_OP), ten_no_ops()) / 9, "ns", 65);
    bench_row(bench, "sequence_10_traced_ns", time_over(s, NO_OP, ten_no_ops()), "ns", 650);
    bench_row(bench, "retry_traced_ns", time_over(s, NO_OP, nested(1)), "ns", 140);
    pawl_context_unref(s.ctx);
    pawl_runtime_unref(runtime);
}

void bench_core(struct bench *bench) {
    pawl_runtime *runtime = pawl_runtime_new(NULL, NULL);
    struct subject s = {.runtime = runtime, .ctx = pawl_context_new(runtime)};
    if (!s.ctx)
        abort();
    untraced(bench, s);
    allocations(bench, s);
    pawl_context_unref(s.ctx);
    pawl_runtime_unref(runtime);
    traced(bench);
}
