/* Telemetry to export: one of everything, with what is hard to write. */
#ifndef TELEMETRY_DATA_H
#define TELEMETRY_DATA_H

#include <pawl/observability/export.h>

#define BAD_UTF8 "caf\xe9 \xff\xfe"
#define MENDED_UTF8 "caf\xef\xbf\xbd \xef\xbf\xbd\xef\xbf\xbd"

/* A span with every field set: strings that are no UTF-8 or need escapes, NaN, extreme integers, events, links. Static.
 */
const pawl_span_data *full_span(void);
/* A usual span of this number: ids from it, 7 attributes, an event, a link, a status; 561 bytes or so. */
pawl_span_data usual_span(uint32_t number);
/* One of each kind of metric, with exemplars; an integer and a float one of counters. Static. */
const pawl_metric_data *all_metrics(size_t *ret_count);
/* Static. */
const pawl_log_data *all_logs(size_t *ret_count);

#endif
