/* One cache under many threads, in real time but without waiting for it. */
#include <pawl/core.h>
#include <pawl/primitives/cache.h>
#include <pawl/primitives/function.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdatomic.h>

#include <cmocka.h>

#define CLAIM(name) static void name(void **state)
#define THREADS 8

static pawl_cache_stats stats_of(const pawl_primitive *cache) {
    pawl_cache_stats stats = {.size = sizeof stats};
    assert_int_equal(pawl_cache_get_stats(cache, &stats, NULL), PAWL_OK);
    return stats;
}

static void start_all(pthread_t *threads, void *(*body)(void *user), void *user) {
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, body, user), 0);
}

static void join_all(const pthread_t *threads) {
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

/* ---- random keys, a small bound, clears ---- */

struct crowd {
    pawl_runtime *runtime;
    pawl_primitive *cache;
    atomic_uint next, wrong, submitted, done;
};

static pawl_status square(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    (void)user, (void)ctx;
    double n = pawl_value_json(in)->valuedouble;
    *ret_out = pawl_value_number(n * n);
    return *ret_out ? PAWL_OK : pawl_error_set(err, PAWL_E_NOMEM, "out of memory");
}

static bool is_square(const pawl_value *value, unsigned n) {
    return value && pawl_value_json(value)->valuedouble == (double)n * n;
}

static void check_submitted(void *user, pawl_status status, pawl_value *value, pawl_error *error) {
    struct crowd *crowd = user;
    if (status != PAWL_OK || !is_square(value, 7))
        atomic_fetch_add(&crowd->wrong, 1);
    pawl_value_unref(value);
    pawl_error_unref(error);
    atomic_fetch_add(&crowd->done, 1);
}

static void submit_seven(struct crowd *crowd) {
    pawl_context *ctx = pawl_context_new(crowd->runtime);
    pawl_value *in = pawl_value_number(7);
    if (pawl_submit(crowd->cache, ctx, in, check_submitted, crowd, NULL) == PAWL_OK)
        atomic_fetch_add(&crowd->submitted, 1);
    pawl_value_unref(in);
    pawl_context_unref(ctx);
}

static void *ask_many(void *user) {
    struct crowd *crowd = user;
    uint64_t seed = atomic_fetch_add(&crowd->next, 1);
    for (int i = 0; i < 1000; i++) {
        seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407); /* Knuth's MMIX generator */
        unsigned n = (unsigned)(seed >> 60);
        pawl_context *ctx = pawl_context_new(crowd->runtime);
        pawl_value *in = pawl_value_number(n), *out = NULL;
        if (pawl_run(crowd->cache, ctx, in, &out, NULL) != PAWL_OK || !is_square(out, n))
            atomic_fetch_add(&crowd->wrong, 1);
        if (i % 50 == 0)
            submit_seven(crowd);
        if (i % 100 == 0)
            pawl_cache_clear(crowd->cache, NULL);
        pawl_value_unref(in), pawl_value_unref(out), pawl_context_unref(ctx);
    }
    return NULL;
}

static void run_crowd(uint64_t no_single_flight, bool blocking) {
    pthread_t threads[THREADS];
    struct crowd crowd = {.runtime = pawl_runtime_new(NULL, NULL)};
    pawl_primitive *child = blocking ? pawl_function("square", square, NULL) : pawl_inline("square", square, NULL);
    crowd.cache = pawl_cache("c", child, .ttl_ns = PAWL_MIN(1), .max_entries = 6, .no_single_flight = no_single_flight);
    start_all(threads, ask_many, &crowd);
    join_all(threads);
    while (atomic_load(&crowd.done) < atomic_load(&crowd.submitted))
        sched_yield();
    pawl_runtime_unref(crowd.runtime);
    pawl_cache_stats stats = stats_of(crowd.cache);
    assert_int_equal(stats.hits + stats.misses + stats.shared, THREADS * 1000 + crowd.submitted);
    assert_true(stats.entries <= 6);
    assert_int_equal(crowd.wrong, 0);
    pawl_primitive_unref(crowd.cache);
}

CLAIM(gives_each_key_its_own_value_whoever_asks) {
    (void)state;
    run_crowd(0, false);
    run_crowd(1, false);
    run_crowd(0, true);
}

/* ---- one key, a leaf that is held ---- */

struct gate {
    pawl_runtime *runtime;
    pawl_primitive *cache;
    pawl_context *leader;
    atomic_uint calls, right;
    atomic_bool inside, open;
};

static pawl_status pass_the_gate(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out,
                                 pawl_error **err) {
    (void)ctx, (void)in, (void)ret_out, (void)err;
    struct gate *gate = user;
    atomic_fetch_add(&gate->calls, 1);
    atomic_store(&gate->inside, true);
    while (!atomic_load(&gate->open))
        sched_yield();
    return PAWL_OK;
}

static struct gate make_gate(void) {
    return (struct gate){.runtime = pawl_runtime_new(NULL, NULL)};
}

static void put_in_cache(struct gate *gate) {
    gate->cache = pawl_cache("c", pawl_function("gate", pass_the_gate, gate), .ttl_ns = PAWL_MIN(1));
    gate->leader = pawl_context_new(gate->runtime);
}

static void clear_gate(struct gate *gate) {
    pawl_context_unref(gate->leader);
    pawl_primitive_unref(gate->cache);
    pawl_runtime_unref(gate->runtime);
}

static void *ask(void *user) {
    struct gate *gate = user;
    pawl_context *ctx = pawl_context_new(gate->runtime);
    if (pawl_run(gate->cache, ctx, NULL, NULL, NULL) == PAWL_OK)
        atomic_fetch_add(&gate->right, 1);
    pawl_context_unref(ctx);
    return NULL;
}

static void *lead(void *user) {
    struct gate *gate = user;
    if (pawl_run(gate->cache, gate->leader, NULL, NULL, NULL) == PAWL_E_CANCELLED)
        atomic_fetch_add(&gate->right, 1);
    return NULL;
}

static void wait_for_sharers(const struct gate *gate, uint64_t count) {
    while (stats_of(gate->cache).shared < count)
        sched_yield();
}

CLAIM(B14_threads_share_one_flight) {
    (void)state;
    pthread_t threads[THREADS];
    struct gate gate = make_gate();
    put_in_cache(&gate);
    start_all(threads, ask, &gate);
    wait_for_sharers(&gate, THREADS - 1);
    atomic_store(&gate.open, true);
    join_all(threads);
    assert_int_equal(gate.calls, 1);
    assert_int_equal(gate.right, THREADS);
    clear_gate(&gate);
}

CLAIM(B14_a_flight_goes_on_without_the_thread_that_started_it) {
    (void)state;
    pthread_t leader, threads[THREADS];
    struct gate gate = make_gate();
    put_in_cache(&gate);
    assert_int_equal(pthread_create(&leader, NULL, lead, &gate), 0);
    while (!atomic_load(&gate.inside))
        sched_yield();
    start_all(threads, ask, &gate);
    wait_for_sharers(&gate, THREADS);
    pawl_context_cancel(gate.leader, PAWL_CANCEL_USER, NULL);
    pthread_join(leader, NULL); /* returns while the leaf is still held */
    assert_int_equal(gate.right, 1);
    atomic_store(&gate.open, true);
    join_all(threads);
    assert_int_equal(gate.calls, 1);
    assert_int_equal(gate.right, 1 + THREADS);
    clear_gate(&gate);
}

CLAIM(shutting_down_ends_flights_that_nobody_waits_for) {
    (void)state;
    pthread_t leader;
    struct gate gate = make_gate();
    put_in_cache(&gate);
    assert_int_equal(pthread_create(&leader, NULL, lead, &gate), 0);
    while (!atomic_load(&gate.inside))
        sched_yield();
    pawl_context_cancel(gate.leader, PAWL_CANCEL_USER, NULL);
    pthread_join(leader, NULL);
    atomic_store(&gate.open, true);
    assert_int_equal(pawl_runtime_shutdown(gate.runtime, NULL), PAWL_OK);
    pawl_runtime_stats stats = {.size = sizeof stats};
    pawl_runtime_get_stats(gate.runtime, &stats);
    assert_int_equal(stats.live_runs, 0);
    assert_int_equal(stats.live_frames, 0);
    clear_gate(&gate);
}

/* ---- waiters that are cancelled at any moment ---- */

struct storm {
    pawl_runtime *runtime;
    pawl_primitive *cache;
    pthread_mutex_t lock; /* guards ctx */
    pawl_context *ctx[THREADS];
    atomic_uint next, wrong;
    atomic_bool over;
};

static void show_context(struct storm *storm, unsigned self, pawl_context *ctx) {
    pthread_mutex_lock(&storm->lock);
    pawl_context_unref(storm->ctx[self]);
    storm->ctx[self] = ctx;
    pthread_mutex_unlock(&storm->lock);
}

static void *ask_in_storm(void *user) {
    struct storm *storm = user;
    unsigned self = atomic_fetch_add(&storm->next, 1);
    for (unsigned i = 0; i < 300; i++) {
        pawl_context *ctx = pawl_context_new(storm->runtime);
        show_context(storm, self, pawl_context_ref(ctx));
        pawl_value *in = pawl_value_number(i), *out = NULL;
        pawl_status status = pawl_run(storm->cache, ctx, in, &out, NULL);
        if (status != PAWL_E_CANCELLED && (status != PAWL_OK || !is_square(out, i)))
            atomic_fetch_add(&storm->wrong, 1);
        pawl_value_unref(in), pawl_value_unref(out), pawl_context_unref(ctx);
    }
    show_context(storm, self, NULL);
    return NULL;
}

static void *cancel_at_random(void *user) {
    struct storm *storm = user;
    for (unsigned i = 0; !atomic_load(&storm->over); i++) {
        pthread_mutex_lock(&storm->lock);
        pawl_context *ctx = pawl_context_ref(storm->ctx[i * 5 % THREADS]);
        pthread_mutex_unlock(&storm->lock);
        pawl_context_cancel(ctx, PAWL_CANCEL_USER, NULL);
        pawl_context_unref(ctx);
        sched_yield();
    }
    return NULL;
}

CLAIM(B14_a_storm_of_cancels_poisons_nobody_and_leaves_nothing) {
    (void)state;
    pthread_t threads[THREADS], canceller;
    struct storm storm = {.runtime = pawl_runtime_new(NULL, NULL), .lock = PTHREAD_MUTEX_INITIALIZER};
    storm.cache = pawl_cache("c", pawl_function("square", square, NULL), .ttl_ns = PAWL_MIN(1));
    start_all(threads, ask_in_storm, &storm);
    assert_int_equal(pthread_create(&canceller, NULL, cancel_at_random, &storm), 0);
    join_all(threads);
    atomic_store(&storm.over, true);
    pthread_join(canceller, NULL);
    assert_int_equal(storm.wrong, 0);
    pawl_runtime_shutdown(storm.runtime, NULL);
    pawl_runtime_stats stats = {.size = sizeof stats};
    pawl_runtime_get_stats(storm.runtime, &stats);
    assert_int_equal(stats.live_runs, 0);
    pawl_primitive_unref(storm.cache);
    pawl_runtime_unref(storm.runtime);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_each_key_its_own_value_whoever_asks),
        cmocka_unit_test(B14_threads_share_one_flight),
        cmocka_unit_test(B14_a_flight_goes_on_without_the_thread_that_started_it),
        cmocka_unit_test(shutting_down_ends_flights_that_nobody_waits_for),
        cmocka_unit_test(B14_a_storm_of_cancels_poisons_nobody_and_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
