/* Known values in output that arrives in pieces: what may be the beginning of one waits for the next piece. */
#include "redact_internal.h"
#include <stdlib.h>
#include <string.h>

static bool keep(struct pawl_redact_stream *stream, const char *bytes, size_t length) {
    if (stream->capacity - stream->held_length < length) {
        size_t capacity = 2 * stream->capacity + length;
        char *held = malloc(capacity); /* not realloc(): what it leaves behind would not be wiped */
        if (!held)
            return false;
        if (stream->held) {
            memcpy(held, stream->held, stream->held_length);
            explicit_bzero(stream->held, stream->capacity);
            free(stream->held);
        }
        stream->held = held;
        stream->capacity = capacity;
    }
    memcpy(stream->held + stream->held_length, bytes, length);
    stream->held_length += length;
    return true;
}

static void emit(const struct pawl_redact_stream *stream, const char *bytes, size_t length) {
    if (length > 0)
        stream->emit(stream->user, bytes, length);
}

/* How much of the text can be decided on: up to the first place where a value may have begun and not ended. */
static size_t decided(const struct pawl_redact_stream *stream, const char *text, size_t length) {
    size_t longest = pawl_secrets_longest(&stream->redaction);
    size_t at = longest > 0 && length >= longest ? length - longest + 1 : 0;
    while (longest > 0 && at < length && !pawl_secrets_may_begin(&stream->redaction, text, at, length))
        at++;
    return longest > 0 ? at : length;
}

/* The first `most` bytes of the text; what follows is looked at, and may be all there is. */
static void pass(struct pawl_redact_stream *stream, const char *text, size_t most, size_t length) {
    size_t shown = 0; /* what was not hidden and is not emitted begins here */
    for (size_t at = 0; at < most;) {
        if (stream->hidden == 0 && !stream->touches) {
            at = pawl_secrets_skip(&stream->redaction, text, at, length);
            if (at >= most)
                break;
        }
        size_t found = pawl_secrets_match(&stream->redaction, text, at, length);
        if (found > 0 && stream->hidden == 0 && !stream->touches) {
            emit(stream, text + shown, at - shown);
            emit(stream, PAWL_REDACTED, PAWL_REDACTED_BYTES);
        }
        stream->hidden = found > stream->hidden ? found : stream->hidden;
        stream->touches = stream->hidden > 0;
        stream->hidden -= stream->hidden > 0;
        at++;
        shown = stream->touches ? at : shown;
    }
    emit(stream, text + shown, most - shown);
}

void pawl_redact_push(struct pawl_redact_stream *stream, const void *bytes, size_t length) {
    if (stream->failed)
        return;
    bool whole = stream->held_length == 0; /* the piece need not be copied */
    if (!whole && !keep(stream, bytes, length)) {
        stream->failed = true;
        return;
    }
    const char *text = whole ? bytes : stream->held;
    length = whole ? length : stream->held_length;
    size_t done = decided(stream, text, length);
    pass(stream, text, done, length);
    if (whole) {
        stream->failed = done < length && !keep(stream, text + done, length - done);
    } else {
        stream->held_length -= done;
        memmove(stream->held, stream->held + done, stream->held_length);
    }
}

bool pawl_redact_finish(struct pawl_redact_stream *stream) {
    if (!stream->failed && stream->held_length > 0)
        pass(stream, stream->held, stream->held_length, stream->held_length);
    if (stream->held)
        explicit_bzero(stream->held, stream->capacity);
    free(stream->held);
    stream->held = NULL;
    stream->held_length = stream->capacity = 0;
    return !stream->failed;
}
