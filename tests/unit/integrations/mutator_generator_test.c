/* The mutator as a generator: its batches, what comes first, where it ends. */
#include "fix_play.h"

#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static pawl_value *mutate(const char *in, uint64_t batch, uint64_t most) {
    pawl_primitive *node = pawl_mutator_generator("mutate", .batch = batch, .max_candidates = most);
    return run_fix(node, in, PAWL_OK, NULL);
}

static void batches_follow_each_other_without_state(void **state) {
    (void)state;
    char in[300], *whole[100] = {0};
    size_t count = 0;
    for (int round = 1; round < 100; round++) {
        snprintf(
            in, sizeof in,
            "{\"round\": %d, \"input\": {\"language\": \"python\", \"program\": \"def f(a, b):\\n    return a + b * "
            "2\\n\"}}",
            round);
        pawl_value *out = mutate(in, 7, 0);
        const cJSON *list = pawl_value_get(out, "candidates");
        bool done = pawl_value_get_bool(out, "done", false);
        assert_true(done || cJSON_GetArraySize(list) == 7);
        for (const cJSON *item = list->child; item && count < 100; item = item->next)
            whole[count++] = strdup(cJSON_GetStringValue(cJSON_GetObjectItem(item, "program")));
        pawl_value_unref(out);
        if (done)
            break;
    }
    assert_true(count > 10);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(whole[i], whole[j]);
    for (size_t i = 0; i < count; i++)
        free(whole[i]);
}

static void hints_come_first(void **state) {
    (void)state;
    pawl_value *out =
        mutate("{\"round\": 1, \"input\": {\"language\": \"python\", \"program\": \"def f(a, b):\\n    c = a < "
               "b\\n    d = a > b\\n    return c\\n\", \"hints\": [{\"line\": 3, \"weight\": 9}]}}",
               1, 0);
    const cJSON *first = cJSON_GetArrayItem(pawl_value_get(out, "candidates"), 0);
    assert_float_equal(cJSON_GetNumberValue(cJSON_GetObjectItem(first, "line")), 3, 0);
    pawl_value_unref(out);
}

static void max_candidates_ends_it(void **state) {
    (void)state;
    pawl_value *out = mutate(
        "{\"round\": 1, \"input\": {\"language\": \"python\", \"program\": \"x = a < b\\ny = a < b\\n\"}}", 9, 4);
    assert_int_equal(cJSON_GetArraySize(pawl_value_get(out, "candidates")), 4);
    assert_true(pawl_value_get_bool(out, "done", false));
    pawl_value_unref(out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batches_follow_each_other_without_state),
        cmocka_unit_test(hints_come_first),
        cmocka_unit_test(max_candidates_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
