/* pawl.primitive.path: the names from the root to a span. Spans of a run end one beneath the other or one beside the
 * other, so the names above the last one are kept, and mostly only the last name is written. */
#include "span_record_internal.h"
#include <string.h>

static uint64_t id_of(const pawl_span *span) {
    uint64_t id;
    memcpy(&id, span->span_id, sizeof id);
    return id;
}

/* A cut never leaves half a UTF-8 character. */
static size_t room_for(const char *name, size_t length, size_t room) {
    if (length <= room)
        return length;
    while (room > 0 && ((unsigned char)name[room] & 0xC0) == 0x80)
        room--;
    return room;
}

static void push(struct pawl_span_path *path, const pawl_span *span) {
    uint32_t used = path->depth ? path->ends[path->depth - 1] : 0;
    size_t length = strlen(span->name);
    if (path->depth && used < PAWL_PATH_BYTES)
        path->text[used++] = '/';
    size_t kept = room_for(span->name, length, PAWL_PATH_BYTES - used);
    memcpy(path->text + used, span->name, kept);
    path->name_at = kept == length ? used : PAWL_PATH_BYTES + 1;
    path->length = used + (uint32_t)kept;
    path->ids[path->depth] = id_of(span);
    path->ends[path->depth++] = (uint16_t)path->length;
}

/* From the root down; names beyond PAWL_PATH_DEPTH find no room. */
static void rebuild(struct pawl_span_path *path, const pawl_span *span) {
    const pawl_span *chain[PAWL_PATH_DEPTH];
    size_t count = 0;
    for (const pawl_span *s = span; s; s = s->parent)
        chain[count++ % PAWL_PATH_DEPTH] = s;
    path->depth = 0;
    for (size_t i = count; i > 0 && count - i < PAWL_PATH_DEPTH; i--)
        push(path, chain[(i - 1) % PAWL_PATH_DEPTH]);
    if (count > PAWL_PATH_DEPTH)
        path->name_at = PAWL_PATH_BYTES + 1;
}

void pawl_span_path_find(struct pawl_span_path *path, const pawl_span *span) {
    const uint64_t id = id_of(span), parent = span->parent ? id_of(span->parent) : 0;
    while (path->depth > 0 && path->ids[path->depth - 1] != id &&
           (!span->parent || path->ids[path->depth - 1] != parent))
        path->depth--;
    if (path->depth > 0 && path->ids[path->depth - 1] == id)
        path->depth--; /* it is written again, since its name may have been cut */
    if (path->depth == 0 || path->depth == PAWL_PATH_DEPTH)
        rebuild(path, span);
    else
        push(path, span);
    path->depth--; /* it has ended */
}
