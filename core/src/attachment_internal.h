/* What upper layers keep with a runtime, since nothing is kept with the process: found again by the address of a key.
 */
#ifndef PAWL_ATTACHMENT_INTERNAL_H
#define PAWL_ATTACHMENT_INTERNAL_H

#include <pawl/runtime.h>

/* The head of what is kept; private once added. */
struct pawl_attachment {
    const void *key;
    void (*destroy)(struct pawl_attachment *attachment); /* with the runtime's memory: no context of it is left */
    struct pawl_attachment *next;
};

/* Takes it until the runtime's memory goes. Any thread, also while runs go on. */
void pawl_runtime_add_attachment(pawl_runtime *runtime, struct pawl_attachment *attachment);
/* The next one with that key behind `after`, the first for NULL; the latest comes first. NULL: no more. Any thread. */
struct pawl_attachment *pawl_runtime_next_attachment(const pawl_runtime *runtime, const void *key,
                                                     const struct pawl_attachment *after);
/* The runtime's memory goes. */
void pawl_runtime_free_attachments(pawl_runtime *runtime);

#endif
