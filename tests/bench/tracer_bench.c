/* What a traced node costs with the real tracer and an exporter that throws everything away. Only spans that are
 * recorded are timed: bursts of less than the queue holds, exported between them. */
#include "bench.h"
#include <pawl/observability/metrics.h>
#include <pawl/observability/tracer.h>
#include <pawl/primitives/function.h>
#include <pawl/primitives/retry.h>
#include <pawl/primitives/sequential.h>
#include <stdio.h>
#include <stdlib.h>

#define QUEUE 4096
#define BURSTS 301
#define WINDOWS 5 /* neighbours on the same machine slow it down for a second or so: the quietest one counts */

struct traced {
    pawl_runtime *runtime;
    pawl_tracer *tracer;
    pawl_context *ctx;
};

static pawl_status discard(void *self, const pawl_resource *resource, const pawl_span_data *spans, size_t count,
                           uint64_t timeout_ns, pawl_error **err) {
    (void)self, (void)resource, (void)spans, (void)count, (void)timeout_ns, (void)err;
    return PAWL_OK;
}

static pawl_status no_op(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    (void)user, (void)ctx, (void)in, (void)ret_out, (void)err;
    return PAWL_OK;
}

static pawl_status set_three(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    (void)user, (void)in, (void)ret_out, (void)err;
    pawl_context_set_string(ctx, "shop.queue", "fast");
    pawl_context_set_int(ctx, "shop.items", 3);
    pawl_context_set_bool(ctx, "shop.paid", true);
    return PAWL_OK;
}

static struct traced new_traced(pawl_sampler *sampler, bool no_tsc) {
    static const pawl_exporter_vtable vtable = {.size = sizeof vtable, .name = "discarding", .spans = discard};
    struct traced t = {.runtime = pawl_runtime_with(.no_tsc = no_tsc)};
    pawl_exporter *exporter = pawl_exporter_new(&vtable, NULL, NULL);
    t.tracer = pawl_tracer_with(NULL, .exporters = &exporter, .exporter_count = 1, .sampler = sampler,
                                .max_queue_size = QUEUE, .max_batch_size = QUEUE);
    pawl_exporter_unref(exporter);
    pawl_sampler_unref(sampler);
    if (!t.runtime || pawl_tracer_attach(t.tracer, t.runtime, NULL) != PAWL_OK)
        abort();
    t.ctx = pawl_context_new(t.runtime);
    return t;
}

static void end_traced(struct traced *t) {
    pawl_tracer_stats stats = {.size = sizeof stats};
    pawl_context_unref(t->ctx);
    pawl_tracer_get_stats(t->tracer, &stats);
    if (stats.dropped_full > 0)
        fprintf(stderr, "pawl-bench: %llu spans were dropped: the figures are too good\n",
                (unsigned long long)stats.dropped_full);
    pawl_runtime_unref(t->runtime);
    pawl_tracer_unref(t->tracer);
}

static double time_burst(const struct traced *t, pawl_primitive *node, size_t times) {
    uint64_t start = bench_now();
    for (size_t i = 0; i < times; i++)
        if (pawl_run(node, t->ctx, NULL, NULL, NULL) != PAWL_OK)
            abort();
    double ns = (double)(bench_now() - start) / (double)times;
    pawl_runtime_flush(t->runtime, PAWL_S(10), NULL);
    return ns;
}

static double time_window(const struct traced *t, pawl_primitive *base, pawl_primitive *node, size_t times) {
    double rounds[BURSTS];
    for (size_t i = 0; i < BURSTS; i++)
        rounds[i] = time_burst(t, node, times) - (base ? time_burst(t, base, times) : 0);
    return bench_median(rounds, BURSTS);
}

/* What a run of node costs more than one of base. Takes both. spans: of one run. */
static double time_over(const struct traced *t, pawl_primitive *base, pawl_primitive *node, size_t spans) {
    double windows[WINDOWS];
    for (size_t i = 0; i < WINDOWS; i++)
        windows[i] = time_window(t, base, node, (size_t)QUEUE / 2 / spans);
    pawl_primitive_unref(base);
    pawl_primitive_unref(node);
    return bench_percentile(windows, WINDOWS, 0);
}

#define LEAF(fn) pawl_inline("no-op", fn, NULL)
#define NO_OP LEAF(no_op)

static pawl_primitive *ten(pawl_leaf_fn fn) {
    return pawl_sequential("ten", LEAF(fn), LEAF(fn), LEAF(fn), LEAF(fn), LEAF(fn), LEAF(fn), LEAF(fn), LEAF(fn),
                           LEAF(fn), LEAF(fn));
}

static pawl_primitive *nested(int depth) {
    pawl_primitive *node = NO_OP;
    for (int i = 0; i < depth; i++)
        node = pawl_retry("again", node, .max_attempts = 3);
    return node;
}

static pawl_primitive *one(pawl_leaf_fn fn) {
    return pawl_sequential("one", LEAF(fn));
}

static double with_metrics(bool no_tsc) {
    pawl_metrics *metrics = pawl_metrics_new(NULL, NULL);
    struct traced t = new_traced(NULL, no_tsc);
    if (pawl_metrics_attach(metrics, t.runtime, NULL) != PAWL_OK)
        abort();
    double ns = time_over(&t, one(no_op), ten(no_op), 11) / 9;
    end_traced(&t);
    pawl_metrics_unref(metrics);
    return ns;
}

static void measured_too(struct bench *bench) {
    bench_row(bench, "tracer_and_metrics_primitive_ns", with_metrics(false), "ns", 40);
    bench_row(bench, "tracer_and_metrics_monotonic_ns", with_metrics(true), "ns", 65);
}

static void sampled(struct bench *bench) {
    struct traced t = new_traced(NULL, false);
    bench_row(bench, "tracer_primitive_ns", time_over(&t, one(no_op), ten(no_op), 11) / 9, "ns", 40);
    bench_row(bench, "tracer_run_bare_ns", time_over(&t, NULL, NO_OP, 1), "ns", -1);
    bench_row(bench, "tracer_sequence_10_ns", time_over(&t, NO_OP, ten(no_op), 11), "ns", 650);
    bench_row(bench, "tracer_retry_ns", time_over(&t, NO_OP, nested(1), 2), "ns", 140);
    bench_row(bench, "tracer_nested_10_ns", time_over(&t, NO_OP, nested(10), 11), "ns", -1);
    bench_row(bench, "tracer_3_attributes_ns", time_over(&t, one(set_three), ten(set_three), 11) / 9, "ns", -1);
    end_traced(&t);
    t = new_traced(NULL, true);
    bench_row(bench, "tracer_primitive_monotonic_ns", time_over(&t, one(no_op), ten(no_op), 11) / 9, "ns", 65);
    end_traced(&t);
    measured_too(bench);
    /* Measured once on a machine of this class. */
    bench_reference(bench, "tracer_primitive_ns", "OTel C++", 206);
    bench_reference(bench, "tracer_3_attributes_ns", "OTel C++", 314);
    bench_reference(bench, "tracer_nested_10_ns", "OTel C++", 3230);
}

/* ---- what a trace costs that the sampler drops ---- */

static void run_on_new_context(void *user) {
    const struct traced *t = user;
    static pawl_primitive *node;
    if (!node)
        node = NO_OP; /* kept for the process's life */
    pawl_context *ctx = pawl_context_new(t->runtime);
    if (!ctx || pawl_run(node, ctx, NULL, NULL, NULL) != PAWL_OK)
        abort();
    pawl_context_unref(ctx);
}

static double over_off(bool fresh) {
    struct traced off = {.runtime = pawl_runtime_new(NULL, NULL)}, on = new_traced(pawl_sampler_never(NULL), false);
    double rounds[BURSTS];
    pawl_primitive *node = NO_OP;
    off.ctx = pawl_context_new(off.runtime);
    for (size_t i = 0; i < BURSTS; i++)
        rounds[i] = fresh ? bench_time(run_on_new_context, &on, 500) - bench_time(run_on_new_context, &off, 500)
                          : time_burst(&on, node, 5000) - time_burst(&off, node, 5000);
    pawl_primitive_unref(node);
    pawl_context_unref(off.ctx);
    pawl_runtime_unref(off.runtime);
    end_traced(&on);
    return bench_median(rounds, BURSTS);
}

/* A whole node of it, the engine included. */
static double unsampled(void) {
    struct traced t = new_traced(pawl_sampler_never(NULL), false);
    double ns = time_over(&t, one(no_op), ten(no_op), 11) / 9;
    end_traced(&t);
    return ns;
}

void bench_tracing(struct bench *bench) {
    sampled(bench);
    bench_row(bench, "tracer_unsampled_ns", unsampled(), "ns", -1);
    bench_row(bench, "tracer_unsampled_over_off_ns", over_off(false), "ns", 12);
    bench_row(bench, "tracer_unsampled_new_trace_ns", over_off(true), "ns", -1);
    bench_otel(bench, "tracing");
}
