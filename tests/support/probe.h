/* A leaf that always fails and notes how long after its last call each call comes. */
#ifndef PROBE_H
#define PROBE_H

#include "bed.h"

struct probe {
    struct fake_clock *time;
    uint64_t last_ns, retry_after_ns;
    uint64_t least_ns, most_ns; /* of the waits */
    uint64_t waits[32];         /* the first */
    size_t calls;
    pawl_status code; /* default PAWL_E_UNAVAILABLE */
};

struct probe probe_in(struct bed *bed);
/* An inline leaf; its failures say "probe: call 3". */
pawl_primitive *probing(struct probe *probe);

#endif
