/** @file pawl/primitives/cache.h  @brief Remembers a child's outcomes by key; one flight for all who wait for the same.
 */
#ifndef PAWL_PRIMITIVES_CACHE_H
#define PAWL_PRIMITIVES_CACHE_H

#include <pawl/primitive.h>

PAWL_BEGIN_DECLS

/**
 * Writes the key of an input. Any thread, several at once; must not block.
 * @param ret_key  At most capacity bytes, no NUL needed.
 * @return Length of the key; more than capacity: called again with enough room (at most 1 MiB). 0: this input is not
 * cached.
 */
typedef size_t (*pawl_cache_key)(const pawl_value *input, char *ret_key, size_t capacity, void *user);

typedef struct pawl_cache_options {
    size_t size;     /**< sizeof(pawl_cache_options); set by the macro. */
    uint64_t ttl_ns; /**< A value is a hit while younger. Required; PAWL_UNLIMITED for ever, PAWL_ZERO is refused. */
    uint64_t max_entries; /**< Bound; the least recently used entry goes. Default 1,024; at most 2^24. Takes 8 bytes of
                             address space an entry at once. */
    const char *const
        *fields; /**< Ends with NULL, at least one: the input's members that make the key (an absent one differs from
                    null; an input that is no object is its own key). NULL: the whole input. Copied. */
    pawl_cache_key key; /**< Makes the key instead of fields. */
    /** Whether an outcome is stored. NULL: every success. Failures are never stored, whatever it says. */
    pawl_outcome_predicate should_store;
    void *user;                /**< Of key and should_store. Borrowed, must outlive the node. */
    const char *salt;          /**< Becomes part of each key: a version, a tenant. At most 256 bytes. Copied. */
    uint64_t no_single_flight; /**< Not 0: each miss runs the child itself. */
} pawl_cache_options;

/** `pawl_cache("remember", child, .ttl_ns = PAWL_MIN(10))` */
#define pawl_cache(name, ...) PAWL_CACHE_(name, __VA_ARGS__, .size = sizeof(pawl_cache_options))
#define PAWL_CACHE_(name, child, ...) pawl_cache_new(name, child, &(pawl_cache_options){__VA_ARGS__})

/**
 * Gives the stored value of the input's key, or runs its child and stores what it gave. A miss starts a flight, a run
 * of its own with the ids, baggage, tags and metadata of the caller that started it, without its deadline and state,
 * which belongs to those who wait for it: each waiter leaves at its own deadline or cancel, the last one to leave
 * cancels it, and a caller that comes after that starts a new one. A waiter gets the flight's outcome, also a failure
 * (which is not stored; its error is shared, with a path that begins at the cache). When the runtime of the flight
 * shuts down, waiters of another runtime start a new one.
 * @param child    Taken over.
 * @param options  Copied. NULL is a failed primitive, since ttl_ns is required; so are ttl_ns 0, fields together with
 * key, no field in fields, and a bound that is passed.
 * @return New reference, never NULL.
 *
 * Keys are canonical: members in any order, and 1 like 1.0, make the same one; an input whose key is longer than 1 MiB
 * is not cached. Hashes only narrow: keys are compared whole. A run returns the stored or the flight's outcome,
 * PAWL_E_CANCELLED, PAWL_E_DEADLINE (also for a hit that comes too late), PAWL_E_NOMEM, or PAWL_E_INVALID when the
 * child, inside its flight, asks the cache for the same key. A hit shares the value (values are immutable) and
 * allocates nothing while the key is at most 1 KiB and no object in it has more than 16 members. The node's span has
 * pawl.cache: "hit", "miss", "shared" or "bypass" (an input without a key). Threads: create, run and release on any
 * thread; runs share the cache, across runtimes too.
 */
PAWL_API PAWL_NODISCARD pawl_primitive *pawl_cache_new(const char *name, pawl_primitive *child,
                                                       const pawl_cache_options *options);

typedef struct pawl_cache_stats {
    size_t size;       /**< sizeof(pawl_cache_stats); set by the caller. */
    uint64_t hits;     /**< Answered from the store. */
    uint64_t misses;   /**< Runs of the child for a key. */
    uint64_t shared;   /**< Callers that joined another's flight. */
    uint64_t bypassed; /**< Inputs without a key: the child ran for them alone. */
    uint64_t stored;   /**< Values ever stored. */
    uint64_t expired;  /**< Entries that went because of their age. */
    uint64_t evicted;  /**< Entries that went although fresh, for max_entries. */
    uint64_t entries;  /**< Stored now; an expired one goes when it is asked for or is the least recently used. */
} pawl_cache_stats;

/** Reads a cache node's figures. PAWL_E_INVALID when node is no cache. Any thread. */
PAWL_API pawl_status pawl_cache_get_stats(const pawl_primitive *node, pawl_cache_stats *ret_stats, pawl_error **err);
/** Forgets all entries; flights that are up store nothing. The statistics stay. PAWL_E_INVALID when node is no cache.
 * Any thread. */
PAWL_API pawl_status pawl_cache_clear(pawl_primitive *node, pawl_error **err);

PAWL_END_DECLS
#endif
