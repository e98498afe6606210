/* The three ways to drive a run give the same answers; who may run what where. */
#include "engine_internal.h"
#include "failing_malloc.h"
#include "leaves.h"
#include "virtual_runtime.h"

#include <pawl/primitives/function.h>
#include <pawl/primitives/retry.h>
#include <pawl/primitives/sequential.h>
#include <pawl/primitives/timeout.h>
#include <poll.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- the same answer ---- */

struct answer {
    pawl_status status;
    char *value, *error;
    size_t calls;
    sem_t done;
};

static void keep(struct answer *answer, pawl_status status, pawl_value *value, pawl_error *error) {
    char text[1024];
    pawl_error_describe(error, text, sizeof text);
    answer->status = status;
    answer->value = value ? pawl_value_print(value) : NULL;
    answer->error = error ? strdup(text) : NULL;
    answer->calls++;
    pawl_value_unref(value);
    pawl_error_unref(error);
}

static void keep_done(void *user, pawl_status status, pawl_value *value, pawl_error *error) {
    struct answer *answer = user;
    keep(answer, status, value, error);
    sem_post(&answer->done);
}

static void by_run(pawl_primitive *node, pawl_context *ctx, pawl_value *in, struct answer *answer) {
    pawl_value *value = NULL;
    pawl_error *error = NULL;
    pawl_status status = pawl_run(node, ctx, in, &value, &error);
    keep(answer, status, value, error);
}

static void by_submit(pawl_primitive *node, pawl_context *ctx, pawl_value *in, struct answer *answer) {
    assert_int_equal(pawl_submit(node, ctx, in, keep_done, answer, NULL), PAWL_OK);
    sem_wait(&answer->done);
}

static void by_pump(pawl_primitive *node, pawl_context *ctx, pawl_value *in, struct answer *answer) {
    pawl_runtime *runtime = pawl_context_runtime(ctx);
    assert_int_equal(pawl_start(node, ctx, in, keep_done, answer, NULL), PAWL_OK);
    assert_int_equal(answer->calls, 0); /* never from inside the call */
    struct pollfd wait = {.fd = pawl_runtime_fd(runtime), .events = POLLIN};
    while (answer->calls == 0) {
        uint64_t left = pawl_runtime_next_timeout(runtime);
        poll(&wait, 1, left > PAWL_S(5) ? 5000 : (int)((left + PAWL_MS(1) - 1) / PAWL_MS(1)));
        assert_int_equal(pawl_runtime_pump(runtime, NULL), PAWL_OK);
    }
}

typedef void (*driver)(pawl_primitive *node, pawl_context *ctx, pawl_value *in, struct answer *answer);

static struct answer answer_of(driver drive, pawl_primitive *node, uint64_t timeout_ns) {
    struct answer answer = {0};
    sem_init(&answer.done, 0, 0);
    pawl_runtime *runtime = pawl_runtime_with(.seed = 1);
    pawl_context *ctx = pawl_context_new(runtime);
    if (timeout_ns)
        pawl_context_set_timeout(ctx, timeout_ns, NULL);
    pawl_value *in = pawl_value_string("in");
    drive(node, ctx, in, &answer);
    pawl_value_unref(in);
    pawl_context_unref(ctx);
    pawl_runtime_unref(runtime);
    assert_int_equal(answer.calls, 1);
    sem_destroy(&answer.done);
    return answer;
}

static void forget(struct answer *answer) {
    free(answer->value);
    free(answer->error);
}

/* Runs it each way and compares. Takes the node. */
static void the_same_each_way(pawl_primitive *node, uint64_t timeout_ns, pawl_status status) {
    struct answer run = answer_of(by_run, node, timeout_ns);
    driver others[] = {by_submit, by_pump};
    assert_int_equal(run.status, status);
    assert_true((run.value != NULL) == (status == PAWL_OK) && (run.error != NULL) == (status != PAWL_OK));
    for (size_t i = 0; i < 2; i++) {
        struct answer other = answer_of(others[i], node, timeout_ns);
        assert_int_equal(other.status, status);
        if (status == PAWL_OK)
            assert_string_equal(other.value, run.value);
        else if (timeout_ns == 0) /* in a race with a deadline the words may differ, the status may not */
            assert_string_equal(other.error, run.error);
        forget(&other);
    }
    forget(&run);
    pawl_primitive_unref(node);
}

static void all_drivers_give_the_same_answer(void **state) {
    (void)state;
    the_same_each_way(passing("p"), 0, PAWL_OK);
    the_same_each_way(constant("c", "{\"a\":1}"), 0, PAWL_OK);
    the_same_each_way(pawl_sequential("top", sleeper("s", PAWL_US(50)), pausing("p", PAWL_US(50))), 0, PAWL_OK);
    the_same_each_way(joined("all", sleeper("s", PAWL_US(50)), sleeper("t", PAWL_US(70)), passing("p")), 0, PAWL_OK);
    the_same_each_way(failing("f", PAWL_E_DENIED), 0, PAWL_E_DENIED);
    the_same_each_way(pawl_retry("again", failing("f", PAWL_E_UNAVAILABLE), .base_delay_ns = PAWL_US(10)), 0,
                      PAWL_E_EXHAUSTED);
    the_same_each_way(pawl_timeout("limit", sleeper("s", PAWL_MIN(1)), .after_ns = PAWL_MS(2)), PAWL_MIN(9),
                      PAWL_E_TIMEOUT);
    the_same_each_way(sleeper("s", PAWL_MIN(1)), PAWL_MS(2), PAWL_E_DEADLINE);
    the_same_each_way(pausing("p", PAWL_MIN(1)), PAWL_MS(2), PAWL_E_DEADLINE);
    the_same_each_way(joined("both", pausing("p", PAWL_MIN(1)), sleeper("s", PAWL_MIN(1)), failing("f", PAWL_E_LIMIT)),
                      0, PAWL_E_LIMIT);
}

static void virtual_time_drives_submitted_runs_by_pump(void **state) {
    (void)state;
    struct fake_clock time = {0};
    struct answer answer = {0};
    sem_init(&answer.done, 0, 0);
    pawl_runtime *runtime = virtual_runtime(&time);
    pawl_context *ctx = pawl_context_new(runtime);
    pawl_primitive *node = pausing("p", PAWL_S(3));
    assert_int_equal(pawl_submit(node, ctx, NULL, keep_done, &answer, NULL), PAWL_OK);
    pawl_runtime_pump(runtime, NULL);
    assert_int_equal(pawl_runtime_next_timeout(runtime), PAWL_S(3));
    time.now_ns += PAWL_S(3) - 1;
    pawl_runtime_pump(runtime, NULL);
    assert_int_equal(answer.calls, 0);
    time.now_ns += 1;
    pawl_runtime_pump(runtime, NULL);
    assert_int_equal(answer.calls, 1);
    forget(&answer);
    sem_destroy(&answer.done);
    pawl_primitive_unref(node);
    pawl_context_unref(ctx);
    pawl_runtime_unref(runtime);
}

/* ---- refusals ---- */

struct tries {
    pawl_primitive *node;
    pawl_context *root;
    pawl_status status;
    bool with_root;
};

static void never_done(void *user, pawl_status status, pawl_value *value, pawl_error *error) {
    (void)user, (void)status, (void)value, (void)error;
    fail_msg("a refused run ended");
}

static pawl_status try_inside(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    struct tries *tries = user;
    tries->status = pawl_run(tries->node, tries->with_root ? tries->root : ctx, in, ret_out, err);
    if (tries->status != PAWL_OK && err)
        *err = pawl_error_unref(*err);
    return PAWL_OK;
}

static void a_run_inside_an_inline_leaf_is_refused(void **state) {
    (void)state;
    pawl_runtime *runtime = pawl_runtime_with(.seed = 1);
    struct tries tries = {.node = passing("p"), .root = pawl_context_new(runtime)};
    pawl_primitive *node = pawl_inline("leaf", try_inside, &tries);
    expect_output(node, tries.root, NULL, "null");
    assert_int_equal(tries.status, PAWL_E_INVALID);
    pawl_primitive_unref(node);
    pawl_primitive_unref(tries.node);
    pawl_context_unref(tries.root);
    pawl_runtime_unref(runtime);
}

static pawl_status use_busy_context(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out,
                                    pawl_error **err) {
    (void)ctx, (void)in, (void)ret_out, (void)err;
    struct tries *tries = user;
    pawl_error *error = NULL;
    assert_int_equal(pawl_submit(tries->node, tries->root, NULL, never_done, NULL, &error), PAWL_E_INVALID);
    expect_error(error, PAWL_E_INVALID, "busy");
    error = NULL;
    assert_int_equal(pawl_context_set_tag(tries->root, "a", "b", NULL), PAWL_E_INVALID);
    assert_int_equal(pawl_context_set_timeout(tries->root, 1, NULL), PAWL_E_INVALID);
    assert_int_equal(pawl_context_set_id(ctx, PAWL_ID_SESSION, "s", NULL), PAWL_E_INVALID);
    assert_int_equal(pawl_context_set_baggage(ctx, "k", "v", NULL), PAWL_E_INVALID);
    assert_int_equal(pawl_context_set_metadata(ctx, "k", NULL, NULL), PAWL_E_INVALID);
    assert_false(pawl_context_extract(ctx, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", NULL, NULL));
    return PAWL_OK;
}

static void *run_on_busy_context(void *user) {
    struct tries *tries = user;
    pawl_error *err = NULL;
    tries->status = pawl_run(tries->node, tries->root, NULL, NULL, &err);
    expect_error(err, PAWL_E_INVALID, "busy with another run");
    return NULL;
}

static pawl_status run_beside(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    (void)ctx, (void)in, (void)ret_out, (void)err;
    pthread_t thread;
    pthread_create(&thread, NULL, run_on_busy_context, user);
    pthread_join(thread, NULL);
    return PAWL_OK;
}

static void a_busy_context_takes_no_second_run_and_no_change(void **state) {
    (void)state;
    pawl_runtime *runtime = pawl_runtime_with(.seed = 1);
    struct tries tries = {.node = passing("p"), .root = pawl_context_new(runtime)};
    expect_output_of(
        pawl_sequential("top", pawl_function("a", use_busy_context, &tries), pawl_function("b", run_beside, &tries)),
        tries.root, "1", "1");
    assert_int_equal(tries.status, PAWL_E_INVALID);
    assert_int_equal(pawl_context_set_tag(tries.root, "a", "b", NULL), PAWL_OK); /* free again */
    expect_output(tries.node, tries.root, "1", "1");
    pawl_primitive_unref(tries.node);
    pawl_context_unref(tries.root);
    pawl_runtime_unref(runtime);
}

static void a_failed_or_missing_pipeline_is_refused_by_all(void **state) {
    (void)state;
    pawl_runtime *runtime = pawl_runtime_with(.seed = 1);
    pawl_context *ctx = pawl_context_new(runtime);
    pawl_primitive *bad = pawl_sequential("top", pawl_inline("leaf", NULL, NULL));
    pawl_primitive *nodes[] = {bad, NULL};
    for (size_t i = 0; i < 2; i++) {
        pawl_error *err[3] = {NULL};
        assert_int_equal(pawl_run(nodes[i], ctx, NULL, NULL, &err[0]), PAWL_E_INVALID);
        assert_int_equal(pawl_submit(nodes[i], ctx, NULL, never_done, NULL, &err[1]), PAWL_E_INVALID);
        assert_int_equal(pawl_start(nodes[i], ctx, NULL, never_done, NULL, &err[2]), PAWL_E_INVALID);
        for (size_t j = 0; j < 3; j++)
            expect_error(err[j], PAWL_E_INVALID, i ? "NULL" : "top/leaf");
        assert_int_equal(pawl_run(nodes[i], NULL, NULL, NULL, NULL), PAWL_E_INVALID);
    }
    assert_int_equal(pawl_submit(bad, ctx, NULL, NULL, NULL, NULL), PAWL_E_INVALID);
    pawl_primitive *good = passing("p");
    assert_int_equal(pawl_submit(good, NULL, NULL, never_done, NULL, NULL), PAWL_E_INVALID);
    assert_int_equal(pawl_start(good, ctx, NULL, NULL, NULL, NULL), PAWL_E_INVALID);
    pawl_primitive_unref(good);
    pawl_primitive_unref(bad);
    pawl_context_unref(ctx);
    pawl_runtime_unref(runtime);
}

static void an_error_that_is_there_already_is_replaced(void **state) {
    (void)state; /* a leak here is the leak checker's */
    pawl_runtime *runtime = pawl_runtime_with(.seed = 1);
    pawl_context *ctx = pawl_context_new(runtime);
    pawl_primitive *node = failing("f", PAWL_E_DENIED);
    pawl_error *err = NULL;
    pawl_run(NULL, ctx, NULL, NULL, &err);
    pawl_run(node, ctx, NULL, NULL, &err);
    pawl_run(node, ctx, NULL, NULL, &err);
    expect_error(err, PAWL_E_DENIED, NULL);
    pawl_primitive_unref(node);
    pawl_context_unref(ctx);
    pawl_runtime_unref(runtime);
}

/* ---- without a context, with text ---- */

static void no_context_makes_a_runtime_for_the_call(void **state) {
    (void)state;
    pawl_primitive *node = joined("all", sleeper("s", 1), constant("c", "[]"));
    expect_output(node, NULL, "{\"a\":1}", "[{\"a\":1},[]]");
    pawl_primitive_unref(node);
}

static void text_in_and_out(void **state) {
    (void)state;
    pawl_primitive *node = passing("p");
    expect_output(node, NULL, NULL, "null");
    expect_output(node, NULL, " [1, 2] ", "[1,2]");
    expect_failure(node, NULL, "[1", PAWL_E_INVALID, NULL);
    assert_int_equal(pawl_run_text(node, NULL, "1", NULL, NULL), PAWL_OK);
    pawl_primitive_unref(node);
}

/* ---- allocation failure ---- */

static void submit_and_wait(void) {
    struct answer answer = {0};
    sem_init(&answer.done, 0, 0);
    pawl_runtime *runtime = pawl_runtime_with(.seed = 1);
    pawl_context *ctx = pawl_context_new(runtime);
    pawl_primitive *node = joined("all", sleeper("s", 1), sleeper("t", 1));
    pawl_error *err = NULL;
    pawl_status status =
        ctx ? pawl_submit(node, ctx, NULL, keep_done, &answer, &err) : pawl_error_set(&err, PAWL_E_NOMEM, "none");
    if (status == PAWL_OK)
        sem_wait(&answer.done);
    pawl_context_unref(ctx);
    pawl_runtime_unref(runtime);
    size_t failed = allow_allocations();
    assert_true(status == PAWL_OK || failed > 0);
    assert_true(status == PAWL_OK ? answer.calls == 1 && !err : answer.calls == 0 && err);
    if (failed == 0)
        assert_int_equal(answer.status, PAWL_OK);
    forget(&answer);
    pawl_error_unref(err);
    pawl_primitive_unref(node);
    sem_destroy(&answer.done);
}

static void a_submit_without_memory_is_refused_or_ends_once(void **state) {
    (void)state;
    for (size_t n = 1; n < 40; n++) {
        fail_allocation_at(n);
        submit_and_wait();
    }
}

static pawl_status run_text_inside(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out,
                                   pawl_error **err) {
    (void)in, (void)ret_out;
    char *text = NULL;
    pawl_status status = pawl_run_text(user, ctx, "{\"a\":[1,2]}", &text, err);
    free(text);
    return status;
}

static void run_with_children(void) {
    pawl_primitive *inner = passing("p"), *outer = pawl_function("leaf", run_text_inside, inner);
    pawl_error *err = NULL;
    pawl_status status = pawl_run(outer, NULL, NULL, NULL, &err);
    assert_int_equal(pawl_error_status(err), status);
    assert_true(status == PAWL_OK || allocations_failed() > 0);
    pawl_error_unref(err);
    pawl_primitive_unref(outer);
    pawl_primitive_unref(inner);
}

static void runs_within_runs_survive_any_failing_allocation(void **state) {
    (void)state;
    for_each_failing_allocation(n) run_with_children();
    for_each_run_without_memory(n) run_with_children();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_drivers_give_the_same_answer),
        cmocka_unit_test(virtual_time_drives_submitted_runs_by_pump),
        cmocka_unit_test(a_run_inside_an_inline_leaf_is_refused),
        cmocka_unit_test(a_busy_context_takes_no_second_run_and_no_change),
        cmocka_unit_test(a_failed_or_missing_pipeline_is_refused_by_all),
        cmocka_unit_test(an_error_that_is_there_already_is_replaced),
        cmocka_unit_test(no_context_makes_a_runtime_for_the_call),
        cmocka_unit_test(text_in_and_out),
        cmocka_unit_test(a_submit_without_memory_is_refused_or_ends_once),
        cmocka_unit_test(runs_within_runs_survive_any_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
