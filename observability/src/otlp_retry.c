/* START -> child; CHILD_DONE -> finish | wait; TIMER -> child; CANCEL (in a wait) -> fail with the last error as the
 * cause */
#include "engine_internal.h"
#include "otlp_exporter_internal.h"

#define FIRST_NS PAWL_S(1)
#define MOST_NS PAWL_S(5)

struct retry_frame {
    uint32_t tries;
    pawl_error *last; /* while it waits */
};

uint64_t pawl_otlp_backoff(uint32_t tries) {
    uint64_t delay = FIRST_NS;
    for (uint32_t i = 1; i < tries && delay < MOST_NS; i++)
        delay += delay / 2;
    return delay < MOST_NS ? delay : MOST_NS;
}

/* 80 to 120 percent, so that many programs do not come back together. */
static uint64_t jittered(uint64_t delay, pawl_context *ctx) {
    return delay - delay / 5 + pawl_context_random(ctx) % (2 * (delay / 5) + 1);
}

/* What the collector asks for counts as it is. */
static uint64_t next_delay(const struct retry_frame *f, const pawl_outcome *outcome, pawl_context *ctx) {
    uint64_t asked = pawl_outcome_retry_after_ns(outcome);
    return asked > 0 ? asked : jittered(pawl_otlp_backoff(f->tries), ctx);
}

static pawl_step give_up(pawl_frame *frame, pawl_event *event, pawl_status status, const char *what, uint64_t amount) {
    pawl_failure failure = {.size = sizeof failure,
                            .status = status,
                            .what = what,
                            .amount = amount,
                            .cause = pawl_outcome_take_error(pawl_event_outcome(event))};
    return pawl_step_fail(frame, event, &failure);
}

static pawl_step try_again_later(struct retry_frame *f, pawl_frame *frame, pawl_event *event) {
    pawl_context *ctx = pawl_frame_context(frame);
    if (f->tries >= PAWL_OTLP_TRIES)
        return give_up(frame, event, PAWL_E_EXHAUSTED, "all %d tries failed", f->tries);
    uint64_t now = pawl_frame_now(frame), delay = next_delay(f, pawl_event_outcome(event), ctx);
    if (delay >= PAWL_NEVER - now || now + delay >= pawl_context_deadline(ctx))
        return give_up(frame, event, PAWL_E_DEADLINE,
                       delay == PAWL_NEVER ? "no time for another try" : "no time for another try in %t", delay);
    f->last = pawl_outcome_take_error(pawl_event_outcome(event));
    return pawl_step_wait(frame, delay);
}

static pawl_step try_once(const void *state, struct retry_frame *f, pawl_frame *frame) {
    struct pawl_otlp_tries *tries = (struct pawl_otlp_tries *)state;
    f->last = pawl_error_unref(f->last);
    atomic_fetch_add_explicit(&tries->all, 1, memory_order_relaxed);
    if (f->tries++ > 0)
        atomic_fetch_add_explicit(&tries->again, 1, memory_order_relaxed);
    return pawl_step_run(frame, pawl_frame_node(frame)->children[0], pawl_frame_input(frame), NULL);
}

static pawl_step step(const void *state, pawl_frame *frame, pawl_event *event) {
    struct retry_frame *f = pawl_frame_memory(frame);
    pawl_error *last;
    switch (pawl_event_kind_of(event)) {
    case PAWL_EVENT_CHILD_DONE:
        if (!pawl_outcome_is_retryable(pawl_event_outcome(event)))
            return pawl_step_finish(frame, event);
        return try_again_later(f, frame, event);
    case PAWL_EVENT_CANCEL:
        last = f->last;
        f->last = NULL;
        return pawl_step_fail_over(frame, event, last);
    default:
        return try_once(state, f, frame);
    }
}

pawl_primitive *pawl_otlp_retry(const char *name, pawl_primitive *child, struct pawl_otlp_tries *tries) {
    static const pawl_primitive_vtable vtable = {
        .size = sizeof vtable, .type_name = "otlp", .step = step, .wants_cancel = PAWL_WANTS_CANCEL_IN_WAITS};
    pawl_primitive_spec spec = {.size = sizeof spec,
                                .vtable = &vtable,
                                .name = name,
                                .state = tries,
                                .children = PAWL_CHILDREN(child),
                                .frame_bytes = sizeof(struct retry_frame)};
    return pawl_primitive_new(&spec);
}
