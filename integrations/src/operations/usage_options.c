/* Prices, thresholds and budgets as the host gives them. */
#include "options_internal.h"
#include "usage_internal.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

_Static_assert(sizeof(pawl_usage_options) == 13 * sizeof(uint64_t), "padding in a public struct");

static const char who[] = "usage";

static const char *const budget_words[] = {"cost", "executions", "sandbox_seconds", "cpu_seconds"};

const char *pawl_usage_budget_word(pawl_usage_budget budget) {
    return (unsigned)budget < PAWL_BUDGET_COUNT_ ? budget_words[budget] : "unknown";
}

static bool is_amount(double number) {
    return isfinite(number) && number >= 0;
}

static pawl_status take_prices(pawl_usage *usage, pawl_error **err) {
    pawl_usage_options *options = &usage->options;
    if (options->price_count > PAWL_USAGE_PRICES)
        return pawl_error_set(err, PAWL_E_LIMIT, "%s: %llu prices are given, %u at most", who,
                              (unsigned long long)options->price_count, PAWL_USAGE_PRICES);
    options->price_count = options->prices ? options->price_count : 0;
    for (uint64_t i = 0; i < options->price_count; i++) {
        const pawl_usage_price *price = &options->prices[i];
        const char *name = price->provider ? price->provider : "every provider";
        if (!is_amount(price->per_execution) || !is_amount(price->per_sandbox_second) ||
            !is_amount(price->per_cpu_second) || strlen(name) >= USAGE_NAME_BYTES)
            return pawl_error_set(err, PAWL_E_INVALID,
                                  "%s: the price of %.64s is negative or no number, or the name has over %d bytes", who,
                                  name, USAGE_NAME_BYTES - 1);
        usage->prices[i] = *price;
        if (price->provider)
            usage->prices[i].provider = memcpy(usage->price_names[i], name, strlen(name) + 1);
    }
    usage->totals.has_cost = options->price_count > 0;
    return PAWL_OK;
}

static pawl_status take_alerts(pawl_usage *usage, pawl_error **err) {
    static const uint64_t standard[] = {50, 80, 100};
    pawl_usage_options *options = &usage->options;
    if (options->alert_count > PAWL_USAGE_ALERTS)
        return pawl_error_set(err, PAWL_E_LIMIT, "%s: %llu alerts are given, %u at most", who,
                              (unsigned long long)options->alert_count, PAWL_USAGE_ALERTS);
    if (!options->alerts || options->alert_count == 0) {
        options->alerts = standard;
        options->alert_count = sizeof standard / sizeof *standard;
    }
    for (uint64_t i = 0; i < options->alert_count; i++) {
        usage->alerts[i] = options->alerts[i];
        if (usage->alerts[i] < 1 || usage->alerts[i] > 1000 || (i > 0 && usage->alerts[i] <= usage->alerts[i - 1]))
            return pawl_error_set(err, PAWL_E_INVALID, "%s: alerts must ascend between 1 and 1000 percent", who);
    }
    return PAWL_OK;
}

static pawl_status take_budgets(pawl_usage *usage, pawl_error **err) {
    const pawl_usage_options *options = &usage->options;
    const double given[] = {options->max_cost, 0, options->max_sandbox_seconds, options->max_cpu_seconds};
    for (size_t i = 0; i < PAWL_BUDGET_COUNT_; i++) {
        if (!is_amount(given[i]))
            return pawl_error_set(err, PAWL_E_INVALID, "%s: max_%s is negative or no number", who, budget_words[i]);
        usage->limits[i] = given[i] > 0 ? given[i] : -1;
    }
    if (options->max_executions && options->max_executions != PAWL_UNLIMITED)
        usage->limits[PAWL_BUDGET_EXECUTIONS] = (double)pawl_option(options->max_executions, 0);
    if (options->max_cost > 0 && !usage->totals.has_cost)
        return pawl_error_set(err, PAWL_E_INVALID, "%s: max_cost needs prices; give what a provider charges", who);
    return PAWL_OK;
}

pawl_status pawl_usage_take_options(pawl_usage *usage, const pawl_usage_options *given, pawl_error **err) {
    pawl_status status = pawl_options_copy(&usage->options, sizeof usage->options, given, who, err);
    const char *currency = usage->options.currency ? usage->options.currency : "";
    if (status == PAWL_OK && strlen(currency) >= sizeof usage->currency)
        status = pawl_error_set(err, PAWL_E_INVALID, "%s: currency has over 15 bytes", who);
    if (status == PAWL_OK)
        status = take_prices(usage, err);
    if (status == PAWL_OK)
        status = take_alerts(usage, err);
    if (status == PAWL_OK)
        status = take_budgets(usage, err);
    if (status == PAWL_OK)
        snprintf(usage->currency, sizeof usage->currency, "%s", currency);
    return status;
}
