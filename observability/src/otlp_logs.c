/* ExportLogsServiceRequest. */
#include "otlp_encode_internal.h"

struct severity {
    uint32_t number;
    const char *text;
};

/* The first step of each of OpenTelemetry's levels. */
static struct severity severity_of(uint32_t level) {
    switch (level) {
    case PAWL_LOG_DEBUG:
        return (struct severity){5, "DEBUG"};
    case PAWL_LOG_INFO:
        return (struct severity){9, "INFO"};
    case PAWL_LOG_WARN:
        return (struct severity){13, "WARN"};
    case PAWL_LOG_ERROR:
        return (struct severity){17, "ERROR"};
    default:
        return (struct severity){0, ""};
    }
}

static void put_log(struct pawl_otlp_writer *w, const pawl_log_data *log) {
    struct severity severity = severity_of(log->level);
    size_t mark = pawl_otlp_open(w);
    pawl_otlp_put_fixed64(w, FIELD(11, "observedTimeUnixNano"), log->observed_unix_ns);
    pawl_otlp_put_id(w, FIELD(10, "spanId"), log->span_id, 8);
    pawl_otlp_put_id(w, FIELD(9, "traceId"), log->trace_id, 16);
    pawl_otlp_put_fixed32(w, FIELD(8, "flags"), log->flags);
    pawl_otlp_put_uint32(w, FIELD(7, "droppedAttributesCount"), log->dropped_attributes);
    pawl_otlp_attributes(w, FIELD(6, "attributes"), log->attributes, log->attribute_count);
    size_t body = pawl_otlp_open(w);
    pawl_otlp_put_string_always(w, FIELD(1, "stringValue"), log->text);
    pawl_otlp_close(w, body, FIELD(5, "body"));
    pawl_otlp_put_string(w, FIELD(3, "severityText"), severity.text);
    pawl_otlp_put_uint32(w, FIELD(2, "severityNumber"), severity.number);
    pawl_otlp_put_fixed64(w, FIELD(1, "timeUnixNano"), log->time_unix_ns);
    pawl_otlp_close(w, mark, ELEMENT(2));
}

void pawl_otlp_logs(struct pawl_otlp_writer *w, const struct pawl_otlp_source *source, const pawl_log_data *logs,
                    size_t count) {
    struct pawl_otlp_envelope envelope = pawl_otlp_envelope_open(w);
    for (size_t i = count; i-- > 0;)
        put_log(w, &logs[i]);
    pawl_otlp_envelope_close(w, envelope, source, FIELD(2, "logRecords"), FIELD(2, "scopeLogs"),
                             FIELD(1, "resourceLogs"));
}
