/* Every node of a run is visible: the trace tree on standard error, and a trace that came from outside goes on here. */
#include <pawl/observability/trace_tree.h>
#include <pawl/pawl.h>
#include <stdio.h>

static pawl_status look_up(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    (void)user, (void)in, (void)ret_out, (void)err;
    pawl_context_set_string(ctx, "db.system", "none");
    pawl_context_checkpoint(ctx, "looked up");
    return PAWL_OK;
}

static void write_tree(void *user, const char *text, size_t length) {
    fwrite(text, 1, length, user);
}

int main(void) {
    pawl_runtime *runtime = pawl_runtime_new(NULL, NULL);
    if (!runtime || pawl_trace_tree(runtime, NULL, .write = write_tree, .user = stderr) != PAWL_OK)
        return 1;
    pawl_context *ctx = pawl_context_new(runtime);
    bool joined =
        pawl_context_extract(ctx, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", NULL, "user=ann");
    pawl_primitive *node = pawl_sequential(
        "request", pawl_inline("look up", look_up, NULL),
        pawl_timeout("limit", pawl_retry("again", pawl_function("store", look_up, NULL), .max_attempts = 2),
                     .after_ns = PAWL_S(1)));
    pawl_status status = pawl_run(node, ctx, NULL, NULL, NULL);
    char traceparent[PAWL_TRACEPARENT_BYTES];
    pawl_context_traceparent(ctx, traceparent);
    printf("joined: %d, our calls carry %.35s...\n", joined, traceparent);
    pawl_primitive_unref(node);
    pawl_context_unref(ctx);
    pawl_runtime_unref(runtime);
    return status != PAWL_OK || !joined;
}
