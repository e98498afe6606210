/* pawl_fix()'s output; see fix.h for what its members mean. */
#include "execution_view_internal.h"
#include "fix_internal.h"
#include "json_put_internal.h"
#include <stdlib.h>
#include <string.h>

#define VERSION 1

/* ---- how far it got ---- */

static bool original_passes(const struct fix_run *run) {
    return !run->report;
}

static bool passes_checks(const struct fix_run *run) {
    return original_passes(run) || pawl_value_get_bool(run->report, "success", false);
}

static bool ran(const struct fix_run *run) {
    const cJSON *attempt = pawl_value_get(run->report, "attempt");
    const char *outcome = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(attempt, "outcome"));
    return passes_checks(run) || (outcome && pawl_execution_ran(outcome));
}

static bool passes_holdout(const struct fix_run *run) {
    return run->has_holdout && run->holdout.verdict.pass;
}

static const char *outcome_word(const struct fix_run *run) {
    if (original_passes(run))
        return "already_passes";
    if (passes_holdout(run))
        return "passed_holdout";
    if (passes_checks(run))
        return "passed_checks";
    return ran(run) ? "ran" : "not_run";
}

static bool put_outcome(cJSON *json, const struct fix_run *run) {
    bool success = passes_checks(run) && (!run->has_holdout || passes_holdout(run));
    const char *stop = original_passes(run) ? "already_passes" : pawl_value_get_string(run->report, "stop_reason", "");
    return json_put(json, "success", cJSON_CreateBool(success)) && json_put_text(json, "outcome", outcome_word(run)) &&
           json_put(json, "ran", cJSON_CreateBool(ran(run))) &&
           json_put(json, "passed_checks", cJSON_CreateBool(passes_checks(run))) &&
           json_put(json, "passed_holdout",
                    run->has_holdout ? cJSON_CreateBool(passes_holdout(run)) : cJSON_CreateNull()) &&
           json_put_text(json, "stop_reason", stop);
}

/* ---- the rest ---- */

static bool put_diff(cJSON *json, const struct fix_run *run) {
    if (!run->program)
        return json_put(json, "diff", cJSON_CreateNull());
    char *diff = pawl_unified_diff(run->task.program, run->program, run->task.file, run->task.file);
    bool made = diff && json_put_text(json, "diff", diff);
    free(diff);
    return made;
}

static bool put_program(cJSON *json, const struct fix_run *run) {
    return json_put_text(json, "language", run->task.language) && json_put_text(json, "file", run->task.file) &&
           json_put_text(json, "program", run->program) && json_put_text(json, "description", run->description) &&
           put_diff(json, run);
}

/* A member of the loop's report, or what stands for it when there was no loop. */
static bool put_from_loop(cJSON *json, const char *key, const struct fix_run *run) {
    const cJSON *member = pawl_value_get(run->report, key);
    if (member)
        return json_put(json, key, cJSON_Duplicate(member, true));
    if (strcmp(key, "attempt") == 0)
        return json_put(json, key, cJSON_CreateNull());
    return strcmp(key, "attempts") == 0 ? json_put(json, key, cJSON_CreateArray()) : json_put_number(json, key, 0);
}

static bool put_loop(cJSON *json, const struct fix_run *run) {
    static const char *const keys[] = {"rounds",  "executions", "duplicates",      "cost",
                                       "attempt", "attempts",   "attempts_dropped"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (!put_from_loop(json, keys[i], run))
            return false;
    return true;
}

pawl_value *pawl_fix_report(const struct fix_run *run, uint64_t now_ns) {
    cJSON *json = cJSON_CreateObject();
    bool made = json && json_put_number(json, "version", VERSION) && put_outcome(json, run) && put_program(json, run) &&
                json_put(json, "original", pawl_attempt_json(&run->original)) &&
                json_put(json, "holdout", run->has_holdout ? pawl_attempt_json(&run->holdout) : cJSON_CreateNull()) &&
                json_put_number(json, "elapsed_ns", (double)(now_ns - run->started_ns)) && put_loop(json, run);
    if (made)
        return pawl_value_take(json);
    cJSON_Delete(json);
    return NULL;
}
