/* Contexts: life of roots, their place beneath each other, time. Identity is in context_ids.c, cancellation in
 * cancel.c, state in context_state.c, waiting in context_wait.c. */
#include "context_internal.h"
#include "engine_internal.h"
#include "ids_internal.h"
#include "w3c_internal.h"
#include <stdlib.h>
#include <string.h>

/* ---- life ---- */

static void adopt(struct root *parent, struct root *child) {
    child->parent = parent;
    pthread_mutex_lock(&parent->lock);
    child->next = parent->children;
    if (parent->children)
        parent->children->prev = child;
    parent->children = child;
    /* Under the lock: a cancel that came before is seen here, one that comes later finds the child in the list. */
    if (pawl_scope_reason(&child->scope) != PAWL_CANCEL_NONE)
        atomic_store(&child->any_cancelled, 1);
    pthread_mutex_unlock(&parent->lock);
}

/* Under the parent's lock, which a canceller takes when it lets go. */
static void wait_for_cancellers(struct root *child, struct loop *loop) {
    struct root *parent = child->parent;
    while (child->on_stack && atomic_load(&child->refs) > 1) {
        if (!loop || !atomic_load(&loop->inbox)) {
            pthread_cond_wait(&parent->callback_ended, &parent->lock);
            continue;
        }
        pthread_mutex_unlock(&parent->lock);
        pawl_loop_drain(loop);
        pthread_mutex_lock(&parent->lock);
    }
}

void pawl_root_leave(struct root *child, struct loop *loop) {
    struct root *parent = child->parent;
    if (!parent)
        return;
    pthread_mutex_lock(&parent->lock);
    wait_for_cancellers(child, loop);
    child->parent = NULL;
    if (child->prev)
        child->prev->next = child->next;
    else
        parent->children = child->next;
    if (child->next)
        child->next->prev = child->prev;
    pthread_mutex_unlock(&parent->lock);
}

bool pawl_root_init(struct root *root, pawl_runtime *runtime, const struct origin *origin) {
    memset(root, 0, sizeof *root);
    root->scope.root = root;
    root->scope.is_root = 1;
    root->scope.deadline_ns = PAWL_NEVER;
    root->runtime = runtime;
    root->trace_flags = PAWL_W3C_FLAG_SAMPLED | PAWL_W3C_FLAG_RANDOM; /* our ids are: its last 56 bits at least */
    atomic_init(&root->observers, UNDECIDED);
    root->cancel_post.kind = POST_CANCEL;
    root->on_stack = origin->on_stack;
    atomic_init(&root->refs, 1);
    pthread_mutex_init(&root->lock, NULL);
    pthread_mutex_init(&root->state_lock, NULL);
    pthread_cond_init(&root->callback_ended, NULL);
    if (origin->ids && !pawl_ids_copy(root, origin->ids)) {
        pawl_root_finish(root);
        return false;
    }
    if (origin->scope) {
        root->scope.parent = origin->scope;
        root->scope.span = origin->on_stack ? origin->scope->span : NULL;
        root->scope.deadline_ns = origin->scope->deadline_ns;
        adopt(origin->scope->root, root);
    }
    pawl_runtime_hold(runtime);
    return true;
}

static void release_state(struct root *root) {
    for (size_t i = 0; i < root->state_count; i++) {
        free(root->state[i].key);
        pawl_value_unref(root->state[i].value);
    }
    free(root->state);
    free(root->checkpoints);
    free(root->cancel_text);
}

void pawl_root_finish(struct root *root) {
    pawl_root_leave(root, NULL);
    release_state(root);
    pawl_ids_release(root);
    pthread_mutex_destroy(&root->lock);
    pthread_mutex_destroy(&root->state_lock);
    pthread_cond_destroy(&root->callback_ended);
}

void pawl_root_ref(struct root *root) {
    atomic_fetch_add_explicit(&root->refs, 1, memory_order_relaxed);
}

void pawl_root_unref(struct root *root) {
    while (root && atomic_fetch_sub_explicit(&root->refs, 1, memory_order_acq_rel) == 1) {
        struct root *parent = root->parent;
        pawl_runtime *runtime = root->runtime;
        pawl_root_finish(root);
        free(root);
        pawl_runtime_release(runtime);
        root = parent; /* a child made by pawl_context_child() holds its parent */
    }
}

/* The root itself, or around a child run's the first that is counted. */
static struct root *counted(struct root *root) {
    while (root->on_stack)
        root = root->scope.parent->root;
    return root;
}

static struct root *new_root(pawl_runtime *runtime, const struct origin *origin) {
    struct root *root = runtime ? malloc(sizeof *root) : NULL;
    if (!root || !pawl_root_init(root, runtime, origin)) {
        free(root);
        return NULL;
    }
    return root;
}

pawl_context *pawl_context_new(pawl_runtime *runtime) {
    struct root *root = new_root(runtime, &(struct origin){0});
    return root ? &root->scope : NULL;
}

pawl_context *pawl_context_child(pawl_context *parent) {
    if (!parent)
        return NULL;
    struct root *outer = counted(parent->root);
    struct root *child = new_root(outer->runtime, &(struct origin){.ids = parent, .scope = &outer->scope});
    if (!child)
        return NULL;
    pawl_root_ref(outer);
    if (parent->deadline_ns < child->scope.deadline_ns)
        child->scope.deadline_ns = parent->deadline_ns;
    if (pawl_ids_set_causation(child, parent))
        return &child->scope;
    pawl_root_unref(child);
    return NULL;
}

pawl_context *pawl_context_detach(const pawl_context *ctx) {
    struct root *root = ctx ? new_root(ctx->root->runtime, &(struct origin){.ids = (pawl_context *)ctx}) : NULL;
    return root ? &root->scope : NULL;
}

pawl_context *pawl_context_ref(pawl_context *ctx) {
    if (!ctx)
        return NULL;
    struct root *root = counted(ctx->root);
    pawl_root_ref(root);
    return &root->scope;
}

pawl_context *pawl_context_unref(pawl_context *ctx) {
    if (ctx)
        pawl_root_unref(counted(ctx->root));
    return NULL;
}

pawl_runtime *pawl_context_runtime(const pawl_context *ctx) {
    return ctx->root->runtime;
}

/* ---- time ---- */

uint64_t pawl_context_now(const pawl_context *ctx) {
    return pawl_runtime_now(ctx->root->runtime);
}

uint64_t pawl_context_random(pawl_context *ctx) {
    struct loop *loop = atomic_load_explicit(&ctx->root->loop, memory_order_relaxed);
    if (loop && loop == pawl_driving)
        return pawl_random_next(&loop->random);
    return pawl_runtime_random(ctx->root->runtime);
}

pawl_status pawl_context_is_null(pawl_error **err) {
    return pawl_error_set(err, PAWL_E_INVALID, "context: it is NULL; pass what pawl_context_new() or a leaf got");
}

static bool may_still_change(const pawl_context *ctx, pawl_error **err) {
    if (ctx && ctx->is_root && !atomic_load(&ctx->root->loop))
        return true;
    if (!ctx)
        pawl_context_is_null(err);
    else
        pawl_error_set(err, PAWL_E_INVALID, "context: it runs already; set this before pawl_run()");
    return false;
}

pawl_status pawl_context_set_deadline(pawl_context *ctx, uint64_t deadline_ns, pawl_error **err) {
    if (!may_still_change(ctx, err))
        return PAWL_E_INVALID;
    if (deadline_ns < ctx->deadline_ns)
        ctx->deadline_ns = deadline_ns;
    return PAWL_OK;
}

pawl_status pawl_context_set_timeout(pawl_context *ctx, uint64_t timeout_ns, pawl_error **err) {
    if (!may_still_change(ctx, err))
        return PAWL_E_INVALID;
    uint64_t now = pawl_context_now(ctx);
    return pawl_context_set_deadline(ctx, timeout_ns > PAWL_NEVER - now ? PAWL_NEVER : now + timeout_ns, err);
}

uint64_t pawl_context_deadline(const pawl_context *ctx) {
    return ctx->deadline_ns;
}

uint64_t pawl_context_remaining(const pawl_context *ctx) {
    if (ctx->deadline_ns == PAWL_NEVER)
        return PAWL_NEVER;
    uint64_t now = pawl_context_now(ctx);
    return now < ctx->deadline_ns ? ctx->deadline_ns - now : 0;
}
