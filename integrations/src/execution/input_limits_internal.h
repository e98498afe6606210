/* timeout and limits of the node's input. */
#ifndef PAWL_EXECUTION_INPUT_LIMITS_H
#define PAWL_EXECUTION_INPUT_LIMITS_H

#include "input_internal.h"

/* timeout and limits may be NULL: not given. */
pawl_status pawl_input_read_limits(const struct pawl_input_defaults *defaults, const cJSON *timeout,
                                   const cJSON *limits, pawl_execution_limits *ret_limits, pawl_error **err);

#endif
