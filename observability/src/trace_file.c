/* OTLP/JSON requests, one a line, into a file or to a callback. */
#include "export_internal.h"
#include "fork_lock_internal.h"
#include "line_file_internal.h"
#include "options_internal.h"
#include "otlp_requests_internal.h"
#include <pawl/observability/trace_file.h>
#include <stdlib.h>
#include <string.h>

#define MOST_LINE PAWL_MIB(64) /* what readers take, OTLP's bound of a request */
#define MOST_FILES 1000u

struct trace_file {
    struct pawl_fork_lock lock; /* of the file, and of calls of write */
    struct pawl_line_file file;
    pawl_trace_lines_write write; /* NULL: the file */
    void *user;
    uint64_t most_line;
    pawl_trace_file_stats stats;
};

/* ---- lines ---- */

static pawl_status put_line(struct trace_file *f, const struct pawl_otlp_writer *w, pawl_error **err) {
    if (!f->write)
        return pawl_line_file_write(&f->file, pawl_otlp_written(w), w->length, err);
    f->write(f->user, (const char *)pawl_otlp_written(w), w->length);
    return PAWL_OK;
}

static pawl_status take_request(void *user, const struct pawl_otlp_writer *w, uint64_t items, pawl_error **err) {
    struct trace_file *f = user;
    (void)pawl_fork_lock_take(&f->lock);
    pawl_status status = put_line(f, w, err);
    f->stats.lines += status == PAWL_OK;
    f->stats.bytes += status == PAWL_OK ? w->length : 0;
    *(status == PAWL_OK ? &f->stats.written : &f->stats.dropped) += items;
    f->stats.rotated = f->file.rotated;
    pawl_fork_lock_give(&f->lock);
    return status;
}

static void drop_items(void *user, pawl_status why, uint64_t items) {
    struct trace_file *f = user;
    (void)why;
    (void)pawl_fork_lock_take(&f->lock);
    f->stats.dropped += items;
    pawl_fork_lock_give(&f->lock);
}

static pawl_status export(struct trace_file *f, enum pawl_otlp_signal signal, const pawl_resource *resource,
                          const void *items, size_t count, pawl_error **err) {
    struct pawl_otlp_writer w;
    struct pawl_otlp_batch batch = {.signal = signal,
                                    .source = pawl_otlp_source_of(resource),
                                    .items = items,
                                    .count = count,
                                    .take = take_request,
                                    .drop = drop_items,
                                    .user = f};
    pawl_otlp_writer_init(&w, true, f->most_line);
    w.ends_line = true;
    pawl_status status = pawl_otlp_each_request(&batch, &w, err);
    pawl_otlp_writer_finish(&w);
    return status;
}

static pawl_status export_spans(void *self, const pawl_resource *resource, const pawl_span_data *spans, size_t count,
                                uint64_t timeout_ns, pawl_error **err) {
    (void)timeout_ns;
    return export(self, PAWL_OTLP_TRACES, resource, spans, count, err);
}

static pawl_status export_metrics(void *self, const pawl_resource *resource, const pawl_metric_data *metrics,
                                  size_t count, uint64_t timeout_ns, pawl_error **err) {
    (void)timeout_ns;
    return export(self, PAWL_OTLP_METRICS, resource, metrics, count, err);
}

static pawl_status export_logs(void *self, const pawl_resource *resource, const pawl_log_data *logs, size_t count,
                               uint64_t timeout_ns, pawl_error **err) {
    (void)timeout_ns;
    return export(self, PAWL_OTLP_LOGS, resource, logs, count, err);
}

/* ---- making ---- */

static void destroy(void *self) {
    struct trace_file *f = self;
    pawl_fork_lock_finish(&f->lock);
    if (!f->write)
        pawl_line_file_close(&f->file);
    free(f);
}

static pawl_exporter *finish_making(struct trace_file *f, pawl_error **err) {
    static const pawl_exporter_vtable vtable = {.size = sizeof vtable,
                                                .name = "otlp_json_file_exporter",
                                                .spans = export_spans,
                                                .metrics = export_metrics,
                                                .logs = export_logs,
                                                .destroy = destroy};
    pawl_fork_lock_init(&f->lock);
    return pawl_exporter_new(&vtable, f, err);
}

static struct trace_file *allocate(pawl_error **err) {
    struct trace_file *f = calloc(1, sizeof *f);
    if (!f)
        pawl_error_set(err, PAWL_E_NOMEM, "trace file: out of memory");
    return f;
}

static pawl_status check(const pawl_trace_file_options *o, pawl_error **err) {
    if (o->max_files > MOST_FILES)
        return pawl_error_set(err, PAWL_E_INVALID, "trace file: max_files is over %u", MOST_FILES);
    if (o->max_bytes > 0 && (o->max_bytes < 1024 || o->max_bytes == PAWL_ZERO))
        return pawl_error_set(err, PAWL_E_INVALID, "trace file: max_bytes is under 1 KiB");
    return PAWL_OK;
}

pawl_exporter *pawl_trace_file_new(const char *path, const pawl_trace_file_options *options, pawl_error **err) {
    pawl_trace_file_options known;
    if (pawl_options_copy(&known, sizeof known, options, "trace file", err) != PAWL_OK || check(&known, err) != PAWL_OK)
        return NULL;
    struct trace_file *f = allocate(err);
    uint64_t most = known.max_bytes ? known.max_bytes : PAWL_MIB(64);
    if (f && pawl_line_file_open(&f->file, path, most, known.max_files ? known.max_files : 2, err) == PAWL_OK) {
        f->most_line = most < MOST_LINE ? most : MOST_LINE;
        return finish_making(f, err);
    }
    free(f);
    return NULL;
}

pawl_exporter *pawl_trace_lines_new(pawl_trace_lines_write write, void *user, pawl_error **err) {
    if (!write) {
        pawl_error_set(err, PAWL_E_INVALID, "trace lines: write is NULL");
        return NULL;
    }
    struct trace_file *f = allocate(err);
    if (!f)
        return NULL;
    f->write = write;
    f->user = user;
    f->most_line = MOST_LINE;
    return finish_making(f, err);
}

pawl_status pawl_trace_file_get_stats(const pawl_exporter *exporter, pawl_trace_file_stats *ret_stats,
                                      pawl_error **err) {
    struct trace_file *f = exporter && ret_stats ? pawl_exporter_self(exporter, destroy) : NULL;
    if (!f)
        return pawl_error_set(err, PAWL_E_INVALID,
                              "trace file: the exporter was not made by a function of this header");
    size_t size = ret_stats->size;
    (void)pawl_fork_lock_take(&f->lock);
    pawl_trace_file_stats stats = f->stats;
    pawl_fork_lock_give(&f->lock);
    stats.size = size;
    memcpy(ret_stats, &stats, size < sizeof stats ? size : sizeof stats);
    return PAWL_OK;
}
