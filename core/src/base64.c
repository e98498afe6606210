#include "base64_internal.h"

#include <stdlib.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void pawl_base64_encode(const void *bytes, size_t length, char *ret_text) {
    const uint8_t *from = bytes;
    char *to = ret_text;
    for (; length >= 3; length -= 3, from += 3) {
        *to++ = alphabet[from[0] >> 2];
        *to++ = alphabet[(from[0] & 3) << 4 | from[1] >> 4];
        *to++ = alphabet[(from[1] & 15) << 2 | from[2] >> 6];
        *to++ = alphabet[from[2] & 63];
    }
    if (length > 0) {
        unsigned second = length == 2 ? from[1] : 0;
        *to++ = alphabet[from[0] >> 2];
        *to++ = alphabet[(from[0] & 3u) << 4 | second >> 4];
        *to++ = length == 2 ? alphabet[(second & 15u) << 2] : '=';
        *to++ = '=';
    }
    *to = '\0';
}

char *pawl_base64_encode_new(const void *bytes, size_t length) {
    char *text = length <= SIZE_MAX / 2 ? malloc(pawl_base64_length(length) + 1) : NULL;
    if (text)
        pawl_base64_encode(bytes, length, text);
    return text;
}

static int sextet(char c) {
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Four characters, of which `digits` are no padding. */
static bool decode_group(const char *text, size_t digits, uint8_t *to) {
    uint32_t bits = 0;
    for (size_t i = 0; i < 4; i++) {
        int value = i < digits ? sextet(text[i]) : 0;
        if (value < 0)
            return false;
        bits = bits << 6 | (uint32_t)value;
    }
    if ((bits & ((1u << 8 * (4 - digits)) - 1)) != 0) /* bits of no byte: not canonical, RFC 4648, section 3.5 */
        return false;
    for (size_t i = 0; i + 1 < digits; i++)
        to[i] = (uint8_t)(bits >> (16 - 8 * i));
    return true;
}

bool pawl_base64_decode(const char *text, size_t length, void *ret_bytes, size_t *ret_length) {
    uint8_t *to = ret_bytes;
    if (length % 4 != 0)
        return false;
    size_t padding = 0;
    while (length > 0 && padding < 2 && text[length - 1 - padding] == '=')
        padding++;
    for (size_t at = 0; at < length; at += 4, to += 3)
        if (!decode_group(text + at, at + 4 < length ? 4 : 4 - padding, to))
            return false;
    *ret_length = length / 4 * 3 - padding;
    return true;
}
