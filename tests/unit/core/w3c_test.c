#include "failing_malloc.h"
#include "w3c_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TRACE "0af7651916cd43dd8448eb211c80319c"
#define PARENT "b7ad6b7169203331"
#define REST "-" TRACE "-" PARENT

static const uint8_t trace_id[16] = {0x0a, 0xf7, 0x65, 0x19, 0x16, 0xcd, 0x43, 0xdd,
                                     0x84, 0x48, 0xeb, 0x21, 0x1c, 0x80, 0x31, 0x9c};
static const uint8_t parent_id[8] = {0xb7, 0xad, 0x6b, 0x71, 0x69, 0x20, 0x33, 0x31};

/* ---- traceparent ---- */

static void assert_joined(const char *text, uint8_t flags) {
    struct pawl_traceparent parent = {0};
    if (!pawl_w3c_parse_traceparent(text, &parent))
        fail_msg("'%s' was ignored", text);
    assert_memory_equal(parent.trace_id, trace_id, 16);
    assert_memory_equal(parent.parent_id, parent_id, 8);
    assert_int_equal(parent.flags, flags);
}

static void assert_ignored(const char *text) {
    struct pawl_traceparent parent;
    struct pawl_traceparent before;
    memset(&parent, 0x5a, sizeof parent);
    before = parent;
    if (pawl_w3c_parse_traceparent(text, &parent))
        fail_msg("'%s' was used", text ? text : "NULL");
    assert_memory_equal(&parent, &before, sizeof parent);
}

static void joins_a_trace_of_version_00(void **state) {
    (void)state;
    assert_joined("00" REST "-00", 0);
    assert_joined("00" REST "-01", PAWL_W3C_FLAG_SAMPLED);
    assert_joined("00" REST "-02", PAWL_W3C_FLAG_RANDOM);
    assert_joined("00" REST "-03", PAWL_W3C_FLAG_SAMPLED | PAWL_W3C_FLAG_RANDOM);
    assert_joined("00" REST "-ff", PAWL_W3C_FLAG_SAMPLED | PAWL_W3C_FLAG_RANDOM);
    assert_joined("00" REST "-f8", 0);
}

static void tolerates_blanks_around(void **state) {
    (void)state;
    assert_joined(" \t00" REST "-01\t ", 1);
    assert_joined("00" REST "-01 ", 1);
    assert_ignored("00" REST "-0 1");
    assert_ignored("00 " REST "-01");
    assert_ignored("00" REST "-01\n");
}

static void takes_what_it_knows_of_a_later_version(void **state) {
    (void)state;
    assert_joined("cc" REST "-01", 1);
    assert_joined("cc" REST "-01-", 1);
    assert_joined("cc" REST "-01-what-the-future-will-be-like", 1);
    assert_joined("01" REST "-00", 0);
    assert_joined("fe" REST "-03", 3);
    assert_ignored("cc" REST "-01.what-the-future-will-not-be-like");
    assert_ignored("cc" REST "-010");
    assert_ignored("cc" REST "-0");
}

static void ignores_version_ff_and_anything_behind_version_00(void **state) {
    (void)state;
    assert_ignored("ff" REST "-01");
    assert_ignored("ff" REST "-01-x");
    assert_ignored("00" REST "-01-");
    assert_ignored("00" REST "-01-x");
    assert_ignored("00" REST "-01x");
    assert_ignored("00" REST "-01,00" REST "-01"); /* two headers joined */
}

static void ignores_upper_case_and_what_is_no_hexadecimal(void **state) {
    (void)state;
    assert_ignored("00-0AF7651916CD43DD8448EB211C80319C-" PARENT "-01");
    assert_ignored("00-" TRACE "-B7AD6B7169203331-01");
    assert_ignored("00" REST "-0A");
    assert_ignored("0A" REST "-01");
    assert_ignored("0g" REST "-01");
    assert_ignored("00-.af7651916cd43dd8448eb211c80319c-" PARENT "-01");
    assert_ignored("00-" TRACE "-b7ad6b716920333/-01");
    assert_ignored("00" REST "-0:");
}

static void ignores_ids_of_zero(void **state) {
    (void)state;
    assert_ignored("00-00000000000000000000000000000000-" PARENT "-01");
    assert_ignored("00-" TRACE "-0000000000000000-01");
}

static void ignores_wrong_lengths_and_separators(void **state) {
    (void)state;
    char text[64];
    static const char right[] = "00" REST "-01";
    for (size_t length = 0; length < sizeof right - 1; length++) {
        (void)snprintf(text, sizeof text, "%.*s", (int)length, right);
        assert_ignored(text);
    }
    static const size_t dashes[] = {2, 35, 52};
    for (size_t i = 0; i < 3; i++) {
        memcpy(text, right, sizeof right);
        text[dashes[i]] = '_';
        assert_ignored(text);
    }
    assert_ignored(NULL);
    assert_ignored("");
    assert_ignored("   ");
    assert_ignored("00" REST "-1");
    assert_ignored("000" REST "-01");
    assert_ignored("00--" TRACE "-" PARENT "-01");
}

static void writes_version_00_with_known_flags_only(void **state) {
    (void)state;
    struct pawl_traceparent parent = {.flags = 0xff};
    memcpy(parent.trace_id, trace_id, 16);
    memcpy(parent.parent_id, parent_id, 8);
    char text[PAWL_W3C_TRACEPARENT_BYTES];
    pawl_w3c_format_traceparent(&parent, text);
    assert_string_equal(text, "00" REST "-03");
    assert_int_equal(strlen(text) + 1, PAWL_W3C_TRACEPARENT_BYTES);
    parent.flags = 0;
    pawl_w3c_format_traceparent(&parent, text);
    assert_string_equal(text, "00" REST "-00");
}

static void what_is_written_can_be_read(void **state) {
    (void)state;
    struct pawl_traceparent parent;
    char text[PAWL_W3C_TRACEPARENT_BYTES];
    assert_true(pawl_w3c_parse_traceparent("cc" REST "-02-more", &parent));
    pawl_w3c_format_traceparent(&parent, text);
    assert_joined(text, 2);
}

/* ---- tracestate ---- */

/* expected: NULL for dropped. */
static void assert_state(const char *text, const char *expected) {
    char *got = pawl_w3c_normalise_tracestate(text);
    if (expected) {
        assert_non_null(got);
        assert_string_equal(got, expected);
    } else {
        assert_null(got);
    }
    free(got);
}

static void keeps_entries_in_order(void **state) {
    (void)state;
    assert_state("foo=1", "foo=1");
    assert_state("foo=1,bar=2", "foo=1,bar=2");
    assert_state("rojo=00f067aa0ba902b7,congo=t61rcWkgMzE", "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE");
    assert_state("ot=th:c;rv:d29d6a7215ced0", "ot=th:c;rv:d29d6a7215ced0");
}

static void drops_blank_entries_and_blanks_around_entries(void **state) {
    (void)state;
    assert_state(" \tfoo=1 \t, \t,,bar=2\t,", "foo=1,bar=2");
    assert_state("foo=1,", "foo=1");
    assert_state(",foo=1", "foo=1");
    assert_state("", NULL);
    assert_state(" , ,\t", NULL);
    assert_state(NULL, NULL);
}

static void knows_the_characters_of_a_key(void **state) {
    (void)state;
    assert_state("a_-*/@0=1", "a_-*/@0=1");
    assert_state("0a=1", "0a=1"); /* a digit may begin it since level 2 */
    assert_state("foo@=1", "foo@=1");
    assert_state("a@b@c=1", "a@b@c=1");
    assert_state("@foo=1", NULL);
    assert_state("_foo=1", NULL);
    assert_state("Foo=1", NULL);
    assert_state("fOo=1", NULL);
    assert_state("foo =1", NULL);
    assert_state("f.o=1", NULL);
    assert_state("f\xc3\xa9=1", NULL);
    assert_state("=1", NULL);
    assert_state("foo", NULL);
}

static void knows_the_characters_of_a_value(void **state) {
    (void)state;
    assert_state("foo=a b", "foo=a b");
    assert_state("foo= a", "foo= a");
    assert_state("foo=!~;:\"\\%", "foo=!~;:\"\\%");
    assert_state("foo=1=2", NULL);
    assert_state("foo=", NULL);
    assert_state("foo= ", NULL);
    assert_state("foo=a\tb", NULL);
    assert_state("foo=a\x7f", NULL);
    assert_state("foo=\xc3\xa9", NULL);
    assert_state("foo=a\nb", NULL);
}

static void one_bad_entry_drops_all(void **state) {
    (void)state;
    assert_state("foo=1,bar,baz=2", NULL);
    assert_state("foo=1,BAR=2", NULL);
    assert_state("foo=1;bar=2", NULL);
}

static void keeps_the_first_of_two_with_one_key(void **state) {
    (void)state;
    assert_state("foo=1,bar=2,foo=3", "foo=1,bar=2");
    assert_state("fo=1,foo=2,f=3", "fo=1,foo=2,f=3");
}

static void keeps_32_entries_and_drops_33(void **state) {
    (void)state;
    char text[512] = "";
    char *at = text;
    for (int i = 0; i < 32; i++)
        at += sprintf(at, "%sk%02d=%d", i ? "," : "", i, i);
    assert_state(text, text);
    (void)sprintf(at, ",,");
    char *got = pawl_w3c_normalise_tracestate(text); /* blank ones do not count */
    assert_non_null(got);
    free(got);
    (void)sprintf(at, ",one=more");
    assert_state(text, NULL);
    (void)sprintf(at, ",k00=0");
    assert_state(text, NULL);
}

static void bounds_keys_and_values_at_256(void **state) {
    (void)state;
    char text[600];
    for (int length = 256; length <= 257; length++) {
        memset(text, 'k', (size_t)length);
        (void)sprintf(text + length, "=v");
        assert_state(text, length == 256 ? text : NULL);
        (void)sprintf(text, "k=");
        memset(text + 2, 'v', (size_t)length);
        text[2 + length] = '\0';
        assert_state(text, length == 256 ? text : NULL);
    }
}

static void is_dropped_without_memory(void **state) {
    (void)state;
    fail_allocation_at(1);
    assert_null(pawl_w3c_normalise_tracestate("foo=1"));
    assert_int_equal(allow_allocations(), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(joins_a_trace_of_version_00),
        cmocka_unit_test(tolerates_blanks_around),
        cmocka_unit_test(takes_what_it_knows_of_a_later_version),
        cmocka_unit_test(ignores_version_ff_and_anything_behind_version_00),
        cmocka_unit_test(ignores_upper_case_and_what_is_no_hexadecimal),
        cmocka_unit_test(ignores_ids_of_zero),
        cmocka_unit_test(ignores_wrong_lengths_and_separators),
        cmocka_unit_test(writes_version_00_with_known_flags_only),
        cmocka_unit_test(what_is_written_can_be_read),
        cmocka_unit_test(keeps_entries_in_order),
        cmocka_unit_test(drops_blank_entries_and_blanks_around_entries),
        cmocka_unit_test(knows_the_characters_of_a_key),
        cmocka_unit_test(knows_the_characters_of_a_value),
        cmocka_unit_test(one_bad_entry_drops_all),
        cmocka_unit_test(keeps_the_first_of_two_with_one_key),
        cmocka_unit_test(keeps_32_entries_and_drops_33),
        cmocka_unit_test(bounds_keys_and_values_at_256),
        cmocka_unit_test(is_dropped_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
