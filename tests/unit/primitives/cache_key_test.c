/* Keys of the cache: what counts as the same input. */
#include "bed.h"
#include "cache_internal.h"

#include <math.h>
#include <pawl/primitives/cache.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CLAIM(name) static void name(void **state)

/* ---- keys ---- */

/* Whether both inputs have the same key in a cache over these fields (NULL: the whole input). */
static bool same_key_over(const char *const *fields, const char *a, const char *b) {
    struct bed bed;
    atomic_size_t calls = 0;
    make_bed(&bed);
    pawl_primitive *cache = sound(pawl_cache("c", counting("a", &calls), .ttl_ns = 1, .fields = fields));
    char *out = NULL;
    assert_int_equal(pawl_run_text(cache, bed.ctx, a, &out, NULL), PAWL_OK);
    free(out);
    assert_int_equal(pawl_run_text(cache, bed.ctx, b, &out, NULL), PAWL_OK);
    free(out);
    pawl_primitive_unref(cache);
    clear_bed(&bed);
    return calls == 1;
}

static bool same_key(const char *a, const char *b) {
    return same_key_over(NULL, a, b);
}

CLAIM(the_order_of_members_does_not_matter) {
    (void)state;
    assert_true(same_key("{\"a\":1,\"b\":[{\"c\":2,\"d\":3}]}", "{\"b\":[{\"d\":3.0,\"c\":2e0}],\"a\":1}"));
    assert_true(same_key("{\"a\":0}", "{\"a\":-0}"));
    assert_true(same_key("{\"\\u0061\":\"\\u00e9\"}", "{ \"a\" : \"\xc3\xa9\" }"));
}

CLAIM(different_inputs_have_different_keys) {
    (void)state;
    const char *const different[] = {"null",
                                     "true",
                                     "false",
                                     "0",
                                     "1",
                                     "\"\"",
                                     "\"0\"",
                                     "\"null\"",
                                     "[]",
                                     "{}",
                                     "[[]]",
                                     "[[],[]]",
                                     "[{}]",
                                     "[\"a\",\"b\"]",
                                     "[\"ab\"]",
                                     "[\"a\",[\"b\"]]",
                                     "[[\"a\"],\"b\"]",
                                     "{\"a\":\"b\"}",
                                     "{\"a\":null}",
                                     "{\"a\":{\"b\":1}}",
                                     "{\"a\":{},\"b\":1}",
                                     "{\"ab\":1}",
                                     "{\"a\":1,\"a\":2}",
                                     "{\"a\":2,\"a\":1}",
                                     "[1,2]",
                                     "[2,1]",
                                     "0.1",
                                     "0.10000000000000002",
                                     "1e300"};
    size_t count = sizeof different / sizeof *different;
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < count; j++)
            if (same_key(different[i], different[j]) != (i == j))
                fail_msg("%s and %s", different[i], different[j]);
}

CLAIM(large_objects_are_sorted_too) {
    (void)state;
    char a[2000] = "{", b[2000] = "{";
    for (int i = 0; i < 40; i++) {
        snprintf(a + strlen(a), 20, "%s\"k%d\":%d", i ? "," : "", i, i);
        snprintf(b + strlen(b), 20, "%s\"k%d\":%d", i ? "," : "", 39 - i, 39 - i);
    }
    a[strlen(a)] = b[strlen(b)] = '}'; /* all behind it is 0 */
    assert_true(same_key(a, b));
    b[7] = '7'; /* 39 becomes 79 */
    assert_false(same_key(a, b));
}

CLAIM(a_list_has_the_key_of_its_array) {
    (void)state;
    struct bed bed;
    atomic_size_t calls = 0;
    make_bed(&bed);
    pawl_primitive *cache = pawl_cache("c", counting("a", &calls), .ttl_ns = 1);
    pawl_value *items[] = {pawl_value_number(1), pawl_value_string("x")}, *out = NULL;
    pawl_value *list = pawl_value_list(items, 2);
    expect_output(cache, bed.ctx, "[1,\"x\"]", "[1,\"x\"]");
    assert_int_equal(pawl_run(cache, bed.ctx, list, &out, NULL), PAWL_OK);
    assert_int_equal(calls, 1);
    pawl_value_unref(items[0]), pawl_value_unref(items[1]), pawl_value_unref(list), pawl_value_unref(out);
    pawl_primitive_unref(cache);
    clear_bed(&bed);
}

CLAIM(only_the_chosen_fields_count) {
    (void)state;
    const char *const fields[] = {"model", "prompt", NULL};
    assert_true(
        same_key_over(fields, "{\"prompt\":\"p\",\"id\":1,\"model\":\"m\"}", "{\"model\":\"m\",\"prompt\":\"p\"}"));
    assert_false(same_key_over(fields, "{\"model\":\"m\"}", "{\"prompt\":\"m\"}"));
    assert_false(same_key_over(fields, "{\"model\":\"m\"}", "{\"model\":\"m\",\"prompt\":null}"));
    assert_true(same_key_over(fields, "{\"id\":1}", "{}"));
    assert_false(same_key_over(fields, "\"a\"", "\"b\"")); /* no object: the whole of it */
    assert_false(same_key_over(fields, "[1]", "[2]"));
    assert_false(same_key_over(fields, "{}", "[]"));
}

/* A key of as many 'k' as the input says, with a lie at the second call when it is negative. */
static size_t key_of_length(const pawl_value *input, char *ret_key, size_t capacity, void *user) {
    double length = pawl_value_get_number(input, "length", 0);
    size_t bytes = (size_t)fabs(length), *calls = user;
    ++*calls;
    if (bytes <= capacity)
        memset(ret_key, 'k', bytes);
    return length < 0 && capacity > bytes ? bytes * 8 : bytes;
}

static void expect_custom_key(const char *in, size_t key_calls, bool cached) {
    struct bed bed;
    atomic_size_t calls = 0;
    size_t asked = 0;
    make_bed(&bed);
    pawl_primitive *cache =
        pawl_cache("c", counting("a", &calls), .ttl_ns = 1, .key = key_of_length, .user = &asked, .salt = "v1");
    expect_output(cache, bed.ctx, in, in);
    assert_int_equal(asked, key_calls);
    expect_output(cache, bed.ctx, in, in);
    assert_int_equal(calls, cached ? 1 : 2);
    pawl_cache_stats stats = {.size = sizeof stats};
    pawl_cache_get_stats(cache, &stats, NULL);
    assert_int_equal(stats.bypassed, cached ? 0 : 2);
    pawl_primitive_unref(cache);
    clear_bed(&bed);
}

CLAIM(a_function_may_make_the_key) {
    (void)state;
    expect_custom_key("{\"length\":7}", 1, true);
    expect_custom_key("{\"length\":1022}", 1, true); /* with the salt just 1 KiB */
    expect_custom_key("{\"length\":1023}", 2, true);
    expect_custom_key("{\"length\":1048574}", 2, true);
}

CLAIM(an_input_without_a_key_is_not_cached) {
    (void)state;
    expect_custom_key("{\"length\":0}", 1, false);
    expect_custom_key("{\"length\":1048575}", 1, false); /* with the salt beyond 1 MiB */
    expect_custom_key("{\"length\":-5000}", 2, false);
}

CLAIM(an_input_beyond_a_mebibyte_is_not_cached) {
    (void)state;
    struct bed bed;
    atomic_size_t calls = 0;
    make_bed(&bed);
    pawl_primitive *cache = pawl_cache("c", counting("a", &calls), .ttl_ns = 1);
    size_t bytes = 1u << 20;
    char *text = malloc(bytes + 1);
    memset(text, 't', bytes);
    text[bytes] = '\0';
    pawl_value *beyond = pawl_value_string(text), *out = NULL;
    text[bytes - 100] = '\0';
    pawl_value *fits = pawl_value_string(text);
    free(text);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pawl_run(cache, bed.ctx, beyond, &out, NULL), PAWL_OK);
        pawl_value_unref(out);
    }
    assert_int_equal(calls, 2);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pawl_run(cache, bed.ctx, fits, &out, NULL), PAWL_OK);
        pawl_value_unref(out);
    }
    assert_int_equal(calls, 3);
    pawl_value_unref(beyond), pawl_value_unref(fits), pawl_primitive_unref(cache);
    clear_bed(&bed);
}

/* ---- keys, by themselves ---- */

static uint64_t draw(uint64_t *seed) {
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407); /* Knuth's MMIX generator */
    return *seed >> 33;
}

/* Small, so that two drawn values are often equal. */
static cJSON *random_json(uint64_t *seed, int depth) {
    switch (draw(seed) % (depth > 0 ? 6 : 4)) {
    case 0:
        return cJSON_CreateNumber((double)(draw(seed) % 2));
    case 1:
        return cJSON_CreateString(draw(seed) % 2 ? "a" : "b");
    case 2:
        return cJSON_CreateBool(draw(seed) % 2);
    case 3:
        return cJSON_CreateNull();
    default:
        break;
    }
    bool object = draw(seed) % 2;
    cJSON *json = object ? cJSON_CreateObject() : cJSON_CreateArray();
    for (uint64_t i = draw(seed) % 3; i > 0; i--) {
        cJSON *item = random_json(seed, depth - 1);
        if (object)
            cJSON_AddItemToObject(json, draw(seed) % 2 ? "a" : "b", item);
        else
            cJSON_AddItemToArray(json, item);
    }
    return json;
}

CLAIM(keys_are_equal_just_when_the_values_are) {
    (void)state;
    struct cache_keying keying = {.secrets = {1, 2}};
    uint64_t seed = 7;
    size_t equal = 0;
    for (int i = 0; i < 20000; i++) {
        pawl_value *a = pawl_value_take(random_json(&seed, 2)), *b = pawl_value_take(random_json(&seed, 2));
        struct cache_key key_a, key_b;
        pawl_cache_make_key(&keying, a, &key_a);
        pawl_cache_make_key(&keying, b, &key_b);
        bool same = key_a.length == key_b.length && memcmp(key_a.bytes, key_b.bytes, key_a.length) == 0;
        assert_int_equal(same, pawl_value_equal(a, b));
        assert_true(!same || key_a.hash == key_b.hash);
        equal += same;
        pawl_cache_release_key(&key_a), pawl_cache_release_key(&key_b);
        pawl_value_unref(a), pawl_value_unref(b);
    }
    assert_in_range(equal, 500, 19500);
}

CLAIM(the_salt_is_part_of_each_key) {
    (void)state;
    struct cache_keying keying = {.secrets = {1, 2}, .salt = (char *)"v1", .salt_bytes = 2};
    struct cache_key key;
    assert_int_equal(pawl_cache_make_key(&keying, pawl_value_null(), &key), CACHE_KEY_MADE);
    assert_memory_equal(key.bytes, "v1z", 3);
    assert_int_equal(key.length, 3);
    pawl_cache_release_key(&key);
}

CLAIM(keys_of_one_hash_are_told_apart) {
    (void)state;
    struct cache_store store = {0};
    struct cache_entry *garbage = NULL;
    assert_true(pawl_cache_init_store(&store, 10));
    for (const char *c = "abcde"; *c; c++) {
        struct cache_key key = {.length = 1, .hash = 42};
        key.bytes = key.small;
        key.small[0] = *c;
        struct cache_entry *entry = pawl_cache_new_entry(&key);
        pawl_cache_await(&store, entry);
        pawl_cache_fill(&store, entry, pawl_value_number(*c), 0, PAWL_NEVER, &garbage);
    }
    for (const char *c = "abcde"; *c; c++)
        assert_int_equal(pawl_value_json(pawl_cache_find(&store, c, 1, 42)->value)->valuedouble, *c);
    garbage = pawl_cache_find(&store, "c", 1, 42);
    pawl_cache_remove(&store, garbage);
    pawl_cache_free_entries(garbage);
    assert_null(pawl_cache_find(&store, "c", 1, 42));
    assert_non_null(pawl_cache_find(&store, "d", 1, 42));
    assert_null(pawl_cache_find(&store, "d", 1, 43));
    pawl_cache_release_store(&store);
}

CLAIM(the_hash_spreads_keys_of_all_lengths) {
    (void)state;
    struct cache_keying keying = {.secrets = {UINT64_C(0x123456789abcdef1), UINT64_C(0xfedcba9876543211)}};
    static uint8_t used[1 << 16];
    size_t taken = 0;
    char text[64];
    for (int i = 0; i < 10000; i++) {
        snprintf(text, sizeof text, "%.*s%d", i % 40, "........................................", i);
        pawl_value *value = pawl_value_string(text);
        struct cache_key key;
        pawl_cache_make_key(&keying, value, &key);
        taken += used[key.hash & 0xFFFF]++ == 0;
        pawl_cache_release_key(&key);
        pawl_value_unref(value);
    }
    assert_in_range(taken, 9100, 9500); /* 65,536 (1 - exp(-10,000 / 65,536)) = 9,274 for a random function */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_order_of_members_does_not_matter),
        cmocka_unit_test(different_inputs_have_different_keys),
        cmocka_unit_test(large_objects_are_sorted_too),
        cmocka_unit_test(a_list_has_the_key_of_its_array),
        cmocka_unit_test(only_the_chosen_fields_count),
        cmocka_unit_test(a_function_may_make_the_key),
        cmocka_unit_test(an_input_without_a_key_is_not_cached),
        cmocka_unit_test(an_input_beyond_a_mebibyte_is_not_cached),
        cmocka_unit_test(keys_are_equal_just_when_the_values_are),
        cmocka_unit_test(the_salt_is_part_of_each_key),
        cmocka_unit_test(keys_of_one_hash_are_told_apart),
        cmocka_unit_test(the_hash_spreads_keys_of_all_lengths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
