/* Many threads at once: runs that are cancelled from elsewhere, thousands of submitted sleepers, and a runtime that is
 * shut down in the middle. Real time; what is checked is that everything ends, once, with a status that fits. */
#include "leaves.h"
#include "virtual_runtime.h"

#include <pawl/primitives/function.h>
#include <pawl/primitives/retry.h>
#include <pawl/primitives/sequential.h>
#include <pawl/primitives/timeout.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define RUNNERS 8
#define ROUNDS 150
#define SLEEPERS 10000

static pawl_status run_inside(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    return pawl_run(user, ctx, in, ret_out, err);
}

/* Fails a few times, at random, then succeeds. */
static pawl_status fail_at_random(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out,
                                  pawl_error **err) {
    (void)user, (void)in, (void)ret_out;
    return pawl_context_random(ctx) % 3 ? pawl_error_set(err, PAWL_E_UNAVAILABLE, "bad luck") : PAWL_OK;
}

static pawl_primitive *busy_pipeline(pawl_primitive *inner) {
    return pawl_sequential(
        "top",
        pawl_retry("again", pawl_inline("luck", fail_at_random, NULL), .max_attempts = 50, .base_delay_ns = PAWL_US(5),
                   .max_delay_ns = PAWL_US(50)),
        joined("both", sleeper("s", PAWL_US(30)), pausing("p", PAWL_US(40)), pawl_function("inner", run_inside, inner)),
        pawl_timeout("limit", sleeper("t", PAWL_US(20)), .after_ns = PAWL_S(10)));
}

/* ---- threads that run, threads that cancel ---- */

struct arena {
    pawl_runtime *runtime;
    pawl_primitive *pipeline;
    pthread_mutex_t lock;
    pawl_context *running[RUNNERS]; /* a reference each, for whoever cancels */
    atomic_bool over;
    atomic_size_t succeeded, cancelled;
};

struct runner {
    struct arena *arena;
    size_t index;
};

static void show(struct arena *arena, size_t index, pawl_context *ctx) {
    pthread_mutex_lock(&arena->lock);
    pawl_context *before = arena->running[index];
    arena->running[index] = pawl_context_ref(ctx);
    pthread_mutex_unlock(&arena->lock);
    pawl_context_unref(before);
}

static pawl_context *look(struct arena *arena, size_t index) {
    pthread_mutex_lock(&arena->lock);
    pawl_context *ctx = pawl_context_ref(arena->running[index]);
    pthread_mutex_unlock(&arena->lock);
    return ctx;
}

static void *keep_running(void *user) {
    struct runner *runner = user;
    struct arena *arena = runner->arena;
    for (int i = 0; i < ROUNDS; i++) {
        pawl_context *ctx = pawl_context_new(arena->runtime);
        if (i % 4 == 0)
            pawl_context_set_timeout(ctx, PAWL_S(20), NULL);
        show(arena, runner->index, ctx);
        pawl_error *err = NULL;
        pawl_status status = pawl_run(arena->pipeline, ctx, NULL, NULL, &err);
        assert_true(status == PAWL_OK || status == PAWL_E_CANCELLED);
        atomic_fetch_add(status == PAWL_OK ? &arena->succeeded : &arena->cancelled, 1);
        pawl_error_unref(err);
        pawl_context_unref(ctx);
    }
    show(arena, runner->index, NULL);
    return NULL;
}

static void *keep_cancelling(void *user) {
    struct arena *arena = user;
    uint64_t seed = 1;
    while (!atomic_load(&arena->over)) {
        pawl_context *ctx = look(arena, (seed = seed * 6364136223846793005u + 1442695040888963407u) >> 61);
        if (ctx)
            pawl_context_cancel(ctx, PAWL_CANCEL_USER, "at random");
        pawl_context_unref(ctx);
        struct timespec pause = {.tv_nsec = 100000};
        nanosleep(&pause, NULL);
    }
    return NULL;
}

static void runs_and_cancels_from_many_threads_all_end(void **state) {
    (void)state;
    pawl_primitive *inner = joined("in", sleeper("a", PAWL_US(10)), pausing("b", PAWL_US(15)));
    struct arena arena = {.runtime = pawl_runtime_with(.pool_threads = 6), .pipeline = busy_pipeline(inner)};
    pthread_mutex_init(&arena.lock, NULL);
    pthread_t runners[RUNNERS], cancellers[2];
    struct runner each[RUNNERS];
    for (size_t i = 0; i < RUNNERS; i++) {
        each[i] = (struct runner){.arena = &arena, .index = i};
        pthread_create(&runners[i], NULL, keep_running, &each[i]);
    }
    for (size_t i = 0; i < 2; i++)
        pthread_create(&cancellers[i], NULL, keep_cancelling, &arena);
    for (size_t i = 0; i < RUNNERS; i++)
        pthread_join(runners[i], NULL);
    atomic_store(&arena.over, true);
    for (size_t i = 0; i < 2; i++)
        pthread_join(cancellers[i], NULL);
    assert_int_equal(arena.succeeded + arena.cancelled, RUNNERS * ROUNDS);
    assert_true(arena.succeeded > 0 && arena.cancelled > 0);
    expect_nothing_alive(arena.runtime);
    pawl_primitive_unref(arena.pipeline);
    pawl_primitive_unref(inner);
    pawl_runtime_unref(arena.runtime);
    pthread_mutex_destroy(&arena.lock);
}

/* ---- ten thousand sleepers ---- */

struct sleepers {
    pawl_context *ctxs[SLEEPERS];
    atomic_size_t ended, succeeded, cancelled;
    sem_t all;
};

static void count_end(void *user, pawl_status status, pawl_value *value, pawl_error *error) {
    struct sleepers *s = user;
    atomic_fetch_add(status == PAWL_OK ? &s->succeeded : &s->cancelled, 1);
    pawl_value_unref(value);
    pawl_error_unref(error);
    if (atomic_fetch_add(&s->ended, 1) + 1 == SLEEPERS)
        sem_post(&s->all);
}

struct share {
    struct sleepers *sleepers;
    pawl_primitive *node;
    size_t first;
};

static void *submit_share(void *user) {
    struct share *share = user;
    for (size_t i = share->first; i < SLEEPERS; i += 4)
        assert_int_equal(pawl_submit(share->node, share->sleepers->ctxs[i], NULL, count_end, share->sleepers, NULL),
                         PAWL_OK);
    return NULL;
}

static void submit_from_four_threads(struct sleepers *s, pawl_primitive *node) {
    struct share shares[4];
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++) {
        shares[i] = (struct share){.sleepers = s, .node = node, .first = i};
        pthread_create(&threads[i], NULL, submit_share, &shares[i]);
    }
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
}

static struct sleepers *make_sleepers(pawl_runtime *runtime) {
    struct sleepers *s = calloc(1, sizeof *s);
    sem_init(&s->all, 0, 0);
    for (size_t i = 0; i < SLEEPERS; i++)
        s->ctxs[i] = pawl_context_new(runtime);
    return s;
}

static void free_sleepers(struct sleepers *s) {
    for (size_t i = 0; i < SLEEPERS; i++)
        pawl_context_unref(s->ctxs[i]);
    sem_destroy(&s->all);
    free(s);
}

static void of_ten_thousand_sleepers_the_cancelled_half_ends_cancelled(void **state) {
    (void)state;
    pawl_runtime *runtime = pawl_runtime_with(.loop_threads = 2);
    struct sleepers *s = make_sleepers(runtime);
    pawl_primitive *node = pawl_sequential("top", pausing("p", PAWL_S(3)), passing("q"));
    submit_from_four_threads(s, node);
    for (size_t i = 0; i < SLEEPERS; i += 2)
        pawl_context_cancel(s->ctxs[i], PAWL_CANCEL_USER, NULL);
    sem_wait(&s->all);
    assert_int_equal(s->ended, SLEEPERS);
    assert_true(s->cancelled >= SLEEPERS / 4); /* a slow machine lets some wake before */
    assert_int_equal(s->succeeded + s->cancelled, SLEEPERS);
    assert_true(s->succeeded >= SLEEPERS / 2);
    expect_nothing_alive(runtime);
    pawl_primitive_unref(node);
    free_sleepers(s);
    pawl_runtime_unref(runtime);
}

static void a_shutdown_ends_ten_thousand_sleepers(void **state) {
    (void)state;
    pawl_runtime *runtime = pawl_runtime_with(.loop_threads = 2);
    struct sleepers *s = make_sleepers(runtime);
    pawl_primitive *node = pausing("p", PAWL_MIN(60));
    submit_from_four_threads(s, node);
    assert_int_equal(pawl_runtime_shutdown(runtime, NULL), PAWL_OK);
    assert_int_equal(s->ended, SLEEPERS);
    assert_int_equal(s->cancelled, SLEEPERS);
    pawl_primitive_unref(node);
    free_sleepers(s);
    pawl_runtime_unref(runtime);
}

static void one_cancel_of_a_parent_ends_all_its_children(void **state) {
    (void)state;
    pawl_runtime *runtime = pawl_runtime_with(.loop_threads = 2);
    pawl_context *parent = pawl_context_new(runtime);
    struct sleepers *s = calloc(1, sizeof *s);
    sem_init(&s->all, 0, 0);
    for (size_t i = 0; i < SLEEPERS; i++)
        s->ctxs[i] = pawl_context_child(parent);
    pawl_primitive *node = pausing("p", PAWL_MIN(60));
    submit_from_four_threads(s, node);
    pawl_context_cancel(parent, PAWL_CANCEL_USER, "all of you");
    sem_wait(&s->all);
    assert_int_equal(s->cancelled, SLEEPERS);
    pawl_primitive_unref(node);
    free_sleepers(s);
    pawl_context_unref(parent);
    pawl_runtime_unref(runtime);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_and_cancels_from_many_threads_all_end),
        cmocka_unit_test(of_ten_thousand_sleepers_the_cancelled_half_ends_cancelled),
        cmocka_unit_test(a_shutdown_ends_ten_thousand_sleepers),
        cmocka_unit_test(one_cancel_of_a_parent_ends_all_its_children),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
