/*
 * How sandboxes end: by themselves, by force, with their helper, with their host; and who they are on the machine. The
 * numbers are those of the catalogue of sandbox tests.
 */
#include "programs.h"

#include <fcntl.h>
#include <pawl/run.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

/* Beside a deadline, on a machine that is busy with other tests. */
#define SLACK_NS PAWL_MS(500)

static char *marker(void) {
    static char text[64];
    static unsigned next;
    snprintf(text, sizeof text, "marker-%d-%u", (int)getpid(), next++);
    return text;
}

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
        const char *name = marker();
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
        const char *name = marker();
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
        struct stall stall = {.name = marker()};
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
    struct stall stall = {.name = marker()};
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
    struct stall stall = {.name = marker()};
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
    struct stall stall = {.name = marker(), .until_ns = now_ns() + PAWL_S(2)};
    pawl_execution_result *result = run_stalled(pawl_context_new(programs_runtime()), "echo on", PAWL_S(1), &stall);
    assert_true(stall.gone);
    assert_outcome(result, "ok");
    pawl_execution_result_free(result);
}

/* ---- helper and host die ---- */

static pid_t helper_of(pawl_sandbox_provider *provider) {
    pawl_local_about about = {.size = sizeof about};
    assert_int_equal(pawl_local_provider_about(provider, &about, NULL), PAWL_OK);
    return (pid_t)about.helper_pid;
}

struct victim {
    pawl_sandbox_provider *provider;
    pawl_execution_result *result;
    pawl_status status;
    pawl_started started; /* as the error says */
    const char *name;
    pawl_context *ctx; /* NULL: one is made */
};

static void *run_victim(void *user) {
    struct victim *victim = user;
    pawl_error *error = NULL;
    pawl_context *ctx = victim->ctx ? pawl_context_ref(victim->ctx) : pawl_context_new(programs_runtime());
    pawl_execution_request request = program("python", "import time\nprint('on')\ntime.sleep(60)");
    request.args = &victim->name;
    request.arg_count = 1;
    victim->status = pawl_sandbox_run_once(victim->provider, ctx, &request, &victim->result, &error);
    victim->started = pawl_error_started(error);
    pawl_error_unref(error);
    pawl_context_unref(ctx);
    return NULL;
}

static bool appear(const char *name, size_t count) {
    uint64_t until = now_ns() + PAWL_S(20);
    while (count_processes(name, NULL) < count && now_ns() < until)
        nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    return count_processes(name, NULL) >= count;
}

static void assert_works(pawl_sandbox_provider *provider) {
    pawl_context *ctx = pawl_context_new(programs_runtime());
    pawl_execution_request request = program("bash", "echo well");
    pawl_execution_result *result = NULL;
    assert_int_equal(pawl_sandbox_run_once(provider, ctx, &request, &result, NULL), PAWL_OK);
    assert_printed(result, "well\n");
    pawl_execution_result_free(result);
    pawl_context_unref(ctx);
}

/* Whether the run was known to have begun. On a busy machine the program can be seen before its start has been told;
 * then the error says that it may have run, never that it did not. */
static bool lose_helper_under_a_run(pawl_sandbox_provider *provider) {
    struct victim victim = {.provider = provider, .name = marker()};
    pthread_t thread;
    pid_t helper = helper_of(provider);
    pthread_create(&thread, NULL, run_victim, &victim);
    assert_true(appear(victim.name, 1));
    kill(helper, SIGKILL);
    pthread_join(thread, NULL);
    bool known = victim.status == PAWL_OK;
    if (known) {
        assert_outcome(victim.result, "sandbox_lost");
    } else {
        assert_int_equal(victim.status, PAWL_E_UNAVAILABLE);
        assert_int_equal(victim.started, PAWL_STARTED_MAYBE);
    }
    assert_true(are_gone_within(victim.name, PAWL_MS(100) + SLACK_NS));
    assert_works(provider);
    assert_true(helper_of(provider) != helper);
    pawl_execution_result_free(victim.result);
    return known;
}

static void test_66_a_helper_killed_under_a_run_loses_the_sandbox_and_the_next_run_works(void **state) {
    (void)state;
    pawl_sandbox_provider *provider = new_local_provider();
    int tries = 0;
    while (!lose_helper_under_a_run(provider))
        assert_true(++tries < 10);
    pawl_sandbox_provider_unref(provider);
}

static void test_66_a_helper_killed_between_runs_is_replaced_unnoticed(void **state) {
    (void)state;
    pawl_sandbox_provider *provider = new_local_provider();
    for (int i = 0; i < 5; i++) {
        siginfo_t ended;
        pid_t helper = helper_of(provider);
        kill(helper, SIGKILL);
        assert_int_equal(waitid(P_PID, (id_t)helper, &ended, WEXITED | WNOWAIT), 0);
        assert_works(provider);
    }
    pawl_sandbox_provider_unref(provider);
}

/* ---- the host dies ---- */

static int twenty_runs(const char *name) {
    static struct victim victims[20];
    pthread_t threads[20];
    if (start_programs(NULL) != 0)
        return 1;
    for (int i = 0; i < 20; i++) {
        victims[i] = (struct victim){.provider = programs_provider(), .name = name};
        pthread_create(&threads[i], NULL, run_victim, &victims[i]);
    }
    for (int i = 0; i < 20; i++)
        pthread_join(threads[i], NULL);
    return 0;
}

static void test_65_all_die_with_a_killed_host(void **state) {
    (void)state;
    const char *name = marker();
    pid_t host = fork();
    if (host == 0)
        _exit(twenty_runs(name));
    assert_true(host > 0);
    assert_true(appear(name, 20));
    kill(host, SIGKILL);
    uint64_t killed = now_ns();
    assert_true(are_gone_within(name, PAWL_MS(100) + SLACK_NS));
    print_message("20 sandboxes gone %llu ms after their host\n", (unsigned long long)(now_ns() - killed) / 1000000);
    waitpid(host, NULL, 0);
}

/* ---- a host without standard streams ---- */

static void look_at_the_standard_ones(void *user, const void *bytes, size_t length) {
    int *taken = user;
    (void)bytes, (void)length;
    for (int fd = 0; fd <= 2; fd++)
        *taken += fcntl(fd, F_GETFD) >= 0;
}

/* 0: none of the host's three is in use, and the guest has its own three alone. */
static int run_without_standard_streams(void) {
    int taken = 0;
    const pawl_execution_handlers handlers = {
        .size = sizeof handlers, .on_stdout = look_at_the_standard_ones, .user = &taken};
    pawl_execution_request request = program("bash", "cd /proc/self/fd && echo *");
    pawl_execution_result *result = NULL;
    request.handlers = &handlers;
    if (start_programs(NULL) != 0)
        return 1;
    pawl_context *ctx = pawl_context_new(programs_runtime());
    for (int fd = 0; fd <= 2; fd++)
        close(fd);
    pawl_sandbox_provider *provider = new_local_provider();
    if (pawl_sandbox_run_once(provider, ctx, &request, &result, NULL) != PAWL_OK)
        return 2;
    if (taken > 0)
        return 3;
    return strncmp(result->stdout_stream.bytes, "0 1 2", 5) == 0 ? 0 : 4;
}

static void no_descriptor_of_the_library_takes_the_place_of_a_standard_stream(void **state) {
    (void)state;
    int status = -1;
    pid_t host = fork();
    if (host == 0)
        _exit(run_without_standard_streams());
    assert_int_equal(waitpid(host, &status, 0), host);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_80_the_guest_is_never_root_on_the_host(void **state) {
    (void)state;
    struct victim victim = {.provider = programs_provider(), .name = marker()};
    pthread_t thread;
    unsigned uid = 0;
    victim.ctx = pawl_context_new(programs_runtime());
    pthread_create(&thread, NULL, run_victim, &victim);
    assert_true(appear(victim.name, 1));
    assert_int_equal(count_processes(victim.name, &uid), 1);
    assert_true(uid != 0);
    assert_true(geteuid() == 0 ? uid > 60000 : uid == geteuid()); /* root's guests: ids of nobody else */
    pawl_context_cancel(victim.ctx, PAWL_CANCEL_USER, NULL);
    pthread_join(thread, NULL);
    assert_outcome(victim.result, "cancelled");
    pawl_execution_result_free(victim.result);
    pawl_context_unref(victim.ctx);
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
        cmocka_unit_test(test_65_all_die_with_a_killed_host),
        cmocka_unit_test(test_66_a_helper_killed_under_a_run_loses_the_sandbox_and_the_next_run_works),
        cmocka_unit_test(test_66_a_helper_killed_between_runs_is_replaced_unnoticed),
        cmocka_unit_test(no_descriptor_of_the_library_takes_the_place_of_a_standard_stream),
        cmocka_unit_test(test_80_the_guest_is_never_root_on_the_host),
    };
    return cmocka_run_group_tests(tests, start_programs, stop_programs);
}
