/* Fallback and cache: a second source when the first fails, and an answer that is remembered. */
#include <pawl/pawl.h>
#include <stdio.h>
#include <stdlib.h>

static pawl_status broken_cloud(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    ++*(int *)user;
    (void)ctx, (void)in, (void)ret_out;
    return pawl_error_set(err, PAWL_E_UNAVAILABLE, "the cloud is down");
}

static pawl_status local(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    ++*(int *)user;
    (void)ctx, (void)in;
    *ret_out = pawl_value_string("a local answer");
    return *ret_out ? PAWL_OK : pawl_error_set(err, PAWL_E_NOMEM, "out of memory");
}

int main(void) {
    int cloud_calls = 0, local_calls = 0;
    pawl_primitive *sources = pawl_fallback(
        "answer",
        PAWL_CHILDREN(pawl_function("cloud", broken_cloud, &cloud_calls), pawl_function("local", local, &local_calls)),
        .reserve_ns = PAWL_MS(100));
    pawl_primitive *pipeline = pawl_cache("remember", sources, .ttl_ns = PAWL_MIN(10), .max_entries = 100);
    pawl_runtime *runtime = pawl_runtime_new(NULL, NULL);
    pawl_context *ctx = pawl_context_new(runtime);
    for (int i = 0; i < 3; i++) {
        char *text = NULL;
        if (pawl_run_text(pipeline, ctx, "{\"question\": \"same as before\"}", &text, NULL) == PAWL_OK)
            printf("%s\n", text);
        free(text);
    }
    pawl_cache_stats stats = {.size = sizeof stats};
    pawl_cache_get_stats(pipeline, &stats, NULL);
    printf("cloud %d, local %d, hits %llu\n", cloud_calls, local_calls, (unsigned long long)stats.hits);
    pawl_context_unref(ctx);
    pawl_runtime_unref(runtime);
    pawl_primitive_unref(pipeline);
    return cloud_calls != 1 || local_calls != 1 || stats.hits != 2;
}
