/* libcurl on a loop: its sockets in the loop's epoll set, its one timer beside the loop's own. */
#include "http_internal.h"
#include <stdlib.h>
#include <sys/epoll.h>

#define SOCKET_MARK (UINT64_C(1) << 32) /* tells a socket from the loop's bell in an epoll event */
#define EVENTS_AT_ONCE 64
#define IDLE_CONNECTIONS 256u /* kept; more only while more transfers than that are live */
#define TOTAL_CONNECTIONS 2048u
#define IDLE_HANDLES 64u
#define MOST_STREAMS 1000L /* of one HTTP/2 connection, when the server agrees */

struct pawl_http_loop {
    struct loop *loop;
    CURLM *multi;
    uint64_t timer_ns;
    size_t live;    /* transfers */
    size_t watched; /* sockets in the epoll set */
    size_t kept;    /* bound of connections, idle ones included */
    CURL *idle[IDLE_HANDLES];
    size_t idle_count;
};

/* ---- what libcurl asks for ---- */

static bool watch_socket(struct pawl_http_loop *http, int fd, int what, bool known) {
    struct epoll_event watch = {.data.u64 = SOCKET_MARK | (uint32_t)fd};
    watch.events = (what & CURL_POLL_IN ? EPOLLIN : 0u) | (what & CURL_POLL_OUT ? EPOLLOUT : 0u);
    int poll_fd = http->loop->poll_fd;
    return epoll_ctl(poll_fd, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &watch) == 0 ||
           epoll_ctl(poll_fd, known ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &watch) == 0; /* the number was used again */
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *user, void *known) {
    struct pawl_http_loop *http = user;
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        epoll_ctl(http->loop->poll_fd, EPOLL_CTL_DEL, fd, NULL); /* a closed one is gone already */
        http->watched -= known != NULL;
        return 0;
    }
    if (!watch_socket(http, fd, what, known != NULL))
        return -1; /* libcurl fails its transfers, since none would ever hear of its socket */
    if (!known) {
        curl_multi_assign(http->multi, fd, http);
        http->watched++;
    }
    return 0;
}

static int on_timer(CURLM *multi, long timeout_ms, void *user) {
    struct pawl_http_loop *http = user;
    (void)multi;
    http->timer_ns = timeout_ms < 0 ? PAWL_NEVER : pawl_loop_read_clock(http->loop) + PAWL_MS((uint64_t)timeout_ms);
    return 0;
}

/* ---- making ---- */

static CURLcode global = CURLE_FAILED_INIT;

static void init_curl(void) {
    global = curl_global_init(CURL_GLOBAL_DEFAULT);
}

bool pawl_http_ready(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    return pthread_once(&once, init_curl) == 0 && global == CURLE_OK;
}

static void keep_connections(struct pawl_http_loop *http, size_t count) {
    http->kept = count < TOTAL_CONNECTIONS ? count : TOTAL_CONNECTIONS;
    curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, (long)http->kept);
}

struct pawl_http_loop *pawl_http_loop_of(struct loop *loop) {
    if (loop->http || !pawl_http_ready())
        return loop->http;
    struct pawl_http_loop *http = calloc(1, sizeof *http);
    CURLM *multi = http ? curl_multi_init() : NULL;
    if (!multi) {
        free(http);
        return NULL;
    }
    *http = (struct pawl_http_loop){.loop = loop, .multi = multi, .timer_ns = PAWL_NEVER};
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, http);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, http);
    curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)TOTAL_CONNECTIONS);
    curl_multi_setopt(multi, CURLMOPT_MAX_CONCURRENT_STREAMS, MOST_STREAMS);
    keep_connections(http, IDLE_CONNECTIONS);
    return loop->http = http;
}

void pawl_http_loop_free(struct pawl_http_loop *http) {
    if (!http)
        return;
    while (http->idle_count > 0)
        curl_easy_cleanup(http->idle[--http->idle_count]);
    curl_multi_cleanup(http->multi);
    free(http);
}

/* ---- transfers ---- */

/* Making a handle costs more than setting one: a tenth of a small exchange. */
CURL *pawl_http_loop_take(struct pawl_http_loop *http) {
    return http->idle_count > 0 ? http->idle[--http->idle_count] : curl_easy_init();
}

void pawl_http_loop_give(struct pawl_http_loop *http, CURL *easy) {
    if (http->idle_count == IDLE_HANDLES) {
        curl_easy_cleanup(easy);
        return;
    }
    curl_easy_reset(easy);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L); /* else its cleanup sets SIGPIPE's handler, which is the host's */
    http->idle[http->idle_count++] = easy;
}

/* libcurl counts connections in use against what it keeps, so a fixed bound would close each connection after its
 * exchange as soon as more than that are live. */
bool pawl_http_loop_add(struct pawl_http_loop *http, CURL *easy) {
    if (http->live >= http->kept && http->kept < TOTAL_CONNECTIONS)
        keep_connections(http, http->kept * 2);
    bool added = curl_multi_add_handle(http->multi, easy) == CURLM_OK;
    http->live += added;
    return added;
}

void pawl_http_loop_remove(struct pawl_http_loop *http, CURL *easy) {
    curl_multi_remove_handle(http->multi, easy);
    if (--http->live == 0 && http->kept > IDLE_CONNECTIONS)
        keep_connections(http, IDLE_CONNECTIONS);
}

/* ---- turning ---- */

uint64_t pawl_http_loop_timer(const struct pawl_http_loop *http) {
    return http->timer_ns;
}

static void collect_done(struct pawl_http_loop *http) {
    int left;
    for (CURLMsg *message; (message = curl_multi_info_read(http->multi, &left));) {
        CURL *easy = message->easy_handle;
        CURLcode result = message->data.result;
        struct http_transfer *transfer = NULL;
        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&transfer);
        pawl_http_transfer_end(transfer, result); /* the message is gone now */
    }
}

static void act_on(struct pawl_http_loop *http, const struct epoll_event *event) {
    int running;
    int what = (event->events & EPOLLIN ? CURL_CSELECT_IN : 0) | (event->events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
               (event->events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
    if (event->data.u64 & SOCKET_MARK)
        curl_multi_socket_action(http->multi, (curl_socket_t)(uint32_t)event->data.u64, what, &running);
}

void pawl_http_loop_turn(struct pawl_http_loop *http, uint64_t now_ns) {
    struct epoll_event events[EVENTS_AT_ONCE];
    int running;
    int count = http->watched > 0 ? epoll_wait(http->loop->poll_fd, events, EVENTS_AT_ONCE, 0) : 0;
    for (int i = 0; i < count; i++)
        act_on(http, &events[i]);
    if (http->timer_ns <= now_ns) {
        http->timer_ns = PAWL_NEVER; /* libcurl sets the next one */
        curl_multi_socket_action(http->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    } else if (count <= 0) {
        return;
    }
    collect_done(http);
}
