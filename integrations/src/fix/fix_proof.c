/* START -> the test beside its driver: executor; CHILD_DONE -> outcome ok: look for the proof */
#include "fix_proof_internal.h"
#include "primitive_internal.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct proof_frame {
    pawl_value *input; /* of the executor */
    char nonce[33];    /* "": the language has no driver */
};

static pawl_step fail(pawl_frame *frame, pawl_event *event) {
    pawl_failure failure = {.size = sizeof failure, .status = PAWL_E_NOMEM, .what = "out of memory; free some"};
    return pawl_step_fail(frame, event, &failure);
}

static bool put(cJSON *object, const char *key, cJSON *item) {
    if (item && cJSON_AddItemToObject(object, key, item))
        return true;
    cJSON_Delete(item);
    return false;
}

static bool replace(cJSON *object, const char *key, cJSON *item) {
    cJSON_DeleteItemFromObjectCaseSensitive(object, key);
    return put(object, key, item);
}

/* ---- the executor's input ---- */

static bool put_driver(cJSON *json, const char *language, const char *program, const char *nonce) {
    cJSON *files = cJSON_GetObjectItemCaseSensitive(json, "files");
    cJSON *test = cJSON_DetachItemFromObjectCaseSensitive(json, "code");
    char *driver = pawl_proof_driver(language, program, nonce);
    bool made =
        put(files, pawl_proof_test_name(language), test) && driver && put(json, "code", cJSON_CreateString(driver));
    free(driver);
    if (!made)
        return false;
    cJSON *collect = cJSON_CreateArray(), *file = cJSON_CreateString(PAWL_PROOF_FILE);
    if (collect && file && cJSON_AddItemToArray(collect, file))
        return put(json, "collect", collect);
    cJSON_Delete(collect);
    cJSON_Delete(file);
    return false;
}

static pawl_value *make_input(const pawl_value *in, const char *nonce) {
    cJSON *json = cJSON_Duplicate(pawl_value_json(in), true);
    cJSON *program = cJSON_DetachItemFromObjectCaseSensitive(json, "program");
    const char *name = cJSON_GetStringValue(program);
    bool made = json && name && (!nonce[0] || put_driver(json, pawl_value_get_string(in, "language", ""), name, nonce));
    cJSON_Delete(program);
    if (made)
        return pawl_value_take(json);
    cJSON_Delete(json);
    return NULL;
}

static pawl_step start(struct proof_frame *f, pawl_frame *frame, pawl_event *event) {
    const pawl_value *in = pawl_frame_input(frame);
    pawl_context *ctx = pawl_frame_context(frame);
    f->nonce[0] = '\0';
    if (pawl_proof_test_name(pawl_value_get_string(in, "language", "")))
        snprintf(f->nonce, sizeof f->nonce, "%016" PRIx64 "%016" PRIx64, pawl_context_random(ctx),
                 pawl_context_random(ctx));
    f->input = make_input(in, f->nonce);
    return f->input ? pawl_step_run(frame, pawl_frame_node(frame)->children[0], f->input, NULL) : fail(frame, event);
}

/* ---- its output ---- */

static bool has_proof(const pawl_value *result, const char *nonce) {
    const cJSON *file = cJSON_GetObjectItemCaseSensitive(pawl_value_get(result, "files"), PAWL_PROOF_FILE);
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(file, "text"));
    return text && strcmp(text, nonce) == 0;
}

static bool mark_unended(cJSON *json) {
    cJSON *error = cJSON_CreateObject();
    if (!replace(json, "error", error))
        return false;
    return replace(json, "success", cJSON_CreateFalse()) &&
           replace(json, "outcome", cJSON_CreateString("check_failed")) &&
           put(error, "name", cJSON_CreateString("TestNotEnded")) &&
           put(error, "value", cJSON_CreateString(PAWL_NOT_ENDED ": the program ended it with status 0")) &&
           put(error, "traceback", cJSON_CreateNull());
}

static pawl_value *make_output(const pawl_value *result, bool completed) {
    cJSON *json = cJSON_Duplicate(pawl_value_json(result), true);
    if (json) {
        cJSON_DeleteItemFromObjectCaseSensitive(cJSON_GetObjectItemCaseSensitive(json, "files"), PAWL_PROOF_FILE);
        if (replace(json, "completed", cJSON_CreateBool(completed)) && (completed || mark_unended(json)))
            return pawl_value_take(json);
    }
    cJSON_Delete(json);
    return NULL;
}

static pawl_step proof_step(const void *state, pawl_frame *frame, pawl_event *event) {
    struct proof_frame *f = pawl_frame_memory(frame);
    (void)state;
    if (pawl_event_kind_of(event) == PAWL_EVENT_START)
        return start(f, frame, event);
    pawl_value_unref(f->input);
    pawl_outcome *outcome = pawl_event_outcome(event);
    const pawl_value *result = pawl_outcome_value(outcome);
    if (!f->nonce[0] || pawl_outcome_status(outcome) != PAWL_OK ||
        strcmp(pawl_value_get_string(result, "outcome", ""), "ok") != 0)
        return pawl_step_finish(frame, event);
    pawl_value *output = make_output(result, has_proof(result, f->nonce));
    return output ? pawl_step_succeed(frame, event, output) : fail(frame, event);
}

static const pawl_primitive_vtable proof_vtable = {
    .size = sizeof proof_vtable, .type_name = "fix_test", .step = proof_step};

pawl_primitive *pawl_proof_new(pawl_primitive *executor) {
    pawl_primitive_spec spec = {.size = sizeof spec,
                                .vtable = &proof_vtable,
                                .name = "test",
                                .frame_bytes = sizeof(struct proof_frame),
                                .children = PAWL_CHILDREN(executor)};
    return pawl_primitive_new(&spec);
}
