/* Bytes as a tracestate whose sampling threshold is set, set again and removed: what is written is always valid. */
#include "fuzz.h"
#include "w3c_internal.h"

static void require_valid(const char *text) {
    char *same = pawl_w3c_normalise_tracestate(text);
    require(text[0] == '\0' ? same == NULL : same && strcmp(same, text) == 0);
    free(same);
}

static void require_same_random_value(const char *before, const char *after) {
    uint64_t a = 0, b = 0;
    bool had = pawl_w3c_random_value(before, &a), has = pawl_w3c_random_value(after, &b);
    require(had == has && a == b);
}

static void check_removal(const char *with) {
    char *without = pawl_w3c_set_threshold(with, NULL);
    require(without != NULL);
    require_valid(without);
    require_same_random_value(with, without);
    require(pawl_w3c_set_threshold(without, NULL) == NULL);
    free(without);
}

static void check(const char *text) {
    char *with = pawl_w3c_set_threshold(text, "8");
    if (!with)
        return;
    require(strncmp(with, "ot=th:8", 7) == 0 && strlen(with) <= 512);
    require_valid(with);
    char *again = pawl_w3c_set_threshold(with, "8");
    require(again && strcmp(with, again) == 0);
    check_removal(with);
    free(again);
    free(with);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = text_of_bytes(data, size);
    check(text);
    char *clean = pawl_w3c_normalise_tracestate(text);
    if (clean) {
        check(clean);
        char *with = pawl_w3c_set_threshold(clean, "8");
        if (with && strlen(clean) < 200)
            require_same_random_value(clean, with);
        free(with);
    }
    free(clean);
    free(text);
    return 0;
}
