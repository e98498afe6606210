/* START -> child; CHILD_DONE -> finish | wait; TIMER -> child; CANCEL (in a wait) -> fail with the last error as the
 * cause */
#include "engine_internal.h"
#include <pawl/primitives/retry.h>
#include <stdlib.h>

struct retry {
    pawl_retry_options options;
};

struct retry_frame {
    uint32_t attempt;   /* saturates: a run that long has other ends */
    uint32_t doublings; /* since the start or the last retry-after */
    uint64_t started_ns;
    pawl_error *last; /* while it waits */
};

static uint64_t add(uint64_t a, uint64_t b) {
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static uint64_t doubled(const pawl_retry_options *o, uint64_t doublings) {
    uint64_t delay = o->base_delay_ns < o->max_delay_ns ? o->base_delay_ns : o->max_delay_ns;
    for (; doublings > 0 && delay > 0 && delay < o->max_delay_ns; doublings--)
        delay = delay > o->max_delay_ns / 2 ? o->max_delay_ns : delay * 2; /* saturates, never wraps */
    return delay;
}

static uint64_t uniform(pawl_context *ctx, uint64_t most) {
    uint64_t random = pawl_context_random(ctx);
    return most == UINT64_MAX ? random : random % (most + 1);
}

static uint64_t jittered(const pawl_retry_options *o, uint64_t delay, pawl_context *ctx) {
    switch (o->jitter) {
    case PAWL_JITTER_NONE:
        return delay;
    case PAWL_JITTER_EQUAL:
        return delay - delay / 2 + uniform(ctx, delay / 2);
    default:
        return uniform(ctx, delay);
    }
}

/* A pushback is a lower bound, to which the jittered delay of a fresh series is added. */
static uint64_t next_delay(const pawl_retry_options *o, struct retry_frame *f, const pawl_outcome *outcome,
                           pawl_context *ctx) {
    uint64_t pushback = pawl_outcome_retry_after_ns(outcome);
    if (pushback > 0)
        f->doublings = 0;
    uint64_t delay = jittered(o, doubled(o, f->doublings), ctx);
    f->doublings += f->doublings < UINT32_MAX;
    if (delay < o->min_delay_ns)
        delay = o->min_delay_ns;
    return add(pushback, delay);
}

static bool wants_retry(const struct retry *r, const pawl_outcome *outcome) {
    pawl_status status = pawl_outcome_status(outcome);
    if (status == PAWL_E_CANCELLED || status == PAWL_E_DEADLINE)
        return false;
    return r->options.should_retry ? r->options.should_retry(outcome, r->options.user)
                                   : pawl_outcome_is_retryable(outcome);
}

static pawl_step give_up(pawl_frame *frame, pawl_event *event, pawl_status status, const char *what, uint64_t amount) {
    pawl_outcome *outcome = pawl_event_outcome(event);
    if (pawl_outcome_status(outcome) == PAWL_OK)
        return pawl_step_finish(frame, event); /* a success nobody liked is still the best there is */
    pawl_failure failure = {.size = sizeof failure,
                            .status = status,
                            .what = what,
                            .amount = amount,
                            .retry_after_ns = pawl_outcome_retry_after_ns(outcome),
                            .cause = pawl_outcome_take_error(outcome)};
    return pawl_step_fail(frame, event, &failure);
}

static pawl_step try_again_later(const struct retry *r, struct retry_frame *f, pawl_frame *frame, pawl_event *event) {
    const pawl_retry_options *o = &r->options;
    pawl_context *ctx = pawl_frame_context(frame);
    if (f->attempt >= o->max_attempts)
        return give_up(frame, event, PAWL_E_EXHAUSTED, "all %d attempts failed; see the cause", f->attempt);
    uint64_t now = pawl_frame_now(frame), delay = next_delay(o, f, pawl_event_outcome(event), ctx);
    if (add(now, delay) == PAWL_NEVER && pawl_context_deadline(ctx) == PAWL_NEVER)
        return give_up(frame, event, PAWL_E_EXHAUSTED, "the next attempt would never come; see the cause", 0);
    if (add(now, delay) >= pawl_context_deadline(ctx)) {
        pawl_step step = give_up(frame, event, PAWL_E_DEADLINE,
                                 "no time before the deadline for another attempt after %t of waiting", delay);
        event->outcome.limit_ns = pawl_context_deadline(ctx);
        return step;
    }
    if (o->max_elapsed_ns != PAWL_UNLIMITED && add(now, delay) > add(f->started_ns, o->max_elapsed_ns))
        return give_up(frame, event, PAWL_E_EXHAUSTED, "max_elapsed of %t is used up; see the cause",
                       o->max_elapsed_ns);
    f->last = pawl_outcome_take_error(pawl_event_outcome(event));
    return pawl_step_wait(frame, delay);
}

static pawl_step attempt(struct retry_frame *f, pawl_frame *frame) {
    if (f->last)
        f->last = pawl_error_unref(f->last);
    f->attempt += f->attempt < UINT32_MAX;
    const pawl_primitive *child = pawl_frame_node(frame)->children[0];
    return pawl_step_run_numbered(frame, child, pawl_frame_input(frame), "pawl.attempt", f->attempt);
}

static pawl_step retry_step(const void *state, pawl_frame *frame, pawl_event *event) {
    const struct retry *r = state;
    struct retry_frame *f = pawl_frame_memory(frame);
    pawl_error *last;
    switch (pawl_event_kind_of(event)) {
    case PAWL_EVENT_START:
        if (r->options.max_elapsed_ns != PAWL_UNLIMITED)
            f->started_ns = pawl_frame_now(frame);
        return attempt(f, frame);
    case PAWL_EVENT_CHILD_DONE:
        if (!wants_retry(r, pawl_event_outcome(event)))
            return pawl_step_finish(frame, event);
        return try_again_later(r, f, frame, event);
    case PAWL_EVENT_CANCEL:
        last = f->last;
        f->last = NULL;
        return pawl_step_fail_over(frame, event, last);
    default:
        return attempt(f, frame);
    }
}

static const pawl_primitive_vtable retry_vtable = {.size = sizeof retry_vtable,
                                                   .type_name = "retry",
                                                   .step = retry_step,
                                                   .destroy = free,
                                                   .wants_cancel = PAWL_WANTS_CANCEL_IN_WAITS};

/* ---- making ---- */

static void set_defaults(pawl_retry_options *o) {
    o->max_attempts = o->max_attempts ? o->max_attempts : 3;
    o->base_delay_ns = pawl_option(o->base_delay_ns, PAWL_MS(100));
    o->max_delay_ns = pawl_option(o->max_delay_ns, PAWL_S(10));
    o->min_delay_ns = pawl_option(o->min_delay_ns, 0);
    o->max_elapsed_ns = pawl_option(o->max_elapsed_ns, PAWL_UNLIMITED);
}

static pawl_status check(const pawl_retry_options *o, const char *name, pawl_error **err) {
    if (o->jitter > PAWL_JITTER_NONE)
        return pawl_error_set(err, PAWL_E_INVALID, "retry '%s': jitter %llu is none of pawl_jitter", name,
                              (unsigned long long)o->jitter);
    if (o->base_delay_ns > o->max_delay_ns)
        return pawl_error_set(err, PAWL_E_INVALID,
                              "retry '%s': base delay %.4g s is over max delay %.4g s; raise max_delay_ns", name,
                              (double)o->base_delay_ns / 1e9, (double)o->max_delay_ns / 1e9);
    if (o->min_delay_ns > o->max_delay_ns)
        return pawl_error_set(err, PAWL_E_INVALID,
                              "retry '%s': min delay %.4g s is over max delay %.4g s; lower min_delay_ns", name,
                              (double)o->min_delay_ns / 1e9, (double)o->max_delay_ns / 1e9);
    if (o->max_attempts == PAWL_ZERO)
        return pawl_error_set(err, PAWL_E_INVALID, "retry '%s': max_attempts counts the first try, so it is at least 1",
                              name);
    return PAWL_OK;
}

pawl_primitive *pawl_retry_new(const char *name, pawl_primitive *child, const pawl_retry_options *options) {
    pawl_primitive_spec spec = {.size = sizeof spec,
                                .vtable = &retry_vtable,
                                .name = name,
                                .children = PAWL_CHILDREN(child),
                                .frame_bytes = sizeof(struct retry_frame)};
    const char *text = name ? name : "";
    struct retry *state = malloc(sizeof *state);
    spec.state = state;
    if (!state) {
        pawl_error_set(&spec.failure, PAWL_E_NOMEM, "retry '%s': out of memory", text);
    } else if (pawl_options_copy(&state->options, sizeof state->options, options, "retry", &spec.failure) == PAWL_OK) {
        set_defaults(&state->options);
        check(&state->options, text, &spec.failure);
    }
    return pawl_primitive_new(&spec);
}
