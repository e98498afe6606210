/** @file value_internal.h  @brief Inside a value; for core/src/value*.c alone. */
#ifndef PAWL_VALUE_INTERNAL_H
#define PAWL_VALUE_INTERNAL_H

#include <pawl/value.h>
#include <stdatomic.h>

/** No value nests deeper, so that recursion over one (here and in cJSON) is bounded. cJSON's own parser stops there
 * too. */
#define PAWL_VALUE_DEPTH 1000u

struct pawl_value {
    atomic_uint refs;
    uint16_t depth; /* arrays, objects and lists one inside the other; 0 for a scalar */
    bool is_list;
    _Atomic(cJSON *) json; /* of a list: NULL until first read, nodes beneath the items belong to the items */
    size_t count;          /* of a list */
    pawl_value *items[];
};

/** pawl_value_take() of a tree whose depth is known. */
pawl_value *pawl_value_take_measured(cJSON *json, size_t depth);

#endif
