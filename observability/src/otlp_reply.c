/* What a collector answers: ExportXServiceResponse or google.rpc.Status, as protobuf or JSON; or anything else. It is
 * somebody else's text: bounded, and never trusted. */
#include "json_scan_internal.h"
#include "otlp_exporter_internal.h"
#include "trace_reader_internal.h"
#include "utf8_internal.h"
#include <string.h>

#define JSON_DEPTH 64u

/* ---- the message, fit for a log line ---- */

static void keep_message(struct pawl_otlp_reply *reply, const char *text, size_t length) {
    size_t most = sizeof reply->message;
    if (length > 4 * most)
        length = 4 * most;
    (void)pawl_utf8_lossy_into(text, length, reply->message, most);
    for (char *c = reply->message; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = ' ';
}

/* ---- protobuf ---- */

struct bytes {
    const uint8_t *at, *end;
};

struct field {
    uint64_t number, wire;
    uint64_t value;       /* of a varint */
    struct bytes content; /* of a length-delimited one */
};

static bool read_varint(struct bytes *b, uint64_t *ret_number) {
    *ret_number = 0;
    for (unsigned shift = 0; shift < 64 && b->at < b->end; shift += 7) {
        uint8_t byte = *b->at++;
        *ret_number |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return true;
    }
    return false;
}

static bool skip(struct bytes *b, uint64_t count) {
    if (count > (uint64_t)(b->end - b->at))
        return false;
    b->at += count;
    return true;
}

static bool read_field(struct bytes *b, struct field *field) {
    uint64_t tag;
    if (!read_varint(b, &tag) || tag >> 3 == 0 || tag > UINT32_MAX)
        return false;
    *field = (struct field){.number = tag >> 3, .wire = tag & 7};
    switch (field->wire) {
    case 0:
        return read_varint(b, &field->value);
    case 1:
        return skip(b, 8);
    case 2:
        if (!read_varint(b, &field->value))
            return false;
        field->content.at = b->at;
        if (!skip(b, field->value))
            return false;
        field->content.end = b->at;
        return true;
    case 5:
        return skip(b, 4);
    default:
        return false;
    }
}

/* A negative count is nonsense, and none. */
static uint64_t count_of(uint64_t number) {
    return number > INT64_MAX ? 0 : number;
}

/* Status { 1 code, 2 message } and PartialSuccess { 1 rejected, 2 message } are alike. */
static bool read_pair(struct bytes b, struct pawl_otlp_reply *reply, bool rejects) {
    struct field field;
    while (b.at < b.end) {
        if (!read_field(&b, &field))
            return false;
        if (field.number == 1 && field.wire == 0 && rejects)
            reply->rejected = count_of(field.value);
        if (field.number == 2 && field.wire == 2)
            keep_message(reply, (const char *)field.content.at, (size_t)(field.content.end - field.content.at));
    }
    return true;
}

static bool read_response(struct bytes b, struct pawl_otlp_reply *reply) {
    struct field field;
    while (b.at < b.end) {
        if (!read_field(&b, &field))
            return false;
        if (field.number == 1 && (field.wire != 2 || !read_pair(field.content, reply, true)))
            return false;
    }
    return true;
}

/* ---- JSON ---- */

static void keep_text(struct pawl_otlp_reply *reply, const cJSON *object, const char *name) {
    const char *text = pawl_otlp_text(object, name);
    if (*text)
        keep_message(reply, text, strlen(text));
}

static void read_partial(const cJSON *json, struct pawl_otlp_reply *reply) {
    static const char *const names[] = {"rejectedSpans", "rejectedDataPoints", "rejectedLogRecords"};
    const cJSON *partial = pawl_otlp_get(json, "partialSuccess");
    uint64_t number;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (pawl_otlp_uint(partial, names[i], INT64_MAX, &number) && number > 0)
            reply->rejected = number;
    keep_text(reply, partial, "errorMessage");
}

/* A Status, or what others send: {"error": "text"}, {"error": {"message": "text"}}. */
static void read_problem(const cJSON *json, struct pawl_otlp_reply *reply) {
    keep_text(reply, json, "error");
    keep_text(reply, pawl_otlp_get(json, "error"), "message");
    keep_text(reply, json, "message");
}

static bool read_json(const char *text, size_t bytes, bool success, struct pawl_otlp_reply *reply) {
    struct pawl_json_scan scan = pawl_json_scan(text, bytes, JSON_DEPTH);
    cJSON *json = scan.status == PAWL_OK ? cJSON_ParseWithLength(text + scan.start, bytes - scan.start) : NULL;
    bool is_object = cJSON_IsObject(json);
    if (is_object && success)
        read_partial(json, reply);
    else if (is_object)
        read_problem(json, reply);
    cJSON_Delete(json);
    return is_object;
}

/* ---- either ---- */

static bool read_message(const char *text, size_t bytes, bool success, struct pawl_otlp_reply *reply) {
    size_t blank = 0;
    while (blank < bytes && text[blank] && strchr(" \t\r\n", text[blank]))
        blank++;
    if (blank == bytes || text[blank] == '{') /* in protobuf that would be a group, which OTLP does not have */
        return blank == bytes || read_json(text, bytes, success, reply);
    struct bytes b = {(const uint8_t *)text, (const uint8_t *)text + bytes};
    return success ? read_response(b, reply) : read_pair(b, reply, false);
}

void pawl_otlp_read_reply(const void *body, size_t bytes, bool success, struct pawl_otlp_reply *ret_reply) {
    *ret_reply = (struct pawl_otlp_reply){.understood = false};
    ret_reply->understood = read_message(body, bytes, success, ret_reply);
    if (ret_reply->understood)
        return;
    const char *text = body;
    size_t line = 0;
    while (line < bytes && text[line] != '\n' && text[line] != '\r')
        line++;
    ret_reply->rejected = 0;
    keep_message(ret_reply, text, line);
}
