/* Bounds in nanoseconds, with a step for each number of binary digits. */
#include "durations_internal.h"
#include <math.h>

void pawl_durations_init(struct durations *durations, const double *seconds, size_t count) {
    for (size_t i = 0; i < count; i++)
        durations->bounds[i] = (uint64_t)llround(seconds[i] * 1e9);
    durations->bounds[count] = UINT64_MAX;
    durations->first[0] = 0;
    for (unsigned digits = 1; digits <= 64; digits++) {
        uint8_t below = 0;
        while (below < count && durations->bounds[below] < (uint64_t)1 << (digits - 1))
            below++;
        durations->first[digits] = below;
    }
}
