/** @file pawl/http.h  @brief HTTP for nodes: an asynchronous client on the loops (libcurl multi) and a drop-in for
 * curl_easy_perform().
 *
 * Connections are kept per loop and bounded: at most 2,048, of which at most 256 idle once nothing is live. HTTP/2 is
 * multiplexed. Redirects are not followed, TLS certificates are verified, there are no cookies, and libcurl's
 * environment variables for proxies count. Exchanges take real time, also in a runtime with virtual time.
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

/** The context's headers that HTTP nodes send along; also those into a sandboxed program's environment. */
enum {
    PAWL_PROPAGATE_TRACE = 1,  /**< traceparent and tracestate, unless the request has its own traceparent. */
    PAWL_PROPAGATE_BAGGAGE = 2 /**< baggage, unless the request has its own. To HTTP servers alone. */
};
/**
 * Decides what every HTTP node of a runtime sends. The default is PAWL_PROPAGATE_TRACE: baggage may be meant for
 * friends and a request go to strangers. Any thread; requests that start later follow it.
 * @param what  Of the flags above, or 0 for nothing. Others are ignored.
 */
PAWL_API void pawl_runtime_set_propagation(pawl_runtime *runtime, uint32_t what);

/** Everything is copied when the request starts. */
typedef struct pawl_http_request {
    size_t size;                     /**< sizeof(pawl_http_request). */
    const char *method;              /**< NULL: GET, or POST when there is a body. */
    const char *url;                 /**< http:// or https://, at most 65,535 bytes. Required. */
    const pawl_http_header *headers; /**< header_count of them. A name that is no token, a value with CR, LF or another
                                        control character, Content-Length and Transfer-Encoding are PAWL_E_INVALID. */
    uint64_t header_count;
    const void *body; /**< Sent as it is, without a Content-Type unless headers has one. */
    uint64_t body_bytes;
    uint64_t max_response_bytes; /**< Of the body. Default 64 MiB, PAWL_ZERO for none; PAWL_E_LIMIT beyond. Headers:
                                    256, 256 KiB in all. */
    uint64_t connect_timeout_ns; /**< Name and connection. Default 10 s; in whole milliseconds, rounded up, and between
                                    1 ms (also for PAWL_ZERO) and a day (also for PAWL_UNLIMITED). */
    uint64_t timeout_ns; /**< Of the whole exchange. Default 60 s; as connect_timeout_ns. The scope's deadline shortens
                            it. */
    uint64_t no_trace_headers; /**< Not 0: none of the context's headers is sent; see pawl_runtime_set_propagation(). */
    void (*release)(
        void *release_user); /**< Optional; set by prepare. Called once when all is copied, or on failure. */
    void *release_user;
    const char *ca_file; /**< PEM: whom to trust instead of the system's certificates. NULL: the system's. */
    const char *client_cert_file, *client_key_file; /**< PEM: who we are. NULL: nobody; one file may hold both. */
} pawl_http_request;

/** Borrowed, valid only during the callback. */
typedef struct pawl_http_response {
    size_t size;
    uint64_t status;                 /**< HTTP status. */
    const pawl_http_header *headers; /**< In order, names in lower case; of the final response, trailers included. */
    uint64_t header_count;
    const void *body; /**< Never NULL; a NUL follows that is not counted. */
    uint64_t body_bytes;
    uint64_t retry_after_ns; /**< From Retry-After (seconds or date), 0 for none; rounded up, saturating. */
    uint64_t connect_ns, first_byte_ns, total_ns; /**< Since the start. */
} pawl_http_response;

/**
 * Turns a response into the node's outcome, on the loop's thread; must not block.
 * Same contract as a leaf's work. NULL: a 2xx gives {"status", "headers", "body"} (headers of one name joined with
 * ", "; body as text, "body_base64" instead when it is no UTF-8 or has a NUL in it), anything else an error that quotes
 * the body's first line and carries Retry-After. Its status and class follow the HTTP status: 429 rate limited; 408,
 * 425, 500, 502, 503 and 504 unavailable; 401, 403 and 407 denied; 404 and 410 not found; 413 limit; other 5xx
 * unsupported; the rest invalid.
 */
typedef pawl_status (*pawl_http_map)(void *user, const pawl_http_response *response, pawl_value **ret_out,
                                     pawl_error **err);
/** Fills in the request for one run, on the loop's thread, from the node's input; must not block. Everything is zero at
 * first, but for size. What it points to is part of the input or lives until release is called.
 * @return PAWL_OK, or why the run fails. */
typedef pawl_status (*pawl_http_prepare)(void *user, pawl_context *ctx, pawl_value *in, pawl_http_request *request,
                                         pawl_error **err);

/**
 * An asynchronous leaf that makes one HTTP exchange; costs no thread.
 * @param prepare  NULL: the input is {"url", "method", "headers": {}, "body"}.
 * @param map      NULL: as said at pawl_http_map.
 * @param user     Borrowed, must outlive the node.
 * @return New reference, never NULL.
 *
 * A run's errors: PAWL_E_UNAVAILABLE (name, connection, TLS set-up, lost), PAWL_E_DENIED (a certificate that is not
 * trusted), PAWL_E_TIMEOUT (its own limits), PAWL_E_LIMIT, PAWL_E_INVALID, PAWL_E_PROTOCOL (no HTTP), PAWL_E_NOMEM,
 * PAWL_E_CANCELLED, PAWL_E_DEADLINE, and what prepare and map say. Started is "no" when nothing was sent or the server
 * refused. A cancel closes the connection at once.
 */
PAWL_API PAWL_NODISCARD pawl_primitive *pawl_http_new(const char *name, pawl_http_prepare prepare, pawl_http_map map,
                                                      void *user);

/**
 * curl_easy_perform() that ends within a millisecond of a cancel and obeys the deadline; for blocking leaves. Its
 * connections stay with the runtime for the next one. It has a client span of its own, named by its method; headers are
 * the handle's own business.
 * @param easy        A CURL *; borrowed; not in use by a multi handle (PAWL_E_INVALID). CURLOPT_NOSIGNAL and
 * CURLOPT_QUICK_EXIT are set on it.
 * @param ret_result  The CURLcode when the transfer ended by itself; may be NULL.
 * @return PAWL_OK when it ended with CURLE_OK. Its failures are errors as of pawl_http_new(), with CURLOPT_FAILONERROR
 * also by HTTP status, and PAWL_E_FAILED when a callback ended it. PAWL_E_CANCELLED, PAWL_E_DEADLINE. PAWL_E_INVALID in
 * an inline leaf or on a loop's thread.
 */
PAWL_API pawl_status pawl_context_curl_perform(pawl_context *ctx, void *easy, int *ret_result, pawl_error **err);

PAWL_END_DECLS
#endif
