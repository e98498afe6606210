/* Operators with an operand too many, operands in the wrong order, parentheses in the wrong place. */
#include "mutator_edit_internal.h"

static void drop_operand(struct mutator_search *search, uint32_t i, uint32_t left, uint32_t right, int32_t cost) {
    const struct mutator_program *p = search->program;
    struct mutator_edit edit = pawl_edit_tokens(p, PAWL_MUTATION_TERM, cost, i, right);
    edit.start = p->tokens[i - 1].end;
    pawl_search_add(search, &edit);
    edit = pawl_edit_tokens(p, PAWL_MUTATION_TERM, cost + 5, left, i);
    edit.end = p->tokens[i + 1].start;
    pawl_search_add(search, &edit);
}

static void swap_operands(struct mutator_search *search, uint32_t i, uint32_t left, uint32_t right, int32_t cost) {
    const struct mutator_program *p = search->program;
    struct mutator_edit edit = pawl_edit_tokens(p, PAWL_MUTATION_OPERANDS, cost, left, right);
    pawl_edit_part_tokens(&edit, p, i + 1, right);
    pawl_edit_part(&edit, p, p->tokens[i - 1].end, p->tokens[i + 1].start);
    pawl_edit_part_tokens(&edit, p, left, i);
    pawl_search_add(search, &edit);
}

static void parenthesise(struct mutator_search *search, uint32_t first, uint32_t last, int32_t cost) {
    const struct mutator_program *p = search->program;
    struct mutator_edit edit = pawl_edit_tokens(p, PAWL_MUTATION_GROUPING, cost, first, last);
    pawl_edit_text(&edit, "(");
    pawl_edit_part_tokens(&edit, p, first, last);
    pawl_edit_text(&edit, ")");
    pawl_search_add(search, &edit);
}

/* a % b - 1 for a % (b - 1): the operator's two nearest primaries, when a neighbour binds at least as tightly. */
static void group(struct mutator_search *search, uint32_t i) {
    const struct mutator_program *p = search->program;
    int precedence = pawl_operator_precedence(p, i);
    uint32_t first = pawl_primary_start(p, i - 1), last = pawl_primary_end(p, i + 1);
    int before = first > 0 ? pawl_operator_precedence(p, first - 1) : 0, after = pawl_operator_precedence(p, last);
    if (precedence == 4 || last <= i + 1)
        return;
    bool changes_before =
        before > precedence || (before == precedence && !pawl_token_in(p, first - 1, "+ * and or && ||"));
    if (changes_before || after > precedence)
        parenthesise(search, first, last, 50);
    bool prefixed = pawl_token_in(p, first - 1, "- not !") && before == 0;
    if (prefixed && precedence < 11)
        parenthesise(search, first, last, 60);
}

/* (a + b) with an operator beside it loses its parentheses. */
static void ungroup(struct mutator_search *search, uint32_t open) {
    const struct mutator_program *p = search->program;
    uint32_t close = p->tokens[open].match;
    if (!pawl_token_is(p, open, "(") || close == PAWL_NO_INDEX || close < open + 4 || pawl_ends_operand(p, open - 1))
        return;
    bool beside = pawl_operator_precedence(p, open - 1) > 0 || pawl_operator_precedence(p, close + 1) > 0;
    if (!beside || pawl_item_end(p, open + 1, close) != close)
        return;
    struct mutator_edit edit = pawl_edit_tokens(p, PAWL_MUTATION_GROUPING, 60, open, close + 1);
    pawl_edit_part_tokens(&edit, p, open + 1, close);
    pawl_search_add(search, &edit);
}

static void sign(struct mutator_search *search, uint32_t i) {
    const struct mutator_program *p = search->program;
    if (!pawl_token_is(p, i, "-") || pawl_ends_operand(p, i - 1) || !pawl_begins_operand(p, i + 1))
        return;
    struct mutator_edit edit = pawl_edit_tokens(p, PAWL_MUTATION_TERM, 30, i, i + 1);
    pawl_search_add(search, &edit);
}

static void operation(struct mutator_search *search, uint32_t i) {
    const struct mutator_program *p = search->program;
    int precedence = pawl_operator_precedence(p, i);
    uint32_t left = pawl_left_operand(p, i), right = pawl_right_operand(p, i);
    if (precedence == 0 || left >= i || right <= i + 1 || precedence == 4)
        return;
    drop_operand(search, i, left, right, precedence < 4 ? 40 : 38);
    if (pawl_token_in(p, i, "- / // % ** << >>"))
        swap_operands(search, i, left, right, 40);
    else if (pawl_token_is(p, i, "+") &&
             (p->tokens[left].kind == MUTATOR_STRING || p->tokens[i + 1].kind == MUTATOR_STRING ||
              pawl_token_is(p, i + 1, "[") || pawl_token_is(p, i - 1, "]")))
        swap_operands(search, i, left, right, 60);
    group(search, i);
}

void pawl_mutate_terms(struct mutator_search *search) {
    const struct mutator_program *p = search->program;
    for (uint32_t i = 1; i < p->token_count; i++) {
        if (!pawl_is_editable(p, i) || !pawl_in_arithmetic(p, i))
            continue;
        if (p->tokens[i].kind == MUTATOR_OPERATOR || p->tokens[i].kind == MUTATOR_KEYWORD)
            operation(search, i);
        if (p->tokens[i].kind == MUTATOR_OPEN)
            ungroup(search, i);
        sign(search, i);
    }
}
