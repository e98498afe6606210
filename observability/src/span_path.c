/* pawl.primitive.path: the names from the root to a span. Spans of a run end one beneath the other or one beside the
 * other, so the names above the last one are kept, and mostly only the last name is written. */
#include "span_record_internal.h"
#include <string.h>

static uint64_t id_of(const pawl_span *span) {
    uint64_t id;
    memcpy(&id, span->span_id, sizeof id);
    return id;
}

/* From the root down; names beyond PAWL_PATH_DEPTH find no room. */
static void rebuild(struct pawl_span_path *path, const pawl_span *span) {
    const pawl_span *chain[PAWL_PATH_DEPTH];
    size_t count = 0;
    for (const pawl_span *s = span; s; s = s->parent)
        chain[count++ % PAWL_PATH_DEPTH] = s;
    path->depth = 0;
    for (size_t i = count; i > 0 && count - i < PAWL_PATH_DEPTH; i--)
        pawl_span_path_push(path, chain[(i - 1) % PAWL_PATH_DEPTH]);
    if (count > PAWL_PATH_DEPTH)
        path->name_at = PAWL_PATH_BYTES + 1;
}

void pawl_span_path_search(struct pawl_span_path *path, const pawl_span *span) {
    const uint64_t id = id_of(span), parent = span->parent ? id_of(span->parent) : 0;
    while (path->depth > 0 && path->ids[path->depth - 1] != id &&
           (!span->parent || path->ids[path->depth - 1] != parent))
        path->depth--;
    if (path->depth > 0 && path->ids[path->depth - 1] == id)
        path->depth--; /* it is written again, since its name may have been cut */
    if (path->depth == 0 || path->depth == PAWL_PATH_DEPTH)
        rebuild(path, span);
    else
        pawl_span_path_push(path, span);
}
