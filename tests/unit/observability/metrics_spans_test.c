/* Metrics of every primitive: counts, durations, what is in flight, whole runs, exemplars, the seed's names. */
#include "failing_malloc.h"
#include "leaves.h"
#include "metrics_internal.h"
#include "reading.h"
#include "shop.h"
#include <math.h>
#include <pawl/primitives/primitives.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#define OF(type, name, outcome) "pawl.node.name=" name ",pawl.outcome=" outcome ",pawl.primitive.type=" type

static int open_seeded_shop(void **state) {
    static struct shop shop;
    open_shop_with(&shop, (pawl_metrics_options){.seed_names = 1});
    *state = &shop;
    return 0;
}

static void each_node_is_counted_by_type_name_and_outcome(void **state) {
    struct shop *shop = *state;
    for (int i = 0; i < 3; i++)
        run_once(shop->runtime, pawl_sequential("all", passing("one"), passing("two")));
    run_once(shop->runtime, pawl_sequential("all", passing("one"), failing("two", PAWL_E_DENIED)));
    pawl_metrics *m = shop->metrics;
    assert_true(read_value(m, "pawl.primitive.executions", OF("sequential", "all", "ok")) == 3);
    assert_true(read_value(m, "pawl.primitive.executions", OF("sequential", "all", "denied")) == 1);
    struct reading one = read_metrics(m, "pawl.primitive.executions", NULL);
    assert_int_equal(one.points, 5);
    assert_int_equal(one.kind, PAWL_COUNTER);
    assert_true(one.is_integer);
    assert_int_equal(read_metrics(m, "pawl.primitive.duration", OF("sequential", "all", "ok")).count, 3);
}

static void a_duration_is_in_seconds_in_the_bucket_it_belongs_to(void **state) {
    struct shop *shop = *state;
    run_once(shop->runtime, sleeper("nap", PAWL_US(1)));
    run_once(shop->runtime, sleeper("nap", PAWL_MS(250)));
    run_once(shop->runtime, sleeper("nap", PAWL_MS(250) + 1));
    run_once(shop->runtime, sleeper("nap", PAWL_S(301)));
    struct reading r = read_metrics(shop->metrics, "gen_ai.workflow.duration", "gen_ai.workflow.name=nap");
    assert_int_equal(r.count, 4);
    r = read_metrics(shop->metrics, "pawl.primitive.duration", NULL);
    assert_int_equal(r.bucket_count, 19);
    assert_int_equal(r.buckets[0], 1);  /* 1 us, inclusive */
    assert_int_equal(r.buckets[9], 1);  /* 250 ms */
    assert_int_equal(r.buckets[10], 1); /* just more */
    assert_int_equal(r.buckets[18], 1);
    assert_true(r.min == 1e-6 && r.max == 301);
}

static pawl_status look_inside(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    struct shop *shop = user;
    (void)ctx, (void)in, (void)ret_out, (void)err;
    assert_true(
        read_value(shop->metrics, "pawl.primitive.active", "pawl.node.name=outer,pawl.primitive.type=sequential") == 1);
    return PAWL_OK;
}

static void what_is_in_flight_rises_and_falls(void **state) {
    struct shop *shop = *state;
    run_once(shop->runtime, pawl_sequential("outer", pawl_function("look", look_inside, shop)));
    struct reading r =
        read_metrics(shop->metrics, "pawl.primitive.active", "pawl.node.name=outer,pawl.primitive.type=sequential");
    assert_true(r.found && r.value == 0);
    assert_int_equal(r.points, 2);
}

/* The cache leads from addresses to series, and addresses are used again. */
static void a_pipeline_at_the_place_of_another_is_not_mistaken_for_it(void **state) {
    struct shop *shop = *state;
    for (int i = 0; i < 100; i++) {
        char name[8];
        snprintf(name, sizeof name, "n%d", i % 10);
        run_once(shop->runtime, passing(name));
    }
    for (int i = 0; i < 10; i++) {
        char labels[64];
        snprintf(labels, sizeof labels, "gen_ai.workflow.name=n%d", i);
        assert_int_equal(read_metrics(shop->metrics, "gen_ai.workflow.duration", labels).count, 10);
    }
}

static void a_whole_run_is_a_workflow_and_what_is_beneath_is_not(void **state) {
    struct shop *shop = *state;
    run_once(shop->runtime, pawl_sequential("work", passing("step")));
    run_once(shop->runtime, pawl_sequential("work", failing("step", PAWL_E_LIMIT)));
    pawl_metrics *m = shop->metrics;
    assert_int_equal(read_metrics(m, "gen_ai.workflow.duration", "gen_ai.workflow.name=work").count, 1);
    struct reading failed = read_metrics(m, "gen_ai.workflow.duration", "error.type=limit,gen_ai.workflow.name=work");
    assert_int_equal(failed.count, 1);
    assert_int_equal(failed.points, 2);
}

static pawl_status run_a_child(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    (void)user, (void)in, (void)ret_out;
    pawl_context *child = pawl_context_child(ctx);
    pawl_primitive *node = passing("inner");
    pawl_status status = pawl_run(node, child, NULL, NULL, err);
    pawl_primitive_unref(node);
    pawl_context_unref(child);
    return status;
}

static void a_run_inside_a_leaf_is_no_workflow_and_one_that_came_from_elsewhere_is(void **state) {
    struct shop *shop = *state;
    run_once(shop->runtime, pawl_function("outer", run_a_child, NULL));
    assert_false(read_metrics(shop->metrics, "gen_ai.workflow.duration", "gen_ai.workflow.name=inner").found);
    pawl_context *ctx = pawl_context_new(shop->runtime);
    assert_true(pawl_context_extract(ctx, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00", NULL, NULL));
    pawl_primitive *node = passing("joined");
    assert_int_equal(pawl_run(node, ctx, NULL, NULL, NULL), PAWL_OK);
    pawl_primitive_unref(node);
    pawl_context_unref(ctx);
    struct reading r = read_metrics(shop->metrics, "gen_ai.workflow.duration", "gen_ai.workflow.name=joined");
    assert_int_equal(r.count, 1);
    assert_int_equal(r.exemplar_count, 0); /* not sampled */
}

static pawl_status open_a_span(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    (void)user, (void)in, (void)ret_out, (void)err;
    pawl_span span;
    pawl_span_open(ctx, &span, "phase");
    pawl_span_close(ctx, &span, PAWL_OK, NULL);
    return PAWL_OK;
}

static void a_span_opened_by_hand_is_no_primitive(void **state) {
    struct shop *shop = *state;
    run_once(shop->runtime, pawl_function("leaf", open_a_span, NULL));
    assert_int_equal(read_metrics(shop->metrics, "pawl.primitive.executions", NULL).points, 1);
}

static void nodes_beyond_the_limit_are_counted_together(void **state) {
    (void)state;
    struct shop shop;
    open_shop_with(&shop, (pawl_metrics_options){.max_series = 2});
    for (int i = 0; i < 10; i++) {
        char name[8];
        snprintf(name, sizeof name, "n%d", i % 5);
        run_once(shop.runtime, passing(name));
    }
    assert_int_equal(read_metrics(shop.metrics, "pawl.primitive.duration", "otel.metric.overflow=true").count, 6);
    assert_true(read_value(shop.metrics, "pawl.primitive.executions", "otel.metric.overflow=true") == 6);
    assert_true(read_value(shop.metrics, "pawl.primitive.active", "otel.metric.overflow=true") == 0);
    leave_shop(&shop);
}

/* ---- exemplars ---- */

static const pawl_instrument waits = {.size = sizeof waits, .name = "wait", .unit = "s", .kind = PAWL_HISTOGRAM};
static const pawl_instrument calls = {.size = sizeof calls, .name = "calls", .kind = PAWL_COUNTER};

struct ids {
    uint8_t trace[16], span[8];
};

static pawl_status measure_inside(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out,
                                  pawl_error **err) {
    struct ids *ids = user;
    (void)in, (void)ret_out, (void)err;
    pawl_context_trace_id(ctx, ids->trace);
    pawl_context_span_id(ctx, ids->span);
    pawl_context_measure(ctx, &waits, 7, NULL, 0);
    pawl_context_measure(ctx, &waits, 8, NULL, 0);
    pawl_context_measure(ctx, &waits, 9000, NULL, 0);
    pawl_context_measure(ctx, &calls, 1, NULL, 0);
    return PAWL_OK;
}

static void a_measurement_in_a_sampled_span_is_kept_with_its_trace_one_a_bucket(void **state) {
    struct shop *shop = *state;
    struct ids ids;
    shop->time.now_ns = PAWL_S(3);
    run_once(shop->runtime, pawl_function("leaf", measure_inside, &ids));
    struct reading r = read_metrics(shop->metrics, "wait", "");
    assert_int_equal(r.count, 3);
    assert_int_equal(r.exemplar_count, 2);
    assert_true(r.exemplars[0].value == 7 && r.exemplars[1].value == 9000);
    assert_memory_equal(r.exemplars[0].trace_id, ids.trace, 16);
    assert_memory_equal(r.exemplars[0].span_id, ids.span, 8);
    assert_int_equal(r.exemplars[0].time_unix_ns, PAWL_S(1700000003));
    assert_int_equal(read_metrics(shop->metrics, "calls", "").exemplar_count, 1);
    assert_int_equal(read_metrics(shop->metrics, "pawl.primitive.duration", NULL).exemplar_count, 1);
}

static void after_a_collection_an_exemplar_gives_way_to_a_new_one(void **state) {
    struct shop *shop = *state;
    struct ids first, second;
    run_once(shop->runtime, pawl_function("leaf", measure_inside, &first));
    assert_memory_equal(read_metrics(shop->metrics, "wait", "").exemplars[0].trace_id, first.trace, 16);
    assert_memory_equal(read_metrics(shop->metrics, "wait", "").exemplars[0].trace_id, first.trace, 16);
    run_once(shop->runtime, pawl_function("leaf", measure_inside, &second));
    assert_memory_equal(read_metrics(shop->metrics, "wait", "").exemplars[0].trace_id, second.trace, 16);
}

static uint64_t tick(void *user) {
    return ++*(uint64_t *)user;
}

static bool never_waits(void *user, uint64_t until_ns) {
    (void)user, (void)until_ns;
    return true;
}

/* A series is made a moment after its first measurement. */
static void an_exemplar_is_not_older_than_its_point(void **state) {
    (void)state;
    uint64_t now = 0;
    const pawl_runtime_hooks hooks = {.size = sizeof hooks, .user = &now, .now = tick, .advance = never_waits};
    struct shop shop = {.metrics = pawl_metrics_new(NULL, NULL), .runtime = pawl_runtime_with(.hooks = &hooks)};
    assert_int_equal(pawl_metrics_attach(shop.metrics, shop.runtime, NULL), PAWL_OK);
    run_once(shop.runtime, passing("leaf"));
    struct reading r = read_metrics(shop.metrics, "pawl.primitive.duration", NULL);
    assert_int_equal(r.exemplar_count, 1);
    assert_true(r.start_unix_ns <= r.exemplars[0].time_unix_ns && r.exemplars[0].time_unix_ns <= r.time_unix_ns);
    leave_shop(&shop);
}

static void exemplars_can_be_switched_off(void **state) {
    (void)state;
    struct shop shop;
    struct ids ids;
    open_shop_with(&shop, (pawl_metrics_options){.no_exemplars = 1});
    run_once(shop.runtime, pawl_function("leaf", measure_inside, &ids));
    assert_int_equal(read_metrics(shop.metrics, "wait", "").exemplar_count, 0);
    assert_int_equal(read_metrics(shop.metrics, "pawl.primitive.duration", NULL).exemplar_count, 0);
    leave_shop(&shop);
}

/* ---- the seed's names ---- */

static void the_seeds_names_are_made_of_ours(void **state) {
    struct shop *shop = *state;
    run_once(shop->runtime, pawl_sequential("work", sleeper("nap", PAWL_MS(200))));
    run_once(shop->runtime, pawl_sequential("work", sleeper("nap", PAWL_MS(20))));
    run_once(shop->runtime, pawl_sequential("work", failing("nap", PAWL_E_DENIED)));
    run_once(shop->runtime, pawl_sequential("work", failing("nap", PAWL_E_LIMIT)));
    pawl_metrics *m = shop->metrics;
    assert_true(read_value(m, "tta_workflow_executions_total", "status=success,workflow_name=work") == 2);
    assert_true(read_value(m, "tta_workflow_executions_total", "status=failure,workflow_name=work") == 2);
    assert_true(read_value(m, "tta_primitive_executions_total",
                           "primitive_name=work,primitive_type=sequential,status=failure") == 2);
    struct reading r = read_metrics(m, "tta_execution_duration_seconds", "primitive_type=sequential");
    assert_int_equal(r.bucket_count, 11);
    assert_int_equal(r.count, 4);
    assert_int_equal(r.buckets[0], 2); /* the failures took no time */
    assert_int_equal(r.buckets[1], 1); /* 20 ms <= 0.05 */
    assert_int_equal(r.buckets[3], 1); /* 200 ms <= 0.25 */
    assert_true(fabs(r.sum - 0.22) < 1e-12);
    assert_false(read_metrics(m, "tta_cache_hits_total", NULL).found);
    assert_false(read_metrics(m, "e2b_executions_total", NULL).found);
}

static void cache_and_code(struct shop *shop) {
    static const double bounds[] = {0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120};
    static const pawl_instrument requests = {
        .size = sizeof requests, .name = "pawl.cache.lookups", .unit = "{request}", .kind = PAWL_COUNTER};
    static const pawl_instrument executions = {.size = sizeof executions,
                                               .name = "pawl.execution.duration",
                                               .unit = "s",
                                               .kind = PAWL_HISTOGRAM,
                                               .bounds = bounds,
                                               .bound_count = 11};
    static const char *const how[] = {"hit", "hit", "miss", "shared", "bypass"};
    static const char *const outcomes[] = {"ok", "nonzero_exit", "exception", "wall_timeout"};
    for (size_t i = 0; i < 5; i++)
        pawl_runtime_measure(shop->runtime, &requests, 1,
                             (pawl_attribute[]){pawl_attribute_string("pawl.cache.result", how[i]),
                                                pawl_attribute_string("pawl.node.name", "memo")},
                             2);
    for (size_t i = 0; i < 4; i++)
        pawl_runtime_measure(shop->runtime, &executions, 0.2,
                             (pawl_attribute[]){pawl_attribute_string("pawl.outcome", outcomes[i])}, 1);
}

static void the_seeds_names_for_caches_and_code_are_there_when_these_are_measured(void **state) {
    struct shop *shop = *state;
    cache_and_code(shop);
    pawl_metrics *m = shop->metrics;
    assert_true(read_value(m, "tta_cache_hits_total", "cache_type=memory,primitive_name=memo") == 3);
    assert_true(read_value(m, "tta_cache_misses_total", "cache_type=memory,primitive_name=memo") == 1);
    assert_true(read_value(m, "e2b_executions_total", "has_error=false,status=success") == 1);
    assert_true(read_value(m, "e2b_executions_total", "has_error=false,status=failure") == 1);
    assert_true(read_value(m, "e2b_executions_total", "has_error=true,status=failure") == 2);
    struct reading r = read_metrics(m, "e2b_execution_duration_seconds", "");
    assert_true(r.bucket_count == 8 && r.count == 4 && r.buckets[1] == 4);
}

static void without_the_switch_the_seeds_names_are_not_there(void **state) {
    (void)state;
    struct shop shop;
    open_shop_with(&shop, (pawl_metrics_options){.max_series = 0});
    run_once(shop.runtime, passing("leaf"));
    assert_false(read_metrics(shop.metrics, "tta_primitive_executions_total", NULL).found);
    leave_shop(&shop);
}

static void a_run_never_fails_for_want_of_memory_of_metrics(void **state) {
    (void)state;
    struct shop shop;
    open_shop_with(&shop, (pawl_metrics_options){.seed_names = 1});
    run_once(shop.runtime, passing("warm")); /* the engine's own memory */
    for (size_t n = 1; n < 30; n++) {
        char name[16];
        snprintf(name, sizeof name, "new%zu", n);
        pawl_primitive *node = passing(name);
        pawl_context *ctx = pawl_context_new(shop.runtime);
        fail_allocation_at(n);
        pawl_status status = pawl_run(node, ctx, NULL, NULL, NULL);
        (void)read_metrics(shop.metrics, "pawl.primitive.active", NULL);
        allow_allocations();
        assert_true(status == PAWL_OK || (n == 1 && status == PAWL_E_NOMEM)); /* the engine's block, where not kept */
        pawl_context_unref(ctx);
        pawl_primitive_unref(node);
    }
    assert_true(read_value(shop.metrics, "pawl.primitive.active", NULL) == 0);
    leave_shop(&shop);
}

/* Runs it once, and gives the run's trace. */
static void run_traced(pawl_runtime *runtime, pawl_primitive *node, uint8_t ret_trace[16]) {
    pawl_context *ctx = pawl_context_new(runtime);
    assert_int_equal(pawl_run(node, ctx, NULL, NULL, NULL), PAWL_OK);
    pawl_context_trace_id(ctx, ret_trace);
    pawl_context_unref(ctx);
}

static bool has_exemplar_of(const struct reading *r, const uint8_t trace[16]) {
    bool has = false;
    for (uint64_t i = 0; i < r->exemplar_count; i++)
        has |= memcmp(r->exemplars[i].trace_id, trace, 16) == 0;
    return has;
}

/* In real time, where most ends take the short way. */
static void a_usual_end_counts_as_any_other_and_leaves_exemplars(void **state) {
    (void)state;
    static const char leaf[] = OF("inline", "leaf", "ok"), inner[] = OF("sequential", "inner", "ok");
    pawl_metrics *metrics = pawl_metrics_new(NULL, NULL);
    pawl_runtime *runtime = pawl_runtime_new(NULL, NULL);
    assert_int_equal(pawl_metrics_attach(metrics, runtime, NULL), PAWL_OK);
    pawl_primitive *node = pawl_sequential("top", passing("leaf"), pawl_sequential("inner", passing("leaf")));
    uint8_t trace[16];
    for (uint64_t round = 1; round <= 3; round++) {
        for (int i = 0; i < 10; i++)
            run_traced(runtime, node, trace);
        struct reading r = read_metrics(metrics, "pawl.primitive.duration", leaf);
        assert_int_equal(r.count, 2 * (11 * round - 1));
        assert_int_equal(read_metrics(metrics, "pawl.primitive.duration", inner).count, 11 * round - 1);
        run_traced(runtime, node, trace);
        r = read_metrics(metrics, "pawl.primitive.duration", inner);
        assert_true(has_exemplar_of(&r, trace)); /* a collection came before */
        assert_true(read_value(metrics, "pawl.primitive.active", NULL) == 0);
    }
    pawl_primitive_unref(node);
    pawl_runtime_unref(runtime);
    pawl_metrics_unref(metrics);
}

/* The child is made while another thread, which it does not have, is about to look for a series. */
static pid_t fork_while_busy(pawl_metrics *metrics) {
    pthread_mutex_lock(&metrics->lock);
    pid_t child = fork();
    if (child != 0)
        pthread_mutex_unlock(&metrics->lock);
    return child;
}

static pawl_status fork_and_measure(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out,
                                    pawl_error **err) {
    (void)in, (void)ret_out, (void)err;
    struct shop *shop = user;
    static const pawl_instrument things = {.name = "things", .kind = PAWL_COUNTER};
    pid_t child = fork_while_busy(shop->metrics);
    if (child == 0) {
        alarm(30);
        pawl_context_measure(ctx, &things, 1, NULL, 0);
        return PAWL_OK;
    }
    int status = 1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    return PAWL_OK;
}

static void a_run_that_goes_on_in_a_forked_child_ends_there(void **state) {
    struct shop *shop = *state;
    pid_t parent = getpid();
    run_once(shop->runtime, pawl_sequential("top", pawl_inline("fork", fork_and_measure, shop), passing("new"),
                                            pawl_sequential("inner", passing("new"), failing("fails", PAWL_E_FAILED))));
    if (getpid() != parent)
        _exit(0);
    assert_true(read_value(shop->metrics, "pawl.primitive.executions", OF("inline", "new", "ok")) == 2);
}

#define in_seeded_shop(test) cmocka_unit_test_setup_teardown(test, open_seeded_shop, close_shop)

int main(void) {
    const struct CMUnitTest tests[] = {
        in_seeded_shop(each_node_is_counted_by_type_name_and_outcome),
        in_seeded_shop(a_duration_is_in_seconds_in_the_bucket_it_belongs_to),
        in_seeded_shop(what_is_in_flight_rises_and_falls),
        in_seeded_shop(a_pipeline_at_the_place_of_another_is_not_mistaken_for_it),
        in_seeded_shop(a_whole_run_is_a_workflow_and_what_is_beneath_is_not),
        in_seeded_shop(a_run_inside_a_leaf_is_no_workflow_and_one_that_came_from_elsewhere_is),
        in_seeded_shop(a_span_opened_by_hand_is_no_primitive),
        cmocka_unit_test(nodes_beyond_the_limit_are_counted_together),
        in_seeded_shop(a_measurement_in_a_sampled_span_is_kept_with_its_trace_one_a_bucket),
        in_seeded_shop(after_a_collection_an_exemplar_gives_way_to_a_new_one),
        cmocka_unit_test(an_exemplar_is_not_older_than_its_point),
        cmocka_unit_test(exemplars_can_be_switched_off),
        cmocka_unit_test(a_usual_end_counts_as_any_other_and_leaves_exemplars),
        in_seeded_shop(a_run_that_goes_on_in_a_forked_child_ends_there),
        in_seeded_shop(the_seeds_names_are_made_of_ours),
        in_seeded_shop(the_seeds_names_for_caches_and_code_are_there_when_these_are_measured),
        cmocka_unit_test(without_the_switch_the_seeds_names_are_not_there),
        cmocka_unit_test(a_run_never_fails_for_want_of_memory_of_metrics),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
