/* The one thread of a processor: it exports what waits every so often, when a batch is full, when asked, and for a last
 * time. Whoever fills the queue only rings a bell, which never blocks. Without a thread (virtual time, simple) whoever
 * asks exports. */
#ifndef PAWL_EXPORT_WORKER_INTERNAL_H
#define PAWL_EXPORT_WORKER_INTERNAL_H

#include "export_internal.h"
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

/* What is asked of whoever has the queue; everything is called with user. */
struct pawl_export_job {
    const char *who; /* for messages; static */
    void *user;
    pawl_exporter *const *exporters; /* what is cancelled at the end */
    uint64_t exporter_count;
    uint64_t delay_ns; /* from the end of one export of all to the next */
    /* Whether a batch waits; if not, somebody rings when one does. NULL: never. */
    bool (*is_full)(void *user);
    /* Exports full batches; all: also the rest. None begins once pawl_export_worker_time() is 0. Returns the first
     * failure, PAWL_E_TIMEOUT when something is left because of that. One call at a time. */
    pawl_status (*run)(void *user, bool all, pawl_error **err);
    void (*discard)(void *user); /* what the last export left; NULL: nothing to do */
    void (*left)(void *user);    /* the thread, left alone by pawl_export_worker_stop(), ends after all */
};

struct pawl_export_worker {
    struct pawl_export_job job;
    sem_t bell;
    _Atomic uint64_t stop_ns; /* no export begins later; PAWL_NEVER before the end, or what prepares it */
    atomic_bool stopped;      /* pawl_export_worker_stop() was called */
    uint64_t end_ns;          /* nor then, of the call of job.run that is under way */
    bool has_thread;          /* fixed before anybody asks */
    pthread_t thread;
    pthread_mutex_t lock; /* guards what follows; without a thread held during exports */
    pthread_cond_t changed;
    uint64_t asked, answered; /* flushes */
    uint64_t hold_ns;         /* what was prepared begins then by itself; 0: nothing was */
    uint64_t prepared;        /* the number of the last prepared flush, 0 for none, */
    pthread_t prepared_by;    /* and whose it is */
    pawl_status status;       /* of the last answer */
    pawl_error *error;
    bool busy; /* an exporter may be at work */
    bool ended, left;
};

uint64_t pawl_export_after(uint64_t ns); /* so long from now; never PAWL_NEVER */

void pawl_export_worker_init(struct pawl_export_worker *worker, const struct pawl_export_job *job);
/* Its thread has ended, or never was. */
void pawl_export_worker_finish(struct pawl_export_worker *worker);
/* Starts its thread. PAWL_E_UNSUPPORTED. */
pawl_status pawl_export_worker_start(struct pawl_export_worker *worker, pawl_error **err);
/* A full batch waits. Any thread. */
void pawl_export_worker_ring(struct pawl_export_worker *worker);
/* Exports what waits now. Returns the first failure, PAWL_E_TIMEOUT when the time was up; PAWL_OK after the end. */
pawl_status pawl_export_worker_flush(struct pawl_export_worker *worker, uint64_t end_ns, pawl_error **err);
/* The same two are prepared: they begin when they are asked for, but by `by_ns` in any case, on the thread, so that one
 * processor that is slow does not use up the time of those that come after it. Without a thread nothing happens. */
/* The next flush of the calling thread. */
void pawl_export_worker_prepare_flush(struct pawl_export_worker *worker, uint64_t by_ns);
/* The end, which is to come, at end_ns, whatever it says then. */
void pawl_export_worker_prepare_stop(struct pawl_export_worker *worker, uint64_t by_ns, uint64_t end_ns);
/* Exports for the last time, until end_ns; then cancels what is under way. False: an exporter does not come back within
 * a second of end_ns; then all that the job uses must live until job.left. Once it was called it does nothing, and is
 * true. */
bool pawl_export_worker_stop(struct pawl_export_worker *worker, uint64_t end_ns);
/* For job.run: how long an exporter may take, at most `most`. */
uint64_t pawl_export_worker_time(const struct pawl_export_worker *worker, uint64_t most);

#endif
