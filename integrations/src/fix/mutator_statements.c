/* Statements too many, in the wrong order, or missing where another one shows what is meant. */
#include "mutator_names_internal.h"

#define COPIES 6

static bool is_simple(const struct mutator_program *p, uint32_t line) {
    return line < p->line_count && p->lines[line].flags & MUTATOR_LINE_SIMPLE;
}

/* The only statement of a block that indentation makes. */
static bool is_alone(const struct mutator_program *p, uint32_t line) {
    const struct mutator_line *l = &p->lines[line];
    bool first = line == 0 || l->opener == line - 1;
    bool last = line + 1 == p->line_count || p->lines[line + 1].indent < l->indent;
    return p->language->indented && first && last;
}

static void drop(struct mutator_search *search, uint32_t line) {
    const struct mutator_program *p = search->program;
    const struct mutator_line *l = &p->lines[line];
    int32_t cost = pawl_token_in(p, l->first, "return pass raise throw") ? 75 : 55;
    struct mutator_edit edit = pawl_edit_bytes(PAWL_MUTATION_DROP, cost, pawl_line_row(p, line), l->start, l->end);
    if (is_alone(p, line)) {
        edit.start = pawl_line_start(p, line);
        edit.end = pawl_line_end(p, line);
        pawl_edit_text(&edit, "pass");
    }
    pawl_search_add(search, &edit);
}

static void swap_with_next(struct mutator_search *search, uint32_t line) {
    const struct mutator_program *p = search->program;
    if (!is_simple(p, line + 1) || p->lines[line + 1].indent != p->lines[line].indent ||
        pawl_token_in(p, p->lines[line].first, "return break continue pass raise throw"))
        return;
    uint32_t start = pawl_line_start(p, line), end = pawl_line_end(p, line + 1);
    struct mutator_edit edit = pawl_edit_bytes(PAWL_MUTATION_SWAP_LINES, 50, pawl_line_row(p, line), start, end);
    pawl_edit_part(&edit, p, pawl_line_start(p, line + 1), end);
    pawl_edit_part(&edit, p, pawl_line_end(p, line), pawl_line_start(p, line + 1));
    pawl_edit_part(&edit, p, start, pawl_line_end(p, line));
    edit.note = "changed places with the next statement";
    pawl_search_add(search, &edit);
}

/* A jump, or a statement that means something else as one. */
static void jump(struct mutator_search *search, uint32_t line) {
    const struct mutator_program *p = search->program;
    uint32_t i = p->lines[line].first;
    if (pawl_token_is(p, i, "break"))
        pawl_search_replace(search, PAWL_MUTATION_JUMP, 30, i, i + 1, "continue");
    else if (pawl_token_is(p, i, "continue"))
        pawl_search_replace(search, PAWL_MUTATION_JUMP, 30, i, i + 1, "break");
    else if (pawl_token_is(p, i, "pass") && p->language->indented) {
        pawl_search_replace(search, PAWL_MUTATION_JUMP, 60, i, i + 1, "continue");
        pawl_search_replace(search, PAWL_MUTATION_JUMP, 65, i, i + 1, "break");
    }
}

/* Begins a copy of @p model's indentation after the line's last byte, on a line of its own. */
static struct mutator_edit insertion_after(const struct mutator_program *p, uint32_t line, uint32_t model,
                                           int32_t cost) {
    uint32_t end = p->lines[line].end;
    struct mutator_edit edit = pawl_edit_bytes(PAWL_MUTATION_INSERT, cost, pawl_line_row(p, line), end, end);
    if (end == 0 || p->text[end - 1] != '\n')
        pawl_edit_text(&edit, "\n");
    pawl_edit_part(&edit, p, p->lines[model].start, pawl_line_start(p, model));
    return edit;
}

/* Another statement of the same function once more, after this one: updates and calls, since they are what gets lost.
 */
static void copy_here(struct mutator_search *search, uint32_t line) {
    const struct mutator_program *p = search->program;
    uint32_t scope = p->lines[line].scope;
    int found = 0;
    for (uint32_t distance = 1; distance < 40 && found < COPIES; distance++) {
        for (int side = 0; side < 2; side++) {
            uint32_t other = side ? line + distance : line - distance;
            if (!is_simple(p, other) || p->lines[other].scope != scope || scope == PAWL_NO_INDEX ||
                pawl_token_in(p, p->lines[other].first, "return pass break continue let const var raise"))
                continue;
            struct mutator_edit edit = insertion_after(p, line, line, 115 + 8 * found++);
            pawl_edit_part(&edit, p, pawl_line_start(p, other), pawl_line_end(p, other));
            pawl_edit_text(&edit, "\n");
            pawl_search_add(search, &edit);
        }
    }
}

/* What a loop does for each piece has to be done once more for the last one, in front of what follows the loop. */
static void flush_after(struct mutator_search *search, uint32_t line) {
    const struct mutator_program *p = search->program;
    const struct mutator_line *l = &p->lines[line];
    if (line == 0 || p->lines[line - 1].indent <= l->indent || !p->language->indented || l->scope == PAWL_NO_INDEX)
        return;
    int32_t found = 0;
    for (uint32_t other = line - 1; other > l->scope && p->lines[other].indent > l->indent && found < 4; other--) {
        if (!is_simple(p, other) || pawl_token_in(p, p->lines[other].first, "return pass break continue raise"))
            continue;
        uint32_t at = pawl_line_start(p, line);
        struct mutator_edit edit =
            pawl_edit_bytes(PAWL_MUTATION_INSERT, 90 + 8 * found++, pawl_line_row(p, line), at, at);
        pawl_edit_part(&edit, p, pawl_line_start(p, other), pawl_line_end(p, other));
        pawl_edit_text(&edit, "\n");
        pawl_edit_part(&edit, p, l->start, at);
        pawl_search_add(search, &edit);
    }
}

static bool assigned_in(const struct mutator_program *p, uint32_t name, uint32_t first, uint32_t last) {
    for (uint32_t i = first; i < last && i < first + 1000; i++) {
        if (p->tokens[i].kind == MUTATOR_NAME && pawl_token_equal(p, i, name) &&
            pawl_token_in(p, i + 1, "= += -= *= /= //= %= >>= <<= ++ -- , ."))
            return true;
    }
    return false;
}

static void step(struct mutator_search *search, uint32_t last, uint32_t name, int32_t cost) {
    const struct mutator_program *p = search->program;
    static const char *const steps[] = {" += 1", " -= 1"};
    for (int i = 0; i < 2; i++) {
        struct mutator_edit edit = insertion_after(p, last, last, cost + 5 * i);
        pawl_edit_part_tokens(&edit, p, name, name + 1);
        pawl_edit_text(&edit, steps[i]);
        pawl_edit_text(&edit, p->language->indented ? "\n" : ";\n");
        pawl_search_add(search, &edit);
    }
}

/* A while loop whose condition depends on a variable that its body never changes. */
static void loop_step(struct mutator_search *search, uint32_t line) {
    const struct mutator_program *p = search->program;
    const struct mutator_line *l = &p->lines[line];
    if (!pawl_token_is(p, l->first, "while") || !(l->flags & MUTATOR_LINE_OPENS) || p->language->shell)
        return;
    uint32_t last = line + 1;
    while (last + 1 < p->line_count && p->lines[last + 1].indent > l->indent && last < line + 200)
        last++;
    uint32_t body = last;
    while (body > line + 1 && p->lines[body].opener != line)
        body--;
    if (body != last || !is_simple(p, last))
        return;
    for (uint32_t i = l->first; i < l->last && i < l->first + 40; i++) {
        if (pawl_is_variable(p, i) && !assigned_in(p, i, l->last, p->lines[last].last))
            step(search, last, i, 60);
    }
}

/* The last statement of a function without a return computes what was to be returned. */
static void lost_return(struct mutator_search *search, uint32_t line) {
    const struct mutator_program *p = search->program;
    const struct mutator_line *l = &p->lines[line];
    bool last = line + 1 == p->line_count || p->lines[line + 1].indent < l->indent;
    if (!last || l->scope == PAWL_NO_INDEX || p->language->shell ||
        pawl_token_in(p, l->first, "return raise throw pass break continue yield del assert"))
        return;
    bool assigns = false;
    for (uint32_t i = l->first; i < l->last && i < l->first + 100; i++)
        assigns =
            assigns || (pawl_token_in(p, i, "= += -= *= /=") && p->tokens[i].parent == p->tokens[l->first].parent);
    if (assigns)
        return;
    struct mutator_edit edit = pawl_edit_tokens(p, PAWL_MUTATION_JUMP, 70, l->first, l->first);
    pawl_edit_text(&edit, "return ");
    pawl_search_add(search, &edit);
}

void pawl_mutate_statements(struct mutator_search *search) {
    const struct mutator_program *p = search->program;
    for (uint32_t line = 0; line < p->line_count; line++) {
        if (!pawl_is_editable(p, p->lines[line].first))
            continue;
        loop_step(search, line);
        if (!is_simple(p, line))
            continue;
        drop(search, line);
        swap_with_next(search, line);
        jump(search, line);
        copy_here(search, line);
        flush_after(search, line);
        lost_return(search, line);
    }
}
