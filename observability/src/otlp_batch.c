/* Telemetry into requests (halved when too large), and what became of it: counts, and who is told. */
#include "options_internal.h"
#include "otlp_encode_internal.h"
#include "otlp_exporter_internal.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

const char *const pawl_otlp_names[] = {"otlp traces", "otlp metrics", "otlp logs"};

/* ---- telling and counting ---- */

static void tell(struct pawl_otlp_exporter *otlp, const char *text) {
    struct timespec now;
    if (!otlp->options.on_error)
        return;
    clock_gettime(CLOCK_MONOTONIC, &now);
    uint64_t now_ns = PAWL_S((uint64_t)now.tv_sec) + (uint64_t)now.tv_nsec + 1; /* 0 is never */
    uint_fast64_t last = atomic_load(&otlp->told_ns);
    if ((last == 0 || now_ns - last >= PAWL_S(1)) && atomic_compare_exchange_strong(&otlp->told_ns, &last, now_ns))
        otlp->options.on_error(otlp->options.user, text);
}

static void tell_warning(struct pawl_otlp_exporter *otlp, enum pawl_otlp_signal signal,
                         const struct pawl_otlp_reply *reply) {
    char text[400];
    if (reply->rejected > 0)
        snprintf(text, sizeof text, "%s: the collector rejected %llu items: %s", pawl_otlp_names[signal],
                 (unsigned long long)reply->rejected, reply->message);
    else
        snprintf(text, sizeof text, "%s: the collector warns: %s", pawl_otlp_names[signal], reply->message);
    tell(otlp, text);
}

static void tell_error(struct pawl_otlp_exporter *otlp, const pawl_error *error) {
    char text[1024];
    (void)pawl_error_describe(error, text, sizeof text);
    tell(otlp, text);
}

static void count(atomic_uint_fast64_t *counter, uint64_t items) {
    atomic_fetch_add_explicit(counter, items, memory_order_relaxed);
}

static void count_reply(struct pawl_otlp_exporter *otlp, enum pawl_otlp_signal signal, uint64_t items,
                        const struct pawl_otlp_reply *reply) {
    uint64_t rejected = reply->rejected < items ? reply->rejected : items;
    count(&otlp->counts[signal].rejected, rejected);
    count(&otlp->counts[signal].sent, items - rejected);
    if (rejected > 0 || *reply->message)
        tell_warning(otlp, signal, reply);
}

static atomic_uint_fast64_t *counter_of(struct pawl_otlp_counters *counts, pawl_status status) {
    switch (status) {
    case PAWL_E_CANCELLED:
        return &counts->cancelled;
    case PAWL_E_EXHAUSTED:
    case PAWL_E_DEADLINE:
    case PAWL_E_NOMEM:
        return &counts->unavailable;
    default:
        return &counts->refused;
    }
}

/* ---- one batch ---- */

struct batch {
    struct pawl_otlp_exporter *otlp;
    enum pawl_otlp_signal signal;
    struct pawl_otlp_source source;
    struct pawl_otlp_writer writer;
    const void *items;
    uint64_t deadline_ns;
};

static void encode(struct batch *b, size_t first, size_t items) {
    pawl_otlp_writer_reset(&b->writer);
    switch (b->signal) {
    case PAWL_OTLP_TRACES:
        pawl_otlp_traces(&b->writer, &b->source, (const pawl_span_data *)b->items + first, items);
        break;
    case PAWL_OTLP_METRICS:
        pawl_otlp_metrics(&b->writer, &b->source, (const pawl_metric_data *)b->items + first, items);
        break;
    default:
        pawl_otlp_logs(&b->writer, &b->source, (const pawl_log_data *)b->items + first, items);
        break;
    }
}

/* Of metrics the points are what is counted. */
static uint64_t weigh(const struct batch *b, size_t first, size_t items) {
    uint64_t points = 0;
    if (b->signal != PAWL_OTLP_METRICS)
        return items;
    for (size_t i = 0; i < items; i++)
        points += ((const pawl_metric_data *)b->items)[first + i].point_count;
    return points;
}

static pawl_status post(struct batch *b, const void *body, size_t bytes, bool gzip, struct pawl_otlp_reply *ret_reply,
                        pawl_error **err) {
    struct pawl_otlp_exporter *otlp = b->otlp;
    pawl_http_request request = {.size = sizeof request,
                                 .method = "POST",
                                 .url = otlp->urls[b->signal],
                                 .headers = otlp->headers,
                                 .header_count = otlp->header_count - !gzip, /* Content-Encoding is the last one */
                                 .body = body,
                                 .body_bytes = bytes,
                                 .ca_file = otlp->ca_file,
                                 .client_cert_file = otlp->client_cert_file,
                                 .client_key_file = otlp->client_key_file};
    return pawl_otlp_post(&otlp->transport, pawl_otlp_names[b->signal], &request, b->deadline_ns,
                          &otlp->counts[b->signal].tries, ret_reply, err);
}

/* Without memory to compress it goes as it is. */
static pawl_status send_written(struct batch *b, uint64_t items, pawl_error **err) {
    struct pawl_otlp_reply reply;
    size_t bytes = b->writer.length, packed_bytes = 0;
    const void *body = pawl_otlp_written(&b->writer);
    void *packed = b->otlp->options.gzip ? pawl_otlp_gzip(body, bytes, &packed_bytes) : NULL;
    pawl_status status = post(b, packed ? packed : body, packed ? packed_bytes : bytes, packed != NULL, &reply, err);
    free(packed);
    if (status == PAWL_OK)
        count_reply(b->otlp, b->signal, items, &reply);
    else
        count(counter_of(&b->otlp->counts[b->signal], status), items);
    return status;
}

static pawl_status drop_unwritten(struct batch *b, uint64_t items, pawl_error **err) {
    count(&b->otlp->counts[b->signal].too_large, items);
    if (b->writer.status == PAWL_E_LIMIT)
        return pawl_error_set(err, PAWL_E_LIMIT, "%s: one item is over max_request_bytes (%zu)",
                              pawl_otlp_names[b->signal], b->writer.most);
    return pawl_error_set(err, b->writer.status, "%s: out of memory", pawl_otlp_names[b->signal]);
}

/* Recursion: as deep as a count can be halved. */
static pawl_status send_items(struct batch *b, size_t first, size_t items, pawl_error **err) {
    encode(b, first, items);
    if (b->writer.status == PAWL_OK)
        return send_written(b, weigh(b, first, items), err);
    if (b->writer.status != PAWL_E_LIMIT || items < 2)
        return drop_unwritten(b, weigh(b, first, items), err);
    pawl_status status = send_items(b, first, items / 2, err);
    pawl_status other = send_items(b, first + items / 2, items - items / 2, status == PAWL_OK ? err : NULL);
    return status == PAWL_OK ? other : status;
}

static uint64_t deadline_of(const struct pawl_otlp_exporter *otlp, uint64_t now, uint64_t timeout_ns) {
    uint64_t own = pawl_option(otlp->options.timeout_ns, PAWL_S(10)), least = own < timeout_ns ? own : timeout_ns;
    return least < PAWL_NEVER - now ? now + least : PAWL_NEVER;
}

pawl_status pawl_otlp_export(struct pawl_otlp_exporter *otlp, enum pawl_otlp_signal signal,
                             const pawl_resource *resource, const void *items, size_t item_count, uint64_t timeout_ns,
                             pawl_error **err) {
    struct batch b = {
        .otlp = otlp, .signal = signal, .source = pawl_otlp_source_of(resource), .items = items, .deadline_ns = 0};
    pawl_error *error = NULL;
    uint64_t now;
    pawl_status status = PAWL_E_NOMEM;
    pawl_otlp_writer_init(&b.writer, otlp->options.protocol == PAWL_OTLP_JSON, otlp->options.max_request_bytes);
    if (pawl_otlp_transport_now(&otlp->transport, &now, &error)) {
        b.deadline_ns = deadline_of(otlp, now, timeout_ns);
        status = send_items(&b, 0, item_count, &error);
    } else {
        status = error ? pawl_error_status(error) : status;
        count(&otlp->counts[signal].unavailable, weigh(&b, 0, item_count));
    }
    pawl_otlp_writer_finish(&b.writer);
    if (status != PAWL_OK && status != PAWL_E_CANCELLED)
        tell_error(otlp, error);
    if (err)
        *err = error;
    else
        pawl_error_unref(error);
    return status;
}
