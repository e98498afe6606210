/* One child process that speaks JSON lines. */
#ifndef PAWL_FIX_COMMAND_INTERNAL_H
#define PAWL_FIX_COMMAND_INTERNAL_H

#include <pawl/integrations/fix.h>
#include <sys/types.h>

#define COMMAND_LAST_LINE 160

struct command_process {
    struct command_process *next;
    pid_t pid;
    int in, out, err, ready; /* ready: epoll over the other three */
    bool out_ended, err_ended, has_answered, is_writing;
    char *line; /* what has come of the answer */
    size_t used, capacity;
    char last_stderr[COMMAND_LAST_LINE]; /* the line that is being written, or the last one */
    size_t last_used;
    bool last_is_whole;
};

/* Starts the command. NULL with *err: PAWL_E_NOT_FOUND, PAWL_E_DENIED, PAWL_E_UNAVAILABLE, PAWL_E_NOMEM. */
struct command_process *pawl_command_start(const pawl_command_generator_options *options, pawl_error **err);

/* How one exchange ended. */
enum command_end {
    COMMAND_ANSWERED,  /* process->line has used bytes: the answer without its line end */
    COMMAND_EXITED,    /* its output ended without an answer */
    COMMAND_TALKATIVE, /* it has said something that nobody asked for */
    COMMAND_TOO_LONG,
    COMMAND_FAILED, /* *err is set: cancelled, deadline, timeout, out of memory */
};
/* Sends a request (with its line end) and reads one line. Blocks; obeys ctx. */
enum command_end pawl_command_exchange(struct command_process *process, const pawl_command_generator_options *options,
                                       pawl_context *ctx, const char *request, size_t length, pawl_error **err);
/* Whether it may serve another request. */
bool pawl_command_is_reusable(const struct command_process *process);
/* Ends the process and reaps it. @param grace_ms How long it may take to end by itself once its input has ended.
 * @return As from waitpid(), -1 when it is not known. */
int pawl_command_end(struct command_process *process, int grace_ms);

#endif
