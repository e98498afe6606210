/* Connections that are kept, many exchanges at once on one loop, what they cost, and their end with the runtime. */
#include "http_bed.h"

#include <fcntl.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <cmocka.h>

/* An end that must come at once has come by then, on a machine busy with other tests. */
#define AT_ONCE_NS PAWL_MS(1000)

static void keeps_its_connection_for_the_next_exchange(void **state) {
    struct http_bed *bed = *state;
    serve(bed->server, "/k", {.body = "k"});
    serve(bed->server, "/fails", {.status = 500, .body = "k"});
    for_each_driver(driver) {
        for (int i = 0; i < 5; i++) {
            struct ended ended = ask(bed, driver, "/k", "");
            expect_answer(&ended, 200, "k");
            forget(&ended);
            ended = ask(bed, driver, "/fails", "");
            expect_end(&ended, PAWL_E_UNAVAILABLE, NULL);
        }
        assert_int_equal(http_server_connections(bed->server), driver + 1); /* one a loop */
    }
}

static void notices_that_the_server_has_closed_a_kept_connection(void **state) {
    struct http_bed *bed = *state;
    serve(bed->server, "/k", {.body = "1", .then = THEN_CLOSE}, {.body = "2", .then = THEN_RESET}, {.body = "3"});
    static const char *const bodies[] = {"1", "2", "3"};
    for (int i = 0; i < 3; i++) {
        struct ended ended = ask(bed, BY_RUN, "/k", "");
        expect_answer(&ended, 200, bodies[i]);
        forget(&ended);
        assert_true(http_server_await_open(bed->server, i == 2 ? 1 : 0));
    }
    assert_int_equal(http_server_connections(bed->server), 3);
}

/* ---- crowds ---- */

struct crowd {
    atomic_size_t good, cancelled, other, left;
    sem_t done;
};

static void count_end(void *user, pawl_status status, pawl_value *value, pawl_error *error) {
    struct crowd *crowd = user;
    if (status != PAWL_OK && status != PAWL_E_CANCELLED && atomic_load(&crowd->other) == 0)
        print_error("%s\n", pawl_error_message(error));
    atomic_fetch_add(status == PAWL_OK            ? &crowd->good
                     : status == PAWL_E_CANCELLED ? &crowd->cancelled
                                                  : &crowd->other,
                     1);
    pawl_value_unref(value);
    pawl_error_unref(error);
    if (atomic_fetch_sub(&crowd->left, 1) == 1)
        sem_post(&crowd->done);
}

static void submit_crowd(struct http_bed *bed, struct crowd *crowd, const char *path, size_t count) {
    pawl_primitive *node = pawl_http_new("ask", NULL, NULL, NULL);
    pawl_value *in = request_for(bed, path, "");
    *crowd = (struct crowd){.left = count};
    sem_init(&crowd->done, 0, 0);
    for (size_t i = 0; i < count; i++) {
        pawl_context *ctx = pawl_context_new(bed->runtime);
        assert_int_equal(pawl_submit(node, ctx, in, count_end, crowd, NULL), PAWL_OK);
        pawl_context_unref(ctx);
    }
    pawl_value_unref(in);
    pawl_primitive_unref(node);
}

static void a_thousand_exchanges_live_on_one_loop(void **state) {
    struct http_bed *bed = *state;
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    size_t count = files.rlim_cur >= 2200 ? 1000 : files.rlim_cur / 3;
    serve(bed->server, "/slow", {.body = "slow", .delay_ms = 500});
    serve(bed->server, "/fast", {.body = "fast"});
    struct crowd crowd;
    for (int round = 0; round < 3; round++) {
        uint64_t start = clock_ns();
        submit_crowd(bed, &crowd, round == 1 ? "/fast" : "/slow", count);
        while (sem_wait(&crowd.done) != 0)
            ;
        assert_int_equal(crowd.good, count);
        assert_int_equal(http_server_requests(bed->server), (size_t)(round + 1) * count);
        sem_destroy(&crowd.done);
        print_message("%zu exchanges: %.0f ms, %zu connections so far\n", count, (double)(clock_ns() - start) / 1e6,
                      http_server_connections(bed->server));
    }
    assert_true(http_server_most_open(bed->server) >= count * 9 / 10);
    assert_true(http_server_connections(bed->server) <= count * 2); /* a round's are there for the next one */
}

static void a_shutdown_ends_what_is_live(void **state) {
    struct http_bed *bed = *state;
    serve(bed->server, "/wait", NEVER_ANSWERS);
    struct crowd crowd;
    submit_crowd(bed, &crowd, "/wait", 50);
    assert_true(http_server_await_requests(bed->server, 50));
    uint64_t start = clock_ns();
    assert_int_equal(pawl_runtime_shutdown(bed->runtime, NULL), PAWL_OK);
    assert_in_range(clock_ns() - start, 0, AT_ONCE_NS);
    assert_int_equal(crowd.cancelled, 50);
    assert_true(http_server_await_open(bed->server, 0));
    sem_destroy(&crowd.done);
}

/* ---- resources ---- */

static size_t sockets_that_programs_would_inherit(void) {
    size_t count = 0;
    for (int fd = 3; fd < 256; fd++) {
        struct stat what;
        int flags = fcntl(fd, F_GETFD);
        count += flags >= 0 && !(flags & FD_CLOEXEC) && fstat(fd, &what) == 0 && S_ISSOCK(what.st_mode);
    }
    return count;
}

static size_t open_descriptors(void) {
    size_t count = 0;
    for (int fd = 0; fd < 256; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static void an_exchange_costs_one_descriptor_that_no_program_inherits(void **state) {
    struct http_bed *bed = *state;
    serve(bed->server, "/wait", {.body = "w"}, NEVER_ANSWERS);
    struct ended ended = ask(bed, BY_SUBMIT, "/wait", ""); /* the loop's own descriptors are there now */
    expect_answer(&ended, 200, "w");
    forget(&ended);
    size_t before = open_descriptors(), inherited = sockets_that_programs_would_inherit();
    struct crowd crowd;
    submit_crowd(bed, &crowd, "/wait", 11); /* one takes the kept connection */
    assert_true(http_server_await_requests(bed->server, 12));
    assert_int_equal(open_descriptors() - before, 20); /* ours and the server's */
    assert_int_equal(sockets_that_programs_would_inherit(), inherited);
    assert_int_equal(pawl_runtime_shutdown(bed->runtime, NULL), PAWL_OK);
    sem_destroy(&crowd.done);
}

#define test_on_bed(test) cmocka_unit_test_setup(test, reset_bed)

int main(void) {
    const struct CMUnitTest tests[] = {
        test_on_bed(keeps_its_connection_for_the_next_exchange),
        test_on_bed(notices_that_the_server_has_closed_a_kept_connection),
        test_on_bed(a_thousand_exchanges_live_on_one_loop),
        test_on_bed(a_shutdown_ends_what_is_live),
        test_on_bed(an_exchange_costs_one_descriptor_that_no_program_inherits),
    };
    return cmocka_run_group_tests(tests, set_up_bed, tear_down_bed);
}
