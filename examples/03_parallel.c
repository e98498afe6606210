/* Parallel: branches side by side, results in order; one failure cancels the others and joins them. */
#include <pawl/pawl.h>
#include <stdio.h>
#include <stdlib.h>

static pawl_status nap(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    const char *name = user;
    (void)in;
    pawl_status status = pawl_context_sleep(ctx, PAWL_MS(50), err); /* ends at once when its scope is over */
    if (status == PAWL_OK)
        *ret_out = pawl_value_string(name);
    return status;
}

static pawl_status fail(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    (void)user, (void)ctx, (void)in, (void)ret_out;
    return pawl_error_set(err, PAWL_E_FAILED, "no luck");
}

int main(void) {
    pawl_primitive *both =
        pawl_parallel("both", PAWL_CHILDREN(pawl_function("a", nap, "first"), pawl_function("b", nap, "second")),
                      .mode = PAWL_PARALLEL_ALL);
    pawl_primitive *broken =
        pawl_parallel("broken", PAWL_CHILDREN(pawl_function("a", nap, "first"), pawl_function("b", fail, NULL)),
                      .max_concurrency = 2);
    pawl_error *error = NULL;
    char *text = NULL, why[256];
    pawl_status good = pawl_run_text(both, NULL, NULL, &text, &error);
    printf("both: %s\n", good == PAWL_OK ? text : pawl_error_message(error));
    pawl_status bad = pawl_run_text(broken, NULL, NULL, NULL, &error);
    pawl_error_describe(error, why, sizeof why);
    printf("broken: %s\n", why);
    free(text);
    pawl_error_unref(error);
    pawl_primitive_unref(both);
    pawl_primitive_unref(broken);
    return good != PAWL_OK || bad != PAWL_E_FAILED;
}
