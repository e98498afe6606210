/* clang-format off */
/* The engine: one trampoline that runs every primitive.
 *
 *   frame state | event                  | what happens
 *   ------------+------------------------+---------------------------------------------------------------------------
 *   (new)       | START                  | scope over: ends at once; else a leaf begins, a step gets START
 *   RUNNING     | the step answers       | run a child (CHILDREN) | wait (TIMER, PARKED) | finish (parent: CHILD_DONE)
 *   CHILDREN    | CHILD_DONE             | the step decides
 *               | scope over             | CANCEL if the vtable wants it; else nothing: the children end by themselves
 *   TIMER       | time                   | TIMER to the step
 *               | scope over             | CANCEL if wanted, else the frame ends
 *   PARKED      | WAKE, CHILD_DONE, time | to the step
 *               | scope over             | as for TIMER
 *   OP, JOB     | completion             | the leaf's outcome goes to the parent
 *   OP          | scope over             | the op's cancel is called once; the frame waits on for its completion
 *
 * Every event, own or foreign, enters by the loop's ready queue (pawl_engine_dispatch); from there the trampoline goes
 * on without the queue as long as one thing leads straight to the next. A child started with pawl_frame_start() is a
 * ready frame of its own. */
/* clang-format on */
#include "observe_internal.h"
#include <string.h>
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#define poison(memory, bytes) ASAN_POISON_MEMORY_REGION(memory, bytes) /* a context kept past its frame is seen */
#define unpoison(memory, bytes) ASAN_UNPOISON_MEMORY_REGION(memory, bytes)
#define EACH_LEAF_HAS_A_SCOPE true /* for that */
#else
#define EACH_LEAF_HAS_A_SCOPE false
#define poison(memory, bytes) ((void)0)
#define unpoison(memory, bytes) ((void)0)
#endif

#define STEPS_PER_CLOCK 64

_Thread_local struct loop *pawl_driving __attribute__((tls_model("initial-exec")));

/* ---- frames ---- */

/* Out of every list: an event is about to be delivered, or the frame ends. Pending events stay marked. */
static inline void stop_waiting(struct loop *loop, pawl_frame *frame) {
    if (unlikely(frame->waiting || frame->queued || frame->timed))
        pawl_waiting_end(loop, frame);
}

static void list_child(pawl_frame *parent, pawl_frame *child) {
    child->listed = true;
    child->sibling_prev = NULL;
    child->sibling_next = parent->children;
    if (parent->children)
        parent->children->sibling_prev = child;
    parent->children = child;
}

static void unlist_child(pawl_frame *child) {
    if (child->sibling_prev)
        child->sibling_prev->sibling_next = child->sibling_next;
    else
        child->parent->children = child->sibling_next;
    if (child->sibling_next)
        child->sibling_next->sibling_prev = child->sibling_prev;
}

static void limit_scope(pawl_context *own, const pawl_scope *scope) {
    own->transparent = 0;
    if (scope->shielded) {
        own->shielded = 1;
        own->deadline_ns = scope->deadline_ns ? scope->deadline_ns : PAWL_NEVER;
    } else if (scope->deadline_ns < own->deadline_ns) {
        own->deadline_ns = scope->deadline_ns;
    }
}

static inline void init_scope(pawl_context *own, pawl_context *outer, const struct child_request *request) {
    own->parent = outer;
    own->root = outer->root;
    own->span = outer->span;
    own->deadline_ns = outer->deadline_ns;
    atomic_init(&own->cancelled, 0);
    own->shielded = own->is_root = 0;
    own->transparent = 1;
    if (request->scoped && unlikely(request->scope.deadline_ns || request->scope.shielded))
        limit_scope(own, &request->scope);
}

static void init_frame(pawl_frame *frame, struct run *run, pawl_frame *parent, const struct child_request *request,
                       uint32_t lane) {
    const pawl_primitive *node = request->child;
    unpoison(frame, node->own_bytes[run->observed]);
    frame->node = node;
    frame->parent = parent;
    frame->run = run;
    frame->input = request->input;
    frame->live_children = 0;
    frame->lane = lane;
    frame->state = FRAME_RUNNING;
    frame->pending = 0;
    frame->queued = frame->waiting = frame->timed = frame->own_block = frame->listed = frame->cancel_seen = false;
    frame->observed = run->observed;
    frame->children = NULL;
    run->loop->left_span = NULL;
    pawl_context *outer = parent ? parent->ctx : &run->root->scope;
    frame->ctx = outer;
    if (request->scoped || run->observed) {
        init_scope(&frame->own, outer, request);
        frame->ctx = &frame->own;
    }
}

HOT void open_span(struct loop *loop, pawl_context *ctx, pawl_span *span, const struct child_request *request,
                   bool is_instant) {
    pawl_observe_open(loop, ctx, span, request->child, is_instant);
    if (likely(request->scope.attribute != NULL))
        pawl_span_first_int(span, request->scope.attribute, request->scope.attribute_value);
    pawl_observe_start(loop->runtime, span, is_instant);
}

/* Not inline: the usual way is kept short. */
static __attribute__((noinline)) void open_leaf_span(struct loop *loop, pawl_context *ctx, pawl_span *span) {
    loop->left_span = span;
    open_span(loop, ctx, span, &loop->request, true);
}

/* Whether it is as the leaf before left it, beneath the same parent, and that one was numbered if the next is. */
HOT bool is_left(const struct loop *loop, const pawl_span *span) {
    return loop->left_span == span && span->attribute_count == (loop->request.scope.attribute != NULL);
}

HOT void reopen_leaf_span(struct loop *loop, pawl_context *ctx, pawl_span *span) {
    const struct child_request *request = &loop->request;
    pawl_span_renumber(span, request->scope.attribute, request->scope.attribute_value);
    pawl_observe_reopen(loop, ctx, span, request->child);
    pawl_observe_start(loop->runtime, span, true);
}

static __attribute__((noinline)) void give_up_leaf_span(struct loop *loop, pawl_span *span) {
    loop->left_span = NULL;
    pawl_observe_release(span);
}

static pawl_span *span_of(pawl_frame *frame, const pawl_primitive *node) {
    return (pawl_span *)(void *)((char *)frame + node->own_bytes[0]);
}

static __attribute__((noinline)) void open_frame_span(struct loop *loop, pawl_frame *frame,
                                                      const struct child_request *request) {
    open_span(loop, frame->ctx, span_of(frame, frame->node), request, false);
}

static pawl_frame *place_of(pawl_frame *parent, size_t lane) {
    int observed = parent->observed;
    return (pawl_frame *)(void *)((char *)parent + parent->node->own_bytes[observed] +
                                  lane * parent->node->lane_bytes[observed]);
}

/* The frame ends with event's outcome: closes its span and leaves the run. Returns the parent, which gets CHILD_DONE.
 */
static pawl_frame *end_frame(struct loop *loop, pawl_frame *frame, pawl_event *event) {
    stop_waiting(loop, frame);
    pawl_frame *parent = frame->parent;
    event->outcome.at = parent;
    if (unlikely(frame->observed)) {
        pawl_observe_end(loop, frame->own.span, &event->outcome);
        pawl_observe_release(frame->own.span);
    }
    if (frame->listed)
        unlist_child(frame);
    counter_add(&loop->live_frames, (size_t)-1);
    event->kind = PAWL_EVENT_CHILD_DONE;
    event->lane = frame->lane;
    if (parent)
        parent->live_children--;
    if (frame->own_block) {
        loop->ops_reserved -= frame->node->peak_ops;
        pawl_loop_give_block(loop, frame, frame->node->bytes[frame->observed]);
    } else {
        poison(frame, frame->node->own_bytes[frame->observed]);
    }
    return parent;
}

/* ---- the trampoline ---- */

static bool clock_is_due(struct loop *loop) {
    return ++loop->steps % STEPS_PER_CLOCK == 0;
}

/* Whether the scope is over before a node starts. Between inline nodes the coarse clock is enough. */
HOT pawl_cancel_reason over_at_start(struct loop *loop, const pawl_context *ctx) {
    if (ctx->deadline_ns != PAWL_NEVER && unlikely(clock_is_due(loop)))
        pawl_loop_read_clock(loop);
    return pawl_scope_over(ctx, loop->now_ns);
}

HOT void call_inline(struct loop *loop, const pawl_primitive *leaf, pawl_context *ctx, pawl_value *input,
                     struct pawl_outcome *ret_outcome) {
    pawl_value *value = NULL;
    pawl_error *error = NULL;
    loop->clock_is_fresh = false;
    pawl_status status = leaf->fn(leaf->user, ctx, input, &value, &error);
    if (likely(status == PAWL_OK && !error && !value)) {
        ret_outcome->status = PAWL_OK;
        ret_outcome->owned = false;
        /* with these it is one store of eight bytes, as it is read: a narrower one would have to be waited for */
        ret_outcome->failure_class = ret_outcome->started = ret_outcome->reason = 0;
        ret_outcome->value = input;
        ret_outcome->error = NULL;
        return;
    }
    struct leaf_result result = {.status = status, .value = value, .error = error};
    pawl_leaf_inline_outcome(loop, leaf, ctx, input, &result, ret_outcome);
}

HOT void start_inline(struct loop *loop, pawl_frame *parent, pawl_context *ctx, pawl_event *event) {
    const struct child_request *request = &loop->request;
    pawl_cancel_reason over = over_at_start(loop, ctx);
    if (unlikely(over != PAWL_CANCEL_NONE))
        pawl_outcome_fail_over(&event->outcome, request->child, ctx, over, NULL);
    else
        call_inline(loop, request->child, ctx, request->input, &event->outcome);
    event->outcome.at = parent;
    event->kind = PAWL_EVENT_CHILD_DONE;
    event->lane = 0;
}

/* An inline leaf run by its parent alone needs no frame. event is the parent's CHILD_DONE then. */
static void run_inline(struct loop *loop, pawl_frame *parent, pawl_event *event) {
    pawl_context *ctx = parent->ctx, own;
    if (unlikely(loop->request.scoped)) {
        init_scope(&own, ctx, &loop->request);
        ctx = &own;
    }
    start_inline(loop, parent, ctx, event);
}

/* With a span it needs no more than that, which lies where its frame would. The scope may be its parent's: nothing else
 * looks at that while the leaf runs. */
HOT void run_inline_observed(struct loop *loop, pawl_frame *parent, pawl_event *event) {
    const pawl_primitive *leaf = loop->request.child;
    pawl_frame *place = place_of(parent, 0);
    pawl_context *ctx = parent->ctx;
    pawl_span *span = span_of(place, leaf), *outer = ctx->span;
    unpoison(place, leaf->own_bytes[1]);
    if (unlikely(loop->request.scoped || EACH_LEAF_HAS_A_SCOPE)) {
        init_scope(&place->own, ctx, &loop->request);
        ctx = &place->own;
    }
    if (likely(is_left(loop, span)))
        reopen_leaf_span(loop, ctx, span);
    else
        open_leaf_span(loop, ctx, span);
    start_inline(loop, parent, ctx, event);
    pawl_observe_end(loop, span, &event->outcome);
    if (unlikely(span->described))
        give_up_leaf_span(loop, span);
    ctx->span = outer;
    poison(place, leaf->own_bytes[1]);
}

/* Frame memory is a few words: a loop beats a call. It is rounded up to FRAME_ALIGN. */
static inline void zero(void *memory, size_t bytes) {
    uint64_t *word = memory;
    for (uint64_t *end = word + (bytes + 7) / 8; word < end; word++)
        *word = 0;
}

/* Starts a frame that is ready to. Returns the frame that gets the event next, or NULL when this one waits. */
static pawl_frame *begin_frame(struct loop *loop, pawl_frame *frame, pawl_event *event) {
    pawl_cancel_reason over = over_at_start(loop, frame->ctx);
    if (unlikely(over != PAWL_CANCEL_NONE)) {
        pawl_outcome_fail_over(&event->outcome, frame->node, frame->ctx, over, NULL);
        return end_frame(loop, frame, event);
    }
    switch (frame->node->kind) {
    case NODE_STEP:
        zero(pawl_frame_memory(frame), frame->node->frame_bytes);
        event->kind = PAWL_EVENT_START;
        return frame;
    case NODE_INLINE:
        call_inline(loop, frame->node, frame->ctx, frame->input, &event->outcome);
        return end_frame(loop, frame, event);
    default:
        if (pawl_leaf_begin(loop, frame, event))
            return end_frame(loop, frame, event);
        pawl_waiting_start(loop, frame);
        return NULL;
    }
}

HOT pawl_frame *run_child(struct loop *loop, pawl_frame *parent, pawl_event *event, bool observed) {
    const struct child_request *request = &loop->request;
    if (request->child->kind == NODE_INLINE) {
        if (observed)
            run_inline_observed(loop, parent, event);
        else
            run_inline(loop, parent, event);
        return parent;
    }
    pawl_frame *frame = place_of(parent, 0);
    init_frame(frame, parent->run, parent, request, 0);
    parent->live_children++;
    parent->state = FRAME_CHILDREN;
    counter_add(&loop->live_frames, 1);
    if (observed)
        open_frame_span(loop, frame, request);
    if (unlikely(pawl_takes_cancel_above_children(parent))) { /* it must be woken while the child runs */
        parent->wake_ns = PAWL_NEVER;
        pawl_waiting_start(loop, parent);
    }
    return begin_frame(loop, frame, event);
}

static void call_boundary(const pawl_runtime_hooks *hooks) {
    if (unlikely(hooks && hooks->boundary))
        hooks->boundary(hooks->user);
}

/* Made twice, with and without spans: a run is observed, or it is not. */
HOT void drive(struct loop *loop, pawl_frame *frame, pawl_event *event, bool observed) {
    const pawl_runtime_hooks *hooks = loop->runtime->hooks;
    struct run *run = frame->run;
    while (frame) {
        call_boundary(hooks);
        stop_waiting(loop, frame);
        frame->pending &= PENDING_WAKE; /* a time that passed meanwhile belonged to the wait that ends here */
        frame->state = FRAME_RUNNING;
        const pawl_primitive *node = frame->node;
        pawl_step step = node->vtable->step(node->state, frame, event);
        if (step.kind == STEP_FINISH) {
            frame = end_frame(loop, frame, event);
            if (!frame)
                pawl_engine_end_run(run, &event->outcome);
            continue;
        }
        if (event->kind == PAWL_EVENT_CHILD_DONE)
            pawl_outcome_drop(&event->outcome);
        if (likely(step.kind == STEP_RUN)) {
            frame = run_child(loop, frame, event, observed);
        } else {
            pawl_waiting_start(loop, frame);
            frame = NULL;
        }
    }
}

static __attribute__((noinline)) void deliver_observed(struct loop *loop, pawl_frame *frame, pawl_event *event) {
    drive(loop, frame, event, true);
}

static void deliver(struct loop *loop, pawl_frame *frame, pawl_event *event) {
    if (likely(!frame->observed))
        drive(loop, frame, event, false);
    else
        deliver_observed(loop, frame, event);
}

/* The frame has ended with event's outcome, or goes on in `next`. */
static void go_on(struct loop *loop, struct run *run, pawl_frame *next, pawl_event *event) {
    if (next)
        deliver(loop, next, event);
    else if (event->kind == PAWL_EVENT_CHILD_DONE)
        pawl_engine_end_run(run, &event->outcome);
}

static void dispatch_start(struct loop *loop, pawl_frame *frame) {
    pawl_event event; /* left empty, as everywhere here: it is large, and each kind sets what it has */
    struct run *run = frame->run;
    event.kind = PAWL_EVENT_START;
    frame->pending = 0;
    if (frame->node->kind != NODE_STEP)
        call_boundary(loop->runtime->hooks);
    go_on(loop, run, begin_frame(loop, frame, &event), &event);
}

static void dispatch_leaf(struct loop *loop, pawl_frame *frame) {
    pawl_event event;
    struct run *run = frame->run;
    event.kind = PAWL_EVENT_CHILD_DONE;
    call_boundary(loop->runtime->hooks);
    if (frame->pending & PENDING_DONE) {
        frame->pending = 0;
        pawl_leaf_end(loop, frame, &event);
        go_on(loop, run, end_frame(loop, frame, &event), &event);
        return;
    }
    bool grace_is_over = frame->cancel_seen && (frame->pending & PENDING_TIMER);
    frame->pending = 0;
    if (grace_is_over && pawl_abandonable_leave(loop, frame, &event)) {
        go_on(loop, run, end_frame(loop, frame, &event), &event);
    } else if (!frame->cancel_seen) {
        frame->cancel_seen = true;
        pawl_leaf_cancel(loop, frame);
        if (frame->node->kind == NODE_ABANDONABLE)
            pawl_waiting_arm(loop, frame); /* for its grace */
    }
}

/* A waiting frame whose scope is over and whose step does not want to know. */
static void end_over(struct loop *loop, pawl_frame *frame) {
    pawl_event event;
    struct run *run = frame->run;
    pawl_cancel_reason reason = pawl_scope_over(frame->ctx, loop->now_ns);
    pawl_outcome_fail_over(&event.outcome, frame->node, frame->ctx, reason, NULL);
    go_on(loop, run, end_frame(loop, frame, &event), &event);
}

void pawl_engine_dispatch(struct loop *loop, pawl_frame *frame) {
    pawl_event event;
    loop->clock_is_fresh = false;
    if (frame->pending & PENDING_START) {
        dispatch_start(loop, frame);
    } else if (frame->node->kind != NODE_STEP) {
        dispatch_leaf(loop, frame);
    } else if (frame->pending & PENDING_WAKE) {
        frame->pending &= (uint8_t)~PENDING_WAKE;
        event.kind = PAWL_EVENT_WAKE;
        deliver(loop, frame, &event);
    } else if ((frame->pending & PENDING_OVER) && pawl_waiting_hears_of_the_end(frame)) {
        if (!pawl_takes_cancel(frame)) {
            end_over(loop, frame);
            return;
        }
        frame->cancel_seen = true;
        event.kind = PAWL_EVENT_CANCEL;
        deliver(loop, frame, &event);
    } else if (frame->pending & PENDING_TIMER) {
        frame->pending = 0;
        event.kind = PAWL_EVENT_TIMER;
        deliver(loop, frame, &event);
    } else { /* nothing it wants to know: it waits on */
        frame->pending = 0;
        if (frame->waiting)
            pawl_waiting_arm(loop, frame);
    }
}

static pawl_frame *first_frame(struct run *run) {
    struct loop *loop = run->loop;
    pawl_frame *frame = (pawl_frame *)(void *)((char *)run + RUN_BYTES);
    struct child_request request = {.child = run->node, .input = run->input};
    init_frame(frame, run, NULL, &request, 0);
    counter_add(&loop->live_frames, 1);
    if (unlikely(run->observed))
        open_frame_span(loop, frame, &request);
    frame->pending = PENDING_START;
    return frame;
}

void pawl_engine_begin(struct run *run) {
    dispatch_start(run->loop, first_frame(run));
}

void pawl_engine_begin_later(struct run *run) {
    pawl_loop_push_ready(run->loop, first_frame(run));
}

/* ---- children side by side ---- */

static void start_frame(pawl_frame *child, pawl_frame *parent, const struct child_request *request, size_t lane,
                        bool own_block) {
    struct loop *loop = parent->run->loop;
    init_frame(child, parent->run, parent, request, (uint32_t)lane);
    child->own.transparent = 0;
    child->own_block = own_block;
    list_child(parent, child);
    parent->live_children++;
    counter_add(&loop->live_frames, 1);
    if (unlikely(child->observed))
        open_frame_span(loop, child, request);
    child->pending = PENDING_START;
    pawl_loop_push_ready(loop, child);
}

/* A lane is cancelled alone, so its child always has a scope of its own. */
static struct child_request lane_request(const pawl_primitive *child, pawl_value *input, const pawl_scope *scope) {
    struct child_request request = {.child = child, .input = input, .scoped = true};
    if (scope)
        pawl_request_scope(&request, scope);
    return request;
}

void pawl_frame_start(pawl_frame *frame, size_t lane, const pawl_primitive *child, pawl_value *input,
                      const pawl_scope *scope) {
    struct child_request request = lane_request(child, input, scope);
    start_frame(place_of(frame, lane), frame, &request, lane, false);
}

pawl_status pawl_frame_start_block(pawl_frame *frame, size_t lane, const pawl_primitive *child, pawl_value *input,
                                   const pawl_scope *scope) {
    struct child_request request = lane_request(child, input, scope);
    struct loop *loop = frame->run->loop;
    if (!pawl_loop_reserve_ops(loop, child->peak_ops))
        return PAWL_E_NOMEM;
    pawl_frame *block = pawl_loop_take_block(loop, child->bytes[frame->observed]);
    if (!block) {
        loop->ops_reserved -= child->peak_ops;
        return PAWL_E_NOMEM;
    }
    start_frame(block, frame, &request, lane, true);
    return PAWL_OK;
}
