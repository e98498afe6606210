/* Terms and elements that were forgotten: a name added to a sum, something in an empty list. */
#include "mutator_names_internal.h"

#define NAMES 2

/* The nearest number-like names before the site. */
static uint32_t nearest_numbers(const struct mutator_program *p, uint32_t site, uint32_t out[NAMES]) {
    uint32_t first, last, count = 0;
    pawl_scope_range(p, site, &first, &last);
    for (uint32_t i = site; i-- > first && count < NAMES;) {
        if (!pawl_is_variable(p, i) || !pawl_is_visible(p, i, site) || pawl_token_equal(p, i, site) ||
            pawl_name_shape(p, i) != MUTATOR_SHAPE_NUMBER || (count > 0 && pawl_token_equal(p, i, out[0])))
            continue;
        out[count++] = i;
    }
    return count;
}

/* f(k) for f(k - n): an argument that is one name. */
static void shift_argument(struct mutator_search *search, uint32_t i) {
    const struct mutator_program *p = search->program;
    static const char *const operators[] = {" - ", " + "};
    uint32_t names[NAMES];
    bool argument = pawl_token_in(p, i - 1, "( , [ : return") && pawl_token_in(p, i + 1, ") , ] :");
    bool statement_end = pawl_token_is(p, i - 1, "return") && pawl_token_kind_is(p, i + 1, MUTATOR_NEWLINE);
    if (!(argument || statement_end) || !pawl_is_variable(p, i) || pawl_name_shape(p, i) != MUTATOR_SHAPE_NUMBER)
        return;
    uint32_t count = nearest_numbers(p, i, names);
    for (uint32_t k = 0; k < count; k++) {
        for (int32_t form = 0; form < 2; form++) {
            struct mutator_edit edit = pawl_edit_after(p, PAWL_MUTATION_TERM, 105 + 10 * (int32_t)k + 3 * form, i);
            pawl_edit_text(&edit, operators[form]);
            pawl_edit_part_tokens(&edit, p, names[k], names[k] + 1);
            pawl_search_add(search, &edit);
        }
    }
}

/* A factor or divisor of two that was forgotten, where a number is returned or assigned. */
static void scale(struct mutator_search *search, uint32_t i) {
    const struct mutator_program *p = search->program;
    static const char *const factors[] = {" // 2", " * 2", " / 2", " % 2", " ** 2"};
    bool statement = p->tokens[i].parent == PAWL_NO_INDEX || !p->language->indented;
    if (!pawl_token_in(p, i, "return =") || !statement)
        return;
    uint32_t first = i + 1, last = p->lines[p->tokens[i].line].last;
    if (last > first && pawl_token_is(p, last - 1, ";"))
        last--;
    if (first >= last || last - first > 60 || pawl_item_end(p, first, last) != last ||
        p->tokens[last - 1].kind == MUTATOR_NUMBER || pawl_expression_shape(p, first, last) != MUTATOR_SHAPE_NUMBER)
        return;
    bool plain = pawl_primary_end(p, first) >= last;
    for (int32_t k = 0; k < 5; k++) {
        if (!p->language->indented && (k == 0 || k == 4))
            continue;
        struct mutator_edit edit = pawl_edit_tokens(p, PAWL_MUTATION_TERM, 105 + 4 * k, first, last);
        pawl_edit_text(&edit, plain ? "" : "(");
        pawl_edit_part_tokens(&edit, p, first, last);
        pawl_edit_text(&edit, plain ? "" : ")");
        pawl_edit_text(&edit, factors[k]);
        pawl_search_add(search, &edit);
    }
}

/* The case of nothing at all, first thing in a function. */
static void guard(struct mutator_search *search, uint32_t definition) {
    const struct mutator_program *p = search->program;
    static const char *const results[] = {"", "[]", "0", "False", "True", "None", "''"};
    uint32_t body = definition + 1;
    while (body < p->line_count && p->lines[body].flags & MUTATOR_LINE_FIXED) /* its docstring */
        body++;
    if (!p->language->indented || body >= p->line_count || p->lines[body].opener != definition)
        return;
    const struct mutator_line *line = &p->lines[body];
    uint32_t name = p->lines[definition].first + 3, at = p->tokens[line->first].start;
    if (!pawl_is_variable(p, name) || pawl_token_in(p, name, "self cls") ||
        pawl_name_shape(p, name) == MUTATOR_SHAPE_NUMBER)
        return;
    for (int32_t k = 0; k < 7; k++) {
        struct mutator_edit edit =
            pawl_edit_bytes(PAWL_MUTATION_INSERT, 95 + 5 * k, p->tokens[line->first].row, at, at);
        pawl_edit_text(&edit, "if not ");
        pawl_edit_part_tokens(&edit, p, name, name + 1);
        pawl_edit_text(&edit, ": return ");
        pawl_edit_part_tokens(&edit, p, name, k == 0 ? name + 1 : name); /* the empty thing itself */
        pawl_edit_text(&edit, results[k]);
        pawl_edit_text(&edit, "\n");
        pawl_edit_part(&edit, p, line->start, at);
        pawl_search_add(search, &edit);
    }
}

/* [] may have to hold an empty list, or what the function was given. */
static void fill_list(struct mutator_search *search, uint32_t open) {
    const struct mutator_program *p = search->program;
    if (!pawl_token_is(p, open, "[") || p->tokens[open].match != open + 1 || pawl_opens_index(p, open))
        return;
    const struct mutator_line *line = &p->lines[p->tokens[open].line];
    if (line->scope == PAWL_NO_INDEX)
        return;
    struct mutator_edit edit = pawl_edit_after(p, PAWL_MUTATION_EXPRESSION, 90, open);
    pawl_edit_text(&edit, "[]");
    pawl_search_add(search, &edit);
    const struct mutator_line *definition = &p->lines[line->scope];
    int32_t found = 0;
    for (uint32_t i = definition->first; i < definition->last && found < 2; i++) {
        if (!pawl_is_variable(p, i) || pawl_token_in(p, i, "self cls this"))
            continue;
        edit = pawl_edit_after(p, PAWL_MUTATION_EXPRESSION, 95 + 5 * found++, open);
        pawl_edit_part_tokens(&edit, p, i, i + 1);
        pawl_search_add(search, &edit);
    }
}

/* while True: the variable that should end it is often at hand. */
static void loop_condition(struct mutator_search *search, uint32_t i) {
    const struct mutator_program *p = search->program;
    if (!pawl_token_is(p, i, "while") || !pawl_token_is(p, i + 1, p->language->true_word) || !p->language->indented)
        return;
    uint32_t first, last;
    int32_t found = 0;
    pawl_scope_range(p, i, &first, &last);
    for (uint32_t at = i; at-- > first && found < 3;) {
        if (!pawl_is_variable(p, at) || !pawl_token_in(p, at + 1, "= , )"))
            continue;
        struct mutator_edit edit = pawl_edit_tokens(p, PAWL_MUTATION_EXPRESSION, 50 + 10 * found++, i + 1, i + 2);
        pawl_edit_part_tokens(&edit, p, at, at + 1);
        pawl_search_add(search, &edit);
    }
}

void pawl_mutate_inserts(struct mutator_search *search) {
    const struct mutator_program *p = search->program;
    for (uint32_t i = 1; i < p->token_count; i++) {
        if (!pawl_is_editable(p, i) || p->language->shell || p->lines[p->tokens[i].line].flags & MUTATOR_LINE_DEFINES)
            continue;
        shift_argument(search, i);
        fill_list(search, i);
        loop_condition(search, i);
        scale(search, i);
    }
    for (uint32_t line = 0; line < p->line_count; line++) {
        if (pawl_is_editable(p, p->lines[line].first) && pawl_token_is(p, p->lines[line].first, "def"))
            guard(search, line);
    }
}
