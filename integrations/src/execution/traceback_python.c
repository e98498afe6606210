/*
 * CPython's tracebacks, as Lib/traceback.py and Python/pythonrun.c print them:
 *
 *   Traceback (most recent call last):          a header, or "  + Exception Group Traceback ..." with "  | " before
 *     File "main.py", line 1, in <module>       the rest
 *       1/0                                      indented lines
 *   ZeroDivisionError: division by zero         the first line that is not: name and value; what follows is more value
 *
 * A syntax error in the main program has no header and begins with its File line.
 */
#include "text_internal.h"

#define HEADER "Traceback (most recent call last):"
#define GROUP_HEADER "  + Exception Group " HEADER
#define GROUP_MARGIN "  | "

enum state { OUTSIDE, IN_FRAMES, IN_GROUP_FRAMES, IN_SYNTAX_ERROR, IN_VALUE };

struct scan {
    struct pawl_text all;
    enum state state;
    bool any_header;
    bool counts; /* the traceback is of the main program's end */
    bool whole;  /* its exception line was found */
    const char *begin, *value;
    struct pawl_text name;
    struct pawl_text before; /* last line that is not empty */
};

static bool is_name_byte(char c, bool first) {
    unsigned char u = (unsigned char)c;
    if ((u >= 'a' && u <= 'z') || (u >= 'A' && u <= 'Z') || u == '_' || u >= 0x80)
        return true;
    return !first && ((u >= '0' && u <= '9') || u == '.' || u == '<' || u == '>');
}

/* "json.decoder.JSONDecodeError: Extra data" */
static bool take_exception_line(struct scan *scan, struct pawl_text line) {
    size_t length = 0, last_dot = 0;
    for (; length < line.length && is_name_byte(line.at[length], length == 0); length++)
        if (line.at[length] == '.')
            last_dot = length + 1;
    bool alone = length == line.length, with_value = !alone && line.at[length] == ':';
    if (length == last_dot || !(alone || with_value))
        return false;
    scan->name = (struct pawl_text){line.at + last_dot, length - last_dot};
    scan->value = line.at + length;
    if (with_value)
        scan->value += length + 1 < line.length && line.at[length + 1] == ' ' ? 2 : 1;
    scan->whole = true;
    scan->state = IN_VALUE;
    return true;
}

static bool is_chain(struct pawl_text line) {
    return pawl_text_is(line, "During handling of the above exception, another exception occurred:") ||
           pawl_text_is(line, "The above exception was the direct cause of the following exception:");
}

/* Threads, finalizers and forgotten tasks report an error and the program goes on. */
static bool is_side_report(struct pawl_text line) {
    return pawl_text_begins(line, "Exception in thread ") || pawl_text_begins(line, "Exception ignored ") ||
           pawl_text_begins(line, "future: <") || pawl_text_begins(line, "Task exception was never retrieved");
}

static void begin(struct scan *scan, struct pawl_text line, enum state state) {
    bool chained = is_chain(scan->before);
    scan->any_header = true;
    scan->state = state;
    scan->whole = false;
    if (chained && scan->begin)
        return; /* one report with what came before, and as good as that */
    scan->counts = !is_side_report(scan->before);
    scan->begin = line.at;
}

static bool is_syntax_error(struct pawl_text line) {
    return pawl_text_begins(line, "SyntaxError: ") || pawl_text_begins(line, "IndentationError: ") ||
           pawl_text_begins(line, "TabError: ");
}

/* The main program was not compiled, so nothing but the compiler's own words can stand here. */
static void look_for_syntax_error(struct scan *scan, struct pawl_text line) {
    if (scan->any_header || scan->state == IN_VALUE)
        return;
    if (scan->state == OUTSIDE && pawl_text_begins(line, "  File \"")) {
        scan->state = IN_SYNTAX_ERROR;
        scan->begin = line.at;
    } else if (is_syntax_error(line)) {
        scan->begin = scan->state == OUTSIDE ? line.at : scan->begin;
        scan->counts = take_exception_line(scan, line);
    } else if (scan->state == IN_SYNTAX_ERROR && line.length > 0 && line.at[0] != ' ') {
        scan->state = OUTSIDE; /* it was a warning */
    }
}

static void take_frames(struct scan *scan, struct pawl_text line) {
    if (line.length > 0 && line.at[0] == ' ')
        return;
    if (!take_exception_line(scan, line))
        scan->state = OUTSIDE;
}

static void take_group_frames(struct scan *scan, struct pawl_text line) {
    size_t margin = strlen(GROUP_MARGIN);
    if (!pawl_text_begins(line, GROUP_MARGIN)) {
        scan->state = OUTSIDE;
        return;
    }
    take_frames(scan, (struct pawl_text){line.at + margin, line.length - margin});
}

static void take_line(struct scan *scan, struct pawl_text line) {
    if (pawl_text_is(line, HEADER))
        begin(scan, line, IN_FRAMES);
    else if (pawl_text_is(line, GROUP_HEADER))
        begin(scan, line, IN_GROUP_FRAMES);
    else if (scan->state == IN_FRAMES)
        take_frames(scan, line);
    else if (scan->state == IN_GROUP_FRAMES)
        take_group_frames(scan, line);
    else
        look_for_syntax_error(scan, line);
    if (line.length > 0)
        scan->before = line;
}

/* unittest's summary follows its last traceback: an empty line and a rule. A group's members follow its message. */
static struct pawl_text without_rest(struct pawl_text value) {
    static const char *const rests[] = {"\n\n----------", "\n  +-+----------"};
    for (size_t i = 0; i < sizeof rests / sizeof rests[0]; i++) {
        const char *rest = memmem(value.at, value.length, rests[i], strlen(rests[i]));
        if (rest)
            value.length = (size_t)(rest - value.at);
    }
    return value;
}

bool pawl_uncaught_python(const char *text, size_t length, struct pawl_uncaught *ret_uncaught) {
    struct scan scan = {.all = {text, length}};
    struct pawl_text rest = scan.all, line;
    while (pawl_text_line(&rest, &line))
        take_line(&scan, line);
    if (!scan.whole || !scan.counts)
        return false;
    ret_uncaught->name = scan.name;
    ret_uncaught->value = pawl_text_trim_end(without_rest(pawl_text_from(scan.all, scan.value)));
    ret_uncaught->trace = pawl_text_trim_end(pawl_text_from(scan.all, scan.begin));
    return true;
}
