/* Copies of texts by malloc itself, so that tests can make them fail (strdup() allocates inside libc). */
#ifndef PAWL_EXECUTION_COPY_H
#define PAWL_EXECUTION_COPY_H

#include <stdlib.h>
#include <string.h>

/* New text, released with free(); NULL without memory. */
static inline char *pawl_copy_text(const char *text) {
    size_t bytes = strlen(text) + 1;
    char *copy = malloc(bytes);
    return copy ? memcpy(copy, text, bytes) : NULL;
}

#endif
