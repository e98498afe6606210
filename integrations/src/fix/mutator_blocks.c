/* Statements on the wrong side of a block's end, and branches of the wrong kind. */
#include "mutator_edit_internal.h"

/* The line gets the indentation of the model. */
static void reindent(struct mutator_search *search, uint32_t line, uint32_t model, int32_t cost, const char *note) {
    const struct mutator_program *p = search->program;
    const struct mutator_line *l = &p->lines[line], *m = &p->lines[model];
    struct mutator_edit edit =
        pawl_edit_bytes(PAWL_MUTATION_INDENT, cost, pawl_line_row(p, line), l->start, pawl_line_start(p, line));
    pawl_edit_part(&edit, p, m->start, pawl_line_start(p, model));
    edit.note = note;
    pawl_search_add(search, &edit);
}

static bool is_lone_close(const struct mutator_program *p, uint32_t line) {
    return line < p->line_count && p->lines[line].flags & MUTATOR_LINE_CLOSES &&
           p->lines[line].last == p->lines[line].first + 1;
}

/* Two neighbouring lines change places, the statement with the indentation of the model. */
static struct mutator_edit exchange(const struct mutator_program *p, uint32_t line, int32_t cost) {
    return pawl_edit_bytes(PAWL_MUTATION_INDENT, cost, pawl_line_row(p, line), p->lines[line].start,
                           pawl_line_end(p, line + 1));
}

static void move_out(struct mutator_search *search, uint32_t line) {
    const struct mutator_program *p = search->program;
    uint32_t close = line + 1, indent = p->lines[close].start;
    struct mutator_edit edit = exchange(p, line, 40);
    pawl_edit_part(&edit, p, indent, pawl_line_end(p, close));
    pawl_edit_part(&edit, p, pawl_line_end(p, line), indent);
    pawl_edit_part(&edit, p, indent, pawl_line_start(p, close));
    pawl_edit_part(&edit, p, pawl_line_start(p, line), pawl_line_end(p, line));
    edit.note = "moved out of its block";
    pawl_search_add(search, &edit);
}

static void move_in(struct mutator_search *search, uint32_t close) {
    const struct mutator_program *p = search->program;
    uint32_t line = close + 1, model = close - 1;
    struct mutator_edit edit = exchange(p, close, 45);
    pawl_edit_part(&edit, p, p->lines[model].start, pawl_line_start(p, model));
    pawl_edit_part(&edit, p, pawl_line_start(p, line), pawl_line_end(p, line));
    pawl_edit_part(&edit, p, pawl_line_end(p, close), p->lines[line].start);
    pawl_edit_part(&edit, p, p->lines[close].start, pawl_line_end(p, close));
    edit.row = pawl_line_row(p, line);
    edit.note = "moved into the block before it";
    pawl_search_add(search, &edit);
}

static void braces(struct mutator_search *search, uint32_t line) {
    const struct mutator_program *p = search->program;
    bool simple = p->lines[line].flags & MUTATOR_LINE_SIMPLE;
    uint32_t opener = p->lines[line].opener;
    bool inner = opener != PAWL_NO_INDEX && !(p->lines[opener].flags & MUTATOR_LINE_DEFINES);
    if (simple && inner && is_lone_close(p, line + 1) && p->lines[line].indent > p->lines[line + 1].indent)
        move_out(search, line);
    if (line > 0 && is_lone_close(p, line) && line + 1 < p->line_count &&
        p->lines[line + 1].flags & MUTATOR_LINE_SIMPLE && p->lines[line - 1].indent > p->lines[line].indent)
        move_in(search, line);
}

/* A return belongs after a loop more often than other statements do. */
static void indentation(struct mutator_search *search, uint32_t line) {
    const struct mutator_program *p = search->program;
    const struct mutator_line *l = &p->lines[line];
    if (!(l->flags & MUTATOR_LINE_SIMPLE))
        return;
    bool last = line + 1 == p->line_count || p->lines[line + 1].indent < l->indent;
    bool first = l->opener == line - 1;
    bool outer = l->opener != PAWL_NO_INDEX && !(p->lines[l->opener].flags & MUTATOR_LINE_DEFINES);
    int32_t cost = pawl_token_is(p, l->first, "return") ? 30 : 42;
    if (last && !first && outer) {
        reindent(search, line, l->opener, cost, "moved out of its block");
        uint32_t further = p->lines[l->opener].opener;
        if (further != PAWL_NO_INDEX && !(p->lines[further].flags & MUTATOR_LINE_DEFINES))
            reindent(search, line, further, cost + 25, "moved out of two blocks");
    }
    if (line == 0 || p->lines[line - 1].indent <= l->indent)
        return;
    reindent(search, line, line - 1, cost + 8, "moved into the block before it");
    uint32_t between = p->lines[line - 1].opener;
    if (between != PAWL_NO_INDEX && p->lines[between].indent > l->indent)
        reindent(search, line, between, cost + 8, "moved into the outer block before it");
}

/* An if that follows the block of another if may have been meant as its elif. */
static bool follows_if(const struct mutator_program *p, uint32_t line) {
    if (line == 0 || p->lines[line - 1].indent <= p->lines[line].indent)
        return false;
    uint32_t above = line - 1;
    while (above != PAWL_NO_INDEX && p->lines[above].indent > p->lines[line].indent)
        above = p->lines[above].opener;
    return above != PAWL_NO_INDEX && pawl_token_in(p, p->lines[above].first, "if elif");
}

static void branch(struct mutator_search *search, uint32_t line) {
    const struct mutator_program *p = search->program;
    uint32_t i = p->lines[line].first;
    bool python = p->language->indented;
    if (python && pawl_token_is(p, i, "elif"))
        pawl_search_replace(search, PAWL_MUTATION_JUMP, 40, i, i + 1, "if");
    if (python && pawl_token_is(p, i, "if") && follows_if(p, line))
        pawl_search_replace(search, PAWL_MUTATION_JUMP, 45, i, i + 1, "elif");
    if (pawl_token_is(p, i, "if") && !p->language->shell)
        pawl_search_replace(search, PAWL_MUTATION_JUMP, 75, i, i + 1, "while");
    if (pawl_token_is(p, i, "while") && !p->language->shell)
        pawl_search_replace(search, PAWL_MUTATION_JUMP, 85, i, i + 1, "if");
}

static uint32_t block_end(const struct mutator_program *p, uint32_t line) {
    uint32_t after = line + 1;
    while (after < p->line_count && p->lines[after].indent > p->lines[line].indent && after < line + 100)
        after++;
    return after;
}

/* if c: s   becomes   s, or nothing. */
static void whole_block(struct mutator_search *search, uint32_t line) {
    const struct mutator_program *p = search->program;
    const struct mutator_line *l = &p->lines[line];
    if (!p->language->indented || !(l->flags & MUTATOR_LINE_OPENS) || l->flags & MUTATOR_LINE_DEFINES)
        return;
    uint32_t after = block_end(p, line);
    bool continued = after < p->line_count && p->lines[after].indent == l->indent &&
                     pawl_token_in(p, p->lines[after].first, "else elif except finally");
    bool branch_of_if = pawl_token_in(p, l->first, "else elif");
    bool has_sibling = after < p->line_count ? p->lines[after].indent == l->indent : l->opener != line - 1;
    if (!pawl_token_in(p, l->first, "if for while else elif") || after == line + 1)
        return;
    if (branch_of_if || (!continued && has_sibling)) {
        struct mutator_edit edit =
            pawl_edit_bytes(PAWL_MUTATION_DROP, 85, pawl_line_row(p, line), l->start, p->lines[after - 1].end);
        edit.note = "removed with its block";
        if (!(pawl_token_is(p, l->first, "elif") && continued) || branch_of_if)
            pawl_search_add(search, &edit);
    }
    if (continued || after != line + 2 || pawl_token_is(p, l->first, "elif"))
        return;
    struct mutator_edit edit = pawl_edit_bytes(PAWL_MUTATION_INDENT, 80, pawl_line_row(p, line),
                                               pawl_line_start(p, line), pawl_line_end(p, line + 1));
    pawl_edit_part(&edit, p, pawl_line_start(p, line + 1), pawl_line_end(p, line + 1));
    edit.note = "removed, its statement kept";
    pawl_search_add(search, &edit);
}

void pawl_mutate_blocks(struct mutator_search *search) {
    const struct mutator_program *p = search->program;
    for (uint32_t line = 0; line < p->line_count; line++) {
        if (!pawl_is_editable(p, p->lines[line].first))
            continue;
        if (p->language->indented)
            indentation(search, line);
        else if (!p->language->shell)
            braces(search, line);
        branch(search, line);
        whole_block(search, line);
    }
}
