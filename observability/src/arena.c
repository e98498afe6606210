/* Chunks of zeroed memory in a list; a line at each end is left free, so that neighbours do not disturb each other. */
#include "arena_internal.h"
#include <stdlib.h>

#define LINE_BYTES 64
#define CHUNK_BYTES 4096

struct arena_chunk {
    struct arena_chunk *next;
    size_t used, bytes;
};

static struct arena_chunk *add_chunk(struct arena *arena, size_t bytes) {
    size_t usual = arena->chunk_bytes ? arena->chunk_bytes : CHUNK_BYTES;
    size_t size = bytes > usual ? bytes : usual;
    struct arena_chunk *chunk = size < SIZE_MAX / 2 ? calloc(1, size + (size_t)2 * LINE_BYTES) : NULL;
    if (!chunk)
        return NULL;
    chunk->bytes = size + LINE_BYTES;
    chunk->used = LINE_BYTES;
    chunk->next = arena->chunks;
    return arena->chunks = chunk;
}

void *pawl_arena_take(struct arena *arena, size_t bytes) {
    bytes = (bytes + 15) & ~(size_t)15;
    struct arena_chunk *chunk = arena->chunks;
    if (!chunk || chunk->bytes - chunk->used < bytes)
        chunk = add_chunk(arena, bytes);
    if (!chunk)
        return NULL;
    void *taken = (char *)chunk + chunk->used;
    chunk->used += bytes;
    return taken;
}

void *pawl_arena_items(struct arena *arena, size_t count, size_t bytes) {
    return count < SIZE_MAX / 4 / bytes ? pawl_arena_take(arena, (count ? count : 1) * bytes) : NULL;
}

void pawl_arena_free(struct arena *arena) {
    while (arena->chunks) {
        struct arena_chunk *next = arena->chunks->next;
        free(arena->chunks);
        arena->chunks = next;
    }
}

bool pawl_table_put(struct table *table, struct arena *arena, uint32_t index, void *item) {
    uint32_t at;
    unsigned chunk = table_place(index, &at);
    _Atomic(void *) *items = atomic_load_explicit(&table->chunks[chunk], memory_order_relaxed);
    if (!items) {
        items = pawl_arena_items(arena, (size_t)64 << chunk, sizeof *items);
        if (!items)
            return false;
        atomic_store_explicit(&table->chunks[chunk], items, memory_order_release);
    }
    atomic_store_explicit(&items[at], item, memory_order_release);
    return true;
}
