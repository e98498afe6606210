/* How processors call exporters. */
#ifndef PAWL_EXPORT_INTERNAL_H
#define PAWL_EXPORT_INTERNAL_H

#include <pawl/observability/export.h>

/* PAWL_OK when the exporter does not take that kind of data, or count is 0. */
pawl_status pawl_exporter_spans(pawl_exporter *exporter, const pawl_resource *resource, const pawl_span_data *spans,
                                size_t count, uint64_t timeout_ns, pawl_error **err);
pawl_status pawl_exporter_metrics(pawl_exporter *exporter, const pawl_resource *resource,
                                  const pawl_metric_data *metrics, size_t count, uint64_t timeout_ns, pawl_error **err);
pawl_status pawl_exporter_logs(pawl_exporter *exporter, const pawl_resource *resource, const pawl_log_data *logs,
                               size_t count, uint64_t timeout_ns, pawl_error **err);
void pawl_exporter_cancel(pawl_exporter *exporter);
uint64_t pawl_export_now(void); /* CLOCK_MONOTONIC */
enum pawl_exported { PAWL_EXPORTED_SPANS = 0, PAWL_EXPORTED_METRICS, PAWL_EXPORTED_LOGS };
/* Static: otel.component.type. What serves several signals has a name for each in OpenTelemetry's conventions. */
const char *pawl_exporter_name(const pawl_exporter *exporter, enum pawl_exported what);
const pawl_exporter_vtable *pawl_exporter_vtable_of(const pawl_exporter *exporter);
/* Whether the caller's is the only reference. */
bool pawl_exporter_is_alone(const pawl_exporter *exporter);
/* What an exporter was made with, when it is one that is destroyed by this function; else NULL. */
void *pawl_exporter_self(const pawl_exporter *exporter, void (*destroy)(void *self));

#endif
