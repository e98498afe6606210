/** @file pawl/unstable/step.h  @brief Unstable until all built-in primitives have proved it: how a combinator is
 * written.
 *
 * A combinator is a step function. The engine calls it with an event; it answers with what to do next, made by one of
 * the pawl_step_* functions below and returned at once. It never blocks, never allocates after START, and keeps all
 * that changes in its frame memory, which the engine zeroes before START. See docs/how-to-write-a-primitive.md.
 *
 * All functions here are called from inside step(), on the loop's thread, unless said otherwise.
 */
#ifndef PAWL_UNSTABLE_STEP_H
#define PAWL_UNSTABLE_STEP_H

#include <pawl/primitive.h>

PAWL_BEGIN_DECLS

typedef struct pawl_frame pawl_frame;
typedef struct pawl_event pawl_event;

typedef enum pawl_event_kind {
    PAWL_EVENT_START = 0,  /**< First event of a frame. */
    PAWL_EVENT_CHILD_DONE, /**< A child ended; its outcome is in the event. */
    PAWL_EVENT_TIMER,      /**< The wait is over. */
    PAWL_EVENT_WAKE,       /**< pawl_waker_wake() was called. */
    PAWL_EVENT_CANCEL,     /**< The scope is over; only as the vtable wants it, once. */
} pawl_event_kind;

/** Answer of a step; made only by the functions below. */
typedef struct pawl_step {
    uint32_t kind;
} pawl_step;

/** When a step is told, by CANCEL, that its scope is over. */
typedef enum pawl_wants_cancel {
    PAWL_WANTS_CANCEL_NEVER =
        0, /**< The engine ends a frame that waits for a time or is parked; children end by themselves. */
    PAWL_WANTS_CANCEL_IN_WAITS, /**< While it waits for a time or is parked: it must end what it holds. */
    PAWL_WANTS_CANCEL_ALWAYS,   /**< Also while its children run. */
} pawl_wants_cancel;

typedef struct pawl_primitive_vtable {
    size_t size;           /**< sizeof(pawl_primitive_vtable). */
    const char *type_name; /**< Copied. NULL or "": "primitive". */
    /** Required. Reads the event only during the call. @param state Of the primitive, immutable or guarded by itself.
     */
    pawl_step (*step)(const void *state, pawl_frame *frame, pawl_event *event);
    /** Optional. Once, when the last reference goes: releases what state owns, then state itself. Children are the
     * engine's to release. */
    void (*destroy)(void *state);
    uint64_t wants_cancel; /**< pawl_wants_cancel. */
} pawl_primitive_vtable;

/** How to make a primitive. */
typedef struct pawl_primitive_spec {
    size_t size;                         /**< sizeof(pawl_primitive_spec). */
    const pawl_primitive_vtable *vtable; /**< Borrowed, must outlive the primitive. */
    const char *name;                    /**< Copied. */
    void *state;                         /**< Taken, also on failure: destroy is called. */
    pawl_primitive *const
        *children;        /**< Each taken; ends with PAWL_END; NULL for none. A NULL child fails the primitive. */
    uint64_t frame_bytes; /**< Of the step's own frame memory. */
    uint64_t lanes; /**< How many children pawl_frame_start() may have running together; lane i runs any child. 0: it is
                       never called, children run one at a time by pawl_step_run() (or in blocks of their own). */
    pawl_error *failure; /**< Taken. Not NULL: makes a failed primitive that reports it. */
} pawl_primitive_spec;

/** @return New reference, never NULL: a failed primitive when spec says so, a child failed or is NULL, the name is
 * NULL, empty, longer than 255 bytes, no UTF-8 or has a control character in it, there is no memory. Any thread. */
PAWL_API PAWL_NODISCARD pawl_primitive *pawl_primitive_new(const pawl_primitive_spec *spec);

/* ---- Reading ---- */

PAWL_API pawl_event_kind pawl_event_kind_of(const pawl_event *event);
/** @return Lane of the child that ended; 0 for pawl_step_run(). */
PAWL_API size_t pawl_event_lane(const pawl_event *event);
/** @return Outcome of a CHILD_DONE, the engine's until the step returns; NULL for other events. */
PAWL_API pawl_outcome *pawl_event_outcome(pawl_event *event);
/** @return New reference to the value of a successful outcome (moved out when the outcome owned it), NULL when it
 * failed. */
PAWL_API PAWL_NODISCARD pawl_value *pawl_outcome_take_value(pawl_outcome *outcome);
/** @return New reference to the error of a failed outcome, never NULL for one; NULL for success. */
PAWL_API PAWL_NODISCARD pawl_error *pawl_outcome_take_error(pawl_outcome *outcome);

/** @return The frame's own memory, frame_bytes long, aligned for pointers and 64-bit numbers. */
PAWL_API void *pawl_frame_memory(pawl_frame *frame);
/** @return Borrowed input of the node, alive until it ends. */
PAWL_API pawl_value *pawl_frame_input(pawl_frame *frame);
/** @return Borrowed scope of the node. */
PAWL_API pawl_context *pawl_frame_context(pawl_frame *frame);
/** @return The node this frame runs. */
PAWL_API const pawl_primitive *pawl_frame_node(pawl_frame *frame);
PAWL_API uint64_t pawl_frame_now(pawl_frame *frame); /**< Reads the clock. */

/* ---- Children ---- */

/** A scope for one child. Zero means "as the frame's own". */
typedef struct pawl_scope {
    size_t size;           /**< sizeof(pawl_scope). */
    uint64_t deadline_ns;  /**< Absolute; 0 none. It can only shorten, except for a shielded scope. */
    uint64_t shielded;     /**< Not 0: outer cancellation and deadline are not seen. */
    const char *attribute; /**< A string literal, e.g. "pawl.attempt": key of an int attribute of the child's span. It
                                must live as long as the runtime, until all was exported; NULL or "" none. */
    int64_t attribute_value;
} pawl_scope;

/** Runs one child; CHILD_DONE follows. @param child Of this primitive, alive as long as it. @param input Borrowed from
 * the frame until CHILD_DONE. @param scope NULL for the frame's own. */
PAWL_API pawl_step pawl_step_run(pawl_frame *frame, const pawl_primitive *child, pawl_value *input,
                                 const pawl_scope *scope);
/** Starts a child in a lane of its own (it runs after this step has returned). A lane is free again after its
 * CHILD_DONE. */
PAWL_API void pawl_frame_start(pawl_frame *frame, size_t lane, const pawl_primitive *child, pawl_value *input,
                               const pawl_scope *scope);
/**
 * The same for a fan-out known only at run time: takes a further block. The caller bounds how many run together.
 * @return PAWL_OK or PAWL_E_NOMEM (nothing started).
 */
PAWL_API pawl_status pawl_frame_start_block(pawl_frame *frame, size_t lane, const pawl_primitive *child,
                                            pawl_value *input, const pawl_scope *scope);
/** @return Number of children that have started and not ended. */
PAWL_API size_t pawl_frame_live_children(const pawl_frame *frame);
/** Cancels all live children; each still gives its CHILD_DONE. */
PAWL_API void pawl_frame_cancel_children(pawl_frame *frame, pawl_cancel_reason reason);
/** Cancels the child in one lane. */
PAWL_API void pawl_frame_cancel_lane(pawl_frame *frame, size_t lane, pawl_cancel_reason reason);
/** @return Whether the frame's own scope is over: its reason, or PAWL_CANCEL_DEADLINE by the loop's clock. */
PAWL_API pawl_cancel_reason pawl_frame_cancelled(pawl_frame *frame);

/* ---- Answers ---- */

/** Waits for the next CHILD_DONE (or CANCEL). At least one child must be live. */
PAWL_API pawl_step pawl_step_wait_children(pawl_frame *frame);
/** Waits for a time; TIMER follows. The engine ends the frame instead when its scope ends first. No child may be live.
 */
PAWL_API pawl_step pawl_step_wait(pawl_frame *frame, uint64_t duration_ns);
/** Waits for pawl_waker_wake(), or for until_ns (PAWL_NEVER: without limit): WAKE or TIMER follows. Children may be
 * live: CHILD_DONE comes too. */
PAWL_API pawl_step pawl_step_park(pawl_frame *frame, uint64_t until_ns);
/** Ends the frame with the outcome of the event, moved on to the parent. Live children are not allowed. */
PAWL_API pawl_step pawl_step_finish(pawl_frame *frame, pawl_event *event);
/** Ends the frame with success. @param value Taken; NULL: the frame's input passes on. */
PAWL_API pawl_step pawl_step_succeed(pawl_frame *frame, pawl_event *event, pawl_value *value);

/** A failure without allocation; the pawl_error object is made when somebody looks. */
typedef struct pawl_failure {
    size_t size; /**< sizeof(pawl_failure). */
    pawl_status status;
    pawl_class failure_class;
    const char *
        what; /**< Static sentence; at most one "%d" is replaced by the amount, one "%t" by the amount as a duration. */
    uint64_t amount;
    uint64_t retry_after_ns;
    pawl_error *cause; /**< Taken; NULL none. */
} pawl_failure;
/** Ends the frame with a failure. @param failure Copied; its cause is taken. */
PAWL_API pawl_step pawl_step_fail(pawl_frame *frame, pawl_event *event, const pawl_failure *failure);
/** Ends the frame with an error made by the primitive. @param error Taken, not NULL. */
PAWL_API pawl_step pawl_step_fail_with(pawl_frame *frame, pawl_event *event, pawl_error *error);
/** Ends the frame because its scope is over: PAWL_E_CANCELLED or PAWL_E_DEADLINE. @param cause Taken; NULL none. */
PAWL_API pawl_step pawl_step_fail_over(pawl_frame *frame, pawl_event *event, pawl_error *cause);

/* ---- Waking a parked frame from elsewhere ---- */

/** Lives in the frame memory of the frame that parks. Private fields. */
typedef struct pawl_waker {
    void *next_;
    uint64_t kind_;
    pawl_frame *frame_;
} pawl_waker;

/** Binds the waker to the frame; before it is shown to other threads. */
PAWL_API void pawl_waker_init(pawl_waker *waker, pawl_frame *frame);
/** Any thread. WAKE is delivered to the frame; at most once between two WAKEs. Once called, the frame must not end
 * before it got its WAKE. */
PAWL_API void pawl_waker_wake(pawl_waker *waker);

/* ---- Attributes of the frame's own span ---- */
PAWL_API void pawl_frame_set_int(pawl_frame *frame, const char *key, int64_t number);
PAWL_API void pawl_frame_set_string(pawl_frame *frame, const char *key, const char *text);

PAWL_END_DECLS
#endif
