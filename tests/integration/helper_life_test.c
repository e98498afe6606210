/* The client and the real helper: what is left when either side dies, and many threads at one helper. */
#include "shell.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static long helper_pid(void) {
    struct pawl_helper_about about;
    pawl_helper_client_about(helper_client, &about);
    return about.pid;
}

static void assert_replaced(long before) {
    struct shell *s = shell("echo again");
    run_shell(s);
    assert_exited(s, PAWL_EXIT_STATUS, 0);
    assert_int_not_equal(helper_pid(), before);
    free(s);
}

static void *kill_the_helper(void *started) {
    uint64_t count;
    if (read(*(int *)started, &count, sizeof count) == sizeof count)
        kill((pid_t)helper_pid(), SIGKILL);
    return NULL;
}

static bool tell(void *user, int stream, const uint8_t *bytes, size_t length) {
    (void)stream, (void)bytes, (void)length;
    return eventfd_write(*(int *)user, 1) == 0;
}

static void a_killed_helper_means_sandbox_lost_and_the_next_run_starts_another(void **state) {
    (void)state;
    int started = eventfd(0, EFD_CLOEXEC);
    long before = helper_pid();
    pthread_t killer;
    assert_int_equal(pthread_create(&killer, NULL, kill_the_helper, &started), 0);
    struct shell *s = shell("echo ready; sleep 1000");
    const struct pawl_helper_sink sink = {.on_output = tell, .user = &started};
    pawl_helper_run(helper_client, &s->request, &sink, -1, PAWL_UNBOUNDED, &s->result);
    pthread_join(killer, NULL);
    close(started);
    assert_int_equal(s->result.end, PAWL_HELPER_LOST);
    assert_true(s->result.may_have_run);
    assert_non_null(strstr(s->result.text, "lost"));
    free(s);
    assert_replaced(before);
}

static void a_wedged_helper_is_replaced(void **state) {
    (void)state;
    long before = helper_pid();
    kill((pid_t)before, SIGSTOP);
    struct shell *s = shell("echo never");
    s->deadline_ns = pawl_helper_now_ns() + 20 * MS;
    run_shell(s);
    assert_int_equal(s->result.end, PAWL_HELPER_DEADLINE);
    assert_true(s->result.confirmed);
    assert_false(s->result.started);
    free(s);
    assert_replaced(before);
}

static void *run_twenty(void *ret_bad) {
    for (int i = 0; i < 20; i++) {
        char script[64];
        snprintf(script, sizeof script, "echo %p-%d", ret_bad, i);
        struct shell *s = shell(script);
        run_shell(s);
        *(int *)ret_bad +=
            s->result.end != PAWL_HELPER_EXITED || strncmp(s->seen.text[1], script + 5, strlen(script + 5)) != 0;
        free(s);
    }
    return NULL;
}

static void many_threads_share_a_helper_without_mixing_runs(void **state) {
    (void)state;
    pthread_t threads[8];
    int bad[8] = {0};
    for (int i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run_twenty, &bad[i]), 0);
    for (int i = 0; i < 8; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(bad[i], 0);
    }
}

/* The host is a fork here, and dies; its sandboxes hold the other end of a pipe until they are gone. */
static void nothing_outlives_a_killed_host(void **state) {
    (void)state;
    int alive[2], ready[2];
    assert_int_equal(pipe(alive), 0);
    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    pid_t host = fork();
    if (host == 0) {
        char text[512];
        int fd = eventfd(0, 0);
        helper_client = pawl_helper_client_new(getenv("PAWL_HELPER"), text, sizeof text, NULL);
        struct shell *s = shell("echo ready; sleep 1000");
        const struct pawl_helper_sink sink = {.on_output = tell, .user = &ready[1]};
        close(fd);
        pawl_helper_run(helper_client, &s->request, &sink, -1, PAWL_UNBOUNDED, &s->result);
        _exit(1);
    }
    uint64_t one;
    assert_int_equal(read(ready[0], &one, sizeof one), sizeof one);
    uint64_t killed = pawl_helper_now_ns();
    kill(host, SIGKILL);
    waitpid(host, NULL, 0);
    close(alive[1]);
    char byte;
    assert_int_equal(read(alive[0], &byte, 1), 0); /* no process of the host's has it any more */
    assert_true(pawl_helper_now_ns() - killed < KILL_SLACK_NS);
    close(alive[0]);
    close(ready[0]);
    close(ready[1]);
}

static void a_path_that_is_no_helper_is_an_error_with_the_remedy(void **state) {
    (void)state;
    static const struct {
        const char *path, *reason;
    } bad[] = {
        {"/no/such/helper", "No such file"}, {"/etc/passwd", "Permission denied"}, {"/bin/true", "not a working"}};
    for (size_t i = 0; i < 3; i++) {
        char text[512] = "";
        assert_null(pawl_helper_client_new(bad[i].path, text, sizeof text, NULL));
        assert_non_null(strstr(text, bad[i].reason));
        assert_non_null(strstr(text, "install"));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_killed_helper_means_sandbox_lost_and_the_next_run_starts_another),
        cmocka_unit_test(a_wedged_helper_is_replaced),
        cmocka_unit_test(many_threads_share_a_helper_without_mixing_runs),
        cmocka_unit_test(nothing_outlives_a_killed_host),
        cmocka_unit_test(a_path_that_is_no_helper_is_an_error_with_the_remedy),
    };
    return cmocka_run_group_tests(tests, start_helper, stop_helper);
}
