/* Health inside. */
#ifndef PAWL_HEALTH_INTERNAL_H
#define PAWL_HEALTH_INTERNAL_H

#include "execution/json_writer_internal.h"
#include "execution/language_internal.h"
#include "execution/watch_internal.h"
#include <pawl/integrations/health.h>

/* Node of the probes, by its address. */
extern const char pawl_health_probe_node[];

/* ---- health_recent.c: what happened lately ---- */

struct pawl_health_rates {
    uint64_t executions, sandbox_failures;
};
/* Adds the member "recent", of one type of provider. */
struct pawl_health_rates pawl_health_add_recent(struct json_writer *w, cJSON *root, pawl_health *health,
                                                const char *provider);
/* Sorts the times and adds {min, median, max} in seconds, null for none. Returns the median. */
uint64_t pawl_health_add_spread(struct json_writer *w, cJSON *object, const char *name, uint64_t *times, size_t count);

/* ---- health_verdict.c: what follows from it ---- */

enum health_severity { HEALTH_NOTE, HEALTH_DEGRADED, HEALTH_UNHEALTHY };

#define HEALTH_PROBES 100

/* What a check found. */
struct health_findings {
    const char *provider; /* type */
    const char *fault;    /* why there is no provider; NULL: there is one */
    bool asked[PAWL_LANGUAGE_COUNT], available[PAWL_LANGUAGE_COUNT];
    char errors[PAWL_LANGUAGE_COUNT][512]; /* why not; "" for none */
    char versions[PAWL_LANGUAGE_COUNT][64];
    uint64_t create_ns[HEALTH_PROBES], run_ns[HEALTH_PROBES], total_ns[HEALTH_PROBES];
    size_t ran, failed;            /* probes */
    char probe_error[512];         /* of the last that failed */
    uint64_t median_ns, slow_ns;   /* of total */
    pawl_execution_result *result; /* of a probe; NULL: none */
    struct pawl_health_rates rates;
    bool require_all;
};

/* Adds the members verdict and reasons. */
void pawl_health_add_verdict(struct json_writer *w, cJSON *root, const struct health_findings *findings);

#endif
