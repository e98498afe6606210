/* The audit log, in virtual time and with a provider that runs nothing. */
#include "failing_malloc.h"
#include "play_provider.h"
#include "recorder.h"
#include "values.h"
#include "world.h"

#include <fcntl.h>
#include <pawl/integrations/audit.h>
#include <pawl/integrations/execution.h>
#include <pawl/redact.h>
#include <pawl/run.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "execution/digest_internal.h"
#include "operations/audit_internal.h"

/* Records as the callback got them. */
struct kept {
    char *lines[8];
    size_t count;
    bool refuses;
};

static bool keep(void *user, const char *record, size_t length) {
    struct kept *kept = user;
    if (kept->refuses || kept->count == 8)
        return false;
    assert_int_equal(strlen(record), length);
    assert_int_equal(record[length - 1], '\n');
    kept->lines[kept->count++] = strdup(record);
    return true;
}

static void release(struct kept *kept) {
    while (kept->count > 0)
        free(kept->lines[--kept->count]);
}

static pawl_value *record_of(const struct kept *kept, size_t index) {
    assert_true(index < kept->count);
    return parsed(kept->lines[index]);
}

static pawl_status run(struct world *world, struct play *play, const char *input, pawl_error **err) {
    pawl_sandbox_provider *provider = play_provider(play);
    pawl_primitive *node = pawl_code_execution("run", .provider = provider);
    pawl_value *in = parsed(input), *out = NULL;
    pawl_status status = pawl_run(node, world->ctx, in, &out, err);
    pawl_value_unref(out);
    pawl_value_unref(in);
    pawl_primitive_unref(node);
    pawl_sandbox_provider_unref(provider);
    return status;
}

static void assert_text(const pawl_value *record, const char *name, const char *text) {
    if (!text)
        assert_true(cJSON_IsNull(pawl_value_get(record, name)));
    else
        assert_string_equal(pawl_value_get_string(record, name, "(none)"), text);
}

static void assert_json(const pawl_value *record, const char *name, const char *json) {
    char *text = cJSON_PrintUnformatted(pawl_value_get(record, name));
    assert_string_equal(text, json);
    free(text);
}

/* ---- digests and times ---- */

static void digests_are_those_of_fips_180_4(void **state) {
    (void)state;
    char digest[PAWL_SHA256_HEX_BYTES];
    pawl_sha256_hex("", 0, digest);
    assert_string_equal(digest, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    pawl_sha256_hex("abc", 3, digest);
    assert_string_equal(digest, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    pawl_sha256_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56, digest);
    assert_string_equal(digest, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void times_are_rfc_3339_with_nanoseconds(void **state) {
    (void)state;
    char text[PAWL_AUDIT_TIME_BYTES];
    pawl_audit_time_text(UINT64_C(1700000000000000007), text);
    assert_string_equal(text, "2023-11-14T22:13:20.000000007Z");
}

/* ---- what is recorded ---- */

static void a_record_says_who_ran_what_and_how_it_ended(void **state) {
    struct world *world = *state;
    struct kept kept = {.count = 0};
    struct play play = {.time = &world->time,
                        .run_ns = PAWL_MS(1500),
                        .cpu_ns = PAWL_MS(20),
                        .exit_status = 3,
                        .outcome = PAWL_EXECUTION_NONZERO_EXIT};
    assert_int_equal(pawl_audit(world->runtime, NULL, .write = keep, .user = &kept), PAWL_OK);
    pawl_context_set_tag(world->ctx, "subject", "alice", NULL);
    pawl_context_set_id(world->ctx, PAWL_ID_WORKFLOW, "nightly", NULL);
    assert_int_equal(run(world, &play,
                         "{\"code\":\"abc\",\"files\":{\"a.txt\":\"very private\"},\"env_vars\":{\"HOME\":\"hidden\"}}",
                         NULL),
                     PAWL_OK);
    assert_int_equal(kept.count, 1);
    assert_null(strstr(kept.lines[0], "private"));
    assert_null(strstr(kept.lines[0], "hidden"));
    pawl_value *record = record_of(&kept, 0);
    assert_json(record, "seq", "1");
    assert_text(record, "event", "end");
    assert_text(record, "subject", "alice");
    assert_text(record, "workflow_id", "nightly");
    assert_text(record, "session_id", NULL);
    assert_text(record, "span_id", NULL); /* nothing observes */
    assert_text(record, "node", "run");
    assert_text(record, "provider", "play");
    assert_text(record, "language", "python");
    assert_json(record, "code",
                "{\"sha256\":\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\",\"bytes\":3}");
    assert_json(record, "files", "[\"a.txt\"]");
    assert_json(record, "env", "[\"HOME\",\"TRACEPARENT\"]");
    assert_text(record, "outcome", "nonzero_exit");
    assert_json(record, "exit_status", "3");
    assert_text(record, "error", NULL);
    assert_text(record, "tier", "play");
    assert_json(record, "duration", "1.5");
    assert_json(record, "cpu", "0.02");
    const cJSON *wall = cJSON_GetObjectItem(pawl_value_get(record, "limits"), "timeout");
    assert_string_equal(cJSON_GetObjectItem(wall, "enforced")->valuestring, "yes");
    assert_int_equal(strlen(pawl_value_get_string(record, "trace_id", "")), 32);
    assert_int_equal(strlen(pawl_value_get_string(record, "correlation_id", "")), 36);
    assert_int_equal(strlen(pawl_value_get_string(record, "time", "")), 30);
    pawl_value_unref(record);
    release(&kept);
}

static void an_execution_without_a_result_is_recorded_with_its_error(void **state) {
    struct world *world = *state;
    struct kept kept = {.count = 0};
    struct play play = {.fails = PAWL_E_UNAVAILABLE, .create_fails = true, .says = "gone, password=hunter2hunter2"};
    assert_int_equal(pawl_audit(world->runtime, NULL, .write = keep, .user = &kept), PAWL_OK);
    assert_int_equal(run(world, &play, "{\"code\":\"\"}", NULL), PAWL_E_UNAVAILABLE);
    pawl_value *record = record_of(&kept, 0);
    assert_text(record, "outcome", "unavailable");
    assert_non_null(strstr(pawl_value_get_string(record, "error", ""), "gone"));
    assert_null(strstr(kept.lines[0], "hunter2"));
    assert_text(record, "tier", NULL);
    assert_text(record, "limits", NULL);
    pawl_value_unref(record);
    release(&kept);
}

static void an_execution_without_a_node_is_recorded_too(void **state) {
    struct world *world = *state;
    struct kept kept = {.count = 0};
    struct play play = {.exit_status = 0};
    pawl_sandbox_provider *provider = play_provider(&play);
    pawl_sandbox *sandbox = NULL;
    const pawl_execution_file file = {.path = "bad\xff", .bytes = "", .length = 0};
    pawl_execution_request request = {
        .size = sizeof request, .language = "bash", .code = "x", .code_length = 1, .files = &file, .file_count = 1};
    pawl_execution_result *result = NULL;
    assert_int_equal(pawl_audit(world->runtime, NULL, .write = keep, .user = &kept), PAWL_OK);
    assert_int_equal(pawl_sandbox_create(provider, world->ctx, NULL, &sandbox, NULL), PAWL_OK);
    assert_int_equal(pawl_sandbox_run_code(sandbox, world->ctx, &request, &result, NULL), PAWL_OK);
    pawl_value *record = record_of(&kept, 0);
    assert_text(record, "node", NULL);
    assert_text(record, "provider", "play");
    assert_json(record, "files", "[\"bad\xef\xbf\xbd\"]");
    pawl_value_unref(record);
    pawl_execution_result_free(result);
    pawl_sandbox_unref(sandbox);
    pawl_sandbox_provider_unref(provider);
    release(&kept);
}

static void a_request_that_lacks_everything_is_recorded_as_refused(void **state) {
    struct world *world = *state;
    struct kept kept = {.count = 0};
    struct play play = {.fails = PAWL_E_INVALID};
    pawl_sandbox_provider *provider = play_provider(&play);
    const pawl_execution_file file = {.path = NULL};
    const char *const env[] = {NULL, "A=b"};
    pawl_execution_request request = {.size = sizeof request,
                                      .code_length = 7,
                                      .files = &file,
                                      .file_count = 1,
                                      .env = env,
                                      .env_count = 2,
                                      .install_count = 3};
    pawl_execution_result *result = NULL;
    assert_int_equal(pawl_audit(world->runtime, NULL, .write = keep, .user = &kept, .fail_closed = 1), PAWL_OK);
    assert_int_equal(pawl_sandbox_run_once(provider, world->ctx, &request, &result, NULL), PAWL_E_INVALID);
    pawl_value *record = record_of(&kept, 1);
    assert_text(record, "outcome", "invalid");
    assert_text(record, "language", "");
    assert_json(record, "files", "[\"\"]");
    assert_json(record, "env", "[\"\",\"A\"]");
    assert_json(record, "install", "[]");
    pawl_value_unref(record);
    pawl_sandbox_provider_unref(provider);
    release(&kept);
}

static pawl_sample drop(void *self, const pawl_sampling *question, char **ret_tracestate) {
    (void)self, (void)question, (void)ret_tracestate;
    return PAWL_SAMPLE_DROP;
}

static void sampling_leaves_the_audit_log_alone(void **state) {
    static const pawl_observer_vtable dropper = {.size = sizeof dropper, .sample = drop};
    struct world *world = *state;
    struct kept kept = {.count = 0};
    struct play play = {.exit_status = 0};
    assert_int_equal(pawl_runtime_add_observer(world->runtime, &dropper, NULL, NULL), PAWL_OK);
    assert_int_equal(pawl_audit(world->runtime, NULL, .write = keep, .user = &kept), PAWL_OK);
    assert_int_equal(run(world, &play, "{\"code\":\"\"}", NULL), PAWL_OK);
    assert_int_equal(kept.count, 1);
    release(&kept);
}

static void the_subject_is_the_tag_that_the_host_names(void **state) {
    struct world *world = *state;
    struct kept kept = {.count = 0};
    struct play play = {.exit_status = 0};
    assert_int_equal(pawl_audit(world->runtime, NULL, .write = keep, .user = &kept, .subject_tag = "tenant"), PAWL_OK);
    pawl_context_set_tag(world->ctx, "subject", "alice", NULL);
    pawl_context_set_tag(world->ctx, "tenant", "acme", NULL);
    assert_int_equal(run(world, &play, "{\"code\":\"\"}", NULL), PAWL_OK);
    pawl_value *record = record_of(&kept, 0);
    assert_text(record, "subject", "acme");
    pawl_value_unref(record);
    release(&kept);
}

/* ---- what happens when it cannot be written ---- */

static void a_lost_record_is_counted_and_leaves_a_gap(void **state) {
    struct world *world = *state;
    struct kept kept = {.refuses = true};
    struct play play = {.exit_status = 0};
    pawl_audit_stats stats = {.size = sizeof stats};
    assert_int_equal(pawl_audit(world->runtime, NULL, .write = keep, .user = &kept), PAWL_OK);
    assert_int_equal(run(world, &play, "{\"code\":\"\"}", NULL), PAWL_OK);
    kept.refuses = false;
    assert_int_equal(run(world, &play, "{\"code\":\"\"}", NULL), PAWL_OK);
    pawl_audit_get_stats(world->runtime, &stats);
    assert_int_equal(stats.written, 1);
    assert_int_equal(stats.lost, 1);
    assert_int_equal(stats.denied, 0);
    pawl_value *record = record_of(&kept, 0);
    assert_json(record, "seq", "2");
    pawl_value_unref(record);
    release(&kept);
}

static void fail_closed_records_before_and_after(void **state) {
    struct world *world = *state;
    struct kept kept = {.count = 0};
    struct play play = {.exit_status = 0};
    assert_int_equal(pawl_audit(world->runtime, NULL, .write = keep, .user = &kept, .fail_closed = 1), PAWL_OK);
    assert_int_equal(run(world, &play, "{\"code\":\"abc\"}", NULL), PAWL_OK);
    assert_int_equal(kept.count, 2);
    pawl_value *before = record_of(&kept, 0), *after = record_of(&kept, 1);
    assert_text(before, "event", "begin");
    assert_text(before, "outcome", NULL);
    assert_text(before, "duration", NULL);
    assert_text(after, "event", "end");
    assert_text(after, "outcome", "ok");
    assert_text(after, "execution", pawl_value_get_string(before, "execution", "?"));
    pawl_value_unref(before);
    pawl_value_unref(after);
    release(&kept);
}

static void fail_closed_runs_nothing_without_a_record(void **state) {
    struct world *world = *state;
    struct kept kept = {.refuses = true};
    struct play play = {.exit_status = 0};
    pawl_audit_stats stats = {.size = sizeof stats};
    pawl_error *error = NULL;
    assert_int_equal(pawl_audit(world->runtime, NULL, .write = keep, .user = &kept, .fail_closed = 1), PAWL_OK);
    assert_int_equal(run(world, &play, "{\"code\":\"\"}", &error), PAWL_E_DENIED);
    assert_non_null(strstr(pawl_error_message(error), "fail_closed"));
    assert_int_equal(pawl_error_started(error), PAWL_STARTED_NO);
    assert_int_equal(play.created, 0);
    pawl_audit_get_stats(world->runtime, &stats);
    assert_int_equal(stats.denied, 1);
    assert_int_equal(stats.lost, 2);
    pawl_error_unref(error);
}

static void a_full_disk_is_told_and_survived(void **state) {
    struct world *world = *state;
    struct play play = {.exit_status = 0};
    pawl_audit_stats stats = {.size = sizeof stats};
    pawl_error *error = NULL;
    assert_int_equal(pawl_audit(world->runtime, NULL, .path = "/dev/full"), PAWL_OK);
    assert_int_equal(run(world, &play, "{\"code\":\"\"}", NULL), PAWL_OK);
    assert_int_equal(pawl_audit(world->runtime, NULL, .path = "/dev/full", .fail_closed = 1, .sync = 1), PAWL_OK);
    assert_int_equal(run(world, &play, "{\"code\":\"\"}", &error), PAWL_E_DENIED);
    assert_non_null(strstr(pawl_error_message(error), "/dev/full"));
    assert_non_null(strstr(pawl_error_message(error), "No space left"));
    pawl_audit_get_stats(world->runtime, &stats);
    assert_int_equal(stats.written, 0);
    assert_int_equal(stats.lost, 4);
    pawl_error_unref(error);
}

/* ---- the file ---- */

static void the_file_is_private_and_appended_to(void **state) {
    struct world *world = *state;
    struct play play = {.exit_status = 0};
    char folder[] = "/tmp/pawl-audit-XXXXXX", path[64], text[16384];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/audit.jsonl", folder);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pawl_audit(world->runtime, NULL, .path = path, .sync = 1), PAWL_OK);
        assert_int_equal(run(world, &play, "{\"code\":\"\"}", NULL), PAWL_OK);
    }
    struct stat is;
    assert_int_equal(stat(path, &is), 0);
    assert_int_equal(is.st_mode & 0777, 0600);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    size_t lines = 0;
    for (; fgets(text, sizeof text, file); lines++)
        pawl_value_unref(parsed(text));
    assert_int_equal(lines, 3); /* the second time there were two logs */
    fclose(file);
    unlink(path);
    rmdir(folder);
}

static void a_link_is_not_followed(void **state) {
    struct world *world = *state;
    char folder[] = "/tmp/pawl-audit-XXXXXX", path[64], target[64];
    const char *const targets[] = {target, "/nowhere/at/all", "/dev/null"};
    pawl_error *error = NULL;
    struct stat is;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/audit.jsonl", folder);
    snprintf(target, sizeof target, "%s/target", folder);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(symlink(targets[i], path), 0);
        assert_int_equal(pawl_audit(world->runtime, &error, .path = path), PAWL_E_INVALID);
        assert_non_null(strstr(pawl_error_message(error), "is a symbolic link"));
        assert_non_null(strstr(pawl_error_message(error), path));
        error = pawl_error_unref(error);
        unlink(path);
    }
    assert_int_equal(stat(target, &is), -1); /* nothing was made through it */
    rmdir(folder);
}

/* The files of this process end after so many bytes. */
static void limit_files(rlim_t bytes) {
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_line_that_was_cut_does_not_spoil_the_next(void **state) {
    struct world *world = *state;
    struct play play = {.exit_status = 0};
    char folder[] = "/tmp/pawl-audit-XXXXXX", path[64], text[16384];
    pawl_audit_stats stats = {.size = sizeof stats};
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/audit.jsonl", folder);
    assert_int_equal(pawl_audit(world->runtime, NULL, .path = path), PAWL_OK);
    signal(SIGXFSZ, SIG_IGN);
    limit_files(100);
    assert_int_equal(run(world, &play, "{\"code\":\"\"}", NULL), PAWL_OK);
    limit_files(RLIM_INFINITY);
    assert_int_equal(run(world, &play, "{\"code\":\"\"}", NULL), PAWL_OK);
    pawl_audit_get_stats(world->runtime, &stats);
    assert_int_equal(stats.lost, 1);
    assert_int_equal(stats.written, 1);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    assert_non_null(fgets(text, sizeof text, file));
    assert_int_equal(strlen(text), 101); /* what fitted, and the end of its line */
    assert_non_null(fgets(text, sizeof text, file));
    pawl_value *record = parsed(text);
    assert_json(record, "seq", "2");
    pawl_value_unref(record);
    fclose(file);
    unlink(path);
    rmdir(folder);
}

static void what_goes_into_a_deleted_file_is_lost(void **state) {
    struct world *world = *state;
    struct play play = {.exit_status = 0};
    char folder[] = "/tmp/pawl-audit-XXXXXX", path[64];
    pawl_audit_stats stats = {.size = sizeof stats};
    pawl_error *error = NULL;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/audit.jsonl", folder);
    assert_int_equal(pawl_audit(world->runtime, NULL, .path = path, .fail_closed = 1), PAWL_OK);
    unlink(path);
    rmdir(folder);
    assert_int_equal(run(world, &play, "{\"code\":\"\"}", &error), PAWL_E_DENIED);
    assert_non_null(strstr(pawl_error_message(error), "No such file"));
    assert_int_equal(play.created, 0);
    pawl_audit_get_stats(world->runtime, &stats);
    assert_int_equal(stats.written, 0);
    pawl_error_unref(error);
}

static void mistakes_are_refused_by_name(void **state) {
    struct world *world = *state;
    pawl_error *error = NULL;
    struct kept kept = {.count = 0};
    assert_int_equal(pawl_audit_attach(world->runtime, NULL, &error), PAWL_E_INVALID);
    assert_int_equal(pawl_audit(world->runtime, &error, .path = "/tmp/x", .write = keep, .user = &kept),
                     PAWL_E_INVALID);
    assert_int_equal(pawl_audit(world->runtime, &error, .path = "/no/such/folder/x"), PAWL_E_NOT_FOUND);
    assert_non_null(strstr(pawl_error_message(error), "/no/such/folder/x"));
    assert_int_equal(pawl_audit(world->runtime, &error, .path = "/"), PAWL_E_FAILED);
    assert_int_equal(pawl_audit_attach(NULL, NULL, &error), PAWL_E_INVALID);
    pawl_error_unref(error);
    pawl_audit_get_stats(NULL, NULL);
}

static void it_survives_without_memory(void **state) {
    (void)state;
    for_each_failing_allocation(n) {
        struct world world = {.ctx = NULL};
        struct kept kept = {.count = 0};
        struct play play = {.exit_status = 0};
        world.runtime = virtual_runtime_or_null(&world.time);
        world.ctx = pawl_context_new(world.runtime);
        pawl_sandbox_provider *provider = play_provider_or_null(&play);
        pawl_execution_request request = {.size = sizeof request, .language = "bash", .code = "x", .code_length = 1};
        pawl_execution_result *result = NULL;
        pawl_audit_stats stats = {.size = sizeof stats};
        pawl_status attached = pawl_audit(world.runtime, NULL, .write = keep, .user = &kept, .fail_closed = 1);
        if (world.ctx && provider && attached == PAWL_OK) {
            pawl_sandbox_run_once(provider, world.ctx, &request, &result, NULL);
            pawl_audit_get_stats(world.runtime, &stats);
            assert_int_equal(stats.written + stats.lost, 2);
            assert_int_equal(stats.written, kept.count);
            assert_true(stats.lost > 0 || result || allocations_failed() > 0);
        }
        pawl_execution_result_free(result);
        pawl_sandbox_provider_unref(provider);
        pawl_context_unref(world.ctx);
        pawl_runtime_unref(world.runtime);
        release(&kept);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digests_are_those_of_fips_180_4),
        cmocka_unit_test(times_are_rfc_3339_with_nanoseconds),
        in_world(a_record_says_who_ran_what_and_how_it_ended),
        in_world(an_execution_without_a_result_is_recorded_with_its_error),
        in_world(an_execution_without_a_node_is_recorded_too),
        in_world(a_request_that_lacks_everything_is_recorded_as_refused),
        in_world(sampling_leaves_the_audit_log_alone),
        in_world(the_subject_is_the_tag_that_the_host_names),
        in_world(a_lost_record_is_counted_and_leaves_a_gap),
        in_world(fail_closed_records_before_and_after),
        in_world(fail_closed_runs_nothing_without_a_record),
        in_world(a_full_disk_is_told_and_survived),
        in_world(the_file_is_private_and_appended_to),
        in_world(a_link_is_not_followed),
        in_world(a_line_that_was_cut_does_not_spoil_the_next),
        in_world(what_goes_into_a_deleted_file_is_lost),
        in_world(mistakes_are_refused_by_name),
        cmocka_unit_test(it_survives_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
