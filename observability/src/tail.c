#include "tail_internal.h"
#include <stdlib.h>
#include <string.h>

#define BUCKETS 1024u

struct held {
    struct held *next;
    size_t bytes;                   /* with its heap memory */
    struct pawl_span_record record; /* only what is in use of it */
};

enum trace_state { HOLDING, KEPT, GIVEN_UP };

struct trace {
    struct trace *next_in_bucket, *older, *newer;
    uint8_t id[16];
    enum trace_state state;
    bool closing; /* no root of it was open at the last look */
    uint64_t spans, bytes;
    struct held *first, **end;
};

struct pawl_tail {
    struct pawl_tail_rules rules;
    struct pawl_heap_budget *budget;
    struct pawl_tail_counts *counts;
    struct pawl_tail_figures figures;
    struct trace *buckets[BUCKETS], *oldest, *newest;
    uint64_t traces, spans, bytes;
    size_t closing;
    struct held *ready, **ready_end;
};

/* ---- life ---- */

struct pawl_tail *pawl_tail_new(const struct pawl_tail_rules *rules, struct pawl_heap_budget *budget) {
    struct pawl_tail *tail = calloc(1, sizeof *tail);
    struct pawl_tail_counts *counts = tail ? pawl_tail_counts_new() : NULL;
    if (!counts) {
        free(tail);
        return NULL;
    }
    tail->rules = *rules;
    tail->budget = budget;
    tail->counts = counts;
    tail->ready_end = &tail->ready;
    return tail;
}

struct pawl_tail_figures *pawl_tail_figures(struct pawl_tail *tail) {
    return &tail->figures;
}

struct pawl_tail_counts *pawl_tail_counts(struct pawl_tail *tail) {
    return tail->counts;
}

static void publish_figures(struct pawl_tail *tail) {
    atomic_store_explicit(&tail->figures.traces, tail->traces, memory_order_relaxed);
    atomic_store_explicit(&tail->figures.spans, tail->spans, memory_order_relaxed);
}

static void count(_Atomic uint64_t *figure, uint64_t more) {
    atomic_fetch_add_explicit(figure, more, memory_order_relaxed);
}

/* ---- traces ---- */

static struct trace **bucket_of(struct pawl_tail *tail, const uint8_t id[16]) {
    return &tail->buckets[(id[15] | (unsigned)id[14] << 8) % BUCKETS];
}

static struct trace *find(struct pawl_tail *tail, const uint8_t id[16]) {
    struct trace *trace = *bucket_of(tail, id);
    while (trace && memcmp(trace->id, id, sizeof trace->id) != 0)
        trace = trace->next_in_bucket;
    return trace;
}

static void forget_spans(struct pawl_tail *tail, struct trace *trace) {
    tail->spans -= trace->spans;
    tail->bytes -= trace->bytes;
    trace->spans = trace->bytes = 0;
    trace->first = NULL;
    trace->end = &trace->first;
}

static void free_held(struct held *held) {
    if (held->record.bits & PAWL_RECORD_HEAP)
        free(held->record.heap);
    free(held);
}

static void drop_spans(struct pawl_tail *tail, struct trace *trace, _Atomic uint64_t *figure) {
    count(figure, trace->spans);
    for (struct held *held = trace->first, *next; held; held = next) {
        next = held->next;
        free_held(held);
    }
    forget_spans(tail, trace);
}

static void keep_spans(struct pawl_tail *tail, struct trace *trace) {
    if (trace->first) {
        *tail->ready_end = trace->first;
        tail->ready_end = trace->end;
    }
    forget_spans(tail, trace);
    trace->state = KEPT;
}

static void remove_trace(struct pawl_tail *tail, struct trace *trace) {
    struct trace **at = bucket_of(tail, trace->id);
    while (*at != trace)
        at = &(*at)->next_in_bucket;
    *at = trace->next_in_bucket;
    *(trace->older ? &trace->older->newer : &tail->oldest) = trace->newer;
    *(trace->newer ? &trace->newer->older : &tail->newest) = trace->older;
    tail->traces--;
    tail->closing -= trace->closing;
    free(trace);
}

static void give_up_oldest(struct pawl_tail *tail) {
    drop_spans(tail, tail->oldest, &tail->figures.given_up);
    remove_trace(tail, tail->oldest);
}

static struct trace *add_trace(struct pawl_tail *tail, const uint8_t id[16]) {
    struct trace *trace = calloc(1, sizeof *trace), **bucket = bucket_of(tail, id);
    if (!trace)
        return NULL;
    memcpy(trace->id, id, sizeof trace->id);
    trace->end = &trace->first;
    trace->next_in_bucket = *bucket;
    *bucket = trace;
    trace->older = tail->newest;
    *(tail->newest ? &tail->newest->newer : &tail->oldest) = trace;
    tail->newest = trace;
    if (++tail->traces > tail->rules.max_traces)
        give_up_oldest(tail);
    return trace;
}

/* The oldest that holds something makes room; what comes of it later goes too, so that no part of it is kept. */
static void make_room(struct pawl_tail *tail) {
    for (struct trace *trace = tail->oldest;
         trace && (tail->spans > tail->rules.max_spans || tail->bytes > tail->rules.max_bytes); trace = trace->newer)
        if (trace->state == HOLDING && trace->first) {
            drop_spans(tail, trace, &tail->figures.given_up);
            trace->state = GIVEN_UP;
        }
}

/* ---- records ---- */

static bool matters(const struct pawl_tail *tail, const struct pawl_span_record *record) {
    if (tail->rules.keep_failed && pawl_span_is_error(record->status, record->cancel_reason))
        return true;
    uint64_t end_ns = pawl_record_end_ns(record);
    return tail->rules.slow_ns && record->bits & PAWL_RECORD_ROOT && end_ns > record->start_ns &&
           end_ns - record->start_ns > tail->rules.slow_ns;
}

/* False without memory. */
static bool hold(struct pawl_tail *tail, struct trace *trace, const struct pawl_span_record *record) {
    size_t own = pawl_record_size(record);
    struct held *held = malloc(offsetof(struct held, record) + own);
    if (!held)
        return false;
    held->next = NULL;
    held->bytes = offsetof(struct held, record) + own + pawl_record_heap_bytes(record);
    memcpy(&held->record, record, own);
    /* it counts here now, and not in the queue */
    atomic_fetch_sub_explicit(&tail->budget->used, pawl_record_heap_bytes(record), memory_order_relaxed);
    *trace->end = held;
    trace->end = &held->next;
    trace->spans++;
    trace->bytes += held->bytes;
    tail->spans++;
    tail->bytes += held->bytes;
    return true;
}

static void drop_record(struct pawl_tail *tail, struct pawl_span_record *record, _Atomic uint64_t *figure) {
    count(figure, 1);
    pawl_record_release(record, tail->budget);
}

/* Whether the record may go on to the exporters at once. */
static bool pass_one(struct pawl_tail *tail, struct pawl_span_record *record) {
    struct trace *trace = find(tail, record->trace_id);
    if (!trace && !(trace = add_trace(tail, record->trace_id))) {
        drop_record(tail, record, &tail->figures.no_memory);
        return false;
    }
    if (trace->state == HOLDING && matters(tail, record))
        keep_spans(tail, trace);
    if (trace->state == KEPT)
        return true;
    if (trace->state == GIVEN_UP)
        drop_record(tail, record, &tail->figures.given_up);
    else if (!hold(tail, trace, record))
        drop_record(tail, record, &tail->figures.no_memory);
    make_room(tail);
    return false;
}

size_t pawl_tail_pass(struct pawl_tail *tail, struct pawl_span_record *slots, size_t count) {
    size_t left = 0;
    for (size_t i = 0; i < count; i++)
        if (slots[i].trace_flags & 1 || pass_one(tail, &slots[i])) {
            if (left != i)
                slots[left] = slots[i];
            left++;
        }
    publish_figures(tail);
    return left;
}

void pawl_tail_looked(struct pawl_tail *tail) {
    for (struct trace *trace = tail->oldest, *newer; trace; trace = newer) {
        newer = trace->newer;
        bool is_over = !pawl_tail_is_open(tail, trace->id);
        if (is_over && trace->closing) {
            drop_spans(tail, trace, &tail->figures.not_kept);
            remove_trace(tail, trace);
        } else {
            tail->closing += (size_t)is_over - (size_t)trace->closing;
            trace->closing = is_over;
        }
    }
    publish_figures(tail);
}

bool pawl_tail_has_more(const struct pawl_tail *tail) {
    return tail->closing > 0 || tail->ready;
}

void pawl_tail_end(struct pawl_tail *tail) {
    for (struct trace *trace = tail->oldest, *newer; trace; trace = newer) {
        newer = trace->newer;
        drop_spans(tail, trace, &tail->figures.not_kept);
        remove_trace(tail, trace);
    }
    publish_figures(tail);
}

size_t pawl_tail_take(struct pawl_tail *tail, struct pawl_span_record *to, size_t most) {
    size_t taken = 0;
    while (taken < most && tail->ready) {
        struct held *held = tail->ready;
        memcpy(&to[taken++], &held->record, pawl_record_size(&held->record));
        atomic_fetch_add_explicit(&tail->budget->used, pawl_record_heap_bytes(&held->record), memory_order_relaxed);
        tail->ready = held->next;
        free(held);
    }
    if (!tail->ready)
        tail->ready_end = &tail->ready;
    return taken;
}

void pawl_tail_free(struct pawl_tail *tail) {
    if (!tail)
        return;
    pawl_tail_end(tail);
    for (struct held *held = tail->ready, *next; held; held = next) {
        next = held->next;
        free_held(held);
    }
    pawl_tail_counts_free(tail->counts);
    free(tail);
}
