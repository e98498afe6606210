/* An expression for another one of the same function: what a repair needs often stands nearby already (the "plastic
 * surgery hypothesis": E. T. Barr et al., FSE 2014). */
#include "mutator_names_internal.h"

#define DONORS 4
#define LONGEST 10
#define LOOK_AROUND 150

struct range {
    uint32_t first, last;
};

static bool same_text(const struct mutator_program *p, struct range a, struct range b) {
    if (a.last - a.first != b.last - b.first)
        return false;
    for (uint32_t i = 0; i < a.last - a.first; i++) {
        if (!pawl_token_equal(p, a.first + i, b.first + i))
            return false;
    }
    return true;
}

/* The primary that begins at the token: a call, an index, an attribute; not a method's result that is thrown away. */
static bool compound(const struct mutator_program *p, uint32_t first, struct range *out) {
    if (p->tokens[first].kind != MUTATOR_NAME || pawl_is_attribute(p, first) ||
        pawl_token_in(p, first - 1, "def class function import"))
        return false;
    uint32_t last = pawl_primary_end(p, first);
    const struct mutator_line *line = &p->lines[p->tokens[first].line];
    if (last <= first + 1 || last - first > LONGEST || line->flags & (MUTATOR_LINE_DEFINES | MUTATOR_LINE_FIXED))
        return false;
    bool statement = line->first == first && line->last == last;
    *out = (struct range){first, last};
    return !statement && !pawl_token_in(p, first, "range print super") && !pawl_range_holds(p, first, last, "for");
}

static bool all_visible(const struct mutator_program *p, struct range donor, uint32_t site) {
    for (uint32_t i = donor.first; i < donor.last; i++) {
        if (pawl_is_variable(p, i) && !pawl_is_visible(p, i, site))
            return false;
    }
    return true;
}

static void replace_from(struct mutator_search *search, struct range site, int32_t cost) {
    const struct mutator_program *p = search->program;
    enum mutator_shape shape = pawl_expression_shape(p, site.first, site.last);
    struct range found[DONORS];
    uint32_t count = 0, first, last;
    pawl_scope_range(p, site.first, &first, &last);
    for (uint32_t distance = 1; distance < LOOK_AROUND && count < DONORS; distance++) {
        for (int side = 0; side < 2 && count < DONORS; side++) {
            uint32_t at = side ? site.last - 1 + distance : site.first - distance;
            struct range donor;
            if (at < first || at >= last || !compound(p, at, &donor) || same_text(p, site, donor) ||
                (donor.first < site.last && donor.last > site.first) || !all_visible(p, donor, site.first))
                continue;
            enum mutator_shape other = pawl_expression_shape(p, donor.first, donor.last);
            bool known = shape != other && shape != MUTATOR_SHAPE_UNKNOWN && other != MUTATOR_SHAPE_UNKNOWN;
            for (uint32_t k = 0; k < count; k++)
                known = known || same_text(p, found[k], donor);
            if (known)
                continue;
            struct mutator_edit edit =
                pawl_edit_tokens(p, PAWL_MUTATION_EXPRESSION, cost + 8 * (int32_t)count, site.first, site.last);
            pawl_edit_part_tokens(&edit, p, donor.first, donor.last);
            pawl_search_add(search, &edit);
            found[count++] = donor;
        }
    }
}

/* A variable for a compound: only where it is a whole operand. */
static void replace_by_name(struct mutator_search *search, struct range site) {
    const struct mutator_program *p = search->program;
    enum mutator_shape shape = pawl_expression_shape(p, site.first, site.last);
    uint32_t first, last, found[2], count = 0;
    pawl_scope_range(p, site.first, &first, &last);
    for (uint32_t i = site.first; i-- > first && count < 2;) {
        if (!pawl_is_variable(p, i) || !pawl_is_visible(p, i, site.first) || pawl_token_in(p, i, "self cls this _") ||
            (count > 0 && pawl_token_equal(p, i, found[0])))
            continue;
        enum mutator_shape other = pawl_name_shape(p, i);
        if (shape != other && shape != MUTATOR_SHAPE_UNKNOWN && other != MUTATOR_SHAPE_UNKNOWN)
            continue;
        struct mutator_edit edit =
            pawl_edit_tokens(p, PAWL_MUTATION_EXPRESSION, 85 + 10 * (int32_t)count, site.first, site.last);
        pawl_edit_part_tokens(&edit, p, i, i + 1);
        pawl_search_add(search, &edit);
        found[count++] = i;
    }
}

void pawl_mutate_expressions(struct mutator_search *search) {
    const struct mutator_program *p = search->program;
    if (p->language->shell)
        return;
    for (uint32_t i = 1; i < p->token_count; i++) {
        struct range site = {i, i + 1};
        if (!pawl_is_editable(p, i) || p->tokens[i].kind != MUTATOR_NAME ||
            p->lines[p->tokens[i].line].flags & MUTATOR_LINE_DEFINES)
            continue;
        bool target = pawl_token_in(p, i + 1, "= += -= *= /=") || pawl_is_loop_in(p, i + 1);
        if (compound(p, i, &site)) {
            replace_from(search, site, 85);
            replace_by_name(search, site);
        } else if (pawl_is_variable(p, i) && !target && pawl_primary_end(p, i) == i + 1 &&
                   !pawl_token_in(p, i - 1, "for lambda"))
            replace_from(search, (struct range){i, i + 1}, 90);
    }
}
