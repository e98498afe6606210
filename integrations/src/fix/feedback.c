/* Feedback: what went wrong, in few bytes, the important part first and never cut. */
#include "execution_view_internal.h"
#include "feedback_internal.h"
#include "redact_internal.h"
#include "utf8_internal.h"
#include <pawl/integrations/fix.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_BYTES 4000u
#define LEAST_BYTES 512u
#define MOST_BYTES ((uint64_t)16 << 20)
#define GAP_BYTES 64u /* of the line that tells what was left out */
#define NOTE_BYTES 96u
#define LONGEST_CYCLE 12u /* lines of a repeated block: a recursion through four functions */

/* ---- repeated blocks ---- */

static const char *line_end(const char *at, const char *end) {
    const char *newline = memchr(at, '\n', (size_t)(end - at));
    return newline ? newline + 1 : end;
}

/* How often the block of `length` bytes at `at` comes again right after itself. */
static size_t count_repeats(const char *at, size_t length, const char *end) {
    size_t repeats = 0;
    while ((size_t)(end - at) >= (repeats + 2) * length && memcmp(at, at + (repeats + 1) * length, length) == 0)
        repeats++;
    return repeats;
}

struct repetition {
    size_t lines, bytes, repeats; /* of the block; 0 repeats: none worth telling */
};

static struct repetition find_repetition(const char *at, const char *end) {
    const char *block_end = at;
    for (size_t lines = 1; lines <= LONGEST_CYCLE && block_end < end; lines++) {
        block_end = line_end(block_end, end);
        size_t bytes = (size_t)(block_end - at);
        if (bytes > (size_t)(end - at) / 2)
            break;
        size_t repeats = count_repeats(at, bytes, end);
        if (repeats >= 2 && repeats * bytes > NOTE_BYTES)
            return (struct repetition){.lines = lines, .bytes = bytes, .repeats = repeats};
    }
    return (struct repetition){0};
}

/* Never makes it longer, so it works in place. */
static size_t collapse(char *text, size_t length) {
    const char *at = text, *end = text + length;
    char *to = text, note[NOTE_BYTES];
    while (at < end) {
        struct repetition found = find_repetition(at, end);
        size_t keep = found.repeats ? found.bytes : (size_t)(line_end(at, end) - at);
        memmove(to, at, keep);
        to += keep;
        at += keep;
        if (!found.repeats)
            continue;
        int wrote = snprintf(note, sizeof note, "[the %zu line%s above %zu more times, %zu bytes]\n", found.lines,
                             found.lines == 1 ? "" : "s", found.repeats, found.repeats * found.bytes);
        size_t bytes = wrote > 0 && (size_t)wrote < sizeof note ? (size_t)wrote : 0;
        memcpy(to, note, bytes);
        to += bytes;
        at += found.repeats * found.bytes;
    }
    return (size_t)(to - text);
}

/* ---- head and tail ---- */

/* The largest cut at or before most that ends a line, else a character. */
static size_t head_cut(const char *text, size_t most) {
    for (size_t cut = most; cut > most / 2; cut--)
        if (text[cut - 1] == '\n')
            return cut;
    return pawl_utf8_cut(text, most);
}

/* The first place at or after least that begins a line, else a character. */
static size_t tail_cut(const char *text, size_t least, size_t length) {
    for (size_t cut = least; cut < least + (length - least) / 2; cut++)
        if (cut == 0 || text[cut - 1] == '\n')
            return cut;
    while (least < length && ((unsigned char)text[least] & 0xc0) == 0x80)
        least++;
    return least;
}

size_t pawl_feedback_trim(const char *text, size_t length, size_t most, char *ret_text) {
    if (length <= most) {
        memcpy(ret_text, text, length);
        return length;
    }
    if (most <= 2 * GAP_BYTES) {
        size_t cut = pawl_utf8_cut(text, most);
        memcpy(ret_text, text, cut);
        return cut;
    }
    size_t room = most - GAP_BYTES, head = head_cut(text, room * 2 / 5); /* the end says more than the beginning */
    size_t tail = tail_cut(text, length - (room - head), length);
    memcpy(ret_text, text, head);
    int wrote = snprintf(ret_text + head, GAP_BYTES, "%s[... %zu bytes left out ...]\n",
                         head && text[head - 1] != '\n' ? "\n" : "", tail - head);
    size_t used = head + (wrote > 0 && (size_t)wrote < GAP_BYTES ? (size_t)wrote : 0);
    memcpy(ret_text + used, text + tail, length - tail);
    return used + length - tail;
}

/* ---- the whole text ---- */

struct feedback {
    char *text;
    size_t used, capacity;
};

static void put(struct feedback *f, const char *bytes, size_t length) {
    size_t room = f->capacity - f->used;
    if (length > room)
        length = pawl_utf8_cut(bytes, room);
    memcpy(f->text + f->used, bytes, length);
    f->used += length;
}

static void put_text(struct feedback *f, const char *text) {
    put(f, text, strlen(text));
}

static void put_how(struct feedback *f, const struct execution_view *view) {
    char text[160];
    put_text(f, "outcome: ");
    put_text(f, view->outcome);
    if (view->signal > 0)
        snprintf(text, sizeof text, ", signal %d, ran %.3f s\n", (int)view->signal, view->seconds);
    else if (view->exit_status >= 0)
        snprintf(text, sizeof text, ", exit status %d, ran %.3f s\n", (int)view->exit_status, view->seconds);
    else
        snprintf(text, sizeof text, ", no exit status, ran %.3f s\n", view->seconds);
    put_text(f, text);
}

/* A quarter of the room at most: an exception may carry a book. */
static void put_error(struct feedback *f, const struct execution_view *view) {
    if (!view->error_name[0] && !view->error_value[0])
        return;
    size_t most = f->capacity / 4, length = strlen(view->error_value);
    put_text(f, "error: ");
    put(f, view->error_name, pawl_utf8_cut(view->error_name, strnlen(view->error_name, most / 2)));
    put_text(f, view->error_value[0] ? ": " : "");
    if (f->capacity - f->used > most)
        f->used += pawl_feedback_trim(view->error_value, length, length < most ? length : most, f->text + f->used);
    put_text(f, "\n");
}

static void put_stream(struct feedback *f, const char *name, const pawl_stream_record *bytes, const char *text,
                       size_t length, size_t most) {
    char title[128];
    if (length == 0 && bytes->seen_bytes == 0)
        return;
    if (bytes->truncated)
        snprintf(title, sizeof title, "%s (%llu bytes, the sandbox kept %llu):\n", name,
                 (unsigned long long)bytes->seen_bytes, (unsigned long long)bytes->kept_bytes);
    else
        snprintf(title, sizeof title, "%s (%zu bytes):\n", name, length);
    put_text(f, title);
    size_t room = f->capacity - f->used;
    most = most < room ? most : room;
    f->used += pawl_feedback_trim(text, length, most, f->text + f->used);
    if (f->used > 0 && f->text[f->used - 1] != '\n')
        put_text(f, "\n");
}

static void put_streams(struct feedback *f, const struct execution_view *view, char *out, size_t out_length, char *err,
                        size_t err_length) {
    size_t err_bytes = collapse(err, err_length), out_bytes = collapse(out, out_length);
    size_t room = f->capacity - f->used, titles = 2 * NOTE_BYTES;
    room = room > titles ? room - titles : 0;
    size_t for_err = room * 3 / 5; /* what one does not need the other may have */
    if (out_bytes < room - for_err)
        for_err = room - out_bytes;
    if (err_bytes < for_err)
        for_err = err_bytes;
    put_stream(f, "stderr", &view->err_bytes, err, err_bytes, for_err);
    put_stream(f, "stdout", &view->out_bytes, out, out_bytes, room - for_err);
}

/* Ends the text and hands it out; what is no UTF-8 (a value made by hand) is repaired. */
static char *finish(struct feedback *f) {
    f->text[f->used] = '\0';
    if (strlen(f->text) == f->used && pawl_utf8_valid(f->text, f->used) == f->used)
        return f->text;
    char *repaired = pawl_utf8_lossy(f->text, f->used, NULL);
    free(f->text);
    if (repaired && strlen(repaired) > f->capacity)
        repaired[pawl_utf8_cut(repaired, f->capacity)] = '\0';
    return repaired;
}

static char *describe_other(const pawl_value *result, struct feedback *f) {
    char *json = pawl_value_print(result);
    if (!json) {
        free(f->text);
        return NULL;
    }
    f->used = pawl_feedback_trim(json, strlen(json), f->capacity, f->text);
    free(json);
    return finish(f);
}

static char *describe(const struct execution_view *view, struct feedback *f) {
    size_t out_length = 0, err_length = 0;
    char *out = pawl_execution_log_text(view->out, &out_length);
    char *err = pawl_execution_log_text(view->err, &err_length);
    char *text = NULL;
    if (out && err) {
        put_how(f, view);
        put_error(f, view);
        put_streams(f, view, out, out_length, err, err_length);
        text = finish(f);
    } else {
        free(f->text);
    }
    free(out);
    free(err);
    return text;
}

static char *word(const pawl_value *shown, size_t most) {
    struct execution_view view;
    struct feedback f = {.text = malloc(most + 1), .capacity = most};
    if (!f.text)
        return NULL;
    if (!pawl_execution_view_read(shown, &view))
        return describe_other(shown, &f);
    return describe(&view, &f);
}

char *pawl_feedback_text(const pawl_value *result, const pawl_feedback_options *options) {
    const struct pawl_redaction redaction = pawl_redaction_here(true);
    uint64_t most =
        options && options->size >= sizeof *options && options->max_bytes ? options->max_bytes : DEFAULT_BYTES;
    most = most < LEAST_BYTES ? LEAST_BYTES : most > MOST_BYTES ? MOST_BYTES : most;
    /* Before anything is cut: half a secret is not known for one. Only references are counted in result. */
    pawl_value *shown = pawl_redact_value(&redaction, result ? (pawl_value *)result : pawl_value_null());
    char *text = shown ? word(shown, (size_t)most) : NULL;
    pawl_value_unref(shown);
    return text;
}

pawl_status pawl_feedback_for_refine(void *user, const pawl_attempt *attempt, pawl_value *candidate, pawl_value *result,
                                     char **ret_text, pawl_error **err) {
    (void)user, (void)candidate;
    char *text = result ? pawl_feedback_text(result, NULL) : strdup(attempt->verdict.signature);
    if (!text)
        return pawl_error_set(err, PAWL_E_NOMEM, "feedback: out of memory");
    *ret_text = text;
    return PAWL_OK;
}
