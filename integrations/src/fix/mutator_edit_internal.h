/**
 * @file fix/mutator_edit_internal.h
 * @brief One edit as a replaced byte range, and the bounded list that collects them.
 */
#ifndef PAWL_FIX_MUTATOR_EDIT_INTERNAL_H
#define PAWL_FIX_MUTATOR_EDIT_INTERNAL_H
#include "mutator_internal.h"
#include "mutator_program_internal.h"

#define MUTATOR_EDIT_PIECES 8

/** Bytes [start, end) of the program become the pieces, joined. A piece without text is the edit's own number. */
struct mutator_edit {
    uint32_t start, end;
    uint32_t row;
    uint32_t order; /**< Of discovery: the last word between equals. */
    int32_t cost;   /**< Low comes first; 100 is about a factor of e in how likely such a repair is. */
    enum pawl_mutation_kind kind;
    uint32_t piece_count;
    struct mutator_piece pieces[MUTATOR_EDIT_PIECES];
    char number[24];
    const char *note; /**< For the description when "x became y" would not say it; a literal or NULL. */
};

/** The cheapest edits found so far; when full, the dearer half goes. */
struct mutator_edits {
    struct mutator_edit *items;
    uint32_t count, capacity, seen;
};

/** What the finders of edits work on. */
struct mutator_search {
    const struct mutator_program *program;
    struct mutator_edits edits;
    const double *suspicion; /**< Per physical row, 0 to 1; NULL when there are no hints. */
    uint32_t row_count;
};

/* An edit over tokens [first, last); first == last is an insertion before the token. */
struct mutator_edit pawl_edit_tokens(const struct mutator_program *program, enum pawl_mutation_kind kind, int32_t cost,
                                     uint32_t first, uint32_t last);
struct mutator_edit pawl_edit_after(const struct mutator_program *program, enum pawl_mutation_kind kind, int32_t cost,
                                    uint32_t index);
struct mutator_edit pawl_edit_bytes(enum pawl_mutation_kind kind, int32_t cost, uint32_t row, uint32_t start,
                                    uint32_t end);
void pawl_edit_text(struct mutator_edit *edit, const char *literal);
void pawl_edit_piece(struct mutator_edit *edit, struct mutator_piece piece);
void pawl_edit_part(struct mutator_edit *edit, const struct mutator_program *program, uint32_t start, uint32_t end);
/** The bytes of tokens [first, last), with what stands between them. */
void pawl_edit_part_tokens(struct mutator_edit *edit, const struct mutator_program *program, uint32_t first,
                           uint32_t last);
/* Of these two at most one per edit. */
void pawl_edit_number(struct mutator_edit *edit, long long value);
void pawl_edit_byte(struct mutator_edit *edit, char byte);

/** Adds a copy. Edits of a fixed line are refused. */
void pawl_search_add(struct mutator_search *search, const struct mutator_edit *edit);
/** The commonest case: tokens [first, last) become a literal. */
void pawl_search_replace(struct mutator_search *search, enum pawl_mutation_kind kind, int32_t cost, uint32_t first,
                         uint32_t last, const char *literal);
/** Sorts by likelihood so that no line and no kind keeps the others waiting. False when memory is short. */
bool pawl_mutator_order(struct mutator_search *search);

/** Writes the description into @p out, at most @p size bytes with the NUL. */
void pawl_mutator_describe(const struct mutator_program *program, const struct mutator_edit *edit, char *out,
                           size_t size);

/* The finders: each adds the edits of its kinds. */
void pawl_mutate_operators(struct mutator_search *search);
void pawl_mutate_conditions(struct mutator_search *search);
void pawl_mutate_constants(struct mutator_search *search);
void pawl_mutate_offsets(struct mutator_search *search);
void pawl_mutate_names(struct mutator_search *search);
void pawl_mutate_functions(struct mutator_search *search);
void pawl_mutate_calls(struct mutator_search *search);
void pawl_mutate_terms(struct mutator_search *search);
void pawl_mutate_wraps(struct mutator_search *search);
void pawl_mutate_inserts(struct mutator_search *search);
void pawl_mutate_arguments(struct mutator_search *search);
void pawl_mutate_slices(struct mutator_search *search);
void pawl_mutate_expressions(struct mutator_search *search);
void pawl_mutate_statements(struct mutator_search *search);
void pawl_mutate_blocks(struct mutator_search *search);
#endif
