/* A virtual runtime with a tracer that exports to memory, and what came out as text. */
#ifndef TRACED_H
#define TRACED_H

#include "virtual_runtime.h"

#include <pawl/observability/trace_memory.h>
#include <pawl/observability/tracer.h>

struct traced {
    struct fake_clock time;
    pawl_runtime *runtime;
    pawl_context *ctx;
    pawl_tracer *tracer;
    pawl_trace_memory *memory;
};

/* Options as for pawl_tracer_with(), without exporters. The test fails when it cannot be made. */
void make_traced(struct traced *t, pawl_tracer_options options);
/* Ends the runtime and gives everything back. */
void end_traced(struct traced *t);
/* Runs the pipeline once and flushes. Takes the pipeline. */
pawl_status trace_run(struct traced *t, pawl_primitive *node);
/* The n-th span of that name, from 0; the test fails when there are fewer. */
const pawl_span_data *traced_span(const struct traced *t, const char *name, size_t n);
size_t traced_spans(const struct traced *t, const char *name);
pawl_tracer_stats traced_stats(const struct traced *t);
/* Value of an attribute as text, valid until the next call; NULL when it is not there. */
const char *attribute_of(const pawl_attribute *attributes, size_t count, const char *key);
const char *span_attribute(const pawl_span_data *span, const char *key);
/* All spans as a tree: a line each, two blanks a level, siblings as they were exported; ids are left out, times are in
 * milliseconds since the first span's start. Released with free(). */
char *trace_text(const struct traced *t);

/* Leaves with much to tell: 200 attributes ("k0" is 0, and so on), events and links; an attribute of a mebibyte. */
pawl_primitive *setting_many(const char *name);
pawl_primitive *setting_a_megabyte(const char *name);

#endif
