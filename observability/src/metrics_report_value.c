/* A report as JSON. */
#include "metrics_report_internal.h"
#include <math.h>

static bool add(cJSON *object, const char *key, double number) {
    return (isfinite(number) ? cJSON_AddNumberToObject(object, key, number) : cJSON_AddNullToObject(object, key)) !=
           NULL;
}

static bool add_node(cJSON *list, const pawl_node_report *row) {
    cJSON *node = cJSON_CreateObject();
    if (!node || !cJSON_AddItemToArray(list, node))
        return false;
    return cJSON_AddStringToObject(node, "type", row->type) && cJSON_AddStringToObject(node, "name", row->name) &&
           add(node, "executions", (double)row->executions) && add(node, "succeeded", (double)row->succeeded) &&
           add(node, "failed", (double)row->failed) && add(node, "cancelled", (double)row->cancelled) &&
           add(node, "active", (double)row->active) && add(node, "success_rate", row->success_rate) &&
           add(node, "mean_s", row->mean_s) && add(node, "min_s", row->min_s) && add(node, "max_s", row->max_s) &&
           add(node, "p50_s", row->p50_s) && add(node, "p90_s", row->p90_s) && add(node, "p95_s", row->p95_s) &&
           add(node, "p99_s", row->p99_s) && add(node, "per_second", row->per_second) &&
           add(node, "recent_per_second", row->recent_per_second);
}

static bool add_window(cJSON *slo, const char *key, const pawl_slo_window *window) {
    cJSON *object = cJSON_AddObjectToObject(slo, key);
    return object && add(object, "executions", (double)window->executions) && add(object, "good", window->good) &&
           add(object, "share", window->share) && add(object, "budget_left", window->budget_left) &&
           add(object, "burn_rate", window->burn_rate);
}

static bool add_slo(cJSON *list, const pawl_slo_report *row) {
    cJSON *slo = cJSON_CreateObject();
    if (!slo || !cJSON_AddItemToArray(list, slo))
        return false;
    return cJSON_AddStringToObject(slo, "name", row->name) && add(slo, "target", row->target) &&
           add_window(slo, "whole", &row->whole) && add_window(slo, "recent", &row->recent);
}

static bool fill(cJSON *json, const pawl_report *report) {
    cJSON *nodes = cJSON_AddArrayToObject(json, "nodes"), *slos = cJSON_AddArrayToObject(json, "slos");
    bool whole =
        nodes && slos && add(json, "seconds", report->seconds) && add(json, "recent_seconds", report->recent_seconds);
    for (size_t i = 0; i < report->node_count && whole; i++)
        whole = add_node(nodes, &report->rows[i]);
    for (size_t i = 0; i < report->slo_count && whole; i++)
        whole = add_slo(slos, &report->slo_rows[i]);
    return whole;
}

pawl_value *pawl_report_value(const pawl_report *report) {
    cJSON *json = report ? cJSON_CreateObject() : NULL;
    if (json && fill(json, report))
        return pawl_value_take(json);
    cJSON_Delete(json);
    return NULL;
}
