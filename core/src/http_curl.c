/* Transfers on a loop: libcurl's multi interface, its sockets in the loop's epoll set, its one timer beside the loop's
 * own. */
#include "http_internal.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

#define SOCKET_MARK (UINT64_C(1) << 32) /* tells a socket from the loop's bell in an epoll event */
#define EVENTS_AT_ONCE 64
#define IDLE_CONNECTIONS 256L
#define TOTAL_CONNECTIONS 2048L
#define MOST_HEADERS 256

struct pawl_http_loop {
    struct loop *loop;
    CURLM *multi;
    uint64_t timer_ns;
    size_t active;
};

struct http_transfer {
    struct pawl_http_loop *http;
    CURL *easy;
    struct curl_slist *headers;
    http_done done;
    void *user;
    void *body;  /* of the request */
    char *bytes; /* of the response */
    size_t length, capacity, most;
    pawl_http_header response_headers[MOST_HEADERS];
    size_t header_count;
    bool in_multi, too_large;
    char detail[CURL_ERROR_SIZE];
};

/* ---- libcurl's side of the loop ---- */

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *user, void *known) {
    struct pawl_http_loop *http = user;
    (void)easy;
    struct epoll_event watch = {.data.u64 = SOCKET_MARK | (uint32_t)fd};
    watch.events = (what & CURL_POLL_IN ? EPOLLIN : 0u) | (what & CURL_POLL_OUT ? EPOLLOUT : 0u);
    if (what == CURL_POLL_REMOVE)
        epoll_ctl(http->loop->poll_fd, EPOLL_CTL_DEL, fd, NULL); /* a closed one is gone already */
    else if (epoll_ctl(http->loop->poll_fd, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &watch) != 0)
        return -1;
    else
        curl_multi_assign(http->multi, fd, http);
    return 0;
}

static int on_timer(CURLM *multi, long timeout_ms, void *user) {
    struct pawl_http_loop *http = user;
    (void)multi;
    http->timer_ns = timeout_ms < 0 ? PAWL_NEVER : pawl_loop_read_clock(http->loop) + PAWL_MS((uint64_t)timeout_ms);
    return 0;
}

static void init_curl(void) {
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

bool pawl_http_ready(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    return pthread_once(&once, init_curl) == 0;
}

static struct pawl_http_loop *http_of(struct loop *loop) {
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
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, IDLE_CONNECTIONS);
    curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, TOTAL_CONNECTIONS);
    return loop->http = http;
}

void pawl_http_loop_free(struct pawl_http_loop *http) {
    if (!http)
        return;
    curl_multi_cleanup(http->multi);
    free(http);
}

uint64_t pawl_http_loop_timer(const struct pawl_http_loop *http) {
    return http->timer_ns;
}

/* ---- the end of transfers ---- */

static const char *find_header(const struct http_transfer *t, const char *name) {
    for (size_t i = 0; i < t->header_count; i++)
        if (strcmp(t->response_headers[i].name, name) == 0)
            return t->response_headers[i].value;
    return NULL;
}

static uint64_t time_of(CURL *easy, CURLINFO what) {
    curl_off_t us = 0;
    curl_easy_getinfo(easy, what, &us);
    return us > 0 ? PAWL_US((uint64_t)us) : 0;
}

static void tell_done(struct http_transfer *t, CURLcode result) {
    long status = 0;
    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    pawl_http_response response = {.size = sizeof response,
                                   .status = (uint64_t)status,
                                   .headers = t->response_headers,
                                   .header_count = t->header_count,
                                   .body = t->bytes ? t->bytes : "",
                                   .body_bytes = t->length,
                                   .retry_after_ns = pawl_http_retry_after(find_header(t, "retry-after")),
                                   .connect_ns = time_of(t->easy, CURLINFO_CONNECT_TIME_T),
                                   .first_byte_ns = time_of(t->easy, CURLINFO_STARTTRANSFER_TIME_T),
                                   .total_ns = time_of(t->easy, CURLINFO_TOTAL_TIME_T)};
    t->done(t->user, result, &response, t->too_large, t->detail);
}

static void leave_multi(struct http_transfer *t) {
    if (!t->in_multi)
        return;
    t->in_multi = false;
    t->http->active--;
    curl_multi_remove_handle(t->http->multi, t->easy);
}

static void collect_done(struct pawl_http_loop *http) {
    int left;
    for (CURLMsg *message; (message = curl_multi_info_read(http->multi, &left));) {
        struct http_transfer *t = NULL;
        CURLcode result = message->data.result;
        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&t);
        leave_multi(t); /* the message is gone now */
        tell_done(t, result);
    }
}

static void act_on(struct pawl_http_loop *http, const struct epoll_event *event) {
    int running, what = (event->events & EPOLLIN ? CURL_CSELECT_IN : 0) |
                        (event->events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
                        (event->events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
    if (event->data.u64 & SOCKET_MARK)
        curl_multi_socket_action(http->multi, (curl_socket_t)(uint32_t)event->data.u64, what, &running);
}

void pawl_http_loop_turn(struct pawl_http_loop *http, uint64_t now_ns) {
    struct epoll_event events[EVENTS_AT_ONCE];
    int running, count = epoll_wait(http->loop->poll_fd, events, EVENTS_AT_ONCE, 0);
    for (int i = 0; i < count; i++)
        act_on(http, &events[i]);
    if (http->timer_ns <= now_ns) {
        http->timer_ns = PAWL_NEVER; /* libcurl sets the next one */
        curl_multi_socket_action(http->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    }
    collect_done(http);
}

/* ---- one transfer ---- */

static size_t on_body(char *bytes, size_t size, size_t count, void *user) {
    struct http_transfer *t = user;
    size_t more = size * count;
    if (more > t->most - t->length) {
        t->too_large = true;
        return CURL_WRITEFUNC_ERROR;
    }
    if (t->length + more > t->capacity) {
        size_t capacity = t->capacity ? t->capacity : 4096;
        while (capacity < t->length + more)
            capacity *= 2;
        char *grown = realloc(t->bytes, capacity);
        if (!grown)
            return CURL_WRITEFUNC_ERROR;
        t->bytes = grown;
        t->capacity = capacity;
    }
    if (more)
        memcpy(t->bytes + t->length, bytes, more);
    t->length += more;
    return more;
}

static void forget_headers(struct http_transfer *t) {
    for (size_t i = 0; i < t->header_count; i++)
        free((char *)t->response_headers[i].name); /* one allocation holds both */
    t->header_count = 0;
}

static void keep_header(struct http_transfer *t, const char *line, size_t length) {
    const char *colon = memchr(line, ':', length);
    if (!colon || t->header_count == MOST_HEADERS)
        return;
    size_t name_length = (size_t)(colon - line), start = name_length + 1;
    while (start < length && (line[start] == ' ' || line[start] == '\t'))
        start++;
    while (length > start && isspace((unsigned char)line[length - 1]))
        length--;
    char *text = malloc(name_length + 1 + (length - start) + 1);
    if (!text)
        return;
    for (size_t i = 0; i < name_length; i++)
        text[i] = (char)tolower((unsigned char)line[i]);
    text[name_length] = '\0';
    memcpy(text + name_length + 1, line + start, length - start);
    text[name_length + 1 + length - start] = '\0';
    t->response_headers[t->header_count++] = (pawl_http_header){.name = text, .value = text + name_length + 1};
}

static size_t on_header(char *line, size_t size, size_t count, void *user) {
    struct http_transfer *t = user;
    if (size * count >= 5 && memcmp(line, "HTTP/", 5) == 0)
        forget_headers(t); /* an interim response went before */
    else
        keep_header(t, line, size * count);
    return size * count;
}

static bool add_header(struct http_transfer *t, const char *name, const char *value) {
    size_t bytes = strlen(name) + strlen(value) + 3;
    char *line = malloc(bytes);
    if (!line)
        return false;
    snprintf(line, bytes, *value ? "%s: %s" : "%s;", name, value); /* "name;" is libcurl's way to send an empty one */
    struct curl_slist *more = curl_slist_append(t->headers, line);
    free(line);
    if (more)
        t->headers = more;
    return more != NULL;
}

static bool has_line_end(const char *text) {
    return strpbrk(text, "\r\n") != NULL;
}

static pawl_status set_headers(struct http_transfer *t, pawl_context *ctx, const pawl_http_request *r,
                               pawl_error **err) {
    char traceparent[PAWL_TRACEPARENT_BYTES];
    bool added = (t->headers = curl_slist_append(NULL, "Expect:")) != NULL; /* no wait for 100-continue */
    for (uint64_t i = 0; i < r->header_count; i++) {
        const pawl_http_header *h = &r->headers[i];
        if (!h->name || !*h->name || !h->value || has_line_end(h->name) || has_line_end(h->value))
            return pawl_error_set(err, PAWL_E_INVALID, "http: header %llu is empty or has a line end in it",
                                  (unsigned long long)i);
        added = added && add_header(t, h->name, h->value);
    }
    if (!r->no_trace_headers) {
        pawl_context_traceparent(ctx, traceparent);
        added = added && add_header(t, "traceparent", traceparent);
        if (*pawl_context_tracestate(ctx))
            added = added && add_header(t, "tracestate", pawl_context_tracestate(ctx));
    }
    return added ? PAWL_OK : pawl_error_set(err, PAWL_E_NOMEM, "http: out of memory");
}

static long to_ms(uint64_t ns) {
    uint64_t ms = ns / PAWL_MS(1) + (ns % PAWL_MS(1) != 0);
    return ms > 86400000 ? 86400000L : ms ? (long)ms : 1L;
}

static pawl_status set_body(struct http_transfer *t, const pawl_http_request *r, pawl_error **err) {
    if (r->body_bytes == 0 && !(r->method && strcmp(r->method, "POST") == 0))
        return PAWL_OK;
    t->body = malloc(r->body_bytes ? r->body_bytes : 1);
    if (!t->body)
        return pawl_error_set(err, PAWL_E_NOMEM, "http: out of memory");
    if (r->body_bytes)
        memcpy(t->body, r->body, r->body_bytes);
    curl_easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body_bytes);
    curl_easy_setopt(t->easy, CURLOPT_POSTFIELDS, t->body);
    return PAWL_OK;
}

static pawl_status set_options(struct http_transfer *t, const pawl_http_request *r, pawl_error **err) {
    CURL *easy = t->easy;
    pawl_status status = set_body(t, r, err);
    if (status != PAWL_OK)
        return status;
    if (r->method && has_line_end(r->method))
        return pawl_error_set(err, PAWL_E_INVALID, "http: the method has a line end in it");
    if (r->method && strcmp(r->method, "HEAD") == 0)
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    else if (r->method)
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, r->method);
    curl_easy_setopt(easy, CURLOPT_URL, r->url);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, t->headers);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, to_ms(pawl_option(r->connect_timeout_ns, PAWL_S(10))));
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, to_ms(pawl_option(r->timeout_ns, PAWL_S(60))));
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, t);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, t->detail);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, t);
    return PAWL_OK;
}

static struct http_transfer *new_transfer(struct loop *loop, http_done done, void *user) {
    struct http_transfer *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->http = http_of(loop);
    t->easy = t->http ? curl_easy_init() : NULL;
    t->done = done;
    t->user = user;
    if (t->easy)
        return t;
    free(t);
    return NULL;
}

struct http_transfer *pawl_http_transfer_start(struct loop *loop, pawl_context *ctx, const pawl_http_request *request,
                                               http_done done, void *user, pawl_error **err) {
    if (!request->url || !*request->url) {
        pawl_error_set(err, PAWL_E_INVALID, "http: the request has no url");
        return NULL;
    }
    struct http_transfer *t = new_transfer(loop, done, user);
    if (!t) {
        pawl_error_set(err, PAWL_E_NOMEM, "http: out of memory");
        return NULL;
    }
    t->most = pawl_option(request->max_response_bytes, PAWL_MIB(64));
    if (set_headers(t, ctx, request, err) != PAWL_OK || set_options(t, request, err) != PAWL_OK) {
        pawl_http_transfer_free(t);
        return NULL;
    }
    t->in_multi = curl_multi_add_handle(t->http->multi, t->easy) == CURLM_OK;
    t->http->active += t->in_multi;
    if (t->in_multi)
        return t;
    pawl_http_transfer_free(t);
    pawl_error_set(err, PAWL_E_NOMEM, "http: libcurl takes no further transfer");
    return NULL;
}

void pawl_http_transfer_free(struct http_transfer *t) {
    if (!t)
        return;
    leave_multi(t);
    curl_easy_cleanup(t->easy);
    curl_slist_free_all(t->headers);
    forget_headers(t);
    free(t->body);
    free(t->bytes);
    free(t);
}

/* ---- words ---- */

uint64_t pawl_http_retry_after(const char *text) {
    if (!text)
        return 0;
    char *end;
    double seconds = strtod(text, &end);
    if (end != text && *end == '\0')
        return seconds > 0 && seconds < 1e9 ? (uint64_t)(seconds * 1e9) : 0;
    time_t date = curl_getdate(text, NULL), now = time(NULL);
    return date > now ? PAWL_S((uint64_t)(date - now) + 1) : 0; /* a date has whole seconds: never early */
}

static const struct {
    CURLcode code;
    pawl_status status;
    pawl_started started;
} curl_codes[] = {
    {CURLE_COULDNT_RESOLVE_HOST, PAWL_E_UNAVAILABLE, PAWL_STARTED_NO},
    {CURLE_COULDNT_RESOLVE_PROXY, PAWL_E_UNAVAILABLE, PAWL_STARTED_NO},
    {CURLE_COULDNT_CONNECT, PAWL_E_UNAVAILABLE, PAWL_STARTED_NO},
    {CURLE_SSL_CONNECT_ERROR, PAWL_E_UNAVAILABLE, PAWL_STARTED_NO},
    {CURLE_PEER_FAILED_VERIFICATION, PAWL_E_DENIED, PAWL_STARTED_NO},
    {CURLE_URL_MALFORMAT, PAWL_E_INVALID, PAWL_STARTED_NO},
    {CURLE_UNSUPPORTED_PROTOCOL, PAWL_E_INVALID, PAWL_STARTED_NO},
    {CURLE_OPERATION_TIMEDOUT, PAWL_E_TIMEOUT, PAWL_STARTED_MAYBE},
    {CURLE_WEIRD_SERVER_REPLY, PAWL_E_PROTOCOL, PAWL_STARTED_MAYBE},
    {CURLE_BAD_CONTENT_ENCODING, PAWL_E_PROTOCOL, PAWL_STARTED_MAYBE},
    {CURLE_OUT_OF_MEMORY, PAWL_E_NOMEM, PAWL_STARTED_MAYBE},
};

pawl_status pawl_http_curl_error(pawl_error **err, const char *who, CURLcode result, bool too_large,
                                 const char *detail) {
    if (too_large)
        return pawl_error_set(err, PAWL_E_LIMIT, "%s: the response is over max_response_bytes; raise it", who);
    pawl_error_info info = {.size = sizeof info, .status = PAWL_E_UNAVAILABLE};
    for (size_t i = 0; i < sizeof curl_codes / sizeof *curl_codes; i++)
        if (curl_codes[i].code == result) {
            info.status = curl_codes[i].status;
            info.started = curl_codes[i].started;
        }
    return pawl_error_set_info(err, &info, "%s: %s", who, detail && *detail ? detail : curl_easy_strerror(result));
}
