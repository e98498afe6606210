/* JSON backwards: the value, then its name, as OTLP wants them (64-bit integers and what JSON lacks as strings). */
#include "json_number_internal.h"
#include "otlp_writer_internal.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Everything begins with '{', '[', '"', a digit, '-' or a letter; only a freshly opened object, array or line has
 * another byte at its front. */
void pawl_json_separate(struct pawl_otlp_writer *w) {
    uint8_t front = w->length > 0 ? *pawl_otlp_written(w) : '\n';
    if (front != '}' && front != ']' && front != '\n')
        pawl_otlp_raw(w, ",", 1);
}

/* Names are ours: nothing to escape. */
void pawl_json_name(struct pawl_otlp_writer *w, struct pawl_otlp_field field) {
    if (!field.name)
        return;
    uint8_t *to = pawl_otlp_reserve(w, field.name_length + 3u);
    if (!to)
        return;
    to[0] = '"';
    memcpy(to + 1, field.name, field.name_length);
    memcpy(to + 1 + field.name_length, "\":", 2);
}

/* ---- text ---- */

static size_t escaped_size(uint8_t c) {
    if (c == '"' || c == '\\' || c == '\n' || c == '\r' || c == '\t')
        return 2;
    return c < ' ' || c == 0x7f ? 6 : 1;
}

static uint8_t *escape(uint8_t *to, uint8_t c) {
    static const char digits[] = "0123456789abcdef";
    if (escaped_size(c) == 2) {
        *to++ = '\\';
        *to++ = c == '\n' ? 'n' : c == '\r' ? 'r' : c == '\t' ? 't' : c;
    } else {
        memcpy(to, "\\u00", 4);
        to[4] = (uint8_t)digits[c >> 4];
        to[5] = (uint8_t)digits[c & 15];
        to += 6;
    }
    return to;
}

void pawl_json_text(struct pawl_otlp_writer *w, const char *text, size_t length) {
    size_t size = 2;
    for (size_t i = 0; i < length; i++)
        size += escaped_size((uint8_t)text[i]);
    uint8_t *to = pawl_otlp_reserve(w, size);
    if (!to)
        return;
    *to++ = '"';
    if (size == length + 2) {
        if (length > 0)
            memcpy(to, text, length);
        to += length;
    } else {
        for (size_t i = 0; i < length; i++)
            if (escaped_size((uint8_t)text[i]) == 1)
                *to++ = (uint8_t)text[i];
            else
                to = escape(to, (uint8_t)text[i]);
    }
    *to = '"';
}

void pawl_json_hex(struct pawl_otlp_writer *w, const uint8_t *bytes, size_t count) {
    static const char digits[] = "0123456789abcdef";
    uint8_t *to = pawl_otlp_reserve(w, count * 2 + 2);
    if (!to)
        return;
    *to++ = '"';
    for (size_t i = 0; i < count; i++) {
        *to++ = (uint8_t)digits[bytes[i] >> 4];
        *to++ = (uint8_t)digits[bytes[i] & 15];
    }
    *to = '"';
}

/* ---- numbers ---- */

void pawl_json_integer(struct pawl_otlp_writer *w, bool negative, uint64_t magnitude, bool quoted) {
    char digits[24];
    size_t at = sizeof digits;
    if (quoted)
        digits[--at] = '"';
    do
        digits[--at] = (char)('0' + magnitude % 10);
    while (magnitude /= 10);
    if (negative)
        digits[--at] = '-';
    if (quoted)
        digits[--at] = '"';
    pawl_otlp_raw(w, digits + at, sizeof digits - at);
}

void pawl_json_double(struct pawl_otlp_writer *w, double number) {
    char written[PAWL_JSON_NUMBER_SIZE];
    if (isnan(number))
        pawl_otlp_raw(w, "\"NaN\"", 5);
    else if (isinf(number) && number > 0)
        pawl_otlp_raw(w, "\"Infinity\"", 10);
    else if (isinf(number))
        pawl_otlp_raw(w, "\"-Infinity\"", 11);
    else
        pawl_otlp_raw(w, written, pawl_json_format_number(number, written));
}
