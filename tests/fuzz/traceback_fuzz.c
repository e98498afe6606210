/* What interpreters print: any bytes end in no error found, or in one whose pieces lie within the text. The first byte
 * chooses the language; the whole decision is made as well. */
#include "execution/outcome_internal.h"
#include "execution/traceback_internal.h"
#include "fuzz.h"

struct text {
    const char *at;
    size_t length;
};

static void check_within(struct text whole, struct pawl_text piece) {
    if (piece.length > 0 && (piece.at < whole.at || piece.at + piece.length > whole.at + whole.length) &&
        !(piece.length == 8 && memcmp(piece.at, "Uncaught", 8) == 0))
        abort();
}

static void check_pieces(struct text whole, bool found, const struct pawl_uncaught *uncaught) {
    if (!found)
        return;
    check_within(whole, uncaught->name);
    check_within(whole, uncaught->value);
    check_within(whole, uncaught->trace);
    if (uncaught->name.length == 0 || uncaught->trace.length == 0)
        abort();
}

static void check_decision(pawl_language language, struct text text) {
    pawl_execution_result *result = pawl_execution_result_new();
    struct pawl_evidence evidence = {.language = language, .stderr_tail = text.at, .stderr_length = text.length};
    if (!result)
        return;
    result->exit_status = 1;
    result->limits.cpu_ns = PAWL_UNLIMITED;
    if (!pawl_outcome_decide(result, &evidence) || result->outcome == PAWL_EXECUTION_OK || !result->detail)
        abort();
    pawl_execution_result_free(result);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct pawl_uncaught uncaught;
    if (size == 0)
        return 0;
    char *copy = malloc(size > 1 ? size - 1 : 1); /* of its own, so that a read past the end is seen */
    if (!copy)
        return 0;
    memcpy(copy, data + 1, size - 1);
    struct text text = {copy, size - 1};
    pawl_language language = (pawl_language)(data[0] % PAWL_LANGUAGE_COUNT);
    check_pieces(text, pawl_uncaught_python(text.at, text.length, &uncaught), &uncaught);
    check_pieces(text, pawl_uncaught_node(text.at, text.length, &uncaught), &uncaught);
    check_decision(language, text);
    free(copy);
    return 0;
}
