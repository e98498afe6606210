#include "utf8_internal.h"

#include <stdlib.h>
#include <string.h>

/* The Unicode standard, table 3-7 "Well-Formed UTF-8 Byte Sequences": the second byte's range depends on the first, all
 * later ones are 80..BF. */
struct lead {
    unsigned length; /* 0: no character begins with this byte */
    uint8_t low, high;
};

static struct lead lead_of(uint8_t byte) {
    if (byte < 0x80)
        return (struct lead){1, 0, 0};
    if (byte < 0xc2 || byte > 0xf4)
        return (struct lead){0, 0, 0};
    if (byte < 0xe0)
        return (struct lead){2, 0x80, 0xbf};
    if (byte < 0xf0)
        return (struct lead){3, byte == 0xe0 ? 0xa0 : 0x80, byte == 0xed ? 0x9f : 0xbf};
    return (struct lead){4, byte == 0xf0 ? 0x90 : 0x80, byte == 0xf4 ? 0x8f : 0xbf};
}

/* Length of the character that text begins with or, when there is none, of its maximal subpart: at least 1. */
static size_t part_length(const char *text, size_t length, bool *ret_is_character) {
    struct lead lead = lead_of((uint8_t)text[0]);
    size_t n = 1;
    while (n < lead.length && n < length) {
        uint8_t byte = (uint8_t)text[n];
        uint8_t low = n == 1 ? lead.low : 0x80;
        uint8_t high = n == 1 ? lead.high : 0xbf;
        if (byte < low || byte > high)
            break;
        n++;
    }
    *ret_is_character = n == lead.length;
    return n;
}

/* Most text is ASCII: eight bytes at a time. */
static size_t ascii_prefix(const char *text, size_t length) {
    size_t at = 0;
    for (; at + 8 <= length; at += 8) {
        uint64_t word;
        memcpy(&word, text + at, 8);
        if (word & UINT64_C(0x8080808080808080))
            break;
    }
    while (at < length && (uint8_t)text[at] < 0x80)
        at++;
    return at;
}

size_t pawl_utf8_valid(const char *text, size_t length) {
    size_t at = 0;
    while (at < length) {
        bool is_character = true;
        at += ascii_prefix(text + at, length - at);
        size_t n = at < length ? part_length(text + at, length - at, &is_character) : 0;
        if (!is_character)
            break;
        at += n;
    }
    return at;
}

size_t pawl_utf8_cut(const char *text, size_t length) {
    for (size_t back = 1; back <= 3 && back <= length; back++) {
        uint8_t byte = (uint8_t)text[length - back];
        if ((byte & 0xc0) == 0x80)
            continue;
        return lead_of(byte).length > back ? length - back : length;
    }
    return length;
}

/* Most text is plain: how many bytes from the start are ASCII without NUL, eight at a time ("Hacker's Delight", 6-1).
 */
static size_t plain_length(const char *bytes, size_t length) {
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;
    size_t at = 0;
    for (uint64_t word; length - at >= sizeof word; at += sizeof word) {
        memcpy(&word, bytes + at, sizeof word);
        if ((word | (word - ones)) & tops)
            break;
    }
    return at;
}

size_t pawl_utf8_lossy_into(const char *bytes, size_t length, char *buffer, size_t size) {
    static const char replacement[] = "\xef\xbf\xbd";
    size_t total = plain_length(bytes, length);
    if (total >= size)
        total = 0; /* too long for the buffer: one by one */
    size_t written = total;
    bool full = size == 0;
    if (total > 0)
        memcpy(buffer, bytes, total);
    bytes += total;
    length -= total;
    while (length > 0) {
        bool is_character;
        size_t part = part_length(bytes, length, &is_character);
        bool kept = is_character && bytes[0] != '\0';
        const char *from = kept ? bytes : replacement;
        size_t step = kept ? part : sizeof replacement - 1;
        full = full || size - written <= step; /* once one did not fit, no later one may */
        if (!full) {
            memcpy(buffer + written, from, step);
            written += step;
        }
        total += step;
        bytes += part;
        length -= part;
    }
    if (size > 0)
        buffer[written] = '\0';
    return total;
}

char *pawl_utf8_lossy(const char *bytes, size_t length, size_t *ret_length) {
    size_t size = pawl_utf8_lossy_into(bytes, length, NULL, 0) + 1;
    char *text = malloc(size);
    if (text == NULL)
        return NULL;
    (void)pawl_utf8_lossy_into(bytes, length, text, size);
    if (ret_length != NULL)
        *ret_length = size - 1;
    return text;
}
