/* A variable for another one that is in scope nearby. */
#include "mutator_names_internal.h"

#define DONORS 8
#define LOOK_BACK 400
#define LOOK_AHEAD 120

bool pawl_is_attribute(const struct mutator_program *p, uint32_t i) {
    return pawl_token_in(p, i - 1, ". ?. ->");
}

bool pawl_is_called(const struct mutator_program *p, uint32_t i) {
    return pawl_token_is(p, i + 1, "(") && pawl_opens_call(p, i + 1);
}

/* name= in the arguments of a call or definition. */
static bool is_keyword_argument(const struct mutator_program *p, uint32_t i) {
    return p->language->indented && pawl_token_is(p, i + 1, "=") && p->tokens[i].parent != PAWL_NO_INDEX;
}

/* The key of {name: value}, where the language takes it for a name. */
static bool is_key(const struct mutator_program *p, uint32_t i) {
    return !p->language->indented && pawl_token_is(p, i + 1, ":") && pawl_token_is(p, p->tokens[i].parent, "{");
}

static bool is_parameter(const struct mutator_program *p, uint32_t i) {
    return pawl_token_in(p, i - 1, "( , * **") && p->tokens[i].parent != PAWL_NO_INDEX &&
           (pawl_token_in(p, i + 1, ", ) = :") || !p->language->indented);
}

bool pawl_is_variable(const struct mutator_program *p, uint32_t i) {
    if (!pawl_token_kind_is(p, i, MUTATOR_NAME) || pawl_is_attribute(p, i) || pawl_is_called(p, i) ||
        is_keyword_argument(p, i) || is_key(p, i) || pawl_token_in(p, i - 1, "def class function import") ||
        pawl_token_in(p, i, "int str float list dict set tuple bool"))
        return false;
    if (p->language->shell)
        return pawl_token_is(p, i - 1, "$") || pawl_token_is(p, i + 1, "=") || pawl_in_arithmetic(p, i);
    /* In the line of a definition only parameters are variables, not their types. */
    const struct mutator_line *line = &p->lines[p->tokens[i].line];
    return !(line->flags & (MUTATOR_LINE_DEFINES | MUTATOR_LINE_FIXED)) || is_parameter(p, i);
}

/* The name is only bound inside a bracket that does not hold the site: [x for x in ...], lambda x: ... */
static bool is_hidden(const struct mutator_program *p, uint32_t donor, uint32_t site) {
    uint32_t open = p->tokens[donor].parent;
    for (int depth = 0; open != PAWL_NO_INDEX && depth < 16; open = p->tokens[open].parent, depth++) {
        uint32_t close = p->tokens[open].match;
        if (close == PAWL_NO_INDEX || (open < site && site < close))
            return false;
        for (uint32_t i = open + 1; i < close && i < open + 100; i++) {
            bool binds =
                pawl_token_in(p, i - 1, "for lambda") ||
                (pawl_token_is(p, i - 1, ",") && (pawl_is_loop_in(p, i + 1) || pawl_token_is(p, i - 3, "for")));
            if (binds && p->tokens[i].kind == MUTATOR_NAME && pawl_token_equal(p, i, donor))
                return true;
        }
    }
    return false;
}

void pawl_scope_range(const struct mutator_program *p, uint32_t site, uint32_t *first, uint32_t *last) {
    uint32_t scope = p->lines[p->tokens[site].line].scope;
    uint32_t line = p->tokens[site].line;
    *first = site > LOOK_BACK ? site - LOOK_BACK : 0;
    *last = site + LOOK_AHEAD < p->token_count ? site + LOOK_AHEAD : p->token_count;
    if (scope != PAWL_NO_INDEX && p->lines[scope].first > *first)
        *first = p->lines[scope].first;
    uint32_t base = scope == PAWL_NO_INDEX ? 0 : p->lines[scope].indent + 1;
    while (line + 1 < p->line_count && p->lines[line].last < *last && p->lines[line + 1].indent >= base)
        line++;
    if (p->lines[line].last < *last)
        *last = p->lines[line].last;
}

uint32_t pawl_count_uses(const struct mutator_program *p, uint32_t name, uint32_t first, uint32_t last) {
    uint32_t count = 0;
    for (uint32_t i = first; i < last; i++)
        count += p->tokens[i].kind == MUTATOR_NAME && pawl_token_equal(p, i, name);
    return count;
}

uint32_t pawl_count_items(const struct mutator_program *p, uint32_t open) {
    uint32_t close = p->tokens[open].match, count = 0;
    for (uint32_t at = open + 1; close != PAWL_NO_INDEX && at < close && count < 20; count++)
        at = pawl_item_end(p, at, close) + 1;
    return count;
}

bool pawl_range_holds(const struct mutator_program *p, uint32_t first, uint32_t last, const char *words) {
    for (uint32_t i = first; i < last && i < first + 300; i++) {
        if (pawl_token_in(p, i, words))
            return true;
        if (p->tokens[i].kind == MUTATOR_OPEN && p->tokens[i].match != PAWL_NO_INDEX)
            i = p->tokens[i].match;
    }
    return false;
}

/* Bound by its own statement, as in x = ... or for x in ...: it has no value before that is done. */
static bool is_bound_here(const struct mutator_program *p, uint32_t donor, uint32_t site) {
    const struct mutator_line *line = &p->lines[p->tokens[site].line];
    if (donor < line->first || donor >= line->last || p->tokens[donor].parent != PAWL_NO_INDEX)
        return false;
    uint32_t first, last;
    pawl_scope_range(p, site, &first, &last);
    bool target = donor < site && (pawl_token_in(p, donor + 1, "= ,") || pawl_is_loop_in(p, donor + 1));
    return target && pawl_count_uses(p, donor, first, line->first) == 0;
}

bool pawl_is_visible(const struct mutator_program *p, uint32_t donor, uint32_t site) {
    bool own_loop = pawl_is_loop_in(p, site - 1) && pawl_token_equal(p, site - 2, donor);
    return !own_loop && !is_hidden(p, donor, site) && !is_bound_here(p, donor, site);
}

static bool is_target(const struct mutator_program *p, uint32_t i) {
    return pawl_token_is(p, i + 1, "=") && p->tokens[i].parent == PAWL_NO_INDEX;
}

struct donors {
    uint32_t names[DONORS];
    uint32_t count;
};

static void consider(const struct mutator_program *p, struct donors *d, uint32_t donor, uint32_t site) {
    if (d->count == DONORS || !pawl_is_variable(p, donor) || pawl_token_equal(p, donor, site) ||
        pawl_token_in(p, donor, "self cls this _") || !pawl_is_visible(p, donor, site))
        return;
    for (uint32_t i = 0; i < d->count; i++) {
        if (pawl_token_equal(p, d->names[i], donor))
            return;
    }
    d->names[d->count++] = donor;
}

/* Names of the site's own line first, then backwards; what is only bound later cannot be meant. */
static void collect(const struct mutator_program *p, struct donors *d, uint32_t site, uint32_t first) {
    const struct mutator_line *line = &p->lines[p->tokens[site].line];
    uint32_t begin = line->first > first ? line->first : first;
    for (uint32_t i = site; i-- > begin;)
        consider(p, d, i, site);
    for (uint32_t i = site + 1; i < line->last && i < site + LOOK_AHEAD; i++)
        consider(p, d, i, site);
    for (uint32_t i = begin; i-- > first;)
        consider(p, d, i, site);
}

/* A name that holds another kind of thing hardly was meant. */
static int32_t mismatch(const struct mutator_program *p, enum mutator_shape shape, uint32_t donor) {
    enum mutator_shape other = pawl_name_shape(p, donor);
    return shape != MUTATOR_SHAPE_UNKNOWN && other != MUTATOR_SHAPE_UNKNOWN && shape != other ? 60 : 0;
}

static void variable(struct mutator_search *search, uint32_t site) {
    const struct mutator_program *p = search->program;
    struct donors d = {.count = 0};
    uint32_t first, last;
    pawl_scope_range(p, site, &first, &last);
    collect(p, &d, site, first);
    bool bound_here = pawl_token_in(p, site - 1, "for let const var") || pawl_is_loop_in(p, site + 1);
    int32_t cost = bound_here ? 90 : is_target(p, site) ? 60 : 35;
    enum mutator_shape shape = pawl_name_shape(p, site);
    int32_t rank = 0;
    for (uint32_t i = 0; i < d.count; i++) {
        /* One that is only ever bound was probably meant somewhere. */
        bool unused = pawl_count_uses(p, d.names[i], first, last) == 1;
        int32_t extra = mismatch(p, shape, d.names[i]);
        extra += unused ? -20 : 8 * rank;
        rank += extra < 60;
        struct mutator_edit edit = pawl_edit_tokens(p, PAWL_MUTATION_NAME, cost + extra, site, site + 1);
        pawl_edit_part_tokens(&edit, p, d.names[i], d.names[i] + 1);
        pawl_search_add(search, &edit);
    }
}

void pawl_mutate_names(struct mutator_search *search) {
    const struct mutator_program *p = search->program;
    for (uint32_t i = 0; i < p->token_count; i++) {
        bool site = pawl_is_editable(p, i) && pawl_is_variable(p, i);
        if (site && !(p->lines[p->tokens[i].line].flags & MUTATOR_LINE_DEFINES) &&
            !pawl_token_in(p, i, "self cls this"))
            variable(search, i);
    }
}
