/*
 * How programs in sandboxes end: by themselves, at their deadline, by a cancel, under a callback that is slow. The
 * numbers are those of the catalogue of sandbox tests.
 */
#include "programs.h"

#include <pawl/run.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

static pawl_execution_result *run_marked(const char *code, const char *name, uint64_t wall_ns) {
    const pawl_execution_limits limits = {.size = sizeof limits, .wall_ns = wall_ns};
    const char *args[] = {name};
    pawl_execution_request request = program("python", code);
    request.args = args, request.arg_count = 1;
    request.limits = &limits;
    return run_program(&request);
}

static void test_57_whatever_it_does_the_deadline_ends_it(void **state) {
    (void)state;
    static const char *const codes[] = {
        "import time\nwhile True: time.sleep(100)",
        "import signal, time\nfor s in range(1, 64):\n    try: signal.signal(s, signal.SIG_IGN)\n"
        "    except (OSError, ValueError): pass\nwhile True: time.sleep(100)",
        "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)",
        "import os, time\nfor i in range(20):\n    if os.fork() == 0:\n        os.setsid()\n        time.sleep(100)\n"
        "while True: pass",
        "while True: 9 ** 9 ** 7"};
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        const char *name = new_marker();
        uint64_t start = now_ns();
        pawl_execution_result *result = run_marked(codes[i], name, PAWL_MS(200));
        uint64_t took = now_ns() - start;
        assert_outcome(result, "wall_timeout");
        assert_true(took >= PAWL_MS(200) && took < PAWL_MS(200) + SLACK_NS);
        assert_true(are_gone_within(name, PAWL_MS(100)));
        pawl_execution_result_free(result);
    }
}

static void test_58_daemons_end_with_the_program_and_are_not_waited_for(void **state) {
    (void)state;
    for (int keeps_stdout = 0; keeps_stdout < 2; keeps_stdout++) {
        const char *name = new_marker();
        char code[512];
        snprintf(code, sizeof code,
                 "import os, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n"
                 "        if %d == 0: os.close(1); os.close(2)\n        time.sleep(600)\n    os._exit(0)\nos.wait()\n"
                 "print('done')",
                 keeps_stdout);
        uint64_t start = now_ns();
        pawl_execution_result *result = run_marked(code, name, PAWL_S(20));
        assert_outcome(result, "ok");
        assert_printed(result, "done\n");
        assert_true(now_ns() - start < PAWL_S(5));
        assert_true(are_gone_within(name, PAWL_MS(100)));
        pawl_execution_result_free(result);
    }
}

static void test_60_the_ending_is_the_kernels_whatever_the_program_breaks(void **state) {
    (void)state;
    static const struct {
        const char *code;
        int64_t status, signal;
    } list[] = {{"import os\nos._exit(7)", 7, 0},
                {"import os\nos._exit(255)", 255, 0},
                {"import os\nos.abort()", -1, SIGABRT},
                {"import ctypes\nctypes.string_at(0)", -1, SIGSEGV},
                {"import os\nos.kill(os.getpid(), 15)", -1, SIGTERM},
                {"import os\nos.kill(os.getpid(), 9)", -1, SIGKILL},
                {"import os\nos.close(0); os.close(1); os.close(2)\nos._exit(8)", 8, 0},
                {"import os, signal\ntry: os.kill(-1, 9)\nexcept OSError: pass\nos._exit(9)", 9, 0},
                {"import os, signal\nfor p in range(1, 100):\n    try:\n        if p != os.getpid(): os.kill(p, 9)\n"
                 "    except OSError: pass\nos._exit(10)",
                 10, 0}};
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        pawl_execution_result *result = run_python(list[i].code);
        assert_outcome(result, list[i].signal ? "signalled" : "nonzero_exit");
        assert_int_equal(result->exit_status, list[i].status);
        assert_int_equal(result->signal, list[i].signal);
        pawl_execution_result_free(result);
    }
}

static void test_63_every_timeout_has_a_meaning(void **state) {
    (void)state;
    static const char *const inputs[][2] = {{"{\"code\":\"print(1)\",\"timeout\":0}", "wall_timeout"},
                                            {"{\"code\":\"print(1)\",\"timeout\":0.001}", "wall_timeout"},
                                            {"{\"code\":\"print(1)\",\"timeout\":1e300}", "ok"},
                                            {"{\"code\":\"print(1)\",\"timeout\":18446744073.5}", "ok"}};
    pawl_primitive *node = pawl_code_execution("run", .provider = programs_provider());
    pawl_error *error = NULL;
    for (size_t i = 0; i < 4; i++) {
        pawl_value *out = run_node(node, inputs[i][0], &error);
        assert_string_equal(pawl_value_get_string(out, "outcome", ""), inputs[i][1]);
        pawl_value_unref(out);
    }
    assert_null(run_node(node, "{\"code\":\"print(1)\",\"timeout\":-0.5}", &error));
    assert_int_equal(pawl_error_status(error), PAWL_E_INVALID);
    pawl_error_unref(error);
    pawl_primitive_unref(node);
}

/* ---- cancelling ---- */

struct cancel {
    pawl_context *ctx;
    uint64_t after_ns;
};

static void *cancel_later(void *user) {
    const struct cancel *cancel = user;
    nanosleep(&(struct timespec){.tv_nsec = (long)cancel->after_ns}, NULL);
    pawl_context_cancel(cancel->ctx, PAWL_CANCEL_USER, "enough");
    pawl_context_cancel(cancel->ctx, PAWL_CANCEL_USER, "twice");
    return NULL;
}

static void test_64_a_cancel_before_the_run_starts_nothing(void **state) {
    (void)state;
    pawl_context *ctx = pawl_context_new(programs_runtime());
    pawl_execution_request request = program("python", "print(1)");
    pawl_execution_result *result = NULL;
    pawl_error *error = NULL;
    pawl_context_cancel(ctx, PAWL_CANCEL_USER, "never mind");
    assert_int_equal(pawl_sandbox_run_once(programs_provider(), ctx, &request, &result, &error), PAWL_E_CANCELLED);
    assert_null(result);
    pawl_error_unref(error);
    pawl_context_unref(ctx);
}

static void test_64_a_cancel_from_another_thread_ends_the_run_at_once(void **state) {
    (void)state;
    for (uint64_t after = 0; after < PAWL_MS(40); after += PAWL_MS(2)) {
        pthread_t thread;
        struct cancel cancel = {pawl_context_new(programs_runtime()), after};
        pawl_execution_request request = program("python", "print('on')\nwhile True: pass");
        pawl_execution_result *result = NULL;
        pawl_error *error = NULL;
        uint64_t start = now_ns();
        pthread_create(&thread, NULL, cancel_later, &cancel);
        pawl_status status = pawl_sandbox_run_once(programs_provider(), cancel.ctx, &request, &result, &error);
        assert_true(now_ns() - start < after + SLACK_NS);
        pthread_join(thread, NULL);
        if (status == PAWL_OK)
            assert_outcome(result, "cancelled");
        else
            assert_int_equal(status, PAWL_E_CANCELLED);
        pawl_execution_result_free(result);
        pawl_error_unref(error);
        pawl_context_unref(cancel.ctx);
    }
}

static void test_64_a_cancelled_node_fails_as_cancelled_and_after_its_end_nothing_happens(void **state) {
    (void)state;
    pawl_primitive *node = pawl_code_execution("run", .provider = programs_provider(), .language = "bash");
    pawl_context *ctx = pawl_context_new(programs_runtime());
    struct cancel cancel = {ctx, PAWL_MS(50)};
    pthread_t thread;
    pawl_value *in = NULL, *out = NULL;
    pawl_error *error = NULL;
    assert_int_equal(pawl_value_parse("{\"code\":\"sleep 60\"}", 19, NULL, &in, NULL), PAWL_OK);
    pthread_create(&thread, NULL, cancel_later, &cancel);
    assert_int_equal(pawl_run(node, ctx, in, &out, &error), PAWL_E_CANCELLED);
    pthread_join(thread, NULL);
    assert_int_equal(pawl_error_cancel_reason(error), PAWL_CANCEL_USER);
    pawl_context_cancel(ctx, PAWL_CANCEL_USER, "after the end");
    pawl_error_unref(error), pawl_value_unref(in), pawl_context_unref(ctx), pawl_primitive_unref(node);
}

static void test_64_the_deadline_of_the_whole_run_ends_the_program(void **state) {
    (void)state;
    pawl_primitive *node = pawl_code_execution("run", .provider = programs_provider());
    pawl_context *ctx = pawl_context_new(programs_runtime());
    pawl_value *in = NULL;
    pawl_error *error = NULL;
    assert_int_equal(pawl_value_parse("{\"code\":\"while True: pass\"}", 27, NULL, &in, NULL), PAWL_OK);
    assert_int_equal(pawl_context_set_timeout(ctx, PAWL_MS(100), NULL), PAWL_OK);
    uint64_t start = now_ns();
    assert_int_equal(pawl_run(node, ctx, in, NULL, &error), PAWL_E_DEADLINE);
    assert_true(now_ns() - start < PAWL_MS(100) + SLACK_NS);
    pawl_error_unref(error), pawl_value_unref(in), pawl_context_unref(ctx), pawl_primitive_unref(node);
}

static void *kill_later(void *user) {
    nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    pawl_sandbox_kill(user, NULL, NULL);
    return NULL;
}

static void a_killed_sandbox_ends_its_program(void **state) {
    (void)state;
    pawl_context *ctx = pawl_context_new(programs_runtime());
    pawl_sandbox *sandbox = NULL;
    pawl_execution_result *result = NULL;
    pawl_execution_request request = program("bash", "sleep 60");
    pthread_t thread;
    assert_int_equal(pawl_sandbox_create(programs_provider(), ctx, NULL, &sandbox, NULL), PAWL_OK);
    pthread_create(&thread, NULL, kill_later, sandbox);
    assert_int_equal(pawl_sandbox_run_code(sandbox, ctx, &request, &result, NULL), PAWL_OK);
    pthread_join(thread, NULL);
    assert_outcome(result, "cancelled");
    assert_non_null(strstr(result->detail, "sandbox was ended"));
    pawl_execution_result_free(result);
    pawl_sandbox_unref(sandbox);
    pawl_context_unref(ctx);
}

/* ---- the thread of the run is held up by an output callback ---- */

struct stall {
    const char *name;
    uint64_t until_ns;
    bool gone;
};

static void hold_up(void *user, const void *bytes, size_t length) {
    struct stall *stall = user;
    (void)bytes, (void)length;
    stall->gone = are_gone_within(stall->name, PAWL_S(2));
    while (now_ns() < stall->until_ns)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

static pawl_execution_result *run_stalled(pawl_context *ctx, const char *code, uint64_t wall_ns, struct stall *stall) {
    const pawl_execution_limits limits = {.size = sizeof limits, .wall_ns = wall_ns};
    const pawl_execution_handlers handlers = {.size = sizeof handlers, .on_stdout = hold_up, .user = stall};
    pawl_execution_request request = program("bash", code);
    pawl_execution_result *result = NULL;
    request.args = &stall->name, request.arg_count = 1;
    request.limits = &limits;
    request.handlers = &handlers;
    assert_int_equal(pawl_sandbox_run_once(programs_provider(), ctx, &request, &result, NULL), PAWL_OK);
    pawl_context_unref(ctx);
    return result;
}

static void a_blocked_callback_does_not_keep_an_overdue_program_alive(void **state) {
    (void)state;
    static const char *const codes[] = {"echo on\nwhile :; do sleep 9 & :; wait; done",
                                        "echo on\nfor i in 1 2 3 4; do while :; do kill -CHLD 1; done & done\nwait",
                                        "echo on\nwhile :; do (/bin/true & ); done",
                                        "echo on\ntrap '' CHLD TERM HUP INT ALRM\nkill -STOP $$"};
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        struct stall stall = {.name = new_marker()};
        pawl_execution_result *result =
            run_stalled(pawl_context_new(programs_runtime()), codes[i], PAWL_MS(200), &stall);
        assert_true(stall.gone);
        assert_outcome(result, "wall_timeout");
        assert_int_equal(result->signal, 0);
        assert_printed(result, "on\n");
        pawl_execution_result_free(result);
    }
}

static void a_blocked_callback_does_not_keep_a_program_alive_beyond_the_deadline(void **state) {
    (void)state;
    struct stall stall = {.name = new_marker()};
    pawl_context *ctx = pawl_context_new(programs_runtime());
    assert_int_equal(pawl_context_set_timeout(ctx, PAWL_MS(300), NULL), PAWL_OK);
    pawl_execution_result *result = run_stalled(ctx, "echo on; while :; do :; done", PAWL_S(60), &stall);
    assert_true(stall.gone);
    assert_outcome(result, "cancelled");
    assert_non_null(strstr(result->detail, "deadline"));
    pawl_execution_result_free(result);
}

static void a_blocked_callback_does_not_keep_a_cancelled_program_alive(void **state) {
    (void)state;
    struct stall stall = {.name = new_marker()};
    struct cancel cancel = {pawl_context_new(programs_runtime()), PAWL_MS(300)};
    pthread_t thread;
    pthread_create(&thread, NULL, cancel_later, &cancel);
    pawl_execution_result *result =
        run_stalled(pawl_context_ref(cancel.ctx), "echo on; while :; do :; done", PAWL_S(60), &stall);
    pthread_join(thread, NULL);
    assert_true(stall.gone);
    assert_outcome(result, "cancelled");
    assert_non_null(strstr(result->detail, "was cancelled"));
    pawl_execution_result_free(result);
    pawl_context_unref(cancel.ctx);
}

static void what_ended_in_time_is_ok_although_its_callback_was_late(void **state) {
    (void)state;
    struct stall stall = {.name = new_marker(), .until_ns = now_ns() + PAWL_S(2)};
    pawl_execution_result *result = run_stalled(pawl_context_new(programs_runtime()), "echo on", PAWL_S(1), &stall);
    assert_true(stall.gone);
    assert_outcome(result, "ok");
    pawl_execution_result_free(result);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_57_whatever_it_does_the_deadline_ends_it),
        cmocka_unit_test(test_58_daemons_end_with_the_program_and_are_not_waited_for),
        cmocka_unit_test(test_60_the_ending_is_the_kernels_whatever_the_program_breaks),
        cmocka_unit_test(test_63_every_timeout_has_a_meaning),
        cmocka_unit_test(test_64_a_cancel_before_the_run_starts_nothing),
        cmocka_unit_test(test_64_a_cancel_from_another_thread_ends_the_run_at_once),
        cmocka_unit_test(test_64_a_cancelled_node_fails_as_cancelled_and_after_its_end_nothing_happens),
        cmocka_unit_test(test_64_the_deadline_of_the_whole_run_ends_the_program),
        cmocka_unit_test(a_killed_sandbox_ends_its_program),
        cmocka_unit_test(a_blocked_callback_does_not_keep_an_overdue_program_alive),
        cmocka_unit_test(a_blocked_callback_does_not_keep_a_program_alive_beyond_the_deadline),
        cmocka_unit_test(a_blocked_callback_does_not_keep_a_cancelled_program_alive),
        cmocka_unit_test(what_ended_in_time_is_ok_although_its_callback_was_late),
    };
    return cmocka_run_group_tests(tests, start_programs, stop_programs);
}
