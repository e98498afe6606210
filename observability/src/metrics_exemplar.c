/* Exemplars: one a slot, written at most once between two collections, by whoever comes first. Readers leave out what
 * is being written. Source: H. Boehm, "Can seqlocks get along with programming language memory models?", 2012. */
#include "clock_internal.h"
#include "metrics_internal.h"
#include <stdlib.h>
#include <string.h>

#define PUT(field, word) atomic_store_explicit(&(field), word, memory_order_release)
#define GET(field) atomic_load_explicit(&(field), memory_order_acquire)

static struct exemplar *slots_of(pawl_series *series) {
    struct exemplar *slots = GET(series->exemplars), *made;
    if (slots || !(made = calloc(series->exemplar_slots, sizeof *made)))
        return slots;
    if (atomic_compare_exchange_strong(&series->exemplars, &slots, made))
        return made;
    free(made);
    return slots;
}

static uint64_t word_at(const void *bytes) {
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

static uint64_t unix_time(const pawl_span *span, pawl_context *ctx) {
    uint64_t time_ns = span->end_ns ? span->end_ns : pawl_context_now(ctx);
    return time_ns + (uint64_t)pawl_runtime_wall_offset(pawl_context_runtime(ctx));
}

void pawl_exemplar_take(pawl_series *series, size_t slot, double value, const pawl_span *span, pawl_context *ctx) {
    struct exemplar *slots = slots_of(series);
    if (!slots)
        return;
    struct exemplar *e = &slots[slot];
    uint64_t epoch = atomic_load_explicit(&series->metrics->epoch, memory_order_relaxed);
    uint64_t version = atomic_load_explicit(&e->version, memory_order_relaxed);
    if (version % 2 || version >= epoch ||
        !atomic_compare_exchange_strong_explicit(&e->version, &version, epoch - 1, memory_order_acquire,
                                                 memory_order_relaxed))
        return;
    PUT(e->value, word_at(&value));
    PUT(e->time_unix_ns, unix_time(span, ctx));
    PUT(e->trace_id[0], word_at(span->trace_id));
    PUT(e->trace_id[1], word_at(span->trace_id + 8));
    PUT(e->span_id, word_at(span->span_id));
    PUT(e->version, epoch);
}

static bool read_slot(const struct exemplar *e, pawl_exemplar_data *data) {
    uint64_t version = GET(e->version), value = GET(e->value);
    uint64_t ids[3] = {GET(e->trace_id[0]), GET(e->trace_id[1]), GET(e->span_id)};
    data->time_unix_ns = GET(e->time_unix_ns);
    memcpy(&data->value, &value, 8);
    memcpy(data->trace_id, ids, 16);
    memcpy(data->span_id, &ids[2], 8);
    return version && version % 2 == 0 && version == atomic_load_explicit(&e->version, memory_order_relaxed);
}

size_t pawl_exemplars_read(const pawl_series *series, uint64_t since_unix_ns, pawl_exemplar_data *ret_data) {
    const struct exemplar *slots = GET(series->exemplars);
    size_t count = 0;
    for (size_t i = 0; slots && i < series->exemplar_slots; i++) {
        pawl_exemplar_data *data = &ret_data[count];
        if (!read_slot(&slots[i], data) || data->time_unix_ns < since_unix_ns)
            continue;
        if (data->time_unix_ns < series->start_unix_ns) /* the measurement that the series was made for */
            data->time_unix_ns = series->start_unix_ns;
        count++;
    }
    return count;
}
