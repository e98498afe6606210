/* The metrics of a registry as Prometheus text. */
#include "prometheus_internal.h"

struct collecting {
    pawl_resource *resource;
    pawl_metrics_format format;
    pawl_metrics_write_fn write;
    void *user;
    pawl_error **err;
    pawl_status status;
};

static void visit(void *user, const pawl_metric_data *metrics, size_t count) {
    struct collecting *c = user;
    c->status = pawl_prom_write(c->resource, metrics, count, c->format, c->write, c->user, c->err);
}

pawl_status pawl_metrics_write(pawl_metrics *metrics, pawl_resource *resource, pawl_metrics_format format,
                               pawl_metrics_write_fn write, void *user, pawl_error **err) {
    if (!metrics || !write)
        return pawl_error_set(err, PAWL_E_INVALID, "metrics: %s is NULL", metrics ? "write" : "the pawl_metrics");
    if (!pawl_metrics_content_type(format))
        return pawl_error_set(err, PAWL_E_INVALID,
                              "metrics: %d is no format; use PAWL_PROMETHEUS_TEXT or "
                              "PAWL_OPENMETRICS",
                              (int)format);
    struct collecting c = {resource, format, write, user, err, PAWL_OK};
    pawl_status status = pawl_metrics_collect(metrics, visit, &c, err);
    return status == PAWL_OK ? c.status : status;
}
