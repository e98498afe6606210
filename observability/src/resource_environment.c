/* OTEL_RESOURCE_ATTRIBUTES: "key=value,key=value" with percent-encoding (OpenTelemetry's resource SDK specification).
 */
#include "environment_internal.h"
#include "resource_internal.h"
#include <stdlib.h>
#include <string.h>

/* Reads the list, and sets what it says only when wanted: nothing is taken of a list with an error in it. */
static bool walk(char *text, pawl_resource *set, pawl_status *ret_status, pawl_error **err) {
    char *rest = NULL, *key, *value;
    for (char *entry = strtok_r(text, ",", &rest); entry && *ret_status == PAWL_OK;
         entry = strtok_r(NULL, ",", &rest)) {
        if (entry[strspn(entry, " \t")] == '\0')
            continue;
        if (!pawl_environment_split(entry, &key, &value))
            return false;
        pawl_attribute attribute = pawl_attribute_string(key, value);
        if (set)
            *ret_status = pawl_resource_set(set, &attribute, err);
    }
    return true;
}

pawl_status pawl_resource_set_listed(pawl_resource *resource, const char *text, pawl_error **err) {
    size_t size = strlen(text) + 1;
    char *copy = malloc(size);
    pawl_status status = PAWL_OK;
    if (!copy)
        return pawl_error_set(err, PAWL_E_NOMEM, "resource: out of memory");
    memcpy(copy, text, size);
    if (walk(copy, NULL, &status, err)) {
        memcpy(copy, text, size);
        walk(copy, resource, &status, err);
    }
    free(copy);
    return status;
}
