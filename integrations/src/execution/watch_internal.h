/* Who hears of every code execution of a runtime: audit, usage, health.
 *
 * This is not the observer, for three reasons: a watcher is told whatever a sampler decides, it sees the request and
 * the result themselves and not what was put on a span, and it may refuse. It hangs where every execution passes, in
 * pawl_sandbox_run_once() and pawl_sandbox_run_code(), so that one without a node is not missed. */
#ifndef PAWL_EXECUTION_WATCH_H
#define PAWL_EXECUTION_WATCH_H

#include <pawl/integrations/sandbox.h>

#include "attachment_internal.h"

/* Everything is borrowed. */
struct pawl_execution {
    pawl_context *ctx;
    const char *node; /* "" outside a code-execution node */
    const char *provider;
    const pawl_execution_request *request; /* of this library's size */
    uint64_t start_ns;
    uint64_t id; /* random */
};

struct pawl_execution_watcher {
    struct pawl_attachment attachment; /* first; key and next are set by pawl_execution_watch() */
    /* On the thread of the execution, several at once; each begin is followed by its end. Either may be NULL. A status
     * other than PAWL_OK refuses: nothing is started, and that is what the caller gets. */
    pawl_status (*begin)(struct pawl_execution_watcher *self, const struct pawl_execution *execution, pawl_error **err);
    /* result is NULL when there is none, because of status and error (which may be NULL). */
    void (*end)(struct pawl_execution_watcher *self, const struct pawl_execution *execution, pawl_status status,
                const pawl_execution_result *result, const pawl_error *error);
};

/* Takes the watcher until the runtime's memory goes. */
void pawl_execution_watch(pawl_runtime *runtime, struct pawl_execution_watcher *watcher);

/* The first for NULL; NULL: no more. */
struct pawl_execution_watcher *pawl_execution_next_watcher(const pawl_runtime *runtime,
                                                           const struct pawl_execution_watcher *after);

/* pawl_sandbox_run_once() of a node. */
pawl_status pawl_execution_run_once(pawl_sandbox_provider *provider, pawl_context *ctx, const char *node,
                                    const pawl_execution_request *request, pawl_execution_result **ret_result,
                                    pawl_error **err);

/* ---- for sandbox.c ---- */

/* The execution itself. */
typedef pawl_status (*pawl_execution_fn)(void *what, pawl_context *ctx, const pawl_execution_request *request,
                                         pawl_execution_result **ret_result, pawl_error **err);
/* Calls run(what, ...) between the watchers' begin and end. */
pawl_status pawl_execution_watched(pawl_execution_fn run, void *what, const struct pawl_execution *execution,
                                   pawl_execution_result **ret_result, pawl_error **err);

/* Whether the program began to run, or may have. */
bool pawl_execution_may_have_run(pawl_status status, const pawl_execution_result *result, const pawl_error *error);
/* The outcome's word, of an execution without a result the status's. Static. */
const char *pawl_execution_ending_word(pawl_status status, const pawl_execution_result *result);

#endif
