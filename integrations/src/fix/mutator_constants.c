/* Numbers off by one or taken for another, and strings likewise. */
#include "mutator_edit_internal.h"

#include <string.h>

#define DONORS 4
#define LOOK_AROUND 300

static uint32_t length_of(const struct mutator_program *p, uint32_t i) {
    return p->tokens[i].end - p->tokens[i].start;
}

static const char *text_of(const struct mutator_program *p, uint32_t i) {
    return p->text + p->tokens[i].start;
}

/* Plain decimal integers only. */
static bool read_integer(const struct mutator_program *p, uint32_t i, long long *ret_value) {
    const char *text = text_of(p, i);
    uint32_t length = length_of(p, i);
    if (length > 15 || (length > 1 && text[0] == '0'))
        return false;
    long long value = 0;
    for (uint32_t at = 0; at < length; at++) {
        if (text[at] < '0' || text[at] > '9')
            return false;
        value = value * 10 + (text[at] - '0');
    }
    *ret_value = value;
    return true;
}

static void become(struct mutator_search *search, uint32_t first, uint32_t last, long long value, int32_t cost) {
    struct mutator_edit edit = pawl_edit_tokens(search->program, PAWL_MUTATION_CONSTANT, cost, first, last);
    pawl_edit_number(&edit, value);
    pawl_search_add(search, &edit);
}

static bool is_negative(const struct mutator_program *p, uint32_t i) {
    return pawl_token_is(p, i - 1, "-") && !pawl_ends_operand(p, i - 2);
}

static void integer(struct mutator_search *search, uint32_t i, long long value) {
    bool negative = is_negative(search->program, i);
    if (value == 0) {
        become(search, i, i + 1, 1, 15);
        become(search, i, i + 1, -1, 50);
        return;
    }
    if (value == 1 && negative)
        become(search, i - 1, i + 1, 0, 20);
    else
        become(search, i, i + 1, value - 1, value == 1 ? 15 : 20);
    become(search, i, i + 1, value + 1, 22);
    if (value >= 10 && value % 10 == 0) {
        become(search, i, i + 1, value * 10, 90);
        become(search, i, i + 1, value / 10, 90);
    }
}

/* 1.0 has the neighbours 0.0 and 2.0. */
static void decimal(struct mutator_search *search, uint32_t i) {
    const struct mutator_program *p = search->program;
    uint32_t length = length_of(p, i);
    const char *text = text_of(p, i);
    if (length != 3 || text[1] != '.' || text[0] < '0' || text[0] > '9')
        return;
    for (int step = -1; step <= 1; step += 2) {
        int value = text[0] - '0' + step;
        if (value < 0)
            continue;
        struct mutator_edit edit = pawl_edit_tokens(p, PAWL_MUTATION_CONSTANT, 35, i, i + 1);
        pawl_edit_number(&edit, value);
        pawl_edit_part(&edit, p, p->tokens[i].start + 1, p->tokens[i].end);
        pawl_search_add(search, &edit);
    }
}

/* The nearest other literals of the same kind, before and after in turn, each text once. */
static void donors(struct mutator_search *search, uint32_t i, enum pawl_mutation_kind kind, int32_t cost,
                   int32_t step) {
    const struct mutator_program *p = search->program;
    uint32_t found[DONORS], count = 0;
    for (uint32_t distance = 1; distance < LOOK_AROUND && count < DONORS; distance++) {
        for (int side = 0; side < 2 && count < DONORS; side++) {
            uint32_t at = side ? i + distance : i - distance; /* before the first token: wraps to a huge index */
            if (at >= p->token_count || p->tokens[at].kind != p->tokens[i].kind || pawl_token_equal(p, at, i) ||
                !pawl_is_editable(p, at))
                continue;
            bool known = false;
            for (uint32_t k = 0; k < count; k++)
                known = known || pawl_token_equal(p, found[k], at);
            if (known || length_of(p, at) > 200)
                continue;
            struct mutator_edit edit = pawl_edit_tokens(p, kind, cost + step * (int32_t)count, i, i + 1);
            pawl_edit_part_tokens(&edit, p, at, at + 1);
            pawl_search_add(search, &edit);
            found[count++] = at;
        }
    }
}

static void number(struct mutator_search *search, uint32_t i) {
    long long value;
    if (read_integer(search->program, i, &value))
        integer(search, i, value);
    else
        decimal(search, i);
    donors(search, i, PAWL_MUTATION_CONSTANT, 65, 10);
}

/* A string of bytes [start, end) of the program, without its quotes, becomes a part of itself and a literal. */
static void restring(struct mutator_search *search, uint32_t i, uint32_t start, uint32_t end, const char *more,
                     int32_t cost) {
    const struct mutator_token *t = &search->program->tokens[i];
    struct mutator_edit edit = pawl_edit_tokens(search->program, PAWL_MUTATION_STRING, cost, i, i + 1);
    edit.start = t->start + 1;
    edit.end = t->end - 1;
    pawl_edit_part(&edit, search->program, start, end);
    pawl_edit_text(&edit, more);
    pawl_search_add(search, &edit);
}

/* The string becomes one byte. */
static void become_byte(struct mutator_search *search, uint32_t i, char byte, int32_t cost) {
    struct mutator_edit edit = pawl_edit_tokens(search->program, PAWL_MUTATION_STRING, cost, i, i + 1);
    edit.start++;
    edit.end--;
    pawl_edit_byte(&edit, byte);
    pawl_search_add(search, &edit);
}

/* Marks and letters that are taken for each other, the opposite first. */
static void marks(struct mutator_search *search, uint32_t i, char mark) {
    static const char *const kin[] = {"()[{", ")(]}", "[]({", "][)}", "{}([", "}{)]", "<>", "><",
                                      "+-*",  "-+_",  "*+/",  "/*",   ",;.",  ";,",   ".,", "_-"};
    for (size_t row = 0; row < sizeof kin / sizeof *kin; row++) {
        for (int32_t k = 1; kin[row][0] == mark && kin[row][k]; k++)
            become_byte(search, i, kin[row][k], 60 + 5 * k);
    }
    if ((mark >= 'a' && mark <= 'z') || (mark >= 'A' && mark <= 'Z'))
        become_byte(search, i, (char)(mark ^ 0x20), 65);
}

static void string(struct mutator_search *search, uint32_t i) {
    const struct mutator_program *p = search->program;
    const struct mutator_token *t = &p->tokens[i];
    const char *text = text_of(p, i);
    uint32_t length = length_of(p, i);
    if (length < 2 || text[0] != text[length - 1] || (length >= 6 && text[0] == text[1])) /* not terminated; triple */
        return;
    uint32_t start = t->start + 1, end = t->end - 1, inside = end - start;
    if (inside == 0)
        restring(search, i, start, end, " ", 55);
    else
        restring(search, i, start, start, "", inside == 1 && text[1] == ' ' ? 30 : 85);
    if (inside > 1 && text[inside] == ' ')
        restring(search, i, start, end - 1, "", 50);
    if (inside > 1 && text[1] == ' ')
        restring(search, i, start + 1, end, "", 50);
    if (inside == 2 && text[1] == text[2] && text[1] != '\\')
        restring(search, i, start, start + 1, "", 40);
    if (inside > 0 && text[inside] != ' ' && (text[inside] == ',' || text[inside] == ':'))
        restring(search, i, start, end, " ", 75);
    if (inside == 1)
        marks(search, i, text[1]);
    donors(search, i, PAWL_MUTATION_STRING, 55, 10);
}

void pawl_mutate_constants(struct mutator_search *search) {
    const struct mutator_program *p = search->program;
    for (uint32_t i = 0; i < p->token_count; i++) {
        if (!pawl_is_editable(p, i))
            continue;
        bool descriptor = p->language->shell && pawl_token_in(p, i + 1, "> < >> >&"); /* 2> */
        if (p->tokens[i].kind == MUTATOR_NUMBER && !descriptor)
            number(search, i);
        else if (p->tokens[i].kind == MUTATOR_STRING)
            string(search, i);
    }
}
