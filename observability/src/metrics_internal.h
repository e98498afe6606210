/* Metrics inside. Three things are kept apart:
 *  - the registry, under a lock: instruments, their series, the primitives that were seen (nodes). It only grows.
 *  - one shard for each thread that measures: its cells, which that thread alone writes, without a lock, and its small
 *    caches that lead from what is measured to a cell. The shard of a thread that has ended goes to a new thread, with
 *    all that was counted.
 *  - what readers keep between two collections. */
#ifndef PAWL_METRICS_INTERNAL_H
#define PAWL_METRICS_INTERNAL_H

#include "arena_internal.h"
#include "attribute_set_internal.h"
#include "bounds_internal.h"
#include "durations_internal.h"
#include "exponential_internal.h"
#include "redact_internal.h"
#include <pawl/observability/metrics.h>
#include <pthread.h>
#include <sys/types.h>

#ifndef likely
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#endif

#define INSTRUMENTS 1000
#define ALL_SERIES 1000000
#define OBSERVED 1000
#define EXPORTS 8
#define STATUSES (PAWL_E_INTERNAL + 1)

/* ---- registry ---- */

enum storage { STORED_SUM, STORED_COUNT, STORED_SHARED, STORED_HISTOGRAM, STORED_DURATION, STORED_EXPONENTIAL };

struct instrument {
    const char *name, *unit, *description; /* one block, which name begins */
    uint64_t name_hash;                    /* of its lower case */
    uint32_t kind;                         /* pawl_instrument_kind */
    bool is_observed;
    bool has_fractions; /* a value of it was no whole number */
    struct bounds bounds;
    const struct durations *durations; /* NULL: not counted in nanoseconds */
    bool counts_whole;                 /* STORED_COUNT */
    pawl_series *first, **end, *overflow;
    uint64_t series_count;
    uint64_t made_unix_ns;
    struct instrument *next;
};

/* A measurement that is remembered with its trace. version: 0 empty, odd while written, else the epoch it is of. */
struct exemplar {
    _Atomic uint64_t version, value, time_unix_ns, trace_id[2], span_id;
};

struct pawl_series {
    pawl_metrics *metrics;
    struct instrument *instrument;
    uint32_t index; /* of its cells */
    uint32_t storage;
    uint32_t exemplar_slots; /* 0: none are kept */
    uint32_t is_counter;
    _Atomic(struct exemplar *) exemplars; /* made for the first one */
    _Atomic double shared;                /* of STORED_SHARED; NaN: nothing yet */
    uint64_t round;                       /* of an observed one: the collection it was last reported in */
    struct attribute_set attributes;
    uint64_t start_unix_ns;
    pawl_series *next; /* of the instrument */
};

/* One node as far as metrics tell: a type and a name. name NULL: all those beyond the limit. */
struct node {
    const char *type, *name;
    uint64_t hash;
    uint32_t index, reserved;
    pawl_series *active;
    pawl_series *ended[STATUSES], *workflow[STATUSES]; /* made at the first need */
};

/* Open addressing; at most half full. */
struct registry_table {
    void **items;
    size_t size, used;
};
/* Room for one item more; false without memory. */
bool pawl_registry_make_room(struct registry_table *table, uint64_t (*hash_of)(const void *item));

/* ---- shards ---- */

struct sum_cell {
    _Atomic double sum;
};

struct count_cell {
    _Atomic int64_t count;
};

struct histogram_cell {
    _Atomic double sum, min, max;
    _Atomic uint64_t counts[];
};

struct node_histogram {
    struct duration_cell *cell; /* NULL until the first need */
    pawl_series *series;
};

/* A node's cells of one thread. */
struct node_cells {
    struct node *node;
    struct count_cell *active;
    struct node_histogram ended[STATUSES], workflow[STATUSES];
};

#define SPAN_SLOTS 256u
#define MEASURE_SLOTS 64u
#define MEASURE_ATTRIBUTES 8

/* Where spans of the primitive with this serial were counted last. Serials follow one another, so that the nodes of one
 * pipeline mostly have slots of their own. */
struct span_slot {
    uint64_t serial;
    struct node_cells *cells;
    struct duration_cell *usual; /* of those that end well; NULL until the first one */
    uint32_t epoch, exemplars;   /* a bit for each of its buckets that needs none any more in this epoch */
};
_Static_assert(DURATION_BOUNDS < 32, "each bucket has a bit");

struct measure_slot {
    uint64_t fingerprint;
    pawl_series *series;
    uint8_t place[MEASURE_ATTRIBUTES]; /* of each attribute as given in the sorted set */
};

struct shard {
    pid_t thread;
    _Atomic uint32_t settled; /* metrics_settle() */
    struct shard *next;
    struct arena arena;
    struct table cells; /* by series index; the only part that readers look at */
    struct table nodes;
    struct span_slot spans[SPAN_SLOTS];
    struct measure_slot measures[MEASURE_SLOTS];
};

struct observed {
    struct observed *next;
    struct instrument *instrument;
    pawl_observe_fn observe;
    void *user;
};

struct attachment;
struct metrics_export;

enum drop { DROP_NOT_FINITE, DROP_NEGATIVE, DROP_INVALID, DROP_NO_MEMORY, DROPS };

struct own_instruments {
    struct instrument *duration, *active, *workflow, *dropped, *exported;
    struct durations durations, workflow_durations;
};

struct pawl_metrics {
    atomic_uint refs;
    atomic_uint holders; /* all who have a reference are one, and each exporting thread that was left */
    uint64_t id;         /* never used twice */
    pid_t process;
    pawl_metrics_options options;
    bool is_virtual;
    _Atomic uint64_t epoch; /* of exemplars: even, begins anew with each collection */
    struct own_instruments own;
    pawl_series *dropped[DROPS];

    pthread_mutex_t lock; /* guards the registry and the list of shards */
    struct instrument *instruments, **instruments_end;
    size_t instrument_count;
    uint32_t series_count, node_count;
    struct registry_table series, nodes;
    struct node *overflow_node;
    struct arena arena;
    struct shard *shards;
    pawl_runtime *clock; /* of the first runtime that is attached; its memory is held */
    uint64_t latest_unix_ns, start_unix_ns, collected_unix_ns; /* 0: not yet */
    uint32_t attached;

    pthread_mutex_t collecting; /* guards what follows; taken before the lock */
    uint64_t round;
    struct observed *observed;
    size_t observed_count;
    struct attachment *attachments;
    uint64_t refused_before; /* completions, of runtimes that have ended */

    pthread_mutex_t attaching; /* guards this; taken before collecting */
    bool observes_runtimes;

    pthread_mutex_t exporting; /* guards the list of exports; taken first */
    struct metrics_export *exports[EXPORTS];
    _Atomic uint32_t export_count;
};

/* ---- metrics.c ---- */
void pawl_metrics_let_go(pawl_metrics *metrics); /* of a holder's part */
/* The end of the runtime that is to come, if it is the last one. */
void pawl_metrics_prepare_end(pawl_metrics *metrics);
bool pawl_metrics_is_usable(const pawl_metrics *metrics, pawl_error **err);
uint64_t pawl_metrics_now(pawl_metrics *metrics); /* Unix time, never going back; under the lock */

/* What is hidden in the texts of a series: as the runtime says; NULL: the one of the run that this thread is in,
 * outside of one the first that was attached. Under the lock, and for no longer. */
struct pawl_redaction pawl_metrics_redaction(const pawl_metrics *metrics, const pawl_runtime *runtime);

/* ---- metrics_runtimes.c ---- */
pawl_status pawl_metrics_add_runtime(pawl_metrics *metrics, struct attachment *attachment, pawl_error **err);
/* One that was not added is left alone. @param ended What it counted goes on to count. */
void pawl_metrics_remove_runtime(pawl_metrics *metrics, struct attachment *attachment, bool ended);

/* ---- metrics_registry.c: all but the first under the lock ---- */
pawl_status pawl_metrics_check_instrument(const pawl_instrument *given, pawl_instrument *ret_known, pawl_error **err);
/* A checked one. NULL with PAWL_E_LIMIT or PAWL_E_NOMEM. @param ret_other Of the same name with another unit or kind;
 * may be NULL. */
struct instrument *pawl_metrics_instrument(pawl_metrics *metrics, const pawl_instrument *given, bool is_observed,
                                           const struct instrument **ret_other, pawl_error **err);
/* The first moment, up to the latest one read, at which the instrument could have been measured since the collection at
 * last_unix_ns, 0 for none. Under the lock. */
uint64_t pawl_metrics_possible_since(const pawl_metrics *metrics, const struct instrument *instrument,
                                     uint64_t last_unix_ns);
/* Takes over what set holds, also when it fails. */
pawl_series *pawl_metrics_series_of(pawl_metrics *metrics, struct instrument *instrument, struct attribute_set *set,
                                    pawl_error **err);
/* The node of this type and name; NULL without memory. */
struct node *pawl_metrics_node(pawl_metrics *metrics, const char *type, const char *name);
/* A node's series by outcome; NULL without memory. */
pawl_series *pawl_metrics_ended(pawl_metrics *metrics, struct node *node, pawl_status status);
pawl_series *pawl_metrics_workflow(pawl_metrics *metrics, struct node *node, pawl_status status);
bool pawl_metrics_register_own(pawl_metrics *metrics);
void pawl_metrics_free_registry(pawl_metrics *metrics);

/* ---- metrics_shard.c ---- */
struct shard *pawl_metrics_shard(pawl_metrics *metrics); /* this thread's, found the slow way; NULL without memory */
void *pawl_metrics_make_cell(struct shard *shard, const pawl_series *series); /* NULL without memory */
struct recent {
    uint64_t id;
    struct shard *shard;
};
#define RECENT 2
extern _Thread_local struct recent pawl_metrics_recent[RECENT] __attribute__((tls_model("initial-exec")));

/* id is the metrics', so that nothing waits for it. */
static inline struct shard *metrics_shard_by(pawl_metrics *metrics, uint64_t id) {
    const struct recent *recent = pawl_metrics_recent;
    if (likely(recent[0].id == id))
        return recent[0].shard;
    return recent[1].id == id ? recent[1].shard : pawl_metrics_shard(metrics);
}

static inline struct shard *metrics_shard(pawl_metrics *metrics) {
    return metrics_shard_by(metrics, metrics->id);
}

static inline void *metrics_cell(struct shard *shard, const pawl_series *series) {
    void *cell = table_get(&shard->cells, series->index);
    return likely(cell != NULL) ? cell : pawl_metrics_make_cell(shard, series);
}

/* After each change of the shard beside its cells' numbers: whoever takes it over sees all of them. */
static inline void metrics_settle(struct shard *shard) {
    uint32_t settled = atomic_load_explicit(&shard->settled, memory_order_relaxed);
    atomic_store_explicit(&shard->settled, settled + 1, memory_order_release);
}

/* ---- metrics_record.c ---- */
void pawl_metrics_drop(pawl_metrics *metrics, enum drop why);
/* To series->shared. */
void pawl_series_add_shared(pawl_series *series, double value);
/* @param ctx NULL for none. */
void pawl_metrics_record(struct shard *shard, pawl_series *series, double value, pawl_context *ctx);

static inline void cell_add(_Atomic double *number, double by) { /* single writer */
    atomic_store_explicit(number, atomic_load_explicit(number, memory_order_relaxed) + by, memory_order_relaxed);
}

static inline void cell_count(_Atomic int64_t *number, int64_t by) { /* the same */
    atomic_store_explicit(number, atomic_load_explicit(number, memory_order_relaxed) + by, memory_order_relaxed);
}

static inline void cell_observe(struct histogram_cell *cell, size_t bucket, double value) {
    _Atomic uint64_t *count = &cell->counts[bucket];
    atomic_store_explicit(count, atomic_load_explicit(count, memory_order_relaxed) + 1, memory_order_relaxed);
    cell_add(&cell->sum, value);
    if (unlikely(value < atomic_load_explicit(&cell->min, memory_order_relaxed)))
        atomic_store_explicit(&cell->min, value, memory_order_relaxed);
    if (unlikely(value > atomic_load_explicit(&cell->max, memory_order_relaxed)))
        atomic_store_explicit(&cell->max, value, memory_order_relaxed);
}

/* ---- metrics_exemplar.c ---- */
/* @param ctx Of the span. */
void pawl_exemplar_take(pawl_series *series, size_t slot, double value, const pawl_span *span, pawl_context *ctx);
/* Copies those there are; how many. room for exemplar_slots. */
size_t pawl_exemplars_read(const pawl_series *series, uint64_t since_unix_ns, pawl_exemplar_data *ret_data);

/* Of each slot the first one after a collection. */
static inline bool exemplar_wanted(const pawl_series *series, size_t slot, const pawl_span *span) {
    if (!span || !(span->trace_flags & 1) || series->exemplar_slots == 0)
        return false;
    const struct exemplar *slots = atomic_load_explicit(&series->exemplars, memory_order_acquire);
    return !slots || atomic_load_explicit(&slots[slot].version, memory_order_relaxed) <
                         atomic_load_explicit(&series->metrics->epoch, memory_order_relaxed);
}

/* ---- metrics_measure.c, metrics_spans.c: what the observer is told ---- */
void pawl_metrics_measure(void *attachment, pawl_context *ctx, const pawl_instrument *instrument, double value,
                          const pawl_attribute *attributes, size_t attribute_count);
/* What a runtime's observer slot points to. */
struct attachment {
    pawl_metrics *metrics;
    uint64_t id; /* the metrics' */
    pawl_runtime *runtime;
    struct attachment *next; /* of the metrics */
};
void pawl_metrics_span_start(void *attachment, const pawl_span *span);
void pawl_metrics_span_end(void *attachment, const pawl_span *span);

/* ---- metrics_observed.c: under the collecting lock ---- */
void pawl_metrics_run_observed(pawl_metrics *metrics);

/* ---- metrics_export.c ---- */
void pawl_metrics_export_due(pawl_metrics *metrics, uint64_t now_ns); /* virtual time alone */
/* Exports a last time and ends the threads. */
void pawl_metrics_end_exports(pawl_metrics *metrics);
/* The next flush of this thread, and the end, begin by a quarter of their time: until then spans, of which metrics
 * tell, may be exported. */
void pawl_metrics_prepare_flush(pawl_metrics *metrics, uint64_t timeout_ns);
void pawl_metrics_prepare_last_exports(pawl_metrics *metrics);
void pawl_metrics_free_exports(pawl_metrics *metrics);

#endif
