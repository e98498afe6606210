/* A program whose metrics are scraped: it repairs a program, caches, retries, fetches and fails, again and again, with
 * one trace id that exemplars can be looked for with.
 *
 *     metrics_service [seed]    prints "listening on PORT"; ends with SIGTERM, SIGINT, or its parent
 *
 * With seed it hands out the seed project's names as well.
 */
#include <pawl/integrations/fix.h>
#include <pawl/observability/prometheus.h>
#include <pawl/observability/self_metrics.h>
#include <pawl/pawl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

#define TRACEPARENT "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
#define INSTRUMENT(variable, metric_name, metric_unit, metric_kind)                                                    \
    static const pawl_instrument variable = {                                                                          \
        .size = sizeof variable, .name = (metric_name), .unit = (metric_unit), .kind = (metric_kind)}

static pawl_runtime *runtime;
static pawl_metrics *metrics;
static pawl_tracer *tracing;

static void die(const char *what, pawl_error *err) {
    (void)fprintf(stderr, "metrics_service: %s: %s\n", what, err ? pawl_error_message(err) : "");
    exit(1);
}

/* ---- nodes ---- */

/* As a model would: the second try is right. */
static pawl_status write_program(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out,
                                 pawl_error **err) {
    (void)user, (void)ctx;
    bool again = *pawl_value_get_string(in, "feedback", "") != '\0';
    const char *text = again ? "{\"code\":\"print(6 * 7)\"}" : "{\"code\":\"print(6 * seven)\"}";
    return pawl_value_parse(text, strlen(text), NULL, ret_out, err);
}

static pawl_status succeed(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    (void)user, (void)ctx, (void)in, (void)ret_out, (void)err;
    return PAWL_OK;
}

/* The first of three times. */
static pawl_status stumble(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    (void)ctx, (void)in, (void)ret_out;
    int *calls = user;
    return ++*calls % 3 != 1 ? PAWL_OK : pawl_error_set(err, PAWL_E_UNAVAILABLE, "stumbled");
}

static pawl_status fail(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    (void)user, (void)ctx, (void)in, (void)ret_out;
    return pawl_error_set(err, PAWL_E_FAILED, "always");
}

static pawl_status ask(void *user, pawl_context *ctx, pawl_value *in, pawl_http_request *request, pawl_error **err) {
    (void)ctx, (void)in, (void)err;
    request->url = user;
    return PAWL_OK;
}

static pawl_primitive *repair(pawl_judge *judge) {
    return pawl_refine("repair", pawl_function("write", write_program, NULL),
                       pawl_code_execution("run", .language = "python", .timeout_ns = PAWL_S(5)),
                       .judge = pawl_judge_run, .feedback = pawl_feedback_for_refine, .user = judge, .max_rounds = 3);
}

static pawl_status write_a_failure(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out,
                                   pawl_error **err) {
    static const char text[] = "{\"code\":\"exit 3\"}";
    (void)user, (void)ctx, (void)in;
    return pawl_value_parse(text, strlen(text), NULL, ret_out, err);
}

static pawl_primitive *insist(void) {
    return pawl_sequential("insist", pawl_function("write_a_failure", write_a_failure, NULL),
                           pawl_code_execution("strict", .language = "bash", .fail_on_error = 1));
}

static pawl_primitive *look_around(const char *good_url, const char *bad_url, int *calls) {
    return pawl_sequential("look_around",
                           pawl_cache("remember", pawl_function("think", succeed, NULL), .ttl_ns = PAWL_S(2)),
                           pawl_retry("again", pawl_function("stumble", stumble, calls), .base_delay_ns = PAWL_MS(1)),
                           pawl_parallel("both",
                                         PAWL_CHILDREN(pawl_http_new("fetch", ask, NULL, (void *)good_url),
                                                       pawl_http_new("miss", ask, NULL, (void *)bad_url)),
                                         .mode = PAWL_PARALLEL_SETTLE));
}

/* ---- what the library does not measure in this program ---- */

static void measure_what_is_no_number(void) {
    INSTRUMENT(level, "odd.level", "", PAWL_GAUGE);
    pawl_runtime_measure(runtime, &level, NAN, NULL, 0); /* counted as dropped */
}

/* Every kind of instrument, under names that become one and with attributes that no label may hold as they are. */
static void measure_the_unusual(void) {
    INSTRUMENT(dotted, "odd.one", "", PAWL_COUNTER);
    INSTRUMENT(flat, "odd_one", "", PAWL_GAUGE);
    INSTRUMENT(ratio, "odd.full", "1", PAWL_GAUGE);
    INSTRUMENT(suffix, "odd.one.total", "By", PAWL_UP_DOWN_COUNTER);
    INSTRUMENT(exponential, "odd.size", "By", PAWL_EXPONENTIAL_HISTOGRAM);
    INSTRUMENT(waits, "odd.wait", "s", PAWL_EXPONENTIAL_HISTOGRAM);
    INSTRUMENT(latency, "odd.latency", "s", PAWL_HISTOGRAM);
    pawl_attribute hostile[] = {
        pawl_attribute_string("a.b", "quote \" backslash \\ line\nreturn\rboth\r\nbad \xff\xc3"),
        pawl_attribute_string("a_b", "} 1\n# EOF\n"),
        pawl_attribute_string("le", "1"),
        pawl_attribute_string("quantile", "0.5"),
        pawl_attribute_string("__name__", "other"),
        pawl_attribute_string("9 caf\xc3\xa9", "{a=\"b\"} # {trace_id=\"x\"} 1"),
        pawl_attribute_string("empty", ""),
        pawl_attribute_double("third", 1.0 / 3)};
    for (size_t i = 0; i <= sizeof hostile / sizeof *hostile; i++) {
        pawl_runtime_measure(runtime, &dotted, 1, hostile, i);
        pawl_runtime_measure(runtime, &flat, -0.5, hostile, i);
        pawl_runtime_measure(runtime, &suffix, 1, hostile, i);
        pawl_runtime_measure(runtime, &exponential, (double)(1 << i), hostile, i);
        pawl_runtime_measure(runtime, &waits, 0.001 * (double)(1 << i), NULL, 0);
        pawl_runtime_measure(runtime, &latency, 0.01 * (double)i, hostile, i);
    }
    pawl_runtime_measure(runtime, &ratio, 0.25, NULL, 0);
}

/* ---- life ---- */

static void run(pawl_primitive *node) {
    pawl_context *ctx = pawl_context_new(runtime);
    pawl_value *out = NULL;
    pawl_error *err = NULL;
    pawl_context_extract(ctx, TRACEPARENT, NULL, NULL);
    (void)pawl_run(node, ctx, NULL, &out, &err); /* also what fails is measured */
    pawl_error_unref(err);
    pawl_value_unref(out);
    pawl_context_unref(ctx);
}

static pawl_status take_slowly(void *self, const pawl_resource *resource, const pawl_span_data *spans, size_t count,
                               uint64_t timeout_ns, pawl_error **err) {
    static const struct timespec moment = {.tv_nsec = 50000000};
    (void)self, (void)resource, (void)spans, (void)count, (void)timeout_ns, (void)err;
    nanosleep(&moment, NULL);
    return PAWL_OK;
}

/* Its queue is too short for its exporter, so that spans are dropped. */
static void trace(void) {
    static const pawl_exporter_vtable slow = {.size = sizeof slow, .name = "slow_exporter", .spans = take_slowly};
    pawl_error *err = NULL;
    pawl_exporter *exporter = pawl_exporter_new(&slow, NULL, &err);
    pawl_tracer *tracer =
        pawl_tracer_with(&err, .exporters = &exporter, .exporter_count = 1, .max_queue_size = 2, .max_batch_size = 1);
    if (!tracer || pawl_tracer_attach(tracer, runtime, &err) != PAWL_OK ||
        pawl_metrics_observe_tracer(metrics, tracer, &err) != PAWL_OK)
        die("tracer", err);
    pawl_exporter_unref(exporter);
    tracing = tracer;
}

static pawl_metrics_listener *listen_for_scrapes(bool seed) {
    pawl_error *err = NULL;
    pawl_resource *resource = pawl_resource_with(&err, .service_name = "metrics_service", .service_version = "1");
    metrics = pawl_metrics_with(&err, .seed_names = seed);
    if (!resource || !metrics || pawl_metrics_attach(metrics, runtime, &err) != PAWL_OK)
        die("metrics", err);
    pawl_metrics_listener *listener =
        pawl_metrics_listen_with(metrics, &err, .port = PAWL_ZERO, .resource = resource, .runtime = runtime);
    if (!listener)
        die("listen", err);
    pawl_resource_unref(resource);
    return listener;
}

int main(int argc, char **argv) {
    static const struct timespec pause = {.tv_nsec = 100000000};
    char good_url[64], bad_url[64];
    int calls = 0;
    sigset_t ends;
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    sigprocmask(SIG_BLOCK, &ends, NULL);
    runtime = pawl_runtime_with(.helper_path = getenv("PAWL_HELPER"));
    pawl_metrics_listener *listener = listen_for_scrapes(argc > 1 && strcmp(argv[1], "seed") == 0);
    trace();
    unsigned long long port = pawl_metrics_listener_port(listener);
    (void)snprintf(good_url, sizeof good_url, "http://127.0.0.1:%llu/metrics", port);
    (void)snprintf(bad_url, sizeof bad_url, "http://127.0.0.1:%llu/missing", port);
    pawl_judge *judge = pawl_judge_all(PAWL_JUDGES(pawl_judge_outcome("ran"), pawl_judge_output("answer", "42\n")));
    pawl_primitive *nodes[] = {repair(judge), look_around(good_url, bad_url, &calls), insist(),
                               pawl_function("fail", fail, NULL)};
    for (bool first = true; sigtimedwait(&ends, NULL, &pause) < 0; first = false) {
        for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++)
            run(nodes[i]);
        measure_what_is_no_number();
        measure_the_unusual();
        if (first)
            printf("listening on %llu\n", port);
        (void)fflush(stdout);
    }
    for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++)
        pawl_primitive_unref(nodes[i]);
    pawl_judge_unref(judge);
    pawl_metrics_listener_unref(listener);
    pawl_runtime_unref(runtime);
    pawl_metrics_unref(metrics);
    pawl_tracer_unref(tracing);
    return 0;
}
