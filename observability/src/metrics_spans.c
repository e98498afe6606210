/* Metrics of every primitive, made of its span. The number of executions is that of the durations; it is not counted
 * twice. */
#include "metrics_internal.h"
#include <string.h>

#define COLD __attribute__((noinline)) /* keeps the usual way short */

/* ---- from a span to the cells of its node ---- */

static struct node_cells *make_cells(struct shard *shard, struct node *node) {
    struct node_cells *cells = pawl_arena_take(&shard->arena, sizeof *cells);
    if (!cells)
        return NULL;
    cells->node = node;
    cells->name = node->name;
    cells->active = metrics_cell(shard, node->active);
    if (!cells->active || !pawl_table_put(&shard->nodes, &shard->arena, node->index, cells))
        return NULL;
    return cells;
}

static COLD struct node_cells *find_cells(pawl_metrics *metrics, struct shard *shard, const pawl_span *span,
                                          struct span_slot *slot) {
    pthread_mutex_lock(&metrics->lock);
    struct node *node = pawl_metrics_node(metrics, span->type, span->name);
    pthread_mutex_unlock(&metrics->lock);
    if (!node)
        return NULL;
    struct node_cells *cells = table_get(&shard->nodes, node->index);
    cells = cells ? cells : make_cells(shard, node);
    if (cells && cells->name)
        *slot = (struct span_slot){.name = span->name, .type = span->type, .cells = cells};
    metrics_settle(shard);
    return cells;
}

static inline bool is_same(const char *a, const char *b) {
    while (*a == *b && *a)
        a++, b++;
    return *a == *b;
}

static inline struct node_cells *cells_of(pawl_metrics *metrics, struct shard *shard, const pawl_span *span) {
    uintptr_t address = (uintptr_t)span->name;
    struct span_slot *slot = &shard->spans[(address >> 4 ^ address >> 11) % SPAN_SLOTS];
    if (likely(slot->name == span->name && slot->type == span->type && is_same(slot->cells->name, span->name)))
        return slot->cells;
    return find_cells(metrics, shard, span, slot);
}

/* A span's id is random: it tells where to look and that it is the same span. */
static inline struct open_slot *open_slot(struct shard *shard, const pawl_span *span, uint64_t *ret_id) {
    memcpy(ret_id, span->span_id, sizeof *ret_id);
    return &shard->open[*ret_id % OPEN_SLOTS];
}

static inline void remember(struct shard *shard, const pawl_span *span, struct node_cells *cells) {
    uint64_t id;
    struct open_slot *slot = open_slot(shard, span, &id);
    atomic_store_explicit(&slot->span_id, id, memory_order_relaxed);
    atomic_store_explicit(&slot->cells, cells, memory_order_relaxed);
}

/* NULL when it began on another thread, or too many others began since. */
static inline struct node_cells *recall(struct shard *shard, const pawl_span *span) {
    uint64_t id;
    struct open_slot *slot = open_slot(shard, span, &id);
    if (unlikely(atomic_load_explicit(&slot->span_id, memory_order_relaxed) != id))
        return NULL;
    return atomic_load_explicit(&slot->cells, memory_order_relaxed);
}

/* ---- what is counted ---- */

typedef pawl_series *(*series_by_status)(pawl_metrics *metrics, struct node *node, pawl_status status);

static COLD void make_histogram(pawl_metrics *metrics, struct shard *shard, struct node *node, series_by_status find,
                                pawl_status status, struct node_histogram *histogram) {
    pthread_mutex_lock(&metrics->lock);
    histogram->series = find(metrics, node, status);
    pthread_mutex_unlock(&metrics->lock);
    histogram->cell = histogram->series ? metrics_cell(shard, histogram->series) : NULL;
    metrics_settle(shard);
}

static inline void observe(const struct durations *durations, const struct node_histogram *histogram,
                           const pawl_span *span) {
    uint64_t ns = span->end_ns - span->start_ns;
    size_t bucket = durations_bucket(durations, ns);
    duration_observe(histogram->cell, bucket, ns);
    if (unlikely(exemplar_wanted(histogram->series, bucket, span)))
        pawl_exemplar_take(histogram->series, bucket, (double)ns / 1e9, span, span->ctx);
}

/* The outermost node of a run that no run of this process is around. */
static inline bool is_workflow(const pawl_span *span) {
    static const uint8_t none[8];
    return !span->parent && (span->parent_is_remote || memcmp(span->parent_span_id, none, sizeof none) == 0);
}

static inline bool is_primitive(const pawl_span *span) {
    return span->type[0] != '\0';
}

void pawl_metrics_span_start(void *self, const pawl_span *span) {
    struct attachment *attachment = self;
    struct shard *shard = is_primitive(span) ? metrics_shard_by(attachment->metrics, attachment->id) : NULL;
    struct node_cells *cells = shard ? cells_of(attachment->metrics, shard, span) : NULL;
    if (unlikely(!cells))
        return;
    cell_count(&cells->active->count, 1);
    remember(shard, span, cells);
}

static COLD void end_workflow(pawl_metrics *metrics, struct shard *shard, struct node_cells *cells,
                              const pawl_span *span, pawl_status status) {
    struct node_histogram *histogram = &cells->workflow[status];
    if (unlikely(!histogram->cell))
        make_histogram(metrics, shard, cells->node, pawl_metrics_workflow, status, histogram);
    if (likely(histogram->cell != NULL))
        observe(&metrics->own.workflow_durations, histogram, span);
}

static inline void end_node(pawl_metrics *metrics, struct shard *shard, struct node_cells *cells,
                            const pawl_span *span) {
    pawl_status status = likely(span->status < STATUSES) ? (pawl_status)span->status : PAWL_E_INTERNAL;
    struct node_histogram *histogram = &cells->ended[status];
    cell_count(&cells->active->count, -1);
    if (unlikely(!histogram->cell))
        make_histogram(metrics, shard, cells->node, pawl_metrics_ended, status, histogram);
    if (likely(histogram->cell != NULL))
        observe(&metrics->own.durations, histogram, span);
    if (unlikely(is_workflow(span)))
        end_workflow(metrics, shard, cells, span, status);
    if (unlikely(metrics->is_virtual))
        pawl_metrics_export_due(metrics, span->end_ns);
}

static COLD void end_elsewhere(pawl_metrics *metrics, struct shard *shard, const pawl_span *span) {
    struct node_cells *cells = shard ? cells_of(metrics, shard, span) : NULL;
    if (cells)
        end_node(metrics, shard, cells, span);
    else
        pawl_metrics_drop(metrics, DROP_NO_MEMORY);
}

void pawl_metrics_span_end(void *self, const pawl_span *span) {
    struct attachment *attachment = self;
    pawl_metrics *metrics = attachment->metrics;
    if (!is_primitive(span))
        return;
    struct shard *shard = metrics_shard_by(metrics, attachment->id);
    struct node_cells *cells = shard ? recall(shard, span) : NULL;
    if (likely(cells != NULL))
        end_node(metrics, shard, cells, span);
    else
        end_elsewhere(metrics, shard, span);
}
