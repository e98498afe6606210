/* The metrics endpoint, asked over real sockets by polite, wrong, slow and vanishing clients. */
#include <pawl/core.h>
#include <pawl/observability/prometheus.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#define OPEN_TYPE "application/openmetrics-text"

static pawl_metrics *metrics;
static pawl_metrics_listener *listener;
static char answer[1 << 20];

static int dial(uint64_t port) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0)
        return fd;
    close(fd);
    return -1;
}

static int dial_or_fail(void) {
    int fd = dial(pawl_metrics_listener_port(listener));
    assert_true(fd >= 0);
    return fd;
}

static void say(int fd, const char *text) {
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* Reads until the other side closes; 20 s at most. */
static size_t hear(int fd) {
    size_t length = 0;
    for (;;) {
        struct pollfd pfd = {.fd = fd, .events = POLLIN};
        assert_int_equal(poll(&pfd, 1, 20000), 1);
        ssize_t got = recv(fd, answer + length, sizeof answer - 1 - length, 0);
        if (got <= 0)
            break;
        length += (size_t)got;
    }
    close(fd);
    answer[length] = '\0';
    return length;
}

static void ask(const char *request) {
    int fd = dial_or_fail();
    say(fd, request);
    hear(fd);
}

static void expect_status(const char *status) {
    if (strncmp(answer, status, strlen(status)) != 0)
        fail_msg("not %s but: %.200s", status, answer);
}

static void expect_in_answer(const char *part) {
    if (!strstr(answer, part))
        fail_msg("no '%s' in: %s", part, answer);
}

/* ---- requests ---- */

static void a_get_is_answered_with_text(void **state) {
    (void)state;
    ask("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    expect_status("HTTP/1.1 200");
    expect_in_answer("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n");
    expect_in_answer("Content-Length: ");
    expect_in_answer("Vary: Accept, Accept-Encoding\r\n");
    expect_in_answer("\ntest_served_total 3\n");
}

static void openmetrics_is_negotiated_also_over_several_headers(void **state) {
    (void)state;
    ask("GET /metrics?x=1 HTTP/1.1\r\nHost: x\r\nAccept: text/plain;q=0.5\r\nAccept: " OPEN_TYPE "\r\n\r\n");
    expect_status("HTTP/1.1 200");
    expect_in_answer("Content-Type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n");
    assert_string_equal(answer + strlen(answer) - 6, "# EOF\n");
}

static void a_head_is_answered_without_a_body(void **state) {
    (void)state;
    ask("HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    expect_status("HTTP/1.1 200");
    assert_string_equal(answer + strlen(answer) - 4, "\r\n\r\n");
    assert_null(strstr(answer, "Content-Length: 0\r\n"));
}

static void other_methods_and_paths_are_refused(void **state) {
    (void)state;
    ask("POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nabc");
    expect_status("HTTP/1.1 405");
    expect_in_answer("Allow: GET, HEAD\r\n");
    ask("BREW /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    expect_status("HTTP/1.1 405");
    ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    expect_status("HTTP/1.1 404");
    ask("GET /metrics/../etc HTTP/1.1\r\nHost: x\r\n\r\n");
    expect_status("HTTP/1.1 404");
    ask("nonsense\r\n\r\n");
}

static void gzip_is_sent_when_it_is_accepted(void **state) {
    (void)state;
    ask("GET /metrics HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n");
    expect_status("HTTP/1.1 200");
    expect_in_answer("Content-Encoding: gzip\r\n");
    assert_memory_equal(strstr(answer, "\r\n\r\n") + 4, "\x1f\x8b\x08", 3);
    ask("GET /metrics HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip;q=0\r\n\r\n");
    assert_null(strstr(answer, "Content-Encoding"));
}

/* ---- bad clients ---- */

static void a_head_that_never_ends_is_refused_or_cut(void **state) {
    (void)state;
    static char line[1024] = "X-Long: ";
    memset(line + 8, 'a', sizeof line - 11);
    memcpy(line + sizeof line - 3, "\r\n", 3);
    int fd = dial_or_fail();
    say(fd, "GET /metrics HTTP/1.1\r\nHost: x\r\n");
    for (int i = 0; i < 100; i++)
        if (send(fd, line, sizeof line - 1, MSG_NOSIGNAL) < 0)
            break;
    hear(fd);
}

static void more_slow_clients_than_there_is_room_for_stop_nobody(void **state) {
    (void)state;
    int slow[100];
    for (size_t i = 0; i < 100; i++) {
        slow[i] = dial_or_fail();
        (void)send(slow[i], "GET /metr", 9, MSG_NOSIGNAL);
    }
    ask("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    expect_status("HTTP/1.1 200");
    for (size_t i = 0; i < 100; i++)
        close(slow[i]);
}

/* One byte a second would keep an idle timeout from ever passing. */
static void a_connection_ends_after_ten_seconds_whatever_it_sends(void **state) {
    (void)state;
    int fd = dial_or_fail();
    struct pollfd pfd = {.fd = fd, .events = POLLIN};
    int seconds = 0;
    for (; seconds < 20 && poll(&pfd, 1, 1000) == 0; seconds++)
        (void)send(fd, "x", 1, MSG_NOSIGNAL);
    assert_in_range(seconds, 8, 12);
    close(fd);
}

static void clients_that_vanish_raise_no_signal(void **state) {
    (void)state;
    struct linger reset = {.l_onoff = 1, .l_linger = 0};
    signal(SIGPIPE, SIG_DFL);
    for (int i = 0; i < 50; i++) {
        int fd = dial_or_fail();
        say(fd, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        close(fd);
    }
    ask("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    expect_status("HTTP/1.1 200");
}

/* The kernel takes the connection, the endpoint cannot: it waits and takes it when it can. With a limit of 1 even
 * poll() fails. */
static void expect_patience(rlim_t limit) {
    struct rlimit before, low;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)pawl_metrics_listener_port(listener))};
    inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    getrlimit(RLIMIT_NOFILE, &before);
    low = before;
    low.rlim_cur = limit ? limit : (rlim_t)fd + 1;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    clock_t cpu = clock();
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    say(fd, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    usleep(500000);
    double seconds = (double)(clock() - cpu) / CLOCKS_PER_SEC;
    setrlimit(RLIMIT_NOFILE, &before);
    if (seconds >= 0.1)
        fail_msg("%f s of processor time", seconds);
    hear(fd);
    expect_status("HTTP/1.1 200");
}

static void without_descriptors_it_waits_instead_of_spinning(void **state) {
    (void)state;
    expect_patience(0);
    expect_patience(1);
}

static void *measure(void *user) {
    static const pawl_instrument busy = {.size = sizeof busy, .name = "test.busy", .kind = PAWL_HISTOGRAM};
    atomic_bool *stop = user;
    for (int64_t i = 0; !atomic_load(stop); i++) {
        pawl_attribute attribute = pawl_attribute_int("i", i % 50);
        pawl_series_record(pawl_metrics_series(metrics, &busy, &attribute, 1, NULL), (double)i, NULL);
    }
    return NULL;
}

static void scrapes_and_measurements_do_not_disturb_each_other(void **state) {
    (void)state;
    atomic_bool stop = false;
    pthread_t threads[3];
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, measure, &stop), 0);
    for (int i = 0; i < 30; i++) {
        ask("GET /metrics HTTP/1.1\r\nHost: x\r\nAccept: " OPEN_TYPE "\r\n\r\n");
        expect_status("HTTP/1.1 200");
        assert_string_equal(answer + strlen(answer) - 6, "# EOF\n");
    }
    atomic_store(&stop, true);
    for (size_t i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
}

/* ---- options ---- */

static void expect_refused(const pawl_metrics_listen_options *options, pawl_status status, const char *part) {
    pawl_error *err = NULL;
    assert_null(pawl_metrics_listen(metrics, options, &err));
    assert_int_equal(pawl_error_status(err), status);
    assert_non_null(strstr(pawl_error_message(err), part));
    pawl_error_unref(err);
}

#define OPTIONS(...)                                                                                                   \
    &(pawl_metrics_listen_options) {                                                                                   \
        .size = sizeof(pawl_metrics_listen_options), __VA_ARGS__                                                       \
    }

static void only_loopback_is_listened_at_unless_more_is_allowed(void **state) {
    (void)state;
    expect_refused(OPTIONS(.address = "0.0.0.0", .port = PAWL_ZERO), PAWL_E_DENIED, "allow_remote");
    expect_refused(OPTIONS(.address = "::", .port = PAWL_ZERO), PAWL_E_DENIED, "allow_remote");
    expect_refused(OPTIONS(.address = "8.8.8.8", .port = PAWL_ZERO, .allow_remote = 1), PAWL_E_INVALID, "");
    expect_refused(OPTIONS(.address = "example.org"), PAWL_E_INVALID, "example.org");
    expect_refused(OPTIONS(.port = 65536), PAWL_E_INVALID, "65536");
    expect_refused(OPTIONS(.port = pawl_metrics_listener_port(listener)), PAWL_E_UNAVAILABLE, "PAWL_ZERO");
    pawl_metrics_listener *other =
        pawl_metrics_listen_with(metrics, NULL, .address = "0.0.0.0", .port = PAWL_ZERO, .allow_remote = 1);
    assert_non_null(other);
    pawl_metrics_listener_unref(other);
    other = pawl_metrics_listen_with(metrics, NULL, .address = "127.1.2.3", .port = PAWL_ZERO);
    assert_non_null(other);
    pawl_metrics_listener_unref(other);
    assert_null(pawl_metrics_listen(NULL, NULL, NULL));
}

/* ---- life ---- */

static void the_last_unref_frees_the_port(void **state) {
    (void)state;
    pawl_metrics_listener *own = pawl_metrics_listen_with(metrics, NULL, .port = PAWL_ZERO);
    uint64_t port = pawl_metrics_listener_port(own);
    int idle = dial(port);
    assert_true(idle >= 0);
    pawl_metrics_listener_unref(pawl_metrics_listener_ref(own));
    int fd = dial(port); /* still there */
    assert_true(fd >= 0);
    close(fd);
    pawl_metrics_listener_unref(own);
    assert_int_equal(dial(port), -1);
    close(idle);
    own = pawl_metrics_listen_with(metrics, NULL, .port = port);
    assert_non_null(own);
    pawl_metrics_listener_unref(own);
}

static void the_end_of_the_runtime_frees_the_port(void **state) {
    (void)state;
    pawl_runtime *runtime = pawl_runtime_new(NULL, NULL);
    pawl_metrics_listener *own = pawl_metrics_listen_with(metrics, NULL, .port = PAWL_ZERO, .runtime = runtime);
    uint64_t port = pawl_metrics_listener_port(own);
    int fd = dial(port);
    assert_true(fd >= 0);
    close(fd);
    pawl_runtime_unref(runtime);
    assert_int_equal(dial(port), -1);
    pawl_metrics_listener_unref(own);
}

static void a_forked_child_lets_go_and_the_parent_still_answers(void **state) {
    (void)state;
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
        listener = pawl_metrics_listener_unref(listener);
        _exit(0);
    }
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
    ask("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    expect_status("HTTP/1.1 200");
}

static int begin(void **state) {
    (void)state;
    static const pawl_instrument served = {.size = sizeof served, .name = "test.served", .kind = PAWL_COUNTER};
    metrics = pawl_metrics_new(NULL, NULL);
    pawl_series_add(pawl_metrics_series(metrics, &served, NULL, 0, NULL), 3, NULL);
    listener = pawl_metrics_listen_with(metrics, NULL, .port = PAWL_ZERO);
    return listener ? 0 : -1;
}

static int end(void **state) {
    (void)state;
    pawl_metrics_listener_unref(listener);
    pawl_metrics_unref(metrics);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_get_is_answered_with_text),
        cmocka_unit_test(openmetrics_is_negotiated_also_over_several_headers),
        cmocka_unit_test(a_head_is_answered_without_a_body),
        cmocka_unit_test(other_methods_and_paths_are_refused),
        cmocka_unit_test(gzip_is_sent_when_it_is_accepted),
        cmocka_unit_test(a_head_that_never_ends_is_refused_or_cut),
        cmocka_unit_test(more_slow_clients_than_there_is_room_for_stop_nobody),
        cmocka_unit_test(clients_that_vanish_raise_no_signal),
        cmocka_unit_test(without_descriptors_it_waits_instead_of_spinning),
        cmocka_unit_test(scrapes_and_measurements_do_not_disturb_each_other),
        cmocka_unit_test(only_loopback_is_listened_at_unless_more_is_allowed),
        cmocka_unit_test(the_last_unref_frees_the_port),
        cmocka_unit_test(the_end_of_the_runtime_frees_the_port),
        cmocka_unit_test(a_forked_child_lets_go_and_the_parent_still_answers),
        cmocka_unit_test(a_connection_ends_after_ten_seconds_whatever_it_sends),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
