/*
 * What sandboxes make of the machine: missing mechanisms, interpreters in odd places, root and ordinary users. The
 * numbers are those of the catalogue of sandbox tests.
 */
#include "programs.h"

#include <fcntl.h>
#include <grp.h>
#include <pawl/run.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

/* ---- a host of its own, in a child process ---- */

/* Runs body in a fork, with a copy of the helper that everybody can execute. Its number is the child's exit status. */
static int in_child(int (*body)(const char *helper)) {
    char folder[] = "/tmp/sandbox_machine.XXXXXX", command[512], helper[64];
    int status = 0;
    assert_non_null(mkdtemp(folder));
    snprintf(helper, sizeof helper, "%s/pawl-sandbox", folder);
    snprintf(command, sizeof command, "chmod 755 %s && cp '%s' %s", folder, getenv("PAWL_HELPER"), helper);
    assert_int_equal(system(command), 0);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0)
        _exit(body(helper));
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    assert_int_equal(system(command), 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static bool become_nobody(void) {
    if (geteuid() == 0 && (setgroups(0, NULL) != 0 || setgid(65534) != 0 || setuid(65534) != 0))
        return false;
    return prctl(PR_SET_DUMPABLE, 1) == 0; /* else its own /proc files are root's */
}

static int write_text(const char *path, const char *text) {
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    ssize_t wrote = fd < 0 ? -1 : write(fd, text, strlen(text));
    if (fd >= 0)
        close(fd);
    return wrote < 0;
}

/* In a user namespace of its own the limit can be lowered without harm to others. */
static int without_user_namespaces(const char *helper) {
    pawl_error *error = NULL;
    char map[64];
    if (!become_nobody())
        return 77;
    snprintf(map, sizeof map, "0 %u 1", (unsigned)geteuid());
    if (unshare(CLONE_NEWUSER) != 0 || write_text("/proc/self/setgroups", "deny") ||
        write_text("/proc/self/uid_map", map) || write_text("/proc/sys/user/max_user_namespaces", "0"))
        return 77;
    pawl_sandbox_provider *provider = pawl_local_provider_with(NULL, &error, .helper_path = helper);
    print_message("%s\n", pawl_error_message(error));
    if (provider || pawl_error_status(error) != PAWL_E_UNSUPPORTED)
        return 1;
    return strstr(pawl_error_message(error), "user namespace") &&
                   strstr(pawl_error_message(error), "max_user_namespaces")
               ? 0
               : 2;
}

static void test_73_without_user_namespaces_there_is_a_clear_error_and_no_weaker_sandbox(void **state) {
    (void)state;
    int answer = in_child(without_user_namespaces);
    if (answer == 77)
        skip(); /* this machine does not let the test lower its own limit */
    assert_int_equal(answer, 0);
}

/* ---- interpreters ---- */

static void run_in(const char *python, const char *code, const char *printed) {
    pawl_error *error = NULL;
    pawl_sandbox_provider *provider = pawl_local_provider_with(programs_runtime(), &error, .python = python);
    pawl_context *ctx = pawl_context_new(programs_runtime());
    pawl_execution_request request = program("python", code);
    pawl_execution_result *result = NULL;
    assert_non_null(provider);
    if (pawl_sandbox_run_once(provider, ctx, &request, &result, &error) != PAWL_OK)
        print_message("%s\n", pawl_error_message(error));
    assert_non_null(result);
    assert_printed(result, printed);
    pawl_execution_result_free(result);
    pawl_context_unref(ctx);
    pawl_sandbox_provider_unref(provider);
}

static void test_79_virtual_environments_and_other_prefixes_work(void **state) {
    (void)state;
    char root[] = "/tmp/sandbox_machine.XXXXXX", command[1024], path[128], expected[256];
    assert_non_null(mkdtemp(root));
    snprintf(
        command, sizeof command,
        "set -e; chmod 755 %s; cd %s; real=$(readlink -f /usr/bin/python3); mkdir -p venv/bin "
        "venv/lib/${real##*/}/site-packages own/bin own/lib; ln -s $real venv/bin/python3; "
        "echo home=/usr/bin > venv/pyvenv.cfg; echo 'x = 5' > venv/lib/${real##*/}/site-packages/mine.py; "
        "cp $real own/bin/; cp -r /usr/lib/${real##*/} own/lib/ 2>/dev/null || true; mv own/bin/* own/bin/python3.x",
        root, root);
    assert_int_equal(system(command), 0);
    snprintf(path, sizeof path, "%s/venv/bin/python3", root);
    snprintf(expected, sizeof expected, "5 %s/venv\n", root);
    run_in(path, "import mine, sys\nprint(mine.x, sys.prefix)", expected);
    snprintf(path, sizeof path, "%s/own/bin/python3.x", root);
    snprintf(expected, sizeof expected, "%s/own\n", root);
    run_in(path, "import sys, json\nprint(sys.prefix)", expected);
    snprintf(command, sizeof command, "rm -rf %s", root);
    assert_int_equal(system(command), 0);
}

static void test_79_a_missing_interpreter_is_a_clear_error(void **state) {
    (void)state;
    pawl_error *error = NULL;
    pawl_sandbox_provider *provider =
        pawl_local_provider_with(programs_runtime(), &error, .python = "/nowhere/python3", .node = "/etc/passwd");
    pawl_context *ctx = pawl_context_new(programs_runtime());
    pawl_execution_request request = program("python", "");
    pawl_execution_result *result = NULL;
    assert_non_null(provider);
    assert_int_equal(pawl_sandbox_run_once(provider, ctx, &request, &result, &error), PAWL_E_UNSUPPORTED);
    assert_non_null(strstr(pawl_error_message(error), "/nowhere/python3"));
    assert_non_null(strstr(pawl_error_message(error), "install python3"));
    error = pawl_error_unref(error);
    request.language = "node";
    assert_int_equal(pawl_sandbox_run_once(provider, ctx, &request, &result, &error), PAWL_E_UNSUPPORTED);
    assert_non_null(strstr(pawl_error_message(error), "a script"));
    pawl_error_unref(error), pawl_context_unref(ctx), pawl_sandbox_provider_unref(provider);
}

/* ---- who the guest is on the host ---- */

static void test_80_the_limit_on_processes_holds(void **state) {
    (void)state;
    const pawl_execution_limits limits = {.size = sizeof limits, .processes = 10};
    pawl_execution_request request = program("python", "import os, time\nfor i in range(40):\n    try:\n"
                                                       "        if os.fork() == 0: time.sleep(20); os._exit(0)\n"
                                                       "    except OSError: break\nprint(i + 1)");
    request.limits = &limits;
    pawl_execution_result *result = run_program(&request);
    assert_printed(result, "10\n"); /* itself and nine; the tenth was refused */
    pawl_execution_result_free(result);
}

static int as_nobody(const char *helper) {
    pawl_error *error = NULL;
    if (!become_nobody())
        return 77;
    setenv("PAWL_HELPER", helper, 1);
    if (start_programs(NULL) != 0)
        return 1;
    pawl_primitive *node = pawl_code_execution("run", .provider = programs_provider());
    pawl_value *out = run_node(node, "{\"code\":\"print(6 * 7)\"}", &error);
    bool right = strcmp(pawl_value_get_string(out, "output", ""), "42\n") == 0;
    pawl_value_unref(out);
    pawl_primitive_unref(node);
    return right && stop_programs(NULL) == 0 ? 0 : 2;
}

static void test_80_an_ordinary_user_can_do_the_same(void **state) {
    (void)state;
    if (geteuid() != 0)
        skip(); /* all of these tests ran as one */
    assert_int_equal(in_child(as_nobody), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_73_without_user_namespaces_there_is_a_clear_error_and_no_weaker_sandbox),
        cmocka_unit_test(test_79_virtual_environments_and_other_prefixes_work),
        cmocka_unit_test(test_79_a_missing_interpreter_is_a_clear_error),
        cmocka_unit_test(test_80_the_limit_on_processes_holds),
        cmocka_unit_test(test_80_an_ordinary_user_can_do_the_same),
    };
    return cmocka_run_group_tests(tests, start_programs, stop_programs);
}
