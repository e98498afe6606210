/* Rows, medians, and the machine's meters. */
#include "bench.h"
#include <malloc.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ROWS 64

struct row {
    const char *metric, *unit, *peer, *reference;
    double value, target, peer_value, reference_value;
};

struct bench {
    size_t count;
    struct row rows[ROWS];
};

struct bench *bench_new(void) {
    return calloc(1, sizeof(struct bench));
}

void bench_row(struct bench *bench, const char *metric, double value, const char *unit, double target) {
    if (bench->count < ROWS)
        bench->rows[bench->count++] = (struct row){.metric = metric, .unit = unit, .value = value, .target = target};
}

static struct row *find_row(struct bench *bench, const char *metric) {
    for (size_t i = 0; i < bench->count; i++)
        if (strcmp(bench->rows[i].metric, metric) == 0)
            return &bench->rows[i];
    return NULL;
}

void bench_peer(struct bench *bench, const char *metric, const char *peer, double value) {
    struct row *row = find_row(bench, metric);
    if (!row)
        return;
    row->peer = peer;
    row->peer_value = value;
}

void bench_reference(struct bench *bench, const char *metric, const char *reference, double value) {
    struct row *row = find_row(bench, metric);
    if (!row)
        return;
    row->reference = reference;
    row->reference_value = value;
}

/* A difference may come out as nothing or less: then there is no telling how many times. */
static bool has_ratio(const struct row *row) {
    return row->peer && row->value > 0;
}

static void print_row(const struct row *row) {
    printf("%-32s %12.4g %-6s", row->metric, row->value, row->unit);
    if (row->target >= 0)
        printf("  target %8.4g  %s", row->target, row->value <= row->target ? "reached" : "NOT REACHED");
    else
        printf("  %-26s", "");
    if (row->peer)
        printf("  %s %.4g %s", row->peer, row->peer_value, row->unit);
    if (has_ratio(row))
        printf(" (%.3g times)", row->peer_value / row->value);
    if (row->reference)
        printf("  [%s: %.4g %s, not of this run]", row->reference, row->reference_value, row->unit);
    putchar('\n');
}

static cJSON *add_named(cJSON *object, const char *key, const char *name, double value) {
    if (!name)
        return cJSON_AddNullToObject(object, key);
    cJSON *named = cJSON_AddObjectToObject(object, key);
    cJSON_AddStringToObject(named, "name", name);
    cJSON_AddNumberToObject(named, "value", value);
    return named;
}

static cJSON *row_json(const struct row *row) {
    cJSON *object = cJSON_CreateObject();
    cJSON_AddNumberToObject(object, "value", row->value);
    cJSON_AddStringToObject(object, "unit", row->unit);
    if (row->target >= 0) {
        cJSON_AddNumberToObject(object, "target", row->target);
        cJSON_AddBoolToObject(object, "reached", row->value <= row->target);
    } else {
        cJSON_AddNullToObject(object, "target");
        cJSON_AddNullToObject(object, "reached");
    }
    cJSON *peer = add_named(object, "peer", row->peer, row->peer_value);
    if (has_ratio(row))
        cJSON_AddNumberToObject(peer, "times", row->peer_value / row->value);
    add_named(object, "reference", row->reference, row->reference_value);
    return object;
}

void bench_finish(struct bench *bench, bool json) {
    cJSON *all = cJSON_CreateObject();
    for (size_t i = 0; i < bench->count; i++) {
        print_row(&bench->rows[i]);
        cJSON_AddItemToObject(all, bench->rows[i].metric, row_json(&bench->rows[i]));
    }
    char *text = cJSON_PrintUnformatted(all);
    if (json && text)
        puts(text);
    free(text);
    cJSON_Delete(all);
    free(bench);
}

/* ---- figures ---- */

static int by_value(const void *a, const void *b) {
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

double bench_percentile(double *values, size_t count, double percent) {
    qsort(values, count, sizeof *values, by_value);
    size_t index = (size_t)((double)(count - 1) * percent / 100.0 + 0.5);
    return values[index];
}

double bench_median(double *values, size_t count) {
    return bench_percentile(values, count, 50);
}

double bench_time(void (*fn)(void *user), void *user, size_t times) {
    double rounds[BENCH_ROUNDS];
    fn(user); /* warm */
    for (size_t round = 0; round < BENCH_ROUNDS; round++) {
        uint64_t start = bench_now();
        for (size_t i = 0; i < times; i++)
            fn(user);
        rounds[round] = (double)(bench_now() - start) / (double)times;
    }
    return bench_median(rounds, BENCH_ROUNDS);
}

static uint64_t read_clock(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * PAWL_S(1) + (uint64_t)now.tv_nsec;
}

uint64_t bench_now(void) {
    return read_clock(CLOCK_MONOTONIC);
}

uint64_t bench_cpu(void) {
    return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

uint64_t bench_rss(void) {
    unsigned long size = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (!file || fscanf(file, "%lu %lu", &size, &resident) != 2)
        resident = 0;
    if (file)
        fclose(file);
    return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* ---- counting allocations: this program's malloc stands before libc's, for every library in it ---- */

static atomic_ullong mallocs;

void *__libc_malloc(size_t size);                /* NOLINT(bugprone-reserved-identifier) */
void *__libc_calloc(size_t count, size_t size);  /* NOLINT(bugprone-reserved-identifier) */
void *__libc_realloc(void *memory, size_t size); /* NOLINT(bugprone-reserved-identifier) */

void *malloc(size_t size) {
    atomic_fetch_add_explicit(&mallocs, 1, memory_order_relaxed);
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
    atomic_fetch_add_explicit(&mallocs, 1, memory_order_relaxed);
    return __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size) {
    atomic_fetch_add_explicit(&mallocs, 1, memory_order_relaxed);
    return __libc_realloc(memory, size);
}

uint64_t bench_mallocs(void) {
    return atomic_load(&mallocs);
}
