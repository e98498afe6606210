/*
 * Finds real interpreters: binaries that the sandbox's user can read, and what of the host must be shown beside them.
 * Nothing is executed; paths and file heads tell.
 */
#ifndef PAWL_LOCAL_INTERPRETER_H
#define PAWL_LOCAL_INTERPRETER_H

#include <pawl/error.h>

#include "execution/language_internal.h"

#define PAWL_INTERPRETER_BINDS 6 /* binary, lib, lib64; of an environment bin, lib, pyvenv.cfg */

typedef struct pawl_interpreter {
    char *exec;                          /* absolute, to be executed inside */
    char *binds[PAWL_INTERPRETER_BINDS]; /* absolute, to be shown read-only; NULL-terminated by being fewer */
    size_t bind_count;
} pawl_interpreter;

struct pawl_interpreter_search {
    pawl_language language;
    const char *given;   /* the only path tried; NULL: search */
    const char *path;    /* of the environment; NULL: only the usual folders */
    bool guest_is_other; /* the guest has another uid than this process: everybody must be able to read it */
};

/*
 * PAWL_E_UNSUPPORTED: none found; the message names the places tried, what was wrong with each, and what to install.
 * PAWL_E_NOMEM.
 */
pawl_status pawl_interpreter_find(const struct pawl_interpreter_search *search, pawl_interpreter *ret_interpreter,
                                  pawl_error **err);
void pawl_interpreter_finish(pawl_interpreter *interpreter);

#endif
