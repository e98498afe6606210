/* pawl_fix() over an executor that only looks: a program passes a test when it contains the test's text. */
#include "failing_malloc.h"
#include "leaves.h"
#include "virtual_runtime.h"
#include <pawl/integrations/fix.h>
#include <pawl/primitives/function.h>

#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct bench {
    const char *answers[8]; /* of the generator; the last one again and again */
    size_t asked, executions, attempts;
    char *told, *ran; /* last input of generator and executor */
    const char *says; /* execution value instead */
    bool cheats;      /* what passes has no proof that the test ran to its end */
};

static void set_text(char **text, pawl_value *value) {
    free(*text);
    *text = pawl_value_print(value);
}

static pawl_status generate(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    struct bench *bench = user;
    (void)ctx;
    set_text(&bench->told, in);
    const char *answer = bench->answers[bench->asked < 7 ? bench->asked : 7];
    bench->asked++;
    return pawl_value_parse(answer ? answer : "null", strlen(answer ? answer : "null"), NULL, ret_out, err);
}

/* The test of an execution, which lies beside its driver. */
static const char *test_of(const pawl_value *in) {
    const cJSON *files = pawl_value_get(in, "files");
    for (const cJSON *file = files ? files->child : NULL; file; file = file->next)
        if (strncmp(file->string, "pawl_test.", 10) == 0)
            return file->valuestring;
    return "?";
}

static const char *program_of(const pawl_value *in) {
    const cJSON *files = pawl_value_get(in, "files");
    for (const cJSON *file = files ? files->child : NULL; file; file = file->next)
        if (strncmp(file->string, "program", 7) == 0 || strcmp(file->string, "median.py") == 0)
            return file->valuestring;
    return "";
}

#define PASSED "{\"outcome\": \"ok\", \"exit_status\": 0, \"error\": null, \"files\": {\"%s\": {\"text\": \"%.*s\"}}}"
#define FAILED                                                                                                         \
    "{\"outcome\": \"check_failed\", \"exit_status\": 1, \"error\": {\"name\": \"AssertionError\", \"value\": "        \
    "\"no\", "                                                                                                         \
    "\"traceback\": \"Traceback (most recent call last):\\n  File \\\"/w/test.py\\\", line 9, in <module>\\n  File "   \
    "\\\"/w/program.py\\\", line 2, in f\\n  File \\\"/w/program.py\\\", line 3, in g\\nAssertionError: no\\n\"}}"

/* 32 hex digits. */
static const char *nonce_of(const char *driver) {
    while (*driver && strspn(driver, "0123456789abcdef") != 32)
        driver++;
    return driver;
}

static pawl_status execute(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    struct bench *bench = user;
    (void)ctx;
    bench->executions++;
    set_text(&bench->ran, in);
    const cJSON *collect = pawl_value_get(in, "collect");
    const char *nonce = nonce_of(pawl_value_get_string(in, "code", "")), *text = bench->says ? bench->says : FAILED;
    char passed[300];
    snprintf(passed, sizeof passed, PASSED, collect->child->valuestring, bench->cheats ? 3 : 32, nonce);
    if (!bench->says && strstr(program_of(in), test_of(in)))
        text = passed;
    return pawl_value_parse(text, strlen(text), NULL, ret_out, err);
}

static void on_attempt(void *user, const pawl_attempt *attempt, pawl_value *candidate) {
    struct bench *bench = user;
    (void)attempt, (void)candidate;
    bench->attempts++;
}

#define fixing(bench, ...)                                                                                             \
    pawl_fix("fix", pawl_inline("generate", generate, bench), pawl_inline("execute", execute, bench),                  \
             .on_attempt = on_attempt, .user = (bench), __VA_ARGS__)

static pawl_value *run(pawl_primitive *node, const char *in, pawl_status expected, const char *part) { /* takes node */
    struct fake_clock time = {0};
    pawl_runtime *runtime = virtual_runtime(&time);
    pawl_context *ctx = pawl_context_new(runtime);
    pawl_value *input = NULL, *out = NULL;
    pawl_error *err = NULL;
    assert_int_equal(pawl_value_parse(in, strlen(in), NULL, &input, NULL), PAWL_OK);
    pawl_status status = pawl_run(node, ctx, input, &out, &err);
    if (status != expected)
        fail_msg("expected %s, got %s: %s", pawl_status_name(expected), pawl_status_name(status),
                 pawl_error_message(err));
    if (status != PAWL_OK)
        expect_error(pawl_error_ref(err), expected, part);
    expect_nothing_alive(runtime);
    pawl_error_unref(err);
    pawl_value_unref(input);
    pawl_primitive_unref(node);
    pawl_context_unref(ctx);
    pawl_runtime_unref(runtime);
    return out;
}

static void drop(struct bench *bench, pawl_value *out) {
    pawl_value_unref(out);
    free(bench->told);
    free(bench->ran);
}

static void assert_word(const pawl_value *out, const char *key, const char *word) {
    assert_string_equal(pawl_value_get_string(out, key, "?"), word);
}

static void assert_flag(const pawl_value *out, const char *key, bool expected) {
    const cJSON *flag = pawl_value_get(out, key);
    assert_true(cJSON_IsBool(flag));
    assert_int_equal(cJSON_IsTrue(flag), expected);
}

static void assert_number(const pawl_value *out, const char *key, double expected) {
    assert_float_equal(pawl_value_get_number(out, key, -1), expected, 0);
}

#define TASK "{\"program\": \"a\\nb\\n\", \"test\": \"c\", \"holdout\": \"d\"}"

/* ---- how it ends ---- */

static void a_repair_that_passes_both_tests_is_a_success(void **state) {
    (void)state;
    struct bench bench = {
        .answers = {"\"a\\nx\\n\"", "{\"program\": \"a\\ncd\\n\", \"description\": \"b became cd\"}"}};
    pawl_value *out = run(fixing(&bench, .max_rounds = 9), TASK, PAWL_OK, NULL);
    assert_number(out, "version", 1);
    assert_flag(out, "success", true);
    assert_word(out, "outcome", "passed_holdout");
    assert_word(out, "stop_reason", "accepted");
    assert_flag(out, "ran", true);
    assert_flag(out, "passed_checks", true);
    assert_flag(out, "passed_holdout", true);
    assert_word(out, "language", "python");
    assert_word(out, "file", "program.py");
    assert_word(out, "program", "a\ncd\n");
    assert_word(out, "description", "b became cd");
    assert_word(out, "diff", "--- program.py\n+++ program.py\n@@ -1,2 +1,2 @@\n a\n-b\n+cd\n");
    assert_number(out, "executions", 2);
    assert_int_equal(bench.executions, 4); /* the original and the held-back test too */
    assert_int_equal(bench.attempts, 2);
    drop(&bench, out);
}

static void a_repair_that_fails_the_held_back_test_is_none(void **state) {
    (void)state;
    struct bench bench = {.answers = {"\"c\""}};
    pawl_value *out = run(fixing(&bench, .max_rounds = 9), TASK, PAWL_OK, NULL);
    assert_flag(out, "success", false);
    assert_word(out, "outcome", "passed_checks");
    assert_flag(out, "passed_checks", true);
    assert_flag(out, "passed_holdout", false);
    assert_int_equal(bench.asked, 1); /* it judges once, at the end, and guides nothing */
    drop(&bench, out);
}

static void without_a_held_back_test_the_visible_one_decides(void **state) {
    (void)state;
    struct bench bench = {.answers = {"\"c\""}};
    pawl_value *out = run(fixing(&bench, .max_rounds = 9), "{\"program\": \"a\", \"test\": \"c\"}", PAWL_OK, NULL);
    assert_flag(out, "success", true);
    assert_word(out, "outcome", "passed_checks");
    assert_true(cJSON_IsNull(pawl_value_get(out, "passed_holdout")));
    assert_true(cJSON_IsNull(pawl_value_get(out, "holdout")));
    drop(&bench, out);
}

static void a_program_that_passes_already_is_not_touched(void **state) {
    (void)state;
    struct bench bench = {0};
    pawl_value *out = run(fixing(&bench, .max_rounds = 9),
                          "{\"program\": \"abc\", \"test\": \"c\", \"holdout\": \"z\"}", PAWL_OK, NULL);
    assert_word(out, "outcome", "already_passes");
    assert_word(out, "stop_reason", "already_passes");
    assert_flag(out, "passed_holdout", false);
    assert_flag(out, "success", false);
    assert_word(out, "diff", "");
    assert_number(out, "executions", 0);
    assert_int_equal(bench.asked, 0);
    drop(&bench, out);
}

static void what_could_not_be_repaired_is_a_result(void **state) {
    (void)state;
    struct bench bench = {.answers = {"\"x\"", "\"y\"", "null"}};
    pawl_value *out = run(fixing(&bench, .max_rounds = 9), TASK, PAWL_OK, NULL);
    assert_flag(out, "success", false);
    assert_word(out, "outcome", "ran");
    assert_word(out, "stop_reason", "generator_done");
    assert_word(out, "program", "x"); /* the best, for want of a better one */
    assert_true(cJSON_IsNull(pawl_value_get(out, "passed_holdout")));
    drop(&bench, out);
}

static void a_generator_without_ideas_leaves_no_program(void **state) {
    (void)state;
    struct bench bench = {.answers = {"null"}};
    pawl_value *out = run(fixing(&bench, .max_rounds = 9), TASK, PAWL_OK, NULL);
    assert_word(out, "outcome", "not_run");
    assert_true(cJSON_IsNull(pawl_value_get(out, "program")));
    assert_true(cJSON_IsNull(pawl_value_get(out, "diff")));
    drop(&bench, out);
}

/* ---- what the parts are told ---- */

static void the_generator_is_told_all_but_the_held_back_test(void **state) {
    (void)state;
    struct bench bench = {.answers = {"null"}};
    pawl_value *out = run(fixing(&bench, .max_rounds = 9),
                          "{\"program\": \"a\", \"test\": \"c\", \"holdout\": \"secret\", \"files\": {\"d.csv\": "
                          "\"1,2\"}}",
                          PAWL_OK, NULL);
    assert_null(strstr(bench.told, "secret"));
    assert_null(strstr(bench.told, "holdout"));
    assert_non_null(
        strstr(bench.told, "\"program\":\"a\",\"test\":\"c\",\"file\":\"program.py\",\"language\":\"python\""));
    assert_non_null(strstr(bench.told, "\"signature\":\"check_failed AssertionError: no\""));
    assert_non_null(strstr(bench.told, "\"feedback\":\"outcome: check_failed, exit status 1"));
    assert_non_null(strstr(bench.told, "\"hints\":[{\"line\":2,\"weight\":1},{\"line\":3,\"weight\":2}]"));
    drop(&bench, out);
}

static void a_test_finds_the_program_beside_it(void **state) {
    (void)state;
    struct bench bench = {.answers = {"\"c\""}};
    pawl_value *out =
        run(fixing(&bench, .timeout_ns = PAWL_MS(1500)),
            "{\"program\": \"a\", \"test\": \"c\", \"file\": \"median.py\", \"files\": {\"d.csv\": \"1\", "
            "\"median.py\": \"not this one\"}}",
            PAWL_OK, NULL);
    assert_non_null(strstr(bench.ran, "{\"language\":\"python\",\"timeout\":1.5,\"files\":{\"d.csv\":\"1\","
                                      "\"median.py\":\"c\",\"pawl_test.py\":\"c\"},\"code\":\""));
    assert_null(strstr(bench.ran, "\"program\""));
    drop(&bench, out);
}

static void a_test_that_did_not_run_to_its_end_does_not_pass(void **state) {
    (void)state;
    struct bench bench = {.answers = {"\"cd\"", "null"}, .cheats = true};
    pawl_value *out = run(fixing(&bench, .max_rounds = 9), TASK, PAWL_OK, NULL);
    assert_flag(out, "success", false);
    assert_flag(out, "passed_checks", false);
    const cJSON *attempt = pawl_value_get(out, "attempt");
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(attempt, "outcome")), "check_failed");
    assert_float_equal(cJSON_GetNumberValue(cJSON_GetObjectItem(attempt, "score")), 0, 0);
    const cJSON *check = cJSON_GetObjectItem(cJSON_GetObjectItem(attempt, "checks"), "test");
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(check, "message")), "the test did not run to its end");
    drop(&bench, out);
    bench = (struct bench){.answers = {"\"cd\"", "null"}, .cheats = true};
    out = run(fixing(&bench, .judge = pawl_judge_outcome("any")), TASK, PAWL_OK, NULL);
    assert_flag(out, "passed_checks", false);
    drop(&bench, out);
}

static void every_execution_has_a_number_of_its_own(void **state) {
    (void)state;
    char numbers[2][33] = {"", ""};
    for (int i = 0; i < 2; i++) {
        struct bench bench = {.answers = {"\"c\""}};
        pawl_value *out =
            run(fixing(&bench, .max_rounds = 1), i ? TASK : "{\"program\": \"a\", \"test\": \"c\"}", PAWL_OK, NULL);
        snprintf(numbers[i], sizeof numbers[i], "%.32s", nonce_of(bench.ran));
        assert_int_equal(strlen(numbers[i]), 32);
        drop(&bench, out);
    }
    assert_string_not_equal(numbers[0], numbers[1]);
}

static void the_language_names_the_file(void **state) {
    (void)state;
    struct bench bench = {.answers = {"\"c\""}};
    pawl_value *out =
        run(fixing(&bench, .language = "javascript"), "{\"program\": \"a\", \"test\": \"c\"}", PAWL_OK, NULL);
    assert_word(out, "file", "program.js");
    drop(&bench, out);
    bench = (struct bench){.answers = {"\"c\""}};
    out = run(fixing(&bench, .language = "javascript"), "{\"program\": \"a\", \"test\": \"c\", \"language\": \"bash\"}",
              PAWL_OK, NULL);
    assert_word(out, "file", "program.sh");
    assert_word(out, "language", "bash");
    drop(&bench, out);
}

static void programs_that_differ_at_line_ends_only_are_one(void **state) {
    (void)state;
    struct bench bench = {
        .answers = {"{\"candidates\": [\"x\\ny\", \"x  \\ny\\n\", {\"program\": \"x\\r\\ny\\r\\n\"}]}", "null"}};
    pawl_value *out = run(fixing(&bench, .max_rounds = 9), TASK, PAWL_OK, NULL);
    assert_number(out, "executions", 1);
    assert_number(out, "duplicates", 2);
    drop(&bench, out);
}

static bool likes_all(void *user, const pawl_value *candidate, const pawl_value *result, char ret_message[96]) {
    (void)candidate, (void)result, (void)ret_message;
    ++*(size_t *)user;
    return true;
}

static void a_judge_of_ones_own_decides(void **state) {
    (void)state;
    size_t asked = 0;
    struct bench bench = {0};
    pawl_value *out = run(fixing(&bench, .judge = pawl_judge_callback("like", likes_all, &asked)), TASK, PAWL_OK, NULL);
    assert_word(out, "outcome", "already_passes");
    assert_int_equal(asked, 2);
    drop(&bench, out);
}

/* ---- the mutator ---- */

static void the_mutator_is_the_generator_when_none_is_given(void **state) {
    (void)state;
    struct bench bench = {0};
    pawl_value *out =
        run(pawl_fix("fix", NULL, pawl_inline("execute", execute, &bench), .max_concurrency = 1),
            "{\"program\": \"def less(a, b):\\n    return a > b\\n\", \"test\": \"a < b\"}", PAWL_OK, NULL);
    assert_flag(out, "success", true);
    assert_word(out, "program", "def less(a, b):\n    return a < b\n");
    assert_word(out, "description", "line 2: > became <");
    drop(&bench, out);
}

static pawl_value *mutate(const char *in, uint64_t batch, uint64_t most) {
    pawl_primitive *node = pawl_mutator_generator("mutate", .batch = batch, .max_candidates = most);
    return run(node, in, PAWL_OK, NULL);
}

static void batches_follow_each_other_without_state(void **state) {
    (void)state;
    char in[300], *whole[100] = {0};
    size_t count = 0;
    for (int round = 1; round < 100; round++) {
        snprintf(
            in, sizeof in,
            "{\"round\": %d, \"input\": {\"language\": \"python\", \"program\": \"def f(a, b):\\n    return a + b * "
            "2\\n\"}}",
            round);
        pawl_value *out = mutate(in, 7, 0);
        const cJSON *list = pawl_value_get(out, "candidates");
        bool done = pawl_value_get_bool(out, "done", false);
        assert_true(done || cJSON_GetArraySize(list) == 7);
        for (const cJSON *item = list->child; item && count < 100; item = item->next)
            whole[count++] = strdup(cJSON_GetStringValue(cJSON_GetObjectItem(item, "program")));
        pawl_value_unref(out);
        if (done)
            break;
    }
    assert_true(count > 10);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(whole[i], whole[j]);
    for (size_t i = 0; i < count; i++)
        free(whole[i]);
}

static void hints_come_first(void **state) {
    (void)state;
    pawl_value *out =
        mutate("{\"round\": 1, \"input\": {\"language\": \"python\", \"program\": \"def f(a, b):\\n    c = a < "
               "b\\n    d = a > b\\n    return c\\n\", \"hints\": [{\"line\": 3, \"weight\": 9}]}}",
               1, 0);
    const cJSON *first = cJSON_GetArrayItem(pawl_value_get(out, "candidates"), 0);
    assert_float_equal(cJSON_GetNumberValue(cJSON_GetObjectItem(first, "line")), 3, 0);
    pawl_value_unref(out);
}

static void max_candidates_ends_it(void **state) {
    (void)state;
    pawl_value *out = mutate(
        "{\"round\": 1, \"input\": {\"language\": \"python\", \"program\": \"x = a < b\\ny = a < b\\n\"}}", 9, 4);
    assert_int_equal(cJSON_GetArraySize(pawl_value_get(out, "candidates")), 4);
    assert_true(pawl_value_get_bool(out, "done", false));
    pawl_value_unref(out);
}

/* ---- errors ---- */

static void bad_input_names_the_member(void **state) {
    (void)state;
    static const char *const bad[][2] = {
        {"null", "fix 'fix': the input is no object"},
        {"{\"program\": \"a\", \"test\": \"c\", \"files\": {\"pawl_test.py\": \"\"}}",
         "'pawl_test.py' is the name of the test"},
        {"{\"program\": \"a\", \"test\": \"c\", \"file\": \"pawl_test.py\"}", "'pawl_test.py' is the name of the test"},
        {"{\"test\": \"c\"}", "input.program is missing"},
        {"{\"program\": \"c\"}", "input.test is missing"},
        {"{\"program\": 3, \"test\": \"c\"}", "input.program is no text"},
        {"{\"program\": \"a\", \"test\": \"c\", \"tests\": \"d\"}", "input.tests is unknown"},
        {"{\"program\": \"a\", \"test\": \"c\", \"file\": \"../x\"}", "input.file is no plain file name"},
        {"{\"program\": \"a\", \"test\": \"c\", \"file\": \"\"}", "input.file is no plain file name"},
        {"{\"program\": \"a\", \"test\": \"c\", \"files\": [1]}", "input.files is no object"},
        {"{\"program\": \"a\", \"test\": \"c\", \"holdout\": []}", "input.holdout is no text"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct bench bench = {0};
        drop(&bench, run(fixing(&bench, .max_rounds = 1), bad[i][0], PAWL_E_INVALID, bad[i][1]));
        assert_int_equal(bench.executions, 0);
    }
}

static void texts_that_are_no_utf8_are_refused(void **state) {
    (void)state;
    static const char *const keys[] = {"program", "test", "holdout"};
    for (size_t i = 0; i < 3; i++) {
        struct bench bench = {0};
        struct fake_clock time = {0};
        cJSON *json = cJSON_CreateObject();
        for (size_t k = 0; k < 3; k++)
            cJSON_AddStringToObject(json, keys[k], k == i ? "ab\xff" : "c");
        pawl_value *in = pawl_value_take(json);
        pawl_runtime *runtime = virtual_runtime(&time);
        pawl_context *ctx = pawl_context_new(runtime);
        pawl_primitive *node = fixing(&bench, .max_rounds = 1);
        pawl_error *err = NULL;
        char part[64];
        snprintf(part, sizeof part, "input.%s is no UTF-8: byte 3 is 0xff", keys[i]);
        assert_int_equal(pawl_run(node, ctx, in, NULL, &err), PAWL_E_INVALID);
        expect_error(err, PAWL_E_INVALID, part);
        pawl_primitive_unref(node);
        pawl_context_unref(ctx);
        pawl_runtime_unref(runtime);
        pawl_value_unref(in);
    }
}

static void expect_refused(pawl_primitive *node, const char *part) {
    pawl_error *err = pawl_primitive_error(node);
    assert_non_null(err);
    expect_error(err, PAWL_E_INVALID, part);
    pawl_primitive_unref(node);
}

static void options_may_be_left_out(void **state) {
    (void)state;
    pawl_primitive *nodes[] = {pawl_fix("f", NULL, NULL), pawl_mutator_generator("m")};
    for (size_t i = 0; i < 2; i++) {
        assert_null(pawl_primitive_error(nodes[i]));
        pawl_primitive_unref(nodes[i]);
    }
    expect_refused(pawl_command_generator("c"), "command 'c': argv is required");
}

static void a_candidate_without_program_is_a_protocol_error(void **state) {
    (void)state;
    struct bench bench = {.answers = {"{\"code\": \"x\"}"}};
    drop(&bench, run(fixing(&bench, .max_rounds = 1), TASK, PAWL_E_PROTOCOL, "candidate without program text"));
}

static pawl_status answer_latin1(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out,
                                 pawl_error **err) {
    (void)user, (void)ctx, (void)in, (void)err;
    *ret_out = pawl_value_take(cJSON_CreateString("\xe9"));
    return PAWL_OK;
}

static void a_candidate_that_is_no_utf8_is_a_protocol_error(void **state) {
    (void)state;
    struct bench bench = {0};
    pawl_primitive *node =
        pawl_fix("fix", pawl_inline("generate", answer_latin1, NULL), pawl_inline("execute", execute, &bench));
    drop(&bench, run(node, TASK, PAWL_E_PROTOCOL, "no UTF-8"));
}

static void a_lost_sandbox_under_the_original_is_unavailable(void **state) {
    (void)state;
    struct bench bench = {.says = "{\"outcome\": \"sandbox_lost\", \"error\": null}"};
    drop(&bench, run(fixing(&bench, .max_rounds = 1), TASK, PAWL_E_UNAVAILABLE, "sandbox_lost"));
}

static void an_executor_that_cannot_work_ends_it(void **state) {
    (void)state;
    struct bench bench = {.answers = {"null"}};
    pawl_primitive *node = pawl_fix("fix", pawl_inline("generate", generate, &bench),
                                    failing("execute", PAWL_E_UNSUPPORTED), .max_rounds = 1);
    drop(&bench, run(node, TASK, PAWL_E_UNSUPPORTED, "fix/test/execute: "));
    node =
        pawl_fix("fix", failing("generate", PAWL_E_DENIED), pawl_inline("execute", execute, &bench), .max_rounds = 1);
    bench = (struct bench){0};
    drop(&bench, run(node, TASK, PAWL_E_DENIED, "generate: "));
}

static void bad_options_name_the_remedy(void **state) {
    (void)state;
    expect_refused(pawl_fix("fix", passing("g"), passing("e"), .max_concurrency = 9999), "max_concurrency is 9999");
    expect_refused(pawl_fix("fix", passing("g"), passing("e"), .max_cost = -2), "max_cost is -2");
    expect_refused(pawl_fix("", passing("g"), passing("e"), .judge = pawl_judge_test("t")), "needs a name");
    expect_refused(pawl_mutator_generator("m", .batch = 5000), "batch is 5000; set 1 to 4096");
    expect_refused(pawl_mutator_generator("m", .max_candidates = PAWL_ZERO), "max_candidates is 0");
    struct {
        pawl_fix_options known;
        uint64_t unknown;
    } newer = {.known = {.size = sizeof newer, .judge = pawl_judge_test("t")}, .unknown = 1};
    expect_refused(pawl_fix_new("fix", passing("g"), passing("e"), &newer.known), "does not know");
}

/* ---- cancel, deadline, memory ---- */

static struct bench swept;

static pawl_primitive *make_swept(void *user, struct fake_clock *time) {
    struct bench *bench = user;
    (void)time;
    free(bench->told);
    free(bench->ran);
    *bench = (struct bench){.answers = {"{\"candidates\": [\"x\", \"y\", \"x\"]}", "\"cd\""}};
    return fixing(bench, .max_rounds = 4, .max_concurrency = 2);
}

static void cancel_and_deadline_end_it_at_every_boundary(void **state) {
    (void)state;
    struct sweep sweep = {.make = make_swept, .user = &swept};
    assert_int_equal(pawl_value_parse(TASK, strlen(TASK), NULL, &sweep.input, NULL), PAWL_OK);
    sweep_cancel_and_deadline(&sweep);
    pawl_value_unref(sweep.input);
    drop(&swept, NULL);
}

static void running_out_of_memory_anywhere_is_an_error(void **state) {
    (void)state;
    pawl_value *input = NULL;
    assert_int_equal(pawl_value_parse(TASK, strlen(TASK), NULL, &input, NULL), PAWL_OK);
    for_each_failing_allocation(n) {
        struct bench bench = {.answers = {"{\"candidates\": [\"x\", \"x\"]}", "\"cd\""}};
        pawl_runtime *runtime = pawl_runtime_with(.seed = 1);
        pawl_context *ctx = pawl_context_new(runtime);
        pawl_primitive *node = fixing(&bench, .max_rounds = 3, .judge = pawl_judge_test("test"));
        pawl_value *out = NULL;
        pawl_error *err = NULL;
        if (ctx) {
            pawl_status status = pawl_run(node, ctx, input, &out, &err);
            if (status != PAWL_OK)
                assert_true(allocations_failed() > 0 && (status == PAWL_E_NOMEM || status == PAWL_E_UNSUPPORTED));
            else
                assert_word(out, "outcome", "passed_holdout");
        }
        pawl_error_unref(err);
        pawl_primitive_unref(node);
        pawl_context_unref(ctx);
        pawl_runtime_unref(runtime);
        drop(&bench, out);
    }
    pawl_value_unref(input);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_repair_that_passes_both_tests_is_a_success),
        cmocka_unit_test(a_repair_that_fails_the_held_back_test_is_none),
        cmocka_unit_test(without_a_held_back_test_the_visible_one_decides),
        cmocka_unit_test(a_program_that_passes_already_is_not_touched),
        cmocka_unit_test(what_could_not_be_repaired_is_a_result),
        cmocka_unit_test(a_generator_without_ideas_leaves_no_program),
        cmocka_unit_test(the_generator_is_told_all_but_the_held_back_test),
        cmocka_unit_test(a_test_finds_the_program_beside_it),
        cmocka_unit_test(a_test_that_did_not_run_to_its_end_does_not_pass),
        cmocka_unit_test(every_execution_has_a_number_of_its_own),
        cmocka_unit_test(the_language_names_the_file),
        cmocka_unit_test(programs_that_differ_at_line_ends_only_are_one),
        cmocka_unit_test(a_judge_of_ones_own_decides),
        cmocka_unit_test(the_mutator_is_the_generator_when_none_is_given),
        cmocka_unit_test(batches_follow_each_other_without_state),
        cmocka_unit_test(hints_come_first),
        cmocka_unit_test(max_candidates_ends_it),
        cmocka_unit_test(bad_input_names_the_member),
        cmocka_unit_test(texts_that_are_no_utf8_are_refused),
        cmocka_unit_test(options_may_be_left_out),
        cmocka_unit_test(a_candidate_without_program_is_a_protocol_error),
        cmocka_unit_test(a_candidate_that_is_no_utf8_is_a_protocol_error),
        cmocka_unit_test(a_lost_sandbox_under_the_original_is_unavailable),
        cmocka_unit_test(an_executor_that_cannot_work_ends_it),
        cmocka_unit_test(bad_options_name_the_remedy),
        cmocka_unit_test(cancel_and_deadline_end_it_at_every_boundary),
        cmocka_unit_test(running_out_of_memory_anywhere_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
