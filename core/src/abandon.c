/* Abandonable leaves: work that may outlive its scope, because it was declared that it may. It runs on the pool with
 * everything it touches its own: context, input, node. When its scope is over it is cancelled and given its grace;
 * after that the frame ends without it, it is counted until it really ends, and its late result is dropped. */
#include "engine_internal.h"
#include <stdlib.h>

enum state { RUNNING, ENDED, ABANDONED };

struct detachable {
    struct post post; /* first in the pool's queue, then in the loop's inbox */
    pawl_frame *frame;
    struct loop *loop;
    pawl_primitive *node;
    pawl_value *input;
    pawl_context *ctx;
    struct leaf_result result;
    atomic_int state;
};

struct detachable_frame {
    struct detachable *work;
};

static struct detachable *of_post(struct post *post) {
    return (struct detachable *)(void *)post; /* its first member */
}

static struct detachable *of_frame(pawl_frame *frame) {
    return ((struct detachable_frame *)pawl_frame_memory(frame))->work;
}

static void release(struct detachable *work) {
    pawl_context_unref(work->ctx);
    pawl_value_unref(work->input);
    pawl_primitive_unref(work->node);
    free(work);
}

static struct detachable *new_work(struct loop *loop, pawl_frame *frame) {
    struct detachable *work = calloc(1, sizeof *work);
    pawl_context *ctx = work ? pawl_context_detach(frame->ctx) : NULL;
    if (!ctx) {
        free(work);
        return NULL;
    }
    ctx->deadline_ns = frame->ctx->deadline_ns;
    *work = (struct detachable){.post.kind = POST_DETACHABLE,
                                .frame = frame,
                                .loop = loop,
                                .node = pawl_primitive_ref((pawl_primitive *)frame->node),
                                .input = pawl_value_ref(frame->input),
                                .ctx = ctx};
    return work;
}

bool pawl_abandonable_begin(struct loop *loop, pawl_frame *frame, pawl_event *event) {
    struct detachable *work = new_work(loop, frame);
    if (work && pawl_pool_enqueue(loop->runtime, &work->post) == PAWL_OK) {
        ((struct detachable_frame *)pawl_frame_memory(frame))->work = work;
        frame->state = FRAME_JOB;
        frame->wake_ns = PAWL_NEVER;
        return false;
    }
    pawl_outcome_fail(
        &event->outcome, frame->node, work ? PAWL_E_UNAVAILABLE : PAWL_E_NOMEM,
        work ? "no thread could be started for a blocking leaf; lower the load or raise the process's limits"
             : "no memory for work that may be abandoned");
    event->outcome.started = PAWL_STARTED_NO;
    if (work)
        release(work);
    return true;
}

/* ---- on the pool's thread ---- */

static void call(struct detachable *work) {
    pawl_context *outer = pawl_leaf_context;
    pawl_leaf_context = work->ctx;
    struct leaf_result *result = &work->result;
    result->status = work->node->fn(work->node->user, work->ctx, work->input, &result->value, &result->error);
    result->over = pawl_context_cancelled(work->ctx);
    pawl_leaf_context = outer;
}

static void drop_late(struct detachable *work) {
    pawl_runtime *runtime = work->ctx->root->runtime;
    pawl_value_unref(work->result.value);
    pawl_error_unref(work->result.error);
    atomic_fetch_sub(&runtime->abandoned, 1);
    release(work);
}

void pawl_abandonable_run(struct post *post) {
    struct detachable *work = of_post(post);
    int running = RUNNING;
    if (atomic_load(&work->state) == RUNNING)
        call(work);
    if (atomic_compare_exchange_strong(&work->state, &running, ENDED))
        pawl_loop_post(work->loop, &work->post);
    else
        drop_late(work);
}

/* ---- on the loop ---- */

void pawl_abandonable_ended(struct post *post) {
    pawl_waiting_signal(of_post(post)->frame, PENDING_DONE);
}

void pawl_abandonable_end(struct loop *loop, pawl_frame *frame, pawl_event *event) {
    struct detachable *work = of_frame(frame);
    pawl_leaf_outcome(loop, frame->ctx, frame->node, &work->result, &event->outcome);
    release(work);
}

void pawl_abandonable_cancel(struct loop *loop, pawl_frame *frame) {
    uint64_t now = pawl_loop_read_clock(loop), grace = frame->node->grace_ns;
    pawl_context_cancel(of_frame(frame)->ctx, pawl_scope_over(frame->ctx, now), NULL);
    frame->wake_ns = grace > PAWL_NEVER - now ? PAWL_NEVER : now + grace;
    frame->until_deadline = false;
}

bool pawl_abandonable_leave(struct loop *loop, pawl_frame *frame, pawl_event *event) {
    struct detachable *work = of_frame(frame);
    int running = RUNNING;
    atomic_fetch_add(&loop->runtime->abandoned, 1); /* before it can be taken away again */
    if (!atomic_compare_exchange_strong(&work->state, &running, ABANDONED)) {
        atomic_fetch_sub(&loop->runtime->abandoned, 1);
        return false; /* it has just ended: its result is on the way */
    }
    pawl_cancel_reason reason = pawl_scope_over(frame->ctx, loop->now_ns);
    pawl_outcome_fail_over(&event->outcome, frame->node, frame->ctx, reason, NULL);
    return true;
}
