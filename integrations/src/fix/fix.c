/* START -> executor: visible test on the original; CHILD_DONE -> it passes: the held-back test | the loop
 * CHILD_DONE (loop) -> accepted: executor, held-back test | finish; CHILD_DONE (held-back test) -> finish */
#include "fix_internal.h"
#include "fix_proof_internal.h"
#include "options_internal.h"
#include "primitive_internal.h"
#include "refine_internal.h"
#include "utf8_internal.h"
#include <pawl/integrations/execution.h>
#include <pawl/observer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_TIMEOUT_NS PAWL_S(2)
#define DEFAULT_ATTEMPTS 1000

struct fix_frame {
    struct fix_run *run;
};

/* ---- a run's memory ---- */

static void free_run(struct fix_run *run) {
    pawl_value_unref(run->child_input);
    pawl_value_unref(run->report);
    pawl_value_unref(run->original.verdict.output);
    pawl_value_unref(run->holdout.verdict.output);
    free(run);
}

static pawl_step fail(struct fix_run *run, pawl_frame *frame, pawl_event *event, pawl_error *error) {
    if (run)
        free_run(run);
    if (error)
        return pawl_step_fail_with(frame, event, error);
    pawl_failure failure = {.size = sizeof failure, .status = PAWL_E_NOMEM, .what = "out of memory; free some"};
    return pawl_step_fail(frame, event, &failure);
}

/* ---- what makes two candidates the same ---- */

/* Two programs are the same when they differ in white space at line ends only. */
static void add_program(const char *text, pawl_digest *digest) {
    for (const char *at = text; *at;) {
        const char *newline = strchr(at, '\n'), *end = newline ? newline : at + strlen(at);
        size_t length = (size_t)(end - at);
        while (length > 0 && strchr(" \t\r", at[length - 1]))
            length--;
        pawl_digest_add(digest, at, length);
        pawl_digest_add(digest, "\n", 1);
        at = newline ? newline + 1 : end;
    }
}

/* ---- running a test ---- */

/* The input, if it could be made, is the child's. */
static pawl_step run_child(struct fix_run *run, pawl_frame *frame, pawl_event *event, size_t child, pawl_value *input,
                           pawl_error *error) {
    if (!input)
        return fail(run, frame, event, error);
    pawl_value_unref(run->child_input);
    run->child_input = input;
    return pawl_step_run(frame, pawl_frame_node(frame)->children[child], input, NULL);
}

static pawl_step run_test(const struct fix *fix, struct fix_run *run, pawl_frame *frame, pawl_event *event,
                          const char *test, const char *program) {
    pawl_error *error = NULL;
    run->test_started_ns = pawl_frame_now(frame);
    pawl_value *input = pawl_fix_execution_input(fix, &run->task, test, program, &error);
    return run_child(run, frame, event, 0, input, error);
}

/* The record of a test that is no attempt: number 0. False with *err. */
static bool judge_test(const struct fix *fix, const struct fix_run *run, pawl_frame *frame, pawl_outcome *outcome,
                       pawl_attempt *attempt, pawl_error **err) {
    *attempt = (pawl_attempt){.size = sizeof *attempt,
                              .status = pawl_outcome_status(outcome),
                              .started_ns = run->test_started_ns,
                              .total_ns = pawl_frame_now(frame) - run->test_started_ns};
    attempt->verdict.size = sizeof attempt->verdict;
    attempt->verdict.exit_status = -1;
    pawl_digest digest = pawl_digest_start();
    add_program(run->program, &digest);
    pawl_refine_put_digest(attempt, digest);
    pawl_context_trace_id(pawl_frame_context(frame), attempt->trace_id);
    if (pawl_judge_run(fix->judge, pawl_frame_input(frame), outcome, &attempt->verdict, err) != PAWL_OK)
        return false;
    if (!attempt->verdict.is_infrastructure)
        return true;
    pawl_error_set(err, PAWL_E_UNAVAILABLE, "the sandbox failed under a test (%s); try again",
                   attempt->verdict.outcome);
    return false;
}

/* ---- steps ---- */

static pawl_step finish(struct fix_run *run, pawl_frame *frame, pawl_event *event) {
    pawl_value *report = pawl_fix_report(run, pawl_frame_now(frame));
    if (!report)
        return fail(run, frame, event, NULL);
    pawl_frame_set_string(frame, "pawl.fix.outcome", pawl_value_get_string(report, "outcome", ""));
    pawl_frame_set_string(frame, "pawl.stop_reason", pawl_value_get_string(report, "stop_reason", ""));
    free_run(run);
    return pawl_step_succeed(frame, event, report);
}

static pawl_step start(const struct fix *fix, struct fix_frame *f, pawl_frame *frame, pawl_event *event) {
    pawl_error *error = NULL;
    struct fix_run *run = f->run = calloc(1, sizeof *run);
    if (!run || pawl_fix_read_task(fix, pawl_frame_input(frame), &run->task, &error) != PAWL_OK)
        return fail(run, frame, event, error);
    run->started_ns = pawl_frame_now(frame);
    run->program = run->task.program;
    if (pawl_context_records_content(pawl_frame_context(frame)))
        pawl_frame_set_string(frame, "pawl.fix.program", run->program);
    return run_test(fix, run, frame, event, run->task.test, run->program);
}

static pawl_step judge_holdout(const struct fix *fix, struct fix_run *run, pawl_frame *frame, pawl_event *event) {
    if (!run->task.holdout)
        return finish(run, frame, event);
    run->phase = FIX_HOLDOUT;
    return run_test(fix, run, frame, event, run->task.holdout, run->program);
}

static pawl_step take_original(const struct fix *fix, struct fix_run *run, pawl_frame *frame, pawl_event *event) {
    pawl_outcome *outcome = pawl_event_outcome(event);
    pawl_error *error = NULL;
    if (!judge_test(fix, run, frame, outcome, &run->original, &error))
        return fail(run, frame, event, error);
    if (run->original.verdict.pass)
        return judge_holdout(fix, run, frame, event);
    run->phase = FIX_LOOP;
    pawl_value *input = pawl_fix_loop_input(&run->task, &run->original, pawl_outcome_value(outcome), &error);
    return run_child(run, frame, event, 1, input, error);
}

static pawl_step take_loop(const struct fix *fix, struct fix_run *run, pawl_frame *frame, pawl_event *event) {
    run->report = pawl_outcome_take_value(pawl_event_outcome(event));
    const cJSON *candidate = pawl_value_get(run->report, "candidate");
    run->program = cJSON_IsString(candidate)
                       ? candidate->valuestring
                       : cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(candidate, "program"));
    run->description = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(candidate, "description"));
    if (pawl_value_get_bool(run->report, "success", false))
        return judge_holdout(fix, run, frame, event);
    return finish(run, frame, event);
}

static pawl_step take_holdout(const struct fix *fix, struct fix_run *run, pawl_frame *frame, pawl_event *event) {
    pawl_error *error = NULL;
    if (!judge_test(fix, run, frame, pawl_event_outcome(event), &run->holdout, &error))
        return fail(run, frame, event, error);
    run->has_holdout = true;
    return finish(run, frame, event);
}

/* An executor of one's own may say of a program that it failed or took too long; that is judged like any other end. */
static bool is_judged(const struct fix_run *run, const pawl_outcome *outcome) {
    pawl_status status = pawl_outcome_status(outcome);
    return status == PAWL_OK || (run->phase != FIX_LOOP && (status == PAWL_E_FAILED || status == PAWL_E_TIMEOUT));
}

static pawl_step fix_step(const void *state, pawl_frame *frame, pawl_event *event) {
    const struct fix *fix = state;
    struct fix_frame *f = pawl_frame_memory(frame);
    if (pawl_event_kind_of(event) == PAWL_EVENT_START)
        return start(fix, f, frame, event);
    if (!is_judged(f->run, pawl_event_outcome(event))) {
        free_run(f->run);
        return pawl_step_finish(frame, event);
    }
    switch (f->run->phase) {
    case FIX_ORIGINAL:
        return take_original(fix, f->run, frame, event);
    case FIX_LOOP:
        return take_loop(fix, f->run, frame, event);
    default:
        return take_holdout(fix, f->run, frame, event);
    }
}

static void destroy(void *state) {
    struct fix *fix = state;
    pawl_judge_unref(fix->judge);
    free((char *)fix->options.language);
    free(fix);
}

static const pawl_primitive_vtable fix_vtable = {
    .size = sizeof fix_vtable, .type_name = "fix", .step = fix_step, .destroy = destroy};

/* ---- the loop's callbacks; user is the fix ---- */

static pawl_status prepare(void *user, pawl_value *input, pawl_value *candidate, pawl_value **ret_input,
                           pawl_error **err) {
    const struct fix *fix = user;
    const cJSON *json = pawl_value_json(input);
    const char *program = pawl_fix_program_of(candidate);
    if (!program)
        return pawl_error_set(err, PAWL_E_PROTOCOL,
                              "fix '%s': the generator gave a candidate without program text; answer with a JSON "
                              "string or {\"program\": text}",
                              fix->name);
    if (pawl_utf8_valid(program, strlen(program)) != strlen(program))
        return pawl_error_set(err, PAWL_E_PROTOCOL, "fix '%s': the generator gave a program that is no UTF-8",
                              fix->name);
    struct fix_task task = {.language = pawl_value_get_string(input, "language", ""),
                            .file = pawl_value_get_string(input, "file", ""),
                            .files = cJSON_GetObjectItemCaseSensitive(json, "files")};
    *ret_input = pawl_fix_execution_input(fix, &task, pawl_value_get_string(input, "test", ""), program, err);
    return *ret_input ? PAWL_OK : PAWL_E_NOMEM;
}

static pawl_status judge(void *user, pawl_value *candidate, const pawl_outcome *outcome, pawl_verdict *ret_verdict,
                         pawl_error **err) {
    const struct fix *fix = user;
    return pawl_judge_run(fix->judge, candidate, outcome, ret_verdict, err);
}

static void on_attempt(void *user, const pawl_attempt *attempt, pawl_value *candidate) {
    const struct fix *fix = user;
    fix->options.on_attempt(fix->options.user, attempt, candidate);
}

static void key(void *user, const pawl_value *candidate, pawl_digest *digest) {
    const char *text = pawl_fix_program_of(candidate);
    (void)user;
    add_program(text ? text : "", digest);
}

/* ---- making ---- */

static uint64_t online_processors(void) {
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count < 1 ? 1 : count > 4096 ? 4096 : (uint64_t)count;
}

static void set_defaults(pawl_fix_options *o, bool is_mutator) {
    o->timeout_ns = pawl_option(o->timeout_ns, DEFAULT_TIMEOUT_NS);
    o->max_attempts = o->max_attempts ? o->max_attempts : DEFAULT_ATTEMPTS;
    o->max_concurrency = o->max_concurrency ? o->max_concurrency : online_processors();
    if (!is_mutator && !o->single_edits)
        return;
    o->max_rounds = o->max_rounds ? o->max_rounds : PAWL_UNLIMITED;
    o->max_repeats = o->max_repeats ? o->max_repeats : PAWL_UNLIMITED;
    o->max_same_errors = o->max_same_errors ? o->max_same_errors : PAWL_UNLIMITED;
}

static pawl_primitive *make_loop(struct fix *fix, pawl_primitive *generator, pawl_primitive *executor,
                                 bool is_mutator) {
    const pawl_fix_options *o = &fix->options;
    return pawl_refine(
        "loop", generator, executor, .judge = judge, .key = key, .prepare = prepare,
        .feedback = pawl_feedback_for_refine, .on_attempt = o->on_attempt ? on_attempt : NULL, .user = fix,
        .max_rounds = o->max_rounds, .max_attempts = o->max_attempts, .max_elapsed_ns = o->max_elapsed_ns,
        .max_cost = o->max_cost, .max_concurrency = o->max_concurrency, .max_repeats = o->max_repeats,
        .max_same_errors = o->max_same_errors, .max_records = o->max_records, .history = is_mutator ? PAWL_ZERO : 0);
}

/* Also of options that will be refused. */
static pawl_judge *taken_judge(const pawl_fix_options *options) {
    size_t end = offsetof(pawl_fix_options, judge) + sizeof options->judge;
    return options && options->size >= end ? options->judge : NULL;
}

static void copy_options(struct fix *fix, const pawl_fix_options *options, bool is_mutator, pawl_error **err) {
    pawl_status status = pawl_options_copy(&fix->options, sizeof fix->options, options, "fix", err);
    const char *language = fix->options.language;
    fix->options.language = strdup(language ? language : "python");
    if (status == PAWL_OK && !fix->options.language)
        pawl_error_set(err, PAWL_E_NOMEM, "fix: out of memory");
    set_defaults(&fix->options, is_mutator);
}

pawl_primitive *pawl_fix_new(const char *name, pawl_primitive *generator, pawl_primitive *executor,
                             const pawl_fix_options *options) {
    pawl_primitive_spec spec = {
        .size = sizeof spec, .vtable = &fix_vtable, .name = name, .frame_bytes = sizeof(struct fix_frame)};
    bool is_mutator = generator == NULL;
    struct fix *fix = calloc(1, sizeof *fix);
    generator = generator ? generator : pawl_mutator_generator("mutate");
    /* Judges see what was printed; what is told of it is hidden in behind them (judge.c, feedback.c). */
    executor = executor ? executor : pawl_code_execution("execute", .redaction = PAWL_REDACT_NOTHING);
    pawl_judge *judge = taken_judge(options);
    executor = pawl_proof_new(executor);
    if (!fix) {
        pawl_judge_unref(judge);
        pawl_error_set(&spec.failure, PAWL_E_NOMEM, "fix '%s': out of memory", name ? name : "");
        spec.children = PAWL_CHILDREN(generator, executor);
        return pawl_primitive_new(&spec);
    }
    snprintf(fix->name, sizeof fix->name, "%s", name ? name : "");
    fix->name[pawl_utf8_cut(fix->name, strlen(fix->name))] = '\0';
    fix->judge = judge ? judge : pawl_judge_test("test");
    copy_options(fix, options, is_mutator, &spec.failure);
    spec.state = fix;
    spec.children = PAWL_CHILDREN(executor, make_loop(fix, generator, pawl_primitive_ref(executor), is_mutator));
    return pawl_primitive_new(&spec);
}
