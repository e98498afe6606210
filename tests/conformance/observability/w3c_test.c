/* Trace Context through a whole service made with pawl: what arrives in the headers of a request decides what its own
 * calls send on. The service is a program of its own (w3c_service.c); who it calls is a server of the test's. */
#include "http_server.h"
#include <arpa/inet.h>
#include <cjson/cJSON.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define TRACE "4bf92f3577b34da6a3ce929d0e0e4736"
#define PARENT "00f067aa0ba902b7"
#define JOINED "traceparent: 00-" TRACE "-" PARENT "-01\r\n"
#define MOST_CALLS 4

static struct http_server *called;
static pid_t service;
static int service_port;

/* What one outgoing call carried. */
struct sent {
    char traceparent[512], tracestate[2048];
    bool has_traceparent, has_tracestate;
};

/* ---- the service, and talking to it ---- */

static void start_service(void) {
    char path[1024], line[64] = "";
    int out[2];
    (void)snprintf(path, sizeof path, "%s/tests/conformance/observability/w3c_service", getenv("PAWL_BUILD_DIR"));
    assert_int_equal(pipe(out), 0);
    service = fork();
    if (service == 0) {
        dup2(out[1], 1);
        execl(path, path, (char *)NULL);
        _exit(127);
    }
    close(out[1]);
    FILE *says = fdopen(out[0], "r");
    if (!fgets(line, sizeof line, says) || sscanf(line, "listening on %d", &service_port) != 1)
        fail_msg("%s did not start", path);
    (void)fclose(says);
}

static int connect_to_service(void) {
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)service_port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval patience = {.tv_sec = 20};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

/* The service's answer to so many calls to be made, under headers sent as they are. Released with cJSON_Delete(). */
static cJSON *post(const char *headers, int calls) {
    char body[1024] = "[", *reply = calloc(1, 65536);
    for (int i = 0; i < calls; i++)
        (void)sprintf(body + strlen(body), "%s{\"url\": \"http://127.0.0.1:%d/called\", \"arguments\": []}",
                      i ? ", " : "", http_server_port(called));
    (void)sprintf(body + strlen(body), "]");
    int fd = connect_to_service();
    (void)dprintf(fd,
                  "POST /test HTTP/1.1\r\nHost: here\r\nConnection: close\r\n%s"
                  "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                  headers, strlen(body), body);
    size_t length = 0;
    for (ssize_t got; (got = recv(fd, reply + length, 65535 - length, 0)) > 0;)
        length += (size_t)got;
    close(fd);
    if (strncmp(reply, "HTTP/1.1 200", 12) != 0)
        fail_msg("the service answered '%s' to '%s'", reply, headers);
    cJSON *list = cJSON_Parse(strstr(reply, "\r\n\r\n") + 4);
    assert_int_equal(cJSON_GetArraySize(list), calls);
    free(reply);
    return list;
}

static void read_sent(size_t n, struct sent *sent) {
    struct http_seen seen;
    assert_true(http_server_seen(called, n, &seen));
    sent->has_traceparent = http_seen_header(&seen, "traceparent", sent->traceparent, sizeof sent->traceparent);
    sent->has_tracestate = http_seen_header(&seen, "tracestate", sent->tracestate, sizeof sent->tracestate);
    assert_string_equal(seen.body, "[]");
}

/* Lower case, version 00, ids not zero: as every outgoing header must be. */
static bool is_traceparent(const char *text) {
    static const char shape[] = "00-hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh-hhhhhhhhhhhhhhhh-hh";
    if (strlen(text) != strlen(shape) || strspn(text + 3, "0") >= 32 || strspn(text + 36, "0") >= 16)
        return false;
    for (size_t i = 0; shape[i]; i++)
        if (shape[i] == 'h' ? !strchr("0123456789abcdef", text[i]) : text[i] != shape[i])
            return false;
    return true;
}

/* Posts, and gives what each call carried; each has an id of its own, the one of its span. */
static void ask(const char *headers, int calls, struct sent sent[MOST_CALLS]) {
    size_t before = http_server_requests(called);
    cJSON *answer = post(headers, calls);
    assert_int_equal(http_server_requests(called) - before, calls);
    for (int i = 0; i < calls; i++) {
        read_sent(before + (size_t)i, &sent[i]);
        if (!sent[i].has_traceparent || !is_traceparent(sent[i].traceparent))
            fail_msg("'%s' went out after '%s'", sent[i].traceparent, headers);
        int spans = 0;
        const cJSON *item;
        cJSON_ArrayForEach(item, answer) {
            const char *id = cJSON_GetStringValue(cJSON_GetObjectItem(item, "span_id"));
            spans += strncmp(sent[i].traceparent + 36, id, 16) == 0;
        }
        assert_int_equal(spans, 1);
    }
    cJSON_Delete(answer);
}

static void expect_joined(const char *headers) {
    struct sent sent[MOST_CALLS];
    ask(headers, 1, sent);
    if (strncmp(sent[0].traceparent + 3, TRACE, 32) != 0)
        fail_msg("'%s' was not joined: '%s' went out", headers, sent[0].traceparent);
    if (strncmp(sent[0].traceparent + 36, PARENT, 16) == 0)
        fail_msg("'%s': the call passes off as its caller", headers);
}

static void expect_new_trace(const char *headers) {
    struct sent sent[MOST_CALLS];
    ask(headers, 1, sent);
    if (strncmp(sent[0].traceparent + 3, TRACE, 32) == 0)
        fail_msg("'%s' was joined", headers);
    assert_false(sent[0].has_tracestate);
}

#define traceparent(value) "traceparent: " value "\r\n"

/* ---- whose trace it is ---- */

static void a_request_without_a_trace_begins_one(void **state) {
    (void)state;
    struct sent first[MOST_CALLS], second[MOST_CALLS];
    ask("", 1, first);
    ask("", 1, second);
    assert_memory_not_equal(first[0].traceparent + 3, second[0].traceparent + 3, 32);
    assert_string_equal(first[0].traceparent + 53, "03"); /* sampled, and its id is random */
}

static void the_name_is_read_in_any_case_and_no_other_name(void **state) {
    (void)state;
    static const char *const right[] = {"traceparent", "TraceParent", "TRACEPARENT", "tRACEpARENT"};
    static const char *const wrong[] = {"trace-parent", "trace.parent", "trace_parent", "xtraceparent", "traceparents"};
    char header[256];
    for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
        (void)snprintf(header, sizeof header, "%s: 00-" TRACE "-" PARENT "-01\r\n", right[i]);
        expect_joined(header);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        (void)snprintf(header, sizeof header, "%s: 00-" TRACE "-" PARENT "-01\r\n", wrong[i]);
        expect_new_trace(header);
    }
}

static void blanks_around_the_value_do_not_matter(void **state) {
    (void)state;
    expect_joined("traceparent:00-" TRACE "-" PARENT "-01\r\n");
    expect_joined(traceparent("\t 00-" TRACE "-" PARENT "-01"));
    expect_joined(traceparent("00-" TRACE "-" PARENT "-01 "));
    expect_joined(traceparent(" \t00-" TRACE "-" PARENT "-01 \t"));
}

static void two_traceparents_count_as_none(void **state) {
    (void)state;
    expect_new_trace(JOINED JOINED);
    expect_new_trace(JOINED "Traceparent: 00-0123456789abcdef0123456789abcdef-" PARENT "-01\r\n");
    expect_new_trace(JOINED "traceparent: \r\n");
}

static void a_later_version_is_understood_as_far_as_it_is_alike(void **state) {
    (void)state;
    expect_joined(traceparent("01-" TRACE "-" PARENT "-01"));
    expect_joined(traceparent("fe-" TRACE "-" PARENT "-01"));
    expect_joined(traceparent("42-" TRACE "-" PARENT "-01-and-more"));
    expect_new_trace(traceparent("42-" TRACE "-" PARENT "-01.and-more"));
    expect_new_trace(traceparent("42-" TRACE "-" PARENT "-01and-more"));
    expect_new_trace(traceparent("ff-" TRACE "-" PARENT "-01"));
}

static void a_malformed_traceparent_begins_a_new_trace(void **state) {
    (void)state;
    static const char *const malformed[] = {
        "",
        "00",
        "00-" TRACE "-" PARENT "-01-",
        "00-" TRACE "-" PARENT "-01-more",
        "00-" TRACE "-" PARENT "-01.",
        "0-" TRACE "-" PARENT "-01",
        "000-" TRACE "-" PARENT "-01",
        ".0-" TRACE "-" PARENT "-01",
        "0x-" TRACE "-" PARENT "-01",
        "00-" TRACE "-" PARENT "-1",
        "00-" TRACE "-" PARENT "-001",
        "00-" TRACE "-" PARENT "-0.",
        "00-" TRACE "-" PARENT "-.1",
        "00-" TRACE "-" PARENT "-0A",
        "00-" TRACE "-0" PARENT "-01",
        "00-" TRACE "-0f067aa0ba902b7-01",
        "00-" TRACE "-.0f067aa0ba902b7-01",
        "00-" TRACE "-00f067aa0ba902b.-01",
        "00-" TRACE "-00F067AA0BA902B7-01",
        "00-" TRACE "-0000000000000000-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-" PARENT "-01",
        "00-" TRACE "_" PARENT "-01",
        "00 " TRACE " " PARENT " 01",
    };
    char header[256];
    for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++) {
        (void)snprintf(header, sizeof header, "traceparent: %s\r\n", malformed[i]);
        expect_new_trace(header);
    }
}

static void a_malformed_trace_id_is_not_mended(void **state) {
    (void)state;
    static const char *const ids[] = {
        "00000000000000000000000000000000", "4bf92f3577b34da6a3ce929d0e0e473",  "4bf92f3577b34da6a3ce929d0e0e47360",
        ".bf92f3577b34da6a3ce929d0e0e4736", "4bf92f3577b34da6a3ce929d0e0e473.", "4bf92f3577b34da6 3ce929d0e0e4736",
    };
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        char header[256];
        struct sent sent[MOST_CALLS];
        (void)snprintf(header, sizeof header, "traceparent: 00-%s-" PARENT "-01\r\n", ids[i]);
        ask(header, 1, sent);
        assert_memory_not_equal(sent[0].traceparent + 3, "4bf92f3577b34da6", 16); /* neither cut nor filled */
        assert_memory_not_equal(sent[0].traceparent + 4, "4bf92f3577b34da6", 16);
    }
}

static void the_flags_are_passed_on_and_unknown_ones_are_not(void **state) {
    (void)state;
    static const char *const flags[][2] = {{"00", "00"}, {"01", "01"}, {"02", "02"},
                                           {"03", "03"}, {"ff", "03"}, {"fc", "00"}};
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        char header[256];
        struct sent sent[MOST_CALLS];
        (void)snprintf(header, sizeof header, "traceparent: 00-" TRACE "-" PARENT "-%s\r\n", flags[i][0]);
        ask(header, 1, sent);
        assert_memory_equal(sent[0].traceparent + 3, TRACE, 32);
        assert_string_equal(sent[0].traceparent + 53, flags[i][1]);
    }
}

/* ---- several calls of one request ---- */

static void expect_one_trace(const char *headers) {
    struct sent sent[MOST_CALLS];
    ask(headers, MOST_CALLS, sent);
    for (int i = 0; i < MOST_CALLS; i++)
        for (int other = 0; other < i; other++) {
            assert_memory_equal(sent[i].traceparent, sent[other].traceparent, 35);
            assert_memory_not_equal(sent[i].traceparent + 36, sent[other].traceparent + 36, 16);
        }
}

static void each_call_is_a_span_of_its_own_in_one_trace(void **state) {
    (void)state;
    expect_one_trace(JOINED);
    expect_one_trace("");
    expect_one_trace(traceparent("00-00000000000000000000000000000000-" PARENT "-01"));
}

/* ---- tracestate ---- */

/* expected: NULL for none. */
static void expect_state(const char *headers, const char *expected) {
    char all[4096];
    struct sent sent[MOST_CALLS];
    (void)snprintf(all, sizeof all, JOINED "%s", headers);
    ask(all, 1, sent);
    assert_memory_equal(sent[0].traceparent + 3, TRACE, 32); /* whatever the state is worth */
    if (sent[0].has_tracestate != (expected != NULL) || (expected && strcmp(sent[0].tracestate, expected) != 0))
        fail_msg("'%s' became '%s'", headers, sent[0].has_tracestate ? sent[0].tracestate : "(none)");
}

#define tracestate(value) "tracestate: " value "\r\n"

static void a_state_goes_with_its_trace_only(void **state) {
    (void)state;
    expect_state(tracestate("one=1,two=2"), "one=1,two=2");
    expect_state("", NULL);
    expect_new_trace(tracestate("one=1"));
    expect_new_trace(traceparent("00-" TRACE "-0000000000000000-01") tracestate("one=1"));
    expect_new_trace(JOINED JOINED tracestate("one=1"));
}

static void the_state_has_one_name_in_any_case(void **state) {
    (void)state;
    expect_state("TraceState: one=1\r\n", "one=1");
    expect_state("TRACESTATE: one=1\r\n", "one=1");
    expect_state("trace-state: one=1\r\n", NULL);
    expect_state("trace.state: one=1\r\n", NULL);
}

static void several_headers_are_one_list_in_their_order(void **state) {
    (void)state;
    expect_state(tracestate("b=1,a=2") tracestate("d=3") tracestate("c=4,e=5"), "b=1,a=2,d=3,c=4,e=5");
    expect_state(tracestate("") tracestate("one=1"), "one=1");
    expect_state(tracestate("one=1") tracestate(""), "one=1");
    expect_state(tracestate(""), NULL);
    expect_state(tracestate("one=1") tracestate("one=1"), "one=1");
    expect_state(tracestate("one=1") tracestate("BAD"), NULL);
}

static void blanks_around_entries_do_not_matter(void **state) {
    (void)state;
    expect_state(tracestate("one=1 \t , \ttwo=2\t,three=3"), "one=1,two=2,three=3");
    expect_state(tracestate("\t one=1 \t"), "one=1");
    expect_state(tracestate("one=1,,\t,two=2,"), "one=1,two=2");
}

static void every_legal_character_is_kept(void **state) {
    (void)state;
    char value[128] = "", header[600], expected[512];
    size_t length = 0;
    for (int c = ' '; c <= '~'; c++)
        if (c != ',' && c != '=')
            value[length++] = (char)c;
    (void)snprintf(expected, sizeof expected, "abcdefghijklmnopqrstuvwxyz0123456789_-*/@=%s", value);
    (void)snprintf(header, sizeof header, "tracestate: %s\r\n", expected);
    expect_state(header, expected);
    expect_state(tracestate("0=0"), "0=0"); /* a digit may begin a key, an @ may stand anywhere but there: level 2 */
    expect_state(tracestate("a@=1,a@@b=2,a@b@c=3"), "a@=1,a@@b=2,a@b@c=3");
}

static void one_malformed_entry_costs_the_state_and_not_the_trace(void **state) {
    (void)state;
    static const char *const malformed[] = {"key",   "=1",     "key=",   "Key=1",   "key =1",
                                            "k.y=1", "@key=1", "_key=1", "key=1=1", "key=caf\xc3\xa9"};
    for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++) {
        char header[128];
        (void)snprintf(header, sizeof header, "tracestate: one=1,%s,two=2\r\n", malformed[i]);
        expect_state(header, NULL);
    }
}

static void of_two_entries_with_one_key_one_is_kept(void **state) {
    (void)state;
    expect_state(tracestate("one=1,one=1"), "one=1");
    expect_state(tracestate("one=1,two=2,one=3"), "one=1,two=2");
}

static void thirty_two_entries_are_kept_and_thirty_three_are_not(void **state) {
    (void)state;
    char header[1024] = "", expected[512] = "";
    for (int i = 1; i <= 32; i++) {
        (void)sprintf(expected + strlen(expected), "%sk%d=%d", i > 1 ? "," : "", i, i);
        (void)sprintf(header + strlen(header), "%sk%d=%d", i % 8 == 1 ? "\r\ntracestate: " : ",", i, i);
    }
    (void)sprintf(header + strlen(header), "\r\n");
    expect_state(header + 2, expected);
    (void)sprintf(header + strlen(header), "tracestate: k33=33\r\n");
    expect_state(header + 2, NULL);
}

static void keys_and_values_have_256_characters_at_most(void **state) {
    (void)state;
    char text[300], header[800], expected[700];
    for (int length = 256; length <= 257; length++) {
        memset(text, 'x', (size_t)length);
        text[length] = '\0';
        text[200] = '@'; /* counts as any other */
        (void)snprintf(expected, sizeof expected, "%s=1,one=1", text);
        (void)snprintf(header, sizeof header, "tracestate: %s\r\n", expected);
        expect_state(header, length == 256 ? expected : NULL);
        (void)snprintf(expected, sizeof expected, "one=1,two=%s", text);
        (void)snprintf(header, sizeof header, "tracestate: %s\r\n", expected);
        expect_state(header, length == 256 ? expected : NULL);
    }
}

/* ---- set-up ---- */

static int begin(void **state) {
    (void)state;
    called = http_server_new();
    if (!called)
        return -1;
    serve(called, "/called", {.headers = "Content-Type: application/json\r\n", .body = "null"});
    start_service();
    return 0;
}

static int end(void **state) {
    (void)state;
    int status = -1;
    kill(service, SIGTERM);
    waitpid(service, &status, 0);
    http_server_free(called);
    return status; /* a sanitizer's complaint is a failure */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_without_a_trace_begins_one),
        cmocka_unit_test(the_name_is_read_in_any_case_and_no_other_name),
        cmocka_unit_test(blanks_around_the_value_do_not_matter),
        cmocka_unit_test(two_traceparents_count_as_none),
        cmocka_unit_test(a_later_version_is_understood_as_far_as_it_is_alike),
        cmocka_unit_test(a_malformed_traceparent_begins_a_new_trace),
        cmocka_unit_test(a_malformed_trace_id_is_not_mended),
        cmocka_unit_test(the_flags_are_passed_on_and_unknown_ones_are_not),
        cmocka_unit_test(each_call_is_a_span_of_its_own_in_one_trace),
        cmocka_unit_test(a_state_goes_with_its_trace_only),
        cmocka_unit_test(the_state_has_one_name_in_any_case),
        cmocka_unit_test(several_headers_are_one_list_in_their_order),
        cmocka_unit_test(blanks_around_entries_do_not_matter),
        cmocka_unit_test(every_legal_character_is_kept),
        cmocka_unit_test(one_malformed_entry_costs_the_state_and_not_the_trace),
        cmocka_unit_test(of_two_entries_with_one_key_one_is_kept),
        cmocka_unit_test(thirty_two_entries_are_kept_and_thirty_three_are_not),
        cmocka_unit_test(keys_and_values_have_256_characters_at_most),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
