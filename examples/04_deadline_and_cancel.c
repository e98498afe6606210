/* Limits and cancels: a timeout of one's own, a deadline from outside, a cancel from another thread. */
#include <pawl/pawl.h>
#include <pthread.h>
#include <stdio.h>

static pawl_status sleep_long(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    (void)user, (void)in, (void)ret_out;
    return pawl_context_sleep(ctx, PAWL_S(60), err);
}

static void *cancel_soon(void *user) {
    pawl_context_cancel(user, PAWL_CANCEL_USER, "the user pressed stop");
    return NULL;
}

static pawl_status show(const char *what, pawl_primitive *node, pawl_context *ctx) {
    pawl_error *error = NULL;
    pawl_status status = pawl_run(node, ctx, NULL, NULL, &error);
    printf("%s: %s: %s\n", what, pawl_status_word(status), pawl_error_message(error));
    pawl_error_unref(error);
    return status;
}

int main(void) {
    pawl_runtime *runtime = pawl_runtime_new(NULL, NULL);
    pawl_primitive *node = pawl_timeout("limit", pawl_function("sleep", sleep_long, NULL), .after_ns = PAWL_MS(50));
    pawl_context *plain = pawl_context_new(runtime), *hurried = pawl_context_new(runtime),
                 *stopped = pawl_context_new(runtime);
    if (!runtime || !plain || !hurried || !stopped)
        return 1;
    bool right = show("own limit", node, plain) == PAWL_E_TIMEOUT;

    pawl_context_set_timeout(hurried, PAWL_MS(10), NULL);
    right = show("deadline", node, hurried) == PAWL_E_DEADLINE && right;

    pthread_t thread;
    pthread_create(&thread, NULL, cancel_soon, stopped);
    right = show("cancel", node, stopped) == PAWL_E_CANCELLED && right;
    pthread_join(thread, NULL);

    pawl_context_unref(plain), pawl_context_unref(hurried), pawl_context_unref(stopped);
    pawl_primitive_unref(node);
    pawl_runtime_unref(runtime);
    return !right;
}
