/* Values in tests: made of text, compared with text. Each fails the test when it cannot. */
#ifndef VALUES_H
#define VALUES_H

#include <pawl/value.h>

/* A new value parsed from JSON. */
pawl_value *parsed(const char *text);
/* It prints as exactly this. */
void assert_prints(const pawl_value *value, const char *text);
/* A new list of both. @param a, b Taken. */
pawl_value *list_of(pawl_value *a, pawl_value *b);
/* JSON written with single quotes, which C strings hold readably: the text with each ' as ". In one buffer, until the
 * next call. */
const char *double_quoted(const char *text);

#endif
