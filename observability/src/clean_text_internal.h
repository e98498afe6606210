/* Text for a terminal. */
#ifndef PAWL_CLEAN_TEXT_INTERNAL_H
#define PAWL_CLEAN_TEXT_INTERNAL_H

#include <pawl/base.h>

/* Whether the character at text, which is UTF-8 that may have been cut, could move the reader's cursor or turn the text
 * around: C0, DEL, C1, and the marks of direction. Returns its bytes, of a cut one what it should have. */
size_t pawl_clean_character(const char *text, bool *ret_harmful);
/* Puts '?' in place of each such character, but of those in kept, which are ASCII. */
void pawl_clean_text(char *text, const char *kept);

#endif
