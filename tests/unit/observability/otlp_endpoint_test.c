/* Where each signal goes. */
#include "export_internal.h"
#include "otlp_exporter_internal.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void follows_the_rules_for_base_and_signal_urls(void **state) {
    (void)state;
    static const struct {
        const char *base, *given, *traces;
    } rows[] = {
        {"http://localhost:4318", NULL, "http://localhost:4318/v1/traces"},
        {"http://localhost:4318/", "", "http://localhost:4318/v1/traces"},
        {"http://c:4318/mycollector", NULL, "http://c:4318/mycollector/v1/traces"},
        {"http://c:4318/mycollector/", NULL, "http://c:4318/mycollector/v1/traces"},
        {"https://c", NULL, "https://c/v1/traces"},
        {"https://c/a?key=1", NULL, "https://c/a/v1/traces?key=1"},
        {"https://c?key=/", NULL, "https://c/v1/traces?key=/"},
        {"http://[::1]:4318", NULL, "http://[::1]:4318/v1/traces"},
        {"http://base", "http://own:9/exact", "http://own:9/exact"},
        {"http://base", "http://own:9/exact/", "http://own:9/exact/"},
        {"http://base", "http://own:9", "http://own:9/"},
        {"http://base", "http://own:9?x=/y", "http://own:9/?x=/y"},
        {"http://base", "http://own:9/v1/traces", "http://own:9/v1/traces"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *url = pawl_otlp_url(rows[i].base, rows[i].given, PAWL_OTLP_TRACES);
        assert_string_equal(url, rows[i].traces);
        free(url);
    }
    char *metrics = pawl_otlp_url("http://c", NULL, PAWL_OTLP_METRICS),
         *logs = pawl_otlp_url("http://c", NULL, PAWL_OTLP_LOGS);
    assert_string_equal(metrics, "http://c/v1/metrics");
    assert_string_equal(logs, "http://c/v1/logs");
    free(metrics);
    free(logs);
}

static void expect_refused(const pawl_otlp_options *options, pawl_status status, const char *part) {
    pawl_error *error = NULL;
    assert_null(pawl_otlp_exporter_new(options, &error));
    assert_int_equal(pawl_error_status(error), status);
    if (!strstr(pawl_error_message(error), part))
        fail_msg("no '%s' in '%s'", part, pawl_error_message(error));
    pawl_error_unref(error);
}

static void says_which_option_is_wrong(void **state) {
    (void)state;
    static const pawl_http_header typed = {"content-type", "x"}, ended = {"x-key", "secret\r\nx: y"};
    pawl_http_header many[65];
    for (size_t i = 0; i < 65; i++)
        many[i] = (pawl_http_header){"x", "y"};
#define OPTIONS(...) &(pawl_otlp_options){.size = sizeof(pawl_otlp_options), __VA_ARGS__}
    expect_refused(OPTIONS(.endpoint = "localhost:4318"), PAWL_E_INVALID, "otlp traces: the url is 'localhost:4318");
    expect_refused(OPTIONS(.logs_endpoint = "grpc://x"), PAWL_E_INVALID, "otlp logs");
    expect_refused(OPTIONS(.endpoint = "http:///x"), PAWL_E_INVALID, "http://host");
    expect_refused(OPTIONS(.protocol = 2), PAWL_E_INVALID, "protocol 2");
    expect_refused(OPTIONS(.headers = many, .header_count = 65), PAWL_E_LIMIT, "64 headers");
    expect_refused(OPTIONS(.headers = &typed, .header_count = 1), PAWL_E_INVALID, "'content-type'");
    expect_refused(OPTIONS(.headers = &ended, .header_count = 1), PAWL_E_INVALID, "'x-key'");
    expect_refused(OPTIONS(.max_request_bytes = PAWL_MIB(64) + 1), PAWL_E_INVALID, "64 MiB");
}

static void never_shows_a_header_value(void **state) {
    (void)state;
    static const pawl_http_header ended = {"x-key", "secret\n"};
    pawl_error *error = NULL;
    char text[512];
    assert_null(pawl_otlp_exporter_with(&error, .headers = &ended, .header_count = 1));
    (void)pawl_error_describe(error, text, sizeof text);
    assert_null(strstr(text, "secret"));
    pawl_error_unref(error);
}

static void has_the_conventions_name_for_each_signal(void **state) {
    (void)state;
    pawl_exporter *protobuf = pawl_otlp_exporter_new(NULL, NULL),
                  *json = pawl_otlp_exporter_with(NULL, .protocol = PAWL_OTLP_JSON);
    assert_string_equal(pawl_exporter_name(protobuf, PAWL_EXPORTED_SPANS), "otlp_http_span_exporter");
    assert_string_equal(pawl_exporter_name(protobuf, PAWL_EXPORTED_METRICS), "otlp_http_metric_exporter");
    assert_string_equal(pawl_exporter_name(json, PAWL_EXPORTED_LOGS), "otlp_http_json_log_exporter");
    pawl_exporter_unref(protobuf);
    pawl_exporter_unref(json);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(follows_the_rules_for_base_and_signal_urls),
        cmocka_unit_test(says_which_option_is_wrong),
        cmocka_unit_test(never_shows_a_header_value),
        cmocka_unit_test(has_the_conventions_name_for_each_signal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
