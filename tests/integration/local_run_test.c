/* What the local provider does with programs, files, streams and mistakes. */
#include "programs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "failing_malloc.h"

/* ---- languages, input, environment ---- */

static void each_language_runs_and_sees_arguments_input_and_environment(void **state) {
    (void)state;
    static const char *const programs[][2] = {
        {"python", "import sys, os\nprint(sys.argv[1:], sys.stdin.read(), os.environ['GREETING'])"},
        {"javascript", "const i = require('fs').readFileSync(0, 'utf8');\n"
                       "console.log(JSON.stringify(process.argv.slice(2)).replace(/\"/g, \"'\").replace(',', ', '), i, "
                       "process.env.GREETING)"},
        {"bash", "printf \"['%s', '%s'] %s %s\\n\" \"$1\" \"$2\" \"$(cat)\" \"$GREETING\""}};
    static const char *const args[] = {"a b", "-c"};
    static const char *const env[] = {"GREETING=hello"};
    for (size_t i = 0; i < 3; i++) {
        pawl_execution_request request = program(programs[i][0], programs[i][1]);
        request.args = args, request.arg_count = 2;
        request.env = env, request.env_count = 1;
        request.stdin_bytes = "in", request.stdin_length = 2;
        pawl_execution_result *result = run_program(&request);
        assert_outcome(result, "ok");
        assert_printed(result, "['a b', '-c'] in hello\n");
        assert_int_equal(result->exit_status, 0);
        assert_string_equal(result->tier, "local");
        assert_non_null(strstr(result->mechanisms, "seccomp"));
        pawl_execution_result_free(result);
    }
}

static void the_environment_is_empty_but_for_what_is_needed(void **state) {
    (void)state;
    setenv("PAWL_TEST_SECRET", "swordfish", 1);
    pawl_execution_result *result = run_python("import os\nprint(sorted(os.environ))");
    assert_printed(result, "['HOME', 'LANG', 'LOGNAME', 'PATH', 'SHELL', 'TMPDIR', 'USER']\n");
    pawl_execution_result_free(result);
}

static void streams_are_apart_and_in_order(void **state) {
    (void)state;
    pawl_execution_result *result = run_python("import sys\nprint('out')\nprint('err', file=sys.stderr)\nsys.exit(7)");
    assert_outcome(result, "nonzero_exit");
    assert_int_equal(result->exit_status, 7);
    assert_string_equal(result->stdout_stream.bytes, "out\n");
    assert_string_equal(result->stderr_stream.bytes, "err\n");
    pawl_execution_result_free(result);
}

static void timings_add_up_and_leave_out_the_set_up(void **state) {
    (void)state;
    pawl_execution_result *result = run_python("import time\ntime.sleep(0.05)");
    const pawl_execution_timings *t = &result->timings;
    assert_true(t->run_ns >= PAWL_MS(50));
    assert_true(t->create_ns > 0);
    assert_true(t->create_ns + t->run_ns + t->collect_ns <= t->total_ns);
    assert_true(result->resources.max_rss_bytes > 1000000);
    pawl_execution_result_free(result);
}

/* ---- files ---- */

static void files_go_in_are_imported_and_come_back(void **state) {
    (void)state;
    const pawl_execution_file files[] = {{"helper.py", "x = 5\n", 6, 0}, {"data/bytes", "\0\xff", 2, 0600}};
    static const char *const collect[] = {"out/r", "data/bytes", "none", "out"};
    pawl_execution_request request =
        program("python", "import helper, os\nos.mkdir('out')\nopen('out/r', 'wb').write(b'\\0r')\n"
                          "print(helper.x, oct(os.stat('data/bytes').st_mode), os.getcwd())");
    request.files = files, request.file_count = 2;
    request.collect = collect, request.collect_count = 4;
    pawl_execution_result *result = run_program(&request);
    assert_printed(result, "5 0o100600 /home/user\n");
    assert_int_equal(result->file_count, 4);
    assert_int_equal(result->files[0].kind, PAWL_COLLECTED_FILE);
    assert_int_equal(result->files[0].length, 2);
    assert_memory_equal(result->files[0].bytes, "\0r", 2);
    assert_memory_equal(result->files[1].bytes, "\0\xff", 2);
    assert_int_equal(result->files[1].mode, 0600);
    assert_int_equal(result->files[2].kind, PAWL_COLLECTED_ABSENT);
    assert_int_equal(result->files[3].kind, PAWL_COLLECTED_FOLDER);
    pawl_execution_result_free(result);
}

static void a_working_directory_is_made_and_imports_still_work(void **state) {
    (void)state;
    const pawl_execution_file files[] = {{"helper.py", "x = 5\n", 6, 0}};
    pawl_execution_request request = program("python", "import helper, os\nprint(helper.x, os.getcwd())");
    request.files = files, request.file_count = 1;
    request.working_directory = "deep/er";
    pawl_execution_result *result = run_program(&request);
    assert_printed(result, "5 /home/user/deep/er\n");
    pawl_execution_result_free(result);
}

static void what_is_over_the_collect_limit_is_only_described(void **state) {
    (void)state;
    const pawl_execution_limits limits = {.size = sizeof limits, .collect_bytes = 10};
    static const char *const collect[] = {"small", "large", "small"};
    pawl_execution_request request =
        program("python", "open('small', 'w').write('x' * 6)\nopen('large', 'w').write('x' * 11)");
    request.limits = &limits;
    request.collect = collect, request.collect_count = 3;
    pawl_execution_result *result = run_program(&request);
    assert_int_equal(result->files[0].length, 6);
    assert_int_equal(result->files[1].kind, PAWL_COLLECTED_TOO_LARGE);
    assert_int_equal(result->files[1].size, 11);
    assert_int_equal(result->files[2].kind, PAWL_COLLECTED_TOO_LARGE);
    pawl_execution_result_free(result);
}

/* ---- limits ---- */

static void each_limit_ends_or_refuses_and_says_so(void **state) {
    (void)state;
    static const struct {
        const char *code, *outcome;
        pawl_execution_limits limits;
    } list[] = {
        {"while True: pass", "cpu_limit", {.cpu_ns = PAWL_S(1)}},
        {"while True: pass", "wall_timeout", {.wall_ns = PAWL_MS(50)}},
        {"x = 'a'\nwhile True: x += x", "memory_limit", {.memory_bytes = PAWL_MIB(200)}},
        {"import os\nwhile os.fork(): pass\nimport time\ntime.sleep(9)", "process_limit", {.processes = 8}},
        {"with open('f', 'wb') as f: f.write(b'x' * 3000)", "exception", {.file_bytes = 1000}},
        {"open('f', 'wb').write(b'x' * 3000000)", "exception", {.work_bytes = PAWL_MIB(2)}},
        {"f = [open('/dev/null') for i in range(40)]", "exception", {.open_files = 20}},
        {"for i in range(400): open(f'f{i}', 'w').close()", "exception", {.work_files = 30}},
        {"print('x' * 100000)", "output_limit", {.output_total_bytes = 5000}},
    };
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        pawl_execution_limits limits = list[i].limits;
        pawl_execution_request request = program("python", list[i].code);
        limits.size = sizeof limits;
        request.limits = &limits;
        pawl_execution_result *result = run_program(&request);
        assert_outcome(result, list[i].outcome);
        assert_non_null(result->detail);
        pawl_execution_result_free(result);
    }
}

static void too_little_memory_to_start_is_refused_with_the_floor(void **state) {
    (void)state;
    static const struct {
        const char *language, *says;
        uint64_t bytes;
    } list[] = {{"python", "limits.memory_bytes is 0; a python program needs 16777216 at least", PAWL_ZERO},
                {"python", "limits.memory_bytes is 1;", 1},
                {"python", "limits.memory_bytes is 10485760;", PAWL_MIB(10)},
                {"javascript", "a javascript program needs 8388608 at least (8 MiB)", 1000},
                {"bash", "a bash program needs 8388608 at least", PAWL_MIB(8) - 1}};
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        pawl_execution_limits limits = {.size = sizeof limits, .memory_bytes = list[i].bytes};
        pawl_execution_request request = program(list[i].language, "");
        request.limits = &limits;
        assert_program_error(&request, PAWL_E_INVALID, list[i].says);
        limits.memory_bytes = list[i].language[0] == 'p' ? PAWL_MIB(16) : PAWL_MIB(8);
        pawl_execution_result *result = run_program(&request);
        assert_true(result->outcome == PAWL_EXECUTION_OK || result->outcome == PAWL_EXECUTION_MEMORY_LIMIT);
        pawl_execution_result_free(result);
    }
}

static void enormous_limits_are_none(void **state) {
    (void)state;
    static const char *const languages[] = {"python", "javascript", "bash"};
    const uint64_t most = PAWL_UNLIMITED / 2;
    const pawl_execution_limits limits = {.size = sizeof limits,
                                          .wall_ns = most,
                                          .cpu_ns = most,
                                          .memory_bytes = most,
                                          .file_bytes = most,
                                          .processes = most,
                                          .open_files = most};
    for (size_t i = 0; i < 3; i++) {
        pawl_execution_request request = program(languages[i], "");
        request.limits = &limits;
        pawl_execution_result *result = run_program(&request);
        assert_outcome(result, "ok");
        pawl_execution_result_free(result);
    }
}

static void a_cpu_limit_is_told_as_the_whole_seconds_that_are_kept(void **state) {
    (void)state;
    const pawl_execution_limits limits = {.size = sizeof limits, .cpu_ns = PAWL_MS(100)};
    pawl_execution_request request = program("python", "while True: pass");
    request.limits = &limits;
    pawl_execution_result *result = run_program(&request);
    assert_outcome(result, "cpu_limit");
    assert_int_equal(result->limits.cpu_ns, PAWL_S(1));
    assert_non_null(strstr(result->detail, "used up its 1 s of CPU time"));
    pawl_execution_result_free(result);
}

static void nodes_heap_is_bounded_too(void **state) {
    (void)state;
    const pawl_execution_limits limits = {.size = sizeof limits, .memory_bytes = PAWL_MIB(64)};
    pawl_execution_request request =
        program("javascript", "const a = []; for (;;) a.push(new Array(100000).fill(1.5));");
    request.limits = &limits;
    pawl_execution_result *result = run_program(&request);
    assert_outcome(result, "memory_limit");
    assert_int_equal(result->enforced[PAWL_LIMIT_MEMORY], PAWL_ENFORCED_BY_INTERPRETER);
    pawl_execution_result_free(result);
}

/* ---- streaming ---- */

struct heard {
    char out[64], err[64];
    uint64_t first_ns, started_ns;
};

static void hear_out(void *user, const void *bytes, size_t length) {
    struct heard *heard = user;
    if (!heard->first_ns)
        heard->first_ns = now_ns();
    strncat(heard->out, bytes, length < 40 ? length : 40);
}

static void hear_err(void *user, const void *bytes, size_t length) {
    strncat(((struct heard *)user)->err, bytes, length < 40 ? length : 40);
}

static void hear_start(void *user) {
    ((struct heard *)user)->started_ns = now_ns();
}

static void streams_arrive_while_the_program_runs(void **state) {
    (void)state;
    struct heard heard = {.first_ns = 0};
    const pawl_execution_handlers handlers = {.size = sizeof handlers,
                                              .on_stdout = hear_out,
                                              .on_stderr = hear_err,
                                              .on_started = hear_start,
                                              .user = &heard};
    pawl_execution_request request =
        program("python", "import sys, time\nprint('one')\nsys.stderr.write('e')\ntime.sleep(0.3)\nprint('two')");
    request.handlers = &handlers;
    pawl_execution_result *result = run_program(&request);
    uint64_t end = now_ns();
    assert_string_equal(heard.out, "one\ntwo\n");
    assert_string_equal(heard.err, "e");
    assert_true(heard.started_ns > 0);
    assert_true(end - heard.first_ns > PAWL_MS(200)); /* the first word came before the wait */
    pawl_execution_result_free(result);
}

static void words_before_a_kill_are_kept(void **state) {
    (void)state;
    pawl_execution_result *result = run_with_timeout("python", "print('so far')\nwhile True: pass", PAWL_MS(300));
    assert_outcome(result, "wall_timeout");
    assert_printed(result, "so far\n");
    pawl_execution_result_free(result);
}

static void the_error_is_found_however_much_came_before(void **state) {
    (void)state;
    pawl_execution_result *result = run_python("import sys\nsys.stderr.write('a' * 3000000 + '\\n')\n1 / 0");
    assert_outcome(result, "exception");
    assert_string_equal(result->error_name, "ZeroDivisionError");
    assert_int_equal(result->stderr_stream.bytes_kept, PAWL_MIB(1));
    assert_true(result->stderr_stream.bytes_seen > 3000000);
    assert_true(result->truncated);
    pawl_execution_result_free(result);
}

/* ---- mistakes ---- */

static void bad_requests_are_refused_by_field(void **state) {
    (void)state;
    static const char *const bad_env[] = {"NAME"}, *const null_arg[] = {NULL}, *const up[] = {"../x"};
    const pawl_execution_file main_file[] = {{"main.py", "", 0, 0}}, null_path[] = {{NULL, "", 0, 0}},
                              null_bytes[] = {{"a", NULL, 3, 0}}, big_mode[] = {{"a", "", 0, 01777}};
    const pawl_execution_limits unbounded = {.size = sizeof unbounded, .work_bytes = PAWL_UNLIMITED};
    const struct {
        pawl_execution_request request;
        pawl_status status;
        const char *says;
    } list[] = {
        {{.language = "cobol"}, PAWL_E_UNSUPPORTED, "'cobol'"},
        {{.language = NULL}, PAWL_E_UNSUPPORTED, "use python"},
        {{.code_length = 5}, PAWL_E_INVALID, "code is NULL"},
        {{.env = bad_env, .env_count = 1}, PAWL_E_INVALID, "write NAME=value"},
        {{.args = null_arg, .arg_count = 1}, PAWL_E_INVALID, "args[0] is NULL"},
        {{.arg_count = 1}, PAWL_E_INVALID, "args is NULL"},
        {{.args = null_arg, .arg_count = 100000}, PAWL_E_LIMIT, "args has 100000 items"},
        {{.collect = up, .collect_count = 1}, PAWL_E_INVALID, "collect: path '../x' has a '.' or '..' component; give"},
        {{.files = main_file, .file_count = 1}, PAWL_E_INVALID, "the name of the program itself"},
        {{.files = null_path, .file_count = 1}, PAWL_E_INVALID, "files has a path that is NULL"},
        {{.files = null_bytes, .file_count = 1}, PAWL_E_INVALID, "content of 'a' is NULL"},
        {{.files = big_mode, .file_count = 1}, PAWL_E_INVALID, "mode of 'a'"},
        {{.working_directory = "/tmp"}, PAWL_E_INVALID, "working_directory: path '/tmp' is absolute; give"},
        {{.limits = &unbounded}, PAWL_E_INVALID, "work_bytes is unlimited"},
    };
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        pawl_execution_request request = list[i].request;
        request.size = sizeof request;
        if (i > 1)
            request.language = "python";
        assert_program_error(&request, list[i].status, list[i].says);
    }
}

static void packages_are_denied_with_the_remedy(void **state) {
    (void)state;
    static const char *const install[] = {"numpy"};
    pawl_execution_request request = program("python", "print(1)");
    request.install = install, request.install_count = 1;
    pawl_execution_result *result = run_program(&request);
    assert_outcome(result, "denied");
    assert_non_null(strstr(result->detail, "install them"));
    assert_int_equal(result->started, 0);
    pawl_execution_result_free(result);
}

static void a_program_that_cannot_be_started_is_a_spawn_error(void **state) {
    (void)state;
    const pawl_execution_file both[] = {{"a", "", 0, 0}, {"a/b", "", 0, 0}};
    pawl_execution_request request = program("python", "print(1)");
    request.files = both, request.file_count = 2;
    pawl_execution_result *result = run_program(&request);
    assert_outcome(result, "spawn_error");
    assert_non_null(strstr(result->detail, "same path"));
    pawl_execution_result_free(result);
}

/* ---- the provider and its sandboxes ---- */

static void a_missing_helper_is_named_with_all_places_tried(void **state) {
    (void)state;
    pawl_error *error = NULL;
    assert_null(pawl_local_provider_with(NULL, &error, .helper_path = "/nowhere/pawl-sandbox"));
    assert_int_equal(pawl_error_status(error), PAWL_E_NOT_FOUND);
    assert_non_null(strstr(pawl_error_message(error), "/nowhere/pawl-sandbox"));
    error = pawl_error_unref(error);
    pawl_sandbox_provider *found = pawl_local_provider_with(NULL, &error);
    if (!found) { /* unless it is installed here */
        assert_int_equal(pawl_error_status(error), PAWL_E_NOT_FOUND);
        assert_non_null(strstr(pawl_error_message(error), "libexec/pawl/pawl-sandbox"));
        assert_non_null(strstr(pawl_error_message(error), "integration/pawl-sandbox"));
        assert_non_null(strstr(pawl_error_message(error), "helper_path"));
    }
    pawl_error_unref(error);
    pawl_sandbox_provider_unref(found);
}

static void a_helper_that_is_none_is_unavailable(void **state) {
    (void)state;
    pawl_error *error = NULL;
    assert_null(pawl_local_provider_with(NULL, &error, .helper_path = "/bin/true"));
    assert_int_equal(pawl_error_status(error), PAWL_E_UNAVAILABLE);
    pawl_error_unref(error);
}

static bool count_one(void *user, const pawl_sandbox_info *info) {
    assert_memory_equal(info->id, "local-", 6);
    ++*(unsigned *)user;
    return true;
}

static void sandboxes_are_listed_found_and_killed_by_id(void **state) {
    (void)state;
    pawl_context *ctx = pawl_context_new(programs_runtime());
    pawl_sandbox *a = NULL, *b = NULL, *again = NULL;
    unsigned count = 0;
    pawl_error *error = NULL;
    assert_int_equal(pawl_sandbox_create(programs_provider(), ctx, NULL, &a, NULL), PAWL_OK);
    assert_int_equal(pawl_sandbox_create(programs_provider(), ctx, NULL, &b, NULL), PAWL_OK);
    assert_int_equal(pawl_sandbox_list(programs_provider(), ctx, count_one, &count, NULL), PAWL_OK);
    assert_int_equal(count, 2);
    assert_int_equal(pawl_sandbox_connect(programs_provider(), ctx, pawl_sandbox_id(a), &again, NULL), PAWL_OK);
    assert_ptr_equal(again, a);
    pawl_sandbox_unref(again);
    assert_int_equal(pawl_sandbox_kill_id(programs_provider(), ctx, pawl_sandbox_id(a), NULL), PAWL_OK);
    assert_int_equal(pawl_sandbox_kill_id(programs_provider(), ctx, pawl_sandbox_id(a), &error), PAWL_E_NOT_FOUND);
    pawl_execution_request request = program("bash", "echo 1");
    pawl_execution_result *result = NULL;
    error = pawl_error_unref(error);
    assert_int_equal(pawl_sandbox_run_code(a, ctx, &request, &result, &error), PAWL_E_NOT_FOUND);
    error = pawl_error_unref(error);
    assert_int_equal(pawl_sandbox_run_code(b, ctx, &request, &result, NULL), PAWL_OK);
    pawl_execution_result_free(result);
    assert_int_equal(pawl_sandbox_run_code(b, ctx, &request, &result, &error), PAWL_E_UNSUPPORTED);
    pawl_error_unref(error);
    pawl_sandbox_unref(a), pawl_sandbox_unref(b), pawl_context_unref(ctx);
}

static void a_sandbox_outlives_its_provider(void **state) {
    (void)state;
    pawl_context *ctx = pawl_context_new(programs_runtime());
    pawl_sandbox_provider *provider = new_local_provider();
    pawl_sandbox *sandbox = NULL;
    pawl_execution_result *result = NULL;
    pawl_execution_request request = program("bash", "echo 1");
    assert_int_equal(pawl_sandbox_create(provider, ctx, NULL, &sandbox, NULL), PAWL_OK);
    pawl_sandbox_provider_unref(provider);
    assert_int_equal(pawl_sandbox_run_code(sandbox, ctx, &request, &result, NULL), PAWL_OK);
    assert_printed(result, "1\n");
    pawl_execution_result_free(result);
    pawl_sandbox_unref(sandbox), pawl_context_unref(ctx);
}

static void the_machine_is_described(void **state) {
    (void)state;
    pawl_local_about about = {.size = sizeof about};
    assert_int_equal(pawl_local_provider_about(programs_provider(), &about, NULL), PAWL_OK);
    assert_true(about.helper_pid > 0);
    assert_non_null(strstr(about.mechanisms, "seccomp"));
    assert_int_equal(pawl_local_provider_about(NULL, &about, NULL), PAWL_E_INVALID);
}

/* ---- without memory ---- */

static pawl_status run_everything(pawl_sandbox_provider *provider, pawl_context *ctx) {
    static const char *const env[] = {"A=1"}, *const args[] = {"a"}, *const collect[] = {"r", "none"};
    const pawl_execution_file files[] = {{"f", "text", 4, 0}};
    pawl_execution_request request = program("bash", "echo out; echo err >&2; echo r > r; exit 3");
    pawl_execution_result *result = NULL;
    request.env = env, request.env_count = 1;
    request.args = args, request.arg_count = 1;
    request.files = files, request.file_count = 1;
    request.collect = collect, request.collect_count = 2;
    pawl_status status = pawl_sandbox_run_once(provider, ctx, &request, &result, NULL);
    if (status == PAWL_OK) {
        assert_outcome(result, "nonzero_exit");
        assert_string_equal(result->files[0].bytes, "r\n");
    }
    pawl_execution_result_free(result);
    return status;
}

static void without_memory_a_run_fails_and_the_next_works(void **state) {
    (void)state;
    pawl_context *ctx = pawl_context_new(programs_runtime());
    for_each_failing_allocation(n) {
        pawl_status status = run_everything(programs_provider(), ctx);
        assert_true(status == PAWL_OK || status == PAWL_E_NOMEM || status == PAWL_E_UNAVAILABLE);
        assert_true(status == PAWL_OK || allocations_failed() > 0);
    }
    assert_int_equal(run_everything(programs_provider(), ctx), PAWL_OK);
    pawl_context_unref(ctx);
}

static void without_memory_no_provider_is_made_and_no_helper_is_left(void **state) {
    (void)state;
    for_each_failing_allocation(n) {
        pawl_sandbox_provider *provider = pawl_local_provider_new(programs_runtime(), NULL, NULL);
        assert_true(provider || allocations_failed() > 0);
        pawl_sandbox_provider_unref(provider);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_language_runs_and_sees_arguments_input_and_environment),
        cmocka_unit_test(the_environment_is_empty_but_for_what_is_needed),
        cmocka_unit_test(streams_are_apart_and_in_order),
        cmocka_unit_test(timings_add_up_and_leave_out_the_set_up),
        cmocka_unit_test(files_go_in_are_imported_and_come_back),
        cmocka_unit_test(a_working_directory_is_made_and_imports_still_work),
        cmocka_unit_test(what_is_over_the_collect_limit_is_only_described),
        cmocka_unit_test(each_limit_ends_or_refuses_and_says_so),
        cmocka_unit_test(too_little_memory_to_start_is_refused_with_the_floor),
        cmocka_unit_test(enormous_limits_are_none),
        cmocka_unit_test(a_cpu_limit_is_told_as_the_whole_seconds_that_are_kept),
        cmocka_unit_test(nodes_heap_is_bounded_too),
        cmocka_unit_test(streams_arrive_while_the_program_runs),
        cmocka_unit_test(words_before_a_kill_are_kept),
        cmocka_unit_test(the_error_is_found_however_much_came_before),
        cmocka_unit_test(bad_requests_are_refused_by_field),
        cmocka_unit_test(packages_are_denied_with_the_remedy),
        cmocka_unit_test(a_program_that_cannot_be_started_is_a_spawn_error),
        cmocka_unit_test(a_missing_helper_is_named_with_all_places_tried),
        cmocka_unit_test(a_helper_that_is_none_is_unavailable),
        cmocka_unit_test(sandboxes_are_listed_found_and_killed_by_id),
        cmocka_unit_test(a_sandbox_outlives_its_provider),
        cmocka_unit_test(the_machine_is_described),
        cmocka_unit_test(without_memory_a_run_fails_and_the_next_works),
        cmocka_unit_test(without_memory_no_provider_is_made_and_no_helper_is_left),
    };
    return cmocka_run_group_tests(tests, start_programs, stop_programs);
}
