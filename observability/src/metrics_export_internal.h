/* One periodic reader and its exporters. */
#ifndef PAWL_METRICS_EXPORT_INTERNAL_H
#define PAWL_METRICS_EXPORT_INTERNAL_H

#include "export_worker_internal.h"
#include "metrics_collect_internal.h"

#define EXPORTERS 8

struct metrics_export {
    pawl_metrics *metrics;
    pawl_metrics_export_options options;
    pawl_exporter *exporters[EXPORTERS];
    pawl_resource *resource;
    struct reader reader;     /* of whoever exports */
    _Atomic uint64_t last_ns; /* when it exported by itself, in virtual time */
    struct pawl_export_worker worker;
};

/* ---- metrics_deliver.c ---- */
/* Collects and hands to all exporters; one call at a time. Takes err only on failure. */
pawl_status pawl_metrics_deliver(struct metrics_export *e, pawl_error **err);

#endif
