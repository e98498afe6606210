/* Usage: a watcher that adds up. */
#include "usage_internal.h"
#include "engine_internal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(pawl_usage_totals) == 10 * sizeof(uint64_t), "padding in a public struct");

static const char who[] = "usage";

/* What a runtime holds. */
struct usage_watcher {
    struct pawl_execution_watcher watcher; /* first */
    pawl_usage *usage;
};

double pawl_usage_used(const pawl_usage *usage, pawl_usage_budget budget) {
    switch (budget) {
    case PAWL_BUDGET_COST:
        return usage->totals.cost;
    case PAWL_BUDGET_EXECUTIONS:
        return (double)usage->totals.executions;
    case PAWL_BUDGET_SANDBOX_SECONDS:
        return usage->totals.sandbox_seconds;
    default:
        return usage->totals.cpu_seconds;
    }
}

/* ---- prices and places ---- */

static const pawl_usage_price *price_of(const pawl_usage *usage, const char *provider) {
    const pawl_usage_price *any = NULL;
    for (uint64_t i = 0; i < usage->options.price_count; i++) {
        const pawl_usage_price *price = &usage->prices[i];
        if (!price->provider)
            any = price;
        else if (strcmp(price->provider, provider) == 0)
            return price;
    }
    return any;
}

/* Under the lock. */
static struct usage_provider *provider_of(pawl_usage *usage, const char *name) {
    for (size_t i = 0; i < USAGE_PROVIDERS; i++) {
        struct usage_provider **at = &usage->providers[i];
        if (!*at) {
            *at = calloc(1, sizeof **at);
            if (!*at)
                break;
            snprintf((*at)->name, sizeof(*at)->name, "%s", name);
            (*at)->price = price_of(usage, name);
            return *at;
        }
        if (strncmp((*at)->name, name, USAGE_NAME_BYTES - 1) == 0)
            return *at;
    }
    return &usage->other;
}

static size_t ending_of(pawl_status status, const pawl_execution_result *result) {
    if (result)
        return result->outcome < PAWL_EXECUTION_OUTCOME_COUNT_ ? (size_t)result->outcome : PAWL_EXECUTION_INTERNAL;
    bool known = status > PAWL_OK && status < USAGE_STATUSES;
    return PAWL_EXECUTION_OUTCOME_COUNT_ + (size_t)(known ? status : PAWL_E_INTERNAL);
}

/* ---- adding ---- */

static struct usage_cell measure(const struct pawl_execution *execution, const pawl_execution_result *result) {
    struct usage_cell cell = {.executions = 1};
    uint64_t held_ns = pawl_context_now(execution->ctx) - execution->start_ns;
    if (result && result->timings.total_ns > result->timings.queue_ns)
        held_ns = result->timings.total_ns - result->timings.queue_ns;
    cell.sandbox_seconds = (double)held_ns / 1e9;
    if (result)
        cell.cpu_seconds = (double)(result->resources.user_cpu_ns + result->resources.system_cpu_ns) / 1e9;
    return cell;
}

static double cost_of(const pawl_usage_price *price, const struct usage_cell *cell) {
    return price ? price->per_execution + price->per_sandbox_second * cell->sandbox_seconds +
                       price->per_cpu_second * cell->cpu_seconds
                 : 0;
}

/* Under the lock. */
static void add(pawl_usage *usage, const struct pawl_execution *execution, const struct usage_cell *used,
                size_t ending) {
    struct usage_provider *provider = provider_of(usage, execution->provider);
    const pawl_usage_price *price = price_of(usage, execution->provider);
    double cost = cost_of(price, used);
    struct usage_cell *cell = &provider->cells[pawl_language_of(execution->request->language)][ending];
    cell->executions++;
    cell->sandbox_seconds += used->sandbox_seconds;
    cell->cpu_seconds += used->cpu_seconds;
    cell->cost += cost;
    usage->totals.executions++;
    usage->totals.unpriced += !price;
    usage->totals.sandbox_seconds += used->sandbox_seconds;
    usage->totals.cpu_seconds += used->cpu_seconds;
    usage->totals.cost += cost;
}

static void add_unstarted(pawl_usage *usage, const struct pawl_execution *execution, size_t ending) {
    struct usage_provider *provider = provider_of(usage, execution->provider);
    provider->cells[pawl_language_of(execution->request->language)][ending].executions++;
    usage->totals.not_started++;
}

/* ---- budgets ---- */

struct alerts {
    pawl_usage_alert list[PAWL_BUDGET_COUNT_ * PAWL_USAGE_ALERTS];
    size_t count;
};

/* Under the lock: which thresholds were reached now. */
static void collect_alerts(pawl_usage *usage, struct alerts *alerts) {
    for (pawl_usage_budget i = 0; i < PAWL_BUDGET_COUNT_; i++) {
        double used = pawl_usage_used(usage, i), limit = usage->limits[i];
        while (limit > 0 && usage->alerted[i] < usage->options.alert_count &&
               used * 100 >= limit * (double)usage->alerts[usage->alerted[i]])
            alerts->list[alerts->count++] =
                (pawl_usage_alert){.size = sizeof(pawl_usage_alert),
                                   .budget = i,
                                   .percent = usage->alerts[usage->alerted[i]++],
                                   .used = used,
                                   .limit = limit,
                                   .currency = i == PAWL_BUDGET_COST ? usage->currency : ""};
    }
}

/* Under the lock. Those under way count against the number of executions. */
static bool is_used_up(const pawl_usage *usage, pawl_usage_budget budget) {
    double used = pawl_usage_used(usage, budget);
    if (budget == PAWL_BUDGET_EXECUTIONS)
        used += (double)usage->totals.active;
    return usage->limits[budget] >= 0 && used >= usage->limits[budget];
}

static pawl_status refuse(const pawl_usage *usage, pawl_usage_budget budget, double used, pawl_error **err) {
    const pawl_error_info info = {.size = sizeof info,
                                  .status = PAWL_E_REJECTED,
                                  .failure_class = PAWL_CLASS_PERMANENT,
                                  .started = PAWL_STARTED_NO};
    bool is_money = budget == PAWL_BUDGET_COST && usage->currency[0];
    return pawl_error_set_info(err, &info,
                               "usage: the budget of %s is used up (%.6g of %.6g%s%s); raise it, or begin a new period "
                               "with pawl_usage_reset()",
                               pawl_usage_budget_word(budget), used, usage->limits[budget], is_money ? " " : "",
                               is_money ? usage->currency : "");
}

/* ---- watching ---- */

/* One that is refused is active until its end, as any other. */
static pawl_status begin(struct pawl_execution_watcher *self, const struct pawl_execution *execution,
                         pawl_error **err) {
    pawl_usage *usage = ((struct usage_watcher *)(void *)self)->usage;
    pawl_usage_budget over = 0;
    double used = 0;
    (void)execution;
    pthread_mutex_lock(&usage->lock);
    while (over < PAWL_BUDGET_COUNT_ && !(usage->options.refuse && is_used_up(usage, over)))
        over++;
    if (over < PAWL_BUDGET_COUNT_) {
        used = pawl_usage_used(usage, over);
        usage->totals.refused++;
    }
    usage->totals.active++;
    pthread_mutex_unlock(&usage->lock);
    return over < PAWL_BUDGET_COUNT_ ? refuse(usage, over, used, err) : PAWL_OK;
}

static void end(struct pawl_execution_watcher *self, const struct pawl_execution *execution, pawl_status status,
                const pawl_execution_result *result, const pawl_error *error) {
    pawl_usage *usage = ((struct usage_watcher *)(void *)self)->usage;
    struct alerts alerts = {.count = 0};
    const struct usage_cell used = measure(execution, result);
    size_t ending = ending_of(status, result);
    pthread_mutex_lock(&usage->lock);
    usage->totals.active--;
    if (pawl_execution_may_have_run(status, result, error))
        add(usage, execution, &used, ending);
    else if (status != PAWL_E_REJECTED)
        add_unstarted(usage, execution, ending);
    collect_alerts(usage, &alerts);
    pthread_mutex_unlock(&usage->lock);
    for (size_t i = 0; usage->options.on_alert && i < alerts.count; i++)
        usage->options.on_alert(usage->options.user, &alerts.list[i]);
}

/* ---- reading ---- */

void pawl_usage_get(pawl_usage *usage, pawl_usage_totals *ret_totals) {
    if (!usage || !ret_totals)
        return;
    pthread_mutex_lock(&usage->lock);
    pawl_usage_totals totals = usage->totals;
    pthread_mutex_unlock(&usage->lock);
    totals.size = ret_totals->size;
    memcpy(ret_totals, &totals, totals.size < sizeof totals ? totals.size : sizeof totals);
}

void pawl_usage_reset(pawl_usage *usage) {
    if (!usage)
        return;
    pthread_mutex_lock(&usage->lock);
    usage->totals = (pawl_usage_totals){.active = usage->totals.active, .has_cost = usage->totals.has_cost};
    memset(usage->alerted, 0, sizeof usage->alerted);
    memset(usage->other.cells, 0, sizeof usage->other.cells);
    for (size_t i = 0; i < USAGE_PROVIDERS && usage->providers[i]; i++)
        memset(usage->providers[i]->cells, 0, sizeof usage->providers[i]->cells);
    pthread_mutex_unlock(&usage->lock);
}

/* ---- life ---- */

pawl_usage *pawl_usage_new(const pawl_usage_options *options, pawl_error **err) {
    pawl_usage *usage = calloc(1, sizeof *usage);
    if (!usage) {
        pawl_error_set(err, PAWL_E_NOMEM, "%s: out of memory", who);
        return NULL;
    }
    atomic_init(&usage->refs, 1);
    pthread_mutex_init(&usage->lock, NULL);
    snprintf(usage->other.name, sizeof usage->other.name, "other");
    return pawl_usage_take_options(usage, options, err) == PAWL_OK ? usage : pawl_usage_unref(usage);
}

pawl_usage *pawl_usage_ref(pawl_usage *usage) {
    if (usage)
        atomic_fetch_add_explicit(&usage->refs, 1, memory_order_relaxed);
    return usage;
}

pawl_usage *pawl_usage_unref(pawl_usage *usage) {
    if (!usage || atomic_fetch_sub_explicit(&usage->refs, 1, memory_order_acq_rel) != 1)
        return NULL;
    for (size_t i = 0; i < USAGE_PROVIDERS; i++)
        free(usage->providers[i]);
    pthread_mutex_destroy(&usage->lock);
    free(usage);
    return NULL;
}

static void destroy(struct pawl_attachment *attachment) {
    struct usage_watcher *watcher = (struct usage_watcher *)(void *)attachment;
    pawl_usage_unref(watcher->usage);
    free(watcher);
}

pawl_status pawl_usage_attach(pawl_usage *usage, pawl_runtime *runtime, pawl_error **err) {
    if (!usage)
        return pawl_error_set(err, PAWL_E_INVALID, "%s: it is NULL; pass what pawl_usage_new() gave", who);
    if (!pawl_runtime_is_usable(runtime, err))
        return PAWL_E_INVALID;
    struct usage_watcher *watcher = malloc(sizeof *watcher);
    if (!watcher)
        return pawl_error_set(err, PAWL_E_NOMEM, "%s: out of memory", who);
    *watcher = (struct usage_watcher){.watcher = {.attachment.destroy = destroy, .begin = begin, .end = end},
                                      .usage = pawl_usage_ref(usage)};
    pawl_execution_watch(runtime, &watcher->watcher);
    return PAWL_OK;
}
