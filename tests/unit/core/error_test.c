#include "error_internal.h"
#include "failing_malloc.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void stores_a_formatted_message_and_returns_the_status(void **state) {
    (void)state;
    pawl_error *err = NULL;
    assert_int_equal(pawl_error_set(&err, PAWL_E_LIMIT, "list '%s': %d items, at most %d", "x", 7, 5), PAWL_E_LIMIT);
    assert_int_equal(pawl_error_status(err), PAWL_E_LIMIT);
    assert_string_equal(pawl_error_message(err), "list 'x': 7 items, at most 5");
    assert_string_equal(pawl_error_path(err), "");
    assert_null(pawl_error_cause(err));
    assert_null(pawl_error_unref(err));
}

static void a_null_error_reads_as_ok(void **state) {
    (void)state;
    assert_int_equal(pawl_error_status(NULL), PAWL_OK);
    assert_string_equal(pawl_error_message(NULL), "");
    assert_string_equal(pawl_error_path(NULL), "");
    assert_null(pawl_error_cause(NULL));
    assert_int_equal(pawl_error_class(NULL), PAWL_CLASS_DEFAULT);
    assert_int_equal(pawl_error_started(NULL), PAWL_STARTED_MAYBE);
    assert_int_equal(pawl_error_cancel_reason(NULL), PAWL_CANCEL_NONE);
    assert_int_equal(pawl_error_retry_after_ns(NULL), 0);
    assert_false(pawl_error_is_retryable(NULL));
    assert_null(pawl_error_ref(NULL));
    assert_null(pawl_error_unref(NULL));
    char text[4] = "xyz";
    assert_int_equal(pawl_error_describe(NULL, text, sizeof text), 0);
    assert_string_equal(text, "");
    assert_int_equal(pawl_error_describe(NULL, NULL, 0), 0);
}

static void makes_nothing_without_a_place_for_the_error(void **state) {
    (void)state;
    size_t before = allocations_made();
    assert_int_equal(pawl_error_set(NULL, PAWL_E_DENIED, "no"), PAWL_E_DENIED);
    assert_int_equal(allocations_made(), before);
}

static void takes_the_cause_also_without_a_place(void **state) {
    (void)state; /* a leak here is the leak checker's */
    pawl_error *cause = NULL;
    pawl_error_set(&cause, PAWL_E_UNAVAILABLE, "connection refused");
    assert_int_equal(pawl_error_wrap(NULL, PAWL_E_EXHAUSTED, cause, "gave up"), PAWL_E_EXHAUSTED);
}

static void ok_and_unknown_numbers_become_internal(void **state) {
    (void)state;
    const pawl_status bad[] = {PAWL_OK, (pawl_status)999, (pawl_status)-1};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        pawl_error *err = NULL;
        assert_int_equal(pawl_error_set(&err, bad[i], "odd"), PAWL_E_INTERNAL);
        assert_int_equal(pawl_error_status(err), PAWL_E_INTERNAL);
        assert_int_equal(pawl_error_set(NULL, bad[i], "odd"), PAWL_E_INTERNAL);
        pawl_error_unref(err);
    }
    pawl_error *err = pawl_error_make(NULL, NULL, NULL);
    assert_int_equal(pawl_error_status(err), PAWL_E_INTERNAL);
    assert_string_equal(pawl_error_message(err), "");
    pawl_error_unref(err);
}

static void replaces_the_error_that_is_there_and_may_quote_it(void **state) {
    (void)state;
    pawl_error *err = NULL;
    pawl_error_set(&err, PAWL_E_INVALID, "first");
    pawl_error_set(&err, PAWL_E_FAILED, "after '%s'", pawl_error_message(err));
    assert_string_equal(pawl_error_message(err), "after 'first'");
    assert_null(pawl_error_cause(err));
    pawl_error_unref(err);
}

static void the_error_that_is_there_can_become_the_cause(void **state) {
    (void)state;
    pawl_error *err = NULL;
    pawl_error_set(&err, PAWL_E_UNAVAILABLE, "refused");
    pawl_error_wrap(&err, PAWL_E_EXHAUSTED, err, "3 attempts");
    assert_string_equal(pawl_error_message(err), "3 attempts");
    assert_string_equal(pawl_error_message(pawl_error_cause(err)), "refused");
    pawl_error_unref(err);
}

static void carries_everything_that_info_says(void **state) {
    (void)state;
    pawl_error *cause = NULL;
    pawl_error *err = NULL;
    pawl_error_set(&cause, PAWL_E_TIMEOUT, "slow");
    pawl_error_info info = {.size = sizeof info,
                            .status = PAWL_E_RATE_LIMITED,
                            .failure_class = PAWL_CLASS_SERVER,
                            .started = PAWL_STARTED_NO,
                            .reason = PAWL_CANCEL_QUOTA,
                            .retry_after_ns = PAWL_S(3),
                            .cause = cause};
    assert_int_equal(pawl_error_set_info(&err, &info, "wait %d s", 3), PAWL_E_RATE_LIMITED);
    assert_int_equal(pawl_error_class(err), PAWL_CLASS_SERVER);
    assert_int_equal(pawl_error_started(err), PAWL_STARTED_NO);
    assert_int_equal(pawl_error_cancel_reason(err), PAWL_CANCEL_QUOTA);
    assert_int_equal(pawl_error_retry_after_ns(err), PAWL_S(3));
    assert_ptr_equal(pawl_error_cause(err), cause);
    pawl_error_unref(err);
}

static void an_older_smaller_info_is_read_as_far_as_it_goes(void **state) {
    (void)state;
    pawl_error *err = NULL;
    pawl_error_info info = {.size = offsetof(pawl_error_info, retry_after_ns),
                            .status = PAWL_E_REJECTED,
                            .retry_after_ns = 17,
                            .cause = (pawl_error *)&info}; /* must not be looked at */
    assert_int_equal(pawl_error_set_info(&err, &info, "full"), PAWL_E_REJECTED);
    assert_int_equal(pawl_error_retry_after_ns(err), 0);
    assert_null(pawl_error_cause(err));
    pawl_error_unref(err);
}

static void every_status_has_name_word_and_class(void **state) {
    (void)state;
    static const struct {
        pawl_status status;
        const char *name, *word;
        pawl_class failure_class;
        bool retryable;
    } rows[] = {
        {PAWL_E_FAILED, "PAWL_E_FAILED", "failed", PAWL_CLASS_PERMANENT, false},
        {PAWL_E_UNAVAILABLE, "PAWL_E_UNAVAILABLE", "unavailable", PAWL_CLASS_TRANSIENT, true},
        {PAWL_E_RATE_LIMITED, "PAWL_E_RATE_LIMITED", "rate_limited", PAWL_CLASS_THROTTLED, true},
        {PAWL_E_REJECTED, "PAWL_E_REJECTED", "rejected", PAWL_CLASS_TRANSIENT, true},
        {PAWL_E_TIMEOUT, "PAWL_E_TIMEOUT", "timeout", PAWL_CLASS_TRANSIENT, true},
        {PAWL_E_DEADLINE, "PAWL_E_DEADLINE", "deadline", PAWL_CLASS_PERMANENT, false},
        {PAWL_E_CANCELLED, "PAWL_E_CANCELLED", "cancelled", PAWL_CLASS_PERMANENT, false},
        {PAWL_E_EXHAUSTED, "PAWL_E_EXHAUSTED", "exhausted", PAWL_CLASS_PERMANENT, false},
        {PAWL_E_INVALID, "PAWL_E_INVALID", "invalid", PAWL_CLASS_PERMANENT, false},
        {PAWL_E_DENIED, "PAWL_E_DENIED", "denied", PAWL_CLASS_PERMANENT, false},
        {PAWL_E_NOT_FOUND, "PAWL_E_NOT_FOUND", "not_found", PAWL_CLASS_PERMANENT, false},
        {PAWL_E_PROTOCOL, "PAWL_E_PROTOCOL", "protocol", PAWL_CLASS_PERMANENT, false},
        {PAWL_E_LIMIT, "PAWL_E_LIMIT", "limit", PAWL_CLASS_PERMANENT, false},
        {PAWL_E_UNSUPPORTED, "PAWL_E_UNSUPPORTED", "unsupported", PAWL_CLASS_PERMANENT, false},
        {PAWL_E_NOMEM, "PAWL_E_NOMEM", "nomem", PAWL_CLASS_PERMANENT, false},
        {PAWL_E_INTERNAL, "PAWL_E_INTERNAL", "internal", PAWL_CLASS_PERMANENT, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        pawl_error *err = NULL;
        pawl_error_set(&err, rows[i].status, "x");
        assert_string_equal(pawl_status_name(rows[i].status), rows[i].name);
        assert_string_equal(pawl_status_word(rows[i].status), rows[i].word);
        assert_int_equal(pawl_error_class(err), rows[i].failure_class);
        assert_int_equal(pawl_error_is_retryable(err), rows[i].retryable);
        pawl_error_unref(err);
    }
    assert_string_equal(pawl_status_name(PAWL_OK), "PAWL_OK");
    assert_string_equal(pawl_status_word(PAWL_OK), "ok");
    assert_string_equal(pawl_status_name((pawl_status)999), "PAWL_E_?");
    assert_string_equal(pawl_status_word((pawl_status)-5), "unknown");
    assert_int_equal(pawl_status_class((pawl_status)999), PAWL_CLASS_PERMANENT);
}

static void every_cancel_reason_has_a_word(void **state) {
    (void)state;
    static const char *const words[] = {"none",           "user",      "timeout",  "deadline",
                                        "sibling_failed", "lost_race", "shutdown", "quota"};
    for (int i = 0; i <= PAWL_CANCEL_QUOTA; i++)
        assert_string_equal(pawl_cancel_reason_word((pawl_cancel_reason)i), words[i]);
    assert_string_equal(pawl_cancel_reason_word((pawl_cancel_reason)99), "unknown");
}

static void a_given_class_decides_about_retry_except_for_ended_scopes(void **state) {
    (void)state;
    assert_true(pawl_failure_is_retryable(PAWL_E_FAILED, PAWL_CLASS_TRANSIENT, PAWL_STARTED_MAYBE));
    assert_true(pawl_failure_is_retryable(PAWL_E_PROTOCOL, PAWL_CLASS_SERVER, PAWL_STARTED_YES));
    assert_false(pawl_failure_is_retryable(PAWL_E_UNAVAILABLE, PAWL_CLASS_PERMANENT, PAWL_STARTED_NO));
    assert_false(pawl_failure_is_retryable(PAWL_E_CANCELLED, PAWL_CLASS_TRANSIENT, PAWL_STARTED_NO));
    assert_false(pawl_failure_is_retryable(PAWL_E_DEADLINE, PAWL_CLASS_TRANSIENT, PAWL_STARTED_NO));
    assert_false(pawl_failure_is_retryable(PAWL_OK, PAWL_CLASS_TRANSIENT, PAWL_STARTED_NO));
}

static void a_protocol_error_is_retryable_only_when_nothing_started(void **state) {
    (void)state;
    assert_true(pawl_failure_is_retryable(PAWL_E_PROTOCOL, PAWL_CLASS_DEFAULT, PAWL_STARTED_NO));
    assert_false(pawl_failure_is_retryable(PAWL_E_PROTOCOL, PAWL_CLASS_DEFAULT, PAWL_STARTED_MAYBE));
    assert_false(pawl_failure_is_retryable(PAWL_E_PROTOCOL, PAWL_CLASS_DEFAULT, PAWL_STARTED_YES));
}

static void cuts_a_long_message_between_characters(void **state) {
    (void)state;
    for (size_t lead = 1018; lead <= 1024; lead++) {
        char text[1200];
        memset(text, 'a', lead);
        (void)sprintf(text + lead, "\xf0\x9f\x98\x80 tail that makes it long enough to be cut");
        pawl_error *err = NULL;
        pawl_error_set(&err, PAWL_E_FAILED, "%s", text);
        const char *message = pawl_error_message(err);
        size_t kept = lead + 4 <= 1023 ? 1023 : lead < 1023 ? lead : 1023;
        assert_int_equal(strlen(message), kept);
        assert_memory_equal(message, text, kept);
        pawl_error_unref(err);
    }
}

static void a_message_is_always_utf8(void **state) {
    (void)state;
    pawl_error *err = NULL;
    pawl_error_set(&err, PAWL_E_FAILED, "got '%s'", "\xff\xc3(");
    assert_string_equal(pawl_error_message(err), "got '\xef\xbf\xbd\xef\xbf\xbd('");
    pawl_error_unref(err);
}

static void a_shared_error_lives_until_the_last_reference_goes(void **state) {
    (void)state;
    pawl_error *err = NULL;
    pawl_error_set(&err, PAWL_E_FAILED, "kept");
    assert_ptr_equal(pawl_error_ref(err), err);
    pawl_error_unref(err);
    assert_string_equal(pawl_error_message(err), "kept");
    pawl_error_unref(err);
}

static pawl_error *chain_of(size_t length) {
    pawl_error *err = NULL;
    for (size_t i = 0; i < length; i++)
        pawl_error_wrap(&err, PAWL_E_FAILED, err, "error %zu", i);
    return err;
}

static size_t chain_length(const pawl_error *err) {
    size_t length = 0;
    for (; err; err = pawl_error_cause(err))
        length++;
    return length;
}

static void a_chain_of_32_is_kept_whole(void **state) {
    (void)state;
    pawl_error *err = chain_of(32);
    char text[1024];
    assert_int_equal(chain_length(err), 32);
    pawl_error_describe(err, text, sizeof text);
    assert_null(strstr(text, "left out"));
    pawl_error_unref(err);
}

static void a_longer_chain_keeps_the_newest_error_and_the_root_cause(void **state) {
    (void)state;
    pawl_error *err = chain_of(100000);
    char text[2048];
    assert_int_equal(chain_length(err), 32);
    assert_string_equal(pawl_error_message(err), "error 99999");
    assert_string_equal(pawl_error_message(pawl_error_cause(err)), "error 30");
    pawl_error_describe(err, text, sizeof text);
    assert_non_null(strstr(text, "error 99999 (65535 causes left out); caused by: error 30"));
    assert_non_null(strstr(text, "error 0"));
    pawl_error_unref(err);
    err = chain_of(34);
    pawl_error_describe(err, text, sizeof text);
    assert_non_null(strstr(text, "error 33 (2 causes left out); caused by: error 30;"));
    pawl_error_unref(err);
}

static void describes_path_message_and_causes(void **state) {
    (void)state;
    pawl_error_info inner = {.size = sizeof inner, .status = PAWL_E_UNAVAILABLE};
    pawl_error *cause = pawl_error_make(&inner, "fix/run", "refused");
    pawl_error_info outer = {.size = sizeof outer, .status = PAWL_E_EXHAUSTED, .cause = cause};
    pawl_error *err = pawl_error_make(&outer, "fix", "");
    static const char whole[] = "fix: exhausted; caused by: fix/run: refused";
    char text[64];
    assert_int_equal(pawl_error_describe(err, text, sizeof text), sizeof whole - 1);
    assert_string_equal(text, whole);
    for (size_t size = 0; size <= sizeof whole; size++) {
        memset(text, '#', sizeof text);
        assert_int_equal(pawl_error_describe(err, text, size), sizeof whole - 1);
        assert_int_equal(text[size], '#');
        if (size > 0) {
            size_t kept = size < sizeof whole ? size - 1 : sizeof whole - 1;
            assert_int_equal(strlen(text), kept);
            assert_memory_equal(text, whole, kept);
        }
    }
    pawl_error_unref(err);
}

static void describes_without_cutting_a_character(void **state) {
    (void)state;
    pawl_error *err = NULL;
    char text[8];
    pawl_error_set(&err, PAWL_E_FAILED, "ab\xe2\x82\xac!");
    assert_int_equal(pawl_error_describe(err, text, 5), 6);
    assert_string_equal(text, "ab");
    assert_int_equal(pawl_error_describe(err, text, 6), 6);
    assert_string_equal(text, "ab\xe2\x82\xac");
    pawl_error_unref(err);
}

static void a_path_is_set_in_place_when_nobody_else_holds_the_error(void **state) {
    (void)state;
    pawl_error *err = NULL;
    pawl_error_set(&err, PAWL_E_FAILED, "x");
    assert_ptr_equal(pawl_error_with_path(err, "a/b"), err);
    assert_string_equal(pawl_error_path(err), "a/b");
    assert_ptr_equal(pawl_error_with_path(err, "c"), err); /* the first path stays */
    assert_string_equal(pawl_error_path(err), "a/b");
    pawl_error_unref(err);
    assert_null(pawl_error_with_path(NULL, "a"));
}

static void a_path_makes_a_copy_of_a_shared_error(void **state) {
    (void)state;
    pawl_error *cause = NULL;
    pawl_error_set(&cause, PAWL_E_TIMEOUT, "slow");
    pawl_error_info info = {.size = sizeof info,
                            .status = PAWL_E_FAILED,
                            .failure_class = PAWL_CLASS_SERVER,
                            .started = PAWL_STARTED_YES,
                            .reason = PAWL_CANCEL_USER,
                            .retry_after_ns = 5,
                            .cause = cause};
    pawl_error *err = pawl_error_make(&info, NULL, "x");
    pawl_error *copy = pawl_error_with_path(pawl_error_ref(err), "a/b");
    assert_ptr_not_equal(copy, err);
    assert_string_equal(pawl_error_path(err), "");
    assert_string_equal(pawl_error_path(copy), "a/b");
    assert_string_equal(pawl_error_message(copy), "x");
    assert_int_equal(pawl_error_class(copy), PAWL_CLASS_SERVER);
    assert_int_equal(pawl_error_started(copy), PAWL_STARTED_YES);
    assert_int_equal(pawl_error_cancel_reason(copy), PAWL_CANCEL_USER);
    assert_int_equal(pawl_error_retry_after_ns(copy), 5);
    assert_ptr_equal(pawl_error_cause(copy), cause);
    pawl_error_unref(err);
    pawl_error_unref(copy);
}

static void a_copy_keeps_the_count_of_causes_left_out(void **state) {
    (void)state;
    pawl_error *err = chain_of(40);
    pawl_error *copy = pawl_error_with_path(pawl_error_ref(err), "p");
    char text[1024];
    pawl_error_describe(copy, text, sizeof text);
    assert_non_null(strstr(text, "p: error 39 (8 causes left out); caused by: error 30;"));
    pawl_error_unref(err);
    pawl_error_unref(copy);
}

static void without_memory_there_is_a_static_error_of_the_same_status(void **state) {
    (void)state;
    for (int status = PAWL_E_FAILED; status <= PAWL_E_INTERNAL; status++) {
        pawl_error *cause = NULL;
        pawl_error *err = NULL;
        pawl_error_set(&cause, PAWL_E_FAILED, "cause");
        fail_allocations_from(1);
        assert_int_equal(pawl_error_wrap(&err, (pawl_status)status, cause, "lost words"), status);
        assert_int_equal(allow_allocations(), 1);
        assert_int_equal(pawl_error_status(err), status);
        assert_int_equal(pawl_error_class(err), pawl_status_class((pawl_status)status));
        assert_non_null(strstr(pawl_error_message(err), "memory"));
        assert_ptr_equal(pawl_error_ref(err), err);
        for (int i = 0; i < 3; i++)
            pawl_error_unref(err); /* as often as one likes */
        assert_ptr_equal(pawl_error_with_path(err, "a"), err);
        assert_string_equal(pawl_error_path(err), "");
    }
}

static void a_path_that_finds_no_memory_leaves_the_error_as_it_is(void **state) {
    (void)state;
    pawl_error *err = NULL;
    pawl_error_set(&err, PAWL_E_FAILED, "x");
    fail_allocations_from(1);
    assert_ptr_equal(pawl_error_with_path(err, "a"), err);
    assert_ptr_equal(pawl_error_with_path(pawl_error_ref(err), "a"), err);
    allow_allocations();
    assert_string_equal(pawl_error_path(err), "");
    pawl_error_unref(err);
    pawl_error_unref(err);
}

static void survives_a_failed_allocation_anywhere(void **state) {
    (void)state;
    for_each_failing_allocation(n) {
        pawl_error *err = NULL;
        pawl_error_set(&err, PAWL_E_UNAVAILABLE, "refused");
        err = pawl_error_with_path(err, "a/b");
        pawl_error_wrap(&err, PAWL_E_EXHAUSTED, err, "3 attempts");
        pawl_error *shared = pawl_error_ref(err);
        err = pawl_error_with_path(err, "a");
        assert_int_equal(pawl_error_status(err), PAWL_E_EXHAUSTED);
        char text[128];
        assert_true(pawl_error_describe(err, text, sizeof text) > 0);
        if (allocations_failed() == 0)
            assert_string_equal(text, "a: 3 attempts; caused by: a/b: refused");
        pawl_error_unref(err);
        pawl_error_unref(shared);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stores_a_formatted_message_and_returns_the_status),
        cmocka_unit_test(a_null_error_reads_as_ok),
        cmocka_unit_test(makes_nothing_without_a_place_for_the_error),
        cmocka_unit_test(takes_the_cause_also_without_a_place),
        cmocka_unit_test(ok_and_unknown_numbers_become_internal),
        cmocka_unit_test(replaces_the_error_that_is_there_and_may_quote_it),
        cmocka_unit_test(the_error_that_is_there_can_become_the_cause),
        cmocka_unit_test(carries_everything_that_info_says),
        cmocka_unit_test(an_older_smaller_info_is_read_as_far_as_it_goes),
        cmocka_unit_test(every_status_has_name_word_and_class),
        cmocka_unit_test(every_cancel_reason_has_a_word),
        cmocka_unit_test(a_given_class_decides_about_retry_except_for_ended_scopes),
        cmocka_unit_test(a_protocol_error_is_retryable_only_when_nothing_started),
        cmocka_unit_test(cuts_a_long_message_between_characters),
        cmocka_unit_test(a_message_is_always_utf8),
        cmocka_unit_test(a_shared_error_lives_until_the_last_reference_goes),
        cmocka_unit_test(a_chain_of_32_is_kept_whole),
        cmocka_unit_test(a_longer_chain_keeps_the_newest_error_and_the_root_cause),
        cmocka_unit_test(describes_path_message_and_causes),
        cmocka_unit_test(describes_without_cutting_a_character),
        cmocka_unit_test(a_path_is_set_in_place_when_nobody_else_holds_the_error),
        cmocka_unit_test(a_path_makes_a_copy_of_a_shared_error),
        cmocka_unit_test(a_copy_keeps_the_count_of_causes_left_out),
        cmocka_unit_test(without_memory_there_is_a_static_error_of_the_same_status),
        cmocka_unit_test(a_path_that_finds_no_memory_leaves_the_error_as_it_is),
        cmocka_unit_test(survives_a_failed_allocation_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
