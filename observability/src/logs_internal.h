/* Log records while they wait (log_record.c), as lines (log_lines.c), and the processor (logs.c). */
#ifndef PAWL_LOGS_INTERNAL_H
#define PAWL_LOGS_INTERNAL_H

#include <pawl/observability/logs.h>

/* ---- logs.c ---- */

/* The next flush of this thread, and the end that is to come, begin now. */
void pawl_logs_prepare_flush(pawl_logs *logs);
void pawl_logs_prepare_end(pawl_logs *logs);

/* ---- logs_options.c ---- */

#define PAWL_LOGS_EXPORTERS 8u

/* Fills in the defaults; PAWL_E_INVALID for what is out of bounds. */
pawl_status pawl_logs_check(pawl_logs_options *options, pawl_error **err);

/* ---- log_record.c ---- */

/* A record that waits, with all that it points to in one piece of memory. */
struct pawl_held_log {
    struct pawl_held_log *next;
    size_t bytes; /* of all of it */
    pawl_log_data data;
    pawl_attribute attributes[];
};

struct pawl_log_limits {
    uint64_t attributes, characters; /* of a value */
};

/* How many bytes a copy takes. */
size_t pawl_held_log_bytes(const pawl_log_record *record, const struct pawl_log_limits *limits);
/* NULL without memory; else to be freed. bytes: as told above. */
struct pawl_held_log *pawl_held_log_new(const pawl_log_record *record, const struct pawl_log_limits *limits,
                                        size_t bytes, int64_t wall_offset_ns);

/* ---- log_lines.c ---- */

/* An exporter of records as lines; NULL without memory. */
pawl_exporter *pawl_log_lines_new(pawl_log_write_fn write, void *user, uint64_t format, pawl_error **err);
/* One record as a line with its '\n', to be freed; NULL without memory. */
char *pawl_log_line_new(const pawl_log_data *log, uint64_t format, size_t *ret_length);

#endif
