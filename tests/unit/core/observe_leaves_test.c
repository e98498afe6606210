/* A leaf's span says nothing of the leaf that ran in its place before: whatever that one did, and whatever came in
 * between. Pipelines are made at random; a node's name tells what its span must have. */
#include "leaves.h"
#include "random_internal.h"
#include "virtual_runtime.h"

#include <pawl/primitives/function.h>
#include <pawl/unstable/step.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PIPELINES 300
#define CHILDREN 12

struct watch {
    size_t plain, described, frames;
    uint8_t last_id[8];
};

/* ---- what is expected ---- */

/* The key of a node's number, by its name: "n=3"; NULL: it has none. */
static const char *key_of(const char *name) {
    return name[0] == 'n' ? "n" : name[0] == 'm' ? "m" : NULL;
}

static void expect_its_number(const pawl_span *span) {
    const char *key = key_of(span->name);
    if (!key) {
        assert_int_equal(span->attribute_count, 0);
        return;
    }
    assert_int_equal(span->attribute_count, 1);
    assert_string_equal(span->attributes[0].key, key);
    assert_int_equal(span->attributes[0].type, PAWL_ATTRIBUTE_INT);
    assert_int_equal(span->attributes[0].value.integer, atoi(span->name + 2));
}

static void expect_parents_trace(const pawl_span *span) {
    if (!span->parent)
        return;
    assert_memory_equal(span->trace_id, span->parent->trace_id, 16);
    assert_memory_equal(span->parent_span_id, span->parent->span_id, 8);
    assert_memory_not_equal(span->span_id, span->parent->span_id, 8);
    assert_int_equal(span->trace_flags, span->parent->trace_flags);
    assert_int_equal(span->observers, span->parent->observers);
    assert_int_equal(span->parent_is_remote, 0);
}

static void expect_nothing_set(const pawl_span *span) {
    assert_false(span->error || span->events || span->links || span->more);
    assert_int_equal(span->status | span->cancel_reason | span->described, 0);
    assert_int_equal(span->event_count | span->link_count | span->text_used, 0);
    assert_int_equal(span->dropped_attributes | span->dropped_events | span->dropped_links, 0);
    assert_int_equal(span->kind, PAWL_SPAN_INTERNAL);
    expect_its_number(span);
    expect_parents_trace(span);
}

static void expect_just_opened(void *self, const pawl_span *span) {
    struct watch *watch = self;
    assert_int_equal(span->end_ns, 0);
    assert_memory_not_equal(span->span_id, watch->last_id, 8);
    memcpy(watch->last_id, span->span_id, 8);
    expect_nothing_set(span);
}

static void expect_plain(void *self, const pawl_span *span) {
    struct watch *watch = self;
    assert_true(span->end_ns >= span->start_ns);
    watch->frames += !span->is_instant;
    watch->described += span->described != 0;
    if (span->described)
        return;
    watch->plain += span->is_instant;
    expect_nothing_set(span);
}

/* ---- leaves ---- */

enum deed { NOTHING, ATTRIBUTE, NUMBER_AGAIN, EVENT, LINK, KIND, MUCH_TEXT, FAIL, DEEDS };

static void do_it(enum deed deed, pawl_context *ctx, pawl_span *span) {
    char text[1001];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    if (deed == ATTRIBUTE)
        pawl_context_set_string(ctx, "mine", "yes");
    else if (deed == NUMBER_AGAIN)
        pawl_context_set_string(ctx, "n", "a text");
    else if (deed == EVENT)
        pawl_context_add_event(ctx, "event");
    else if (deed == LINK)
        pawl_span_add_link(span, span->trace_id, span->span_id, NULL, 0);
    else if (deed == KIND)
        pawl_span_set_kind(span, PAWL_SPAN_CLIENT);
    for (int i = 0; deed == MUCH_TEXT && i < 40; i++)
        pawl_context_set_string(ctx, &"0123456789012345678901234567890123456789"[i], text);
}

static pawl_status act(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    enum deed deed = (enum deed)(uintptr_t)user;
    (void)in, (void)ret_out;
    pawl_span *span = pawl_context_span_of(ctx);
    expect_nothing_set(span);
    do_it(deed, ctx, span);
    return deed == FAIL ? pawl_error_set(err, PAWL_E_UNAVAILABLE, "failed on purpose") : PAWL_OK;
}

/* ---- one child after the other, whatever they come to ---- */

struct any_frame {
    size_t index;
};

static pawl_step any_step(const void *state, pawl_frame *frame, pawl_event *event) {
    (void)state;
    struct any_frame *f = pawl_frame_memory(frame);
    const pawl_primitive *node = pawl_frame_node(frame);
    if (pawl_event_kind_of(event) == PAWL_EVENT_CHILD_DONE && ++f->index == pawl_primitive_child_count(node))
        return pawl_step_succeed(frame, event, NULL);
    const pawl_primitive *child = pawl_primitive_child(node, f->index);
    const pawl_scope scope = {.size = sizeof scope,
                              .attribute = key_of(pawl_primitive_name(child)),
                              .attribute_value = (int64_t)f->index,
                              .deadline_ns = f->index % 5 == 4 ? PAWL_NEVER - 1 : 0};
    return pawl_step_run(frame, child, pawl_frame_input(frame), &scope);
}

static pawl_primitive *any_node(const char *name, pawl_primitive *const *children) {
    static const pawl_primitive_vtable vtable = {.size = sizeof vtable, .type_name = "any", .step = any_step};
    return pawl_primitive_new(&(pawl_primitive_spec){.size = sizeof(pawl_primitive_spec),
                                                     .vtable = &vtable,
                                                     .name = name,
                                                     .children = children,
                                                     .frame_bytes = sizeof(struct any_frame)});
}

static pawl_primitive *random_leaf(const char *name, uint64_t random) {
    uintptr_t deed = random % 2 ? NOTHING : random / 2 % DEEDS; /* mostly nothing, so that many follow each other */
    return pawl_inline(name, act, (void *)deed);
}

static pawl_primitive *random_node(struct pawl_random *random, const char *name,
                                   int depth) { /* NOLINT(misc-no-recursion) */
    uint64_t choice = pawl_random_next(random) % 16;
    if (depth == 0 || choice > 3)
        return random_leaf(name, pawl_random_next(random));
    if (choice == 0)
        return joined(name, passing("-"), random_node(random, "-", depth - 1));
    if (choice == 1)
        return pausing(name, 1);
    pawl_primitive *children[CHILDREN + 1] = {0};
    size_t count = 1 + pawl_random_next(random) % CHILDREN;
    for (size_t i = 0; i < count; i++) {
        char own[16] = "-";
        uint64_t number = pawl_random_next(random) % 4;
        if (number > 0)
            snprintf(own, sizeof own, "%c=%zu", number == 1 ? 'm' : 'n', i);
        children[i] = random_node(random, own, depth - 1);
    }
    children[count] = PAWL_END;
    return any_node(name, children);
}

static void a_leafs_span_says_nothing_of_the_one_before(void **state) {
    (void)state;
    static const pawl_observer_vtable vtable = {
        .size = sizeof vtable, .span_start = expect_just_opened, .span_end = expect_plain};
    struct fake_clock time = {0};
    struct watch watch = {0};
    struct pawl_random random;
    pawl_random_seed(&random, 7);
    pawl_runtime *runtime = virtual_runtime(&time);
    assert_int_equal(pawl_runtime_add_observer(runtime, &vtable, &watch, NULL), PAWL_OK);
    pawl_context *ctx = pawl_context_new(runtime);
    for (int i = 0; i < PIPELINES; i++) {
        pawl_primitive *top = any_node("-", PAWL_CHILDREN(random_node(&random, "-", 4), random_node(&random, "n=1", 4),
                                                          passing("n=2"), passing("-")));
        for (int again = 0; again < 2; again++)
            expect_output(top, ctx, NULL, "null");
        pawl_primitive_unref(top);
    }
    assert_true(watch.plain > 1000 && watch.described > 300 && watch.frames > 500);
    pawl_context_unref(ctx);
    pawl_runtime_unref(runtime);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_leafs_span_says_nothing_of_the_one_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
