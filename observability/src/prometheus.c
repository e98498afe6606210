/* Prometheus text 0.0.4 and OpenMetrics 1.0. */
#include "prometheus_internal.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct writer {
    pawl_metrics_format format;
    struct pawl_prom_text out;
    struct pawl_prom_labels labels;
    struct pawl_prom_text bounds; /* of the family, as labels: `le="0.5"` one after another, each with its NUL */
    uint64_t *counts;             /* of one histogram */
    size_t count_room;
    const struct pawl_prom_family *family;
};

const char *pawl_metrics_content_type(pawl_metrics_format format) {
    switch (format) {
    case PAWL_PROMETHEUS_TEXT:
        return "text/plain; version=0.0.4; charset=utf-8";
    case PAWL_OPENMETRICS:
        return "application/openmetrics-text; version=1.0.0; charset=utf-8";
    }
    return NULL;
}

static bool is_openmetrics(const struct writer *w) {
    return w->format == PAWL_OPENMETRICS;
}

/* ---- lines ---- */

/* # KEYWORD name, without the end of the line. In the older text a counter is called as its samples are. */
static void put_metadata(struct writer *w, const char *keyword) {
    pawl_prom_puts(&w->out, "# ");
    pawl_prom_puts(&w->out, keyword);
    pawl_prom_puts(&w->out, " ");
    pawl_prom_puts(&w->out, w->family->name);
    if (!is_openmetrics(w) && w->family->type == PAWL_PROM_COUNTER)
        pawl_prom_puts(&w->out, "_total");
    if (!is_openmetrics(w) && w->family->type == PAWL_PROM_INFO)
        pawl_prom_puts(&w->out, "_info");
    pawl_prom_puts(&w->out, " ");
}

static void put_header(struct writer *w) {
    static const char *const types[] = {"counter", "gauge", "histogram", "info"};
    const pawl_metric_data *metric = w->family->metric;
    const char *help = *metric->description ? metric->description : *metric->name ? metric->name : w->family->name;
    bool is_info = w->family->type == PAWL_PROM_INFO;
    put_metadata(w, "TYPE");
    pawl_prom_puts(&w->out, is_info && !is_openmetrics(w) ? "gauge" : types[w->family->type]);
    pawl_prom_puts(&w->out, "\n");
    if (is_openmetrics(w) && w->family->unit_at) {
        put_metadata(w, "UNIT");
        pawl_prom_puts(&w->out, w->family->name + w->family->unit_at);
        pawl_prom_puts(&w->out, "\n");
    }
    put_metadata(w, "HELP");
    pawl_prom_put_escaped(&w->out, help, is_openmetrics(w));
    pawl_prom_puts(&w->out, "\n");
}

/* name_suffix{labels,more} and a space; more is "" for none. */
static void put_sample(struct writer *w, const struct pawl_prom_series *series, const char *suffix, const char *more) {
    struct pawl_prom_text *out = &w->out;
    pawl_prom_puts(out, w->family->name);
    pawl_prom_puts(out, suffix);
    if (series->length > 0 || *more) {
        pawl_prom_puts(out, "{");
        if (series->length > 0)
            pawl_prom_put(out, w->labels.text.bytes + series->at, series->length);
        pawl_prom_puts(out, series->length > 0 && *more ? "," : "");
        pawl_prom_puts(out, more);
        pawl_prom_puts(out, "}");
    }
    pawl_prom_puts(out, " ");
}

/* ---- exemplars ---- */

static void put_hex(struct pawl_prom_text *out, const uint8_t *bytes, size_t count) {
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < count; i++) {
        pawl_prom_put(out, &digits[bytes[i] >> 4], 1);
        pawl_prom_put(out, &digits[bytes[i] & 15], 1);
    }
}

/* Names and values together are 63 characters; 128 are allowed. */
static void put_exemplar(struct writer *w, const pawl_exemplar_data *exemplar) {
    struct pawl_prom_text *out = &w->out;
    pawl_prom_puts(out, " # {trace_id=\"");
    put_hex(out, exemplar->trace_id, sizeof exemplar->trace_id);
    pawl_prom_puts(out, "\",span_id=\"");
    put_hex(out, exemplar->span_id, sizeof exemplar->span_id);
    pawl_prom_puts(out, "\"} ");
    pawl_prom_put_number(out, exemplar->value);
    if (exemplar->time_unix_ns) {
        uint64_t ms = exemplar->time_unix_ns / 1000000;
        pawl_prom_puts(out, " ");
        pawl_prom_put_count(out, ms / 1000);
        char fraction[4] = {'.', (char)('0' + ms / 100 % 10), (char)('0' + ms / 10 % 10), (char)('0' + ms % 10)};
        pawl_prom_put(out, fraction, sizeof fraction);
    }
}

/* The newest with a value in (above, up_to] of a run of equal series. */
static const pawl_exemplar_data *find_exemplar(const struct pawl_prom_series *series, size_t equal, double above,
                                               double up_to) {
    static const uint8_t none[16];
    const pawl_exemplar_data *newest = NULL;
    for (size_t i = 0; i < equal; i++)
        for (uint64_t j = 0; j < series[i].point->exemplar_count; j++) {
            const pawl_exemplar_data *e = &series[i].point->exemplars[j];
            bool fits = isfinite(e->value) && e->value > above && e->value <= up_to;
            if (fits && memcmp(e->trace_id, none, 16) != 0 && (!newest || e->time_unix_ns > newest->time_unix_ns))
                newest = e;
        }
    return newest;
}

static void end_sample(struct writer *w, const struct pawl_prom_series *series, size_t equal, double above,
                       double up_to) {
    const pawl_exemplar_data *exemplar = is_openmetrics(w) ? find_exemplar(series, equal, above, up_to) : NULL;
    if (exemplar)
        put_exemplar(w, exemplar);
    pawl_prom_puts(&w->out, "\n");
}

/* ---- series: equal many that are one ---- */

/* A counter is a number that is not negative; what is not was no count. */
static void put_counter(struct writer *w, const struct pawl_prom_series *series, size_t equal) {
    double sum = 0;
    for (size_t i = 0; i < equal; i++)
        sum += series[i].point->value >= 0 ? series[i].point->value : 0;
    put_sample(w, series, "_total", "");
    pawl_prom_put_number(&w->out, sum);
    end_sample(w, series, equal, -INFINITY, INFINITY);
}

static void put_gauge(struct writer *w, const struct pawl_prom_series *series, size_t equal) {
    double sum = 0;
    const pawl_point_data *newest = series->point;
    for (size_t i = 0; i < equal; i++) {
        sum += series[i].point->value;
        if (series[i].point->time_unix_ns > newest->time_unix_ns)
            newest = series[i].point;
    }
    put_sample(w, series, w->family->type == PAWL_PROM_INFO ? "_info" : "", "");
    pawl_prom_put_number(&w->out, w->family->metric->kind == PAWL_GAUGE ? newest->value : sum);
    pawl_prom_puts(&w->out, "\n");
}

/* Only ascending bounds below infinity are written; the counts of others belong to the next. */
static bool is_written(double bound, double above) {
    return bound > above && bound < INFINITY;
}

static bool render_bounds(struct writer *w, const double *bounds, size_t bound_count) {
    double above = -INFINITY;
    w->bounds.length = 0;
    for (size_t i = 0; i <= bound_count; i++) {
        if (i < bound_count && !is_written(bounds[i], above))
            continue;
        above = i < bound_count ? bounds[i] : INFINITY;
        pawl_prom_puts(&w->bounds, "le=\"");
        pawl_prom_put_canonical(&w->bounds, above);
        pawl_prom_put(&w->bounds, "\"", 2);
    }
    return !w->bounds.failed;
}

/* Count is what the buckets say, whatever the points do. @return It. */
static uint64_t put_buckets(struct writer *w, const struct pawl_prom_series *series, size_t equal, const double *bounds,
                            size_t bound_count) {
    uint64_t count = 0;
    double above = -INFINITY;
    const char *le = w->bounds.bytes;
    for (size_t i = 0; i <= bound_count; i++) {
        double bound = i < bound_count ? bounds[i] : INFINITY;
        count += w->counts[i];
        if (i < bound_count && !is_written(bound, above))
            continue;
        put_sample(w, series, "_bucket", le);
        pawl_prom_put_count(&w->out, count);
        end_sample(w, series, equal, above, bound);
        above = bound;
        le += strlen(le) + 1;
    }
    return count;
}

/* OpenMetrics wants a sum that cannot fall: none when values may be negative, and then no count either. */
static bool has_sum(const struct writer *w, double sum, const double *bounds, size_t bound_count) {
    if (!is_openmetrics(w))
        return true;
    for (size_t i = 0; i < bound_count; i++)
        if (bounds[i] < 0)
            return false;
    return sum >= 0;
}

static void put_histogram(struct writer *w, const struct pawl_prom_series *series, size_t equal) {
    size_t bound_count;
    const double *bounds = pawl_prom_bounds(w->family->metric, &bound_count);
    double sum = 0;
    memset(w->counts, 0, (bound_count + 1) * sizeof *w->counts);
    for (size_t i = 0; i < equal; i++) {
        pawl_prom_add_buckets(w->family->metric, series[i].point, bounds, bound_count, w->counts);
        sum += series[i].point->sum;
    }
    uint64_t count = put_buckets(w, series, equal, bounds, bound_count);
    if (!has_sum(w, sum, bounds, bound_count))
        return;
    put_sample(w, series, "_sum", "");
    pawl_prom_put_number(&w->out, sum);
    pawl_prom_puts(&w->out, "\n");
    put_sample(w, series, "_count", "");
    pawl_prom_put_count(&w->out, count);
    pawl_prom_puts(&w->out, "\n");
}

/* ---- families ---- */

static bool prepare_histogram(struct writer *w, const pawl_metric_data *metric) {
    size_t bound_count;
    const double *bounds = pawl_prom_bounds(metric, &bound_count);
    if (bound_count >= w->count_room) {
        uint64_t *larger = realloc(w->counts, (bound_count + 1) * sizeof *larger);
        if (!larger)
            return false;
        w->counts = larger;
        w->count_room = bound_count + 1;
    }
    return render_bounds(w, bounds, bound_count);
}

static bool put_family(struct writer *w, const struct pawl_prom_family *family) {
    static void (*const put[])(struct writer *, const struct pawl_prom_series *, size_t) = {
        [PAWL_PROM_COUNTER] = put_counter,
        [PAWL_PROM_GAUGE] = put_gauge,
        [PAWL_PROM_HISTOGRAM] = put_histogram,
        [PAWL_PROM_INFO] = put_gauge,
    };
    w->family = family;
    if (!pawl_prom_labels_of(&w->labels, family->metric) ||
        (family->type == PAWL_PROM_HISTOGRAM && !prepare_histogram(w, family->metric)))
        return false;
    put_header(w);
    for (size_t i = 0, equal; i < w->labels.count; i += equal) {
        equal = pawl_prom_labels_equal(&w->labels, i);
        put[family->type](w, &w->labels.series[i], equal);
    }
    return !w->out.failed;
}

static bool put_all(struct writer *w, const pawl_metric_data *target, const pawl_metric_data *metrics, size_t count) {
    size_t family_count;
    struct pawl_prom_family *families = pawl_prom_families(target, metrics, count, &family_count);
    bool done = families != NULL;
    for (size_t i = 0; done && i < family_count; i++)
        done = put_family(w, &families[i]);
    free(families);
    if (done && is_openmetrics(w))
        pawl_prom_puts(&w->out, "# EOF\n");
    return done && !w->out.failed;
}

pawl_status pawl_prom_write(const pawl_resource *resource, const pawl_metric_data *metrics, size_t count,
                            pawl_metrics_format format, pawl_metrics_write_fn write, void *user, pawl_error **err) {
    struct writer w = {.format = format};
    pawl_point_data info = {.value = 1};
    pawl_metric_data target = {.name = "target", .unit = "", .description = "Who these metrics are about"};
    target.kind = PAWL_GAUGE;
    target.points = &info;
    target.point_count = 1;
    if (resource) {
        size_t attribute_count;
        info.attributes = pawl_resource_attributes(resource, &attribute_count);
        info.attribute_count = attribute_count;
    }
    pawl_status status = PAWL_E_NOMEM;
    if (put_all(&w, resource ? &target : NULL, metrics, count))
        status = write(user, w.out.bytes ? w.out.bytes : "", w.out.length, err);
    else
        pawl_error_set(err, PAWL_E_NOMEM, "metrics: out of memory while writing %zu of them", count);
    free(w.counts);
    pawl_prom_labels_free(&w.labels);
    pawl_prom_text_free(&w.bounds);
    pawl_prom_text_free(&w.out);
    return status;
}
