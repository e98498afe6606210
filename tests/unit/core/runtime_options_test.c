/* Making a runtime: its options, log, figures and seed. */
#include "failing_malloc.h"
#include "leaves.h"

#include <pawl/unstable/hooks.h>
#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

static void expect_refused(const pawl_runtime_options *options, const char *part) {
    pawl_error *err = NULL;
    assert_null(pawl_runtime_new(options, &err));
    expect_error(err, PAWL_E_INVALID, part);
    assert_null(pawl_runtime_new(options, NULL));
}

static uint64_t now_is_zero(void *user) {
    (void)user;
    return 0;
}

static void bad_options_are_refused_by_name(void **state) {
    (void)state;
    pawl_runtime_hooks no_advance = {.size = sizeof no_advance, .now = now_is_zero};
    expect_refused(&(pawl_runtime_options){.size = sizeof(pawl_runtime_options), .loop_threads = 65},
                   "loop_threads is 65");
    expect_refused(&(pawl_runtime_options){.size = sizeof(pawl_runtime_options), .pool_threads = 5000},
                   "pool_threads is 5000");
    expect_refused(&(pawl_runtime_options){.size = sizeof(pawl_runtime_options), .loop_threads = PAWL_ZERO},
                   "loop_threads is 0, between 1 and 64");
    expect_refused(&(pawl_runtime_options){.size = sizeof(pawl_runtime_options), .hooks = &no_advance},
                   "hooks.advance");
    expect_refused(&(pawl_runtime_options){.size = 3}, "size");
}

static void the_helper_path_is_copied(void **state) {
    (void)state;
    char path[] = "/nowhere/helper";
    pawl_runtime *runtime = pawl_runtime_with(.helper_path = path);
    path[1] = 'X';
    assert_string_equal(pawl_runtime_helper_path(runtime), "/nowhere/helper");
    pawl_runtime_unref(runtime);
    runtime = pawl_runtime_new(NULL, NULL);
    assert_null(pawl_runtime_helper_path(runtime));
    pawl_runtime_unref(runtime);
}

struct lines {
    size_t count;
    pawl_log_level level;
    char text[2048];
};

static void keep_line(void *user, pawl_log_level level, const char *text) {
    struct lines *lines = user;
    lines->count++;
    lines->level = level;
    strncpy(lines->text, text, sizeof lines->text - 1);
}

static void only_lines_of_the_level_asked_for_are_logged(void **state) {
    (void)state;
    struct lines lines = {0};
    pawl_runtime *runtime = pawl_runtime_with(.log = keep_line, .log_user = &lines);
    pawl_runtime_log(runtime, PAWL_LOG_INFO, "quiet");
    assert_int_equal(lines.count, 0);
    pawl_runtime_log(runtime, PAWL_LOG_WARN, "%d of %s", 3, "four");
    assert_int_equal(lines.count, 1);
    assert_int_equal(lines.level, PAWL_LOG_WARN);
    assert_string_equal(lines.text, "3 of four");
    pawl_runtime_log(runtime, PAWL_LOG_ERROR, "%02000d", 1);
    assert_int_equal(strlen(lines.text), 1023); /* cut */
    pawl_runtime_unref(runtime);
    runtime = pawl_runtime_with(.log = keep_line, .log_user = &lines, .log_level = PAWL_LOG_DEBUG);
    pawl_runtime_log(runtime, PAWL_LOG_DEBUG, "loud");
    assert_string_equal(lines.text, "loud");
    pawl_runtime_unref(runtime);
    runtime = pawl_runtime_with(.log = keep_line, .log_user = &lines, .log_level = PAWL_ZERO);
    pawl_runtime_log(runtime, PAWL_LOG_DEBUG, "louder");
    assert_string_equal(lines.text, "louder");
    pawl_runtime_unref(runtime);
    runtime = pawl_runtime_new(NULL, NULL);
    pawl_runtime_log(runtime, PAWL_LOG_ERROR, "to nobody");
    pawl_runtime_unref(runtime);
}

static void an_older_callers_figures_are_not_overrun(void **state) {
    (void)state;
    struct {
        pawl_runtime_stats stats;
        uint64_t after;
    } old = {.stats = {.size = offsetof(pawl_runtime_stats, pool_threads), .pool_threads = 77, .abandoned = 78}};
    pawl_runtime *runtime = pawl_runtime_with(.seed = 1);
    pawl_runtime_get_stats(runtime, &old.stats);
    assert_int_equal(old.stats.size, offsetof(pawl_runtime_stats, pool_threads));
    assert_true(old.stats.live_runs == 0 && old.stats.pool_threads == 77 && old.stats.abandoned == 78);
    pawl_runtime_unref(runtime);
}

static void the_same_seed_gives_the_same_numbers(void **state) {
    (void)state;
    uint64_t numbers[3];
    for (int i = 0; i < 3; i++) {
        pawl_runtime *runtime = pawl_runtime_with(.seed = i < 2 ? 42 : 0);
        pawl_context *ctx = pawl_context_new(runtime);
        numbers[i] = pawl_context_random(ctx);
        pawl_context_unref(ctx);
        pawl_runtime_unref(runtime);
    }
    assert_true(numbers[0] == numbers[1] && numbers[0] != numbers[2]);
}

static void a_runtime_without_memory_is_none_and_leaks_nothing(void **state) {
    (void)state;
    for_each_failing_allocation(n) {
        pawl_error *err = NULL;
        pawl_runtime *runtime =
            pawl_runtime_new(&(pawl_runtime_options){.size = sizeof(pawl_runtime_options), .helper_path = "/x"}, &err);
        assert_true(runtime ? !err : allocations_failed() > 0);
        if (!runtime)
            expect_error(err, PAWL_E_NOMEM, NULL);
        pawl_runtime_unref(runtime);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_options_are_refused_by_name),
        cmocka_unit_test(the_helper_path_is_copied),
        cmocka_unit_test(only_lines_of_the_level_asked_for_are_logged),
        cmocka_unit_test(an_older_callers_figures_are_not_overrun),
        cmocka_unit_test(the_same_seed_gives_the_same_numbers),
        cmocka_unit_test(a_runtime_without_memory_is_none_and_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
