/* One thread, one epoll set; all memory but that of scripts is made at the start. */
#include "http_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS 4096
#define SCRIPTS 64
#define ANSWERS 16
#define AWAIT_S 10

struct scripted {
    struct http_answer how;
    char *text;
    size_t head_length, length; /* of text */
};

struct script {
    char path[128];
    struct scripted answers[ANSWERS];
    size_t count, next;
};

struct connection {
    int fd; /* 0: free */
    uint32_t events;
    size_t number;
    struct http_seen request;
    size_t head_length, body_left;
    bool in_body, hangs;
    const struct scripted *answer; /* being sent */
    size_t sent, total;
    uint64_t due_ns; /* not before; 0: at once */
};

struct http_server {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int listen_fd, epoll_fd, bell_fd, port;
    bool stopping, resetting;
    struct script scripts[SCRIPTS];
    size_t script_count;
    struct connection connections[CONNECTIONS];
    size_t used; /* of the table */
    size_t requests, accepted, open, most_open;
    struct http_seen seen[HTTP_SEEN];
    struct scripted missing;
    char filler[65536];
};

static uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* ---- connections ---- */

static void close_connection(struct http_server *server, struct connection *c, bool reset) {
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    if (reset)
        setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    close(c->fd);
    c->fd = 0;
    server->open--;
    pthread_cond_broadcast(&server->changed);
}

static void want(struct http_server *server, struct connection *c, uint32_t events) {
    struct epoll_event event = {.events = events, .data.u64 = (uint64_t)(c - server->connections) + 1};
    if (c->events != events)
        epoll_ctl(server->epoll_fd, EPOLL_CTL_MOD, c->fd, &event);
    c->events = events;
}

static struct connection *free_connection(struct http_server *server) {
    for (size_t i = 0; i < server->used; i++)
        if (!server->connections[i].fd)
            return &server->connections[i];
    return server->used < CONNECTIONS ? &server->connections[server->used++] : NULL;
}

static void accept_all(struct http_server *server) {
    for (int fd; (fd = accept4(server->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
        struct connection *c = free_connection(server);
        int on = 1;
        if (!c) {
            close(fd);
            continue;
        }
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        memset(c, 0, offsetof(struct connection, request));
        c->fd = fd;
        c->number = ++server->accepted;
        c->head_length = c->body_left = 0;
        c->in_body = c->hangs = false;
        c->answer = NULL;
        c->events = EPOLLIN;
        struct epoll_event event = {.events = EPOLLIN, .data.u64 = (uint64_t)(c - server->connections) + 1};
        epoll_ctl(server->epoll_fd, EPOLL_CTL_ADD, fd, &event);
        if (++server->open > server->most_open)
            server->most_open = server->open;
    }
}

/* ---- answers ---- */

static struct scripted *answer_to(struct http_server *server, const char *head) {
    const char *path = strchr(head, ' ');
    size_t length = path ? strcspn(++path, " ?") : 0;
    for (size_t i = 0; i < server->script_count; i++) {
        struct script *script = &server->scripts[i];
        if (path && strlen(script->path) == length && memcmp(script->path, path, length) == 0) {
            struct scripted *answer = &script->answers[script->next];
            script->next += script->next + 1 < script->count;
            return answer;
        }
    }
    return &server->missing;
}

static void begin_answer(struct http_server *server, struct connection *c) {
    struct scripted *answer = answer_to(server, c->request.head);
    bool headless = strncmp(c->request.head, "HEAD ", 5) == 0 && !answer->how.raw;
    c->answer = answer;
    c->sent = 0;
    c->total = headless ? answer->head_length : answer->length + answer->how.filler;
    if (answer->how.stop_after && answer->how.stop_after < c->total)
        c->total = answer->how.stop_after;
    c->due_ns = answer->how.delay_ms ? now_ns() + answer->how.delay_ms * UINT64_C(1000000) : 0;
    c->request.connection = c->number;
    server->seen[server->requests++ % HTTP_SEEN] = c->request;
    c->in_body = false;
    c->head_length = 0;
    pthread_cond_broadcast(&server->changed);
}

static void end_answer(struct http_server *server, struct connection *c) {
    enum http_then then = c->answer->how.then;
    c->answer = NULL;
    if (then == THEN_CLOSE || then == THEN_RESET)
        close_connection(server, c, then == THEN_RESET);
    else
        want(server, c, EPOLLIN); /* of a hanging one only the end is seen */
    c->hangs = then == THEN_HANG;
}

static ssize_t send_some(struct http_server *server, struct connection *c) {
    size_t left = c->total - c->sent, most = c->answer->how.drip_ms ? 1 : left;
    const char *from = server->filler;
    size_t piece = sizeof server->filler;
    if (c->sent < c->answer->length) {
        from = c->answer->text + c->sent;
        piece = c->answer->length - c->sent;
    }
    piece = piece < most ? piece : most;
    return send(c->fd, from, piece, MSG_NOSIGNAL);
}

/* Sends what may go now. */
static void go_on(struct http_server *server, struct connection *c) {
    while (c->fd && c->answer && (c->due_ns == 0 || c->due_ns <= now_ns())) {
        c->due_ns = 0;
        if (c->sent == c->total) {
            end_answer(server, c);
            return;
        }
        ssize_t sent = send_some(server, c);
        if (sent < 0 && errno == EAGAIN) {
            want(server, c, EPOLLOUT);
            return;
        }
        if (sent < 0) {
            close_connection(server, c, false);
            return;
        }
        c->sent += (size_t)sent;
        if (c->answer->how.drip_ms && c->sent < c->total) /* the next request may follow the last byte */
            c->due_ns = now_ns() + c->answer->how.drip_ms * UINT64_C(1000000);
    }
}

/* ---- requests ---- */

static void take_body(struct http_server *server, struct connection *c, const char *bytes, size_t count) {
    struct http_seen *seen = &c->request;
    for (size_t i = 0; i < count; i++) {
        if (seen->body_bytes < sizeof seen->body)
            seen->body[seen->body_bytes] = bytes[i];
        seen->body_bytes++;
        seen->body_sum += (unsigned char)bytes[i];
    }
    c->body_left -= count;
    if (c->body_left == 0)
        begin_answer(server, c);
}

static void end_head(struct http_server *server, struct connection *c) {
    char text[32];
    const char *length = http_seen_header(&c->request, "Content-Length", text, sizeof text);
    c->request.at_ns = now_ns();
    c->request.body_bytes = c->request.body_sum = 0;
    c->in_body = true;
    c->body_left = length ? strtoul(length, NULL, 10) : 0;
    take_body(server, c, NULL, 0);
}

static void take(struct http_server *server, struct connection *c, const char *bytes, size_t count) {
    while (count > 0 && !c->answer && !c->hangs) {
        if (c->in_body) {
            size_t part = count < c->body_left ? count : c->body_left;
            take_body(server, c, bytes, part);
            bytes += part, count -= part;
            continue;
        }
        if (c->head_length == sizeof c->request.head - 1)
            return;
        c->request.head[c->head_length++] = *bytes++, count--;
        c->request.head[c->head_length] = '\0';
        if (c->head_length >= 4 && memcmp(c->request.head + c->head_length - 4, "\r\n\r\n", 4) == 0)
            end_head(server, c);
    }
}

static void on_readable(struct http_server *server, struct connection *c) {
    char bytes[65536];
    ssize_t got = recv(c->fd, bytes, sizeof bytes, 0);
    if (got == 0 || (got < 0 && errno != EAGAIN)) {
        close_connection(server, c, false);
        return;
    }
    if (got > 0)
        take(server, c, bytes, (size_t)got);
    go_on(server, c);
}

/* ---- the thread ---- */

static int next_timeout(struct http_server *server) {
    uint64_t first = 0;
    for (size_t i = 0; i < server->used; i++) {
        const struct connection *c = &server->connections[i];
        if (c->fd && c->answer && c->due_ns && (first == 0 || c->due_ns < first))
            first = c->due_ns;
    }
    uint64_t now = now_ns();
    return first == 0 ? -1 : first <= now ? 0 : (int)((first - now) / 1000000 + 1);
}

static void send_due(struct http_server *server) {
    uint64_t now = now_ns();
    for (size_t i = 0; i < server->used; i++) {
        struct connection *c = &server->connections[i];
        if (c->fd && c->answer && c->due_ns && c->due_ns <= now)
            go_on(server, c);
    }
}

static void close_all(struct http_server *server) {
    for (size_t i = 0; i < server->used; i++)
        if (server->connections[i].fd)
            close_connection(server, &server->connections[i], false);
    server->used = 0;
}

static void handle(struct http_server *server, const struct epoll_event *event) {
    uint64_t count;
    if (event->data.u64 == UINT64_MAX) {
        ssize_t got = read(server->bell_fd, &count, sizeof count);
        (void)got;
    } else if (event->data.u64 == 0) {
        accept_all(server);
    } else {
        struct connection *c = &server->connections[event->data.u64 - 1];
        if (c->fd && (event->events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
            on_readable(server, c);
        else if (c->fd)
            go_on(server, c);
    }
}

static void *run(void *user) {
    struct http_server *server = user;
    pthread_mutex_lock(&server->lock);
    while (!server->stopping) {
        struct epoll_event events[256];
        int timeout = next_timeout(server);
        pthread_mutex_unlock(&server->lock);
        int count = epoll_wait(server->epoll_fd, events, 256, timeout);
        pthread_mutex_lock(&server->lock);
        for (int i = 0; i < count; i++)
            handle(server, &events[i]);
        send_due(server);
        if (server->resetting) {
            close_all(server);
            server->resetting = false;
            pthread_cond_broadcast(&server->changed);
        }
    }
    close_all(server);
    pthread_mutex_unlock(&server->lock);
    return NULL;
}

static void ring(struct http_server *server) {
    uint64_t one = 1;
    ssize_t wrote = write(server->bell_fd, &one, sizeof one);
    (void)wrote;
}

/* ---- making ---- */

static void compose(struct scripted *answer, const struct http_answer *how) {
    char head[1024];
    const char *body = how->body ? how->body : "";
    const char *text = how->raw;
    size_t length = text ? (how->raw_bytes ? how->raw_bytes : strlen(text)) : 0;
    size_t head_length = 0;
    if (!text) {
        int written =
            snprintf(head, sizeof head, "HTTP/1.1 %d Status\r\nContent-Length: %zu\r\n%s\r\n",
                     how->status ? how->status : 200, strlen(body) + how->filler, how->headers ? how->headers : "");
        head_length = (size_t)written < sizeof head ? (size_t)written : sizeof head - 1;
        length = head_length + strlen(body);
    }
    *answer = (struct scripted){.how = *how, .head_length = head_length, .length = length};
    answer->text = malloc(length + 1);
    if (!answer->text)
        abort();
    memcpy(answer->text, text ? text : head, text ? length : head_length);
    if (!text)
        memcpy(answer->text + head_length, body, strlen(body));
}

struct http_server *http_server_new(void) {
    struct http_server *server =
        mmap(NULL, sizeof *server, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (server == MAP_FAILED)
        return NULL;
    memset(server->filler, 'x', sizeof server->filler);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&server->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_mutex_init(&server->lock, NULL);
    compose(&server->missing, &(struct http_answer){.status = 404, .body = "nothing here"});
    server->listen_fd = http_listen(4096, &server->port);
    server->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    server->bell_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct epoll_event listening = {.events = EPOLLIN, .data.u64 = 0};
    struct epoll_event bell = {.events = EPOLLIN, .data.u64 = UINT64_MAX};
    if (server->listen_fd < 0 || server->epoll_fd < 0 || server->bell_fd < 0 ||
        epoll_ctl(server->epoll_fd, EPOLL_CTL_ADD, server->listen_fd, &listening) != 0 ||
        epoll_ctl(server->epoll_fd, EPOLL_CTL_ADD, server->bell_fd, &bell) != 0 ||
        pthread_create(&server->thread, NULL, run, server) != 0)
        return NULL;
    return server;
}

static void forget_scripts(struct http_server *server) {
    for (size_t i = 0; i < server->script_count; i++)
        for (size_t k = 0; k < server->scripts[i].count; k++)
            free(server->scripts[i].answers[k].text);
    server->script_count = 0;
}

void http_server_free(struct http_server *server) {
    pthread_mutex_lock(&server->lock);
    server->stopping = true;
    ring(server);
    pthread_mutex_unlock(&server->lock);
    pthread_join(server->thread, NULL);
    forget_scripts(server);
    free(server->missing.text);
    close(server->listen_fd);
    close(server->epoll_fd);
    close(server->bell_fd);
    pthread_mutex_destroy(&server->lock);
    pthread_cond_destroy(&server->changed);
    munmap(server, sizeof *server);
}

int http_server_port(const struct http_server *server) {
    return server->port;
}

void http_server_script(struct http_server *server, const char *path, const struct http_answer *answers, size_t count) {
    pthread_mutex_lock(&server->lock);
    if (server->script_count == SCRIPTS || count > ANSWERS)
        abort();
    struct script *script = &server->scripts[server->script_count++];
    *script = (struct script){.count = count};
    snprintf(script->path, sizeof script->path, "%s", path);
    for (size_t i = 0; i < count; i++)
        compose(&script->answers[i], &answers[i]);
    pthread_mutex_unlock(&server->lock);
}

static bool await(struct http_server *server, bool (*holds)(struct http_server *server, size_t count), size_t count) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += AWAIT_S;
    int failed = 0;
    pthread_mutex_lock(&server->lock);
    while (!holds(server, count) && !failed)
        failed = pthread_cond_timedwait(&server->changed, &server->lock, &until);
    bool held = holds(server, count);
    pthread_mutex_unlock(&server->lock);
    return held;
}

static bool is_reset(struct http_server *server, size_t count) {
    (void)count;
    return !server->resetting;
}

void http_server_reset(struct http_server *server) {
    pthread_mutex_lock(&server->lock);
    server->resetting = true;
    ring(server);
    pthread_mutex_unlock(&server->lock);
    (void)await(server, is_reset, 0);
    pthread_mutex_lock(&server->lock);
    forget_scripts(server);
    server->requests = server->accepted = server->most_open = 0;
    pthread_mutex_unlock(&server->lock);
}

/* ---- looking ---- */

static size_t look(struct http_server *server, const size_t *figure) {
    pthread_mutex_lock(&server->lock);
    size_t value = *figure;
    pthread_mutex_unlock(&server->lock);
    return value;
}

size_t http_server_requests(struct http_server *server) {
    return look(server, &server->requests);
}

size_t http_server_connections(struct http_server *server) {
    return look(server, &server->accepted);
}

size_t http_server_most_open(struct http_server *server) {
    return look(server, &server->most_open);
}

bool http_server_seen(struct http_server *server, size_t n, struct http_seen *ret_seen) {
    pthread_mutex_lock(&server->lock);
    bool kept = n < server->requests && n + HTTP_SEEN >= server->requests;
    if (kept)
        *ret_seen = server->seen[n % HTTP_SEEN];
    pthread_mutex_unlock(&server->lock);
    return kept;
}

static bool has_requests(struct http_server *server, size_t count) {
    return server->requests >= count;
}

static bool has_few_open(struct http_server *server, size_t count) {
    return server->open <= count;
}

bool http_server_await_requests(struct http_server *server, size_t count) {
    return await(server, has_requests, count);
}

bool http_server_await_open(struct http_server *server, size_t count) {
    return await(server, has_few_open, count);
}
