#include "leaves.h"

#include <pawl/primitives/function.h>
#include <pawl/unstable/step.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- inline leaves ---- */

static pawl_status pass(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    (void)user, (void)ctx, (void)in, (void)ret_out, (void)err;
    return PAWL_OK;
}

pawl_primitive *passing(const char *name) {
    return pawl_inline(name, pass, NULL);
}

static pawl_status give_constant(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out,
                                 pawl_error **err) {
    (void)ctx, (void)in, (void)err;
    *ret_out = pawl_value_ref(user);
    return PAWL_OK;
}

static void release_value(void *user) {
    pawl_value_unref(user);
}

pawl_primitive *constant(const char *name, const char *json) {
    pawl_value *value = NULL;
    pawl_status status = pawl_value_parse(json, strlen(json), NULL, &value, NULL);
    if (status == PAWL_E_NOMEM)
        return pawl_inline(name, NULL, NULL);
    assert_int_equal(status, PAWL_OK);
    return pawl_inline_owning(name, give_constant, value, release_value);
}

static pawl_status fail_always(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    (void)ctx, (void)in, (void)ret_out;
    return pawl_error_set(err, (pawl_status)(uintptr_t)user, "failed on purpose");
}

pawl_primitive *failing(const char *name, pawl_status status) {
    return pawl_inline(name, fail_always, (void *)(uintptr_t)status);
}

static pawl_status count(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    (void)ctx, (void)in, (void)ret_out, (void)err;
    atomic_fetch_add((atomic_size_t *)user, 1);
    return PAWL_OK;
}

pawl_primitive *counting(const char *name, atomic_size_t *calls) {
    return pawl_inline(name, count, calls);
}

static pawl_status be_flaky(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    (void)ctx, (void)ret_out;
    struct flaky *flaky = user;
    size_t call = atomic_fetch_add(&flaky->calls, 1) + 1;
    flaky->saw_another = flaky->saw_another || (flaky->seen && flaky->seen != in);
    flaky->seen = in;
    if (flaky->failures_left == 0)
        return PAWL_OK;
    flaky->failures_left--;
    pawl_error_info info = {.size = sizeof info,
                            .status = flaky->code ? flaky->code : PAWL_E_UNAVAILABLE,
                            .retry_after_ns = flaky->retry_after_ns};
    return pawl_error_set_info(err, &info, "flaky: call %zu", call);
}

pawl_primitive *flaky_primitive(struct flaky *flaky) {
    return pawl_inline("flaky", be_flaky, flaky);
}

/* ---- leaves that wait ---- */

static pawl_status sleep_for(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    (void)in, (void)ret_out;
    return pawl_context_sleep(ctx, (uintptr_t)user, err);
}

pawl_primitive *sleeper(const char *name, uint64_t duration_ns) {
    return pawl_function(name, sleep_for, (void *)(uintptr_t)duration_ns);
}

static pawl_step pause_step(const void *state, pawl_frame *frame, pawl_event *event) {
    if (pawl_event_kind_of(event) == PAWL_EVENT_START)
        return pawl_step_wait(frame, (uintptr_t)state);
    return pawl_step_succeed(frame, event, NULL);
}

static const pawl_primitive_vtable pause_vtable = {
    .size = sizeof pause_vtable, .type_name = "pausing", .step = pause_step};

pawl_primitive *pausing(const char *name, uint64_t duration_ns) {
    pawl_primitive_spec spec = {
        .size = sizeof spec, .vtable = &pause_vtable, .name = name, .state = (void *)(uintptr_t)duration_ns};
    return pawl_primitive_new(&spec);
}

/* ---- async ---- */

static void start_manual(void *user, pawl_op op, pawl_context *ctx, pawl_value *in, void **ret_op_data) {
    (void)ctx, (void)in;
    struct manual_op *manual = user;
    manual->starts++;
    manual->op = op;
    manual->pending = true;
    *ret_op_data = manual;
    if (manual->completes == COMPLETES_AT_ONCE)
        complete(manual, PAWL_OK, NULL);
}

static void cancel_manual(void *user, pawl_op op, void *op_data, pawl_cancel_reason reason) {
    struct manual_op *manual = user;
    assert_ptr_equal(op_data, manual);
    assert_true(op.slot == manual->op.slot && op.generation == manual->op.generation);
    manual->cancels++;
    manual->reason = reason;
    if (manual->completes == COMPLETES_ON_CANCEL)
        complete(manual, PAWL_E_CANCELLED, NULL);
}

static void destroy_manual(void *user, void *op_data) {
    struct manual_op *manual = user;
    assert_ptr_equal(op_data, manual);
    assert_false(manual->pending);
    manual->destroys++;
}

static const pawl_async_vtable manual_vtable = {
    .size = sizeof manual_vtable, .start = start_manual, .cancel = cancel_manual, .destroy = destroy_manual};

pawl_primitive *manual_primitive(const char *name, struct manual_op *manual) {
    return pawl_async(name, &manual_vtable, manual);
}

bool complete(struct manual_op *manual, pawl_status status, pawl_value *value) {
    manual->pending = false;
    return pawl_op_complete(manual->op, status, value, NULL);
}

bool complete_when_idle(void *manual) {
    struct manual_op *op = manual;
    return op->pending && complete(op, PAWL_OK, NULL);
}

/* ---- combinators ---- */

pawl_primitive *node_of(const pawl_primitive_vtable *vtable, void *state, pawl_primitive *const *children,
                        uint64_t frame_bytes) {
    pawl_primitive_spec spec = {.size = sizeof spec,
                                .vtable = vtable,
                                .name = vtable->type_name,
                                .state = state,
                                .children = children,
                                .frame_bytes = frame_bytes};
    return pawl_primitive_new(&spec);
}

struct join_frame {
    pawl_error *first;
    size_t running;
    pawl_value *values[16];
};

static void start_all(pawl_frame *frame, struct join_frame *f) {
    const pawl_primitive *node = pawl_frame_node(frame);
    f->running = pawl_primitive_child_count(node);
    for (size_t i = 0; i < f->running; i++)
        pawl_frame_start(frame, i, pawl_primitive_child(node, i), pawl_frame_input(frame), NULL);
}

static pawl_step end_join(struct join_frame *f, pawl_frame *frame, pawl_event *event) {
    size_t lanes = pawl_primitive_child_count(pawl_frame_node(frame));
    pawl_value *list = f->first ? NULL : pawl_value_list(f->values, lanes);
    for (size_t i = 0; i < lanes; i++)
        pawl_value_unref(f->values[i]);
    if (f->first)
        return pawl_step_fail_with(frame, event, f->first);
    pawl_failure failure = {.size = sizeof failure, .status = PAWL_E_NOMEM, .what = "no memory for the list"};
    return list ? pawl_step_succeed(frame, event, list) : pawl_step_fail(frame, event, &failure);
}

static pawl_step join_step(const void *state, pawl_frame *frame, pawl_event *event) {
    (void)state;
    struct join_frame *f = pawl_frame_memory(frame);
    if (pawl_event_kind_of(event) == PAWL_EVENT_START) {
        start_all(frame, f);
        return pawl_step_wait_children(frame);
    }
    pawl_outcome *outcome = pawl_event_outcome(event);
    if (pawl_outcome_status(outcome) == PAWL_OK) {
        f->values[pawl_event_lane(event)] = pawl_outcome_take_value(outcome);
    } else if (!f->first) {
        f->first = pawl_outcome_take_error(outcome);
        pawl_frame_cancel_children(frame, PAWL_CANCEL_SIBLING_FAILED);
    }
    return --f->running ? pawl_step_wait_children(frame) : end_join(f, frame, event);
}

static const pawl_primitive_vtable join_vtable = {.size = sizeof join_vtable, .type_name = "joined", .step = join_step};

pawl_primitive *joined_new(const char *name, pawl_primitive *const *children) {
    size_t lanes = 0;
    while (children[lanes] != PAWL_END)
        lanes++;
    assert_in_range(lanes, 1, 16);
    pawl_primitive_spec spec = {.size = sizeof spec,
                                .vtable = &join_vtable,
                                .name = name,
                                .children = children,
                                .frame_bytes = sizeof(struct join_frame),
                                .lanes = lanes};
    return pawl_primitive_new(&spec);
}

pawl_status run_once(pawl_runtime *runtime, pawl_primitive *node) {
    pawl_context *ctx = pawl_context_new(runtime);
    pawl_status status = ctx ? pawl_run(node, ctx, NULL, NULL, NULL) : PAWL_E_NOMEM;
    pawl_context_unref(ctx);
    pawl_primitive_unref(node);
    return status;
}

/* ---- expectations ---- */

void expect_error(pawl_error *err, pawl_status status, const char *part) {
    char text[4096];
    pawl_error_describe(err, text, sizeof text);
    if (pawl_error_status(err) != status || (part && !strstr(text, part)))
        fail_msg("expected %s with '%s', got %s: %s", pawl_status_name(status), part ? part : "",
                 pawl_status_name(pawl_error_status(err)), text);
    pawl_error_unref(err);
}

void expect_output(pawl_primitive *node, pawl_context *ctx, const char *in, const char *out) {
    char *text = NULL;
    pawl_error *err = NULL;
    if (pawl_run_text(node, ctx, in, &text, &err) != PAWL_OK)
        expect_error(err, PAWL_OK, "no error");
    assert_null(err);
    assert_string_equal(text, out);
    free(text);
}

void expect_failure(pawl_primitive *node, pawl_context *ctx, const char *in, pawl_status status, const char *part) {
    char *text = NULL;
    pawl_error *err = NULL;
    pawl_status given = pawl_run_text(node, ctx, in, &text, &err);
    assert_int_equal(given, pawl_error_status(err));
    assert_null(text);
    expect_error(err, status, part);
}
