/* The clock that tells CLOCK_MONOTONIC from the processor's counter, on a machine made up here. */
#include "engine_internal.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* Both clocks move by 20 ns whenever one is read. */
struct machine {
    double mhz;
    double ppm; /* by how much CLOCK_MONOTONIC is slewed */
    double ticks, ns;
    double stall_ns; /* passes before the next reading of ns, once */
    double call_ns;  /* passes before every one */
    size_t monotonic_reads;
    bool unsafe;
};

static void pass_time(struct machine *machine, double ns) {
    machine->ticks += ns * machine->mhz / 1000;
    machine->ns += ns * (1 + machine->ppm / 1e6);
}

static uint64_t ticks(void *user) {
    struct machine *machine = user;
    pass_time(machine, 20);
    return (uint64_t)machine->ticks;
}

static uint64_t monotonic(void *user) {
    struct machine *machine = user;
    pass_time(machine, 20 + machine->stall_ns + machine->call_ns);
    machine->stall_ns = 0;
    machine->monotonic_reads++;
    return (uint64_t)machine->ns;
}

static bool is_safe(void *user) {
    return !((struct machine *)user)->unsafe;
}

struct bed {
    struct machine machine;
    struct pawl_clock_source source;
    struct pawl_clock clock;
    uint64_t last;
    double worst; /* distance from CLOCK_MONOTONIC so far */
};

static void start(struct bed *bed, double mhz) {
    memset(bed, 0, sizeof *bed);
    bed->machine = (struct machine){.mhz = mhz, .ticks = 1e12, .ns = 5e12};
    bed->source = (struct pawl_clock_source){.ticks = ticks,
                                             .monotonic = monotonic,
                                             .is_safe = is_safe,
                                             .user = &bed->machine,
                                             .span_shift = PAWL_CLOCK_SPAN_SHIFT};
    pawl_clock_init(&bed->clock, &bed->source, true);
}

static void look(struct bed *bed) {
    uint64_t now = pawl_clock_read_slowly(&bed->clock);
    assert_true(now >= bed->last);
    bed->last = now;
    double off = (double)now - bed->machine.ns;
    off = off < 0 ? -off : off;
    bed->worst = off > bed->worst ? off : bed->worst;
}

static void look_for(struct bed *bed, double ns, double every_ns) {
    for (double until = bed->machine.ns + ns; bed->machine.ns < until;) {
        look(bed);
        pass_time(&bed->machine, every_ns);
    }
}

static bool uses_ticks(const struct bed *bed) {
    return bed->clock.current != 0;
}

static void start_calibrated(struct bed *bed, double mhz) {
    start(bed, mhz);
    look_for(bed, 12e6, 500);
    assert_true(uses_ticks(bed));
}

/* ---- what it is for ---- */

static void a_short_program_reads_the_monotonic_clock_alone(void **state) {
    (void)state;
    struct bed bed;
    start(&bed, 3000);
    look_for(&bed, 3.9e6, 500);
    assert_int_equal(bed.clock.sample_count, 0);
    look_for(&bed, 3.9e6, 500);
    assert_false(uses_ticks(&bed));
    look_for(&bed, 1e6, 500);
    assert_true(uses_ticks(&bed));
}

static void any_processor_is_calibrated(void **state) {
    (void)state;
    for (int mhz = 1000; mhz <= 5000; mhz += 333) {
        struct bed bed;
        start_calibrated(&bed, mhz);
        bed.machine.monotonic_reads = 0;
        look_for(&bed, 1e9, 5000);
        assert_true(uses_ticks(&bed));
        assert_in_range(bed.machine.monotonic_reads, 900, 1000); /* once a line */
        assert_true(bed.worst < 2000);
    }
}

static void the_quick_way_tells_the_same(void **state) {
    (void)state;
    struct bed bed;
    start_calibrated(&bed, 2450);
    pass_time(&bed.machine, 2e6);
    look(&bed); /* a new line */
    for (int i = 0; i < 100; i++) {
        uint64_t quick = 0, now = (uint64_t)bed.machine.ticks;
        assert_true(pawl_clock_try(&bed.clock, now, &quick));
        assert_true(quick >= bed.last && (double)quick - bed.machine.ns < 100);
        look_for(&bed, 5000, 1000);
        assert_true(bed.last >= quick);
    }
    assert_false(pawl_clock_try(&bed.clock, (uint64_t)bed.machine.ticks + 10000000, &(uint64_t){0}));
    assert_false(pawl_clock_try(&bed.clock, 5, &(uint64_t){0}));
}

static void a_copy_is_of_the_line_in_use_while_there_is_one(void **state) {
    (void)state;
    struct bed bed;
    struct pawl_clock_copy copy = {.span_ticks = 7};
    start(&bed, 2450);
    assert_true(pawl_clock_read_and_copy(&bed.clock, &copy) > 0);
    assert_int_equal(copy.span_ticks, 0);
    start_calibrated(&bed, 2450);
    for (int i = 0; i < 5; i++) {
        pass_time(&bed.machine, 2e6);
        uint64_t told = pawl_clock_read_and_copy(&bed.clock, &copy), now = (uint64_t)bed.machine.ticks, quick = 0;
        assert_int_equal(copy.span_ticks, bed.clock.span_ticks);
        assert_true(pawl_clock_try(&bed.clock, now, &quick) && quick >= told);
        assert_int_equal(quick, copy.ns + ((now - copy.ticks) * copy.mult >> 32));
    }
    bed.machine.ticks *= 2; /* the machine slept, or was moved */
    (void)pawl_clock_read_and_copy(&bed.clock, &copy);
    assert_false(uses_ticks(&bed));
    assert_int_equal(copy.span_ticks, 0);
}

/* ---- against time itself ---- */

static void a_slewed_clock_is_followed(void **state) {
    (void)state;
    static const double slews[] = {-500, 500, -5000, 5000, -100, 0, 500, -500};
    struct bed bed;
    start_calibrated(&bed, 2450);
    for (size_t i = 0; i < sizeof slews / sizeof *slews; i++) {
        bed.machine.ppm = slews[i];
        look_for(&bed, 5e7, 700);
    }
    assert_true(uses_ticks(&bed));
    assert_true(bed.worst < 17000);
}

static void a_thread_that_loses_its_processor_while_it_compares_spoils_nothing(void **state) {
    (void)state;
    struct bed bed;
    start_calibrated(&bed, 2450);
    for (int i = 0; i < 1000; i++) {
        bed.machine.stall_ns = i % 2 ? 3e6 : 700; /* the latter is too short to notice */
        look_for(&bed, 3e5, 30000);
    }
    assert_true(uses_ticks(&bed));
    assert_true(bed.worst < 50000);
}

static void years_pass(void **state) {
    (void)state;
    static const double pauses[] = {1e9, 86400e9, 365 * 86400e9, 80 * 365 * 86400e9};
    for (int mhz = 1000; mhz <= 5000; mhz += 1000) {
        struct bed bed;
        start_calibrated(&bed, mhz);
        for (size_t i = 0; i < sizeof pauses / sizeof *pauses; i++) {
            pass_time(&bed.machine, pauses[i]);
            look(&bed);
            assert_true(uses_ticks(&bed));
            uint64_t left = (uint64_t)bed.machine.ns - bed.last;
            assert_true((int64_t)left < 2000 && (int64_t)left > -2000);
        }
    }
}

/* A counter of whole numbers that passes its end. */
struct wrapping {
    uint64_t ticks, ns;
};

static uint64_t wrapping_ticks(void *user) {
    struct wrapping *machine = user;
    machine->ticks += 40;
    machine->ns += 20;
    return machine->ticks;
}

static uint64_t wrapping_ns(void *user) {
    struct wrapping *machine = user;
    return machine->ns;
}

static bool always(void *user) {
    (void)user;
    return true;
}

static void a_counter_that_begins_anew_is_no_jump(void **state) {
    (void)state;
    struct wrapping machine = {.ticks = UINT64_MAX - 30000000, .ns = 77};
    struct pawl_clock_source source = {wrapping_ticks, wrapping_ns, always, &machine, PAWL_CLOCK_SPAN_SHIFT};
    struct pawl_clock clock;
    pawl_clock_init(&clock, &source, true);
    uint64_t last = 0;
    for (int i = 0; i < 30000; i++) {
        uint64_t now = pawl_clock_read_slowly(&clock);
        assert_true(now >= last && (int64_t)(now - machine.ns) < 5000);
        last = now;
        machine.ticks += 2000;
        machine.ns += 1000;
    }
    assert_true(machine.ticks < 100000000);
    assert_true(clock.current != 0);
}

/* ---- when the two disagree ---- */

static void expect_monotonic_for_good(struct bed *bed) {
    look_for(bed, 1e7, 1000);
    assert_false(uses_ticks(bed));
    look_for(bed, 1e8, 1000);
    assert_false(uses_ticks(bed));
    bed->worst = 0;
    look_for(bed, 1e6, 1000);
    assert_true(bed->worst < 50);
}

static void a_counter_that_ran_while_the_machine_slept_is_given_up(void **state) {
    (void)state;
    struct bed bed;
    start_calibrated(&bed, 2450);
    bed.machine.ticks += 2.45e12;
    expect_monotonic_for_good(&bed);
}

static void a_counter_that_was_set_back_is_given_up(void **state) {
    (void)state;
    static const double steps[] = {1e12, 1e10, 1e7, 3e6};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        struct bed bed;
        start_calibrated(&bed, 2450);
        bed.machine.ticks -= steps[i];
        expect_monotonic_for_good(&bed);
    }
}

static void a_counter_of_another_speed_is_given_up(void **state) {
    (void)state;
    for (int mhz = 1500; mhz < 4000; mhz += 1000) {
        struct bed bed;
        start_calibrated(&bed, 2450);
        bed.machine.mhz = mhz; /* moved to another host */
        expect_monotonic_for_good(&bed);
    }
}

static void a_monotonic_clock_that_leaps_ends_it(void **state) {
    (void)state;
    struct bed bed;
    start_calibrated(&bed, 2450);
    bed.machine.ns += 60e9;
    expect_monotonic_for_good(&bed);
}

static void a_machine_that_slept_during_calibration_is_not_trusted(void **state) {
    (void)state;
    struct bed bed;
    start(&bed, 2450);
    look_for(&bed, 7e6, 1000);
    assert_int_equal(bed.clock.sample_count, 2);
    bed.machine.ticks += 2.45e9;
    expect_monotonic_for_good(&bed);
}

static void a_clock_that_is_a_system_call_away_is_not_trusted(void **state) {
    (void)state;
    struct bed bed;
    start_calibrated(&bed, 2450);
    bed.machine.call_ns = 3000;
    look_for(&bed, 1e7, 1000);
    assert_false(uses_ticks(&bed));
    start(&bed, 2450);
    bed.machine.call_ns = 3000;
    look_for(&bed, 1e7, 1000);
    assert_false(uses_ticks(&bed));
}

static void nothing_is_measured_where_it_is_not_safe(void **state) {
    (void)state;
    struct bed bed;
    start(&bed, 2450);
    bed.machine.unsafe = true;
    expect_monotonic_for_good(&bed);
    assert_int_equal(bed.clock.sample_count, 0);
    start(&bed, 2450);
    pawl_clock_init(&bed.clock, &bed.source, false);
    expect_monotonic_for_good(&bed);
    start(&bed, 100); /* a counter too slow to be one */
    expect_monotonic_for_good(&bed);
}

static void threads_that_never_came_back_from_making_a_line_end_it(void **state) {
    (void)state;
    struct bed bed;
    start_calibrated(&bed, 2450);
    bed.clock.taken = 0xFF;
    expect_monotonic_for_good(&bed);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_short_program_reads_the_monotonic_clock_alone),
        cmocka_unit_test(any_processor_is_calibrated),
        cmocka_unit_test(the_quick_way_tells_the_same),
        cmocka_unit_test(a_copy_is_of_the_line_in_use_while_there_is_one),
        cmocka_unit_test(a_slewed_clock_is_followed),
        cmocka_unit_test(a_thread_that_loses_its_processor_while_it_compares_spoils_nothing),
        cmocka_unit_test(years_pass),
        cmocka_unit_test(a_counter_that_begins_anew_is_no_jump),
        cmocka_unit_test(a_counter_that_ran_while_the_machine_slept_is_given_up),
        cmocka_unit_test(a_counter_that_was_set_back_is_given_up),
        cmocka_unit_test(a_counter_of_another_speed_is_given_up),
        cmocka_unit_test(a_monotonic_clock_that_leaps_ends_it),
        cmocka_unit_test(a_machine_that_slept_during_calibration_is_not_trusted),
        cmocka_unit_test(a_clock_that_is_a_system_call_away_is_not_trusted),
        cmocka_unit_test(nothing_is_measured_where_it_is_not_safe),
        cmocka_unit_test(threads_that_never_came_back_from_making_a_line_end_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
