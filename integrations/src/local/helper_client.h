/*
 * Runs programs in sandboxes made by the helper pawl-sandbox. Below the provider: knows processes, descriptors and
 * bytes, and nothing of languages, values or contexts. Needs libc alone.
 *
 * A client owns one helper process, which is started with it and started again when it was lost. The host process is
 * never forked (posix_spawn), no signal is raised or handled (SIGPIPE included), and no descriptor is left inheritable.
 */
#ifndef PAWL_LOCAL_HELPER_CLIENT_H
#define PAWL_LOCAL_HELPER_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol.h"

typedef struct pawl_helper_client pawl_helper_client;

/**
 * Starts the helper and waits at most 10 s for its report of what this machine allows.
 * @param path       Of the pawl-sandbox program; copied.
 * @param error_text Set to a whole sentence (what, why, remedy) when NULL is returned. At least 1 byte.
 * @param ret_lacks  Set to whether this machine lacks what no sandbox goes without: trying again is no use. May be
 * NULL.
 * @return To be freed, or NULL.
 */
pawl_helper_client *pawl_helper_client_new(const char *path, char *error_text, size_t error_bytes, bool *ret_lacks);
/* client may be NULL. No run may be active. Ends the helper; waits at most a second or so for its end. Returns NULL. */
pawl_helper_client *pawl_helper_client_free(pawl_helper_client *client);

/* What the current helper found on this machine. text: "missing: ..." or empty. */
struct pawl_helper_about {
    struct pawl_wire_hello hello;
    long pid;
    char text[PAWL_WIRE_TEXT_MAX];
};
/* Any thread. */
void pawl_helper_client_about(pawl_helper_client *client, struct pawl_helper_about *ret_about);

struct pawl_helper_file {
    const char *path;  /* relative to its folder */
    uint32_t folder;   /* enum pawl_wire_folder */
    uint32_t mode;     /* permission bits, such as 0644 */
    const void *bytes; /* any; NULL if length is 0 */
    size_t length;
};

/* All borrowed during the run. Lists end in NULL; a NULL list is empty. See protocol.h for bounds and meaning. */
struct pawl_helper_request {
    const char *exec; /* absolute path inside the sandbox */
    const char *const *argv;
    const char *const *env;
    const char *const *binds;
    const char *const *collect;
    const char *cwd; /* relative to the work folder, or NULL */
    const struct pawl_helper_file *files;
    size_t file_count;
    const void *stdin_bytes;
    size_t stdin_length;
    uint64_t timeout_ns; /* for the program, from its exec on; 0 at once, PAWL_UNBOUNDED none */
    struct pawl_wire_limits limits;
};

/* Called on the thread of the run, in the order of arrival. A NULL function drops its kind. */
struct pawl_helper_sink {
    /* stream is 1 or 2. False: that is enough output, kill the program; no more calls for either stream follow. */
    bool (*on_output)(void *user, int stream, const uint8_t *bytes, size_t length);
    /* One per collected path, in order, each followed by its data (a symlink's data is its target). */
    void (*on_file)(void *user, const struct pawl_wire_result *file);
    void (*on_file_data)(void *user, uint32_t index, const uint8_t *bytes, size_t length);
    void *user;
    /* The sandbox is made, the program has begun: at most once, perhaps beside its first output. */
    void (*on_started)(void *user, const struct pawl_wire_started *times);
};

enum pawl_helper_end {
    PAWL_HELPER_EXITED = 1,  /* by itself: exit says how */
    PAWL_HELPER_TIMED_OUT,   /* killed: timeout_ns */
    PAWL_HELPER_DEADLINE,    /* killed: deadline_ns */
    PAWL_HELPER_CANCELLED,   /* killed: cancel_fd */
    PAWL_HELPER_STOPPED,     /* killed: on_output said so */
    PAWL_HELPER_REFUSED,     /* no sandbox could be made or the program not started: stage, error, text */
    PAWL_HELPER_LOST,        /* the sandbox or the helper died; text. See may_have_run */
    PAWL_HELPER_UNAVAILABLE, /* the helper could not be started or does not answer; text. Nothing ran */
};

struct pawl_helper_result {
    enum pawl_helper_end end;
    bool started;      /* times is set */
    bool may_have_run; /* false: it is certain that the program was never executed */
    bool exited;       /* exit is set (also after a kill that came too late) */
    bool confirmed;    /* after a kill: all processes of the sandbox are known to be gone */
    struct pawl_wire_started times;
    struct pawl_wire_exit exit;
    uint64_t called_ns, ended_ns; /* CLOCK_MONOTONIC, around the whole call */
    enum pawl_stage stage;
    int error;
    char text[PAWL_WIRE_TEXT_MAX];
};

/**
 * Runs one program in a fresh sandbox and blocks until it and all it started are gone. Any thread; many at once.
 * After a kill it drains what is in the pipes and waits at most a second for the sandbox's end; a helper that does not
 * manage that is killed (confirmed is false then) and replaced.
 * @param sink        Borrowed; may be NULL.
 * @param cancel_fd   Readable means cancelled; not read from. -1: none.
 * @param deadline_ns Absolute, CLOCK_MONOTONIC. PAWL_UNBOUNDED: none.
 */
void pawl_helper_run(pawl_helper_client *client, const struct pawl_helper_request *request,
                     const struct pawl_helper_sink *sink, int cancel_fd, uint64_t deadline_ns,
                     struct pawl_helper_result *ret_result);

#endif
