/* An observer that keeps copies of the spans it saw, in the order of their ends. */
#ifndef RECORDER_H
#define RECORDER_H

#include <pawl/observer.h>
#include <pthread.h>

#define RECORDED_SPANS 1024

struct recorded_span {
    char name[64], type[32], parent[64]; /* parent: name of the open parent, "" for none */
    char attributes[2048];               /* "key=value key=value", in the order they were set */
    char events[128];                    /* "name name" */
    char event_attributes[256];          /* of all events, as attributes */
    char error[256];                     /* message */
    uint8_t trace_id[16], span_id[8], parent_span_id[8];
    uint8_t linked_span_id[8]; /* of the last link */
    uint64_t start_ns, end_ns;
    pawl_status status;
    pawl_cancel_reason reason;
    uint32_t dropped, kind;
};

struct recorder {
    pthread_mutex_t lock;
    size_t started, ended, destroyed;
    struct recorded_span spans[RECORDED_SPANS]; /* the first that ended */
};

/* Empties the recorder and attaches it; must outlive the runtime. */
void record(pawl_runtime *runtime, struct recorder *recorder);
/* First span of that name; the test fails when there is none. */
const struct recorded_span *span_named(const struct recorder *recorder, const char *name);
/* How many of that name ended. */
size_t spans_named(const struct recorder *recorder, const char *name);
/* The n-th of that name, from 0; the test fails when there are fewer. */
const struct recorded_span *nth_span_named(const struct recorder *recorder, const char *name, size_t n);

#endif
