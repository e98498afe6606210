/* One call that sets everything up, and its handle, which lives as long as somebody or the runtime holds it. */
#include "engine_internal.h"
#include "export_internal.h"
#include "logs_internal.h"
#include "metrics_internal.h"
#include "options_internal.h"
#include "setup_internal.h"
#include <stdlib.h>
#include <string.h>

/* ---- life ---- */

pawl_observability *pawl_observability_ref(pawl_observability *observability) {
    if (observability)
        atomic_fetch_add_explicit(&observability->refs, 1, memory_order_relaxed);
    return observability;
}

pawl_observability *pawl_observability_unref(pawl_observability *o) {
    if (!o || atomic_fetch_sub_explicit(&o->refs, 1, memory_order_acq_rel) != 1)
        return NULL;
    pawl_metrics_listener_unref(o->listener);
    pawl_metrics_unobserve_tracer(o->metrics, o->tracer);
    pawl_metrics_unobserve_logs(o->metrics, o->logs);
    pawl_tracer_unref(o->tracer);
    pawl_logs_unref(o->logs);
    pawl_metrics_unref(o->metrics);
    pawl_resource_unref(o->resource);
    pawl_environment_finish(&o->environment);
    if (!pawl_setup_release_routes(o)) /* a thread that was given up may still speak */
        return NULL;
    pthread_mutex_destroy(&o->voice.lock);
    free(o);
    return NULL;
}

static void forget_runtime(pawl_observability *o) {
    pthread_mutex_lock(&o->voice.lock);
    o->voice.runtime = NULL;
    pthread_mutex_unlock(&o->voice.lock);
    atomic_store(&o->runtime, NULL);
}

/* ---- observers that hear no spans ---- */

static pawl_sample want_none(void *self, const pawl_sampling *question, char **ret_tracestate) {
    (void)self, (void)question, (void)ret_tracestate;
    return PAWL_SAMPLE_DROP;
}

/* Without a say it would be told of every trace, and have spans made of one that nobody records. Where no tracer has
 * one, it would be the only one that has, and call every trace not sampled. The runtime holds the handle meanwhile. */
static pawl_status add_observer(pawl_observability *o, pawl_observer_vtable *observer, pawl_error **err) {
    observer->sample = o->tracer ? want_none : NULL;
    pawl_status status = pawl_runtime_add_observer(o->runtime, observer, o, err);
    if (status == PAWL_OK)
        pawl_observability_ref(o);
    return status;
}

/* ---- the first observer of ours: what the parts do in turn begins together, so that a collector that is dead for one
 * of them costs the others nothing, and all of them no more than the longest time of one ---- */

static pawl_status begin_flush(void *self, uint64_t timeout_ns, pawl_error **err) {
    const pawl_observability *o = self;
    (void)err;
    if (o->logs)
        pawl_logs_prepare_flush(o->logs);
    if (o->metrics)
        pawl_metrics_prepare_flush(o->metrics, timeout_ns);
    return PAWL_OK;
}

static void begin_end(void *self) {
    pawl_observability *o = self;
    if (o->logs)
        pawl_logs_prepare_end(o->logs);
    if (o->metrics)
        pawl_metrics_prepare_end(o->metrics);
    pawl_observability_unref(o);
}

pawl_status pawl_setup_herald(pawl_observability *o, pawl_error **err) {
    pawl_observer_vtable observer = {.size = sizeof observer, .destroy = begin_end, .flush = begin_flush};
    pawl_status status = o->has_herald ? PAWL_OK : add_observer(o, &observer, err);
    o->has_herald = status == PAWL_OK;
    return status;
}

/* ---- the last one ---- */

/* The others have ended, and the endpoint would keep the metrics. */
static void end(void *self) {
    pawl_observability *o = self;
    o->listener = pawl_metrics_listener_unref(o->listener);
    forget_runtime(o);
    pawl_observability_unref(o);
}

static bool is_attached(const pawl_observability *o) {
    return o->tracer || o->metrics || o->logs;
}

/* An observer that hears nothing would still make spans. */
static pawl_status attach_end(pawl_observability *o, pawl_error **err) {
    pawl_observer_vtable observer = {.size = sizeof observer, .destroy = end};
    if (is_attached(o))
        return add_observer(o, &observer, err);
    forget_runtime(o);
    return PAWL_OK;
}

/* ---- setting up ---- */

static void warn(void *user, const char *text) {
    pawl_observability *o = user;
    pawl_voice_say(&o->voice, text);
}

/* What is wrong is told only when that is known to be wanted, which is one of the variables. */
static pawl_status read_environment(pawl_observability *o, pawl_error **err) {
    struct pawl_environment_reader reader = {.get = pawl_environment_getenv, .user = o};
    uint64_t level = 0;
    pawl_environment_word(&reader, "OTEL_LOG_LEVEL", "none error warn info debug", &level);
    o->voice.silent = level != 0 && level < PAWL_ENVIRONMENT_LOG_WARN;
    reader.warn = warn;
    if (!pawl_environment_read(&o->environment, &reader))
        return pawl_error_set(err, PAWL_E_NOMEM, "observe: out of memory");
    if (o->environment.config_file)
        return pawl_error_set(err, PAWL_E_UNSUPPORTED,
                              "observe: OTEL_CONFIG_FILE is set, and pawl reads no such files; unset it and use the "
                              "other OTEL_* variables");
    return PAWL_OK;
}

static void set_propagation(const pawl_observability *o, pawl_runtime *runtime) {
    uint64_t said = o->environment.propagators;
    if (said)
        pawl_runtime_set_propagation(runtime, (said & PAWL_ENVIRONMENT_TRACECONTEXT ? PAWL_PROPAGATE_TRACE : 0u) |
                                                  (said & PAWL_ENVIRONMENT_BAGGAGE ? PAWL_PROPAGATE_BAGGAGE : 0u));
}

static pawl_status make_resource(pawl_observability *o, pawl_error **err) {
    const pawl_observe_options *options = &o->options;
    o->resource = options->resource ? pawl_resource_ref(options->resource)
                                    : pawl_resource_with(err, .service_name = options->service_name,
                                                         .service_version = options->service_version,
                                                         .attributes = options->attributes,
                                                         .attribute_count = options->attribute_count,
                                                         .read_environment = options->read_environment);
    return o->resource ? PAWL_OK : pawl_error_status(*err);
}

static pawl_status set_up(pawl_observability *o, pawl_error **err) {
    pawl_status status = o->options.read_environment ? read_environment(o, err) : PAWL_OK;
    if (status == PAWL_OK)
        status = make_resource(o, err);
    if (status == PAWL_OK)
        status = pawl_setup_routes(o, err);
    if (status == PAWL_OK)
        status = pawl_setup_parts(o, err);
    return status == PAWL_OK ? attach_end(o, err) : status;
}

static pawl_status check(const pawl_observe_options *o, pawl_error **err) {
    if (o->exporter_count > PAWL_SETUP_GIVEN || (o->exporter_count > 0 && !o->exporters))
        return pawl_error_set(err, PAWL_E_INVALID, "observe: give at most %u exporters", PAWL_SETUP_GIVEN);
    for (uint64_t i = 0; i < o->exporter_count; i++)
        if (!o->exporters[i])
            return pawl_error_set(err, PAWL_E_INVALID, "observe: exporter %llu is NULL", (unsigned long long)i);
    return PAWL_OK;
}

static pawl_observability *make(pawl_runtime *runtime, const pawl_observe_options *options) {
    pawl_observability *o = calloc(1, sizeof *o);
    if (!o)
        return NULL;
    atomic_init(&o->refs, 1);
    atomic_init(&o->runtime, runtime);
    o->options = *options;
    o->options.console = options->console ? options->console : pawl_console_stdout;
    pthread_mutex_init(&o->voice.lock, NULL);
    o->voice.runtime = runtime;
    o->voice.warn = options->warn;
    o->voice.user = options->warn_user;
    return o;
}

/* What the caller's options point to is not kept. */
static void forget_pointers(pawl_observability *o) {
    o->options = (pawl_observe_options){.size = sizeof o->options};
}

/* What is attached already may speak until the runtime ends. */
static void give_up(pawl_observability *o) {
    if (attach_end(o, NULL) != PAWL_OK)
        forget_runtime(o);
    pawl_observability_unref(o);
}

pawl_observability *pawl_observability_new(pawl_runtime *runtime, const pawl_observe_options *options,
                                           pawl_error **err) {
    pawl_observe_options known;
    if (!pawl_runtime_is_usable(runtime, err) ||
        pawl_options_copy(&known, sizeof known, options, "observe", err) != PAWL_OK || check(&known, err) != PAWL_OK)
        return NULL;
    pawl_observability *o = make(runtime, &known);
    pawl_error *error = NULL;
    if (!o) {
        pawl_error_set(err, PAWL_E_NOMEM, "observe: out of memory");
        return NULL;
    }
    pawl_status status = set_up(o, &error);
    forget_pointers(o);
    if (status == PAWL_OK) {
        set_propagation(o, runtime);
    } else {
        give_up(o);
        if (err)
            *err = pawl_error_ref(error);
        o = NULL;
    }
    pawl_error_unref(error);
    return o;
}

/* ---- using it ---- */

pawl_status pawl_observability_flush(pawl_observability *observability, uint64_t timeout_ns, pawl_error **err) {
    pawl_runtime *runtime = observability ? atomic_load(&observability->runtime) : NULL;
    if (!observability)
        return pawl_error_set(err, PAWL_E_INVALID, "observe: it is NULL; pass what pawl_observe() gave");
    return runtime ? pawl_runtime_flush(runtime, timeout_ns, err) : PAWL_OK;
}

pawl_status pawl_observability_shutdown(pawl_observability *observability, uint64_t timeout_ns, pawl_error **err) {
    pawl_status status = pawl_observability_flush(observability, timeout_ns, err);
    for (size_t i = 0; observability && i < PAWL_OTLP_SIGNALS; i++)
        for (size_t j = 0; j < observability->routes[i].count; j++)
            pawl_exporter_cancel(observability->routes[i].list[j]);
    return status;
}

pawl_tracer *pawl_observability_tracer(const pawl_observability *observability) {
    return observability ? observability->tracer : NULL;
}

pawl_metrics *pawl_observability_metrics(const pawl_observability *observability) {
    return observability ? observability->metrics : NULL;
}

pawl_logs *pawl_observability_logs(const pawl_observability *observability) {
    return observability ? observability->logs : NULL;
}

pawl_metrics_listener *pawl_observability_listener(const pawl_observability *observability) {
    return observability ? observability->listener : NULL;
}

pawl_resource *pawl_observability_resource(const pawl_observability *observability) {
    return observability ? observability->resource : NULL;
}

bool pawl_context_extract_environment(pawl_context *ctx) {
    return pawl_context_extract(ctx, getenv("TRACEPARENT"), getenv("TRACESTATE"), getenv("BAGGAGE"));
}
