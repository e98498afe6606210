/* An execution value (pawl_code_execution()'s output), read. */
#ifndef PAWL_FIX_EXECUTION_VIEW_INTERNAL_H
#define PAWL_FIX_EXECUTION_VIEW_INTERNAL_H

#include <pawl/primitives/refine.h>

/* Texts are borrowed from the value; absent ones are "". */
struct execution_view {
    const char *outcome, *error_name, *error_value, *traceback;
    const cJSON *out, *err;      /* lists of texts; NULL when absent */
    int64_t exit_status, signal; /* -1, 0: none */
    double seconds;
    uint64_t queue_ns, create_ns, run_ns;
    pawl_stream_record out_bytes, err_bytes;
    bool unended; /* a test that was to prove that it ran to its end did not */
};

/* False when it is no execution value. */
bool pawl_execution_view_read(const pawl_value *result, struct execution_view *ret_view);
/* The pieces of one stream joined; released with free(); NULL without memory. */
char *pawl_execution_log_text(const cJSON *log, size_t *ret_length);
/* Whether the word says that the sandbox failed, not the program. */
bool pawl_execution_is_infrastructure(const char *outcome);
/* Whether the program ended by itself, in whatever way. */
bool pawl_execution_ran(const char *outcome);

#endif
