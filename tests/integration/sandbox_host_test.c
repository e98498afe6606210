/*
 * Sandboxes and their host: what becomes of them when their helper or their host dies, and what they are and take
 * there. The numbers are those of the catalogue of sandbox tests.
 */
#include "programs.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

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
    struct victim victim = {.provider = provider, .name = new_marker()};
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
    const char *name = new_marker();
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
    struct victim victim = {.provider = programs_provider(), .name = new_marker()};
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
        cmocka_unit_test(test_65_all_die_with_a_killed_host),
        cmocka_unit_test(test_66_a_helper_killed_under_a_run_loses_the_sandbox_and_the_next_run_works),
        cmocka_unit_test(test_66_a_helper_killed_between_runs_is_replaced_unnoticed),
        cmocka_unit_test(no_descriptor_of_the_library_takes_the_place_of_a_standard_stream),
        cmocka_unit_test(test_80_the_guest_is_never_root_on_the_host),
    };
    return cmocka_run_group_tests(tests, start_programs, stop_programs);
}
