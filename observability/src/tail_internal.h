/* Traces that the sampler did not keep, held until it is known whether one of their spans failed or they were slow. */
#ifndef PAWL_TAIL_INTERNAL_H
#define PAWL_TAIL_INTERNAL_H

#include "span_record_internal.h"

struct pawl_tail;

struct pawl_tail_rules {
    bool keep_failed;
    uint64_t slow_ns; /* 0: slow ones are not kept */
    uint64_t max_traces, max_spans, max_bytes;
};

struct pawl_tail_figures {
    _Atomic uint64_t traces, spans; /* held */
    _Atomic uint64_t given_up, not_kept, no_memory;
};

/* budget: of the records' heap memory. NULL without memory. */
struct pawl_tail *pawl_tail_new(const struct pawl_tail_rules *rules, struct pawl_heap_budget *budget);
void pawl_tail_free(struct pawl_tail *tail);
struct pawl_tail_figures *pawl_tail_figures(struct pawl_tail *tail);

/* ---- on the threads that run: tail_open.c ---- */

/* A root of the trace is open in this process. */
void pawl_tail_open(struct pawl_tail *tail, const uint8_t trace_id[16]);
/* It has ended, and its record is in the queue. */
void pawl_tail_close(struct pawl_tail *tail, const uint8_t trace_id[16]);
bool pawl_tail_is_open(struct pawl_tail *tail, const uint8_t trace_id[16]);

/* ---- on the exporting thread ---- */

/* Takes those records that are to wait, or are to go; returns how many are left in front. */
size_t pawl_tail_pass(struct pawl_tail *tail, struct pawl_span_record *slots, size_t count);
/* Every ring has been looked at since the last call. Decides about traces that had no open root at that call: all their
 * records were in the queue then, and are here now. */
void pawl_tail_looked(struct pawl_tail *tail);
/* Whether there is something to take, or the next look will decide something. */
bool pawl_tail_has_more(const struct pawl_tail *tail);
/* No more spans will come: decides about all. */
void pawl_tail_end(struct pawl_tail *tail);
/* Moves records of kept traces out, at most `most`. */
size_t pawl_tail_take(struct pawl_tail *tail, struct pawl_span_record *to, size_t most);

/* ---- tail_open.c, for tail.c ---- */
struct pawl_tail_counts;
struct pawl_tail_counts *pawl_tail_counts_new(void);
void pawl_tail_counts_free(struct pawl_tail_counts *counts);
struct pawl_tail_counts *pawl_tail_counts(struct pawl_tail *tail);

#endif
