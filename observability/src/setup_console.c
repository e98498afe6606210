/* Standard output, for whoever's environment asks for it, and metrics as text. */
#include "prometheus_internal.h"
#include "setup_internal.h"
#include <stdio.h>
#include <stdlib.h>

void pawl_console_stdout(void *user, const char *text, size_t length) {
    (void)user;
    fwrite(text, 1, length, stdout);
    fflush(stdout);
}

static pawl_status write_no_spans(void *self, const pawl_resource *resource, const pawl_span_data *spans, size_t count,
                                  uint64_t timeout_ns, pawl_error **err) {
    (void)self, (void)resource, (void)spans, (void)count, (void)timeout_ns, (void)err;
    return PAWL_OK;
}

pawl_exporter *pawl_console_spans_new(pawl_error **err) {
    static const pawl_exporter_vtable vtable = {
        .size = sizeof vtable, .name = "console_span_exporter", .spans = write_no_spans};
    return pawl_exporter_new(&vtable, NULL, err);
}

struct console {
    pawl_console_fn write;
    void *user;
};

static pawl_status write_text(void *user, const char *text, size_t length, pawl_error **err) {
    const struct console *console = user;
    (void)err;
    console->write(console->user, text, length);
    return PAWL_OK;
}

static pawl_status write_metrics(void *self, const pawl_resource *resource, const pawl_metric_data *metrics,
                                 size_t count, uint64_t timeout_ns, pawl_error **err) {
    (void)timeout_ns;
    return pawl_prom_write(resource, metrics, count, PAWL_PROMETHEUS_TEXT, write_text, self, err);
}

pawl_exporter *pawl_console_metrics_new(pawl_console_fn write, void *user, pawl_error **err) {
    static const pawl_exporter_vtable vtable = {
        .size = sizeof vtable, .name = "console_metric_exporter", .metrics = write_metrics, .destroy = free};
    struct console *console = malloc(sizeof *console);
    if (!console) {
        pawl_error_set(err, PAWL_E_NOMEM, "observe: out of memory");
        return NULL;
    }
    *console = (struct console){write, user};
    return pawl_exporter_new(&vtable, console, err);
}
