/* A request is checked as a whole before anything is started; messages name the field, the value and what to do. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "local_parts.h"
#include "options_internal.h"

#define WORK_FOLDER "/home/user/"
#define STACK_BYTES (8u << 20)

static const char *const main_names[PAWL_LANGUAGE_COUNT] = {
    [PAWL_LANGUAGE_PYTHON] = "main.py", [PAWL_LANGUAGE_JAVASCRIPT] = "main.js", [PAWL_LANGUAGE_BASH] = "main.sh"};

/* ---- checks ---- */

static pawl_status bad(pawl_error **err, const char *field, const char *value, const char *advice) {
    return pawl_error_set(err, PAWL_E_INVALID, "%s '%.200s' %s", field, value, advice);
}

static pawl_status check_path(const char *field, const char *path, pawl_error **err) {
    if (!path)
        return pawl_error_set(err, PAWL_E_INVALID, "%s has a path that is NULL; give one", field);
    const char *fault = pawl_wire_path_fault(path, strlen(path));
    return fault ? pawl_error_set(err, PAWL_E_INVALID, "%s: path '%.200s' %s", field, path, fault) : PAWL_OK;
}

static pawl_status check_count(const char *field, uint64_t count, const void *list, uint64_t most, pawl_error **err) {
    if (count > 0 && !list)
        return pawl_error_set(err, PAWL_E_INVALID, "%s is NULL with a count of %llu; give a list or no count", field,
                              (unsigned long long)count);
    if (count > most)
        return pawl_error_set(err, PAWL_E_LIMIT, "%s has %llu items, %llu at most; give fewer", field,
                              (unsigned long long)count, (unsigned long long)most);
    return PAWL_OK;
}

static pawl_status check_files(const pawl_execution_request *request, const char *main_name, pawl_error **err) {
    for (uint64_t i = 0; i < request->file_count; i++) {
        const pawl_execution_file *file = &request->files[i];
        pawl_status status = check_path("files", file->path, err);
        if (status != PAWL_OK)
            return status;
        if (strcmp(file->path, main_name) == 0)
            return bad(err, "files:", file->path, "is the name of the program itself; use another");
        if (file->mode > 0777)
            return bad(err, "files: the mode of", file->path, "is over 0777; give permission bits alone");
        if (file->length > 0 && !file->bytes)
            return bad(err, "files: the content of", file->path, "is NULL; give bytes or a length of 0");
    }
    return PAWL_OK;
}

static pawl_status check_collect(const pawl_execution_request *request, pawl_error **err) {
    pawl_status status = PAWL_OK;
    for (uint64_t i = 0; status == PAWL_OK && i < request->collect_count; i++)
        status = check_path("collect", request->collect[i], err);
    return status;
}

static pawl_status check_texts(const pawl_execution_request *request, pawl_error **err) {
    for (uint64_t i = 0; i < request->arg_count; i++)
        if (!request->args[i])
            return pawl_error_set(err, PAWL_E_INVALID, "args[%llu] is NULL; give a string", (unsigned long long)i);
    for (uint64_t i = 0; i < request->env_count; i++) {
        const char *entry = request->env[i], *equals = entry ? strchr(entry, '=') : NULL;
        if (!equals || equals == entry)
            return bad(err, "env:", entry ? entry : "(NULL)", "has no name; write NAME=value");
    }
    return PAWL_OK;
}

static pawl_status check_counts(const pawl_execution_request *r, pawl_error **err) {
    const struct {
        const char *field;
        uint64_t count;
        const void *list;
        uint64_t most;
    } lists[] = {{"args", r->arg_count, r->args, PAWL_WIRE_ARGS_MAX - 16},
                 {"env", r->env_count, r->env, PAWL_WIRE_ENV_MAX},
                 {"files", r->file_count, r->files, PAWL_WIRE_FILES_MAX - 1},
                 {"collect", r->collect_count, r->collect, PAWL_WIRE_COLLECT_MAX},
                 {"code", r->code_length, r->code, UINT64_MAX},
                 {"stdin_bytes", r->stdin_length, r->stdin_bytes, UINT64_MAX}};
    pawl_status status = PAWL_OK;
    for (size_t i = 0; status == PAWL_OK && i < sizeof lists / sizeof lists[0]; i++)
        status = check_count(lists[i].field, lists[i].count, lists[i].list, lists[i].most, err);
    return status;
}

static pawl_status check(const pawl_execution_request *request, pawl_language *ret_language, pawl_error **err) {
    pawl_status status;
    *ret_language = pawl_language_of(request->language);
    if (!request->language || *ret_language == PAWL_LANGUAGE_COUNT)
        return pawl_error_set(err, PAWL_E_UNSUPPORTED,
                              "language '%.64s' is not one of the local sandbox; use python, javascript or bash",
                              request->language ? request->language : "(NULL)");
    if ((status = check_counts(request, err)) != PAWL_OK || (status = check_texts(request, err)) != PAWL_OK ||
        (status = check_files(request, main_names[*ret_language], err)) != PAWL_OK ||
        (status = check_collect(request, err)) != PAWL_OK)
        return status;
    return request->working_directory ? check_path("working_directory", request->working_directory, err) : PAWL_OK;
}

/*
 * Under less an interpreter cannot even start, and says so in ways that mislead: a signal of its loader's, or status
 * 127. Measured with Python 3.11, node 20 and bash 5.2, which need 14, 6 and 6 MiB.
 */
static const uint64_t memory_floors[PAWL_LANGUAGE_COUNT] = {[PAWL_LANGUAGE_PYTHON] = PAWL_MIB(16),
                                                            [PAWL_LANGUAGE_JAVASCRIPT] = PAWL_MIB(8),
                                                            [PAWL_LANGUAGE_BASH] = PAWL_MIB(8)};

static pawl_status check_memory(const struct local_request *made, pawl_error **err) {
    uint64_t given = made->limits.memory_bytes, floor = memory_floors[made->language];
    if (given >= floor)
        return PAWL_OK;
    return pawl_error_set(
        err, PAWL_E_INVALID,
        "limits.memory_bytes is %llu; a %s program needs %llu at least (%llu MiB): raise it, or leave "
        "it out for the default",
        (unsigned long long)given, pawl_language_name(made->language), (unsigned long long)floor,
        (unsigned long long)(floor >> 20));
}

/* ---- making ---- */

/* The kernel counts CPU time in whole seconds, from one up; the result is to tell what was kept. */
static uint64_t whole_seconds(uint64_t ns) {
    const uint64_t second = PAWL_S(1);
    if (ns > PAWL_UNLIMITED - second)
        return ns;
    return ns == 0 ? second : (ns + second - 1) / second * second;
}

static void set_limits(struct local_request *made, bool require_all) {
    pawl_execution_limits *limits = &made->limits;
    limits->cpu_ns = whole_seconds(limits->cpu_ns);
    bool heap = made->language == PAWL_LANGUAGE_JAVASCRIPT; /* V8 reserves far more address space than it uses */
    made->helper.timeout_ns = limits->wall_ns;
    made->helper.limits = (struct pawl_wire_limits){
        .address_space_bytes = heap ? PAWL_UNBOUNDED : limits->memory_bytes,
        .cpu_ns = limits->cpu_ns,
        .file_bytes = limits->file_bytes,
        .stack_bytes = STACK_BYTES,
        .open_files = limits->open_files,
        .processes = limits->processes,
        .scratch_bytes = limits->work_bytes,
        .scratch_inodes = limits->work_files,
        .collect_file_bytes = limits->collect_bytes,
        .collect_total_bytes = limits->collect_bytes,
        .allow_missing = require_all ? 0 : PAWL_OPTIONAL_MECHANISMS,
    };
    if (heap && limits->memory_bytes != PAWL_UNLIMITED)
        snprintf(made->heap_option, sizeof made->heap_option, "--max-old-space-size=%llu",
                 (unsigned long long)(limits->memory_bytes >> 20 ? limits->memory_bytes >> 20 : 1));
}

/*
 * Python: output as it comes (-u: a killed program's last words are not lost), UTF-8 whatever the locale, no caches
 * beside the sources, no packages of a user that does not exist.
 */
static size_t put_interpreter(const struct local_request *made, const char **list) {
    static const char *const python[] = {"-u", "-B", "-s", "-X", "utf8"};
    size_t count = 0;
    list[count++] = made->helper.exec; /* whole: Python finds its library and environment by it */
    for (size_t i = 0; made->language == PAWL_LANGUAGE_PYTHON && i < sizeof python / sizeof python[0]; i++)
        list[count++] = python[i];
    if (made->heap_option[0])
        list[count++] = made->heap_option;
    list[count++] = made->main_path;
    return count;
}

static const char **put_list(const char **list, const char *const *items, uint64_t count) {
    for (uint64_t i = 0; i < count; i++)
        *list++ = items[i];
    *list++ = NULL;
    return list;
}

static void set_lists(struct local_request *made, const pawl_execution_request *request,
                      const pawl_interpreter *interpreter) {
    const char **next = made->lists;
    made->helper.exec = interpreter->exec;
    made->helper.argv = next;
    next += put_interpreter(made, next);
    next = put_list(next, request->args, request->arg_count);
    made->helper.env = next;
    next = put_list(next, request->env, request->env_count);
    made->helper.collect = next;
    next = put_list(next, request->collect, request->collect_count);
    made->helper.binds = next;
    put_list(next, (const char *const *)interpreter->binds, interpreter->bind_count);
}

static void set_files(struct local_request *made, const pawl_execution_request *request) {
    made->files[0] = (struct pawl_helper_file){.path = main_names[made->language],
                                               .folder = PAWL_FOLDER_WORK,
                                               .mode = 0644,
                                               .bytes = request->code,
                                               .length = request->code_length};
    for (uint64_t i = 0; i < request->file_count; i++) {
        const pawl_execution_file *file = &request->files[i];
        made->files[i + 1] = (struct pawl_helper_file){.path = file->path,
                                                       .folder = PAWL_FOLDER_WORK,
                                                       .mode = file->mode ? (uint32_t)file->mode : 0644,
                                                       .bytes = file->bytes,
                                                       .length = file->length};
    }
    made->helper.files = made->files;
    made->helper.file_count = (size_t)request->file_count + 1;
}

static pawl_status fill(struct local_request *made, const pawl_execution_request *request,
                        const pawl_interpreter *interpreter, pawl_error **err) {
    size_t strings = (size_t)(request->arg_count + request->env_count + request->collect_count) + 32;
    made->lists = calloc(strings, sizeof *made->lists);
    made->files = calloc((size_t)request->file_count + 1, sizeof *made->files);
    if (!made->lists || !made->files) {
        pawl_local_request_finish(made);
        return pawl_error_set(err, PAWL_E_NOMEM, "out of memory for a request");
    }
    snprintf(made->main_path, sizeof made->main_path, WORK_FOLDER "%s", main_names[made->language]);
    set_lists(made, request, interpreter);
    set_files(made, request);
    made->helper.cwd = request->working_directory;
    made->helper.stdin_bytes = request->stdin_bytes;
    made->helper.stdin_length = (size_t)request->stdin_length;
    return PAWL_OK;
}

pawl_status pawl_local_request_make(struct local *local, const pawl_execution_request *request,
                                    struct local_request *made, pawl_error **err) {
    const pawl_interpreter *interpreter;
    memset(made, 0, sizeof *made);
    pawl_status status = check(request, &made->language, err);
    if (status == PAWL_OK)
        status = pawl_limits_resolve(request->limits, &local->limits, "local sandbox", &made->limits, err);
    if (status == PAWL_OK)
        status = check_memory(made, err);
    if (status == PAWL_OK)
        status = pawl_local_interpreter(local, made->language, &interpreter, err);
    if (status != PAWL_OK)
        return status;
    set_limits(made, local->require_all);
    return fill(made, request, interpreter, err);
}

void pawl_local_request_finish(struct local_request *request) {
    free(request->lists);
    free(request->files);
    memset(request, 0, sizeof *request);
}
