/* Metrics of every primitive, made of its span. The number of executions is that of the durations; it is not counted
 * twice. */
#include "engine_internal.h"
#include "metrics_internal.h"
#include <string.h>

#define COLD __attribute__((noinline)) /* keeps the usual way short */

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

static struct node_cells *find_cells(pawl_metrics *metrics, struct shard *shard, const pawl_span *span,
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
static struct node_cells *cells_of(const struct attachment *attachment, const pawl_span *span,
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

static void make_histogram(pawl_metrics *metrics, struct shard *shard, struct node *node, series_by_status find,
                           pawl_status status, struct node_histogram *histogram) {
    pthread_mutex_lock(&metrics->lock);
    histogram->series = find(metrics, node, status);
    pthread_mutex_unlock(&metrics->lock);
    histogram->cell = histogram->series ? metrics_cell(shard, histogram->series) : NULL;
    metrics_settle(shard);
}

static void take_exemplar(pawl_metrics *metrics, struct shard *shard, struct node_histogram *histogram, size_t bucket,
                          uint64_t ns, const pawl_span *span) {
    uint64_t epoch = atomic_load_explicit(&metrics->epoch, memory_order_relaxed);
    if (exemplar_wanted(histogram->series, bucket, span))
        pawl_exemplar_take(histogram->series, bucket, (double)ns / 1e9, span, span->ctx);
    if (histogram->epoch != epoch)
        histogram->exemplars = 0;
    histogram->epoch = epoch;
    histogram->exemplars |= span->trace_flags & 1 ? UINT64_C(1) << bucket : 0;
    metrics_settle(shard);
}

static void observe(pawl_metrics *metrics, struct shard *shard, const struct durations *durations,
                    struct node_histogram *histogram, const pawl_span *span) {
    uint64_t ns = span->end_ns - span->start_ns;
    size_t bucket = durations_bucket(durations, ns);
    duration_observe(histogram->cell, bucket, ns);
    take_exemplar(metrics, shard, histogram, bucket, ns, span);
}

/* The outermost node of a run that no run of this process is around. */
static bool is_workflow(const pawl_span *span) {
    static const uint8_t none[8];
    return !span->parent && (span->parent_is_remote || memcmp(span->parent_span_id, none, sizeof none) == 0);
}

static void end_workflow(pawl_metrics *metrics, struct shard *shard, struct node_cells *cells, const pawl_span *span,
                         pawl_status status) {
    struct node_histogram *histogram = &cells->workflow[status];
    if (!histogram->cell)
        make_histogram(metrics, shard, cells->node, pawl_metrics_workflow, status, histogram);
    if (histogram->cell)
        observe(metrics, shard, &metrics->own.workflow_durations, histogram, span);
}

static void end_node(pawl_metrics *metrics, struct shard *shard, struct node_cells *cells, const pawl_span *span) {
    pawl_status status = span->status < STATUSES ? (pawl_status)span->status : PAWL_E_INTERNAL;
    struct node_histogram *histogram = &cells->ended[status];
    if (!span->is_instant)
        cell_count(&cells->active->count, -1);
    if (!histogram->cell)
        make_histogram(metrics, shard, cells->node, pawl_metrics_ended, status, histogram);
    if (histogram->cell)
        observe(metrics, shard, &metrics->own.durations, histogram, span);
    if (is_workflow(span))
        end_workflow(metrics, shard, cells, span, status);
    if (metrics->is_virtual)
        pawl_metrics_export_due(metrics, span->end_ns);
}

/* A forked child's measurements are read by nobody, and the lock may be anybody's. */
static bool counts(const struct attachment *attachment, const pawl_span *span) {
    return span->node && !pawl_runtime_is_forked(attachment->runtime);
}

static COLD void start_any(const struct attachment *attachment, const pawl_span *span) {
    struct shard *shard;
    struct node_cells *cells = counts(attachment, span) ? cells_of(attachment, span, &shard) : NULL;
    if (cells)
        cell_count(&cells->active->count, 1);
}

static COLD void end_any(const struct attachment *attachment, const pawl_span *span) {
    if (!counts(attachment, span))
        return;
    struct shard *shard;
    struct node_cells *cells = cells_of(attachment, span, &shard);
    if (cells)
        end_node(attachment->metrics, shard, cells, span);
    else
        pawl_metrics_drop(attachment->metrics, DROP_NO_MEMORY);
}

/* ---- most spans: of a node that this thread knows, beneath another one, that ended well ---- */

/* NULL: look for them. */
static inline struct node_cells *known_cells(const struct attachment *attachment, const pawl_span *span) {
    const struct recent *recent = &pawl_metrics_recent[0];
    if (unlikely(recent->id != attachment->id || !span->node))
        return NULL;
    const struct span_slot *slot = &recent->shard->spans[span->node->serial % SPAN_SLOTS];
    return likely(slot->serial == span->node->serial) ? slot->cells : NULL;
}

static inline bool needs_exemplar(const pawl_metrics *metrics, const struct node_histogram *histogram, size_t bucket,
                                  const pawl_span *span) {
    return (span->trace_flags & 1) &&
           (histogram->epoch != atomic_load_explicit(&metrics->epoch, memory_order_relaxed) ||
            !(histogram->exemplars >> bucket & 1));
}

void pawl_metrics_span_start(void *self, const pawl_span *span) {
    struct node_cells *cells = known_cells(self, span);
    if (likely(cells != NULL))
        cell_count(&cells->active->count, 1);
    else
        start_any(self, span);
}

/* Counts all or nothing. */
static inline bool end_usual(pawl_metrics *metrics, struct node_cells *cells, const pawl_span *span) {
    const struct node_histogram *histogram = &cells->ended[PAWL_OK];
    struct duration_cell *cell = histogram->cell;
    if (unlikely(span->status != PAWL_OK || !span->parent || !cell || metrics->is_virtual))
        return false;
    uint64_t ns = span->end_ns - span->start_ns;
    size_t bucket = durations_bucket(&metrics->own.durations, ns);
    if (unlikely(needs_exemplar(metrics, histogram, bucket, span)))
        return false;
    if (!span->is_instant)
        cell_count(&cells->active->count, -1);
    duration_observe(cell, bucket, ns);
    return true;
}

void pawl_metrics_span_end(void *self, const pawl_span *span) {
    const struct attachment *attachment = self;
    struct node_cells *cells = known_cells(attachment, span);
    if (unlikely(!cells || !end_usual(attachment->metrics, cells, span)))
        end_any(attachment, span);
}
