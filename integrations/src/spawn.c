#include "spawn_internal.h"
#include <signal.h>

static int set_attributes(posix_spawnattr_t *attributes, short own) {
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    int rc = posix_spawnattr_setsigmask(attributes, &none);
    if (rc == 0)
        rc = posix_spawnattr_setsigdefault(attributes, &all);
    if (rc == 0)
        rc = posix_spawnattr_setpgroup(attributes, 0);
    return rc ? rc : posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | own);
}

int pawl_spawn(const struct pawl_spawn *spawn, pid_t *ret_pid) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int rc = posix_spawn_file_actions_init(&actions);
    if (rc)
        return rc;
    rc = posix_spawnattr_init(&attributes);
    if (rc == 0) {
        rc = spawn->add_actions(&actions, spawn->user);
        if (rc == 0)
            rc = set_attributes(&attributes, spawn->own);
        if (rc == 0)
            rc = (spawn->is_searched ? posix_spawnp : posix_spawn)(ret_pid, spawn->path, &actions, &attributes,
                                                                   spawn->argv, spawn->environment);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
    return rc;
}
