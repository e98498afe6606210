/* Where spans, metrics and log records go: files first, since they are fast, then code's exporters, then collectors. */
#include "export_internal.h"
#include "options_internal.h"
#include "setup_internal.h"
#include <stdio.h>
#include <string.h>

/* Takes the exporter; NULL is a failure told in err. */
static pawl_status add(struct pawl_route *route, pawl_exporter *exporter, pawl_error **err) {
    if (!exporter)
        return pawl_error_status(*err);
    route->list[route->count++] = exporter; /* code's are at most 4, ours 4 */
    return PAWL_OK;
}

/* ---- what is asked for ---- */

/* A signal's exporters by the environment, PAWL_ENVIRONMENT_ bits. */
static uint64_t wanted(const pawl_observability *o, enum pawl_otlp_signal signal) {
    const struct pawl_environment *e = &o->environment;
    const uint64_t off[PAWL_OTLP_SIGNALS] = {o->options.no_traces, o->options.no_metrics, o->options.no_logs};
    if (off[signal] || e->disabled)
        return 0;
    if (e->exporters[signal])
        return e->exporters[signal];
    return e->base.endpoint || e->signals[signal].endpoint ? PAWL_ENVIRONMENT_OTLP : 0;
}

/* ---- OTLP ---- */

static void fill_endpoints(pawl_otlp_options *set, const struct pawl_environment *e) {
    bool none = !set->endpoint;
    set->endpoint = none ? e->base.endpoint : set->endpoint;
    if (none && !set->traces_endpoint)
        set->traces_endpoint = e->signals[PAWL_OTLP_TRACES].endpoint;
    if (none && !set->metrics_endpoint)
        set->metrics_endpoint = e->signals[PAWL_OTLP_METRICS].endpoint;
    if (none && !set->logs_endpoint)
        set->logs_endpoint = e->signals[PAWL_OTLP_LOGS].endpoint;
}

/* What code leaves open. */
static void fill_otlp(pawl_otlp_options *set, const struct pawl_environment_otlp *from) {
    if (!set->protocol)
        set->protocol = from->protocol == PAWL_ENVIRONMENT_JSON ? PAWL_OTLP_JSON : PAWL_OTLP_PROTOBUF;
    if (!set->gzip)
        set->gzip = from->compression == PAWL_ENVIRONMENT_GZIP;
    if (!set->timeout_ns)
        set->timeout_ns = from->timeout_ns;
    if (!set->header_count) {
        set->headers = from->headers.list;
        set->header_count = from->headers.count;
    }
    set->ca_file = set->ca_file ? set->ca_file : from->ca_file;
    set->client_key_file = set->client_key_file ? set->client_key_file : from->client_key_file;
    set->client_cert_file = set->client_cert_file ? set->client_cert_file : from->client_cert_file;
}

static bool are_same(const struct pawl_environment_otlp *a, const struct pawl_environment_otlp *b) {
    return a->protocol == b->protocol && a->compression == b->compression && a->timeout_ns == b->timeout_ns &&
           a->ca_file == b->ca_file && a->client_key_file == b->client_key_file &&
           a->client_cert_file == b->client_cert_file && a->headers.list == b->headers.list;
}

static pawl_exporter *make_otlp(pawl_observability *o, enum pawl_otlp_signal signal, pawl_error **err) {
    pawl_otlp_options options;
    if (pawl_options_copy(&options, sizeof options, o->options.otlp, "observe: otlp", err) != PAWL_OK)
        return NULL;
    options.size = sizeof options;
    fill_endpoints(&options, &o->environment);
    fill_otlp(&options, &o->environment.signals[signal]);
    if (!options.on_error) {
        options.on_error = pawl_voice_tell;
        options.user = &o->voice;
    }
    return pawl_otlp_exporter_new(&options, err);
}

/* Signals with the same settings share an exporter and its connection. */
static pawl_exporter *otlp_for(pawl_observability *o, enum pawl_otlp_signal signal, pawl_error **err) {
    for (size_t i = 0; i < (size_t)signal; i++)
        if (o->otlp[i] && are_same(&o->environment.signals[i], &o->environment.signals[signal]))
            return pawl_exporter_ref(o->otlp[i]);
    return make_otlp(o, signal, err);
}

/* What is wrong in the environment costs telemetry, not the program. */
static pawl_status add_otlp(pawl_observability *o, enum pawl_otlp_signal signal, pawl_error **err) {
    pawl_error *error = NULL;
    pawl_exporter *exporter = otlp_for(o, signal, &error);
    if (exporter) {
        o->otlp[signal] = pawl_exporter_ref(exporter);
        return add(&o->routes[signal], exporter, err);
    }
    pawl_status status = pawl_error_status(error);
    if (o->options.otlp || status == PAWL_E_NOMEM) {
        *err = error;
        return status;
    }
    pawl_voice_say(&o->voice, pawl_error_message(error));
    pawl_error_unref(error);
    return PAWL_OK;
}

/* ---- the rest ---- */

static pawl_status add_files(pawl_observability *o, pawl_error **err) {
    struct pawl_route *route = &o->routes[PAWL_OTLP_TRACES];
    pawl_status status = PAWL_OK;
    if (o->options.trace_file)
        status = add(route, pawl_trace_file_new(o->options.trace_file, NULL, err), err);
    if (status == PAWL_OK && o->options.chrome_trace)
        status = add(route, pawl_chrome_trace_new(o->options.chrome_trace, NULL, err), err);
    return status;
}

static bool takes(const pawl_exporter *exporter, enum pawl_otlp_signal signal) {
    const pawl_exporter_vtable *vtable = pawl_exporter_vtable_of(exporter);
    return signal == PAWL_OTLP_TRACES    ? vtable->spans != NULL
           : signal == PAWL_OTLP_METRICS ? vtable->metrics != NULL
                                         : vtable->logs != NULL;
}

static void add_given(pawl_observability *o, enum pawl_otlp_signal signal) {
    struct pawl_route *route = &o->routes[signal];
    for (uint64_t i = 0; i < o->options.exporter_count; i++)
        if (takes(o->options.exporters[i], signal))
            route->list[route->count++] = pawl_exporter_ref(o->options.exporters[i]);
}

static pawl_status add_signal(pawl_observability *o, enum pawl_otlp_signal signal, pawl_error **err) {
    struct pawl_route *route = &o->routes[signal];
    uint64_t bits = wanted(o, signal);
    bool by_code = signal != PAWL_OTLP_LOGS || o->options.logs;
    const uint64_t off[PAWL_OTLP_SIGNALS] = {o->options.no_traces, o->options.no_metrics, o->options.no_logs};
    if (off[signal])
        return PAWL_OK;
    if (by_code && !o->environment.disabled)
        add_given(o, signal);
    pawl_status status = PAWL_OK;
    if (bits & PAWL_ENVIRONMENT_STDOUT)
        status = add(route, pawl_trace_lines_new(o->options.console, o->options.console_user, err), err);
    bool otlp = (bits & PAWL_ENVIRONMENT_OTLP) || (by_code && o->options.otlp && !o->environment.disabled);
    if (status == PAWL_OK && otlp)
        status = add_otlp(o, signal, err);
    route->console = (bits & PAWL_ENVIRONMENT_CONSOLE) != 0;
    if (status == PAWL_OK && route->console && signal == PAWL_OTLP_TRACES && route->count == 0)
        status = add(route, pawl_console_spans_new(err), err);
    if (status == PAWL_OK && route->console && signal == PAWL_OTLP_METRICS)
        status = add(route, pawl_console_metrics_new(o->options.console, o->options.console_user, err), err);
    return status;
}

pawl_status pawl_setup_routes(pawl_observability *o, pawl_error **err) {
    pawl_status status = o->options.no_traces ? PAWL_OK : add_files(o, err);
    for (int i = 0; status == PAWL_OK && i < PAWL_OTLP_SIGNALS; i++)
        status = add_signal(o, (enum pawl_otlp_signal)i, err);
    o->wants_prometheus = (wanted(o, PAWL_OTLP_METRICS) & PAWL_ENVIRONMENT_PROMETHEUS) && !o->options.no_listen;
    return status;
}

bool pawl_setup_release_routes(pawl_observability *o) {
    bool last = true;
    for (size_t i = 0; i < PAWL_OTLP_SIGNALS; i++)
        for (size_t j = 0; j < o->routes[i].count; j++)
            pawl_exporter_unref(o->routes[i].list[j]);
    for (size_t i = 0; i < PAWL_OTLP_SIGNALS; i++) {
        bool shared = false;
        for (size_t j = i + 1; j < PAWL_OTLP_SIGNALS; j++)
            shared |= o->otlp[j] == o->otlp[i];
        last &= !o->otlp[i] || shared || pawl_exporter_is_alone(o->otlp[i]);
        pawl_exporter_unref(o->otlp[i]);
    }
    return last;
}
