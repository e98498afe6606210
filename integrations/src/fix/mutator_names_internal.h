/** @file fix/mutator_names_internal.h  @brief What role a name plays, as far as its neighbours tell. */
#ifndef PAWL_FIX_MUTATOR_NAMES_INTERNAL_H
#define PAWL_FIX_MUTATOR_NAMES_INTERNAL_H
#include "fix/mutator_edit_internal.h"

bool pawl_is_attribute(const struct mutator_program *program, uint32_t index);
bool pawl_is_called(const struct mutator_program *program, uint32_t index);
bool pawl_is_variable(const struct mutator_program *program, uint32_t index);
/** The tokens of the function around @p site, as far as it is worth looking: [first, last). */
void pawl_scope_range(const struct mutator_program *program, uint32_t site, uint32_t *first, uint32_t *last);
#endif
