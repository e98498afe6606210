/* The three kinds of leaf: what they return, when they may complete, and what counts. */
#include "engine_internal.h"
#include "world.h"

#include <pawl/primitives/function.h>
#include <pawl/primitives/sequential.h>
#include <pawl/primitives/timeout.h>
#include <pawl/unstable/step.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint64_t refused(struct world *w) {
    pawl_runtime_stats stats = {.size = sizeof stats};
    pawl_runtime_get_stats(w->runtime, &stats);
    return stats.refused_completions;
}

/* ---- what a leaf says ---- */

struct says {
    pawl_status status;
    const char *value, *error;
    pawl_status error_status;
};

static pawl_status say(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    (void)ctx, (void)in;
    const struct says *says = user;
    if (says->value)
        *ret_out = pawl_value_string(says->value);
    if (says->error)
        pawl_error_set(err, says->error_status, "%s", says->error);
    return says->status;
}

static void of_both_kinds(struct world *w, struct says says, const char *out, pawl_status status, const char *part) {
    pawl_primitive *kinds[] = {pawl_inline("leaf", say, &says), pawl_function("leaf", say, &says)};
    for (size_t i = 0; i < 2; i++) {
        if (out)
            expect_output(kinds[i], w->ctx, "1", out);
        else
            expect_failure(kinds[i], w->ctx, "1", status, part);
        pawl_primitive_unref(kinds[i]);
    }
}

static void a_leaf_passes_its_input_on_or_gives_a_value(void **state) {
    of_both_kinds(*state, (struct says){0}, "1", PAWL_OK, NULL);
    of_both_kinds(*state, (struct says){.value = "x"}, "\"x\"", PAWL_OK, NULL);
}

static void a_leaf_fails_with_its_own_words(void **state) {
    struct says says = {.status = PAWL_E_DENIED, .error = "no key", .error_status = PAWL_E_DENIED};
    of_both_kinds(*state, says, NULL, PAWL_E_DENIED, "leaf: no key");
}

static void a_leaf_that_breaks_the_rules_is_understood_all_the_same(void **state) {
    of_both_kinds(*state, (struct says){.status = PAWL_E_LIMIT}, NULL, PAWL_E_LIMIT,
                  "'leaf': failed without saying why");
    of_both_kinds(*state, (struct says){.status = (pawl_status)77}, NULL, PAWL_E_INTERNAL,
                  "'leaf': failed with the status 77, which is none of pawl_status");
    of_both_kinds(*state, (struct says){.status = (pawl_status)-1}, NULL, PAWL_E_INTERNAL, "with the status -1");
    struct says value_too = {.status = PAWL_E_LIMIT, .value = "lost"};
    of_both_kinds(*state, value_too, NULL, PAWL_E_LIMIT, NULL);
    struct says error_too = {.error = "ignored", .error_status = PAWL_E_LIMIT};
    of_both_kinds(*state, error_too, "1", PAWL_OK, NULL);
    struct says other = {.status = PAWL_E_LIMIT, .error = "denied", .error_status = PAWL_E_DENIED};
    of_both_kinds(*state, other, NULL, PAWL_E_DENIED, "denied");
}

/* ---- ends that race ---- */

static pawl_status overrun(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    (void)in;
    struct world *w = user;
    w->time.now_ns = pawl_context_deadline(ctx);
    *ret_out = pawl_value_string("too late");
    (void)err;
    return PAWL_OK;
}

static void a_success_after_the_deadline_does_not_count(void **state) {
    struct world *w = *state;
    pawl_primitive *node = pawl_timeout("limit", pawl_function("leaf", overrun, w), .after_ns = PAWL_S(1));
    expect_failure(node, w->ctx, NULL, PAWL_E_TIMEOUT, "limit of 1 s");
    pawl_context_set_timeout(w->ctx, PAWL_MS(1), NULL);
    expect_failure(node, w->ctx, NULL, PAWL_E_DEADLINE, "leaf");
    pawl_primitive_unref(node);
}

static pawl_status fail_cancelled(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out,
                                  pawl_error **err) {
    (void)in, (void)ret_out;
    pawl_context_cancel(ctx, PAWL_CANCEL_USER, "stop");
    return pawl_error_set(err, *(pawl_status *)user, "own words");
}

static void what_a_leaf_says_after_its_scopes_end_is_the_cause(void **state) {
    struct world *w = *state;
    struct {
        pawl_status said;
        const char *part;
    } cases[] = {{PAWL_E_UNAVAILABLE, "stop; caused by: own words"},
                 {PAWL_E_DEADLINE, "stop; caused by: own words"}, /* it noticed a deadline, but the cancel counts */
                 {PAWL_E_CANCELLED, "leaf: own words"}};
    for (size_t i = 0; i < 3; i++) {
        pawl_context *ctx = pawl_context_new(w->runtime);
        expect_failure_of(pawl_function("leaf", fail_cancelled, &cases[i].said), ctx, NULL, PAWL_E_CANCELLED,
                          cases[i].part);
        pawl_context_unref(ctx);
    }
}

/* ---- async ---- */

static void an_op_may_complete_inside_its_start(void **state) {
    struct world *w = *state;
    w->op.completes = COMPLETES_AT_ONCE;
    pawl_primitive *node = manual_primitive("op", &w->op);
    expect_output(node, w->ctx, "[2]", "[2]");
    assert_true(w->op.starts == 1 && w->op.destroys == 1 && w->op.cancels == 0);
    pawl_primitive_unref(node);
}

static bool give_text_when_idle(void *user) {
    struct world *w = user;
    return w->op.pending && complete(&w->op, PAWL_OK, pawl_value_string("done"));
}

static void an_op_may_complete_later_with_a_value(void **state) {
    struct world *w = *state;
    w->time.when_idle = give_text_when_idle;
    w->time.idle_user = w;
    pawl_primitive *node = pawl_sequential("top", manual_primitive("op", &w->op), passing("p"));
    expect_output(node, w->ctx, "1", "\"done\"");
    pawl_primitive_unref(node);
}

static bool fail_when_idle(void *user) {
    struct world *w = user;
    pawl_error *error = NULL;
    pawl_error_set(&error, PAWL_E_RATE_LIMITED, "slow down");
    w->op.pending = false;
    return pawl_op_complete(w->op.op, PAWL_E_RATE_LIMITED, NULL, error);
}

static void an_op_may_fail_with_an_error_or_a_status_alone(void **state) {
    struct world *w = *state;
    w->time.when_idle = fail_when_idle;
    w->time.idle_user = w;
    pawl_primitive *node = manual_primitive("op", &w->op);
    expect_failure(node, w->ctx, NULL, PAWL_E_RATE_LIMITED, "op: slow down");
    w->op.completes = COMPLETES_ON_CANCEL;
    pawl_context_set_timeout(w->ctx, PAWL_S(1), NULL);
    w->time.when_idle = NULL;
    expect_failure(node, w->ctx, NULL, PAWL_E_DEADLINE, "op");
    assert_true(w->op.cancels == 1 && w->op.reason == PAWL_CANCEL_DEADLINE && w->op.destroys == 2);
    pawl_primitive_unref(node);
}

static void double_late_and_forged_completions_are_refused_and_counted(void **state) {
    struct world *w = *state;
    w->op.completes = COMPLETES_AT_ONCE;
    pawl_primitive *node = manual_primitive("op", &w->op);
    expect_output(node, w->ctx, "1", "1");
    assert_false(complete(&w->op, PAWL_OK, pawl_value_string("late")));
    pawl_op first = w->op.op;
    expect_output(node, w->ctx, "2", "2"); /* in the same slot */
    assert_ptr_equal(w->op.op.slot, first.slot);
    pawl_error *error = NULL;
    pawl_error_set(&error, PAWL_E_FAILED, "released when refused");
    assert_false(pawl_op_complete(first, PAWL_E_FAILED, NULL, error));
    pawl_op forged = {.slot = first.slot, .generation = w->op.op.generation + 1};
    assert_false(pawl_op_complete(forged, PAWL_OK, NULL, NULL));
    assert_int_equal(refused(w), 3);
    assert_false(pawl_op_complete((pawl_op){0}, PAWL_OK, pawl_value_string("no slot"), NULL));
    pawl_primitive_unref(node);
}

static void complete_twice(void *user, pawl_op op, pawl_context *ctx, pawl_value *in, void **ret_op_data) {
    (void)ctx, (void)in, (void)ret_op_data;
    size_t *accepted = user;
    for (int i = 0; i < 3; i++)
        *accepted += pawl_op_complete(op, PAWL_OK, pawl_value_number(i), NULL);
}

static void only_the_first_of_several_completions_counts(void **state) {
    struct world *w = *state;
    static const pawl_async_vtable vtable = {.size = sizeof vtable, .start = complete_twice};
    size_t accepted = 0;
    pawl_primitive *node = pawl_async("op", &vtable, &accepted);
    expect_output(node, w->ctx, NULL, "0");
    assert_int_equal(accepted, 1);
    assert_int_equal(refused(w), 2);
    pawl_primitive_unref(node);
}

static void cancel_the_world(void *user) {
    struct world *w = user;
    pawl_context_cancel(w->ctx, PAWL_CANCEL_USER, NULL);
}

static bool complete_then_cancel(void *user) {
    struct world *w = user;
    assert_true(complete(&w->op, PAWL_OK, pawl_value_string("just in time")));
    cancel_the_world(w);
    return true;
}

static bool cancel_then_complete(void *user) {
    struct world *w = user;
    cancel_the_world(w);
    assert_true(complete(&w->op, PAWL_OK, pawl_value_string("too late")));
    return true;
}

static void a_success_before_the_cancel_counts_one_after_it_does_not(void **state) {
    struct world *w = *state;
    pawl_primitive *node = manual_primitive("op", &w->op);
    w->time.idle_user = w;
    w->time.when_idle = complete_then_cancel;
    expect_output(node, w->ctx, NULL, "\"just in time\"");
    pawl_context_unref(w->ctx);
    w->ctx = pawl_context_new(w->runtime);
    w->time.when_idle = cancel_then_complete;
    expect_failure(node, w->ctx, NULL, PAWL_E_CANCELLED, "op");
    assert_true(w->op.cancels == 0 && w->op.destroys == 2);
    pawl_primitive_unref(node);
}

struct thread_op {
    pthread_t thread;
    pawl_op op;
    sem_t cancelled;
    bool wait_for_cancel;
    atomic_int destroyed;
};

static void *complete_there(void *user) {
    struct thread_op *t = user;
    if (t->wait_for_cancel)
        sem_wait(&t->cancelled);
    pawl_op_complete(t->op, PAWL_OK, pawl_value_string("from a thread"), NULL);
    return NULL;
}

static void start_in_thread(void *user, pawl_op op, pawl_context *ctx, pawl_value *in, void **ret_op_data) {
    (void)ctx, (void)in;
    struct thread_op *t = *ret_op_data = user;
    t->op = op;
    assert_int_equal(pthread_create(&t->thread, NULL, complete_there, t), 0);
}

static void tell_thread(void *user, pawl_op op, void *op_data, pawl_cancel_reason reason) {
    (void)user, (void)op, (void)reason;
    sem_post(&((struct thread_op *)op_data)->cancelled);
}

static void join_thread(void *user, void *op_data) {
    (void)user;
    struct thread_op *t = op_data;
    pthread_join(t->thread, NULL);
    atomic_fetch_add(&t->destroyed, 1);
}

static const pawl_async_vtable thread_vtable = {
    .size = sizeof thread_vtable, .start = start_in_thread, .cancel = tell_thread, .destroy = join_thread};

static void another_thread_completes_an_op_in_real_time(void **state) {
    (void)state;
    pawl_runtime *runtime = pawl_runtime_with(.seed = 1);
    struct thread_op t = {0};
    sem_init(&t.cancelled, 0, 0);
    pawl_context *ctx = pawl_context_new(runtime);
    pawl_primitive *node = pawl_async("op", &thread_vtable, &t);
    expect_output(node, ctx, NULL, "\"from a thread\"");
    t.wait_for_cancel = true;
    while (t.destroyed < 2) { /* a slow machine may reach the deadline before the start */
        pawl_context_unref(ctx);
        ctx = pawl_context_new(runtime);
        pawl_context_set_timeout(ctx, PAWL_MS(2), NULL);
        expect_failure(node, ctx, NULL, PAWL_E_DEADLINE, "op");
    }
    expect_nothing_alive(runtime);
    pawl_primitive_unref(node);
    pawl_context_unref(ctx);
    pawl_runtime_unref(runtime);
    sem_destroy(&t.cancelled);
}

static void completions_race_with_cancels(void **state) { /* for the thread sanitizer */
    (void)state;
    pawl_runtime *runtime = pawl_runtime_with(.seed = 1);
    struct thread_op t = {0};
    sem_init(&t.cancelled, 0, 0);
    pawl_primitive *node = pawl_async("op", &thread_vtable, &t);
    for (int i = 0; i < 200; i++) {
        pawl_context *ctx = pawl_context_new(runtime);
        pawl_context_set_timeout(ctx, PAWL_US(10) * (uint64_t)(i % 20), NULL);
        pawl_error *err = NULL;
        pawl_status status = pawl_run(node, ctx, NULL, NULL, &err);
        assert_true(status == PAWL_OK || status == PAWL_E_DEADLINE);
        pawl_error_unref(err);
        pawl_context_unref(ctx);
    }
    pawl_primitive_unref(node);
    pawl_runtime_unref(runtime);
    sem_destroy(&t.cancelled);
}

/* ---- where blocking leaves run ---- */

static pawl_status tell_thread_id(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out,
                                  pawl_error **err) {
    (void)ctx, (void)in, (void)ret_out, (void)err;
    *(pthread_t *)user = pthread_self();
    return PAWL_OK;
}

static void a_blocking_leaf_that_is_alone_runs_on_the_callers_thread(void **state) {
    (void)state;
    pawl_runtime *runtime = pawl_runtime_with(.seed = 1);
    pawl_context *ctx = pawl_context_new(runtime);
    pthread_t alone, beside;
    pawl_primitive *node =
        pawl_sequential("top", pawl_timeout("t", pawl_function("alone", tell_thread_id, &alone), .after_ns = PAWL_S(9)),
                        joined("both", pawl_function("beside", tell_thread_id, &beside), pausing("p", 1)));
    expect_output(node, ctx, "1", "[1,1]");
    assert_true(pthread_equal(alone, pthread_self()));
    assert_false(pthread_equal(beside, pthread_self()));
    pawl_primitive_unref(node);
    pawl_context_unref(ctx);
    pawl_runtime_unref(runtime);
}

static pawl_step listen_and_run(const void *state, pawl_frame *frame, pawl_event *event) {
    (void)state;
    if (pawl_event_kind_of(event) == PAWL_EVENT_CHILD_DONE)
        return pawl_step_finish(frame, event);
    return pawl_step_run(frame, pawl_primitive_child(pawl_frame_node(frame), 0), pawl_frame_input(frame), NULL);
}

static void a_blocking_leaf_leaves_the_loop_to_a_parent_that_wants_to_hear_of_a_cancel(void **state) {
    (void)state;
    static const pawl_primitive_vtable vtable = {.size = sizeof vtable,
                                                 .type_name = "listener",
                                                 .step = listen_and_run,
                                                 .wants_cancel = PAWL_WANTS_CANCEL_ALWAYS};
    pawl_runtime *runtime = pawl_runtime_with(.seed = 1);
    pawl_context *ctx = pawl_context_new(runtime);
    pthread_t thread;
    pawl_primitive_spec spec = {.size = sizeof spec,
                                .vtable = &vtable,
                                .name = "listener",
                                .children = PAWL_CHILDREN(pawl_function("leaf", tell_thread_id, &thread))};
    expect_output_of(pawl_primitive_new(&spec), ctx, "1", "1");
    assert_false(pthread_equal(thread, pthread_self()));
    pawl_context_unref(ctx);
    pawl_runtime_unref(runtime);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        in_world(a_leaf_passes_its_input_on_or_gives_a_value),
        in_world(a_leaf_fails_with_its_own_words),
        in_world(a_leaf_that_breaks_the_rules_is_understood_all_the_same),
        in_world(a_success_after_the_deadline_does_not_count),
        in_world(what_a_leaf_says_after_its_scopes_end_is_the_cause),
        in_world(an_op_may_complete_inside_its_start),
        in_world(an_op_may_complete_later_with_a_value),
        in_world(an_op_may_fail_with_an_error_or_a_status_alone),
        in_world(double_late_and_forged_completions_are_refused_and_counted),
        in_world(only_the_first_of_several_completions_counts),
        in_world(a_success_before_the_cancel_counts_one_after_it_does_not),
        cmocka_unit_test(another_thread_completes_an_op_in_real_time),
        cmocka_unit_test(completions_race_with_cancels),
        cmocka_unit_test(a_blocking_leaf_that_is_alone_runs_on_the_callers_thread),
        cmocka_unit_test(a_blocking_leaf_leaves_the_loop_to_a_parent_that_wants_to_hear_of_a_cancel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
