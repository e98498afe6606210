#include "bed.h"

#include <pawl/primitives/function.h>
#include <pawl/primitives/retry.h>
#include <pawl/primitives/sequential.h>
#include <pawl/primitives/timeout.h>
#include <pawl/run.h>
#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

#define CLAIM(name) static void name(void **state)

/* ---- options ---- */

CLAIM(needs_a_limit) {
    (void)state;
    expect_broken(pawl_timeout("limit", passing("a"), .after_ns = 0), PAWL_E_INVALID,
                  "limit: timeout 'limit': after_ns is required and is 0");
    expect_broken(pawl_timeout_new("limit", passing("a"), NULL), PAWL_E_INVALID, "after_ns is required");
}

CLAIM(refuses_options_it_does_not_know) {
    (void)state;
    struct {
        pawl_timeout_options known;
        uint64_t unknown;
    } options = {.known = {.size = sizeof options, .after_ns = PAWL_S(1)}};
    give_back_after(pawl_timeout_new("limit", passing("a"), &options.known), sound(made_));
    options.unknown = 1;
    expect_broken(pawl_timeout_new("limit", passing("a"), &options.known), PAWL_E_INVALID, "does not know");
    options.known.size = 4;
    expect_broken(pawl_timeout_new("limit", passing("a"), &options.known), PAWL_E_INVALID, "options.size is 4");
}

CLAIM(refuses_a_null_child) {
    (void)state;
    expect_broken(pawl_timeout("limit", NULL, .after_ns = 1), PAWL_E_INVALID, "child 1 is NULL");
}

CLAIM(refuses_a_name_that_is_none) {
    (void)state;
    expect_broken(pawl_timeout(NULL, passing("a"), .after_ns = 1), PAWL_E_INVALID, "needs a name");
    expect_broken(pawl_timeout("", passing("a"), .after_ns = 1), PAWL_E_INVALID, "needs a name");
}

CLAIM(unlimited_is_a_limit_that_never_comes) {
    (void)state;
    struct bed bed;
    make_bed(&bed);
    bed.time.now_ns = PAWL_S(1); /* which must not be added to it */
    expect_output_of(pawl_timeout("limit", pausing("a", PAWL_MIN(60000)), .after_ns = PAWL_UNLIMITED), bed.ctx, "1",
                     "1");
    clear_bed(&bed);
}

CLAIM(zero_is_a_limit_that_has_passed) {
    (void)state;
    struct bed bed;
    atomic_size_t calls = 0;
    pawl_error *err = NULL;
    make_bed(&bed);
    pawl_primitive *node = pawl_timeout("limit", counting("a", &calls), .after_ns = PAWL_ZERO);
    assert_int_equal(pawl_run(node, bed.ctx, NULL, NULL, &err), PAWL_E_TIMEOUT);
    assert_int_equal(calls, 0);
    assert_int_equal(pawl_error_started(err), PAWL_STARTED_NO);
    expect_error(err, PAWL_E_TIMEOUT, "limit: timeout 'limit': its limit is zero");
    pawl_primitive_unref(node);
    clear_bed(&bed);
}

/* ---- runs ---- */

CLAIM(passes_the_childs_outcome_on_in_time) {
    (void)state;
    struct bed bed;
    make_bed(&bed);
    expect_output_of(pawl_timeout("limit", pausing("a", PAWL_S(1)), .after_ns = PAWL_S(2)), bed.ctx, "[1]", "[1]");
    expect_failure_of(pawl_timeout("limit", failing("a", PAWL_E_DENIED), .after_ns = PAWL_S(2)), bed.ctx, NULL,
                      PAWL_E_DENIED, "limit/a: failed on purpose");
    clear_bed(&bed);
}

CLAIM(ends_when_its_limit_passes) {
    (void)state;
    struct bed bed;
    make_bed(&bed);
    expect_failure_of(pawl_timeout("limit", pausing("a", PAWL_S(9)), .after_ns = PAWL_S(2)), bed.ctx, NULL,
                      PAWL_E_TIMEOUT, "timeout 'limit': took longer than its limit of 2 s");
    assert_int_equal(bed.time.now_ns, PAWL_S(2));
    clear_bed(&bed);
}

CLAIM(B1_waits_until_the_child_has_really_ended) {
    (void)state;
    struct bed bed;
    struct manual_op op = {0};
    make_bed(&bed);
    bed.time.when_idle = complete_when_idle; /* long after it was cancelled */
    bed.time.idle_user = &op;
    expect_failure_of(pawl_timeout("limit", manual_primitive("op", &op), .after_ns = PAWL_S(1)), bed.ctx, NULL,
                      PAWL_E_TIMEOUT, NULL);
    assert_int_equal(op.cancels, 1);
    assert_int_equal(op.reason, PAWL_CANCEL_DEADLINE);
    assert_int_equal(op.destroys, 1);
    expect_nothing_alive(bed.runtime);
    clear_bed(&bed);
}

static pawl_status overrun(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    (void)ctx, (void)in, (void)ret_out;
    struct fake_clock *time = user;
    time->now_ns += PAWL_S(5);
    return pawl_error_set(err, PAWL_E_UNAVAILABLE, "the line is dead");
}

CLAIM(keeps_what_the_child_said_as_the_cause) {
    (void)state;
    struct bed bed;
    make_bed(&bed);
    expect_failure_of(pawl_timeout("limit", pawl_function("slow", overrun, &bed.time), .after_ns = PAWL_S(1)), bed.ctx,
                      NULL, PAWL_E_TIMEOUT, "the line is dead");
    clear_bed(&bed);
}

CLAIM(an_outer_deadline_is_no_timeout) {
    (void)state;
    struct bed bed;
    make_bed(&bed);
    pawl_context_set_timeout(bed.ctx, PAWL_S(1), NULL);
    expect_failure_of(pawl_timeout("limit", pausing("a", PAWL_S(9)), .after_ns = PAWL_S(2)), bed.ctx, NULL,
                      PAWL_E_DEADLINE, "limit/a");
    clear_bed(&bed);
}

CLAIM(an_equal_outer_deadline_counts_as_the_outer_one) {
    (void)state;
    struct bed bed;
    make_bed(&bed);
    pawl_context_set_timeout(bed.ctx, PAWL_S(2), NULL);
    expect_failure_of(pawl_timeout("limit", pausing("a", PAWL_S(9)), .after_ns = PAWL_S(2)), bed.ctx, NULL,
                      PAWL_E_DEADLINE, NULL);
    clear_bed(&bed);
}

CLAIM(nested_limits_each_answer_for_their_own) {
    (void)state;
    struct bed bed;
    make_bed(&bed);
    expect_failure_of(pawl_timeout("outer", pawl_timeout("inner", pausing("a", PAWL_S(9)), .after_ns = PAWL_S(1)),
                                   .after_ns = PAWL_S(2)),
                      bed.ctx, NULL, PAWL_E_TIMEOUT, "outer/inner: timeout 'inner'");
    expect_failure_of(pawl_timeout("outer", pawl_timeout("inner", pausing("a", PAWL_S(9)), .after_ns = PAWL_S(5)),
                                   .after_ns = PAWL_S(2)),
                      bed.ctx, NULL, PAWL_E_TIMEOUT, "outer: timeout 'outer'");
    clear_bed(&bed);
}

CLAIM(a_retry_that_gives_up_for_the_limit_is_a_timeout) {
    (void)state;
    struct bed bed;
    make_bed(&bed);
    pawl_primitive *again =
        pawl_retry("again", failing("a", PAWL_E_UNAVAILABLE), .jitter = PAWL_JITTER_NONE, .base_delay_ns = PAWL_S(5));
    expect_failure_of(pawl_timeout("limit", again, .after_ns = PAWL_S(2)), bed.ctx, NULL, PAWL_E_TIMEOUT,
                      "timeout 'limit': gave up, since it would have passed its limit of 2 s");
    assert_int_equal(bed.time.slept_ns, 0);
    pawl_context_set_timeout(bed.ctx, PAWL_S(2), NULL); /* an equal one outside goes first */
    again =
        pawl_retry("again", failing("a", PAWL_E_UNAVAILABLE), .jitter = PAWL_JITTER_NONE, .base_delay_ns = PAWL_S(5));
    expect_failure_of(pawl_timeout("limit", again, .after_ns = PAWL_S(2)), bed.ctx, NULL, PAWL_E_DEADLINE,
                      "no time before the deadline");
    clear_bed(&bed);
}

static pawl_status look_at_time(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    (void)in, (void)ret_out, (void)err;
    *(uint64_t *)user = pawl_context_remaining(ctx);
    return PAWL_OK;
}

CLAIM(the_child_sees_the_time_that_is_left) {
    (void)state;
    struct bed bed;
    uint64_t left = 0;
    make_bed(&bed);
    expect_output_of(pawl_timeout("limit", pawl_inline("look", look_at_time, &left), .after_ns = PAWL_S(2)), bed.ctx,
                     NULL, "null");
    assert_int_equal(left, PAWL_S(2));
    pawl_context_set_timeout(bed.ctx, PAWL_S(1), NULL);
    expect_output_of(pawl_timeout("limit", pawl_inline("look", look_at_time, &left), .after_ns = PAWL_S(2)), bed.ctx,
                     NULL, "null");
    assert_int_equal(left, PAWL_S(1));
    clear_bed(&bed);
}

CLAIM(takes_no_memory) {
    (void)state;
    give_back_after(pawl_timeout("limit", passing("a"), .after_ns = PAWL_S(2)), expect_no_allocation(made_, NULL));
}

/* ---- B19: which signal wins, in every order ---- */

/* C cancel, D outer deadline (2 s), T this limit (1 s), R the child's success; all before the loop looks again. */
struct race {
    const char *order;
    struct fake_clock *time;
    pawl_context *ctx;
    struct manual_op op;
};

static void move_to(struct fake_clock *time, uint64_t when_ns) {
    if (time->now_ns < when_ns)
        time->now_ns = when_ns;
}

static void run_the_race(struct race *race) {
    for (const char *signal = race->order; *signal; signal++)
        if (*signal == 'C')
            pawl_context_cancel(race->ctx, PAWL_CANCEL_USER, NULL);
        else if (*signal == 'D')
            move_to(race->time, PAWL_S(2));
        else if (*signal == 'T')
            move_to(race->time, PAWL_S(1));
        else
            complete(&race->op, PAWL_OK, NULL);
}

/* The rule: a success that is already there is delivered; else cancel, outer deadline, own limit. */
static pawl_status expected_of(const char *order) {
    size_t before = strcspn(order, "R");
    if (order[before] == 'R' && before == 0)
        return PAWL_OK;
    if (strchr(order, 'C'))
        return PAWL_E_CANCELLED;
    return strchr(order, 'D') ? PAWL_E_DEADLINE : strchr(order, 'T') ? PAWL_E_TIMEOUT : PAWL_OK;
}

static void expect_arbitration(const char *order) {
    struct bed bed;
    make_bed(&bed);
    struct race race = {.order = order, .time = &bed.time, .ctx = bed.ctx, .op.completes = COMPLETES_WHEN_TOLD};
    pawl_context_set_timeout(bed.ctx, PAWL_S(2), NULL);
    pawl_primitive *node = pawl_timeout("limit", manual_primitive("op", &race.op), .after_ns = PAWL_S(1));
    struct ended ended = {0};
    assert_int_equal(pawl_start(node, bed.ctx, NULL, note_end, &ended, NULL), PAWL_OK);
    pawl_runtime_pump(bed.runtime, NULL);
    assert_true(race.op.pending);
    run_the_race(&race);
    for (int i = 0; i < 4 && !ended.times; i++) {
        pawl_runtime_pump(bed.runtime, NULL);
        complete_when_idle(&race.op); /* the child ends when it is told to */
    }
    assert_int_equal(ended.times, 1);
    if (ended.status != expected_of(order))
        fail_msg("order %s gave %s, not %s", order, pawl_status_name(ended.status),
                 pawl_status_name(expected_of(order)));
    release_end(&ended);
    pawl_primitive_unref(node);
    clear_bed(&bed);
}

static void permute(char *order, size_t fixed, size_t length, size_t *count) {
    if (fixed == length) {
        expect_arbitration(order);
        ++*count;
        return;
    }
    for (size_t i = fixed; i < length; i++) {
        char swap = order[fixed];
        order[fixed] = order[i], order[i] = swap;
        permute(order, fixed + 1, length, count);
        swap = order[fixed];
        order[fixed] = order[i], order[i] = swap;
    }
}

CLAIM(B19_cancel_outer_deadline_limit_and_result_race_in_every_order) {
    (void)state;
    size_t count = 0;
    for (unsigned set = 1; set < 16; set++) {
        char order[5] = {0};
        for (unsigned i = 0; i < 4; i++)
            if (set >> i & 1)
                order[strlen(order)] = "CDTR"[i];
        permute(order, 0, strlen(order), &count);
    }
    assert_int_equal(count, 4 + 12 + 24 + 24); /* of one, two, three and four signals */
}

/* ---- every boundary, and without memory ---- */

static pawl_primitive *make_swept(void *user, struct fake_clock *time) {
    (void)time;
    struct manual_op *op = user;
    *op = (struct manual_op){.completes = COMPLETES_ON_CANCEL};
    return pawl_timeout("outer",
                        pawl_sequential("steps", sleeper("sleep", PAWL_MS(1)), pausing("pause", PAWL_MS(1)),
                                        pawl_timeout("inner", manual_primitive("op", op), .after_ns = PAWL_MS(5))),
                        .after_ns = PAWL_S(1));
}

CLAIM(a_cancel_or_a_deadline_at_any_boundary_ends_it_at_once) {
    (void)state;
    struct manual_op op;
    const pawl_status allowed[] = {PAWL_E_TIMEOUT, PAWL_OK};
    struct sweep sweep = {.make = make_swept, .user = &op, .allowed = allowed};
    sweep_cancel_and_deadline(&sweep);
}

static pawl_primitive *make_without_memory(void *user) {
    (void)user;
    return pawl_timeout("outer", pawl_timeout("inner", passing("a"), .after_ns = PAWL_S(1)), .after_ns = PAWL_S(1));
}

static pawl_primitive *make_failing_without_memory(void *user) {
    struct flaky *flaky = user;
    *flaky = (struct flaky){.failures_left = 1};
    return pawl_timeout("outer", flaky_primitive(flaky), .after_ns = PAWL_S(1));
}

CLAIM(survives_every_allocation_that_fails) {
    (void)state;
    struct flaky flaky;
    survive_without_memory(make_without_memory, NULL, "{\"a\": 1}");
    survive_without_memory(make_failing_without_memory, &flaky, "1");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(needs_a_limit),
        cmocka_unit_test(refuses_options_it_does_not_know),
        cmocka_unit_test(refuses_a_null_child),
        cmocka_unit_test(refuses_a_name_that_is_none),
        cmocka_unit_test(unlimited_is_a_limit_that_never_comes),
        cmocka_unit_test(zero_is_a_limit_that_has_passed),
        cmocka_unit_test(passes_the_childs_outcome_on_in_time),
        cmocka_unit_test(ends_when_its_limit_passes),
        cmocka_unit_test(B1_waits_until_the_child_has_really_ended),
        cmocka_unit_test(keeps_what_the_child_said_as_the_cause),
        cmocka_unit_test(an_outer_deadline_is_no_timeout),
        cmocka_unit_test(an_equal_outer_deadline_counts_as_the_outer_one),
        cmocka_unit_test(nested_limits_each_answer_for_their_own),
        cmocka_unit_test(a_retry_that_gives_up_for_the_limit_is_a_timeout),
        cmocka_unit_test(the_child_sees_the_time_that_is_left),
        cmocka_unit_test(takes_no_memory),
        cmocka_unit_test(B19_cancel_outer_deadline_limit_and_result_race_in_every_order),
        cmocka_unit_test(a_cancel_or_a_deadline_at_any_boundary_ends_it_at_once),
        cmocka_unit_test(survives_every_allocation_that_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
