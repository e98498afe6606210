/* The trace tree: what a person reads, exactly, in virtual time. */
#include "failing_malloc.h"
#include "leaves.h"
#include "virtual_runtime.h"
#include <pawl/observability/trace_tree.h>
#include <pawl/primitives/function.h>
#include <pawl/primitives/primitives.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

struct page {
    char text[8192];
    size_t length, writes;
};

static void write_page(void *user, const char *text, size_t length) {
    struct page *page = user;
    assert_true(page->length + length < sizeof page->text);
    assert_int_equal(strlen(text), length);
    memcpy(page->text + page->length, text, length + 1);
    page->length += length;
    page->writes++;
}

/* Runs the pipeline once under a tree with these options. Takes the pipeline. */
static void trace(struct page *page, pawl_trace_tree_options options, pawl_primitive *node) {
    struct fake_clock time = {.other_threads = false};
    pawl_runtime *runtime = virtual_runtime(&time);
    options.size = sizeof options;
    options.write = write_page;
    options.user = page;
    assert_int_equal(pawl_trace_tree_attach(runtime, &options, NULL), PAWL_OK);
    (void)run_once(runtime, node);
    pawl_runtime_unref(runtime);
}

static void shows_each_node_beneath_its_parent_with_outcome_and_time(void **state) {
    (void)state;
    struct page page = {.length = 0};
    trace(&page, (pawl_trace_tree_options){0},
          pawl_sequential("request", passing("first"),
                          pawl_timeout("limit", sleeper("work", PAWL_MS(250)), .after_ns = PAWL_S(1))));
    assert_int_equal(page.writes, 1);
    const char *first = strstr(page.text, "\n  first "), *limit = strstr(page.text, "\n  limit "),
               *work = strstr(page.text, "\n    work ");
    assert_int_equal(strncmp(page.text, "request ", 8), 0);
    assert_true(first && limit && work && first < limit && limit < work);
    assert_non_null(strstr(work, "ok  250 ms"));
    assert_non_null(strstr(limit, "(timeout)"));
}

static void aligns_outcomes_by_characters_not_by_bytes(void **state) {
    (void)state;
    struct page page = {.length = 0};
    trace(&page, (pawl_trace_tree_options){0}, pawl_sequential("plain", passing("caf\xC3\xA9 \xE2\x86\x92 x")));
    const char *plain = strstr(page.text, " ok "), *accented = strstr(strchr(page.text, '\n'), " ok ");
    assert_int_equal(accented - strchr(page.text, '\n') - 1, plain - page.text + 3); /* 3 bytes more than characters */
}

static void numbers_the_attempts_and_tells_how_each_ended(void **state) {
    (void)state;
    struct page page = {.length = 0};
    struct flaky flaky = {.failures_left = 1};
    trace(&page, (pawl_trace_tree_options){0},
          pawl_retry("again", flaky_primitive(&flaky), .jitter = PAWL_JITTER_NONE));
    const char *one = strstr(page.text, "attempt 1"), *two = strstr(page.text, "attempt 2");
    assert_true(one && two && one < two);
    assert_non_null(strstr(page.text, "unavailable"));
}

static pawl_status open_an_evil_span(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out,
                                     pawl_error **err) {
    (void)user, (void)in, (void)ret_out, (void)err;
    pawl_span span;
    pawl_span_open(ctx, &span,
                   "evil\x1b[2J\nname\xC2\x9B"
                   "1m\xE2\x80\xAE"
                   "x\xFF");
    pawl_span_close(ctx, &span, PAWL_OK, NULL);
    return PAWL_OK;
}

static void cleans_names_of_control_bytes(void **state) {
    (void)state;
    struct page page = {.length = 0};
    trace(&page, (pawl_trace_tree_options){0}, pawl_inline("node", open_an_evil_span, NULL));
    assert_null(strchr(page.text, '\x1b'));
    assert_non_null(strstr(page.text, "evil?[2J?name?1m?x\xEF\xBF\xBD"));
}

/* Spans as a sandboxed program may tell them: number i beneath number parent(i). */
static void tell(pawl_context *ctx, unsigned i, unsigned parent) {
    pawl_span span;
    pawl_span_init(ctx, &span, "told");
    memset(span.span_id, 1, 8);
    memcpy(span.span_id, &i, sizeof i);
    memset(span.parent_span_id, 1, 8);
    memcpy(span.parent_span_id, &parent, sizeof parent);
    span.start_ns = i;
    span.end_ns = i + 1;
    pawl_span_tell(ctx, &span);
}

#define DEEP 900

static pawl_status tell_many(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    (void)user, (void)in, (void)ret_out, (void)err;
    for (unsigned i = 1; i <= DEEP; i++)
        tell(ctx, i, i - 1);
    tell(ctx, 5001, 5002); /* a ring */
    tell(ctx, 5002, 5001);
    tell(ctx, 5003, 5003);
    return PAWL_OK;
}

static char deep_text[1 << 20];

static void keep_text(void *user, const char *text, size_t length) {
    (void)user;
    assert_true(length < sizeof deep_text);
    memcpy(deep_text, text, length + 1);
}

static void bears_spans_of_any_depth_and_rings_of_them(void **state) {
    (void)state;
    struct fake_clock time = {.other_threads = false};
    pawl_runtime *runtime = virtual_runtime(&time);
    assert_int_equal(pawl_trace_tree(runtime, NULL, .write = keep_text), PAWL_OK);
    pawl_context *ctx = pawl_context_new(runtime);
    pawl_primitive *node = pawl_inline("node", tell_many, NULL);
    assert_int_equal(pawl_run(node, ctx, NULL, NULL, NULL), PAWL_OK);
    size_t lines = 0;
    for (const char *at = deep_text; *at; at++)
        lines += *at == '\n';
    assert_int_equal(lines, 1 + DEEP + 1 + 1); /* node, chain, the one that names itself, the note */
    assert_non_null(strstr(deep_text, "(2 further spans are not shown)"));
    pawl_context_unref(ctx);
    pawl_primitive_unref(node);
    pawl_runtime_unref(runtime);
}

static void colours_outcomes_only_when_asked(void **state) {
    (void)state;
    struct page plain = {.length = 0}, colour = {.length = 0};
    trace(&plain, (pawl_trace_tree_options){0}, failing("f", PAWL_E_DENIED));
    trace(&colour, (pawl_trace_tree_options){.colour = 1}, failing("f", PAWL_E_DENIED));
    assert_null(strchr(plain.text, '\x1b'));
    assert_non_null(strstr(colour.text, "\x1b[31mdenied\x1b[0m"));
}

static void shows_only_sampled_traces_when_asked(void **state) {
    (void)state;
    struct page page = {.length = 0};
    struct fake_clock time = {.other_threads = false};
    pawl_runtime *runtime = virtual_runtime(&time);
    assert_int_equal(pawl_trace_tree(runtime, NULL, .write = write_page, .user = &page, .sampled_only = 1), PAWL_OK);
    pawl_primitive *node = passing("leaf");
    for (int sampled = 0; sampled < 2; sampled++) {
        pawl_context *ctx = pawl_context_new(runtime);
        assert_true(pawl_context_extract(ctx,
                                         sampled ? "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
                                                 : "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00",
                                         NULL, NULL));
        assert_int_equal(pawl_run(node, ctx, NULL, NULL, NULL), PAWL_OK);
        pawl_context_unref(ctx);
        assert_int_equal(page.writes, sampled);
    }
    pawl_primitive_unref(node);
    pawl_runtime_unref(runtime);
}

static void counts_spans_over_the_bound(void **state) {
    (void)state;
    struct page page = {.length = 0};
    trace(&page, (pawl_trace_tree_options){.max_spans = 2},
          pawl_sequential("s", passing("a"), passing("b"), passing("c")));
    assert_non_null(strstr(page.text, "(1 further spans are not shown)"));
}

static void keeps_the_nodes_above_when_the_trace_is_full(void **state) {
    (void)state;
    struct page page = {.length = 0};
    trace(&page, (pawl_trace_tree_options){.max_spans = 1},
          pawl_sequential("top", pawl_sequential("inner", passing("a"), passing("b"))));
    assert_int_equal(strncmp(page.text, "top ", 4), 0);
    assert_non_null(strstr(page.text, "\n  inner "));
    assert_non_null(strstr(page.text, "\n    a "));
    assert_non_null(strstr(page.text, "(1 further spans are not shown)"));
}

/* A chain, each span the parent of the one before, as a sandboxed program may write it. */
static pawl_status tell_foreign_chain(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out,
                                      pawl_error **err) {
    (void)user, (void)in, (void)ret_out, (void)err;
    for (uint8_t i = 1; i <= 20; i++) {
        pawl_span span;
        pawl_span_init(ctx, &span, "foreign");
        memset(span.span_id, i, 8);
        memset(span.parent_span_id, i + 1, 8);
        span.start_ns = span.end_ns = pawl_context_now(ctx);
        pawl_span_set_string(&span, "pawl.span.source", "sandbox");
        pawl_span_tell(ctx, &span);
    }
    return PAWL_OK;
}

static void spans_of_a_sandboxed_program_push_out_no_others(void **state) {
    (void)state;
    struct page page = {.length = 0};
    trace(&page, (pawl_trace_tree_options){.max_spans = 8},
          pawl_sequential("top", pawl_inline("runs", tell_foreign_chain, NULL), passing("a"), passing("b")));
    assert_non_null(strstr(page.text, "\n  a "));
    assert_non_null(strstr(page.text, "\n  b "));
    assert_non_null(strstr(page.text, "(16 further spans are not shown)"));
}

static void counts_the_siblings_between_the_first_and_the_last(void **state) {
    (void)state;
    struct page page = {.length = 0};
    struct flaky flaky = {.failures_left = 7};
    trace(&page, (pawl_trace_tree_options){.max_siblings = 4},
          pawl_retry("again", flaky_primitive(&flaky), .max_attempts = 9, .jitter = PAWL_JITTER_NONE));
    assert_non_null(strstr(page.text, "attempt 2"));
    assert_null(strstr(page.text, "attempt 3"));
    assert_non_null(strstr(page.text, "\n  ... 4 more, 4 of them failed or cancelled\n"));
    assert_null(strstr(page.text, "attempt 6"));
    assert_non_null(strstr(page.text, "attempt 7"));
    assert_non_null(strstr(page.text, "attempt 8"));
}

static void leaves_out_what_was_quick_and_went_well(void **state) {
    (void)state;
    struct page page = {.length = 0};
    trace(&page, (pawl_trace_tree_options){.min_duration_ns = PAWL_MS(10)},
          pawl_sequential("s", passing("quick"), sleeper("slow", PAWL_MS(20))));
    assert_null(strstr(page.text, "quick"));
    assert_non_null(strstr(page.text, "slow"));
}

static void a_least_duration_of_zero_leaves_out_nothing(void **state) {
    (void)state;
    struct page page = {.length = 0};
    trace(&page, (pawl_trace_tree_options){.min_duration_ns = PAWL_ZERO}, passing("quick"));
    assert_non_null(strstr(page.text, "quick"));
}

static void refuses_bad_options_and_late_attaching(void **state) {
    (void)state;
    struct fake_clock time = {.other_threads = false};
    pawl_runtime *runtime = virtual_runtime(&time);
    pawl_error *err = NULL;
    assert_int_equal(pawl_trace_tree(runtime, &err, .max_spans = 10), PAWL_E_INVALID);
    expect_error(err, PAWL_E_INVALID, "write is required");
    err = NULL;
    assert_int_equal(pawl_trace_tree(runtime, &err, .write = write_page, .max_spans = 100001), PAWL_E_INVALID);
    expect_error(err, PAWL_E_INVALID, "max_spans");
    err = NULL;
    assert_int_equal(pawl_trace_tree(runtime, &err, .write = write_page, .max_siblings = PAWL_ZERO), PAWL_E_INVALID);
    expect_error(err, PAWL_E_INVALID, "max_siblings is 0");
    pawl_context *ctx = pawl_context_new(runtime);
    pawl_primitive *node = passing("p");
    assert_int_equal(pawl_run(node, ctx, NULL, NULL, NULL), PAWL_OK);
    err = NULL;
    assert_int_equal(pawl_trace_tree(runtime, &err, .write = write_page), PAWL_E_INVALID);
    expect_error(err, PAWL_E_INVALID, "before the first run");
    pawl_primitive_unref(node);
    pawl_context_unref(ctx);
    pawl_runtime_unref(runtime);
}

static void a_run_goes_on_without_memory_for_its_tree(void **state) {
    (void)state;
    for (size_t n = 1, failed = 1; failed; n++) {
        struct page page = {.length = 0};
        struct fake_clock time = {.other_threads = false};
        pawl_runtime *runtime = virtual_runtime(&time);
        pawl_primitive *node = pawl_sequential("s", passing("a"), passing("b"));
        assert_int_equal(pawl_trace_tree(runtime, NULL, .write = write_page, .user = &page), PAWL_OK);
        pawl_context *ctx = pawl_context_new(runtime);
        fail_allocation_at(n);
        pawl_status status = pawl_run(node, ctx, NULL, NULL, NULL);
        failed = allow_allocations();
        assert_true(status == PAWL_OK || status == PAWL_E_NOMEM || status == PAWL_E_UNSUPPORTED);
        pawl_context_unref(ctx);
        pawl_primitive_unref(node);
        pawl_runtime_unref(runtime);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shows_each_node_beneath_its_parent_with_outcome_and_time),
        cmocka_unit_test(aligns_outcomes_by_characters_not_by_bytes),
        cmocka_unit_test(numbers_the_attempts_and_tells_how_each_ended),
        cmocka_unit_test(cleans_names_of_control_bytes),
        cmocka_unit_test(bears_spans_of_any_depth_and_rings_of_them),
        cmocka_unit_test(colours_outcomes_only_when_asked),
        cmocka_unit_test(shows_only_sampled_traces_when_asked),
        cmocka_unit_test(counts_spans_over_the_bound),
        cmocka_unit_test(keeps_the_nodes_above_when_the_trace_is_full),
        cmocka_unit_test(spans_of_a_sandboxed_program_push_out_no_others),
        cmocka_unit_test(counts_the_siblings_between_the_first_and_the_last),
        cmocka_unit_test(leaves_out_what_was_quick_and_went_well),
        cmocka_unit_test(a_least_duration_of_zero_leaves_out_nothing),
        cmocka_unit_test(refuses_bad_options_and_late_attaching),
        cmocka_unit_test(a_run_goes_on_without_memory_for_its_tree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
