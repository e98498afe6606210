/* Building edits, and the bounded list that keeps the likely ones. */
#include "mutator_edit_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a line without a hint pays: its likely edits come after the unlikely ones of a line with one. */
#define UNSUSPECTED_COST 150

struct mutator_edit pawl_edit_bytes(enum pawl_mutation_kind kind, int32_t cost, uint32_t row, uint32_t start,
                                    uint32_t end) {
    return (struct mutator_edit){.kind = kind, .cost = cost, .row = row, .start = start, .end = end};
}

struct mutator_edit pawl_edit_tokens(const struct mutator_program *p, enum pawl_mutation_kind kind, int32_t cost,
                                     uint32_t first, uint32_t last) {
    const struct mutator_token *t = &p->tokens[first];
    return pawl_edit_bytes(kind, cost, t->row, t->start, last > first ? p->tokens[last - 1].end : t->start);
}

struct mutator_edit pawl_edit_after(const struct mutator_program *p, enum pawl_mutation_kind kind, int32_t cost,
                                    uint32_t index) {
    const struct mutator_token *t = &p->tokens[index];
    return pawl_edit_bytes(kind, cost, t->row, t->end, t->end);
}

void pawl_edit_piece(struct mutator_edit *edit, struct mutator_piece piece) {
    if (edit->piece_count < MUTATOR_EDIT_PIECES && piece.length > 0)
        edit->pieces[edit->piece_count++] = piece;
}

void pawl_edit_text(struct mutator_edit *edit, const char *literal) {
    pawl_edit_piece(edit, (struct mutator_piece){literal, (uint32_t)strlen(literal)});
}

void pawl_edit_part(struct mutator_edit *edit, const struct mutator_program *p, uint32_t start, uint32_t end) {
    if (end > start)
        pawl_edit_piece(edit, (struct mutator_piece){p->text + start, end - start});
}

void pawl_edit_part_tokens(struct mutator_edit *edit, const struct mutator_program *p, uint32_t first, uint32_t last) {
    if (last > first)
        pawl_edit_part(edit, p, p->tokens[first].start, p->tokens[last - 1].end);
}

void pawl_edit_number(struct mutator_edit *edit, long long value) {
    int length = snprintf(edit->number, sizeof edit->number, "%lld", value);
    pawl_edit_piece(edit, (struct mutator_piece){NULL, (uint32_t)length});
}

void pawl_edit_byte(struct mutator_edit *edit, char byte) {
    edit->number[0] = byte;
    pawl_edit_piece(edit, (struct mutator_piece){NULL, 1});
}

static int32_t suspicion_cost(const struct mutator_search *search, uint32_t row) {
    if (!search->suspicion)
        return 0;
    double suspicion = row < search->row_count ? search->suspicion[row] : 0;
    int32_t cost = (int32_t)((1 - suspicion) * UNSUSPECTED_COST);
    return suspicion > 0 ? cost / 2 : cost;
}

static int by_cost(const void *a, const void *b) {
    const struct mutator_edit *x = a, *y = b;
    if (x->cost != y->cost)
        return x->cost < y->cost ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

static void sort(struct mutator_edits *edits) {
    qsort(edits->items, edits->count, sizeof *edits->items, by_cost);
}

void pawl_search_add(struct mutator_search *search, const struct mutator_edit *edit) {
    struct mutator_edits *edits = &search->edits;
    if (edits->count == edits->capacity) {
        sort(edits);
        edits->count = edits->capacity / 2;
    }
    struct mutator_edit *added = &edits->items[edits->count++];
    *added = *edit;
    added->cost += suspicion_cost(search, edit->row);
    added->order = edits->seen++;
}

void pawl_search_replace(struct mutator_search *search, enum pawl_mutation_kind kind, int32_t cost, uint32_t first,
                         uint32_t last, const char *literal) {
    struct mutator_edit edit = pawl_edit_tokens(search->program, kind, cost, first, last);
    pawl_edit_text(&edit, literal);
    pawl_search_add(search, &edit);
}

/* Each further edit of a line, and of a kind, waits a little longer than its cost alone would have it. */
bool pawl_mutator_order(struct mutator_search *search) {
    enum { LINE_STEP = 3, KIND_STEP = 1 };
    struct mutator_edits *edits = &search->edits;
    int32_t of_kind[PAWL_MUTATION_KINDS] = {0};
    int32_t *of_row = calloc((size_t)search->row_count + 1, sizeof *of_row);
    if (!of_row)
        return false;
    sort(edits);
    for (uint32_t i = 0; i < edits->count; i++) {
        struct mutator_edit *edit = &edits->items[i];
        edit->cost += LINE_STEP * of_row[edit->row]++ + KIND_STEP * of_kind[edit->kind]++;
    }
    sort(edits);
    free(of_row);
    return true;
}
