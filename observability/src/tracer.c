/* The observer: asks the sampler, counts, and puts finished spans into the queue. What happens on a run's own threads
 * is all in this file and in span_record.c. */
#include "batch_internal.h"
#include "engine_internal.h"
#include "options_internal.h"
#include "sampler_internal.h"
#include <stdlib.h>
#include <string.h>

struct pawl_tracer {
    uint64_t serial; /* of the rings */
    struct pawl_span_rings *rings;
    struct pawl_tail *tail; /* NULL: what the sampler drops is not recorded */
    struct pawl_heap_budget *budget;
    struct pawl_span_limits limits;
    bool simple;
    struct pawl_batch *batch;
    pawl_sampler *sampler;
    pawl_tracer_options options;
    pawl_exporter *exporters[PAWL_TRACER_EXPORTERS];
    pawl_runtime *runtime; /* it is attached to, borrowed */
    atomic_uint refs;
    atomic_bool attached;
};

/* ---- on the threads of runs ---- */

static pawl_sample sample(void *self, const pawl_sampling *question, char **ret_tracestate) {
    struct pawl_tracer *tracer = self;
    uint64_t now = pawl_sampler_needs_time(tracer->sampler) ? pawl_runtime_now(tracer->runtime) : 0;
    pawl_sample answer = pawl_sampler_ask(tracer->sampler, question, now, ret_tracestate);
    if (tracer->tail)
        return answer == PAWL_SAMPLE_DROP ? PAWL_SAMPLE_RECORD : answer;
    return answer == PAWL_SAMPLE_RECORD ? PAWL_SAMPLE_DROP : answer; /* it would not be exported */
}

static struct pawl_span_ring *ring_of(struct pawl_tracer *tracer) {
    return likely(pawl_span_ring_here.serial == tracer->serial) ? pawl_span_ring_here.ring
                                                                : pawl_span_rings_look(tracer->rings);
}

static void span_start(void *self, const pawl_span *span) {
    struct pawl_tracer *tracer = self;
    (void)span;
    struct pawl_span_ring *ring = ring_of(tracer);
    if (likely(ring != NULL))
        pawl_count_own(&ring->opened);
}

/* What a child of fork() writes down is sent by nobody, and its locks may be anybody's. */
static pawl_status put(struct pawl_tracer *tracer, struct pawl_span_ring *ring, const pawl_span *span) {
    if (pawl_runtime_is_forked(tracer->runtime))
        return PAWL_E_LIMIT;
    bool is_plain = pawl_span_is_plain(span, &tracer->limits);
    const struct pawl_place *place = is_plain ? pawl_place_known(&ring->places, span) : NULL;
    if (!place && span->node)
        place = pawl_place_find(&ring->places, span);
    is_plain &= place != NULL;
    size_t lines = pawl_record_lines(is_plain);
    struct pawl_span_record *record = pawl_span_ring_reserve(ring, lines);
    if (!record)
        return ring->lease > 0 ? PAWL_E_NOMEM : PAWL_E_LIMIT;
    if (is_plain) {
        pawl_record_put_plain(record, span, place);
    } else {
        pawl_status status = pawl_record_encode(record, span, place, &tracer->limits, tracer->budget);
        if (status != PAWL_OK)
            return status;
    }
    pawl_span_ring_publish(ring, lines);
    return PAWL_OK;
}

static void count_closed(struct pawl_span_ring *ring, const pawl_span *span) {
    if (unlikely(!span->is_instant))
        pawl_count_own(&ring->closed);
}

static __attribute__((noinline)) void span_end_slowly(struct pawl_tracer *tracer, const pawl_span *span) {
    struct pawl_span_ring *ring = ring_of(tracer);
    if (!ring) {
        atomic_fetch_add_explicit(&tracer->rings->lost, 1, memory_order_relaxed);
        return;
    }
    pawl_status status = put(tracer, ring, span);
    if (status != PAWL_OK)
        pawl_count_own(status == PAWL_E_LIMIT ? &ring->dropped : &ring->failed);
    count_closed(ring, span);
}

/* What a child of fork() leases would wake threads that it does not have. */
static bool is_leased(const struct pawl_tracer *tracer, struct pawl_span_ring *ring) {
    return likely(ring->lease > 0) || (!pawl_runtime_is_forked(tracer->runtime) && pawl_span_ring_lease(ring));
}

/* Most spans are plain, and beneath the same as the last one. */
static void span_end(void *self, const pawl_span *span) {
    struct pawl_tracer *tracer = self;
    struct pawl_span_ring *ring = pawl_span_ring_here.ring;
    const struct pawl_place *place;
    if (unlikely(pawl_span_ring_here.serial != tracer->serial || !is_leased(tracer, ring) || ring->at == ring->stop ||
                 !pawl_span_is_plain(span, &tracer->limits) || !(place = pawl_place_known(&ring->places, span)))) {
        span_end_slowly(tracer, span);
        return;
    }
    pawl_record_put_plain((struct pawl_span_record *)(void *)ring->at, span, place);
    pawl_span_ring_publish(ring, 1);
    count_closed(ring, span);
}

/* ---- the same for a tracer that holds traces back, or exports each span at once ---- */

static bool is_held_root(const struct pawl_tracer *tracer, const pawl_span *span) {
    return tracer->tail && !span->parent && !(span->trace_flags & 1);
}

static void span_start_carefully(void *self, const pawl_span *span) {
    struct pawl_tracer *tracer = self;
    if (pawl_runtime_is_forked(tracer->runtime))
        return;
    span_start(tracer, span);
    if (is_held_root(tracer, span))
        pawl_tail_open(tracer->tail, span->trace_id);
}

static void span_end_carefully(void *self, const pawl_span *span) {
    struct pawl_tracer *tracer = self;
    if (pawl_runtime_is_forked(tracer->runtime))
        return;
    span_end(tracer, span);
    if (is_held_root(tracer, span))
        pawl_tail_close(tracer->tail, span->trace_id); /* not before its record is there to be seen */
    if (tracer->simple)
        pawl_batch_flush(tracer->batch, PAWL_UNLIMITED, NULL);
}

static pawl_status flush(void *self, uint64_t timeout_ns, pawl_error **err) {
    struct pawl_tracer *tracer = self;
    return pawl_batch_flush(tracer->batch, timeout_ns, err);
}

static void give_back(struct pawl_tracer *tracer, unsigned references) {
    if (atomic_fetch_sub_explicit(&tracer->refs, references, memory_order_acq_rel) != references)
        return;
    pawl_batch_free(tracer->batch);
    for (uint64_t i = 0; i < tracer->options.exporter_count; i++)
        pawl_exporter_unref(tracer->exporters[i]);
    pawl_resource_unref(tracer->options.resource);
    pawl_sampler_unref(tracer->sampler);
    free(tracer);
}

static void drop_reference(void *self) {
    give_back(self, 1);
}

static void end(void *self) {
    struct pawl_tracer *tracer = pawl_tracer_ref(self); /* a thread that is left alone gives back the runtime's */
    give_back(tracer, pawl_batch_stop(tracer->batch, tracer->options.shutdown_timeout_ns) ? 2 : 1);
}

#define OBSERVER(start_, end_)                                                                                         \
    {                                                                                                                  \
        .size = sizeof(pawl_observer_vtable), .span_start = start_, .span_end = end_, .destroy = end,                  \
        .sample = sample, .flush = flush, .skips_instants = 1                                                          \
    }
static const pawl_observer_vtable quick_observer = OBSERVER(span_start, span_end);
static const pawl_observer_vtable careful_observer = OBSERVER(span_start_carefully, span_end_carefully);

/* ---- options ---- */

static pawl_status check_bounds(pawl_tracer_options *o, pawl_error **err) {
    const struct pawl_option_bound all[] = {
        {"max_queue_size", &o->max_queue_size, 2048, 1, 1000000},
        {"max_queue_bytes", &o->max_queue_bytes, PAWL_MIB(32), 1, UINT64_MAX},
        {"schedule_delay_ns", &o->schedule_delay_ns, PAWL_S(5), PAWL_MS(1), UINT64_MAX},
        {"export_timeout_ns", &o->export_timeout_ns, PAWL_S(30), 1, UINT64_MAX},
        {"shutdown_timeout_ns", &o->shutdown_timeout_ns, PAWL_S(5), 1, PAWL_MIN(60)},
        {"attribute_count_limit", &o->attribute_count_limit, 128, 0, PAWL_SPAN_ATTRIBUTES},
        {"event_count_limit", &o->event_count_limit, 128, 0, PAWL_SPAN_ATTRIBUTES},
        {"link_count_limit", &o->link_count_limit, 128, 0, PAWL_SPAN_ATTRIBUTES},
        {"event_attribute_count_limit", &o->event_attribute_count_limit, 128, 0, PAWL_SPAN_ATTRIBUTES},
        {"link_attribute_count_limit", &o->link_attribute_count_limit, 128, 0, PAWL_SPAN_ATTRIBUTES},
        {"attribute_value_length_limit", &o->attribute_value_length_limit, PAWL_UNLIMITED, 0, UINT64_MAX},
        {"max_held_traces", &o->max_held_traces, 1024, 1, 1000000},
        {"max_held_spans", &o->max_held_spans, 16384, 1, 10000000},
        {"max_held_bytes", &o->max_held_bytes, PAWL_MIB(32), 1, UINT64_MAX},
    };
    if (pawl_options_bound(all, sizeof all / sizeof *all, "tracer", err) != PAWL_OK)
        return PAWL_E_INVALID;
    uint64_t fallback = o->max_queue_size < 512 ? o->max_queue_size : 512;
    const struct pawl_option_bound batch = {"max_batch_size", &o->max_batch_size, fallback, 1, o->max_queue_size};
    return pawl_options_bound(&batch, 1, "tracer", err);
}

static pawl_status check(pawl_tracer_options *o, pawl_error **err) {
    if (o->exporter_count == 0 || o->exporter_count > PAWL_TRACER_EXPORTERS || !o->exporters)
        return pawl_error_set(err, PAWL_E_INVALID, "tracer: %llu exporters; give 1 to %u",
                              (unsigned long long)(o->exporters ? o->exporter_count : 0), PAWL_TRACER_EXPORTERS);
    for (uint64_t i = 0; i < o->exporter_count; i++)
        if (!o->exporters[i])
            return pawl_error_set(err, PAWL_E_INVALID, "tracer: exporter %llu is NULL", (unsigned long long)i);
    return check_bounds(o, err);
}

/* ---- life ---- */

static void set_limits(struct pawl_tracer *tracer) {
    const pawl_tracer_options *o = &tracer->options;
    tracer->limits = (struct pawl_span_limits){.attributes = (uint32_t)o->attribute_count_limit,
                                               .events = (uint32_t)o->event_count_limit,
                                               .links = (uint32_t)o->link_count_limit,
                                               .event_attributes = (uint32_t)o->event_attribute_count_limit,
                                               .link_attributes = (uint32_t)o->link_attribute_count_limit,
                                               .characters = o->attribute_value_length_limit};
}

static void take_references(struct pawl_tracer *tracer) {
    pawl_tracer_options *o = &tracer->options;
    for (uint64_t i = 0; i < o->exporter_count; i++)
        tracer->exporters[i] = pawl_exporter_ref(o->exporters[i]);
    o->exporters = tracer->exporters;
    pawl_resource_ref(o->resource);
    tracer->sampler = pawl_sampler_ref(o->sampler);
}

static pawl_status make_batch(struct pawl_tracer *tracer, pawl_error **err) {
    const pawl_tracer_options *o = &tracer->options;
    const struct pawl_tail_rules rules = {.keep_failed = o->keep_failed != 0,
                                          .slow_ns = o->keep_slow_ns,
                                          .max_traces = o->max_held_traces,
                                          .max_spans = o->max_held_spans,
                                          .max_bytes = o->max_held_bytes};
    tracer->batch =
        pawl_batch_new(&(struct pawl_batch_setup){.resource = o->resource,
                                                  .exporters = tracer->exporters,
                                                  .exporter_count = (size_t)o->exporter_count,
                                                  .max_queue_size = o->max_queue_size,
                                                  .max_queue_bytes = o->max_queue_bytes,
                                                  .max_batch_size = o->max_batch_size,
                                                  .schedule_delay_ns = o->schedule_delay_ns,
                                                  .export_timeout_ns = o->export_timeout_ns,
                                                  .left = drop_reference,
                                                  .user = tracer,
                                                  .tail = rules.keep_failed || rules.slow_ns ? &rules : NULL},
                       err);
    if (!tracer->batch)
        return PAWL_E_NOMEM;
    tracer->rings = pawl_batch_rings(tracer->batch);
    tracer->serial = tracer->rings->serial;
    tracer->tail = pawl_batch_tail(tracer->batch);
    tracer->budget = pawl_batch_budget(tracer->batch);
    tracer->simple = o->simple != 0;
    return PAWL_OK;
}

static pawl_status fill(struct pawl_tracer *tracer, pawl_error **err) {
    take_references(tracer);
    set_limits(tracer);
    if (!tracer->options.resource && !(tracer->options.resource = pawl_resource_new(NULL, err)))
        return PAWL_E_NOMEM;
    if (!tracer->sampler && !(tracer->sampler = pawl_sampler_parent_based(err, .root = NULL)))
        return PAWL_E_NOMEM;
    return make_batch(tracer, err);
}

pawl_tracer *pawl_tracer_new(const pawl_tracer_options *options, pawl_error **err) {
    pawl_tracer_options known;
    if (pawl_options_copy(&known, sizeof known, options, "tracer", err) != PAWL_OK || check(&known, err) != PAWL_OK)
        return NULL;
    struct pawl_tracer *tracer = calloc(1, sizeof *tracer);
    if (!tracer) {
        pawl_error_set(err, PAWL_E_NOMEM, "tracer: out of memory");
        return NULL;
    }
    atomic_init(&tracer->refs, 1);
    tracer->options = known;
    if (fill(tracer, err) != PAWL_OK) {
        pawl_tracer_unref(tracer);
        return NULL;
    }
    return tracer;
}

pawl_tracer *pawl_tracer_ref(pawl_tracer *tracer) {
    if (tracer)
        atomic_fetch_add_explicit(&tracer->refs, 1, memory_order_relaxed);
    return tracer;
}

pawl_tracer *pawl_tracer_unref(pawl_tracer *tracer) {
    if (tracer)
        give_back(tracer, 1);
    return NULL;
}

/* The thread comes last: what is attached ends with the runtime. */
static pawl_status attach(struct pawl_tracer *tracer, pawl_runtime *runtime, pawl_error **err) {
    tracer->runtime = runtime;
    tracer->batch->setup.runtime = runtime;
    bool alone = tracer->simple || runtime->hooks;
    pawl_status status = alone ? PAWL_OK : pawl_batch_start(tracer->batch, err);
    if (status != PAWL_OK)
        return status;
    bool careful = tracer->tail || tracer->simple;
    status =
        pawl_runtime_add_observer(runtime, careful ? &careful_observer : &quick_observer, pawl_tracer_ref(tracer), err);
    if (status != PAWL_OK)
        end(tracer);
    return status;
}

pawl_status pawl_tracer_attach(pawl_tracer *tracer, pawl_runtime *runtime, pawl_error **err) {
    if (!tracer)
        return pawl_error_set(err, PAWL_E_INVALID, "tracer: it is NULL; pass what pawl_tracer_new() gave");
    if (!pawl_runtime_is_usable(runtime, err))
        return PAWL_E_INVALID;
    if (atomic_exchange(&tracer->attached, true))
        return pawl_error_set(err, PAWL_E_INVALID, "tracer: it was attached before; make one for each runtime");
    return attach(tracer, runtime, err);
}

/* ---- figures ---- */

void pawl_tracer_get_stats(pawl_tracer *tracer, pawl_tracer_stats *ret_stats) {
    if (!tracer || !ret_stats)
        return;
    pawl_tracer_stats stats = {.size = ret_stats->size};
    pawl_batch_stats(tracer->batch, &stats);
    memcpy(ret_stats, &stats, stats.size < sizeof stats ? stats.size : sizeof stats);
}

bool pawl_tracer_get_exporter_stats(pawl_tracer *tracer, size_t index, pawl_tracer_exporter_stats *ret_stats) {
    pawl_tracer_exporter_stats stats = {.size = ret_stats ? ret_stats->size : 0};
    if (!tracer || !ret_stats || !pawl_batch_exporter_stats(tracer->batch, index, &stats))
        return false;
    memcpy(ret_stats, &stats, stats.size < sizeof stats ? stats.size : sizeof stats);
    return true;
}
