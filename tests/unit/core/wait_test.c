/* Waiting inside blocking leaves: real time, but as little of it as possible. */
#include "leaves.h"
#include "virtual_runtime.h"

#include <errno.h>
#include <poll.h>
#include <pawl/primitives/function.h>
#include <pawl/primitives/timeout.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct world {
    pawl_runtime *runtime;
    pawl_context *ctx;
};

static int make_world(void **state) {
    struct world *w = calloc(1, sizeof *w);
    w->runtime = pawl_runtime_with(.seed = 1);
    w->ctx = pawl_context_new(w->runtime);
    *state = w;
    return 0;
}

static int end_world(void **state) {
    struct world *w = *state;
    pawl_context_unref(w->ctx);
    pawl_runtime_unref(w->runtime);
    free(w);
    return 0;
}

static void a_sleep_takes_its_time_and_no_less(void **state) {
    struct world *w = *state;
    uint64_t before = pawl_context_now(w->ctx);
    expect_output_of(sleeper("s", PAWL_MS(2)), w->ctx, "1", "1");
    assert_true(pawl_context_now(w->ctx) - before >= PAWL_MS(2));
    expect_output_of(sleeper("s", 0), w->ctx, "1", "1");
}

static void a_deadline_ends_a_sleep(void **state) {
    struct world *w = *state;
    pawl_context_set_timeout(w->ctx, PAWL_MS(1), NULL);
    expect_failure_of(sleeper("s", UINT64_MAX), w->ctx, NULL, PAWL_E_DEADLINE, "the deadline passed");
}

struct wait {
    int fd;
    short events, got;
    uint64_t timeout_ns;
    pid_t pid;
    int exit_status;
    sem_t ready;
};

static pawl_status wait_for_fd(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    (void)in, (void)ret_out;
    struct wait *wait = user;
    return pawl_context_wait_fd(ctx, wait->fd, wait->events, wait->timeout_ns, &wait->got, err);
}

static void a_ready_descriptor_ends_the_wait(void **state) {
    struct world *w = *state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    struct wait wait = {.fd = ends[0], .events = POLLIN, .timeout_ns = PAWL_UNLIMITED};
    assert_int_equal(write(ends[1], "x", 1), 1);
    expect_output_of(pawl_function("w", wait_for_fd, &wait), w->ctx, "1", "1");
    assert_int_equal(wait.got, POLLIN);
    close(ends[0]);
    close(ends[1]);
}

static void a_descriptor_that_is_not_ready_times_out(void **state) {
    struct world *w = *state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    struct wait wait = {.fd = ends[0], .events = POLLIN, .timeout_ns = PAWL_MS(1)};
    expect_failure_of(pawl_function("w", wait_for_fd, &wait), w->ctx, NULL, PAWL_E_TIMEOUT, "was not ready in time");
    wait.timeout_ns = PAWL_UNLIMITED;
    expect_failure_of(pawl_timeout("t", pawl_function("w", wait_for_fd, &wait), .after_ns = PAWL_MS(1)), w->ctx, NULL,
                      PAWL_E_TIMEOUT, "limit of 1 ms");
    close(ends[0]);
    close(ends[1]);
}

static pawl_status wait_for_child(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out,
                                  pawl_error **err) {
    (void)in, (void)ret_out;
    struct wait *wait = user;
    return pawl_context_wait_child(ctx, wait->pid, &wait->exit_status, err);
}

static void a_child_process_is_waited_for_and_reaped(void **state) {
    struct world *w = *state;
    struct wait wait = {.pid = fork()};
    if (wait.pid == 0)
        _exit(7);
    pawl_primitive *node = pawl_function("w", wait_for_child, &wait);
    expect_output(node, w->ctx, "1", "1");
    assert_true(WIFEXITED(wait.exit_status) && WEXITSTATUS(wait.exit_status) == 7);
    assert_true(waitpid(wait.pid, NULL, WNOHANG) < 0 && errno == ECHILD);
    expect_failure(node, w->ctx, NULL, PAWL_E_NOT_FOUND, "process");
    pawl_primitive_unref(node);
}

static void a_process_that_is_no_child_is_not_found(void **state) {
    struct world *w = *state;
    struct wait wait = {.pid = getpid()};
    pawl_primitive *node = pawl_function("w", wait_for_child, &wait);
    expect_failure(node, w->ctx, NULL, PAWL_E_NOT_FOUND, "no child of this process");
    wait.pid = -1;
    expect_failure(node, w->ctx, NULL, PAWL_E_INVALID, "-1 is no process id");
    pawl_primitive_unref(node);
}

static void a_cancelled_wait_leaves_the_process_alone(void **state) {
    struct world *w = *state;
    struct wait wait = {.pid = fork()};
    if (wait.pid == 0) {
        pause();
        _exit(0);
    }
    pawl_context_set_timeout(w->ctx, PAWL_MS(1), NULL);
    expect_failure_of(pawl_function("w", wait_for_child, &wait), w->ctx, NULL, PAWL_E_DEADLINE, NULL);
    assert_int_equal(kill(wait.pid, SIGKILL), 0);
    assert_int_equal(waitpid(wait.pid, NULL, 0), wait.pid);
}

/* ---- cancel from elsewhere ---- */

struct cancelled_wait {
    struct wait wait;
    pawl_context *ctx;
    uint64_t cancelled_at;
};

static void *cancel_soon(void *user) {
    struct cancelled_wait *c = user;
    sem_wait(&c->wait.ready);
    c->cancelled_at = pawl_context_now(c->ctx);
    pawl_context_cancel(c->ctx, PAWL_CANCEL_USER, "now");
    return NULL;
}

static pawl_status ready_and_wait(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out,
                                  pawl_error **err) {
    (void)in, (void)ret_out;
    struct wait *wait = user;
    sem_post(&wait->ready);
    return wait->pid       ? pawl_context_wait_child(ctx, wait->pid, NULL, err)
           : wait->fd >= 0 ? pawl_context_wait_fd(ctx, wait->fd, POLLIN, PAWL_UNLIMITED, NULL, err)
                           : pawl_context_sleep(ctx, PAWL_MIN(60), err);
}

static void a_cancel_ends_every_kind_of_wait(void **state) {
    struct world *w = *state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        pause();
        _exit(0);
    }
    struct wait waits[] = {{.fd = -1}, {.fd = ends[0]}, {.pid = pid}};
    for (size_t i = 0; i < 3; i++) {
        for (int pooled = 0; pooled < 2; pooled++) {
            struct cancelled_wait c = {.wait = waits[i], .ctx = pawl_context_new(w->runtime)};
            sem_init(&c.wait.ready, 0, 0);
            pthread_t thread;
            pthread_create(&thread, NULL, cancel_soon, &c);
            pawl_primitive *leaf = pawl_function("w", ready_and_wait, &c.wait);
            expect_failure_of(pooled ? joined("both", leaf, pausing("p", PAWL_MIN(60))) : leaf, c.ctx, NULL,
                              PAWL_E_CANCELLED, "now");
            pthread_join(thread, NULL);
            assert_true(pawl_context_now(c.ctx) - c.cancelled_at < PAWL_S(1)); /* a millisecond is the benchmark's */
            sem_destroy(&c.wait.ready);
            pawl_context_unref(c.ctx);
        }
    }
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    close(ends[0]);
    close(ends[1]);
}

/* ---- where waiting is refused, and virtual time ---- */

static pawl_status try_waits(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    (void)in, (void)ret_out, (void)err;
    pawl_status *refused = user;
    refused[0] = pawl_context_sleep(ctx, PAWL_MIN(60), NULL);
    refused[1] = pawl_context_wait_fd(ctx, 0, POLLIN, PAWL_UNLIMITED, NULL, NULL);
    refused[2] = pawl_context_wait_child(ctx, getpid(), NULL, NULL);
    return PAWL_OK;
}

static void an_inline_leaf_cannot_wait(void **state) {
    struct world *w = *state;
    pawl_status refused[3] = {PAWL_OK};
    expect_output_of(pawl_inline("i", try_waits, refused), w->ctx, "1", "1");
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(refused[i], PAWL_E_INVALID);
}

static void virtual_time_passes_at_once(void **state) {
    (void)state;
    struct fake_clock time = {0};
    pawl_runtime *runtime = virtual_runtime(&time);
    pawl_context *ctx = pawl_context_new(runtime);
    expect_output_of(sleeper("s", PAWL_MIN(60)), ctx, "1", "1");
    assert_int_equal(time.slept_ns, PAWL_MIN(60));
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    struct wait wait = {.fd = ends[0], .events = POLLIN, .timeout_ns = PAWL_S(3)};
    pawl_primitive *node = pawl_function("w", wait_for_fd, &wait);
    expect_failure(node, ctx, NULL, PAWL_E_TIMEOUT, NULL);
    assert_int_equal(time.slept_ns, PAWL_MIN(60) + PAWL_S(3));
    assert_int_equal(write(ends[1], "x", 1), 1);
    expect_output(node, ctx, "1", "1");
    assert_int_equal(wait.got, POLLIN);
    close(ends[0]);
    close(ends[1]);
    pawl_primitive_unref(node);
    pawl_context_unref(ctx);
    pawl_runtime_unref(runtime);
}

int main(void) {
#define in_world(test) cmocka_unit_test_setup_teardown(test, make_world, end_world)
    const struct CMUnitTest tests[] = {
        in_world(a_sleep_takes_its_time_and_no_less),
        in_world(a_deadline_ends_a_sleep),
        in_world(a_ready_descriptor_ends_the_wait),
        in_world(a_descriptor_that_is_not_ready_times_out),
        in_world(a_child_process_is_waited_for_and_reaped),
        in_world(a_process_that_is_no_child_is_not_found),
        in_world(a_cancelled_wait_leaves_the_process_alone),
        in_world(a_cancel_ends_every_kind_of_wait),
        in_world(an_inline_leaf_cannot_wait),
        cmocka_unit_test(virtual_time_passes_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
