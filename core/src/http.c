/* The HTTP node: an async leaf whose work is one transfer on the loop. */
#include "base64_internal.h"
#include "http_internal.h"
#include "utf8_internal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_INPUT_HEADERS 128

struct http_node {
    char *who; /* "http 'name'" */
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

/* ---- the answer's value ---- */

/* Repeated headers are one list (RFC 9110 section 5.3). What is no UTF-8 becomes U+FFFD. */
static bool add_response_header(cJSON *object, const pawl_http_header *header) {
    char *name = pawl_utf8_lossy(header->name, strlen(header->name), NULL);
    char *value = pawl_utf8_lossy(header->value, strlen(header->value), NULL), *joined = value;
    const cJSON *before = name && value ? cJSON_GetObjectItemCaseSensitive(object, name) : NULL;
    if (before) {
        size_t size = strlen(before->valuestring) + strlen(value) + 3;
        joined = malloc(size);
        if (joined)
            snprintf(joined, size, "%s, %s", before->valuestring, value);
    }
    cJSON *text = name && joined ? cJSON_CreateString(joined) : NULL;
    bool added = text && (before ? cJSON_ReplaceItemInObjectCaseSensitive(object, name, text)
                                 : cJSON_AddItemToObject(object, name, text));
    if (text && !added)
        cJSON_Delete(text);
    if (joined != value)
        free(joined);
    free(value);
    free(name);
    return added;
}

static bool add_headers(cJSON *object, const pawl_http_response *r) {
    cJSON *headers = cJSON_AddObjectToObject(object, "headers");
    for (uint64_t i = 0; headers && i < r->header_count; i++)
        if (!add_response_header(headers, &r->headers[i]))
            return false;
    return headers != NULL;
}

static bool add_body(cJSON *object, const pawl_http_response *r) {
    bool text = pawl_utf8_valid(r->body, r->body_bytes) == r->body_bytes && !memchr(r->body, 0, r->body_bytes);
    char *encoded = text ? NULL : pawl_base64_encode_new(r->body, r->body_bytes);
    const char *copied = text ? r->body : encoded; /* a NUL follows the body */
    bool added = copied && cJSON_AddStringToObject(object, text ? "body" : "body_base64", copied);
    free(encoded);
    return added;
}

static pawl_status map_default(const char *who, const pawl_http_response *r, pawl_value **ret_out, pawl_error **err) {
    if (r->status < 200 || r->status > 299)
        return pawl_http_answer_error(err, who, r);
    cJSON *object = cJSON_CreateObject();
    bool made = object && cJSON_AddNumberToObject(object, "status", (double)r->status) && add_headers(object, r) &&
                add_body(object, r);
    if (!made)
        cJSON_Delete(object);
    *ret_out = made ? pawl_value_take(object) : NULL;
    return *ret_out ? PAWL_OK : pawl_error_set(err, PAWL_E_NOMEM, "%s: out of memory", who);
}

static void on_done(void *user, const pawl_http_response *response, pawl_error *error) {
    struct exchange *x = user;
    pawl_value *value = NULL;
    pawl_status status = pawl_error_status(error);
    if (response && x->node->map)
        status = x->node->map(x->node->user, response, &value, &error);
    else if (response)
        status = map_default(x->node->who, response, &value, &error);
    pawl_op_complete(x->op, status, value, error);
}

/* ---- the request ---- */

static pawl_status bad_input(pawl_error **err, const char *who, const char *member, const char *what) {
    return pawl_error_set(err, PAWL_E_INVALID,
                          "%s: %s%s%s; the input is {\"url\", \"method\", \"headers\": {name: text}, \"body\": text}",
                          who, what, member ? " " : "", member ? member : "");
}

static pawl_status take_headers(const char *who, const cJSON *object, pawl_http_header *headers,
                                pawl_http_request *request, pawl_error **err) {
    const cJSON *member;
    request->headers = headers;
    cJSON_ArrayForEach(member, object) {
        if (!cJSON_IsString(member))
            return bad_input(err, who, member->string, "there is no text in header");
        if (request->header_count == MOST_INPUT_HEADERS)
            return pawl_error_set(err, PAWL_E_LIMIT, "%s: the input has more than %d headers", who, MOST_INPUT_HEADERS);
        headers[request->header_count++] = (pawl_http_header){.name = member->string, .value = member->valuestring};
    }
    return PAWL_OK;
}

static pawl_status take_member(const char *who, const cJSON *member, pawl_http_header *headers,
                               pawl_http_request *request, pawl_error **err) {
    const char *name = member->string;
    if (strcmp(name, "headers") == 0 && cJSON_IsObject(member))
        return take_headers(who, member, headers, request, err);
    const char *text = cJSON_GetStringValue(member);
    const char **place = strcmp(name, "url") == 0      ? &request->url
                         : strcmp(name, "method") == 0 ? &request->method
                                                       : NULL;
    if (!place && strcmp(name, "body") != 0)
        return bad_input(err, who, name, strcmp(name, "headers") == 0 ? "there is no object in" : "it has no member");
    if (!text)
        return bad_input(err, who, name, "there is no text in");
    if (place)
        *place = text;
    else
        request->body = text, request->body_bytes = strlen(text);
    return PAWL_OK;
}

/* What the request points to is part of the input, but for the list of headers, which is the caller's. */
static pawl_status prepare_default(const char *who, pawl_value *in, pawl_http_header *headers,
                                   pawl_http_request *request, pawl_error **err) {
    const cJSON *json = pawl_value_json(in), *member;
    if (!cJSON_IsObject(json))
        return bad_input(err, who, NULL, "the input is no object");
    cJSON_ArrayForEach(member, json) {
        pawl_status status = take_member(who, member, headers, request, err);
        if (status != PAWL_OK)
            return status;
    }
    return request->url ? PAWL_OK : bad_input(err, who, "url", "the input has no");
}

static pawl_status start_exchange(struct exchange *x, pawl_context *ctx, pawl_value *in, pawl_error **err) {
    pawl_http_header headers[MOST_INPUT_HEADERS];
    pawl_http_request request = {.size = sizeof request};
    const struct http_node *node = x->node;
    pawl_status status = node->prepare ? node->prepare(node->user, ctx, in, &request, err)
                                       : prepare_default(node->who, in, headers, &request, err);
    if (status == PAWL_OK) {
        *err = pawl_error_unref(*err); /* set against the rules: success wins */
        x->transfer = pawl_http_transfer_start(pawl_driving, ctx, node->who, &request, on_done, x, err);
        status = pawl_error_status(*err);
    }
    if (request.release)
        request.release(request.release_user);
    return status;
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
        free(node->who);
    free(node);
}

static struct http_node *make_node(const char *name, pawl_http_prepare prepare, pawl_http_map map, void *user) {
    size_t bytes = strlen(name) + sizeof "http ''";
    struct http_node *node = calloc(1, sizeof *node);
    char *who = node ? malloc(bytes) : NULL;
    if (!who) {
        free(node);
        return NULL;
    }
    snprintf(who, bytes, "http '%s'", name);
    *node = (struct http_node){.who = who, .prepare = prepare, .map = map, .user = user};
    return node;
}

pawl_primitive *pawl_http_new(const char *name, pawl_http_prepare prepare, pawl_http_map map, void *user) {
    static const pawl_async_vtable vtable = {
        .size = sizeof vtable, .start = start, .cancel = cancel, .destroy = destroy_exchange};
    struct leaf_spec spec = {
        .kind = NODE_ASYNC, .name = name, .type = "http", .async = &vtable, .user_destroy = destroy_node};
    spec.user = make_node(name ? name : "", prepare, map, user);
    if (!spec.user)
        pawl_error_set(&spec.failure, PAWL_E_NOMEM, "http '%s': out of memory", name ? name : "");
    return pawl_leaf_new(&spec);
}
