/* Chrome traces: chrome_trace.c (the exporter), chrome_event.c (a span as text), chrome_lanes.c (who is beside whom).
 */
#ifndef PAWL_CHROME_TRACE_INTERNAL_H
#define PAWL_CHROME_TRACE_INTERNAL_H

#include <pawl/observability/chrome_trace.h>

/* ---- chrome_event.c ---- */

/* The events of a span, one a line, each without its beginning: {"pid":1,"tid":2, must go before it. Times are counted
 * from base. New text, NUL-terminated, released with free(); NULL without memory. */
PAWL_NODISCARD char *pawl_chrome_event(const pawl_span_data *span, uint64_t base_unix_ns);
/* The events at the beginning: the process' name, and what the times are counted from. */
PAWL_NODISCARD char *pawl_chrome_header(const pawl_resource *resource, uint64_t base_unix_ns);

/* ---- chrome_lanes.c ---- */

struct pawl_chrome_span {
    uint64_t start, end;
    uint8_t span_id[8], parent_id[8];
    char *text;
    size_t order; /* of arrival */
    uint32_t lane, below;
};

/* Sorts the spans of one trace by time and gives each a lane, from 0: in one lane two spans are apart, or one is the
 * other's ancestor and around it. @return Number of lanes; 0 without memory. */
uint32_t pawl_chrome_lay_out(struct pawl_chrome_span *spans, size_t count);

#define PAWL_CHROME_TRACKS 256u
#define PAWL_CHROME_USES 16u

/* The lanes of the file, and when they were in use. */
struct pawl_chrome_tracks {
    uint32_t count;
    struct pawl_chrome_track {
        uint64_t begin[PAWL_CHROME_USES], end[PAWL_CHROME_USES];
        uint64_t horizon; /* what was before it is forgotten */
        uint32_t uses;
    } tracks[PAWL_CHROME_TRACKS];
};
/* The first track that is free in that time, from `least` on, in use from now on. With none left: one beyond all. */
uint32_t pawl_chrome_track(struct pawl_chrome_tracks *tracks, uint32_t least, uint64_t start, uint64_t end);

#endif
