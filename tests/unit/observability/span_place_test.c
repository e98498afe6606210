/* Where spans stand: their names and paths, whether a thread has seen the place before or not. */
#include "failing_malloc.h"
#include "leaves.h"
#include "span_place_internal.h"
#include "traced.h"

#include <pawl/primitives/primitives.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char *path_of(struct traced *t, const char *name, size_t nth) {
    return span_attribute(traced_span(t, name, nth), "pawl.primitive.path");
}

static void a_path_is_cut_at_256_bytes_and_the_name_is_not(void **state) {
    (void)state;
    struct traced t;
    char name[101];
    memset(name, 'n', 100);
    name[100] = '\0';
    make_traced(&t, (pawl_tracer_options){0});
    trace_run(&t, pawl_sequential(
                      "top", pawl_sequential(name, pawl_sequential(name, pawl_sequential(name, passing("leaf"))))));
    const pawl_span_data *leaf = traced_span(&t, "leaf", 0), *deep = traced_span(&t, name, 0);
    assert_int_equal(strlen(span_attribute(leaf, "pawl.primitive.path")), 256);
    assert_int_equal(strlen(span_attribute(deep, "pawl.primitive.path")), 256);
    assert_int_equal(strlen(span_attribute(traced_span(&t, name, 1), "pawl.primitive.path")), 3 + 101 + 101);
    end_traced(&t);
}

static pawl_status set_numbers(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    (void)in, (void)ret_out, (void)err;
    pawl_context_set_int(ctx, "n", -7);
    pawl_context_set_bool(ctx, "a.key.that.is.longer.than.two.steps", true);
    if (user)
        pawl_context_set_string(ctx, "text", "behind numbers");
    return PAWL_OK;
}

/* Around the border of a record's own room. */
static void names_of_any_length_are_whole_beside_numbers(void **state) {
    (void)state;
    static char text;
    for (int length = 1; length <= 180; length++) {
        struct traced t;
        char above[41], name[181], path[256];
        snprintf(above, sizeof above, "%0*d", length % 40 + 1, 0);
        snprintf(name, sizeof name, "%0*d", length, 1);
        snprintf(path, sizeof path, "top/%s/%s", above, name);
        make_traced(&t, (pawl_tracer_options){0});
        trace_run(&t, pawl_sequential("top", pawl_sequential(above, pawl_inline(name, set_numbers, NULL),
                                                             pawl_inline(name, set_numbers, &text))));
        for (size_t n = 0; n < 2; n++) {
            const pawl_span_data *span = traced_span(&t, name, n);
            assert_string_equal(span_attribute(span, "pawl.primitive.path"), path);
            assert_string_equal(span_attribute(span, "pawl.primitive.type"), "inline");
            assert_string_equal(span_attribute(span, "pawl.step"), n ? "1" : "0");
            assert_string_equal(span_attribute(span, "n"), "-7");
            assert_string_equal(span_attribute(span, "a.key.that.is.longer.than.two.steps"), "true");
            assert_true((span_attribute(span, "text") != NULL) == (n == 1));
        }
        end_traced(&t);
    }
}

static pawl_primitive *tower(int height) {
    pawl_primitive *node = passing("leaf");
    for (int i = 0; i < height; i++)
        node = pawl_retry("r", node, .max_attempts = 1);
    return node;
}

static void a_deep_tree_has_a_path_as_far_as_it_goes(void **state) {
    (void)state;
    struct traced t;
    make_traced(&t, (pawl_tracer_options){0});
    trace_run(&t, tower(40));
    assert_int_equal(strlen(span_attribute(traced_span(&t, "leaf", 0), "pawl.primitive.path")), 40 * 2 + 4);
    assert_string_equal(span_attribute(traced_span(&t, "r", 39), "pawl.primitive.path"), "r");
    assert_string_equal(span_attribute(traced_span(&t, "r", 38), "pawl.primitive.path"), "r/r");
    end_traced(&t);
}

static void paths_are_right_when_branches_end_in_turns(void **state) {
    (void)state;
    struct traced t;
    make_traced(&t, (pawl_tracer_options){0});
    trace_run(&t, pawl_parallel("p",
                                PAWL_CHILDREN(pawl_sequential("x", pausing("1", 1), pausing("2", 4)),
                                              pawl_sequential("y", pausing("3", 2), pausing("4", 4))),
                                .mode = 0));
    assert_string_equal(span_attribute(traced_span(&t, "1", 0), "pawl.primitive.path"), "p/x/1");
    assert_string_equal(span_attribute(traced_span(&t, "3", 0), "pawl.primitive.path"), "p/y/3");
    assert_string_equal(span_attribute(traced_span(&t, "2", 0), "pawl.primitive.path"), "p/x/2");
    assert_string_equal(span_attribute(traced_span(&t, "4", 0), "pawl.primitive.path"), "p/y/4");
    assert_string_equal(span_attribute(traced_span(&t, "y", 0), "pawl.primitive.path"), "p/y");
    end_traced(&t);
}

/* ---- what a thread has seen before ---- */

static void the_same_node_in_two_pipelines_has_two_paths(void **state) {
    (void)state;
    struct traced t;
    make_traced(&t, (pawl_tracer_options){0});
    pawl_primitive *shared = passing("shared");
    for (int round = 0; round < 3; round++) {
        trace_run(&t, pawl_sequential("a", pawl_primitive_ref(shared), pawl_primitive_ref(shared)));
        trace_run(&t, pawl_sequential("b", pawl_primitive_ref(shared)));
        trace_run(&t, pawl_primitive_ref(shared));
    }
    for (size_t round = 0; round < 3; round++) {
        assert_string_equal(path_of(&t, "shared", round * 4), "a/shared");
        assert_string_equal(span_attribute(traced_span(&t, "shared", round * 4 + 1), "pawl.step"), "1");
        assert_string_equal(path_of(&t, "shared", round * 4 + 2), "b/shared");
        assert_string_equal(path_of(&t, "shared", round * 4 + 3), "shared");
        assert_null(span_attribute(traced_span(&t, "shared", round * 4 + 3), "pawl.step"));
    }
    pawl_primitive_unref(shared);
    end_traced(&t);
}

/* It failed, so its number is not what its place is known by, as it was when its children ended. */
static void a_node_that_is_described_after_its_children_keeps_path_and_number(void **state) {
    (void)state;
    struct traced t;
    make_traced(&t, (pawl_tracer_options){0});
    pawl_primitive *in = pawl_sequential("in", passing("a"), failing("b", PAWL_E_FAILED));
    pawl_primitive *node = pawl_sequential("top", passing("x"), pawl_retry("again", in, .max_attempts = 1));
    for (size_t i = 0; i < 2; i++) {
        trace_run(&t, pawl_primitive_ref(node));
        assert_string_equal(path_of(&t, "a", i), "top/again/in/a");
        assert_string_equal(path_of(&t, "b", i), "top/again/in/b");
        assert_string_equal(path_of(&t, "in", i), "top/again/in");
        assert_string_equal(path_of(&t, "again", i), "top/again");
        assert_string_equal(span_attribute(traced_span(&t, "b", i), "pawl.step"), "1");
        assert_string_equal(span_attribute(traced_span(&t, "in", i), "pawl.attempt"), "1");
        assert_string_equal(span_attribute(traced_span(&t, "again", i), "pawl.step"), "1");
        assert_string_equal(path_of(&t, "x", i), "top/x");
    }
    pawl_primitive_unref(node);
    end_traced(&t);
}

static void a_path_outlives_its_nodes(void **state) {
    (void)state;
    struct traced t;
    make_traced(&t, (pawl_tracer_options){0});
    for (int i = 0; i < 5; i++) {
        pawl_primitive *node = pawl_sequential("top", pawl_sequential("middle", passing("leaf")));
        pawl_run(node, t.ctx, NULL, NULL, NULL);
        pawl_primitive_unref(node);
    }
    pawl_runtime_flush(t.runtime, PAWL_S(1), NULL);
    for (size_t i = 0; i < 5; i++)
        assert_string_equal(path_of(&t, "leaf", i), "top/middle/leaf");
    end_traced(&t);
}

/* More than are remembered, twice, so that those without a place come in between those with one. */
static void more_places_than_are_kept_are_told_all_the_same(void **state) {
    (void)state;
    struct traced t;
    make_traced(&t, (pawl_tracer_options){.max_queue_size = 100000});
    for (unsigned round = 0; round < 2; round++)
        for (unsigned i = 0; i < PAWL_PLACES; i++) {
            char name[16];
            snprintf(name, sizeof name, "n%u", i);
            trace_run(&t, pawl_sequential("top", passing(name), pawl_sequential("in", passing(name))));
        }
    for (unsigned i = 0; i < PAWL_PLACES; i++)
        for (size_t nth = 0; nth < 4; nth++) {
            char name[16], path[32];
            snprintf(name, sizeof name, "n%u", i);
            snprintf(path, sizeof path, "top/%s%s", nth % 2 ? "in/" : "", name);
            assert_string_equal(path_of(&t, name, nth), path);
            assert_string_equal(span_attribute(traced_span(&t, name, nth), "pawl.primitive.type"), "inline");
        }
    end_traced(&t);
}

/* "top/in/a" for a span a. */
static bool ends_with_name(const char *path, const char *name) {
    const char *last = strrchr(path, '/');
    return strcmp(last ? last + 1 : path, name) == 0;
}

static void expect_a_right_path(const pawl_span_data *span) {
    static const char *const paths[] = {"top", "top/in", "top/in/a", "top/in/b", "top/c"};
    const char *path = span_attribute(span, "pawl.primitive.path");
    size_t known = 0;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        known += strcmp(path, paths[i]) == 0 && ends_with_name(path, span->name);
    assert_int_equal(known, 1);
}

static void what_is_told_without_memory_for_places_is_right_and_the_rest_is_counted(void **state) {
    (void)state;
    for (size_t n = 1, failed = 1; failed; n++) {
        struct traced t;
        make_traced(&t, (pawl_tracer_options){0});
        pawl_primitive *node = pawl_sequential("top", pawl_sequential("in", passing("a"), passing("b")), passing("c"));
        fail_allocation_at(n);
        pawl_run(node, t.ctx, NULL, NULL, NULL);
        failed = allow_allocations();
        pawl_primitive_unref(node);
        pawl_runtime_flush(t.runtime, PAWL_S(1), NULL);
        pawl_tracer_stats stats = {.size = sizeof stats};
        pawl_tracer_get_stats(t.tracer, &stats);
        assert_int_equal(stats.live, 0);
        assert_int_equal(stats.dropped_full, 0);
        assert_int_equal(stats.started, stats.processed + stats.dropped_no_memory);
        assert_int_equal(stats.processed, pawl_trace_memory_count(t.memory));
        assert_true(failed > 0 || stats.processed == 5);
        for (size_t i = 0; i < stats.processed; i++)
            expect_a_right_path(pawl_trace_memory_span(t.memory, i));
        end_traced(&t);
    }
}

static void a_tree_deeper_than_the_levels_keeps_its_names(void **state) {
    (void)state;
    struct traced t;
    make_traced(&t, (pawl_tracer_options){0});
    trace_run(&t, tower(PAWL_PATH_DEPTH + 10));
    assert_int_equal(strlen(path_of(&t, "leaf", 0)), 255);
    assert_string_equal(path_of(&t, "r", PAWL_PATH_DEPTH + 9), "r");
    assert_string_equal(path_of(&t, "r", PAWL_PATH_DEPTH + 8), "r/r");
    end_traced(&t);
}

static void names_with_secrets_in_them_are_hidden(void **state) {
    (void)state;
    struct traced t;
    make_traced(&t, (pawl_tracer_options){0});
    pawl_runtime_add_secret(t.runtime, "hunter2", 7, NULL);
    for (int round = 0; round < 2; round++)
        trace_run(&t, pawl_sequential("log in as hunter2", passing("leaf"), passing("API_KEY=a1b2c3d4e5f6")));
    for (size_t round = 0; round < 2; round++) {
        assert_string_equal(path_of(&t, "log in as " PAWL_REDACTED, round), "log in as " PAWL_REDACTED);
        assert_string_equal(path_of(&t, "leaf", round), "log in as " PAWL_REDACTED "/leaf");
        assert_non_null(traced_span(&t, "API_KEY=" PAWL_REDACTED, round));
    }
    end_traced(&t);
}

static void names_are_hidden_from_the_moment_that_a_secret_is_told(void **state) {
    (void)state;
    struct traced t;
    make_traced(&t, (pawl_tracer_options){0});
    pawl_primitive *node = pawl_sequential("log in as hunter2", passing("hunter2 in"), passing("hunter2 out"));
    trace_run(&t, pawl_primitive_ref(node));
    assert_string_equal(path_of(&t, "hunter2 in", 0), "log in as hunter2/hunter2 in");
    pawl_runtime_add_secret(t.runtime, "hunter2", 7, NULL);
    trace_run(&t, node);
    assert_int_equal(traced_spans(&t, "hunter2 in"), 1);
    assert_int_equal(traced_spans(&t, "hunter2 out"), 1);
    assert_string_equal(path_of(&t, PAWL_REDACTED " out", 0), "log in as " PAWL_REDACTED "/" PAWL_REDACTED " out");
    assert_string_equal(path_of(&t, "log in as " PAWL_REDACTED, 0), "log in as " PAWL_REDACTED);
    end_traced(&t);
}

static pawl_status tell_secret(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    (void)in, (void)ret_out;
    return pawl_runtime_add_secret(pawl_context_runtime(ctx), user, strlen(user), err);
}

/* Also in those that have ended before, and wait. */
static void a_secret_told_by_a_leaf_is_hidden_in_all_names_that_are_exported_later(void **state) {
    (void)state;
    static char secret[] = "hunter2";
    struct traced t;
    make_traced(&t, (pawl_tracer_options){0});
    pawl_primitive *leaf = passing("hunter2");
    trace_run(&t, pawl_sequential("top", pawl_primitive_ref(leaf), pawl_inline("tell", tell_secret, secret), leaf));
    for (size_t i = 0; i < 2; i++)
        assert_string_equal(path_of(&t, PAWL_REDACTED, i), "top/" PAWL_REDACTED);
    end_traced(&t);
}

/* ---- what a short record cannot say ---- */

static pawl_step run_far_numbered(const void *state, pawl_frame *frame, pawl_event *event) {
    if (pawl_event_kind_of(event) != PAWL_EVENT_START)
        return pawl_step_finish(frame, event);
    pawl_scope scope = {.size = sizeof scope, .attribute = "n", .attribute_value = *(const int64_t *)state};
    return pawl_step_run(frame, pawl_primitive_child(pawl_frame_node(frame), 0), pawl_frame_input(frame), &scope);
}

static pawl_primitive *far_numbered(const int64_t *number) {
    static const pawl_primitive_vtable vtable = {.size = sizeof vtable, .type_name = "far", .step = run_far_numbered};
    const pawl_primitive_spec spec = {.size = sizeof spec,
                                      .vtable = &vtable,
                                      .name = "far",
                                      .state = (void *)number,
                                      .children = PAWL_CHILDREN(passing("leaf"))};
    return pawl_primitive_new(&spec);
}

static void numbers_of_any_size_are_whole(void **state) {
    (void)state;
    static const int64_t numbers[] = {0, 1, -1, UINT32_MAX, INT64_C(1) << 32, INT64_MAX, INT64_MIN};
    struct traced t;
    make_traced(&t, (pawl_tracer_options){0});
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        char text[24];
        trace_run(&t, far_numbered(&numbers[i]));
        snprintf(text, sizeof text, "%lld", (long long)numbers[i]);
        assert_string_equal(span_attribute(traced_span(&t, "leaf", i), "n"), text);
    }
    end_traced(&t);
}

static void durations_of_any_length_are_whole(void **state) {
    (void)state;
    static const uint64_t durations[] = {0, 1, UINT32_MAX, UINT64_C(1) << 32, PAWL_MIN(60)};
    struct traced t;
    make_traced(&t, (pawl_tracer_options){0});
    for (size_t i = 0; i < sizeof durations / sizeof *durations; i++) {
        trace_run(&t, pawl_sequential("s", sleeper("a", durations[i])));
        const pawl_span_data *span = traced_span(&t, "a", i);
        assert_int_equal(span->end_unix_ns - span->start_unix_ns, durations[i]);
    }
    end_traced(&t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_is_cut_at_256_bytes_and_the_name_is_not),
        cmocka_unit_test(names_of_any_length_are_whole_beside_numbers),
        cmocka_unit_test(a_deep_tree_has_a_path_as_far_as_it_goes),
        cmocka_unit_test(paths_are_right_when_branches_end_in_turns),
        cmocka_unit_test(the_same_node_in_two_pipelines_has_two_paths),
        cmocka_unit_test(a_node_that_is_described_after_its_children_keeps_path_and_number),
        cmocka_unit_test(a_path_outlives_its_nodes),
        cmocka_unit_test(more_places_than_are_kept_are_told_all_the_same),
        cmocka_unit_test(what_is_told_without_memory_for_places_is_right_and_the_rest_is_counted),
        cmocka_unit_test(a_tree_deeper_than_the_levels_keeps_its_names),
        cmocka_unit_test(names_with_secrets_in_them_are_hidden),
        cmocka_unit_test(names_are_hidden_from_the_moment_that_a_secret_is_told),
        cmocka_unit_test(a_secret_told_by_a_leaf_is_hidden_in_all_names_that_are_exported_later),
        cmocka_unit_test(numbers_of_any_size_are_whole),
        cmocka_unit_test(durations_of_any_length_are_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
