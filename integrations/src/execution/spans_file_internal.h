/* The file by which a program in the sandbox adds spans to the trace. */
#ifndef PAWL_SPANS_FILE_INTERNAL_H
#define PAWL_SPANS_FILE_INTERNAL_H

#include <pawl/integrations/sandbox.h>

#include "redact_internal.h"

#define PAWL_SPANS_FILE_NAME ".pawl-spans.jsonl" /* in the work folder; to be the last that is collected */
/* The work folder is the home folder, in every sandbox. */
#define PAWL_SPANS_FILE_VARIABLE "PAWL_SPANS_FILE=/home/user/" PAWL_SPANS_FILE_NAME

/* Tells the observers of the spans in the file that came back, without secrets, and takes the file out of the result.
 * The span of ctx is open. */
void pawl_spans_file_take(pawl_context *ctx, pawl_execution_result *result, const struct pawl_redaction *redaction);

#endif
