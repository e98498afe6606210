/* A finished span as it waits in the queue: a fixed head and a payload of bytes, in the record itself while it is
 * small, else allocated. Made by the thread that ends the span, read by the one that exports. */
#ifndef PAWL_SPAN_RECORD_INTERNAL_H
#define PAWL_SPAN_RECORD_INTERNAL_H

#include "engine_internal.h"
#include "redact_internal.h"
#include "span_place_internal.h"
#include <pawl/observability/export.h>
#include <stdatomic.h>
#include <string.h>

#define PAWL_NODE_ATTRIBUTES 2u /* that the reader adds to a node's: type and path */

struct pawl_span_limits {
    uint32_t attributes, events, links, event_attributes, link_attributes;
    uint64_t characters; /* of a value */
};

enum {
    PAWL_RECORD_REMOTE = 1,   /* the parent is in another process */
    PAWL_RECORD_NODE = 2,     /* of a primitive, not opened by hand */
    PAWL_RECORD_WORKFLOW = 4, /* of a pipeline's root */
    PAWL_RECORD_ROOT = 8,     /* it has no open parent in this process */
    PAWL_RECORD_HEAP = 16,    /* the payload is not in bytes */
    PAWL_RECORD_PLAIN = 32,   /* its first line is all of it */
    PAWL_RECORD_NONE = 64,    /* the rest of the chunk is not used */
};

#define PAWL_RECORD_LINE 64u /* bytes: a cache line, which is all that a plain record takes */
#define PAWL_RECORD_ROOM 160u

struct pawl_span_record {
    uint64_t start_ns;            /* monotonic */
    uint32_t duration_ns, number; /* of a plain one */
    uint8_t trace_id[16], span_id[8], parent_span_id[8];
    const struct pawl_place *place; /* NULL: the names are in the payload */
    uint8_t status, cancel_reason, kind, trace_flags;
    uint16_t bits;
    uint16_t attribute_count; /* in the payload; of a plain one its number */
    uint64_t end_ns;          /* from here on not of a plain one */
    uint32_t length;          /* of the payload */
    uint16_t event_count, link_count;
    uint32_t has_rest; /* something stands behind names and attributes */
    uint32_t dropped_attributes, dropped_events, dropped_links;
    union {
        char *heap;
        char bytes[PAWL_RECORD_ROOM];
    };
};
_Static_assert(offsetof(struct pawl_span_record, end_ns) == PAWL_RECORD_LINE, "a plain record is one line");
_Static_assert(sizeof(struct pawl_span_record) == 4 * PAWL_RECORD_LINE, "others are four");

static inline size_t pawl_record_lines(bool is_plain) {
    return is_plain ? 1 : sizeof(struct pawl_span_record) / PAWL_RECORD_LINE;
}

static inline bool pawl_record_is_plain(const struct pawl_span_record *record) {
    return record->bits & PAWL_RECORD_PLAIN;
}

static inline uint64_t pawl_record_end_ns(const struct pawl_span_record *record) {
    return pawl_record_is_plain(record) ? record->start_ns + record->duration_ns : record->end_ns;
}

static inline const char *pawl_record_payload(const struct pawl_span_record *record) {
    return record->bits & PAWL_RECORD_HEAP ? record->heap : record->bytes;
}

/* Bound of what all records that wait have allocated together. */
struct pawl_heap_budget {
    _Atomic uint64_t used;
    uint64_t most;
};
/* How much of the record is in use. */
static inline size_t pawl_record_size(const struct pawl_span_record *record) {
    if (pawl_record_is_plain(record))
        return PAWL_RECORD_LINE;
    return offsetof(struct pawl_span_record, bytes) +
           (record->bits & PAWL_RECORD_HEAP ? sizeof record->heap : record->length);
}
/* What it has allocated. */
static inline size_t pawl_record_heap_bytes(const struct pawl_span_record *record) {
    return record->bits & PAWL_RECORD_HEAP ? record->length : 0;
}
void pawl_record_release(struct pawl_span_record *record, struct pawl_heap_budget *budget);

/* ---- span_record.c ---- */

/* Whether the failure is the span's own business: what lost a race or went down with a sibling is none. */
bool pawl_span_is_error(uint32_t status, uint32_t cancel_reason);
/* PAWL_E_NOMEM, or PAWL_E_LIMIT when the budget is used up. */
pawl_status pawl_record_encode(struct pawl_span_record *record, const pawl_span *span, const struct pawl_place *place,
                               const struct pawl_span_limits *limits, struct pawl_heap_budget *budget);

/* Whether a line can hold all there is to say: of a node beneath another one, that ended well and soon, with nothing
 * set on it but its number. */
static inline bool pawl_span_is_plain(const pawl_span *span, const struct pawl_span_limits *limits) {
    return !span->described && span->parent && span->attribute_count + PAWL_NODE_ATTRIBUTES <= limits->attributes &&
           (span->attribute_count == 0 || (uint64_t)span->attribute_slots[0].value.integer <= UINT32_MAX) &&
           span->end_ns - span->start_ns <= UINT32_MAX && !span->ctx->root->tracestate;
}

static inline void pawl_record_put_ids(struct pawl_span_record *record, const pawl_span *span) {
    memcpy(record->trace_id, span->trace_id, sizeof record->trace_id);
    memcpy(record->span_id, span->span_id, sizeof record->span_id);
    memcpy(record->parent_span_id, span->parent_span_id, sizeof record->parent_span_id);
}

static inline void pawl_record_put_plain(struct pawl_span_record *record, const pawl_span *span,
                                         const struct pawl_place *place) {
    record->start_ns = span->start_ns;
    record->duration_ns = (uint32_t)(span->end_ns - span->start_ns);
    record->number = span->attribute_count ? (uint32_t)span->attribute_slots[0].value.integer : 0;
    pawl_record_put_ids(record, span);
    record->place = place;
    record->status = record->cancel_reason = 0;
    record->kind = PAWL_SPAN_INTERNAL;
    record->trace_flags = (uint8_t)span->trace_flags;
    record->bits = PAWL_RECORD_NODE | PAWL_RECORD_PLAIN;
    record->attribute_count = (uint16_t)span->attribute_count;
}

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

/* How many attributes the reader adds, by what the record says. */
static inline uint32_t pawl_record_own_attributes(uint32_t bits, uint32_t status, uint32_t cancel_reason) {
    return (bits & PAWL_RECORD_NODE ? PAWL_NODE_ATTRIBUTES : 0u) + (bits & PAWL_RECORD_WORKFLOW ? 2u : 0u) +
           (status != PAWL_OK ? 1u : 0u) + (cancel_reason != PAWL_CANCEL_NONE ? 1u : 0u);
}

/* redaction: what is hidden in names. What it is given borrows from the record and the arena. False without memory. */
bool pawl_record_decode(const struct pawl_span_record *record, int64_t wall_offset_ns,
                        const struct pawl_redaction *redaction, struct arena *arena, pawl_span_data *ret_data);

#endif
