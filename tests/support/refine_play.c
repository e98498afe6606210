#include "refine_play.h"
#include "leaves.h"
#include <pawl/primitives/function.h>
#include <pawl/unstable/step.h>

#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static pawl_status status_of(const char *word) {
    for (int status = 0; status <= PAWL_E_INTERNAL; status++)
        if (strcmp(word, pawl_status_word((pawl_status)status)) == 0)
            return (pawl_status)status;
    fail_msg("'%s' is no status", word);
    return PAWL_OK;
}

pawl_status play_generate(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    struct play *play = user;
    (void)ctx;
    size_t at = play->asked++;
    assert_true(at < PLAY_ROUNDS);
    free(play->inputs[at]);
    play->inputs[at] = pawl_value_print(in);
    const char *answer = play->answers[at];
    char fresh[40];
    if (!answer) {
        snprintf(fresh, sizeof fresh, "{\"n\": %zu, \"sig\": \"error %zu\"}", at % 40 + 1, at);
        answer = fresh;
    }
    if (answer[0] == '!')
        return pawl_error_set(err, status_of(answer + 1), "the generator has no answer");
    return pawl_value_parse(answer, strlen(answer), NULL, ret_out, err);
}

/* A list value, as parallel gives. */
pawl_status play_generate_list(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    (void)user, (void)ctx, (void)in;
    pawl_value *items[] = {pawl_value_number(1), pawl_value_number(42)};
    *ret_out = pawl_value_list(items, 2);
    pawl_value_unref(items[0]);
    pawl_value_unref(items[1]);
    return *ret_out ? PAWL_OK : pawl_error_set(err, PAWL_E_NOMEM, "no list");
}

/* ---- the executor: waits candidate.ms, then passes it on or fails with candidate.fails ---- */

static pawl_step try_step(const void *state, pawl_frame *frame, pawl_event *event) {
    pawl_value *candidate = pawl_frame_input(frame);
    const char *fails = pawl_value_get_string(candidate, "fails", NULL);
    if (pawl_event_kind_of(event) == PAWL_EVENT_START) {
        struct play *play = *(struct play *const *)state;
        play->executions++;
        uint64_t ms = (uint64_t)pawl_value_get_number(candidate, "ms", 0);
        if (ms > 0)
            return pawl_step_wait(frame, PAWL_MS(ms));
    }
    pawl_failure failure = {.size = sizeof failure, .what = "the execution failed", .status = PAWL_E_FAILED};
    if (!fails)
        return pawl_step_succeed(frame, event, NULL);
    failure.status = status_of(fails);
    return pawl_step_fail(frame, event, &failure);
}

static const pawl_primitive_vtable try_vtable = {
    .size = sizeof try_vtable, .type_name = "try", .step = try_step, .destroy = free};

pawl_primitive *play_trying(struct play *play) {
    struct play **state = malloc(sizeof *state);
    pawl_primitive_spec spec = {.size = sizeof spec, .vtable = &try_vtable, .name = "try", .state = state};
    if (!state)
        pawl_error_set(&spec.failure, PAWL_E_NOMEM, "out of memory");
    else
        *state = play;
    return pawl_primitive_new(&spec);
}

/* ---- callbacks ---- */

double candidate_number(const pawl_value *candidate) {
    const cJSON *json = pawl_value_json(candidate);
    return cJSON_IsNumber(json) ? json->valuedouble : pawl_value_get_number(candidate, "n", 0);
}

pawl_status play_judge(void *user, pawl_value *candidate, const pawl_outcome *outcome, pawl_verdict *ret_verdict,
                       pawl_error **err) {
    struct play *play = user;
    if (play->judge_fails)
        return pawl_error_set(err, PAWL_E_INTERNAL, "the judge is away");
    assert_int_equal(ret_verdict->size, sizeof *ret_verdict);
    assert_int_equal(ret_verdict->exit_status, -1);
    bool ran = pawl_outcome_status(outcome) == PAWL_OK;
    ret_verdict->pass = ran && candidate_number(candidate) == 42;
    ret_verdict->score = ran ? candidate_number(candidate) / 100 : -1;
    ret_verdict->cost = pawl_value_get_number(candidate, "cost", 0);
    ret_verdict->is_infrastructure = pawl_value_get_bool(candidate, "lost", false);
    snprintf(ret_verdict->outcome, sizeof ret_verdict->outcome, "%s", ret_verdict->pass ? "ok" : "check_failed");
    snprintf(ret_verdict->signature, sizeof ret_verdict->signature, "%s",
             pawl_value_get_string(candidate, "sig", ret_verdict->pass ? "" : "wrong"));
    ret_verdict->check_count = 1;
    ret_verdict->checks[0].pass = ret_verdict->pass;
    snprintf(ret_verdict->checks[0].name, sizeof ret_verdict->checks[0].name, "is 42");
    ret_verdict->output = pawl_value_string("some output");
    return ret_verdict->output ? PAWL_OK : pawl_error_set(err, PAWL_E_NOMEM, "no output");
}

pawl_status play_judge_wildly(void *user, pawl_value *candidate, const pawl_outcome *outcome, pawl_verdict *ret_verdict,
                              pawl_error **err) {
    (void)user, (void)outcome, (void)err;
    memset(ret_verdict->outcome, 'x', sizeof ret_verdict->outcome);
    memset(ret_verdict->signature, 'y', sizeof ret_verdict->signature);
    memset(ret_verdict->checks, 'z', sizeof ret_verdict->checks);
    ret_verdict->check_count = 1000000;
    ret_verdict->cost = -INFINITY;
    ret_verdict->score = candidate_number(candidate) == 1 ? NAN : candidate_number(candidate) == 2 ? INFINITY : 7;
    return PAWL_OK;
}

void play_on_attempt(void *user, const pawl_attempt *attempt, pawl_value *candidate) {
    struct play *play = user;
    assert_non_null(candidate);
    play->attempts++;
    play->cancelled += attempt->was_cancelled != 0;
    play->duplicates += attempt->duplicate_of != 0;
    snprintf(play->note, sizeof play->note, "%llu %s", (unsigned long long)attempt->number, attempt->verdict.outcome);
}

void play_on_report(void *user, pawl_value *report) {
    struct play *play = user;
    play->reports++;
    snprintf(play->stop_reason, sizeof play->stop_reason, "%s", pawl_value_get_string(report, "stop_reason", "?"));
    play->best = cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(pawl_value_get(report, "candidate"), "n"));
}

pawl_status play_feedback(void *user, const pawl_attempt *attempt, pawl_value *candidate, pawl_value *result,
                          char **ret_text, pawl_error **err) {
    struct play *play = user;
    if (play->feedback_fails)
        return pawl_error_set(err, PAWL_E_INTERNAL, "no words");
    assert_true(result == NULL || result == candidate || pawl_value_equal(result, candidate));
    if (asprintf(ret_text, "attempt %llu is not 42", (unsigned long long)attempt->number) < 0)
        return pawl_error_set(err, PAWL_E_NOMEM, "no feedback");
    return PAWL_OK;
}

/* ---- running one ---- */

struct fake_clock play_time;

pawl_value *play_run(struct play *play, pawl_primitive *node, pawl_status expected) {
    play_time = (struct fake_clock){0};
    pawl_runtime *runtime = virtual_runtime(&play_time);
    pawl_context *ctx = pawl_context_new(runtime);
    pawl_value *out = NULL, *in = NULL;
    pawl_error *err = NULL;
    (void)play;
    assert_int_equal(pawl_value_parse("{\"goal\": 42}", 12, NULL, &in, NULL), PAWL_OK);
    pawl_status status = pawl_run(node, ctx, in, &out, &err);
    if (status != expected)
        fail_msg("expected %s, got %s: %s", pawl_status_name(expected), pawl_status_name(status),
                 pawl_error_message(err));
    expect_nothing_alive(runtime);
    pawl_value_unref(in);
    pawl_error_unref(err);
    pawl_primitive_unref(node);
    pawl_context_unref(ctx);
    pawl_runtime_unref(runtime);
    return out;
}

void play_drop(struct play *play, pawl_value *out) {
    pawl_value_unref(out);
    for (size_t i = 0; i < PLAY_ROUNDS; i++)
        free(play->inputs[i]);
}

void expect_stop(const pawl_value *out, const char *reason, double rounds, double executions) {
    assert_non_null(out);
    assert_string_equal(pawl_value_get_string(out, "stop_reason", "?"), reason);
    assert_int_equal(pawl_value_get_bool(out, "success", false), strcmp(reason, "accepted") == 0);
    assert_float_equal(pawl_value_get_number(out, "rounds", -1), rounds, 0);
    assert_float_equal(pawl_value_get_number(out, "executions", -1), executions, 0);
}

double candidate_of(const pawl_value *out) {
    return cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(pawl_value_get(out, "candidate"), "n"));
}
