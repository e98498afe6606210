#include "w3c_internal.h"

#include <stdlib.h>
#include <string.h>

#define TRACEPARENT_LENGTH (PAWL_W3C_TRACEPARENT_BYTES - 1)
#define TRACESTATE_ENTRIES 32
#define PART_BYTES 256 /* of a key, and of a value */
#define TRACESTATE_BYTES 512
#define BIG_ENTRY_BYTES 128

static bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

/* ---- traceparent: version "-" trace-id "-" parent-id "-" flags (Trace Context level 2, section 3.2) ---- */

/* Upper case is not valid there. */
static int hex_digit(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Returns whether there are count bytes in hexadecimal, not all zero. */
static bool read_hex(const char *text, size_t count, uint8_t *ret_bytes, bool *ret_is_zero) {
    uint8_t seen = 0;
    for (size_t i = 0; i < count; i++) {
        int high = hex_digit(text[2 * i]);
        int low = high >= 0 ? hex_digit(text[2 * i + 1]) : -1;
        if (low < 0)
            return false;
        ret_bytes[i] = (uint8_t)(high * 16 + low);
        seen |= ret_bytes[i];
    }
    *ret_is_zero = seen == 0;
    return true;
}

static size_t trim(const char **text) {
    while (is_blank(**text))
        ++*text;
    size_t length = strlen(*text);
    while (length > 0 && is_blank((*text)[length - 1]))
        length--;
    return length;
}

/* What may stand behind the flags depends on the version. */
static bool length_is_right(uint8_t version, const char *text, size_t length) {
    if (version == 0xff)
        return false;
    if (length == TRACEPARENT_LENGTH)
        return true;
    return version > 0 && text[TRACEPARENT_LENGTH] == '-';
}

bool pawl_w3c_parse_traceparent(const char *text, struct pawl_traceparent *ret_parent) {
    struct pawl_traceparent parent;
    uint8_t version;
    bool trace_is_zero;
    bool parent_is_zero;
    bool ignored;
    size_t length = text ? trim(&text) : 0;
    if (length < TRACEPARENT_LENGTH || text[2] != '-' || text[35] != '-' || text[52] != '-')
        return false;
    if (!read_hex(text, 1, &version, &ignored) || !length_is_right(version, text, length) ||
        !read_hex(text + 3, sizeof parent.trace_id, parent.trace_id, &trace_is_zero) ||
        !read_hex(text + 36, sizeof parent.parent_id, parent.parent_id, &parent_is_zero) ||
        !read_hex(text + 53, 1, &parent.flags, &ignored) || trace_is_zero || parent_is_zero)
        return false;
    parent.flags &= PAWL_W3C_FLAG_SAMPLED | PAWL_W3C_FLAG_RANDOM;
    *ret_parent = parent;
    return true;
}

static char *put_hex(char *at, const uint8_t *bytes, size_t count) {
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < count; i++) {
        *at++ = digits[bytes[i] >> 4];
        *at++ = digits[bytes[i] & 15];
    }
    return at;
}

void pawl_w3c_format_traceparent(const struct pawl_traceparent *parent, char ret_text[PAWL_W3C_TRACEPARENT_BYTES]) {
    const uint8_t version = 0;
    uint8_t flags = parent->flags & (PAWL_W3C_FLAG_SAMPLED | PAWL_W3C_FLAG_RANDOM);
    char *at = put_hex(ret_text, &version, 1);
    *at++ = '-';
    at = put_hex(at, parent->trace_id, sizeof parent->trace_id);
    *at++ = '-';
    at = put_hex(at, parent->parent_id, sizeof parent->parent_id);
    *at++ = '-';
    at = put_hex(at, &flags, 1);
    *at = '\0';
}

/* ---- tracestate: key "=" value, separated by "," (section 3.3) ---- */

struct entry {
    const char *text;
    size_t key_length, length;
};

static bool is_lower_or_digit(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_key(const char *text, size_t length) {
    if (length == 0 || length > PART_BYTES || !is_lower_or_digit(text[0]))
        return false;
    for (size_t i = 1; i < length; i++)
        if (!is_lower_or_digit(text[i]) && !memchr("_-*/@", text[i], 5))
            return false;
    return true;
}

static bool is_value(const char *text, size_t length) {
    for (size_t i = 0; i < length; i++)
        if (text[i] < ' ' || text[i] > '~' || text[i] == '=')
            return false;
    return length > 0 && length <= PART_BYTES && text[length - 1] != ' ';
}

/* Takes the next list member off the text, without the blanks around it. */
static struct entry next_member(const char **text) {
    while (is_blank(**text))
        ++*text;
    struct entry entry = {.text = *text, .length = strcspn(*text, ",")};
    *text += entry.length;
    *text += **text == ',';
    while (entry.length > 0 && is_blank(entry.text[entry.length - 1]))
        entry.length--;
    return entry;
}

static bool is_entry(struct entry *entry) {
    const char *equals = memchr(entry->text, '=', entry->length);
    if (!equals)
        return false;
    entry->key_length = (size_t)(equals - entry->text);
    return is_key(entry->text, entry->key_length) && is_value(equals + 1, entry->length - entry->key_length - 1);
}

static bool has_key(const struct entry *entries, size_t count, const struct entry *entry) {
    for (size_t i = 0; i < count; i++)
        if (entries[i].key_length == entry->key_length && memcmp(entries[i].text, entry->text, entry->key_length) == 0)
            return true;
    return false;
}

/* The entries worth keeping; 0 when the header is bad. All entries count against the bound, repeated ones as well. */
static size_t read_entries(const char *text, struct entry entries[TRACESTATE_ENTRIES]) {
    size_t kept = 0;
    size_t seen = 0;
    while (*text) {
        struct entry entry = next_member(&text);
        if (entry.length == 0)
            continue;
        if (++seen > TRACESTATE_ENTRIES || !is_entry(&entry))
            return 0;
        if (!has_key(entries, kept, &entry))
            entries[kept++] = entry;
    }
    return kept;
}

static char *join_entries(const struct entry *entries, size_t count) {
    size_t size = 1;
    for (size_t i = 0; i < count; i++)
        size += entries[i].length + 1; /* a comma, or the NUL */
    char *result = malloc(size);
    if (!result)
        return NULL;
    char *at = result;
    *at = '\0';
    for (size_t i = 0; i < count; i++) {
        memcpy(at, entries[i].text, entries[i].length);
        at += entries[i].length;
        *at++ = i + 1 < count ? ',' : '\0';
    }
    return result;
}

char *pawl_w3c_normalise_tracestate(const char *text) {
    struct entry entries[TRACESTATE_ENTRIES];
    size_t count = text ? read_entries(text, entries) : 0;
    return count > 0 ? join_entries(entries, count) : NULL;
}

/* ---- changing an entry ---- */

static size_t remove_entry(struct entry *entries, size_t count, size_t place) {
    memmove(entries + place, entries + place + 1, (count - place - 1) * sizeof *entries);
    return count - 1;
}

static size_t joined_length(const struct entry *entries, size_t count) {
    size_t length = count > 0 ? count - 1 : 0;
    for (size_t i = 0; i < count; i++)
        length += entries[i].length;
    return length;
}

/* Section 3.3.1.5: big entries go first, then the last ones. The first `kept` stay. */
static size_t shrink(struct entry *entries, size_t count, size_t kept) {
    for (size_t i = count; i-- > kept && joined_length(entries, count) > TRACESTATE_BYTES;)
        if (entries[i].length > BIG_ENTRY_BYTES)
            count = remove_entry(entries, count, i);
    while (count > kept && (count > TRACESTATE_ENTRIES || joined_length(entries, count) > TRACESTATE_BYTES))
        count--;
    return count;
}

char *pawl_w3c_set_entry(const char *text, const char *key, const char *value) {
    struct entry entries[TRACESTATE_ENTRIES + 1];
    char own[2 * PART_BYTES + 2];
    size_t count = text ? read_entries(text, entries + 1) : 0, key_length = strlen(key);
    size_t value_length = value ? strlen(value) : 0;
    if (!is_key(key, key_length) || (value && (!is_value(value, value_length) || strchr(value, ','))))
        return NULL;
    for (size_t i = 1; i <= count; i++)
        if (entries[i].key_length == key_length && memcmp(entries[i].text, key, key_length) == 0) {
            memmove(entries + i, entries + i + 1, (count - i) * sizeof *entries);
            count--;
            break;
        }
    if (!value)
        return join_entries(entries + 1, count);
    memcpy(own, key, key_length);
    own[key_length] = '=';
    memcpy(own + key_length + 1, value, value_length);
    entries[0] = (struct entry){.text = own, .key_length = key_length, .length = key_length + 1 + value_length};
    return join_entries(entries, shrink(entries, count + 1, 1));
}
