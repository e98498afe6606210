/* "key=value,key=value" with percent-encoding: what resource attributes and headers have in common; headers. */
#include "environment_internal.h"
#include "http_internal.h"
#include "utf8_internal.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int digit_of(char c) {
    char lower = (char)(c | 0x20);
    if (c >= '0' && c <= '9')
        return c - '0';
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* In place. False for a percent sign without two digits, for NUL, and for what is no UTF-8. */
static bool decode(char *text) {
    char *to = text;
    for (const char *from = text; *from; from++) {
        if (*from != '%') {
            *to++ = *from;
            continue;
        }
        int high = digit_of(from[1]), low = high >= 0 ? digit_of(from[2]) : -1;
        if (low < 0 || high + low == 0)
            return false;
        *to++ = (char)(high * 16 + low);
        from += 2;
    }
    *to = '\0';
    return pawl_utf8_valid(text, (size_t)(to - text)) == (size_t)(to - text);
}

static char *trim(char *text) {
    text += strspn(text, " \t");
    size_t length = strlen(text);
    while (length > 0 && strchr(" \t", text[length - 1]))
        text[--length] = '\0';
    return text;
}

bool pawl_environment_split(char *entry, char **ret_key, char **ret_value) {
    char *equals = strchr(entry, '=');
    if (!equals)
        return false;
    *equals = '\0';
    *ret_key = trim(entry);
    *ret_value = trim(equals + 1);
    return decode(*ret_key) && decode(*ret_value) && **ret_key != '\0';
}

/* ---- headers ---- */

static bool may_be_sent(const pawl_http_header *header) {
    pawl_http_request request = {.size = sizeof request, .url = "http://x", .headers = header, .header_count = 1};
    return pawl_http_request_check(&request, "", NULL) == PAWL_OK && strcasecmp(header->name, "content-type") != 0 &&
           strcasecmp(header->name, "content-encoding") != 0;
}

/* Never tells what is in the text: keys are in it. */
static void split_all(const struct pawl_environment_reader *reader, const char *name, char *text,
                      struct pawl_environment_headers *headers) {
    char *rest = NULL, *key, *value;
    unsigned number = 0;
    for (char *entry = strtok_r(text, ",", &rest); entry; entry = strtok_r(NULL, ",", &rest)) {
        number++;
        if (entry[strspn(entry, " \t")] == '\0')
            continue;
        if (headers->count == PAWL_OTLP_HEADERS) {
            pawl_environment_warn(reader, "%s: more than %u entries; the rest is left out", name, PAWL_OTLP_HEADERS);
            return;
        }
        bool whole = pawl_environment_split(entry, &key, &value);
        headers->list[headers->count] = (pawl_http_header){whole ? key : NULL, whole ? value : NULL};
        if (whole && may_be_sent(&headers->list[headers->count]))
            headers->count++;
        else
            pawl_environment_warn(reader, "%s: entry %u is no name=value that can be sent; it is left out", name,
                                  number);
    }
}

bool pawl_environment_pairs(const struct pawl_environment_reader *reader, const char *name,
                            struct pawl_environment_headers *set) {
    const char *text = pawl_environment_text(reader, name);
    if (!text)
        return true;
    size_t size = strlen(text) + 1, list = PAWL_OTLP_HEADERS * sizeof *set->list;
    set->list = malloc(list + size);
    if (!set->list)
        return false;
    char *copy = (char *)set->list + list;
    split_all(reader, name, memcpy(copy, text, size), set);
    if (set->count > 0)
        return true;
    free(set->list);
    set->list = NULL;
    return true;
}
