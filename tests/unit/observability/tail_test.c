/* Traces that are kept or dropped at their end: which, and what is held until then. */
#include "failing_malloc.h"
#include "leaves.h"
#include "span_record_internal.h"
#include "traced.h"

#include <pawl/primitives/primitives.h>
#include <setjmp.h>

#include <cmocka.h>

static void make_tail(struct traced *t, pawl_tracer_options options) {
    options.sampler = pawl_sampler_never(NULL);
    make_traced(t, options);
    pawl_sampler_unref(options.sampler);
}

static pawl_status run_new_trace(struct traced *t, pawl_primitive *node) {
    pawl_context_unref(t->ctx);
    t->ctx = pawl_context_new(t->runtime);
    return trace_run(t, node);
}

static void a_failed_trace_is_kept_whole_though_its_run_went_well(void **state) {
    (void)state;
    struct traced t;
    make_tail(&t, (pawl_tracer_options){.keep_failed = 1});
    run_new_trace(&t, pawl_sequential("good", passing("a")));
    assert_int_equal(pawl_trace_memory_count(t.memory), 0);
    assert_int_equal(traced_stats(&t).not_kept, 2);
    run_new_trace(&t, pawl_sequential("bad", passing("before"),
                                      pawl_fallback("f", PAWL_CHILDREN(failing("x", PAWL_E_FAILED), passing("y"))),
                                      passing("after")));
    assert_int_equal(pawl_trace_memory_count(t.memory), 6);
    assert_int_equal(traced_span(&t, "before", 0)->flags, 0x102);
    assert_int_equal(traced_stats(&t).held, 0);
    assert_int_equal(traced_stats(&t).held_traces, 0);
    end_traced(&t);
}

static void a_cancelled_sibling_is_no_failure(void **state) {
    (void)state;
    assert_false(pawl_span_is_error(PAWL_OK, 0));
    assert_false(pawl_span_is_error(PAWL_E_CANCELLED, PAWL_CANCEL_SIBLING_FAILED));
    assert_false(pawl_span_is_error(PAWL_E_CANCELLED, PAWL_CANCEL_LOST_RACE));
    assert_true(pawl_span_is_error(PAWL_E_CANCELLED, PAWL_CANCEL_USER));
    assert_true(pawl_span_is_error(PAWL_E_FAILED, PAWL_CANCEL_LOST_RACE));
}

static void a_slow_trace_is_kept(void **state) {
    (void)state;
    struct traced t;
    make_tail(&t, (pawl_tracer_options){.keep_slow_ns = PAWL_MS(10)});
    run_new_trace(&t, pawl_sequential("quick", sleeper("a", PAWL_MS(10))));
    run_new_trace(&t, pawl_sequential("slow", sleeper("b", PAWL_MS(11))));
    run_new_trace(&t, pawl_sequential("failed", failing("c", PAWL_E_FAILED)));
    assert_int_equal(pawl_trace_memory_count(t.memory), 2);
    assert_int_equal(traced_spans(&t, "b"), 1);
    end_traced(&t);
}

static void what_the_sampler_keeps_is_not_held(void **state) {
    (void)state;
    struct traced t;
    make_traced(&t, (pawl_tracer_options){.keep_failed = 1});
    trace_run(&t, pawl_sequential("good", passing("a")));
    assert_int_equal(pawl_trace_memory_count(t.memory), 2);
    end_traced(&t);
}

static void a_trace_is_held_while_one_of_its_roots_is_open(void **state) {
    (void)state;
    struct traced t;
    make_tail(&t, (pawl_tracer_options){.keep_failed = 1});
    pawl_primitive *first = passing("decide");
    pawl_run(first, t.ctx, NULL, NULL, NULL); /* asks the sampler */
    pawl_span outer;
    pawl_span_open(t.ctx, &outer, "outer");
    trace_run(&t, passing("inner"));
    pawl_runtime_flush(t.runtime, PAWL_S(1), NULL);
    assert_int_equal(pawl_trace_memory_count(t.memory), 0);
    assert_true(traced_stats(&t).held >= 1);
    pawl_span_close(t.ctx, &outer, PAWL_E_FAILED, NULL);
    pawl_runtime_flush(t.runtime, PAWL_S(1), NULL);
    assert_int_equal(traced_spans(&t, "inner"), 1);
    assert_int_equal(traced_spans(&t, "outer"), 1);
    pawl_primitive_unref(first);
    end_traced(&t);
}

static pawl_primitive *ten_then(pawl_primitive *last) {
    return pawl_sequential("ten", passing("a"), passing("a"), passing("a"), passing("a"), passing("a"), passing("a"),
                           passing("a"), passing("a"), passing("a"), last);
}

static void a_trace_that_is_too_big_to_hold_is_given_up_whole(void **state) {
    (void)state;
    struct traced t;
    make_tail(&t, (pawl_tracer_options){.keep_failed = 1, .max_held_spans = 5});
    run_new_trace(&t, ten_then(failing("x", PAWL_E_FAILED)));
    assert_int_equal(pawl_trace_memory_count(t.memory), 0);
    assert_int_equal(traced_stats(&t).dropped_undecided, 11);
    run_new_trace(&t, pawl_sequential("s", failing("x", PAWL_E_FAILED)));
    assert_int_equal(pawl_trace_memory_count(t.memory), 2);
    end_traced(&t);
}

static void big_held_spans_leave_the_queue_its_bytes(void **state) {
    (void)state;
    struct traced t;
    make_tail(&t, (pawl_tracer_options){.keep_failed = 1, .max_queue_bytes = PAWL_MIB(1) + PAWL_KIB(512)});
    pawl_span outer;
    pawl_primitive *big = setting_a_megabyte("big");
    pawl_run(big, t.ctx, NULL, NULL, NULL);
    pawl_span_open(t.ctx, &outer, "outer");
    for (int i = 0; i < 5; i++)
        trace_run(&t, pawl_primitive_ref(big));
    assert_int_equal(traced_stats(&t).dropped_full, 1); /* two waited at once */
    pawl_span_close(t.ctx, &outer, PAWL_E_FAILED, NULL);
    pawl_runtime_flush(t.runtime, PAWL_S(5), NULL);
    assert_int_equal(traced_spans(&t, "big"), 5);
    trace_run(&t, big);
    end_traced(&t);
}

static void a_run_goes_on_without_memory_for_its_spans(void **state) {
    (void)state;
    for (size_t n = 1, failed = 1; failed; n++) {
        struct traced t;
        make_tail(&t, (pawl_tracer_options){.keep_failed = 1});
        pawl_primitive *node = pawl_sequential("s", setting_many("many"), failing("x", PAWL_E_FAILED));
        fail_allocation_at(n);
        pawl_run(node, t.ctx, NULL, NULL, NULL);
        pawl_runtime_flush(t.runtime, PAWL_S(1), NULL);
        failed = allow_allocations();
        pawl_primitive_unref(node);
        end_traced(&t);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failed_trace_is_kept_whole_though_its_run_went_well),
        cmocka_unit_test(a_cancelled_sibling_is_no_failure),
        cmocka_unit_test(a_slow_trace_is_kept),
        cmocka_unit_test(what_the_sampler_keeps_is_not_held),
        cmocka_unit_test(a_trace_is_held_while_one_of_its_roots_is_open),
        cmocka_unit_test(a_trace_that_is_too_big_to_hold_is_given_up_whole),
        cmocka_unit_test(big_held_spans_leave_the_queue_its_bytes),
        cmocka_unit_test(a_run_goes_on_without_memory_for_its_spans),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
