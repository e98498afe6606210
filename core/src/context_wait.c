/* Waiting inside a blocking leaf: every wait is a poll that a cancel can end. */
#include "engine_internal.h"
#include "fd_internal.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static pawl_status refuse_here(pawl_error **err) {
    return pawl_error_set(
        err, PAWL_E_INVALID,
        "waiting is for blocking leaves; make the node with pawl_function() instead of pawl_inline()");
}

static void ring(void *user, pawl_cancel_reason reason) {
    uint64_t one = 1;
    (void)reason;
    ssize_t wrote = write(*(int *)user, &one, sizeof one);
    (void)wrote; /* a full counter is as loud */
}

static uint64_t add(uint64_t now, uint64_t ns) {
    return ns > PAWL_NEVER - now ? PAWL_NEVER : now + ns;
}

/* One ppoll on fd (-1: none) and the bell. Returns poll's count, -1 with errno. */
static int poll_until(const pawl_context *ctx, struct pollfd fds[2], uint64_t until_ns) {
    struct timespec left, *timeout = NULL;
    if (until_ns != PAWL_NEVER) {
        uint64_t now = pawl_context_now(ctx), ns = until_ns > now ? until_ns - now : 0;
        left = (struct timespec){.tv_sec = (time_t)(ns / PAWL_S(1)), .tv_nsec = (long)(ns % PAWL_S(1))};
        if (ns / PAWL_S(1) < UINT32_MAX)
            timeout = &left;
    }
    return ppoll(fds, 2, timeout, NULL);
}

/* Waits until the descriptor is ready, the scope is over or until_ns comes. */
static pawl_status wait_ready(pawl_context *ctx, struct pollfd fds[2], uint64_t until_ns, pawl_error **err) {
    uint64_t deadline = ctx->deadline_ns < until_ns ? ctx->deadline_ns : until_ns;
    for (;;) {
        pawl_status status = pawl_context_check(ctx, err);
        if (status != PAWL_OK)
            return status;
        int ready = poll_until(ctx, fds, deadline);
        if (ready < 0 && errno != EINTR)
            return pawl_error_set(err, PAWL_E_INVALID, "wait: poll: %s", strerror(errno));
        if (ready > 0 && fds[0].revents)
            return PAWL_OK;
        if (until_ns != PAWL_NEVER && pawl_context_now(ctx) >= until_ns &&
            pawl_context_cancelled(ctx) == PAWL_CANCEL_NONE)
            return PAWL_E_TIMEOUT;
    }
}

static pawl_status wait_real(pawl_context *ctx, struct pollfd fds[2], uint64_t until_ns, pawl_error **err) {
    int bell = pawl_fd_beyond_standard(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (bell < 0)
        return pawl_error_set(err, PAWL_E_LIMIT, "wait: eventfd: %s; raise the descriptor limit", strerror(errno));
    fds[1].fd = bell;
    pawl_cancel_registration registration;
    pawl_cancel_register(ctx, &registration, ring, &bell);
    pawl_status status = wait_ready(ctx, fds, until_ns, err);
    pawl_cancel_unregister(&registration);
    close(bell);
    return status;
}

static bool is_ready(struct pollfd fds[2]) {
    return poll(fds, 1, 0) > 0 && fds[0].revents;
}

/* With hooks time only moves when told: look, move, look again. */
static pawl_status wait_virtual(pawl_context *ctx, struct pollfd fds[2], uint64_t until_ns, pawl_error **err) {
    const pawl_runtime_hooks *hooks = ctx->root->runtime->hooks;
    uint64_t deadline = ctx->deadline_ns < until_ns ? ctx->deadline_ns : until_ns;
    pawl_status status = pawl_context_check(ctx, err);
    if (status != PAWL_OK || is_ready(fds))
        return status;
    if (!hooks->advance(hooks->user, deadline))
        return wait_real(ctx, fds, until_ns, err); /* only something real can end it */
    status = pawl_context_check(ctx, err);
    if (status != PAWL_OK || is_ready(fds))
        return status;
    return PAWL_E_TIMEOUT;
}

/* PAWL_E_TIMEOUT comes without an error: the caller knows what it means. */
static pawl_status wait_fd(pawl_context *ctx, int fd, short events, uint64_t until_ns, short *ret_events,
                           pawl_error **err) {
    if (pawl_driving)
        return refuse_here(err);
    struct pollfd fds[2] = {{.fd = fd, .events = events}, {.fd = -1, .events = POLLIN}};
    pawl_status status =
        ctx->root->runtime->hooks ? wait_virtual(ctx, fds, until_ns, err) : wait_real(ctx, fds, until_ns, err);
    if (ret_events)
        *ret_events = fds[0].revents;
    return status;
}

pawl_status pawl_context_sleep(pawl_context *ctx, uint64_t duration_ns, pawl_error **err) {
    if (!ctx)
        return pawl_context_is_null(err);
    pawl_status status = wait_fd(ctx, -1, 0, add(pawl_context_now(ctx), duration_ns), NULL, err);
    return status == PAWL_E_TIMEOUT ? PAWL_OK : status;
}

pawl_status pawl_context_wait_fd(pawl_context *ctx, int fd, short events, uint64_t timeout_ns, short *ret_events,
                                 pawl_error **err) {
    if (!ctx)
        return pawl_context_is_null(err);
    pawl_status status = wait_fd(ctx, fd, events, add(pawl_context_now(ctx), timeout_ns), ret_events, err);
    if (status == PAWL_E_TIMEOUT)
        pawl_error_set(err, PAWL_E_TIMEOUT, "wait_fd: descriptor %d was not ready in time", fd);
    return status;
}

/* Looks without reaping. 1: it has ended, 0: it runs, -1 with errno. */
static int has_ended(pid_t pid) {
    siginfo_t info = {0};
    if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0)
        return -1;
    return info.si_pid == pid;
}

/* Where pidfd_open is not to be had (Linux before 5.3, some filters). */
static pawl_status wait_by_looking(pawl_context *ctx, pid_t pid, pawl_error **err) {
    pawl_status status = PAWL_OK;
    while (status == PAWL_OK && has_ended(pid) == 0)
        status = pawl_context_sleep(ctx, PAWL_MS(1), err);
    return status;
}

static pawl_status wait_for_end(pawl_context *ctx, pid_t pid, pawl_error **err) {
    int fd = pawl_fd_beyond_standard((int)syscall(SYS_pidfd_open, pid, 0));
    if (fd < 0)
        return wait_by_looking(ctx, pid, err);
    pawl_status status = wait_fd(ctx, fd, POLLIN, PAWL_NEVER, NULL, err);
    close(fd);
    return status;
}

pawl_status pawl_context_wait_child(pawl_context *ctx, pid_t pid, int *ret_status, pawl_error **err) {
    int raw = 0;
    if (!ctx)
        return pawl_context_is_null(err);
    if (pawl_driving)
        return refuse_here(err);
    if (pid <= 0)
        return pawl_error_set(err, PAWL_E_INVALID, "wait_child: %d is no process id; pass that of one child", (int)pid);
    pawl_status status = has_ended(pid) < 0 ? PAWL_OK : wait_for_end(ctx, pid, err);
    if (status != PAWL_OK)
        return status;
    if (waitpid(pid, &raw, WNOHANG) != pid)
        return pawl_error_set(err, PAWL_E_NOT_FOUND, "wait_child: process %d is no child of this process", (int)pid);
    if (ret_status)
        *ret_status = raw;
    return PAWL_OK;
}
