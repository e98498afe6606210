/* The cache by itself: age, bound, what is stored. Its keys and flights have tests of their own. */
#include "bed.h"

#include <pawl/primitives/cache.h>
#include <pawl/primitives/function.h>
#include <pawl/primitives/sequential.h>
#include <pawl/run.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CLAIM(name) static void name(void **state)

static pawl_cache_stats stats_of(const pawl_primitive *cache) {
    pawl_cache_stats stats = {.size = sizeof stats};
    assert_int_equal(pawl_cache_get_stats(cache, &stats, NULL), PAWL_OK);
    return stats;
}

/* ---- options ---- */

CLAIM(needs_an_age) {
    (void)state;
    expect_broken(pawl_cache("c", passing("a"), .ttl_ns = 0), PAWL_E_INVALID, "c: cache 'c': ttl_ns is required");
    expect_broken(pawl_cache("c", passing("a"), .ttl_ns = PAWL_ZERO), PAWL_E_INVALID, "ttl_ns is required");
    expect_broken(pawl_cache_new("c", passing("a"), NULL), PAWL_E_INVALID, "ttl_ns is required");
}

CLAIM(refuses_options_out_of_range_or_against_each_other) {
    (void)state;
    char salt[258];
    memset(salt, 's', sizeof salt - 1);
    salt[257] = '\0';
    const char *const fields[] = {"a", NULL}, *const none[] = {NULL};
    expect_broken(pawl_cache("c", passing("a"), .ttl_ns = 1, .max_entries = (1u << 24) + 1), PAWL_E_INVALID,
                  "max_entries is 16777217, between 1 and 16777216 are allowed");
    expect_broken(pawl_cache("c", passing("a"), .ttl_ns = 1, .max_entries = PAWL_ZERO), PAWL_E_INVALID, "max_entries");
    expect_broken(pawl_cache("c", passing("a"), .ttl_ns = 1, .max_entries = PAWL_UNLIMITED), PAWL_E_INVALID,
                  "max_entries");
    expect_broken(pawl_cache("c", passing("a"), .ttl_ns = 1, .fields = none), PAWL_E_INVALID, "fields is empty");
    expect_broken(pawl_cache("c", passing("a"), .ttl_ns = 1, .salt = salt), PAWL_E_INVALID,
                  "salt is longer than 256 bytes");
    salt[256] = '\0';
    give_back_after(pawl_cache("c", passing("a"), .ttl_ns = 1, .salt = salt, .fields = fields, .max_entries = 1u << 24),
                    sound(made_));
}

static size_t no_key(const pawl_value *input, char *ret_key, size_t capacity, void *user) {
    (void)input, (void)ret_key, (void)capacity, (void)user;
    return 0;
}

CLAIM(refuses_fields_together_with_a_key) {
    (void)state;
    const char *const fields[] = {"a", NULL};
    expect_broken(pawl_cache("c", passing("a"), .ttl_ns = 1, .fields = fields, .key = no_key), PAWL_E_INVALID,
                  "fields and key both make the key");
}

CLAIM(refuses_options_it_does_not_know) {
    (void)state;
    struct {
        pawl_cache_options known;
        uint64_t unknown;
    } options = {.known = {.size = sizeof options, .ttl_ns = 1}, .unknown = 1};
    expect_broken(pawl_cache_new("c", passing("a"), &options.known), PAWL_E_INVALID, "does not know");
    options.known.size = 3;
    expect_broken(pawl_cache_new("c", passing("a"), &options.known), PAWL_E_INVALID, "options.size is 3");
}

CLAIM(refuses_a_null_child) {
    (void)state;
    expect_broken(pawl_cache("c", NULL, .ttl_ns = 1), PAWL_E_INVALID, "child 1 is NULL");
}

CLAIM(figures_and_clearing_are_for_caches_alone) {
    (void)state;
    pawl_cache_stats stats = {.size = sizeof stats};
    pawl_error *err = NULL;
    pawl_primitive *other = passing("a"), *broken = pawl_cache("c", passing("a"), .ttl_ns = 0),
                   *cache = pawl_cache("c", passing("a"), .ttl_ns = 1);
    assert_int_equal(pawl_cache_get_stats(other, &stats, &err), PAWL_E_INVALID);
    expect_error(err, PAWL_E_INVALID, "'a' (inline) is no cache"), err = NULL;
    assert_int_equal(pawl_cache_clear(broken, &err), PAWL_E_INVALID);
    expect_error(err, PAWL_E_INVALID, "is no cache"), err = NULL;
    assert_int_equal(pawl_cache_get_stats(NULL, &stats, NULL), PAWL_E_INVALID);
    assert_int_equal(pawl_cache_get_stats(cache, NULL, NULL), PAWL_E_INVALID);
    stats.size = 4;
    assert_int_equal(pawl_cache_get_stats(cache, &stats, &err), PAWL_E_INVALID);
    expect_error(err, PAWL_E_INVALID, "stats.size is 4");
    pawl_primitive_unref(other), pawl_primitive_unref(broken), pawl_primitive_unref(cache);
}

CLAIM(figures_fit_older_and_newer_callers) {
    (void)state;
    struct {
        pawl_cache_stats known;
        uint64_t newer;
    } stats = {.known.size = sizeof stats, .newer = 9};
    pawl_primitive *cache = pawl_cache("c", passing("a"), .ttl_ns = 1);
    assert_int_equal(pawl_cache_get_stats(cache, &stats.known, NULL), PAWL_OK);
    assert_int_equal(stats.newer, 0);
    stats.known = (pawl_cache_stats){.size = 16, .misses = 9};
    assert_int_equal(pawl_cache_get_stats(cache, &stats.known, NULL), PAWL_OK);
    assert_int_equal(stats.known.misses, 9); /* left alone */
    pawl_primitive_unref(cache);
}

/* ---- hits ---- */

CLAIM(B15_a_hit_shares_the_stored_value) {
    (void)state;
    struct bed bed;
    struct flaky flaky = {.failures_left = 0};
    make_bed(&bed);
    pawl_primitive *cache =
        pawl_cache("c", pawl_sequential("s", flaky_primitive(&flaky), constant("v", "[1]")), .ttl_ns = PAWL_S(1));
    pawl_value *in = pawl_value_string("question"), *same = pawl_value_string("question"), *a = NULL, *b = NULL;
    assert_int_equal(pawl_run(cache, bed.ctx, in, &a, NULL), PAWL_OK);
    assert_int_equal(pawl_run(cache, bed.ctx, same, &b, NULL), PAWL_OK);
    assert_ptr_equal(a, b);
    assert_int_equal(flaky.calls, 1);
    pawl_cache_stats stats = stats_of(cache);
    assert_int_equal(stats.hits, 1);
    assert_int_equal(stats.misses, 1);
    assert_int_equal(stats.stored, 1);
    assert_int_equal(stats.entries, 1);
    pawl_value_unref(in), pawl_value_unref(same), pawl_value_unref(a), pawl_value_unref(b);
    pawl_primitive_unref(cache);
    clear_bed(&bed);
}

CLAIM(a_child_that_passes_its_input_on_is_cached_too) {
    (void)state;
    struct bed bed;
    atomic_size_t calls = 0;
    make_bed(&bed);
    pawl_primitive *cache = pawl_cache("c", counting("a", &calls), .ttl_ns = PAWL_S(1));
    for (int i = 0; i < 3; i++) {
        expect_output(cache, bed.ctx, "{\"x\":[1,2]}", "{\"x\":[1,2]}");
        expect_output(cache, bed.ctx, NULL, "null");
    }
    assert_int_equal(calls, 2);
    pawl_primitive_unref(cache);
    clear_bed(&bed);
}

CLAIM(a_hit_takes_no_memory) {
    (void)state;
    char text[900];
    memset(text, 't', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    pawl_value *in = pawl_value_string(text);
    give_back_after(pawl_cache("c", passing("a"), .ttl_ns = PAWL_S(1)), expect_no_allocation(made_, in));
    pawl_value_unref(in);
}

CLAIM(B15_failures_are_never_stored) {
    (void)state;
    struct bed bed;
    size_t questions = 0;
    make_bed(&bed);
    for (uint64_t alone = 0; alone < 2; alone++) {
        struct flaky flaky = {.failures_left = 2};
        pawl_primitive *cache = pawl_cache("c", flaky_primitive(&flaky), .ttl_ns = PAWL_S(1), .no_single_flight = alone,
                                           .should_store = whatever_failed, .user = &questions);
        expect_failure(cache, bed.ctx, "1", PAWL_E_UNAVAILABLE, "c/flaky: flaky: call 1");
        expect_failure(cache, bed.ctx, "1", PAWL_E_UNAVAILABLE, "flaky: call 2");
        assert_int_equal(questions, 0); /* not even asked */
        expect_output(cache, bed.ctx, "1", "1");
        assert_int_equal(questions, 1); /* a success, which it did not like */
        assert_int_equal(stats_of(cache).stored, 0);
        questions = 0;
        pawl_primitive_unref(cache);
    }
    clear_bed(&bed);
}

static bool is_a_success_record(const pawl_outcome *outcome, void *user) {
    (void)user;
    return pawl_value_get_bool(pawl_outcome_value(outcome), "success", false);
}

CLAIM(the_predicate_says_what_is_stored) {
    (void)state;
    struct bed bed;
    make_bed(&bed);
    atomic_size_t calls = 0;
    pawl_primitive *cache =
        pawl_cache("c", counting("a", &calls), .ttl_ns = PAWL_S(1), .should_store = is_a_success_record);
    for (int i = 0; i < 2; i++) {
        expect_output(cache, bed.ctx, "{\"success\":false}", "{\"success\":false}");
        expect_output(cache, bed.ctx, "{\"success\":true}", "{\"success\":true}");
    }
    assert_int_equal(calls, 3);
    pawl_primitive_unref(cache);
    clear_bed(&bed);
}

/* ---- age ---- */

CLAIM(a_value_is_a_hit_while_younger_than_its_age) {
    (void)state;
    for (uint64_t alone = 0; alone < 2; alone++) {
        struct bed bed;
        atomic_size_t calls = 0;
        make_bed(&bed);
        pawl_primitive *cache = pawl_cache("c", counting("a", &calls), .ttl_ns = PAWL_S(10), .no_single_flight = alone);
        expect_output(cache, bed.ctx, "1", "1");
        bed.time.now_ns = PAWL_S(10) - 1;
        expect_output(cache, bed.ctx, "1", "1");
        assert_int_equal(calls, 1);
        bed.time.now_ns = PAWL_S(10);
        expect_output(cache, bed.ctx, "1", "1");
        assert_int_equal(calls, 2);
        assert_int_equal(stats_of(cache).expired, 1);
        assert_int_equal(stats_of(cache).entries, 1);
        pawl_primitive_unref(cache);
        clear_bed(&bed);
    }
}

CLAIM(a_hit_does_not_make_it_younger) {
    (void)state;
    struct bed bed;
    atomic_size_t calls = 0;
    make_bed(&bed);
    pawl_primitive *cache = pawl_cache("c", counting("a", &calls), .ttl_ns = PAWL_S(10));
    for (; bed.time.now_ns <= PAWL_S(10); bed.time.now_ns += PAWL_S(1))
        expect_output(cache, bed.ctx, "1", "1");
    assert_int_equal(calls, 2);
    pawl_primitive_unref(cache);
    clear_bed(&bed);
}

CLAIM(huge_ages_do_not_wrap) {
    (void)state;
    const uint64_t ages[] = {PAWL_UNLIMITED, PAWL_UNLIMITED - 2, UINT64_C(1) << 63};
    for (size_t i = 0; i < 3; i++) {
        struct bed bed;
        atomic_size_t calls = 0;
        make_bed(&bed);
        bed.time.now_ns = UINT64_C(1) << 62;
        pawl_primitive *cache = pawl_cache("c", counting("a", &calls), .ttl_ns = ages[i]);
        expect_output(cache, bed.ctx, "1", "1");
        bed.time.now_ns += UINT64_C(1) << 61;
        expect_output(cache, bed.ctx, "1", "1");
        assert_int_equal(calls, 1);
        pawl_primitive_unref(cache);
        clear_bed(&bed);
    }
}

static pawl_status dawdle(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    (void)ctx, (void)in, (void)ret_out, (void)err;
    ((struct fake_clock *)user)->now_ns += PAWL_S(1);
    return PAWL_OK;
}

CLAIM(a_hit_after_the_deadline_is_late) {
    (void)state;
    struct bed bed;
    atomic_size_t calls = 0;
    make_bed(&bed);
    pawl_primitive *cache = pawl_cache("c", counting("a", &calls), .ttl_ns = PAWL_S(10));
    expect_output(cache, bed.ctx, "1", "1");
    pawl_context_set_timeout(bed.ctx, PAWL_S(1), NULL);
    pawl_primitive *late = pawl_sequential("s", sleeper("a", PAWL_S(1) - 1), pawl_primitive_ref(cache));
    expect_output(late, bed.ctx, "1", "1");
    expect_failure(late, bed.ctx, "1", PAWL_E_DEADLINE, NULL);
    remake_bed(&bed);
    pawl_context_set_timeout(bed.ctx, PAWL_S(1), NULL); /* the loop need not have looked at the clock since */
    expect_failure_of(pawl_sequential("s", pawl_inline("slow", dawdle, &bed.time), pawl_primitive_ref(cache)), bed.ctx,
                      "1", PAWL_E_DEADLINE, "s/c");
    assert_int_equal(calls, 1);
    pawl_primitive_unref(late), pawl_primitive_unref(cache);
    clear_bed(&bed);
}

/* ---- bound ---- */

CLAIM(the_least_recently_used_entry_goes) {
    (void)state;
    struct bed bed;
    atomic_size_t calls = 0;
    make_bed(&bed);
    pawl_primitive *cache = pawl_cache("c", counting("a", &calls), .ttl_ns = PAWL_S(10), .max_entries = 3);
    const char *const asked[] = {"1", "2", "3", "1", "4", "1", "3", "2"};
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++)
        expect_output(cache, bed.ctx, asked[i], asked[i]);
    assert_int_equal(calls, 5); /* 1, 2, 3, 4 (2 goes), 2 again (4 goes) */
    assert_int_equal(stats_of(cache).evicted, 2);
    assert_int_equal(stats_of(cache).entries, 3);
    expect_output(cache, bed.ctx, "4", "4");
    assert_int_equal(calls, 6);
    pawl_primitive_unref(cache);
    clear_bed(&bed);
}

CLAIM(an_expired_entry_that_makes_room_is_no_eviction) {
    (void)state;
    struct bed bed;
    atomic_size_t calls = 0;
    make_bed(&bed);
    pawl_primitive *cache = pawl_cache("c", counting("a", &calls), .ttl_ns = PAWL_S(10), .max_entries = 1);
    expect_output(cache, bed.ctx, "1", "1");
    bed.time.now_ns = PAWL_S(10);
    expect_output(cache, bed.ctx, "2", "2");
    assert_int_equal(stats_of(cache).evicted, 0);
    assert_int_equal(stats_of(cache).expired, 1);
    pawl_primitive_unref(cache);
    clear_bed(&bed);
}

CLAIM(never_holds_more_than_its_bound) {
    (void)state;
    struct bed bed;
    atomic_size_t calls = 0;
    make_bed(&bed);
    pawl_primitive *cache = pawl_cache("c", counting("a", &calls), .ttl_ns = PAWL_S(10), .max_entries = 100);
    for (int i = 0; i < 5000; i++) {
        pawl_value *in = pawl_value_number(i * 7919 % 1000), *out = NULL;
        assert_int_equal(pawl_run(cache, bed.ctx, in, &out, NULL), PAWL_OK);
        assert_true(pawl_value_equal(in, out));
        assert_true(stats_of(cache).entries <= 100);
        pawl_value_unref(in), pawl_value_unref(out);
        bed.time.boundaries = 0;
    }
    pawl_cache_stats stats = stats_of(cache);
    assert_int_equal(stats.hits + stats.misses, 5000);
    assert_int_equal(stats.stored, stats.evicted + stats.entries);
    pawl_primitive_unref(cache);
    clear_bed(&bed);
}

CLAIM(clearing_forgets_all) {
    (void)state;
    struct bed bed;
    atomic_size_t calls = 0;
    make_bed(&bed);
    pawl_primitive *cache = pawl_cache("c", counting("a", &calls), .ttl_ns = PAWL_S(10));
    expect_output(cache, bed.ctx, "1", "1");
    expect_output(cache, bed.ctx, "2", "2");
    assert_int_equal(pawl_cache_clear(cache, NULL), PAWL_OK);
    assert_int_equal(stats_of(cache).entries, 0);
    assert_int_equal(stats_of(cache).stored, 2);
    expect_output(cache, bed.ctx, "1", "1");
    assert_int_equal(calls, 3);
    pawl_primitive_unref(cache);
    clear_bed(&bed);
}

static pawl_status clear_meanwhile(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out,
                                   pawl_error **err) {
    (void)ctx, (void)in, (void)ret_out;
    return pawl_cache_clear(*(pawl_primitive **)user, err);
}

CLAIM(what_began_before_a_clear_is_not_stored) {
    (void)state;
    for (uint64_t alone = 0; alone < 2; alone++) {
        struct bed bed;
        pawl_primitive *cache = NULL;
        make_bed(&bed);
        cache = pawl_cache("c", pawl_inline("clear", clear_meanwhile, &cache), .ttl_ns = PAWL_S(10),
                           .no_single_flight = alone);
        expect_output(cache, bed.ctx, "1", "1");
        assert_int_equal(stats_of(cache).entries, 0);
        assert_int_equal(stats_of(cache).stored, 0);
        pawl_primitive_unref(cache);
        clear_bed(&bed);
    }
}

/* ---- without single-flight ---- */

CLAIM(without_single_flight_each_miss_runs_the_child) {
    (void)state;
    struct bed bed;
    struct ended ended[2] = {{0}};
    make_bed(&bed);
    pawl_primitive *cache = pawl_cache("c", pausing("a", PAWL_S(1)), .ttl_ns = PAWL_S(10), .no_single_flight = 1);
    pawl_context *other = pawl_context_new(bed.runtime);
    pawl_start(cache, bed.ctx, NULL, note_end, &ended[0], NULL);
    pawl_start(cache, other, NULL, note_end, &ended[1], NULL);
    pawl_runtime_pump(bed.runtime, NULL);
    bed.time.now_ns = PAWL_S(1);
    pawl_runtime_pump(bed.runtime, NULL);
    assert_true(ended[0].times == 1 && ended[1].times == 1);
    assert_int_equal(stats_of(cache).misses, 2);
    assert_int_equal(stats_of(cache).stored, 2);
    assert_int_equal(stats_of(cache).entries, 1); /* the second took the first one's place */
    release_end(&ended[0]), release_end(&ended[1]);
    pawl_context_unref(other), pawl_primitive_unref(cache);
    clear_bed(&bed);
}

static pawl_primitive *make_swept(void *user, struct fake_clock *time) {
    (void)user, (void)time;
    return pawl_cache("c", pawl_sequential("s", pausing("a", PAWL_MS(1)), sleeper("b", PAWL_MS(1))), .ttl_ns = 1,
                      .no_single_flight = 1);
}

CLAIM(B3_a_cancel_or_a_deadline_at_any_boundary_ends_it_at_once) {
    (void)state;
    struct sweep sweep = {.make = make_swept};
    sweep_cancel_and_deadline(&sweep);
}

/* ---- trace and memory ---- */

CLAIM(says_in_the_trace_where_the_value_came_from) {
    (void)state;
    struct bed bed;
    make_observed_bed(&bed);
    pawl_primitive *cache = pawl_cache("c", constant("a", "7"), .ttl_ns = 1);
    expect_output(cache, bed.ctx, "1", "7");
    expect_output(cache, bed.ctx, "1", "7");
    assert_string_equal(nth_span_named(bed.recorder, "c", 0)->attributes, "pawl.cache=miss");
    assert_string_equal(nth_span_named(bed.recorder, "c", 1)->attributes, "pawl.cache=hit");
    assert_string_equal(span_named(bed.recorder, "c")->type, "cache");
    pawl_primitive_unref(cache);
    expect_output_of(pawl_cache("none", constant("a", "7"), .ttl_ns = 1, .key = no_key), bed.ctx, "1", "7");
    assert_string_equal(span_named(bed.recorder, "none")->attributes, "pawl.cache=bypass");
    expect_output_of(pawl_cache("alone", constant("a", "7"), .ttl_ns = 1, .no_single_flight = 1), bed.ctx, "1", "7");
    assert_string_equal(span_named(bed.recorder, "alone")->attributes, "pawl.cache=miss");
    clear_bed(&bed);
}

static pawl_primitive *make_without_memory(void *user) {
    const char *const fields[] = {"a", "b", NULL};
    return pawl_cache("c", passing("a"), .ttl_ns = 1, .fields = fields, .salt = "v1", .no_single_flight = !!user);
}

static pawl_primitive *make_with_long_key(void *user) {
    (void)user;
    return pawl_cache("c", passing("a"), .ttl_ns = 1);
}

CLAIM(survives_every_allocation_that_fails) {
    (void)state;
    int alone;
    char in[3000] = "{\"text\":\"";
    memset(in + strlen(in), 't', 2000);
    for (int i = 0; i < 20; i++)
        snprintf(in + strlen(in), 30, "%s\"k%d\":%d", i ? "," : "\",", i, i);
    in[strlen(in)] = '}'; /* all behind it is 0 */
    survive_without_memory(make_without_memory, NULL, "{\"b\":1}");
    survive_without_memory(make_without_memory, &alone, "{\"b\":1}");
    survive_without_memory(make_with_long_key, NULL, in);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(needs_an_age),
        cmocka_unit_test(refuses_options_out_of_range_or_against_each_other),
        cmocka_unit_test(refuses_fields_together_with_a_key),
        cmocka_unit_test(refuses_options_it_does_not_know),
        cmocka_unit_test(refuses_a_null_child),
        cmocka_unit_test(figures_and_clearing_are_for_caches_alone),
        cmocka_unit_test(figures_fit_older_and_newer_callers),
        cmocka_unit_test(B15_a_hit_shares_the_stored_value),
        cmocka_unit_test(a_child_that_passes_its_input_on_is_cached_too),
        cmocka_unit_test(a_hit_takes_no_memory),
        cmocka_unit_test(B15_failures_are_never_stored),
        cmocka_unit_test(the_predicate_says_what_is_stored),
        cmocka_unit_test(a_value_is_a_hit_while_younger_than_its_age),
        cmocka_unit_test(a_hit_does_not_make_it_younger),
        cmocka_unit_test(huge_ages_do_not_wrap),
        cmocka_unit_test(a_hit_after_the_deadline_is_late),
        cmocka_unit_test(the_least_recently_used_entry_goes),
        cmocka_unit_test(an_expired_entry_that_makes_room_is_no_eviction),
        cmocka_unit_test(never_holds_more_than_its_bound),
        cmocka_unit_test(clearing_forgets_all),
        cmocka_unit_test(what_began_before_a_clear_is_not_stored),
        cmocka_unit_test(without_single_flight_each_miss_runs_the_child),
        cmocka_unit_test(B3_a_cancel_or_a_deadline_at_any_boundary_ends_it_at_once),
        cmocka_unit_test(says_in_the_trace_where_the_value_came_from),
        cmocka_unit_test(survives_every_allocation_that_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
