/* An element for a slice, a slice for the whole, an index for its element. */
#include "mutator_names_internal.h"

static void insert(struct mutator_search *search, uint32_t after, const char *text, int32_t cost) {
    struct mutator_edit edit = pawl_edit_after(search->program, PAWL_MUTATION_WRAP, cost, after);
    pawl_edit_text(&edit, text);
    pawl_search_add(search, &edit);
}

static void bound(struct mutator_search *search, uint32_t first, uint32_t last, int32_t cost) {
    if (first >= last)
        return;
    struct mutator_edit edit = pawl_edit_tokens(search->program, PAWL_MUTATION_UNWRAP, cost, first, last);
    pawl_search_add(search, &edit);
}

/* a[i:j] becomes a[i:], a[:j] and a. */
static void slice(struct mutator_search *search, uint32_t open, uint32_t colon, uint32_t close) {
    const struct mutator_program *p = search->program;
    uint32_t end = colon + 1;
    while (end < close && !pawl_token_is(p, end, ":"))
        end = p->tokens[end].kind == MUTATOR_OPEN && p->tokens[end].match != PAWL_NO_INDEX ? p->tokens[end].match + 1
                                                                                           : end + 1;
    bound(search, open + 1, colon, 50);
    bound(search, colon + 1, end, 50);
    bound(search, open, close + 1, 60);
    if (end == close) {
        insert(search, close - 1, ":2", 95);
        insert(search, close - 1, ":-1", 90);
    }
}

/* a[i] becomes a, i, a[i:] and a[:i]. */
static void element(struct mutator_search *search, uint32_t open, uint32_t close) {
    const struct mutator_program *p = search->program;
    bool number = close == open + 2 && p->tokens[open + 1].kind == MUTATOR_NUMBER;
    bound(search, open, close + 1, 70);
    insert(search, close - 1, ":", 70);
    insert(search, open, ":", 70);
    if (number || close > open + 6)
        return;
    struct mutator_edit edit =
        pawl_edit_tokens(p, PAWL_MUTATION_UNWRAP, 65, pawl_primary_start(p, open - 1), close + 1);
    pawl_edit_part_tokens(&edit, p, open + 1, close);
    pawl_search_add(search, &edit);
}

static void index_or_slice(struct mutator_search *search, uint32_t open) {
    const struct mutator_program *p = search->program;
    uint32_t close = p->tokens[open].match;
    for (uint32_t i = open + 1; i < close; i++) {
        if (pawl_token_is(p, i, ",") || i > open + 60)
            return;
        if (pawl_token_is(p, i, ":")) {
            slice(search, open, i, close);
            return;
        }
        if (p->tokens[i].kind == MUTATOR_OPEN && p->tokens[i].match != PAWL_NO_INDEX)
            i = p->tokens[i].match;
    }
    if (close > open + 1)
        element(search, open, close);
}

void pawl_mutate_slices(struct mutator_search *search) {
    const struct mutator_program *p = search->program;
    for (uint32_t i = 1; i < p->token_count; i++) {
        if (pawl_is_editable(p, i) && pawl_opens_index(p, i) && p->language->indented &&
            !(p->lines[p->tokens[i].line].flags & MUTATOR_LINE_DEFINES))
            index_or_slice(search, i);
    }
}
