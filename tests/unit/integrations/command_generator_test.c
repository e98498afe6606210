/* The command generator, against small shell scripts. Real processes, real time, and no sleep of the test's own. */
#include "bed.h"
#include "failing_malloc.h"
#include <pawl/integrations/fix.h>
#include <pawl/primitives/parallel.h>

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define SHELL(script) ((const char *const[]){"sh", "-c", script, NULL})
#define ASK "{\"input\": {\"program\": \"x\"}, \"round\": 1}"
#define COUNTING "i=0; while read -r line; do i=$((i+1)); echo $i; done"
#define HANGING "read -r line; echo hanging >&2; exec sleep 1000"

static pawl_runtime *runtime;

static int set_up(void **state) {
    (void)state;
    runtime = pawl_runtime_with(.seed = 1);
    return runtime ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    pawl_runtime_unref(runtime);
    return 0;
}

static void expect_no_process(void) {
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

static void answers(pawl_primitive *node, const char *expected) {
    pawl_context *ctx = pawl_context_new(runtime);
    expect_output(node, ctx, ASK, expected);
    pawl_context_unref(ctx);
}

static void fails(pawl_primitive *node, pawl_status status, const char *part) {
    pawl_context *ctx = pawl_context_new(runtime);
    expect_failure(node, ctx, ASK, status, part);
    pawl_context_unref(ctx);
}

static void give_back(pawl_primitive *node) {
    pawl_primitive_unref(node);
    expect_no_process();
}

/* ---- the protocol ---- */

static void a_request_is_one_line_with_version_and_input(void **state) {
    (void)state;
    pawl_primitive *node = pawl_command_generator("echo", .argv = (const char *const[]){"cat", NULL});
    answers(node, "{\"version\":1,\"input\":{\"program\":\"x\"},\"round\":1}");
    give_back(node);
}

static void the_command_lives_on_for_later_requests(void **state) {
    (void)state;
    pawl_primitive *node = pawl_command_generator("count", .argv = SHELL(COUNTING));
    answers(node, "1");
    answers(node, "2");
    answers(node, "3");
    give_back(node);
}

static void a_command_that_ends_after_its_answer_is_started_again(void **state) {
    (void)state;
    pawl_primitive *node = pawl_command_generator("once", .argv = SHELL("read -r line; echo '\"text\"'"));
    answers(node, "\"text\"");
    answers(node, "\"text\"");
    give_back(node);
}

static void the_last_line_needs_no_line_end(void **state) {
    (void)state;
    pawl_primitive *node = pawl_command_generator("once", .argv = SHELL("read -r line; printf null"));
    answers(node, "null");
    give_back(node);
}

static void a_long_request_is_sent_whole(void **state) {
    (void)state;
    size_t length = 1 << 20;
    char *in = malloc(length + 3);
    memset(in, 'x', length + 2);
    in[0] = in[length + 1] = '"';
    in[length + 2] = '\0';
    pawl_primitive *node = pawl_command_generator("count", .argv = SHELL("head -n 1 | wc -c"));
    pawl_context *ctx = pawl_context_new(runtime);
    char expected[32];
    snprintf(expected, sizeof expected, "%zu", length + strlen("{\"version\":1,\"input\":\"\"}\n"));
    expect_output(node, ctx, in, expected);
    pawl_context_unref(ctx);
    free(in);
    give_back(node);
}

static void a_command_may_answer_without_reading(void **state) {
    (void)state;
    signal(SIGPIPE, SIG_DFL); /* it must not come */
    pawl_primitive *node = pawl_command_generator("deaf", .argv = SHELL("exec <&-; echo 7"));
    answers(node, "7");
    give_back(node);
}

static void the_environment_can_be_given(void **state) {
    (void)state;
    const char *const env[] = {"PATH=/usr/bin:/bin", "KEY=a value", NULL};
    pawl_primitive *node = pawl_command_generator("env", .argv = SHELL("read -r l; echo \"\\\"$KEY\\\"\""), .env = env);
    answers(node, "\"a value\"");
    give_back(node);
}

static void no_descriptor_of_the_hosts_reaches_it(void **state) {
    (void)state;
    int inheritable = dup(2);
    assert_true(inheritable > 2);
    pawl_primitive *node = pawl_command_generator(
        "fds", .argv = SHELL("read -r l; for n in 3 4 5 6 7 8 9 10; do [ -e /proc/self/fd/$n ] && echo $n; done; "
                             "echo null"));
    answers(node, "null");
    close(inheritable);
    give_back(node);
}

/* ---- what goes wrong ---- */

static void an_exit_without_an_answer_tells_status_and_last_words(void **state) {
    (void)state;
    pawl_primitive *node = pawl_command_generator("bad", .argv = SHELL("echo first >&2; echo no key >&2; exit 3"));
    fails(node, PAWL_E_UNAVAILABLE, "ended with status 3 without an answer; its last words: no key");
    give_back(node);
    node = pawl_command_generator("killed", .argv = SHELL("kill -9 $$"));
    fails(node, PAWL_E_UNAVAILABLE, "ended by signal 9");
    give_back(node);
}

static void nonsense_is_a_protocol_error_that_shows_it(void **state) {
    (void)state;
    pawl_primitive *node = pawl_command_generator("chat", .argv = SHELL("read -r l; echo Sure, here is the program"));
    fails(node, PAWL_E_PROTOCOL, "answered with no JSON: 'Sure, here is the program'");
    give_back(node);
}

static void two_lines_are_one_too_many(void **state) {
    (void)state;
    pawl_primitive *node = pawl_command_generator("twice", .argv = SHELL("read -r l; printf '1\\n2\\n'; read -r l"));
    fails(node, PAWL_E_PROTOCOL, "nobody asked for");
    give_back(node);
}

static void an_endless_line_is_cut_off(void **state) {
    (void)state;
    pawl_primitive *node =
        pawl_command_generator("endless", .argv = SHELL("exec tr '\\0' x </dev/zero"), .max_line_bytes = 100000);
    fails(node, PAWL_E_LIMIT, "longer than 100000 bytes; raise max_line_bytes");
    give_back(node);
}

static pawl_status status_of(pawl_primitive *node) {
    pawl_context *ctx = pawl_context_new(runtime);
    pawl_status status = pawl_run(node, ctx, NULL, NULL, NULL);
    pawl_context_unref(ctx);
    return status;
}

static void a_command_that_cannot_be_started_says_why(void **state) {
    (void)state;
    pawl_primitive *node = pawl_command_generator("none", .argv = (const char *const[]){"/no/such/command", NULL});
    fails(node, PAWL_E_NOT_FOUND, "command '/no/such/command'");
    give_back(node);
    node = pawl_command_generator("no program", .argv = (const char *const[]){"/dev/null", NULL});
    pawl_status status = status_of(node);
    assert_true(status == PAWL_E_DENIED || status == PAWL_E_NOT_FOUND); /* an emulator cannot tell them apart */
    give_back(node);
    node = pawl_command_generator("shell", .argv = SHELL("no-such-command"));
    fails(node, PAWL_E_NOT_FOUND, "status 127");
    give_back(node);
}

static void a_late_answer_is_a_timeout_and_the_command_killed(void **state) {
    (void)state;
    pawl_primitive *node = pawl_command_generator("slow", .argv = SHELL(HANGING), .timeout_ns = PAWL_MS(20));
    fails(node, PAWL_E_TIMEOUT, "gave no answer within 0.02 s");
    expect_no_process(); /* at once, not only at the end of the node */
    give_back(node);
}

static void the_deadline_of_the_run_counts_too(void **state) {
    (void)state;
    pawl_primitive *node = pawl_command_generator("slow", .argv = SHELL(HANGING));
    pawl_context *ctx = pawl_context_new(runtime);
    assert_int_equal(pawl_context_set_timeout(ctx, PAWL_MS(20), NULL), PAWL_OK);
    expect_failure(node, ctx, ASK, PAWL_E_DEADLINE, NULL);
    pawl_context_unref(ctx);
    expect_no_process();
    give_back(node);
}

static void cancel_it(void *user, const char *bytes, size_t length) {
    assert_int_equal(length, strlen("hanging\n"));
    assert_memory_equal(bytes, "hanging\n", length);
    pawl_context_cancel(user, PAWL_CANCEL_USER, "changed my mind");
}

static void a_cancel_ends_it_and_kills_the_command(void **state) {
    (void)state;
    pawl_context *ctx = pawl_context_new(runtime);
    pawl_primitive *node = pawl_command_generator("slow", .argv = SHELL(HANGING), .on_stderr = cancel_it, .user = ctx);
    expect_failure(node, ctx, ASK, PAWL_E_CANCELLED, "changed my mind");
    expect_no_process();
    pawl_context_unref(ctx);
    give_back(node);
}

static void note_pid(void *user, const char *bytes, size_t length) {
    (void)length;
    *(int *)user = atoi(bytes);
}

static bool is_dead(int pid) {
    char path[64], state = 'X';
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *in = fopen(path, "r");
    if (!in)
        return true;
    int got = fscanf(in, "%*d %*s %c", &state);
    fclose(in);
    return got != 1 || state == 'Z' || state == 'X';
}

static void what_the_command_started_is_killed_with_it(void **state) {
    (void)state;
    int pid = 0;
    pawl_primitive *node = pawl_command_generator("family", .argv = SHELL("sleep 1000 & echo $! >&2; wait"),
                                                  .timeout_ns = PAWL_MS(300), .on_stderr = note_pid, .user = &pid);
    fails(node, PAWL_E_TIMEOUT, NULL);
    assert_true(pid > 1);
    for (int i = 0; i < 100000 && !is_dead(pid); i++)
        ;
    assert_true(is_dead(pid));
    give_back(node);
}

static void a_deaf_command_is_killed_with_the_node(void **state) {
    (void)state;
    pawl_primitive *node =
        pawl_command_generator("deaf", .argv = SHELL("trap '' TERM; read -r l; echo 1; exec sleep 1000"));
    answers(node, "1");
    give_back(node);
}

static void runs_beside_each_other_have_a_process_each(void **state) {
    (void)state;
    char folder[] = "/tmp/pawl-test-XXXXXX", setting[64], command[128]; /* each waits there for the other */
    assert_non_null(mkdtemp(folder));
    snprintf(setting, sizeof setting, "FOLDER=%s", folder);
    const char *const env[] = {setting, "PATH=/usr/bin:/bin", NULL};
    pawl_primitive *node = pawl_command_generator(
        "meet", .argv = SHELL("read -r l; : >$FOLDER/$$; until set -- $FOLDER/*; [ $# -ge 2 ]; do :; done; echo $#"),
        .env = env);
    pawl_primitive *both = pawl_parallel("both", PAWL_CHILDREN(pawl_primitive_ref(node), pawl_primitive_ref(node)));
    answers(both, "[2,2]");
    pawl_primitive_unref(both);
    give_back(node);
    snprintf(command, sizeof command, "rm -r %s", folder);
    assert_int_equal(system(command), 0);
}

static void more_runs_than_processes_are_rejected(void **state) {
    (void)state;
    pawl_primitive *node = pawl_command_generator("slow", .argv = SHELL(HANGING), .max_processes = 1);
    pawl_primitive *both = pawl_parallel("both", PAWL_CHILDREN(pawl_primitive_ref(node), pawl_primitive_ref(node)));
    fails(both, PAWL_E_REJECTED, "all 1 processes are busy; raise max_processes");
    pawl_primitive_unref(both);
    give_back(node);
}

static void bad_options_name_the_remedy(void **state) {
    (void)state;
    expect_broken(pawl_command_generator_new("none", NULL), PAWL_E_INVALID, "argv is required");
    expect_broken(pawl_command_generator("none", .argv = (const char *const[]){NULL}), PAWL_E_INVALID,
                  "argv is required");
    expect_broken(pawl_command_generator("none", .argv = SHELL("true"), .max_line_bytes = PAWL_UNLIMITED),
                  PAWL_E_INVALID, "max_line_bytes");
    expect_broken(pawl_command_generator("none", .argv = SHELL("true"), .max_processes = PAWL_ZERO), PAWL_E_INVALID,
                  "max_processes is 0; set 1 to 1024");
}

static void running_out_of_memory_anywhere_leaves_nothing_behind(void **state) {
    (void)state;
    for_each_failing_allocation(n) {
        pawl_primitive *node = pawl_command_generator("once", .argv = SHELL("read -r l; echo 1"));
        pawl_context *ctx = pawl_context_new(runtime);
        pawl_value *out = NULL;
        pawl_error *err = NULL;
        if (ctx) {
            pawl_status status = pawl_run(node, ctx, NULL, &out, &err);
            if (status != PAWL_OK)
                assert_true(allocations_failed() > 0 && status == PAWL_E_NOMEM);
        }
        pawl_error_unref(err);
        pawl_value_unref(out);
        pawl_context_unref(ctx);
        give_back(node);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_one_line_with_version_and_input),
        cmocka_unit_test(the_command_lives_on_for_later_requests),
        cmocka_unit_test(a_command_that_ends_after_its_answer_is_started_again),
        cmocka_unit_test(the_last_line_needs_no_line_end),
        cmocka_unit_test(a_long_request_is_sent_whole),
        cmocka_unit_test(a_command_may_answer_without_reading),
        cmocka_unit_test(the_environment_can_be_given),
        cmocka_unit_test(no_descriptor_of_the_hosts_reaches_it),
        cmocka_unit_test(an_exit_without_an_answer_tells_status_and_last_words),
        cmocka_unit_test(nonsense_is_a_protocol_error_that_shows_it),
        cmocka_unit_test(two_lines_are_one_too_many),
        cmocka_unit_test(an_endless_line_is_cut_off),
        cmocka_unit_test(a_command_that_cannot_be_started_says_why),
        cmocka_unit_test(a_late_answer_is_a_timeout_and_the_command_killed),
        cmocka_unit_test(the_deadline_of_the_run_counts_too),
        cmocka_unit_test(a_cancel_ends_it_and_kills_the_command),
        cmocka_unit_test(what_the_command_started_is_killed_with_it),
        cmocka_unit_test(a_deaf_command_is_killed_with_the_node),
        cmocka_unit_test(runs_beside_each_other_have_a_process_each),
        cmocka_unit_test(more_runs_than_processes_are_rejected),
        cmocka_unit_test(bad_options_name_the_remedy),
        cmocka_unit_test(running_out_of_memory_anywhere_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
