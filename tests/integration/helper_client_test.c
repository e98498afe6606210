/* The client and the real helper: how runs end, and what comes back. */
#include "shell.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static void streams_are_apart_and_the_status_is_exact(void **state) {
    (void)state;
    struct shell *s = shell("printf out; printf err >&2; exit 7");
    run_shell(s);
    assert_exited(s, PAWL_EXIT_STATUS, 7);
    assert_string_equal(s->seen.text[1], "out");
    assert_string_equal(s->seen.text[2], "err");
    assert_true(s->result.times.created_ns >= s->result.called_ns);
    assert_true(s->result.times.exec_ns >= s->result.times.built_ns);
    assert_true(s->result.times.exec_ns + s->result.exit.wall_ns <= s->result.ended_ns);
    free(s);
}

static void signals_are_reported_as_the_kernel_tells_them(void **state) {
    (void)state;
    static const int signals[] = {SIGSEGV, SIGABRT, SIGKILL, SIGTERM};
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        char script[32];
        snprintf(script, sizeof script, "kill -%d $$", signals[i]);
        struct shell *s = shell(script);
        run_shell(s);
        assert_exited(s, PAWL_EXIT_SIGNAL, (unsigned)signals[i]);
        free(s);
    }
}

static void stdin_files_environment_and_folder_reach_the_program(void **state) {
    (void)state;
    const struct pawl_helper_file files[] = {{"in/a.txt", PAWL_FOLDER_WORK, 0644, "one", 3},
                                             {"b", PAWL_FOLDER_PROGRAM, 0644, "two", 3}};
    const char *const env[] = {"GREETING=hello", "HOME=/tmp", NULL};
    struct shell *s = shell("cat; cat a.txt /run/pawl/b; echo \" $PWD $GREETING $HOME $LANG $#\"");
    s->request.files = files;
    s->request.file_count = 2;
    s->request.env = env;
    s->request.cwd = "in";
    s->request.stdin_bytes = "zero ";
    s->request.stdin_length = 5;
    run_shell(s);
    assert_exited(s, PAWL_EXIT_STATUS, 0);
    assert_string_equal(s->seen.text[1], "zero onetwo /home/user/in hello /tmp C.UTF-8 0\n");
    free(s);
}

static void a_program_that_does_not_read_its_stdin_ends_all_the_same(void **state) {
    (void)state;
    static char much[1 << 20];
    struct shell *s = shell("exec <&-; exit 3");
    s->request.stdin_bytes = much;
    s->request.stdin_length = sizeof much;
    run_shell(s);
    assert_exited(s, PAWL_EXIT_STATUS, 3);
    free(s);
}

static void results_are_content_or_a_description_never_the_hosts(void **state) {
    (void)state;
    const char *const collect[] = {"a", "missing", "fifo", "link", "large", "folder", "through/a", NULL};
    struct shell *s = shell("echo hello >a; mkfifo fifo; ln -s /etc/passwd link; head -c 1001 /dev/zero >large;"
                            "mkdir folder; ln -s . through");
    s->request.collect = collect;
    run_shell(s);
    assert_exited(s, PAWL_EXIT_STATUS, 0);
    static const uint32_t kinds[] = {PAWL_RESULT_REGULAR,   PAWL_RESULT_ABSENT,    PAWL_RESULT_OTHER,
                                     PAWL_RESULT_SYMLINK,   PAWL_RESULT_TOO_LARGE, PAWL_RESULT_DIRECTORY,
                                     PAWL_RESULT_UNREADABLE};
    assert_int_equal(s->seen.file_count, 7);
    for (unsigned i = 0; i < 7; i++)
        assert_int_equal(s->seen.files[i].kind, kinds[i]);
    assert_string_equal(s->seen.data[0], "hello\n");
    assert_string_equal(s->seen.data[3], "/etc/passwd");
    assert_int_equal(s->seen.files[4].size, 1001);
    assert_int_equal(s->seen.files[6].error, ELOOP);
    free(s);
}

static void results_share_one_budget(void **state) {
    (void)state;
    const char *const collect[] = {"a", "b", "c", NULL};
    struct shell *s = shell("head -c 900 /dev/zero >a; head -c 601 /dev/zero >b; head -c 600 /dev/zero >c");
    s->request.collect = collect;
    run_shell(s);
    assert_int_equal(s->seen.files[0].kind, PAWL_RESULT_REGULAR);
    assert_int_equal(s->seen.files[1].kind, PAWL_RESULT_TOO_LARGE);
    assert_int_equal(s->seen.files[2].kind, PAWL_RESULT_REGULAR);
    free(s);
}

static void assert_killed(struct shell *s, enum pawl_helper_end end) {
    assert_int_equal(s->result.end, end);
    assert_true(s->result.confirmed);
    assert_true(s->result.ended_ns - s->result.called_ns < KILL_SLACK_NS);
    free(s);
}

static void the_timeout_counts_from_exec_and_kills_whatever_the_program_ignores(void **state) {
    (void)state;
    static const char *const scripts[] = {"trap '' TERM INT HUP; while :; do :; done", "kill -STOP $$", "sleep 1000",
                                          "for i in 1 2 3 4 5 6 7 8; do (trap '' TERM; sleep 1000) & done; wait"};
    for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++) {
        struct shell *s = shell(scripts[i]);
        s->request.timeout_ns = 30 * MS;
        run_shell(s);
        assert_true(s->result.started);
        assert_true(s->result.ended_ns >= s->result.times.exec_ns + 30 * MS);
        assert_killed(s, PAWL_HELPER_TIMED_OUT);
    }
}

static void a_timeout_of_zero_kills_at_once(void **state) {
    (void)state;
    struct shell *s = shell("sleep 1000");
    s->request.timeout_ns = 0;
    run_shell(s);
    assert_killed(s, PAWL_HELPER_TIMED_OUT);
}

static void a_deadline_may_be_over_before_anything_ran(void **state) {
    (void)state;
    struct shell *s = shell("sleep 1000");
    s->deadline_ns = 1;
    run_shell(s);
    assert_killed(s, PAWL_HELPER_DEADLINE);
}

static void a_cancel_may_come_before_or_during_the_run(void **state) {
    (void)state;
    struct shell *s = shell("sleep 1000");
    s->cancel_fd = eventfd(1, EFD_CLOEXEC);
    run_shell(s);
    close(s->cancel_fd);
    assert_killed(s, PAWL_HELPER_CANCELLED);
    int pair[2];
    assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
    s = shell("echo ready; sleep 1000");
    s->cancel_fd = pair[0];
    pid_t canceller = fork(); /* the end of the pipe is readable too */
    if (canceller == 0)
        _exit(0);
    close(pair[1]);
    run_shell(s);
    close(pair[0]);
    waitpid(canceller, NULL, 0);
    assert_killed(s, PAWL_HELPER_CANCELLED);
}

static void a_flood_is_stopped_when_the_sink_says_so(void **state) {
    (void)state;
    struct shell *s = shell("while :; do echo flood; echo flood >&2; done");
    s->seen.stop_after = 10000;
    run_shell(s);
    assert_true(s->seen.bytes[1] <= 10000 + PAWL_WIRE_MESSAGE_MAX);
    assert_killed(s, PAWL_HELPER_STOPPED);
}

static void the_last_output_before_a_kill_is_kept(void **state) {
    (void)state;
    struct shell *s = shell("echo last words; sleep 1000");
    s->request.timeout_ns = 200 * MS;
    run_shell(s);
    assert_string_equal(s->seen.text[1], "last words\n");
    assert_killed(s, PAWL_HELPER_TIMED_OUT);
}

static void daemons_neither_delay_the_end_nor_outlive_it(void **state) {
    (void)state;
    struct shell *s = shell("(setsid sleep 1000 &) ; setsid sleep 1000 >/dev/null 2>&1 & exit 5");
    run_shell(s);
    assert_exited(s, PAWL_EXIT_STATUS, 5);
    assert_true(s->result.exit.flags & PAWL_EXIT_LEFTOVERS);
    assert_true(s->result.ended_ns - s->result.called_ns < KILL_SLACK_NS);
    free(s);
}

static void a_program_that_closes_its_streams_or_kills_all_it_can_is_still_reported(void **state) {
    (void)state;
    struct shell *s = shell("exec 0<&- 1>&- 2>&-; kill -9 1; kill -9 -1; exit 9");
    run_shell(s);
    assert_exited(s, PAWL_EXIT_STATUS, 9);
    free(s);
}

static void the_cpu_limit_is_told_from_other_signals(void **state) {
    (void)state;
    struct shell *s = shell("while :; do :; done");
    s->request.limits.cpu_ns = 1;
    run_shell(s);
    assert_exited(s, PAWL_EXIT_SIGNAL, SIGXCPU);
    assert_true(s->result.exit.flags & PAWL_EXIT_CPU_LIMIT);
    free(s);
}

static void processes_are_limited_also_for_root(void **state) {
    (void)state;
    struct shell *s = shell("for i in 1 2 3 4 5 6 7 8 9; do sleep 1000 & done; exit 0");
    s->request.limits.processes = 4;
    s->request.timeout_ns = 100 * MS; /* bash keeps trying */
    run_shell(s);
    assert_non_null(strstr(s->seen.text[2], "fork"));
    free(s);
}

static void a_program_that_cannot_be_started_is_refused_with_the_remedy(void **state) {
    (void)state;
    struct shell *s = shell("");
    s->request.exec = "/bin/no-such-program";
    run_shell(s);
    assert_int_equal(s->result.end, PAWL_HELPER_REFUSED);
    assert_int_equal(s->result.stage, PAWL_STAGE_EXEC);
    assert_int_equal(s->result.error, ENOENT);
    assert_non_null(strstr(s->result.text, "/bin/no-such-program"));
    assert_false(s->result.started);
    assert_false(s->result.may_have_run);
    free(s);
}

static void a_refusal_is_heard_although_most_of_the_request_was_never_read(void **state) {
    (void)state;
    static char much[1 << 20];
    const struct pawl_helper_file files[] = {{"../up", PAWL_FOLDER_WORK, 0644, "x", 1},
                                             {"much", PAWL_FOLDER_WORK, 0644, much, sizeof much}};
    for (int i = 0; i < 20; i++) {
        struct shell *s = shell("");
        s->request.files = files;
        s->request.file_count = 2;
        run_shell(s);
        assert_int_equal(s->result.end, PAWL_HELPER_REFUSED);
        assert_int_equal(s->result.stage, PAWL_STAGE_REQUEST);
        assert_non_null(strstr(s->result.text, "'../up'"));
        free(s);
    }
}

static void folders_of_the_kernel_or_the_sandbox_are_not_shown(void **state) {
    (void)state;
    static const char *const refused[] = {"/proc", "/sys/kernel", "/etc/ssl/private", "/home", "/no-such-folder"};
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        const char *const binds[] = {refused[i], NULL};
        struct shell *s = shell("");
        s->request.binds = binds;
        run_shell(s);
        assert_int_equal(s->result.end, PAWL_HELPER_REFUSED);
        assert_int_equal(s->result.stage, PAWL_STAGE_BIND);
        assert_non_null(strstr(s->result.text, refused[i]));
        free(s);
    }
}

static void a_folder_of_the_host_is_shown_read_only(void **state) {
    (void)state;
    char folder[] = "/var/tmp/pawl-bind-XXXXXX", file[64];
    assert_non_null(mkdtemp(folder));
    snprintf(file, sizeof file, "%s/shown", folder);
    FILE *out = fopen(file, "w");
    assert_non_null(out);
    fputs("from the host", out);
    fclose(out);
    assert_int_equal(chmod(folder, 0755), 0);
    const char *const binds[] = {folder, NULL};
    char script[256];
    snprintf(script, sizeof script, "cat %s; echo x 2>/dev/null >%s || exit 4", file, file);
    struct shell *s = shell(script);
    s->request.binds = binds;
    run_shell(s);
    remove(file);
    remove(folder);
    assert_exited(s, PAWL_EXIT_STATUS, 4);
    assert_string_equal(s->seen.text[1], "from the host");
    free(s);
}

/* Where the guest has symlinks, a bind's path must not be followed through them, least of all out to the host. */
static void a_bind_makes_no_folder_on_the_host(void **state) {
    (void)state;
    char folder[] = "/var/tmp/pawl-bind-XXXXXX";
    assert_non_null(mkdtemp(folder));
    const char *const binds[] = {folder, NULL};
    struct shell *s = shell("");
    s->request.binds = binds;
    assert_int_equal(chmod(folder, 0755), 0);
    run_shell(s);
    assert_int_not_equal(access(folder + 4, F_OK), 0); /* the same name in /tmp */
    assert_int_equal(rmdir(folder), 0);
    free(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams_are_apart_and_the_status_is_exact),
        cmocka_unit_test(signals_are_reported_as_the_kernel_tells_them),
        cmocka_unit_test(stdin_files_environment_and_folder_reach_the_program),
        cmocka_unit_test(a_program_that_does_not_read_its_stdin_ends_all_the_same),
        cmocka_unit_test(results_are_content_or_a_description_never_the_hosts),
        cmocka_unit_test(results_share_one_budget),
        cmocka_unit_test(the_timeout_counts_from_exec_and_kills_whatever_the_program_ignores),
        cmocka_unit_test(a_timeout_of_zero_kills_at_once),
        cmocka_unit_test(a_deadline_may_be_over_before_anything_ran),
        cmocka_unit_test(a_cancel_may_come_before_or_during_the_run),
        cmocka_unit_test(a_flood_is_stopped_when_the_sink_says_so),
        cmocka_unit_test(the_last_output_before_a_kill_is_kept),
        cmocka_unit_test(daemons_neither_delay_the_end_nor_outlive_it),
        cmocka_unit_test(a_program_that_closes_its_streams_or_kills_all_it_can_is_still_reported),
        cmocka_unit_test(the_cpu_limit_is_told_from_other_signals),
        cmocka_unit_test(processes_are_limited_also_for_root),
        cmocka_unit_test(a_program_that_cannot_be_started_is_refused_with_the_remedy),
        cmocka_unit_test(a_refusal_is_heard_although_most_of_the_request_was_never_read),
        cmocka_unit_test(folders_of_the_kernel_or_the_sandbox_are_not_shown),
        cmocka_unit_test(a_folder_of_the_host_is_shown_read_only),
        cmocka_unit_test(a_bind_makes_no_folder_on_the_host),
    };
    return cmocka_run_group_tests(tests, start_helper, stop_helper);
}
