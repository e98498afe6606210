/* The trampoline, by what nodes see of it. */
#include "engine_internal.h"
#include "failing_malloc.h"
#include "recorder.h"
#include "world.h"

#include <pawl/primitives/function.h>
#include <pawl/primitives/retry.h>
#include <pawl/primitives/sequential.h>
#include <pawl/primitives/timeout.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- sweeps ---- */

struct everything {
    struct manual_op at_once, on_cancel;
};

static pawl_primitive *a_bit_of_everything(void *user, struct fake_clock *time) {
    (void)time;
    struct everything *all = user;
    *all = (struct everything){.at_once.completes = COMPLETES_AT_ONCE, .on_cancel.completes = COMPLETES_ON_CANCEL};
    return pawl_sequential(
        "top", passing("first"),
        joined("both", pausing("a", PAWL_MS(5)), sleeper("b", PAWL_MS(7)), constant("c", "[1]"),
               manual_primitive("op", &all->at_once)),
        pawl_retry("again", pawl_timeout("limit", manual_primitive("op", &all->on_cancel), .after_ns = PAWL_S(1)),
                   .jitter = PAWL_JITTER_NONE, .max_attempts = 2));
}

static void check_ops(void *user, pawl_status status, const struct fake_clock *time) {
    (void)status, (void)time;
    struct everything *all = user;
    assert_int_equal(all->at_once.starts, all->at_once.destroys);
    assert_int_equal(all->on_cancel.starts, all->on_cancel.destroys);
    assert_true(all->on_cancel.cancels <= all->on_cancel.starts);
}

static void a_cancel_or_a_deadline_at_any_boundary_ends_the_run_at_once(void **state) {
    (void)state;
    struct everything all;
    struct sweep sweep = {.make = a_bit_of_everything, .check = check_ops, .user = &all};
    assert_in_range(for_each_boundary(&sweep, &cancel_the_run), 12, 100);
    for_each_boundary(&sweep, &pass_the_deadline);
}

static void jump(pawl_context *ctx, struct fake_clock *time) {
    (void)ctx;
    time->now_ns += PAWL_S(2);
}

static void a_jump_of_the_clock_at_any_boundary_makes_only_timeouts(void **state) {
    (void)state;
    struct everything all;
    static const struct sweep_action skip = {.act = jump, .gives = PAWL_E_TIMEOUT};
    struct sweep sweep = {.make = a_bit_of_everything, .check = check_ops, .user = &all, .waits_after_action = true};
    for_each_boundary(&sweep, &skip);
}

/* ---- events of one wait do not reach the next ---- */

struct twice_frame {
    bool child_done;
};

/* Parks until the very time at which its child ends; then until 1 s, which nothing may cut short. */
static pawl_step park_twice(const void *state, pawl_frame *frame, pawl_event *event) {
    (void)state;
    struct twice_frame *f = pawl_frame_memory(frame);
    switch (pawl_event_kind_of(event)) {
    case PAWL_EVENT_START:
        pawl_frame_start(frame, 0, pawl_primitive_child(pawl_frame_node(frame), 0), NULL, NULL);
        return pawl_step_park(frame, PAWL_MS(10));
    case PAWL_EVENT_CHILD_DONE:
        f->child_done = true;
        return pawl_step_park(frame, PAWL_S(1));
    default:
        assert_int_equal(pawl_event_kind_of(event), PAWL_EVENT_TIMER);
        if (!f->child_done) /* its own came first */
            return pawl_step_park(frame, PAWL_S(1));
        assert_int_equal(pawl_frame_now(frame), PAWL_S(1));
        return pawl_step_succeed(frame, event, NULL);
    }
}

static void a_timer_of_a_wait_that_another_event_has_ended_does_not_end_the_next_wait(void **state) {
    struct world *w = *state;
    static const pawl_primitive_vtable vtable = {.size = sizeof vtable, .type_name = "twice", .step = park_twice};
    pawl_primitive *node =
        node_of(&vtable, NULL, PAWL_CHILDREN(pausing("child", PAWL_MS(10))), sizeof(struct twice_frame));
    for (uint64_t seed = 0; seed < 10; seed++) { /* in both orders */
        w->time.seed = seed;
        w->time.now_ns = 0;
        expect_output(node, w->ctx, "1", "1");
        assert_int_equal(w->time.now_ns, PAWL_S(1));
    }
    pawl_primitive_unref(node);
}

/* Parks while a child runs, then waits for an hour; does not ask for CANCEL. */
static pawl_step wait_after_child(const void *state, pawl_frame *frame, pawl_event *event) {
    (void)state;
    if (pawl_event_kind_of(event) == PAWL_EVENT_START) {
        pawl_frame_start(frame, 0, pawl_primitive_child(pawl_frame_node(frame), 0), NULL, NULL);
        return pawl_step_park(frame, PAWL_NEVER);
    }
    if (pawl_event_kind_of(event) == PAWL_EVENT_CHILD_DONE)
        return pawl_step_wait(frame, PAWL_MIN(60));
    return pawl_step_succeed(frame, event, NULL);
}

static const pawl_primitive_vtable wait_after_vtable = {
    .size = sizeof wait_after_vtable, .type_name = "wait after", .step = wait_after_child};

static pawl_primitive *waits_after_a_child(void *user, struct fake_clock *time) {
    (void)user, (void)time;
    return node_of(&wait_after_vtable, NULL, PAWL_CHILDREN(pausing("child", PAWL_MS(10))), 0);
}

static void a_cancel_while_children_run_is_not_lost_for_the_wait_that_follows(void **state) {
    (void)state;
    struct sweep sweep = {.make = waits_after_a_child};
    sweep_cancel_and_deadline(&sweep);
}

/* ---- structured concurrency ---- */

static void a_timeout_returns_only_when_its_child_has_ended(void **state) { /* B1 */
    struct world *w = *state;
    struct manual_op stubborn = {.completes = COMPLETES_WHEN_TOLD};
    w->time.when_idle = complete_when_idle;
    w->time.idle_user = &stubborn;
    pawl_primitive *node = pawl_timeout("limit", manual_primitive("op", &stubborn), .after_ns = PAWL_MS(1));
    expect_failure(node, w->ctx, NULL, PAWL_E_TIMEOUT, "limit of 1 ms");
    assert_int_equal(stubborn.cancels, 1);
    assert_int_equal(stubborn.reason, PAWL_CANCEL_DEADLINE);
    assert_int_equal(stubborn.destroys, 1);
    expect_nothing_alive(w->runtime);
    pawl_primitive_unref(node);
}

static void a_failed_branch_leaves_no_sibling_behind(void **state) { /* B2 */
    struct world *w = *state;
    struct manual_op op = {.completes = COMPLETES_ON_CANCEL};
    pawl_primitive *node = joined("all", pausing("slow", PAWL_S(9)), manual_primitive("op", &op),
                                  pawl_sequential("bad", pausing("a while", PAWL_MS(3)), failing("it", PAWL_E_DENIED)));
    expect_failure(node, w->ctx, NULL, PAWL_E_DENIED, "all/bad/it: failed on purpose");
    assert_int_equal(w->time.now_ns, PAWL_MS(3));
    assert_int_equal(op.reason, PAWL_CANCEL_SIBLING_FAILED);
    expect_nothing_alive(w->runtime);
    pawl_primitive_unref(node);
}

static pawl_step fan_out(const void *state, pawl_frame *frame, pawl_event *event) {
    (void)state;
    const pawl_primitive *child = pawl_primitive_child(pawl_frame_node(frame), 0);
    if (pawl_event_kind_of(event) == PAWL_EVENT_START)
        for (size_t lane = 0; lane < 9; lane++)
            if (pawl_frame_start_block(frame, lane, child, pawl_frame_input(frame), NULL) != PAWL_OK && lane == 0)
                return pawl_step_fail(
                    frame, event, &(pawl_failure){.size = sizeof(pawl_failure), .status = PAWL_E_NOMEM, .what = "no"});
    return pawl_frame_live_children(frame) ? pawl_step_wait_children(frame) : pawl_step_succeed(frame, event, NULL);
}

static const pawl_primitive_vtable fan_out_vtable = {
    .size = sizeof fan_out_vtable, .type_name = "fan out", .step = fan_out};

static void a_fan_out_known_only_at_run_time_has_op_slots_for_all(void **state) {
    struct world *w = *state;
    struct manual_op op = {.completes = COMPLETES_AT_ONCE};
    pawl_primitive *node = node_of(&fan_out_vtable, NULL, PAWL_CHILDREN(manual_primitive("op", &op)), 0);
    for (size_t i = 1; i <= 3; i++) {
        expect_output(node, w->ctx, "1", "1");
        assert_int_equal(op.starts, 9 * i);
        assert_int_equal(op.destroys, 9 * i);
    }
    pawl_primitive_unref(node);
}

/* ---- values, errors, memory ---- */

static void a_value_that_nobody_changes_is_the_same_value_at_the_end(void **state) {
    struct world *w = *state;
    pawl_value *in = pawl_value_string("x"), *out = NULL;
    pawl_primitive *node = pawl_sequential("top", passing("a"), pawl_retry("b", sleeper("c", 1)), pausing("d", 1));
    assert_int_equal(pawl_run(node, w->ctx, in, &out, NULL), PAWL_OK);
    assert_ptr_equal(out, in);
    pawl_value_unref(out);
    pawl_value_unref(in);
    pawl_primitive_unref(node);
}

static void every_attempt_sees_the_same_input(void **state) { /* B23 */
    struct world *w = *state;
    struct flaky flaky = {.failures_left = 4};
    pawl_primitive *node = pawl_sequential("top", constant("make", "{\"a\":[1]}"),
                                           pawl_retry("again", flaky_primitive(&flaky), .max_attempts = 5));
    expect_output(node, w->ctx, NULL, "{\"a\":[1]}");
    assert_int_equal(flaky.calls, 5);
    assert_false(flaky.saw_another);
    pawl_primitive_unref(node);
}

static void an_error_tells_the_path_from_the_root_however_deep(void **state) {
    struct world *w = *state;
    pawl_primitive *node = failing("leaf", PAWL_E_INVALID);
    static const char path[] = "t/s/r/q/p/o/n/m/l/k/j/i/h/g/f/e/d/c/b/a/leaf";
    for (char name[2] = "a"; name[0] <= 't'; name[0]++)
        node = pawl_sequential(name, node);
    pawl_error *err = NULL;
    pawl_run(node, w->ctx, NULL, NULL, &err);
    assert_string_equal(pawl_error_path(err), path);
    expect_error(err, PAWL_E_INVALID, "failed on purpose");
    pawl_primitive_unref(node);
}

static void a_failure_that_nobody_made_an_error_of_tells_the_path_too(void **state) {
    struct world *w = *state;
    pawl_primitive *node = pausing("wait", PAWL_MIN(2));
    for (int i = 0; i < 14; i++)
        node = pawl_sequential(i == 13 ? "root" : "n", node);
    pawl_context_set_timeout(w->ctx, PAWL_S(1), NULL);
    pawl_error *err = NULL;
    pawl_run(node, w->ctx, NULL, NULL, &err);
    assert_string_equal(pawl_error_path(err), "root/n/n/n/n/n/n/n/n/n/n/n/n/n/wait");
    expect_error(err, PAWL_E_DEADLINE, "pausing 'wait'");
    pawl_primitive_unref(node);
}

static void a_warm_run_allocates_nothing(void **state) {
    struct world *w = *state;
    struct manual_op op = {.completes = COMPLETES_AT_ONCE};
    pawl_primitive *node =
        pawl_sequential("top", passing("a"), pawl_retry("b", passing("c")),
                        pawl_timeout("d", sleeper("e", 1), .after_ns = 9), pausing("f", 5), manual_primitive("g", &op));
    assert_int_equal(pawl_run(node, w->ctx, NULL, NULL, NULL), PAWL_OK);
    size_t before = allocations_made();
    assert_int_equal(pawl_run(node, w->ctx, NULL, NULL, NULL), PAWL_OK);
#ifndef __SANITIZE_ADDRESS__ /* which keeps no blocks */
    assert_int_equal(allocations_made(), before);
#else
    assert_int_equal(allocations_made(), before + 1);
#endif
    pawl_primitive_unref(node);
}

static pawl_primitive *whole_pipeline(struct everything *all) {
    static atomic_size_t calls;
    pawl_primitive *fan = node_of(&fan_out_vtable, NULL, PAWL_CHILDREN(manual_primitive("x", &all->at_once)), 0);
    return pawl_sequential(
        "top", counting("count", &calls), joined("both", pausing("a", 5), sleeper("b", 7)), fan,
        pawl_timeout("limit", pawl_retry("again", failing("never", PAWL_E_UNAVAILABLE)), .after_ns = PAWL_S(1)));
}

static void run_whole_pipeline(void) {
    struct everything all = {.at_once.completes = COMPLETES_AT_ONCE};
    struct fake_clock time = {0};
    time.hooks = (pawl_runtime_hooks){.size = sizeof time.hooks};
    pawl_runtime *runtime = virtual_runtime_or_null(&time);
    pawl_context *ctx = pawl_context_new(runtime);
    pawl_primitive *node = whole_pipeline(&all);
    pawl_error *err = NULL;
    pawl_value *out = NULL;
    pawl_status status = ctx ? pawl_run(node, ctx, NULL, &out, &err) : PAWL_E_NOMEM;
    assert_true(status != PAWL_OK && out == NULL);
    if (ctx)
        assert_int_equal(pawl_error_status(err), status);
    if (allocations_failed() == 0)
        assert_int_equal(status, PAWL_E_EXHAUSTED);
    if (runtime)
        expect_nothing_alive(runtime);
    pawl_error_unref(err);
    pawl_primitive_unref(node);
    pawl_context_unref(ctx);
    pawl_runtime_unref(runtime);
}

static void a_failing_allocation_anywhere_is_an_error_and_no_leak(void **state) {
    (void)state;
    for_each_failing_allocation(n) run_whole_pipeline();
    for_each_run_without_memory(n) run_whole_pipeline();
}

/* ---- bounds ---- */

static void huge_durations_saturate(void **state) { /* B9 */
    struct world *w = *state;
    pawl_primitive *node = pausing("for ever", UINT64_MAX - 3);
    pawl_context_set_timeout(w->ctx, PAWL_S(1), NULL);
    w->time.now_ns = 77;
    expect_failure(node, w->ctx, NULL, PAWL_E_DEADLINE, NULL);
    assert_int_equal(w->time.now_ns, PAWL_S(1)); /* the timeout was counted from 0 */
    pawl_primitive_unref(node);
    pawl_context *ctx = pawl_context_new(w->runtime);
    assert_int_equal(pawl_context_set_timeout(ctx, UINT64_MAX, NULL), PAWL_OK);
    assert_int_equal(pawl_context_deadline(ctx), PAWL_NEVER);
    pawl_context_unref(ctx);
}

static void no_run_ends_after_its_deadline(void **state) { /* B10 */
    struct world *w = *state;
    pawl_context_set_timeout(w->ctx, PAWL_MS(1234), NULL);
    pawl_primitive *node =
        pawl_retry("again", pawl_sequential("s", pausing("p", PAWL_MS(50)), failing("f", PAWL_E_UNAVAILABLE)),
                   .max_attempts = 1000);
    expect_failure(node, w->ctx, NULL, PAWL_E_DEADLINE, NULL);
    assert_true(w->time.now_ns <= PAWL_MS(1234));
    pawl_primitive_unref(node);
}

static void a_hundred_thousand_runs_under_one_parent_leave_nothing_there(void **state) { /* B11 */
    struct world *w = *state;
    pawl_primitive *node = pawl_timeout("limit", passing("p"), .after_ns = PAWL_S(1));
    for (int i = 0; i < 100000; i++) {
        pawl_context *ctx = pawl_context_child(w->ctx);
        assert_int_equal(pawl_run(node, ctx, NULL, NULL, NULL), PAWL_OK);
        pawl_context_unref(ctx);
    }
    assert_null(w->ctx->root->children);
    assert_int_equal(w->ctx->root->refs, 1);
    pawl_primitive_unref(node);
}

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>

static pawl_context *kept;

static pawl_status keep_context(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    (void)user, (void)in, (void)ret_out, (void)err;
    if (kept)
        assert_true(__asan_address_is_poisoned(kept));
    kept = ctx;
    return PAWL_OK;
}

static void a_context_kept_after_its_leaf_is_poisoned(void **state) { /* B17 */
    (void)state;
    struct fake_clock time = {0};
    struct recorder *recorder = calloc(1, sizeof *recorder);
    pawl_runtime *runtime = virtual_runtime(&time);
    record(runtime, recorder);
    pawl_context *ctx = pawl_context_new(runtime);
    pawl_primitive *node = pawl_sequential("top", pawl_sequential("in", pawl_inline("a", keep_context, NULL)),
                                           pawl_inline("b", keep_context, NULL));
    expect_output(node, ctx, NULL, "null");
    assert_true(__asan_address_is_poisoned(kept));
    pawl_primitive_unref(node);
    pawl_context_unref(ctx);
    pawl_runtime_unref(runtime);
    free(recorder);
}
#endif

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cancel_or_a_deadline_at_any_boundary_ends_the_run_at_once),
        cmocka_unit_test(a_jump_of_the_clock_at_any_boundary_makes_only_timeouts),
        in_world(a_timer_of_a_wait_that_another_event_has_ended_does_not_end_the_next_wait),
        cmocka_unit_test(a_cancel_while_children_run_is_not_lost_for_the_wait_that_follows),
        in_world(a_timeout_returns_only_when_its_child_has_ended),
        in_world(a_failed_branch_leaves_no_sibling_behind),
        in_world(a_fan_out_known_only_at_run_time_has_op_slots_for_all),
        in_world(a_value_that_nobody_changes_is_the_same_value_at_the_end),
        in_world(every_attempt_sees_the_same_input),
        in_world(an_error_tells_the_path_from_the_root_however_deep),
        in_world(a_failure_that_nobody_made_an_error_of_tells_the_path_too),
        in_world(a_warm_run_allocates_nothing),
        cmocka_unit_test(a_failing_allocation_anywhere_is_an_error_and_no_leak),
        in_world(huge_durations_saturate),
        in_world(no_run_ends_after_its_deadline),
        in_world(a_hundred_thousand_runs_under_one_parent_leave_nothing_there),
#ifdef __SANITIZE_ADDRESS__
        cmocka_unit_test(a_context_kept_after_its_leaf_is_poisoned),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
