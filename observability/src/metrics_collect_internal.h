/* Reading inside: collections, their points, and what readers of differences keep between two of them. */
#ifndef PAWL_METRICS_COLLECT_INTERNAL_H
#define PAWL_METRICS_COLLECT_INTERNAL_H

#include "metrics_internal.h"

/* ---- readers ---- */

/* What a series had at the last collection. */
struct before {
    double sum;
    uint64_t *counts;                 /* of a histogram */
    struct exponential exponential[]; /* one or none */
};

struct reader {
    uint64_t temporality; /* pawl_temporality */
    uint64_t last_unix_ns;
    struct arena arena;
    struct table befores; /* by series index */
};

/* ---- metrics_collect.c ---- */
/* For one reader at a time; NULL: cumulative, without a memory. */
pawl_status pawl_metrics_collect_for(pawl_metrics *metrics, struct reader *reader, pawl_metrics_visit visit, void *user,
                                     pawl_error **err);

/* ---- metrics_point.c: one series merged over all shards ---- */
struct collection {
    pawl_metrics *metrics;
    struct reader *reader;
    struct arena arena;
    uint64_t now_unix_ns;
    struct commit *commits; /* what readers will have seen when all went well */
    pawl_metric_data *items;
    size_t count;
};
struct commit {
    struct commit *next;
    struct before *before;
    double sum;
    const uint64_t *counts;
    size_t bucket_count;
    const struct exponential *exponential;
};
enum point { POINT_NONE, POINT_MADE, POINT_NO_MEMORY };
enum point pawl_collection_point(struct collection *c, const pawl_series *series, bool is_delta,
                                 pawl_point_data *ret_point);

/* ---- metrics_seed.c ---- */
#define SEED_METRICS 7
/* Adds the seed project's metrics behind c->items, where there is room. False without memory. */
bool pawl_metrics_add_seed_names(struct collection *c);

#endif
