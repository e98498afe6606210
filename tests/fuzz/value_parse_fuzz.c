/* Any bytes give a value or an error; a value prints as text that parses to an equal one. The first byte sets the depth
 * allowed. */
#include "fuzz.h"
#include <pawl/value.h>

static void check_value(const pawl_value *value) {
    pawl_parse_limits deepest = {.size = sizeof deepest, .max_depth = 1000};
    char *text = pawl_value_print(value);
    pawl_value *again = NULL;
    require(text && pawl_value_parse(text, strlen(text), &deepest, &again, NULL) == PAWL_OK);
    require(pawl_value_equal(value, again));
    pawl_value *pair[] = {again, again};
    pawl_value *list = pawl_value_list(pair, 2);
    require(!list || pawl_value_json(list));
    pawl_value_unref(list);
    pawl_value_unref(again);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0)
        return 0;
    pawl_parse_limits limits = {.size = sizeof limits, .max_depth = data[0]};
    pawl_value *value = NULL;
    pawl_error *err = NULL;
    pawl_status status = pawl_value_parse((const char *)data + 1, size - 1, &limits, &value, &err);
    require(status == PAWL_OK || status == PAWL_E_INVALID || status == PAWL_E_LIMIT);
    require((status == PAWL_OK) == (value != NULL) && pawl_error_status(err) == status);
    if (value)
        check_value(value);
    pawl_value_unref(value);
    pawl_error_unref(err);
    return 0;
}
