/* Other forms in which a secret may appear: base64, percent-encoded, as a JSON string, line by line. */
#include "base64_internal.h"
#include "redact_internal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEAST_BASE64 8u /* of a part that depends on no neighbour; shorter ones are too common */
#define LEAST_LINE 16u  /* of a secret with several lines, such as a private key */
#define PERCENT_KINDS 4

struct forms {
    bool (*add)(void *user, const char *form, size_t length);
    void *user;
};

static bool add(const struct forms *f, const char *form, size_t length) {
    return length < PAWL_SECRET_LEAST || f->add(f->user, form, length);
}

/* ---- base64 ---- */

static void to_url_alphabet(char *text) {
    for (; *text; text++)
        *text = *text == '+' ? '-' : *text == '/' ? '_' : *text;
}

static bool add_both_alphabets(const struct forms *f, char *text, size_t length) {
    if (!add(f, text, length))
        return false;
    to_url_alphabet(text);
    return add(f, text, length);
}

/* Of value with `before` bytes in front of it: the characters that stand for bits of value alone. */
static bool add_base64_part(const struct forms *f, const char *value, size_t length, size_t before, char *bytes,
                            char *text) {
    memset(bytes, 0, before);
    memcpy(bytes + before, value, length);
    pawl_base64_encode(bytes, before + length, text);
    size_t first = (before * 8 + 5) / 6, last = (before + length) * 8 / 6;
    if (last - first < LEAST_BASE64)
        return true;
    text[last] = '\0';
    return add_both_alphabets(f, text + first, last - first);
}

static bool add_base64(const struct forms *f, const char *value, size_t length) {
    char *bytes = malloc(length + 2), *text = malloc(pawl_base64_length(length + 2) + 1);
    bool added = bytes && text;
    if (added) {
        pawl_base64_encode(value, length, text);
        added = add_both_alphabets(f, text, strlen(text));
    }
    for (size_t before = 0; added && before < 3; before++)
        added = add_base64_part(f, value, length, before, bytes, text);
    if (bytes)
        explicit_bzero(bytes, length + 2);
    if (text)
        explicit_bzero(text, pawl_base64_length(length + 2) + 1);
    free(bytes);
    free(text);
    return added;
}

/* ---- percent-encoded ---- */

/* What is kept beside letters, digits and -._~ : RFC 3986's unreserved; encodeURIComponent's; Python's quote's. */
static const char *const kept[PERCENT_KINDS] = {"", "!'()*", "/", ""};

static size_t percent(const char *value, size_t length, int kind, const char *digits, char *text) {
    size_t used = 0;
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)value[i];
        bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (plain || (c && (strchr("-._~", c) || strchr(kept[kind], c)))) {
            text[used++] = (char)c;
        } else if (c == ' ' && kind == PERCENT_KINDS - 1) { /* of a form */
            text[used++] = '+';
        } else {
            text[used++] = '%';
            text[used++] = digits[c >> 4];
            text[used++] = digits[c & 15];
        }
    }
    return used;
}

static bool add_percent(const struct forms *f, const char *value, size_t length) {
    size_t capacity = 3 * length;
    char *text = malloc(capacity);
    bool added = text != NULL;
    for (int kind = 0; added && kind < PERCENT_KINDS; kind++)
        added = add(f, text, percent(value, length, kind, "0123456789ABCDEF", text)) &&
                add(f, text, percent(value, length, kind, "0123456789abcdef", text));
    if (text)
        explicit_bzero(text, capacity);
    free(text);
    return added;
}

/* ---- JSON ---- */

static size_t escape_control(unsigned char c, char *text) {
    static const char shorts[] = "b\bf\fn\nr\rt\t\"\"\\\\";
    for (const char *at = shorts; *at; at += 2)
        if ((unsigned char)at[1] == c) {
            text[0] = '\\';
            text[1] = at[0];
            return 2;
        }
    return (size_t)snprintf(text, 7, "\\u%04x", c);
}

/* Takes one character off UTF-8 that is known to be valid. */
static uint32_t decode(const char *text, size_t *at) {
    unsigned char c = (unsigned char)text[(*at)++];
    int more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : c >= 0xc0 ? 1 : 0;
    uint32_t code = more == 3 ? c & 7u : more == 2 ? c & 15u : more == 1 ? c & 31u : c;
    for (; more > 0; more--)
        code = code << 6 | ((unsigned char)text[(*at)++] & 63u);
    return code;
}

static size_t escape_wide(uint32_t code, char *text) {
    if (code < 0x10000)
        return (size_t)snprintf(text, 7, "\\u%04x", (unsigned)code);
    code -= 0x10000;
    return (size_t)snprintf(text, 13, "\\u%04x\\u%04x", 0xd800u + (unsigned)(code >> 10), 0xdc00u + (code & 0x3ffu));
}

/* As most printers write it, or (Python's default) with nothing but ASCII. */
static size_t json(const char *value, size_t length, bool ascii, char *text) {
    size_t used = 0;
    for (size_t i = 0; i < length;) {
        unsigned char c = (unsigned char)value[i];
        if (c < 0x20 || c == '"' || c == '\\') {
            used += escape_control(c, text + used);
            i++;
        } else if (c >= 0x80 && ascii) {
            used += escape_wide(decode(value, &i), text + used);
        } else {
            text[used++] = (char)c;
            i++;
        }
    }
    return used;
}

static bool add_json(const struct forms *f, const char *value, size_t length) {
    size_t capacity = 6 * length + 16; /* six characters for a byte at most, and what snprintf() ends with */
    char *text = malloc(capacity);
    bool added =
        text && add(f, text, json(value, length, false, text)) && add(f, text, json(value, length, true, text));
    if (text)
        explicit_bzero(text, capacity);
    free(text);
    return added;
}

/* ---- lines ---- */

/* A log or a message may show one without the others. */
static bool add_lines(const struct forms *f, const char *value, size_t length) {
    const char *end = value + length, *newline = memchr(value, '\n', length);
    for (; newline || value < end; newline = value < end ? memchr(value, '\n', (size_t)(end - value)) : NULL) {
        size_t line = (size_t)((newline ? newline : end) - value);
        if (line < length && line >= LEAST_LINE && !add(f, value, line - (value[line - 1] == '\r')))
            return false;
        value += line + (newline != NULL);
    }
    return true;
}

bool pawl_secret_forms(const char *value, size_t length, bool (*add_form)(void *user, const char *form, size_t length),
                       void *user) {
    const struct forms f = {.add = add_form, .user = user};
    return add_base64(&f, value, length) && add_percent(&f, value, length) && add_json(&f, value, length) &&
           add_lines(&f, value, length);
}
