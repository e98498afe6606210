/* From evidence to outcome. Whoever killed the program knows why; else the kernel's word counts, and then what the
 * interpreter printed. */
#ifndef PAWL_EXECUTION_OUTCOME_H
#define PAWL_EXECUTION_OUTCOME_H

#include <pawl/integrations/sandbox.h>

#include "language_internal.h"

enum pawl_ended {
    PAWL_ENDED_BY_ITSELF = 0,
    PAWL_ENDED_WALL,      /* killed: limits.wall_ns */
    PAWL_ENDED_CANCELLED, /* killed: its scope was cancelled */
    PAWL_ENDED_DEADLINE,  /* killed: its scope's deadline */
    PAWL_ENDED_KILLED,    /* killed: pawl_sandbox_kill() */
    PAWL_ENDED_OUTPUT,    /* killed: limits.output_total_bytes */
    PAWL_ENDED_LOST,      /* its sandbox died */
    PAWL_ENDED_UNSTARTED, /* it could not be started */
    PAWL_ENDED_DENIED,    /* policy */
};

struct pawl_evidence {
    pawl_language language;
    enum pawl_ended ended;
    bool cpu_limit;          /* the kernel ended it for its CPU time */
    const char *said;        /* what the sandbox says of LOST, UNSTARTED and DENIED */
    const char *stderr_tail; /* end of stderr, whole or cut at its front */
    size_t stderr_length;
};

/* Longest texts in a result; more is cut, a traceback at its front. */
#define PAWL_ERROR_VALUE_BYTES (16u << 10)
#define PAWL_TRACEBACK_BYTES (64u << 10)

/*
 * Sets outcome, detail, error_name, error_value and traceback of a result that has exit_status, signal, resources and
 * limits. False without memory.
 */
bool pawl_outcome_decide(pawl_execution_result *result, const struct pawl_evidence *evidence);

#endif
