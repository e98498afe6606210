/* One request with all its tries, on a runtime of the exporter's own: a cancel or the deadline ends it anywhere. */
#include "engine_internal.h"
#include "otlp_exporter_internal.h"
#include <stdio.h>
#include <string.h>

#define MOST_REPLY PAWL_MIB(4) /* OTLP: a client must not read more */

struct pawl_otlp_call {
    struct pawl_otlp_call *next;
    pawl_context *ctx;
    const char *name;
    const pawl_http_request *request;
    struct pawl_otlp_reply reply;
};

/* ---- life, also after a fork ---- */

void pawl_otlp_transport_init(struct pawl_otlp_transport *t) {
    *t = (struct pawl_otlp_transport){.runtime = NULL};
    pawl_fork_lock_init(&t->lock);
    atomic_init(&t->cancelled, false);
}

/* A forked child has neither the parent's threads nor its connections. The parent's runtime is left as it is: ending it
 * would speak on connections that are the parent's. */
static void lock(struct pawl_otlp_transport *t) {
    if (!pawl_fork_lock_take(&t->lock))
        return;
    t->runtime = NULL;
    t->calls = NULL;
}

static void unlock(struct pawl_otlp_transport *t) {
    pawl_fork_lock_give(&t->lock);
}

void pawl_otlp_transport_finish(struct pawl_otlp_transport *t) {
    lock(t);
    pawl_runtime *runtime = t->runtime;
    unlock(t);
    pawl_runtime_unref(runtime);
    pawl_fork_lock_finish(&t->lock);
}

static pawl_runtime *make_runtime(struct pawl_otlp_transport *t, pawl_error **err) {
    if (t->make_runtime)
        return t->make_runtime(t->make_user);
    return pawl_runtime_new(NULL, err);
}

/* Borrowed, as long as the transport; NULL with an error. */
static pawl_runtime *runtime_of(struct pawl_otlp_transport *t, pawl_error **err) {
    lock(t);
    if (!t->runtime)
        t->runtime = make_runtime(t, err);
    pawl_runtime *runtime = t->runtime;
    unlock(t);
    return runtime;
}

bool pawl_otlp_transport_now(struct pawl_otlp_transport *t, uint64_t *ret_now, pawl_error **err) {
    pawl_runtime *runtime = runtime_of(t, err);
    if (runtime)
        *ret_now = pawl_runtime_now(runtime);
    return runtime != NULL;
}

/* ---- cancelling ---- */

void pawl_otlp_transport_cancel(struct pawl_otlp_transport *t) {
    lock(t);
    atomic_store(&t->cancelled, true);
    for (struct pawl_otlp_call *call = t->calls; call; call = call->next)
        pawl_context_cancel(call->ctx, PAWL_CANCEL_SHUTDOWN, "the exporter was cancelled");
    unlock(t);
}

static bool enter(struct pawl_otlp_transport *t, struct pawl_otlp_call *call) {
    lock(t);
    bool open = !atomic_load(&t->cancelled);
    if (open) {
        call->next = t->calls;
        t->calls = call;
    }
    unlock(t);
    return open;
}

static void leave(struct pawl_otlp_transport *t, struct pawl_otlp_call *call) {
    lock(t);
    struct pawl_otlp_call **at = &t->calls;
    while (*at && *at != call)
        at = &(*at)->next;
    if (*at)
        *at = call->next;
    unlock(t);
}

/* ---- one exchange ---- */

static pawl_status prepare(void *user, pawl_context *ctx, pawl_value *in, pawl_http_request *request,
                           pawl_error **err) {
    const struct pawl_otlp_call *call = user;
    size_t size = request->size;
    (void)ctx, (void)in, (void)err;
    *request = *call->request;
    request->size = size;
    request->max_response_bytes = MOST_REPLY;
    request->timeout_ns = PAWL_UNLIMITED; /* the run's deadline counts */
    request->no_trace_headers = 1;
    return PAWL_OK;
}

struct verdict {
    pawl_status status;
    pawl_class failure_class;
    const char *advice;
};

/* OTLP: only these four may be tried again. */
static struct verdict judge(uint64_t status) {
    switch (status) {
    case 429:
        return (struct verdict){PAWL_E_RATE_LIMITED, PAWL_CLASS_THROTTLED, ""};
    case 502:
    case 503:
    case 504:
        return (struct verdict){PAWL_E_UNAVAILABLE, PAWL_CLASS_TRANSIENT, ""};
    case 401:
    case 403:
        return (struct verdict){PAWL_E_DENIED, PAWL_CLASS_PERMANENT, "; check the headers"};
    case 404:
    case 405:
        return (struct verdict){PAWL_E_NOT_FOUND, PAWL_CLASS_PERMANENT, "; check the endpoint"};
    case 413:
        return (struct verdict){PAWL_E_LIMIT, PAWL_CLASS_PERMANENT, "; export smaller batches"};
    default:
        if (status >= 300 && status < 400)
            return (struct verdict){PAWL_E_INVALID, PAWL_CLASS_PERMANENT,
                                    "; redirects are not followed, check the endpoint"};
        return (struct verdict){status >= 500 ? PAWL_E_FAILED : PAWL_E_INVALID, PAWL_CLASS_PERMANENT, ""};
    }
}

/* ---- whose answer it was ---- */

#define ADDRESS_BYTES 128

static bool is_known_segment(const char *at, size_t length) {
    static const char *const known[] = {"v1", "traces", "metrics", "logs"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (length == strlen(known[i]) && memcmp(at, known[i], length) == 0)
            return true;
    return false;
}

/* The end of a path that is OTLP's: what comes before may be somebody's key. */
static size_t known_end(const char *path, size_t length) {
    size_t known = 0;
    if (length == 1)
        return 1;
    while (known < length) {
        const char *slash = memrchr(path, '/', length - known);
        size_t segment = slash ? (size_t)(path + length - known - slash) : 0;
        if (segment == 0 || !is_known_segment(slash + 1, segment - 1))
            break;
        known += segment;
    }
    return known;
}

/* Without password, query, and what else of it may be secret. */
static void write_address(const char *url, char ret_text[ADDRESS_BYTES]) {
    const char *host = strstr(url, "://");
    host = host ? host + 3 : url;
    size_t authority = strcspn(host, "/?#");
    const char *path = host + authority, *user = memrchr(host, '@', authority);
    host = user ? user + 1 : host;
    size_t length = strcspn(path, "?#"), known = known_end(path, length);
    snprintf(ret_text, ADDRESS_BYTES, "%.*s%s%.*s", (int)(path - host), host, known < length ? "/..." : "", (int)known,
             path + length - known);
}

static pawl_status refuse(const struct pawl_otlp_call *call, const pawl_http_response *response, pawl_error **err) {
    struct verdict verdict = judge(response->status);
    pawl_error_info info = {.size = sizeof info,
                            .status = verdict.status,
                            .failure_class = verdict.failure_class,
                            .retry_after_ns = response->retry_after_ns};
    const char *message = call->reply.message;
    char address[ADDRESS_BYTES];
    write_address(call->request->url, address);
    return pawl_error_set_info(err, &info, "the collector answered %llu%s%s (%s)%s",
                               (unsigned long long)response->status, *message ? ": " : "", message, address,
                               verdict.advice);
}

static pawl_status map(void *user, const pawl_http_response *response, pawl_value **ret_out, pawl_error **err) {
    struct pawl_otlp_call *call = user;
    bool success = response->status >= 200 && response->status < 300;
    (void)ret_out;
    pawl_otlp_read_reply(response->body, response->body_bytes, success, &call->reply);
    if (!success)
        return refuse(call, response, err);
    if (call->reply.understood)
        return PAWL_OK;
    return pawl_error_set(err, PAWL_E_PROTOCOL, "the reply is no OTLP; is this a collector's address? It says: %.100s",
                          call->reply.message);
}

static pawl_status run(struct pawl_otlp_call *call, uint64_t deadline_ns, struct pawl_otlp_tries *tries,
                       pawl_error **err) {
    pawl_primitive *node = pawl_otlp_retry(call->name, pawl_http_new("post", prepare, map, call), tries);
    pawl_status status = pawl_context_set_deadline(call->ctx, deadline_ns, err);
    if (status == PAWL_OK)
        status = pawl_run(node, call->ctx, NULL, NULL, err);
    pawl_primitive_unref(node);
    return status;
}

pawl_status pawl_otlp_post(struct pawl_otlp_transport *t, const char *name, const pawl_http_request *request,
                           uint64_t deadline_ns, struct pawl_otlp_tries *tries, struct pawl_otlp_reply *ret_reply,
                           pawl_error **err) {
    struct pawl_otlp_call call = {.name = name, .request = request};
    pawl_error *error = NULL;
    pawl_runtime *runtime = runtime_of(t, &error);
    call.ctx = pawl_context_new(runtime);
    pawl_status status = pawl_error_status(error);
    if (!call.ctx && status == PAWL_OK)
        status = pawl_error_set(&error, PAWL_E_NOMEM, "otlp %s: out of memory", name);
    if (call.ctx && !enter(t, &call)) {
        status = pawl_error_set(&error, PAWL_E_CANCELLED, "otlp %s: the exporter was cancelled", name);
    } else if (call.ctx) {
        status = run(&call, deadline_ns, tries, &error);
        leave(t, &call);
    }
    pawl_context_unref(call.ctx);
    *ret_reply = call.reply;
    if (err)
        *err = error;
    else
        pawl_error_unref(error);
    return status;
}
