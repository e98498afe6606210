/* Trimming for feedback and records. */
#ifndef PAWL_FIX_FEEDBACK_INTERNAL_H
#define PAWL_FIX_FEEDBACK_INTERNAL_H

#include <stddef.h>

/* Writes text, or its head, a line that tells how many bytes were left out, and its tail: cut at line ends, never in a
 * character. At most `most` bytes and no NUL are written to ret_text. Returns how many. */
size_t pawl_feedback_trim(const char *text, size_t length, size_t most, char *ret_text);

#endif
