/* Cancellation: sticky, with a reason, looked up and not pushed. Cancelling a scope marks it and then only wakes:
 * callbacks, child runs, and the loop of the run.
 *
 * A callback runs without the lock; a record of it stands on the firing thread's stack, in the root's list, so that
 * pawl_context_off_cancel() can wait for it, or, from inside it, tell that the registration is gone. */
#include "engine_internal.h"
#include <stdlib.h>
#include <string.h>

_Thread_local unsigned pawl_cancel_callbacks __attribute__((tls_model("initial-exec")));

enum registration_state { REGISTERED = 1, FIRED, LOOSE };

pawl_cancel_reason pawl_scope_reason(const pawl_context *ctx) {
    for (const pawl_context *scope = ctx; scope; scope = scope->parent) {
        uint32_t reason = atomic_load_explicit(&scope->cancelled, memory_order_acquire);
        if (reason)
            return (pawl_cancel_reason)reason;
        if (scope->shielded)
            return PAWL_CANCEL_NONE;
    }
    return PAWL_CANCEL_NONE;
}

const char *pawl_scope_cancel_text(const pawl_context *ctx) {
    for (const pawl_context *scope = ctx; scope; scope = scope->parent) {
        if (atomic_load_explicit(&scope->cancelled, memory_order_acquire))
            return scope->is_root ? scope->root->cancel_text : NULL;
        if (scope->shielded)
            return NULL;
    }
    return NULL;
}

/* ---- callbacks ---- */

static void unlink_registration(struct root *root, pawl_cancel_registration *r) {
    if (r->prev_)
        r->prev_->next_ = r->next_;
    else
        root->callbacks = r->next_;
    if (r->next_)
        r->next_->prev_ = r->prev_;
    r->prev_ = r->next_ = NULL;
}

static uint64_t this_thread(void) {
    return (uint64_t)(uintptr_t)pthread_self();
}

struct firing {
    pawl_cancel_registration *registration; /* NULL once it was taken back from inside */
    uint64_t thread;
    struct firing *next;
};

static void run_callback(struct root *root, pawl_cancel_registration *r, pawl_cancel_reason reason) {
    struct firing record = {.registration = r, .thread = this_thread(), .next = root->firing};
    root->firing = &record;
    unlink_registration(root, r);
    r->state_ = FIRED;
    pawl_cancel_callback callback = r->callback_;
    void *user = r->user_;
    pthread_mutex_unlock(&root->lock);
    pawl_cancel_callbacks++;
    callback(user, reason);
    pawl_cancel_callbacks--;
    pthread_mutex_lock(&root->lock);
    for (struct firing **at = &root->firing; *at; at = &(*at)->next)
        if (*at == &record) {
            *at = record.next;
            break;
        }
    pthread_cond_broadcast(&root->callback_ended);
}

/* Calls what is due, one by one: the list may change meanwhile. Under the lock. */
static void run_callbacks(struct root *root, bool look_at_clock) {
    uint64_t now = look_at_clock ? pawl_runtime_now(root->runtime) : 0;
    for (pawl_cancel_registration *r = root->callbacks; r;) {
        pawl_cancel_reason reason = pawl_scope_over(r->ctx_, now);
        if (reason == PAWL_CANCEL_NONE) {
            r = r->next_;
            continue;
        }
        run_callback(root, r, reason);
        r = root->callbacks;
    }
}

void pawl_root_run_due_callbacks(struct root *root) {
    pthread_mutex_lock(&root->lock);
    run_callbacks(root, true);
    pthread_mutex_unlock(&root->lock);
}

/* ---- cancelling ---- */

void pawl_root_post_cancel(struct root *root) {
    struct loop *loop = atomic_load(&root->loop);
    if (!loop || atomic_exchange(&root->cancel_posted, 1))
        return;
    pawl_root_ref(root); /* given back when the loop has seen it */
    if (!pawl_loop_post(loop, &root->cancel_post))
        pawl_root_unpin(root);
}

static void wake_children(struct root *root);

void pawl_root_wake(struct root *root, struct loop *loop) {
    atomic_store(&root->any_cancelled, 1);
    pthread_mutex_lock(&root->lock);
    run_callbacks(root, false);
    pthread_mutex_unlock(&root->lock);
    wake_children(root);
    struct run *run = loop && loop == atomic_load(&root->loop) ? atomic_load(&root->run) : NULL;
    if (run)
        pawl_waiting_cancel(run);
    else
        pawl_root_post_cancel(root);
}

/* A reference keeps a child in the list; one that is just going is left alone. */
static bool pin(struct root *child) {
    unsigned refs = atomic_load(&child->refs);
    while (refs > 0)
        if (atomic_compare_exchange_weak(&child->refs, &refs, refs + 1))
            return true;
    return false;
}

void pawl_root_unpin(struct root *child) {
    if (!child->on_stack) {
        pawl_root_unref(child);
        return;
    }
    struct root *parent = child->parent;
    pthread_mutex_lock(&parent->lock);
    atomic_fetch_sub(&child->refs, 1);
    pthread_cond_broadcast(&parent->callback_ended);
    pthread_mutex_unlock(&parent->lock);
}

static struct root *pin_next(struct root *root, struct root *after) {
    pthread_mutex_lock(&root->lock);
    struct root *child = after ? after->next : root->children;
    while (child && !(pawl_scope_reason(&child->scope) != PAWL_CANCEL_NONE && pin(child)))
        child = child->next;
    pthread_mutex_unlock(&root->lock);
    return child;
}

/* Child runs and child contexts are cancelled when their own chain of scopes says so. No lock is held while their
 * callbacks run. */
static void wake_children(struct root *root) {
    struct root *child = pin_next(root, NULL);
    while (child) {
        pawl_root_wake(child, NULL);
        struct root *next = pin_next(root, child);
        pawl_root_unpin(child);
        child = next;
    }
}

bool pawl_scope_mark(pawl_context *ctx, pawl_cancel_reason reason, const char *text) {
    struct root *root = ctx->root;
    uint32_t none = 0;
    pthread_mutex_lock(&root->lock);
    if (text && ctx->is_root && !root->cancel_text && !atomic_load(&ctx->cancelled)) {
        size_t length = strnlen(text, 200);
        root->cancel_text = malloc(length + 1); /* without memory the reason alone must do */
        if (root->cancel_text) {
            memcpy(root->cancel_text, text, length);
            root->cancel_text[length] = '\0';
        }
    }
    bool first = atomic_compare_exchange_strong(&ctx->cancelled, &none, (uint32_t)reason);
    pthread_mutex_unlock(&root->lock);
    return first;
}

void pawl_scope_cancel(pawl_context *ctx, pawl_cancel_reason reason, const char *text, struct loop *loop) {
    struct root *root = ctx->root;
    if (!pawl_scope_mark(ctx, reason, text))
        return;
    pawl_root_ref(root); /* a callback may end what keeps it */
    pawl_root_wake(root, loop);
    pawl_root_unpin(root);
}

void pawl_context_cancel(pawl_context *ctx, pawl_cancel_reason reason, const char *text) {
    if (!ctx)
        return;
    while (ctx->transparent)
        ctx = ctx->parent;
    struct loop *own = pawl_driving && pawl_driving == atomic_load(&ctx->root->loop) ? pawl_driving : NULL;
    pawl_scope_cancel(ctx, reason == PAWL_CANCEL_NONE ? PAWL_CANCEL_USER : reason, text, own);
}

pawl_cancel_reason pawl_context_cancelled(const pawl_context *ctx) {
    return pawl_scope_over(ctx, ctx->deadline_ns == PAWL_NEVER ? 0 : pawl_context_now(ctx));
}

pawl_status pawl_context_check(const pawl_context *ctx, pawl_error **err) {
    if (unlikely(!ctx))
        return pawl_context_is_null(err);
    pawl_cancel_reason reason = pawl_context_cancelled(ctx);
    if (reason == PAWL_CANCEL_NONE)
        return PAWL_OK;
    struct pawl_error_info info = {.size = sizeof info, .reason = reason};
    info.status = reason == PAWL_CANCEL_DEADLINE ? PAWL_E_DEADLINE : PAWL_E_CANCELLED;
    const char *text = pawl_scope_cancel_text(ctx);
    if (reason == PAWL_CANCEL_DEADLINE)
        return pawl_error_set_info(err, &info, "the deadline passed");
    return pawl_error_set_info(err, &info, "cancelled (%s)%s%s", pawl_cancel_reason_word(reason), text ? ": " : "",
                               text ? text : "");
}

/* ---- registering ---- */

static void link_registration(struct root *root, pawl_cancel_registration *r) {
    r->next_ = root->callbacks;
    if (root->callbacks)
        root->callbacks->prev_ = r;
    root->callbacks = r;
}

/* The callback may take the registration back and its storage be used anew: not touched after it has run. */
static void register_now(pawl_context *ctx, pawl_cancel_registration *r) {
    struct root *root = ctx->root;
    pthread_mutex_lock(&root->lock);
    r->state_ = REGISTERED;
    link_registration(root, r);
    pawl_cancel_reason reason = pawl_context_cancelled(ctx);
    if (reason != PAWL_CANCEL_NONE)
        run_callback(root, r, reason);
    pthread_mutex_unlock(&root->lock);
}

void pawl_cancel_register(pawl_context *ctx, pawl_cancel_registration *r, pawl_cancel_callback callback, void *user) {
    *r = (pawl_cancel_registration){.ctx_ = ctx, .callback_ = callback, .user_ = user, .state_ = LOOSE};
    register_now(ctx, r);
}

void pawl_cancel_unregister(pawl_cancel_registration *r) {
    struct root *root = r->ctx_->root;
    pthread_mutex_lock(&root->lock);
    if (r->state_ == REGISTERED)
        unlink_registration(root, r);
    r->state_ = LOOSE;
    for (struct firing *f = root->firing; f;) {
        if (f->registration == r && f->thread == this_thread())
            f->registration = NULL; /* nobody waits for it: the storage may be another registration soon */
        if (f->registration == r) {
            pthread_cond_wait(&root->callback_ended, &root->lock);
            f = root->firing;
        } else {
            f = f->next;
        }
    }
    pthread_mutex_unlock(&root->lock);
}

pawl_status pawl_context_on_cancel(pawl_context *ctx, pawl_cancel_registration *registration,
                                   pawl_cancel_callback callback, void *user, pawl_error **err) {
    if (!registration)
        return pawl_error_set(err, PAWL_E_INVALID, "on_cancel: the registration is NULL; pass storage for one");
    *registration = (pawl_cancel_registration){0}; /* may be taken back although it was refused */
    if (!ctx)
        return pawl_context_is_null(err);
    if (!callback)
        return pawl_error_set(err, PAWL_E_INVALID, "on_cancel: the callback is NULL; pass a function to be called");
    *registration = (pawl_cancel_registration){.ctx_ = ctx, .callback_ = callback, .user_ = user, .state_ = LOOSE};
    bool watched =
        ctx->deadline_ns != PAWL_NEVER && !ctx->root->runtime->hooks && pawl_context_cancelled(ctx) == PAWL_CANCEL_NONE;
    pawl_status status = watched ? pawl_watchdog_add(ctx->root->runtime, registration, err) : PAWL_OK;
    if (status == PAWL_OK)
        register_now(ctx, registration);
    return status;
}

void pawl_context_off_cancel(pawl_cancel_registration *registration) {
    if (!registration || !registration->ctx_)
        return;
    pawl_watchdog_remove(registration->ctx_->root->runtime, registration);
    pawl_cancel_unregister(registration);
}
