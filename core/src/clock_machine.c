/* This machine's counter and clock. */
#include "clock_internal.h"
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#if PAWL_HAS_TICKS
#include <cpuid.h>

/* Source: Intel SDM volume 3, "Invariant TSC"; AMD APM volume 3, CPUID Fn8000_0007 EDX bit 8. */
static bool counts_evenly(void) {
    unsigned a, b, c, d;
    return __get_cpuid(0x80000007, &a, &b, &c, &d) && (d & 1u << 8);
}

/* The kernel has seen the processors' counters start, compared them, and watches them: what it does not use itself is
 * not to be trusted. */
static bool is_the_kernels_own(void) {
    char name[8] = "";
    int file = open("/sys/devices/system/clocksource/clocksource0/current_clocksource", O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return false;
    ssize_t got = read(file, name, sizeof name);
    close(file);
    return got == 4 && memcmp(name, "tsc\n", 4) == 0;
}
#else
static bool counts_evenly(void) {
    return false;
}
static bool is_the_kernels_own(void) {
    return false;
}
#endif

/* A process may have been forbidden to read its counter: it would be killed. */
static bool is_allowed(void) {
    int mode = 0;
    return prctl(PR_GET_TSC, &mode) == 0 && mode == PR_TSC_ENABLE;
}

static bool is_safe(void *user) {
    (void)user;
    return PAWL_HAS_TICKS && is_allowed() && is_the_kernels_own() && counts_evenly();
}

static uint64_t ticks(void *user) {
    (void)user;
    return pawl_ticks_in_order();
}

static uint64_t monotonic(void *user) {
    (void)user;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * PAWL_S(1) + (uint64_t)now.tv_nsec;
}

const struct pawl_clock_source pawl_machine_clock = {
    .ticks = ticks,
    .monotonic = monotonic,
    .is_safe = is_safe,
    .span_shift = PAWL_CLOCK_SPAN_SHIFT,
};
