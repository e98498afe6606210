/* A service made with pawl for the W3C trace-context harness: takes [{"url", "arguments"}] by POST, joins the trace the
 * request came with, posts each list of arguments to its url, all at once, and answers [{"url", "span_id", "status"}].
 *
 *     w3c_service [PORT]    prints "listening on PORT"; ends with SIGTERM, SIGINT, or its parent
 */
#include <pawl/pawl.h>
#include <arpa/inet.h>
#include <cjson/cJSON.h>
#include <microhttpd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>

#define MOST_CALLS 64
#define BODY_BYTES (1u << 20)
#define HEADER_BYTES 16384

/* What one request says about its trace; headers of one name are joined with ','. */
struct incoming {
    char traceparent[HEADER_BYTES], tracestate[HEADER_BYTES], baggage[HEADER_BYTES];
    size_t traceparents;
};

struct call {
    const cJSON *order; /* borrowed */
    char *body;
    uint8_t span_id[8];
    uint64_t status;
};

struct request {
    size_t bytes;
    char body[BODY_BYTES];
};

/* ---- outgoing calls ---- */

static pawl_status prepare(void *user, pawl_context *ctx, pawl_value *in, pawl_http_request *request,
                           pawl_error **err) {
    static const pawl_http_header headers[] = {{"Content-Type", "application/json"}};
    struct call *call = user;
    (void)in, (void)err; /* a missing url is the node's to complain about */
    pawl_context_span_id(ctx, call->span_id);
    request->url = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(call->order, "url"));
    request->body = call->body;
    request->body_bytes = strlen(call->body);
    request->headers = headers;
    request->header_count = 1;
    return PAWL_OK;
}

static pawl_status note_status(void *user, const pawl_http_response *response, pawl_value **ret_out, pawl_error **err) {
    struct call *call = user;
    (void)ret_out, (void)err;
    call->status = response->status;
    return PAWL_OK;
}

static size_t make_calls(const cJSON *orders, struct call calls[MOST_CALLS], pawl_primitive *nodes[MOST_CALLS + 1]) {
    size_t count = 0;
    const cJSON *order;
    cJSON_ArrayForEach(order, orders) {
        if (count == MOST_CALLS)
            break;
        const cJSON *arguments = cJSON_GetObjectItemCaseSensitive(order, "arguments");
        char *body = arguments ? cJSON_PrintUnformatted(arguments) : NULL;
        calls[count] = (struct call){.order = order, .body = body ? body : strdup("[]")};
        nodes[count] = pawl_http_new("call", prepare, note_status, &calls[count]);
        count++;
    }
    nodes[count] = PAWL_END;
    return count;
}

static char *report(const struct call *calls, size_t count) {
    cJSON *list = cJSON_CreateArray();
    for (size_t i = 0; i < count; i++) {
        char id[17];
        for (size_t at = 0; at < 8; at++)
            snprintf(id + 2 * at, 3, "%02x", calls[i].span_id[at]);
        cJSON *item = cJSON_CreateObject();
        cJSON_AddItemToObject(item, "url",
                              cJSON_Duplicate(cJSON_GetObjectItemCaseSensitive(calls[i].order, "url"), false));
        cJSON_AddStringToObject(item, "span_id", id);
        cJSON_AddNumberToObject(item, "status", (double)calls[i].status);
        cJSON_AddItemToArray(list, item);
    }
    char *text = cJSON_PrintUnformatted(list);
    cJSON_Delete(list);
    return text;
}

static pawl_status run_calls(pawl_runtime *runtime, const struct incoming *incoming, pawl_primitive *node) {
    pawl_context *ctx = pawl_context_new(runtime);
    pawl_error *error = NULL;
    pawl_context_extract(ctx, incoming->traceparents == 1 ? incoming->traceparent : NULL, incoming->tracestate,
                         incoming->baggage);
    pawl_status status = pawl_run(node, ctx, NULL, NULL, &error);
    if (error)
        fprintf(stderr, "w3c_service: %s\n", pawl_error_message(error));
    pawl_error_unref(error);
    pawl_context_unref(ctx);
    return status;
}

/* New text of the answer; NULL when the calls could not be made. */
static char *serve(pawl_runtime *runtime, const struct incoming *incoming, const char *body) {
    struct call calls[MOST_CALLS];
    pawl_primitive *nodes[MOST_CALLS + 1];
    cJSON *orders = cJSON_Parse(body);
    size_t count = make_calls(orders, calls, nodes);
    pawl_status status = PAWL_OK;
    if (count > 0) {
        pawl_primitive *node = pawl_parallel_new("calls", nodes, NULL);
        status = run_calls(runtime, incoming, node);
        pawl_primitive_unref(node);
    }
    char *text = cJSON_IsArray(orders) && status == PAWL_OK ? report(calls, count) : NULL;
    for (size_t i = 0; i < count; i++)
        free(calls[i].body);
    cJSON_Delete(orders);
    return text;
}

/* ---- incoming requests ---- */

static void join(char list[HEADER_BYTES], const char *value) {
    size_t length = strlen(list);
    snprintf(list + length, HEADER_BYTES - length, "%s%s", length ? "," : "", value);
}

static enum MHD_Result collect(void *user, enum MHD_ValueKind kind, const char *name, const char *value) {
    struct incoming *incoming = user;
    (void)kind;
    value = value ? value : "";
    if (strcasecmp(name, "traceparent") == 0)
        incoming->traceparents++, join(incoming->traceparent, value);
    else if (strcasecmp(name, "tracestate") == 0)
        join(incoming->tracestate, value);
    else if (strcasecmp(name, "baggage") == 0)
        join(incoming->baggage, value);
    return MHD_YES;
}

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned status, char *text) {
    struct MHD_Response *response = MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_FREE);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json");
    enum MHD_Result queued = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return queued;
}

static enum MHD_Result handle(void *runtime, struct MHD_Connection *connection, const char *url, const char *method,
                              const char *version, const char *data, size_t *data_bytes, void **state) {
    struct request *request = *state;
    (void)url, (void)version;
    if (!request) {
        *state = calloc(1, sizeof *request);
        return *state ? MHD_YES : MHD_NO;
    }
    if (*data_bytes > 0) {
        if (*data_bytes >= BODY_BYTES - request->bytes)
            return MHD_NO;
        memcpy(request->body + request->bytes, data, *data_bytes);
        request->bytes += *data_bytes;
        *data_bytes = 0;
        return MHD_YES;
    }
    if (strcmp(method, "POST") != 0)
        return answer(connection, MHD_HTTP_METHOD_NOT_ALLOWED, strdup("\"POST a list of calls\""));
    struct incoming incoming = {.traceparents = 0};
    MHD_get_connection_values(connection, MHD_HEADER_KIND, collect, &incoming);
    char *text = serve(runtime, &incoming, request->body);
    return text ? answer(connection, MHD_HTTP_OK, text)
                : answer(connection, MHD_HTTP_BAD_GATEWAY, strdup("\"the calls could not be made\""));
}

static void forget_request(void *user, struct MHD_Connection *connection, void **state,
                           enum MHD_RequestTerminationCode how) {
    (void)user, (void)connection, (void)how;
    free(*state);
}

/* ---- the program ---- */

/* Spans, and so their ids, exist only when somebody observes. */
static pawl_runtime *make_runtime(void) {
    static const pawl_observer_vtable nobody = {.size = sizeof nobody};
    pawl_error *error = NULL;
    pawl_runtime *runtime = pawl_runtime_new(NULL, &error);
    if (!runtime || pawl_runtime_add_observer(runtime, &nobody, NULL, &error) != PAWL_OK) {
        fprintf(stderr, "w3c_service: %s\n", pawl_error_message(error));
        exit(1);
    }
    return runtime;
}

static struct MHD_Daemon *listen_at(uint16_t port, pawl_runtime *runtime) {
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    return MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION, port, NULL, NULL, handle,
                            runtime, MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_NOTIFY_COMPLETED, forget_request, NULL,
                            MHD_OPTION_END);
}

int main(int argc, char **argv) {
    sigset_t ends;
    int which;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ends, NULL); /* before any thread */
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    pawl_runtime *runtime = make_runtime();
    struct MHD_Daemon *daemon = listen_at(argc > 1 ? (uint16_t)strtoul(argv[1], NULL, 10) : 0, runtime);
    if (!daemon) {
        fprintf(stderr, "w3c_service: cannot listen\n");
        return 1;
    }
    printf("listening on %u\n", (unsigned)MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
    fflush(stdout);
    sigwait(&ends, &which);
    MHD_stop_daemon(daemon);
    pawl_runtime_unref(runtime);
    return 0;
}
