/* What all executions of one trace together may add to it: with a bound of each execution alone, a program that runs
 * again and again pushes what is older out of a trace file that rotates. */
#ifndef PAWL_SPANS_BUDGET_INTERNAL_H
#define PAWL_SPANS_BUDGET_INTERNAL_H

#include <pawl/runtime.h>

#define PAWL_SPANS_BUDGET_SPANS UINT64_C(10000)
#define PAWL_SPANS_BUDGET_BYTES PAWL_MIB(8)
#define PAWL_SPANS_BUDGET_TRACES 256u /* that are remembered; one that is forgotten starts anew */

struct pawl_spans_amount {
    uint64_t spans, bytes;
};

/* Takes what is wanted from what the trace has left in this runtime, or as much of it as there is. Any thread. Nothing
 * without memory. */
struct pawl_spans_amount pawl_spans_budget_take(pawl_runtime *runtime, const uint8_t trace_id[16],
                                                struct pawl_spans_amount wanted);

#endif
