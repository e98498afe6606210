/* Arguments that were left out, and calls that close too early, too late or in the wrong order. */
#include "mutator_names_internal.h"

struct extra {
    const char *functions; /* without this argument they do nearly what is wanted */
    const char *arguments; /* separated by | */
    uint32_t given;        /* only with so many arguments */
    int32_t cost;
};

static const struct extra python_extras[] = {
    {"sorted sort", "reverse=True|key=len|key=abs|key=str", 1, 55},
    {"sort", "reverse=True|key=len|key=abs", 0, 55},
    {"max min", "key=len|default=0|key=abs", 1, 75},
    {"enumerate", "1", 1, 50},
    {"range", "2|-1", 2, 65},
    {"get", "0|[]|''", 1, 50},
    {"pop", "0|-1", 0, 50},
    {"split rsplit", "1", 1, 80},
    {"split", "','|' '", 0, 80},
    {"round", "2|1", 1, 60},
    {"replace", "1", 2, 85},
    {"int", "2|16", 1, 85},
    {"sum", "0", 1, 95},
    {"zip", "strict=True", 2, 95},
};
static const struct extra javascript_extras[] = {
    {"parseInt", "10", 1, 50},
    {"slice", "1|0,-1", 0, 60},
    {"sort", "(a, b) => a - b|(a, b) => b - a", 0, 30}, /* without it numbers are compared as texts */
    {"toFixed", "2", 0, 60},
    {"split", "''|' '", 0, 50},
    {"join", "''|' '", 0, 40},
    {"reduce", "0|1|''", 1, 60},
};

static void append(struct mutator_search *search, uint32_t open, const struct extra *extra) {
    const struct mutator_program *p = search->program;
    uint32_t close = p->tokens[open].match;
    const char *list = extra->arguments;
    struct mutator_piece argument;
    for (int32_t rank = 0; pawl_next_word(&list, '|', &argument); rank++) {
        struct mutator_edit edit = pawl_edit_after(p, PAWL_MUTATION_ARGUMENTS, extra->cost + 8 * rank, close - 1);
        pawl_edit_text(&edit, close > open + 1 ? ", " : "");
        pawl_edit_piece(&edit, argument);
        pawl_search_add(search, &edit);
    }
}

static void missing(struct mutator_search *search, uint32_t open) {
    const struct mutator_program *p = search->program;
    bool python = p->language->indented;
    const struct extra *extras = python ? python_extras : javascript_extras;
    size_t count = python ? sizeof python_extras / sizeof *extras : sizeof javascript_extras / sizeof *extras;
    if (!python && !p->language->template_strings)
        return;
    if (pawl_range_holds(p, open + 1, p->tokens[open].match, "for"))
        return;
    for (size_t i = 0; i < count; i++) {
        if (pawl_token_in(p, open - 1, extras[i].functions) && pawl_count_items(p, open) == extras[i].given)
            append(search, open, &extras[i]);
    }
}

/* f(g(x)) for g(f(x)): the two names change places. */
static void swap_nested(struct mutator_search *search, uint32_t open) {
    const struct mutator_program *p = search->program;
    uint32_t outer = open - 1, inner = open + 1, close = p->tokens[open].match;
    if (!pawl_is_called(p, inner) || p->tokens[inner].kind != MUTATOR_NAME || pawl_is_attribute(p, outer) ||
        p->tokens[inner + 1].match + 1 != close || pawl_token_equal(p, outer, inner))
        return;
    struct mutator_edit edit = pawl_edit_tokens(p, PAWL_MUTATION_FUNCTION, 75, outer, inner + 1);
    pawl_edit_part_tokens(&edit, p, inner, inner + 1);
    pawl_edit_text(&edit, "(");
    pawl_edit_part_tokens(&edit, p, outer, outer + 1);
    pawl_search_add(search, &edit);
}

/* f(a) + b for f(a + b). */
static void close_later(struct mutator_search *search, uint32_t open) {
    const struct mutator_program *p = search->program;
    uint32_t close = p->tokens[open].match, operator= close + 1;
    if (close == open + 1 || pawl_operator_precedence(p, operator) < 9)
        return;
    uint32_t end = pawl_right_operand(p, operator);
    struct mutator_edit edit = pawl_edit_tokens(p, PAWL_MUTATION_GROUPING, 65, close, end);
    pawl_edit_part(&edit, p, p->tokens[close].end, p->tokens[end - 1].end);
    pawl_edit_text(&edit, ")");
    pawl_search_add(search, &edit);
}

/* f(a + b) for f(a) + b: only the last operator of the last argument. */
static void close_earlier(struct mutator_search *search, uint32_t open) {
    const struct mutator_program *p = search->program;
    uint32_t close = p->tokens[open].match, found = PAWL_NO_INDEX;
    for (uint32_t i = open + 1; i < close && i < open + 100; i++) {
        if (pawl_token_in(p, i, ", for if"))
            return;
        if (pawl_operator_precedence(p, i) >= 9)
            found = i;
        if (p->tokens[i].kind == MUTATOR_OPEN && p->tokens[i].match != PAWL_NO_INDEX)
            i = p->tokens[i].match;
    }
    if (found == PAWL_NO_INDEX || pawl_right_operand(p, found) != close)
        return;
    struct mutator_edit edit = pawl_edit_tokens(p, PAWL_MUTATION_GROUPING, 65, found, close + 1);
    edit.start = p->tokens[found - 1].end;
    pawl_edit_text(&edit, ")");
    pawl_edit_part(&edit, p, p->tokens[found - 1].end, p->tokens[close - 1].end);
    pawl_search_add(search, &edit);
}

void pawl_mutate_arguments(struct mutator_search *search) {
    const struct mutator_program *p = search->program;
    for (uint32_t i = 1; i < p->token_count; i++) {
        if (!pawl_is_editable(p, i) || !pawl_opens_call(p, i) ||
            p->lines[p->tokens[i].line].flags & MUTATOR_LINE_DEFINES || p->tokens[i - 1].kind != MUTATOR_NAME)
            continue;
        missing(search, i);
        swap_nested(search, i);
        close_later(search, i);
        close_earlier(search, i);
    }
}
