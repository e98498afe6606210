/* What providers of this library need beside the public interface. */
#ifndef PAWL_EXECUTION_SANDBOX_H
#define PAWL_EXECUTION_SANDBOX_H

#include <pawl/integrations/sandbox.h>

/* A reference to a sandbox whose last one may just be going: false then. */
bool pawl_sandbox_try_ref(pawl_sandbox *sandbox);
/* The provider's own part if it has this vtable, else NULL. */
void *pawl_sandbox_provider_self(const pawl_sandbox_provider *provider, const pawl_sandbox_provider_vtable *vtable);

/* ---- limits.c ---- */

/* The value of a limit; settable. */
uint64_t *pawl_limits_at(pawl_execution_limits *limits, pawl_limit which);
/* Copies limits that a caller filled in; NULL gives all zeroes. PAWL_E_INVALID names limits, not options. */
pawl_status pawl_limits_copy(const pawl_execution_limits *given, const char *who, pawl_execution_limits *ret_limits,
                             pawl_error **err);
/*
 * Puts together what counts for one run: asked, where that is 0 fallback, where that is 0 the defaults. Either may be
 * NULL. The result has no zero that means a default. PAWL_E_INVALID when a limit that must be finite is not, or is over
 * its bound; who names the asker in the message.
 */
pawl_status pawl_limits_resolve(const pawl_execution_limits *asked, const pawl_execution_limits *fallback,
                                const char *who, pawl_execution_limits *ret_limits, pawl_error **err);

#endif
