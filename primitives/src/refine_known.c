/* Candidates by digest. Source of the hash and its constants: G. Fowler, L. Noll, K. Vo, D. Eastlake, "The FNV
 * Non-Cryptographic Hash Algorithm" (FNV-1a, 128 bits: prime 2^88 + 0x13b). */
#include "refine_internal.h"
#include <stdlib.h>
#include <string.h>

#define FNV_BASIS_HIGH UINT64_C(0x6c62272e07bb0142)
#define FNV_BASIS_LOW UINT64_C(0x62b821756295c58d)
#define FNV_PRIME_LOW UINT64_C(0x13b)
#define FNV_PRIME_SHIFT 24 /* 2^88 is 2^24 in the high word */
#define FIRST_CAPACITY 64u

pawl_digest pawl_digest_start(void) {
    return (pawl_digest){.high_ = FNV_BASIS_HIGH, .low_ = FNV_BASIS_LOW};
}

void pawl_digest_add(pawl_digest *digest, const void *bytes, size_t length) {
    const unsigned char *at = bytes;
    uint64_t high = digest->high_, low = digest->low_;
    for (size_t i = 0; i < length; i++) {
        low ^= at[i];
        uint64_t by_small = (low & UINT32_MAX) * FNV_PRIME_LOW, middle = (low >> 32) * FNV_PRIME_LOW + (by_small >> 32);
        high = high * FNV_PRIME_LOW + (middle >> 32) + (low << FNV_PRIME_SHIFT);
        low = middle << 32 | (by_small & UINT32_MAX);
    }
    digest->high_ = high;
    digest->low_ = low;
}

void pawl_refine_put_digest(pawl_attempt *attempt, pawl_digest digest) {
    for (size_t i = 0; i < 8; i++) {
        attempt->digest[i] = (uint8_t)(digest.high_ >> (56 - 8 * i));
        attempt->digest[8 + i] = (uint8_t)(digest.low_ >> (56 - 8 * i));
    }
}

/* ---- JSON, as what it means ---- */

static void add_tag(pawl_digest *digest, char tag, uint64_t number) {
    unsigned char bytes[9] = {(unsigned char)tag};
    memcpy(bytes + 1, &number, sizeof number);
    pawl_digest_add(digest, bytes, sizeof bytes);
}

static void add_text(pawl_digest *digest, char tag, const char *text) {
    size_t length = text ? strlen(text) : 0;
    add_tag(digest, tag, length);
    pawl_digest_add(digest, text, length);
}

static void add_json(pawl_digest *digest, const cJSON *json);

/* The sum of the members' digests: no order, and nothing to sort. */
static void add_members(pawl_digest *digest, const cJSON *object) {
    pawl_digest sum = {0};
    uint64_t count = 0;
    for (const cJSON *member = object->child; member; member = member->next, count++) {
        pawl_digest one = pawl_digest_start();
        add_text(&one, 'k', member->string);
        add_json(&one, member);
        sum.high_ += one.high_ + (sum.low_ > UINT64_MAX - one.low_);
        sum.low_ += one.low_;
    }
    add_tag(digest, '{', count);
    pawl_digest_add(digest, &sum, sizeof sum);
}

static void add_number(pawl_digest *digest, double number) {
    uint64_t bits;
    number = number == 0 ? 0 : number; /* -0 is 0 */
    memcpy(&bits, &number, sizeof bits);
    add_tag(digest, 'n', bits);
}

static void add_json(pawl_digest *digest, const cJSON *json) {
    if (cJSON_IsString(json)) {
        add_text(digest, 's', json->valuestring);
    } else if (cJSON_IsNumber(json)) {
        add_number(digest, json->valuedouble);
    } else if (cJSON_IsObject(json)) {
        add_members(digest, json);
    } else if (cJSON_IsArray(json)) {
        add_tag(digest, '[', 0);
        for (const cJSON *item = json->child; item; item = item->next)
            add_json(digest, item);
        add_tag(digest, ']', 0);
    } else {
        add_tag(digest, 'l', (uint64_t)(json->type & 0xff)); /* true, false, null */
    }
}

bool pawl_refine_digest(const pawl_value *candidate, pawl_digest *digest) {
    const cJSON *json = pawl_value_json(candidate);
    if (!json)
        return false;
    add_json(digest, json);
    return true;
}

/* ---- the set ---- */

void pawl_refine_known_free(struct refine_known *known) {
    free(known->entries);
}

static struct refine_known_entry *place_of(const struct refine_known *known, pawl_digest digest) {
    for (size_t at = (size_t)digest.low_;; at++) {
        struct refine_known_entry *entry = &known->entries[at & (known->capacity - 1)];
        if (!entry->number || (entry->digest.high_ == digest.high_ && entry->digest.low_ == digest.low_))
            return entry;
    }
}

struct refine_known_entry *pawl_refine_known_find(const struct refine_known *known, pawl_digest digest) {
    if (!known->capacity)
        return NULL;
    struct refine_known_entry *entry = place_of(known, digest);
    return entry->number ? entry : NULL;
}

static bool grow(struct refine_known *known) {
    struct refine_known wider = {.capacity = known->capacity ? known->capacity * 2 : FIRST_CAPACITY};
    wider.entries = calloc(wider.capacity, sizeof *wider.entries);
    if (!wider.entries)
        return false;
    for (size_t i = 0; i < known->capacity; i++)
        if (known->entries[i].number)
            *place_of(&wider, known->entries[i].digest) = known->entries[i];
    free(known->entries);
    known->entries = wider.entries;
    known->capacity = wider.capacity;
    return true;
}

bool pawl_refine_known_add(struct refine_known *known, pawl_digest digest, uint64_t number) {
    struct refine_known_entry *entry = pawl_refine_known_find(known, digest);
    if (entry) {
        entry->number = number;
        entry->may_repeat = 0;
        return true;
    }
    if (known->count >= known->most)
        return true;
    if (known->count * 2 >= known->capacity && !grow(known))
        return false;
    *place_of(known, digest) = (struct refine_known_entry){.digest = digest, .number = number};
    known->count++;
    return true;
}
