/* Metrics under many threads: nothing is lost or counted twice, readers see whole moments, ended threads leave what
 * they counted. */
#include "metrics_internal.h"
#include "reading.h"
#include "leaves.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#define THREADS 8
#define TIMES 2000

static const pawl_instrument total = {.size = sizeof total, .name = "total", .unit = "{x}", .kind = PAWL_COUNTER};
static const pawl_instrument level = {.size = sizeof level, .name = "level", .kind = PAWL_GAUGE};
static const pawl_instrument waits = {.size = sizeof waits, .name = "wait", .unit = "s", .kind = PAWL_HISTOGRAM};
static const pawl_instrument sizes = {.size = sizeof sizes, .name = "size", .kind = PAWL_EXPONENTIAL_HISTOGRAM};

struct crowd {
    pawl_metrics *metrics;
    pawl_runtime *runtime;
    pawl_series *total, *level, *waits, *sizes;
    pawl_primitive *node;
    atomic_bool stop;
};

static void *write_series(void *user) {
    struct crowd *c = user;
    for (int i = 0; i < TIMES; i++) {
        pawl_series_add(c->total, 1, NULL);
        pawl_series_record(c->level, i, NULL);
        pawl_series_record(c->waits, i % 100, NULL);
        pawl_series_record(c->sizes, ldexp(1, i % 40), NULL);
        pawl_attribute attribute = pawl_attribute_int("i", i % 10);
        pawl_runtime_measure(c->runtime, &total, 1, &attribute, 1);
    }
    return NULL;
}

static void *run_nodes(void *user) {
    struct crowd *c = user;
    pawl_context *ctx = pawl_context_new(c->runtime);
    for (int i = 0; i < TIMES; i++)
        if (pawl_run(c->node, ctx, NULL, NULL, NULL) != PAWL_OK)
            break;
    pawl_context_unref(ctx);
    return NULL;
}

struct watch {
    uint64_t count;
    bool whole;
};

static void watch_counts(void *user, const pawl_metric_data *metrics, size_t count) {
    struct watch *w = user;
    struct reading wait = find_reading(metrics, count, "wait", ""), size = find_reading(metrics, count, "size", "");
    w->whole = w->whole && wait.count >= w->count && size.count <= (uint64_t)THREADS * TIMES;
    w->count = wait.count;
    for (size_t i = 0; i < count; i++)
        for (uint64_t p = 0; p < metrics[i].point_count; p++)
            for (uint64_t e = 0; e < metrics[i].points[p].exemplar_count; e++)
                w->whole = w->whole && metrics[i].points[p].exemplars[e].time_unix_ns > 0;
}

static void *read_all_the_time(void *user) {
    struct crowd *c = user;
    static struct watch watch;
    watch = (struct watch){.whole = true};
    while (!atomic_load(&c->stop))
        if (pawl_metrics_collect(c->metrics, watch_counts, &watch, NULL) != PAWL_OK)
            watch.whole = false;
    return watch.whole ? c : NULL;
}

static void open_crowd(struct crowd *c) {
    memset(c, 0, sizeof *c);
    c->metrics = pawl_metrics_new(NULL, NULL);
    c->runtime = pawl_runtime_new(NULL, NULL);
    assert_int_equal(pawl_metrics_attach(c->metrics, c->runtime, NULL), PAWL_OK);
    c->total = pawl_metrics_series(c->metrics, &total, NULL, 0, NULL);
    c->level = pawl_metrics_series(c->metrics, &level, NULL, 0, NULL);
    c->waits = pawl_metrics_series(c->metrics, &waits, NULL, 0, NULL);
    c->sizes = pawl_metrics_series(c->metrics, &sizes, NULL, 0, NULL);
    c->node = passing("leaf");
}

static void close_crowd(struct crowd *c) {
    pawl_primitive_unref(c->node);
    pawl_runtime_unref(c->runtime);
    pawl_metrics_unref(c->metrics);
}

static void work(struct crowd *c, void *(*body)(void *user)) {
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, body, c), 0);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

static void work_while_read(struct crowd *c, void *(*body)(void *user)) {
    pthread_t reader;
    void *good = NULL;
    assert_int_equal(pthread_create(&reader, NULL, read_all_the_time, c), 0);
    work(c, body);
    atomic_store(&c->stop, true);
    pthread_join(reader, &good);
    assert_non_null(good);
    atomic_store(&c->stop, false);
}

static void every_measurement_of_every_thread_counts_once(void **state) {
    (void)state;
    struct crowd c;
    open_crowd(&c);
    work_while_read(&c, write_series);
    const double all = (double)THREADS * TIMES;
    assert_true(read_value(c.metrics, "total", "") == all);
    assert_true(read_value(c.metrics, "total", "i=3") == all / 10);
    assert_true(read_value(c.metrics, "level", "") == TIMES - 1);
    struct reading r = read_metrics(c.metrics, "wait", "");
    assert_true(r.count == (uint64_t)all && r.sum == all * 49.5 && r.min == 0 && r.max == 99);
    r = read_metrics(c.metrics, "size", "");
    assert_true(r.count == (uint64_t)all && r.min == 1 && r.max == ldexp(1, 39));
    close_crowd(&c);
}

static void every_node_of_every_thread_counts_once(void **state) {
    (void)state;
    struct crowd c;
    open_crowd(&c);
    work_while_read(&c, run_nodes);
    assert_true(read_value(c.metrics, "pawl.primitive.executions", NULL) == (double)THREADS * TIMES);
    assert_true(read_value(c.metrics, "pawl.primitive.active", NULL) == 0);
    assert_int_equal(read_metrics(c.metrics, "gen_ai.workflow.duration", NULL).count, THREADS * TIMES);
    close_crowd(&c);
}

static size_t count_shards(const pawl_metrics *metrics) {
    size_t count = 0;
    for (const struct shard *s = metrics->shards; s; s = s->next)
        count++;
    return count;
}

static void *add_one(void *user) {
    pawl_series_add(((struct crowd *)user)->total, 1, NULL);
    return NULL;
}

static void a_thread_that_has_ended_leaves_its_cells_to_the_next(void **state) {
    (void)state;
    struct crowd c;
    open_crowd(&c);
    for (int i = 0; i < 200; i++) {
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, add_one, &c), 0);
        pthread_join(thread, NULL);
    }
    assert_true(read_value(c.metrics, "total", "") == 200);
    assert_in_range(count_shards(c.metrics), 1, 20); /* the kernel may take a moment to let a thread go */
    close_crowd(&c);
}

static void one_thread_measures_for_many(void **state) {
    (void)state;
    struct crowd crowds[5];
    for (size_t i = 0; i < 5; i++)
        open_crowd(&crowds[i]);
    for (int round = 0; round < 3; round++)
        for (size_t i = 0; i < 5; i++)
            pawl_series_add(crowds[i].total, (double)i, NULL);
    for (size_t i = 0; i < 5; i++) {
        assert_true(read_value(crowds[i].metrics, "total", "") == 3 * (double)i);
        assert_int_equal(count_shards(crowds[i].metrics), 1);
        close_crowd(&crowds[i]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_measurement_of_every_thread_counts_once),
        cmocka_unit_test(every_node_of_every_thread_counts_once),
        cmocka_unit_test(a_thread_that_has_ended_leaves_its_cells_to_the_next),
        cmocka_unit_test(one_thread_measures_for_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
