/* One too many or too few: + 1 and - 1 where counting goes wrong, in indexes, slices, ranges and comparisons. */
#include "mutator_names_internal.h"

/* "+ 1" can stand after the range: arithmetic without a lone literal, which is a constant's matter. */
static bool can_shift(const struct mutator_program *p, uint32_t first, uint32_t last) {
    if (first >= last || last - first > 200 || !pawl_ends_operand(p, last - 1))
        return false;
    if (p->tokens[last - 1].kind == MUTATOR_NUMBER || p->tokens[last - 1].kind == MUTATOR_STRING ||
        pawl_token_in(p, last - 1, "} True False None true false null"))
        return false;
    if (p->tokens[first].kind == MUTATOR_STRING)
        return false;
    for (uint32_t i = first; i < last; i++) {
        int precedence = pawl_operator_precedence(p, i);
        if ((precedence > 0 && precedence < 9) || pawl_token_in(p, i, "for if lambda = => not : , *"))
            return pawl_token_is(p, i, "*") && precedence > 0;
        if (p->tokens[i].kind == MUTATOR_OPEN && p->tokens[i].match != PAWL_NO_INDEX)
            i = p->tokens[i].match;
    }
    return true;
}

static void shift(struct mutator_search *search, uint32_t first, uint32_t last, int32_t cost) {
    const struct mutator_program *p = search->program;
    static const char *const terms[] = {" + 1", " - 1"};
    if (!can_shift(p, first, last))
        return;
    enum mutator_shape shape = pawl_expression_shape(p, first, last);
    if (shape != MUTATOR_SHAPE_UNKNOWN && shape != MUTATOR_SHAPE_NUMBER)
        return;
    for (int i = 0; i < 2; i++) {
        struct mutator_edit edit = pawl_edit_after(p, PAWL_MUTATION_OFFSET, cost + 5 * i, last - 1);
        pawl_edit_text(&edit, terms[i]);
        pawl_search_add(search, &edit);
    }
}

/* The parts of a bracket between commas and colons. */
static void shift_items(struct mutator_search *search, uint32_t open, int32_t cost) {
    const struct mutator_program *p = search->program;
    uint32_t close = p->tokens[open].match, first = open + 1;
    for (uint32_t i = open + 1; i <= close; i++) {
        if (i == close || pawl_token_in(p, i, ", :")) {
            shift(search, first, i, cost);
            first = i + 1;
        } else if (p->tokens[i].kind == MUTATOR_OPEN && p->tokens[i].match != PAWL_NO_INDEX)
            i = p->tokens[i].match;
    }
}

static void range_call(struct mutator_search *search, uint32_t open) {
    const struct mutator_program *p = search->program;
    shift_items(search, open, 25);
    uint32_t close = p->tokens[open].match;
    bool one_argument = close > open + 1 && pawl_item_end(p, open + 1, close) == close;
    if (!one_argument)
        return;
    struct mutator_edit edit = pawl_edit_after(p, PAWL_MUTATION_OFFSET, 40, open);
    pawl_edit_text(&edit, "1, ");
    pawl_search_add(search, &edit);
}

static void brackets(struct mutator_search *search, uint32_t i) {
    const struct mutator_program *p = search->program;
    if (pawl_opens_index(p, i))
        shift_items(search, i, 40);
    else if (pawl_opens_call(p, i) && pawl_token_is(p, i - 1, "range"))
        range_call(search, i);
    else if (pawl_opens_call(p, i) && pawl_token_in(p, i - 1, "slice substring substr"))
        shift_items(search, i, 35);
    else if (pawl_opens_call(p, i) && pawl_token_in(p, i - 1, "len"))
        shift(search, i - 1, p->tokens[i].match + 1, 45);
    else if (pawl_opens_call(p, i))
        shift_items(search, i, 80);
}

static void comparison(struct mutator_search *search, uint32_t i) {
    const struct mutator_program *p = search->program;
    if (!pawl_token_in(p, i, "< > <= >= == != === !==") || pawl_operator_precedence(p, i) == 0)
        return;
    shift(search, i + 1, pawl_right_operand(p, i), 55);
    shift(search, pawl_left_operand(p, i), i, 60);
}

/* + 1 and - 1 that are there go. */
static void unshift(struct mutator_search *search, uint32_t i) {
    const struct mutator_program *p = search->program;
    if (!pawl_token_in(p, i, "+ -") || pawl_operator_precedence(p, i) == 0 || !pawl_token_in(p, i + 1, "1 1.0"))
        return;
    if (pawl_operator_precedence(p, i + 2) > 9)
        return;
    struct mutator_edit edit = pawl_edit_tokens(p, PAWL_MUTATION_OFFSET, 20, i, i + 2);
    edit.start = p->tokens[i - 1].end;
    pawl_search_add(search, &edit);
}

static void result(struct mutator_search *search, uint32_t i) {
    const struct mutator_program *p = search->program;
    if (!pawl_token_in(p, i, "return = +="))
        return;
    const struct mutator_line *line = &p->lines[p->tokens[i].line];
    if (p->tokens[i].parent != PAWL_NO_INDEX && p->language->indented)
        return;
    uint32_t end = line->last;
    if (end > i + 1 && pawl_token_is(p, end - 1, ";"))
        end--;
    bool number = pawl_expression_shape(p, i + 1, end) == MUTATOR_SHAPE_NUMBER;
    shift(search, i + 1, end, number ? 50 : 70);
}

void pawl_mutate_offsets(struct mutator_search *search) {
    const struct mutator_program *p = search->program;
    for (uint32_t i = 1; i < p->token_count; i++) {
        if (!pawl_is_editable(p, i) || !pawl_in_arithmetic(p, i) ||
            p->lines[p->tokens[i].line].flags & MUTATOR_LINE_DEFINES)
            continue;
        brackets(search, i);
        comparison(search, i);
        unshift(search, i);
        result(search, i);
    }
}
