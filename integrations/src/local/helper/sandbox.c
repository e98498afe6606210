/* One sandbox from clone to lockdown. Everything after the clone runs in the sandbox's own init. */
#include "helper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NAMESPACES                                                                                                     \
    (CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP)
#define NAMESPACE_BITS                                                                                                 \
    (PAWL_HAS_USER_NS | PAWL_HAS_PID_NS | PAWL_HAS_MOUNT_NS | PAWL_HAS_NET_NS | PAWL_HAS_IPC_NS | PAWL_HAS_UTS_NS |    \
     PAWL_HAS_CGROUP_NS)

static struct request request; /* large, and one per process */

static int by_value(const void *a, const void *b) {
    return *(const int *)a - *(const int *)b;
}

/* Closes what is not in kept: the helper's own socket and other sandboxes'. 0 to 2 stay on /dev/null until the
 * program's take their place, so that no descriptor made in between gets their numbers. */
static void close_others(int *kept, size_t count) {
    unsigned from = 3;
    qsort(kept, count, sizeof *kept, by_value);
    for (size_t i = 0; i < count; i++) {
        if (kept[i] < 0)
            continue;
        if ((unsigned)kept[i] > from)
            close_range(from, (unsigned)kept[i] - 1, 0);
        from = (unsigned)kept[i] + 1;
    }
    close_range(from, ~0u, 0);
}

/*
 * A change of identity clears the death signal, so this is called before and after it. In between, and in the time
 * until the first call, the helper may have died: its pidfd tells.
 */
static void die_with_helper(const struct sandbox *sandbox) {
    struct pollfd helper = {.fd = sandbox->helper->self_pidfd, .events = POLLIN};
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 || poll(&helper, 1, 0) != 0)
        _exit(1);
}

static void prefer_for_oom(struct sandbox *sandbox) {
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd >= 0 && write(fd, "1000", 4) == 4)
        sandbox->mechanisms |= PAWL_HAS_OOM_PREFERENCE;
    if (fd >= 0)
        close(fd);
}

/* The ids are mapped by now. Their change keeps the capabilities, since the namespace has no uid 0. */
static void become_guest(struct sandbox *sandbox) {
    uint64_t one;
    if (read(sandbox->go, &one, sizeof one) != sizeof one)
        _exit(1);
    close(sandbox->go);
    if (setresgid(GUEST_ID, GUEST_ID, GUEST_ID) != 0 || setresuid(GUEST_ID, GUEST_ID, GUEST_ID) != 0)
        sandbox_fail(sandbox, PAWL_STAGE_IDENTITY, errno, "cannot take the sandbox's user id");
    die_with_helper(sandbox);
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    if (sandbox->helper->identity.distinct)
        sandbox->mechanisms |= PAWL_HAS_DISTINCT_UID;
}

static void finish_probe(const struct sandbox *sandbox) {
    struct pawl_wire_started started = {sandbox->mechanisms, sandbox->created_ns, sandbox->built_ns, now_ns()};
    reply(sandbox->run, PAWL_REPLY_STARTED, &started, sizeof started, NULL, 0);
    _exit(0);
}

_Noreturn static void become_sandbox(struct sandbox *sandbox) {
    int kept[] = {sandbox->run,      sandbox->stdio[0], sandbox->stdio[1],
                  sandbox->stdio[2], sandbox->go,       sandbox->helper->self_pidfd};
    static struct request_item item;
    enum request_event event;
    sandbox->created_ns = now_ns();
    die_with_helper(sandbox);
    close_others(kept, sizeof kept / sizeof kept[0]);
    prefer_for_oom(sandbox);
    do
        event = message_next(sandbox, &item);
    while (event == REQUEST_HEAD);
    become_guest(sandbox);
    root_prepare(sandbox);
    files_receive(sandbox, &item, event);
    root_enter(sandbox);
    sandbox->built_ns = now_ns();
    lockdown_loopback(sandbox);
    if (sethostname("sandbox", 7) != 0)
        sandbox_fail(sandbox, PAWL_STAGE_CAPABILITIES, errno, "cannot set the sandbox's host name");
    lockdown_capabilities(sandbox);
    lockdown_fixed_limits(sandbox);
    int ruleset = landlock_prepare(sandbox);
    filters_load(sandbox);
    if (sandbox->request->limits.flags & PAWL_LIMITS_PROBE)
        finish_probe(sandbox);
    init_run(sandbox, ruleset);
}

static int let_go(const struct helper *helper, unsigned slot, int go, struct sandbox_handle *handle,
                  enum pawl_stage *stage) {
    uint64_t one = 1;
    int error = identity_map(&helper->identity, slot, handle->pid);
    if (!error && write(go, &one, sizeof one) == sizeof one)
        return 0;
    *stage = PAWL_STAGE_IDENTITY;
    pidfd_send_signal(handle->pidfd, SIGKILL, NULL, 0);
    waitid(P_PIDFD, (id_t)handle->pidfd, &(siginfo_t){0}, WEXITED | __WALL);
    close(handle->pidfd);
    return error ? error : EIO;
}

int sandbox_start(const struct helper *helper, unsigned slot, int run, const int stdio[3],
                  struct sandbox_handle *handle, enum pawl_stage *stage) {
    int go = eventfd(0, EFD_CLOEXEC);
    *stage = PAWL_STAGE_NAMESPACES;
    if (go < 0)
        return errno;
    handle->pid = (pid_t)syscall(SYS_clone, NAMESPACES | CLONE_PIDFD | SIGCHLD, NULL, &handle->pidfd, NULL, 0L);
    int error = errno;
    if (handle->pid == 0) {
        struct sandbox sandbox = {.helper = helper, .request = &request, .run = run, .go = go};
        memcpy(sandbox.stdio, stdio, sizeof sandbox.stdio);
        sandbox.mechanisms = NAMESPACE_BITS;
        become_sandbox(&sandbox);
    }
    error = handle->pid < 0 ? error : let_go(helper, slot, go, handle, stage);
    close(go);
    return error;
}
