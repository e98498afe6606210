/* Who observes a trace: asked once, before its first run here, and then kept by its root and all that descend from it.
 */
#include "observe_internal.h"
#include "w3c_internal.h"
#include <stdlib.h>
#include <string.h>

static struct pawl_sampling question_about(const struct root *root, const pawl_primitive *node) {
    struct pawl_sampling question = {.size = sizeof question,
                                     .name = node->name,
                                     .type = node->type,
                                     .has_parent = root->parent_is_remote,
                                     .trace_flags = root->trace_flags,
                                     .tracestate = root->tracestate ? root->tracestate : ""};
    memcpy(question.trace_id, root->trace_id, 16);
    memcpy(question.parent_span_id, root->parent_span_id, 8);
    return question;
}

static void replace_tracestate(struct root *root, char *text) {
    char *clean = pawl_w3c_normalise_tracestate(text);
    free(text);
    free(root->tracestate);
    root->tracestate = clean;
}

static uint32_t ask(struct root *root, const pawl_primitive *node) {
    pawl_runtime *runtime = root->runtime;
    struct pawl_sampling question = question_about(root, node);
    uint32_t observers = 0;
    bool keep = false, asked = false;
    char *tracestate = NULL;
    for (size_t i = 0; i < runtime->observer_count; i++) {
        const struct observer *observer = &runtime->observers[i];
        pawl_sample answer = PAWL_SAMPLE_RECORD;
        char *text = NULL;
        if (observer->vtable.sample) {
            answer = observer->vtable.sample(observer->self, &question, &text);
            asked = true;
        }
        keep |= answer == PAWL_SAMPLE_KEEP;
        observers |= answer != PAWL_SAMPLE_DROP ? 1u << i : 0;
        if (text) {
            free(tracestate);
            tracestate = text;
        }
    }
    if (asked)
        root->trace_flags =
            (uint8_t)((root->trace_flags & ~PAWL_W3C_FLAG_SAMPLED) | (keep ? PAWL_W3C_FLAG_SAMPLED : 0));
    if (tracestate)
        replace_tracestate(root, tracestate);
    return observers;
}

/* Under the lock, since two runs may be tried on one root, of which one will be refused. */
uint32_t pawl_sampling_decide(struct root *root, const pawl_primitive *node) {
    if (!root->runtime->samplers) {
        uint32_t all = (1u << root->runtime->observer_count) - 1;
        atomic_store_explicit(&root->observers, all, memory_order_relaxed);
        return all;
    }
    pawl_root_need_trace_id(root);
    pthread_mutex_lock(&root->lock);
    uint32_t decided = atomic_load_explicit(&root->observers, memory_order_relaxed);
    if (decided == UNDECIDED) {
        decided = ask(root, node);
        atomic_store_explicit(&root->observers, decided, memory_order_release);
    }
    pthread_mutex_unlock(&root->lock);
    return decided;
}
