/* What a flight takes with it, and whom it must not take along. */
#include "callers.h"

#include <pawl/primitives/cache.h>
#include <pawl/primitives/function.h>
#include <pawl/primitives/sequential.h>
#include <pawl/run.h>
#include <pawl/unstable/step.h>
#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

#define CLAIM(name) static void name(void **state)

/* ---- what a flight carries ---- */

struct seen {
    uint8_t trace_id[16];
    char baggage[16], workflow[16];
    bool has_state;
};

static pawl_status look_around(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    (void)in, (void)ret_out, (void)err;
    struct seen *seen = user;
    pawl_context_trace_id(ctx, seen->trace_id);
    const char *baggage = pawl_context_baggage(ctx, "tenant"), *workflow = pawl_context_id(ctx, PAWL_ID_WORKFLOW);
    strncpy(seen->baggage, baggage ? baggage : "", sizeof seen->baggage - 1);
    strncpy(seen->workflow, workflow ? workflow : "", sizeof seen->workflow - 1);
    pawl_value *value = pawl_context_state(ctx, "key");
    seen->has_state = value != NULL;
    pawl_value_unref(value);
    return PAWL_OK;
}

CLAIM(a_flight_carries_the_callers_ids_and_baggage_but_no_state) {
    (void)state;
    struct bed bed;
    struct seen seen = {.has_state = true};
    uint8_t trace_id[16];
    make_bed(&bed);
    pawl_context_set_baggage(bed.ctx, "tenant", "t1", NULL);
    pawl_context_set_id(bed.ctx, PAWL_ID_WORKFLOW, "w1", NULL);
    pawl_value *one = pawl_value_number(1);
    pawl_context_set_state(bed.ctx, "key", one, NULL);
    expect_output_of(pawl_cache("c", pawl_inline("look", look_around, &seen), .ttl_ns = 1), bed.ctx, "1", "1");
    pawl_context_trace_id(bed.ctx, trace_id);
    assert_memory_equal(seen.trace_id, trace_id, 16);
    assert_string_equal(seen.baggage, "t1");
    assert_string_equal(seen.workflow, "w1");
    assert_false(seen.has_state);
    pawl_value_unref(one);
    clear_bed(&bed);
}

CLAIM(its_spans_hang_beneath_the_caller_that_started_it) {
    (void)state;
    struct bed bed;
    make_observed_bed(&bed);
    expect_output_of(pawl_cache("c", constant("child", "7"), .ttl_ns = 1), bed.ctx, "1", "7");
    assert_memory_equal(span_named(bed.recorder, "child")->parent_span_id, span_named(bed.recorder, "c")->span_id, 8);
    assert_memory_equal(span_named(bed.recorder, "child")->trace_id, span_named(bed.recorder, "c")->trace_id, 16);
    clear_bed(&bed);
}

CLAIM(says_in_the_trace_who_shared) {
    (void)state;
    struct bed bed;
    struct ended ended[2] = {{0}};
    make_observed_bed(&bed);
    pawl_primitive *cache = pawl_cache("c", pausing("a", PAWL_S(1)), .ttl_ns = PAWL_S(10));
    pawl_context *other = pawl_context_new(bed.runtime);
    pawl_start(cache, bed.ctx, NULL, note_end, &ended[0], NULL);
    pawl_start(cache, other, NULL, note_end, &ended[1], NULL);
    pawl_runtime_pump(bed.runtime, NULL);
    bed.time.now_ns = PAWL_S(1);
    pawl_runtime_pump(bed.runtime, NULL);
    const char *first = nth_span_named(bed.recorder, "c", 0)->attributes;
    const char *second = nth_span_named(bed.recorder, "c", 1)->attributes;
    bool in_order = strcmp(first, "pawl.cache=miss") == 0;
    assert_string_equal(in_order ? first : second, "pawl.cache=miss");
    assert_string_equal(in_order ? second : first, "pawl.cache=shared");
    assert_memory_equal(nth_span_named(bed.recorder, "c", in_order)->linked_span_id,
                        nth_span_named(bed.recorder, "c", !in_order)->span_id, 8);
    release_end(&ended[0]), release_end(&ended[1]);
    pawl_context_unref(other), pawl_primitive_unref(cache);
    clear_bed(&bed);
}

/* ---- itself, and other runtimes ---- */

static pawl_status ask_again(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    return pawl_run(*(pawl_primitive **)user, ctx, in, ret_out, err);
}

CLAIM(a_child_that_asks_for_its_own_key_is_told_instead_of_hanging) {
    (void)state;
    struct bed bed;
    pawl_primitive *cache = NULL;
    make_bed(&bed);
    cache = pawl_cache("c", pawl_sequential("s", pawl_function("again", ask_again, &cache)), .ttl_ns = 1);
    expect_failure(cache, bed.ctx, "1", PAWL_E_INVALID, "its child asked for the same key again");
    pawl_primitive_unref(cache);
    clear_bed(&bed);
}

CLAIM(a_runtime_that_goes_takes_no_waiter_of_another_along) {
    (void)state;
    struct callers *callers = make_callers(0);
    callers->child.ends_on_cancel = true;
    struct bed other;
    struct ended ended = {0};
    make_bed(&other);
    pawl_value *in = pawl_value_string("key");
    pawl_start(callers->cache, other.ctx, in, note_end, &ended, NULL);
    pawl_runtime_pump(other.runtime, NULL); /* its flight */
    size_t waiter = call(callers, 0);
    pump(callers);
    assert_int_equal(callers->child.starts, 1);
    assert_int_equal(pawl_runtime_shutdown(other.runtime, NULL), PAWL_OK);
    assert_int_equal(ended.status, PAWL_E_CANCELLED);
    assert_int_equal(pawl_error_cancel_reason(ended.error), PAWL_CANCEL_SHUTDOWN);
    pump(callers);
    assert_int_equal(callers->ended[waiter].times, 0);
    assert_int_equal(callers->child.starts, 2); /* on its own */
    land(callers, 1, PAWL_OK, "answer");
    pump(callers);
    expect_ended(callers, waiter, PAWL_OK, "answer");
    release_end(&ended), pawl_value_unref(in);
    clear_bed(&other);
    clear_callers(callers);
}

static pawl_step run_shielded(const void *state, pawl_frame *frame, pawl_event *event) {
    (void)state;
    const pawl_scope shield = {.size = sizeof shield, .shielded = 1};
    if (pawl_event_kind_of(event) == PAWL_EVENT_CHILD_DONE)
        return pawl_step_finish(frame, event);
    return pawl_step_run(frame, pawl_primitive_child(pawl_frame_node(frame), 0), pawl_frame_input(frame), &shield);
}

CLAIM(a_waiter_that_no_cancel_reaches_ends_with_the_runtime) {
    (void)state;
    static const pawl_primitive_vtable vtable = {.size = sizeof vtable, .type_name = "shield", .step = run_shielded};
    struct manual_op work = {.completes = COMPLETES_ON_CANCEL};
    struct bed bed;
    struct ended ended = {0};
    make_bed(&bed);
    pawl_primitive *cache = pawl_cache("c", manual_primitive("work", &work), .ttl_ns = 1);
    pawl_primitive *node = node_of(&vtable, NULL, PAWL_CHILDREN(cache), 0);
    assert_int_equal(pawl_start(node, bed.ctx, NULL, note_end, &ended, NULL), PAWL_OK);
    pawl_runtime_pump(bed.runtime, NULL);
    assert_int_equal(pawl_runtime_shutdown(bed.runtime, NULL), PAWL_OK);
    assert_int_equal(ended.status, PAWL_E_CANCELLED);
    assert_int_equal(pawl_error_cancel_reason(ended.error), PAWL_CANCEL_SHUTDOWN);
    assert_int_equal(work.starts, 1);
    release_end(&ended);
    pawl_primitive_unref(node);
    clear_bed(&bed);
}

CLAIM(a_flight_outlives_the_pipeline_that_its_callers_gave_back) {
    (void)state;
    struct callers *callers = make_callers(0);
    size_t first = call(callers, 0);
    pump(callers);
    callers->cache = pawl_primitive_unref(callers->cache);
    leave(callers, first);
    pump(callers);
    expect_ended(callers, first, PAWL_E_CANCELLED, NULL);
    land(callers, 0, PAWL_OK, "late");
    pump(callers);
    clear_callers(callers);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flight_carries_the_callers_ids_and_baggage_but_no_state),
        cmocka_unit_test(its_spans_hang_beneath_the_caller_that_started_it),
        cmocka_unit_test(says_in_the_trace_who_shared),
        cmocka_unit_test(a_child_that_asks_for_its_own_key_is_told_instead_of_hanging),
        cmocka_unit_test(a_runtime_that_goes_takes_no_waiter_of_another_along),
        cmocka_unit_test(a_waiter_that_no_cancel_reaches_ends_with_the_runtime),
        cmocka_unit_test(a_flight_outlives_the_pipeline_that_its_callers_gave_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
