/* Lanes of a trace: what runs beside something else is drawn beside it. */
#include "chrome_trace_internal.h"
#include <stdlib.h>
#include <string.h>

#define NONE UINT32_MAX

/* Parents before children: earlier ones first, of those that begin together the longer, and of those that also end
 * together the one that was told later, since children end first. */
static int by_time(const void *a, const void *b) {
    const struct pawl_chrome_span *left = a, *right = b;
    if (left->start != right->start)
        return left->start < right->start ? -1 : 1;
    if (left->end != right->end)
        return left->end > right->end ? -1 : 1;
    return left->order > right->order ? -1 : left->order < right->order;
}

static int by_id(const void *a, const void *b, void *user) {
    const struct pawl_chrome_span *spans = user;
    return memcmp(spans[*(const uint32_t *)a].span_id, spans[*(const uint32_t *)b].span_id, 8);
}

static uint32_t find(const struct pawl_chrome_span *spans, const uint32_t *sorted, size_t count, const uint8_t *id) {
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = memcmp(spans[sorted[middle]].span_id, id, 8);
        if (order == 0)
            return sorted[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NONE;
}

/* What is open in a lane at a time: the innermost span, or none. */
static uint32_t open_at(const struct pawl_chrome_span *spans, uint32_t *top, uint64_t time) {
    while (*top != NONE && spans[*top].end <= time)
        *top = spans[*top].below;
    return *top;
}

/* Its parent's lane, if it is the innermost there and ends later; else the first that is empty then. */
static uint32_t choose(const struct pawl_chrome_span *spans, uint32_t at, uint32_t parent, uint32_t *tops,
                       uint32_t lanes) {
    const struct pawl_chrome_span *span = &spans[at];
    if (parent != NONE && parent < at && spans[parent].end >= span->end &&
        open_at(spans, &tops[spans[parent].lane], span->start) == parent)
        return spans[parent].lane;
    for (uint32_t i = 0; i < lanes; i++)
        if (open_at(spans, &tops[i], span->start) == NONE)
            return i;
    return lanes;
}

uint32_t pawl_chrome_lay_out(struct pawl_chrome_span *spans, size_t count) {
    uint32_t *sorted = malloc(2 * count * sizeof *sorted), *tops = sorted ? sorted + count : NULL, lanes = 0;
    if (!sorted)
        return 0;
    qsort(spans, count, sizeof *spans, by_time);
    for (uint32_t i = 0; i < count; i++)
        sorted[i] = i;
    qsort_r(sorted, count, sizeof *sorted, by_id, spans);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t lane = choose(spans, i, find(spans, sorted, count, spans[i].parent_id), tops, lanes);
        if (lane == lanes)
            tops[lanes++] = NONE;
        spans[i].lane = lane;
        spans[i].below = tops[lane];
        tops[lane] = i;
    }
    free(sorted);
    return lanes;
}

/* ---- lanes of the file ---- */

static bool is_free(const struct pawl_chrome_track *track, uint64_t start, uint64_t end) {
    if (start < track->horizon)
        return false;
    for (uint32_t i = 0; i < track->uses; i++)
        if (track->begin[i] < end && start < track->end[i])
            return false;
    return true;
}

static void use(struct pawl_chrome_track *track, uint64_t start, uint64_t end) {
    uint32_t at = track->uses;
    if (at == PAWL_CHROME_USES) { /* the one that ended first is forgotten */
        at = 0;
        for (uint32_t i = 1; i < PAWL_CHROME_USES; i++)
            if (track->end[i] < track->end[at])
                at = i;
        if (track->end[at] > track->horizon)
            track->horizon = track->end[at];
    } else {
        track->uses++;
    }
    track->begin[at] = start;
    track->end[at] = end;
}

uint32_t pawl_chrome_track(struct pawl_chrome_tracks *tracks, uint32_t least, uint64_t start, uint64_t end) {
    for (uint32_t i = least; i < PAWL_CHROME_TRACKS; i++) {
        if (i >= tracks->count)
            tracks->count = i + 1;
        if (!is_free(&tracks->tracks[i], start, end))
            continue;
        use(&tracks->tracks[i], start, end);
        return i;
    }
    return least > PAWL_CHROME_TRACKS ? least : PAWL_CHROME_TRACKS;
}
