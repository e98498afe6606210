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

#endif
