/* The exporting thread in real time, and the queue under many threads. Nothing here waits for time to pass but what
 * must time out. */
#include "gate.h"
#include "leaves.h"

#include <pawl/observability/tracer.h>
#include <pawl/primitives/primitives.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct bed {
    struct gate gate;
    pawl_exporter *exporter;
    pawl_runtime *runtime;
    pawl_tracer *tracer;
    pawl_primitive *node;
};

static void make_bed(struct bed *bed, pawl_tracer_options options) {
    bed->gate = open_gate();
    bed->exporter = gate_exporter(&bed->gate);
    bed->runtime = pawl_runtime_new(NULL, NULL);
    options.size = sizeof options;
    options.exporters = &bed->exporter;
    options.exporter_count = 1;
    bed->tracer = pawl_tracer_new(&options, NULL);
    assert_non_null(bed->tracer);
    assert_int_equal(pawl_tracer_attach(bed->tracer, bed->runtime, NULL), PAWL_OK);
    bed->node = passing("p");
}

static void end_bed(struct bed *bed) {
    pawl_primitive_unref(bed->node);
    pawl_runtime_unref(bed->runtime);
    pawl_tracer_unref(bed->tracer);
    pawl_exporter_unref(bed->exporter);
}

static void run_times(struct bed *bed, size_t times) {
    pawl_context *ctx = pawl_context_new(bed->runtime);
    for (size_t i = 0; i < times; i++)
        assert_int_equal(pawl_run(bed->node, ctx, NULL, NULL, NULL), PAWL_OK);
    pawl_context_unref(ctx);
}

static pawl_tracer_stats stats_of(const struct bed *bed) {
    pawl_tracer_stats stats = {.size = sizeof stats};
    pawl_tracer_get_stats(bed->tracer, &stats);
    return stats;
}

static void a_full_batch_is_exported_at_once(void **state) {
    (void)state;
    struct bed bed;
    make_bed(&bed, (pawl_tracer_options){.max_queue_size = 1000, .max_batch_size = 100});
    run_times(&bed, 120);
    wait_for_calls(&bed.gate, 1);
    assert_int_equal(pawl_runtime_flush(bed.runtime, PAWL_S(30), NULL), PAWL_OK);
    assert_int_equal(bed.gate.items, 120);
    assert_int_equal(bed.gate.largest, 100);
    assert_int_equal(stats_of(&bed).processed, 120);
    end_bed(&bed);
}

static void a_queue_of_one_batch_is_exported_before_it_is_full(void **state) {
    (void)state;
    struct bed bed;
    make_bed(&bed, (pawl_tracer_options){.max_queue_size = 256, .schedule_delay_ns = PAWL_MIN(10)});
    run_times(&bed, 254); /* the last of the places are leased then: nobody looks again before it is full */
    wait_for_calls(&bed.gate, 1);
    end_bed(&bed);
}

static void a_batch_that_is_not_full_is_exported_when_its_time_comes(void **state) {
    (void)state;
    struct bed bed;
    make_bed(&bed, (pawl_tracer_options){.schedule_delay_ns = PAWL_MS(1)});
    run_times(&bed, 1);
    wait_for_calls(&bed.gate, 1);
    end_bed(&bed);
    assert_int_equal(bed.gate.items, 1);
}

static void a_slow_exporter_does_not_slow_the_runs(void **state) {
    (void)state;
    struct bed bed;
    make_bed(&bed, (pawl_tracer_options){.max_queue_size = 100, .max_batch_size = 10});
    set_closed(&bed.gate, true);
    run_times(&bed, 10);
    wait_for_calls(&bed.gate, 1);
    run_times(&bed, 150);
    assert_int_equal(stats_of(&bed).queue_size, 100);
    assert_int_equal(stats_of(&bed).dropped_full, 50);
    set_closed(&bed.gate, false);
    assert_int_equal(pawl_runtime_flush(bed.runtime, PAWL_S(30), NULL), PAWL_OK);
    assert_int_equal(bed.gate.items, 110);
    assert_int_equal(bed.gate.most_inside, 1);
    end_bed(&bed);
}

static void flush_keeps_to_its_time(void **state) {
    (void)state;
    struct bed bed;
    pawl_error *err = NULL;
    make_bed(&bed, (pawl_tracer_options){0});
    set_closed(&bed.gate, true);
    run_times(&bed, 1);
    assert_int_equal(pawl_runtime_flush(bed.runtime, PAWL_MS(2), &err), PAWL_E_TIMEOUT);
    expect_error(err, PAWL_E_TIMEOUT, "still wait");
    set_closed(&bed.gate, false);
    assert_int_equal(pawl_runtime_flush(bed.runtime, PAWL_S(30), NULL), PAWL_OK);
    end_bed(&bed);
}

static void flush_tells_why_an_exporter_failed(void **state) {
    (void)state;
    struct bed bed;
    pawl_error *err = NULL;
    make_bed(&bed, (pawl_tracer_options){0});
    bed.gate.answer = PAWL_E_UNAVAILABLE;
    run_times(&bed, 3);
    assert_int_equal(pawl_runtime_flush(bed.runtime, PAWL_S(30), &err), PAWL_E_UNAVAILABLE);
    expect_error(err, PAWL_E_UNAVAILABLE, "gate: no");
    pawl_tracer_exporter_stats stats = {.size = sizeof stats};
    pawl_tracer_get_exporter_stats(bed.tracer, 0, &stats);
    assert_int_equal(stats.failed, 3);
    assert_int_equal(stats.exported, 0);
    assert_int_equal(stats.last_status, PAWL_E_UNAVAILABLE);
    end_bed(&bed);
}

static void the_end_cancels_an_exporter_that_hangs(void **state) {
    (void)state;
    struct bed bed;
    make_bed(&bed, (pawl_tracer_options){.shutdown_timeout_ns = PAWL_MS(5), .max_batch_size = 1});
    set_closed(&bed.gate, true);
    run_times(&bed, 3);
    wait_for_calls(&bed.gate, 1);
    pawl_runtime_shutdown(bed.runtime, NULL);
    assert_true(bed.gate.cancelled);
    assert_int_equal(stats_of(&bed).dropped_shutdown, 2);
    assert_int_equal(stats_of(&bed).queue_size, 0);
    end_bed(&bed);
}

/* Takes the second that it is given to come back. */
static void the_end_leaves_an_exporter_that_does_not_come_back(void **state) {
    (void)state;
    static struct bed bed; /* the thread may outlive the test by a moment */
    make_bed(&bed, (pawl_tracer_options){.shutdown_timeout_ns = PAWL_MS(1), .max_batch_size = 1});
    bed.gate.ignores_cancel = true;
    set_closed(&bed.gate, true);
    run_times(&bed, 3);
    wait_for_calls(&bed.gate, 1);
    end_bed(&bed);
    assert_false(bed.gate.destroyed);
    set_closed(&bed.gate, false);
    wait_for_its_end(&bed.gate);
    assert_int_equal(bed.gate.calls, 1);
}

/* ---- many threads ---- */

#define THREADS 8
#define RUNS 300

static void *run_many(void *user) {
    run_times(user, RUNS);
    return NULL;
}

static void run_on_threads(struct bed *bed) {
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run_many, bed), 0);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

static void many_threads_lose_nothing_below_the_capacity(void **state) {
    (void)state;
    struct bed bed;
    make_bed(&bed, (pawl_tracer_options){.max_queue_size = THREADS * RUNS, .max_batch_size = 64});
    set_closed(&bed.gate, true);
    run_on_threads(&bed);
    assert_int_equal(stats_of(&bed).dropped_full, 0);
    set_closed(&bed.gate, false);
    assert_int_equal(pawl_runtime_flush(bed.runtime, PAWL_S(30), NULL), PAWL_OK);
    assert_int_equal(bed.gate.items, THREADS * RUNS);
    end_bed(&bed);
}

static void every_span_is_exported_or_counted(void **state) {
    (void)state;
    struct bed bed;
    make_bed(&bed, (pawl_tracer_options){.max_queue_size = 64, .max_batch_size = 16});
    for (int i = 0; i < 3; i++)
        run_on_threads(&bed);
    assert_int_equal(pawl_runtime_flush(bed.runtime, PAWL_S(30), NULL), PAWL_OK);
    pawl_tracer_stats stats = stats_of(&bed);
    assert_int_equal(stats.started, 3 * THREADS * RUNS);
    assert_int_equal(stats.live, 0);
    assert_int_equal(stats.processed + stats.dropped_full, 3 * THREADS * RUNS);
    assert_int_equal(bed.gate.items, stats.processed);
    end_bed(&bed);
}

static void held_traces_of_many_threads_are_decided_one_by_one(void **state) {
    (void)state;
    struct bed bed;
    pawl_sampler *never = pawl_sampler_never(NULL);
    make_bed(&bed, (pawl_tracer_options){.max_queue_size = 4 * THREADS * RUNS,
                                         .max_batch_size = 64,
                                         .sampler = never,
                                         .keep_failed = 1,
                                         .max_held_traces = 100000});
    run_on_threads(&bed);
    assert_int_equal(pawl_runtime_flush(bed.runtime, PAWL_S(30), NULL), PAWL_OK);
    pawl_tracer_stats stats = stats_of(&bed);
    assert_int_equal(stats.not_kept, THREADS * RUNS);
    assert_int_equal(stats.held_traces, 0);
    pawl_sampler_unref(never);
    end_bed(&bed);
}

static void two_tracers_on_one_runtime_get_each_span(void **state) {
    (void)state;
    struct bed bed;
    struct gate other = open_gate();
    make_bed(&bed, (pawl_tracer_options){0});
    pawl_exporter *exporter = gate_exporter(&other);
    pawl_tracer *second = pawl_tracer_with(NULL, .exporters = &exporter, .exporter_count = 1);
    assert_int_equal(pawl_tracer_attach(second, bed.runtime, NULL), PAWL_OK);
    run_on_threads(&bed);
    assert_int_equal(pawl_runtime_flush(bed.runtime, PAWL_S(30), NULL), PAWL_OK);
    pawl_tracer_stats stats = {.size = sizeof stats};
    pawl_tracer_get_stats(second, &stats);
    assert_int_equal(stats.processed + stats.dropped_full, THREADS * RUNS);
    assert_int_equal(other.items, stats.processed);
    end_bed(&bed);
    pawl_tracer_unref(second);
    pawl_exporter_unref(exporter);
}

/* ---- a forked child ---- */

static int child_of(struct bed *bed, pawl_context *ctx) {
    size_t before = bed->gate.items;
    pawl_span span;
    for (int i = 0; i < 3000; i++) {
        pawl_span_open(ctx, &span, "child");
        pawl_span_close(ctx, &span, PAWL_OK, NULL);
    }
    if (pawl_runtime_flush(bed->runtime, PAWL_S(1), NULL) != PAWL_E_INVALID)
        return 1;
    pawl_context_unref(ctx);
    pawl_runtime_unref(bed->runtime);
    pawl_tracer_unref(bed->tracer);
    return bed->gate.items == before ? 0 : 2;
}

static void fork_with(pawl_tracer_options options) {
    struct bed bed;
    make_bed(&bed, options);
    run_times(&bed, 10);
    pawl_context *ctx = pawl_context_new(bed.runtime);
    pid_t child = fork();
    if (child == 0)
        _exit(child_of(&bed, ctx));
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_int_equal(pawl_runtime_flush(bed.runtime, PAWL_S(30), NULL), PAWL_OK);
    assert_int_equal(bed.gate.items, 10);
    pawl_context_unref(ctx);
    end_bed(&bed);
}

static void a_forked_child_neither_hangs_nor_sends(void **state) {
    (void)state;
    fork_with((pawl_tracer_options){0});
    fork_with((pawl_tracer_options){.simple = 1});
    fork_with((pawl_tracer_options){.keep_failed = 1});
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_batch_is_exported_at_once),
        cmocka_unit_test(a_queue_of_one_batch_is_exported_before_it_is_full),
        cmocka_unit_test(a_batch_that_is_not_full_is_exported_when_its_time_comes),
        cmocka_unit_test(a_slow_exporter_does_not_slow_the_runs),
        cmocka_unit_test(flush_keeps_to_its_time),
        cmocka_unit_test(flush_tells_why_an_exporter_failed),
        cmocka_unit_test(the_end_cancels_an_exporter_that_hangs),
        cmocka_unit_test(the_end_leaves_an_exporter_that_does_not_come_back),
        cmocka_unit_test(many_threads_lose_nothing_below_the_capacity),
        cmocka_unit_test(every_span_is_exported_or_counted),
        cmocka_unit_test(held_traces_of_many_threads_are_decided_one_by_one),
        cmocka_unit_test(two_tracers_on_one_runtime_get_each_span),
        cmocka_unit_test(a_forked_child_neither_hangs_nor_sends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
