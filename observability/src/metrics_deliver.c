/* One export: a collection for this reader, handed to each of its exporters. */
#include "metrics_export_internal.h"

struct delivery {
    struct metrics_export *e;
    pawl_status status;
    pawl_error *error;
};

static uint64_t count_points(const pawl_metric_data *metrics, size_t count) {
    uint64_t points = 0;
    for (size_t i = 0; i < count; i++)
        points += metrics[i].point_count;
    return points;
}

static void count_exported(pawl_metrics *metrics, const pawl_exporter *exporter, uint64_t points, pawl_status status) {
    pawl_attribute attributes[] = {
        pawl_attribute_string("otel.component.type", pawl_exporter_name(exporter, PAWL_EXPORTED_METRICS)),
        pawl_attribute_string("error.type", pawl_status_word(status))};
    struct attribute_set set;
    if (pawl_attribute_set_make(&set, attributes, status == PAWL_OK ? 1 : 2, NULL, NULL) != PAWL_OK)
        return;
    pthread_mutex_lock(&metrics->lock);
    pawl_series *series = pawl_metrics_series_of(metrics, metrics->own.exported, &set, NULL);
    if (series)
        series->storage = STORED_SHARED;
    pthread_mutex_unlock(&metrics->lock);
    if (series)
        pawl_series_add_shared(series, (double)points);
}

static void deliver(void *user, const pawl_metric_data *metrics, size_t count) {
    struct delivery *d = user;
    uint64_t points = count_points(metrics, count);
    for (uint64_t i = 0; i < d->e->options.exporter_count && points > 0; i++) {
        pawl_error *error = NULL;
        uint64_t timeout_ns = pawl_export_worker_time(&d->e->worker, d->e->options.timeout_ns);
        pawl_status status =
            pawl_exporter_metrics(d->e->exporters[i], d->e->resource, metrics, count, timeout_ns, &error);
        count_exported(d->e->metrics, d->e->exporters[i], points, status);
        if (d->status == PAWL_OK) {
            d->status = status;
            d->error = error;
        } else
            pawl_error_unref(error);
    }
}

pawl_status pawl_metrics_deliver(struct metrics_export *e, pawl_error **err) {
    struct delivery d = {.e = e};
    pawl_status status = pawl_metrics_collect_for(e->metrics, &e->reader, deliver, &d, &d.error);
    if (err)
        *err = d.error;
    else
        pawl_error_unref(d.error);
    return status == PAWL_OK ? d.status : status;
}
