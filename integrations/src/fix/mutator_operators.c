/* One operator for another: comparisons, arithmetic, assignments, and / or. */
#include "mutator_edit_internal.h"

#include <string.h>

/* Replacements come in the order in which people mix the operators up. */
struct operator_row {
    const char *from;
    const char *to;
    enum pawl_mutation_kind kind;
    int32_t cost, step; /* of the first replacement, and more for each further one */
};

static const struct operator_row binary_rows[] = {
    {"<", "<= > >= != ==", PAWL_MUTATION_COMPARISON, 10, 12},
    {"<=", "< >= > == !=", PAWL_MUTATION_COMPARISON, 10, 12},
    {">", ">= < <= != ==", PAWL_MUTATION_COMPARISON, 10, 12},
    {">=", "> <= < == !=", PAWL_MUTATION_COMPARISON, 10, 12},
    {"==", "!= <= >= < >", PAWL_MUTATION_COMPARISON, 12, 15},
    {"!=", "== < > <= >=", PAWL_MUTATION_COMPARISON, 12, 15},
    {"===", "!== <= >= < >", PAWL_MUTATION_COMPARISON, 12, 15},
    {"!==", "=== < > <= >=", PAWL_MUTATION_COMPARISON, 12, 15},
    {"-lt", "-le -gt -ge -ne -eq", PAWL_MUTATION_COMPARISON, 10, 12},
    {"-le", "-lt -ge -gt -eq -ne", PAWL_MUTATION_COMPARISON, 10, 12},
    {"-gt", "-ge -lt -le -ne -eq", PAWL_MUTATION_COMPARISON, 10, 12},
    {"-ge", "-gt -le -lt -eq -ne", PAWL_MUTATION_COMPARISON, 10, 12},
    {"-eq", "-ne -le -ge -lt -gt", PAWL_MUTATION_COMPARISON, 12, 15},
    {"-ne", "-eq -lt -gt -le -ge", PAWL_MUTATION_COMPARISON, 12, 15},
    {"and", "or", PAWL_MUTATION_BOOLEAN, 10, 0},
    {"or", "and", PAWL_MUTATION_BOOLEAN, 10, 0},
    {"&&", "||", PAWL_MUTATION_BOOLEAN, 10, 0},
    {"||", "&&", PAWL_MUTATION_BOOLEAN, 10, 0},
    {"+", "- *", PAWL_MUTATION_ARITHMETIC, 24, 18},
    {"-", "+ * % / //", PAWL_MUTATION_ARITHMETIC, 24, 15},
    {"*", "/ + ** // -", PAWL_MUTATION_ARITHMETIC, 25, 12},
    {"/", "// * % -", PAWL_MUTATION_ARITHMETIC, 20, 12},
    {"//", "/ % * -", PAWL_MUTATION_ARITHMETIC, 20, 12},
    {"%", "// / * -", PAWL_MUTATION_ARITHMETIC, 25, 12},
    {"**", "* + //", PAWL_MUTATION_ARITHMETIC, 25, 15},
    {"<<", ">>", PAWL_MUTATION_ARITHMETIC, 20, 0},
    {">>", "<<", PAWL_MUTATION_ARITHMETIC, 20, 0},
    {"&", "| ^", PAWL_MUTATION_ARITHMETIC, 20, 15},
    {"|", "& ^", PAWL_MUTATION_ARITHMETIC, 20, 15},
    {"^", "| & **", PAWL_MUTATION_ARITHMETIC, 25, 15},
};

static const struct operator_row other_rows[] = {
    {"+=", "= -= *=", PAWL_MUTATION_ASSIGNMENT, 25, 10},
    {"-=", "+= = //= /= %=", PAWL_MUTATION_ASSIGNMENT, 20, 15},
    {"*=", "+= = /= **= //=", PAWL_MUTATION_ASSIGNMENT, 25, 10},
    {"/=", "//= *= -= %=", PAWL_MUTATION_ASSIGNMENT, 20, 10},
    {"//=", "/= %= -= *=", PAWL_MUTATION_ASSIGNMENT, 20, 10},
    {"%=", "//= /= -=", PAWL_MUTATION_ASSIGNMENT, 20, 10},
    {"**=", "*= +=", PAWL_MUTATION_ASSIGNMENT, 20, 10},
    {"<<=", ">>=", PAWL_MUTATION_ASSIGNMENT, 20, 0},
    {">>=", "<<=", PAWL_MUTATION_ASSIGNMENT, 20, 0},
    {"&=", "|= ^= =", PAWL_MUTATION_ASSIGNMENT, 20, 10},
    {"|=", "&= ^= =", PAWL_MUTATION_ASSIGNMENT, 20, 10},
    {"^=", "|= &= =", PAWL_MUTATION_ASSIGNMENT, 20, 10},
    {"++", "--", PAWL_MUTATION_ASSIGNMENT, 15, 0},
    {"--", "++", PAWL_MUTATION_ASSIGNMENT, 15, 0},
    {"-z", "-n", PAWL_MUTATION_COMPARISON, 15, 0},
    {"-n", "-z", PAWL_MUTATION_COMPARISON, 15, 0},
    {"-f", "-d -e", PAWL_MUTATION_COMPARISON, 30, 10},
    {"-d", "-f -e", PAWL_MUTATION_COMPARISON, 30, 10},
};

/* "//" is a comment elsewhere, and "**" is no operator of a C-like language. */
static bool exists(const struct mutator_program *p, const struct mutator_piece *word) {
    bool floor_division = word->length >= 2 && memcmp(word->text, "//", 2) == 0;
    return !floor_division || p->language->indented;
}

static bool apply(struct mutator_search *search, uint32_t index, const struct operator_row *row) {
    if (!pawl_token_is(search->program, index, row->from))
        return false;
    const char *list = row->to;
    struct mutator_piece word;
    for (int32_t cost = row->cost; pawl_next_word(&list, ' ', &word); cost += row->step) {
        if (!exists(search->program, &word))
            continue;
        struct mutator_edit edit = pawl_edit_tokens(search->program, row->kind, cost, index, index + 1);
        pawl_edit_piece(&edit, word);
        pawl_search_add(search, &edit);
    }
    return true;
}

/* "in" and "is" with and without "not". */
static void membership(struct mutator_search *search, uint32_t i) {
    const struct mutator_program *p = search->program;
    if (!p->language->indented)
        return;
    if (pawl_token_is(p, i, "not") && pawl_token_is(p, i + 1, "in"))
        pawl_search_replace(search, PAWL_MUTATION_COMPARISON, 15, i, i + 2, "in");
    else if (pawl_token_is(p, i, "in") && !pawl_token_is(p, i - 1, "not") && pawl_operator_precedence(p, i))
        pawl_search_replace(search, PAWL_MUTATION_COMPARISON, 20, i, i + 1, "not in");
    else if (pawl_token_is(p, i, "is") && pawl_token_is(p, i + 1, "not"))
        pawl_search_replace(search, PAWL_MUTATION_COMPARISON, 15, i, i + 2, "is");
    else if (pawl_token_is(p, i, "is"))
        pawl_search_replace(search, PAWL_MUTATION_COMPARISON, 20, i, i + 1, "is not");
}

/* The name before an "=" had a value already: only then can the assignment have been meant to add to it. */
static bool assigned_before(const struct mutator_program *p, uint32_t target) {
    const struct mutator_line *line = &p->lines[p->tokens[target].line];
    uint32_t from = line->scope == PAWL_NO_INDEX ? 0 : p->lines[line->scope].first;
    if (target - from > 500)
        from = target - 500;
    for (uint32_t i = line->first; i-- > from;) {
        if (p->tokens[i].kind == MUTATOR_NAME && pawl_token_equal(p, i, target))
            return true;
    }
    return false;
}

static bool in_loop(const struct mutator_program *p, uint32_t line) {
    for (uint32_t at = p->lines[line].opener, depth = 0; at != PAWL_NO_INDEX && depth < 8; depth++) {
        if (pawl_token_in(p, p->lines[at].first, "for while"))
            return true;
        at = p->lines[at].opener;
    }
    return false;
}

/* A loop that overwrites what it does not read may have been meant to add up. */
static bool may_accumulate(const struct mutator_program *p, uint32_t i) {
    const struct mutator_line *line = &p->lines[p->tokens[i].line];
    if (!in_loop(p, p->tokens[i].line) || i != line->first + 1)
        return false;
    for (uint32_t at = i + 1; at < line->last && at < i + 100; at++) {
        if (pawl_token_equal(p, at, line->first))
            return false;
    }
    return true;
}

static void plain_assignment(struct mutator_search *search, uint32_t i) {
    const struct mutator_program *p = search->program;
    if (!pawl_token_is(p, i, "=") || i == 0)
        return;
    if (p->language->shell) {
        if (p->tokens[i - 1].end < p->tokens[i].start) /* [ a = b ] */
            pawl_search_replace(search, PAWL_MUTATION_COMPARISON, 20, i, i + 1, "!=");
        return;
    }
    const struct mutator_line *line = &p->lines[p->tokens[i].line];
    bool is_statement = line->first == pawl_primary_start(p, i - 1);
    if (!is_statement || pawl_token_in(p, i + 1, "[ { None null new function") || !assigned_before(p, line->first))
        return;
    pawl_search_replace(search, PAWL_MUTATION_ASSIGNMENT, may_accumulate(p, i) ? 30 : 60, i, i + 1, "+=");
    pawl_search_replace(search, PAWL_MUTATION_ASSIGNMENT, 75, i, i + 1, "-=");
    pawl_search_replace(search, PAWL_MUTATION_ASSIGNMENT, 85, i, i + 1, "*=");
}

void pawl_mutate_operators(struct mutator_search *search) {
    const struct mutator_program *p = search->program;
    for (uint32_t i = 0; i < p->token_count; i++) {
        if (!pawl_is_editable(p, i) || (p->tokens[i].kind != MUTATOR_OPERATOR && p->tokens[i].kind != MUTATOR_KEYWORD))
            continue;
        membership(search, i);
        plain_assignment(search, i);
        bool done = false;
        for (size_t row = 0; !done && row < sizeof other_rows / sizeof *other_rows; row++)
            done = apply(search, i, &other_rows[row]);
        if (done || pawl_operator_precedence(p, i) == 0)
            continue;
        for (size_t row = 0; !done && row < sizeof binary_rows / sizeof *binary_rows; row++)
            done = apply(search, i, &binary_rows[row]);
    }
}
