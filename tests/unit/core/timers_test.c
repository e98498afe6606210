/* The pairing heap against the plainest model: a list searched for its least. */
#include "engine_internal.h"
#include "random_internal.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FRAMES 200

static uint64_t least(const pawl_frame *frames, const bool *in) {
    uint64_t least = PAWL_NEVER;
    for (size_t i = 0; i < FRAMES; i++)
        if (in[i] && frames[i].wake_ns < least)
            least = frames[i].wake_ns;
    return least;
}

static void the_first_is_always_the_earliest_whatever_is_added_and_removed(void **state) {
    (void)state;
    static pawl_frame frames[FRAMES];
    bool in[FRAMES] = {false};
    pawl_frame *heap = NULL;
    struct pawl_random random;
    pawl_random_seed(&random, 7);
    for (int step = 0; step < 20000; step++) {
        size_t i = pawl_random_next(&random) % FRAMES;
        if (in[i]) {
            heap = pawl_timers_remove(heap, &frames[i]);
        } else {
            frames[i].wake_ns = pawl_random_next(&random) % 50; /* equal ones too */
            heap = pawl_timers_add(heap, &frames[i]);
        }
        in[i] = !in[i];
        assert_int_equal(heap ? heap->wake_ns : PAWL_NEVER, least(frames, in));
    }
    for (size_t i = 0; i < FRAMES; i++)
        if (in[i])
            heap = pawl_timers_remove(heap, &frames[i]);
    assert_null(heap);
}

static void taking_the_first_again_and_again_gives_them_in_order(void **state) {
    (void)state;
    static pawl_frame frames[FRAMES];
    pawl_frame *heap = NULL;
    for (size_t i = 0; i < FRAMES; i++) {
        frames[i].wake_ns = (i * 7919) % FRAMES;
        heap = pawl_timers_add(heap, &frames[i]);
    }
    for (uint64_t expected = 0; expected < FRAMES; expected++) {
        assert_int_equal(heap->wake_ns, expected);
        heap = pawl_timers_remove(heap, heap);
    }
    assert_null(heap);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_is_always_the_earliest_whatever_is_added_and_removed),
        cmocka_unit_test(taking_the_first_again_and_again_gives_them_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
