/* Makes the library's allocations fail on purpose. Calls to malloc, calloc, realloc and aligned_alloc in linked code
 * are wrapped by the linker (--wrap), and cJSON's by its hooks from the first use on. Counts over all threads. */
#ifndef FAILING_MALLOC_H
#define FAILING_MALLOC_H

#include <stdbool.h>
#include <stddef.h>

/* The n-th allocation from now on fails, counting from 1, and only that one. */
void fail_allocation_at(size_t n);
/* The n-th allocation from now on fails, and all that follow. */
void fail_allocations_from(size_t n);
/* Failed since failing was asked for. */
size_t allocations_failed(void);
/* All succeed again. Returns how many had failed. */
size_t allow_allocations(void);
/* Allocations made by the wrapped code since the process began, failed ones left out. */
size_t allocations_made(void);

/* Loop condition: makes the first allocation of the first round fail, the second of the second, and so on, and ends
 * after a round in which none failed. n begins at 0 and is the number of the allocation that fails. */
bool next_failing_allocation(size_t *n);
/* The same, with all later allocations of the round failing too. */
bool next_failing_allocations(size_t *n);

/* for_each_failing_allocation(n) { build, run, release; assert that it failed cleanly if allocations_failed() > 0 } */
#define for_each_failing_allocation(n) for (size_t n = 0; next_failing_allocation(&n);)
#define for_each_run_without_memory(n) for (size_t n = 0; next_failing_allocations(&n);)

#endif
