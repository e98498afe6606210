/* The error object: one allocation that holds message and path, a counted cause, and a static one for when there is no
 * memory. */
#include "error_internal.h"
#include "utf8_internal.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(pawl_error_info) == sizeof(size_t) + 4 * sizeof(int) + sizeof(uint64_t) + sizeof(pawl_error *),
               "padding in a public struct");

struct pawl_error {
    atomic_uint refs;
    bool immortal;
    uint8_t chain;     /* errors from here to the root cause */
    uint16_t left_out; /* causes dropped between this one and its cause */
    pawl_status status;
    pawl_class failure_class; /* never PAWL_CLASS_DEFAULT */
    pawl_started started;
    pawl_cancel_reason reason;
    uint64_t retry_after_ns;
    pawl_error *cause;
    const char *message; /* behind the struct, or static */
    const char *path;    /* behind the message, static, or own_path */
    char *own_path;      /* set later than the error was made; may be NULL */
};

#define OUT_OF_MEMORY(code, class_)                                                                                    \
    [code] = {.immortal = true,                                                                                        \
              .chain = 1,                                                                                              \
              .status = code,                                                                                          \
              .failure_class = PAWL_CLASS_##class_,                                                                    \
              .message = code == PAWL_E_NOMEM ? "out of memory" : "no memory left to describe this error",             \
              .path = ""}

/* Not const: readers and counts of other errors share the type. Never written. */
static pawl_error without_memory[] = {
    OUT_OF_MEMORY(PAWL_E_FAILED, PERMANENT),       OUT_OF_MEMORY(PAWL_E_UNAVAILABLE, TRANSIENT),
    OUT_OF_MEMORY(PAWL_E_RATE_LIMITED, THROTTLED), OUT_OF_MEMORY(PAWL_E_REJECTED, TRANSIENT),
    OUT_OF_MEMORY(PAWL_E_TIMEOUT, TRANSIENT),      OUT_OF_MEMORY(PAWL_E_DEADLINE, PERMANENT),
    OUT_OF_MEMORY(PAWL_E_CANCELLED, PERMANENT),    OUT_OF_MEMORY(PAWL_E_EXHAUSTED, PERMANENT),
    OUT_OF_MEMORY(PAWL_E_INVALID, PERMANENT),      OUT_OF_MEMORY(PAWL_E_DENIED, PERMANENT),
    OUT_OF_MEMORY(PAWL_E_NOT_FOUND, PERMANENT),    OUT_OF_MEMORY(PAWL_E_PROTOCOL, PERMANENT),
    OUT_OF_MEMORY(PAWL_E_LIMIT, PERMANENT),        OUT_OF_MEMORY(PAWL_E_UNSUPPORTED, PERMANENT),
    OUT_OF_MEMORY(PAWL_E_NOMEM, PERMANENT),        OUT_OF_MEMORY(PAWL_E_INTERNAL, PERMANENT),
};

/* Fills in what a smaller, older struct does not have, and mends what no error can be. */
static pawl_error_info complete(const pawl_error_info *given) {
    pawl_error_info info = {.status = PAWL_E_INTERNAL};
    if (given)
        memcpy(&info, given, given->size > 0 && given->size < sizeof info ? given->size : sizeof info);
    if (info.status <= PAWL_OK || info.status > PAWL_E_INTERNAL)
        info.status = PAWL_E_INTERNAL;
    return info;
}

/* Bounds the chain: the newest causes go, since what the root cause says is worth most. */
static void attach_cause(pawl_error *error, pawl_error *cause) {
    while (cause && cause->chain >= PAWL_ERROR_CHAIN) {
        pawl_error *next = pawl_error_ref(cause->cause);
        unsigned left_out = error->left_out + 1u + cause->left_out;
        error->left_out = left_out > UINT16_MAX ? UINT16_MAX : (uint16_t)left_out;
        pawl_error_unref(cause);
        cause = next;
    }
    error->cause = cause;
    error->chain = cause ? cause->chain + 1 : 1;
}

pawl_error *pawl_error_make(const pawl_error_info *info, const char *path, const char *message) {
    pawl_error_info full = complete(info);
    path = path ? path : "";
    message = message ? message : "";
    char text[PAWL_ERROR_MESSAGE_BYTES];
    (void)pawl_utf8_lossy_into(message, strnlen(message, sizeof text + 4), text, sizeof text);
    size_t message_bytes = strlen(text) + 1;
    size_t path_bytes = strlen(path) + 1;

    pawl_error *error = malloc(sizeof *error + message_bytes + path_bytes);
    if (!error) {
        pawl_error_unref(full.cause);
        return &without_memory[full.status];
    }
    char *behind = (char *)(error + 1);
    *error = (pawl_error){.refs = 1,
                          .status = full.status,
                          .failure_class = pawl_failure_class(full.status, full.failure_class, full.started),
                          .started = full.started,
                          .reason = full.reason,
                          .retry_after_ns = full.retry_after_ns,
                          .message = memcpy(behind, text, message_bytes),
                          .path = memcpy(behind + message_bytes, path, path_bytes)};
    attach_cause(error, full.cause);
    return error;
}

pawl_error *pawl_error_with_path(pawl_error *error, const char *path) {
    if (!error || error->immortal || error->path[0] != '\0' || !path || path[0] == '\0')
        return error;
    if (atomic_load_explicit(&error->refs, memory_order_acquire) == 1) {
        size_t bytes = strlen(path) + 1;
        char *own_path = malloc(bytes);
        if (own_path)
            error->path = error->own_path = memcpy(own_path, path, bytes);
        return error;
    }
    pawl_error_info info = {.size = sizeof info,
                            .status = error->status,
                            .failure_class = error->failure_class,
                            .started = error->started,
                            .reason = error->reason,
                            .retry_after_ns = error->retry_after_ns,
                            .cause = pawl_error_ref(error->cause)};
    pawl_error *copy = pawl_error_make(&info, path, error->message);
    if (copy->immortal)
        return error;
    copy->left_out = error->left_out;
    pawl_error_unref(error);
    return copy;
}

pawl_error *pawl_error_ref(pawl_error *error) {
    if (error && !error->immortal)
        atomic_fetch_add_explicit(&error->refs, 1, memory_order_relaxed);
    return error;
}

pawl_error *pawl_error_unref(pawl_error *error) {
    while (error && !error->immortal && atomic_fetch_sub_explicit(&error->refs, 1, memory_order_acq_rel) == 1) {
        pawl_error *cause = error->cause; /* its turn is next: no recursion */
        free(error->own_path);
        free(error);
        error = cause;
    }
    return NULL;
}

/* ---- Making with a format ---- */

static pawl_status store(pawl_error **err, const pawl_error_info *given, const char *format, va_list arguments) {
    pawl_error_info info = complete(given);
    if (!err) {
        pawl_error_unref(info.cause);
        return info.status;
    }
    char message[PAWL_ERROR_MESSAGE_BYTES + 4]; /* longer than is kept, so that a character cut here is not kept */
    if (vsnprintf(message, sizeof message, format, arguments) < 0)
        message[0] = '\0';
    /* The arguments may point into the old error: it goes last. As the new one's cause it has moved. */
    pawl_error *old = *err == info.cause ? NULL : *err;
    info.size = sizeof info;
    *err = pawl_error_make(&info, NULL, message);
    pawl_error_unref(old);
    return info.status;
}

pawl_status pawl_error_set(pawl_error **err, pawl_status status, const char *format, ...) {
    pawl_error_info info = {.size = sizeof info, .status = status};
    va_list arguments;
    va_start(arguments, format);
    status = store(err, &info, format, arguments);
    va_end(arguments);
    return status;
}

pawl_status pawl_error_wrap(pawl_error **err, pawl_status status, pawl_error *cause, const char *format, ...) {
    pawl_error_info info = {.size = sizeof info, .status = status, .cause = cause};
    va_list arguments;
    va_start(arguments, format);
    status = store(err, &info, format, arguments);
    va_end(arguments);
    return status;
}

pawl_status pawl_error_set_info(pawl_error **err, const pawl_error_info *info, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    pawl_status status = store(err, info, format, arguments);
    va_end(arguments);
    return status;
}

/* ---- Readers ---- */

pawl_status pawl_error_status(const pawl_error *error) {
    return error ? error->status : PAWL_OK;
}

const char *pawl_error_message(const pawl_error *error) {
    return error ? error->message : "";
}

const char *pawl_error_path(const pawl_error *error) {
    return error ? error->path : "";
}

const pawl_error *pawl_error_cause(const pawl_error *error) {
    return error ? error->cause : NULL;
}

pawl_class pawl_error_class(const pawl_error *error) {
    return error ? error->failure_class : PAWL_CLASS_DEFAULT;
}

pawl_started pawl_error_started(const pawl_error *error) {
    return error ? error->started : PAWL_STARTED_MAYBE;
}

pawl_cancel_reason pawl_error_cancel_reason(const pawl_error *error) {
    return error ? error->reason : PAWL_CANCEL_NONE;
}

uint64_t pawl_error_retry_after_ns(const pawl_error *error) {
    return error ? error->retry_after_ns : 0;
}

bool pawl_error_is_retryable(const pawl_error *error) {
    return error && pawl_failure_is_retryable(error->status, error->failure_class, error->started);
}

/* ---- Describing ---- */

struct sink {
    char *buffer;
    size_t size;
    size_t total;
};

static void append(struct sink *sink, const char *text) {
    size_t length = strlen(text);
    if (sink->total < sink->size) {
        size_t room = sink->size - sink->total;
        memcpy(sink->buffer + sink->total, text, length < room ? length : room);
    }
    sink->total += length;
}

static void append_one(struct sink *sink, const pawl_error *error) {
    if (error->path[0] != '\0') {
        append(sink, error->path);
        append(sink, ": ");
    }
    append(sink, error->message[0] != '\0' ? error->message : pawl_status_word(error->status));
    if (error->left_out > 0) {
        char note[48];
        (void)snprintf(note, sizeof note, " (%u causes left out)", (unsigned)error->left_out);
        append(sink, note);
    }
}

size_t pawl_error_describe(const pawl_error *error, char *buffer, size_t size) {
    struct sink sink = {.buffer = buffer, .size = size};
    for (const pawl_error *e = error; e; e = e->cause) {
        if (e != error)
            append(&sink, "; caused by: ");
        append_one(&sink, e);
    }
    if (size > 0)
        buffer[sink.total < size ? sink.total : pawl_utf8_cut(buffer, size - 1)] = '\0';
    return sink.total;
}
