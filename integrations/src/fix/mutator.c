/* The mutator's life: read the program, find its edits, order them, then make one text at a time. */
#include "mutator_edit_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Edits kept while they are found, per candidate asked for: enough that ordering has a choice. */
#define EDITS_PER_CANDIDATE 4
/* About a thousand lines. */
#define FOCUS_TOKENS 8192

struct pawl_mutator {
    struct mutator_program program;
    struct mutator_search search;
    double *suspicion;
    uint32_t next;
    size_t given, max_candidates;
    char *candidate; /* room for the longest */
    uint64_t *seen;  /* open addressing over hashes of texts; 0 is empty */
    size_t seen_slots;
    char description[160];
};

const char *pawl_mutation_kind_name(enum pawl_mutation_kind kind) {
    static const char *const names[PAWL_MUTATION_KINDS] = {
        "comparison", "arithmetic", "assignment", "boolean",   "negation",   "literal", "constant", "offset",
        "string",     "name",       "function",   "arguments", "operands",   "term",    "grouping", "wrap",
        "unwrap",     "expression", "jump",       "drop",      "swap_lines", "indent",  "insert"};
    return (unsigned)kind < PAWL_MUTATION_KINDS ? names[kind] : "unknown";
}

/* FNV-1a with a final mix (Fowler, Noll, Vo; the mix is that of MurmurHash3). */
static uint64_t hash_text(const char *text, size_t length) {
    uint64_t hash = 14695981039346656037u;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)text[i]) * 1099511628211u;
    hash ^= hash >> 33;
    hash *= 0xff51afd7ed558ccdu;
    hash ^= hash >> 33;
    return hash ? hash : 1;
}

/* True when the text had not been seen. The table has twice as many slots as there are edits. */
static bool remember(struct pawl_mutator *m, const char *text, size_t length) {
    uint64_t hash = hash_text(text, length);
    size_t slot = hash % m->seen_slots;
    while (m->seen[slot] && m->seen[slot] != hash)
        slot = (slot + 1) % m->seen_slots;
    bool fresh = m->seen[slot] == 0;
    m->seen[slot] = hash;
    return fresh;
}

static size_t candidate_length(const struct pawl_mutator *m, const struct mutator_edit *edit) {
    size_t length = m->program.length - (edit->end - edit->start);
    for (uint32_t i = 0; i < edit->piece_count; i++)
        length += edit->pieces[i].length;
    return length;
}

static size_t make_candidate(struct pawl_mutator *m, const struct mutator_edit *edit) {
    const struct mutator_program *p = &m->program;
    char *to = m->candidate;
    memcpy(to, p->text, edit->start);
    to += edit->start;
    for (uint32_t i = 0; i < edit->piece_count; i++) {
        const struct mutator_piece *piece = &edit->pieces[i];
        memcpy(to, piece->text ? piece->text : edit->number, piece->length);
        to += piece->length;
    }
    memcpy(to, p->text + edit->end, p->length - edit->end);
    to += p->length - edit->end;
    *to = '\0';
    return (size_t)(to - m->candidate);
}

bool pawl_mutator_next(struct pawl_mutator *m, struct pawl_mutation *out) {
    while (m->next < m->search.edits.count && m->given < m->max_candidates) {
        const struct mutator_edit *edit = &m->search.edits.items[m->next++];
        size_t length = make_candidate(m, edit);
        if (!remember(m, m->candidate, length))
            continue;
        m->given++;
        pawl_mutator_describe(&m->program, edit, m->description, sizeof m->description);
        *out = (struct pawl_mutation){m->candidate, length, m->description, edit->row, edit->kind};
        return true;
    }
    return false;
}

static bool read_program(struct pawl_mutator *m, const char *text, size_t length, const char *language) {
    struct mutator_program *p = &m->program;
    p->text = malloc(length + 1);
    if (!p->text)
        return false;
    if (length > 0)
        memcpy(p->text, text, length);
    p->text[length] = '\0';
    p->length = length;
    p->language = pawl_mutator_language(language);
    return pawl_mutator_tokenize(p) && pawl_mutator_layout(p);
}

static bool is_usable(const struct pawl_mutator_hint *hint, uint32_t row_count) {
    return hint->line > 0 && hint->line < row_count && isfinite(hint->weight) && hint->weight > 0;
}

/* 1 for the heaviest line, an eighth less for each halving of the weight, never 0 for a hinted line. */
static double suspicion_of(double weight, double heaviest) {
    double suspicion = 1;
    for (; weight < heaviest && suspicion > 0.125; weight *= 2)
        suspicion -= 0.125;
    return suspicion;
}

static bool read_hints(struct pawl_mutator *m, const struct pawl_mutator_hint *hints, size_t count) {
    uint32_t rows = m->search.row_count;
    double heaviest = 0;
    for (size_t i = 0; i < count; i++) {
        if (is_usable(&hints[i], rows) && hints[i].weight > heaviest)
            heaviest = hints[i].weight;
    }
    if (heaviest <= 0)
        return true;
    m->suspicion = calloc(rows, sizeof *m->suspicion);
    if (!m->suspicion)
        return false;
    for (size_t i = 0; i < count; i++) {
        double suspicion = is_usable(&hints[i], rows) ? suspicion_of(hints[i].weight, heaviest) : 0;
        if (suspicion > 0 && suspicion > m->suspicion[hints[i].line])
            m->suspicion[hints[i].line] = suspicion;
    }
    m->search.suspicion = m->suspicion;
    return true;
}

/* Of a long program only a part is edited: the one around the most suspected line, else its beginning. */
static void choose_focus(struct pawl_mutator *m) {
    struct mutator_program *p = &m->program;
    uint32_t centre = 0;
    for (uint32_t i = 0; m->suspicion && i < p->token_count; i++) {
        if (m->suspicion[p->tokens[i].row] > m->suspicion[p->tokens[centre].row])
            centre = i;
    }
    p->focus_first = centre > FOCUS_TOKENS / 2 ? centre - FOCUS_TOKENS / 2 : 0;
    p->focus_last = p->token_count - p->focus_first > FOCUS_TOKENS ? p->focus_first + FOCUS_TOKENS : p->token_count;
}

static void find_edits(struct mutator_search *search) {
    pawl_mutate_operators(search);
    pawl_mutate_conditions(search);
    pawl_mutate_constants(search);
    pawl_mutate_offsets(search);
    pawl_mutate_names(search);
    pawl_mutate_functions(search);
    pawl_mutate_calls(search);
    pawl_mutate_terms(search);
    pawl_mutate_wraps(search);
    pawl_mutate_inserts(search);
    pawl_mutate_arguments(search);
    pawl_mutate_slices(search);
    pawl_mutate_expressions(search);
    pawl_mutate_statements(search);
    pawl_mutate_blocks(search);
}

/* All that pawl_mutator_next() needs, so that it cannot fail. */
static bool make_room(struct pawl_mutator *m) {
    size_t longest = m->program.length;
    for (uint32_t i = 0; i < m->search.edits.count; i++) {
        size_t length = candidate_length(m, &m->search.edits.items[i]);
        longest = length > longest ? length : longest;
    }
    m->candidate = malloc(longest + 1);
    m->seen_slots = 2 * (size_t)m->search.edits.count + 2;
    m->seen = calloc(m->seen_slots, sizeof *m->seen);
    if (!m->candidate || !m->seen)
        return false;
    remember(m, m->program.text, m->program.length);
    return true;
}

static bool prepare(struct pawl_mutator *m, const char *text, size_t length, const struct pawl_mutator_options *o) {
    size_t wanted = o->max_candidates ? o->max_candidates : PAWL_MUTATOR_DEFAULT_CANDIDATES;
    m->max_candidates = wanted < PAWL_MUTATOR_MAX_CANDIDATES ? wanted : PAWL_MUTATOR_MAX_CANDIDATES;
    if (length > PAWL_MUTATOR_MAX_TEXT_BYTES)
        length = 0;
    if (!read_program(m, text, length, o->language))
        return false;
    struct mutator_search *search = &m->search;
    search->program = &m->program;
    search->row_count = 2;
    for (size_t i = 0; i < length; i++)
        search->row_count += text[i] == '\n';
    search->edits.capacity = (uint32_t)(EDITS_PER_CANDIDATE * m->max_candidates + 1024);
    search->edits.items = malloc(search->edits.capacity * sizeof *search->edits.items);
    if (!search->edits.items || !read_hints(m, o->hints, o->hints ? o->hint_count : 0))
        return false;
    choose_focus(m);
    find_edits(search);
    return pawl_mutator_order(search) && make_room(m);
}

struct pawl_mutator *pawl_mutator_new(const char *text, size_t length, const struct pawl_mutator_options *options) {
    static const struct pawl_mutator_options defaults = {0};
    struct pawl_mutator *m = calloc(1, sizeof *m);
    if (m && !prepare(m, text, length, options ? options : &defaults)) {
        pawl_mutator_free(m);
        return NULL;
    }
    return m;
}

void pawl_mutator_free(struct pawl_mutator *m) {
    if (!m)
        return;
    free(m->program.text);
    free(m->program.tokens);
    free(m->program.lines);
    free(m->program.guesses);
    free(m->search.edits.items);
    free(m->suspicion);
    free(m->candidate);
    free(m->seen);
    free(m);
}
