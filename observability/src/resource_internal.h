/* Making a resource: resource.c, and what the environment says, resource_environment.c. */
#ifndef PAWL_RESOURCE_INTERNAL_H
#define PAWL_RESOURCE_INTERNAL_H

#include <pawl/observability/export.h>

/* For the child after a fork: a copy with an instance id of its own and this process's id, where these were detected
 * and not given. New reference, NULL without memory. */
PAWL_NODISCARD pawl_resource *pawl_resource_after_fork(const pawl_resource *resource, pawl_error **err);

/* Sets one attribute, copied; of one key the last one stays. PAWL_E_LIMIT over 128, PAWL_E_INVALID, PAWL_E_NOMEM. */
pawl_status pawl_resource_set(pawl_resource *resource, const pawl_attribute *attribute, pawl_error **err);

/* Sets what OTEL_RESOURCE_ATTRIBUTES text says: "key=value,key=value", percent-encoded. A text with an error in it is
 * passed over whole, as the specification says, and one of more than 100 entries. PAWL_E_LIMIT, PAWL_E_NOMEM. */
pawl_status pawl_resource_set_listed(pawl_resource *resource, const char *text, pawl_error **err);

/* Finds the number of the first entry, from 1, that is wrong in such a text, or the 101st; 0: none is. PAWL_E_NOMEM. */
pawl_status pawl_resource_check_listed(const char *text, unsigned *ret_wrong, pawl_error **err);

#endif
