/* The OTEL_* variables: each with a good, an empty and a bad value; who beats whom; what warnings say and do not say.
 */
#include "environment_internal.h"
#include "failing_malloc.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* ---- an environment of the test's own ---- */

struct variables {
    const char *pairs[8]; /* name, value, ...; NULL ends */
    size_t warnings;
    char said[600];
};

static const char *get(void *user, const char *name) {
    const struct variables *v = user;
    for (size_t i = 0; i + 1 < sizeof v->pairs / sizeof *v->pairs && v->pairs[i]; i += 2)
        if (strcmp(v->pairs[i], name) == 0)
            return v->pairs[i + 1];
    return NULL;
}

static void warn(void *user, const char *text) {
    struct variables *v = user;
    v->warnings++;
    snprintf(v->said, sizeof v->said, "%s", text);
}

static struct pawl_environment read_all(struct variables *v) {
    struct pawl_environment environment;
    const struct pawl_environment_reader reader = {.get = get, .warn = warn, .user = v};
    assert_true(pawl_environment_read(&environment, &reader));
    return environment;
}

static struct pawl_environment read_one(struct variables *v, const char *name, const char *value) {
    *v = (struct variables){.pairs = {name, value}};
    return read_all(v);
}

/* ---- one by one ---- */

#define AT(field) offsetof(struct pawl_environment, field)
#define OTLP(signal, field) AT(signal) + offsetof(struct pawl_environment_otlp, field)
#define SIGNAL(i, field)                                                                                               \
    AT(signals) + (i) * sizeof(struct pawl_environment_otlp) + offsetof(struct pawl_environment_otlp, field)

static const struct number {
    const char *name, *good;
    size_t offset;
    uint64_t expected;
    const char *bad;
} numbers[] = {
    {"OTEL_SDK_DISABLED", "TRUE", AT(disabled), 1, "yes"},
    {"OTEL_LOG_LEVEL", "Debug", AT(log_level), PAWL_ENVIRONMENT_LOG_DEBUG, "loud"},
    {"OTEL_PROPAGATORS", "baggage, TraceContext,baggage", AT(propagators), 3, "b3"},
    {"OTEL_TRACES_SAMPLER", "parentbased_TRACEIDRATIO", AT(sampler), PAWL_ENVIRONMENT_PARENT_RATIO, "jaeger_remote"},
    {"OTEL_TRACES_EXPORTER", "console,otlp", AT(exporters[0]), PAWL_ENVIRONMENT_OTLP | PAWL_ENVIRONMENT_CONSOLE,
     "logging"},
    {"OTEL_METRICS_EXPORTER", "prometheus", AT(exporters[1]), PAWL_ENVIRONMENT_PROMETHEUS, "statsd"},
    {"OTEL_LOGS_EXPORTER", "otlp/stdout", AT(exporters[2]), PAWL_ENVIRONMENT_STDOUT, "prometheus"},
    {"OTEL_BSP_SCHEDULE_DELAY", "250", AT(spans.delay_ns), PAWL_MS(250), "-1"},
    {"OTEL_BSP_EXPORT_TIMEOUT", "0", AT(spans.timeout_ns), PAWL_UNLIMITED, "1.5"},
    {"OTEL_BSP_MAX_QUEUE_SIZE", "4096", AT(spans.queue_size), 4096, "0"},
    {"OTEL_BSP_MAX_EXPORT_BATCH_SIZE", " 64 ", AT(spans.batch_size), 64, "many"},
    {"OTEL_BLRP_SCHEDULE_DELAY", "0", AT(records.delay_ns), PAWL_ZERO, "1s"},
    {"OTEL_BLRP_EXPORT_TIMEOUT", "30", AT(records.timeout_ns), PAWL_MS(30), "99999999999999999999"},
    {"OTEL_BLRP_MAX_QUEUE_SIZE", "1000000", AT(records.queue_size), 1000000, "1000001"},
    {"OTEL_BLRP_MAX_EXPORT_BATCH_SIZE", "1", AT(records.batch_size), 1, "0x10"},
    {"OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "0", AT(attribute_count), PAWL_ZERO, "-5"},
    {"OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "80", AT(attribute_length), 80, "eighty"},
    {"OTEL_SPAN_EVENT_COUNT_LIMIT", "3", AT(event_count), 3, "3,"},
    {"OTEL_SPAN_LINK_COUNT_LIMIT", "4", AT(link_count), 4, "+4"},
    {"OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", "5", AT(event_attribute_count), 5, "5 5"},
    {"OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", "6", AT(link_attribute_count), 6, "4294967296"},
    {"OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "LowMemory", AT(temporality), PAWL_ENVIRONMENT_LOW_MEMORY,
     "sum"},
    {"OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION", "base2_exponential_bucket_histogram", AT(histogram),
     PAWL_ENVIRONMENT_EXPONENTIAL, "summary"},
    {"OTEL_METRIC_EXPORT_INTERVAL", "60000", AT(export_interval_ns), PAWL_S(60), "0"},
    {"OTEL_METRIC_EXPORT_TIMEOUT", "0", AT(export_timeout_ns), PAWL_UNLIMITED, "never"},
    {"OTEL_METRICS_EXEMPLAR_FILTER", "always_off", AT(exemplars), PAWL_ENVIRONMENT_EXEMPLARS_NONE, "sometimes"},
    {"OTEL_EXPORTER_PROMETHEUS_PORT", "0", AT(prometheus_port), PAWL_ZERO, "65536"},
    {"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/json", SIGNAL(0, protocol), PAWL_ENVIRONMENT_JSON, "grpc"},
    {"OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "http/protobuf", SIGNAL(1, protocol), PAWL_ENVIRONMENT_PROTOBUF, "http"},
    {"OTEL_EXPORTER_OTLP_LOGS_PROTOCOL", "HTTP/JSON", SIGNAL(2, protocol), PAWL_ENVIRONMENT_JSON, "json"},
    {"OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "gzip", SIGNAL(0, compression), PAWL_ENVIRONMENT_GZIP, "zstd"},
    {"OTEL_EXPORTER_OTLP_METRICS_COMPRESSION", "none", SIGNAL(1, compression), PAWL_ENVIRONMENT_PLAIN, "9"},
    {"OTEL_EXPORTER_OTLP_LOGS_COMPRESSION", "GZip", SIGNAL(2, compression), PAWL_ENVIRONMENT_GZIP, "gz"},
    {"OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "10000", SIGNAL(0, timeout_ns), PAWL_S(10), "ten"},
    {"OTEL_EXPORTER_OTLP_METRICS_TIMEOUT", "0", SIGNAL(1, timeout_ns), PAWL_UNLIMITED, "0.5"},
    {"OTEL_EXPORTER_OTLP_LOGS_TIMEOUT", "1", SIGNAL(2, timeout_ns), PAWL_MS(1), "-1"},
};

static const struct text {
    const char *name, *good;
    size_t offset;
    const char *bad; /* NULL: any text will do */
} texts[] = {
    {"OTEL_CONFIG_FILE", "otel.yaml", AT(config_file), NULL},
    {"OTEL_EXPORTER_PROMETHEUS_HOST", "127.0.0.1", AT(prometheus_host), NULL},
    {"OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318/base/", OTLP(base, endpoint), "collector:4317"},
    {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://c/v1/traces", SIGNAL(0, endpoint), "ftp://c"},
    {"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "HTTP://c", SIGNAL(1, endpoint), "http:/c"},
    {"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "http://[::1]:1/x?y", SIGNAL(2, endpoint), "///"},
    {"OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", "/t.pem", SIGNAL(0, ca_file), NULL},
    {"OTEL_EXPORTER_OTLP_METRICS_CERTIFICATE", "/m.pem", SIGNAL(1, ca_file), NULL},
    {"OTEL_EXPORTER_OTLP_LOGS_CERTIFICATE", "/l.pem", SIGNAL(2, ca_file), NULL},
    {"OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY", "/t.key", SIGNAL(0, client_key_file), NULL},
    {"OTEL_EXPORTER_OTLP_METRICS_CLIENT_KEY", "/m.key", SIGNAL(1, client_key_file), NULL},
    {"OTEL_EXPORTER_OTLP_LOGS_CLIENT_KEY", "/l.key", SIGNAL(2, client_key_file), NULL},
    {"OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE", "/t.crt", SIGNAL(0, client_cert_file), NULL},
    {"OTEL_EXPORTER_OTLP_METRICS_CLIENT_CERTIFICATE", "/m.crt", SIGNAL(1, client_cert_file), NULL},
    {"OTEL_EXPORTER_OTLP_LOGS_CLIENT_CERTIFICATE", "/l.crt", SIGNAL(2, client_cert_file), NULL},
};

static void expect_as_unset(struct variables *v, const char *name, const char *value, size_t warnings) {
    struct variables none = {.warnings = 0};
    const struct pawl_environment unset = read_all(&none), read = read_one(v, name, value);
    if (memcmp(&unset, &read, sizeof read) != 0)
        fail_msg("%s='%s' is not as if unset", name, value);
    if (v->warnings != warnings)
        fail_msg("%s='%s': %zu warnings, not %zu: %s", name, value, v->warnings, warnings, v->said);
    if (warnings && strncmp(v->said, name, strlen(name)) != 0)
        fail_msg("the warning does not name %s: %s", name, v->said);
}

static void reads_good_numbers_and_words(void **state) {
    (void)state;
    struct variables v;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        const struct pawl_environment read = read_one(&v, numbers[i].name, numbers[i].good);
        uint64_t got;
        memcpy(&got, (const char *)&read + numbers[i].offset, sizeof got);
        if (got != numbers[i].expected || v.warnings)
            fail_msg("%s='%s' gives %llu; %s", numbers[i].name, numbers[i].good, (unsigned long long)got, v.said);
    }
}

static void takes_empty_and_wrong_numbers_and_words_as_unset(void **state) {
    (void)state;
    struct variables v;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        expect_as_unset(&v, numbers[i].name, "", 0);
        expect_as_unset(&v, numbers[i].name, numbers[i].bad, 1);
        assert_non_null(strstr(v.said, numbers[i].bad[strlen(numbers[i].bad) - 1] == ',' ? "3" : numbers[i].bad));
    }
}

static void reads_texts(void **state) {
    (void)state;
    struct variables v;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const struct pawl_environment read = read_one(&v, texts[i].name, texts[i].good);
        const char *got;
        memcpy(&got, (const char *)&read + texts[i].offset, sizeof got);
        if (!got || strcmp(got, texts[i].good) != 0 || v.warnings)
            fail_msg("%s gives %s; %s", texts[i].name, got ? got : "NULL", v.said);
        expect_as_unset(&v, texts[i].name, "", 0);
        if (!texts[i].bad)
            continue;
        expect_as_unset(&v, texts[i].name, texts[i].bad, 1);
        assert_null(strstr(v.said, texts[i].bad)); /* there may be a password in it */
    }
}

/* ---- what is special ---- */

static void counts_a_flag_as_false_unless_it_is_true(void **state) {
    (void)state;
    struct variables v;
    assert_int_equal(read_one(&v, "OTEL_SDK_DISABLED", "False").disabled, 0);
    assert_int_equal(v.warnings, 0);
    assert_int_equal(read_one(&v, "OTEL_SDK_DISABLED", "1").disabled, 0);
    assert_int_equal(v.warnings, 1);
}

static void reads_the_ratio_only_with_its_sampler(void **state) {
    (void)state;
    static const struct {
        const char *text;
        double ratio;
        size_t warnings;
    } cases[] = {{"0.25", 0.25, 0}, {".5", 0.5, 0}, {"0", 0, 0},    {"1.0", 1, 0}, {"1e-3", 0.001, 0},
                 {"", 1, 0},        {"2", 1, 1},    {"-0.1", 1, 1}, {"nan", 1, 1}, {"half", 1, 1},
                 {"0.5x", 1, 1},    {"0,5", 1, 1},  {"[0.5]", 1, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct variables v = {
            .pairs = {"OTEL_TRACES_SAMPLER", "traceidratio", "OTEL_TRACES_SAMPLER_ARG", cases[i].text}};
        double ratio = read_all(&v).sampler_ratio;
        if (ratio < cases[i].ratio || ratio > cases[i].ratio || v.warnings != cases[i].warnings)
            fail_msg("'%s' gives %f and %zu warnings", cases[i].text, ratio, v.warnings);
    }
    struct variables v;
    assert_true(read_one(&v, "OTEL_TRACES_SAMPLER_ARG", "nonsense").sampler_ratio >= 1);
    assert_int_equal(v.warnings, 0);
    v = (struct variables){.pairs = {"OTEL_TRACES_SAMPLER", "always_on", "OTEL_TRACES_SAMPLER_ARG", "nonsense"}};
    read_all(&v);
    assert_int_equal(v.warnings, 0);
}

static void keeps_what_it_knows_of_a_list(void **state) {
    (void)state;
    struct variables v;
    assert_int_equal(read_one(&v, "OTEL_PROPAGATORS", "b3, tracecontext ,b3multi").propagators, 1);
    assert_int_equal(v.warnings, 2);
    assert_int_equal(read_one(&v, "OTEL_PROPAGATORS", "none").propagators, PAWL_ENVIRONMENT_NO_PROPAGATOR);
    assert_int_equal(v.warnings, 0);
    assert_int_equal(read_one(&v, "OTEL_TRACES_EXPORTER", "none,otlp").exporters[0], PAWL_ENVIRONMENT_OTLP);
    assert_int_equal(v.warnings, 1);
    assert_int_equal(read_one(&v, "OTEL_TRACES_EXPORTER", ",, ,").exporters[0], 0);
    assert_int_equal(v.warnings, 0);
}

static void lets_a_signal_have_its_own(void **state) {
    (void)state;
    struct variables v = {.pairs = {"OTEL_EXPORTER_OTLP_TIMEOUT", "100", "OTEL_EXPORTER_OTLP_LOGS_TIMEOUT", "200",
                                    "OTEL_EXPORTER_OTLP_METRICS_TIMEOUT", "bad"}};
    struct pawl_environment e = read_all(&v);
    assert_int_equal(e.signals[0].timeout_ns, PAWL_MS(100));
    assert_int_equal(e.signals[1].timeout_ns, PAWL_MS(100));
    assert_int_equal(e.signals[2].timeout_ns, PAWL_MS(200));
    v = (struct variables){.pairs = {"OTEL_EXPORTER_OTLP_PROTOCOL", "http/json", "OTEL_EXPORTER_OTLP_COMPRESSION",
                                     "gzip", "OTEL_EXPORTER_OTLP_CERTIFICATE", "/all.pem"}};
    e = read_all(&v);
    for (size_t i = 0; i < PAWL_OTLP_SIGNALS; i++) {
        assert_int_equal(e.signals[i].protocol, PAWL_ENVIRONMENT_JSON);
        assert_int_equal(e.signals[i].compression, PAWL_ENVIRONMENT_GZIP);
        assert_string_equal(e.signals[i].ca_file, "/all.pem");
    }
    v = (struct variables){.pairs = {"OTEL_EXPORTER_OTLP_CLIENT_KEY", "/k", "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE",
                                     "/c", "OTEL_EXPORTER_OTLP_ENDPOINT", "http://c"}};
    e = read_all(&v);
    assert_string_equal(e.signals[2].client_key_file, "/k");
    assert_string_equal(e.signals[1].client_cert_file, "/c");
    assert_null(e.signals[0].endpoint); /* a base is no endpoint */
}

static void lets_a_span_have_its_own_limits(void **state) {
    (void)state;
    struct variables v = {.pairs = {"OTEL_ATTRIBUTE_COUNT_LIMIT", "10", "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "20",
                                    "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "30"}};
    struct pawl_environment e = read_all(&v);
    assert_int_equal(e.attribute_count, 20);
    assert_int_equal(e.attribute_length, 30);
    assert_int_equal(e.any_attribute_count, 10);
    v.pairs[3] = "bad";
    assert_int_equal(read_all(&v).attribute_count, 10);
    expect_as_unset(&v, "OTEL_ATTRIBUTE_COUNT_LIMIT", "", 0);
    expect_as_unset(&v, "OTEL_ATTRIBUTE_COUNT_LIMIT", "ten", 1);
    expect_as_unset(&v, "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "", 0);
    expect_as_unset(&v, "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "-1", 1);
}

static void makes_no_batch_larger_than_its_queue(void **state) {
    (void)state;
    struct variables v = {.pairs = {"OTEL_BSP_MAX_QUEUE_SIZE", "100"}};
    assert_int_equal(read_all(&v).spans.batch_size, 100);
    assert_int_equal(v.warnings, 0);
    v.pairs[2] = "OTEL_BSP_MAX_EXPORT_BATCH_SIZE";
    v.pairs[3] = "101";
    assert_int_equal(read_all(&v).spans.batch_size, 100);
    assert_int_equal(v.warnings, 1);
    assert_int_equal(read_one(&v, "OTEL_BLRP_MAX_EXPORT_BATCH_SIZE", "5000").records.batch_size, 2048);
    assert_int_equal(v.warnings, 1);
}

static void expect_headers(const struct pawl_environment_headers *headers, size_t count, const char *name,
                           const char *value) {
    assert_int_equal(headers->count, count);
    assert_string_equal(headers->list[count - 1].name, name);
    assert_string_equal(headers->list[count - 1].value, value);
}

static void decodes_headers_and_never_shows_them(void **state) {
    (void)state;
    static const char *const names[] = {"OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
                                        "OTEL_EXPORTER_OTLP_METRICS_HEADERS", "OTEL_EXPORTER_OTLP_LOGS_HEADERS"};
    struct variables v;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct pawl_environment e = read_one(&v, names[i], "x-one=1, api%2Dkey = a%20b%2Cc= ");
        expect_headers(i ? &e.signals[i - 1].headers : &e.base.headers, 2, "api-key", "a b,c=");
        assert_int_equal(v.warnings, 0);
        pawl_environment_finish(&e);
        expect_as_unset(&v, names[i], "", 0);
        expect_as_unset(&v, names[i], "S3CRET", 1);
        assert_null(strstr(v.said, "S3CRET"));
    }
    static const char *const bad[] = {
        "k=%4", "k=%zz", "k=%00", "k=a%0Ab", "k ey=v", "=S3CRET", "content-type=x", "Content-Length=1", "k=%ff"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        expect_as_unset(&v, names[0], bad[i], 1);
    struct pawl_environment e = read_one(&v, names[0], "bad,k=v,,");
    expect_headers(&e.signals[2].headers, 1, "k", "v");
    assert_int_equal(v.warnings, 1);
    pawl_environment_finish(&e);
}

static void lets_a_signal_have_its_own_headers(void **state) {
    (void)state;
    struct variables v = {.pairs = {"OTEL_EXPORTER_OTLP_HEADERS", "a=1,b=2", "OTEL_EXPORTER_OTLP_LOGS_HEADERS", "c=3"}};
    struct pawl_environment e = read_all(&v);
    expect_headers(&e.signals[0].headers, 2, "b", "2");
    expect_headers(&e.signals[2].headers, 1, "c", "3");
    pawl_environment_finish(&e);
}

static void bounds_headers_and_values(void **state) {
    (void)state;
    char text[100 * 4 + 1], *long_value = malloc(100001);
    struct variables v;
    for (size_t i = 0; i < 100; i++)
        memcpy(text + 4 * i, "k=v,", 5);
    struct pawl_environment e = read_one(&v, "OTEL_EXPORTER_OTLP_HEADERS", text);
    expect_headers(&e.base.headers, 64, "k", "v");
    assert_int_equal(v.warnings, 1);
    pawl_environment_finish(&e);
    assert_non_null(long_value);
    memset(long_value, '1', 100000);
    long_value[100000] = '\0';
    expect_as_unset(&v, "OTEL_BSP_MAX_QUEUE_SIZE", long_value, 1);
    expect_as_unset(&v, "OTEL_TRACES_EXPORTER", long_value, 1);
    free(long_value);
}

static void tells_of_broken_resource_attributes_and_never_shows_them(void **state) {
    (void)state;
    static const struct {
        const char *value, *entry;
    } broken[] = {{"hunter2", "entry 1 "},      {"a=1,b=%ff,c=2", "entry 2 "}, {"a=1,b", "entry 2 "},
                  {"a=1,,=x,b=%4", "entry 3 "}, {"a=%00", "entry 1 "},         {"%=1", "entry 1 "}};
    struct variables v;
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        read_one(&v, "OTEL_RESOURCE_ATTRIBUTES", broken[i].value);
        assert_int_equal(v.warnings, 1);
        assert_ptr_equal(strstr(v.said, "OTEL_RESOURCE_ATTRIBUTES: "), v.said);
        assert_non_null(strstr(v.said, broken[i].entry));
        assert_non_null(strstr(v.said, "all of it is left out"));
        assert_null(strstr(v.said, "hunter2"));
    }
    static const char *const whole[] = {"", " , ", "a=1,", "a = K%C3%B6ln%2C%20old , b="};
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++) {
        read_one(&v, "OTEL_RESOURCE_ATTRIBUTES", whole[i]);
        assert_int_equal(v.warnings, 0);
    }
}

static void shows_a_wrong_value_as_one_short_clean_line(void **state) {
    (void)state;
    struct variables v;
    expect_as_unset(&v, "OTEL_TRACES_SAMPLER", "a\nb\x1b[31m\xff", 1);
    assert_non_null(strstr(v.said, "'a?b?[31m?'"));
    assert_null(strpbrk(v.said, "\n\x1b"));
}

static void works_without_anybody_to_warn(void **state) {
    (void)state;
    struct variables v = {.pairs = {"OTEL_BSP_MAX_QUEUE_SIZE", "x"}};
    const struct pawl_environment_reader reader = {.get = get, .user = &v};
    struct pawl_environment environment;
    assert_true(pawl_environment_read(&environment, &reader));
    assert_int_equal(v.warnings, 0);
}

static void survives_any_allocation_failing(void **state) {
    (void)state;
    struct variables v = {.pairs = {"OTEL_EXPORTER_OTLP_HEADERS", "a=1", "OTEL_EXPORTER_OTLP_LOGS_HEADERS", "b=2",
                                    "OTEL_RESOURCE_ATTRIBUTES", "a=1,b"}};
    const struct pawl_environment_reader reader = {.get = get, .warn = warn, .user = &v};
    for_each_failing_allocation(n) {
        struct pawl_environment environment;
        bool whole = pawl_environment_read(&environment, &reader);
        assert_true(whole || allocations_failed() > 0);
        pawl_environment_finish(&environment);
    }
}

static void reads_the_process_environment_when_asked(void **state) {
    (void)state;
    struct pawl_environment environment;
    const struct pawl_environment_reader reader = {.get = pawl_environment_getenv};
    setenv("OTEL_BSP_SCHEDULE_DELAY", "7", 1);
    assert_true(pawl_environment_read(&environment, &reader));
    assert_int_equal(environment.spans.delay_ns, PAWL_MS(7));
    pawl_environment_finish(&environment);
    unsetenv("OTEL_BSP_SCHEDULE_DELAY");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_good_numbers_and_words),
        cmocka_unit_test(takes_empty_and_wrong_numbers_and_words_as_unset),
        cmocka_unit_test(reads_texts),
        cmocka_unit_test(counts_a_flag_as_false_unless_it_is_true),
        cmocka_unit_test(reads_the_ratio_only_with_its_sampler),
        cmocka_unit_test(keeps_what_it_knows_of_a_list),
        cmocka_unit_test(lets_a_signal_have_its_own),
        cmocka_unit_test(lets_a_span_have_its_own_limits),
        cmocka_unit_test(makes_no_batch_larger_than_its_queue),
        cmocka_unit_test(decodes_headers_and_never_shows_them),
        cmocka_unit_test(lets_a_signal_have_its_own_headers),
        cmocka_unit_test(bounds_headers_and_values),
        cmocka_unit_test(tells_of_broken_resource_attributes_and_never_shows_them),
        cmocka_unit_test(shows_a_wrong_value_as_one_short_clean_line),
        cmocka_unit_test(works_without_anybody_to_warn),
        cmocka_unit_test(survives_any_allocation_failing),
        cmocka_unit_test(reads_the_process_environment_when_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
