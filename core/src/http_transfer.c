/* One exchange: a request copied into a libcurl handle, and its response collected. */
#include "fd_internal.h"
#include "http_internal.h"
#include <ctype.h>
#include <pawl/version.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#define MOST_HEADERS 256
#define MOST_HEAD_BYTES (256u << 10) /* of all response headers */

struct buffer {
    char *bytes;
    size_t length, capacity;
};

/* Why libcurl was told to stop. */
enum trouble { NO_TROUBLE = 0, BODY_TOO_LARGE, HEAD_TOO_LARGE, NO_MEMORY };

struct http_transfer {
    struct pawl_http_loop *http;
    CURL *easy;
    bool added;   /* to the loop */
    bool is_well; /* it has ended as it should */
    const char *who;
    pawl_context *ctx;
    const char *method; /* as metrics know it; static */
    http_done done;
    void *user;
    struct http_copy request;
    struct buffer answer; /* body of the response */
    struct buffer head;   /* its headers: name, NUL, value, NUL, and the next */
    size_t header_count;
    bool head_ended; /* another one may follow: an interim response goes before the final one */
    uint64_t most_bytes;
    enum trouble trouble;
    char detail[CURL_ERROR_SIZE];
};

/* ---- the response ---- */

/* Appends and leaves room for one byte more. */
static bool append(struct buffer *buffer, const char *bytes, size_t count) {
    if (buffer->length + count >= buffer->capacity) {
        size_t capacity = buffer->capacity ? buffer->capacity : 1024;
        while (capacity <= buffer->length + count)
            capacity *= 2;
        char *grown = realloc(buffer->bytes, capacity);
        if (!grown)
            return false;
        buffer->bytes = grown;
        buffer->capacity = capacity;
    }
    if (count > 0)
        memcpy(buffer->bytes + buffer->length, bytes, count);
    buffer->length += count;
    return true;
}

/* What a callback returns to make libcurl end the transfer: never what it was given. */
static size_t stop(struct http_transfer *t, enum trouble trouble) {
    t->trouble = trouble;
    return CURL_WRITEFUNC_ERROR;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *user) {
    struct http_transfer *t = user;
    size_t more = size * count;
    if (more > t->most_bytes - t->answer.length)
        return stop(t, BODY_TOO_LARGE);
    return append(&t->answer, bytes, more) ? more : stop(t, NO_MEMORY);
}

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool keep_header(struct http_transfer *t, const char *line, size_t name_length, size_t length) {
    size_t start = name_length + 1, at = t->head.length;
    while (start < length && is_blank(line[start]))
        start++;
    while (length > start && is_blank(line[length - 1]))
        length--;
    if (!append(&t->head, line, name_length) || !append(&t->head, "", 1) ||
        !append(&t->head, line + start, length - start) || !append(&t->head, "", 1))
        return false;
    for (char *c = t->head.bytes + at; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    t->header_count++;
    return true;
}

static size_t on_header(char *line, size_t size, size_t count, void *user) {
    struct http_transfer *t = user;
    size_t length = size * count;
    const char *colon = memchr(line, ':', length);
    if (t->head_ended && length >= 5 && memcmp(line, "HTTP/", 5) == 0) {
        t->head.length = t->header_count = 0;
        t->head_ended = false;
    } else if (length <= 2) {
        t->head_ended = true;
    } else if (colon && colon > line && !is_blank(line[0])) {
        if (t->header_count == MOST_HEADERS || t->head.length + length > MOST_HEAD_BYTES)
            return stop(t, HEAD_TOO_LARGE);
        if (!keep_header(t, line, (size_t)(colon - line), length))
            return stop(t, NO_MEMORY);
    }
    return length;
}

/* Points into head, which must not grow any more. */
static void list_headers(struct http_transfer *t, pawl_http_header *headers) {
    const char *text = t->head.bytes;
    for (size_t i = 0; i < t->header_count; i++) {
        headers[i].name = text;
        headers[i].value = text + strlen(text) + 1;
        text = headers[i].value + strlen(headers[i].value) + 1;
    }
}

static const char *find_header(const pawl_http_header *headers, size_t count, const char *name) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(headers[i].name, name) == 0)
            return headers[i].value;
    return NULL;
}

/* ---- the end ---- */

static uint64_t time_of(CURL *easy, CURLINFO what) {
    curl_off_t us = 0;
    curl_easy_getinfo(easy, what, &us);
    return us > 0 ? PAWL_US((uint64_t)us) : 0;
}

static void tell_response(struct http_transfer *t, const pawl_http_header *headers) {
    long status = 0;
    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    t->answer.bytes[t->answer.length] = '\0';
    pawl_http_observe_end(t->ctx, t->easy, t->method, NULL);
    pawl_http_response response = {.size = sizeof response,
                                   .status = (uint64_t)status,
                                   .headers = headers,
                                   .header_count = t->header_count,
                                   .body = t->answer.bytes,
                                   .body_bytes = t->answer.length,
                                   .retry_after_ns =
                                       pawl_http_retry_after(find_header(headers, t->header_count, "retry-after")),
                                   .connect_ns = time_of(t->easy, CURLINFO_CONNECT_TIME_T),
                                   .first_byte_ns = time_of(t->easy, CURLINFO_STARTTRANSFER_TIME_T),
                                   .total_ns = time_of(t->easy, CURLINFO_TOTAL_TIME_T)};
    t->done(t->user, &response, NULL);
}

static pawl_status no_memory(pawl_error **err, const char *who) {
    return pawl_error_set(err, PAWL_E_NOMEM, "%s: out of memory", who);
}

static void tell_failure(struct http_transfer *t, CURLcode result) {
    pawl_error *error = NULL;
    pawl_error_info info = {.size = sizeof info, .status = PAWL_E_LIMIT, .started = PAWL_STARTED_MAYBE};
    switch (t->trouble) {
    case BODY_TOO_LARGE:
        pawl_error_set_info(&error, &info, "%s: the response is over max_response_bytes (%llu); raise it", t->who,
                            (unsigned long long)t->most_bytes);
        break;
    case HEAD_TOO_LARGE:
        pawl_error_set_info(&error, &info, "%s: the response has more than %d headers or %u bytes of them", t->who,
                            MOST_HEADERS, MOST_HEAD_BYTES);
        break;
    case NO_MEMORY:
        no_memory(&error, t->who);
        break;
    case NO_TROUBLE:
        pawl_http_curl_error(&error, t->who, t->easy, result, t->detail);
        break;
    }
    pawl_http_observe_end(t->ctx, t->easy, t->method, error);
    t->done(t->user, NULL, error);
}

static void leave_loop(struct http_transfer *t) {
    if (t->added)
        pawl_http_loop_remove(t->http, t->easy);
    t->added = false;
}

void pawl_http_transfer_end(struct http_transfer *t, CURLcode result) {
    leave_loop(t);
    if (result == CURLE_OK && !t->head_ended) /* for libcurl a connection closed there is an empty answer */
        result = CURLE_PARTIAL_FILE;
    if (result != CURLE_OK) {
        tell_failure(t, result);
        return;
    }
    t->is_well = true;
    pawl_http_header *headers = malloc((t->header_count + 1) * sizeof *headers);
    if (headers && append(&t->answer, "", 0)) {
        list_headers(t, headers);
        tell_response(t, headers);
    } else {
        t->trouble = NO_MEMORY;
        tell_failure(t, result);
    }
    free(headers);
}

void pawl_http_transfer_free(struct http_transfer *t) {
    if (!t)
        return;
    leave_loop(t);
    if (t->is_well)
        pawl_http_loop_give(t->http, t->easy);
    else
        curl_easy_cleanup(t->easy);
    pawl_http_copy_free(&t->request);
    free(t->answer.bytes);
    free(t->head.bytes);
    free(t);
}

/* ---- the start ---- */

/* Not inherited by programs that the host starts. */
static curl_socket_t open_socket(void *user, curlsocktype purpose, struct curl_sockaddr *address) {
    (void)user, (void)purpose;
    return pawl_fd_beyond_standard(socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol));
}

#define SET(option, value) (set = set && curl_easy_setopt(t->easy, option, value) == CURLE_OK)

static bool set_behaviour(struct http_transfer *t, const pawl_http_request *r) {
    bool set = true;
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_USERAGENT, "pawl/" PAWL_VERSION_STRING);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_QUICK_EXIT, 1L); /* a cancel does not wait for the resolver's thread */
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    if (strncasecmp(r->url, "https", 5) == 0)
        SET(CURLOPT_PIPEWAIT, 1L); /* for the handshake, which tells whether it can be shared */
    SET(CURLOPT_OPENSOCKETFUNCTION, open_socket);
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_WRITEDATA, t);
    SET(CURLOPT_HEADERFUNCTION, on_header);
    SET(CURLOPT_HEADERDATA, t);
    SET(CURLOPT_ERRORBUFFER, t->detail);
    SET(CURLOPT_PRIVATE, t);
    return set;
}

static struct http_transfer *new_transfer(struct loop *loop, const char *who, http_done done, void *user) {
    struct http_transfer *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->http = pawl_http_loop_of(loop);
    t->easy = t->http ? pawl_http_loop_take(t->http) : NULL;
    t->who = who;
    t->done = done;
    t->user = user;
    if (t->easy)
        return t;
    free(t);
    return NULL;
}

struct http_transfer *pawl_http_transfer_start(struct loop *loop, pawl_context *ctx, const char *who,
                                               const pawl_http_request *request, http_done done, void *user,
                                               pawl_error **err) {
    if (pawl_http_request_check(request, who, err) != PAWL_OK)
        return NULL;
    struct http_transfer *t = new_transfer(loop, who, done, user);
    if (t) {
        t->ctx = ctx;
        t->method = pawl_http_observe_start(ctx, request);
        t->most_bytes = pawl_option(request->max_response_bytes, PAWL_MIB(64));
        t->added = pawl_http_request_copy(&t->request, t->easy, ctx, request) && set_behaviour(t, request) &&
                   pawl_http_loop_add(t->http, t->easy);
        if (t->added)
            return t;
    }
    pawl_http_transfer_free(t);
    no_memory(err, who);
    return NULL;
}
