/* The step interface: what a combinator sees of its frame and its event, and what it answers. */
#include "engine_internal.h"

pawl_event_kind(pawl_event_kind_of)(const pawl_event *event) {
    return (pawl_event_kind)event->kind;
}

size_t pawl_event_lane(const pawl_event *event) {
    return event->kind == PAWL_EVENT_CHILD_DONE ? event->lane : 0;
}

pawl_outcome *(pawl_event_outcome)(pawl_event *event) {
    return event->kind == PAWL_EVENT_CHILD_DONE ? &event->outcome : NULL;
}

void *(pawl_frame_memory)(pawl_frame *frame) {
    return frame + 1;
}

pawl_value *(pawl_frame_input)(pawl_frame *frame) {
    return frame->input;
}

pawl_context *(pawl_frame_context)(pawl_frame *frame) {
    return frame->ctx;
}

const pawl_primitive *(pawl_frame_node)(pawl_frame *frame) {
    return frame->node;
}

uint64_t pawl_frame_now(pawl_frame *frame) {
    return pawl_loop_read_clock(frame->run->loop);
}

void pawl_waker_init(pawl_waker *waker, pawl_frame *frame) {
    *waker = (pawl_waker){.kind_ = POST_WAKER, .frame_ = frame};
}

void pawl_waker_wake(pawl_waker *waker) {
    pawl_loop_post(waker->frame_->run->loop, (struct post *)(void *)waker);
}

void pawl_frame_set_int(pawl_frame *frame, const char *key, int64_t number) {
    if (frame->observed)
        pawl_span_set_int(frame->own.span, key, number);
}

void pawl_frame_set_string(pawl_frame *frame, const char *key, const char *text) {
    if (frame->observed)
        pawl_span_set_string(frame->own.span, key, text);
}

/* ---- children ---- */

pawl_step(pawl_step_run)(pawl_frame *frame, const pawl_primitive *child, pawl_value *input, const pawl_scope *scope) {
    return pawl_step_run_inline(frame, child, input, scope);
}

size_t pawl_frame_live_children(const pawl_frame *frame) {
    return frame->live_children;
}

void pawl_frame_cancel_children(pawl_frame *frame, pawl_cancel_reason reason) {
    bool any = false;
    for (pawl_frame *child = frame->children; child; child = child->sibling_next)
        any |= pawl_scope_mark(&child->own, reason, NULL);
    if (any)
        pawl_root_wake(frame->run->root, frame->run->loop);
}

void pawl_frame_cancel_lane(pawl_frame *frame, size_t lane, pawl_cancel_reason reason) {
    for (pawl_frame *child = frame->children; child; child = child->sibling_next)
        if (child->lane == lane)
            pawl_scope_cancel(&child->own, reason, NULL, frame->run->loop);
}

pawl_cancel_reason pawl_frame_cancelled(pawl_frame *frame) {
    return pawl_scope_over(frame->ctx, frame->run->loop->now_ns);
}

/* ---- answers ---- */

static pawl_step wait_as(pawl_frame *frame, enum frame_state state, uint64_t until_ns) {
    frame->state = (uint8_t)state;
    frame->wake_ns = until_ns;
    return (pawl_step){STEP_WAIT};
}

pawl_step pawl_step_wait_children(pawl_frame *frame) {
    return wait_as(frame, FRAME_CHILDREN, PAWL_NEVER);
}

pawl_step pawl_step_wait(pawl_frame *frame, uint64_t duration_ns) {
    uint64_t now = pawl_loop_read_clock(frame->run->loop);
    return wait_as(frame, FRAME_TIMER, now > UINT64_MAX - duration_ns ? PAWL_NEVER : now + duration_ns);
}

pawl_step pawl_step_park(pawl_frame *frame, uint64_t until_ns) {
    return wait_as(frame, FRAME_PARKED, until_ns);
}

pawl_step(pawl_step_finish)(pawl_frame *frame, pawl_event *event) {
    return pawl_step_finish_inline(frame, event);
}

/* What the event carried and the step did not take goes before a new outcome takes its place. */
static void forget(pawl_event *event) {
    if (event->kind == PAWL_EVENT_CHILD_DONE)
        pawl_outcome_release(&event->outcome);
}

pawl_step pawl_step_succeed(pawl_frame *frame, pawl_event *event, pawl_value *value) {
    forget(event);
    event->outcome.status = PAWL_OK;
    event->outcome.error = NULL;
    event->outcome.owned = value != NULL;
    event->outcome.value = value ? value : frame->input;
    return (pawl_step){STEP_FINISH};
}

pawl_step pawl_step_fail(pawl_frame *frame, pawl_event *event, const pawl_failure *failure) {
    forget(event);
    struct pawl_outcome *outcome = &event->outcome;
    pawl_outcome_fail(outcome, frame->node, failure->status, failure->what);
    outcome->failure_class = (uint8_t)failure->failure_class;
    outcome->amount = failure->amount;
    outcome->retry_after_ns = failure->retry_after_ns;
    pawl_outcome_check_status(outcome);
    if (failure->cause)
        pawl_outcome_set_cause(outcome, failure->cause);
    return (pawl_step){STEP_FINISH};
}

pawl_step pawl_step_fail_with(pawl_frame *frame, pawl_event *event, pawl_error *error) {
    forget(event);
    pawl_outcome_fail(&event->outcome, frame->node, pawl_error_status(error), NULL);
    event->outcome.error = error;
    return (pawl_step){STEP_FINISH};
}

pawl_step pawl_step_fail_over(pawl_frame *frame, pawl_event *event, pawl_error *cause) {
    pawl_cancel_reason reason = pawl_scope_over(frame->ctx, pawl_loop_read_clock(frame->run->loop));
    forget(event);
    pawl_outcome_fail_over(&event->outcome, frame->node, frame->ctx, reason, cause);
    return (pawl_step){STEP_FINISH};
}
