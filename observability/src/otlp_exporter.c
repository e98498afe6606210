/* The OTLP/HTTP exporter: its options, checked and copied; its figures. */
#include "export_internal.h"
#include "http_internal.h"
#include "options_internal.h"
#include "otlp_exporter_internal.h"
#include <pawl/version.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define USUAL_BYTES PAWL_MIB(16) /* OpenTelemetry's collector takes 20 MiB, unless it is told otherwise */
#define MOST_BYTES PAWL_MIB(64)
#define USER_AGENT "pawl/" PAWL_VERSION_STRING " OTel-OTLP-Exporter-C/" PAWL_VERSION_STRING

static pawl_status export_spans(void *self, const pawl_resource *resource, const pawl_span_data *spans, size_t count,
                                uint64_t timeout_ns, pawl_error **err) {
    return pawl_otlp_export(self, PAWL_OTLP_TRACES, resource, spans, count, timeout_ns, err);
}

static pawl_status export_metrics(void *self, const pawl_resource *resource, const pawl_metric_data *metrics,
                                  size_t count, uint64_t timeout_ns, pawl_error **err) {
    return pawl_otlp_export(self, PAWL_OTLP_METRICS, resource, metrics, count, timeout_ns, err);
}

static pawl_status export_logs(void *self, const pawl_resource *resource, const pawl_log_data *logs, size_t count,
                               uint64_t timeout_ns, pawl_error **err) {
    return pawl_otlp_export(self, PAWL_OTLP_LOGS, resource, logs, count, timeout_ns, err);
}

/* ---- making ---- */

static void cancel(void *self) {
    pawl_otlp_transport_cancel(&((struct pawl_otlp_exporter *)self)->transport);
}

static void destroy(void *self) {
    struct pawl_otlp_exporter *otlp = self;
    pawl_otlp_transport_finish(&otlp->transport);
    for (size_t i = 0; i < PAWL_OTLP_SIGNALS; i++)
        free(otlp->urls[i]);
    for (size_t i = 0; i < otlp->copied_headers; i++) {
        free((char *)otlp->headers[i].name);
        free((char *)otlp->headers[i].value);
    }
    free(otlp->ca_file);
    free(otlp->client_cert_file);
    free(otlp->client_key_file);
    free(otlp);
}

static pawl_status no_memory(pawl_error **err) {
    return pawl_error_set(err, PAWL_E_NOMEM, "otlp exporter: out of memory");
}

static char *copy_text(const char *text) {
    size_t size = strlen(text) + 1;
    char *copy = malloc(size);
    return copy ? memcpy(copy, text, size) : NULL;
}

static bool copy_optional(char **ret_copy, const char *text) {
    bool given = text && *text;
    *ret_copy = given ? copy_text(text) : NULL;
    return *ret_copy || !given;
}

static pawl_status check_options(const pawl_otlp_options *o, pawl_error **err) {
    if (o->protocol > PAWL_OTLP_JSON)
        return pawl_error_set(err, PAWL_E_INVALID, "otlp exporter: protocol %llu is none of pawl_otlp_protocol",
                              (unsigned long long)o->protocol);
    if (o->header_count > PAWL_OTLP_HEADERS)
        return pawl_error_set(err, PAWL_E_LIMIT, "otlp exporter: more than %u headers", PAWL_OTLP_HEADERS);
    if (o->max_request_bytes > MOST_BYTES)
        return pawl_error_set(err, PAWL_E_INVALID, "otlp exporter: max_request_bytes is over 64 MiB, OTLP's bound");
    pawl_http_request request = {
        .size = sizeof request, .url = "http://x", .headers = o->headers, .header_count = o->header_count};
    pawl_status status = pawl_http_request_check(&request, "otlp exporter", err);
    for (uint64_t i = 0; status == PAWL_OK && i < o->header_count; i++)
        if (strcasecmp(o->headers[i].name, "content-type") == 0 ||
            strcasecmp(o->headers[i].name, "content-encoding") == 0)
            status = pawl_error_set(err, PAWL_E_INVALID, "otlp exporter: header '%s' follows from protocol and gzip",
                                    o->headers[i].name);
    return status;
}

static pawl_status make_urls(struct pawl_otlp_exporter *otlp, const pawl_otlp_options *o, pawl_error **err) {
    const char *const given[] = {o->traces_endpoint, o->metrics_endpoint, o->logs_endpoint};
    const char *base = o->endpoint && *o->endpoint ? o->endpoint : "http://localhost:4318";
    pawl_status status = PAWL_OK;
    for (size_t i = 0; status == PAWL_OK && i < PAWL_OTLP_SIGNALS; i++) {
        otlp->urls[i] = pawl_otlp_url(base, given[i], (enum pawl_otlp_signal)i);
        pawl_http_request request = {.size = sizeof request, .url = otlp->urls[i]};
        status = otlp->urls[i] ? pawl_http_request_check(&request, pawl_otlp_names[i], err) : no_memory(err);
    }
    return status;
}

static pawl_status copy_headers(struct pawl_otlp_exporter *otlp, const pawl_otlp_options *o, pawl_error **err) {
    bool has_agent = false;
    for (uint64_t i = 0; i < o->header_count; i++) {
        char *name = copy_text(o->headers[i].name), *value = copy_text(o->headers[i].value);
        otlp->headers[otlp->copied_headers++] = (pawl_http_header){name, value};
        if (!name || !value)
            return no_memory(err);
        has_agent = has_agent || strcasecmp(name, "user-agent") == 0;
    }
    size_t at = otlp->copied_headers;
    if (!has_agent)
        otlp->headers[at++] = (pawl_http_header){"User-Agent", USER_AGENT};
    otlp->headers[at++] = (pawl_http_header){"Content-Type", o->protocol == PAWL_OTLP_JSON ? "application/json"
                                                                                           : "application/x-protobuf"};
    otlp->headers[at++] = (pawl_http_header){"Content-Encoding", "gzip"};
    otlp->header_count = at;
    return PAWL_OK;
}

static pawl_status fill(struct pawl_otlp_exporter *otlp, const pawl_otlp_options *o, pawl_error **err) {
    pawl_status status = make_urls(otlp, o, err);
    if (status == PAWL_OK)
        status = copy_headers(otlp, o, err);
    if (status == PAWL_OK &&
        (!copy_optional(&otlp->ca_file, o->ca_file) || !copy_optional(&otlp->client_cert_file, o->client_cert_file) ||
         !copy_optional(&otlp->client_key_file, o->client_key_file)))
        status = no_memory(err);
    otlp->options = *o;
    otlp->options.max_request_bytes = o->max_request_bytes ? o->max_request_bytes : USUAL_BYTES;
    return status;
}

#define VTABLE(text)                                                                                                   \
    {                                                                                                                  \
        .size = sizeof(pawl_exporter_vtable), .name = text, .spans = export_spans, .metrics = export_metrics,          \
        .logs = export_logs, .cancel = cancel, .destroy = destroy                                                      \
    }
static const pawl_exporter_vtable vtables[] = {
    [PAWL_OTLP_PROTOBUF] = VTABLE("otlp_http_exporter"), [PAWL_OTLP_JSON] = VTABLE("otlp_http_json_exporter")};

pawl_exporter *pawl_otlp_exporter_new(const pawl_otlp_options *options, pawl_error **err) {
    pawl_otlp_options known;
    if (pawl_options_copy(&known, sizeof known, options, "otlp exporter", err) != PAWL_OK ||
        check_options(&known, err) != PAWL_OK)
        return NULL;
    struct pawl_otlp_exporter *otlp = calloc(1, sizeof *otlp);
    if (!otlp) {
        no_memory(err);
        return NULL;
    }
    pawl_otlp_transport_init(&otlp->transport);
    if (fill(otlp, &known, err) == PAWL_OK)
        return pawl_exporter_new(&vtables[known.protocol], otlp, err);
    destroy(otlp);
    return NULL;
}

struct pawl_otlp_transport *pawl_otlp_transport_of(const pawl_exporter *exporter) {
    struct pawl_otlp_exporter *otlp = pawl_exporter_self(exporter, destroy);
    return otlp ? &otlp->transport : NULL;
}

/* ---- figures ---- */

static pawl_otlp_counts read_counts(struct pawl_otlp_counters *c) {
    return (pawl_otlp_counts){.requests = atomic_load(&c->tries.all),
                              .retries = atomic_load(&c->tries.again),
                              .sent = atomic_load(&c->sent),
                              .rejected = atomic_load(&c->rejected),
                              .dropped_too_large = atomic_load(&c->too_large),
                              .dropped_refused = atomic_load(&c->refused),
                              .dropped_unavailable = atomic_load(&c->unavailable),
                              .dropped_cancelled = atomic_load(&c->cancelled)};
}

pawl_status pawl_otlp_exporter_get_stats(const pawl_exporter *exporter, pawl_otlp_stats *ret_stats, pawl_error **err) {
    struct pawl_otlp_exporter *otlp = exporter && ret_stats ? pawl_exporter_self(exporter, destroy) : NULL;
    if (!otlp)
        return pawl_error_set(err, PAWL_E_INVALID, "otlp exporter: it was not made by pawl_otlp_exporter_new()");
    pawl_otlp_stats stats = {.size = ret_stats->size,
                             .traces = read_counts(&otlp->counts[PAWL_OTLP_TRACES]),
                             .metrics = read_counts(&otlp->counts[PAWL_OTLP_METRICS]),
                             .logs = read_counts(&otlp->counts[PAWL_OTLP_LOGS])};
    memcpy(ret_stats, &stats, stats.size < sizeof stats ? stats.size : sizeof stats);
    return PAWL_OK;
}
