/* Shell programs run by the client of the real helper. */
#ifndef SHELL_H
#define SHELL_H

#include "local/helper_parts.h"

#define MS UINT64_C(1000000)
/* A kill must be over by then, on a machine busy with other tests. */
#define KILL_SLACK_NS (1000 * MS)

/* The helper that PAWL_HELPER names; as set-up and tear-down of a group. */
extern pawl_helper_client *helper_client;
int start_helper(void **state);
int stop_helper(void **state);

struct seen {
    char text[3][4096]; /* [1], [2]: streams; cut */
    size_t bytes[3];
    size_t stop_after; /* of stream 1; 0: never */
    struct pawl_wire_result files[8];
    char data[8][256];
    unsigned file_count;
};

struct shell {
    const char *argv[4];
    struct pawl_helper_request request;
    struct seen seen;
    struct pawl_helper_result result;
    int cancel_fd;
    uint64_t deadline_ns;
};

/* A program for bash, without a time-out and with usual limits; set more fields before running it. To be freed. */
struct shell *shell(const char *script);
void run_shell(struct shell *shell);
/* It ended by itself; status: that, or the signal. */
void assert_exited(const struct shell *shell, enum pawl_exit_kind kind, unsigned status);

#endif
