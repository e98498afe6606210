#include "bed.h"
#include "primitive_internal.h"

#include <pawl/primitives/function.h>
#include <pawl/primitives/parallel.h>
#include <pawl/primitives/sequential.h>
#include <pawl/primitives/timeout.h>
#include <pawl/run.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CLAIM(name) static void name(void **state)

#define all_of(...) pawl_parallel_new("p", PAWL_CHILDREN(__VA_ARGS__), NULL)
#define settle(...) pawl_parallel("p", PAWL_CHILDREN(__VA_ARGS__), .mode = PAWL_PARALLEL_SETTLE)

/* ---- options ---- */

CLAIM(needs_children) {
    (void)state;
    expect_broken(pawl_parallel_new("p", NULL, NULL), PAWL_E_INVALID, "p: parallel 'p': it has no children");
    pawl_primitive *const none[] = {PAWL_END};
    expect_broken(pawl_parallel_new("p", none, NULL), PAWL_E_INVALID, "no children");
}

static pawl_primitive *crowd_of(size_t count) {
    pawl_primitive **children = calloc(count + 1, sizeof *children);
    for (size_t i = 0; i < count; i++)
        children[i] = passing("a");
    children[count] = PAWL_END;
    pawl_primitive *node = pawl_parallel_new("p", children, NULL);
    free(children);
    return node;
}

CLAIM(bounds_the_number_of_children) {
    (void)state;
    expect_broken(crowd_of(4097), PAWL_E_INVALID, "it has 4097 children, at most 4096 are allowed");
    struct bed bed;
    make_bed(&bed);
    pawl_primitive *node = sound(crowd_of(4096));
    pawl_value *out = NULL;
    assert_int_equal(pawl_run(node, bed.ctx, NULL, &out, NULL), PAWL_OK);
    assert_int_equal(pawl_value_count(out), 4096);
    pawl_value_unref(out), pawl_primitive_unref(node);
    clear_bed(&bed);
}

CLAIM(refuses_a_null_child) {
    (void)state;
    expect_broken(all_of(passing("a"), NULL, passing("c")), PAWL_E_INVALID, "child 2 is NULL");
}

CLAIM(refuses_options_out_of_range) {
    (void)state;
    expect_broken(pawl_parallel("p", PAWL_CHILDREN(passing("a")), .mode = 2), PAWL_E_INVALID,
                  "mode 2 is none of pawl_parallel_mode");
    expect_broken(pawl_parallel("p", PAWL_CHILDREN(passing("a")), .max_concurrency = PAWL_ZERO), PAWL_E_INVALID,
                  "max_concurrency must let at least one child run");
    give_back_after(pawl_parallel("p", PAWL_CHILDREN(passing("a")), .max_concurrency = PAWL_UNLIMITED), sound(made_));
}

CLAIM(refuses_options_it_does_not_know) {
    (void)state;
    struct {
        pawl_parallel_options known;
        uint64_t unknown;
    } options = {.known.size = sizeof options, .unknown = 1};
    expect_broken(pawl_parallel_new("p", PAWL_CHILDREN(passing("a")), &options.known), PAWL_E_INVALID, "does not know");
    options.known.size = 0;
    expect_broken(pawl_parallel_new("p", PAWL_CHILDREN(passing("a")), &options.known), PAWL_E_INVALID,
                  "options.size is 0");
}

/* ---- all ---- */

CLAIM(gives_the_values_in_the_order_of_the_children) {
    (void)state;
    struct bed bed;
    make_bed(&bed);
    expect_output_of(all_of(pawl_sequential("s", pausing("late", PAWL_S(3)), constant("a", "1")),
                            pawl_sequential("t", pausing("early", PAWL_S(1)), constant("b", "2")), constant("c", "3"),
                            passing("d")),
                     bed.ctx, "{\"x\":0}", "[1,2,3,{\"x\":0}]");
    assert_int_equal(bed.time.now_ns, PAWL_S(3)); /* side by side */
    clear_bed(&bed);
}

CLAIM(each_child_gets_the_very_input_and_the_list_shares_the_values) {
    (void)state;
    struct bed bed;
    make_bed(&bed);
    pawl_primitive *node = all_of(passing("a"), pausing("b", 1));
    pawl_value *in = pawl_value_string("text"), *out = NULL;
    assert_int_equal(pawl_run(node, bed.ctx, in, &out, NULL), PAWL_OK);
    assert_true(pawl_value_is_list(out));
    assert_ptr_equal(pawl_value_item(out, 0), in);
    assert_ptr_equal(pawl_value_item(out, 1), in);
    pawl_value_unref(in), pawl_value_unref(out), pawl_primitive_unref(node);
    clear_bed(&bed);
}

/* Counts how many run at once: a pause between two counts. */
struct lanes {
    int now, most;
};

static pawl_status enter(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    (void)ctx, (void)in, (void)ret_out, (void)err;
    struct lanes *lanes = user;
    lanes->most = ++lanes->now > lanes->most ? lanes->now : lanes->most;
    return PAWL_OK;
}

static pawl_status leave(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    (void)ctx, (void)in, (void)ret_out, (void)err;
    ((struct lanes *)user)->now--;
    return PAWL_OK;
}

static pawl_primitive *counted(struct lanes *lanes, uint64_t pause) {
    return pawl_sequential("counted", pawl_inline("enter", enter, lanes), pausing("pause", pause),
                           pawl_inline("leave", leave, lanes));
}

CLAIM(runs_no_more_at_once_than_allowed) {
    (void)state;
    for (uint64_t most = 1; most <= 6; most++) {
        struct bed bed;
        struct lanes lanes = {0};
        make_bed(&bed);
        expect_output_of(pawl_parallel("p",
                                       PAWL_CHILDREN(counted(&lanes, 5), counted(&lanes, 3), constant("a", "1"),
                                                     counted(&lanes, 4), counted(&lanes, 1), constant("b", "2")),
                                       .max_concurrency = most),
                         bed.ctx, NULL, "[null,null,1,null,null,2]");
        assert_int_equal(lanes.most, most < 4 ? most : 4);
        assert_int_equal(lanes.now, 0);
        clear_bed(&bed);
    }
}

CLAIM(its_memory_is_one_lane_for_each_child_that_may_run) {
    (void)state;
    pawl_primitive *leaf = pausing("a", 1);
    size_t lane = leaf->bytes[0];
    pawl_primitive *wide = all_of(leaf, pausing("b", 1), pausing("c", 1), passing("d"));
    pawl_primitive *narrow = pawl_parallel(
        "p", PAWL_CHILDREN(pausing("a", 1), pausing("b", 1), pausing("c", 1), passing("d")), .max_concurrency = 1);
    assert_in_range(wide->bytes[0] - narrow->bytes[0], 3 * lane, 3 * lane + 64);
    pawl_primitive_unref(wide), pawl_primitive_unref(narrow);
}

/* ---- settle ---- */

CLAIM(settle_tells_what_became_of_each) {
    (void)state;
    struct bed bed;
    make_bed(&bed);
    expect_output_of(settle(constant("a", "{\"x\":[1,2]}"), failing("b", PAWL_E_DENIED), pausing("c", PAWL_S(1)),
                            pawl_timeout("d", pausing("e", PAWL_S(9)), .after_ns = PAWL_S(2))),
                     bed.ctx, "7",
                     "[{\"status\":\"ok\",\"value\":{\"x\":[1,2]}},"
                     "{\"status\":\"denied\",\"error\":{\"message\":\"failed on purpose\",\"path\":\"p/b\","
                     "\"retryable\":false}},"
                     "{\"status\":\"ok\",\"value\":7},"
                     "{\"status\":\"timeout\",\"error\":{\"message\":\"timeout 'd': took longer than its limit of 2 s; "
                     "raise after_ns or make the work smaller\",\"path\":\"p/d\",\"retryable\":true}}]");
    clear_bed(&bed);
}

CLAIM(settle_copies_lists_too) {
    (void)state;
    struct bed bed;
    make_bed(&bed);
    expect_output_of(settle(all_of(passing("a"), constant("b", "[2]"))), bed.ctx, "1",
                     "[{\"status\":\"ok\",\"value\":[1,[2]]}]");
    clear_bed(&bed);
}

CLAIM(settle_ends_with_a_cancel_from_outside) {
    (void)state;
    struct bed bed;
    struct manual_op a = {.completes = COMPLETES_ON_CANCEL};
    struct ended ended = {0};
    make_bed(&bed);
    pawl_primitive *node = settle(failing("bad", PAWL_E_DENIED), manual_primitive("a", &a));
    pawl_start(node, bed.ctx, NULL, note_end, &ended, NULL);
    pawl_runtime_pump(bed.runtime, NULL);
    pawl_context_cancel(bed.ctx, PAWL_CANCEL_USER, "stop");
    pawl_runtime_pump(bed.runtime, NULL);
    expect_error(pawl_error_ref(ended.error), PAWL_E_CANCELLED, "caused by: p/bad");
    release_end(&ended);
    pawl_primitive_unref(node);
    clear_bed(&bed);
}

/* ---- bounds ---- */

static pawl_value *nested(size_t depth) {
    cJSON *json = cJSON_CreateArray();
    while (--depth > 0) {
        cJSON *outer = cJSON_CreateArray();
        cJSON_AddItemToArray(outer, json);
        json = outer;
    }
    return pawl_value_take(json);
}

static void expect_depth(pawl_primitive *node, size_t depth, pawl_status status) {
    struct bed bed;
    pawl_error *err = NULL;
    make_bed(&bed);
    pawl_value *in = nested(depth), *out = NULL;
    assert_non_null(in);
    assert_int_equal(pawl_run(node, bed.ctx, in, &out, &err), status);
    if (err)
        expect_error(err, status, "its results would nest deeper than 1000");
    pawl_value_unref(in), pawl_value_unref(out), pawl_primitive_unref(node);
    clear_bed(&bed);
}

CLAIM(results_that_nest_too_deep_are_an_error) {
    (void)state;
    expect_depth(all_of(passing("a")), 999, PAWL_OK);
    expect_depth(all_of(passing("a")), 1000, PAWL_E_LIMIT);
    expect_depth(settle(passing("a")), 998, PAWL_OK);
    expect_depth(settle(passing("a")), 999, PAWL_E_LIMIT);
}

CLAIM(a_tree_beyond_all_memory_is_refused) {
    (void)state;
    pawl_primitive *node = pausing("a", 1);
    for (int level = 0; level < 6; level++) { /* 4096 to the power of 6 frames */
        static pawl_primitive *children[4097];
        for (int i = 0; i < 4096; i++)
            children[i] = pawl_primitive_ref(node);
        children[4096] = PAWL_END;
        pawl_primitive *outer = pawl_parallel_new("p", children, NULL);
        pawl_primitive_unref(node);
        node = outer;
    }
    expect_broken(node, PAWL_E_LIMIT, "bytes for what may run at once; lower max_concurrency");
}

/* ---- trace, boundaries, memory ---- */

CLAIM(numbers_its_branches_in_the_trace) {
    (void)state;
    struct bed bed;
    make_observed_bed(&bed);
    expect_output_of(
        pawl_parallel("p", PAWL_CHILDREN(passing("a"), pausing("b", 1), passing("c")), .max_concurrency = 1), bed.ctx,
        "1", "[1,1,1]");
    assert_string_equal(span_named(bed.recorder, "a")->attributes, "pawl.branch=0");
    assert_string_equal(span_named(bed.recorder, "b")->attributes, "pawl.branch=1");
    assert_string_equal(span_named(bed.recorder, "c")->attributes, "pawl.branch=2");
    assert_string_equal(span_named(bed.recorder, "c")->parent, "p");
    assert_string_equal(span_named(bed.recorder, "p")->type, "parallel");
    clear_bed(&bed);
}

struct swept {
    struct manual_op op;
    uint64_t mode, lanes;
    bool fails;
};

static pawl_primitive *make_swept(void *user, struct fake_clock *time) {
    (void)time;
    struct swept *swept = user;
    swept->op = (struct manual_op){.completes = COMPLETES_ON_CANCEL};
    pawl_primitive *last = swept->fails ? failing("bad", PAWL_E_DENIED) : passing("good");
    return pawl_parallel(
        "p",
        PAWL_CHILDREN(manual_primitive("a", &swept->op), passing("b"), sleeper("c", PAWL_MS(2)),
                      pawl_sequential("s", pausing("d", PAWL_MS(3)), last),
                      pawl_parallel_new("q", PAWL_CHILDREN(pausing("e", PAWL_MS(1)), constant("f", "[1]")), NULL)),
        .mode = swept->mode, .max_concurrency = swept->lanes);
}

static bool complete_the_op(void *user) {
    return complete_when_idle(&((struct swept *)user)->op);
}

CLAIM(B3_a_cancel_or_a_deadline_at_any_boundary_ends_it_at_once) {
    (void)state;
    for (unsigned i = 0; i < 8; i++) {
        struct swept swept = {.mode = i & 1, .lanes = i & 2 ? 2 : 0, .fails = i & 4};
        struct sweep sweep = {.make = make_swept, .user = &swept, .when_idle = complete_the_op};
        sweep_cancel_and_deadline(&sweep);
    }
}

static pawl_primitive *make_all_without_memory(void *user) {
    (void)user;
    return all_of(passing("a"), pawl_sequential("s", passing("b")), passing("c"));
}

static pawl_primitive *make_settle_without_memory(void *user) {
    struct flaky *flaky = user;
    *flaky = (struct flaky){.failures_left = 1};
    return settle(passing("a"), flaky_primitive(flaky), pawl_sequential("s", passing("b")));
}

static pawl_primitive *make_failing_without_memory(void *user) {
    struct flaky *flaky = user;
    flaky[0] = flaky[1] = (struct flaky){.failures_left = 1};
    return all_of(pawl_sequential("s", flaky_primitive(&flaky[0])), pawl_sequential("t", flaky_primitive(&flaky[1])));
}

CLAIM(survives_every_allocation_that_fails) {
    (void)state;
    struct flaky flaky[2];
    survive_without_memory(make_all_without_memory, NULL, "{\"n\": 1}");
    survive_without_memory(make_settle_without_memory, flaky, "{\"n\": 1}");
    survive_without_memory(make_failing_without_memory, flaky, "{\"n\": 1}");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(needs_children),
        cmocka_unit_test(bounds_the_number_of_children),
        cmocka_unit_test(refuses_a_null_child),
        cmocka_unit_test(refuses_options_out_of_range),
        cmocka_unit_test(refuses_options_it_does_not_know),
        cmocka_unit_test(gives_the_values_in_the_order_of_the_children),
        cmocka_unit_test(each_child_gets_the_very_input_and_the_list_shares_the_values),
        cmocka_unit_test(runs_no_more_at_once_than_allowed),
        cmocka_unit_test(its_memory_is_one_lane_for_each_child_that_may_run),
        cmocka_unit_test(settle_tells_what_became_of_each),
        cmocka_unit_test(settle_copies_lists_too),
        cmocka_unit_test(settle_ends_with_a_cancel_from_outside),
        cmocka_unit_test(results_that_nest_too_deep_are_an_error),
        cmocka_unit_test(a_tree_beyond_all_memory_is_refused),
        cmocka_unit_test(numbers_its_branches_in_the_trace),
        cmocka_unit_test(B3_a_cancel_or_a_deadline_at_any_boundary_ends_it_at_once),
        cmocka_unit_test(survives_every_allocation_that_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
