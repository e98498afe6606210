/* One span's own data: attributes, events, links and the strings they point to. The first of each lie in the span
 * itself; what goes beyond is allocated, bounded, and released when the span ends. */
#include "observe_internal.h"
#include <stdlib.h>
#include <string.h>

#define MOST_TEXT ((size_t)4 << 20) /* bytes that one span may grow by */

struct pawl_span_text {
    struct pawl_span_text *next;
    size_t total; /* of this one and all before it */
    char bytes[];
};

void pawl_span_release_grown(pawl_span *span) {
    if (span->attributes != span->attribute_slots)
        free(span->attributes);
    if (span->events != span->event_slots)
        free(span->events);
    free(span->links);
    while (span->more) {
        struct pawl_span_text *next = span->more->next;
        free(span->more);
        span->more = next;
    }
}

/* ---- room ---- */

struct slots {
    void *items; /* in the span */
    uint32_t count;
};

#define SLOTS(array) ((struct slots){(array), (uint32_t)(sizeof(array) / sizeof *(array))})

/* Makes room for one more of `bytes` bytes each; items that lie in slots move to the heap. Returns where they are then;
 * NULL when there can be no more. */
static void *grow(void *items, struct slots slots, uint32_t count, uint32_t *room, size_t bytes) {
    if (count < *room)
        return items;
    bool is_first = *room == 0 && slots.count > 0;
    uint32_t more = is_first ? slots.count : *room ? *room * 2 : 4;
    if (more > PAWL_SPAN_ATTRIBUTES)
        more = PAWL_SPAN_ATTRIBUTES;
    bool in_slots = items == slots.items;
    void *grown = is_first ? slots.items : count < more ? realloc(in_slots ? NULL : items, more * bytes) : NULL;
    if (!grown)
        return NULL;
    if (in_slots && items)
        memcpy(grown, items, count * bytes);
    *room = more;
    return grown;
}

/* NULL without memory, or when the span holds enough. */
static void *grow_text(pawl_span *span, size_t bytes) {
    size_t total = bytes + (span->more ? span->more->total : 0);
    struct pawl_span_text *text = total <= MOST_TEXT ? malloc(sizeof *text + bytes) : NULL;
    if (!text)
        return NULL;
    text->next = span->more;
    text->total = total;
    span->more = text;
    return text->bytes;
}

static char *take_bytes(pawl_span *span, size_t bytes) {
    if (bytes > sizeof span->text - span->text_used)
        return grow_text(span, bytes);
    char *at = span->text + span->text_used;
    span->text_used += (uint32_t)bytes;
    return at;
}

/* A cut never leaves half a UTF-8 character. */
static size_t length_to_keep(const char *text) {
    size_t length = strnlen(text, PAWL_SPAN_STRING + 1);
    if (length <= PAWL_SPAN_STRING)
        return length;
    length = PAWL_SPAN_STRING;
    while (length > 0 && ((unsigned char)text[length] & 0xC0) == 0x80)
        length--;
    return length;
}

/* NULL without memory. */
const char *pawl_span_keep_text(pawl_span *span, const char *text) {
    size_t length = length_to_keep(text);
    char *copy = take_bytes(span, length + 1);
    if (!copy)
        return NULL;
    memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

/* ---- attributes ---- */

static pawl_attribute *find_attribute(pawl_span *span, const char *key) {
    for (uint32_t i = 0; i < span->attribute_count; i++)
        if (span->attributes[i].key == key || strcmp(span->attributes[i].key, key) == 0)
            return &span->attributes[i];
    return NULL;
}

/* One without a key, or of no type, would cost the whole batch at a strict collector. */
static bool is_attribute(const pawl_attribute *attribute) {
    return attribute->key && *attribute->key && attribute->type <= PAWL_ATTRIBUTE_BOOL;
}

static void set_attribute(pawl_span *span, pawl_attribute attribute) {
    span->described = 1;
    if (unlikely(!is_attribute(&attribute))) {
        span->dropped_attributes++;
        return;
    }
    pawl_attribute *known = find_attribute(span, attribute.key);
    if (known) {
        *known = attribute;
        return;
    }
    pawl_attribute *items = grow(span->attributes, SLOTS(span->attribute_slots), span->attribute_count,
                                 &span->attribute_room, sizeof *items);
    if (!items) {
        span->dropped_attributes++;
        return;
    }
    span->attributes = items;
    items[span->attribute_count++] = attribute;
}

void pawl_span_set_string(pawl_span *span, const char *key, const char *text) {
    span->described = 1;
    const char *copy = pawl_span_keep_text(span, text ? text : "");
    if (copy)
        set_attribute(span, pawl_attribute_string(key, copy));
    else
        span->dropped_attributes++;
}

void pawl_span_set_int(pawl_span *span, const char *key, int64_t number) {
    set_attribute(span, pawl_attribute_int(key, number));
}

void pawl_span_set_double(pawl_span *span, const char *key, double number) {
    set_attribute(span, pawl_attribute_double(key, number));
}

void pawl_span_set_bool(pawl_span *span, const char *key, bool flag) {
    set_attribute(span, pawl_attribute_bool(key, flag));
}

void pawl_span_set(pawl_span *span, const pawl_attribute *attribute) {
    if (attribute->type == PAWL_ATTRIBUTE_STRING)
        pawl_span_set_string(span, attribute->key, attribute->value.string);
    else
        set_attribute(span, *attribute);
}

void pawl_span_set_kind(pawl_span *span, pawl_span_kind kind) {
    span->described = 1;
    bool is_known = kind >= PAWL_SPAN_INTERNAL && kind <= PAWL_SPAN_CONSUMER;
    span->kind = (uint32_t)(is_known ? kind : PAWL_SPAN_INTERNAL);
}

/* ---- events and links ---- */

/* Copies a list of attributes with its strings; those that are none or without memory are left out. Returns how many
 * were kept. */
static uint64_t keep_attributes(pawl_span *span, const pawl_attribute *attributes, size_t count,
                                const pawl_attribute **ret_copies) {
    *ret_copies = NULL;
    count = !attributes ? 0 : count > PAWL_SPAN_ATTRIBUTES ? PAWL_SPAN_ATTRIBUTES : count;
    pawl_attribute *copies = count ? grow_text(span, count * sizeof *copies) : NULL;
    uint64_t kept = 0;
    for (size_t i = 0; copies && i < count; i++) {
        if (!is_attribute(&attributes[i]))
            continue;
        copies[kept] = attributes[i];
        if (attributes[i].type == PAWL_ATTRIBUTE_STRING)
            copies[kept].value.string =
                pawl_span_keep_text(span, attributes[i].value.string ? attributes[i].value.string : "");
        kept += attributes[i].type != PAWL_ATTRIBUTE_STRING || copies[kept].value.string;
    }
    *ret_copies = copies;
    return kept;
}

void pawl_span_add_event_at(pawl_span *span, const char *name, uint64_t time_ns, const pawl_attribute *attributes,
                            size_t attribute_count) {
    span->described = 1;
    pawl_span_event *items =
        grow(span->events, SLOTS(span->event_slots), span->event_count, &span->event_room, sizeof *items);
    if (!items) {
        span->dropped_events++;
        return;
    }
    span->events = items;
    pawl_span_event *event = &items[span->event_count++];
    *event = (pawl_span_event){.name = name && *name ? name : PAWL_UNNAMED, .time_ns = time_ns};
    event->attribute_count = keep_attributes(span, attributes, attribute_count, &event->attributes);
}

static bool is_zero(const uint8_t *id, size_t length) {
    uint8_t all = 0;
    for (size_t i = 0; i < length; i++)
        all |= id[i];
    return all == 0;
}

void pawl_span_add_link(pawl_span *span, const uint8_t trace_id[16], const uint8_t span_id[8],
                        const pawl_attribute *attributes, size_t attribute_count) {
    span->described = 1;
    bool leads_somewhere = !is_zero(trace_id, 16) && !is_zero(span_id, 8);
    pawl_span_link *items =
        leads_somewhere ? grow(span->links, (struct slots){NULL, 0}, span->link_count, &span->link_room, sizeof *items)
                        : NULL;
    if (!items) {
        span->dropped_links++;
        return;
    }
    span->links = items;
    pawl_span_link *link = &items[span->link_count++];
    memcpy(link->trace_id, trace_id, 16);
    memcpy(link->span_id, span_id, 8);
    link->attribute_count = keep_attributes(span, attributes, attribute_count, &link->attributes);
}
