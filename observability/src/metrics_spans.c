/* Metrics of every primitive, made of its span. The number of executions is that of the durations; it is not counted
 * twice. */
#include "metrics_internal.h"
#include "primitive_internal.h"
#include <string.h>

#define COLD __attribute__((noinline)) /* keeps the usual way short */
#define ALWAYS_INLINE inline __attribute__((always_inline))

/* ---- from a span to the cells of its node ---- */

static struct node_cells *make_cells(struct shard *shard, struct node *node) {
    struct node_cells *cells = pawl_arena_take(&shard->arena, sizeof *cells);
    if (!cells)
        return NULL;
    cells->node = node;
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
    if (cells)
        *slot = (struct span_slot){.serial = span->node->serial, .cells = cells};
    metrics_settle(shard);
    return cells;
}

/* NULL without memory. */
static inline struct node_cells *cells_of(const struct attachment *attachment, const pawl_span *span,
                                          struct shard **ret_shard) {
    struct shard *shard = *ret_shard = metrics_shard_by(attachment->metrics, attachment->id);
    if (unlikely(!shard))
        return NULL;
    struct span_slot *slot = &shard->spans[span->node->serial % SPAN_SLOTS];
    return likely(slot->serial == span->node->serial) ? slot->cells
                                                      : find_cells(attachment->metrics, shard, span, slot);
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

static ALWAYS_INLINE void observe(const struct durations *durations, const struct node_histogram *histogram,
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

void pawl_metrics_span_start(void *self, const pawl_span *span) {
    struct shard *shard;
    struct node_cells *cells = span->node ? cells_of(self, span, &shard) : NULL;
    if (likely(cells != NULL))
        cell_count(&cells->active->count, 1);
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

void pawl_metrics_span_end(void *self, const pawl_span *span) {
    struct attachment *attachment = self;
    if (!span->node)
        return;
    struct shard *shard;
    struct node_cells *cells = cells_of(attachment, span, &shard);
    if (likely(cells != NULL))
        end_node(attachment->metrics, shard, cells, span);
    else
        pawl_metrics_drop(attachment->metrics, DROP_NO_MEMORY);
}
