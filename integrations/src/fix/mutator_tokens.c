/* The tokenizer: knows just enough of each language to keep out of comments, strings and patterns. */
#include "mutator_program_internal.h"

#include <stdlib.h>
#include <string.h>

struct scanner {
    struct mutator_program *program;
    size_t at;
    uint32_t row;
    char brackets[256]; /* the innermost ones, to tell { from ( */
    uint32_t nested;
};

/* Longest first. */
static const char *const operators[] = {
    ">>>=", "**=", "//=", ">>=", "<<=", "===",  "!==", "&&=", "||=", "\?\?=", "...", ">>>", "**",
    "//",   "==",  "!=",  "<=",  ">=",  "+=",   "-=",  "*=",  "/=",  "%=",    "&=",  "|=",  "^=",
    "->",   "=>",  ":=",  "&&",  "||",  "\?\?", "?.",  "++",  "--",  "<<",    ">>",  "::",  NULL};

static bool is_name_byte(unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c >= 0x80;
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static char byte_at(const struct scanner *s, size_t offset) {
    return s->at + offset < s->program->length ? s->program->text[s->at + offset] : '\0';
}

static bool starts_with(const struct scanner *s, const char *prefix) {
    size_t length = strlen(prefix);
    return s->program->length - s->at >= length && memcmp(s->program->text + s->at, prefix, length) == 0;
}

static const struct mutator_token *previous(const struct scanner *s) {
    return s->program->token_count > 0 ? &s->program->tokens[s->program->token_count - 1] : NULL;
}

static bool at_line_start(const struct scanner *s) {
    const struct mutator_token *last = previous(s);
    return !last || last->kind == MUTATOR_NEWLINE;
}

/* Takes [at, end) as one token; line breaks inside it are counted. */
static void take(struct scanner *s, enum mutator_token_kind kind, size_t end) {
    struct mutator_program *p = s->program;
    p->tokens[p->token_count++] = (struct mutator_token){.start = (uint32_t)s->at,
                                                         .end = (uint32_t)end,
                                                         .row = s->row,
                                                         .parent = PAWL_NO_INDEX,
                                                         .match = PAWL_NO_INDEX,
                                                         .kind = kind};
    for (; s->at < end; s->at++)
        s->row += p->text[s->at] == '\n';
}

static size_t line_end(const struct scanner *s, size_t at) {
    const char *end = at < s->program->length ? memchr(s->program->text + at, '\n', s->program->length - at) : NULL;
    return end ? (size_t)(end - s->program->text) : s->program->length;
}

/* The end of a string that begins at @p at with @p quote: a line break ends all but those that may span lines. */
static size_t string_end(const struct scanner *s, size_t at, char quote, bool spans_lines, bool escapes) {
    const char *text = s->program->text;
    for (at++; at < s->program->length; at++) {
        if (escapes && text[at] == '\\')
            at++;
        else if (text[at] == quote)
            return at + 1;
        else if (text[at] == '\n' && !spans_lines)
            return at;
    }
    return s->program->length;
}

static size_t triple_end(const struct scanner *s, size_t at, char quote) {
    const char *text = s->program->text;
    for (at += 3; at < s->program->length; at++) {
        if (text[at] == '\\')
            at++;
        else if (text[at] == quote && at + 2 < s->program->length && text[at + 1] == quote && text[at + 2] == quote)
            return at + 3;
    }
    return s->program->length;
}

/* Length of a Python string prefix (r, b, f, u and pairs) in front of a quote, or SIZE_MAX when there is no string. */
static size_t string_prefix(const struct scanner *s) {
    size_t length = 0;
    while (s->program->language->python_strings && length < 2 && byte_at(s, length) &&
           strchr("rRbBfFuU", byte_at(s, length)))
        length++;
    char quote = byte_at(s, length);
    bool template = s->program->language->template_strings || s->program->language->shell;
    return quote == '"' || quote == '\'' || (quote == '`' && template) ? length : SIZE_MAX;
}

static bool take_string(struct scanner *s) {
    size_t prefix = string_prefix(s);
    if (prefix == SIZE_MAX)
        return false;
    const struct mutator_language *language = s->program->language;
    size_t quote_at = s->at + prefix;
    char quote = s->program->text[quote_at];
    bool begins_line = at_line_start(s);
    bool triple = language->python_strings && byte_at(s, prefix + 1) == quote && byte_at(s, prefix + 2) == quote;
    size_t end =
        triple ? triple_end(s, quote_at, quote)
               : string_end(s, quote_at, quote, quote == '`' || language->shell, !(language->shell && quote == '\''));
    if (end > s->program->length)
        end = s->program->length;
    /* A string that is a whole statement is a docstring. */
    bool doc = language->python_strings && begins_line && s->nested == 0;
    take(s, doc ? MUTATOR_OPAQUE : MUTATOR_STRING, end);
    return true;
}

/* A slash begins a pattern where an operand may begin. */
static bool take_pattern(struct scanner *s) {
    if (!s->program->language->patterns || byte_at(s, 0) != '/')
        return false;
    const struct mutator_token *last = previous(s);
    if (last && (last->kind == MUTATOR_NAME || last->kind == MUTATOR_NUMBER || last->kind == MUTATOR_STRING ||
                 last->kind == MUTATOR_CLOSE))
        return false;
    bool in_class = false;
    for (size_t at = s->at + 1; at < s->program->length && s->program->text[at] != '\n'; at++) {
        char c = s->program->text[at];
        if (c == '\\')
            at++;
        else if (c == '[' || c == ']')
            in_class = c == '[';
        else if (c == '/' && !in_class) {
            for (at++; at < s->program->length && is_name_byte((unsigned char)s->program->text[at]);)
                at++;
            take(s, MUTATOR_OPAQUE, at);
            return true;
        }
    }
    return false;
}

static bool skip_comment(struct scanner *s) {
    const struct mutator_language *language = s->program->language;
    if (language->slash_comments && starts_with(s, "/*")) {
        for (s->at += 2; s->at < s->program->length && !starts_with(s, "*/"); s->at++)
            s->row += s->program->text[s->at] == '\n';
        s->at = s->at + 2 < s->program->length ? s->at + 2 : s->program->length;
        return true;
    }
    bool hash = language->hash_comments && byte_at(s, 0) == '#';
    if (hash && language->shell && s->at > 0) /* $# and ${x#y} are no comments */
        hash = strchr(" \t\n;", s->program->text[s->at - 1]) != NULL;
    if (!hash && !(language->slash_comments && starts_with(s, "//")))
        return false;
    s->at = line_end(s, s->at);
    return true;
}

/* ${...} and here-documents are left alone. */
static bool take_shell_opaque(struct scanner *s) {
    if (!s->program->language->shell)
        return false;
    if (starts_with(s, "${")) {
        size_t end = string_end(s, s->at + 1, '}', false, true);
        take(s, MUTATOR_OPAQUE, end < s->program->length ? end : s->program->length);
        return true;
    }
    if (!starts_with(s, "<<") || byte_at(s, 2) == '<')
        return false;
    size_t at = s->at + 2;
    while (at < s->program->length && strchr("-'\"\\ ", s->program->text[at]) && s->program->text[at])
        at++;
    size_t word = at;
    while (at < s->program->length && is_name_byte((unsigned char)s->program->text[at]))
        at++;
    size_t length = at - word;
    if (length == 0 || is_digit(s->program->text[word])) /* 1 << 3 */
        return false;
    for (at = line_end(s, at); at < s->program->length; at = line_end(s, at + 1)) {
        size_t row = at + 1;
        while (row < s->program->length && s->program->text[row] == '\t')
            row++;
        if (line_end(s, row) == row + length && memcmp(s->program->text + row, s->program->text + word, length) == 0) {
            at = row + length;
            break;
        }
    }
    take(s, MUTATOR_OPAQUE, at);
    return true;
}

static void take_number(struct scanner *s) {
    size_t end = s->at;
    const char *text = s->program->text;
    while (end < s->program->length) {
        bool exponent = end > s->at && (text[end] == '+' || text[end] == '-') &&
                        (text[end - 1] == 'e' || text[end - 1] == 'E') && text[s->at + 1] != 'x';
        if (!is_name_byte((unsigned char)text[end]) && text[end] != '.' && !exponent)
            break;
        end++;
    }
    take(s, MUTATOR_NUMBER, end);
}

static void take_name(struct scanner *s) {
    size_t end = s->at;
    while (end < s->program->length && is_name_byte((unsigned char)s->program->text[end]))
        end++;
    const struct mutator_token *last = previous(s);
    bool attribute = last && last->end == s->at && s->program->text[last->start] == '.';
    bool keyword = !attribute && pawl_word_in(s->program->text + s->at, end - s->at, s->program->language->keywords);
    take(s, keyword ? MUTATOR_KEYWORD : MUTATOR_NAME, end);
}

static void take_bracket(struct scanner *s) {
    char c = byte_at(s, 0);
    bool opens = c == '(' || c == '[' || c == '{';
    if (opens) {
        s->brackets[s->nested % sizeof s->brackets] = c;
        s->nested++;
    } else if (s->nested > 0)
        s->nested--;
    take(s, opens ? MUTATOR_OPEN : MUTATOR_CLOSE, s->at + 1);
}

/* -eq and the like are operators of the shell. */
static size_t shell_operator(const struct scanner *s) {
    if (!s->program->language->shell || byte_at(s, 0) != '-' || (s->at > 0 && s->program->text[s->at - 1] != ' '))
        return 0;
    size_t length = 1;
    while (byte_at(s, length) >= 'a' && byte_at(s, length) <= 'z')
        length++;
    return (length == 2 || length == 3) && byte_at(s, length) == ' ' ? length : 0;
}

static void take_operator(struct scanner *s) {
    size_t length = shell_operator(s);
    for (size_t i = 0; !length && operators[i]; i++) {
        if (starts_with(s, operators[i]))
            length = strlen(operators[i]);
    }
    take(s, MUTATOR_OPERATOR, s->at + (length ? length : 1));
}

/* A line break counts in a block and at the top, not within ( or [; in Python not within { either. */
static bool break_counts(const struct scanner *s) {
    if (s->nested == 0)
        return true;
    return !s->program->language->indented &&
           (s->program->language->shell || s->brackets[(s->nested - 1) % sizeof s->brackets] == '{');
}

static void take_break(struct scanner *s) {
    if (at_line_start(s) || !break_counts(s)) {
        s->row++;
        s->at++;
        return;
    }
    take(s, MUTATOR_NEWLINE, s->at + 1);
}

static void scan(struct scanner *s) {
    char c = byte_at(s, 0);
    if (c == '\n')
        take_break(s);
    else if (c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\0')
        s->at++;
    else if (c == '\\' && (byte_at(s, 1) == '\n' || (byte_at(s, 1) == '\r' && byte_at(s, 2) == '\n'))) {
        s->at = line_end(s, s->at) + 1;
        s->row++;
    } else if (skip_comment(s) || take_shell_opaque(s) || take_string(s) || take_pattern(s))
        return;
    else if (is_digit(c) || (c == '.' && is_digit(byte_at(s, 1))))
        take_number(s);
    else if (is_name_byte((unsigned char)c))
        take_name(s);
    else if (strchr("()[]{}", c))
        take_bracket(s);
    else
        take_operator(s);
}

bool pawl_mutator_tokenize(struct mutator_program *program) {
    struct scanner s = {.program = program, .row = 1};
    /* Room for every byte to be a token, up to the bound. */
    size_t capacity = program->length + 1 < PAWL_MUTATOR_TOKEN_BOUND ? program->length + 1 : PAWL_MUTATOR_TOKEN_BOUND;
    program->tokens = calloc(capacity, sizeof *program->tokens);
    if (!program->tokens)
        return false;
    while (s.at < program->length && program->token_count < capacity)
        scan(&s);
    return true;
}
