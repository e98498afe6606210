/* Starting a program that is none of a sandbox's. */
#ifndef PAWL_SPAWN_INTERNAL_H
#define PAWL_SPAWN_INTERNAL_H

#include <spawn.h>
#include <stdbool.h>
#include <sys/types.h>

struct pawl_spawn {
    const char *path;
    bool is_searched; /* in PATH, when it has no '/' */
    char *const *argv, *const *environment;
    short own; /* POSIX_SPAWN_SETSID: a session of its own; POSIX_SPAWN_SETPGROUP: a process group */
    /* What becomes of descriptors. Returns 0 or an errno. */
    int (*add_actions)(posix_spawn_file_actions_t *actions, const void *user);
    const void *user;
};

/* The program has no blocked or ignored signal of the host's. Returns 0 or an errno. */
int pawl_spawn(const struct pawl_spawn *spawn, pid_t *ret_pid);

#endif
