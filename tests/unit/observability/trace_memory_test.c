/* Spans kept in memory: bounded, whole or refused, and given back. */
#include "failing_malloc.h"
#include "leaves.h"
#include "traced.h"

#include "export_internal.h"

#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

static pawl_status give(pawl_trace_memory *memory, const char *name, pawl_error **err) {
    const pawl_attribute attributes[] = {pawl_attribute_string("queue", "fast"), pawl_attribute_int("n", 3)};
    const pawl_event_data event = {.name = "found", .attributes = attributes, .attribute_count = 2};
    const pawl_link_data link = {.span_id = {7}, .attributes = attributes, .attribute_count = 1};
    const pawl_span_data span = {.name = name,
                                 .tracestate = "a=b",
                                 .status_message = "",
                                 .attributes = attributes,
                                 .attribute_count = 2,
                                 .events = &event,
                                 .event_count = 1,
                                 .links = &link,
                                 .link_count = 1};
    pawl_exporter *exporter = pawl_trace_memory_exporter(memory, err);
    if (!exporter)
        return PAWL_E_NOMEM;
    pawl_status status = pawl_exporter_spans(exporter, NULL, &span, 1, PAWL_S(1), err);
    pawl_exporter_unref(exporter);
    return status;
}

static void a_span_is_kept_with_all_it_has(void **state) {
    (void)state;
    char name[] = "span";
    pawl_trace_memory *memory = pawl_trace_memory_new(NULL, NULL);
    assert_int_equal(give(memory, name, NULL), PAWL_OK);
    name[0] = 'X';
    const pawl_span_data *span = pawl_trace_memory_span(memory, 0);
    assert_string_equal(span->name, "span");
    assert_string_equal(span->tracestate, "a=b");
    assert_string_equal(span_attribute(span, "queue"), "fast");
    assert_string_equal(span->events[0].name, "found");
    assert_string_equal(attribute_of(span->events[0].attributes, 2, "n"), "3");
    assert_int_equal(span->links[0].span_id[0], 7);
    assert_null(pawl_trace_memory_span(memory, 1));
    pawl_trace_memory_unref(memory);
}

static void what_does_not_fit_is_refused_and_counted(void **state) {
    (void)state;
    pawl_error *err = NULL;
    pawl_trace_memory *few = pawl_trace_memory_with(NULL, .max_spans = 2),
                      *small = pawl_trace_memory_with(NULL, .max_bytes = 100);
    assert_int_equal(give(few, "a", NULL), PAWL_OK);
    assert_int_equal(give(few, "b", NULL), PAWL_OK);
    assert_int_equal(give(few, "c", &err), PAWL_E_LIMIT);
    expect_error(err, PAWL_E_LIMIT, "no room for 1 spans");
    assert_int_equal(pawl_trace_memory_count(few), 2);
    assert_int_equal(pawl_trace_memory_refused(few), 1);
    assert_int_equal(give(small, "a", NULL), PAWL_E_LIMIT);
    assert_int_equal(pawl_trace_memory_count(small), 0);
    pawl_trace_memory_clear(few);
    assert_int_equal(pawl_trace_memory_count(few), 0);
    assert_int_equal(pawl_trace_memory_refused(few), 0);
    assert_int_equal(give(few, "d", NULL), PAWL_OK);
    assert_string_equal(pawl_trace_memory_span(few, 0)->name, "d");
    pawl_trace_memory_unref(few);
    pawl_trace_memory_unref(small);
}

static void bad_bounds_are_refused(void **state) {
    (void)state;
    pawl_error *err = NULL;
    assert_null(pawl_trace_memory_with(&err, .max_spans = PAWL_ZERO));
    expect_error(err, PAWL_E_INVALID, "max_spans is 0");
    assert_null(pawl_trace_memory_unref(NULL));
}

static void it_survives_a_failed_allocation(void **state) {
    (void)state;
    for_each_failing_allocation(n) {
        pawl_trace_memory *memory = pawl_trace_memory_new(NULL, NULL);
        if (!memory)
            continue;
        pawl_status status = give(memory, "span", NULL);
        assert_true(status == PAWL_OK || status == PAWL_E_LIMIT || status == PAWL_E_NOMEM);
        assert_int_equal(pawl_trace_memory_count(memory), status == PAWL_OK);
        pawl_trace_memory_unref(memory);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_span_is_kept_with_all_it_has),
        cmocka_unit_test(what_does_not_fit_is_refused_and_counted),
        cmocka_unit_test(bad_bounds_are_refused),
        cmocka_unit_test(it_survives_a_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
