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

#include <pawl/error.h>

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

PAWL_END_DECLS
#endif
