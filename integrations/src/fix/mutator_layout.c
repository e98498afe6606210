/* Brackets, logical lines, blocks and scopes. Everything goes by brackets and indentation, whatever the language. */
#include "mutator_program_internal.h"

#include <stdlib.h>
#include <string.h>

static bool is_pair(char open, char close) {
    return (open == '(' && close == ')') || (open == '[' && close == ']') || (open == '{' && close == '}');
}

/* The parents form the stack: a bracket's parent is what was on top before it. A partner that does not fit ends
 * nothing. */
static void match_brackets(struct mutator_program *p) {
    uint32_t top = PAWL_NO_INDEX;
    for (uint32_t i = 0; i < p->token_count; i++) {
        struct mutator_token *t = &p->tokens[i];
        t->parent = top;
        if (t->kind == MUTATOR_OPEN)
            top = i;
        if (t->kind != MUTATOR_CLOSE || top == PAWL_NO_INDEX)
            continue;
        struct mutator_token *open = &p->tokens[top];
        if (!is_pair(p->text[open->start], p->text[t->start]))
            continue;
        open->match = i;
        t->match = top;
        t->parent = open->parent;
        top = open->parent;
    }
}

static uint32_t hash_token(const struct mutator_program *p, const struct mutator_token *t) {
    uint32_t hash = 2166136261u; /* FNV-1a */
    for (uint32_t i = t->start; i < t->end; i++)
        hash = (hash ^ (unsigned char)p->text[i]) * 16777619u;
    return hash ^ hash >> 15;
}

static bool same_text(const struct mutator_program *p, const struct mutator_token *a, const struct mutator_token *b) {
    return a->end - a->start == b->end - b->start &&
           memcmp(p->text + a->start, p->text + b->start, a->end - a->start) == 0;
}

/* Equal tokens get the same number, so that comparing them costs nothing. False when memory is short. */
static bool number_texts(struct mutator_program *p) {
    uint32_t mask = 1;
    while (mask < 2 * p->token_count)
        mask = mask * 2 + 1;
    uint32_t *slots = malloc(((size_t)mask + 1) * sizeof *slots);
    if (!slots)
        return false;
    memset(slots, 0xff, ((size_t)mask + 1) * sizeof *slots);
    for (uint32_t i = 0; i < p->token_count; i++) {
        uint32_t slot = hash_token(p, &p->tokens[i]) & mask;
        while (slots[slot] != PAWL_NO_INDEX && !same_text(p, &p->tokens[slots[slot]], &p->tokens[i]))
            slot = (slot + 1) & mask;
        if (slots[slot] == PAWL_NO_INDEX)
            slots[slot] = i;
        p->tokens[i].first_like = slots[slot];
    }
    free(slots);
    return true;
}

/* Back to the beginning of the physical line, over its indentation. */
static uint32_t indentation_start(const struct mutator_program *p, uint32_t at) {
    while (at > 0 && p->text[at - 1] != '\n')
        at--;
    return at;
}

static uint32_t columns(const struct mutator_program *p, uint32_t from, uint32_t to) {
    uint32_t count = 0;
    for (; from < to; from++)
        count = p->text[from] == '\t' ? (count / 8 + 1) * 8 : count + 1;
    return count;
}

static uint32_t break_end(const struct mutator_program *p, uint32_t at) {
    const char *end = memchr(p->text + at, '\n', p->length - at);
    return end ? (uint32_t)(end - p->text) + 1 : (uint32_t)p->length;
}

static bool is_balanced(const struct mutator_program *p, const struct mutator_line *line) {
    for (uint32_t i = line->first; i < line->last; i++) {
        const struct mutator_token *t = &p->tokens[i];
        bool bracket = t->kind == MUTATOR_OPEN || t->kind == MUTATOR_CLOSE;
        if (bracket && (t->match == PAWL_NO_INDEX || t->match < line->first || t->match >= line->last))
            return false;
    }
    return true;
}

static bool defines(const struct mutator_program *p, const struct mutator_line *line) {
    const struct mutator_language *language = p->language;
    uint32_t first = line->first;
    while (pawl_token_in(p, first, "async export default public private protected static"))
        first++;
    if (pawl_token_in(p, first, "def class function func fn struct"))
        return true;
    if (language->indented || !(line->flags & MUTATOR_LINE_OPENS))
        return false;
    if (pawl_token_in(p, first, "if else for while switch try catch do until case elif"))
        return false;
    for (uint32_t i = first; i + 1 < line->last; i++) { /* const f = (x) => {     f() {     int f(int x) { */
        if (pawl_token_is(p, i, "=>") || pawl_token_is(p, i, "function") ||
            (pawl_token_is(p, i, ")") && pawl_token_is(p, i + 1, "{")))
            return true;
    }
    return false;
}

static uint32_t line_flags(const struct mutator_program *p, const struct mutator_line *line) {
    uint32_t flags = 0, last = line->last - 1;
    if (p->tokens[line->first].kind == MUTATOR_CLOSE || pawl_token_in(p, line->first, "done fi esac end"))
        flags |= MUTATOR_LINE_CLOSES;
    bool word = p->language->shell && pawl_token_in(p, last, "then do else");
    if (p->language->indented ? pawl_token_is(p, last, ":") : pawl_token_is(p, last, "{") || word)
        flags |= MUTATOR_LINE_OPENS;
    if (p->tokens[line->first].kind == MUTATOR_OPAQUE || pawl_token_in(p, line->first, "import from include package @"))
        flags |= MUTATOR_LINE_FIXED;
    bool branch = pawl_token_in(p, line->first, "else elif except finally case default then do");
    if (!(flags & (MUTATOR_LINE_CLOSES | MUTATOR_LINE_OPENS | MUTATOR_LINE_FIXED)) && !branch && is_balanced(p, line))
        flags |= MUTATOR_LINE_SIMPLE;
    struct mutator_line flagged = *line;
    flagged.flags = flags;
    return defines(p, &flagged) ? (flags | MUTATOR_LINE_DEFINES) & ~(uint32_t)MUTATOR_LINE_SIMPLE : flags;
}

/* Appends the line of tokens [first, last). */
static void add_line(struct mutator_program *p, uint32_t first, uint32_t last) {
    struct mutator_line line = {.first = first, .last = last, .opener = PAWL_NO_INDEX, .scope = PAWL_NO_INDEX};
    line.start = indentation_start(p, p->tokens[first].start);
    line.end = break_end(p, p->tokens[last - 1].end);
    line.indent = columns(p, line.start, p->tokens[first].start);
    line.flags = line_flags(p, &line);
    for (uint32_t i = first; i < last; i++)
        p->tokens[i].line = p->line_count;
    p->lines[p->line_count++] = line;
}

/* The opener of a line is the nearest one before it with less indentation; its scope, the nearest definition so found.
 */
static void find_blocks(struct mutator_program *p) {
    for (uint32_t i = 1; i < p->line_count; i++) {
        struct mutator_line *line = &p->lines[i];
        uint32_t above = i - 1;
        while (above != PAWL_NO_INDEX && p->lines[above].indent >= line->indent)
            above = p->lines[above].opener; /* the chain of openers is strictly less indented: short */
        line->opener = above;
        if (above != PAWL_NO_INDEX)
            line->scope = p->lines[above].flags & MUTATOR_LINE_DEFINES ? above : p->lines[above].scope;
    }
}

uint32_t pawl_line_row(const struct mutator_program *p, uint32_t line) {
    return p->tokens[p->lines[line].first].row;
}

uint32_t pawl_line_start(const struct mutator_program *p, uint32_t line) {
    return p->tokens[p->lines[line].first].start;
}

uint32_t pawl_line_end(const struct mutator_program *p, uint32_t line) {
    return p->tokens[p->lines[line].last - 1].end;
}

bool pawl_mutator_layout(struct mutator_program *p) {
    match_brackets(p);
    uint32_t count = 1;
    for (uint32_t i = 0; i < p->token_count; i++)
        count += p->tokens[i].kind == MUTATOR_NEWLINE;
    p->lines = calloc(count, sizeof *p->lines);
    p->guesses = calloc((size_t)p->token_count + 1, sizeof *p->guesses);
    if (!p->lines || !p->guesses || !number_texts(p))
        return false;
    uint32_t first = 0;
    for (uint32_t i = 0; i <= p->token_count; i++) {
        bool ends = i == p->token_count || p->tokens[i].kind == MUTATOR_NEWLINE;
        if (ends && i > first)
            add_line(p, first, i);
        if (ends && i < p->token_count)
            p->tokens[i].line = p->line_count ? p->line_count - 1 : 0;
        if (ends)
            first = i + 1;
    }
    find_blocks(p);
    return true;
}
