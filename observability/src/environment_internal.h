/* What the OTEL_* variables say, as plain data (OpenTelemetry specification 1.60, "Environment Variable
 * Specification"). Read through a function, so that tests and fuzzers need no environment. OTEL_SERVICE_NAME and
 * OTEL_RESOURCE_ATTRIBUTES are resource.c's; what is wrong with them is told here. */
#ifndef PAWL_ENVIRONMENT_INTERNAL_H
#define PAWL_ENVIRONMENT_INTERNAL_H

#include "otlp_exporter_internal.h"

/* How the variables are read, and who is told of what is wrong with them. */
struct pawl_environment_reader {
    const char *(*get)(void *user, const char *name); /* NULL for unset; borrowed, as long as what was read */
    void (*warn)(void *user, const char *text);       /* one line; NULL: nobody */
    void *user;
};

/* ---- Numbers of words, from 1: 0 is not said ---- */

enum pawl_environment_log_level {
    PAWL_ENVIRONMENT_LOG_NONE = 1,
    PAWL_ENVIRONMENT_LOG_ERROR,
    PAWL_ENVIRONMENT_LOG_WARN,
    PAWL_ENVIRONMENT_LOG_INFO,
    PAWL_ENVIRONMENT_LOG_DEBUG
};
enum pawl_environment_sampler {
    PAWL_ENVIRONMENT_ALWAYS = 1,
    PAWL_ENVIRONMENT_NEVER,
    PAWL_ENVIRONMENT_RATIO,
    PAWL_ENVIRONMENT_PARENT_ALWAYS,
    PAWL_ENVIRONMENT_PARENT_NEVER,
    PAWL_ENVIRONMENT_PARENT_RATIO
};
enum pawl_environment_protocol { PAWL_ENVIRONMENT_PROTOBUF = 1, PAWL_ENVIRONMENT_JSON };
enum pawl_environment_compression { PAWL_ENVIRONMENT_PLAIN = 1, PAWL_ENVIRONMENT_GZIP };
enum pawl_environment_temporality {
    PAWL_ENVIRONMENT_CUMULATIVE = 1,
    PAWL_ENVIRONMENT_DELTA,
    PAWL_ENVIRONMENT_LOW_MEMORY
};
enum pawl_environment_histogram { PAWL_ENVIRONMENT_EXPLICIT = 1, PAWL_ENVIRONMENT_EXPONENTIAL };
enum pawl_environment_exemplars {
    PAWL_ENVIRONMENT_EXEMPLARS_SAMPLED = 1,
    PAWL_ENVIRONMENT_EXEMPLARS_ALL,
    PAWL_ENVIRONMENT_EXEMPLARS_NONE
};

/* ---- Bits of lists; 0 is not said. With others `none` does not count. ---- */

enum { PAWL_ENVIRONMENT_TRACECONTEXT = 1, PAWL_ENVIRONMENT_BAGGAGE = 2, PAWL_ENVIRONMENT_NO_PROPAGATOR = 4 };
enum {
    PAWL_ENVIRONMENT_OTLP = 1,
    PAWL_ENVIRONMENT_CONSOLE = 2,
    PAWL_ENVIRONMENT_NO_EXPORTER = 4,
    PAWL_ENVIRONMENT_STDOUT = 8,     /* otlp/stdout */
    PAWL_ENVIRONMENT_PROMETHEUS = 16 /* of metrics alone */
};

/* ---- Numbers are as options take them: 0 not said, PAWL_ZERO zero, PAWL_UNLIMITED no bound ---- */

struct pawl_environment_batch {
    uint64_t delay_ns, timeout_ns, queue_size, batch_size; /* the batch is no larger than the queue */
};

struct pawl_environment_headers {
    pawl_http_header *list; /* malloc'd with its texts */
    uint64_t count;
};

struct pawl_environment_otlp {
    const char *endpoint; /* http:// or https://; NULL for none */
    uint64_t protocol, compression, timeout_ns;
    const char *ca_file, *client_key_file, *client_cert_file;
    struct pawl_environment_headers headers;
};

struct pawl_environment {
    uint64_t disabled; /* not 0: OTEL_SDK_DISABLED */
    uint64_t log_level, propagators, sampler;
    double sampler_ratio; /* 1 when not said */
    uint64_t exporters[PAWL_OTLP_SIGNALS];
    struct pawl_environment_batch spans, records;
    uint64_t attribute_count, attribute_length; /* of a span */
    uint64_t event_count, link_count, event_attribute_count, link_attribute_count;
    uint64_t any_attribute_count, any_attribute_length; /* of records, too */
    struct pawl_environment_otlp base;
    struct pawl_environment_otlp signals[PAWL_OTLP_SIGNALS]; /* endpoint its own; else what is not said is the base's */
    uint64_t temporality, histogram, exemplars;
    uint64_t export_interval_ns, export_timeout_ns; /* of metrics */
    const char *prometheus_host;
    uint64_t prometheus_port;
    const char *config_file; /* OTEL_CONFIG_FILE: not supported */
};

/* Reads all of them. What is wrong is warned of and counts as not said. False without memory. To be finished in any
 * case. */
bool pawl_environment_read(struct pawl_environment *environment, const struct pawl_environment_reader *reader);
void pawl_environment_finish(struct pawl_environment *environment);
/* getenv(3) for a reader. */
const char *pawl_environment_getenv(void *user, const char *name);

/* ---- environment_value.c: values of one kind. Zero stays when the variable is unset, empty or wrong. ---- */

const char *pawl_environment_text(const struct pawl_environment_reader *reader, const char *name);
void pawl_environment_warn(const struct pawl_environment_reader *reader, const char *format, ...) PAWL_PRINTF(2, 3);
/* Where a variable's value goes. */
void pawl_environment_flag(const struct pawl_environment_reader *reader, const char *name, uint64_t *set);
void pawl_environment_number(const struct pawl_environment_reader *reader, const char *name, uint64_t least,
                             uint64_t most, uint64_t *set);
/* Milliseconds to nanoseconds. @param zero What 0 means: PAWL_ZERO or PAWL_UNLIMITED; 0: it is not allowed. */
void pawl_environment_duration(const struct pawl_environment_reader *reader, const char *name, uint64_t zero,
                               uint64_t *set);
void pawl_environment_ratio(const struct pawl_environment_reader *reader, const char *name, double *set);
/* @param words Separated by blanks; the first is 1, or bit 0 of a list. */
void pawl_environment_word(const struct pawl_environment_reader *reader, const char *name, const char *words,
                           uint64_t *set);
void pawl_environment_list(const struct pawl_environment_reader *reader, const char *name, const char *words,
                           uint64_t none, uint64_t *set);

/* ---- environment_pairs.c: "key=value,key=value" with percent-encoding ---- */

/* Splits one entry, in place: blanks around both are taken off, both are decoded. False when it is broken, or what is
 * coded is no UTF-8 or has a NUL in it. */
bool pawl_environment_split(char *entry, char **ret_key, char **ret_value);
/* False without memory. */
bool pawl_environment_pairs(const struct pawl_environment_reader *reader, const char *name,
                            struct pawl_environment_headers *set);

/* ---- environment_otlp.c ---- */

bool pawl_environment_read_otlp(struct pawl_environment *environment, const struct pawl_environment_reader *reader);

#endif
