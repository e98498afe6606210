/* Untrusted code: a program that works and one that does not; both are results. */
#include <pawl/pawl.h>
#include <stdio.h>

static void show(pawl_primitive *node, const char *code) {
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "code", code);
    pawl_value *input = pawl_value_take(object), *output = NULL;
    pawl_error *error = NULL;
    if (pawl_run(node, NULL, input, &output, &error) == PAWL_OK) {
        const cJSON *why = pawl_value_get(output, "error");
        const char *name = cJSON_GetStringValue(cJSON_GetObjectItem(why, "name"));
        const char *value = cJSON_GetStringValue(cJSON_GetObjectItem(why, "value"));
        printf("%s: %s%s%s%s\n", pawl_value_get_string(output, "outcome", "?"),
               pawl_value_get_string(output, "output", ""), name ? name : "", value ? ": " : "", value ? value : "");
    } else {
        printf("could not run: %s\n", pawl_error_message(error));
    }
    pawl_error_unref(error);
    pawl_value_unref(output);
    pawl_value_unref(input);
}

int main(void) {
    pawl_primitive *node = pawl_code_execution("run", .language = "python", .timeout_ns = PAWL_S(2));
    show(node, "print(sum(range(10)))");
    show(node, "print(1 / 0)");
    show(node, "import urllib.request\nurllib.request.urlopen('http://example.com')");
    show(node, "while True: pass");
    pawl_primitive_unref(node);
    return 0;
}
