#include "values.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

pawl_value *parsed(const char *text) {
    pawl_value *value = NULL;
    pawl_error *err = NULL;
    if (pawl_value_parse(text, strlen(text), NULL, &value, &err) != PAWL_OK)
        fail_msg("'%s': %s", text, pawl_error_message(err));
    return value;
}

void assert_prints(const pawl_value *value, const char *text) {
    char *printed = pawl_value_print(value);
    assert_non_null(printed);
    assert_string_equal(printed, text);
    free(printed);
}

pawl_value *list_of(pawl_value *a, pawl_value *b) {
    pawl_value *items[] = {a, b};
    pawl_value *list = pawl_value_list(items, 2);
    pawl_value_unref(a);
    pawl_value_unref(b);
    return list;
}

const char *double_quoted(const char *text) {
    static char buffer[8192];
    size_t length = strlen(text);
    assert_true(length < sizeof buffer);
    for (size_t i = 0; i <= length; i++)
        buffer[i] = (char)(text[i] == '\'' ? '"' : text[i]);
    return buffer;
}
