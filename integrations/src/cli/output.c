/* Writing to standard output and error: never longer than a cancel, never lost without a word. */
#include "cli.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define CHUNK 4096 /* POSIX: a pipe that polls writable takes PIPE_BUF bytes without blocking */
#define LOOK_MS 50
#define PATIENCE_MS 1000

void cli_own_standard_streams(void) {
    int fd;
    do
        fd = open("/dev/null", O_RDONLY); /* so that what is written to a closed stream fails as before */
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

static bool may_write(const struct cli_output *output) {
    struct pollfd wait = {.fd = output->fd, .events = POLLOUT};
    while (poll(&wait, 1, LOOK_MS) <= 0)
        if (output->ctx && pawl_context_cancelled(output->ctx) != PAWL_CANCEL_NONE)
            return false;
    return true;
}

static void fail(struct cli_output *output, int error) {
    atomic_store(&output->failed, error);
    if (output->ctx && !output->optional)
        pawl_context_cancel(output->ctx, PAWL_CANCEL_USER, "its output cannot be written");
}

void cli_write(struct cli_output *output, const void *bytes, size_t length) {
    const char *at = bytes;
    while (length > 0 && atomic_load(&output->failed) == 0 && may_write(output)) {
        ssize_t wrote = write(output->fd, at, length < CHUNK ? length : CHUNK);
        if (wrote < 0 && errno != EINTR && errno != EAGAIN)
            fail(output, errno);
        if (wrote > 0) {
            at += wrote;
            length -= (size_t)wrote;
        }
    }
}

bool cli_write_soon(int fd, const void *bytes, size_t length) {
    const char *at = bytes;
    for (int looks = PATIENCE_MS / LOOK_MS; length > 0;) {
        struct pollfd wait = {.fd = fd, .events = POLLOUT};
        if (poll(&wait, 1, LOOK_MS) <= 0) {
            errno = ETIMEDOUT;
            if (--looks <= 0)
                return false;
            continue;
        }
        ssize_t wrote = write(fd, at, length < CHUNK ? length : CHUNK);
        if (wrote < 0 && errno != EINTR && errno != EAGAIN)
            return false;
        at += wrote > 0 ? wrote : 0;
        length -= wrote > 0 ? (size_t)wrote : 0;
    }
    return true;
}

int cli_settle(const char *who, const struct cli_output *output, int status, int lost) {
    int failed = atomic_load(&output->failed);
    if (failed == 0)
        return status;
    if (failed == EPIPE) { /* as any filter would have ended */
        sigset_t pipe;
        sigemptyset(&pipe);
        sigaddset(&pipe, SIGPIPE);
        signal(SIGPIPE, SIG_DFL);
        pthread_sigmask(SIG_UNBLOCK, &pipe, NULL);
        raise(SIGPIPE);
    }
    cli_complain(who, "standard output: %s", strerror(failed));
    return lost;
}
