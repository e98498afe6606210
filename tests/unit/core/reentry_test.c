/* B26: every function of the interface called from every callback. */
#include "leaves.h"
#include "virtual_runtime.h"

#include <pawl/observer.h>
#include <pawl/primitives/function.h>
#include <setjmp.h>
#include <stdlib.h>

#include <cmocka.h>

static void note(void *user, pawl_cancel_reason reason) {
    *(pawl_cancel_reason *)user = reason;
}

struct busybody {
    pawl_runtime *runtime;
    pawl_context *root;
    struct manual_op *op;
    pawl_primitive *node;
    atomic_int calls;
    pawl_cancel_registration registration, other;
};

static pawl_value *keep_state(void *user, pawl_value *current) {
    pawl_context *ctx = user;
    pawl_context_checkpoint(ctx, "inside update");
    pawl_context_cancel(ctx, PAWL_CANCEL_USER, "inside update");
    assert_non_null(pawl_context_id(ctx, PAWL_ID_CORRELATION));
    return pawl_value_ref(current);
}

static void count_done(void *user, pawl_status status, pawl_value *value, pawl_error *error) {
    struct busybody *b = user;
    atomic_fetch_add(&b->calls, 1);
    assert_int_equal(status, PAWL_E_CANCELLED);
    pawl_value_unref(value);
    pawl_error_unref(error);
}

static void ask_for_ids(pawl_context *ctx) {
    uint8_t id[16];
    char text[PAWL_TRACEPARENT_BYTES];
    pawl_context_trace_id(ctx, id);
    pawl_context_span_id(ctx, id);
    pawl_context_parent_span_id(ctx, id);
    pawl_context_traceparent(ctx, text);
    assert_non_null(pawl_context_id(ctx, PAWL_ID_CORRELATION));
    free(pawl_context_baggage_header(ctx));
    assert_null(pawl_context_tag(ctx, "none"));
    (void)pawl_context_random(ctx);
    (void)pawl_context_remaining(ctx);
}

static void call_everything(struct busybody *b, pawl_context *ctx) {
    atomic_fetch_add(&b->calls, 1);
    ask_for_ids(ctx);
    pawl_context_cancel(ctx, PAWL_CANCEL_QUOTA, "again");
    pawl_error *err = NULL;
    pawl_context_check(ctx, &err);
    pawl_error_unref(err);
    err = NULL;
    pawl_context_set_state(ctx, "key", pawl_value_null(), NULL);
    pawl_value_unref(pawl_context_state(ctx, "key"));
    pawl_context_state_update(ctx, "key", keep_state, ctx, NULL);
    pawl_context_checkpoint(ctx, "here");
    pawl_context *child = pawl_context_child(ctx), *copy = pawl_context_detach(ctx);
    pawl_cancel_registration registration;
    pawl_cancel_reason called = PAWL_CANCEL_NONE;
    pawl_context_on_cancel(child, &registration, note, &called, NULL);
    pawl_context_off_cancel(&registration);
    pawl_context_unref(child);
    pawl_context_unref(copy);
    pawl_context_unref(pawl_context_ref(ctx));
    assert_int_equal(pawl_runtime_shutdown(b->runtime, &err), PAWL_E_INVALID);
    pawl_error_unref(err);
    pawl_runtime_stats stats = {.size = sizeof stats};
    pawl_runtime_get_stats(b->runtime, &stats);
    pawl_runtime_log(b->runtime, PAWL_LOG_ERROR, "nobody listens");
    pawl_runtime_unref(pawl_runtime_ref(b->runtime));
}

static void everything_on_cancel(void *user, pawl_cancel_reason reason) {
    struct busybody *b = user;
    (void)reason;
    if (b->op && b->op->pending)
        complete(b->op, PAWL_E_CANCELLED, NULL);
    pawl_context_off_cancel(&b->other);
    call_everything(b, b->root);
    pawl_context_off_cancel(&b->registration);
}

static void other_callback(void *user, pawl_cancel_reason reason) {
    (void)user, (void)reason;
    fail_msg("it was taken back before it could run");
}

static void a_cancel_callback_may_call_everything(void **state) {
    (void)state;
    struct fake_clock time = {0};
    struct manual_op op = {0};
    struct busybody b = {.runtime = virtual_runtime(&time), .op = &op};
    b.root = pawl_context_new(b.runtime);
    b.node = manual_primitive("op", &op);
    pawl_context_on_cancel(b.root, &b.other, other_callback, &b, NULL);
    pawl_context_on_cancel(b.root, &b.registration, everything_on_cancel, &b, NULL);
    pawl_context_set_timeout(b.root, PAWL_S(1), NULL);
    assert_int_equal(pawl_start(b.node, b.root, NULL, count_done, &b, NULL), PAWL_OK);
    assert_int_equal(pawl_runtime_pump(b.runtime, NULL), PAWL_OK);
    assert_true(op.pending);
    pawl_context_cancel(b.root, PAWL_CANCEL_USER, "go");
    assert_int_equal(pawl_runtime_pump(b.runtime, NULL), PAWL_OK);
    assert_int_equal(b.calls, 2);
    pawl_primitive_unref(b.node);
    pawl_context_unref(b.root);
    pawl_runtime_unref(b.runtime);
}

static pawl_status everything_in_leaf(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out,
                                      pawl_error **err) {
    struct busybody *b = user;
    (void)in, (void)ret_out, (void)err;
    call_everything(b, ctx);
    return PAWL_OK;
}

static bool everything_in_predicate_span(void *self) {
    call_everything(self, ((struct busybody *)self)->root);
    return true;
}

static void everything_at_span(void *self, const pawl_span *span) {
    (void)span;
    everything_in_predicate_span(self);
}

static void leaves_and_observers_may_call_everything(void **state) {
    (void)state;
    static const pawl_observer_vtable observer = {
        .size = sizeof observer, .span_start = everything_at_span, .span_end = everything_at_span};
    for (int observed = 0; observed < 2; observed++) {
        struct fake_clock time = {0};
        struct busybody b = {.runtime = virtual_runtime(&time)};
        if (observed)
            assert_int_equal(pawl_runtime_add_observer(b.runtime, &observer, &b, NULL), PAWL_OK);
        pawl_primitive *nodes[] = {pawl_function("leaf", everything_in_leaf, &b),
                                   pawl_inline("leaf", everything_in_leaf, &b)};
        for (size_t i = 0; i < 2; i++) {
            b.root = pawl_context_new(b.runtime);
            b.calls = 0;
            pawl_run(nodes[i], b.root, NULL, NULL, NULL);
            assert_int_equal(b.calls, observed ? 2 : 1);
            pawl_primitive_unref(nodes[i]);
            pawl_context_unref(b.root);
        }
        pawl_runtime_unref(b.runtime);
    }
}

static void everything_when_done(void *user, pawl_status status, pawl_value *value, pawl_error *error) {
    struct busybody *b = user;
    pawl_value_unref(value);
    pawl_error_unref(error);
    call_everything(b, b->root);
    pawl_error *err = NULL;
    assert_int_equal(pawl_run(b->node, b->root, NULL, NULL, &err), PAWL_E_INVALID);
    pawl_error_unref(err);
    err = NULL;
    assert_int_equal(pawl_runtime_pump(b->runtime, &err), PAWL_E_INVALID);
    pawl_error_unref(err);
    if (status == PAWL_OK) /* the context is free again, and cancelled by now */
        assert_int_equal(pawl_start(b->node, b->root, NULL, everything_when_done, b, NULL), PAWL_OK);
}

static void a_done_callback_may_call_everything_and_start_anew(void **state) {
    (void)state;
    struct fake_clock time = {0};
    struct busybody b = {.runtime = virtual_runtime(&time), .node = passing("p")};
    b.root = pawl_context_new(b.runtime);
    assert_int_equal(pawl_start(b.node, b.root, NULL, everything_when_done, &b, NULL), PAWL_OK);
    pawl_runtime_pump(b.runtime, NULL);
    pawl_runtime_pump(b.runtime, NULL);
    assert_int_equal(b.calls, 2);
    pawl_primitive_unref(b.node);
    pawl_context_unref(b.root);
    pawl_runtime_unref(b.runtime);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cancel_callback_may_call_everything),
        cmocka_unit_test(leaves_and_observers_may_call_everything),
        cmocka_unit_test(a_done_callback_may_call_everything_and_start_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
