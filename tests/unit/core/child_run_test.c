/* pawl_run() inside a blocking leaf: a run within a run, whose context lies on the leaf's stack. */
#include "engine_internal.h"
#include "leaves.h"
#include "virtual_runtime.h"

#include <pawl/primitives/function.h>
#include <pawl/primitives/sequential.h>
#include <pawl/primitives/timeout.h>
#include <semaphore.h>
#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

struct child {
    pawl_primitive *node;
    uint8_t trace[2][16];
    uint64_t deadline[2];
    const char *tag;
    char correlation[2][64];
};

static void look(struct child *child, size_t i, pawl_context *ctx) {
    pawl_context_trace_id(ctx, child->trace[i]);
    child->deadline[i] = pawl_context_deadline(ctx);
    strncpy(child->correlation[i], pawl_context_id(ctx, PAWL_ID_CORRELATION), 63);
}

static pawl_status look_inside(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    (void)in, (void)ret_out, (void)err;
    look(user, 1, ctx);
    assert_string_equal(pawl_context_tag(ctx, "who"), "parent");
    assert_null(pawl_context_state(ctx, "state")); /* its own */
    pawl_context *kept = pawl_context_child(ctx), *held = pawl_context_ref(ctx);
    assert_non_null(kept);
    assert_int_equal(pawl_context_deadline(kept), pawl_context_deadline(ctx));
    pawl_context_unref(kept);
    pawl_context_unref(held);
    return PAWL_OK;
}

static pawl_status run_child(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    struct child *child = user;
    look(child, 0, ctx);
    assert_int_equal(pawl_context_set_state(ctx, "state", in, NULL), PAWL_OK);
    return pawl_run(child->node, ctx, in, ret_out, err);
}

static void a_child_run_shares_trace_ids_and_deadline(void **state) {
    (void)state;
    pawl_runtime *runtime = pawl_runtime_with(.seed = 1);
    pawl_context *ctx = pawl_context_new(runtime);
    pawl_context_set_tag(ctx, "who", "parent", NULL);
    pawl_context_set_timeout(ctx, PAWL_MIN(1), NULL);
    struct child child = {0};
    child.node = pawl_sequential("in", pawl_function("look", look_inside, &child), constant("c", "5"));
    pawl_primitive *node = pawl_timeout("limit", pawl_function("out", run_child, &child), .after_ns = PAWL_S(9));
    expect_output(node, ctx, "1", "5");
    assert_memory_equal(child.trace[0], child.trace[1], 16);
    assert_string_equal(child.correlation[0], child.correlation[1]);
    assert_int_equal(child.deadline[0], child.deadline[1]);
    assert_true(child.deadline[0] < pawl_context_deadline(ctx));
    pawl_primitive_unref(node);
    pawl_primitive_unref(child.node);
    pawl_context_unref(ctx);
    pawl_runtime_unref(runtime);
}

static pawl_status keep_context(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    (void)in, (void)ret_out, (void)err;
    pawl_context **kept = user;
    kept[0] = pawl_context_ref(ctx);
    kept[1] = pawl_context_child(ctx);
    return PAWL_OK;
}

static pawl_status run_other(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    return pawl_run(user, ctx, in, ret_out, err);
}

static void a_reference_taken_inside_a_child_run_is_to_what_outlives_it(void **state) {
    (void)state;
    pawl_runtime *runtime = pawl_runtime_with(.seed = 1);
    pawl_context *ctx = pawl_context_new(runtime), *kept[2];
    pawl_primitive *leaf = pawl_function("keep", keep_context, kept), *inner = pawl_function("run", run_other, leaf);
    pawl_primitive *outer = pawl_function("run", run_other, inner);
    expect_output(outer, ctx, NULL, "null");
    assert_ptr_equal(kept[0], ctx);
    pawl_context_cancel(ctx, PAWL_CANCEL_USER, NULL);
    assert_int_equal(pawl_context_cancelled(kept[1]), PAWL_CANCEL_USER);
    pawl_primitive_unref(outer);
    pawl_primitive_unref(inner);
    pawl_primitive_unref(leaf);
    pawl_context_unref(kept[0]);
    pawl_context_unref(kept[1]);
    pawl_context_unref(ctx);
    pawl_runtime_unref(runtime);
}

struct canceller {
    pthread_t thread;
    pawl_context *ctx;
    sem_t go;
};

static void *cancel_when_told(void *user) {
    struct canceller *c = user;
    sem_wait(&c->go);
    pawl_context_cancel(c->ctx, PAWL_CANCEL_USER, "from a thread");
    return NULL;
}

static pawl_status tell_canceller(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out,
                                  pawl_error **err) {
    (void)ctx, (void)in, (void)ret_out, (void)err;
    sem_post(&((struct canceller *)user)->go);
    return PAWL_OK;
}

/* A cancel that comes just when a child run, whose context lies on its leaf's stack, is about to end. */
static void a_cancel_beside_the_end_of_a_child_run_neither_hangs_nor_touches_it_later(void **state) {
    (void)state;
    pawl_runtime *runtime = pawl_runtime_with(.seed = 1);
    for (int i = 0; i < 300; i++) {
        struct canceller c = {.ctx = pawl_context_new(runtime)};
        sem_init(&c.go, 0, 0);
        pthread_create(&c.thread, NULL, cancel_when_told, &c);
        pawl_primitive *inner = pawl_sequential("in", pawl_inline("tell", tell_canceller, &c),
                                                pausing("p", PAWL_US(5) * (uint64_t)(i % 10)));
        pawl_primitive *outer = pawl_function("out", run_other, inner);
        pawl_error *err = NULL;
        pawl_status status = pawl_run(outer, c.ctx, NULL, NULL, &err);
        assert_true(status == PAWL_OK || status == PAWL_E_CANCELLED);
        pawl_error_unref(err);
        pthread_join(c.thread, NULL);
        pawl_primitive_unref(outer);
        pawl_primitive_unref(inner);
        pawl_context_unref(c.ctx);
        sem_destroy(&c.go);
    }
    expect_nothing_alive(runtime);
    pawl_runtime_unref(runtime);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_child_run_shares_trace_ids_and_deadline),
        cmocka_unit_test(a_reference_taken_inside_a_child_run_is_to_what_outlives_it),
        cmocka_unit_test(a_cancel_beside_the_end_of_a_child_run_neither_hangs_nor_touches_it_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
