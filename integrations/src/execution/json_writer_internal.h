/* Building JSON: everything is added to one tree; what fails to be made is remembered and the tree thrown away at the
 * end. */
#ifndef PAWL_EXECUTION_JSON_WRITER_H
#define PAWL_EXECUTION_JSON_WRITER_H

#include <cjson/cJSON.h>
#include <pawl/integrations/sandbox.h>

struct json_writer {
    bool failed;
};

static inline void json_keep(struct json_writer *w, cJSON *item, bool kept) {
    if (kept)
        return;
    w->failed = true;
    cJSON_Delete(item);
}

/* item is taken; NULL is one that could not be made. */
static inline void json_add(struct json_writer *w, cJSON *object, const char *name, cJSON *item) {
    json_keep(w, item, item && object && cJSON_AddItemToObject(object, name, item));
}

static inline void json_append(struct json_writer *w, cJSON *array, cJSON *item) {
    json_keep(w, item, item && array && cJSON_AddItemToArray(array, item));
}

static inline cJSON *json_add_object(struct json_writer *w, cJSON *object, const char *name) {
    cJSON *item = cJSON_CreateObject();
    json_add(w, object, name, item);
    return w->failed ? NULL : item;
}

static inline cJSON *json_append_object(struct json_writer *w, cJSON *array) {
    cJSON *item = cJSON_CreateObject();
    json_append(w, array, item);
    return w->failed ? NULL : item;
}

static inline cJSON *json_add_array(struct json_writer *w, cJSON *object, const char *name) {
    cJSON *item = cJSON_CreateArray();
    json_add(w, object, name, item);
    return w->failed ? NULL : item;
}

static inline cJSON *json_seconds(uint64_t ns) {
    return cJSON_CreateNumber((double)ns / 1e9);
}

static inline cJSON *json_number(uint64_t value) {
    return cJSON_CreateNumber((double)value);
}

static inline cJSON *json_text_or_null(const char *text) {
    return text ? cJSON_CreateString(text) : cJSON_CreateNull();
}

/* ---- output.c: parts of the node's output that others show too ---- */

void pawl_execution_add_limits(struct json_writer *w, cJSON *root, const pawl_execution_result *result);
/* "a, b, c" as an array; NULL gives an empty one. */
void pawl_execution_add_names(struct json_writer *w, cJSON *object, const char *name, const char *names);

#endif
