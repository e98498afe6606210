/* One call sets everything up: what code says, what the environment says, and what is told when that is wrong. */
#include "engine_internal.h"
#include "failing_malloc.h"
#include "leaves.h"
#include "virtual_runtime.h"
#include <pawl/observability/observability.h>
#include <pawl/primitives/primitives.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static const char *const variables[] = {"OTEL_SDK_DISABLED",
                                        "OTEL_SERVICE_NAME",
                                        "OTEL_TRACES_EXPORTER",
                                        "OTEL_METRICS_EXPORTER",
                                        "OTEL_LOGS_EXPORTER",
                                        "OTEL_EXPORTER_OTLP_ENDPOINT",
                                        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
                                        "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION",
                                        "OTEL_TRACES_SAMPLER",
                                        "OTEL_TRACES_SAMPLER_ARG",
                                        "OTEL_BSP_MAX_QUEUE_SIZE",
                                        "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT",
                                        "OTEL_PROPAGATORS",
                                        "OTEL_LOG_LEVEL",
                                        "OTEL_CONFIG_FILE",
                                        "OTEL_METRICS_EXEMPLAR_FILTER",
                                        "OTEL_EXPORTER_PROMETHEUS_PORT",
                                        "OTEL_EXPORTER_PROMETHEUS_HOST",
                                        "TRACEPARENT",
                                        "TRACESTATE",
                                        "BAGGAGE"};

static int forget_environment(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
        unsetenv(variables[i]);
    return 0;
}

static void say(const char *name, const char *value) {
    setenv(name, value, 1);
}

/* ---- a run that is observed ---- */

struct heard {
    char text[16384];
    size_t warnings;
};

static void hear(void *user, const char *text, size_t length) {
    struct heard *heard = user;
    size_t used = strlen(heard->text);
    snprintf(heard->text + used, sizeof heard->text - used, "%.*s", (int)length, text);
}

static void hear_warning(void *user, const char *text) {
    struct heard *heard = user;
    heard->warnings++;
    hear(user, text, strlen(text));
    hear(user, "\n", 1);
}

static pawl_status work(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    (void)user, (void)in, (void)ret_out, (void)err;
    pawl_context_set_int(ctx, "one", 1);
    pawl_context_log(ctx, PAWL_LOG_WARN, NULL, 0, "something");
    return PAWL_OK;
}

static void run_worker(pawl_runtime *runtime) {
    assert_int_equal(run_once(runtime, pawl_inline("worker", work, NULL)), PAWL_OK);
}

struct bed {
    struct fake_clock time;
    pawl_runtime *runtime;
    pawl_trace_memory *memory;
    pawl_exporter *exporter;
    struct heard console, warned;
};

/* In virtual time: nothing happens by itself. */
static struct bed *new_bed(void) {
    struct bed *bed = calloc(1, sizeof *bed);
    assert_non_null(bed);
    bed->runtime = virtual_runtime(&bed->time);
    bed->memory = pawl_trace_memory_new(NULL, NULL);
    bed->exporter = pawl_trace_memory_exporter(bed->memory, NULL);
    return bed;
}

static void free_bed(struct bed *bed) {
    pawl_runtime_unref(bed->runtime);
    pawl_exporter_unref(bed->exporter);
    pawl_trace_memory_unref(bed->memory);
    free(bed);
}

#define observe(bed, ...)                                                                                              \
    pawl_observe((bed)->runtime, NULL, .read_environment = 1, .console = hear, .console_user = &(bed)->console,        \
                 .warn = hear_warning, .warn_user = &(bed)->warned, __VA_ARGS__)
#define to_memory(bed) .exporters = &(bed)->exporter, .exporter_count = 1

/* ---- code ---- */

static void records_nothing_unless_asked(void **state) {
    (void)state;
    struct bed *bed = new_bed();
    pawl_observability *o = observe(bed, .service_name = "quiet");
    assert_non_null(o);
    assert_null(pawl_observability_tracer(o));
    assert_null(pawl_observability_metrics(o));
    assert_null(pawl_observability_logs(o));
    assert_null(pawl_observability_listener(o));
    assert_int_equal(bed->runtime->observer_count, 0);
    run_worker(bed->runtime);
    assert_int_equal(pawl_observability_shutdown(o, PAWL_S(1), NULL), PAWL_OK);
    pawl_observability_unref(o);
    assert_string_equal(bed->warned.text, "");
    free_bed(bed);
}

static void hands_spans_to_an_exporter_of_ones_own(void **state) {
    (void)state;
    struct bed *bed = new_bed();
    pawl_observability *o = observe(bed, to_memory(bed));
    assert_non_null(pawl_observability_tracer(o));
    assert_null(pawl_observability_metrics(o)); /* it takes none */
    run_worker(bed->runtime);
    assert_int_equal(pawl_observability_flush(o, PAWL_S(1), NULL), PAWL_OK);
    assert_int_equal(pawl_trace_memory_count(bed->memory), 1);
    assert_string_equal(pawl_trace_memory_span(bed->memory, 0)->name, "worker");
    pawl_observability_unref(o);
    free_bed(bed);
}

static void keeps_metrics_when_told(void **state) {
    (void)state;
    struct bed *bed = new_bed();
    pawl_observability *o = observe(bed, .metrics = &(pawl_metrics_options){.size = sizeof(pawl_metrics_options)});
    assert_non_null(pawl_observability_metrics(o));
    assert_null(pawl_observability_tracer(o));
    pawl_observability_unref(o);
    run_worker(bed->runtime);
    free_bed(bed);
}

static pawl_status find_spans(void *user, const char *text, size_t length, pawl_error **err) {
    static const char line[] = "\notel_sdk_span_started_total 1\n";
    (void)err;
    *(bool *)user = memmem(text, length, line, strlen(line)) != NULL;
    return PAWL_OK;
}

static void tells_the_tracers_figures_as_metrics(void **state) {
    (void)state;
    struct bed *bed = new_bed();
    bool found = false;
    pawl_observability *o =
        observe(bed, to_memory(bed), .metrics = &(pawl_metrics_options){.size = sizeof(pawl_metrics_options)});
    run_worker(bed->runtime);
    assert_int_equal(
        pawl_metrics_write(pawl_observability_metrics(o), NULL, PAWL_PROMETHEUS_TEXT, find_spans, &found, NULL),
        PAWL_OK);
    assert_true(found);
    pawl_observability_unref(o);
    free_bed(bed);
}

static void writes_a_file_to_its_end_although_it_was_shut_down(void **state) {
    (void)state;
    struct bed *bed = new_bed();
    char path[] = "/tmp/pawl_setup_XXXXXX", text[4096] = "";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    pawl_observability *o = observe(bed, .trace_file = path);
    assert_int_equal(pawl_observability_shutdown(o, PAWL_S(1), NULL), PAWL_OK);
    run_worker(bed->runtime);
    pawl_observability_unref(o);
    free_bed(bed);
    assert_true(read(fd, text, sizeof text - 1) > 0);
    assert_non_null(strstr(text, "\"worker\""));
    close(fd);
    unlink(path);
}

static void refuses_what_is_wrong_in_code(void **state) {
    (void)state;
    struct bed *bed = new_bed();
    pawl_error *error = NULL;
    pawl_exporter *none = NULL;
    assert_null(pawl_observe(bed->runtime, &error, .trace_file = "/nowhere/trace.jsonl"));
    assert_int_equal(pawl_error_status(error), PAWL_E_NOT_FOUND);
    pawl_error_unref(error);
    assert_null(pawl_observe(bed->runtime, NULL, .exporters = &none, .exporter_count = 1));
    assert_null(pawl_observe(bed->runtime, NULL, .exporters = &bed->exporter, .exporter_count = 5));
    assert_null(pawl_observe(NULL, NULL, .service_name = "x"));
    const pawl_otlp_options otlp = {.size = sizeof otlp, .endpoint = "collector"};
    assert_null(pawl_observe(bed->runtime, NULL, .otlp = &otlp));
    const pawl_tracer_options tracer = {.size = sizeof tracer, .max_batch_size = 100000};
    assert_null(pawl_observe(bed->runtime, NULL, .tracer = &tracer, to_memory(bed)));
    assert_int_equal(pawl_observability_flush(NULL, 1, NULL), PAWL_E_INVALID);
    free_bed(bed);
}

static void says_who_speaks(void **state) {
    (void)state;
    struct bed *bed = new_bed();
    size_t count;
    say("OTEL_SERVICE_NAME", "by environment");
    pawl_observability *o = observe(bed, .service_version = "2");
    const pawl_attribute *attributes = pawl_resource_attributes(pawl_observability_resource(o), &count);
    bool found = false;
    for (size_t i = 0; i < count; i++)
        found |=
            strcmp(attributes[i].key, "service.name") == 0 && strcmp(attributes[i].value.string, "by environment") == 0;
    assert_true(found);
    pawl_observability_unref(o);
    free_bed(bed);
}

static pawl_status tell_whether_observed(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out,
                                         pawl_error **err) {
    (void)in, (void)ret_out, (void)err;
    *(bool *)user = pawl_context_is_observed(ctx);
    return PAWL_OK;
}

static void makes_no_spans_of_a_trace_that_is_not_sampled(void **state) {
    (void)state;
    struct bed *bed = new_bed();
    pawl_sampler *never = pawl_sampler_never(NULL);
    const pawl_tracer_options tracer = {.size = sizeof tracer, .sampler = never};
    pawl_observability *o = observe(bed, to_memory(bed), .tracer = &tracer, .no_metrics = 1);
    pawl_sampler_unref(never);
    bool observed = true;
    assert_int_equal(run_once(bed->runtime, pawl_inline("worker", tell_whether_observed, &observed)), PAWL_OK);
    assert_false(observed);
    pawl_observability_unref(o);
    free_bed(bed);
}

/* ---- the environment ---- */

static void writes_everything_to_the_console_when_the_environment_says_so(void **state) {
    (void)state;
    struct bed *bed = new_bed();
    say("OTEL_TRACES_EXPORTER", "console");
    say("OTEL_METRICS_EXPORTER", "console");
    say("OTEL_LOGS_EXPORTER", "console");
    pawl_observability *o = observe(bed, to_memory(bed));
    run_worker(bed->runtime);
    assert_int_equal(pawl_observability_flush(o, PAWL_S(1), NULL), PAWL_OK);
    assert_non_null(strstr(bed->console.text, "worker                                   ok"));
    assert_non_null(strstr(bed->console.text, "pawl_primitive_executions_total{"));
    assert_non_null(strstr(bed->console.text, "otel_sdk_span_started_total 1"));
    assert_non_null(strstr(bed->console.text, "WARN  something trace_id="));
    pawl_observability_unref(o);
    free_bed(bed);
}

static void writes_otlp_lines_when_the_environment_says_so(void **state) {
    (void)state;
    struct bed *bed = new_bed();
    say("OTEL_TRACES_EXPORTER", "otlp/stdout");
    say("OTEL_LOGS_EXPORTER", "otlp/stdout");
    pawl_observability *o = observe(bed, .service_name = "x");
    run_worker(bed->runtime);
    assert_int_equal(pawl_observability_flush(o, PAWL_S(1), NULL), PAWL_OK);
    assert_non_null(strstr(bed->console.text, "{\"resourceSpans\":"));
    assert_non_null(strstr(bed->console.text, "{\"resourceLogs\":"));
    pawl_observability_unref(o);
    free_bed(bed);
}

static void sends_nothing_that_nobody_asked_for(void **state) {
    (void)state;
    struct bed *bed = new_bed();
    say("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://127.0.0.1:9/");
    say("OTEL_LOGS_EXPORTER", "none");
    pawl_observability *o = observe(bed, .service_name = "x");
    assert_non_null(pawl_observability_tracer(o));
    assert_null(pawl_observability_metrics(o)); /* the endpoint is for spans */
    assert_null(pawl_observability_logs(o));
    pawl_observability_unref(o);
    free_bed(bed);
}

static void tells_of_a_collector_that_is_not_there_and_ends_in_time(void **state) {
    (void)state;
    struct bed *bed = new_bed();
    pawl_runtime *real = pawl_runtime_new(NULL, NULL);
    say("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9");
    say("OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "gzip"); /* so that spans have an exporter of their own */
    pawl_observability *o =
        pawl_observe(real, NULL, .read_environment = 1, .warn = hear_warning, .warn_user = &bed->warned);
    assert_non_null(pawl_observability_metrics(o));
    assert_non_null(pawl_observability_logs(o));
    run_worker(real);
    pawl_error *error = NULL;
    assert_int_not_equal(pawl_observability_shutdown(o, PAWL_MS(50), &error), PAWL_OK);
    assert_non_null(error);
    pawl_error_unref(error);
    pawl_runtime_unref(real);
    assert_int_equal(pawl_observability_flush(o, 1, NULL), PAWL_OK);
    pawl_observability_unref(o);
    free_bed(bed);
}

static void takes_the_sampler_of_the_environment_unless_code_has_one(void **state) {
    (void)state;
    for (int code = 0; code < 2; code++) {
        struct bed *bed = new_bed();
        say("OTEL_TRACES_SAMPLER", code ? "always_off" : "parentbased_traceidratio");
        say("OTEL_TRACES_SAMPLER_ARG", "0");
        pawl_sampler *always = pawl_sampler_always(NULL);
        const pawl_tracer_options tracer = {.size = sizeof tracer, .sampler = code ? always : NULL};
        pawl_observability *o = observe(bed, to_memory(bed), .tracer = &tracer);
        pawl_sampler_unref(always);
        run_worker(bed->runtime);
        pawl_observability_flush(o, PAWL_S(1), NULL);
        assert_int_equal(pawl_trace_memory_count(bed->memory), code);
        pawl_observability_unref(o);
        free_bed(bed);
    }
}

static void takes_limits_and_queues_of_the_environment(void **state) {
    (void)state;
    struct bed *bed = new_bed();
    say("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "0");
    say("OTEL_BSP_MAX_QUEUE_SIZE", "7");
    pawl_observability *o = observe(bed, to_memory(bed));
    run_worker(bed->runtime);
    pawl_observability_flush(o, PAWL_S(1), NULL);
    assert_true(pawl_trace_memory_span(bed->memory, 0)->dropped_attributes > 0);
    pawl_tracer_stats stats = {.size = sizeof stats};
    pawl_tracer_get_stats(pawl_observability_tracer(o), &stats);
    assert_int_equal(stats.queue_capacity, 7);
    pawl_observability_unref(o);
    free_bed(bed);
}

static void sets_what_headers_travel(void **state) {
    (void)state;
    static const struct {
        const char *said;
        uint32_t set;
    } cases[] = {
        {"", PAWL_PROPAGATE_TRACE}, {"none", 0}, {"baggage", PAWL_PROPAGATE_BAGGAGE}, {"tracecontext,baggage", 3}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bed *bed = new_bed();
        say("OTEL_PROPAGATORS", cases[i].said);
        pawl_observability_unref(observe(bed, .service_name = "x"));
        assert_int_equal(atomic_load(&bed->runtime->propagation), cases[i].set);
        free_bed(bed);
    }
}

static void opens_an_endpoint_for_prometheus(void **state) {
    (void)state;
    struct bed *bed = new_bed();
    say("OTEL_METRICS_EXPORTER", "prometheus");
    say("OTEL_EXPORTER_PROMETHEUS_PORT", "0");
    pawl_observability *o = observe(bed, .service_name = "x");
    assert_true(pawl_metrics_listener_port(pawl_observability_listener(o)) > 0);
    pawl_observability_unref(o);
    free_bed(bed);
    bed = new_bed();
    say("OTEL_EXPORTER_PROMETHEUS_HOST", "no address");
    o = observe(bed, .service_name = "x");
    assert_null(pawl_observability_listener(o));
    assert_int_equal(bed->warned.warnings, 1);
    pawl_observability_unref(o);
    free_bed(bed);
    bed = new_bed();
    o = observe(bed, .no_listen = 1);
    assert_null(pawl_observability_metrics(o));
    assert_int_equal(bed->warned.warnings, 0);
    pawl_observability_unref(o);
    free_bed(bed);
}

static void exports_nothing_when_it_is_disabled(void **state) {
    (void)state;
    struct bed *bed = new_bed();
    say("OTEL_SDK_DISABLED", "true");
    say("OTEL_TRACES_EXPORTER", "console");
    say("OTEL_PROPAGATORS", "baggage");
    pawl_observability *o = observe(
        bed, to_memory(bed), .listen = &(pawl_metrics_listen_options){.size = sizeof(pawl_metrics_listen_options)});
    assert_null(pawl_observability_tracer(o));
    assert_null(pawl_observability_listener(o));
    assert_int_equal(atomic_load(&bed->runtime->propagation), PAWL_PROPAGATE_BAGGAGE);
    pawl_observability_unref(o);
    free_bed(bed);
}

static void leaves_out_what_code_does_not_want(void **state) {
    (void)state;
    struct bed *bed = new_bed();
    say("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9");
    pawl_observability *o = observe(bed, .no_traces = 1, .no_metrics = 1, .no_logs = 1);
    assert_null(pawl_observability_tracer(o));
    assert_null(pawl_observability_metrics(o));
    assert_null(pawl_observability_logs(o));
    pawl_observability_unref(o);
    free_bed(bed);
}

static void tells_what_is_wrong_and_goes_on(void **state) {
    (void)state;
    struct bed *bed = new_bed();
    say("OTEL_BSP_MAX_QUEUE_SIZE", "lots");
    say("OTEL_METRICS_EXPORTER", "console");
    say("OTEL_METRICS_EXEMPLAR_FILTER", "always_on");
    pawl_observability *o = observe(bed, to_memory(bed));
    assert_non_null(pawl_observability_tracer(o));
    assert_int_equal(bed->warned.warnings, 2);
    assert_non_null(strstr(bed->warned.text, "OTEL_BSP_MAX_QUEUE_SIZE is 'lots'"));
    pawl_observability_unref(o);
    free_bed(bed);
    bed = new_bed();
    say("OTEL_LOG_LEVEL", "error");
    pawl_observability_unref(observe(bed, to_memory(bed)));
    assert_int_equal(bed->warned.warnings, 0);
    free_bed(bed);
}

static void log_line(void *user, pawl_log_level level, const char *text) {
    assert_int_equal(level, PAWL_LOG_WARN);
    hear_warning(user, text);
}

static void tells_the_runtimes_log_when_nobody_else(void **state) {
    (void)state;
    struct heard heard = {.warnings = 0};
    pawl_runtime *runtime = pawl_runtime_with(.log = log_line, .log_user = &heard);
    say("OTEL_TRACES_EXPORTER", "zipkin");
    say("OTEL_RESOURCE_ATTRIBUTES", "team=blue,nonsense");
    pawl_observability_unref(pawl_observe(runtime, NULL, .read_environment = 1));
    assert_int_equal(heard.warnings, 2);
    pawl_runtime_unref(runtime);
}

static void refuses_a_configuration_file(void **state) {
    (void)state;
    struct bed *bed = new_bed();
    pawl_error *error = NULL;
    say("OTEL_CONFIG_FILE", "otel.yaml");
    assert_null(pawl_observe(bed->runtime, &error, .read_environment = 1));
    assert_int_equal(pawl_error_status(error), PAWL_E_UNSUPPORTED);
    pawl_error_unref(error);
    pawl_observability_unref(pawl_observe(bed->runtime, NULL, .service_name = "not read"));
    free_bed(bed);
}

static void goes_on_with_the_trace_of_its_parent(void **state) {
    (void)state;
    struct bed *bed = new_bed();
    pawl_context *ctx = pawl_context_new(bed->runtime);
    assert_false(pawl_context_extract_environment(ctx));
    say("TRACEPARENT", "00-0123456789abcdef0123456789abcdef-00f067aa0ba902b7-01");
    say("TRACESTATE", "a=1");
    say("BAGGAGE", "user=ann");
    assert_true(pawl_context_extract_environment(ctx));
    assert_string_equal(pawl_context_tracestate(ctx), "a=1");
    assert_string_equal(pawl_context_baggage(ctx, "user"), "ann");
    pawl_context_unref(ctx);
    free_bed(bed);
}

static void survives_any_allocation_failing(void **state) {
    (void)state;
    struct heard heard;
    say("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9");
    say("OTEL_TRACES_EXPORTER", "otlp,console");
    say("OTEL_TRACES_SAMPLER", "parentbased_always_on");
    for_each_failing_allocation(n) {
        memset(&heard, 0, sizeof heard);
        struct fake_clock time = {.now_ns = 0};
        pawl_error *error = NULL;
        pawl_runtime *runtime = virtual_runtime_or_null(&time);
        pawl_observability *o = pawl_observe(runtime, &error, .read_environment = 1, .warn = hear_warning,
                                             .warn_user = &heard, .console = hear, .console_user = &heard);
        assert_true(o || allocations_failed() > 0);
        assert_true((o != NULL) != (error != NULL));
        pawl_error_unref(error);
        pawl_runtime_unref(runtime);
        pawl_observability_unref(o);
    }
}

#define environment_test(f) cmocka_unit_test_setup_teardown(f, forget_environment, forget_environment)

int main(void) {
    const struct CMUnitTest tests[] = {
        environment_test(records_nothing_unless_asked),
        environment_test(hands_spans_to_an_exporter_of_ones_own),
        environment_test(keeps_metrics_when_told),
        environment_test(tells_the_tracers_figures_as_metrics),
        environment_test(writes_a_file_to_its_end_although_it_was_shut_down),
        environment_test(refuses_what_is_wrong_in_code),
        environment_test(says_who_speaks),
        environment_test(makes_no_spans_of_a_trace_that_is_not_sampled),
        environment_test(writes_everything_to_the_console_when_the_environment_says_so),
        environment_test(writes_otlp_lines_when_the_environment_says_so),
        environment_test(sends_nothing_that_nobody_asked_for),
        environment_test(tells_of_a_collector_that_is_not_there_and_ends_in_time),
        environment_test(takes_the_sampler_of_the_environment_unless_code_has_one),
        environment_test(takes_limits_and_queues_of_the_environment),
        environment_test(sets_what_headers_travel),
        environment_test(opens_an_endpoint_for_prometheus),
        environment_test(exports_nothing_when_it_is_disabled),
        environment_test(leaves_out_what_code_does_not_want),
        environment_test(tells_what_is_wrong_and_goes_on),
        environment_test(tells_the_runtimes_log_when_nobody_else),
        environment_test(refuses_a_configuration_file),
        environment_test(goes_on_with_the_trace_of_its_parent),
        environment_test(survives_any_allocation_failing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
