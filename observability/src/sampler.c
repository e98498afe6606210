/* Samplers as counted objects, and those that need no arithmetic: always, never, as the parent says. */
#include "sampler_internal.h"
#include "options_internal.h"
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DESCRIPTION_BYTES 512

struct pawl_sampler {
    atomic_uint refs;
    pawl_sampler_vtable vtable;
    void *self;
};

static void destroy_self(const pawl_sampler_vtable *vtable, void *self) {
    if (vtable->destroy)
        vtable->destroy(self);
}

static pawl_status check(pawl_sampler_vtable *known, const pawl_sampler_vtable *vtable, pawl_error **err) {
    if (!vtable)
        return pawl_error_set(err, PAWL_E_INVALID, "sampler: the vtable is NULL");
    pawl_status status = pawl_options_copy(known, sizeof *known, vtable, "sampler: the vtable", err);
    if (status == PAWL_OK && !known->sample)
        status = pawl_error_set(err, PAWL_E_INVALID, "sampler: the vtable has no sample function");
    return status;
}

pawl_sampler *pawl_sampler_new(const pawl_sampler_vtable *vtable, void *self, pawl_error **err) {
    pawl_sampler_vtable known = {0};
    pawl_status status = check(&known, vtable, err);
    pawl_sampler *sampler = status == PAWL_OK ? malloc(sizeof *sampler) : NULL;
    if (!sampler) {
        if (status == PAWL_OK)
            pawl_error_set(err, PAWL_E_NOMEM, "sampler: out of memory");
        destroy_self(&known, self);
        return NULL;
    }
    atomic_init(&sampler->refs, 1);
    sampler->vtable = known;
    sampler->self = self;
    return sampler;
}

pawl_sampler *pawl_sampler_ref(pawl_sampler *sampler) {
    if (sampler)
        atomic_fetch_add_explicit(&sampler->refs, 1, memory_order_relaxed);
    return sampler;
}

pawl_sampler *pawl_sampler_unref(pawl_sampler *sampler) {
    if (sampler && atomic_fetch_sub_explicit(&sampler->refs, 1, memory_order_acq_rel) == 1) {
        destroy_self(&sampler->vtable, sampler->self);
        free(sampler);
    }
    return NULL;
}

const char *pawl_sampler_description(const pawl_sampler *sampler) {
    return sampler && sampler->vtable.description ? sampler->vtable.description : "";
}

bool pawl_sampler_needs_time(const pawl_sampler *sampler) {
    return sampler->vtable.needs_time != 0;
}

pawl_sample pawl_sampler_ask(pawl_sampler *sampler, const pawl_sampling *question, uint64_t now_ns,
                             char **ret_tracestate) {
    return sampler->vtable.sample(sampler->self, question, now_ns, ret_tracestate);
}

/* ---- always, never ---- */

static pawl_sample keep(void *self, const pawl_sampling *question, uint64_t now_ns, char **ret_tracestate) {
    (void)self, (void)question, (void)now_ns, (void)ret_tracestate;
    return PAWL_SAMPLE_KEEP;
}

static pawl_sample drop(void *self, const pawl_sampling *question, uint64_t now_ns, char **ret_tracestate) {
    (void)self, (void)question, (void)now_ns, (void)ret_tracestate;
    return PAWL_SAMPLE_DROP;
}

pawl_sampler *pawl_sampler_always(pawl_error **err) {
    static const pawl_sampler_vtable vtable = {.size = sizeof vtable, .description = "AlwaysOnSampler", .sample = keep};
    return pawl_sampler_new(&vtable, NULL, err);
}

pawl_sampler *pawl_sampler_never(pawl_error **err) {
    static const pawl_sampler_vtable vtable = {
        .size = sizeof vtable, .description = "AlwaysOffSampler", .sample = drop};
    return pawl_sampler_new(&vtable, NULL, err);
}

/* ---- parent-based ---- */

enum { ROOT, SAMPLED, NOT_SAMPLED, CASES };

struct parents {
    pawl_sampler *of[CASES];
    char description[DESCRIPTION_BYTES];
};

static pawl_sample ask_case(void *self, const pawl_sampling *question, uint64_t now_ns, char **ret_tracestate) {
    const struct parents *parents = self;
    int which = !question->has_parent ? ROOT : question->trace_flags & 1 ? SAMPLED : NOT_SAMPLED;
    return pawl_sampler_ask(parents->of[which], question, now_ns, ret_tracestate);
}

static void free_parents(void *self) {
    struct parents *parents = self;
    for (int i = 0; i < CASES; i++)
        pawl_sampler_unref(parents->of[i]);
    free(parents);
}

/* Takes over the given ones by reference, and makes the rest. */
static bool fill_parents(struct parents *parents, const pawl_sampler_parents *given, pawl_error **err) {
    pawl_sampler *const all[CASES] = {given->root, given->remote_parent_sampled, given->remote_parent_not_sampled};
    for (int i = 0; i < CASES; i++) {
        parents->of[i] = all[i]             ? pawl_sampler_ref(all[i])
                         : i == NOT_SAMPLED ? pawl_sampler_never(err)
                                            : pawl_sampler_always(err);
        if (!parents->of[i])
            return false;
    }
    snprintf(parents->description, sizeof parents->description,
             "ParentBased{root:%.128s,remoteParentSampled:%.128s,remoteParentNotSampled:%.128s}",
             pawl_sampler_description(parents->of[ROOT]), pawl_sampler_description(parents->of[SAMPLED]),
             pawl_sampler_description(parents->of[NOT_SAMPLED]));
    return true;
}

pawl_sampler *pawl_sampler_parent_based_new(const pawl_sampler_parents *given, pawl_error **err) {
    pawl_sampler_parents known;
    if (pawl_options_copy(&known, sizeof known, given, "sampler: the parents", err) != PAWL_OK)
        return NULL;
    struct parents *parents = calloc(1, sizeof *parents);
    if (!parents) {
        pawl_error_set(err, PAWL_E_NOMEM, "sampler: out of memory");
        return NULL;
    }
    if (!fill_parents(parents, &known, err)) {
        free_parents(parents);
        return NULL;
    }
    pawl_sampler_vtable vtable = {
        .size = sizeof vtable, .description = parents->description, .sample = ask_case, .destroy = free_parents};
    for (int i = 0; i < CASES; i++)
        vtable.needs_time |= pawl_sampler_needs_time(parents->of[i]);
    return pawl_sampler_new(&vtable, parents, err);
}
