/* Scopes and roots. A scope is what a node sees as its pawl_context; a root is the counted context a user made, which
 * is the outermost scope of one run and holds what all its scopes share. */
#ifndef PAWL_CONTEXT_INTERNAL_H
#define PAWL_CONTEXT_INTERNAL_H

#include <pawl/context.h>
#include <pthread.h>
#include <stdatomic.h>

struct loop;
struct run;
struct root;
struct pawl_span;

/* A message in a loop's inbox; embedded in what it is about. */
struct post {
    struct post *next;
    uint64_t kind; /* enum post_kind */
};

struct pawl_context {
    pawl_context *parent;       /* next scope outward; NULL at the top */
    struct root *root;          /* of the run this scope belongs to */
    struct pawl_span *span;     /* nearest open span; NULL when nothing observes */
    uint64_t deadline_ns;       /* the earliest that counts here, PAWL_NEVER for none */
    _Atomic uint32_t cancelled; /* pawl_cancel_reason; the first wins */
    uint8_t shielded;
    uint8_t transparent; /* made only for a span: cancelling it cancels the scope around it */
    uint16_t is_root;
};

struct state_entry {
    char *key;
    pawl_value *value;
};

#define CHECKPOINTS 256
#define STATE_KEYS 1024
#define METADATA_KEYS 64

struct checkpoint_ring {
    size_t made;
    pawl_checkpoint items[CHECKPOINTS];
};

struct root {
    pawl_context scope; /* first: a root is a pawl_context */
    atomic_uint refs;
    atomic_uint any_cancelled; /* some scope of this root or around it is cancelled: look closer */
    pawl_runtime *runtime;
    _Atomic(struct loop *) loop; /* where its run lives: not NULL while busy */
    _Atomic(struct run *) run;
    struct post cancel_post;
    atomic_uint cancel_posted;

    uint8_t trace_id[16], parent_span_id[8];
    uint8_t trace_flags;
    atomic_bool has_trace_id;
    bool parent_is_remote; /* parent_span_id came from another process */
    atomic_uint observers; /* bit set of those told of this trace, or */
#define UNDECIDED UINT32_MAX
    bool on_stack; /* a child run's root in pawl_run(): never counted */
    char *tracestate;
    char *ids[PAWL_ID_COUNT_];
    struct pawl_baggage *baggage;
    struct pawl_bag *tags;
    struct state_entry *metadata;
    size_t metadata_count;

    pthread_mutex_t lock;                         /* guards what follows, and ids made at their first read */
    struct root *parent, *children, *prev, *next; /* roots of child runs and pawl_context_child() */
    pawl_cancel_registration *callbacks;
    struct firing *firing; /* callbacks that run now */
    pthread_cond_t callback_ended;
    char *cancel_text;
    struct checkpoint_ring *checkpoints;

    pthread_mutex_t state_lock; /* guards the rest; held while a user's pawl_state_update runs */
    struct state_entry *state;
    size_t state_count, state_capacity;
};

/* Where a root comes from; all NULL for one that stands alone. */
struct origin {
    pawl_context *ids;   /* identity is copied from here */
    pawl_context *scope; /* it lives in this scope: its deadline and cancellation count */
    bool on_stack;       /* of a child run: it ends before scope does */
};
/* Prepares a root in the caller's memory. Returns false without memory. */
bool pawl_root_init(struct root *root, pawl_runtime *runtime, const struct origin *origin);
/* Leaves the parent's list; on a stack it waits until no canceller holds the root, and sees what they have posted to
 * the loop its run was on (driven by this thread; NULL none). */
void pawl_root_leave(struct root *root, struct loop *loop);
void pawl_root_finish(struct root *root);
void pawl_root_ref(struct root *root);
void pawl_root_unref(struct root *root);
/* Gives back a reference that a canceller took, also of a root on a stack. */
void pawl_root_unpin(struct root *root);
void pawl_root_make_trace_id(struct root *root);
/* Makes the trace id if there is none yet. */
static inline void pawl_root_need_trace_id(struct root *root) {
    if (__builtin_expect(!atomic_load_explicit(&root->has_trace_id, memory_order_acquire), 0))
        pawl_root_make_trace_id(root);
}

/* What a function says that was given NULL for a context: PAWL_E_INVALID. */
pawl_status pawl_context_is_null(pawl_error **err);
/* Why a scope is over by cancellation alone; no clock. */
pawl_cancel_reason pawl_scope_reason(const pawl_context *ctx);
/* Marks one scope as cancelled, wakes nobody. Returns whether it was not before. */
bool pawl_scope_mark(pawl_context *ctx, pawl_cancel_reason reason, const char *text);
/* Wakes everything beneath scopes of the root that were just marked; loop as for pawl_scope_cancel(). */
void pawl_root_wake(struct root *root, struct loop *loop);
/* Tells the loop of the root's run to look at it; keeps a reference until it has. */
void pawl_root_post_cancel(struct root *root);
/* Cancels one scope and does all the waking; loop is the caller's when it is the run's own thread, else NULL. */
void pawl_scope_cancel(pawl_context *ctx, pawl_cancel_reason reason, const char *text, struct loop *loop);
/* The scope's reason with the deadline counted in, by a given time. */
static inline pawl_cancel_reason pawl_scope_over(const pawl_context *ctx, uint64_t now_ns) {
    if (atomic_load_explicit(&ctx->root->any_cancelled, memory_order_relaxed)) {
        pawl_cancel_reason reason = pawl_scope_reason(ctx);
        if (reason != PAWL_CANCEL_NONE)
            return reason;
    }
    return now_ns >= ctx->deadline_ns ? PAWL_CANCEL_DEADLINE : PAWL_CANCEL_NONE;
}
/* Text given to pawl_context_cancel() on a scope's root or around it; NULL for none. Borrowed, kept until the root
 * goes. */
const char *pawl_scope_cancel_text(const pawl_context *ctx);

/* A callback without the watchdog: for waits that know the deadline themselves. */
void pawl_cancel_register(pawl_context *ctx, pawl_cancel_registration *registration, pawl_cancel_callback callback,
                          void *user);
void pawl_cancel_unregister(pawl_cancel_registration *registration);
/* Calls the callbacks whose scope is over by now, the deadline counted in. */
void pawl_root_run_due_callbacks(struct root *root);

/* Threads that wait for deadlines of cancel callbacks. */
pawl_status pawl_watchdog_add(pawl_runtime *runtime, pawl_cancel_registration *registration, pawl_error **err);
void pawl_watchdog_remove(pawl_runtime *runtime, pawl_cancel_registration *registration);

#endif
