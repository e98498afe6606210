#include "request.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct payload {
    const uint8_t *bytes;
    size_t length;
};

__attribute__((format(printf, 2, 3))) static enum request_event bad(struct request *request, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(request->fault, sizeof request->fault, format, args);
    va_end(args);
    return REQUEST_BAD;
}

static enum request_event bad_path(struct request *request, const char *what, struct payload path, const char *fault) {
    int shown = path.length < 80 ? (int)path.length : 80;
    return bad(request, "%s '%.*s' %s", what, shown, (const char *)path.bytes, fault);
}

/* A NUL-terminated copy in the arena, or NULL with the fault set. */
static char *copy_string(struct request *request, const char *what, struct payload text) {
    if (memchr(text.bytes, '\0', text.length)) {
        bad(request, "%s contains a NUL byte", what);
        return NULL;
    }
    if (text.length >= sizeof request->arena - request->used) {
        bad(request, "arguments, environment and paths are larger than %u bytes together", PAWL_WIRE_HEAD_BYTES_MAX);
        return NULL;
    }
    char *copy = request->arena + request->used;
    memcpy(copy, text.bytes, text.length);
    copy[text.length] = '\0';
    request->used += text.length + 1;
    return copy;
}

static enum request_event take_limits(struct request *request, struct payload payload) {
    struct pawl_wire_limits *limits = &request->limits;
    if (request->has_limits || payload.length != sizeof *limits)
        return bad(request, request->has_limits ? "two LIMITS frames" : "a LIMITS frame of the wrong size");
    memcpy(limits, payload.bytes, sizeof *limits);
    if (limits->scratch_bytes == PAWL_UNBOUNDED || limits->scratch_inodes == PAWL_UNBOUNDED ||
        limits->collect_file_bytes == PAWL_UNBOUNDED || limits->collect_total_bytes == PAWL_UNBOUNDED)
        return bad(request, "scratch and result limits must be finite");
    if (limits->allow_missing & ~(uint64_t)PAWL_OPTIONAL_MECHANISMS)
        return bad(request, "the request allows a mechanism to be missing that a sandbox cannot be without");
    request->has_limits = true;
    return REQUEST_HEAD;
}

static enum request_event take_arg(struct request *request, struct payload payload) {
    if (request->argc == PAWL_WIRE_ARGS_MAX)
        return bad(request, "more than %d arguments", PAWL_WIRE_ARGS_MAX);
    char *copy = copy_string(request, "an argument", payload);
    if (!copy)
        return REQUEST_BAD;
    request->argv[request->argc++] = copy;
    return REQUEST_HEAD;
}

static enum request_event take_env(struct request *request, struct payload payload) {
    const uint8_t *equals = memchr(payload.bytes, '=', payload.length);
    if (request->env_count == PAWL_WIRE_ENV_MAX)
        return bad(request, "more than %d environment variables", PAWL_WIRE_ENV_MAX);
    if (!equals || equals == payload.bytes)
        return bad(request, "an environment variable is not of the form NAME=value");
    char *copy = copy_string(request, "an environment variable", payload);
    if (!copy)
        return REQUEST_BAD;
    request->env[request->env_count++] = copy;
    return REQUEST_HEAD;
}

static enum request_event take_relative(struct request *request, const char *what, struct payload payload,
                                        const char **ret_path) {
    const char *fault = pawl_wire_path_fault((const char *)payload.bytes, payload.length);
    if (fault)
        return bad_path(request, what, payload, fault);
    *ret_path = copy_string(request, what, payload);
    return *ret_path ? REQUEST_HEAD : REQUEST_BAD;
}

/* The rest of an absolute path must pass the same test as a relative one. */
static enum request_event take_absolute(struct request *request, const char *what, struct payload payload,
                                        const char **ret_path) {
    if (payload.length < 2 || payload.bytes[0] != '/')
        return bad_path(request, what, payload, "is not absolute");
    const char *fault = pawl_wire_path_fault((const char *)payload.bytes + 1, payload.length - 1);
    if (fault)
        return bad_path(request, what, payload, fault);
    *ret_path = copy_string(request, what, payload);
    return *ret_path ? REQUEST_HEAD : REQUEST_BAD;
}

static enum request_event take_head(struct request *request, uint32_t type, struct payload payload) {
    switch (type) {
    case PAWL_REQUEST_LIMITS:
        return take_limits(request, payload);
    case PAWL_REQUEST_ARG:
        return take_arg(request, payload);
    case PAWL_REQUEST_ENV:
        return take_env(request, payload);
    case PAWL_REQUEST_EXEC:
        if (request->exec)
            return bad(request, "two EXEC frames");
        return take_absolute(request, "executable", payload, &request->exec);
    case PAWL_REQUEST_CWD:
        if (request->cwd)
            return bad(request, "two working directories");
        return take_relative(request, "working directory", payload, &request->cwd);
    case PAWL_REQUEST_BIND:
        if (request->bind_count == PAWL_WIRE_BINDS_MAX)
            return bad(request, "more than %d read-only folders", PAWL_WIRE_BINDS_MAX);
        return take_absolute(request, "read-only folder", payload, &request->binds[request->bind_count++]);
    case PAWL_REQUEST_COLLECT:
        if (request->collect_count == PAWL_WIRE_COLLECT_MAX)
            return bad(request, "more than %d result files", PAWL_WIRE_COLLECT_MAX);
        return take_relative(request, "result file", payload, &request->collect[request->collect_count++]);
    default:
        return bad(request, "a frame of unknown type %u; library and helper differ, install them together", type);
    }
}

static const char *head_fault(const struct request *request) {
    if (!request->has_limits)
        return "no LIMITS frame";
    if (request->limits.flags & PAWL_LIMITS_PROBE)
        return NULL;
    if (!request->exec)
        return "no EXEC frame";
    return request->argc == 0 ? "no arguments, not even the program's name" : NULL;
}

static enum request_event take_file(struct request *request, struct payload payload, struct request_item *item) {
    struct pawl_wire_file file;
    if (payload.length < sizeof file)
        return bad(request, "a FILE frame of the wrong size");
    memcpy(&file, payload.bytes, sizeof file);
    struct payload path = {payload.bytes + sizeof file, payload.length - sizeof file};
    const char *fault = pawl_wire_path_fault((const char *)path.bytes, path.length);
    if (fault)
        return bad_path(request, "file", path, fault);
    if (file.folder > PAWL_FOLDER_PROGRAM || file.mode > 0777)
        return bad_path(request, "file", path, "has an unknown folder or mode");
    if (request->file_count++ == PAWL_WIRE_FILES_MAX)
        return bad(request, "more than %d files", PAWL_WIRE_FILES_MAX);
    item->folder = file.folder;
    item->mode = file.mode;
    memcpy(item->path, path.bytes, path.length);
    item->path[path.length] = '\0';
    request->in_files = true;
    return REQUEST_FILE;
}

static enum request_event take(struct request *request, uint32_t type, struct payload payload,
                               struct request_item *item) {
    if (type == PAWL_REQUEST_DATA) {
        if (!request->in_files)
            return bad(request, "a DATA frame before any FILE");
        item->bytes = payload.bytes;
        item->length = payload.length;
        return REQUEST_DATA;
    }
    if (type != PAWL_REQUEST_FILE && type != PAWL_REQUEST_END)
        return request->in_files ? bad(request, "a frame of type %u after the files", type)
                                 : take_head(request, type, payload);
    const char *fault = head_fault(request);
    if (fault)
        return bad(request, "%s", fault);
    if (type == PAWL_REQUEST_FILE)
        return take_file(request, payload, item);
    request->ended = true;
    return REQUEST_END;
}

enum request_event request_next(struct request *request, const uint8_t *message, size_t length, size_t *offset,
                                struct request_item *item) {
    struct pawl_wire_frame frame;
    size_t left = length - *offset;
    if (request->ended)
        return bad(request, "a frame after END");
    if (left < sizeof frame)
        return bad(request, "a message ends in the middle of a frame");
    memcpy(&frame, message + *offset, sizeof frame);
    if (frame.length > left - sizeof frame)
        return bad(request, "a frame is longer than its message");
    struct payload payload = {message + *offset + sizeof frame, frame.length};
    *offset += sizeof frame + frame.length;
    return take(request, frame.type, payload, item);
}
