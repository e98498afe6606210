/* Starting a command, talking with it, ending it. Its input is a socket, since writing to a pipe that nobody reads
 * raises SIGPIPE in the host, which a library has no business to handle. */
#include "command_internal.h"
#include "fd_internal.h"
#include "spawn_internal.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define FIRST_FREE_FD 3
#define READ_BYTES 65536u
#define KILL_MS 5000 /* only a process that hangs in the kernel takes longer */

extern char **environ;

/* ---- descriptors ---- */

struct ends {
    int ours, theirs;
};

static void close_fd(int *fd) {
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static bool make_ends(struct ends ends[3]) {
    int in[2] = {-1, -1}, out[2] = {-1, -1}, err[2] = {-1, -1};
    bool made = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, in) == 0 && pipe2(out, O_CLOEXEC) == 0 &&
                pipe2(err, O_CLOEXEC) == 0;
    ends[0] = (struct ends){.ours = pawl_fd_beyond_standard(in[0]), .theirs = pawl_fd_beyond_standard(in[1])};
    ends[1] = (struct ends){.ours = pawl_fd_beyond_standard(out[0]), .theirs = pawl_fd_beyond_standard(out[1])};
    ends[2] = (struct ends){.ours = pawl_fd_beyond_standard(err[0]), .theirs = pawl_fd_beyond_standard(err[1])};
    for (int i = 0; i < 3; i++)
        made = made && ends[i].ours >= 0 && ends[i].theirs >= 0 && fcntl(ends[i].ours, F_SETFL, O_NONBLOCK) == 0;
    return made;
}

/* ---- starting ---- */

static int add_actions(posix_spawn_file_actions_t *actions, const void *user) {
    const struct ends *ends = user;
    for (int fd = 0; fd < 3; fd++) {
        int rc = posix_spawn_file_actions_adddup2(actions, ends[fd].theirs, fd);
        if (rc)
            return rc;
    }
    return posix_spawn_file_actions_addclosefrom_np(actions, FIRST_FREE_FD);
}

static int spawn(const pawl_command_generator_options *o, const struct ends ends[3], pid_t *ret_pid) {
    const struct pawl_spawn spawn = {.path = o->argv[0],
                                     .is_searched = true,
                                     .argv = (char *const *)o->argv,
                                     .environment = o->env ? (char *const *)o->env : environ,
                                     .own = POSIX_SPAWN_SETPGROUP,
                                     .add_actions = add_actions,
                                     .user = ends};
    return pawl_spawn(&spawn, ret_pid);
}

static bool watch(struct command_process *p, int fd, uint32_t events) {
    struct epoll_event event = {.events = events, .data.fd = fd};
    return epoll_ctl(p->ready, EPOLL_CTL_ADD, fd, &event) == 0;
}

static bool set_up(struct command_process *p, const struct ends ends[3]) {
    p->in = ends[0].ours;
    p->out = ends[1].ours;
    p->err = ends[2].ours;
    p->ready = epoll_create1(EPOLL_CLOEXEC);
    return p->ready >= 0 && watch(p, p->out, EPOLLIN) && watch(p, p->err, EPOLLIN);
}

static pawl_status refuse(const char *command, int error, pawl_error **err) {
    pawl_status status = error == ENOENT   ? PAWL_E_NOT_FOUND
                         : error == EACCES ? PAWL_E_DENIED
                         : error == ENOMEM ? PAWL_E_NOMEM
                                           : PAWL_E_UNAVAILABLE;
    return pawl_error_set(err, status, "command '%s' cannot be started: %s; check its name and its permissions",
                          command, strerror(error));
}

struct command_process *pawl_command_start(const pawl_command_generator_options *options, pawl_error **err) {
    struct ends ends[3];
    struct command_process *process = calloc(1, sizeof *process);
    int error = ENOMEM;
    bool made = make_ends(ends);
    if (!made)
        error = errno;
    else if (process)
        error = spawn(options, ends, &process->pid);
    for (int i = 0; i < 3; i++)
        close_fd(&ends[i].theirs);
    if (process && error == 0) {
        if (set_up(process, ends))
            return process;
        error = errno;
        pawl_command_end(process, 0);
        pawl_error_set(err, PAWL_E_UNAVAILABLE, "command '%s' cannot be talked to: %s", options->argv[0],
                       strerror(error));
        return NULL;
    }
    for (int i = 0; i < 3; i++)
        close_fd(&ends[i].ours);
    free(process);
    refuse(options->argv[0], error, err);
    return NULL;
}

/* ---- talking ---- */

static void stop_writing(struct command_process *p) {
    if (p->is_writing)
        epoll_ctl(p->ready, EPOLL_CTL_DEL, p->in, NULL);
    p->is_writing = false;
}

/* Sends what the socket takes. A command that reads no more may still answer. */
static void write_some(struct command_process *p, const char **at, const char *end) {
    while (*at < end) {
        ssize_t sent = send(p->in, *at, (size_t)(end - *at), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && errno == EAGAIN)
            return;
        if (sent < 0)
            break;
        *at += sent;
    }
    stop_writing(p);
}

static void remember(struct command_process *p, const char *bytes, size_t length) {
    for (size_t i = 0; i < length; i++) {
        if (p->last_is_whole && bytes[i] != '\n') {
            p->last_is_whole = false;
            p->last_used = 0;
        }
        if (bytes[i] == '\n')
            p->last_is_whole = p->last_used > 0;
        else if (p->last_used < sizeof p->last_stderr - 1)
            p->last_stderr[p->last_used++] = bytes[i];
    }
    p->last_stderr[p->last_used] = '\0';
}

static void read_stderr(struct command_process *p, const pawl_command_generator_options *o) {
    char bytes[4096];
    for (;;) {
        ssize_t got = read(p->err, bytes, sizeof bytes);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && errno == EAGAIN)
            return;
        if (got <= 0)
            break;
        remember(p, bytes, (size_t)got);
        if (o->on_stderr)
            o->on_stderr(o->user, bytes, (size_t)got);
    }
    epoll_ctl(p->ready, EPOLL_CTL_DEL, p->err, NULL);
    p->err_ended = true;
}

static bool make_room(struct command_process *p) {
    if (p->capacity - p->used >= READ_BYTES)
        return true;
    size_t capacity = p->capacity ? p->capacity * 2 : 2 * READ_BYTES;
    char *line = realloc(p->line, capacity);
    if (!line)
        return false;
    p->line = line;
    p->capacity = capacity;
    return true;
}

/* Reads until a line end, the end, nothing more for now, or too much. False without memory. */
static bool read_line(struct command_process *p, uint64_t most, bool *ret_whole) {
    while (!p->out_ended && !*ret_whole && p->used <= most) {
        if (!make_room(p))
            return false;
        ssize_t got = read(p->out, p->line + p->used, READ_BYTES);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && errno == EAGAIN)
            return true;
        if (got <= 0) {
            epoll_ctl(p->ready, EPOLL_CTL_DEL, p->out, NULL);
            p->out_ended = true;
        } else {
            *ret_whole = memchr(p->line + p->used, '\n', (size_t)got) != NULL;
            p->used += (size_t)got;
        }
    }
    return true;
}

static bool is_talkative(const struct command_process *p) {
    struct pollfd out = {.fd = p->out, .events = POLLIN};
    return poll(&out, 1, 0) > 0 && (out.revents & POLLIN);
}

/* Keeps the answer without its line end. */
static enum command_end take_answer(struct command_process *p, uint64_t most) {
    const char *newline = p->used ? memchr(p->line, '\n', p->used) : NULL;
    size_t length = newline ? (size_t)(newline - p->line) : p->used;
    if (length > most)
        return COMMAND_TOO_LONG;
    if (!newline && length == 0)
        return COMMAND_EXITED;
    if (newline && length + 1 < p->used)
        return COMMAND_TALKATIVE;
    if (p->is_writing)
        p->out_ended = true; /* it has not heard all: not to be used again */
    p->used = length;
    p->has_answered = true;
    return COMMAND_ANSWERED;
}

static uint64_t left(uint64_t until_ns, uint64_t now_ns) {
    if (until_ns == PAWL_NEVER)
        return PAWL_UNLIMITED;
    return until_ns > now_ns ? until_ns - now_ns : 0;
}

static enum command_end converse(struct command_process *p, const pawl_command_generator_options *o, pawl_context *ctx,
                                 const char *at, const char *end, pawl_error **err) {
    uint64_t now = pawl_context_now(ctx);
    uint64_t until = o->timeout_ns > PAWL_NEVER - now ? PAWL_NEVER : now + o->timeout_ns;
    for (bool whole = false;;) {
        if (p->is_writing)
            write_some(p, &at, end);
        if (!p->err_ended)
            read_stderr(p, o);
        if (!read_line(p, o->max_line_bytes, &whole)) {
            pawl_error_set(err, PAWL_E_NOMEM, "command '%s': out of memory", o->argv[0]);
            return COMMAND_FAILED;
        }
        if (whole || p->out_ended || p->used > o->max_line_bytes)
            return take_answer(p, o->max_line_bytes);
        pawl_status status = pawl_context_wait_fd(ctx, p->ready, POLLIN, left(until, pawl_context_now(ctx)), NULL, err);
        if (status == PAWL_E_TIMEOUT)
            pawl_error_set(err, status, "command '%s' gave no answer within %.4g s; raise timeout_ns", o->argv[0],
                           (double)o->timeout_ns / 1e9);
        if (status != PAWL_OK)
            return COMMAND_FAILED;
    }
}

enum command_end pawl_command_exchange(struct command_process *process, const pawl_command_generator_options *options,
                                       pawl_context *ctx, const char *request, size_t length, pawl_error **err) {
    process->used = 0;
    if (process->has_answered && is_talkative(process))
        return COMMAND_TALKATIVE;
    process->is_writing = watch(process, process->in, EPOLLOUT);
    if (!process->is_writing) {
        pawl_error_set(err, PAWL_E_UNAVAILABLE, "command '%s': epoll: %s", options->argv[0], strerror(errno));
        return COMMAND_FAILED;
    }
    enum command_end end = converse(process, options, ctx, request, request + length, err);
    stop_writing(process);
    return end;
}

bool pawl_command_is_reusable(const struct command_process *process) {
    return !process->out_ended;
}

/* ---- ending ---- */

/* Waits until it has ended, which it is not asked to tell (a pidfd is not everywhere), but leaves it to be reaped. */
static void wait_for_end(pid_t pid, int most_ms) {
    siginfo_t info = {0};
    for (int ms = 0; ms < most_ms; ms++) {
        if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == pid)
            return;
        poll(NULL, 0, 1);
    }
}

int pawl_command_end(struct command_process *process, int grace_ms) {
    int status = -1;
    close_fd(&process->in);
    wait_for_end(process->pid, grace_ms);
    kill(-process->pid, SIGKILL); /* before it is reaped: until then its number is its own */
    wait_for_end(process->pid, KILL_MS);
    if (waitpid(process->pid, &status, WNOHANG) != process->pid)
        status = -1;
    close_fd(&process->out);
    close_fd(&process->err);
    close_fd(&process->ready);
    free(process->line);
    free(process);
    return status;
}
