/* Any header gives baggage within its bounds, and what is written reads and writes the same. */
#include "baggage_internal.h"
#include "fuzz.h"

static void check_header(const char *header) {
    require(strlen(header) <= 8192);
    for (const char *c = header; *c; c++)
        require((*c >= ' ' && *c <= '~') || *c == '\t');
}

static void check(const char *text) {
    struct pawl_baggage *baggage = pawl_baggage_parse(text);
    char *written = pawl_baggage_format(baggage);
    require(written != NULL);
    check_header(written);
    struct pawl_baggage *again = pawl_baggage_parse(written);
    char *rewritten = pawl_baggage_format(again);
    require(rewritten && strcmp(written, rewritten) == 0);
    (void)pawl_baggage_set(&again, "added", text, NULL);
    char *longer = pawl_baggage_format(again);
    require(longer != NULL);
    check_header(longer);
    free(longer);
    free(rewritten);
    free(written);
    pawl_baggage_free(again);
    pawl_baggage_free(baggage);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = text_of_bytes(data, size);
    check(text);
    free(text);
    return 0;
}
