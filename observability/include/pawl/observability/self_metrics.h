/** @file pawl/observability/self_metrics.h  @brief What tracing and log processing say about themselves, as metrics:
 * spans and records made, waiting, dropped and exported. */
#ifndef PAWL_OBSERVABILITY_SELF_METRICS_H
#define PAWL_OBSERVABILITY_SELF_METRICS_H

#include <pawl/observability/logs.h>
#include <pawl/observability/metrics.h>
#include <pawl/observability/tracer.h>

PAWL_BEGIN_DECLS

/**
 * Hands out the tracer's figures with each collection, under the names of OpenTelemetry's conventions:
 *
 *   otel.sdk.span.started                   counter  {span}
 *   otel.sdk.span.live                      up-down  {span}
 *   otel.sdk.processor.span.queue.size      up-down  {span}  otel.component.type = batching_span_processor
 *   otel.sdk.processor.span.queue.capacity  up-down  {span}  the same
 *   otel.sdk.processor.span.processed       counter  {span}  the same; error.type of dropped ones:
 *                                                            queue_full, no_memory, already_shutdown, held_full
 *   otel.sdk.exporter.span.inflight         up-down  {span}  otel.component.type (the exporter's)
 *   otel.sdk.exporter.span.exported         counter  {span}  the same; error.type of failed ones: _OTHER
 *
 * from the first span on. Exporters of one type are added up. One tracer for a pawl_metrics: the figures of two would
 * be one series.
 * @param tracer  Borrowed until pawl_metrics_unobserve_tracer() or the end of metrics.
 * @return PAWL_OK, PAWL_E_INVALID (NULL), PAWL_E_LIMIT, PAWL_E_NOMEM, and then nothing is observed.
 */
PAWL_API pawl_status pawl_metrics_observe_tracer(pawl_metrics *metrics, pawl_tracer *tracer, pawl_error **err);
/** Forgets the tracer; when it returns nobody looks at it. */
PAWL_API void pawl_metrics_unobserve_tracer(pawl_metrics *metrics, pawl_tracer *tracer);

/**
 * The same of a log processor, from its first record on:
 *
 *   otel.sdk.processor.log.queue.size      up-down  {log_record}  otel.component.type = batching_log_processor
 *   otel.sdk.processor.log.queue.capacity  up-down  {log_record}  the same
 *   otel.sdk.processor.log.processed       counter  {log_record}  the same; error.type of dropped ones: queue_full,
 *                                                                 no_memory, already_shutdown
 *   otel.sdk.exporter.log.exported         counter  {log_record}  of all its exporters together; error.type of
 *                                                                 failed ones: _OTHER
 *
 * @param logs  Borrowed until pawl_metrics_unobserve_logs() or the end of metrics.
 * @return As pawl_metrics_observe_tracer().
 */
PAWL_API pawl_status pawl_metrics_observe_logs(pawl_metrics *metrics, pawl_logs *logs, pawl_error **err);
/** Forgets the log processor; when it returns nobody looks at it. */
PAWL_API void pawl_metrics_unobserve_logs(pawl_metrics *metrics, pawl_logs *logs);

PAWL_END_DECLS
#endif
