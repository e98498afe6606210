/* OTEL_EXPORTER_OTLP_*: each for all signals, and for one, which beats it. */
#include "environment_internal.h"
#include "http_internal.h"
#include <stdio.h>

struct name {
    char text[80];
};

static struct name name_of(const char *signal, const char *what) {
    struct name name;
    snprintf(name.text, sizeof name.text, "OTEL_EXPORTER_OTLP_%s%s", signal, what);
    return name;
}

static const char *read_endpoint(const struct pawl_environment_reader *reader, const char *name) {
    pawl_http_request request = {.size = sizeof request, .url = pawl_environment_text(reader, name)};
    if (!request.url || pawl_http_request_check(&request, "", NULL) == PAWL_OK)
        return request.url;
    pawl_environment_warn(reader, "%s is no http:// or https:// address; it is left out", name);
    return NULL;
}

/* signal: "" or, say, "TRACES_". */
static bool read_one(struct pawl_environment_otlp *otlp, const struct pawl_environment_reader *reader,
                     const char *signal) {
    otlp->endpoint = read_endpoint(reader, name_of(signal, "ENDPOINT").text);
    pawl_environment_word(reader, name_of(signal, "PROTOCOL").text, "http/protobuf http/json", &otlp->protocol);
    pawl_environment_word(reader, name_of(signal, "COMPRESSION").text, "none gzip", &otlp->compression);
    pawl_environment_duration(reader, name_of(signal, "TIMEOUT").text, PAWL_UNLIMITED, &otlp->timeout_ns);
    otlp->ca_file = pawl_environment_text(reader, name_of(signal, "CERTIFICATE").text);
    otlp->client_key_file = pawl_environment_text(reader, name_of(signal, "CLIENT_KEY").text);
    otlp->client_cert_file = pawl_environment_text(reader, name_of(signal, "CLIENT_CERTIFICATE").text);
    return pawl_environment_pairs(reader, name_of(signal, "HEADERS").text, &otlp->headers);
}

static void inherit(struct pawl_environment_otlp *own, const struct pawl_environment_otlp *base) {
    own->protocol = own->protocol ? own->protocol : base->protocol;
    own->compression = own->compression ? own->compression : base->compression;
    own->timeout_ns = own->timeout_ns ? own->timeout_ns : base->timeout_ns;
    own->ca_file = own->ca_file ? own->ca_file : base->ca_file;
    own->client_key_file = own->client_key_file ? own->client_key_file : base->client_key_file;
    own->client_cert_file = own->client_cert_file ? own->client_cert_file : base->client_cert_file;
    own->headers = own->headers.list ? own->headers : base->headers;
}

bool pawl_environment_read_otlp(struct pawl_environment *environment, const struct pawl_environment_reader *reader) {
    static const char *const signals[PAWL_OTLP_SIGNALS] = {"TRACES_", "METRICS_", "LOGS_"};
    bool whole = read_one(&environment->base, reader, "");
    for (size_t i = 0; i < PAWL_OTLP_SIGNALS; i++) {
        whole &= read_one(&environment->signals[i], reader, signals[i]);
        inherit(&environment->signals[i], &environment->base);
    }
    pawl_environment_word(reader, "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "cumulative delta lowmemory",
                          &environment->temporality);
    pawl_environment_word(reader, "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION",
                          "explicit_bucket_histogram base2_exponential_bucket_histogram", &environment->histogram);
    return whole;
}
