/* Lines of telemetry in a file: whole ones, bounded, shared; and what a full disk costs. */
#include "export_internal.h"
#include "failing_malloc.h"
#include "json_scan_internal.h"
#include "line_file_internal.h"
#include "telemetry_data.h"
#include "trace_reader_internal.h"
#include <fcntl.h>
#include <pawl/observability/trace_file.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

static char folder[64], path[96];

static int set_up(void **state) {
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/trace_file_XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    (void)snprintf(path, sizeof path, "%s/trace.jsonl", folder);
    return 0;
}

static const char *sibling(int number) {
    static char name[128];
    (void)snprintf(name, sizeof name, "%s.%d", path, number);
    return name;
}

static int tear_down(void **state) {
    (void)state;
    unlink(path);
    for (int i = 0; i < 10; i++)
        unlink(sibling(i));
    return rmdir(folder);
}

/* The file's text, to be freed; NULL when it is not there. */
static char *read_file(const char *name) {
    FILE *file = fopen(name, "r");
    char *text = file ? calloc(1, 1 << 22) : NULL;
    if (text)
        (void)!fread(text, 1, (1 << 22) - 1, file);
    if (file)
        (void)fclose(file);
    return text;
}

/* How many lines a file has; each must be JSON. */
static size_t lines_of(const char *name) {
    char *text = read_file(name);
    size_t lines = 0;
    assert_non_null(text);
    for (char *at = text, *end; (end = strchr(at, '\n')); at = end + 1, lines++) {
        struct pawl_json_scan scan = pawl_json_scan(at, (size_t)(end - at), 100);
        assert_int_equal(scan.status, PAWL_OK);
        if (!end[1])
            break;
    }
    lines += *text != '\0';
    assert_true(*text == '\0' || text[strlen(text) - 1] == '\n');
    free(text);
    return lines;
}

static pawl_status put_span(pawl_exporter *exporter, uint32_t number) {
    pawl_span_data span = usual_span(number);
    return pawl_exporter_spans(exporter, NULL, &span, 1, PAWL_S(1), NULL);
}

static pawl_trace_file_stats stats_of(pawl_exporter *exporter) {
    pawl_trace_file_stats stats = {.size = sizeof stats};
    assert_int_equal(pawl_trace_file_get_stats(exporter, &stats, NULL), PAWL_OK);
    return stats;
}

static void writes_each_signal_as_a_line_of_its_own(void **state) {
    (void)state;
    size_t count;
    struct stat about;
    pawl_exporter *exporter = pawl_trace_file_new(path, NULL, NULL);
    assert_int_equal(pawl_exporter_spans(exporter, NULL, full_span(), 1, 0, NULL), PAWL_OK);
    const pawl_metric_data *metrics = all_metrics(&count);
    assert_int_equal(pawl_exporter_metrics(exporter, NULL, metrics, count, 0, NULL), PAWL_OK);
    const pawl_log_data *logs = all_logs(&count);
    assert_int_equal(pawl_exporter_logs(exporter, NULL, logs, count, 0, NULL), PAWL_OK);
    pawl_trace_file_stats stats = stats_of(exporter);
    assert_int_equal(lines_of(path), 3);
    assert_int_equal(stats.lines, 3);
    assert_int_equal(stats.written, 1 + 11 + 5);
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(about.st_mode & 07777, 0600);
    assert_int_equal(about.st_size, stats.bytes);
    char *text = read_file(path);
    assert_memory_equal(text, "{\"resourceSpans\":[", 18);
    free(text);
    pawl_exporter_unref(exporter);
}

static void appends_to_what_is_there(void **state) {
    (void)state;
    for (uint32_t i = 0; i < 3; i++) {
        pawl_exporter *exporter = pawl_trace_file_new(path, NULL, NULL);
        assert_int_equal(put_span(exporter, i), PAWL_OK);
        pawl_exporter_unref(exporter);
    }
    assert_int_equal(lines_of(path), 3);
}

static void keeps_so_many_files_of_so_many_bytes(void **state) {
    (void)state;
    pawl_exporter *exporter = pawl_trace_file_with(path, NULL, .max_bytes = 8000, .max_files = 3);
    for (uint32_t i = 0; i < 100; i++)
        assert_int_equal(put_span(exporter, i), PAWL_OK);
    size_t each = lines_of(sibling(1));
    assert_in_range(each, 2, 12);
    assert_int_equal(lines_of(sibling(2)), each);
    assert_in_range(lines_of(path), 1, each);
    assert_int_equal(access(sibling(3), F_OK), -1);
    assert_int_equal(stats_of(exporter).rotated, (100 - 1) / each);
    char *last = read_file(path);
    assert_non_null(strstr(last, "\"spanId\":\"63000000")); /* the newest, number 99 */
    free(last);
    pawl_exporter_unref(exporter);
}

static void keeps_one_file_alone_when_told(void **state) {
    (void)state;
    pawl_exporter *exporter = pawl_trace_file_with(path, NULL, .max_bytes = 8000, .max_files = 1);
    for (uint32_t i = 0; i < 30; i++)
        assert_int_equal(put_span(exporter, i), PAWL_OK);
    assert_in_range(lines_of(path), 1, 12);
    assert_int_equal(access(sibling(1), F_OK), -1);
    pawl_exporter_unref(exporter);
}

static void halves_a_batch_that_does_not_fit_a_line(void **state) {
    (void)state;
    pawl_span_data spans[8];
    for (uint32_t i = 0; i < 8; i++)
        spans[i] = usual_span(i);
    pawl_exporter *exporter = pawl_trace_file_with(path, NULL, .max_bytes = 4000, .max_files = 9);
    assert_int_equal(pawl_exporter_spans(exporter, NULL, spans, 8, 0, NULL), PAWL_OK);
    assert_int_equal(stats_of(exporter).written, 8);
    assert_int_equal(stats_of(exporter).lines, 4);
    pawl_exporter_unref(exporter);
    exporter = pawl_trace_file_with(path, NULL, .max_bytes = 1024);
    assert_int_equal(pawl_exporter_spans(exporter, NULL, spans, 8, 0, NULL), PAWL_E_LIMIT);
    assert_int_equal(stats_of(exporter).dropped, 8);
    pawl_exporter_unref(exporter);
}

static void never_moves_a_link(void **state) {
    (void)state;
    struct stat about;
    assert_int_equal(symlink(sibling(9), path), 0);
    pawl_exporter *exporter = pawl_trace_file_with(path, NULL, .max_bytes = 3000);
    for (uint32_t i = 0; i < 10; i++)
        (void)put_span(exporter, i);
    pawl_trace_file_stats stats = stats_of(exporter);
    assert_int_equal(stats.rotated, 0);
    assert_int_equal(stats.written + stats.dropped, 10);
    assert_int_equal(lines_of(sibling(9)), stats.written);
    assert_true(lstat(path, &about) == 0 && S_ISLNK(about.st_mode));
    pawl_exporter_unref(exporter);
}

static void goes_on_when_the_file_was_moved_away(void **state) {
    (void)state;
    pawl_exporter *exporter = pawl_trace_file_new(path, NULL, NULL);
    assert_int_equal(put_span(exporter, 1), PAWL_OK);
    assert_int_equal(rename(path, sibling(7)), 0);
    assert_int_equal(put_span(exporter, 2), PAWL_OK);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(put_span(exporter, 3), PAWL_OK);
    assert_int_equal(lines_of(path), 1);
    pawl_exporter_unref(exporter);
}

static void a_full_disk_costs_whole_lines_and_is_counted(void **state) {
    (void)state;
    struct rlimit before, tight = {.rlim_cur = 3000};
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    tight.rlim_max = before.rlim_max;
    pawl_exporter *exporter = pawl_trace_file_new(path, NULL, NULL);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
    size_t written = 0;
    for (uint32_t i = 0; i < 10; i++)
        written += put_span(exporter, i) == PAWL_OK;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_in_range(written, 1, 4);
    assert_int_equal(stats_of(exporter).written, written);
    assert_int_equal(stats_of(exporter).dropped, 10 - written);
    assert_int_equal(put_span(exporter, 77), PAWL_OK);
    assert_int_equal(lines_of(path), written + 1);
    pawl_exporter_unref(exporter);
    (void)signal(SIGXFSZ, handler);
}

static void a_device_that_is_full_is_an_error_alone(void **state) {
    (void)state;
    pawl_error *error = NULL;
    pawl_exporter *exporter = pawl_trace_file_new("/dev/full", NULL, NULL);
    pawl_span_data span = usual_span(1);
    assert_int_equal(pawl_exporter_spans(exporter, NULL, &span, 1, 0, &error), PAWL_E_UNAVAILABLE);
    assert_non_null(strstr(pawl_error_message(error), "/dev/full"));
    assert_int_equal(stats_of(exporter).dropped, 1);
    pawl_error_unref(error);
    pawl_exporter_unref(exporter);
}

static bool write_fifty(pawl_exporter *exporter) {
    bool right = true;
    for (uint32_t k = 0; k < 50; k++)
        right = put_span(exporter, k) == PAWL_OK && right;
    pawl_exporter_unref(exporter);
    return right;
}

static void children_and_parent_may_write_the_same_file(void **state) {
    (void)state;
    pawl_exporter *exporter = pawl_trace_file_new(path, NULL, NULL);
    pid_t pids[3];
    for (size_t i = 0; i < 3; i++) {
        pids[i] = fork();
        if (pids[i] == 0)
            _exit(write_fifty(exporter) ? 0 : 1);
    }
    assert_true(write_fifty(pawl_exporter_ref(exporter)));
    for (size_t i = 0; i < 3; i++) {
        int status;
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_int_equal(status, 0);
    }
    assert_int_equal(lines_of(path), 200);
    pawl_exporter_unref(exporter);
}

static void processes_that_move_files_at_once_lose_none(void **state) {
    (void)state;
    enum { CHILDREN = 3 };
    const pawl_trace_file_options options = {.size = sizeof options, .max_bytes = 16384, .max_files = 1000};
    pawl_exporter *exporter = pawl_trace_file_new(path, &options, NULL);
    pid_t children[CHILDREN];
    for (int i = 0; i < CHILDREN; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            bool written = true;
            for (int j = 0; j < 10; j++)
                written = write_fifty(pawl_trace_file_new(path, &options, NULL)) && written;
            _exit(!written);
        }
    }
    for (int i = 0; i < CHILDREN; i++) {
        int status = 0;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
    size_t lines = lines_of(path);
    for (int i = 1; access(sibling(i), F_OK) == 0; i++) {
        lines += lines_of(sibling(i));
        unlink(sibling(i));
    }
    assert_int_equal(lines, CHILDREN * 500);
    pawl_exporter_unref(exporter);
}

/* Whoever moves files holds it meanwhile, which takes as long as a busy machine lets it. */
static int lock_file(void) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    return fd;
}

static void *unlock_later(void *user) {
    static const struct timespec later = {.tv_nsec = 250000000};
    nanosleep(&later, NULL);
    close(*(int *)user);
    return NULL;
}

static void waits_for_one_that_takes_its_time_to_move_files(void **state) {
    (void)state;
    pthread_t thread;
    pawl_exporter *exporter = pawl_trace_file_with(path, NULL, .max_bytes = 3000, .max_files = 2);
    while (stats_of(exporter).rotated == 0)
        assert_int_equal(put_span(exporter, 1), PAWL_OK);
    int fd = lock_file();
    assert_int_equal(pthread_create(&thread, NULL, unlock_later, &fd), 0);
    while (stats_of(exporter).rotated == 1)
        assert_int_equal(put_span(exporter, 2), PAWL_OK);
    pthread_join(thread, NULL);
    pawl_exporter_unref(exporter);
}

static void waits_only_once_for_one_that_never_ends(void **state) {
    (void)state;
    pawl_exporter *exporter = pawl_trace_file_with(path, NULL, .max_bytes = 3000, .max_files = 2);
    while (stats_of(exporter).rotated == 0)
        assert_int_equal(put_span(exporter, 1), PAWL_OK);
    int fd = lock_file();
    while (put_span(exporter, 2) == PAWL_OK) {
    }
    uint64_t begin = pawl_export_now();
    for (int i = 0; i < 100; i++)
        assert_int_equal(put_span(exporter, 3), PAWL_E_UNAVAILABLE);
    assert_true(pawl_export_now() - begin < PAWL_S(5)); /* and not a second each */
    close(fd);
    assert_int_equal(put_span(exporter, 4), PAWL_OK);
    pawl_exporter_unref(exporter);
}

static void moves_no_more_files_than_it_must(void **state) {
    (void)state;
    pawl_exporter *exporter = pawl_trace_file_with(path, NULL, .max_bytes = 3000, .max_files = 1000);
    while (stats_of(exporter).rotated < 3)
        assert_int_equal(put_span(exporter, 1), PAWL_OK);
    assert_int_equal(unlink(sibling(2)), 0);
    while (stats_of(exporter).rotated < 4)
        assert_int_equal(put_span(exporter, 2), PAWL_OK);
    assert_int_equal(access(sibling(2), F_OK), 0); /* the hole is filled */
    assert_int_equal(access(sibling(3), F_OK), 0);
    assert_int_equal(access(sibling(4), F_OK), -1);
    pawl_exporter_unref(exporter);
}

static void expect_refused(const char *name, const pawl_trace_file_options *options, pawl_status status) {
    pawl_error *error = NULL;
    assert_null(pawl_trace_file_new(name, options, &error));
    assert_int_equal(pawl_error_status(error), status);
    pawl_error_unref(error);
}

static void says_what_cannot_be_a_file(void **state) {
    (void)state;
    char missing[128], pipe[128];
    (void)snprintf(missing, sizeof missing, "%s/none/x", folder);
    (void)snprintf(pipe, sizeof pipe, "%s.5", path);
    assert_int_equal(mkfifo(pipe, 0600), 0);
    int reader = open(pipe, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    expect_refused(missing, NULL, PAWL_E_NOT_FOUND);
    expect_refused(pipe, NULL, PAWL_E_INVALID);
    expect_refused("", NULL, PAWL_E_INVALID);
    expect_refused(NULL, NULL, PAWL_E_INVALID);
    expect_refused(folder, NULL, PAWL_E_UNAVAILABLE);
#define OPTIONS(...) &(pawl_trace_file_options){.size = sizeof(pawl_trace_file_options), __VA_ARGS__}
    expect_refused(path, OPTIONS(.max_bytes = 1023), PAWL_E_INVALID);
    expect_refused(path, OPTIONS(.max_bytes = PAWL_ZERO), PAWL_E_INVALID);
    expect_refused(path, OPTIONS(.max_files = 1001), PAWL_E_INVALID);
    close(reader);
}

static bool compare_span(void *user, const struct pawl_trace_span *span) {
    const pawl_span_data *full = full_span();
    (void)user;
    assert_memory_equal(span->trace_id, full->trace_id, 16);
    assert_memory_equal(span->span_id, full->span_id, 8);
    assert_memory_equal(span->parent_span_id, full->parent_span_id, 8);
    assert_string_equal(span->name, "full " MENDED_UTF8);
    assert_string_equal(span->trace_state, full->tracestate);
    assert_true(span->start_ns == full->start_unix_ns && span->end_ns == full->end_unix_ns);
    assert_int_equal(span->kind, full->kind);
    assert_int_equal(span->flags, full->flags);
    assert_int_equal(span->status.code, 2);
    assert_int_equal(cJSON_GetArraySize(span->attributes), full->attribute_count);
    assert_int_equal(cJSON_GetArraySize(span->events), full->event_count);
    assert_int_equal(cJSON_GetArraySize(span->links), full->link_count);
    assert_int_equal(span->dropped_links, full->dropped_links);
    return true;
}

static void is_read_by_the_trace_reader(void **state) {
    (void)state;
    size_t count;
    struct pawl_trace_reading reading;
    const struct pawl_trace_sink sink = {.span = compare_span};
    pawl_exporter *exporter = pawl_trace_file_new(path, NULL, NULL);
    assert_int_equal(pawl_exporter_spans(exporter, NULL, full_span(), 1, 0, NULL), PAWL_OK);
    const pawl_log_data *logs = all_logs(&count);
    assert_int_equal(pawl_exporter_logs(exporter, NULL, logs, count, 0, NULL), PAWL_OK);
    pawl_exporter_unref(exporter);
    char *text = read_file(path);
    assert_int_equal(pawl_trace_read(text, strlen(text), NULL, &sink, &reading, NULL), PAWL_OK);
    assert_int_equal(reading.spans, 1);
    assert_int_equal(reading.other_lines, 1);
    assert_int_equal(reading.bad_lines + reading.bad_spans, 0);
    free(text);
}

struct lines {
    size_t count, bytes;
    bool right;
};

static void take_line(void *user, const char *text, size_t length) {
    struct lines *lines = user;
    lines->count++;
    lines->bytes += length;
    lines->right = lines->right && text[length - 1] == '\n' && memchr(text, '\n', length) == text + length - 1;
}

static void gives_the_same_lines_to_a_callback(void **state) {
    (void)state;
    struct lines lines = {.right = true};
    pawl_exporter *exporter = pawl_trace_lines_new(take_line, &lines, NULL);
    assert_int_equal(pawl_exporter_spans(exporter, NULL, full_span(), 1, 0, NULL), PAWL_OK);
    assert_int_equal(put_span(exporter, 1), PAWL_OK);
    assert_int_equal(lines.count, 2);
    assert_true(lines.right);
    assert_int_equal(stats_of(exporter).bytes, lines.bytes);
    pawl_exporter_unref(exporter);
    assert_null(pawl_trace_lines_new(NULL, NULL, NULL));
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    for_each_failing_allocation(n) {
        pawl_error *error = NULL;
        pawl_exporter *exporter = pawl_trace_file_with(path, &error, .max_bytes = 2000);
        for (uint32_t i = 0; exporter && i < 4; i++)
            (void)put_span(exporter, i);
        assert_true(exporter || (allocations_failed() > 0 && pawl_error_status(error) == PAWL_E_NOMEM));
        pawl_exporter_unref(exporter);
        pawl_error_unref(error);
    }
    assert_in_range(lines_of(path), 1, 3);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(writes_each_signal_as_a_line_of_its_own),
        TEST(appends_to_what_is_there),
        TEST(keeps_so_many_files_of_so_many_bytes),
        TEST(keeps_one_file_alone_when_told),
        TEST(halves_a_batch_that_does_not_fit_a_line),
        TEST(never_moves_a_link),
        TEST(goes_on_when_the_file_was_moved_away),
        TEST(a_full_disk_costs_whole_lines_and_is_counted),
        TEST(a_device_that_is_full_is_an_error_alone),
        TEST(children_and_parent_may_write_the_same_file),
        TEST(processes_that_move_files_at_once_lose_none),
        TEST(waits_for_one_that_takes_its_time_to_move_files),
        TEST(waits_only_once_for_one_that_never_ends),
        TEST(moves_no_more_files_than_it_must),
        TEST(says_what_cannot_be_a_file),
        TEST(is_read_by_the_trace_reader),
        TEST(gives_the_same_lines_to_a_callback),
        TEST(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
