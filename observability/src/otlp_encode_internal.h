/** @file otlp_encode_internal.h  @brief Export requests of the three signals, as protobuf or JSON.
 *
 * Source: opentelemetry-proto 1.x, and the OTLP specification 1.11.0, "JSON Protobuf Encoding". LogRecord.event_name is
 * not sent: receivers of an older schema would call it unknown.
 */
#ifndef PAWL_OTLP_ENCODE_INTERNAL_H
#define PAWL_OTLP_ENCODE_INTERNAL_H

#include "otlp_writer_internal.h"
#include <pawl/observability/export.h>

/** Who speaks: the resource and the scope. */
struct pawl_otlp_source {
    const pawl_attribute *attributes;
    size_t attribute_count;
    const char *scope_name, *scope_version;
};

/** @param resource NULL: no attributes. @return Borrows from the resource. */
struct pawl_otlp_source pawl_otlp_source_of(const pawl_resource *resource);

/* Each writes one whole request before what is there; look at w->status. */
void pawl_otlp_traces(struct pawl_otlp_writer *w, const struct pawl_otlp_source *source, const pawl_span_data *spans,
                      size_t count);
void pawl_otlp_metrics(struct pawl_otlp_writer *w, const struct pawl_otlp_source *source,
                       const pawl_metric_data *metrics, size_t count);
void pawl_otlp_logs(struct pawl_otlp_writer *w, const struct pawl_otlp_source *source, const pawl_log_data *logs,
                    size_t count);

/* ---- otlp_common.c: what they share ---- */

void pawl_otlp_attributes(struct pawl_otlp_writer *w, struct pawl_otlp_field field, const pawl_attribute *attributes,
                          size_t count);
/** The envelope: request { resource_x [ { resource, scope_x [ { scope, items } ] } ] }. Items go between. */
struct pawl_otlp_envelope {
    size_t request, resource, scope;
};
struct pawl_otlp_envelope pawl_otlp_envelope_open(struct pawl_otlp_writer *w);
void pawl_otlp_envelope_close(struct pawl_otlp_writer *w, struct pawl_otlp_envelope envelope,
                              const struct pawl_otlp_source *source, struct pawl_otlp_field items,
                              struct pawl_otlp_field scopes, struct pawl_otlp_field resources);

#endif
