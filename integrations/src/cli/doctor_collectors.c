/* Whether collectors answer: each gets an empty export, which is valid OTLP. */
#include "doctor.h"
#include "environment_internal.h"
#include <pawl/http.h>
#include <stdlib.h>
#include <string.h>

#define HEADERS 65

static const char *const signal_names[PAWL_OTLP_SIGNALS] = {"traces", "metrics", "logs"};

struct question {
    const struct pawl_environment_otlp *otlp;
    const char *url;
    uint64_t timeout_ns;
    pawl_http_header headers[HEADERS];
};

static pawl_status prepare(void *user, pawl_context *ctx, pawl_value *in, pawl_http_request *request,
                           pawl_error **err) {
    struct question *q = user;
    uint64_t count = q->otlp->headers.count < HEADERS - 1 ? q->otlp->headers.count : HEADERS - 1;
    (void)ctx, (void)in, (void)err;
    q->headers[0] = (pawl_http_header){"Content-Type", "application/x-protobuf"};
    for (uint64_t i = 0; i < count; i++)
        q->headers[i + 1] = q->otlp->headers.list[i];
    request->method = "POST";
    request->url = q->url;
    request->headers = q->headers;
    request->header_count = count + 1;
    request->max_response_bytes = PAWL_MIB(1);
    request->timeout_ns = request->connect_timeout_ns = q->timeout_ns;
    request->no_trace_headers = 1;
    request->ca_file = q->otlp->ca_file;
    request->client_cert_file = q->otlp->client_cert_file;
    request->client_key_file = q->otlp->client_key_file;
    return PAWL_OK;
}

static void ask(pawl_context *ctx, struct question *question, cJSON *answer) {
    char text[1024] = "";
    pawl_primitive *node = pawl_http_new("collector", prepare, NULL, question);
    pawl_context *scope = pawl_context_child(ctx);
    pawl_error *error = NULL;
    pawl_value *out = NULL;
    bool answers = scope && pawl_run(node, scope, NULL, &out, &error) == PAWL_OK;
    if (error)
        pawl_error_describe(error, text, sizeof text);
    char *clean = pawl_runtime_redact(pawl_context_runtime(ctx), text);
    cJSON_AddBoolToObject(answer, "answers", answers);
    if (answers)
        cJSON_AddNullToObject(answer, "error");
    else
        cJSON_AddStringToObject(answer, "error", clean && *clean ? clean : "out of memory");
    free(clean);
    pawl_error_unref(error);
    pawl_value_unref(out);
    pawl_context_unref(scope);
    pawl_primitive_unref(node);
}

static bool is_asked(const struct pawl_environment *environment, size_t signal, bool everywhere) {
    bool named = environment->base.endpoint || environment->signals[signal].endpoint;
    uint64_t exporters = environment->exporters[signal];
    return (named || everywhere) && !environment->disabled && (!exporters || exporters & PAWL_ENVIRONMENT_OTLP);
}

static void ask_signal(pawl_context *ctx, const struct pawl_environment *environment, size_t signal,
                       uint64_t timeout_ns, cJSON *answers) {
    const struct pawl_environment_otlp *own = &environment->signals[signal];
    const char *base = environment->base.endpoint ? environment->base.endpoint : "http://localhost:4318";
    char *url = pawl_otlp_url(base, own->endpoint, (enum pawl_otlp_signal)signal);
    char *shown = pawl_runtime_redact(pawl_context_runtime(ctx), url);
    cJSON *answer = url && shown ? cJSON_CreateObject() : NULL;
    if (answer) {
        struct question question = {.otlp = own, .url = url, .timeout_ns = timeout_ns};
        cJSON_AddStringToObject(answer, "signal", signal_names[signal]);
        cJSON_AddStringToObject(answer, "endpoint", shown);
        ask(ctx, &question, answer);
        cJSON_AddItemToArray(answers, answer);
    }
    free(shown);
    free(url);
}

cJSON *doctor_ask_collectors(pawl_context *ctx, bool everywhere, uint64_t timeout_ns) {
    const struct pawl_environment_reader reader = {.get = pawl_environment_getenv};
    struct pawl_environment environment;
    cJSON *answers = cJSON_CreateArray();
    bool read = pawl_environment_read(&environment, &reader);
    for (size_t i = 0; i < PAWL_OTLP_SIGNALS && read && answers; i++)
        if (is_asked(&environment, i, everywhere))
            ask_signal(ctx, &environment, i, timeout_ns, answers);
    pawl_environment_finish(&environment);
    return answers;
}
