/* Cancellation: reasons, callbacks, and who may do what from where. */
#include "engine_internal.h"
#include "leaves.h"
#include "virtual_runtime.h"

#include <pawl/primitives/function.h>
#include <pawl/primitives/sequential.h>
#include <pawl/primitives/timeout.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- reasons ---- */

static void the_first_reason_and_its_text_win(void **state) {
    (void)state;
    struct fake_clock time = {0};
    pawl_runtime *runtime = virtual_runtime(&time);
    pawl_context *ctx = pawl_context_new(runtime);
    assert_int_equal(pawl_context_cancelled(ctx), PAWL_CANCEL_NONE);
    pawl_context_cancel(ctx, PAWL_CANCEL_QUOTA, "spent");
    pawl_context_cancel(ctx, PAWL_CANCEL_USER, "changed my mind");
    assert_int_equal(pawl_context_cancelled(ctx), PAWL_CANCEL_QUOTA);
    pawl_error *err = NULL;
    assert_int_equal(pawl_context_check(ctx, &err), PAWL_E_CANCELLED);
    assert_int_equal(pawl_error_cancel_reason(err), PAWL_CANCEL_QUOTA);
    expect_error(err, PAWL_E_CANCELLED, "quota): spent");
    pawl_context_unref(ctx);
    pawl_runtime_unref(runtime);
}

static void no_reason_counts_as_the_users(void **state) {
    (void)state;
    struct fake_clock time = {0};
    pawl_runtime *runtime = virtual_runtime(&time);
    pawl_context *ctx = pawl_context_new(runtime);
    pawl_context_cancel(NULL, PAWL_CANCEL_USER, NULL);
    pawl_context_cancel(ctx, PAWL_CANCEL_NONE, NULL);
    assert_int_equal(pawl_context_cancelled(ctx), PAWL_CANCEL_USER);
    pawl_context_unref(ctx);
    pawl_runtime_unref(runtime);
}

static void a_cancel_before_the_start_runs_nothing(void **state) {
    (void)state;
    struct fake_clock time = {0};
    pawl_runtime *runtime = virtual_runtime(&time);
    pawl_context *ctx = pawl_context_new(runtime);
    atomic_size_t calls = 0;
    pawl_primitive *node = pawl_sequential("top", counting("leaf", &calls));
    pawl_context_cancel(ctx, PAWL_CANCEL_USER, "too late");
    expect_failure(node, ctx, NULL, PAWL_E_CANCELLED, "too late");
    expect_failure(node, ctx, NULL, PAWL_E_CANCELLED, "top");
    assert_int_equal(calls, 0);
    pawl_primitive_unref(node);
    pawl_context_unref(ctx);
    pawl_runtime_unref(runtime);
}

static void a_deadline_that_has_passed_runs_nothing(void **state) {
    (void)state;
    struct fake_clock time = {.now_ns = PAWL_S(5)};
    pawl_runtime *runtime = virtual_runtime(&time);
    atomic_size_t calls = 0;
    pawl_primitive *nodes[] = {pawl_sequential("top", counting("leaf", &calls)), counting("leaf", &calls),
                               sleeper("leaf", 1)};
    for (size_t i = 0; i < 3; i++) {
        pawl_context *ctx = pawl_context_new(runtime);
        pawl_context_set_deadline(ctx, PAWL_S(5), NULL);
        assert_int_equal(pawl_context_cancelled(ctx), PAWL_CANCEL_DEADLINE);
        expect_failure(nodes[i], ctx, NULL, PAWL_E_DEADLINE, NULL);
        pawl_primitive_unref(nodes[i]);
        pawl_context_unref(ctx);
    }
    assert_int_equal(calls, 0);
    assert_int_equal(time.slept_ns, 0);
    pawl_runtime_unref(runtime);
}

static void cancelling_a_parent_cancels_what_is_made_of_it_before_and_after(void **state) {
    (void)state;
    struct fake_clock time = {0};
    pawl_runtime *runtime = virtual_runtime(&time);
    pawl_context *parent = pawl_context_new(runtime), *before = pawl_context_child(parent);
    pawl_context *below = pawl_context_child(before), *aside = pawl_context_detach(before);
    pawl_context_cancel(parent, PAWL_CANCEL_USER, "all");
    pawl_context *after = pawl_context_child(before);
    assert_int_equal(pawl_context_cancelled(before), PAWL_CANCEL_USER);
    assert_int_equal(pawl_context_cancelled(below), PAWL_CANCEL_USER);
    assert_int_equal(pawl_context_cancelled(after), PAWL_CANCEL_USER);
    assert_int_equal(pawl_context_cancelled(aside), PAWL_CANCEL_NONE);
    pawl_error *err = NULL;
    pawl_context_check(after, &err);
    expect_error(err, PAWL_E_CANCELLED, "all");
    pawl_context *all[] = {parent, before, below, aside, after};
    for (size_t i = 0; i < 5; i++)
        pawl_context_unref(all[i]);
    pawl_runtime_unref(runtime);
}

/* B19: every order of cancel, outer deadline, own timeout and result. */
enum signal { CANCEL = 1, DEADLINE = 2, TIMEOUT = 4, RESULT = 8 };

struct race {
    int signals;
    struct fake_clock *time;
    pawl_context *root;
};

static pawl_status meet_signals(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    (void)in, (void)ret_out;
    struct race *race = user;
    if (race->signals & TIMEOUT)
        race->time->now_ns = PAWL_S(1);
    pawl_status status = race->signals & RESULT ? PAWL_OK : pawl_context_check(ctx, err);
    if (race->signals & DEADLINE)
        race->time->now_ns = PAWL_S(2);
    if (race->signals & CANCEL)
        pawl_context_cancel(race->root, PAWL_CANCEL_USER, NULL);
    return status;
}

static pawl_status outcome_of(int signals) {
    struct fake_clock time = {0};
    pawl_runtime *runtime = virtual_runtime(&time);
    pawl_context *ctx = pawl_context_new(runtime);
    pawl_context_set_deadline(ctx, PAWL_S(2), NULL);
    struct race race = {.signals = signals, .time = &time, .root = ctx};
    pawl_primitive *node = pawl_sequential(
        "top", pawl_timeout("limit", pawl_function("leaf", meet_signals, &race), .after_ns = PAWL_S(1)));
    pawl_error *err = NULL;
    pawl_status status = pawl_run(node, ctx, NULL, NULL, &err);
    assert_int_equal(pawl_error_status(err), status);
    pawl_error_unref(err);
    pawl_primitive_unref(node);
    pawl_context_unref(ctx);
    pawl_runtime_unref(runtime);
    return status;
}

static void signals_that_race_have_one_order(void **state) {
    (void)state;
    for (int signals = 0; signals < 16; signals++) {
        pawl_status expected = signals & CANCEL     ? PAWL_E_CANCELLED
                               : signals & DEADLINE ? PAWL_E_DEADLINE
                               : signals & TIMEOUT  ? PAWL_E_TIMEOUT
                                                    : PAWL_OK;
        if (outcome_of(signals) != expected)
            fail_msg("signals %d: %s instead of %s", signals, pawl_status_name(outcome_of(signals)),
                     pawl_status_name(expected));
    }
}

/* ---- callbacks ---- */

struct called {
    atomic_int times;
    pawl_cancel_reason reason;
    pawl_cancel_registration registration;
    pawl_context *ctx;
};

static void note(void *user, pawl_cancel_reason reason) {
    struct called *called = user;
    called->reason = reason;
    atomic_fetch_add(&called->times, 1);
}

static void a_callback_runs_once_also_when_registered_late(void **state) {
    (void)state;
    struct fake_clock time = {0};
    pawl_runtime *runtime = virtual_runtime(&time);
    pawl_context *ctx = pawl_context_new(runtime), *child = pawl_context_child(ctx);
    struct called early = {0}, below = {0}, gone = {0}, late = {0};
    assert_int_equal(pawl_context_on_cancel(ctx, &early.registration, note, &early, NULL), PAWL_OK);
    assert_int_equal(pawl_context_on_cancel(child, &below.registration, note, &below, NULL), PAWL_OK);
    assert_int_equal(pawl_context_on_cancel(ctx, &gone.registration, note, &gone, NULL), PAWL_OK);
    pawl_context_off_cancel(&gone.registration);
    pawl_context_cancel(ctx, PAWL_CANCEL_QUOTA, NULL);
    pawl_context_cancel(ctx, PAWL_CANCEL_USER, NULL);
    assert_int_equal(pawl_context_on_cancel(ctx, &late.registration, note, &late, NULL), PAWL_OK);
    assert_true(early.times == 1 && below.times == 1 && late.times == 1 && gone.times == 0);
    assert_true(early.reason == PAWL_CANCEL_QUOTA && late.reason == PAWL_CANCEL_QUOTA);
    pawl_context_off_cancel(&early.registration);
    pawl_context_off_cancel(&below.registration);
    pawl_context_off_cancel(&late.registration);
    pawl_context_unref(child);
    pawl_context_unref(ctx);
    pawl_runtime_unref(runtime);
}

static void a_callback_registered_after_the_deadline_runs_at_once(void **state) {
    (void)state;
    struct fake_clock time = {.now_ns = 9};
    pawl_runtime *runtime = virtual_runtime(&time);
    pawl_context *ctx = pawl_context_new(runtime);
    pawl_context_set_deadline(ctx, 9, NULL);
    struct called late = {0};
    pawl_context_on_cancel(ctx, &late.registration, note, &late, NULL);
    assert_int_equal(late.reason, PAWL_CANCEL_DEADLINE);
    pawl_context_off_cancel(&late.registration);
    pawl_context_unref(ctx);
    pawl_runtime_unref(runtime);
}

static void take_back_and_free(void *user, pawl_cancel_reason reason) {
    struct called *called = user;
    (void)reason;
    pawl_context_off_cancel(&called->registration);
    free(called); /* what is touched from now on is seen by the sanitizer */
}

static void a_callback_may_take_itself_back_and_free_its_storage(void **state) {
    (void)state;
    pawl_runtime *runtime = pawl_runtime_with(.seed = 1);
    for (int deadline = 0; deadline < 2; deadline++) {
        pawl_context *ctx = pawl_context_new(runtime);
        if (deadline)
            pawl_context_set_timeout(ctx, PAWL_MIN(5), NULL);
        struct called *early = calloc(1, sizeof *early), *late = calloc(1, sizeof *late);
        pawl_context_on_cancel(ctx, &early->registration, take_back_and_free, early, NULL);
        pawl_context_cancel(ctx, PAWL_CANCEL_USER, NULL);
        pawl_context_on_cancel(ctx, &late->registration, take_back_and_free, late, NULL);
        pawl_context_unref(ctx);
    }
    pawl_runtime_unref(runtime);
}

static void free_late(void *user, pawl_cancel_reason reason) {
    struct called *called = user;
    (void)reason;
    pawl_context *ctx = called->ctx;
    pawl_context_off_cancel(&called->registration);
    pawl_context_unref(ctx); /* the last one */
    free(called);
}

static void a_callback_may_give_the_last_reference_back(void **state) {
    (void)state;
    pawl_runtime *runtime = pawl_runtime_with(.seed = 1);
    pawl_context *parent = pawl_context_new(runtime);
    struct called *called = calloc(1, sizeof *called);
    called->ctx = pawl_context_child(parent);
    pawl_context_on_cancel(called->ctx, &called->registration, free_late, called, NULL);
    pawl_context_cancel(parent, PAWL_CANCEL_USER, NULL);
    pawl_context_unref(parent);
    pawl_runtime_unref(runtime);
}

struct slow {
    sem_t inside, go_on;
    atomic_int ended;
    pawl_cancel_registration registration;
    pawl_context *ctx;
};

static void be_slow(void *user, pawl_cancel_reason reason) {
    struct slow *slow = user;
    (void)reason;
    sem_post(&slow->inside);
    sem_wait(&slow->go_on);
    atomic_store(&slow->ended, 1);
}

static void *cancel_it(void *user) {
    struct slow *slow = user;
    pawl_context_cancel(slow->ctx, PAWL_CANCEL_USER, NULL);
    return NULL;
}

static void *let_go(void *user) {
    sem_post(&((struct slow *)user)->go_on);
    return NULL;
}

static void unregistering_waits_for_a_callback_that_runs(void **state) {
    (void)state;
    pawl_runtime *runtime = pawl_runtime_with(.seed = 1);
    struct slow slow = {.ctx = pawl_context_new(runtime)};
    sem_init(&slow.inside, 0, 0);
    sem_init(&slow.go_on, 0, 0);
    pawl_context_on_cancel(slow.ctx, &slow.registration, be_slow, &slow, NULL);
    pthread_t canceller, helper;
    pthread_create(&canceller, NULL, cancel_it, &slow);
    sem_wait(&slow.inside);
    assert_int_equal(slow.ended, 0);
    pthread_create(&helper, NULL, let_go, &slow);
    pawl_context_off_cancel(&slow.registration);
    assert_int_equal(slow.ended, 1);
    pthread_join(helper, NULL);
    pthread_join(canceller, NULL);
    pawl_context_unref(slow.ctx);
    sem_destroy(&slow.inside);
    sem_destroy(&slow.go_on);
    pawl_runtime_unref(runtime);
}

static void post_semaphore(void *user, pawl_cancel_reason reason) {
    (void)reason;
    sem_post(user);
}

static void the_watchdog_calls_back_at_the_deadline(void **state) {
    (void)state;
    pawl_runtime *runtime = pawl_runtime_with(.seed = 1);
    sem_t rung;
    sem_init(&rung, 0, 0);
    pawl_context *soon = pawl_context_new(runtime), *later = pawl_context_new(runtime);
    pawl_context_set_timeout(later, PAWL_MIN(60), NULL);
    pawl_context_set_timeout(soon, PAWL_MS(2), NULL);
    pawl_cancel_registration first, second;
    struct called never = {0};
    assert_int_equal(pawl_context_on_cancel(later, &first, note, &never, NULL), PAWL_OK);
    assert_int_equal(pawl_context_on_cancel(soon, &second, post_semaphore, &rung, NULL), PAWL_OK);
    sem_wait(&rung);
    assert_int_equal(pawl_context_remaining(soon), 0);
    assert_int_equal(never.times, 0);
    pawl_context_off_cancel(&first);
    pawl_context_off_cancel(&second);
    pawl_context_unref(soon);
    pawl_context_unref(later);
    pawl_runtime_unref(runtime);
    sem_destroy(&rung);
}

/* ---- child runs ---- */

static pawl_status run_inside(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    return pawl_run(user, ctx, in, ret_out, err);
}

static void cancel_root(void *ctx) {
    pawl_context_cancel(ctx, PAWL_CANCEL_USER, "from outside");
}

static pawl_primitive *nested(void *user, struct fake_clock *time) {
    (void)time;
    return pawl_sequential("outer", pawl_function("inner", run_inside, user), passing("after"));
}

static void a_cancel_at_any_boundary_reaches_the_runs_inside_leaves(void **state) {
    (void)state;
    pawl_primitive *deepest = joined("both", pausing("a", PAWL_S(3)), pausing("b", PAWL_S(4)));
    pawl_primitive *middle = pawl_function("middle", run_inside, deepest);
    struct sweep sweep = {.make = nested, .user = middle};
    sweep_cancel_and_deadline(&sweep);
    pawl_primitive_unref(middle);
    pawl_primitive_unref(deepest);
}

static void a_child_run_tells_who_was_cancelled(void **state) {
    (void)state;
    struct fake_clock time = {0};
    pawl_runtime *runtime = virtual_runtime(&time);
    pawl_context *ctx = pawl_context_new(runtime);
    pawl_primitive *inner = pausing("wait", PAWL_S(3)), *outer = nested(inner, &time);
    at_boundary(&time, 2, cancel_root, ctx);
    expect_failure(outer, ctx, NULL, PAWL_E_CANCELLED, "from outside");
    assert_int_equal(time.slept_ns, 0);
    expect_nothing_alive(runtime);
    pawl_primitive_unref(outer);
    pawl_primitive_unref(inner);
    pawl_context_unref(ctx);
    pawl_runtime_unref(runtime);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_reason_and_its_text_win),
        cmocka_unit_test(no_reason_counts_as_the_users),
        cmocka_unit_test(a_cancel_before_the_start_runs_nothing),
        cmocka_unit_test(a_deadline_that_has_passed_runs_nothing),
        cmocka_unit_test(cancelling_a_parent_cancels_what_is_made_of_it_before_and_after),
        cmocka_unit_test(signals_that_race_have_one_order),
        cmocka_unit_test(a_callback_runs_once_also_when_registered_late),
        cmocka_unit_test(a_callback_registered_after_the_deadline_runs_at_once),
        cmocka_unit_test(a_callback_may_take_itself_back_and_free_its_storage),
        cmocka_unit_test(a_callback_may_give_the_last_reference_back),
        cmocka_unit_test(unregistering_waits_for_a_callback_that_runs),
        cmocka_unit_test(the_watchdog_calls_back_at_the_deadline),
        cmocka_unit_test(a_cancel_at_any_boundary_reaches_the_runs_inside_leaves),
        cmocka_unit_test(a_child_run_tells_who_was_cancelled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
