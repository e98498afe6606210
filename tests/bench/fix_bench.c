/* The mutator's yield: how many human-made bugs of a data set a search for single edits repairs, guided by the visible
 * example test and judged by the full one. Needs PAWL_DATASETS; takes minutes. */
#include "bench.h"
#include <pawl/pawl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_BYTES ((size_t)4 << 20)
#define MOST_EXECUTIONS 400
#define MOST_SECONDS 20

struct tally {
    double tasks, fixed, checks_only, unfixed, not_shown, failed, executions, duplicates;
};

static char *read_set(const char *folder, const char *name) {
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "re");
    char *text = file ? calloc(1, MOST_BYTES + 1) : NULL;
    if (text && fread(text, 1, MOST_BYTES, file) == 0)
        text[0] = '\0';
    if (file)
        fclose(file);
    return text;
}

static const char *field(const cJSON *task, const char *name) {
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(task, name));
    return text ? text : "";
}

static void add_text(cJSON *input, const char *name, const char *before, const char *after) {
    size_t bytes = strlen(before) + strlen(after) + 1;
    char *text = malloc(bytes);
    if (text) {
        snprintf(text, bytes, "%s%s", before, after);
        cJSON_AddStringToObject(input, name, text);
    }
    free(text);
}

static pawl_value *input_of(const cJSON *task) {
    cJSON *input = cJSON_CreateObject();
    add_text(input, "program", field(task, "declaration"), field(task, "buggy_solution"));
    add_text(input, "test", "from program import *\n", field(task, "example_test"));
    add_text(input, "holdout", "from program import *\n", field(task, "test"));
    return pawl_value_take(input);
}

static void count(struct tally *tally, const pawl_value *output) {
    const char *outcome = pawl_value_get_string(output, "outcome", "");
    bool holdout_failed = cJSON_IsFalse(pawl_value_get(output, "passed_holdout"));
    if (strcmp(outcome, "already_passes") == 0)
        tally->not_shown++;
    else if (strcmp(outcome, "passed_holdout") == 0)
        tally->fixed++;
    else if (strcmp(outcome, "passed_checks") == 0 && holdout_failed)
        tally->checks_only++;
    else
        tally->unfixed++;
    tally->executions += pawl_value_get_number(output, "executions", 0);
    tally->duplicates += pawl_value_get_number(output, "duplicates", 0);
}

static void try_task(struct tally *tally, pawl_primitive *fix, pawl_runtime *runtime, const char *line) {
    pawl_value *task = NULL, *output = NULL;
    if (pawl_value_parse(line, strlen(line), NULL, &task, NULL) != PAWL_OK)
        return;
    pawl_value *input = input_of(pawl_value_json(task));
    pawl_context *ctx = pawl_context_new(runtime);
    pawl_error *error = NULL;
    tally->tasks++;
    if (pawl_run(fix, ctx, input, &output, &error) == PAWL_OK)
        count(tally, output);
    else
        tally->failed++,
            fprintf(stderr, "%s: %s\n", field(pawl_value_json(task), "task_id"), pawl_error_message(error));
    pawl_error_unref(error);
    pawl_context_unref(ctx);
    pawl_value_unref(output);
    pawl_value_unref(input);
    pawl_value_unref(task);
}

static struct tally try_all(char *lines) {
    struct tally tally = {0};
    pawl_runtime *runtime = pawl_runtime_new(NULL, NULL);
    pawl_primitive *fix = pawl_fix("fix", NULL, NULL, .timeout_ns = PAWL_S(1), .max_attempts = MOST_EXECUTIONS,
                                   .max_elapsed_ns = PAWL_S(MOST_SECONDS));
    char *rest = lines;
    for (char *line; (line = strsep(&rest, "\n"));)
        if (*line)
            try_task(&tally, fix, runtime, line);
    pawl_primitive_unref(fix);
    pawl_runtime_unref(runtime);
    return tally;
}

void bench_fix(struct bench *bench) {
    const char *folder = getenv("PAWL_DATASETS");
    char *lines = folder ? read_set(folder, "humanevalpack-python.jsonl") : NULL;
    if (!lines) {
        fprintf(stderr, "pawl-bench fix: set PAWL_DATASETS to the folder of humanevalpack-python.jsonl\n");
        return;
    }
    uint64_t start = bench_now(), cpu = bench_cpu();
    struct tally tally = try_all(lines);
    bench_row(bench, "fix_tasks", tally.tasks, "", -1);
    bench_row(bench, "fix_not_fixed", tally.tasks - tally.fixed, "", tally.tasks - 66); /* a simple search fixed 66 */
    bench_row(bench, "fix_fixed", tally.fixed, "", -1);
    bench_row(bench, "fix_given_checks_only", tally.checks_only, "", -1);
    bench_row(bench, "fix_none_found", tally.unfixed, "", -1);
    bench_row(bench, "fix_bug_not_shown", tally.not_shown, "", -1);
    bench_row(bench, "fix_could_not_run", tally.failed, "", 0);
    bench_row(bench, "fix_executions", tally.executions, "", -1);
    bench_row(bench, "fix_duplicates", tally.duplicates, "", -1);
    bench_row(bench, "fix_seconds", (double)(bench_now() - start) / 1e9, "s", -1);
    bench_row(bench, "fix_own_cpu_seconds", (double)(bench_cpu() - cpu) / 1e9, "s", -1);
    free(lines);
}
