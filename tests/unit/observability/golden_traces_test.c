/* What each primitive leaves in a trace, whole and exactly, in success and failure. */
#include "leaves.h"
#include "refine_play.h"
#include "traced.h"

#include <pawl/primitives/primitives.h>
#include <setjmp.h>
#include <stdlib.h>

#include <cmocka.h>

/* Takes the pipeline. */
static void expect_trace(pawl_primitive *node, const char *expected) {
    struct traced t;
    make_traced(&t, (pawl_tracer_options){0});
    (void)trace_run(&t, node);
    char *text = trace_text(&t);
    if (getenv("PAWL_PRINT_TRACES"))
        print_message("%s\n", text);
    else
        assert_string_equal(text, expected);
    free(text);
    end_traced(&t);
}

static pawl_status forget_output(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out,
                                 pawl_error **err) {
    (void)user, (void)ctx, (void)in, (void)err;
    *ret_out = pawl_value_null();
    return PAWL_OK;
}

static pawl_status open_a_span(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    (void)user, (void)in, (void)ret_out, (void)err;
    const pawl_attribute found = pawl_attribute_int("count", 3);
    pawl_span span;
    pawl_span_open(ctx, &span, "phase");
    pawl_span_set_string(&span, "shop.queue", "fast");
    pawl_span_add_event(&span, "found", 0, &found, 1);
    pawl_span_close(ctx, &span, PAWL_OK, NULL);
    pawl_context_add_event(ctx, "done");
    return PAWL_OK;
}

static pawl_status fail_with_causes(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out,
                                    pawl_error **err) {
    (void)user, (void)ctx, (void)in, (void)ret_out;
    pawl_error *cause = NULL;
    pawl_error_set(&cause, PAWL_E_UNAVAILABLE, "connection refused");
    return pawl_error_wrap(err, PAWL_E_FAILED, cause, "no answer from the shop");
}

static void an_inline_leaf(void **state) {
    (void)state;
    expect_trace(passing("leaf"), "leaf 0..0 pawl.primitive.type=inline pawl.primitive.path=leaf "
                                  "gen_ai.operation.name=invoke_workflow gen_ai.workflow.name=leaf\n");
}

static void a_leaf_that_fails(void **state) {
    (void)state;
    expect_trace(failing("leaf", PAWL_E_DENIED),
                 "leaf 0..0 ERROR failed on purpose pawl.primitive.type=inline pawl.primitive.path=leaf "
                 "gen_ai.operation.name=invoke_workflow gen_ai.workflow.name=leaf error.type=denied\n"
                 "  ! exception 0 exception.type=denied exception.message=failed on purpose\n");
}

static void an_async_leaf(void **state) {
    (void)state;
    struct manual_op manual = {.completes = COMPLETES_AT_ONCE};
    expect_trace(manual_primitive("call", &manual),
                 "call 0..0 pawl.primitive.type=async pawl.primitive.path=call "
                 "gen_ai.operation.name=invoke_workflow gen_ai.workflow.name=call\n");
}

static void an_async_leaf_whose_time_is_up(void **state) {
    (void)state;
    struct manual_op manual = {.completes = COMPLETES_ON_CANCEL};
    expect_trace(pawl_timeout("limit", manual_primitive("call", &manual), .after_ns = PAWL_MS(2)),
                 "limit 0..2 ERROR timeout 'limit': took longer than its limit of 2 ms; raise after_ns or make the "
                 "work smaller pawl.primitive.type=timeout pawl.primitive.path=limit "
                 "gen_ai.operation.name=invoke_workflow gen_ai.workflow.name=limit error.type=timeout\n"
                 "  ! exception 2 exception.type=timeout exception.message=timeout 'limit': took longer than its limit "
                 "of 2 ms; raise after_ns or make the work smaller exception.stacktrace=limit/call: async 'call': the "
                 "deadline passed before it ended; give the run more time or the work less\n"
                 "  call 0..2 ERROR async 'call': the deadline passed before it ended; give the run more time or the "
                 "work less pawl.primitive.type=async pawl.primitive.path=limit/call error.type=deadline "
                 "pawl.cancel_reason=deadline\n"
                 "    ! exception 2 exception.type=deadline exception.message=async 'call': the deadline passed before "
                 "it ended; give the run more time or the work less\n");
}

static void a_sequence(void **state) {
    (void)state;
    expect_trace(pawl_sequential("both", passing("a"), sleeper("b", PAWL_MS(5))),
                 "both 0..5 pawl.primitive.type=sequential pawl.primitive.path=both "
                 "gen_ai.operation.name=invoke_workflow gen_ai.workflow.name=both\n"
                 "  a 0..0 pawl.primitive.type=inline pawl.primitive.path=both/a pawl.step=0\n"
                 "  b 0..5 pawl.primitive.type=function pawl.primitive.path=both/b pawl.step=1\n");
}

static void a_sequence_that_fails_in_its_first_step(void **state) {
    (void)state;
    expect_trace(pawl_sequential("both", failing("a", PAWL_E_FAILED), passing("b")),
                 "both 0..0 ERROR failed on purpose pawl.primitive.type=sequential pawl.primitive.path=both "
                 "gen_ai.operation.name=invoke_workflow gen_ai.workflow.name=both error.type=failed\n"
                 "  a 0..0 ERROR failed on purpose pawl.primitive.type=inline pawl.primitive.path=both/a "
                 "error.type=failed pawl.step=0\n"
                 "    ! exception 0 exception.type=failed exception.message=failed on purpose\n");
}

static void a_parallel(void **state) {
    (void)state;
    expect_trace(pawl_parallel("both", PAWL_CHILDREN(pausing("a", PAWL_MS(1)), pausing("b", PAWL_MS(2))), .mode = 0),
                 "both 0..2 pawl.primitive.type=parallel pawl.primitive.path=both "
                 "gen_ai.operation.name=invoke_workflow gen_ai.workflow.name=both\n"
                 "  a 0..1 pawl.primitive.type=pausing pawl.primitive.path=both/a pawl.branch=0\n"
                 "  b 0..2 pawl.primitive.type=pausing pawl.primitive.path=both/b pawl.branch=1\n");
}

static void a_parallel_whose_branch_fails(void **state) {
    (void)state;
    expect_trace(pawl_parallel("both", PAWL_CHILDREN(failing("a", PAWL_E_FAILED), pausing("b", PAWL_MS(2))), .mode = 0),
                 "both 0..0 ERROR failed on purpose pawl.primitive.type=parallel pawl.primitive.path=both "
                 "gen_ai.operation.name=invoke_workflow gen_ai.workflow.name=both error.type=failed\n"
                 "  a 0..0 ERROR failed on purpose pawl.primitive.type=inline pawl.primitive.path=both/a "
                 "error.type=failed pawl.branch=0\n"
                 "    ! exception 0 exception.type=failed exception.message=failed on purpose\n"
                 "  b 0..0 pawl.primitive.type=pausing pawl.primitive.path=both/b pawl.cancel_reason=sibling_failed "
                 "pawl.branch=1\n");
}

static void a_retry(void **state) {
    (void)state;
    struct flaky flaky = {.failures_left = 1};
    expect_trace(pawl_retry("again", flaky_primitive(&flaky), .jitter = PAWL_JITTER_NONE),
                 "again 0..100 pawl.primitive.type=retry pawl.primitive.path=again "
                 "gen_ai.operation.name=invoke_workflow gen_ai.workflow.name=again\n"
                 "  flaky 0..0 ERROR flaky: call 1 pawl.primitive.type=inline pawl.primitive.path=again/flaky "
                 "error.type=unavailable pawl.attempt=1\n"
                 "    ! exception 0 exception.type=unavailable exception.message=flaky: call 1\n"
                 "  flaky 100..100 pawl.primitive.type=inline pawl.primitive.path=again/flaky pawl.attempt=2\n");
}

static void a_retry_that_gives_up(void **state) {
    (void)state;
    struct flaky flaky = {.failures_left = 9};
    expect_trace(pawl_retry("again", flaky_primitive(&flaky), .jitter = PAWL_JITTER_NONE, .max_attempts = 2),
                 "again 0..100 ERROR retry 'again': all 2 attempts failed; see the cause pawl.primitive.type=retry "
                 "pawl.primitive.path=again gen_ai.operation.name=invoke_workflow gen_ai.workflow.name=again "
                 "error.type=exhausted\n"
                 "  ! exception 100 exception.type=exhausted exception.message=retry 'again': all 2 attempts failed; "
                 "see the cause exception.stacktrace=again/flaky: flaky: call 2\n"
                 "  flaky 0..0 ERROR flaky: call 1 pawl.primitive.type=inline pawl.primitive.path=again/flaky "
                 "error.type=unavailable pawl.attempt=1\n"
                 "    ! exception 0 exception.type=unavailable exception.message=flaky: call 1\n"
                 "  flaky 100..100 ERROR flaky: call 2 pawl.primitive.type=inline pawl.primitive.path=again/flaky "
                 "error.type=unavailable pawl.attempt=2\n"
                 "    ! exception 100 exception.type=unavailable exception.message=flaky: call 2\n");
}

static void a_timeout(void **state) {
    (void)state;
    expect_trace(pawl_timeout("limit", sleeper("work", PAWL_MS(1)), .after_ns = PAWL_MS(2)),
                 "limit 0..1 pawl.primitive.type=timeout pawl.primitive.path=limit "
                 "gen_ai.operation.name=invoke_workflow gen_ai.workflow.name=limit\n"
                 "  work 0..1 pawl.primitive.type=function pawl.primitive.path=limit/work\n");
}

static void a_timeout_that_passes(void **state) {
    (void)state;
    expect_trace(pawl_timeout("limit", pausing("work", PAWL_MS(3)), .after_ns = PAWL_MS(2)),
                 "limit 0..2 ERROR timeout 'limit': took longer than its limit of 2 ms; raise after_ns or make the "
                 "work smaller pawl.primitive.type=timeout pawl.primitive.path=limit "
                 "gen_ai.operation.name=invoke_workflow gen_ai.workflow.name=limit error.type=timeout\n"
                 "  ! exception 2 exception.type=timeout exception.message=timeout 'limit': took longer than its limit "
                 "of 2 ms; raise after_ns or make the work smaller exception.stacktrace=limit/work: pausing 'work': "
                 "the deadline passed before it ended; give the run more time or the work less\n"
                 "  work 0..2 ERROR pausing 'work': the deadline passed before it ended; give the run more time or the "
                 "work less pawl.primitive.type=pausing pawl.primitive.path=limit/work error.type=deadline "
                 "pawl.cancel_reason=deadline\n"
                 "    ! exception 2 exception.type=deadline exception.message=pausing 'work': the deadline passed "
                 "before it ended; give the run more time or the work less\n");
}

static void a_fallback(void **state) {
    (void)state;
    expect_trace(pawl_fallback("either", PAWL_CHILDREN(passing("a"), passing("b"))),
                 "either 0..0 pawl.primitive.type=fallback pawl.primitive.path=either "
                 "gen_ai.operation.name=invoke_workflow gen_ai.workflow.name=either\n"
                 "  a 0..0 pawl.primitive.type=inline pawl.primitive.path=either/a pawl.fallback=0\n");
}

static void a_fallback_that_falls_back(void **state) {
    (void)state;
    expect_trace(pawl_fallback("either", PAWL_CHILDREN(failing("a", PAWL_E_UNAVAILABLE), passing("b"))),
                 "either 0..0 pawl.primitive.type=fallback pawl.primitive.path=either "
                 "gen_ai.operation.name=invoke_workflow gen_ai.workflow.name=either\n"
                 "  a 0..0 ERROR failed on purpose pawl.primitive.type=inline pawl.primitive.path=either/a "
                 "error.type=unavailable pawl.fallback=0\n"
                 "    ! exception 0 exception.type=unavailable exception.message=failed on purpose\n"
                 "  b 0..0 pawl.primitive.type=inline pawl.primitive.path=either/b pawl.fallback=1\n");
}

static void a_cache_that_misses(void **state) {
    (void)state;
    expect_trace(
        pawl_sequential("once", pawl_cache("cache", constant("a", "1"), .ttl_ns = PAWL_S(1)), passing("b")),
        "once 0..0 pawl.primitive.type=sequential pawl.primitive.path=once gen_ai.operation.name=invoke_workflow "
        "gen_ai.workflow.name=once pawl.correlation.id=b8f053ae-9f6d-474e-8915-543a4ea86b51\n"
        "  cache 0..0 pawl.primitive.type=cache pawl.primitive.path=once/cache pawl.step=0 pawl.cache=miss\n"
        "    a 0..0 pawl.primitive.type=inline pawl.primitive.path=a\n"
        "  b 0..0 pawl.primitive.type=inline pawl.primitive.path=once/b pawl.step=1\n");
}

static void a_cache_that_hits(void **state) {
    (void)state;
    pawl_primitive *cache = pawl_cache("cache", constant("a", "1"), .ttl_ns = PAWL_S(1), .no_single_flight = 1);
    expect_trace(pawl_sequential("twice", pawl_primitive_ref(cache), pawl_inline("reset", forget_output, NULL), cache),
                 "twice 0..0 pawl.primitive.type=sequential pawl.primitive.path=twice "
                 "gen_ai.operation.name=invoke_workflow gen_ai.workflow.name=twice\n"
                 "  cache 0..0 pawl.primitive.type=cache pawl.primitive.path=twice/cache pawl.step=0 pawl.cache=miss\n"
                 "    a 0..0 pawl.primitive.type=inline pawl.primitive.path=twice/cache/a\n"
                 "  reset 0..0 pawl.primitive.type=inline pawl.primitive.path=twice/reset pawl.step=1\n"
                 "  cache 0..0 pawl.primitive.type=cache pawl.primitive.path=twice/cache pawl.step=2 pawl.cache=hit\n");
}

static void a_refine(void **state) {
    (void)state;
    struct play play = {.answers = {"{\"n\": 1}", "{\"n\": 42}"}};
    expect_trace(refining(&play, .max_rounds = 3),
                 "fix 0..0 pawl.primitive.type=refine pawl.primitive.path=fix gen_ai.operation.name=invoke_workflow "
                 "gen_ai.workflow.name=fix pawl.stop_reason=accepted pawl.rounds=2 pawl.executions=2\n"
                 "  generate 0..0 pawl.primitive.type=inline pawl.primitive.path=fix/generate pawl.round=1\n"
                 "  try 0..0 pawl.primitive.type=try pawl.primitive.path=fix/try pawl.candidate=1 pawl.round=1\n"
                 "  generate 0..0 pawl.primitive.type=inline pawl.primitive.path=fix/generate pawl.round=2\n"
                 "  try 0..0 pawl.primitive.type=try pawl.primitive.path=fix/try pawl.candidate=2 pawl.round=2\n");
    play_drop(&play, NULL);
}

static void a_refine_whose_generator_fails(void **state) {
    (void)state;
    struct play play = {.answers = {"!unavailable"}};
    expect_trace(refining(&play, .max_rounds = 3),
                 "fix 0..0 pawl.primitive.type=refine pawl.primitive.path=fix gen_ai.operation.name=invoke_workflow "
                 "gen_ai.workflow.name=fix pawl.stop_reason=rounds pawl.rounds=3 pawl.executions=2\n"
                 "  generate 0..0 ERROR the generator has no answer pawl.primitive.type=inline "
                 "pawl.primitive.path=fix/generate error.type=unavailable pawl.round=1\n"
                 "    ! exception 0 exception.type=unavailable exception.message=the generator has no answer\n"
                 "  generate 0..0 pawl.primitive.type=inline pawl.primitive.path=fix/generate pawl.round=2\n"
                 "  try 0..0 pawl.primitive.type=try pawl.primitive.path=fix/try pawl.candidate=1 pawl.round=2\n"
                 "  generate 0..0 pawl.primitive.type=inline pawl.primitive.path=fix/generate pawl.round=3\n"
                 "  try 0..0 pawl.primitive.type=try pawl.primitive.path=fix/try pawl.candidate=2 pawl.round=3\n");
    play_drop(&play, NULL);
}

static void a_leaf_with_a_span_of_its_own(void **state) {
    (void)state;
    expect_trace(pawl_inline("leaf", open_a_span, NULL),
                 "leaf 0..0 pawl.primitive.type=inline pawl.primitive.path=leaf gen_ai.operation.name=invoke_workflow "
                 "gen_ai.workflow.name=leaf\n"
                 "  ! done 0\n"
                 "  phase 0..0 shop.queue=fast\n"
                 "    ! found 0 count=3\n");
}

static void an_error_with_causes(void **state) {
    (void)state;
    expect_trace(pawl_sequential("s", pawl_inline("leaf", fail_with_causes, NULL)),
                 "s 0..0 ERROR no answer from the shop pawl.primitive.type=sequential pawl.primitive.path=s "
                 "gen_ai.operation.name=invoke_workflow gen_ai.workflow.name=s error.type=failed\n"
                 "  leaf 0..0 ERROR no answer from the shop pawl.primitive.type=inline pawl.primitive.path=s/leaf "
                 "error.type=failed pawl.step=0\n"
                 "    ! exception 0 exception.type=failed exception.message=no answer from the shop "
                 "exception.stacktrace=connection refused\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_inline_leaf),
        cmocka_unit_test(a_leaf_that_fails),
        cmocka_unit_test(an_async_leaf),
        cmocka_unit_test(an_async_leaf_whose_time_is_up),
        cmocka_unit_test(a_sequence),
        cmocka_unit_test(a_sequence_that_fails_in_its_first_step),
        cmocka_unit_test(a_parallel),
        cmocka_unit_test(a_parallel_whose_branch_fails),
        cmocka_unit_test(a_retry),
        cmocka_unit_test(a_retry_that_gives_up),
        cmocka_unit_test(a_timeout),
        cmocka_unit_test(a_timeout_that_passes),
        cmocka_unit_test(a_fallback),
        cmocka_unit_test(a_fallback_that_falls_back),
        cmocka_unit_test(a_cache_that_misses),
        cmocka_unit_test(a_cache_that_hits),
        cmocka_unit_test(a_refine),
        cmocka_unit_test(a_refine_whose_generator_fails),
        cmocka_unit_test(a_leaf_with_a_span_of_its_own),
        cmocka_unit_test(an_error_with_causes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
