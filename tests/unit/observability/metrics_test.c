/* Metrics of users' instruments: kinds, series, bounds, what is refused, callbacks. */
#include "failing_malloc.h"
#include "leaves.h"
#include "reading.h"
#include "shop.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static const pawl_instrument orders = {
    .size = sizeof orders, .name = "shop.orders", .unit = "{order}", .description = "Orders", .kind = PAWL_COUNTER};
static const pawl_instrument queue = {.size = sizeof queue, .name = "shop.queue", .kind = PAWL_UP_DOWN_COUNTER};
static const pawl_instrument heat = {.size = sizeof heat, .name = "shop.heat", .unit = "Cel", .kind = PAWL_GAUGE};
static const double bounds[] = {1, 2, 5};
static const pawl_instrument waits = {
    .size = sizeof waits, .name = "shop.wait", .unit = "s", .kind = PAWL_HISTOGRAM, .bounds = bounds, .bound_count = 3};
static const pawl_instrument sizes = {.size = sizeof sizes, .name = "shop.size", .kind = PAWL_EXPONENTIAL_HISTOGRAM};

static pawl_series *series(struct shop *shop, const pawl_instrument *instrument) {
    pawl_series *made = pawl_metrics_series(shop->metrics, instrument, NULL, 0, NULL);
    assert_non_null(made);
    return made;
}

/* ---- kinds ---- */

static void a_counter_adds_up_and_refuses_what_is_negative(void **state) {
    struct shop *shop = *state;
    pawl_series_add(series(shop, &orders), 2, NULL);
    pawl_series_add(series(shop, &orders), 3, NULL);
    pawl_series_add(series(shop, &orders), -1, NULL);
    struct reading r = read_metrics(shop->metrics, "shop.orders", "");
    assert_true(r.value == 5 && r.is_integer && r.kind == PAWL_COUNTER);
    assert_true(read_value(shop->metrics, "pawl.metrics.dropped", "pawl.drop.reason=negative") == 1);
}

static void what_is_counted_is_whole_until_it_is_not(void **state) {
    struct shop *shop = *state;
    pawl_series_add(series(shop, &orders), 1, NULL);
    assert_true(read_metrics(shop->metrics, "shop.orders", "").is_integer);
    pawl_series_add(series(shop, &orders), 0.5, NULL);
    assert_false(read_metrics(shop->metrics, "shop.orders", "").is_integer);
    pawl_series_add(series(shop, &orders), 0.5, NULL);
    assert_false(read_metrics(shop->metrics, "shop.orders", "").is_integer);
}

static void an_up_down_counter_may_fall(void **state) {
    struct shop *shop = *state;
    pawl_series_add(series(shop, &queue), 2, NULL);
    pawl_series_add(series(shop, &queue), -3, NULL);
    assert_true(read_value(shop->metrics, "shop.queue", "") == -1);
}

static void of_a_gauge_the_last_value_counts(void **state) {
    struct shop *shop = *state;
    assert_false(read_metrics(shop->metrics, "shop.heat", "").found);
    pawl_series_record(series(shop, &heat), 21.5, NULL);
    pawl_series_record(series(shop, &heat), -4, NULL);
    assert_true(read_value(shop->metrics, "shop.heat", "") == -4);
}

static void a_histogram_has_buckets_inclusive_above_sum_and_extremes(void **state) {
    struct shop *shop = *state;
    const double values[] = {0.5, 1, 1.5, 2, 5, 5.5, -1};
    for (size_t i = 0; i < 7; i++)
        pawl_series_record(series(shop, &waits), values[i], NULL);
    struct reading r = read_metrics(shop->metrics, "shop.wait", "");
    assert_int_equal(r.bucket_count, 4);
    assert_true(r.buckets[0] == 3 && r.buckets[1] == 2 && r.buckets[2] == 1 && r.buckets[3] == 1);
    assert_true(r.count == 7 && r.sum == 14.5 && r.min == -1 && r.max == 5.5);
}

static void an_exponential_histogram_follows_its_data(void **state) {
    struct shop *shop = *state;
    const double values[] = {1, 2, 4, 8, 0, -8};
    for (size_t i = 0; i < 6; i++)
        pawl_series_record(series(shop, &sizes), values[i], NULL);
    struct reading r = read_metrics(shop->metrics, "shop.size", "");
    assert_true(r.scale == 5 && r.offset == -1 && r.bucket_count == 97);
    assert_true(r.buckets[0] == 1 && r.buckets[32] == 1 && r.buckets[64] == 1 && r.buckets[96] == 1);
    assert_true(r.count == 6 && r.zero_count == 1 && r.negative_count == 1 && r.min == -8 && r.max == 8);
}

static void what_is_not_finite_is_counted_and_not_taken(void **state) {
    struct shop *shop = *state;
    pawl_series_record(series(shop, &waits), NAN, NULL);
    pawl_series_record(series(shop, &heat), INFINITY, NULL);
    pawl_runtime_measure(shop->runtime, &orders, -INFINITY, NULL, 0);
    assert_true(read_value(shop->metrics, "pawl.metrics.dropped", "pawl.drop.reason=not_finite") == 3);
    assert_false(read_metrics(shop->metrics, "shop.wait", "").found);
    assert_false(read_metrics(shop->metrics, "shop.heat", "").found);
}

static void nothing_is_shown_that_nothing_feeds(void **state) {
    struct shop *shop = *state;
    series(shop, &orders);
    assert_false(read_metrics(shop->metrics, "shop.orders", "").found);
    assert_false(read_metrics(shop->metrics, "pawl.metrics.dropped", NULL).found);
    assert_false(read_metrics(shop->metrics, "pawl.primitive.duration", NULL).found);
}

static void times_are_those_of_the_runtime(void **state) {
    struct shop *shop = *state;
    shop->time.now_ns = PAWL_S(5);
    pawl_series_add(series(shop, &orders), 1, NULL);
    shop->time.now_ns = PAWL_S(9);
    struct reading r = read_metrics(shop->metrics, "shop.orders", "");
    assert_int_equal(r.start_unix_ns, PAWL_S(1700000005));
    assert_int_equal(r.time_unix_ns, PAWL_S(1700000009));
}

/* ---- series ---- */

static void measure(struct shop *shop, double value, const pawl_attribute *attributes, size_t count) {
    pawl_runtime_measure(shop->runtime, &orders, value, attributes, count);
}

static void attributes_make_the_series_whatever_their_order(void **state) {
    struct shop *shop = *state;
    pawl_attribute ab[] = {pawl_attribute_string("a", "x"), pawl_attribute_int("b", 7)};
    pawl_attribute ba[] = {pawl_attribute_int("b", 7), pawl_attribute_string("a", "x")};
    pawl_attribute twice[] = {pawl_attribute_string("a", "old"), pawl_attribute_int("b", 7),
                              pawl_attribute_string("a", "x")};
    pawl_attribute other[] = {pawl_attribute_string("a", "x"), pawl_attribute_double("b", 7)};
    for (int i = 0; i < 2; i++) { /* the second time from the cache */
        measure(shop, 1, ab, 2);
        measure(shop, 10, ba, 2);
        measure(shop, 100, twice, 3);
        measure(shop, 1000, other, 2);
    }
    pawl_series_add(pawl_metrics_series(shop->metrics, &orders, ba, 2, NULL), 10000, NULL);
    struct reading r = read_metrics(shop->metrics, "shop.orders", "a=x,b=7");
    assert_true(r.value == 10222);
    assert_int_equal(r.points, 2); /* an int is no double */
}

/* The cache must not believe an address: what it leads to is compared. */
static void a_buffer_with_another_text_is_another_series(void **state) {
    struct shop *shop = *state;
    char key[8] = "k", text[8] = "one";
    pawl_attribute attribute = pawl_attribute_string(key, text);
    measure(shop, 1, &attribute, 1);
    strcpy(text, "two");
    measure(shop, 2, &attribute, 1);
    strcpy(key, "q");
    measure(shop, 4, &attribute, 1);
    pawl_instrument other = orders;
    char name[16] = "first";
    other.name = name;
    pawl_runtime_measure(shop->runtime, &other, 8, NULL, 0);
    strcpy(name, "second");
    pawl_runtime_measure(shop->runtime, &other, 16, NULL, 0);
    assert_true(read_value(shop->metrics, "shop.orders", "k=one") == 1);
    assert_true(read_value(shop->metrics, "shop.orders", "k=two") == 2);
    assert_true(read_value(shop->metrics, "shop.orders", "q=two") == 4);
    assert_true(read_value(shop->metrics, "first", "") == 8);
    assert_true(read_value(shop->metrics, "second", "") == 16);
}

static void texts_become_valid_and_bounded(void **state) {
    struct shop *shop = *state;
    char longest[3000];
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    for (int i = 0; i < 2; i++) {
        measure(shop, 1, (pawl_attribute[]){pawl_attribute_string("k", "a\xff")}, 1);
        measure(shop, 1, (pawl_attribute[]){pawl_attribute_string("k", longest)}, 1);
        measure(shop, 1, (pawl_attribute[]){pawl_attribute_string("k", NULL)}, 1);
    }
    assert_true(read_value(shop->metrics, "shop.orders", "k=a\xEF\xBF\xBD") == 2);
    assert_true(read_value(shop->metrics, "shop.orders", "k=") == 2);
    assert_int_equal(read_metrics(shop->metrics, "shop.orders", NULL).points, 3);
}

static void names_differ_without_regard_to_case_and_kinds_and_units_are_kept_apart(void **state) {
    struct shop *shop = *state;
    pawl_instrument upper = orders, unit = orders, kind = orders;
    upper.name = "SHOP.Orders";
    unit.unit = "s";
    kind.kind = PAWL_UP_DOWN_COUNTER;
    assert_ptr_equal(series(shop, &upper), series(shop, &orders));
    assert_ptr_not_equal(series(shop, &unit), series(shop, &orders));
    assert_ptr_not_equal(series(shop, &kind), series(shop, &orders));
}

static void beyond_the_limit_there_is_one_series_for_all(void **state) {
    (void)state;
    pawl_metrics *metrics = pawl_metrics_with(NULL, .max_series = 3);
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 10; i++) {
            pawl_attribute attribute = pawl_attribute_int("i", i);
            pawl_series_add(pawl_metrics_series(metrics, &orders, &attribute, 1, NULL), 1, NULL);
        }
    assert_int_equal(read_metrics(metrics, "shop.orders", NULL).points, 4);
    assert_true(read_value(metrics, "shop.orders", "i=2") == 2);
    assert_true(read_value(metrics, "shop.orders", "otel.metric.overflow=true") == 14);
    pawl_metrics_unref(metrics);
}

static void refused(pawl_metrics *metrics, pawl_instrument instrument, size_t attributes, pawl_status status) {
    pawl_attribute many[65];
    char keys[65][8];
    pawl_error *err = NULL;
    for (int i = 0; i < 65; i++) {
        snprintf(keys[i], sizeof keys[i], "k%d", i);
        many[i] = pawl_attribute_int(keys[i], i);
    }
    assert_null(pawl_metrics_series(metrics, &instrument, many, attributes, &err));
    assert_int_equal(pawl_error_status(err), status);
    pawl_error_unref(err);
}

static void tells_what_is_wrong_with_an_instrument(void **state) {
    struct shop *shop = *state;
    pawl_instrument i = orders;
    char longest[258];
    memset(longest, 'x', sizeof longest - 1);
    longest[257] = '\0';
    const char *const names[] = {NULL, "", "1st", "_x", "a b", "a\xC3\xA4", longest + 1};
    for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
        i.name = names[n];
        refused(shop->metrics, i, 0, PAWL_E_INVALID);
    }
    i = orders;
    i.unit = longest + 257 - 64;
    refused(shop->metrics, i, 0, PAWL_E_INVALID);
    i.unit = "\n";
    refused(shop->metrics, i, 0, PAWL_E_INVALID);
    i = orders;
    i.kind = 9;
    refused(shop->metrics, i, 0, PAWL_E_INVALID);
    i = waits;
    i.bounds = (double[]){2, 1};
    i.bound_count = 2;
    refused(shop->metrics, i, 0, PAWL_E_INVALID);
    refused(shop->metrics, orders, 65, PAWL_E_LIMIT);
    refused(NULL, orders, 0, PAWL_E_INVALID);
    i.size = 3;
    pawl_runtime_measure(shop->runtime, &i, 1, NULL, 0);
    measure(shop, 1, (pawl_attribute[]){pawl_attribute_int("", 1)}, 1);
    assert_true(read_value(shop->metrics, "pawl.metrics.dropped", "pawl.drop.reason=invalid") == 2);
    assert_non_null(
        pawl_metrics_series(shop->metrics, &(pawl_instrument){.size = sizeof i, .name = longest + 2}, NULL, 0, NULL));
}

static void there_are_1000_instruments_at_most(void **state) {
    struct shop *shop = *state;
    pawl_error *err = NULL;
    char name[16];
    int made = 0;
    for (; made < 2000 && !err; made++) {
        snprintf(name, sizeof name, "i%d", made);
        pawl_instrument i = {.size = sizeof i, .name = name};
        (void)pawl_metrics_series(shop->metrics, &i, NULL, 0, &err);
    }
    assert_int_equal(pawl_error_status(err), PAWL_E_LIMIT);
    assert_in_range(made, 900, 1001);
    pawl_error_unref(err);
}

/* ---- callbacks ---- */

static void report_two(void *user, pawl_observation *observation) {
    double *value = user;
    pawl_attribute attribute = pawl_attribute_string("where", "left");
    pawl_observation_report(observation, *value, &attribute, 1);
    if (*value > 1)
        pawl_observation_report(observation, *value * 10, NULL, 0);
    pawl_observation_report(observation, NAN, NULL, 0);
}

static void callbacks_are_asked_at_each_collection_until_they_are_forgotten(void **state) {
    struct shop *shop = *state;
    double value = 2;
    assert_int_equal(pawl_metrics_observe(shop->metrics, &heat, report_two, &value, NULL), PAWL_OK);
    assert_true(read_value(shop->metrics, "shop.heat", "where=left") == 2);
    assert_true(read_value(shop->metrics, "shop.heat", "") == 20);
    value = 1;
    assert_true(read_value(shop->metrics, "shop.heat", "where=left") == 1);
    assert_false(read_metrics(shop->metrics, "shop.heat", "").found); /* not reported this time */
    pawl_metrics_unobserve(shop->metrics, report_two, &value);
    assert_false(read_metrics(shop->metrics, "shop.heat", NULL).found);
    assert_int_equal(pawl_metrics_observe(shop->metrics, &waits, report_two, &value, NULL), PAWL_E_INVALID);
    assert_int_equal(pawl_metrics_observe(shop->metrics, &heat, NULL, &value, NULL), PAWL_E_INVALID);
}

static void report_many(void *user, pawl_observation *observation) {
    (void)user;
    for (int i = 0; i < 5; i++)
        pawl_observation_report(observation, 1, (pawl_attribute[]){pawl_attribute_int("i", i)}, 1);
}

/* "a" always, "b" from the second time on */
static void report_more(void *user, pawl_observation *observation) {
    int *calls = user;
    pawl_attribute attribute = pawl_attribute_string("key", "a");
    pawl_observation_report(observation, 7, &attribute, 1);
    attribute = pawl_attribute_string("key", "b");
    if (++*calls > 1)
        pawl_observation_report(observation, 7, &attribute, 1);
}

/* What has been counted by somebody else was not counted in the moment of reading. */
static void an_observed_total_starts_when_it_could_first_have_been_there(void **state) {
    struct shop *shop = *state;
    int calls = 0;
    shop->time.now_ns = PAWL_S(2);
    assert_int_equal(pawl_metrics_observe(shop->metrics, &orders, report_more, &calls, NULL), PAWL_OK);
    for (uint64_t s = 5; s <= 12; s += 3) {
        shop->time.now_ns = PAWL_S(s);
        struct reading a = read_metrics(shop->metrics, "shop.orders", "key=a");
        assert_true(a.start_unix_ns == PAWL_S(1700000002) && a.time_unix_ns == PAWL_S(1700000000 + s));
    }
    /* the second collection, at 8 s, was the first to have it */
    assert_int_equal(read_metrics(shop->metrics, "shop.orders", "key=b").start_unix_ns, PAWL_S(1700000005));
    pawl_metrics_unobserve(shop->metrics, report_more, &calls);
}

static void observed_values_beyond_the_limit_are_added_up_anew_each_time(void **state) {
    (void)state;
    pawl_metrics *metrics = pawl_metrics_with(NULL, .max_series = 2);
    assert_int_equal(pawl_metrics_observe(metrics, &heat, report_many, NULL, NULL), PAWL_OK);
    for (int i = 0; i < 3; i++)
        assert_true(read_value(metrics, "shop.heat", "otel.metric.overflow=true") == 3);
    pawl_metrics_unref(metrics);
}

/* ---- life ---- */

static void options_are_checked(void **state) {
    (void)state;
    pawl_error *err = NULL;
    assert_null(pawl_metrics_with(&err, .max_series = 100001));
    assert_int_equal(pawl_error_status(err), PAWL_E_INVALID);
    pawl_error_unref(err);
    assert_int_equal(pawl_metrics_attach(NULL, NULL, NULL), PAWL_E_INVALID);
    assert_int_equal(pawl_metrics_collect(NULL, NULL, NULL, NULL), PAWL_E_INVALID);
    pawl_series_add(NULL, 1, NULL);
    pawl_metrics_unref(NULL);
}

static void several_runtimes_share_the_series_and_none_is_joined_late(void **state) {
    struct shop *shop = *state;
    struct fake_clock time = {.now_ns = 0};
    pawl_runtime *second = virtual_runtime(&time);
    assert_int_equal(pawl_metrics_attach(shop->metrics, second, NULL), PAWL_OK);
    pawl_runtime_measure(shop->runtime, &orders, 1, NULL, 0);
    pawl_runtime_measure(second, &orders, 2, NULL, 0);
    pawl_runtime_unref(second);
    assert_true(read_value(shop->metrics, "shop.orders", "") == 3);
    pawl_context *ctx = pawl_context_new(shop->runtime);
    expect_output_of(passing("node"), ctx, "1", "1");
    pawl_context_unref(ctx);
    assert_int_equal(pawl_metrics_attach(shop->metrics, shop->runtime, NULL), PAWL_E_INVALID);
}

static void our_own_instruments_can_be_measured_by_others(void **state) {
    struct shop *shop = *state;
    pawl_instrument durations = {
        .size = sizeof durations, .name = "pawl.primitive.duration", .unit = "s", .kind = PAWL_HISTOGRAM};
    pawl_instrument active = {
        .size = sizeof active, .name = "pawl.primitive.active", .unit = "{execution}", .kind = PAWL_UP_DOWN_COUNTER};
    pawl_runtime_measure(shop->runtime, &durations, 0.2, NULL, 0);
    pawl_runtime_measure(shop->runtime, &durations, -1, NULL, 0); /* as none at all */
    pawl_runtime_measure(shop->runtime, &active, 2, NULL, 0);
    struct reading r = read_metrics(shop->metrics, "pawl.primitive.duration", "");
    assert_true(r.count == 2 && r.sum == 0.2 && r.buckets[9] == 1 && r.buckets[0] == 1 && r.max == 0.2);
    assert_true(read_value(shop->metrics, "pawl.primitive.active", "") == 2);
}

static void lacks_memory_without_harm(void **state) {
    (void)state;
    for_each_failing_allocation(n) {
        struct fake_clock time = {.now_ns = 0};
        pawl_runtime *runtime = virtual_runtime_or_null(&time);
        pawl_metrics *metrics = runtime ? pawl_metrics_new(NULL, NULL) : NULL;
        if (metrics && pawl_metrics_attach(metrics, runtime, NULL) == PAWL_OK) {
            pawl_attribute attribute = pawl_attribute_string("k", "v");
            double value = 5;
            for (int i = 0; i < 2; i++) {
                pawl_runtime_measure(runtime, &orders, 1, &attribute, 1);
                pawl_runtime_measure(runtime, &waits, 1, NULL, 0);
                pawl_runtime_measure(runtime, &sizes, 1, NULL, 0);
            }
            (void)pawl_metrics_observe(metrics, &heat, report_two, &value, NULL);
            struct reading r = read_metrics(metrics, "shop.orders", "k=v");
            pawl_metrics_unobserve(metrics, report_two, &value);
            if (allocations_failed() == 0)
                assert_true(r.value == 2);
        }
        pawl_metrics_unref(metrics);
        pawl_runtime_unref(runtime);
    }
}

static void a_forked_child_measures_nothing_and_hangs_nowhere(void **state) {
    struct shop *shop = *state;
    pawl_series *s = series(shop, &orders);
    pawl_series_add(s, 1, NULL);
    pid_t child = fork();
    if (child == 0) {
        pawl_series_add(s, 1, NULL);
        bool good = pawl_metrics_collect(shop->metrics, NULL, NULL, NULL) == PAWL_E_INVALID &&
                    pawl_metrics_flush(shop->metrics, 0, NULL) == PAWL_E_INVALID;
        pawl_metrics_unref(shop->metrics);
        _exit(good ? 0 : 1);
    }
    int status = 1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_true(read_value(shop->metrics, "shop.orders", "") == 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        in_shop(a_counter_adds_up_and_refuses_what_is_negative),
        in_shop(what_is_counted_is_whole_until_it_is_not),
        in_shop(an_up_down_counter_may_fall),
        in_shop(of_a_gauge_the_last_value_counts),
        in_shop(a_histogram_has_buckets_inclusive_above_sum_and_extremes),
        in_shop(an_exponential_histogram_follows_its_data),
        in_shop(what_is_not_finite_is_counted_and_not_taken),
        in_shop(nothing_is_shown_that_nothing_feeds),
        in_shop(times_are_those_of_the_runtime),
        in_shop(attributes_make_the_series_whatever_their_order),
        in_shop(a_buffer_with_another_text_is_another_series),
        in_shop(texts_become_valid_and_bounded),
        in_shop(names_differ_without_regard_to_case_and_kinds_and_units_are_kept_apart),
        cmocka_unit_test(beyond_the_limit_there_is_one_series_for_all),
        in_shop(tells_what_is_wrong_with_an_instrument),
        in_shop(there_are_1000_instruments_at_most),
        in_shop(callbacks_are_asked_at_each_collection_until_they_are_forgotten),
        in_shop(an_observed_total_starts_when_it_could_first_have_been_there),
        cmocka_unit_test(observed_values_beyond_the_limit_are_added_up_anew_each_time),
        in_shop(several_runtimes_share_the_series_and_none_is_joined_late),
        in_shop(our_own_instruments_can_be_measured_by_others),
        cmocka_unit_test(options_are_checked),
        cmocka_unit_test(lacks_memory_without_harm),
        in_shop(a_forked_child_measures_nothing_and_hangs_nowhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
