/* The command generator: a leaf, and the processes that wait for its next request. */
#include "command_internal.h"
#include "options_internal.h"
#include "primitive_internal.h"
#include "utf8_internal.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define PROTOCOL_VERSION 1
#define DEFAULT_TIMEOUT_NS PAWL_MIN(2)
#define DEFAULT_LINE_BYTES PAWL_MIB(16)
#define MOST_LINE_BYTES PAWL_MIB(1024)
#define DEFAULT_PROCESSES 8
#define MOST_PROCESSES 1024
#define GRACE_MS 100
#define SHOWN_BYTES 80

struct command {
    pawl_command_generator_options options; /* argv and env are own copies */
    pthread_mutex_t lock;
    struct command_process *idle; /* guarded, as is the next */
    uint64_t count;               /* processes, idle ones included */
};

/* ---- the processes ---- */

/* NULL with *ret_may_start: the caller is to start one, which is counted already. */
static struct command_process *take_idle(struct command *command, bool *ret_may_start) {
    pthread_mutex_lock(&command->lock);
    struct command_process *process = command->idle;
    *ret_may_start = !process && command->count < command->options.max_processes;
    if (process)
        command->idle = process->next;
    else if (*ret_may_start)
        command->count++;
    pthread_mutex_unlock(&command->lock);
    return process;
}

static void give_back(struct command *command, struct command_process *process) {
    pthread_mutex_lock(&command->lock);
    process->next = command->idle;
    command->idle = process;
    pthread_mutex_unlock(&command->lock);
}

static void count_down(struct command *command) {
    pthread_mutex_lock(&command->lock);
    command->count--;
    pthread_mutex_unlock(&command->lock);
}

static struct command_process *start(struct command *command, pawl_error **err) {
    struct command_process *process = pawl_command_start(&command->options, err);
    if (!process)
        count_down(command);
    return process;
}

static struct command_process *check_out(struct command *command, pawl_error **err) {
    bool may_start;
    struct command_process *process = take_idle(command, &may_start);
    if (process || may_start)
        return process ? process : start(command, err);
    pawl_error_set(err, PAWL_E_REJECTED, "command '%s': all %llu processes are busy; raise max_processes",
                   command->options.argv[0], (unsigned long long)command->options.max_processes);
    return NULL;
}

static int end(struct command *command, struct command_process *process, int grace_ms) {
    count_down(command);
    return pawl_command_end(process, grace_ms);
}

/* ---- what went wrong ---- */

/* A shell's words for a command that is not there, or is none, and will not be there the next time either. */
static pawl_status status_of_exit(int status) {
    int code = status != -1 && WIFEXITED(status) ? WEXITSTATUS(status) : 0;
    return code == 127 ? PAWL_E_NOT_FOUND : code == 126 ? PAWL_E_DENIED : PAWL_E_UNAVAILABLE;
}

static pawl_status tell_exit(struct command *command, struct command_process *process, pawl_error **err) {
    char last[COMMAND_LAST_LINE * 3], how[64] = "";
    pawl_utf8_lossy_into(process->last_stderr, process->last_used, last, sizeof last);
    int status = end(command, process, GRACE_MS);
    if (status != -1 && WIFEXITED(status))
        snprintf(how, sizeof how, " with status %d", WEXITSTATUS(status));
    else if (status != -1 && WIFSIGNALED(status))
        snprintf(how, sizeof how, " by signal %d", WTERMSIG(status));
    return pawl_error_set(err, status_of_exit(status), "command '%s' ended%s without an answer%s%s",
                          command->options.argv[0], how, last[0] ? "; its last words: " : "", last);
}

static pawl_status tell_protocol(struct command *command, struct command_process *process, enum command_end how,
                                 pawl_error **err) {
    end(command, process, 0);
    if (how == COMMAND_TALKATIVE)
        return pawl_error_set(err, PAWL_E_PROTOCOL,
                              "command '%s' wrote a line that nobody asked for; answer each request with one line",
                              command->options.argv[0]);
    return pawl_error_set(err, PAWL_E_LIMIT, "command '%s': its answer is longer than %llu bytes; raise max_line_bytes",
                          command->options.argv[0], (unsigned long long)command->options.max_line_bytes);
}

static pawl_status tell_nonsense(const struct command *command, const struct command_process *process,
                                 pawl_error *cause, pawl_error **err) {
    char shown[SHOWN_BYTES * 3 + 1];
    size_t length = process->used < SHOWN_BYTES ? process->used : SHOWN_BYTES;
    if (pawl_error_status(cause) == PAWL_E_NOMEM) {
        *err = cause;
        return PAWL_E_NOMEM;
    }
    pawl_utf8_lossy_into(process->line, length, shown, sizeof shown);
    return pawl_error_wrap(err, PAWL_E_PROTOCOL, cause, "command '%s' answered with no JSON: '%s'",
                           command->options.argv[0], shown);
}

/* ---- one request ---- */

static pawl_status read_answer(struct command *command, struct command_process *process, pawl_value **ret_out,
                               pawl_error **err) {
    pawl_parse_limits limits = {.size = sizeof limits, .max_bytes = command->options.max_line_bytes};
    pawl_error *cause = NULL;
    pawl_status status = pawl_value_parse(process->line, process->used, &limits, ret_out, &cause);
    if (status != PAWL_OK) {
        status = tell_nonsense(command, process, cause, err);
        end(command, process, 0);
    } else if (pawl_command_is_reusable(process)) {
        process->used = 0;
        give_back(command, process);
    } else {
        end(command, process, GRACE_MS);
    }
    return status;
}

static pawl_status ask(struct command *command, pawl_context *ctx, const char *request, size_t length,
                       pawl_value **ret_out, pawl_error **err) {
    for (;;) {
        struct command_process *process = check_out(command, err);
        if (!process)
            return err ? pawl_error_status(*err) : PAWL_E_UNAVAILABLE;
        bool is_fresh = !process->has_answered;
        enum command_end how = pawl_command_exchange(process, &command->options, ctx, request, length, err);
        switch (how) {
        case COMMAND_ANSWERED:
            return read_answer(command, process, ret_out, err);
        case COMMAND_EXITED:
            if (is_fresh)
                return tell_exit(command, process, err);
            end(command, process, 0); /* it ended after an earlier answer, as it may: ask a new one */
            continue;
        case COMMAND_FAILED:
            end(command, process, 0);
            return pawl_error_status(*err);
        default:
            return tell_protocol(command, process, how, err);
        }
    }
}

/* The input's line, with the version in front. NULL without memory. */
static char *make_request(const pawl_value *in, size_t *ret_length) {
    char *json = pawl_value_print(in), *request = NULL;
    if (!json)
        return NULL;
    bool is_object = json[0] == '{', is_empty = is_object && json[1] == '}';
    int length = asprintf(&request, is_object ? "{\"version\":%d%s%s\n" : "{\"version\":%d%s\"input\":%s}\n",
                          PROTOCOL_VERSION, is_empty ? "" : ",", is_object ? json + 1 : json);
    free(json);
    *ret_length = length < 0 ? 0 : (size_t)length;
    return length < 0 ? NULL : request;
}

static pawl_status generate(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    struct command *command = user;
    size_t length;
    char *request = make_request(in, &length);
    if (!request)
        return pawl_error_set(err, PAWL_E_NOMEM, "command '%s': out of memory", command->options.argv[0]);
    pawl_error *error = NULL;
    pawl_status status = ask(command, ctx, request, length, ret_out, &error);
    free(request);
    *err = error;
    return status;
}

/* ---- making ---- */

static void free_list(const char *const *list) {
    for (size_t i = 0; list && list[i]; i++)
        free((char *)list[i]);
    free((void *)list);
}

/* NULL without memory, and for NULL. */
static const char *const *copy_list(const char *const *list) {
    size_t count = 0;
    while (list && list[count])
        count++;
    char **copy = list ? calloc(count + 1, sizeof *copy) : NULL;
    for (size_t i = 0; copy && i < count; i++) {
        copy[i] = strdup(list[i]);
        if (!copy[i]) {
            free_list((const char *const *)copy);
            return NULL;
        }
    }
    return (const char *const *)copy;
}

static void destroy(void *user) {
    struct command *command = user;
    while (command->idle) {
        struct command_process *process = command->idle;
        command->idle = process->next;
        pawl_command_end(process, GRACE_MS);
    }
    pthread_mutex_destroy(&command->lock);
    free_list(command->options.argv);
    free_list(command->options.env);
    free(command);
}

static void set_defaults(pawl_command_generator_options *o) {
    o->timeout_ns = pawl_option(o->timeout_ns, DEFAULT_TIMEOUT_NS);
    o->max_line_bytes = pawl_option(o->max_line_bytes, DEFAULT_LINE_BYTES);
    o->max_processes = pawl_option(o->max_processes, DEFAULT_PROCESSES);
}

static pawl_status check(const pawl_command_generator_options *o, const char *name, pawl_error **err) {
    if (!o->argv || !o->argv[0] || !o->argv[0][0])
        return pawl_error_set(err, PAWL_E_INVALID, "command '%s': argv is required; give a program and its arguments",
                              name);
    if (o->max_line_bytes < 2 || o->max_line_bytes > MOST_LINE_BYTES)
        return pawl_error_set(err, PAWL_E_INVALID, "command '%s': max_line_bytes is %llu; set 2 to %llu", name,
                              (unsigned long long)o->max_line_bytes, (unsigned long long)MOST_LINE_BYTES);
    if (o->max_processes < 1 || o->max_processes > MOST_PROCESSES)
        return pawl_error_set(err, PAWL_E_INVALID, "command '%s': max_processes is %llu; set 1 to %d", name,
                              (unsigned long long)o->max_processes, MOST_PROCESSES);
    return PAWL_OK;
}

static void copy_options(struct command *command, const char *name, const pawl_command_generator_options *options,
                         pawl_error **err) {
    pawl_command_generator_options *o = &command->options;
    pawl_status status = pawl_options_copy(o, sizeof *o, options, "command", err);
    const char *const *argv = o->argv, *const *env = o->env;
    set_defaults(o);
    if (status == PAWL_OK)
        status = check(o, name, err);
    o->argv = status == PAWL_OK ? copy_list(argv) : NULL;
    o->env = status == PAWL_OK ? copy_list(env) : NULL;
    if (status == PAWL_OK && (!o->argv || (env && !o->env)))
        pawl_error_set(err, PAWL_E_NOMEM, "command '%s': out of memory", name);
}

pawl_primitive *pawl_command_generator_new(const char *name, const pawl_command_generator_options *options) {
    struct leaf_spec spec = {.kind = NODE_BLOCKING, .name = name, .type = "command", .fn = generate};
    struct command *command = calloc(1, sizeof *command);
    if (!command || pthread_mutex_init(&command->lock, NULL) != 0) {
        free(command);
        pawl_error_set(&spec.failure, PAWL_E_NOMEM, "command '%s': out of memory", name ? name : "");
        return pawl_leaf_new(&spec);
    }
    spec.user = command;
    spec.user_destroy = destroy;
    copy_options(command, name ? name : "", options, &spec.failure);
    return pawl_leaf_new(&spec);
}
