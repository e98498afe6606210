/* Attachments of a runtime: a list that only grows, so that readers need no lock. */
#include "attachment_internal.h"
#include "engine_internal.h"

void pawl_runtime_add_attachment(pawl_runtime *runtime, struct pawl_attachment *attachment) {
    attachment->next = atomic_load(&runtime->attachments);
    while (!atomic_compare_exchange_weak(&runtime->attachments, &attachment->next, attachment)) {
    }
}

struct pawl_attachment *pawl_runtime_next_attachment(const pawl_runtime *runtime, const void *key,
                                                     const struct pawl_attachment *after) {
    struct pawl_attachment *at = after ? after->next : atomic_load(&runtime->attachments);
    while (at && at->key != key)
        at = at->next;
    return at;
}

void pawl_runtime_free_attachments(pawl_runtime *runtime) {
    struct pawl_attachment *next;
    for (struct pawl_attachment *at = atomic_exchange(&runtime->attachments, NULL); at; at = next) {
        next = at->next;
        at->destroy(at);
    }
}
