#include "failing_malloc.h"

#include <cjson/cJSON.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);

#define MOST_ROUNDS 100000u

static atomic_llong left; /* allocations up to the one that fails; 0 while all succeed */
static atomic_bool all_later;
static atomic_size_t failed, made;

static bool must_fail(void) {
    long long before = atomic_load(&left);
    do {
        if (before == 0)
            return false;
    } while (!atomic_compare_exchange_weak(&left, &before, before > 1 || !atomic_load(&all_later) ? before - 1 : 1));
    if (before > 1)
        return false;
    atomic_fetch_add(&failed, 1);
    return true;
}

static bool counts(void) {
    if (must_fail())
        return false;
    atomic_fetch_add(&made, 1);
    return true;
}

void *__wrap_malloc(size_t size) {
    return counts() ? __real_malloc(size) : NULL;
}

void *__wrap_calloc(size_t count, size_t size) {
    return counts() ? __real_calloc(count, size) : NULL;
}

void *__wrap_realloc(void *old, size_t size) {
    return counts() ? __real_realloc(old, size) : NULL;
}

void *__wrap_aligned_alloc(size_t alignment, size_t size) {
    return counts() ? __real_aligned_alloc(alignment, size) : NULL;
}

static void hook_cjson(void) {
    static atomic_bool done;
    if (!atomic_exchange(&done, true)) {
        cJSON_Hooks hooks = {.malloc_fn = __wrap_malloc, .free_fn = free};
        cJSON_InitHooks(&hooks);
    }
}

static void arm(size_t n, bool later_too) {
    hook_cjson();
    atomic_store(&left, 0);
    atomic_store(&failed, 0);
    atomic_store(&all_later, later_too);
    atomic_store(&left, (long long)n);
}

void fail_allocation_at(size_t n) {
    arm(n, false);
}

void fail_allocations_from(size_t n) {
    arm(n, true);
}

size_t allocations_failed(void) {
    return atomic_load(&failed);
}

size_t allow_allocations(void) {
    atomic_store(&left, 0);
    return atomic_load(&failed);
}

size_t allocations_made(void) {
    return atomic_load(&made);
}

static bool next_round(size_t *n, bool later_too) {
    if (allow_allocations() == 0 && *n > 0)
        return false;
    if (++*n > MOST_ROUNDS) {
        (void)fprintf(stderr, "an allocation failed in each of %u rounds: does the loop's body retry?\n", MOST_ROUNDS);
        abort();
    }
    arm(*n, later_too);
    return true;
}

bool next_failing_allocation(size_t *n) {
    return next_round(n, false);
}

bool next_failing_allocations(size_t *n) {
    return next_round(n, true);
}
