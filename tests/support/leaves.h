/* Leaves for tests, and what is expected of a run, each readable as a sentence. Everything given is borrowed and must
 * outlive the node; every node is a new reference. */
#ifndef LEAVES_H
#define LEAVES_H

#include <pawl/core.h>
#include <pawl/op.h>
#include <pawl/unstable/step.h>
#include <stdatomic.h>

/* Passes its input on. */
pawl_primitive *passing(const char *name);
/* Gives a value parsed from JSON, whatever its input; a failed primitive without memory. */
pawl_primitive *constant(const char *name, const char *json);
/* Fails always: "failed on purpose". */
pawl_primitive *failing(const char *name, pawl_status status);
/* Passes its input on and counts its calls. */
pawl_primitive *counting(const char *name, atomic_size_t *calls);

/* Fails failures_left times with code ("flaky: call 3"), then passes its input on. */
struct flaky {
    size_t failures_left;
    pawl_status code;        /* default PAWL_E_UNAVAILABLE */
    uint64_t retry_after_ns; /* carried by its failures */
    atomic_size_t calls;
    pawl_value *seen; /* input of the last call, not counted */
    bool saw_another; /* an input that was not the one before */
};
pawl_primitive *flaky_primitive(struct flaky *flaky);

/* A blocking leaf that waits by pawl_context_sleep(): in virtual time it moves the clock at once. */
pawl_primitive *sleeper(const char *name, uint64_t duration_ns);
/* A node that waits by the loop's timer: several pause at the same time. Passes its input on. */
pawl_primitive *pausing(const char *name, uint64_t duration_ns);

/* ---- Async leaves that the test completes ---- */

enum completes {
    COMPLETES_WHEN_TOLD = 0, /* by complete() */
    COMPLETES_AT_ONCE,       /* inside its start */
    COMPLETES_ON_CANCEL,     /* inside its cancel, with PAWL_E_CANCELLED; else when told */
};

struct manual_op {
    enum completes completes;
    pawl_op op; /* of the last start */
    size_t starts, cancels, destroys;
    pawl_cancel_reason reason; /* told to cancel */
    bool pending;              /* started, not completed */
};
pawl_primitive *manual_primitive(const char *name, struct manual_op *manual);
/* Completes the last start. Whether it was accepted. @param value Taken. */
bool complete(struct manual_op *manual, pawl_status status, pawl_value *value);
/* For struct fake_clock's when_idle: completes the op at user with success if it is pending. */
bool complete_when_idle(void *manual);

/* ---- Combinators ---- */

/* A node made of a step written in the test, called as its type. children: NULL for none. */
pawl_primitive *node_of(const pawl_primitive_vtable *vtable, void *state, pawl_primitive *const *children,
                        uint64_t frame_bytes);

/* Runs all children together, each in its lane; the first failure cancels the others and is the outcome once all have
 * ended; else the values as a list. */
pawl_primitive *joined_new(const char *name, pawl_primitive *const *children);
#define joined(name, ...) joined_new(name, PAWL_CHILDREN(__VA_ARGS__))

/* Runs it once, with a new context and without input. Takes the node. PAWL_E_NOMEM without a context. */
pawl_status run_once(pawl_runtime *runtime, pawl_primitive *node);

/* ---- Expectations: each fails the test ---- */

/* The error has that status, and its description this text in it (NULL any). Releases it. */
void expect_error(pawl_error *err, pawl_status status, const char *part);
/* Runs it with JSON text (NULL: null) and expects this output. */
void expect_output(pawl_primitive *node, pawl_context *ctx, const char *in, const char *out);
/* Runs it and expects that it fails so. */
void expect_failure(pawl_primitive *node, pawl_context *ctx, const char *in, pawl_status status, const char *part);
/* The same, and gives the pipeline back: for one that is made in the call. */
#define expect_output_of(node, ctx, in, out) give_back_after(node, expect_output(made_, ctx, in, out))
#define expect_failure_of(node, ctx, in, status, part)                                                                 \
    give_back_after(node, expect_failure(made_, ctx, in, status, part))
#define give_back_after(node, expectation)                                                                             \
    do {                                                                                                               \
        pawl_primitive *made_ = (node);                                                                                \
        expectation;                                                                                                   \
        pawl_primitive_unref(made_);                                                                                   \
    } while (0)

#endif
