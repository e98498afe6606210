/* Memory that is taken in pieces and given back all at once, and growing arrays of pointers that lie in it. */
#ifndef PAWL_ARENA_INTERNAL_H
#define PAWL_ARENA_INTERNAL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena_chunk;

/* All zero is an empty one. One thread at a time takes. No two arenas share a cache line. */
struct arena {
    struct arena_chunk *chunks; /* the newest first */
    size_t chunk_bytes;         /* of the next one; 0: a default */
};

/* Zeroed memory for any type, NULL without. */
void *pawl_arena_take(struct arena *arena, size_t bytes);
/* The same for count items; NULL also when they are too many. Never NULL for none. */
void *pawl_arena_items(struct arena *arena, size_t count, size_t bytes);
void pawl_arena_free(struct arena *arena);

/* ---- tables: one thread puts, any thread gets meanwhile; what is there stays where it is ---- */

#define TABLE_CHUNKS 16 /* of 64, 128, 256 ... items */
#define TABLE_MOST ((64u << TABLE_CHUNKS) - 64)

struct table {
    _Atomic(_Atomic(void *) *) chunks[TABLE_CHUNKS];
};

static inline unsigned table_place(uint32_t index, uint32_t *ret_at) {
    unsigned chunk = 25 - (unsigned)__builtin_clz(index + 64);
    *ret_at = index + 64 - (64u << chunk);
    return chunk;
}

/* NULL when nothing was put there. index below TABLE_MOST. */
static inline void *table_get(const struct table *table, uint32_t index) {
    uint32_t at;
    unsigned chunk = table_place(index, &at);
    _Atomic(void *) *items = atomic_load_explicit(&table->chunks[chunk], memory_order_acquire);
    return items ? atomic_load_explicit(&items[at], memory_order_acquire) : NULL;
}

/* False without memory. */
bool pawl_table_put(struct table *table, struct arena *arena, uint32_t index, void *item);

#endif
