#include "failing_malloc.h"
#include "values.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void assert_compares(const char *a, const char *b, bool equal) {
    pawl_value *x = parsed(a);
    pawl_value *y = parsed(b);
    if (pawl_value_equal(x, y) != equal || pawl_value_equal(y, x) != equal)
        fail_msg("%s and %s should %sbe equal", a, b, equal ? "" : "not ");
    pawl_value_unref(x);
    pawl_value_unref(y);
}

static void compares_json(void **state) {
    (void)state;
    assert_compares("1", "1.0", true);
    assert_compares("0", "-0", true);
    assert_compares("0.1", "0.10000000000000001", true);
    assert_compares("0.1", "0.10000000000000002", false); /* one bit apart */
    assert_compares("1", "\"1\"", false);
    assert_compares("true", "false", false);
    assert_compares("null", "false", false);
    assert_compares("\"a\"", "\"\\u0061\"", true);
    assert_compares("[]", "{}", false);
    assert_compares("[1,2]", "[1,2]", true);
    assert_compares("[1,2]", "[2,1]", false);
    assert_compares("[1,2]", "[1]", false);
    assert_compares("{\"a\":1,\"b\":[2]}", "{\"b\":[2],\"a\":1}", true);
    assert_compares("{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":2}", false);
    assert_compares("{\"a\":1,\"b\":2}", "{\"a\":1}", false);
    assert_compares("{\"a\":1,\"b\":2}", "{\"a\":1,\"c\":2}", false);
    assert_compares("{\"a\":1}", "{\"A\":1}", false);
    assert_compares("{\"a\":1,\"a\":2}", "{\"a\":1,\"a\":2}", true);
    assert_compares("{\"a\":1,\"a\":2}", "{\"a\":2,\"a\":1}", false);
    assert_compares("{\"x\":0,\"a\":1,\"a\":2}", "{\"a\":1,\"x\":0,\"a\":2}", true);
    assert_compares("{\"x\":0,\"a\":1,\"a\":2}", "{\"a\":2,\"x\":0,\"a\":1}", false);
}

/* {"k0":0,...}, from key `first` on, wrapping around; with steps other than 1 in mixed order. */
static pawl_value *object_of(unsigned count, unsigned first, unsigned step, int odd_one) {
    cJSON *object = cJSON_CreateObject();
    for (unsigned i = 0; i < count; i++) {
        unsigned k = (first + i * step) % count;
        char key[16];
        (void)snprintf(key, sizeof key, "k%u", k);
        cJSON_AddItemToObject(object, key, cJSON_CreateNumber((int)k == odd_one ? -1.0 : k));
    }
    return pawl_value_take(object);
}

static void compares_large_objects_in_any_order(void **state) {
    (void)state;
    pawl_value *a = object_of(30011, 0, 1, -1);
    pawl_value *b = object_of(30011, 17, 1234, -1); /* 30,011 is prime: all keys, mixed */
    pawl_value *c = object_of(30011, 17, 1234, 29999);
    assert_true(pawl_value_equal(a, b));
    assert_false(pawl_value_equal(a, c));
    pawl_value_unref(a);
    pawl_value_unref(b);
    pawl_value_unref(c);
}

static void compares_without_memory(void **state) {
    (void)state;
    pawl_value *a = object_of(101, 0, 1, -1);
    pawl_value *b = object_of(101, 5, 7, -1);
    pawl_value *c = object_of(101, 5, 7, 50);
    fail_allocations_from(1);
    assert_true(pawl_value_equal(a, b));
    assert_false(pawl_value_equal(a, c));
    assert_int_equal(allow_allocations(), 2);
    pawl_value_unref(a);
    pawl_value_unref(b);
    pawl_value_unref(c);
}

static void a_list_equals_an_array_of_equal_items(void **state) {
    (void)state;
    pawl_value *list = list_of(list_of(parsed("1"), parsed("{\"a\":2}")), parsed("null"));
    pawl_value *same = list_of(parsed("[1,{\"a\":2}]"), pawl_value_ref(pawl_value_null()));
    static const struct {
        const char *text;
        bool equal;
    } arrays[] = {
        {"[[1,{\"a\":2}],null]", true},
        {"[[1,{\"a\":2}]]", false},
        {"[[1,{\"a\":2}],null,3]", false},
        {"[[1,{\"a\":3}],null]", false},
        {"{}", false},
        {"[1,null]", false},
    };
    assert_true(pawl_value_equal(list, same));
    assert_true(pawl_value_equal(same, list));
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) {
        pawl_value *array = parsed(arrays[i].text);
        assert_int_equal(pawl_value_equal(list, array), arrays[i].equal);
        assert_int_equal(pawl_value_equal(array, list), arrays[i].equal);
        pawl_value_unref(array);
    }
    pawl_value *empty = pawl_value_list(NULL, 0);
    assert_false(pawl_value_equal(list, empty));
    assert_false(pawl_value_equal(empty, NULL));
    pawl_value_unref(empty);
    pawl_value_unref(list);
    pawl_value_unref(same);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compares_json),
        cmocka_unit_test(compares_large_objects_in_any_order),
        cmocka_unit_test(compares_without_memory),
        cmocka_unit_test(a_list_equals_an_array_of_equal_items),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
