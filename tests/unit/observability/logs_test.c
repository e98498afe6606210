/* Log records on their way to exporters: in batches, bounded, never waiting. */
#include "gate.h"
#include "logs_internal.h"
#include "virtual_runtime.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

/* ---- runtimes with logs ---- */

/* Takes the exporter. */
static pawl_logs *attach(pawl_runtime *runtime, pawl_exporter *exporter, pawl_logs_options options) {
    options.size = sizeof options;
    options.exporters = &exporter;
    options.exporter_count = exporter ? 1 : 0;
    pawl_logs *logs = pawl_logs_new(&options, NULL);
    assert_non_null(logs);
    assert_int_equal(pawl_logs_attach(logs, runtime, NULL), PAWL_OK);
    pawl_exporter_unref(exporter);
    return logs;
}

static pawl_runtime *logging_runtime(void) {
    return pawl_runtime_with(.log_level = PAWL_ZERO);
}

static void say(pawl_runtime *runtime, size_t times) {
    for (size_t i = 1; i <= times; i++)
        pawl_runtime_log(runtime, PAWL_LOG_WARN, "record %zu", i);
}

static pawl_logs_stats stats_of(pawl_logs *logs) {
    pawl_logs_stats stats = {.size = sizeof stats};
    pawl_logs_get_stats(logs, &stats);
    return stats;
}

static void end(pawl_logs *logs, pawl_runtime *runtime) {
    pawl_runtime_unref(runtime);
    pawl_logs_unref(logs);
}

/* ---- the queue ---- */

static void hands_records_on_without_being_asked(void **state) {
    (void)state;
    struct gate gate = open_gate();
    pawl_runtime *runtime = logging_runtime();
    pawl_logs *logs = attach(runtime, gate_exporter(&gate), (pawl_logs_options){.schedule_delay_ns = PAWL_MS(1)});
    say(runtime, 3);
    wait_for_items(&gate, 3);
    assert_string_equal(gate.last, "record 3");
    end(logs, runtime);
}

static void hands_full_batches_on_at_once(void **state) {
    (void)state;
    struct gate gate = open_gate();
    pawl_runtime *runtime = logging_runtime();
    pawl_logs *logs = attach(runtime, gate_exporter(&gate),
                             (pawl_logs_options){.schedule_delay_ns = PAWL_MIN(60), .max_batch_size = 10});
    say(runtime, 25);
    wait_for_items(&gate, 20);
    assert_int_equal(gate.largest, 10);
    assert_int_equal(pawl_runtime_flush(runtime, PAWL_S(30), NULL), PAWL_OK);
    assert_int_equal(gate.items, 25);
    end(logs, runtime);
}

static void drops_and_counts_what_does_not_fit(void **state) {
    (void)state;
    struct gate gate = open_gate();
    pawl_runtime *runtime = logging_runtime();
    pawl_logs *logs =
        attach(runtime, gate_exporter(&gate),
               (pawl_logs_options){.schedule_delay_ns = PAWL_ZERO, .max_queue_size = 5, .max_batch_size = 1});
    set_closed(&gate, true);
    say(runtime, 1);
    wait_for_calls(&gate, 1);
    say(runtime, 12);
    pawl_logs_stats stats = stats_of(logs);
    assert_int_equal(stats.queue_size, 5);
    assert_int_equal(stats.queue_capacity, 5);
    assert_int_equal(stats.dropped_full, 7);
    set_closed(&gate, false);
    assert_int_equal(pawl_runtime_flush(runtime, PAWL_S(30), NULL), PAWL_OK);
    stats = stats_of(logs);
    assert_int_equal(stats.processed, 6);
    assert_int_equal(stats.exported, 6);
    assert_int_equal(gate.items, 6);
    assert_string_equal(gate.last, "record 5");
    end(logs, runtime);
}

static void bounds_the_bytes_that_wait(void **state) {
    (void)state;
    struct fake_clock time = {.now_ns = 0};
    struct gate gate = open_gate();
    pawl_runtime *runtime = virtual_runtime(&time);
    pawl_logs *logs = attach(runtime, gate_exporter(&gate), (pawl_logs_options){.max_queue_bytes = 1500});
    for (size_t i = 0; i < 10; i++)
        pawl_runtime_log(runtime, PAWL_LOG_WARN, "%0900d", 0);
    assert_int_equal(stats_of(logs).queue_size, 1);
    assert_int_equal(stats_of(logs).dropped_full, 9);
    assert_int_equal(pawl_runtime_flush(runtime, PAWL_S(1), NULL), PAWL_OK);
    say(runtime, 1);
    assert_int_equal(stats_of(logs).queue_size, 1);
    end(logs, runtime);
    assert_int_equal(gate.items, 2);
}

static void takes_only_what_is_important_enough(void **state) {
    (void)state;
    struct gate gate = open_gate();
    struct fake_clock time = {.now_ns = 0};
    pawl_runtime *runtime = virtual_runtime(&time);
    pawl_logs *logs = attach(runtime, gate_exporter(&gate), (pawl_logs_options){.level = PAWL_LOG_ERROR});
    pawl_runtime_log(runtime, PAWL_LOG_WARN, "not this");
    pawl_runtime_log(runtime, PAWL_LOG_ERROR, "this");
    end(logs, runtime);
    assert_int_equal(gate.items, 1);
    assert_string_equal(gate.last, "this");
}

/* ---- limits of a record ---- */

static void keeps_within_the_limits_of_a_record(void **state) {
    (void)state;
    const pawl_attribute attributes[] = {pawl_attribute_string("a", "\xc3\xa4\xc3\xb6\xc3\xbc"),
                                         pawl_attribute_int("b", 1), pawl_attribute_int("c", 2)};
    const pawl_log_record record = {
        .size = sizeof record, .text = "t", .attributes = attributes, .attribute_count = 3, .time_ns = 5, .level = 3};
    const struct pawl_log_limits limits = {.attributes = 2, .characters = 2}, none = {0, 0};
    struct pawl_held_log *held = pawl_held_log_new(&record, &limits, pawl_held_log_bytes(&record, &limits), 10);
    assert_string_equal(held->data.attributes[0].value.string, "\xc3\xa4\xc3\xb6");
    assert_int_equal(held->data.attribute_count, 2);
    assert_int_equal(held->data.dropped_attributes, 1);
    assert_int_equal(held->data.time_unix_ns, 15);
    free(held);
    held = pawl_held_log_new(&record, &none, pawl_held_log_bytes(&record, &none), 0);
    assert_int_equal(held->data.attribute_count, 0);
    assert_int_equal(held->data.dropped_attributes, 3);
    free(held);
}

/* ---- the end, failures, forks ---- */

static void exports_the_rest_at_the_end(void **state) {
    (void)state;
    struct gate gate = open_gate();
    pawl_runtime *runtime = logging_runtime();
    pawl_logs *logs = attach(runtime, gate_exporter(&gate), (pawl_logs_options){.schedule_delay_ns = PAWL_UNLIMITED});
    say(runtime, 700);
    end(logs, runtime);
    assert_int_equal(gate.items, 700);
}

static void ends_although_an_exporter_hangs(void **state) {
    (void)state;
    struct gate gate = open_gate();
    pawl_runtime *runtime = logging_runtime();
    pawl_logs *logs = attach(
        runtime, gate_exporter(&gate),
        (pawl_logs_options){.shutdown_timeout_ns = PAWL_MS(20), .max_batch_size = 1, .schedule_delay_ns = PAWL_ZERO});
    set_closed(&gate, true);
    say(runtime, 3);
    wait_for_calls(&gate, 1);
    assert_int_equal(pawl_runtime_flush(runtime, PAWL_MS(5), NULL), PAWL_E_TIMEOUT);
    pawl_runtime_unref(runtime);
    assert_true(gate.cancelled);
    assert_int_equal(stats_of(logs).dropped_shutdown, 2);
    assert_int_equal(stats_of(logs).queue_size, 0);
    pawl_logs_unref(logs);
}

/* Takes the second that it is given to come back. */
static void lets_go_of_an_exporter_when_it_comes_back_late(void **state) {
    (void)state;
    static struct gate gate; /* the thread may outlive the test by a moment */
    gate = open_gate();
    gate.ignores_cancel = true;
    pawl_runtime *runtime = logging_runtime();
    pawl_logs *logs = attach(
        runtime, gate_exporter(&gate),
        (pawl_logs_options){.shutdown_timeout_ns = PAWL_MS(1), .max_batch_size = 1, .schedule_delay_ns = PAWL_ZERO});
    set_closed(&gate, true);
    say(runtime, 3);
    wait_for_calls(&gate, 1);
    end(logs, runtime);
    assert_false(gate.destroyed);
    set_closed(&gate, false);
    wait_for_its_end(&gate);
    assert_int_equal(gate.calls, 1);
}

static void tells_a_flush_what_failed(void **state) {
    (void)state;
    struct gate gate = open_gate();
    pawl_runtime *runtime = logging_runtime();
    pawl_logs *logs = attach(runtime, gate_exporter(&gate), (pawl_logs_options){.max_batch_size = 1});
    pawl_error *error = NULL;
    gate.answer = PAWL_E_DENIED;
    say(runtime, 1);
    pawl_status status = pawl_runtime_flush(runtime, PAWL_S(30), &error);
    assert_true(status == PAWL_E_DENIED || status == PAWL_OK); /* a batch is full: it may have failed before */
    assert_int_equal(pawl_error_status(error), status);
    pawl_error_unref(error);
    assert_int_equal(stats_of(logs).failed, 1);
    end(logs, runtime);
}

static void sends_nothing_twice_after_a_fork(void **state) {
    (void)state;
    struct gate gate = open_gate();
    pawl_runtime *runtime = logging_runtime();
    pawl_logs *logs = attach(runtime, gate_exporter(&gate), (pawl_logs_options){.schedule_delay_ns = PAWL_UNLIMITED});
    say(runtime, 2);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        say(runtime, 5);
        bool refused = pawl_runtime_flush(runtime, PAWL_S(1), NULL) == PAWL_E_INVALID;
        pawl_runtime_unref(runtime);
        _exit(refused && gate.calls == 0 && stats_of(logs).queue_size == 2 ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    end(logs, runtime);
    assert_int_equal(gate.items, 2);
}

static void *say_much(void *runtime) {
    say(runtime, 300);
    return NULL;
}

static void takes_records_of_many_threads(void **state) {
    (void)state;
    struct gate gate = open_gate();
    pawl_runtime *runtime = logging_runtime();
    pawl_logs *logs = attach(runtime, gate_exporter(&gate),
                             (pawl_logs_options){.max_batch_size = 7, .schedule_delay_ns = PAWL_MS(1)});
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, say_much, runtime), 0);
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(pawl_runtime_flush(runtime, PAWL_S(30), NULL), PAWL_OK);
    assert_int_equal(gate.items + stats_of(logs).dropped_full, 1200);
    end(logs, runtime);
}

/* ---- options ---- */

static void drop_lines(void *user, const char *lines, size_t length) {
    (void)user, (void)lines, (void)length;
}

static void refuses_bad_options(void **state) {
    (void)state;
    struct gate gate = open_gate();
    pawl_exporter *exporter = gate_exporter(&gate), *none = NULL;
    const pawl_logs_options bad[] = {
        {.size = sizeof *bad},
        {.size = sizeof *bad, .exporter_count = 1},
        {.size = sizeof *bad, .exporters = &none, .exporter_count = 1},
        {.size = sizeof *bad, .exporters = &exporter, .exporter_count = 9},
        {.size = sizeof *bad, .write = drop_lines, .level = 9},
        {.size = sizeof *bad, .write = drop_lines, .format = 2},
        {.size = sizeof *bad, .write = drop_lines, .max_queue_size = PAWL_ZERO},
        {.size = sizeof *bad, .write = drop_lines, .max_queue_size = 10, .max_batch_size = 11},
        {.size = sizeof *bad, .write = drop_lines, .shutdown_timeout_ns = PAWL_UNLIMITED},
        {.size = sizeof *bad, .write = drop_lines, .attribute_count_limit = 1025},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        pawl_error *error = NULL;
        assert_null(pawl_logs_new(&bad[i], &error));
        assert_int_equal(pawl_error_status(error), PAWL_E_INVALID);
        pawl_error_unref(error);
    }
    pawl_exporter_unref(exporter);
}

static void is_attached_once(void **state) {
    (void)state;
    struct fake_clock time = {.now_ns = 0};
    pawl_runtime *runtime = virtual_runtime(&time);
    pawl_logs *logs = attach(runtime, NULL, (pawl_logs_options){.write = drop_lines});
    assert_int_equal(pawl_logs_attach(logs, runtime, NULL), PAWL_E_INVALID);
    assert_int_equal(pawl_logs_attach(NULL, runtime, NULL), PAWL_E_INVALID);
    end(logs, runtime);
    logs = pawl_logs_with(NULL, .write = drop_lines);
    assert_int_equal(pawl_logs_attach(logs, NULL, NULL), PAWL_E_INVALID);
    pawl_logs_unref(pawl_logs_ref(logs));
    pawl_logs_unref(logs);
    pawl_logs_get_stats(NULL, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hands_records_on_without_being_asked),
        cmocka_unit_test(hands_full_batches_on_at_once),
        cmocka_unit_test(drops_and_counts_what_does_not_fit),
        cmocka_unit_test(bounds_the_bytes_that_wait),
        cmocka_unit_test(takes_only_what_is_important_enough),
        cmocka_unit_test(keeps_within_the_limits_of_a_record),
        cmocka_unit_test(exports_the_rest_at_the_end),
        cmocka_unit_test(ends_although_an_exporter_hangs),
        cmocka_unit_test(lets_go_of_an_exporter_when_it_comes_back_late),
        cmocka_unit_test(tells_a_flush_what_failed),
        cmocka_unit_test(sends_nothing_twice_after_a_fork),
        cmocka_unit_test(takes_records_of_many_threads),
        cmocka_unit_test(refuses_bad_options),
        cmocka_unit_test(is_attached_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
