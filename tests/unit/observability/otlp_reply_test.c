/* What collectors answer, in every shape. */
#include "otlp_exporter_internal.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static struct pawl_otlp_reply read_bytes(const char *body, size_t bytes, bool success) {
    struct pawl_otlp_reply reply;
    pawl_otlp_read_reply(body, bytes, success, &reply);
    return reply;
}
#define read_text(body, success) read_bytes(body, sizeof(body) - 1, success)

static void expect_reply(struct pawl_otlp_reply reply, bool understood, uint64_t rejected, const char *message) {
    assert_int_equal(reply.understood, understood);
    assert_int_equal(reply.rejected, rejected);
    assert_string_equal(reply.message, message);
}

static void takes_nothing_for_success(void **state) {
    (void)state;
    expect_reply(read_text("", true), true, 0, "");
    expect_reply(read_text(" \n", true), true, 0, "");
    expect_reply(read_text("{}", true), true, 0, "");
    expect_reply(read_text("{\"partialSuccess\":{}}", true), true, 0, "");
    expect_reply(read_text("{\"partialSuccess\":null, \"new\": [1]}", true), true, 0, "");
    expect_reply(read_text("\x0a\x00", true), true, 0, "");
}

static void reads_a_partial_success(void **state) {
    (void)state;
    expect_reply(read_text("\x0a\x06\x08\x05\x12\x02no", true), true, 5, "no");
    expect_reply(read_text("\x0a\x07\x08\x96\x01\x12\x02no", true), true, 150, "no");
    expect_reply(read_text("\x0a\x04\x12\x02hm", true), true, 0, "hm");
    expect_reply(read_text("{\"partialSuccess\":{\"rejectedSpans\":\"7\",\"errorMessage\":\"why\"}}", true), true, 7,
                 "why");
    expect_reply(read_text("{\"partialSuccess\":{\"rejectedDataPoints\":8}}", true), true, 8, "");
    expect_reply(read_text("{\"partialSuccess\":{\"rejectedLogRecords\":\"9\"}}", true), true, 9, "");
}

static void skips_fields_it_does_not_know(void **state) {
    (void)state;
    expect_reply(
        read_text("\x12\x01x\x19\x01\x02\x03\x04\x05\x06\x07\x08\x25\x01\x02\x03\x04\x28\x05\x0a\x02\x08\x03", true),
        true, 3, "");
}

static void takes_negative_counts_for_none(void **state) {
    (void)state;
    expect_reply(read_text("\x0a\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", true), true, 0, "");
    expect_reply(read_text("{\"partialSuccess\":{\"rejectedSpans\":\"-7\"}}", true), true, 0, "");
    expect_reply(read_text("{\"partialSuccess\":{\"rejectedSpans\":\"99999999999999999999\"}}", true), true, 0, "");
}

static void knows_what_is_no_reply_of_a_collector(void **state) {
    (void)state;
    expect_reply(read_text("<html>\n<body>login", true), false, 0, "<html>");
    expect_reply(read_text("OK", true), false, 0, "OK");
    expect_reply(read_text("{\"partialSuccess\":", true), false, 0, "{\"partialSuccess\":");
    expect_reply(read_text("[]", true), false, 0, "[]");
    assert_false(read_text("\x0a\xff\xff\xff\xff\x0f", true).understood);
    assert_false(read_text("\x0a\x7f", true).understood);
    assert_false(read_text("\x08\x01\x0a", true).understood);
    assert_false(read_text("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", true).understood);
}

static void reads_the_message_of_a_problem(void **state) {
    (void)state;
    expect_reply(read_text("\x08\x0d\x12\x04"
                           "full",
                           false),
                 true, 0, "full");
    expect_reply(read_text("{\"code\":13,\"message\":\"full\"}", false), true, 0, "full");
    expect_reply(read_text("{\"error\":\"full\"}", false), true, 0, "full");
    expect_reply(read_text("{\"error\":{\"message\":\"full\"}}", false), true, 0, "full");
    expect_reply(read_text("", false), true, 0, "");
    assert_string_equal(read_text("Service Unavailable\r\n<p>", false).message, "Service Unavailable");
}

static void keeps_messages_short_and_harmless(void **state) {
    (void)state;
    static char large[100000];
    memset(large, 'x', sizeof large);
    memcpy(large, "no\x1b[31m\xff", 8);
    struct pawl_otlp_reply reply = read_bytes(large, sizeof large, false);
    assert_int_equal(strlen(reply.message), sizeof reply.message - 1);
    assert_memory_equal(reply.message, "no [31m\xef\xbf\xbdx", 11);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_nothing_for_success),
        cmocka_unit_test(reads_a_partial_success),
        cmocka_unit_test(skips_fields_it_does_not_know),
        cmocka_unit_test(takes_negative_counts_for_none),
        cmocka_unit_test(knows_what_is_no_reply_of_a_collector),
        cmocka_unit_test(reads_the_message_of_a_problem),
        cmocka_unit_test(keeps_messages_short_and_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
