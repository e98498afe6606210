/* From findings to a verdict with reasons and remedies. */
#include "health_internal.h"
#include <stdio.h>
#include <string.h>

#define ENOUGH 10 /* executions from which rates mean something */

struct verdict {
    struct json_writer *w;
    cJSON *reasons[3]; /* by severity */
    enum health_severity worst;
};

static const char *const severities[] = {"note", "degraded", "unhealthy"};
static const char *const verdicts[] = {"healthy", "degraded", "unhealthy"};

static void say(struct verdict *v, enum health_severity severity, const char *code, const char *what,
                const char *remedy) {
    cJSON *reason = json_append_object(v->w, v->reasons[severity]);
    json_add(v->w, reason, "severity", cJSON_CreateString(severities[severity]));
    json_add(v->w, reason, "code", cJSON_CreateString(code));
    json_add(v->w, reason, "what", cJSON_CreateString(what));
    json_add(v->w, reason, "remedy", cJSON_CreateString(remedy));
    v->worst = severity > v->worst ? severity : v->worst;
}

/* What an administrator can do about a mechanism; by the names of pawl_mechanism_name(). */
static const char *remedy_of(const char *mechanism, size_t length) {
    static const char *const remedies[][2] = {
        {"Landlock scopes", "they need Linux 6.12; nothing else is lost without them"},
        {"Landlock", "it needs Linux 5.13 with landlock in the kernel's list of security modules (lsm=...)"},
        {"host uid of its own",
         "only root (with CAP_SETUID and CAP_SETGID) can give programs a user of their own; here they share this "
         "user's quotas"},
        {"proc file system", "/proc of this machine is masked, as in most containers; programs see no /proc"},
        {"cgroup namespace", "it needs a kernel with CONFIG_CGROUPS"},
        {"out-of-memory preference", "the helper must be able to write /proc/self/oom_score_adj"},
    };
    for (size_t i = 0; i < sizeof remedies / sizeof remedies[0]; i++)
        if (strlen(remedies[i][0]) == length && memcmp(remedies[i][0], mechanism, length) == 0)
            return remedies[i][1];
    return "see what the kernel, or the container this runs in, forbids";
}

static void judge_mechanisms(struct verdict *v, const struct health_findings *found) {
    const char *name = found->result ? found->result->missing : NULL;
    char what[128];
    while (name && *name) {
        size_t length = strcspn(name, ",");
        snprintf(what, sizeof what, "sandboxes go without: %.*s", (int)length, name);
        say(v, found->require_all ? HEALTH_DEGRADED : HEALTH_NOTE, "mechanism_missing", what, remedy_of(name, length));
        name += length;
        name += strspn(name, ", ");
    }
}

/* The limits that are enforced in this way, in one reason. */
static void judge_limits(struct verdict *v, const struct health_findings *found, pawl_enforcement enforcement) {
    static const char *const ways[][2] = {
        [PAWL_NOT_ENFORCED] = {"limits that nothing enforces", "run what needs them elsewhere"},
        [PAWL_ENFORCED_PER_PROCESS] = {"limits that hold for each process by itself, without a cgroup around them",
                                       "bound the processes too (limits.processes)"},
        [PAWL_ENFORCED_BY_INTERPRETER] = {"limits that the interpreter keeps", "a hostile program can get around them"},
    };
    char what[512];
    int used = snprintf(what, sizeof what, "%s", ways[enforcement][0]);
    bool any = false;
    for (pawl_limit i = 0; i < PAWL_LIMIT_COUNT_; i++)
        if (found->result->enforced[i] == enforcement) {
            used += snprintf(what + used, sizeof what - (size_t)used, "%s %s", any ? "," : ":", pawl_limit_name(i));
            any = true;
        }
    bool is_hole = enforcement == PAWL_NOT_ENFORCED;
    if (any)
        say(v, is_hole && found->require_all ? HEALTH_DEGRADED : HEALTH_NOTE,
            is_hole ? "limit_not_enforced" : "limit_partly_enforced", what, ways[enforcement][1]);
}

static void judge_languages(struct verdict *v, const struct health_findings *found) {
    char what[96];
    size_t available = 0;
    for (pawl_language i = 0; i < PAWL_LANGUAGE_COUNT; i++)
        available += found->available[i];
    if (available == 0) {
        const char *why = found->fault ? found->fault : found->probe_error;
        say(v, HEALTH_UNHEALTHY, found->result ? "no_language" : "unreachable",
            found->result ? "no program of any language runs" : "no program can be run in a sandbox", why);
    }
    for (pawl_language i = 0; i < PAWL_LANGUAGE_COUNT && available > 0; i++) {
        if (!found->asked[i] || found->available[i])
            continue;
        snprintf(what, sizeof what, "%s programs cannot be run", pawl_language_name(i));
        say(v, HEALTH_DEGRADED, "language_missing", what, found->errors[i]);
    }
}

static void judge_latency(struct verdict *v, const struct health_findings *found) {
    char what[128];
    if (found->ran > 0 && found->failed > 0) {
        snprintf(what, sizeof what, "%zu of %zu probes failed", found->failed, found->ran + found->failed);
        say(v, HEALTH_DEGRADED, "probe_failed", what, found->probe_error);
    }
    if (found->median_ns > found->slow_ns) {
        snprintf(what, sizeof what, "a tiny program takes %.3g s (median), over %.3g s", (double)found->median_ns / 1e9,
                 (double)found->slow_ns / 1e9);
        say(v, HEALTH_DEGRADED, "slow", what, "look at the load of this machine, or of the provider");
    }
}

static void judge_recent(struct verdict *v, const struct health_findings *found) {
    const struct pawl_health_rates *rates = &found->rates;
    char what[128];
    if (rates->executions < ENOUGH || rates->sandbox_failures * 20 < rates->executions)
        return;
    snprintf(what, sizeof what, "%llu of the last %llu executions failed because of their sandbox",
             (unsigned long long)rates->sandbox_failures, (unsigned long long)rates->executions);
    say(v, rates->sandbox_failures * 2 >= rates->executions ? HEALTH_UNHEALTHY : HEALTH_DEGRADED, "sandbox_failures",
        what, "recent.errors says how; look at the provider");
}

static void collect(struct verdict *v, cJSON *all) {
    for (int severity = HEALTH_UNHEALTHY; severity >= HEALTH_NOTE; severity--) {
        for (cJSON *reason; (reason = cJSON_DetachItemFromArray(v->reasons[severity], 0));)
            json_append(v->w, all, reason);
        cJSON_Delete(v->reasons[severity]);
    }
}

void pawl_health_add_verdict(struct json_writer *w, cJSON *root, const struct health_findings *found) {
    struct verdict v = {.w = w, .worst = HEALTH_NOTE};
    for (size_t i = 0; i < 3; i++)
        v.reasons[i] = cJSON_CreateArray();
    judge_languages(&v, found);
    judge_latency(&v, found);
    judge_recent(&v, found);
    judge_mechanisms(&v, found);
    if (found->result) {
        judge_limits(&v, found, PAWL_NOT_ENFORCED);
        judge_limits(&v, found, PAWL_ENFORCED_PER_PROCESS);
        judge_limits(&v, found, PAWL_ENFORCED_BY_INTERPRETER);
    }
    json_add(w, root, "verdict", cJSON_CreateString(verdicts[v.worst]));
    collect(&v, json_add_array(w, root, "reasons"));
}
