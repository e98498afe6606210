/* Health checks and what they remember, in virtual time and with a provider that runs nothing. */
#include "failing_malloc.h"
#include "play_provider.h"
#include "values.h"
#include "world.h"

#include <pawl/integrations/health.h>
#include <pawl/redact.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void run(struct world *world, struct play *play) {
    pawl_sandbox_provider *provider = play_provider(play);
    pawl_execution_request request = {.size = sizeof request, .language = "bash", .code = "x", .code_length = 1};
    pawl_execution_result *result = NULL;
    pawl_sandbox_run_once(provider, world->ctx, &request, &result, NULL);
    pawl_execution_result_free(result);
    pawl_sandbox_provider_unref(provider);
}

static pawl_value *check(struct world *world, struct play *play, const pawl_health_check_options *options) {
    pawl_sandbox_provider *provider = play_provider(play);
    pawl_value *value = NULL;
    pawl_error *error = NULL;
    if (pawl_health_check_run(provider, world->ctx, options, &value, &error) != PAWL_OK)
        print_message("%s\n", pawl_error_message(error));
    assert_non_null(value);
    pawl_sandbox_provider_unref(provider);
    return value;
}

static pawl_health *remembering(struct world *world) {
    pawl_health *health = pawl_health_new(NULL, NULL);
    assert_int_equal(pawl_health_attach(health, world->runtime, NULL), PAWL_OK);
    return health;
}

static void assert_verdict(const pawl_value *value, const char *verdict) {
    if (strcmp(pawl_value_get_string(value, "verdict", ""), verdict) != 0) {
        char *text = pawl_value_print(value);
        print_message("%s\n", text);
        free(text);
    }
    assert_string_equal(pawl_value_get_string(value, "verdict", ""), verdict);
}

/* The reason with this code, NULL for none. */
static const cJSON *reason(const pawl_value *value, const char *code) {
    const cJSON *at = pawl_value_get(value, "reasons")->child;
    while (at && strcmp(cJSON_GetObjectItem(at, "code")->valuestring, code) != 0)
        at = at->next;
    return at;
}

static void assert_says(const cJSON *object, const char *name, const char *part) {
    assert_non_null(object);
    assert_non_null(strstr(cJSON_GetObjectItem(object, name)->valuestring, part));
}

static void a_provider_that_works_is_healthy(void **state) {
    struct world *world = *state;
    struct play play = {.time = &world->time, .create_ns = PAWL_MS(20), .run_ns = PAWL_MS(5), .prints = "3.11.2\n"};
    pawl_value *value = check(world, &play, NULL);
    assert_verdict(value, "healthy");
    assert_int_equal(play.ran, 5); /* three languages, and two more of the first */
    const cJSON *latency = pawl_value_get(value, "latency"), *python;
    assert_int_equal(cJSON_GetObjectItem(latency, "probes")->valueint, 3);
    assert_true(cJSON_GetObjectItem(cJSON_GetObjectItem(latency, "total"), "median")->valuedouble == 0.025);
    python = cJSON_GetObjectItem(pawl_value_get(value, "languages"), "python");
    assert_string_equal(cJSON_GetObjectItem(python, "version")->valuestring, "3.11.2");
    assert_string_equal(pawl_value_get_string(value, "tier", ""), "play");
    assert_int_equal(cJSON_GetArraySize(pawl_value_get(value, "mechanisms")), 2);
    assert_true(cJSON_IsNull(pawl_value_get(value, "helper")));
    assert_true(cJSON_IsNull(pawl_value_get(value, "recent")));
    pawl_value_unref(value);
}

static void a_provider_that_makes_no_sandbox_is_unhealthy_and_says_why(void **state) {
    struct world *world = *state;
    struct play play = {.fails = PAWL_E_UNAVAILABLE, .create_fails = true, .says = "plug it in; token=abcdefgh1234"};
    pawl_value *value = check(world, &play, NULL);
    assert_verdict(value, "unhealthy");
    assert_says(reason(value, "unreachable"), "remedy", "plug it in");
    assert_null(strstr(cJSON_GetObjectItem(reason(value, "unreachable"), "remedy")->valuestring, "abcdefgh"));
    assert_false(pawl_value_get_bool(value, "reachable", true));
    assert_true(cJSON_IsNull(pawl_value_get(value, "latency")));
    assert_int_equal(play.created, 3); /* no further probes */
    pawl_value_unref(value);
}

static void a_missing_language_degrades_only_who_needs_it(void **state) {
    struct world *world = *state;
    struct play play = {.lacks_language = "python"};
    pawl_value *value = check(world, &play, NULL);
    assert_verdict(value, "degraded");
    assert_says(reason(value, "language_missing"), "what", "python");
    assert_says(reason(value, "language_missing"), "remedy", "install it");
    assert_int_equal(cJSON_GetObjectItem(pawl_value_get(value, "latency"), "failed")->valueint, 0);
    pawl_value_unref(value);
    value = check(world, &play,
                  &(pawl_health_check_options){.size = sizeof(pawl_health_check_options),
                                               .languages = (const char *const[]){"bash", NULL}});
    assert_verdict(value, "healthy");
    pawl_value_unref(value);
}

static void programs_that_never_end_well_are_unhealthy(void **state) {
    struct world *world = *state;
    struct play play = {.outcome = PAWL_EXECUTION_WALL_TIMEOUT};
    pawl_value *value = check(world, &play, NULL);
    assert_verdict(value, "unhealthy");
    assert_says(reason(value, "no_language"), "remedy", "wall_timeout");
    pawl_value_unref(value);
}

static void a_slow_provider_is_degraded(void **state) {
    struct world *world = *state;
    struct play play = {.create_ns = PAWL_S(7)};
    pawl_value *value = check(world, &play, NULL);
    assert_verdict(value, "degraded");
    assert_says(reason(value, "slow"), "what", "7 s");
    pawl_value_unref(value);
}

static void what_a_machine_lacks_is_a_note_unless_all_is_required(void **state) {
    struct world *world = *state;
    struct play play = {.missing = "Landlock, host uid of its own"};
    pawl_health_check_options options = {.size = sizeof options};
    pawl_value *value = check(world, &play, &options);
    assert_verdict(value, "healthy");
    assert_says(reason(value, "mechanism_missing"), "what", "Landlock");
    assert_says(reason(value, "mechanism_missing")->next, "remedy", "only root");
    assert_says(reason(value, "limit_not_enforced"), "what", "cpu");
    pawl_value_unref(value);
    options.require_all = 1;
    value = check(world, &play, &options);
    assert_verdict(value, "degraded");
    pawl_value_unref(value);
}

static void versions_are_one_clean_word(void **state) {
    struct world *world = *state;
    struct play play = {.prints = "1.2\xff\x1b[31m hostile"};
    pawl_value *value = check(world, &play, NULL);
    const cJSON *python = cJSON_GetObjectItem(pawl_value_get(value, "languages"), "python");
    assert_string_equal(cJSON_GetObjectItem(python, "version")->valuestring, "1.2\xef\xbf\xbd");
    pawl_value_unref(value);
}

/* ---- what it remembers ---- */

static void recent_executions_are_told_with_their_error_patterns(void **state) {
    struct world *world = *state;
    pawl_health *health = remembering(world);
    struct play play = {.time = &world->time, .run_ns = PAWL_S(1)};
    pawl_runtime_add_secret(world->runtime, "opensesame", 10, NULL);
    for (int i = 0; i < 6; i++)
        run(world, &play);
    play.outcome = PAWL_EXECUTION_EXCEPTION;
    play.error_name = "KeyError";
    play.error_value = "opensesame at /srv/job/12345/main.py";
    run(world, &play);
    play.error_value = "opensesame at /srv/job/67890/main.py";
    run(world, &play);
    play.fails = PAWL_E_UNAVAILABLE;
    run(world, &play);
    play = (struct play){.prints = "5"};
    pawl_value *value =
        check(world, &play, &(pawl_health_check_options){.size = sizeof(pawl_health_check_options), .recent = health});
    assert_verdict(value, "healthy"); /* 9 are not enough to judge by */
    const cJSON *recent = pawl_value_get(value, "recent");
    char *text = cJSON_PrintUnformatted(recent);
    assert_string_equal(text, double_quoted("{'executions':9,'ok':6,'success_rate':0.66666666666666663,"
                                            "'sandbox_failures':1,'sandbox_failure_rate':0.1111111111111111,"
                                            "'duration':{'min':1,'median':1,'max':1},"
                                            "'outcomes':{'ok':6,'exception':2,'unavailable':1},'errors':["
                                            "{'signature':'exception KeyError: [REDACTED] at main.py','count':2,"
                                            "'sandbox':false},"
                                            "{'signature':'unavailable: play: as the test wants it','count':1,"
                                            "'sandbox':true}]}"));
    free(text);
    pawl_value_unref(value);
    pawl_health_unref(health);
}

static void failing_sandboxes_count_and_failing_programs_do_not(void **state) {
    struct world *world = *state;
    pawl_health *health = remembering(world);
    struct play failing = {.outcome = PAWL_EXECUTION_NONZERO_EXIT}, broken = {.outcome = PAWL_EXECUTION_SANDBOX_LOST},
                well = {.exit_status = 0};
    const pawl_health_check_options options = {.size = sizeof options, .recent = health};
    for (int i = 0; i < 20; i++)
        run(world, &failing);
    pawl_value *value = check(world, &well, &options);
    assert_verdict(value, "healthy");
    pawl_value_unref(value);
    run(world, &broken);
    run(world, &broken);
    value = check(world, &well, &options);
    assert_verdict(value, "degraded");
    assert_says(reason(value, "sandbox_failures"), "what", "2 of the last 22");
    pawl_value_unref(value);
    for (int i = 0; i < 300; i++) /* over the whole ring */
        run(world, &broken);
    value = check(world, &well, &options);
    assert_verdict(value, "unhealthy");
    assert_says(reason(value, "sandbox_failures"), "what", "256 of the last 256");
    pawl_value_unref(value);
    pawl_health_unref(health);
}

/* ---- mistakes ---- */

static void mistakes_are_refused_by_name(void **state) {
    struct world *world = *state;
    struct play play = {.exit_status = 0};
    pawl_sandbox_provider *provider = play_provider(&play);
    pawl_error *error = NULL;
    pawl_value *value = NULL;
    assert_int_equal(pawl_health_check(provider, world->ctx, &value, &error, .probes = 101), PAWL_E_INVALID);
    assert_int_equal(pawl_health_check(provider, world->ctx, &value, &error, .timeout_ns = PAWL_ZERO), PAWL_E_INVALID);
    assert_int_equal(
        pawl_health_check(provider, world->ctx, &value, &error, .languages = (const char *const[]){"cobol", NULL}),
        PAWL_E_INVALID);
    assert_non_null(strstr(pawl_error_message(error), "cobol"));
    assert_int_equal(pawl_health_check(provider, NULL, &value, &error), PAWL_E_INVALID);
    assert_null(pawl_health_with(&error, .recent = 5000));
    assert_int_equal(pawl_health_attach(NULL, world->runtime, &error), PAWL_E_INVALID);
    assert_null(value);
    pawl_error_unref(error);
    pawl_sandbox_provider_unref(provider);
}

static void a_cancelled_check_is_no_verdict(void **state) {
    struct world *world = *state;
    struct play play = {.exit_status = 0};
    pawl_sandbox_provider *provider = play_provider(&play);
    pawl_value *value = NULL;
    pawl_context_cancel(world->ctx, PAWL_CANCEL_USER, NULL);
    assert_int_equal(pawl_health_check(provider, world->ctx, &value, NULL), PAWL_E_CANCELLED);
    assert_null(value);
    assert_int_equal(play.created, 0);
    pawl_sandbox_provider_unref(provider);
}

static void it_survives_without_memory(void **state) {
    (void)state;
    for_each_failing_allocation(n) {
        struct world world = {.ctx = NULL};
        struct play play = {.prints = "1\n", .missing = "x"};
        world.runtime = virtual_runtime_or_null(&world.time);
        world.ctx = pawl_context_new(world.runtime);
        pawl_sandbox_provider *provider = play_provider_or_null(&play);
        pawl_health *health = pawl_health_new(NULL, NULL);
        pawl_status attached = pawl_health_attach(health, world.runtime, NULL);
        pawl_value *value = NULL;
        if (world.ctx && provider && attached == PAWL_OK) {
            pawl_execution_request request = {
                .size = sizeof request, .language = "bash", .code = "x", .code_length = 1};
            pawl_execution_result *result = NULL;
            pawl_sandbox_run_once(provider, world.ctx, &request, &result, NULL);
            pawl_execution_result_free(result);
            pawl_status status = pawl_health_check(provider, world.ctx, &value, NULL, .recent = health);
            assert_true(status == PAWL_OK ? value != NULL : status == PAWL_E_NOMEM && !value);
        }
        pawl_value_unref(value);
        pawl_health_unref(health);
        pawl_sandbox_provider_unref(provider);
        pawl_context_unref(world.ctx);
        pawl_runtime_unref(world.runtime);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        in_world(a_provider_that_works_is_healthy),
        in_world(a_provider_that_makes_no_sandbox_is_unhealthy_and_says_why),
        in_world(a_missing_language_degrades_only_who_needs_it),
        in_world(programs_that_never_end_well_are_unhealthy),
        in_world(a_slow_provider_is_degraded),
        in_world(what_a_machine_lacks_is_a_note_unless_all_is_required),
        in_world(versions_are_one_clean_word),
        in_world(recent_executions_are_told_with_their_error_patterns),
        in_world(failing_sandboxes_count_and_failing_programs_do_not),
        in_world(mistakes_are_refused_by_name),
        in_world(a_cancelled_check_is_no_verdict),
        cmocka_unit_test(it_survives_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
