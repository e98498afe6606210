/* The OTEL_* variables, one after the other. */
#include "environment_internal.h"
#include "resource_internal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_COUNT UINT64_C(2147483647)
#define MOST_QUEUE UINT64_C(1000000)
#define QUEUE_SIZE UINT64_C(2048)
#define BATCH_SIZE UINT64_C(512)

typedef const struct pawl_environment_reader *reader;

static void read_propagators(struct pawl_environment *e, reader r) {
    pawl_environment_list(r, "OTEL_PROPAGATORS", "tracecontext baggage none", PAWL_ENVIRONMENT_NO_PROPAGATOR,
                          &e->propagators);
}

static void read_sampler(struct pawl_environment *e, reader r) {
    pawl_environment_word(r, "OTEL_TRACES_SAMPLER",
                          "always_on always_off traceidratio parentbased_always_on parentbased_always_off "
                          "parentbased_traceidratio",
                          &e->sampler);
    e->sampler_ratio = 1;
    if (e->sampler == PAWL_ENVIRONMENT_RATIO || e->sampler == PAWL_ENVIRONMENT_PARENT_RATIO)
        pawl_environment_ratio(r, "OTEL_TRACES_SAMPLER_ARG", &e->sampler_ratio);
}

static void read_exporters(struct pawl_environment *e, reader r) {
    static const char words[] = "otlp console none otlp/stdout";
    pawl_environment_list(r, "OTEL_TRACES_EXPORTER", words, PAWL_ENVIRONMENT_NO_EXPORTER,
                          &e->exporters[PAWL_OTLP_TRACES]);
    pawl_environment_list(r, "OTEL_METRICS_EXPORTER", "otlp console none otlp/stdout prometheus",
                          PAWL_ENVIRONMENT_NO_EXPORTER, &e->exporters[PAWL_OTLP_METRICS]);
    pawl_environment_list(r, "OTEL_LOGS_EXPORTER", words, PAWL_ENVIRONMENT_NO_EXPORTER, &e->exporters[PAWL_OTLP_LOGS]);
}

/* prefix: "OTEL_BSP" or "OTEL_BLRP". */
static void read_batch(struct pawl_environment_batch *batch, reader r, const char *prefix) {
    char name[64];
    snprintf(name, sizeof name, "%s_SCHEDULE_DELAY", prefix);
    pawl_environment_duration(r, name, PAWL_ZERO, &batch->delay_ns);
    snprintf(name, sizeof name, "%s_EXPORT_TIMEOUT", prefix);
    pawl_environment_duration(r, name, PAWL_UNLIMITED, &batch->timeout_ns);
    snprintf(name, sizeof name, "%s_MAX_QUEUE_SIZE", prefix);
    pawl_environment_number(r, name, 1, MOST_QUEUE, &batch->queue_size);
    snprintf(name, sizeof name, "%s_MAX_EXPORT_BATCH_SIZE", prefix);
    pawl_environment_number(r, name, 1, MOST_QUEUE, &batch->batch_size);
    uint64_t queue = batch->queue_size ? batch->queue_size : QUEUE_SIZE;
    if (batch->batch_size > queue) {
        pawl_environment_warn(r, "%s is more than the queue's size, %llu; that is used", name,
                              (unsigned long long)queue);
        batch->batch_size = queue;
    } else if (!batch->batch_size && queue < BATCH_SIZE) {
        batch->batch_size = queue;
    }
}

static void read_limit(reader r, const char *name, uint64_t *set) {
    pawl_environment_number(r, name, 0, MOST_COUNT, set);
}

static void read_limits(struct pawl_environment *e, reader r) {
    read_limit(r, "OTEL_ATTRIBUTE_COUNT_LIMIT", &e->any_attribute_count);
    read_limit(r, "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", &e->any_attribute_length);
    e->attribute_count = e->any_attribute_count;
    e->attribute_length = e->any_attribute_length;
    read_limit(r, "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", &e->attribute_count);
    read_limit(r, "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", &e->attribute_length);
    read_limit(r, "OTEL_SPAN_EVENT_COUNT_LIMIT", &e->event_count);
    read_limit(r, "OTEL_SPAN_LINK_COUNT_LIMIT", &e->link_count);
    read_limit(r, "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", &e->event_attribute_count);
    read_limit(r, "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", &e->link_attribute_count);
}

static void read_metrics(struct pawl_environment *e, reader r) {
    pawl_environment_duration(r, "OTEL_METRIC_EXPORT_INTERVAL", 0, &e->export_interval_ns);
    pawl_environment_duration(r, "OTEL_METRIC_EXPORT_TIMEOUT", PAWL_UNLIMITED, &e->export_timeout_ns);
    pawl_environment_word(r, "OTEL_METRICS_EXEMPLAR_FILTER", "trace_based always_on always_off", &e->exemplars);
    e->prometheus_host = pawl_environment_text(r, "OTEL_EXPORTER_PROMETHEUS_HOST");
    pawl_environment_number(r, "OTEL_EXPORTER_PROMETHEUS_PORT", 0, 65535, &e->prometheus_port);
}

/* The resource reads it; what is wrong with it is told here. Never what is in it. False without memory. */
static bool check_resource(reader r) {
    static const char name[] = "OTEL_RESOURCE_ATTRIBUTES";
    const char *text = pawl_environment_text(r, name);
    unsigned wrong = 0;
    if (text && pawl_resource_check_listed(text, &wrong, NULL) != PAWL_OK)
        return false;
    if (wrong)
        pawl_environment_warn(r,
                              "%s: entry %u is no key=value with what is special percent-encoded, or more than 100 "
                              "are given; all of it is left out",
                              name, wrong);
    return true;
}

bool pawl_environment_read(struct pawl_environment *environment, const struct pawl_environment_reader *from) {
    memset(environment, 0, sizeof *environment);
    pawl_environment_flag(from, "OTEL_SDK_DISABLED", &environment->disabled);
    pawl_environment_word(from, "OTEL_LOG_LEVEL", "none error warn info debug", &environment->log_level);
    environment->config_file = pawl_environment_text(from, "OTEL_CONFIG_FILE");
    read_propagators(environment, from);
    read_sampler(environment, from);
    read_exporters(environment, from);
    read_batch(&environment->spans, from, "OTEL_BSP");
    read_batch(&environment->records, from, "OTEL_BLRP");
    read_limits(environment, from);
    read_metrics(environment, from);
    return check_resource(from) && pawl_environment_read_otlp(environment, from);
}

void pawl_environment_finish(struct pawl_environment *environment) {
    for (size_t i = 0; i < PAWL_OTLP_SIGNALS; i++)
        if (environment->signals[i].headers.list != environment->base.headers.list)
            free(environment->signals[i].headers.list);
    free(environment->base.headers.list);
}
