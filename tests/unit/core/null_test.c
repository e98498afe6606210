/* NULL where there must be something: an error that names it, or nothing happens. */
#include "leaves.h"
#include "virtual_runtime.h"

#include <pawl/observer.h>
#include <setjmp.h>

#include <cmocka.h>

/* The call, which uses &err, is refused so. */
#define expect_refused(call, part)                                                                                     \
    do {                                                                                                               \
        pawl_error *err = NULL;                                                                                        \
        assert_int_equal(call, PAWL_E_INVALID);                                                                        \
        expect_error(err, PAWL_E_INVALID, part);                                                                       \
    } while (0)

static void a_context_that_is_null_is_refused_by_all_that_tell_errors(void **state) {
    (void)state;
    pawl_cancel_registration registration;
    expect_refused(pawl_context_check(NULL, &err), "context: it is NULL");
    expect_refused(pawl_context_on_cancel(NULL, &registration, NULL, NULL, &err), "context: it is NULL");
    expect_refused(pawl_context_set_id(NULL, PAWL_ID_SESSION, "s", &err), "context: it is NULL");
    expect_refused(pawl_context_set_baggage(NULL, "k", "v", &err), "context: it is NULL");
    expect_refused(pawl_context_set_tag(NULL, "k", "v", &err), "context: it is NULL");
    expect_refused(pawl_context_set_metadata(NULL, "k", pawl_value_null(), &err), "context: it is NULL");
    expect_refused(pawl_context_set_deadline(NULL, 1, &err), "context: it is NULL");
    expect_refused(pawl_context_set_timeout(NULL, 1, &err), "context: it is NULL");
    expect_refused(pawl_context_sleep(NULL, 1, &err), "context: it is NULL");
    expect_refused(pawl_context_wait_fd(NULL, 0, 0, 0, NULL, &err), "context: it is NULL");
    expect_refused(pawl_context_wait_child(NULL, 1, NULL, &err), "context: it is NULL");
    expect_refused(pawl_context_set_state(NULL, "k", pawl_value_null(), &err), "context: it is NULL");
    expect_refused(pawl_context_state_update(NULL, "k", NULL, NULL, &err), "context: it is NULL");
    assert_int_equal(pawl_context_check(NULL, NULL), PAWL_E_INVALID);
}

static void a_callback_that_is_null_is_refused(void **state) {
    (void)state;
    struct fake_clock time = {.now_ns = 0};
    pawl_runtime *runtime = virtual_runtime(&time);
    pawl_context *ctx = pawl_context_new(runtime);
    pawl_cancel_registration registration;
    expect_refused(pawl_context_on_cancel(ctx, &registration, NULL, NULL, &err), "the callback is NULL");
    pawl_context_off_cancel(&registration);
    pawl_context_off_cancel(NULL);
    expect_refused(pawl_context_on_cancel(ctx, NULL, NULL, NULL, &err), "the registration is NULL");
    expect_refused(pawl_context_state_update(ctx, "k", NULL, NULL, &err), "update is NULL");
    pawl_context_cancel(ctx, PAWL_CANCEL_USER, NULL);
    pawl_context_unref(ctx);
    pawl_runtime_unref(runtime);
}

static void a_runtime_that_is_null_is_refused_or_has_nothing_to_tell(void **state) {
    (void)state;
    static const pawl_observer_vtable observer = {.size = sizeof observer};
    pawl_runtime_stats stats = {.size = sizeof stats, .live_runs = 7};
    expect_refused(pawl_runtime_shutdown(NULL, &err), "runtime: it is NULL");
    expect_refused(pawl_runtime_pump(NULL, &err), "runtime: it is NULL");
    expect_refused(pawl_runtime_add_observer(NULL, &observer, NULL, &err), "runtime: it is NULL");
    pawl_runtime_log(NULL, PAWL_LOG_ERROR, "to nobody");
    pawl_runtime_get_stats(NULL, &stats);
    assert_int_equal(stats.live_runs, 0);
    assert_null(pawl_runtime_helper_path(NULL));
    assert_int_equal(pawl_runtime_fd(NULL), -1);
    assert_int_equal(pawl_runtime_next_timeout(NULL), PAWL_NEVER);
}

static void figures_may_go_nowhere(void **state) {
    (void)state;
    struct fake_clock time = {.now_ns = 0};
    pawl_runtime *runtime = virtual_runtime(&time);
    pawl_runtime_get_stats(runtime, NULL);
    expect_nothing_alive(runtime);
    pawl_runtime_unref(runtime);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_context_that_is_null_is_refused_by_all_that_tell_errors),
        cmocka_unit_test(a_callback_that_is_null_is_refused),
        cmocka_unit_test(a_runtime_that_is_null_is_refused_or_has_nothing_to_tell),
        cmocka_unit_test(figures_may_go_nowhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
