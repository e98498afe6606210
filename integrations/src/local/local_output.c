/* Streams and files as they come from the helper: kept up to their limits, counted, and handed on. */
#include <stdlib.h>
#include <string.h>

#include "local_parts.h"

/* Longer than any traceback of a recursion that CPython does not fold. */
#define TAIL_BYTES (256u << 10)

static size_t smaller(uint64_t a, uint64_t b) {
    return (size_t)(a < b ? a : b);
}

/* ---- streams ---- */

static bool reserve(struct local_stream *stream, size_t needed) {
    if (needed < stream->capacity)
        return true;
    size_t capacity = stream->capacity ? stream->capacity : 4096;
    while (capacity <= needed)
        capacity *= 2;
    char *bytes = realloc(stream->kept->bytes, capacity);
    if (!bytes)
        return false;
    stream->kept->bytes = bytes;
    stream->capacity = capacity;
    return true;
}

static bool keep(struct local_stream *stream, const void *bytes, size_t length) {
    pawl_execution_stream *kept = stream->kept;
    if (length == 0)
        return true;
    if (!reserve(stream, (size_t)kept->bytes_kept + length))
        return false;
    memcpy(kept->bytes + kept->bytes_kept, bytes, length);
    kept->bytes_kept += length;
    kept->bytes[kept->bytes_kept] = '\0';
    return true;
}

static void push_tail(struct local_stream *stream, const char *bytes, size_t length) {
    if (length > TAIL_BYTES) {
        bytes += length - TAIL_BYTES;
        length = TAIL_BYTES;
    }
    if (stream->tail_length + length > 2 * TAIL_BYTES) {
        memmove(stream->tail, stream->tail + stream->tail_length - TAIL_BYTES, TAIL_BYTES);
        stream->tail_length = TAIL_BYTES;
    }
    memcpy(stream->tail + stream->tail_length, bytes, length);
    stream->tail_length += length;
}

/* The end of stderr says how the program ended, however much came before. */
static bool keep_tail(struct local_stream *stream, const uint8_t *bytes, size_t length) {
    const pawl_execution_stream *kept = stream->kept;
    if (!stream->tail) {
        stream->tail = malloc(2 * TAIL_BYTES);
        if (!stream->tail)
            return false;
        size_t before = smaller(kept->bytes_kept, TAIL_BYTES);
        push_tail(stream, kept->bytes + kept->bytes_kept - before, before);
    }
    push_tail(stream, (const char *)bytes, length);
    return true;
}

static void hand_on(const struct local_output *output, int stream, const uint8_t *bytes, size_t length) {
    const pawl_execution_handlers *handlers = output->handlers;
    pawl_output_fn fn = !handlers ? NULL : stream == 1 ? handlers->on_stdout : handlers->on_stderr;
    if (fn && length > 0)
        fn(handlers->user, bytes, length);
}

static bool on_output(void *user, int which, const uint8_t *bytes, size_t length) {
    struct local_output *output = user;
    struct local_stream *stream = &output->streams[which];
    pawl_execution_result *result = output->result;
    uint64_t seen = result->stdout_stream.bytes_seen + result->stderr_stream.bytes_seen;
    size_t taken = smaller(length, result->limits.output_total_bytes - seen);
    size_t kept = smaller(taken, result->limits.output_bytes - stream->kept->bytes_kept);
    hand_on(output, which, bytes, taken);
    output->over_total = taken < length;
    stream->kept->bytes_seen += length;
    output->out_of_memory |= !keep(stream, bytes, kept);
    if (kept < length) {
        result->truncated = 1;
        if (which == 2)
            output->out_of_memory |= !keep_tail(stream, bytes + kept, length - kept);
    }
    return !output->over_total && !output->out_of_memory;
}

/* ---- files ---- */

static pawl_collected_kind kind_of(uint32_t kind) {
    switch (kind) {
    case PAWL_RESULT_REGULAR:
        return PAWL_COLLECTED_FILE;
    case PAWL_RESULT_ABSENT:
        return PAWL_COLLECTED_ABSENT;
    case PAWL_RESULT_TOO_LARGE:
        return PAWL_COLLECTED_TOO_LARGE;
    case PAWL_RESULT_SYMLINK:
        return PAWL_COLLECTED_SYMLINK;
    case PAWL_RESULT_DIRECTORY:
        return PAWL_COLLECTED_FOLDER;
    case PAWL_RESULT_OTHER:
        return PAWL_COLLECTED_OTHER;
    default:
        return PAWL_COLLECTED_UNREADABLE;
    }
}

static bool has_content(const pawl_collected_file *file) {
    return file->kind == PAWL_COLLECTED_FILE || file->kind == PAWL_COLLECTED_SYMLINK;
}

static void on_file(void *user, const struct pawl_wire_result *found) {
    struct local_output *output = user;
    if (found->index >= output->result->file_count)
        return;
    pawl_collected_file *file = &output->result->files[found->index];
    file->kind = kind_of(found->kind);
    file->mode = found->mode;
    file->size = found->size;
    if (!has_content(file) || found->size > output->result->limits.collect_bytes)
        return;
    char *bytes = realloc(file->bytes, (size_t)found->size + 1);
    output->out_of_memory |= !bytes;
    if (bytes)
        file->bytes = bytes;
}

static void on_file_data(void *user, uint32_t index, const uint8_t *bytes, size_t length) {
    struct local_output *output = user;
    if (index >= output->result->file_count || output->out_of_memory)
        return;
    pawl_collected_file *file = &output->result->files[index];
    if (!has_content(file) || file->size > output->result->limits.collect_bytes || length > file->size - file->length)
        return;
    memcpy(file->bytes + file->length, bytes, length);
    file->length += length;
    file->bytes[file->length] = '\0';
}

static void on_started(void *user, const struct pawl_wire_started *times) {
    const struct local_output *output = user;
    (void)times;
    if (output->handlers && output->handlers->on_started)
        output->handlers->on_started(output->handlers->user);
}

/* ---- ---- */

void pawl_local_output_init(struct local_output *output, pawl_execution_result *result,
                            const pawl_execution_handlers *handlers) {
    *output = (struct local_output){.result = result, .handlers = handlers};
    output->streams[1].kept = &result->stdout_stream;
    output->streams[2].kept = &result->stderr_stream;
}

struct pawl_helper_sink pawl_local_output_sink(struct local_output *output) {
    return (struct pawl_helper_sink){.on_output = on_output,
                                     .on_file = on_file,
                                     .on_file_data = on_file_data,
                                     .on_started = on_started,
                                     .user = output};
}

const char *pawl_local_output_stderr(const struct local_output *output, size_t *ret_length) {
    const struct local_stream *stream = &output->streams[2];
    *ret_length = stream->tail ? stream->tail_length : (size_t)stream->kept->bytes_kept;
    return stream->tail ? stream->tail : stream->kept->bytes;
}

void pawl_local_output_finish(struct local_output *output) {
    free(output->streams[2].tail);
}
