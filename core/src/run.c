/* Runs: one execution of a pipeline, from its block to its outcome, and the three ways to drive it. */
#include "engine_internal.h"
#include <stdlib.h>
#include <string.h>

/* ---- making ---- */

/* Binds the run to its root; refuses a second run at once. */
static bool claim(struct root *root, struct loop *loop, struct run *run) {
    struct loop *none = NULL;
    if (!atomic_compare_exchange_strong(&root->loop, &none, loop))
        return false;
    atomic_store_explicit(&root->run, run, memory_order_release);
    return true;
}

static size_t block_bytes(const pawl_primitive *node, bool observed) {
    return RUN_BYTES + node->bytes[observed];
}

/* NULL without memory. Any thread when loop is NULL: the memory then comes from malloc. */
static struct run *new_run(struct loop *loop, const pawl_primitive *node, struct root *root, pawl_value *input) {
    bool observed = root->runtime->observer_count > 0 && pawl_sampling_of(root, node) != 0;
    struct run *run = pawl_loop_take_block(loop, block_bytes(node, observed));
    if (!run)
        return NULL;
    run->post = (struct post){.kind = POST_RUN};
    run->loop = loop;
    run->root = root;
    run->node = node;
    run->input = input ? input : pawl_value_null();
    run->waiting = NULL;
    run->block_bytes = block_bytes(node, observed);
    run->observed = observed;
    run->owns_refs = false;
    run->result = NULL;
    run->done = NULL;
    run->user = NULL;
    run->flight_done = NULL;
    return run;
}

static void enlist(struct loop *loop, struct run *run) {
    run->prev = NULL;
    run->next = loop->runs;
    if (loop->runs)
        loop->runs->prev = run;
    loop->runs = run;
    counter_add(&loop->live_runs, 1);
}

static void delist(struct loop *loop, struct run *run) {
    if (run->prev)
        run->prev->next = run->next;
    else
        loop->runs = run->next;
    if (run->next)
        run->next->prev = run->prev;
    counter_add(&loop->live_runs, (size_t)-1);
}

static void hold_refs(struct run *run) {
    run->owns_refs = true;
    pawl_primitive_ref((pawl_primitive *)run->node);
    pawl_value_ref(run->input);
    pawl_root_ref(run->root);
}

static void give_refs(const pawl_primitive *node, pawl_value *input, struct root *root) {
    pawl_primitive_unref((pawl_primitive *)node);
    pawl_value_unref(input);
    pawl_root_unref(root);
}

/* ---- ending ---- */

static void take_result(struct pawl_outcome *outcome, struct run_result *result) {
    outcome->at = NULL;
    result->status = outcome->status;
    result->value = pawl_outcome_take_value(outcome);
    result->error = pawl_outcome_take_error(outcome);
    pawl_outcome_release(outcome);
}

static void detach_root(struct run *run) {
    atomic_store_explicit(&run->root->run, NULL, memory_order_relaxed);
    atomic_store_explicit(&run->root->loop, NULL, memory_order_release);
}

void pawl_engine_end_run(struct run *run, struct pawl_outcome *outcome) {
    struct loop *loop = run->loop;
    struct run_result result = {0};
    delist(loop, run);
    loop->ops_reserved -= run->node->peak_ops;
    detach_root(run);
    if (run->flight_done) {
        outcome->at = NULL;
        run->flight_done(run->user, outcome);
        pawl_outcome_release(outcome);
    } else if (run->result) {
        take_result(outcome, run->result);
        run->result->done = true;
    } else {
        take_result(outcome, &result);
        run->done(run->user, result.status, result.value, result.error);
    }
    bool owns_refs = run->owns_refs;
    const pawl_primitive *node = run->node;
    pawl_value *input = run->input;
    struct root *root = run->root;
    pawl_loop_give_block(loop, run, run->block_bytes);
    if (owns_refs)
        give_refs(node, input, root);
}

/* A run that cannot even start: its outcome goes the usual way. */
static void end_unstarted(struct run *run) {
    struct pawl_outcome outcome;
    pawl_outcome_fail(&outcome, run->node, PAWL_E_NOMEM, "no memory for its async operations");
    pawl_engine_end_run(run, &outcome);
}

static bool prepare(struct loop *loop, struct run *run) {
    enlist(loop, run);
    if (pawl_loop_reserve_ops(loop, run->node->peak_ops))
        return true;
    loop->ops_reserved += run->node->peak_ops;
    return false;
}

static void begin(struct loop *loop, struct run *run) {
    if (run->root->scope.deadline_ns != PAWL_NEVER)
        pawl_loop_read_clock(loop);
    (void)atomic_load(
        &run->root->any_cancelled); /* after the claim: a canceller saw the loop, or is seen from here on */
    if (atomic_load_explicit(&loop->runtime->closing, memory_order_relaxed))
        pawl_scope_cancel(&run->root->scope, PAWL_CANCEL_SHUTDOWN, "the runtime is shut down", loop);
    struct loop *outer = pawl_driving;
    pawl_driving = loop;
    loop->clock_is_fresh = false;
    pawl_engine_begin(run);
    pawl_driving = outer;
}

void pawl_engine_accept_run(struct loop *loop, struct run *run) {
    if (prepare(loop, run))
        begin(loop, run);
    else
        end_unstarted(run);
}

struct run *pawl_engine_new_flight(struct loop *loop, const pawl_primitive *node, struct root *root, pawl_value *input,
                                   void (*done)(void *user, struct pawl_outcome *outcome), void *user) {
    if (!pawl_loop_reserve_ops(loop, node->peak_ops))
        return NULL;
    struct run *run = new_run(loop, node, root, input);
    if (!run || !claim(root, loop, run)) {
        loop->ops_reserved -= node->peak_ops;
        if (run)
            pawl_loop_give_block(loop, run, run->block_bytes);
        return NULL;
    }
    run->flight_done = done;
    run->user = user;
    hold_refs(run);
    return run;
}

void pawl_engine_begin_flight(struct run *run) {
    struct loop *loop = run->loop;
    enlist(loop, run);
    if (atomic_load_explicit(&loop->runtime->closing, memory_order_relaxed))
        pawl_scope_cancel(&run->root->scope, PAWL_CANCEL_SHUTDOWN, "the runtime is shut down", loop);
    pawl_engine_begin_later(run);
}

void pawl_engine_drop_flight(struct run *run) {
    struct loop *loop = run->loop;
    loop->ops_reserved -= run->node->peak_ops;
    detach_root(run);
    give_refs(run->node, run->input, run->root);
    pawl_loop_give_block(loop, run, run->block_bytes);
}

/* ---- pawl_run ---- */

static void store(pawl_error **err, pawl_error *error) {
    pawl_error_unref(err ? *err : error);
    if (err)
        *err = error;
}

static pawl_status refuse(pawl_error **err, pawl_error *why) {
    pawl_status status = pawl_error_status(why);
    store(err, why);
    return status;
}

static bool is_sound(const pawl_primitive *node, pawl_error **err, pawl_status *ret_status) {
    if (likely(node && !node->broken))
        return true;
    *ret_status = refuse(err, pawl_primitive_error(node));
    return false;
}

static pawl_status give_result(struct run_result *result, pawl_value **ret_out, pawl_error **err) {
    if (result->status == PAWL_OK && ret_out)
        *ret_out = result->value;
    else
        pawl_value_unref(result->value);
    if (result->status != PAWL_OK)
        store(err, result->error);
    return result->status;
}

static void drive(struct loop *loop, struct run_result *result) {
    pawl_pool_lend_thread();
    while (!result->done) {
        pawl_loop_turn(loop, EVENTS_PER_TURN);
        if (!result->done && !loop->ready_head)
            pawl_loop_sleep(loop);
    }
    pawl_pool_take_thread_back();
}

/* On a leased loop, with a root that is this call's. */
static pawl_status run_on(struct loop *loop, pawl_primitive *node, struct root *root, pawl_value *in,
                          pawl_value **ret_out, pawl_error **err) {
    struct run_result result = {.done = false};
    struct run *run = new_run(loop, node, root, in);
    if (!run)
        return pawl_error_set(err, PAWL_E_NOMEM, "run '%s': no memory for its frames", node->name);
    if (!claim(root, loop, run)) {
        pawl_loop_give_block(loop, run, run->block_bytes);
        return pawl_error_set(
            err, PAWL_E_INVALID,
            "run '%s': the context is busy with another run; make one per run with pawl_context_child()", node->name);
    }
    run->result = &result;
    if (prepare(loop, run))
        begin(loop, run);
    else
        end_unstarted(run);
    if (unlikely(!result.done))
        drive(loop, &result);
    return give_result(&result, ret_out, err);
}

static pawl_status lease_and_run(pawl_primitive *node, struct root *root, pawl_value *in, pawl_value **ret_out,
                                 pawl_error **err) {
    pawl_error *why = NULL;
    struct loop *loop = pawl_runtime_lease(root->runtime, &why);
    if (!loop)
        return refuse(err, why);
    pawl_status status = run_on(loop, node, root, in, ret_out, err);
    if (unlikely(root->on_stack))
        pawl_root_leave(root, loop);
    pawl_runtime_give_back(loop);
    return status;
}

/* A leaf runs a pipeline of its own: a root on this stack, beneath the leaf's scope. */
static pawl_status run_child(pawl_primitive *node, pawl_context *ctx, pawl_value *in, pawl_value **ret_out,
                             pawl_error **err) {
    struct root root;
    pawl_runtime *runtime = ctx->root->runtime;
    if (!pawl_root_init(&root, runtime, &(struct origin){.ids = ctx, .scope = ctx, .on_stack = true}))
        return pawl_error_set(err, PAWL_E_NOMEM, "run '%s': no memory for a child run's context", node->name);
    pawl_status status = lease_and_run(node, &root, in, ret_out, err);
    pawl_root_finish(&root);
    pawl_runtime_release(runtime);
    return status;
}

static pawl_status run_with_temporary_runtime(pawl_primitive *node, pawl_value *in, pawl_value **ret_out,
                                              pawl_error **err) {
    pawl_error *why = NULL;
    pawl_runtime *runtime = pawl_runtime_new(NULL, &why);
    if (!runtime)
        return refuse(err, why);
    pawl_context *ctx = pawl_context_new(runtime);
    pawl_status status = ctx ? pawl_run(node, ctx, in, ret_out, err)
                             : pawl_error_set(err, PAWL_E_NOMEM, "run '%s': no memory for a context", node->name);
    pawl_context_unref(ctx);
    pawl_runtime_unref(runtime);
    return status;
}

pawl_status pawl_run(pawl_primitive *node, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    pawl_status status;
    if (unlikely(!is_sound(node, err, &status)))
        return status;
    if (unlikely(pawl_driving != NULL))
        return pawl_error_set(
            err, PAWL_E_INVALID,
            "run '%s': called inside an inline leaf or a loop's callback; use a blocking leaf (pawl_function)",
            node->name);
    if (!ctx)
        return run_with_temporary_runtime(node, in, ret_out, err);
    if (!ctx->is_root || ctx == pawl_leaf_context)
        return run_child(node, ctx, in, ret_out, err);
    return lease_and_run(node, ctx->root, in, ret_out, err);
}

pawl_status pawl_run_text(pawl_primitive *node, pawl_context *ctx, const char *in, char **ret_out, pawl_error **err) {
    pawl_value *input = NULL, *output = NULL;
    pawl_status status = in ? pawl_value_parse(in, strlen(in), NULL, &input, err) : PAWL_OK;
    if (status == PAWL_OK)
        status = pawl_run(node, ctx, input, &output, err);
    pawl_value_unref(input);
    if (status != PAWL_OK || !ret_out) {
        pawl_value_unref(output);
        return status;
    }
    char *text = pawl_value_print(output);
    pawl_value_unref(output);
    if (!text)
        return pawl_error_set(err, PAWL_E_NOMEM, "run '%s': no memory for the output's text", node->name);
    *ret_out = text;
    return PAWL_OK;
}

/* ---- pawl_submit, pawl_start ---- */

static pawl_status hand_over(struct loop *loop, pawl_primitive *node, pawl_context *ctx, pawl_value *in, pawl_done done,
                             void *user, pawl_error **err) {
    struct run *run = new_run(NULL, node, ctx->root, in);
    if (!run)
        return pawl_error_set(err, PAWL_E_NOMEM, "submit '%s': no memory for its frames", node->name);
    run->loop = loop;
    run->done = done;
    run->user = user;
    if (!claim(ctx->root, loop, run)) {
        free(run);
        return pawl_error_set(
            err, PAWL_E_INVALID,
            "submit '%s': the context is busy with another run; make one per run with pawl_context_child()",
            node->name);
    }
    hold_refs(run);
    if (pawl_runtime_post_run(loop, &run->post))
        return PAWL_OK;
    detach_root(run);
    give_refs(run->node, run->input, run->root);
    free(run);
    return pawl_error_set(err, PAWL_E_INVALID, "submit '%s': the runtime was shut down; make a new one", node->name);
}

static bool may_start(pawl_primitive *node, pawl_context *ctx, pawl_done done, pawl_error **err,
                      pawl_status *ret_status) {
    *ret_status = PAWL_E_INVALID;
    if (!is_sound(node, err, ret_status))
        return false;
    if (!ctx || !ctx->is_root || !done) {
        pawl_error_set(err, PAWL_E_INVALID, "submit '%s': needs a root context and a done callback", node->name);
        return false;
    }
    return pawl_runtime_is_usable(ctx->root->runtime, err);
}

pawl_status pawl_submit(pawl_primitive *node, pawl_context *ctx, pawl_value *in, pawl_done done, void *user,
                        pawl_error **err) {
    pawl_status status;
    if (!may_start(node, ctx, done, err, &status))
        return status;
    struct loop *loop = pawl_runtime_thread_loop(ctx->root->runtime, err);
    return loop ? hand_over(loop, node, ctx, in, done, user, err) : PAWL_E_UNSUPPORTED;
}

pawl_status pawl_start(pawl_primitive *node, pawl_context *ctx, pawl_value *in, pawl_done done, void *user,
                       pawl_error **err) {
    pawl_status status;
    if (!may_start(node, ctx, done, err, &status))
        return status;
    struct loop *loop = pawl_runtime_embedded(ctx->root->runtime, err);
    return loop ? hand_over(loop, node, ctx, in, done, user, err) : PAWL_E_UNSUPPORTED;
}
