/* From pawl_fix()'s input to the inputs of its children. */
#include "execution_view_internal.h"
#include "fix_internal.h"
#include <stdlib.h>
#include <string.h>

static const char *default_file(const char *language) {
    if (strcmp(language, "javascript") == 0)
        return "program.js";
    return strcmp(language, "bash") == 0 ? "program.sh" : "program.py";
}

static bool put(cJSON *object, const char *key, cJSON *item) {
    if (item && cJSON_AddItemToObjectCS(object, key, item))
        return true;
    cJSON_Delete(item);
    return false;
}

static bool put_text(cJSON *object, const char *key, const char *text) {
    return put(object, key, cJSON_CreateString(text));
}

/* ---- reading ---- */

/* A text member; NULL when absent or null. False when it is something else. */
static bool read_text(const cJSON *member, const char **ret_text) {
    *ret_text = cJSON_GetStringValue(member);
    return !member || cJSON_IsNull(member) || *ret_text;
}

static pawl_status refuse(const char *key, const char *why, pawl_error **err) {
    return pawl_error_set(err, PAWL_E_INVALID, "fix: input.%s %s", key, why);
}

static pawl_status read_member(const cJSON *member, struct fix_task *task, pawl_error **err) {
    const struct {
        const char *key;
        const char **text;
    } texts[] = {{"program", &task->program},
                 {"test", &task->test},
                 {"holdout", &task->holdout},
                 {"file", &task->file},
                 {"language", &task->language}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (strcmp(member->string, texts[i].key) == 0)
            return read_text(member, texts[i].text) ? PAWL_OK : refuse(member->string, "is no text; give one", err);
    if (strcmp(member->string, "files") != 0)
        return refuse(member->string, "is unknown; use program, test, holdout, file, language or files", err);
    if (!cJSON_IsObject(member) && !cJSON_IsNull(member))
        return refuse("files", "is no object of path and text; give one", err);
    task->files = cJSON_IsObject(member) ? member : NULL;
    return PAWL_OK;
}

static bool is_plain_name(const char *file) {
    return file[0] && !strchr(file, '/') && strcmp(file, ".") != 0 && strcmp(file, "..") != 0;
}

pawl_status pawl_fix_read_task(const struct fix *fix, const pawl_value *in, struct fix_task *ret_task,
                               pawl_error **err) {
    const cJSON *json = pawl_value_json(in);
    struct fix_task task = {0};
    if (!cJSON_IsObject(json))
        return pawl_error_set(err, PAWL_E_INVALID, "fix: the input is no object; give {\"program\", \"test\", ...}");
    for (const cJSON *member = json->child; member; member = member->next) {
        pawl_status status = read_member(member, &task, err);
        if (status != PAWL_OK)
            return status;
    }
    if (!task.program || !task.test)
        return refuse(task.program ? "test" : "program", "is missing; give its text", err);
    if (!task.language)
        task.language = fix->options.language;
    if (!task.file)
        task.file = default_file(task.language);
    if (!is_plain_name(task.file))
        return refuse("file", "is no plain file name; give one without '/'", err);
    *ret_task = task;
    return PAWL_OK;
}

const char *pawl_fix_program_of(const pawl_value *candidate) {
    const cJSON *json = pawl_value_json(candidate);
    if (cJSON_IsString(json))
        return json->valuestring;
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "program"));
}

/* ---- what the children get ---- */

static pawl_value *take(cJSON *json, bool made, pawl_error **err) {
    pawl_value *value = NULL;
    if (made)
        value = pawl_value_take(json);
    else
        cJSON_Delete(json);
    if (!value)
        pawl_error_set(err, PAWL_E_NOMEM, "fix: out of memory");
    return value;
}

static bool put_files(cJSON *json, const struct fix_task *task, const char *program) {
    cJSON *files = task->files ? cJSON_Duplicate(task->files, true) : cJSON_CreateObject();
    if (!files)
        return false;
    cJSON_DeleteItemFromObjectCaseSensitive(files, task->file);
    return put(json, "files", files) && put_text(files, task->file, program);
}

pawl_value *pawl_fix_execution_input(const struct fix *fix, const struct fix_task *task, const char *test,
                                     const char *program, pawl_error **err) {
    cJSON *json = cJSON_CreateObject();
    bool made = json && put_text(json, "code", test) && put_text(json, "language", task->language) &&
                put(json, "timeout", cJSON_CreateNumber((double)fix->options.timeout_ns / 1e9)) &&
                put_files(json, task, program);
    return take(json, made, err);
}

static bool put_what_the_original_showed(cJSON *json, const struct fix_task *task, const pawl_attempt *original,
                                         const pawl_value *result) {
    struct execution_view view;
    char *feedback = pawl_feedback_text(result, NULL);
    const char *traceback = pawl_execution_view_read(result, &view) ? view.traceback : "";
    bool made = feedback && put_text(json, "feedback", feedback) &&
                put_text(json, "signature", original->verdict.signature) &&
                put(json, "hints", pawl_fix_hints(traceback, task->file));
    free(feedback);
    return made;
}

pawl_value *pawl_fix_loop_input(const struct fix_task *task, const pawl_attempt *original, const pawl_value *result,
                                pawl_error **err) {
    cJSON *json = cJSON_CreateObject();
    bool made = json && put_text(json, "program", task->program) && put_text(json, "test", task->test) &&
                put_text(json, "file", task->file) && put_text(json, "language", task->language) &&
                (!task->files || put(json, "files", cJSON_Duplicate(task->files, true))) &&
                put_what_the_original_showed(json, task, original, result);
    return take(json, made, err);
}
