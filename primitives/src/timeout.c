/* START -> child in a scope with a deadline; CHILD_DONE -> finish, or PAWL_E_TIMEOUT when that deadline was what ended
 * it */
#include "engine_internal.h"
#include "options_internal.h"
#include <pawl/primitives/timeout.h>
#include <stdlib.h>

struct timeout {
    uint64_t after_ns;
};

struct timeout_frame {
    uint64_t deadline_ns;
};

static pawl_step fail(const struct timeout *t, pawl_frame *frame, pawl_event *event, const char *what,
                      pawl_error *cause) {
    pawl_failure failure = {
        .size = sizeof failure, .status = PAWL_E_TIMEOUT, .what = what, .amount = t->after_ns, .cause = cause};
    return pawl_step_fail(frame, event, &failure);
}

static pawl_step start(const struct timeout *t, struct timeout_frame *f, pawl_frame *frame, pawl_event *event) {
    if (unlikely(t->after_ns == 0)) {
        pawl_step step = fail(t, frame, event, "its limit is zero, so nothing was started; raise after_ns", NULL);
        event->outcome.started = PAWL_STARTED_NO;
        return step;
    }
    uint64_t now = pawl_frame_now(frame);
    f->deadline_ns = t->after_ns > PAWL_NEVER - now ? PAWL_NEVER : now + t->after_ns;
    pawl_scope scope = {.size = sizeof scope, .deadline_ns = f->deadline_ns};
    return pawl_step_run(frame, pawl_frame_node(frame)->children[0], pawl_frame_input(frame), &scope);
}

/* The outcome says which deadline it was; an equal or earlier one outside counts as the outer's. */
static bool was_this_limit(const struct timeout_frame *f, pawl_frame *frame, const pawl_outcome *outcome) {
    return pawl_outcome_status(outcome) == PAWL_E_DEADLINE && outcome->limit_ns == f->deadline_ns &&
           f->deadline_ns < pawl_context_deadline(pawl_frame_context(frame));
}

static pawl_step timeout_step(const void *state, pawl_frame *frame, pawl_event *event) {
    const struct timeout *t = state;
    struct timeout_frame *f = pawl_frame_memory(frame);
    if (pawl_event_kind_of(event) == PAWL_EVENT_START)
        return start(t, f, frame, event);
    pawl_outcome *outcome = pawl_event_outcome(event);
    if (!was_this_limit(f, frame, outcome))
        return pawl_step_finish(frame, event);
    pawl_error *cause = outcome->error ? pawl_outcome_take_error(outcome) : NULL;
    if (pawl_context_cancelled(pawl_frame_context(frame)) != PAWL_CANCEL_NONE)
        return pawl_step_fail_over(frame, event, cause); /* a cancel or an outer deadline that came too goes first */
    return fail(t, frame, event,
                pawl_frame_now(frame) < f->deadline_ns
                    ? "gave up, since it would have passed its limit of %t; raise after_ns or make the work smaller"
                    : "took longer than its limit of %t; raise after_ns or make the work smaller",
                cause);
}

static const pawl_primitive_vtable timeout_vtable = {
    .size = sizeof timeout_vtable, .type_name = "timeout", .step = timeout_step, .destroy = free};

pawl_primitive *pawl_timeout_new(const char *name, pawl_primitive *child, const pawl_timeout_options *options) {
    pawl_timeout_options set;
    pawl_primitive_spec spec = {.size = sizeof spec,
                                .vtable = &timeout_vtable,
                                .name = name,
                                .children = PAWL_CHILDREN(child),
                                .frame_bytes = sizeof(struct timeout_frame)};
    if (pawl_options_copy(&set, sizeof set, options, "timeout", &spec.failure) == PAWL_OK && set.after_ns == 0)
        pawl_error_set(&spec.failure, PAWL_E_INVALID,
                       "timeout '%s': after_ns is required and is 0; set a limit, or PAWL_UNLIMITED for none",
                       name ? name : "");
    struct timeout *state = malloc(sizeof *state);
    if (state)
        *state = (struct timeout){.after_ns = pawl_option(set.after_ns, 0)};
    else if (!spec.failure)
        pawl_error_set(&spec.failure, PAWL_E_NOMEM, "timeout '%s': out of memory", name ? name : "");
    spec.state = state;
    return pawl_primitive_new(&spec);
}
