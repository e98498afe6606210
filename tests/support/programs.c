#include "programs.h"

#include <ctype.h>
#include <dirent.h>
#include <pawl/run.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

static pawl_runtime *runtime;
static pawl_sandbox_provider *provider;

pawl_runtime *programs_runtime(void) {
    return runtime;
}

pawl_sandbox_provider *programs_provider(void) {
    return provider;
}

pawl_sandbox_provider *new_local_provider(void) {
    pawl_error *error = NULL;
    pawl_sandbox_provider *made = pawl_local_provider_new(runtime, NULL, &error);
    if (!made)
        print_message("%s\n", pawl_error_message(error));
    assert_non_null(made);
    return made;
}

int start_programs(void **state) {
    (void)state;
    runtime = pawl_runtime_with(.helper_path = getenv("PAWL_HELPER"));
    assert_non_null(runtime);
    provider = new_local_provider();
    return 0;
}

int stop_programs(void **state) {
    (void)state;
    provider = pawl_sandbox_provider_unref(provider);
    runtime = pawl_runtime_unref(runtime);
    return 0;
}

pawl_execution_request program(const char *language, const char *code) {
    return (pawl_execution_request){
        .size = sizeof(pawl_execution_request), .language = language, .code = code, .code_length = strlen(code)};
}

static pawl_status run(const pawl_execution_request *request, pawl_execution_result **ret_result, pawl_error **err) {
    pawl_context *ctx = pawl_context_new(runtime);
    assert_non_null(ctx);
    pawl_status status = pawl_sandbox_run_once(provider, ctx, request, ret_result, err);
    pawl_context_unref(ctx);
    return status;
}

pawl_execution_result *run_program(const pawl_execution_request *request) {
    pawl_execution_result *result = NULL;
    pawl_error *error = NULL;
    pawl_status status = run(request, &result, &error);
    if (status != PAWL_OK)
        print_message("%s: %s\n", pawl_status_name(status), pawl_error_message(error));
    assert_int_equal(status, PAWL_OK);
    assert_non_null(result);
    return result;
}

pawl_execution_result *run_python(const char *code) {
    pawl_execution_request request = program("python", code);
    return run_program(&request);
}

pawl_execution_result *run_with_timeout(const char *language, const char *code, uint64_t wall_ns) {
    const pawl_execution_limits limits = {.size = sizeof limits, .wall_ns = wall_ns};
    pawl_execution_request request = program(language, code);
    request.limits = &limits;
    return run_program(&request);
}

void assert_program_error(const pawl_execution_request *request, pawl_status status, const char *says) {
    pawl_execution_result *result = NULL;
    pawl_error *error = NULL;
    assert_int_equal(run(request, &result, &error), status);
    assert_null(result);
    if (!strstr(pawl_error_message(error), says))
        print_message("%s\n", pawl_error_message(error));
    assert_non_null(strstr(pawl_error_message(error), says));
    pawl_error_unref(error);
}

const char *outcome_of(const pawl_execution_result *result) {
    return pawl_execution_outcome_word((pawl_execution_outcome)result->outcome);
}

static void show(const pawl_execution_result *result) {
    print_message("outcome %s: %s\nstdout: %.2000s\nstderr: %.2000s\n", outcome_of(result),
                  result->detail ? result->detail : "", result->stdout_stream.bytes, result->stderr_stream.bytes);
}

void assert_outcome(const pawl_execution_result *result, const char *word) {
    if (strcmp(outcome_of(result), word) != 0)
        show(result);
    assert_string_equal(outcome_of(result), word);
}

void assert_printed(const pawl_execution_result *result, const char *text) {
    if (strcmp(result->stdout_stream.bytes, text) != 0)
        show(result);
    assert_string_equal(result->stdout_stream.bytes, text);
}

pawl_value *run_node(pawl_primitive *node, const char *input, pawl_error **ret_error) {
    pawl_context *ctx = pawl_context_new(runtime);
    pawl_value *in = NULL, *out = NULL;
    assert_non_null(ctx);
    assert_int_equal(pawl_value_parse(input, strlen(input), NULL, &in, ret_error), PAWL_OK);
    pawl_run(node, ctx, in, &out, ret_error);
    pawl_value_unref(in);
    pawl_context_unref(ctx);
    return out;
}

uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static bool has_marker(const char *pid, const char *marker) {
    char path[300], text[4096];
    snprintf(path, sizeof path, "/proc/%s/cmdline", pid);
    FILE *file = fopen(path, "r");
    size_t length = file ? fread(text, 1, sizeof text, file) : 0;
    if (file)
        fclose(file);
    return memmem(text, length, marker, strlen(marker)) != NULL;
}

const char *new_marker(void) {
    static char text[64];
    static unsigned next;
    snprintf(text, sizeof text, "marker-%d-%u", (int)getpid(), next++);
    return text;
}

size_t count_processes(const char *marker, unsigned *ret_uid) {
    DIR *folder = opendir("/proc");
    size_t count = 0;
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder));) {
        struct stat about;
        char path[300];
        if (!isdigit((unsigned char)entry->d_name[0]) || !has_marker(entry->d_name, marker))
            continue;
        count++;
        snprintf(path, sizeof path, "/proc/%s", entry->d_name);
        if (ret_uid && stat(path, &about) == 0)
            *ret_uid = about.st_uid;
    }
    closedir(folder);
    return count;
}

bool are_gone_within(const char *marker, uint64_t ns) {
    uint64_t until = now_ns() + ns;
    while (count_processes(marker, NULL) > 0) {
        if (now_ns() > until)
            return false;
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    return true;
}
