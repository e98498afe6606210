/* What is made of a program's end: who killed it, what the kernel says, and what interpreters print. */
#include "execution/outcome_internal.h"
#include "execution/traceback_internal.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "failing_malloc.h"

#define PY PAWL_LANGUAGE_PYTHON
#define JS PAWL_LANGUAGE_JAVASCRIPT
#define SH PAWL_LANGUAGE_BASH

#define FRAME "Traceback (most recent call last):\n  File \"/home/user/main.py\", line 1, in <module>\n    go()\n"
#define NODE_STACK                                                                                                     \
    "    at Object.<anonymous> (/home/user/main.js:1:7)\n    at node:internal/main/run_main_module:28:49\n"
#define NODE_END "\nNode.js v20.20.2\n"

static pawl_execution_result *new_result(void) {
    pawl_execution_result *result = pawl_execution_result_new();
    assert_non_null(result);
    result->limits.wall_ns = PAWL_S(2);
    result->limits.cpu_ns = PAWL_UNLIMITED;
    result->limits.memory_bytes = PAWL_MIB(512);
    result->limits.processes = 8;
    result->limits.output_total_bytes = 1000;
    return result;
}

struct ending {
    const char *what;
    pawl_language language;
    int64_t status, signal;
    const char *printed;
    pawl_execution_outcome outcome;
    const char *name, *value; /* NULL: not looked at */
};

static void assert_ending(const struct ending *e) {
    pawl_execution_result *result = new_result();
    result->exit_status = e->status;
    result->signal = e->signal;
    struct pawl_evidence evidence = {
        .language = e->language, .stderr_tail = e->printed, .stderr_length = e->printed ? strlen(e->printed) : 0};
    assert_true(pawl_outcome_decide(result, &evidence));
    if ((int)result->outcome != (int)e->outcome)
        print_message("%s: %s\n", e->what, pawl_execution_outcome_word((pawl_execution_outcome)result->outcome));
    assert_int_equal(result->outcome, e->outcome);
    if (e->name)
        assert_string_equal(result->error_name, e->name);
    if (e->value)
        assert_string_equal(result->error_value, e->value);
    if (e->outcome == PAWL_EXECUTION_OK)
        assert_null(result->detail);
    else
        assert_non_null(result->detail);
    pawl_execution_result_free(result);
}

#define EACH(list)                                                                                                     \
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++)                                                          \
    assert_ending(&list[i])

static void an_uncaught_python_error_is_an_exception_with_name_and_value(void **state) {
    (void)state;
    static const struct ending list[] = {
        {"plain", PY, 1, 0, FRAME "ValueError: no\n", PAWL_EXECUTION_EXCEPTION, "ValueError", "no"},
        {"no message", PY, 1, 0, FRAME "E\n", PAWL_EXECUTION_EXCEPTION, "E", ""},
        {"module", PY, 1, 0, FRAME "json.decoder.JSONDecodeError: x: y\n", PAWL_EXECUTION_EXCEPTION, "JSONDecodeError",
         "x: y"},
        {"lines", PY, 1, 0, FRAME "ValueError: one\n\n  two\nthree: 3\n", PAWL_EXECUTION_EXCEPTION, "ValueError",
         "one\n\n  two\nthree: 3"},
        {"empty first line", PY, 1, 0, FRAME "ValueError: \nx\n", PAWL_EXECUTION_EXCEPTION, "ValueError", "\nx"},
        {"unicode", PY, 1, 0, FRAME "F\xc3\xa4hler: \xc3\xbc\n", PAWL_EXECUTION_EXCEPTION, "F\xc3\xa4hler", "\xc3\xbc"},
        {"local class", PY, 1, 0, FRAME "f.<locals>.E: x\n", PAWL_EXECUTION_EXCEPTION, "E", "x"},
        {"after output", PY, 1, 0, "debug: 1\n" FRAME "KeyError: 'a'\n", PAWL_EXECUTION_EXCEPTION, "KeyError", "'a'"},
        {"no end of line", PY, 1, 0, FRAME "KeyError: 'a'", PAWL_EXECUTION_EXCEPTION, "KeyError", "'a'"},
        {"repeats", PY, 1, 0, FRAME "  [Previous line repeated 996 more times]\nRecursionError: deep\n",
         PAWL_EXECUTION_EXCEPTION, "RecursionError", "deep"},
        {"quoted traceback", PY, 1, 0,
         FRAME "RuntimeError: Traceback (most recent call last):\n  File \"x\"\nKeyError: 1\n",
         PAWL_EXECUTION_EXCEPTION, "RuntimeError", "Traceback (most recent call last):\n  File \"x\"\nKeyError: 1"},
        {"group", PY, 1, 0,
         "  + Exception Group Traceback (most recent call last):\n  |   File \"m\", line 1\n  |     raise g\n"
         "  | ExceptionGroup: two (2 sub-exceptions)\n  +-+---------------- 1 ----------------\n    | ValueError: 1\n"
         "    +------------------------------------\n",
         PAWL_EXECUTION_EXCEPTION, "ExceptionGroup", "two (2 sub-exceptions)"},
    };
    EACH(list);
}

static void a_python_syntax_error_is_an_exception_too(void **state) {
    (void)state;
    static const struct ending list[] = {
        {"main", PY, 1, 0,
         "  File \"/home/user/main.py\", line 1\n    def f(:\n          ^\nSyntaxError: invalid syntax\n",
         PAWL_EXECUTION_EXCEPTION, "SyntaxError", "invalid syntax"},
        {"indent", PY, 1, 0, "  File \"main.py\", line 2\n    x\nIndentationError: unexpected indent\n",
         PAWL_EXECUTION_EXCEPTION, "IndentationError", "unexpected indent"},
        {"bytes", PY, 1, 0, "SyntaxError: Non-UTF-8 code starting with '\\xff'\n", PAWL_EXECUTION_EXCEPTION,
         "SyntaxError", NULL},
        {"after warning", PY, 1, 0,
         "/home/user/main.py:1: SyntaxWarning: odd\n  x is 1\n  File \"main.py\", line 3\n    )\nSyntaxError: "
         "unmatched ')'\n",
         PAWL_EXECUTION_EXCEPTION, "SyntaxError", "unmatched ')'"},
        {"imported", PY, 1, 0,
         FRAME "  File \"/home/user/other.py\", line 1\n    )\n    ^\nSyntaxError: unmatched ')'\n",
         PAWL_EXECUTION_EXCEPTION, "SyntaxError", "unmatched ')'"},
    };
    EACH(list);
}

static void a_failed_assertion_is_a_failed_check(void **state) {
    (void)state;
    static const struct ending list[] = {
        {"assert", PY, 1, 0, FRAME "AssertionError\n", PAWL_EXECUTION_CHECK_FAILED, "AssertionError", ""},
        {"message", PY, 1, 0, FRAME "AssertionError: got 1\nwant 2\n", PAWL_EXECUTION_CHECK_FAILED, "AssertionError",
         "got 1\nwant 2"},
        {"unittest", PY, 1, 0,
         "F\n======\nFAIL: test (main.T)\n------\n" FRAME
         "AssertionError: 1 != 2\n\n----------------------------------------------------------------------\nRan 1 test "
         "in "
         "0.000s\n\nFAILED (failures=1)\n",
         PAWL_EXECUTION_CHECK_FAILED, "AssertionError", "1 != 2"},
        {"node", JS, 1, 0,
         "node:assert:126\n  throw new AssertionError(obj);\n  ^\n\nAssertionError [ERR_ASSERTION]: Expected values to "
         "be "
         "strictly equal:\n\n1 !== 2\n\n" NODE_STACK " {\n  code: 'ERR_ASSERTION'\n}\n" NODE_END,
         PAWL_EXECUTION_CHECK_FAILED, "AssertionError", "Expected values to be strictly equal:\n\n1 !== 2"},
    };
    EACH(list);
}

static void of_chained_errors_the_last_counts_and_all_are_kept(void **state) {
    (void)state;
    static const char printed[] = "noise\n" FRAME "KeyError: 'a'\n\nDuring handling of the above exception, another "
                                  "exception occurred:\n\n" FRAME "ValueError: b\n";
    struct pawl_uncaught uncaught;
    assert_true(pawl_uncaught_python(printed, strlen(printed), &uncaught));
    assert_int_equal(uncaught.name.length, 10);
    assert_memory_equal(uncaught.name.at, "ValueError", 10);
    assert_ptr_equal(uncaught.trace.at, printed + 6);
}

static void errors_beside_the_main_program_do_not_count(void **state) {
    (void)state;
    static const struct ending list[] = {
        {"thread", PY, 1, 0, "Exception in thread Thread-1 (f):\n" FRAME "ValueError: t\n", PAWL_EXECUTION_NONZERO_EXIT,
         NULL, NULL},
        {"chained in a thread", PY, 1, 0,
         "Exception in thread Thread-1 (f):\n" FRAME "ValueError: t\n\nThe above exception was the direct cause of the "
         "following exception:\n\n" FRAME "KeyError: u\n",
         PAWL_EXECUTION_NONZERO_EXIT, NULL, NULL},
        {"finalizer", PY, 1, 0, "Exception ignored in: <function A.__del__ at 0x1>\n" FRAME "ValueError: d\n",
         PAWL_EXECUTION_NONZERO_EXIT, NULL, NULL},
        {"task", PY, 1, 0, "Task exception was never retrieved\nfuture: <Task finished>\n" FRAME "ValueError: d\n",
         PAWL_EXECUTION_NONZERO_EXIT, NULL, NULL},
        {"thread, and success", PY, 0, 0, "Exception in thread Thread-1 (f):\n" FRAME "ValueError: t\n",
         PAWL_EXECUTION_OK, NULL, NULL},
        {"thread, then main", PY, 1, 0,
         "Exception in thread Thread-1 (f):\n" FRAME "ValueError: t\n" FRAME "KeyError: 'm'\n",
         PAWL_EXECUTION_EXCEPTION, "KeyError", "'m'"},
    };
    EACH(list);
}

static void a_printed_traceback_does_not_outweigh_the_status(void **state) {
    (void)state;
    static const struct ending list[] = {
        {"success", PY, 0, 0, FRAME "ValueError: logged\n", PAWL_EXECUTION_OK, NULL, NULL},
        {"other status", PY, 3, 0, FRAME "ValueError: logged\n", PAWL_EXECUTION_NONZERO_EXIT, NULL, NULL},
        {"signal", PY, -1, SIGSEGV, FRAME "ValueError: logged\n", PAWL_EXECUTION_SIGNALLED, NULL, NULL},
        {"bash", SH, 1, 0, FRAME "ValueError: logged\n", PAWL_EXECUTION_NONZERO_EXIT, NULL, NULL},
        {"cut off", PY, 1, 0, FRAME, PAWL_EXECUTION_NONZERO_EXIT, NULL, NULL},
        {"no error line", PY, 1, 0, FRAME "and then - nothing\n", PAWL_EXECUTION_NONZERO_EXIT, NULL, NULL},
        {"a message", PY, 1, 0, "SystemExit with a message\n", PAWL_EXECUTION_NONZERO_EXIT, NULL, NULL},
        {"nothing", PY, 1, 0, NULL, PAWL_EXECUTION_NONZERO_EXIT, NULL, NULL},
        {"node, success", JS, 0, 0, "/a.js:1\nx\n^\n\nError: e\n" NODE_END, PAWL_EXECUTION_OK, NULL, NULL},
        {"node, other status", JS, 9, 0, "/a.js:1\nx\n^\n\nError: e\n" NODE_END, PAWL_EXECUTION_NONZERO_EXIT, NULL,
         NULL},
        {"node, no version", JS, 1, 0, "/a.js:1\nx\n^\n\nError: e\n", PAWL_EXECUTION_NONZERO_EXIT, NULL, NULL},
    };
    EACH(list);
}

static void an_uncaught_javascript_error_is_an_exception_with_name_and_value(void **state) {
    (void)state;
    static const struct ending list[] = {
        {"plain", JS, 1, 0, "/home/user/main.js:1\nnull.x\n     ^\n\nTypeError: no x\n" NODE_STACK NODE_END,
         PAWL_EXECUTION_EXCEPTION, "TypeError", "no x"},
        {"no message", JS, 1, 0, "/home/user/main.js:1\nx\n^\n\nRangeError\n" NODE_STACK NODE_END,
         PAWL_EXECUTION_EXCEPTION, "RangeError", ""},
        {"lines", JS, 1, 0, "/home/user/main.js:1\nx\n^\n\nMyE: one\ntwo\n" NODE_STACK NODE_END,
         PAWL_EXECUTION_EXCEPTION, "MyE", "one\ntwo"},
        {"syntax", JS, 1, 0,
         "/home/user/main.js:1\nlet x = ;\n        ^\n\nSyntaxError: Unexpected token ';'\n" NODE_END,
         PAWL_EXECUTION_EXCEPTION, "SyntaxError", "Unexpected token ';'"},
        {"a number", JS, 1, 0,
         "/home/user/main.js:1\nthrow 5\n^\n5\n(Use `node --trace-uncaught ...` to show where the exception was "
         "thrown)\n" NODE_END,
         PAWL_EXECUTION_EXCEPTION, "Uncaught", "5"},
        {"an object", JS, 1, 0, "/home/user/main.js:1\nthrow {}\n^\nFoo { q: 1 }\n" NODE_END, PAWL_EXECUTION_EXCEPTION,
         "Uncaught", "Foo { q: 1 }"},
        {"no stack", JS, 1, 0, "/home/user/main.js:1\nthrow e\n^\n\n[Error: gone]\n" NODE_END, PAWL_EXECUTION_EXCEPTION,
         "Error", "gone"},
        {"rejection", JS, 1, 0,
         "node:internal/process/promises:288\n    trigger();\n    ^\n\n[UnhandledPromiseRejection: reason \"5\".] {\n"
         "  code: 'X'\n}\n" NODE_END,
         PAWL_EXECUTION_EXCEPTION, "UnhandledPromiseRejection", "reason \"5\"."},
        {"after output", JS, 1, 0, "^^^\n/a:1\n/home/user/main.js:1\nx\n^\n\nError: e\n" NODE_STACK NODE_END,
         PAWL_EXECUTION_EXCEPTION, "Error", "e"},
    };
    EACH(list);
}

static void running_out_of_memory_or_processes_is_told_from_a_fault(void **state) {
    (void)state;
    static const struct ending list[] = {
        {"python", PY, 1, 0, FRAME "MemoryError\n", PAWL_EXECUTION_MEMORY_LIMIT, "MemoryError", NULL},
        {"node", JS, -1, SIGABRT, "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory\n",
         PAWL_EXECUTION_MEMORY_LIMIT, NULL, NULL},
        {"bash", SH, 2, 0, "main.sh: xrealloc: cannot allocate 300000000 bytes\n", PAWL_EXECUTION_MEMORY_LIMIT, NULL,
         NULL},
        {"loader", PY, 127, 0,
         "/usr/bin/python3.11: error while loading shared libraries: libm.so.6: failed to map segment from shared "
         "object\n",
         PAWL_EXECUTION_MEMORY_LIMIT, NULL, NULL},
        {"missing library", PY, 127, 0,
         "x: error while loading shared libraries: a.so: cannot open shared object file: No such file or directory\n",
         PAWL_EXECUTION_NONZERO_EXIT, NULL, NULL},
        {"abort alone", JS, -1, SIGABRT, "", PAWL_EXECUTION_SIGNALLED, NULL, NULL},
        {"fork", PY, 1, 0,
         "Traceback (most recent call last):\n  File \"m\", line 1\n    os.fork()\nBlockingIOError: [Errno 11] "
         "Resource "
         "temporarily unavailable\n",
         PAWL_EXECUTION_PROCESS_LIMIT, "BlockingIOError", NULL},
        {"socket", PY, 1, 0,
         "Traceback (most recent call last):\n  File \"m\", line 1\n    s.recv(1)\nBlockingIOError: [Errno 11] "
         "Resource "
         "temporarily unavailable\n",
         PAWL_EXECUTION_EXCEPTION, "BlockingIOError", NULL},
        {"thread", PY, 1, 0, FRAME "RuntimeError: can't start new thread\n", PAWL_EXECUTION_PROCESS_LIMIT, NULL, NULL},
        {"bash fork", SH, 254, 0, "main.sh: fork: Resource temporarily unavailable\n", PAWL_EXECUTION_PROCESS_LIMIT,
         NULL, NULL},
        {"node spawn", JS, 1, 0, "node:events:497\n  throw er;\n  ^\n\nError: spawn ls EAGAIN\n" NODE_STACK NODE_END,
         PAWL_EXECUTION_PROCESS_LIMIT, "Error", NULL},
    };
    EACH(list);
}

static void a_memory_limit_is_what_the_program_reported(void **state) {
    (void)state;
    pawl_execution_result *result = new_result();
    const char *printed = FRAME "MemoryError\n";
    result->exit_status = 1;
    struct pawl_evidence evidence = {.stderr_tail = printed, .stderr_length = strlen(printed)};
    assert_true(pawl_outcome_decide(result, &evidence));
    assert_non_null(strstr(result->detail, "the program reported MemoryError under a limit of 536870912 bytes"));
    pawl_execution_result_free(result);
}

static void without_a_memory_limit_a_memory_error_is_an_exception(void **state) {
    (void)state;
    pawl_execution_result *result = new_result();
    const char *printed = FRAME "MemoryError\n";
    result->limits.memory_bytes = PAWL_UNLIMITED;
    result->exit_status = 1;
    struct pawl_evidence evidence = {.stderr_tail = printed, .stderr_length = strlen(printed)};
    assert_true(pawl_outcome_decide(result, &evidence));
    assert_int_equal(result->outcome, PAWL_EXECUTION_EXCEPTION);
    pawl_execution_result_free(result);
}

static void cpu_time_used_up_is_a_cpu_limit(void **state) {
    (void)state;
    static const struct {
        uint64_t limit_s, used_s;
        int64_t signal, status;
        bool kernel_says;
        pawl_execution_outcome outcome;
    } list[] = {{1, 1, SIGXCPU, -1, true, PAWL_EXECUTION_CPU_LIMIT},
                {1, 2, SIGKILL, -1, false, PAWL_EXECUTION_CPU_LIMIT},
                {1, 2, 0, 152, false, PAWL_EXECUTION_CPU_LIMIT},
                {2, 1, SIGKILL, -1, false, PAWL_EXECUTION_SIGNALLED},
                {1, 2, 0, 1, false, PAWL_EXECUTION_NONZERO_EXIT},
                {1, 2, SIGSEGV, -1, false, PAWL_EXECUTION_SIGNALLED},
                {1, 2, 0, 0, false, PAWL_EXECUTION_OK}};
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        pawl_execution_result *result = new_result();
        result->limits.cpu_ns = PAWL_S(list[i].limit_s);
        result->resources.user_cpu_ns = PAWL_S(list[i].used_s);
        result->signal = list[i].signal;
        result->exit_status = list[i].status;
        struct pawl_evidence evidence = {.cpu_limit = list[i].kernel_says};
        assert_true(pawl_outcome_decide(result, &evidence));
        assert_int_equal(result->outcome, list[i].outcome);
        pawl_execution_result_free(result);
    }
}

static void who_kills_knows_why(void **state) {
    (void)state;
    static const struct {
        enum pawl_ended ended;
        pawl_execution_outcome outcome;
        const char *said;
    } list[] = {{PAWL_ENDED_WALL, PAWL_EXECUTION_WALL_TIMEOUT, "2 s"},
                {PAWL_ENDED_CANCELLED, PAWL_EXECUTION_CANCELLED, "cancelled"},
                {PAWL_ENDED_DEADLINE, PAWL_EXECUTION_CANCELLED, "deadline"},
                {PAWL_ENDED_KILLED, PAWL_EXECUTION_CANCELLED, "sandbox was ended"},
                {PAWL_ENDED_OUTPUT, PAWL_EXECUTION_OUTPUT_LIMIT, "1000 bytes"},
                {PAWL_ENDED_LOST, PAWL_EXECUTION_SANDBOX_LOST, "said so"},
                {PAWL_ENDED_UNSTARTED, PAWL_EXECUTION_SPAWN_ERROR, "said so"},
                {PAWL_ENDED_DENIED, PAWL_EXECUTION_DENIED, "said so"}};
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        pawl_execution_result *result = new_result();
        const char *printed = FRAME "ValueError: the program's last words\n";
        struct pawl_evidence evidence = {
            .ended = list[i].ended, .said = "said so", .stderr_tail = printed, .stderr_length = strlen(printed)};
        assert_true(pawl_outcome_decide(result, &evidence));
        assert_int_equal(result->outcome, list[i].outcome);
        assert_non_null(strstr(result->detail, list[i].said));
        assert_null(result->error_name);
        pawl_execution_result_free(result);
    }
}

static void long_texts_are_cut_and_broken_ones_repaired(void **state) {
    (void)state;
    static char printed[300000];
    pawl_execution_result *result = new_result();
    strcpy(printed, FRAME "ValueError: \xff");
    memset(printed + strlen(printed), 'x', sizeof printed - 1 - strlen(printed));
    result->exit_status = 1;
    struct pawl_evidence evidence = {.stderr_tail = printed, .stderr_length = sizeof printed - 1};
    assert_true(pawl_outcome_decide(result, &evidence));
    assert_string_equal(result->error_name, "ValueError");
    assert_memory_equal(result->error_value, "\xef\xbf\xbdxxx", 6);
    assert_int_equal(strlen(result->error_value), PAWL_ERROR_VALUE_BYTES + 2);
    assert_int_equal(strlen(result->traceback), PAWL_TRACEBACK_BYTES);
    pawl_execution_result_free(result);
}

static void without_memory_the_decision_fails_and_leaks_nothing(void **state) {
    (void)state;
    const char *printed = FRAME "ValueError: x\n";
    for_each_failing_allocation(n) {
        pawl_execution_result *result = pawl_execution_result_new();
        if (!result)
            continue;
        result->exit_status = 1;
        struct pawl_evidence evidence = {.stderr_tail = printed, .stderr_length = strlen(printed)};
        bool decided = pawl_outcome_decide(result, &evidence);
        assert_true(decided == (allocations_failed() == 0));
        pawl_execution_result_free(result);
    }
}

static void every_word_leads_back_to_its_outcome(void **state) {
    (void)state;
    for (unsigned i = 0; i < PAWL_EXECUTION_OUTCOME_COUNT_; i++)
        assert_int_equal(pawl_execution_outcome_of(pawl_execution_outcome_word((pawl_execution_outcome)i)), i);
    assert_string_equal(pawl_execution_outcome_word(PAWL_EXECUTION_OUTCOME_COUNT_), "unknown");
    assert_int_equal(pawl_execution_outcome_of("unknown"), PAWL_EXECUTION_OUTCOME_COUNT_);
    assert_int_equal(pawl_execution_outcome_of(NULL), PAWL_EXECUTION_OUTCOME_COUNT_);
    assert_string_equal(pawl_execution_outcome_word(PAWL_EXECUTION_SANDBOX_NOT_READY), "sandbox_not_ready");
    assert_string_equal(pawl_limit_name(PAWL_LIMIT_COUNT_), "unknown");
    assert_string_equal(pawl_collected_kind_word(PAWL_COLLECTED_SYMLINK), "symlink");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_uncaught_python_error_is_an_exception_with_name_and_value),
        cmocka_unit_test(a_python_syntax_error_is_an_exception_too),
        cmocka_unit_test(a_failed_assertion_is_a_failed_check),
        cmocka_unit_test(of_chained_errors_the_last_counts_and_all_are_kept),
        cmocka_unit_test(errors_beside_the_main_program_do_not_count),
        cmocka_unit_test(a_printed_traceback_does_not_outweigh_the_status),
        cmocka_unit_test(an_uncaught_javascript_error_is_an_exception_with_name_and_value),
        cmocka_unit_test(running_out_of_memory_or_processes_is_told_from_a_fault),
        cmocka_unit_test(a_memory_limit_is_what_the_program_reported),
        cmocka_unit_test(without_a_memory_limit_a_memory_error_is_an_exception),
        cmocka_unit_test(cpu_time_used_up_is_a_cpu_limit),
        cmocka_unit_test(who_kills_knows_why),
        cmocka_unit_test(long_texts_are_cut_and_broken_ones_repaired),
        cmocka_unit_test(without_memory_the_decision_fails_and_leaks_nothing),
        cmocka_unit_test(every_word_leads_back_to_its_outcome),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
