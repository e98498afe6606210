/* The runtime: shutdown, forks, company, the embedded loop. */
#include "leaves.h"
#include "recorder.h"
#include "virtual_runtime.h"

#include <poll.h>
#include <pawl/primitives/function.h>
#include <pawl/primitives/sequential.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- shutdown ---- */

struct shut {
    pawl_runtime *runtime;
    pawl_context *ctx;
    pawl_primitive *node;
    sem_t ready, done;
    pawl_status status;
    pawl_cancel_reason reason;
};

static void begin(struct shut *s, pawl_runtime *runtime, pawl_primitive *node) {
    *s = (struct shut){.runtime = runtime, .node = node, .ctx = pawl_context_new(runtime)};
    sem_init(&s->ready, 0, 0);
    sem_init(&s->done, 0, 0);
}

static void end(struct shut *s) {
    pawl_primitive_unref(s->node);
    pawl_context_unref(s->ctx);
    sem_destroy(&s->ready);
    sem_destroy(&s->done);
}

static void keep_reason(void *user, pawl_status status, pawl_value *value, pawl_error *error) {
    struct shut *s = user;
    s->status = status;
    s->reason = pawl_error_cancel_reason(error);
    pawl_value_unref(value);
    pawl_error_unref(error);
    sem_post(&s->done);
}

static void *run_here(void *user) {
    struct shut *s = user;
    pawl_error *err = NULL;
    pawl_status status = pawl_run(s->node, s->ctx, NULL, NULL, &err);
    keep_reason(s, status, NULL, err);
    return NULL;
}

static pawl_status ready_then_sleep(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out,
                                    pawl_error **err) {
    (void)in, (void)ret_out;
    sem_post(user);
    return pawl_context_sleep(ctx, PAWL_MIN(60), err);
}

static void shutdown_ends_a_run_whose_caller_is_inside_a_blocking_leaf(void **state) {
    (void)state;
    struct shut s;
    begin(&s, pawl_runtime_with(.seed = 1), NULL);
    s.node = pawl_sequential("top", pawl_function("sleep", ready_then_sleep, &s.ready), passing("p"));
    pthread_t thread;
    pthread_create(&thread, NULL, run_here, &s);
    sem_wait(&s.ready);
    assert_int_equal(pawl_runtime_shutdown(s.runtime, NULL), PAWL_OK);
    pthread_join(thread, NULL);
    assert_int_equal(s.status, PAWL_E_CANCELLED);
    assert_int_equal(s.reason, PAWL_CANCEL_SHUTDOWN);
    end(&s);
    pawl_runtime_unref(s.runtime);
}

static pawl_status run_in_leaf(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    return pawl_run(user, ctx, in, ret_out, err);
}

static void shutdown_ends_a_run_inside_a_leaf_of_a_run(void **state) {
    (void)state;
    struct shut s;
    begin(&s, pawl_runtime_with(.seed = 1), NULL);
    pawl_primitive *inner = pawl_function("sleep", ready_then_sleep, &s.ready);
    s.node = pawl_function("run", run_in_leaf, inner);
    pthread_t thread;
    pthread_create(&thread, NULL, run_here, &s);
    sem_wait(&s.ready);
    assert_int_equal(pawl_runtime_shutdown(s.runtime, NULL), PAWL_OK);
    pthread_join(thread, NULL);
    assert_int_equal(s.reason, PAWL_CANCEL_SHUTDOWN);
    pawl_primitive_unref(inner);
    end(&s);
    pawl_runtime_unref(s.runtime);
}

static void shutdown_ends_submitted_pooled_and_unpumped_runs(void **state) {
    (void)state;
    pawl_runtime *runtime = pawl_runtime_with(.loop_threads = 2, .pool_threads = 1);
    struct shut all[6];
    for (size_t i = 0; i < 6; i++) {
        pawl_primitive *kinds[] = {pausing("p", PAWL_MIN(9)), sleeper("s", PAWL_MIN(9))};
        begin(&all[i], runtime, kinds[i % 2]);
        pawl_primitive_unref(kinds[1 - i % 2]);
        pawl_status status = i < 4 ? pawl_submit(all[i].node, all[i].ctx, NULL, keep_reason, &all[i], NULL)
                                   : pawl_start(all[i].node, all[i].ctx, NULL, keep_reason, &all[i], NULL);
        assert_int_equal(status, PAWL_OK);
    }
    pawl_runtime_pump(runtime, NULL);
    assert_int_equal(pawl_runtime_shutdown(runtime, NULL), PAWL_OK);
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(sem_trywait(&all[i].done), 0);
        assert_int_equal(all[i].reason, PAWL_CANCEL_SHUTDOWN);
        end(&all[i]);
    }
    expect_nothing_alive(runtime);
    pawl_runtime_unref(runtime);
}

static void a_run_that_was_never_begun_is_ended_too(void **state) {
    (void)state;
    struct shut s;
    begin(&s, pawl_runtime_with(.seed = 1), passing("p"));
    assert_int_equal(pawl_start(s.node, s.ctx, NULL, keep_reason, &s, NULL), PAWL_OK);
    pawl_runtime_unref(s.runtime);
    assert_int_equal(sem_trywait(&s.done), 0);
    assert_int_equal(s.reason, PAWL_CANCEL_SHUTDOWN);
    end(&s);
}

static void after_shutdown_everything_is_refused_and_contexts_are_still_good(void **state) {
    (void)state;
    struct shut s;
    begin(&s, pawl_runtime_with(.seed = 1), passing("p"));
    expect_output(s.node, s.ctx, "1", "1");
    assert_int_equal(pawl_runtime_shutdown(s.runtime, NULL), PAWL_OK);
    assert_int_equal(pawl_runtime_shutdown(s.runtime, NULL), PAWL_OK);
    expect_failure(s.node, s.ctx, NULL, PAWL_E_INVALID, "shut down");
    assert_int_equal(pawl_submit(s.node, s.ctx, NULL, keep_reason, &s, NULL), PAWL_E_INVALID);
    assert_int_equal(pawl_start(s.node, s.ctx, NULL, keep_reason, &s, NULL), PAWL_E_INVALID);
    assert_int_equal(pawl_runtime_pump(s.runtime, NULL), PAWL_E_INVALID);
    assert_int_equal(pawl_runtime_fd(s.runtime), -1);
    assert_int_equal(pawl_runtime_next_timeout(s.runtime), PAWL_NEVER);
    assert_int_equal(pawl_runtime_add_observer(s.runtime, &(pawl_observer_vtable){.size = 8}, NULL, NULL),
                     PAWL_E_INVALID);
    pawl_runtime_unref(s.runtime);
    pawl_context_cancel(s.ctx, PAWL_CANCEL_USER, "harmless");
    pawl_context *child = pawl_context_child(s.ctx);
    assert_int_equal(pawl_context_cancelled(child), PAWL_CANCEL_USER);
    pawl_context_unref(child);
    end(&s);
}

static void *shut_down(void *user) {
    assert_int_equal(pawl_runtime_shutdown(user, NULL), PAWL_OK);
    return NULL;
}

static void post_done(void *user, pawl_status status, pawl_value *value, pawl_error *error) {
    (void)status;
    pawl_value_unref(value);
    pawl_error_unref(error);
    sem_post(&((struct shut *)user)->done);
}

static void *keep_submitting(void *user) {
    struct shut *s = user;
    size_t accepted = 0;
    sem_post(&s->ready);
    for (;;) {
        pawl_context *ctx = pawl_context_new(s->runtime);
        pawl_status status = pawl_submit(s->node, ctx, NULL, post_done, s, NULL);
        pawl_context_unref(ctx);
        if (status != PAWL_OK)
            break;
        accepted++;
    }
    while (accepted-- > 0)
        sem_wait(&s->done); /* hangs when an accepted one does not end */
    return NULL;
}

static void submitting_beside_two_shutdowns_loses_nothing(void **state) {
    (void)state;
    for (int i = 0; i < 20; i++) {
        struct shut s;
        begin(&s, pawl_runtime_with(.loop_threads = 2), pausing("p", PAWL_US(3)));
        pthread_t submitter, other;
        pthread_create(&submitter, NULL, keep_submitting, &s);
        sem_wait(&s.ready);
        pthread_create(&other, NULL, shut_down, s.runtime);
        shut_down(s.runtime);
        pthread_join(submitter, NULL);
        pthread_join(other, NULL);
        end(&s);
        pawl_runtime_unref(s.runtime);
    }
}

static void *keep_running(void *user) {
    struct shut *s = user;
    pawl_status status = PAWL_OK;
    sem_post(&s->ready);
    while (status == PAWL_OK) {
        pawl_context *ctx = pawl_context_new(s->runtime);
        status = pawl_run(s->node, ctx, NULL, NULL, NULL);
        pawl_context_unref(ctx);
    }
    return NULL;
}

static void running_beside_a_shutdown_is_safe(void **state) {
    (void)state;
    for (int i = 0; i < 20; i++) {
        struct shut s;
        begin(&s, pawl_runtime_with(.seed = 1), sleeper("s", PAWL_US(2)));
        pthread_t threads[3];
        for (size_t t = 0; t < 3; t++)
            pthread_create(&threads[t], NULL, keep_running, &s);
        for (size_t t = 0; t < 3; t++)
            sem_wait(&s.ready);
        assert_int_equal(pawl_runtime_shutdown(s.runtime, NULL), PAWL_OK);
        for (size_t t = 0; t < 3; t++)
            pthread_join(threads[t], NULL);
        end(&s);
        pawl_runtime_unref(s.runtime);
    }
}

/* ---- the last reference goes inside a callback ---- */

static void post_destroy(void *self) {
    sem_post(self);
}

static const pawl_observer_vtable tells_destroy = {.size = sizeof tells_destroy, .destroy = post_destroy};

static void unref_when_done(void *user, pawl_status status, pawl_value *value, pawl_error *error) {
    struct shut *s = user;
    pawl_runtime_unref(s->runtime);
    keep_reason(s, status, value, error);
}

static pawl_status unref_in_leaf(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out,
                                 pawl_error **err) {
    (void)in, (void)ret_out, (void)err;
    struct shut *s = user;
    pawl_runtime_unref(s->runtime);
    (void)ctx;
    return PAWL_OK;
}

static void the_last_reference_may_go_inside_a_callback(void **state) {
    (void)state;
    for (int way = 0; way < 4; way++) {
        sem_t destroyed;
        sem_init(&destroyed, 0, 0);
        struct shut s;
        begin(&s, pawl_runtime_with(.seed = 1), NULL);
        assert_int_equal(pawl_runtime_add_observer(s.runtime, &tells_destroy, &destroyed, NULL), PAWL_OK);
        s.node = way < 2    ? passing("p")
                 : way == 2 ? pawl_function("f", unref_in_leaf, &s)
                            : pawl_inline("f", unref_in_leaf, &s);
        if (way == 0) {
            pawl_submit(s.node, s.ctx, NULL, unref_when_done, &s, NULL);
        } else if (way == 1) {
            pawl_start(s.node, s.ctx, NULL, unref_when_done, &s, NULL);
            pawl_runtime_pump(s.runtime, NULL);
        } else {
            run_here(&s);
        }
        sem_wait(&s.done);
        sem_wait(&destroyed);
        end(&s);
        sem_destroy(&destroyed);
    }
}

/* ---- processes ---- */

static int check_in_child(struct shut *s) {
    pawl_error *err = NULL;
    pawl_runtime_stats stats = {.size = sizeof stats};
    bool refused = pawl_run(s->node, s->ctx, NULL, NULL, &err) == PAWL_E_INVALID &&
                   strstr(pawl_error_message(err), "forked") &&
                   pawl_submit(s->node, s->ctx, NULL, keep_reason, s, NULL) == PAWL_E_INVALID &&
                   pawl_start(s->node, s->ctx, NULL, keep_reason, s, NULL) == PAWL_E_INVALID &&
                   pawl_runtime_pump(s->runtime, NULL) == PAWL_E_INVALID && pawl_runtime_fd(s->runtime) == -1 &&
                   pawl_runtime_shutdown(s->runtime, NULL) == PAWL_E_INVALID &&
                   pawl_runtime_add_observer(s->runtime, &tells_destroy, NULL, NULL) == PAWL_E_INVALID;
    pawl_runtime_get_stats(s->runtime, &stats);
    uint64_t numbers[2] = {pawl_context_random(s->ctx), pawl_context_random(s->ctx)};
    bool random = numbers[0] != numbers[1];
    pawl_runtime_unref(s->runtime); /* returns, and leaves the parent's threads alone */
    pawl_runtime *own = pawl_runtime_with(.seed = 1);
    pawl_context *ctx = pawl_context_new(own);
    bool runs = pawl_run(s->node, ctx, NULL, NULL, NULL) == PAWL_OK;
    pawl_context_unref(ctx);
    pawl_runtime_unref(own);
    return refused && random && runs && stats.live_runs == 0 ? 0 : 1;
}

static void a_forked_child_is_refused_and_may_make_its_own(void **state) {
    (void)state;
    struct shut s;
    begin(&s, pawl_runtime_with(.seed = 1), passing("p"));
    assert_int_equal(pawl_submit(s.node, s.ctx, NULL, keep_reason, &s, NULL), PAWL_OK);
    sem_wait(&s.done);
    pid_t pid = fork();
    if (pid == 0)
        _exit(check_in_child(&s));
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    expect_output(s.node, s.ctx, "1", "1");
    end(&s);
    pawl_runtime_unref(s.runtime);
}

static pawl_status use_the_other(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out,
                                 pawl_error **err) {
    struct shut *other = user;
    (void)ctx;
    return pawl_run(other->node, other->ctx, in, ret_out, err);
}

static void two_runtimes_do_not_notice_each_other(void **state) {
    (void)state;
    struct shut a, b;
    struct recorder *recorder = calloc(1, sizeof *recorder);
    begin(&a, pawl_runtime_with(.seed = 1), NULL);
    begin(&b, pawl_runtime_with(.seed = 2), joined("all", sleeper("s", 1), passing("p")));
    record(a.runtime, recorder);
    a.node = pawl_sequential("top", pawl_function("other", use_the_other, &b));
    expect_output(a.node, a.ctx, "1", "[1,1]");
    assert_int_equal(recorder->ended, 2); /* nothing of b's */
    end(&b);
    pawl_runtime_unref(b.runtime);
    assert_int_equal(pawl_context_cancelled(a.ctx), PAWL_CANCEL_NONE);
    end(&a);
    pawl_runtime_unref(a.runtime);
    assert_int_equal(recorder->destroyed, 1);
    free(recorder);
}

/* ---- the embedded loop ---- */

static void the_descriptor_tells_of_work_from_another_thread(void **state) {
    (void)state;
    struct shut s;
    begin(&s, pawl_runtime_with(.seed = 1), passing("p"));
    struct pollfd wait = {.fd = pawl_runtime_fd(s.runtime), .events = POLLIN};
    assert_int_equal(pawl_runtime_pump(s.runtime, NULL), PAWL_OK);
    assert_int_equal(poll(&wait, 1, 0), 0);
    assert_int_equal(pawl_runtime_next_timeout(s.runtime), PAWL_NEVER);
    assert_int_equal(pawl_start(s.node, s.ctx, NULL, keep_reason, &s, NULL), PAWL_OK);
    assert_int_equal(poll(&wait, 1, 0), 1);
    assert_int_equal(pawl_runtime_next_timeout(s.runtime), 0);
    assert_int_equal(pawl_runtime_pump(s.runtime, NULL), PAWL_OK);
    assert_int_equal(poll(&wait, 1, 0), 0);
    assert_int_equal(sem_trywait(&s.done), 0);
    end(&s);
    pawl_runtime_unref(s.runtime);
}

static void null_is_harmless(void **state) {
    (void)state;
    assert_null(pawl_runtime_ref(NULL));
    assert_null(pawl_runtime_unref(NULL));
    assert_null(pawl_context_new(NULL));
    assert_null(pawl_context_ref(NULL));
    assert_null(pawl_context_unref(NULL));
    assert_null(pawl_context_child(NULL));
    assert_null(pawl_context_detach(NULL));
    assert_int_equal(pawl_runtime_fd(NULL), -1);
    assert_int_equal(pawl_runtime_next_timeout(NULL), PAWL_NEVER);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shutdown_ends_a_run_whose_caller_is_inside_a_blocking_leaf),
        cmocka_unit_test(shutdown_ends_a_run_inside_a_leaf_of_a_run),
        cmocka_unit_test(shutdown_ends_submitted_pooled_and_unpumped_runs),
        cmocka_unit_test(a_run_that_was_never_begun_is_ended_too),
        cmocka_unit_test(after_shutdown_everything_is_refused_and_contexts_are_still_good),
        cmocka_unit_test(submitting_beside_two_shutdowns_loses_nothing),
        cmocka_unit_test(running_beside_a_shutdown_is_safe),
        cmocka_unit_test(the_last_reference_may_go_inside_a_callback),
        cmocka_unit_test(a_forked_child_is_refused_and_may_make_its_own),
        cmocka_unit_test(two_runtimes_do_not_notice_each_other),
        cmocka_unit_test(the_descriptor_tells_of_work_from_another_thread),
        cmocka_unit_test(null_is_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
