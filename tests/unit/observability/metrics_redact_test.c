/* Secrets in what measurements and nodes are called by: hidden before they are a series. */
#include "failing_malloc.h"
#include "leaves.h"
#include "reading.h"
#include "shop.h"
#include <pawl/observer.h>
#include <pawl/primitives/primitives.h>
#include <pawl/redact.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static const pawl_instrument orders = {.size = sizeof orders, .name = "shop.orders", .kind = PAWL_COUNTER};

static int open_shop_with_secret(void **state) {
    open_shop(state);
    struct shop *shop = *state;
    assert_int_equal(pawl_runtime_add_secret(shop->runtime, "swordfish", 9, NULL), PAWL_OK);
    shop->ctx = pawl_context_new(shop->runtime);
    return 0;
}

static void measure(struct shop *shop, const char *key, const char *text) {
    const pawl_attribute attribute = pawl_attribute_string(key, text);
    pawl_context_measure(shop->ctx, &orders, 1, &attribute, 1);
}

static void known_values_and_shapes_are_hidden(void **state) {
    struct shop *shop = *state;
    measure(shop, "from", "by swordfish here");
    measure(shop, "header", "Authorization: Bearer abcdefghijklmnop123");
    measure(shop, "line", "API_KEY=hunter2hunter2");
    measure(shop, "shop.password", "hunter2");
    measure(shop, "plain", "nothing to hide");
    pawl_metrics *m = shop->metrics;
    assert_true(read_value(m, "shop.orders", "from=by [REDACTED] here") == 1);
    assert_true(read_value(m, "shop.orders", "line=API_KEY=[REDACTED]") == 1);
    assert_true(read_value(m, "shop.orders", "shop.password=[REDACTED]") == 1);
    assert_true(read_value(m, "shop.orders", "plain=nothing to hide") == 1);
    assert_false(read_metrics(m, "shop.orders", "header=Authorization: Bearer abcdefghijklmnop123").found);
}

static void the_same_measurement_stays_hidden_and_in_one_series(void **state) {
    struct shop *shop = *state;
    for (int i = 0; i < 5; i++)
        measure(shop, "from", "swordfish");
    struct reading r = read_metrics(shop->metrics, "shop.orders", "from=[REDACTED]");
    assert_true(r.value == 5);
    assert_int_equal(r.points, 1);
}

static void outside_of_a_run_the_runtimes_secrets_count_too(void **state) {
    struct shop *shop = *state;
    const pawl_attribute attribute = pawl_attribute_string("from", "swordfish");
    pawl_runtime_measure(shop->runtime, &orders, 1, &attribute, 1);
    pawl_series *series = pawl_metrics_series(shop->metrics, &orders, &attribute, 1, NULL);
    pawl_series_add(series, 1, NULL);
    assert_true(read_value(shop->metrics, "shop.orders", "from=[REDACTED]") == 2);
    assert_int_equal(read_metrics(shop->metrics, "shop.orders", NULL).points, 1);
}

static void of_several_runtimes_each_has_its_own_secrets(void **state) {
    struct shop *shop = *state;
    struct fake_clock time = {.now_ns = 0};
    pawl_runtime *other = virtual_runtime(&time);
    const pawl_attribute attribute = pawl_attribute_string("from", "marlin11");
    assert_int_equal(pawl_metrics_attach(shop->metrics, other, NULL), PAWL_OK);
    assert_int_equal(pawl_runtime_add_secret(other, "marlin11", 8, NULL), PAWL_OK);
    pawl_runtime_measure(other, &orders, 1, &attribute, 1);
    assert_true(read_value(shop->metrics, "shop.orders", "from=[REDACTED]") == 1);
    assert_int_equal(read_metrics(shop->metrics, "shop.orders", NULL).points, 1);
    pawl_runtime_unref(other);
}

static void report_one(void *user, pawl_observation *observation) {
    const pawl_attribute attribute = pawl_attribute_string("from", "swordfish");
    (void)user;
    pawl_observation_report(observation, 7, &attribute, 1);
}

static void observed_values_are_hidden_too(void **state) {
    struct shop *shop = *state;
    static const pawl_instrument stock = {.size = sizeof stock, .name = "shop.stock", .kind = PAWL_GAUGE};
    assert_int_equal(pawl_metrics_observe(shop->metrics, &stock, report_one, NULL, NULL), PAWL_OK);
    assert_true(read_value(shop->metrics, "shop.stock", "from=[REDACTED]") == 7);
}

static void names_of_nodes_are_hidden(void **state) {
    struct shop *shop = *state;
    pawl_metrics *m = shop->metrics;
    for (int i = 0; i < 2; i++) {
        pawl_primitive *node = pawl_sequential("for swordfish", passing("token=abc123def456"));
        assert_int_equal(pawl_run(node, shop->ctx, NULL, NULL, NULL), PAWL_OK);
        pawl_primitive_unref(node);
    }
    assert_true(read_value(m, "pawl.primitive.executions",
                           "pawl.node.name=for [REDACTED],pawl.outcome=ok,pawl.primitive.type=sequential") == 2);
    assert_true(
        read_value(m, "pawl.primitive.active", "pawl.node.name=for [REDACTED],pawl.primitive.type=sequential") == 0);
    assert_int_equal(read_metrics(m, "gen_ai.workflow.duration", "gen_ai.workflow.name=for [REDACTED]").count, 2);
    assert_int_equal(read_metrics(m, "pawl.primitive.executions", NULL).points, 2);
    assert_false(
        read_metrics(m, "pawl.primitive.active", "pawl.node.name=token=abc123def456,pawl.primitive.type=inline").found);
}

static void without_memory_nothing_is_shown(void **state) {
    struct shop *shop = *state;
    for_each_failing_allocation(n) {
        measure(shop, "from", "by swordfish here");
    }
    assert_false(read_metrics(shop->metrics, "shop.orders", "from=by swordfish here").found);
}

#define with_secret(test) cmocka_unit_test_setup_teardown(test, open_shop_with_secret, close_shop)

int main(void) {
    const struct CMUnitTest tests[] = {
        with_secret(known_values_and_shapes_are_hidden),
        with_secret(the_same_measurement_stays_hidden_and_in_one_series),
        with_secret(outside_of_a_run_the_runtimes_secrets_count_too),
        with_secret(of_several_runtimes_each_has_its_own_secrets),
        with_secret(observed_values_are_hidden_too),
        with_secret(names_of_nodes_are_hidden),
        with_secret(without_memory_nothing_is_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
