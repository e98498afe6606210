/* Figures of the runtimes that are attached, asked for when somebody reads; of several runtimes their sums. */
#include "engine_internal.h"
#include "figures_internal.h"
#include "metrics_internal.h"

/* While metrics are collected, which keeps the list as it is. */
static pawl_runtime_stats sum(const pawl_metrics *metrics) {
    pawl_runtime_stats all = {.refused_completions = metrics->refused_before};
    for (const struct attachment *at = metrics->attachments; at; at = at->next) {
        pawl_runtime_stats one = {.size = sizeof one};
        pawl_runtime_get_stats(at->runtime, &one);
        all.live_runs += one.live_runs;
        all.live_frames += one.live_frames;
        all.pool_threads += one.pool_threads;
        all.pool_queued += one.pool_queued;
        all.abandoned += one.abandoned;
        all.refused_completions += one.refused_completions;
    }
    return all;
}

/* Nothing while none has run, so that a program that ends at once has nothing to export. */
static void report(const pawl_metrics *metrics, pawl_observation *observation, uint64_t figure) {
    const struct attachment *at = metrics->attachments;
    while (at && !atomic_load(&at->runtime->started))
        at = at->next;
    if (at)
        pawl_observation_report(observation, (double)figure, NULL, 0);
}

static void observe_runs(void *metrics, pawl_observation *observation) {
    report(metrics, observation, sum(metrics).live_runs);
}

static void observe_nodes(void *metrics, pawl_observation *observation) {
    report(metrics, observation, sum(metrics).live_frames);
}

static void observe_threads(void *metrics, pawl_observation *observation) {
    report(metrics, observation, sum(metrics).pool_threads);
}

static void observe_queue(void *metrics, pawl_observation *observation) {
    report(metrics, observation, sum(metrics).pool_queued);
}

static void observe_abandoned(void *metrics, pawl_observation *observation) {
    report(metrics, observation, sum(metrics).abandoned);
}

static void observe_refused(void *metrics, pawl_observation *observation) {
    report(metrics, observation, sum(metrics).refused_completions);
}

static const struct pawl_figure figures[] = {
    PAWL_FIGURE("pawl.runtime.runs", "{run}", PAWL_UP_DOWN_COUNTER, "Runs under way.", observe_runs),
    PAWL_FIGURE("pawl.runtime.nodes", "{node}", PAWL_UP_DOWN_COUNTER, "Nodes that have started and not ended.",
                observe_nodes),
    PAWL_FIGURE("pawl.runtime.pool.threads", "{thread}", PAWL_UP_DOWN_COUNTER, "Threads for blocking leaves.",
                observe_threads),
    PAWL_FIGURE("pawl.runtime.pool.queue", "{node}", PAWL_UP_DOWN_COUNTER, "Blocking leaves that wait for a thread.",
                observe_queue),
    PAWL_FIGURE("pawl.runtime.abandoned", "{node}", PAWL_UP_DOWN_COUNTER, "Detached leaves that still run.",
                observe_abandoned),
    PAWL_FIGURE("pawl.runtime.completions.refused", "{completion}", PAWL_COUNTER,
                "Late or double completions of asynchronous leaves.", observe_refused),
};
#define FIGURES (sizeof figures / sizeof *figures)

/* Twice attached, everything would count twice. */
static bool has_runtime(const pawl_metrics *metrics, const pawl_runtime *runtime) {
    const struct attachment *at = metrics->attachments;
    while (at && at->runtime != runtime)
        at = at->next;
    return at != NULL;
}

pawl_status pawl_metrics_add_runtime(pawl_metrics *metrics, struct attachment *attachment, pawl_error **err) {
    pthread_mutex_lock(&metrics->attaching);
    pawl_status status =
        metrics->observes_runtimes ? PAWL_OK : pawl_figures_observe(metrics, figures, FIGURES, metrics, err);
    metrics->observes_runtimes = status == PAWL_OK;
    pthread_mutex_unlock(&metrics->attaching);
    if (status != PAWL_OK)
        return status;
    pthread_mutex_lock(&metrics->collecting);
    bool is_there = has_runtime(metrics, attachment->runtime);
    if (!is_there) {
        attachment->next = metrics->attachments;
        metrics->attachments = attachment;
    }
    pthread_mutex_unlock(&metrics->collecting);
    return !is_there
               ? PAWL_OK
               : pawl_error_set(err, PAWL_E_INVALID, "metrics: they are attached to this runtime; once is enough");
}

void pawl_metrics_remove_runtime(pawl_metrics *metrics, struct attachment *attachment, bool ended) {
    pawl_runtime_stats last = {.size = sizeof last};
    pawl_runtime_get_stats(attachment->runtime, &last);
    pthread_mutex_lock(&metrics->collecting);
    struct attachment **at = &metrics->attachments;
    while (*at && *at != attachment)
        at = &(*at)->next;
    if (*at) {
        *at = attachment->next;
        metrics->refused_before += ended ? last.refused_completions : 0;
    }
    pthread_mutex_unlock(&metrics->collecting);
}
