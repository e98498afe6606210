/* Loops, runs and frames. All of it belongs to the thread that drives the loop, except what says otherwise. */
#ifndef PAWL_ENGINE_INTERNAL_H
#define PAWL_ENGINE_INTERNAL_H

#include "attachment_internal.h"
#include "clock_internal.h"
#include "context_internal.h"
#include "primitive_internal.h"
#include "options_internal.h"
#include "random_internal.h"
#include <pawl/observer.h>
#include <pawl/run.h>
#include <pawl/unstable/hooks.h>

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define FRAME_ALIGN 16u
#define OUTCOME_PATH 12

/* How a node ended. On success only status, owned and value are set; a failure without an error object says what it
 * would say. */
struct pawl_outcome {
    pawl_status status;
    bool owned; /* value is a reference of its own, not borrowed from an input above */
    uint8_t failure_class, started, reason;
    pawl_value *value;
    pawl_error *error; /* owned; NULL until somebody looks */
    const char *what;  /* static; "%d" and "%t" stand for amount */
    uint64_t amount, retry_after_ns;
    uint64_t limit_ns;     /* the deadline that ended it, 0 for none */
    struct pawl_frame *at; /* frame that looks at it; NULL after the run */
    uint32_t path_length;
    const pawl_primitive *path[OUTCOME_PATH]; /* failed node first, then outward */
};

struct pawl_event {
    uint32_t kind; /* pawl_event_kind */
    uint32_t lane;
    struct pawl_outcome outcome; /* of CHILD_DONE */
};

enum frame_state {
    FRAME_RUNNING = 0, /* in its step, or its child is directly driven */
    FRAME_CHILDREN,
    FRAME_TIMER,
    FRAME_PARKED,
    FRAME_OP,
    FRAME_JOB,
};

enum pending {
    PENDING_START = 1,
    PENDING_WAKE = 2,
    PENDING_DONE = 4, /* op or job */
    PENDING_TIMER = 8,
    PENDING_OVER = 16,
};

/* 168 bytes: a deep pipeline that sleeps should fit a few cache lines a node. */
struct pawl_frame {
    const pawl_primitive *node;
    pawl_frame *parent;
    struct run *run;
    pawl_context *ctx; /* own, or the parent's */
    pawl_value *input; /* borrowed */
    uint32_t live_children;
    uint32_t lane;
    uint8_t state, pending;
    bool queued : 1, waiting : 1, timed : 1, until_deadline : 1; /* the last: wake_ns is the scope's, not the step's */
    bool own_block : 1, listed : 1, cancel_seen : 1, observed : 1;
    uint64_t wake_ns; /* what the step asked for, or the deadline before it: the key in the timer heap */
    union {           /* a ready frame has no timer */
        struct {
            pawl_frame *ready_prev, *ready_next;
        };
        struct {
            pawl_frame *heap_child, *heap_next, *heap_prev;
        };
    };
    pawl_frame *waiting_prev, *waiting_next;
    pawl_frame *children, *sibling_prev, *sibling_next; /* lanes that are live */
    pawl_context own;
};

/* Result of a leaf that ended elsewhere. */
struct leaf_result {
    pawl_status status;
    pawl_cancel_reason over; /* of its scope, at the moment it ended */
    pawl_value *value;
    pawl_error *error;
};

/* Frame memory of a blocking leaf. */
struct job {
    struct post post;
    pawl_frame *frame;
    struct leaf_result result;
};

/* One async operation; type-stable until the runtime ends. */
struct op_slot {
    struct post post;
    _Atomic uint64_t word; /* generation << 2 | op_state */
    struct loop *loop;
    pawl_frame *frame;
    void *data;
    struct leaf_result result;
    struct op_slot *next;
};
enum op_state { OP_FREE = 0, OP_PENDING, OP_COMPLETING, OP_DONE };

/* Frame memory of an async leaf. */
struct op_frame {
    struct op_slot *slot;
};

enum post_kind { POST_CANCEL = 1, POST_JOB, POST_OP, POST_WAKER, POST_RUN, POST_SHUTDOWN, POST_ADOPT, POST_DETACHABLE };

/* What pawl_run() waits for. */
struct run_result {
    bool done;
    pawl_status status;
    pawl_value *value; /* new reference */
    pawl_error *error; /* new reference */
};

/* One execution; the head of its block, frames follow. */
struct run {
    struct post post; /* POST_RUN: handed to a loop by another thread */
    struct loop *loop;
    struct root *root;
    const pawl_primitive *node;
    pawl_value *input;
    pawl_frame *waiting; /* frames that a cancel must wake */
    struct run *prev, *next;
    uint32_t block_bytes;
    bool observed, owns_refs;  /* node, root and input are counted for a run that outlives its call */
    struct run_result *result; /* of pawl_run(), or */
    pawl_done done;            /* of pawl_submit() and pawl_start() */
    void *user;
    void (*flight_done)(void *user, struct pawl_outcome *outcome); /* of a cache flight */
};

enum driver { DRIVER_CALLER, DRIVER_THREAD, DRIVER_PUMP };

#define BLOCK_CLASSES 12
#define BLOCK_SMALLEST 512u

struct block {
    struct block *next;
};

#define RUN_BYTES ((sizeof(struct run) + FRAME_ALIGN - 1) & ~(size_t)(FRAME_ALIGN - 1)) /* frames start here */

/* A child about to be run: filled by the step functions, read by the trampoline as soon as the step returns. */
struct child_request {
    const pawl_primitive *child;
    pawl_value *input;
    pawl_scope scope;
    bool scoped; /* it has a scope of its own, beside what is observed */
};

struct pawl_http_loop;

struct loop {
    pawl_runtime *runtime;
    struct child_request request;
    bool clock_is_fresh; /* no code of the user's has run since now_ns was read: a span may start where the last one
                            ended */
    uint64_t now_ns;     /* coarse: refreshed at waits, after blocking leaves and every so many steps */
    struct pawl_clock_copy clock_copy;
    uint32_t steps;
    uint8_t driver;
    _Atomic(struct root *) leaf_root; /* of the run whose blocking leaf runs on the driving thread */
    pawl_frame *ready_head, *ready_tail;
    size_t ready_count;
    pawl_frame *timers;
    struct run *runs;
    _Atomic size_t live_runs, live_frames; /* written by the driving thread alone */
    struct pawl_random random;
    uint64_t last_span_id; /* observe_internal.h */
    pawl_span *left_span;  /* of the last leaf, while its memory is as it left it and it was not described */
    struct block *blocks[BLOCK_CLASSES];
    uint32_t block_counts[BLOCK_CLASSES];
    struct op_slot *free_ops;
    size_t ops_made, ops_reserved;
    struct pawl_http_loop *http;

    _Atomic(struct post *) inbox; /* any thread pushes */
    atomic_uint sleeping;         /* the driver waits, or is away: write to wake_fd */
    int wake_fd, poll_fd;
    struct loop *next; /* in the runtime's list of idle loops */
    struct post shutdown_post, adopt_post;
};

#define OBSERVERS 8
#define LEASE_SLOTS 8

struct observer {
    pawl_observer_vtable vtable;
    void *self;
};

/* Those observers that are told of something about spans. */
struct span_call {
    void (*fn)(void *self, const pawl_span *span);
    void *self;
    uint32_t bit, reserved; /* of the observer */
};
struct span_calls {
    struct span_call items[OBSERVERS];
    atomic_size_t count; /* none after the shutdown */
};

struct pool;
struct watchdog;

#define LOOPS 4096
#define LOOP_THREADS 64
#define EVENTS_PER_TURN 1024 /* then timers and sockets get their turn */
#define IDLE_MULTIS 16

struct pawl_runtime {
    atomic_uint refs;         /* users */
    atomic_uint holds;        /* of the memory: the users together count one, each context one */
    volatile uint64_t *alive; /* in a page that a fork wipes: [0] is not zero here, [1] is the seed */
    const pawl_runtime_hooks *hooks;
    _Atomic int64_t wall_offset_ns; /* wall_clock.c */
    pawl_runtime_options options;
    char *helper_path;
    _Atomic(struct pawl_redactor *) redactor; /* redact.c; NULL until something is said about secrets */
    struct observer observers[OBSERVERS];
    atomic_size_t observer_count;                             /* fixed from the first run to the shutdown */
    struct span_calls span_starts, instant_starts, span_ends; /* instants: inline leaves run alone by another node */
    bool samplers, measurers, loggers;                        /* whether an observer has that slot */
    atomic_uint propagation;                                  /* PAWL_PROPAGATE_* */
    atomic_bool records_content;
    atomic_uint started; /* a loop was leased: observers are fixed */
    atomic_uint closing;
    _Atomic(struct loop *) leased[LEASE_SLOTS]; /* idle loops, one for a few threads each */
    atomic_ullong refused_completions, abandoned;
    _Atomic(struct pawl_attachment *) attachments;
    pthread_mutex_t lock; /* guards the rest */
    pthread_cond_t changed;
    struct loop *idle; /* further idle loops */
    size_t caller_loops;
    struct loop **loops; /* every loop made */
    size_t loop_count, loop_capacity;
    struct loop *thread_loops[LOOP_THREADS];
    pthread_t threads[LOOP_THREADS];
    size_t thread_count, next_thread;
    struct loop *embedded;
    atomic_uint pumping;
    struct pawl_random random;
    struct pool *pool;
    struct watchdog *watchdog;
    void *idle_multis[IDLE_MULTIS]; /* of pawl_context_curl_perform(), with warm connections */
    size_t idle_multi_count;
    bool closed, ended; /* shutdown has begun; is over */
    struct pawl_clock clock;
};

/* The loop this thread drives now; NULL for none. */
extern _Thread_local struct loop *pawl_driving __attribute__((tls_model("initial-exec")));
/* The context of the blocking leaf this thread runs now; NULL for none. */
extern _Thread_local pawl_context *pawl_leaf_context __attribute__((tls_model("initial-exec")));
/* How many cancel callbacks this thread is inside of. */
extern _Thread_local unsigned pawl_cancel_callbacks __attribute__((tls_model("initial-exec")));

/* ---- runtime.c, runtime_loops.c, runtime_shutdown.c ---- */
static inline uint64_t pawl_runtime_now(pawl_runtime *runtime) {
    const pawl_runtime_hooks *hooks = runtime->hooks;
    return unlikely(hooks != NULL) ? hooks->now(hooks->user) : pawl_clock_read(&runtime->clock);
}
bool pawl_runtime_is_usable(const pawl_runtime *runtime, pawl_error **err);
static inline bool pawl_runtime_is_forked(const pawl_runtime *runtime) {
    return runtime->alive[0] == 0;
}
/* Whether this thread is in a leaf or a callback, where waiting for the end of runs would wait for itself. */
static inline bool pawl_is_inside(void) {
    return pawl_driving || pawl_leaf_context || pawl_cancel_callbacks;
}
/* @return Each loop that was ever made, NULL after the last. */
struct loop *pawl_runtime_loop_at(pawl_runtime *runtime, size_t index);
struct loop *pawl_runtime_lease(pawl_runtime *runtime, pawl_error **err);
void pawl_runtime_give_back(struct loop *loop);
struct loop *pawl_runtime_thread_loop(pawl_runtime *runtime, pawl_error **err);
struct loop *pawl_runtime_embedded(pawl_runtime *runtime, pawl_error **err);
uint64_t pawl_runtime_random(pawl_runtime *runtime);
/* Posts a new run; false once the runtime is being shut down. */
bool pawl_runtime_post_run(struct loop *loop, struct post *post);
/* The leaf of loop->leaf_root has returned. */
void pawl_runtime_leave_leaf(struct loop *loop, struct root *root);
/* Starts a thread that takes none of the process's signals. 0 or an errno. */
int pawl_thread_start(pthread_t *thread, void *(*body)(void *user), void *user);
void pawl_runtime_hold(pawl_runtime *runtime);
void pawl_runtime_release(pawl_runtime *runtime);

/* ---- loop.c: inbox, ready queue, blocks, turning and sleeping ---- */
struct loop *pawl_loop_new(pawl_runtime *runtime, uint64_t seed);
void pawl_loop_free(struct loop *loop);
bool pawl_loop_post(struct loop *loop, struct post *post); /* any thread; false once the loop is closed */
void pawl_loop_drain(struct loop *loop);                   /* takes in what was posted */
void pawl_loop_close(struct loop *loop);                   /* the last drain: nothing can be posted any more */
void pawl_loop_wake(struct loop *loop);                    /* any thread */
void pawl_loop_empty_bell(struct loop *loop);
void *pawl_loop_take_block(struct loop *loop, size_t bytes);
void pawl_loop_give_block(struct loop *loop, void *block, size_t bytes);
/* Does what is ready, at most `most` events. */
void pawl_loop_turn(struct loop *loop, size_t most);
/* Sleeps until a timer, a post or a descriptor. */
void pawl_loop_sleep(struct loop *loop);
uint64_t pawl_loop_next_timer(const struct loop *loop);
static inline bool pawl_loop_has_work(struct loop *loop) {
    return atomic_load_explicit(&loop->live_runs, memory_order_relaxed) > 0 || atomic_load(&loop->inbox);
}
static inline uint64_t pawl_loop_read_clock(struct loop *loop) {
    const pawl_runtime_hooks *hooks = loop->runtime->hooks;
    if (unlikely(hooks != NULL))
        return loop->now_ns = hooks->now(hooks->user);
    uint64_t now = pawl_clock_read_here(&loop->runtime->clock, &loop->clock_copy);
    return loop->now_ns = now > loop->now_ns ? now : loop->now_ns;
}
void pawl_loop_push_ready(struct loop *loop, pawl_frame *frame);
void pawl_loop_drop_ready(struct loop *loop, pawl_frame *frame);
bool pawl_loop_reserve_ops(struct loop *loop, size_t count);

/* ---- timers.c: an intrusive pairing heap of frames ---- */
pawl_frame *pawl_timers_add(pawl_frame *heap, pawl_frame *frame);
pawl_frame *pawl_timers_remove(pawl_frame *heap, pawl_frame *frame);

/* ---- engine.c ---- */
/* Starts the run's first frame and drives it as far as it goes. */
void pawl_engine_begin(struct run *run);
/* The same with one of the loop's next events. */
void pawl_engine_begin_later(struct run *run);
/* Delivers one ready frame's event. */
void pawl_engine_dispatch(struct loop *loop, pawl_frame *frame);
enum { STEP_RUN = 1, STEP_WAIT, STEP_FINISH };

/* ---- waiting.c ---- */
static inline bool pawl_takes_cancel(const pawl_frame *frame) {
    return frame->node->kind == NODE_STEP && frame->node->vtable->wants_cancel;
}
static inline bool pawl_takes_cancel_above_children(const pawl_frame *frame) {
    return frame->node->vtable->wants_cancel == PAWL_WANTS_CANCEL_ALWAYS;
}
/* Live children of a step that does not ask for CANCEL end by themselves and bring it back to life. */
static inline bool pawl_waiting_hears_of_the_end(const pawl_frame *frame) {
    return !frame->cancel_seen && (frame->live_children == 0 || pawl_takes_cancel(frame));
}
/* The frame waits in the state its step or leaf has set; what came in the meantime is queued at once. */
void pawl_waiting_start(struct loop *loop, pawl_frame *frame);
/* Takes it out of every list it is in. Pending events stay marked. */
void pawl_waiting_end(struct loop *loop, pawl_frame *frame);
/* Sets its timer, unless it is ready anyway. */
void pawl_waiting_arm(struct loop *loop, pawl_frame *frame);
/* Wakes the waiting frames of a run whose scope is over. */
void pawl_waiting_cancel(struct run *run);
/* Marks an event for a frame and queues it. */
void pawl_waiting_signal(pawl_frame *frame, uint8_t pending);

/* ---- leaf.c: the three kinds of leaf ---- */
/* Runs or starts a leaf that is not inline in its frame; true: it ended, the outcome is in event. */
bool pawl_leaf_begin(struct loop *loop, pawl_frame *frame, pawl_event *event);
/* Its result has arrived. */
void pawl_leaf_end(struct loop *loop, pawl_frame *frame, pawl_event *event);
/* Its scope is over. */
void pawl_leaf_cancel(struct loop *loop, pawl_frame *frame);
/* Of an inline leaf that did more than succeed. */
void pawl_leaf_inline_outcome(struct loop *loop, const pawl_primitive *node, pawl_context *ctx, pawl_value *input,
                              struct leaf_result *result, struct pawl_outcome *ret_outcome);
void pawl_leaf_outcome(struct loop *loop, pawl_context *ctx, const pawl_primitive *node, struct leaf_result *result,
                       struct pawl_outcome *ret_outcome);

/* ---- abandon.c: leaves that may outlive their scope ---- */
bool pawl_abandonable_begin(struct loop *loop, pawl_frame *frame, pawl_event *event);
void pawl_abandonable_run(struct post *post);   /* on the pool's thread */
void pawl_abandonable_ended(struct post *post); /* the inbox has it */
void pawl_abandonable_end(struct loop *loop, pawl_frame *frame, pawl_event *event);
/* Its scope is over: cancels it and sets the frame's wake_ns to the end of its grace. */
void pawl_abandonable_cancel(struct loop *loop, pawl_frame *frame);
/* The grace is over: the frame ends without it, unless it has just ended. */
bool pawl_abandonable_leave(struct loop *loop, pawl_frame *frame, pawl_event *event);

/* ---- run.c ---- */
void pawl_engine_end_run(struct run *run, struct pawl_outcome *outcome);
void pawl_engine_accept_run(struct loop *loop, struct run *run);
/* A run beside others (a cache flight), made on the thread that drives the loop and not begun: NULL without memory. It
 * holds node, input and root; the root must have no other run. done is called on the thread that drives the loop then.
 */
struct run *pawl_engine_new_flight(struct loop *loop, const pawl_primitive *node, struct root *root, pawl_value *input,
                                   void (*done)(void *user, struct pawl_outcome *outcome), void *user);
/* From now on it counts as live; it begins with one of the loop's next events. On the same thread. */
void pawl_engine_begin_flight(struct run *run);
/* Gives one back that was not begun; done is not called. On the same thread. */
void pawl_engine_drop_flight(struct run *run);

/* ---- outcome.c ---- */
void pawl_outcome_release(struct pawl_outcome *outcome);
void pawl_outcome_fail(struct pawl_outcome *outcome, const pawl_primitive *node, pawl_status status, const char *what);
/* Of a failed one whose status came from outside: an unknown number becomes PAWL_E_INTERNAL, and is told. */
void pawl_outcome_check_status(struct pawl_outcome *outcome);
/* The failure of a scope that is over. */
void pawl_outcome_fail_over(struct pawl_outcome *outcome, const pawl_primitive *node, const pawl_context *ctx,
                            pawl_cancel_reason reason, pawl_error *cause);
/* Makes the error at once, with a cause (taken). */
void pawl_outcome_set_cause(struct pawl_outcome *outcome, pawl_error *cause);
void pawl_outcome_passed(struct pawl_outcome *outcome, const pawl_primitive *node);

/* ---- pool.c: threads for blocking leaves ---- */
void pawl_job_run(struct job *job);                                      /* leaf.c: on the pool's thread */
pawl_status pawl_pool_enqueue(pawl_runtime *runtime, struct post *task); /* POST_JOB, POST_DETACHABLE */
/* Takes a job back that no thread has begun. Whether it did. */
bool pawl_pool_withdraw(pawl_runtime *runtime, struct job *job);
/* A thread of a pool that waits for a run of its own does not count against the bound; for other threads nothing
 * happens. */
void pawl_pool_lend_thread(void);
void pawl_pool_take_thread_back(void);
/* Drives a loop that its caller left with live runs (cache flights) until it has none. */
pawl_status pawl_pool_adopt(pawl_runtime *runtime, struct loop *loop);
void pawl_pool_stop(struct pool *pool);
void pawl_pool_free(struct pool *pool);
struct pool *pawl_pool_new(pawl_runtime *runtime);
void pawl_pool_stats(struct pool *pool, pawl_runtime_stats *stats);

/* ---- sampling.c ---- */
/* Bit set of the observers that are told of the root's trace; node is what is about to run. Any thread. */
uint32_t pawl_sampling_decide(struct root *root, const pawl_primitive *node);
static inline uint32_t pawl_sampling_of(struct root *root, const pawl_primitive *node) {
    uint32_t observers = atomic_load_explicit(&root->observers, memory_order_acquire);
    if (likely(observers != UNDECIDED))
        return observers;
    return pawl_sampling_decide(root, node);
}

/* ---- watchdog.c ---- */
void pawl_watchdog_stop(struct watchdog *watchdog);
void pawl_watchdog_free(struct watchdog *watchdog);

/* ---- http_curl.c, http_perform.c ---- */
void pawl_http_free_multis(pawl_runtime *runtime);
void pawl_http_loop_free(struct pawl_http_loop *http);
/* Absolute time of the next timer of its transfers, PAWL_NEVER for none. */
uint64_t pawl_http_loop_timer(const struct pawl_http_loop *http);
/* Handles sockets that are ready and timers that are due. */
void pawl_http_loop_turn(struct pawl_http_loop *http, uint64_t now_ns);

/* ---- the step interface, inline for the library's own primitives: what runs on every step must not be a call ---- */

static inline void pawl_outcome_drop(struct pawl_outcome *outcome) {
    if (unlikely(outcome->status != PAWL_OK || outcome->owned))
        pawl_outcome_release(outcome);
}

static inline void pawl_request_scope(struct child_request *request, const pawl_scope *scope) {
    request->scope = *scope;
    if (request->scope.attribute && !*request->scope.attribute)
        request->scope.attribute = NULL; /* a collector may refuse all that comes with an attribute without a key */
}

static inline pawl_step pawl_step_run_inline(pawl_frame *frame, const pawl_primitive *child, pawl_value *input,
                                             const pawl_scope *scope) {
    struct child_request *request = &frame->run->loop->request;
    request->child = child;
    request->input = input;
    request->scoped = scope != NULL;
    request->scope.attribute = NULL;
    if (unlikely(scope != NULL))
        pawl_request_scope(request, scope);
    return (pawl_step){STEP_RUN};
}

/* A child whose span has a number, and that has no scope of its own. */
static inline pawl_step pawl_step_run_numbered(pawl_frame *frame, const pawl_primitive *child, pawl_value *input,
                                               const char *attribute, int64_t number) {
    struct child_request *request = &frame->run->loop->request;
    request->child = child;
    request->input = input;
    request->scoped = false;
    request->scope.attribute = attribute;
    request->scope.attribute_value = number;
    return (pawl_step){STEP_RUN};
}

static inline pawl_step pawl_step_finish_inline(pawl_frame *frame, pawl_event *event) {
    if (unlikely(event->outcome.status != PAWL_OK))
        pawl_outcome_passed(&event->outcome, frame->node);
    return (pawl_step){STEP_FINISH};
}

#define pawl_event_kind_of(event) ((pawl_event_kind)(event)->kind)
#define pawl_event_outcome(event) (&(event)->outcome) /* the library asks it of a CHILD_DONE alone */
#define pawl_frame_memory(frame) ((void *)((frame) + 1))
#define pawl_frame_input(frame) ((frame)->input)
#define pawl_frame_context(frame) ((frame)->ctx)
#define pawl_frame_node(frame) ((frame)->node)
#define pawl_outcome_status(outcome) ((outcome)->status)
#define pawl_outcome_value(outcome) ((outcome)->status == PAWL_OK ? (outcome)->value : NULL)
#define pawl_context_is_observed(ctx) ((ctx)->span != NULL)
#define pawl_step_run(frame, child, input, scope) pawl_step_run_inline(frame, child, input, scope)
#define pawl_step_finish(frame, event) pawl_step_finish_inline(frame, event)

static inline void counter_add(_Atomic size_t *counter, size_t by) { /* single writer */
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + by, memory_order_relaxed);
}

#endif
