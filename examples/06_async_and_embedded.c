/* Asynchronous work driven by a host's own loop: no thread but this one. The "work" is a timer of the host's. */
#include <pawl/pawl.h>
#include <poll.h>
#include <stdio.h>

struct host {
    pawl_op pending;
    bool has_pending, done;
};

static void start(void *user, pawl_op op, pawl_context *ctx, pawl_value *in, void **ret_op_data) {
    struct host *host = user;
    (void)ctx, (void)in, (void)ret_op_data;
    host->pending = op;
    host->has_pending = true;
}

static void finished(void *user, pawl_status status, pawl_value *value, pawl_error *error) {
    struct host *host = user;
    printf("run ended: %s, \"%s\"\n", pawl_status_word(status), cJSON_GetStringValue(pawl_value_json(value)));
    host->done = true;
    pawl_value_unref(value);
    pawl_error_unref(error);
}

int main(void) {
    static const pawl_async_vtable work = {.size = sizeof work, .start = start};
    struct host host = {.done = false};
    pawl_runtime *runtime = pawl_runtime_new(NULL, NULL);
    pawl_context *ctx = pawl_context_new(runtime);
    pawl_primitive *node = pawl_async("work", &work, &host);
    if (pawl_start(node, ctx, NULL, finished, &host, NULL) != PAWL_OK)
        return 1;
    while (!host.done) { /* the host's loop: wait for pawl's descriptor or something of its own */
        uint64_t ns = pawl_runtime_next_timeout(runtime);
        struct pollfd wait = {.fd = pawl_runtime_fd(runtime), .events = POLLIN};
        int own_work = poll(&wait, 1, ns < PAWL_MS(20) ? (int)(ns / PAWL_MS(1)) : 20);
        pawl_runtime_pump(runtime, NULL);
        if (own_work == 0 && host.has_pending) {
            host.has_pending = false;
            pawl_op_complete(host.pending, PAWL_OK, pawl_value_string("done by the host"), NULL);
        }
    }
    pawl_context_unref(ctx);
    pawl_primitive_unref(node);
    pawl_runtime_unref(runtime);
    return 0;
}
