/* How the engine tells observers, beside what the public header says. */
#ifndef PAWL_OBSERVE_INTERNAL_H
#define PAWL_OBSERVE_INTERNAL_H

#include "engine_internal.h"

/* ---- span.c ---- */
/* Makes it an empty span; ids, start, parent and observers stay as they are. */
void pawl_span_reset(pawl_span *span, const char *name, const char *type);
/* Releases what did not fit the span itself. */
void pawl_span_release_grown(pawl_span *span);
void pawl_span_add_event_at(pawl_span *span, const char *name, uint64_t time_ns, const pawl_attribute *attributes,
                            size_t attribute_count);
/* Sets an attribute of any type. */
void pawl_span_set(pawl_span *span, const pawl_attribute *attribute);
/* Copies a string to where the span's are; NULL without memory. */
const char *pawl_span_keep_text(pawl_span *span, const char *text);

/* ---- observe_redact.c ---- */
/* Hides secrets in all texts of the span. Returns the error that it points to then, to be released after it was told;
 * NULL for none. */
pawl_error *pawl_span_redact(const pawl_runtime *runtime, pawl_span *span);

#endif
