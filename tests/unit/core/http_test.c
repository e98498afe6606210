/* HTTP's words: Retry-After, and what libcurl's results mean. */
#include "http_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static void reads_seconds_and_rounds_fractions_up(void **state) {
    (void)state;
    static const struct {
        const char *text;
        uint64_t ns;
    } texts[] = {
        {"0", 0},           {"1", PAWL_S(1)},   {"120", PAWL_S(120)}, {"007", PAWL_S(7)},       {"1.5", PAWL_S(2)},
        {"0.2", PAWL_S(1)}, {"3.0", PAWL_S(3)}, {"2.000", PAWL_S(2)}, {"86400", PAWL_S(86400)},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_int_equal(pawl_http_retry_after(texts[i].text), texts[i].ns);
}

static void saturates_instead_of_wrapping(void **state) {
    (void)state;
    assert_int_equal(pawl_http_retry_after("1000000000"), PAWL_S(1000000000));
    static const char *const huge[] = {"18446744074", "99999999999999999999999999", "18446744073709551617",
                                       "99999999999999999999999999.5"};
    for (size_t i = 0; i < sizeof huge / sizeof *huge; i++)
        assert_int_equal(pawl_http_retry_after(huge[i]), PAWL_NEVER);
}

static void takes_nonsense_for_no_wish(void **state) {
    (void)state;
    static const char *const nonsense[] = {"",    " ",    "-1",    "+1",   "1e3",   "0x10",     "inf",      "nan",
                                           "1 s", "1.",   ".5",    "1..5", "1.5.2", "soon",     "Friday x", "1,5",
                                           "1;2", "\xff", "\n5\n", " 5",   "5 ",    "20260101x"};
    assert_int_equal(pawl_http_retry_after(NULL), 0);
    for (size_t i = 0; i < sizeof nonsense / sizeof *nonsense; i++)
        if (pawl_http_retry_after(nonsense[i]) != 0)
            fail_msg("'%s' was taken for a time", nonsense[i]);
}

static void expect_date(const char *format, time_t when, uint64_t least_ns) {
    char text[64];
    struct tm parts;
    assert_true(strftime(text, sizeof text, format, gmtime_r(&when, &parts)) > 0);
    time_t before = time(NULL);
    uint64_t ns = pawl_http_retry_after(text);
    if (least_ns == 0)
        assert_int_equal(ns, 0);
    else /* never early: what is left of the second we are in is added */
        assert_in_range(ns, PAWL_S((uint64_t)(when - time(NULL))), PAWL_S((uint64_t)(when - before) + 1));
}

static void reads_the_three_forms_of_a_date(void **state) {
    (void)state;
    time_t now = time(NULL);
    static const char *const formats[] = {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT",
                                          "%a %b %e %H:%M:%S %Y"};
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        expect_date(formats[i], now + 3600, PAWL_S(3600));
    expect_date(formats[0], now - 10, 0);
    assert_int_equal(pawl_http_retry_after("Sun, 06 Nov 1994 08:49:37 GMT"), 0);
    assert_true(pawl_http_retry_after("Fri, 31 Dec 9999 23:59:59 GMT") > PAWL_S(86400));
}

static void tells_what_a_result_of_libcurl_means(void **state) {
    (void)state;
    static const struct {
        CURLcode code;
        pawl_status status;
        bool retryable;
    } codes[] = {
        {CURLE_COULDNT_CONNECT, PAWL_E_UNAVAILABLE, true},      {CURLE_COULDNT_RESOLVE_HOST, PAWL_E_UNAVAILABLE, true},
        {CURLE_RECV_ERROR, PAWL_E_UNAVAILABLE, true},           {CURLE_SEND_ERROR, PAWL_E_UNAVAILABLE, true},
        {CURLE_GOT_NOTHING, PAWL_E_UNAVAILABLE, true},          {CURLE_SSL_CONNECT_ERROR, PAWL_E_UNAVAILABLE, true},
        {CURLE_HTTP2_STREAM, PAWL_E_UNAVAILABLE, true},         {CURLE_OPERATION_TIMEDOUT, PAWL_E_TIMEOUT, true},
        {CURLE_PEER_FAILED_VERIFICATION, PAWL_E_DENIED, false}, {CURLE_LOGIN_DENIED, PAWL_E_DENIED, false},
        {CURLE_URL_MALFORMAT, PAWL_E_INVALID, false},           {CURLE_UNSUPPORTED_PROTOCOL, PAWL_E_INVALID, false},
        {CURLE_WEIRD_SERVER_REPLY, PAWL_E_PROTOCOL, true}, /* nothing was sent: docs/errors.md */
        {CURLE_FILESIZE_EXCEEDED, PAWL_E_LIMIT, false},         {CURLE_WRITE_ERROR, PAWL_E_FAILED, false},
        {CURLE_ABORTED_BY_CALLBACK, PAWL_E_FAILED, false},      {CURLE_OUT_OF_MEMORY, PAWL_E_NOMEM, false},
    };
    assert_true(pawl_http_ready());
    CURL *easy = curl_easy_init();
    curl_easy_setopt(easy, CURLOPT_URL, "https://me:secret@example.test:8443/path?key=secret");
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        pawl_error *error = NULL;
        assert_int_equal(pawl_http_curl_error(&error, "http 'a'", easy, codes[i].code, NULL), codes[i].status);
        assert_int_equal(pawl_error_status(error), codes[i].status);
        assert_int_equal(pawl_error_started(error), PAWL_STARTED_NO);
        assert_int_equal(pawl_error_is_retryable(error), codes[i].retryable);
        assert_non_null(strstr(pawl_error_message(error), "(example.test:8443)"));
        assert_null(strstr(pawl_error_message(error), "secret"));
        pawl_error_unref(error);
    }
    curl_easy_cleanup(easy);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_seconds_and_rounds_fractions_up),
        cmocka_unit_test(saturates_instead_of_wrapping),
        cmocka_unit_test(takes_nonsense_for_no_wish),
        cmocka_unit_test(reads_the_three_forms_of_a_date),
        cmocka_unit_test(tells_what_a_result_of_libcurl_means),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
