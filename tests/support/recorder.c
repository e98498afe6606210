#include "recorder.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void count_start(void *self, const pawl_span *span) {
    (void)span;
    struct recorder *recorder = self;
    pthread_mutex_lock(&recorder->lock);
    recorder->started++;
    pthread_mutex_unlock(&recorder->lock);
}

static void copy_text(char *to, size_t size, const char *text) {
    (void)snprintf(to, size, "%s", text ? text : "");
}

static void append_attribute(char *text, size_t size, const pawl_attribute *attribute) {
    size_t used = strlen(text);
    char *to = text + used;
    size -= used;
    const char *gap = used ? " " : "";
    switch ((pawl_attribute_type)attribute->type) {
    case PAWL_ATTRIBUTE_STRING:
        (void)snprintf(to, size, "%s%s=%s", gap, attribute->key, attribute->value.string);
        break;
    case PAWL_ATTRIBUTE_INT:
        (void)snprintf(to, size, "%s%s=%lld", gap, attribute->key, (long long)attribute->value.integer);
        break;
    case PAWL_ATTRIBUTE_DOUBLE:
        (void)snprintf(to, size, "%s%s=%g", gap, attribute->key, attribute->value.number);
        break;
    case PAWL_ATTRIBUTE_BOOL:
        (void)snprintf(to, size, "%s%s=%s", gap, attribute->key, attribute->value.boolean ? "true" : "false");
        break;
    }
}

static void copy_events(struct recorded_span *copy, const pawl_span *span) {
    for (uint32_t i = 0; i < span->event_count; i++) {
        size_t used = strlen(copy->events);
        (void)snprintf(copy->events + used, sizeof copy->events - used, "%s%s", used ? " " : "", span->events[i].name);
        for (uint64_t j = 0; j < span->events[i].attribute_count; j++)
            append_attribute(copy->event_attributes, sizeof copy->event_attributes, &span->events[i].attributes[j]);
    }
}

static void copy_span(struct recorded_span *copy, const pawl_span *span) {
    *copy = (struct recorded_span){.start_ns = span->start_ns,
                                   .end_ns = span->end_ns,
                                   .status = (pawl_status)span->status,
                                   .reason = (pawl_cancel_reason)span->cancel_reason,
                                   .kind = span->kind,
                                   .dropped = span->dropped_attributes + span->dropped_events + span->dropped_links};
    copy_text(copy->name, sizeof copy->name, span->name);
    copy_text(copy->type, sizeof copy->type, span->type);
    copy_text(copy->parent, sizeof copy->parent, span->parent ? span->parent->name : "");
    copy_text(copy->error, sizeof copy->error, span->error ? pawl_error_message(span->error) : "");
    memcpy(copy->trace_id, span->trace_id, sizeof copy->trace_id);
    memcpy(copy->span_id, span->span_id, sizeof copy->span_id);
    memcpy(copy->parent_span_id, span->parent_span_id, sizeof copy->parent_span_id);
    for (uint32_t i = 0; i < span->attribute_count; i++)
        append_attribute(copy->attributes, sizeof copy->attributes, &span->attributes[i]);
    copy_events(copy, span);
    if (span->link_count)
        memcpy(copy->linked_span_id, span->links[span->link_count - 1].span_id, 8);
}

static void keep_end(void *self, const pawl_span *span) {
    struct recorder *recorder = self;
    pthread_mutex_lock(&recorder->lock);
    if (recorder->ended < RECORDED_SPANS)
        copy_span(&recorder->spans[recorder->ended], span);
    recorder->ended++;
    pthread_mutex_unlock(&recorder->lock);
}

static void count_destroy(void *self) {
    struct recorder *recorder = self;
    recorder->destroyed++;
}

static const pawl_observer_vtable recorder_vtable = {
    .size = sizeof recorder_vtable, .span_start = count_start, .span_end = keep_end, .destroy = count_destroy};

void record(pawl_runtime *runtime, struct recorder *recorder) {
    memset(recorder, 0, sizeof *recorder);
    pthread_mutex_init(&recorder->lock, NULL);
    assert_int_equal(pawl_runtime_add_observer(runtime, &recorder_vtable, recorder, NULL), PAWL_OK);
}

static const struct recorded_span *find(const struct recorder *recorder, const char *name, size_t n) {
    for (size_t i = 0; i < recorder->ended && i < RECORDED_SPANS; i++)
        if (strcmp(recorder->spans[i].name, name) == 0 && n-- == 0)
            return &recorder->spans[i];
    return NULL;
}

size_t spans_named(const struct recorder *recorder, const char *name) {
    size_t count = 0;
    while (find(recorder, name, count))
        count++;
    return count;
}

const struct recorded_span *nth_span_named(const struct recorder *recorder, const char *name, size_t n) {
    const struct recorded_span *span = find(recorder, name, n);
    if (!span)
        fail_msg("no span %zu named '%s' among %zu", n, name, recorder->ended);
    return span;
}

const struct recorded_span *span_named(const struct recorder *recorder, const char *name) {
    return nth_span_named(recorder, name, 0);
}
