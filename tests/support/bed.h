/* What most tests of primitives need: a virtual runtime with a context, and the checks that every primitive must pass.
 */
#ifndef BED_H
#define BED_H

#include "leaves.h"
#include "recorder.h"
#include "virtual_runtime.h"

struct bed {
    struct fake_clock time;
    pawl_runtime *runtime;
    pawl_context *ctx;
    struct recorder *recorder; /* NULL unless observed */
};

void make_bed(struct bed *bed);
/* The same with a recording observer. */
void make_observed_bed(struct bed *bed);
/* A new context, since the last run's was cancelled or had a deadline. */
void remake_bed(struct bed *bed);
/* Nothing may be alive. */
void clear_bed(struct bed *bed);

/* The pipeline is a failed one and says so. Releases it. */
void expect_broken(pawl_primitive *node, pawl_status status, const char *part);
/* The pipeline is sound. Gives it back. */
pawl_primitive *sound(pawl_primitive *node);

/* Makes, runs and releases it with each allocation failing in turn, and with each and all later ones failing: a run
 * ends as it does undisturbed, or with a clean error. make gives a new pipeline, all state in user afresh, and may
 * fail. */
void survive_without_memory(pawl_primitive *(*make)(void *user), void *user, const char *in);

/* A run of it takes no memory once the loop is warm. */
void expect_no_allocation(pawl_primitive *node, pawl_value *in);

/* Whether a predicate likes a success: for should_retry and its like; user counts the questions (NULL: nobody). */
bool whatever_succeeded(const pawl_outcome *outcome, void *user);
bool whatever_failed(const pawl_outcome *outcome, void *user);

/* How a run that was started in the background ended. */
struct ended {
    size_t times;
    pawl_status status;
    pawl_value *value;
    pawl_error *error;
};
/* A pawl_done; user is a struct ended. */
void note_end(void *user, pawl_status status, pawl_value *value, pawl_error *error);
void release_end(struct ended *ended);

#endif
