/* Outcomes: how a node ended. A failure stays a handful of words until somebody wants to read it. */
#include "engine_internal.h"
#include "error_internal.h"
#include <stdio.h>
#include <string.h>

#define PATH_BYTES 512
#define PATH_NODES 64

void pawl_outcome_release(struct pawl_outcome *outcome) {
    if (outcome->status == PAWL_OK) {
        if (outcome->owned)
            pawl_value_unref(outcome->value);
    } else if (outcome->error) {
        pawl_error_unref(outcome->error);
    }
    outcome->owned = false;
    outcome->value = NULL;
    outcome->error = NULL;
}

void pawl_outcome_fail(struct pawl_outcome *outcome, const pawl_primitive *node, pawl_status status, const char *what) {
    outcome->status = status;
    outcome->owned = false;
    outcome->failure_class = outcome->started = outcome->reason = 0;
    outcome->value = NULL;
    outcome->error = NULL;
    outcome->what = what;
    outcome->amount = outcome->retry_after_ns = outcome->limit_ns = 0;
    outcome->path_length = 1;
    outcome->path[0] = node;
}

/* The rule of pawl_error_set(): what is no failure is an error in the program. */
void pawl_outcome_check_status(struct pawl_outcome *outcome) {
    if (likely(outcome->status > PAWL_OK && outcome->status <= PAWL_E_INTERNAL))
        return;
    outcome->amount = (uint64_t)(int64_t)(int)outcome->status;
    outcome->status = PAWL_E_INTERNAL;
    outcome->what = "failed with the status %d, which is none of pawl_status; return one of those";
}

void pawl_outcome_fail_over(struct pawl_outcome *outcome, const pawl_primitive *node, const pawl_context *ctx,
                            pawl_cancel_reason reason, pawl_error *cause) {
    if (reason == PAWL_CANCEL_DEADLINE) {
        pawl_outcome_fail(outcome, node, PAWL_E_DEADLINE,
                          "the deadline passed before it ended; give the run more time or the work less");
        outcome->limit_ns = ctx->deadline_ns;
    } else {
        pawl_outcome_fail(outcome, node, PAWL_E_CANCELLED, NULL);
    }
    outcome->reason = (uint8_t)reason;
    const char *text = reason == PAWL_CANCEL_DEADLINE ? NULL : pawl_scope_cancel_text(ctx);
    if (!text && !cause)
        return;
    pawl_error_info info = {.size = sizeof info, .status = outcome->status, .reason = reason, .cause = cause};
    char message[256];
    snprintf(message, sizeof message, "cancelled (%s)%s%s", pawl_cancel_reason_word(reason), text ? ": " : "",
             text ? text : "");
    outcome->error = pawl_error_make(&info, NULL, outcome->what ? outcome->what : message);
}

/* Names from the root down: the frames that still stand, then those that the failure has passed. */
static void write_path(const struct pawl_outcome *outcome, char *text) {
    const char *names[PATH_NODES];
    size_t count = 0, used = 0;
    for (uint32_t i = 0; i < outcome->path_length; i++)
        names[count++] = outcome->path[i]->name;
    for (const pawl_frame *f = outcome->at; f && count < PATH_NODES; f = f->parent)
        names[count++] = f->node->name;
    while (count > 0 && used < PATH_BYTES - 2) {
        const char *name = names[--count];
        size_t room = PATH_BYTES - 2 - used, length = strnlen(name, room);
        if (used > 0)
            text[used++] = '/';
        memcpy(text + used, name, length);
        used += length;
    }
    text[used] = '\0';
}

static void write_duration(char *text, size_t size, uint64_t ns) {
    if (ns == PAWL_NEVER)
        snprintf(text, size, "no limit");
    else if (ns >= PAWL_S(1))
        snprintf(text, size, "%.4g s", (double)ns / 1e9);
    else if (ns >= PAWL_MS(1))
        snprintf(text, size, "%.4g ms", (double)ns / 1e6);
    else
        snprintf(text, size, "%.4g us", (double)ns / 1e3);
}

static void write_what(const struct pawl_outcome *outcome, char *text, size_t size) {
    const char *what = outcome->what ? outcome->what : outcome->status == PAWL_E_CANCELLED ? "cancelled" : "failed";
    const char *mark = strstr(what, "%d"), *time = strstr(what, "%t");
    char amount[32];
    if (time)
        write_duration(amount, sizeof amount, outcome->amount);
    else
        snprintf(amount, sizeof amount, "%lld", (long long)outcome->amount); /* -1 is a favourite status */
    mark = time ? time : mark;
    if (mark)
        snprintf(text, size, "%.*s%s%s", (int)(mark - what), what, amount, mark + 2);
    else if (outcome->status == PAWL_E_CANCELLED)
        snprintf(text, size, "%s (%s)", what, pawl_cancel_reason_word((pawl_cancel_reason)outcome->reason));
    else
        snprintf(text, size, "%s", what);
}

static pawl_error *describe(const struct pawl_outcome *outcome, const char *path, pawl_error *cause) {
    char text[512], message[768];
    const pawl_primitive *node = outcome->path_length ? outcome->path[0] : NULL;
    write_what(outcome, text, sizeof text);
    snprintf(message, sizeof message, "%s '%s': %s", node ? node->type : "node", node ? node->name : "", text);
    pawl_error_info info = {.size = sizeof info,
                            .status = outcome->status,
                            .failure_class = (pawl_class)outcome->failure_class,
                            .started = (pawl_started)outcome->started,
                            .reason = (pawl_cancel_reason)outcome->reason,
                            .retry_after_ns = outcome->retry_after_ns,
                            .cause = cause};
    return pawl_error_make(&info, path, message);
}

void pawl_outcome_set_cause(struct pawl_outcome *outcome, pawl_error *cause) {
    outcome->error = describe(outcome, NULL, cause);
}

/* The outcome's error, made now if it was not. Borrowed. */
static pawl_error *need_error(struct pawl_outcome *outcome) {
    if (outcome->status == PAWL_OK)
        return NULL;
    char path[PATH_BYTES];
    write_path(outcome, path);
    if (outcome->error)
        outcome->error = pawl_error_with_path(outcome->error, path);
    else
        outcome->error = describe(outcome, path, NULL);
    return outcome->error;
}

/* A path too long to be remembered is written at once, while the frames around still stand. */
void pawl_outcome_passed(struct pawl_outcome *outcome, const pawl_primitive *node) {
    if (outcome->path_length < OUTCOME_PATH)
        outcome->path[outcome->path_length++] = node;
    else
        need_error(outcome);
}

pawl_status(pawl_outcome_status)(const pawl_outcome *outcome) {
    return outcome->status;
}

pawl_value *(pawl_outcome_value)(const pawl_outcome *outcome) {
    return outcome->status == PAWL_OK ? outcome->value : NULL;
}

const pawl_error *pawl_outcome_error(const pawl_outcome *outcome) {
    return need_error((struct pawl_outcome *)outcome);
}

pawl_class pawl_outcome_class(const pawl_outcome *outcome) {
    if (outcome->status == PAWL_OK)
        return PAWL_CLASS_DEFAULT;
    if (outcome->error)
        return pawl_error_class(outcome->error);
    return pawl_failure_class(outcome->status, (pawl_class)outcome->failure_class, (pawl_started)outcome->started);
}

uint64_t pawl_outcome_retry_after_ns(const pawl_outcome *outcome) {
    if (outcome->status == PAWL_OK)
        return 0;
    return outcome->error ? pawl_error_retry_after_ns(outcome->error) : outcome->retry_after_ns;
}

bool pawl_outcome_is_retryable(const pawl_outcome *outcome) {
    if (outcome->status == PAWL_OK)
        return false;
    if (outcome->error)
        return pawl_error_is_retryable(outcome->error);
    return pawl_failure_is_retryable(outcome->status, (pawl_class)outcome->failure_class,
                                     (pawl_started)outcome->started);
}

pawl_value *pawl_outcome_take_value(pawl_outcome *outcome) {
    if (outcome->status != PAWL_OK)
        return NULL;
    pawl_value *value = outcome->owned ? outcome->value : pawl_value_ref(outcome->value);
    outcome->owned = false;
    return value;
}

pawl_error *pawl_outcome_take_error(pawl_outcome *outcome) {
    pawl_error *error = need_error(outcome);
    outcome->error = pawl_error_ref(error);
    return error;
}
