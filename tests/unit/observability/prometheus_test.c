/* Metrics as Prometheus text: names, labels, values, buckets, exemplars. */
#include "prometheus_internal.h"
#include "failing_malloc.h"
#include <locale.h>
#include <math.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define METRIC(metric_kind, metric_name, metric_unit, point_array)                                                     \
    (pawl_metric_data) {                                                                                               \
        .name = (metric_name), .unit = (metric_unit), .description = "Help.", .kind = (metric_kind),                   \
        .points = (point_array), .point_count = COUNT(point_array)                                                     \
    }

static char written[65536];

static pawl_status keep(void *user, const char *text, size_t length, pawl_error **err) {
    (void)user, (void)err;
    assert_true(length < sizeof written);
    memcpy(written, text, length);
    written[length] = '\0';
    return PAWL_OK;
}

static void write_all(pawl_metrics_format format, const pawl_metric_data *metrics, size_t count) {
    assert_int_equal(pawl_prom_write(NULL, metrics, count, format, keep, NULL, NULL), PAWL_OK);
}

static void expect_text(const pawl_metric_data *metric, const char *text) {
    write_all(PAWL_PROMETHEUS_TEXT, metric, 1);
    assert_string_equal(written, text);
}

static void expect_openmetrics(const pawl_metric_data *metric, const char *text) {
    write_all(PAWL_OPENMETRICS, metric, 1);
    assert_string_equal(written, text);
}

/* ---- names ---- */

static void expect_name(uint64_t kind, const char *name, const char *unit, const char *expected) {
    char got[PAWL_PROM_NAME];
    pawl_metric_data metric = {.name = name, .unit = unit, .description = "", .kind = kind};
    pawl_prom_family_name(&metric, got);
    assert_string_equal(got, expected);
}

static void what_is_no_letter_becomes_one_underscore(void **state) {
    (void)state;
    expect_name(PAWL_GAUGE, "a.b-c/d", "", "a_b_c_d");
    expect_name(PAWL_GAUGE, "a.._.b", "", "a_b");
    expect_name(PAWL_GAUGE, "a:b", "", "a_b");
    expect_name(PAWL_GAUGE, "9lives", "", "_9lives");
    expect_name(PAWL_GAUGE, "caf\xc3\xa9", "", "caf");
    expect_name(PAWL_GAUGE, "\xff\xff", "", "_");
    expect_name(PAWL_GAUGE, "", "", "_");
}

static void the_unit_is_a_word_of_the_name_once(void **state) {
    (void)state;
    expect_name(PAWL_HISTOGRAM, "wf.e2b.execution.duration", "s", "wf_e2b_execution_duration_seconds");
    expect_name(PAWL_HISTOGRAM, "run.seconds", "s", "run_seconds");
    expect_name(PAWL_HISTOGRAM, "run_seconds_left", "s", "run_seconds_left");
    expect_name(PAWL_HISTOGRAM, "milliseconds_of.it", "s", "milliseconds_of_it_seconds");
    expect_name(PAWL_HISTOGRAM, "size", "By", "size_bytes");
    expect_name(PAWL_HISTOGRAM, "took", "ms", "took_milliseconds");
    expect_name(PAWL_COUNTER, "runs", "{run}", "runs");
    expect_name(PAWL_COUNTER, "runs", "1", "runs");
    expect_name(PAWL_GAUGE, "full", "1", "full_ratio");
    expect_name(PAWL_UP_DOWN_COUNTER, "full", "1", "full");
    expect_name(PAWL_GAUGE, "speed", "m/s", "speed_meters_per_second");
    expect_name(PAWL_GAUGE, "rate", "{request}/s", "rate_per_second");
    expect_name(PAWL_GAUGE, "odd", "a b/\xff", "odd_ab");
    expect_name(PAWL_GAUGE, "seconds", "s", "seconds");
}

static void the_suffixes_of_samples_are_not_said_twice(void **state) {
    (void)state;
    expect_name(PAWL_COUNTER, "runs_total", "", "runs");
    expect_name(PAWL_COUNTER, "cpu.seconds.total", "s", "cpu_seconds");
    expect_name(PAWL_COUNTER, "run.count", "", "run_count");
    expect_name(PAWL_GAUGE, "pool.total", "", "pool");
    expect_name(PAWL_GAUGE, "pool.count_sum", "", "pool");
    expect_name(PAWL_HISTOGRAM, "wait.bucket", "s", "wait_seconds");
    expect_name(PAWL_GAUGE, "total", "", "total");
}

static void families_are_sorted_and_no_name_is_given_twice(void **state) {
    (void)state;
    pawl_point_data point = {.value = 1};
    pawl_metric_data metrics[] = {
        {.name = "z", .unit = "", .description = "", .kind = PAWL_GAUGE, .points = &point, .point_count = 1},
        {.name = "a_b", .unit = "", .description = "", .kind = PAWL_COUNTER, .points = &point, .point_count = 1},
        {.name = "a.b", .unit = "", .description = "", .kind = PAWL_GAUGE, .points = &point, .point_count = 1},
        {.name = "a.b", .unit = "", .description = "", .kind = PAWL_HISTOGRAM, .points = &point, .point_count = 1},
        {.name = "a/b", .unit = "", .description = "", .kind = PAWL_GAUGE, .points = &point, .point_count = 0},
        {.name = "d",
         .unit = "",
         .description = "",
         .kind = PAWL_COUNTER,
         .is_delta = 1,
         .points = &point,
         .point_count = 1},
        {.name = "e", .unit = "", .description = "", .kind = 77, .points = &point, .point_count = 1},
    };
    write_all(PAWL_OPENMETRICS, metrics, COUNT(metrics));
    assert_string_equal(written, "# TYPE a_b counter\n# HELP a_b a_b\na_b_total 1\n"
                                 "# TYPE a_b_2 gauge\n# HELP a_b_2 a.b\na_b_2 1\n"
                                 "# TYPE a_b_3 histogram\n# HELP a_b_3 a.b\n"
                                 "a_b_3_bucket{le=\"+Inf\"} 0\na_b_3_sum 0\na_b_3_count 0\n"
                                 "# TYPE z gauge\n# HELP z z\nz 1\n# EOF\n");
}

static void no_family_is_called_as_the_samples_of_another(void **state) {
    (void)state;
    pawl_point_data point[] = {{.value = 1}};
    pawl_metric_data metrics[] = {METRIC(PAWL_COUNTER, "x_bucket", "", point), METRIC(PAWL_HISTOGRAM, "x", "", point),
                                  METRIC(PAWL_GAUGE, "target_info", "", point)};
    size_t count;
    struct pawl_prom_family *families = pawl_prom_families(&metrics[2], metrics, COUNT(metrics), &count);
    assert_int_equal(count, 4);
    assert_string_equal(families[0].name, "target");
    assert_string_equal(families[1].name, "target_2");
    assert_string_equal(families[2].name, "x_2");
    assert_string_equal(families[3].name, "x_bucket");
    free(families);
}

/* ---- labels ---- */

static void labels_are_escaped_and_repaired(void **state) {
    (void)state;
    pawl_attribute hostile = pawl_attribute_string("a key.of\xff", "q\" b\\ n\n r\r rn\r\n bad\xc3 end");
    pawl_point_data point[] = {{.attributes = &hostile, .attribute_count = 1, .value = 2}};
    pawl_metric_data metric = METRIC(PAWL_GAUGE, "g", "", point);
    metric.description = "Say \"x\\y\"\r\nnow\xfe";
    expect_text(&metric, "# TYPE g gauge\n# HELP g Say \"x\\\\y\"\\nnow\xef\xbf\xbd\n"
                         "g{a_key_of_=\"q\\\" b\\\\ n\\n r\\n rn\\n bad\xef\xbf\xbd end\"} 2\n");
    write_all(PAWL_OPENMETRICS, &metric, 1);
    assert_non_null(strstr(written, "# HELP g Say \\\"x\\\\y\\\"\\nnow\xef\xbf\xbd\n"));
}

static void attributes_of_one_label_are_joined_and_empty_ones_left_out(void **state) {
    (void)state;
    pawl_attribute attributes[] = {pawl_attribute_bool("a-b", true), pawl_attribute_double("a.b", 0.5),
                                   pawl_attribute_int("a_b", -7), pawl_attribute_string("none", ""),
                                   pawl_attribute_string("Z", "last in keys, first in labels")};
    pawl_point_data point[] = {{.attributes = attributes, .attribute_count = COUNT(attributes), .value = -1.5}};
    pawl_metric_data metric = METRIC(PAWL_GAUGE, "g", "", point);
    expect_text(&metric, "# TYPE g gauge\n# HELP g Help.\n"
                         "g{Z=\"last in keys, first in labels\",a_b=\"true;0.5;-7\"} -1.5\n");
}

static void labels_of_prometheus_own_are_renamed(void **state) {
    (void)state;
    pawl_attribute attributes[] = {pawl_attribute_string("__name__", "n"), pawl_attribute_string("le", "1"),
                                   pawl_attribute_string("quantile", "q")};
    pawl_point_data point[] = {{.attributes = attributes, .attribute_count = COUNT(attributes)}};
    pawl_metric_data metric = METRIC(PAWL_GAUGE, "g", "", point);
    expect_text(&metric, "# TYPE g gauge\n# HELP g Help.\n"
                         "g{_name_=\"n\",exported_le=\"1\",exported_quantile=\"q\"} 0\n");
}

static void series_with_equal_labels_are_one(void **state) {
    (void)state;
    pawl_attribute dotted = pawl_attribute_string("a.b", "x"), flat = pawl_attribute_string("a_b", "x");
    uint64_t few[] = {1, 2}, many[] = {10, 20};
    double bounds[] = {0.5};
    pawl_point_data points[] = {
        {.attributes = &flat, .attribute_count = 1, .value = 2, .time_unix_ns = 9, .sum = 1, .bucket_counts = few},
        {.value = 7},
        {.attributes = &dotted, .attribute_count = 1, .value = 3, .time_unix_ns = 5, .sum = 2, .bucket_counts = many}};
    pawl_metric_data counter = METRIC(PAWL_COUNTER, "c", "", points);
    expect_text(&counter, "# TYPE c_total counter\n# HELP c_total Help.\nc_total 7\nc_total{a_b=\"x\"} 5\n");
    pawl_metric_data up_down = METRIC(PAWL_UP_DOWN_COUNTER, "u", "", points);
    expect_text(&up_down, "# TYPE u gauge\n# HELP u Help.\nu 7\nu{a_b=\"x\"} 5\n");
    pawl_metric_data gauge = METRIC(PAWL_GAUGE, "g", "", points);
    expect_text(&gauge, "# TYPE g gauge\n# HELP g Help.\ng 7\ng{a_b=\"x\"} 2\n");
    points[1] = points[0];
    pawl_metric_data histogram = METRIC(PAWL_HISTOGRAM, "h", "", points);
    histogram.bounds = bounds;
    histogram.bound_count = 1;
    expect_text(&histogram, "# TYPE h histogram\n# HELP h Help.\nh_bucket{a_b=\"x\",le=\"0.5\"} 12\n"
                            "h_bucket{a_b=\"x\",le=\"+Inf\"} 36\nh_sum{a_b=\"x\"} 4\nh_count{a_b=\"x\"} 36\n");
}

/* ---- values ---- */

static void expect_number(double number, const char *plain, const char *canonical) {
    struct pawl_prom_text text = {0};
    pawl_prom_put_number(&text, number);
    pawl_prom_puts(&text, " ");
    pawl_prom_put_canonical(&text, number);
    pawl_prom_put(&text, "", 1);
    char expected[128];
    (void)snprintf(expected, sizeof expected, "%s %s", plain, canonical);
    assert_string_equal(text.bytes, expected);
    pawl_prom_text_free(&text);
}

static void expect_all_numbers(void) {
    expect_number(0, "0", "0.0");
    expect_number(-0.0, "0", "0.0");
    expect_number(1, "1", "1.0");
    expect_number(-3, "-3", "-3.0");
    expect_number(0.1, "0.1", "0.1");
    expect_number(0.005, "0.005", "0.005");
    expect_number(0.00001, "1e-05", "1e-05");
    expect_number(2.5e-300, "2.5e-300", "2.5e-300");
    expect_number(81.92, "81.92", "81.92");
    expect_number(10000, "10000", "10000.0");
    expect_number(999999, "999999", "999999.0");
    expect_number(1e6, "1000000", "1e+06");
    expect_number(67108864, "67108864", "6.7108864e+07");
    expect_number(1e15, "1e+15", "1e+15");
    expect_number(1.0 / 3, "0.3333333333333333", "0.3333333333333333");
    expect_number(0.1 + 0.2, "0.30000000000000004", "0.30000000000000004");
    expect_number(5e-324, "4.94065645841247e-324", "4.94065645841247e-324");
    expect_number(1.7976931348623157e308, "1.7976931348623157e+308", "1.7976931348623157e+308");
    expect_number(INFINITY, "+Inf", "+Inf");
    expect_number(-INFINITY, "-Inf", "-Inf");
    expect_number(NAN, "NaN", "NaN");
}

static void numbers_are_short_and_exact_in_every_locale(void **state) {
    (void)state;
    expect_all_numbers();
    if (setlocale(LC_NUMERIC, "de_DE.UTF-8") || setlocale(LC_NUMERIC, "fr_FR.UTF-8"))
        expect_all_numbers();
    setlocale(LC_NUMERIC, "C");
}

static void a_counter_is_no_less_than_zero(void **state) {
    (void)state;
    pawl_point_data negative[] = {{.value = -1}}, nothing[] = {{.value = NAN}};
    pawl_metric_data metric = METRIC(PAWL_COUNTER, "c", "", negative);
    expect_text(&metric, "# TYPE c_total counter\n# HELP c_total Help.\nc_total 0\n");
    metric.points = nothing;
    expect_text(&metric, "# TYPE c_total counter\n# HELP c_total Help.\nc_total 0\n");
}

/* ---- histograms ---- */

static void buckets_are_cumulative_and_their_bounds_canonical(void **state) {
    (void)state;
    double bounds[] = {0.5, 1, 1e6};
    uint64_t counts[] = {1, 2, 3, 4};
    pawl_point_data point[] = {{.sum = 12.5, .count = 99, .bucket_counts = counts}};
    pawl_metric_data metric = METRIC(PAWL_HISTOGRAM, "took", "s", point);
    metric.bounds = bounds;
    metric.bound_count = COUNT(bounds);
    expect_openmetrics(&metric, "# TYPE took_seconds histogram\n# UNIT took_seconds seconds\n"
                                "# HELP took_seconds Help.\n"
                                "took_seconds_bucket{le=\"0.5\"} 1\ntook_seconds_bucket{le=\"1.0\"} 3\n"
                                "took_seconds_bucket{le=\"1e+06\"} 6\ntook_seconds_bucket{le=\"+Inf\"} 10\n"
                                "took_seconds_sum 12.5\ntook_seconds_count 10\n# EOF\n");
}

static void bounds_that_do_not_ascend_are_left_out(void **state) {
    (void)state;
    double bounds[] = {-INFINITY, NAN, 1, 0.5, 1, INFINITY};
    uint64_t counts[] = {1, 1, 1, 1, 1, 1, 1};
    pawl_point_data point[] = {{.sum = 1, .bucket_counts = counts}};
    pawl_metric_data metric = METRIC(PAWL_HISTOGRAM, "h", "", point);
    metric.bounds = bounds;
    metric.bound_count = COUNT(bounds);
    expect_text(&metric, "# TYPE h histogram\n# HELP h Help.\nh_bucket{le=\"1.0\"} 3\nh_bucket{le=\"+Inf\"} 7\n"
                         "h_sum 1\nh_count 7\n");
}

static void a_sum_that_could_fall_is_not_told_to_openmetrics(void **state) {
    (void)state;
    double bounds[] = {-1, 1};
    uint64_t counts[] = {1, 0, 0};
    pawl_point_data point[] = {{.sum = -5, .bucket_counts = counts}};
    pawl_metric_data metric = METRIC(PAWL_HISTOGRAM, "h", "", point);
    metric.bounds = bounds;
    metric.bound_count = COUNT(bounds);
    expect_text(&metric, "# TYPE h histogram\n# HELP h Help.\nh_bucket{le=\"-1.0\"} 1\nh_bucket{le=\"1.0\"} 1\n"
                         "h_bucket{le=\"+Inf\"} 1\nh_sum -5\nh_count 1\n");
    expect_openmetrics(&metric, "# TYPE h histogram\n# HELP h Help.\nh_bucket{le=\"-1.0\"} 1\n"
                                "h_bucket{le=\"1.0\"} 1\nh_bucket{le=\"+Inf\"} 1\n# EOF\n");
}

/* Values 0.25, 0.5 and 1 at scale 3: each is the upper end of its bucket. 3 lies across no power of two. */
static void powers_of_two_of_an_exponential_histogram_are_counted_exactly(void **state) {
    (void)state;
    uint64_t counts[30] = {[0] = 1, [8] = 10, [16] = 100, [29] = 1000}, below[] = {5};
    pawl_point_data point[] = {{.sum = 3108, .zero_count = 2, .scale = 3}};
    point[0].positive = (pawl_exponential_buckets){counts, COUNT(counts), -17};
    point[0].negative = (pawl_exponential_buckets){below, 1, 4};
    pawl_metric_data metric = METRIC(PAWL_EXPONENTIAL_HISTOGRAM, "e", "s", point);
    write_all(PAWL_PROMETHEUS_TEXT, &metric, 1);
    assert_non_null(strstr(written, "e_seconds_bucket{le=\"6.103515625e-05\"} 7\n"));
    assert_non_null(strstr(written, "e_seconds_bucket{le=\"0.125\"} 7\n"));
    assert_non_null(strstr(written, "e_seconds_bucket{le=\"0.25\"} 8\n"));
    assert_non_null(strstr(written, "e_seconds_bucket{le=\"0.5\"} 18\n"));
    assert_non_null(strstr(written, "e_seconds_bucket{le=\"1.0\"} 118\n"));
    assert_non_null(strstr(written, "e_seconds_bucket{le=\"2.0\"} 118\n"));
    assert_non_null(strstr(written, "e_seconds_bucket{le=\"4.0\"} 1118\n"));
    assert_non_null(strstr(written, "e_seconds_count 1118\n"));
}

static void a_bucket_across_a_bound_counts_behind_it(void **state) {
    (void)state;
    uint64_t counts[] = {7}; /* (1, 4] */
    double bounds[] = {2, 5};
    pawl_point_data point[] = {{.sum = 14, .scale = -1}};
    point[0].positive = (pawl_exponential_buckets){counts, 1, 0};
    pawl_metric_data metric = METRIC(PAWL_EXPONENTIAL_HISTOGRAM, "e", "", point);
    metric.bounds = bounds;
    metric.bound_count = 2;
    expect_text(&metric, "# TYPE e histogram\n# HELP e Help.\ne_bucket{le=\"2.0\"} 0\ne_bucket{le=\"5.0\"} 7\n"
                         "e_bucket{le=\"+Inf\"} 7\ne_sum 14\ne_count 7\n");
}

/* ---- exemplars ---- */

#define IDS .trace_id = {0x4b, 0xf9, [15] = 0x36}, .span_id = {0xf0, [7] = 0xb7}
#define IDS_TEXT "# {trace_id=\"4bf90000000000000000000000000036\",span_id=\"f0000000000000b7\"}"

static void the_newest_exemplar_of_each_bucket_is_told_to_openmetrics(void **state) {
    (void)state;
    double bounds[] = {1};
    uint64_t counts[] = {3, 1};
    pawl_exemplar_data exemplars[] = {{.value = 0.25, .time_unix_ns = 1700000000001999999, IDS},
                                      {.value = 1, .time_unix_ns = 1700000000002000000, IDS},
                                      {.value = 1.5, IDS},
                                      {.value = NAN, .time_unix_ns = UINT64_MAX, IDS},
                                      {.value = 0.5, .time_unix_ns = UINT64_MAX}};
    pawl_point_data point[] = {
        {.sum = 2.75, .bucket_counts = counts, .exemplars = exemplars, .exemplar_count = COUNT(exemplars)}};
    pawl_metric_data metric = METRIC(PAWL_HISTOGRAM, "h", "", point);
    metric.bounds = bounds;
    metric.bound_count = 1;
    expect_openmetrics(&metric, "# TYPE h histogram\n# HELP h Help.\n"
                                "h_bucket{le=\"1.0\"} 3 " IDS_TEXT " 1 1700000000.002\n"
                                "h_bucket{le=\"+Inf\"} 4 " IDS_TEXT " 1.5\nh_sum 2.75\nh_count 4\n# EOF\n");
    write_all(PAWL_PROMETHEUS_TEXT, &metric, 1);
    assert_null(strchr(strstr(written, "h_bucket"), '#'));
    pawl_metric_data gauge = METRIC(PAWL_GAUGE, "g", "", point);
    write_all(PAWL_OPENMETRICS, &gauge, 1);
    assert_null(strstr(written, "trace_id"));
}

/* ---- the whole ---- */

static void the_resource_is_one_series(void **state) {
    (void)state;
    pawl_resource *resource = pawl_resource_with(NULL, .service_name = "fix\"er", .no_detection = 1);
    assert_int_equal(pawl_prom_write(resource, NULL, 0, PAWL_OPENMETRICS, keep, NULL, NULL), PAWL_OK);
    assert_memory_equal(written, "# TYPE target info\n# HELP target ", 33);
    assert_non_null(strstr(written, "\ntarget_info{"));
    assert_non_null(strstr(written, "service_name=\"fix\\\"er\""));
    assert_non_null(strstr(written, "} 1\n# EOF\n"));
    assert_int_equal(pawl_prom_write(resource, NULL, 0, PAWL_PROMETHEUS_TEXT, keep, NULL, NULL), PAWL_OK);
    assert_memory_equal(written, "# TYPE target_info gauge\n# HELP target_info ", 43);
    pawl_resource_unref(resource);
}

static pawl_status refuse(void *user, const char *text, size_t length, pawl_error **err) {
    (void)text, (void)length;
    ++*(int *)user;
    return pawl_error_set(err, PAWL_E_LIMIT, "disk full");
}

static void what_write_says_is_passed_on(void **state) {
    (void)state;
    int calls = 0;
    pawl_error *err = NULL;
    assert_int_equal(pawl_prom_write(NULL, NULL, 0, PAWL_PROMETHEUS_TEXT, refuse, &calls, &err), PAWL_E_LIMIT);
    assert_string_equal(pawl_error_message(err), "disk full");
    assert_int_equal(calls, 1);
    pawl_error_unref(err);
}

static void without_memory_nothing_is_written(void **state) {
    (void)state;
    pawl_attribute attribute = pawl_attribute_string("k", "v\xff");
    uint64_t counts[] = {1};
    pawl_point_data points[] = {{.attributes = &attribute, .attribute_count = 1, .bucket_counts = counts}, {0}};
    pawl_metric_data metrics[] = {METRIC(PAWL_COUNTER, "c", "", points), METRIC(PAWL_HISTOGRAM, "h", "s", points)};
    for_each_failing_allocation(n) {
        pawl_error *err = NULL;
        written[0] = '\0';
        pawl_status status = pawl_prom_write(NULL, metrics, 2, PAWL_OPENMETRICS, keep, NULL, &err);
        if (allocations_failed() > 0) {
            assert_int_equal(status, PAWL_E_NOMEM);
            assert_string_equal(written, "");
        } else {
            assert_int_equal(status, PAWL_OK);
        }
        pawl_error_unref(err);
    }
}

static void each_format_has_a_content_type(void **state) {
    (void)state;
    assert_string_equal(pawl_metrics_content_type(PAWL_PROMETHEUS_TEXT), "text/plain; version=0.0.4; charset=utf-8");
    assert_string_equal(pawl_metrics_content_type(PAWL_OPENMETRICS),
                        "application/openmetrics-text; version=1.0.0; charset=utf-8");
    assert_null(pawl_metrics_content_type((pawl_metrics_format)7));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_letter_becomes_one_underscore),
        cmocka_unit_test(the_unit_is_a_word_of_the_name_once),
        cmocka_unit_test(the_suffixes_of_samples_are_not_said_twice),
        cmocka_unit_test(families_are_sorted_and_no_name_is_given_twice),
        cmocka_unit_test(no_family_is_called_as_the_samples_of_another),
        cmocka_unit_test(labels_are_escaped_and_repaired),
        cmocka_unit_test(attributes_of_one_label_are_joined_and_empty_ones_left_out),
        cmocka_unit_test(labels_of_prometheus_own_are_renamed),
        cmocka_unit_test(series_with_equal_labels_are_one),
        cmocka_unit_test(numbers_are_short_and_exact_in_every_locale),
        cmocka_unit_test(a_counter_is_no_less_than_zero),
        cmocka_unit_test(buckets_are_cumulative_and_their_bounds_canonical),
        cmocka_unit_test(bounds_that_do_not_ascend_are_left_out),
        cmocka_unit_test(a_sum_that_could_fall_is_not_told_to_openmetrics),
        cmocka_unit_test(powers_of_two_of_an_exponential_histogram_are_counted_exactly),
        cmocka_unit_test(a_bucket_across_a_bound_counts_behind_it),
        cmocka_unit_test(the_newest_exemplar_of_each_bucket_is_told_to_openmetrics),
        cmocka_unit_test(the_resource_is_one_series),
        cmocka_unit_test(what_write_says_is_passed_on),
        cmocka_unit_test(without_memory_nothing_is_written),
        cmocka_unit_test(each_format_has_a_content_type),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
