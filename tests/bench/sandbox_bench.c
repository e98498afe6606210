/* What a sandboxed program costs, beside the same interpreter started with no sandbox, in turn. */
#include "bench.h"
#include <fcntl.h>
#include <pawl/pawl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define RUNS 60
#define CROWD 200

static double spawn_plain(void) {
    char *argv[] = {"/usr/bin/python3", "-I", "-c", "print(1)", NULL}, *env[] = {"LANG=C.UTF-8", NULL};
    posix_spawn_file_actions_t actions;
    pid_t pid;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    uint64_t start = bench_now();
    if (posix_spawn(&pid, argv[0], &actions, NULL, argv, env) != 0)
        abort();
    waitpid(pid, NULL, 0);
    double ms = (double)(bench_now() - start) / 1e6;
    posix_spawn_file_actions_destroy(&actions);
    return ms;
}

static double run_in_sandbox(pawl_primitive *node, pawl_context *ctx, pawl_value *input) {
    pawl_value *output = NULL;
    uint64_t start = bench_now();
    if (pawl_run(node, ctx, input, &output, NULL) != PAWL_OK || !pawl_value_get_bool(output, "success", false))
        abort();
    double ms = (double)(bench_now() - start) / 1e6;
    pawl_value_unref(output);
    return ms;
}

static void side_by_side(struct bench *bench, pawl_primitive *node, pawl_context *ctx, pawl_value *input) {
    double plain[RUNS], sandboxed[RUNS];
    (void)run_in_sandbox(node, ctx, input); /* the helper starts here */
    for (size_t i = 0; i < RUNS; i++) {
        plain[i] = spawn_plain();
        sandboxed[i] = run_in_sandbox(node, ctx, input);
    }
    double base = bench_median(plain, RUNS), own = bench_median(sandboxed, RUNS);
    bench_row(bench, "python_plain_ms", base, "ms", -1);
    bench_row(bench, "python_sandboxed_ms", own, "ms", -1);
    bench_row(bench, "sandbox_adds_ms", own - base, "ms", -1);
    bench_row(bench, "python_sandboxed_p95_ms", bench_percentile(sandboxed, RUNS, 95), "ms", -1);
}

static void many_at_once(struct bench *bench, pawl_context *ctx, pawl_value *input) {
    pawl_primitive *children[CROWD + 1], *end = PAWL_END;
    pawl_primitive *node = pawl_code_execution("run", .language = "python");
    for (size_t i = 0; i < CROWD; i++)
        children[i] = pawl_primitive_ref(node);
    children[CROWD] = end;
    pawl_parallel_options options = {.size = sizeof options, .max_concurrency = 2};
    pawl_primitive *all = pawl_parallel_new("all", children, &options);
    uint64_t start = bench_now();
    if (pawl_run(all, ctx, input, NULL, NULL) != PAWL_OK)
        abort();
    bench_row(bench, "sandboxes_per_second_2_at_once", CROWD / ((double)(bench_now() - start) / 1e9), "1/s", -1);
    pawl_primitive_unref(all);
    pawl_primitive_unref(node);
}

void bench_sandbox(struct bench *bench) {
    static const char text[] = "{\"code\": \"print(1)\"}";
    pawl_value *input = NULL;
    pawl_runtime *runtime = pawl_runtime_new(NULL, NULL);
    pawl_context *ctx = pawl_context_new(runtime);
    if (!ctx || pawl_value_parse(text, sizeof text - 1, NULL, &input, NULL) != PAWL_OK)
        abort();
    pawl_primitive *node = pawl_code_execution("run", .language = "python");
    side_by_side(bench, node, ctx, input);
    many_at_once(bench, ctx, input);
    pawl_primitive_unref(node);
    pawl_value_unref(input);
    pawl_context_unref(ctx);
    pawl_runtime_unref(runtime);
}
