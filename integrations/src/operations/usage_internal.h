/* Usage inside. */
#ifndef PAWL_USAGE_INTERNAL_H
#define PAWL_USAGE_INTERNAL_H

#include "execution/language_internal.h"
#include "execution/watch_internal.h"
#include <pawl/integrations/usage.h>
#include <pthread.h>
#include <stdatomic.h>

#define USAGE_PROVIDERS 8
#define USAGE_NAME_BYTES 32
#define USAGE_LANGUAGES (PAWL_LANGUAGE_COUNT + 1) /* the last: other */
#define USAGE_STATUSES (PAWL_E_INTERNAL + 1)
#define USAGE_ENDINGS (PAWL_EXECUTION_OUTCOME_COUNT_ + USAGE_STATUSES) /* outcomes, then statuses */

struct usage_cell {
    uint64_t executions;
    double sandbox_seconds, cpu_seconds, cost;
};

struct usage_provider {
    char name[USAGE_NAME_BYTES];
    const pawl_usage_price *price; /* NULL: none */
    struct usage_cell cells[USAGE_LANGUAGES][USAGE_ENDINGS];
};

struct pawl_usage {
    atomic_uint refs;
    pawl_usage_options options;
    char currency[16];
    pawl_usage_price prices[PAWL_USAGE_PRICES];
    char price_names[PAWL_USAGE_PRICES][USAGE_NAME_BYTES];
    uint64_t alerts[PAWL_USAGE_ALERTS];
    double limits[PAWL_BUDGET_COUNT_]; /* negative: none */
    pthread_mutex_t lock;              /* guards the rest */
    pawl_usage_totals totals;
    uint64_t alerted[PAWL_BUDGET_COUNT_];              /* thresholds that were told */
    struct usage_provider *providers[USAGE_PROVIDERS]; /* made at the first need */
    struct usage_provider other;                       /* of further ones, and without memory */
};

/* usage_options.c: copies and checks them; on failure nothing is to be undone. */
pawl_status pawl_usage_take_options(pawl_usage *usage, const pawl_usage_options *given, pawl_error **err);
/* Under the lock. */
double pawl_usage_used(const pawl_usage *usage, pawl_usage_budget budget);

#endif
