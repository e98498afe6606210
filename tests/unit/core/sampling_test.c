/* Who is told of a trace, and what the others hear of that decision. */
#include "engine_internal.h"
#include "leaves.h"
#include "recorder.h"
#include "virtual_runtime.h"

#include <pawl/primitives/function.h>
#include <pawl/primitives/sequential.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A sampler that answers what it is told to. */
struct sampler {
    pawl_sample answer;
    const char *tracestate;
    size_t asked, told;
    pawl_sampling question;
    char name[32];
};

static pawl_sample answer(void *self, const pawl_sampling *question, char **ret_tracestate) {
    struct sampler *s = self;
    s->asked++;
    s->question = *question;
    strncpy(s->name, question->name, sizeof s->name - 1);
    if (s->tracestate)
        *ret_tracestate = strdup(s->tracestate);
    return s->answer;
}

static void count(void *self, const pawl_span *span) {
    (void)span;
    ((struct sampler *)self)->told++;
}

static const pawl_observer_vtable sampler_vtable = {.size = sizeof sampler_vtable, .sample = answer, .span_end = count};

struct world {
    struct fake_clock time;
    pawl_runtime *runtime;
    pawl_context *ctx;
    struct sampler sampler, other;
};

static int make_world(void **state) {
    struct world *w = calloc(1, sizeof *w);
    w->runtime = virtual_runtime(&w->time);
    pawl_runtime_add_observer(w->runtime, &sampler_vtable, &w->sampler, NULL);
    w->ctx = pawl_context_new(w->runtime);
    *state = w;
    return 0;
}

static int end_world(void **state) {
    struct world *w = *state;
    expect_nothing_alive(w->runtime);
    pawl_context_unref(w->ctx);
    pawl_runtime_unref(w->runtime);
    free(w);
    return 0;
}

static pawl_primitive *two(void) {
    return pawl_sequential("two", passing("a"), passing("b"));
}

static void a_dropped_trace_has_no_spans_and_no_flag(void **state) {
    struct world *w = *state;
    expect_output_of(two(), w->ctx, NULL, "null");
    assert_int_equal(w->sampler.asked, 1);
    assert_int_equal(w->sampler.told, 0);
    assert_int_equal(pawl_context_trace_flags(w->ctx) & 1, 0);
    assert_string_equal(w->sampler.name, "two");
    assert_int_equal(w->sampler.question.has_parent, 0);
}

static void a_kept_trace_is_told_and_flagged(void **state) {
    struct world *w = *state;
    w->sampler.answer = PAWL_SAMPLE_KEEP;
    expect_output_of(two(), w->ctx, NULL, "null");
    assert_int_equal(w->sampler.told, 3);
    assert_int_equal(pawl_context_trace_flags(w->ctx) & 1, 1);
}

static void a_recorded_trace_is_told_and_not_flagged(void **state) {
    struct world *w = *state;
    w->sampler.answer = PAWL_SAMPLE_RECORD;
    expect_output_of(two(), w->ctx, NULL, "null");
    assert_int_equal(w->sampler.told, 3);
    assert_int_equal(pawl_context_trace_flags(w->ctx) & 1, 0);
}

static void a_trace_is_asked_about_once(void **state) {
    struct world *w = *state;
    w->sampler.answer = PAWL_SAMPLE_KEEP;
    expect_output_of(two(), w->ctx, NULL, "null");
    w->sampler.answer = PAWL_SAMPLE_DROP;
    expect_output_of(two(), w->ctx, NULL, "null");
    pawl_context *child = pawl_context_child(w->ctx), *copy = pawl_context_detach(w->ctx);
    expect_output_of(two(), child, NULL, "null");
    expect_output_of(two(), copy, NULL, "null");
    assert_int_equal(w->sampler.asked, 1);
    assert_int_equal(w->sampler.told, 12);
    pawl_context_unref(child);
    pawl_context_unref(copy);
}

static void each_observer_decides_for_itself(void **state) {
    struct world *w = *state;
    pawl_runtime_add_observer(w->runtime, &sampler_vtable, &w->other, NULL);
    w->other.answer = PAWL_SAMPLE_KEEP;
    expect_output_of(two(), w->ctx, NULL, "null");
    assert_int_equal(w->sampler.told, 0);
    assert_int_equal(w->other.told, 3);
    assert_int_equal(pawl_context_trace_flags(w->ctx) & 1, 1);
}

static void a_parent_elsewhere_is_told_to_the_sampler(void **state) {
    struct world *w = *state;
    w->sampler.answer = PAWL_SAMPLE_KEEP;
    w->sampler.tracestate = "ot=th:8,a=b";
    assert_true(pawl_context_extract(w->ctx, "00-101112131415161718191a1b1c1d1e1f-a0a1a2a3a4a5a6a7-03", "a=b", NULL));
    expect_output_of(two(), w->ctx, NULL, "null");
    assert_int_equal(w->sampler.question.has_parent, 1);
    assert_int_equal(w->sampler.question.trace_flags, 3);
    assert_int_equal(w->sampler.question.trace_id[15], 0x1f);
    assert_int_equal(w->sampler.question.parent_span_id[0], 0xa0);
    assert_string_equal(pawl_context_tracestate(w->ctx), "ot=th:8,a=b");
    assert_int_equal(pawl_context_trace_flags(w->ctx), 3);
}

static void an_observer_without_a_say_is_always_told(void **state) {
    struct world *w = *state;
    static struct recorder recorder; /* too large for a stack */
    record(w->runtime, &recorder);
    expect_output_of(two(), w->ctx, NULL, "null");
    assert_int_equal(recorder.ended, 3);
    assert_int_equal(w->sampler.told, 0);
}

static void spans_after_the_shutdown_reach_nobody(void **state) {
    struct world *w = *state;
    w->sampler.answer = PAWL_SAMPLE_KEEP;
    pawl_span span;
    pawl_span_open(w->ctx, &span, "late");
    pawl_runtime_shutdown(w->runtime, NULL);
    pawl_span_close(w->ctx, &span, PAWL_OK, NULL);
    assert_int_equal(w->sampler.told, 0);
}

#define in_world(test) cmocka_unit_test_setup_teardown(test, make_world, end_world)

int main(void) {
    const struct CMUnitTest tests[] = {
        in_world(a_dropped_trace_has_no_spans_and_no_flag), in_world(a_kept_trace_is_told_and_flagged),
        in_world(a_recorded_trace_is_told_and_not_flagged), in_world(a_trace_is_asked_about_once),
        in_world(each_observer_decides_for_itself),         in_world(a_parent_elsewhere_is_told_to_the_sampler),
        in_world(an_observer_without_a_say_is_always_told), in_world(spans_after_the_shutdown_reach_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
