/* Audit, usage and health with real sandboxes. */
#include "programs.h"

#include <pawl/run.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

struct bench {
    pawl_runtime *runtime;
    pawl_context *ctx;
    char folder[32], path[64];
};

static int open_bench(void **state) {
    struct bench *bench = calloc(1, sizeof *bench);
    bench->runtime = pawl_runtime_with(.helper_path = getenv("PAWL_HELPER"));
    bench->ctx = pawl_context_new(bench->runtime);
    snprintf(bench->folder, sizeof bench->folder, "/tmp/pawl-audit-XXXXXX");
    assert_non_null(mkdtemp(bench->folder));
    snprintf(bench->path, sizeof bench->path, "%s/audit.jsonl", bench->folder);
    *state = bench;
    return bench->ctx ? 0 : -1;
}

static int close_bench(void **state) {
    struct bench *bench = *state;
    pawl_context_unref(bench->ctx);
    pawl_runtime_unref(bench->runtime);
    unlink(bench->path);
    rmdir(bench->folder);
    free(bench);
    return 0;
}

static pawl_value *run(struct bench *bench, const char *input, pawl_status expected) {
    pawl_primitive *node = pawl_code_execution("run", .provider = programs_provider());
    pawl_value *in = NULL, *out = NULL;
    assert_int_equal(pawl_value_parse(input, strlen(input), NULL, &in, NULL), PAWL_OK);
    assert_int_equal(pawl_run(node, bench->ctx, in, &out, NULL), expected);
    pawl_value_unref(in);
    pawl_primitive_unref(node);
    return out;
}

/* Line number `index` of the audit log. */
static pawl_value *record(const struct bench *bench, size_t index) {
    static char line[65536];
    FILE *file = fopen(bench->path, "re");
    pawl_value *value = NULL;
    assert_non_null(file);
    for (size_t i = 0; i <= index; i++)
        assert_non_null(fgets(line, sizeof line, file));
    fclose(file);
    assert_int_equal(pawl_value_parse(line, strlen(line), NULL, &value, NULL), PAWL_OK);
    return value;
}

static void a_real_execution_is_recorded_with_its_limits(void **state) {
    struct bench *bench = *state;
    assert_int_equal(pawl_audit(bench->runtime, NULL, .path = bench->path, .fail_closed = 1, .sync = 1), PAWL_OK);
    pawl_context_set_tag(bench->ctx, "subject", "alice", NULL);
    pawl_value_unref(run(bench, "{\"code\":\"import sys; sys.exit(3)\",\"limits\":{\"cpu\":7}}", PAWL_OK));
    pawl_value *before = record(bench, 0), *after = record(bench, 1);
    assert_string_equal(pawl_value_get_string(before, "event", ""), "begin");
    assert_string_equal(pawl_value_get_string(after, "event", ""), "end");
    assert_string_equal(pawl_value_get_string(after, "subject", ""), "alice");
    assert_string_equal(pawl_value_get_string(after, "outcome", ""), "nonzero_exit");
    assert_true(pawl_value_get_number(after, "exit_status", 0) == 3);
    assert_string_equal(pawl_value_get_string(after, "provider", ""), "local");
    assert_string_equal(pawl_value_get_string(after, "tier", ""), "local");
    const cJSON *cpu = cJSON_GetObjectItem(pawl_value_get(after, "limits"), "cpu");
    assert_int_equal(cJSON_GetObjectItem(cpu, "limit")->valueint, 7);
    assert_string_equal(cJSON_GetObjectItem(cpu, "enforced")->valuestring, "per_process");
    assert_true(pawl_value_get_number(after, "duration", 0) > 0);
    assert_true(pawl_value_get_number(after, "cpu", 0) > 0);
    pawl_value_unref(before);
    pawl_value_unref(after);
}

static void a_real_execution_uses_time_and_a_refused_one_none(void **state) {
    struct bench *bench = *state;
    pawl_usage *usage = pawl_usage_with(NULL, .max_executions = 1, .refuse = 1);
    pawl_usage_totals totals = {.size = sizeof totals};
    assert_int_equal(pawl_usage_attach(usage, bench->runtime, NULL), PAWL_OK);
    pawl_value_unref(run(bench, "{\"code\":\"sum(range(100000))\"}", PAWL_OK));
    assert_null(run(bench, "{\"code\":\"1\"}", PAWL_E_REJECTED));
    pawl_usage_get(usage, &totals);
    assert_int_equal(totals.executions, 1);
    assert_int_equal(totals.refused, 1);
    assert_true(totals.sandbox_seconds > 0 && totals.sandbox_seconds < 60);
    assert_true(totals.cpu_seconds > 0 && totals.cpu_seconds <= totals.sandbox_seconds * 2);
    pawl_usage_unref(usage);
}

static void the_local_provider_is_healthy_and_remembers(void **state) {
    struct bench *bench = *state;
    pawl_health *health = pawl_health_new(NULL, NULL);
    pawl_value *value = NULL;
    assert_int_equal(pawl_health_attach(health, bench->runtime, NULL), PAWL_OK);
    pawl_value_unref(run(bench, "{\"code\":\"{}['absent']\"}", PAWL_OK));
    assert_int_equal(pawl_health_check(programs_provider(), bench->ctx, &value, NULL, .recent = health,
                                       .languages = (const char *const[]){"python", "bash", NULL}),
                     PAWL_OK);
    assert_string_equal(pawl_value_get_string(value, "verdict", ""), "healthy");
    assert_string_equal(pawl_value_get_string(value, "provider", ""), "local");
    const cJSON *errors = cJSON_GetObjectItem(pawl_value_get(value, "recent"), "errors");
    assert_int_equal(cJSON_GetArraySize(errors), 1);
    assert_string_equal(cJSON_GetObjectItem(errors->child, "signature")->valuestring, "exception KeyError: 'absent'");
    assert_true(cJSON_GetObjectItem(pawl_value_get(value, "helper"), "pid")->valueint > 0);
    pawl_value_unref(value);
    pawl_health_unref(health);
}

static void without_a_helper_the_verdict_says_where_it_was_looked_for(void **state) {
    struct bench *bench = *state;
    pawl_runtime *runtime = pawl_runtime_with(.helper_path = "/no/such/helper");
    pawl_context *ctx = pawl_context_new(runtime);
    pawl_value *value = NULL;
    (void)bench;
    assert_int_equal(pawl_health_check(NULL, ctx, &value, NULL), PAWL_OK);
    assert_string_equal(pawl_value_get_string(value, "verdict", ""), "unhealthy");
    const cJSON *reason = pawl_value_get(value, "reasons")->child;
    assert_string_equal(cJSON_GetObjectItem(reason, "code")->valuestring, "unreachable");
    assert_non_null(strstr(cJSON_GetObjectItem(reason, "remedy")->valuestring, "/no/such/helper"));
    pawl_value_unref(value);
    pawl_context_unref(ctx);
    pawl_runtime_unref(runtime);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_real_execution_is_recorded_with_its_limits, open_bench, close_bench),
        cmocka_unit_test_setup_teardown(a_real_execution_uses_time_and_a_refused_one_none, open_bench, close_bench),
        cmocka_unit_test_setup_teardown(the_local_provider_is_healthy_and_remembers, open_bench, close_bench),
        cmocka_unit_test_setup_teardown(without_a_helper_the_verdict_says_where_it_was_looked_for, open_bench,
                                        close_bench),
    };
    return cmocka_run_group_tests(tests, start_programs, stop_programs);
}
