/* Where expressions begin and end, as far as tokens, brackets and precedence tell. */
#include "mutator_program_internal.h"

#include <string.h>

/* Longer chains of operators, trailers or items are taken to end here, so that no text costs quadratic time. */
#define STEPS 200

bool pawl_token_is(const struct mutator_program *p, uint32_t index, const char *text) {
    if (index >= p->token_count)
        return false;
    const struct mutator_token *t = &p->tokens[index];
    size_t length = strlen(text);
    return t->end - t->start == length && memcmp(p->text + t->start, text, length) == 0;
}

bool pawl_token_in(const struct mutator_program *p, uint32_t index, const char *list) {
    return index < p->token_count &&
           pawl_word_in(p->text + p->tokens[index].start, p->tokens[index].end - p->tokens[index].start, list);
}

bool pawl_token_kind_is(const struct mutator_program *p, uint32_t index, enum mutator_token_kind kind) {
    return index < p->token_count && p->tokens[index].kind == kind;
}

bool pawl_token_equal(const struct mutator_program *p, uint32_t a, uint32_t b) {
    return p->tokens[a].first_like == p->tokens[b].first_like;
}

bool pawl_is_editable(const struct mutator_program *p, uint32_t index) {
    if (index < p->focus_first || index >= p->focus_last)
        return false;
    const struct mutator_token *t = &p->tokens[index];
    return t->kind != MUTATOR_OPAQUE && t->kind != MUTATOR_NEWLINE && !(p->lines[t->line].flags & MUTATOR_LINE_FIXED);
}

bool pawl_in_arithmetic(const struct mutator_program *p, uint32_t index) {
    if (!p->language->shell)
        return true;
    uint32_t steps = 0;
    for (uint32_t at = p->tokens[index].parent; at != PAWL_NO_INDEX && steps < STEPS;
         at = p->tokens[at].parent, steps++) {
        if (pawl_token_is(p, at, "(") && pawl_token_is(p, p->tokens[at].parent, "(") && p->tokens[at].parent + 1 == at)
            return true;
    }
    return false;
}

bool pawl_ends_operand(const struct mutator_program *p, uint32_t index) {
    if (index >= p->token_count)
        return false;
    switch (p->tokens[index].kind) {
    case MUTATOR_NAME:
    case MUTATOR_NUMBER:
    case MUTATOR_STRING:
    case MUTATOR_OPAQUE:
    case MUTATOR_CLOSE:
        return true;
    case MUTATOR_KEYWORD:
        return pawl_token_in(p, index, "True False None true false null undefined nil super");
    default:
        return false;
    }
}

static bool is_prefix(const struct mutator_program *p, uint32_t index) {
    return pawl_token_in(p, index, "- + not ! ~") && !pawl_ends_operand(p, index - 1);
}

bool pawl_begins_operand(const struct mutator_program *p, uint32_t index) {
    if (index >= p->token_count)
        return false;
    enum mutator_token_kind kind = p->tokens[index].kind;
    return kind == MUTATOR_OPEN || is_prefix(p, index) || (kind != MUTATOR_CLOSE && pawl_ends_operand(p, index));
}

bool pawl_is_loop_in(const struct mutator_program *p, uint32_t index) {
    if (!pawl_token_in(p, index, "in of"))
        return false;
    uint32_t at = index;
    while (at > 0 &&
           (p->tokens[at - 1].kind == MUTATOR_NAME || pawl_token_in(p, at - 1, ", ( ) [ ] * . let const var")))
        at--;
    return pawl_token_is(p, at - 1, "for");
}

int pawl_operator_precedence(const struct mutator_program *p, uint32_t index) {
    static const char *const levels[] = {"or || \?\?", "and &&",   "",  "in is < > <= >= == != === !== instanceof",
                                         "|",          "^",        "&", "<< >> >>>",
                                         "+ -",        "* / // %", "",  "**"};
    if (index == 0 || index >= p->token_count ||
        (p->tokens[index].kind != MUTATOR_OPERATOR && p->tokens[index].kind != MUTATOR_KEYWORD))
        return 0;
    bool two_words = pawl_token_is(p, index, "not") && pawl_token_is(p, index + 1, "in");
    if (two_words)
        return 4;
    if (!pawl_ends_operand(p, index - 1) && !pawl_token_is(p, index - 1, "not"))
        return 0;
    if (p->language->shell && p->tokens[index].end - p->tokens[index].start > 2 &&
        pawl_token_in(p, index, "-eq -ne -lt -le -gt -ge"))
        return 4;
    for (int level = 0; level < 12; level++) {
        if (levels[level][0] && pawl_token_in(p, index, levels[level])) {
            bool words = level < 4 || pawl_in_arithmetic(p, index);
            return words && !pawl_is_loop_in(p, index) ? level + 1 : 0;
        }
    }
    return 0;
}

static bool is_trailer(const struct mutator_program *p, uint32_t index) {
    return pawl_token_in(p, index, "( [ . ?.") &&
           (p->tokens[index].kind != MUTATOR_OPEN || p->tokens[index].match != PAWL_NO_INDEX);
}

uint32_t pawl_primary_end(const struct mutator_program *p, uint32_t index) {
    for (uint32_t steps = 0; is_prefix(p, index) && steps < STEPS; steps++)
        index++;
    if (!pawl_begins_operand(p, index))
        return index;
    uint32_t at = pawl_token_kind_is(p, index, MUTATOR_OPEN) ? p->tokens[index].match : index;
    if (at == PAWL_NO_INDEX)
        return index;
    at++;
    for (uint32_t steps = 0; is_trailer(p, at) && steps < STEPS; steps++) {
        if (p->tokens[at].kind == MUTATOR_OPEN)
            at = p->tokens[at].match + 1;
        else
            at += 2;
    }
    return at < p->token_count ? at : p->token_count;
}

/* One step back over a trailer, to the last token of what it trails; PAWL_NO_INDEX when there is none. */
static uint32_t before_trailer(const struct mutator_program *p, uint32_t index) {
    const struct mutator_token *t = &p->tokens[index];
    if (index == 0)
        return PAWL_NO_INDEX;
    if (t->kind == MUTATOR_OPEN && !pawl_token_is(p, index, "{") && pawl_ends_operand(p, index - 1))
        return index - 1;
    if (t->kind == MUTATOR_NAME && pawl_token_in(p, index - 1, ". ?.") && index >= 2 && pawl_ends_operand(p, index - 2))
        return index - 2;
    return PAWL_NO_INDEX;
}

uint32_t pawl_primary_start(const struct mutator_program *p, uint32_t index) {
    for (uint32_t steps = 0; steps < STEPS; steps++) {
        if (pawl_token_kind_is(p, index, MUTATOR_CLOSE)) {
            if (p->tokens[index].match == PAWL_NO_INDEX)
                return index;
            index = p->tokens[index].match;
        }
        uint32_t before = before_trailer(p, index);
        if (before == PAWL_NO_INDEX)
            break;
        index = before;
    }
    return index;
}

uint32_t pawl_left_operand(const struct mutator_program *p, uint32_t index) {
    int precedence = pawl_operator_precedence(p, index);
    if (index == 0)
        return index;
    uint32_t start = pawl_primary_start(p, index - 1);
    for (uint32_t steps = 0; start > 1 && steps < STEPS; steps++) {
        if (is_prefix(p, start - 1) && precedence < 11) {
            start--;
            continue;
        }
        int before = pawl_operator_precedence(p, start - 1);
        if (before == 0 || before < precedence)
            break;
        uint32_t last = start - 2;
        if (pawl_token_is(p, last, "not")) /* not in */
            last--;
        start = pawl_primary_start(p, last);
    }
    return start;
}

uint32_t pawl_right_operand(const struct mutator_program *p, uint32_t index) {
    int precedence = pawl_operator_precedence(p, index);
    uint32_t end = index + 1;
    if (pawl_token_in(p, end, "in not") && pawl_token_in(p, index, "not is"))
        end++;
    end = pawl_primary_end(p, end);
    for (uint32_t steps = 0; pawl_operator_precedence(p, end) > precedence && steps < STEPS; steps++) {
        uint32_t next = end + 1 + (pawl_token_in(p, end + 1, "in not") && pawl_token_in(p, end, "not is"));
        uint32_t after = pawl_primary_end(p, next);
        if (after <= end)
            break;
        end = after;
    }
    return end < p->token_count ? end : p->token_count;
}

uint32_t pawl_item_end(const struct mutator_program *p, uint32_t index, uint32_t limit) {
    for (uint32_t steps = 0; index < limit && index < p->token_count && steps < STEPS; steps++) {
        const struct mutator_token *t = &p->tokens[index];
        if (t->kind == MUTATOR_CLOSE || t->kind == MUTATOR_NEWLINE || pawl_token_is(p, index, ","))
            return index;
        index = t->kind == MUTATOR_OPEN && t->match != PAWL_NO_INDEX ? t->match + 1 : index + 1;
    }
    return index < limit ? index : limit;
}

bool pawl_condition_after(const struct mutator_program *p, uint32_t index, uint32_t *begin, uint32_t *end) {
    if (!pawl_token_in(p, index, "if elif while") || index + 1 >= p->token_count || p->language->shell)
        return false;
    if (!p->language->indented) {
        uint32_t open = index + 1;
        if (!pawl_token_is(p, open, "(") || p->tokens[open].match == PAWL_NO_INDEX)
            return false;
        *begin = open + 1;
        *end = p->tokens[open].match;
        return *begin < *end;
    }
    uint32_t at = index + 1;
    *begin = at;
    for (uint32_t steps = 0; at < p->token_count && steps < STEPS; steps++) {
        const struct mutator_token *t = &p->tokens[at];
        if (t->kind == MUTATOR_CLOSE || t->kind == MUTATOR_NEWLINE || pawl_token_in(p, at, ": else for if ,"))
            break;
        at = t->kind == MUTATOR_OPEN && t->match != PAWL_NO_INDEX ? t->match + 1 : at + 1;
    }
    *end = at < p->token_count ? at : p->token_count;
    return *begin < *end;
}

bool pawl_opens_call(const struct mutator_program *p, uint32_t index) {
    if (index == 0 || !pawl_token_is(p, index, "(") || p->tokens[index].match == PAWL_NO_INDEX)
        return false;
    const struct mutator_token *before = &p->tokens[index - 1];
    if (before->kind != MUTATOR_NAME && before->kind != MUTATOR_CLOSE)
        return false;
    return !pawl_token_in(p, index - 2, "def class function") && !p->language->shell;
}

bool pawl_opens_index(const struct mutator_program *p, uint32_t index) {
    return index > 0 && pawl_token_is(p, index, "[") && p->tokens[index].match != PAWL_NO_INDEX &&
           pawl_ends_operand(p, index - 1) && !p->language->shell;
}
