/* A finished span as it waits in the queue: a fixed head and a payload of bytes, in the record itself while it is
 * small, else allocated. Made by the thread that ends the span, read by the one that exports. */
#ifndef PAWL_SPAN_RECORD_INTERNAL_H
#define PAWL_SPAN_RECORD_INTERNAL_H

#include "arena_internal.h"
#include <pawl/observability/export.h>
#include <stdatomic.h>
#include <string.h>

#define PAWL_RECORD_ROOM 160u
#define PAWL_PATH_BYTES 256u /* of pawl.primitive.path */
#define PAWL_PATH_DEPTH 128u /* so many names fill a path */

struct pawl_span_limits {
    uint32_t attributes, events, links, event_attributes, link_attributes;
    uint64_t characters; /* of a value */
};

enum {
    PAWL_RECORD_REMOTE = 1,   /* the parent is in another process */
    PAWL_RECORD_NODE = 2,     /* of a primitive, not opened by hand */
    PAWL_RECORD_WORKFLOW = 4, /* of a pipeline's root */
    PAWL_RECORD_OWN_NAME = 8, /* the path was cut: the name stands behind it */
    PAWL_RECORD_ROOT = 16,    /* it has no open parent in this process */
};

struct pawl_span_record {
    uint64_t start_ns, end_ns; /* monotonic */
    uint8_t trace_id[16], span_id[8], parent_span_id[8];
    uint8_t status, cancel_reason, kind, trace_flags;
    uint16_t bits;
    uint16_t path_length, name_at, type_length; /* the path is at the payload's start, its last name at name_at */
    uint16_t attribute_count, event_count, link_count;
    uint16_t has_rest; /* something stands behind path, type and attributes */
    uint32_t length;   /* of the payload */
    uint32_t dropped_attributes, dropped_events, dropped_links;
    char *heap; /* the payload when it is not in bytes */
    char bytes[PAWL_RECORD_ROOM];
};
_Static_assert(sizeof(struct pawl_span_record) == 256, "a record is four cache lines");

static inline const char *pawl_record_payload(const struct pawl_span_record *record) {
    return record->heap ? record->heap : record->bytes;
}

/* Bound of what all records that wait have allocated together. */
struct pawl_heap_budget {
    _Atomic uint64_t used;
    uint64_t most;
};
/* How much of the record is in use. */
static inline size_t pawl_record_size(const struct pawl_span_record *record) {
    return offsetof(struct pawl_span_record, bytes) + (record->heap ? 0 : record->length);
}
void pawl_record_release(struct pawl_span_record *record, struct pawl_heap_budget *budget);

/* ---- on the thread that ends a span: small steps, inline ---- */

/* Most texts here are names: shorter than a call of memcpy() is worth. The two halves may overlap. */
static inline void pawl_copy_short(char *to, const char *from, size_t length) {
    if (length > 32) {
        memcpy(to, from, length);
    } else if (length >= 16) {
        memcpy(to, from, 16);
        memcpy(to + length - 16, from + length - 16, 16);
    } else if (length >= 8) {
        memcpy(to, from, 8);
        memcpy(to + length - 8, from + length - 8, 8);
    } else if (length >= 4) {
        memcpy(to, from, 4);
        memcpy(to + length - 4, from + length - 4, 4);
    } else {
        for (size_t i = 0; i < length; i++)
            to[i] = from[i];
    }
}

/* ---- span_path.c ---- */

/* The names above the span that ended last on this thread: the next one's are mostly the same. */
struct pawl_span_path {
    uint32_t depth;
    uint32_t length;               /* of the last path asked for */
    uint32_t name_at;              /* where its last name begins; PAWL_PATH_BYTES + 1: it was cut */
    uint64_t ids[PAWL_PATH_DEPTH]; /* of the spans from the root */
    uint16_t ends[PAWL_PATH_DEPTH];
    char text[PAWL_PATH_BYTES + 64]; /* may be read beyond its end by a copy in big steps */
};
void pawl_span_path_search(struct pawl_span_path *path, const pawl_span *span);
/* Writes the last name behind those that are there. */
static inline void pawl_span_path_push(struct pawl_span_path *path, const pawl_span *span) {
    uint32_t used = path->depth ? path->ends[path->depth - 1] : 0;
    size_t length = strlen(span->name);
    if (path->depth && used < PAWL_PATH_BYTES)
        path->text[used++] = '/';
    size_t kept = length;
    if (__builtin_expect(kept > PAWL_PATH_BYTES - used, 0))
        for (kept = PAWL_PATH_BYTES - used; kept > 0 && ((unsigned char)span->name[kept] & 0xC0) == 0x80;)
            kept--; /* never half a UTF-8 character */
    pawl_copy_short(path->text + used, span->name, kept);
    path->name_at = kept == length ? used : PAWL_PATH_BYTES + 1;
    path->length = used + (uint32_t)kept;
    memcpy(&path->ids[path->depth], span->span_id, 8);
    path->ends[path->depth++] = (uint16_t)path->length;
}
/* Whether the names that are there lead to this span: what is beneath it ends beside the last one that ended. */
static inline bool pawl_span_path_leads_to(const struct pawl_span_path *path, const pawl_span *span) {
    return path->depth > 0 && path->depth < PAWL_PATH_DEPTH &&
           memcmp(&path->ids[path->depth - 1], span->span_id, 8) == 0;
}
/* Sets text, length and name_at for a span that ends. */
static inline void pawl_span_path_find(struct pawl_span_path *path, const pawl_span *span) {
    if (span->parent && pawl_span_path_leads_to(path, span->parent))
        pawl_span_path_push(path, span);
    else
        pawl_span_path_search(path, span);
    path->depth--; /* it has ended */
}

/* ---- span_record.c ---- */

/* Whether the failure is the span's own business: what lost a race or went down with a sibling is none. */
bool pawl_span_is_error(uint32_t status, uint32_t cancel_reason);
/* PAWL_E_NOMEM, or PAWL_E_LIMIT when the budget is used up. */
pawl_status pawl_record_encode(struct pawl_span_record *record, const pawl_span *span, struct pawl_span_path *path,
                               const struct pawl_span_limits *limits, struct pawl_heap_budget *budget);

/* ---- span_decode.c ---- */

/* The payload's layout, for span_record.c and span_decode.c. */
struct pawl_packed_attribute { /* then key, NUL, and text, NUL, or 8 bytes */
    uint16_t key_length, type;
    uint32_t value_length;
};
struct pawl_packed_event { /* then name, NUL, attributes */
    uint64_t time_ns;
    uint32_t name_length, attribute_count, dropped_attributes;
};
struct pawl_packed_link { /* then attributes */
    uint8_t trace_id[16], span_id[8];
    uint32_t attribute_count, dropped_attributes;
};

#define PAWL_NODE_ATTRIBUTES 2u /* that the reader adds to a node's: type and path */
/* How many attributes the reader adds, by what the record says. */
static inline uint32_t pawl_record_own_attributes(uint32_t bits, uint32_t status, uint32_t cancel_reason) {
    return (bits & PAWL_RECORD_NODE ? PAWL_NODE_ATTRIBUTES : 0u) + (bits & PAWL_RECORD_WORKFLOW ? 2u : 0u) +
           (status != PAWL_OK ? 1u : 0u) + (cancel_reason != PAWL_CANCEL_NONE ? 1u : 0u);
}

/* What it is given borrows from the record and the arena. False without memory. */
bool pawl_record_decode(const struct pawl_span_record *record, int64_t wall_offset_ns, struct arena *arena,
                        pawl_span_data *ret_data);

#endif
