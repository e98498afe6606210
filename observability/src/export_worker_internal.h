/* A thread that exports what waits in a queue: when a batch is full, a while after the first item came, when asked, and
 * for a last time. Whoever fills the queue only rings a bell, which never blocks. */
#ifndef PAWL_EXPORT_WORKER_INTERNAL_H
#define PAWL_EXPORT_WORKER_INTERNAL_H

#include <pawl/error.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

/* What is asked of whoever has the queue; everything is called with user. */
struct pawl_export_job {
    void *user;
    uint64_t batch_size, delay_ns;
    uint64_t (*waiting)(void *user); /* any thread */
    /* Exports full batches; all: also the rest. No export begins after end_ns or the worker's stop_ns. Returns the
     * first failure, PAWL_E_TIMEOUT when something is left because of them. One call at a time. */
    pawl_status (*drain)(void *user, bool all, uint64_t end_ns, pawl_error **err);
    void (*cancel)(void *user); /* makes exports that are under way end soon; any thread */
    const char *who;            /* for messages; static */
};

struct pawl_export_worker {
    struct pawl_export_job job;
    sem_t bell;
    pthread_mutex_t work; /* of whoever drains */
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    uint64_t flush_wanted, flush_done;
    pawl_status flush_status; /* of the drain that ended last */
    pawl_error *flush_error;
    bool stopping, ended, has_thread;
    pthread_t thread;
    _Atomic uint64_t stop_ns; /* PAWL_NEVER before the end; not guarded */
};

uint64_t pawl_export_now(void); /* CLOCK_MONOTONIC */

void pawl_export_worker_init(struct pawl_export_worker *worker, const struct pawl_export_job *job);
/* Its thread has ended, or never was. */
void pawl_export_worker_finish(struct pawl_export_worker *worker);
/* Starts its thread; without it only flush and stop export. PAWL_E_UNSUPPORTED. */
pawl_status pawl_export_worker_start(struct pawl_export_worker *worker, pawl_error **err);
/* The first item waits, or a full batch. Any thread. */
void pawl_export_worker_ring(struct pawl_export_worker *worker);
/* Exports what waits now. Returns the first failure, PAWL_E_TIMEOUT when the time was up. */
pawl_status pawl_export_worker_flush(struct pawl_export_worker *worker, uint64_t timeout_ns, pawl_error **err);
/* Exports for the last time, then cancels. False: an exporter does not come back; then nothing that the job uses may be
 * freed. */
bool pawl_export_worker_stop(struct pawl_export_worker *worker, uint64_t timeout_ns);

#endif
