/* A record that is put by until it is exported: one copy in one piece of memory, within the limits. */
#include "logs_internal.h"
#include <stdlib.h>
#include <string.h>

static size_t count_of(const pawl_log_record *record, const struct pawl_log_limits *limits) {
    return (size_t)(record->attribute_count < limits->attributes ? record->attribute_count : limits->attributes);
}

/* The bytes of so many characters of UTF-8. */
static size_t cut(const char *text, uint64_t characters) {
    size_t length = strlen(text), at = 0;
    if (length <= characters)
        return length;
    for (; at < length; at++)
        if (((unsigned char)text[at] & 0xC0) != 0x80 && characters-- == 0)
            return at;
    return at;
}

static size_t text_bytes(const pawl_attribute *attribute, const struct pawl_log_limits *limits) {
    return attribute->type == PAWL_ATTRIBUTE_STRING ? cut(attribute->value.string, limits->characters) + 1 : 0;
}

size_t pawl_held_log_bytes(const pawl_log_record *record, const struct pawl_log_limits *limits) {
    size_t count = count_of(record, limits);
    size_t bytes = sizeof(struct pawl_held_log) + count * sizeof(pawl_attribute) + strlen(record->text) + 1;
    for (size_t i = 0; i < count; i++)
        bytes += strlen(record->attributes[i].key) + 1 + text_bytes(&record->attributes[i], limits);
    return bytes;
}

static const char *put(char **at, const char *text, size_t length) {
    char *start = *at;
    memcpy(start, text, length);
    start[length] = '\0';
    *at += length + 1;
    return start;
}

static void copy_attributes(struct pawl_held_log *held, const pawl_log_record *record,
                            const struct pawl_log_limits *limits, char **at) {
    size_t count = count_of(record, limits);
    for (size_t i = 0; i < count; i++) {
        const pawl_attribute *from = &record->attributes[i];
        held->attributes[i] = *from;
        held->attributes[i].key = put(at, from->key, strlen(from->key));
        if (from->type == PAWL_ATTRIBUTE_STRING)
            held->attributes[i].value.string = put(at, from->value.string, text_bytes(from, limits) - 1);
    }
    held->data.attributes = held->attributes;
    held->data.attribute_count = (uint32_t)count;
    held->data.dropped_attributes = (uint32_t)(record->attribute_count - count);
}

struct pawl_held_log *pawl_held_log_new(const pawl_log_record *record, const struct pawl_log_limits *limits,
                                        size_t bytes, int64_t wall_offset_ns) {
    struct pawl_held_log *held = malloc(bytes);
    if (!held)
        return NULL;
    char *at = (char *)(held->attributes + count_of(record, limits));
    uint64_t time = record->time_ns + (uint64_t)wall_offset_ns;
    held->bytes = bytes;
    held->data = (pawl_log_data){
        .time_unix_ns = time, .observed_unix_ns = time, .level = record->level, .flags = record->trace_flags};
    memcpy(held->data.trace_id, record->trace_id, 16);
    memcpy(held->data.span_id, record->span_id, 8);
    held->data.text = put(&at, record->text, strlen(record->text));
    copy_attributes(held, record, limits, &at);
    return held;
}
