/* Runs every primitive, HTTP, a sandboxed program and a repair, with everything recorded, and prints each name that
 * spans, metrics and variables bear, for names.py to compare with docs/observability.md. Lines of TAB-separated words:
 *
 *     span NAME KIND TYPE               TYPE is - for a span that is no node; NAME is - for a node
 *     attribute KEY TYPE
 *     event NAME KEY                    KEY is - for the event itself
 *     metric NAME KIND UNIT BOUNDS KEY  KEY is - for the metric itself; BOUNDS is - or a list
 *     exposition LINE                   of the Prometheus text
 *     resource KEY
 *     variable NAME                     which the reader of OTEL_* asks for
 */
#include "environment_internal.h"
#include "http_server.h"

#include <curl/curl.h>
#include <math.h>
#include <pawl/integrations/fix.h>
#include <pawl/observability/metrics.h>
#include <pawl/observability/prometheus.h>
#include <pawl/observability/self_metrics.h>
#include <pawl/observability/trace_memory.h>
#include <pawl/observability/tracer.h>
#include <pawl/pawl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const attribute_types[] = {"string", "int", "double", "bool"};
static const char *const kinds[] = {"", "internal", "server", "client", "producer", "consumer"};
static const char *const instrument_kinds[] = {"counter", "up-down", "gauge", "histogram", "exponential"};

static struct http_server *server;

static void die(const char *what, pawl_error *err) {
    fprintf(stderr, "names_producer: %s: %s\n", what, err ? pawl_error_message(err) : "");
    exit(1);
}

/* ---- what is run ---- */

static pawl_status pass(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    (void)user, (void)ctx, (void)in, (void)ret_out, (void)err;
    return PAWL_OK;
}

static pawl_status fail(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    (void)user, (void)ctx, (void)in, (void)ret_out;
    pawl_error *cause = NULL;
    pawl_error_set(&cause, PAWL_E_UNAVAILABLE, "connection refused");
    return pawl_error_wrap(err, PAWL_E_UNAVAILABLE, cause, "no answer");
}

static pawl_status wait_long(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    (void)user, (void)in, (void)ret_out;
    return pawl_context_sleep(ctx, PAWL_S(20), err);
}

static void start_nothing(void *user, pawl_op op, pawl_context *ctx, pawl_value *in, void **ret_op_data) {
    (void)user, (void)ctx, (void)in, (void)ret_op_data;
    pawl_op_complete(op, PAWL_OK, NULL, NULL);
}
static const pawl_async_vtable nothing = {.size = sizeof nothing, .start = start_nothing};

static size_t swallow(char *bytes, size_t size, size_t count, void *user) {
    (void)bytes, (void)user;
    return size * count;
}

static pawl_status fetch(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    (void)in, (void)ret_out;
    CURL *easy = curl_easy_init();
    curl_easy_setopt(easy, CURLOPT_URL, (char *)user);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, swallow);
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, "PURGE"); /* no method of the conventions */
    pawl_status status = pawl_context_curl_perform(ctx, easy, NULL, err);
    curl_easy_cleanup(easy);
    return status;
}

static pawl_status ask(void *user, pawl_context *ctx, pawl_value *in, pawl_http_request *request, pawl_error **err) {
    (void)ctx, (void)in, (void)err;
    request->url = user;
    return PAWL_OK;
}

/* As a model would: the second try is right. Both write spans, one of them of a trace that is not theirs. */
static pawl_status write_program(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out,
                                 pawl_error **err) {
    static const char spans[] =
        "import json, os, time\n"
        "trace, parent = os.environ['TRACEPARENT'].split('-')[1:3]\n"
        "span = dict(traceId=trace, spanId='00f067aa0ba902b7', parentSpanId=parent, name='load', kind=1,\n"
        "            startTimeUnixNano=str(time.time_ns()), endTimeUnixNano=str(time.time_ns()))\n"
        "other = dict(span, traceId='f' * 32)\n"
        "with open(os.environ['PAWL_SPANS_FILE'], 'w') as f:\n"
        "    f.write(json.dumps({'resourceSpans': [{'scopeSpans': [{'spans': [span, other]}]}]}))\n";
    (void)user, (void)ctx;
    bool again = *pawl_value_get_string(in, "feedback", "") != '\0';
    char code[1024];
    snprintf(code, sizeof code, "%sprint(6 * %s)\n", spans, again ? "7" : "seven");
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "code", code);
    *ret_out = pawl_value_take(json);
    return *ret_out ? PAWL_OK : pawl_error_set(err, PAWL_E_NOMEM, "out of memory");
}

static pawl_primitive *leaves(char *good, char *bad) {
    return pawl_sequential(
        "leaves", pawl_inline("inline", pass, NULL), pawl_function("function", pass, NULL),
        pawl_async("async", &nothing, NULL),
        pawl_fallback("fallback", PAWL_CHILDREN(pawl_inline("fails", fail, NULL), pawl_inline("helps", pass, NULL))),
        pawl_fallback("no time", PAWL_CHILDREN(pawl_timeout("timeout", pawl_function("slow", wait_long, NULL),
                                                            .after_ns = PAWL_MS(1)),
                                               pawl_inline("in time", pass, NULL))),
        pawl_parallel("both", PAWL_CHILDREN(pawl_http_new("good", ask, NULL, good), pawl_inline("other", pass, NULL))),
        pawl_fallback("bad", PAWL_CHILDREN(pawl_retry("retry", pawl_http_new("miss", ask, NULL, bad), .max_attempts = 2,
                                                      .base_delay_ns = PAWL_MS(1)),
                                           pawl_function("perform", fetch, good))));
}

static pawl_primitive *remember(void) {
    pawl_primitive *cache = pawl_cache("cache", pawl_inline("cached", pass, NULL), .ttl_ns = PAWL_MIN(1));
    return pawl_sequential("remember", pawl_primitive_ref(cache), cache);
}

static pawl_primitive *siblings(void) {
    return pawl_parallel("siblings",
                         PAWL_CHILDREN(pawl_inline("fails", fail, NULL), pawl_function("waits", wait_long, NULL)),
                         .mode = PAWL_PARALLEL_ALL);
}

static pawl_primitive *repair(pawl_judge *judge) {
    return pawl_refine("refine", pawl_function("write", write_program, NULL),
                       pawl_code_execution("execute", .timeout_ns = PAWL_S(20)), .judge = pawl_judge_run,
                       .feedback = pawl_feedback_for_refine, .user = judge, .max_rounds = 3);
}

static pawl_primitive *mend_by_command(void) {
    static const char answer[] = "read line; printf '%s\\n' '\"def f(x):\\n    return x + 1\\n\"'";
    static const char *const argv[] = {"/bin/sh", "-c", answer, NULL};
    return pawl_fix("fix by command", pawl_command_generator("command", .argv = argv), NULL, .timeout_ns = PAWL_S(20));
}

static void run(pawl_runtime *runtime, pawl_primitive *node, const char *input, bool must_succeed) {
    pawl_context *ctx = pawl_context_new(runtime);
    pawl_value *in = NULL, *out = NULL;
    pawl_error *err = NULL;
    pawl_context_set_id(ctx, PAWL_ID_WORKFLOW, "w", NULL);
    pawl_context_set_id(ctx, PAWL_ID_SESSION, "s", NULL);
    pawl_context_set_id(ctx, PAWL_ID_CORRELATION, "c", NULL);
    pawl_context_set_tag(ctx, "team", "blue", NULL);
    if (input && pawl_value_parse(input, strlen(input), NULL, &in, &err) != PAWL_OK)
        die("input", err);
    if (pawl_run(node, ctx, in, &out, &err) != PAWL_OK && must_succeed)
        die("run", err);
    pawl_error_unref(err);
    pawl_value_unref(out);
    pawl_value_unref(in);
    pawl_context_unref(ctx);
    pawl_primitive_unref(node);
}

static void run_all(pawl_runtime *runtime) {
    static const char task[] = "{\"program\":\"def f(x):\\n    return x - 1\\n\","
                               "\"test\":\"from program import f\\nassert f(1) == 2\\n\"}";
    char good[64], bad[64];
    snprintf(good, sizeof good, "http://127.0.0.1:%d/good", http_server_port(server));
    snprintf(bad, sizeof bad, "http://127.0.0.1:%d/bad", http_server_port(server));
    serve(server, "/good", {.body = "{}"});
    serve(server, "/bad", {.status = 503});
    run(runtime, leaves(good, bad), NULL, true);
    run(runtime, siblings(), NULL, false);
    run(runtime, remember(), NULL, true);
    pawl_judge *judge = pawl_judge_all(PAWL_JUDGES(pawl_judge_outcome("ran"), pawl_judge_output("answer", "42\n")));
    run(runtime, repair(judge), NULL, true);
    pawl_judge_unref(judge);
    run(runtime, pawl_fix("fix", NULL, NULL, .timeout_ns = PAWL_S(20)), task, true);
    run(runtime, mend_by_command(), task, true);
    static const pawl_instrument odd = {
        .size = sizeof odd, .name = "pawl.cache.lookups", .unit = "{lookup}", .kind = PAWL_COUNTER};
    pawl_runtime_measure(runtime, &odd, NAN, NULL, 0); /* is dropped */
}

/* ---- what is printed ---- */

static void print_attributes(const pawl_attribute *attributes, size_t count) {
    for (size_t i = 0; i < count; i++)
        printf("attribute\t%s\t%s\n", attributes[i].key, attribute_types[attributes[i].type]);
}

static const char *value_of(const pawl_span_data *span, const char *key) {
    for (size_t i = 0; i < span->attribute_count; i++)
        if (strcmp(span->attributes[i].key, key) == 0)
            return span->attributes[i].value.string;
    return "-";
}

static void print_span(const pawl_span_data *span) {
    const char *type = value_of(span, "pawl.primitive.type");
    bool is_node = strcmp(type, "-") != 0, is_ours = strcmp(value_of(span, "pawl.span.source"), "sandbox") != 0;
    if (is_ours)
        printf("span\t%s\t%s\t%s\n", is_node ? "-" : span->name, kinds[span->kind], type);
    print_attributes(span->attributes, span->attribute_count);
    for (size_t i = 0; i < span->event_count; i++) {
        printf("event\t%s\t-\n", span->events[i].name);
        for (size_t k = 0; k < span->events[i].attribute_count; k++)
            printf("event\t%s\t%s\n", span->events[i].name, span->events[i].attributes[k].key);
    }
}

static void print_bounds(const pawl_metric_data *metric) {
    for (uint64_t i = 0; i < metric->bound_count; i++)
        printf("%s%g", i ? " " : "", metric->bounds[i]);
    printf("%s", metric->bound_count ? "" : "-");
}

static void print_metric(const pawl_metric_data *metric, const char *key) {
    printf("metric\t%s\t%s\t%s\t", metric->name, instrument_kinds[metric->kind], *metric->unit ? metric->unit : "-");
    print_bounds(metric);
    printf("\t%s\n", key);
}

static void print_metrics(void *user, const pawl_metric_data *metrics, size_t count) {
    (void)user;
    for (size_t i = 0; i < count; i++) {
        print_metric(&metrics[i], "-");
        for (uint64_t p = 0; p < metrics[i].point_count; p++)
            for (uint64_t k = 0; k < metrics[i].points[p].attribute_count; k++)
                print_metric(&metrics[i], metrics[i].points[p].attributes[k].key);
    }
}

static pawl_status print_exposition(void *user, const char *text, size_t length, pawl_error **err) {
    (void)user, (void)err;
    for (const char *line = text, *end; line < text + length; line = end + 1) {
        end = memchr(line, '\n', (size_t)(text + length - line));
        printf("exposition\t%.*s\n", (int)(end - line), line);
    }
    return PAWL_OK;
}

static const char *print_variable(void *user, const char *name) {
    (void)user;
    printf("variable\t%s\n", name);
    return strcmp(name, "OTEL_TRACES_SAMPLER") == 0 ? "traceidratio" : NULL; /* then its argument is asked for */
}

static void print_variables(void) {
    const struct pawl_environment_reader reader = {.get = print_variable};
    struct pawl_environment environment;
    pawl_environment_read(&environment, &reader);
    pawl_environment_finish(&environment);
}

static pawl_status take_metrics(void *self, const pawl_resource *resource, const pawl_metric_data *metrics,
                                size_t count, uint64_t timeout_ns, pawl_error **err) {
    (void)self, (void)resource, (void)metrics, (void)count, (void)timeout_ns, (void)err;
    return PAWL_OK;
}
static const pawl_exporter_vtable taker = {.size = sizeof taker, .name = "taker", .metrics = take_metrics};

static void ignore_lines(void *user, const char *lines, size_t length) {
    (void)user, (void)lines, (void)length;
}

int main(void) {
    pawl_error *err = NULL;
    size_t count;
    server = http_server_new();
    pawl_runtime *runtime = pawl_runtime_with(.helper_path = getenv("PAWL_HELPER"));
    pawl_resource *resource = pawl_resource_with(&err, .service_name = "names", .service_version = "1");
    pawl_trace_memory *memory = pawl_trace_memory_new(NULL, &err);
    pawl_exporter *spans = pawl_trace_memory_exporter(memory, &err), *points = pawl_exporter_new(&taker, NULL, &err);
    pawl_metrics *metrics = pawl_metrics_with(&err, .seed_names = 1);
    pawl_tracer *tracer = pawl_tracer_with(&err, .exporters = &spans, .exporter_count = 1, .resource = resource);
    if (pawl_metrics_attach(metrics, runtime, &err) != PAWL_OK ||
        pawl_tracer_attach(tracer, runtime, &err) != PAWL_OK ||
        pawl_metrics_export(metrics, &err, .exporters = &points, .exporter_count = 1, .resource = resource) != PAWL_OK)
        die("observe", err);
    if (pawl_metrics_observe_tracer(metrics, tracer, &err) != PAWL_OK)
        die("observe", err);
    pawl_logs *logs = pawl_logs_with(&err, .write = ignore_lines);
    if (pawl_logs_attach(logs, runtime, &err) != PAWL_OK || pawl_metrics_observe_logs(metrics, logs, &err) != PAWL_OK)
        die("observe", err);
    pawl_runtime_log(runtime, PAWL_LOG_WARN, "a record");
    pawl_runtime_set_content(runtime, true);
    run_all(runtime);
    if (pawl_runtime_flush(runtime, PAWL_S(10), &err) != PAWL_OK)
        die("flush", err);
    for (size_t i = 0; i < pawl_trace_memory_count(memory); i++)
        print_span(pawl_trace_memory_span(memory, i));
    pawl_metrics_collect(metrics, print_metrics, NULL, NULL);
    pawl_metrics_write(metrics, resource, PAWL_PROMETHEUS_TEXT, print_exposition, NULL, NULL);
    const pawl_attribute *attributes = pawl_resource_attributes(resource, &count);
    for (size_t i = 0; i < count; i++)
        printf("resource\t%s\n", attributes[i].key);
    print_variables();
    pawl_metrics_unobserve_tracer(metrics, tracer);
    pawl_metrics_unobserve_logs(metrics, logs);
    pawl_logs_unref(logs);
    pawl_tracer_unref(tracer);
    pawl_metrics_unref(metrics);
    pawl_exporter_unref(spans);
    pawl_exporter_unref(points);
    pawl_runtime_unref(runtime);
    pawl_trace_memory_unref(memory);
    pawl_resource_unref(resource);
    http_server_free(server);
    return 0;
}
