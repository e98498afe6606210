/* A tracer's figures, as metrics hand them out. */
#include "failing_malloc.h"
#include "leaves.h"
#include "virtual_runtime.h"
#include <pawl/core.h>
#include <pawl/observability/prometheus.h>
#include <pawl/observability/self_metrics.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static char written[65536];

static pawl_status keep(void *user, const char *text, size_t length, pawl_error **err) {
    (void)user, (void)err;
    assert_true(length < sizeof written);
    memcpy(written, text, length);
    written[length] = '\0';
    return PAWL_OK;
}

static void expect_line(pawl_metrics *metrics, const char *line) {
    assert_int_equal(pawl_metrics_write(metrics, NULL, PAWL_PROMETHEUS_TEXT, keep, NULL, NULL), PAWL_OK);
    char whole[256];
    (void)snprintf(whole, sizeof whole, "\n%s\n", line);
    if (!strstr(written, whole))
        fail_msg("no line '%s' in:\n%s", line, written);
}

static pawl_status answer; /* of the exporter */

static bool fails; /* the address of it is the self of one that does */

static pawl_status export_spans(void *self, const pawl_resource *resource, const pawl_span_data *spans, size_t count,
                                uint64_t timeout_ns, pawl_error **err) {
    (void)resource, (void)spans, (void)count, (void)timeout_ns;
    if (self)
        return pawl_error_set(err, PAWL_E_UNAVAILABLE, "never");
    return answer ? pawl_error_set(err, answer, "no") : PAWL_OK;
}

static pawl_exporter *new_exporter(void *self) {
    static const pawl_exporter_vtable vtable = {.size = sizeof vtable, .name = "test_exporter", .spans = export_spans};
    return pawl_exporter_new(&vtable, self, NULL);
}

static pawl_tracer *new_tracer(uint64_t queue) {
    pawl_exporter *exporter = new_exporter(NULL);
    pawl_tracer *tracer = pawl_tracer_with(NULL, .exporters = &exporter, .exporter_count = 1, .max_queue_size = queue);
    pawl_exporter_unref(exporter);
    return tracer;
}

static void run(pawl_runtime *runtime, int times) {
    for (int i = 0; i < times; i++)
        assert_int_equal(run_once(runtime, passing("node")), PAWL_OK);
}

static void spans_are_counted_as_they_go_their_way(void **state) {
    (void)state;
    struct fake_clock time = {0};
    pawl_runtime *runtime = virtual_runtime(&time);
    pawl_metrics *metrics = pawl_metrics_new(NULL, NULL);
    pawl_tracer *tracer = new_tracer(100);
    assert_int_equal(pawl_tracer_attach(tracer, runtime, NULL), PAWL_OK);
    assert_int_equal(pawl_metrics_observe_tracer(metrics, tracer, NULL), PAWL_OK);
    answer = PAWL_OK;
    assert_int_equal(pawl_metrics_write(metrics, NULL, PAWL_PROMETHEUS_TEXT, keep, NULL, NULL), PAWL_OK);
    assert_string_equal(written, "");
    run(runtime, 3);
    expect_line(metrics, "otel_sdk_span_started_total 3");
    expect_line(metrics, "otel_sdk_span_live 0");
    expect_line(metrics, "otel_sdk_processor_span_queue_size{otel_component_type=\"batching_span_processor\"} 3");
    expect_line(metrics, "otel_sdk_processor_span_queue_capacity{otel_component_type=\"batching_span_processor\"} 100");
    assert_int_equal(pawl_runtime_flush(runtime, PAWL_S(1), NULL), PAWL_OK);
    expect_line(metrics, "otel_sdk_processor_span_processed_total{otel_component_type=\"batching_span_processor\"} 3");
    expect_line(metrics, "otel_sdk_exporter_span_exported_total{otel_component_type=\"test_exporter\"} 3");
    expect_line(metrics, "otel_sdk_exporter_span_inflight{otel_component_type=\"test_exporter\"} 0");
    expect_line(metrics, "otel_sdk_processor_span_processed_total{error_type=\"queue_full\",otel_component_type="
                         "\"batching_span_processor\"} 0");
    answer = PAWL_E_DENIED;
    run(runtime, 2);
    (void)pawl_runtime_flush(runtime, PAWL_S(1), NULL);
    expect_line(metrics, "otel_sdk_exporter_span_exported_total{error_type=\"_OTHER\",otel_component_type="
                         "\"test_exporter\"} 2");
    answer = PAWL_OK;
    pawl_metrics_unobserve_tracer(metrics, tracer);
    assert_int_equal(pawl_metrics_write(metrics, NULL, PAWL_PROMETHEUS_TEXT, keep, NULL, NULL), PAWL_OK);
    assert_null(strstr(written, "otel_sdk_span"));
    pawl_tracer_unref(tracer);
    pawl_runtime_unref(runtime);
    pawl_metrics_unref(metrics);
}

static void exporters_of_one_type_are_added_up(void **state) {
    (void)state;
    struct fake_clock time = {0};
    pawl_runtime *runtime = virtual_runtime(&time);
    pawl_metrics *metrics = pawl_metrics_new(NULL, NULL);
    pawl_exporter *exporters[] = {new_exporter(NULL), new_exporter(&fails), new_exporter(NULL)};
    pawl_tracer *tracer = pawl_tracer_with(NULL, .exporters = exporters, .exporter_count = 3);
    assert_int_equal(pawl_tracer_attach(tracer, runtime, NULL), PAWL_OK);
    assert_int_equal(pawl_metrics_observe_tracer(metrics, tracer, NULL), PAWL_OK);
    run(runtime, 3);
    (void)pawl_runtime_flush(runtime, PAWL_S(1), NULL);
    expect_line(metrics, "otel_sdk_exporter_span_exported_total{otel_component_type=\"test_exporter\"} 6");
    expect_line(metrics, "otel_sdk_exporter_span_exported_total{error_type=\"_OTHER\",otel_component_type="
                         "\"test_exporter\"} 3");
    for (size_t i = 0; i < 3; i++)
        pawl_exporter_unref(exporters[i]);
    pawl_metrics_unref(metrics);
    pawl_tracer_unref(tracer);
    pawl_runtime_unref(runtime);
}

static void what_the_queue_cannot_hold_is_counted(void **state) {
    (void)state;
    struct fake_clock time = {0};
    pawl_runtime *runtime = virtual_runtime(&time);
    pawl_metrics *metrics = pawl_metrics_new(NULL, NULL);
    pawl_tracer *tracer = new_tracer(4);
    assert_int_equal(pawl_tracer_attach(tracer, runtime, NULL), PAWL_OK);
    assert_int_equal(pawl_metrics_observe_tracer(metrics, tracer, NULL), PAWL_OK);
    run(runtime, 50);
    pawl_tracer_stats stats = {.size = sizeof stats};
    pawl_tracer_get_stats(tracer, &stats);
    assert_true(stats.dropped_full > 0);
    char line[160];
    (void)snprintf(line, sizeof line,
                   "otel_sdk_processor_span_processed_total{error_type=\"queue_full\",otel_component_type="
                   "\"batching_span_processor\"} %llu",
                   (unsigned long long)stats.dropped_full);
    expect_line(metrics, line);
    pawl_metrics_unref(metrics);
    pawl_tracer_unref(tracer);
    pawl_runtime_unref(runtime);
}

static pawl_status export_logs(void *self, const pawl_resource *resource, const pawl_log_data *records, size_t count,
                               uint64_t timeout_ns, pawl_error **err) {
    (void)self, (void)resource, (void)records, (void)count, (void)timeout_ns;
    return answer ? pawl_error_set(err, answer, "no") : PAWL_OK;
}

static void log_records_are_counted_as_they_go_their_way(void **state) {
    (void)state;
    static const pawl_exporter_vtable vtable = {.size = sizeof vtable, .name = "test_exporter", .logs = export_logs};
    struct fake_clock time = {0};
    pawl_runtime *runtime = virtual_runtime(&time);
    pawl_metrics *metrics = pawl_metrics_new(NULL, NULL);
    pawl_exporter *exporter = pawl_exporter_new(&vtable, NULL, NULL);
    pawl_logs *logs = pawl_logs_with(NULL, .exporters = &exporter, .exporter_count = 1, .max_queue_size = 2);
    assert_int_equal(pawl_logs_attach(logs, runtime, NULL), PAWL_OK);
    assert_int_equal(pawl_metrics_observe_logs(metrics, logs, NULL), PAWL_OK);
    assert_int_equal(pawl_metrics_observe_logs(metrics, NULL, NULL), PAWL_E_INVALID);
    assert_int_equal(pawl_metrics_write(metrics, NULL, PAWL_PROMETHEUS_TEXT, keep, NULL, NULL), PAWL_OK);
    assert_string_equal(written, "");
    for (int i = 0; i < 3; i++)
        pawl_runtime_log(runtime, PAWL_LOG_WARN, "record %d", i);
    expect_line(metrics, "otel_sdk_processor_log_queue_size{otel_component_type=\"batching_log_processor\"} 2");
    expect_line(metrics, "otel_sdk_processor_log_queue_capacity{otel_component_type=\"batching_log_processor\"} 2");
    expect_line(metrics, "otel_sdk_processor_log_processed_total{error_type=\"queue_full\",otel_component_type="
                         "\"batching_log_processor\"} 1");
    answer = PAWL_OK;
    assert_int_equal(pawl_runtime_flush(runtime, PAWL_S(1), NULL), PAWL_OK);
    expect_line(metrics, "otel_sdk_processor_log_processed_total{otel_component_type=\"batching_log_processor\"} 2");
    expect_line(metrics, "otel_sdk_exporter_log_exported_total 2");
    answer = PAWL_E_DENIED;
    pawl_runtime_log(runtime, PAWL_LOG_WARN, "lost");
    (void)pawl_runtime_flush(runtime, PAWL_S(1), NULL);
    expect_line(metrics, "otel_sdk_exporter_log_exported_total{error_type=\"_OTHER\"} 1");
    answer = PAWL_OK;
    pawl_metrics_unobserve_logs(metrics, logs);
    assert_int_equal(pawl_metrics_write(metrics, NULL, PAWL_PROMETHEUS_TEXT, keep, NULL, NULL), PAWL_OK);
    assert_string_equal(written, "");
    pawl_exporter_unref(exporter);
    pawl_logs_unref(logs);
    pawl_runtime_unref(runtime);
    pawl_metrics_unref(metrics);
}

static void without_memory_nothing_is_observed(void **state) {
    (void)state;
    pawl_tracer *tracer = new_tracer(4);
    for_each_failing_allocation(n) {
        pawl_metrics *metrics = pawl_metrics_new(NULL, NULL);
        if (metrics) {
            pawl_status status = pawl_metrics_observe_tracer(metrics, tracer, NULL);
            if (status != PAWL_OK) {
                assert_int_equal(status, PAWL_E_NOMEM);
                (void)allow_allocations();
                assert_int_equal(pawl_metrics_write(metrics, NULL, PAWL_PROMETHEUS_TEXT, keep, NULL, NULL), PAWL_OK);
                assert_null(strstr(written, "otel_sdk_span"));
            }
        }
        pawl_metrics_unref(metrics);
    }
    assert_int_equal(pawl_metrics_observe_tracer(NULL, tracer, NULL), PAWL_E_INVALID);
    pawl_tracer_unref(tracer);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spans_are_counted_as_they_go_their_way),
        cmocka_unit_test(exporters_of_one_type_are_added_up),
        cmocka_unit_test(what_the_queue_cannot_hold_is_counted),
        cmocka_unit_test(log_records_are_counted_as_they_go_their_way),
        cmocka_unit_test(without_memory_nothing_is_observed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
