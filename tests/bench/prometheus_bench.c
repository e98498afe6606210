/* What a scrape costs: 2,000 series of a counter, and as many samples of histograms, as text. */
#include "bench.h"
#include <pawl/observability/prometheus.h>
#include <stdio.h>
#include <stdlib.h>

#define SERIES 2000
#define HISTOGRAMS 100 /* of 18 samples each */

static pawl_status ignore(void *user, const char *text, size_t length, pawl_error **err) {
    (void)text, (void)err;
    *(size_t *)user = length;
    return PAWL_OK;
}

struct scrape {
    pawl_metrics *metrics;
    pawl_metrics_format format;
    size_t bytes;
};

static void write_once(void *user) {
    struct scrape *scrape = user;
    if (pawl_metrics_write(scrape->metrics, NULL, scrape->format, ignore, &scrape->bytes, NULL) != PAWL_OK)
        abort();
}

static void fill(pawl_metrics *metrics, const pawl_instrument *instrument, size_t count) {
    char node[32];
    for (size_t i = 0; i < count; i++) {
        snprintf(node, sizeof node, "node number %zu", i);
        pawl_attribute attributes[] = {pawl_attribute_string("pawl.node.name", node),
                                       pawl_attribute_string("pawl.outcome", "ok"),
                                       pawl_attribute_string("pawl.primitive.type", "function")};
        pawl_series *series = pawl_metrics_series(metrics, instrument, attributes, 3, NULL);
        if (!series)
            abort();
        pawl_series_record(series, (double)i * 0.37, NULL);
    }
}

static double time_of(const pawl_instrument *instrument, size_t count, pawl_metrics_format format) {
    struct scrape scrape = {pawl_metrics_new(NULL, NULL), format, 0};
    fill(scrape.metrics, instrument, count);
    double ns = bench_time(write_once, &scrape, 100);
    pawl_metrics_unref(scrape.metrics);
    return ns / 1e3;
}

void bench_prometheus(struct bench *bench) {
    static const pawl_instrument counter = {.size = sizeof counter, .name = "bench.count", .kind = PAWL_COUNTER};
    static const pawl_instrument histogram = {.size = sizeof histogram, .name = "bench.took", .kind = PAWL_HISTOGRAM};
    bench_row(bench, "write_2000_counters_us", time_of(&counter, SERIES, PAWL_PROMETHEUS_TEXT), "us", 2000);
    bench_row(bench, "write_100_histograms_us", time_of(&histogram, HISTOGRAMS, PAWL_OPENMETRICS), "us", 2000);
}
