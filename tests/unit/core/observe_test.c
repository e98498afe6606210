/* What observers are told. */
#include "engine_internal.h"
#include "leaves.h"
#include "recorder.h"
#include "virtual_runtime.h"

#include <pawl/primitives/function.h>
#include <pawl/primitives/retry.h>
#include <pawl/primitives/sequential.h>
#include <pawl/primitives/timeout.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct world {
    struct fake_clock time;
    pawl_runtime *runtime;
    pawl_context *ctx;
    struct recorder recorder;
};

static int make_world(void **state) {
    struct world *w = calloc(1, sizeof *w);
    w->runtime = virtual_runtime(&w->time);
    record(w->runtime, &w->recorder);
    w->ctx = pawl_context_new(w->runtime);
    *state = w;
    return 0;
}

static int end_world(void **state) {
    struct world *w = *state;
    expect_nothing_alive(w->runtime);
    assert_int_equal(w->recorder.started, w->recorder.ended);
    pawl_context_unref(w->ctx);
    pawl_runtime_unref(w->runtime);
    assert_int_equal(w->recorder.destroyed, 1);
    free(w);
    return 0;
}

static void every_node_has_a_span_beneath_its_parents(void **state) {
    struct world *w = *state;
    expect_output_of(
        pawl_sequential("top", passing("a"), joined("both", pausing("b", PAWL_MS(2)), sleeper("c", PAWL_MS(3)))),
        w->ctx, NULL, "[null,null]");
    assert_int_equal(w->recorder.ended, 5);
    const struct recorded_span *top = span_named(&w->recorder, "top"), *b = span_named(&w->recorder, "b");
    assert_string_equal(top->parent, "");
    assert_string_equal(top->type, "sequential");
    assert_string_equal(span_named(&w->recorder, "a")->parent, "top");
    assert_string_equal(b->parent, "both");
    assert_memory_equal(b->parent_span_id, span_named(&w->recorder, "both")->span_id, 8);
    assert_memory_equal(b->trace_id, top->trace_id, 16);
    assert_int_equal(span_named(&w->recorder, "c")->end_ns - span_named(&w->recorder, "c")->start_ns, PAWL_MS(3));
    assert_true(top->status == PAWL_OK && top->error[0] == '\0');
}

static void what_a_combinator_knows_is_on_its_childs_span(void **state) {
    struct world *w = *state;
    struct flaky flaky = {.failures_left = 2};
    expect_output_of(pawl_sequential("top", pawl_retry("again", flaky_primitive(&flaky))), w->ctx, NULL, "null");
    assert_int_equal(spans_named(&w->recorder, "flaky"), 3);
    assert_string_equal(nth_span_named(&w->recorder, "flaky", 0)->attributes, "pawl.attempt=1");
    assert_string_equal(nth_span_named(&w->recorder, "flaky", 2)->attributes, "pawl.attempt=3");
    assert_string_equal(nth_span_named(&w->recorder, "flaky", 1)->error, "flaky: call 2");
    assert_int_equal(nth_span_named(&w->recorder, "flaky", 1)->status, PAWL_E_UNAVAILABLE);
    assert_string_equal(span_named(&w->recorder, "again")->attributes, "pawl.step=0");
}

static void a_span_tells_how_its_node_ended(void **state) {
    struct world *w = *state;
    expect_failure_of(pawl_timeout("limit", pausing("slow", PAWL_S(9)), .after_ns = PAWL_S(1)), w->ctx, NULL,
                      PAWL_E_TIMEOUT, NULL);
    assert_int_equal(span_named(&w->recorder, "slow")->status, PAWL_E_DEADLINE);
    assert_int_equal(span_named(&w->recorder, "slow")->reason, PAWL_CANCEL_DEADLINE);
    assert_int_equal(span_named(&w->recorder, "limit")->status, PAWL_E_TIMEOUT);
    pawl_context_cancel(w->ctx, PAWL_CANCEL_USER, "no more");
    expect_failure_of(passing("never"), w->ctx, NULL, PAWL_E_CANCELLED, NULL);
    assert_int_equal(span_named(&w->recorder, "never")->reason, PAWL_CANCEL_USER);
}

static pawl_status decorate(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    (void)in, (void)ret_out, (void)err;
    assert_true(pawl_context_is_observed(ctx));
    pawl_context_set_string(ctx, "s", "text");
    pawl_context_set_int(ctx, "i", -5);
    pawl_context_set_double(ctx, "d", 0.5);
    pawl_context_set_bool(ctx, "b", true);
    pawl_context_set_int(ctx, "s", 7); /* again, and of another type */
    pawl_context_add_event(ctx, "one");
    pawl_context_add_event(ctx, "two");
    pawl_span phase;
    pawl_span_open(ctx, &phase, "phase");
    assert_string_equal(pawl_primitive_name(pawl_context_span_of(ctx)->node), "leaf");
    assert_null(phase.node);
    pawl_span_set_int(&phase, "n", 1);
    pawl_span_close(ctx, &phase, PAWL_E_LIMIT, NULL);
    (void)user;
    return PAWL_OK;
}

static void a_leaf_decorates_its_span_and_opens_more(void **state) {
    struct world *w = *state;
    pawl_primitive *leaves[] = {pawl_inline("leaf", decorate, NULL), pawl_function("leaf", decorate, NULL)};
    for (size_t i = 0; i < 2; i++) {
        expect_output(leaves[i], w->ctx, NULL, "null");
        const struct recorded_span *leaf = nth_span_named(&w->recorder, "leaf", i);
        assert_string_equal(leaf->attributes, "s=7 i=-5 d=0.5 b=true");
        assert_string_equal(leaf->events, "one two");
        const struct recorded_span *phase = nth_span_named(&w->recorder, "phase", i);
        assert_string_equal(phase->parent, "leaf");
        assert_string_equal(phase->attributes, "n=1");
        assert_int_equal(phase->status, PAWL_E_LIMIT);
        pawl_primitive_unref(leaves[i]);
    }
}

#define MANY 1030

static pawl_status overdo(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    (void)user, (void)in, (void)ret_out, (void)err;
    static char keys[MANY][8];
    char text[401];
    for (size_t i = 0; i < 400; i += 2)
        memcpy(text + i, "\xC3\xA9", 3);
    pawl_context_set_string(ctx, "text", text);
    pawl_context_set_string(ctx, "more", text);
    pawl_context_set_string(ctx, "none", NULL);
    for (size_t i = 0; i < MANY - 3; i++) {
        snprintf(keys[i], sizeof keys[i], "%zu", i);
        pawl_context_set_int(ctx, keys[i], 1);
    }
    for (int i = 0; i < MANY; i++)
        pawl_context_add_event(ctx, "e");
    for (int i = 0; i < MANY; i++)
        pawl_span_add_link(pawl_context_span_of(ctx), (uint8_t[16]){1}, (uint8_t[8]){2}, NULL, 0);
    return PAWL_OK;
}

static void a_span_grows_up_to_a_bound(void **state) {
    struct world *w = *state;
    expect_output_of(pawl_inline("leaf", overdo, NULL), w->ctx, NULL, "null");
    const struct recorded_span *leaf = span_named(&w->recorder, "leaf");
    assert_int_equal(leaf->dropped, 3 * (MANY - PAWL_SPAN_ATTRIBUTES));
    assert_memory_equal(leaf->attributes, "text=\xC3\xA9", 7);
    assert_memory_equal(leaf->attributes + 5 + 398, "\xC3\xA9 more=", 8);
}

static char long_text[PAWL_SPAN_STRING + 2];

static pawl_status say_much(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    (void)in, (void)ret_out, (void)err;
    pawl_span *span = pawl_context_span_of(ctx);
    for (size_t i = 0; i < PAWL_SPAN_STRING; i += 2)
        memcpy(long_text + i + 1, "\xC3\xA9", 2);
    long_text[0] = 'x';
    pawl_context_set_string(ctx, "a", long_text);
    *(size_t *)user = strlen(span->attributes[0].value.string);
    for (int i = 0; i < 5; i++)
        pawl_context_set_string(ctx, "a", long_text);
    assert_int_equal(span->attribute_count, 1);
    assert_int_equal(span->dropped_attributes, 2); /* 4 MiB are the bound */
    return PAWL_OK;
}

static void long_strings_are_cut_between_characters_and_bounded(void **state) {
    struct world *w = *state;
    size_t length = 0;
    expect_output_of(pawl_inline("leaf", say_much, &length), w->ctx, NULL, "null");
    assert_int_equal(length, PAWL_SPAN_STRING - 1);
}

static pawl_status talk_nonsense(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out,
                                 pawl_error **err) {
    (void)user, (void)in, (void)ret_out, (void)err;
    const pawl_attribute odd[] = {
        {.key = NULL}, {.key = ""}, {.key = "typeless", .type = 9}, pawl_attribute_int("n", 1)};
    pawl_span span;
    pawl_context_set_string(ctx, "", "no key");
    pawl_context_set_int(ctx, NULL, 1);
    pawl_context_add_event(ctx, NULL);
    pawl_span_add_event(pawl_context_span_of(ctx), "", 0, odd, 4);
    pawl_span_add_event(pawl_context_span_of(ctx), "counted", 0, NULL, 4);
    pawl_span_add_link(pawl_context_span_of(ctx), (uint8_t[16]){0}, (uint8_t[8]){1}, NULL, 0);
    pawl_span_add_link(pawl_context_span_of(ctx), (uint8_t[16]){1}, (uint8_t[8]){0}, NULL, 0);
    pawl_span_set_kind(pawl_context_span_of(ctx), (pawl_span_kind)99);
    pawl_span_open(ctx, &span, "");
    pawl_span_close(ctx, &span, PAWL_OK, NULL);
    pawl_span_init(ctx, &span, "told");
    memset(span.trace_id, 0, sizeof span.trace_id);
    memset(span.span_id, 0, sizeof span.span_id);
    span.start_ns = 5;
    span.end_ns = 3;
    span.kind = 0;
    pawl_span_tell(ctx, &span);
    return PAWL_OK;
}

static void nonsense_becomes_what_every_collector_takes(void **state) {
    struct world *w = *state;
    expect_output_of(pawl_inline("leaf", talk_nonsense, NULL), w->ctx, NULL, "null");
    const struct recorded_span *leaf = span_named(&w->recorder, "leaf"), *told = span_named(&w->recorder, "told");
    assert_string_equal(leaf->attributes, "");
    assert_int_equal(leaf->dropped, 4);
    assert_string_equal(leaf->events, "unnamed unnamed counted");
    assert_string_equal(leaf->event_attributes, "n=1");
    assert_int_equal(leaf->kind, PAWL_SPAN_INTERNAL);
    assert_string_equal(span_named(&w->recorder, "unnamed")->parent, "leaf");
    assert_memory_equal(told->trace_id, leaf->trace_id, 16);
    assert_memory_not_equal(told->span_id, ((uint8_t[8]){0}), 8);
    assert_true(told->start_ns == 5 && told->end_ns == 5 && told->kind == PAWL_SPAN_INTERNAL);
}

static pawl_step run_with_key(const void *state, pawl_frame *frame, pawl_event *event) {
    if (pawl_event_kind_of(event) != PAWL_EVENT_START)
        return pawl_step_finish(frame, event);
    const pawl_primitive *node = pawl_frame_node(frame), *child = pawl_primitive_child(node, 0);
    const pawl_scope scope = {.size = sizeof scope, .attribute = state, .attribute_value = 1};
    if (pawl_primitive_child_count(node) == 1)
        return pawl_step_run(frame, child, pawl_frame_input(frame), &scope);
    pawl_frame_start(frame, 0, child, pawl_frame_input(frame), &scope);
    return pawl_step_wait_children(frame);
}

/* With two children it starts the first in a lane. */
static pawl_primitive *with_key(const char *key, pawl_primitive *const *children) {
    static const pawl_primitive_vtable vtable = {.size = sizeof vtable, .type_name = "keyed", .step = run_with_key};
    return pawl_primitive_new(&(pawl_primitive_spec){.size = sizeof(pawl_primitive_spec),
                                                     .vtable = &vtable,
                                                     .name = "keyed",
                                                     .state = (void *)(uintptr_t)key,
                                                     .children = children,
                                                     .lanes = 1});
}

static void a_scope_without_a_key_puts_nothing_on_the_childs_span(void **state) {
    struct world *w = *state;
    static const char *const keys[] = {NULL, "", "n"}, *const expected[] = {"", "", "n=1"};
    for (size_t i = 0; i < 3; i++) {
        expect_output_of(with_key(keys[i], PAWL_CHILDREN(passing("leaf"))), w->ctx, NULL, "null");
        expect_output_of(with_key(keys[i], PAWL_CHILDREN(pawl_sequential("in", passing("p")))), w->ctx, NULL, "null");
        expect_output_of(with_key(keys[i], PAWL_CHILDREN(passing("side"), passing("idle"))), w->ctx, NULL, "null");
        assert_string_equal(nth_span_named(&w->recorder, "leaf", i)->attributes, expected[i]);
        assert_string_equal(nth_span_named(&w->recorder, "in", i)->attributes, expected[i]);
        assert_string_equal(nth_span_named(&w->recorder, "side", i)->attributes, expected[i]);
    }
}

static pawl_status run_inside(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    return pawl_run(user, ctx, in, ret_out, err);
}

static void a_child_run_hangs_beneath_its_leaf(void **state) {
    struct world *w = *state;
    pawl_primitive *inner = pawl_sequential("inner", passing("p"));
    expect_output_of(pawl_function("outer", run_inside, inner), w->ctx, NULL, "null");
    assert_string_equal(span_named(&w->recorder, "inner")->parent, "outer");
    assert_memory_equal(span_named(&w->recorder, "inner")->parent_span_id, span_named(&w->recorder, "outer")->span_id,
                        8);
    pawl_primitive_unref(inner);
}

static pawl_status look_at_own_span(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out,
                                    pawl_error **err) {
    (void)in, (void)ret_out, (void)err;
    assert_string_equal(pawl_context_span_of(ctx)->name, user);
    pawl_context_set_string(ctx, "mine", user);
    return PAWL_OK;
}

static void each_leaf_of_a_node_sees_its_own_span_and_nobody_elses(void **state) {
    struct world *w = *state;
    expect_output_of(pawl_sequential("top", pawl_inline("a", look_at_own_span, "a"),
                                     pawl_retry("again", pawl_inline("b", look_at_own_span, "b"), .max_attempts = 2),
                                     pawl_inline("c", look_at_own_span, "c"), passing("d")),
                     w->ctx, NULL, "null");
    assert_string_equal(span_named(&w->recorder, "a")->attributes, "pawl.step=0 mine=a");
    assert_string_equal(span_named(&w->recorder, "b")->attributes, "pawl.attempt=1 mine=b");
    assert_string_equal(span_named(&w->recorder, "b")->parent, "again");
    assert_string_equal(span_named(&w->recorder, "c")->attributes, "pawl.step=2 mine=c");
    assert_string_equal(span_named(&w->recorder, "d")->attributes, "pawl.step=3");
    assert_string_equal(span_named(&w->recorder, "d")->parent, "top");
    assert_string_equal(span_named(&w->recorder, "top")->attributes, "");
}

struct counts {
    size_t starts, instant_starts, ends, instant_ends;
};

static void count_start(void *self, const pawl_span *span) {
    struct counts *counts = self;
    *(span->is_instant ? &counts->instant_starts : &counts->starts) += 1;
}

static void count_end(void *self, const pawl_span *span) {
    struct counts *counts = self;
    *(span->is_instant ? &counts->instant_ends : &counts->ends) += 1;
}

static void starts_of_inline_leaves_are_told_to_those_who_want_them(void **state) {
    (void)state;
    static const pawl_observer_vtable all = {.size = sizeof all, .span_start = count_start, .span_end = count_end};
    static const pawl_observer_vtable few = {
        .size = sizeof few, .span_start = count_start, .span_end = count_end, .skips_instants = 1};
    struct fake_clock time = {0};
    struct counts told = {0}, spared = {0};
    pawl_runtime *runtime = virtual_runtime(&time);
    assert_int_equal(pawl_runtime_add_observer(runtime, &few, &spared, NULL), PAWL_OK);
    assert_int_equal(pawl_runtime_add_observer(runtime, &all, &told, NULL), PAWL_OK);
    pawl_context *ctx = pawl_context_new(runtime);
    expect_output_of(pawl_sequential("top", passing("a"), passing("b"), pausing("c", 1)), ctx, NULL, "null");
    expect_output_of(passing("alone"), ctx, NULL, "null"); /* beneath nothing: it opens the trace */
    expect_output_of(joined("both", passing("x"), passing("y")), ctx, NULL, "[null,null]"); /* each may be waited for */
    assert_int_equal(told.starts, 6);
    assert_int_equal(told.instant_starts, 2);
    assert_int_equal(spared.starts, 6);
    assert_int_equal(spared.instant_starts, 0);
    assert_int_equal(spared.ends, 6);
    assert_int_equal(spared.instant_ends, 2);
    pawl_context_unref(ctx);
    pawl_runtime_unref(runtime);
}

static void label_at_start(void *self, const pawl_span *span) {
    (void)self;
    pawl_context_set_string(span->ctx, "label", span->name);
}

static void what_an_observer_sets_when_a_span_starts_stays(void **state) {
    struct world *w = *state;
    static const pawl_observer_vtable labels = {.size = sizeof labels, .span_start = label_at_start};
    assert_int_equal(pawl_runtime_add_observer(w->runtime, &labels, NULL, NULL), PAWL_OK);
    expect_output_of(pawl_sequential("top", passing("a"), pawl_sequential("b", passing("c"))), w->ctx, NULL, "null");
    assert_string_equal(span_named(&w->recorder, "top")->attributes, "label=top");
    assert_string_equal(span_named(&w->recorder, "a")->attributes, "pawl.step=0 label=a");
    assert_string_equal(span_named(&w->recorder, "b")->attributes, "pawl.step=1 label=b");
    assert_string_equal(span_named(&w->recorder, "c")->attributes, "pawl.step=0 label=c");
}

static void label_at_end(void *self, const pawl_span *span) {
    char text[1001]; /* more than has room in a span */
    memset(text, 'x', 1000);
    text[1000] = '\0';
    (void)self;
    pawl_context_set_string(span->ctx, "long", text);
}

static void what_an_observer_sets_when_a_span_ends_is_seen_by_the_next_and_released(void **state) {
    static const pawl_observer_vtable labels = {.size = sizeof labels, .span_end = label_at_end};
    struct world *w = *state;
    assert_int_equal(pawl_runtime_add_observer(w->runtime, &labels, NULL, NULL), PAWL_OK);
    expect_output_of(pawl_sequential("top", passing("a"), pawl_sequential("b", passing("c"))), w->ctx, NULL, "null");
    assert_memory_equal(span_named(&w->recorder, "a")->attributes, "pawl.step=0 long=xxx", 20);
    assert_memory_equal(span_named(&w->recorder, "b")->attributes, "pawl.step=1 long=xxx", 20);
    assert_memory_equal(span_named(&w->recorder, "top")->attributes, "long=xxx", 8);
}

struct told {
    const char *name;
    struct told_order {
        size_t length;
        char text[32];
    } * order;
};

static void write_start(void *self, const pawl_span *span) {
    struct told *told = self;
    (void)span;
    told->order->text[told->order->length++] = *told->name;
}

static void write_end(void *self, const pawl_span *span) {
    struct told *told = self;
    (void)span;
    told->order->text[told->order->length++] = (char)(*told->name - 'a' + 'A');
}

static void ends_are_told_in_the_reverse_order(void **state) {
    (void)state;
    static const pawl_observer_vtable both = {.size = sizeof both, .span_start = write_start, .span_end = write_end};
    static const pawl_observer_vtable end = {.size = sizeof end, .span_end = write_end};
    struct fake_clock time = {0};
    struct told_order order = {0};
    struct told a = {"a", &order}, b = {"b", &order}, c = {"c", &order};
    pawl_runtime *runtime = virtual_runtime(&time);
    assert_int_equal(pawl_runtime_add_observer(runtime, &both, &a, NULL), PAWL_OK);
    assert_int_equal(pawl_runtime_add_observer(runtime, &end, &b, NULL), PAWL_OK);
    assert_int_equal(pawl_runtime_add_observer(runtime, &both, &c, NULL), PAWL_OK);
    pawl_context *ctx = pawl_context_new(runtime);
    expect_output_of(pawl_sequential("top", passing("leaf")), ctx, NULL, "null");
    assert_string_equal(order.text, "acacCBACBA");
    pawl_context_unref(ctx);
    pawl_runtime_unref(runtime);
}

static void observers_are_attached_before_the_first_run_and_at_most_8(void **state) {
    (void)state;
    static const pawl_observer_vtable empty = {.size = sizeof empty};
    struct fake_clock time = {0};
    pawl_runtime *runtime = virtual_runtime(&time);
    assert_int_equal(pawl_runtime_add_observer(runtime, NULL, NULL, NULL), PAWL_E_INVALID);
    for (int i = 0; i < 8; i++)
        assert_int_equal(pawl_runtime_add_observer(runtime, &empty, NULL, NULL), PAWL_OK);
    pawl_error *err = NULL;
    assert_int_equal(pawl_runtime_add_observer(runtime, &empty, NULL, &err), PAWL_E_LIMIT);
    expect_error(err, PAWL_E_LIMIT, "8 observers");
    pawl_context *ctx = pawl_context_new(runtime);
    expect_output_of(passing("p"), ctx, NULL, "null");
    err = NULL;
    assert_int_equal(pawl_runtime_add_observer(runtime, &empty, NULL, &err), PAWL_E_INVALID);
    expect_error(err, PAWL_E_INVALID, "before the first run");
    pawl_context_unref(ctx);
    pawl_runtime_unref(runtime);
}

static pawl_status nobody_looks(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    (void)user, (void)in, (void)ret_out, (void)err;
    assert_false(pawl_context_is_observed(ctx));
    pawl_context_set_string(ctx, "s", "text");
    pawl_context_set_int(ctx, "i", 1);
    pawl_context_set_double(ctx, "d", 1);
    pawl_context_set_bool(ctx, "b", true);
    pawl_context_add_event(ctx, "e");
    pawl_span span;
    pawl_span_open(ctx, &span, "phase");
    pawl_span_set_string(&span, "k", "v");
    pawl_span_close(ctx, &span, PAWL_OK, NULL);
    return PAWL_OK;
}

static void without_observers_nothing_happens(void **state) {
    (void)state;
    struct fake_clock time = {0};
    pawl_runtime *runtime = virtual_runtime(&time);
    pawl_context *ctx = pawl_context_new(runtime);
    expect_output_of(pawl_inline("leaf", nobody_looks, NULL), ctx, NULL, "null");
    pawl_context_unref(ctx);
    pawl_runtime_unref(runtime);
}

int main(void) {
#define in_world(test) cmocka_unit_test_setup_teardown(test, make_world, end_world)
    const struct CMUnitTest tests[] = {
        in_world(every_node_has_a_span_beneath_its_parents),
        in_world(what_a_combinator_knows_is_on_its_childs_span),
        in_world(a_span_tells_how_its_node_ended),
        in_world(a_leaf_decorates_its_span_and_opens_more),
        in_world(a_span_grows_up_to_a_bound),
        in_world(long_strings_are_cut_between_characters_and_bounded),
        in_world(nonsense_becomes_what_every_collector_takes),
        in_world(a_scope_without_a_key_puts_nothing_on_the_childs_span),
        in_world(a_child_run_hangs_beneath_its_leaf),
        in_world(each_leaf_of_a_node_sees_its_own_span_and_nobody_elses),
        cmocka_unit_test(starts_of_inline_leaves_are_told_to_those_who_want_them),
        in_world(what_an_observer_sets_when_a_span_starts_stays),
        in_world(what_an_observer_sets_when_a_span_ends_is_seen_by_the_next_and_released),
        cmocka_unit_test(ends_are_told_in_the_reverse_order),
        cmocka_unit_test(observers_are_attached_before_the_first_run_and_at_most_8),
        cmocka_unit_test(without_observers_nothing_happens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
