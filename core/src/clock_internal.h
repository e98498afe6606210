/* The runtime's clocks: time that never goes back, and what to add to it for the time of day. */
#ifndef PAWL_CLOCK_INTERNAL_H
#define PAWL_CLOCK_INTERNAL_H

#include <pawl/runtime.h>
#include <stdatomic.h>

/* ---- clock.c: CLOCK_MONOTONIC, told from the processor's counter where that is safe ---- */

/* What the clock is made of. */
struct pawl_clock_source {
    uint64_t (*ticks)(void *user);     /* not before what came before it in the program */
    uint64_t (*monotonic)(void *user); /* ns */
    bool (*is_safe)(void *user);       /* whether the ticks can be trusted; asked once, may take 100 us */
    void *user;
    uint32_t span_shift; /* an anchor is good for 2^span_shift ns */
};

/* A straight line from ticks to time. */
struct pawl_clock_line {
    uint64_t ticks, ns;           /* where it begins */
    uint64_t mult;                /* ns a tick, times 2^32 */
    uint64_t seen_ticks, seen_ns; /* the two clocks side by side, when it was made */
};

struct pawl_clock_anchor {
    _Atomic uint64_t ticks, ns, mult, seen_ticks, seen_ns;
};

struct pawl_clock_sample {
    uint64_t ticks, ns;
    uint64_t width; /* ticks between the two readings around ns */
};

#define PAWL_CLOCK_ANCHORS 8u
#define PAWL_CLOCK_SPAN_SHIFT 20u /* 1.05 ms */

/* How it works is told in clock.c. */
struct pawl_clock {
    struct pawl_clock_anchor anchors[PAWL_CLOCK_ANCHORS];
    _Atomic uint64_t current; /* generation * PAWL_CLOCK_ANCHORS + index of the anchor in use; 0: none */
    uint64_t span_ticks;      /* fixed before the first anchor, as is nominal */
    uint64_t nominal;         /* mult as calibrated */
    const struct pawl_clock_source *source;
    atomic_uint taken;         /* a bit for each anchor that is in use, or being written */
    atomic_uint state;         /* of calibration */
    _Atomic uint64_t look_ns;  /* when the next sample is due */
    _Atomic uint64_t floor_ns; /* CLOCK_MONOTONIC may still be before what the ticks have told */
    uint32_t sample_count;
    struct pawl_clock_sample samples[2];
};

/* trusted false: CLOCK_MONOTONIC for ever. source must outlive the clock. */
void pawl_clock_init(struct pawl_clock *clock, const struct pawl_clock_source *source, bool trusted);
/* The complete way to read it. */
uint64_t pawl_clock_read_slowly(struct pawl_clock *clock);

/* The quick way: false when there is no anchor for these ticks. */
static inline bool pawl_clock_try(const struct pawl_clock *clock, uint64_t ticks, uint64_t *ret_ns) {
    uint64_t word = atomic_load_explicit(&clock->current, memory_order_acquire);
    if (word == 0)
        return false;
    const struct pawl_clock_anchor *anchor = &clock->anchors[word % PAWL_CLOCK_ANCHORS];
    uint64_t since = ticks - atomic_load_explicit(&anchor->ticks, memory_order_acquire);
    uint64_t mult = atomic_load_explicit(&anchor->mult, memory_order_acquire);
    uint64_t ns = atomic_load_explicit(&anchor->ns, memory_order_acquire);
    *ret_ns = ns + (since * mult >> 32); /* span_ticks * mult is about 2^(32 + span_shift) */
    return since < clock->span_ticks && atomic_load_explicit(&clock->current, memory_order_relaxed) == word;
}

/* ---- clock_machine.c ---- */

#if defined(__x86_64__)
#define PAWL_HAS_TICKS 1
static inline uint64_t pawl_ticks(void) {
    return __builtin_ia32_rdtsc();
}
/* The processor may read its counter early, while a load before it still waits for another core's memory. Not from
 * here on: what this thread has learned from others lies before all that it reads. */
static inline void pawl_ticks_catch_up(void) {
    __builtin_ia32_lfence();
}
#else
#define PAWL_HAS_TICKS 0
static inline uint64_t pawl_ticks(void) {
    return 0;
}
static inline void pawl_ticks_catch_up(void) {}
#endif
static inline uint64_t pawl_ticks_in_order(void) {
    pawl_ticks_catch_up();
    return pawl_ticks();
}

extern const struct pawl_clock_source pawl_machine_clock;

static inline bool pawl_clock_is_quick(const struct pawl_clock *clock) {
    return PAWL_HAS_TICKS && atomic_load_explicit(&clock->current, memory_order_relaxed) != 0;
}

/* Never before what another thread read, if this thread knows of that. */
static inline uint64_t pawl_clock_read(struct pawl_clock *clock) {
    uint64_t ns;
    return pawl_clock_is_quick(clock) && pawl_clock_try(clock, pawl_ticks_in_order(), &ns)
               ? ns
               : pawl_clock_read_slowly(clock);
}

/* A line as one thread copied it: as good as the line itself, and for as long. All zero: none. */
struct pawl_clock_copy {
    uint64_t ticks, ns, mult, span_ticks;
};
/* Reads the clock and copies the line there is now. */
uint64_t pawl_clock_read_and_copy(struct pawl_clock *clock, struct pawl_clock_copy *copy);

/* 15 ns less: never before what this thread read, but maybe some 100 ns before what it knows of other threads. */
static inline uint64_t pawl_clock_read_here(struct pawl_clock *clock, struct pawl_clock_copy *copy) {
    uint64_t since = PAWL_HAS_TICKS && copy->span_ticks ? pawl_ticks() - copy->ticks : 0;
    return __builtin_expect(since < copy->span_ticks, 1) ? copy->ns + (since * copy->mult >> 32)
                                                         : pawl_clock_read_and_copy(clock, copy);
}

/* ---- wall_clock.c ---- */

/* Virtual time begins here (2023-11-14 22:13:20 UTC), so that what a test writes down is the same every time. */
#define PAWL_VIRTUAL_EPOCH_NS INT64_C(1700000000000000000)

/* What a time of the runtime's clock lacks to the nanoseconds since 1970. It is one number for all threads and changes
 * only on request, so that the spans of one trace keep their distances when the machine's date is corrected. */
int64_t pawl_runtime_wall_offset(const pawl_runtime *runtime);
/* Looks at the date again; takes it over when it has moved by more than 10 ms. Any thread; about 100 ns. */
void pawl_runtime_refresh_wall_offset(pawl_runtime *runtime);
/* The offset now; virtual: of a runtime with hooks. */
int64_t pawl_wall_offset_now(bool is_virtual);
/* The rule of refreshing: which of two offsets is to be used. */
int64_t pawl_wall_offset_choose(int64_t used, int64_t now);

#endif
