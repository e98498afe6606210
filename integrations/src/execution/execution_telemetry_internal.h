/* What spans and metrics say of an execution. */
#ifndef PAWL_EXECUTION_TELEMETRY_INTERNAL_H
#define PAWL_EXECUTION_TELEMETRY_INTERNAL_H

#include <pawl/integrations/sandbox.h>

#include "redact_internal.h"

#define PAWL_CONTENT_BYTES 65536u /* of the code and of each stream, on a span */

/* On the span of ctx; nothing without one. */
void pawl_execution_describe_request(pawl_context *ctx, const char *node, const pawl_execution_request *request);
void pawl_execution_describe_result(pawl_context *ctx, const pawl_execution_result *result);
/* The code and its output, without secrets, as far as PAWL_CONTENT_BYTES each. result: NULL when it never ran. */
void pawl_execution_record_content(pawl_context *ctx, const pawl_execution_request *request,
                                   const pawl_execution_result *result, const struct pawl_redaction *redaction);

/* One execution for the metrics. Everything is borrowed until its end. */
struct pawl_execution_measure {
    pawl_context *ctx;
    const char *node, *provider, *language;
    uint64_t start_ns;
    double seconds; /* when it has ended */
};
void pawl_execution_measure_start(struct pawl_execution_measure *measure, pawl_context *ctx, const char *node,
                                  const char *provider, const char *language);
/* @param result  NULL when there is none, because of status. */
void pawl_execution_measure_end(struct pawl_execution_measure *measure, pawl_status status,
                                const pawl_execution_result *result);
/* The same as a tool's call, which fails when its node does, and not when its program says so: as the span has it. */
void pawl_execution_measure_tool(const struct pawl_execution_measure *measure, pawl_status status,
                                 const pawl_error *error);

#endif
