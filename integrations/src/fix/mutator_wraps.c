/* What an expression lacks: a call around it, a method, index or slice after it. */
#include "mutator_names_internal.h"

#include <string.h>

#define LONGEST 120

/* An expression that fills a place of its own: an argument, what is returned, assigned, compared or looped over. */
struct slot {
    uint32_t first, last;
    bool primary; /* one name, literal or bracket with its trailers */
    enum mutator_shape shape;
    int32_t cost; /* of the place */
};

static bool holds(const struct mutator_program *p, const struct slot *slot, const char *words) {
    for (uint32_t i = slot->first; i < slot->last; i++) {
        if (pawl_token_in(p, i, words))
            return true;
    }
    return false;
}

static void wrap(struct mutator_search *search, const struct slot *slot, struct mutator_piece function, int32_t cost) {
    const struct mutator_program *p = search->program;
    struct mutator_edit edit = pawl_edit_tokens(p, PAWL_MUTATION_WRAP, cost, slot->first, slot->last);
    pawl_edit_piece(&edit, function);
    pawl_edit_text(&edit, "(");
    pawl_edit_part_tokens(&edit, p, slot->first, slot->last);
    pawl_edit_text(&edit, ")");
    pawl_search_add(search, &edit);
}

static bool is_word(const struct mutator_piece *word, const char *text) {
    return word->length == strlen(text) && memcmp(word->text, text, word->length) == 0;
}

/* What makes sense of each kind of thing, and what is an error or changes nothing. */
static bool makes_sense(const struct slot *slot, const struct mutator_piece *word) {
    bool numeric = pawl_word_in(word->text, word->length, "abs round float Math.abs Math.floor Math.ceil Math.round");
    bool elements = pawl_word_in(word->text, word->length, "len set sorted list sum max min reversed");
    bool converts = pawl_word_in(word->text, word->length, "int Number parseInt");
    switch (slot->shape) {
    case MUTATOR_SHAPE_TRUTH:
        return false;
    case MUTATOR_SHAPE_NUMBER:
        return !elements;
    case MUTATOR_SHAPE_TEXT:
        return !numeric && !is_word(word, "sum") && !is_word(word, "str");
    case MUTATOR_SHAPE_CONTAINER:
        return !numeric && !converts;
    default:
        return true;
    }
}

/* A difference wants abs, a quotient int: these are forgotten more often than the rest of the list. */
static int32_t wrap_cost(const struct mutator_program *p, const struct slot *slot, const struct mutator_piece *word,
                         int32_t rank) {
    if (is_word(word, "abs") || is_word(word, "Math.abs"))
        return holds(p, slot, "-") ? 40 : 110;
    if (is_word(word, "int") || is_word(word, "Math.floor"))
        return holds(p, slot, "/") ? 50 : 90;
    return 75 + 5 * rank;
}

static void language_wraps(struct mutator_search *search, const struct slot *slot) {
    const struct mutator_program *p = search->program;
    const char *list = p->language->wraps;
    struct mutator_piece word;
    for (int32_t rank = 0; pawl_next_word(&list, ' ', &word); rank++) {
        const struct mutator_token *t = &p->tokens[slot->first];
        bool already = t->end - t->start == word.length && memcmp(p->text + t->start, word.text, word.length) == 0;
        if (!already && makes_sense(slot, &word))
            wrap(search, slot, word, slot->cost + wrap_cost(p, slot, &word, rank));
    }
}

/* Functions of the program that take one argument, the nearest first. */
static void program_wraps(struct mutator_search *search, const struct slot *slot) {
    const struct mutator_program *p = search->program;
    int found = 0;
    uint32_t first = slot->first > 400 ? slot->first - 400 : 0;
    for (uint32_t i = slot->last; i-- > first && found < 3;) {
        if (p->tokens[i].kind != MUTATOR_NAME || !pawl_token_is(p, i + 1, "(") || pawl_is_attribute(p, i))
            continue;
        uint32_t close = p->tokens[i + 1].match;
        if (close == PAWL_NO_INDEX || close == i + 2 || pawl_item_end(p, i + 2, close) != close)
            continue;
        if (pawl_token_in(p, i, p->language->wraps) || pawl_token_in(p, i, "range print isinstance"))
            continue;
        uint32_t scope = p->lines[p->tokens[slot->first].line].scope;
        bool own =
            scope != PAWL_NO_INDEX && pawl_count_uses(p, i, p->lines[scope].first, p->lines[scope].first + 3) > 0;
        struct mutator_piece name = {p->text + p->tokens[i].start, p->tokens[i].end - p->tokens[i].start};
        wrap(search, slot, name, slot->cost + 75 + (own ? 50 : 0) + 10 * found++);
    }
}

static void suffixes(struct mutator_search *search, const struct slot *slot) {
    const struct mutator_program *p = search->program;
    const char *list = p->language->suffixes;
    struct mutator_piece word;
    for (int32_t rank = 0; pawl_next_word(&list, ' ', &word); rank++) {
        struct mutator_edit edit = pawl_edit_after(p, PAWL_MUTATION_WRAP, slot->cost + 80 + 5 * rank, slot->last - 1);
        pawl_edit_piece(&edit, word);
        pawl_search_add(search, &edit);
    }
}

static void slice(struct mutator_search *search, const struct slot *slot, uint32_t name, int32_t cost) {
    const struct mutator_program *p = search->program;
    static const char *const forms[][2] = {{"[:", "]"}, {"[", ":]"}, {"[", "]"}};
    for (int32_t i = 0; i < 3; i++) {
        struct mutator_edit edit = pawl_edit_after(p, PAWL_MUTATION_WRAP, slot->cost + cost + 5 * i, slot->last - 1);
        pawl_edit_text(&edit, forms[i][0]);
        pawl_edit_part_tokens(&edit, p, name, name + 1);
        pawl_edit_text(&edit, forms[i][1]);
        pawl_search_add(search, &edit);
    }
}

/* Slices by a name of the scope: one that nothing uses yet is a good guess. */
static void name_slices(struct mutator_search *search, const struct slot *slot) {
    const struct mutator_program *p = search->program;
    uint32_t first, last, begin, taken = 0;
    if (!p->language->indented)
        return;
    pawl_scope_range(p, slot->first, &first, &last);
    begin = slot->first > first + 200 ? slot->first - 200 : first;
    for (uint32_t i = slot->first; i-- > begin && taken < 6;) {
        bool bound = pawl_is_variable(p, i) && (pawl_token_in(p, i + 1, "= : , )") || pawl_token_in(p, i - 1, "( ,"));
        if (!bound || pawl_token_equal(p, i, slot->first) || !pawl_is_visible(p, i, slot->first) ||
            pawl_name_shape(p, i) == MUTATOR_SHAPE_CONTAINER)
            continue;
        bool unused = pawl_count_uses(p, i, first, last) == 1;
        taken++;
        if (unused || taken <= 2)
            slice(search, slot, i, unused ? 40 : 105);
    }
}

static void fill(struct mutator_search *search, uint32_t first, uint32_t last, int32_t cost) {
    const struct mutator_program *p = search->program;
    if (first >= last || last - first > LONGEST || !pawl_begins_operand(p, first) || !pawl_ends_operand(p, last - 1))
        return;
    struct slot slot = {first, last, pawl_primary_end(p, first) >= last, pawl_expression_shape(p, first, last), cost};
    enum mutator_token_kind kind = p->tokens[first].kind;
    bool constant = last == first + 1 && kind != MUTATOR_NAME;
    bool type = last == first + 1 && pawl_token_in(p, first, "int str float list dict set tuple bool");
    if (constant || type || pawl_item_end(p, first, last) != last ||
        pawl_range_holds(p, first, last, "for if lambda =>") || slot.shape == MUTATOR_SHAPE_TRUTH)
        return;
    language_wraps(search, &slot);
    program_wraps(search, &slot);
    if (slot.shape == MUTATOR_SHAPE_NUMBER || slot.shape == MUTATOR_SHAPE_TRUTH || !slot.primary ||
        kind == MUTATOR_OPERATOR || (kind == MUTATOR_OPEN && !pawl_token_is(p, first, "[")))
        return;
    suffixes(search, &slot);
    name_slices(search, &slot);
}

/* Equal in what matters: both sides get the same call or method. */
static void wrap_both(struct mutator_search *search, uint32_t i) {
    const struct mutator_program *p = search->program;
    static const char *const forms[][2] = {{"sorted(", ")"}, {"set(", ")"}, {"len(", ")"}, {"", ".lower()"}};
    if (!pawl_token_in(p, i, "== !=") || !p->language->indented)
        return;
    uint32_t left = pawl_left_operand(p, i), right = pawl_right_operand(p, i);
    bool constant = p->tokens[i + 1].kind == MUTATOR_NUMBER || p->tokens[left].kind == MUTATOR_NUMBER;
    if (left >= i || right <= i + 1 || constant || right - left > LONGEST || pawl_primary_end(p, left) < i ||
        pawl_primary_end(p, i + 1) < right)
        return;
    for (int32_t form = 0; form < 4; form++) {
        struct mutator_edit edit = pawl_edit_tokens(p, PAWL_MUTATION_WRAP, 85 + 5 * form, left, right);
        pawl_edit_text(&edit, forms[form][0]);
        pawl_edit_part_tokens(&edit, p, left, i);
        pawl_edit_text(&edit, forms[form][1]);
        pawl_edit_part(&edit, p, p->tokens[i - 1].end, p->tokens[i + 1].start);
        pawl_edit_text(&edit, forms[form][0]);
        pawl_edit_part_tokens(&edit, p, i + 1, right);
        pawl_edit_text(&edit, forms[form][1]);
        pawl_search_add(search, &edit);
    }
}

/* best = x in a loop: the best so far is max(best, x). */
static void keep_best(struct mutator_search *search, uint32_t i) {
    const struct mutator_program *p = search->program;
    static const char *const forms[] = {"max(", "min("};
    const struct mutator_line *line = &p->lines[p->tokens[i].line];
    uint32_t opener = line->opener, end = line->last;
    bool loops = false;
    for (int depth = 0; opener != PAWL_NO_INDEX && depth < 4; opener = p->lines[opener].opener, depth++)
        loops = loops || pawl_token_in(p, p->lines[opener].first, "for while");
    if (!loops || !p->language->indented || !pawl_token_is(p, i, "=") || i != line->first + 1 || end > i + LONGEST ||
        pawl_token_in(p, i + 1, "max min [ {") || pawl_item_end(p, i + 1, end) != end)
        return;
    for (int32_t form = 0; form < 2; form++) {
        struct mutator_edit edit = pawl_edit_tokens(p, PAWL_MUTATION_WRAP, 75 + 5 * form, i + 1, end);
        pawl_edit_text(&edit, forms[form]);
        pawl_edit_part_tokens(&edit, p, line->first, i);
        pawl_edit_text(&edit, ", ");
        pawl_edit_part_tokens(&edit, p, i + 1, end);
        pawl_edit_text(&edit, ")");
        pawl_search_add(search, &edit);
    }
}

/* Nothing less than nothing. */
static void not_negative(struct mutator_search *search, uint32_t first, uint32_t last) {
    const struct mutator_program *p = search->program;
    bool arithmetic = pawl_range_holds(p, first, last, "+ -");
    if (first >= last || last - first > LONGEST || !arithmetic || !p->language->indented ||
        pawl_item_end(p, first, last) != last || pawl_expression_shape(p, first, last) == MUTATOR_SHAPE_TRUTH)
        return;
    struct mutator_edit edit = pawl_edit_tokens(p, PAWL_MUTATION_WRAP, 95, first, last);
    pawl_edit_text(&edit, "max(0, ");
    pawl_edit_part_tokens(&edit, p, first, last);
    pawl_edit_text(&edit, ")");
    pawl_search_add(search, &edit);
}

static uint32_t statement_end(const struct mutator_program *p, uint32_t i) {
    uint32_t end = p->lines[p->tokens[i].line].last;
    while (end > i && pawl_token_in(p, end - 1, "; : {"))
        end--;
    return end;
}

static void arguments(struct mutator_search *search, uint32_t open) {
    const struct mutator_program *p = search->program;
    uint32_t close = p->tokens[open].match, first = open + 1;
    for (int count = 0; first < close && count < 4; count++) {
        uint32_t last = pawl_item_end(p, first, close);
        if (pawl_token_is(p, first + 1, "="))
            first += 2;
        fill(search, first, last, 10);
        first = last + 1;
    }
}

static void around(struct mutator_search *search, uint32_t i) {
    const struct mutator_program *p = search->program;
    bool defines = p->lines[p->tokens[i].line].flags & MUTATOR_LINE_DEFINES;
    bool statement = p->tokens[i].parent == PAWL_NO_INDEX || !p->language->indented;
    if (defines)
        return;
    if (pawl_token_is(p, i, "return"))
        fill(search, i + 1, statement_end(p, i), 0);
    else if (pawl_token_in(p, i, "= +=") && statement) {
        fill(search, i + 1, statement_end(p, i), 0);
        keep_best(search, i);
        not_negative(search, i + 1, statement_end(p, i));
    } else if (pawl_is_loop_in(p, i))
        fill(search, i + 1, pawl_primary_end(p, i + 1), 5);
    else if (pawl_opens_call(p, i))
        arguments(search, i);
    else if (pawl_operator_precedence(p, i) == 4) {
        fill(search, i + 1, pawl_right_operand(p, i), 15);
        fill(search, pawl_left_operand(p, i), i, 10);
        wrap_both(search, i);
    }
}

void pawl_mutate_wraps(struct mutator_search *search) {
    const struct mutator_program *p = search->program;
    if (p->language->wraps[0] == '\0')
        return;
    for (uint32_t i = 1; i < p->token_count; i++) {
        if (pawl_is_editable(p, i))
            around(search, i);
    }
}
