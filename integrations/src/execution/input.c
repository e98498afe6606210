/*
 * Reads the node's input. Two passes: the members are checked and counted, then memory is made once and filled. A
 * member that is JSON null counts as absent.
 */
#include "input_internal.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base64_internal.h"
#include "input_limits_internal.h"
#include "language_internal.h"

struct reader {
    const struct pawl_input_defaults *defaults;
    struct pawl_input *input;
    const cJSON *json;
    pawl_error **err;
};

static const char *const members[] = {"code",     "language",          "timeout", "files",  "args",    "stdin",
                                      "env_vars", "working_directory", "install", "limits", "collect", "secret_env"};

static pawl_status __attribute__((format(printf, 2, 3))) bad(const struct reader *r, const char *format, ...) {
    char text[512];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    return pawl_error_set(r->err, PAWL_E_INVALID, "code execution '%s': %s", r->defaults->node, text);
}

static pawl_status no_memory(const struct reader *r) {
    return pawl_error_set(r->err, PAWL_E_NOMEM, "code execution '%s': out of memory for its input", r->defaults->node);
}

static const cJSON *member(const struct reader *r, const char *name) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(r->json, name);
    return item && !cJSON_IsNull(item) ? item : NULL;
}

static const char *kind_of(const cJSON *item) {
    return cJSON_IsString(item)   ? "a string"
           : cJSON_IsNumber(item) ? "a number"
           : cJSON_IsBool(item)   ? "a boolean"
           : cJSON_IsArray(item)  ? "an array"
           : cJSON_IsObject(item) ? "an object"
                                  : "null";
}

/* ---- first pass ---- */

static pawl_status check_members(const struct reader *r) {
    if (!cJSON_IsObject(r->json))
        return bad(r, "the input is %s; give an object such as {\"code\": \"print(1)\"}", kind_of(r->json));
    for (const cJSON *item = r->json->child; item; item = item->next) {
        bool known = false;
        for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
            known |= strcmp(item->string, members[i]) == 0;
        if (!known)
            return bad(r,
                       "the input has a field '%.64s' that is not known; use code, language, timeout, files, args, "
                       "stdin, env_vars, working_directory, install, limits, collect, secret_env",
                       item->string);
    }
    return PAWL_OK;
}

static pawl_status check_strings(const struct reader *r, const char *name) {
    const cJSON *list = member(r, name), *item;
    int index = 0;
    if (!list)
        return PAWL_OK;
    if (!cJSON_IsArray(list))
        return bad(r, "%s is %s; give an array of strings", name, kind_of(list));
    cJSON_ArrayForEach(item, list) {
        if (!cJSON_IsString(item))
            return bad(r, "%s[%d] is %s; give a string", name, index, kind_of(item));
        index++;
    }
    return PAWL_OK;
}

static pawl_status check_env(const struct reader *r) {
    const cJSON *list = member(r, "env_vars"), *item;
    if (list && !cJSON_IsObject(list))
        return bad(r, "env_vars is %s; give an object of strings such as {\"NAME\": \"value\"}", kind_of(list));
    cJSON_ArrayForEach(item, list) {
        if (!cJSON_IsString(item))
            return bad(r, "env_vars.%.64s is %s; give a string", item->string, kind_of(item));
        if (!*item->string || strchr(item->string, '='))
            return bad(r, "env_vars has the name '%.64s'; a name is not empty and has no '='", item->string);
    }
    return PAWL_OK;
}

static pawl_status check_secret_env(const struct reader *r) {
    const cJSON *item, *env = member(r, "env_vars");
    pawl_status status = check_strings(r, "secret_env");
    if (status != PAWL_OK)
        return status;
    cJSON_ArrayForEach(item, member(r, "secret_env")) if (
        !cJSON_GetObjectItemCaseSensitive(env,
                                          item->valuestring)) return bad(r,
                                                                         "secret_env names '%.64s', which env_vars "
                                                                         "does not have; remove it or add the variable",
                                                                         item->valuestring);
    return PAWL_OK;
}

static pawl_status check_text(const struct reader *r, const char *name, bool required) {
    const cJSON *item = member(r, name);
    if (!item && required)
        return bad(r, "the input has no %s; give it as a string", name);
    return item && !cJSON_IsString(item) ? bad(r, "%s is %s; give a string", name, kind_of(item)) : PAWL_OK;
}

static pawl_status check_language(const struct reader *r) {
    const cJSON *item = member(r, "language");
    pawl_status status = check_text(r, "language", false);
    if (status == PAWL_OK && item && pawl_language_of(item->valuestring) == PAWL_LANGUAGE_COUNT)
        return bad(r, "language is '%.64s'; use python, javascript or bash", item->valuestring);
    return status;
}

static pawl_status check_all(const struct reader *r) {
    pawl_status status = check_members(r);
    if (status == PAWL_OK && member(r, "files") && !cJSON_IsObject(member(r, "files")))
        status = bad(r, "files is %s; give an object {path: text}", kind_of(member(r, "files")));
    if (status == PAWL_OK)
        status = check_text(r, "code", true);
    if (status == PAWL_OK)
        status = check_language(r);
    if (status == PAWL_OK)
        status = check_text(r, "working_directory", false);
    if (status == PAWL_OK)
        status = check_strings(r, "args");
    if (status == PAWL_OK)
        status = check_strings(r, "install");
    if (status == PAWL_OK)
        status = check_strings(r, "collect");
    if (status == PAWL_OK)
        status = check_env(r);
    return status == PAWL_OK ? check_secret_env(r) : status;
}

/* ---- second pass ---- */

static size_t count(const struct reader *r, const char *name) {
    const cJSON *item, *list = member(r, name);
    size_t items = 0;
    cJSON_ArrayForEach(item, list) items++; /* cJSON's own count is an int */
    return items;
}

static void *own(struct pawl_input *input, void *memory) {
    if (memory)
        input->owned[input->owned_count++] = memory;
    return memory;
}

static const char **put_strings(const struct reader *r, const char *name, const char **next, const char *const **list,
                                uint64_t *ret_count) {
    const cJSON *item;
    *list = next;
    cJSON_ArrayForEach(item, member(r, name)) *next++ = item->valuestring;
    *ret_count = (uint64_t)(next - *list);
    return next;
}

static bool put_env(const struct reader *r, const char ***next) {
    pawl_execution_request *request = &r->input->request;
    const cJSON *item;
    request->env = *next;
    cJSON_ArrayForEach(item, member(r, "env_vars")) {
        size_t name = strlen(item->string), value = strlen(item->valuestring);
        char *text = own(r->input, malloc(name + value + 2));
        if (!text)
            return false;
        memcpy(text, item->string, name);
        text[name] = '=';
        memcpy(text + name + 1, item->valuestring, value + 1);
        *(*next)++ = text;
        request->env_count++;
    }
    *next += PAWL_INPUT_SPARE_ENV;
    return true;
}

static bool put_lists(const struct reader *r) {
    struct pawl_input *input = r->input;
    pawl_execution_request *request = &input->request;
    size_t env = count(r, "env_vars") + PAWL_INPUT_SPARE_ENV, files = count(r, "files");
    size_t strings = env + count(r, "args") + count(r, "install") + count(r, "secret_env") + count(r, "collect") +
                     PAWL_INPUT_SPARE_COLLECT;
    input->lists = calloc(strings, sizeof *input->lists);
    input->files = calloc(files + 1, sizeof *input->files);
    input->owned = calloc(env + files + 1, sizeof *input->owned);
    const char **next = input->lists;
    if (!input->lists || !input->files || !input->owned || !put_env(r, &next))
        return false;
    next = put_strings(r, "args", next, &request->args, &request->arg_count);
    next = put_strings(r, "install", next, &request->install, &request->install_count);
    next = put_strings(r, "secret_env", next, &input->secret_env, &input->secret_env_count);
    put_strings(r, "collect", next, &request->collect, &request->collect_count); /* last: the caller may add to it */
    return true;
}

/* {"base64": ...} of a field. */
static pawl_status decode(const struct reader *r, const char *field, const char *part, const cJSON *text,
                          const void **ret_bytes, uint64_t *ret_length) {
    size_t length = strlen(text->valuestring), decoded;
    void *bytes = own(r->input, malloc(length / 4 * 3 + 1));
    if (!bytes)
        return no_memory(r);
    if (!pawl_base64_decode(text->valuestring, length, bytes, &decoded))
        return bad(r, "%s%.100s has base64 that cannot be decoded; use the standard alphabet, padded, without breaks",
                   field, part);
    *ret_bytes = bytes;
    *ret_length = decoded;
    return PAWL_OK;
}

static void borrow(const cJSON *text, const void **ret_bytes, uint64_t *ret_length) {
    *ret_bytes = text->valuestring;
    *ret_length = strlen(text->valuestring);
}

static pawl_status read_mode(const struct reader *r, const cJSON *mode, const char *path, uint64_t *ret_mode) {
    double value = cJSON_IsNumber(mode) ? mode->valuedouble : -1;
    if (!(value >= 0 && value <= 0777 && value == floor(value)))
        return bad(r, "files.%.100s has a mode that is no whole number from 0 to 511; 420 is 0644, 493 is 0755", path);
    *ret_mode = (uint64_t)value;
    return PAWL_OK;
}

/* text, {"text": t} or {"base64": b}, the latter two with a mode if ret_mode is given. */
static pawl_status read_content(const struct reader *r, const char *field, const cJSON *item, const void **ret_bytes,
                                uint64_t *ret_length, uint64_t *ret_mode) {
    const char *part = ret_mode ? item->string : "";
    const cJSON *text = NULL, *base64 = NULL, *entry;
    pawl_status status = PAWL_OK;
    if (cJSON_IsString(item)) {
        borrow(item, ret_bytes, ret_length);
        return PAWL_OK;
    }
    if (!cJSON_IsObject(item))
        return bad(r, "%s%.100s is %s; give text or {\"base64\": ...}", field, part, kind_of(item));
    cJSON_ArrayForEach(entry, item) {
        if (strcmp(entry->string, "text") == 0 && cJSON_IsString(entry))
            text = entry;
        else if (strcmp(entry->string, "base64") == 0 && cJSON_IsString(entry))
            base64 = entry;
        else if (ret_mode && strcmp(entry->string, "mode") == 0)
            status = read_mode(r, entry, part, ret_mode);
        else
            status = bad(r, "%s%.100s has a member '%.64s' that is not known or no string; use text or base64%s", field,
                         part, entry->string, ret_mode ? ", and mode" : "");
        if (status != PAWL_OK)
            return status;
    }
    if (!text == !base64)
        return bad(r, "%s%.100s needs exactly one of text and base64", field, part);
    if (base64)
        return decode(r, field, part, base64, ret_bytes, ret_length);
    borrow(text, ret_bytes, ret_length);
    return PAWL_OK;
}

static pawl_status put_files(const struct reader *r) {
    const cJSON *item;
    pawl_execution_request *request = &r->input->request;
    request->files = r->input->files;
    cJSON_ArrayForEach(item, member(r, "files")) {
        pawl_execution_file *file = &r->input->files[request->file_count++];
        file->path = item->string;
        pawl_status status = read_content(r, "files.", item, &file->bytes, &file->length, &file->mode);
        if (status != PAWL_OK)
            return status;
    }
    return PAWL_OK;
}

static pawl_status put_texts(const struct reader *r) {
    pawl_execution_request *request = &r->input->request;
    const cJSON *language = member(r, "language"), *folder = member(r, "working_directory"), *in = member(r, "stdin");
    request->language = language ? language->valuestring : r->defaults->language;
    request->working_directory = folder ? folder->valuestring : NULL;
    borrow(member(r, "code"), &request->code, &request->code_length);
    return in ? read_content(r, "stdin", in, &request->stdin_bytes, &request->stdin_length, NULL) : PAWL_OK;
}

static pawl_status fill(const struct reader *r) {
    struct pawl_input *input = r->input;
    pawl_status status =
        pawl_input_read_limits(r->defaults, member(r, "timeout"), member(r, "limits"), &input->limits, r->err);
    input->request.limits = &input->limits;
    if (status == PAWL_OK && !put_lists(r))
        status = no_memory(r);
    if (status == PAWL_OK)
        status = put_texts(r);
    return status == PAWL_OK ? put_files(r) : status;
}

pawl_status pawl_input_read(const struct pawl_input_defaults *defaults, const cJSON *json, struct pawl_input *ret_input,
                            pawl_error **err) {
    struct reader reader = {.defaults = defaults, .input = ret_input, .json = json, .err = err};
    memset(ret_input, 0, sizeof *ret_input);
    ret_input->request.size = sizeof ret_input->request;
    pawl_status status = check_all(&reader);
    if (status == PAWL_OK)
        status = fill(&reader);
    if (status != PAWL_OK)
        pawl_input_finish(ret_input);
    return status;
}

void pawl_input_finish(struct pawl_input *input) {
    for (size_t i = 0; i < input->owned_count; i++)
        free(input->owned[i]);
    free(input->owned);
    free(input->lists);
    free(input->files);
    memset(input, 0, sizeof *input);
}
