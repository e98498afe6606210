/* The single-edit mutator as a generator: batch n of the candidates for round n. It keeps no state: the mutator is made
 * anew and the batches before are passed over, which costs less than one execution. */
#include "json_put_internal.h"
#include "mutator_internal.h"
#include "options_internal.h"
#include "primitive_internal.h"
#include <math.h>
#include <pawl/integrations/fix.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_BATCH 64
#define MOST_BATCH 4096
#define MOST_HINTS 256

struct request {
    const char *program, *language;
    struct pawl_mutator_hint hints[MOST_HINTS];
    size_t hint_count;
    uint64_t round;
};

static void read_hints(const cJSON *list, struct request *request) {
    for (const cJSON *item = cJSON_IsArray(list) ? list->child : NULL; item && request->hint_count < MOST_HINTS;
         item = item->next) {
        double line = cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(item, "line"));
        double weight = cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(item, "weight"));
        if (line >= 1 && line < 1e9)
            request->hints[request->hint_count++] =
                (struct pawl_mutator_hint){.line = (uint32_t)line, .weight = isnan(weight) ? 1 : weight};
    }
}

static pawl_status read_request(const pawl_value *in, struct request *request, pawl_error **err) {
    const cJSON *input = pawl_value_get(in, "input");
    double round = pawl_value_get_number(in, "round", 1);
    request->program = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(input, "program"));
    request->language = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(input, "language"));
    if (!request->program)
        return pawl_error_set(err, PAWL_E_INVALID,
                              "mutator: the input has no text at input.program; give the program to be repaired");
    if (!(round >= 1 && round < 1e9))
        return pawl_error_set(err, PAWL_E_INVALID, "mutator: round is %g; count from 1", round);
    request->round = (uint64_t)round;
    read_hints(cJSON_GetObjectItemCaseSensitive(input, "hints"), request);
    return PAWL_OK;
}

static bool append_candidate(cJSON *list, const struct pawl_mutation *mutation) {
    cJSON *json = cJSON_CreateObject();
    if (json && json_put(json, "program", cJSON_CreateString(mutation->text)) &&
        json_put(json, "description", cJSON_CreateString(mutation->description)) &&
        json_put(json, "line", cJSON_CreateNumber(mutation->line)) && cJSON_AddItemToArray(list, json))
        return true;
    cJSON_Delete(json);
    return false;
}

/* Adds the batch to list. *ret_done: there is nothing after it. False without memory. */
static bool collect(struct pawl_mutator *mutator, uint64_t skip, uint64_t batch, cJSON *list, bool *ret_done) {
    struct pawl_mutation mutation;
    *ret_done = true;
    while (skip > 0) {
        if (!pawl_mutator_next(mutator, &mutation))
            return true;
        skip--;
    }
    for (uint64_t i = 0; i < batch; i++) {
        if (!pawl_mutator_next(mutator, &mutation))
            return true;
        if (!append_candidate(list, &mutation))
            return false;
    }
    *ret_done = false;
    return true;
}

static pawl_value *answer(const pawl_mutator_generator_options *o, const struct request *request) {
    struct pawl_mutator_options options = {.language = request->language,
                                           .hints = request->hint_count ? request->hints : NULL,
                                           .hint_count = request->hint_count,
                                           .max_candidates = (size_t)o->max_candidates};
    struct pawl_mutator *mutator = pawl_mutator_new(request->program, strlen(request->program), &options);
    cJSON *json = cJSON_CreateObject(), *list = cJSON_CreateArray();
    bool done = true;
    bool made = mutator && json && list && collect(mutator, (request->round - 1) * o->batch, o->batch, list, &done);
    pawl_mutator_free(mutator);
    if (!made || !json_put(json, "candidates", list)) {
        cJSON_Delete(json);
        if (!made)
            cJSON_Delete(list);
        return NULL;
    }
    if (json_put(json, "done", cJSON_CreateBool(done)))
        return pawl_value_take(json);
    cJSON_Delete(json);
    return NULL;
}

static pawl_status generate(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    struct request request = {0};
    (void)ctx;
    pawl_status status = read_request(in, &request, err);
    if (status != PAWL_OK)
        return status;
    *ret_out = answer(user, &request);
    return *ret_out ? PAWL_OK : pawl_error_set(err, PAWL_E_NOMEM, "mutator: out of memory");
}

static void check(pawl_mutator_generator_options *o, const char *name, pawl_error **err) {
    o->batch = pawl_option(o->batch, DEFAULT_BATCH);
    o->max_candidates = pawl_option(o->max_candidates, PAWL_MUTATOR_DEFAULT_CANDIDATES);
    if (o->batch < 1 || o->batch > MOST_BATCH)
        pawl_error_set(err, PAWL_E_INVALID, "mutator '%s': batch is %llu; set 1 to %d", name,
                       (unsigned long long)o->batch, MOST_BATCH);
    else if (o->max_candidates < 1 || o->max_candidates > PAWL_MUTATOR_MAX_CANDIDATES)
        pawl_error_set(err, PAWL_E_INVALID, "mutator '%s': max_candidates is %llu; set 1 to %d", name,
                       (unsigned long long)o->max_candidates, PAWL_MUTATOR_MAX_CANDIDATES);
}

pawl_primitive *pawl_mutator_generator_new(const char *name, const pawl_mutator_generator_options *options) {
    struct leaf_spec spec = {
        .kind = NODE_BLOCKING, .name = name, .type = "mutator", .fn = generate, .user_destroy = free};
    pawl_mutator_generator_options *set = malloc(sizeof *set);
    spec.user = set;
    if (!set)
        pawl_error_set(&spec.failure, PAWL_E_NOMEM, "mutator '%s': out of memory", name ? name : "");
    else if (pawl_options_copy(set, sizeof *set, options, "mutator", &spec.failure) == PAWL_OK)
        check(set, name ? name : "", &spec.failure);
    return pawl_leaf_new(&spec);
}
