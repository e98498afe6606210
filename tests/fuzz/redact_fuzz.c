/* Whatever is printed, no known value is left of it, pieces give what the whole gives, and UTF-8 stays UTF-8. The first
 * lines of the input are secrets, up to an empty one; the rest is the text. */
#include "fuzz.h"
#include "redact_internal.h"
#include "utf8_internal.h"

#define SECRETS 4

struct output {
    char *text;
    size_t length, capacity;
};

static void take(void *user, const void *bytes, size_t length) {
    struct output *output = user;
    while (output->capacity - output->length < length) {
        output->capacity = 2 * output->capacity + 256;
        output->text = realloc(output->text, output->capacity);
        require(output->text != NULL);
    }
    memcpy(output->text + output->length, bytes, length);
    output->length += length;
}

/* In pieces whose sizes come from the text itself. */
static void check_stream(const struct pawl_redaction *redaction, const char *text, size_t length, const char *whole,
                         size_t whole_length) {
    struct output output = {NULL, 0, 0};
    struct pawl_redact_stream stream = {.redaction = *redaction, .emit = take, .user = &output};
    for (size_t at = 0; at < length;) {
        size_t piece = (unsigned char)text[at] % 9;
        piece = piece < length - at ? piece : length - at;
        pawl_redact_push(&stream, text + at, piece);
        pawl_redact_push(&stream, text + at + piece, piece < length - at);
        at += piece + (piece < length - at);
    }
    require(pawl_redact_finish(&stream));
    require(output.length == whole_length && (whole_length == 0 || memcmp(output.text, whole, whole_length) == 0));
    free(output.text);
}

/* A value that may be made of the replacement and its neighbours says nothing when it is found. */
static bool is_part_of_replacement(const char *secret, size_t length) {
    return memchr(secret, '[', length) || memchr(secret, ']', length);
}

static void check_text(const struct pawl_redaction *redaction, const char *text, size_t length,
                       const char *const *secrets, const size_t *lengths, size_t count) {
    char *shown = NULL;
    size_t shown_length = length;
    require(pawl_redact_text(redaction, text, length, &shown, &shown_length));
    require(!shown || pawl_redact_needed(redaction, text, length));
    const char *result = shown ? shown : text;
    for (size_t i = 0; i < count; i++)
        require(is_part_of_replacement(secrets[i], lengths[i]) ||
                !memmem(result, shown_length, secrets[i], lengths[i]));
    require(pawl_utf8_valid(text, length) != length || pawl_utf8_valid(result, shown_length) == shown_length);
    if (!redaction->shapes)
        check_stream(redaction, text, length, result, shown_length);
    char small[24];
    size_t wrote = pawl_redact_into(redaction, text, length, small, sizeof small);
    require(wrote < sizeof small && wrote <= shown_length && memcmp(small, result, wrote) == 0);
    free(shown);
}

static bool is_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *at = (const char *)data, *end = at + size, *secrets[SECRETS];
    size_t lengths[SECRETS], count = 0;
    struct pawl_secrets *set = pawl_secrets_new();
    require(set != NULL);
    while (at < end && count < SECRETS) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        size_t length = newline ? (size_t)(newline - at) : (size_t)(end - at);
        const char *line = at;
        at += length + (newline != NULL);
        if (length == 0)
            break;
        for (; length > 0 && is_space(line[0]); length--)
            line++;
        while (length > 0 && is_space(line[length - 1]))
            length--;
        if (pawl_secrets_add(set, line, length, "fuzz", NULL) != PAWL_OK)
            continue;
        secrets[count] = line;
        lengths[count++] = length;
    }
    for (unsigned flags = 0; flags < 4; flags++) {
        const struct pawl_redaction redaction = {.sets = {set, NULL}, .shapes = flags & 1, .cut = flags & 2};
        if (!redaction.cut || redaction.shapes)
            check_text(&redaction, at, (size_t)(end - at), secrets, lengths, count);
    }
    pawl_secrets_free(set);
    return 0;
}
