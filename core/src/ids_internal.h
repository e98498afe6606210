/* Identity of a root: ids, baggage, tags, metadata, W3C state. */
#ifndef PAWL_IDS_INTERNAL_H
#define PAWL_IDS_INTERNAL_H

#include "context_internal.h"

/* Copies all of it from the scope's root; the copy's parent span is the scope's span. False without memory. */
bool pawl_ids_copy(struct root *root, pawl_context *from);
void pawl_ids_release(struct root *root);
/* The causation id of a child: the parent's span id. False without memory. */
bool pawl_ids_set_causation(struct root *root, pawl_context *parent);

#endif
