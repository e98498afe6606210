/** @file base64_internal.h  @brief Base64 of RFC 4648, section 4: standard alphabet, padded, no line breaks. */
#ifndef PAWL_BASE64_INTERNAL_H
#define PAWL_BASE64_INTERNAL_H

#include <pawl/base.h>

/** @return Length of the text for so many bytes, without NUL. length is at most SIZE_MAX / 2. */
static inline size_t pawl_base64_length(size_t length) {
    return (length / 3 + (length % 3 != 0)) * 4;
}

/** @param ret_text pawl_base64_length(length) + 1 bytes; ends in NUL. */
void pawl_base64_encode(const void *bytes, size_t length, char *ret_text);

/** @return New text, released with free(), NULL without memory. */
PAWL_NODISCARD char *pawl_base64_encode_new(const void *bytes, size_t length);

/**
 * Decodes strictly: other characters, white space, missing padding and set bits behind the last byte are refused.
 * @param ret_bytes   length / 4 * 3 bytes; may be text itself. Undefined when refused.
 * @param ret_length  Number of bytes.
 */
bool pawl_base64_decode(const char *text, size_t length, void *ret_bytes, size_t *ret_length);

#endif
