/* A tracer's figures as metrics. */
#include "batch_internal.h"
#include "figures_internal.h"
#include <pawl/observability/self_metrics.h>
#include <string.h>

#define PROCESSOR "batching_span_processor"
#define UNIT "{span}"

/* Before the first span nothing is told, so that a program that ran nothing has nothing to export. */
static pawl_tracer_stats stats_of(void *tracer) {
    pawl_tracer_stats stats = {.size = sizeof stats};
    pawl_tracer_get_stats(tracer, &stats);
    return stats;
}

static void observe_started(void *tracer, pawl_observation *observation) {
    pawl_tracer_stats stats = stats_of(tracer);
    if (stats.started)
        pawl_observation_report(observation, (double)stats.started, NULL, 0);
}

static void observe_live(void *tracer, pawl_observation *observation) {
    pawl_tracer_stats stats = stats_of(tracer);
    if (stats.started)
        pawl_observation_report(observation, (double)stats.live, NULL, 0);
}

/* ---- the processor ---- */

/* error_type: NULL for none. */
static void report(pawl_observation *observation, uint64_t spans, const char *component, const char *error_type) {
    const pawl_attribute attributes[] = {pawl_attribute_string("otel.component.type", component),
                                         pawl_attribute_string("error.type", error_type)};
    pawl_observation_report(observation, (double)spans, attributes, error_type ? 2 : 1);
}

static void observe_queue_size(void *tracer, pawl_observation *observation) {
    pawl_tracer_stats stats = stats_of(tracer);
    if (stats.started)
        report(observation, stats.queue_size, PROCESSOR, NULL);
}

static void observe_queue_capacity(void *tracer, pawl_observation *observation) {
    pawl_tracer_stats stats = stats_of(tracer);
    if (stats.started)
        report(observation, stats.queue_capacity, PROCESSOR, NULL);
}

/* Also errors that have not happened: a rate needs a 0 to begin with. */
static void observe_processed(void *tracer, pawl_observation *observation) {
    pawl_tracer_stats stats = stats_of(tracer);
    if (!stats.started)
        return;
    report(observation, stats.processed, PROCESSOR, NULL);
    report(observation, stats.dropped_full, PROCESSOR, "queue_full");
    report(observation, stats.dropped_no_memory, PROCESSOR, "no_memory");
    report(observation, stats.dropped_shutdown, PROCESSOR, "already_shutdown");
    report(observation, stats.dropped_undecided, PROCESSOR, "held_full");
}

/* ---- its exporters ---- */

/* The figures of all exporters that are of the i-th one's type, which are one series; false: an earlier one's call has
 * told them, or there is none. */
static bool add_up(pawl_tracer *tracer, size_t i, pawl_tracer_exporter_stats *ret_sum) {
    pawl_tracer_exporter_stats one = {.size = sizeof one};
    *ret_sum = one;
    if (!pawl_tracer_get_exporter_stats(tracer, i, ret_sum))
        return false;
    const char *type = ret_sum->name;
    for (size_t j = 0; pawl_tracer_get_exporter_stats(tracer, j, &one); j++) {
        if (j == i || strcmp(one.name, type) != 0)
            continue;
        if (j < i)
            return false;
        ret_sum->inflight += one.inflight;
        ret_sum->exported += one.exported;
        ret_sum->failed += one.failed;
    }
    return true;
}

static void observe_inflight(void *tracer, pawl_observation *observation) {
    pawl_tracer_exporter_stats sum;
    for (size_t i = 0; stats_of(tracer).started && i < PAWL_TRACER_EXPORTERS; i++)
        if (add_up(tracer, i, &sum))
            report(observation, sum.inflight, sum.name, NULL);
}

static void observe_exported(void *tracer, pawl_observation *observation) {
    pawl_tracer_exporter_stats sum;
    for (size_t i = 0; stats_of(tracer).started && i < PAWL_TRACER_EXPORTERS; i++)
        if (add_up(tracer, i, &sum)) {
            report(observation, sum.exported, sum.name, NULL);
            report(observation, sum.failed, sum.name, "_OTHER"); /* one series, whatever it was each time */
        }
}

static const struct pawl_figure figures[] = {
    PAWL_FIGURE("otel.sdk.span.started", UNIT, PAWL_COUNTER, "Spans recorded.", observe_started),
    PAWL_FIGURE("otel.sdk.span.live", UNIT, PAWL_UP_DOWN_COUNTER, "Recorded spans that have not ended.", observe_live),
    PAWL_FIGURE("otel.sdk.processor.span.queue.size", UNIT, PAWL_UP_DOWN_COUNTER, "Spans that wait to be exported.",
                observe_queue_size),
    PAWL_FIGURE("otel.sdk.processor.span.queue.capacity", UNIT, PAWL_UP_DOWN_COUNTER, "Spans that may wait.",
                observe_queue_capacity),
    PAWL_FIGURE("otel.sdk.processor.span.processed", UNIT, PAWL_COUNTER, "Spans handed to exporters, or dropped.",
                observe_processed),
    PAWL_FIGURE("otel.sdk.exporter.span.inflight", UNIT, PAWL_UP_DOWN_COUNTER, "Spans that are being exported.",
                observe_inflight),
    PAWL_FIGURE("otel.sdk.exporter.span.exported", UNIT, PAWL_COUNTER, "Spans exported, or not.", observe_exported),
};
#define FIGURES (sizeof figures / sizeof *figures)

pawl_status pawl_metrics_observe_tracer(pawl_metrics *metrics, pawl_tracer *tracer, pawl_error **err) {
    if (!metrics || !tracer)
        return pawl_error_set(err, PAWL_E_INVALID, "metrics: %s is NULL", metrics ? "the tracer" : "the pawl_metrics");
    return pawl_figures_observe(metrics, figures, FIGURES, tracer, err);
}

void pawl_metrics_unobserve_tracer(pawl_metrics *metrics, pawl_tracer *tracer) {
    pawl_figures_unobserve(metrics, figures, FIGURES, tracer);
}
