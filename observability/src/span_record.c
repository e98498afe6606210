/* Writes a finished span into a record, when there is more to say of it than its head. Everything that can wait is left
 * to the reader (span_decode.c). */
#include "span_record_internal.h"
#include "bag_internal.h"
#include "engine_internal.h"
#include "redact_internal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_BYTES 1024u
#define NAME_BYTES 1024u  /* of a span, a type, an event */
#define OWN_BYTES 300u    /* of an id or a tag, and more: core bounds both at 256 */
#define TRACE_BYTES 8192u /* of the causes of an error */

/* Counts everything and writes what there is room for (snprintf's rule). */
struct writer {
    char *to;
    size_t room, total;
    const struct pawl_span_limits *limits;
};

/* Where to write the next bytes; NULL when they do not fit. */
static inline char *claim(struct writer *w, size_t length) {
    char *at = likely(w->total + length <= w->room) ? w->to + w->total : NULL;
    w->total += length;
    return at;
}

/* Most texts here are names and short words, for which what gcc makes of memcpy() takes long to start. The two halves
 * may overlap. */
static inline void copy_short(char *to, const char *from, size_t length) {
    if (length > 32) {
        memcpy(to, from, length);
    } else if (length >= 16) {
        memcpy(to, from, 16);
        memcpy(to + length - 16, from + length - 16, 16);
    } else if (length >= 8) {
        memcpy(to, from, 8);
        memcpy(to + length - 8, from + length - 8, 8);
    } else if (length >= 4) {
        memcpy(to, from, 4);
        memcpy(to + length - 4, from + length - 4, 4);
    } else {
        for (size_t i = 0; i < length; i++)
            to[i] = from[i];
    }
}

static inline char *write_text(char *at, const char *text, size_t length) {
    copy_short(at, text, length);
    at[length] = '\0';
    return at + length + 1;
}

static inline void put_text(struct writer *w, const char *text, size_t length) {
    char *at = claim(w, length + 1);
    if (likely(at != NULL))
        write_text(at, text, length);
}

static size_t cut_bytes(const char *text, size_t most) {
    size_t length = strlen(text);
    if (likely(length <= most))
        return length;
    while (most > 0 && ((unsigned char)text[most] & 0xC0) == 0x80)
        most--;
    return most;
}

/* ---- attributes ---- */

/* Bytes of the first `most` characters; a byte that belongs to none counts as one. */
static size_t cut_characters(const char *text, uint64_t most) {
    size_t length = strlen(text);
    if (length <= most)
        return length;
    size_t at = 0;
    for (uint64_t seen = 0; at < length; at++)
        if (((unsigned char)text[at] & 0xC0) != 0x80 && seen++ == most)
            break;
    return at;
}

static inline void put_attribute(struct writer *w, const pawl_attribute *attribute) {
    bool is_text = attribute->type == PAWL_ATTRIBUTE_STRING;
    size_t key = cut_bytes(attribute->key, KEY_BYTES);
    size_t value = is_text ? cut_characters(attribute->value.string, w->limits->characters) : 0;
    const struct pawl_packed_attribute packed = {
        .key_length = (uint16_t)key, .type = (uint16_t)attribute->type, .value_length = (uint32_t)value};
    char *at = claim(w, sizeof packed + key + 1 + (is_text ? value + 1 : sizeof attribute->value));
    if (unlikely(!at))
        return;
    memcpy(at, &packed, sizeof packed);
    at = write_text(at + sizeof packed, attribute->key, key);
    if (is_text)
        write_text(at, attribute->value.string, value);
    else
        memcpy(at, &attribute->value, sizeof attribute->value);
}

/* Returns how many were put: at most `most`. */
static inline uint32_t put_attributes(struct writer *w, const pawl_attribute *attributes, uint64_t count,
                                      uint32_t most) {
    uint32_t kept = count < most ? (uint32_t)count : most;
    for (uint32_t i = 0; i < kept; i++)
        put_attribute(w, &attributes[i]);
    return kept;
}

/* ---- the attributes of a local root: whose run it is ---- */

struct own_list {
    struct writer *w;
    struct pawl_span_record *record;
    uint32_t most;
};

/* Whole, so that what is written does not depend on how much memory there is. name: under which it stands. */
static const char *without_secret(const pawl_runtime *runtime, const char *name, const char *text) {
    const struct pawl_redaction redaction = pawl_redaction_of(runtime, true);
    size_t length = strlen(text);
    char clean[OWN_BYTES];
    if (pawl_shape_hides_member(&redaction, name, text))
        return PAWL_REDACTED;
    if (likely(!pawl_redact_needed(&redaction, text, length)))
        return text;
    pawl_redact_into(&redaction, text, length, clean, sizeof clean);
    return strcmp(clean, text) == 0 ? text : PAWL_REDACTED;
}

static void put_own(struct own_list *list, const char *key, const char *text) {
    if (list->record->attribute_count >= list->most) {
        list->record->dropped_attributes++;
        return;
    }
    const pawl_attribute attribute = pawl_attribute_string(key, text);
    put_attribute(list->w, &attribute);
    list->record->attribute_count++;
}

static const char *correlation_id(struct root *root) {
    pthread_mutex_lock(&root->lock); /* it is made at its first reading, by any thread */
    const char *id = root->ids[PAWL_ID_CORRELATION];
    pthread_mutex_unlock(&root->lock);
    return id;
}

static void put_root(struct own_list *list, struct root *root) {
    const char *const ids[][2] = {{"pawl.workflow.id", root->ids[PAWL_ID_WORKFLOW]},
                                  {"pawl.session.id", root->ids[PAWL_ID_SESSION]},
                                  {"pawl.correlation.id", correlation_id(root)}};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
        if (ids[i][1])
            put_own(list, ids[i][0], without_secret(root->runtime, ids[i][0], ids[i][1]));
    for (size_t i = 0; root->tags && i < root->tags->count; i++) {
        const char *name = root->tags->entries[i]->key;
        char key[OWN_BYTES];
        snprintf(key, sizeof key, "pawl.tag.%s", name);
        put_own(list, key, without_secret(root->runtime, name, root->tags->entries[i]->value));
    }
}

/* ---- failures ---- */

bool pawl_span_is_error(uint32_t status, uint32_t cancel_reason) {
    return status != PAWL_OK && !(status == PAWL_E_CANCELLED && (cancel_reason == PAWL_CANCEL_LOST_RACE ||
                                                                 cancel_reason == PAWL_CANCEL_SIBLING_FAILED));
}

/* Whether the error's path ends in this span: then it was made here and not passed on from beneath. */
static bool arose_here(const pawl_span *span) {
    const char *path = pawl_error_path(span->error);
    size_t left = strlen(path);
    for (const pawl_span *s = span; s; s = s->parent) {
        size_t length = strlen(s->name);
        if (left < length || memcmp(path + left - length, s->name, length) != 0)
            return left == 0;
        left -= length;
        if (left == 0)
            return true;
        if (path[--left] != '/')
            return false;
    }
    return false;
}

static void put_event(struct writer *w, const struct pawl_packed_event *event, const char *name) {
    char *at = claim(w, sizeof *event + event->name_length + 1);
    if (!at)
        return;
    memcpy(at, event, sizeof *event);
    write_text(at + sizeof *event, name, event->name_length);
}

static void put_exception(struct writer *w, const pawl_span *span) {
    const pawl_error *error = span->error, *cause = pawl_error_cause(error);
    static const char name[] = "exception";
    struct pawl_packed_event event = {
        .time_ns = span->end_ns, .name_length = sizeof name - 1, .attribute_count = cause ? 3 : 2};
    put_event(w, &event, name);
    pawl_attribute attributes[] = {pawl_attribute_string("exception.type", pawl_status_word((pawl_status)span->status)),
                                   pawl_attribute_string("exception.message", pawl_error_message(error))};
    put_attributes(w, attributes, 2, 2);
    if (cause) {
        char text[TRACE_BYTES];
        pawl_error_describe(cause, text, sizeof text);
        attributes[0] = pawl_attribute_string("exception.stacktrace", text);
        put_attribute(w, &attributes[0]);
    }
}

/* ---- the whole ---- */

/* The first of the trace in this process. A run beside another (a cache flight, a child context) has no open parent
 * either, but knows its parent's id. */
static bool begins_here(const pawl_span *span) {
    return !span->parent && (span->parent_is_remote || memcmp(span->parent_span_id, (uint8_t[8]){0}, 8) == 0);
}

static void put_events(struct writer *w, struct pawl_span_record *record, const pawl_span *span) {
    bool failed = span->error && w->limits->events > 0 && pawl_span_is_error(span->status, span->cancel_reason) &&
                  arose_here(span);
    uint32_t most = w->limits->events - failed, count = span->event_count < most ? span->event_count : most;
    for (uint32_t i = 0; i < count; i++) {
        const pawl_span_event *from = &span->events[i];
        uint64_t kept = from->attribute_count;
        if (kept > w->limits->event_attributes)
            kept = w->limits->event_attributes;
        struct pawl_packed_event event = {.time_ns = from->time_ns,
                                          .name_length = (uint32_t)cut_bytes(from->name, NAME_BYTES),
                                          .attribute_count = (uint32_t)kept,
                                          .dropped_attributes = (uint32_t)(from->attribute_count - kept)};
        put_event(w, &event, from->name);
        put_attributes(w, from->attributes, kept, (uint32_t)kept);
    }
    if (failed)
        put_exception(w, span);
    record->event_count = (uint16_t)(count + failed);
    record->dropped_events = span->dropped_events + span->event_count - count;
}

static void put_links(struct writer *w, struct pawl_span_record *record, const pawl_span *span) {
    uint32_t count = span->link_count < w->limits->links ? span->link_count : w->limits->links;
    for (uint32_t i = 0; i < count; i++) {
        const pawl_span_link *from = &span->links[i];
        uint64_t kept = from->attribute_count;
        if (kept > w->limits->link_attributes)
            kept = w->limits->link_attributes;
        struct pawl_packed_link link = {.attribute_count = (uint32_t)kept,
                                        .dropped_attributes = (uint32_t)(from->attribute_count - kept)};
        memcpy(link.trace_id, from->trace_id, sizeof link.trace_id);
        memcpy(link.span_id, from->span_id, sizeof link.span_id);
        char *at = claim(w, sizeof link);
        if (at)
            memcpy(at, &link, sizeof link);
        put_attributes(w, from->attributes, kept, (uint32_t)kept);
    }
    record->link_count = (uint16_t)count;
    record->dropped_links = span->dropped_links + span->link_count - count;
}

/* The span's own, as many as there is room for beside those that the reader adds; then those of a root. */
static inline void put_all_attributes(struct writer *w, struct pawl_span_record *record, const pawl_span *span) {
    uint32_t own = pawl_record_own_attributes(record->bits, span->status, span->cancel_reason);
    uint32_t most = w->limits->attributes > own ? w->limits->attributes - own : 0;
    record->attribute_count = (uint16_t)put_attributes(w, span->attributes, span->attribute_count, most);
    record->dropped_attributes = span->dropped_attributes + span->attribute_count - record->attribute_count;
    if (unlikely(!span->parent) && span->ctx && begins_here(span))
        put_root(&(struct own_list){w, record, most}, span->ctx->root);
}

/* What few spans have. */
static void put_rest(struct writer *w, struct pawl_span_record *record, const pawl_span *span, const char *tracestate) {
    const char *message = span->error ? pawl_error_message(span->error) : "";
    put_text(w, tracestate ? tracestate : "", tracestate ? strlen(tracestate) : 0);
    put_text(w, message, strlen(message));
    put_events(w, record, span);
    put_links(w, record, span);
}

static uint32_t bits_of(const pawl_span *span) {
    bool is_node = *span->type != '\0';
    uint32_t bits = (span->parent_is_remote ? PAWL_RECORD_REMOTE : 0) | (is_node ? PAWL_RECORD_NODE : 0);
    if (!span->parent)
        bits |= PAWL_RECORD_ROOT | (is_node && begins_here(span) ? PAWL_RECORD_WORKFLOW : 0);
    return bits;
}

static void put_head(struct pawl_span_record *record, const pawl_span *span, const struct pawl_place *place,
                     const char *tracestate) {
    record->start_ns = span->start_ns;
    record->end_ns = span->end_ns;
    pawl_record_put_ids(record, span);
    record->place = place;
    record->kind = (uint8_t)span->kind;
    record->trace_flags = (uint8_t)span->trace_flags;
    record->status = (uint8_t)span->status;
    record->cancel_reason = (uint8_t)span->cancel_reason;
    record->bits = (uint16_t)bits_of(span);
    record->event_count = record->link_count = 0;
    record->dropped_events = record->dropped_links = 0;
    record->has_rest = tracestate || span->error ||
                       (span->event_count | span->link_count | span->dropped_events | span->dropped_links) != 0;
}

static pawl_status take_heap(struct pawl_span_record *record, size_t bytes, struct pawl_heap_budget *budget) {
    uint64_t used = atomic_fetch_add_explicit(&budget->used, bytes, memory_order_relaxed) + bytes;
    char *heap = used <= budget->most ? malloc(bytes) : NULL;
    if (heap) {
        record->heap = heap;
        record->bits |= PAWL_RECORD_HEAP;
        return PAWL_OK;
    }
    atomic_fetch_sub_explicit(&budget->used, bytes, memory_order_relaxed);
    return used <= budget->most ? PAWL_E_NOMEM : PAWL_E_LIMIT;
}

void pawl_record_release(struct pawl_span_record *record, struct pawl_heap_budget *budget) {
    size_t bytes = pawl_record_heap_bytes(record);
    if (bytes == 0)
        return;
    free(record->heap);
    record->bits &= (uint16_t)~PAWL_RECORD_HEAP;
    record->length = 0;
    atomic_fetch_sub_explicit(&budget->used, bytes, memory_order_relaxed);
}

static void put_name(struct writer *w, const pawl_span *span, const char *name, size_t most) {
    const struct pawl_redaction redaction = pawl_redaction_of(span->ctx ? span->ctx->root->runtime : NULL, true);
    char *made;
    const char *shown = pawl_redact_shown(&redaction, NULL, name, strlen(name), &made);
    put_text(w, shown, cut_bytes(shown, most));
    free(made);
}

/* Name, type and path, when the record does not point to them. */
static void put_names(struct writer *w, const pawl_span *span) {
    char path[PAWL_PATH_BYTES + 1];
    put_name(w, span, span->name, NAME_BYTES);
    if (*span->type == '\0')
        return;
    pawl_place_write_path(span, path);
    put_text(w, span->type, cut_bytes(span->type, NAME_BYTES));
    put_name(w, span, path, PAWL_PATH_BYTES);
}

static void put_all(struct writer *w, struct pawl_span_record *record, const pawl_span *span,
                    const struct pawl_place *place, const char *tracestate) {
    if (unlikely(!place))
        put_names(w, span);
    put_all_attributes(w, record, span);
    if (record->has_rest)
        put_rest(w, record, span, tracestate);
}

pawl_status pawl_record_encode(struct pawl_span_record *record, const pawl_span *span, const struct pawl_place *place,
                               const struct pawl_span_limits *limits, struct pawl_heap_budget *budget) {
    const char *tracestate = span->ctx ? span->ctx->root->tracestate : NULL;
    put_head(record, span, place, tracestate);
    struct writer w = {.to = record->bytes, .room = PAWL_RECORD_ROOM, .limits = limits};
    put_all(&w, record, span, place, tracestate);
    record->length = (uint32_t)w.total;
    if (likely(w.total <= PAWL_RECORD_ROOM))
        return PAWL_OK;
    pawl_status status = take_heap(record, w.total, budget);
    if (status != PAWL_OK)
        return status;
    w = (struct writer){.to = record->heap, .room = w.total, .limits = limits};
    put_all(&w, record, span, place, tracestate);
    if (likely(w.total <= w.room))
        return PAWL_OK;
    pawl_record_release(record, budget); /* a secret that was added meanwhile made it longer */
    return PAWL_E_NOMEM;
}
