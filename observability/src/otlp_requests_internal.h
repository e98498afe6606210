/* A batch of telemetry as one request, or as several when it is too large for one. */
#ifndef PAWL_OTLP_REQUESTS_INTERNAL_H
#define PAWL_OTLP_REQUESTS_INTERNAL_H

#include "otlp_encode_internal.h"

enum pawl_otlp_signal { PAWL_OTLP_TRACES = 0, PAWL_OTLP_METRICS, PAWL_OTLP_LOGS, PAWL_OTLP_SIGNALS };

struct pawl_otlp_batch {
    enum pawl_otlp_signal signal;
    struct pawl_otlp_source source;
    const void *items; /* of the signal's kind */
    size_t count;
    /* One request; items: how many are in it, of metrics the points. */
    pawl_status (*take)(void *user, const struct pawl_otlp_writer *request, uint64_t items, pawl_error **err);
    /* What could not be written. PAWL_E_LIMIT: a single item is too large. */
    void (*drop)(void *user, pawl_status why, uint64_t items);
    void *user;
};

/* @param w Emptied before each request, ready to be used. @return The first failure of any of them. */
pawl_status pawl_otlp_each_request(const struct pawl_otlp_batch *batch, struct pawl_otlp_writer *w, pawl_error **err);
/* Items of a part of the batch as they are counted. */
uint64_t pawl_otlp_weigh(const struct pawl_otlp_batch *batch, size_t first, size_t count);

#endif
