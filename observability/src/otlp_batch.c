/* One export: its requests posted, and what became of them counted and told. */
#include "engine_internal.h"
#include "export_internal.h"
#include "options_internal.h"
#include "otlp_exporter_internal.h"
#include <stdio.h>
#include <stdlib.h>

const char *const pawl_otlp_names[] = {"otlp traces", "otlp metrics", "otlp logs"};
static const char *const nodes[] = {"traces", "metrics", "logs"}; /* their type is otlp */

/* ---- telling and counting ---- */

static void tell(struct pawl_otlp_exporter *otlp, const char *text) {
    if (!otlp->options.on_error)
        return;
    uint64_t now_ns = pawl_export_now() + 1; /* 0 is never */
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

struct export {
    struct pawl_otlp_exporter *otlp;
    enum pawl_otlp_signal signal;
    uint64_t deadline_ns;
};

static pawl_status post(const struct export *x, const void *body, size_t bytes, bool gzip,
                        struct pawl_otlp_reply *ret_reply, pawl_error **err) {
    struct pawl_otlp_exporter *otlp = x->otlp;
    pawl_http_request request = {.size = sizeof request,
                                 .method = "POST",
                                 .url = otlp->urls[x->signal],
                                 .headers = otlp->headers,
                                 .header_count = otlp->header_count - !gzip, /* Content-Encoding is the last one */
                                 .body = body,
                                 .body_bytes = bytes,
                                 .ca_file = otlp->ca_file,
                                 .client_cert_file = otlp->client_cert_file,
                                 .client_key_file = otlp->client_key_file};
    return pawl_otlp_post(&otlp->transport, nodes[x->signal], &request, x->deadline_ns, &otlp->counts[x->signal].tries,
                          ret_reply, err);
}

/* Without memory to compress it goes as it is. */
static pawl_status take_request(void *user, const struct pawl_otlp_writer *w, uint64_t items, pawl_error **err) {
    const struct export *x = user;
    struct pawl_otlp_reply reply;
    size_t packed_bytes = 0;
    const void *body = pawl_otlp_written(w);
    void *packed = x->otlp->options.gzip ? pawl_otlp_gzip(body, w->length, &packed_bytes) : NULL;
    pawl_status status =
        post(x, packed ? packed : body, packed ? packed_bytes : w->length, packed != NULL, &reply, err);
    free(packed);
    if (status == PAWL_OK)
        count_reply(x->otlp, x->signal, items, &reply);
    else
        count(counter_of(&x->otlp->counts[x->signal], status), items);
    return status;
}

static void drop_items(void *user, pawl_status why, uint64_t items) {
    const struct export *x = user;
    (void)why;
    count(&x->otlp->counts[x->signal].too_large, items);
}

static uint64_t deadline_of(const struct pawl_otlp_exporter *otlp, uint64_t now, uint64_t timeout_ns) {
    uint64_t own = pawl_option(otlp->options.timeout_ns, PAWL_S(10)), least = own < timeout_ns ? own : timeout_ns;
    return least < PAWL_NEVER - now ? now + least : PAWL_NEVER;
}

static pawl_status send_batch(struct export *x, const struct pawl_otlp_batch *batch, uint64_t timeout_ns,
                              pawl_error **err) {
    struct pawl_otlp_exporter *otlp = x->otlp;
    struct pawl_otlp_writer w;
    uint64_t now;
    if (!pawl_otlp_transport_now(&otlp->transport, &now, err)) {
        count(&otlp->counts[x->signal].unavailable, pawl_otlp_weigh(batch, 0, batch->count));
        return *err ? pawl_error_status(*err) : pawl_error_set(err, PAWL_E_NOMEM, "otlp exporter: no runtime");
    }
    x->deadline_ns = deadline_of(otlp, now, timeout_ns);
    pawl_otlp_writer_init(&w, otlp->options.protocol == PAWL_OTLP_JSON, otlp->options.max_request_bytes);
    pawl_status status = pawl_otlp_each_request(batch, &w, err);
    pawl_otlp_writer_finish(&w);
    return status;
}

/* One call of the exporter. */
struct errand {
    struct export export;
    struct pawl_otlp_batch batch;
    uint64_t timeout_ns;
    pawl_error *error;
    pawl_status status;
};

static void *do_errand(void *user) {
    struct errand *errand = user;
    errand->status = send_batch(&errand->export, &errand->batch, errand->timeout_ns, &errand->error);
    return NULL;
}

/* Inside a leaf or a callback nothing may be run to its end: a thread of its own does it, while this one waits. */
static void do_elsewhere(struct errand *errand) {
    pthread_t thread;
    if (pawl_thread_start(&thread, do_errand, errand) == 0)
        pthread_join(thread, NULL);
    else
        errand->status = pawl_error_set(&errand->error, PAWL_E_UNSUPPORTED, "otlp exporter: no thread to be had");
}

/* Who cancels knows that, but not what the tries before it had failed with. */
static const pawl_error *worth_telling(const struct errand *errand) {
    if (errand->status == PAWL_E_CANCELLED)
        return pawl_error_cause(errand->error);
    return errand->status == PAWL_OK ? NULL : errand->error;
}

pawl_status pawl_otlp_export(struct pawl_otlp_exporter *otlp, enum pawl_otlp_signal signal,
                             const pawl_resource *resource, const void *items, size_t item_count, uint64_t timeout_ns,
                             pawl_error **err) {
    struct errand errand = {.export = {.otlp = otlp, .signal = signal}, .timeout_ns = timeout_ns};
    errand.batch = (struct pawl_otlp_batch){.signal = signal,
                                            .source = pawl_otlp_source_of(resource),
                                            .items = items,
                                            .count = item_count,
                                            .take = take_request,
                                            .drop = drop_items,
                                            .user = &errand.export};
    if (pawl_is_inside())
        do_elsewhere(&errand);
    else
        do_errand(&errand);
    const pawl_error *told = worth_telling(&errand);
    if (told)
        tell_error(otlp, told);
    if (err)
        *err = errand.error;
    else
        pawl_error_unref(errand.error);
    return errand.status;
}
