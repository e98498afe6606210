#include "http_peer.h"
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define WAITING 4096 /* answers due, in the order of their requests */
#define PATIENCE_MS 20

struct http_peer {
    pthread_t thread;
    atomic_bool stopping;
    atomic_size_t requests;
    int listen_fd, epoll_fd, port;
    uint64_t pause_ns;
    struct {
        int fd;
        uint64_t due_ns;
    } waiting[WAITING];
    size_t first, last;
};

static uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void watch(struct http_peer *peer, int fd) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (fd < 0 || epoll_ctl(peer->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0)
        abort();
}

static void accept_all(struct http_peer *peer) {
    int on = 1;
    for (int fd; (fd = accept4(peer->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        watch(peer, fd);
    }
}

/* A small request comes whole. */
static void take_request(struct http_peer *peer, int fd) {
    char bytes[4096];
    if (recv(fd, bytes, sizeof bytes, 0) <= 0) {
        close(fd);
        return;
    }
    atomic_fetch_add(&peer->requests, 1);
    if (peer->pause_ns == UINT64_MAX)
        return;
    peer->waiting[peer->last % WAITING].fd = fd;
    peer->waiting[peer->last % WAITING].due_ns = now_ns() + peer->pause_ns;
    peer->last++;
}

static void answer_due(struct http_peer *peer) {
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 24\r\n\r\n"
                                 "{\"success\":true,\"n\":123}";
    for (uint64_t now = now_ns(); peer->first < peer->last && peer->waiting[peer->first % WAITING].due_ns <= now;
         peer->first++)
        if (send(peer->waiting[peer->first % WAITING].fd, answer, sizeof answer - 1, MSG_NOSIGNAL) < 0)
            continue; /* it is gone */
}

static void *run(void *user) {
    struct http_peer *peer = user;
    struct epoll_event events[256];
    while (!atomic_load(&peer->stopping)) {
        uint64_t now = now_ns(), due = now + PATIENCE_MS * UINT64_C(1000000);
        if (peer->first < peer->last && peer->waiting[peer->first % WAITING].due_ns < due)
            due = peer->waiting[peer->first % WAITING].due_ns;
        int count = epoll_wait(peer->epoll_fd, events, 256, due > now ? (int)((due - now) / 1000000) + 1 : 0);
        for (int i = 0; i < count; i++)
            if (events[i].data.fd == peer->listen_fd)
                accept_all(peer);
            else
                take_request(peer, events[i].data.fd);
        answer_due(peer);
    }
    return NULL;
}

struct http_peer *http_peer_new(uint64_t pause_ns) {
    struct http_peer *peer = calloc(1, sizeof *peer);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    if (!peer)
        abort();
    peer->pause_ns = pause_ns;
    peer->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    peer->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (bind(peer->listen_fd, (struct sockaddr *)&address, length) != 0 || listen(peer->listen_fd, 4096) != 0 ||
        getsockname(peer->listen_fd, (struct sockaddr *)&address, &length) != 0)
        abort();
    peer->port = ntohs(address.sin_port);
    watch(peer, peer->listen_fd);
    if (pthread_create(&peer->thread, NULL, run, peer) != 0)
        abort();
    return peer;
}

void http_peer_free(struct http_peer *peer) {
    atomic_store(&peer->stopping, true);
    pthread_join(peer->thread, NULL);
    close(peer->listen_fd);
    close(peer->epoll_fd);
    free(peer);
}

int http_peer_port(const struct http_peer *peer) {
    return peer->port;
}

size_t http_peer_requests(struct http_peer *peer) {
    return atomic_load(&peer->requests);
}
