#include "span_place_internal.h"
#include "attribute_set_internal.h"
#include "context_internal.h"
#include "redact_internal.h"
#include "utf8_internal.h"

static uint64_t id_of(const pawl_span *span) {
    uint64_t id;
    memcpy(&id, span->span_id, sizeof id);
    return id;
}

/* ---- paths ---- */

/* Appends a name to a path of `used` bytes; what is too long is cut, never within a character. Returns the new length.
 */
static size_t append(char *path, size_t used, bool is_first, const char *name) {
    size_t length = strlen(name);
    if (!is_first && used < PAWL_PATH_BYTES)
        path[used++] = '/';
    if (length > PAWL_PATH_BYTES - used)
        for (length = PAWL_PATH_BYTES - used; length > 0 && ((unsigned char)name[length] & 0xC0) == 0x80;)
            length--;
    memcpy(path + used, name, length);
    path[used + length] = '\0';
    return used + length;
}

void pawl_place_write_path(const pawl_span *span, char *buffer) {
    const pawl_span
        *chain[PAWL_PATH_DEPTH]; /* of the newest and those nearest to the root, as far as they fit a path */
    size_t count = 0, used = 0;
    for (const pawl_span *s = span; s; s = s->parent)
        chain[count++ % PAWL_PATH_DEPTH] = s;
    for (size_t i = count; i > 0 && count - i < PAWL_PATH_DEPTH; i--)
        used = append(buffer, used, i == count, chain[(i - 1) % PAWL_PATH_DEPTH]->name);
}

/* ---- places ---- */

/* What tells one place from another. */
struct stand {
    const struct pawl_place *above;
    const pawl_primitive *node;
    const char *key;
    uint64_t hash;
};

static const char *key_of(const pawl_span *span) {
    return span->described ? NULL : pawl_place_key(span);
}

static struct stand stand_of(const struct pawl_place *above, const pawl_span *span) {
    const pawl_primitive *node = span->node;
    struct stand stand = {.above = above, .node = node, .key = key_of(span)};
    stand.hash = pawl_hash_text(node->name, pawl_hash_text(node->type, above ? above->index : 0));
    return stand;
}

static bool is_at(const struct pawl_place *place, const struct stand *stand) {
    return place->hash == stand->hash && place->above == stand->above && place->key == stand->key &&
           strcmp(place->name, stand->node->name) == 0 && strcmp(place->type, stand->node->type) == 0;
}

static struct pawl_place *look(const struct pawl_places *places, const struct stand *stand) {
    struct pawl_place *place = places->buckets[stand->hash % PAWL_PLACES_RECENT];
    while (place && !is_at(place, stand))
        place = place->next;
    return place;
}

/* Whether the names can be shown as they are; that a name is UTF-8 is seen to by core. */
static bool is_clean(const pawl_primitive *node, const struct pawl_redaction *redaction) {
    return pawl_utf8_valid(node->type, node->type_length) == node->type_length &&
           !pawl_redact_needed(redaction, node->name, node->name_length);
}

/* NULL without memory, when there are enough, or when the names need work. */
static struct pawl_place *make(struct pawl_places *places, const struct stand *stand, const pawl_runtime *runtime) {
    const pawl_primitive *node = stand->node;
    const struct pawl_place *above = stand->above;
    const struct pawl_redaction redaction = pawl_redaction_of(runtime, true);
    size_t secrets = pawl_secrets_count(&redaction); /* before the look at the names */
    size_t names = node->name_length + 1 + node->type_length + 1, used = above ? strlen(above->path) : 0;
    bool accepted = places->count < PAWL_PLACES && names <= PAWL_PLACE_NAMES && is_clean(node, &redaction);
    struct pawl_place *place =
        accepted ? pawl_arena_take(&places->arena, sizeof *place + names + PAWL_PATH_BYTES + 1) : NULL;
    if (!place)
        return NULL;
    char *name = (char *)(place + 1), *type = name + node->name_length + 1, *path = name + names;
    memcpy(name, node->name, node->name_length);
    memcpy(type, node->type, node->type_length);
    memcpy(path, above ? above->path : "", used);
    append(path, used, !above, name);
    struct pawl_place **bucket = &places->buckets[stand->hash % PAWL_PLACES_RECENT];
    *place = (struct pawl_place){.above = above,
                                 .name = name,
                                 .type = type,
                                 .path = path,
                                 .key = stand->key,
                                 .secrets = above && above->secrets < secrets ? above->secrets : secrets,
                                 .hash = stand->hash,
                                 .next = *bucket,
                                 .index = ++places->count};
    return *bucket = place;
}

/* Finds or makes the place of a span whose parent is on the last level. */
static const struct pawl_place *beneath(struct pawl_places *places, const pawl_span *span) {
    if (!span->node)
        return NULL;
    const struct pawl_place_level *level = &places->levels[places->depth];
    struct pawl_place_recent *recent = pawl_place_recent(places, level, span->node);
    const struct pawl_place *place = recent->place;
    if (recent->serial == span->node->serial && place->above == level->place && place->key == key_of(span))
        return place;
    const struct stand stand = stand_of(level->place, span);
    place = look(places, &stand);
    if (!place)
        place = make(places, &stand, span->ctx->root->runtime);
    if (place)
        *recent = (struct pawl_place_recent){.serial = span->node->serial, .place = place};
    return place;
}

/* ---- levels ---- */

/* Puts the span and all above it on levels; false: not all have a place. */
static bool climb(struct pawl_places *places, const pawl_span *span) {
    const pawl_span *chain[PAWL_PATH_DEPTH];
    size_t count = 0;
    for (const pawl_span *s = span; s; s = s->parent) {
        if (count == PAWL_PATH_DEPTH)
            return false;
        chain[count++] = s;
    }
    for (places->depth = 0; count > 0; count--) {
        const struct pawl_place *place = beneath(places, chain[count - 1]);
        if (!place)
            return false;
        places->levels[++places->depth] =
            (struct pawl_place_level){.id = id_of(chain[count - 1]), .place = place, .salt = place->index * 31};
    }
    return true;
}

const struct pawl_place *pawl_place_find(struct pawl_places *places, const pawl_span *span) {
    const uint64_t id = id_of(span), parent = span->parent ? id_of(span->parent) : 0;
    while (places->depth > 0 && places->levels[places->depth].id != id && places->levels[places->depth].id != parent)
        places->depth--; /* it has ended, and all beneath it */
    const struct pawl_place_level *level = &places->levels[places->depth];
    if (level->id == id && level->place->key == key_of(span)) {
        places->depth--;
        return level->place;
    }
    if (level->id == id)
        places->depth--; /* it was described since its children ended: it has a place of its own */
    else if (places->depth == 0 && span->parent && !climb(places, span->parent)) {
        places->depth = 0;
        return NULL;
    }
    return beneath(places, span);
}
