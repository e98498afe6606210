/* Keeps the spans of each trace until its root has ended, then gives them lanes and writes them. */
#include "chrome_trace_internal.h"
#include "export_internal.h"
#include "fork_lock_internal.h"
#include "line_file_internal.h"
#include "options_internal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST_WAITING 100000u /* spans, in at most so many traces, of so many bytes */
#define MOST_TRACES 4096u
#define MOST_TEXT PAWL_MIB(64)
#define DAY_NS PAWL_S(86400)
#define PARENT_IS_REMOTE 0x200u /* OTLP's flag */

struct trace {
    struct trace *next; /* the one that began earlier */
    uint8_t id[16];
    bool root_ended;
    struct pawl_chrome_span *spans;
    size_t count, room;
};

struct chrome {
    struct pawl_fork_lock lock;
    struct pawl_line_file file;
    int maker;     /* the process that ends the file */
    bool has_base; /* the header is written */
    uint64_t base_ns;
    struct trace *traces;
    size_t trace_count, text_bytes;
    struct pawl_chrome_tracks tracks;
    size_t arrived;
    pawl_chrome_trace_stats stats;
};

/* ---- keeping ---- */

static struct trace *trace_of(struct chrome *c, const uint8_t id[16]) {
    for (struct trace *trace = c->traces; trace; trace = trace->next)
        if (memcmp(trace->id, id, 16) == 0)
            return trace;
    struct trace *trace = calloc(1, sizeof *trace);
    if (trace) {
        memcpy(trace->id, id, 16);
        trace->next = c->traces;
        c->traces = trace;
        c->trace_count++;
    }
    return trace;
}

static bool make_room(struct trace *trace) {
    if (trace->count < trace->room)
        return true;
    size_t room = trace->room ? trace->room * 2 : 16;
    struct pawl_chrome_span *spans = realloc(trace->spans, room * sizeof *spans);
    if (!spans)
        return false;
    trace->spans = spans;
    trace->room = room;
    return true;
}

static bool is_root(const pawl_span_data *span) {
    static const uint8_t none[8];
    return (span->flags & PARENT_IS_REMOTE) || memcmp(span->parent_span_id, none, 8) == 0;
}

static bool keep(struct chrome *c, const pawl_span_data *span) {
    struct trace *trace = trace_of(c, span->trace_id);
    char *text = trace && make_room(trace) ? pawl_chrome_event(span, c->base_ns) : NULL;
    if (!text)
        return false;
    uint64_t end = span->end_unix_ns > span->start_unix_ns ? span->end_unix_ns : span->start_unix_ns;
    struct pawl_chrome_span *kept = &trace->spans[trace->count++];
    *kept = (struct pawl_chrome_span){.start = span->start_unix_ns, .end = end, .text = text, .order = c->arrived++};
    memcpy(kept->span_id, span->span_id, 8);
    memcpy(kept->parent_id, span->parent_span_id, 8);
    trace->root_ended = trace->root_ended || is_root(span);
    c->stats.waiting++;
    c->text_bytes += strlen(text);
    return true;
}

/* ---- writing ---- */

/* Each line of text as an event of its own, all in one write. */
static pawl_status write_events(struct chrome *c, const char *text, uint32_t lane, pawl_error **err) {
    size_t lines = 0, length = strlen(text), used = 0;
    for (const char *at = text; (at = strchr(at, '\n')); at++)
        lines++;
    char start[64];
    size_t start_length = (size_t)snprintf(start, sizeof start, ",\n{\"pid\":%d,\"tid\":%u,", getpid(), lane + 1);
    char *all = malloc(length + lines * start_length + 1);
    if (!all)
        return pawl_error_set(err, PAWL_E_NOMEM, "chrome trace: out of memory");
    for (const char *end; (end = strchr(text, '\n')); text = end + 1) {
        memcpy(all + used, start, start_length);
        memcpy(all + used + start_length, text, (size_t)(end - text));
        used += start_length + (size_t)(end - text);
    }
    pawl_status status = pawl_line_file_write(&c->file, all, used, err);
    free(all);
    return status;
}

static void give_tracks(struct chrome *c, const struct trace *trace, uint32_t *tracks, uint32_t lanes) {
    uint64_t start = UINT64_MAX, end = 0;
    uint32_t least = 0;
    for (size_t i = 0; i < trace->count; i++) {
        start = trace->spans[i].start < start ? trace->spans[i].start : start;
        end = trace->spans[i].end > end ? trace->spans[i].end : end;
    }
    for (uint32_t i = 0; i < lanes; i++) {
        tracks[i] = pawl_chrome_track(&c->tracks, least, start, end > start ? end : start + 1);
        least = tracks[i] + 1;
    }
}

static void free_trace(struct chrome *c, struct trace *trace) {
    for (size_t i = 0; i < trace->count; i++) {
        c->text_bytes -= strlen(trace->spans[i].text);
        free(trace->spans[i].text);
    }
    c->stats.waiting -= trace->count;
    c->trace_count--;
    free(trace->spans);
    free(trace);
}

static pawl_status write_spans(struct chrome *c, const struct trace *trace, const uint32_t *tracks, pawl_error **err) {
    pawl_status first = PAWL_OK;
    for (size_t i = 0; i < trace->count; i++) {
        const struct pawl_chrome_span *span = &trace->spans[i];
        pawl_status status = write_events(c, span->text, tracks[span->lane], first == PAWL_OK ? err : NULL);
        (*(status == PAWL_OK ? &c->stats.written : &c->stats.dropped))++;
        first = first == PAWL_OK ? status : first;
    }
    return first;
}

/* Takes the trace at *place out of the list, writes and frees it. */
static pawl_status write_trace(struct chrome *c, struct trace **place, pawl_error **err) {
    struct trace *trace = *place;
    *place = trace->next;
    uint32_t lanes = pawl_chrome_lay_out(trace->spans, trace->count);
    uint32_t *tracks = lanes > 0 ? malloc(lanes * sizeof *tracks) : NULL;
    pawl_status status = tracks || trace->count == 0 ? PAWL_OK : PAWL_E_NOMEM;
    if (status != PAWL_OK) {
        c->stats.dropped += trace->count;
        pawl_error_set(err, status, "chrome trace: out of memory");
    } else if (tracks) {
        give_tracks(c, trace, tracks, lanes);
        status = write_spans(c, trace, tracks, err);
    }
    free(tracks);
    free_trace(c, trace);
    return status;
}

/* Those whose root has ended; all of them at the end. */
static pawl_status write_ended(struct chrome *c, bool all, pawl_error **err) {
    pawl_status first = PAWL_OK;
    for (struct trace **place = &c->traces; *place;) {
        if (!all && !(*place)->root_ended) {
            place = &(*place)->next;
            continue;
        }
        pawl_status status = write_trace(c, place, first == PAWL_OK ? err : NULL);
        first = first == PAWL_OK ? status : first;
    }
    return first;
}

static pawl_status write_oldest(struct chrome *c, pawl_error **err) {
    struct trace **place = &c->traces;
    while (*place && (*place)->next)
        place = &(*place)->next;
    return *place ? write_trace(c, place, err) : PAWL_OK;
}

/* The array's beginning; events follow it with a comma. Numbers stay small: a day's microseconds. */
static pawl_status begin_file(struct chrome *c, const pawl_resource *resource, uint64_t first_ns, pawl_error **err) {
    c->base_ns = first_ns - first_ns % DAY_NS;
    char *header = pawl_chrome_header(resource, c->base_ns);
    char start[64];
    snprintf(start, sizeof start, "[{\"ph\":\"M\",\"pid\":%d,\"name\":\"\"}", getpid());
    if (!header)
        return pawl_error_set(err, PAWL_E_NOMEM, "chrome trace: out of memory");
    pawl_status status = pawl_line_file_write(&c->file, start, strlen(start), err);
    if (status == PAWL_OK)
        status = write_events(c, header, 0, err);
    c->has_base = status == PAWL_OK;
    free(header);
    return status;
}

/* ---- the exporter ---- */

/* The parent writes what it has kept. */
static void lock(struct chrome *c) {
    if (!pawl_fork_lock_take(&c->lock))
        return;
    while (c->traces) {
        struct trace *trace = c->traces;
        c->traces = trace->next;
        free_trace(c, trace);
    }
}

static bool is_full(const struct chrome *c) {
    return c->stats.waiting > MOST_WAITING || c->trace_count > MOST_TRACES || c->text_bytes > MOST_TEXT;
}

static pawl_status take_spans(struct chrome *c, const pawl_span_data *spans, size_t count, pawl_error **err) {
    pawl_status status = PAWL_OK;
    for (size_t i = 0; i < count; i++) {
        if (!keep(c, &spans[i])) {
            c->stats.dropped++;
            status = pawl_error_set(err, PAWL_E_NOMEM, "chrome trace: out of memory");
        }
        while (c->traces && is_full(c)) {
            pawl_status other = write_oldest(c, status == PAWL_OK ? err : NULL);
            status = status == PAWL_OK ? other : status;
        }
    }
    pawl_status other = write_ended(c, false, status == PAWL_OK ? err : NULL);
    return status == PAWL_OK ? other : status;
}

static pawl_status export_spans(void *self, const pawl_resource *resource, const pawl_span_data *spans, size_t count,
                                uint64_t timeout_ns, pawl_error **err) {
    struct chrome *c = self;
    (void)timeout_ns;
    lock(c);
    pawl_status status = c->has_base ? PAWL_OK : begin_file(c, resource, spans[0].start_unix_ns, err);
    if (status == PAWL_OK)
        status = take_spans(c, spans, count, err);
    else
        c->stats.dropped += count;
    pawl_fork_lock_give(&c->lock);
    return status;
}

static void destroy(void *self) {
    struct chrome *c = self;
    lock(c);
    (void)write_ended(c, true, NULL);
    if (c->has_base && c->maker == getpid())
        (void)pawl_line_file_write(&c->file, "\n]\n", 3, NULL);
    pawl_line_file_close(&c->file);
    pawl_fork_lock_give(&c->lock);
    pawl_fork_lock_finish(&c->lock);
    free(c);
}

pawl_exporter *pawl_chrome_trace_new(const char *path, const pawl_chrome_trace_options *options, pawl_error **err) {
    static const pawl_exporter_vtable vtable = {
        .size = sizeof vtable, .name = "chrome_trace_exporter", .spans = export_spans, .destroy = destroy};
    pawl_chrome_trace_options known;
    if (pawl_options_copy(&known, sizeof known, options, "chrome trace", err) != PAWL_OK)
        return NULL;
    struct chrome *c = calloc(1, sizeof *c);
    if (!c) {
        pawl_error_set(err, PAWL_E_NOMEM, "chrome trace: out of memory");
        return NULL;
    }
    if (pawl_line_file_open(&c->file, path, pawl_option(known.max_bytes, PAWL_MIB(256)), 0, err) != PAWL_OK ||
        pawl_line_file_empty(&c->file, err) != PAWL_OK) {
        pawl_line_file_close(&c->file);
        free(c);
        return NULL;
    }
    c->maker = getpid();
    pawl_fork_lock_init(&c->lock);
    return pawl_exporter_new(&vtable, c, err);
}

pawl_status pawl_chrome_trace_get_stats(const pawl_exporter *exporter, pawl_chrome_trace_stats *ret_stats,
                                        pawl_error **err) {
    struct chrome *c = exporter && ret_stats ? pawl_exporter_self(exporter, destroy) : NULL;
    if (!c)
        return pawl_error_set(err, PAWL_E_INVALID, "chrome trace: the exporter was not made by this header's function");
    size_t size = ret_stats->size;
    lock(c);
    pawl_chrome_trace_stats stats = c->stats;
    pawl_fork_lock_give(&c->lock);
    stats.size = size;
    memcpy(ret_stats, &stats, size < sizeof stats ? size : sizeof stats);
    return PAWL_OK;
}
