/*
 * What an interpreter printed about the uncaught error that ended it.
 *
 * The text comes from the program and cannot be trusted: a program may print what a dying interpreter prints and end
 * with the same status, and nothing here can tell. What is ruled out is what can be: a traceback that was logged, or
 * came from a thread, before the program went on and ended otherwise.
 */
#ifndef PAWL_EXECUTION_TRACEBACK_H
#define PAWL_EXECUTION_TRACEBACK_H

#include <stdbool.h>
#include <stddef.h>

struct pawl_text {
    const char *at;
    size_t length;
};

/* Pieces of the text that was given. */
struct pawl_uncaught {
    struct pawl_text name;  /* without module: "JSONDecodeError" */
    struct pawl_text value; /* may have several lines; empty */
    struct pawl_text trace; /* all of it, chained ones too */
};

/* CPython, 3.8 to 3.14: the last traceback that reaches the end of the text. */
bool pawl_uncaught_python(const char *text, size_t length, struct pawl_uncaught *ret_uncaught);
/* Node: what stands before its version line at the end of the text. A thrown value that is no Error has the name
 * "Uncaught". */
bool pawl_uncaught_node(const char *text, size_t length, struct pawl_uncaught *ret_uncaught);

#endif
