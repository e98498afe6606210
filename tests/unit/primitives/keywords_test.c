/* The keyword macros of core, primitives and observability take no option at all as well as some. */
#include "bed.h"

#include <pawl/observability/trace_tree.h>
#include <pawl/primitives/primitives.h>
#include <setjmp.h>

#include <cmocka.h>

static void a_runtime_needs_no_option(void **state) {
    (void)state;
    pawl_runtime *runtime = pawl_runtime_with();
    assert_non_null(runtime);
    pawl_runtime_unref(runtime);
    runtime = pawl_runtime_with(.seed = 1);
    assert_non_null(runtime);
    pawl_runtime_unref(runtime);
}

static pawl_status pass(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    (void)user, (void)ctx, (void)in, (void)ret_out, (void)err;
    return PAWL_OK;
}

static void primitives_whose_options_have_defaults_are_sound_without_any(void **state) {
    (void)state;
    pawl_primitive_unref(sound(pawl_retry("r", passing("a"))));
    pawl_primitive_unref(sound(pawl_fallback("f", PAWL_CHILDREN(passing("a"), passing("b")))));
    pawl_primitive_unref(sound(pawl_parallel("p", PAWL_CHILDREN(passing("a"), passing("b")))));
    pawl_primitive_unref(sound(pawl_function_with("w", pass, NULL)));
}

static void others_say_which_option_is_missing(void **state) {
    (void)state;
    pawl_error *err = NULL;
    struct bed bed;
    expect_broken(pawl_timeout("t", passing("a")), PAWL_E_INVALID, "after_ns is required");
    expect_broken(pawl_cache("c", passing("a")), PAWL_E_INVALID, "ttl_ns is required");
    expect_broken(pawl_refine("i", passing("a"), passing("b")), PAWL_E_INVALID, "judge");
    make_bed(&bed);
    assert_int_equal(pawl_trace_tree(bed.runtime, &err), PAWL_E_INVALID);
    expect_error(err, PAWL_E_INVALID, "write is required");
    clear_bed(&bed);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_runtime_needs_no_option),
        cmocka_unit_test(primitives_whose_options_have_defaults_are_sound_without_any),
        cmocka_unit_test(others_say_which_option_is_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
