/** @file random_internal.h  @brief The generator behind ids, jitter and sampling. Not for secrets.
 *
 * xoshiro256** 1.0, by David Blackman and Sebastiano Vigna ("Scrambled Linear Pseudorandom Number Generators", ACM TOMS
 * 47, 2021). Not thread-safe: one state per loop.
 */
#ifndef PAWL_RANDOM_INTERNAL_H
#define PAWL_RANDOM_INTERNAL_H

#include <pawl/base.h>

struct pawl_random {
    uint64_t s[4];
};

/** Fills the state from one seed, by splitmix64 as the authors advise: never all zero, near seeds give unlike states.
 */
void pawl_random_seed(struct pawl_random *random, uint64_t seed);

static inline uint64_t pawl_rotate_left(uint64_t x, int bits) {
    return (x << bits) | (x >> (64 - bits));
}

/** @return Uniform 64 bits. */
static inline uint64_t pawl_random_next(struct pawl_random *random) {
    uint64_t *s = random->s;
    uint64_t result = pawl_rotate_left(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = pawl_rotate_left(s[3], 45);
    return result;
}

#endif
