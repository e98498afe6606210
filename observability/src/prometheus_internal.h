/* How metrics become Prometheus text: names, numbers, labels and buckets, each in a file of its own. */
#ifndef PAWL_PROMETHEUS_INTERNAL_H
#define PAWL_PROMETHEUS_INTERNAL_H

#include <pawl/observability/export.h>
#include <pawl/observability/prometheus.h>

/* ---- prometheus_text.c: text that grows. Once memory has run out nothing more is put. ---- */

struct pawl_prom_text {
    char *bytes;
    size_t length, room;
    bool failed;
};

void pawl_prom_text_free(struct pawl_prom_text *text);
void pawl_prom_put(struct pawl_prom_text *text, const char *bytes, size_t length);
void pawl_prom_puts(struct pawl_prom_text *text, const char *string);
/* Whole numbers without a fraction, others as short as they read back; +Inf, -Inf, NaN. Any locale. */
void pawl_prom_put_number(struct pawl_prom_text *text, double number);
/* The canonical form of OpenMetrics, for `le`: 1.0, 0.25, 1e+06. */
void pawl_prom_put_canonical(struct pawl_prom_text *text, double number);
void pawl_prom_put_count(struct pawl_prom_text *text, uint64_t number);
/* A string as it may stand in a line: UTF-8 repaired, carriage returns made line feeds, these and backslashes escaped,
 * with quotes also '"'. */
void pawl_prom_put_escaped(struct pawl_prom_text *text, const char *string, bool quotes);

/* ---- prometheus_name.c ---- */

#define PAWL_PROM_NAME 512 /* bytes of a family's name, with the NUL; instruments' longer than 255 are cut */
#define PAWL_PROM_UNIT 136

enum pawl_prom_type { PAWL_PROM_COUNTER, PAWL_PROM_GAUGE, PAWL_PROM_HISTOGRAM, PAWL_PROM_INFO };

/* Letters, digits and single '_' only, not beginning with a digit. @return Bytes written, without the NUL. */
size_t pawl_prom_clean(const char *name, char *ret_clean, size_t size);
/* The word or words for a UCUM unit, "" for none. */
void pawl_prom_unit(const char *unit, bool is_gauge, char ret_words[PAWL_PROM_UNIT]);
/* The family's name: unit appended unless it is among the words, without the suffixes that samples add.
 * @return Where in it the unit begins when it ends with it, else 0. */
size_t pawl_prom_family_name(const pawl_metric_data *metric, char ret_name[PAWL_PROM_NAME]);
enum pawl_prom_type pawl_prom_type_of(uint64_t instrument_kind);

/* ---- prometheus_family.c: which families there are, each name once, sorted ---- */

struct pawl_prom_family {
    const pawl_metric_data *metric;
    enum pawl_prom_type type;
    size_t unit_at; /* where in name the unit begins that it ends with; 0: none to tell */
    char name[PAWL_PROM_NAME];
};

/* Families of what can be written: with points, cumulative, known kinds. target: NULL for none.
 * @return With free(), NULL without memory. */
struct pawl_prom_family *pawl_prom_families(const pawl_metric_data *target, const pawl_metric_data *metrics,
                                            size_t count, size_t *ret_count);

/* ---- prometheus_labels.c: the points of a family by their labels ---- */

struct pawl_prom_series {
    const pawl_point_data *point;
    size_t at, length; /* of its labels in the text: `a="1",b="2"` */
};

struct pawl_prom_label {
    size_t name_at, name_length;
    const pawl_attribute *attribute;
};

/* Memory used again for each family; zeroed at first. */
struct pawl_prom_labels {
    struct pawl_prom_text text, names;
    struct pawl_prom_series *series;
    struct pawl_prom_label *labels;
    size_t series_room, label_room, count;
};

/* Sorts the series of a family; those with equal labels, which are one series, stand together. @return False without
 * memory. */
bool pawl_prom_labels_of(struct pawl_prom_labels *labels, const pawl_metric_data *metric);
/* How many series from the one at index on have the same labels; at least 1. */
size_t pawl_prom_labels_equal(const struct pawl_prom_labels *labels, size_t index);
void pawl_prom_labels_free(struct pawl_prom_labels *labels);

/* ---- prometheus_buckets.c ---- */

/* The upper bounds a histogram is written with, +Inf left out: its own, or fixed ones for an exponential one. */
const double *pawl_prom_bounds(const pawl_metric_data *metric, size_t *ret_count);
/* Adds a point to counts (bound_count + 1 of them, not cumulative). */
void pawl_prom_add_buckets(const pawl_metric_data *metric, const pawl_point_data *point, const double *bounds,
                           size_t bound_count, uint64_t *counts);

/* ---- prometheus.c ---- */

/* The whole exposition of metrics, in one call of write. resource may be NULL: then there is no target_info. */
pawl_status pawl_prom_write(const pawl_resource *resource, const pawl_metric_data *metrics, size_t count,
                            pawl_metrics_format format, pawl_metrics_write_fn write, void *user, pawl_error **err);

/* ---- prometheus_accept.c: what a scraper asks for ---- */

/* Of one format: what the most specific range that names it says. */
struct pawl_prom_choice {
    double q;
    int specific; /* 0: not named */
    int order;    /* in the list */
};

struct pawl_prom_accept {
    struct pawl_prom_choice text, openmetrics;
    int count;
};

/* Reads one Accept header; several are read one after another. */
void pawl_prom_accept_read(struct pawl_prom_accept *accept, const char *header);
pawl_metrics_format pawl_prom_accept_choose(const struct pawl_prom_accept *accept);
/* Whether an Accept-Encoding header takes gzip. */
bool pawl_prom_accepts_gzip(const char *header);

#endif
