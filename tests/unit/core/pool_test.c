/* The pool of threads for blocking leaves: bounded, elastic, never in the way of a cancel. */
#include "engine_internal.h"
#include "leaves.h"
#include "virtual_runtime.h"

#include <pawl/primitives/function.h>
#include <pawl/primitives/sequential.h>
#include <semaphore.h>
#include <setjmp.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct gauge {
    atomic_int now, peak, calls;
    uint64_t duration_ns;
};

static pawl_status measure(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    (void)in, (void)ret_out;
    struct gauge *gauge = user;
    int now = atomic_fetch_add(&gauge->now, 1) + 1, peak = atomic_load(&gauge->peak);
    while (now > peak && !atomic_compare_exchange_weak(&gauge->peak, &peak, now))
        ;
    atomic_fetch_add(&gauge->calls, 1);
    pawl_status status = pawl_context_sleep(ctx, gauge->duration_ns, err);
    atomic_fetch_sub(&gauge->now, 1);
    return status;
}

static pawl_primitive *eight_of(pawl_leaf_fn fn, void *user) {
    pawl_primitive *all[9];
    for (size_t i = 0; i < 8; i++)
        all[i] = pawl_function("leaf", fn, user);
    all[8] = PAWL_END;
    return joined_new("eight", all);
}

static uint64_t pool_threads(pawl_runtime *runtime) {
    pawl_runtime_stats stats = {.size = sizeof stats};
    pawl_runtime_get_stats(runtime, &stats);
    return stats.pool_threads;
}

static void never_more_leaves_run_than_the_pool_has_threads(void **state) {
    (void)state;
    pawl_runtime *runtime = pawl_runtime_with(.pool_threads = 3);
    pawl_context *ctx = pawl_context_new(runtime);
    struct gauge gauge = {.duration_ns = PAWL_MS(1)};
    expect_output_of(eight_of(measure, &gauge), ctx, "1", "[1,1,1,1,1,1,1,1]");
    assert_int_equal(gauge.calls, 8);
    assert_in_range(gauge.peak, 1, 3);
    assert_in_range(pool_threads(runtime), 1, 3);
    pawl_context_unref(ctx);
    pawl_runtime_unref(runtime);
}

static void idle_threads_end(void **state) {
    (void)state;
    pawl_runtime *runtime = pawl_runtime_with(.pool_idle_ns = PAWL_ZERO);
    pawl_context *ctx = pawl_context_new(runtime);
    struct gauge gauge = {.duration_ns = PAWL_US(10)};
    for (int i = 0; i < 5; i++) {
        expect_output_of(eight_of(measure, &gauge), ctx, "1", "[1,1,1,1,1,1,1,1]");
        while (pool_threads(runtime) > 0)
            sched_yield();
    }
    pawl_context_unref(ctx);
    pawl_runtime_unref(runtime);
}

static void an_idle_time_without_end_is_no_overflow(void **state) {
    (void)state;
    pawl_runtime *runtime = pawl_runtime_with(.pool_idle_ns = PAWL_UNLIMITED);
    pawl_context *ctx = pawl_context_new(runtime);
    struct gauge gauge = {.duration_ns = 1};
    for (int i = 0; i < 3; i++)
        expect_output_of(eight_of(measure, &gauge), ctx, "1", "[1,1,1,1,1,1,1,1]");
    assert_true(pool_threads(runtime) > 0);
    pawl_context_unref(ctx);
    pawl_runtime_unref(runtime);
}

/* ---- queued ---- */

struct held {
    sem_t inside, go_on;
    atomic_int calls;
};

static pawl_status hold(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    (void)ctx, (void)in, (void)ret_out, (void)err;
    struct held *held = user;
    atomic_fetch_add(&held->calls, 1);
    sem_post(&held->inside);
    sem_wait(&held->go_on);
    return PAWL_OK;
}

struct ended {
    sem_t done;
    pawl_status status;
};

static void keep_end(void *user, pawl_status status, pawl_value *value, pawl_error *error) {
    struct ended *ended = user;
    ended->status = status;
    pawl_value_unref(value);
    pawl_error_unref(error);
    sem_post(&ended->done);
}

static void a_leaf_that_waits_for_a_thread_is_cancelled_and_never_called(void **state) { /* B3 */
    (void)state;
    pawl_runtime *runtime = pawl_runtime_with(.pool_threads = 1);
    struct held held = {0};
    sem_init(&held.inside, 0, 0);
    sem_init(&held.go_on, 0, 0);
    pawl_primitive *node = pawl_function("hold", hold, &held);
    struct ended ends[4];
    pawl_context *ctxs[4];
    for (size_t i = 0; i < 4; i++) {
        sem_init(&ends[i].done, 0, 0);
        ctxs[i] = pawl_context_new(runtime);
        if (i == 2)
            pawl_context_set_timeout(ctxs[i], PAWL_MS(1), NULL);
        assert_int_equal(pawl_submit(node, ctxs[i], NULL, keep_end, &ends[i], NULL), PAWL_OK);
        if (i == 0)
            sem_wait(&held.inside);
    }
    pawl_context_cancel(ctxs[3], PAWL_CANCEL_USER, NULL); /* the last of the queue, */
    pawl_context_cancel(ctxs[1], PAWL_CANCEL_USER, NULL); /* and the first */
    for (size_t i = 1; i < 4; i++)
        sem_wait(&ends[i].done); /* while the thread is still held */
    assert_int_equal(ends[1].status, PAWL_E_CANCELLED);
    assert_int_equal(ends[2].status, PAWL_E_DEADLINE);
    assert_int_equal(ends[3].status, PAWL_E_CANCELLED);
    assert_int_equal(held.calls, 1);
    pawl_runtime_stats stats = {.size = sizeof stats};
    pawl_runtime_get_stats(runtime, &stats);
    assert_int_equal(stats.pool_queued, 0);
    sem_post(&held.go_on);
    sem_wait(&ends[0].done);
    assert_int_equal(ends[0].status, PAWL_OK);
    for (size_t i = 0; i < 4; i++) {
        pawl_context_unref(ctxs[i]);
        sem_destroy(&ends[i].done);
    }
    pawl_primitive_unref(node);
    pawl_runtime_unref(runtime);
    sem_destroy(&held.inside);
    sem_destroy(&held.go_on);
}

static pawl_status run_inside(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    return pawl_run(user, ctx, in, ret_out, err);
}

static void leaves_that_wait_for_leaves_of_their_own_do_not_use_the_pool_up(void **state) {
    (void)state;
    pawl_runtime *runtime = pawl_runtime_with(.pool_threads = 2);
    pawl_context *ctx = pawl_context_new(runtime);
    struct gauge gauge = {.duration_ns = PAWL_US(100)};
    pawl_primitive *inmost = eight_of(measure, &gauge), *middle = eight_of(run_inside, inmost);
    pawl_primitive *outer = eight_of(run_inside, middle);
    assert_int_equal(pawl_run(outer, ctx, NULL, NULL, NULL), PAWL_OK);
    assert_int_equal(gauge.calls, 512);
    pawl_primitive_unref(outer);
    pawl_primitive_unref(middle);
    pawl_primitive_unref(inmost);
    pawl_context_unref(ctx);
    pawl_runtime_unref(runtime);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(never_more_leaves_run_than_the_pool_has_threads),
        cmocka_unit_test(idle_threads_end),
        cmocka_unit_test(an_idle_time_without_end_is_no_overflow),
        cmocka_unit_test(a_leaf_that_waits_for_a_thread_is_cancelled_and_never_called),
        cmocka_unit_test(leaves_that_wait_for_leaves_of_their_own_do_not_use_the_pool_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
