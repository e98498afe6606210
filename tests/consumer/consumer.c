/* Uses what is installed: a pipeline with a step of its own and a program in the local sandbox.
   consumer [PATH-OF-pawl-sandbox] | --version */
#include <pawl/pawl.h>

#include <stdio.h>
#include <string.h>

static pawl_status generate(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    (void)user, (void)ctx, (void)in;
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "code", "print('hello from the sandbox')");
    *ret_out = pawl_value_take(object);
    return *ret_out ? PAWL_OK : pawl_error_set(err, PAWL_E_NOMEM, "generate: out of memory");
}

int main(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], "--version") == 0)
        return printf("%s\n", pawl_version()) < 0;

    pawl_runtime *runtime = pawl_runtime_with(.helper_path = argv[1]);
    pawl_context *ctx = pawl_context_new(runtime);
    pawl_primitive *pipeline = pawl_sequential("consumer", pawl_inline("generate", generate, NULL),
                                               pawl_code_execution("run", .language = "python"));
    pawl_value *output = NULL;
    pawl_error *error = NULL;
    pawl_status status = pawl_run(pipeline, ctx, NULL, &output, &error);
    fputs(status == PAWL_OK ? pawl_value_get_string(output, "output", "?\n") : pawl_error_message(error), stdout);
    pawl_error_unref(error);
    pawl_value_unref(output);
    pawl_primitive_unref(pipeline);
    pawl_context_unref(ctx);
    pawl_runtime_unref(runtime);
    return status != PAWL_OK;
}
