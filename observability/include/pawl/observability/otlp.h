/** @file pawl/observability/otlp.h  @brief Sends telemetry to an OpenTelemetry collector: OTLP over HTTP.
 *
 * A request is one POST of spans, metrics or log records. A collector that asks for patience (429, 502, 503, 504, a
 * connection refused, reset or closed) is asked again: after what its Retry-After says, else after 1 s, 1.5 s, 2.25 s,
 * ... at most 5 s, each 20 % more or less, at most 5 tries, and never past the time-out. Every other answer is final.
 * What is lost is counted, and told to on_error at most once a second; nothing is ever printed.
 *
 * The exporter makes its exchanges on a runtime of its own, which nobody observes. It blocks; called inside a leaf or a
 * callback of pawl, as by a tracer with `simple`, it does its work on a thread made for it. In a forked child it starts
 * afresh by itself.
 * Source: OTLP specification 1.11.0.
 */
#ifndef PAWL_OBSERVABILITY_OTLP_H
#define PAWL_OBSERVABILITY_OTLP_H

#include <pawl/http.h>
#include <pawl/observability/export.h>

PAWL_BEGIN_DECLS

typedef enum pawl_otlp_protocol {
    PAWL_OTLP_PROTOBUF = 0,
    PAWL_OTLP_JSON,
} pawl_otlp_protocol;

typedef struct pawl_otlp_options {
    size_t size;          /**< sizeof(pawl_otlp_options); set by the macro. */
    const char *endpoint; /**< Base URL, to which v1/traces, v1/metrics and v1/logs are added. Default
                             http://localhost:4318. Here and below "" is the same as NULL. */
    const char *traces_endpoint, *metrics_endpoint, *logs_endpoint; /**< Used as they are, instead of the base. */
    uint64_t protocol;                                              /**< pawl_otlp_protocol. Default protobuf. */
    uint64_t gzip;                                                  /**< Not 0: requests are compressed. */
    const pawl_http_header *headers; /**< Sent with every request, e.g. an API key; never shown. Not Content-Type or
                                        Content-Encoding. */
    uint64_t header_count;           /**< At most 64. */
    uint64_t timeout_ns;        /**< Of one export with all its tries. Default 10 s; PAWL_UNLIMITED: the caller's. */
    uint64_t max_request_bytes; /**< Before compression. Default 16 MiB, which collectors take; at most 64 MiB. A larger
                                   batch goes in halves; a single item that is larger is dropped. */
    const char *ca_file;        /**< PEM: trusted instead of the system's certificates. NULL: the system's. */
    const char *client_cert_file, *client_key_file; /**< PEM. NULL: none. */
    void (*on_error)(void *user, const char *text); /**< Data was lost, or the collector warns. On the thread that
                                                       exports; at most once a second. NULL: not told. */
    void *user;                                     /**< Borrowed, must outlive the exporter. */
} pawl_otlp_options;

/** `pawl_otlp_exporter_with(&err, .endpoint = "https://collector.example.org")` */
#define pawl_otlp_exporter_with(...) PAWL_OTLP_EXPORTER_(__VA_ARGS__, .size = sizeof(pawl_otlp_options))
#define PAWL_OTLP_EXPORTER_(err, ...) pawl_otlp_exporter_new(&(pawl_otlp_options){__VA_ARGS__}, err)

/**
 * Nothing is sent, and no connection made, before the first export.
 * @param options  Copied. NULL for the defaults.
 * @return New reference, or NULL: PAWL_E_INVALID (a URL that is no http:// or https://, a header that cannot be sent,
 * an unknown protocol), PAWL_E_LIMIT (too many headers), PAWL_E_NOMEM.
 *
 * An export's errors: PAWL_E_EXHAUSTED and PAWL_E_DEADLINE (the last failure is the cause), PAWL_E_CANCELLED,
 * PAWL_E_LIMIT (an item, or a reply over 4 MiB), PAWL_E_DENIED, PAWL_E_NOT_FOUND, PAWL_E_INVALID, PAWL_E_PROTOCOL (the
 * reply is no OTLP), PAWL_E_UNSUPPORTED, PAWL_E_NOMEM.
 */
PAWL_API PAWL_NODISCARD pawl_exporter *pawl_otlp_exporter_new(const pawl_otlp_options *options, pawl_error **err);

/** Items are spans, data points or log records. Each item ends in one of sent, rejected and the dropped ones. */
typedef struct pawl_otlp_counts {
    uint64_t requests;            /**< Sent, tries included. */
    uint64_t retries;             /**< Tries after the first one. */
    uint64_t sent;                /**< Items that were accepted. */
    uint64_t rejected;            /**< Items a collector refused of a request it accepted (partial success). */
    uint64_t dropped_too_large;   /**< Over max_request_bytes, or without memory to write it. */
    uint64_t dropped_refused;     /**< The collector said no for good, or spoke nonsense. */
    uint64_t dropped_unavailable; /**< No tries or no time left. */
    uint64_t dropped_cancelled;
} pawl_otlp_counts;

typedef struct pawl_otlp_stats {
    size_t size; /**< sizeof(pawl_otlp_stats); set by the caller. */
    pawl_otlp_counts traces, metrics, logs;
} pawl_otlp_stats;

/** @param exporter Made by pawl_otlp_exporter_new(), else PAWL_E_INVALID. @param ret_stats Its size is read, its other
 * fields are set. Any thread. */
PAWL_API pawl_status pawl_otlp_exporter_get_stats(const pawl_exporter *exporter, pawl_otlp_stats *ret_stats,
                                                  pawl_error **err);

PAWL_END_DECLS
#endif
