/* Callers of one cache, for one key, on a virtual runtime, and the async child they wait for. */
#ifndef CALLERS_H
#define CALLERS_H

#include "bed.h"

#include <pawl/primitives/cache.h>

#define MOST_CALLERS 1000

/* An async child that keeps its ops until the test completes them. */
struct child {
    pawl_op ops[8];
    size_t starts, cancels;
    bool ends_on_cancel;
    uint64_t deadline_ns; /* that the last one saw */
};

struct callers {
    struct bed bed;
    struct child child;
    pawl_primitive *cache;
    size_t count;
    pawl_context *ctx[MOST_CALLERS];
    struct ended ended[MOST_CALLERS];
};

/* @param seed  Of the order of events; 0: the oldest first. */
struct callers *make_callers(uint64_t seed);
/* Each must have ended once, and nothing be alive. */
void clear_callers(struct callers *callers);
void pump(struct callers *callers);
/* Starts one more; its number. timeout_ns 0: none. */
size_t call(struct callers *callers, uint64_t timeout_ns);
/* Cancels one. */
void leave(struct callers *callers, size_t i);
/* Completes the n-th run of the child. @param text Its value; NULL for a failure. */
bool land(struct callers *callers, size_t n, pawl_status status, const char *text);
/* @param text Of its value; NULL any. */
void expect_ended(const struct callers *callers, size_t i, pawl_status status, const char *text);
pawl_cache_stats stats_of(const struct callers *callers);

#endif
