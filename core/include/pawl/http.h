/** @file pawl/http.h  @brief HTTP for nodes: an asynchronous client on the loops (libcurl multi) and a drop-in for
 * curl_easy_perform().
 *
 * Connections are kept per loop and bounded. HTTP/2 is multiplexed. Redirects are not followed; TLS certificates are
 * verified.
 */
#ifndef PAWL_HTTP_H
#define PAWL_HTTP_H

#include <pawl/context.h>
#include <pawl/primitive.h>

PAWL_BEGIN_DECLS

typedef struct pawl_http_header {
    const char *name;
    const char *value;
} pawl_http_header;

/** Everything is copied when the request starts. */
typedef struct pawl_http_request {
    size_t size;                     /**< sizeof(pawl_http_request). */
    const char *method;              /**< NULL: GET, or POST when there is a body. */
    const char *url;                 /**< http:// or https://. Required. */
    const pawl_http_header *headers; /**< header_count of them; CR and LF are refused (PAWL_E_INVALID). */
    uint64_t header_count;
    const void *body;
    uint64_t body_bytes;
    uint64_t max_response_bytes; /**< Default 64 MiB; PAWL_E_LIMIT beyond. */
    uint64_t connect_timeout_ns; /**< Default 10 s. */
    uint64_t timeout_ns;         /**< Of the whole exchange. Default 60 s; the scope's deadline shortens it. */
    uint64_t no_trace_headers;   /**< Not 0: traceparent and tracestate are left out. */
} pawl_http_request;

/** Borrowed, valid only during the callback. */
typedef struct pawl_http_response {
    size_t size;
    uint64_t status;                 /**< HTTP status. */
    const pawl_http_header *headers; /**< In order, names in lower case. */
    uint64_t header_count;
    const void *body;
    uint64_t body_bytes;
    uint64_t retry_after_ns;                      /**< From Retry-After (seconds or date), 0 for none; rounded up. */
    uint64_t connect_ns, first_byte_ns, total_ns; /**< Since the start. */
} pawl_http_response;

/**
 * Turns a response into the node's outcome, on the loop's thread; must not block.
 * Same contract as a leaf's work. NULL: a 2xx gives {"status", "headers", "body"} (body as text, "body_base64" when it
 * is no UTF-8), anything else an error whose status and class follow the HTTP status (408, 425, 429, 500, 502, 503, 504
 * retryable; 401 and 403 denied; 404 not found).
 */
typedef pawl_status (*pawl_http_map)(void *user, const pawl_http_response *response, pawl_value **ret_out,
                                     pawl_error **err);
/** Fills in the request for one run, on the loop's thread, from the node's input. What it points to must live until the
 * node ends or be part of the input. */
typedef pawl_status (*pawl_http_prepare)(void *user, pawl_context *ctx, pawl_value *in, pawl_http_request *request,
                                         pawl_error **err);

/**
 * An asynchronous leaf that makes one HTTP exchange; costs no thread.
 * @param prepare  NULL: the input is {"url", "method", "headers": {}, "body"}.
 * @param user     Borrowed, must outlive the node.
 * A run's errors: PAWL_E_UNAVAILABLE (name, connection, TLS set-up, lost), PAWL_E_TIMEOUT (its own limits),
 * PAWL_E_LIMIT, PAWL_E_INVALID, PAWL_E_PROTOCOL, PAWL_E_CANCELLED, PAWL_E_DEADLINE, and what map says.
 */
PAWL_API PAWL_NODISCARD pawl_primitive *pawl_http_new(const char *name, pawl_http_prepare prepare, pawl_http_map map,
                                                      void *user);

/**
 * curl_easy_perform() that ends within a millisecond of a cancel and obeys the deadline; for blocking leaves.
 * @param easy        A CURL *; borrowed; not in use by a multi handle.
 * @param ret_result  The CURLcode; may be NULL.
 * @return PAWL_OK when the transfer ended by itself with CURLE_OK, PAWL_E_UNAVAILABLE and others for its failures,
 * PAWL_E_CANCELLED, PAWL_E_DEADLINE.
 */
PAWL_API pawl_status pawl_context_curl_perform(pawl_context *ctx, void *easy, int *ret_result, pawl_error **err);

PAWL_END_DECLS
#endif
