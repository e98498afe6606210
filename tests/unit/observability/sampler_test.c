/* Which traces are kept, and what the tracestate says about it. */
#include "failing_malloc.h"
#include "leaves.h"
#include "sampler_internal.h"
#include "w3c_internal.h"

#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Asks about a trace id that ends in these 56 bits. */
static pawl_sample ask(pawl_sampler *sampler, uint64_t random, const char *tracestate, char **ret_tracestate) {
    pawl_sampling question = {.size = sizeof question, .name = "p", .type = "t", .tracestate = tracestate};
    for (int i = 0; i < 7; i++)
        question.trace_id[15 - i] = (uint8_t)(random >> 8 * i);
    *ret_tracestate = NULL;
    return pawl_sampler_ask(sampler, &question, 0, ret_tracestate);
}

static void expect_answer(pawl_sampler *sampler, uint64_t random, const char *tracestate, pawl_sample answer,
                          const char *expected) {
    char *changed;
    assert_int_equal(ask(sampler, random, tracestate, &changed), answer);
    if (expected)
        assert_string_equal(changed, expected);
    else
        assert_null(changed);
    free(changed);
}

static void always_keeps_and_never_drops(void **state) {
    (void)state;
    pawl_sampler *always = pawl_sampler_always(NULL), *never = pawl_sampler_never(NULL);
    expect_answer(always, 1, "ot=th:8", PAWL_SAMPLE_KEEP, NULL);
    expect_answer(never, UINT64_MAX, "", PAWL_SAMPLE_DROP, NULL);
    assert_string_equal(pawl_sampler_description(always), "AlwaysOnSampler");
    assert_string_equal(pawl_sampler_description(never), "AlwaysOffSampler");
    pawl_sampler_unref(always);
    pawl_sampler_unref(never);
}

/* The specification's table. */
static void thresholds_are_those_of_the_specification(void **state) {
    (void)state;
    static const struct {
        double ratio;
        const char *digits;
    } table[] = {{1, "0"}, {0.5, "8"}, {0.25, "c"}, {0.1, "e666"}, {0.05, "f3333"}, {0.01, "fd70a"}, {0.001, "ffbe77"}};
    char digits[PAWL_RATIO_DIGITS_BYTES];
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        uint64_t threshold = pawl_ratio_threshold(table[i].ratio, digits);
        assert_string_equal(digits, table[i].digits);
        assert_true(fabs((double)threshold / 0x1p56 - (1 - table[i].ratio)) < 1e-4 * table[i].ratio);
    }
    assert_int_equal(pawl_ratio_threshold(0, digits), UINT64_C(1) << 56);
    assert_int_equal(pawl_ratio_threshold(1e-300, digits), (UINT64_C(1) << 56) - 1);
    assert_string_equal(digits, "ffffffffffffff");
}

static void a_ratio_keeps_high_ids_and_says_so(void **state) {
    (void)state;
    pawl_sampler *half = pawl_sampler_ratio(0.5, NULL);
    assert_string_equal(pawl_sampler_description(half), "TraceIdRatioBased{0.500000}");
    expect_answer(half, UINT64_C(0x80000000000000), "", PAWL_SAMPLE_KEEP, "ot=th:8");
    expect_answer(half, UINT64_C(0x7fffffffffffff), "", PAWL_SAMPLE_DROP, NULL);
    expect_answer(half, 0, "a=b,ot=rv:80000000000000;th:c", PAWL_SAMPLE_KEEP, "ot=th:8;rv:80000000000000,a=b");
    expect_answer(half, UINT64_MAX, "a=b,ot=rv:7fffffffffffff;th:0", PAWL_SAMPLE_DROP, "ot=rv:7fffffffffffff,a=b");
    expect_answer(half, 0, "ot=th:0,a=b", PAWL_SAMPLE_DROP, "a=b");
    expect_answer(half, UINT64_MAX, "ot=rv:zz", PAWL_SAMPLE_KEEP, "ot=th:8;rv:zz");
    pawl_sampler_unref(half);
}

static void the_extreme_ratios_keep_all_and_none(void **state) {
    (void)state;
    pawl_sampler *all = pawl_sampler_ratio(1, NULL), *none = pawl_sampler_ratio(0, NULL);
    expect_answer(all, 0, "", PAWL_SAMPLE_KEEP, "ot=th:0");
    expect_answer(none, UINT64_MAX, "", PAWL_SAMPLE_DROP, NULL);
    pawl_sampler_unref(all);
    pawl_sampler_unref(none);
}

static void a_higher_ratio_keeps_what_a_lower_one_does(void **state) {
    (void)state;
    pawl_sampler *ratios[] = {pawl_sampler_ratio(0.001, NULL), pawl_sampler_ratio(0.01, NULL),
                              pawl_sampler_ratio(0.1, NULL), pawl_sampler_ratio(0.3, NULL)};
    size_t kept[4] = {0};
    uint64_t random = 1;
    for (int i = 0; i < 20000; i++) {
        random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        bool before = false;
        for (size_t r = 0; r < 4; r++) {
            char *changed;
            bool keeps = ask(ratios[r], random >> 8, "", &changed) == PAWL_SAMPLE_KEEP;
            assert_true(keeps || !before);
            before = keeps;
            kept[r] += keeps;
            free(changed);
        }
    }
    assert_true(kept[1] > 120 && kept[1] < 280);
    assert_true(kept[3] > 5700 && kept[3] < 6300);
    for (size_t r = 0; r < 4; r++)
        pawl_sampler_unref(ratios[r]);
}

static pawl_sample ask_with_parent(pawl_sampler *sampler, bool sampled) {
    pawl_sampling question = {.size = sizeof question, .has_parent = 1, .trace_flags = sampled, .tracestate = ""};
    char *changed = NULL;
    pawl_sample answer = pawl_sampler_ask(sampler, &question, 0, &changed);
    free(changed);
    return answer;
}

static void parent_based_does_what_the_parent_does(void **state) {
    (void)state;
    pawl_sampler *plain = pawl_sampler_parent_based_new(NULL, NULL), *never = pawl_sampler_never(NULL),
                 *always = pawl_sampler_always(NULL);
    expect_answer(plain, 0, "", PAWL_SAMPLE_KEEP, NULL);
    assert_int_equal(ask_with_parent(plain, true), PAWL_SAMPLE_KEEP);
    assert_int_equal(ask_with_parent(plain, false), PAWL_SAMPLE_DROP);
    pawl_sampler *turned = pawl_sampler_parent_based(NULL, .root = never, .remote_parent_sampled = never,
                                                     .remote_parent_not_sampled = always);
    expect_answer(turned, 0, "", PAWL_SAMPLE_DROP, NULL);
    assert_int_equal(ask_with_parent(turned, true), PAWL_SAMPLE_DROP);
    assert_int_equal(ask_with_parent(turned, false), PAWL_SAMPLE_KEEP);
    assert_string_equal(pawl_sampler_description(turned),
                        "ParentBased{root:AlwaysOffSampler,remoteParentSampled:AlwaysOffSampler,"
                        "remoteParentNotSampled:AlwaysOnSampler}");
    pawl_sampler_unref(plain);
    pawl_sampler_unref(never);
    pawl_sampler_unref(always);
    pawl_sampler_unref(turned);
}

static size_t kept_at(pawl_sampler *sampler, uint64_t now_ns, size_t times) {
    pawl_sampling question = {.size = sizeof question, .tracestate = ""};
    size_t kept = 0;
    for (size_t i = 0; i < times; i++) {
        char *changed = NULL;
        kept += pawl_sampler_ask(sampler, &question, now_ns, &changed) == PAWL_SAMPLE_KEEP;
        free(changed);
    }
    return kept;
}

static void rate_limited_keeps_so_many_a_second(void **state) {
    (void)state;
    pawl_sampler *five = pawl_sampler_rate_limited(5, NULL), *slow = pawl_sampler_rate_limited(0.1, NULL);
    assert_true(pawl_sampler_needs_time(five));
    assert_int_equal(kept_at(five, PAWL_S(100), 50), 5);
    assert_int_equal(kept_at(five, PAWL_S(100) + PAWL_MS(199), 50), 0);
    assert_int_equal(kept_at(five, PAWL_S(100) + PAWL_MS(400), 50), 2);
    assert_int_equal(kept_at(five, PAWL_S(200), 50), 5);
    assert_int_equal(kept_at(slow, 0, 50), 1);
    assert_int_equal(kept_at(slow, PAWL_S(9), 50), 0);
    assert_int_equal(kept_at(slow, PAWL_S(10), 50), 1);
    expect_answer(five, 0, "ot=th:8", PAWL_SAMPLE_DROP, "");
    pawl_sampler_unref(five);
    pawl_sampler_unref(slow);
}

static void bad_arguments_are_refused(void **state) {
    (void)state;
    const double ratios[] = {-0.1, 1.1, NAN}, rates[] = {0, -1, 1e7, NAN};
    for (size_t i = 0; i < 3; i++) {
        pawl_error *err = NULL;
        assert_null(pawl_sampler_ratio(ratios[i], &err));
        expect_error(err, PAWL_E_INVALID, "give 0 to 1");
    }
    for (size_t i = 0; i < 4; i++) {
        pawl_error *err = NULL;
        assert_null(pawl_sampler_rate_limited(rates[i], &err));
        expect_error(err, PAWL_E_INVALID, "traces a second");
    }
    pawl_error *err = NULL;
    assert_null(pawl_sampler_new(NULL, NULL, &err));
    expect_error(err, PAWL_E_INVALID, "vtable is NULL");
    assert_string_equal(pawl_sampler_description(NULL), "");
    assert_null(pawl_sampler_ref(NULL));
}

static void constructors_survive_a_failed_allocation(void **state) {
    (void)state;
    for_each_failing_allocation(n) {
        pawl_error *err = NULL;
        pawl_sampler *ratio = pawl_sampler_ratio(0.5, &err);
        pawl_sampler *all = ratio ? pawl_sampler_parent_based(&err, .root = ratio) : NULL;
        pawl_sampler *rate = all ? pawl_sampler_rate_limited(1, &err) : NULL;
        if (!rate)
            assert_int_equal(pawl_error_status(err), PAWL_E_NOMEM);
        pawl_error_unref(err);
        pawl_sampler_unref(ratio);
        pawl_sampler_unref(all);
        pawl_sampler_unref(rate);
    }
}

/* ---- the tracestate ---- */

static void expect_entry(const char *text, const char *key, const char *value, const char *expected) {
    char *changed = pawl_w3c_set_entry(text, key, value);
    if (expected)
        assert_string_equal(changed, expected);
    else
        assert_null(changed);
    free(changed);
}

static void a_changed_entry_goes_to_the_front(void **state) {
    (void)state;
    expect_entry(NULL, "a", "1", "a=1");
    expect_entry("b=2,c=3", "a", "1", "a=1,b=2,c=3");
    expect_entry("b=2,a=0,c=3", "a", "1", "a=1,b=2,c=3");
    expect_entry("b=2,a=0", "a", NULL, "b=2");
    expect_entry("a=0", "a", NULL, "");
    expect_entry("bad entry,,", "a", "1", "a=1");
    expect_entry("b=2", "A", "1", NULL);
    expect_entry("b=2", "a", "x,y", NULL);
}

static void what_is_too_long_loses_big_entries_then_the_last(void **state) {
    (void)state;
    char text[2048] = "x=1,big=", *end = text + strlen(text);
    memset(end, 'v', 200);
    strcpy(end + 200, ",y=2");
    for (int i = 0; i < 4; i++) {
        char entry[128];
        snprintf(entry, sizeof entry, ",m%d=%0100d", i, i);
        strcat(text, entry);
    }
    char *changed = pawl_w3c_set_entry(text, "ot", "th:8");
    assert_int_equal(strncmp(changed, "ot=th:8,x=1,y=2,m0=", 19), 0);
    assert_null(strstr(changed, "big="));
    assert_non_null(strstr(changed, "m3="));
    assert_true(strlen(changed) <= 512);
    free(changed);
}

static void the_thirty_third_entry_goes(void **state) {
    (void)state;
    char text[512] = "";
    for (int i = 0; i < 32; i++) {
        char entry[16];
        snprintf(entry, sizeof entry, "%sk%d=v", i ? "," : "", i);
        strcat(text, entry);
    }
    char *changed = pawl_w3c_set_entry(text, "ot", "th:8");
    assert_non_null(strstr(changed, "k30=v"));
    assert_null(strstr(changed, "k31=v"));
    free(changed);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(always_keeps_and_never_drops),
        cmocka_unit_test(thresholds_are_those_of_the_specification),
        cmocka_unit_test(a_ratio_keeps_high_ids_and_says_so),
        cmocka_unit_test(the_extreme_ratios_keep_all_and_none),
        cmocka_unit_test(a_higher_ratio_keeps_what_a_lower_one_does),
        cmocka_unit_test(parent_based_does_what_the_parent_does),
        cmocka_unit_test(rate_limited_keeps_so_many_a_second),
        cmocka_unit_test(bad_arguments_are_refused),
        cmocka_unit_test(constructors_survive_a_failed_allocation),
        cmocka_unit_test(a_changed_entry_goes_to_the_front),
        cmocka_unit_test(what_is_too_long_loses_big_entries_then_the_last),
        cmocka_unit_test(the_thirty_third_entry_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
