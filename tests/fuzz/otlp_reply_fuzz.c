/* A collector's reply: the first byte says whether of a success; the rest is the body, and also a Retry-After. What is
 * kept is fit for a log line, and no wait is longer than for ever. */
#include "fuzz.h"
#include "http_internal.h"
#include "otlp_exporter_internal.h"
#include "utf8_internal.h"

static void check_reply(const uint8_t *body, size_t bytes, bool success) {
    struct pawl_otlp_reply reply;
    pawl_otlp_read_reply(body, bytes, success, &reply);
    size_t length = strnlen(reply.message, sizeof reply.message);
    require(length < sizeof reply.message && pawl_utf8_valid(reply.message, length) == length);
    for (size_t i = 0; i < length; i++)
        require((unsigned char)reply.message[i] >= ' ' && reply.message[i] != 0x7f);
    require(reply.rejected <= INT64_MAX);
    require(reply.understood || reply.rejected == 0);
    require(success || reply.rejected == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    bool success = size > 0 && data[0] % 2 == 0;
    const uint8_t *body = size > 0 ? data + 1 : data;
    size_t bytes = size > 0 ? size - 1 : 0;
    char *text = text_of_bytes(body, bytes);
    check_reply((const uint8_t *)text, bytes, success);
    (void)pawl_http_retry_after(text);
    free(text);
    return 0;
}
