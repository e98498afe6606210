#include "random_internal.h"

/* splitmix64: Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014; constants as in
 * Vigna's version. */
static uint64_t splitmix64(uint64_t *state) {
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

void pawl_random_seed(struct pawl_random *random, uint64_t seed) {
    for (int i = 0; i < 4; i++)
        random->s[i] = splitmix64(&seed);
}
