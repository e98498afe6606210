/* START -> step 0; CHILD_DONE -> next step | finish */
#include "engine_internal.h"
#include <pawl/primitives/sequential.h>
#include <stdlib.h>

#define THEN_NAME "then"
#define FLATTEN_DEPTH 64

struct sequential_frame {
    pawl_value *held; /* input of the step that runs, when a step before made it; a reference */
    uint32_t index;
};

static inline pawl_value *input_of(const struct sequential_frame *f, pawl_frame *frame) {
    return f->held ? f->held : pawl_frame_input(frame);
}

static inline pawl_step run_step(const pawl_primitive *node, pawl_frame *frame, const struct sequential_frame *f) {
    return pawl_step_run_numbered(frame, node->children[f->index], input_of(f, frame), "pawl.step", f->index);
}

static __attribute__((noinline)) pawl_step end(struct sequential_frame *f, pawl_frame *frame, pawl_event *event) {
    pawl_outcome *outcome = pawl_event_outcome(event);
    if (!f->held)
        return pawl_step_finish(frame, event);
    pawl_value *held = f->held;
    f->held = NULL;
    if (pawl_outcome_status(outcome) == PAWL_OK && pawl_outcome_value(outcome) == held)
        return pawl_step_succeed(frame, event, held); /* the last step passed its input on: the reference moves up */
    pawl_value_unref(held);
    return pawl_step_finish(frame, event);
}

/* Not inline: the usual way should not pay for it. */
static __attribute__((noinline)) pawl_step run_with_new_value(struct sequential_frame *f, pawl_frame *frame,
                                                              pawl_outcome *outcome) {
    pawl_value *next = pawl_outcome_take_value(outcome);
    pawl_value_unref(f->held);
    f->held = next;
    return run_step(pawl_frame_node(frame), frame, f);
}

static pawl_step sequential_step(const void *state, pawl_frame *frame, pawl_event *event) {
    (void)state;
    const pawl_primitive *node = pawl_frame_node(frame);
    struct sequential_frame *f = pawl_frame_memory(frame);
    if (pawl_event_kind_of(event) == PAWL_EVENT_START)
        return run_step(node, frame, f);
    pawl_outcome *outcome = pawl_event_outcome(event);
    if (unlikely(pawl_outcome_status(outcome) != PAWL_OK || ++f->index == node->child_count))
        return end(f, frame, event);
    if (unlikely(pawl_outcome_value(outcome) != input_of(f, frame)))
        return run_with_new_value(f, frame, outcome);
    return run_step(node, frame, f);
}

static const pawl_primitive_vtable sequential_vtable = {
    .size = sizeof sequential_vtable, .type_name = "sequential", .step = sequential_step};
static const pawl_primitive_vtable then_vtable = {
    .size = sizeof then_vtable, .type_name = "sequential", .step = sequential_step};

/* ---- flattening ---- */

static bool is_then(const pawl_primitive *node) {
    return node && node->vtable == &then_vtable && !node->failure;
}

static size_t count_steps(pawl_primitive *const *children) {
    size_t count = 0;
    for (size_t i = 0; children[i] != PAWL_END; i++)
        count += is_then(children[i]) ? children[i]->child_count : 1;
    return count;
}

/* The steps of nameless sequences take their place; a nameless one is flat already, since it was made here. */
static void flatten(pawl_primitive *const *children, pawl_primitive **flat) {
    for (size_t i = 0; children[i] != PAWL_END; i++) {
        if (!is_then(children[i])) {
            *flat++ = children[i];
            continue;
        }
        for (size_t j = 0; j < children[i]->child_count; j++)
            *flat++ = pawl_primitive_ref(children[i]->children[j]);
        pawl_primitive_unref(children[i]);
    }
    *flat = PAWL_END;
}

static pawl_primitive *make(const pawl_primitive_vtable *vtable, const char *name, pawl_primitive *const *children) {
    pawl_primitive_spec spec = {.size = sizeof spec,
                                .vtable = vtable,
                                .name = name,
                                .children = children,
                                .frame_bytes = sizeof(struct sequential_frame)};
    size_t count = count_steps(children);
    if (count == 0)
        pawl_error_set(&spec.failure, PAWL_E_INVALID, "sequential '%s': it has no steps; pass at least one",
                       name ? name : "");
    pawl_primitive **flat = malloc((count + 1) * sizeof *flat);
    if (!flat) {
        pawl_error_unref(spec.failure);
        spec.failure = NULL;
        pawl_error_set(&spec.failure, PAWL_E_NOMEM, "sequential '%s': out of memory", name ? name : "");
        return pawl_primitive_new(&spec);
    }
    flatten(children, flat);
    spec.children = flat;
    pawl_primitive *node = pawl_primitive_new(&spec);
    free(flat);
    return node;
}

pawl_primitive *pawl_sequential_new(const char *name, pawl_primitive *const *children) {
    pawl_primitive *const none[] = {PAWL_END};
    return make(&sequential_vtable, name, children ? children : none);
}

pawl_primitive *pawl_then(pawl_primitive *a, pawl_primitive *b) {
    return make(&then_vtable, THEN_NAME, PAWL_CHILDREN(a, b));
}
