/* ExportTraceServiceRequest. */
#include "otlp_encode_internal.h"

static void put_event(struct pawl_otlp_writer *w, const pawl_event_data *event) {
    size_t mark = pawl_otlp_open(w);
    pawl_otlp_put_uint32(w, FIELD(4, "droppedAttributesCount"), event->dropped_attributes);
    pawl_otlp_attributes(w, FIELD(3, "attributes"), event->attributes, event->attribute_count);
    pawl_otlp_put_string(w, FIELD(2, "name"), event->name);
    pawl_otlp_put_fixed64(w, FIELD(1, "timeUnixNano"), event->time_unix_ns);
    pawl_otlp_close(w, mark, ELEMENT(11));
}

static void put_link(struct pawl_otlp_writer *w, const pawl_link_data *link) {
    size_t mark = pawl_otlp_open(w);
    pawl_otlp_put_uint32(w, FIELD(5, "droppedAttributesCount"), link->dropped_attributes);
    pawl_otlp_attributes(w, FIELD(4, "attributes"), link->attributes, link->attribute_count);
    pawl_otlp_put_id(w, FIELD(2, "spanId"), link->span_id, 8);
    pawl_otlp_put_id(w, FIELD(1, "traceId"), link->trace_id, 16);
    pawl_otlp_close(w, mark, ELEMENT(13));
}

static void put_status(struct pawl_otlp_writer *w, const pawl_span_data *span) {
    if (!span->is_error)
        return;
    size_t mark = pawl_otlp_open(w);
    pawl_otlp_put_uint32(w, FIELD(3, "code"), 2); /* ERROR */
    pawl_otlp_put_string(w, FIELD(2, "message"), span->status_message);
    pawl_otlp_close(w, mark, FIELD(15, "status"));
}

static void put_events(struct pawl_otlp_writer *w, const pawl_span_data *span) {
    if (span->event_count == 0)
        return;
    pawl_otlp_list_open(w);
    for (uint32_t i = span->event_count; i-- > 0;)
        put_event(w, &span->events[i]);
    pawl_otlp_list_close(w, FIELD(11, "events"));
}

static void put_links(struct pawl_otlp_writer *w, const pawl_span_data *span) {
    if (span->link_count == 0)
        return;
    pawl_otlp_list_open(w);
    for (uint32_t i = span->link_count; i-- > 0;)
        put_link(w, &span->links[i]);
    pawl_otlp_list_close(w, FIELD(13, "links"));
}

static void put_span(struct pawl_otlp_writer *w, const pawl_span_data *span) {
    size_t mark = pawl_otlp_open(w);
    pawl_otlp_put_fixed32(w, FIELD(16, "flags"), span->flags);
    put_status(w, span);
    pawl_otlp_put_uint32(w, FIELD(14, "droppedLinksCount"), span->dropped_links);
    put_links(w, span);
    pawl_otlp_put_uint32(w, FIELD(12, "droppedEventsCount"), span->dropped_events);
    put_events(w, span);
    pawl_otlp_put_uint32(w, FIELD(10, "droppedAttributesCount"), span->dropped_attributes);
    pawl_otlp_attributes(w, FIELD(9, "attributes"), span->attributes, span->attribute_count);
    pawl_otlp_put_fixed64(w, FIELD(8, "endTimeUnixNano"), span->end_unix_ns);
    pawl_otlp_put_fixed64(w, FIELD(7, "startTimeUnixNano"), span->start_unix_ns);
    pawl_otlp_put_uint32(w, FIELD(6, "kind"), span->kind);
    pawl_otlp_put_string(w, FIELD(5, "name"), span->name);
    pawl_otlp_put_id(w, FIELD(4, "parentSpanId"), span->parent_span_id, 8);
    pawl_otlp_put_string(w, FIELD(3, "traceState"), span->tracestate);
    pawl_otlp_put_id(w, FIELD(2, "spanId"), span->span_id, 8);
    pawl_otlp_put_id(w, FIELD(1, "traceId"), span->trace_id, 16);
    pawl_otlp_close(w, mark, ELEMENT(2));
}

void pawl_otlp_traces(struct pawl_otlp_writer *w, const struct pawl_otlp_source *source, const pawl_span_data *spans,
                      size_t count) {
    struct pawl_otlp_envelope envelope = pawl_otlp_envelope_open(w);
    for (size_t i = count; i-- > 0;)
        put_span(w, &spans[i]);
    pawl_otlp_envelope_close(w, envelope, source, FIELD(2, "spans"), FIELD(2, "scopeSpans"), FIELD(1, "resourceSpans"));
}
