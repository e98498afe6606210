/** @file pawl/integrations/health.h  @brief Whether a sandbox provider works here and now: one value for a person, a
 * probe or a dashboard.
 *
 * A check runs tiny programs in sandboxes of the provider, so that it sees what a real execution would. It knows
 * nothing of a provider but its interface; of the local one it also tells its helper. Failing programs are no matter of
 * health: failing sandboxes are.
 */
#ifndef PAWL_INTEGRATIONS_HEALTH_H
#define PAWL_INTEGRATIONS_HEALTH_H

#include <pawl/integrations/sandbox.h>

PAWL_BEGIN_DECLS

/* ---- What happened lately ---- */

/** Remembers how the last executions ended. Counted; any thread. */
typedef struct pawl_health pawl_health;

typedef struct pawl_health_options {
    size_t size;     /**< sizeof(pawl_health_options); set by the macro. */
    uint64_t recent; /**< So many executions, 10 to 4,096. Default 256. */
} pawl_health_options;

/** `pawl_health_with(&err, .recent = 1000)` */
#define pawl_health_with(...) PAWL_HEALTH_(__VA_ARGS__, .size = sizeof(pawl_health_options))
#define PAWL_HEALTH_(err, ...) pawl_health_new(&(pawl_health_options){__VA_ARGS__}, err)

/** @param options Copied. NULL for the defaults. @return New reference, NULL with PAWL_E_INVALID or PAWL_E_NOMEM. */
PAWL_API PAWL_NODISCARD pawl_health *pawl_health_new(const pawl_health_options *options, pawl_error **err);
/** @return health, a new reference. NULL allowed. */
PAWL_API pawl_health *pawl_health_ref(pawl_health *health);
/** Gives one reference back. NULL allowed. @return NULL. */
PAWL_API pawl_health *pawl_health_unref(pawl_health *health);
/** Remembers the executions of a runtime that begin later. The runtime references it. @return PAWL_OK, PAWL_E_INVALID,
 * PAWL_E_NOMEM. */
PAWL_API pawl_status pawl_health_attach(pawl_health *health, pawl_runtime *runtime, pawl_error **err);

/* ---- The check ---- */

/** Zero means the default. */
typedef struct pawl_health_check_options {
    size_t size;         /**< sizeof(pawl_health_check_options); set by the macro. */
    pawl_health *recent; /**< Borrowed. NULL: nothing is known of former executions. */
    const char *const
        *languages;      /**< Borrowed, ends with NULL: what must be there. Default python, javascript, bash. */
    uint64_t probes;     /**< Programs that measure latency, in the first language there is. Default 3, at most 100. */
    uint64_t timeout_ns; /**< Of each probe with its sandbox. Default 10 s. */
    uint64_t slow_ns; /**< A median of a probe's whole time above this degrades. Default 5 s; PAWL_UNLIMITED never. */
    uint64_t require_all; /**< Not 0: a mechanism that is missing and a limit that is not enforced degrade. */
} pawl_health_check_options;

/** `pawl_health_check(provider, ctx, &value, &err, .probes = 5)`; options may be left out. */
#define pawl_health_check(...) PAWL_HEALTH_CHECK_(__VA_ARGS__, .size = sizeof(pawl_health_check_options))
#define PAWL_HEALTH_CHECK_(provider, ctx, ret_value, err, ...)                                                         \
    pawl_health_check_run(provider, ctx, &(pawl_health_check_options){__VA_ARGS__}, ret_value, err)

/**
 * Checks a provider. Blocks, obeys ctx. Its probes are audited and counted as any execution is, with "health probe" as
 * their node, and are not remembered by pawl_health.
 * @param provider   NULL: a local one, made for the check.
 * @param options    NULL for the defaults.
 * @param ret_value  New value, also of a provider that cannot be reached:
 *  - verdict: "healthy", "degraded" (works, with less than it should have) or "unhealthy"; version: 1.
 *  - reasons: [{severity: "unhealthy" | "degraded" | "note", code, what, remedy}], the worst first. A note leaves the
 *    verdict as it is. code is one of unreachable, no_language, language_missing, probe_failed, slow, sandbox_failures,
 *    mechanism_missing, limit_not_enforced, limit_partly_enforced; remedy may be "".
 *  - provider: type; tier: of its sandboxes, null when none was made; reachable: whether a program ran.
 *  - languages: {name: {available, version (null: not known), error (null: none)}}.
 *  - latency: null when nothing ran, else {probes, failed, create, run, total}, the last three {min, median, max} in
 *    seconds of those that ran.
 *  - mechanisms, missing: [name...]; limits: as in the node's output, of a probe with default limits and 10 s of CPU
 *    time; empty when nothing ran.
 *  - helper: of a local provider {path, pid (0: none), protocol, distinct_uid}, else null.
 *  - recent: null without options.recent, else what it remembers of this type of provider: {executions, ok,
 *    success_rate (null: nothing yet), sandbox_failures, sandbox_failure_rate, duration: {min, median, max} or null,
 *    outcomes: {word: count}, errors: [{signature, count, sandbox}], at most 10, the most frequent first}. Signatures
 *    are made as by pawl_error_signature(), without secrets. Of 10 and more executions, 5 % sandbox failures degrade
 *    and half of them are unhealthy.
 * @return PAWL_OK whatever the verdict, PAWL_E_INVALID (options, NULL), PAWL_E_CANCELLED and PAWL_E_DEADLINE (of ctx),
 * PAWL_E_NOMEM.
 */
PAWL_API pawl_status pawl_health_check_run(pawl_sandbox_provider *provider, pawl_context *ctx,
                                           const pawl_health_check_options *options, pawl_value **ret_value,
                                           pawl_error **err);

PAWL_END_DECLS
#endif
