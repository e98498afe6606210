/** @file bag_internal.h  @brief A small ordered map from string to string: tags, and the entries of baggage. Not
 * thread-safe. */
#ifndef PAWL_BAG_INTERNAL_H
#define PAWL_BAG_INTERNAL_H

#include <pawl/error.h>

struct pawl_bag_entry {
    size_t bytes; /* what it counts against the bag's bound */
    const char *value;
    const char *properties; /* of baggage; "" for none */
    char key[];
};

/* All zero is an empty bag. Entries stay where they were put first; a new value leaves the place. */
struct pawl_bag {
    size_t count, capacity;
    size_t bytes; /* of all entries */
    struct pawl_bag_entry **entries;
};

/** Puts an entry, in place of one of the same key. Bounds are the caller's. Strings are copied. @return false without
 * memory. */
bool pawl_bag_put(struct pawl_bag *bag, const char *key, const char *value, const char *properties, size_t bytes);
/** @return Borrowed, NULL when absent. */
const struct pawl_bag_entry *pawl_bag_find(const struct pawl_bag *bag, const char *key);
void pawl_bag_remove(struct pawl_bag *bag, const char *key);
/** Copies all entries into an empty bag. @return false without memory; ret_bag is empty then. */
bool pawl_bag_copy(const struct pawl_bag *bag, struct pawl_bag *ret_bag);
/** Empties the bag. */
void pawl_bag_clear(struct pawl_bag *bag);

/* ---- Tags: a bag on the heap, NULL while empty. At most 64, key and value at most 256 bytes each, UTF-8. ---- */

/** @param tags Made when needed. @param value NULL removes. @return PAWL_E_INVALID, PAWL_E_LIMIT or PAWL_E_NOMEM. */
pawl_status pawl_tags_set(struct pawl_bag **tags, const char *key, const char *value, pawl_error **err);
/** @return Borrowed, NULL when absent. */
const char *pawl_tags_get(const struct pawl_bag *tags, const char *key);
/** @param ret_tags NULL for an empty bag. @return false without memory. */
bool pawl_tags_copy(const struct pawl_bag *tags, struct pawl_bag **ret_tags);
/** NULL allowed. */
void pawl_tags_free(struct pawl_bag *tags);

#endif
