/* Spawns the helper, reads its greeting, and makes sure that it ends. */
#include "helper_parts.h"
#include "spawn_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define GREETING_MS 10000
#define FAREWELL_MS 1000

uint64_t pawl_helper_now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int pawl_helper_poll_ms(uint64_t until_ns, int ceiling_ms) {
    uint64_t now = pawl_helper_now_ns();
    uint64_t left_ms = until_ns <= now ? 0 : (until_ns - now - 1) / 1000000u + 1;
    return left_ms < (uint64_t)ceiling_ms ? (int)left_ms : ceiling_ms;
}

int pawl_helper_high_fd(int fd) {
    if (fd < 0 || fd > PAWL_WIRE_CONTROL_FD)
        return fd;
    int high = fcntl(fd, F_DUPFD_CLOEXEC, PAWL_WIRE_CONTROL_FD + 1);
    int error = errno;
    close(fd);
    errno = error;
    return high;
}

/* Standard streams on /dev/null, the control socket on 3; the helper closes whatever else it was given. */
static int add_actions(posix_spawn_file_actions_t *actions, const void *control) {
    int rc = posix_spawn_file_actions_adddup2(actions, *(const int *)control, PAWL_WIRE_CONTROL_FD);
    if (rc == 0)
        rc = posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDWR, 0);
    for (int fd = 1; fd <= 2 && rc == 0; fd++)
        rc = posix_spawn_file_actions_adddup2(actions, 0, fd);
    return rc ? rc : posix_spawn_file_actions_addclosefrom_np(actions, PAWL_WIRE_CONTROL_FD + 1);
}

/* Of a session of its own, so that no terminal can interrupt it. */
static int spawn(const char *path, int control, pid_t *ret_pid) {
    char name[] = "pawl-sandbox";
    char *const argv[] = {name, NULL}, *const environment[] = {NULL};
    const struct pawl_spawn spawn = {.path = path,
                                     .argv = argv,
                                     .environment = environment,
                                     .own = POSIX_SPAWN_SETSID,
                                     .add_actions = add_actions,
                                     .user = &control};
    return pawl_spawn(&spawn, ret_pid);
}

/* Both ends above the standard descriptors, since the host may have closed those. */
static int make_pair(int pair[2]) {
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return errno;
    pair[0] = pawl_helper_high_fd(pair[0]);
    pair[1] = pawl_helper_high_fd(pair[1]);
    if (pair[0] >= 0 && pair[1] >= 0)
        return 0;
    int error = errno;
    for (int i = 0; i < 2; i++)
        if (pair[i] >= 0)
            close(pair[i]);
    return error;
}

static bool receive_hello(struct pawl_helper_process *process, const char *path, char *error_text, size_t error_bytes) {
    struct {
        struct pawl_wire_control control;
        struct pawl_wire_hello hello;
        char text[PAWL_WIRE_TEXT_MAX];
    } message = {0};
    uint64_t until = pawl_helper_now_ns() + GREETING_MS * UINT64_C(1000000);
    struct pollfd answer = {.fd = process->control, .events = POLLIN};
    int ready;
    do
        ready = poll(&answer, 1, pawl_helper_poll_ms(until, GREETING_MS));
    while (ready < 0 && errno == EINTR);
    ssize_t length = ready == 1 ? recv(process->control, &message, sizeof message - 1, MSG_DONTWAIT) : -1;
    if (ready == 0) {
        snprintf(error_text, error_bytes,
                 "the sandbox helper '%s' did not answer within 10 s; is the machine overloaded?", path);
        return false;
    }
    if (length < (ssize_t)sizeof message.control || message.control.magic != PAWL_WIRE_MAGIC) {
        snprintf(error_text, error_bytes,
                 "'%s' is not a working sandbox helper: it ended or did not greet; install "
                 "pawl-sandbox and the library together",
                 path);
        return false;
    }
    if (message.control.version != PAWL_WIRE_VERSION || message.control.type != PAWL_CONTROL_HELLO) {
        snprintf(error_text, error_bytes,
                 "the sandbox helper '%s' speaks version %u, this library %d; install them "
                 "together",
                 path, message.control.version, PAWL_WIRE_VERSION);
        return false;
    }
    process->hello = message.hello;
    memcpy(process->text, message.text, sizeof process->text);
    process->text[sizeof process->text - 1] = '\0';
    return true;
}

static bool can_sandbox(const struct pawl_helper_process *process, char *error_text, size_t error_bytes) {
    if ((process->hello.mechanisms & process->hello.required) == process->hello.required)
        return true;
    snprintf(error_text, error_bytes, "this machine allows no sandbox: %.900s", process->text);
    return false;
}

static struct pawl_helper_process *allocate(int control, pid_t pid) {
    struct pawl_helper_process *process = calloc(1, sizeof *process);
    if (!process)
        return NULL;
    atomic_init(&process->references, 1);
    process->control = control;
    process->pid = pid;
    process->pidfd = pawl_helper_high_fd(pidfd_open(pid, 0));
    return process;
}

struct pawl_helper_process *pawl_helper_process_start(const char *path, char *error_text, size_t error_bytes,
                                                      bool *ret_lacks) {
    int pair[2];
    pid_t pid;
    int error = make_pair(pair);
    if (error) {
        snprintf(error_text, error_bytes, "cannot make a socket pair for the sandbox helper: %s", strerror(error));
        return NULL;
    }
    error = spawn(path, pair[1], &pid);
    close(pair[1]);
    if (error) {
        close(pair[0]);
        snprintf(error_text, error_bytes,
                 "cannot start the sandbox helper '%s': %s; install pawl-sandbox or name its "
                 "path in the runtime's options",
                 path, strerror(error));
        return NULL;
    }
    struct pawl_helper_process *process = allocate(pair[0], pid);
    if (!process) {
        close(pair[0]); /* ends the helper */
        waitpid(pid, NULL, 0);
        snprintf(error_text, error_bytes, "out of memory for the sandbox helper");
        return NULL;
    }
    bool greeted = receive_hello(process, path, error_text, error_bytes);
    if (greeted && can_sandbox(process, error_text, error_bytes))
        return process;
    if (ret_lacks)
        *ret_lacks = greeted;
    pawl_helper_process_unref(process);
    return NULL;
}

struct pawl_helper_process *pawl_helper_process_ref(struct pawl_helper_process *process) {
    atomic_fetch_add_explicit(&process->references, 1, memory_order_relaxed);
    return process;
}

bool pawl_helper_process_has_ended(const struct pawl_helper_process *process) {
    struct pollfd ended = {.fd = process->pidfd, .events = POLLIN};
    return process->pidfd >= 0 && poll(&ended, 1, 0) == 1;
}

void pawl_helper_process_kill(struct pawl_helper_process *process) {
    atomic_store(&process->dead, true);
    if (process->pidfd >= 0)
        pidfd_send_signal(process->pidfd, SIGKILL, NULL, 0);
    else
        shutdown(process->control, SHUT_RDWR);
}

/* The host may have reaped it already, or ignore SIGCHLD: then there is nothing to wait for. */
static void reap(const struct pawl_helper_process *process) {
    uint64_t until = pawl_helper_now_ns() + FAREWELL_MS * UINT64_C(1000000);
    struct pollfd ended = {.fd = process->pidfd, .events = POLLIN};
    int ready = 1;
    if (process->pidfd < 0) {
        waitpid(process->pid, NULL, WNOHANG);
        return;
    }
    do
        ready = poll(&ended, 1, pawl_helper_poll_ms(until, FAREWELL_MS));
    while (ready < 0 && errno == EINTR);
    if (ready == 0) {
        pidfd_send_signal(process->pidfd, SIGKILL, NULL, 0);
        poll(&ended, 1, FAREWELL_MS);
    }
    waitid(P_PIDFD, (id_t)process->pidfd, &(siginfo_t){0}, WEXITED | WNOHANG);
}

void pawl_helper_process_unref(struct pawl_helper_process *process) {
    if (!process || atomic_fetch_sub_explicit(&process->references, 1, memory_order_acq_rel) != 1)
        return;
    close(process->control);
    reap(process);
    if (process->pidfd >= 0)
        close(process->pidfd);
    free(process);
}
