/* A run's memory: made at START, freed when the node ends. */
#include "refine_internal.h"
#include <stdlib.h>

static uint64_t add(uint64_t a, uint64_t b) {
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

struct refine_run *pawl_refine_run_new(const pawl_refine_options *options, pawl_context *ctx, uint64_t now_ns) {
    size_t slots = (size_t)options->max_concurrency;
    struct refine_run *run = calloc(1, sizeof *run + slots * sizeof *run->slots);
    if (!run)
        return NULL;
    run->options = options;
    run->ctx = ctx;
    run->slot_count = slots;
    run->started_ns = now_ns;
    run->elapsed_at_ns = add(now_ns, options->max_elapsed_ns);
    run->known.most = (size_t)options->max_known;
    run->records.history = (size_t)options->history;
    run->records.most = (size_t)(options->max_records > options->history ? options->max_records : options->history);
    return run;
}

void pawl_refine_run_free(struct refine_run *run) {
    pawl_value_unref(run->input);
    pawl_refine_answer_clear(&run->answer);
    pawl_refine_record_clear(&run->focus);
    pawl_refine_record_clear(&run->best);
    free(run->feedback);
    pawl_refine_known_free(&run->known);
    pawl_refine_records_free(&run->records);
    pawl_error_unref(run->failure);
    pawl_error_unref(run->last_infrastructure);
    free(run);
}

static bool is_waiting_for_the_rest(enum refine_stop stop) {
    return stop == REFINE_ATTEMPTS || stop == REFINE_BUDGET;
}

void pawl_refine_stop(struct refine_run *run, enum refine_stop stop) {
    if (run->stop == REFINE_GOES_ON || is_waiting_for_the_rest(run->stop))
        run->stop = stop;
}

void pawl_refine_fail(struct refine_run *run, pawl_error *failure) {
    if (run->stop != REFINE_GOES_ON && !is_waiting_for_the_rest(run->stop)) {
        pawl_error_unref(failure);
        return;
    }
    run->stop = REFINE_FAILED;
    run->failure = failure;
}
