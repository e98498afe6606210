/* The choke point of telemetry: what observers are told has no secrets in it. */
#include "observe_internal.h"
#include "redact_internal.h"
#include <stdlib.h>
#include <string.h>

static void redact_attribute(pawl_span *span, const struct pawl_redaction *redaction, pawl_attribute *attribute) {
    const char *text = attribute->value.string;
    size_t length = strlen(text);
    struct pawl_redaction how = *redaction;
    how.cut = length + 4 > PAWL_SPAN_STRING; /* by us, so that a secret may be cut too */
    char *made;
    const char *shown = pawl_redact_shown(&how, attribute->key, text, length, &made);
    const char *kept = made ? pawl_span_keep_text(span, made) : shown;
    attribute->value.string = kept ? kept : PAWL_REDACTED; /* without memory nothing is shown */
    free(made);
}

static void redact_list(pawl_span *span, const struct pawl_redaction *redaction, pawl_attribute *attributes,
                        size_t count) {
    for (size_t i = 0; i < count; i++)
        if (attributes[i].type == PAWL_ATTRIBUTE_STRING)
            redact_attribute(span, redaction, &attributes[i]);
}

pawl_error *pawl_span_redact(const pawl_runtime *runtime, pawl_span *span) {
    if (!span->text_used && !span->more && !span->error)
        return NULL;
    const struct pawl_redaction redaction = pawl_redaction_of(runtime, true);
    redact_list(span, &redaction, span->attributes, span->attribute_count);
    for (uint32_t i = 0; i < span->event_count; i++) /* the lists are the span's own copies */
        redact_list(span, &redaction, (pawl_attribute *)span->events[i].attributes,
                    (size_t)span->events[i].attribute_count);
    for (uint32_t i = 0; i < span->link_count; i++)
        redact_list(span, &redaction, (pawl_attribute *)span->links[i].attributes,
                    (size_t)span->links[i].attribute_count);
    if (!span->error)
        return NULL;
    pawl_error *error = pawl_error_ref((pawl_error *)span->error);
    pawl_redact_error(&redaction, &error);
    span->error = error;
    return error;
}
