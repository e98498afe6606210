/* Local sandboxes as objects: made, found again, listed, killed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "helper_parts.h"
#include "local_parts.h"
#include "options_internal.h"

/* ---- the provider's list ---- */

static void link_sandbox(struct local_sandbox *sandbox) {
    struct local *local = sandbox->local;
    pthread_mutex_lock(&local->lock);
    sandbox->next = local->sandboxes;
    if (sandbox->next)
        sandbox->next->prev = sandbox;
    local->sandboxes = sandbox;
    pthread_mutex_unlock(&local->lock);
}

static void unlink_sandbox(struct local_sandbox *sandbox) {
    struct local *local = sandbox->local;
    pthread_mutex_lock(&local->lock);
    if (sandbox->prev)
        sandbox->prev->next = sandbox->next;
    else if (local->sandboxes == sandbox)
        local->sandboxes = sandbox->next;
    if (sandbox->next)
        sandbox->next->prev = sandbox->prev;
    pthread_mutex_unlock(&local->lock);
}

/* ---- the sandbox's own slots ---- */

static pawl_status run_code(void *self, pawl_context *ctx, const pawl_execution_request *request,
                            pawl_execution_result **ret_result, pawl_error **err) {
    struct local_sandbox *sandbox = self;
    if (atomic_load(&sandbox->killed))
        return pawl_error_set(err, PAWL_E_NOT_FOUND, "sandbox %s was ended; create another", sandbox->id);
    if (atomic_exchange(&sandbox->used, true))
        return pawl_error_set(err, PAWL_E_UNSUPPORTED,
                              "sandbox %s has run its program: a local sandbox runs one; create another", sandbox->id);
    atomic_store(&sandbox->running, true);
    pawl_status status = pawl_local_run(sandbox, ctx, request, ret_result, err);
    atomic_store(&sandbox->running, false);
    return status;
}

static void wake(struct local_sandbox *sandbox) {
    uint64_t one = 1;
    ssize_t wrote = write(sandbox->cancel_fd, &one, sizeof one); /* never full: at most one for each reason */
    (void)wrote;
}

static pawl_status kill_sandbox(void *self, pawl_context *ctx, pawl_error **err) {
    struct local_sandbox *sandbox = self;
    (void)ctx, (void)err;
    if (!atomic_exchange(&sandbox->killed, true))
        wake(sandbox);
    return PAWL_OK;
}

static void destroy(void *self) {
    struct local_sandbox *sandbox = self;
    unlink_sandbox(sandbox);
    close(sandbox->cancel_fd);
    pawl_local_unref(sandbox->local);
    free(sandbox);
}

static const pawl_sandbox_vtable vtable = {
    .size = sizeof vtable, .run_code = run_code, .kill = kill_sandbox, .destroy = destroy};

/* ---- the provider's slots ---- */

static struct local_sandbox *make(struct local *local, pawl_context *ctx) {
    struct local_sandbox *sandbox = calloc(1, sizeof *sandbox);
    if (!sandbox)
        return NULL;
    sandbox->cancel_fd = pawl_helper_high_fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (sandbox->cancel_fd < 0) {
        free(sandbox);
        return NULL;
    }
    sandbox->local = pawl_local_ref(local);
    sandbox->made_ns = pawl_helper_now_ns();
    snprintf(sandbox->id, sizeof sandbox->id, "local-%016llx", (unsigned long long)pawl_context_random(ctx));
    return sandbox;
}

pawl_status pawl_local_sandbox_create(void *self, pawl_context *ctx, const pawl_sandbox_options *given,
                                      pawl_sandbox **ret_sandbox, pawl_error **err) {
    pawl_sandbox_options options;
    pawl_status status = pawl_options_copy(&options, sizeof options, given, "local sandbox", err);
    if (status == PAWL_OK)
        status = pawl_context_check(ctx, err);
    if (status != PAWL_OK)
        return status;
    struct local_sandbox *sandbox = make(self, ctx);
    if (!sandbox)
        return pawl_error_set(err, PAWL_E_UNAVAILABLE,
                              "no memory or descriptor for a sandbox; free some or raise the limit on open files");
    pawl_sandbox *handle = pawl_sandbox_new(&vtable, sandbox, sandbox->id);
    if (!handle)
        return pawl_error_set(err, PAWL_E_NOMEM, "out of memory for a sandbox");
    sandbox->handle = handle;
    link_sandbox(sandbox);
    *ret_sandbox = handle;
    return PAWL_OK;
}

pawl_status pawl_local_sandbox_connect(void *self, pawl_context *ctx, const char *id, pawl_sandbox **ret_sandbox,
                                       pawl_error **err) {
    struct local *local = self;
    bool found = false;
    (void)ctx;
    pthread_mutex_lock(&local->lock);
    for (struct local_sandbox *s = local->sandboxes; s && !found; s = s->next)
        if (strcmp(s->id, id) == 0 && !atomic_load(&s->killed) && pawl_sandbox_try_ref(s->handle)) {
            *ret_sandbox = s->handle;
            found = true;
        }
    pthread_mutex_unlock(&local->lock);
    if (found)
        return PAWL_OK;
    return pawl_error_set(err, PAWL_E_NOT_FOUND, "there is no sandbox '%.64s' here; create one", id);
}

pawl_status pawl_local_sandbox_list(void *self, pawl_context *ctx, pawl_sandbox_visit visit, void *user,
                                    pawl_error **err) {
    struct local *local = self;
    uint64_t now = pawl_helper_now_ns();
    bool more = true;
    (void)ctx, (void)err;
    pthread_mutex_lock(&local->lock);
    for (struct local_sandbox *s = local->sandboxes; s && more; s = s->next) {
        pawl_sandbox_info info = {.size = sizeof info, .id = s->id, .age_ns = now - s->made_ns};
        info.running = atomic_load(&s->running);
        if (!atomic_load(&s->killed))
            more = visit(user, &info);
    }
    pthread_mutex_unlock(&local->lock);
    return PAWL_OK;
}

pawl_status pawl_local_sandbox_kill_id(void *self, pawl_context *ctx, const char *id, pawl_error **err) {
    pawl_sandbox *sandbox = NULL;
    pawl_status status = pawl_local_sandbox_connect(self, ctx, id, &sandbox, err);
    if (status == PAWL_OK)
        status = pawl_sandbox_kill(sandbox, ctx, err);
    pawl_sandbox_unref(sandbox);
    return status;
}
