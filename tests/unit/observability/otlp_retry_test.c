/* When a collector is asked again: in virtual time. */
#include "leaves.h"
#include "otlp_exporter_internal.h"
#include "virtual_runtime.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

struct outcome {
    pawl_status status, cause;
    uint64_t slept_ns;
    size_t calls, tries, again;
};

/* Runs the node over a flaky leaf. */
static struct outcome run(struct flaky *flaky, uint64_t timeout_ns) {
    struct fake_clock time = {.seed = 0};
    struct pawl_otlp_tries tries = {0};
    pawl_runtime *runtime = virtual_runtime(&time);
    pawl_context *ctx = pawl_context_new(runtime);
    pawl_primitive *node = pawl_otlp_retry("otlp traces", flaky_primitive(flaky), &tries);
    pawl_error *error = NULL;
    assert_int_equal(pawl_context_set_timeout(ctx, timeout_ns, NULL), PAWL_OK);
    struct outcome outcome = {.status = pawl_run(node, ctx, NULL, NULL, &error)};
    outcome.cause = pawl_error_status(pawl_error_cause(error));
    outcome.slept_ns = time.slept_ns;
    outcome.calls = flaky->calls;
    outcome.tries = tries.all;
    outcome.again = tries.again;
    pawl_error_unref(error);
    pawl_primitive_unref(node);
    pawl_context_unref(ctx);
    pawl_runtime_unref(runtime);
    return outcome;
}

static void backs_off_by_half_more_each_time_up_to_five_seconds(void **state) {
    (void)state;
    assert_int_equal(pawl_otlp_backoff(1), PAWL_MS(1000));
    assert_int_equal(pawl_otlp_backoff(2), PAWL_MS(1500));
    assert_int_equal(pawl_otlp_backoff(3), PAWL_MS(2250));
    assert_int_equal(pawl_otlp_backoff(4), PAWL_MS(3375));
    assert_int_equal(pawl_otlp_backoff(5), PAWL_MS(5000));
    assert_int_equal(pawl_otlp_backoff(1000), PAWL_MS(5000));
}

static void asks_again_after_a_second_more_or_less(void **state) {
    (void)state;
    struct flaky flaky = {.failures_left = 1};
    struct outcome outcome = run(&flaky, PAWL_S(10));
    assert_int_equal(outcome.status, PAWL_OK);
    assert_int_equal(outcome.calls, 2);
    assert_int_equal(outcome.tries, 2);
    assert_int_equal(outcome.again, 1);
    assert_in_range(outcome.slept_ns, PAWL_MS(800), PAWL_MS(1200));
}

static void gives_up_after_five_tries(void **state) {
    (void)state;
    struct flaky flaky = {.failures_left = 99};
    struct outcome outcome = run(&flaky, PAWL_S(100));
    assert_int_equal(outcome.status, PAWL_E_EXHAUSTED);
    assert_int_equal(outcome.cause, PAWL_E_UNAVAILABLE);
    assert_int_equal(outcome.calls, 5);
    assert_in_range(outcome.slept_ns, PAWL_MS(8125) * 8 / 10, PAWL_MS(8125) * 12 / 10);
}

static void waits_exactly_as_long_as_it_is_asked_to(void **state) {
    (void)state;
    struct flaky flaky = {.failures_left = 2, .code = PAWL_E_RATE_LIMITED, .retry_after_ns = PAWL_S(2)};
    struct outcome outcome = run(&flaky, PAWL_S(10));
    assert_int_equal(outcome.status, PAWL_OK);
    assert_int_equal(outcome.slept_ns, PAWL_S(4));
}

static void does_not_wait_past_the_time_out(void **state) {
    (void)state;
    struct flaky patient = {.failures_left = 9, .retry_after_ns = PAWL_S(30)};
    struct outcome outcome = run(&patient, PAWL_S(10));
    assert_int_equal(outcome.status, PAWL_E_DEADLINE);
    assert_int_equal(outcome.cause, PAWL_E_UNAVAILABLE);
    assert_int_equal(outcome.calls, 1);
    assert_int_equal(outcome.slept_ns, 0);
    struct flaky never = {.failures_left = 9, .retry_after_ns = PAWL_NEVER};
    assert_int_equal(run(&never, PAWL_S(10)).status, PAWL_E_DEADLINE);
    struct flaky often = {.failures_left = 9};
    outcome = run(&often, PAWL_S(4));
    assert_int_equal(outcome.status, PAWL_E_DEADLINE);
    assert_true(outcome.slept_ns < PAWL_S(4));
    assert_in_range(outcome.calls, 3, 4);
}

static void takes_a_final_answer_as_final(void **state) {
    (void)state;
    static const pawl_status finals[] = {PAWL_E_INVALID, PAWL_E_DENIED, PAWL_E_NOT_FOUND, PAWL_E_PROTOCOL,
                                         PAWL_E_LIMIT,   PAWL_E_FAILED, PAWL_E_NOMEM,     PAWL_E_CANCELLED};
    for (size_t i = 0; i < sizeof finals / sizeof *finals; i++) {
        struct flaky flaky = {.failures_left = 9, .code = finals[i]};
        struct outcome outcome = run(&flaky, PAWL_S(10));
        assert_int_equal(outcome.status, finals[i]);
        assert_int_equal(outcome.calls, 1);
    }
}

struct swept {
    struct flaky flaky;
    struct pawl_otlp_tries tries;
};

static pawl_primitive *make(void *user, struct fake_clock *time) {
    struct swept *swept = user;
    (void)time;
    *swept = (struct swept){.flaky = {.failures_left = 99}};
    return pawl_otlp_retry("otlp traces", flaky_primitive(&swept->flaky), &swept->tries);
}

static void ends_at_once_wherever_it_is_cancelled(void **state) {
    (void)state;
    struct swept swept;
    static const pawl_status allowed[] = {PAWL_E_EXHAUSTED, PAWL_OK};
    struct sweep sweep = {.make = make, .user = &swept, .allowed = allowed};
    sweep_cancel_and_deadline(&sweep);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(backs_off_by_half_more_each_time_up_to_five_seconds),
        cmocka_unit_test(asks_again_after_a_second_more_or_less),
        cmocka_unit_test(gives_up_after_five_tries),
        cmocka_unit_test(waits_exactly_as_long_as_it_is_asked_to),
        cmocka_unit_test(does_not_wait_past_the_time_out),
        cmocka_unit_test(takes_a_final_answer_as_final),
        cmocka_unit_test(ends_at_once_wherever_it_is_cancelled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
