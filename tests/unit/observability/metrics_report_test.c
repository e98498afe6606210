/* Reports: rates, percentiles and error budgets, against numbers computed by hand. */
#include "failing_malloc.h"
#include "leaves.h"
#include "shop.h"
#include <math.h>
#include <pawl/primitives/function.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void nap(struct shop *shop, const char *name, int times, uint64_t duration_ns) {
    for (int i = 0; i < times; i++)
        run_once(shop->runtime, sleeper(name, duration_ns));
}

static void fall(struct shop *shop, const char *name, int times, pawl_status status) {
    for (int i = 0; i < times; i++)
        run_once(shop->runtime, failing(name, status));
}

static const pawl_node_report *row(struct shop *shop, const char *name) {
    size_t count;
    const pawl_node_report *rows = pawl_report_nodes(shop->report, &count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    fail_msg("no row for '%s'", name);
    return NULL;
}

static void update(struct shop *shop) {
    assert_int_equal(pawl_report_update(shop->report, NULL), PAWL_OK);
}

static bool near(double a, double b) {
    return fabs(a - b) < 1e-9;
}

/* ---- nodes ---- */

static void a_node_has_counts_rates_and_percentiles(void **state) {
    struct shop *shop = *state;
    shop->report = pawl_report_new(shop->metrics, NULL, NULL);
    nap(shop, "nap", 8, PAWL_MS(200));  /* in (0.1, 0.25] */
    nap(shop, "nap", 2, PAWL_MS(2000)); /* in (1, 2.5] */
    shop->time.now_ns = PAWL_S(20);     /* 5.6 s of naps, then quiet */
    update(shop);
    const pawl_node_report *r = row(shop, "nap");
    assert_true(r->executions == 10 && r->succeeded == 10 && r->failed == 0 && r->cancelled == 0 && r->active == 0);
    assert_true(r->success_rate == 1 && near(r->mean_s, 0.56) && near(r->min_s, 0.2) && near(r->max_s, 2));
    assert_true(near(r->p50_s, 0.1 + 0.15 * 5 / 8)); /* rank 5 of 8 in the first bucket */
    assert_true(near(r->p90_s, 1 + 1.5 * 1 / 2));    /* rank 9: 1 of 2 */
    assert_true(near(r->p95_s, 1 + 1.5 * 1.5 / 2));
    assert_true(near(r->p99_s, 1 + 1.5 * 1.9 / 2));
    assert_true(near(r->per_second, 0.5) && near(r->recent_per_second, 0.5));
}

static void what_was_cancelled_is_no_failure_and_no_success(void **state) {
    struct shop *shop = *state;
    shop->report = pawl_report_new(shop->metrics, NULL, NULL);
    nap(shop, "work", 3, PAWL_MS(1));
    fall(shop, "work2", 1, PAWL_E_DENIED);
    fall(shop, "work2", 1, PAWL_E_TIMEOUT);
    fall(shop, "work2", 5, PAWL_E_CANCELLED);
    update(shop);
    const pawl_node_report *r = row(shop, "work2");
    assert_true(r->executions == 7 && r->succeeded == 0 && r->failed == 2 && r->cancelled == 5);
    assert_true(r->success_rate == 0);
    assert_true(row(shop, "work")->success_rate == 1);
}

static void only_cancelled_ones_have_no_success_rate(void **state) {
    struct shop *shop = *state;
    shop->report = pawl_report_new(shop->metrics, NULL, NULL);
    fall(shop, "work", 2, PAWL_E_CANCELLED);
    update(shop);
    assert_true(isnan(row(shop, "work")->success_rate));
    assert_true(isnan(row(shop, "work")->per_second)); /* no time has passed */
}

static void the_second_update_tells_what_was_new(void **state) {
    struct shop *shop = *state;
    shop->report = pawl_report_new(shop->metrics, NULL, NULL);
    nap(shop, "nap", 10, PAWL_S(1));
    update(shop);
    assert_true(near(row(shop, "nap")->recent_per_second, 1));
    nap(shop, "nap", 5, PAWL_S(1));
    shop->time.now_ns += PAWL_S(15);
    update(shop);
    assert_true(near(row(shop, "nap")->per_second, 0.5) && near(row(shop, "nap")->recent_per_second, 0.25));
    update(shop);
    assert_true(isnan(row(shop, "nap")->recent_per_second));
    shop->time.now_ns += PAWL_S(1);
    update(shop);
    assert_true(row(shop, "nap")->recent_per_second == 0 && row(shop, "nap")->executions == 15);
}

static pawl_status update_inside(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out,
                                 pawl_error **err) {
    struct shop *shop = user;
    (void)ctx, (void)in, (void)ret_out, (void)err;
    update(shop);
    const pawl_node_report *r = row(shop, "look");
    assert_true(r->active == 1 && r->executions == 0 && isnan(r->p50_s) && isnan(r->mean_s) && isnan(r->min_s));
    return PAWL_OK;
}

static void a_node_that_has_not_ended_yet_is_active(void **state) {
    struct shop *shop = *state;
    shop->report = pawl_report_new(shop->metrics, NULL, NULL);
    run_once(shop->runtime, pawl_function("look", update_inside, shop));
    update(shop);
    assert_true(row(shop, "look")->active == 0 && row(shop, "look")->executions == 1);
}

static void nodes_beyond_the_limit_are_one_row(void **state) {
    (void)state;
    struct shop shop;
    open_shop_with(&shop, (pawl_metrics_options){.max_series = 1});
    shop.report = pawl_report_new(shop.metrics, NULL, NULL);
    nap(&shop, "first", 1, PAWL_MS(1));
    nap(&shop, "second", 2, PAWL_MS(1));
    nap(&shop, "third", 3, PAWL_MS(1));
    update(&shop);
    size_t count;
    pawl_report_nodes(shop.report, &count);
    assert_int_equal(count, 2);
    assert_int_equal(row(&shop, "")->executions, 5);
    leave_shop(&shop);
}

/* ---- objectives ---- */

static const pawl_slo slos[] = {
    {.name = "available", .node = "job", .target = 0.9},
    {.name = "fast", .node = "job", .target = 0.5, .latency_ns = PAWL_MS(250)},
    {.name = "between", .node = "job", .target = 0.5, .latency_ns = PAWL_MS(175)},
    {.name = "everything", .target = 0.99},
};

static const pawl_slo_report *slo(struct shop *shop, const char *name) {
    size_t count;
    const pawl_slo_report *rows = pawl_report_slos(shop->report, &count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    fail_msg("no objective '%s'", name);
    return NULL;
}

static void open_slos(struct shop *shop) {
    shop->report = pawl_report_with(shop->metrics, NULL, .slos = slos, .slo_count = 4);
    assert_non_null(shop->report);
}

static void without_executions_the_budget_is_untouched(void **state) {
    struct shop *shop = *state;
    open_slos(shop);
    for (int i = 0; i < 2; i++) {
        const pawl_slo_window *w = &slo(shop, "available")->whole;
        assert_true(w->executions == 0 && w->good == 0 && isnan(w->share) && w->budget_left == 1 && w->burn_rate == 0);
        update(shop);
    }
    fall(shop, "job", 3, PAWL_E_CANCELLED);
    update(shop);
    assert_true(slo(shop, "available")->whole.budget_left == 1);
}

static void failures_use_up_the_budget(void **state) {
    struct shop *shop = *state;
    open_slos(shop);
    nap(shop, "job", 19, PAWL_MS(200));
    fall(shop, "job", 1, PAWL_E_DENIED);
    update(shop); /* 20, of which 2 may fail */
    const pawl_slo_report *s = slo(shop, "available");
    assert_true(s->whole.executions == 20 && s->whole.good == 19 && near(s->whole.share, 0.95));
    assert_true(near(s->whole.budget_left, 0.5) && near(s->whole.burn_rate, 0.5));
    fall(shop, "job", 5, PAWL_E_DENIED);
    update(shop); /* 25, of which 2.5 may fail, and 6 did; of the last 5, 0.5 might */
    assert_true(near(s->whole.budget_left, 1 - 6 / 2.5) && near(s->whole.burn_rate, 2.4));
    assert_true(s->recent.executions == 5 && s->recent.good == 0 && s->recent.share == 0);
    assert_true(near(s->recent.burn_rate, 10) && near(s->recent.budget_left, -9));
    update(shop);
    assert_true(s->recent.executions == 0 && s->recent.burn_rate == 0 && isnan(s->recent.share));
}

static void slow_ones_are_not_good_where_the_time_counts(void **state) {
    struct shop *shop = *state;
    open_slos(shop);
    nap(shop, "job", 4, PAWL_MS(200));    /* within 250 ms; half of its bucket (100, 250] lies within 175 */
    nap(shop, "job", 2, PAWL_MS(50));     /* well within */
    nap(shop, "job", 1, PAWL_MS(300));    /* too slow */
    fall(shop, "job", 3, PAWL_E_DENIED);  /* fast, and yet not good */
    nap(shop, "other", 10, PAWL_S(1000)); /* not this node; beyond the last bound */
    update(shop);
    assert_true(slo(shop, "fast")->whole.executions == 10 && slo(shop, "fast")->whole.good == 6);
    assert_true(near(slo(shop, "fast")->whole.budget_left, 0.2));
    assert_true(near(slo(shop, "between")->whole.good, 4));
    assert_true(slo(shop, "everything")->whole.executions == 20 && slo(shop, "everything")->whole.good == 17);
}

static void objectives_are_checked(void **state) {
    struct shop *shop = *state;
    static const pawl_slo bad[] = {{.name = NULL, .target = 0.5},
                                   {.name = "", .target = 0.5},
                                   {.name = "x", .target = 0},
                                   {.name = "x", .target = 1},
                                   {.name = "x", .target = NAN}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        pawl_error *err = NULL;
        assert_null(pawl_report_with(shop->metrics, &err, .slos = &bad[i], .slo_count = 1));
        assert_int_equal(pawl_error_status(err), PAWL_E_INVALID);
        pawl_error_unref(err);
    }
    assert_null(pawl_report_with(shop->metrics, NULL, .slos = slos, .slo_count = 65));
    assert_null(pawl_report_with(shop->metrics, NULL, .slo_count = 1));
    assert_null(pawl_report_new(NULL, NULL, NULL));
    assert_int_equal(pawl_report_update(NULL, NULL), PAWL_E_INVALID);
    pawl_report_free(NULL);
}

/* ---- as a value ---- */

static void the_value_has_every_figure_and_null_for_what_is_not_known(void **state) {
    struct shop *shop = *state;
    shop->report = pawl_report_with(shop->metrics, NULL, .slos = slos, .slo_count = 1);
    nap(shop, "job", 2, PAWL_MS(250));
    update(shop);
    pawl_value *value = pawl_report_value(shop->report);
    char *text = pawl_value_print(value);
    assert_string_equal(
        text, "{\"nodes\":[{\"type\":\"function\",\"name\":\"job\",\"executions\":2,\"succeeded\":2,\"failed\":0,"
              "\"cancelled\":0,\"active\":0,\"success_rate\":1,\"mean_s\":0.25,\"min_s\":0.25,\"max_s\":0.25,"
              "\"p50_s\":0.175,\"p90_s\":0.23500000000000001,\"p95_s\":0.2425,\"p99_s\":0.2485,\"per_second\":4,"
              "\"recent_per_second\":4}],\"slos\":[{\"name\":\"available\",\"target\":0.9,\"whole\":{\"executions\":2,"
              "\"good\":2,\"share\":1,\"budget_left\":1,\"burn_rate\":0},\"recent\":{\"executions\":2,\"good\":2,"
              "\"share\":1,\"budget_left\":1,\"burn_rate\":0}}],\"seconds\":0.5,\"recent_seconds\":0.5}");
    free(text);
    pawl_value_unref(value);
    update(shop);
    value = pawl_report_value(shop->report);
    text = pawl_value_print(value);
    assert_non_null(strstr(text, "\"recent_per_second\":null"));
    free(text);
    pawl_value_unref(value);
}

static void lacks_memory_without_harm(void **state) {
    struct shop *shop = *state;
    nap(shop, "job", 2, PAWL_MS(250));
    for_each_failing_allocation(n) {
        pawl_report *report = pawl_report_with(shop->metrics, NULL, .slos = slos, .slo_count = 4);
        pawl_status status = report ? pawl_report_update(report, NULL) : PAWL_E_NOMEM;
        pawl_value *value = status == PAWL_OK ? pawl_report_value(report) : NULL;
        if (allocations_failed() == 0) /* else there may be one: figures of the runtime are left out then */
            assert_non_null(value);
        pawl_value_unref(value);
        pawl_report_free(report);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        in_shop(a_node_has_counts_rates_and_percentiles),
        in_shop(what_was_cancelled_is_no_failure_and_no_success),
        in_shop(only_cancelled_ones_have_no_success_rate),
        in_shop(the_second_update_tells_what_was_new),
        in_shop(a_node_that_has_not_ended_yet_is_active),
        cmocka_unit_test(nodes_beyond_the_limit_are_one_row),
        in_shop(without_executions_the_budget_is_untouched),
        in_shop(failures_use_up_the_budget),
        in_shop(slow_ones_are_not_good_where_the_time_counts),
        in_shop(objectives_are_checked),
        in_shop(the_value_has_every_figure_and_null_for_what_is_not_known),
        in_shop(lacks_memory_without_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
