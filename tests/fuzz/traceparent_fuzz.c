/* The same bytes as traceparent and as tracestate: what is accepted is accepted again as it is written. */
#include "fuzz.h"
#include "w3c_internal.h"

static void check_traceparent(const char *text) {
    struct pawl_traceparent parent;
    struct pawl_traceparent again;
    char written[PAWL_W3C_TRACEPARENT_BYTES];
    if (!pawl_w3c_parse_traceparent(text, &parent))
        return;
    pawl_w3c_format_traceparent(&parent, written);
    require(strlen(written) + 1 == sizeof written);
    require(pawl_w3c_parse_traceparent(written, &again));
    require(memcmp(&parent, &again, sizeof parent) == 0);
}

static void check_tracestate(const char *text) {
    char *written = pawl_w3c_normalise_tracestate(text);
    if (!written)
        return;
    char *again = pawl_w3c_normalise_tracestate(written);
    require(written[0] != '\0' && again && strcmp(written, again) == 0);
    free(again);
    free(written);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = text_of_bytes(data, size);
    check_traceparent(text);
    check_tracestate(text);
    free(text);
    return 0;
}
