/* What spans and metrics say of an exchange: OpenTelemetry's semantic conventions for HTTP clients (stable). */
#include "http_internal.h"
#include "primitive_internal.h"
#include <pawl/observer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- url.full without what is secret ---- */

/* Of the conventions' list, and what it leaves to judgement: parameters that sign a request. */
static bool is_signature(const char *name, size_t length) {
    static const char *const names[] = {"AWSAccessKeyId", "Signature", "sig", "X-Goog-Signature", "X-Amz-Signature"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strlen(names[i]) == length && strncasecmp(names[i], name, length) == 0)
            return true;
    return false;
}

/* A new query with the values of such parameters replaced; NULL without memory. */
static char *clean_query(const char *query) {
    static const char hidden[] = "REDACTED";
    char *clean = malloc(strlen(query) * sizeof hidden + 1), *at = clean; /* "a=" may become "a=REDACTED" */
    while (clean && *query) {
        size_t length = strcspn(query, "&"), name = strcspn(query, "=&");
        bool hide = name < length && is_signature(query, name);
        size_t kept = hide ? name + 1 : length;
        memcpy(at, query, kept);
        at += kept;
        if (hide)
            at = stpcpy(at, hidden);
        query += length;
        if (*query)
            *at++ = *query++;
    }
    if (clean)
        *at = '\0';
    return clean;
}

static void hide(CURLU *url, CURLUPart part) {
    char *text = NULL;
    if (curl_url_get(url, part, &text, 0) == CURLUE_OK)
        curl_url_set(url, part, "REDACTED", 0);
    curl_free(text);
}

static void hide_query(CURLU *url) {
    char *query = NULL, *clean = NULL;
    if (curl_url_get(url, CURLUPART_QUERY, &query, 0) == CURLUE_OK && (clean = clean_query(query)))
        curl_url_set(url, CURLUPART_QUERY, clean, 0);
    free(clean);
    curl_free(query);
}

static void set_part(pawl_span *span, CURLU *url, CURLUPart part, const char *key) {
    char *text = NULL;
    if (curl_url_get(url, part, &text, CURLU_DEFAULT_PORT) != CURLUE_OK)
        return;
    if (part == CURLUPART_PORT)
        pawl_span_set_int(span, key, strtol(text, NULL, 10));
    else
        pawl_span_set_string(span, key, text);
    curl_free(text);
}

static void set_url(pawl_span *span, const char *text) {
    CURLU *url = curl_url();
    if (url && curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK) {
        set_part(span, url, CURLUPART_HOST, "server.address");
        set_part(span, url, CURLUPART_PORT, "server.port");
        hide(url, CURLUPART_USER);
        hide(url, CURLUPART_PASSWORD);
        hide_query(url);
        char *full = NULL;
        if (curl_url_get(url, CURLUPART_URL, &full, 0) == CURLUE_OK)
            pawl_span_set_string(span, "url.full", full);
        curl_free(full);
    }
    curl_url_cleanup(url);
}

/* ---- the span ---- */

static const char *known_method(const char *method) {
    static const char *const methods[] = {"GET",     "HEAD",    "POST",  "PUT",  "DELETE",
                                          "CONNECT", "OPTIONS", "TRACE", "PATCH"};
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (strcmp(methods[i], method) == 0)
            return methods[i];
    return "_OTHER";
}

/* A retry above marks its child with the attempt. */
static void set_resend_count(pawl_span *span) {
    for (uint32_t i = 0; i < span->attribute_count; i++) {
        const pawl_attribute *a = &span->attributes[i];
        if (a->type == PAWL_ATTRIBUTE_INT && strcmp(a->key, "pawl.attempt") == 0 && a->value.integer > 1) {
            pawl_span_set_int(span, "http.request.resend_count", a->value.integer - 1);
            return;
        }
    }
}

static const char *describe_request(pawl_span *span, const char *method, const char *url) {
    const char *known = known_method(method);
    if (!span)
        return known;
    pawl_span_set_kind(span, PAWL_SPAN_CLIENT);
    pawl_span_set_string(span, "http.request.method", known);
    if (strcmp(known, method) != 0)
        pawl_span_set_string(span, "http.request.method_original", method);
    set_url(span, url);
    set_resend_count(span);
    return known;
}

const char *pawl_http_observe_start(pawl_context *ctx, const pawl_http_request *request) {
    const char *method = request->method ? request->method : request->body_bytes ? "POST" : "GET";
    return describe_request(pawl_context_span_of(ctx), method, request->url);
}

static const char *protocol_version(CURL *easy) {
    long version = CURL_HTTP_VERSION_NONE;
    curl_easy_getinfo(easy, CURLINFO_HTTP_VERSION, &version);
    switch (version) {
    case CURL_HTTP_VERSION_1_0:
        return "1.0";
    case CURL_HTTP_VERSION_1_1:
        return "1.1";
    case CURL_HTTP_VERSION_2_0:
        return "2";
    case CURL_HTTP_VERSION_3:
        return "3";
    default:
        return NULL;
    }
}

/* "" for an exchange that went well. */
static void find_error_type(long code, const pawl_error *error, char type[24]) {
    if (code >= 400)
        snprintf(type, 24, "%ld", code);
    else
        snprintf(type, 24, "%s", error ? pawl_status_word(pawl_error_status(error)) : "");
}

static void describe_end(pawl_span *span, CURL *easy, long code, const char *error_type) {
    char *peer = NULL;
    long port = 0;
    const char *version = protocol_version(easy);
    if (code)
        pawl_span_set_int(span, "http.response.status_code", code);
    if (version)
        pawl_span_set_string(span, "network.protocol.version", version);
    if (curl_easy_getinfo(easy, CURLINFO_PRIMARY_IP, &peer) == CURLE_OK && peer && *peer) {
        pawl_span_set_string(span, "network.peer.address", peer);
        curl_easy_getinfo(easy, CURLINFO_PRIMARY_PORT, &port);
        pawl_span_set_int(span, "network.peer.port", port);
    }
    if (*error_type)
        pawl_span_set_string(span, "error.type", error_type);
}

/* ---- the metric ---- */

static const double duration_bounds[] = {0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10};
static const pawl_instrument duration = {.size = sizeof duration,
                                         .name = "http.client.request.duration",
                                         .unit = "s",
                                         .description = "Duration of HTTP client requests.",
                                         .kind = PAWL_HISTOGRAM,
                                         .bounds = duration_bounds,
                                         .bound_count = sizeof duration_bounds / sizeof *duration_bounds};

/* The server's address is no attribute: a sandbox has a host name of its own. */
static void measure(pawl_context *ctx, CURL *easy, const char *method, long code, const char *error_type) {
    pawl_attribute attributes[3] = {pawl_attribute_string("http.request.method", method)};
    size_t count = 1;
    curl_off_t us = 0;
    curl_easy_getinfo(easy, CURLINFO_TOTAL_TIME_T, &us);
    if (code)
        attributes[count++] = pawl_attribute_int("http.response.status_code", code);
    if (*error_type)
        attributes[count++] = pawl_attribute_string("error.type", error_type);
    pawl_context_measure(ctx, &duration, (double)us / 1e6, attributes, count);
}

static bool nobody_listens(const pawl_context *ctx) {
    return !pawl_context_is_observed(ctx) && !ctx->root->runtime->measurers;
}

static void observe_end(pawl_context *ctx, pawl_span *span, CURL *easy, const char *method, const pawl_error *error) {
    long code = 0;
    char error_type[24];
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &code);
    find_error_type(code, error, error_type);
    if (span)
        describe_end(span, easy, code, error_type);
    measure(ctx, easy, method, code, error_type);
}

void pawl_http_observe_end(pawl_context *ctx, CURL *easy, const char *method, const pawl_error *error) {
    if (!nobody_listens(ctx))
        observe_end(ctx, pawl_context_span_of(ctx), easy, method, error);
}

/* ---- a handle of the user's: what it did is known when it has ended ---- */

void pawl_http_observe_open(pawl_context *ctx, pawl_span *span) {
    if (pawl_context_is_observed(ctx))
        pawl_span_open(ctx, span, "HTTP");
}

void pawl_http_observe_close(pawl_context *ctx, pawl_span *span, CURL *easy, pawl_status status,
                             const pawl_error *error) {
    if (nobody_listens(ctx))
        return;
    pawl_span *open = pawl_context_is_observed(ctx) ? span : NULL;
    const char *method = NULL, *url = NULL;
    curl_easy_getinfo(easy, CURLINFO_EFFECTIVE_METHOD, &method);
    curl_easy_getinfo(easy, CURLINFO_EFFECTIVE_URL, &url);
    method = describe_request(open, method ? method : "GET", url ? url : "");
    observe_end(ctx, open, easy, method, error);
    if (open) {
        open->name = method;
        pawl_span_close(ctx, open, status, error);
    }
}
