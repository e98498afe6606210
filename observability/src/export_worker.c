#include "export_worker_internal.h"
#include "engine_internal.h"
#include <errno.h>
#include <string.h>

#define GRACE_NS PAWL_S(1)         /* after the end, for an exporter to come back once it was cancelled */
#define LEAST_GRACE_NS PAWL_MS(50) /* also when somebody else's exporter has used that up */

/* ---- time ---- */

static struct timespec until(uint64_t ns) {
    return (struct timespec){.tv_sec = (time_t)(ns / PAWL_S(1)), .tv_nsec = (long)(ns % PAWL_S(1))};
}

uint64_t pawl_export_after(uint64_t ns) {
    uint64_t now = pawl_export_now(), most = PAWL_S(1000000000); /* what a time_t can surely hold */
    return now + (ns < most ? ns : most);
}

uint64_t pawl_export_worker_time(const struct pawl_export_worker *worker, uint64_t most) {
    uint64_t now = pawl_export_now(), end_ns = atomic_load(&worker->stop_ns);
    end_ns = worker->end_ns < end_ns ? worker->end_ns : end_ns;
    uint64_t left = now < end_ns ? end_ns - now : 0;
    return left < most ? left : most;
}

/* ---- exporting ---- */

static pawl_status run(struct pawl_export_worker *worker, bool all, uint64_t end_ns, pawl_error **err) {
    worker->end_ns = end_ns;
    return worker->job.run(worker->job.user, all, err);
}

static void discard(const struct pawl_export_worker *worker) {
    if (worker->job.discard)
        worker->job.discard(worker->job.user);
}

/* ---- the thread ---- */

void pawl_export_worker_ring(struct pawl_export_worker *worker) {
    sem_post(&worker->bell);
}

static void sleep_until(struct pawl_export_worker *worker, uint64_t due_ns) {
    const struct timespec due = until(due_ns);
    sem_clockwait(&worker->bell, CLOCK_MONOTONIC, &due);
    while (sem_trywait(&worker->bell) == 0) { /* one look answers all who rang */
    }
}

/* Until when there is nothing to do, if nobody rings. */
static uint64_t next_due(struct pawl_export_worker *worker, uint64_t due_ns) {
    pthread_mutex_lock(&worker->lock);
    uint64_t hold_ns = worker->hold_ns;
    pthread_mutex_unlock(&worker->lock);
    return hold_ns > 0 && hold_ns < due_ns ? hold_ns : due_ns;
}

struct turn {
    bool all, last;
    uint64_t asked;
};

static struct turn look(struct pawl_export_worker *worker, uint64_t due_ns) {
    pthread_mutex_lock(&worker->lock);
    uint64_t now = pawl_export_now(), stop_ns = atomic_load(&worker->stop_ns);
    bool held = now < worker->hold_ns;
    struct turn turn = {.last = !held && stop_ns != PAWL_NEVER, .asked = held ? worker->answered : worker->asked};
    if (!held)
        worker->hold_ns = 0;
    turn.all = turn.last || turn.asked > worker->answered || now >= due_ns;
    worker->busy = now < stop_ns;
    pthread_mutex_unlock(&worker->lock);
    return turn;
}

/* Takes the error. Returns whether the thread was left. */
static bool answer(struct pawl_export_worker *worker, const struct turn *turn, pawl_status status, pawl_error *error) {
    pthread_mutex_lock(&worker->lock);
    if (turn->last || turn->asked > worker->answered) {
        pawl_error *before = worker->error;
        worker->answered = turn->last ? worker->asked : turn->asked;
        worker->status = status;
        worker->error = error;
        error = before;
    }
    worker->busy = false;
    worker->ended = turn->last;
    bool left = worker->left;
    pthread_cond_broadcast(&worker->changed);
    pthread_mutex_unlock(&worker->lock); /* ended and not left: from here on it is whose who waits for its thread */
    pawl_error_unref(error);
    return left;
}

static void *work(void *user) {
    struct pawl_export_worker *worker = user;
    uint64_t due_ns = pawl_export_after(worker->job.delay_ns);
    struct turn turn;
    bool left;
    do {
        pawl_error *error = NULL;
        if (!worker->job.is_full || !worker->job.is_full(worker->job.user))
            sleep_until(worker, next_due(worker, due_ns));
        turn = look(worker, due_ns);
        pawl_status status = run(worker, turn.all, PAWL_NEVER, &error);
        if (turn.all)
            due_ns = pawl_export_after(worker->job.delay_ns);
        if (turn.last)
            discard(worker);
        left = answer(worker, &turn, status, error);
    } while (!turn.last);
    if (left)
        worker->job.left(worker->job.user);
    return NULL;
}

/* ---- asking it: under the lock ---- */

/* False: the time is up. */
static bool wait_until(struct pawl_export_worker *worker, uint64_t end_ns) {
    const struct timespec end = until(end_ns);
    return pthread_cond_timedwait(&worker->changed, &worker->lock, &end) != ETIMEDOUT;
}

/* What others have asked for is not held back. */
static void hold(struct pawl_export_worker *worker, uint64_t by_ns) {
    if (worker->asked == worker->answered)
        worker->hold_ns = by_ns;
    pawl_export_worker_ring(worker);
}

static void release(struct pawl_export_worker *worker) {
    worker->hold_ns = 0;
    pawl_export_worker_ring(worker);
}

/* The number of the flush that is asked for. */
static uint64_t take_number(struct pawl_export_worker *worker) {
    uint64_t prepared = pthread_equal(worker->prepared_by, pthread_self()) ? worker->prepared : 0;
    if (prepared > 0)
        worker->prepared = 0;
    return prepared > 0 ? prepared : ++worker->asked;
}

static pawl_status ask(struct pawl_export_worker *worker, uint64_t end_ns, pawl_error **err) {
    uint64_t number = take_number(worker);
    release(worker);
    while (worker->answered < number)
        if (!wait_until(worker, end_ns))
            return PAWL_E_TIMEOUT;
    if (worker->status != PAWL_OK && err && worker->error)
        *err = pawl_error_ref(worker->error);
    return worker->status;
}

/* When it is given up; end_ns may be over. */
static uint64_t end_of_grace(uint64_t end_ns) {
    uint64_t least_ns = pawl_export_after(LEAST_GRACE_NS), usual_ns = end_ns + GRACE_NS;
    return least_ns > usual_ns ? least_ns : usual_ns;
}

static void end_thread(struct pawl_export_worker *worker, uint64_t end_ns) {
    release(worker);
    while (!worker->ended && wait_until(worker, end_ns)) {
    }
    for (uint64_t i = 0; worker->busy && i < worker->job.exporter_count; i++)
        pawl_exporter_cancel(worker->job.exporters[i]);
    for (uint64_t grace_ns = end_of_grace(end_ns); !worker->ended && wait_until(worker, grace_ns);) {
    }
    worker->left = !worker->ended;
}

static void end_here(struct pawl_export_worker *worker, uint64_t end_ns) {
    (void)run(worker, true, end_ns, NULL);
    discard(worker);
    worker->ended = true;
}

/* ---- asking it ---- */

pawl_status pawl_export_worker_flush(struct pawl_export_worker *worker, uint64_t end_ns, pawl_error **err) {
    pawl_status status = PAWL_OK;
    pthread_mutex_lock(&worker->lock);
    if (!worker->ended)
        status = worker->has_thread ? ask(worker, end_ns, err) : run(worker, true, end_ns, err);
    pthread_mutex_unlock(&worker->lock);
    if (status != PAWL_OK && err && !*err)
        pawl_error_set(err, status, "%s: %s", worker->job.who,
                       status == PAWL_E_TIMEOUT ? "the time is up, and something still waits to be exported"
                                                : "an exporter failed");
    return status;
}

void pawl_export_worker_prepare_flush(struct pawl_export_worker *worker, uint64_t by_ns) {
    pthread_mutex_lock(&worker->lock);
    if (worker->has_thread && !worker->ended) {
        hold(worker, by_ns);
        worker->prepared = ++worker->asked;
        worker->prepared_by = pthread_self();
    }
    pthread_mutex_unlock(&worker->lock);
}

void pawl_export_worker_prepare_stop(struct pawl_export_worker *worker, uint64_t by_ns, uint64_t end_ns) {
    uint64_t never = PAWL_NEVER;
    pthread_mutex_lock(&worker->lock);
    if (worker->has_thread && atomic_compare_exchange_strong(&worker->stop_ns, &never, end_ns))
        hold(worker, by_ns);
    pthread_mutex_unlock(&worker->lock);
}

bool pawl_export_worker_stop(struct pawl_export_worker *worker, uint64_t end_ns) {
    uint64_t before = PAWL_NEVER;
    if (atomic_exchange(&worker->stopped, true))
        return true;
    if (!atomic_compare_exchange_strong(&worker->stop_ns, &before, end_ns))
        end_ns = before;
    pthread_mutex_lock(&worker->lock);
    bool has_thread = worker->has_thread;
    pthread_t thread = worker->thread;
    if (has_thread)
        end_thread(worker, end_ns);
    else
        end_here(worker, end_ns);
    bool left = worker->left;
    pthread_mutex_unlock(&worker->lock); /* left: from here on it is its thread's */
    if (left)
        pthread_detach(thread);
    else if (has_thread)
        pthread_join(thread, NULL);
    return !left;
}

/* ---- life ---- */

void pawl_export_worker_init(struct pawl_export_worker *worker, const struct pawl_export_job *job) {
    pthread_condattr_t attributes;
    memset(worker, 0, sizeof *worker);
    worker->job = *job;
    atomic_init(&worker->stop_ns, PAWL_NEVER);
    sem_init(&worker->bell, 0, 0);
    pthread_mutex_init(&worker->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&worker->changed, &attributes);
    pthread_condattr_destroy(&attributes);
}

void pawl_export_worker_finish(struct pawl_export_worker *worker) {
    pawl_error_unref(worker->error);
    pthread_cond_destroy(&worker->changed);
    pthread_mutex_destroy(&worker->lock);
    sem_destroy(&worker->bell);
}

pawl_status pawl_export_worker_start(struct pawl_export_worker *worker, pawl_error **err) {
    int failed = pawl_thread_start(&worker->thread, work, worker);
    if (failed)
        return pawl_error_set(err, PAWL_E_UNSUPPORTED, "%s: no thread to export on: %s", worker->job.who,
                              strerror(failed));
    worker->has_thread = true;
    return PAWL_OK;
}
