/* The cache's store: chains in a table that never grows, since the bound is known, and the stored entries in the order
 * of their last use. */
#include "cache_internal.h"
#include <stdlib.h>
#include <string.h>

#define BUCKETS_LEAST 64 /* awaited entries are beyond the bound of the stored ones */

bool pawl_cache_init_store(struct cache_store *store, size_t most) {
    size_t count = BUCKETS_LEAST;
    while (count < most)
        count *= 2;
    store->buckets = calloc(count, sizeof *store->buckets); /* pages that are never used cost nothing */
    store->mask = count - 1;
    store->most = most;
    return store->buckets != NULL;
}

void pawl_cache_release_store(struct cache_store *store) {
    pawl_cache_free_entries(pawl_cache_empty(store));
    free(store->buckets);
}

struct cache_entry *pawl_cache_new_entry(const struct cache_key *key) {
    struct cache_entry *entry = malloc(sizeof *entry + key->length);
    if (!entry)
        return NULL;
    *entry = (struct cache_entry){.hash = key->hash, .key_bytes = key->length};
    memcpy(entry->key, key->bytes, key->length);
    return entry;
}

void pawl_cache_free_entries(struct cache_entry *garbage) {
    while (garbage) {
        struct cache_entry *next = garbage->next;
        pawl_value_unref(garbage->value);
        free(garbage);
        garbage = next;
    }
}

struct cache_entry *pawl_cache_find(const struct cache_store *store, const char *key, size_t key_bytes, uint64_t hash) {
    for (struct cache_entry *entry = store->buckets[hash & store->mask]; entry; entry = entry->next)
        if (entry->hash == hash && entry->key_bytes == key_bytes && memcmp(entry->key, key, key_bytes) == 0)
            return entry;
    return NULL;
}

/* ---- order of use ---- */

static void push_newest(struct cache_store *store, struct cache_entry *entry) {
    entry->newer = NULL;
    entry->older = store->newest;
    if (store->newest)
        store->newest->newer = entry;
    else
        store->oldest = entry;
    store->newest = entry;
}

static void unlink_use(struct cache_store *store, struct cache_entry *entry) {
    if (entry->newer)
        entry->newer->older = entry->older;
    else
        store->newest = entry->older;
    if (entry->older)
        entry->older->newer = entry->newer;
    else
        store->oldest = entry->newer;
}

void pawl_cache_touch(struct cache_store *store, struct cache_entry *entry) {
    if (store->newest == entry)
        return;
    unlink_use(store, entry);
    push_newest(store, entry);
}

/* ---- the table ---- */

void pawl_cache_await(struct cache_store *store, struct cache_entry *entry) {
    struct cache_entry **bucket = &store->buckets[entry->hash & store->mask];
    entry->next = *bucket;
    *bucket = entry;
}

void pawl_cache_remove(struct cache_store *store, struct cache_entry *entry) {
    struct cache_entry **at = &store->buckets[entry->hash & store->mask];
    while (*at != entry)
        at = &(*at)->next;
    *at = entry->next;
    entry->next = NULL;
    if (!entry->value)
        return;
    unlink_use(store, entry);
    store->count--;
}

static void evict_oldest(struct cache_store *store, uint64_t now_ns, struct cache_entry **garbage) {
    struct cache_entry *oldest = store->oldest;
    if (oldest->expires_ns <= now_ns)
        store->expired++;
    else
        store->evicted++;
    pawl_cache_remove(store, oldest);
    oldest->next = *garbage;
    *garbage = oldest;
}

void pawl_cache_fill(struct cache_store *store, struct cache_entry *entry, pawl_value *value, uint64_t now_ns,
                     uint64_t expires_ns, struct cache_entry **garbage) {
    if (store->count == store->most)
        evict_oldest(store, now_ns, garbage);
    entry->value = value;
    entry->flight = NULL;
    entry->expires_ns = expires_ns;
    push_newest(store, entry);
    store->count++;
    store->stored++;
}

struct cache_entry *pawl_cache_empty(struct cache_store *store) {
    struct cache_entry *garbage = NULL;
    while (store->newest) {
        struct cache_entry *entry = store->newest;
        pawl_cache_remove(store, entry);
        entry->next = garbage;
        garbage = entry;
    }
    return garbage;
}
