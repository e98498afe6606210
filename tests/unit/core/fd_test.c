/* A host may have closed its standard streams: what the library opens never lies in their place. */
#include "fd_internal.h"
#include "leaves.h"

#include <fcntl.h>
#include <pawl/primitives/function.h>
#include <setjmp.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

/* Standard input is closed meanwhile; *state is where it is kept. */
static int close_input(void **state) {
    static int kept;
    kept = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 10);
    *state = &kept;
    return kept < 0 || close(STDIN_FILENO) != 0;
}

static int reopen_input(void **state) {
    int *kept = *state, failed = dup2(*kept, STDIN_FILENO) < 0;
    close(*kept);
    return failed;
}

static bool input_is_closed(void) {
    return fcntl(STDIN_FILENO, F_GETFD) < 0;
}

static void a_standard_number_is_left_free(void **state) {
    (void)state;
    int fd = eventfd(7, EFD_CLOEXEC);
    assert_int_equal(fd, STDIN_FILENO);
    fd = pawl_fd_beyond_standard(fd);
    assert_true(fd > STDERR_FILENO);
    assert_true(input_is_closed());
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    uint64_t count = 0;
    assert_int_equal(read(fd, &count, sizeof count), sizeof count);
    assert_int_equal(count, 7);
    assert_int_equal(pawl_fd_beyond_standard(fd), fd);
    assert_int_equal(pawl_fd_beyond_standard(-1), -1);
    close(fd);
}

static pawl_status look(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    (void)in, (void)ret_out;
    *(bool *)user = input_is_closed();
    return pawl_context_sleep(ctx, 0, err);
}

static void a_runtime_leaves_them_free(void **state) {
    (void)state;
    bool free_in_leaf = false;
    pawl_runtime *runtime = pawl_runtime_with();
    pawl_context *ctx = pawl_context_new(runtime);
    expect_output_of(pawl_function("look", look, &free_in_leaf), ctx, "1", "1");
    assert_true(free_in_leaf);
    assert_true(pawl_runtime_fd(runtime) > STDERR_FILENO);
    assert_true(input_is_closed());
    pawl_context_unref(ctx);
    pawl_runtime_unref(runtime);
}

int main(void) {
#define without_input(test) cmocka_unit_test_setup_teardown(test, close_input, reopen_input)
    const struct CMUnitTest tests[] = {
        without_input(a_standard_number_is_left_free),
        without_input(a_runtime_leaves_them_free),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
