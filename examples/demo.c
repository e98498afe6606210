/* What `./dev demo` runs: tries to repair every program of examples/programs/ with the built-in single-edit mutator in
 * the local sandbox, without a key and without a network. One line a program, the trace tree of the quickest repair,
 * then an honest summary. */
#include <dirent.h>
#include <pawl/observability/trace_tree.h>
#include <pawl/pawl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FOLDER "examples/programs"
#define MOST_PROGRAMS 64
#define WANTED 12

static char *read_file(const char *folder, const char *name) {
    char path[1024], *text = NULL;
    size_t length = 0;
    snprintf(path, sizeof path, "%s/%s/%s", FOLDER, folder, name);
    FILE *in = fopen(path, "r");
    if (!in)
        return NULL;
    ssize_t got = getdelim(&text, &length, '\0', in);
    fclose(in);
    if (got >= 0)
        return text;
    free(text);
    return NULL;
}

/* {"program", "test", "holdout"} of one folder; NULL when it lacks a file. */
static pawl_value *read_task(const char *folder) {
    static const char *const files[] = {"program.py", "test.py", "holdout.py"};
    static const char *const members[] = {"program", "test", "holdout"};
    cJSON *json = cJSON_CreateObject();
    for (int i = 0; json && i < 3; i++) {
        char *text = read_file(folder, files[i]);
        if (!text || !cJSON_AddStringToObject(json, members[i], text)) {
            cJSON_Delete(json);
            json = NULL;
        }
        free(text);
    }
    return pawl_value_take(json);
}

struct totals {
    int tried, fixed, checks_only, not_fixed, broken;
    double executions, seconds;
    char *tree, *last_tree; /* of the quickest repair, of the last try */
    double tree_seconds;
    const char *tree_name;
};

static void keep_tree(void *user, const char *text, size_t length) {
    struct totals *totals = user;
    (void)length;
    free(totals->last_tree);
    totals->last_tree = strdup(text);
}

static void choose_tree(struct totals *totals, const char *name, double seconds) {
    if (totals->tree && seconds >= totals->tree_seconds)
        return;
    free(totals->tree);
    totals->tree = totals->last_tree;
    totals->last_tree = NULL;
    totals->tree_seconds = seconds;
    totals->tree_name = name;
}

static const char *say_outcome(const pawl_value *report, struct totals *totals) {
    bool checks = pawl_value_get_bool(report, "passed_checks", false);
    if (checks && pawl_value_get_bool(report, "passed_holdout", false))
        return totals->fixed++, "fixed: passes the held-back checks";
    if (checks)
        return totals->checks_only++, "passes the given checks only";
    totals->not_fixed++;
    return pawl_value_get_bool(report, "ran", false) ? "not fixed: ran, passes no check" : "not fixed";
}

static void print_result(const char *name, const pawl_value *report, struct totals *totals) {
    double executions = pawl_value_get_number(report, "executions", 0);
    double duplicates = pawl_value_get_number(report, "duplicates", 0);
    double seconds = pawl_value_get_number(report, "elapsed_ns", 0) / 1e9;
    const char *outcome = say_outcome(report, totals);
    const char *edit = pawl_value_get_bool(report, "passed_checks", false)
                           ? pawl_value_get_string(report, "description", "")
                           : pawl_value_get_string(report, "stop_reason", "");
    printf("%-18s %8.0f %10.0f %10.0f %7.2f s  %-34s  %s\n", name, executions + duplicates, executions, duplicates,
           seconds, outcome, edit);
    fflush(stdout);
    totals->executions += executions;
    totals->seconds += seconds;
    if (pawl_value_get_bool(report, "passed_holdout", false))
        choose_tree(totals, name, seconds);
}

static void repair(pawl_primitive *fix, pawl_runtime *runtime, const char *name, struct totals *totals) {
    pawl_value *task = read_task(name), *report = NULL;
    pawl_context *ctx = pawl_context_new(runtime);
    pawl_error *err = NULL;
    totals->tried++;
    if (task && ctx && pawl_run(fix, ctx, task, &report, &err) == PAWL_OK) {
        print_result(name, report, totals);
    } else {
        totals->broken++;
        printf("%-18s could not be tried: %s\n", name, err ? pawl_error_message(err) : "a file is missing");
    }
    pawl_error_unref(err);
    pawl_value_unref(report);
    pawl_value_unref(task);
    pawl_context_unref(ctx);
}

static int is_program(const struct dirent *entry) {
    char path[1024];
    snprintf(path, sizeof path, "%s/%s/program.py", FOLDER, entry->d_name);
    FILE *in = entry->d_name[0] == '.' ? NULL : fopen(path, "r");
    return in ? fclose(in) == 0 : 0;
}

static void print_summary(const struct totals *t) {
    if (t->tree)
        printf("\nHow %s was repaired, node by node:\n%s", t->tree_name, t->tree);
    printf("\n%d programs: %d fixed, %d pass the given checks only, %d not fixed, %d could not be tried; "
           "%.0f executions, %.1f s\n",
           t->tried, t->fixed, t->checks_only, t->not_fixed, t->broken, t->executions, t->seconds);
    if (t->fixed < WANTED)
        printf("At least %d were to be fixed: this demo has failed.\n", WANTED);
}

int main(void) {
    struct dirent **entries;
    struct totals totals = {0};
    int count = scandir(FOLDER, &entries, is_program, alphasort);
    if (count < 1) {
        fprintf(stderr, "demo: no programs in %s; start it from the top folder of the source tree\n", FOLDER);
        return 2;
    }
    pawl_runtime *runtime = pawl_runtime_with(.helper_path = getenv("PAWL_HELPER"));
    if (runtime)
        (void)pawl_trace_tree(runtime, NULL, .write = keep_tree, .user = &totals, .max_siblings = 6);
    pawl_primitive *fix =
        pawl_fix("fix", NULL, NULL, .timeout_ns = PAWL_MS(400), .max_attempts = 300, .max_elapsed_ns = PAWL_S(30));
    printf("%-18s %8s %10s %10s %9s  outcome\n", "program", "attempts", "executions", "duplicates", "time");
    for (int i = 0; i < count && i < MOST_PROGRAMS && runtime; i++)
        repair(fix, runtime, entries[i]->d_name, &totals);
    print_summary(&totals);
    for (int i = 0; i < count; i++)
        free(entries[i]);
    free(entries);
    pawl_primitive_unref(fix);
    pawl_runtime_unref(runtime);
    free(totals.tree);
    free(totals.last_tree);
    return totals.fixed >= WANTED ? 0 : 1;
}
