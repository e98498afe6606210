/** @file pawl/integrations/local.h  @brief Sandboxes on this machine: namespaces, Landlock, seccomp; no key, no root.
 *
 * A small helper program (pawl-sandbox), started with the provider and started again when lost, makes the sandboxes;
 * the host process is never forked. It is looked for at: the helper_path option, the runtime's helper_path option (a
 * given path is the only one tried); beside the shared library and in libexec of its prefix; beside the executable and
 * in ../libexec/pawl of its folder; in libexec as configured. The current folder and PATH are never searched, and a
 * shared library that was loaded by a relative name counts as none.
 *
 * A program linked with pawl_static has no library beside it. It finds the helper without being told if it is installed
 * into the same prefix (prefix/bin/program, prefix/libexec/pawl/pawl-sandbox), if pawl-sandbox is shipped beside it, or
 * if the library was installed into the prefix it was configured for; else it must give helper_path.
 *
 * A local sandbox runs one program (a fresh one per run); it is made when the program is started.
 */
#ifndef PAWL_INTEGRATIONS_LOCAL_H
#define PAWL_INTEGRATIONS_LOCAL_H

#include <pawl/integrations/sandbox.h>

PAWL_BEGIN_DECLS

/** Zero means the default. */
typedef struct pawl_local_options {
    size_t size;             /**< sizeof(pawl_local_options); set by the macro. */
    const char *helper_path; /**< Copied. NULL: found as said above. */
    /** Copied. Real binaries, or anything that leads to one. NULL: the first in PATH and then in /usr/local/bin,
     * /usr/bin and /bin that is a real binary which the sandbox's user can read; version managers' shims and private
     * home folders are passed over. */
    const char *python, *node, *bash;
    const pawl_execution_limits *limits; /**< Copied. Defaults of every request that leaves them at 0. */
    uint64_t
        require_all; /**< Not 0: refuse what lacks any mechanism; 0: run without the optional ones (a result tells). */
} pawl_local_options;

/** `provider = pawl_local_provider_with(runtime, &err, .python = "/opt/python/bin/python3")`; options may be left out.
 */
#define pawl_local_provider_with(...) PAWL_LOCAL_PROVIDER_WITH_(__VA_ARGS__, .size = sizeof(pawl_local_options))
#define PAWL_LOCAL_PROVIDER_WITH_(runtime, err, ...)                                                                   \
    pawl_local_provider_new(runtime, &(pawl_local_options){__VA_ARGS__}, err)

/**
 * Starts the helper.
 * @param runtime  Borrowed during the call, for its helper_path; NULL allowed.
 * @param options  Copied. NULL for the defaults.
 * @param err      PAWL_E_NOT_FOUND (no helper; names all places tried), PAWL_E_UNAVAILABLE (it does not start),
 *                 PAWL_E_UNSUPPORTED (this machine lacks a mechanism that no sandbox goes without; names it and the
 *                 remedy), PAWL_E_INVALID, PAWL_E_NOMEM.
 * @return New reference or NULL.
 */
PAWL_API PAWL_NODISCARD pawl_sandbox_provider *
pawl_local_provider_new(pawl_runtime *runtime, const pawl_local_options *options, pawl_error **err);

/** What this machine gives to local sandboxes. Texts are static or live as long as the provider. */
typedef struct pawl_local_about {
    size_t size;           /**< sizeof(pawl_local_about); set by the caller. */
    const char *helper;    /**< Path of the helper. */
    int64_t helper_pid;    /**< Of the current one; 0: none. */
    uint64_t distinct_uid; /**< Guests have a host uid of their own. */
    char mechanisms[512];  /**< In force, comma-separated. */
    char missing[512];     /**< Lacking, comma-separated; "" for nothing. */
} pawl_local_about;

/** @return PAWL_E_INVALID for a provider of another type. */
PAWL_API pawl_status pawl_local_provider_about(pawl_sandbox_provider *provider, pawl_local_about *ret_about,
                                               pawl_error **err);

PAWL_END_DECLS
#endif
