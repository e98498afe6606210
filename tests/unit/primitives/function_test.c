#include "bed.h"

#include <pawl/primitives/function.h>
#include <pawl/primitives/sequential.h>
#include <pawl/primitives/timeout.h>
#include <pawl/run.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#endif

#include <cmocka.h>

#define CLAIM(name) static void name(void **state)

/* A leaf that does as it is told. */
struct orders {
    pawl_status status;
    pawl_value *value; /* given as a new reference */
    const char *error; /* message */
    size_t calls, destroyed;
    pawl_context *ctx; /* of the last call */
};

static pawl_status obey(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    (void)in;
    struct orders *orders = user;
    orders->calls++;
    orders->ctx = ctx;
    if (orders->value)
        *ret_out = pawl_value_ref(orders->value);
    if (orders->error)
        pawl_error_set(err, orders->status ? orders->status : PAWL_E_FAILED, "%s", orders->error);
    return orders->status;
}

static void count_destroy(void *user) {
    ((struct orders *)user)->destroyed++;
}

/* ---- making ---- */

CLAIM(needs_a_function) {
    (void)state;
    const pawl_async_vtable empty = {.size = sizeof empty};
    expect_broken(pawl_function("f", NULL, NULL), PAWL_E_INVALID, "f: function 'f': its function is NULL");
    expect_broken(pawl_inline("f", NULL, NULL), PAWL_E_INVALID, "f: inline 'f': its function is NULL");
    expect_broken(pawl_async("f", NULL, NULL), PAWL_E_INVALID, "f: async 'f': its function is NULL");
    expect_broken(pawl_async("f", &empty, NULL), PAWL_E_INVALID, "its function is NULL");
}

CLAIM(needs_a_name) {
    (void)state;
    struct orders orders = {0};
    expect_broken(pawl_function(NULL, obey, &orders), PAWL_E_INVALID, "needs a name of 1 to 255 bytes");
    expect_broken(pawl_inline("", obey, &orders), PAWL_E_INVALID, "needs a name");
    char name[257];
    memset(name, 'n', 256);
    name[256] = '\0';
    expect_broken(pawl_inline(name, obey, &orders), PAWL_E_INVALID, "this one has more");
}

CLAIM(gives_its_user_data_up_once_also_when_it_cannot_be_made) {
    (void)state;
    struct orders orders = {0};
    give_back_after(pawl_function_owning("f", obey, &orders, count_destroy), sound(made_));
    give_back_after(pawl_inline_owning("f", obey, &orders, count_destroy), sound(made_));
    assert_int_equal(orders.destroyed, 2);
    pawl_primitive_unref(pawl_function_owning("", obey, &orders, count_destroy));
    pawl_primitive_unref(pawl_inline_owning("f", NULL, &orders, count_destroy));
    pawl_primitive_unref(pawl_async_owning("f", NULL, &orders, count_destroy));
    assert_int_equal(orders.destroyed, 5);
    pawl_primitive *shared = pawl_primitive_ref(pawl_inline_owning("f", obey, &orders, count_destroy));
    pawl_primitive_unref(shared);
    assert_int_equal(orders.destroyed, 5);
    pawl_primitive_unref(shared);
    assert_int_equal(orders.destroyed, 6);
}

/* ---- what a leaf may say; the same for both kinds that are called ---- */

typedef pawl_primitive *(*leaf_maker)(const char *name, pawl_leaf_fn fn, void *user);

static void expect_of_both(struct orders *orders, pawl_status status, const char *text) {
    const leaf_maker makers[] = {pawl_inline, pawl_function};
    for (size_t i = 0; i < 2; i++) {
        struct bed bed;
        make_bed(&bed);
        pawl_primitive *node = makers[i]("leaf", obey, orders);
        if (status == PAWL_OK)
            expect_output(node, bed.ctx, "{\"in\":1}", text);
        else
            expect_failure(node, bed.ctx, "{\"in\":1}", status, text);
        pawl_primitive_unref(node);
        clear_bed(&bed);
    }
}

CLAIM(left_alone_the_input_passes_on) {
    (void)state;
    expect_of_both(&(struct orders){.status = PAWL_OK}, PAWL_OK, "{\"in\":1}");
}

CLAIM(gives_its_value) {
    (void)state;
    pawl_value *value = pawl_value_number(7);
    expect_of_both(&(struct orders){.value = value}, PAWL_OK, "7");
    pawl_value_unref(value);
}

CLAIM(fails_with_its_error) {
    (void)state;
    expect_of_both(&(struct orders){.status = PAWL_E_DENIED, .error = "no key"}, PAWL_E_DENIED, "leaf: no key");
}

CLAIM(a_failure_without_an_error_is_described) {
    (void)state;
    expect_of_both(&(struct orders){.status = PAWL_E_NOT_FOUND}, PAWL_E_NOT_FOUND, "'leaf': failed without saying why");
}

CLAIM(a_value_beside_a_failure_is_released) {
    (void)state;
    pawl_value *value = pawl_value_number(7);
    expect_of_both(&(struct orders){.status = PAWL_E_FAILED, .value = value}, PAWL_E_FAILED, NULL);
    pawl_value_unref(value); /* the leak checkers tell if not */
}

CLAIM(an_error_beside_a_success_is_released) {
    (void)state;
    expect_of_both(&(struct orders){.status = PAWL_OK, .error = "never mind"}, PAWL_OK, "{\"in\":1}");
}

CLAIM(a_status_that_is_none_is_a_failure) {
    (void)state;
    expect_of_both(&(struct orders){.status = (pawl_status)99}, PAWL_E_INTERNAL, "with the status 99");
    expect_of_both(&(struct orders){.status = (pawl_status)-1}, PAWL_E_INTERNAL, "with the status -1");
}

/* ---- what a leaf may do ---- */

static pawl_status try_to_wait(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    (void)user, (void)in, (void)ret_out;
    return pawl_context_sleep(ctx, 1, err);
}

static pawl_status run_another(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    return pawl_run(user, ctx, in, ret_out, err);
}

CLAIM(only_a_blocking_leaf_may_wait) {
    (void)state;
    struct bed bed;
    make_bed(&bed);
    expect_output_of(pawl_function("wait", try_to_wait, NULL), bed.ctx, "1", "1");
    expect_failure_of(pawl_inline("wait", try_to_wait, NULL), bed.ctx, "1", PAWL_E_INVALID, "wait: ");
    clear_bed(&bed);
}

CLAIM(only_a_blocking_leaf_may_run_another_pipeline) {
    (void)state;
    struct bed bed;
    make_bed(&bed);
    pawl_primitive *inner = pawl_sequential("inner", pausing("a", PAWL_S(1)), constant("b", "[1]"));
    expect_output_of(pawl_function("outer", run_another, inner), bed.ctx, NULL, "[1]");
    expect_failure_of(pawl_inline("outer", run_another, inner), bed.ctx, NULL, PAWL_E_INVALID,
                      "called inside an inline leaf");
    pawl_primitive_unref(inner);
    clear_bed(&bed);
}

CLAIM(a_run_inside_a_leaf_ends_with_its_deadline) {
    (void)state;
    struct bed bed;
    make_bed(&bed);
    pawl_primitive *inner = pausing("a", PAWL_S(9));
    expect_failure_of(pawl_timeout("limit", pawl_function("outer", run_another, inner), .after_ns = PAWL_S(2)), bed.ctx,
                      NULL, PAWL_E_TIMEOUT, NULL);
    assert_int_equal(bed.time.now_ns, PAWL_S(2));
    pawl_primitive_unref(inner);
    clear_bed(&bed);
}

/* ---- over ---- */

CLAIM(a_success_after_the_deadline_does_not_count) {
    (void)state;
    struct bed bed;
    make_bed(&bed);
    pawl_context_set_timeout(bed.ctx, PAWL_S(1), NULL);
    expect_output_of(sleeper("a", PAWL_S(1) - 1), bed.ctx, "1", "1");
    expect_failure_of(sleeper("a", 2), bed.ctx, "1", PAWL_E_DEADLINE, "a: ");
    clear_bed(&bed);
}

static pawl_status cancel_and_go_on(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out,
                                    pawl_error **err) {
    (void)ctx, (void)in, (void)ret_out;
    pawl_context_cancel(user, PAWL_CANCEL_USER, "stop");
    return pawl_error_set(err, PAWL_E_PROTOCOL, "half an answer");
}

CLAIM(what_it_says_after_its_end_is_the_cause) {
    (void)state;
    struct bed bed;
    make_bed(&bed);
    expect_failure_of(pawl_function("a", cancel_and_go_on, bed.ctx), bed.ctx, NULL, PAWL_E_CANCELLED,
                      "cancelled (user): stop; caused by: half an answer");
    clear_bed(&bed);
}

CLAIM(is_not_called_once_its_scope_is_over) {
    (void)state;
    struct bed bed;
    struct orders orders = {0};
    struct manual_op op = {0};
    make_bed(&bed);
    pawl_context_cancel(bed.ctx, PAWL_CANCEL_USER, NULL);
    expect_failure_of(pawl_function("a", obey, &orders), bed.ctx, NULL, PAWL_E_CANCELLED, "a: ");
    expect_failure_of(pawl_inline("a", obey, &orders), bed.ctx, NULL, PAWL_E_CANCELLED, NULL);
    expect_failure_of(manual_primitive("a", &op), bed.ctx, NULL, PAWL_E_CANCELLED, NULL);
    assert_int_equal(orders.calls, 0);
    assert_int_equal(op.starts, 0);
    clear_bed(&bed);
}

#ifdef __SANITIZE_ADDRESS__
CLAIM(B17_a_context_kept_past_its_frame_is_poisoned) {
    (void)state;
    struct bed bed;
    struct orders orders = {0};
    make_observed_bed(&bed);
    expect_output_of(pawl_sequential("s", pawl_function("a", obey, &orders), passing("b")), bed.ctx, "1", "1");
    assert_true(orders.calls == 1 && orders.ctx != bed.ctx);
    assert_true(__asan_address_is_poisoned(orders.ctx));
    clear_bed(&bed);
}
#endif

/* ---- async ---- */

CLAIM(an_op_may_complete_before_its_start_returns) {
    (void)state;
    struct bed bed;
    struct manual_op op = {.completes = COMPLETES_AT_ONCE};
    make_bed(&bed);
    expect_output_of(manual_primitive("op", &op), bed.ctx, "[1]", "[1]");
    assert_int_equal(op.destroys, 1);
    assert_int_equal(op.cancels, 0);
    clear_bed(&bed);
}

struct late {
    struct manual_op op;
    pawl_value *value;
    bool twice;
};

static bool complete_late(void *user) {
    struct late *late = user;
    assert_true(complete(&late->op, PAWL_OK, pawl_value_ref(late->value)));
    if (late->twice)
        assert_false(complete(&late->op, PAWL_E_FAILED, pawl_value_ref(late->value)));
    return true;
}

CLAIM(an_op_gives_the_value_it_is_completed_with) {
    (void)state;
    struct bed bed;
    struct late late = {.value = pawl_value_number(7)};
    make_bed(&bed);
    bed.time.when_idle = complete_late;
    bed.time.idle_user = &late;
    expect_output_of(manual_primitive("op", &late.op), bed.ctx, "[1]", "7");
    pawl_value_unref(late.value);
    clear_bed(&bed);
}

CLAIM(second_and_late_completions_are_refused_and_counted) {
    (void)state;
    struct bed bed;
    struct late late = {.value = pawl_value_number(7), .twice = true};
    pawl_runtime_stats stats = {.size = sizeof stats};
    make_bed(&bed);
    bed.time.when_idle = complete_late;
    bed.time.idle_user = &late;
    expect_output_of(manual_primitive("op", &late.op), bed.ctx, "[1]", "7");
    assert_false(complete(&late.op, PAWL_OK, pawl_value_ref(late.value)));
    assert_false(pawl_op_complete((pawl_op){.generation = 1}, PAWL_OK, pawl_value_ref(late.value), NULL));
    pawl_runtime_get_stats(bed.runtime, &stats);
    assert_int_equal(stats.refused_completions, 2); /* the forged one belongs to no runtime */
    pawl_value_unref(late.value);
    clear_bed(&bed);
}

static bool fail_op(void *user) {
    struct manual_op *op = user;
    pawl_error *error = NULL;
    pawl_error_set(&error, PAWL_E_PROTOCOL, "nonsense");
    op->pending = false;
    return pawl_op_complete(op->op, PAWL_E_PROTOCOL, NULL, error);
}

CLAIM(an_op_fails_with_the_error_it_is_completed_with) {
    (void)state;
    struct bed bed;
    struct manual_op op = {0};
    make_bed(&bed);
    bed.time.when_idle = fail_op;
    bed.time.idle_user = &op;
    expect_failure_of(manual_primitive("op", &op), bed.ctx, NULL, PAWL_E_PROTOCOL, "op: nonsense");
    clear_bed(&bed);
}

CLAIM(an_op_is_cancelled_once_and_waited_for) {
    (void)state;
    struct bed bed;
    struct manual_op op = {0};
    make_bed(&bed);
    bed.time.when_idle = complete_when_idle;
    bed.time.idle_user = &op;
    pawl_context_set_timeout(bed.ctx, PAWL_S(1), NULL);
    expect_failure_of(manual_primitive("op", &op), bed.ctx, NULL, PAWL_E_DEADLINE, NULL);
    assert_int_equal(op.cancels, 1);
    assert_int_equal(op.destroys, 1);
    clear_bed(&bed);
}

CLAIM(ops_are_told_apart_when_their_slot_is_used_again) {
    (void)state;
    struct bed bed;
    struct manual_op op = {.completes = COMPLETES_AT_ONCE};
    make_bed(&bed);
    pawl_primitive *node = manual_primitive("op", &op);
    expect_output(node, bed.ctx, "1", "1");
    pawl_op first = op.op;
    expect_output(node, bed.ctx, "1", "1");
    assert_ptr_equal(first.slot, op.op.slot);
    assert_true(first.generation != op.op.generation);
    pawl_primitive_unref(node);
    clear_bed(&bed);
}

/* ---- trace, boundaries, memory ---- */

CLAIM(each_leaf_is_a_span) {
    (void)state;
    struct bed bed;
    struct manual_op op = {.completes = COMPLETES_AT_ONCE};
    make_observed_bed(&bed);
    expect_failure_of(
        pawl_sequential("s", sleeper("a", 5), passing("b"), manual_primitive("c", &op), failing("d", PAWL_E_DENIED)),
        bed.ctx, NULL, PAWL_E_DENIED, NULL);
    assert_string_equal(span_named(bed.recorder, "a")->type, "function");
    assert_int_equal(span_named(bed.recorder, "a")->end_ns - span_named(bed.recorder, "a")->start_ns, 5);
    assert_string_equal(span_named(bed.recorder, "b")->type, "inline");
    assert_string_equal(span_named(bed.recorder, "c")->type, "async");
    assert_string_equal(span_named(bed.recorder, "d")->error, "failed on purpose");
    clear_bed(&bed);
}

CLAIM(takes_no_memory) {
    (void)state;
    struct manual_op op = {.completes = COMPLETES_AT_ONCE};
    give_back_after(passing("a"), expect_no_allocation(made_, NULL));
    give_back_after(sleeper("a", 1), expect_no_allocation(made_, NULL));
    give_back_after(manual_primitive("a", &op), expect_no_allocation(made_, NULL));
}

static pawl_primitive *make_swept(void *user, struct fake_clock *time) {
    (void)time;
    struct manual_op *op = user;
    for (int i = 0; i < 3; i++)
        op[i] = (struct manual_op){.completes = (enum completes)i};
    return pawl_sequential("s", sleeper("a", PAWL_S(1)), manual_primitive("told", &op[0]),
                           manual_primitive("at once", &op[1]), manual_primitive("on cancel", &op[2]));
}

static bool complete_any(void *user) {
    struct manual_op *op = user;
    return complete_when_idle(&op[0]) || complete_when_idle(&op[2]);
}

static void expect_all_destroyed(void *user, pawl_status status, const struct fake_clock *time) {
    (void)status, (void)time;
    struct manual_op *op = user;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(op[i].destroys, op[i].starts);
        assert_true(op[i].cancels <= 1);
    }
}

CLAIM(B1_a_cancel_or_a_deadline_at_any_boundary_ends_it_and_leaves_nothing) {
    (void)state;
    struct manual_op op[3];
    struct sweep sweep = {.make = make_swept, .user = op, .when_idle = complete_any, .check = expect_all_destroyed};
    sweep_cancel_and_deadline(&sweep);
}

static pawl_primitive *make_without_memory(void *user) {
    struct orders *orders = user;
    *orders = (struct orders){.status = PAWL_E_DENIED, .error = "no key"};
    return pawl_function_owning("leaf", obey, orders, count_destroy);
}

static pawl_primitive *make_op_without_memory(void *user) {
    struct manual_op *op = user;
    *op = (struct manual_op){.completes = COMPLETES_AT_ONCE};
    return manual_primitive("op", op);
}

CLAIM(survives_every_allocation_that_fails) {
    (void)state;
    struct orders orders;
    struct manual_op op;
    survive_without_memory(make_without_memory, &orders, "1");
    assert_int_equal(orders.destroyed, 1);
    survive_without_memory(make_op_without_memory, &op, "1");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(needs_a_function),
        cmocka_unit_test(needs_a_name),
        cmocka_unit_test(gives_its_user_data_up_once_also_when_it_cannot_be_made),
        cmocka_unit_test(left_alone_the_input_passes_on),
        cmocka_unit_test(gives_its_value),
        cmocka_unit_test(fails_with_its_error),
        cmocka_unit_test(a_failure_without_an_error_is_described),
        cmocka_unit_test(a_value_beside_a_failure_is_released),
        cmocka_unit_test(an_error_beside_a_success_is_released),
        cmocka_unit_test(a_status_that_is_none_is_a_failure),
        cmocka_unit_test(only_a_blocking_leaf_may_wait),
        cmocka_unit_test(only_a_blocking_leaf_may_run_another_pipeline),
        cmocka_unit_test(a_run_inside_a_leaf_ends_with_its_deadline),
        cmocka_unit_test(a_success_after_the_deadline_does_not_count),
        cmocka_unit_test(what_it_says_after_its_end_is_the_cause),
        cmocka_unit_test(is_not_called_once_its_scope_is_over),
#ifdef __SANITIZE_ADDRESS__
        cmocka_unit_test(B17_a_context_kept_past_its_frame_is_poisoned),
#endif
        cmocka_unit_test(an_op_may_complete_before_its_start_returns),
        cmocka_unit_test(an_op_gives_the_value_it_is_completed_with),
        cmocka_unit_test(second_and_late_completions_are_refused_and_counted),
        cmocka_unit_test(an_op_fails_with_the_error_it_is_completed_with),
        cmocka_unit_test(an_op_is_cancelled_once_and_waited_for),
        cmocka_unit_test(ops_are_told_apart_when_their_slot_is_used_again),
        cmocka_unit_test(each_leaf_is_a_span),
        cmocka_unit_test(takes_no_memory),
        cmocka_unit_test(B1_a_cancel_or_a_deadline_at_any_boundary_ends_it_and_leaves_nothing),
        cmocka_unit_test(survives_every_allocation_that_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
