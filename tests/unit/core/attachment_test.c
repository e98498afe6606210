/* What upper layers keep with a runtime. */
#include "attachment_internal.h"
#include "virtual_runtime.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <cmocka.h>

static const char one_key, other_key;
static atomic_uint destroyed;

static void destroy(struct pawl_attachment *attachment) {
    atomic_fetch_add(&destroyed, 1);
    free(attachment);
}

static struct pawl_attachment *attach(pawl_runtime *runtime, const void *key) {
    struct pawl_attachment *attachment = calloc(1, sizeof *attachment);
    assert_non_null(attachment);
    attachment->key = key;
    attachment->destroy = destroy;
    pawl_runtime_add_attachment(runtime, attachment);
    return attachment;
}

static void those_of_a_key_are_found_the_latest_first(void **state) {
    (void)state;
    struct fake_clock time = {.now_ns = 0};
    pawl_runtime *runtime = virtual_runtime(&time);
    assert_null(pawl_runtime_next_attachment(runtime, &one_key, NULL));
    struct pawl_attachment *first = attach(runtime, &one_key), *other = attach(runtime, &other_key),
                           *last = attach(runtime, &one_key);
    assert_ptr_equal(pawl_runtime_next_attachment(runtime, &one_key, NULL), last);
    assert_ptr_equal(pawl_runtime_next_attachment(runtime, &one_key, last), first);
    assert_null(pawl_runtime_next_attachment(runtime, &one_key, first));
    assert_ptr_equal(pawl_runtime_next_attachment(runtime, &other_key, NULL), other);
    pawl_runtime_unref(runtime);
    assert_int_equal(destroyed, 3);
}

static void they_stay_while_a_context_does(void **state) {
    (void)state;
    struct fake_clock time = {.now_ns = 0};
    pawl_runtime *runtime = virtual_runtime(&time);
    pawl_context *ctx = pawl_context_new(runtime);
    destroyed = 0;
    attach(runtime, &one_key);
    pawl_runtime_unref(runtime);
    assert_int_equal(destroyed, 0);
    pawl_context_unref(ctx);
    assert_int_equal(destroyed, 1);
}

static void *attach_many(void *runtime) {
    for (int i = 0; i < 200; i++)
        attach(runtime, &one_key);
    return NULL;
}

static void none_is_lost_between_threads(void **state) {
    (void)state;
    struct fake_clock time = {.now_ns = 0};
    pawl_runtime *runtime = virtual_runtime(&time);
    pthread_t threads[4];
    size_t count = 0;
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, attach_many, runtime), 0);
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    for (struct pawl_attachment *at = NULL; (at = pawl_runtime_next_attachment(runtime, &one_key, at));)
        count++;
    assert_int_equal(count, 800);
    pawl_runtime_unref(runtime);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(those_of_a_key_are_found_the_latest_first),
        cmocka_unit_test(they_stay_while_a_context_does),
        cmocka_unit_test(none_is_lost_between_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
