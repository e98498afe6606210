/*
 * What node prints about an uncaught error (src/node_errors.cc): the place, the source line, a line of carets, then the
 * error as inspected, its stack, and last of all the version.
 *
 *   /home/user/main.js:2
 *   throw new TypeError("no");
 *   ^
 *
 *   TypeError: no
 *       at Object.<anonymous> (/home/user/main.js:2:7)
 *
 *   Node.js v20.20.2
 */
#include "text_internal.h"

static bool is_carets(struct pawl_text line) {
    size_t carets = 0;
    for (size_t i = 0; i < line.length; i++)
        if (line.at[i] == '^')
            carets++;
        else if (line.at[i] != ' ' && line.at[i] != '\t')
            return false;
    return carets > 0;
}

/* "/home/user/main.js:2", "node:internal/errors:496" */
static bool is_place(struct pawl_text line) {
    size_t digits = 0;
    while (digits < line.length && line.at[line.length - digits - 1] >= '0' && line.at[line.length - digits - 1] <= '9')
        digits++;
    return digits > 0 && digits + 1 < line.length && line.at[line.length - digits - 1] == ':' &&
           (line.at[0] == '/' || pawl_text_begins(line, "node:") || pawl_text_begins(line, "file:") ||
            pawl_text_begins(line, "evalmachine."));
}

/* The text before the version line, if that is the last one. */
static bool before_version(struct pawl_text all, struct pawl_text *ret_body) {
    struct pawl_text text = pawl_text_trim_end(all);
    const char *end = memrchr(text.at, '\n', text.length);
    if (!end || !pawl_text_begins(pawl_text_from(text, end + 1), "Node.js v"))
        return false;
    *ret_body = pawl_text_trim_end((struct pawl_text){text.at, (size_t)(end - text.at)});
    return true;
}

/* The last place with source and carets. error: what follows them. */
static bool find_report(struct pawl_text body, struct pawl_text *ret_trace, struct pawl_text *ret_error) {
    struct pawl_text rest = body, line, two_before = {0}, one_before = {0};
    bool found = false;
    while (pawl_text_line(&rest, &line)) {
        if (is_carets(line) && two_before.at && is_place(two_before)) {
            *ret_trace = pawl_text_from(body, two_before.at);
            *ret_error = rest;
            found = true;
        }
        two_before = one_before;
        one_before = line;
    }
    while (found && ret_error->length > 0 && (ret_error->at[0] == '\n' || ret_error->at[0] == '\r'))
        *ret_error = pawl_text_from(*ret_error, ret_error->at + 1);
    return found && ret_error->length > 0;
}

/* Up to the stack, or node's advice after a value without one. */
static struct pawl_text message_of(struct pawl_text text) {
    struct pawl_text rest = text, line;
    while (pawl_text_line(&rest, &line))
        if (pawl_text_begins(line, "    at ") || pawl_text_begins(line, "(Use `node --trace-uncaught"))
            return pawl_text_trim_end((struct pawl_text){text.at, (size_t)(line.at - text.at)});
    return pawl_text_trim_end(text);
}

static size_t name_length(struct pawl_text text) {
    size_t length = 0;
    for (; length < text.length; length++) {
        unsigned char c = (unsigned char)text.at[length];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$' || c >= 0x80;
        if (!letter && (length == 0 || c < '0' || c > '9'))
            break;
    }
    return length;
}

/* " [ERR_ASSERTION]" between the name and its colon. */
static const char *skip_code(struct pawl_text rest) {
    if (!pawl_text_begins(rest, " ["))
        return rest.at;
    const char *end = memchr(rest.at, ']', rest.length);
    return end ? end + 1 : rest.at;
}

/* "Name [CODE]: message", or "[Name: message]" for an error without stack. */
static void split(struct pawl_text message, struct pawl_uncaught *uncaught) {
    bool bracket = message.length > 0 && message.at[0] == '[';
    struct pawl_text inner = bracket ? pawl_text_from(message, message.at + 1) : message;
    size_t length = name_length(inner);
    struct pawl_text after = pawl_text_from(inner, skip_code(pawl_text_from(inner, inner.at + length)));
    bool alone = after.length == 0 || after.at[0] == '\n';
    uncaught->name = (struct pawl_text){inner.at, length};
    uncaught->value = after;
    if (length > 0 && pawl_text_begins(after, ": ")) {
        uncaught->value = pawl_text_from(after, after.at + 2);
        const char *close = bracket ? memrchr(uncaught->value.at, ']', uncaught->value.length) : NULL;
        if (close)
            uncaught->value.length = (size_t)(close - uncaught->value.at);
    } else if (length == 0 || !alone || length < 5 || memcmp(inner.at + length - 5, "Error", 5) != 0) {
        uncaught->name = (struct pawl_text){"Uncaught", 8};
        uncaught->value = message;
    }
}

bool pawl_uncaught_node(const char *text, size_t length, struct pawl_uncaught *ret_uncaught) {
    struct pawl_text body, error = {0};
    if (!before_version((struct pawl_text){text, length}, &body) || !find_report(body, &ret_uncaught->trace, &error))
        return false;
    split(message_of(error), ret_uncaught);
    return true;
}
