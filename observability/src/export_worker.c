#include "export_worker_internal.h"
#include "engine_internal.h"
#include <string.h>
#include <time.h>

#define GRACE_NS PAWL_S(1) /* for an exporter to come back once it was cancelled */

uint64_t pawl_export_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * PAWL_S(1) + (uint64_t)now.tv_nsec;
}

static struct timespec until(uint64_t ns) {
    return (struct timespec){.tv_sec = (time_t)(ns / PAWL_S(1)), .tv_nsec = (long)(ns % PAWL_S(1))};
}

static uint64_t after(uint64_t ns) {
    uint64_t now = pawl_export_now(), most = PAWL_S(1000000000); /* what a time_t can surely hold */
    return now + (ns < most ? ns : most);
}

void pawl_export_worker_ring(struct pawl_export_worker *worker) {
    sem_post(&worker->bell);
}

/* ---- the thread ---- */

struct request {
    bool flush, stop;
    uint64_t flush_number;
};

static struct request look(struct pawl_export_worker *worker) {
    pthread_mutex_lock(&worker->lock);
    struct request request = {.flush = worker->flush_wanted > worker->flush_done,
                              .stop = worker->stopping,
                              .flush_number = worker->flush_wanted};
    pthread_mutex_unlock(&worker->lock);
    return request;
}

static void sleep_until(struct pawl_export_worker *worker, uint64_t due_ns) {
    struct timespec due = until(due_ns);
    if (due_ns == PAWL_NEVER)
        sem_wait(&worker->bell);
    else
        sem_clockwait(&worker->bell, CLOCK_MONOTONIC, &due);
    while (sem_trywait(&worker->bell) == 0) { /* one look answers all who rang */
    }
}

/* Returns whether the rest of the queue is due. */
static bool wait_for_work(struct pawl_export_worker *worker, struct request *ret_request) {
    uint64_t due_ns = PAWL_NEVER;
    for (;;) {
        uint64_t waiting = worker->job.waiting(worker->job.user);
        *ret_request = look(worker);
        if (waiting > 0 && due_ns == PAWL_NEVER)
            due_ns = after(worker->job.delay_ns);
        bool due = waiting > 0 && pawl_export_now() >= due_ns;
        if (due || waiting >= worker->job.batch_size || ret_request->flush || ret_request->stop)
            return due;
        sleep_until(worker, due_ns);
    }
}

/* Takes the error. */
static void answer(struct pawl_export_worker *worker, const struct request *request, pawl_status status,
                   pawl_error *error) {
    pthread_mutex_lock(&worker->lock);
    worker->flush_done = request->flush_number;
    worker->flush_status = status;
    pawl_error_unref(worker->flush_error);
    worker->flush_error = error;
    worker->ended = request->stop;
    pthread_cond_broadcast(&worker->changed);
    pthread_mutex_unlock(&worker->lock);
}

static pawl_status drain(struct pawl_export_worker *worker, bool all, uint64_t end_ns, pawl_error **err) {
    pthread_mutex_lock(&worker->work);
    pawl_status status = worker->job.drain(worker->job.user, all, end_ns, err);
    pthread_mutex_unlock(&worker->work);
    return status;
}

static void *work(void *user) {
    struct pawl_export_worker *worker = user;
    struct request request;
    do {
        bool due = wait_for_work(worker, &request);
        pawl_error *error = NULL;
        pawl_status status = drain(worker, due || request.flush || request.stop, PAWL_NEVER, &error);
        answer(worker, &request, status, error);
    } while (!request.stop);
    return NULL;
}

/* ---- asking it ---- */

/* Under the lock. */
static bool wait_for_end(struct pawl_export_worker *worker, uint64_t end_ns) {
    const struct timespec end = until(end_ns);
    int timed_out = 0;
    while (!worker->ended && !timed_out)
        timed_out = pthread_cond_timedwait(&worker->changed, &worker->lock, &end);
    return worker->ended;
}

static pawl_status flush_there(struct pawl_export_worker *worker, uint64_t end_ns, pawl_error **err) {
    const struct timespec end = until(end_ns);
    pthread_mutex_lock(&worker->lock);
    uint64_t number = ++worker->flush_wanted;
    pawl_export_worker_ring(worker);
    int timed_out = 0;
    while (worker->flush_done < number && !worker->ended && !timed_out)
        timed_out = pthread_cond_timedwait(&worker->changed, &worker->lock, &end);
    pawl_status status = worker->flush_done >= number ? worker->flush_status : PAWL_E_TIMEOUT;
    if (status != PAWL_OK && worker->flush_done >= number && err)
        *err = pawl_error_ref(worker->flush_error);
    pthread_mutex_unlock(&worker->lock);
    return status;
}

pawl_status pawl_export_worker_flush(struct pawl_export_worker *worker, uint64_t timeout_ns, pawl_error **err) {
    uint64_t end_ns = after(timeout_ns);
    pawl_status status = worker->has_thread ? flush_there(worker, end_ns, err) : drain(worker, true, end_ns, err);
    if (status != PAWL_OK && err && !*err)
        pawl_error_set(err, status, "%s: %s", worker->job.who,
                       status == PAWL_E_TIMEOUT ? "the time is up, and something still waits to be exported"
                                                : "an exporter failed");
    return status;
}

bool pawl_export_worker_stop(struct pawl_export_worker *worker, uint64_t timeout_ns) {
    uint64_t end_ns = after(timeout_ns);
    atomic_store(&worker->stop_ns, end_ns);
    if (!worker->has_thread) {
        drain(worker, true, end_ns, NULL);
        return true;
    }
    pthread_mutex_lock(&worker->lock);
    worker->stopping = true;
    pawl_export_worker_ring(worker);
    bool ended = wait_for_end(worker, end_ns);
    if (!ended) {
        worker->job.cancel(worker->job.user);
        ended = wait_for_end(worker, after(GRACE_NS));
    }
    pthread_mutex_unlock(&worker->lock);
    if (ended)
        pthread_join(worker->thread, NULL);
    else
        pthread_detach(worker->thread); /* lost memory is better than memory in use */
    worker->has_thread = !ended;
    return ended;
}

/* ---- life ---- */

void pawl_export_worker_init(struct pawl_export_worker *worker, const struct pawl_export_job *job) {
    pthread_condattr_t attributes;
    memset(worker, 0, sizeof *worker);
    worker->job = *job;
    atomic_init(&worker->stop_ns, PAWL_NEVER);
    sem_init(&worker->bell, 0, 0);
    pthread_mutex_init(&worker->work, NULL);
    pthread_mutex_init(&worker->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&worker->changed, &attributes);
    pthread_condattr_destroy(&attributes);
}

void pawl_export_worker_finish(struct pawl_export_worker *worker) {
    pawl_error_unref(worker->flush_error);
    pthread_cond_destroy(&worker->changed);
    pthread_mutex_destroy(&worker->lock);
    pthread_mutex_destroy(&worker->work);
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
