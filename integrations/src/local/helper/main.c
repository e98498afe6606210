/*
 * pawl-sandbox: spawned by the library once per provider, lives as long as its control socket and its parent, and makes
 * one sandbox per RUN message. It reads nothing a guest writes.
 */
#include "helper.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define FAREWELL_MS 500

struct run {
    int socket;      /* -1: free */
    uint32_t number; /* changes with each use of the slot, so that an event of the last one is known as such */
    int cancel;      /* readable: kill; -1: none */
    struct sandbox_handle sandbox;
    uint64_t why; /* it was killed: PAWL_ENDED_* */
};

static struct helper helper;
static struct run runs[RUNS_MAX];
static int events = -1;

enum source { SOURCE_CONTROL, SOURCE_PARENT, SOURCE_SANDBOX, SOURCE_RUN, SOURCE_CANCEL };

static bool watch(int fd, uint32_t what, enum source source, const struct run *run) {
    uint64_t slot = run ? (uint64_t)(run - runs) : 0, number = run ? run->number : 0;
    struct epoll_event event = {.events = what, .data.u64 = number << 32 | slot << 8 | source};
    return epoll_ctl(events, EPOLL_CTL_ADD, fd, &event) == 0;
}

static void say(enum pawl_control_type type, uint64_t run_id, const void *body, size_t body_bytes, const char *text) {
    size_t text_bytes = strlen(text);
    struct pawl_wire_control control = {
        PAWL_WIRE_MAGIC, PAWL_WIRE_VERSION, (uint16_t)type, (uint32_t)(body_bytes + text_bytes), 0, run_id};
    struct iovec pieces[3] = {{&control, sizeof control}, {(void *)body, body_bytes}, {(void *)text, text_bytes}};
    struct msghdr message = {.msg_iov = pieces, .msg_iovlen = 3};
    sendmsg(PAWL_WIRE_CONTROL_FD, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void say_hello(void) {
    struct pawl_wire_hello hello = {
        .mechanisms = helper.mechanisms,
        .required = PAWL_ALL_MECHANISMS & ~(uint64_t)PAWL_OPTIONAL_MECHANISMS,
        .landlock_abi = helper.landlock_abi,
        .runs_max = RUNS_MAX,
        .uid_base = helper.identity.distinct ? helper.identity.base : 0,
        .text_bytes = (uint32_t)strlen(helper.fault),
    };
    say(PAWL_CONTROL_HELLO, 0, &hello, sizeof hello, helper.fault);
}

static struct run *free_run(void) {
    for (unsigned i = 0; i < RUNS_MAX; i++)
        if (runs[i].socket < 0)
            return &runs[i];
    return NULL;
}

static void kill_run(struct run *run, uint64_t why) {
    run->why |= why;
    pidfd_send_signal(run->sandbox.pidfd, SIGKILL, NULL, 0);
}

/* A run without a cancel event is cancelled by its socket alone. False: it cannot be watched. */
static bool watch_cancel(struct run *run, int fd) {
    run->cancel = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, PAWL_WIRE_CONTROL_FD + 1);
    return fd < 0 || (run->cancel >= 0 && watch(run->cancel, EPOLLIN, SOURCE_CANCEL, run));
}

/* Takes nothing over: the caller closes fds. */
static void start_run(const int fds[PAWL_RUN_FDS]) {
    struct run *run = free_run();
    const int stdio[3] = {fds[PAWL_RUN_STDIN], fds[PAWL_RUN_STDOUT], fds[PAWL_RUN_STDERR]};
    enum pawl_stage stage = PAWL_STAGE_BUSY;
    int kept = run ? fcntl(fds[PAWL_RUN_SOCKET], F_DUPFD_CLOEXEC, PAWL_WIRE_CONTROL_FD + 1) : -1;
    if (kept < 0) {
        reply_error(fds[PAWL_RUN_SOCKET], stage, run ? errno : 0, "this helper runs as many sandboxes as it can");
        return;
    }
    int error = sandbox_start(&helper, (unsigned)(run - runs), kept, stdio, &run->sandbox, &stage);
    if (error) {
        reply_error(kept, stage, error,
                    stage == PAWL_STAGE_NAMESPACES ? "cannot make the sandbox's namespaces"
                                                   : "cannot map the sandbox's user and group ids");
        close(kept);
        return;
    }
    run->socket = kept;
    run->number++;
    run->why = 0;
    if (!watch(run->sandbox.pidfd, EPOLLIN, SOURCE_SANDBOX, run))
        exit(1); /* out of kernel memory: without the watch this run would never end */
    if (!watch_cancel(run, fds[PAWL_RUN_CANCEL]) || !watch(kept, EPOLLRDHUP, SOURCE_RUN, run))
        kill_run(run, 0);
}

/* The library shut its end down. */
static void take_back(struct run *run) {
    kill_run(run, PAWL_ENDED_TAKEN_BACK);
    epoll_ctl(events, EPOLL_CTL_DEL, run->socket, NULL);
}

static void forget_cancel(struct run *run) {
    if (run->cancel < 0)
        return;
    epoll_ctl(events, EPOLL_CTL_DEL, run->cancel, NULL); /* the library has the event open too */
    close(run->cancel);
    run->cancel = -1;
}

static void cancel(struct run *run) {
    kill_run(run, run->why ? 0 : PAWL_ENDED_BY_CANCEL);
    forget_cancel(run);
}

static void end_run(struct run *run) {
    siginfo_t info = {0};
    waitid(P_PIDFD, (id_t)run->sandbox.pidfd, &info, WEXITED | __WALL);
    struct pawl_wire_ended ended = {info.si_code == CLD_EXITED ? PAWL_EXIT_STATUS : PAWL_EXIT_SIGNAL,
                                    (uint32_t)info.si_status, run->why};
    struct {
        struct pawl_wire_frame frame;
        struct pawl_wire_ended body;
    } message = {{PAWL_REPLY_ENDED, sizeof ended}, ended};
    send(run->socket, &message, sizeof message, MSG_NOSIGNAL | MSG_DONTWAIT);
    epoll_ctl(events, EPOLL_CTL_DEL, run->sandbox.pidfd, NULL); /* a sandbox just made may still share them */
    epoll_ctl(events, EPOLL_CTL_DEL, run->socket, NULL);
    forget_cancel(run);
    close(run->sandbox.pidfd);
    close(run->socket);
    run->socket = -1;
}

/* Kills all sandboxes and waits for their end, so that nothing is left when the library sees this process's end. */
_Noreturn static void end_all(void) {
    for (unsigned i = 0; i < RUNS_MAX; i++)
        if (runs[i].socket >= 0)
            pidfd_send_signal(runs[i].sandbox.pidfd, SIGKILL, NULL, 0);
    for (unsigned i = 0; i < RUNS_MAX; i++) {
        struct pollfd ended = {.fd = runs[i].sandbox.pidfd, .events = POLLIN};
        if (runs[i].socket >= 0 && poll(&ended, 1, FAREWELL_MS) == 1)
            waitid(P_PIDFD, (id_t)runs[i].sandbox.pidfd, &(siginfo_t){0}, WEXITED | __WALL);
    }
    exit(0);
}

/* Descriptors of a control message; returns how many. */
static size_t take_fds(struct msghdr *message, int *fds, size_t room) {
    size_t count = 0;
    for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part; part = CMSG_NXTHDR(message, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
            continue;
        size_t here = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < here && count < room; i++)
            memcpy(&fds[count++], CMSG_DATA(part) + i * sizeof(int), sizeof(int));
    }
    return count;
}

static void obey(const struct pawl_wire_control *control, size_t length, const int *fds, size_t fd_count) {
    if (length < sizeof *control || control->magic != PAWL_WIRE_MAGIC || control->version != PAWL_WIRE_VERSION)
        say(PAWL_CONTROL_ERROR, 0, NULL, 0, "library and helper are of different versions; install them together");
    else if (control->type != PAWL_CONTROL_RUN)
        say(PAWL_CONTROL_ERROR, control->run_id, NULL, 0, "this helper does not know that kind of message");
    else if ((fd_count != PAWL_RUN_FDS && fd_count != PAWL_RUN_CANCEL) || control->length != 0)
        say(PAWL_CONTROL_ERROR, control->run_id, NULL, 0, "a RUN message needs its descriptors and no body");
    else
        start_run(fds);
}

static void control_ready(void) {
    struct pawl_wire_control control = {0};
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(16 * sizeof(int))];
    } rights;
    int fds[16] = {[PAWL_RUN_CANCEL] = -1};
    struct iovec piece = {&control, sizeof control};
    struct msghdr message = {
        .msg_iov = &piece, .msg_iovlen = 1, .msg_control = &rights, .msg_controllen = sizeof rights};
    ssize_t length = recvmsg(PAWL_WIRE_CONTROL_FD, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    if (length < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (length <= 0) /* the library is gone */
        end_all();
    size_t count = take_fds(&message, fds, sizeof fds / sizeof fds[0]);
    obey(&control, (size_t)length, fds, count);
    while (count > 0)
        close(fds[--count]);
}

static void handle(const struct epoll_event *event) {
    struct run *run = &runs[(event->data.u64 >> 8) & 0xffff];
    bool current = run->socket >= 0 && run->number == event->data.u64 >> 32;
    switch ((enum source)(event->data.u64 & 0xff)) {
    case SOURCE_CONTROL:
        control_ready();
        return;
    case SOURCE_PARENT:
        end_all();
    case SOURCE_SANDBOX:
        if (current)
            end_run(run);
        return;
    case SOURCE_RUN:
        if (current && !(run->why & PAWL_ENDED_TAKEN_BACK))
            take_back(run);
        return;
    case SOURCE_CANCEL:
        if (current)
            cancel(run);
        return;
    }
}

/* Whoever spawned this may have a large table, odd limits and groups: keep nothing of it. */
static void forget_the_host(void) {
    struct rlimit files;
    close_range(PAWL_WIRE_CONTROL_FD + 1, ~0u, 0);
    if (chdir("/") != 0)
        exit(1);
    umask(022);
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    if (geteuid() == 0)
        setgroups(0, NULL); /* fails where they cannot be dropped, and then guests keep what an ordinary user's keep */
}

static bool is_control_socket(int fd) {
    int type = 0;
    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &(socklen_t){sizeof type}) == 0 && type == SOCK_SEQPACKET;
}

static bool prepare(void) {
    int error = filters_build(helper.filters);
    helper.self_pidfd = pidfd_open(getpid(), 0);
    helper.landlock_abi = landlock_version();
    identity_choose(&helper.identity);
    folders_find(&helper.folders);
    for (unsigned i = 0; i < RUNS_MAX; i++)
        runs[i].socket = -1;
    if (error || helper.self_pidfd < 0) {
        snprintf(helper.fault, sizeof helper.fault, "cannot prepare: %s", strerror(error ? error : errno));
        return false;
    }
    return true;
}

int main(void) {
    if (!is_control_socket(PAWL_WIRE_CONTROL_FD)) {
        fputs("pawl-sandbox is started by the pawl library; it does nothing by itself\n", stderr);
        return 2;
    }
    forget_the_host();
    pid_t parent = getppid();
    int parent_pidfd = parent > 0 ? pidfd_open(parent, 0) : -1; /* 0: in a pid namespace that it does not see */
    events = epoll_create1(EPOLL_CLOEXEC);
    if (prepare())
        probe(&helper);
    say_hello();
    /* The socket alone would not do: a fork of the host that runs on keeps it open. */
    if (!watch(PAWL_WIRE_CONTROL_FD, EPOLLIN, SOURCE_CONTROL, NULL) || getppid() != parent ||
        (parent > 0 && !watch(parent_pidfd, EPOLLIN, SOURCE_PARENT, NULL)))
        return 1;
    for (;;) {
        struct epoll_event ready[16];
        int count = epoll_wait(events, ready, 16, -1);
        if (count < 0 && errno != EINTR)
            return 1;
        for (int i = 0; i < count; i++)
            handle(&ready[i]);
    }
}
