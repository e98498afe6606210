/* The single-edit mutator: each kind of edit turns up on a small program, and nothing that must stay is edited. */
#include "fix/mutator_internal.h"
#include "failing_malloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define ALL 20000

static struct pawl_mutator *mutator(const char *language, const char *text) {
    struct pawl_mutator *m = pawl_mutator_new(
        text, strlen(text), &(struct pawl_mutator_options){.language = language, .max_candidates = ALL});
    assert_non_null(m);
    return m;
}

/* The position of the candidate, counted from 1; 0 when it never comes. */
static int position(const char *language, const char *text, const char *wanted, enum pawl_mutation_kind *ret_kind) {
    struct pawl_mutator *m = mutator(language, text);
    struct pawl_mutation mutation;
    int found = 0;
    for (int at = 1; !found && pawl_mutator_next(m, &mutation); at++) {
        assert_int_equal(strlen(mutation.text), mutation.length);
        if (strcmp(mutation.text, wanted) == 0) {
            found = at;
            *ret_kind = mutation.kind;
        }
    }
    pawl_mutator_free(m);
    return found;
}

static void expect(const char *language, enum pawl_mutation_kind kind, const char *text, const char *wanted) {
    enum pawl_mutation_kind got = PAWL_MUTATION_KINDS;
    if (!position(language, text, wanted, &got))
        fail_msg("no candidate turns\n%s\ninto\n%s", text, wanted);
    assert_string_equal(pawl_mutation_kind_name(got), pawl_mutation_kind_name(kind));
}

static void never(const char *language, const char *text, const char *unwanted) {
    enum pawl_mutation_kind got;
    if (position(language, text, unwanted, &got))
        fail_msg("a candidate turns\n%s\ninto\n%s", text, unwanted);
}

static void python(enum pawl_mutation_kind kind, const char *text, const char *wanted) {
    expect("python", kind, text, wanted);
}

static void operators_become_their_neighbours(void **state) {
    (void)state;
    static const char *const comparisons[] = {"<=", ">", ">=", "==", "!="};
    for (size_t i = 0; i < sizeof comparisons / sizeof *comparisons; i++) {
        char wanted[32];
        snprintf(wanted, sizeof wanted, "x = a %s b\n", comparisons[i]);
        python(PAWL_MUTATION_COMPARISON, "x = a < b\n", wanted);
    }
    python(PAWL_MUTATION_COMPARISON, "x = a in b\n", "x = a not in b\n");
    python(PAWL_MUTATION_COMPARISON, "x = a not in b\n", "x = a in b\n");
    python(PAWL_MUTATION_COMPARISON, "x = a is None\n", "x = a is not None\n");
    python(PAWL_MUTATION_COMPARISON, "x = a is not None\n", "x = a is None\n");
    python(PAWL_MUTATION_ARITHMETIC, "x = a + b\n", "x = a - b\n");
    python(PAWL_MUTATION_ARITHMETIC, "x = a // b\n", "x = a / b\n");
    python(PAWL_MUTATION_ARITHMETIC, "x = a % b\n", "x = a // b\n");
    python(PAWL_MUTATION_ARITHMETIC, "x = a ** b\n", "x = a * b\n");
    python(PAWL_MUTATION_ARITHMETIC, "x = a << b\n", "x = a >> b\n");
    python(PAWL_MUTATION_BOOLEAN, "x = a and b\n", "x = a or b\n");
    python(PAWL_MUTATION_ASSIGNMENT, "x += 1\n", "x -= 1\n");
    python(PAWL_MUTATION_ASSIGNMENT, "x += y\n", "x = y\n");
    python(PAWL_MUTATION_ASSIGNMENT, "s = 0\nfor v in vs:\n    s = v\n", "s = 0\nfor v in vs:\n    s += v\n");
}

static void conditions_are_negated(void **state) {
    (void)state;
    python(PAWL_MUTATION_NEGATION, "if ready(x):\n    go()\n", "if not ready(x):\n    go()\n");
    python(PAWL_MUTATION_NEGATION, "while not done:\n    go()\n", "while done:\n    go()\n");
    python(PAWL_MUTATION_NEGATION, "if a or b == 1:\n    go()\n", "if not (a or b == 1):\n    go()\n");
    python(PAWL_MUTATION_NEGATION, "x = 1 if seen else 2\n", "x = 1 if not seen else 2\n");
    python(PAWL_MUTATION_NEGATION, "x = a and b\n", "x = a and not b\n");
    expect("javascript", PAWL_MUTATION_NEGATION, "if (ready) {\n}\n", "if (!ready) {\n}\n");
    python(PAWL_MUTATION_LITERAL, "x = True\n", "x = False\n");
    python(PAWL_MUTATION_LITERAL, "def f(a):\n    if a:\n        return True\n    return False\n",
           "def f(a):\n    if a:\n        return False\n    return True\n");
}

static void constants_are_off_by_one(void **state) {
    (void)state;
    python(PAWL_MUTATION_CONSTANT, "x = 0\n", "x = 1\n");
    python(PAWL_MUTATION_CONSTANT, "x = 1\n", "x = 0\n");
    python(PAWL_MUTATION_CONSTANT, "x = 41\n", "x = 42\n");
    python(PAWL_MUTATION_CONSTANT, "x = 41\n", "x = 40\n");
    python(PAWL_MUTATION_CONSTANT, "x = 1.0\n", "x = 2.0\n");
    python(PAWL_MUTATION_CONSTANT, "x = a[0]\n", "x = a[-1]\n");
    python(PAWL_MUTATION_CONSTANT, "x = a[-1]\n", "x = a[0]\n");
    python(PAWL_MUTATION_CONSTANT, "x = 7\ny = 3\n", "x = 7\ny = 7\n");
    python(PAWL_MUTATION_OFFSET, "x = a[i]\n", "x = a[i - 1]\n");
    python(PAWL_MUTATION_OFFSET, "x = a[i:j]\n", "x = a[i:j + 1]\n");
    python(PAWL_MUTATION_OFFSET, "for i in range(n):\n    f(i)\n", "for i in range(n + 1):\n    f(i)\n");
    python(PAWL_MUTATION_OFFSET, "for i in range(n):\n    f(i)\n", "for i in range(1, n):\n    f(i)\n");
    python(PAWL_MUTATION_OFFSET, "if i < n:\n    f(i)\n", "if i < n - 1:\n    f(i)\n");
    python(PAWL_MUTATION_OFFSET, "x = len(a) - 1\n", "x = len(a)\n");
}

static void strings_become_empty_or_others(void **state) {
    (void)state;
    python(PAWL_MUTATION_STRING, "x = ' '\n", "x = ''\n");
    python(PAWL_MUTATION_STRING, "x = ''\n", "x = ' '\n");
    python(PAWL_MUTATION_STRING, "x = 'one'\ny = 'two'\n", "x = 'one'\ny = 'one'\n");
    python(PAWL_MUTATION_STRING, "x = '('\n", "x = ')'\n");
    python(PAWL_MUTATION_STRING, "x = 'a'\n", "x = 'A'\n");
}

static void names_become_others_in_scope(void **state) {
    (void)state;
    python(PAWL_MUTATION_NAME, "def f(a, b):\n    return a\n", "def f(a, b):\n    return b\n");
    python(PAWL_MUTATION_FUNCTION, "x = min(a)\n", "x = max(a)\n");
    python(PAWL_MUTATION_FUNCTION, "x = all(a)\n", "x = any(a)\n");
    python(PAWL_MUTATION_FUNCTION, "a.append(b)\n", "a.extend(b)\n");
    python(PAWL_MUTATION_FUNCTION, "x = s.upper()\n", "x = s.lower()\n");
    python(PAWL_MUTATION_FUNCTION, "x = p.left\ny = p.right\n", "x = p.right\ny = p.right\n");
    python(PAWL_MUTATION_FUNCTION, "x = one(1)\ny = two(2)\n", "x = one(1)\ny = one(2)\n");
    never("python", "def f(a):\n    return [x for x in a]\n", "def f(x):\n    return [x for x in a]\n");
    never("python", "def f(a):\n    return a[[x for x in a]]\n", "def f(a):\n    return x[[x for x in a]]\n");
}

static void calls_and_operands_change(void **state) {
    (void)state;
    python(PAWL_MUTATION_ARGUMENTS, "x = f(a, b + 1)\n", "x = f(b + 1, a)\n");
    python(PAWL_MUTATION_ARGUMENTS, "x = f(a, b)\n", "x = f(a)\n");
    python(PAWL_MUTATION_OPERANDS, "x = a - b\n", "x = b - a\n");
    python(PAWL_MUTATION_TERM, "x = a + b * c\n", "x = a\n");
    python(PAWL_MUTATION_TERM, "x = a + b * c\n", "x = b * c\n");
    python(PAWL_MUTATION_TERM, "if a and b:\n    go()\n", "if a:\n    go()\n");
    python(PAWL_MUTATION_GROUPING, "x = a % b - 1\n", "x = a % (b - 1)\n");
    python(PAWL_MUTATION_GROUPING, "x = (a + b) * c\n", "x = a + b * c\n");
    python(PAWL_MUTATION_WRAP, "x = a - b\n", "x = abs(a - b)\n");
    python(PAWL_MUTATION_WRAP, "def f(s):\n    return s\n", "def f(s):\n    return s.strip()\n");
    python(PAWL_MUTATION_WRAP, "def f(s):\n    return s\n", "def f(s):\n    return len(s)\n");
    python(PAWL_MUTATION_WRAP, "def f(a, k):\n    return sum(a)\n", "def f(a, k):\n    return sum(a[:k])\n");
    python(PAWL_MUTATION_UNWRAP, "x = f(a)\n", "x = a\n");
    python(PAWL_MUTATION_UNWRAP, "x = a.sort()\n", "x = a\n");
    python(PAWL_MUTATION_EXPRESSION, "def f(a):\n    return []\n", "def f(a):\n    return [a]\n");
}

static void statements_move_come_and_go(void **state) {
    (void)state;
    python(PAWL_MUTATION_DROP, "a()\nb()\n", "a()\n");
    python(PAWL_MUTATION_DROP, "if a:\n    b()\n", "if a:\n    pass\n");
    python(PAWL_MUTATION_SWAP_LINES, "a()\nb()\n", "b()\na()\n");
    python(PAWL_MUTATION_INDENT, "for a in b:\n    c()\n    return a\n", "for a in b:\n    c()\nreturn a\n");
    python(PAWL_MUTATION_INDENT, "for a in b:\n\tc()\nd()\n", "for a in b:\n\tc()\n\td()\n");
    python(PAWL_MUTATION_JUMP, "while a:\n    break\n", "while a:\n    continue\n");
    python(PAWL_MUTATION_JUMP, "if a:\n    b()\nelif c:\n    d()\n", "if a:\n    b()\nif c:\n    d()\n");
    python(PAWL_MUTATION_INSERT, "while i < n:\n    f()\n", "while i < n:\n    f()\n    i += 1\n");
    python(PAWL_MUTATION_INSERT, "def f():\n    a()\n    b()\n    c()\n",
           "def f():\n    a()\n    b()\n    a()\n    c()\n");
    never("python", "def f(a):\n    b()\n    return a\n", "def f(a):\n    b()\nreturn a\n"); /* out of its function */
    never("javascript", "function f(a) {\n  b();\n  return a;\n}\n", "function f(a) {\n  b();\n}\nreturn a;\n");
    expect("javascript", PAWL_MUTATION_INDENT, "for (;;) {\n  a();\n  b();\n}\n", "for (;;) {\n  a();\n}\nb();\n");
}

static void other_languages_have_their_own_words(void **state) {
    (void)state;
    expect("javascript", PAWL_MUTATION_COMPARISON, "x = a === b;\n", "x = a !== b;\n");
    expect("javascript", PAWL_MUTATION_ASSIGNMENT, "for (;; i++) {\n}\n", "for (;; i--) {\n}\n");
    expect("javascript", PAWL_MUTATION_WRAP, "x = a - b;\n", "x = Math.abs(a - b);\n");
    never("javascript", "x = a / b;\n", "x = a // b;\n");
    never("javascript", "x = /a+1/;\n", "x = /a-1/;\n");
    never("javascript", "x = `1 ${a + 1}`;\n", "x = `1 ${a - 1}`;\n");
    expect("bash", PAWL_MUTATION_COMPARISON, "[ $a -lt 3 ]\n", "[ $a -le 3 ]\n");
    expect("bash", PAWL_MUTATION_ARITHMETIC, "x=$((a + b))\n", "x=$((a - b))\n");
    expect("bash", PAWL_MUTATION_BOOLEAN, "a && b\n", "a || b\n");
    never("bash", "ls a-b\n", "ls a+b\n");
    never("bash", "cat <<EOF\n1 + 1\nEOF\n", "cat <<EOF\n1 - 1\nEOF\n");
    expect("c", PAWL_MUTATION_COMPARISON, "return a < b;\n", "return a <= b;\n");
    expect(NULL, PAWL_MUTATION_CONSTANT, "x = 0;\n", "x = 1;\n");
}

/* The bytes of the part that must stay are at the same place in every candidate, counted from its nearer end. */
static void stays(const char *language, const char *text, const char *part) {
    struct pawl_mutator *m = mutator(language, text);
    struct pawl_mutation mutation;
    int count = 0;
    assert_non_null(strstr(text, part));
    while (pawl_mutator_next(m, &mutation)) {
        count++;
        if (!strstr(mutation.text, part))
            fail_msg("%s: \"%s\" is gone from\n%s", mutation.description, part, mutation.text);
    }
    assert_true(count > 0);
    pawl_mutator_free(m);
}

static void never_edits_comments_docstrings_or_imports(void **state) {
    (void)state;
    stays("python", "# 1 < 2 and True\nx = 1\n", "# 1 < 2 and True\n");
    stays("python", "x = 1\n# 3 < 4 or a == b", "# 3 < 4 or a == b");
    stays("python", "def f(a):\n    '''Is 1 < 2?'''\n    return a\n", "'''Is 1 < 2?'''");
    stays("python", "def f(a):\n    \"Is 1 < 2?\"\n    return a\n", "\"Is 1 < 2?\"");
    stays("python", "import a\nfrom b import c, d\nx = c\n", "import a\nfrom b import c, d\n");
    stays("javascript", "/* a + 1 */\nlet x = 1;\n", "/* a + 1 */");
    stays("javascript", "// 1 < 2\nlet x = 1;\n", "// 1 < 2\n");
    stays("bash", "# 1 -lt 2\nx=$((1 + 1))\n", "# 1 -lt 2\n");
    stays("c", "#include <a.h>\nint x = 1;\n", "#include <a.h>\n");
}

static const char sample[] = "def find(items, wanted):\n"
                             "    low = 0\n"
                             "    high = len(items) - 1\n"
                             "    while low <= high:\n"
                             "        middle = (low + high) // 2\n"
                             "        if items[middle] < wanted:\n"
                             "            low = middle\n"
                             "        else:\n"
                             "            high = middle - 1\n"
                             "    return -1\n";

static void gives_the_same_candidates_in_the_same_order(void **state) {
    (void)state;
    struct pawl_mutator *a = mutator("python", sample), *b = mutator("python", sample);
    struct pawl_mutation x, y;
    int count = 0;
    for (; pawl_mutator_next(a, &x); count++) {
        assert_true(pawl_mutator_next(b, &y));
        assert_string_equal(x.text, y.text);
        assert_string_equal(x.description, y.description);
    }
    assert_false(pawl_mutator_next(b, &y));
    assert_false(pawl_mutator_next(a, &x)); /* and stays at the end */
    assert_true(count > 100);
    pawl_mutator_free(a);
    pawl_mutator_free(b);
}

static void gives_no_candidate_twice_and_never_the_original(void **state) {
    (void)state;
    char *texts[2000];
    int count = 0;
    struct pawl_mutator *m = mutator("python", sample);
    struct pawl_mutation mutation;
    while (pawl_mutator_next(m, &mutation) && count < 2000) {
        assert_string_not_equal(mutation.text, sample);
        for (int i = 0; i < count; i++)
            assert_string_not_equal(mutation.text, texts[i]);
        texts[count++] = strdup(mutation.text);
    }
    while (count > 0)
        free(texts[--count]);
    pawl_mutator_free(m);
}

static void hinted_lines_come_first(void **state) {
    (void)state;
    struct pawl_mutator_hint hints[] = {{.line = 5, .weight = 1},
                                        {.line = 9, .weight = 4},
                                        {.line = 0, .weight = 9},
                                        {.line = 999, .weight = 9},
                                        {.line = 2, .weight = -1}};
    struct pawl_mutator_options options = {.language = "python", .hints = hints, .hint_count = 5};
    struct pawl_mutator *m = pawl_mutator_new(sample, strlen(sample), &options);
    struct pawl_mutation mutation;
    assert_non_null(m);
    assert_true(pawl_mutator_next(m, &mutation));
    assert_int_equal(mutation.line, 9);
    for (int i = 0; i < 10; i++) {
        assert_true(pawl_mutator_next(m, &mutation));
        assert_true(mutation.line == 9 || mutation.line == 5);
    }
    bool other = false; /* but the rest is not left out */
    while (pawl_mutator_next(m, &mutation))
        other = other || mutation.line == 2;
    assert_true(other);
    pawl_mutator_free(m);
}

static void no_line_and_no_kind_keeps_the_others_waiting(void **state) {
    (void)state;
    struct pawl_mutator *m = mutator("python", sample);
    struct pawl_mutation mutation;
    bool lines[11] = {false}, kinds[PAWL_MUTATION_KINDS] = {false};
    int of_lines = 0, of_kinds = 0;
    for (int i = 0; i < 60 && pawl_mutator_next(m, &mutation); i++) {
        of_lines += !lines[mutation.line];
        lines[mutation.line] = true;
        of_kinds += !kinds[mutation.kind];
        kinds[mutation.kind] = true;
    }
    assert_true(of_lines >= 8); /* all but the definition and "else:" */
    assert_true(of_kinds >= 8);
    pawl_mutator_free(m);
}

static void descriptions_say_line_and_change(void **state) {
    (void)state;
    struct pawl_mutator *m = mutator("python", "a()\nif a < b:\n    c()\n");
    struct pawl_mutation mutation;
    bool found = false;
    while (pawl_mutator_next(m, &mutation))
        found = found || strcmp(mutation.description, "line 2: < became <=") == 0;
    assert_true(found);
    pawl_mutator_free(m);
}

static void stops_at_the_number_asked_for(void **state) {
    (void)state;
    struct pawl_mutator_options options = {.language = "python", .max_candidates = 7};
    struct pawl_mutator *m = pawl_mutator_new(sample, strlen(sample), &options);
    struct pawl_mutation mutation;
    int count = 0;
    while (pawl_mutator_next(m, &mutation))
        count++;
    assert_int_equal(count, 7);
    pawl_mutator_free(m);
}

static void line_breaks_and_tabs_are_kept(void **state) {
    (void)state;
    python(PAWL_MUTATION_COMPARISON, "if a < b:\r\n\tc()\r\n", "if a <= b:\r\n\tc()\r\n");
    python(PAWL_MUTATION_SWAP_LINES, "a()\r\nb()\r\n", "b()\r\na()\r\n");
    python(PAWL_MUTATION_DROP, "a()\r\nb()\r\n", "b()\r\n");
    python(PAWL_MUTATION_SWAP_LINES, "a()\nb()", "b()\na()"); /* no line break at the end */
}

static int exhaust(const char *language, const char *text, size_t length) {
    struct pawl_mutator_options options = {.language = language, .max_candidates = length > 65536 ? 50 : 300};
    struct pawl_mutator *m = pawl_mutator_new(text, length, &options);
    struct pawl_mutation mutation;
    int count = 0;
    assert_non_null(m);
    for (; pawl_mutator_next(m, &mutation); count++) {
        for (const char *c = mutation.description; *c; c++)
            assert_true((unsigned char)*c >= ' ');
        assert_true(mutation.length < length + 1000);
    }
    pawl_mutator_free(m);
    return count;
}

static const char *const languages[] = {"python", "javascript", "bash", "c"};

static void empty_and_odd_input_does_no_harm(void **state) {
    (void)state;
    static const char *const odd[] = {"",       "\n",        "'",      "\"\"\"abc",  "'abc\n", "f(((",
                                      ")))",    "x = [1,\n", "`${",    "/* x",       "/[",     "<<EOF\n",
                                      "${x",    "\\",        "x = \\", "if",         "- - -",  "a.b.",
                                      "not in", "for x in",  "=",      "\r\n\r\n\t", "0x",     "1e"};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        for (size_t k = 0; k < 4; k++)
            exhaust(languages[k], odd[i], strlen(odd[i]));
    }
    assert_int_equal(exhaust("python", "", 0), 0);
    assert_int_equal(exhaust("python", NULL, 0), 0);
}

static void binary_junk_does_no_harm(void **state) {
    (void)state;
    unsigned char junk[4096];
    uint32_t seed = 1;
    for (size_t i = 0; i < sizeof junk; i++) {
        seed = seed * 1664525u + 1013904223u;
        junk[i] = (unsigned char)(seed >> 24);
    }
    for (size_t k = 0; k < 4; k++)
        exhaust(languages[k], (const char *)junk, sizeof junk);
}

static void a_megabyte_is_no_trouble(void **state) {
    (void)state;
    static const char *const units[] = {"x = a + b * c[1]\n",       "(",  "a.", "[1, ",
                                        "if a and b:\n    c = d\n", "- ", "\n", "a "};
    const size_t length = (size_t)1 << 20;
    char *text = malloc(length);
    assert_non_null(text);
    for (size_t unit = 0; unit < sizeof units / sizeof *units; unit++) {
        size_t step = strlen(units[unit]);
        for (size_t i = 0; i < length; i++)
            text[i] = units[unit][i % step];
        exhaust("python", text, length);
    }
    free(text);
}

static void too_long_a_text_gets_no_candidates(void **state) {
    (void)state;
    size_t length = PAWL_MUTATOR_MAX_TEXT_BYTES + 1;
    char *text = malloc(length);
    assert_non_null(text);
    memset(text, '1', length);
    assert_int_equal(exhaust("python", text, length), 0);
    free(text);
}

static void reports_every_failed_allocation(void **state) {
    (void)state;
    struct pawl_mutator_hint hint = {.line = 2, .weight = 1};
    struct pawl_mutator_options options = {.language = "python", .hints = &hint, .hint_count = 1};
    for_each_failing_allocation(n) {
        struct pawl_mutator *m = pawl_mutator_new(sample, strlen(sample), &options);
        if (allocations_failed() > 0) {
            assert_null(m);
            continue;
        }
        struct pawl_mutation mutation;
        assert_true(pawl_mutator_next(m, &mutation));
        pawl_mutator_free(m);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operators_become_their_neighbours),
        cmocka_unit_test(conditions_are_negated),
        cmocka_unit_test(constants_are_off_by_one),
        cmocka_unit_test(strings_become_empty_or_others),
        cmocka_unit_test(names_become_others_in_scope),
        cmocka_unit_test(calls_and_operands_change),
        cmocka_unit_test(statements_move_come_and_go),
        cmocka_unit_test(other_languages_have_their_own_words),
        cmocka_unit_test(never_edits_comments_docstrings_or_imports),
        cmocka_unit_test(gives_the_same_candidates_in_the_same_order),
        cmocka_unit_test(gives_no_candidate_twice_and_never_the_original),
        cmocka_unit_test(hinted_lines_come_first),
        cmocka_unit_test(no_line_and_no_kind_keeps_the_others_waiting),
        cmocka_unit_test(descriptions_say_line_and_change),
        cmocka_unit_test(stops_at_the_number_asked_for),
        cmocka_unit_test(line_breaks_and_tabs_are_kept),
        cmocka_unit_test(empty_and_odd_input_does_no_harm),
        cmocka_unit_test(binary_junk_does_no_harm),
        cmocka_unit_test(a_megabyte_is_no_trouble),
        cmocka_unit_test(too_long_a_text_gets_no_candidates),
        cmocka_unit_test(reports_every_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
