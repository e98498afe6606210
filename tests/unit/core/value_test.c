#include "failing_malloc.h"
#include "values.h"

#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- One value ---- */

static void null_is_one_static_value(void **state) {
    (void)state;
    pawl_value *null = pawl_value_null();
    assert_ptr_equal(null, pawl_value_null());
    assert_ptr_equal(pawl_value_ref(null), null);
    for (int i = 0; i < 5; i++)
        assert_null(pawl_value_unref(null));
    assert_true(cJSON_IsNull(pawl_value_json(null)));
    assert_false(pawl_value_is_list(null));
    assert_prints(null, "null");
}

static void makes_scalars(void **state) {
    (void)state;
    pawl_value *values[] = {pawl_value_string("a\"\xe2\x82\xac"), pawl_value_number(1.5), pawl_value_number(-3),
                            pawl_value_bool(true), pawl_value_bool(false)};
    static const char *const texts[] = {"\"a\\\"\xe2\x82\xac\"", "1.5", "-3", "true", "false"};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        assert_prints(values[i], texts[i]);
        pawl_value_unref(values[i]);
    }
}

static void numbers_that_json_lacks_become_null(void **state) {
    (void)state;
    assert_ptr_equal(pawl_value_number(NAN), pawl_value_null());
    assert_ptr_equal(pawl_value_number(INFINITY), pawl_value_null());
    assert_ptr_equal(pawl_value_number(-INFINITY), pawl_value_null());
}

static void takes_a_tree_over(void **state) {
    (void)state;
    cJSON *json = cJSON_Parse("{\"a\":[1]}");
    pawl_value *value = pawl_value_take(json);
    assert_ptr_equal(pawl_value_json(value), json);
    assert_ptr_equal(pawl_value_ref(value), value);
    pawl_value_unref(value);
    assert_prints(value, "{\"a\":[1]}");
    pawl_value_unref(value);
}

static void a_string_that_is_no_utf8_is_none(void **state) {
    (void)state;
    assert_null(pawl_value_string("caf\xe9"));      /* Latin-1 */
    assert_null(pawl_value_string("\xed\xa0\x80")); /* half a surrogate pair */
    pawl_value *text = pawl_value_string("caf\xc3\xa9");
    assert_prints(text, "\"caf\xc3\xa9\"");
    pawl_value_unref(text);
}

static void null_arguments_are_harmless(void **state) {
    (void)state;
    assert_null(pawl_value_take(NULL));
    assert_null(pawl_value_string(NULL));
    assert_null(pawl_value_ref(NULL));
    assert_null(pawl_value_unref(NULL));
    assert_null(pawl_value_json(NULL));
    assert_false(pawl_value_is_list(NULL));
    assert_int_equal(pawl_value_count(NULL), 0);
    assert_null(pawl_value_item(NULL, 0));
    assert_null(pawl_value_get(NULL, "a"));
    assert_prints(NULL, "null");
    assert_true(pawl_value_equal(NULL, NULL));
    assert_true(pawl_value_equal(NULL, pawl_value_null()));
}

static void reads_members_by_exact_name_and_type(void **state) {
    (void)state;
    pawl_value *v = parsed("{\"s\":\"x\",\"n\":2.5,\"t\":true,\"f\":false,\"z\":null,\"n\":9}");
    assert_string_equal(pawl_value_get_string(v, "s", "no"), "x");
    assert_string_equal(pawl_value_get_string(v, "S", "no"), "no");
    assert_string_equal(pawl_value_get_string(v, "n", "no"), "no");
    assert_true(pawl_value_get_number(v, "n", 7) == 2.5); /* the first of two */
    assert_true(pawl_value_get_number(v, "s", 7) == 7);
    assert_true(pawl_value_get_bool(v, "t", false));
    assert_false(pawl_value_get_bool(v, "f", true));
    assert_true(pawl_value_get_bool(v, "n", true));
    assert_true(cJSON_IsNull(pawl_value_get(v, "z")));
    assert_null(pawl_value_get(v, "absent"));
    assert_null(pawl_value_get(v, NULL));
    pawl_value_unref(v);
    v = parsed("[{\"s\":1}]");
    assert_null(pawl_value_get(v, "s"));
    pawl_value_unref(v);
}

/* ---- Lists ---- */

static void a_list_shares_its_items(void **state) {
    (void)state;
    pawl_value *a = parsed("{\"deep\":[1,{\"x\":\"y\"}]}");
    pawl_value *items[] = {a, NULL, a};
    pawl_value *list = pawl_value_list(items, 3);
    assert_true(pawl_value_is_list(list));
    assert_int_equal(pawl_value_count(list), 3);
    assert_ptr_equal(pawl_value_item(list, 0), a);
    assert_ptr_equal(pawl_value_item(list, 1), pawl_value_null());
    assert_null(pawl_value_item(list, 3));
    assert_null(pawl_value_item(list, SIZE_MAX));
    assert_null(pawl_value_get(list, "deep"));
    pawl_value_unref(a);
    assert_prints(list, "[{\"deep\":[1,{\"x\":\"y\"}]},null,{\"deep\":[1,{\"x\":\"y\"}]}]");
    assert_prints(pawl_value_item(list, 0), "{\"deep\":[1,{\"x\":\"y\"}]}");
    pawl_value_unref(list);
}

static void the_json_of_a_list_is_made_once_and_shares_what_is_in_the_items(void **state) {
    (void)state;
    fail_allocation_at(1000); /* none of these, but cJSON's are counted from now on */
    pawl_value *list = list_of(parsed("[[1,2,3],\"text\"]"), pawl_value_string("x"));
    size_t before = allocations_made();
    const cJSON *json = pawl_value_json(list);
    assert_true(cJSON_IsArray(json));
    assert_int_equal(cJSON_GetArraySize(json), 2);
    assert_ptr_equal(json->child->child, pawl_value_json(pawl_value_item(list, 0))->child);
    assert_ptr_equal(pawl_value_json(list), json);
    assert_int_equal(allocations_made() - before, 3); /* the array and two items */
    allow_allocations();
    pawl_value_unref(list);
}

static void an_empty_list_is_an_empty_array(void **state) {
    (void)state;
    pawl_value *list = pawl_value_list(NULL, 0);
    assert_true(pawl_value_is_list(list));
    assert_int_equal(pawl_value_count(list), 0);
    assert_null(pawl_value_item(list, 0));
    assert_prints(list, "[]");
    pawl_value_unref(list);
}

static void an_impossible_list_is_refused(void **state) {
    (void)state;
    pawl_value *one = pawl_value_null();
    assert_null(pawl_value_list(NULL, 1));
    assert_null(pawl_value_list(&one, SIZE_MAX / sizeof(pawl_value *)));
    assert_null(pawl_value_list(&one, SIZE_MAX));
}

static void items_keep_their_member_names_to_themselves(void **state) {
    (void)state;
    cJSON *object = cJSON_CreateObject();
    cJSON_AddItemToObjectCS(object, "named", cJSON_CreateNumber(1));
    pawl_value *item = pawl_value_take(cJSON_DetachItemFromObject(object, "named"));
    cJSON_Delete(object);
    pawl_value *list = list_of(item, NULL);
    assert_prints(list, "[1,null]");
    assert_null(pawl_value_json(list)->child->string);
    pawl_value_unref(list);
}

static void nests_lists_up_to_1000_and_no_deeper(void **state) {
    (void)state;
    pawl_value *list = pawl_value_list(NULL, 0);
    for (int depth = 2; depth <= 1000; depth++) {
        pawl_value *outer = pawl_value_list(&list, 1);
        assert_non_null(outer);
        pawl_value_unref(list);
        list = outer;
    }
    assert_null(pawl_value_list(&list, 1));
    char *text = pawl_value_print(list);
    assert_int_equal(strlen(text), 2000);
    free(text);
    pawl_value_unref(list);
}

static cJSON *nested_json(size_t depth) {
    cJSON *json = cJSON_CreateArray();
    for (size_t i = 1; i < depth; i++) {
        cJSON *outer = i % 2 ? cJSON_CreateArray() : cJSON_CreateObject();
        if (i % 2) {
            cJSON_AddItemToArray(outer, cJSON_CreateNumber((double)i));
            cJSON_AddItemToArray(outer, json);
        } else {
            cJSON_AddItemToObject(outer, "inner", json);
            cJSON_AddStringToObject(outer, "beside", "x");
        }
        json = outer;
    }
    return json;
}

static void takes_trees_up_to_1000_deep_and_releases_any_other(void **state) {
    (void)state;
    pawl_value *value = pawl_value_take(nested_json(1000));
    assert_non_null(value);
    assert_null(pawl_value_list(&value, 1));
    pawl_value_unref(value);
    assert_null(pawl_value_take(nested_json(1001)));
    assert_null(pawl_value_take(nested_json(300000))); /* recursion would end the stack */
}

struct reader {
    pthread_t thread;
    pthread_barrier_t *all_here;
    pawl_value *list;
    const cJSON *json;
};

static void *read_json(void *user) {
    struct reader *reader = user;
    pthread_barrier_wait(reader->all_here);
    reader->json = pawl_value_json(reader->list);
    pawl_value_unref(reader->list);
    return NULL;
}

/* Long enough that two threads make its JSON side by side; who comes second must drop its own, or the leak checker sees
 * it. */
static pawl_value *long_list(void) {
    pawl_value *items[5000];
    for (size_t i = 0; i < 5000; i++)
        items[i] = pawl_value_number((double)i);
    pawl_value *list = pawl_value_list(items, 5000);
    for (size_t i = 0; i < 5000; i++)
        pawl_value_unref(items[i]);
    return list;
}

static void all_threads_see_the_same_json_of_a_list(void **state) {
    (void)state;
    pthread_barrier_t all_here;
    assert_int_equal(pthread_barrier_init(&all_here, NULL, 4), 0);
    for (int round = 0; round < 5; round++) {
        struct reader readers[4];
        pawl_value *list = list_of(long_list(), pawl_value_string("x"));
        for (size_t i = 0; i < 4; i++) {
            readers[i] = (struct reader){.all_here = &all_here, .list = pawl_value_ref(list)};
            assert_int_equal(pthread_create(&readers[i].thread, NULL, read_json, &readers[i]), 0);
        }
        for (size_t i = 0; i < 4; i++)
            assert_int_equal(pthread_join(readers[i].thread, NULL), 0);
        for (size_t i = 0; i < 4; i++)
            assert_ptr_equal(readers[i].json, pawl_value_json(list));
        assert_int_equal(cJSON_GetArraySize(pawl_value_json(list)->child), 5000);
        pawl_value_unref(list);
    }
    pthread_barrier_destroy(&all_here);
}

/* ---- Without memory ---- */

static void making_fails_cleanly_at_every_allocation(void **state) {
    (void)state;
    for_each_failing_allocation(n) {
        pawl_value *text = pawl_value_string("text");
        pawl_value *number = pawl_value_number(1);
        pawl_value *flag = pawl_value_bool(true);
        pawl_value *taken = pawl_value_take(cJSON_CreateObject());
        pawl_value *items[] = {text, number, flag, taken};
        pawl_value *list = pawl_value_list(items, 4);
        if (allocations_failed() == 0)
            assert_true(text && number && flag && taken && list);
        else
            assert_int_equal(!text + !number + !flag + !taken + !list, 1);
        for (size_t i = 0; i < 4; i++)
            pawl_value_unref(items[i]);
        pawl_value_unref(list);
    }
}

static void reading_a_list_fails_cleanly_and_succeeds_later(void **state) {
    (void)state;
    for_each_failing_allocation(n) {
        size_t failing = n;
        allow_allocations();
        pawl_value *list = list_of(list_of(parsed("1"), parsed("{\"a\":2}")), parsed("\"x\""));
        fail_allocation_at(failing);
        const cJSON *json = pawl_value_json(list);
        char *text = json ? pawl_value_print(list) : NULL;
        assert_int_equal(allocations_failed() == 0, json && text);
        free(text);
        size_t failed = allocations_failed();
        if (failed) { /* the failure is over: the same list can be read now */
            assert_prints(list, "[[1,{\"a\":2}],\"x\"]");
        }
        pawl_value_unref(list);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(null_is_one_static_value),
        cmocka_unit_test(makes_scalars),
        cmocka_unit_test(numbers_that_json_lacks_become_null),
        cmocka_unit_test(takes_a_tree_over),
        cmocka_unit_test(a_string_that_is_no_utf8_is_none),
        cmocka_unit_test(null_arguments_are_harmless),
        cmocka_unit_test(reads_members_by_exact_name_and_type),
        cmocka_unit_test(a_list_shares_its_items),
        cmocka_unit_test(the_json_of_a_list_is_made_once_and_shares_what_is_in_the_items),
        cmocka_unit_test(an_empty_list_is_an_empty_array),
        cmocka_unit_test(an_impossible_list_is_refused),
        cmocka_unit_test(items_keep_their_member_names_to_themselves),
        cmocka_unit_test(nests_lists_up_to_1000_and_no_deeper),
        cmocka_unit_test(takes_trees_up_to_1000_deep_and_releases_any_other),
        cmocka_unit_test(all_threads_see_the_same_json_of_a_list),
        cmocka_unit_test(making_fails_cleanly_at_every_allocation),
        cmocka_unit_test(reading_a_list_fails_cleanly_and_succeeds_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
