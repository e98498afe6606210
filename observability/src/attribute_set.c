/* Making attribute sets canonical, and comparing and hashing them. */
#include "attribute_set_internal.h"
#include "redact_internal.h"
#include "utf8_internal.h"
#include <stdlib.h>
#include <string.h>

/* Source of the multiply-and-fold step: W. Yi, wyhash. */
uint64_t pawl_hash_text(const char *text, uint64_t start) {
    size_t length = strlen(text), left = length;
    uint64_t hash = start, part = 0;
    for (; left > 8; left -= 8, text += 8) {
        memcpy(&part, text, 8);
        hash = hash_mix(hash, part);
    }
    part = 0;
    memcpy(&part, text, left);
    return hash_mix(hash_mix(hash, part), length);
}

static uint64_t value_bits(const pawl_attribute *attribute) {
    uint64_t bits = 0;
    if (attribute->type == PAWL_ATTRIBUTE_BOOL)
        return attribute->value.boolean;
    memcpy(&bits, &attribute->value, sizeof bits);
    return bits;
}

static const char *text_of(const pawl_attribute *attribute) {
    return attribute->value.string ? attribute->value.string : "";
}

static uint64_t hash_value(const pawl_attribute *attribute, uint64_t hash) {
    if (attribute->type == PAWL_ATTRIBUTE_STRING)
        return pawl_hash_text(text_of(attribute), hash);
    return hash_mix(hash, value_bits(attribute));
}

uint64_t pawl_attributes_fingerprint(const pawl_attribute *attributes, size_t count, uint64_t start) {
    uint64_t hash = start;
    for (size_t i = 0; i < count; i++)
        hash = hash_value(&attributes[i], hash_mix(hash, (uint64_t)(uintptr_t)attributes[i].key));
    return hash;
}

bool pawl_attribute_equal(const pawl_attribute *a, const pawl_attribute *b) {
    if (a->type != b->type || strcmp(a->key, b->key) != 0)
        return false;
    if (a->type == PAWL_ATTRIBUTE_STRING)
        return strcmp(text_of(a), text_of(b)) == 0;
    return value_bits(a) == value_bits(b);
}

bool pawl_attribute_set_equal(const pawl_attribute *a, const pawl_attribute *b, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (!pawl_attribute_equal(&a[i], &b[i]))
            return false;
    return true;
}

/* ---- making ---- */

static pawl_status check(const pawl_attribute *attributes, size_t count, pawl_error **err) {
    if (count > SET_MOST)
        return pawl_error_set(err, PAWL_E_LIMIT, "metrics: a series has %zu attributes; %d are allowed", count,
                              SET_MOST);
    for (size_t i = 0; i < count; i++)
        if (!attributes[i].key || !*attributes[i].key || attributes[i].type > PAWL_ATTRIBUTE_BOOL)
            return pawl_error_set(err, PAWL_E_INVALID,
                                  "metrics: attribute %zu of a series has no key or an unknown "
                                  "type; make it with pawl_attribute_string() and the like",
                                  i);
    return PAWL_OK;
}

/* The last of one key takes the place of the first. How many are left. */
static uint32_t sort(const pawl_attribute *attributes, size_t count, pawl_attribute *sorted) {
    uint32_t made = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t at = made;
        int order = 1;
        while (at > 0 && (order = strcmp(sorted[at - 1].key, attributes[i].key)) > 0)
            at--;
        if (at > 0 && order == 0) {
            sorted[at - 1] = attributes[i];
            continue;
        }
        memmove(&sorted[at + 1], &sorted[at], (made - at) * sizeof *sorted);
        sorted[at] = attributes[i];
        made++;
    }
    return made;
}

/* Bytes of a text once it is valid and bounded, NUL included. */
static size_t room_for(const char *text) {
    size_t bytes = pawl_utf8_lossy_into(text, strnlen(text, SET_TEXT + 1), NULL, 0) + 1;
    return bytes > SET_TEXT + 1 ? SET_TEXT + 1 : bytes;
}

static const char *copy_text(char **at, const char *text) {
    char *copy = *at;
    size_t room = room_for(text);
    pawl_utf8_lossy_into(text, strnlen(text, SET_TEXT + 1), copy, room);
    *at += room;
    return copy;
}

static size_t room_for_all(const pawl_attribute *sorted, size_t count) {
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++)
        bytes +=
            room_for(sorted[i].key) + (sorted[i].type == PAWL_ATTRIBUTE_STRING ? room_for(text_of(&sorted[i])) : 0);
    return bytes;
}

/* Returns what is to be freed, or NULL. */
static char *hide_text(const struct pawl_redaction *redaction, pawl_attribute *attribute) {
    const char *text = text_of(attribute);
    size_t length = strnlen(text, SET_TEXT + 1);
    struct pawl_redaction how = *redaction;
    char *made;
    how.cut = length > SET_TEXT;
    const char *shown = pawl_redact_shown(&how, attribute->key, text, length, &made);
    if (shown != text)
        attribute->value.string = shown;
    return made;
}

static pawl_status make(struct attribute_set *set, const pawl_attribute *sorted, size_t count, pawl_error **err) {
    pawl_attribute *items = malloc(count * sizeof *items + room_for_all(sorted, count) + 1);
    if (!items)
        return pawl_error_set(err, PAWL_E_NOMEM, "metrics: out of memory");
    char *at = (char *)(items + count);
    uint64_t hash = 0;
    for (size_t i = 0; i < count; i++) {
        items[i] = sorted[i];
        items[i].key = copy_text(&at, sorted[i].key);
        if (sorted[i].type == PAWL_ATTRIBUTE_STRING)
            items[i].value.string = copy_text(&at, text_of(&sorted[i]));
        hash = hash_value(&items[i], pawl_hash_text(items[i].key, hash));
    }
    *set = (struct attribute_set){.items = items, .count = (uint32_t)count, .hash = hash};
    return PAWL_OK;
}

pawl_status pawl_attribute_set_make(struct attribute_set *set, const pawl_attribute *attributes, size_t count,
                                    const struct pawl_redaction *redaction, pawl_error **err) {
    pawl_attribute sorted[SET_MOST];
    char *hidden[SET_MOST] = {NULL};
    count = attributes ? count : 0;
    pawl_status status = check(attributes, count, err);
    if (status != PAWL_OK)
        return status;
    count = sort(attributes, count, sorted);
    for (size_t i = 0; redaction && i < count; i++)
        if (sorted[i].type == PAWL_ATTRIBUTE_STRING)
            hidden[i] = hide_text(redaction, &sorted[i]);
    status = make(set, sorted, count, err);
    for (size_t i = 0; redaction && i < count; i++)
        free(hidden[i]);
    return status;
}
