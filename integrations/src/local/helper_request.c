/* Turns a request into messages, as many whole frames in each as fit, so that an ordinary request is one message. */
#include "helper_parts.h"

#include <string.h>

enum section { LIMITS, EXEC, ARGS, ENV, CWD, BINDS, COLLECT, FILES, END, FINISHED };

struct piece {
    uint32_t type;
    const void *head;
    size_t head_bytes;
    const void *body;
    size_t body_bytes;
};

static uint64_t later(uint64_t time_ns) {
    return time_ns > UINT64_MAX - PAWL_HELPER_MARGIN_NS ? PAWL_UNBOUNDED : time_ns + PAWL_HELPER_MARGIN_NS;
}

static void next_section(struct pawl_helper_encoder *encoder) {
    encoder->section++;
    encoder->index = 0;
    encoder->offset = 0;
}

static bool take_text(struct pawl_helper_encoder *encoder, uint32_t type, const char *text, struct piece *piece) {
    *piece = (struct piece){.type = type, .body = text, .body_bytes = strlen(text)};
    if (piece->body_bytes > PAWL_WIRE_PAYLOAD_MAX)
        encoder->fault = "bad request: an argument, environment variable or path is longer than 65528 bytes; "
                         "pass large data in files or as standard input";
    return !encoder->fault;
}

static bool take_one(struct pawl_helper_encoder *encoder, uint32_t type, const char *text, struct piece *piece) {
    next_section(encoder);
    return text && take_text(encoder, type, text, piece);
}

static bool take_item(struct pawl_helper_encoder *encoder, uint32_t type, const char *const *list,
                      struct piece *piece) {
    if (list && list[encoder->index])
        return take_text(encoder, type, list[encoder->index++], piece);
    next_section(encoder);
    return false;
}

/* A file is a FILE frame with its path (offset 0 of the index), then DATA frames that fill up the message. */
static bool take_file_part(struct pawl_helper_encoder *encoder, struct pawl_wire_file *head, size_t room,
                           struct piece *piece) {
    const struct pawl_helper_request *request = encoder->request;
    size_t which = encoder->index / 2;
    if (which == request->file_count) {
        next_section(encoder);
        return false;
    }
    const struct pawl_helper_file *file = &request->files[which];
    if (encoder->index % 2 == 0) {
        encoder->index++;
        encoder->offset = 0;
        *head = (struct pawl_wire_file){file->folder, file->mode};
        if (!take_text(encoder, PAWL_REQUEST_FILE, file->path, piece))
            return false;
        piece->head = head;
        piece->head_bytes = sizeof *head;
        if (piece->body_bytes > PAWL_WIRE_PAYLOAD_MAX - sizeof *head)
            encoder->fault = "bad request: a file's path is longer than 4095 bytes";
        return !encoder->fault;
    }
    size_t left = file->length - encoder->offset;
    if (left == 0) {
        encoder->index++;
        return false;
    }
    size_t part = left < room ? left : room;
    *piece = (struct piece){
        .type = PAWL_REQUEST_DATA, .body = (const uint8_t *)file->bytes + encoder->offset, .body_bytes = part};
    encoder->offset += part;
    return true;
}

/* One step; false: no piece this time. room: payload bytes that fit the message. */
static bool take_piece(struct pawl_helper_encoder *encoder, struct pawl_wire_file *head, size_t room,
                       struct piece *piece) {
    const struct pawl_helper_request *request = encoder->request;
    switch ((enum section)encoder->section) {
    case LIMITS:
        next_section(encoder);
        encoder->limits = request->limits;
        encoder->limits.wall_ns = later(request->timeout_ns);
        encoder->limits.until_ns = later(encoder->deadline_ns);
        *piece = (struct piece){PAWL_REQUEST_LIMITS, NULL, 0, &encoder->limits, sizeof encoder->limits};
        return true;
    case EXEC:
        return take_one(encoder, PAWL_REQUEST_EXEC, request->exec, piece);
    case ARGS:
        return take_item(encoder, PAWL_REQUEST_ARG, request->argv, piece);
    case ENV:
        return take_item(encoder, PAWL_REQUEST_ENV, request->env, piece);
    case CWD:
        return take_one(encoder, PAWL_REQUEST_CWD, request->cwd, piece);
    case BINDS:
        return take_item(encoder, PAWL_REQUEST_BIND, request->binds, piece);
    case COLLECT:
        return take_item(encoder, PAWL_REQUEST_COLLECT, request->collect, piece);
    case FILES:
        return take_file_part(encoder, head, room, piece);
    case END:
        next_section(encoder);
        *piece = (struct piece){.type = PAWL_REQUEST_END};
        return true;
    case FINISHED:
        break;
    }
    return false;
}

static size_t put(uint8_t *to, const void *from, size_t bytes) {
    if (bytes)
        memcpy(to, from, bytes);
    return bytes;
}

static size_t put_piece(uint8_t *to, const struct piece *piece) {
    struct pawl_wire_frame frame = {piece->type, (uint32_t)(piece->head_bytes + piece->body_bytes)};
    size_t used = put(to, &frame, sizeof frame);
    used += put(to + used, piece->head, piece->head_bytes);
    return used + put(to + used, piece->body, piece->body_bytes);
}

size_t pawl_helper_encode(struct pawl_helper_encoder *encoder, uint8_t *message) {
    size_t used = 0;
    while (encoder->section != FINISHED && !encoder->fault) {
        struct pawl_helper_encoder before = *encoder;
        struct pawl_wire_file head;
        struct piece piece;
        size_t room = PAWL_WIRE_MESSAGE_MAX - used;
        if (room < 512) /* not worth a cut of a file's content */
            break;
        room -= sizeof(struct pawl_wire_frame);
        if (!take_piece(encoder, &head, room, &piece))
            continue;
        if (piece.head_bytes + piece.body_bytes > room) {
            *encoder = before; /* goes first into the next message */
            break;
        }
        used += put_piece(message + used, &piece);
    }
    return encoder->fault ? 0 : used;
}

bool pawl_helper_encoded_all(const struct pawl_helper_encoder *encoder) {
    return encoder->section == FINISHED;
}
