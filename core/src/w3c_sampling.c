/* OpenTelemetry's own entry of the tracestate: ot=th:<threshold>;rv:<random value>;... */
#include "w3c_internal.h"
#include <stdlib.h>
#include <string.h>

#define ENTRY_BYTES 256
#define DIGITS 14

/* The value of the entry `ot`; length 0 for none. */
static const char *find_ot(const char *text, size_t *ret_length) {
    *ret_length = 0;
    while (text && *text) {
        text += strspn(text, " \t,");
        size_t length = strcspn(text, ",");
        if (strncmp(text, "ot=", 3) == 0) {
            while (length > 3 && strchr(" \t", text[length - 1]))
                length--;
            *ret_length = length - 3;
            return text + 3;
        }
        text += length;
    }
    return NULL;
}

/* Takes the next part off the value: its text and length. False at the end. */
static bool next_part(const char **at, size_t *left, const char **ret_part, size_t *ret_length) {
    if (*left == 0)
        return false;
    const char *end = memchr(*at, ';', *left);
    *ret_part = *at;
    *ret_length = end ? (size_t)(end - *at) : *left;
    size_t step = *ret_length + (end ? 1 : 0);
    *at += step;
    *left -= step;
    return true;
}

static bool has_key(const char *part, size_t length, const char *key) {
    return length > 3 && strncmp(part, key, 3) == 0; /* "th:" or "rv:" */
}

bool pawl_w3c_random_value(const char *text, uint64_t *ret_number) {
    size_t left, length;
    const char *at = find_ot(text, &left), *part;
    while (at && next_part(&at, &left, &part, &length)) {
        if (!has_key(part, length, "rv:"))
            continue;
        if (length != 3 + DIGITS || strspn(part + 3, "0123456789abcdef") < DIGITS)
            return false;
        char digits[DIGITS + 1] = {0};
        memcpy(digits, part + 3, DIGITS);
        *ret_number = strtoull(digits, NULL, 16);
        return true;
    }
    return false;
}

static size_t add_part(char *value, size_t used, const char *part, size_t length) {
    size_t gap = used > 0 ? 1 : 0;
    if (length == 0 || used + gap + length > ENTRY_BYTES)
        return used; /* a part that does not fit is left out whole */
    if (gap)
        value[used++] = ';';
    memcpy(value + used, part, length);
    return used + length;
}

char *pawl_w3c_set_threshold(const char *text, const char *threshold) {
    size_t left, length, used = 0;
    const char *at = find_ot(text, &left), *part;
    char value[ENTRY_BYTES + 1], own[3 + DIGITS + 1] = "th:";
    bool had = false;
    if (!threshold && !at)
        return NULL;
    if (threshold) {
        strncat(own, threshold, DIGITS);
        used = add_part(value, used, own, strlen(own));
    }
    while (at && next_part(&at, &left, &part, &length)) {
        bool is_threshold = has_key(part, length, "th:");
        had |= is_threshold;
        if (!is_threshold)
            used = add_part(value, used, part, length);
    }
    if (!threshold && !had)
        return NULL;
    value[used] = '\0';
    return pawl_w3c_set_entry(text, "ot", used > 0 ? value : NULL);
}
