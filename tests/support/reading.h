/* What metrics hand out, looked up by name and labels. */
#ifndef READING_H
#define READING_H

#include <pawl/observability/metrics.h>

#define READING_BUCKETS 164

/* One point, copied out. */
struct reading {
    bool found;
    uint64_t kind, is_delta, is_integer, points; /* of its metric; points: how many there are */
    double value, sum, min, max;
    uint64_t count, zero_count, start_unix_ns, time_unix_ns;
    int64_t scale, offset;
    uint64_t bucket_count, buckets[READING_BUCKETS], negative_count;
    uint64_t exemplar_count;
    pawl_exemplar_data exemplars[8];
};

/* labels: "key=value,key=value" in the order of the keys; "" for none; NULL: the first point. */
struct reading find_reading(const pawl_metric_data *metrics, size_t count, const char *name, const char *labels);
/* Collects, cumulative, and finds it. */
struct reading read_metrics(pawl_metrics *metrics, const char *name, const char *labels);
/* The same of a counter or gauge; NaN when there is none. */
double read_value(pawl_metrics *metrics, const char *name, const char *labels);

#endif
