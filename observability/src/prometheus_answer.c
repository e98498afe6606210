/* What the endpoint answers. */
#include "otlp_exporter_internal.h"
#include "prometheus_server.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct page {
    char *bytes;
    size_t length;
};

/* ---- what was asked ---- */

static enum MHD_Result read_header(void *user, enum MHD_ValueKind kind, const char *name, const char *value) {
    (void)kind;
    if (value && strcasecmp(name, "Accept") == 0)
        pawl_prom_accept_read(user, value);
    return MHD_YES;
}

static pawl_metrics_format asked_format(struct MHD_Connection *connection) {
    struct pawl_prom_accept accept = {.count = 0};
    MHD_get_connection_values(connection, MHD_HEADER_KIND, read_header, &accept);
    return pawl_prom_accept_choose(&accept);
}

static bool asked_gzip(struct MHD_Connection *connection) {
    const char *header = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Accept-Encoding");
    return header && pawl_prom_accepts_gzip(header);
}

/* ---- the page ---- */

static pawl_status keep(void *user, const char *text, size_t length, pawl_error **err) {
    struct page *page = user;
    page->bytes = malloc(length + 1); /* never of no bytes */
    if (!page->bytes)
        return pawl_error_set(err, PAWL_E_NOMEM, "metrics: out of memory for %zu bytes of them", length);
    memcpy(page->bytes, text, length);
    page->length = length;
    return PAWL_OK;
}

/* Compressed if there is memory for it. @return Whether it is. */
static bool compress_page(struct page *page) {
    size_t length;
    char *compressed = pawl_otlp_gzip(page->bytes, page->length, &length);
    if (!compressed)
        return false;
    free(page->bytes);
    page->bytes = compressed;
    page->length = length;
    return true;
}

/* ---- answers ---- */

static enum MHD_Result send_answer(struct MHD_Connection *connection, unsigned status, struct MHD_Response *response) {
    if (!response)
        return MHD_NO;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    enum MHD_Result queued = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return queued;
}

/* @param text Static. @param allow NULL for no Allow header. */
static enum MHD_Result refuse(struct MHD_Connection *connection, unsigned status, const char *text, const char *allow) {
    struct MHD_Response *response = MHD_create_response_from_buffer(strlen(text), (void *)text, MHD_RESPMEM_PERSISTENT);
    if (response) {
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "text/plain; charset=utf-8");
        if (allow)
            MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, allow);
    }
    return send_answer(connection, status, response);
}

static enum MHD_Result answer_metrics(struct pawl_metrics_listener *listener, struct MHD_Connection *connection) {
    struct page page = {NULL, 0};
    pawl_metrics_format format = asked_format(connection);
    if (pawl_metrics_write(listener->metrics, listener->resource, format, keep, &page, NULL) != PAWL_OK)
        return refuse(connection, MHD_HTTP_SERVICE_UNAVAILABLE, "The metrics could not be read; out of memory?\n",
                      NULL);
    bool is_gzip = asked_gzip(connection) && compress_page(&page);
    struct MHD_Response *response = MHD_create_response_from_buffer(page.length, page.bytes, MHD_RESPMEM_MUST_FREE);
    if (!response) {
        free(page.bytes);
        return MHD_NO;
    }
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, pawl_metrics_content_type(format));
    MHD_add_response_header(response, MHD_HTTP_HEADER_VARY, "Accept, Accept-Encoding");
    if (is_gzip)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip");
    return send_answer(connection, MHD_HTTP_OK, response);
}

enum MHD_Result pawl_prom_answer(void *listener, struct MHD_Connection *connection, const char *url, const char *method,
                                 const char *version, const char *upload, size_t *upload_bytes, void **request) {
    (void)version, (void)upload, (void)upload_bytes, (void)request;
    if (strcmp(url, "/metrics") != 0)
        return refuse(connection, MHD_HTTP_NOT_FOUND, "Nothing here; the metrics are at /metrics.\n", NULL);
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
        return refuse(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "Metrics can only be read: use GET.\n", "GET, HEAD");
    return answer_metrics(listener, connection);
}
