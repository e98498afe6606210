/* Watchers of code executions: who is told what, who may refuse, and many at once. */
#include "play_provider.h"
#include "world.h"

#include <pawl/integrations/audit.h>
#include <pawl/integrations/health.h>
#include <pawl/integrations/usage.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "execution/watch_internal.h"

struct watcher {
    struct pawl_execution_watcher base; /* first */
    const char *refuses;                /* with this message */
    struct watcher *adds;               /* to the runtime, in begin */
    size_t begins, ends, destroyed;
    pawl_status status;
    uint64_t id;
    char node[32], error[64];
};

static pawl_status begin(struct pawl_execution_watcher *self, const struct pawl_execution *execution,
                         pawl_error **err) {
    struct watcher *watcher = (struct watcher *)(void *)self;
    watcher->begins++;
    watcher->id = execution->id;
    snprintf(watcher->node, sizeof watcher->node, "%s", execution->node);
    if (watcher->adds)
        pawl_execution_watch(pawl_context_runtime(execution->ctx), &watcher->adds->base);
    watcher->adds = NULL;
    return watcher->refuses ? pawl_error_set(err, PAWL_E_DENIED, "%s", watcher->refuses) : PAWL_OK;
}

static void end(struct pawl_execution_watcher *self, const struct pawl_execution *execution, pawl_status status,
                const pawl_execution_result *result, const pawl_error *error) {
    struct watcher *watcher = (struct watcher *)(void *)self;
    watcher->ends++;
    watcher->status = status;
    assert_true((result != NULL) == (status == PAWL_OK));
    assert_int_equal(execution->id, watcher->id);
    snprintf(watcher->error, sizeof watcher->error, "%s", pawl_error_message(error));
}

static void destroy(struct pawl_attachment *attachment) {
    ((struct watcher *)(void *)attachment)->destroyed++;
}

static struct watcher *watch(struct world *world, struct watcher *watcher) {
    watcher->base = (struct pawl_execution_watcher){.attachment.destroy = destroy, .begin = begin, .end = end};
    if (world)
        pawl_execution_watch(world->runtime, &watcher->base);
    return watcher;
}

static pawl_status run(pawl_context *ctx, struct play *play, const char *node, pawl_error **err) {
    pawl_sandbox_provider *provider = play_provider_or_null(play);
    pawl_execution_request request = {.size = sizeof request, .language = "bash", .code = "x", .code_length = 1};
    pawl_execution_result *result = NULL;
    pawl_status status = pawl_execution_run_once(provider, ctx, node, &request, &result, err);
    pawl_execution_result_free(result);
    pawl_sandbox_provider_unref(provider);
    return status;
}

static void every_begin_has_its_end(void **state) {
    struct world *world = *state;
    static struct watcher one, other;
    struct play play = {.exit_status = 0};
    watch(world, &one);
    watch(world, &other);
    assert_int_equal(run(world->ctx, &play, "node", NULL), PAWL_OK);
    assert_int_equal(one.begins, 1);
    assert_int_equal(one.ends, 1);
    assert_int_equal(other.ends, 1);
    assert_int_equal(one.id, other.id);
    assert_string_equal(one.node, "node");
    assert_string_equal(one.error, "");
    play.fails = PAWL_E_UNAVAILABLE;
    assert_int_equal(run(world->ctx, &play, "node", NULL), PAWL_E_UNAVAILABLE);
    assert_int_equal(one.status, PAWL_E_UNAVAILABLE);
    assert_string_equal(one.error, "play: as the test wants it");
}

static void all_hear_of_what_one_refused(void **state) {
    struct world *world = *state;
    static struct watcher first = {.refuses = "first"}, second = {.refuses = "second"}, third;
    struct play play = {.exit_status = 0};
    pawl_error *error = NULL;
    watch(world, &third);
    watch(world, &second);
    watch(world, &first); /* the latest is asked first */
    assert_int_equal(run(world->ctx, &play, "", &error), PAWL_E_DENIED);
    assert_string_equal(pawl_error_message(error), "first");
    assert_int_equal(play.created, 0);
    assert_int_equal(third.begins, 1);
    assert_int_equal(third.ends, 1);
    assert_int_equal(third.status, PAWL_E_DENIED);
    assert_string_equal(third.error, "first");
    pawl_error_unref(error);
}

static void one_that_comes_in_the_middle_is_told_of_the_next(void **state) {
    struct world *world = *state;
    static struct watcher early, late;
    struct play play = {.exit_status = 0};
    watch(NULL, &late);
    early.adds = &late;
    watch(world, &early);
    assert_int_equal(run(world->ctx, &play, "", NULL), PAWL_OK);
    assert_int_equal(late.begins + late.ends, 0);
    assert_int_equal(run(world->ctx, &play, "", NULL), PAWL_OK);
    assert_int_equal(late.ends, 1);
}

static void a_request_of_another_size_is_left_to_the_provider(void **state) {
    struct world *world = *state;
    static struct watcher watcher;
    struct play play = {.exit_status = 0};
    pawl_sandbox_provider *provider = play_provider(&play);
    pawl_execution_request request = {.size = 1};
    pawl_execution_result *result = NULL;
    watch(world, &watcher);
    play.fails = PAWL_E_INVALID;
    assert_int_equal(pawl_sandbox_run_once(provider, world->ctx, &request, &result, NULL), PAWL_E_INVALID);
    assert_int_equal(watcher.begins, 0);
    assert_int_equal(pawl_sandbox_run_once(NULL, world->ctx, &request, &result, NULL), PAWL_E_INVALID);
    pawl_sandbox_provider_unref(provider);
}

static void watchers_live_as_long_as_the_last_context(void **state) {
    (void)state;
    static struct watcher watcher;
    struct fake_clock time = {.now_ns = 0};
    struct world world = {.runtime = virtual_runtime(&time)};
    world.ctx = pawl_context_new(world.runtime);
    watch(&world, &watcher);
    pawl_runtime_unref(world.runtime);
    assert_int_equal(watcher.destroyed, 0);
    pawl_context_unref(world.ctx);
    assert_int_equal(watcher.destroyed, 1);
}

/* ---- threads ---- */

#define THREADS 4
#define ROUNDS 100

static atomic_uint records;

static bool count_record(void *user, const char *record, size_t length) {
    (void)user, (void)record, (void)length;
    atomic_fetch_add(&records, 1);
    return true;
}

static void *run_many(void *user) {
    pawl_runtime *runtime = user;
    for (int i = 0; i < ROUNDS; i++) {
        struct play play = {.outcome = i % 2 ? PAWL_EXECUTION_OK : PAWL_EXECUTION_EXCEPTION};
        pawl_context *ctx = pawl_context_new(runtime);
        (void)run(ctx, &play, "node", NULL);
        pawl_context_unref(ctx);
    }
    return NULL;
}

static void nothing_is_lost_between_threads(void **state) {
    (void)state;
    pawl_runtime *runtime = pawl_runtime_new(NULL, NULL);
    pawl_usage *usage = pawl_usage_with(NULL, .max_executions = 50, .refuse = 1);
    pawl_health *health = pawl_health_with(NULL, .recent = 20);
    pthread_t threads[THREADS];
    pawl_usage_totals totals = {.size = sizeof totals};
    assert_int_equal(pawl_usage_attach(usage, runtime, NULL), PAWL_OK);
    assert_int_equal(pawl_health_attach(health, runtime, NULL), PAWL_OK);
    assert_int_equal(pawl_audit(runtime, NULL, .write = count_record), PAWL_OK);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run_many, runtime), 0);
    while (totals.executions < 25) { /* beside those who write */
        pawl_usage_get(usage, &totals);
        pawl_value_unref(pawl_usage_value(usage));
    }
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    pawl_usage_get(usage, &totals);
    assert_int_equal(totals.executions, 50); /* the number cannot be passed */
    assert_int_equal(totals.refused, THREADS * ROUNDS - 50);
    assert_int_equal(totals.active, 0);
    pawl_audit_stats stats = {.size = sizeof stats};
    pawl_audit_get_stats(runtime, &stats);
    assert_int_equal(stats.written, THREADS * ROUNDS);
    assert_int_equal(records, THREADS * ROUNDS);
    pawl_runtime_unref(runtime);
    pawl_health_unref(health);
    pawl_usage_unref(usage);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        in_world(every_begin_has_its_end),
        in_world(all_hear_of_what_one_refused),
        in_world(one_that_comes_in_the_middle_is_told_of_the_next),
        in_world(a_request_of_another_size_is_left_to_the_provider),
        cmocka_unit_test(watchers_live_as_long_as_the_last_context),
        cmocka_unit_test(nothing_is_lost_between_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
