/* Halves a batch until each request is within the writer's bound. */
#include "otlp_requests_internal.h"

static void encode(const struct pawl_otlp_batch *b, struct pawl_otlp_writer *w, size_t first, size_t count) {
    pawl_otlp_writer_reset(w);
    if (b->signal == PAWL_OTLP_TRACES)
        pawl_otlp_traces(w, &b->source, (const pawl_span_data *)b->items + first, count);
    else if (b->signal == PAWL_OTLP_METRICS)
        pawl_otlp_metrics(w, &b->source, (const pawl_metric_data *)b->items + first, count);
    else
        pawl_otlp_logs(w, &b->source, (const pawl_log_data *)b->items + first, count);
}

uint64_t pawl_otlp_weigh(const struct pawl_otlp_batch *b, size_t first, size_t count) {
    uint64_t points = 0;
    if (b->signal != PAWL_OTLP_METRICS)
        return count;
    for (size_t i = 0; i < count; i++)
        points += ((const pawl_metric_data *)b->items)[first + i].point_count;
    return points;
}

static pawl_status drop(const struct pawl_otlp_batch *b, const struct pawl_otlp_writer *w, uint64_t items,
                        pawl_error **err) {
    b->drop(b->user, w->status, items);
    if (w->status == PAWL_E_LIMIT)
        return pawl_error_set(err, PAWL_E_LIMIT, "telemetry: one item is larger than a request may be (%zu bytes)",
                              w->most);
    return pawl_error_set(err, w->status, "telemetry: out of memory");
}

/* Recursion: as deep as a count can be halved. */
static pawl_status take(const struct pawl_otlp_batch *b, struct pawl_otlp_writer *w, size_t first, size_t count,
                        pawl_error **err) {
    encode(b, w, first, count);
    if (w->status == PAWL_OK)
        return b->take(b->user, w, pawl_otlp_weigh(b, first, count), err);
    if (w->status != PAWL_E_LIMIT || count < 2)
        return drop(b, w, pawl_otlp_weigh(b, first, count), err);
    pawl_status status = take(b, w, first, count / 2, err);
    pawl_status other = take(b, w, first + count / 2, count - count / 2, status == PAWL_OK ? err : NULL);
    return status == PAWL_OK ? other : status;
}

pawl_status pawl_otlp_each_request(const struct pawl_otlp_batch *batch, struct pawl_otlp_writer *w, pawl_error **err) {
    return take(batch, w, 0, batch->count, err);
}
