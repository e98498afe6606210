/* The queue itself: credits, chunks, and which ring belongs to which thread. */
#include "span_ring_internal.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LINES 4u /* of a record that is not plain */

struct bell {
    size_t rings;
};

static void ring_bell(void *user) {
    ((struct bell *)user)->rings++;
}

/* Whether one more record, with this number in it, found room. */
static bool put(struct pawl_span_rings *rings, uint64_t number) {
    struct pawl_span_ring *ring = pawl_span_rings_mine(rings);
    struct pawl_span_record *record = ring ? pawl_span_ring_reserve(ring, LINES) : NULL;
    if (!record)
        return false;
    memset(record, 0, sizeof *record);
    record->start_ns = number;
    pawl_span_ring_publish(ring, LINES);
    return true;
}

static size_t put_all(struct pawl_span_rings *rings, size_t count) {
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        kept += put(rings, kept);
    return kept;
}

static void one_thread_fills_the_capacity_exactly(void **state) {
    (void)state;
    const uint64_t capacities[] = {1, 7, 32, 33, 100, 1000, 2048};
    for (size_t i = 0; i < sizeof capacities / sizeof *capacities; i++) {
        struct bell bell = {0};
        struct pawl_span_rings *rings = pawl_span_rings_new(capacities[i], ring_bell, &bell);
        assert_int_equal(put_all(rings, capacities[i] + 10), capacities[i]);
        assert_int_equal(pawl_span_rings_waiting(rings), capacities[i]);
        pawl_span_rings_close(rings);
    }
}

static void records_come_out_in_their_order(void **state) {
    (void)state;
    struct bell bell = {0};
    struct pawl_span_rings *rings = pawl_span_rings_new(100, ring_bell, &bell);
    struct pawl_span_record out[70];
    uint64_t next_in = 0, next_out = 0;
    for (int round = 0; round < 200; round++) {
        for (int i = 0; i < 60; i++)
            next_in += put(rings, next_in);
        size_t taken = pawl_span_rings_take(rings, out, 1 + (size_t)round % 70);
        for (size_t i = 0; i < taken; i++)
            assert_int_equal(out[i].start_ns, next_out++);
    }
    assert_int_equal(pawl_span_rings_waiting(rings), next_in - next_out);
    pawl_span_rings_close(rings);
}

static void a_record_that_is_given_up_leaves_no_hole(void **state) {
    (void)state;
    struct bell bell = {0};
    struct pawl_span_rings *rings = pawl_span_rings_new(100, ring_bell, &bell);
    struct pawl_span_record out[100];
    for (uint64_t i = 0; i < 70; i++) {
        assert_non_null(pawl_span_ring_reserve(pawl_span_rings_mine(rings), LINES));
        assert_non_null(pawl_span_ring_reserve(pawl_span_rings_mine(rings), LINES));
        assert_true(put(rings, i));
    }
    assert_int_equal(pawl_span_rings_take(rings, out, 100), 70);
    for (uint64_t i = 0; i < 70; i++)
        assert_int_equal(out[i].start_ns, i);
    pawl_span_rings_close(rings);
}

static void *put_hundred(void *user) {
    put_all(user, 100);
    return NULL;
}

static void no_thread_keeps_another_ones_records_waiting(void **state) {
    (void)state;
    struct bell bell = {0};
    struct pawl_span_record out[50];
    struct pawl_span_rings *rings = pawl_span_rings_new(1000, ring_bell, &bell);
    pthread_t thread;
    put_all(rings, 100);
    assert_int_equal(pthread_create(&thread, NULL, put_hundred, rings), 0);
    pthread_join(thread, NULL);
    struct pawl_span_ring *newest = atomic_load(&rings->first), *oldest = newest->next;
    pawl_span_rings_take(rings, out, 50);
    pawl_span_rings_take(rings, out, 50);
    assert_int_equal(atomic_load(&newest->taken), 50);
    assert_int_equal(atomic_load(&oldest->taken), 50);
    pawl_span_rings_close(rings);
}

static void the_bell_rings_once_when_enough_wait(void **state) {
    (void)state;
    struct bell bell = {0};
    struct pawl_span_record out[64];
    struct pawl_span_rings *rings = pawl_span_rings_new(64, ring_bell, &bell);
    put_all(rings, 10);
    assert_int_equal(bell.rings, 0);
    pawl_span_rings_wake_at(rings, 5);
    put_all(rings, 4);
    assert_int_equal(bell.rings, 0);
    put_all(rings, 20);
    assert_int_equal(bell.rings, 1);
    pawl_span_rings_take(rings, out, 64);
    pawl_span_rings_wake_at(rings, 64);
    put_all(rings, 80);
    assert_int_equal(bell.rings, 2);
    pawl_span_rings_close(rings);
}

/* With places in its thread's hands that nobody may count on: those of the last lease. */
static void a_full_queue_rings_whatever_was_asked_for(void **state) {
    (void)state;
    const uint64_t capacities[] = {1, 64, 128, 256, 1024, 2048};
    for (size_t i = 0; i < sizeof capacities / sizeof *capacities; i++) {
        struct bell bell = {0};
        struct pawl_span_record out;
        struct pawl_span_rings *rings = pawl_span_rings_new(capacities[i], ring_bell, &bell);
        put_all(rings, 1);
        pawl_span_rings_take(rings, &out, 1);
        pawl_span_rings_wake_at(rings, capacities[i]);
        assert_false(pawl_span_rings_are_due(rings, capacities[i]));
        assert_int_equal(put_all(rings, capacities[i] + 1), capacities[i]);
        assert_int_equal(bell.rings, 1);
        assert_true(pawl_span_rings_are_due(rings, capacities[i]));
        pawl_span_rings_close(rings);
    }
}

static void a_queue_is_due_before_it_is_full(void **state) {
    (void)state;
    struct bell bell = {0};
    struct pawl_span_rings *rings = pawl_span_rings_new(1024, ring_bell, &bell);
    pawl_span_rings_wake_at(rings, 1024);
    put_all(rings, 1024 - 16);
    assert_false(pawl_span_rings_are_due(rings, 1024) || bell.rings);
    put_all(rings, 1);
    assert_true(pawl_span_rings_are_due(rings, 1024));
    assert_int_equal(bell.rings, 1);
    pawl_span_rings_close(rings);
}

static void *put_ten(void *user) {
    put_all(user, 10);
    return NULL;
}

static void the_ring_of_a_thread_that_ended_serves_the_next(void **state) {
    (void)state;
    struct bell bell = {0};
    struct pawl_span_record out[200];
    struct pawl_span_rings *rings = pawl_span_rings_new(100, ring_bell, &bell);
    for (int i = 0; i < 5; i++) {
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, put_ten, rings), 0);
        pthread_join(thread, NULL);
    }
    assert_int_equal(rings->count, 1);
    assert_int_equal(pawl_span_rings_take(rings, out, 200), 50);
    pawl_span_rings_close(rings);
}

static void rings_of_one_thread_do_not_mix(void **state) {
    (void)state;
    struct bell bell = {0};
    struct pawl_span_record out[64];
    struct pawl_span_rings *all[3];
    for (size_t i = 0; i < 3; i++)
        all[i] = pawl_span_rings_new(64, ring_bell, &bell);
    for (uint64_t n = 0; n < 20; n++)
        for (size_t i = 0; i < 3; i++)
            assert_true(put(all[i], n * 3 + i));
    pawl_span_rings_close(all[1]);
    for (size_t i = 0; i < 3; i += 2) {
        assert_int_equal(pawl_span_rings_take(all[i], out, 64), 20);
        assert_int_equal(out[19].start_ns, 19 * 3 + i);
        pawl_span_rings_close(all[i]);
    }
}

struct late_thread {
    struct pawl_span_rings *rings;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool has_put, may_end;
};

static void *put_and_stay(void *user) {
    struct late_thread *late = user;
    pthread_mutex_lock(&late->lock);
    put_all(late->rings, 3);
    late->has_put = true;
    pthread_cond_broadcast(&late->changed);
    while (!late->may_end)
        pthread_cond_wait(&late->changed, &late->lock);
    pthread_mutex_unlock(&late->lock);
    return NULL;
}

static void a_thread_may_outlive_the_queue(void **state) {
    (void)state;
    struct bell bell = {0};
    struct late_thread late = {.rings = pawl_span_rings_new(64, ring_bell, &bell)};
    pthread_t thread;
    pthread_mutex_init(&late.lock, NULL);
    pthread_cond_init(&late.changed, NULL);
    assert_int_equal(pthread_create(&thread, NULL, put_and_stay, &late), 0);
    pthread_mutex_lock(&late.lock);
    while (!late.has_put)
        pthread_cond_wait(&late.changed, &late.lock);
    pawl_span_rings_close(late.rings);
    late.may_end = true;
    pthread_cond_broadcast(&late.changed);
    pthread_mutex_unlock(&late.lock);
    pthread_join(thread, NULL);
}

static void chunks_are_used_again(void **state) {
    (void)state;
    struct bell bell = {0};
    struct pawl_span_record out[64];
    struct pawl_span_rings *rings = pawl_span_rings_new(64, ring_bell, &bell);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(put_all(rings, 64), 64);
        assert_int_equal(pawl_span_rings_take(rings, out, 64), 64);
    }
    assert_true(rings->free_count <= rings->most_free);
    pawl_span_rings_close(rings);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_thread_fills_the_capacity_exactly),
        cmocka_unit_test(records_come_out_in_their_order),
        cmocka_unit_test(a_record_that_is_given_up_leaves_no_hole),
        cmocka_unit_test(no_thread_keeps_another_ones_records_waiting),
        cmocka_unit_test(the_bell_rings_once_when_enough_wait),
        cmocka_unit_test(a_full_queue_rings_whatever_was_asked_for),
        cmocka_unit_test(a_queue_is_due_before_it_is_full),
        cmocka_unit_test(the_ring_of_a_thread_that_ended_serves_the_next),
        cmocka_unit_test(rings_of_one_thread_do_not_mix),
        cmocka_unit_test(a_thread_may_outlive_the_queue),
        cmocka_unit_test(chunks_are_used_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
