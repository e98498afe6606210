#include "failing_malloc.h"
#include <pawl/integrations/fix.h>

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void assert_diff(const char *from, const char *to, const char *expected) {
    char *diff = pawl_unified_diff(from, to, "a.py", "b.py");
    assert_non_null(diff);
    assert_string_equal(diff, expected);
    free(diff);
}

#define HEAD "--- a.py\n+++ b.py\n"

static void equal_texts_have_no_diff(void **state) {
    (void)state;
    assert_diff("", "", "");
    assert_diff("one\ntwo\n", "one\ntwo\n", "");
}

static void shows_three_lines_around_a_change(void **state) {
    (void)state;
    assert_diff("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nfive\n6\n7\n8\n9\n",
                HEAD "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n");
}

static void joins_changes_that_are_near_and_parts_those_that_are_not(void **state) {
    (void)state;
    assert_diff("a\n1\n2\n3\n4\n5\n6\nb\n", "A\n1\n2\n3\n4\n5\n6\nB\n",
                HEAD "@@ -1,8 +1,8 @@\n-a\n+A\n 1\n 2\n 3\n 4\n 5\n 6\n-b\n+B\n");
    assert_diff("a\n1\n2\n3\n4\n5\n6\n7\nb\n", "A\n1\n2\n3\n4\n5\n6\n7\nB\n",
                HEAD "@@ -1,4 +1,4 @@\n-a\n+A\n 1\n 2\n 3\n@@ -6,4 +6,4 @@\n 5\n 6\n 7\n-b\n+B\n");
}

static void counts_ranges_as_diff_does(void **state) {
    (void)state;
    assert_diff("", "one\n", HEAD "@@ -0,0 +1 @@\n+one\n");
    assert_diff("one\n", "", HEAD "@@ -1 +0,0 @@\n-one\n");
    assert_diff("1\n2\n", "1\nnew\n2\n", HEAD "@@ -1,2 +1,3 @@\n 1\n+new\n 2\n");
}

static void tells_a_missing_line_end(void **state) {
    (void)state;
    assert_diff("one\ntwo", "one\ntwo\n", HEAD "@@ -1,2 +1,2 @@\n one\n-two\n\\ No newline at end of file\n+two\n");
    assert_diff("a\nsame", "b\nsame", HEAD "@@ -1,2 +1,2 @@\n-a\n+b\n same\n\\ No newline at end of file\n");
}

static void finds_moved_and_repeated_lines_by_the_longest_common_part(void **state) {
    (void)state;
    assert_diff("x\ny\nz\n", "y\nz\nx\n", HEAD "@@ -1,3 +1,3 @@\n-x\n y\n z\n+x\n");
    assert_diff("}\n}\n}\n", "}\n}\n", HEAD "@@ -1,3 +1,2 @@\n }\n }\n-}\n");
}

/* Applies a diff to from; what comes out must be to. */
static char *apply(const char *from, const char *diff) {
    char *out = calloc(1, strlen(from) + strlen(diff) + 1);
    size_t line = 1;
    for (const char *at = diff; *at; at = strchr(at, '\n') + 1) {
        size_t length = (size_t)(strchr(at, '\n') + 1 - at), start, count = 1;
        if (strncmp(at, "--- ", 4) == 0 || strncmp(at, "+++ ", 4) == 0)
            continue;
        if (sscanf(at, "@@ -%zu,%zu", &start, &count) >= 1) {
            for (start += count == 0; line < start; line++) {
                size_t bytes = (size_t)(strchr(from, '\n') + 1 - from);
                strncat(out, from, bytes);
                from += bytes;
            }
            continue;
        }
        if (at[0] != '-')
            strncat(out, at + 1, length - 1);
        if (at[0] != '+') {
            assert_int_equal(strncmp(from, at + 1, length - 1), 0);
            from += length - 1;
            line++;
        }
    }
    return strcat(out, from);
}

static void any_diff_applies(void **state) {
    (void)state;
    srand(7);
    for (int round = 0; round < 500; round++) {
        char from[400] = "", to[400] = "";
        for (int i = 0; i < 60; i++) {
            const char *line = (const char *[]){"a\n", "b\n", "\n", "long line\n"}[rand() % 4];
            if (rand() % 8)
                strcat(from, line);
            if (rand() % 8)
                strcat(to, line);
        }
        char *diff = pawl_unified_diff(from, to, "a", "b"), *applied = apply(from, diff);
        assert_string_equal(applied, to);
        free(applied);
        free(diff);
    }
}

static void a_huge_difference_is_taken_as_replaced(void **state) {
    (void)state;
    size_t lines = 3000;
    char *from = calloc(lines, 8), *to = calloc(lines, 8);
    for (size_t i = 0; i < lines; i++) {
        sprintf(from + strlen(from), "%zu\n", i);
        sprintf(to + strlen(to), "%zu\n", lines - i);
    }
    char *diff = pawl_unified_diff(from, to, "a", "b"), *applied = apply(from, diff);
    assert_string_equal(applied, to);
    free(applied);
    free(diff);
    free(from);
    free(to);
}

static void running_out_of_memory_gives_none(void **state) {
    (void)state;
    for_each_failing_allocation(n) {
        char *diff = pawl_unified_diff("1\n2\n3\n", "1\n4\n3\n5\n", "a", "b");
        assert_int_equal(diff == NULL, allocations_failed() > 0);
        free(diff);
    }
}

static void no_text_is_an_empty_one(void **state) {
    (void)state;
    char *diff = pawl_unified_diff(NULL, "a\n", "p", "p");
    assert_string_equal(diff, "--- p\n+++ p\n@@ -0,0 +1 @@\n+a\n");
    free(diff);
    diff = pawl_unified_diff(NULL, NULL, NULL, NULL);
    assert_string_equal(diff, "");
    free(diff);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_text_is_an_empty_one),
        cmocka_unit_test(equal_texts_have_no_diff),
        cmocka_unit_test(shows_three_lines_around_a_change),
        cmocka_unit_test(joins_changes_that_are_near_and_parts_those_that_are_not),
        cmocka_unit_test(counts_ranges_as_diff_does),
        cmocka_unit_test(tells_a_missing_line_end),
        cmocka_unit_test(finds_moved_and_repeated_lines_by_the_longest_common_part),
        cmocka_unit_test(any_diff_applies),
        cmocka_unit_test(a_huge_difference_is_taken_as_replaced),
        cmocka_unit_test(running_out_of_memory_gives_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
