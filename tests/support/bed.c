#include "bed.h"
#include "failing_malloc.h"

#include <pawl/run.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

void make_bed(struct bed *bed) {
    *bed = (struct bed){.recorder = NULL};
    bed->runtime = virtual_runtime(&bed->time);
    bed->ctx = pawl_context_new(bed->runtime);
    assert_non_null(bed->ctx);
}

void make_observed_bed(struct bed *bed) {
    make_bed(bed);
    bed->recorder = calloc(1, sizeof *bed->recorder);
    assert_non_null(bed->recorder);
    record(bed->runtime, bed->recorder);
}

void remake_bed(struct bed *bed) {
    pawl_context_unref(bed->ctx);
    bed->ctx = pawl_context_new(bed->runtime);
    assert_non_null(bed->ctx);
}

void clear_bed(struct bed *bed) {
    expect_nothing_alive(bed->runtime);
    pawl_context_unref(bed->ctx);
    pawl_runtime_unref(bed->runtime);
    free(bed->recorder);
}

void expect_broken(pawl_primitive *node, pawl_status status, const char *part) {
    pawl_error *error = pawl_primitive_error(node), *again = NULL;
    struct bed bed;
    make_bed(&bed);
    assert_int_equal(pawl_run(node, bed.ctx, NULL, NULL, &again), status); /* the run says the same */
    assert_string_equal(pawl_error_message(error), pawl_error_message(again));
    clear_bed(&bed);
    pawl_error_unref(again);
    expect_error(error, status, part);
    pawl_primitive_unref(node);
}

pawl_primitive *sound(pawl_primitive *node) {
    pawl_error *error = pawl_primitive_error(node);
    if (error)
        expect_error(error, PAWL_OK, "a sound pipeline");
    return node;
}

/* ---- memory ---- */

static bool is_clean(pawl_status status) {
    return status == PAWL_E_NOMEM || status == PAWL_E_UNSUPPORTED; /* the latter: no loop could be made */
}

static pawl_status try_to_run(pawl_primitive *(*make)(void *user), void *user, struct fake_clock *time,
                              const char *in) {
    pawl_runtime *runtime = pawl_runtime_with(.seed = 1, .hooks = &time->hooks);
    pawl_context *ctx = pawl_context_new(runtime);
    pawl_primitive *node = make(user);
    pawl_status status = PAWL_E_NOMEM;
    char *out = NULL;
    pawl_error *err = NULL;
    if (ctx)
        status = pawl_run_text(node, ctx, in, &out, &err);
    if (ctx && status != PAWL_OK)
        assert_int_equal(pawl_error_status(err), status);
    if (runtime)
        expect_nothing_alive(runtime);
    free(out);
    pawl_error_unref(err);
    pawl_primitive_unref(node);
    pawl_context_unref(ctx);
    pawl_runtime_unref(runtime);
    return status;
}

void survive_without_memory(pawl_primitive *(*make)(void *user), void *user, const char *in) {
    struct fake_clock time = {0};
    pawl_runtime_unref(virtual_runtime(&time)); /* its hooks stay */
    pawl_status undisturbed = try_to_run(make, user, &time, in);
    for_each_failing_allocation(n) {
        pawl_status status = try_to_run(make, user, &time, in);
        time.boundaries = 0;
        if (status != undisturbed && (!is_clean(status) || allocations_failed() == 0))
            fail_msg("allocation %zu failed: the run gave %s, undisturbed %s", n, pawl_status_name(status),
                     pawl_status_name(undisturbed));
    }
    for_each_run_without_memory(n) {
        pawl_status status = try_to_run(make, user, &time, in);
        time.boundaries = 0;
        if (status != undisturbed && (!is_clean(status) || allocations_failed() == 0))
            fail_msg("no memory from allocation %zu on: the run gave %s, undisturbed %s", n, pawl_status_name(status),
                     pawl_status_name(undisturbed));
    }
}

void expect_no_allocation(pawl_primitive *node, pawl_value *in) {
    struct bed bed;
    make_bed(&bed);
    pawl_value *out = NULL;
#ifndef __SANITIZE_ADDRESS__ /* with it the loops keep no blocks, so that a use after the end is seen */
    size_t before = 0;
    for (int i = 0; i < 3; i++) {
        before = allocations_made();
        assert_int_equal(pawl_run(node, bed.ctx, in, &out, NULL), PAWL_OK);
        out = pawl_value_unref(out);
    }
    assert_int_equal(allocations_made(), before);
#else
    assert_int_equal(pawl_run(node, bed.ctx, in, &out, NULL), PAWL_OK);
    pawl_value_unref(out);
#endif
    clear_bed(&bed);
}

/* ---- small things ---- */

static void count_question(void *user) {
    if (user)
        ++*(size_t *)user;
}

bool whatever_succeeded(const pawl_outcome *outcome, void *user) {
    count_question(user);
    return pawl_outcome_status(outcome) == PAWL_OK;
}

bool whatever_failed(const pawl_outcome *outcome, void *user) {
    count_question(user);
    return pawl_outcome_status(outcome) != PAWL_OK;
}

void note_end(void *user, pawl_status status, pawl_value *value, pawl_error *error) {
    struct ended *ended = user;
    ended->times++;
    ended->status = status;
    ended->value = value;
    ended->error = error;
}

void release_end(struct ended *ended) {
    ended->value = pawl_value_unref(ended->value);
    ended->error = pawl_error_unref(ended->error);
}
