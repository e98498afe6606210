/* Cache keys: an input's canonical form, so that the order of members does not matter, and its hash. */
#include "cache_internal.h"
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define MEMBERS_SMALL 16 /* of an object; more take memory to be sorted */

/* ---- writing ---- */

static bool make_room(struct cache_key *key, size_t bytes) {
    if (key->made != CACHE_KEY_MADE)
        return false;
    if (bytes > CACHE_KEY_MOST - key->length) {
        key->made = CACHE_KEY_NONE;
        return false;
    }
    size_t capacity = (key->length + bytes) * 2;
    char *more = malloc(capacity);
    if (!more) {
        key->made = CACHE_KEY_NO_MEMORY;
        return false;
    }
    memcpy(more, key->bytes, key->length);
    pawl_cache_release_key(key);
    key->bytes = more;
    key->capacity = capacity;
    return true;
}

static void put(struct cache_key *key, const void *bytes, size_t count) {
    if (unlikely(count > key->capacity - key->length) && !make_room(key, count))
        return;
    memcpy(key->bytes + key->length, bytes, count);
    key->length += count;
}

static void put_tag(struct cache_key *key, char tag) {
    put(key, &tag, 1);
}

/* With its length, so that no text can look like two; one word, so that text is read again as it was written. */
static void put_text(struct cache_key *key, char tag, const char *text) {
    size_t length = text ? strlen(text) : 0;
    uint64_t head = (uint64_t)length << 8 | (unsigned char)tag;
    put(key, &head, sizeof head);
    if (length)
        put(key, text, length);
}

static void put_number(struct cache_key *key, double number) {
    number += 0.0; /* -0 is 0 */
    put_tag(key, 'n');
    put(key, &number, sizeof number);
}

static void put_json(struct cache_key *key, const cJSON *json);

static const char *name_of(const cJSON *member) {
    return member->string ? member->string : "";
}

/* ---- objects: members by name, those of the same name in their order ---- */

struct member {
    const cJSON *json;
    size_t index;
};

static int by_name(const void *left, const void *right) {
    const struct member *a = left, *b = right;
    int order = strcmp(name_of(a->json), name_of(b->json));
    return order ? order : a->index < b->index ? -1 : 1;
}

static void put_member(struct cache_key *key, const cJSON *member) {
    put_text(key, 'm', name_of(member));
    put_json(key, member);
}

static void put_large_object(struct cache_key *key, const cJSON *object, size_t count) {
    struct member *members = malloc(count * sizeof *members);
    if (!members) {
        key->made = CACHE_KEY_NO_MEMORY;
        return;
    }
    size_t i = 0;
    for (const cJSON *member = object->child; member; member = member->next, i++)
        members[i] = (struct member){.json = member, .index = i};
    qsort(members, count, sizeof *members, by_name);
    for (i = 0; i < count; i++)
        put_member(key, members[i].json);
    free(members);
}

static void put_small_object(struct cache_key *key, const cJSON *object) {
    const cJSON *sorted[MEMBERS_SMALL];
    size_t count = 0;
    for (const cJSON *member = object->child; member; member = member->next) {
        size_t place = count++;
        for (; place > 0 && strcmp(name_of(sorted[place - 1]), name_of(member)) > 0; place--)
            sorted[place] = sorted[place - 1];
        sorted[place] = member;
    }
    for (size_t i = 0; i < count; i++)
        put_member(key, sorted[i]);
}

static void put_object(struct cache_key *key, const cJSON *object) {
    size_t count = 0;
    for (const cJSON *member = object->child; member; member = member->next)
        count++;
    put_tag(key, '{');
    if (count <= MEMBERS_SMALL)
        put_small_object(key, object);
    else if (key->made == CACHE_KEY_MADE)
        put_large_object(key, object, count);
    put_tag(key, '}');
}

/* ---- values ---- */

static void put_array(struct cache_key *key, const cJSON *array) {
    put_tag(key, '[');
    for (const cJSON *item = array->child; item && key->made == CACHE_KEY_MADE; item = item->next)
        put_json(key, item); /* recursion: no value nests deeper than 1,000 */
    put_tag(key, ']');
}

static void put_json(struct cache_key *key, const cJSON *json) {
    switch (json->type & 0xFF) {
    case cJSON_String:
        put_text(key, 's', json->valuestring);
        break;
    case cJSON_Number:
        put_number(key, json->valuedouble);
        break;
    case cJSON_Object:
        put_object(key, json);
        break;
    case cJSON_Array:
        put_array(key, json);
        break;
    case cJSON_Raw:
        put_text(key, 'r', json->valuestring);
        break;
    case cJSON_True:
        put_tag(key, 't');
        break;
    case cJSON_False:
        put_tag(key, 'f');
        break;
    default:
        put_tag(key, 'z');
    }
}

/* A list is keyed as the array it stands for, without making that. */
static void put_value(struct cache_key *key, const pawl_value *value) {
    if (!pawl_value_is_list(value)) {
        put_json(key, pawl_value_json(value));
        return;
    }
    put_tag(key, '[');
    for (size_t i = 0; i < pawl_value_count(value) && key->made == CACHE_KEY_MADE; i++)
        put_value(key, pawl_value_item(value, i));
    put_tag(key, ']');
}

static void put_fields(struct cache_key *key, char *const *fields, const pawl_value *input) {
    if (pawl_value_is_list(input) || !cJSON_IsObject(pawl_value_json(input))) {
        put_value(key, input);
        return;
    }
    for (size_t i = 0; fields[i]; i++) {
        const cJSON *member = pawl_value_get(input, fields[i]);
        put_tag(key, member ? '+' : '-');
        if (member)
            put_json(key, member);
    }
}

/* The user's function writes behind the salt; it is asked once more when it wants more room. */
static void put_custom(struct cache_key *key, const struct cache_keying *keying, const pawl_value *input) {
    size_t room = key->capacity - key->length;
    size_t length = keying->custom(input, key->bytes + key->length, room, keying->user);
    if (length > room) {
        if (!make_room(key, length))
            return;
        room = key->capacity - key->length;
        length = keying->custom(input, key->bytes + key->length, room, keying->user);
    }
    if (length == 0 || length > room || key->length + length > CACHE_KEY_MOST)
        key->made = CACHE_KEY_NONE;
    else
        key->length += length;
}

/* ---- hashing ---- */

/* Both halves of a 128-bit product, folded: as wyhash mixes (Wang Yi, https://github.com/wangyi-fudan/wyhash). */
static uint64_t fold(uint64_t a, uint64_t b) {
#ifdef __SIZEOF_INT128__
    __extension__ unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
#else
    uint64_t al = (uint32_t)a, ah = a >> 32, bl = (uint32_t)b, bh = b >> 32, low = al * bl;
    uint64_t middle = ah * bl + (low >> 32), other = al * bh + (uint32_t)middle;
    return (a * b) ^ (ah * bh + (middle >> 32) + (other >> 32));
#endif
}

static uint64_t read_word(const char *bytes) {
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

static uint64_t mix(uint64_t state, const char *bytes, const uint64_t secrets[2]) {
    return fold(read_word(bytes) ^ secrets[1], read_word(bytes + 8) ^ state);
}

/* Sixteen bytes at a time; the last sixteen overlap those before them. */
static uint64_t hash(const char *bytes, size_t length, const uint64_t secrets[2]) {
    uint64_t state = secrets[0];
    size_t at = 0;
    for (; at + 16 <= length; at += 16)
        state = mix(state, bytes + at, secrets);
    if (at < length && length >= 16) {
        state = mix(state, bytes + length - 16, secrets);
    } else if (at < length) {
        char padded[16] = {0};
        memcpy(padded, bytes, length);
        state = mix(state, padded, secrets);
    }
    return fold(state ^ secrets[1], length ^ UINT64_C(0x9E3779B97F4A7C15)); /* 2^64 over the golden ratio */
}

/* ---- for the cache ---- */

void pawl_cache_release_key(struct cache_key *key) {
    if (key->bytes != key->small)
        free(key->bytes);
}

enum cache_key_made pawl_cache_make_key(const struct cache_keying *keying, pawl_value *input, struct cache_key *key) {
    key->bytes = key->small;
    key->capacity = sizeof key->small;
    key->length = 0;
    key->made = CACHE_KEY_MADE;
    if (keying->salt_bytes)
        put(key, keying->salt, keying->salt_bytes);
    if (keying->custom)
        put_custom(key, keying, input);
    else if (keying->fields)
        put_fields(key, keying->fields, input);
    else
        put_value(key, input);
    if (key->made == CACHE_KEY_MADE)
        key->hash = hash(key->bytes, key->length, keying->secrets);
    return key->made;
}

/* ---- making ---- */

static void make_secrets(uint64_t secrets[2]) {
    if (getrandom(secrets, 2 * sizeof *secrets, GRND_NONBLOCK) == 2 * (ssize_t)sizeof *secrets)
        return;
    secrets[0] = (uint64_t)(uintptr_t)secrets; /* early at boot: the layout of memory must do */
    secrets[1] = ~secrets[0] * UINT64_C(0x9E3779B97F4A7C15);
}

static char *copy_text(const char *text) {
    size_t bytes = strlen(text) + 1;
    char *copy = malloc(bytes);
    return copy ? memcpy(copy, text, bytes) : NULL;
}

static bool copy_fields(struct cache_keying *keying, const char *const *fields) {
    size_t count = 0;
    while (fields && fields[count])
        count++;
    if (count == 0)
        return true;
    keying->fields = calloc(count + 1, sizeof *keying->fields);
    for (size_t i = 0; keying->fields && i < count; i++) {
        keying->fields[i] = copy_text(fields[i]);
        if (!keying->fields[i])
            return false;
    }
    return keying->fields != NULL;
}

pawl_status pawl_cache_init_keying(struct cache_keying *keying, const pawl_cache_options *o, const char *name,
                                   pawl_error **err) {
    size_t salt_bytes = o->salt ? strnlen(o->salt, CACHE_SALT_MOST + 1) : 0;
    if (salt_bytes > CACHE_SALT_MOST)
        return pawl_error_set(err, PAWL_E_INVALID, "cache '%s': salt is longer than %u bytes; shorten it", name,
                              CACHE_SALT_MOST);
    if (o->fields && o->key)
        return pawl_error_set(err, PAWL_E_INVALID, "cache '%s': fields and key both make the key; set one", name);
    if (o->fields && !o->fields[0])
        return pawl_error_set(
            err, PAWL_E_INVALID,
            "cache '%s': fields is empty, so that all inputs were the same; name one or leave it NULL", name);
    keying->custom = o->key;
    keying->user = o->user;
    keying->salt_bytes = salt_bytes;
    keying->salt = salt_bytes ? copy_text(o->salt) : NULL;
    make_secrets(keying->secrets);
    if ((salt_bytes && !keying->salt) || !copy_fields(keying, o->fields))
        return pawl_error_set(err, PAWL_E_NOMEM, "cache '%s': out of memory", name);
    return PAWL_OK;
}

void pawl_cache_release_keying(struct cache_keying *keying) {
    for (size_t i = 0; keying->fields && keying->fields[i]; i++)
        free(keying->fields[i]);
    free(keying->fields);
    free(keying->salt);
}
