/* The attributes of a series: sorted by key, each key once, all text valid and bounded. */
#ifndef PAWL_ATTRIBUTE_SET_INTERNAL_H
#define PAWL_ATTRIBUTE_SET_INTERNAL_H

#include <pawl/telemetry.h>

#define SET_MOST 64
#define SET_TEXT 1023

struct attribute_set {
    pawl_attribute *items; /* one block with the texts; released with free() */
    uint32_t count, reserved;
    uint64_t hash;
};

struct pawl_redaction;

/* PAWL_E_LIMIT, PAWL_E_INVALID (a key is NULL or empty), PAWL_E_NOMEM. Of one key the last counts.
 * @param redaction What to hide in texts; NULL: nothing, since they are ours. */
pawl_status pawl_attribute_set_make(struct attribute_set *set, const pawl_attribute *attributes, size_t count,
                                    const struct pawl_redaction *redaction, pawl_error **err);
bool pawl_attribute_set_equal(const pawl_attribute *a, const pawl_attribute *b, size_t count);
bool pawl_attribute_equal(const pawl_attribute *a, const pawl_attribute *b);
/* Differs with the addresses of the keys, the values and their order: what is the same at the next call of one place
 * in a program. */
uint64_t pawl_attributes_fingerprint(const pawl_attribute *attributes, size_t count, uint64_t start);

/* Spreads all bits over all. */
static inline uint64_t hash_mix(uint64_t hash, uint64_t more) {
    __extension__ typedef unsigned __int128 wide;
    wide product = (wide)(hash ^ 0x9E3779B97F4A7C15u) * (more ^ 0xD1B54A32D192ED03u);
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}
uint64_t pawl_hash_text(const char *text, uint64_t start);

#endif
