/* Time from the processor's counter, held to CLOCK_MONOTONIC.
 *
 * Time is one function of the counter for all threads: a chain of straight lines, each good for span_ticks, about a
 * millisecond. A later line never begins below the end of an earlier one, so a thread that still reads the old line
 * and one that reads the new can never see time go back, and no thread ever waits for another. Whoever finds the line
 * in use at its end reads both clocks and makes the next one: if the old line ended before the true time, the new one
 * begins at it; if the old one ran ahead, the new one is flatter and meets the true time at its end.
 *
 *   WAITING  CLOCK_MONOTONIC; from 4 ms on it takes three samples 2 ms apart, so that short programs never pay
 *   BUSY     one thread samples
 *   DONE     current != 0: lines; current == 0: CLOCK_MONOTONIC for good, because the two clocks disagreed, or an
 *            anchor could not be had
 *
 * Accuracy: a slope more than 1/128 from the calibrated one is a disagreement (the machine slept, was moved to another
 * host, its counter was set). Between two that are not, a line of 1.05 ms ends at most 17 us beside the true time;
 * under the 500 ppm of an ordinary NTP daemon it is below 2 us.
 */
#include "clock_internal.h"

enum state { WAITING, BUSY, DONE };

#define FIRST_LOOK_NS PAWL_MS(4)
#define SAMPLE_NS PAWL_MS(2)
#define WIDEST 2000u /* ticks; 100 are usual. A clock that is a system call away is wider. */
#define TRIES 8
#define AHEAD_NS 50000u
#define SLOPE_PART 128u /* of the slope, which NTP changes by 1/2,000 at most */
#define SLOWEST (UINT64_C(2) << 32)
#define FASTEST (UINT64_C(1) << 29) /* 0.5 to 8 GHz */

/* ---- reading the two clocks ---- */

static bool take_sample(const struct pawl_clock_source *source, struct pawl_clock_sample *ret_sample) {
    for (int i = 0; i < TRIES; i++) {
        uint64_t before = source->ticks(source->user);
        uint64_t ns = source->monotonic(source->user);
        uint64_t width = source->ticks(source->user) - before;
        if (width > WIDEST)
            continue; /* the thread lost its processor in between */
        *ret_sample = (struct pawl_clock_sample){.ticks = before + width / 2, .ns = ns, .width = width};
        return true;
    }
    return false;
}

/* ns a tick, times 2^32; nonsense for samples that are nonsense. */
static uint64_t slope(uint64_t ticks, uint64_t ns) {
    for (; ns >> 31; ns >>= 1)
        ticks >>= 1;
    return ticks ? (ns << 32) / ticks : 0;
}

static bool is_near(uint64_t number, uint64_t other, uint64_t part) {
    uint64_t distance = number > other ? number - other : other - number;
    return distance <= other / part;
}

/* ---- anchors: written by their taker alone, and not before every reader can notice that they are out of use ---- */

static struct pawl_clock_line load_line(const struct pawl_clock_anchor *anchor) {
    return (struct pawl_clock_line){
        .ticks = atomic_load_explicit(&anchor->ticks, memory_order_acquire),
        .ns = atomic_load_explicit(&anchor->ns, memory_order_acquire),
        .mult = atomic_load_explicit(&anchor->mult, memory_order_acquire),
        .seen_ticks = atomic_load_explicit(&anchor->seen_ticks, memory_order_acquire),
        .seen_ns = atomic_load_explicit(&anchor->seen_ns, memory_order_acquire),
    };
}

static void store_line(struct pawl_clock_anchor *anchor, const struct pawl_clock_line *line) {
    atomic_store_explicit(&anchor->ticks, line->ticks, memory_order_release);
    atomic_store_explicit(&anchor->ns, line->ns, memory_order_release);
    atomic_store_explicit(&anchor->mult, line->mult, memory_order_release);
    atomic_store_explicit(&anchor->seen_ticks, line->seen_ticks, memory_order_release);
    atomic_store_explicit(&anchor->seen_ns, line->seen_ns, memory_order_release);
}

/* PAWL_CLOCK_ANCHORS when all are taken: by threads that lost their processor here, or were lost in a fork. */
static unsigned take_anchor(struct pawl_clock *clock) {
    unsigned taken = atomic_load(&clock->taken);
    for (unsigned i = 0; i < PAWL_CLOCK_ANCHORS; i++)
        while (!(taken & 1u << i))
            if (atomic_compare_exchange_weak(&clock->taken, &taken, taken | 1u << i))
                return i;
    return PAWL_CLOCK_ANCHORS;
}

static void give_anchor_back(struct pawl_clock *clock, uint64_t index) {
    atomic_fetch_and(&clock->taken, ~(1u << index));
}

/* False: no anchor is to be had. Another thread's line may have come first. */
static bool publish(struct pawl_clock *clock, uint64_t word, const struct pawl_clock_line *line) {
    unsigned index = take_anchor(clock);
    if (index == PAWL_CLOCK_ANCHORS)
        return false;
    store_line(&clock->anchors[index], line);
    uint64_t old = word, generation = word / PAWL_CLOCK_ANCHORS + 1;
    if (!atomic_compare_exchange_strong(&clock->current, &old, generation * PAWL_CLOCK_ANCHORS + index))
        give_anchor_back(clock, index);
    else if (word)
        give_anchor_back(clock, word % PAWL_CLOCK_ANCHORS);
    return true;
}

/* ---- from line to line ---- */

static uint64_t end_of(const struct pawl_clock *clock, const struct pawl_clock_line *line) {
    return line->ns + (clock->span_ticks * line->mult >> 32);
}

/* False: the clocks disagree. */
static bool follow(const struct pawl_clock *clock, const struct pawl_clock_line *old,
                   const struct pawl_clock_sample *seen, struct pawl_clock_line *ret_line) {
    uint64_t mult = slope(seen->ticks - old->seen_ticks, seen->ns - old->seen_ns);
    if (!is_near(mult, clock->nominal, SLOPE_PART))
        return false;
    uint64_t end_ticks = old->ticks + clock->span_ticks, end_ns = end_of(clock, old);
    bool passed = seen->ticks - old->ticks >= clock->span_ticks; /* cores may differ by a tick */
    uint64_t ahead = end_ns > seen->ns ? end_ns - seen->ns : 0;
    if (ahead > AHEAD_NS)
        return false;
    *ret_line = (struct pawl_clock_line){
        .ticks = passed ? seen->ticks : end_ticks,
        .ns = seen->ns + ahead,
        .mult = mult - (mult * ahead >> clock->source->span_shift),
        .seen_ticks = seen->ticks,
        .seen_ns = seen->ns,
    };
    return true;
}

static void raise_floor(struct pawl_clock *clock, uint64_t ns) {
    uint64_t floor = atomic_load(&clock->floor_ns);
    while (floor < ns && !atomic_compare_exchange_weak(&clock->floor_ns, &floor, ns))
        ;
}

static void move_on(struct pawl_clock *clock, uint64_t word, const struct pawl_clock_line *old) {
    struct pawl_clock_sample seen;
    struct pawl_clock_line line;
    if (take_sample(clock->source, &seen) && follow(clock, old, &seen, &line) && publish(clock, word, &line))
        return;
    raise_floor(clock, end_of(clock, old));
    atomic_compare_exchange_strong(&clock->current, &word, 0);
}

/* ---- calibration ---- */

/* Begins above the true time and is a little too steep: no thread that has just read CLOCK_MONOTONIC can have seen more
 * than this line tells. */
static bool begin(struct pawl_clock *clock, const struct pawl_clock_sample *seen) {
    const struct pawl_clock_sample *samples = clock->samples;
    uint64_t first = slope(samples[1].ticks - samples[0].ticks, samples[1].ns - samples[0].ns);
    uint64_t second = slope(seen->ticks - samples[1].ticks, seen->ns - samples[1].ns);
    if (first < FASTEST || first > SLOWEST || !is_near(first, second, 2 * SLOPE_PART))
        return false;
    clock->nominal = slope(seen->ticks - samples[0].ticks, seen->ns - samples[0].ns);
    clock->span_ticks = (UINT64_C(1) << (clock->source->span_shift + 32)) / clock->nominal;
    struct pawl_clock_line line = {
        .ticks = seen->ticks,
        .ns = seen->ns + (seen->width * clock->nominal >> 32) + 1,
        .mult = clock->nominal + clock->nominal / 1024,
        .seen_ticks = seen->ticks,
        .seen_ns = seen->ns,
    };
    return publish(clock, 0, &line);
}

static enum state look(struct pawl_clock *clock) {
    struct pawl_clock_sample seen;
    if (clock->sample_count == 0 && !clock->source->is_safe(clock->source->user))
        return DONE;
    if (!take_sample(clock->source, &seen))
        return DONE;
    if (clock->sample_count == 2) {
        begin(clock, &seen);
        return DONE;
    }
    clock->samples[clock->sample_count++] = seen;
    atomic_store(&clock->look_ns, seen.ns + SAMPLE_NS);
    return WAITING;
}

/* A thread that does not get its turn leaves it to the one that has it. */
static void calibrate(struct pawl_clock *clock) {
    unsigned waiting = WAITING;
    if (atomic_compare_exchange_strong(&clock->state, &waiting, BUSY))
        atomic_store(&clock->state, look(clock));
}

/* False: there is a line now. */
static bool read_monotonic(struct pawl_clock *clock, uint64_t *ret_ns) {
    uint64_t now = clock->source->monotonic(clock->source->user);
    if (atomic_load_explicit(&clock->state, memory_order_relaxed) == WAITING &&
        now >= atomic_load_explicit(&clock->look_ns, memory_order_relaxed))
        calibrate(clock);
    uint64_t floor = atomic_load_explicit(&clock->floor_ns, memory_order_acquire);
    *ret_ns = now > floor ? now : floor;
    return atomic_load_explicit(&clock->current, memory_order_acquire) == 0;
}

/* ---- the clock ---- */

void pawl_clock_init(struct pawl_clock *clock, const struct pawl_clock_source *source, bool trusted) {
    *clock = (struct pawl_clock){.source = source};
    atomic_init(&clock->state, trusted ? WAITING : DONE);
    atomic_init(&clock->look_ns, trusted ? source->monotonic(source->user) + FIRST_LOOK_NS : 0);
}

uint64_t pawl_clock_read_and_copy(struct pawl_clock *clock, struct pawl_clock_copy *copy) {
    uint64_t ns = pawl_clock_read_slowly(clock), word = atomic_load_explicit(&clock->current, memory_order_acquire);
    copy->span_ticks = 0;
    if (word == 0)
        return ns;
    struct pawl_clock_line line = load_line(&clock->anchors[word % PAWL_CLOCK_ANCHORS]);
    if (atomic_load_explicit(&clock->current, memory_order_relaxed) == word)
        *copy = (struct pawl_clock_copy){line.ticks, line.ns, line.mult, clock->span_ticks};
    return ns;
}

uint64_t pawl_clock_read_slowly(struct pawl_clock *clock) {
    for (;;) {
        uint64_t ns, word = atomic_load_explicit(&clock->current, memory_order_acquire);
        if (word == 0) {
            if (read_monotonic(clock, &ns))
                return ns;
            continue;
        }
        struct pawl_clock_line line = load_line(&clock->anchors[word % PAWL_CLOCK_ANCHORS]);
        uint64_t ticks = clock->source->ticks(clock->source->user);
        if (pawl_clock_try(clock, ticks, &ns))
            return ns;
        if (atomic_load_explicit(&clock->current, memory_order_relaxed) != word)
            continue;
        if (line.ticks - ticks <= WIDEST)
            return line.ns; /* this core is a little behind the one that made the line */
        move_on(clock, word, &line);
    }
}
