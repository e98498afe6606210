/* Chrome traces: lanes without overlaps, and a file that is JSON at any time. */
#include "chrome_trace_internal.h"
#include "export_internal.h"
#include "failing_malloc.h"
#include "telemetry_data.h"
#include <cjson/cJSON.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

/* ---- lanes ---- */

/* One letter an id; the parent's is '.' for none. */
static struct pawl_chrome_span span_of(char id, char parent, uint64_t start, uint64_t end, size_t order) {
    struct pawl_chrome_span span = {.start = start, .end = end, .order = order};
    span.span_id[0] = (uint8_t)id;
    span.parent_id[0] = parent == '.' ? 0 : (uint8_t)parent;
    return span;
}

static uint32_t lane_of(const struct pawl_chrome_span *spans, size_t count, char id) {
    for (size_t i = 0; i < count; i++)
        if (spans[i].span_id[0] == (uint8_t)id)
            return spans[i].lane;
    fail_msg("no span %c", id);
    return 0;
}

static void steps_share_their_parents_lane(void **state) {
    (void)state;
    struct pawl_chrome_span spans[] = {span_of('a', 'r', 0, 10, 0), span_of('c', 'b', 12, 18, 1),
                                       span_of('b', 'r', 10, 20, 2), span_of('r', '.', 0, 30, 3)};
    assert_int_equal(pawl_chrome_lay_out(spans, 4), 1);
}

static void branches_have_lanes_of_their_own_with_their_children(void **state) {
    (void)state;
    struct pawl_chrome_span spans[] = {span_of('x', 'a', 1, 4, 0),  span_of('y', 'b', 2, 5, 1),
                                       span_of('a', 'r', 0, 10, 2), span_of('b', 'r', 1, 9, 3),
                                       span_of('c', 'r', 9, 12, 4), span_of('r', '.', 0, 20, 5)};
    assert_int_equal(pawl_chrome_lay_out(spans, 6), 2);
    assert_int_equal(lane_of(spans, 6, 'r'), 0);
    assert_int_equal(lane_of(spans, 6, 'a'), 0);
    assert_int_equal(lane_of(spans, 6, 'x'), 0);
    assert_int_equal(lane_of(spans, 6, 'b'), 1);
    assert_int_equal(lane_of(spans, 6, 'y'), 1);
    assert_int_equal(lane_of(spans, 6, 'c'), 1); /* b is over, a is not */
}

static void what_outlives_its_parent_is_beside_it(void **state) {
    (void)state;
    struct pawl_chrome_span spans[] = {span_of('r', '.', 0, 10, 0), span_of('a', 'r', 5, 15, 1)};
    assert_int_equal(pawl_chrome_lay_out(spans, 2), 2);
}

static void what_takes_no_time_is_within_its_parent(void **state) {
    (void)state;
    struct pawl_chrome_span spans[] = {span_of('a', 'r', 5, 5, 0), span_of('b', 'r', 5, 5, 1),
                                       span_of('r', '.', 5, 5, 2)};
    assert_in_range(pawl_chrome_lay_out(spans, 3), 1, 3);
}

/* Whether one is the other's ancestor. */
static bool is_above(const struct pawl_chrome_span *spans, size_t count, const struct pawl_chrome_span *above,
                     const struct pawl_chrome_span *span) {
    for (size_t steps = 0; steps < count; steps++) {
        const struct pawl_chrome_span *parent = NULL;
        for (size_t i = 0; i < count; i++)
            if (memcmp(spans[i].span_id, span->parent_id, 8) == 0)
                parent = &spans[i];
        if (!parent || parent == above)
            return parent != NULL;
        span = parent;
    }
    return false;
}

static void no_two_spans_of_a_lane_overlap(void **state) {
    (void)state;
    uint64_t seed = 1;
    for (int round = 0; round < 300; round++) {
        struct pawl_chrome_span spans[40];
        size_t count = 1 + (size_t)round % 40;
        for (size_t i = 0; i < count; i++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            uint64_t start = (seed >> 33) % 50, length = 1 + (seed >> 40) % 30;
            spans[i] = span_of((char)(i + 1), i ? (char)(1 + (seed >> 50) % i) : '.', start, start + length, i);
        }
        assert_in_range(pawl_chrome_lay_out(spans, count), 1, count);
        for (size_t i = 0; i < count; i++)
            for (size_t k = i + 1; k < count; k++) {
                const struct pawl_chrome_span *a = &spans[i], *b = &spans[k];
                if (a->lane != b->lane || a->end <= b->start || b->end <= a->start)
                    continue;
                assert_true((is_above(spans, count, a, b) && a->start <= b->start && b->end <= a->end) ||
                            (is_above(spans, count, b, a) && b->start <= a->start && a->end <= b->end));
            }
    }
}

static void traces_that_run_together_have_tracks_of_their_own(void **state) {
    (void)state;
    static struct pawl_chrome_tracks tracks;
    assert_int_equal(pawl_chrome_track(&tracks, 0, 50, 60), 0);
    assert_int_equal(pawl_chrome_track(&tracks, 0, 70, 80), 0);
    assert_int_equal(pawl_chrome_track(&tracks, 0, 0, 100), 1);
    assert_int_equal(pawl_chrome_track(&tracks, 2, 0, 100), 2);
    for (uint64_t i = 0; i < 100; i++)
        assert_int_equal(pawl_chrome_track(&tracks, 0, 100 + i, 101 + i), 0);
    assert_int_equal(pawl_chrome_track(&tracks, 0, 65, 66), 3); /* track 0 has forgotten that time */
    for (uint64_t i = 0; i < 1000; i++)
        assert_in_range(pawl_chrome_track(&tracks, 0, 0, 100), 0, PAWL_CHROME_TRACKS);
}

/* ---- the file ---- */

static char path[64];

static int set_up(void **state) {
    (void)state;
    (void)snprintf(path, sizeof path, "/tmp/chrome_trace_XXXXXX");
    int fd = mkstemp(path);
    if (fd < 0)
        return -1;
    (void)!write(fd, "old", 3);
    return close(fd);
}

static int tear_down(void **state) {
    (void)state;
    return unlink(path);
}

/* Reads it as a viewer does: the array's end may be missing. To be deleted. */
static cJSON *read_events(void) {
    static char text[1 << 22];
    FILE *file = fopen(path, "r");
    size_t length = fread(text, 1, sizeof text - 3, file);
    (void)fclose(file);
    if (length < 3 || memcmp(text + length - 3, "\n]\n", 3) != 0)
        text[length++] = ']';
    text[length] = '\0';
    cJSON *events = cJSON_Parse(text);
    if (!events)
        fail_msg("no JSON: %s", text);
    return events;
}

static cJSON *find_event(const cJSON *events, const char *name) {
    cJSON *event;
    cJSON_ArrayForEach(event, events) {
        if (strcmp(cJSON_GetStringValue(cJSON_GetObjectItem(event, "name")), name) == 0)
            return event;
    }
    fail_msg("no event '%s'", name);
    return NULL;
}

static double number_of(const cJSON *event, const char *member) {
    return cJSON_GetNumberValue(cJSON_GetObjectItem(event, member));
}

static const char *arg_of(const cJSON *event, const char *name) {
    return cJSON_GetStringValue(cJSON_GetObjectItem(cJSON_GetObjectItem(event, "args"), name));
}

static pawl_chrome_trace_stats stats_of(const pawl_exporter *exporter) {
    pawl_chrome_trace_stats stats = {.size = sizeof stats};
    assert_int_equal(pawl_chrome_trace_get_stats(exporter, &stats, NULL), PAWL_OK);
    return stats;
}

/* The full span as the root of its trace, and a child of it. */
static void fill_trace(pawl_span_data spans[2]) {
    spans[1] = *full_span();
    memset(spans[1].parent_span_id, 0, 8);
    spans[1].flags = 0x101;
    spans[0] = usual_span(3);
    memcpy(spans[0].trace_id, spans[1].trace_id, 16);
    memcpy(spans[0].parent_span_id, spans[1].span_id, 8);
    spans[0].start_unix_ns = spans[1].start_unix_ns + 1500;
    spans[0].end_unix_ns = spans[1].start_unix_ns + 2750;
}

static void writes_spans_events_and_arguments(void **state) {
    (void)state;
    pawl_span_data spans[2];
    fill_trace(spans);
    pawl_resource *resource = pawl_resource_with(NULL, .service_name = "shop");
    pawl_exporter *exporter = pawl_chrome_trace_new(path, NULL, NULL);
    assert_int_equal(pawl_exporter_spans(exporter, resource, spans, 2, 0, NULL), PAWL_OK);
    assert_int_equal(stats_of(exporter).written, 2);
    cJSON *events = read_events();
    const cJSON *run = find_event(events, "run"), *full = find_event(events, "full " MENDED_UTF8);
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(run, "ph")), "X");
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(run, "cat")), "code_execution");
    assert_int_equal(number_of(run, "dur") * 1000, 1250);
    assert_int_equal((number_of(run, "ts") - number_of(full, "ts")) * 1000 + 0.5, 1500);
    assert_int_equal(number_of(run, "pid"), getpid());
    assert_int_equal(number_of(run, "tid"), 1);
    assert_int_equal(number_of(full, "tid"), 1);
    assert_string_equal(arg_of(run, "gen_ai.tool.name"), "python");
    assert_string_equal(arg_of(run, "error"), "the program exited with 1");
    assert_string_equal(arg_of(run, "trace_id"), "0102030405060708090a0b0c0d0e0f10");
    assert_string_equal(arg_of(full, "bad"), MENDED_UTF8);
    assert_string_equal(arg_of(full, "nan"), "NaN");
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(find_event(events, "exception"), "ph")), "i");
    assert_string_equal(arg_of(find_event(events, "process_name"), "name"), "shop");
    cJSON_Delete(events);
    pawl_exporter_unref(exporter);
    events = read_events();
    assert_int_equal(cJSON_GetArraySize(events), 3 + 2 + 3);
    cJSON_Delete(events);
    pawl_resource_unref(resource);
}

static void waits_for_the_root_and_writes_the_rest_at_the_end(void **state) {
    (void)state;
    pawl_span_data spans[2];
    fill_trace(spans);
    pawl_exporter *exporter = pawl_chrome_trace_new(path, NULL, NULL);
    assert_int_equal(pawl_exporter_spans(exporter, NULL, spans, 1, 0, NULL), PAWL_OK);
    assert_int_equal(stats_of(exporter).waiting, 1);
    assert_int_equal(pawl_exporter_spans(exporter, NULL, spans + 1, 1, 0, NULL), PAWL_OK);
    assert_int_equal(stats_of(exporter).waiting, 0);
    assert_int_equal(stats_of(exporter).written, 2);
    assert_int_equal(pawl_exporter_spans(exporter, NULL, spans, 1, 0, NULL), PAWL_OK);
    assert_int_equal(stats_of(exporter).waiting, 1);
    pawl_exporter_unref(exporter);
    cJSON *events = read_events();
    assert_int_equal(cJSON_GetArraySize(events), 3 + 2 + 2 + 3);
    cJSON_Delete(events);
}

static void keeps_no_more_traces_than_it_may(void **state) {
    (void)state;
    static char large[1 << 20];
    memset(large, 'x', sizeof large - 1);
    pawl_span_data span = usual_span(1); /* no root */
    pawl_exporter *exporter = pawl_chrome_trace_new(path, NULL, NULL);
    for (uint32_t i = 0; i < 5000; i++) {
        memcpy(span.trace_id, &i, sizeof i);
        assert_int_equal(pawl_exporter_spans(exporter, NULL, &span, 1, 0, NULL), PAWL_OK);
    }
    assert_int_equal(stats_of(exporter).waiting, 4096);
    span.status_message = large;
    for (uint32_t i = 0; i < 70; i++)
        assert_int_equal(pawl_exporter_spans(exporter, NULL, &span, 1, 0, NULL), PAWL_OK);
    assert_true(stats_of(exporter).waiting < 70);
    assert_int_equal(stats_of(exporter).dropped, 0);
    pawl_exporter_unref(exporter);
}

static void is_full_at_its_bound(void **state) {
    (void)state;
    pawl_span_data spans[2];
    fill_trace(spans);
    pawl_exporter *exporter = pawl_chrome_trace_with(path, NULL, .max_bytes = 2500);
    assert_int_equal(pawl_exporter_spans(exporter, NULL, spans, 2, 0, NULL), PAWL_OK);
    assert_int_equal(pawl_exporter_spans(exporter, NULL, spans, 2, 0, NULL), PAWL_E_LIMIT);
    assert_true(stats_of(exporter).dropped > 0);
    pawl_exporter_unref(exporter);
    cJSON_Delete(read_events());
}

static void a_forked_child_writes_its_own_spans_alone(void **state) {
    (void)state;
    int status;
    pawl_span_data spans[2];
    fill_trace(spans);
    pawl_exporter *exporter = pawl_chrome_trace_new(path, NULL, NULL);
    assert_int_equal(pawl_exporter_spans(exporter, NULL, spans, 1, 0, NULL), PAWL_OK);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        bool right = pawl_exporter_spans(exporter, NULL, spans + 1, 1, 0, NULL) == PAWL_OK;
        right = right && stats_of(exporter).written == 1;
        pawl_exporter_unref(exporter);
        _exit(right ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(pawl_exporter_spans(exporter, NULL, spans + 1, 1, 0, NULL), PAWL_OK);
    pawl_exporter_unref(exporter);
    cJSON *events = read_events();
    assert_int_equal(cJSON_GetArraySize(events), 3 + 3 + 2 + 3);
    cJSON_Delete(events);
}

static void refuses_what_is_no_regular_file(void **state) {
    (void)state;
    pawl_error *error = NULL;
    assert_null(pawl_chrome_trace_new("/dev/null", NULL, &error));
    assert_int_equal(pawl_error_status(error), PAWL_E_INVALID);
    pawl_error_unref(error);
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    pawl_span_data spans[2];
    fill_trace(spans);
    for_each_failing_allocation(n) {
        pawl_error *error = NULL;
        pawl_exporter *exporter = pawl_chrome_trace_new(path, NULL, &error);
        pawl_status status = exporter ? pawl_exporter_spans(exporter, NULL, spans, 2, 0, &error) : PAWL_E_NOMEM;
        assert_true(status == PAWL_OK || (allocations_failed() > 0 && error));
        if (exporter)
            assert_int_equal(stats_of(exporter).written + stats_of(exporter).dropped + stats_of(exporter).waiting, 2);
        pawl_exporter_unref(exporter);
        pawl_error_unref(error);
    }
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_share_their_parents_lane),
        cmocka_unit_test(branches_have_lanes_of_their_own_with_their_children),
        cmocka_unit_test(what_outlives_its_parent_is_beside_it),
        cmocka_unit_test(what_takes_no_time_is_within_its_parent),
        cmocka_unit_test(no_two_spans_of_a_lane_overlap),
        cmocka_unit_test(traces_that_run_together_have_tracks_of_their_own),
        TEST(writes_spans_events_and_arguments),
        TEST(waits_for_the_root_and_writes_the_rest_at_the_end),
        TEST(keeps_no_more_traces_than_it_may),
        TEST(is_full_at_its_bound),
        TEST(a_forked_child_writes_its_own_spans_alone),
        TEST(refuses_what_is_no_regular_file),
        TEST(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
