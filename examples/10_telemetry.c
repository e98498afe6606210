/* A pipeline that is observed: its trace in a file, its metrics as Prometheus reads them, with a span and an instrument
 * of its own. `10_telemetry run.jsonl`, then `pawl trace view run.jsonl`; with OTEL_EXPORTER_OTLP_ENDPOINT set it all
 * goes to a collector as well. */
#include <pawl/pawl.h>
#include <stdio.h>

static const pawl_instrument order_size = {
    .size = sizeof(pawl_instrument), .name = "shop.order.size", .unit = "{item}", .kind = PAWL_HISTOGRAM};

static pawl_status price(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    const pawl_attribute shop = pawl_attribute_string("shop.name", user);
    pawl_span span;
    (void)in, (void)ret_out, (void)err;
    pawl_span_open(ctx, &span, "ask the price list"); /* a part of this node that one wants to see */
    pawl_span_set_int(&span, "shop.items", 3);
    pawl_span_add_event(&span, "price found", 0, NULL, 0);
    pawl_span_close(ctx, &span, PAWL_OK, NULL);
    pawl_context_set_string(ctx, "shop.name", user); /* on the node's own span */
    pawl_context_measure(ctx, &order_size, 3, &shop, 1);
    pawl_context_log(ctx, PAWL_LOG_WARN, &shop, 1, "the price list is %d days old", 9);
    return PAWL_OK;
}

static pawl_status book(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    int *calls = user;
    (void)ctx, (void)in, (void)ret_out;
    return ++*calls > 1 ? PAWL_OK : pawl_error_set(err, PAWL_E_UNAVAILABLE, "the ledger is busy");
}

static void write_lines(void *user, const char *lines, size_t length) {
    fwrite(lines, 1, length, user);
}

static pawl_status write_text(void *user, const char *text, size_t length, pawl_error **err) {
    return fwrite(text, 1, length, user) == length ? PAWL_OK : pawl_error_set(err, PAWL_E_UNAVAILABLE, "disk full?");
}

static void run_orders(pawl_runtime *runtime, int orders) {
    int calls = 0;
    pawl_primitive *order = pawl_sequential(
        "order", pawl_function("price", price, "corner"),
        pawl_retry("again", pawl_function("book", book, &calls), .max_attempts = 3, .base_delay_ns = PAWL_MS(1)));
    for (int i = 0; i < orders; i++) {
        pawl_context *ctx = pawl_context_new(runtime);
        if (pawl_run(order, ctx, NULL, NULL, NULL) != PAWL_OK)
            fputs("an order failed\n", stderr);
        pawl_context_unref(ctx);
    }
    pawl_primitive_unref(order);
}

int main(int argc, char **argv) {
    const pawl_metrics_options metrics = {.size = sizeof metrics};
    const pawl_logs_options logs = {.size = sizeof logs, .write = write_lines, .user = stderr};
    pawl_error *error = NULL;
    pawl_runtime *runtime = pawl_runtime_new(NULL, &error);
    pawl_observability *observability =
        pawl_observe(runtime, &error, .service_name = "shop", .read_environment = 1,
                     .trace_file = argc > 1 ? argv[1] : "/dev/null", .metrics = &metrics, .logs = &logs);
    if (observability) {
        run_orders(runtime, 2);
        pawl_observability_flush(observability, PAWL_S(2), NULL);
        pawl_metrics_write(pawl_observability_metrics(observability), NULL, PAWL_PROMETHEUS_TEXT, write_text, stdout,
                           &error);
    }
    if (error)
        fprintf(stderr, "%s\n", pawl_error_message(error));
    bool failed = error != NULL;
    pawl_error_unref(error);
    pawl_observability_unref(observability);
    pawl_runtime_unref(runtime);
    return failed;
}
