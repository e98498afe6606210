/* The OTLP/HTTP exporter's parts: otlp_exporter.c (making), otlp_batch.c (batches, counts), otlp_transport.c (one
 * request with its tries), otlp_retry.c (when to try again), otlp_reply.c (what a collector says), otlp_endpoint.c,
 * otlp_gzip.c. */
#ifndef PAWL_OTLP_EXPORTER_INTERNAL_H
#define PAWL_OTLP_EXPORTER_INTERNAL_H

#include "fork_lock_internal.h"
#include "otlp_requests_internal.h"
#include <pawl/observability/otlp.h>

/* ---- otlp_endpoint.c ---- */

/* The URL of a signal. @param given Used as it is, but for an absent path, which becomes "/"; NULL or "": made from the
 * base. New text, released with free(); NULL without memory. */
PAWL_NODISCARD char *pawl_otlp_url(const char *base, const char *given, enum pawl_otlp_signal signal);

/* ---- otlp_reply.c ---- */

struct pawl_otlp_reply {
    bool understood;   /* it is an OTLP message, or empty */
    uint64_t rejected; /* of a partial success */
    char message[256]; /* one line of UTF-8, "" for none */
};
/* Reads the body of a reply, in whatever encoding it is. @param success Of a 2xx; else a google.rpc.Status is expected,
 * and anything else taken for text. */
void pawl_otlp_read_reply(const void *body, size_t bytes, bool success, struct pawl_otlp_reply *ret_reply);

/* ---- otlp_gzip.c ---- */

/* New bytes, released with free(); NULL without memory. */
PAWL_NODISCARD void *pawl_otlp_gzip(const void *bytes, size_t count, size_t *ret_count);

/* ---- otlp_retry.c ---- */

#define PAWL_OTLP_TRIES 5u
struct pawl_otlp_tries {
    atomic_uint_fast64_t all, again; /* again: all but the first of each request */
};
/* Runs the child, taken, until it succeeds, fails for good, or tries or time are used up. @param tries Borrowed,
 * counted up. */
PAWL_NODISCARD pawl_primitive *pawl_otlp_retry(const char *name, pawl_primitive *child, struct pawl_otlp_tries *tries);
/* The wait after so many tries, 1 or more, before jitter. */
uint64_t pawl_otlp_backoff(uint32_t tries);

/* ---- otlp_transport.c ---- */

struct pawl_otlp_transport {
    struct pawl_fork_lock lock;
    pawl_runtime *runtime;
    struct pawl_otlp_call *calls; /* under way */
    atomic_bool cancelled;
    pawl_runtime *(*make_runtime)(void *user); /* for tests; NULL: a plain one */
    void *make_user;
};

void pawl_otlp_transport_init(struct pawl_otlp_transport *transport);
void pawl_otlp_transport_finish(struct pawl_otlp_transport *transport);
/* All calls, now and later, end at once. */
void pawl_otlp_transport_cancel(struct pawl_otlp_transport *transport);
/* Posts with all tries until a deadline of the runtime's clock. @param request Without a timeout of its own; borrowed.
 * @param name Of the signal, for messages. @param ret_reply Set on success. */
pawl_status pawl_otlp_post(struct pawl_otlp_transport *transport, const char *name, const pawl_http_request *request,
                           uint64_t deadline_ns, struct pawl_otlp_tries *tries, struct pawl_otlp_reply *ret_reply,
                           pawl_error **err);
/* Now on the runtime's clock, made at need; false without one. */
bool pawl_otlp_transport_now(struct pawl_otlp_transport *transport, uint64_t *ret_now, pawl_error **err);

/* ---- otlp_exporter.c ---- */

#define PAWL_OTLP_HEADERS 64u
#define PAWL_OTLP_OWN_HEADERS 3u /* User-Agent, Content-Type, Content-Encoding */

struct pawl_otlp_counters {
    struct pawl_otlp_tries tries;
    atomic_uint_fast64_t sent, rejected, too_large, refused, unavailable, cancelled;
};

struct pawl_otlp_exporter {
    pawl_otlp_options options; /* its strings are the copies below, or NULL */
    char *urls[PAWL_OTLP_SIGNALS];
    char *ca_file, *client_cert_file, *client_key_file;
    pawl_http_header headers[PAWL_OTLP_HEADERS + PAWL_OTLP_OWN_HEADERS]; /* the user's first, copied; ours are static */
    size_t copied_headers, header_count;
    struct pawl_otlp_counters counts[PAWL_OTLP_SIGNALS];
    atomic_uint_fast64_t told_ns; /* when on_error was called last */
    struct pawl_otlp_transport transport;
};

/* For tests, before the first export. */
struct pawl_otlp_transport *pawl_otlp_transport_of(const pawl_exporter *exporter);

/* ---- otlp_batch.c ---- */

extern const char *const pawl_otlp_names[PAWL_OTLP_SIGNALS]; /* for messages */
/* Sends items of the signal's kind, in as many requests as it takes; counts and tells what is lost. */
pawl_status pawl_otlp_export(struct pawl_otlp_exporter *otlp, enum pawl_otlp_signal signal,
                             const pawl_resource *resource, const void *items, size_t item_count, uint64_t timeout_ns,
                             pawl_error **err);

#endif
