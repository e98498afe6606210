/* A request, checked and copied into a libcurl handle. */
#include "http_internal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define URL_BYTES 65536

static bool has_header(const pawl_http_request *r, const char *name) {
    for (uint64_t i = 0; i < r->header_count; i++)
        if (strcasecmp(r->headers[i].name, name) == 0)
            return true;
    return false;
}

/* RFC 9110 section 5.6.2. */
static bool is_token(const char *text) {
    size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-.^_`|~");
    return length > 0 && text[length] == '\0';
}

static bool has_control(const char *text) {
    for (; *text; text++)
        if (((unsigned char)*text < ' ' && *text != '\t') || *text == 0x7f)
            return true;
    return false;
}

static pawl_status check_header(const pawl_http_header *h, const char *who, pawl_error **err) {
    if (!h->name || !h->value || !is_token(h->name))
        return pawl_error_set(err, PAWL_E_INVALID, "%s: '%s' is no header name, or its value is NULL", who,
                              h->name ? h->name : "NULL");
    if (has_control(h->value))
        return pawl_error_set(err, PAWL_E_INVALID,
                              "%s: the value of header '%s' has a line end or another control character in it", who,
                              h->name);
    if (strcasecmp(h->name, "content-length") == 0 || strcasecmp(h->name, "transfer-encoding") == 0)
        return pawl_error_set(err, PAWL_E_INVALID, "%s: header '%s' follows from the body; leave it out", who, h->name);
    return PAWL_OK;
}

static bool is_url(const char *url) {
    size_t scheme = strncasecmp(url, "http://", 7) == 0 ? 7 : strncasecmp(url, "https://", 8) == 0 ? 8 : 0;
    return scheme > 0 && url[scheme] != '/'; /* libcurl would take what follows for the host */
}

pawl_status pawl_http_request_check(const pawl_http_request *r, const char *who, pawl_error **err) {
    if (!r->url || !is_url(r->url))
        return pawl_error_set(err, PAWL_E_INVALID,
                              "%s: the url is '%.100s'; it must be http://host... or https://host...", who,
                              r->url ? r->url : "");
    if (strnlen(r->url, URL_BYTES) == URL_BYTES)
        return pawl_error_set(err, PAWL_E_LIMIT, "%s: the url is longer than %d bytes", who, URL_BYTES - 1);
    if (r->method && !is_token(r->method))
        return pawl_error_set(err, PAWL_E_INVALID, "%s: '%.50s' is no method", who, r->method);
    if ((r->body_bytes > 0 && !r->body) || (r->header_count > 0 && !r->headers))
        return pawl_error_set(err, PAWL_E_INVALID, "%s: the request counts a body or headers that are NULL", who);
    for (uint64_t i = 0; i < r->header_count; i++) {
        pawl_status status = check_header(&r->headers[i], who, err);
        if (status != PAWL_OK)
            return status;
    }
    return PAWL_OK;
}

static bool add_line(struct http_copy *copy, const char *line) {
    struct curl_slist *more = curl_slist_append(copy->headers, line);
    if (more)
        copy->headers = more;
    return more != NULL;
}

static bool add_header(struct http_copy *copy, const char *name, const char *value) {
    bool empty = value[strspn(value, " \t")] == '\0'; /* "name;" is libcurl's way to send an empty one */
    size_t bytes = strlen(name) + strlen(value) + 3;
    char *line = malloc(bytes);
    if (!line)
        return false;
    snprintf(line, bytes, empty ? "%s;" : "%s: %s", name, value);
    bool added = add_line(copy, line);
    free(line);
    return added;
}

/* Two of them would count as none. */
static bool add_trace_headers(struct http_copy *copy, pawl_context *ctx, const pawl_http_request *r) {
    char traceparent[PAWL_TRACEPARENT_BYTES];
    const char *tracestate = pawl_context_tracestate(ctx);
    if (has_header(r, "traceparent"))
        return true;
    pawl_context_traceparent(ctx, traceparent);
    return add_header(copy, "traceparent", traceparent) &&
           (!*tracestate || has_header(r, "tracestate") || add_header(copy, "tracestate", tracestate));
}

static bool add_baggage(struct http_copy *copy, pawl_context *ctx, const pawl_http_request *r) {
    if (has_header(r, "baggage"))
        return true;
    char *baggage = pawl_context_baggage_header(ctx);
    bool added = baggage && (!*baggage || add_header(copy, "baggage", baggage));
    free(baggage);
    return added;
}

static bool add_context_headers(struct http_copy *copy, pawl_context *ctx, const pawl_http_request *r) {
    uint32_t what = r->no_trace_headers ? 0 : atomic_load(&ctx->root->runtime->propagation);
    return (!(what & PAWL_PROPAGATE_TRACE) || add_trace_headers(copy, ctx, r)) &&
           (!(what & PAWL_PROPAGATE_BAGGAGE) || add_baggage(copy, ctx, r));
}

static bool add_headers(struct http_copy *copy, pawl_context *ctx, const pawl_http_request *r) {
    bool added = add_line(copy, "Expect:"); /* no wait for 100-continue */
    if (added && !has_header(r, "content-type"))
        added = add_line(copy, "Content-Type:"); /* not the one of a form */
    for (uint64_t i = 0; added && i < r->header_count; i++)
        added = add_header(copy, r->headers[i].name, r->headers[i].value);
    return added && add_context_headers(copy, ctx, r);
}

static long to_ms(uint64_t ns) {
    uint64_t ms = ns / PAWL_MS(1) + (ns % PAWL_MS(1) != 0);
    return ms > 86400000 ? 86400000L : ms ? (long)ms : 1L;
}

#define SET(option, value) (set = set && curl_easy_setopt(easy, option, value) == CURLE_OK)

/* A body that may not be missing is sent empty (RFC 9110 section 8.6: Content-Length: 0). */
static bool has_body(const pawl_http_request *r) {
    return r->body_bytes > 0 || (r->method && (strcmp(r->method, "POST") == 0 || strcmp(r->method, "PUT") == 0 ||
                                               strcmp(r->method, "PATCH") == 0));
}

bool pawl_http_request_copy(struct http_copy *copy, CURL *easy, pawl_context *ctx, const pawl_http_request *r) {
    bool set = add_headers(copy, ctx, r);
    if (has_body(r)) {
        copy->body = malloc(r->body_bytes ? r->body_bytes : 1);
        if (!copy->body)
            return false;
        if (r->body_bytes)
            memcpy(copy->body, r->body, r->body_bytes);
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body_bytes);
        SET(CURLOPT_POSTFIELDS, copy->body);
    }
    if (r->method && strcmp(r->method, "HEAD") == 0)
        SET(CURLOPT_NOBODY, 1L);
    else if (r->method)
        SET(CURLOPT_CUSTOMREQUEST, r->method);
    SET(CURLOPT_URL, r->url);
    SET(CURLOPT_HTTPHEADER, copy->headers);
    if (r->ca_file)
        SET(CURLOPT_CAINFO, r->ca_file);
    if (r->client_cert_file)
        SET(CURLOPT_SSLCERT, r->client_cert_file);
    if (r->client_key_file || r->client_cert_file)
        SET(CURLOPT_SSLKEY, r->client_key_file ? r->client_key_file : r->client_cert_file);
    SET(CURLOPT_CONNECTTIMEOUT_MS, to_ms(pawl_option(r->connect_timeout_ns, PAWL_S(10))));
    SET(CURLOPT_TIMEOUT_MS, to_ms(pawl_option(r->timeout_ns, PAWL_S(60))));
    return set;
}

void pawl_http_copy_free(struct http_copy *copy) {
    curl_slist_free_all(copy->headers);
    free(copy->body);
}
