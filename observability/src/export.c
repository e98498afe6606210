/* Exporters as counted objects; what one can do is in its vtable. */
#include "export_internal.h"
#include "options_internal.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

uint64_t pawl_export_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * PAWL_S(1) + (uint64_t)now.tv_nsec;
}

struct pawl_exporter {
    atomic_uint refs;
    pawl_exporter_vtable vtable;
    void *self;
};

pawl_exporter *pawl_exporter_new(const pawl_exporter_vtable *vtable, void *self, pawl_error **err) {
    pawl_exporter_vtable known;
    if (!vtable) {
        pawl_error_set(err, PAWL_E_INVALID, "exporter: the vtable is NULL");
        return NULL;
    }
    pawl_status status = pawl_options_copy(&known, sizeof known, vtable, "exporter: the vtable", err);
    pawl_exporter *exporter = status == PAWL_OK ? malloc(sizeof *exporter) : NULL;
    if (exporter) {
        atomic_init(&exporter->refs, 1);
        exporter->vtable = known;
        exporter->self = self;
        return exporter;
    }
    if (status == PAWL_OK)
        pawl_error_set(err, PAWL_E_NOMEM, "exporter: out of memory");
    if (known.destroy)
        known.destroy(self);
    return NULL;
}

pawl_exporter *pawl_exporter_ref(pawl_exporter *exporter) {
    if (exporter)
        atomic_fetch_add_explicit(&exporter->refs, 1, memory_order_relaxed);
    return exporter;
}

pawl_exporter *pawl_exporter_unref(pawl_exporter *exporter) {
    if (exporter && atomic_fetch_sub_explicit(&exporter->refs, 1, memory_order_acq_rel) == 1) {
        if (exporter->vtable.destroy)
            exporter->vtable.destroy(exporter->self);
        free(exporter);
    }
    return NULL;
}

pawl_status pawl_exporter_spans(pawl_exporter *exporter, const pawl_resource *resource, const pawl_span_data *spans,
                                size_t count, uint64_t timeout_ns, pawl_error **err) {
    if (!exporter->vtable.spans || count == 0)
        return PAWL_OK;
    return exporter->vtable.spans(exporter->self, resource, spans, count, timeout_ns, err);
}

pawl_status pawl_exporter_metrics(pawl_exporter *exporter, const pawl_resource *resource,
                                  const pawl_metric_data *metrics, size_t count, uint64_t timeout_ns,
                                  pawl_error **err) {
    if (!exporter->vtable.metrics || count == 0)
        return PAWL_OK;
    return exporter->vtable.metrics(exporter->self, resource, metrics, count, timeout_ns, err);
}

pawl_status pawl_exporter_logs(pawl_exporter *exporter, const pawl_resource *resource, const pawl_log_data *logs,
                               size_t count, uint64_t timeout_ns, pawl_error **err) {
    if (!exporter->vtable.logs || count == 0)
        return PAWL_OK;
    return exporter->vtable.logs(exporter->self, resource, logs, count, timeout_ns, err);
}

void pawl_exporter_cancel(pawl_exporter *exporter) {
    if (exporter->vtable.cancel)
        exporter->vtable.cancel(exporter->self);
}

const pawl_exporter_vtable *pawl_exporter_vtable_of(const pawl_exporter *exporter) {
    return &exporter->vtable;
}

bool pawl_exporter_is_alone(const pawl_exporter *exporter) {
    return atomic_load(&exporter->refs) == 1;
}

const char *pawl_exporter_name(const pawl_exporter *exporter, enum pawl_exported what) {
    static const struct {
        const char *name, *of[3];
    } shared[] = {
        {"otlp_http_exporter", {"otlp_http_span_exporter", "otlp_http_metric_exporter", "otlp_http_log_exporter"}},
        {"otlp_http_json_exporter",
         {"otlp_http_json_span_exporter", "otlp_http_json_metric_exporter", "otlp_http_json_log_exporter"}},
    };
    const char *name = exporter->vtable.name ? exporter->vtable.name : "exporter";
    for (size_t i = 0; i < sizeof shared / sizeof *shared; i++)
        if (strcmp(shared[i].name, name) == 0)
            return shared[i].of[what];
    return name;
}

void *pawl_exporter_self(const pawl_exporter *exporter, void (*destroy)(void *self)) {
    return exporter->vtable.destroy == destroy ? exporter->self : NULL;
}
