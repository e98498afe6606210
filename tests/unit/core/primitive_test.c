/* Primitives: names, children, failures and their path, memory of a run. */
#include "engine_internal.h"
#include "failing_malloc.h"
#include "leaves.h"
#include "virtual_runtime.h"

#include <pawl/primitives/function.h>
#include <pawl/primitives/retry.h>
#include <pawl/primitives/sequential.h>
#include <pawl/primitives/timeout.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void expect_failed(pawl_primitive *node, pawl_status status, const char *part) {
    pawl_error *err = pawl_primitive_error(node);
    assert_non_null(err);
    expect_error(err, status, part);
    pawl_primitive_unref(node);
}

static void a_sound_pipeline_can_be_read(void **state) {
    (void)state;
    pawl_primitive *node = pawl_sequential("top", passing("a"), pawl_retry("b", passing("c")));
    assert_null(pawl_primitive_error(node));
    assert_string_equal(pawl_primitive_name(node), "top");
    assert_string_equal(pawl_primitive_type(node), "sequential");
    assert_int_equal(pawl_primitive_child_count(node), 2);
    assert_string_equal(pawl_primitive_name(pawl_primitive_child(node, 1)), "b");
    assert_string_equal(pawl_primitive_type(pawl_primitive_child(node, 0)), "inline");
    assert_null(pawl_primitive_child(node, 2));
    char *text = pawl_primitive_describe(node);
    assert_string_equal(text, "top (sequential)\n  a (inline)\n  b (retry)\n    c (inline)\n");
    free(text);
    pawl_primitive_unref(node);
}

static void observers_know_a_node_by_its_serial_and_its_label(void **state) {
    (void)state;
    pawl_primitive *first = passing("first");
    uint64_t serial = first->serial;
    assert_int_equal(first->name_length, 5);
    assert_int_equal(first->type_length, strlen(first->type));
    assert_string_equal(first->name + first->name_length + 1, first->type);
    pawl_primitive_unref(first);
    for (int i = 0; i < 100; i++) { /* also when it gets the place of one that is gone */
        pawl_primitive *next = passing("next");
        assert_true(next->serial > serial);
        serial = next->serial;
        pawl_primitive_unref(next);
    }
}

static pawl_step never_run(const void *state, pawl_frame *frame, pawl_event *event) {
    (void)state;
    return pawl_step_finish(frame, event);
}

static void a_primitive_without_a_type_is_called_primitive(void **state) {
    (void)state;
    char name[] = "guess";
    pawl_primitive_vtable vtable = {.size = sizeof vtable, .step = never_run};
    const char *const types[] = {NULL, "", name};
    for (size_t i = 0; i < 3; i++) {
        vtable.type_name = types[i];
        pawl_primitive *node = pawl_primitive_new(
            &(pawl_primitive_spec){.size = sizeof(pawl_primitive_spec), .vtable = &vtable, .name = "n"});
        if (i == 2)
            name[0] = 'G'; /* it was copied */
        assert_string_equal(pawl_primitive_type(node), i < 2 ? "primitive" : "guess");
        pawl_primitive_unref(node);
    }
}

static void null_reads_as_nothing(void **state) {
    (void)state;
    assert_string_equal(pawl_primitive_name(NULL), "");
    assert_string_equal(pawl_primitive_type(NULL), "");
    assert_int_equal(pawl_primitive_child_count(NULL), 0);
    assert_null(pawl_primitive_child(NULL, 0));
    assert_null(pawl_primitive_ref(NULL));
    assert_null(pawl_primitive_unref(NULL));
    char *text = pawl_primitive_describe(NULL);
    assert_string_equal(text, "");
    free(text);
    expect_failed(NULL, PAWL_E_INVALID, "the pipeline is NULL");
}

static void a_node_needs_a_name_of_1_to_255_bytes(void **state) {
    (void)state;
    char name[300];
    memset(name, 'n', sizeof name);
    name[255] = '\0';
    pawl_primitive *node = passing(name);
    assert_null(pawl_primitive_error(node));
    assert_string_equal(pawl_primitive_name(node), name);
    pawl_primitive_unref(node);
    name[255] = 'n';
    name[256] = '\0';
    expect_failed(passing(name), PAWL_E_INVALID, "this one has more");
    expect_failed(passing(""), PAWL_E_INVALID, "this one has none");
    expect_failed(passing(NULL), PAWL_E_INVALID, "this one has none");
}

static void a_name_is_a_line_of_text(void **state) {
    (void)state;
    expect_failed(passing("a\nb"), PAWL_E_INVALID, "a?b: inline: byte 2 of its name is 0x0a");
    expect_failed(passing("\x1b[31m"), PAWL_E_INVALID, "?[31m: inline: byte 1 of its name is 0x1b");
    expect_failed(passing("ab\x7f"), PAWL_E_INVALID, "ab?: inline: byte 3 of its name is 0x7f");
    expect_failed(passing("a\xff\xfe\tb"), PAWL_E_INVALID, "a???b: inline: byte 2 of its name is 0xff");
    expect_failed(pawl_retry("half \xc3", passing("a")), PAWL_E_INVALID, "half ?: retry: byte 6 of its name is 0xc3");
    pawl_primitive *node = passing("gr\xc3\xbc\xc3\x9f dich");
    assert_null(pawl_primitive_error(node));
    pawl_primitive_unref(node);
}

static void a_leaf_needs_its_function(void **state) {
    (void)state;
    static const pawl_async_vtable empty = {.size = sizeof empty};
    expect_failed(pawl_inline("i", NULL, NULL), PAWL_E_INVALID, "inline 'i': its function is NULL");
    expect_failed(pawl_function("f", NULL, NULL), PAWL_E_INVALID, "function 'f'");
    expect_failed(pawl_async("a", NULL, NULL), PAWL_E_INVALID, "async 'a'");
    expect_failed(pawl_async("a", &empty, NULL), PAWL_E_INVALID, "async 'a'");
}

static void a_null_child_is_an_error_and_no_end(void **state) {
    (void)state;
    expect_failed(pawl_sequential("top", passing("a"), NULL, passing("b")), PAWL_E_INVALID, "child 2 is NULL");
    expect_failed(joined("both", NULL, passing("b")), PAWL_E_INVALID, "child 1 is NULL");
    expect_failed(pawl_retry("again", NULL), PAWL_E_INVALID, "again");
}

static void the_first_failure_is_reported_with_its_path(void **state) {
    (void)state;
    pawl_primitive *node =
        pawl_sequential("top", passing("a"), pawl_retry("b", pawl_timeout("c", passing("d"), .after_ns = 0)),
                        pawl_inline("e", NULL, NULL));
    pawl_error *err = pawl_primitive_error(node);
    assert_string_equal(pawl_error_path(err), "top/b/c");
    expect_error(err, PAWL_E_INVALID, "after_ns is required");
    pawl_primitive_unref(node);
}

static void count_destroy(void *user) {
    atomic_fetch_add((atomic_size_t *)user, 1);
}

static pawl_status nothing(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    (void)user, (void)ctx, (void)in, (void)ret_out, (void)err;
    return PAWL_OK;
}

static pawl_primitive *owning(atomic_size_t *destroyed) {
    static const pawl_async_vtable vtable = {.size = sizeof vtable};
    return pawl_sequential("top", pawl_inline_owning("i", nothing, destroyed, count_destroy),
                           pawl_function_owning("f", nothing, destroyed, count_destroy),
                           pawl_async_owning("a", &vtable, destroyed, count_destroy),
                           pawl_retry("r", pawl_inline_owning("", nothing, destroyed, count_destroy)));
}

static void what_a_node_owns_goes_once_with_it_also_when_it_failed(void **state) {
    (void)state;
    atomic_size_t destroyed = 0;
    pawl_primitive *node = owning(&destroyed);
    pawl_primitive *second = pawl_primitive_ref(node);
    pawl_primitive_unref(node);
    assert_int_equal(destroyed, 0);
    pawl_primitive_unref(second);
    assert_int_equal(destroyed, 4);
}

static void constructors_survive_any_failing_allocation(void **state) {
    (void)state;
    for_each_failing_allocation(n) {
        atomic_size_t destroyed = 0;
        pawl_primitive *node = owning(&destroyed);
        pawl_error *err = pawl_primitive_error(node);
        assert_non_null(err); /* one of its leaves has no start */
        char *text = pawl_primitive_describe(node);
        assert_true(text || allocations_failed() > 0);
        free(text);
        pawl_error_unref(err);
        pawl_primitive_unref(node);
        assert_int_equal(destroyed, 4);
    }
    for_each_failing_allocation(n) {
        pawl_primitive *node = joined("both", passing("a"), pawl_timeout("t", pausing("p", 1), .after_ns = 5));
        pawl_error *err = pawl_primitive_error(node);
        assert_true((err != NULL) == (allocations_failed() > 0));
        pawl_status status = pawl_error_status(err);
        assert_true(status == PAWL_OK || status == PAWL_E_NOMEM);
        pawl_error_unref(err);
        pawl_primitive_unref(node);
    }
}

static void the_end_mark_is_no_node(void **state) {
    (void)state;
    assert_ptr_equal(PAWL_END, pawl_primitive_end());
    pawl_primitive_unref(pawl_primitive_ref(PAWL_END));
    expect_failed(pawl_sequential_new("top", NULL), PAWL_E_INVALID, "no steps");
}

/* ---- memory ---- */

static void a_tree_needs_its_longest_branch_and_the_sum_of_what_runs_together(void **state) {
    (void)state;
    struct manual_op op;
    pawl_primitive *leaf = pausing("p", 1);
    size_t one = leaf->bytes[0], seen = leaf->bytes[1];
    assert_true(one >= sizeof(pawl_frame) && seen >= one + sizeof(pawl_span));
    pawl_primitive *deep =
        pawl_sequential("s", pawl_primitive_ref(leaf), pawl_primitive_ref(leaf), pawl_primitive_ref(leaf));
    assert_int_equal(deep->bytes[0], deep->own_bytes[0] + one); /* one after the other: in the same place */
    pawl_primitive *wide = joined("j", pawl_primitive_ref(leaf), pawl_primitive_ref(deep));
    assert_int_equal(wide->bytes[0], wide->own_bytes[0] + 2 * deep->bytes[0]);
    assert_int_equal(wide->bytes[1], wide->own_bytes[1] + 2 * deep->bytes[1]);
    pawl_primitive *ops =
        joined("k", manual_primitive("m", &op), joined("l", manual_primitive("n", &op), passing("o")));
    assert_in_range(ops->peak_ops, 2, 4);
    assert_int_equal(wide->peak_ops, 0);
    assert_int_equal(ops->bytes[0] % FRAME_ALIGN, 0);
    pawl_primitive_unref(ops);
    pawl_primitive_unref(wide);
    pawl_primitive_unref(deep);
    pawl_primitive_unref(leaf);
}

struct runner {
    pawl_runtime *runtime;
    pawl_primitive *node;
};

static void *run_often(void *user) {
    struct runner *r = user;
    for (int i = 0; i < 100; i++) {
        pawl_context *ctx = pawl_context_new(r->runtime);
        char *out = NULL;
        assert_int_equal(pawl_run_text(r->node, ctx, "1", &out, NULL), PAWL_OK);
        assert_string_equal(out, "[[1,1],1]");
        free(out);
        pawl_context_unref(ctx);
    }
    return NULL;
}

static void one_node_may_stand_in_many_places_and_run_in_many_threads_at_once(void **state) { /* B18 */
    (void)state;
    pawl_primitive *leaf = pawl_retry("again", passing("p"));
    pawl_primitive *pair = joined("pair", pawl_primitive_ref(leaf), pawl_primitive_ref(leaf));
    struct runner r = {.runtime = pawl_runtime_with(.seed = 1), .node = joined("top", pair, leaf)};
    pthread_t threads[16];
    for (size_t i = 0; i < 16; i++)
        pthread_create(&threads[i], NULL, run_often, &r);
    for (size_t i = 0; i < 16; i++)
        pthread_join(threads[i], NULL);
    expect_nothing_alive(r.runtime);
    pawl_primitive_unref(r.node);
    pawl_runtime_unref(r.runtime);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sound_pipeline_can_be_read),
        cmocka_unit_test(observers_know_a_node_by_its_serial_and_its_label),
        cmocka_unit_test(a_primitive_without_a_type_is_called_primitive),
        cmocka_unit_test(null_reads_as_nothing),
        cmocka_unit_test(a_node_needs_a_name_of_1_to_255_bytes),
        cmocka_unit_test(a_name_is_a_line_of_text),
        cmocka_unit_test(a_leaf_needs_its_function),
        cmocka_unit_test(a_null_child_is_an_error_and_no_end),
        cmocka_unit_test(the_first_failure_is_reported_with_its_path),
        cmocka_unit_test(what_a_node_owns_goes_once_with_it_also_when_it_failed),
        cmocka_unit_test(constructors_survive_any_failing_allocation),
        cmocka_unit_test(the_end_mark_is_no_node),
        cmocka_unit_test(a_tree_needs_its_longest_branch_and_the_sum_of_what_runs_together),
        cmocka_unit_test(one_node_may_stand_in_many_places_and_run_in_many_threads_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
