/* The HTTP node's answers: what comes back in every form, and what it means. */
#include "http_bed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void gives_text_as_text_and_bytes_in_base64(void **state) {
    struct http_bed *bed = *state;
    serve(bed->server, "/text", {.body = "gr\xc3\xbc\xc3\x9f \"x\"\n"});
    serve(bed->server, "/none", {.status = 200});
    serve(bed->server, "/bytes", {.body = "\xff\xfe"});
    serve(bed->server, "/nul", {.raw = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\na\0b", .raw_bytes = 41});
    struct ended ended = ask(bed, BY_RUN, "/text", "");
    expect_answer(&ended, 200, "gr\xc3\xbc\xc3\x9f \"x\"\n");
    forget(&ended);
    ended = ask(bed, BY_RUN, "/none", "");
    expect_answer(&ended, 200, "");
    forget(&ended);
    static const char *const paths[] = {"/bytes", "/nul"}, *const texts[] = {"//4=", "YQBi"};
    for (int i = 0; i < 2; i++) {
        ended = ask(bed, BY_RUN, paths[i], "");
        expect_answer(&ended, 200, NULL);
        const cJSON *json = pawl_value_json(ended.value);
        assert_null(cJSON_GetObjectItem(json, "body"));
        assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(json, "body_base64")), texts[i]);
        forget(&ended);
    }
}

static void reads_answers_in_every_framing(void **state) {
    struct http_bed *bed = *state;
    serve(bed->server, "/chunked",
          {.raw = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-A: 1\r\n\r\n3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\n"
                  "X-Trailer: t\r\n\r\n"});
    serve(bed->server, "/until-close", {.raw = "HTTP/1.0 200 OK\r\nX-A: 1\r\n\r\nabcdefg", .then = THEN_CLOSE});
    serve(bed->server, "/interim",
          {.raw = "HTTP/1.1 100 Continue\r\nX-Early: 1\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
                  "HTTP/1.1 200 OK\r\nX-A: 1\r\nContent-Length: 7\r\n\r\nabcdefg"});
    serve(bed->server, "/drip", {.headers = "X-A: 1\r\n", .body = "abcdefg", .drip_ms = 1});
    serve(bed->server, "/odd",
          {.raw = "HTTP/1.1 200\r\nx-a:1 \t\r\nHTTP/evil: 1\r\nFolded: a\r\n b: c\r\ncontent-length:7\r\n\r\nabcdefg"});
    static const char *const paths[] = {"/chunked", "/until-close", "/interim", "/drip", "/odd"};
    for_each_driver(driver) {
        for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
            struct ended ended = ask(bed, driver, paths[i], "");
            expect_answer(&ended, 200, "abcdefg");
            assert_string_equal(answer_header(&ended, "x-a"), "1");
            assert_null(answer_header(&ended, "x-early"));
            assert_null(answer_header(&ended, "link"));
            if (i == 0)
                assert_string_equal(answer_header(&ended, "x-trailer"), "t");
            forget(&ended);
        }
    }
}

static void joins_headers_of_one_name_and_mends_their_text(void **state) {
    struct http_bed *bed = *state;
    serve(bed->server, "/h",
          {.headers = "X-List: a\r\nx-list: b, c\r\nX-LIST: \r\nX-Latin: gr\xfc\xdf\r\nX-Tab: a\tb\r\n"});
    struct ended ended = ask(bed, BY_RUN, "/h", "");
    expect_answer(&ended, 200, "");
    assert_string_equal(answer_header(&ended, "x-list"), "a, b, c, ");
    assert_string_equal(answer_header(&ended, "x-latin"), "gr\xef\xbf\xbd\xef\xbf\xbd");
    assert_string_equal(answer_header(&ended, "x-tab"), "a\tb");
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(pawl_value_json(ended.value), "headers")), 4);
    forget(&ended);
}

static void knows_what_each_status_means(void **state) {
    struct http_bed *bed = *state;
    static const struct {
        int http;
        const char *headers;
        pawl_status status;
        pawl_class failure_class;
        pawl_started started;
        uint64_t retry_after_ns;
    } meanings[] = {
        {400, "", PAWL_E_INVALID, PAWL_CLASS_PERMANENT, PAWL_STARTED_NO, 0},
        {401, "", PAWL_E_DENIED, PAWL_CLASS_PERMANENT, PAWL_STARTED_NO, 0},
        {403, "", PAWL_E_DENIED, PAWL_CLASS_PERMANENT, PAWL_STARTED_NO, 0},
        {404, "", PAWL_E_NOT_FOUND, PAWL_CLASS_PERMANENT, PAWL_STARTED_NO, 0},
        {408, "", PAWL_E_UNAVAILABLE, PAWL_CLASS_TRANSIENT, PAWL_STARTED_NO, 0},
        {410, "", PAWL_E_NOT_FOUND, PAWL_CLASS_PERMANENT, PAWL_STARTED_NO, 0},
        {413, "", PAWL_E_LIMIT, PAWL_CLASS_PERMANENT, PAWL_STARTED_NO, 0},
        {418, "", PAWL_E_INVALID, PAWL_CLASS_PERMANENT, PAWL_STARTED_NO, 0},
        {425, "", PAWL_E_UNAVAILABLE, PAWL_CLASS_TRANSIENT, PAWL_STARTED_NO, 0},
        {429, "", PAWL_E_RATE_LIMITED, PAWL_CLASS_THROTTLED, PAWL_STARTED_NO, 0},
        {429, "Retry-After: 3\r\n", PAWL_E_RATE_LIMITED, PAWL_CLASS_THROTTLED, PAWL_STARTED_NO, PAWL_S(3)},
        {500, "", PAWL_E_UNAVAILABLE, PAWL_CLASS_SERVER, PAWL_STARTED_MAYBE, 0},
        {501, "", PAWL_E_UNSUPPORTED, PAWL_CLASS_PERMANENT, PAWL_STARTED_MAYBE, 0},
        {502, "", PAWL_E_UNAVAILABLE, PAWL_CLASS_SERVER, PAWL_STARTED_MAYBE, 0},
        {503, "", PAWL_E_UNAVAILABLE, PAWL_CLASS_SERVER, PAWL_STARTED_MAYBE, 0},
        {503, "Retry-After: 120\r\n", PAWL_E_UNAVAILABLE, PAWL_CLASS_THROTTLED, PAWL_STARTED_MAYBE, PAWL_S(120)},
        {504, "", PAWL_E_UNAVAILABLE, PAWL_CLASS_SERVER, PAWL_STARTED_MAYBE, 0},
        {505, "", PAWL_E_UNSUPPORTED, PAWL_CLASS_PERMANENT, PAWL_STARTED_MAYBE, 0},
        {304, "", PAWL_E_INVALID, PAWL_CLASS_PERMANENT, PAWL_STARTED_MAYBE, 0},
    };
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++) {
        char path[16], said[64];
        (void)snprintf(path, sizeof path, "/%zu", i);
        serve(bed->server, path, {.status = meanings[i].http, .headers = meanings[i].headers});
        struct ended ended = ask(bed, BY_RUN, path, "");
        assert_int_equal(pawl_error_class(ended.error), meanings[i].failure_class);
        assert_int_equal(pawl_error_started(ended.error), meanings[i].started);
        assert_int_equal(pawl_error_retry_after_ns(ended.error), meanings[i].retry_after_ns);
        assert_int_equal(pawl_error_is_retryable(ended.error), meanings[i].failure_class != PAWL_CLASS_PERMANENT);
        (void)snprintf(said, sizeof said, "http 'ask': the server answered %d", meanings[i].http);
        expect_end(&ended, meanings[i].status, said);
    }
}

static void quotes_one_clean_line_of_a_failure(void **state) {
    struct http_bed *bed = *state;
    char many[300], quoted[260] = "answered 400: ";
    memset(many, 'y', 299);
    many[299] = '\0';
    memset(quoted + strlen(quoted), 'y', 200);
    static const struct {
        const char *body, *said;
    } bodies[] = {
        {"no such model", "answered 400: no such model"},
        {"first\nsecond", "answered 400: first"},
        {"\r\n\n  {\r\n \"a\": 1}", "answered 400:   {"},
        {"\x1b[31mred\x07 \xc2\x9b"
         "2J\x7f.",
         "answered 400: [31mred 2J."},
        {"a\xff", "answered 400: a\xef\xbf\xbd"},
        {"x", "answered 400: x"},
        {"", "answered 400"},
        {"%s%n%d", "answered 400: %s%n%d"},
    };
    struct ended ended;
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        char path[16];
        (void)snprintf(path, sizeof path, "/%zu", i);
        serve(bed->server, path, {.status = 400, .body = bodies[i].body});
        ended = ask(bed, BY_RUN, path, "");
        assert_string_equal(strstr(pawl_error_message(ended.error), "answered"), bodies[i].said);
        forget(&ended);
    }
    serve(bed->server, "/long", {.status = 400, .body = many});
    ended = ask(bed, BY_RUN, "/long", "");
    assert_string_equal(strstr(pawl_error_message(ended.error), "answered"), quoted);
    forget(&ended);
    serve(bed->server, "/nul", {.raw = "HTTP/1.1 500 No\r\nContent-Length: 5\r\n\r\na\0b\0c", .raw_bytes = 43});
    ended = ask(bed, BY_RUN, "/nul", "");
    assert_string_equal(strstr(pawl_error_message(ended.error), "answered"), "answered 500: abc");
    forget(&ended);
}

static void follows_no_redirect(void **state) {
    struct http_bed *bed = *state;
    static const int statuses[] = {301, 302, 303, 307, 308};
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        char path[16], where[300];
        (void)snprintf(path, sizeof path, "/%zu", i);
        (void)snprintf(where, sizeof where, "Location: %s\r\n", url_of(bed, "/other"));
        serve(bed->server, path, {.status = statuses[i], .headers = where});
        struct ended ended = ask(bed, BY_RUN, path, "");
        expect_end(&ended, PAWL_E_INVALID, "redirects are not followed");
        assert_int_equal(http_server_requests(bed->server), i + 1);
    }
}

#define test_on_bed(test) cmocka_unit_test_setup(test, reset_bed)

int main(void) {
    const struct CMUnitTest tests[] = {
        test_on_bed(gives_text_as_text_and_bytes_in_base64),
        test_on_bed(reads_answers_in_every_framing),
        test_on_bed(joins_headers_of_one_name_and_mends_their_text),
        test_on_bed(knows_what_each_status_means),
        test_on_bed(quotes_one_clean_line_of_a_failure),
        test_on_bed(follows_no_redirect),
    };
    return cmocka_run_group_tests(tests, set_up_bed, tear_down_bed);
}
