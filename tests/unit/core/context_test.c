/* Contexts: identity, family, time, state, checkpoints. */
#include "engine_internal.h"
#include "failing_malloc.h"
#include "recorder.h"
#include "world.h"

#include <pawl/primitives/function.h>
#include <pawl/primitives/sequential.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static pawl_context *ctx_of(void **state) {
    return ((struct world *)*state)->ctx;
}

/* ---- ids ---- */

static void ids_are_copied_and_bounded(void **state) {
    pawl_context *ctx = ctx_of(state);
    char text[300];
    memset(text, 'x', sizeof text);
    text[256] = '\0';
    assert_null(pawl_context_id(ctx, PAWL_ID_WORKFLOW));
    assert_int_equal(pawl_context_set_id(ctx, PAWL_ID_WORKFLOW, text, NULL), PAWL_OK);
    text[0] = 'y';
    assert_int_equal(pawl_context_id(ctx, PAWL_ID_WORKFLOW)[0], 'x');
    text[256] = 'x';
    text[257] = '\0';
    pawl_error *err = NULL;
    assert_int_equal(pawl_context_set_id(ctx, PAWL_ID_SESSION, text, &err), PAWL_E_LIMIT);
    expect_error(err, PAWL_E_LIMIT, "256 bytes");
    assert_int_equal(pawl_context_set_id(ctx, PAWL_ID_COUNT_, "x", NULL), PAWL_E_INVALID);
    assert_int_equal(pawl_context_set_id(NULL, PAWL_ID_SESSION, "x", NULL), PAWL_E_INVALID);
    assert_null(pawl_context_id(ctx, PAWL_ID_COUNT_));
    assert_int_equal(pawl_context_set_id(ctx, PAWL_ID_WORKFLOW, NULL, NULL), PAWL_OK);
    assert_null(pawl_context_id(ctx, PAWL_ID_WORKFLOW));
}

static void the_correlation_id_is_a_uuid_that_stays(void **state) {
    pawl_context *ctx = ctx_of(state);
    const char *id = pawl_context_id(ctx, PAWL_ID_CORRELATION);
    assert_int_equal(strlen(id), 36);
    assert_true(id[8] == '-' && id[13] == '-' && id[14] == '4' && strchr("89ab", id[19]));
    assert_ptr_equal(pawl_context_id(ctx, PAWL_ID_CORRELATION), id);
    pawl_context *child = pawl_context_child(ctx);
    assert_string_equal(pawl_context_id(child, PAWL_ID_CORRELATION), id);
    pawl_context_unref(child);
}

static void a_child_inherits_what_identifies_and_not_what_changes(void **state) {
    pawl_context *ctx = ctx_of(state);
    uint8_t trace[2][16];
    pawl_value *five = pawl_value_number(5);
    pawl_context_set_id(ctx, PAWL_ID_SESSION, "s1", NULL);
    pawl_context_set_tag(ctx, "team", "blue", NULL);
    pawl_context_set_baggage(ctx, "user", "42", NULL);
    pawl_context_set_metadata(ctx, "five", five, NULL);
    pawl_context_set_state(ctx, "five", five, NULL);
    pawl_context_checkpoint(ctx, "parent's");
    pawl_context_set_timeout(ctx, PAWL_S(4), NULL);
    pawl_context *heirs[] = {pawl_context_child(ctx), pawl_context_detach(ctx)};
    for (size_t i = 0; i < 2; i++) {
        pawl_context_trace_id(ctx, trace[0]);
        pawl_context_trace_id(heirs[i], trace[1]);
        assert_memory_equal(trace[0], trace[1], 16);
        assert_string_equal(pawl_context_id(heirs[i], PAWL_ID_SESSION), "s1");
        assert_string_equal(pawl_context_tag(heirs[i], "team"), "blue");
        assert_string_equal(pawl_context_baggage(heirs[i], "user"), "42");
        assert_ptr_equal(pawl_context_metadata(heirs[i], "five"), five);
        assert_null(pawl_context_state(heirs[i], "five"));
        assert_int_equal(pawl_context_checkpoints(heirs[i], NULL, 0), 0);
        assert_ptr_equal(pawl_context_runtime(heirs[i]), pawl_context_runtime(ctx));
    }
    assert_int_equal(pawl_context_deadline(heirs[0]), PAWL_S(4));
    assert_int_equal(pawl_context_deadline(heirs[1]), PAWL_NEVER);
    pawl_context_unref(heirs[0]);
    pawl_context_unref(heirs[1]);
    pawl_value_unref(five);
}

struct kept {
    pawl_context *child, *copy;
    char own[PAWL_TRACEPARENT_BYTES];
};

static pawl_status keep_heirs(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    (void)in, (void)ret_out, (void)err;
    struct kept *kept = user;
    kept->child = pawl_context_child(ctx);
    kept->copy = pawl_context_detach(ctx);
    pawl_context_traceparent(ctx, kept->own);
    return PAWL_OK;
}

static void heirs_of_a_nodes_context_are_beneath_its_span_and_outlive_it(void **state) {
    (void)state;
    struct fake_clock time = {0};
    struct recorder *recorder = calloc(1, sizeof *recorder);
    pawl_runtime *runtime = virtual_runtime(&time);
    record(runtime, recorder);
    pawl_context *ctx = pawl_context_new(runtime);
    struct kept kept;
    expect_output_of(pawl_sequential("top", pawl_inline("leaf", keep_heirs, &kept)), ctx, NULL, "null");
    char causation[17];
    const struct recorded_span *leaf = span_named(recorder, "leaf");
    for (size_t i = 0; i < 8; i++)
        (void)snprintf(causation + 2 * i, 3, "%02x", leaf->span_id[i]);
    assert_string_equal(pawl_context_id(kept.child, PAWL_ID_CAUSATION), causation);
    assert_memory_equal(kept.own + 36, causation, 16);
    pawl_context *heirs[] = {kept.child, kept.copy};
    for (size_t i = 0; i < 2; i++) {
        expect_output_of(passing(i ? "detached" : "childs"), heirs[i], NULL, "null");
        const struct recorded_span *span = span_named(recorder, i ? "detached" : "childs");
        assert_memory_equal(span->trace_id, leaf->trace_id, 16);
        assert_memory_equal(span->parent_span_id, leaf->span_id, 8);
        assert_string_equal(span->parent, ""); /* the leaf's span has ended */
        pawl_context_unref(heirs[i]);
    }
    pawl_context_unref(ctx);
    pawl_runtime_unref(runtime);
    free(recorder);
}

static void a_child_keeps_its_parents_alive(void **state) {
    (void)state;
    struct fake_clock time = {0};
    pawl_runtime *runtime = virtual_runtime(&time);
    pawl_context *first = pawl_context_new(runtime), *second = pawl_context_child(first);
    pawl_context *third = pawl_context_child(second);
    pawl_context_unref(first);
    pawl_context_unref(second);
    pawl_runtime_unref(runtime);
    assert_int_equal(pawl_context_cancelled(third), PAWL_CANCEL_NONE);
    pawl_context_unref(third);
}

/* ---- baggage, tags, metadata ---- */

static void baggage_tags_and_metadata_are_set_replaced_removed_and_bounded(void **state) {
    pawl_context *ctx = ctx_of(state);
    assert_int_equal(pawl_context_set_tag(ctx, "k", "1", NULL), PAWL_OK);
    assert_int_equal(pawl_context_set_tag(ctx, "k", "2", NULL), PAWL_OK);
    assert_string_equal(pawl_context_tag(ctx, "k"), "2");
    assert_int_equal(pawl_context_set_tag(ctx, "k", NULL, NULL), PAWL_OK);
    assert_null(pawl_context_tag(ctx, "k"));
    assert_int_equal(pawl_context_set_baggage(ctx, "no token", "1", NULL), PAWL_E_INVALID);
    pawl_value *one = pawl_value_number(1), *two = pawl_value_number(2);
    assert_int_equal(pawl_context_set_metadata(ctx, "k", one, NULL), PAWL_OK);
    assert_int_equal(pawl_context_set_metadata(ctx, "k", two, NULL), PAWL_OK);
    assert_ptr_equal(pawl_context_metadata(ctx, "k"), two);
    assert_int_equal(pawl_context_set_metadata(ctx, "k", NULL, NULL), PAWL_OK);
    assert_int_equal(pawl_context_set_metadata(ctx, "absent", NULL, NULL), PAWL_OK);
    assert_null(pawl_context_metadata(ctx, "k"));
    assert_null(pawl_context_metadata(ctx, NULL));
    assert_int_equal(pawl_context_set_metadata(ctx, "", one, NULL), PAWL_E_INVALID);
    assert_int_equal(pawl_context_set_metadata(ctx, NULL, one, NULL), PAWL_E_INVALID);
    for (int i = 0; i < 65; i++) {
        char key[16];
        (void)snprintf(key, sizeof key, "%d", i);
        assert_int_equal(pawl_context_set_metadata(ctx, key, one, NULL), i < 64 ? PAWL_OK : PAWL_E_LIMIT);
    }
    pawl_value_unref(one);
    pawl_value_unref(two);
}

/* ---- W3C ---- */

static const char some_parent[] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";

static void headers_are_taken_over_and_given_on(void **state) {
    pawl_context *ctx = ctx_of(state);
    char text[PAWL_TRACEPARENT_BYTES];
    assert_true(pawl_context_extract(ctx, some_parent, "a=1,b=2", "user=alice"));
    assert_int_equal(pawl_context_trace_flags(ctx), 0);
    assert_string_equal(pawl_context_tracestate(ctx), "a=1,b=2");
    assert_string_equal(pawl_context_baggage(ctx, "user"), "alice");
    pawl_context_traceparent(ctx, text);
    assert_string_equal(text, some_parent); /* nothing observes: the caller's span is the parent of what we call */
    char *header = pawl_context_baggage_header(ctx);
    assert_string_equal(header, "user=alice");
    free(header);
    assert_true(pawl_context_extract(ctx, some_parent, NULL, NULL));
    assert_string_equal(pawl_context_tracestate(ctx), "");
}

static void bad_headers_are_ignored(void **state) {
    pawl_context *ctx = ctx_of(state);
    uint8_t before[16], after[16];
    pawl_context_trace_id(ctx, before);
    assert_false(pawl_context_extract(ctx, NULL, NULL, NULL));
    assert_false(pawl_context_extract(ctx, "00-zz", "a=1", "=="));
    pawl_context_trace_id(ctx, after);
    assert_memory_equal(before, after, 16);
    assert_string_equal(pawl_context_tracestate(ctx), "");
    assert_int_equal(pawl_context_trace_flags(ctx), 3); /* sampled, and its id is random */
    char text[PAWL_TRACEPARENT_BYTES];
    pawl_context_traceparent(ctx, text);
    assert_int_equal(strlen(text), 55);
    assert_memory_not_equal(text + 36, "0000000000000000", 16); /* an id for this call */
}

/* ---- time ---- */

static void a_deadline_only_shortens(void **state) {
    struct world *w = *state;
    assert_int_equal(pawl_context_remaining(w->ctx), PAWL_NEVER);
    assert_int_equal(pawl_context_set_timeout(w->ctx, PAWL_S(5), NULL), PAWL_OK);
    assert_int_equal(pawl_context_set_timeout(w->ctx, PAWL_S(9), NULL), PAWL_OK);
    assert_int_equal(pawl_context_deadline(w->ctx), PAWL_S(5));
    w->time.now_ns = PAWL_S(2);
    assert_int_equal(pawl_context_now(w->ctx), PAWL_S(2));
    assert_int_equal(pawl_context_remaining(w->ctx), PAWL_S(3));
    assert_int_equal(pawl_context_check(w->ctx, NULL), PAWL_OK);
    w->time.now_ns = PAWL_S(6);
    assert_int_equal(pawl_context_remaining(w->ctx), 0);
    pawl_error *err = NULL;
    assert_int_equal(pawl_context_check(w->ctx, &err), PAWL_E_DEADLINE);
    expect_error(err, PAWL_E_DEADLINE, "deadline");
}

/* ---- state ---- */

static void state_is_set_read_replaced_and_removed(void **state) {
    pawl_context *ctx = ctx_of(state);
    pawl_value *one = pawl_value_number(1), *two = pawl_value_number(2);
    assert_null(pawl_context_state(ctx, "k"));
    assert_null(pawl_context_state(ctx, NULL));
    assert_int_equal(pawl_context_set_state(ctx, "k", one, NULL), PAWL_OK);
    assert_int_equal(pawl_context_set_state(ctx, "k", two, NULL), PAWL_OK);
    pawl_value *read = pawl_context_state(ctx, "k");
    assert_ptr_equal(read, two);
    pawl_value_unref(read);
    assert_int_equal(pawl_context_set_state(ctx, "k", NULL, NULL), PAWL_OK);
    assert_null(pawl_context_state(ctx, "k"));
    assert_int_equal(pawl_context_set_state(ctx, "", one, NULL), PAWL_E_INVALID);
    assert_int_equal(pawl_context_set_state(ctx, NULL, one, NULL), PAWL_E_INVALID);
    char key[258];
    memset(key, 'k', sizeof key);
    key[257] = '\0';
    assert_int_equal(pawl_context_set_state(ctx, key, one, NULL), PAWL_E_INVALID);
    pawl_value_unref(one);
    pawl_value_unref(two);
}

static void state_has_at_most_1024_keys(void **state) {
    pawl_context *ctx = ctx_of(state);
    char key[16];
    for (int i = 0; i < 1024; i++) {
        (void)snprintf(key, sizeof key, "%d", i);
        assert_int_equal(pawl_context_set_state(ctx, key, pawl_value_null(), NULL), PAWL_OK);
    }
    pawl_error *err = NULL;
    pawl_value *text = pawl_value_string("x");
    assert_int_equal(pawl_context_set_state(ctx, "more", text, &err), PAWL_E_LIMIT);
    expect_error(err, PAWL_E_LIMIT, "'more' would be key 1025");
    pawl_value_unref(text);
    assert_int_equal(pawl_context_set_state(ctx, "1023", NULL, NULL), PAWL_OK);
    assert_int_equal(pawl_context_set_state(ctx, "more", pawl_value_null(), NULL), PAWL_OK);
}

static pawl_value *add_one(void *user, pawl_value *current) {
    if (user)
        return NULL;
    return pawl_value_number(current ? pawl_value_json(current)->valuedouble + 1 : 1);
}

static void *update_often(void *ctx) {
    for (int i = 0; i < 500; i++) {
        assert_int_equal(pawl_context_state_update(ctx, "n", add_one, NULL, NULL), PAWL_OK);
        pawl_context_checkpoint(ctx, "updated");
    }
    return NULL;
}

static void updates_from_many_threads_lose_none(void **state) {
    pawl_context *ctx = ctx_of(state);
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, update_often, ctx);
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(pawl_context_state_update(ctx, "n", add_one, ctx, NULL), PAWL_OK); /* leaves it */
    pawl_value *n = pawl_context_state(ctx, "n");
    assert_int_equal((int)pawl_value_json(n)->valuedouble, 2000);
    pawl_value_unref(n);
    assert_int_equal(pawl_context_checkpoints(ctx, NULL, 0), 2000);
    assert_int_equal(pawl_context_state_update(ctx, "", add_one, NULL, NULL), PAWL_E_INVALID);
}

/* ---- checkpoints ---- */

static void the_last_256_checkpoints_are_kept(void **state) {
    struct world *w = *state;
    static pawl_checkpoint items[300];
    char name[100];
    for (int i = 0; i < 260; i++) {
        w->time.now_ns = (uint64_t)i;
        (void)snprintf(name, sizeof name, "%d%080d", i, 0);
        pawl_context_checkpoint(w->ctx, name);
    }
    assert_int_equal(pawl_context_checkpoints(w->ctx, items, 300), 260);
    assert_int_equal(items[0].time_ns, 4);
    assert_int_equal(items[255].time_ns, 259);
    assert_int_equal(strlen(items[255].name), 55);
    assert_memory_equal(items[255].name, "259000", 6);
    assert_int_equal(pawl_context_checkpoints(w->ctx, items, 2), 260);
    assert_int_equal(items[0].time_ns, 258);
    assert_int_equal(items[1].time_ns, 259);
}

/* ---- without memory ---- */

static bool fill(pawl_context *ctx, pawl_value *value) {
    pawl_error *err = NULL;
    bool set = pawl_context_set_id(ctx, PAWL_ID_SESSION, "s", &err) == PAWL_OK &&
               pawl_context_set_tag(ctx, "a", "b", &err) == PAWL_OK &&
               pawl_context_set_baggage(ctx, "a", "b", &err) == PAWL_OK &&
               pawl_context_set_metadata(ctx, "a", value, &err) == PAWL_OK &&
               pawl_context_set_state(ctx, "a", value, &err) == PAWL_OK &&
               pawl_context_state_update(ctx, "b", add_one, NULL, &err) == PAWL_OK;
    if (!set && err)
        assert_int_equal(pawl_error_status(err), PAWL_E_NOMEM);
    pawl_error_unref(err);
    pawl_context_checkpoint(ctx, "lost without memory");
    pawl_context_cancel(ctx, PAWL_CANCEL_USER, "text is lost, the reason is not");
    assert_int_equal(pawl_context_cancelled(ctx), PAWL_CANCEL_USER);
    return set;
}

static void a_context_without_memory_is_none_or_whole(void **state) {
    struct world *w = *state;
    pawl_value *value = pawl_value_string("v");
    for_each_failing_allocation(n) {
        pawl_context *ctx = pawl_context_new(w->runtime);
        bool filled = ctx && (pawl_context_extract(ctx, some_parent, "a=1", "k=v"), fill(ctx, value));
        pawl_context *child = ctx ? pawl_context_child(ctx) : NULL, *copy = ctx ? pawl_context_detach(ctx) : NULL;
        free(ctx ? pawl_context_baggage_header(ctx) : NULL);
        assert_true((filled && child && copy) || allocations_failed() > 0);
        pawl_context_unref(copy);
        pawl_context_unref(child);
        pawl_context_unref(ctx);
    }
    pawl_value_unref(value);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        in_world(ids_are_copied_and_bounded),
        in_world(the_correlation_id_is_a_uuid_that_stays),
        in_world(a_child_inherits_what_identifies_and_not_what_changes),
        cmocka_unit_test(heirs_of_a_nodes_context_are_beneath_its_span_and_outlive_it),
        cmocka_unit_test(a_child_keeps_its_parents_alive),
        in_world(baggage_tags_and_metadata_are_set_replaced_removed_and_bounded),
        in_world(headers_are_taken_over_and_given_on),
        in_world(bad_headers_are_ignored),
        in_world(a_deadline_only_shortens),
        in_world(state_is_set_read_replaced_and_removed),
        in_world(state_has_at_most_1024_keys),
        in_world(updates_from_many_threads_lose_none),
        in_world(the_last_256_checkpoints_are_kept),
        in_world(a_context_without_memory_is_none_or_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
