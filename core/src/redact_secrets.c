/*
 * Known values: a hash table of what may not leave, by first four bytes. It only grows, by publishing finished entries,
 * so that readers need no lock. A map of byte pairs tells most places at once that nothing begins there.
 */
#include "redact_internal.h"
#include "utf8_internal.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 1024u
#define PAIR_WORDS 1024u /* of 64 bits: one for each pair of bytes */
#define FIRST_WORDS 4u   /* one bit for each byte */

struct pattern {
    struct pattern *next;
    size_t length;
    uint32_t beginning; /* first four bytes */
    char bytes[];
};

struct pawl_secrets {
    _Atomic(struct pattern *) buckets[BUCKETS];
    atomic_ullong pairs[PAIR_WORDS];
    atomic_ullong firsts[FIRST_WORDS];
    atomic_size_t shortest, longest; /* 0: none */
    atomic_size_t count;             /* values, without their other forms; each counts once all of them are known */
};

struct pawl_secrets *pawl_secrets_new(void) {
    return calloc(1, sizeof(struct pawl_secrets));
}

void pawl_secrets_free(struct pawl_secrets *secrets) {
    if (!secrets)
        return;
    for (size_t i = 0; i < BUCKETS; i++) {
        struct pattern *pattern = atomic_load_explicit(&secrets->buckets[i], memory_order_relaxed);
        while (pattern) {
            struct pattern *next = pattern->next;
            explicit_bzero(pattern, sizeof *pattern + pattern->length);
            free(pattern);
            pattern = next;
        }
    }
    free(secrets);
}

/* ---- looking up ---- */

static uint32_t beginning_of(const char *at) {
    uint32_t four;
    memcpy(&four, at, sizeof four);
    return four;
}

static size_t bucket_of(uint32_t beginning) {
    return (beginning * UINT32_C(2654435761)) >> 22; /* Knuth's multiplier; the upper ten bits */
}

static struct pattern *bucket(const struct pawl_secrets *secrets, uint32_t beginning) {
    return atomic_load_explicit(&secrets->buckets[bucket_of(beginning)], memory_order_acquire);
}

static bool has_bit(const atomic_ullong *words, unsigned bit) {
    return atomic_load_explicit(&words[bit / 64], memory_order_relaxed) >> (bit % 64) & 1;
}

static unsigned pair_at(const char *at) {
    return (unsigned)(unsigned char)at[0] << 8 | (unsigned char)at[1];
}

static size_t find(const struct pawl_secrets *secrets, const char *at, size_t left, bool cut) {
    size_t best = 0;
    uint32_t beginning = beginning_of(at);
    for (const struct pattern *p = bucket(secrets, beginning); p; p = p->next) {
        size_t length = p->length <= left ? p->length : cut ? left : 0;
        if (p->beginning == beginning && length > best && memcmp(p->bytes, at, length) == 0)
            best = length;
    }
    return best;
}

size_t pawl_secrets_match(const struct pawl_redaction *redaction, const char *text, size_t at, size_t length) {
    size_t best = 0;
    if (length - at < PAWL_SECRET_LEAST)
        return 0;
    for (size_t i = 0; i < 2; i++) {
        const struct pawl_secrets *secrets = redaction->sets[i];
        if (!secrets || !has_bit(secrets->pairs, pair_at(text + at)))
            continue;
        size_t found = find(secrets, text + at, length - at, redaction->cut);
        best = found > best ? found : best;
    }
    return best;
}

static size_t skip(const struct pawl_secrets *secrets, const char *text, size_t at, size_t length) {
    while (at + PAWL_SECRET_LEAST <= length && !has_bit(secrets->pairs, pair_at(text + at)))
        at++;
    return at + PAWL_SECRET_LEAST <= length ? at : length;
}

size_t pawl_secrets_skip(const struct pawl_redaction *redaction, const char *text, size_t at, size_t length) {
    size_t nearest = length;
    for (size_t i = 0; i < 2; i++)
        if (redaction->sets[i])
            nearest = skip(redaction->sets[i], text, at, nearest);
    return nearest;
}

static bool may_begin(const struct pawl_secrets *secrets, const char *at, size_t left) {
    if (left == 1)
        return has_bit(secrets->firsts, (unsigned char)at[0]);
    if (!has_bit(secrets->pairs, pair_at(at)))
        return false;
    if (left < PAWL_SECRET_LEAST)
        return true;
    for (const struct pattern *p = bucket(secrets, beginning_of(at)); p; p = p->next)
        if (p->length > left && memcmp(p->bytes, at, left) == 0)
            return true;
    return false;
}

bool pawl_secrets_may_begin(const struct pawl_redaction *redaction, const char *text, size_t at, size_t length) {
    for (size_t i = 0; i < 2; i++)
        if (redaction->sets[i] && may_begin(redaction->sets[i], text + at, length - at))
            return true;
    return false;
}

size_t pawl_secrets_longest(const struct pawl_redaction *redaction) {
    size_t longest = 0;
    for (size_t i = 0; i < 2; i++) {
        size_t length =
            redaction->sets[i] ? atomic_load_explicit(&redaction->sets[i]->longest, memory_order_relaxed) : 0;
        longest = length > longest ? length : longest;
    }
    return longest;
}

size_t pawl_secrets_count(const struct pawl_redaction *redaction) {
    size_t count = 0;
    for (size_t i = 0; i < 2; i++)
        if (redaction->sets[i])
            count += atomic_load_explicit(&redaction->sets[i]->count, memory_order_acquire);
    return count;
}

bool pawl_secrets_possible(const struct pawl_redaction *redaction, const char *text, size_t length) {
    for (size_t i = 0; i < 2; i++) {
        const struct pawl_secrets *secrets = redaction->sets[i];
        if (!secrets)
            continue;
        size_t shortest = atomic_load_explicit(&secrets->shortest, memory_order_relaxed);
        if (shortest > 0 && (length >= shortest || redaction->cut) && skip(secrets, text, 0, length) < length)
            return true;
    }
    return false;
}

/* ---- adding ---- */

static bool is_known(const struct pawl_secrets *secrets, const char *bytes, size_t length) {
    for (const struct pattern *p = bucket(secrets, beginning_of(bytes)); p; p = p->next)
        if (p->length == length && memcmp(p->bytes, bytes, length) == 0)
            return true;
    return false;
}

static void set_bit(atomic_ullong *words, unsigned bit) {
    atomic_fetch_or_explicit(&words[bit / 64], 1ULL << (bit % 64), memory_order_release);
}

/* What others see first is the entry, then the bits that lead to it. */
static bool add_pattern(void *user, const char *bytes, size_t length) {
    struct pawl_secrets *secrets = user;
    if (is_known(secrets, bytes, length))
        return true;
    struct pattern *pattern = malloc(sizeof *pattern + length);
    if (!pattern)
        return false;
    pattern->length = length;
    pattern->beginning = beginning_of(bytes);
    memcpy(pattern->bytes, bytes, length);
    pattern->next = bucket(secrets, pattern->beginning);
    atomic_store_explicit(&secrets->buckets[bucket_of(pattern->beginning)], pattern, memory_order_release);
    set_bit(secrets->pairs, pair_at(bytes));
    set_bit(secrets->firsts, (unsigned char)bytes[0]);
    if (length > atomic_load_explicit(&secrets->longest, memory_order_relaxed))
        atomic_store_explicit(&secrets->longest, length, memory_order_release);
    size_t shortest = atomic_load_explicit(&secrets->shortest, memory_order_relaxed);
    if (shortest == 0 || length < shortest)
        atomic_store_explicit(&secrets->shortest, length, memory_order_release);
    return true;
}

static bool is_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static pawl_status check(const struct pawl_secrets *secrets, const char *value, size_t length, const char *who,
                         pawl_error **err) {
    if (length < PAWL_SECRET_LEAST)
        return pawl_error_set(
            err, PAWL_E_INVALID,
            "%s: a secret of %zu bytes is too short to be hidden, since it would be found in ordinary "
            "words; use one of at least %u",
            who, length, PAWL_SECRET_LEAST);
    if (length > PAWL_SECRET_MOST)
        return pawl_error_set(err, PAWL_E_INVALID, "%s: a secret of %zu bytes is too long, %u are allowed; add a part",
                              who, length, PAWL_SECRET_MOST);
    if (pawl_utf8_valid(value, length) != length)
        return pawl_error_set(err, PAWL_E_INVALID,
                              "%s: a secret is no UTF-8; add its base64 or hexadecimal text, whichever is printed",
                              who);
    if (memmem(PAWL_REDACTED, PAWL_REDACTED_BYTES, value, length))
        return pawl_error_set(err, PAWL_E_INVALID, "%s: a secret is part of '" PAWL_REDACTED "', which replaces it",
                              who);
    if (secrets->count == PAWL_SECRETS && !is_known(secrets, value, length))
        return pawl_error_set(err, PAWL_E_LIMIT, "%s: there are %u secrets already; add only what may be printed", who,
                              PAWL_SECRETS);
    return PAWL_OK;
}

pawl_status pawl_secrets_add(struct pawl_secrets *secrets, const char *value, size_t length, const char *who,
                             pawl_error **err) {
    for (; length > 0 && is_space(value[0]); length--)
        value++;
    while (length > 0 && is_space(value[length - 1]))
        length--;
    pawl_status status = check(secrets, value, length, who, err);
    if (status != PAWL_OK)
        return status;
    bool is_new = !is_known(secrets, value, length);
    /* The value itself comes last: once it is known, so are its forms. */
    if (!pawl_secret_forms(value, length, add_pattern, secrets) || !add_pattern(secrets, value, length))
        return pawl_error_set(err, PAWL_E_NOMEM, "%s: out of memory for a secret", who);
    atomic_fetch_add_explicit(&secrets->count, is_new, memory_order_release);
    return PAWL_OK;
}
