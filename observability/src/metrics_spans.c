/* Metrics of every primitive, made of its span. The number of executions is that of the durations; it is not counted
 * twice. */
#include "metrics_internal.h"
#include <string.h>

/* ---- from a span to the cells of its node ---- */

static struct node_cells *make_cells(struct shard *shard, struct node *node) {
    struct node_cells *cells = pawl_arena_take(&shard->arena, sizeof *cells);
    if (!cells)
        return NULL;
    cells->node = node;
    cells->type = node->type;
    cells->name = node->name;
    cells->active = metrics_cell(shard, node->active);
    if (!cells->active || !pawl_table_put(&shard->nodes, &shard->arena, node->index, cells))
        return NULL;
    return cells;
}

static struct node_cells *find_cells(pawl_metrics *metrics, struct shard *shard, const pawl_span *span,
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

static inline struct node_cells *cells_of(pawl_metrics *metrics, struct shard *shard, const pawl_span *span) {
    uintptr_t address = (uintptr_t)span->name;
    struct span_slot *slot = &shard->spans[(address >> 4 ^ address >> 11) % SPAN_SLOTS];
    if (likely(slot->name == span->name && slot->type == span->type && strcmp(slot->cells->name, span->name) == 0 &&
               strcmp(slot->cells->type, span->type) == 0))
        return slot->cells;
    return find_cells(metrics, shard, span, slot);
}

/* ---- what is counted ---- */

typedef pawl_series *(*series_by_status)(pawl_metrics *metrics, struct node *node, pawl_status status);

static void make_histogram(pawl_metrics *metrics, struct shard *shard, struct node *node, series_by_status find,
                           pawl_status status, struct histogram_cell **cell) {
    pthread_mutex_lock(&metrics->lock);
    pawl_series *series = find(metrics, node, status);
    pthread_mutex_unlock(&metrics->lock);
    *cell = series ? metrics_cell(shard, series) : NULL;
    metrics_settle(shard);
}

static inline void observe(struct histogram_cell *cell, pawl_series *series, double seconds, const pawl_span *span) {
    size_t bucket = bounds_bucket(&series->instrument->bounds, seconds);
    cell_observe(cell, bucket, seconds);
    exemplar_offer(series, bucket, seconds, span, span->ctx);
}

/* The outermost node of a run that no run of this process is around. */
static inline bool is_workflow(const pawl_span *span) {
    static const uint8_t none[8];
    return !span->parent && (span->parent_is_remote || memcmp(span->parent_span_id, none, sizeof none) == 0);
}

static inline bool is_primitive(const pawl_span *span) {
    return span->type[0] != '\0';
}

void pawl_metrics_span_start(pawl_metrics *metrics, const pawl_span *span) {
    struct shard *shard = is_primitive(span) ? metrics_shard(metrics) : NULL;
    struct node_cells *cells = shard ? cells_of(metrics, shard, span) : NULL;
    if (likely(cells != NULL))
        cell_add(&cells->active->sum, 1);
}

static void end_workflow(pawl_metrics *metrics, struct shard *shard, struct node_cells *cells, const pawl_span *span,
                         double seconds, pawl_status status) {
    struct histogram_cell **cell = &cells->workflow[status];
    if (unlikely(!*cell))
        make_histogram(metrics, shard, cells->node, pawl_metrics_workflow, status, cell);
    if (likely(*cell != NULL))
        observe(*cell, cells->node->workflow[status], seconds, span);
}

void pawl_metrics_span_end(pawl_metrics *metrics, const pawl_span *span) {
    struct shard *shard = is_primitive(span) ? metrics_shard(metrics) : NULL;
    struct node_cells *cells = shard ? cells_of(metrics, shard, span) : NULL;
    if (!is_primitive(span))
        return;
    if (unlikely(!cells)) {
        pawl_metrics_drop(metrics, DROP_NO_MEMORY);
        return;
    }
    pawl_status status = span->status < STATUSES ? (pawl_status)span->status : PAWL_E_INTERNAL;
    double seconds = (double)(span->end_ns - span->start_ns) / 1e9; /* a product would be rounded past a bound */
    cell_add(&cells->active->sum, -1);
    struct histogram_cell **cell = &cells->ended[status];
    if (unlikely(!*cell))
        make_histogram(metrics, shard, cells->node, pawl_metrics_ended, status, cell);
    if (likely(*cell != NULL))
        observe(*cell, cells->node->ended[status], seconds, span);
    if (is_workflow(span))
        end_workflow(metrics, shard, cells, span, seconds, status);
    if (unlikely(metrics->is_virtual))
        pawl_metrics_export_due(metrics, span->end_ns);
}
