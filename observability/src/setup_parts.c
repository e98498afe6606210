/* Tracer, metrics and log processor: what code says, then what the environment says, then the defaults. */
#include "export_internal.h"
#include "options_internal.h"
#include "setup_internal.h"

static uint64_t either(uint64_t code, uint64_t environment) {
    return code ? code : environment;
}

/* A count that may be PAWL_ZERO. */
static uint64_t at_most(uint64_t count, uint64_t most) {
    return count != PAWL_ZERO && count > most ? most : count;
}

static void fit_batch(uint64_t *batch, uint64_t queue) {
    if (queue && *batch > queue)
        *batch = queue;
}

/* ---- spans ---- */

static pawl_sampler *root_sampler(const struct pawl_environment *e, pawl_error **err) {
    switch (e->sampler) {
    case PAWL_ENVIRONMENT_NEVER:
    case PAWL_ENVIRONMENT_PARENT_NEVER:
        return pawl_sampler_never(err);
    case PAWL_ENVIRONMENT_RATIO:
    case PAWL_ENVIRONMENT_PARENT_RATIO:
        return pawl_sampler_ratio(e->sampler_ratio, err);
    default:
        return pawl_sampler_always(err);
    }
}

/* NULL without an error: the tracer's default. */
static pawl_sampler *sampler_of(const struct pawl_environment *e, pawl_error **err) {
    pawl_sampler *root = e->sampler ? root_sampler(e, err) : NULL;
    if (!root || e->sampler < PAWL_ENVIRONMENT_PARENT_ALWAYS)
        return root;
    pawl_sampler *sampler = pawl_sampler_parent_based(err, .root = root);
    pawl_sampler_unref(root);
    return sampler;
}

static void fill_limits(pawl_tracer_options *set, const struct pawl_environment *e) {
    const uint64_t most = PAWL_SPAN_ATTRIBUTES;
    set->attribute_count_limit = either(set->attribute_count_limit, at_most(e->attribute_count, most));
    set->event_count_limit = either(set->event_count_limit, at_most(e->event_count, most));
    set->link_count_limit = either(set->link_count_limit, at_most(e->link_count, most));
    set->event_attribute_count_limit =
        either(set->event_attribute_count_limit, at_most(e->event_attribute_count, most));
    set->link_attribute_count_limit = either(set->link_attribute_count_limit, at_most(e->link_attribute_count, most));
    set->attribute_value_length_limit = either(set->attribute_value_length_limit, e->attribute_length);
}

static void fill_tracer(pawl_tracer_options *set, const pawl_observability *o) {
    const struct pawl_environment_batch *batch = &o->environment.spans;
    uint64_t delay = batch->delay_ns == PAWL_ZERO ? PAWL_MS(1) : batch->delay_ns; /* the tracer's least */
    const struct pawl_route *route = &o->routes[PAWL_OTLP_TRACES];
    set->size = sizeof *set;
    set->exporters = route->list;
    set->exporter_count = route->count;
    set->resource = o->resource;
    set->schedule_delay_ns = either(set->schedule_delay_ns, delay);
    set->export_timeout_ns = either(set->export_timeout_ns, batch->timeout_ns);
    set->max_queue_size = either(set->max_queue_size, batch->queue_size);
    set->max_batch_size = either(set->max_batch_size, batch->batch_size);
    fit_batch(&set->max_batch_size, set->max_queue_size);
    set->shutdown_timeout_ns = either(set->shutdown_timeout_ns, o->options.shutdown_timeout_ns);
    fill_limits(set, &o->environment);
}

static pawl_status attach_tree(pawl_observability *o, pawl_error **err) {
    return o->routes[PAWL_OTLP_TRACES].console ? pawl_trace_tree(o->runtime, err, .write = o->options.console,
                                                                 .user = o->options.console_user, .sampled_only = 1)
                                               : PAWL_OK;
}

static pawl_status setup_tracer(pawl_observability *o, pawl_error **err) {
    pawl_tracer_options options;
    if (o->routes[PAWL_OTLP_TRACES].count == 0)
        return PAWL_OK;
    if (pawl_options_copy(&options, sizeof options, o->options.tracer, "observe: tracer", err) != PAWL_OK)
        return PAWL_E_INVALID;
    pawl_sampler *made = options.sampler ? NULL : sampler_of(&o->environment, err);
    if (*err)
        return pawl_error_status(*err);
    fill_tracer(&options, o);
    options.sampler = made ? made : options.sampler;
    o->tracer = pawl_tracer_new(&options, err);
    pawl_sampler_unref(made);
    if (!o->tracer)
        return pawl_error_status(*err);
    pawl_status status = pawl_setup_herald(o, err);
    if (status == PAWL_OK)
        status = pawl_tracer_attach(o->tracer, o->runtime, err);
    return status == PAWL_OK ? attach_tree(o, err) : status;
}

/* ---- metrics ---- */

static pawl_status start_export(pawl_observability *o, pawl_error **err) {
    const struct pawl_environment *e = &o->environment;
    const struct pawl_route *route = &o->routes[PAWL_OTLP_METRICS];
    pawl_metrics_export_options options;
    if (pawl_options_copy(&options, sizeof options, o->options.metrics_export, "observe: metrics_export", err) !=
        PAWL_OK)
        return PAWL_E_INVALID;
    if (route->count == 0)
        return PAWL_OK;
    options.size = sizeof options;
    options.exporters = route->list;
    options.exporter_count = route->count;
    options.resource = o->resource;
    options.interval_ns = either(options.interval_ns, e->export_interval_ns);
    options.timeout_ns = either(options.timeout_ns, e->export_timeout_ns);
    options.end_timeout_ns = either(options.end_timeout_ns, o->options.shutdown_timeout_ns);
    options.temporality = either(options.temporality, e->temporality ? e->temporality - 1 : 0);
    return pawl_metrics_export_start(o->metrics, &options, err);
}

/* The environment's host may be any: who sets it knows the network. */
static pawl_status listen_by_environment(pawl_observability *o) {
    const struct pawl_environment *e = &o->environment;
    pawl_error *error = NULL;
    o->listener =
        pawl_metrics_listen_with(o->metrics, &error, .address = e->prometheus_host, .port = e->prometheus_port,
                                 .allow_remote = e->prometheus_host != NULL, .resource = o->resource);
    if (error)
        pawl_voice_say(&o->voice, pawl_error_message(error));
    pawl_error_unref(error);
    return PAWL_OK;
}

static pawl_status listen_by_code(pawl_observability *o, pawl_error **err) {
    const struct pawl_environment *e = &o->environment;
    pawl_metrics_listen_options options;
    if (pawl_options_copy(&options, sizeof options, o->options.listen, "observe: listen", err) != PAWL_OK)
        return PAWL_E_INVALID;
    options.size = sizeof options;
    options.resource = options.resource ? options.resource : o->resource;
    options.runtime = NULL;
    options.port = either(options.port, e->prometheus_port);
    if (!options.address && e->prometheus_host) {
        options.address = e->prometheus_host;
        options.allow_remote = 1;
    }
    o->listener = pawl_metrics_listen(o->metrics, &options, err);
    return o->listener ? PAWL_OK : pawl_error_status(*err);
}

static pawl_status setup_listener(pawl_observability *o, pawl_error **err) {
    if (o->options.listen)
        return o->environment.disabled ? PAWL_OK : listen_by_code(o, err);
    return o->wants_prometheus ? listen_by_environment(o) : PAWL_OK;
}

static void tell_of_metrics(pawl_observability *o) {
    if (o->environment.exemplars == PAWL_ENVIRONMENT_EXEMPLARS_ALL)
        pawl_voice_say(&o->voice, "OTEL_METRICS_EXEMPLAR_FILTER is always_on: pawl remembers sampled traces alone");
    if (o->environment.histogram == PAWL_ENVIRONMENT_EXPONENTIAL)
        pawl_voice_say(&o->voice, "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION asks for exponential "
                                  "histograms: pawl's keep their own buckets");
}

static pawl_status setup_metrics(pawl_observability *o, pawl_error **err) {
    pawl_metrics_options options;
    bool listens = o->options.listen || o->wants_prometheus;
    if (o->options.no_metrics || (!o->options.metrics && !listens && o->routes[PAWL_OTLP_METRICS].count == 0))
        return PAWL_OK;
    if (pawl_options_copy(&options, sizeof options, o->options.metrics, "observe: metrics", err) != PAWL_OK)
        return PAWL_E_INVALID;
    options.size = sizeof options;
    options.no_exemplars = either(options.no_exemplars, o->environment.exemplars == PAWL_ENVIRONMENT_EXEMPLARS_NONE);
    tell_of_metrics(o);
    o->metrics = pawl_metrics_new(&options, err);
    if (!o->metrics)
        return pawl_error_status(*err);
    pawl_status status = pawl_setup_herald(o, err);
    if (status == PAWL_OK)
        status = pawl_metrics_attach(o->metrics, o->runtime, err);
    if (status == PAWL_OK && o->tracer)
        status = pawl_metrics_observe_tracer(o->metrics, o->tracer, err);
    if (status == PAWL_OK)
        status = start_export(o, err);
    return status == PAWL_OK ? setup_listener(o, err) : status;
}

/* ---- log records ---- */

static void fill_logs(pawl_logs_options *set, const pawl_observability *o) {
    const struct pawl_environment *e = &o->environment;
    const struct pawl_route *route = &o->routes[PAWL_OTLP_LOGS];
    set->size = sizeof *set;
    set->exporters = route->list;
    set->exporter_count = route->count;
    set->resource = o->resource;
    if (route->console && !set->write) {
        set->write = o->options.console;
        set->user = o->options.console_user;
    }
    set->schedule_delay_ns = either(set->schedule_delay_ns, e->records.delay_ns);
    set->export_timeout_ns = either(set->export_timeout_ns, e->records.timeout_ns);
    set->max_queue_size = either(set->max_queue_size, e->records.queue_size);
    set->max_batch_size = either(set->max_batch_size, e->records.batch_size);
    fit_batch(&set->max_batch_size, set->max_queue_size);
    set->shutdown_timeout_ns = either(set->shutdown_timeout_ns, o->options.shutdown_timeout_ns);
    set->attribute_count_limit =
        either(set->attribute_count_limit, at_most(e->any_attribute_count, PAWL_SPAN_ATTRIBUTES));
    set->attribute_value_length_limit = either(set->attribute_value_length_limit, e->any_attribute_length);
}

static pawl_status setup_logs(pawl_observability *o, pawl_error **err) {
    pawl_logs_options options;
    if (pawl_options_copy(&options, sizeof options, o->options.logs, "observe: logs", err) != PAWL_OK)
        return PAWL_E_INVALID;
    fill_logs(&options, o);
    if (o->options.no_logs || (options.exporter_count == 0 && !options.write))
        return PAWL_OK;
    o->logs = pawl_logs_new(&options, err);
    if (!o->logs)
        return pawl_error_status(*err);
    pawl_status status = pawl_logs_attach(o->logs, o->runtime, err);
    return status == PAWL_OK && o->metrics ? pawl_metrics_observe_logs(o->metrics, o->logs, err) : status;
}

/* Spans first, since they are flushed first. */
pawl_status pawl_setup_parts(pawl_observability *o, pawl_error **err) {
    pawl_status status = setup_tracer(o, err);
    if (status == PAWL_OK)
        status = setup_metrics(o, err);
    return status == PAWL_OK ? setup_logs(o, err) : status;
}
