/* The label sets of a family's points, sorted, so that what is one series to Prometheus stands together. */
#include "prometheus_internal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LONGEST_LABEL 255

void pawl_prom_labels_free(struct pawl_prom_labels *labels) {
    pawl_prom_text_free(&labels->text);
    pawl_prom_text_free(&labels->names);
    free(labels->series);
    free(labels->labels);
    memset(labels, 0, sizeof *labels);
}

static bool make_room(void **array, size_t *room, size_t count, size_t size) {
    if (count <= *room)
        return true;
    void *larger = realloc(*array, count * size);
    if (!larger)
        return false;
    *array = larger;
    *room = count;
    return true;
}

/* ---- one label ---- */

/* `le` and `quantile` are Prometheus' own; "exported_" is what it puts before a name that is taken. */
static size_t put_name(struct pawl_prom_text *names, const char *key) {
    char name[LONGEST_LABEL + 1];
    size_t at = names->length;
    pawl_prom_clean(key, name, sizeof name);
    if (strcmp(name, "le") == 0 || strcmp(name, "quantile") == 0)
        pawl_prom_puts(names, "exported_");
    pawl_prom_puts(names, name);
    return at;
}

static void put_value(struct pawl_prom_text *text, const pawl_attribute *attribute) {
    char number[24];
    switch (attribute->type) {
    case PAWL_ATTRIBUTE_STRING:
        pawl_prom_put_escaped(text, attribute->value.string ? attribute->value.string : "", true);
        break;
    case PAWL_ATTRIBUTE_INT:
        (void)snprintf(number, sizeof number, "%lld", (long long)attribute->value.integer);
        pawl_prom_puts(text, number);
        break;
    case PAWL_ATTRIBUTE_DOUBLE:
        pawl_prom_put_number(text, attribute->value.number);
        break;
    default:
        pawl_prom_puts(text, attribute->value.boolean ? "true" : "false");
    }
}

/* ---- the labels of one point ---- */

static int by_bytes(const char *a, size_t a_length, const char *b, size_t b_length) {
    int order = memcmp(a, b, a_length < b_length ? a_length : b_length);
    return order ? order : (a_length > b_length) - (a_length < b_length);
}

/* Equal names in the order of their attributes, which are sorted by key. */
static int by_name(const void *a, const void *b, void *user) {
    const struct pawl_prom_label *left = a, *right = b;
    const char *names = ((struct pawl_prom_text *)user)->bytes;
    int order = by_bytes(names + left->name_at, left->name_length, names + right->name_at, right->name_length);
    return order ? order : (left->attribute > right->attribute) - (left->attribute < right->attribute);
}

static bool read_labels(struct pawl_prom_labels *labels, const pawl_point_data *point) {
    size_t count = point->attribute_count;
    labels->names.length = 0;
    if (!make_room((void **)&labels->labels, &labels->label_room, count, sizeof *labels->labels))
        return false;
    for (size_t i = 0; i < count; i++) {
        struct pawl_prom_label *label = &labels->labels[i];
        label->attribute = &point->attributes[i];
        label->name_at = put_name(&labels->names, label->attribute->key);
        label->name_length = labels->names.length - label->name_at;
    }
    if (labels->names.failed)
        return false;
    if (count > 1)
        qsort_r(labels->labels, count, sizeof *labels->labels, by_name, &labels->names);
    return true;
}

static bool is_same_name(const struct pawl_prom_labels *labels, size_t a, size_t b) {
    const struct pawl_prom_label *left = &labels->labels[a], *right = &labels->labels[b];
    return left->name_length == right->name_length &&
           memcmp(labels->names.bytes + left->name_at, labels->names.bytes + right->name_at, left->name_length) == 0;
}

/* Writes the label at index and those of the same name, whose values are joined. An empty value is taken back: to
 * Prometheus such a label and none are the same. @return The index behind them. */
static size_t put_label(struct pawl_prom_labels *labels, size_t index, size_t count, size_t start) {
    struct pawl_prom_text *text = &labels->text;
    const struct pawl_prom_label *label = &labels->labels[index];
    size_t before = text->length, first = index;
    if (text->length > start)
        pawl_prom_puts(text, ",");
    pawl_prom_put(text, labels->names.bytes + label->name_at, label->name_length);
    pawl_prom_puts(text, "=\"");
    size_t value_at = text->length;
    do {
        if (index > first)
            pawl_prom_puts(text, ";");
        put_value(text, labels->labels[index].attribute);
    } while (++index < count && is_same_name(labels, first, index));
    if (text->length == value_at)
        text->length = before;
    else
        pawl_prom_puts(text, "\"");
    return index;
}

static bool put_point(struct pawl_prom_labels *labels, const pawl_point_data *point, struct pawl_prom_series *series) {
    if (!read_labels(labels, point))
        return false;
    series->point = point;
    series->at = labels->text.length;
    for (size_t i = 0; i < point->attribute_count;)
        i = put_label(labels, i, point->attribute_count, series->at);
    series->length = labels->text.length - series->at;
    return !labels->text.failed;
}

/* ---- the points of one family ---- */

static int by_labels(const void *a, const void *b, void *user) {
    const struct pawl_prom_series *left = a, *right = b;
    const char *text = ((struct pawl_prom_text *)user)->bytes;
    if (left->length == 0 || right->length == 0) /* text may be NULL yet */
        return (left->length > 0) - (right->length > 0);
    return by_bytes(text + left->at, left->length, text + right->at, right->length);
}

bool pawl_prom_labels_of(struct pawl_prom_labels *labels, const pawl_metric_data *metric) {
    labels->text.length = 0;
    labels->count = 0;
    if (!make_room((void **)&labels->series, &labels->series_room, metric->point_count, sizeof *labels->series))
        return false;
    for (size_t i = 0; i < metric->point_count; i++)
        if (!put_point(labels, &metric->points[i], &labels->series[i]))
            return false;
    labels->count = metric->point_count;
    qsort_r(labels->series, labels->count, sizeof *labels->series, by_labels, &labels->text);
    return true;
}

size_t pawl_prom_labels_equal(const struct pawl_prom_labels *labels, size_t index) {
    size_t end = index + 1;
    while (end < labels->count && by_labels(&labels->series[index], &labels->series[end], (void *)&labels->text) == 0)
        end++;
    return end - index;
}
