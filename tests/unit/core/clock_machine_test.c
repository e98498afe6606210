/* The clock on this machine: all threads, both clocks, real time. */
#include "engine_internal.h"
#include <setjmp.h>
#include <stdarg.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define THREADS 4

struct race {
    struct pawl_clock clock;
    struct pawl_clock_source source;
    _Atomic uint64_t latest; /* any thread has read */
    _Atomic unsigned backwards;
    uint64_t until_ns;
};

/* Each value is at least what every thread has told of before. */
static void *run_race(void *user) {
    struct race *race = user;
    struct pawl_clock_copy copy = {0};
    uint64_t now = 0, here = 0;
    while (now < race->until_ns) {
        uint64_t known = atomic_load(&race->latest);
        now = pawl_clock_read(&race->clock);
        race->backwards += now < known || now < here;
        while (known < now && !atomic_compare_exchange_weak(&race->latest, &known, now))
            ;
        for (int i = 0; i < 20; i++) {
            here = pawl_clock_read_here(&race->clock, &copy);
            race->backwards += here < now;
            now = here;
        }
    }
    return NULL;
}

static void hold_race(uint32_t span_shift) {
    struct race race = {.source = pawl_machine_clock};
    race.source.span_shift = span_shift;
    pawl_clock_init(&race.clock, &race.source, true);
    race.until_ns = pawl_clock_read(&race.clock) + PAWL_MS(60);
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run_race, &race), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(race.backwards, 0);
}

static void no_thread_sees_time_go_back(void **state) {
    (void)state;
    hold_race(PAWL_CLOCK_SPAN_SHIFT);
    hold_race(14); /* lines of 16 us: the threads meet where they are made */
}

static void it_stays_with_the_monotonic_clock(void **state) {
    (void)state;
    pawl_runtime *runtimes[] = {pawl_runtime_with(.seed = 1), pawl_runtime_with(.seed = 1, .no_tsc = 1)};
    uint64_t start = pawl_runtime_now(runtimes[0]), last = start, near = 0, all = 0;
    while (last < start + PAWL_MS(40)) {
        uint64_t before = pawl_runtime_now(runtimes[1]), now = pawl_runtime_now(runtimes[0]);
        uint64_t after = pawl_runtime_now(runtimes[1]);
        assert_true(now >= last);
        assert_true(now + 50000 >= before && now <= after + 50000);
        last = now;
        near += now + 1000 >= before && now <= after + 1000;
        all++;
    }
    assert_true(near > all / 2);
    assert_true(runtimes[1]->clock.current == 0);
    pawl_runtime_unref(runtimes[0]);
    pawl_runtime_unref(runtimes[1]);
}

static void a_forked_child_can_still_tell_the_time(void **state) {
    (void)state;
    static pawl_runtime *runtime; /* so that leak checkers see it in the child too */
    runtime = pawl_runtime_with(.seed = 1);
    uint64_t last = pawl_runtime_now(runtime);
    for (uint64_t until = last + PAWL_MS(20); last < until;)
        last = pawl_runtime_now(runtime);
    pid_t child = fork();
    if (child == 0) {
        bool good = true;
        for (uint64_t until = last + PAWL_MS(5); last < until;) {
            uint64_t now = pawl_runtime_now(runtime);
            good = good && now >= last;
            last = now;
        }
        _exit(good ? 0 : 1);
    }
    int status = -1;
    assert_true(waitpid(child, &status, 0) == child && status == 0);
    pawl_runtime_unref(runtime);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_thread_sees_time_go_back),
        cmocka_unit_test(it_stays_with_the_monotonic_clock),
        cmocka_unit_test(a_forked_child_can_still_tell_the_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
