/* Prometheus text: a growing buffer, numbers and strings as they may stand in a line. */
#include "prometheus_internal.h"
#include "utf8_internal.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_BYTES 4096u
#define PLAIN 1e15 /* whole numbers below are written as such */
#define DIGITS 17  /* enough to read any double back */

void pawl_prom_text_free(struct pawl_prom_text *text) {
    free(text->bytes);
    memset(text, 0, sizeof *text);
}

static bool reserve(struct pawl_prom_text *text, size_t more) {
    if (text->failed)
        return false;
    if (text->room - text->length >= more)
        return true;
    size_t room = text->room ? text->room * 2 : FIRST_BYTES;
    while (room - text->length < more)
        room *= 2;
    char *bytes = realloc(text->bytes, room);
    if (!bytes) {
        text->failed = true;
        return false;
    }
    text->bytes = bytes;
    text->room = room;
    return true;
}

void pawl_prom_put(struct pawl_prom_text *text, const char *bytes, size_t length) {
    if (length > 0 && reserve(text, length)) {
        memcpy(text->bytes + text->length, bytes, length);
        text->length += length;
    }
}

void pawl_prom_puts(struct pawl_prom_text *text, const char *string) {
    pawl_prom_put(text, string, strlen(string));
}

/* ---- numbers ---- */

void pawl_prom_put_count(struct pawl_prom_text *text, uint64_t number) {
    char digits[20], *at = digits + sizeof digits;
    do
        *--at = (char)('0' + number % 10);
    while (number /= 10);
    pawl_prom_put(text, at, (size_t)(digits + sizeof digits - at));
}

/* Numbers with at most nine decimals and 15 digits: a quotient of two exact whole numbers is the double next to it, so
 * that such digits, when they give the number, are its shortest. @return How many, 0 for another number. */
static size_t decimal_quickly(double number, char ret_digits[DIGITS + 1], int *ret_power) {
    double scaled = rint(number * 1e9);
    if (!(scaled >= 1 && scaled < PLAIN) || scaled / 1e9 != number)
        return 0;
    size_t count = 0;
    char reversed[DIGITS + 1];
    for (uint64_t left = (uint64_t)scaled; left; left /= 10)
        reversed[count++] = (char)('0' + left % 10);
    for (size_t i = 0; i < count; i++)
        ret_digits[i] = reversed[count - 1 - i];
    *ret_power = (int)count - 10;
    return count;
}

/* Takes the digits out of printf's text one by one, since its point depends on the host's locale. */
static size_t decimal_surely(double number, char ret_digits[DIGITS + 1], int *ret_power) {
    char written[64];
    int precision = 14;
    do
        (void)snprintf(written, sizeof written, "%.*e", precision, number);
    while (strtod(written, NULL) != number && precision++ < DIGITS - 1);
    size_t count = 0;
    const char *at = written;
    for (; *at && *at != 'e'; at++)
        if (*at >= '0' && *at <= '9' && count < DIGITS)
            ret_digits[count++] = *at;
    *ret_power = *at ? (int)strtol(at + 1, NULL, 10) : 0;
    return count;
}

/* The decimal digits of a finite number that is not negative, without those at the end that are 0, and the power of ten
 * of the first. */
static size_t decimal(double number, char ret_digits[DIGITS + 1], int *ret_power) {
    size_t count = decimal_quickly(number, ret_digits, ret_power);
    if (count == 0)
        count = decimal_surely(number, ret_digits, ret_power);
    while (count > 1 && ret_digits[count - 1] == '0')
        count--;
    return count;
}

static void put_exponential(struct pawl_prom_text *text, const char *digits, size_t count, int power) {
    char exponent[16];
    pawl_prom_put(text, digits, 1);
    if (count > 1) {
        pawl_prom_puts(text, ".");
        pawl_prom_put(text, digits + 1, count - 1);
    }
    (void)snprintf(exponent, sizeof exponent, "e%c%02d", power < 0 ? '-' : '+', abs(power));
    pawl_prom_puts(text, exponent);
}

static void put_fixed(struct pawl_prom_text *text, const char *digits, size_t count, int power) {
    size_t whole = power < 0 ? 0 : (size_t)power + 1;
    if (power < 0) {
        pawl_prom_puts(text, "0.");
        for (int i = -1; i > power; i--)
            pawl_prom_puts(text, "0");
        pawl_prom_put(text, digits, count);
        return;
    }
    for (size_t i = 0; i < whole; i++)
        pawl_prom_put(text, i < count ? &digits[i] : "0", 1);
    pawl_prom_puts(text, ".");
    if (count > whole)
        pawl_prom_put(text, digits + whole, count - whole);
    else
        pawl_prom_puts(text, "0");
}

static bool put_special(struct pawl_prom_text *text, double number) {
    if (isfinite(number))
        return false;
    pawl_prom_puts(text, isnan(number) ? "NaN" : number > 0 ? "+Inf" : "-Inf");
    return true;
}

/* Go's %g, with ".0" behind a whole number: what Prometheus itself makes of a bound. */
void pawl_prom_put_canonical(struct pawl_prom_text *text, double number) {
    char digits[DIGITS + 1];
    int power;
    if (put_special(text, number))
        return;
    if (number < 0)
        pawl_prom_puts(text, "-");
    size_t count = decimal(fabs(number), digits, &power);
    if (power < -4 || power >= 6)
        put_exponential(text, digits, count, power);
    else
        put_fixed(text, digits, count, power);
}

void pawl_prom_put_number(struct pawl_prom_text *text, double number) {
    if (!(fabs(number) < PLAIN) || number != floor(number)) {
        pawl_prom_put_canonical(text, number);
        return;
    }
    if (number < 0)
        pawl_prom_puts(text, "-");
    pawl_prom_put_count(text, (uint64_t)fabs(number));
}

/* ---- strings ---- */

/* How many bytes from the start stand for themselves. */
static size_t plain(const char *string, bool quotes) {
    return strcspn(string, quotes ? "\\\n\r\"" : "\\\n\r");
}

static void put_valid(struct pawl_prom_text *text, const char *string, bool quotes) {
    while (*string) {
        size_t length = plain(string, quotes);
        pawl_prom_put(text, string, length);
        string += length;
        if (*string == '\r' && string[1] == '\n')
            string++;
        if (*string == '\n' || *string == '\r')
            pawl_prom_puts(text, "\\n");
        else if (*string)
            pawl_prom_puts(text, *string == '"' ? "\\\"" : "\\\\");
        string += *string != '\0';
    }
}

void pawl_prom_put_escaped(struct pawl_prom_text *text, const char *string, bool quotes) {
    size_t length = strlen(string);
    if (pawl_utf8_valid(string, length) == length) {
        put_valid(text, string, quotes);
        return;
    }
    char *repaired = pawl_utf8_lossy(string, length, NULL);
    if (repaired)
        put_valid(text, repaired, quotes);
    else
        text->failed = true;
    free(repaired);
}
