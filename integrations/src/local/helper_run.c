/*
 * One run: pipes and a run socket to the helper, then a loop over all of them until the sandbox has said everything and
 * its pipes are at their end, or the run is taken back and the sandbox is gone.
 */
#include "helper_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define GRACE_NS UINT64_C(1000000000)
/* Reads from a pipe whose writers are dead: more than a pipe holds. */
#define LAST_READS 32

struct run {
    const struct pawl_helper_request *request;
    const struct pawl_helper_sink *sink;
    struct pawl_helper_result *result;
    int socket;              /* -1: at its end */
    int streams[3];          /* [1], [2]: read ends; -1: at their end */
    int stdin_writer;        /* -1: all written */
    int stdin_reader;        /* kept so that writing never raises SIGPIPE */
    int guest[PAWL_RUN_FDS]; /* the helper's ends, until they are sent */
    size_t stdin_done;
    uint64_t deadline_ns;
    uint64_t give_up_ns; /* PAWL_UNBOUNDED: nothing is due */
    bool done, killed, refused, muted;
    uint32_t file_index;
    struct pawl_wire_ended ended; /* kind 0: not told */
    struct pawl_helper_encoder encoder;
    size_t outgoing_bytes; /* of outgoing, not yet sent */
    uint8_t outgoing[PAWL_WIRE_MESSAGE_MAX];
    uint8_t incoming[PAWL_WIRE_MESSAGE_MAX];
};

static void close_fd(int *fd) {
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void close_guest_ends(struct run *run) {
    for (int i = 0; i < PAWL_RUN_CANCEL; i++) /* the cancel event is the caller's */
        close_fd(&run->guest[i]);
}

static void close_all(struct run *run) {
    close_guest_ends(run);
    close_fd(&run->socket);
    close_fd(&run->streams[1]);
    close_fd(&run->streams[2]);
    close_fd(&run->stdin_writer);
    close_fd(&run->stdin_reader);
}

/* ---- making it ---- */

static bool lift(int pair[2]) {
    pair[0] = pawl_helper_high_fd(pair[0]);
    pair[1] = pawl_helper_high_fd(pair[1]);
    return pair[0] >= 0 && pair[1] >= 0;
}

static bool make_pipe(int *reader, int *writer) {
    int pair[2];
    if (pipe2(pair, O_CLOEXEC) != 0)
        return false;
    bool lifted = lift(pair);
    *reader = pair[0];
    *writer = pair[1];
    return lifted;
}

static bool set_nonblocking(int fd) {
    return fcntl(fd, F_SETFL, O_NONBLOCK) == 0;
}

static bool make_channels(struct run *run) {
    int pair[2] = {-1, -1};
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return false;
    bool lifted = lift(pair);
    run->socket = pair[0];
    run->guest[PAWL_RUN_SOCKET] = pair[1];
    return lifted && make_pipe(&run->guest[PAWL_RUN_STDIN], &run->stdin_writer) &&
           make_pipe(&run->streams[1], &run->guest[PAWL_RUN_STDOUT]) &&
           make_pipe(&run->streams[2], &run->guest[PAWL_RUN_STDERR]) && set_nonblocking(run->stdin_writer) &&
           set_nonblocking(run->streams[1]) && set_nonblocking(run->streams[2]);
}

static void end_stdin(struct run *run) {
    close_fd(&run->stdin_writer);
    close_fd(&run->stdin_reader);
}

static bool keep_stdin_reader(struct run *run) {
    if (run->request->stdin_length == 0) {
        close_fd(&run->stdin_writer);
        return true;
    }
    run->stdin_reader = fcntl(run->guest[PAWL_RUN_STDIN], F_DUPFD_CLOEXEC, PAWL_WIRE_CONTROL_FD + 1);
    return run->stdin_reader >= 0;
}

/* ---- ending it ---- */

/* The helper sees the socket's other half closed and kills the sandbox. Its end ends the socket. */
static void take_back(struct run *run, enum pawl_helper_end why) {
    if (run->killed)
        return;
    run->killed = true;
    run->result->end = why;
    run->give_up_ns = pawl_helper_now_ns() + GRACE_NS;
    end_stdin(run);
    if (run->socket >= 0)
        shutdown(run->socket, SHUT_WR);
}

static void refuse(struct run *run, enum pawl_stage stage, int error, const char *text, size_t length) {
    struct pawl_helper_result *result = run->result;
    size_t kept = length < sizeof result->text ? length : sizeof result->text - 1;
    if (!run->killed)
        result->end = PAWL_HELPER_REFUSED;
    result->stage = stage;
    result->error = error;
    memcpy(result->text, text, kept);
    result->text[kept] = '\0';
    run->refused = true;
}

__attribute__((format(printf, 2, 3))) static void lose(struct run *run, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(run->result->text, sizeof run->result->text, format, args);
    va_end(args);
    run->result->end = PAWL_HELPER_LOST;
}

/* ---- the request ---- */

/* As many messages as the socket takes. False: the sandbox reads no more, and its answer says why. */
static bool send_request(struct run *run) {
    while (!run->killed) {
        if (run->outgoing_bytes == 0)
            run->outgoing_bytes = pawl_helper_encode(&run->encoder, run->outgoing);
        if (run->encoder.fault)
            refuse(run, PAWL_STAGE_REQUEST, 0, run->encoder.fault, strlen(run->encoder.fault));
        if (run->outgoing_bytes == 0)
            return true;
        ssize_t sent = send(run->socket, run->outgoing, run->outgoing_bytes, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0)
            return errno == EAGAIN || errno == EINTR;
        run->outgoing_bytes = 0;
    }
    return true;
}

/* Whole; the sandbox executes nothing before. */
static bool is_sent(const struct run *run) {
    return run->outgoing_bytes == 0 && pawl_helper_encoded_all(&run->encoder);
}

static void write_stdin(struct run *run) {
    const struct pawl_helper_request *request = run->request;
    const uint8_t *bytes = request->stdin_bytes;
    ssize_t wrote = write(run->stdin_writer, bytes + run->stdin_done, request->stdin_length - run->stdin_done);
    if (wrote > 0)
        run->stdin_done += (size_t)wrote;
    if (run->stdin_done == request->stdin_length || (wrote < 0 && errno != EAGAIN && errno != EINTR))
        end_stdin(run);
}

/* ---- the reply ---- */

static void take_file(struct run *run, const uint8_t *payload, size_t length) {
    struct pawl_wire_result file;
    if (length < sizeof file)
        return;
    memcpy(&file, payload, sizeof file);
    run->file_index = file.index;
    if (run->sink && run->sink->on_file)
        run->sink->on_file(run->sink->user, &file);
    if (length > sizeof file && run->sink && run->sink->on_file_data)
        run->sink->on_file_data(run->sink->user, file.index, payload + sizeof file, length - sizeof file);
}

static void take_started(struct run *run, const uint8_t *payload, size_t length) {
    struct pawl_helper_result *result = run->result;
    if (length != sizeof result->times)
        return;
    memcpy(&result->times, payload, length);
    result->started = true;
    if (run->sink && run->sink->on_started)
        run->sink->on_started(run->sink->user, &result->times);
}

static void take_exit(struct run *run, const uint8_t *payload, size_t length) {
    struct pawl_helper_result *result = run->result;
    if (length != sizeof result->exit)
        return;
    memcpy(&result->exit, payload, length);
    result->exited = true;
    end_stdin(run);
}

static void take_error(struct run *run, const uint8_t *payload, size_t length) {
    struct pawl_wire_error error;
    if (length < sizeof error)
        return;
    memcpy(&error, payload, sizeof error);
    refuse(run, error.stage, error.error, (const char *)payload + sizeof error, length - sizeof error);
}

static void take_frame(struct run *run, uint32_t type, const uint8_t *payload, size_t length) {
    switch (type) {
    case PAWL_REPLY_STARTED:
        take_started(run, payload, length);
        break;
    case PAWL_REPLY_EXIT:
        take_exit(run, payload, length);
        break;
    case PAWL_REPLY_ERROR:
        take_error(run, payload, length);
        break;
    case PAWL_REPLY_FILE:
        take_file(run, payload, length);
        break;
    case PAWL_REPLY_DATA:
        if (run->sink && run->sink->on_file_data)
            run->sink->on_file_data(run->sink->user, run->file_index, payload, length);
        break;
    case PAWL_REPLY_DONE:
        run->done = true;
        run->give_up_ns = pawl_helper_now_ns() + GRACE_NS;
        break;
    case PAWL_REPLY_ENDED:
        if (length == sizeof run->ended)
            memcpy(&run->ended, payload, length);
        break;
    default:
        break;
    }
}

static void take_message(struct run *run, size_t length) {
    for (size_t at = 0; at + sizeof(struct pawl_wire_frame) <= length;) {
        struct pawl_wire_frame frame;
        memcpy(&frame, run->incoming + at, sizeof frame);
        at += sizeof frame;
        if (frame.length > length - at)
            return;
        take_frame(run, frame.type, run->incoming + at, frame.length);
        at += frame.length;
    }
}

/* ECONNRESET comes once, before what is queued: the other side closed with part of the request unread, as it may. */
static void read_socket(struct run *run) {
    while (run->socket >= 0) {
        ssize_t length = recv(run->socket, run->incoming, sizeof run->incoming, MSG_DONTWAIT);
        if (length < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (length < 0 && errno == ECONNRESET)
            continue;
        if (length > 0)
            take_message(run, (size_t)length);
        else
            close_fd(&run->socket);
    }
}

/* ---- output ---- */

/* False: nothing there now, or the end. */
static bool read_stream(struct run *run, int stream) {
    const struct pawl_helper_sink *sink = run->sink;
    if (run->streams[stream] < 0)
        return false;
    ssize_t length = read(run->streams[stream], run->incoming, sizeof run->incoming);
    if (length < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (length <= 0) {
        close_fd(&run->streams[stream]);
        return false;
    }
    if (sink && sink->on_output && !run->muted && !sink->on_output(sink->user, stream, run->incoming, (size_t)length)) {
        run->muted = true;
        take_back(run, PAWL_HELPER_STOPPED);
    }
    return true;
}

static void drain(struct run *run) {
    for (int stream = 1; stream <= 2; stream++)
        for (int i = 0; i < LAST_READS && read_stream(run, stream); i++)
            continue;
}

/* ---- the loop ---- */

static bool is_finished(const struct run *run) {
    if (run->refused || run->socket < 0)
        return true;
    return run->done && run->streams[1] < 0 && run->streams[2] < 0;
}

static uint64_t timeout_at(const struct run *run) {
    const struct pawl_helper_result *result = run->result;
    uint64_t allowed = run->request->timeout_ns;
    if (!result->started || result->exited || allowed > UINT64_MAX - result->times.exec_ns)
        return UINT64_MAX;
    return result->times.exec_ns + allowed;
}

static uint64_t next_time(const struct run *run) {
    uint64_t next = run->give_up_ns;
    if (run->killed || run->done)
        return next;
    if (run->deadline_ns < next)
        next = run->deadline_ns;
    return timeout_at(run) < next ? timeout_at(run) : next;
}

/* False: the sandbox does not end although its helper was told. */
static bool look_at_clock(struct run *run) {
    uint64_t now = pawl_helper_now_ns();
    if (now >= run->give_up_ns)
        return false;
    if (run->done)
        return true;
    if (now < run->deadline_ns && now < timeout_at(run))
        return true;
    read_socket(run); /* this thread may be late: what ended in time did not time out */
    if (now >= run->deadline_ns && !run->result->exited)
        take_back(run, PAWL_HELPER_DEADLINE);
    else if (now >= timeout_at(run))
        take_back(run, PAWL_HELPER_TIMED_OUT);
    return true;
}

static int wait_for_any(struct pollfd *watched, nfds_t count, uint64_t until_ns) {
    uint64_t now = pawl_helper_now_ns();
    uint64_t left = until_ns > now ? until_ns - now : 0;
    struct timespec timeout = {(time_t)(left / 1000000000u), (long)(left % 1000000000u)};
    return ppoll(watched, count, until_ns == UINT64_MAX ? NULL : &timeout, NULL);
}

static void wait_and_move(struct run *run, int cancel_fd) {
    short socket_events = run->outgoing_bytes && !run->killed ? POLLIN | POLLOUT : POLLIN;
    struct pollfd watched[5] = {{run->socket, socket_events, 0},
                                {run->streams[1], POLLIN, 0},
                                {run->streams[2], POLLIN, 0},
                                {run->stdin_writer, POLLOUT, 0},
                                {run->killed ? -1 : cancel_fd, POLLIN, 0}};
    if (wait_for_any(watched, 5, next_time(run)) <= 0)
        return;
    if (watched[4].revents)
        take_back(run, PAWL_HELPER_CANCELLED);
    if (watched[1].revents)
        read_stream(run, 1);
    if (watched[2].revents)
        read_stream(run, 2);
    if (watched[3].revents && run->stdin_writer >= 0)
        write_stdin(run);
    if (watched[0].revents & ~POLLOUT)
        read_socket(run);
    if (watched[0].revents & POLLOUT && run->socket >= 0 && !send_request(run))
        run->outgoing_bytes = 0;
}

/* The sandbox dies with its helper, and the end of its socket shows it. */
static void kill_with_helper(struct run *run, struct pawl_helper_process *process) {
    uint64_t until = pawl_helper_now_ns() + GRACE_NS / 2;
    pawl_helper_process_kill(process);
    while (run->socket >= 0 && pawl_helper_now_ns() < until) {
        struct pollfd end = {run->socket, POLLIN, 0};
        wait_for_any(&end, 1, until);
        read_socket(run);
    }
}

/* Init killed the program, later than both times: for the one that came first. */
static enum pawl_helper_end overdue(const struct run *run) {
    uint64_t began = run->result->times.exec_ns, timeout = run->request->timeout_ns;
    uint64_t timeout_at = timeout > UINT64_MAX - began ? UINT64_MAX : began + timeout;
    return run->deadline_ns < timeout_at ? PAWL_HELPER_DEADLINE : PAWL_HELPER_TIMED_OUT;
}

static void conclude(struct run *run, struct pawl_helper_process *process, bool in_time) {
    struct pawl_helper_result *result = run->result;
    if (run->killed && !in_time)
        kill_with_helper(run, process);
    result->confirmed = run->done || run->refused || run->socket < 0;
    if (!run->done && run->ended.flags & PAWL_ENDED_BY_CANCEL) { /* before whatever this thread found out later */
        run->killed = true;
        result->end = PAWL_HELPER_CANCELLED;
    }
    result->may_have_run = result->started || (!run->refused && is_sent(run));
    if (run->killed || run->refused)
        return;
    if (run->done && result->exited)
        result->end = result->exit.flags & PAWL_EXIT_OVERDUE ? overdue(run) : PAWL_HELPER_EXITED;
    else if (pawl_helper_process_has_ended(process))
        lose(run, "the sandbox was lost: its helper died; the next run starts another");
    else if (run->ended.kind == PAWL_EXIT_SIGNAL)
        lose(run, "the sandbox was lost: its init was killed (signal %u), perhaps because the machine is out of memory",
             run->ended.status);
    else
        lose(run, "the sandbox was lost: its init ended before the program did (status %u)", run->ended.status);
}

static void attend(struct run *run, struct pawl_helper_process *process, int cancel_fd) {
    bool in_time = true;
    while (in_time && !is_finished(run)) {
        wait_and_move(run, cancel_fd);
        in_time = look_at_clock(run);
    }
    drain(run);
    conclude(run, process, in_time);
    if (run->result->end == PAWL_HELPER_LOST && pawl_helper_process_has_ended(process))
        atomic_store(&process->dead, true);
}

static void unavailable(struct run *run, const char *text) {
    run->result->end = PAWL_HELPER_UNAVAILABLE;
    if (text != run->result->text)
        snprintf(run->result->text, sizeof run->result->text, "%s", text);
}

static void perform(struct run *run, pawl_helper_client *client, int cancel_fd) {
    struct pawl_helper_result *result = run->result;
    if (!make_channels(run) || !keep_stdin_reader(run)) {
        result->error = errno;
        snprintf(result->text, sizeof result->text,
                 "cannot make pipes for a sandbox: %s; raise the limit on open files", strerror(errno));
        unavailable(run, result->text);
        return;
    }
    run->guest[PAWL_RUN_CANCEL] = cancel_fd;
    send_request(run); /* so that the sandbox finds it at once */
    if (run->refused)
        return;
    struct pawl_helper_process *process =
        pawl_helper_client_submit(client, run->guest, result->text, sizeof result->text);
    close_guest_ends(run);
    if (!process) {
        unavailable(run, result->text);
        return;
    }
    attend(run, process, cancel_fd);
    pawl_helper_process_unref(process);
}

static struct run *make_run(const struct pawl_helper_request *request, const struct pawl_helper_sink *sink,
                            uint64_t deadline_ns, struct pawl_helper_result *result) {
    struct run *run = malloc(sizeof *run);
    if (!run)
        return NULL;
    memset(run, 0, offsetof(struct run, outgoing)); /* the buffers are large, and written before they are read */
    run->request = request;
    run->sink = sink;
    run->result = result;
    run->deadline_ns = deadline_ns;
    run->give_up_ns = PAWL_UNBOUNDED;
    run->encoder.request = request;
    run->encoder.deadline_ns = deadline_ns;
    run->socket = run->streams[1] = run->streams[2] = run->stdin_writer = run->stdin_reader = -1;
    for (int i = 0; i < PAWL_RUN_FDS; i++)
        run->guest[i] = -1;
    return run;
}

void pawl_helper_run(pawl_helper_client *client, const struct pawl_helper_request *request,
                     const struct pawl_helper_sink *sink, int cancel_fd, uint64_t deadline_ns,
                     struct pawl_helper_result *ret_result) {
    memset(ret_result, 0, sizeof *ret_result);
    ret_result->called_ns = pawl_helper_now_ns();
    struct run *run = make_run(request, sink, deadline_ns, ret_result);
    if (run) {
        perform(run, client, cancel_fd);
        close_all(run);
        free(run);
    } else {
        ret_result->end = PAWL_HELPER_UNAVAILABLE;
        snprintf(ret_result->text, sizeof ret_result->text, "out of memory for a sandbox run");
    }
    ret_result->ended_ns = pawl_helper_now_ns();
}
