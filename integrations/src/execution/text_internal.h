/* Lines and prefixes of texts that do not end in NUL. */
#ifndef PAWL_EXECUTION_TEXT_H
#define PAWL_EXECUTION_TEXT_H

#include <string.h>

#include "traceback_internal.h"

/* Takes the next line off the rest, without its end. False: none left. */
static inline bool pawl_text_line(struct pawl_text *rest, struct pawl_text *ret_line) {
    if (rest->length == 0)
        return false;
    const char *end = memchr(rest->at, '\n', rest->length);
    size_t length = end ? (size_t)(end - rest->at) : rest->length, taken = end ? length + 1 : length;
    *ret_line = (struct pawl_text){rest->at, length};
    if (length > 0 && rest->at[length - 1] == '\r')
        ret_line->length--;
    rest->at += taken;
    rest->length -= taken;
    return true;
}

static inline bool pawl_text_begins(struct pawl_text text, const char *prefix) {
    size_t length = strlen(prefix);
    return text.length >= length && memcmp(text.at, prefix, length) == 0;
}

static inline bool pawl_text_is(struct pawl_text text, const char *whole) {
    return text.length == strlen(whole) && pawl_text_begins(text, whole);
}

static inline bool pawl_text_has(struct pawl_text text, const char *part) {
    return memmem(text.at, text.length, part, strlen(part)) != NULL;
}

static inline struct pawl_text pawl_text_trim_end(struct pawl_text text) {
    while (text.length > 0 && strchr(" \t\r\n", text.at[text.length - 1]) && text.at[text.length - 1])
        text.length--;
    return text;
}

/* From a place in text to its end. */
static inline struct pawl_text pawl_text_from(struct pawl_text text, const char *at) {
    return (struct pawl_text){at, (size_t)(text.at + text.length - at)};
}

#endif
