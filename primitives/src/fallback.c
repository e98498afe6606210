/* START -> child 0; CHILD_DONE -> next child | finish. The first child's failure is the node's when none was answered.
 */
#include "engine_internal.h"
#include <pawl/primitives/fallback.h>
#include <stdlib.h>

struct fallback {
    pawl_fallback_options options;
};

struct fallback_frame {
    uint64_t index;   /* child that runs */
    uint64_t shorter; /* its deadline, when it has to leave time for those after it; 0 none */
    pawl_error *first;
    uint64_t limit_ns; /* of the first */
    bool may_have_started;
};

static bool is_last(const struct fallback_frame *f, pawl_frame *frame) {
    return f->index + 1 == pawl_frame_node(frame)->child_count;
}

/* Deadline of a child that must leave the reserve; 0 when the scope has none or the child is the last. */
static uint64_t shortened(const pawl_fallback_options *o, const struct fallback_frame *f, pawl_frame *frame) {
    uint64_t deadline = pawl_context_deadline(pawl_frame_context(frame));
    if (o->reserve_ns == 0 || deadline == PAWL_NEVER || is_last(f, frame))
        return 0;
    return deadline > o->reserve_ns ? deadline - o->reserve_ns : 1; /* 0 would be no deadline */
}

static pawl_step run_child(const struct fallback *fallback, struct fallback_frame *f, pawl_frame *frame) {
    f->shorter = shortened(&fallback->options, f, frame);
    if (f->shorter)
        pawl_frame_now(frame); /* so that a child without time is not started */
    pawl_scope scope = {.size = sizeof scope,
                        .deadline_ns = f->shorter,
                        .attribute = "pawl.fallback",
                        .attribute_value = (int64_t)f->index};
    bool scoped = f->shorter || pawl_context_is_observed(pawl_frame_context(frame));
    return pawl_step_run(frame, pawl_frame_node(frame)->children[f->index], pawl_frame_input(frame),
                         scoped ? &scope : NULL);
}

static bool falls_back(const struct fallback *fallback, const pawl_outcome *outcome) {
    const pawl_fallback_options *o = &fallback->options;
    if (o->should_fall_back)
        return o->should_fall_back(outcome, o->user);
    return pawl_outcome_status(outcome) != PAWL_OK && pawl_outcome_status(outcome) != PAWL_E_CANCELLED;
}

/* The reserve is this node's limit and not the outer one: a child that it ended has timed out. */
static pawl_error *take_error(const struct fallback_frame *f, pawl_frame *frame, pawl_outcome *outcome) {
    pawl_error *error = pawl_outcome_take_error(outcome);
    if (!f->shorter || pawl_outcome_status(outcome) != PAWL_E_DEADLINE || outcome->limit_ns != f->shorter)
        return error;
    pawl_error *timed_out = NULL;
    const pawl_primitive *node = pawl_frame_node(frame);
    pawl_error_wrap(&timed_out, PAWL_E_TIMEOUT, error,
                    "fallback '%s': '%s' %s the time before reserve_ns; give the run more or reserve less", node->name,
                    node->children[f->index]->name,
                    pawl_frame_now(frame) < f->shorter ? "gave up, since it would have passed" : "used up");
    return timed_out;
}

static void keep_first(struct fallback_frame *f, pawl_frame *frame, pawl_outcome *outcome) {
    if (pawl_outcome_status(outcome) == PAWL_OK)
        return;
    pawl_error *error = take_error(f, frame, outcome);
    f->may_have_started = f->may_have_started || pawl_error_started(error) != PAWL_STARTED_NO;
    if (f->first) {
        pawl_error_unref(error);
        return;
    }
    f->first = error;
    f->limit_ns = outcome->limit_ns;
}

static pawl_error *take_first(struct fallback_frame *f) {
    pawl_error *first = f->first;
    f->first = NULL;
    return first;
}

/* Nobody answered: the first failure's status, class and patience; it and the last one are told. */
static pawl_step fail_all(struct fallback_frame *f, pawl_frame *frame, pawl_event *event) {
    const pawl_error *last = pawl_outcome_error(pawl_event_outcome(event));
    pawl_error *first = take_first(f), *error = NULL;
    pawl_error_info info = {.size = sizeof info,
                            .status = pawl_error_status(first),
                            .failure_class = pawl_error_class(first),
                            .started = f->may_have_started ? PAWL_STARTED_MAYBE : PAWL_STARTED_NO,
                            .retry_after_ns = pawl_error_retry_after_ns(first),
                            .cause = first};
    pawl_error_set_info(&error, &info, "fallback '%s': none of its %zu children gave an answer; the last said: %s",
                        pawl_frame_node(frame)->name, pawl_frame_node(frame)->child_count, pawl_error_message(last));
    pawl_step step = pawl_step_fail_with(frame, event, error);
    event->outcome.limit_ns = f->limit_ns;
    return step;
}

/* Ends with the outcome at hand; earlier failures are its past. */
static pawl_step finish(struct fallback_frame *f, pawl_frame *frame, pawl_event *event) {
    pawl_error_unref(take_first(f));
    return pawl_step_finish(frame, event);
}

static bool is_over(pawl_frame *frame) {
    return pawl_context_cancelled(pawl_frame_context(frame)) != PAWL_CANCEL_NONE;
}

/* The scope ended with or after the child: a child's own words about that are kept, the first failure is the cause. */
static pawl_step end_over(struct fallback_frame *f, pawl_frame *frame, pawl_event *event) {
    pawl_cancel_reason over = pawl_context_cancelled(pawl_frame_context(frame));
    pawl_status expected = over == PAWL_CANCEL_DEADLINE ? PAWL_E_DEADLINE : PAWL_E_CANCELLED;
    if (pawl_outcome_status(pawl_event_outcome(event)) == expected && !f->first)
        return pawl_step_finish(frame, event);
    keep_first(f, frame, pawl_event_outcome(event));
    return pawl_step_fail_over(frame, event, take_first(f));
}

static pawl_step fallback_step(const void *state, pawl_frame *frame, pawl_event *event) {
    const struct fallback *fallback = state;
    struct fallback_frame *f = pawl_frame_memory(frame);
    if (pawl_event_kind_of(event) == PAWL_EVENT_START)
        return run_child(fallback, f, frame);
    pawl_outcome *outcome = pawl_event_outcome(event);
    bool succeeded = pawl_outcome_status(outcome) == PAWL_OK;
    if (!succeeded && is_over(frame))
        return end_over(f, frame, event);
    if (!falls_back(fallback, outcome) || (succeeded && (is_last(f, frame) || is_over(frame))))
        return finish(f, frame, event);
    keep_first(f, frame, outcome);
    if (is_last(f, frame))
        return fail_all(f, frame, event);
    f->index++;
    return run_child(fallback, f, frame);
}

static const pawl_primitive_vtable fallback_vtable = {
    .size = sizeof fallback_vtable, .type_name = "fallback", .step = fallback_step, .destroy = free};

/* ---- making ---- */

static size_t count_children(pawl_primitive *const *children) {
    size_t count = 0;
    while (children && children[count] != PAWL_END)
        count++;
    return count;
}

static void check(pawl_fallback_options *o, size_t count, const char *name, pawl_error **err) {
    if (count < 2)
        pawl_error_set(err, PAWL_E_INVALID,
                       "fallback '%s': it has %zu children and needs at least two: the one to try and the one to fall "
                       "back to",
                       name, count);
    else if (o->reserve_ns == PAWL_UNLIMITED)
        pawl_error_set(err, PAWL_E_INVALID,
                       "fallback '%s': reserve_ns without limit leaves no time for its first child; set a duration",
                       name);
    o->reserve_ns = pawl_option(o->reserve_ns, 0);
}

pawl_primitive *pawl_fallback_new(const char *name, pawl_primitive *const *children,
                                  const pawl_fallback_options *options) {
    pawl_primitive_spec spec = {.size = sizeof spec,
                                .vtable = &fallback_vtable,
                                .name = name,
                                .children = children,
                                .frame_bytes = sizeof(struct fallback_frame)};
    struct fallback *state = malloc(sizeof *state);
    spec.state = state;
    if (!state)
        pawl_error_set(&spec.failure, PAWL_E_NOMEM, "fallback '%s': out of memory", name ? name : "");
    else if (pawl_options_copy(&state->options, sizeof state->options, options, "fallback", &spec.failure) == PAWL_OK)
        check(&state->options, count_children(children), name ? name : "", &spec.failure);
    return pawl_primitive_new(&spec);
}
