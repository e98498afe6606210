/* Abandonable leaves: work that does not listen is left after its grace, counted until it ends, and cannot reach the
 * run any more. Real threads, so real time, but little of it. */
#include <pawl/primitives/primitives.h>
#include <pawl/run.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <time.h>

#include <cmocka.h>

/* Does not listen: waits for the test. */
struct deaf {
    sem_t go;
    atomic_int calls, cancelled_seen, destroyed;
};

static pawl_status wait_for_go(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    struct deaf *deaf = user;
    (void)in, (void)err;
    atomic_fetch_add(&deaf->calls, 1);
    while (sem_wait(&deaf->go) != 0)
        continue;
    atomic_store(&deaf->cancelled_seen, pawl_context_cancelled(ctx) != PAWL_CANCEL_NONE);
    *ret_out = pawl_value_string("late");
    return PAWL_OK;
}

static void destroyed(void *user) {
    atomic_fetch_add(&((struct deaf *)user)->destroyed, 1);
}

static uint64_t abandoned(pawl_runtime *runtime) {
    pawl_runtime_stats stats = {.size = sizeof stats};
    pawl_runtime_get_stats(runtime, &stats);
    return stats.abandoned;
}

/* At most ten seconds. */
static void wait_until_none(pawl_runtime *runtime) {
    const struct timespec moment = {.tv_nsec = 1000000};
    for (int i = 0; i < 10000 && abandoned(runtime) > 0; i++)
        nanosleep(&moment, NULL);
    assert_int_equal(abandoned(runtime), 0);
}

/* Its work has begun by the time the limit passes. */
static pawl_primitive *limited(struct deaf *deaf, uint64_t grace_ns) {
    return pawl_timeout(
        "limit",
        pawl_function_with("deaf", wait_for_go, deaf, .abandonable = 1, .grace_ns = grace_ns, .destroy = destroyed),
        .after_ns = PAWL_MS(100));
}

static void is_left_after_its_grace_counted_and_then_forgotten(void **state) {
    (void)state;
    struct deaf deaf = {.calls = 0};
    sem_init(&deaf.go, 0, 0);
    pawl_runtime *runtime = pawl_runtime_new(NULL, NULL);
    pawl_context *ctx = pawl_context_new(runtime);
    pawl_primitive *node = limited(&deaf, PAWL_MS(5));
    pawl_value *out = NULL;
    assert_int_equal(pawl_run(node, ctx, NULL, &out, NULL), PAWL_E_TIMEOUT);
    assert_null(out);
    assert_int_equal(abandoned(runtime), 1);
    pawl_primitive_unref(node);
    assert_int_equal(deaf.destroyed, 0); /* the work still holds its node */
    pawl_context_unref(ctx);
    sem_post(&deaf.go);
    wait_until_none(runtime);
    pawl_runtime_unref(runtime); /* after which its thread has let go of everything */
    assert_int_equal(deaf.cancelled_seen, 1);
    assert_int_equal(deaf.destroyed, 1);
    sem_destroy(&deaf.go);
}

static void in_time_it_is_a_leaf_like_any_other(void **state) {
    (void)state;
    struct deaf deaf = {.calls = 0};
    sem_init(&deaf.go, 0, 1);
    pawl_runtime *runtime = pawl_runtime_new(NULL, NULL);
    pawl_context *ctx = pawl_context_new(runtime);
    pawl_primitive *node = pawl_function_with("deaf", wait_for_go, &deaf, .abandonable = 1);
    pawl_value *out = NULL;
    assert_int_equal(pawl_run(node, ctx, NULL, &out, NULL), PAWL_OK);
    assert_string_equal(cJSON_GetStringValue(pawl_value_json(out)), "late");
    assert_int_equal(abandoned(runtime), 0);
    pawl_value_unref(out);
    pawl_primitive_unref(node);
    pawl_context_unref(ctx);
    pawl_runtime_unref(runtime);
    sem_destroy(&deaf.go);
}

static void *post_after_the_limit(void *user) {
    const struct timespec moment = {.tv_nsec = 250000000};
    nanosleep(&moment, NULL);
    sem_post(&((struct deaf *)user)->go);
    return NULL;
}

static void ends_within_its_grace_and_is_waited_for(void **state) {
    (void)state;
    struct deaf deaf = {.calls = 0};
    pthread_t thread;
    sem_init(&deaf.go, 0, 0);
    pawl_runtime *runtime = pawl_runtime_new(NULL, NULL);
    pawl_context *ctx = pawl_context_new(runtime);
    pawl_primitive *node = limited(&deaf, PAWL_S(60));
    assert_int_equal(pthread_create(&thread, NULL, post_after_the_limit, &deaf), 0);
    assert_int_equal(pawl_run(node, ctx, NULL, NULL, NULL), PAWL_E_TIMEOUT);
    assert_int_equal(abandoned(runtime), 0);
    assert_int_equal(deaf.cancelled_seen, 1);
    pthread_join(thread, NULL);
    pawl_primitive_unref(node);
    pawl_context_unref(ctx);
    pawl_runtime_unref(runtime);
    sem_destroy(&deaf.go);
}

static void many_race_with_their_grace_and_nothing_is_lost(void **state) {
    (void)state;
    struct deaf deaf = {.calls = 0};
    sem_init(&deaf.go, 0, 0);
    pawl_runtime *runtime = pawl_runtime_new(NULL, NULL);
    pawl_context *ctx = pawl_context_new(runtime);
    pawl_primitive *node =
        pawl_timeout("limit", pawl_function_with("deaf", wait_for_go, &deaf, .abandonable = 1, .grace_ns = PAWL_ZERO),
                     .after_ns = PAWL_US(50));
    for (int i = 0; i < 200; i++) {
        sem_post(&deaf.go); /* about when the limit passes */
        pawl_status status = pawl_run(node, ctx, NULL, NULL, NULL);
        assert_true(status == PAWL_OK || status == PAWL_E_TIMEOUT);
    }
    for (int i = 0; i < 200; i++)
        sem_post(&deaf.go);
    wait_until_none(runtime);
    pawl_primitive_unref(node);
    pawl_context_unref(ctx);
    pawl_runtime_unref(runtime);
    sem_destroy(&deaf.go);
}

static void a_grace_without_abandonable_is_refused(void **state) {
    (void)state;
    pawl_primitive *node = pawl_function_with("deaf", wait_for_go, NULL, .grace_ns = 1);
    pawl_error *error = pawl_primitive_error(node);
    assert_int_equal(pawl_error_status(error), PAWL_E_INVALID);
    pawl_error_unref(error);
    pawl_primitive_unref(node);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_left_after_its_grace_counted_and_then_forgotten),
        cmocka_unit_test(in_time_it_is_a_leaf_like_any_other),
        cmocka_unit_test(ends_within_its_grace_and_is_waited_for),
        cmocka_unit_test(many_race_with_their_grace_and_nothing_is_lost),
        cmocka_unit_test(a_grace_without_abandonable_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
