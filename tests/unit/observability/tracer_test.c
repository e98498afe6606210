/* The tracer: what is recorded, limited, queued and counted, in virtual time. */
#include "failing_malloc.h"
#include "leaves.h"
#include "traced.h"

#include <pawl/primitives/primitives.h>
#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

/* ---- ids, times, context ---- */

static void a_span_has_the_trace_the_parent_and_the_time_of_day(void **state) {
    (void)state;
    struct traced t;
    make_traced(&t, (pawl_tracer_options){0});
    assert_true(pawl_context_extract(t.ctx, "00-101112131415161718191a1b1c1d1e1f-a0a1a2a3a4a5a6a7-01", "a=b", NULL));
    t.time.now_ns = PAWL_S(3);
    trace_run(&t, pawl_sequential("s", sleeper("a", PAWL_MS(2))));
    const pawl_span_data *root = traced_span(&t, "s", 0), *leaf = traced_span(&t, "a", 0);
    assert_int_equal(root->trace_id[15], 0x1f);
    assert_int_equal(root->parent_span_id[0], 0xa0);
    assert_memory_equal(leaf->parent_span_id, root->span_id, 8);
    assert_memory_equal(leaf->trace_id, root->trace_id, 16);
    assert_int_equal(root->flags, 0x301);
    assert_int_equal(leaf->flags, 0x101);
    assert_string_equal(leaf->tracestate, "a=b");
    assert_int_equal(leaf->kind, PAWL_SPAN_INTERNAL);
    assert_int_equal(leaf->start_unix_ns, UINT64_C(1700000003000000000));
    assert_int_equal(leaf->end_unix_ns, UINT64_C(1700000003002000000));
    end_traced(&t);
}

static void a_root_bears_the_ids_and_tags_of_its_context(void **state) {
    (void)state;
    struct traced t;
    make_traced(&t, (pawl_tracer_options){0});
    pawl_context_set_id(t.ctx, PAWL_ID_WORKFLOW, "w-1", NULL);
    pawl_context_set_id(t.ctx, PAWL_ID_SESSION, "s-1", NULL);
    pawl_context_set_tag(t.ctx, "team", "blue", NULL);
    trace_run(&t, pawl_sequential("s", passing("a")));
    const pawl_span_data *root = traced_span(&t, "s", 0), *leaf = traced_span(&t, "a", 0);
    assert_string_equal(span_attribute(root, "pawl.workflow.id"), "w-1");
    assert_string_equal(span_attribute(root, "pawl.session.id"), "s-1");
    assert_string_equal(span_attribute(root, "pawl.tag.team"), "blue");
    assert_null(span_attribute(root, "pawl.correlation.id"));
    assert_null(span_attribute(leaf, "pawl.workflow.id"));
    (void)pawl_context_id(t.ctx, PAWL_ID_CORRELATION);
    trace_run(&t, passing("again"));
    assert_non_null(span_attribute(traced_span(&t, "again", 0), "pawl.correlation.id"));
    end_traced(&t);
}

static void ids_and_tags_with_secrets_in_them_are_hidden(void **state) {
    (void)state;
    struct traced t;
    make_traced(&t, (pawl_tracer_options){0});
    pawl_runtime_add_secret(t.runtime, "hunter2", 7, NULL);
    pawl_context_set_id(t.ctx, PAWL_ID_WORKFLOW, "of hunter2", NULL);
    pawl_context_set_tag(t.ctx, "host", "postgres://ann:swordfish@db/", NULL);
    pawl_context_set_tag(t.ctx, "api_key", "a1b2c3", NULL);
    pawl_context_set_tag(t.ctx, "team", "blue", NULL);
    trace_run(&t, passing("a"));
    const pawl_span_data *root = traced_span(&t, "a", 0);
    assert_string_equal(span_attribute(root, "pawl.workflow.id"), PAWL_REDACTED);
    assert_string_equal(span_attribute(root, "pawl.tag.host"), PAWL_REDACTED);
    assert_string_equal(span_attribute(root, "pawl.tag.api_key"), PAWL_REDACTED);
    assert_string_equal(span_attribute(root, "pawl.tag.team"), "blue");
    end_traced(&t);
}

/* ---- limits ---- */

static void what_is_over_the_default_limits_is_counted(void **state) {
    (void)state;
    struct traced t;
    make_traced(&t, (pawl_tracer_options){0});
    trace_run(&t, setting_many("many"));
    const pawl_span_data *span = traced_span(&t, "many", 0);
    assert_int_equal(span->attribute_count, 128);
    assert_int_equal(span->dropped_attributes, 200 - 124);
    assert_int_equal(span->event_count, 128);
    assert_int_equal(span->dropped_events, 72);
    assert_int_equal(span->link_count, 128);
    assert_int_equal(span->dropped_links, 72);
    assert_string_equal(span_attribute(span, "k123"), "123");
    assert_int_equal(span->links[127].span_id[0], 2);
    end_traced(&t);
}

static void limits_can_be_set_and_be_nothing(void **state) {
    (void)state;
    struct traced t;
    make_traced(&t, (pawl_tracer_options){.attribute_count_limit = 6,
                                          .event_count_limit = 1,
                                          .event_attribute_count_limit = 1,
                                          .link_count_limit = PAWL_ZERO});
    trace_run(&t, setting_many("many"));
    const pawl_span_data *span = traced_span(&t, "many", 0);
    assert_int_equal(span->attribute_count, 6);
    assert_int_equal(span->dropped_attributes, 198);
    assert_int_equal(span->event_count, 1);
    assert_int_equal(span->events[0].attribute_count, 1);
    assert_int_equal(span->events[0].dropped_attributes, 1);
    assert_int_equal(span->link_count, 0);
    assert_int_equal(span->dropped_links, 200);
    end_traced(&t);
}

static pawl_status set_texts(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    (void)user, (void)in, (void)ret_out, (void)err;
    pawl_context_set_string(ctx, "umlauts", "\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f");
    pawl_context_set_string(ctx, "short", "abc");
    pawl_context_set_string(ctx, "broken", "a\xff\xfe");
    pawl_context_set_string(ctx, "b\xff", "key");
    return PAWL_OK;
}

static void values_are_cut_by_characters_and_repaired(void **state) {
    (void)state;
    struct traced t;
    make_traced(&t, (pawl_tracer_options){.attribute_value_length_limit = 3});
    trace_run(&t, pawl_inline("texts", set_texts, NULL));
    const pawl_span_data *span = traced_span(&t, "texts", 0);
    assert_string_equal(span_attribute(span, "umlauts"), "\xc3\xa4\xc3\xb6\xc3\xbc");
    assert_string_equal(span_attribute(span, "short"), "abc");
    assert_string_equal(span_attribute(span, "broken"), "a\xef\xbf\xbd\xef\xbf\xbd");
    assert_string_equal(span_attribute(span, "b\xef\xbf\xbd"), "key");
    end_traced(&t);
}

static pawl_status set_known_keys(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out,
                                  pawl_error **err) {
    (void)user, (void)in, (void)ret_out;
    pawl_context_set_string(ctx, "gen_ai.operation.name", "invoke_agent");
    pawl_context_set_string(ctx, "error.type", "503");
    return pawl_error_set(err, PAWL_E_UNAVAILABLE, "no");
}

static void the_nodes_own_word_replaces_ours(void **state) {
    (void)state;
    struct traced t;
    make_traced(&t, (pawl_tracer_options){0});
    trace_run(&t, pawl_inline("agent", set_known_keys, NULL));
    const pawl_span_data *span = traced_span(&t, "agent", 0);
    assert_string_equal(span_attribute(span, "gen_ai.operation.name"), "invoke_agent");
    assert_string_equal(span_attribute(span, "error.type"), "503");
    assert_int_equal(span->attribute_count, 5);
    end_traced(&t);
}

static void big_spans_use_up_the_queues_bytes(void **state) {
    (void)state;
    struct traced t;
    make_traced(&t, (pawl_tracer_options){.max_queue_bytes = PAWL_MIB(2) + PAWL_KIB(512)});
    pawl_primitive *node = setting_a_megabyte("big");
    for (int i = 0; i < 4; i++)
        pawl_run(node, t.ctx, NULL, NULL, NULL);
    trace_run(&t, node);
    assert_int_equal(traced_spans(&t, "big"), 2);
    assert_int_equal(traced_stats(&t).dropped_full, 3);
    assert_int_equal(traced_span(&t, "big", 0)->attributes[4].type, PAWL_ATTRIBUTE_STRING);
    assert_int_equal(strlen(traced_span(&t, "big", 0)->attributes[4].value.string), PAWL_MIB(1));
    trace_run(&t, passing("small"));
    assert_int_equal(traced_spans(&t, "small"), 1);
    end_traced(&t);
}

/* ---- the queue ---- */

static void a_full_queue_drops_the_new_and_counts(void **state) {
    (void)state;
    struct traced t;
    make_traced(&t, (pawl_tracer_options){.max_queue_size = 8});
    pawl_primitive *node = passing("p");
    for (int i = 0; i < 20; i++)
        pawl_run(node, t.ctx, NULL, NULL, NULL);
    pawl_tracer_stats stats = traced_stats(&t);
    assert_int_equal(stats.queue_size, 8);
    assert_int_equal(stats.queue_capacity, 8);
    assert_int_equal(stats.dropped_full, 12);
    assert_int_equal(stats.started, 20);
    assert_int_equal(stats.live, 0);
    trace_run(&t, node);
    stats = traced_stats(&t);
    assert_int_equal(stats.queue_size, 0);
    assert_int_equal(stats.processed, 8);
    assert_int_equal(pawl_trace_memory_count(t.memory), 8);
    end_traced(&t);
}

static void no_span_is_lost_below_the_capacity(void **state) {
    (void)state;
    struct traced t;
    make_traced(&t, (pawl_tracer_options){0});
    pawl_primitive *node = passing("p");
    for (int round = 0; round < 4; round++) {
        for (int i = 0; i < 2047; i++)
            pawl_run(node, t.ctx, NULL, NULL, NULL);
        trace_run(&t, pawl_primitive_ref(node));
    }
    assert_int_equal(traced_stats(&t).dropped_full, 0);
    assert_int_equal(pawl_trace_memory_count(t.memory), 4 * 2048);
    pawl_primitive_unref(node);
    end_traced(&t);
}

static void what_waits_at_the_end_is_exported(void **state) {
    (void)state;
    struct traced t;
    make_traced(&t, (pawl_tracer_options){0});
    pawl_primitive *node = passing("p");
    pawl_run(node, t.ctx, NULL, NULL, NULL);
    pawl_runtime_shutdown(t.runtime, NULL);
    assert_int_equal(traced_spans(&t, "p"), 1);
    pawl_primitive_unref(node);
    end_traced(&t);
}

static void a_simple_tracer_exports_each_span_when_it_ends(void **state) {
    (void)state;
    struct traced t;
    make_traced(&t, (pawl_tracer_options){.simple = 1});
    pawl_primitive *node = pawl_sequential("s", passing("a"));
    pawl_run(node, t.ctx, NULL, NULL, NULL);
    assert_int_equal(pawl_trace_memory_count(t.memory), 2);
    pawl_tracer_exporter_stats stats = {.size = sizeof stats};
    assert_true(pawl_tracer_get_exporter_stats(t.tracer, 0, &stats));
    assert_string_equal(stats.name, "memory_span_exporter");
    assert_int_equal(stats.exported, 2);
    assert_int_equal(stats.operations, 2);
    assert_false(pawl_tracer_get_exporter_stats(t.tracer, 1, &stats));
    pawl_primitive_unref(node);
    end_traced(&t);
}

/* ---- samplers ---- */

static void a_dropped_trace_is_not_recorded(void **state) {
    (void)state;
    struct traced t;
    pawl_sampler *never = pawl_sampler_never(NULL);
    make_traced(&t, (pawl_tracer_options){.sampler = never});
    trace_run(&t, passing("p"));
    assert_int_equal(pawl_trace_memory_count(t.memory), 0);
    assert_int_equal(traced_stats(&t).started, 0);
    assert_int_equal(pawl_context_trace_flags(t.ctx) & 1, 0);
    pawl_sampler_unref(never);
    end_traced(&t);
}

static void a_ratio_writes_its_threshold_into_the_tracestate(void **state) {
    (void)state;
    struct traced t;
    pawl_sampler *ratio = pawl_sampler_ratio(1, NULL), *sampler = pawl_sampler_parent_based(NULL, .root = ratio);
    make_traced(&t, (pawl_tracer_options){.sampler = sampler});
    trace_run(&t, pawl_sequential("s", passing("p")));
    assert_string_equal(pawl_context_tracestate(t.ctx), "ot=th:0");
    assert_string_equal(traced_span(&t, "p", 0)->tracestate, "ot=th:0");
    pawl_sampler_unref(ratio);
    pawl_sampler_unref(sampler);
    end_traced(&t);
}

/* ---- arguments and memory ---- */

static void bad_options_are_refused(void **state) {
    (void)state;
    pawl_trace_memory *memory = pawl_trace_memory_new(NULL, NULL);
    pawl_exporter *exporter = pawl_trace_memory_exporter(memory, NULL), *none = NULL;
    pawl_error *err = NULL;
    assert_null(pawl_tracer_with(&err, .exporters = &exporter));
    expect_error(err, PAWL_E_INVALID, "0 exporters");
    err = NULL;
    assert_null(pawl_tracer_with(&err, .exporters = &none, .exporter_count = 1));
    expect_error(err, PAWL_E_INVALID, "exporter 0 is NULL");
    err = NULL;
    assert_null(pawl_tracer_with(&err, .exporters = &exporter, .exporter_count = 1, .max_queue_size = 10,
                                 .max_batch_size = 11));
    expect_error(err, PAWL_E_INVALID, "max_batch_size is 11");
    err = NULL;
    assert_null(pawl_tracer_with(&err, .exporters = &exporter, .exporter_count = 1, .attribute_count_limit = 1025));
    expect_error(err, PAWL_E_INVALID, "attribute_count_limit");
    err = NULL;
    assert_int_equal(pawl_tracer_attach(NULL, NULL, &err), PAWL_E_INVALID);
    expect_error(err, PAWL_E_INVALID, "it is NULL");
    pawl_exporter_unref(exporter);
    pawl_trace_memory_unref(memory);
}

static void a_tracer_serves_one_runtime(void **state) {
    (void)state;
    struct traced t;
    make_traced(&t, (pawl_tracer_options){0});
    pawl_error *err = NULL;
    assert_int_equal(pawl_tracer_attach(t.tracer, t.runtime, &err), PAWL_E_INVALID);
    expect_error(err, PAWL_E_INVALID, "attached before");
    end_traced(&t);
}

static void making_one_survives_a_failed_allocation(void **state) {
    (void)state;
    pawl_trace_memory *memory = pawl_trace_memory_new(NULL, NULL);
    pawl_exporter *exporter = pawl_trace_memory_exporter(memory, NULL);
    for_each_failing_allocation(n) {
        pawl_error *err = NULL;
        pawl_tracer *tracer = pawl_tracer_with(&err, .exporters = &exporter, .exporter_count = 1, .keep_failed = 1);
        assert_int_equal(pawl_error_status(err), tracer ? PAWL_OK : PAWL_E_NOMEM);
        pawl_error_unref(err);
        pawl_tracer_unref(tracer);
    }
    pawl_exporter_unref(exporter);
    pawl_trace_memory_unref(memory);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_span_has_the_trace_the_parent_and_the_time_of_day),
        cmocka_unit_test(a_root_bears_the_ids_and_tags_of_its_context),
        cmocka_unit_test(ids_and_tags_with_secrets_in_them_are_hidden),
        cmocka_unit_test(what_is_over_the_default_limits_is_counted),
        cmocka_unit_test(limits_can_be_set_and_be_nothing),
        cmocka_unit_test(values_are_cut_by_characters_and_repaired),
        cmocka_unit_test(the_nodes_own_word_replaces_ours),
        cmocka_unit_test(big_spans_use_up_the_queues_bytes),
        cmocka_unit_test(a_full_queue_drops_the_new_and_counts),
        cmocka_unit_test(no_span_is_lost_below_the_capacity),
        cmocka_unit_test(what_waits_at_the_end_is_exported),
        cmocka_unit_test(a_simple_tracer_exports_each_span_when_it_ends),
        cmocka_unit_test(a_dropped_trace_is_not_recorded),
        cmocka_unit_test(a_ratio_writes_its_threshold_into_the_tracestate),
        cmocka_unit_test(bad_options_are_refused),
        cmocka_unit_test(a_tracer_serves_one_runtime),
        cmocka_unit_test(making_one_survives_a_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
