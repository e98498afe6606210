/* Exports what is hard to export, for others to judge.
 *
 *     otlp_producer dump traces|metrics|logs protobuf|json        one request of everything, to standard output
 *     otlp_producer send URL protobuf|json plain|gzip             everything, through the exporter
 *     otlp_producer spans URL COUNT TIMEOUT_MS                    so many spans, in batches of ten, one after another
 *     otlp_producer traced URL RUNS simple|batch|brief             so many runs of four nodes each, through a tracer;
 *                                                                 brief: without a flush, half a second to end
 *     otlp_producer tls URL CA CERTIFICATE KEY                    a span over TLS; "" for what is not given
 *
 * The last four print what became of it, one NAME=NUMBER a line, and errors on standard error. */
#include "export_internal.h"
#include "otlp_encode_internal.h"
#include "telemetry_data.h"
#include <pawl/core.h>
#include <pawl/observability/otlp.h>
#include <pawl/observability/tracer.h>
#include <pawl/primitives/primitives.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SIGNALS 3
#define MANY 200

static char megabyte[1 << 20];
static char keys[MANY][8];
static pawl_attribute many[MANY];
static pawl_event_data events[MANY];

/* The full span, a megabyte, hundreds of everything, and usual ones. */
static const pawl_span_data *all_spans(size_t *ret_count) {
    static pawl_span_data spans[8];
    memset(megabyte, 'm', sizeof megabyte - 1);
    for (int i = 0; i < MANY; i++) {
        snprintf(keys[i], sizeof keys[i], "k%d", i);
        many[i] = pawl_attribute_int(keys[i], i);
        events[i] = (pawl_event_data){
            .name = keys[i], .time_unix_ns = UINT64_C(1700000000000000000), .attributes = many, .attribute_count = 2};
    }
    many[7] = pawl_attribute_string(keys[7], megabyte);
    spans[0] = *full_span();
    for (uint32_t i = 1; i < 8; i++)
        spans[i] = usual_span(i);
    spans[1].attributes = many;
    spans[1].attribute_count = MANY;
    spans[1].events = events;
    spans[1].event_count = MANY;
    *ret_count = 8;
    return spans;
}

static void write_all(struct pawl_otlp_writer *w, const struct pawl_otlp_source *source, const char *signal) {
    size_t count;
    if (strcmp(signal, "traces") == 0) {
        const pawl_span_data *spans = all_spans(&count);
        pawl_otlp_traces(w, source, spans, count);
    } else if (strcmp(signal, "metrics") == 0) {
        const pawl_metric_data *metrics = all_metrics(&count);
        pawl_otlp_metrics(w, source, metrics, count);
    } else {
        const pawl_log_data *logs = all_logs(&count);
        pawl_otlp_logs(w, source, logs, count);
    }
}

static int dump(const char *signal, const char *protocol) {
    struct pawl_otlp_writer w;
    pawl_resource *resource = pawl_resource_with(NULL, .service_name = BAD_UTF8);
    struct pawl_otlp_source source = pawl_otlp_source_of(resource);
    pawl_otlp_writer_init(&w, strcmp(protocol, "json") == 0, PAWL_MIB(64));
    write_all(&w, &source, signal);
    bool written = w.status == PAWL_OK && fwrite(pawl_otlp_written(&w), 1, w.length, stdout) == w.length;
    pawl_otlp_writer_finish(&w);
    pawl_resource_unref(resource);
    return written ? 0 : 1;
}

static void print_error(void *user, const char *text) {
    (void)user;
    fprintf(stderr, "%s\n", text);
}

static void print_counts(const char *signal, const pawl_otlp_counts *c) {
    printf("%s.sent=%llu\n%s.rejected=%llu\n%s.requests=%llu\n%s.retries=%llu\n%s.dropped=%llu\n", signal,
           (unsigned long long)c->sent, signal, (unsigned long long)c->rejected, signal,
           (unsigned long long)c->requests, signal, (unsigned long long)c->retries, signal,
           (unsigned long long)(c->dropped_too_large + c->dropped_refused + c->dropped_unavailable +
                                c->dropped_cancelled));
}

static int finish(pawl_exporter *exporter, int result) {
    pawl_otlp_stats stats = {.size = sizeof stats};
    if (pawl_otlp_exporter_get_stats(exporter, &stats, NULL) == PAWL_OK) {
        print_counts("traces", &stats.traces);
        print_counts("metrics", &stats.metrics);
        print_counts("logs", &stats.logs);
    }
    pawl_exporter_unref(exporter);
    return result;
}

static int export_all(pawl_exporter *exporter) {
    size_t count;
    pawl_resource *resource = pawl_resource_with(NULL, .service_name = BAD_UTF8);
    const pawl_span_data *spans = all_spans(&count);
    int failed = pawl_exporter_spans(exporter, resource, spans, count, PAWL_S(30), NULL) != PAWL_OK;
    const pawl_metric_data *metrics = all_metrics(&count);
    failed += pawl_exporter_metrics(exporter, resource, metrics, count, PAWL_S(30), NULL) != PAWL_OK;
    const pawl_log_data *logs = all_logs(&count);
    failed += pawl_exporter_logs(exporter, resource, logs, count, PAWL_S(30), NULL) != PAWL_OK;
    pawl_resource_unref(resource);
    return failed;
}

static int send_all(const char *url, const char *protocol, const char *gzip) {
    pawl_exporter *exporter =
        pawl_otlp_exporter_with(NULL, .endpoint = url, .gzip = strcmp(gzip, "gzip") == 0, .on_error = print_error,
                                .protocol = strcmp(protocol, "json") == 0 ? PAWL_OTLP_JSON : PAWL_OTLP_PROTOBUF);
    return exporter ? finish(exporter, export_all(exporter)) : 1;
}

static int send_spans(const char *url, uint32_t count, uint64_t timeout_ms) {
    pawl_exporter *exporter = pawl_otlp_exporter_with(NULL, .endpoint = url, .on_error = print_error, .gzip = 1,
                                                      .timeout_ns = PAWL_MS(timeout_ms));
    pawl_resource *resource = pawl_resource_new(NULL, NULL);
    pawl_span_data batch[10];
    int failed = 0;
    for (uint32_t i = 0; exporter && i < count; i += 10) {
        for (uint32_t k = 0; k < 10; k++)
            batch[k] = usual_span(i + k + 1);
        failed += pawl_exporter_spans(exporter, resource, batch, 10, PAWL_S(60), NULL) != PAWL_OK;
    }
    pawl_resource_unref(resource);
    return exporter ? finish(exporter, failed > 0) : 1;
}

static pawl_status pass(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    (void)user, (void)in, (void)ret_out, (void)err;
    pawl_context_set_string(ctx, "note", BAD_UTF8);
    pawl_context_add_event(ctx, "passed");
    return PAWL_OK;
}

static uint64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static int run_traced(const char *url, uint32_t runs, const char *mode) {
    bool brief = strcmp(mode, "brief") == 0;
    pawl_exporter *exporter = pawl_otlp_exporter_with(NULL, .endpoint = url, .on_error = print_error, .gzip = 1);
    pawl_tracer *tracer =
        pawl_tracer_with(NULL, .exporters = &exporter, .exporter_count = 1, .simple = strcmp(mode, "simple") == 0,
                         .shutdown_timeout_ns = brief ? PAWL_MS(500) : 0);
    pawl_runtime *runtime = pawl_runtime_new(NULL, NULL);
    int failed = pawl_tracer_attach(tracer, runtime, NULL) != PAWL_OK;
    pawl_primitive *node = pawl_sequential("request", pawl_inline("first", pass, NULL),
                                           pawl_function("second", pass, NULL), pawl_inline("third", pass, NULL));
    uint64_t start = now_ms();
    for (uint32_t i = 0; i < runs; i++) {
        pawl_context *ctx = pawl_context_new(runtime);
        failed += pawl_run(node, ctx, NULL, NULL, NULL) != PAWL_OK;
        pawl_context_unref(ctx);
    }
    printf("tracer.runs_ms=%llu\n", (unsigned long long)(now_ms() - start));
    failed += !brief && pawl_runtime_flush(runtime, PAWL_S(10), NULL) != PAWL_OK;
    pawl_tracer_stats stats = {.size = sizeof stats};
    pawl_tracer_get_stats(tracer, &stats);
    printf("tracer.dropped=%llu\n", (unsigned long long)(stats.dropped_full + stats.dropped_no_memory));
    pawl_primitive_unref(node);
    pawl_runtime_unref(runtime);
    pawl_tracer_unref(tracer);
    return finish(exporter, failed > 0);
}

static int send_secretly(const char *url, const char *ca, const char *certificate, const char *key) {
    pawl_exporter *exporter =
        pawl_otlp_exporter_with(NULL, .endpoint = url, .on_error = print_error, .ca_file = ca,
                                .client_cert_file = certificate, .client_key_file = key, .timeout_ns = PAWL_S(3));
    pawl_span_data span = usual_span(1);
    return exporter ? finish(exporter, pawl_exporter_spans(exporter, NULL, &span, 1, PAWL_S(3), NULL) != PAWL_OK) : 1;
}

int main(int argc, char **argv) {
    const char *mode = argc > 1 ? argv[1] : "";
    if (strcmp(mode, "dump") == 0 && argc == 4)
        return dump(argv[2], argv[3]);
    if (strcmp(mode, "send") == 0 && argc == 5)
        return send_all(argv[2], argv[3], argv[4]);
    if (strcmp(mode, "spans") == 0 && argc == 5)
        return send_spans(argv[2], (uint32_t)strtoul(argv[3], NULL, 10), strtoul(argv[4], NULL, 10));
    if (strcmp(mode, "traced") == 0 && argc == 5)
        return run_traced(argv[2], (uint32_t)strtoul(argv[3], NULL, 10), argv[4]);
    if (strcmp(mode, "tls") == 0 && argc == 6)
        return send_secretly(argv[2], argv[3], argv[4], argv[5]);
    fprintf(stderr, "usage: see the top of otlp_producer.c\n");
    return 2;
}
