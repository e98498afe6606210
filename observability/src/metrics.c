/* Metrics: life, clock, and the observer that feeds them. */
#include "engine_internal.h"
#include "metrics_internal.h"
#include <stdlib.h>
#include <unistd.h>

bool pawl_metrics_is_usable(const pawl_metrics *metrics, pawl_error **err) {
    if (!metrics)
        pawl_error_set(err, PAWL_E_INVALID, "metrics: they are NULL; pass what pawl_metrics_new() gave");
    else if (metrics->process != getpid())
        pawl_error_set(err, PAWL_E_INVALID,
                       "metrics: this process was forked from their owner; make other ones after the fork");
    else
        return true;
    return false;
}

uint64_t pawl_metrics_now(pawl_metrics *metrics) {
    uint64_t now = metrics->latest_unix_ns;
    if (metrics->clock)
        now = pawl_runtime_now(metrics->clock) + (uint64_t)pawl_runtime_wall_offset(metrics->clock);
    else if (!metrics->is_virtual) { /* virtual time ended with its runtime */
        struct timespec wall;
        clock_gettime(CLOCK_REALTIME, &wall);
        now = (uint64_t)wall.tv_sec * PAWL_S(1) + (uint64_t)wall.tv_nsec;
    }
    if (now > metrics->latest_unix_ns)
        metrics->latest_unix_ns = now;
    return metrics->latest_unix_ns;
}

struct pawl_redaction pawl_metrics_redaction(const pawl_metrics *metrics, const pawl_runtime *runtime) {
    const struct pawl_redaction redaction = runtime ? pawl_redaction_of(runtime, true) : pawl_redaction_here(true);
    return runtime || redaction.sets[0] ? redaction : pawl_redaction_of(metrics->clock, true);
}

/* ---- life ---- */

static pawl_status set_options(pawl_metrics_options *set, const pawl_metrics_options *given, pawl_error **err) {
    if (pawl_options_copy(set, sizeof *set, given, "metrics", err) != PAWL_OK)
        return PAWL_E_INVALID;
    if (set->max_series > 100000)
        return pawl_error_set(err, PAWL_E_INVALID, "metrics: max_series must be between 1 and 100000");
    set->max_series = set->max_series ? set->max_series : 2000;
    return PAWL_OK;
}

static void free_metrics(pawl_metrics *metrics) {
    while (metrics->shards) {
        struct shard *next = metrics->shards->next;
        pawl_arena_free(&metrics->shards->arena);
        free(metrics->shards);
        metrics->shards = next;
    }
    while (metrics->observed) {
        struct observed *next = metrics->observed->next;
        free(metrics->observed);
        metrics->observed = next;
    }
    pawl_metrics_free_exports(metrics);
    pawl_metrics_free_registry(metrics);
    pthread_mutex_destroy(&metrics->lock);
    pthread_mutex_destroy(&metrics->collecting);
    pthread_mutex_destroy(&metrics->exporting);
    pthread_mutex_destroy(&metrics->attaching);
    free(metrics);
}

pawl_metrics *pawl_metrics_new(const pawl_metrics_options *options, pawl_error **err) {
    static atomic_ullong ids; /* only so that a thread's cache can tell two of them apart */
    pawl_metrics_options set;
    if (set_options(&set, options, err) != PAWL_OK)
        return NULL;
    pawl_metrics *metrics = calloc(1, sizeof *metrics);
    if (!metrics) {
        pawl_error_set(err, PAWL_E_NOMEM, "metrics: out of memory");
        return NULL;
    }
    atomic_init(&metrics->refs, 1);
    atomic_init(&metrics->holders, 1);
    metrics->id = atomic_fetch_add(&ids, 1) + 1;
    metrics->process = getpid();
    metrics->options = set;
    atomic_init(&metrics->epoch, 2);
    metrics->instruments_end = &metrics->instruments;
    pthread_mutex_init(&metrics->lock, NULL);
    pthread_mutex_init(&metrics->collecting, NULL);
    pthread_mutex_init(&metrics->exporting, NULL);
    pthread_mutex_init(&metrics->attaching, NULL);
    metrics->start_unix_ns = pawl_metrics_now(metrics);
    if (pawl_metrics_register_own(metrics))
        return metrics;
    pawl_error_set(err, PAWL_E_NOMEM, "metrics: out of memory");
    free_metrics(metrics);
    return NULL;
}

pawl_metrics *pawl_metrics_ref(pawl_metrics *metrics) {
    if (metrics)
        atomic_fetch_add_explicit(&metrics->refs, 1, memory_order_relaxed);
    return metrics;
}

void pawl_metrics_let_go(pawl_metrics *metrics) {
    if (atomic_fetch_sub_explicit(&metrics->holders, 1, memory_order_acq_rel) == 1)
        free_metrics(metrics);
}

/* In a forked child locks and threads are the parent's: what the child has is left alone. */
pawl_metrics *pawl_metrics_unref(pawl_metrics *metrics) {
    if (!metrics || atomic_fetch_sub_explicit(&metrics->refs, 1, memory_order_acq_rel) != 1 ||
        metrics->process != getpid())
        return NULL;
    pawl_metrics_end_exports(metrics);
    pawl_metrics_let_go(metrics);
    return NULL;
}

/* ---- observer ---- */

static pawl_status on_flush(void *self, uint64_t timeout_ns, pawl_error **err) {
    return pawl_metrics_flush(((struct attachment *)self)->metrics, timeout_ns, err);
}

static void detach(pawl_metrics *metrics, pawl_runtime *runtime) {
    pthread_mutex_lock(&metrics->lock);
    bool was_clock = metrics->clock == runtime;
    if (was_clock) {
        pawl_metrics_now(metrics);
        metrics->clock = NULL;
    }
    metrics->attached--;
    pthread_mutex_unlock(&metrics->lock);
    if (was_clock)
        pawl_runtime_release(runtime);
}

static bool is_last_runtime(pawl_metrics *metrics) {
    pthread_mutex_lock(&metrics->lock);
    bool is_last = metrics->attached == 1;
    pthread_mutex_unlock(&metrics->lock);
    return is_last;
}

void pawl_metrics_prepare_end(pawl_metrics *metrics) {
    if (is_last_runtime(metrics))
        pawl_metrics_prepare_last_exports(metrics);
}

/* The last export is made while there is a clock. */
static void on_destroy(void *self) {
    struct attachment *attachment = self;
    pawl_metrics *metrics = attachment->metrics;
    if (is_last_runtime(metrics))
        pawl_metrics_end_exports(metrics);
    pawl_metrics_remove_runtime(metrics, attachment, true);
    detach(metrics, attachment->runtime);
    pawl_metrics_unref(metrics);
    free(attachment);
}

static const pawl_observer_vtable vtable = {.size = sizeof vtable,
                                            .span_start = pawl_metrics_span_start,
                                            .span_end = pawl_metrics_span_end,
                                            .destroy = on_destroy,
                                            .measure = pawl_metrics_measure,
                                            .flush = on_flush,
                                            .skips_instants = 1};

/* Under the lock. */
static void take_clock(pawl_metrics *metrics, pawl_runtime *runtime) {
    metrics->attached++;
    if (metrics->clock)
        return;
    pawl_runtime_hold(runtime);
    metrics->clock = runtime;
    metrics->is_virtual = runtime->hooks != NULL;
    metrics->latest_unix_ns = 0; /* virtual time may lie before the date */
    if (metrics->is_virtual)
        metrics->start_unix_ns = pawl_metrics_now(metrics);
}

pawl_status pawl_metrics_attach(pawl_metrics *metrics, pawl_runtime *runtime, pawl_error **err) {
    if (!pawl_metrics_is_usable(metrics, err) || !pawl_runtime_is_usable(runtime, err))
        return PAWL_E_INVALID;
    struct attachment *attachment = malloc(sizeof *attachment);
    if (!attachment)
        return pawl_error_set(err, PAWL_E_NOMEM, "metrics: out of memory");
    *attachment = (struct attachment){.metrics = pawl_metrics_ref(metrics), .id = metrics->id, .runtime = runtime};
    pawl_status status = pawl_metrics_add_runtime(metrics, attachment, err);
    pthread_mutex_lock(&metrics->lock);
    if (status == PAWL_OK)
        status = pawl_runtime_add_observer(runtime, &vtable, attachment, err);
    if (status == PAWL_OK)
        take_clock(metrics, runtime);
    pthread_mutex_unlock(&metrics->lock);
    if (status != PAWL_OK) {
        pawl_metrics_remove_runtime(metrics, attachment, false);
        pawl_metrics_unref(metrics);
        free(attachment);
    }
    return status;
}
