/* What stands behind a telling name: where the secret begins and ends, and whether it is one. */
#include "redact_internal.h"
#include <string.h>
#include <strings.h>

#define FAR 256u /* bytes looked at behind a faint or weak name */
/* Bytes with letters and digits that make a secret of a weak name's value; twice that of a faint one's. */
#define LOOKS_RANDOM 6u

static bool is_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_quote(char c) {
    return c == '"' || c == '\'' || c == '`';
}

static bool is_letter(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool begins(const char *text, size_t at, size_t end, const char *word) {
    size_t length = strlen(word);
    return end - at >= length && memcmp(text + at, word, length) == 0;
}

/* By us, or as OpenTelemetry's conventions write it in a URL. */
bool pawl_shape_is_hidden(const char *text, const struct pawl_redact_range *range) {
    static const char bare[] = "REDACTED";
    size_t length = range->end - range->start;
    return (length == PAWL_REDACTED_BYTES && begins(text, range->start, range->end, PAWL_REDACTED)) ||
           (length == sizeof bare - 1 && begins(text, range->start, range->end, bare));
}

/* ---- is it a secret? ---- */

/* One word with letters and digits in it. */
static bool looks_random(const char *text, const struct pawl_redact_range *range, size_t least) {
    bool letters = false, digits = false;
    for (size_t i = range->start; i < range->end; i++) {
        if (is_space(text[i]))
            return false;
        letters |= is_letter(text[i]);
        digits |= is_digit(text[i]);
    }
    return letters && digits && range->end - range->start >= least;
}

/* What code, types and configuration have there. */
static bool is_common_word(const char *text, const struct pawl_redact_range *range) {
    static const char *const words[] = {"true",   "false",    "null",     "none",    "nil",     "undefined", "str",
                                        "string", "int",      "integer",  "bool",    "boolean", "bytes",     "void",
                                        "number", "optional", "required", "object",  "any",     "yes",       "no",
                                        "on",     "off",      "missing",  "invalid", "expired", "self",      NULL};
    size_t length = range->end - range->start;
    for (const char *const *word = words; *word; word++)
        if (strlen(*word) == length && strncasecmp(text + range->start, *word, length) == 0)
            return true;
    return false;
}

/* A path of names such as os.environ, a call or an index. */
static bool is_expression(const char *text, size_t length, const struct pawl_redact_range *range) {
    bool dotted = false, digits = false;
    for (size_t i = range->start; i < range->end; i++) {
        if (!is_letter(text[i]) && !is_digit(text[i]) && text[i] != '.')
            return false;
        dotted |= text[i] == '.';
        digits |= is_digit(text[i]);
    }
    if (range->end < length && (text[range->end] == '(' || text[range->end] == '[' || text[range->end] == '{'))
        return true;
    return dotted && !digits;
}

/* $NAME, ${NAME}, $(command), and {{ placeholder }} are filled in later. */
static bool is_placeholder(const char *text, const struct pawl_redact_range *range) {
    if (begins(text, range->start, range->end, "${") || begins(text, range->start, range->end, "$(") ||
        begins(text, range->start, range->end, "{{"))
        return true;
    if (text[range->start] != '$')
        return false;
    for (size_t i = range->start + 1; i < range->end; i++)
        if (!(text[i] >= 'A' && text[i] <= 'Z') && text[i] != '_')
            return false;
    return true;
}

static bool is_plausible(enum pawl_name_kind kind, bool open, const char *text, const struct pawl_redact_range *range) {
    if (kind == PAWL_NAME_FAINT)
        return looks_random(text, range, 2 * LOOKS_RANDOM);
    return kind != PAWL_NAME_WEAK || !open || looks_random(text, range, LOOKS_RANDOM);
}

/* ---- in quotes ---- */

static size_t backslashes_before(const char *text, size_t at, size_t from) {
    size_t count = 0;
    while (at > from && text[at - 1] == '\\') {
        count++;
        at--;
    }
    return count;
}

/* Quotes that were escaped themselves, as in JSON within JSON, end with as many backslashes as they began. */
static size_t closing_quote(const char *text, size_t at, size_t length, char quote, size_t escapes) {
    for (size_t i = at; i < length && text[i] != '\n'; i++) {
        if (text[i] != quote)
            continue;
        size_t count = backslashes_before(text, i, at);
        if (escapes == 0 ? count % 2 == 0 : count <= escapes)
            return i - count * (escapes > 0);
    }
    const char *newline = memchr(text + at, '\n', length - at);
    return newline ? (size_t)(newline - text) : length;
}

/* ---- without quotes ---- */

/* At the beginning of a line, or behind export: as a shell or printenv writes it, up to white space. */
static bool begins_line(const char *text, size_t at) {
    static const char *const words[] = {"export ", "set ", "declare ", "env ", "ENV ", NULL};
    for (const char *const *word = words; *word; word++) {
        size_t length = strlen(*word);
        if (at >= length && memcmp(text + at - length, *word, length) == 0)
            return true;
    }
    return at == 0 || text[at - 1] == '\n';
}

static bool ends_word(char c, bool whole) {
    if (is_space(c) || c == '\0')
        return true;
    return !whole && strchr(",;&|<>(){}[]\"'`\\", c);
}

static size_t word_end(const char *text, size_t at, size_t length, bool whole) {
    while (at < length && (begins(text, at, length, PAWL_REDACTED) || !ends_word(text[at], whole)))
        at += begins(text, at, length, PAWL_REDACTED) ? PAWL_REDACTED_BYTES : 1;
    return at;
}

static bool is_scheme(const char *text, size_t start, size_t end) {
    size_t length = end - start;
    return (length == 6 && strncasecmp(text + start, "bearer", 6) == 0) ||
           (length == 5 && strncasecmp(text + start, "basic", 5) == 0);
}

/* The rest of the line, but not beyond the quote that the header itself began with. */
static size_t header_end(const char *text, const struct pawl_shape_name *name, size_t length) {
    char outer = name->start > 0 && is_quote(text[name->start - 1]) ? text[name->start - 1] : '\n';
    size_t at = name->value;
    while (at < length && text[at] != '\n' && text[at] != '\r' && text[at] != outer)
        at++;
    return at;
}

static bool plain_value(const char *text, size_t length, const struct pawl_shape_name *name,
                        struct pawl_redact_range *range) {
    range->start = name->value;
    if (name->kind == PAWL_NAME_HEADER && name->colon) {
        if (text[range->start] == '{' || text[range->start] == '[')
            return false;
        range->end = header_end(text, name, length);
        while (range->end > range->start && is_space(text[range->end - 1]))
            range->end--;
        return range->end > range->start && !is_common_word(text, range);
    }
    bool open = name->colon || name->spaced; /* may be code */
    bool whole = !open && !name->in_query && begins_line(text, name->start);
    range->end = word_end(text, range->start, length, whole);
    const char *fragment = memchr(text + range->start, '#', range->end - range->start);
    if (name->in_query && fragment)
        range->end = (size_t)(fragment - text);
    if (range->end == range->start || is_placeholder(text, range))
        return false;
    struct pawl_redact_range judged = *range;
    if (range->end + 1 < length && text[range->end] == ' ' && is_scheme(text, range->start, range->end)) {
        judged.start = range->end + 1;
        judged.end = range->end = word_end(text, judged.start, length, whole);
    }
    if (!whole && (is_common_word(text, &judged) || is_expression(text, length, &judged)))
        return false;
    if (name->kind == PAWL_NAME_SOFT) /* an assignment between variables is no secret */
        return name->colon || !name->spaced || looks_random(text, &judged, LOOKS_RANDOM);
    return is_plausible(name->kind, open, text, &judged);
}

static bool find_value(const char *text, size_t length, const struct pawl_shape_name *name,
                       struct pawl_redact_range *range) {
    size_t at = name->value, escapes = 0;
    if (at + 1 < length && strchr("bBrRuU", text[at]) && is_quote(text[at + 1]))
        at++; /* Python's prefixes */
    while (at + escapes < length && text[at + escapes] == '\\')
        escapes++;
    if (at + escapes >= length || !is_quote(text[at + escapes]))
        return plain_value(text, length, name, range) && !pawl_shape_is_hidden(text, range);
    range->start = at + escapes + 1;
    range->end = closing_quote(text, range->start, length, text[at + escapes], escapes);
    return range->end > range->start && !pawl_shape_is_hidden(text, range) &&
           is_plausible(name->kind, false, text, range);
}

/* What is seldom hidden is not looked at far: text made of such names would be looked at again from each. */
bool pawl_shape_value(const char *text, size_t length, const struct pawl_shape_name *name,
                      struct pawl_redact_range *ret_range) {
    bool is_far = name->kind < PAWL_NAME_STRONG && length - name->value > FAR;
    return (!is_far || find_value(text, name->value + FAR, name, ret_range)) &&
           find_value(text, length, name, ret_range);
}

bool pawl_shape_hides_member(const struct pawl_redaction *redaction, const char *name, const char *text) {
    const char *dot = strrchr(name, '.'); /* a namespace tells nothing */
    name = dot ? dot + 1 : name;
    enum pawl_name_kind kind = pawl_name_kind_of(name, strlen(name), redaction->names);
    if (kind == PAWL_NAME_PLAIN)
        return false;
    struct pawl_redact_range range = {0, strlen(text)};
    return range.end > 0 && !pawl_shape_is_hidden(text, &range) && is_plausible(kind, false, text, &range);
}
