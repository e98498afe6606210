#include "helper.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *no_namespaces(int error) {
    if (error == ENOSPC)
        return "the limit on namespaces is reached or 0: raise sysctl user.max_user_namespaces and its siblings";
    if (error == EINVAL || error == ENOSYS)
        return "the kernel is built without it: Linux 5.13 or later with namespaces is needed";
    return "the system forbids it to this user: allow unprivileged user namespaces (sysctl "
           "kernel.unprivileged_userns_clone=1 or kernel.apparmor_restrict_unprivileged_userns=0; in a container, a "
           "seccomp profile that permits clone with namespaces)";
}

static const char *no_root(int error) {
    if (error == ENOSPC || error == ENOMEM)
        return "the scratch limits are too small for a sandbox or memory is short: raise them";
    return "the system forbids mounts inside a user namespace (an AppArmor, SELinux or container profile): allow them "
           "for pawl-sandbox";
}

static const char *no_bind(int error) {
    if (error == EACCES)
        return "the sandbox's user may not reach it: use an interpreter outside private home folders";
    if (error == ELOOP)
        return "it leads through a symbolic link: give the resolved path";
    return "check that it exists and is a folder or file outside the sandbox's own folders";
}

static const char *no_files(int error) {
    if (error == ENOSPC)
        return "the files do not fit into the sandbox: raise scratch_bytes or scratch_inodes";
    if (error == EEXIST || error == ENOTDIR || error == EISDIR)
        return "two files of the request have the same path, or one is a folder of another";
    return NULL;
}

static const char *no_exec(int error) {
    if (error == ENOENT)
        return "no such program in the sandbox, or its loader is missing";
    if (error == EACCES)
        return "the sandbox's user may not execute it";
    if (error == E2BIG)
        return "arguments and environment are too large; pass data in files";
    if (error == ENOMEM)
        return "raise the memory limit";
    if (error == EAGAIN)
        return "the limit on processes is too low: raise the request's, and the host's (ulimit -u)";
    if (error == ENOEXEC)
        return "it is not a program of this machine";
    return NULL;
}

static const char *remedy(enum pawl_stage stage, int error) {
    switch (stage) {
    case PAWL_STAGE_BUSY:
        return "wait for others to end, or run fewer at once";
    case PAWL_STAGE_NAMESPACES:
        return no_namespaces(error);
    case PAWL_STAGE_IDENTITY:
        return "root needs CAP_SETUID and CAP_SETGID and enough mapped ids: run as an ordinary user, or grant them";
    case PAWL_STAGE_ROOT:
        return no_root(error);
    case PAWL_STAGE_BIND:
        return no_bind(error);
    case PAWL_STAGE_PROC:
        return "/proc of this machine is masked, as in most containers: allow runs without /proc";
    case PAWL_STAGE_FILES:
        return no_files(error);
    case PAWL_STAGE_LANDLOCK:
        if (error && error != ENOSYS && error != EOPNOTSUPP)
            return NULL;
        return "Landlock is missing: Linux 5.13 or later, with landlock in the list of active security modules";
    case PAWL_STAGE_SECCOMP:
        return "the kernel needs CONFIG_SECCOMP_FILTER";
    case PAWL_STAGE_CWD:
        return "the working directory must be a folder, not one of the request's files";
    case PAWL_STAGE_EXEC:
        return no_exec(error);
    default:
        return NULL;
    }
}

void explain(char *text, size_t size, enum pawl_stage stage, int error, const char *detail) {
    const char *advice = remedy(stage, error);
    snprintf(text, size, "%s%s%s%s%s", detail, error ? ": " : "", error ? strerror(error) : "", advice ? "; " : "",
             advice ? advice : "");
}
