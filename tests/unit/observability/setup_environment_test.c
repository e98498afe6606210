/* One call sets everything up: what the environment says, and what is told when that is wrong. */
#include "engine_internal.h"
#include "failing_malloc.h"
#include "observed.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void writes_everything_to_the_console_when_the_environment_says_so(void **state) {
    (void)state;
    struct observed *bed = new_observed();
    say("OTEL_TRACES_EXPORTER", "console");
    say("OTEL_METRICS_EXPORTER", "console");
    say("OTEL_LOGS_EXPORTER", "console");
    pawl_observability *o = observe_in(bed, to_memory(bed));
    run_worker(bed->runtime);
    assert_int_equal(pawl_observability_flush(o, PAWL_S(1), NULL), PAWL_OK);
    assert_non_null(strstr(bed->console.text, "worker                                   ok"));
    assert_non_null(strstr(bed->console.text, "pawl_primitive_executions_total{"));
    assert_non_null(strstr(bed->console.text, "otel_sdk_span_started_total 1"));
    assert_non_null(strstr(bed->console.text, "WARN  something trace_id="));
    assert_non_null(strstr(bed->console.text, "otel_sdk_processor_log_processed_total{"));
    pawl_observability_unref(o);
    free_observed(bed);
}

static void the_console_gets_the_traces_that_the_sampler_keeps(void **state) {
    (void)state;
    static const char *const exporters[] = {"console", "console,otlp/stdout"};
    for (size_t i = 0; i < 2; i++) {
        struct observed *bed = new_observed();
        say("OTEL_TRACES_EXPORTER", exporters[i]);
        say("OTEL_TRACES_SAMPLER", "always_off");
        pawl_observability *o = observe_in(bed, .service_name = "x");
        run_worker(bed->runtime);
        assert_int_equal(pawl_observability_flush(o, PAWL_S(1), NULL), PAWL_OK);
        assert_null(strstr(bed->console.text, "worker"));
        pawl_observability_unref(o);
        free_observed(bed);
    }
}

static void writes_otlp_lines_when_the_environment_says_so(void **state) {
    (void)state;
    struct observed *bed = new_observed();
    say("OTEL_TRACES_EXPORTER", "otlp/stdout");
    say("OTEL_LOGS_EXPORTER", "otlp/stdout");
    pawl_observability *o = observe_in(bed, .service_name = "x");
    run_worker(bed->runtime);
    assert_int_equal(pawl_observability_flush(o, PAWL_S(1), NULL), PAWL_OK);
    assert_non_null(strstr(bed->console.text, "{\"resourceSpans\":"));
    assert_non_null(strstr(bed->console.text, "{\"resourceLogs\":"));
    pawl_observability_unref(o);
    free_observed(bed);
}

static void sends_nothing_that_nobody_asked_for(void **state) {
    (void)state;
    struct observed *bed = new_observed();
    say("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://127.0.0.1:9/");
    say("OTEL_LOGS_EXPORTER", "none");
    pawl_observability *o = observe_in(bed, .service_name = "x");
    assert_non_null(pawl_observability_tracer(o));
    assert_null(pawl_observability_metrics(o)); /* the endpoint is for spans */
    assert_null(pawl_observability_logs(o));
    pawl_observability_unref(o);
    free_observed(bed);
}

static void tells_of_a_collector_that_is_not_there_and_ends_in_time(void **state) {
    (void)state;
    struct observed *bed = new_observed();
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
    free_observed(bed);
}

static void takes_the_sampler_of_the_environment_unless_code_has_one(void **state) {
    (void)state;
    for (int code = 0; code < 2; code++) {
        struct observed *bed = new_observed();
        say("OTEL_TRACES_SAMPLER", code ? "always_off" : "parentbased_traceidratio");
        say("OTEL_TRACES_SAMPLER_ARG", "0");
        pawl_sampler *always = pawl_sampler_always(NULL);
        const pawl_tracer_options tracer = {.size = sizeof tracer, .sampler = code ? always : NULL};
        pawl_observability *o = observe_in(bed, to_memory(bed), .tracer = &tracer);
        pawl_sampler_unref(always);
        run_worker(bed->runtime);
        pawl_observability_flush(o, PAWL_S(1), NULL);
        assert_int_equal(pawl_trace_memory_count(bed->memory), code);
        pawl_observability_unref(o);
        free_observed(bed);
    }
}

static void takes_limits_and_queues_of_the_environment(void **state) {
    (void)state;
    struct observed *bed = new_observed();
    say("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "0");
    say("OTEL_BSP_MAX_QUEUE_SIZE", "7");
    pawl_observability *o = observe_in(bed, to_memory(bed));
    run_worker(bed->runtime);
    pawl_observability_flush(o, PAWL_S(1), NULL);
    assert_true(pawl_trace_memory_span(bed->memory, 0)->dropped_attributes > 0);
    pawl_tracer_stats stats = {.size = sizeof stats};
    pawl_tracer_get_stats(pawl_observability_tracer(o), &stats);
    assert_int_equal(stats.queue_capacity, 7);
    pawl_observability_unref(o);
    free_observed(bed);
}

static void sets_what_headers_travel(void **state) {
    (void)state;
    static const struct {
        const char *said;
        uint32_t set;
    } cases[] = {
        {"", PAWL_PROPAGATE_TRACE}, {"none", 0}, {"baggage", PAWL_PROPAGATE_BAGGAGE}, {"tracecontext,baggage", 3}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct observed *bed = new_observed();
        say("OTEL_PROPAGATORS", cases[i].said);
        pawl_observability_unref(observe_in(bed, .service_name = "x"));
        assert_int_equal(atomic_load(&bed->runtime->propagation), cases[i].set);
        free_observed(bed);
    }
}

static void opens_an_endpoint_for_prometheus(void **state) {
    (void)state;
    struct observed *bed = new_observed();
    say("OTEL_METRICS_EXPORTER", "prometheus");
    say("OTEL_EXPORTER_PROMETHEUS_PORT", "0");
    pawl_observability *o = observe_in(bed, .service_name = "x");
    assert_true(pawl_metrics_listener_port(pawl_observability_listener(o)) > 0);
    pawl_observability_unref(o);
    free_observed(bed);
    bed = new_observed();
    say("OTEL_EXPORTER_PROMETHEUS_HOST", "no address");
    o = observe_in(bed, .service_name = "x");
    assert_null(pawl_observability_listener(o));
    assert_int_equal(bed->warned.warnings, 1);
    pawl_observability_unref(o);
    free_observed(bed);
    bed = new_observed();
    o = observe_in(bed, .no_listen = 1);
    assert_null(pawl_observability_metrics(o));
    assert_int_equal(bed->warned.warnings, 0);
    pawl_observability_unref(o);
    free_observed(bed);
}

static void exports_nothing_when_it_is_disabled(void **state) {
    (void)state;
    struct observed *bed = new_observed();
    say("OTEL_SDK_DISABLED", "true");
    say("OTEL_TRACES_EXPORTER", "console");
    say("OTEL_PROPAGATORS", "baggage");
    pawl_observability *o = observe_in(
        bed, to_memory(bed), .listen = &(pawl_metrics_listen_options){.size = sizeof(pawl_metrics_listen_options)});
    assert_null(pawl_observability_tracer(o));
    assert_null(pawl_observability_listener(o));
    assert_int_equal(atomic_load(&bed->runtime->propagation), PAWL_PROPAGATE_BAGGAGE);
    pawl_observability_unref(o);
    free_observed(bed);
}

static void leaves_out_what_code_does_not_want(void **state) {
    (void)state;
    struct observed *bed = new_observed();
    say("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9");
    pawl_observability *o = observe_in(bed, .no_traces = 1, .no_metrics = 1, .no_logs = 1);
    assert_null(pawl_observability_tracer(o));
    assert_null(pawl_observability_metrics(o));
    assert_null(pawl_observability_logs(o));
    pawl_observability_unref(o);
    free_observed(bed);
}

static void tells_what_is_wrong_and_goes_on(void **state) {
    (void)state;
    struct observed *bed = new_observed();
    say("OTEL_BSP_MAX_QUEUE_SIZE", "lots");
    say("OTEL_METRICS_EXPORTER", "console");
    say("OTEL_METRICS_EXEMPLAR_FILTER", "always_on");
    pawl_observability *o = observe_in(bed, to_memory(bed));
    assert_non_null(pawl_observability_tracer(o));
    assert_int_equal(bed->warned.warnings, 2);
    assert_non_null(strstr(bed->warned.text, "OTEL_BSP_MAX_QUEUE_SIZE is 'lots'"));
    pawl_observability_unref(o);
    free_observed(bed);
    bed = new_observed();
    say("OTEL_LOG_LEVEL", "error");
    pawl_observability_unref(observe_in(bed, to_memory(bed)));
    assert_int_equal(bed->warned.warnings, 0);
    free_observed(bed);
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
    struct observed *bed = new_observed();
    pawl_error *error = NULL;
    say("OTEL_CONFIG_FILE", "otel.yaml");
    assert_null(pawl_observe(bed->runtime, &error, .read_environment = 1));
    assert_int_equal(pawl_error_status(error), PAWL_E_UNSUPPORTED);
    pawl_error_unref(error);
    pawl_observability_unref(pawl_observe(bed->runtime, NULL, .service_name = "not read"));
    free_observed(bed);
}

static void goes_on_with_the_trace_of_its_parent(void **state) {
    (void)state;
    struct observed *bed = new_observed();
    pawl_context *ctx = pawl_context_new(bed->runtime);
    assert_false(pawl_context_extract_environment(ctx));
    say("TRACEPARENT", "00-0123456789abcdef0123456789abcdef-00f067aa0ba902b7-01");
    say("TRACESTATE", "a=1");
    say("BAGGAGE", "user=ann");
    assert_true(pawl_context_extract_environment(ctx));
    assert_string_equal(pawl_context_tracestate(ctx), "a=1");
    assert_string_equal(pawl_context_baggage(ctx, "user"), "ann");
    pawl_context_unref(ctx);
    free_observed(bed);
}

static void survives_any_allocation_failing(void **state) {
    (void)state;
    struct heard heard;
    say("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9");
    say("OTEL_TRACES_EXPORTER", "otlp,console");
    say("OTEL_TRACES_SAMPLER", "parentbased_always_on");
    say("OTEL_RESOURCE_ATTRIBUTES", "team=blue,nonsense");
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
        environment_test(writes_everything_to_the_console_when_the_environment_says_so),
        environment_test(the_console_gets_the_traces_that_the_sampler_keeps),
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
