#include "probe.h"

#include <pawl/primitives/function.h>

static void note_wait(struct probe *probe, uint64_t wait) {
    if (probe->calls <= 32)
        probe->waits[probe->calls - 1] = wait;
    probe->least_ns = probe->calls == 1 || wait < probe->least_ns ? wait : probe->least_ns;
    probe->most_ns = wait > probe->most_ns ? wait : probe->most_ns;
}

static pawl_status probe_call(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    (void)ctx, (void)in, (void)ret_out;
    struct probe *probe = user;
    if (probe->calls > 0)
        note_wait(probe, probe->time->now_ns - probe->last_ns);
    probe->calls++;
    probe->last_ns = probe->time->now_ns;
    probe->time->boundaries = 0; /* it may go on for long */
    pawl_error_info info = {.size = sizeof info,
                            .status = probe->code ? probe->code : PAWL_E_UNAVAILABLE,
                            .retry_after_ns = probe->retry_after_ns};
    return pawl_error_set_info(err, &info, "probe: call %zu", probe->calls);
}

pawl_primitive *probing(struct probe *probe) {
    return pawl_inline("probe", probe_call, probe);
}

struct probe probe_in(struct bed *bed) {
    return (struct probe){.time = &bed->time};
}
