/* Measurements, log records, and what observers are told of secrets: nothing. */
#include "engine_internal.h"
#include "leaves.h"
#include "recorder.h"
#include "virtual_runtime.h"

#include <pawl/primitives/function.h>
#include <pawl/redact.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const pawl_instrument orders = {.size = sizeof orders, .name = "shop.orders", .unit = "{order}"};

/* What came, as text. */
struct heard {
    char measured[256], logged[512];
    bool in_span;
    size_t flushed;
    pawl_status flush_status;
};

static void put_attributes(char *text, size_t size, const pawl_attribute *attributes, size_t count) {
    for (size_t i = 0; i < count; i++) {
        size_t used = strlen(text);
        if (attributes[i].type == PAWL_ATTRIBUTE_STRING)
            (void)snprintf(text + used, size - used, " %s=%s", attributes[i].key, attributes[i].value.string);
        else
            (void)snprintf(text + used, size - used, " %s=%lld", attributes[i].key,
                           (long long)attributes[i].value.integer);
    }
}

static void hear_measurement(void *self, pawl_context *ctx, const pawl_instrument *instrument, double value,
                             const pawl_attribute *attributes, size_t count) {
    struct heard *h = self;
    (void)snprintf(h->measured, sizeof h->measured, "%s %g", instrument->name, value);
    put_attributes(h->measured, sizeof h->measured, attributes, count);
    h->in_span = ctx && pawl_context_span_of(ctx);
}

static void hear_log(void *self, const pawl_log_record *record) {
    struct heard *h = self;
    (void)snprintf(h->logged, sizeof h->logged, "%u %s", (unsigned)record->level, record->text);
    put_attributes(h->logged, sizeof h->logged, record->attributes, (size_t)record->attribute_count);
    h->in_span = memcmp(record->span_id, (uint8_t[8]){0}, 8) != 0;
}

static pawl_status count_flush(void *self, uint64_t timeout_ns, pawl_error **err) {
    struct heard *h = self;
    (void)timeout_ns;
    h->flushed++;
    return h->flush_status == PAWL_OK ? PAWL_OK : pawl_error_set(err, h->flush_status, "no");
}

static const pawl_observer_vtable hearer = {
    .size = sizeof hearer, .measure = hear_measurement, .log = hear_log, .flush = count_flush};

struct world {
    struct fake_clock time;
    pawl_runtime *runtime;
    pawl_context *ctx;
    struct recorder recorder;
    struct heard heard;
};

static int make_world(void **state) {
    struct world *w = calloc(1, sizeof *w);
    w->runtime = virtual_runtime(&w->time);
    record(w->runtime, &w->recorder);
    pawl_runtime_add_observer(w->runtime, &hearer, &w->heard, NULL);
    w->ctx = pawl_context_new(w->runtime);
    *state = w;
    return 0;
}

static int end_world(void **state) {
    struct world *w = *state;
    expect_nothing_alive(w->runtime);
    pawl_context_unref(w->ctx);
    pawl_runtime_unref(w->runtime);
    free(w);
    return 0;
}

static pawl_status measure_and_say(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out,
                                   pawl_error **err) {
    (void)user, (void)in, (void)ret_out, (void)err;
    const pawl_attribute attributes[] = {pawl_attribute_string("kind", "book"), pawl_attribute_int("n", 2)};
    pawl_context_measure(ctx, &orders, 3, attributes, 2);
    pawl_context_log(ctx, PAWL_LOG_WARN, attributes, 2, "%d orders", 3);
    return PAWL_OK;
}

static void what_a_node_measures_and_says_is_heard(void **state) {
    struct world *w = *state;
    expect_output_of(pawl_inline("leaf", measure_and_say, NULL), w->ctx, NULL, "null");
    assert_string_equal(w->heard.measured, "shop.orders 3 kind=book n=2");
    assert_string_equal(w->heard.logged, "3 3 orders kind=book n=2");
    assert_true(w->heard.in_span);
}

static void outside_a_run_there_is_no_span(void **state) {
    struct world *w = *state;
    pawl_runtime_measure(w->runtime, &orders, 1, NULL, 0);
    assert_string_equal(w->heard.measured, "shop.orders 1");
    assert_false(w->heard.in_span);
    pawl_runtime_log(w->runtime, PAWL_LOG_ERROR, "%s", "oh");
    assert_string_equal(w->heard.logged, "4 oh");
    assert_false(w->heard.in_span);
    pawl_runtime_measure(NULL, &orders, 1, NULL, 0);
    pawl_runtime_measure(w->runtime, &orders, 2, NULL, 7);
    assert_string_equal(w->heard.measured, "shop.orders 2");
}

static void lines_below_the_level_are_not_heard(void **state) {
    struct world *w = *state;
    pawl_runtime_log(w->runtime, PAWL_LOG_INFO, "quiet");
    assert_string_equal(w->heard.logged, "");
    assert_false(pawl_runtime_logs(w->runtime, PAWL_LOG_INFO));
    assert_true(pawl_runtime_logs(w->runtime, PAWL_LOG_WARN));
}

static pawl_status leak(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    (void)user, (void)in, (void)ret_out;
    const pawl_attribute attributes[] = {pawl_attribute_string("said", "it is hunter2hunter2")};
    pawl_context_set_string(ctx, "plain", "nothing here");
    pawl_context_set_string(ctx, "value", "it is hunter2hunter2!");
    pawl_context_set_string(ctx, "shape", "API_KEY=abcdef123456");
    pawl_context_set_string(ctx, "password", "swordfish1");
    pawl_span_add_event(pawl_context_span_of(ctx), "e", 0, attributes, 1);
    pawl_context_log(ctx, PAWL_LOG_WARN, attributes, 1, "login with hunter2hunter2");
    return pawl_error_set(err, PAWL_E_FAILED, "cannot log in with hunter2hunter2");
}

static void observers_are_told_no_secrets(void **state) {
    struct world *w = *state;
    assert_int_equal(pawl_runtime_add_secret(w->runtime, "hunter2hunter2", 14, NULL), PAWL_OK);
    expect_failure_of(pawl_inline("leaf", leak, NULL), w->ctx, NULL, PAWL_E_FAILED, NULL);
    const struct recorded_span *span = span_named(&w->recorder, "leaf");
    assert_string_equal(span->attributes, "plain=nothing here value=it is [REDACTED]! shape=API_KEY=[REDACTED] "
                                          "password=[REDACTED]");
    assert_string_equal(span->error, "cannot log in with [REDACTED]");
    assert_string_equal(span->event_attributes, "said=it is [REDACTED]");
    assert_string_equal(w->heard.logged, "3 login with [REDACTED] said=it is [REDACTED]");
}

static void flush_asks_everybody_and_keeps_the_first_failure(void **state) {
    struct world *w = *state;
    pawl_error *error = NULL;
    assert_int_equal(pawl_runtime_flush(w->runtime, PAWL_S(1), NULL), PAWL_OK);
    w->heard.flush_status = PAWL_E_TIMEOUT;
    assert_int_equal(pawl_runtime_flush(w->runtime, PAWL_S(1), &error), PAWL_E_TIMEOUT);
    assert_string_equal(pawl_error_message(error), "no");
    assert_int_equal(w->heard.flushed, 2);
    pawl_error_unref(error);
    assert_int_equal(pawl_runtime_flush(NULL, 0, NULL), PAWL_E_INVALID);
}

static pawl_status flush_inside(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    (void)user, (void)in, (void)ret_out;
    return pawl_runtime_flush(pawl_context_runtime(ctx), 0, err);
}

static void flush_on_the_loop_is_refused(void **state) {
    struct world *w = *state;
    expect_failure_of(pawl_inline("leaf", flush_inside, NULL), w->ctx, NULL, PAWL_E_INVALID, "block");
    assert_int_equal(w->heard.flushed, 0);
}

#define in_world(test) cmocka_unit_test_setup_teardown(test, make_world, end_world)

int main(void) {
    const struct CMUnitTest tests[] = {
        in_world(what_a_node_measures_and_says_is_heard),
        in_world(outside_a_run_there_is_no_span),
        in_world(lines_below_the_level_are_not_heard),
        in_world(observers_are_told_no_secrets),
        in_world(flush_asks_everybody_and_keeps_the_first_failure),
        in_world(flush_on_the_loop_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
