/* What others wrote may not steer a terminal. */
#include "clean_text_internal.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void expect_cleaned(const char *text, const char *kept, const char *expected) {
    char *cleaned = strdup(text); /* so that its end is watched */
    assert_non_null(cleaned);
    pawl_clean_text(cleaned, kept);
    assert_string_equal(cleaned, expected);
    free(cleaned);
}

static void what_a_terminal_obeys_becomes_a_question_mark(void **state) {
    (void)state;
    expect_cleaned("a\x1b[31m\a\x7f\r\nb\t", "", "a?[31m????b?");
    expect_cleaned("\xc2\x9b|\xc2\x80|\xc2\x9f", "", "?|?|?");                            /* C1 */
    expect_cleaned("\xe2\x80\xae|\xe2\x80\x8f|\xe2\x81\xa6|\xe2\x80\xa8", "", "?|?|?|?"); /* marks of direction */
}

static void what_is_kept_and_all_else_stays(void **state) {
    (void)state;
    expect_cleaned("one\n\ttwo\x1b\r", "\n\t", "one\n\ttwo??");
    expect_cleaned("", "\n", "");
    expect_cleaned("caf\xc3\xa9 \xc2\xa0 \xe2\x80\x94 \xf0\x9f\x98\x80", "",
                   "caf\xc3\xa9 \xc2\xa0 \xe2\x80\x94 \xf0\x9f\x98\x80");
}

static void a_character_that_was_cut_ends_the_text(void **state) {
    (void)state;
    expect_cleaned("a\xf0\x9f\x98", "", "a\xf0\x9f\x98");
    expect_cleaned("\x1b\xe2\x80", "", "?\xe2\x80");
    expect_cleaned("a\xc3", "", "a\xc3");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_terminal_obeys_becomes_a_question_mark),
        cmocka_unit_test(what_is_kept_and_all_else_stays),
        cmocka_unit_test(a_character_that_was_cut_ends_the_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
