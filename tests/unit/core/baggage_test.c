#include "baggage_internal.h"
#include "failing_malloc.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define U "\xef\xbf\xbd" /* U+FFFD */

static void assert_written(const struct pawl_baggage *baggage, const char *expected) {
    char *text = pawl_baggage_format(baggage);
    assert_non_null(text);
    assert_string_equal(text, expected);
    free(text);
}

/* Reads the header and writes it again. */
static void assert_passes(const char *header, const char *expected) {
    struct pawl_baggage *baggage = pawl_baggage_parse(header);
    assert_written(baggage, expected);
    pawl_baggage_free(baggage);
}

static void assert_value(const char *header, const char *key, const char *expected) {
    struct pawl_baggage *baggage = pawl_baggage_parse(header);
    const char *value = pawl_baggage_get(baggage, key);
    if (expected)
        assert_string_equal(value, expected);
    else
        assert_null(value);
    pawl_baggage_free(baggage);
}

static void passes_a_header_on(void **state) {
    (void)state;
    assert_passes("k=v", "k=v");
    assert_passes("k=v;prop,k2=v2", "k=v;prop,k2=v2");
    assert_passes("userId=alice,serverNode=DF%2028,isProduction=false",
                  "userId=alice,serverNode=DF%2028,isProduction=false");
    assert_passes("key1=value1;property1;property2, key2 = value2, key3=value3; propertyKey=propertyValue",
                  "key1=value1;property1;property2,key2=value2,key3=value3;propertyKey=propertyValue");
}

static void none_is_null_and_written_as_nothing(void **state) {
    (void)state;
    assert_null(pawl_baggage_parse(NULL));
    assert_null(pawl_baggage_parse(""));
    assert_null(pawl_baggage_parse(" , ,\t"));
    assert_written(NULL, "");
    assert_null(pawl_baggage_get(NULL, "k"));
    struct pawl_baggage *copy = (struct pawl_baggage *)&copy;
    assert_true(pawl_baggage_copy(NULL, &copy));
    assert_null(copy);
    pawl_baggage_free(NULL);
}

static void skips_bad_entries_and_keeps_the_rest(void **state) {
    (void)state;
    assert_passes("a=%zz,=1,a,ok=2", "ok=2");
    assert_passes("a=%,b=%4,c=%4g,d=%41", "d=A");
    assert_passes("a b=1,c=2", "c=2");
    assert_passes("k\xc3\xa9=1,c=2", "c=2");
    assert_passes("(k)=1,c=2", "c=2");
    assert_passes("a=1\n2,c=2", "c=2");
    assert_passes("a=\x7f,c=2", "c=2");
    assert_passes("a=1;p\xc3\xa9,c=2", "c=2");
    assert_passes("a=1;p\rq,c=2", "c=2");
    assert_passes(";p,;=,c=2", "c=2");
    assert_null(pawl_baggage_parse("a"));
}

static void trims_blanks_but_not_inside(void **state) {
    (void)state;
    assert_value(" \tk\t = \tv w\t ;p", "k", "v w");
    assert_passes(" \tk\t = \tv w\t ;\t p ; q \t,", "k=v%20w;p ; q");
    assert_value("k=", "k", "");
    assert_value("k= ", "k", "");
    assert_passes("k=;p", "k=;p");
    assert_passes("k=v;", "k=v");
}

static void an_equals_sign_in_a_value_is_the_values(void **state) {
    (void)state;
    assert_value("k=a=b==", "k", "a=b==");
    assert_passes("k=a=b==", "k=a=b==");
}

static void decodes_on_read_and_encodes_on_write(void **state) {
    (void)state;
    assert_value("k=%20%22%2C%3B%5C%25", "k", " \",;\\%");
    assert_passes("k=%20%22%2c%3b%5c%25", "k=%20%22%2C%3B%5C%25");
    assert_value("k=%E2%82%AC", "k", "\xe2\x82\xac");
    assert_passes("k=\xe2\x82\xac", "k=%E2%82%AC");
    assert_passes("k=%41%7e", "k=A~");
    assert_passes("k=\"q\\", "k=%22q%5C");
}

static void every_byte_is_written_as_the_standard_says(void **state) {
    (void)state;
    static const char plain[] =
        "!#$&'()*+-./0123456789:<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_`abcdefghijklmnopqrstuvwxyz{|}~";
    for (int c = 1; c < 0x80; c++) {
        struct pawl_baggage *baggage = NULL;
        const char value[] = {(char)c, '\0'};
        char expected[8];
        assert_int_equal(pawl_baggage_set(&baggage, "k", value, NULL), PAWL_OK);
        (void)snprintf(expected, sizeof expected, strchr(plain, c) ? "k=%c" : "k=%%%02X", c);
        assert_written(baggage, expected);
        pawl_baggage_free(baggage);
    }
}

static void bytes_that_are_no_utf8_become_the_replacement_character(void **state) {
    (void)state;
    assert_value("k=a%ffb", "k", "a" U "b");
    assert_value("k=%e2%82", "k", U);
    assert_value("k=\xff", "k", U);
    assert_value("k=a%00b", "k", "a" U "b"); /* a C string would end there */
    assert_passes("k=%ff", "k=%EF%BF%BD");
}

static void the_last_of_two_with_one_key_wins(void **state) {
    (void)state;
    assert_passes("a=1;p,b=2,a=3", "a=3,b=2");
    assert_passes("a=1,A=2", "a=1,A=2");
    assert_passes("a=1,a=%zz", "a=1");
}

static void takes_any_http_token_as_key(void **state) {
    (void)state;
    assert_passes("!#$%&'*+-.^_`|~09azAZ=1", "!#$%&'*+-.^_`|~09azAZ=1");
    static const char *const bad[] = {"",      "a b", "a\t", "a=b", "a,b",      "a;b",
                                      "\"a\"", "a/b", "a:b", "{a}", "\xc3\xa9", "a\x7f"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct pawl_baggage *baggage = NULL;
        pawl_error *err = NULL;
        assert_int_equal(pawl_baggage_set(&baggage, bad[i], "1", &err), PAWL_E_INVALID);
        assert_non_null(strstr(pawl_error_message(err), "HTTP token"));
        assert_null(baggage);
        pawl_error_unref(err);
    }
    struct pawl_baggage *baggage = NULL;
    assert_int_equal(pawl_baggage_set(&baggage, NULL, "1", NULL), PAWL_E_INVALID);
}

static void sets_replaces_and_removes(void **state) {
    (void)state;
    struct pawl_baggage *baggage = pawl_baggage_parse("a=1;p,b=2");
    assert_int_equal(pawl_baggage_set(&baggage, "c", "3 \xe2\x82\xac", NULL), PAWL_OK);
    assert_int_equal(pawl_baggage_set(&baggage, "a", "new", NULL), PAWL_OK);
    assert_written(baggage, "a=new,b=2,c=3%20%E2%82%AC");
    assert_string_equal(pawl_baggage_get(baggage, "c"), "3 \xe2\x82\xac");
    assert_int_equal(pawl_baggage_set(&baggage, "b", NULL, NULL), PAWL_OK);
    assert_int_equal(pawl_baggage_set(&baggage, "absent", NULL, NULL), PAWL_OK);
    assert_written(baggage, "a=new,c=3%20%E2%82%AC");
    assert_null(pawl_baggage_get(baggage, "b"));
    assert_null(pawl_baggage_get(baggage, NULL));
    pawl_baggage_free(baggage);
    baggage = NULL;
    assert_int_equal(pawl_baggage_set(&baggage, "b", NULL, NULL), PAWL_OK);
    assert_null(baggage);
}

static void refuses_a_value_that_is_no_utf8(void **state) {
    (void)state;
    struct pawl_baggage *baggage = NULL;
    pawl_error *err = NULL;
    assert_int_equal(pawl_baggage_set(&baggage, "k", "ab\xff", &err), PAWL_E_INVALID);
    assert_non_null(strstr(pawl_error_message(err), "from byte 2 on"));
    assert_null(baggage);
    pawl_error_unref(err);
}

static void holds_180_entries(void **state) {
    (void)state;
    struct pawl_baggage *baggage = NULL;
    pawl_error *err = NULL;
    char key[16];
    for (int i = 0; i < 180; i++) {
        (void)snprintf(key, sizeof key, "key%d", i);
        assert_int_equal(pawl_baggage_set(&baggage, key, "v", NULL), PAWL_OK);
    }
    assert_int_equal(pawl_baggage_set(&baggage, "more", "v", &err), PAWL_E_LIMIT);
    assert_non_null(strstr(pawl_error_message(err), "180 entries"));
    assert_int_equal(pawl_baggage_set(&baggage, "key5", "other", NULL), PAWL_OK); /* a change is no more entry */
    assert_int_equal(pawl_baggage_set(&baggage, "key7", NULL, NULL), PAWL_OK);
    assert_int_equal(pawl_baggage_set(&baggage, "more", "v", NULL), PAWL_OK);
    pawl_baggage_free(baggage);
    pawl_error_unref(err);
}

static void bounds_an_entry_at_4096_bytes_as_written(void **state) {
    (void)state;
    char value[5000];
    struct pawl_baggage *baggage = NULL;
    pawl_error *err = NULL;
    memset(value, 'v', sizeof value);
    value[4096 - 2] = '\0';
    assert_int_equal(pawl_baggage_set(&baggage, "k", value, NULL), PAWL_OK);
    value[4096 - 2] = 'v';
    value[4096 - 1] = '\0';
    assert_int_equal(pawl_baggage_set(&baggage, "k", value, &err), PAWL_E_LIMIT);
    assert_non_null(strstr(pawl_error_message(err), "4097 bytes"));
    value[1365] = '\0';
    memset(value, ' ', 1365); /* three bytes each on the wire */
    assert_int_equal(pawl_baggage_set(&baggage, "k", value, NULL), PAWL_E_LIMIT);
    value[1364] = '\0';
    assert_int_equal(pawl_baggage_set(&baggage, "k", value, NULL), PAWL_OK);
    pawl_baggage_free(baggage);
    pawl_error_unref(err);
}

static void bounds_the_whole_at_8192_bytes(void **state) {
    (void)state;
    char value[4096];
    struct pawl_baggage *baggage = NULL;
    pawl_error *err = NULL;
    memset(value, 'v', sizeof value);
    value[4094] = '\0'; /* "a=" and this: 4,096 */
    assert_int_equal(pawl_baggage_set(&baggage, "a", value, NULL), PAWL_OK);
    assert_int_equal(pawl_baggage_set(&baggage, "b", value, &err), PAWL_E_LIMIT); /* and a comma */
    assert_non_null(strstr(pawl_error_message(err), "8192"));
    assert_null(pawl_baggage_get(baggage, "b"));
    value[4093] = '\0';
    assert_int_equal(pawl_baggage_set(&baggage, "b", value, NULL), PAWL_OK);
    assert_int_equal(pawl_baggage_set(&baggage, "c", "", NULL), PAWL_E_LIMIT);
    char *text = pawl_baggage_format(baggage);
    assert_int_equal(strlen(text), 8192);
    free(text);
    pawl_baggage_free(baggage);
    pawl_error_unref(err);
}

static void carries_64_entries_and_8192_bytes_of_a_header(void **state) {
    (void)state;
    char header[8193];
    char *at = header;
    for (int i = 0; i < 64; i++)
        at += sprintf(at, "k%02d=%0123d,", i, i); /* 128 bytes each */
    at[-1] = '\0';
    assert_int_equal(strlen(header), 8191);
    assert_passes(header, header);
}

static void leaves_out_whole_entries_of_a_header_that_is_too_long(void **state) {
    (void)state;
    static char header[40000];
    char *at = header;
    (void)sprintf(at, "a=%04000d,big=%05000d,b=%04000d,c=%01000d,d=1", 1, 2, 3, 4);
    struct pawl_baggage *baggage = pawl_baggage_parse(header);
    assert_non_null(pawl_baggage_get(baggage, "a"));
    assert_null(pawl_baggage_get(baggage, "big"));
    assert_int_equal(strlen(pawl_baggage_get(baggage, "b")), 4000);
    assert_null(pawl_baggage_get(baggage, "c"));
    assert_string_equal(pawl_baggage_get(baggage, "d"), "1"); /* still fits */
    pawl_baggage_free(baggage);
    at = header;
    for (int i = 0; i < 300; i++)
        at += sprintf(at, "k%d=v,", i);
    baggage = pawl_baggage_parse(header);
    assert_non_null(pawl_baggage_get(baggage, "k179"));
    assert_null(pawl_baggage_get(baggage, "k180"));
    pawl_baggage_free(baggage);
}

static void leaves_out_an_entry_that_grows_over_the_bound_when_written(void **state) {
    (void)state;
    char header[9000] = "k=";
    memset(header + 2, 0xff, 1365); /* each becomes %EF%BF%BD */
    (void)sprintf(header + 2 + 1365, ",ok=1");
    assert_passes(header, "ok=1");
    memset(header, 'k', 4100);
    (void)sprintf(header + 4100, "=v,ok=1");
    assert_passes(header, "ok=1");
    memcpy(header, "k=v;", 4);
    memset(header + 4, 'p', 4100);
    (void)sprintf(header + 4104, ",ok=1");
    assert_passes(header, "ok=1");
}

static void a_copy_is_equal_and_its_own(void **state) {
    (void)state;
    struct pawl_baggage *baggage = pawl_baggage_parse("a=1;p,b=2");
    struct pawl_baggage *copy = NULL;
    assert_true(pawl_baggage_copy(baggage, &copy));
    assert_int_equal(pawl_baggage_set(&baggage, "a", "9", NULL), PAWL_OK);
    assert_written(copy, "a=1;p,b=2");
    assert_written(baggage, "a=9,b=2");
    pawl_baggage_free(baggage);
    pawl_baggage_free(copy);
}

static void survives_a_failed_allocation_anywhere(void **state) {
    (void)state;
    for_each_failing_allocation(n) {
        struct pawl_baggage *copy = NULL;
        pawl_error *err = NULL;
        struct pawl_baggage *baggage = pawl_baggage_parse("a=1,b=2,c=3;p,d=4,e=5,f=6");
        if (pawl_baggage_set(&baggage, "g", "7", &err) != PAWL_OK)
            assert_int_equal(pawl_error_status(err), PAWL_E_NOMEM);
        bool copied = pawl_baggage_copy(baggage, &copy);
        assert_true(copied || !copy);
        char *text = pawl_baggage_format(copy);
        if (allocations_failed() == 0)
            assert_string_equal(text, "a=1,b=2,c=3;p,d=4,e=5,f=6,g=7");
        free(text);
        pawl_baggage_free(copy);
        pawl_baggage_free(baggage);
        pawl_error_unref(err);
    }
}

static void a_set_that_fails_changes_nothing(void **state) {
    (void)state;
    struct pawl_baggage *baggage = pawl_baggage_parse("a=1,b=2,c=3,d=4");
    fail_allocations_from(1);
    assert_int_equal(pawl_baggage_set(&baggage, "a", "9", NULL), PAWL_E_NOMEM);
    assert_int_equal(pawl_baggage_set(&baggage, "e", "9", NULL), PAWL_E_NOMEM);
    allow_allocations();
    assert_written(baggage, "a=1,b=2,c=3,d=4");
    pawl_baggage_free(baggage);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passes_a_header_on),
        cmocka_unit_test(none_is_null_and_written_as_nothing),
        cmocka_unit_test(skips_bad_entries_and_keeps_the_rest),
        cmocka_unit_test(trims_blanks_but_not_inside),
        cmocka_unit_test(an_equals_sign_in_a_value_is_the_values),
        cmocka_unit_test(decodes_on_read_and_encodes_on_write),
        cmocka_unit_test(every_byte_is_written_as_the_standard_says),
        cmocka_unit_test(bytes_that_are_no_utf8_become_the_replacement_character),
        cmocka_unit_test(the_last_of_two_with_one_key_wins),
        cmocka_unit_test(takes_any_http_token_as_key),
        cmocka_unit_test(sets_replaces_and_removes),
        cmocka_unit_test(refuses_a_value_that_is_no_utf8),
        cmocka_unit_test(holds_180_entries),
        cmocka_unit_test(bounds_an_entry_at_4096_bytes_as_written),
        cmocka_unit_test(bounds_the_whole_at_8192_bytes),
        cmocka_unit_test(carries_64_entries_and_8192_bytes_of_a_header),
        cmocka_unit_test(leaves_out_whole_entries_of_a_header_that_is_too_long),
        cmocka_unit_test(leaves_out_an_entry_that_grows_over_the_bound_when_written),
        cmocka_unit_test(a_copy_is_equal_and_its_own),
        cmocka_unit_test(survives_a_failed_allocation_anywhere),
        cmocka_unit_test(a_set_that_fails_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
