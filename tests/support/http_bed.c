#include "http_bed.h"

#include "leaves.h"
#include "virtual_runtime.h"

#include <errno.h>
#include <poll.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#define AT_MOST_S 60

uint64_t clock_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * PAWL_S(1) + (uint64_t)now.tv_nsec;
}

void pause_ms(unsigned ms) {
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    nanosleep(&time, NULL);
}

/* ---- the bed ---- */

int set_up_bed(void **state) {
    struct http_bed *bed = calloc(1, sizeof *bed);
    if (!bed)
        return -1;
    static const char *const proxies[] = {"http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"};
    for (size_t i = 0; i < sizeof proxies / sizeof *proxies; i++)
        unsetenv(proxies[i]);
    bed->server = http_server_new();
    *state = bed;
    return bed->server ? 0 : -1;
}

int tear_down_bed(void **state) {
    struct http_bed *bed = *state;
    if (bed->runtime)
        expect_nothing_alive(bed->runtime);
    pawl_runtime_unref(bed->runtime);
    http_server_free(bed->server);
    free(bed);
    return 0;
}

int reset_bed(void **state) {
    struct http_bed *bed = *state;
    if (bed->runtime)
        expect_nothing_alive(bed->runtime);
    pawl_runtime_unref(bed->runtime);
    http_server_reset(bed->server);
    bed->runtime = pawl_runtime_new(NULL, NULL);
    return bed->runtime ? 0 : -1;
}

const char *url_of(struct http_bed *bed, const char *path) {
    char *url = bed->urls[bed->next_url++ % 8];
    (void)snprintf(url, sizeof bed->urls[0], "http://127.0.0.1:%d%s", http_server_port(bed->server), path);
    return url;
}

pawl_value *request_for(struct http_bed *bed, const char *path, const char *json) {
    char text[4096];
    pawl_value *value = NULL;
    int length =
        snprintf(text, sizeof text, "{\"url\": \"%s\"%s}", strstr(path, "://") ? path : url_of(bed, path), json);
    assert_int_equal(pawl_value_parse(text, (size_t)length, NULL, &value, NULL), PAWL_OK);
    return value;
}

/* ---- drivers ---- */

struct waiting {
    struct ended *ended;
    bool done;
    sem_t bell;
};

static void note_end(void *user, pawl_status status, pawl_value *value, pawl_error *error) {
    struct waiting *waiting = user;
    *waiting->ended = (struct ended){.status = status, .value = value, .error = error};
    waiting->done = true;
    sem_post(&waiting->bell);
}

static void wait_for_thread(struct waiting *waiting) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += AT_MOST_S;
    while (sem_timedwait(&waiting->bell, &until) != 0)
        if (errno == ETIMEDOUT)
            fail_msg("the run did not end in time");
}

static void pump_until_done(pawl_runtime *runtime, struct waiting *waiting) {
    uint64_t until = clock_ns() + PAWL_S(AT_MOST_S);
    while (!waiting->done) {
        struct pollfd fd = {.fd = pawl_runtime_fd(runtime), .events = POLLIN};
        uint64_t left = pawl_runtime_next_timeout(runtime), most = PAWL_S(1);
        struct timespec timeout = {.tv_nsec = (long)((left < most ? left : most - 1) % PAWL_S(1))};
        ppoll(&fd, 1, &timeout, NULL);
        assert_int_equal(pawl_runtime_pump(runtime, NULL), PAWL_OK);
        if (clock_ns() > until)
            fail_msg("the run did not end in time");
    }
}

static void drive_by(enum driver driver, pawl_runtime *runtime, pawl_primitive *node, pawl_context *ctx, pawl_value *in,
                     struct ended *ended) {
    struct waiting waiting = {.ended = ended};
    if (driver == BY_RUN) {
        ended->status = pawl_run(node, ctx, in, &ended->value, &ended->error);
        return;
    }
    sem_init(&waiting.bell, 0, 0);
    pawl_status status = (driver == BY_PUMP ? pawl_start : pawl_submit)(node, ctx, in, note_end, &waiting, NULL);
    if (status != PAWL_OK)
        ended->status = status;
    else if (driver == BY_PUMP)
        pump_until_done(runtime, &waiting);
    else
        wait_for_thread(&waiting);
    sem_destroy(&waiting.bell);
}

struct ended drive(struct http_bed *bed, enum driver driver, pawl_primitive *node, pawl_context *ctx, pawl_value *in) {
    struct ended ended = {.status = PAWL_OK};
    pawl_context *own = ctx ? pawl_context_ref(ctx) : pawl_context_new(bed->runtime);
    drive_by(driver, bed->runtime, node, own, in, &ended);
    pawl_context_unref(own);
    return ended;
}

struct ended ask(struct http_bed *bed, enum driver driver, const char *path, const char *json) {
    pawl_primitive *node = pawl_http_new("ask", NULL, NULL, NULL);
    pawl_value *in = request_for(bed, path, json);
    struct ended ended = drive(bed, driver, node, NULL, in);
    pawl_value_unref(in);
    pawl_primitive_unref(node);
    return ended;
}

void forget(struct ended *ended) {
    pawl_value_unref(ended->value);
    pawl_error_unref(ended->error);
    *ended = (struct ended){.status = PAWL_OK};
}

/* ---- expectations ---- */

void expect_answer(struct ended *ended, int status, const char *body) {
    char text[512];
    if (ended->status != PAWL_OK) {
        (void)pawl_error_describe(ended->error, text, sizeof text);
        fail_msg("it failed: %s", text);
    }
    const cJSON *json = pawl_value_json(ended->value);
    assert_int_equal(cJSON_GetObjectItem(json, "status")->valueint, status);
    if (body)
        assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(json, "body")), body);
}

void expect_end(struct ended *ended, pawl_status status, const char *part) {
    assert_null(ended->value);
    assert_int_equal(ended->status, status);
    expect_error(ended->error, status, part);
    ended->error = NULL;
}

const char *answer_header(const struct ended *ended, const char *name) {
    const cJSON *headers = cJSON_GetObjectItem(pawl_value_json(ended->value), "headers");
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(headers, name));
}

const char *sent_header(struct http_bed *bed, size_t n, const char *name) {
    static char text[1024];
    struct http_seen seen;
    if (!http_server_seen(bed->server, n, &seen))
        fail_msg("the server has not seen request %zu", n);
    return http_seen_header(&seen, name, text, sizeof text);
}

void expect_request(struct http_bed *bed, size_t n, const char *line) {
    struct http_seen seen;
    if (!http_server_seen(bed->server, n, &seen))
        fail_msg("the server has not seen request %zu", n);
    seen.head[strcspn(seen.head, "\r")] = '\0';
    assert_string_equal(seen.head, line);
}
