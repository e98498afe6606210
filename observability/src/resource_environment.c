/* OTEL_RESOURCE_ATTRIBUTES: "key=value,key=value" with percent-encoding (OpenTelemetry's resource SDK specification).
 */
#include "environment_internal.h"
#include "resource_internal.h"
#include <stdlib.h>
#include <string.h>

#define MOST_ENTRIES 100 /* leaves room for what the program says and what is detected */

/* Reads the list, and sets what it says only when wanted: nothing is taken of a list with an error in it. Returns the
 * number of the first entry that is wrong or too many, from 1; 0: none. */
static unsigned walk(char *text, pawl_resource *set, pawl_status *ret_status, pawl_error **err) {
    char *key, *value;
    unsigned number = 0;
    for (char *rest = text, *entry; (entry = strsep(&rest, ",")) && *ret_status == PAWL_OK;) {
        number++;
        if (entry[strspn(entry, " \t")] == '\0')
            continue;
        if (number > MOST_ENTRIES || !pawl_environment_split(entry, &key, &value))
            return number;
        pawl_attribute attribute = pawl_attribute_string(key, value);
        if (set)
            *ret_status = pawl_resource_set(set, &attribute, err);
    }
    return 0;
}

/* set: NULL to look for what is wrong. */
static pawl_status walk_copy(const char *text, pawl_resource *set, unsigned *ret_wrong, pawl_error **err) {
    size_t size = strlen(text) + 1;
    char *copy = malloc(size);
    pawl_status status = PAWL_OK;
    if (!copy)
        return pawl_error_set(err, PAWL_E_NOMEM, "resource: out of memory");
    *ret_wrong = walk(memcpy(copy, text, size), set, &status, err);
    free(copy);
    return status;
}

pawl_status pawl_resource_check_listed(const char *text, unsigned *ret_wrong, pawl_error **err) {
    return walk_copy(text, NULL, ret_wrong, err);
}

pawl_status pawl_resource_set_listed(pawl_resource *resource, const char *text, pawl_error **err) {
    unsigned wrong;
    pawl_status status = walk_copy(text, NULL, &wrong, err);
    return status == PAWL_OK && wrong == 0 ? walk_copy(text, resource, &wrong, err) : status;
}
