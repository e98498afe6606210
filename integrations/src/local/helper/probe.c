/* Finds out what this machine allows by doing it: one sandbox is built and locked, and starts nothing. */
#include "helper.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_MS 5000

static const struct {
    unsigned long flag;
    uint64_t bit;
} kinds[] = {{0, PAWL_HAS_USER_NS},
             {CLONE_NEWPID, PAWL_HAS_PID_NS},
             {CLONE_NEWNS, PAWL_HAS_MOUNT_NS},
             {CLONE_NEWNET, PAWL_HAS_NET_NS},
             {CLONE_NEWIPC, PAWL_HAS_IPC_NS},
             {CLONE_NEWUTS, PAWL_HAS_UTS_NS},
             {CLONE_NEWCGROUP, PAWL_HAS_CGROUP_NS}};

/* Which kind of namespace is refused, when all together were. */
static void name_missing_namespace(struct helper *helper, int error) {
    char detail[160];
    snprintf(detail, sizeof detail, "cannot make the sandbox's namespaces");
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        pid_t pid = (pid_t)syscall(SYS_clone, CLONE_NEWUSER | kinds[i].flag | SIGCHLD, NULL, NULL, NULL, 0L);
        if (pid == 0)
            _exit(0);
        if (pid < 0) {
            error = errno;
            snprintf(detail, sizeof detail, "cannot make a %s", pawl_mechanism_name(kinds[i].bit));
            break;
        }
        helper->mechanisms |= kinds[i].bit;
        waitpid(pid, NULL, __WALL);
    }
    explain(helper->fault, sizeof helper->fault, PAWL_STAGE_NAMESPACES, error, detail);
}

static bool ask(int run) {
    struct {
        struct pawl_wire_frame head;
        struct pawl_wire_limits limits;
        struct pawl_wire_frame end;
    } message = {{PAWL_REQUEST_LIMITS, sizeof message.limits}, {0}, {PAWL_REQUEST_END, 0}};
    message.limits.allow_missing = PAWL_OPTIONAL_MECHANISMS;
    message.limits.flags = PAWL_LIMITS_PROBE;
    return send(run, &message, sizeof message, MSG_NOSIGNAL) == sizeof message;
}

static void read_answer(struct helper *helper, int run) {
    struct pollfd answer = {.fd = run, .events = POLLIN};
    uint8_t message[2048];
    struct pawl_wire_frame frame = {0, 0};
    ssize_t length = poll(&answer, 1, PATIENCE_MS) == 1 ? recv(run, message, sizeof message, 0) : -1;
    if (length >= (ssize_t)sizeof frame)
        memcpy(&frame, message, sizeof frame);
    const uint8_t *payload = message + sizeof frame;
    if (frame.type == PAWL_REPLY_STARTED)
        memcpy(&helper->mechanisms, payload, sizeof helper->mechanisms);
    else if (frame.type == PAWL_REPLY_ERROR && frame.length > sizeof(struct pawl_wire_error))
        snprintf(helper->fault, sizeof helper->fault, "%.*s", (int)(frame.length - sizeof(struct pawl_wire_error)),
                 payload + sizeof(struct pawl_wire_error));
    else
        snprintf(helper->fault, sizeof helper->fault, "the probe sandbox died while it was being built");
}

static void run_probe(struct helper *helper, int pair[2]) {
    static const int no_stdio[3] = {-1, -1, -1};
    struct sandbox_handle handle = {.pid = -1, .pidfd = -1};
    enum pawl_stage stage = PAWL_STAGE_NONE;
    int error = ask(pair[0]) ? sandbox_start(helper, 0, pair[1], no_stdio, &handle, &stage) : EIO;
    if (error && stage == PAWL_STAGE_NAMESPACES) {
        name_missing_namespace(helper, error);
    } else if (error && stage == PAWL_STAGE_NONE) {
        snprintf(helper->fault, sizeof helper->fault, "cannot speak to the probe sandbox: %s", strerror(error));
    } else if (error) {
        explain(helper->fault, sizeof helper->fault, stage, error, "cannot map the sandbox's user and group ids");
    } else {
        close(pair[1]); /* so that the probe's death ends the socket */
        pair[1] = -1;
        read_answer(helper, pair[0]);
        pidfd_send_signal(handle.pidfd, SIGKILL, NULL, 0);
        waitid(P_PIDFD, (id_t)handle.pidfd, &(siginfo_t){0}, WEXITED | __WALL);
        close(handle.pidfd);
    }
}

static void list_missing(struct helper *helper) {
    size_t used = 0;
    for (unsigned i = 0; i < PAWL_MECHANISMS; i++) {
        uint64_t bit = UINT64_C(1) << i;
        if (!(helper->mechanisms & bit))
            used += (size_t)snprintf(helper->fault + used, sizeof helper->fault - used, "%s%s",
                                     used ? ", " : "missing: ", pawl_mechanism_name(bit));
    }
}

void probe(struct helper *helper) {
    int pair[2];
    if (helper->identity.fault[0]) {
        explain(helper->fault, sizeof helper->fault, PAWL_STAGE_IDENTITY, 0, helper->identity.fault);
        return;
    }
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
        snprintf(helper->fault, sizeof helper->fault, "cannot make a socket pair: %s", strerror(errno));
        return;
    }
    run_probe(helper, pair);
    close(pair[0]);
    if (pair[1] >= 0)
        close(pair[1]);
    if (!helper->fault[0])
        list_missing(helper);
}
