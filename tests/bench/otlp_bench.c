/* What a rich span (7 attributes, an event, a link, a status) costs until it is bytes. */
#include "bench.h"
#include "otlp_encode_internal.h"
#include "otlp_exporter_internal.h"
#include "telemetry_data.h"
#include <stdlib.h>

#define BATCH 512
#define TIMES 20

struct encoding {
    struct pawl_otlp_writer writer;
    struct pawl_otlp_source source;
    pawl_span_data spans[BATCH];
    bool gzip;
    size_t packed_bytes;
};

static void encode(void *user) {
    struct encoding *e = user;
    pawl_otlp_writer_reset(&e->writer);
    pawl_otlp_traces(&e->writer, &e->source, e->spans, BATCH);
    if (e->writer.status != PAWL_OK)
        abort();
    if (e->gzip)
        free(pawl_otlp_gzip(pawl_otlp_written(&e->writer), e->writer.length, &e->packed_bytes));
}

static struct encoding *new_encoding(bool json, bool gzip) {
    struct encoding *e = calloc(1, sizeof *e);
    if (!e)
        abort();
    pawl_otlp_writer_init(&e->writer, json, PAWL_MIB(64));
    e->source = pawl_otlp_source_of(NULL);
    e->gzip = gzip;
    for (uint32_t i = 0; i < BATCH; i++)
        e->spans[i] = usual_span(i);
    encode(e); /* the buffer has grown */
    return e;
}

static void free_encoding(struct encoding *e) {
    pawl_otlp_writer_finish(&e->writer);
    free(e);
}

/* Of the processor's time, since nothing here waits. */
static double cost_of(struct encoding *e) {
    double rounds[BENCH_ROUNDS];
    for (size_t round = 0; round < BENCH_ROUNDS; round++) {
        uint64_t start = bench_cpu();
        for (size_t i = 0; i < TIMES; i++)
            encode(e);
        rounds[round] = (double)(bench_cpu() - start) / (TIMES * BATCH);
    }
    return bench_median(rounds, BENCH_ROUNDS);
}

static void bench_encoding(struct bench *bench, bool json, bool gzip, const char *metric, double target) {
    struct encoding *e = new_encoding(json, gzip);
    bench_row(bench, metric, cost_of(e), "ns", target);
    free_encoding(e);
}

static void bench_bytes(struct bench *bench) {
    struct encoding *e = new_encoding(false, true);
    bench_row(bench, "otlp_span_bytes", (double)e->writer.length / BATCH, "B", -1);
    bench_row(bench, "otlp_span_gzip_bytes", (double)e->packed_bytes / BATCH, "B", -1);
    free_encoding(e);
}

void bench_otlp(struct bench *bench) {
    bench_encoding(bench, false, false, "otlp_encode_protobuf_ns", 620); /* a plain encoder with one malloc a message */
    bench_encoding(bench, true, false, "otlp_encode_json_ns", -1);
    bench_encoding(bench, false, true, "otlp_encode_protobuf_gzip_ns", -1);
    bench_bytes(bench);
    bench_otel(bench, "otlp");
}
