/* The budgets of the traces of one runtime, kept with it. */
#include "spans_budget_internal.h"
#include "attachment_internal.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct budget {
    uint8_t trace_id[16];
    struct pawl_spans_amount left;
    uint64_t used_at; /* in takings; 0: free */
};

struct budgets {
    struct pawl_attachment attachment; /* first */
    pthread_mutex_t lock;
    uint64_t takings;
    struct budget *latest; /* many spans of one trace are taken in a row */
    struct budget all[PAWL_SPANS_BUDGET_TRACES];
};

static const char key = 0; /* its address */

static void destroy(struct pawl_attachment *attachment) {
    struct budgets *budgets = (struct budgets *)(void *)attachment;
    pthread_mutex_destroy(&budgets->lock);
    free(budgets);
}

/* When two threads have made one each, both see the same one first: it is the oldest that counts. */
static struct budgets *oldest(pawl_runtime *runtime) {
    struct pawl_attachment *last = NULL, *at = NULL;
    while ((at = pawl_runtime_next_attachment(runtime, &key, at)))
        last = at;
    return (struct budgets *)(void *)last;
}

static struct budgets *budgets_of(pawl_runtime *runtime) {
    struct budgets *budgets = oldest(runtime);
    if (budgets)
        return budgets;
    budgets = calloc(1, sizeof *budgets);
    if (!budgets)
        return NULL;
    pthread_mutex_init(&budgets->lock, NULL);
    budgets->attachment.key = &key;
    budgets->attachment.destroy = destroy;
    pawl_runtime_add_attachment(runtime, &budgets->attachment);
    return oldest(runtime);
}

/* Under the lock. */
static struct budget *find(struct budgets *budgets, const uint8_t trace_id[16]) {
    struct budget *stale = budgets->all;
    if (budgets->latest && memcmp(budgets->latest->trace_id, trace_id, 16) == 0)
        return budgets->latest;
    for (struct budget *at = budgets->all; at < budgets->all + PAWL_SPANS_BUDGET_TRACES; at++) {
        if (at->used_at && memcmp(at->trace_id, trace_id, 16) == 0)
            return at;
        if (at->used_at < stale->used_at)
            stale = at;
    }
    memcpy(stale->trace_id, trace_id, 16);
    stale->left = (struct pawl_spans_amount){.spans = PAWL_SPANS_BUDGET_SPANS, .bytes = PAWL_SPANS_BUDGET_BYTES};
    return stale;
}

static uint64_t take(uint64_t *left, uint64_t wanted) {
    uint64_t taken = wanted < *left ? wanted : *left;
    *left -= taken;
    return taken;
}

struct pawl_spans_amount pawl_spans_budget_take(pawl_runtime *runtime, const uint8_t trace_id[16],
                                                struct pawl_spans_amount wanted) {
    struct pawl_spans_amount taken = {0};
    struct budgets *budgets = budgets_of(runtime);
    if (!budgets)
        return taken;
    pthread_mutex_lock(&budgets->lock);
    struct budget *budget = budgets->latest = find(budgets, trace_id);
    budget->used_at = ++budgets->takings;
    taken.spans = take(&budget->left.spans, wanted.spans);
    taken.bytes = take(&budget->left.bytes, wanted.bytes);
    pthread_mutex_unlock(&budgets->lock);
    return taken;
}
