/* What a scraper's headers ask for. */
#include "prometheus_internal.h"
#include <stdarg.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#define TEXT PAWL_PROMETHEUS_TEXT
#define OPEN PAWL_OPENMETRICS
#define OPEN_TYPE "application/openmetrics-text"

static void expect(pawl_metrics_format format, const char *header) {
    struct pawl_prom_accept accept = {.count = 0};
    pawl_prom_accept_read(&accept, header);
    if (pawl_prom_accept_choose(&accept) != format)
        fail_msg("Accept: %s", header);
}

static void prometheus_gets_openmetrics(void **state) {
    (void)state;
    expect(OPEN,
           OPEN_TYPE ";version=1.0.0," OPEN_TYPE ";version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1");
    expect(OPEN, "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited," OPEN_TYPE
                 ";version=1.0.0;q=0.8," OPEN_TYPE ";version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1");
    expect(OPEN, OPEN_TYPE ";version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;version=0.0.4;q=0.3");
    expect(TEXT, "text/plain;version=0.0.4;q=1,*/*;q=0.1");
}

static void without_a_wish_it_is_text(void **state) {
    (void)state;
    static const char *const headers[] = {
        "",         " , ",   "*/*",    "text/*", "text/html, */*;q=0.8", "text/plain", "image/png", "application/json",
        "nonsense", ";;;=,", "*/*;q=0"};
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        expect(TEXT, headers[i]);
}

static void the_higher_quality_wins_and_then_the_first(void **state) {
    (void)state;
    expect(OPEN, OPEN_TYPE ", text/plain");
    expect(TEXT, "text/plain, " OPEN_TYPE);
    expect(OPEN, "text/plain;q=0.5, " OPEN_TYPE ";q=0.501");
    expect(TEXT, OPEN_TYPE ";q=0.499 , text/plain ; q=0.5");
    expect(OPEN, "application/*, text/plain;q=0.9");
    expect(OPEN, "TEXT/Plain;Q=0.1, Application/OpenMetrics-Text;Version=\"1.0.0\"");
    expect(TEXT, OPEN_TYPE ";q=1.5, text/plain;q=0.1");
    expect(TEXT, OPEN_TYPE ";q=x, text/plain;q=0.1");
}

static void a_range_that_names_it_beats_a_wildcard(void **state) {
    (void)state;
    expect(OPEN, "text/plain;q=0, */*");
    expect(OPEN, "*/*, text/plain;q=0.5");
    expect(TEXT, OPEN_TYPE ";q=0, */*;q=0.1");
    expect(OPEN, OPEN_TYPE ";version=1.0.0, " OPEN_TYPE ";q=0, text/plain;q=0.1");
}

static void another_version_is_another_type(void **state) {
    (void)state;
    expect(TEXT, OPEN_TYPE ";version=0.0.1");
    expect(TEXT, OPEN_TYPE ";version=2.0.0, text/plain;version=1.0.0;q=0.1");
    expect(OPEN, "text/plain;version=1.0.0, " OPEN_TYPE ";q=0.1");
}

static void several_headers_are_one_list(void **state) {
    (void)state;
    struct pawl_prom_accept accept = {.count = 0};
    pawl_prom_accept_read(&accept, "text/plain;q=0.5");
    pawl_prom_accept_read(&accept, OPEN_TYPE ";q=0.6");
    assert_int_equal(pawl_prom_accept_choose(&accept), OPEN);
}

static void gzip_is_sent_to_those_who_take_it(void **state) {
    (void)state;
    static const char *const yes[] = {"gzip", "deflate, gzip;q=0.5", "GZIP;q=1.0", "*", "x-gzip", "br;q=1, *;q=0.1"};
    static const char *const no[] = {"", "identity", "gzip;q=0", "gzip;q=0.0, *", "deflate", "*;q=0", "gzipped"};
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
        if (!pawl_prom_accepts_gzip(yes[i]))
            fail_msg("not for %s", yes[i]);
    for (size_t i = 0; i < sizeof no / sizeof *no; i++)
        if (pawl_prom_accepts_gzip(no[i]))
            fail_msg("for %s", no[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prometheus_gets_openmetrics),
        cmocka_unit_test(without_a_wish_it_is_text),
        cmocka_unit_test(the_higher_quality_wins_and_then_the_first),
        cmocka_unit_test(a_range_that_names_it_beats_a_wildcard),
        cmocka_unit_test(another_version_is_another_type),
        cmocka_unit_test(several_headers_are_one_list),
        cmocka_unit_test(gzip_is_sent_to_those_who_take_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
