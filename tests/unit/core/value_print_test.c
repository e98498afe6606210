#include "failing_malloc.h"
#include "values.h"

#include <math.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void prints_numbers_so_that_the_same_double_is_read(void **state) {
    (void)state;
    static const struct {
        double number;
        const char *text;
    } rows[] = {
        {0, "0"},
        {-0.0, "-0"},
        {0.1, "0.1"},
        {0.1 + 0.2, "0.30000000000000004"},
        {1.0 / 3, "0.3333333333333333"},
        {1e15, "1000000000000000"},
        {1700000000123456, "1700000000123456"},
        {9007199254740992, "9007199254740992"},
        {-9007199254740992, "-9007199254740992"},
        {9007199254740994, "9007199254740994"},
        {1.7e18, "1.7e+18"},
        {1e21, "1e+21"},
        {1.7976931348623157e308, "1.7976931348623157e+308"},
        {5e-324, "4.94065645841247e-324"},
        {-1.5e-7, "-1.5e-07"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        pawl_value *value = pawl_value_number(rows[i].number);
        assert_prints(value, rows[i].text);
        pawl_value *again = parsed(rows[i].text);
        assert_true(pawl_value_equal(value, again));
        pawl_value_unref(value);
        pawl_value_unref(again);
    }
}

static void prints_any_tree_of_cjson(void **state) {
    (void)state;
    cJSON *json = cJSON_CreateObject();
    cJSON_AddItemToObject(json, "raw", cJSON_CreateRaw("[1, 2]"));
    cJSON_AddItemToObject(json, "nan", cJSON_CreateNumber(NAN));
    cJSON_AddItemToObject(json, "k\"\n\x01", cJSON_CreateString("\b\f\n\r\t\x1f\x7f\\/"));
    cJSON_AddItemToObject(json, "empty", cJSON_CreateArray());
    cJSON_AddItemToObject(json, "reference", cJSON_CreateStringReference("borrowed"));
    pawl_value *value = pawl_value_take(json);
    assert_prints(value,
                  "{\"raw\":[1, 2],\"nan\":null,\"k\\\"\\n\\u0001\":\"\\b\\f\\n\\r\\t\\u001f\x7f\\\\/\",\"empty\":[],"
                  "\"reference\":\"borrowed\"}");
    pawl_value_unref(value);
}

static void prints_long_text(void **state) {
    (void)state;
    char *text = malloc(100001);
    assert_non_null(text);
    memset(text, '\n', 100000);
    text[100000] = '\0';
    pawl_value *value = pawl_value_string(text);
    char *printed = pawl_value_print(value);
    assert_int_equal(strlen(printed), 200002);
    free(printed);
    free(text);
    pawl_value_unref(value);
}

static void printing_fails_cleanly_at_every_allocation(void **state) {
    (void)state;
    char longer[2000];
    memset(longer, 'x', sizeof longer);
    longer[sizeof longer - 1] = '\0';
    pawl_value *list = list_of(pawl_value_string(longer), pawl_value_string(longer));
    for_each_failing_allocation(n) {
        char *printed = pawl_value_print(list);
        assert_int_equal(printed == NULL, allocations_failed());
        free(printed);
    }
    pawl_value_unref(list);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prints_numbers_so_that_the_same_double_is_read),
        cmocka_unit_test(prints_any_tree_of_cjson),
        cmocka_unit_test(prints_long_text),
        cmocka_unit_test(printing_fails_cleanly_at_every_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
