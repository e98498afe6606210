/* Copies of spans, all in one arena that is emptied at once. */
#include "options_internal.h"
#include "span_record_internal.h"
#include <pawl/observability/trace_memory.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define MOST_SPANS 1000000u

struct pawl_trace_memory {
    atomic_uint refs;
    pawl_trace_memory_options options;
    pthread_mutex_t lock; /* guards the rest */
    struct arena arena;
    uint64_t bytes, refused;
    pawl_span_data **spans;
    size_t count, capacity;
};

/* ---- copying ---- */

struct copier {
    struct pawl_trace_memory *memory;
    bool failed;
};

static void *take(struct copier *c, size_t bytes) {
    struct pawl_trace_memory *memory = c->memory;
    void *taken = NULL;
    if (!c->failed && bytes <= memory->options.max_bytes - memory->bytes)
        taken = pawl_arena_take(&memory->arena, bytes);
    if (taken)
        memory->bytes += bytes;
    else
        c->failed = true;
    return taken;
}

static const char *copy_text(struct copier *c, const char *text) {
    size_t bytes = strlen(text) + 1;
    char *copy = take(c, bytes);
    return copy ? memcpy(copy, text, bytes) : "";
}

static const pawl_attribute *copy_attributes(struct copier *c, const pawl_attribute *attributes, size_t count) {
    pawl_attribute *copies = count ? take(c, count * sizeof *copies) : NULL;
    for (size_t i = 0; copies && i < count; i++) {
        copies[i] = attributes[i];
        copies[i].key = copy_text(c, attributes[i].key);
        if (attributes[i].type == PAWL_ATTRIBUTE_STRING)
            copies[i].value.string = copy_text(c, attributes[i].value.string);
    }
    return copies;
}

static const pawl_event_data *copy_events(struct copier *c, const pawl_event_data *events, size_t count) {
    pawl_event_data *copies = count ? take(c, count * sizeof *copies) : NULL;
    for (size_t i = 0; copies && i < count; i++) {
        copies[i] = events[i];
        copies[i].name = copy_text(c, events[i].name);
        copies[i].attributes = copy_attributes(c, events[i].attributes, events[i].attribute_count);
    }
    return copies;
}

static const pawl_link_data *copy_links(struct copier *c, const pawl_link_data *links, size_t count) {
    pawl_link_data *copies = count ? take(c, count * sizeof *copies) : NULL;
    for (size_t i = 0; copies && i < count; i++) {
        copies[i] = links[i];
        copies[i].attributes = copy_attributes(c, links[i].attributes, links[i].attribute_count);
    }
    return copies;
}

/* NULL when there is no room. */
static pawl_span_data *copy_span(struct pawl_trace_memory *memory, const pawl_span_data *span) {
    struct copier c = {.memory = memory};
    pawl_span_data *copy = take(&c, sizeof *copy);
    if (!copy)
        return NULL;
    *copy = *span;
    copy->name = copy_text(&c, span->name);
    copy->tracestate = copy_text(&c, span->tracestate);
    copy->status_message = copy_text(&c, span->status_message);
    copy->attributes = copy_attributes(&c, span->attributes, span->attribute_count);
    copy->events = copy_events(&c, span->events, span->event_count);
    copy->links = copy_links(&c, span->links, span->link_count);
    return c.failed ? NULL : copy;
}

static bool reserve_one(struct pawl_trace_memory *memory) {
    if (memory->count < memory->capacity)
        return true;
    size_t capacity = memory->capacity ? memory->capacity * 2 : 64;
    pawl_span_data **more = realloc(memory->spans, capacity * sizeof *more);
    if (!more)
        return false;
    memory->spans = more;
    memory->capacity = capacity;
    return true;
}

static bool keep(struct pawl_trace_memory *memory, const pawl_span_data *span) {
    pawl_span_data *copy =
        memory->count < memory->options.max_spans && reserve_one(memory) ? copy_span(memory, span) : NULL;
    if (copy)
        memory->spans[memory->count++] = copy;
    else
        memory->refused++;
    return copy != NULL;
}

/* ---- the exporter ---- */

static pawl_status export_spans(void *self, const pawl_resource *resource, const pawl_span_data *spans, size_t count,
                                uint64_t timeout_ns, pawl_error **err) {
    struct pawl_trace_memory *memory = self;
    (void)resource, (void)timeout_ns;
    size_t refused = 0;
    pthread_mutex_lock(&memory->lock);
    for (size_t i = 0; i < count; i++)
        refused += !keep(memory, &spans[i]);
    pthread_mutex_unlock(&memory->lock);
    if (refused == 0)
        return PAWL_OK;
    return pawl_error_set(err, PAWL_E_LIMIT, "trace memory: no room for %zu spans; raise max_spans or max_bytes",
                          refused);
}

static void release(void *self) {
    pawl_trace_memory_unref(self);
}

pawl_exporter *pawl_trace_memory_exporter(pawl_trace_memory *memory, pawl_error **err) {
    static const pawl_exporter_vtable vtable = {
        .size = sizeof vtable, .name = "memory_span_exporter", .spans = export_spans, .destroy = release};
    if (!memory) {
        pawl_error_set(err, PAWL_E_INVALID, "trace memory: it is NULL; pass what pawl_trace_memory_new() gave");
        return NULL;
    }
    atomic_fetch_add_explicit(&memory->refs, 1, memory_order_relaxed);
    return pawl_exporter_new(&vtable, memory, err);
}

/* ---- life ---- */

pawl_trace_memory *pawl_trace_memory_new(const pawl_trace_memory_options *options, pawl_error **err) {
    pawl_trace_memory_options known;
    if (pawl_options_copy(&known, sizeof known, options, "trace memory", err) != PAWL_OK)
        return NULL;
    known.max_spans = pawl_option(known.max_spans, 10000);
    known.max_bytes = pawl_option(known.max_bytes, PAWL_MIB(64));
    if (known.max_spans == 0 || known.max_spans > MOST_SPANS) {
        pawl_error_set(err, PAWL_E_INVALID, "trace memory: max_spans is %llu; between 1 and %u are allowed",
                       (unsigned long long)known.max_spans, MOST_SPANS);
        return NULL;
    }
    struct pawl_trace_memory *memory = calloc(1, sizeof *memory);
    if (!memory) {
        pawl_error_set(err, PAWL_E_NOMEM, "trace memory: out of memory");
        return NULL;
    }
    atomic_init(&memory->refs, 1);
    memory->options = known;
    pthread_mutex_init(&memory->lock, NULL);
    return memory;
}

pawl_trace_memory *pawl_trace_memory_unref(pawl_trace_memory *memory) {
    if (!memory || atomic_fetch_sub_explicit(&memory->refs, 1, memory_order_acq_rel) != 1)
        return NULL;
    pawl_arena_free(&memory->arena);
    free(memory->spans);
    pthread_mutex_destroy(&memory->lock);
    free(memory);
    return NULL;
}

/* ---- reading ---- */

size_t pawl_trace_memory_count(pawl_trace_memory *memory) {
    if (!memory)
        return 0;
    pthread_mutex_lock(&memory->lock);
    size_t count = memory->count;
    pthread_mutex_unlock(&memory->lock);
    return count;
}

uint64_t pawl_trace_memory_refused(pawl_trace_memory *memory) {
    if (!memory)
        return 0;
    pthread_mutex_lock(&memory->lock);
    uint64_t refused = memory->refused;
    pthread_mutex_unlock(&memory->lock);
    return refused;
}

const pawl_span_data *pawl_trace_memory_span(pawl_trace_memory *memory, size_t index) {
    if (!memory)
        return NULL;
    pthread_mutex_lock(&memory->lock);
    const pawl_span_data *span = index < memory->count ? memory->spans[index] : NULL;
    pthread_mutex_unlock(&memory->lock);
    return span;
}

void pawl_trace_memory_clear(pawl_trace_memory *memory) {
    if (!memory)
        return;
    pthread_mutex_lock(&memory->lock);
    pawl_arena_free(&memory->arena);
    memory->count = 0;
    memory->bytes = memory->refused = 0;
    pthread_mutex_unlock(&memory->lock);
}
