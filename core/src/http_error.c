/* What failed transfers and answers mean: status, class, whether it may have had effects, and the sentence. */
#include "http_internal.h"
#include "utf8_internal.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define QUOTED_BYTES 200
#define HOST_BYTES 128

/* ---- Retry-After ---- */

static uint64_t seconds_of(const char *digits, size_t count) {
    uint64_t seconds = 0;
    for (size_t i = 0; i < count; i++) {
        if (seconds > PAWL_NEVER / PAWL_S(1) / 10 - 1)
            return PAWL_NEVER;
        seconds = seconds * 10 + (uint64_t)(digits[i] - '0');
    }
    return PAWL_S(seconds);
}

/* Fractions are no standard, but sent. */
static uint64_t read_seconds(const char *text) {
    size_t whole = strspn(text, "0123456789");
    const char *fraction = text + whole;
    uint64_t ns = seconds_of(text, whole);
    if (*fraction == '\0')
        return ns;
    size_t digits = *fraction == '.' ? strspn(fraction + 1, "0123456789") : 0;
    if (digits == 0 || fraction[1 + digits] != '\0')
        return 0;
    bool is_zero = strspn(fraction + 1, "0") == digits;
    return is_zero || ns > PAWL_NEVER - PAWL_S(1) ? ns : ns + PAWL_S(1);
}

uint64_t pawl_http_retry_after(const char *text) {
    if (!text)
        return 0;
    if (isdigit((unsigned char)text[0]))
        return read_seconds(text);
    if (!isalpha((unsigned char)text[0])) /* a date begins with its day's name */
        return 0;
    time_t date = curl_getdate(text, NULL), now = time(NULL);
    return date > now ? PAWL_S((uint64_t)(date - now) + 1) : 0; /* a date has whole seconds: never early */
}

/* ---- failed transfers ---- */

static const struct {
    CURLcode code;
    pawl_status status;
    const char *advice;
} codes[] = {
    {CURLE_COULDNT_RESOLVE_HOST, PAWL_E_UNAVAILABLE, "check the url's host"},
    {CURLE_PEER_FAILED_VERIFICATION, PAWL_E_DENIED, "its certificate is not trusted"},
    {CURLE_SSL_CACERT_BADFILE, PAWL_E_INVALID, "check ca_file, or install the package ca-certificates"},
    {CURLE_SSL_CERTPROBLEM, PAWL_E_INVALID, "check client_cert_file and client_key_file"},
    {CURLE_URL_MALFORMAT, PAWL_E_INVALID, "check the url"},
    {CURLE_BAD_FUNCTION_ARGUMENT, PAWL_E_INVALID, NULL},
    {CURLE_UNKNOWN_OPTION, PAWL_E_INVALID, NULL},
    {CURLE_NOT_BUILT_IN, PAWL_E_UNSUPPORTED, NULL},
    {CURLE_LOGIN_DENIED, PAWL_E_DENIED, "check the credentials"},
    {CURLE_REMOTE_ACCESS_DENIED, PAWL_E_DENIED, "check the credentials"},
    {CURLE_REMOTE_FILE_NOT_FOUND, PAWL_E_NOT_FOUND, NULL},
    {CURLE_OPERATION_TIMEDOUT, PAWL_E_TIMEOUT, "give it more time, or look at the server"},
    {CURLE_WEIRD_SERVER_REPLY, PAWL_E_PROTOCOL, NULL},
    {CURLE_BAD_CONTENT_ENCODING, PAWL_E_PROTOCOL, NULL},
    {CURLE_TOO_MANY_REDIRECTS, PAWL_E_PROTOCOL, NULL},
    {CURLE_FILESIZE_EXCEEDED, PAWL_E_LIMIT, NULL},
    {CURLE_OUT_OF_MEMORY, PAWL_E_NOMEM, NULL},
    {CURLE_WRITE_ERROR, PAWL_E_FAILED, "the callback that takes the body refused it"},
    {CURLE_READ_ERROR, PAWL_E_FAILED, "the callback that gives the body failed"},
    {CURLE_ABORTED_BY_CALLBACK, PAWL_E_FAILED, "a callback ended it"},
};

static bool was_sent(CURL *easy) {
    curl_off_t us = 0;
    long bytes = 0;
    curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &us);
    curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &bytes);
    return us > 0 || bytes > 0;
}

/* The other end of a connection, without credentials, path and query. */
static void write_host(CURL *easy, char text[HOST_BYTES]) {
    char *url = NULL, *host = NULL, *port = NULL;
    CURLU *parts = curl_easy_getinfo(easy, CURLINFO_EFFECTIVE_URL, &url) == CURLE_OK && url ? curl_url() : NULL;
    text[0] = '\0';
    if (parts && curl_url_set(parts, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME | CURLU_GUESS_SCHEME) == CURLUE_OK &&
        curl_url_get(parts, CURLUPART_HOST, &host, 0) == CURLUE_OK) {
        curl_url_get(parts, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT);
        snprintf(text, HOST_BYTES, " (%.100s%s%s)", host, port ? ":" : "", port ? port : "");
    }
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(parts);
}

/* The user asked libcurl to fail on such an answer. */
static pawl_status answer_error(pawl_error **err, const char *who, CURL *easy) {
    long status = 0;
    curl_off_t seconds = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &seconds);
    uint64_t pause = seconds > 0 ? (uint64_t)seconds : 0;
    pawl_http_response response = {.size = sizeof response,
                                   .status = (uint64_t)status,
                                   .body = "",
                                   .retry_after_ns = pause < PAWL_NEVER / PAWL_S(1) ? PAWL_S(pause) : PAWL_NEVER};
    return pawl_http_answer_error(err, who, &response);
}

pawl_status pawl_http_curl_error(pawl_error **err, const char *who, CURL *easy, CURLcode result, const char *detail) {
    if (result == CURLE_HTTP_RETURNED_ERROR)
        return answer_error(err, who, easy);
    bool sent = was_sent(easy);
    pawl_error_info info = {
        .size = sizeof info, .status = PAWL_E_UNAVAILABLE, .started = sent ? PAWL_STARTED_MAYBE : PAWL_STARTED_NO};
    const char *advice = NULL;
    if (result == CURLE_UNSUPPORTED_PROTOCOL) { /* of the url, or what came back is no HTTP */
        info.status = sent ? PAWL_E_PROTOCOL : PAWL_E_INVALID;
        advice = sent ? "no HTTP/1 server answers there; is it a gRPC port?" : NULL;
    }
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (codes[i].code == result) {
            info.status = codes[i].status;
            advice = codes[i].advice;
        }
    char host[HOST_BYTES];
    write_host(easy, host);
    return pawl_error_set_info(err, &info, "%s: %s%s%s%s", who, detail && *detail ? detail : curl_easy_strerror(result),
                               host, advice ? "; " : "", advice ? advice : "");
}

/* ---- answers that are no success ---- */

struct meaning {
    pawl_status status;
    pawl_class failure_class;
    const char *advice;
};

static struct meaning meaning_of(uint64_t status, bool asks_for_patience) {
    switch (status) {
    case 401:
    case 403:
    case 407:
        return (struct meaning){PAWL_E_DENIED, 0, "; check the credentials"};
    case 404:
    case 410:
        return (struct meaning){PAWL_E_NOT_FOUND, 0, "; check the url"};
    case 413:
        return (struct meaning){PAWL_E_LIMIT, 0, "; send less"};
    case 429:
        return (struct meaning){PAWL_E_RATE_LIMITED, 0, ""};
    case 408:
    case 425:
        return (struct meaning){PAWL_E_UNAVAILABLE, PAWL_CLASS_TRANSIENT, ""};
    case 503:
        if (asks_for_patience)
            return (struct meaning){PAWL_E_UNAVAILABLE, PAWL_CLASS_THROTTLED, ""};
        return (struct meaning){PAWL_E_UNAVAILABLE, PAWL_CLASS_SERVER, ""};
    case 500:
    case 502:
    case 504:
        return (struct meaning){PAWL_E_UNAVAILABLE, PAWL_CLASS_SERVER, ""};
    default:
        if (status >= 300 && status < 400)
            return (struct meaning){PAWL_E_INVALID, 0, "; redirects are not followed: ask for the new place"};
        return (struct meaning){status >= 500 ? PAWL_E_UNSUPPORTED : PAWL_E_INVALID, 0, ""};
    }
}

/* Bytes of a control character at the start of text: C0 and DEL are one, C1 (U+0080 to U+009F) two. */
static size_t control_at(const unsigned char *text, size_t length) {
    if (text[0] < ' ' || text[0] == 0x7f)
        return 1;
    return text[0] == 0xc2 && length > 1 && text[1] >= 0x80 && text[1] < 0xa0 ? 2 : 0;
}

/* First line of the body, for the message, without what would upset a terminal or a log. */
static void quote_body(const pawl_http_response *response, char text[QUOTED_BYTES + 1]) {
    const unsigned char *body = response->body;
    size_t length = response->body_bytes < QUOTED_BYTES ? (size_t)response->body_bytes : QUOTED_BYTES, used = 0;
    for (size_t i = 0, control; i < length; i += control ? control : 1) {
        control = control_at(body + i, length - i);
        if (!control)
            text[used++] = (char)body[i];
        else if (used > 0 && (body[i] == '\n' || body[i] == '\r'))
            break;
    }
    text[pawl_utf8_cut(text, used)] = '\0';
}

pawl_status pawl_http_answer_error(pawl_error **err, const char *who, const pawl_http_response *response) {
    char quoted[QUOTED_BYTES + 1];
    quote_body(response, quoted);
    struct meaning meaning = meaning_of(response->status, response->retry_after_ns > 0);
    bool refused = response->status >= 400 && response->status < 500;
    pawl_error_info info = {.size = sizeof info,
                            .status = meaning.status,
                            .failure_class = meaning.failure_class,
                            .started = refused ? PAWL_STARTED_NO : PAWL_STARTED_MAYBE,
                            .retry_after_ns = response->retry_after_ns};
    return pawl_error_set_info(err, &info, "%s: the server answered %llu%s%s%s", who,
                               (unsigned long long)response->status, quoted[0] ? ": " : "", quoted, meaning.advice);
}
