#include "bed.h"
#include "primitive_internal.h"

#include <pawl/primitives/function.h>
#include <pawl/primitives/sequential.h>
#include <pawl/run.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CLAIM(name) static void name(void **state)

/* Gives {"n": in.n + 1}. */
static pawl_status add_one(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    (void)user, (void)ctx;
    cJSON *json = cJSON_CreateObject();
    if (json && cJSON_AddNumberToObject(json, "n", pawl_value_get_number(in, "n", 0) + 1))
        *ret_out = pawl_value_take(json);
    else
        cJSON_Delete(json);
    return *ret_out ? PAWL_OK : pawl_error_set(err, PAWL_E_NOMEM, "out of memory");
}

static pawl_primitive *plus(const char *name) {
    return pawl_inline(name, add_one, NULL);
}

/* ---- making ---- */

CLAIM(needs_a_step) {
    (void)state;
    pawl_primitive *const none[] = {PAWL_END};
    expect_broken(pawl_sequential_new("empty", none), PAWL_E_INVALID,
                  "empty: sequential 'empty': it has no steps; pass at least one");
    expect_broken(pawl_sequential_new("empty", NULL), PAWL_E_INVALID, "no steps");
}

CLAIM(a_null_step_is_an_error_and_not_the_end) {
    (void)state;
    expect_broken(pawl_sequential("steps", passing("a"), NULL, passing("c")), PAWL_E_INVALID,
                  "sequential 'steps': child 2 is NULL");
}

CLAIM(reports_a_step_that_failed_with_its_path) {
    (void)state;
    expect_broken(pawl_sequential("outer", passing("a"), pawl_sequential("inner", pawl_inline("bad", NULL, NULL))),
                  PAWL_E_INVALID, "outer/inner/bad: inline 'bad': its function is NULL");
}

CLAIM(needs_a_name) {
    (void)state;
    char name[300];
    memset(name, 'n', sizeof name);
    name[255] = '\0';
    give_back_after(pawl_sequential(name, passing("a")), sound(made_));
    name[255] = 'n', name[256] = '\0';
    expect_broken(pawl_sequential(name, passing("a")), PAWL_E_INVALID, "1 to 255 bytes");
    expect_broken(pawl_sequential(NULL, passing("a")), PAWL_E_INVALID, "needs a name");
}

/* ---- flattening ---- */

static void expect_shape(pawl_primitive *node, const char *text) {
    char *described = pawl_primitive_describe(node);
    assert_string_equal(described, text);
    free(described);
    pawl_primitive_unref(node);
}

CLAIM(takes_nameless_sequences_apart_and_keeps_named_ones) {
    (void)state;
    expect_shape(pawl_sequential("s", pawl_then(passing("a"), pawl_then(passing("b"), passing("c"))), passing("d")),
                 "s (sequential)\n  a (inline)\n  b (inline)\n  c (inline)\n  d (inline)\n");
    expect_shape(pawl_sequential("s", passing("a"), pawl_sequential("t", passing("b"))),
                 "s (sequential)\n  a (inline)\n  t (sequential)\n    b (inline)\n");
    expect_shape(pawl_then(passing("a"), passing("b")), "then (sequential)\n  a (inline)\n  b (inline)\n");
}

CLAIM(a_nameless_sequence_runs_on_its_own) {
    (void)state;
    struct bed bed;
    make_bed(&bed);
    expect_output_of(pawl_then(plus("a"), pawl_then(plus("b"), plus("c"))), bed.ctx, "{\"n\":1}", "{\"n\":4}");
    clear_bed(&bed);
}

CLAIM(a_shared_nameless_sequence_is_taken_apart_for_each_that_holds_it) {
    (void)state;
    struct bed bed;
    make_bed(&bed);
    pawl_primitive *both = pawl_then(plus("a"), plus("b"));
    pawl_primitive *steps = pawl_sequential("s", pawl_primitive_ref(both), pawl_primitive_ref(both));
    pawl_primitive_unref(both);
    assert_int_equal(pawl_primitive_child_count(steps), 4);
    expect_output(steps, bed.ctx, "{}", "{\"n\":4}");
    pawl_primitive_unref(steps);
    clear_bed(&bed);
}

CLAIM(a_broken_nameless_sequence_breaks_the_one_around_it) {
    (void)state;
    expect_broken(pawl_sequential("s", pawl_then(passing("a"), NULL), passing("b")), PAWL_E_INVALID, "is NULL");
    expect_broken(pawl_then(NULL, NULL), PAWL_E_INVALID, "then: sequential 'then': child 1 is NULL");
}

/* ---- runs ---- */

CLAIM(hands_each_output_to_the_next_step) {
    (void)state;
    struct bed bed;
    make_bed(&bed);
    expect_output_of(pawl_sequential("s", plus("a"), plus("b"), plus("c")), bed.ctx, "{\"n\":0}", "{\"n\":3}");
    expect_output_of(pawl_sequential("s", passing("a"), plus("b"), passing("c"), passing("d")), bed.ctx, "{}",
                     "{\"n\":1}");
    expect_output_of(pawl_sequential("s", constant("a", "[7]"), passing("b")), bed.ctx, "{}", "[7]");
    clear_bed(&bed);
}

CLAIM(gives_the_very_input_when_all_steps_pass_it_on) {
    (void)state;
    struct bed bed;
    make_bed(&bed);
    pawl_primitive *node = pawl_sequential("s", passing("a"), passing("b"));
    pawl_value *in = pawl_value_number(7), *out = NULL;
    assert_int_equal(pawl_run(node, bed.ctx, in, &out, NULL), PAWL_OK);
    assert_ptr_equal(out, in);
    pawl_value_unref(out), pawl_value_unref(in), pawl_primitive_unref(node);
    clear_bed(&bed);
}

CLAIM(stops_at_the_first_failure_and_returns_it_unchanged) {
    (void)state;
    struct bed bed;
    atomic_size_t before = 0, after = 0;
    make_bed(&bed);
    expect_failure_of(
        pawl_sequential("s", counting("a", &before), plus("b"), failing("c", PAWL_E_DENIED), counting("d", &after)),
        bed.ctx, NULL, PAWL_E_DENIED, "s/c: failed on purpose");
    assert_int_equal(before, 1);
    assert_int_equal(after, 0);
    clear_bed(&bed);
}

static pawl_status cancel_own_run(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out,
                                  pawl_error **err) {
    (void)ctx, (void)in, (void)ret_out, (void)err;
    pawl_context_cancel(user, PAWL_CANCEL_QUOTA, "enough is spent");
    return PAWL_OK;
}

CLAIM(starts_no_step_once_it_is_cancelled) {
    (void)state;
    struct bed bed;
    atomic_size_t after = 0;
    make_bed(&bed);
    expect_failure_of(pawl_sequential("s", pawl_inline("a", cancel_own_run, bed.ctx), counting("b", &after)), bed.ctx,
                      NULL, PAWL_E_CANCELLED, "cancelled (quota): enough is spent");
    assert_int_equal(after, 0);
    clear_bed(&bed);
}

CLAIM(starts_no_step_after_the_deadline) {
    (void)state;
    struct bed bed;
    atomic_size_t after = 0;
    make_bed(&bed);
    pawl_context_set_timeout(bed.ctx, PAWL_S(1), NULL);
    expect_failure_of(pawl_sequential("s", sleeper("a", PAWL_S(2)), counting("b", &after)), bed.ctx, NULL,
                      PAWL_E_DEADLINE, "s/a");
    assert_int_equal(after, 0);
    clear_bed(&bed);
}

CLAIM(takes_no_memory) {
    (void)state;
    give_back_after(pawl_sequential("s", passing("a"), pawl_sequential("t", passing("b"), passing("c"))),
                    expect_no_allocation(made_, NULL));
}

CLAIM(its_memory_is_its_largest_step_and_not_the_sum) {
    (void)state;
    pawl_primitive *one = pawl_sequential("s", pausing("a", 1));
    pawl_primitive *four = pawl_sequential("s", pausing("a", 1), pausing("b", 1), passing("c"), pausing("d", 1));
    pawl_primitive *deep = pawl_sequential("s", pawl_sequential("t", pausing("a", 1)), passing("b"));
    assert_int_equal(four->bytes[0], one->bytes[0]);
    assert_true(deep->bytes[0] > one->bytes[0]);
    pawl_primitive_unref(one), pawl_primitive_unref(four), pawl_primitive_unref(deep);
}

CLAIM(numbers_its_steps_in_the_trace) {
    (void)state;
    struct bed bed;
    make_observed_bed(&bed);
    expect_output_of(pawl_sequential("s", passing("a"), plus("b")), bed.ctx, NULL, "{\"n\":1}");
    assert_string_equal(span_named(bed.recorder, "a")->attributes, "pawl.step=0");
    assert_string_equal(span_named(bed.recorder, "b")->attributes, "pawl.step=1");
    assert_string_equal(span_named(bed.recorder, "b")->parent, "s");
    assert_string_equal(span_named(bed.recorder, "s")->type, "sequential");
    clear_bed(&bed);
}

/* ---- every boundary, and without memory ---- */

static pawl_primitive *make_swept(void *user, struct fake_clock *time) {
    (void)time;
    struct manual_op *op = user;
    *op = (struct manual_op){.completes = COMPLETES_ON_CANCEL};
    return pawl_sequential("s", plus("a"), pausing("b", PAWL_MS(5)), pawl_then(plus("c"), sleeper("d", PAWL_MS(5))),
                           pawl_sequential("t", manual_primitive("e", op), plus("f")));
}

CLAIM(B3_a_cancel_or_a_deadline_at_any_boundary_ends_it_at_once) {
    (void)state;
    struct manual_op op;
    struct sweep sweep = {.make = make_swept, .user = &op, .when_idle = complete_when_idle};
    sweep_cancel_and_deadline(&sweep);
}

static pawl_primitive *make_without_memory(void *user) {
    (void)user;
    return pawl_sequential("s", plus("a"), pawl_then(plus("b"), passing("c")), plus("d"));
}

CLAIM(survives_every_allocation_that_fails) {
    (void)state;
    survive_without_memory(make_without_memory, NULL, "{\"n\": 1}");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(needs_a_step),
        cmocka_unit_test(a_null_step_is_an_error_and_not_the_end),
        cmocka_unit_test(reports_a_step_that_failed_with_its_path),
        cmocka_unit_test(needs_a_name),
        cmocka_unit_test(takes_nameless_sequences_apart_and_keeps_named_ones),
        cmocka_unit_test(a_nameless_sequence_runs_on_its_own),
        cmocka_unit_test(a_shared_nameless_sequence_is_taken_apart_for_each_that_holds_it),
        cmocka_unit_test(a_broken_nameless_sequence_breaks_the_one_around_it),
        cmocka_unit_test(hands_each_output_to_the_next_step),
        cmocka_unit_test(gives_the_very_input_when_all_steps_pass_it_on),
        cmocka_unit_test(stops_at_the_first_failure_and_returns_it_unchanged),
        cmocka_unit_test(starts_no_step_once_it_is_cancelled),
        cmocka_unit_test(starts_no_step_after_the_deadline),
        cmocka_unit_test(takes_no_memory),
        cmocka_unit_test(its_memory_is_its_largest_step_and_not_the_sum),
        cmocka_unit_test(numbers_its_steps_in_the_trace),
        cmocka_unit_test(B3_a_cancel_or_a_deadline_at_any_boundary_ends_it_at_once),
        cmocka_unit_test(survives_every_allocation_that_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
