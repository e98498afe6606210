/* Values of OTEL_* variables: one reader a kind. Empty is unset; what is wrong is told and counts as unset. */
#include "environment_internal.h"
#include <cjson/cJSON.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SHOWN 60       /* bytes of a wrong value in a warning */
#define MOST_TEXT 4096 /* of a value that is a number or a word */
#define MOST_MS UINT64_C(2147483647)

const char *pawl_environment_getenv(void *user, const char *name) {
    (void)user;
    return getenv(name);
}

const char *pawl_environment_text(const struct pawl_environment_reader *reader, const char *name) {
    const char *text = reader->get(reader->user, name);
    return text && *text ? text : NULL;
}

void pawl_environment_warn(const struct pawl_environment_reader *reader, const char *format, ...) {
    char text[512];
    va_list arguments;
    if (!reader->warn)
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    reader->warn(reader->user, text);
}

/* A value's beginning, for a line of text. */
struct shown {
    char text[SHOWN + 4];
};
static struct shown show(const char *value) {
    struct shown shown;
    size_t length = strnlen(value, SHOWN + 1), at;
    for (at = 0; at < length && at < SHOWN; at++)
        shown.text[at] = value[at] >= ' ' && value[at] <= '~' ? value[at] : '?';
    memcpy(shown.text + at, length > SHOWN ? "..." : "", length > SHOWN ? 4 : 1);
    return shown;
}

/* The value without blanks around it, in buffer; what is longer is none of the words or numbers there are. */
static const char *trimmed(const struct pawl_environment_reader *reader, const char *name, char buffer[MOST_TEXT]) {
    const char *text = pawl_environment_text(reader, name);
    if (!text)
        return NULL;
    text += strspn(text, " \t");
    size_t length = strnlen(text, MOST_TEXT - 1);
    memcpy(buffer, text, length);
    while (length > 0 && strchr(" \t", buffer[length - 1]))
        length--;
    buffer[length] = '\0';
    return length > 0 ? buffer : NULL;
}

/* ---- flags and numbers ---- */

void pawl_environment_flag(const struct pawl_environment_reader *reader, const char *name, uint64_t *set) {
    char buffer[MOST_TEXT];
    const char *text = trimmed(reader, name, buffer);
    if (!text)
        return;
    *set = strcasecmp(text, "true") == 0;
    if (!*set && strcasecmp(text, "false") != 0)
        pawl_environment_warn(reader, "%s is '%s': write true or false; it counts as false", name, show(text).text);
}

static bool parse(const char *text, uint64_t least, uint64_t most, uint64_t *ret_number) {
    uint64_t number = 0;
    for (; *text; text++) {
        uint64_t digit = (uint64_t)(unsigned char)*text - '0';
        if (digit > 9 || number > (most - digit) / 10)
            return false;
        number = number * 10 + digit;
    }
    *ret_number = number;
    return number >= least;
}

void pawl_environment_number(const struct pawl_environment_reader *reader, const char *name, uint64_t least,
                             uint64_t most, uint64_t *set) {
    char buffer[MOST_TEXT];
    uint64_t number = 0;
    const char *text = trimmed(reader, name, buffer);
    if (!text)
        return;
    if (parse(text, least, most, &number))
        *set = number > 0 ? number : PAWL_ZERO;
    else
        pawl_environment_warn(reader, "%s is '%s': write a whole number from %llu to %llu; it is left out", name,
                              show(text).text, (unsigned long long)least, (unsigned long long)most);
}

void pawl_environment_duration(const struct pawl_environment_reader *reader, const char *name, uint64_t zero,
                               uint64_t *set) {
    uint64_t ms = 0;
    pawl_environment_number(reader, name, zero == 0, MOST_MS, &ms);
    if (ms != 0)
        *set = ms == PAWL_ZERO ? zero : PAWL_MS(ms);
}

/* cJSON reads a number whatever the locale's decimal point is. */
void pawl_environment_ratio(const struct pawl_environment_reader *reader, const char *name, double *set) {
    char buffer[MOST_TEXT], number[MOST_TEXT + 1];
    const char *text = trimmed(reader, name, buffer);
    if (!text)
        return;
    snprintf(number, sizeof number, "%s%s", *text == '.' ? "0" : "", text);
    cJSON *parsed = cJSON_ParseWithOpts(number, NULL, true);
    double ratio = cJSON_IsNumber(parsed) ? parsed->valuedouble : -1;
    cJSON_Delete(parsed);
    if (ratio >= 0 && ratio <= 1)
        *set = ratio;
    else
        pawl_environment_warn(reader, "%s is '%s': write a number from 0 to 1; it is left out", name, show(text).text);
}

/* ---- words ---- */

/* The number of a word among words, from 1; 0 for none of them. */
static uint64_t number_of(const char *words, const char *text, size_t length) {
    uint64_t number = 1;
    for (const char *at = words; *at; number++) {
        size_t word = strcspn(at, " ");
        if (word == length && strncasecmp(at, text, length) == 0)
            return number;
        at += word + (at[word] == ' ');
    }
    return 0;
}

void pawl_environment_word(const struct pawl_environment_reader *reader, const char *name, const char *words,
                           uint64_t *set) {
    char buffer[MOST_TEXT];
    const char *text = trimmed(reader, name, buffer);
    if (!text)
        return;
    uint64_t number = number_of(words, text, strlen(text));
    if (number > 0)
        *set = number;
    else
        pawl_environment_warn(reader, "%s is '%s': pawl knows %s; it is left out", name, show(text).text, words);
}

void pawl_environment_list(const struct pawl_environment_reader *reader, const char *name, const char *words,
                           uint64_t none, uint64_t *set) {
    char buffer[MOST_TEXT], *rest = NULL;
    uint64_t bits = 0;
    if (!trimmed(reader, name, buffer))
        return;
    for (char *entry = strtok_r(buffer, ", \t", &rest); entry; entry = strtok_r(NULL, ", \t", &rest)) {
        uint64_t number = number_of(words, entry, strlen(entry));
        if (number > 0)
            bits |= UINT64_C(1) << (number - 1);
        else
            pawl_environment_warn(reader, "%s has '%s' in it: pawl knows %s; it is left out", name, show(entry).text,
                                  words);
    }
    if ((bits & none) && bits != none) {
        pawl_environment_warn(reader, "%s has 'none' and others in it: none is left out", name);
        bits &= ~none;
    }
    *set = bits;
}
