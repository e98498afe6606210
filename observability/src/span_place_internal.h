/* Where a span of a node stands in its pipeline: its names, the path of names from the root, and what it is numbered by
 * among its siblings. The same places come again and again, so each thread keeps those that it has seen, and a record
 * only points to its own. */
#ifndef PAWL_SPAN_PLACE_INTERNAL_H
#define PAWL_SPAN_PLACE_INTERNAL_H

#include "arena_internal.h"
#include "primitive_internal.h"
#include <pawl/observer.h>
#include <string.h>

#define PAWL_PATH_BYTES 256u /* of pawl.primitive.path */
#define PAWL_PATH_DEPTH 128u
#define PAWL_PLACE_NAMES 1024u /* bytes of a name and its type that a place can have */
#define PAWL_PLACES 1024u      /* of a thread: what comes then is written into each record */
#define PAWL_PLACES_RECENT 256u

/* Never changes, and stays until its ring goes. */
struct pawl_place {
    const struct pawl_place *above; /* NULL: a root */
    const char *name, *type, *path;
    const char *key; /* of the attribute that has its number, static; NULL: none */
    size_t secrets;  /* how many were known when the names had none in them */
    uint64_t hash;
    struct pawl_place *next; /* of its bucket */
    uint64_t index;          /* from 1 */
};

/* A span whose children have ended on this thread, and where it stands. */
struct pawl_place_level {
    uint64_t id;
    const struct pawl_place *place;
    uint64_t salt; /* spreads the places beneath it over those seen last */
};

/* Which place the primitive with this serial had the last time. */
struct pawl_place_recent {
    uint64_t serial;
    const struct pawl_place *place;
};

struct pawl_places {
    uint64_t depth;                                      /* of the levels; the next span is mostly beneath the last */
    struct pawl_place_level levels[PAWL_PATH_DEPTH + 1]; /* [0] is above all roots, with an id that no span has */
    struct pawl_place_recent recent[PAWL_PLACES_RECENT];
    struct pawl_place *buckets[PAWL_PLACES_RECENT];
    struct arena arena;
    uint64_t count;
};

/* ---- span_place.c ---- */
/* The place of a node's span that ends, whose children have ended before; NULL: there is none, for want of memory or
 * since too many are known. */
const struct pawl_place *pawl_place_find(struct pawl_places *places, const pawl_span *span);
/* Writes the path of a span that has no place; buffer has room for PAWL_PATH_BYTES and a NUL. */
void pawl_place_write_path(const pawl_span *span, char *buffer);

static inline struct pawl_place_recent *
pawl_place_recent(struct pawl_places *places, const struct pawl_place_level *above, const pawl_primitive *node) {
    return &places->recent[(node->serial + above->salt) % PAWL_PLACES_RECENT];
}

/* The key of an undescribed span's attribute; NULL: it has none. */
static inline const char *pawl_place_key(const pawl_span *span) {
    return span->attribute_count > 0 ? span->attribute_slots[0].key : NULL;
}

/* The same for an undescribed span beneath the one that the last was beneath, if it is quickly found. */
static inline const struct pawl_place *pawl_place_known(struct pawl_places *places, const pawl_span *span) {
    const struct pawl_place_level *level = &places->levels[places->depth];
    uint64_t parent;
    memcpy(&parent, span->parent_span_id, sizeof parent);
    const struct pawl_place_recent *recent = pawl_place_recent(places, level, span->node);
    const struct pawl_place *place = recent->place;
    return __builtin_expect(level->id == parent && recent->serial == span->node->serial &&
                                place->above == level->place && place->key == pawl_place_key(span),
                            1)
               ? place
               : NULL;
}

#endif
