/* pawl_fix() when it cannot: bad input, options and parts, a cancel, no memory. */
#include "bed.h"
#include "failing_malloc.h"
#include "fix_play.h"
#include <pawl/primitives/function.h>

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

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
        struct fix_play play = {0};
        end_fix(&play, run_fix(fixing(&play, .max_rounds = 1), bad[i][0], PAWL_E_INVALID, bad[i][1]));
        assert_int_equal(play.executions, 0);
    }
}

static void texts_that_are_no_utf8_are_refused(void **state) {
    (void)state;
    static const char *const keys[] = {"program", "test", "holdout"};
    for (size_t i = 0; i < 3; i++) {
        struct fix_play play = {0};
        struct fake_clock time = {0};
        cJSON *json = cJSON_CreateObject();
        for (size_t k = 0; k < 3; k++)
            cJSON_AddStringToObject(json, keys[k], k == i ? "ab\xff" : "c");
        pawl_value *in = pawl_value_take(json);
        pawl_runtime *runtime = virtual_runtime(&time);
        pawl_context *ctx = pawl_context_new(runtime);
        pawl_primitive *node = fixing(&play, .max_rounds = 1);
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

static void options_may_be_left_out(void **state) {
    (void)state;
    pawl_primitive *nodes[] = {pawl_fix("f", NULL, NULL), pawl_mutator_generator("m")};
    for (size_t i = 0; i < 2; i++) {
        assert_null(pawl_primitive_error(nodes[i]));
        pawl_primitive_unref(nodes[i]);
    }
    expect_broken(pawl_command_generator("c"), PAWL_E_INVALID, "command 'c': argv is required");
}

static void a_candidate_without_program_is_a_protocol_error(void **state) {
    (void)state;
    struct fix_play play = {.answers = {"{\"code\": \"x\"}"}};
    end_fix(&play, run_fix(fixing(&play, .max_rounds = 1), TASK, PAWL_E_PROTOCOL, "candidate without program text"));
}

static pawl_status answer_latin1(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out,
                                 pawl_error **err) {
    (void)user, (void)ctx, (void)in, (void)err;
    *ret_out = pawl_value_take(cJSON_CreateString("\xe9"));
    return PAWL_OK;
}

static void a_candidate_that_is_no_utf8_is_a_protocol_error(void **state) {
    (void)state;
    struct fix_play play = {0};
    pawl_primitive *node = pawl_fix("fix", pawl_inline("generate", answer_latin1, NULL), play_executor(&play));
    end_fix(&play, run_fix(node, TASK, PAWL_E_PROTOCOL, "no UTF-8"));
}

static void a_lost_sandbox_under_the_original_is_unavailable(void **state) {
    (void)state;
    struct fix_play play = {.says = "{\"outcome\": \"sandbox_lost\", \"error\": null}"};
    end_fix(&play, run_fix(fixing(&play, .max_rounds = 1), TASK, PAWL_E_UNAVAILABLE, "sandbox_lost"));
}

static void an_executor_that_cannot_work_ends_it(void **state) {
    (void)state;
    struct fix_play play = {.answers = {"null"}};
    pawl_primitive *node =
        pawl_fix("fix", play_generator(&play), failing("execute", PAWL_E_UNSUPPORTED), .max_rounds = 1);
    end_fix(&play, run_fix(node, TASK, PAWL_E_UNSUPPORTED, "fix/test/execute: "));
    node = pawl_fix("fix", failing("generate", PAWL_E_DENIED), play_executor(&play), .max_rounds = 1);
    play = (struct fix_play){0};
    end_fix(&play, run_fix(node, TASK, PAWL_E_DENIED, "generate: "));
}

static void bad_options_name_the_remedy(void **state) {
    (void)state;
    expect_broken(pawl_fix("fix", passing("g"), passing("e"), .max_concurrency = 9999), PAWL_E_INVALID,
                  "max_concurrency is 9999");
    expect_broken(pawl_fix("fix", passing("g"), passing("e"), .max_cost = -2), PAWL_E_INVALID, "max_cost is -2");
    expect_broken(pawl_fix("", passing("g"), passing("e"), .judge = pawl_judge_test("t")), PAWL_E_INVALID,
                  "needs a name");
    expect_broken(pawl_mutator_generator("m", .batch = 5000), PAWL_E_INVALID, "batch is 5000; set 1 to 4096");
    expect_broken(pawl_mutator_generator("m", .max_candidates = PAWL_ZERO), PAWL_E_INVALID, "max_candidates is 0");
    struct {
        pawl_fix_options known;
        uint64_t unknown;
    } newer = {.known = {.size = sizeof newer, .judge = pawl_judge_test("t")}, .unknown = 1};
    expect_broken(pawl_fix_new("fix", passing("g"), passing("e"), &newer.known), PAWL_E_INVALID, "does not know");
}

/* ---- cancel, deadline, memory ---- */

static struct fix_play swept;

static pawl_primitive *make_swept(void *user, struct fake_clock *time) {
    struct fix_play *play = user;
    (void)time;
    free(play->told);
    free(play->ran);
    *play = (struct fix_play){.answers = {"{\"candidates\": [\"x\", \"y\", \"x\"]}", "\"cd\""}};
    return fixing(play, .max_rounds = 4, .max_concurrency = 2);
}

static void cancel_and_deadline_end_it_at_every_boundary(void **state) {
    (void)state;
    struct sweep sweep = {.make = make_swept, .user = &swept};
    assert_int_equal(pawl_value_parse(TASK, strlen(TASK), NULL, &sweep.input, NULL), PAWL_OK);
    sweep_cancel_and_deadline(&sweep);
    pawl_value_unref(sweep.input);
    end_fix(&swept, NULL);
}

static void running_out_of_memory_anywhere_is_an_error(void **state) {
    (void)state;
    pawl_value *input = NULL;
    assert_int_equal(pawl_value_parse(TASK, strlen(TASK), NULL, &input, NULL), PAWL_OK);
    for_each_failing_allocation(n) {
        struct fix_play play = {.answers = {"{\"candidates\": [\"x\", \"x\"]}", "\"cd\""}};
        pawl_runtime *runtime = pawl_runtime_with(.seed = 1);
        pawl_context *ctx = pawl_context_new(runtime);
        pawl_primitive *node = fixing(&play, .max_rounds = 3, .judge = pawl_judge_test("test"));
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
        end_fix(&play, out);
    }
    pawl_value_unref(input);
}

int main(void) {
    const struct CMUnitTest tests[] = {
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
