/* The digest of a program, by which spans and the audit log tell of the same one (FIPS 180-4, SHA-256). */
#ifndef PAWL_DIGEST_INTERNAL_H
#define PAWL_DIGEST_INTERNAL_H

#include <stddef.h>

#define PAWL_SHA256_HEX_BYTES 65

/* 64 lower-case hexadecimal digits and a NUL. bytes: NULL only when length is 0. */
void pawl_sha256_hex(const void *bytes, size_t length, char ret_text[PAWL_SHA256_HEX_BYTES]);

#endif
