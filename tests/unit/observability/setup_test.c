/* One call sets everything up: what code says. */
#include "engine_internal.h"
#include "leaves.h"
#include "observed.h"
#include <pawl/primitives/primitives.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static void records_nothing_unless_asked(void **state) {
    (void)state;
    struct observed *bed = new_observed();
    pawl_observability *o = observe_in(bed, .service_name = "quiet");
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
    free_observed(bed);
}

static void hands_spans_to_an_exporter_of_ones_own(void **state) {
    (void)state;
    struct observed *bed = new_observed();
    pawl_observability *o = observe_in(bed, to_memory(bed));
    assert_non_null(pawl_observability_tracer(o));
    assert_null(pawl_observability_metrics(o)); /* it takes none */
    run_worker(bed->runtime);
    assert_int_equal(pawl_observability_flush(o, PAWL_S(1), NULL), PAWL_OK);
    assert_int_equal(pawl_trace_memory_count(bed->memory), 1);
    assert_string_equal(pawl_trace_memory_span(bed->memory, 0)->name, "worker");
    pawl_observability_unref(o);
    free_observed(bed);
}

static void keeps_metrics_when_told(void **state) {
    (void)state;
    struct observed *bed = new_observed();
    pawl_observability *o = observe_in(bed, .metrics = &(pawl_metrics_options){.size = sizeof(pawl_metrics_options)});
    assert_non_null(pawl_observability_metrics(o));
    assert_null(pawl_observability_tracer(o));
    pawl_observability_unref(o);
    run_worker(bed->runtime);
    free_observed(bed);
}

static pawl_status find_spans(void *user, const char *text, size_t length, pawl_error **err) {
    static const char line[] = "\notel_sdk_span_started_total 1\n";
    (void)err;
    *(bool *)user = memmem(text, length, line, strlen(line)) != NULL;
    return PAWL_OK;
}

static void tells_the_tracers_figures_as_metrics(void **state) {
    (void)state;
    struct observed *bed = new_observed();
    bool found = false;
    pawl_observability *o =
        observe_in(bed, to_memory(bed), .metrics = &(pawl_metrics_options){.size = sizeof(pawl_metrics_options)});
    run_worker(bed->runtime);
    assert_int_equal(
        pawl_metrics_write(pawl_observability_metrics(o), NULL, PAWL_PROMETHEUS_TEXT, find_spans, &found, NULL),
        PAWL_OK);
    assert_true(found);
    pawl_observability_unref(o);
    free_observed(bed);
}

static void writes_a_file_to_its_end_although_it_was_shut_down(void **state) {
    (void)state;
    struct observed *bed = new_observed();
    char path[] = "/tmp/pawl_setup_XXXXXX", text[4096] = "";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    pawl_observability *o = observe_in(bed, .trace_file = path);
    assert_int_equal(pawl_observability_shutdown(o, PAWL_S(1), NULL), PAWL_OK);
    run_worker(bed->runtime);
    pawl_observability_unref(o);
    free_observed(bed);
    assert_true(read(fd, text, sizeof text - 1) > 0);
    assert_non_null(strstr(text, "\"worker\""));
    close(fd);
    unlink(path);
}

static void refuses_what_is_wrong_in_code(void **state) {
    (void)state;
    struct observed *bed = new_observed();
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
    free_observed(bed);
}

static void says_who_speaks(void **state) {
    (void)state;
    struct observed *bed = new_observed();
    size_t count;
    say("OTEL_SERVICE_NAME", "by environment");
    pawl_observability *o = observe_in(bed, .service_version = "2");
    const pawl_attribute *attributes = pawl_resource_attributes(pawl_observability_resource(o), &count);
    bool found = false;
    for (size_t i = 0; i < count; i++)
        found |=
            strcmp(attributes[i].key, "service.name") == 0 && strcmp(attributes[i].value.string, "by environment") == 0;
    assert_true(found);
    pawl_observability_unref(o);
    free_observed(bed);
}

static pawl_status tell_whether_observed(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out,
                                         pawl_error **err) {
    (void)in, (void)ret_out, (void)err;
    *(bool *)user = pawl_context_is_observed(ctx);
    return PAWL_OK;
}

static void makes_no_spans_of_a_trace_that_is_not_sampled(void **state) {
    (void)state;
    struct observed *bed = new_observed();
    pawl_sampler *never = pawl_sampler_never(NULL);
    const pawl_tracer_options tracer = {.size = sizeof tracer, .sampler = never};
    pawl_observability *o = observe_in(bed, to_memory(bed), .tracer = &tracer, .no_metrics = 1);
    pawl_sampler_unref(never);
    bool observed = true;
    assert_int_equal(run_once(bed->runtime, pawl_inline("worker", tell_whether_observed, &observed)), PAWL_OK);
    assert_false(observed);
    pawl_observability_unref(o);
    free_observed(bed);
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
