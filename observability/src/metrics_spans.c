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

static struct span_slot *find_slot(pawl_metrics *metrics, struct shard *shard, const pawl_span *span,
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
    return cells ? slot : NULL;
}

/* NULL without memory. */
static struct span_slot *slot_of(const struct attachment *attachment, const pawl_span *span, struct shard **ret_shard) {
    struct shard *shard = *ret_shard = metrics_shard_by(attachment->metrics, attachment->id);
    if (unlikely(!shard))
        return NULL;
    struct span_slot *slot = &shard->spans[span->node->serial % SPAN_SLOTS];
    return likely(slot->serial == span->node->serial) ? slot : find_slot(attachment->metrics, shard, span, slot);
}

/* ---- what is counted ---- */

typedef pawl_series *(*series_by_status)(pawl_metrics *metrics, struct node *node, pawl_status status);

static void make_histogram(pawl_metrics *metrics, struct shard *shard, struct node *node, series_by_status find,
                           pawl_status status, struct node_histogram *histogram) {
    pthread_mutex_lock(&metrics->lock);
    histogram->series = find(metrics, node, status);
    pthread_mutex_unlock(&metrics->lock);
    histogram->cell = histogram->series ? metrics_cell(shard, histogram->series) : NULL;
}

/* Returns the bucket. */
static size_t observe(const struct durations *durations, const struct node_histogram *histogram,
                      const pawl_span *span) {
    uint64_t ns = span->end_ns - span->start_ns;
    size_t bucket = durations_bucket(durations, ns);
    duration_observe(histogram->cell, bucket, ns);
    if (exemplar_wanted(histogram->series, bucket, span))
        pawl_exemplar_take(histogram->series, bucket, (double)ns / 1e9, span, span->ctx);
    return bucket;
}

static inline uint32_t metrics_epoch(const pawl_metrics *metrics) {
    return (uint32_t)atomic_load_explicit(&metrics->epoch, memory_order_relaxed);
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
        observe(&metrics->own.workflow_durations, histogram, span);
}

static void end_well(const pawl_metrics *metrics, struct span_slot *slot, const pawl_span *span) {
    struct node_histogram *histogram = &slot->cells->ended[PAWL_OK];
    uint32_t epoch = metrics_epoch(metrics); /* before the exemplar is taken */
    size_t bucket = observe(&metrics->own.durations, histogram, span);
    if (slot->epoch != epoch)
        slot->exemplars = 0;
    slot->epoch = epoch;
    slot->exemplars |= (span->trace_flags & 1) << bucket;
    slot->usual = histogram->cell;
}

static void end_node(pawl_metrics *metrics, struct shard *shard, struct span_slot *slot, const pawl_span *span) {
    pawl_status status = span->status < STATUSES ? (pawl_status)span->status : PAWL_E_INTERNAL;
    struct node_cells *cells = slot->cells;
    struct node_histogram *histogram = &cells->ended[status];
    if (!span->is_instant)
        cell_count(&cells->active->count, -1);
    if (!histogram->cell)
        make_histogram(metrics, shard, cells->node, pawl_metrics_ended, status, histogram);
    if (histogram->cell && status == PAWL_OK)
        end_well(metrics, slot, span);
    else if (histogram->cell)
        observe(&metrics->own.durations, histogram, span);
    if (is_workflow(span))
        end_workflow(metrics, shard, cells, span, status);
    metrics_settle(shard);
    if (metrics->is_virtual)
        pawl_metrics_export_due(metrics, span->end_ns);
}

/* A forked child's measurements are read by nobody, and the lock may be anybody's. */
static bool counts(const struct attachment *attachment, const pawl_span *span) {
    return span->node && !pawl_runtime_is_forked(attachment->runtime);
}

static COLD void start_any(const struct attachment *attachment, const pawl_span *span) {
    struct shard *shard;
    struct span_slot *slot = counts(attachment, span) ? slot_of(attachment, span, &shard) : NULL;
    if (slot)
        cell_count(&slot->cells->active->count, 1);
}

static COLD void end_any(const struct attachment *attachment, const pawl_span *span) {
    if (!counts(attachment, span))
        return;
    struct shard *shard;
    struct span_slot *slot = slot_of(attachment, span, &shard);
    if (slot)
        end_node(attachment->metrics, shard, slot, span);
    else
        pawl_metrics_drop(attachment->metrics, DROP_NO_MEMORY);
}

/* ---- most spans: of a node that this thread knows, beneath another one, that ended well ---- */

/* NULL: look for it. */
static inline struct span_slot *known_slot(const struct attachment *attachment, const pawl_span *span) {
    const struct recent *recent = &pawl_metrics_recent[0];
    if (unlikely(recent->id != attachment->id || !span->node))
        return NULL;
    struct span_slot *slot = &recent->shard->spans[span->node->serial % SPAN_SLOTS];
    return likely(slot->serial == span->node->serial) ? slot : NULL;
}

static inline bool needs_exemplar(const pawl_metrics *metrics, const struct span_slot *slot, size_t bucket,
                                  const pawl_span *span) {
    return (span->trace_flags & 1) && (slot->epoch != metrics_epoch(metrics) || !(slot->exemplars >> bucket & 1));
}

void pawl_metrics_span_start(void *self, const pawl_span *span) {
    struct span_slot *slot = known_slot(self, span);
    if (likely(slot != NULL))
        cell_count(&slot->cells->active->count, 1);
    else
        start_any(self, span);
}

/* Counts all or nothing. */
static inline bool end_usual(const pawl_metrics *metrics, const struct span_slot *slot, const pawl_span *span) {
    struct duration_cell *cell = slot->usual;
    if (unlikely(span->status != PAWL_OK || !span->parent || !cell || metrics->is_virtual))
        return false;
    uint64_t ns = span->end_ns - span->start_ns;
    size_t bucket = durations_bucket(&metrics->own.durations, ns);
    if (unlikely(needs_exemplar(metrics, slot, bucket, span)))
        return false;
    if (!span->is_instant)
        cell_count(&slot->cells->active->count, -1);
    duration_observe(cell, bucket, ns);
    return true;
}

void pawl_metrics_span_end(void *self, const pawl_span *span) {
    const struct attachment *attachment = self;
    const struct span_slot *slot = known_slot(attachment, span);
    if (unlikely(!slot || !end_usual(attachment->metrics, slot, span)))
        end_any(attachment, span);
}
