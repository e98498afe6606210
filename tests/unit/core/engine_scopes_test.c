/* Scopes: who is told of a cancel, who is shielded from it. */
#include "recorder.h"
#include "world.h"

#include <pawl/primitives/function.h>
#include <pawl/primitives/retry.h>
#include <pawl/primitives/sequential.h>
#include <pawl/unstable/step.h>
#include <setjmp.h>
#include <stdlib.h>

#include <cmocka.h>

static void cancel_ctx(void *ctx) {
    pawl_context_cancel(ctx, PAWL_CANCEL_USER, "enough");
}

/* ---- who is told of a cancel ---- */

struct told {
    size_t cancels;
    bool ends;
};

static pawl_step count_cancels(const void *state, pawl_frame *frame, pawl_event *event) {
    struct told *told = (struct told *)state;
    const pawl_primitive *node = pawl_frame_node(frame);
    switch (pawl_event_kind_of(event)) {
    case PAWL_EVENT_START:
        if (pawl_primitive_child_count(node) == 0)
            return pawl_step_park(frame, PAWL_NEVER);
        pawl_frame_start(frame, 0, pawl_primitive_child(node, 0), pawl_frame_input(frame), NULL);
        return pawl_step_wait_children(frame);
    case PAWL_EVENT_CANCEL:
        told->cancels++;
        if (pawl_frame_live_children(frame))
            return pawl_step_wait_children(frame);
        return pawl_step_fail_over(frame, event, NULL);
    default:
        return pawl_step_finish(frame, event);
    }
}

static const pawl_primitive_vtable never_told = {
    .size = sizeof never_told, .type_name = "told", .step = count_cancels, .wants_cancel = PAWL_WANTS_CANCEL_NEVER};
static const pawl_primitive_vtable told_in_waits = {.size = sizeof told_in_waits,
                                                    .type_name = "told",
                                                    .step = count_cancels,
                                                    .wants_cancel = PAWL_WANTS_CANCEL_IN_WAITS};
static const pawl_primitive_vtable told_always = {
    .size = sizeof told_always, .type_name = "told", .step = count_cancels, .wants_cancel = PAWL_WANTS_CANCEL_ALWAYS};

static size_t cancels_told(struct world *w, const pawl_primitive_vtable *vtable, bool with_child) {
    struct told told = {0};
    pawl_primitive *const none[] = {PAWL_END};
    pawl_primitive *node = node_of(vtable, &told, with_child ? PAWL_CHILDREN(pausing("child", PAWL_S(1))) : none, 0);
    pawl_context *ctx = pawl_context_child(w->ctx);
    pawl_context_set_timeout(ctx, PAWL_MS(10), NULL);
    expect_failure(node, ctx, NULL, PAWL_E_DEADLINE, "told");
    pawl_context_unref(ctx);
    pawl_primitive_unref(node);
    return told.cancels;
}

static void a_step_is_told_of_the_end_as_it_asked(void **state) {
    struct world *w = *state;
    assert_int_equal(cancels_told(w, &never_told, false), 0);
    assert_int_equal(cancels_told(w, &never_told, true), 0);
    assert_int_equal(cancels_told(w, &told_in_waits, false), 1);
    assert_int_equal(cancels_told(w, &told_in_waits, true), 0);
    assert_int_equal(cancels_told(w, &told_always, false), 1);
    assert_int_equal(cancels_told(w, &told_always, true), 1);
}

/* ---- scopes ---- */

static pawl_step run_shielded(const void *state, pawl_frame *frame, pawl_event *event) {
    if (pawl_event_kind_of(event) == PAWL_EVENT_CHILD_DONE)
        return pawl_step_finish(frame, event);
    pawl_scope scope = {.size = sizeof scope, .shielded = 1, .deadline_ns = *(const uint64_t *)state};
    return pawl_step_run(frame, pawl_primitive_child(pawl_frame_node(frame), 0), pawl_frame_input(frame), &scope);
}

static const pawl_primitive_vtable shield_vtable = {
    .size = sizeof shield_vtable, .type_name = "shield", .step = run_shielded};

static void a_shielded_child_sees_neither_cancel_nor_deadline_from_outside(void **state) {
    struct world *w = *state;
    uint64_t none = 0;
    pawl_primitive *node = node_of(&shield_vtable, &none, PAWL_CHILDREN(pausing("cleanup", PAWL_S(5))), 0);
    pawl_context_set_timeout(w->ctx, PAWL_S(1), NULL);
    at_boundary(&w->time, 2, cancel_ctx, w->ctx);
    expect_output(node, w->ctx, "7", "7");
    assert_int_equal(w->time.now_ns, PAWL_S(5));
    pawl_primitive_unref(node);
}

static void a_shielded_child_has_a_deadline_of_its_own(void **state) {
    struct world *w = *state;
    uint64_t own = PAWL_S(2);
    pawl_primitive *node = node_of(&shield_vtable, &own, PAWL_CHILDREN(pausing("cleanup", PAWL_S(5))), 0);
    pawl_context_set_timeout(w->ctx, PAWL_S(1), NULL);
    expect_failure(node, w->ctx, NULL, PAWL_E_DEADLINE, "shield/cleanup");
    assert_int_equal(w->time.now_ns, PAWL_S(2));
    pawl_primitive_unref(node);
}

static pawl_status cancel_own_scope(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out,
                                    pawl_error **err) {
    (void)user, (void)in, (void)ret_out, (void)err;
    pawl_context_cancel(ctx, PAWL_CANCEL_QUOTA, "budget");
    return PAWL_OK;
}

static void a_leaf_that_cancels_its_scope_gets_the_same_whether_observed_or_not(void **state) {
    (void)state;
    struct recorder *recorder = calloc(1, sizeof *recorder);
    for (int observed = 0; observed < 2; observed++) {
        struct fake_clock time = {0};
        pawl_runtime *runtime = virtual_runtime(&time);
        if (observed)
            record(runtime, recorder);
        pawl_context *ctx = pawl_context_new(runtime);
        atomic_size_t calls = 0;
        pawl_primitive *node = pawl_sequential("top", pawl_retry("again", pawl_inline("stop", cancel_own_scope, NULL)),
                                               counting("next", &calls));
        expect_failure(node, ctx, NULL, PAWL_E_CANCELLED, "budget");
        assert_int_equal(calls, 0);
        assert_int_equal(pawl_context_cancelled(ctx), PAWL_CANCEL_QUOTA);
        pawl_primitive_unref(node);
        pawl_context_unref(ctx);
        pawl_runtime_unref(runtime);
    }
    free(recorder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        in_world(a_step_is_told_of_the_end_as_it_asked),
        in_world(a_shielded_child_sees_neither_cancel_nor_deadline_from_outside),
        in_world(a_shielded_child_has_a_deadline_of_its_own),
        cmocka_unit_test(a_leaf_that_cancels_its_scope_gets_the_same_whether_observed_or_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
