/* The time of day, as a distance from the runtime's clock. */
#include "engine_internal.h"
#include <time.h>

#define MOVED_NS INT64_C(10000000)
#define TRIES 3

static int64_t read_clock(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* The clocks are read one after the other; of a few tries the one with the least between them counts, since the thread
 * may have had to wait for its processor. */
int64_t pawl_wall_offset_now(bool is_virtual) {
    if (is_virtual)
        return PAWL_VIRTUAL_EPOCH_NS;
    int64_t offset = 0, shortest = INT64_MAX;
    for (int i = 0; i < TRIES; i++) {
        int64_t before = read_clock(CLOCK_MONOTONIC), wall = read_clock(CLOCK_REALTIME);
        int64_t took = read_clock(CLOCK_MONOTONIC) - before;
        if (took < shortest) {
            shortest = took;
            offset = wall - before - took / 2;
        }
    }
    return offset;
}

int64_t pawl_wall_offset_choose(int64_t used, int64_t now) {
    int64_t moved = now - used;
    return moved > MOVED_NS || moved < -MOVED_NS ? now : used;
}

int64_t pawl_runtime_wall_offset(const pawl_runtime *runtime) {
    return atomic_load_explicit(&runtime->wall_offset_ns, memory_order_relaxed);
}

void pawl_runtime_refresh_wall_offset(pawl_runtime *runtime) {
    int64_t used = pawl_runtime_wall_offset(runtime);
    int64_t chosen = pawl_wall_offset_choose(used, pawl_wall_offset_now(runtime->hooks != NULL));
    if (chosen != used)
        atomic_store_explicit(&runtime->wall_offset_ns, chosen, memory_order_relaxed);
}
