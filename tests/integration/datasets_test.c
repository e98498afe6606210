/*
 * Real programs: every right one passes and every buggy one fails, for the reason that was observed when they were run
 * by hand. PAWL_DATASETS names the folder; without it the test is skipped.
 *
 * Python: prompt, solution, test. JavaScript: declaration, solution, test, and a failed console.assert() on stderr is
 * the verdict, since node exits with 0 all the same.
 */
#include "programs.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define TASKS_MAX 400
#define THREADS 3
/* Needs an npm module. */
#define LEFT_OUT "JavaScript/162"

struct task {
    char *id, *code, *observed;
    bool right, passes;
    char outcome[32], error[64];
};

struct set {
    const char *language;
    struct task tasks[TASKS_MAX];
    size_t count;
    atomic_size_t next;
};

static struct set sets[2] = {{.language = "python"}, {.language = "javascript"}};

/* ---- reading ---- */

static FILE *open_file(const char *name) {
    char path[1024];
    const char *folder = getenv("PAWL_DATASETS");
    snprintf(path, sizeof path, "%s/%s", folder ? folder : "", name);
    return folder && *folder ? fopen(path, "re") : NULL;
}

static const char *text(const pawl_value *task, const char *name) {
    return pawl_value_get_string(task, name, "");
}

static char *copy(const char *of) {
    char *made = strdup(of);
    assert_non_null(made);
    return made;
}

static void add_task(struct set *set, const pawl_value *line, bool right) {
    const char *head = text(line, set == &sets[0] ? "prompt" : "declaration");
    const char *body = text(line, right ? "canonical_solution" : "buggy_solution"), *test = text(line, "test");
    struct task *task = &set->tasks[set->count++];
    size_t bytes = strlen(head) + strlen(body) + strlen(test) + 2;
    assert_true(set->count <= TASKS_MAX);
    *task = (struct task){.id = copy(text(line, "task_id")), .right = right, .code = malloc(bytes)};
    assert_non_null(task->code);
    snprintf(task->code, bytes, "%s%s\n%s", head, body, test);
}

static struct task *find_task(const char *id, bool right) {
    for (size_t s = 0; s < 2; s++)
        for (size_t i = 0; i < sets[s].count; i++)
            if (sets[s].tasks[i].right == right && strcmp(sets[s].tasks[i].id, id) == 0)
                return &sets[s].tasks[i];
    return NULL;
}

static void take_tasks(struct set *set, const pawl_value *line) {
    if (strcmp(text(line, "task_id"), LEFT_OUT) == 0)
        return;
    add_task(set, line, true);
    add_task(set, line, false);
}

static void take_expected(struct set *set, const pawl_value *line) {
    struct task *task = find_task(text(line, "id"), strcmp(text(line, "variant"), "canonical") == 0);
    (void)set;
    if (!task)
        return;
    task->observed = copy(text(line, "observed"));
    assert_string_equal(text(line, "verdict"), task->right ? "pass" : "fail");
}

static void each_line(const char *file, void (*take)(struct set *set, const pawl_value *line), struct set *set) {
    FILE *in = open_file(file);
    char *line = NULL;
    size_t size = 0;
    assert_non_null(in);
    for (ssize_t length; (length = getline(&line, &size, in)) > 0;) {
        pawl_value *value = NULL;
        assert_int_equal(pawl_value_parse(line, (size_t)length, NULL, &value, NULL), PAWL_OK);
        take(set, value);
        pawl_value_unref(value);
    }
    free(line);
    fclose(in);
}

/* ---- running ---- */

static void run_task(const struct set *set, struct task *task) {
    const pawl_execution_limits limits = {.size = sizeof limits, .wall_ns = PAWL_S(8), .cpu_ns = PAWL_S(12)};
    pawl_execution_request request = program(set->language, task->code);
    pawl_context *ctx = pawl_context_new(programs_runtime());
    pawl_execution_result *result = NULL;
    pawl_error *error = NULL;
    request.limits = &limits;
    pawl_status status = pawl_sandbox_run_once(programs_provider(), ctx, &request, &result, &error);
    if (status == PAWL_OK) {
        bool failed_assert = strstr(result->stderr_stream.bytes, "Assertion failed") != NULL;
        snprintf(task->outcome, sizeof task->outcome, "%s", outcome_of(result));
        snprintf(task->error, sizeof task->error, "%s", result->error_name ? result->error_name : "");
        task->passes = result->outcome == PAWL_EXECUTION_OK && !(set == &sets[1] && failed_assert);
    } else {
        snprintf(task->outcome, sizeof task->outcome, "error: %s", pawl_status_word(status));
        fprintf(stderr, "%s: %s\n", task->id, pawl_error_message(error));
    }
    pawl_execution_result_free(result);
    pawl_error_unref(error);
    pawl_context_unref(ctx);
}

static void *run_some(void *user) {
    struct set *set = user;
    for (size_t i; (i = atomic_fetch_add(&set->next, 1)) < set->count;)
        run_task(set, &set->tasks[i]);
    return NULL;
}

static void run_all(struct set *set) {
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run_some, set), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

/* ---- comparing ---- */

/* Which limit a program without end runs into first depends on the machine. */
static bool is_a_limit(const char *outcome) {
    return strcmp(outcome, "wall_timeout") == 0 || strcmp(outcome, "cpu_limit") == 0 ||
           strcmp(outcome, "memory_limit") == 0;
}

static bool is_as_observed(const struct set *set, const struct task *task) {
    const char *seen = task->observed;
    if (!seen)
        return false;
    if (strcmp(seen, "ok") == 0 || strcmp(seen, "assertion_on_stderr_exit_0") == 0)
        return strcmp(task->outcome, "ok") == 0;
    if (strcmp(seen, "AssertionError") == 0 && set == &sets[0])
        return strcmp(task->outcome, "check_failed") == 0;
    if (is_a_limit(task->outcome))
        return strcmp(seen, "timeout") == 0 || strcmp(seen, "signal5") == 0; /* how V8 traps without memory */
    if (strcmp(task->outcome, "signalled") == 0)
        return strncmp(seen, "signal", strlen("signal")) == 0;
    return strcmp(task->outcome, "exception") == 0 && strcmp(task->error, seen) == 0;
}

static void assert_verdicts(struct set *set) {
    size_t right = 0, right_passed = 0, buggy = 0, buggy_failed = 0, as_observed = 0;
    uint64_t start = now_ns();
    run_all(set);
    for (size_t i = 0; i < set->count; i++) {
        const struct task *task = &set->tasks[i];
        bool same = is_as_observed(set, task);
        *(task->right ? &right : &buggy) += 1;
        *(task->right ? &right_passed : &buggy_failed) += task->passes == task->right;
        as_observed += same;
        if (!same || task->passes != task->right)
            print_message("%s (%s): %s %s, observed %s\n", task->id, task->right ? "right" : "buggy", task->outcome,
                          task->error, task->observed ? task->observed : "nothing");
    }
    print_message("datasets: %s: %zu of %zu right programs pass, %zu of %zu buggy ones fail, %zu of %zu outcomes as "
                  "observed, %.1f s\n",
                  set->language, right_passed, right, buggy_failed, buggy, as_observed, set->count,
                  (double)(now_ns() - start) / 1e9);
    assert_true(right > 150 && buggy > 150);
    assert_int_equal(right_passed, right);
    assert_int_equal(buggy_failed, buggy);
    assert_int_equal(as_observed, set->count);
}

static void right_python_programs_pass_and_buggy_ones_fail_as_observed(void **state) {
    (void)state;
    assert_verdicts(&sets[0]);
}

static void right_javascript_programs_pass_and_buggy_ones_fail_as_observed(void **state) {
    (void)state;
    assert_verdicts(&sets[1]);
}

static int load_and_start(void **state) {
    each_line("humanevalpack-python.jsonl", take_tasks, &sets[0]);
    each_line("humanevalpack-js.jsonl", take_tasks, &sets[1]);
    each_line("expected.jsonl", take_expected, NULL);
    return start_programs(state);
}

static int stop(void **state) {
    for (size_t s = 0; s < 2; s++)
        for (size_t i = 0; i < sets[s].count; i++) {
            free(sets[s].tasks[i].id);
            free(sets[s].tasks[i].code);
            free(sets[s].tasks[i].observed);
        }
    return stop_programs(state);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(right_python_programs_pass_and_buggy_ones_fail_as_observed),
        cmocka_unit_test(right_javascript_programs_pass_and_buggy_ones_fail_as_observed),
    };
    FILE *probe = open_file("expected.jsonl");
    if (!probe) {
        puts("datasets: skipped: PAWL_DATASETS is unset or has no expected.jsonl");
        return 0;
    }
    fclose(probe);
    return cmocka_run_group_tests(tests, load_and_start, stop);
}
