/* OTEL_RESOURCE_ATTRIBUTES: "key=value,key=value" with percent-encoding (OpenTelemetry's resource SDK specification).
 */
#include "resource_internal.h"
#include "utf8_internal.h"
#include <stdlib.h>
#include <string.h>

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

/* Splits one entry in place; false when it is broken. */
static bool split(char *entry, char **ret_key, char **ret_value) {
    char *equals = strchr(entry, '=');
    if (!equals)
        return false;
    *equals = '\0';
    *ret_key = trim(entry);
    *ret_value = trim(equals + 1);
    return decode(*ret_key) && decode(*ret_value) && **ret_key != '\0';
}

/* Reads the list, and sets what it says only when wanted: nothing is taken of a list with an error in it. */
static bool walk(char *text, pawl_resource *set, pawl_status *ret_status, pawl_error **err) {
    char *rest = NULL, *key, *value;
    for (char *entry = strtok_r(text, ",", &rest); entry && *ret_status == PAWL_OK;
         entry = strtok_r(NULL, ",", &rest)) {
        if (entry[strspn(entry, " \t")] == '\0')
            continue;
        if (!split(entry, &key, &value))
            return false;
        pawl_attribute attribute = pawl_attribute_string(key, value);
        if (set)
            *ret_status = pawl_resource_set(set, &attribute, err);
    }
    return true;
}

pawl_status pawl_resource_set_listed(pawl_resource *resource, const char *text, pawl_error **err) {
    size_t size = strlen(text) + 1;
    char *copy = malloc(size);
    pawl_status status = PAWL_OK;
    if (!copy)
        return pawl_error_set(err, PAWL_E_NOMEM, "resource: out of memory");
    memcpy(copy, text, size);
    if (walk(copy, NULL, &status, err)) {
        memcpy(copy, text, size);
        walk(copy, resource, &status, err);
    }
    free(copy);
    return status;
}
