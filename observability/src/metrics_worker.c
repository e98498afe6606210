/* The thread of a periodic reader: exports every interval, when asked, and a last time at the end. */
#include "export_internal.h"
#include "metrics_export_internal.h"
#include <errno.h>
#include <time.h>

uint64_t pawl_metrics_monotonic(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * PAWL_S(1) + (uint64_t)time.tv_nsec;
}

/* Under the lock. False: the time is up. */
static bool wait_until(struct metrics_export *e, uint64_t end_ns) {
    if (end_ns == PAWL_NEVER)
        return pthread_cond_wait(&e->changed, &e->lock) == 0;
    struct timespec end = {.tv_sec = (time_t)(end_ns / PAWL_S(1)), .tv_nsec = (long)(end_ns % PAWL_S(1))};
    return pthread_cond_timedwait(&e->changed, &e->lock, &end) != ETIMEDOUT;
}

void *pawl_metrics_work(void *user) {
    struct metrics_export *e = user;
    uint64_t due = metrics_after(pawl_metrics_monotonic(), e->options.interval_ns);
    pthread_mutex_lock(&e->lock);
    for (bool stop = false; !stop;) {
        while (!e->stop && e->asked == e->done && wait_until(e, due)) {
        }
        stop = e->stop;
        uint64_t asked = e->asked, timeout_ns = asked > e->done ? e->timeout_ns : e->options.timeout_ns;
        timeout_ns = e->too_late ? 0 : stop ? e->options.end_timeout_ns : timeout_ns;
        e->busy = timeout_ns > 0;
        pthread_mutex_unlock(&e->lock);
        pawl_error *error = NULL;
        pawl_status status = timeout_ns > 0 ? pawl_metrics_deliver(e, timeout_ns, &error) : PAWL_OK;
        due = metrics_after(pawl_metrics_monotonic(), e->options.interval_ns);
        pthread_mutex_lock(&e->lock);
        pawl_error_unref(e->error);
        e->error = error;
        e->busy = false;
        e->status = status;
        e->done = asked;
        pthread_cond_broadcast(&e->changed);
    }
    e->ended = true;
    pthread_cond_broadcast(&e->changed);
    pthread_mutex_unlock(&e->lock);
    return NULL;
}

static void cancel_exporters(struct metrics_export *e) {
    for (uint64_t i = 0; i < e->options.exporter_count; i++)
        pawl_exporter_cancel(e->exporters[i]);
}

/* The last export has its time; then one that is under way is ended, for good. Under the lock, which is given up
 * meanwhile. */
static void end_thread(struct metrics_export *e) {
    uint64_t end = metrics_after(pawl_metrics_monotonic(), e->options.end_timeout_ns);
    e->stop = true;
    pthread_cond_broadcast(&e->changed);
    while (!e->ended && wait_until(e, end)) {
    }
    bool late = e->busy;
    e->too_late = true;
    pthread_mutex_unlock(&e->lock);
    if (late)
        cancel_exporters(e);
    pthread_join(e->thread, NULL);
    pthread_mutex_lock(&e->lock);
}

void pawl_metrics_end(struct metrics_export *e) {
    pthread_mutex_lock(&e->lock);
    if (e->has_thread && !e->stop)
        end_thread(e);
    else if (!e->ended && e->options.end_timeout_ns > 0)
        (void)pawl_metrics_deliver(e, e->options.end_timeout_ns, NULL);
    e->ended = true;
    pthread_mutex_unlock(&e->lock);
}

static pawl_status ask_thread(struct metrics_export *e, uint64_t end_ns, pawl_error **err) {
    pawl_status status = PAWL_OK;
    pthread_mutex_lock(&e->lock);
    uint64_t start = pawl_metrics_monotonic(), mine = ++e->asked;
    e->timeout_ns = end_ns > start && end_ns - start < e->options.timeout_ns ? end_ns - start : e->options.timeout_ns;
    pthread_cond_broadcast(&e->changed);
    while (e->done < mine && !e->ended && wait_until(e, end_ns)) {
    }
    if (e->done < mine && !e->ended)
        status = pawl_error_set(err, PAWL_E_TIMEOUT, "metrics: the export goes on, but the time to wait for it is up");
    else if ((status = e->status) != PAWL_OK && err)
        *err = pawl_error_ref(e->error);
    pthread_mutex_unlock(&e->lock);
    return status;
}

pawl_status pawl_metrics_ask(struct metrics_export *e, uint64_t end_ns, uint64_t timeout_ns, pawl_error **err) {
    if (e->has_thread)
        return ask_thread(e, end_ns, err);
    uint64_t most = timeout_ns < e->options.timeout_ns ? timeout_ns : e->options.timeout_ns;
    pthread_mutex_lock(&e->lock);
    pawl_status status = e->ended ? PAWL_OK : pawl_metrics_deliver(e, most, err);
    pthread_mutex_unlock(&e->lock);
    return status;
}
