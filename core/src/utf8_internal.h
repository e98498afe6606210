/** @file utf8_internal.h  @brief Checks, cuts and repairs UTF-8 (RFC 3629: no surrogates, no overlong forms, up to
 * U+10FFFF). */
#ifndef PAWL_UTF8_INTERNAL_H
#define PAWL_UTF8_INTERNAL_H

#include <pawl/base.h>

/** @return How many bytes from the start are whole, valid characters; length when all are. NUL is a valid character. */
size_t pawl_utf8_valid(const char *text, size_t length);

/** @return length, or less by up to three bytes when text ends inside a character. Bytes that are no UTF-8 are not cut.
 */
size_t pawl_utf8_cut(const char *text, size_t length);

/**
 * Copies bytes as text that fits into a C string and into JSON: NUL and what is no UTF-8 become U+FFFD, one for each
 * maximal part that could have begun a character (Unicode 15, section 3.9, "U+FFFD Substitution of Maximal Subparts").
 * @param buffer  At most size bytes are written, NUL included, whole characters only. May be NULL with size 0.
 * @return Length of the whole text in bytes (snprintf's rule), so that a first call can measure.
 */
size_t pawl_utf8_lossy_into(const char *bytes, size_t length, char *buffer, size_t size);

/** The same into new memory, released with free(). @param ret_length May be NULL. @return NULL without memory. */
PAWL_NODISCARD char *pawl_utf8_lossy(const char *bytes, size_t length, size_t *ret_length);

#endif
