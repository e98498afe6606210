/* Base-2 exponential histograms: 160 buckets a sign, from scale 20 down. Source of the rules: OpenTelemetry's metrics
 * data model, "ExponentialHistogram". Bucket i holds (base^i, base^(i+1)] with base = 2^(2^-scale). */
#ifndef PAWL_EXPONENTIAL_INTERNAL_H
#define PAWL_EXPONENTIAL_INTERNAL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EXPONENTIAL_BUCKETS 160
#define EXPONENTIAL_SCALE 20

/* Bucket i lies at i modulo 160, so that nothing moves while the range grows; outside of low..high all are 0. */
struct exponential_side {
    int32_t low, high; /* high < low: empty */
    uint64_t counts[EXPONENTIAL_BUCKETS];
};

enum { POSITIVE_SIDE, NEGATIVE_SIDE };

/* Plain numbers, of one thread. All zero with both sides emptied is an empty one: pawl_exponential_clear(). */
struct exponential {
    double sum, min, max; /* min and max are NaN while it is empty */
    uint64_t zero_count;
    int32_t scale, reserved;
    struct exponential_side sides[2];
};

/* The same while one thread writes and others read. */
struct exponential_cell {
    _Atomic double sum, min, max;
    _Atomic uint64_t zero_count;
    _Atomic uint32_t version; /* odd while the scale is lowered */
    _Atomic int32_t scale;
    struct {
        _Atomic int32_t low, high;
        _Atomic uint64_t counts[EXPONENTIAL_BUCKETS];
    } sides[2];
};

/* value is positive, finite and not subnormal. */
int32_t pawl_exponential_index(double value, int32_t scale);

void pawl_exponential_cell_init(struct exponential_cell *cell);
/* value is finite. The cell's thread alone. */
void pawl_exponential_record(struct exponential_cell *cell, double value);
/* A consistent moment of it. Any thread. */
void pawl_exponential_read(const struct exponential_cell *cell, struct exponential *ret_data);

void pawl_exponential_clear(struct exponential *data);
uint64_t pawl_exponential_count(const struct exponential *data);
/* Adds more to data; the scale becomes what both fit. */
void pawl_exponential_add(struct exponential *data, const struct exponential *more);
/* Takes away what was there before: an earlier moment of the same data. min and max become unknown. */
void pawl_exponential_subtract(struct exponential *data, const struct exponential *before);

static inline size_t exponential_place(int32_t index) {
    int32_t rest = index % EXPONENTIAL_BUCKETS;
    return (size_t)(rest < 0 ? rest + EXPONENTIAL_BUCKETS : rest);
}

#endif
