/* HTTP's shared parts: http_curl.c (libcurl on a loop), http_request.c and http_transfer.c (one exchange),
 * http_error.c (what failures and answers mean), http_observe.c (what spans say of it), http.c (the node) and
 * http_perform.c (blocking). */
#ifndef PAWL_HTTP_INTERNAL_H
#define PAWL_HTTP_INTERNAL_H

#include "engine_internal.h"
#include <curl/curl.h>
#include <pawl/http.h>

/* ---- http_curl.c ---- */

bool pawl_http_ready(void); /* libcurl is set up; any thread */
/* The loop's part, made at the first need; NULL without memory. All of it on the thread that drives the loop. */
struct pawl_http_loop *pawl_http_loop_of(struct loop *loop);
CURL *pawl_http_loop_take(struct pawl_http_loop *http); /* a handle with nothing set; NULL without memory */
void pawl_http_loop_give(struct pawl_http_loop *http, CURL *easy);
bool pawl_http_loop_add(struct pawl_http_loop *http, CURL *easy);
void pawl_http_loop_remove(struct pawl_http_loop *http, CURL *easy);

/* ---- http_request.c ---- */

/* What a libcurl handle borrows of a request. */
struct http_copy {
    struct curl_slist *headers;
    void *body;
};
pawl_status pawl_http_request_check(const pawl_http_request *request, const char *who, pawl_error **err);
/* Sets a checked request in the handle, with the trace's headers; false without memory. Not to be freed before it. */
bool pawl_http_request_copy(struct http_copy *copy, CURL *easy, pawl_context *ctx, const pawl_http_request *request);
void pawl_http_copy_free(struct http_copy *copy);

/* ---- http_transfer.c ---- */

struct http_transfer;
/* A transfer's end, on the loop's thread: a response, valid during the call, or an error, taken. */
typedef void (*http_done)(void *user, const pawl_http_response *response, pawl_error *error);

/* Starts a request on the loop this thread drives; the request is copied, who (for messages) is borrowed until the
 * transfer is freed. NULL with err set when it cannot start; done is never called from inside. */
struct http_transfer *pawl_http_transfer_start(struct loop *loop, pawl_context *ctx, const char *who,
                                               const pawl_http_request *request, http_done done, void *user,
                                               pawl_error **err);
/* Ends a transfer before its time (done is not called) or lets go of one that is done. */
void pawl_http_transfer_free(struct http_transfer *transfer);
/* libcurl has finished with it: tells done. */
void pawl_http_transfer_end(struct http_transfer *transfer, CURLcode result);

/* ---- http_observe.c ---- */

/* Describes the request on ctx's span. Returns its method as metrics know it, static. */
const char *pawl_http_observe_start(pawl_context *ctx, const pawl_http_request *request);
/* Describes how it ended, and measures it. @param error  NULL when there was an answer. */
void pawl_http_observe_end(pawl_context *ctx, CURL *easy, const char *method, const pawl_error *error);

/* The same for a libcurl handle of the user's, which gets a span of its own beneath ctx's. */
void pawl_http_observe_open(pawl_context *ctx, pawl_span *span);
void pawl_http_observe_close(pawl_context *ctx, pawl_span *span, CURL *easy, pawl_status status,
                             const pawl_error *error);

/* ---- http_error.c ---- */

/* The pawl_error of a transfer that failed. @param detail  libcurl's words, NULL or "" for none. Returns its status. */
pawl_status pawl_http_curl_error(pawl_error **err, const char *who, CURL *easy, CURLcode result, const char *detail);
/* The pawl_error of an answer that is no 2xx. Returns its status. */
pawl_status pawl_http_answer_error(pawl_error **err, const char *who, const pawl_http_response *response);
/* Retry-After in seconds or as a date (RFC 9110 section 10.2.3), rounded up, saturating; 0 for none or nonsense. */
uint64_t pawl_http_retry_after(const char *text);

#endif
