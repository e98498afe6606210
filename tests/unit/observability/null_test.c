/* What could not be made is NULL, and may be handed on. */
#include <pawl/observability/metrics_report.h>
#include <pawl/observability/trace_memory.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void a_report_that_is_null_has_nothing_to_tell(void **state) {
    (void)state;
    size_t count = 7;
    assert_null(pawl_report_nodes(NULL, &count));
    assert_int_equal(count, 0);
    assert_null(pawl_report_slos(NULL, &count));
    assert_null(pawl_report_value(NULL));
}

static void a_memory_that_is_null_is_refused_or_empty(void **state) {
    (void)state;
    pawl_error *err = NULL;
    assert_null(pawl_trace_memory_exporter(NULL, &err));
    assert_int_equal(pawl_error_status(err), PAWL_E_INVALID);
    pawl_error_unref(err);
    assert_int_equal(pawl_trace_memory_count(NULL), 0);
    assert_int_equal(pawl_trace_memory_refused(NULL), 0);
    assert_null(pawl_trace_memory_span(NULL, 0));
    pawl_trace_memory_clear(NULL);
}

static void a_resource_that_is_null_has_no_attributes(void **state) {
    (void)state;
    size_t count = 7;
    assert_null(pawl_resource_attributes(NULL, &count));
    assert_int_equal(count, 0);
}

static void attributes_that_are_null_are_none_whatever_is_counted(void **state) {
    (void)state;
    static const pawl_instrument orders = {.size = sizeof orders, .name = "orders", .kind = PAWL_COUNTER};
    pawl_metrics *metrics = pawl_metrics_new(NULL, NULL);
    assert_non_null(pawl_metrics_series(metrics, &orders, NULL, 5, NULL));
    assert_ptr_equal(pawl_metrics_series(metrics, &orders, NULL, 5, NULL),
                     pawl_metrics_series(metrics, &orders, NULL, 0, NULL));
    pawl_metrics_unref(metrics);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_report_that_is_null_has_nothing_to_tell),
        cmocka_unit_test(a_memory_that_is_null_is_refused_or_empty),
        cmocka_unit_test(a_resource_that_is_null_has_no_attributes),
        cmocka_unit_test(attributes_that_are_null_are_none_whatever_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
