/* The trampoline, by what nodes see of it. */
#include "leaves.h"
#include "virtual_runtime.h"

#include <pawl/primitives/retry.h>
#include <pawl/primitives/sequential.h>
#include <pawl/primitives/timeout.h>
#include <setjmp.h>

#include <cmocka.h>

static pawl_primitive *a_bit_of_everything(void *user, struct fake_clock *time) {
    (void)time;
    struct manual_op *manual = user;
    *manual = (struct manual_op){.completes = COMPLETES_ON_CANCEL};
    return pawl_sequential(
        "top", passing("first"), joined("both", pausing("a", PAWL_MS(5)), sleeper("b", PAWL_MS(7)), passing("c")),
        pawl_timeout("limit", manual_primitive("op", manual), .after_ns = PAWL_S(1)),
        pawl_retry("again", failing("never", PAWL_E_UNAVAILABLE), .jitter = PAWL_JITTER_NONE));
}

static void a_cancel_or_a_deadline_at_any_boundary_ends_the_run_at_once(void **state) {
    (void)state;
    struct manual_op manual;
    struct sweep sweep = {.make = a_bit_of_everything, .user = &manual};
    sweep_cancel_and_deadline(&sweep);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cancel_or_a_deadline_at_any_boundary_ends_the_run_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
