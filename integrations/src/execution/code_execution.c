/* The node: reads its input, runs it in a fresh sandbox, and tells spans and the caller how it ended. */
#include <pawl/integrations/execution.h>
#include <pawl/integrations/local.h>
#include <pawl/observer.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "copy_internal.h"
#include "execution_telemetry_internal.h"
#include "input_internal.h"
#include "language_internal.h"
#include "options_internal.h"
#include "primitive_internal.h"
#include "redaction_internal.h"
#include "sandbox_internal.h"
#include "spans_file_internal.h"
#include "utf8_internal.h"
#include "watch_internal.h"

/* Of stderr, in the error that fail_on_error makes. */
#define SHOWN_STDERR 400
#define WHO_BYTES 320 /* a node in messages; longer names are cut */

struct node {
    pawl_code_execution_options options;
    char **secret_env; /* one block; NULL for none */
    uint64_t secret_env_count;
    pawl_execution_limits limits; /* as given */
    char *name, *language;
    pthread_mutex_t lock;
    pawl_sandbox_provider *provider; /* NULL until the first run when automatic; guarded by lock */
};

/* One run of the node. */
struct run {
    const struct node *node;
    pawl_context *ctx;
    struct pawl_input input;
    char traceparent[16 + PAWL_TRACEPARENT_BYTES];
    char *tracestate;
    bool observed, creating;
    struct pawl_secrets *secrets; /* of this run alone; NULL for none */
    struct pawl_redact_stream out, err;
    pawl_execution_handlers handlers;
    pawl_span span; /* sandbox.create, then sandbox.run */
};

static void destroy(void *user) {
    struct node *node = user;
    if (!node)
        return;
    pawl_sandbox_provider_unref(node->provider);
    pthread_mutex_destroy(&node->lock);
    free(node->name);
    free(node->language);
    free((void *)node->secret_env);
    free(node);
}

/* ---- provider ---- */

/* A failure is not kept: the next run tries again. */
static pawl_status get_provider(struct node *node, pawl_context *ctx, pawl_sandbox_provider **ret_provider,
                                pawl_error **err) {
    pawl_error *error = NULL;
    pthread_mutex_lock(&node->lock);
    if (!node->provider)
        node->provider = pawl_local_provider_new(pawl_context_runtime(ctx), NULL, &error);
    *ret_provider = node->provider;
    pthread_mutex_unlock(&node->lock);
    if (*ret_provider)
        return PAWL_OK;
    pawl_status status = error ? pawl_error_status(error) : PAWL_E_NOMEM;
    if (err)
        *err = error;
    else
        pawl_error_unref(error);
    return status;
}

/* ---- the program's environment ---- */

static bool has_variable(const pawl_execution_request *request, const char *name) {
    for (uint64_t i = 0; i < request->env_count; i++)
        if (strncmp(request->env[i], name, strlen(name)) == 0)
            return true;
    return false;
}

static void add_variable(struct run *run, const char *name, const char *text) {
    pawl_execution_request *request = &run->input.request;
    const char **env = run->input.lists; /* request->env, as what it is: ours */
    if (!has_variable(request, name))
        env[request->env_count++] = text;
}

static bool add_trace(struct run *run) {
    const char *state = pawl_context_tracestate(run->ctx);
    memcpy(run->traceparent, "TRACEPARENT=", 12);
    pawl_context_traceparent(run->ctx, run->traceparent + 12);
    add_variable(run, "TRACEPARENT=", run->traceparent);
    if (!state || !*state)
        return true;
    size_t bytes = strlen(state) + sizeof "TRACESTATE=";
    run->tracestate = malloc(bytes);
    if (!run->tracestate)
        return false;
    snprintf(run->tracestate, bytes, "TRACESTATE=%s", state);
    add_variable(run, "TRACESTATE=", run->tracestate);
    return true;
}

static void add_spans_file(struct run *run) {
    pawl_execution_request *request = &run->input.request;
    if (!run->observed || has_variable(request, "PAWL_SPANS_FILE="))
        return;
    add_variable(run, "PAWL_SPANS_FILE=", PAWL_SPANS_FILE_VARIABLE);
    const char **collect = run->input.lists + (request->collect - (const char *const *)run->input.lists);
    collect[request->collect_count++] = PAWL_SPANS_FILE_NAME;
}

/* ---- spans ---- */

static void open_span(struct run *run, const char *name) {
    if (run->observed)
        pawl_span_open(run->ctx, &run->span, name);
}

static void close_span(struct run *run, pawl_status status, const pawl_error *error) {
    if (run->observed)
        pawl_span_close(run->ctx, &run->span, status, error);
}

/* ---- running ---- */

/* Secrets may be added while the program runs. */
static struct pawl_redaction redaction_of(const struct run *run, bool shapes) {
    struct pawl_redaction redaction = pawl_redaction_of(pawl_context_runtime(run->ctx), shapes);
    redaction.sets[1] = run->secrets;
    return redaction;
}

static void pass(const struct run *run, struct pawl_redact_stream *stream, const void *bytes, size_t length) {
    if (run->node->options.redaction != PAWL_REDACT_NOTHING)
        stream->redaction = redaction_of(run, false);
    pawl_redact_push(stream, bytes, length);
}

static void on_stdout(void *user, const void *bytes, size_t length) {
    struct run *run = user;
    pass(run, &run->out, bytes, length);
}

static void on_stderr(void *user, const void *bytes, size_t length) {
    struct run *run = user;
    pass(run, &run->err, bytes, length);
}

static void on_started(void *user) {
    struct run *run = user;
    if (!run->creating)
        return;
    run->creating = false;
    close_span(run, PAWL_OK, NULL);
    open_span(run, "sandbox.run");
}

static void set_handlers(struct run *run) {
    const pawl_code_execution_options *options = &run->node->options;
    run->out = (struct pawl_redact_stream){.emit = options->on_stdout, .user = options->user};
    run->err = (struct pawl_redact_stream){.emit = options->on_stderr, .user = options->user};
    run->handlers = (pawl_execution_handlers){.size = sizeof run->handlers,
                                              .on_stdout = options->on_stdout ? on_stdout : NULL,
                                              .on_stderr = options->on_stderr ? on_stderr : NULL,
                                              .on_started = on_started,
                                              .user = run};
}

/* A provider says what is wrong with a request, and does not know whose it is. */
static pawl_error *with_name(const struct node *node, pawl_error *error) {
    pawl_status status = pawl_error_status(error);
    if (status != PAWL_E_INVALID && status != PAWL_E_LIMIT)
        return error;
    pawl_error *named = NULL;
    pawl_error_set(&named, status, "code execution '%s': %s", node->name, pawl_error_message(error));
    pawl_error_unref(error);
    return named;
}

static pawl_status run_in_sandbox(struct run *run, pawl_sandbox_provider *provider, pawl_execution_result **ret_result,
                                  pawl_error **err) {
    pawl_error *error = NULL;
    set_handlers(run);
    run->input.request.handlers = &run->handlers;
    run->creating = true;
    open_span(run, "sandbox.create");
    pawl_status status =
        pawl_execution_run_once(provider, run->ctx, run->node->name, &run->input.request, ret_result, &error);
    if (status == PAWL_OK && run->observed) {
        const pawl_execution_result *result = *ret_result;
        pawl_span_set_string(&run->span, "pawl.code.outcome",
                             pawl_execution_outcome_word((pawl_execution_outcome)result->outcome));
        pawl_span_set_string(&run->span, "pawl.sandbox.id", result->sandbox_id ? result->sandbox_id : "");
    }
    error = with_name(run->node, error);
    const struct pawl_redaction redaction = redaction_of(run, true);
    pawl_redact_error(&redaction, &error);
    close_span(run, status, error);
    if (err)
        *err = error;
    else
        pawl_error_unref(error);
    return status;
}

/* ---- what comes of it ---- */

static pawl_status no_memory(const struct node *node, pawl_error **err) {
    return pawl_error_set(err, PAWL_E_NOMEM, "code execution '%s': out of memory for its output", node->name);
}

static pawl_status fail(const struct run *run, const pawl_execution_result *result, pawl_error **err) {
    struct pawl_redaction redaction = redaction_of(run, true);
    char *tail = pawl_redacted_tail(&result->stderr_stream, &redaction, SHOWN_STDERR);
    char detail[512] = "";
    redaction.cut = true; /* of the program's own words */
    if (result->detail)
        pawl_redact_into(&redaction, result->detail, strlen(result->detail), detail, sizeof detail);
    pawl_error_info info = {.size = sizeof info,
                            .status = PAWL_E_FAILED,
                            .failure_class = PAWL_CLASS_PERMANENT,
                            .started = result->started ? PAWL_STARTED_YES : PAWL_STARTED_NO};
    pawl_status status =
        pawl_error_set_info(err, &info, "code execution '%s': the program ended with outcome %s: %s%s%s",
                            run->node->name, pawl_execution_outcome_word((pawl_execution_outcome)result->outcome),
                            detail, tail && *tail ? "; stderr ends: " : "", tail ? tail : "");
    free(tail);
    return status;
}

/* False without memory. */
static bool hide_secrets(const struct run *run, pawl_execution_result *result) {
    uint64_t which = run->node->options.redaction;
    const struct pawl_redaction redaction = redaction_of(run, which == PAWL_REDACT_SHAPES);
    return which == PAWL_REDACT_NOTHING || pawl_execution_result_redact(result, &redaction);
}

static pawl_status hand_back(struct run *run, pawl_execution_result *result, pawl_value **ret_out, pawl_error **err) {
    if (result->outcome == PAWL_EXECUTION_CANCELLED) {
        pawl_status status = pawl_context_check(run->ctx, err);
        if (status != PAWL_OK)
            return status;
    }
    if (run->node->options.fail_on_error && result->outcome != PAWL_EXECUTION_OK)
        return fail(run, result, err);
    const struct pawl_kept_bytes kept = pawl_kept_bytes_of(result);
    if (hide_secrets(run, result))
        *ret_out = pawl_execution_value(result, &kept);
    return *ret_out ? PAWL_OK : no_memory(run->node, err);
}

static pawl_status read_secrets(struct run *run, pawl_error **err) {
    const struct node *node = run->node;
    const pawl_execution_request *request = &run->input.request;
    char who[WHO_BYTES];
    snprintf(who, sizeof who, "code execution '%s'", node->name);
    pawl_status status = pawl_secret_env_add(request, (const char *const *)node->secret_env, node->secret_env_count,
                                             who, &run->secrets, err);
    if (status != PAWL_OK)
        return status;
    return pawl_secret_env_add(request, run->input.secret_env, run->input.secret_env_count, who, &run->secrets, err);
}

static pawl_status run_and_measure(struct run *run, pawl_sandbox_provider *provider,
                                   struct pawl_execution_measure *measure, pawl_execution_result **ret_result,
                                   pawl_error **err) {
    const pawl_execution_request *request = &run->input.request;
    const struct pawl_redaction redaction = redaction_of(run, true);
    pawl_execution_measure_start(measure, run->ctx, run->node->name, pawl_sandbox_provider_type(provider),
                                 request->language);
    pawl_status status = run_in_sandbox(run, provider, ret_result, err);
    pawl_execution_measure_end(measure, status, *ret_result);
    pawl_execution_record_content(run->ctx, request, *ret_result, &redaction);
    if (status != PAWL_OK)
        return status;
    if (run->observed)
        pawl_spans_file_take(run->ctx, *ret_result, &redaction);
    pawl_execution_describe_result(run->ctx, *ret_result);
    return PAWL_OK;
}

static pawl_status execute(struct run *run, struct node *node, pawl_value **ret_out, pawl_error **err) {
    pawl_sandbox_provider *provider;
    pawl_execution_result *result = NULL;
    struct pawl_execution_measure measure;
    pawl_status status = get_provider(node, run->ctx, &provider, err);
    if (status != PAWL_OK)
        return status;
    status = read_secrets(run, err);
    if (status != PAWL_OK)
        return status;
    pawl_execution_describe_request(run->ctx, node->name, &run->input.request);
    if (!add_trace(run))
        return no_memory(node, err);
    add_spans_file(run);
    status = run_and_measure(run, provider, &measure, &result, err);
    run->out.redaction.cut = run->err.redaction.cut =
        status == PAWL_OK && result->outcome == PAWL_EXECUTION_OUTPUT_LIMIT;
    bool out_passed = pawl_redact_finish(&run->out), err_passed = pawl_redact_finish(&run->err);
    if (status == PAWL_OK && !(out_passed && err_passed))
        status = no_memory(node, err);
    else if (status == PAWL_OK)
        status = hand_back(run, result, ret_out, err);
    pawl_execution_measure_tool(&measure, status, err ? *err : NULL);
    pawl_execution_result_free(result);
    return status;
}

static pawl_status run_node(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    struct node *node = user;
    struct run run = {.node = node, .ctx = ctx, .observed = pawl_context_is_observed(ctx)};
    const struct pawl_input_defaults defaults = {
        .node = node->name, .language = node->language, .timeout_ns = node->options.timeout_ns, .limits = node->limits};
    const cJSON *json = pawl_value_json(in);
    if (!json)
        return pawl_error_set(err, PAWL_E_NOMEM, "code execution '%s': out of memory for its input", node->name);
    pawl_status status = pawl_input_read(&defaults, json, &run.input, err);
    if (status != PAWL_OK)
        return status;
    status = execute(&run, node, ret_out, err);
    free(run.tracestate);
    pawl_secrets_free(run.secrets);
    pawl_input_finish(&run.input);
    return status;
}

/* ---- making it ---- */

static pawl_status check(const struct node *node, const char *who, pawl_error **err) {
    pawl_execution_limits resolved;
    uint64_t timeout = node->options.timeout_ns, bound = node->limits.wall_ns;
    if (pawl_language_of(node->language) == PAWL_LANGUAGE_COUNT)
        return pawl_error_set(err, PAWL_E_INVALID,
                              "code execution '%s': language is '%.64s'; use python, javascript or bash", node->name,
                              node->language);
    if (node->options.redaction > PAWL_REDACT_NOTHING)
        return pawl_error_set(err, PAWL_E_INVALID,
                              "code execution '%s': redaction is no pawl_execution_redaction; use one", node->name);
    if (timeout && bound && pawl_option(timeout, 0) > pawl_option(bound, 0))
        return pawl_error_set(err, PAWL_E_INVALID,
                              "code execution '%s': timeout_ns is over limits.wall_ns; lower it or raise the limit",
                              node->name);
    return pawl_limits_resolve(&node->limits, NULL, who, &resolved, err);
}

/* One block: the list and then the names. False without memory. */
static bool copy_secret_env(struct node *node) {
    const char *const *names = node->options.secret_env;
    size_t count = 0, bytes = 0;
    for (; names && names[count]; count++)
        bytes += sizeof *names + strlen(names[count]) + 1;
    node->options.secret_env = NULL;
    if (count == 0)
        return true;
    node->secret_env = malloc(bytes);
    if (!node->secret_env)
        return false;
    char *at = (char *)(node->secret_env + count);
    for (; node->secret_env_count < count; node->secret_env_count++) {
        size_t length = strlen(names[node->secret_env_count]) + 1;
        node->secret_env[node->secret_env_count] = memcpy(at, names[node->secret_env_count], length);
        at += length;
    }
    return true;
}

static pawl_status fill(struct node *node, const char *name, const pawl_code_execution_options *given,
                        pawl_error **err) {
    char who[WHO_BYTES];
    snprintf(who, sizeof who, "code execution '%s'", name ? name : "");
    pawl_status status = pawl_options_copy(&node->options, sizeof node->options, given, who, err);
    if (status == PAWL_OK)
        status = pawl_limits_copy(node->options.limits, who, &node->limits, err);
    if (status != PAWL_OK)
        return status;
    node->options.limits = NULL;
    node->provider = pawl_sandbox_provider_ref(node->options.provider);
    node->name = pawl_copy_text(name ? name : "");
    node->language = pawl_copy_text(node->options.language ? node->options.language : "python");
    if (!copy_secret_env(node) || !node->name || !node->language)
        return pawl_error_set(err, PAWL_E_NOMEM, "out of memory for a code execution node");
    return check(node, who, err);
}

pawl_primitive *pawl_code_execution_new(const char *name, const pawl_code_execution_options *options) {
    struct leaf_spec spec = {.kind = NODE_BLOCKING, .name = name, .type = "code_execution", .fn = run_node};
    struct node *node = calloc(1, sizeof *node);
    if (node) {
        pthread_mutex_init(&node->lock, NULL);
        fill(node, name, options, &spec.failure);
        spec.user = node;
        spec.user_destroy = destroy;
    } else {
        pawl_error_set(&spec.failure, PAWL_E_NOMEM, "out of memory for a code execution node");
    }
    return pawl_leaf_new(&spec);
}
