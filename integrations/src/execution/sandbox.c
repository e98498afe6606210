/* Handles over a provider's vtables: counting, slots that are missing, and arguments that are. */
#include <pawl/integrations/sandbox.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "sandbox_internal.h"
#include "watch_internal.h"

struct pawl_sandbox {
    const pawl_sandbox_vtable *vtable;
    void *self;
    _Atomic(const char *) provider; /* type; NULL: made by none */
    atomic_uint refs;
    char id[];
};

struct pawl_sandbox_provider {
    const pawl_sandbox_provider_vtable *vtable;
    void *self;
    atomic_uint refs;
};

/* A vtable of an older provider ends before newer slots. */
#define HAS(vtable, slot) (offsetof(__typeof__(*(vtable)), slot) < (vtable)->size && (vtable)->slot)

/* ---- sandbox ---- */

pawl_sandbox *pawl_sandbox_new(const pawl_sandbox_vtable *vtable, void *self, const char *id) {
    size_t length = strlen(id) + 1;
    pawl_sandbox *sandbox = malloc(sizeof *sandbox + length);
    if (!sandbox) {
        vtable->destroy(self);
        return NULL;
    }
    sandbox->vtable = vtable;
    sandbox->self = self;
    atomic_init(&sandbox->provider, NULL);
    atomic_init(&sandbox->refs, 1);
    memcpy(sandbox->id, id, length);
    return sandbox;
}

pawl_sandbox *pawl_sandbox_ref(pawl_sandbox *sandbox) {
    if (sandbox)
        atomic_fetch_add_explicit(&sandbox->refs, 1, memory_order_relaxed);
    return sandbox;
}

bool pawl_sandbox_try_ref(pawl_sandbox *sandbox) {
    unsigned refs = atomic_load(&sandbox->refs);
    while (refs > 0)
        if (atomic_compare_exchange_weak(&sandbox->refs, &refs, refs + 1))
            return true;
    return false;
}

pawl_sandbox *pawl_sandbox_unref(pawl_sandbox *sandbox) {
    if (sandbox && atomic_fetch_sub_explicit(&sandbox->refs, 1, memory_order_acq_rel) == 1) {
        sandbox->vtable->destroy(sandbox->self);
        free(sandbox);
    }
    return NULL;
}

const char *pawl_sandbox_id(const pawl_sandbox *sandbox) {
    return sandbox ? sandbox->id : "";
}

static pawl_status lacks(pawl_error **err, const char *argument) {
    return pawl_error_set(err, PAWL_E_INVALID, "sandbox: %s is NULL; give one", argument);
}

static pawl_status run_code(void *what, pawl_context *ctx, const pawl_execution_request *request,
                            pawl_execution_result **ret_result, pawl_error **err) {
    pawl_sandbox *sandbox = what;
    return sandbox->vtable->run_code(sandbox->self, ctx, request, ret_result, err);
}

pawl_status pawl_sandbox_run_code(pawl_sandbox *sandbox, pawl_context *ctx, const pawl_execution_request *request,
                                  pawl_execution_result **ret_result, pawl_error **err) {
    if (!sandbox || !ctx || !request || !ret_result)
        return lacks(err, !sandbox ? "the sandbox" : !ctx ? "ctx" : !request ? "request" : "ret_result");
    const char *provider = atomic_load(&sandbox->provider);
    const struct pawl_execution execution = {
        .ctx = ctx, .node = "", .provider = provider ? provider : "", .request = request};
    return pawl_execution_watched(run_code, sandbox, &execution, ret_result, err);
}

pawl_status pawl_sandbox_kill(pawl_sandbox *sandbox, pawl_context *ctx, pawl_error **err) {
    if (!sandbox)
        return lacks(err, "the sandbox");
    return sandbox->vtable->kill(sandbox->self, ctx, err);
}

/* ---- provider ---- */

pawl_sandbox_provider *pawl_sandbox_provider_new(const pawl_sandbox_provider_vtable *vtable, void *self) {
    pawl_sandbox_provider *provider = malloc(sizeof *provider);
    if (!provider) {
        vtable->destroy(self);
        return NULL;
    }
    provider->vtable = vtable;
    provider->self = self;
    atomic_init(&provider->refs, 1);
    return provider;
}

pawl_sandbox_provider *pawl_sandbox_provider_ref(pawl_sandbox_provider *provider) {
    if (provider)
        atomic_fetch_add_explicit(&provider->refs, 1, memory_order_relaxed);
    return provider;
}

pawl_sandbox_provider *pawl_sandbox_provider_unref(pawl_sandbox_provider *provider) {
    if (provider && atomic_fetch_sub_explicit(&provider->refs, 1, memory_order_acq_rel) == 1) {
        provider->vtable->destroy(provider->self);
        free(provider);
    }
    return NULL;
}

const char *pawl_sandbox_provider_type(const pawl_sandbox_provider *provider) {
    return provider ? provider->vtable->type_name : "";
}

void *pawl_sandbox_provider_self(const pawl_sandbox_provider *provider, const pawl_sandbox_provider_vtable *vtable) {
    return provider && provider->vtable == vtable ? provider->self : NULL;
}

static pawl_status has_no(const pawl_sandbox_provider *provider, const char *what, pawl_error **err) {
    return pawl_error_set(err, PAWL_E_UNSUPPORTED, "sandbox provider '%s' cannot %s; use another provider",
                          provider->vtable->type_name, what);
}

pawl_status pawl_sandbox_create(pawl_sandbox_provider *provider, pawl_context *ctx, const pawl_sandbox_options *options,
                                pawl_sandbox **ret_sandbox, pawl_error **err) {
    if (!provider || !ctx || !ret_sandbox)
        return lacks(err, !provider ? "the provider" : !ctx ? "ctx" : "ret_sandbox");
    pawl_status status = provider->vtable->create(provider->self, ctx, options, ret_sandbox, err);
    if (status == PAWL_OK)
        atomic_store(&(*ret_sandbox)->provider, provider->vtable->type_name);
    return status;
}

pawl_status pawl_sandbox_connect(pawl_sandbox_provider *provider, pawl_context *ctx, const char *id,
                                 pawl_sandbox **ret_sandbox, pawl_error **err) {
    if (!provider || !ctx || !id || !ret_sandbox)
        return lacks(err, !provider ? "the provider" : !ctx ? "ctx" : !id ? "id" : "ret_sandbox");
    if (!HAS(provider->vtable, connect))
        return has_no(provider, "connect to a sandbox", err);
    pawl_status status = provider->vtable->connect(provider->self, ctx, id, ret_sandbox, err);
    if (status == PAWL_OK)
        atomic_store(&(*ret_sandbox)->provider, provider->vtable->type_name);
    return status;
}

pawl_status pawl_sandbox_list(pawl_sandbox_provider *provider, pawl_context *ctx, pawl_sandbox_visit visit, void *user,
                              pawl_error **err) {
    if (!provider || !ctx || !visit)
        return lacks(err, !provider ? "the provider" : !ctx ? "ctx" : "visit");
    if (!HAS(provider->vtable, list))
        return has_no(provider, "list sandboxes", err);
    return provider->vtable->list(provider->self, ctx, visit, user, err);
}

pawl_status pawl_sandbox_kill_id(pawl_sandbox_provider *provider, pawl_context *ctx, const char *id, pawl_error **err) {
    if (!provider || !ctx || !id)
        return lacks(err, !provider ? "the provider" : !ctx ? "ctx" : "id");
    if (!HAS(provider->vtable, kill))
        return has_no(provider, "kill a sandbox by id", err);
    return provider->vtable->kill(provider->self, ctx, id, err);
}

static pawl_status run_once(void *what, pawl_context *ctx, const pawl_execution_request *request,
                            pawl_execution_result **ret_result, pawl_error **err) {
    pawl_sandbox *sandbox = NULL;
    pawl_status status = pawl_sandbox_create(what, ctx, NULL, &sandbox, err);
    if (!sandbox)
        return status;
    status = run_code(sandbox, ctx, request, ret_result, err);
    pawl_sandbox_kill(sandbox, ctx, NULL); /* what it leaves behind is the provider's to end */
    pawl_sandbox_unref(sandbox);
    return status;
}

pawl_status pawl_execution_run_once(pawl_sandbox_provider *provider, pawl_context *ctx, const char *node,
                                    const pawl_execution_request *request, pawl_execution_result **ret_result,
                                    pawl_error **err) {
    if (!provider || !ctx || !request || !ret_result)
        return lacks(err, !provider ? "the provider" : !ctx ? "ctx" : !request ? "request" : "ret_result");
    const struct pawl_execution execution = {
        .ctx = ctx, .node = node, .provider = provider->vtable->type_name, .request = request};
    return pawl_execution_watched(run_once, provider, &execution, ret_result, err);
}

pawl_status pawl_sandbox_run_once(pawl_sandbox_provider *provider, pawl_context *ctx,
                                  const pawl_execution_request *request, pawl_execution_result **ret_result,
                                  pawl_error **err) {
    return pawl_execution_run_once(provider, ctx, "", request, ret_result, err);
}
