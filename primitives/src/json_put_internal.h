/* Building JSON objects: each adds one member, whose key must outlive the object, and is false, with the item gone,
 * when there is no memory for it. */
#ifndef PAWL_JSON_PUT_INTERNAL_H
#define PAWL_JSON_PUT_INTERNAL_H

#include <cjson/cJSON.h>
#include <stdbool.h>

/* item is taken; NULL is one that could not be made. */
static inline bool json_put(cJSON *object, const char *key, cJSON *item) {
    if (item && cJSON_AddItemToObjectCS(object, key, item))
        return true;
    cJSON_Delete(item);
    return false;
}

static inline bool json_put_number(cJSON *object, const char *key, double number) {
    return json_put(object, key, cJSON_CreateNumber(number));
}

/* NULL is null. */
static inline bool json_put_text(cJSON *object, const char *key, const char *text) {
    return json_put(object, key, text ? cJSON_CreateString(text) : cJSON_CreateNull());
}

#endif
