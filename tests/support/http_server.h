/* A scriptable HTTP server on loopback, in a thread of its own: right answers, and every way to answer wrongly. It
 * allocates nothing while it serves, so that allocations that fail on purpose are never its own. */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What happens when the answer has been sent. */
enum http_then {
    THEN_KEEP = 0, /* the connection, for the next request */
    THEN_CLOSE,
    THEN_RESET,
    THEN_HANG, /* nothing: neither bytes nor a close */
};

/* One answer; zero is 200 without a body. */
struct http_answer {
    const char *raw;     /* sent as it is; NULL: made of status, headers and body */
    size_t raw_bytes;    /* 0: up to NUL */
    int status;          /* 0: 200 */
    const char *headers; /* "Name: value\r\n" and so on */
    const char *body;    /* text */
    size_t filler;       /* so many 'x' follow it, counted in Content-Length unless raw */
    unsigned delay_ms;   /* before the first byte */
    unsigned drip_ms;    /* between bytes, which then go one by one */
    size_t stop_after;   /* bytes of the answer after which `then` happens; 0: all */
    enum http_then then;
};
#define NEVER_ANSWERS ((struct http_answer){.raw = "", .then = THEN_HANG})

/* One request as it came. */
struct http_seen {
    char head[8192]; /* request line and headers, NUL-terminated */
    char body[1024]; /* its beginning */
    size_t body_bytes;
    uint32_t body_sum; /* of all its bytes, added up */
    uint64_t at_ns;    /* monotonic, when its head was read */
    size_t connection; /* counted from 1 */
};
#define HTTP_SEEN 64 /* the last ones are kept */

struct http_server;
/* NULL when it cannot be made. */
struct http_server *http_server_new(void);
/* Closes all connections. */
void http_server_free(struct http_server *server);
int http_server_port(const struct http_server *server);

/* The answers to requests for a path, one after another; the last one stays. Texts are copied. Other paths: 404. */
void http_server_script(struct http_server *server, const char *path, const struct http_answer *answers, size_t count);
#define serve(server, path, ...)                                                                                       \
    http_server_script(server, path, (struct http_answer[]){__VA_ARGS__},                                              \
                       sizeof((struct http_answer[]){__VA_ARGS__}) / sizeof(struct http_answer))

/* Forgets scripts, requests and counts; open connections are closed. */
void http_server_reset(struct http_server *server);

size_t http_server_requests(struct http_server *server);    /* seen */
size_t http_server_connections(struct http_server *server); /* accepted */
size_t http_server_most_open(struct http_server *server);
/* The n-th request, from 0, copied; false when there is none (any more). */
bool http_server_seen(struct http_server *server, size_t n, struct http_seen *ret_seen);
/* The value of a request's header, into text; NULL when it is missing. "?twice" when it is there twice. */
const char *http_seen_header(const struct http_seen *seen, const char *name, char *text, size_t size);

/* Waits, ten seconds at most, until so many requests have come, or so few connections are open. Whether they have. */
bool http_server_await_requests(struct http_server *server, size_t count);
bool http_server_await_open(struct http_server *server, size_t count);

/* A listening socket on loopback; -1 when it cannot be made. */
int http_listen(int backlog, int *ret_port);
/* A port on loopback that nobody listens at; and one where connecting hangs. The descriptors keep it so. */
int http_closed_port(void);
#define BLACK_HOLE_FDS 8
int http_black_hole(int ret_fds[BLACK_HOLE_FDS]);

#endif
