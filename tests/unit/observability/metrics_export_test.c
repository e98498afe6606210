/* Exporting metrics: when, to whom, as totals or differences, and what happens when an exporter is slow or fails. */
#include "failing_malloc.h"
#include "leaves.h"
#include "reading.h"
#include "virtual_runtime.h"
#include <pawl/primitives/primitives.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

static const pawl_instrument orders = {
    .size = sizeof orders, .name = "orders", .unit = "{order}", .kind = PAWL_COUNTER};
static const pawl_instrument queue = {.size = sizeof queue, .name = "queue", .kind = PAWL_UP_DOWN_COUNTER};
static const pawl_instrument heat = {.size = sizeof heat, .name = "heat", .kind = PAWL_GAUGE};
static const pawl_instrument waits = {.size = sizeof waits, .name = "wait", .kind = PAWL_HISTOGRAM};
static const pawl_instrument sizes = {.size = sizeof sizes, .name = "size", .kind = PAWL_EXPONENTIAL_HISTOGRAM};
static const pawl_instrument seen = {.size = sizeof seen, .name = "seen", .kind = PAWL_COUNTER};

/* ---- an exporter that remembers ---- */

struct memory {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    size_t exports, destroys, inside, most_inside;
    bool blocks, cancelled, ignores_cancel; /* blocks: until it is cancelled */
    pawl_status gives;
    struct reading orders, queue, heat, waits, sizes, seen, naps, nap_count;
    uint64_t timeout_ns;
};

static pawl_status take(void *self, const pawl_resource *resource, const pawl_metric_data *metrics, size_t count,
                        uint64_t timeout_ns, pawl_error **err) {
    struct memory *m = self;
    assert_non_null(resource);
    pthread_mutex_lock(&m->lock);
    m->exports++;
    m->most_inside = ++m->inside > m->most_inside ? m->inside : m->most_inside;
    m->timeout_ns = timeout_ns;
    m->orders = find_reading(metrics, count, "orders", "");
    m->queue = find_reading(metrics, count, "queue", "");
    m->heat = find_reading(metrics, count, "heat", "");
    m->waits = find_reading(metrics, count, "wait", "");
    m->sizes = find_reading(metrics, count, "size", "");
    m->seen = find_reading(metrics, count, "seen", "");
    m->naps = find_reading(metrics, count, "pawl.primitive.duration", NULL);
    m->nap_count = find_reading(metrics, count, "pawl.primitive.executions", NULL);
    pthread_cond_broadcast(&m->changed);
    while (m->blocks && !m->cancelled)
        pthread_cond_wait(&m->changed, &m->lock);
    m->inside--;
    pthread_mutex_unlock(&m->lock);
    return m->gives == PAWL_OK ? PAWL_OK : pawl_error_set(err, m->gives, "nobody there");
}

static void cancel(void *self) {
    struct memory *m = self;
    pthread_mutex_lock(&m->lock);
    m->cancelled = !m->ignores_cancel;
    pthread_cond_broadcast(&m->changed);
    pthread_mutex_unlock(&m->lock);
}

static void destroy(void *self) {
    struct memory *m = self;
    pthread_mutex_lock(&m->lock);
    m->destroys++;
    pthread_cond_broadcast(&m->changed);
    pthread_mutex_unlock(&m->lock);
}

static const pawl_exporter_vtable memory_vtable = {
    .size = sizeof memory_vtable, .name = "memory", .metrics = take, .cancel = cancel, .destroy = destroy};

/* ---- a shop with one ---- */

struct shop {
    struct fake_clock time;
    pawl_runtime *runtime;
    pawl_metrics *metrics;
    pawl_resource *resource;
    struct memory memory;
    pawl_exporter *exporter;
};

static void open_with(struct shop *shop, pawl_runtime *runtime) {
    shop->runtime = runtime;
    shop->metrics = pawl_metrics_new(NULL, NULL);
    shop->resource = pawl_resource_with(NULL, .service_name = "shop");
    pthread_mutex_init(&shop->memory.lock, NULL);
    pthread_cond_init(&shop->memory.changed, NULL);
    shop->exporter = pawl_exporter_new(&memory_vtable, &shop->memory, NULL);
    assert_true(shop->runtime && shop->metrics && shop->resource && shop->exporter);
    assert_int_equal(pawl_metrics_attach(shop->metrics, runtime, NULL), PAWL_OK);
}

static int open_shop(void **state) {
    static struct shop shop;
    memset(&shop, 0, sizeof shop);
    open_with(&shop, virtual_runtime(&shop.time));
    *state = &shop;
    return 0;
}

static int open_real_shop(void **state) {
    static struct shop shop;
    memset(&shop, 0, sizeof shop);
    open_with(&shop, pawl_runtime_new(NULL, NULL));
    *state = &shop;
    return 0;
}

static int close_shop(void **state) {
    struct shop *shop = *state;
    pawl_exporter_unref(shop->exporter);
    pawl_resource_unref(shop->resource);
    pawl_metrics_unref(shop->metrics);
    pawl_runtime_unref(shop->runtime);
    assert_int_equal(shop->memory.destroys, 1);
    pthread_mutex_destroy(&shop->memory.lock);
    pthread_cond_destroy(&shop->memory.changed);
    return 0;
}

static pawl_status begin(struct shop *shop, pawl_metrics_export_options options) {
    options.size = sizeof options;
    options.exporters = &shop->exporter;
    options.exporter_count = 1;
    options.resource = shop->resource;
    return pawl_metrics_export_start(shop->metrics, &options, NULL);
}

static void await_exports(struct memory *m, size_t count) {
    pthread_mutex_lock(&m->lock);
    while (m->exports < count)
        pthread_cond_wait(&m->changed, &m->lock);
    pthread_mutex_unlock(&m->lock);
}

static void measure(struct shop *shop, const pawl_instrument *instrument, double value) {
    pawl_runtime_measure(shop->runtime, instrument, value, NULL, 0);
}

static void flush(struct shop *shop) {
    assert_int_equal(pawl_runtime_flush(shop->runtime, PAWL_S(10), NULL), PAWL_OK);
}

static void nap(struct shop *shop, uint64_t duration_ns) {
    assert_int_equal(run_once(shop->runtime, sleeper("nap", duration_ns)), PAWL_OK);
}

/* ---- totals and differences ---- */

static void totals_are_repeated_with_the_same_start(void **state) {
    struct shop *shop = *state;
    assert_int_equal(begin(shop, (pawl_metrics_export_options){0}), PAWL_OK);
    measure(shop, &orders, 2);
    flush(shop);
    struct reading first = shop->memory.orders;
    shop->time.now_ns = PAWL_S(5);
    flush(shop);
    struct reading second = shop->memory.orders;
    assert_true(first.value == 2 && second.value == 2 && !second.is_delta);
    assert_int_equal(first.start_unix_ns, second.start_unix_ns);
    assert_int_equal(second.time_unix_ns - first.time_unix_ns, PAWL_S(5));
}

static void differences_begin_where_the_last_ended_and_leave_out_what_did_not_change(void **state) {
    struct shop *shop = *state;
    assert_int_equal(begin(shop, (pawl_metrics_export_options){.temporality = PAWL_TEMPORALITY_DELTA}), PAWL_OK);
    measure(shop, &orders, 2);
    measure(shop, &waits, 7);
    measure(shop, &waits, 70);
    measure(shop, &sizes, 1.5);
    measure(shop, &queue, 4);
    measure(shop, &heat, 20);
    flush(shop);
    assert_true(shop->memory.orders.value == 2 && shop->memory.orders.is_delta);
    assert_true(shop->memory.waits.count == 2 && shop->memory.waits.sum == 77 && shop->memory.sizes.count == 1);
    shop->time.now_ns = PAWL_S(5);
    measure(shop, &orders, 3);
    measure(shop, &waits, 8);
    measure(shop, &sizes, 1000);
    measure(shop, &queue, -1);
    flush(shop);
    struct memory *m = &shop->memory;
    assert_true(m->orders.value == 3 && m->orders.start_unix_ns == PAWL_S(1700000000));
    assert_true(m->waits.count == 1 && m->waits.sum == 8 && m->waits.buckets[2] == 1 && m->waits.is_delta);
    assert_true(m->waits.min != m->waits.min); /* not known of a difference */
    assert_true(m->sizes.count == 1 && m->sizes.sum == 1000 && m->sizes.bucket_count == 1);
    assert_true(m->queue.value == 3 && !m->queue.is_delta);
    assert_true(m->heat.value == 20 && !m->heat.is_delta);
    flush(shop);
    assert_false(m->orders.found || m->waits.found || m->sizes.found);
    assert_true(m->queue.found && m->heat.found);
}

/* Collectors take a sum for one that only grows. */
static void differences_of_what_was_negative_have_no_sum(void **state) {
    struct shop *shop = *state;
    assert_int_equal(begin(shop, (pawl_metrics_export_options){.temporality = PAWL_TEMPORALITY_DELTA}), PAWL_OK);
    measure(shop, &waits, -7);
    measure(shop, &sizes, -1.5);
    measure(shop, &sizes, 2);
    flush(shop);
    assert_true(shop->memory.waits.count == 1 && isnan(shop->memory.waits.sum));
    assert_true(shop->memory.sizes.count == 2 && isnan(shop->memory.sizes.sum));
    measure(shop, &sizes, 2);
    flush(shop);
    assert_true(shop->memory.sizes.count == 1 && shop->memory.sizes.sum == 2);
}

static void report(void *user, pawl_observation *observation) {
    pawl_observation_report(observation, *(double *)user, NULL, 0);
}

/* Windows of one metric lie side by side, whatever was measured when. */
static void all_differences_of_a_metric_begin_together(void **state) {
    struct shop *shop = *state;
    assert_int_equal(begin(shop, (pawl_metrics_export_options){.temporality = PAWL_TEMPORALITY_DELTA}), PAWL_OK);
    pawl_attribute late = pawl_attribute_string("shop", "late");
    pawl_runtime_measure(shop->runtime, &orders, 1, &late, 1);
    shop->time.now_ns = PAWL_S(2);
    flush(shop);
    shop->time.now_ns = PAWL_S(6);
    measure(shop, &orders, 3);
    measure(shop, &waits, 3);
    shop->time.now_ns = PAWL_S(9);
    flush(shop);
    assert_int_equal(shop->memory.orders.start_unix_ns, PAWL_S(1700000002));
    assert_int_equal(shop->memory.waits.start_unix_ns, PAWL_S(1700000006)); /* a new instrument */
}

static void an_observed_total_is_a_difference_unless_memory_is_to_be_spared(void **state) {
    struct shop *shop = *state;
    double value = 10;
    assert_int_equal(pawl_metrics_observe(shop->metrics, &seen, report, &value, NULL), PAWL_OK);
    assert_int_equal(begin(shop, (pawl_metrics_export_options){.temporality = PAWL_TEMPORALITY_DELTA}), PAWL_OK);
    flush(shop);
    assert_true(shop->memory.seen.value == 10);
    value = 14;
    flush(shop);
    assert_true(shop->memory.seen.value == 4);
    value = 3; /* whoever counts began anew */
    flush(shop);
    assert_true(shop->memory.seen.value == 3);
    pawl_metrics_unobserve(shop->metrics, report, &value);
}

static void an_observed_total_stays_a_total_with_low_memory(void **state) {
    struct shop *shop = *state;
    double value = 10;
    assert_int_equal(pawl_metrics_observe(shop->metrics, &seen, report, &value, NULL), PAWL_OK);
    assert_int_equal(begin(shop, (pawl_metrics_export_options){.temporality = PAWL_TEMPORALITY_LOW_MEMORY}), PAWL_OK);
    measure(shop, &orders, 1);
    flush(shop);
    value = 14;
    flush(shop);
    assert_true(shop->memory.seen.value == 14 && !shop->memory.seen.is_delta);
    assert_false(shop->memory.orders.found);
    pawl_metrics_unobserve(shop->metrics, report, &value);
}

static void each_reader_has_its_own_differences(void **state) {
    struct shop *shop = *state;
    static struct memory other = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    pawl_exporter *second = pawl_exporter_new(&memory_vtable, &other, NULL);
    assert_int_equal(begin(shop, (pawl_metrics_export_options){.temporality = PAWL_TEMPORALITY_DELTA}), PAWL_OK);
    measure(shop, &orders, 2);
    flush(shop);
    assert_int_equal(pawl_metrics_export(shop->metrics, NULL, .exporters = &second, .exporter_count = 1,
                                         .resource = shop->resource, .temporality = PAWL_TEMPORALITY_DELTA,
                                         .end_timeout_ns = PAWL_ZERO),
                     PAWL_OK);
    measure(shop, &orders, 3);
    flush(shop);
    assert_true(shop->memory.orders.value == 3 && other.orders.value == 5);
    pawl_exporter_unref(second);
    assert_true(read_value(shop->metrics, "orders", "") == 5);
}

/* ---- when ---- */

static void in_virtual_time_it_exports_when_a_node_ends_after_the_interval(void **state) {
    struct shop *shop = *state;
    assert_int_equal(begin(shop, (pawl_metrics_export_options){.interval_ns = PAWL_S(10)}), PAWL_OK);
    nap(shop, PAWL_S(9));
    assert_int_equal(shop->memory.exports, 0);
    nap(shop, PAWL_S(1));
    assert_int_equal(shop->memory.exports, 1);
    nap(shop, PAWL_S(9));
    assert_int_equal(shop->memory.exports, 1);
    nap(shop, PAWL_S(100));
    assert_int_equal(shop->memory.exports, 2);
}

struct trip {
    struct shop *shop;
    size_t exports_seen;
};

static pawl_status pass_time(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    (void)ctx, (void)in, (void)ret_out, (void)err;
    ((struct trip *)user)->shop->time.now_ns += PAWL_S(11);
    return PAWL_OK;
}

static pawl_status look(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    (void)ctx, (void)in, (void)ret_out, (void)err;
    struct trip *trip = user;
    trip->exports_seen = trip->shop->memory.exports;
    return PAWL_OK;
}

static pawl_sample keep_none(void *self, const pawl_sampling *question, char **ret_tracestate) {
    (void)self, (void)question, (void)ret_tracestate;
    return PAWL_SAMPLE_DROP;
}

/* Without exemplars, which each have to be looked at. */
static void sample_nothing(pawl_runtime *runtime) {
    static const pawl_observer_vtable vtable = {.size = sizeof vtable, .sample = keep_none};
    assert_int_equal(pawl_runtime_add_observer(runtime, &vtable, NULL, NULL), PAWL_OK);
}

static void a_node_known_from_a_real_runtime_exports_in_virtual_time_too(void **state) {
    struct shop *shop = *state;
    struct trip trip = {.shop = shop};
    pawl_primitive *node =
        pawl_sequential("work", pawl_inline("pass", pass_time, &trip), pawl_inline("look", look, &trip));
    sample_nothing(shop->runtime);
    assert_int_equal(run_once(shop->runtime, pawl_primitive_ref(node)), PAWL_OK);
    pawl_runtime_unref(shop->runtime);
    shop->runtime = virtual_runtime(&shop->time);
    sample_nothing(shop->runtime);
    assert_int_equal(pawl_metrics_attach(shop->metrics, shop->runtime, NULL), PAWL_OK);
    assert_int_equal(begin(shop, (pawl_metrics_export_options){.interval_ns = PAWL_S(10)}), PAWL_OK);
    assert_int_equal(run_once(shop->runtime, node), PAWL_OK);
    assert_int_equal(trip.exports_seen, 1);
}

static void differences_of_durations_are_right_too(void **state) {
    struct shop *shop = *state;
    assert_int_equal(begin(shop, (pawl_metrics_export_options){.temporality = PAWL_TEMPORALITY_DELTA}), PAWL_OK);
    nap(shop, PAWL_MS(200));
    flush(shop);
    assert_true(shop->memory.naps.count == 1 && shop->memory.naps.buckets[9] == 1);
    nap(shop, PAWL_S(2));
    flush(shop);
    assert_true(shop->memory.naps.count == 1 && shop->memory.naps.sum == 2 && shop->memory.naps.buckets[12] == 1);
    assert_true(shop->memory.nap_count.value == 1 && shop->memory.nap_count.is_delta);
}

static void a_last_time_when_the_runtime_ends_and_never_after(void **state) {
    struct shop *shop = *state;
    assert_int_equal(begin(shop, (pawl_metrics_export_options){.end_timeout_ns = PAWL_S(2)}), PAWL_OK);
    measure(shop, &orders, 2);
    shop->runtime = pawl_runtime_unref(shop->runtime);
    assert_int_equal(shop->memory.exports, 1);
    assert_true(shop->memory.orders.value == 2);
    assert_in_range(shop->memory.timeout_ns, PAWL_S(1), PAWL_S(2));
    assert_int_equal(pawl_metrics_flush(shop->metrics, PAWL_S(1), NULL), PAWL_OK);
    assert_int_equal(shop->memory.exports, 1);
    assert_int_equal(shop->memory.orders.time_unix_ns, PAWL_S(1700000000)); /* still on the runtime's clock */
}

static void a_thread_exports_every_interval_and_once_more_at_the_end(void **state) {
    struct shop *shop = *state;
    struct memory *m = &shop->memory;
    measure(shop, &orders, 2);
    assert_int_equal(begin(shop, (pawl_metrics_export_options){.interval_ns = PAWL_MS(1)}), PAWL_OK);
    await_exports(m, 3);
    shop->runtime = pawl_runtime_unref(shop->runtime);
    size_t exports = m->exports;
    assert_true(exports >= 4 && m->orders.value == 2 && m->most_inside == 1);
}

static void a_flush_waits_for_an_export_of_its_own(void **state) {
    struct shop *shop = *state;
    assert_int_equal(begin(shop, (pawl_metrics_export_options){.interval_ns = PAWL_UNLIMITED}), PAWL_OK);
    for (int i = 1; i <= 3; i++) {
        measure(shop, &orders, 1);
        flush(shop);
        assert_true(shop->memory.orders.value == i);
    }
}

/* ---- trouble ---- */

static void an_exporter_that_hangs_holds_up_nobody_and_is_cancelled_at_the_end(void **state) {
    struct shop *shop = *state;
    shop->memory.blocks = true;
    measure(shop, &orders, 1);
    assert_int_equal(
        begin(shop, (pawl_metrics_export_options){.interval_ns = PAWL_UNLIMITED, .end_timeout_ns = PAWL_MS(1)}),
        PAWL_OK);
    pawl_error *err = NULL;
    assert_int_equal(pawl_metrics_flush(shop->metrics, PAWL_MS(1), &err), PAWL_E_TIMEOUT);
    pawl_error_unref(err);
    await_exports(&shop->memory, 1);
    measure(shop, &orders, 1);
    assert_true(read_value(shop->metrics, "orders", "") == 2); /* other readers go on */
    shop->runtime = pawl_runtime_unref(shop->runtime);
    assert_true(shop->memory.cancelled);
}

/* Takes the second that it is given to come back. */
static void the_end_leaves_an_exporter_that_does_not_come_back(void **state) {
    struct shop *shop = *state;
    struct memory *m = &shop->memory;
    m->blocks = m->ignores_cancel = true;
    measure(shop, &orders, 1);
    assert_int_equal(begin(shop, (pawl_metrics_export_options){.interval_ns = PAWL_MS(1), .end_timeout_ns = PAWL_ZERO}),
                     PAWL_OK);
    await_exports(m, 1);
    shop->runtime = pawl_runtime_unref(shop->runtime);
    assert_int_equal(pawl_metrics_flush(shop->metrics, PAWL_MS(1), NULL), PAWL_E_TIMEOUT);
    shop->metrics = pawl_metrics_unref(shop->metrics);
    shop->exporter = pawl_exporter_unref(shop->exporter);
    pthread_mutex_lock(&m->lock);
    assert_int_equal(m->destroys, 0);
    m->cancelled = true;
    pthread_cond_broadcast(&m->changed);
    while (m->destroys == 0)
        pthread_cond_wait(&m->changed, &m->lock);
    pthread_mutex_unlock(&m->lock);
    assert_int_equal(m->exports, 1);
}

static void without_a_last_export_the_exporter_is_left_in_peace(void **state) {
    struct shop *shop = *state;
    measure(shop, &orders, 1);
    assert_int_equal(begin(shop, (pawl_metrics_export_options){.end_timeout_ns = PAWL_ZERO}), PAWL_OK);
    flush(shop);
    shop->runtime = pawl_runtime_unref(shop->runtime);
    assert_true(shop->memory.exports == 1 && !shop->memory.cancelled);
}

static void a_failed_export_is_told_and_counted(void **state) {
    struct shop *shop = *state;
    shop->memory.gives = PAWL_E_UNAVAILABLE;
    measure(shop, &orders, 1);
    assert_int_equal(begin(shop, (pawl_metrics_export_options){.temporality = 0}), PAWL_OK);
    pawl_error *err = NULL;
    assert_int_equal(pawl_runtime_flush(shop->runtime, PAWL_S(1), &err), PAWL_E_UNAVAILABLE);
    assert_string_equal(pawl_error_message(err), "nobody there");
    pawl_error_unref(err);
    assert_true(read_value(shop->metrics, "otel.sdk.exporter.metric_data_point.exported",
                           "error.type=unavailable,otel.component.type=memory") == 1);
}

static void an_export_without_points_is_not_made(void **state) {
    struct shop *shop = *state;
    assert_int_equal(begin(shop, (pawl_metrics_export_options){.temporality = 0}), PAWL_OK);
    flush(shop);
    assert_int_equal(shop->memory.exports, 0);
}

static void options_are_checked(void **state) {
    struct shop *shop = *state;
    pawl_exporter *none = NULL;
    pawl_metrics *m = shop->metrics;
    assert_int_equal(pawl_metrics_export(m, NULL, .exporters = NULL), PAWL_E_INVALID);
    assert_int_equal(pawl_metrics_export(m, NULL, .exporters = &none, .exporter_count = 1, .resource = shop->resource),
                     PAWL_E_INVALID);
    assert_int_equal(pawl_metrics_export(m, NULL, .exporters = &shop->exporter, .exporter_count = 1), PAWL_E_INVALID);
    assert_int_equal(
        pawl_metrics_export(m, NULL, .exporters = &shop->exporter, .exporter_count = 9, .resource = shop->resource),
        PAWL_E_INVALID);
    assert_int_equal(begin(shop, (pawl_metrics_export_options){.temporality = 3}), PAWL_E_INVALID);
    assert_int_equal(begin(shop, (pawl_metrics_export_options){.interval_ns = 1}), PAWL_E_INVALID);
    assert_int_equal(begin(shop, (pawl_metrics_export_options){.interval_ns = PAWL_ZERO}), PAWL_E_INVALID);
    assert_int_equal(begin(shop, (pawl_metrics_export_options){.timeout_ns = PAWL_ZERO}), PAWL_E_INVALID);
    for (int i = 0; i < 8; i++)
        assert_int_equal(begin(shop, (pawl_metrics_export_options){.end_timeout_ns = PAWL_ZERO}), PAWL_OK);
    assert_int_equal(begin(shop, (pawl_metrics_export_options){.end_timeout_ns = PAWL_ZERO}), PAWL_E_LIMIT);
    assert_int_equal(pawl_metrics_flush(NULL, 0, NULL), PAWL_E_INVALID);
}

/* A difference that could not be handed out for want of memory is in the next one. */
static void lacking_memory_loses_no_difference(void **state) {
    struct shop *shop = *state;
    assert_int_equal(begin(shop, (pawl_metrics_export_options){.temporality = PAWL_TEMPORALITY_DELTA}), PAWL_OK);
    double total = 0, made = 0;
    for (size_t n = 1; n < 12; n++) {
        measure(shop, &orders, 1);
        measure(shop, &sizes, 3);
        made++;
        shop->memory.orders.found = false;
        size_t exports = shop->memory.exports;
        fail_allocation_at(n);
        (void)pawl_metrics_flush(shop->metrics, PAWL_S(1), NULL);
        allow_allocations();
        if (shop->memory.exports > exports)
            total += shop->memory.orders.value;
    }
    measure(shop, &orders, 1);
    flush(shop);
    assert_true(total + shop->memory.orders.value == made + 1);
}

#define IN_SHOP(test) cmocka_unit_test_setup_teardown(test, open_shop, close_shop)
#define IN_REAL_SHOP(test) cmocka_unit_test_setup_teardown(test, open_real_shop, close_shop)

int main(void) {
    const struct CMUnitTest tests[] = {
        IN_SHOP(totals_are_repeated_with_the_same_start),
        IN_SHOP(differences_begin_where_the_last_ended_and_leave_out_what_did_not_change),
        IN_SHOP(differences_of_what_was_negative_have_no_sum),
        IN_SHOP(all_differences_of_a_metric_begin_together),
        IN_SHOP(an_observed_total_is_a_difference_unless_memory_is_to_be_spared),
        IN_SHOP(an_observed_total_stays_a_total_with_low_memory),
        IN_SHOP(each_reader_has_its_own_differences),
        IN_SHOP(in_virtual_time_it_exports_when_a_node_ends_after_the_interval),
        IN_REAL_SHOP(a_node_known_from_a_real_runtime_exports_in_virtual_time_too),
        IN_SHOP(differences_of_durations_are_right_too),
        IN_SHOP(a_last_time_when_the_runtime_ends_and_never_after),
        IN_REAL_SHOP(a_thread_exports_every_interval_and_once_more_at_the_end),
        IN_REAL_SHOP(a_flush_waits_for_an_export_of_its_own),
        IN_REAL_SHOP(an_exporter_that_hangs_holds_up_nobody_and_is_cancelled_at_the_end),
        IN_REAL_SHOP(the_end_leaves_an_exporter_that_does_not_come_back),
        IN_REAL_SHOP(without_a_last_export_the_exporter_is_left_in_peace),
        IN_SHOP(a_failed_export_is_told_and_counted),
        IN_SHOP(an_export_without_points_is_not_made),
        IN_SHOP(options_are_checked),
        IN_SHOP(lacking_memory_loses_no_difference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
