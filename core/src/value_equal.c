/* Equality of JSON. cJSON_Compare() is not used: it takes near numbers for equal, an object with a repeated name for
 * unlike itself, and quadratic time for large objects. A repeated name is compared occurrence by occurrence. */
#include "value_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FEW_MEMBERS 8u

static bool json_equal(const cJSON *a, const cJSON *b);

static const char *name_of(const cJSON *member) {
    return member->string ? member->string : "";
}

static bool same_name(const cJSON *a, const cJSON *b) {
    return strcmp(name_of(a), name_of(b)) == 0;
}

static size_t length_of(const cJSON *first) {
    size_t count = 0;
    for (; first; first = first->next)
        count++;
    return count;
}

/* ---- Members in different order ---- */

/* For few members, or when there is no memory to sort them. */
static bool equal_by_search(const cJSON *a, const cJSON *b) {
    for (const cJSON *member = a; member; member = member->next) {
        size_t before = 0;
        for (const cJSON *other = a; other != member; other = other->next)
            before += same_name(other, member);
        const cJSON *match = b;
        while (match && (!same_name(match, member) || before-- > 0))
            match = match->next;
        if (!match || !json_equal(member, match))
            return false;
    }
    return true;
}

struct place {
    const cJSON *member;
    size_t index;
};

static int by_name_then_place(const void *a, const void *b) {
    const struct place *x = a;
    const struct place *y = b;
    int order = strcmp(name_of(x->member), name_of(y->member));
    return order != 0 ? order : (x->index > y->index) - (x->index < y->index);
}

static void fill_sorted(struct place *places, size_t count, const cJSON *first) {
    for (size_t i = 0; i < count; i++, first = first->next)
        places[i] = (struct place){first, i};
    qsort(places, count, sizeof *places, by_name_then_place);
}

static bool equal_in_any_order(const cJSON *a, const cJSON *b) {
    size_t count = length_of(a);
    if (count != length_of(b))
        return false;
    struct place *places = count > FEW_MEMBERS ? calloc(2 * count, sizeof *places) : NULL;
    if (!places)
        return equal_by_search(a, b);
    fill_sorted(places, count, a);
    fill_sorted(places + count, count, b);
    bool equal = true;
    for (size_t i = 0; equal && i < count; i++) {
        const cJSON *x = places[i].member;
        const cJSON *y = places[count + i].member;
        equal = same_name(x, y) && json_equal(x, y);
    }
    free(places);
    return equal;
}

/* ---- Any JSON ---- */

static bool members_equal(const cJSON *a, const cJSON *b) {
    while (a && b && same_name(a, b)) { /* most often the order is the same */
        if (!json_equal(a, b))
            return false;
        a = a->next;
        b = b->next;
    }
    return equal_in_any_order(a, b);
}

static bool items_equal(const cJSON *a, const cJSON *b) {
    for (; a && b; a = a->next, b = b->next)
        if (!json_equal(a, b))
            return false;
    return !a && !b;
}

/* Recursion: no value nests deeper than PAWL_VALUE_DEPTH. */
static bool json_equal(const cJSON *a, const cJSON *b) {
    int type = a->type & 0xff; /* without cJSON's flags */
    if (a == b)
        return true;
    if (type != (b->type & 0xff))
        return false;
    switch (type) {
    case cJSON_Number:
        return a->valuedouble == b->valuedouble || (isnan(a->valuedouble) && isnan(b->valuedouble));
    case cJSON_String:
    case cJSON_Raw:
        return a->valuestring && b->valuestring && strcmp(a->valuestring, b->valuestring) == 0;
    case cJSON_Array:
        return items_equal(a->child, b->child);
    case cJSON_Object:
        return members_equal(a->child, b->child);
    default:
        return true;
    }
}

/* ---- Values: a list is compared item by item, which needs no memory ---- */

static bool equals_json(const pawl_value *value, const cJSON *json) {
    if (!value->is_list)
        return json_equal(pawl_value_json(value), json);
    if (!cJSON_IsArray(json))
        return false;
    const cJSON *item = json->child;
    for (size_t i = 0; i < value->count; i++, item = item->next)
        if (!item || !equals_json(value->items[i], item))
            return false;
    return !item;
}

bool pawl_value_equal(const pawl_value *a, const pawl_value *b) {
    a = a ? a : pawl_value_null();
    b = b ? b : pawl_value_null();
    if (a == b)
        return true;
    if (!b->is_list)
        return equals_json(a, pawl_value_json(b));
    if (!a->is_list)
        return equals_json(b, pawl_value_json(a));
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!pawl_value_equal(a->items[i], b->items[i]))
            return false;
    return true;
}
