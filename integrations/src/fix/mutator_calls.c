/* Arguments and list items in the wrong order or too many, and calls that should not be there. */
#include "mutator_names_internal.h"

#define NEVER 1000

static void swap(struct mutator_search *search, uint32_t a, uint32_t a_end, uint32_t b, uint32_t b_end, int32_t cost) {
    const struct mutator_program *p = search->program;
    struct mutator_edit edit = pawl_edit_tokens(p, PAWL_MUTATION_ARGUMENTS, cost, a, b_end);
    pawl_edit_part_tokens(&edit, p, b, b_end);
    pawl_edit_part(&edit, p, p->tokens[a_end - 1].end, p->tokens[b].start);
    pawl_edit_part_tokens(&edit, p, a, a_end);
    pawl_search_add(search, &edit);
}

static bool is_empty_or_spread(const struct mutator_program *p, uint32_t first, uint32_t last) {
    return first >= last || pawl_token_in(p, first, "* ** ...") || pawl_token_is(p, first + 1, "=");
}

/* The item [first, last) with the comma that parts it from its neighbour. */
static void drop_item(struct mutator_search *search, uint32_t begin, uint32_t first, uint32_t last, uint32_t end,
                      int32_t cost) {
    const struct mutator_program *p = search->program;
    struct mutator_edit edit = pawl_edit_tokens(p, PAWL_MUTATION_ARGUMENTS, cost, first, last);
    if (first > begin + 1)
        edit.start = p->tokens[first - 2].end;
    else if (first > begin) /* the comma is the first token: nothing stands before it */
        edit.start = p->tokens[begin].start;
    else if (last < end && last + 1 < p->token_count)
        edit.end = p->tokens[last + 1].start;
    else
        return;
    pawl_search_add(search, &edit);
}

/* Items of tokens [begin, end), parted by commas. Long lists are data: only their first items are tried. */
static void items(struct mutator_search *search, uint32_t begin, uint32_t end, int32_t swap_cost, int32_t drop_cost) {
    const struct mutator_program *p = search->program;
    uint32_t first = begin;
    for (int count = 0; first < end && count < 12; count++) {
        uint32_t last = pawl_item_end(p, first, end);
        uint32_t next = last + 1, next_end = last < end ? pawl_item_end(p, next, end) : end;
        bool comma = last < end && pawl_token_is(p, last, ",");
        if (!comma && last < end)
            return;
        bool needed = first == begin && pawl_token_is(p, next + 1, "="); /* before keyword arguments */
        if (first < last && drop_cost != NEVER && !needed)
            drop_item(search, begin, first, last, end, drop_cost);
        if (comma && next < next_end && !is_empty_or_spread(p, first, last) && !is_empty_or_spread(p, next, next_end))
            swap(search, first, last, next, next_end, swap_cost);
        first = next;
    }
}

/* f(x) and x.f(...) become x. */
static void unwrap(struct mutator_search *search, uint32_t open) {
    const struct mutator_program *p = search->program;
    uint32_t close = p->tokens[open].match, name = open - 1;
    if (p->tokens[name].kind != MUTATOR_NAME)
        return;
    uint32_t start = pawl_primary_start(p, name);
    if (pawl_is_attribute(p, name) && start + 1 < name && p->tokens[name - 2].kind != MUTATOR_NUMBER) {
        struct mutator_edit edit = pawl_edit_tokens(p, PAWL_MUTATION_UNWRAP, 60, name - 1, close + 1);
        pawl_search_add(search, &edit);
    }
    if (close == open + 1 || pawl_item_end(p, open + 1, close) != close)
        return;
    bool loop = false, loose = false;
    for (uint32_t i = open + 1; i < close && i < open + 200; i++) {
        loop = loop || pawl_token_is(p, i, "for");
        loose = loose || pawl_operator_precedence(p, i) > 0 || pawl_token_in(p, i, "if lambda");
    }
    struct mutator_edit edit = pawl_edit_tokens(p, PAWL_MUTATION_UNWRAP, loop ? 95 : 50, start, close + 1);
    pawl_edit_text(&edit, loose ? "(" : "");
    pawl_edit_part_tokens(&edit, p, open + 1, close);
    pawl_edit_text(&edit, loose ? ")" : "");
    pawl_search_add(search, &edit);
}

static void bracket(struct mutator_search *search, uint32_t open) {
    const struct mutator_program *p = search->program;
    uint32_t close = p->tokens[open].match;
    if (close == PAWL_NO_INDEX)
        return;
    const struct mutator_line *line = &p->lines[p->tokens[open].line];
    bool fixed_count = pawl_token_in(p, open - 1, "filter map isinstance") || pawl_token_is(p, open + 1, "lambda");
    bool loop = pawl_range_holds(p, open + 1, close, "for");
    if (pawl_opens_call(p, open) && !(line->flags & MUTATOR_LINE_DEFINES)) {
        if (!loop)
            items(search, open + 1, close, 35, fixed_count ? NEVER : 55);
        unwrap(search, open);
    } else if (!pawl_opens_index(p, open) && !(line->flags & MUTATOR_LINE_DEFINES) && !pawl_token_is(p, open, "{") &&
               !loop)
        items(search, open + 1, close, 50, 60);
}

/* return a, b     a, b = f()     for i, x in ... */
static void bare_items(struct mutator_search *search, const struct mutator_line *line) {
    const struct mutator_program *p = search->program;
    if (!p->language->indented || line->flags & (MUTATOR_LINE_DEFINES | MUTATOR_LINE_FIXED))
        return;
    for (uint32_t i = line->first; i < line->last; i++) {
        bool begins = i == line->first || pawl_token_in(p, i - 1, "return = for");
        if (!begins || p->tokens[i].parent != PAWL_NO_INDEX)
            continue;
        uint32_t begin = pawl_token_in(p, i, "return for") ? i + 1 : i, end = begin;
        while (end < line->last && !pawl_token_in(p, end, "= in :") && end < begin + 100)
            end = p->tokens[end].kind == MUTATOR_OPEN && p->tokens[end].match != PAWL_NO_INDEX
                      ? p->tokens[end].match + 1
                      : end + 1;
        bool target = pawl_token_in(p, end, "= in");
        if (end <= line->last && pawl_item_end(p, begin, end) < end)
            items(search, begin, end, 50, target ? NEVER : 90);
        i = end > i ? end - 1 : i;
    }
}

void pawl_mutate_calls(struct mutator_search *search) {
    const struct mutator_program *p = search->program;
    if (p->language->shell)
        return;
    for (uint32_t i = 0; i < p->token_count; i++) {
        if (p->tokens[i].kind == MUTATOR_OPEN && pawl_is_editable(p, i))
            bracket(search, i);
    }
    for (uint32_t i = 0; i < p->line_count; i++)
        if (pawl_is_editable(p, p->lines[i].first))
            bare_items(search, &p->lines[i]);
}
