/* What the executions of one trace may add to it together. */
#include "execution/spans_budget_internal.h"
#include "failing_malloc.h"
#include "virtual_runtime.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct fake_clock clock_of_tests;

static struct pawl_spans_amount take(pawl_runtime *runtime, uint32_t trace, uint64_t spans, uint64_t bytes) {
    uint8_t id[16] = {1};
    memcpy(id + 4, &trace, sizeof trace);
    return pawl_spans_budget_take(runtime, id, (struct pawl_spans_amount){.spans = spans, .bytes = bytes});
}

static void a_trace_has_so_many_spans_and_bytes(void **state) {
    (void)state;
    pawl_runtime *runtime = virtual_runtime(&clock_of_tests);
    struct pawl_spans_amount got = take(runtime, 1, 9999, PAWL_MIB(8) - 5);
    assert_int_equal(got.spans, 9999);
    assert_int_equal(got.bytes, PAWL_MIB(8) - 5);
    got = take(runtime, 1, 2, 7);
    assert_int_equal(got.spans, 1);
    assert_int_equal(got.bytes, 5);
    got = take(runtime, 1, 1, 1);
    assert_int_equal(got.spans + got.bytes, 0);
    pawl_runtime_unref(runtime);
}

static void each_trace_and_each_runtime_has_its_own(void **state) {
    (void)state;
    pawl_runtime *runtime = virtual_runtime(&clock_of_tests), *other = virtual_runtime(&clock_of_tests);
    assert_int_equal(take(runtime, 1, 20000, 0).spans, 10000);
    assert_int_equal(take(runtime, 2, 20000, 0).spans, 10000);
    assert_int_equal(take(other, 1, 20000, 0).spans, 10000);
    assert_int_equal(take(runtime, 1, 1, 0).spans, 0);
    pawl_runtime_unref(runtime);
    pawl_runtime_unref(other);
}

static void the_trace_that_was_asked_for_longest_ago_is_forgotten_first(void **state) {
    (void)state;
    pawl_runtime *runtime = virtual_runtime(&clock_of_tests);
    for (uint32_t i = 0; i < PAWL_SPANS_BUDGET_TRACES; i++)
        assert_int_equal(take(runtime, i, 10000, 0).spans, 10000);
    assert_int_equal(take(runtime, 0, 1, 0).spans, 0);       /* is fresh again */
    assert_int_equal(take(runtime, 1000000, 1, 0).spans, 1); /* takes the place of 1 */
    assert_int_equal(take(runtime, 0, 1, 0).spans, 0);
    assert_int_equal(take(runtime, 2, 1, 0).spans, 0);
    assert_int_equal(take(runtime, 1, 1, 0).spans, 1);
    pawl_runtime_unref(runtime);
}

static void without_memory_nothing_is_given(void **state) {
    (void)state;
    pawl_runtime *runtime = virtual_runtime(&clock_of_tests);
    fail_allocation_at(1);
    assert_int_equal(take(runtime, 1, 1, 1).spans, 0);
    assert_int_equal(allow_allocations(), 1);
    assert_int_equal(take(runtime, 1, 1, 1).spans, 1);
    pawl_runtime_unref(runtime);
}

static atomic_uint taken;

static void *take_many(void *runtime) {
    for (int i = 0; i < 4000; i++)
        atomic_fetch_add(&taken, (unsigned)take(runtime, 7, 1, 0).spans);
    return NULL;
}

static void threads_share_the_budget_of_a_trace(void **state) {
    (void)state;
    pthread_t threads[4];
    pawl_runtime *runtime = virtual_runtime(&clock_of_tests);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_many, runtime), 0);
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(taken, 10000);
    pawl_runtime_unref(runtime);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_trace_has_so_many_spans_and_bytes),
        cmocka_unit_test(each_trace_and_each_runtime_has_its_own),
        cmocka_unit_test(the_trace_that_was_asked_for_longest_ago_is_forgotten_first),
        cmocka_unit_test(without_memory_nothing_is_given),
        cmocka_unit_test(threads_share_the_budget_of_a_trace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
