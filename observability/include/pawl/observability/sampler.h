/** @file pawl/observability/sampler.h  @brief Which traces are recorded.
 *
 * A sampler is asked once a trace, before the first span of this process's part of it; all that descends from there
 * follows. So a parent is always one in another process: a local parent's decision is inherited without asking.
 */
#ifndef PAWL_OBSERVABILITY_SAMPLER_H
#define PAWL_OBSERVABILITY_SAMPLER_H

#include <pawl/observer.h>

PAWL_BEGIN_DECLS

/** Counted; any thread. */
typedef struct pawl_sampler pawl_sampler;

typedef struct pawl_sampler_vtable {
    size_t size;             /**< sizeof(pawl_sampler_vtable). */
    const char *description; /**< Static or owned by self; e.g. "AlwaysOnSampler". */
    uint64_t needs_time;     /**< Not 0: sample is told the time, else now_ns is 0. */
    /** Required. As the slot of pawl_observer_vtable; several threads at once, must not block. @param now_ns
     * Monotonic. */
    pawl_sample (*sample)(void *self, const pawl_sampling *question, uint64_t now_ns, char **ret_tracestate);
    void (*destroy)(void *self); /**< Once, when the last reference goes. */
} pawl_sampler_vtable;

/**
 * Makes a sampler of one's own.
 * @param vtable  Copied.
 * @param self    Given up with destroy; also on failure.
 * @return New reference, NULL with PAWL_E_INVALID or PAWL_E_NOMEM in err.
 */
PAWL_API PAWL_NODISCARD pawl_sampler *pawl_sampler_new(const pawl_sampler_vtable *vtable, void *self, pawl_error **err);
/** @return sampler, a new reference. NULL allowed. */
PAWL_API pawl_sampler *pawl_sampler_ref(pawl_sampler *sampler);
/** Gives one reference back. NULL allowed. @return NULL. */
PAWL_API pawl_sampler *pawl_sampler_unref(pawl_sampler *sampler);
/** @return Borrowed: "AlwaysOnSampler", "AlwaysOffSampler", "TraceIdRatioBased{0.100000}", "RateLimited{5.000000}",
 * "ParentBased{root:...,remoteParentSampled:...,remoteParentNotSampled:...}"; "" for NULL. */
PAWL_API const char *pawl_sampler_description(const pawl_sampler *sampler);
/** Asks it, as the tracer does. @param now_ns Monotonic. */
PAWL_API pawl_sample pawl_sampler_ask(pawl_sampler *sampler, const pawl_sampling *question, uint64_t now_ns,
                                      char **ret_tracestate);

/* Each of these returns a new reference, NULL with PAWL_E_NOMEM, or what is told, in err. */

/** Keeps every trace. */
PAWL_API PAWL_NODISCARD pawl_sampler *pawl_sampler_always(pawl_error **err);
/** Drops every trace. */
PAWL_API PAWL_NODISCARD pawl_sampler *pawl_sampler_never(pawl_error **err);
/**
 * Keeps a share of the traces, chosen by their ids, so that processes with the same ratio choose the same ones and a
 * higher ratio keeps those of a lower one as well.
 * @param ratio  0 to 1 (PAWL_E_INVALID else); above 0, less than 2^-56 counts as that.
 *
 * With R the low 56 bits of the trace id (or `rv` of the tracestate's `ot` entry) and T = (1 - ratio) * 2^56 a trace is
 * kept when R >= T; the tracestate then says so with `th` in its `ot` entry, and loses it when not.
 * Source: OpenTelemetry, "Probability Sampling" of TraceState.
 */
PAWL_API PAWL_NODISCARD pawl_sampler *pawl_sampler_ratio(double ratio, pawl_error **err);
/**
 * Keeps so many traces a second, by a token bucket that holds one second's worth, at least one trace.
 * @param per_second  More than 0, at most 1,000,000 (PAWL_E_INVALID else).
 */
PAWL_API PAWL_NODISCARD pawl_sampler *pawl_sampler_rate_limited(double per_second, pawl_error **err);

/** NULL means the default. All are referenced. */
typedef struct pawl_sampler_parents {
    size_t size;                             /**< sizeof(pawl_sampler_parents); set by the macro. */
    pawl_sampler *root;                      /**< Asked when there is no parent. Default: always. */
    pawl_sampler *remote_parent_sampled;     /**< Default: always. */
    pawl_sampler *remote_parent_not_sampled; /**< Default: never. */
} pawl_sampler_parents;

/** `pawl_sampler_parent_based(&err, .root = ratio)` */
#define pawl_sampler_parent_based(...) PAWL_SAMPLER_PARENTS_(__VA_ARGS__, .size = sizeof(pawl_sampler_parents))
#define PAWL_SAMPLER_PARENTS_(err, ...) pawl_sampler_parent_based_new(&(pawl_sampler_parents){__VA_ARGS__}, err)
/** Does what the parent in another process does, and asks root when there is none. @param parents NULL for the
 * defaults. */
PAWL_API PAWL_NODISCARD pawl_sampler *pawl_sampler_parent_based_new(const pawl_sampler_parents *parents,
                                                                    pawl_error **err);

PAWL_END_DECLS
#endif
