/* One periodic reader and its exporters. */
#ifndef PAWL_METRICS_EXPORT_INTERNAL_H
#define PAWL_METRICS_EXPORT_INTERNAL_H

#include "metrics_collect_internal.h"

#define EXPORTERS 8

struct metrics_export {
    pawl_metrics *metrics;
    pawl_metrics_export_options options;
    pawl_exporter *exporters[EXPORTERS];
    pawl_resource *resource;
    struct reader reader; /* of whoever exports */
    uint64_t due_ns;      /* virtual time */
    pthread_t thread;
    bool has_thread;
    pthread_mutex_t lock; /* guards the rest */
    pthread_cond_t changed;
    bool stop, busy, ended;
    bool too_late;        /* no further export is begun */
    uint64_t asked, done; /* flushes */
    uint64_t timeout_ns;  /* of the flush that is asked for */
    pawl_status status;   /* of the last export */
    pawl_error *error;
};

/* ---- metrics_deliver.c ---- */
/* Collects and hands to all exporters; one call at a time. Takes err only on failure. */
pawl_status pawl_metrics_deliver(struct metrics_export *e, uint64_t timeout_ns, pawl_error **err);

/* ---- metrics_worker.c ---- */
void *pawl_metrics_work(void *metrics_export); /* the thread */
/* Has it export now and waits for that until end_ns, monotonic; without a thread exports here. */
pawl_status pawl_metrics_ask(struct metrics_export *e, uint64_t end_ns, uint64_t timeout_ns, pawl_error **err);
/* Exports a last time and ends the thread; after that nothing is exported. */
void pawl_metrics_end(struct metrics_export *e);
uint64_t pawl_metrics_monotonic(void);
static inline uint64_t metrics_after(uint64_t start, uint64_t more) {
    return more > PAWL_NEVER - start ? PAWL_NEVER : start + more;
}

#endif
