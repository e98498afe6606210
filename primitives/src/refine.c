/* START -> a round: generator; CHILD_DONE (generator) -> executions of its candidates, side by side
 * CHILD_DONE (execution) -> the next candidate | the next round | a reason to stop: cancel what must not go on, join,
 * finish */
#include "engine_internal.h"
#include "refine_internal.h"
#include "utf8_internal.h"
#include <stdlib.h>
#include <string.h>

struct refine {
    pawl_refine_options options;
};

struct refine_frame {
    struct refine_run *run;
};

/* ---- budgets, looked at before each step ---- */

static void check_scope(struct refine_run *run, pawl_frame *frame) {
    pawl_cancel_reason over = pawl_frame_cancelled(frame);
    if (over != PAWL_CANCEL_NONE)
        pawl_refine_stop(run, over == PAWL_CANCEL_DEADLINE ? REFINE_DEADLINE : REFINE_CANCELLED);
}

static void check_budgets(struct refine_run *run, pawl_frame *frame) {
    const pawl_refine_options *o = run->options;
    uint64_t now = pawl_frame_now(frame);
    check_scope(run, frame);
    if (now >= run->elapsed_at_ns)
        pawl_refine_stop(run, REFINE_ELAPSED);
    else if (o->max_cost > 0 && run->cost >= o->max_cost)
        pawl_refine_stop(run, REFINE_BUDGET);
    else if (run->executions >= o->max_attempts)
        pawl_refine_stop(run, REFINE_ATTEMPTS);
}

static pawl_scope child_scope(const struct refine_run *run, const char *attribute, uint64_t number) {
    return (pawl_scope){.size = sizeof(pawl_scope),
                        .deadline_ns = run->elapsed_at_ns == PAWL_NEVER ? 0 : run->elapsed_at_ns,
                        .attribute = attribute,
                        .attribute_value = (int64_t)number};
}

/* ---- an attempt's record ---- */

static void start_attempt(struct refine_run *run, pawl_attempt *attempt, const pawl_value *candidate,
                          pawl_digest digest) {
    *attempt = (pawl_attempt){.size = sizeof *attempt, .round = run->round};
    attempt->verdict.size = sizeof attempt->verdict;
    attempt->verdict.exit_status = -1;
    pawl_refine_put_digest(attempt, digest);
    pawl_context_trace_id(run->ctx, attempt->trace_id);
    const char *description = pawl_value_get_string(candidate, "description", "");
    size_t length = strlen(description);
    if (length >= sizeof attempt->description)
        length = pawl_utf8_cut(description, sizeof attempt->description - 1);
    memcpy(attempt->description, description, length);
}

/* ---- executions ---- */

static struct refine_slot *find_slot(struct refine_run *run) {
    for (size_t i = 0; i < run->slot_count; i++)
        if (!run->slots[i].candidate)
            return &run->slots[i];
    return NULL;
}

/* What is tried, since the executor may be given it in another form: a text, or the program of an object. */
static void set_candidate(const struct refine_slot *slot, pawl_frame *frame, pawl_span *span) {
    if (!pawl_context_records_content(pawl_frame_context(frame)))
        return;
    const cJSON *json = pawl_value_json(slot->candidate);
    const char *text = cJSON_GetStringValue(json);
    text = text ? text : pawl_value_get_string(slot->candidate, "program", NULL);
    if (text)
        pawl_span_set_string(span, "pawl.candidate.text", text);
}

static void describe_slot(struct refine_slot *slot, pawl_frame *frame, uint64_t round) {
    pawl_span *span = frame->observed ? frame->children->own.span : NULL; /* the child that was just started */
    if (!span)
        return;
    pawl_span_set_int(span, "pawl.round", (int64_t)round);
    set_candidate(slot, frame, span);
    memcpy(slot->span_id, span->span_id, sizeof slot->span_id);
}

/* The executor's input, a new reference; NULL: the run has failed. */
static pawl_value *prepare(struct refine_run *run, pawl_frame *frame, pawl_value *candidate) {
    pawl_value *input = NULL;
    pawl_error *err = NULL;
    if (!run->options->prepare)
        return pawl_value_ref(candidate);
    pawl_status status = run->options->prepare(run->options->user, pawl_frame_input(frame), candidate, &input, &err);
    if (status != PAWL_OK) {
        if (!err)
            pawl_error_set(&err, status, "the prepare callback failed without saying why; set *err to tell");
        pawl_refine_fail(run, err);
        return NULL;
    }
    pawl_error_unref(err);
    return input ? input : pawl_value_ref(candidate);
}

static void free_slot(struct refine_slot *slot) {
    slot->candidate = pawl_value_unref(slot->candidate);
    slot->input = pawl_value_unref(slot->input);
}

static bool start_slot(struct refine_run *run, pawl_frame *frame, struct refine_slot *slot) {
    pawl_scope scope = child_scope(run, "pawl.candidate", slot->number);
    size_t lane = (size_t)(slot - run->slots);
    return pawl_refine_known_add(&run->known, slot->digest, slot->number) &&
           pawl_frame_start_block(frame, lane, pawl_frame_node(frame)->children[1], slot->input, &scope) == PAWL_OK;
}

/* Takes the candidate. */
static void execute(struct refine_run *run, pawl_frame *frame, pawl_value *candidate, pawl_digest digest,
                    uint64_t number) {
    struct refine_slot *slot = find_slot(run);
    *slot = (struct refine_slot){.candidate = candidate,
                                 .input = prepare(run, frame, candidate),
                                 .digest = digest,
                                 .number = number,
                                 .parent = run->answer.parent,
                                 .started_ns = pawl_frame_now(frame)};
    if (slot->input && start_slot(run, frame, slot)) {
        describe_slot(slot, frame, run->round);
        run->executions++;
        run->round_executions++;
        return;
    }
    free_slot(slot);
    pawl_refine_fail(run, NULL);
}

static void skip_duplicate(struct refine_run *run, pawl_value *candidate, pawl_digest digest, uint64_t of) {
    pawl_attempt attempt;
    start_attempt(run, &attempt, candidate, digest);
    attempt.number = ++run->numbers;
    attempt.parent = run->answer.parent;
    attempt.duplicate_of = of;
    run->duplicates++;
    pawl_refine_keep(run, &attempt, candidate);
    pawl_value_unref(candidate);
}

static bool make_digest(const struct refine_run *run, const pawl_value *candidate, pawl_digest *digest) {
    *digest = pawl_digest_start();
    if (!run->options->key)
        return pawl_refine_digest(candidate, digest);
    run->options->key(run->options->user, candidate, digest);
    return true;
}

static void try_next(struct refine_run *run, pawl_frame *frame) {
    pawl_digest digest;
    pawl_value *candidate = pawl_refine_answer_next(&run->answer);
    if (!candidate || !make_digest(run, candidate, &digest)) {
        pawl_value_unref(candidate);
        pawl_refine_fail(run, NULL);
        return;
    }
    struct refine_known_entry *known = pawl_refine_known_find(&run->known, digest);
    if (known && !known->may_repeat)
        skip_duplicate(run, candidate, digest, known->number);
    else
        execute(run, frame, candidate, digest, ++run->numbers);
}

/* Starts what may run now. */
static void fill(struct refine_run *run, pawl_frame *frame) {
    while (run->stop == REFINE_GOES_ON && run->answer.index < run->answer.count &&
           pawl_frame_live_children(frame) < run->slot_count) {
        check_budgets(run, frame);
        if (run->stop == REFINE_GOES_ON)
            try_next(run, frame);
    }
}

/* ---- failures that are nobody's fault but the machine's ---- */

static bool ends_run(const struct refine_run *run, const pawl_outcome *outcome) {
    if (run->options->ends_run)
        return run->options->ends_run(outcome, run->options->user);
    return !pawl_outcome_is_retryable(outcome);
}

static void note_infrastructure(struct refine_run *run, pawl_frame *frame, pawl_outcome *outcome) {
    pawl_frame_now(frame);
    check_scope(run, frame);
    if (pawl_outcome_status(outcome) == PAWL_E_DEADLINE && pawl_frame_now(frame) >= run->elapsed_at_ns)
        pawl_refine_stop(run, REFINE_ELAPSED);
    if (run->stop != REFINE_GOES_ON && run->stop != REFINE_ATTEMPTS && run->stop != REFINE_BUDGET)
        return;
    bool ends = ends_run(run, outcome);
    pawl_error_unref(run->last_infrastructure);
    run->last_infrastructure = pawl_outcome_take_error(outcome);
    if (ends)
        pawl_refine_fail(run, pawl_error_ref(run->last_infrastructure));
}

static bool is_judged(pawl_status status) {
    return status == PAWL_OK || status == PAWL_E_FAILED || status == PAWL_E_TIMEOUT;
}

static void allow_again(struct refine_run *run, pawl_digest digest) {
    struct refine_known_entry *known = pawl_refine_known_find(&run->known, digest);
    if (known)
        known->may_repeat = 1;
}

static void end_execution(struct refine_run *run, pawl_frame *frame, size_t lane, pawl_outcome *outcome) {
    struct refine_slot *slot = &run->slots[lane];
    pawl_attempt attempt;
    start_attempt(run, &attempt, slot->candidate, slot->digest);
    attempt.number = slot->number;
    attempt.parent = slot->parent;
    attempt.started_ns = slot->started_ns;
    attempt.total_ns = pawl_frame_now(frame) - slot->started_ns;
    attempt.status = pawl_outcome_status(outcome);
    memcpy(attempt.span_id, slot->span_id, sizeof attempt.span_id);
    if (is_judged((pawl_status)attempt.status)) {
        if (run->stop != REFINE_FAILED)
            pawl_refine_judge(run, &attempt, slot->candidate, outcome);
    } else {
        note_infrastructure(run, frame, outcome);
        attempt.was_cancelled = attempt.status == PAWL_E_CANCELLED || attempt.status == PAWL_E_DEADLINE;
        attempt.verdict.is_infrastructure = 1;
    }
    if (attempt.verdict.is_infrastructure)
        allow_again(run, slot->digest);
    pawl_refine_keep(run, &attempt, slot->candidate);
    pawl_value_unref(attempt.verdict.output);
    free_slot(slot);
}

/* ---- the end ---- */

static bool gives_result(const struct refine_run *run) {
    return run->stop == REFINE_ACCEPTED || (run->judged && !run->options->fail_unless_accepted);
}

/* Nothing was accepted, and that is to be an error. */
static pawl_step fail_exhausted(struct refine_run *run, pawl_frame *frame, pawl_event *event) {
    pawl_failure failure = {.size = sizeof failure,
                            .status = PAWL_E_EXHAUSTED,
                            .what = run->judged ? "no candidate passed in %d executions; raise the budget, or better "
                                                  "the generator"
                                                : "no candidate could be judged in %d executions; see the cause",
                            .amount = run->executions,
                            .cause = run->last_infrastructure};
    run->last_infrastructure = NULL;
    return pawl_step_fail(frame, event, &failure);
}

static pawl_step fail_without_memory(pawl_frame *frame, pawl_event *event) {
    pawl_failure failure = {.size = sizeof failure,
                            .status = PAWL_E_NOMEM,
                            .what = "out of memory; free some, or lower max_records, history and max_concurrency"};
    return pawl_step_fail(frame, event, &failure);
}

static pawl_step finish_with(struct refine_run *run, pawl_frame *frame, pawl_event *event, pawl_value *report) {
    pawl_error *failure = run->failure, *cause = run->last_infrastructure;
    if (run->stop == REFINE_FAILED) {
        run->failure = NULL;
        return failure ? pawl_step_fail_with(frame, event, failure) : fail_without_memory(frame, event);
    }
    if (run->stop == REFINE_DEADLINE || run->stop == REFINE_CANCELLED) {
        run->last_infrastructure = NULL;
        return pawl_step_fail_over(frame, event, cause);
    }
    /* A generator without a single idea is a result too, but one that nobody could reach is none. */
    if (!gives_result(run) && (cause || run->options->fail_unless_accepted))
        return fail_exhausted(run, frame, event);
    return report ? pawl_step_succeed(frame, event, pawl_value_ref(report)) : fail_without_memory(frame, event);
}

static pawl_step finish(struct refine_run *run, pawl_frame *frame, pawl_event *event) {
    bool has_memory = run->stop != REFINE_FAILED || run->failure;
    pawl_value *report = has_memory ? pawl_refine_report(run, pawl_frame_now(frame)) : NULL;
    if (report && run->options->on_report)
        run->options->on_report(run->options->user, report);
    pawl_frame_set_string(frame, "pawl.stop_reason", pawl_refine_stop_word(run->stop));
    pawl_frame_set_int(frame, "pawl.rounds", (int64_t)run->round);
    pawl_frame_set_int(frame, "pawl.executions", (int64_t)run->executions);
    pawl_step step = finish_with(run, frame, event, report);
    pawl_value_unref(report);
    pawl_refine_run_free(run);
    return step;
}

/* ---- rounds ---- */

static pawl_step begin_round(struct refine_run *run, pawl_frame *frame, pawl_event *event) {
    check_budgets(run, frame);
    if (run->stop == REFINE_GOES_ON && run->answer.done)
        pawl_refine_stop(run, REFINE_GENERATOR_DONE);
    if (run->stop == REFINE_GOES_ON && run->round >= run->options->max_rounds)
        pawl_refine_stop(run, REFINE_ROUNDS);
    if (run->stop != REFINE_GOES_ON)
        return finish(run, frame, event);
    run->round++;
    pawl_refine_answer_clear(&run->answer);
    run->input = pawl_refine_input(run, pawl_frame_input(frame));
    if (!run->input) {
        pawl_refine_fail(run, NULL);
        return finish(run, frame, event);
    }
    run->generating = true;
    pawl_scope scope = child_scope(run, "pawl.round", run->round);
    return pawl_step_run(frame, pawl_frame_node(frame)->children[0], run->input, &scope);
}

static void take_answer(struct refine_run *run, pawl_frame *frame, pawl_outcome *outcome) {
    pawl_error *err = NULL;
    run->generating = false;
    if (pawl_outcome_status(outcome) != PAWL_OK)
        note_infrastructure(run, frame, outcome);
    else if (!pawl_refine_answer_read(run, pawl_outcome_take_value(outcome), &err))
        pawl_refine_fail(run, err);
    run->input = pawl_value_unref(run->input);
}

static void cancel_the_rest(struct refine_run *run, pawl_frame *frame) {
    if (run->cancelled_children || run->stop == REFINE_ATTEMPTS || run->stop == REFINE_BUDGET)
        return;
    run->cancelled_children = true;
    pawl_frame_cancel_children(frame, run->stop == REFINE_ACCEPTED  ? PAWL_CANCEL_LOST_RACE
                                      : run->stop == REFINE_ELAPSED ? PAWL_CANCEL_TIMEOUT
                                                                    : PAWL_CANCEL_SIBLING_FAILED);
}

static pawl_step go_on(struct refine_run *run, pawl_frame *frame, pawl_event *event) {
    fill(run, frame);
    if (pawl_frame_live_children(frame) > 0) {
        if (run->stop != REFINE_GOES_ON)
            cancel_the_rest(run, frame);
        return pawl_step_wait_children(frame);
    }
    if (run->stop == REFINE_GOES_ON)
        pawl_refine_end_round(run);
    if (run->stop != REFINE_GOES_ON)
        return finish(run, frame, event);
    return begin_round(run, frame, event);
}

static pawl_step refine_step(const void *state, pawl_frame *frame, pawl_event *event) {
    const struct refine *refine = state;
    struct refine_frame *f = pawl_frame_memory(frame);
    if (pawl_event_kind_of(event) == PAWL_EVENT_START) { /* it never waits for anything but children */
        f->run = pawl_refine_run_new(&refine->options, pawl_frame_context(frame), pawl_frame_now(frame));
        return f->run ? begin_round(f->run, frame, event) : fail_without_memory(frame, event);
    }
    pawl_outcome *outcome = pawl_event_outcome(event);
    if (f->run->generating)
        take_answer(f->run, frame, outcome);
    else
        end_execution(f->run, frame, pawl_event_lane(event), outcome);
    return go_on(f->run, frame, event);
}

static const pawl_primitive_vtable refine_vtable = {
    .size = sizeof refine_vtable, .type_name = "refine", .step = refine_step, .destroy = free};

/* ---- making ---- */

/* Executions run in blocks of their own, but their async leaves need slots that are counted beforehand. */
static pawl_primitive *count_ops(pawl_primitive *node, uint64_t max_concurrency) {
    if (!node->broken && node->children[1]->peak_ops * max_concurrency > node->peak_ops)
        node->peak_ops = node->children[1]->peak_ops * (size_t)max_concurrency;
    return node;
}

pawl_primitive *pawl_refine_new(const char *name, pawl_primitive *generator, pawl_primitive *executor,
                                const pawl_refine_options *options) {
    pawl_primitive_spec spec = {.size = sizeof spec,
                                .vtable = &refine_vtable,
                                .name = name,
                                .children = PAWL_CHILDREN(generator, executor),
                                .frame_bytes = sizeof(struct refine_frame)};
    const char *text = name ? name : "";
    struct refine *state = malloc(sizeof *state);
    spec.state = state;
    if (!state) {
        pawl_error_set(&spec.failure, PAWL_E_NOMEM, "refine '%s': out of memory", text);
    } else {
        pawl_refine_read_options(&state->options, options, text, &spec.failure);
    }
    uint64_t together = state ? state->options.max_concurrency : 1;
    return count_ops(pawl_primitive_new(&spec), together);
}
