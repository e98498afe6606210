/* A log processor's figures as metrics. */
#include "figures_internal.h"
#include <pawl/observability/self_metrics.h>

#define PROCESSOR "batching_log_processor"
#define UNIT "{log_record}"

/* Before the first record nothing is told, so that a program that says nothing has nothing to export. */
static bool has_begun(pawl_logs *logs, pawl_logs_stats *ret_stats) {
    *ret_stats = (pawl_logs_stats){.size = sizeof *ret_stats};
    pawl_logs_get_stats(logs, ret_stats);
    return ret_stats->queue_size || ret_stats->processed || ret_stats->dropped_full || ret_stats->dropped_no_memory ||
           ret_stats->dropped_shutdown;
}

/* component, error_type: NULL for none. */
static void report(pawl_observation *observation, uint64_t records, const char *component, const char *error_type) {
    pawl_attribute attributes[2];
    size_t count = 0;
    if (component)
        attributes[count++] = pawl_attribute_string("otel.component.type", component);
    if (error_type)
        attributes[count++] = pawl_attribute_string("error.type", error_type);
    pawl_observation_report(observation, (double)records, attributes, count);
}

static void observe_queue_size(void *logs, pawl_observation *observation) {
    pawl_logs_stats stats;
    if (has_begun(logs, &stats))
        report(observation, stats.queue_size, PROCESSOR, NULL);
}

static void observe_queue_capacity(void *logs, pawl_observation *observation) {
    pawl_logs_stats stats;
    if (has_begun(logs, &stats))
        report(observation, stats.queue_capacity, PROCESSOR, NULL);
}

/* Also errors that have not happened: a rate needs a 0 to begin with. */
static void observe_processed(void *logs, pawl_observation *observation) {
    pawl_logs_stats stats;
    if (!has_begun(logs, &stats))
        return;
    report(observation, stats.processed, PROCESSOR, NULL);
    report(observation, stats.dropped_full, PROCESSOR, "queue_full");
    report(observation, stats.dropped_no_memory, PROCESSOR, "no_memory");
    report(observation, stats.dropped_shutdown, PROCESSOR, "already_shutdown");
}

static void observe_exported(void *logs, pawl_observation *observation) {
    pawl_logs_stats stats;
    if (!has_begun(logs, &stats))
        return;
    report(observation, stats.exported, NULL, NULL);
    report(observation, stats.failed, NULL, "_OTHER"); /* one series, whatever it was each time */
}

static const struct pawl_figure figures[] = {
    PAWL_FIGURE("otel.sdk.processor.log.queue.size", UNIT, PAWL_UP_DOWN_COUNTER,
                "Log records that wait to be exported.", observe_queue_size),
    PAWL_FIGURE("otel.sdk.processor.log.queue.capacity", UNIT, PAWL_UP_DOWN_COUNTER, "Log records that may wait.",
                observe_queue_capacity),
    PAWL_FIGURE("otel.sdk.processor.log.processed", UNIT, PAWL_COUNTER, "Log records handed to exporters, or dropped.",
                observe_processed),
    PAWL_FIGURE("otel.sdk.exporter.log.exported", UNIT, PAWL_COUNTER, "Log records exported, or not.",
                observe_exported),
};
#define FIGURES (sizeof figures / sizeof *figures)

pawl_status pawl_metrics_observe_logs(pawl_metrics *metrics, pawl_logs *logs, pawl_error **err) {
    if (!metrics || !logs)
        return pawl_error_set(err, PAWL_E_INVALID, "metrics: %s is NULL",
                              metrics ? "the pawl_logs" : "the pawl_metrics");
    return pawl_figures_observe(metrics, figures, FIGURES, logs, err);
}

void pawl_metrics_unobserve_logs(pawl_metrics *metrics, pawl_logs *logs) {
    pawl_figures_unobserve(metrics, figures, FIGURES, logs);
}
