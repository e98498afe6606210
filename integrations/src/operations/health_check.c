/* Runs tiny programs in a provider's sandboxes and tells what it saw. */
#include "health_internal.h"
#include "local/protocol.h"
#include "options_internal.h"
#include "redact_internal.h"
#include "utf8_internal.h"
#include <pawl/integrations/local.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(pawl_health_check_options) == 7 * sizeof(uint64_t), "padding in a public struct");

static const char who[] = "health check";

struct check {
    pawl_sandbox_provider *provider; /* NULL: there is none */
    pawl_context *ctx;
    pawl_health_check_options options;
    struct health_findings found;
};

/* ---- one probe ---- */

/* Each prints the interpreter's version. */
static const char *const programs[PAWL_LANGUAGE_COUNT] = {
    [PAWL_LANGUAGE_PYTHON] = "import sys\nprint(sys.version.split()[0])\n",
    [PAWL_LANGUAGE_JAVASCRIPT] = "console.log(process.versions.node);\n",
    [PAWL_LANGUAGE_BASH] = "echo \"$BASH_VERSION\"\n",
};

static pawl_status run_in(const struct check *check, pawl_context *ctx, pawl_language language,
                          pawl_execution_result **ret_result, pawl_error **err) {
    const pawl_execution_limits limits = {
        .size = sizeof limits, .wall_ns = check->options.timeout_ns, .cpu_ns = PAWL_S(10)};
    const pawl_execution_request request = {.size = sizeof request,
                                            .language = pawl_language_name(language),
                                            .code = programs[language],
                                            .code_length = strlen(programs[language]),
                                            .limits = &limits};
    pawl_status status = pawl_context_set_timeout(ctx, check->options.timeout_ns, err);
    if (status != PAWL_OK)
        return status;
    return pawl_execution_run_once(check->provider, ctx, pawl_health_probe_node, &request, ret_result, err);
}

/* In a scope of its own, so that a provider that hangs takes no longer than one program that does. */
static pawl_status probe(const struct check *check, pawl_language language, pawl_execution_result **ret_result,
                         pawl_error **err) {
    pawl_context *scope = pawl_context_child(check->ctx);
    if (!scope)
        return pawl_error_set(err, PAWL_E_NOMEM, "%s: out of memory", who);
    pawl_status status = run_in(check, scope, language, ret_result, err);
    pawl_context_unref(scope);
    return status;
}

/* Why a probe failed, without secrets; "" when it did not. */
static void explain(const struct check *check, const pawl_execution_result *result, const pawl_error *error,
                    char *ret_text, size_t size) {
    const struct pawl_redaction redaction = pawl_redaction_of(pawl_context_runtime(check->ctx), true);
    char text[1536];
    if (result && result->outcome == PAWL_EXECUTION_OK)
        text[0] = '\0';
    else if (result)
        snprintf(text, sizeof text, "the probe ended with outcome %s: %s",
                 pawl_execution_outcome_word((pawl_execution_outcome)result->outcome),
                 result->detail        ? result->detail
                 : result->error_value ? result->error_value
                                       : "");
    else
        snprintf(text, sizeof text, "%s", pawl_error_message(error));
    text[pawl_utf8_cut(text, strlen(text))] = '\0';
    pawl_redact_into(&redaction, text, strlen(text), ret_text, size);
}

static void read_version(const pawl_execution_stream *printed, char *ret_text, size_t size) {
    size_t length = 0;
    while (length < printed->bytes_kept && (unsigned char)printed->bytes[length] > ' ')
        length++;
    pawl_utf8_lossy_into(printed->bytes, length, ret_text, size);
}

/* ---- all probes ---- */

static void note_times(struct health_findings *found, const pawl_execution_result *result) {
    if (found->ran == HEALTH_PROBES)
        return;
    found->create_ns[found->ran] = result->timings.create_ns;
    found->run_ns[found->ran] = result->timings.run_ns;
    found->total_ns[found->ran++] = result->timings.total_ns;
}

/* The first result, or the first that is well. Takes result. */
static void keep_better(struct health_findings *found, pawl_execution_result *result) {
    pawl_execution_result *before = found->result;
    bool is_better =
        result && (!before || (before->outcome != PAWL_EXECUTION_OK && result->outcome == PAWL_EXECUTION_OK));
    found->result = is_better ? result : before;
    pawl_execution_result_free(is_better ? before : result);
}

/* PAWL_OK also when the probe failed. */
static pawl_status probe_once(struct check *check, pawl_language language, bool is_timed, pawl_error **err) {
    struct health_findings *found = &check->found;
    pawl_execution_result *result = NULL;
    pawl_error *error = NULL;
    pawl_status status = probe(check, language, &result, &error);
    explain(check, result, error, found->errors[language], sizeof found->errors[language]);
    bool is_well = result && result->outcome == PAWL_EXECUTION_OK;
    found->available[language] |= is_well;
    if (is_well) {
        read_version(&result->stdout_stream, found->versions[language], sizeof found->versions[language]);
        if (is_timed)
            note_times(found, result);
    } else {
        found->failed += is_timed;
        snprintf(found->probe_error, sizeof found->probe_error, "%s", found->errors[language]);
    }
    keep_better(found, result);
    pawl_error_unref(error);
    if (status == PAWL_E_NOMEM)
        return pawl_error_set(err, status, "%s: out of memory", who);
    return pawl_context_check(check->ctx, err);
}

static pawl_status probe_all(struct check *check, pawl_error **err) {
    struct health_findings *found = &check->found;
    pawl_status status = pawl_context_check(check->ctx, err);
    pawl_language timed = PAWL_LANGUAGE_COUNT; /* the first there is */
    for (pawl_language i = 0; i < PAWL_LANGUAGE_COUNT && status == PAWL_OK; i++) {
        if (!found->asked[i])
            continue;
        status = probe_once(check, i, timed == PAWL_LANGUAGE_COUNT, err);
        if (timed == PAWL_LANGUAGE_COUNT && found->available[i])
            timed = i;
        if (timed == PAWL_LANGUAGE_COUNT)
            found->failed = 0; /* that was no measurement */
    }
    for (uint64_t i = 1; i < check->options.probes && timed < PAWL_LANGUAGE_COUNT && status == PAWL_OK; i++)
        status = probe_once(check, timed, true, err);
    return status;
}

/* ---- the value ---- */

static void add_languages(struct json_writer *w, cJSON *root, const struct health_findings *found) {
    cJSON *languages = json_add_object(w, root, "languages");
    for (pawl_language i = 0; i < PAWL_LANGUAGE_COUNT; i++) {
        if (!found->asked[i])
            continue;
        cJSON *language = json_add_object(w, languages, pawl_language_name(i));
        const char *version = found->versions[i], *error = found->errors[i];
        json_add(w, language, "available", cJSON_CreateBool(found->available[i]));
        json_add(w, language, "version", json_text_or_null(*version ? version : NULL));
        json_add(w, language, "error", json_text_or_null(!found->available[i] && *error ? error : NULL));
    }
}

static void add_latency(struct json_writer *w, cJSON *root, struct health_findings *found) {
    if (found->ran == 0) {
        json_add(w, root, "latency", cJSON_CreateNull());
        return;
    }
    cJSON *latency = json_add_object(w, root, "latency");
    json_add(w, latency, "probes", json_number(found->ran + found->failed));
    json_add(w, latency, "failed", json_number(found->failed));
    pawl_health_add_spread(w, latency, "create", found->create_ns, found->ran);
    pawl_health_add_spread(w, latency, "run", found->run_ns, found->ran);
    found->median_ns = pawl_health_add_spread(w, latency, "total", found->total_ns, found->ran);
}

static void add_helper(struct json_writer *w, cJSON *root, pawl_sandbox_provider *provider) {
    pawl_local_about about = {.size = sizeof about};
    if (!provider || pawl_local_provider_about(provider, &about, NULL) != PAWL_OK) {
        json_add(w, root, "helper", cJSON_CreateNull());
        return;
    }
    cJSON *helper = json_add_object(w, root, "helper");
    json_add(w, helper, "path", cJSON_CreateString(about.helper));
    json_add(w, helper, "pid", json_number((uint64_t)about.helper_pid));
    json_add(w, helper, "protocol", json_number(PAWL_WIRE_VERSION));
    json_add(w, helper, "distinct_uid", cJSON_CreateBool(about.distinct_uid != 0));
}

static void add_all(struct json_writer *w, cJSON *root, struct check *check) {
    struct health_findings *found = &check->found;
    const pawl_execution_result *result = found->result;
    cJSON *parts = cJSON_CreateObject(); /* the verdict comes first, and is found last */
    json_add(w, parts, "provider", cJSON_CreateString(found->provider));
    json_add(w, parts, "tier", json_text_or_null(result ? result->tier : NULL));
    json_add(w, parts, "reachable", cJSON_CreateBool(result && result->started));
    add_languages(w, parts, found);
    add_latency(w, parts, found);
    pawl_execution_add_names(w, parts, "mechanisms", result ? result->mechanisms : NULL);
    pawl_execution_add_names(w, parts, "missing", result ? result->missing : NULL);
    if (result)
        pawl_execution_add_limits(w, parts, result);
    else
        json_add_object(w, parts, "limits");
    add_helper(w, parts, check->provider);
    found->rates = pawl_health_add_recent(w, parts, check->options.recent, found->provider);
    pawl_health_add_verdict(w, root, found);
    json_add(w, root, "version", json_number(1));
    while (parts && parts->child) {
        cJSON *part = cJSON_DetachItemViaPointer(parts, parts->child);
        if (!cJSON_AddItemToObject(root, part->string, part))
            json_keep(w, part, false);
    }
    cJSON_Delete(parts);
}

static pawl_status tell(struct check *check, pawl_value **ret_value, pawl_error **err) {
    struct json_writer w = {false};
    cJSON *root = cJSON_CreateObject();
    if (root)
        add_all(&w, root, check);
    if (root && !w.failed)
        *ret_value = pawl_value_take(root);
    else
        cJSON_Delete(root);
    return *ret_value ? PAWL_OK : pawl_error_set(err, PAWL_E_NOMEM, "%s: out of memory", who);
}

/* ---- options ---- */

static pawl_status set_options(struct check *check, const pawl_health_check_options *given, pawl_error **err) {
    static const char *const all[] = {"python", "javascript", "bash", NULL};
    pawl_health_check_options *options = &check->options;
    if (pawl_options_copy(options, sizeof *options, given, who, err) != PAWL_OK)
        return PAWL_E_INVALID;
    if (options->probes > HEALTH_PROBES)
        return pawl_error_set(err, PAWL_E_INVALID, "%s: probes is not between 1 and %d", who, HEALTH_PROBES);
    if (options->timeout_ns == PAWL_ZERO || options->timeout_ns == PAWL_UNLIMITED)
        return pawl_error_set(err, PAWL_E_INVALID, "%s: timeout_ns must be more than 0 and finite", who);
    options->probes = options->probes ? options->probes : 3;
    options->timeout_ns = pawl_option(options->timeout_ns, PAWL_S(10));
    check->found.slow_ns = pawl_option(options->slow_ns, PAWL_S(5));
    check->found.require_all = options->require_all != 0;
    for (const char *const *name = options->languages ? options->languages : all; *name; name++) {
        pawl_language language = pawl_language_of(*name);
        if (language == PAWL_LANGUAGE_COUNT)
            return pawl_error_set(err, PAWL_E_INVALID, "%s: language is '%.64s'; use python, javascript or bash", who,
                                  *name);
        check->found.asked[language] = true;
    }
    return PAWL_OK;
}

static pawl_status run_check(struct check *check, const char *fault, pawl_value **ret_value, pawl_error **err) {
    check->found.provider = check->provider ? pawl_sandbox_provider_type(check->provider) : "local";
    check->found.fault = fault;
    pawl_status status = check->provider ? probe_all(check, err) : PAWL_OK;
    if (status == PAWL_OK)
        status = tell(check, ret_value, err);
    pawl_execution_result_free(check->found.result);
    return status;
}

/* Without a provider: one of its own, and why there is none is a finding. */
static pawl_status check_local(struct check *check, pawl_value **ret_value, pawl_error **err) {
    pawl_error *error = NULL;
    char fault[1024] = "";
    pawl_value *value = NULL;
    check->provider = pawl_local_provider_new(pawl_context_runtime(check->ctx), NULL, &error);
    if (!check->provider)
        snprintf(fault, sizeof fault, "%s", error ? pawl_error_message(error) : "out of memory");
    pawl_error_unref(error);
    pawl_status status = run_check(check, fault, &value, err);
    pawl_sandbox_provider_unref(check->provider);
    if (status == PAWL_OK)
        *ret_value = value;
    return status;
}

pawl_status pawl_health_check_run(pawl_sandbox_provider *provider, pawl_context *ctx,
                                  const pawl_health_check_options *options, pawl_value **ret_value, pawl_error **err) {
    if (!ctx || !ret_value)
        return pawl_error_set(err, PAWL_E_INVALID, "%s: %s is NULL; give one", who, ctx ? "ret_value" : "ctx");
    struct check *check = calloc(1, sizeof *check); /* some KiB */
    if (!check)
        return pawl_error_set(err, PAWL_E_NOMEM, "%s: out of memory", who);
    check->provider = provider;
    check->ctx = ctx;
    pawl_value *value = NULL;
    pawl_status status = set_options(check, options, err);
    if (status == PAWL_OK)
        status = provider ? run_check(check, NULL, &value, err) : check_local(check, &value, err);
    if (status == PAWL_OK)
        *ret_value = value;
    free(check);
    return status;
}
