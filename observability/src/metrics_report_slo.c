/* Objectives: what is good, and what is left of the budget. */
#include "metrics_report_internal.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SLOS 64

/* ---- copying ---- */

static bool copy_text(const char **text) {
    if (!*text)
        return true;
    size_t bytes = strlen(*text) + 1;
    char *copy = malloc(bytes);
    *text = copy ? memcpy(copy, *text, bytes) : NULL;
    return copy != NULL;
}

static bool copy_slo(pawl_slo *slo, const pawl_slo *given) {
    *slo = *given;
    bool name = copy_text(&slo->name), type = copy_text(&slo->type), node = copy_text(&slo->node);
    return name && type && node;
}

static pawl_status check(const pawl_slo *slos, size_t count, pawl_error **err) {
    if (count > SLOS || (count > 0 && !slos))
        return pawl_error_set(err, PAWL_E_INVALID, "report: %zu objectives are given; at most %d are allowed", count,
                              SLOS);
    for (size_t i = 0; i < count; i++) {
        if (!slos[i].name || !*slos[i].name)
            return pawl_error_set(err, PAWL_E_INVALID, "report: objective %zu has no name", i);
        if (!(slos[i].target > 0 && slos[i].target < 1))
            return pawl_error_set(err, PAWL_E_INVALID,
                                  "report: objective '%s' has the target %g; it must lie between 0 and 1, e.g. 0.99",
                                  slos[i].name, slos[i].target);
    }
    return PAWL_OK;
}

pawl_status pawl_report_copy_slos(pawl_report *report, const pawl_slo *slos, size_t count, pawl_error **err) {
    pawl_status status = check(slos, count, err);
    if (status != PAWL_OK || count == 0)
        return status;
    report->slos = calloc(count, sizeof *report->slos);
    report->slo_rows = calloc(count, sizeof *report->slo_rows);
    bool copied = report->slos && report->slo_rows;
    for (size_t i = 0; i < count && copied; i++) {
        report->slo_count++;
        copied = copy_slo(&report->slos[i].slo, &slos[i]);
        report->slo_rows[i].name = report->slos[i].slo.name;
        report->slo_rows[i].target = slos[i].target;
    }
    return copied ? PAWL_OK : pawl_error_set(err, PAWL_E_NOMEM, "report: out of memory");
}

void pawl_report_free_slos(pawl_report *report) {
    for (size_t i = 0; i < report->slo_count; i++) {
        free((char *)report->slos[i].slo.name);
        free((char *)report->slos[i].slo.type);
        free((char *)report->slos[i].slo.node);
    }
    free(report->slos);
    free(report->slo_rows);
}

/* ---- what is good ---- */

/* Executions within latency; those of the bucket it lies in are spread evenly. */
static double within(const pawl_report *report, const uint64_t *counts, double latency) {
    double good = 0, low = 0;
    for (size_t i = 0; i < report->bound_count; i++) {
        double high = report->bounds[i];
        if (latency < high)
            return good + (double)counts[i] * (latency - low) / (high - low);
        good += (double)counts[i];
        low = high;
    }
    return good;
}

static bool is_about(const pawl_slo *slo, const pawl_node_report *row) {
    return (!slo->type || strcmp(slo->type, row->type) == 0) && (!slo->node || strcmp(slo->node, row->name) == 0);
}

static void add_up(const pawl_report *report, const pawl_slo *slo, uint64_t *ret_executions, double *ret_good) {
    *ret_executions = 0;
    *ret_good = 0;
    for (size_t i = 0; i < report->node_count; i++) {
        const pawl_node_report *row = &report->rows[i];
        if (!is_about(slo, row))
            continue;
        *ret_executions += row->succeeded + row->failed;
        *ret_good += slo->latency_ns ? within(report, report->nodes[i].good, (double)slo->latency_ns / 1e9)
                                     : (double)row->succeeded;
    }
}

static pawl_slo_window window(uint64_t executions, double good, double target) {
    if (executions == 0)
        return (pawl_slo_window){.share = NAN, .budget_left = 1};
    double bad = (double)executions - good, allowed = (1 - target) * (double)executions;
    return (pawl_slo_window){.executions = executions,
                             .good = good,
                             .share = good / (double)executions,
                             .budget_left = 1 - bad / allowed,
                             .burn_rate = bad / allowed};
}

void pawl_report_update_slos(pawl_report *report) {
    for (size_t i = 0; i < report->slo_count; i++) {
        struct report_slo *slo = &report->slos[i];
        pawl_slo_report *row = &report->slo_rows[i];
        uint64_t executions;
        double good;
        add_up(report, &slo->slo, &executions, &good);
        row->whole = window(executions, good, row->target);
        row->recent = window(executions - slo->executions_before, good - slo->good_before, row->target);
        slo->executions_before = executions;
        slo->good_before = good;
    }
}
