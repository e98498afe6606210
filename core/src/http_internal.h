/* HTTP's shared parts: what http_curl.c (transfers on a loop), http.c (the node) and http_perform.c (blocking) have in
 * common. */
#ifndef PAWL_HTTP_INTERNAL_H
#define PAWL_HTTP_INTERNAL_H

#include "engine_internal.h"
#include <curl/curl.h>
#include <pawl/http.h>

/* A transfer's end: response valid during the call, or curl's result when it is not CURLE_OK. On the loop's thread. */
struct http_transfer;
typedef void (*http_done)(void *user, CURLcode result, const pawl_http_response *response, bool too_large,
                          const char *detail);

/* Starts a request on the loop this thread drives; the request is copied. NULL with err set when it cannot start. */
struct http_transfer *pawl_http_transfer_start(struct loop *loop, pawl_context *ctx, const pawl_http_request *request,
                                               http_done done, void *user, pawl_error **err);
/* Ends a transfer before its time (done is not called) or lets go of one that is done. */
void pawl_http_transfer_free(struct http_transfer *transfer);

/* The pawl_error of a failed transfer. Returns its status. */
pawl_status pawl_http_curl_error(pawl_error **err, const char *who, CURLcode result, bool too_large,
                                 const char *detail);
/* Retry-After in seconds or as a date (RFC 9110 section 10.2.3), rounded up; 0 for none or nonsense. */
uint64_t pawl_http_retry_after(const char *text);
bool pawl_http_ready(void); /* libcurl is set up */

#endif
