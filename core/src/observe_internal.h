/* How the engine tells observers, beside what the public header says. */
#ifndef PAWL_OBSERVE_INTERNAL_H
#define PAWL_OBSERVE_INTERNAL_H

#include "engine_internal.h"
#include <string.h>

/* ---- span.c ---- */
#define SPAN_SLOTS(span, slots) ((uint32_t)(sizeof(span)->slots / sizeof *(span)->slots))

#define PAWL_UNNAMED "unnamed" /* collectors refuse a span, and a batch with it, that has no name */

/* Makes it an empty span; ids, start, parent and observers stay as they are. */
static inline void pawl_span_reset(pawl_span *span, const pawl_primitive *node, const char *name, const char *type) {
    span->node = node;
    span->name = name;
    span->type = type;
    span->kind = PAWL_SPAN_INTERNAL;
    span->attributes = span->attribute_slots;
    span->events = span->event_slots;
    span->attribute_room = SPAN_SLOTS(span, attribute_slots);
    span->event_room = SPAN_SLOTS(span, event_slots);
    memset(&span->end_ns, 0, offsetof(pawl_span, attribute_slots) - offsetof(pawl_span, end_ns));
}

/* The first attribute of a span that was just reset. */
static inline void pawl_span_first_int(pawl_span *span, const char *key, int64_t number) {
    span->attribute_slots[0] = pawl_attribute_int(key, number);
    span->attribute_count = 1;
}

void pawl_span_release_grown_parts(pawl_span *span);
/* Releases what did not fit the span itself. */
static inline void pawl_span_release_grown(pawl_span *span) {
    if (unlikely(span->more || span->links || span->attributes != span->attribute_slots ||
                 span->events != span->event_slots))
        pawl_span_release_grown_parts(span);
}

void pawl_span_add_event_at(pawl_span *span, const char *name, uint64_t time_ns, const pawl_attribute *attributes,
                            size_t attribute_count);
/* Sets an attribute of any type. */
void pawl_span_set(pawl_span *span, const pawl_attribute *attribute);
/* Copies a string to where the span's are; NULL without memory. */
const char *pawl_span_keep_text(pawl_span *span, const char *text);

/* ---- observe_redact.c ---- */
pawl_error *pawl_span_redact_texts(const pawl_runtime *runtime, pawl_span *span);
/* Hides secrets in all texts of the span. Returns the error that it points to then, to be released after it was told;
 * NULL for none. */
static inline pawl_error *pawl_span_redact(const pawl_runtime *runtime, pawl_span *span) {
    return likely(!span->text_used && !span->more && !span->error) ? NULL : pawl_span_redact_texts(runtime, span);
}

#endif
