/* Between the files of pawl doctor. */
#ifndef PAWL_CLI_DOCTOR_H
#define PAWL_CLI_DOCTOR_H

#include "cli.h"

/*
 * Asks the collectors that OTEL_EXPORTER_OTLP_* name, at most timeout_ns each; with everywhere also OpenTelemetry's
 * default one. Gives an array of {signal, endpoint, answers, error}; NULL without memory.
 */
cJSON *doctor_ask_collectors(pawl_context *ctx, bool everywhere, uint64_t timeout_ns);

#endif
