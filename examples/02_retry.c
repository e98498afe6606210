/* Retry: what can change is tried again, what cannot is not; the error keeps its path and its cause. */
#include <pawl/pawl.h>
#include <stdio.h>

/* Two transient failures, then success. */
static pawl_status flaky(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    int *calls = user;
    (void)ctx, (void)in, (void)ret_out;
    if (++*calls < 3)
        return pawl_error_set(err, PAWL_E_UNAVAILABLE, "call %d: the line is busy", *calls);
    return PAWL_OK;
}

static pawl_status hopeless(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    (void)user, (void)ctx, (void)in, (void)ret_out;
    return pawl_error_set(err, PAWL_E_INVALID, "this input will never do");
}

static void show(const char *what, pawl_primitive *node) {
    pawl_error *error = NULL;
    char text[512];
    pawl_status status = pawl_run(node, NULL, NULL, NULL, &error);
    pawl_error_describe(error, text, sizeof text);
    printf("%s: %s %s\n", what, pawl_status_word(status), text);
    pawl_error_unref(error);
    pawl_primitive_unref(node);
}

int main(void) {
    int calls = 0, more = -10;
    show("flaky",
         pawl_retry("again", pawl_function("call", flaky, &calls), .max_attempts = 5, .base_delay_ns = PAWL_MS(10)));
    show("hopeless", pawl_retry("again", pawl_function("call", hopeless, NULL), .max_attempts = 5));
    show("too flaky", pawl_retry("again", pawl_function("call", flaky, &more), .base_delay_ns = PAWL_MS(1)));
    printf("the flaky one was called %d times\n", calls);
    return calls != 3;
}
