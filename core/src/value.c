/* Values: a counted cJSON tree, or a counted list of values whose JSON form is made at its first reading. */
#include "value_internal.h"
#include "utf8_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static cJSON null_json = {.type = cJSON_NULL};
static pawl_value null_value = {.json = &null_json};

/* ---- Making ---- */

/* Depth of a tree, PAWL_VALUE_DEPTH + 1 as soon as it is over. */
static size_t depth_of(const cJSON *json, size_t above) {
    size_t deepest = above;
    if (!cJSON_IsArray(json) && !cJSON_IsObject(json))
        return deepest;
    if (++above > PAWL_VALUE_DEPTH)
        return above;
    deepest = above;
    for (const cJSON *child = json->child; child && deepest <= PAWL_VALUE_DEPTH; child = child->next) {
        size_t depth = depth_of(child, above);
        deepest = depth > deepest ? depth : deepest;
    }
    return deepest;
}

/* Releases a tree of any depth: hangs each node's children behind the last sibling instead of going down to them. */
static void delete_deep(cJSON *json) {
    cJSON *last = json;
    while (json) {
        if (json->child && !(json->type & cJSON_IsReference)) {
            last->next = json->child;
            json->child = NULL;
            while (last->next)
                last = last->next;
        }
        cJSON *next = json->next;
        json->next = NULL;
        cJSON_Delete(json);
        json = next;
    }
}

pawl_value *pawl_value_take_measured(cJSON *json, size_t depth) {
    pawl_value *value = malloc(sizeof *value);
    if (!value) {
        cJSON_Delete(json);
        return NULL;
    }
    *value = (pawl_value){.refs = 1, .depth = (uint16_t)depth, .json = json};
    return value;
}

pawl_value *pawl_value_null(void) {
    return &null_value;
}

pawl_value *pawl_value_take(cJSON *json) {
    if (!json)
        return NULL;
    size_t depth = depth_of(json, 0);
    if (depth > PAWL_VALUE_DEPTH) {
        delete_deep(json);
        return NULL;
    }
    return pawl_value_take_measured(json, depth);
}

pawl_value *pawl_value_string(const char *text) {
    size_t length = text ? strlen(text) : 0;
    if (!text || pawl_utf8_valid(text, length) != length)
        return NULL;
    return pawl_value_take(cJSON_CreateString(text));
}

pawl_value *pawl_value_number(double number) {
    return isfinite(number) ? pawl_value_take(cJSON_CreateNumber(number)) : &null_value;
}

pawl_value *pawl_value_bool(bool flag) {
    return pawl_value_take(cJSON_CreateBool(flag));
}

pawl_value *pawl_value_list(pawl_value *const *items, size_t count) {
    size_t depth = 0;
    if ((!items && count > 0) || count > (SIZE_MAX - sizeof(pawl_value)) / sizeof *items)
        return NULL;
    for (size_t i = 0; i < count; i++)
        depth = items[i] && items[i]->depth > depth ? items[i]->depth : depth;
    if (++depth > PAWL_VALUE_DEPTH)
        return NULL;
    pawl_value *list = malloc(sizeof *list + count * sizeof *items);
    if (!list)
        return NULL;
    *list = (pawl_value){.refs = 1, .depth = (uint16_t)depth, .is_list = true, .count = count};
    for (size_t i = 0; i < count; i++)
        list->items[i] = items[i] ? pawl_value_ref(items[i]) : &null_value;
    return list;
}

/* ---- The JSON form of a list ---- */

/* Appends a node that shares text and children with an item's. */
static bool add_sharing(cJSON *array, const cJSON *item) {
    cJSON *node = cJSON_CreateNull();
    if (!node)
        return false;
    node->type = item->type;
    node->valuestring = item->valuestring;
    node->valueint = item->valueint;
    node->valuedouble = item->valuedouble;
    node->child = item->child;
    return cJSON_AddItemToArray(array, node);
}

static void delete_sharing(cJSON *array) {
    cJSON *node = NULL;
    if (!array)
        return;
    cJSON_ArrayForEach(node, array) {
        node->valuestring = NULL;
        node->child = NULL;
    }
    cJSON_Delete(array);
}

static cJSON *list_to_json(const pawl_value *list) {
    cJSON *array = cJSON_CreateArray();
    for (size_t i = 0; array && i < list->count; i++) {
        const cJSON *item = pawl_value_json(list->items[i]); /* recursion: at most PAWL_VALUE_DEPTH lists */
        if (!item || !add_sharing(array, item)) {
            delete_sharing(array);
            return NULL;
        }
    }
    return array;
}

const cJSON *pawl_value_json(const pawl_value *value) {
    if (!value)
        return NULL;
    cJSON *json = atomic_load_explicit(&value->json, memory_order_acquire);
    if (json)
        return json;
    cJSON *made = list_to_json(value);
    if (!made)
        return NULL;
    /* Made at most once for all readers: who comes second drops its own. */
    _Atomic(cJSON *) *published = &((pawl_value *)value)->json;
    if (atomic_compare_exchange_strong_explicit(published, &json, made, memory_order_acq_rel, memory_order_acquire))
        return made;
    delete_sharing(made);
    return json;
}

/* ---- References ---- */

static void destroy(pawl_value *value) {
    cJSON *json = atomic_load_explicit(&value->json, memory_order_relaxed);
    if (value->is_list) {
        delete_sharing(json);
        for (size_t i = 0; i < value->count; i++)
            pawl_value_unref(value->items[i]); /* recursion: at most PAWL_VALUE_DEPTH lists */
    } else {
        cJSON_Delete(json);
    }
    free(value);
}

pawl_value *pawl_value_ref(pawl_value *value) {
    if (value && value != &null_value)
        atomic_fetch_add_explicit(&value->refs, 1, memory_order_relaxed);
    return value;
}

pawl_value *pawl_value_unref(pawl_value *value) {
    if (value && value != &null_value && atomic_fetch_sub_explicit(&value->refs, 1, memory_order_acq_rel) == 1)
        destroy(value);
    return NULL;
}

/* ---- Reading ---- */

bool pawl_value_is_list(const pawl_value *value) {
    return value && value->is_list;
}

size_t pawl_value_count(const pawl_value *value) {
    return value ? value->count : 0;
}

pawl_value *pawl_value_item(const pawl_value *value, size_t index) {
    return index < pawl_value_count(value) ? value->items[index] : NULL;
}

const cJSON *pawl_value_get(const pawl_value *value, const char *key) {
    if (!value || value->is_list)
        return NULL;
    const cJSON *json = pawl_value_json(value);
    return cJSON_IsObject(json) ? cJSON_GetObjectItemCaseSensitive(json, key) : NULL;
}

const char *pawl_value_get_string(const pawl_value *value, const char *key, const char *fallback) {
    const cJSON *member = pawl_value_get(value, key);
    return cJSON_IsString(member) ? member->valuestring : fallback;
}

double pawl_value_get_number(const pawl_value *value, const char *key, double fallback) {
    const cJSON *member = pawl_value_get(value, key);
    return cJSON_IsNumber(member) ? member->valuedouble : fallback;
}

bool pawl_value_get_bool(const pawl_value *value, const char *key, bool fallback) {
    const cJSON *member = pawl_value_get(value, key);
    return cJSON_IsBool(member) ? cJSON_IsTrue(member) : fallback;
}
