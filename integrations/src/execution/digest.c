/* Digests of programs. */
#include "digest_internal.h"
#include <nettle/sha2.h>
#include <stdint.h>
#include <stdio.h>

void pawl_sha256_hex(const void *bytes, size_t length, char ret_text[PAWL_SHA256_HEX_BYTES]) {
    struct sha256_ctx sha;
    uint8_t digest[SHA256_DIGEST_SIZE];
    sha256_init(&sha);
    if (length > 0)
        sha256_update(&sha, length, bytes);
    sha256_digest(&sha, sizeof digest, digest);
    for (size_t i = 0; i < sizeof digest; i++)
        snprintf(ret_text + 2 * i, 3, "%02x", digest[i]);
}
