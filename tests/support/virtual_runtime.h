/* A runtime in virtual time: no thread, no sleep, the order of events by seed, and a call-back at every boundary
 * between two events, so that a test can cancel, or let a deadline pass, at each of them in turn. */
#ifndef VIRTUAL_RUNTIME_H
#define VIRTUAL_RUNTIME_H

#include <pawl/core.h>
#include <pawl/unstable/hooks.h>

/* All zero is a good start: time begins at 0, the oldest event comes first. Must outlive the runtime. */
struct fake_clock {
    uint64_t now_ns;
    uint64_t slept_ns; /* how far waiting has moved the clock, in all */
    uint64_t seed;     /* not 0: which of several ready events comes next is drawn from it */
    size_t boundaries; /* events delivered so far */
    size_t fire_at;    /* calls fire(fire_user) at this boundary, counted from 1; 0 never */
    void (*fire)(void *user);
    void *fire_user;
    bool fired;
    bool (*when_idle)(void *user); /* nothing is ready and no timer runs: make something happen; false: it cannot */
    void *idle_user;
    bool other_threads; /* something may come from another thread; else a run that nothing can end fails the test */
    pawl_runtime_hooks hooks;
};

/* A new runtime driven by time; the test fails without one. */
pawl_runtime *virtual_runtime(struct fake_clock *time);
/* The same, NULL without memory. */
pawl_runtime *virtual_runtime_or_null(struct fake_clock *time);
/* Fails the test unless no run and no frame is alive. */
void expect_nothing_alive(pawl_runtime *runtime);
/* Calls fire(user) at the n-th boundary from now. */
void at_boundary(struct fake_clock *time, size_t n, void (*fire)(void *user), void *user);

/* ---- Sweeps ---- */

/* What is swept. Zero means none or the default. */
struct sweep {
    /* Required. A new pipeline for one run; everything in user starts afresh. */
    pawl_primitive *(*make)(void *user, struct fake_clock *time);
    /* After each run, when its pipeline is gone: what else must hold. */
    void (*check)(void *user, pawl_status status, const struct fake_clock *time);
    void *user;
    pawl_value *input;             /* borrowed */
    bool (*when_idle)(void *user); /* with user */
    const pawl_status *allowed;    /* ends with PAWL_OK; beside the undisturbed status and the action's own */
    uint64_t timeout_ns;           /* of the run's context; default 1,000 hours */
    uint64_t seeds;                /* orders that are tried; default 4, the first is oldest first */
    bool waits_after_action;       /* it may wait after the action; else it must end without time passing */
};

/* What happens at a boundary. */
struct sweep_action {
    void (*act)(pawl_context *ctx, struct fake_clock *time);
    pawl_status gives; /* status it may end the run with */
};
extern const struct sweep_action cancel_the_run;
extern const struct sweep_action pass_the_deadline;

/* Runs it undisturbed to count its boundaries, then once for every boundary with the action there; each time the run
 * must end, nothing be alive, and the status be allowed. Returns the number of boundaries of the undisturbed run. */
size_t for_each_boundary(const struct sweep *sweep, const struct sweep_action *action);
/* Both actions above. */
void sweep_cancel_and_deadline(const struct sweep *sweep);

#endif
