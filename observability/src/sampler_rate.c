/* So many traces a second. The bucket is one number, the time at which it will be full again if nothing more is taken:
 * a trace may be kept when that is no further away than the bucket is deep (the generic cell rate algorithm, ITU-T
 * I.371). */
#include "sampler_internal.h"
#include "w3c_internal.h"
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define MOST_PER_SECOND 1e6

struct rate {
    _Atomic uint64_t full_ns;
    uint64_t interval_ns; /* of one trace */
    uint64_t depth_ns;
    char description[48];
};

static bool take(struct rate *rate, uint64_t now_ns) {
    uint64_t full_ns = atomic_load_explicit(&rate->full_ns, memory_order_relaxed), next;
    do {
        uint64_t from = full_ns > now_ns ? full_ns : now_ns;
        next = from + rate->interval_ns;
        if (next - now_ns > rate->depth_ns)
            return false;
    } while (!atomic_compare_exchange_weak_explicit(&rate->full_ns, &full_ns, next, memory_order_relaxed,
                                                    memory_order_relaxed));
    return true;
}

/* A threshold that came from elsewhere says nothing about this choice. */
static pawl_sample sample(void *self, const pawl_sampling *question, uint64_t now_ns, char **ret_tracestate) {
    bool kept = take(self, now_ns);
    *ret_tracestate = pawl_w3c_set_threshold(question->tracestate, NULL);
    return kept ? PAWL_SAMPLE_KEEP : PAWL_SAMPLE_DROP;
}

pawl_sampler *pawl_sampler_rate_limited(double per_second, pawl_error **err) {
    if (!(per_second > 0 && per_second <= MOST_PER_SECOND)) {
        pawl_error_set(err, PAWL_E_INVALID,
                       "sampler: %g traces a second; give more than 0 and at most 1000000, or use another sampler",
                       per_second);
        return NULL;
    }
    struct rate *rate = calloc(1, sizeof *rate);
    if (!rate) {
        pawl_error_set(err, PAWL_E_NOMEM, "sampler: out of memory");
        return NULL;
    }
    double interval = 1e9 / per_second;
    rate->interval_ns = interval < 1e18 ? (uint64_t)interval : UINT64_C(1000000000000000000);
    rate->depth_ns = rate->interval_ns > PAWL_S(1) ? rate->interval_ns : PAWL_S(1);
    snprintf(rate->description, sizeof rate->description, "RateLimited{%f}", per_second);
    const pawl_sampler_vtable vtable = {
        .size = sizeof vtable, .description = rate->description, .needs_time = 1, .sample = sample, .destroy = free};
    return pawl_sampler_new(&vtable, rate, err);
}
