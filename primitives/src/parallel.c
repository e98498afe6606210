/* START -> as many children as may run at once; CHILD_DONE -> the next child | wait for the rest | finish with the
 * list. The first failure of mode all cancels the rest and is the outcome once they have ended. An inline leaf that
 * nobody observes needs no lane: it runs like a step of a sequence when its turn comes. */
#include "engine_internal.h"
#include "error_internal.h"
#include "value_internal.h"
#include <cjson/cJSON.h>
#include <pawl/primitives/parallel.h>
#include <stdio.h>
#include <stdlib.h>

#define MOST_CHILDREN 4096

struct parallel {
    pawl_parallel_options options;
    uint32_t count, lanes;
};

struct parallel_frame {
    uint32_t next;       /* child that starts next */
    uint32_t free_count; /* of lanes */
    uint32_t at_once;    /* child that runs without a lane */
    bool runs_at_once;
    uint32_t more_count; /* failures beside the first, not counting what its cancel ended */
    pawl_error *first, *more;
    uint64_t limit_ns; /* of the first */
    /* One per child: a reference, except to the node's own input, which outlives the frame. Then, in mode settle, one
     * error per child; then the child in each lane; then the lanes that are free. */
    pawl_value *values[];
};

static size_t error_count(const struct parallel *p) {
    return p->options.mode == PAWL_PARALLEL_SETTLE ? p->count : 0;
}

static pawl_error **errors_in(struct parallel_frame *f, const struct parallel *p) {
    return (pawl_error **)(void *)(f->values + p->count);
}

static uint32_t *children_in_lanes(struct parallel_frame *f, const struct parallel *p) {
    return (uint32_t *)(void *)(errors_in(f, p) + error_count(p));
}

static uint32_t *free_lanes(struct parallel_frame *f, const struct parallel *p) {
    return children_in_lanes(f, p) + p->lanes;
}

static size_t frame_bytes(const struct parallel *p) {
    return sizeof(struct parallel_frame) + p->count * sizeof(pawl_value *) + error_count(p) * sizeof(pawl_error *) +
           p->lanes * 2 * sizeof(uint32_t);
}

/* ---- starting ---- */

static void start_in_lane(pawl_frame *frame, size_t lane, uint32_t index) {
    const pawl_primitive *child = pawl_frame_node(frame)->children[index];
    if (likely(!pawl_context_is_observed(pawl_frame_context(frame)))) {
        pawl_frame_start(frame, lane, child, pawl_frame_input(frame), NULL);
        return;
    }
    pawl_scope scope = {.size = sizeof scope, .attribute = "pawl.branch", .attribute_value = index};
    pawl_frame_start(frame, lane, child, pawl_frame_input(frame), &scope);
}

static bool needs_no_lane(const pawl_primitive *child, pawl_frame *frame) {
    return child->kind == NODE_INLINE && !pawl_context_is_observed(pawl_frame_context(frame));
}

/* Starts what may start; then waits, or comes back at once with an inline child's outcome. A child must be live or be
 * there to start. */
static pawl_step go_on(const struct parallel *p, pawl_frame *frame, struct parallel_frame *f) {
    static const pawl_scope own_scope = {.size = sizeof own_scope, .deadline_ns = PAWL_NEVER}; /* changes no deadline */
    while (f->next < p->count && f->free_count > 0) {
        const pawl_primitive *child = pawl_frame_node(frame)->children[f->next];
        if (needs_no_lane(child, frame)) {
            f->runs_at_once = true;
            f->at_once = f->next++;
            return pawl_step_run(frame, child, pawl_frame_input(frame), &own_scope);
        }
        uint32_t lane = free_lanes(f, p)[--f->free_count];
        children_in_lanes(f, p)[lane] = f->next;
        start_in_lane(frame, lane, f->next++);
    }
    return pawl_step_wait_children(frame);
}

static pawl_step start(const struct parallel *p, pawl_frame *frame, struct parallel_frame *f) {
    f->free_count = p->lanes;
    for (uint32_t lane = 0; lane < p->lanes; lane++)
        free_lanes(f, p)[lane] = p->lanes - 1 - lane; /* the first lane comes first */
    return go_on(p, frame, f);
}

/* Which child it was; its lane is free again. */
static uint32_t ended_child(const struct parallel *p, struct parallel_frame *f, const pawl_event *event) {
    if (f->runs_at_once) { /* nothing else can come before its outcome */
        f->runs_at_once = false;
        return f->at_once;
    }
    uint32_t lane = (uint32_t)pawl_event_lane(event);
    free_lanes(f, p)[f->free_count++] = lane;
    return children_in_lanes(f, p)[lane];
}

/* ---- outcomes as they come ---- */

static pawl_value *keep_value(pawl_frame *frame, pawl_outcome *outcome) {
    pawl_value *input = pawl_frame_input(frame);
    return pawl_outcome_value(outcome) == input ? input : pawl_outcome_take_value(outcome);
}

/* After the first failure a cancelled child is its consequence and no cause. */
static void keep_failure(pawl_frame *frame, struct parallel_frame *f, pawl_outcome *outcome) {
    if (!f->first) {
        f->limit_ns = outcome->limit_ns;
        f->first = pawl_outcome_take_error(outcome);
        pawl_frame_cancel_children(frame, PAWL_CANCEL_SIBLING_FAILED);
    } else if (pawl_outcome_status(outcome) != PAWL_E_CANCELLED) {
        if (f->more_count++ == 0)
            f->more = pawl_outcome_take_error(outcome);
    }
}

static void keep(const struct parallel *p, pawl_frame *frame, struct parallel_frame *f, pawl_event *event) {
    pawl_outcome *outcome = pawl_event_outcome(event);
    uint32_t child = ended_child(p, f, event);
    if (pawl_outcome_status(outcome) == PAWL_OK)
        f->values[child] = keep_value(frame, outcome);
    else if (p->options.mode == PAWL_PARALLEL_SETTLE)
        errors_in(f, p)[child] = pawl_outcome_take_error(outcome);
    else
        keep_failure(frame, f, outcome);
}

static void release_results(const struct parallel *p, pawl_frame *frame, struct parallel_frame *f) {
    pawl_value *input = pawl_frame_input(frame);
    for (size_t i = 0; i < p->count; i++)
        if (f->values[i] != input)
            pawl_value_unref(f->values[i]);
    for (size_t i = 0; i < error_count(p); i++)
        pawl_error_unref(errors_in(f, p)[i]);
}

static size_t deepest(const struct parallel *p, const struct parallel_frame *f) {
    size_t depth = 0;
    for (size_t i = 0; i < p->count; i++)
        if (f->values[i] && f->values[i]->depth > depth)
            depth = f->values[i]->depth;
    return depth;
}

/* ---- mode all: a list of values, or the first failure ---- */

static pawl_step finish_with(pawl_frame *frame, pawl_event *event, pawl_value *results, size_t depth) {
    if (results)
        return pawl_step_succeed(frame, event, results);
    pawl_failure failure = {.size = sizeof failure, .status = PAWL_E_NOMEM, .what = "no memory for its results"};
    if (depth > PAWL_VALUE_DEPTH) {
        failure.status = PAWL_E_LIMIT;
        failure.what = "its results would nest deeper than %d; flatten them";
        failure.amount = PAWL_VALUE_DEPTH;
    }
    return pawl_step_fail(frame, event, &failure);
}

static pawl_step finish_all(const struct parallel *p, pawl_frame *frame, struct parallel_frame *f, pawl_event *event) {
    size_t depth = deepest(p, f) + 1;
    pawl_value *list = pawl_value_list(f->values, p->count);
    release_results(p, frame, f);
    return finish_with(frame, event, list, depth);
}

/* The first failure, with one more sentence. */
static pawl_error *tell_others(const struct parallel_frame *f) {
    char message[PAWL_ERROR_MESSAGE_BYTES];
    snprintf(message, sizeof message, "%.500s; %u more of its siblings failed, the first of them: %.400s",
             pawl_error_message(f->first), f->more_count, pawl_error_message(f->more));
    pawl_error_info info = {.size = sizeof info,
                            .status = pawl_error_status(f->first),
                            .failure_class = pawl_error_class(f->first),
                            .started = pawl_error_started(f->first),
                            .reason = pawl_error_cancel_reason(f->first),
                            .retry_after_ns = pawl_error_retry_after_ns(f->first),
                            .cause = pawl_error_ref((pawl_error *)pawl_error_cause(f->first))};
    return pawl_error_make(&info, pawl_error_path(f->first), message);
}

static pawl_step fail_all(const struct parallel *p, pawl_frame *frame, struct parallel_frame *f, pawl_event *event) {
    pawl_error *error = f->more ? tell_others(f) : pawl_error_ref(f->first);
    pawl_error_unref(f->first);
    pawl_error_unref(f->more);
    release_results(p, frame, f);
    /* A cancel or a deadline from outside stays one, also when a child's failure was there before it. */
    if (pawl_context_cancelled(pawl_frame_context(frame)) != PAWL_CANCEL_NONE)
        return pawl_step_fail_over(frame, event, error);
    pawl_step step = pawl_step_fail_with(frame, event, error);
    event->outcome.limit_ns = f->limit_ns;
    return step;
}

/* ---- mode settle: a JSON array of what became of each ---- */

static bool add_error(cJSON *item, const pawl_error *error) {
    cJSON *object = cJSON_AddObjectToObject(item, "error");
    return object && cJSON_AddStringToObject(object, "message", pawl_error_message(error)) &&
           cJSON_AddStringToObject(object, "path", pawl_error_path(error)) &&
           cJSON_AddBoolToObject(object, "retryable", pawl_error_is_retryable(error));
}

static bool add_value(cJSON *item, const pawl_value *value) {
    const cJSON *json = pawl_value_json(value);
    cJSON *copy = json ? cJSON_Duplicate(json, true) : NULL;
    if (copy && cJSON_AddItemToObjectCS(item, "value", copy))
        return true;
    cJSON_Delete(copy);
    return false;
}

static bool add_result(cJSON *array, const pawl_value *value, const pawl_error *error) {
    cJSON *item = cJSON_CreateObject();
    if (!item || !cJSON_AddItemToArray(array, item)) {
        cJSON_Delete(item);
        return false;
    }
    return cJSON_AddStringToObject(item, "status", pawl_status_word(pawl_error_status(error))) &&
           (error ? add_error(item, error) : add_value(item, value));
}

static pawl_value *settled(const struct parallel *p, struct parallel_frame *f) {
    cJSON *array = cJSON_CreateArray();
    for (size_t i = 0; array && i < p->count; i++)
        if (!add_result(array, f->values[i], errors_in(f, p)[i])) {
            cJSON_Delete(array);
            return NULL;
        }
    return pawl_value_take(array);
}

static bool all_succeeded(const struct parallel *p, const struct parallel_frame *f) {
    for (size_t i = 0; i < p->count; i++)
        if (!f->values[i])
            return false;
    return true;
}

static pawl_error *first_error(const struct parallel *p, struct parallel_frame *f) {
    for (size_t i = 0; i < error_count(p); i++)
        if (errors_in(f, p)[i])
            return pawl_error_ref(errors_in(f, p)[i]);
    return NULL;
}

static pawl_step fail_over(const struct parallel *p, pawl_frame *frame, struct parallel_frame *f, pawl_event *event) {
    pawl_error *cause = first_error(p, f);
    release_results(p, frame, f);
    return pawl_step_fail_over(frame, event, cause);
}

static pawl_step finish_settle(const struct parallel *p, pawl_frame *frame, struct parallel_frame *f,
                               pawl_event *event) {
    if (!all_succeeded(p, f) && pawl_context_cancelled(pawl_frame_context(frame)) != PAWL_CANCEL_NONE)
        return fail_over(p, frame, f, event);
    size_t depth = deepest(p, f) + 2; /* each stands in an object in the array */
    pawl_value *value = depth <= PAWL_VALUE_DEPTH ? settled(p, f) : NULL;
    release_results(p, frame, f);
    return finish_with(frame, event, value, depth);
}

/* ---- the step ---- */

static pawl_step finish(const struct parallel *p, pawl_frame *frame, struct parallel_frame *f, pawl_event *event) {
    if (f->first)
        return fail_all(p, frame, f, event);
    if (f->next < p->count) /* no more were started, since the scope is over */
        return fail_over(p, frame, f, event);
    return p->options.mode == PAWL_PARALLEL_SETTLE ? finish_settle(p, frame, f, event) : finish_all(p, frame, f, event);
}

static pawl_step parallel_step(const void *state, pawl_frame *frame, pawl_event *event) {
    const struct parallel *p = state;
    struct parallel_frame *f = pawl_frame_memory(frame);
    if (pawl_event_kind_of(event) == PAWL_EVENT_START)
        return start(p, frame, f);
    keep(p, frame, f, event);
    if (f->next < p->count && !f->first && pawl_frame_cancelled(frame) == PAWL_CANCEL_NONE)
        return go_on(p, frame, f);
    return pawl_frame_live_children(frame) > 0 ? pawl_step_wait_children(frame) : finish(p, frame, f, event);
}

static const pawl_primitive_vtable parallel_vtable = {
    .size = sizeof parallel_vtable, .type_name = "parallel", .step = parallel_step, .destroy = free};

/* ---- making ---- */

static size_t count_children(pawl_primitive *const *children) {
    size_t count = 0;
    while (children && children[count] != PAWL_END)
        count++;
    return count;
}

static void check(const pawl_parallel_options *o, size_t count, const char *name, pawl_error **err) {
    if (count == 0)
        pawl_error_set(err, PAWL_E_INVALID, "parallel '%s': it has no children; pass at least one", name);
    else if (count > MOST_CHILDREN)
        pawl_error_set(err, PAWL_E_INVALID, "parallel '%s': it has %zu children, at most %d are allowed; nest them",
                       name, count, MOST_CHILDREN);
    else if (o->mode > PAWL_PARALLEL_SETTLE)
        pawl_error_set(err, PAWL_E_INVALID, "parallel '%s': mode %llu is none of pawl_parallel_mode", name,
                       (unsigned long long)o->mode);
    else if (o->max_concurrency == PAWL_ZERO)
        pawl_error_set(err, PAWL_E_INVALID, "parallel '%s': max_concurrency must let at least one child run", name);
}

static size_t lanes_of(const pawl_parallel_options *o, size_t count) {
    return o->max_concurrency > 0 && o->max_concurrency < count ? (size_t)o->max_concurrency : count;
}

pawl_primitive *pawl_parallel_new(const char *name, pawl_primitive *const *children,
                                  const pawl_parallel_options *options) {
    pawl_primitive_spec spec = {.size = sizeof spec, .vtable = &parallel_vtable, .name = name, .children = children};
    const char *text = name ? name : "";
    size_t count = count_children(children);
    struct parallel *state = calloc(1, sizeof *state);
    spec.state = state;
    if (!state) {
        pawl_error_set(&spec.failure, PAWL_E_NOMEM, "parallel '%s': out of memory", text);
    } else if (pawl_options_copy(&state->options, sizeof state->options, options, "parallel", &spec.failure) ==
               PAWL_OK) {
        check(&state->options, count, text, &spec.failure);
        state->count = (uint32_t)count;
        state->lanes = spec.failure ? 1 : (uint32_t)lanes_of(&state->options, count);
        spec.lanes = state->lanes;
        spec.frame_bytes = spec.failure ? 0 : frame_bytes(state);
    }
    return pawl_primitive_new(&spec);
}
