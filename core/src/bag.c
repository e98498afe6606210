#include "bag_internal.h"
#include "utf8_internal.h"

#include <stdlib.h>
#include <string.h>

#define TAGS 64u
#define TAG_BYTES 256u

static struct pawl_bag_entry *entry_new(const char *key, const char *value, const char *properties, size_t bytes) {
    size_t key_size = strlen(key) + 1;
    size_t value_size = strlen(value) + 1;
    size_t properties_size = strlen(properties) + 1;
    struct pawl_bag_entry *entry = malloc(sizeof *entry + key_size + value_size + properties_size);
    if (!entry)
        return NULL;
    entry->bytes = bytes;
    memcpy(entry->key, key, key_size);
    entry->value = memcpy(entry->key + key_size, value, value_size);
    entry->properties = memcpy(entry->key + key_size + value_size, properties, properties_size);
    return entry;
}

/* Place of a key; count when absent. Bags are small: no index. */
static size_t place_of(const struct pawl_bag *bag, const char *key) {
    size_t i = 0;
    while (i < bag->count && strcmp(bag->entries[i]->key, key) != 0)
        i++;
    return i;
}

static bool reserve_one(struct pawl_bag *bag) {
    if (bag->count < bag->capacity)
        return true;
    size_t capacity = bag->capacity == 0 ? 4 : bag->capacity * 2;
    struct pawl_bag_entry **entries = realloc(bag->entries, capacity * sizeof *entries);
    if (!entries)
        return false;
    bag->entries = entries;
    bag->capacity = capacity;
    return true;
}

bool pawl_bag_put(struct pawl_bag *bag, const char *key, const char *value, const char *properties, size_t bytes) {
    size_t place = place_of(bag, key);
    if (place >= bag->count && !reserve_one(bag))
        return false;
    struct pawl_bag_entry *entry = entry_new(key, value, properties, bytes);
    if (!entry)
        return false;
    if (place < bag->count) {
        bag->bytes -= bag->entries[place]->bytes;
        free(bag->entries[place]);
    } else {
        bag->count++;
    }
    bag->bytes += bytes;
    bag->entries[place] = entry;
    return true;
}

const struct pawl_bag_entry *pawl_bag_find(const struct pawl_bag *bag, const char *key) {
    size_t place = place_of(bag, key);
    return place < bag->count ? bag->entries[place] : NULL;
}

void pawl_bag_remove(struct pawl_bag *bag, const char *key) {
    size_t place = place_of(bag, key);
    if (place >= bag->count)
        return;
    bag->bytes -= bag->entries[place]->bytes;
    free(bag->entries[place]);
    bag->count--;
    memmove(bag->entries + place, bag->entries + place + 1, (bag->count - place) * sizeof(struct pawl_bag_entry *));
}

bool pawl_bag_copy(const struct pawl_bag *bag, struct pawl_bag *ret_bag) {
    *ret_bag = (struct pawl_bag){0};
    for (size_t i = 0; i < bag->count; i++) {
        const struct pawl_bag_entry *entry = bag->entries[i];
        if (!pawl_bag_put(ret_bag, entry->key, entry->value, entry->properties, entry->bytes)) {
            pawl_bag_clear(ret_bag);
            return false;
        }
    }
    return true;
}

void pawl_bag_clear(struct pawl_bag *bag) {
    for (size_t i = 0; i < bag->count; i++)
        free(bag->entries[i]);
    free(bag->entries);
    *bag = (struct pawl_bag){0};
}

/* ---- Tags ---- */

static pawl_status check_tag(const struct pawl_bag *tags, const char *key, const char *value, pawl_error **err) {
    if (!key || key[0] == '\0')
        return pawl_error_set(err, PAWL_E_INVALID, "tag: the key is empty; give it a name");
    size_t key_bytes = strlen(key);
    size_t value_bytes = strlen(value);
    if (key_bytes > TAG_BYTES || value_bytes > TAG_BYTES)
        return pawl_error_set(err, PAWL_E_LIMIT, "tag '%.40s': %zu bytes of key and %zu of value; at most %u each", key,
                              key_bytes, value_bytes, TAG_BYTES);
    if (pawl_utf8_valid(key, key_bytes) < key_bytes || pawl_utf8_valid(value, value_bytes) < value_bytes)
        return pawl_error_set(err, PAWL_E_INVALID, "tag '%s': key or value is no UTF-8", key);
    if (tags && tags->count >= TAGS && !pawl_bag_find(tags, key))
        return pawl_error_set(err, PAWL_E_LIMIT, "tag '%s': there are %u tags already, and no more are kept", key,
                              TAGS);
    return PAWL_OK;
}

pawl_status pawl_tags_set(struct pawl_bag **tags, const char *key, const char *value, pawl_error **err) {
    pawl_status status = check_tag(*tags, key, value ? value : "", err);
    if (status != PAWL_OK)
        return status;
    if (!value) {
        if (*tags)
            pawl_bag_remove(*tags, key);
        return PAWL_OK;
    }
    if (!*tags)
        *tags = calloc(1, sizeof **tags);
    if (!*tags || !pawl_bag_put(*tags, key, value, "", 0))
        return pawl_error_set(err, PAWL_E_NOMEM, "tag '%s': no memory", key);
    return PAWL_OK;
}

const char *pawl_tags_get(const struct pawl_bag *tags, const char *key) {
    const struct pawl_bag_entry *entry = tags && key ? pawl_bag_find(tags, key) : NULL;
    return entry ? entry->value : NULL;
}

bool pawl_tags_copy(const struct pawl_bag *tags, struct pawl_bag **ret_tags) {
    *ret_tags = NULL;
    if (!tags || tags->count == 0)
        return true;
    struct pawl_bag *copy = malloc(sizeof *copy);
    if (!copy || !pawl_bag_copy(tags, copy)) {
        free(copy);
        return false;
    }
    *ret_tags = copy;
    return true;
}

void pawl_tags_free(struct pawl_bag *tags) {
    if (tags)
        pawl_bag_clear(tags);
    free(tags);
}
