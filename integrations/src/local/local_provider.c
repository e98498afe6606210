/* The local provider: options, helper, interpreters. */
#include <pawl/runtime.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "helper_path.h"
#include "execution/copy_internal.h"
#include "local_parts.h"
#include "options_internal.h"

static const char who[] = "local provider";

struct local *pawl_local_ref(struct local *local) {
    atomic_fetch_add_explicit(&local->refs, 1, memory_order_relaxed);
    return local;
}

void pawl_local_unref(struct local *local) {
    if (atomic_fetch_sub_explicit(&local->refs, 1, memory_order_acq_rel) != 1)
        return;
    pawl_helper_client_free(local->client);
    for (pawl_language i = 0; i < PAWL_LANGUAGE_COUNT; i++) {
        pawl_interpreter_finish(&local->interpreters[i]);
        free(local->given[i]);
    }
    free(local->helper_path);
    free(local->search_path);
    pthread_mutex_destroy(&local->lock);
    free(local);
}

static void destroy(void *self) {
    pawl_local_unref(self);
}

static const pawl_sandbox_provider_vtable vtable = {
    .size = sizeof vtable,
    .type_name = "local",
    .create = pawl_local_sandbox_create,
    .connect = pawl_local_sandbox_connect,
    .list = pawl_local_sandbox_list,
    .kill = pawl_local_sandbox_kill_id,
    .destroy = destroy,
};

pawl_status pawl_local_interpreter(struct local *local, pawl_language language, const pawl_interpreter **ret_found,
                                   pawl_error **err) {
    struct pawl_helper_about about;
    pawl_status status = PAWL_OK;
    pthread_mutex_lock(&local->lock);
    if (!local->known[language]) {
        pawl_helper_client_about(local->client, &about);
        struct pawl_interpreter_search search = {.language = language,
                                                 .given = local->given[language],
                                                 .path = local->search_path,
                                                 .guest_is_other = about.hello.uid_base != 0};
        status = pawl_interpreter_find(&search, &local->interpreters[language], err);
        local->known[language] = status == PAWL_OK;
    }
    pthread_mutex_unlock(&local->lock);
    *ret_found = &local->interpreters[language];
    return status;
}

/* ---- making it ---- */

static bool copy_text(char **to, const char *from) {
    *to = from ? pawl_copy_text(from) : NULL;
    return *to || !from;
}

static pawl_status check_limits(const pawl_execution_limits *given, pawl_execution_limits *ret_copy, pawl_error **err) {
    pawl_execution_limits resolved;
    pawl_status status = pawl_limits_copy(given, who, ret_copy, err);
    return status == PAWL_OK ? pawl_limits_resolve(ret_copy, NULL, who, &resolved, err) : status;
}

static struct local *make(const pawl_local_options *options) {
    struct local *local = calloc(1, sizeof *local);
    if (!local)
        return NULL;
    atomic_init(&local->refs, 1);
    pthread_mutex_init(&local->lock, NULL);
    local->require_all = options->require_all != 0;
    if (copy_text(&local->given[PAWL_LANGUAGE_PYTHON], options->python) &&
        copy_text(&local->given[PAWL_LANGUAGE_JAVASCRIPT], options->node) &&
        copy_text(&local->given[PAWL_LANGUAGE_BASH], options->bash) && copy_text(&local->search_path, getenv("PATH")))
        return local;
    pawl_local_unref(local);
    return NULL;
}

static void name_mechanisms(uint64_t bits, char *ret_text, size_t size) {
    size_t used = 0;
    ret_text[0] = '\0';
    for (unsigned i = 0; i < PAWL_MECHANISMS && used < size; i++)
        if (bits & 1u << i)
            used +=
                (size_t)snprintf(ret_text + used, size - used, "%s%s", used ? ", " : "", pawl_mechanism_name(1u << i));
}

static pawl_status check_machine(struct local *local, pawl_error **err) {
    struct pawl_helper_about about;
    char names[512];
    pawl_helper_client_about(local->client, &about);
    uint64_t missing = PAWL_ALL_MECHANISMS & ~about.hello.mechanisms;
    if (!missing || !local->require_all)
        return PAWL_OK;
    name_mechanisms(missing, names, sizeof names);
    return pawl_error_set(err, PAWL_E_UNSUPPORTED,
                          "this machine does not allow local sandboxes as asked, it lacks: %s; %s", names, about.text);
}

static pawl_status start(struct local *local, const char *option, const char *runtime_option, pawl_error **err) {
    char text[PAWL_WIRE_TEXT_MAX];
    bool lacks;
    pawl_status status = pawl_helper_path_find(option, runtime_option, &local->helper_path, err);
    if (status != PAWL_OK)
        return status;
    local->client = pawl_helper_client_new(local->helper_path, text, sizeof text, &lacks);
    if (!local->client)
        return pawl_error_set(err, lacks ? PAWL_E_UNSUPPORTED : PAWL_E_UNAVAILABLE, "%s: %s", who, text);
    return check_machine(local, err);
}

pawl_sandbox_provider *pawl_local_provider_new(pawl_runtime *runtime, const pawl_local_options *given,
                                               pawl_error **err) {
    pawl_local_options options;
    pawl_execution_limits limits;
    if (pawl_options_copy(&options, sizeof options, given, who, err) != PAWL_OK ||
        check_limits(options.limits, &limits, err) != PAWL_OK)
        return NULL;
    struct local *local = make(&options);
    if (!local) {
        pawl_error_set(err, PAWL_E_NOMEM, "out of memory for a local provider");
        return NULL;
    }
    local->limits = limits;
    if (start(local, options.helper_path, runtime ? pawl_runtime_helper_path(runtime) : NULL, err) != PAWL_OK) {
        pawl_local_unref(local);
        return NULL;
    }
    pawl_sandbox_provider *provider = pawl_sandbox_provider_new(&vtable, local);
    if (!provider)
        pawl_error_set(err, PAWL_E_NOMEM, "out of memory for a local provider");
    return provider;
}

pawl_status pawl_local_provider_about(pawl_sandbox_provider *provider, pawl_local_about *ret_about, pawl_error **err) {
    struct local *local = pawl_sandbox_provider_self(provider, &vtable);
    struct pawl_helper_about about;
    if (!local)
        return pawl_error_set(err, PAWL_E_INVALID,
                              "%s: '%s' is no local provider; make one with pawl_local_provider_new()", who,
                              pawl_sandbox_provider_type(provider));
    if (!ret_about || ret_about->size < sizeof *ret_about)
        return pawl_error_set(err, PAWL_E_INVALID, "%s: ret_about.size is too small; set it to sizeof", who);
    pawl_helper_client_about(local->client, &about);
    ret_about->helper = local->helper_path;
    ret_about->helper_pid = about.pid;
    ret_about->distinct_uid = about.hello.uid_base != 0;
    name_mechanisms(about.hello.mechanisms, ret_about->mechanisms, sizeof ret_about->mechanisms);
    name_mechanisms(PAWL_ALL_MECHANISMS & ~about.hello.mechanisms, ret_about->missing, sizeof ret_about->missing);
    return PAWL_OK;
}
