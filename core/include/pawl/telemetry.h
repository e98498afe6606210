/** @file pawl/telemetry.h  @brief Attributes, instruments and log records: what nodes, the library and you measure and
 * say, without knowing who listens.
 *
 * Nothing here costs more than a look when no observer wants it. Any thread; nothing blocks.
 */
#ifndef PAWL_TELEMETRY_H
#define PAWL_TELEMETRY_H

#include <pawl/context.h>

PAWL_BEGIN_DECLS

/* ---- Attributes ---- */

typedef enum pawl_attribute_type {
    PAWL_ATTRIBUTE_STRING = 0,
    PAWL_ATTRIBUTE_INT,
    PAWL_ATTRIBUTE_DOUBLE,
    PAWL_ATTRIBUTE_BOOL
} pawl_attribute_type;

typedef struct pawl_attribute {
    const char *key;
    union {
        const char *string;
        int64_t integer;
        double number;
        bool boolean;
    } value;
    uint64_t type; /**< pawl_attribute_type. */
} pawl_attribute;

/** `(pawl_attribute[]){pawl_attribute_string("queue", "fast"), pawl_attribute_int("size", 3)}`; both are borrowed. */
static inline pawl_attribute pawl_attribute_string(const char *key, const char *text) {
    pawl_attribute attribute;
    attribute.key = key;
    attribute.value.string = text;
    attribute.type = PAWL_ATTRIBUTE_STRING;
    return attribute;
}
static inline pawl_attribute pawl_attribute_int(const char *key, int64_t number) {
    pawl_attribute attribute;
    attribute.key = key;
    attribute.value.integer = number;
    attribute.type = PAWL_ATTRIBUTE_INT;
    return attribute;
}
static inline pawl_attribute pawl_attribute_double(const char *key, double number) {
    pawl_attribute attribute;
    attribute.key = key;
    attribute.value.number = number;
    attribute.type = PAWL_ATTRIBUTE_DOUBLE;
    return attribute;
}
static inline pawl_attribute pawl_attribute_bool(const char *key, bool flag) {
    pawl_attribute attribute;
    attribute.key = key;
    attribute.value.boolean = flag;
    attribute.type = PAWL_ATTRIBUTE_BOOL;
    return attribute;
}

/* ---- Measurements ---- */

typedef enum pawl_instrument_kind {
    PAWL_COUNTER = 0,          /**< Only grows; what is measured is added. */
    PAWL_UP_DOWN_COUNTER,      /**< What is measured is added, also negative. */
    PAWL_GAUGE,                /**< The last value counts. */
    PAWL_HISTOGRAM,            /**< Explicit bounds. */
    PAWL_EXPONENTIAL_HISTOGRAM /**< Base-2 buckets that follow the data; in the Prometheus formats as fixed buckets. */
} pawl_instrument_kind;

/** What is measured: usually a static const. Two with one name and the same kind and unit are one instrument. */
typedef struct pawl_instrument {
    size_t size;             /**< sizeof(pawl_instrument). */
    const char *name;        /**< A letter, then letters, digits, `_ . - /`, at most 255; e.g. "shop.order.duration". */
    const char *unit;        /**< UCUM, at most 63: "s", "By", "1", "{order}". NULL: none. */
    const char *description; /**< NULL: none. */
    uint64_t kind;           /**< pawl_instrument_kind. */
    const double *bounds;    /**< Upper bounds of a histogram's buckets, inclusive, ascending. NULL: OpenTelemetry's. */
    uint64_t bound_count;    /**< At most 128. */
} pawl_instrument;

/**
 * Measures inside a run; the span that is open there can become the exemplar.
 * @param instrument  Must outlive the runtime.
 * @param attributes  Borrowed; few values each: each set of them is a series of its own. NULL for none.
 */
PAWL_API void pawl_context_measure(pawl_context *ctx, const pawl_instrument *instrument, double value,
                                   const pawl_attribute *attributes, size_t attribute_count);
/** The same outside a run. */
PAWL_API void pawl_runtime_measure(pawl_runtime *runtime, const pawl_instrument *instrument, double value,
                                   const pawl_attribute *attributes, size_t attribute_count);

/* ---- Log records ---- */

/** Borrowed, valid only during the observer's call. */
typedef struct pawl_log_record {
    size_t size;
    uint64_t time_ns; /**< Monotonic. */
    const char *text; /**< One line, without secrets known to the runtime. */
    const pawl_attribute *attributes;
    uint64_t attribute_count;
    pawl_context *ctx;    /**< NULL outside a run. */
    uint8_t trace_id[16]; /**< Zero outside a run. */
    uint8_t span_id[8];
    uint32_t trace_flags;
    uint32_t level; /**< pawl_log_level. */
} pawl_log_record;

/** Says something inside a run: to the runtime's log callback and to observers of logs, when level is enabled there
 * (pawl_runtime_options.log_level). @param attributes Borrowed; NULL for none. Cut at 1,023 bytes. */
PAWL_API void pawl_context_log(pawl_context *ctx, pawl_log_level level, const pawl_attribute *attributes,
                               size_t attribute_count, const char *format, ...) PAWL_PRINTF(5, 6);
/** @return Whether a record of this level would be heard; skip the work of making it otherwise. */
PAWL_API bool pawl_runtime_logs(const pawl_runtime *runtime, pawl_log_level level);

PAWL_END_DECLS
#endif
