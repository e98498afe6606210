#include "probe.h"

#include <pawl/primitives/function.h>
#include <pawl/primitives/retry.h>
#include <pawl/primitives/sequential.h>
#include <pawl/primitives/timeout.h>
#include <pawl/run.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CLAIM(name) static void name(void **state)

/* ---- options ---- */

CLAIM(refuses_a_base_over_the_bound) {
    (void)state;
    expect_broken(pawl_retry("again", passing("a"), .base_delay_ns = PAWL_S(20)), PAWL_E_INVALID,
                  "again: retry 'again': base delay 20 s is over max delay 10 s; raise max_delay_ns");
    expect_broken(pawl_retry("again", passing("a"), .max_delay_ns = PAWL_MS(1)), PAWL_E_INVALID, "base delay 0.1 s");
}

CLAIM(refuses_a_least_wait_over_the_bound) {
    (void)state;
    expect_broken(pawl_retry("again", passing("a"), .min_delay_ns = PAWL_S(11)), PAWL_E_INVALID,
                  "min delay 11 s is over max delay 10 s");
}

CLAIM(refuses_a_jitter_that_is_none) {
    (void)state;
    expect_broken(pawl_retry("again", passing("a"), .jitter = 3), PAWL_E_INVALID, "jitter 3 is none of pawl_jitter");
}

CLAIM(refuses_zero_attempts) {
    (void)state;
    expect_broken(pawl_retry("again", passing("a"), .max_attempts = PAWL_ZERO), PAWL_E_INVALID,
                  "max_attempts counts the first try");
}

CLAIM(refuses_a_null_child) {
    (void)state;
    expect_broken(pawl_retry("again", NULL, .max_attempts = 2), PAWL_E_INVALID, "child 1 is NULL");
}

CLAIM(refuses_options_it_does_not_know) {
    (void)state;
    struct {
        pawl_retry_options known;
        uint64_t unknown;
    } options = {.known.size = sizeof options, .unknown = 1};
    expect_broken(pawl_retry_new("again", passing("a"), &options.known), PAWL_E_INVALID, "does not know");
    options.known.size = 7;
    expect_broken(pawl_retry_new("again", passing("a"), &options.known), PAWL_E_INVALID, "options.size is 7");
    options.known.size = 16; /* an older caller: only max_attempts was known */
    options.known.max_attempts = 1;
    give_back_after(pawl_retry_new("again", passing("a"), &options.known), sound(made_));
    give_back_after(pawl_retry_new("again", passing("a"), NULL), sound(made_));
}

/* ---- how often ---- */

CLAIM(tries_three_times_unless_told) {
    (void)state;
    struct bed bed;
    make_bed(&bed);
    struct probe probe = probe_in(&bed);
    expect_failure_of(
        pawl_retry_new("again", probing(&probe), NULL), bed.ctx, NULL, PAWL_E_EXHAUSTED,
        "again: retry 'again': all 3 attempts failed; see the cause; caused by: again/probe: probe: call 3");
    assert_int_equal(probe.calls, 3);
    clear_bed(&bed);
}

CLAIM(one_attempt_is_no_retry) {
    (void)state;
    struct bed bed;
    make_bed(&bed);
    struct probe probe = probe_in(&bed);
    expect_failure_of(pawl_retry("again", probing(&probe), .max_attempts = 1), bed.ctx, NULL, PAWL_E_EXHAUSTED,
                      "all 1 attempts failed");
    assert_int_equal(probe.calls, 1);
    assert_int_equal(bed.time.slept_ns, 0);
    clear_bed(&bed);
}

CLAIM(gives_the_first_success) {
    (void)state;
    struct bed bed;
    make_bed(&bed);
    struct flaky flaky = {.failures_left = 2};
    expect_output_of(pawl_retry_new("again", flaky_primitive(&flaky), NULL), bed.ctx, "[1]", "[1]");
    assert_int_equal(flaky.calls, 3);
    clear_bed(&bed);
}

CLAIM(without_a_bound_it_goes_on) {
    (void)state;
    struct bed bed;
    make_bed(&bed);
    struct flaky flaky = {.failures_left = 1000};
    expect_output_of(pawl_retry("again", flaky_primitive(&flaky), .max_attempts = PAWL_UNLIMITED), bed.ctx, "1", "1");
    assert_int_equal(flaky.calls, 1001);
    clear_bed(&bed);
}

CLAIM(does_not_repeat_what_would_fail_again) {
    (void)state;
    const pawl_status permanent[] = {PAWL_E_FAILED,    PAWL_E_INVALID,  PAWL_E_DENIED,      PAWL_E_NOT_FOUND,
                                     PAWL_E_LIMIT,     PAWL_E_NOMEM,    PAWL_E_UNSUPPORTED, PAWL_E_INTERNAL,
                                     PAWL_E_CANCELLED, PAWL_E_DEADLINE, PAWL_E_EXHAUSTED};
    struct bed bed;
    make_bed(&bed);
    for (size_t i = 0; i < sizeof permanent / sizeof *permanent; i++) {
        struct probe probe = probe_in(&bed);
        probe.code = permanent[i];
        expect_failure_of(pawl_retry_new("again", probing(&probe), NULL), bed.ctx, NULL, permanent[i],
                          "again/probe: probe: call 1");
        assert_int_equal(probe.calls, 1);
    }
    clear_bed(&bed);
}

CLAIM(repeats_what_may_pass) {
    (void)state;
    const pawl_status transient[] = {PAWL_E_UNAVAILABLE, PAWL_E_RATE_LIMITED, PAWL_E_TIMEOUT};
    struct bed bed;
    make_bed(&bed);
    for (size_t i = 0; i < sizeof transient / sizeof *transient; i++) {
        struct probe probe = probe_in(&bed);
        probe.code = transient[i];
        expect_failure_of(pawl_retry_new("again", probing(&probe), NULL), bed.ctx, NULL, PAWL_E_EXHAUSTED, NULL);
        assert_int_equal(probe.calls, 3);
    }
    clear_bed(&bed);
}

CLAIM(B23_each_attempt_gets_the_same_input) {
    (void)state;
    struct bed bed;
    make_bed(&bed);
    struct flaky flaky = {.failures_left = 4};
    expect_output_of(pawl_sequential("s", constant("a", "{\"body\":\"text\"}"),
                                     pawl_retry("again", flaky_primitive(&flaky), .max_attempts = 5)),
                     bed.ctx, NULL, "{\"body\":\"text\"}");
    assert_int_equal(flaky.calls, 5);
    assert_false(flaky.saw_another);
    clear_bed(&bed);
}

/* ---- the predicate ---- */

static bool is_not_ready(const pawl_outcome *outcome, void *user) {
    (void)user;
    return pawl_value_get_number(pawl_outcome_value(outcome), "n", 9) < 3;
}

static pawl_status count_up(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    (void)ctx, (void)in, (void)err;
    cJSON *json = cJSON_CreateObject();
    cJSON_AddNumberToObject(json, "n", (double)++*(int *)user);
    *ret_out = pawl_value_take(json);
    return PAWL_OK;
}

CLAIM(the_predicate_may_dislike_a_success) {
    (void)state;
    struct bed bed;
    int calls = 0;
    make_bed(&bed);
    expect_output_of(
        pawl_retry("poll", pawl_inline("count", count_up, &calls), .should_retry = is_not_ready, .max_attempts = 9),
        bed.ctx, NULL, "{\"n\":3}");
    clear_bed(&bed);
}

CLAIM(a_success_nobody_liked_is_returned_when_attempts_are_used_up) {
    (void)state;
    struct bed bed;
    int calls = 0;
    make_bed(&bed);
    expect_output_of(
        pawl_retry("poll", pawl_inline("count", count_up, &calls), .should_retry = is_not_ready, .max_attempts = 2),
        bed.ctx, NULL, "{\"n\":2}");
    pawl_context_set_timeout(bed.ctx, PAWL_MS(1), NULL); /* or when there is no time for another attempt */
    calls = 0;
    expect_output_of(pawl_retry("poll", pawl_inline("count", count_up, &calls), .should_retry = is_not_ready,
                                .jitter = PAWL_JITTER_NONE, .max_attempts = 9),
                     bed.ctx, NULL, "{\"n\":1}");
    clear_bed(&bed);
}

CLAIM(the_predicate_may_repeat_a_permanent_failure_but_no_cancellation) {
    (void)state;
    struct bed bed;
    size_t questions = 0;
    make_bed(&bed);
    struct probe probe = probe_in(&bed);
    probe.code = PAWL_E_DENIED;
    expect_failure_of(pawl_retry("again", probing(&probe), .should_retry = whatever_failed, .user = &questions),
                      bed.ctx, NULL, PAWL_E_EXHAUSTED, NULL);
    assert_int_equal(questions, 3);
    probe.code = PAWL_E_CANCELLED;
    expect_failure_of(pawl_retry("again", probing(&probe), .should_retry = whatever_failed, .user = &questions),
                      bed.ctx, NULL, PAWL_E_CANCELLED, NULL);
    assert_int_equal(questions, 3);
    clear_bed(&bed);
}

/* ---- cancel ---- */

CLAIM(B3_a_cancel_ends_the_wait_at_once_and_keeps_the_cause) {
    (void)state;
    struct bed bed;
    atomic_size_t after = 0;
    make_bed(&bed);
    struct probe probe = probe_in(&bed);
    probe.retry_after_ns = PAWL_MIN(5);
    struct ended ended = {0};
    pawl_primitive *node =
        pawl_sequential("s", pawl_retry("again", probing(&probe), .max_attempts = 9), counting("after", &after));
    assert_int_equal(pawl_start(node, bed.ctx, NULL, note_end, &ended, NULL), PAWL_OK);
    pawl_runtime_pump(bed.runtime, NULL);
    assert_int_equal(ended.times, 0);
    pawl_context_cancel(bed.ctx, PAWL_CANCEL_USER, "stop pressed");
    pawl_runtime_pump(bed.runtime, NULL);
    assert_int_equal(ended.times, 1);
    assert_int_equal(probe.calls, 1);
    assert_int_equal(after, 0);
    expect_error(pawl_error_ref(ended.error), PAWL_E_CANCELLED, "cancelled (user): stop pressed");
    expect_error(pawl_error_ref(ended.error), PAWL_E_CANCELLED, "probe: call 1");
    release_end(&ended);
    pawl_primitive_unref(node);
    clear_bed(&bed);
}

CLAIM(waiting_holds_no_thread) {
    (void)state;
    struct bed bed;
    make_bed(&bed);
    struct probe probe = probe_in(&bed);
    struct ended ended = {0};
    pawl_runtime_stats stats = {.size = sizeof stats};
    pawl_primitive *node = pawl_retry("again", probing(&probe), .jitter = PAWL_JITTER_NONE);
    assert_int_equal(pawl_start(node, bed.ctx, NULL, note_end, &ended, NULL), PAWL_OK);
    pawl_runtime_pump(bed.runtime, NULL); /* returns while the run waits */
    pawl_runtime_get_stats(bed.runtime, &stats);
    assert_int_equal(stats.live_runs, 1);
    assert_int_equal(stats.pool_threads, 0);
    assert_int_equal(pawl_runtime_next_timeout(bed.runtime), PAWL_MS(100));
    bed.time.now_ns = PAWL_MS(99);
    pawl_runtime_pump(bed.runtime, NULL);
    assert_int_equal(probe.calls, 1); /* never early */
    bed.time.now_ns = PAWL_MS(100);
    pawl_runtime_pump(bed.runtime, NULL);
    assert_int_equal(probe.calls, 2);
    bed.time.now_ns = PAWL_S(1);
    pawl_runtime_pump(bed.runtime, NULL);
    assert_int_equal(ended.status, PAWL_E_EXHAUSTED);
    release_end(&ended);
    pawl_primitive_unref(node);
    clear_bed(&bed);
}

static pawl_primitive *make_swept(void *user, struct fake_clock *time) {
    (void)time;
    struct flaky *flaky = user;
    *flaky = (struct flaky){.failures_left = 2};
    return pawl_retry_new("again", pawl_sequential("s", pausing("a", PAWL_MS(3)), flaky_primitive(flaky)), NULL);
}

CLAIM(B3_a_cancel_or_a_deadline_at_any_boundary_ends_it_at_once) {
    (void)state;
    struct flaky flaky;
    struct sweep sweep = {.make = make_swept, .user = &flaky};
    sweep_cancel_and_deadline(&sweep);
}

/* ---- B18: one node, many threads ---- */

#define THREADS 16
#define RUNS 50

struct crowd {
    pawl_runtime *runtime;
    pawl_primitive *node;
    atomic_uint calls[THREADS * RUNS];
    atomic_uint right;
};

static pawl_status fail_twice(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    (void)ctx, (void)ret_out;
    struct crowd *crowd = user;
    size_t run = (size_t)pawl_value_get_number(in, "run", 0);
    unsigned call = atomic_fetch_add(&crowd->calls[run], 1) + 1;
    return call == 3 ? PAWL_OK : pawl_error_set(err, PAWL_E_UNAVAILABLE, "run %zu: call %u", run, call);
}

static pawl_value *numbered(size_t run) {
    cJSON *json = cJSON_CreateObject();
    cJSON_AddNumberToObject(json, "run", (double)run);
    return pawl_value_take(json);
}

static void *run_many(void *user) {
    struct crowd *crowd = user;
    static atomic_uint next_thread;
    size_t first = (size_t)(atomic_fetch_add(&next_thread, 1) % THREADS) * RUNS;
    for (size_t i = first; i < first + RUNS; i++) {
        pawl_context *ctx = pawl_context_new(crowd->runtime);
        pawl_value *in = numbered(i), *out = NULL;
        if (pawl_run(crowd->node, ctx, in, &out, NULL) == PAWL_OK && out == in)
            atomic_fetch_add(&crowd->right, 1);
        pawl_value_unref(in), pawl_value_unref(out), pawl_context_unref(ctx);
    }
    return NULL;
}

CLAIM(B18_keeps_what_belongs_to_a_run_out_of_the_node) {
    (void)state;
    struct crowd *crowd = calloc(1, sizeof *crowd);
    pthread_t threads[THREADS];
    crowd->runtime = pawl_runtime_new(NULL, NULL);
    crowd->node = pawl_retry("again", pawl_inline("twice", fail_twice, crowd), .base_delay_ns = 1, .max_delay_ns = 1);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run_many, crowd), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(crowd->right, THREADS * RUNS);
    for (size_t i = 0; i < THREADS * RUNS; i++)
        assert_int_equal(crowd->calls[i], 3);
    pawl_primitive_unref(crowd->node);
    pawl_runtime_unref(crowd->runtime);
    free(crowd);
}

/* ---- trace and memory ---- */

CLAIM(numbers_its_attempts_in_the_trace) {
    (void)state;
    struct bed bed;
    make_observed_bed(&bed);
    struct flaky flaky = {.failures_left = 2};
    expect_output_of(pawl_retry_new("again", flaky_primitive(&flaky), NULL), bed.ctx, NULL, "null");
    assert_int_equal(spans_named(bed.recorder, "flaky"), 3);
    assert_string_equal(nth_span_named(bed.recorder, "flaky", 0)->attributes, "pawl.attempt=1");
    assert_string_equal(nth_span_named(bed.recorder, "flaky", 2)->attributes, "pawl.attempt=3");
    assert_int_equal(nth_span_named(bed.recorder, "flaky", 0)->status, PAWL_E_UNAVAILABLE);
    assert_int_equal(span_named(bed.recorder, "again")->status, PAWL_OK);
    clear_bed(&bed);
}

CLAIM(takes_no_memory_when_the_first_try_succeeds) {
    (void)state;
    give_back_after(pawl_retry_new("again", passing("a"), NULL), expect_no_allocation(made_, NULL));
}

static pawl_primitive *make_without_memory(void *user) {
    struct flaky *flaky = user;
    *flaky = (struct flaky){.failures_left = 9};
    return pawl_retry("again", flaky_primitive(flaky), .max_attempts = 3);
}

CLAIM(survives_every_allocation_that_fails) {
    (void)state;
    struct flaky flaky;
    survive_without_memory(make_without_memory, &flaky, "{\"n\": 1}");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_a_base_over_the_bound),
        cmocka_unit_test(refuses_a_least_wait_over_the_bound),
        cmocka_unit_test(refuses_a_jitter_that_is_none),
        cmocka_unit_test(refuses_zero_attempts),
        cmocka_unit_test(refuses_a_null_child),
        cmocka_unit_test(refuses_options_it_does_not_know),
        cmocka_unit_test(tries_three_times_unless_told),
        cmocka_unit_test(one_attempt_is_no_retry),
        cmocka_unit_test(gives_the_first_success),
        cmocka_unit_test(without_a_bound_it_goes_on),
        cmocka_unit_test(does_not_repeat_what_would_fail_again),
        cmocka_unit_test(repeats_what_may_pass),
        cmocka_unit_test(B23_each_attempt_gets_the_same_input),
        cmocka_unit_test(the_predicate_may_dislike_a_success),
        cmocka_unit_test(a_success_nobody_liked_is_returned_when_attempts_are_used_up),
        cmocka_unit_test(the_predicate_may_repeat_a_permanent_failure_but_no_cancellation),
        cmocka_unit_test(B3_a_cancel_ends_the_wait_at_once_and_keeps_the_cause),
        cmocka_unit_test(waiting_holds_no_thread),
        cmocka_unit_test(B3_a_cancel_or_a_deadline_at_any_boundary_ends_it_at_once),
        cmocka_unit_test(B18_keeps_what_belongs_to_a_run_out_of_the_node),
        cmocka_unit_test(numbers_its_attempts_in_the_trace),
        cmocka_unit_test(takes_no_memory_when_the_first_try_succeeds),
        cmocka_unit_test(survives_every_allocation_that_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
