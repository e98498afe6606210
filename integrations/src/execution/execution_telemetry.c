/* What spans and metrics say of an execution. Names: docs/observability.md. */
#include "execution_telemetry_internal.h"
#include "digest_internal.h"
#include "language_internal.h"
#include "span_record_internal.h"
#include "utf8_internal.h"
#include <pawl/observer.h>
#include <stdlib.h>
#include <string.h>

/* ---- the span ---- */

void pawl_execution_describe_request(pawl_context *ctx, const char *node, const pawl_execution_request *request) {
    char digest[PAWL_SHA256_HEX_BYTES];
    if (!pawl_context_is_observed(ctx))
        return;
    pawl_sha256_hex(request->code, (size_t)request->code_length, digest);
    pawl_context_set_string(ctx, "gen_ai.operation.name", "execute_tool");
    pawl_context_set_string(ctx, "gen_ai.tool.name", node);
    pawl_context_set_string(ctx, "gen_ai.tool.type", "function");
    pawl_context_set_string(ctx, "pawl.code.language", request->language);
    pawl_context_set_int(ctx, "pawl.code.bytes", (int64_t)request->code_length);
    pawl_context_set_string(ctx, "pawl.code.digest", digest);
}

void pawl_execution_describe_result(pawl_context *ctx, const pawl_execution_result *result) {
    if (!pawl_context_is_observed(ctx))
        return;
    pawl_context_set_string(ctx, "pawl.code.outcome",
                            pawl_execution_outcome_word((pawl_execution_outcome)result->outcome));
    pawl_context_set_int(ctx, "pawl.code.exit_status", result->exit_status);
    pawl_context_set_string(ctx, "pawl.sandbox.id", result->sandbox_id ? result->sandbox_id : "");
    pawl_context_set_string(ctx, "pawl.sandbox.tier", result->tier);
    pawl_context_set_int(ctx, "pawl.sandbox.cpu_ns",
                         (int64_t)(result->resources.user_cpu_ns + result->resources.system_cpu_ns));
    pawl_context_set_int(ctx, "pawl.sandbox.max_rss_bytes", (int64_t)result->resources.max_rss_bytes);
}

static void set_text(pawl_context *ctx, const char *key, const char *bytes, uint64_t length,
                     const struct pawl_redaction *redaction) {
    struct pawl_redaction of_part = *redaction;
    size_t kept = length < PAWL_CONTENT_BYTES ? (size_t)length : pawl_utf8_cut(bytes, PAWL_CONTENT_BYTES), clean_length;
    char *text = pawl_utf8_lossy(bytes, kept, NULL), *clean = NULL;
    of_part.cut = true; /* here or by the output limit */
    if (text && pawl_redact_text(&of_part, text, strlen(text), &clean, &clean_length))
        pawl_context_set_string(ctx, key, clean ? clean : text);
    free(clean);
    free(text);
}

void pawl_execution_record_content(pawl_context *ctx, const pawl_execution_request *request,
                                   const pawl_execution_result *result, const struct pawl_redaction *redaction) {
    if (!pawl_context_records_content(ctx))
        return;
    set_text(ctx, "pawl.code.text", request->code, request->code_length, redaction);
    if (!result)
        return;
    const pawl_execution_stream *out = &result->stdout_stream, *err = &result->stderr_stream;
    set_text(ctx, "pawl.code.stdout", out->bytes, out->bytes_kept, redaction);
    set_text(ctx, "pawl.code.stderr", err->bytes, err->bytes_kept, redaction);
}

/* ---- the metrics ---- */

static const double duration_bounds[] = {0.1, 0.5, 1, 5, 10, 30, 60};
static const double create_bounds[] = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};
static const double tool_bounds[] = {0.01, 0.02, 0.04, 0.08,  0.16,  0.32,  0.64,
                                     1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92};

static const pawl_instrument executions = {.size = sizeof executions,
                                           .name = "pawl.executions",
                                           .unit = "{execution}",
                                           .description = "Programs run in a sandbox, by how they ended.",
                                           .kind = PAWL_COUNTER};
static const pawl_instrument active = {.size = sizeof active,
                                       .name = "pawl.executions.active",
                                       .unit = "{execution}",
                                       .description = "Executions under way.",
                                       .kind = PAWL_UP_DOWN_COUNTER};
static const pawl_instrument duration = {.size = sizeof duration,
                                         .name = "pawl.execution.duration",
                                         .unit = "s",
                                         .description = "Time from the request to the result of an execution.",
                                         .kind = PAWL_HISTOGRAM,
                                         .bounds = duration_bounds,
                                         .bound_count = sizeof duration_bounds / sizeof *duration_bounds};
static const pawl_instrument create_duration = {.size = sizeof create_duration,
                                                .name = "pawl.sandbox.create.duration",
                                                .unit = "s",
                                                .description = "Time to make a sandbox, up to the program's start.",
                                                .kind = PAWL_HISTOGRAM,
                                                .bounds = create_bounds,
                                                .bound_count = sizeof create_bounds / sizeof *create_bounds};
static const pawl_instrument tool_duration = {.size = sizeof tool_duration,
                                              .name = "gen_ai.execute_tool.duration",
                                              .unit = "s",
                                              .description = "Duration of a tool's execution.",
                                              .kind = PAWL_HISTOGRAM,
                                              .bounds = tool_bounds,
                                              .bound_count = sizeof tool_bounds / sizeof *tool_bounds};

static void count_active(pawl_context *ctx, const char *provider, const char *language, double by) {
    const pawl_attribute attributes[] = {pawl_attribute_string("pawl.provider", provider),
                                         pawl_attribute_string("pawl.language", language)};
    pawl_context_measure(ctx, &active, by, attributes, 2);
}

/* Inputs may say anything: each label is a series. */
static const char *known_language(const char *language) {
    pawl_language known = pawl_language_of(language);
    return known == PAWL_LANGUAGE_COUNT ? "other" : pawl_language_name(known);
}

void pawl_execution_measure_start(struct pawl_execution_measure *measure, pawl_context *ctx, const char *node,
                                  const char *provider, const char *language) {
    *measure = (struct pawl_execution_measure){.ctx = ctx,
                                               .node = node,
                                               .provider = provider,
                                               .language = known_language(language),
                                               .start_ns = pawl_context_now(ctx)};
    count_active(ctx, provider, measure->language, 1);
}

/* An error's word stands where an outcome would. */
static const char *outcome_of(pawl_status status, const pawl_execution_result *result) {
    return result ? pawl_execution_outcome_word((pawl_execution_outcome)result->outcome) : pawl_status_word(status);
}

void pawl_execution_measure_end(struct pawl_execution_measure *m, pawl_status status,
                                const pawl_execution_result *result) {
    const char *outcome = outcome_of(status, result);
    const pawl_attribute by_outcome[] = {pawl_attribute_string("pawl.provider", m->provider),
                                         pawl_attribute_string("pawl.language", m->language),
                                         pawl_attribute_string("pawl.outcome", outcome)};
    m->seconds = (double)(pawl_context_now(m->ctx) - m->start_ns) / 1e9;
    count_active(m->ctx, m->provider, m->language, -1);
    pawl_context_measure(m->ctx, &executions, 1, by_outcome, 3);
    pawl_context_measure(m->ctx, &duration, m->seconds, by_outcome, 3);
    if (result && result->started)
        pawl_context_measure(m->ctx, &create_duration, (double)result->timings.create_ns / 1e9, by_outcome, 2);
}

void pawl_execution_measure_tool(const struct pawl_execution_measure *m, pawl_status status, const pawl_error *error) {
    bool failed = pawl_span_is_error((uint32_t)status, (uint32_t)pawl_error_cancel_reason(error));
    const pawl_attribute tool[] = {pawl_attribute_string("gen_ai.tool.name", m->node),
                                   pawl_attribute_string("error.type", pawl_status_word(status))};
    pawl_context_measure(m->ctx, &tool_duration, m->seconds, tool, failed ? 2 : 1);
}
