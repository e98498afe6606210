/* Leaves: the user's work, called here (inline), on a thread of the pool (blocking), or started and completed from
 * elsewhere (async). */
#include "engine_internal.h"
#include "error_internal.h"

_Thread_local pawl_context *pawl_leaf_context __attribute__((tls_model("initial-exec")));

/* ---- outcomes ---- */

static void fail_leaf(const pawl_primitive *node, struct leaf_result *result, struct pawl_outcome *ret_outcome) {
    pawl_status status = result->error ? pawl_error_status(result->error) : result->status;
    pawl_outcome_fail(ret_outcome, node, status, "failed without saying why; set *err to tell");
    ret_outcome->error = result->error;
    pawl_outcome_check_status(ret_outcome);
}

/* A leaf that has noticed another end than the one that counts (a deadline, before the cancel) gives only the cause. */
static bool says_over(const struct leaf_result *result) {
    pawl_status over = result->over == PAWL_CANCEL_DEADLINE ? PAWL_E_DEADLINE : PAWL_E_CANCELLED;
    return pawl_error_status(result->error) == over;
}

void pawl_leaf_outcome(struct loop *loop, pawl_context *ctx, const pawl_primitive *node, struct leaf_result *result,
                       struct pawl_outcome *ret_outcome) {
    (void)loop;
    if (result->status == PAWL_OK && result->over == PAWL_CANCEL_NONE) {
        pawl_error_unref(result->error); /* set against the rules: success wins */
        ret_outcome->status = PAWL_OK;
        ret_outcome->error = NULL;
        ret_outcome->owned = true;
        ret_outcome->value = result->value;
        return;
    }
    pawl_value_unref(result->value);
    if (result->over == PAWL_CANCEL_NONE) {
        fail_leaf(node, result, ret_outcome);
    } else if (says_over(result)) { /* its own words, kept */
        pawl_outcome_fail_over(ret_outcome, node, ctx, result->over, NULL);
        pawl_error_unref(ret_outcome->error);
        ret_outcome->error = result->error;
    } else {
        pawl_outcome_fail_over(ret_outcome, node, ctx, result->over, result->error);
    }
}

static void pass_input(struct pawl_outcome *outcome, pawl_value *input) {
    if (outcome->status == PAWL_OK && !outcome->value) {
        outcome->owned = false;
        outcome->value = input;
    }
}

void pawl_leaf_inline_outcome(struct loop *loop, const pawl_primitive *node, pawl_context *ctx, pawl_value *input,
                              struct leaf_result *result, struct pawl_outcome *ret_outcome) {
    pawl_leaf_outcome(loop, ctx, node, result, ret_outcome);
    pass_input(ret_outcome, input);
}

/* ---- blocking ---- */

/* Whether nothing else can need this thread while the leaf blocks: a run alone on its caller's loop, every ancestor
 * waiting for just this child without a timer of its own. */
static bool may_call_here(struct loop *loop, const pawl_frame *frame) {
    if (loop->runtime->hooks)
        return true;
    if (loop->driver != DRIVER_CALLER || atomic_load_explicit(&loop->live_runs, memory_order_relaxed) != 1)
        return false;
    for (const pawl_frame *f = frame->parent; f; f = f->parent)
        if (f->live_children != 1 || f->state != FRAME_CHILDREN || f->waiting) /* waiting: for CANCEL */
            return false;
    return true;
}

static pawl_cancel_reason over_now(const pawl_context *ctx) {
    return pawl_scope_over(ctx, ctx->deadline_ns == PAWL_NEVER ? 0 : pawl_context_now(ctx));
}

static void call_blocking(pawl_frame *frame, struct leaf_result *result) {
    pawl_context *outer = pawl_leaf_context;
    pawl_leaf_context = frame->ctx;
    *result = (struct leaf_result){0};
    result->status = frame->node->fn(frame->node->user, frame->ctx, frame->input, &result->value, &result->error);
    pawl_leaf_context = outer;
    result->over = over_now(frame->ctx);
}

static void call_here(struct loop *loop, pawl_frame *frame, pawl_event *event) {
    struct leaf_result result;
    struct loop *driving = pawl_driving;
    struct root *root = frame->run->root;
    pawl_driving = NULL;
    atomic_store(&loop->leaf_root, root); /* before looking: a shutdown that is not seen here sees it */
    if (unlikely(atomic_load(&loop->runtime->closing)))
        pawl_scope_cancel(&root->scope, PAWL_CANCEL_SHUTDOWN, "the runtime is shut down", loop);
    call_blocking(frame, &result);
    pawl_runtime_leave_leaf(loop, root);
    loop->clock_is_fresh = false;
    pawl_driving = driving;
    if (frame->ctx->deadline_ns != PAWL_NEVER)
        pawl_loop_read_clock(loop);
    pawl_leaf_outcome(loop, frame->ctx, frame->node, &result, &event->outcome);
    pass_input(&event->outcome, frame->input);
}

void pawl_job_run(struct job *job) {
    job->result.over = over_now(job->frame->ctx); /* it may have waited for this thread for long */
    if (job->result.over == PAWL_CANCEL_NONE)
        call_blocking(job->frame, &job->result);
    pawl_loop_post(job->frame->run->loop, &job->post);
}

static bool start_job(struct loop *loop, pawl_frame *frame, pawl_event *event) {
    struct job *job = pawl_frame_memory(frame);
    *job = (struct job){.post.kind = POST_JOB, .frame = frame};
    frame->state = FRAME_JOB;
    frame->wake_ns = PAWL_NEVER;
    if (pawl_pool_enqueue(loop->runtime, &job->post) == PAWL_OK)
        return false;
    pawl_outcome_fail(&event->outcome, frame->node, PAWL_E_UNAVAILABLE,
                      "no thread could be started for a blocking leaf; lower the load or raise the process's limits");
    event->outcome.started = PAWL_STARTED_NO;
    return true;
}

/* ---- async ---- */

static bool start_op(struct loop *loop, pawl_frame *frame) {
    struct op_slot *slot = loop->free_ops; /* reserved when the run started */
    loop->free_ops = slot->next;
    ((struct op_frame *)pawl_frame_memory(frame))->slot = slot;
    uint64_t generation = (atomic_load_explicit(&slot->word, memory_order_relaxed) >> 2) + 1;
    slot->post = (struct post){.kind = POST_OP};
    slot->frame = frame;
    slot->data = NULL;
    slot->result = (struct leaf_result){0};
    frame->state = FRAME_OP;
    frame->wake_ns = PAWL_NEVER;
    atomic_store_explicit(&slot->word, generation << 2 | OP_PENDING, memory_order_release);
    pawl_op op = {.slot = slot, .generation = generation};
    frame->node->async->start(frame->node->user, op, frame->ctx, frame->input, &slot->data);
    return false;
}

bool pawl_op_complete(pawl_op op, pawl_status status, pawl_value *value, pawl_error *error) {
    struct op_slot *slot = op.slot;
    uint64_t expected = op.generation << 2 | OP_PENDING;
    if (!slot || !atomic_compare_exchange_strong(&slot->word, &expected, op.generation << 2 | OP_COMPLETING)) {
        pawl_value_unref(value);
        pawl_error_unref(error);
        if (slot)
            atomic_fetch_add(&slot->loop->runtime->refused_completions, 1);
        return false;
    }
    pawl_cancel_reason over = over_now(slot->frame->ctx); /* alive until the loop has seen this completion */
    slot->result = (struct leaf_result){.status = status, .over = over, .value = value, .error = error};
    atomic_store_explicit(&slot->word, op.generation << 2 | OP_DONE, memory_order_release);
    pawl_loop_post(slot->loop, &slot->post);
    return true;
}

static void end_op(struct loop *loop, struct op_slot *slot, const pawl_primitive *node) {
    if (slot->data && node->async->destroy)
        node->async->destroy(node->user, slot->data);
    slot->data = NULL;
    atomic_store_explicit(&slot->word, atomic_load_explicit(&slot->word, memory_order_relaxed) & ~(uint64_t)3,
                          memory_order_release);
    slot->next = loop->free_ops;
    loop->free_ops = slot;
}

/* ---- for the engine ---- */

bool pawl_leaf_begin(struct loop *loop, pawl_frame *frame, pawl_event *event) {
    switch (frame->node->kind) {
    case NODE_BLOCKING:
        if (!may_call_here(loop, frame))
            return start_job(loop, frame, event);
        call_here(loop, frame, event);
        return true;
    case NODE_ABANDONABLE:
        if (!loop->runtime->hooks)
            return pawl_abandonable_begin(loop, frame, event);
        call_here(loop, frame, event); /* virtual time has no threads: it is waited for */
        return true;
    default:
        return start_op(loop, frame);
    }
}

void pawl_leaf_end(struct loop *loop, pawl_frame *frame, pawl_event *event) {
    if (frame->node->kind == NODE_ASYNC) {
        struct op_slot *slot = ((struct op_frame *)pawl_frame_memory(frame))->slot;
        pawl_leaf_outcome(loop, frame->ctx, frame->node, &slot->result, &event->outcome);
        end_op(loop, slot, frame->node);
    } else if (frame->node->kind == NODE_ABANDONABLE) {
        pawl_abandonable_end(loop, frame, event);
    } else {
        struct job *job = pawl_frame_memory(frame);
        pawl_leaf_outcome(loop, frame->ctx, frame->node, &job->result, &event->outcome);
    }
    pass_input(&event->outcome, frame->input);
}

static void cancel_job(struct loop *loop, pawl_frame *frame) {
    struct job *job = pawl_frame_memory(frame);
    if (!pawl_pool_withdraw(loop->runtime, job))
        return; /* it runs: it sees the end in its context */
    job->result.over = pawl_scope_over(frame->ctx, loop->now_ns);
    pawl_waiting_signal(frame, PENDING_DONE);
}

void pawl_leaf_cancel(struct loop *loop, pawl_frame *frame) {
    if (frame->node->kind == NODE_BLOCKING)
        cancel_job(loop, frame);
    if (frame->node->kind == NODE_ABANDONABLE)
        pawl_abandonable_cancel(loop, frame);
    if (frame->node->kind != NODE_ASYNC || !frame->node->async->cancel)
        return;
    struct op_slot *slot = ((struct op_frame *)pawl_frame_memory(frame))->slot;
    uint64_t word = atomic_load_explicit(&slot->word, memory_order_acquire);
    if ((word & 3) != OP_PENDING)
        return; /* its completion is already on the way */
    pawl_op op = {.slot = slot, .generation = word >> 2};
    frame->node->async->cancel(frame->node->user, op, slot->data, pawl_scope_over(frame->ctx, loop->now_ns));
}
