/* Error signatures: what stays the same when the same thing goes wrong again. */
#include "execution_view_internal.h"
#include "signature_internal.h"
#include "utf8_internal.h"
#include <ctype.h>
#include <inttypes.h>
#include <pawl/integrations/fix.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define LONG_NUMBER 4 /* digits from which a number is an id, a size or a time and no small count */
#define HASH_TEXT 17  /* '~' and 16 hex digits */

struct pawl_signature_writer {
    char *text;
    size_t used, capacity;
    pawl_digest all; /* of everything, also of what no longer fits */
    bool overflow;
};

static void put(struct pawl_signature_writer *w, const char *bytes, size_t length) {
    pawl_digest_add(&w->all, bytes, length);
    if (length > w->capacity - w->used - 1) {
        length = w->capacity - w->used - 1;
        w->overflow = true;
    }
    memcpy(w->text + w->used, bytes, length);
    w->used += length;
}

static void put_text(struct pawl_signature_writer *w, const char *text) {
    put(w, text, strlen(text));
}

static bool is_word(char c) {
    return isalnum((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

static bool is_path(char c) {
    return is_word(c) || c == '/' || c == '.' || c == '-' || c == '+' || c == '@';
}

static size_t span_of(const char *text, const char *end, bool (*belongs)(char c)) {
    const char *at = text;
    while (at < end && belongs(*at))
        at++;
    return (size_t)(at - text);
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_hex(char c) {
    return isxdigit((unsigned char)c) != 0;
}

static bool is_in_number(char c) {
    return is_digit(c) || c == '.' || c == ':' || c == '-' || c == '/' || c == 'T' || c == 'Z';
}

/* "12:34:56.789", "2031-02-03", "2031-02-03T04:05:06Z": digits and separators, three parts. */
static size_t date_or_time(const char *text, const char *end) {
    size_t length = span_of(text, end, is_in_number), separators = 0;
    while (length > 0 && !is_digit(text[length - 1]) && text[length - 1] != 'Z')
        length--;
    for (size_t i = 1; i + 1 < length; i++)
        if ((text[i] == ':' || text[i] == '-' || text[i] == '/') && is_digit(text[i - 1]) && is_digit(text[i + 1]))
            separators++;
    return separators >= 2 ? length : 0;
}

/* "1.5s", "30 ms": a number with a unit of time. */
static size_t duration(const char *text, const char *end) {
    static const char *const units[] = {"ns", "us",  "ms", "s",      "sec",     "secs",
                                        "m",  "min", "h",  "second", "seconds", "milliseconds"};
    const char *at = text + span_of(text, end, is_digit);
    if (at < end && *at == '.')
        at += 1 + span_of(at + 1, end, is_digit);
    if (at < end && *at == ' ')
        at++;
    size_t length = span_of(at, end, is_word);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (length == strlen(units[i]) && memcmp(at, units[i], length) == 0)
            return (size_t)(at + length - text);
    return 0;
}

/* Whether the text before ends in a word that makes a number a process id. */
static bool follows_process(const char *start, const char *at) {
    static const char *const words[] = {"pid ", "pid=", "pid: ", "process ", "thread ", "[pid "};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t length = strlen(words[i]);
        if ((size_t)(at - start) >= length && strncasecmp(at - length, words[i], length) == 0)
            return true;
    }
    return false;
}

static size_t put_number(struct pawl_signature_writer *w, const char *start, const char *at, const char *end) {
    size_t length = date_or_time(at, end);
    if (length) {
        put_text(w, "<time>");
        return length;
    }
    if (end - at > 2 && at[0] == '0' && (at[1] == 'x' || at[1] == 'X') && is_hex(at[2])) {
        put_text(w, "0x_");
        return 2 + span_of(at + 2, end, is_hex);
    }
    length = duration(at, end);
    if (length) {
        put_text(w, "<duration>");
        return length;
    }
    length = span_of(at, end, is_digit);
    if (length >= LONG_NUMBER || follows_process(start, at))
        put_text(w, "_");
    else
        put(w, at, length);
    return length;
}

/* "/work/dir/program.py" is program.py. */
static size_t put_path(struct pawl_signature_writer *w, const char *at, const char *end) {
    size_t length = span_of(at, end, is_path), last = 0;
    for (size_t i = 0; i + 1 < length; i++)
        if (at[i] == '/')
            last = i + 1;
    if (last == 0 || length < 2)
        put(w, at, length);
    else
        put(w, at + last, length - last);
    return length;
}

static size_t put_next(struct pawl_signature_writer *w, const char *start, const char *at, const char *end) {
    bool in_word = at > start && is_word(at[-1]);
    if (isspace((unsigned char)*at) || iscntrl((unsigned char)*at)) {
        if (w->used > 0 && w->text[w->used - 1] != ' ')
            put(w, " ", 1);
        return 1;
    }
    if (is_digit(*at) && !in_word)
        return put_number(w, start, at, end);
    if (*at == '/' && !in_word)
        return put_path(w, at, end);
    put(w, at, 1);
    return 1;
}

static void put_normalised(struct pawl_signature_writer *w, const char *text) {
    const char *end = text + strlen(text);
    for (const char *at = text; at < end;)
        at += put_next(w, text, at, end);
}

/* ---- what is said about an execution ---- */

static bool is_marker(const char *line, size_t length) {
    return strspn(line, " \t^~") >= length;
}

/* The last line but one of a traceback is the source line that failed: all a bare assert has to say. */
static void put_source_line(struct pawl_signature_writer *w, const char *traceback) {
    const char *end = traceback + strlen(traceback);
    for (int skip = 1; end > traceback;) {
        while (end > traceback && end[-1] == '\n')
            end--;
        const char *line = end;
        while (line > traceback && line[-1] != '\n')
            line--;
        size_t length = (size_t)(end - line);
        if (!is_marker(line, length) && skip-- == 0) {
            char text[160];
            snprintf(text, sizeof text, "%.*s", (int)(length < sizeof text ? length : sizeof text - 1), line);
            put_normalised(w, text);
            return;
        }
        end = line;
    }
}

static void finish(struct pawl_signature_writer *w) {
    while (w->used > 0 && w->text[w->used - 1] == ' ')
        w->used--;
    if (w->overflow) {
        size_t keep = w->capacity - 1 - HASH_TEXT;
        w->used = w->used < keep ? w->used : keep;
    }
    w->used = pawl_utf8_cut(w->text, w->used);
    w->text[w->used] = '\0';
    if (w->overflow)
        snprintf(w->text + w->used, w->capacity - w->used, "~%016" PRIx64, w->all.low_);
}

static void make_valid(char *text, size_t size) {
    size_t length = strlen(text);
    for (size_t at = pawl_utf8_valid(text, length); at < length; at += pawl_utf8_valid(text + at, length - at))
        text[at] = '?';
    text[size - 1] = '\0';
}

void pawl_signature_of_text(const char *head, const char *text, char *ret_text, size_t size) {
    struct pawl_signature_writer w = {.text = ret_text, .capacity = size};
    put_text(&w, head);
    if (text[0])
        put_text(&w, ": ");
    put_normalised(&w, text);
    finish(&w);
    make_valid(ret_text, size);
}

void pawl_error_signature(const pawl_value *result, char ret_text[PAWL_SIGNATURE_BYTES]) {
    struct execution_view view;
    ret_text[0] = '\0';
    if (!pawl_execution_view_read(result, &view) || strcmp(view.outcome, "ok") == 0)
        return;
    struct pawl_signature_writer w = {.text = ret_text, .capacity = PAWL_SIGNATURE_BYTES};
    put_text(&w, view.outcome);
    if (view.error_name[0] && strcmp(view.error_name, view.outcome) != 0) {
        put_text(&w, " ");
        put_normalised(&w, view.error_name);
    }
    if (view.error_value[0] || view.traceback[0])
        put_text(&w, ": ");
    if (view.error_value[0])
        put_normalised(&w, view.error_value);
    else
        put_source_line(&w, view.traceback);
    finish(&w);
    make_valid(ret_text, PAWL_SIGNATURE_BYTES);
}
