/* Figures of runtimes as metrics. */
#include "failing_malloc.h"
#include "world.h"

#include <pawl/observability/metrics.h>
#include <pawl/primitives/function.h>
#include <pawl/run.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

struct looked {
    const char *name;
    double value;
    bool found;
};

static void look(void *user, const pawl_metric_data *metrics, size_t count) {
    struct looked *looked = user;
    for (size_t i = 0; i < count; i++)
        if (strcmp(metrics[i].name, looked->name) == 0) {
            assert_int_equal(metrics[i].point_count, 1);
            looked->value = metrics[i].points[0].value;
            looked->found = true;
        }
}

/* -1: there is no such series. */
static double read_value(pawl_metrics *metrics, const char *name) {
    struct looked looked = {.name = name};
    assert_int_equal(pawl_metrics_collect(metrics, look, &looked, NULL), PAWL_OK);
    return looked.found ? looked.value : -1;
}

/* A leaf that reads the metrics while it runs. */
static pawl_status read_inside(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    pawl_metrics *metrics = user;
    (void)ctx, (void)in, (void)ret_out, (void)err;
    assert_true(read_value(metrics, "pawl.runtime.runs") == 1);
    assert_true(read_value(metrics, "pawl.runtime.nodes") == 1);
    return PAWL_OK;
}

static void a_run_is_seen_while_it_goes_on(void **state) {
    struct world *world = *state;
    pawl_metrics *metrics = pawl_metrics_new(NULL, NULL);
    assert_int_equal(pawl_metrics_attach(metrics, world->runtime, NULL), PAWL_OK);
    assert_true(read_value(metrics, "pawl.runtime.runs") == -1); /* nothing has run yet */
    pawl_primitive *node = pawl_inline("reader", read_inside, metrics);
    assert_int_equal(pawl_run(node, world->ctx, NULL, NULL, NULL), PAWL_OK);
    assert_true(read_value(metrics, "pawl.runtime.runs") == 0);
    assert_true(read_value(metrics, "pawl.runtime.pool.threads") == 0);
    assert_true(read_value(metrics, "pawl.runtime.pool.queue") == 0);
    assert_true(read_value(metrics, "pawl.runtime.abandoned") == 0);
    assert_true(read_value(metrics, "pawl.runtime.completions.refused") == 0);
    pawl_primitive_unref(node);
    pawl_metrics_unref(metrics);
}

/* Runs an asynchronous leaf and completes it once more than it should be. */
static void complete_twice(pawl_runtime *runtime) {
    struct manual_op op = {.completes = COMPLETES_AT_ONCE};
    pawl_primitive *node = manual_primitive("op", &op);
    pawl_context *ctx = pawl_context_new(runtime);
    assert_int_equal(pawl_run(node, ctx, NULL, NULL, NULL), PAWL_OK);
    assert_false(complete(&op, PAWL_OK, NULL));
    pawl_context_unref(ctx);
    pawl_primitive_unref(node);
}

static void figures_of_several_runtimes_are_one_sum_that_keeps_what_was_counted(void **state) {
    (void)state;
    static const char refused[] = "pawl.runtime.completions.refused";
    pawl_metrics *metrics = pawl_metrics_new(NULL, NULL);
    struct fake_clock times[2] = {{.now_ns = 0}};
    pawl_runtime *runtimes[2];
    assert_true(read_value(metrics, refused) == -1);
    for (size_t i = 0; i < 2; i++) {
        runtimes[i] = virtual_runtime(&times[i]);
        assert_int_equal(pawl_metrics_attach(metrics, runtimes[i], NULL), PAWL_OK);
        complete_twice(runtimes[i]);
    }
    assert_true(read_value(metrics, refused) == 2);
    pawl_runtime_unref(runtimes[0]);
    assert_true(read_value(metrics, refused) == 2);
    complete_twice(runtimes[1]);
    assert_true(read_value(metrics, refused) == 3);
    pawl_runtime_unref(runtimes[1]);
    pawl_metrics_unref(metrics);
}

static void a_runtime_is_attached_once(void **state) {
    struct world *world = *state;
    pawl_error *err = NULL;
    pawl_metrics *metrics = pawl_metrics_new(NULL, NULL);
    assert_int_equal(pawl_metrics_attach(metrics, world->runtime, NULL), PAWL_OK);
    assert_int_equal(pawl_metrics_attach(metrics, world->runtime, &err), PAWL_E_INVALID);
    expect_error(err, PAWL_E_INVALID, "once is enough");
    pawl_metrics_unref(metrics);
}

static void attaching_survives_without_memory(void **state) {
    (void)state;
    for_each_failing_allocation(n) {
        struct fake_clock time = {.now_ns = 0};
        pawl_runtime *runtime = virtual_runtime_or_null(&time);
        pawl_metrics *metrics = pawl_metrics_new(NULL, NULL);
        pawl_status status = pawl_metrics_attach(metrics, runtime, NULL);
        assert_true(status == PAWL_OK || allocations_failed() > 0);
        pawl_runtime_unref(runtime);
        pawl_metrics_unref(metrics);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        in_world(a_run_is_seen_while_it_goes_on),
        in_world(a_runtime_is_attached_once),
        cmocka_unit_test(figures_of_several_runtimes_are_one_sum_that_keeps_what_was_counted),
        cmocka_unit_test(attaching_survives_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
