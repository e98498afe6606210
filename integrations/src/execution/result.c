#include <pawl/integrations/sandbox.h>
#include <stdlib.h>

pawl_execution_result *pawl_execution_result_new(void) {
    pawl_execution_result *result = calloc(1, sizeof *result);
    if (!result)
        return NULL;
    result->size = sizeof *result;
    result->outcome = PAWL_EXECUTION_INTERNAL;
    result->exit_status = -1;
    result->tier = "";
    result->limits.size = sizeof result->limits;
    result->stdout_stream.bytes = calloc(1, 1);
    result->stderr_stream.bytes = calloc(1, 1);
    if (result->stdout_stream.bytes && result->stderr_stream.bytes)
        return result;
    pawl_execution_result_free(result);
    return NULL;
}

void pawl_execution_result_free(pawl_execution_result *result) {
    if (!result)
        return;
    for (uint64_t i = 0; i < result->file_count; i++) {
        free(result->files[i].path);
        free(result->files[i].bytes);
    }
    free(result->files);
    free(result->stdout_stream.bytes);
    free(result->stderr_stream.bytes);
    free(result->detail);
    free(result->error_name);
    free(result->error_value);
    free(result->traceback);
    free(result->mechanisms);
    free(result->missing);
    free(result->sandbox_id);
    free(result);
}
