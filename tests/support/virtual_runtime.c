#include "virtual_runtime.h"

#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

#define HOUR PAWL_MIN(60)
#define MOST_BOUNDARIES 10000000u

/* ---- hooks ---- */

static uint64_t now(void *user) {
    const struct fake_clock *time = user;
    return time->now_ns;
}

static bool advance(void *user, uint64_t until_ns) {
    struct fake_clock *time = user;
    if (until_ns != PAWL_NEVER) {
        if (until_ns > time->now_ns) {
            time->slept_ns += until_ns - time->now_ns;
            time->now_ns = until_ns;
        }
        return true;
    }
    if (time->when_idle && time->when_idle(time->idle_user))
        return true;
    if (!time->other_threads)
        fail_msg("nothing is ready, no timer runs, and nobody will ever end this run (boundary %zu)", time->boundaries);
    return false;
}

static void boundary(void *user) {
    struct fake_clock *time = user;
    if (++time->boundaries > MOST_BOUNDARIES)
        fail_msg("a run went on for %u events: does it end?", MOST_BOUNDARIES);
    if (time->boundaries == time->fire_at) {
        time->fired = true;
        time->fire(time->fire_user);
    }
}

/* Source: G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom number generators", 2014 (splitmix64). */
static uint64_t draw(uint64_t *seed) {
    uint64_t z = *seed += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

static size_t pick(void *user, size_t count) {
    struct fake_clock *time = user;
    return time->seed ? draw(&time->seed) % count : 0;
}

pawl_runtime *virtual_runtime_or_null(struct fake_clock *time) {
    time->hooks = (pawl_runtime_hooks){
        .size = sizeof time->hooks, .user = time, .now = now, .advance = advance, .boundary = boundary, .pick = pick};
    return pawl_runtime_with(.seed = 1, .hooks = &time->hooks);
}

pawl_runtime *virtual_runtime(struct fake_clock *time) {
    pawl_runtime *runtime = virtual_runtime_or_null(time);
    assert_non_null(runtime);
    return runtime;
}

void expect_nothing_alive(pawl_runtime *runtime) {
    pawl_runtime_stats stats = {.size = sizeof stats};
    pawl_runtime_get_stats(runtime, &stats);
    assert_int_equal(stats.live_frames, 0);
    assert_int_equal(stats.live_runs, 0);
}

void at_boundary(struct fake_clock *time, size_t n, void (*fire)(void *user), void *user) {
    time->fire_at = time->boundaries + n;
    time->fire = fire;
    time->fire_user = user;
}

/* ---- sweeps ---- */

struct round {
    const struct sweep *sweep;
    const struct sweep_action *action;
    pawl_context *ctx;
    struct fake_clock time;
    uint64_t slept_before_action;
};

static void act(void *user) {
    struct round *round = user;
    round->slept_before_action = round->time.slept_ns;
    round->action->act(round->ctx, &round->time);
}

static pawl_status run_once(struct round *round) {
    const struct sweep *sweep = round->sweep;
    struct fake_clock *time = &round->time;
    time->when_idle = sweep->when_idle;
    time->idle_user = sweep->user;
    pawl_runtime *runtime = virtual_runtime(time);
    pawl_primitive *pipeline = sweep->make(sweep->user, time);
    round->ctx = pawl_context_new(runtime);
    assert_non_null(round->ctx);
    pawl_context_set_timeout(round->ctx, sweep->timeout_ns ? sweep->timeout_ns : 1000 * HOUR, NULL);
    pawl_value *out = NULL;
    pawl_error *err = NULL;
    pawl_status status = pawl_run(pipeline, round->ctx, sweep->input, &out, &err);
    assert_int_equal(pawl_error_status(err), status);
    if (status != PAWL_OK)
        assert_null(out);
    expect_nothing_alive(runtime);
    pawl_value_unref(out);
    pawl_error_unref(err);
    pawl_primitive_unref(pipeline);
    pawl_context_unref(round->ctx);
    pawl_runtime_unref(runtime);
    if (sweep->check)
        sweep->check(sweep->user, status, time);
    return status;
}

static bool is_allowed(const struct sweep *sweep, pawl_status status) {
    for (const pawl_status *allowed = sweep->allowed; allowed && *allowed != PAWL_OK; allowed++)
        if (*allowed == status)
            return true;
    return false;
}

static void expect_good_end(const struct round *round, pawl_status undisturbed, pawl_status status, size_t n) {
    const struct sweep *sweep = round->sweep;
    if (status != undisturbed && status != round->action->gives && !is_allowed(sweep, status))
        fail_msg("boundary %zu: the run gave %s, undisturbed %s", n, pawl_status_name(status),
                 pawl_status_name(undisturbed));
    if (!sweep->waits_after_action && round->time.slept_ns != round->slept_before_action)
        fail_msg("boundary %zu: the run waited for %llu ns more after the action", n,
                 (unsigned long long)(round->time.slept_ns - round->slept_before_action));
}

static size_t sweep_in_one_order(const struct sweep *sweep, const struct sweep_action *action, uint64_t seed) {
    struct round round = {.sweep = sweep, .action = action, .time.seed = seed};
    pawl_status undisturbed = run_once(&round);
    size_t boundaries = round.time.boundaries;
    for (size_t n = 1; n <= boundaries; n++) {
        round = (struct round){.sweep = sweep, .action = action, .time.seed = seed};
        at_boundary(&round.time, n, act, &round);
        pawl_status status = run_once(&round);
        assert_true(round.time.fired);
        expect_good_end(&round, undisturbed, status, n);
    }
    return boundaries;
}

size_t for_each_boundary(const struct sweep *sweep, const struct sweep_action *action) {
    uint64_t seeds = sweep->seeds ? sweep->seeds : 4;
    size_t boundaries = sweep_in_one_order(sweep, action, 0);
    for (uint64_t seed = 1; seed < seeds; seed++)
        sweep_in_one_order(sweep, action, seed);
    return boundaries;
}

static void cancel(pawl_context *ctx, struct fake_clock *time) {
    (void)time;
    pawl_context_cancel(ctx, PAWL_CANCEL_USER, "swept");
}

static void pass(pawl_context *ctx, struct fake_clock *time) {
    if (time->now_ns < pawl_context_deadline(ctx))
        time->now_ns = pawl_context_deadline(ctx);
}

const struct sweep_action cancel_the_run = {.act = cancel, .gives = PAWL_E_CANCELLED};
const struct sweep_action pass_the_deadline = {.act = pass, .gives = PAWL_E_DEADLINE};

void sweep_cancel_and_deadline(const struct sweep *sweep) {
    for_each_boundary(sweep, &cancel_the_run);
    for_each_boundary(sweep, &pass_the_deadline);
}
