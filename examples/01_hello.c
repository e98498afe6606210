/* The smallest pipeline: one step of yours, JSON text in and out, a temporary runtime for the call. */
#include <pawl/pawl.h>
#include <stdio.h>
#include <stdlib.h>

static pawl_status greet(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    char text[128];
    (void)user, (void)ctx;
    snprintf(text, sizeof text, "hello, %s", pawl_value_get_string(in, "name", "whoever you are"));
    *ret_out = pawl_value_string(text);
    return *ret_out ? PAWL_OK : pawl_error_set(err, PAWL_E_NOMEM, "greet: out of memory");
}

int main(void) {
    pawl_primitive *pipeline = pawl_sequential("hello", pawl_inline("greet", greet, NULL));
    pawl_error *error = NULL;
    char *answer = NULL;
    pawl_status status = pawl_run_text(pipeline, NULL, "{\"name\": \"world\"}", &answer, &error);
    puts(status == PAWL_OK ? answer : pawl_error_message(error));
    free(answer);
    pawl_error_unref(error);
    pawl_primitive_unref(pipeline);
    return status != PAWL_OK;
}
