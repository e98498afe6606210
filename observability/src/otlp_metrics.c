/* ExportMetricsServiceRequest. */
#include "otlp_encode_internal.h"
#include <math.h>

#define TEMPORALITY FIELD(2, "aggregationTemporality")

static uint32_t temporality_of(const pawl_metric_data *metric) {
    return metric->is_delta ? 1 : 2;
}

/* ---- what points share ---- */

/* A whole number that is none, or too large for one, is sent as it is. */
static void put_number(struct pawl_otlp_writer *w, struct pawl_otlp_field as_double, struct pawl_otlp_field as_int,
                       const pawl_metric_data *metric, double value) {
    if (metric->is_integer && value >= -9223372036854775808.0 && value < 9223372036854775808.0)
        pawl_otlp_put_sfixed64_always(w, as_int, (int64_t)value);
    else
        pawl_otlp_put_double_always(w, as_double, value);
}

static void put_exemplar(struct pawl_otlp_writer *w, const pawl_metric_data *metric, const pawl_exemplar_data *exemplar,
                         uint32_t field) {
    size_t mark = pawl_otlp_open(w);
    put_number(w, FIELD(3, "asDouble"), FIELD(6, "asInt"), metric, exemplar->value);
    pawl_otlp_put_id(w, FIELD(5, "traceId"), exemplar->trace_id, 16);
    pawl_otlp_put_id(w, FIELD(4, "spanId"), exemplar->span_id, 8);
    pawl_otlp_put_fixed64(w, FIELD(2, "timeUnixNano"), exemplar->time_unix_ns);
    pawl_otlp_close(w, mark, ELEMENT(field));
}

static void put_exemplars(struct pawl_otlp_writer *w, const pawl_metric_data *metric, const pawl_point_data *point,
                          uint32_t field) {
    if (point->exemplar_count == 0)
        return;
    pawl_otlp_list_open(w);
    for (size_t i = point->exemplar_count; i-- > 0;)
        put_exemplar(w, metric, &point->exemplars[i], field);
    pawl_otlp_list_close(w, FIELD(field, "exemplars"));
}

static void put_known(struct pawl_otlp_writer *w, struct pawl_otlp_field field, const pawl_point_data *point,
                      double value) {
    if (point->count > 0 && !isnan(value))
        pawl_otlp_put_double_always(w, field, value);
}

/* A sum has to grow: with negative values it is left out. */
static void put_sum(struct pawl_otlp_writer *w, struct pawl_otlp_field field, const pawl_point_data *point) {
    if (!isnan(point->sum) && !(point->min < 0))
        pawl_otlp_put_double_always(w, field, point->sum);
}

static void put_times(struct pawl_otlp_writer *w, const pawl_point_data *point) {
    pawl_otlp_put_fixed64(w, FIELD(3, "timeUnixNano"), point->time_unix_ns);
    pawl_otlp_put_fixed64(w, FIELD(2, "startTimeUnixNano"), point->start_unix_ns);
}

/* ---- points ---- */

static void put_number_point(struct pawl_otlp_writer *w, const pawl_metric_data *metric, const pawl_point_data *point) {
    size_t mark = pawl_otlp_open(w);
    pawl_otlp_attributes(w, FIELD(7, "attributes"), point->attributes, point->attribute_count);
    put_number(w, FIELD(4, "asDouble"), FIELD(6, "asInt"), metric, point->value);
    put_exemplars(w, metric, point, 5);
    put_times(w, point);
    pawl_otlp_close(w, mark, ELEMENT(1));
}

static void put_histogram_point(struct pawl_otlp_writer *w, const pawl_metric_data *metric,
                                const pawl_point_data *point) {
    size_t mark = pawl_otlp_open(w);
    put_known(w, FIELD(12, "max"), point, point->max);
    put_known(w, FIELD(11, "min"), point, point->min);
    pawl_otlp_attributes(w, FIELD(9, "attributes"), point->attributes, point->attribute_count);
    put_exemplars(w, metric, point, 8);
    if (point->bucket_counts) {
        pawl_otlp_put_doubles(w, FIELD(7, "explicitBounds"), metric->bounds, metric->bound_count);
        pawl_otlp_put_fixed64s(w, FIELD(6, "bucketCounts"), point->bucket_counts, metric->bound_count + 1);
    }
    put_sum(w, FIELD(5, "sum"), point);
    pawl_otlp_put_fixed64(w, FIELD(4, "count"), point->count);
    put_times(w, point);
    pawl_otlp_close(w, mark, ELEMENT(1));
}

static void put_buckets(struct pawl_otlp_writer *w, struct pawl_otlp_field field,
                        const pawl_exponential_buckets *buckets) {
    if (buckets->count == 0)
        return;
    size_t mark = pawl_otlp_open(w);
    pawl_otlp_put_uint64s(w, FIELD(2, "bucketCounts"), buckets->counts, buckets->count);
    pawl_otlp_put_sint32(w, FIELD(1, "offset"), (int32_t)buckets->offset);
    pawl_otlp_close(w, mark, field);
}

static void put_exponential_point(struct pawl_otlp_writer *w, const pawl_metric_data *metric,
                                  const pawl_point_data *point) {
    size_t mark = pawl_otlp_open(w);
    put_known(w, FIELD(13, "max"), point, point->max);
    put_known(w, FIELD(12, "min"), point, point->min);
    put_exemplars(w, metric, point, 11);
    put_buckets(w, FIELD(9, "negative"), &point->negative);
    put_buckets(w, FIELD(8, "positive"), &point->positive);
    pawl_otlp_put_fixed64(w, FIELD(7, "zeroCount"), point->zero_count);
    pawl_otlp_put_sint32(w, FIELD(6, "scale"), (int32_t)point->scale);
    put_sum(w, FIELD(5, "sum"), point);
    pawl_otlp_put_fixed64(w, FIELD(4, "count"), point->count);
    put_times(w, point);
    pawl_otlp_attributes(w, FIELD(1, "attributes"), point->attributes, point->attribute_count);
    pawl_otlp_close(w, mark, ELEMENT(1));
}

/* ---- metrics ---- */

static void put_points(struct pawl_otlp_writer *w, const pawl_metric_data *metric,
                       void (*put)(struct pawl_otlp_writer *, const pawl_metric_data *, const pawl_point_data *)) {
    pawl_otlp_list_open(w);
    for (size_t i = metric->point_count; i-- > 0;)
        put(w, metric, &metric->points[i]);
    pawl_otlp_list_close(w, FIELD(1, "dataPoints"));
}

static void put_data(struct pawl_otlp_writer *w, const pawl_metric_data *metric) {
    size_t mark = pawl_otlp_open(w);
    switch (metric->kind) {
    case PAWL_GAUGE:
        put_points(w, metric, put_number_point);
        pawl_otlp_close(w, mark, FIELD(5, "gauge"));
        break;
    case PAWL_HISTOGRAM:
        pawl_otlp_put_uint32(w, TEMPORALITY, temporality_of(metric));
        put_points(w, metric, put_histogram_point);
        pawl_otlp_close(w, mark, FIELD(9, "histogram"));
        break;
    case PAWL_EXPONENTIAL_HISTOGRAM:
        pawl_otlp_put_uint32(w, TEMPORALITY, temporality_of(metric));
        put_points(w, metric, put_exponential_point);
        pawl_otlp_close(w, mark, FIELD(10, "exponentialHistogram"));
        break;
    default:
        if (metric->kind == PAWL_COUNTER)
            pawl_otlp_put_bool_always(w, FIELD(3, "isMonotonic"), true);
        pawl_otlp_put_uint32(w, TEMPORALITY, temporality_of(metric));
        put_points(w, metric, put_number_point);
        pawl_otlp_close(w, mark, FIELD(7, "sum"));
        break;
    }
}

void pawl_otlp_metrics(struct pawl_otlp_writer *w, const struct pawl_otlp_source *source,
                       const pawl_metric_data *metrics, size_t count) {
    struct pawl_otlp_envelope envelope = pawl_otlp_envelope_open(w);
    for (size_t i = count; i-- > 0;) {
        size_t mark = pawl_otlp_open(w);
        put_data(w, &metrics[i]);
        pawl_otlp_put_string(w, FIELD(3, "unit"), metrics[i].unit);
        pawl_otlp_put_string(w, FIELD(2, "description"), metrics[i].description);
        pawl_otlp_put_string(w, FIELD(1, "name"), metrics[i].name);
        pawl_otlp_close(w, mark, ELEMENT(2));
    }
    pawl_otlp_envelope_close(w, envelope, source, FIELD(2, "metrics"), FIELD(2, "scopeMetrics"),
                             FIELD(1, "resourceMetrics"));
}
