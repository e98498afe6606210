/** @file pawl/observability/prometheus.h  @brief Metrics as Prometheus reads them: as text, and on a small HTTP
 * endpoint.
 *
 * Names follow OpenTelemetry's rules: what is no letter or digit becomes `_`, the unit is appended as a word ("s":
 * `_seconds`) unless it is among the name's words, counters end with `_total`. An instrument whose name is already
 * taken by an earlier one (`a.b` and `a_b`) gets a number: `a_b_2`. Attributes become labels by the same rule; values
 * of keys that become one label are joined with `;`, series that become one are added up, of gauges the newest counts.
 * A label named `le` or `quantile` is called `exported_le`, `exported_quantile`. What the resource says is on one
 * series, `target_info`. Exponential histograms are written in fixed buckets: powers of two from 61 us to 68 minutes
 * for seconds, powers of four from 0.001 to 10^12 for other units. Delta series are left out.
 */
#ifndef PAWL_OBSERVABILITY_PROMETHEUS_H
#define PAWL_OBSERVABILITY_PROMETHEUS_H

#include <pawl/observability/metrics.h>

PAWL_BEGIN_DECLS

typedef enum pawl_metrics_format {
    PAWL_PROMETHEUS_TEXT = 0, /**< Prometheus text 0.0.4: every version reads it; no exemplars. */
    PAWL_OPENMETRICS          /**< OpenMetrics 1.0: with units and exemplars. */
} pawl_metrics_format;

/**
 * Gets the whole text, in one call.
 * @param text  Borrowed, length bytes of UTF-8; no NUL behind them.
 * @return PAWL_OK, or why it could not be kept; pawl_metrics_write() then returns the same.
 */
typedef pawl_status (*pawl_metrics_write_fn)(void *user, const char *text, size_t length, pawl_error **err);

/** @return Static. Value of a Content-Type header; NULL for a number that is no format. */
PAWL_API const char *pawl_metrics_content_type(pawl_metrics_format format);

/**
 * Collects and writes everything that was measured since the start.
 * @param resource  Borrowed; becomes target_info. NULL for none.
 * @return What write returned, PAWL_E_INVALID (NULL, no such format, a forked child), or PAWL_E_NOMEM, and then nothing
 * was written. Any thread.
 */
PAWL_API pawl_status pawl_metrics_write(pawl_metrics *metrics, pawl_resource *resource, pawl_metrics_format format,
                                        pawl_metrics_write_fn write, void *user, pawl_error **err);

/* ---- The endpoint ---- */

/** Counted. */
typedef struct pawl_metrics_listener pawl_metrics_listener;

typedef struct pawl_metrics_listen_options {
    size_t size;             /**< sizeof(pawl_metrics_listen_options); set by the macro. */
    const char *address;     /**< IPv4 or IPv6 address, or "localhost", which is the default: 127.0.0.1. No name is
                                looked up. */
    uint64_t port;           /**< Default 9464; PAWL_ZERO: any that is free. */
    uint64_t allow_remote;   /**< Not 0: address may be other than loopback. Without it that is refused, since
                                whoever reaches the endpoint reads, without a password and in the clear, what this
                                program runs, how often and how it fails. */
    pawl_resource *resource; /**< Referenced; becomes target_info. NULL for none. */
    pawl_runtime *runtime;   /**< Borrowed; before its first run. When it ends the endpoint is closed; until then it
                                holds a reference. NULL: the last unref closes it. */
} pawl_metrics_listen_options;

/** `pawl_metrics_listen_with(metrics, &err, .port = PAWL_ZERO)` */
#define pawl_metrics_listen_with(metrics, ...)                                                                         \
    PAWL_METRICS_LISTEN_(metrics, __VA_ARGS__, .size = sizeof(pawl_metrics_listen_options))
#define PAWL_METRICS_LISTEN_(metrics, err, ...)                                                                        \
    pawl_metrics_listen(metrics, &(pawl_metrics_listen_options){__VA_ARGS__}, err)

/**
 * Answers `GET /metrics` (and HEAD) in the format that Accept prefers, text 0.0.4 when it has no wish; gzip when it is
 * accepted; 405 to other methods, 404 to other paths. One thread of its own does it, so that a scrape never waits for a
 * run nor a run for a scrape. A connection is closed after its answer, and after 10 s in any case; with 32 of them open
 * a new one takes the place of the oldest: slow clients cost nothing but their own answers.
 *
 * In a forked child nothing listens, but the child holds the address until it execs, exits or gives its copy of the
 * listener back.
 * @param metrics  Referenced until the endpoint is closed.
 * @param options  Copied. NULL for the defaults.
 * @return New reference; NULL with PAWL_E_INVALID (an option, no such address), PAWL_E_DENIED (not loopback; a port
 * that this user may not have), PAWL_E_UNAVAILABLE (the port is taken), PAWL_E_UNSUPPORTED (no thread, descriptors or
 * address family), PAWL_E_LIMIT (the runtime has too many observers), PAWL_E_NOMEM.
 */
PAWL_API PAWL_NODISCARD pawl_metrics_listener *
pawl_metrics_listen(pawl_metrics *metrics, const pawl_metrics_listen_options *options, pawl_error **err);
/** @return The port that it listens at. */
PAWL_API uint64_t pawl_metrics_listener_port(const pawl_metrics_listener *listener);
/** @return listener, a new reference. NULL allowed. */
PAWL_API pawl_metrics_listener *pawl_metrics_listener_ref(pawl_metrics_listener *listener);
/** Gives one reference back; the last one closes the endpoint, and when it returns the port is free. NULL allowed.
 * @return NULL. */
PAWL_API pawl_metrics_listener *pawl_metrics_listener_unref(pawl_metrics_listener *listener);

PAWL_END_DECLS
#endif
