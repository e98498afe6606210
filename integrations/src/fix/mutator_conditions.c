/* Truth: negated conditions and operands, and True for False. */
#include "mutator_names_internal.h"

static bool is_not(const struct mutator_program *p, uint32_t index) {
    return pawl_token_is(p, index, "!") || (pawl_token_is(p, index, "not") && !pawl_token_is(p, index + 1, "in"));
}

/* Inserts "not", with parentheses unless the range is one primary. */
static void negate(struct mutator_search *search, uint32_t first, uint32_t last, int32_t cost) {
    const struct mutator_program *p = search->program;
    if (first >= last || is_not(p, first))
        return;
    bool plain = pawl_primary_end(p, first) >= last;
    struct mutator_edit edit = pawl_edit_tokens(p, PAWL_MUTATION_NEGATION, cost, first, last);
    pawl_edit_text(&edit, p->language->not_word);
    pawl_edit_text(&edit, plain ? "" : "(");
    pawl_edit_part_tokens(&edit, p, first, last);
    pawl_edit_text(&edit, plain ? "" : ")");
    pawl_search_add(search, &edit);
}

/* The lowest precedence among the operators of a range, outside its brackets; 99 when there is none. */
static int loosest(const struct mutator_program *p, uint32_t first, uint32_t last) {
    int found = 99;
    for (uint32_t i = first; i < last; i++) {
        int precedence = pawl_operator_precedence(p, i);
        if (precedence > 0 && precedence < found)
            found = precedence;
        if (p->tokens[i].kind == MUTATOR_OPEN && p->tokens[i].match != PAWL_NO_INDEX)
            i = p->tokens[i].match;
    }
    return found;
}

/* A single comparison is negated by its operator already. */
static void condition(struct mutator_search *search, uint32_t index) {
    const struct mutator_program *p = search->program;
    uint32_t begin, end;
    if (!pawl_condition_after(p, index, &begin, &end))
        return;
    int precedence = loosest(p, begin, end);
    if (precedence != 4)
        negate(search, begin, end, precedence < 4 ? 60 : 30);
}

/* A case that was not thought of: the condition should also ask for a name of the scope. */
static void extend(struct mutator_search *search, uint32_t index) {
    const struct mutator_program *p = search->program;
    uint32_t begin, end, first, last, found[2], count = 0;
    if (!pawl_condition_after(p, index, &begin, &end) || !p->language->indented)
        return;
    static const char *const forms[] = {" or not ", " and ", " and not ", " or "};
    bool loose = pawl_range_holds(p, begin, end, "or");
    pawl_scope_range(p, index, &first, &last);
    for (uint32_t i = end; i-- > first && count < 2;) {
        if (!pawl_is_variable(p, i) || !pawl_is_visible(p, i, end - 1) || pawl_token_in(p, i, "self cls _") ||
            (count > 0 && pawl_token_equal(p, i, found[0])))
            continue;
        for (int32_t form = 0; form < 4; form++) {
            struct mutator_edit edit =
                pawl_edit_after(p, PAWL_MUTATION_NEGATION, 105 + 10 * (int32_t)count + 3 * form, end - 1);
            if (loose && (form == 1 || form == 2)) /* "and" would bind to the last operand only */
                continue;
            pawl_edit_text(&edit, forms[form]);
            pawl_edit_part_tokens(&edit, p, i, i + 1);
            pawl_search_add(search, &edit);
        }
        found[count++] = i;
    }
}

static void operands(struct mutator_search *search, uint32_t index) {
    const struct mutator_program *p = search->program;
    if (!pawl_token_in(p, index, "and or && ||") || p->language->shell)
        return;
    uint32_t left = pawl_left_operand(p, index), right = pawl_right_operand(p, index);
    if (loosest(p, left, index) > 4)
        negate(search, left, index, 45);
    if (loosest(p, index + 1, right) > 4)
        negate(search, index + 1, right, 45);
}

static void returned(struct mutator_search *search, uint32_t index) {
    const struct mutator_program *p = search->program;
    if (!pawl_token_is(p, index, "return") || p->language->shell)
        return;
    uint32_t end = p->lines[p->tokens[index].line].last;
    if (end > index + 1 && pawl_token_is(p, end - 1, ";"))
        end--;
    bool literal = pawl_token_in(p, index + 1, "[ {") || !pawl_token_kind_is(p, index + 1, MUTATOR_NAME);
    if (!literal && pawl_primary_end(p, index + 1) == end && pawl_token_is(p, end - 1, ")"))
        negate(search, index + 1, end, 75);
}

static void literal(struct mutator_search *search, uint32_t i) {
    const struct mutator_program *p = search->program;
    if (pawl_token_is(p, i, p->language->true_word))
        pawl_search_replace(search, PAWL_MUTATION_LITERAL, 18, i, i + 1, p->language->false_word);
    else if (pawl_token_is(p, i, p->language->false_word))
        pawl_search_replace(search, PAWL_MUTATION_LITERAL, 18, i, i + 1, p->language->true_word);
    else if (pawl_token_is(p, i, p->language->null_word))
        pawl_search_replace(search, PAWL_MUTATION_LITERAL, 80, i, i + 1, "0");
}

/* The truths of a function, all of them: it says the opposite of what it should. */
static void exchange_truths(struct mutator_search *search, uint32_t line) {
    const struct mutator_program *p = search->program;
    const char *words[] = {p->language->false_word, p->language->true_word};
    uint32_t found[3], count = 0;
    for (uint32_t i = line + 1; i < p->line_count && p->lines[i].indent > p->lines[line].indent && count < 4; i++) {
        for (uint32_t t = p->lines[i].first; t < p->lines[i].last && count < 4; t++) {
            if (!pawl_token_is(p, t, words[0]) && !pawl_token_is(p, t, words[1]))
                continue;
            if (count < 3)
                found[count] = t;
            count++;
        }
    }
    if (count < 2 || count > 3) /* more would not fit into an edit, nor be one thought */
        return;
    struct mutator_edit edit = pawl_edit_tokens(p, PAWL_MUTATION_LITERAL, 45, found[0], found[count - 1] + 1);
    for (uint32_t i = 0; i < count; i++) {
        pawl_edit_text(&edit, words[pawl_token_is(p, found[i], words[0])]);
        if (i + 1 < count)
            pawl_edit_part(&edit, p, p->tokens[found[i]].end, p->tokens[found[i + 1]].start);
    }
    edit.note = "true and false exchanged in the function";
    pawl_search_add(search, &edit);
}

void pawl_mutate_conditions(struct mutator_search *search) {
    const struct mutator_program *p = search->program;
    for (uint32_t i = 0; i < p->token_count; i++) {
        if (!pawl_is_editable(p, i))
            continue;
        enum mutator_token_kind kind = p->tokens[i].kind;
        if (is_not(p, i) && i + 1 < p->token_count && !pawl_token_is(p, i - 1, "is")) {
            struct mutator_edit edit = pawl_edit_tokens(p, PAWL_MUTATION_NEGATION, 20, i, i + 1);
            edit.end = p->tokens[i + 1].start;
            pawl_search_add(search, &edit);
        }
        if (kind == MUTATOR_KEYWORD) {
            condition(search, i);
            extend(search, i);
            returned(search, i);
        }
        operands(search, i);
        if (kind == MUTATOR_KEYWORD || kind == MUTATOR_NAME)
            literal(search, i);
    }
    for (uint32_t line = 0; line < p->line_count; line++) {
        if (pawl_is_editable(p, p->lines[line].first) && p->lines[line].flags & MUTATOR_LINE_DEFINES)
            exchange_truths(search, line);
    }
}
