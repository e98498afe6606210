/* Usage as a value; pawl/integrations/usage.h says its shape. */
#include "execution/json_writer_internal.h"
#include "usage_internal.h"
#include <stdlib.h>
#include <string.h>

static const char *language_of(size_t index) {
    return index < PAWL_LANGUAGE_COUNT ? pawl_language_name((pawl_language)index) : "other";
}

static const char *ending_of(size_t index) {
    return index < PAWL_EXECUTION_OUTCOME_COUNT_
               ? pawl_execution_outcome_word((pawl_execution_outcome)index)
               : pawl_status_word((pawl_status)(index - PAWL_EXECUTION_OUTCOME_COUNT_));
}

static void add_row(struct json_writer *w, cJSON *rows, const struct usage_provider *provider, size_t language,
                    size_t ending) {
    const struct usage_cell *cell = &provider->cells[language][ending];
    if (cell->executions == 0)
        return;
    cJSON *row = json_append_object(w, rows);
    json_add(w, row, "provider", cJSON_CreateString(provider->name));
    json_add(w, row, "language", cJSON_CreateString(language_of(language)));
    json_add(w, row, "outcome", cJSON_CreateString(ending_of(ending)));
    json_add(w, row, "executions", json_number(cell->executions));
    json_add(w, row, "sandbox_seconds", cJSON_CreateNumber(cell->sandbox_seconds));
    json_add(w, row, "cpu_seconds", cJSON_CreateNumber(cell->cpu_seconds));
    if (provider->price)
        json_add(w, row, "cost", cJSON_CreateNumber(cell->cost));
}

static void add_provider(struct json_writer *w, cJSON *rows, const struct usage_provider *provider) {
    for (size_t language = 0; language < USAGE_LANGUAGES; language++)
        for (size_t ending = 0; ending < USAGE_ENDINGS; ending++)
            add_row(w, rows, provider, language, ending);
}

static void add_budgets(struct json_writer *w, cJSON *root, const pawl_usage *usage) {
    cJSON *budgets = json_add_object(w, root, "budgets");
    for (pawl_usage_budget i = 0; i < PAWL_BUDGET_COUNT_; i++) {
        double used = pawl_usage_used(usage, i), limit = usage->limits[i];
        if (limit < 0)
            continue;
        cJSON *budget = json_add_object(w, budgets, pawl_usage_budget_word(i));
        json_add(w, budget, "used", cJSON_CreateNumber(used));
        json_add(w, budget, "limit", cJSON_CreateNumber(limit));
        json_add(w, budget, "percent", cJSON_CreateNumber(limit > 0 ? used * 100 / limit : 100));
        json_add(w, budget, "used_up", cJSON_CreateBool(used >= limit));
    }
}

static void add_all(struct json_writer *w, cJSON *root, const pawl_usage *usage) {
    const pawl_usage_totals *totals = &usage->totals;
    json_add(w, root, "executions", json_number(totals->executions));
    json_add(w, root, "not_started", json_number(totals->not_started));
    json_add(w, root, "refused", json_number(totals->refused));
    json_add(w, root, "active", json_number(totals->active));
    json_add(w, root, "unpriced", json_number(totals->unpriced));
    json_add(w, root, "sandbox_seconds", cJSON_CreateNumber(totals->sandbox_seconds));
    json_add(w, root, "cpu_seconds", cJSON_CreateNumber(totals->cpu_seconds));
    if (totals->has_cost)
        json_add(w, root, "cost", cJSON_CreateNumber(totals->cost));
    if (usage->currency[0])
        json_add(w, root, "currency", cJSON_CreateString(usage->currency));
    cJSON *rows = json_add_array(w, root, "by");
    for (size_t i = 0; i < USAGE_PROVIDERS && usage->providers[i]; i++)
        add_provider(w, rows, usage->providers[i]);
    add_provider(w, rows, &usage->other);
    add_budgets(w, root, usage);
}

pawl_value *pawl_usage_value(pawl_usage *usage) {
    struct json_writer w = {false};
    cJSON *root = usage ? cJSON_CreateObject() : NULL;
    if (!root)
        return NULL;
    pthread_mutex_lock(&usage->lock);
    add_all(&w, root, usage);
    pthread_mutex_unlock(&usage->lock);
    if (!w.failed)
        return pawl_value_take(root);
    cJSON_Delete(root);
    return NULL;
}
