/* From pawl_fix()'s input to the inputs of its children. */
#include "execution/language_internal.h"
#include "execution_view_internal.h"
#include "fix_internal.h"
#include "fix_proof_internal.h"
#include "json_put_internal.h"
#include "utf8_internal.h"
#include <stdlib.h>
#include <string.h>

static const char *default_file(const char *language) {
    pawl_language which = pawl_language_of(language);
    return which == PAWL_LANGUAGE_JAVASCRIPT ? "program.js" : which == PAWL_LANGUAGE_BASH ? "program.sh" : "program.py";
}

/* ---- reading ---- */

/* A text member; NULL when absent or null. False when it is something else. */
static bool read_text(const cJSON *member, const char **ret_text) {
    *ret_text = cJSON_GetStringValue(member);
    return !member || cJSON_IsNull(member) || *ret_text;
}

static pawl_status refuse(const struct fix *fix, const char *key, const char *why, pawl_error **err) {
    return pawl_error_set(err, PAWL_E_INVALID, "fix '%s': input.%s %s", fix->name, key, why);
}

/* The report repeats these texts, and it is JSON. */
static pawl_status check_text(const struct fix *fix, const char *key, const char *text, pawl_error **err) {
    size_t length = text ? strlen(text) : 0, valid = text ? pawl_utf8_valid(text, length) : 0;
    if (valid == length)
        return PAWL_OK;
    return pawl_error_set(
        err, PAWL_E_INVALID,
        "fix '%s': input.%s is no UTF-8: byte %zu is 0x%02x; save it as UTF-8, or give a file of such "
        "bytes in files as {\"base64\": text}",
        fix->name, key, valid + 1, (unsigned char)text[valid]);
}

static pawl_status read_member(const struct fix *fix, const cJSON *member, struct fix_task *task, pawl_error **err) {
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
            return read_text(member, texts[i].text) ? check_text(fix, member->string, *texts[i].text, err)
                                                    : refuse(fix, member->string, "is no text; give one", err);
    if (strcmp(member->string, "files") != 0)
        return refuse(fix, member->string, "is unknown; use program, test, holdout, file, language or files", err);
    if (!cJSON_IsObject(member) && !cJSON_IsNull(member))
        return refuse(fix, "files", "is no object of path and text; give one", err);
    task->files = cJSON_IsObject(member) ? member : NULL;
    return PAWL_OK;
}

static bool is_plain_name(const char *file) {
    return file[0] && !strchr(file, '/') && strcmp(file, ".") != 0 && strcmp(file, "..") != 0;
}

/* The test lies beside its driver under a name of its own. */
static pawl_status check_test_name(const struct fix *fix, const struct fix_task *task, pawl_error **err) {
    const char *name = pawl_proof_test_name(task->language);
    bool is_file = name && strcmp(task->file, name) == 0;
    if (!is_file && !(name && cJSON_GetObjectItemCaseSensitive(task->files, name)))
        return PAWL_OK;
    return pawl_error_set(err, PAWL_E_INVALID, "fix '%s': input.%s: '%s' is the name of the test; use another",
                          fix->name, is_file ? "file" : "files", name);
}

pawl_status pawl_fix_read_task(const struct fix *fix, const pawl_value *in, struct fix_task *ret_task,
                               pawl_error **err) {
    const cJSON *json = pawl_value_json(in);
    struct fix_task task = {0};
    if (!cJSON_IsObject(json))
        return pawl_error_set(err, PAWL_E_INVALID,
                              "fix '%s': the input is no object; give {\"program\", \"test\", ...}", fix->name);
    for (const cJSON *member = json->child; member; member = member->next) {
        pawl_status status = read_member(fix, member, &task, err);
        if (status != PAWL_OK)
            return status;
    }
    if (!task.program || !task.test)
        return refuse(fix, task.program ? "test" : "program", "is missing; give its text", err);
    if (!task.language)
        task.language = fix->options.language;
    if (!task.file)
        task.file = default_file(task.language);
    if (!is_plain_name(task.file))
        return refuse(fix, "file", "is no plain file name; give one without '/'", err);
    pawl_status status = check_test_name(fix, &task, err);
    *ret_task = task;
    return status;
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
    return json_put(json, "files", files) && json_put_text(files, task->file, program);
}

pawl_value *pawl_fix_execution_input(const struct fix *fix, const struct fix_task *task, const char *test,
                                     const char *program, pawl_error **err) {
    cJSON *json = cJSON_CreateObject();
    bool made = json && json_put_text(json, "code", test) && json_put_text(json, "language", task->language) &&
                json_put(json, "timeout", cJSON_CreateNumber((double)fix->options.timeout_ns / 1e9)) &&
                json_put_text(json, "program", task->file) && put_files(json, task, program);
    return take(json, made, err);
}

static bool put_what_the_original_showed(cJSON *json, const struct fix_task *task, const pawl_attempt *original,
                                         const pawl_value *result) {
    struct execution_view view;
    char *feedback = pawl_feedback_text(result, NULL);
    const char *traceback = pawl_execution_view_read(result, &view) ? view.traceback : "";
    bool made = feedback && json_put_text(json, "feedback", feedback) &&
                json_put_text(json, "signature", original->verdict.signature) &&
                json_put(json, "hints", pawl_fix_hints(traceback, task->file));
    free(feedback);
    return made;
}

pawl_value *pawl_fix_loop_input(const struct fix_task *task, const pawl_attempt *original, const pawl_value *result,
                                pawl_error **err) {
    cJSON *json = cJSON_CreateObject();
    bool made = json && json_put_text(json, "program", task->program) && json_put_text(json, "test", task->test) &&
                json_put_text(json, "file", task->file) && json_put_text(json, "language", task->language) &&
                (!task->files || json_put(json, "files", cJSON_Duplicate(task->files, true))) &&
                put_what_the_original_showed(json, task, original, result);
    return take(json, made, err);
}
