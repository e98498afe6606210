#include "callers.h"

#include <pawl/primitives/function.h>
#include <pawl/run.h>
#include <setjmp.h>
#include <stdlib.h>

#include <cmocka.h>

static void start_child(void *user, pawl_op op, pawl_context *ctx, pawl_value *in, void **ret_op_data) {
    (void)in, (void)ret_op_data;
    struct child *child = user;
    child->deadline_ns = pawl_context_deadline(ctx);
    child->ops[child->starts++ % 8] = op;
}

static void cancel_child(void *user, pawl_op op, void *op_data, pawl_cancel_reason reason) {
    (void)op_data, (void)reason;
    struct child *child = user;
    child->cancels++;
    if (child->ends_on_cancel)
        pawl_op_complete(op, PAWL_E_CANCELLED, NULL, NULL);
}

static const pawl_async_vtable child_vtable = {
    .size = sizeof child_vtable, .start = start_child, .cancel = cancel_child};

struct callers *make_callers(uint64_t seed) {
    struct callers *callers = calloc(1, sizeof *callers);
    assert_non_null(callers);
    make_bed(&callers->bed);
    callers->bed.time.seed = seed;
    callers->cache = pawl_cache("c", pawl_async("child", &child_vtable, &callers->child), .ttl_ns = PAWL_S(1000));
    return callers;
}

void pump(struct callers *callers) {
    assert_int_equal(pawl_runtime_pump(callers->bed.runtime, NULL), PAWL_OK);
}

size_t call(struct callers *callers, uint64_t timeout_ns) {
    size_t i = callers->count++;
    pawl_value *in = pawl_value_string("key");
    callers->ctx[i] = pawl_context_new(callers->bed.runtime);
    if (timeout_ns)
        pawl_context_set_timeout(callers->ctx[i], timeout_ns, NULL);
    assert_int_equal(pawl_start(callers->cache, callers->ctx[i], in, note_end, &callers->ended[i], NULL), PAWL_OK);
    pawl_value_unref(in);
    return i;
}

void leave(struct callers *callers, size_t i) {
    pawl_context_cancel(callers->ctx[i], PAWL_CANCEL_USER, NULL);
}

bool land(struct callers *callers, size_t n, pawl_status status, const char *text) {
    return pawl_op_complete(callers->child.ops[n], status, text ? pawl_value_string(text) : NULL, NULL);
}

void expect_ended(const struct callers *callers, size_t i, pawl_status status, const char *text) {
    assert_int_equal(callers->ended[i].times, 1);
    assert_int_equal(callers->ended[i].status, status);
    if (text)
        assert_string_equal(pawl_value_json(callers->ended[i].value)->valuestring, text);
}

pawl_cache_stats stats_of(const struct callers *callers) {
    pawl_cache_stats stats = {.size = sizeof stats};
    assert_int_equal(pawl_cache_get_stats(callers->cache, &stats, NULL), PAWL_OK);
    return stats;
}

void clear_callers(struct callers *callers) {
    for (size_t i = 0; i < callers->count; i++) {
        assert_int_equal(callers->ended[i].times, 1);
        release_end(&callers->ended[i]);
        pawl_context_unref(callers->ctx[i]);
    }
    pawl_primitive_unref(callers->cache);
    clear_bed(&callers->bed);
    free(callers);
}
