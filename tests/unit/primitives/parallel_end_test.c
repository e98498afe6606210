/* How a parallel ends when a child fails, or its scope is over. */
#include "bed.h"

#include <pawl/primitives/function.h>
#include <pawl/primitives/parallel.h>
#include <pawl/primitives/sequential.h>
#include <pawl/primitives/timeout.h>
#include <pawl/run.h>
#include <setjmp.h>

#include <cmocka.h>

#define CLAIM(name) static void name(void **state)

#define all_of(...) pawl_parallel_new("p", PAWL_CHILDREN(__VA_ARGS__), NULL)
#define settle(...) pawl_parallel("p", PAWL_CHILDREN(__VA_ARGS__), .mode = PAWL_PARALLEL_SETTLE)

/* ---- failing ---- */

CLAIM(B2_a_failure_cancels_the_others_and_waits_for_their_end) {
    (void)state;
    struct bed bed;
    struct manual_op slow = {0}, quick = {.completes = COMPLETES_ON_CANCEL};
    make_bed(&bed);
    bed.time.when_idle = complete_when_idle; /* the slow one ends long after its cancel */
    bed.time.idle_user = &slow;
    expect_failure_of(all_of(manual_primitive("slow", &slow), manual_primitive("quick", &quick),
                             pawl_sequential("s", pausing("pause", PAWL_S(1)), failing("bad", PAWL_E_DENIED)),
                             pausing("long", PAWL_MIN(9))),
                      bed.ctx, NULL, PAWL_E_DENIED, "p/s/bad: failed on purpose");
    assert_int_equal(slow.cancels, 1);
    assert_int_equal(slow.reason, PAWL_CANCEL_SIBLING_FAILED);
    assert_int_equal(slow.destroys, 1);
    assert_int_equal(quick.destroys, 1);
    assert_int_equal(bed.time.now_ns, PAWL_S(1));
    clear_bed(&bed);
}

CLAIM(the_first_failure_is_returned_whole) {
    (void)state;
    struct bed bed;
    pawl_error *err = NULL;
    struct flaky flaky = {.failures_left = 1, .retry_after_ns = PAWL_S(4)};
    make_bed(&bed);
    pawl_primitive *node = all_of(pausing("a", PAWL_S(1)), flaky_primitive(&flaky), pausing("c", PAWL_S(1)));
    assert_int_equal(pawl_run(node, bed.ctx, NULL, NULL, &err), PAWL_E_UNAVAILABLE);
    assert_string_equal(pawl_error_message(err), "flaky: call 1");
    assert_string_equal(pawl_error_path(err), "p/flaky");
    assert_null(pawl_error_cause(err));
    assert_int_equal(pawl_error_retry_after_ns(err), PAWL_S(4));
    pawl_error_unref(err), pawl_primitive_unref(node);
    clear_bed(&bed);
}

CLAIM(starts_nobody_after_a_failure) {
    (void)state;
    struct bed bed;
    atomic_size_t before = 0, after = 0;
    make_bed(&bed);
    expect_failure_of(pawl_parallel("p",
                                    PAWL_CHILDREN(counting("a", &before), failing("b", PAWL_E_FAILED),
                                                  counting("c", &after), pausing("d", 1)),
                                    .max_concurrency = 1),
                      bed.ctx, NULL, PAWL_E_FAILED, "p/b");
    expect_failure_of(all_of(counting("a", &before), failing("b", PAWL_E_FAILED), counting("c", &after)), bed.ctx, NULL,
                      PAWL_E_FAILED, "p/b");
    assert_int_equal(before, 2);
    assert_int_equal(after, 0);
    clear_bed(&bed);
}

struct two_ops {
    struct manual_op a, b, c;
    pawl_status of_a, of_b;
    bool b_first;
};

static bool fail_both(void *user) {
    struct two_ops *two = user;
    if (two->b_first && two->b.pending)
        complete(&two->b, two->of_b, NULL);
    if (two->a.pending)
        complete(&two->a, two->of_a, NULL);
    if (two->b.pending)
        complete(&two->b, two->of_b, NULL);
    return true;
}

static void expect_both_told(bool b_first, pawl_status status, const char *text) {
    struct bed bed;
    struct two_ops two = {
        .of_a = PAWL_E_DENIED, .of_b = PAWL_E_NOT_FOUND, .b_first = b_first, .c.completes = COMPLETES_ON_CANCEL};
    make_bed(&bed);
    bed.time.when_idle = fail_both;
    bed.time.idle_user = &two;
    expect_failure_of(
        all_of(manual_primitive("a", &two.a), manual_primitive("b", &two.b), manual_primitive("c", &two.c)), bed.ctx,
        NULL, status, text);
    clear_bed(&bed);
}

CLAIM(tells_who_else_failed_by_itself) {
    (void)state;
    expect_both_told(false, PAWL_E_DENIED,
                     "p/a: async 'a': failed without saying why; set *err to tell; 1 more of its siblings failed, the "
                     "first of them: async 'b'");
    expect_both_told(true, PAWL_E_NOT_FOUND, "the first of them: async 'a'");
}

/* ---- cancel and deadline ---- */

CLAIM(B19_a_cancel_from_outside_stays_one) {
    (void)state;
    struct bed bed;
    struct manual_op a = {.completes = COMPLETES_ON_CANCEL}, b = a;
    struct ended ended = {0};
    make_bed(&bed);
    pawl_primitive *node = all_of(manual_primitive("a", &a), manual_primitive("b", &b));
    pawl_start(node, bed.ctx, NULL, note_end, &ended, NULL);
    pawl_runtime_pump(bed.runtime, NULL);
    pawl_context_cancel(bed.ctx, PAWL_CANCEL_USER, "stop");
    pawl_runtime_pump(bed.runtime, NULL);
    assert_int_equal(ended.status, PAWL_E_CANCELLED);
    assert_int_equal(pawl_error_cancel_reason(ended.error), PAWL_CANCEL_USER);
    assert_string_equal(pawl_error_path(ended.error), "p");
    assert_string_equal(pawl_error_message(ended.error), "cancelled (user): stop");
    assert_string_equal(pawl_error_path(pawl_error_cause(ended.error)), "p/b");
    assert_int_equal(a.reason, PAWL_CANCEL_USER);
    release_end(&ended);
    pawl_primitive_unref(node);
    clear_bed(&bed);
}

static void cancel_without_words(void *ctx) {
    pawl_context_cancel(ctx, PAWL_CANCEL_QUOTA, NULL);
}

CLAIM(a_cancel_without_words_tells_its_reason_and_the_first_failure) {
    (void)state;
    for (uint64_t mode = 0; mode < 2; mode++) {
        struct bed bed;
        pawl_error *err = NULL;
        make_bed(&bed);
        pawl_primitive *node = pawl_parallel("p", PAWL_CHILDREN(pausing("a", PAWL_S(1))), .mode = mode);
        at_boundary(&bed.time, 2, cancel_without_words, bed.ctx);
        assert_int_equal(pawl_run(node, bed.ctx, NULL, NULL, &err), PAWL_E_CANCELLED);
        assert_string_equal(pawl_error_path(err), "p");
        assert_string_equal(pawl_error_message(err), "cancelled (quota)");
        assert_string_equal(pawl_error_path(pawl_error_cause(err)), "p/a");
        pawl_error_unref(err), pawl_primitive_unref(node);
        clear_bed(&bed);
    }
}

CLAIM(B19_a_cancel_while_it_joins_after_a_failure_stays_one_and_keeps_the_failure) {
    (void)state;
    struct bed bed;
    struct manual_op slow = {0};
    struct ended ended = {0};
    make_bed(&bed);
    pawl_primitive *node = all_of(manual_primitive("slow", &slow), pawl_sequential("s", failing("bad", PAWL_E_DENIED)));
    pawl_start(node, bed.ctx, NULL, note_end, &ended, NULL);
    pawl_runtime_pump(bed.runtime, NULL);
    assert_int_equal(slow.reason, PAWL_CANCEL_SIBLING_FAILED);
    pawl_context_cancel(bed.ctx, PAWL_CANCEL_USER, "stop");
    complete(&slow, PAWL_OK, NULL);
    pawl_runtime_pump(bed.runtime, NULL);
    expect_error(pawl_error_ref(ended.error), PAWL_E_CANCELLED, "cancelled (user): stop");
    expect_error(pawl_error_ref(ended.error), PAWL_E_CANCELLED, "caused by: p/s/bad: failed on purpose");
    release_end(&ended);
    pawl_primitive_unref(node);
    clear_bed(&bed);
}

CLAIM(B19_a_timeout_around_it_is_a_timeout) {
    (void)state;
    struct bed bed;
    make_bed(&bed);
    expect_failure_of(pawl_timeout("limit", all_of(pausing("a", PAWL_S(5)), passing("b")), .after_ns = PAWL_S(1)),
                      bed.ctx, NULL, PAWL_E_TIMEOUT, "limit: timeout 'limit'");
    expect_failure_of(pawl_timeout("limit",
                                   pawl_parallel("p", PAWL_CHILDREN(pausing("a", PAWL_S(5)), passing("b")), .mode = 1),
                                   .after_ns = PAWL_S(1)),
                      bed.ctx, NULL, PAWL_E_TIMEOUT, "limit: timeout 'limit'");
    clear_bed(&bed);
}

CLAIM(refuses_further_starts_once_the_scope_is_over) {
    (void)state;
    struct bed bed;
    atomic_size_t after = 0;
    make_bed(&bed);
    pawl_context_set_timeout(bed.ctx, PAWL_S(1), NULL);
    for (uint64_t mode = 0; mode < 2; mode++) {
        struct manual_op op = {.completes = COMPLETES_ON_CANCEL};
        expect_failure_of(
            pawl_parallel("p", PAWL_CHILDREN(manual_primitive("a", &op), counting("b", &after), pausing("c", 1)),
                          .max_concurrency = 1, .mode = mode),
            bed.ctx, NULL, PAWL_E_DEADLINE, NULL);
    }
    assert_int_equal(after, 0);
    clear_bed(&bed);
}

static pawl_status spend_the_quota(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out,
                                   pawl_error **err) {
    (void)ctx, (void)in, (void)ret_out, (void)err;
    pawl_context_cancel(user, PAWL_CANCEL_QUOTA, NULL);
    return PAWL_OK;
}

CLAIM(those_that_succeeded_before_the_end_do_not_make_a_success) {
    (void)state;
    for (uint64_t mode = 0; mode < 2; mode++) {
        struct bed bed;
        make_observed_bed(&bed);
        expect_failure_of(
            pawl_parallel("p", PAWL_CHILDREN(pawl_inline("a", spend_the_quota, bed.ctx), passing("b"), pausing("c", 1)),
                          .max_concurrency = 1, .mode = mode),
            bed.ctx, NULL, PAWL_E_CANCELLED, "p: ");
        assert_int_equal(span_named(bed.recorder, "a")->status, PAWL_OK);
        assert_int_equal(spans_named(bed.recorder, "b"), 0);
        clear_bed(&bed);
        make_bed(&bed); /* the same without lanes */
        expect_failure_of(
            pawl_parallel("p", PAWL_CHILDREN(pawl_inline("a", spend_the_quota, bed.ctx), passing("b")), .mode = mode),
            bed.ctx, NULL, PAWL_E_CANCELLED, "p: ");
        clear_bed(&bed);
    }
}

CLAIM(all_that_succeeded_before_the_end_make_one) {
    (void)state;
    for (uint64_t mode = 0; mode < 2; mode++) {
        struct bed bed;
        make_bed(&bed);
        expect_output_of(pawl_parallel("p", PAWL_CHILDREN(pawl_inline("a", spend_the_quota, bed.ctx)), .mode = mode),
                         bed.ctx, "1", mode ? "[{\"status\":\"ok\",\"value\":1}]" : "[1]");
        clear_bed(&bed);
    }
}

static pawl_status cancel_own_scope(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out,
                                    pawl_error **err) {
    (void)user, (void)in, (void)ret_out;
    pawl_context_cancel(ctx, PAWL_CANCEL_QUOTA, NULL);
    return pawl_context_check(ctx, err);
}

CLAIM(each_child_has_a_scope_of_its_own) {
    (void)state;
    struct bed bed;
    make_bed(&bed);
    pawl_primitive *node =
        settle(pawl_inline("a", cancel_own_scope, NULL), pausing("b", 5), pawl_function("c", cancel_own_scope, NULL));
    pawl_value *out = NULL;
    assert_int_equal(pawl_run(node, bed.ctx, NULL, &out, NULL), PAWL_OK);
    const cJSON *json = pawl_value_json(out);
    assert_string_equal(cJSON_GetObjectItem(cJSON_GetArrayItem(json, 0), "status")->valuestring, "cancelled");
    assert_string_equal(cJSON_GetObjectItem(cJSON_GetArrayItem(json, 1), "status")->valuestring, "ok");
    assert_string_equal(cJSON_GetObjectItem(cJSON_GetArrayItem(json, 2), "status")->valuestring, "cancelled");
    pawl_value_unref(out), pawl_primitive_unref(node);
    clear_bed(&bed);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(B2_a_failure_cancels_the_others_and_waits_for_their_end),
        cmocka_unit_test(the_first_failure_is_returned_whole),
        cmocka_unit_test(starts_nobody_after_a_failure),
        cmocka_unit_test(tells_who_else_failed_by_itself),
        cmocka_unit_test(B19_a_cancel_from_outside_stays_one),
        cmocka_unit_test(a_cancel_without_words_tells_its_reason_and_the_first_failure),
        cmocka_unit_test(B19_a_cancel_while_it_joins_after_a_failure_stays_one_and_keeps_the_failure),
        cmocka_unit_test(B19_a_timeout_around_it_is_a_timeout),
        cmocka_unit_test(refuses_further_starts_once_the_scope_is_over),
        cmocka_unit_test(those_that_succeeded_before_the_end_do_not_make_a_success),
        cmocka_unit_test(all_that_succeeded_before_the_end_make_one),
        cmocka_unit_test(each_child_has_a_scope_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
