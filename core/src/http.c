/* The HTTP node: an async leaf whose work is one transfer on the loop. */
#include "base64_internal.h"
#include "http_internal.h"
#include "utf8_internal.h"
#include <stdlib.h>
#include <string.h>

#define MOST_INPUT_HEADERS 128

struct http_node {
    char *name;
    pawl_http_prepare prepare;
    pawl_http_map map;
    void *user;
};

/* One run of the node: the op's data. */
struct exchange {
    const struct http_node *node;
    pawl_op op;
    struct http_transfer *transfer;
};

/* ---- the answer's meaning ---- */

static pawl_status status_of(const pawl_http_response *r, pawl_class *ret_class) {
    *ret_class = PAWL_CLASS_DEFAULT;
    switch (r->status) {
    case 401:
    case 403:
        return PAWL_E_DENIED;
    case 404:
        return PAWL_E_NOT_FOUND;
    case 429:
        return PAWL_E_RATE_LIMITED;
    case 408:
    case 425:
        *ret_class = PAWL_CLASS_TRANSIENT;
        return PAWL_E_UNAVAILABLE;
    case 500:
    case 502:
    case 504:
        *ret_class = PAWL_CLASS_SERVER;
        return PAWL_E_UNAVAILABLE;
    case 503:
        *ret_class = r->retry_after_ns ? PAWL_CLASS_THROTTLED : PAWL_CLASS_SERVER;
        return PAWL_E_UNAVAILABLE;
    default:
        return r->status >= 500 ? PAWL_E_UNSUPPORTED : PAWL_E_INVALID;
    }
}

static cJSON *headers_json(const pawl_http_response *r) {
    cJSON *object = cJSON_CreateObject();
    for (uint64_t i = 0; object && i < r->header_count; i++)
        if (!cJSON_AddStringToObject(object, r->headers[i].name, r->headers[i].value)) {
            cJSON_Delete(object);
            return NULL;
        }
    return object;
}

static bool add_body(cJSON *object, const pawl_http_response *r) {
    bool text = pawl_utf8_valid(r->body, r->body_bytes) == r->body_bytes && !memchr(r->body, 0, r->body_bytes);
    char *copy = text ? strndup(r->body, r->body_bytes) : pawl_base64_encode_new(r->body, r->body_bytes);
    bool added = copy && cJSON_AddStringToObject(object, text ? "body" : "body_base64", copy);
    free(copy);
    return added;
}

static pawl_status map_default(const char *name, const pawl_http_response *r, pawl_value **ret_out, pawl_error **err) {
    if (r->status < 200 || r->status > 299) {
        pawl_error_info info = {.size = sizeof info, .started = PAWL_STARTED_YES, .retry_after_ns = r->retry_after_ns};
        info.status = status_of(r, &info.failure_class);
        return pawl_error_set_info(
            err, &info, "http '%s': the server answered %llu: %.200s", name, (unsigned long long)r->status,
            r->body_bytes && pawl_utf8_valid(r->body, r->body_bytes) == r->body_bytes ? (const char *)r->body : "");
    }
    cJSON *object = cJSON_CreateObject(), *headers = headers_json(r);
    bool made = object && headers && cJSON_AddNumberToObject(object, "status", (double)r->status) &&
                cJSON_AddItemToObject(object, "headers", headers);
    if (!made)
        cJSON_Delete(headers);
    if (!made || !add_body(object, r)) {
        cJSON_Delete(object);
        return pawl_error_set(err, PAWL_E_NOMEM, "http '%s': out of memory", name);
    }
    *ret_out = pawl_value_take(object);
    return *ret_out ? PAWL_OK : pawl_error_set(err, PAWL_E_NOMEM, "http '%s': out of memory", name);
}

static void on_done(void *user, CURLcode result, const pawl_http_response *response, bool too_large,
                    const char *detail) {
    struct exchange *x = user;
    pawl_value *value = NULL;
    pawl_error *error = NULL;
    pawl_status status;
    if (result != CURLE_OK)
        status = pawl_http_curl_error(&error, x->node->name, result, too_large, detail);
    else if (x->node->map)
        status = x->node->map(x->node->user, response, &value, &error);
    else
        status = map_default(x->node->name, response, &value, &error);
    pawl_op_complete(x->op, status, value, error);
}

/* ---- the request ---- */

static pawl_status bad_input(pawl_error **err, const char *name, const char *what) {
    return pawl_error_set(
        err, PAWL_E_INVALID,
        "http '%s': %s; the input is {\"url\", \"method\", \"headers\": {name: text}, \"body\": text}", name, what);
}

/* What the request points to is part of the input, but for the list of headers, which is the caller's. */
static pawl_status prepare_default(const char *name, pawl_value *in, pawl_http_header *headers,
                                   pawl_http_request *request, pawl_error **err) {
    const cJSON *json = pawl_value_json(in), *member;
    if (!cJSON_IsObject(json))
        return bad_input(err, name, "the input is no object");
    cJSON_ArrayForEach(member, json) {
        bool is_headers = strcmp(member->string, "headers") == 0;
        if (is_headers ? !cJSON_IsObject(member) : !cJSON_IsString(member))
            return bad_input(err, name, "a member has the wrong type");
        if (strcmp(member->string, "url") == 0)
            request->url = member->valuestring;
        else if (strcmp(member->string, "method") == 0)
            request->method = member->valuestring;
        else if (strcmp(member->string, "body") == 0)
            request->body = member->valuestring, request->body_bytes = strlen(member->valuestring);
        else if (!is_headers)
            return bad_input(err, name, "there is an unknown member");
    }
    request->headers = headers;
    cJSON_ArrayForEach(member, cJSON_GetObjectItemCaseSensitive(json, "headers")) {
        if (!cJSON_IsString(member) || request->header_count == MOST_INPUT_HEADERS)
            return bad_input(err, name, "a header is no text, or there are too many");
        headers[request->header_count++] = (pawl_http_header){.name = member->string, .value = member->valuestring};
    }
    return request->url ? PAWL_OK : bad_input(err, name, "url is missing");
}

static pawl_status start_exchange(struct exchange *x, pawl_context *ctx, pawl_value *in, pawl_error **err) {
    pawl_http_header headers[MOST_INPUT_HEADERS];
    pawl_http_request request = {.size = sizeof request};
    const struct http_node *node = x->node;
    pawl_status status = node->prepare ? node->prepare(node->user, ctx, in, &request, err)
                                       : prepare_default(node->name, in, headers, &request, err);
    if (status != PAWL_OK)
        return status;
    pawl_error *error = NULL;
    x->transfer = pawl_http_transfer_start(pawl_driving, ctx, &request, on_done, x, &error);
    if (x->transfer)
        return PAWL_OK;
    *err = error;
    return pawl_error_status(error);
}

static void start(void *user, pawl_op op, pawl_context *ctx, pawl_value *in, void **ret_op_data) {
    struct exchange *x = calloc(1, sizeof *x);
    pawl_error *error = NULL;
    if (!x) {
        pawl_op_complete(op, PAWL_E_NOMEM, NULL, NULL);
        return;
    }
    *x = (struct exchange){.node = user, .op = op};
    *ret_op_data = x;
    pawl_status status = start_exchange(x, ctx, in, &error);
    if (status != PAWL_OK)
        pawl_op_complete(op, status, NULL, error);
}

static void cancel(void *user, pawl_op op, void *op_data, pawl_cancel_reason reason) {
    struct exchange *x = op_data;
    (void)user, (void)reason;
    pawl_http_transfer_free(x->transfer);
    x->transfer = NULL;
    pawl_op_complete(op, PAWL_E_CANCELLED, NULL, NULL);
}

static void destroy_exchange(void *user, void *op_data) {
    struct exchange *x = op_data;
    (void)user;
    pawl_http_transfer_free(x->transfer);
    free(x);
}

static void destroy_node(void *user) {
    struct http_node *node = user;
    if (node)
        free(node->name);
    free(node);
}

pawl_primitive *pawl_http_new(const char *name, pawl_http_prepare prepare, pawl_http_map map, void *user) {
    static const pawl_async_vtable vtable = {
        .size = sizeof vtable, .start = start, .cancel = cancel, .destroy = destroy_exchange};
    struct leaf_spec spec = {
        .kind = NODE_ASYNC, .name = name, .type = "http", .async = &vtable, .user_destroy = destroy_node};
    struct http_node *node = calloc(1, sizeof *node);
    if (node) {
        *node = (struct http_node){.name = strdup(name ? name : ""), .prepare = prepare, .map = map, .user = user};
        spec.user = node;
    }
    if (!node || !node->name)
        pawl_error_set(&spec.failure, PAWL_E_NOMEM, "http '%s': out of memory", name ? name : "");
    return pawl_leaf_new(&spec);
}
