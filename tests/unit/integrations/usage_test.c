/* Usage, prices and budgets, in virtual time and with a provider that runs nothing. */
#include "failing_malloc.h"
#include "play_provider.h"
#include "values.h"
#include "world.h"

#include <math.h>
#include <pawl/integrations/execution.h>
#include <pawl/integrations/usage.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static pawl_status run(struct world *world, struct play *play, const char *language, pawl_error **err) {
    pawl_sandbox_provider *provider = play_provider(play);
    pawl_execution_request request = {.size = sizeof request, .language = language, .code = "x", .code_length = 1};
    pawl_execution_result *result = NULL;
    pawl_status status = pawl_sandbox_run_once(provider, world->ctx, &request, &result, err);
    pawl_execution_result_free(result);
    pawl_sandbox_provider_unref(provider);
    return status;
}

static pawl_usage *attached(struct world *world, const pawl_usage_options *options) {
    pawl_usage *usage = pawl_usage_new(options, NULL);
    assert_non_null(usage);
    assert_int_equal(pawl_usage_attach(usage, world->runtime, NULL), PAWL_OK);
    return usage;
}

static pawl_usage_totals totals_of(pawl_usage *usage) {
    pawl_usage_totals totals = {.size = sizeof totals};
    pawl_usage_get(usage, &totals);
    return totals;
}

static void assert_near(double a, double b) {
    assert_true(fabs(a - b) < 1e-9);
}

struct heard {
    uint64_t budgets[8], percents[8];
    size_t count;
};

static void hear(void *user, const pawl_usage_alert *alert) {
    struct heard *heard = user;
    assert_true(heard->count < 8);
    heard->budgets[heard->count] = alert->budget;
    heard->percents[heard->count++] = alert->percent;
}

static void executions_are_added_up_by_provider_language_and_outcome(void **state) {
    struct world *world = *state;
    pawl_usage *usage = attached(world, NULL);
    struct play play = {
        .time = &world->time, .create_ns = PAWL_MS(500), .run_ns = PAWL_MS(1500), .cpu_ns = PAWL_MS(250)};
    run(world, &play, "python", NULL);
    run(world, &play, "py", NULL);
    play.outcome = PAWL_EXECUTION_EXCEPTION;
    run(world, &play, "cobol", NULL);
    pawl_value *value = pawl_usage_value(usage);
    assert_prints(value, double_quoted("{'executions':3,'not_started':0,'refused':0,'active':0,'unpriced':3,"
                                       "'sandbox_seconds':6,'cpu_seconds':0.75,'by':["
                                       "{'provider':'play','language':'python','outcome':'ok','executions':2,"
                                       "'sandbox_seconds':4,'cpu_seconds':0.5},"
                                       "{'provider':'play','language':'other','outcome':'exception','executions':1,"
                                       "'sandbox_seconds':2,'cpu_seconds':0.25}],'budgets':{}}"));
    pawl_value_unref(value);
    pawl_usage_unref(usage);
}

static void without_prices_there_is_no_cost(void **state) {
    struct world *world = *state;
    pawl_usage *usage = attached(world, NULL);
    struct play play = {.run_ns = PAWL_S(1)};
    run(world, &play, "bash", NULL);
    assert_int_equal(totals_of(usage).has_cost, 0);
    pawl_value *value = pawl_usage_value(usage);
    assert_null(pawl_value_get(value, "cost"));
    pawl_value_unref(value);
    pawl_usage_unref(usage);
}

static void cost_is_what_the_host_says_a_provider_charges(void **state) {
    struct world *world = *state;
    const pawl_usage_price prices[] = {{"e2b", 9, 9, 9}, {"play", 0.5, 0.25, 2}};
    pawl_usage *usage =
        attached(world, &(pawl_usage_options){
                            .size = sizeof(pawl_usage_options), .prices = prices, .price_count = 2, .currency = "EUR"});
    struct play play = {.time = &world->time, .run_ns = PAWL_S(4), .cpu_ns = PAWL_S(1)};
    run(world, &play, "bash", NULL);
    assert_near(totals_of(usage).cost, 0.5 + 1 + 2);
    assert_int_equal(totals_of(usage).unpriced, 0);
    pawl_value *value = pawl_usage_value(usage);
    assert_string_equal(pawl_value_get_string(value, "currency", ""), "EUR");
    assert_near(pawl_value_get_number(value, "cost", 0), 3.5);
    pawl_value_unref(value);
    pawl_usage_unref(usage);
}

static void a_provider_without_a_price_is_told_apart_from_a_free_one(void **state) {
    struct world *world = *state;
    const pawl_usage_price other[] = {{"e2b", 1, 1, 1}}, free_of_charge[] = {{NULL, 0, 0, 0}};
    pawl_usage_options options = {.size = sizeof options, .prices = other, .price_count = 1};
    pawl_usage *unpriced = attached(world, &options);
    options.prices = free_of_charge;
    pawl_usage *costless = attached(world, &options);
    struct play play = {.run_ns = PAWL_S(1)};
    run(world, &play, "bash", NULL);
    assert_int_equal(totals_of(unpriced).unpriced, 1);
    assert_int_equal(totals_of(costless).unpriced, 0);
    assert_near(totals_of(costless).cost, 0);
    pawl_usage_unref(unpriced);
    pawl_usage_unref(costless);
}

static void what_never_ran_costs_nothing(void **state) {
    struct world *world = *state;
    const pawl_usage_price prices[] = {{NULL, 1, 1, 1}};
    pawl_usage *usage =
        attached(world, &(pawl_usage_options){.size = sizeof(pawl_usage_options), .prices = prices, .price_count = 1});
    struct play play = {
        .time = &world->time, .run_ns = PAWL_S(1), .fails = PAWL_E_UNAVAILABLE, .started = PAWL_STARTED_NO};
    run(world, &play, "bash", NULL);
    play.fails = PAWL_OK;
    play.did_not_start = true;
    play.outcome = PAWL_EXECUTION_DENIED;
    run(world, &play, "bash", NULL);
    assert_int_equal(totals_of(usage).executions, 0);
    assert_int_equal(totals_of(usage).not_started, 2);
    assert_near(totals_of(usage).cost, 0);
    play.fails = PAWL_E_UNAVAILABLE; /* lost on the way: it may have run */
    play.started = PAWL_STARTED_MAYBE;
    run(world, &play, "bash", NULL);
    assert_near(totals_of(usage).cost, 2);
    pawl_usage_unref(usage);
}

static void each_threshold_of_a_budget_alerts_once(void **state) {
    struct world *world = *state;
    struct heard heard = {.count = 0};
    pawl_usage *usage =
        attached(world, &(pawl_usage_options){
                            .size = sizeof(pawl_usage_options), .max_executions = 4, .on_alert = hear, .user = &heard});
    struct play play = {.exit_status = 0};
    static const size_t heard_after[] = {0, 1, 1, 3, 3};
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(run(world, &play, "bash", NULL), PAWL_OK); /* refuse is not set */
        assert_int_equal(heard.count, heard_after[i]);
    }
    assert_int_equal(heard.percents[0], 50);
    assert_int_equal(heard.percents[1], 80);
    assert_int_equal(heard.percents[2], 100);
    assert_int_equal(heard.budgets[2], PAWL_BUDGET_EXECUTIONS);
    pawl_usage_reset(usage);
    run(world, &play, "bash", NULL);
    run(world, &play, "bash", NULL);
    assert_int_equal(heard.count, 4);
    pawl_usage_unref(usage);
}

static void a_jump_over_several_thresholds_tells_them_all(void **state) {
    struct world *world = *state;
    struct heard heard = {.count = 0};
    const uint64_t alerts[] = {10, 200};
    pawl_usage *usage = attached(world, &(pawl_usage_options){.size = sizeof(pawl_usage_options),
                                                              .max_sandbox_seconds = 1,
                                                              .max_cpu_seconds = 1,
                                                              .alerts = alerts,
                                                              .alert_count = 2,
                                                              .on_alert = hear,
                                                              .user = &heard});
    struct play play = {.run_ns = PAWL_S(2), .cpu_ns = PAWL_MS(100)};
    run(world, &play, "bash", NULL);
    assert_int_equal(heard.count, 3);
    assert_int_equal(heard.budgets[0], PAWL_BUDGET_SANDBOX_SECONDS);
    assert_int_equal(heard.percents[1], 200);
    assert_int_equal(heard.budgets[2], PAWL_BUDGET_CPU_SECONDS);
    pawl_usage_unref(usage);
}

static void over_budget_nothing_is_started_until_the_next_period(void **state) {
    struct world *world = *state;
    const pawl_usage_price prices[] = {{NULL, 1, 0, 0}};
    pawl_usage *usage = attached(world, &(pawl_usage_options){.size = sizeof(pawl_usage_options),
                                                              .prices = prices,
                                                              .price_count = 1,
                                                              .max_cost = 2,
                                                              .currency = "EUR",
                                                              .refuse = 1});
    struct play play = {.exit_status = 0};
    pawl_error *error = NULL;
    assert_int_equal(run(world, &play, "bash", NULL), PAWL_OK);
    assert_int_equal(run(world, &play, "bash", NULL), PAWL_OK);
    assert_int_equal(run(world, &play, "bash", &error), PAWL_E_REJECTED);
    assert_string_equal(pawl_error_message(error), "usage: the budget of cost is used up (2 of 2 EUR); raise it, or "
                                                   "begin a new period with pawl_usage_reset()");
    assert_false(pawl_error_is_retryable(error));
    assert_int_equal(pawl_error_started(error), PAWL_STARTED_NO);
    assert_int_equal(play.created, 2);
    assert_int_equal(totals_of(usage).refused, 1);
    assert_int_equal(totals_of(usage).active, 0);
    assert_int_equal(totals_of(usage).not_started, 0);
    pawl_value *value = pawl_usage_value(usage);
    char *budgets = cJSON_PrintUnformatted(pawl_value_get(value, "budgets"));
    assert_string_equal(budgets, double_quoted("{'cost':{'used':2,'limit':2,'percent':100,'used_up':true}}"));
    free(budgets);
    pawl_value_unref(value);
    pawl_usage_reset(usage);
    assert_int_equal(run(world, &play, "bash", NULL), PAWL_OK);
    pawl_error_unref(error);
    pawl_usage_unref(usage);
}

static void a_budget_of_no_executions_starts_none(void **state) {
    struct world *world = *state;
    pawl_usage *usage = attached(
        world, &(pawl_usage_options){.size = sizeof(pawl_usage_options), .max_executions = PAWL_ZERO, .refuse = 1});
    struct play play = {.exit_status = 0};
    assert_int_equal(run(world, &play, "bash", NULL), PAWL_E_REJECTED);
    pawl_usage_unref(usage);
}

static void mistakes_are_refused_by_name(void **state) {
    (void)state;
    const pawl_usage_price negative[] = {{"local", -1, 0, 0}};
    const uint64_t unsorted[] = {80, 50};
    pawl_error *error = NULL;
    assert_null(pawl_usage_with(&error, .max_cost = 1));
    assert_non_null(strstr(pawl_error_message(error), "max_cost needs prices"));
    assert_null(pawl_usage_with(&error, .prices = negative, .price_count = 1));
    assert_non_null(strstr(pawl_error_message(error), "the price of local"));
    assert_null(pawl_usage_with(&error, .alerts = unsorted, .alert_count = 2));
    assert_non_null(strstr(pawl_error_message(error), "ascend"));
    assert_null(pawl_usage_with(&error, .max_cpu_seconds = NAN));
    assert_non_null(strstr(pawl_error_message(error), "max_cpu_seconds"));
    assert_null(pawl_usage_with(&error, .prices = negative, .price_count = 33));
    assert_int_equal(pawl_error_status(error), PAWL_E_LIMIT);
    assert_int_equal(pawl_usage_attach(NULL, NULL, &error), PAWL_E_INVALID);
    pawl_usage_get(NULL, NULL);
    pawl_usage_reset(NULL);
    assert_null(pawl_usage_value(NULL));
    assert_null(pawl_usage_unref(NULL));
    pawl_error_unref(error);
}

static void it_survives_without_memory(void **state) {
    (void)state;
    for_each_failing_allocation(n) {
        struct world world = {.ctx = NULL};
        struct play play = {.exit_status = 0};
        world.runtime = virtual_runtime_or_null(&world.time);
        world.ctx = pawl_context_new(world.runtime);
        pawl_sandbox_provider *provider = play_provider_or_null(&play);
        pawl_execution_request request = {.size = sizeof request, .language = "bash", .code = "x", .code_length = 1};
        pawl_execution_result *result = NULL;
        pawl_usage *usage = pawl_usage_new(NULL, NULL);
        pawl_status attached = pawl_usage_attach(usage, world.runtime, NULL);
        if (world.ctx && provider && attached == PAWL_OK) {
            pawl_sandbox_run_once(provider, world.ctx, &request, &result, NULL);
            pawl_usage_totals totals = totals_of(usage);
            assert_int_equal(totals.executions + totals.not_started, 1);
            assert_int_equal(totals.active, 0);
        }
        pawl_value_unref(pawl_usage_value(usage));
        pawl_execution_result_free(result);
        pawl_sandbox_provider_unref(provider);
        pawl_context_unref(world.ctx);
        pawl_runtime_unref(world.runtime);
        pawl_usage_unref(usage);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        in_world(executions_are_added_up_by_provider_language_and_outcome),
        in_world(without_prices_there_is_no_cost),
        in_world(cost_is_what_the_host_says_a_provider_charges),
        in_world(a_provider_without_a_price_is_told_apart_from_a_free_one),
        in_world(what_never_ran_costs_nothing),
        in_world(each_threshold_of_a_budget_alerts_once),
        in_world(a_jump_over_several_thresholds_tells_them_all),
        in_world(over_budget_nothing_is_started_until_the_next_period),
        in_world(a_budget_of_no_executions_starts_none),
        cmocka_unit_test(mistakes_are_refused_by_name),
        cmocka_unit_test(it_survives_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
