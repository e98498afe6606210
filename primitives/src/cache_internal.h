/* Inside the cache: its keys, its store, and the flights that fill it. For primitives/src/cache*.c alone. */
#ifndef PAWL_CACHE_INTERNAL_H
#define PAWL_CACHE_INTERNAL_H

#include "engine_internal.h"
#include <pawl/primitives/cache.h>

/* ---- cache_key.c ---- */

#define CACHE_KEY_SMALL 1024u     /* a longer key takes memory */
#define CACHE_KEY_MOST (1u << 20) /* an input with a longer one is not cached */
#define CACHE_SALT_MOST 256u

/* How keys are made; fixed with the node. */
struct cache_keying {
    char **fields; /* ends with NULL; NULL: the whole input */
    pawl_cache_key custom;
    void *user;
    char *salt;
    size_t salt_bytes;
    uint64_t secrets[2]; /* of the hash: nobody outside can make keys that collide */
};

enum cache_key_made { CACHE_KEY_MADE = 0, CACHE_KEY_NONE, CACHE_KEY_NO_MEMORY };

struct cache_key {
    char *bytes; /* small, or memory of its own */
    size_t length, capacity;
    uint64_t hash;
    enum cache_key_made made;
    char small[CACHE_KEY_SMALL];
};

/* Writes the canonical form of what counts in the input: equal by pawl_value_equal() gives equal keys, and unequal
 * unequal ones. The key is released in each case. */
enum cache_key_made pawl_cache_make_key(const struct cache_keying *keying, pawl_value *input, struct cache_key *key);
void pawl_cache_release_key(struct cache_key *key);
pawl_status pawl_cache_init_keying(struct cache_keying *keying, const pawl_cache_options *options, const char *name,
                                   pawl_error **err);
void pawl_cache_release_keying(struct cache_keying *keying);

/* ---- cache_store.c: a hash table of keys, and the stored entries by their last use ---- */

struct flight;

/* In the table it is stored (value) or awaited (flight). */
struct cache_entry {
    struct cache_entry *next;          /* in its bucket; later in a list of garbage */
    struct cache_entry *newer, *older; /* of the stored ones */
    uint64_t hash, expires_ns;
    uint64_t clears; /* of the cache when its child began: what came before a clear is not stored */
    pawl_value *value;
    struct flight *flight;
    size_t key_bytes;
    char key[];
};

/* Under the cache's lock. */
struct cache_store {
    struct cache_entry **buckets;
    size_t mask;
    size_t most, count; /* stored entries */
    struct cache_entry *newest, *oldest;
    uint64_t stored, expired, evicted;
};

bool pawl_cache_init_store(struct cache_store *store, size_t most);
void pawl_cache_release_store(struct cache_store *store);
struct cache_entry *pawl_cache_new_entry(const struct cache_key *key);
/* Gives back a list of entries that are in no store. */
void pawl_cache_free_entries(struct cache_entry *garbage);
struct cache_entry *pawl_cache_find(const struct cache_store *store, const char *key, size_t key_bytes, uint64_t hash);
void pawl_cache_touch(struct cache_store *store, struct cache_entry *entry);
/* Puts an entry into the table, awaited. */
void pawl_cache_await(struct cache_store *store, struct cache_entry *entry);
/* Takes it out of the table, in whichever state. */
void pawl_cache_remove(struct cache_store *store, struct cache_entry *entry);
/* An entry in the table gets its value (a new reference). What has to go for it is put before garbage. */
void pawl_cache_fill(struct cache_store *store, struct cache_entry *entry, pawl_value *value, uint64_t now_ns,
                     uint64_t expires_ns, struct cache_entry **garbage);

/* Takes all stored entries out. Returns them as garbage. */
struct cache_entry *pawl_cache_empty(struct cache_store *store);

/* ---- cache.c and cache_flight.c ---- */

struct cache {
    pthread_mutex_t lock; /* guards store, clears, the counters, and every flight's list of waiters */
    struct cache_store store;
    uint64_t hits, misses, shared, bypassed, clears;
    uint64_t ttl_ns;
    bool single_flight;
    pawl_outcome_predicate should_store;
    void *user;
    struct cache_keying keying;
};

/* Frame memory; as a waiter it is in its flight's list. */
struct cache_frame {
    struct flight *flight;           /* a reference */
    struct cache_frame *prev, *next; /* under the cache's lock */
    pawl_waker waker;
    pawl_context *ctx;
    pawl_cancel_reason over;   /* of the waiter's scope at the end of the flight */
    struct cache_entry *entry; /* of a miss that runs the child itself */
};

struct flight *pawl_cache_new_flight(struct cache *cache, pawl_frame *frame, const struct cache_key *key);
/* Gives back a flight that nobody saw. */
void pawl_cache_drop_flight(struct flight *flight);
/* Into the table. Under the lock. */
void pawl_cache_show_flight(struct flight *flight, pawl_frame *frame);
/* Whether the scope lies inside the flight, which would wait for itself. Under the lock. */
bool pawl_cache_is_inside(const struct flight *flight, const pawl_context *ctx);
/* The frame becomes a waiter. Under the lock. */
void pawl_cache_join(struct flight *flight, struct cache_frame *f, pawl_frame *frame);
/* Links the waiter's span to the one that the flight hangs beneath, which is another caller's. */
void pawl_cache_link(const struct cache_frame *f, pawl_frame *frame);
void pawl_cache_begin_flight(struct flight *flight);
/* The waiter's scope is over. False: the flight has ended and WAKE is on its way. */
bool pawl_cache_leave(struct cache *cache, struct cache_frame *f, pawl_cancel_reason reason);
/* Ends the frame as its flight ended; false (and no step) when it must look again. */
bool pawl_cache_land(struct cache_frame *f, pawl_frame *frame, pawl_event *event, pawl_step *ret_step);
/* A value to store: on success, asked of the predicate. New reference or NULL. */
pawl_value *pawl_cache_value_to_store(const struct cache *cache, const pawl_outcome *outcome);
/* It lets go of the table and stores nothing. Under the lock. */
void pawl_cache_unlist_flight(struct flight *flight);

static inline uint64_t pawl_cache_expiry(const struct cache *cache, uint64_t now_ns) {
    return cache->ttl_ns > PAWL_NEVER - now_ns ? PAWL_NEVER : now_ns + cache->ttl_ns;
}

#endif
