/* The endpoint's thread. It accepts connections itself, so that each has an end and none takes the place of a standard
 * stream, and lets libmicrohttpd read requests and write answers. */
#include "prometheus_server.h"
#include "engine_internal.h"
#include "export_internal.h"
#include "fd_internal.h"
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define REQUEST_BYTES 16384   /* of its head */
#define PAUSE_NS PAWL_MS(100) /* when there are no descriptors to accept with */

/* ---- connections: each ends when its time is up, by a shutdown that the daemon then sees ---- */

static struct pawl_prom_connection *find_connection(struct pawl_metrics_listener *listener, int fd) {
    for (size_t i = 0; i < PAWL_PROM_CONNECTIONS; i++)
        if (listener->connections[i].fd == fd)
            return &listener->connections[i];
    return NULL;
}

static void on_connection(void *user, struct MHD_Connection *connection, void **slot,
                          enum MHD_ConnectionNotificationCode what) {
    struct pawl_metrics_listener *listener = user;
    struct pawl_prom_connection *known = *slot;
    if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
        if (known)
            known->fd = -1;
        return;
    }
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    known = info ? find_connection(listener, -1) : NULL;
    if (known)
        *known = (struct pawl_prom_connection){info->connect_fd, pawl_export_now() + PAWL_PROM_CONNECTION_NS};
    *slot = known;
}

static struct pawl_prom_connection *oldest(struct pawl_metrics_listener *listener) {
    struct pawl_prom_connection *first = NULL;
    for (size_t i = 0; i < PAWL_PROM_CONNECTIONS; i++) {
        struct pawl_prom_connection *c = &listener->connections[i];
        if (c->fd >= 0 && (!first || c->end_ns < first->end_ns))
            first = c;
    }
    return first;
}

static void cut(struct pawl_prom_connection *connection) {
    shutdown(connection->fd, SHUT_RDWR);
    connection->end_ns = UINT64_MAX; /* once */
}

static void cut_late(struct pawl_metrics_listener *listener, uint64_t now) {
    for (size_t i = 0; i < PAWL_PROM_CONNECTIONS; i++) {
        struct pawl_prom_connection *c = &listener->connections[i];
        if (c->fd >= 0 && c->end_ns <= now)
            cut(c);
    }
}

/* @return False when there is no descriptor to be had: try again later. */
static bool accept_one(struct pawl_metrics_listener *listener) {
    struct sockaddr_storage peer;
    socklen_t length = sizeof peer;
    if (!find_connection(listener, -1)) {
        cut(oldest(listener)); /* its place is free when the daemon has run */
        return true;
    }
    int fd = accept4(listener->listen_fd, (struct sockaddr *)&peer, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM;
    fd = pawl_fd_beyond_standard(fd);
    if (fd >= 0)
        MHD_add_connection(listener->daemon, fd, (struct sockaddr *)&peer, length); /* closes fd on failure */
    return true;
}

/* ---- the thread ---- */

static uint64_t earlier(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

static struct timespec time_to_wait(struct pawl_metrics_listener *listener, uint64_t now, uint64_t resume_ns) {
    MHD_UNSIGNED_LONG_LONG daemon_ms;
    uint64_t until = now + PAWL_S(60);
    const struct pawl_prom_connection *first = oldest(listener);
    if (first)
        until = earlier(until, first->end_ns > now ? first->end_ns : now);
    if (resume_ns > now)
        until = earlier(until, resume_ns);
    if (MHD_get_timeout(listener->daemon, &daemon_ms) == MHD_YES && daemon_ms < 60000)
        until = earlier(until, now + PAWL_MS(daemon_ms));
    return (struct timespec){.tv_sec = (time_t)((until - now) / PAWL_S(1)),
                             .tv_nsec = (long)((until - now) % PAWL_S(1))};
}

/* poll() fails without memory, and when the host lowers its limit of descriptors below the three. */
static void wait_for(struct pawl_metrics_listener *listener, struct pollfd fds[3], const struct timespec *wait) {
    static const struct timespec pause = {.tv_nsec = PAUSE_NS};
    uint64_t count;
    if (ppoll(fds, 3, wait, NULL) >= 0)
        return;
    nanosleep(&pause, NULL);
    if (read(listener->stop_fd, &count, sizeof count) == sizeof count)
        fds[0].revents = POLLIN;
}

static void *serve(void *user) {
    struct pawl_metrics_listener *listener = user;
    uint64_t resume_ns = 0; /* not accepting before */
    for (;;) {
        uint64_t now = pawl_export_now();
        struct pollfd fds[] = {{.fd = listener->stop_fd, .events = POLLIN},
                               {.fd = listener->daemon_fd, .events = POLLIN},
                               {.fd = now < resume_ns ? -1 : listener->listen_fd, .events = POLLIN}};
        struct timespec wait = time_to_wait(listener, now, resume_ns);
        wait_for(listener, fds, &wait);
        if (fds[0].revents)
            break;
        now = pawl_export_now();
        cut_late(listener, now);
        if (fds[2].revents && !accept_one(listener))
            resume_ns = now + PAUSE_NS;
        MHD_run(listener->daemon);
    }
    MHD_stop_daemon(listener->daemon);
    return NULL;
}

pawl_status pawl_prom_server_start(struct pawl_metrics_listener *listener, pawl_error **err) {
    for (size_t i = 0; i < PAWL_PROM_CONNECTIONS; i++)
        listener->connections[i].fd = -1;
    listener->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET, 0, NULL, NULL, pawl_prom_answer,
                                        listener, MHD_OPTION_CONNECTION_LIMIT, (unsigned)PAWL_PROM_CONNECTIONS,
                                        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)REQUEST_BYTES,
                                        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)(PAWL_PROM_CONNECTION_NS / PAWL_S(1)),
                                        MHD_OPTION_NOTIFY_CONNECTION, on_connection, listener, MHD_OPTION_END);
    const union MHD_DaemonInfo *info =
        listener->daemon ? MHD_get_daemon_info(listener->daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
    if (!info || info->epoll_fd < 0) {
        if (listener->daemon)
            MHD_stop_daemon(listener->daemon);
        return pawl_error_set(err, PAWL_E_UNSUPPORTED,
                              "metrics endpoint: the HTTP server cannot be started; "
                              "out of memory or descriptors?");
    }
    listener->daemon_fd = info->epoll_fd;
    int failed = pawl_thread_start(&listener->thread, serve, listener);
    listener->has_thread = !failed;
    if (!failed)
        return PAWL_OK;
    MHD_stop_daemon(listener->daemon);
    return pawl_error_set(err, PAWL_E_UNSUPPORTED, "metrics endpoint: a thread cannot be started: error %d", failed);
}

void pawl_prom_server_stop(struct pawl_metrics_listener *listener) {
    static const uint64_t one = 1;
    pthread_mutex_lock(&listener->lock);
    if (listener->has_thread) {
        ssize_t written = write(listener->stop_fd, &one, sizeof one);
        (void)written; /* an eventfd of 0 takes it */
        pthread_join(listener->thread, NULL);
        listener->has_thread = false;
        close(listener->listen_fd);
        listener->listen_fd = -1;
    }
    pthread_mutex_unlock(&listener->lock);
}
