/* A loop's inbox, memory and turns. */
#include "engine_internal.h"
#include "failing_malloc.h"
#include "leaves.h"
#include "virtual_runtime.h"

#include <pawl/primitives/sequential.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct world {
    struct fake_clock time;
    pawl_runtime *runtime;
    struct loop *loop;
};

static int make_world(void **state) {
    struct world *w = calloc(1, sizeof *w);
    w->runtime = virtual_runtime(&w->time);
    w->loop = pawl_loop_new(w->runtime, 1);
    *state = w;
    return 0;
}

static int end_world(void **state) {
    struct world *w = *state;
    pawl_loop_free(w->loop);
    pawl_runtime_unref(w->runtime);
    free(w);
    return 0;
}

static void a_closed_loop_takes_no_post(void **state) {
    struct world *w = *state;
    struct post first = {.kind = POST_ADOPT}, second = {.kind = POST_ADOPT}; /* which nobody acts upon */
    assert_true(pawl_loop_post(w->loop, &first));
    assert_true(pawl_loop_has_work(w->loop));
    pawl_loop_drain(w->loop);
    assert_false(pawl_loop_has_work(w->loop));
    assert_true(pawl_loop_post(w->loop, &first));
    pawl_loop_close(w->loop);
    assert_false(pawl_loop_post(w->loop, &second));
    pawl_loop_drain(w->loop);
    assert_false(pawl_loop_post(w->loop, &second));
}

static void blocks_are_kept_for_the_next_of_their_size(void **state) {
    struct world *w = *state;
    size_t sizes[] = {1, 512, 513, 5000, 100000, 1000000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        void *block = pawl_loop_take_block(w->loop, sizes[i]);
        assert_int_equal((uintptr_t)block % FRAME_ALIGN, 0);
        memset(block, 1, sizes[i]);
        pawl_loop_give_block(w->loop, block, sizes[i]);
        size_t before = allocations_made();
        block = pawl_loop_take_block(w->loop, sizes[i]);
#ifndef __SANITIZE_ADDRESS__
        assert_int_equal(allocations_made(), before);
#else
        assert_int_equal(allocations_made(), before + 1);
#endif
        pawl_loop_give_block(w->loop, block, sizes[i]);
    }
    void *huge = pawl_loop_take_block(w->loop, PAWL_MIB(3));
    memset(huge, 1, PAWL_MIB(3));
    pawl_loop_give_block(w->loop, huge, PAWL_MIB(3));
}

static void what_is_kept_is_bounded(void **state) {
    struct world *w = *state;
    void *blocks[10];
    for (size_t i = 0; i < 10; i++)
        blocks[i] = pawl_loop_take_block(w->loop, PAWL_MIB(1));
    for (size_t i = 0; i < 10; i++)
        pawl_loop_give_block(w->loop, blocks[i], PAWL_MIB(1));
    for (size_t class = 0; class < BLOCK_CLASSES; class ++)
        assert_true(w->loop->block_counts[class] * ((uint64_t)BLOCK_SMALLEST << class) <= PAWL_MIB(4));
}

static void op_slots_are_reserved_once_and_used_again(void **state) {
    struct world *w = *state;
    assert_true(pawl_loop_reserve_ops(w->loop, 5));
    w->loop->ops_reserved -= 5;
    size_t before = allocations_made();
    assert_true(pawl_loop_reserve_ops(w->loop, 4));
    assert_int_equal(allocations_made(), before);
    fail_allocation_at(1);
    assert_false(pawl_loop_reserve_ops(w->loop, 2));
    allow_allocations();
    assert_int_equal(w->loop->ops_reserved, 4);
}

/* ---- nobody starves ---- */

struct spinner {
    pawl_waker waker;
};

struct spin {
    atomic_size_t others_ended;
    size_t wakes;
    sem_t done;
};

/* Wakes itself without end, until the others have had their turn. */
static pawl_step spin_step(const void *state, pawl_frame *frame, pawl_event *event) {
    struct spin *spin = (struct spin *)state;
    struct spinner *f = pawl_frame_memory(frame);
    if (pawl_event_kind_of(event) == PAWL_EVENT_START)
        pawl_waker_init(&f->waker, frame);
    else if (spin->others_ended || ++spin->wakes > 50000000)
        return pawl_step_succeed(frame, event, NULL);
    pawl_waker_wake(&f->waker);
    return pawl_step_park(frame, PAWL_NEVER);
}

static void note_done(void *user, pawl_status status, pawl_value *value, pawl_error *error) {
    struct spin *spin = user;
    assert_int_equal(status, PAWL_OK);
    pawl_value_unref(value);
    pawl_error_unref(error);
    sem_post(&spin->done);
}

static void a_timer_fires_while_events_never_cease(void **state) {
    (void)state;
    static const pawl_primitive_vtable vtable = {.size = sizeof vtable, .type_name = "spinner", .step = spin_step};
    struct spin spin = {0};
    sem_init(&spin.done, 0, 0);
    pawl_runtime *runtime = pawl_runtime_with(.seed = 1);
    pawl_primitive_spec spec = {
        .size = sizeof spec, .vtable = &vtable, .name = "spin", .state = &spin, .frame_bytes = sizeof(struct spinner)};
    pawl_primitive *spinner = pawl_primitive_new(&spec);
    pawl_primitive *both =
        joined("both", pawl_primitive_ref(spinner),
               pawl_sequential("timed", pausing("p", PAWL_US(100)), counting("c", &spin.others_ended)));
    for (size_t i = 0; i < 2; i++) { /* on a thread of the runtime, then here */
        spin.others_ended = 0;
        pawl_context *ctx = pawl_context_new(runtime);
        if (i == 0) {
            assert_int_equal(pawl_submit(both, ctx, NULL, note_done, &spin, NULL), PAWL_OK);
            sem_wait(&spin.done);
        } else {
            expect_output(both, ctx, "1", "[1,1]");
        }
        assert_int_equal(spin.others_ended, 1);
        assert_true(spin.wakes < 50000000);
        pawl_context_unref(ctx);
    }
    pawl_primitive_unref(both);
    pawl_primitive_unref(spinner);
    pawl_runtime_unref(runtime);
    sem_destroy(&spin.done);
}

static void a_loop_without_memory_is_none(void **state) {
    struct world *w = *state;
    for_each_failing_allocation(n) {
        struct loop *loop = pawl_loop_new(w->runtime, 1);
        assert_true((loop == NULL) == (allocations_failed() > 0));
        pawl_loop_free(loop);
    }
    pawl_loop_free(NULL);
}

int main(void) {
#define in_world(test) cmocka_unit_test_setup_teardown(test, make_world, end_world)
    const struct CMUnitTest tests[] = {
        in_world(a_closed_loop_takes_no_post),
        in_world(blocks_are_kept_for_the_next_of_their_size),
        in_world(what_is_kept_is_bounded),
        in_world(op_slots_are_reserved_once_and_used_again),
        cmocka_unit_test(a_timer_fires_while_events_never_cease),
        in_world(a_loop_without_memory_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
