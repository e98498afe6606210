/* A function, method or attribute for one of the same shape, or for another one the program uses. */
#include "mutator_names_internal.h"

#include <string.h>

#define DONORS 4
#define LOOK_AROUND 2000

static void siblings_of_group(struct mutator_search *search, uint32_t i, const struct mutator_piece *group) {
    const struct mutator_program *p = search->program;
    const struct mutator_token *t = &p->tokens[i];
    char words[128];
    bool loose = group->length > 0 && *group->text == '~';
    struct mutator_piece inner = {group->text + loose, group->length - loose};
    group = &inner;
    if (group->length >= sizeof words)
        return;
    memcpy(words, group->text, group->length);
    words[group->length] = '\0';
    if (!pawl_word_in(p->text + t->start, t->end - t->start, words))
        return;
    const char *list = words;
    struct mutator_piece word;
    for (int32_t cost = loose ? 50 : 22; pawl_next_word(&list, ' ', &word); cost += 8) {
        struct mutator_edit edit = pawl_edit_tokens(p, PAWL_MUTATION_FUNCTION, cost, i, i + 1);
        word.text = group->text + (word.text - words); /* the list outlives the copy */
        pawl_edit_piece(&edit, word);
        pawl_search_add(search, &edit);
    }
}

static void siblings(struct mutator_search *search, uint32_t i) {
    const char *list = search->program->language->siblings;
    struct mutator_piece group;
    while (pawl_next_word(&list, '|', &group))
        siblings_of_group(search, i, &group);
}

/* A name in the same role: called or not, attribute or not. Definitions count as uses of a function. */
static bool same_role(const struct mutator_program *p, uint32_t site, uint32_t donor) {
    if (p->tokens[donor].kind != MUTATOR_NAME || pawl_token_equal(p, donor, site))
        return false;
    bool defined = pawl_token_in(p, donor - 1, "def function");
    if (pawl_is_attribute(p, site) != pawl_is_attribute(p, donor))
        return false;
    bool called = pawl_is_called(p, donor) || (defined && pawl_token_is(p, donor + 1, "("));
    if (!pawl_is_called(p, site))
        return !called;
    return called && pawl_count_items(p, site + 1) == pawl_count_items(p, donor + 1);
}

static void others_of_program(struct mutator_search *search, uint32_t site, int32_t cost) {
    const struct mutator_program *p = search->program;
    uint32_t found[DONORS], count = 0;
    for (uint32_t distance = 1; distance < LOOK_AROUND && count < DONORS; distance++) {
        for (int side = 0; side < 2 && count < DONORS; side++) {
            uint32_t at = side ? site + distance : site - distance;
            if (at >= p->token_count || !same_role(p, site, at) || !pawl_is_editable(p, at))
                continue;
            bool known = false;
            for (uint32_t k = 0; k < count; k++)
                known = known || pawl_token_equal(p, found[k], at);
            if (known)
                continue;
            struct mutator_edit edit =
                pawl_edit_tokens(p, PAWL_MUTATION_FUNCTION, cost + 10 * (int32_t)count, site, site + 1);
            pawl_edit_part_tokens(&edit, p, at, at + 1);
            pawl_search_add(search, &edit);
            found[count++] = at;
        }
    }
}

void pawl_mutate_functions(struct mutator_search *search) {
    const struct mutator_program *p = search->program;
    for (uint32_t i = 0; i < p->token_count; i++) {
        if (!pawl_is_editable(p, i) || p->tokens[i].kind != MUTATOR_NAME ||
            pawl_token_in(p, i - 1, "def class function"))
            continue;
        bool attribute = pawl_is_attribute(p, i), called = pawl_is_called(p, i);
        if (attribute || called || p->language->shell)
            siblings(search, i);
        if (attribute)
            others_of_program(search, i, called ? 70 : 50);
        else if (called)
            others_of_program(search, i, 70);
    }
}
