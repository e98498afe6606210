/* Spans of the sandboxed program, and what is measured of an execution; in the real sandbox. */
#include "recorder.h"
#include "execution/spans_budget_internal.h"

#include <pawl/integrations/integrations.h>
#include <pawl/observer.h>
#include <pawl/run.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct meter {
    char text[1024];
};

static void keep_measurement(void *self, pawl_context *ctx, const pawl_instrument *instrument, double value,
                             const pawl_attribute *attributes, size_t count) {
    struct meter *m = self;
    (void)ctx;
    size_t used = strlen(m->text);
    used += (size_t)snprintf(m->text + used, sizeof m->text - used, "%s", instrument->name);
    if (instrument->kind != PAWL_HISTOGRAM)
        used += (size_t)snprintf(m->text + used, sizeof m->text - used, "+%g", value);
    for (size_t i = 0; i < count; i++)
        used += (size_t)snprintf(m->text + used, sizeof m->text - used, " %s", attributes[i].value.string);
    (void)snprintf(m->text + used, sizeof m->text - used, "\n");
}

static const pawl_observer_vtable meter_vtable = {.size = sizeof meter_vtable, .measure = keep_measurement};

struct world {
    pawl_runtime *runtime;
    pawl_context *ctx;
    struct recorder recorder;
    struct meter meter;
};

static int make_world(void **state) {
    struct world *w = calloc(1, sizeof *w);
    w->runtime = pawl_runtime_with(.helper_path = getenv("PAWL_HELPER"));
    record(w->runtime, &w->recorder);
    pawl_runtime_add_observer(w->runtime, &meter_vtable, &w->meter, NULL);
    w->ctx = pawl_context_new(w->runtime);
    *state = w;
    return 0;
}

static int end_world(void **state) {
    struct world *w = *state;
    pawl_context_unref(w->ctx);
    pawl_runtime_unref(w->runtime);
    free(w);
    return 0;
}

/* Runs a Python program whose code may use `put(name, **members)`, which writes one span. */
static pawl_value *run_spans(struct world *w, const char *body, const char *members) {
    static const char prelude[] =
        "import os, json, time\n"
        "trace, parent = os.environ['TRACEPARENT'].split('-')[1:3]\n"
        "f = open(os.environ['PAWL_SPANS_FILE'], 'a')\n"
        "def put(name, **more):\n"
        "    now = time.time_ns()\n"
        "    span = dict(traceId=trace, spanId=os.urandom(8).hex(), parentSpanId=parent, name=name, kind=1,\n"
        "                startTimeUnixNano=str(now), endTimeUnixNano=str(now + 1000))\n"
        "    span.update(more)\n"
        "    f.write(json.dumps({'resourceSpans': [{'scopeSpans': [{'spans': [span]}]}]}) + '\\n')\n";
    char code[4096];
    (void)snprintf(code, sizeof code, "%s%s", prelude, body);
    cJSON *input = cJSON_Parse(members);
    assert_non_null(input);
    cJSON_AddStringToObject(input, "code", code);
    pawl_value *in = pawl_value_take(input), *out = NULL;
    pawl_error *error = NULL;
    pawl_primitive *node = pawl_code_execution("run", .timeout_ns = PAWL_S(30));
    if (pawl_run(node, w->ctx, in, &out, &error) != PAWL_OK)
        fail_msg("%s", pawl_error_message(error));
    pawl_primitive_unref(node);
    pawl_value_unref(in);
    return out;
}

static void spans_of_the_program_join_the_trace(void **state) {
    struct world *w = *state;
    pawl_value *out = run_spans(w,
                                "put('load', attributes=[{'key': 'rows', 'value': {'intValue': '42'}}])\n"
                                "put('save', kind=3, status={'code': 2, 'message': 'disk full'},\n"
                                "    events=[{'name': 'retry', 'timeUnixNano': str(time.time_ns())}])\n",
                                "{}");
    assert_string_equal(pawl_value_get_string(out, "outcome", ""), "ok");
    const struct recorded_span *run = span_named(&w->recorder, "run"), *load = span_named(&w->recorder, "load"),
                               *save = span_named(&w->recorder, "save");
    assert_memory_equal(load->trace_id, run->trace_id, 16);
    assert_memory_equal(load->parent_span_id, run->span_id, 8);
    assert_string_equal(load->attributes, "pawl.span.source=sandbox rows=42");
    assert_true(load->start_ns >= run->start_ns && load->end_ns <= run->end_ns);
    assert_int_equal(save->kind, PAWL_SPAN_CLIENT);
    assert_string_equal(save->error, "disk full");
    assert_string_equal(save->events, "retry");
    assert_non_null(strstr(run->attributes, "pawl.sandbox.spans=2"));
    pawl_value_unref(out);
}

static void the_spans_file_is_no_result(void **state) {
    struct world *w = *state;
    pawl_value *out = run_spans(w, "put('a')\nopen('out.txt', 'w').write('hi')\n", "{\"collect\":[\"out.txt\"]}");
    assert_int_equal(cJSON_GetArraySize(pawl_value_get(out, "files")), 1);
    pawl_value_unref(out);
    out = run_spans(w, "put('a')\n", "{}");
    assert_int_equal(cJSON_GetArraySize(pawl_value_get(out, "files")), 0);
    pawl_value_unref(out);
}

static void what_a_program_lies_is_bounded_marked_or_refused(void **state) {
    struct world *w = *state;
    pawl_value *out = run_spans(w,
                                "put('other', traceId='0af7651916cd43dd8448eb211c80319c')\n"
                                "put('early', startTimeUnixNano='5', endTimeUnixNano='18446744073709551615')\n"
                                "put('fake', attributes=[{'key': 'pawl.span.source', 'value': {'stringValue': 'me'}},\n"
                                "    {'key': 'API_TOKEN', 'value': {'stringValue': 'swordfish12'}}])\n"
                                "f.write('nonsense\\n')\n",
                                "{}");
    const struct recorded_span *run = span_named(&w->recorder, "run"), *early = span_named(&w->recorder, "early");
    assert_int_equal(spans_named(&w->recorder, "other"), 0);
    assert_true(early->start_ns >= run->start_ns && early->end_ns <= run->end_ns && early->end_ns >= early->start_ns);
    assert_string_equal(span_named(&w->recorder, "fake")->attributes, "pawl.span.source=sandbox API_TOKEN=[REDACTED]");
    assert_non_null(strstr(run->attributes, "pawl.sandbox.spans_refused=2"));
    pawl_value_unref(out);
}

static void a_program_cannot_write_the_span_of_its_own_execution(void **state) {
    struct world *w = *state;
    pawl_value *out = run_spans(w, "put('impostor', spanId=parent)\nput('mine')\n", "{}");
    const struct recorded_span *run = span_named(&w->recorder, "run");
    assert_int_equal(spans_named(&w->recorder, "impostor"), 0);
    assert_non_null(strstr(run->attributes, "pawl.sandbox.spans=1"));
    assert_non_null(strstr(run->attributes, "pawl.sandbox.spans_refused=1"));
    pawl_value_unref(out);
}

static void a_last_line_that_is_cut_is_refused(void **state) {
    struct world *w = *state;
    pawl_value *out = run_spans(w, "put('whole')\nf.write('{\"resourceSpans\": [')\n", "{}");
    const struct recorded_span *run = span_named(&w->recorder, "run");
    assert_non_null(strstr(run->attributes, "pawl.sandbox.spans=1"));
    assert_non_null(strstr(run->attributes, "pawl.sandbox.spans_refused=1"));
    pawl_value_unref(out);
}

static void names_that_a_program_gives_are_searched_for_secrets(void **state) {
    struct world *w = *state;
    pawl_value *out = run_spans(w,
                                "put('API_KEY=swordfish12', events=[{'name': 'password=swordfish12',\n"
                                "    'timeUnixNano': '1'}], attributes=[{'key': 'API_KEY=swordfish12',\n"
                                "    'value': {'intValue': '1'}}])\n",
                                "{}");
    const struct recorded_span *told = span_named(&w->recorder, "API_KEY=[REDACTED]");
    assert_string_equal(told->events, "password=[REDACTED]");
    assert_string_equal(told->attributes, "pawl.span.source=sandbox API_KEY=[REDACTED]=1");
    pawl_value_unref(out);
}

static void a_flood_of_spans_is_cut(void **state) {
    struct world *w = *state;
    pawl_value *out = run_spans(w, "for i in range(1500): put('x')\n", "{}");
    const struct recorded_span *run = span_named(&w->recorder, "run");
    assert_non_null(strstr(run->attributes, "pawl.sandbox.spans=1000"));
    assert_non_null(strstr(run->attributes, "pawl.sandbox.spans_refused="));
    pawl_value_unref(out);
}

static void leave_of_the_trace(struct world *w, struct pawl_spans_amount left) {
    struct pawl_spans_amount used = {.spans = PAWL_SPANS_BUDGET_SPANS - left.spans,
                                     .bytes = PAWL_SPANS_BUDGET_BYTES - left.bytes};
    uint8_t trace_id[16];
    pawl_context_trace_id(w->ctx, trace_id);
    pawl_spans_budget_take(w->runtime, trace_id, used);
}

static void what_is_beyond_the_spans_of_a_trace_is_dropped_and_counted(void **state) {
    struct world *w = *state;
    leave_of_the_trace(w, (struct pawl_spans_amount){.spans = 3, .bytes = PAWL_MIB(1)});
    pawl_value *out = run_spans(w, "put('x')\nput('x')\n", "{}");
    assert_null(strstr(span_named(&w->recorder, "run")->attributes, "pawl.sandbox.spans_dropped"));
    pawl_value_unref(out);
    w->recorder.ended = 0;
    out = run_spans(w, "put('x')\nput('x')\nput('x')\n", "{}");
    const struct recorded_span *run = span_named(&w->recorder, "run");
    assert_int_equal(spans_named(&w->recorder, "x"), 1);
    assert_non_null(strstr(run->attributes, "pawl.sandbox.spans=1 pawl.sandbox.spans_dropped=2"));
    pawl_value_unref(out);
}

static void what_is_beyond_the_bytes_of_a_trace_is_dropped_and_counted(void **state) {
    struct world *w = *state;
    leave_of_the_trace(w, (struct pawl_spans_amount){.spans = 1000, .bytes = 500});
    pawl_value *out = run_spans(w, "for i in range(9): put('x')\n", "{}"); /* of about 270 bytes each */
    const struct recorded_span *run = span_named(&w->recorder, "run");
    assert_int_equal(spans_named(&w->recorder, "x"), 1);
    assert_non_null(strstr(run->attributes, "pawl.sandbox.spans=1 pawl.sandbox.spans_dropped=8"));
    pawl_value_unref(out);
}

static void a_file_that_leads_elsewhere_is_not_read(void **state) {
    struct world *w = *state;
    pawl_value *out = run_spans(w,
                                "f.close(); os.remove(os.environ['PAWL_SPANS_FILE']); os.symlink('/etc/passwd', "
                                "os.environ['PAWL_SPANS_FILE'])\n",
                                "{}");
    assert_non_null(strstr(span_named(&w->recorder, "run")->attributes, "pawl.sandbox.spans_refused=1"));
    pawl_value_unref(out);
}

static void an_execution_is_measured(void **state) {
    struct world *w = *state;
    pawl_value *out = run_spans(w, "1/0\n", "{\"language\": \"python3\"}");
    assert_string_equal(w->meter.text, "pawl.executions.active+1 local python\n"
                                       "pawl.executions.active+-1 local python\n"
                                       "pawl.executions+1 local python exception\n"
                                       "pawl.execution.duration local python exception\n"
                                       "pawl.sandbox.create.duration local python\n"
                                       "gen_ai.execute_tool.duration run\n"); /* no failure of the node */
    pawl_value_unref(out);
}

static void a_failed_execution_is_measured_with_the_type_of_its_span(void **state) {
    struct world *w = *state;
    static const char input[] = "{\"code\":\"exit 3\"}";
    pawl_value *in = NULL;
    pawl_primitive *node = pawl_code_execution("run", .language = "bash", .fail_on_error = 1);
    assert_int_equal(pawl_value_parse(input, strlen(input), NULL, &in, NULL), PAWL_OK);
    assert_int_equal(pawl_run(node, w->ctx, in, NULL, NULL), PAWL_E_FAILED);
    assert_int_equal(span_named(&w->recorder, "run")->status, PAWL_E_FAILED);
    assert_non_null(strstr(w->meter.text, "pawl.executions+1 local bash nonzero_exit\n"));
    assert_non_null(strstr(w->meter.text, "gen_ai.execute_tool.duration run failed\n"));
    pawl_primitive_unref(node);
    pawl_value_unref(in);
}

static void content_is_recorded_only_when_asked_for(void **state) {
    struct world *w = *state;
    pawl_value *out = run_spans(w, "print('hello from inside')\n", "{}");
    assert_null(strstr(span_named(&w->recorder, "run")->attributes, "hello"));
    pawl_value_unref(out);
    pawl_runtime_set_content(w->runtime, true);
    w->recorder.ended = 0;
    out = run_spans(w, "print('hello from inside', os.environ['PIN'])\n",
                    "{\"env_vars\":{\"PIN\":\"swordfish\"},\"secret_env\":[\"PIN\"]}");
    const struct recorded_span *run = span_named(&w->recorder, "run");
    assert_non_null(strstr(run->attributes, "pawl.code.text=import os"));
    assert_non_null(strstr(run->attributes, "pawl.code.stdout=hello from inside [REDACTED]"));
    pawl_value_unref(out);
}

#define in_world(test) cmocka_unit_test_setup_teardown(test, make_world, end_world)

int main(void) {
    const struct CMUnitTest tests[] = {
        in_world(spans_of_the_program_join_the_trace),
        in_world(the_spans_file_is_no_result),
        in_world(what_a_program_lies_is_bounded_marked_or_refused),
        in_world(a_program_cannot_write_the_span_of_its_own_execution),
        in_world(a_last_line_that_is_cut_is_refused),
        in_world(names_that_a_program_gives_are_searched_for_secrets),
        in_world(a_flood_of_spans_is_cut),
        in_world(what_is_beyond_the_spans_of_a_trace_is_dropped_and_counted),
        in_world(what_is_beyond_the_bytes_of_a_trace_is_dropped_and_counted),
        in_world(a_file_that_leads_elsewhere_is_not_read),
        in_world(an_execution_is_measured),
        in_world(a_failed_execution_is_measured_with_the_type_of_its_span),
        in_world(content_is_recorded_only_when_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
