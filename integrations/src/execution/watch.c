/* Tells watchers of an execution. Without any it costs a look. */
#include "watch_internal.h"
#include "options_internal.h"
#include <pawl/context.h>

static const char key = 0; /* its address */

void pawl_execution_watch(pawl_runtime *runtime, struct pawl_execution_watcher *watcher) {
    watcher->attachment.key = &key;
    pawl_runtime_add_attachment(runtime, &watcher->attachment);
}

struct pawl_execution_watcher *pawl_execution_next_watcher(const pawl_runtime *runtime,
                                                           const struct pawl_execution_watcher *after) {
    return (struct pawl_execution_watcher *)(void *)pawl_runtime_next_attachment(runtime, &key,
                                                                                 after ? &after->attachment : NULL);
}

static struct pawl_execution_watcher *next(const struct pawl_execution *execution,
                                           const struct pawl_execution_watcher *after) {
    return pawl_execution_next_watcher(pawl_context_runtime(execution->ctx), after);
}

/* All are asked, also behind one that refused, so that each hears of what was refused. */
static pawl_status begin(const struct pawl_execution *execution, struct pawl_execution_watcher *first,
                         pawl_error **err) {
    pawl_status status = PAWL_OK;
    for (struct pawl_execution_watcher *at = first; at; at = next(execution, at)) {
        pawl_status one = at->begin ? at->begin(at, execution, status == PAWL_OK ? err : NULL) : PAWL_OK;
        status = status == PAWL_OK ? one : status;
    }
    return status;
}

static void end(const struct pawl_execution *execution, struct pawl_execution_watcher *first, pawl_status status,
                const pawl_execution_result *result, const pawl_error *error) {
    for (struct pawl_execution_watcher *at = first; at; at = next(execution, at))
        if (at->end)
            at->end(at, execution, status, result, error);
}

pawl_status pawl_execution_watched(pawl_execution_fn run, void *what, const struct pawl_execution *given,
                                   pawl_execution_result **ret_result, pawl_error **err) {
    struct pawl_execution execution = *given;
    pawl_execution_request request;
    pawl_error *error = NULL;
    struct pawl_execution_watcher *first = next(&execution, NULL);
    if (!first || pawl_options_copy(&request, sizeof request, given->request, "", NULL) != PAWL_OK)
        return run(what, given->ctx, given->request, ret_result, err); /* a bad request is for the provider to refuse */
    execution.request = &request;
    execution.start_ns = pawl_context_now(execution.ctx);
    execution.id = pawl_context_random(execution.ctx);
    pawl_execution_result *result = NULL;
    pawl_status status = begin(&execution, first, &error);
    if (status == PAWL_OK)
        status = run(what, given->ctx, given->request, &result, &error);
    end(&execution, first, status, result, error);
    if (status == PAWL_OK)
        *ret_result = result;
    if (status != PAWL_OK && err)
        *err = error;
    else
        pawl_error_unref(error);
    return status;
}

/* Where an error does not say, its status does: these are said before anything starts. */
static bool is_refusal(pawl_status status) {
    switch (status) {
    case PAWL_E_REJECTED:
    case PAWL_E_DENIED:
    case PAWL_E_INVALID:
    case PAWL_E_NOT_FOUND:
    case PAWL_E_LIMIT:
    case PAWL_E_UNSUPPORTED:
    case PAWL_E_CANCELLED:
    case PAWL_E_DEADLINE:
        return true;
    default:
        return false;
    }
}

bool pawl_execution_may_have_run(pawl_status status, const pawl_execution_result *result, const pawl_error *error) {
    if (result)
        return result->started != 0;
    pawl_started started = pawl_error_started(error);
    return started == PAWL_STARTED_YES || (started == PAWL_STARTED_MAYBE && !is_refusal(status));
}

const char *pawl_execution_ending_word(pawl_status status, const pawl_execution_result *result) {
    return result ? pawl_execution_outcome_word((pawl_execution_outcome)result->outcome) : pawl_status_word(status);
}
