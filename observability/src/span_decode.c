/* Reads a record into what exporters are given. Here, on the exporting thread, is done what the span's thread did not
 * have to: constant attributes, one value a key, repair of what is no UTF-8, the time of day. */
#include "redact_internal.h"
#include "span_record_internal.h"
#include "utf8_internal.h"
#include <string.h>

struct reader {
    const char *at;
    struct arena *arena;
    const struct pawl_redaction *redaction;
    bool failed; /* without memory */
};

static void take(struct reader *r, void *ret_bytes, size_t length) {
    memcpy(ret_bytes, r->at, length);
    r->at += length;
}

/* Text with a NUL behind it: itself when it is UTF-8, else a copy. */
static const char *clean(struct reader *r, const char *text, size_t length) {
    if (pawl_utf8_valid(text, length) == length)
        return text;
    size_t size = pawl_utf8_lossy_into(text, length, NULL, 0) + 1;
    char *copy = pawl_arena_take(r->arena, size);
    if (copy)
        (void)pawl_utf8_lossy_into(text, length, copy, size);
    else
        r->failed = true;
    return copy;
}

static const char *take_text(struct reader *r, size_t length) {
    const char *text = clean(r, r->at, length);
    r->at += length + 1;
    return text;
}

static const char *take_line(struct reader *r) {
    return take_text(r, strlen(r->at));
}

/* ---- attributes ---- */

struct list {
    pawl_attribute *items;
    uint32_t count;
};

/* A key that is set again is replaced, as OTLP wants one value a key. */
static void add(struct list *list, pawl_attribute attribute) {
    for (uint32_t i = 0; i < list->count; i++)
        if (list->items[i].key == attribute.key || strcmp(list->items[i].key, attribute.key) == 0) {
            list->items[i] = attribute;
            return;
        }
    list->items[list->count++] = attribute;
}

static void add_text(struct list *list, const char *key, const char *text) {
    add(list, pawl_attribute_string(key, text));
}

static void take_attributes(struct reader *r, struct list *list, uint32_t count) {
    for (uint32_t i = 0; i < count && !r->failed; i++) {
        struct pawl_packed_attribute packed;
        pawl_attribute attribute;
        take(r, &packed, sizeof packed);
        attribute.type = packed.type;
        attribute.key = take_text(r, packed.key_length);
        if (packed.type == PAWL_ATTRIBUTE_STRING)
            attribute.value.string = take_text(r, packed.value_length);
        else
            take(r, &attribute.value, sizeof attribute.value);
        if (!r->failed)
            add(list, attribute);
    }
}

static struct list new_list(struct reader *r, uint32_t most) {
    struct list list = {.items = pawl_arena_items(r->arena, most, sizeof *list.items)};
    r->failed |= !list.items;
    return list;
}

/* ---- events, links ---- */

static const pawl_event_data *take_events(struct reader *r, uint32_t count, int64_t offset) {
    pawl_event_data *events = count ? pawl_arena_take(r->arena, count * sizeof *events) : NULL;
    r->failed |= count > 0 && !events;
    for (uint32_t i = 0; i < count && !r->failed; i++) {
        struct pawl_packed_event packed;
        take(r, &packed, sizeof packed);
        const char *name = take_text(r, packed.name_length);
        struct list list = new_list(r, packed.attribute_count);
        take_attributes(r, &list, packed.attribute_count);
        events[i] = (pawl_event_data){.name = name,
                                      .time_unix_ns = packed.time_ns + (uint64_t)offset,
                                      .attributes = list.items,
                                      .attribute_count = list.count,
                                      .dropped_attributes = packed.dropped_attributes};
    }
    return events;
}

static const pawl_link_data *take_links(struct reader *r, uint32_t count) {
    pawl_link_data *links = count ? pawl_arena_take(r->arena, count * sizeof *links) : NULL;
    r->failed |= count > 0 && !links;
    for (uint32_t i = 0; i < count && !r->failed; i++) {
        struct pawl_packed_link packed;
        take(r, &packed, sizeof packed);
        struct list list = new_list(r, packed.attribute_count);
        take_attributes(r, &list, packed.attribute_count);
        links[i] = (pawl_link_data){
            .attributes = list.items, .attribute_count = list.count, .dropped_attributes = packed.dropped_attributes};
        memcpy(links[i].trace_id, packed.trace_id, sizeof packed.trace_id);
        memcpy(links[i].span_id, packed.span_id, sizeof packed.span_id);
    }
    return links;
}

/* ---- the whole ---- */

/* A text of a place, which may have been made before a secret in it was told; hidden it takes at most `most` bytes. */
static const char *take_from_place(struct reader *r, const struct pawl_place *place, const char *text, size_t most) {
    if (likely(place->secrets == pawl_secrets_count(r->redaction)))
        return text;
    size_t length = strlen(text);
    if (!pawl_redact_needed(r->redaction, text, length))
        return text;
    char *hidden = pawl_arena_take(r->arena, most + 1);
    if (hidden)
        (void)pawl_redact_into(r->redaction, text, length, hidden, most + 1);
    r->failed |= !hidden;
    return hidden;
}

static void take_names(struct reader *r, const struct pawl_span_record *record, struct list *list,
                       pawl_span_data *data) {
    const struct pawl_place *place = record->place;
    bool is_node = record->bits & PAWL_RECORD_NODE;
    data->name = place ? take_from_place(r, place, place->name, PAWL_PLACE_NAMES) : take_line(r);
    const char *type = place ? place->type : is_node ? take_line(r) : "";
    const char *path = place ? take_from_place(r, place, place->path, PAWL_PATH_BYTES) : is_node ? take_line(r) : "";
    if (r->failed)
        return;
    if (is_node) {
        add_text(list, "pawl.primitive.type", type);
        add_text(list, "pawl.primitive.path", path);
    }
    if (record->bits & PAWL_RECORD_WORKFLOW) {
        add_text(list, "gen_ai.operation.name", "invoke_workflow");
        add_text(list, "gen_ai.workflow.name", data->name);
    }
}

static void add_outcome(const struct pawl_span_record *record, struct list *list) {
    if (pawl_span_is_error(record->status, record->cancel_reason))
        add_text(list, "error.type", pawl_status_word((pawl_status)record->status));
    if (record->cancel_reason != PAWL_CANCEL_NONE)
        add_text(list, "pawl.cancel_reason", pawl_cancel_reason_word((pawl_cancel_reason)record->cancel_reason));
}

static void take_head(const struct pawl_span_record *record, int64_t offset, pawl_span_data *data) {
    uint64_t end_ns = pawl_record_end_ns(record);
    end_ns = end_ns > record->start_ns ? end_ns : record->start_ns;
    *data = (pawl_span_data){.tracestate = "",
                             .status_message = "",
                             .start_unix_ns = record->start_ns + (uint64_t)offset,
                             .end_unix_ns = end_ns + (uint64_t)offset,
                             .kind = record->kind,
                             .flags = (record->trace_flags & 3u) | 0x100u |
                                      (record->bits & PAWL_RECORD_REMOTE ? 0x200u : 0u),
                             .is_error = pawl_span_is_error(record->status, record->cancel_reason)};
    memcpy(data->trace_id, record->trace_id, sizeof data->trace_id);
    memcpy(data->span_id, record->span_id, sizeof data->span_id);
    memcpy(data->parent_span_id, record->parent_span_id, sizeof data->parent_span_id);
}

static void take_number(struct reader *r, const struct pawl_span_record *record, struct list *list) {
    const char *key = clean(r, record->place->key, strlen(record->place->key));
    if (key)
        add(list, pawl_attribute_int(key, record->number));
}

static void take_payload(struct reader *r, const struct pawl_span_record *record, int64_t offset, struct list *list,
                         pawl_span_data *data) {
    take_attributes(r, list, record->attribute_count);
    data->dropped_attributes = record->dropped_attributes;
    data->dropped_events = record->dropped_events;
    data->dropped_links = record->dropped_links;
    if (!record->has_rest || r->failed)
        return;
    data->tracestate = take_line(r);
    const char *message = take_line(r);
    data->status_message = data->is_error ? message : "";
    data->event_count = record->event_count;
    data->events = take_events(r, record->event_count, offset);
    data->link_count = record->link_count;
    data->links = take_links(r, record->link_count);
}

bool pawl_record_decode(const struct pawl_span_record *record, int64_t wall_offset_ns,
                        const struct pawl_redaction *redaction, struct arena *arena, pawl_span_data *ret_data) {
    struct reader r = {.at = pawl_record_payload(record), .arena = arena, .redaction = redaction};
    uint32_t own = pawl_record_own_attributes(record->bits, record->status, record->cancel_reason);
    struct list list = new_list(&r, own + record->attribute_count);
    if (r.failed)
        return false;
    take_head(record, wall_offset_ns, ret_data);
    take_names(&r, record, &list, ret_data);
    add_outcome(record, &list); /* before the node's own, which may know better */
    if (!pawl_record_is_plain(record) && !r.failed)
        take_payload(&r, record, wall_offset_ns, &list, ret_data);
    else if (record->attribute_count > 0 && !r.failed)
        take_number(&r, record, &list);
    ret_data->attributes = list.items;
    ret_data->attribute_count = list.count;
    return !r.failed;
}
