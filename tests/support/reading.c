#include "reading.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static void write_labels(const pawl_point_data *point, char *text, size_t size) {
    size_t used = 0;
    text[0] = '\0';
    for (uint64_t i = 0; i < point->attribute_count && used < size; i++) {
        const pawl_attribute *a = &point->attributes[i];
        used += (size_t)snprintf(text + used, size - used, "%s%s=", i ? "," : "", a->key);
        if (used >= size)
            return;
        if (a->type == PAWL_ATTRIBUTE_STRING)
            used += (size_t)snprintf(text + used, size - used, "%s", a->value.string);
        else if (a->type == PAWL_ATTRIBUTE_BOOL)
            used += (size_t)snprintf(text + used, size - used, "%s", a->value.boolean ? "true" : "false");
        else if (a->type == PAWL_ATTRIBUTE_INT)
            used += (size_t)snprintf(text + used, size - used, "%lld", (long long)a->value.integer);
        else
            used += (size_t)snprintf(text + used, size - used, "%g", a->value.number);
    }
}

static struct reading copy(const pawl_metric_data *metric, const pawl_point_data *point) {
    struct reading r = {.found = true,
                        .kind = metric->kind,
                        .is_delta = metric->is_delta,
                        .is_integer = metric->is_integer,
                        .points = metric->point_count,
                        .value = point->value,
                        .sum = point->sum,
                        .min = point->min,
                        .max = point->max,
                        .count = point->count,
                        .zero_count = point->zero_count,
                        .start_unix_ns = point->start_unix_ns,
                        .time_unix_ns = point->time_unix_ns,
                        .scale = point->scale,
                        .offset = point->positive.offset,
                        .bucket_count = point->positive.count,
                        .exemplar_count = point->exemplar_count};
    const uint64_t *counts = point->positive.counts;
    if (metric->kind == PAWL_HISTOGRAM) {
        r.bucket_count = metric->bound_count + 1;
        counts = point->bucket_counts;
    }
    if (r.bucket_count)
        memcpy(r.buckets, counts, r.bucket_count * sizeof *counts);
    for (uint64_t i = 0; i < point->negative.count; i++)
        r.negative_count += point->negative.counts[i];
    for (uint64_t i = 0; i < point->exemplar_count && i < 8; i++)
        r.exemplars[i] = point->exemplars[i];
    return r;
}

struct reading find_reading(const pawl_metric_data *metrics, size_t count, const char *name, const char *labels) {
    char text[1024];
    for (size_t i = 0; i < count; i++)
        for (uint64_t p = 0; strcmp(metrics[i].name, name) == 0 && p < metrics[i].point_count; p++) {
            write_labels(&metrics[i].points[p], text, sizeof text);
            if (!labels || strcmp(text, labels) == 0)
                return copy(&metrics[i], &metrics[i].points[p]);
        }
    return (struct reading){.value = NAN};
}

struct search {
    const char *name, *labels;
    struct reading found;
};

static void visit(void *user, const pawl_metric_data *metrics, size_t count) {
    struct search *s = user;
    s->found = find_reading(metrics, count, s->name, s->labels);
}

struct reading read_metrics(pawl_metrics *metrics, const char *name, const char *labels) {
    struct search s = {.name = name, .labels = labels, .found = {.value = NAN}};
    (void)pawl_metrics_collect(metrics, visit, &s, NULL);
    return s.found;
}

double read_value(pawl_metrics *metrics, const char *name, const char *labels) {
    return read_metrics(metrics, name, labels).value;
}
