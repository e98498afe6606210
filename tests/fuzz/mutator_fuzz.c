/* Any text in any language: candidates differ from it, say what they are in clean words, and come to an end. */
#include "fix/mutator_internal.h"
#include "fuzz.h"

static void check(const struct pawl_mutation *mutation, const char *text, size_t length) {
    require(mutation->length != length || memcmp(mutation->text, text, length) != 0);
    require(mutation->text[mutation->length] == '\0');
    require(mutation->line >= 1 && strcmp(pawl_mutation_kind_name(mutation->kind), "unknown") != 0);
    for (const char *c = mutation->description; *c; c++)
        require((unsigned char)*c >= ' ' && *c != 0x7f);
}

/* The first byte chooses the language, the second a line to look at first. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const languages[] = {"python", "javascript", "bash", "c"};
    if (size < 2 || size > 1 << 16)
        return 0;
    struct pawl_mutator_hint hint = {.line = data[1], .weight = 1};
    struct pawl_mutator_options options = {
        .language = languages[data[0] % 4], .hints = &hint, .hint_count = 1, .max_candidates = 200};
    const char *text = (const char *)data + 2;
    struct pawl_mutator *mutator = pawl_mutator_new(text, size - 2, &options);
    struct pawl_mutation mutation;
    require(mutator != NULL);
    size_t count = 0;
    for (; pawl_mutator_next(mutator, &mutation); count++)
        check(&mutation, text, size - 2);
    require(count <= 200);
    pawl_mutator_free(mutator);
    return 0;
}
