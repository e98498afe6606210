/** @file fix/mutator_names_internal.h  @brief What role a name plays, as far as its neighbours tell. */
#ifndef PAWL_FIX_MUTATOR_NAMES_INTERNAL_H
#define PAWL_FIX_MUTATOR_NAMES_INTERNAL_H
#include "mutator_edit_internal.h"

bool pawl_is_attribute(const struct mutator_program *program, uint32_t index);
bool pawl_is_called(const struct mutator_program *program, uint32_t index);
bool pawl_is_variable(const struct mutator_program *program, uint32_t index);
/** The tokens of the function around @p site, as far as it is worth looking: [first, last). */
void pawl_scope_range(const struct mutator_program *program, uint32_t site, uint32_t *first, uint32_t *last);
/** The name of token @p donor has a value where @p site stands, as far as the same scope tells. */
bool pawl_is_visible(const struct mutator_program *program, uint32_t donor, uint32_t site);
/** How often the name of token @p name stands in tokens [first, last). */
uint32_t pawl_count_uses(const struct mutator_program *program, uint32_t name, uint32_t first, uint32_t last);
/** The number of arguments or parameters between the bracket at @p open and its partner. */
uint32_t pawl_count_items(const struct mutator_program *program, uint32_t open);
/** One of @p words stands in tokens [first, last), outside of brackets. */
bool pawl_range_holds(const struct mutator_program *program, uint32_t first, uint32_t last, const char *words);

enum mutator_shape {
    MUTATOR_SHAPE_UNKNOWN,
    MUTATOR_SHAPE_NUMBER,
    MUTATOR_SHAPE_TRUTH,
    MUTATOR_SHAPE_TEXT,
    MUTATOR_SHAPE_CONTAINER /**< It has elements or attributes; a text may be meant. */
};

enum mutator_shape pawl_name_shape(const struct mutator_program *program, uint32_t name);
enum mutator_shape pawl_expression_shape(const struct mutator_program *program, uint32_t first, uint32_t last);
#endif
