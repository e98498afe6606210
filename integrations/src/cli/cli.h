/* The tool's shared parts. Exit statuses are those of docs/errors.md. */
#ifndef PAWL_CLI_H
#define PAWL_CLI_H

#include <pawl/pawl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/types.h>

enum {
    EXIT_OK = 0,
    EXIT_CHECKS_FAILED = 1,
    EXIT_USAGE = 2,    /* of fix: usage or bad input */
    EXIT_BUDGET = 3,   /* of fix: budget or stall */
    EXIT_PROVIDER = 4, /* of fix: provider or network */
    EXIT_DENIED = 5,   /* of fix: policy */
    EXIT_LIMIT = 123,  /* of exec: a limit other than time */
    EXIT_WALL_TIMEOUT = 124,
    EXIT_NOT_STARTED = 125, /* of exec: usage, or the sandbox could not start */
    EXIT_NOT_READABLE = 126,
    EXIT_NOT_FOUND = 127,
    EXIT_SIGNAL = 128, /* plus the signal */
    EXIT_INTERRUPTED = 130,
};

int cli_doctor(int argc, char **argv);
int cli_exec(int argc, char **argv);
int cli_fix(int argc, char **argv);
int cli_trace(int argc, char **argv);

/* How a command is watched; the options of every command that runs something. In its list of options stands
 * CLI_WATCH_OPTIONS, in its help CLI_WATCH_HELP, and cli_watch_option() sees each option first. */
struct cli_watch {
    const char *who;
    const char *trace_file, *metrics_file; /* NULL for none; metrics "-": stdout */
    bool content, quiet, tree;             /* tree: the trace tree goes to stderr */
};

enum { CLI_OPT_TRACE = 1024, CLI_OPT_TRACE_CONTENT, CLI_OPT_METRICS };
#define CLI_WATCH_OPTIONS                                                                                              \
    {"trace", required_argument, NULL, CLI_OPT_TRACE}, {"trace-content", no_argument, NULL, CLI_OPT_TRACE_CONTENT}, {  \
        "metrics", required_argument, NULL, CLI_OPT_METRICS                                                            \
    }
/* gap: blanks that bring it into the column of the command's other options. */
#define CLI_WATCH_HELP(gap)                                                                                            \
    "      --trace FILE        " gap "add the trace to FILE, as OTLP JSON lines: see `pawl trace view FILE`\n"         \
    "      --trace-content     " gap "with programs and their output in it\n"                                          \
    "      --metrics FILE|-    " gap "write metrics at the end, as Prometheus text\n"
#define CLI_WATCH_NOTE                                                                                                 \
    "Telemetry goes to a collector when an OTEL_*_ENDPOINT or OTEL_*_EXPORTER variable says so; a TRACEPARENT in "     \
    "the\n"                                                                                                            \
    "environment is joined. Neither changes the exit status.\n"

/* Whether it was one of these options. */
bool cli_watch_option(struct cli_watch *watch, int option, const char *value);
/* After all options: whether the files can be written. may_print: metrics may go to stdout. False: the reason is on
 * stderr. */
bool cli_watch_check(const struct cli_watch *watch, bool may_print);

/* What a subcommand runs in: runtime, context, and SIGINT, SIGTERM or SIGHUP as a cancel; a second one ends the tool.
 */
struct cli_session {
    pawl_runtime *runtime;
    pawl_context *ctx;
    atomic_bool interrupted;
    struct cli_interrupts *interrupts;
    struct cli_telemetry *telemetry;
};

/* False: the reason is on stderr. watch is borrowed until it is closed. */
bool cli_session_open(struct cli_session *session, const struct cli_watch *watch);
void cli_session_close(struct cli_session *session);

/* Observes the session's runtime, and joins the trace of whoever started the tool; before the context's first run.
 * False without memory. */
bool cli_telemetry_open(struct cli_session *session, const struct cli_watch *watch);
/* Writes metrics and hands on what waits, in 2 s at most. */
void cli_telemetry_flush(struct cli_session *session);
/* After the runtime's end: says in one line what was lost. */
void cli_telemetry_close(struct cli_session *session);

/* Opens /dev/null where 0, 1 or 2 is closed, so that no other descriptor takes its place. */
void cli_own_standard_streams(void);

/* Output that a cancel can end, although the reader has stopped reading. The first failure is kept; a reader that left
 * or a full disk cancels the run. */
struct cli_output {
    int fd;
    pawl_context *ctx; /* NULL: not cancellable */
    bool optional;     /* what cannot be written is dropped and the run goes on */
    atomic_int failed; /* errno */
};
void cli_write(struct cli_output *output, const void *bytes, size_t length);
/* For telemetry: waits at most a second in all for a reader that does not read. False: errno says why. */
bool cli_write_soon(int fd, const void *bytes, size_t length);
/* The exit status when output was lost: dies by SIGPIPE when the reader left, complains and gives lost for anything
 * else; else status. */
int cli_settle(const char *who, const struct cli_output *output, int status, int lost);

/* A file that is written beside its place and put there when it is whole: nobody sees half of it, and a failure leaves
 * what was there, whose mode it takes. What is no regular file (a device, a FIFO), and what the tool's own output goes
 * to, is written as it is. */
struct cli_new_file {
    int fd;
    char *path, *temporary; /* NULL: written as it is */
};
/* mode: when there is none yet, less the umask. flags: for open(2) of what is no regular file. False: errno says why.
 */
bool cli_new_file_open(struct cli_new_file *file, const char *path, mode_t mode, int flags);
/* whole: it takes its place; else it is gone. False: errno says why, and what was there stays. */
bool cli_new_file_close(struct cli_new_file *file, bool whole);

/* False: stdout cannot be written. */
bool cli_print_help(const char *help);
/* Prints "WHO: ..." on stderr. */
void cli_complain(const char *who, const char *format, ...) PAWL_PRINTF(2, 3);
void cli_complain_error(const char *who, const pawl_error *error);

/* Reads a whole file, "-" for stdin, at most `most` bytes; new bytes with a NUL behind them, to be freed. NULL: the
 * reason is on stderr and in errno. */
char *cli_read_file(const char *who, const char *path, size_t most, size_t *ret_length);
/* Reads what `--file PATH[=NAME]` names. ret_name: the file's name in the work folder, borrowed from the argument. New
 * bytes, to be freed; NULL: the reason is on stderr. */
char *cli_read_file_option(const char *who, const char *argument, size_t most, const char **ret_name,
                           size_t *ret_length);
/* Whether text is UTF-8, as all that goes into JSON must be; complains about `what` else. */
bool cli_is_text(const char *who, const char *what, const char *text, size_t length);
/* Sets a member, in place of one of that name: the last option counts. item is taken. */
void cli_set(cJSON *object, const char *name, cJSON *item);
/* Parses "1.5" as seconds; "64K", "2G" as bytes. False for anything else, negative included. */
bool cli_parse_seconds(const char *text, double *ret_seconds);
bool cli_parse_bytes(const char *text, double *ret_bytes);
/* Language by a file's name: "python", "javascript", "bash"; NULL when it does not tell. */
const char *cli_language_of(const char *path);
const char *cli_base_name(const char *path);
/* Exit status of an execution result's JSON. */
int cli_exit_of_result(const cJSON *result);

#endif
